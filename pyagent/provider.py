"""Provider: a model at a vendor, and how to reach it."""

from __future__ import annotations

import os

from . import _checks, _opening, _request
from ._async_map_methods import AsyncMapMethods
from ._async_operation_methods import AsyncOperationMethods
from ._async_response_methods import AsyncResponseMethods
from ._async_text_methods import AsyncTextMethods
from ._async_tool_methods import AsyncToolMethods
from ._environment import network_variables, without_secrets
from ._map_methods import MapMethods
from ._operation_methods import OperationMethods
from ._presets import Presets
from ._registry import Row, find_row
from ._response_methods import ResponseMethods
from ._text_methods import TextMethods
from ._tool_methods import ToolMethods
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import Any

    from ._call import Call, Client
    from ._inbox import AsyncCall, Inbox
    from .models import Capabilities
    from .options import Limits, Timeouts

__all__ = ["Provider"]


class Provider(
    Presets,
    TextMethods,
    ResponseMethods,
    MapMethods,
    OperationMethods,
    ToolMethods,
    AsyncTextMethods,
    AsyncResponseMethods,
    AsyncMapMethods,
    AsyncOperationMethods,
    AsyncToolMethods,
):
    """A model at a vendor, and how to reach it. Make one and keep it: it reuses its connections.

    One Provider serves any number of threads and event loops. It holds configuration only, so it can be pickled and
    used after `os.fork()`.

    Args:
        model: The model's name at the vendor, for example "openai/gpt-4o-mini".
        api_key: The key. Default: the vendor's environment variable, such as OPENROUTER_API_KEY.
        base_url: The address up to and without /chat/completions. Default: the vendor's environment variable, such as
            OPENAI_BASE_URL, then the vendor's own address.
        provider: A vendor's name, "openrouter" by default, of the list in docs/providers.md; or your own endpoint as a
            dict with the keys of docs/new-provider.md. `Provider.from_string` takes vendor and model as one text.
        timeout: Seconds to wait for the next thing: the whole answer of a one-shot call; of a stream the first piece,
            and each pause. Default: PYAGENT_REQUEST_TIMEOUT_SECS, then the clocks of `Timeouts`.
        timeouts: The four clocks one by one, instead of timeout. PYAGENT_CONNECT_TIMEOUT_SECS is the default for
            connect.
        limits: What an answer may weigh, and how many redirects it may take.
        max_retries: Attempts after the first. Default: PYAGENT_MAX_RETRIES, then 2.
        retry_backoff: Seconds before the first retry, doubled each time. Default: PYAGENT_RETRY_BACKOFF_MS, then 0.25.
        extra_headers: Sent with every request. Authorization or api-key among them is as good as a key.
        proxy: URL of a proxy, or "" for none. Default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
        ca_file: Certificates (PEM) to trust in addition to the system's.
        client_cert: The files of a client certificate and of its key.
        http2: Use HTTP/2 where the vendor offers it.
        max_connections: The most connections to one host at once. Default: no limit.
        allow_http: Let a key go to a public address whose base_url begins with http://, readable on its way.
        post_quantum: Offer key exchange that withstands quantum computers. Without it a TLS handshake is small enough
            for network equipment that reads only its first packet; such hosts are found and remembered by themselves.
        api_version: For Azure, the version of its interface.
        deployment: For Azure, the name of the deployment.

    Raises:
        ConfigurationError: There is no key or no address, or an option or environment variable is wrong. A ValueError.
    """

    __slots__ = ("_model", "_base_url", "_config", "_proxy", "_client", "__weakref__")

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        provider: str | dict[str, Any] | None = None,
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
    ) -> None:
        provider = "openrouter" if provider is None else provider
        row = Row.from_dict(provider) if isinstance(provider, dict) else find_row(provider)
        self._model: str = _checks.string("model", model)
        self._base_url = _find_base_url(provider, row, base_url)
        self._proxy = _optional(_checks.line, "proxy", proxy)
        headers = _optional(_checks.headers, "extra_headers", extra_headers)
        config = {
            "provider": provider,
            "base_url": self._base_url,
            "api_key": _find_key(row, api_key, headers),
            "extra_headers": headers,
            "timeouts": _find_clocks(timeout, timeouts),
            "limits": _request.bounds(limits),
            "max_retries": _checks.count("max_retries", max_retries),
            "retry_backoff": _checks.seconds("retry_backoff", retry_backoff),
            "network": {
                **_network(self._proxy, ca_file, client_cert, max_connections),
                **_switches(http2=http2, allow_http=allow_http, post_quantum=post_quantum),
            },
            "azure": _azure(row, api_version, deployment),
        }
        if max_retries is None:
            config["max_retries"] = _read_number("PYAGENT_MAX_RETRIES", "non-negative")
        if retry_backoff is None:
            milliseconds = _read_number("PYAGENT_RETRY_BACKOFF_MS", "positive")
            config["retry_backoff"] = None if milliseconds is None else milliseconds / 1000
        self._configure({name: value for name, value in config.items() if value not in (None, {}, "")})

    @property
    def capabilities(self) -> Capabilities:
        """What is known of the model without asking anybody: what it has and lacks, and how long a prompt may be."""
        from ._capabilities import find_capabilities

        vendor = self._config["provider"]
        return find_capabilities(vendor if isinstance(vendor, str) else vendor.get("name", ""), self._model)

    def _configure(self, config: dict[str, Any]) -> None:
        self._config = config
        self._client: Client | None = None

    def _start(self, op: str, arguments: dict[str, Any]) -> Call:
        """Submits a request made of a method's local variables."""
        request = _request.encode(op, self._model, arguments)
        return self._connect().start(request)

    def _astart(self, op: str, arguments: dict[str, Any]) -> AsyncCall:
        """The twin of `_start` for coroutines: the answer arrives at the inbox of the running event loop."""
        request = _request.encode(op, self._model, arguments, _request.WINDOW if op == "stream" else 0)
        client = self._connect()
        return (_current_inbox or _find_current_inbox())(client).start(client, request)

    def _connect(self) -> Client:
        client = self._client
        return self._open() if client is None or not client.runtime.alive else client

    def _open(self) -> Client:
        """Opens the client in the core: on first use, and again in a process that was forked off."""
        with _opening.lock:
            from ._call import Client  # loads ctypes, which constructing a Provider must not

            client = self._client
            if client is None or not client.runtime.alive:
                client = Client.open(_request.dump(self._with_environment()))
                self._client = client
            return client

    def _with_environment(self) -> dict[str, Any]:
        seen = network_variables(proxies=self._proxy != "")
        return {**self._config, "network": {**self._config.get("network", {}), "environment": seen}}

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self._model, "base_url": self._base_url, "proxy": self._proxy, "config": self._config}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._model, self._base_url, self._proxy = state["model"], state["base_url"], state["proxy"]
        self._configure(state["config"])

    def __repr__(self) -> str:
        return f"Provider(model={self._model!r}, base_url={without_secrets(self._base_url)!r})"


# pyagent._aio.current_inbox, once it was needed: it imports asyncio, which nobody pays for who does not use it.
_current_inbox: Callable[[Client], Inbox] | None = None


_KEY_HEADERS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key"})


def _find_current_inbox() -> Callable[[Client], Inbox]:
    global _current_inbox  # noqa: PLW0603  # it is one module for all
    with _opening.lock:
        from ._aio import current_inbox

        _current_inbox = current_inbox
        return current_inbox


def _find_base_url(provider: str | dict[str, Any], row: Row, given: str | None) -> str:
    url = given if given is not None else _read_base_url(row)
    if not _checks.line("base_url", url):
        name = provider if isinstance(provider, str) else provider.get("name", "of your own")
        hint = f" or set {row.base_url_env[0]}" if row.base_url_env else ""
        hint += ", or GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION" if name == "vertex" else ""
        raise ConfigurationError(
            f"The provider {name} has no address of its own; give base_url{hint}.", param="base_url"
        )
    return url.rstrip("/")


def _read_base_url(row: Row) -> str:
    found = _read_first(row.base_url_env)
    if found and "OLLAMA_HOST" in row.base_url_env:  # which need not be a URL
        from ._ollama_host import server_url

        return server_url(found, row.base_url)
    if not found and "VERTEX_BASE_URL" in row.base_url_env:
        from . import _vertex

        return _vertex.server_url()
    return found or row.base_url


def _find_key(row: Row, given: str | None, headers: dict[str, str] | None) -> str | None:
    if given is not None:
        return _checks.line("api_key", given)  # type: ignore[no-any-return]
    key = _read_first(row.key_env)
    token = _read_first(row.token_env)
    if key is None and token is not None:
        key = f"Bearer {token}"  # which tells the core how to send it
    in_headers = any(name.lower() in _KEY_HEADERS for name in headers or ())
    if key is None and row.key_env and not row.key_optional and not in_headers:
        raise ConfigurationError(
            f"No api_key provided and {' or '.join(row.key_env)} environment variable is not set.", param="api_key"
        )
    return _optional(_checks.line, "api_key", key)  # type: ignore[no-any-return]


def _find_clocks(timeout: float | None, timeouts: Timeouts | None) -> dict[str, Any]:
    clocks = _request.clocks(timeout, timeouts)
    request = _read_number("PYAGENT_REQUEST_TIMEOUT_SECS", "positive")
    connect = _read_number("PYAGENT_CONNECT_TIMEOUT_SECS", "positive")
    if request is not None and timeout is None and timeouts is None:
        clocks["request"] = request
    if connect is not None:
        clocks.setdefault("connect", connect)
    return clocks


def _network(
    proxy: str | None,
    ca_file: str | PathLike[str] | None,
    client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None,
    max_connections: int | None,
) -> dict[str, Any]:
    if client_cert is not None and (not isinstance(client_cert, (tuple, list)) or len(client_cert) != 2):
        raise _checks.wrong("client_cert", "a pair of file names, (certificate, key)", client_cert)
    network = {
        "proxy": proxy,
        "ca_file": None if ca_file is None else os.fspath(ca_file),
        "client_cert": None if client_cert is None else [os.fspath(name) for name in client_cert],
        "max_connections": _checks.count("max_connections", max_connections),
    }
    return {name: value for name, value in network.items() if value}


def _switches(**switches: bool) -> dict[str, bool]:
    """The switches that differ from what the core does by itself."""
    asked = {name: _checks.flag(name, value) for name, value in switches.items()}
    return {name: value for name, value in asked.items() if value != (name == "post_quantum")}


def _azure(row: Row, api_version: str | None, deployment: str | None) -> dict[str, Any]:
    azure = {
        "api_version": _optional(_checks.string, "api_version", api_version) or _read_first(row.api_version_env),
        "deployment": _optional(_checks.string, "deployment", deployment) or _read_first(row.deployment_env),
    }
    return {name: value for name, value in azure.items() if value}


def _optional(check: Any, name: str, value: Any) -> Any:
    return None if value is None else check(name, value)


def _read_first(names: tuple[str, ...]) -> str | None:
    """The first of these environment variables that is set and not empty."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _read_number(name: str, sign: str) -> int | None:
    """A whole number from the environment; `sign` is "positive" or "non-negative"."""
    raw = os.environ.get(name)
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit()):
        raise ConfigurationError(f"{name} must be a {sign} integer, got '{raw}'.", param=name)
    if int(raw) == 0 and sign == "positive":
        raise ConfigurationError(f"{name} must be greater than zero.", param=name)
    return int(raw)
