"""The page for those who come from hyper-sdk: every name of pyagent on it is one, and takes what the page says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import pyagent

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "from-hyper-sdk.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
CODES = sorted({code for row in ROWS for code in re.findall(r"`([^`]+)`", row[-1])})


def test_there_are_rows_to_look_at() -> None:
    assert len(ROWS) > 80
    assert {"Client.from_env()", "RateLimitError", "events.TextDelta", "AsyncStream.result"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_name_is_one(code: str) -> None:
    found = re.fullmatch(r"([\w.]+)(?:\((.*)\))?", code)
    assert found, "a name, and in parentheses what it takes"
    if code == "messages":  # the parameter
        return
    path, arguments = found.groups()
    thing: Any = pyagent
    parent: Any = None
    for name in path.split("."):
        parent, thing = thing, known(thing, name)
    if arguments is None:
        return
    assert callable(thing), f"{path} is not called"
    taken = set(inspect.signature(thing).parameters)
    named = {name.strip().rstrip("=") for name in arguments.split(",") if name.strip().endswith("=")}
    assert named <= taken, f"{path} takes no {sorted(named - taken)}"
    assert len(arguments.split(",")) - len(named) <= len(taken) or not arguments
    assert parent is not None


def known(thing: Any, name: str) -> Any:
    """An attribute; one that is only there on an object counts as well."""
    if hasattr(thing, name):
        return getattr(thing, name)
    assert inspect.isclass(thing), f"there is no {name}"
    assert name in inspect.signature(thing.__init__).parameters, f"{thing.__name__} has no {name}"
    return None
