"""What is known of models: an entry of a vendor's own list, and what this package knows without asking."""

from __future__ import annotations

from ._value import Value
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .errors import PyAgentError

__all__ = ["Capabilities", "ModelInfo", "ModelLists", "known_models"]

# Every word for what a model can do. A test holds it equal to the core's list.
_FEATURES = (
    "chat",
    "embeddings",
    "tools",
    "structured_output",
    "reasoning",
    "images",
    "audio",
    "video",
    "files",
    "image_output",
    "audio_output",
    "video_output",
)


class ModelInfo(Value):
    """One model of a vendor's list; None where the vendor does not say. `str(model)` is its id.

    Attributes:
        id: What `Provider` takes as the model's name.
        name: The name for people.
        owner: Whose it is.
        created: Seconds since 1970 UTC.
        context_tokens: The longest prompt, with the answer where the vendor counts them together.
        output_tokens: The longest answer.
        capabilities: Words such as "tools" and "images", as in `Capabilities`; what is not there is not known.
        aliases: Other ids of the same model.
        input_price, output_price, cached_price: US dollars for each token.
        deprecated: Whether the vendor is about to take it away.
    """

    __slots__ = (
        "id",
        "name",
        "owner",
        "created",
        "context_tokens",
        "output_tokens",
        "capabilities",
        "aliases",
        "input_price",
        "output_price",
        "cached_price",
        "deprecated",
    )

    def __init__(
        self,
        id: str,
        *,
        name: str | None = None,
        owner: str | None = None,
        created: float | None = None,
        context_tokens: int | None = None,
        output_tokens: int | None = None,
        capabilities: list[str] | None = None,
        aliases: list[str] | None = None,
        input_price: float | None = None,
        output_price: float | None = None,
        cached_price: float | None = None,
        deprecated: bool = False,
    ) -> None:
        self.id = id
        self.name = name
        self.owner = owner
        self.created = created
        self.context_tokens = context_tokens
        self.output_tokens = output_tokens
        self.capabilities = capabilities or []
        self.aliases = aliases or []
        self.input_price = input_price
        self.output_price = output_price
        self.cached_price = cached_price
        self.deprecated = deprecated

    def __str__(self) -> str:
        return self.id

    def to_dict(self) -> dict[str, Any]:
        """Everything that is known, as plain dicts and lists that `json.dumps` takes."""
        return self._as_dict()


class Capabilities(Value):
    """What is known of a model without asking anybody. A feature is True, False, or None where nothing is known.

    What is False is refused before a request is sent, unless the call says allow_unsupported=True; what is None is left
    to the vendor.

    Attributes:
        provider, model: Whose and which.
        context_tokens: The longest prompt, with the answer where the vendor counts them together.
        output_tokens: The longest answer.
        chat, embeddings: Whether it answers, whether it embeds.
        tools, structured_output, reasoning: Whether it calls tools, keeps to a JSON schema, thinks.
        images, audio, video, files: What it takes besides text.
        image_output, audio_output, video_output: What it makes besides text.
        source, seen: The vendor's page that says so, and the month in which it was read.
    """

    __slots__ = ("provider", "model", "context_tokens", "output_tokens", *_FEATURES, "source", "seen")

    chat: bool | None
    embeddings: bool | None
    tools: bool | None
    structured_output: bool | None
    reasoning: bool | None
    images: bool | None
    audio: bool | None
    video: bool | None
    files: bool | None
    image_output: bool | None
    audio_output: bool | None
    video_output: bool | None

    def __init__(
        self,
        provider: str,
        model: str,
        *,
        has: list[str] | None = None,
        lacks: list[str] | None = None,
        context_tokens: int | None = None,
        output_tokens: int | None = None,
        source: str | None = None,
        seen: str | None = None,
    ) -> None:
        self.provider = provider
        self.model = model
        self.context_tokens = context_tokens
        self.output_tokens = output_tokens
        for feature in _FEATURES:
            known = True if feature in (has or ()) else False if feature in (lacks or ()) else None
            setattr(self, feature, known)
        self.source = source
        self.seen = seen

    def allows(self, feature: str) -> bool:
        """Whether the model may be asked for a feature: it is not known to lack it.

        Raises:
            ConfigurationError: There is no such word.
        """
        if feature not in _FEATURES:
            raise ConfigurationError(
                f"{feature!r} is no feature; it is one of {', '.join(_FEATURES)}.", param="feature"
            )
        return getattr(self, feature) is not False

    def to_dict(self) -> dict[str, Any]:
        """Everything that is known, as plain dicts and lists that `json.dumps` takes."""
        return self._as_dict()


class ModelLists(Value):
    """The lists of models of several vendors, and why some of them gave none.

    Attributes:
        models: The models by the name under which a Client has the vendor.
        errors: The exceptions of those vendors who could not say.
    """

    __slots__ = ("models", "errors")

    def __init__(
        self, models: dict[str, list[ModelInfo]] | None = None, errors: dict[str, PyAgentError] | None = None
    ) -> None:
        self.models = models or {}
        self.errors = errors or {}

    def __len__(self) -> int:
        return sum(len(models) for models in self.models.values())


def known_models() -> list[Capabilities]:
    """Every family of models that something is known of without asking, one entry for each vendor that has it.

    An entry's `model` is the family's name: a model of it has that name alone, or with a date or "latest" behind it.
    """
    from ._capabilities import known_families

    return known_families()
