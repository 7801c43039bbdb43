"""What is known of models without asking: limits, abilities and arguments, in litellm's words."""

from __future__ import annotations

import os

from pyagent.provider import Provider

from . import _names, _settings, exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyagent.models import Capabilities

_PARAMS = (
    "stream", "stream_options", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "n", "seed",
    "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "user", "response_format",
    "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "reasoning_effort", "verbosity",
    "modalities", "prediction", "audio", "service_tier", "store", "prompt_cache_key", "safety_identifier",
    "extra_headers", "max_retries", "timeout",
)  # fmt: skip
# What the protocols and vendors of pyagent refuse; a test holds it equal to what the core does.
LACKS = {
    "anthropic": "frequency_penalty presence_penalty seed logprobs top_logprobs logit_bias n verbosity store "
    "prompt_cache_key audio prediction",
    "gemini": "parallel_tool_calls logit_bias verbosity user prompt_cache_key safety_identifier prediction",
    "vertex": "parallel_tool_calls logit_bias verbosity service_tier store user prompt_cache_key safety_identifier "
    "prediction",
    "openrouter": "n store safety_identifier",
    "groq": "logprobs top_logprobs logit_bias n",
    "mistral": "logprobs top_logprobs logit_bias verbosity store user safety_identifier modalities audio",
    "deepseek": "seed n",
    "volcengine": "seed n",
    "zai": "frequency_penalty presence_penalty n",
    "ollama": "parallel_tool_calls logit_bias n verbosity service_tier store user prompt_cache_key safety_identifier "
    "modalities audio prediction",
    "puter": "stop frequency_penalty presence_penalty seed response_format logprobs top_logprobs logit_bias n "
    "service_tier store user prompt_cache_key safety_identifier modalities audio prediction",
}
_FEATURES = {
    "supports_function_calling": "tools",
    "supports_vision": "images",
    "supports_response_schema": "structured_output",
    "supports_reasoning": "reasoning",
    "supports_audio_input": "audio",
    "supports_audio_output": "audio_output",
    "supports_pdf_input": "files",
    "supports_video_input": "video",
}


def find_model(model: str, provider: str | None = None) -> tuple[_names.Vendor, str]:
    """The vendor and the model of a model string.

    Raises:
        LiteLLMUnknownProvider: Nobody knows who has it.
    """
    found = _names.split_model(model, provider, _settings.default_provider())
    vendor = None if found is None else _names.find_vendor(found[0])
    if found is None or vendor is None:
        raise exceptions.LiteLLMUnknownProvider(
            f"LLM Provider NOT provided. You passed model={model}; write the provider before it, as in openai/gpt-4o.",
            model=model,
            llm_provider=provider or "",
        )
    return vendor, found[1]


def find_capabilities(model: str, provider: str | None = None) -> Capabilities:
    """What is known of a model."""
    vendor, name = find_model(model, provider)
    known = "openai" if vendor.vendor == "azure" else vendor.vendor or "compatible"  # whose models Azure has
    return Provider(name, provider=known, base_url="http://localhost", api_key="none").capabilities


def get_llm_provider(
    model: str, custom_llm_provider: str | None = None, api_base: str | None = None, api_key: str | None = None
) -> tuple[str, str, str | None, str | None]:
    """The model's name, the provider's, the key and the address that a call with this model string uses."""
    vendor, name = find_model(model, custom_llm_provider)
    key = api_key or _settings.read("api_key") or _settings.vendor_key(vendor.name) or _names.read_first(vendor.key_env)
    url = api_base or _settings.read("api_base") or _names.read_first(vendor.url_env) or vendor.url or None
    return name, vendor.name, key, url


def get_supported_openai_params(
    model: str, custom_llm_provider: str | None = None, request_type: str = "chat_completion"
) -> list[str] | None:
    """The arguments of OpenAI's chat that the vendor takes; None for a vendor that is not known.

    Args:
        request_type: "chat_completion", or "embeddings".
    """
    try:
        vendor, _ = find_model(model, custom_llm_provider)
    except exceptions.LiteLLMUnknownProvider:
        return None
    if request_type == "embeddings":
        return ["dimensions", "encoding_format", "user", "timeout", "extra_headers", "max_retries"]
    lacks = LACKS.get(vendor.vendor or "", "").split()
    return [name for name in _PARAMS if name not in lacks]


def validate_environment(
    model: str | None = None, api_key: str | None = None, api_base: str | None = None
) -> dict[str, Any]:
    """Whether the environment has what a model's vendor needs, and which variables are missing."""
    if model is None:
        return {"keys_in_environment": False, "missing_keys": []}
    try:
        vendor, _ = find_model(model)
    except exceptions.LiteLLMUnknownProvider:
        return {"keys_in_environment": False, "missing_keys": []}
    needed = [] if vendor.keyless or api_key else [vendor.key_env]
    if vendor.name in {"azure", "vertex_ai", "custom_openai", "litellm_proxy"} and not api_base:
        needed.append(vendor.url_env)
    missing = [names[0] for names in needed if not any(os.environ.get(name) for name in names)]
    return {"keys_in_environment": not missing, "missing_keys": missing}


def get_max_tokens(model: str, custom_llm_provider: str | None = None) -> int | None:
    """The longest answer that a model gives, in tokens.

    Raises:
        ValueError: Nothing is known of the model.
    """
    return _known(model, custom_llm_provider).output_tokens


def get_model_info(model: str, custom_llm_provider: str | None = None, api_base: str | None = None) -> dict[str, Any]:
    """What is known of a model, in litellm's words; None where nothing is.

    Raises:
        ValueError: Nothing at all is known of the model.
    """
    from ._money import find_price, price_fields

    vendor, name = find_model(model, custom_llm_provider)
    price = find_price(vendor, name)
    known = _known(model, custom_llm_provider) if price is None else find_capabilities(model, custom_llm_provider)
    embeds = (known.embeddings and not known.chat) or (price is not None and price.input is None)
    info: dict[str, Any] = {
        "key": name,
        "max_tokens": known.output_tokens or known.context_tokens,
        "max_input_tokens": known.context_tokens,
        "max_output_tokens": known.output_tokens,
        **price_fields(vendor, name),
        "litellm_provider": vendor.name,
        "mode": "embedding" if embeds else "chat",
        "supports_system_messages": True if known.chat else None,
        **{word: getattr(known, feature) for word, feature in _FEATURES.items()},
        "supports_tool_choice": known.tools,
        "supported_openai_params": get_supported_openai_params(model, custom_llm_provider),
    }
    return info


def _known(model: str, provider: str | None) -> Capabilities:
    known = find_capabilities(model, provider)
    if known.source is None and known.context_tokens is None and known.chat is None and known.embeddings is None:
        raise ValueError(
            f"This model isn't mapped yet. model={model}, custom_llm_provider={provider}. A vendor's own list of "
            "models is Provider.list_models()."
        )
    return known


def _supports(model: str, provider: str | None, feature: str) -> bool:
    try:
        return getattr(find_capabilities(model, provider), feature) is True
    except exceptions.LiteLLMUnknownProvider:
        return False


def supports_function_calling(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model is known to call tools."""
    return _supports(model, custom_llm_provider, "tools")


def supports_tool_choice(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model can be told which tool to call: every model here that calls tools can."""
    return _supports(model, custom_llm_provider, "tools")


def supports_parallel_function_calling(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether several calls in one answer can be asked for or forbidden."""
    try:
        vendor, _ = find_model(model, custom_llm_provider)
    except exceptions.LiteLLMUnknownProvider:
        return False
    lacks = LACKS.get(vendor.vendor or "", "").split()
    return "parallel_tool_calls" not in lacks and supports_function_calling(model, custom_llm_provider)


def supports_vision(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model is known to take images."""
    return _supports(model, custom_llm_provider, "images")


def supports_response_schema(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model is known to keep to a JSON schema."""
    return _supports(model, custom_llm_provider, "structured_output")


def supports_reasoning(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model is known to think."""
    return _supports(model, custom_llm_provider, "reasoning")


def supports_audio_input(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model is known to take recordings."""
    return _supports(model, custom_llm_provider, "audio")


def supports_audio_output(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model is known to speak."""
    return _supports(model, custom_llm_provider, "audio_output")


def supports_pdf_input(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model is known to take files."""
    return _supports(model, custom_llm_provider, "files")


def supports_system_messages(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model takes a system prompt: every model here that chats does."""
    return _supports(model, custom_llm_provider, "chat")
