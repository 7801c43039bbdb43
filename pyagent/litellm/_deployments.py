"""The deployments of a Router: litellm's dicts, and the Providers and limits that they mean."""

from __future__ import annotations

import os

import pyagent

from . import _money, _names, _params, _settings, exceptions
from ._calls import _OWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What litellm_params say of reaching the vendor, of limits, and of the calls to a whole group.
_REACH = frozenset({
    "model", "custom_llm_provider", "api_key", "api_base", "base_url", "api_version", "deployment_id",
})  # fmt: skip
_LIMITS = frozenset({"rpm", "tpm", "weight", "order", "max_parallel_requests", "timeout"})
_OF_GROUP = frozenset({"stream_timeout", "num_retries"})
_PRICES = frozenset({
    "input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost",
    "output_cost_per_reasoning_token",
})  # fmt: skip
# Switches of litellm's own LiteLLM_Params, which has them off.
_OFF = frozenset({
    "use_in_pass_through", "use_litellm_proxy", "use_xai_oauth", "allow_client_keepalive_override",
    "merge_reasoning_content_in_choices", "max_retries",
})  # fmt: skip
# What can be said of a call only.
_OF_CALLS = frozenset({*_OWN, "max_retries", "request_timeout", "system", "timeout"}) - {"drop_params"}
_MOVED = {"max_retries": "give num_retries", "request_timeout": "give timeout", "mock_response": "give it to the call"}


class Known:
    """One deployment: as it was given, and what became of that."""

    __slots__ = ("group", "params", "info", "provider", "model", "vendor", "url", "_arguments", "_headers")

    def __init__(self, entry: Any) -> None:
        given = _plain(entry)
        self.group, self.params, self.info = given["model_name"], given["litellm_params"], given["model_info"]
        self.info.setdefault("id", make_id(self.group, self.params))
        self.params = {**given["limits"], **self.params}
        self.info.setdefault("db_model", False)
        found = _names.split_model(
            str(self.params.get("model") or ""), self._say("custom_llm_provider"), _settings.default_provider()
        )
        vendor = None if found is None else _names.find_vendor(found[0])
        if found is None or vendor is None:
            raise exceptions.BadRequestError(
                f"litellm_params.model of {self.group!r} is {self.params.get('model')!r}: pyagent does not know who "
                "has it. Write the provider before it, as in openai/gpt-4o; see docs/litellm.md.",
                model=self.group,
            )
        self.provider, self.model, self.vendor = found[0], found[1], vendor
        self.url = ""
        self._arguments, self._headers = self._read_rest()

    @property
    def id(self) -> str:
        """The deployment's id."""
        return str(self.info["id"])

    def to_dict(self, group: str | None = None) -> dict[str, Any]:
        """The deployment in litellm's form, under its own name or an alias."""
        params, info = dict(self.params), dict(self.info)
        return {"model_name": group or self.group, "litellm_params": params, "model_info": info}

    def _read_rest(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Arguments of requests, and headers."""
        handled = _REACH | _LIMITS | _OF_GROUP | _PRICES | {"drop_params"}
        rest = {name: self._say(name) for name in self.params if name not in handled}
        rest = {name: value for name, value in rest.items() if value or name not in _OFF}
        refused = [name for name, value in rest.items() if name in _OF_CALLS and value is not None]
        if refused:
            better = _MOVED.get(refused[0], "leave it out")
            raise exceptions.UnsupportedParamsError(
                f"litellm_params of {self.group!r} has {', '.join(refused)}, which is known in calls only here; "
                f"{better}. See docs/litellm.md.",
                model=self.model,
                llm_provider=self.provider,
            )
        length = rest.pop("dimensions", None)
        made = _params.read_options(rest, self.provider, self.model, "generate")
        if length is not None:
            made["dimensions"] = length
        return made, made.pop("extra_headers", {})

    def _say(self, name: str) -> Any:
        """What litellm_params say, or the environment variable that they name."""
        value = self.params.get(name)
        if isinstance(value, str) and value.startswith("os.environ/"):
            return os.environ.get(value[len("os.environ/") :])
        return value

    def connect(self, timeout: float | None) -> pyagent.Provider:
        """The Provider that asks it."""
        vendor = self.vendor
        key = self._say("api_key") or _settings.read("api_key") or _settings.vendor_key(vendor.name)
        url = self._say("api_base") or self._say("base_url") or _settings.read("api_base")
        url = url or _names.read_first(vendor.url_env)
        self.url = _names.fit_address(vendor, url) if url else vendor.url
        azure = vendor.name == "azure"
        version = self._say("api_version") or _settings.read("api_version") or _names.read_first(("AZURE_API_VERSION",))
        prices = {name: self.params[name] for name in _PRICES if self.params.get(name) is not None}
        price = _money._make_price(prices) if prices else self._base_price()
        own = self._say("timeout")
        return pyagent.Provider(
            self.model,
            provider=vendor.target(),
            api_key=key or _names.read_first(vendor.key_env),
            base_url=self.url or None,
            api_version=version if azure else None,
            deployment=self._say("deployment_id") if azure else None,
            **_params._timeout(own if own is not None else timeout, "") if (own or timeout) else {},
            extra_headers=self._headers or None,
            prices=None if price is None else {self.model: price},
        )

    def _base_price(self) -> Any:
        """The price of the model that model_info names for a deployment of another name."""
        base = self.info.get("base_model")
        return _money.base_price(base, self.vendor) if base else None

    def deploy(self, *, timeout: float | None, weight: float | None, limited: bool, most: int | None) -> Any:
        """The deployment as pyagent has it.

        Args:
            timeout: The Router's.
            weight: Its share where chance decides.
            limited: rpm and tpm are limits.
            most: The Router's max_parallel_requests.
        """
        parallel = self._say("max_parallel_requests")
        return pyagent.Deployment(
            self.connect(timeout),
            name=self.id,
            group=self.group,
            weight=weight,
            order=self._say("order"),
            rpm=self._say("rpm") if limited else None,
            tpm=self._say("tpm") if limited else None,
            max_parallel=most if parallel is None else parallel,
            defaults=self._arguments or None,
        )


def _plain(entry: Any) -> dict[str, Any]:
    """A deployment as dicts, whether it was one or an object of litellm's kind.

    Raises:
        BadRequestError: It is neither, or lacks its name or its parameters.
    """
    if hasattr(entry, "model_dump"):
        entry = entry.model_dump(exclude_none=True)
    if not isinstance(entry, dict) or not isinstance(entry.get("model_name"), str):
        raise exceptions.BadRequestError(
            f"A deployment is a dict with model_name and litellm_params, got {entry!r:.200}."
        )
    name, parts = entry["model_name"], {}
    limits = {key: entry[key] for key in ("tpm", "rpm") if entry.get(key) is not None}  # litellm takes them here, too
    unknown = [key for key in entry if key not in {"model_name", "litellm_params", "model_info", "tpm", "rpm"}]
    for part in ("litellm_params", "model_info"):
        value: Any = entry.get(part)
        value = value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value
        parts[part] = dict(value or {})
    if unknown or not parts["litellm_params"].get("model"):
        wrong = f"has {', '.join(map(repr, unknown))}" if unknown else "has no litellm_params with a model"
        raise exceptions.BadRequestError(
            f"The deployment {name!r} {wrong}; it has model_name, litellm_params and model_info.", model=name
        )
    if "*" in name:
        raise exceptions.UnsupportedParamsError(
            f"pyagent.litellm has no wildcards in model_name, got {name!r}; name each model.", model=name
        )
    return {"model_name": name, "limits": limits, **parts}


def make_id(group: str, params: dict[str, Any]) -> str:
    """The id of a deployment that has none: litellm's hash of all that is said of it."""
    from hashlib import sha256
    from json import dumps

    parts = (item for pair in params.items() for item in pair)
    said = [dumps(item) if isinstance(item, dict) else str(item) for item in parts]
    return sha256("".join([group, *said]).encode()).hexdigest()
