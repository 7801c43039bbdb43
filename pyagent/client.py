"""Client: the vendors of a program by name, with what is the same for all of them. There is no global one."""

from __future__ import annotations

from ._address import read_base_url
from ._async_client_methods import AsyncClientMethods
from ._checks import string, wrong
from ._client_methods import ClientMethods
from ._environment import read_first
from ._registry import ROWS, find_row
from ._vendor_options import fitting_options
from .errors import ConfigurationError
from .provider import Provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from ._registry import Row
    from ._vendor_options import Options
    from .conversation import Conversation, Summariser
    from .hooks import Hooks
    from .options import Budget, Limits, Throttle, Timeouts
    from .session import SessionConfig

__all__ = ["Client"]

# The order of `any_from_env`; the others follow as docs/providers.md lists them.
_FIRST = ("openai", "anthropic", "gemini", "volcengine", "zai")


class Client(ClientMethods, AsyncClientMethods):
    """The vendors of a program by name. The options are those of Provider, for every vendor that the client adds.

        client = Client.from_env()
        provider = client.model("anthropic", "claude-haiku-4-5")

    Any number of threads and event loops may use one client; it can be pickled.

    Args:
        timeout: Seconds to wait for the next thing.
        timeouts: The four clocks one by one, instead of timeout.
        limits: What an answer may weigh.
        options: What only single vendors know: a list such as [AnthropicOptions(...), OpenAIOptions(...)], of which
            each vendor gets those that fit.
        max_retries: Attempts after the first.
        retry_backoff: Seconds before the first retry, doubled each time.
        retry_factor: What the pause grows by instead of doubling, 1 or more.
        throttle: How much to ask of each vendor; requests wait for their turn.
        budget: How much all of them together may cost.
        prices: What models cost, where that is not known or otherwise: a dict or Price for each model.
        tag: Whom or what the cost is counted for, where a call does not say.
        extra_headers: Sent with every request.
        proxy: URL of a proxy, or "" for none.
        ca_file: Certificates (PEM) to trust in addition to the system's.
        client_cert: The files of a client certificate and of its key.
        http2: Use HTTP/2 where the vendor offers it.
        max_connections: The most connections to one host at once.
        allow_http: Let a key go to a public address without encryption.
        post_quantum: Offer key exchange that withstands quantum computers.
        hooks: What runs around every request, see docs/hooks.md.

    Raises:
        ConfigurationError: An option is wrong; of most of them, when a vendor is added. A ValueError.
    """

    __slots__ = ("_providers", "_defaults", "_options")

    def __init__(
        self,
        *,
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
        hooks: Hooks | None = None,
    ) -> None:
        defaults = {name: value for name, value in locals().items() if name not in {"self", "options"}}
        self._defaults: dict[str, Any] = defaults
        self._options = fitting_options(options)
        self._providers: dict[str, Provider] = {}

    @classmethod
    def from_env(
        cls,
        *,
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
        hooks: Hooks | None = None,
    ) -> Client:
        """A client of every vendor whose key is in the environment, OpenAI first. The options are those of Client.

        A vendor without an address of its own (Azure, Vertex AI) is there if its address is in the environment too; a
        server that needs no key (Ollama, vLLM) if its address or its key is. Other protocols of the same vendors, such
        as "gemini-openai", are left to `add`.

        Raises:
            ConfigurationError: There is no key at all, or a variable or an option is wrong. A ValueError.
        """
        arguments = locals()
        del arguments["cls"]
        client = cls(**arguments)
        for vendor in _vendors_in_environment():
            client.add(vendor)
        if not client._providers:
            names = ", ".join(name for vendor in _FIRST for name in ROWS[vendor].key_env[:1])
            raise ConfigurationError(
                f"No vendor's key is in the environment; set one of {names}, or another one of docs/configuration.md.",
                param="api_key",
            )
        return client

    @classmethod
    def any_from_env(
        cls,
        *,
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
        hooks: Hooks | None = None,
    ) -> Provider:
        """The first vendor whose key is in the environment.

        First come OpenAI, Anthropic, Gemini, Volcengine and Z.ai, then all the others. The options are those of Client.
        The Provider has no model yet: its `vendor` says who it is, and `with_model` names one.

        Raises:
            ConfigurationError: There is no key at all, or a variable or an option is wrong. A ValueError.
        """
        arguments = locals()
        del arguments["cls"]
        client = cls.from_env(**arguments)
        return next(iter(client._providers.values()))

    def add(
        self,
        vendor: str,
        *,
        name: str | None = None,
        api_key: str | None = None,
        extra_api_keys: list[str] | None = None,
        base_url: str | None = None,
    ) -> Provider:
        """Adds a vendor with the client's options, in the place of one that has its name.

        Args:
            vendor: As `provider=` of Provider names it.
            name: What the client is to call it; default: the vendor's name.
            api_key: The key. Default: the vendor's environment variable.
            extra_api_keys: More keys of the same vendor, which take turns.
            base_url: The address. Default: the vendor's environment variable, then its own address.

        Returns:
            The Provider, which has no model yet.

        Raises:
            ConfigurationError: There is no such vendor, no key or no address, or an option is wrong. A ValueError.
        """
        row = find_row(vendor)
        provider = Provider(
            "",
            provider=vendor,
            api_key=api_key,
            extra_api_keys=extra_api_keys,
            base_url=base_url,
            options=fitting_options(self._options, vendor, row.dialect),
            **self._defaults,
        )
        self.register(vendor if name is None else name, provider)
        return provider

    def register(self, name: str, provider: Provider) -> None:
        """Takes in a Provider as it is, in the place of one that has this name.

        Raises:
            ConfigurationError: The name is no string or empty, or the other no Provider. A ValueError.
        """
        if not isinstance(provider, Provider):
            raise wrong("provider", "a Provider", provider)
        if not string("name", name):
            raise ConfigurationError("name is empty; give the name under which the client is to know it.", param="name")
        self._providers[name] = provider

    def get(self, name: str) -> Provider | None:
        """The Provider of this name, or None."""
        return self._providers.get(name)

    def provider(self, name: str) -> Provider:
        """The Provider of this name.

        Raises:
            ConfigurationError: There is none. A ValueError.
        """
        found = self._providers.get(name)
        if found is None:
            known = ", ".join(self._providers) or "none"
            raise ConfigurationError(
                f"The client has no vendor {name!r}; it has {known}. Add it with add({name!r}) or register().",
                param="name",
            )
        return found

    def model(self, name: str, model: str) -> Provider:
        """A vendor's model: the Provider of this name with `with_model`, so that all models share its connections.

        Raises:
            ConfigurationError: There is no Provider of this name. A ValueError.
        """
        return self.provider(name).with_model(model)

    def conversation(
        self,
        name: str,
        model: str,
        *,
        system: str | None = None,
        config: SessionConfig | None = None,
        summarise: Summariser | None = None,
        use_response_ids: bool = False,
    ) -> Conversation:
        """A conversation with a vendor's model. The options are those of Conversation.

        Raises:
            ConfigurationError: There is no Provider of this name, or an option is wrong. A ValueError.
        """
        from .conversation import Conversation

        return Conversation(
            self.model(name, model),
            system=system,
            config=config,
            summarise=summarise,
            use_response_ids=use_response_ids,
        )

    def has(self, name: str) -> bool:
        """Whether there is a Provider of this name."""
        return name in self._providers

    def remove(self, name: str) -> Provider | None:
        """Forgets a name, and returns the Provider that had it."""
        return self._providers.pop(name, None)

    def clear(self) -> None:
        """Forgets all of them."""
        self._providers.clear()

    def list_providers(self) -> list[str]:
        """The names, in the order in which they came."""
        return list(self._providers)

    def __repr__(self) -> str:
        return f"Client({', '.join(self._providers)})"


def _vendors_in_environment() -> list[str]:
    """The vendors whose key is in the environment, in the order of preference; one for each key."""
    found: dict[tuple[str, ...], str] = {}
    for vendor in dict.fromkeys((*_FIRST, *ROWS)):
        row = ROWS[vendor]
        if row.key_env not in found and _is_set(row):
            found[row.key_env] = vendor
    return list(found.values())


def _is_set(row: Row) -> bool:
    key = read_first((*row.key_env, *row.token_env)) or (row.key_optional and read_first(row.base_url_env))
    return bool(key and read_base_url(row))
