"""What docs/embedding.md says of signals, stacks, unloading and forks is so, in a C program that loads the library."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyagent import get_library

ROOT = Path(__file__).resolve().parents[2]
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler; `apt-get install gcc libc6-dev` brings one"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is about signals and stacks of Linux"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("embedding") / "embedding"
    source = ROOT / "tests" / "abi" / "embedding.c"
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-array-bounds"]
    command = [
        COMPILER,
        "-std=gnu11",
        "-O1",
        "-g",
        *warnings,
        "-I",
        ROOT / "core" / "cabi",
        source,
        "-ldl",
        "-lpthread",
        "-o",
        program,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if "sigabbrev_np" in done.stderr:
        pytest.skip("the C library is older than glibc 2.32")
    assert (done.returncode, done.stderr) == (0, "")
    return program


def run(program: Path, mode: str) -> tuple[int, list[str]]:
    command = [program, get_library(), mode]
    # A handler of Python's that ignores SIGPIPE would be inherited.
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100, restore_signals=True)
    lines = done.stdout.splitlines()
    assert lines[2:3] == ["streams: 1"], done.stdout + done.stderr
    return done.returncode, lines


def test_handlers(program: Path) -> None:
    """Go's own are added, and those that were there get the flag SA_ONSTACK (a "!" is one without it)."""
    code, lines = run(program, "handlers")
    assert code == 0
    assert lines[0] == "before: USR1!"
    assert sorted(lines[1].removeprefix("after:").split()) == ["BUS", "FPE", "PIPE", "SEGV", "URG", "USR1"]


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("unload", ["dlclose: 0 0", "streams: 1"]),
        ("alternate", ["300 of 300", "handled: 1"]),
        ("small", ["300 of 300"]),
        ("fork", ["streams: 1"]),
        ("ignore", ["write: -1"]),
    ],
)
def test_hosts_go_on(program: Path, mode: str, said: list[str]) -> None:
    code, lines = run(program, mode)
    assert (code, lines[3:]) == (0, said)


@pytest.mark.parametrize(("mode", "number"), [("pipe", signal.SIGPIPE), ("fault", signal.SIGSEGV)])
def test_a_signal_of_the_hosts_own_ends_it_as_ever(program: Path, mode: str, number: signal.Signals) -> None:
    code, lines = run(program, mode)
    assert (code, lines[3:]) == (-number, [])
