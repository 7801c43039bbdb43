"""litellm's own Router beside the drop-in's: the same calls to one server, compared field by field.

Every difference is in the table below, and has its sentence in docs/litellm.md; one that is no longer there must leave
the table."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_litellm_real import compare

from pyagent._fake import FakeServer

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="make compat installs litellm"),
]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "peers" / "litellm_router.py"
DIFFERENCES = {
    r"fallback of a fallback: /found/attempted-fallbacks": "here all groups that were left",
    r"a higher order: /found/attempted-(retries|fallbacks)": "here a retry, there a fallback",
    r"arguments: /found/user": "litellm does not send a deployment's user",
    r"async all failed: /found/model": "litellm names the provider too, for coroutines only",
    r"settings: /found/timeout": "here None is the deployments' own",
}


def run(name: str, url: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(SCRIPT), name, url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd="/")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_all_that_differs_is_explained() -> None:
    with FakeServer() as server:
        theirs, ours = run("litellm", server.url), run("pyagent.litellm", server.url)
    assert len(theirs) >= 35
    used, unexplained = set(), []
    for case, found in theirs.items():
        for path, one, other in compare(found, ours[case]):
            reasons = [pattern for pattern in DIFFERENCES if re.fullmatch(pattern, f"{case}: {path}")]
            used.update(reasons)
            if not reasons:
                unexplained.append(f"{case}: {path}: litellm {one!r:.200}, pyagent.litellm {other!r:.200}")
    assert unexplained == [], "\n".join(unexplained)
    assert sorted(set(DIFFERENCES) - used) == []
