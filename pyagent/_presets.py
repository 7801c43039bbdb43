"""Provider's shorter constructors: one method for each vendor that users name most, all with the same options."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any, TypeVar

    from .options import Limits, Timeouts

    _Provider = TypeVar("_Provider", bound="Presets")


class Presets:
    """The classmethods openai, anthropic, openrouter, azure, compatible and echo. Others are `provider="name"`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, model: str, **options: Any) -> None: ...

    @classmethod
    def openai(
        cls: type[_Provider],
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        retry_backoff: float | None = None,
        extra_headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
        http2: bool = False,
        max_connections: int | None = None,
        allow_http: bool = False,
        post_quantum: bool = True,
    ) -> _Provider:
        """OpenAI, with the key in OPENAI_API_KEY unless given. The options are those of Provider."""
        return cls(**_options("openai", locals()))

    @classmethod
    def anthropic(
        cls: type[_Provider],
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        retry_backoff: float | None = None,
        extra_headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
        http2: bool = False,
        max_connections: int | None = None,
        allow_http: bool = False,
        post_quantum: bool = True,
    ) -> _Provider:
        """Anthropic, with the key in ANTHROPIC_API_KEY or a token in ANTHROPIC_AUTH_TOKEN unless given."""
        return cls(**_options("anthropic", locals()))

    @classmethod
    def openrouter(
        cls: type[_Provider],
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        retry_backoff: float | None = None,
        extra_headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
        http2: bool = False,
        max_connections: int | None = None,
        allow_http: bool = False,
        post_quantum: bool = True,
    ) -> _Provider:
        """OpenRouter, with the key in OPENROUTER_API_KEY unless given; the same as the constructor."""
        return cls(**_options("openrouter", locals()))

    @classmethod
    def azure(
        cls: type[_Provider],
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        retry_backoff: float | None = None,
        extra_headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
        http2: bool = False,
        max_connections: int | None = None,
        allow_http: bool = False,
        post_quantum: bool = True,
        api_version: str | None = None,
        deployment: str | None = None,
    ) -> _Provider:
        """An Azure OpenAI deployment.

        The key is in AZURE_OPENAI_API_KEY and the address in AZURE_OPENAI_ENDPOINT unless given.

        Args:
            model: The model, for the choice of parameters; also the deployment unless that is given.
            base_url: https://RESOURCE.openai.azure.com
            api_version: The version of Azure's interface, for example "2024-10-21".
            deployment: The name of the deployment.
        """
        return cls(**_options("azure", locals()))

    @classmethod
    def compatible(
        cls: type[_Provider],
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        retry_backoff: float | None = None,
        extra_headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
        http2: bool = False,
        max_connections: int | None = None,
        allow_http: bool = False,
        post_quantum: bool = True,
    ) -> _Provider:
        """Any server that speaks OpenAI's chat protocol, with or without a key.

        Args:
            model: The model's name at that server.
            base_url: Its address up to and without /chat/completions; OPENAI_COMPATIBLE_BASE_URL unless given.
        """
        return cls(**_options("compatible", locals()))

    @classmethod
    def echo(
        cls: type[_Provider],
        model: str = "echo",
        *,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        retry_backoff: float | None = None,
        extra_headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
        http2: bool = False,
        max_connections: int | None = None,
        allow_http: bool = False,
        post_quantum: bool = True,
    ) -> _Provider:
        """The scripted model inside pyagent, which repeats what it is told: no key, no network, the same path.

        For trying pyagent out and for tests of programs that use it. `extra_body={"fake": {...}}` on a call scripts the
        answer.
        """
        return cls(**_options("echo", locals()))


def _options(provider: str, arguments: dict[str, Any]) -> dict[str, Any]:
    del arguments["cls"]
    return {"provider": provider, **arguments}
