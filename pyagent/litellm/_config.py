"""edgequake's configuration: defaults that the environment and two functions set."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LiteLLMEdgeConfig:
    """What a call falls back on.

    Attributes:
        default_provider: Whom to ask for a model without a provider; LITELLM_EDGE_PROVIDER.
        default_model: The model of `default_model`; LITELLM_EDGE_MODEL.
        timeout: Seconds; LITELLM_EDGE_TIMEOUT.
        max_retries: Attempts after the first; LITELLM_EDGE_MAX_RETRIES.
        drop_params: Whether what a vendor cannot honour is left out.
        verbose: LITELLM_EDGE_VERBOSE.
    """

    def __init__(
        self,
        default_provider: str | None = None,
        default_model: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        drop_params: bool = True,
        verbose: bool | None = None,
    ) -> None:
        self.default_provider = default_provider or _variable("PROVIDER") or "openai"
        self.default_model = default_model or _variable("MODEL") or "gpt-5.6-terra"
        self.timeout = float(_variable("TIMEOUT") or 60) if timeout is None else timeout
        self.max_retries = int(_variable("MAX_RETRIES") or 3) if max_retries is None else max_retries
        self.drop_params = drop_params
        self.verbose = (_variable("VERBOSE") or "").lower() in {"1", "true", "yes"} if verbose is None else verbose

    def __repr__(self) -> str:
        return f"LiteLLMEdgeConfig({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # fields may change


EdgeQuakeConfig = LiteLLMEdgeConfig


def _variable(name: str) -> str | None:
    return os.environ.get(f"LITELLM_EDGE_{name}") or os.environ.get(f"EDGEQUAKE_{name}") or None


_state: dict[str, Any] = {}


def get_config() -> LiteLLMEdgeConfig:
    """The one configuration of the process; its fields may be changed."""
    if "config" not in _state:
        _state["config"] = LiteLLMEdgeConfig()
    return _state["config"]  # type: ignore[no-any-return]


def set_default_provider(provider: str) -> None:
    """Asks this provider for every model that is named without one."""
    get_config().default_provider = provider
    _state["explicit"] = True


def set_default_model(model: str) -> None:
    """Takes this model for calls that name none."""
    get_config().default_model = model
    _state["model"] = True


def explicit_provider() -> str | None:
    """The default provider if somebody chose it: litellm has none, so edgequake's own default does not count."""
    if _state.get("explicit") or _variable("PROVIDER"):
        return get_config().default_provider
    return None


def chosen(name: str) -> Any:
    """The timeout or max_retries that somebody chose; None where they are edgequake's own defaults."""
    if "config" not in _state and not _variable(name.upper()):
        return None
    value = getattr(get_config(), name)
    return None if value == {"timeout": 60.0, "max_retries": 3}[name] else value


def default_model() -> str | None:
    """The model of calls that name none, if somebody chose one."""
    return get_config().default_model if _state.get("model") or _variable("MODEL") else None
