"""The C examples, compiled against the header and the library as they ship: plain, and with what watches over memory.

Not used: LeakSanitizer, which the options below switch off, and ThreadSanitizer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyagent import get_library

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "c"
HEADER = ROOT / "core" / "cabi"
MINGW = shutil.which("x86_64-w64-mingw32-gcc")
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler; `apt-get install gcc libc6-dev` brings one"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def build(tmp_path):
    """Compiles an example; the program finds the library beside itself."""

    def compile_it(name, *options):
        shutil.copy(get_library(), tmp_path / "libpyagent.so")
        program = tmp_path / name
        where = ["-I", HEADER, "-L", tmp_path, f"-Wl,-rpath,{tmp_path}"]
        flags = ["-std=c11", "-D_DEFAULT_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *options]
        command = [COMPILER, *flags, EXAMPLES / f"{name}.c", *where, "-lpyagent", "-lpthread", "-o", program]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return program

    return compile_it


def run(*command, timeout=120, **environment):
    environment = {**os.environ, **environment}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout, env=environment)


def assert_it_streams(done):
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Hello from C\n{")
    assert '"finish_reason":"stop"' in done.stdout


def assert_promises_hold(done):
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BROKEN" not in done.stdout
    assert done.stdout.count("\nok ") >= 20
    assert done.stdout.rstrip().endswith("0 broken")


def test_stream(build):
    done = run(build("stream"))
    assert_it_streams(done)
    assert done.stderr == ""


def test_check(build):
    assert_promises_hold(run(build("check")))


def test_check_on_one_processor(build):
    """Everything takes turns then, which is another order of events."""
    assert_promises_hold(run(build("check"), GOMAXPROCS="1"))


def test_check_with_strict_garbage_collection(build):
    """Go moves and frees as often as it can and checks every pointer that passes through C."""
    assert_promises_hold(run(build("check"), GOGC="1", GODEBUG="cgocheck=1,clobberfree=1"))


def test_the_header_is_c99_and_cpp(tmp_path):
    source = '#include "pyagent.h"\nint main(void) { return pyagent_abi_version == 0; }\n'
    for name, options in (("a.c", ["-std=c99", "-pedantic"]), ("b.cpp", ["-x", "c++", "-std=c++11", "-pedantic"])):
        (tmp_path / name).write_text(source)
        command = [COMPILER, *options, "-Wall", "-Wextra", "-Werror", "-Wno-address", "-I", HEADER, "-c", name]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60)
        if "cc1plus" in done.stderr and "No such file" in done.stderr:
            pytest.skip("no C++ compiler; `apt-get install g++` brings one")
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not MINGW, reason="no MinGW; `apt-get install gcc-mingw-w64-x86-64` brings it")
@pytest.mark.parametrize("name", ["stream", "check"])
def test_the_examples_are_for_windows_too(name):
    """Whether they run there is seen by tools/wheel_run.py, which has a DLL."""
    flags = ["-std=c11", "-D_DEFAULT_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", HEADER]
    done = run(MINGW, *flags, EXAMPLES / f"{name}.c", timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="seen to work on Linux only")


@linux
@pytest.mark.parametrize("name", ["stream", "check"])
def test_under_address_sanitizer(build, name):
    """The C side is instrumented; what the library does to C's buffers is what valgrind looks at below."""
    program = build(name, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    options = "detect_leaks=0:handle_segv=0:abort_on_error=0:strict_string_checks=1"
    done = run(program, ASAN_OPTIONS=options)
    (assert_it_streams if name == "stream" else assert_promises_hold)(done)
    assert "Sanitizer" not in done.stderr


def violations(log):
    """What valgrind found, without the noise of Go.

    Go keeps stacks where valgrind expects none, so it reports Go's own reads and writes there by the hundred, always at
    addresses that belong to no block of C's. What counts is an error in code of C's, and an access of Go's in or beside
    a block that C allocated or freed.
    """
    errors = re.split(r"^==\d+== *$", log, flags=re.MULTILINE)
    found = [error for error in errors if re.search(r"==\d+==    at 0x", error)]
    inner = re.compile(r"==\d+==    at 0x.*(\.go:|\.s:|<autogenerated>|libpyagent\.so)")
    return [error for error in found if not inner.search(error) or "a block of size" in error]


BROKEN = """
#include <stdlib.h>
#include "pyagent.h"
int main(void) {
    size_t needed, used;
    pyagent_inspect(0, NULL, 0, &needed);
    return pyagent_inspect(0, malloc(needed - 8), needed, &used); /* a lie: the library writes behind the block */
}
"""


# Go moves its stacks without telling, so for valgrind whatever passed through one may be uninitialised, also the bytes
# that it then writes into a buffer of C's. Only addresses are watched.
VALGRIND = ("valgrind", "--leak-check=no", "--error-limit=no", "--undef-value-errors=no")

valgrind = pytest.mark.skipif(
    not shutil.which("valgrind"), reason="valgrind is not installed; `apt-get install valgrind` brings it"
)


@linux
@valgrind
@pytest.mark.parametrize("name", ["stream", "check"])
def test_under_valgrind(build, name):
    done = run(*VALGRIND, build(name), timeout=280)
    (assert_it_streams if name == "stream" else assert_promises_hold)(done)
    assert "ERROR SUMMARY" in done.stderr
    assert violations(done.stderr) == []


@linux
@valgrind
def test_valgrind_would_see_a_write_behind_a_buffer(build, tmp_path, monkeypatch):
    (tmp_path / "broken.c").write_text(BROKEN)
    monkeypatch.setattr(sys.modules[__name__], "EXAMPLES", tmp_path)
    done = run(*VALGRIND, build("broken"), timeout=120)
    assert any(re.search(r"block of size [\d,]+ alloc'd", error) for error in violations(done.stderr))
