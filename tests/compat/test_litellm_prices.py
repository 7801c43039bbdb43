"""Prices and limits beside the real litellm's, for every row of the price list: costs of counts, and get_model_info.

Every difference is in the table below, with its reason; one that is no longer there must leave the table."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="make compat installs litellm"),
]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "peers" / "litellm_prices.py"
NAMES = {
    "openai": "", "anthropic": "", "azure": "azure/", "gemini": "gemini/", "vertex": "vertex_ai/",
    "mistral": "mistral/", "deepseek": "deepseek/", "xai": "xai/", "groq": "groq/", "cohere": "cohere_chat/",
    "cerebras": "cerebras/", "sambanova": "sambanova/", "moonshot": "moonshot/", "zai": "zai/",
    "alibaba": "dashscope/", "together": "together_ai/", "fireworks": "fireworks_ai/",
}  # fmt: skip
# Expressions for "model what" and why litellm says something else.
DIFFERENCES = {
    r"claude-(opus-4|opus-4-1|sonnet-4) (plain|cached|written|info.*)": "withdrawn; litellm counts nothing",
    r".* info.mode": "here one that answers chats is a chat's, whatever else it makes or speaks",
    r"deepseek/deepseek-(v4-flash|v4-pro|flash) (plain|cached)": "litellm halves them at some hours of the day",
    r"(deepseek|zai)/.* written": "these vendors do not charge for writing, and do not count it",
    r"fireworks_ai/.* cached": "litellm takes a fifth to a half off where Fireworks names no price of its own",
    r"mistral/codestral-embed cached": "vectors are not cached",
    r"(azure/)?(gpt-5|gpt-5-mini|gpt-5-nano) info.max_input_tokens": "here the whole window",
    r"azure/gpt-3.5-turbo info.max_input_tokens": "here that of OpenAI; Azure had an older one of 4097",
    r"text-embedding-.* info.max_input_tokens": "8191 or 8192",
    r"vertex_ai/gemini-2.5-.* info.max_output_tokens": "65535 or 65536",
    r"(azure/)?gpt-4o-2024-05-13 info.max_output_tokens": "here that of its family",
    r"claude-sonnet-4-6 info.max_output_tokens": "here that of its announcement",
}


def run(module: str, models: list[str]) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(SCRIPT), module]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd="/", input="\n".join(models)
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def flat(known: dict[str, Any]) -> dict[str, Any]:
    info = known["info"]
    fields = {f"info.{name}": value for name, value in info.items()} if isinstance(info, dict) else {}
    return {**{name: value for name, value in known.items() if name != "info"}, **fields}


def same(theirs: Any, ours: Any) -> bool:
    if isinstance(theirs, list) and isinstance(ours, list):
        return all(map(same, theirs, ours))
    if isinstance(theirs, (int, float)) and isinstance(ours, (int, float)):
        return math.isclose(theirs, ours, rel_tol=1e-6, abs_tol=1e-15)
    return bool(theirs == ours)


def test_prices_are_litellm_s() -> None:
    rows = json.loads((ROOT / "core" / "price" / "prices.json").read_text(encoding="utf-8"))["rows"]
    models = [NAMES[row["providers"][0]] + row["model"] for row in rows]
    theirs, ours = run("litellm", models), run("pyagent.litellm", models)
    used, unexplained, agree, informed = set(), [], 0, 0
    for model in models:
        one, other = flat(theirs[model]), flat(ours[model])
        assert isinstance(other["plain"], list), (model, other)
        if not isinstance(one["plain"], list):
            continue  # litellm no longer knows it, or not under this name
        differing = []
        for name, value in one.items():
            unsaid = value in (None, 0) or other.get(name) is None  # either may know nothing of it
            if not same(value, other.get(name)) and not (name.startswith("info") and unsaid):
                differing.append(name)
                reasons = [pattern for pattern in DIFFERENCES if re.fullmatch(pattern, f"{model} {name}")]
                used.update(reasons)
                if not reasons:
                    unexplained.append(f"{model} {name}: litellm {value!r}, pyagent.litellm {other.get(name)!r}")
        agree += not differing
        informed += isinstance(ours[model]["info"], dict) and not any(name.startswith("info") for name in differing)
    print(f"{len(models)} models, {agree} equal in all, {informed} by get_model_info", end="; ")
    assert unexplained == []
    assert min(agree, informed) >= 250
    assert sorted(set(DIFFERENCES) - used - {r"deepseek/deepseek-(v4-flash|v4-pro|flash) (plain|cached)"}) == []
