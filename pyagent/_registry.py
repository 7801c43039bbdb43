"""The vendors by name: what a Provider must know of a row of the core's registry before the library is loaded.

Constructing a Provider checks its key and its address, and must not cost the loading of the library. So these few
columns are here a second time; a test holds them equal to the core's."""

from __future__ import annotations

from ._checks import string
from ._value import Value
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Row(Value):
    """Where a vendor is, what protocol it speaks, and where its key and settings are looked up."""

    __slots__ = (
        "base_url",
        "base_url_env",
        "key_env",
        "key_optional",
        "token_env",
        "api_version_env",
        "deployment_env",
        "dialect",
    )

    def __init__(
        self,
        base_url: str = "",
        base_url_env: tuple[str, ...] = (),
        key_env: tuple[str, ...] = (),
        key_optional: bool = False,
        token_env: tuple[str, ...] = (),
        api_version_env: tuple[str, ...] = (),
        deployment_env: tuple[str, ...] = (),
        dialect: str = "openai",
    ) -> None:
        self.base_url = base_url
        self.base_url_env = tuple(base_url_env)
        self.key_env = tuple(key_env)
        self.key_optional = key_optional
        self.token_env = tuple(token_env)
        self.api_version_env = tuple(api_version_env)
        self.deployment_env = tuple(deployment_env)
        self.dialect = dialect

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Row:
        """The same columns of a row in the core's form."""
        return cls(**{name: row[name] for name in cls._fields if name in row})


ROWS: dict[str, Row] = {
    "openai": Row("https://api.openai.com/v1", ("OPENAI_BASE_URL",), ("OPENAI_API_KEY",)),
    "openai-responses": Row(
        "https://api.openai.com/v1", ("OPENAI_BASE_URL",), ("OPENAI_API_KEY",), dialect="responses"
    ),
    "azure": Row(
        "",
        ("AZURE_OPENAI_ENDPOINT",),
        ("AZURE_OPENAI_API_KEY",),
        api_version_env=("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"),
        deployment_env=("AZURE_OPENAI_DEPLOYMENT_NAME",),
    ),
    "azure-responses": Row(
        "",
        ("AZURE_OPENAI_ENDPOINT",),
        ("AZURE_OPENAI_API_KEY",),
        deployment_env=("AZURE_OPENAI_DEPLOYMENT_NAME",),
        dialect="responses",
    ),
    "openrouter": Row("https://openrouter.ai/api/v1", ("OPENROUTER_BASE_URL",), ("OPENROUTER_API_KEY",)),
    "anthropic": Row(
        "https://api.anthropic.com/v1",
        ("ANTHROPIC_BASE_URL",),
        ("ANTHROPIC_API_KEY",),
        token_env=("ANTHROPIC_AUTH_TOKEN",),
        dialect="anthropic",
    ),
    "anthropic-openai": Row("https://api.anthropic.com/v1", ("ANTHROPIC_BASE_URL",), ("ANTHROPIC_API_KEY",)),
    "groq": Row("https://api.groq.com/openai/v1", ("GROQ_BASE_URL",), ("GROQ_API_KEY",)),
    "together": Row("https://api.together.xyz/v1", ("TOGETHER_BASE_URL",), ("TOGETHER_API_KEY",)),
    "fireworks": Row("https://api.fireworks.ai/inference/v1", ("FIREWORKS_BASE_URL",), ("FIREWORKS_API_KEY",)),
    "deepseek": Row("https://api.deepseek.com", ("DEEPSEEK_BASE_URL",), ("DEEPSEEK_API_KEY",)),
    "xai": Row("https://api.x.ai/v1", ("XAI_BASE_URL",), ("XAI_API_KEY",)),
    "nvidia": Row("https://integrate.api.nvidia.com/v1", ("NVIDIA_BASE_URL",), ("NVIDIA_API_KEY",)),
    "mistral": Row("https://api.mistral.ai/v1", ("MISTRAL_BASE_URL",), ("MISTRAL_API_KEY",)),
    "cerebras": Row("https://api.cerebras.ai/v1", ("CEREBRAS_BASE_URL",), ("CEREBRAS_API_KEY",)),
    "moonshot": Row("https://api.moonshot.ai/v1", ("MOONSHOT_BASE_URL",), ("MOONSHOT_API_KEY",)),
    "perplexity": Row("https://api.perplexity.ai", ("PERPLEXITY_BASE_URL",), ("PERPLEXITY_API_KEY",)),
    "alibaba": Row(
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", ("DASHSCOPE_BASE_URL",), ("DASHSCOPE_API_KEY",)
    ),
    "huggingface": Row("https://router.huggingface.co/v1", ("HF_BASE_URL",), ("HF_TOKEN", "HUGGINGFACE_TOKEN")),
    "zai": Row(
        "https://api.z.ai/api/paas/v4", ("ZAI_BASE_URL", "ZHIPUAI_BASE_URL"), ("ZAI_API_KEY", "ZHIPUAI_API_KEY")
    ),
    "sambanova": Row("https://api.sambanova.ai/v1", ("SAMBANOVA_BASE_URL",), ("SAMBANOVA_API_KEY",)),
    "volcengine": Row(
        "https://ark.cn-beijing.volces.com/api/v3",
        ("ARK_BASE_URL", "VOLCENGINE_BASE_URL"),
        ("ARK_API_KEY", "VOLCENGINE_API_KEY"),
    ),
    "gemini": Row(
        "https://generativelanguage.googleapis.com/v1beta",
        ("GOOGLE_BASE_URL",),
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        dialect="gemini",
    ),
    "gemini-openai": Row(
        "https://generativelanguage.googleapis.com/v1beta/openai",
        ("GOOGLE_BASE_URL",),
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    "vertex": Row("", ("VERTEX_BASE_URL",), ("GOOGLE_ACCESS_TOKEN",), dialect="vertex"),
    "puter": Row("https://api.puter.com", ("PUTER_API_BASE",), ("PUTER_AUTH_TOKEN",), dialect="puter"),
    "compatible": Row("", ("OPENAI_COMPATIBLE_BASE_URL",), ("OPENAI_COMPATIBLE_API_KEY",), True),
    "lmstudio": Row("http://127.0.0.1:1234/v1", ("LMSTUDIO_BASE_URL",), ("LMSTUDIO_API_KEY",), True),
    "vllm": Row("http://127.0.0.1:8000/v1", ("VLLM_BASE_URL",), ("VLLM_API_KEY",), True),
    "llamacpp": Row("http://127.0.0.1:8080/v1", ("LLAMACPP_BASE_URL",), ("LLAMA_API_KEY",), True),
    "ollama": Row(
        "http://127.0.0.1:11434",
        ("OLLAMA_BASE_URL", "OLLAMA_HOST"),
        ("OLLAMA_API_KEY",),
        True,
        dialect="ollama",
    ),
    "ollama-openai": Row("http://127.0.0.1:11434/v1", ("OLLAMA_BASE_URL", "OLLAMA_HOST"), ("OLLAMA_API_KEY",), True),
    "echo": Row("http://echo/v1", key_optional=True),
}

RULE = 'a vendor and a model are written "vendor:model", for example "openai:gpt-4o-mini" or "ollama:llama3.2:1b"'


def find_row(name: Any) -> Row:
    """The row of a vendor.

    Raises:
        ConfigurationError: There is no vendor of that name.
    """
    if isinstance(name, str) and name in ROWS:
        return ROWS[name]
    raise ConfigurationError(f"provider {name!r} is not known; {_guess(name)}", param="provider")


def split_name(name: str) -> tuple[str, str]:
    """Divides "vendor:model" at its first colon.

    Raises:
        ConfigurationError: It is something else, or there is no such vendor.
    """
    vendor, colon, model = string("name", name).partition(":")
    if not colon or not vendor or not model:
        raise ConfigurationError(f"{name!r} does not name a vendor and a model: {RULE}.", param="name")
    if "/" in vendor:  # the colon belongs to a model of OpenRouter, such as "deepseek/deepseek-r1:free"
        raise ConfigurationError(
            f"{name!r} names no vendor: {RULE}; for a model of OpenRouter write {'openrouter:' + name!r}.", param="name"
        )
    find_row(vendor)
    return vendor, model


def _guess(name: Any) -> str:
    names = sorted(ROWS)
    if isinstance(name, str):
        from difflib import get_close_matches  # slow to import, and this is an error

        near = get_close_matches(name.lower(), names, 1)
        if near:
            return f"did you mean {near[0]!r}?"
    return (
        f"it is one of {', '.join(names)}, or a dict that describes your own endpoint, such as "
        '{"name": "mine", "base_url": "https://..."}.'
    )
