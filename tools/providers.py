"""Writes the tables of docs/providers.md from the core's rows, so that the page cannot say what the code does not.

python tools/providers.py [--check]

`make fmt` runs it, and a test sees to it that nobody forgot. It asks the library that `make build` has built.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pyagent import Provider
from pyagent._loading import runtime
from pyagent._presets import Preset, Presets

PAGE = Path(__file__).resolve().parent.parent / "docs" / "providers.md"
OPERATIONS = {"embed": "embeddings", "models": "models", "count": "token counts", "login": "login"}
PROTOCOLS = {"openai": "OpenAI chat"}

# What a user should know of a vendor beside the columns.
NOTES = {
    "anthropic-openai": "Anthropic's route that is compatible with OpenAI's",
    "azure": "deployments of OpenAI's models; the address is that of the resource",
    "azure-responses": "deployments through the Responses API",
    "compatible": "any server that speaks OpenAI's chat protocol",
    "echo": "the scripted model inside pyagent",
    "gemini-openai": "Google's route that is compatible with OpenAI's",
    "huggingface": "the router of Hugging Face",
    "ollama": "on this machine unless `OLLAMA_HOST` says where",
    "ollama-openai": "Ollama's route that is compatible with OpenAI's",
    "openai-responses": "OpenAI through the Responses API",
    "openrouter": "the default; its models are named `vendor/model`",
    "puter": "the key is the token of an account",
    "vertex": "Gemini in a project of Google Cloud; the key is an access token",
    "volcengine": "Ark, whose models are Doubao and others",
    "zai": "GLM; mainland China has an address of its own, see `base_url`",
}


def vendors() -> str:
    """One line for each row."""
    presets = {entry.vendor: name for name, entry in vars(Presets).items() if isinstance(entry, Preset)}
    presets |= {name: name for name in ("azure", "echo") if hasattr(Provider, name)}
    lines = [
        "| vendor | constructor | protocol | beside chats | address | its variables | variables of the key | notes |"
    ]
    lines.append("|---" * 8 + "|")
    for row in sorted(runtime().inspect()["providers"], key=lambda row: row["name"]):
        name, dialect = row["name"], row.get("dialect") or "openai"
        keys = listed(row.get("key_env", [])) + (
            " (optional)" if row.get("key_env") and row.get("key_optional") else ""
        )
        cells = [
            f"`{name}`",
            f"`Provider.{presets[name]}`" if name in presets else "",
            PROTOCOLS.get(dialect, dialect.capitalize()),
            ", ".join(OPERATIONS[op] for op in row["operations"] if op in OPERATIONS),
            "inside pyagent" if row.get("local") else f"`{row['base_url']}`" if row.get("base_url") else "to be given",
            listed(row.get("base_url_env", [])),
            keys,
            NOTES.get(name, ""),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def models() -> str:
    """One line for each family of models of which something is known."""
    lines = ["| vendor | model | prompt | answer | has | lacks | seen |", "|---" * 7 + "|"]
    for row in runtime().inspect()["models"]:
        cells = [
            ", ".join(f"`{name}`" for name in row["providers"]),
            f"[`{row['name']}`]({row['source']})",
            count(row.get("context_tokens")),
            count(row.get("output_tokens")),
            ", ".join(row["has"]),
            ", ".join(row["lacks"]),
            row["seen"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def count(tokens: int | None) -> str:
    return f"{tokens:,}" if tokens else ""


def written(text: str) -> str:
    """The page with new tables between its marks."""
    tables: dict[str, Any] = {"vendors": vendors, "models": models}
    for name, make in tables.items():
        mark = rf"(<!-- {name}: written by tools/providers\.py -->\n\n).*?(\n\n<!-- end of {name} -->)"
        text, found = re.subn(mark, lambda at, make=make: at.group(1) + make() + at.group(2), text, flags=re.DOTALL)
        if found != 1:
            sys.exit(f"{PAGE} has {found} tables of {name}")
    return text


def main() -> int:
    before = PAGE.read_text(encoding="utf-8")
    after = written(before)
    if "--check" in sys.argv[1:]:
        if after != before:
            print(f"{PAGE} is out of date: run `make fmt`")
        return int(after != before)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
