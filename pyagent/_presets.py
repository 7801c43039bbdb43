"""Provider's shorter constructors: one for each vendor that users name most, all with the same options, and one that
takes vendor and model as one text."""

from __future__ import annotations

from ._registry import split_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any, Generic, TypeVar

    from ._vendor_options import Options
    from .hooks import Hooks
    from .options import Budget, Limits, Throttle, Timeouts

    Made = TypeVar("Made", bound="Presets")
else:

    class Generic:
        """Does nothing: typing has the real one, and importing typing is slow."""

        __class_getitem__ = classmethod(lambda cls, _: cls)

    Made = None


class Constructor(Generic[Made]):
    """A constructor of Provider for one vendor. `Provider.openai` is one."""

    def __init__(self, kind: type[Made], name: str, vendor: str, doc: str | None) -> None:
        self._kind, self._vendor = kind, vendor
        self.__name__, self.__qualname__, self.__doc__ = name, f"{kind.__name__}.{name}", doc

    def __call__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        extra_api_keys: list[str] | None = None,
        base_url: str | None = None,
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
    ) -> Made:
        """Makes a Provider. The options are those of Provider itself."""
        arguments = locals()
        del arguments["self"]
        return self._kind(provider=self._vendor, **arguments)

    def __repr__(self) -> str:
        return f"<constructor {self.__qualname__} for the vendor {self._vendor}>"


class Preset:
    """The entry of a vendor in the class below. Reading it gives the constructor of the class it was read from."""

    def __init__(self, vendor: str, doc: str) -> None:
        self.vendor, self.__doc__ = vendor, doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type[Made]) -> Constructor[Made]:
        return Constructor(owner, self._name, self.vendor, self.__doc__)


class Presets:
    """Constructors by vendor, and from_string. Every other vendor is `provider="name"`, see docs/providers.md."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, model: str, **options: Any) -> None: ...

    openai = Preset("openai", "OpenAI's chat completions, with the key in OPENAI_API_KEY unless given.")
    anthropic = Preset(
        "anthropic", "Anthropic, with the key in ANTHROPIC_API_KEY or a token in ANTHROPIC_AUTH_TOKEN unless given."
    )
    gemini = Preset("gemini", "Google's Gemini, with the key in GEMINI_API_KEY or GOOGLE_API_KEY unless given.")
    mistral = Preset("mistral", "Mistral, with the key in MISTRAL_API_KEY unless given.")
    deepseek = Preset("deepseek", "DeepSeek, with the key in DEEPSEEK_API_KEY unless given.")
    xai = Preset("xai", "xAI's Grok, with the key in XAI_API_KEY unless given.")
    groq = Preset("groq", "Groq, with the key in GROQ_API_KEY unless given.")
    volcengine = Preset("volcengine", "Volcengine Ark (Doubao), with the key in ARK_API_KEY unless given.")
    zai = Preset("zai", "Z.ai (GLM), with the key in ZAI_API_KEY unless given.")
    openrouter = Preset("openrouter", "OpenRouter, with the key in OPENROUTER_API_KEY; the same as the constructor.")
    together = Preset("together", "Together, with the key in TOGETHER_API_KEY unless given.")
    fireworks = Preset("fireworks", "Fireworks, with the key in FIREWORKS_API_KEY unless given.")
    puter = Preset("puter", "Puter, with the token of an account in PUTER_AUTH_TOKEN unless given.")
    ollama = Preset("ollama", "Ollama, by default on this machine; OLLAMA_HOST or base_url say where else.")
    compatible = Preset(
        "compatible",
        "Any server that speaks OpenAI's chat protocol, with or without a key. base_url is its address up to and "
        "without /chat/completions; OPENAI_COMPATIBLE_BASE_URL unless given.",
    )

    @classmethod
    def azure(
        cls: type[Made],
        model: str,
        *,
        api_key: str | None = None,
        extra_api_keys: list[str] | None = None,
        base_url: str | None = None,
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
    ) -> Made:
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
    def echo(
        cls: type[Made],
        model: str = "echo",
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
    ) -> Made:
        """The scripted model inside pyagent, which repeats what it is told: no key, no network, the same path.

        For trying pyagent out and for tests of programs that use it. `extra_body={"fake": {...}}` on a call scripts the
        answer.
        """
        return cls(**_options("echo", locals()))

    @classmethod
    def from_string(
        cls: type[Made],
        name: str,
        *,
        api_key: str | None = None,
        extra_api_keys: list[str] | None = None,
        base_url: str | None = None,
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
    ) -> Made:
        """A Provider by one text "vendor:model", such as a setting would hold: "anthropic:claude-haiku-4-5".

        Args:
            name: The vendor up to the first colon, as in docs/providers.md, and the model behind it.

        Raises:
            ConfigurationError: There is no colon, or no such vendor. A ValueError.
        """
        vendor, model = split_name(name)
        arguments = _options(vendor, locals())
        for own in ("name", "vendor"):
            del arguments[own]
        return cls(**arguments)


def _options(provider: str, arguments: dict[str, Any]) -> dict[str, Any]:
    del arguments["cls"]
    return {"provider": provider, **arguments}
