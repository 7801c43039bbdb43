"""edgequake's discovery: models by name and by what they can do, from vendors' lists or from what is known offline."""

from __future__ import annotations

from pyagent.models import Capabilities, ModelInfo, known_models

from . import _names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "DiscoveredModel",
    "ModelSearchMatch",
    "adiscover_all",
    "afind_models",
    "aget_model",
    "asearch_models",
    "discover_all",
    "discover_provider",
    "discovery_info",
    "find_models",
    "find_static_models",
    "get_model",
    "get_model_info",
    "list_discovery_providers",
    "lookup_model_by_name",
    "search_models",
    "search_static_models_by_name",
]


class DiscoveredModel:
    """A model, with what is known of it; 0 and False where nothing is.

    Attributes:
        id, name, provider: What to call it.
        context_length, max_output_tokens: In tokens.
        supports_vision, supports_tools, supports_thinking, supports_streaming, supports_json_mode: What it can do.
        source: "static_registry", or "api" for a vendor's own list.
        available: Whether it can be asked with the keys of the environment.
        cost_per_m_input, cost_per_m_output: US dollars for a million tokens.
        model_type: "llm" or "embedding".
        tags: Words for what it is good for.
        deprecated: Whether the vendor is about to take it away.
    """

    __slots__ = (
        "id", "name", "provider", "context_length", "max_output_tokens", "supports_vision", "supports_tools",
        "supports_thinking", "supports_streaming", "supports_json_mode", "source", "available", "cost_per_m_input",
        "cost_per_m_output", "model_type", "tags", "deprecated",
    )  # fmt: skip

    def __init__(self, known: Capabilities, vendor: _names.Vendor, listed: ModelInfo | None = None) -> None:
        from ._money import find_price

        def has(feature: str) -> bool:
            return getattr(known, feature) is True or (listed is not None and feature in listed.capabilities)

        price = find_price(vendor, known.model)
        self.id = known.model
        self.name = (listed.name if listed else None) or known.model
        self.provider = vendor.name
        self.context_length = (listed.context_tokens if listed else None) or known.context_tokens or 0
        self.max_output_tokens = (listed.output_tokens if listed else None) or known.output_tokens or 0
        self.supports_vision = has("images")
        self.supports_tools = has("tools")
        self.supports_thinking = has("reasoning")
        self.supports_streaming = not (has("embeddings") and not has("chat"))
        self.supports_json_mode = has("structured_output")
        self.source = "static_registry" if listed is None else "api"
        self.available = vendor.keyless or bool(_names.read_first(vendor.key_env))
        self.cost_per_m_input = price.input if price else None
        self.cost_per_m_output = price.output if price else None
        self.model_type = "llm" if self.supports_streaming else "embedding"
        self.tags: list[str] = []
        self.deprecated = bool(listed and listed.deprecated)

    def to_dict(self) -> dict[str, Any]:
        """Everything as a dict."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __repr__(self) -> str:
        return f"DiscoveredModel(id={self.id!r}, provider={self.provider!r}, ctx={self.context_length})"


class ModelSearchMatch:
    """A model that was searched for: how well it fits, 0 to 1, and why ("exact_id", "prefix", "contains", "fuzzy")."""

    __slots__ = ("model", "score", "match_kind")

    def __init__(self, model: DiscoveredModel, score: float, match_kind: str) -> None:
        self.model = model
        self.score = score
        self.match_kind = match_kind

    def __repr__(self) -> str:
        return f"ModelSearchMatch(id={self.model.id!r}, score={self.score:.2f}, kind={self.match_kind!r})"


def list_discovery_providers() -> list[str]:
    """The vendors that models are known of."""
    return list(dict.fromkeys(model.provider for model in find_static_models()))


def discovery_info() -> list[dict[str, str]]:
    """For each vendor whether its models come from its own list ("dynamic"), from what is known offline ("static"), or
    from both ("hybrid")."""
    offline = set(list_discovery_providers())
    return [
        {"provider_id": name, "strategy": "hybrid" if name in offline else "dynamic"}
        for name, vendor in _names.VENDORS.items()
        if vendor.vendor not in {None, "vertex", "compatible"}
    ]


def find_static_models(**filters: Any) -> list[DiscoveredModel]:
    """The models that something is known of offline, of those that pass all filters; see `find_models`."""
    by_vendor = {vendor.vendor: vendor for vendor in _names.VENDORS.values()}
    found = [
        DiscoveredModel(known, by_vendor[known.provider]) for known in known_models() if known.provider in by_vendor
    ]
    return _filter(found, filters)


def discover_provider(provider_id: str) -> list[DiscoveredModel]:
    """The models of a vendor's own list; what is known offline where it cannot be asked.

    Raises:
        ValueError: There is no such provider.
    """
    from ._live import list_live

    return list_live(_vendor(provider_id))


def discover_all() -> list[DiscoveredModel]:
    """The models of every vendor: of the own list of those that the environment has a key for, and of what is known
    offline for the others."""
    from ._live import list_everything

    return list_everything()


def find_models(**filters: Any) -> list[DiscoveredModel]:
    """The models of `discover_all` that pass all filters.

    Args:
        filters: min_context_length, max_context_length, min_output_tokens, max_output_tokens in tokens;
            requires_vision, requires_tools, requires_thinking, requires_streaming, requires_json_mode; provider; tags;
            max_cost_per_m_input in US dollars; exclude_deprecated.

    Raises:
        TypeError: There is no such filter.
    """
    _check_filters(filters)
    return _filter(discover_all(), filters)


def get_model(provider: str, model_id: str) -> DiscoveredModel | None:
    """What is known offline of a vendor's model, by its whole id; None for nothing."""
    vendor = _names.find_vendor(provider)
    if vendor is None or vendor.vendor is None:
        return None
    from pyagent.provider import Provider

    asked = Provider(model_id, provider=vendor.vendor, base_url="http://localhost", api_key="none").capabilities
    return None if asked.source is None else DiscoveredModel(asked, vendor)


def get_model_info(model: str) -> dict[str, Any] | None:
    """`get_model` of a model string, as a dict; without a provider OpenAI is meant."""
    provider, slash, name = model.partition("/")
    found = get_model(provider, name) if slash else get_model("openai", model)
    return None if found is None else found.to_dict()


def lookup_model_by_name(provider: str, name_or_id: str) -> DiscoveredModel | None:
    """What is known offline of a vendor's model, by its id in any spelling: "GPT 4.1" is "gpt-4.1"."""
    wanted = _plain(name_or_id)
    vendor = _names.find_vendor(provider)
    for model in find_static_models():
        if vendor is not None and model.provider == vendor.name and wanted in {_plain(model.id), _plain(model.name)}:
            return model
    return None


def search_static_models_by_name(
    query: str,
    *,
    provider: str | None = None,
    fuzzy: bool = False,
    min_score: float | None = None,
    limit: int | None = None,
    **filters: Any,
) -> list[ModelSearchMatch]:
    """Searches what is known offline, best matches first.

    Args:
        query: A part of a name.
        provider: Only this vendor's models.
        fuzzy: Forgive mistakes in spelling.
        min_score: Only matches as good as this, 0 to 1.
        limit: At most so many.
        filters: Those of `find_models`.
    """
    found = find_static_models(**filters, **({} if provider is None else {"provider": provider}))
    return _search(found, query, fuzzy, min_score, limit)


def search_models(
    query: str,
    *,
    provider: str | None = None,
    fuzzy: bool = False,
    min_score: float | None = None,
    limit: int | None = None,
    **filters: Any,
) -> list[ModelSearchMatch]:
    """Searches the models of `discover_all`; the arguments are those of `search_static_models_by_name`."""
    found = find_models(**filters, **({} if provider is None else {"provider": provider}))
    return _search(found, query, fuzzy, min_score, limit)


async def adiscover_all() -> list[DiscoveredModel]:
    """The twin of `discover_all` for coroutines."""
    from ._live import alist_everything

    return await alist_everything()


async def afind_models(**filters: Any) -> list[DiscoveredModel]:
    """The twin of `find_models` for coroutines."""
    _check_filters(filters)
    return _filter(await adiscover_all(), filters)


async def aget_model(provider: str, model_id: str) -> DiscoveredModel | None:
    """The twin of `get_model` for coroutines."""
    return get_model(provider, model_id)


async def asearch_models(
    query: str,
    *,
    provider: str | None = None,
    fuzzy: bool = False,
    min_score: float | None = None,
    limit: int | None = None,
    **filters: Any,
) -> list[ModelSearchMatch]:
    """The twin of `search_models` for coroutines."""
    found = await afind_models(**filters, **({} if provider is None else {"provider": provider}))
    return _search(found, query, fuzzy, min_score, limit)


def _vendor(name: str) -> _names.Vendor:
    vendor = _names.find_vendor(name)
    if vendor is None:
        raise ValueError(f"Unknown provider: {name}")
    return vendor


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


_NEEDS = {
    "requires_vision": "supports_vision",
    "requires_tools": "supports_tools",
    "requires_thinking": "supports_thinking",
    "requires_streaming": "supports_streaming",
    "requires_json_mode": "supports_json_mode",
}
_BOUNDS: dict[str, Callable[[DiscoveredModel, Any], bool]] = {
    "min_context_length": lambda model, bound: model.context_length >= bound,
    "max_context_length": lambda model, bound: model.context_length <= bound,
    "min_output_tokens": lambda model, bound: model.max_output_tokens >= bound,
    "max_output_tokens": lambda model, bound: model.max_output_tokens <= bound,
    "max_cost_per_m_input": lambda model, bound: model.cost_per_m_input is not None and model.cost_per_m_input <= bound,
    "provider": lambda model, bound: (_names.find_vendor(bound) or _vendor(bound)).name == model.provider,
    "tags": lambda model, bound: set(bound) <= set(model.tags),
    "exclude_deprecated": lambda model, bound: not (bound and model.deprecated),
}


def _check_filters(filters: dict[str, Any]) -> None:
    unknown = [name for name in filters if name not in _NEEDS and name not in _BOUNDS]
    if unknown:
        known = ", ".join([*_NEEDS, *_BOUNDS])
        raise TypeError(f"There is no filter {', '.join(unknown)}; there are {known}.")


def _filter(models: list[DiscoveredModel], filters: dict[str, Any]) -> list[DiscoveredModel]:
    _check_filters(filters)
    given = {name: value for name, value in filters.items() if value is not None}
    needed = [_NEEDS[name] for name, value in given.items() if value is True and name in _NEEDS]
    tests = [(_BOUNDS[name], value) for name, value in given.items() if name in _BOUNDS]
    return [
        model
        for model in models
        if all(getattr(model, name) for name in needed) and all(test(model, value) for test, value in tests)
    ]


def _search(
    models: list[DiscoveredModel], query: str, fuzzy: bool, min_score: float | None, limit: int | None
) -> list[ModelSearchMatch]:
    matches = [
        match for match in (_match(model, query.lower().strip(), fuzzy) for model in models) if match is not None
    ]
    matches = [match for match in matches if match.score >= (min_score or 0.0)]
    matches.sort(key=lambda match: (-match.score, match.model.id))
    return matches if limit is None else matches[:limit]


def _match(model: DiscoveredModel, query: str, fuzzy: bool) -> ModelSearchMatch | None:
    identity = model.id.lower()
    if query == identity:
        return ModelSearchMatch(model, 1.0, "exact_id")
    if _plain(query) == _plain(identity):
        return ModelSearchMatch(model, 0.98, "exact_name")
    if identity.startswith(query):
        return ModelSearchMatch(model, 0.92, "prefix")
    if query in identity:
        return ModelSearchMatch(model, 0.85, "contains")
    if not fuzzy:
        return None
    from difflib import SequenceMatcher

    # A query is rarely as long as an id: its best match is with the id's beginning of about its own length.
    heads = {identity, identity[: len(query)], identity[: len(query) + 1]}
    score = max(SequenceMatcher(None, _plain(query), _plain(head)).ratio() for head in heads)
    return ModelSearchMatch(model, round(score, 4), "fuzzy") if score >= 0.7 else None
