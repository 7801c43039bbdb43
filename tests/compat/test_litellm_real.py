"""The real litellm and edgequake-litellm beside the drop-in: the same calls to one server, compared field by field.

`make compat` installs them, 300 MB; without them there is nothing to compare with. Every difference is in the table
below, and has its sentence in docs/litellm.md; one that is no longer there must leave the table."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyagent._fake import FakeServer

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in ("litellm", "edgequake_litellm")),
        reason="make compat installs litellm and edgequake-litellm",
    ),
]

SCRIPT = Path(__file__).parent / "peers" / "litellm_calls.py"
ROOT = Path(__file__).resolve().parents[2]
ABSENT = "(absent)"
# Pairs of expressions for "case: path" and the reason. An `id` and a `created` differ from call to call.
DIFFERENCES = {
    r".*: (/\*)?/(id|created)": "each call has its own",
    r"(async )?stream.*: /\*/(moderation|obfuscation|service_tier|citations)": "litellm's depend on the vendor",
    r"(async )?stream.*: /\*/system_fingerprint": "not known before the end",
    r"built.*: /system_fingerprint": "not known before the end",
    r"(async )?stream.*: /\*/choices/\*/delta/(refusal|provider_specific_fields)": "litellm leaves them out of some",
    r"stream (tool|broken arguments): /\*/choices/\*/delta/content": 'the first chunk has ""',
    r"stream another model: /\*/model": "the vendor's name for it",
    r"(stream with|built) .*: (/\*)?/usage/\w+_details/\w+": "details that the vendor did not count",
    r"fails: status (402|403|422): /(class|bases|beginning)": "the class that litellm's documents name",
    r"fails: no server: /(class|bases|beginning)": "the class that litellm's documents name",
    r"fails: unknown: /(class|beginning)": "a class of its own below BadRequestError",
    r"fails: unsupported: /(llm_provider|model)": "litellm does not say",
    r"mock: /(system_fingerprint|choices/.*)": "fields of every other answer",
    r"edgequake tools: .*": "edgequake cannot read these tools",
    r"edgequake model: .*": "another table of models",
}


def run(name: str, url: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(SCRIPT), name, url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd="/")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def observed() -> Iterator[dict[str, dict[str, Any]]]:
    with FakeServer() as server:
        yield {name: run(name, server.url) for name in ("litellm", "edgequake_litellm", "pyagent.litellm")}


def compare(theirs: Any, ours: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The paths at which two answers differ, a star for any place in a list."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in {**theirs, **ours}:
            yield from compare(theirs.get(name, ABSENT), ours.get(name, ABSENT), f"{path}/{name}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for one, other in zip(theirs, ours):
            yield from compare(one, other, f"{path}/*")
    elif isinstance(theirs, float) and isinstance(ours, float):
        if not math.isclose(theirs, ours, rel_tol=1e-6):
            yield path, theirs, ours
    elif theirs != ours:
        yield path, theirs, ours


def test_there_are_calls_enough(observed: dict[str, dict[str, Any]]) -> None:
    assert len(observed["litellm"]) >= 75
    assert len(observed["edgequake_litellm"]) >= 12
    assert {*observed["litellm"], *observed["edgequake_litellm"]} == set(observed["pyagent.litellm"])
    failed = [name for name, found in observed["litellm"].items() if isinstance(found, dict) and "bases" in found]
    assert sorted(failed) == sorted(name for name in observed["litellm"] if name.startswith("fails: "))


def test_all_that_differs_is_explained(observed: dict[str, dict[str, Any]]) -> None:
    used = set()
    unexplained = []
    for package in ("litellm", "edgequake_litellm"):
        for case, theirs in observed[package].items():
            for path, one, other in compare(theirs, observed["pyagent.litellm"][case]):
                reasons = [pattern for pattern in DIFFERENCES if re.fullmatch(pattern, f"{case}: {path}")]
                used.update(reasons)
                if not reasons:
                    unexplained.append(f"{case}: {path}: {package} {one!r:.100}, pyagent.litellm {other!r:.100}")
    assert unexplained == []
    assert sorted(set(DIFFERENCES) - used) == []


def measure(name: str, url: str, chunks: int) -> tuple[float, float]:
    command = [sys.executable, str(SCRIPT.with_name("litellm_cpu.py")), name, url, str(chunks)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd="/")
    cost, imported = map(float, done.stdout.splitlines()[-1].split())
    return cost, imported


def test_a_chunk_costs_a_hundredth_and_the_import_nothing() -> None:
    with FakeServer() as server:
        theirs, their_import = measure("litellm", server.url, 2_000)
        ours, our_import = measure("pyagent.litellm", server.url, 40_000)
    print(f"CPU per chunk: litellm {theirs:.0f} us, pyagent.litellm {ours:.2f} us", end="; ")
    print(f"import: litellm {their_import:.2f} s, pyagent.litellm {our_import * 1000:.1f} ms")
    assert ours * 100 <= theirs
    assert our_import < 0.03 < their_import
