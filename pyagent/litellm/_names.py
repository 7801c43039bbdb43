"""Model strings of litellm, and who is meant by them: "provider/model", its names and aliases, and bare model names."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Vendor:
    """Whom a provider's name of litellm means: a vendor of pyagent, or an address that speaks OpenAI's protocol."""

    __slots__ = ("name", "vendor", "url", "key_env", "url_env", "keyless")

    def __init__(
        self,
        name: str,
        vendor: str | None = None,
        *,
        url: str = "",
        key: str = "",
        address: str = "",
        keyless: bool = False,
    ) -> None:
        self.name = name
        self.vendor = vendor
        self.url = url
        self.key_env = tuple(key.split())
        self.url_env = tuple(address.split())
        self.keyless = keyless

    def target(self) -> str | dict[str, Any]:
        """What Provider takes as `provider`."""
        if self.vendor is not None:
            return self.vendor
        row: dict[str, Any] = {"name": self.name, "key_env": list(self.key_env), "key_optional": self.keyless}
        return {**row, "base_url": self.url} if self.url else row


# Vendors of pyagent's own list.
_KNOWN = (
    Vendor("openai", "openai", key="OPENAI_API_KEY", address="OPENAI_BASE_URL OPENAI_API_BASE"),
    Vendor(
        "azure",
        "azure",
        key="AZURE_API_KEY AZURE_OPENAI_API_KEY",
        address="AZURE_API_BASE AZURE_OPENAI_ENDPOINT",
    ),
    Vendor("anthropic", "anthropic", key="ANTHROPIC_API_KEY", address="ANTHROPIC_API_BASE ANTHROPIC_BASE_URL"),
    Vendor("gemini", "gemini", key="GEMINI_API_KEY GOOGLE_API_KEY", address="GEMINI_API_BASE GOOGLE_BASE_URL"),
    Vendor("vertex_ai", "vertex", key="GOOGLE_ACCESS_TOKEN", address="VERTEXAI_API_BASE VERTEX_BASE_URL"),
    Vendor(
        "openrouter",
        "openrouter",
        key="OPENROUTER_API_KEY OR_API_KEY",
        address="OPENROUTER_API_BASE OPENROUTER_BASE_URL",
    ),
    Vendor("groq", "groq", key="GROQ_API_KEY", address="GROQ_API_BASE GROQ_BASE_URL"),
    Vendor("mistral", "mistral", key="MISTRAL_API_KEY", address="MISTRAL_API_BASE MISTRAL_BASE_URL"),
    Vendor("deepseek", "deepseek", key="DEEPSEEK_API_KEY", address="DEEPSEEK_API_BASE DEEPSEEK_BASE_URL"),
    Vendor("xai", "xai", key="XAI_API_KEY", address="XAI_API_BASE XAI_BASE_URL"),
    Vendor("perplexity", "perplexity", key="PERPLEXITYAI_API_KEY PERPLEXITY_API_KEY",
           address="PERPLEXITY_API_BASE PERPLEXITY_BASE_URL"),
    Vendor("together_ai", "together",
           key="TOGETHERAI_API_KEY TOGETHER_AI_API_KEY TOGETHER_API_KEY TOGETHER_AI_TOKEN",
           address="TOGETHER_AI_API_BASE TOGETHER_BASE_URL"),
    Vendor("fireworks_ai", "fireworks",
           key="FIREWORKS_API_KEY FIREWORKS_AI_API_KEY FIREWORKSAI_API_KEY FIREWORKS_AI_TOKEN",
           address="FIREWORKS_API_BASE FIREWORKS_BASE_URL"),
    Vendor("cerebras", "cerebras", key="CEREBRAS_API_KEY", address="CEREBRAS_API_BASE CEREBRAS_BASE_URL"),
    Vendor("sambanova", "sambanova", key="SAMBANOVA_API_KEY", address="SAMBANOVA_API_BASE SAMBANOVA_BASE_URL"),
    Vendor("nvidia_nim", "nvidia", key="NVIDIA_NIM_API_KEY NVIDIA_API_KEY",
           address="NVIDIA_NIM_API_BASE NVIDIA_BASE_URL"),
    Vendor("huggingface", "huggingface", key="HUGGINGFACE_API_KEY HF_TOKEN HUGGINGFACE_TOKEN",
           address="HUGGINGFACE_API_BASE HF_BASE_URL"),
    Vendor("moonshot", "moonshot", key="MOONSHOT_API_KEY", address="MOONSHOT_API_BASE MOONSHOT_BASE_URL"),
    Vendor("dashscope", "alibaba", key="DASHSCOPE_API_KEY", address="DASHSCOPE_API_BASE DASHSCOPE_BASE_URL"),
    Vendor("volcengine", "volcengine", key="VOLCENGINE_API_KEY ARK_API_KEY",
           address="VOLCENGINE_API_BASE ARK_BASE_URL VOLCENGINE_BASE_URL"),
    Vendor("zai", "zai", key="ZAI_API_KEY ZHIPUAI_API_KEY", address="ZAI_API_BASE ZAI_BASE_URL ZHIPUAI_BASE_URL"),
    Vendor("ollama", "ollama", key="OLLAMA_API_KEY", address="OLLAMA_API_BASE OLLAMA_BASE_URL OLLAMA_HOST",
           keyless=True),
    Vendor("hosted_vllm", "vllm", key="HOSTED_VLLM_API_KEY VLLM_API_KEY",
           address="HOSTED_VLLM_API_BASE VLLM_BASE_URL", keyless=True),
    Vendor("lm_studio", "lmstudio", key="LM_STUDIO_API_KEY LMSTUDIO_API_KEY",
           address="LM_STUDIO_API_BASE LMSTUDIO_BASE_URL LMSTUDIO_HOST", keyless=True),
    Vendor("llamafile", "llamacpp", key="LLAMAFILE_API_KEY LLAMA_API_KEY",
           address="LLAMAFILE_API_BASE LLAMACPP_BASE_URL", keyless=True),
    Vendor("puter", "puter", key="PUTER_AUTH_TOKEN", address="PUTER_API_BASE"),
    Vendor("custom_openai", "compatible", key="OPENAI_COMPATIBLE_API_KEY OPENAI_LIKE_API_KEY",
           address="OPENAI_COMPATIBLE_BASE_URL OPENAI_LIKE_API_BASE", keyless=True),
    Vendor("litellm_proxy", key="LITELLM_PROXY_API_KEY", address="LITELLM_PROXY_API_BASE", keyless=True),
)  # fmt: skip
# What litellm reaches as an address that speaks OpenAI's protocol.
_ADDRESSES = {
    "ai21_chat": "https://api.ai21.com/studio/v1",
    "baseten": "https://inference.baseten.co/v1",
    "codestral": "https://codestral.mistral.ai/v1",
    "cohere_chat": "https://api.cohere.ai/compatibility/v1",
    "deepinfra": "https://api.deepinfra.com/v1/openai",
    "featherless_ai": "https://api.featherless.ai/v1",
    "friendliai": "https://api.friendli.ai/serverless/v1",
    "galadriel": "https://api.galadriel.com/v1",
    "github": "https://models.inference.ai.azure.com",
    "hyperbolic": "https://api.hyperbolic.xyz/v1",
    "lambda_ai": "https://api.lambda.ai/v1",
    "meta_llama": "https://api.llama.com/compat/v1",
    "morph": "https://api.morphllm.com/v1",
    "nebius": "https://api.studio.nebius.ai/v1",
    "novita": "https://api.novita.ai/v3/openai",
    "nscale": "https://inference.api.nscale.com/v1",
    "v0": "https://api.v0.dev/v1",
    "vercel_ai_gateway": "https://ai-gateway.vercel.sh/v1",
    "wandb": "https://api.inference.wandb.ai/v1",
}
_OTHER_KEYS = {
    "ai21_chat": "AI21_API_KEY",
    "cohere_chat": "COHERE_API_KEY CO_API_KEY",
    "friendliai": "FRIENDLI_TOKEN",
    "meta_llama": "LLAMA_API_KEY",
}
# Other names for the same: litellm's, edgequake's and pyagent's own.
_ALIASES = {
    "text-completion-openai": "openai",
    "openai_like": "custom_openai",
    "openai-compatible": "custom_openai",
    "compatible": "custom_openai",
    "azure_ai": "azure",
    "azure_text": "azure",
    "azure-openai": "azure",
    "anthropic_text": "anthropic",
    "claude": "anthropic",
    "google": "gemini",
    "vertex": "vertex_ai",
    "vertexai": "vertex_ai",
    "vertex_ai_beta": "vertex_ai",
    "open-router": "openrouter",
    "grok": "xai",
    "hf": "huggingface",
    "together": "together_ai",
    "fireworks": "fireworks_ai",
    "nvidia": "nvidia_nim",
    "nim": "nvidia_nim",
    "mistral-ai": "mistral",
    "alibaba": "dashscope",
    "bigmodel": "zai",
    "ollama_chat": "ollama",
    "vllm": "hosted_vllm",
    "vllm-mlx": "hosted_vllm",
    "lmstudio": "lm_studio",
    "lm-studio": "lm_studio",
    "llamacpp": "llamafile",
    "ai21": "ai21_chat",
    "cohere": "cohere_chat",
}
# litellm names the vendor of a model that stands alone by its lists of models; these are their beginnings.
_BEGINNINGS = {
    "openai": ("gpt-", "chatgpt-", "o1", "o3", "o4", "ft:gpt-", "text-embedding-3", "text-embedding-ada",
               "davinci-", "babbage-"),
    "anthropic": ("claude",),
    "vertex_ai": ("gemini-",),
    "cohere_chat": ("command-", "embed-english", "embed-multilingual"),
}  # fmt: skip


def _vendors() -> dict[str, Vendor]:
    made = {vendor.name: vendor for vendor in _KNOWN}
    for name, url in _ADDRESSES.items():
        upper = name.upper()
        made[name] = Vendor(
            name, url=url, key=f"{upper}_API_KEY {_OTHER_KEYS.get(name, '')}", address=f"{upper}_API_BASE"
        )
    return made


VENDORS = _vendors()


def find_vendor(name: str) -> Vendor | None:
    """The vendor that litellm or edgequake calls so."""
    return VENDORS.get(_ALIASES.get(name, name))


def split_model(model: str, provider: str | None, default: str | None) -> tuple[str, str] | None:
    """The provider's name and the model's; None when nobody knows who has it.

    Args:
        model: As the caller wrote it.
        provider: The argument custom_llm_provider.
        default: Whom to ask for a model that names nobody.
    """
    if provider:
        return provider, model[len(provider) + 1 :] if model.startswith(f"{provider}/") else model
    before, slash, after = model.partition("/")
    if slash and (before == "mock" or find_vendor(before) is not None):
        return before, after
    if not slash:
        for name, beginnings in _BEGINNINGS.items():
            if model.startswith(beginnings):
                return name, model
    return (default, model) if default else None


def read_first(names: tuple[str, ...]) -> str | None:
    """The first of these environment variables that is set and not empty."""
    for name in names:
        value = os.environ.get(name)
        if value:
            return value
    return None


def fit_address(vendor: Vendor, url: str) -> str:
    """The address as pyagent takes it: up to and without the path of the chat interface."""
    url = url.rstrip("/")
    for path in ("/chat/completions", "/messages"):
        url = url.removesuffix(path)
    if vendor.name == "anthropic" and not url.endswith("/v1"):
        url += "/v1"
    return url
