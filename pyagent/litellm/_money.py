"""Prices and costs in litellm's shape, over pyagent.costs."""

from __future__ import annotations

from pyagent import costs
from pyagent.response import Usage as _Usage

from . import _model_data, _names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What register_model was told: dollars for a token, by the model as litellm names it.
_registered: dict[str, dict[str, Any]] = {}


def register_model(model_cost: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Sets prices for models that have none, or others: a dict from a model's name to input_cost_per_token,
    output_cost_per_token, cache_read_input_token_cost and cache_creation_input_token_cost in US dollars.

    Raises:
        ValueError: An entry has none of these, or it is no dict, such as the address of one.
    """
    if not isinstance(model_cost, dict):
        raise ValueError(f"register_model takes a dict and fetches none: read the JSON first, got {model_cost!r}.")
    for model, entry in model_cost.items():
        if not isinstance(entry, dict) or not any(name in entry for name in _PER_TOKEN):
            raise ValueError(f"The entry of {model!r} has no price; give one of {', '.join(_PER_TOKEN)}.")
        _registered[model] = dict(entry)
    return dict(_registered)


# litellm's names for the fields of a Price, which are for a million tokens.
_PER_TOKEN = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached",
    "cache_creation_input_token_cost": "cache_write",
    "output_cost_per_reasoning_token": "reasoning",
}


# Vendors whose prices stand under another name.
_SAME = {"cohere_chat": "cohere"}


def find_price(vendor: _names.Vendor, model: str) -> costs.Price | None:
    """What a model costs: what register_model was told, or what its vendor's page said."""
    for name in (f"{vendor.name}/{model}", model):
        if name in _registered:
            return _make_price(_registered[name])
    return costs.price_of(_SAME.get(vendor.name) or vendor.vendor or vendor.name, model)


def base_price(model: str, vendor: _names.Vendor | None) -> costs.Price | None:
    """What a deployment of another name costs, by the name of its model, with or without the vendor's."""
    found = _names.split_model(model, None, None if vendor is None else vendor.name)
    whose = None if found is None else _names.find_vendor(found[0])
    if found is None or whose is None:
        return None
    if vendor is not None and whose.name == "openai":
        return find_price(vendor, found[1]) or find_price(whose, found[1])
    return find_price(whose, found[1])


def _make_price(entry: dict[str, Any]) -> costs.Price:
    rates = {field: entry[name] * 1e6 for name, field in _PER_TOKEN.items() if entry.get(name) is not None}
    return costs.Price(**{"input": 0.0, "output": 0.0, **rates})


def price_fields(vendor: _names.Vendor, model: str) -> dict[str, float | None]:
    """A model's price in litellm's words."""
    price = find_price(vendor, model)
    found: dict[str, float | None] = {}
    for name, field in _PER_TOKEN.items():
        rate = None if price is None else getattr(price, field)
        found[name] = None if rate is None else rate / 1e6
    if price is not None and price.embedding is not None:
        found["input_cost_per_token"] = price.embedding / 1e6
    return found


def cost_per_token(
    model: str = "",
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    response_time_ms: float | None = None,
    custom_llm_provider: str | None = None,
    cache_creation_input_tokens: int = 0,
    cache_read_input_tokens: int = 0,
    usage_object: Any = None,
    call_type: str = "completion",
    custom_cost_per_token: dict[str, float] | None = None,
) -> tuple[float, float]:
    """What so many tokens cost in US dollars: the prompt's share and the answer's.

    Args:
        model: "provider/model".
        prompt_tokens, completion_tokens: How many.
        response_time_ms: Not used: no vendor here charges for time.
        cache_creation_input_tokens, cache_read_input_tokens: Of the prompt, written to the vendor's cache or read from
            it.
        usage_object: A Usage, instead of the numbers.
        call_type: "embedding" for what is embedded.
        custom_cost_per_token: input_cost_per_token and output_cost_per_token, instead of what is known.

    Raises:
        ValueError: The price is not known.
    """
    vendor, name = _model_data.find_model(model, custom_llm_provider)
    price = _make_price(custom_cost_per_token) if custom_cost_per_token else find_price(vendor, name)
    if usage_object is not None:
        usage = _read_usage(usage_object)
    else:
        usage = _Usage(
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=prompt_tokens + completion_tokens,
            cached_tokens=cache_read_input_tokens,
            cache_write_tokens=cache_creation_input_tokens,
        )
    embeds = "embedding" in call_type or (price is not None and price.input is None)
    parts = None if price is None else price.split(usage, embedding=embeds)
    if parts is None:
        raise ValueError(
            f"This model isn't mapped yet. model={model}, custom_llm_provider={custom_llm_provider}. Give its price "
            "with register_model()."
        )
    return parts


def completion_cost(
    completion_response: Any = None,
    model: str | None = None,
    prompt: str = "",
    messages: list[Any] | None = None,
    completion: str = "",
    total_time: float | None = None,
    call_type: str | None = None,
    custom_llm_provider: str | None = None,
    custom_cost_per_token: dict[str, float] | None = None,
) -> float:
    """What an answer cost in US dollars, by the vendor's token counts; or what texts would cost, by tiktoken's.

    Args:
        completion_response: A ModelResponse or an EmbeddingResponse.
        model: Instead of the answer's, or for texts.
        prompt, messages, completion: The texts, where there is no answer.
        total_time: Not used: no vendor here charges for time.
        call_type: "embedding" for what is embedded.
        custom_llm_provider, custom_cost_per_token: As in `cost_per_token`.

    Raises:
        ValueError: The price is not known.
    """
    if completion_response is not None:
        hidden = getattr(completion_response, "_hidden_params", {})
        known = hidden.get("response_cost")
        if known is not None and model is None and custom_cost_per_token is None:
            return float(known)
        provider = custom_llm_provider or (hidden.get("custom_llm_provider") if model is None else None)
        kind = call_type or ("embedding" if completion_response.get("data") is not None else "completion")
        return sum(
            cost_per_token(
                model or completion_response.model,
                custom_llm_provider=provider,
                usage_object=completion_response.usage,
                call_type=kind,
                custom_cost_per_token=custom_cost_per_token,
            )
        )
    from .tokens import token_counter

    if model is None:
        raise ValueError("completion_cost() needs an answer, or a model and texts.")
    return sum(
        cost_per_token(
            model,
            token_counter(model, messages=messages) if messages else token_counter(model, text=prompt),
            token_counter(model, text=completion),
            custom_llm_provider=custom_llm_provider,
            call_type=call_type or "completion",
            custom_cost_per_token=custom_cost_per_token,
        )
    )


def _read_usage(usage: Any) -> _Usage:
    """pyagent's token counts of litellm's."""
    return _Usage(
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
        total_tokens=usage["total_tokens"],
        cached_tokens=usage.cache_read_input_tokens,
        cache_write_tokens=usage.get("cache_creation_input_tokens"),
        reasoning_tokens=usage.reasoning_tokens,
        cost=usage.get("cost"),
    )


def answer_cost(own: dict[str, Any], vendor: _names.Vendor | None, model: str, answer: Any) -> float | None:
    """What an answer cost: at the price that the call named or register_model was told, else what pyagent knows."""
    custom = {name: own[name] for name in ("input_cost_per_token", "output_cost_per_token") if own[name] is not None}
    price = _make_price(custom) if custom else None
    if price is None and own["base_model"]:
        price = base_price(own["base_model"], vendor)
    mocked = own["mock_response"] is not None or own["mock_tool_calls"]
    if price is None and vendor is not None and (_registered or mocked):
        price = find_price(vendor, model)
    return answer.cost if price is None else price.cost(answer.usage)
