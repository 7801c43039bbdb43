"""The bindings of other languages stream, call tools, fail, stop and give everything back, against the real library."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = re.findall(r'^    "(\w+)": Host\($', (ROOT / "tools" / "hosts.py").read_text(encoding="utf-8"), re.MULTILINE)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the commands that build are those of Linux"),
]


def test_there_are_hosts() -> None:
    assert {"c"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_host(name: str) -> None:
    command = [sys.executable, ROOT / "tools" / "hosts.py", "--quick", name]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=290)
    if " skipped: " in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(rf"{name} +passed in [\d.]+ s\n", done.stdout)
