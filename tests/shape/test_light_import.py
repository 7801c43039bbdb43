"""What `import pyagent` costs: no native library, nothing third-party, and none of the slow modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Modules that take milliseconds, most of them because of what they import in turn.
SLOW = {
    "argparse", "asyncio", "concurrent", "ctypes", "dataclasses", "decimal", "email", "http", "importlib.metadata",
    "inspect", "json", "logging", "multiprocessing", "pathlib", "pickle", "random", "selectors", "socket", "ssl",
    "subprocess", "tempfile", "typing", "unittest", "urllib", "uuid", "xml",
}  # fmt: skip

REPORT = """
import sys
sys.path.insert(0, {root!r})
before = set(sys.modules)
import pyagent
after = set(sys.modules) - before
print(pyagent.__version__, *sorted(after))
try:
    print(open("/proc/self/maps").read())
except FileNotFoundError:
    pass
"""


@pytest.fixture(scope="module")
def imported() -> tuple[set[str], str]:
    """The modules that the import brought, and the process's memory map where the system has one."""
    # -S: no site-packages, so that neither a .pth file nor an installed package hides what pyagent itself imports.
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", REPORT.format(root=str(ROOT))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said, _, maps = done.stdout.partition("\n")
    modules = set(said.split()[1:])
    assert "pyagent" in modules
    return modules, maps


def test_no_native_library_is_loaded(imported: tuple[set[str], str]) -> None:
    modules, maps = imported
    assert "ctypes" not in modules
    assert "libpyagent" not in maps
    if sys.platform.startswith("linux"):
        assert "libc" in maps or "ld-" in maps


def test_no_slow_module_is_imported(imported: tuple[set[str], str]) -> None:
    modules, _ = imported
    assert sorted(SLOW & modules) == []
    assert (
        sorted(name for name in modules if name.startswith(("pyagent.litellm", "pyagent.puter", "pyagent.cli"))) == []
    )


def test_importing_asyncio_is_left_to_those_who_use_it(imported: tuple[set[str], str]) -> None:
    modules, _ = imported
    assert not [name for name in modules if name.split(".")[0] in {"asyncio", "threading", "queue"}]


ANSWER = """
import ctypes, sys
sys.path.insert(0, {root!r})
before = set(sys.modules)
import pyagent
assert pyagent.Provider.echo().generate_text("Hello!") == "Hello!"
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others have no json in C")
@pytest.mark.skipif(bool(os.environ.get("PYAGENT_TRANSPORT")), reason="sockets bring what is not wanted here")
def test_a_first_answer_imports_little() -> None:
    """Each module that a first answer brings beside ctypes delays it; these would take longer than all the others."""
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", ANSWER.format(root=str(ROOT))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    modules = set(done.stdout.split())
    brought = {name for name in modules if not name.startswith("pyagent")}
    slow = SLOW | {"collections", "contextlib", "enum", "functools", "re", "signal", "threading"}
    assert sorted(brought & slow) == []
    assert sorted(modules & {f"pyagent.{name}" for name in ("events", "stream", "async_stream", "embeddings")}) == []


def test_the_import_does_no_work_that_needs_the_environment() -> None:
    """The same import works in an empty environment, in a folder where nothing may be written."""
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pyagent; print(pyagent.__version__)"
    command = [sys.executable, "-I", "-S", "-X", "utf8", "-c", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={}, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
