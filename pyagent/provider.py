"""Provider: a model at a vendor, and how to reach it."""

from __future__ import annotations

from . import _checks, _hooking, _opening, _request, _settings
from ._address import find_base_url
from ._async_map_methods import AsyncMapMethods
from ._async_object_methods import AsyncObjectMethods
from ._async_operation_methods import AsyncOperationMethods
from ._async_response_methods import AsyncResponseMethods
from ._async_text_methods import AsyncTextMethods
from ._async_tool_methods import AsyncToolMethods
from ._environment import network_variables, without_secrets
from ._keys import find_keys
from ._map_methods import MapMethods
from ._object_methods import ObjectMethods
from ._operation_methods import OperationMethods
from ._presets import Presets
from ._registry import Row, find_row
from ._response_methods import ResponseMethods
from ._text_methods import TextMethods
from ._tool_methods import ToolMethods
from ._vendor_options import check_options, lay_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import Any

    from ._call import Call, Client
    from ._inbox import AsyncCall, Inbox
    from ._map import Schedule
    from ._vendor_options import Options
    from .costs import Costs, Price
    from .hooks import Hooks
    from .models import Capabilities
    from .options import Budget, Limits, Throttle, Timeouts
    from .rate_limits import RateLimits

__all__ = ["Provider"]


class _Link:
    """The open client of a Provider and of those that `with_model` made of it; the first to need it opens it."""

    __slots__ = ("client",)

    def __init__(self) -> None:
        self.client: Client | None = None


class Provider(
    Presets,
    TextMethods,
    ResponseMethods,
    MapMethods,
    OperationMethods,
    ObjectMethods,
    ToolMethods,
    AsyncTextMethods,
    AsyncResponseMethods,
    AsyncMapMethods,
    AsyncOperationMethods,
    AsyncObjectMethods,
    AsyncToolMethods,
):
    """A model at a vendor, and how to reach it. Make one and keep it: it reuses its connections.

    One Provider serves any number of threads and event loops. It holds configuration only, so it can be pickled and
    used after `os.fork()`.

    Args:
        model: The model's name at the vendor, for example "openai/gpt-4o-mini".
        api_key: The key. Default: the vendor's environment variable, such as OPENROUTER_API_KEY.
        extra_api_keys: More keys of the same vendor. When it rejects the key in use, or that key's limit is used up,
            the retry takes the next one, and so do later calls until that limit is over.
        base_url: The address up to and without /chat/completions. Default: the vendor's environment variable, such as
            OPENAI_BASE_URL, then the vendor's own address.
        provider: A vendor's name, "openrouter" by default, of the list in docs/providers.md; or your own endpoint as a
            dict with the keys of docs/new-provider.md. `Provider.from_string` takes vendor and model as one text.
        timeout: Seconds to wait for the next thing: the whole answer of a one-shot call; of a stream the first piece,
            and each pause. Default: PYAGENT_REQUEST_TIMEOUT_SECS, then the clocks of `Timeouts`.
        timeouts: The four clocks one by one, instead of timeout. PYAGENT_CONNECT_TIMEOUT_SECS is the default for
            connect.
        limits: What an answer may weigh, and how many redirects it may take.
        options: What only this vendor knows, such as AnthropicOptions(...), for every call that does not say otherwise.
        max_retries: Attempts after the first. Default: PYAGENT_MAX_RETRIES, then 2.
        retry_backoff: Seconds before the first retry, doubled each time. Default: PYAGENT_RETRY_BACKOFF_MS, then 0.25.
        retry_factor: What the pause grows by instead of doubling, 1 or more.
        throttle: How much to ask of the vendor; requests wait for their turn.
        budget: How much may be spent; a request that may cost more is refused.
        prices: What models cost, where that is not known or otherwise: a dict or `costs.Price` for each model.
        tag: Whom or what the cost is counted for, where a call does not say.
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
        hooks: What runs around every request, see docs/hooks.md.

    Raises:
        ConfigurationError: There is no key or no address, or an option or environment variable is wrong. A ValueError.
    """

    __slots__ = ("_model", "_base_url", "_config", "_proxy", "_options", "_hooks", "_link", "__weakref__")

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        extra_api_keys: list[str] | None = None,
        provider: str | dict[str, Any] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        options: Options | None = None,
        max_retries: int | None = None,
        retry_backoff: float | None = None,
        retry_factor: float | None = None,
        throttle: Throttle | None = None,
        budget: Budget | None = None,
        prices: dict[str, Any] | None = None,
        tag: str | None = None,
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
        hooks: Hooks | None = None,
    ) -> None:
        provider = "openrouter" if provider is None else provider
        row = Row.from_dict(provider) if isinstance(provider, dict) else find_row(provider)
        self._model: str = _checks.string("model", model)
        self._base_url = find_base_url(provider, row, base_url)
        self._proxy = _checks.optional(_checks.line, "proxy", proxy)
        headers = _checks.optional(_checks.headers, "extra_headers", extra_headers)
        config = {
            "provider": provider,
            "base_url": self._base_url,
            **find_keys(row, api_key, extra_api_keys, headers),
            "extra_headers": headers,
            "timeouts": _settings.find_clocks(timeout, timeouts),
            "limits": _request.bounds(limits),
            **_settings.find_retries(max_retries, retry_backoff, retry_factor),
            "throttle": _request.rates(throttle),
            "budget": _request.caps(budget),
            "prices": _request.prices(prices),
            "tag": _checks.optional(_checks.string, "tag", tag),
            "network": {
                **_settings.network(self._proxy, ca_file, client_cert, max_connections),
                **_settings.switches(http2=http2, allow_http=allow_http, post_quantum=post_quantum),
            },
            "azure": _settings.azure(row, api_version, deployment),
        }
        self._hooks = _hooking.check_hooks(hooks)
        self._configure({name: value for name, value in config.items() if value not in (None, {}, [], "")})
        self._options = check_options(options, *self._vendor())

    @property
    def model(self) -> str:
        """The model's name at the vendor."""
        return self._model

    @property
    def vendor(self) -> str:
        """The vendor's name, as `provider=` took it."""
        return self._vendor()[0]

    def with_model(self, model: str) -> Provider:
        """The same Provider for another model. Both share their connections, and what is known of keys and rate limits.

        Raises:
            ConfigurationError: The model is not a string. A ValueError.
        """
        made = object.__new__(type(self))
        made.__setstate__({**self.__getstate__(), "model": _checks.string("model", model)})
        made._link = self._link
        return made

    @property
    def rate_limits(self) -> RateLimits:
        """What the vendor said last of its rate limits, with any answer or error; false as long as it said nothing."""
        from .rate_limits import RateLimits

        client = self._link.client
        if client is None or not client.runtime.alive:
            return RateLimits()
        seen = client.runtime.inspect(client.number).get("client", {}).get("rate_limits", {})
        return RateLimits.from_headers(seen.get("headers", {}), seconds_ago=seen.get("seconds_ago", 0.0))

    @property
    def costs(self) -> Costs:
        """What the requests of this Provider have cost so far, and of those that `with_model` made of it."""
        from .costs import Costs

        client = self._link.client
        if client is None or not client.runtime.alive:
            return Costs()
        return Costs._from_rows(client.runtime.inspect(client.number).get("client", {}).get("costs", ()))

    @property
    def price(self) -> Price | None:
        """What the model costs: by `prices`, or as its vendor's page said; None where nobody knows."""
        from .costs import _find_price

        return _find_price(self._config.get("prices", {}), self._vendor()[0], self._model)

    @property
    def capabilities(self) -> Capabilities:
        """What is known of the model without asking anybody: what it has and lacks, and how long a prompt may be."""
        from ._capabilities import find_capabilities

        return find_capabilities(self._vendor()[0], self._model)

    def _configure(self, config: dict[str, Any]) -> None:
        self._config = config
        self._link = _Link()

    def _start(self, op: str, arguments: dict[str, Any]) -> Call:
        """Submits a request made of a method's local variables."""
        if self._hooks is not None or arguments.get("hooks") is not None:
            return _hooking.start(self, op, arguments)  # type: ignore[no-any-return]
        request = _request.encode(op, self._model, self._with_options(arguments))
        return self._connect().start(request)

    def _astart(self, op: str, arguments: dict[str, Any]) -> AsyncCall:
        """The twin of `_start` for coroutines: the answer arrives at the inbox of the running event loop."""
        if self._hooks is not None or arguments.get("hooks") is not None:
            return _hooking.astart(self, op, arguments)  # type: ignore[no-any-return]
        arguments = self._with_options(arguments)
        return self._submit(_request.encode(op, self._model, arguments, _request.WINDOW if op == "stream" else 0))

    def _plan(self, arguments: dict[str, Any]) -> Schedule:
        return _hooking.plan(self, arguments)

    def _aplan(self, arguments: dict[str, Any]) -> Schedule:
        return _hooking.aplan(self, arguments)

    def _submit(self, request: bytes) -> AsyncCall:
        client = self._connect()
        return (_current_inbox or _find_current_inbox())(client).start(client, request)

    def _with_options(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a method, with the options of single vendors as the core takes them."""
        if arguments.get("options") is None and not (self._options and "options" in arguments):
            return arguments
        call = check_options(arguments["options"], *self._vendor())
        return {**arguments, "options": lay_options(call, self._options)}

    def _vendor(self) -> tuple[str, str]:
        """The names of the vendor and of the protocol that it speaks."""
        vendor = self._config["provider"]
        if isinstance(vendor, str):
            return vendor, find_row(vendor).dialect
        return vendor.get("name", ""), vendor.get("dialect", "openai")

    def _connect(self) -> Client:
        client = self._link.client
        return self._open() if client is None or not client.runtime.alive else client

    def _open(self) -> Client:
        """Opens the client in the core: on first use, and again in a process that was forked off."""
        with _opening.lock:
            from ._call import Client  # loads ctypes, which constructing a Provider must not

            client = self._link.client
            if client is None or not client.runtime.alive:
                client = Client.open(_request.dump(self._with_environment()))
                if not client.has_failed():  # what was wrong may be right the next time: a file, descriptors
                    self._link.client = client
            return client

    @property
    def _client(self) -> Client | None:
        """The open client, if there is one already."""
        return self._link.client

    def _with_environment(self) -> dict[str, Any]:
        seen = network_variables(proxies=self._proxy != "")
        return {**self._config, "network": {**self._config.get("network", {}), "environment": seen}}

    def __getstate__(self) -> dict[str, Any]:
        return {
            "model": self._model,
            "base_url": self._base_url,
            "proxy": self._proxy,
            "hooks": self._hooks,
            "options": self._options,
            "config": self._config,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._model, self._base_url, self._proxy = state["model"], state["base_url"], state["proxy"]
        self._hooks = state["hooks"]
        self._options = state["options"]
        self._configure(state["config"])

    def __repr__(self) -> str:
        return f"Provider(model={self._model!r}, base_url={without_secrets(self._base_url)!r})"


# pyagent._aio.current_inbox, once it was needed: it imports asyncio, which nobody pays for who does not use it.
_current_inbox: Callable[[Client], Inbox] | None = None


def _find_current_inbox() -> Callable[[Client], Inbox]:
    global _current_inbox  # noqa: PLW0603  # it is one module for all
    with _opening.lock:
        from ._aio import current_inbox

        _current_inbox = current_inbox
        return current_inbox
