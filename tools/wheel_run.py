"""Runs wheels, each as far as this machine can, and says of each what was run and what was not.

    python tools/wheel_run.py dist/*.whl

A wheel for this machine is installed and asked. For another machine there is qemu-user; for Windows, Wine, with
programs that MinGW's gcc links with nothing but the DLL. Where these are not there, nothing is run, which is no
failure: the line says what brings them.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SYSTEMS = {"win": "Windows", "macosx": "macOS"}
PROGRAMS = {"stream": '"finish_reason":"stop"', "check": ", 0 broken"}  # of examples/c, and what they say in the end
C_FLAGS = ("-std=c11", "-D_DEFAULT_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror")
SECONDS = 300  # for one command, on an emulated machine

PYTHON_PROGRAM = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import pyagent
assert pyagent.__file__.startswith(sys.argv[1]), pyagent.__file__
provider = pyagent.Provider.echo()
async def many():
    return await asyncio.gather(*(provider.agenerate_text(str(number)) for number in range(20)))
said = [provider.generate_text("one"), "".join(provider.stream_text("one two three")), *asyncio.run(many())]
assert said == ["one", "one two three", *map(str, range(20))], said
print("all as it was asked")
"""

# Where Go gets random numbers from on Windows. Some versions of Wine are without this file, 8.0 for one.
RANDOM = "bcryptprimitives.dll"
MARK = b"stand-in of pyagent's"
STAND_IN = f"""
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) const char mark[] = "{MARK.decode()}";
__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *data, SIZE_T size) {{ return RtlGenRandom(data, (ULONG)size); }}
"""


class NotRun(Exception):
    """Something is not there; the message says what, and what brings it."""


class Failure(Exception):
    """What went wrong with a wheel, in words."""


def run(wheel: Path, folder: Path) -> str:
    """Runs a wheel.

    Returns:
        What was run, in words.

    Raises:
        NotRun: This machine cannot.
        Failure: It did not do what it should.
    """
    system, machine = re.findall(r"-(manylinux|musllinux|win|macosx)\w*?_(x86_64|aarch64|amd64|arm64)\b", wheel.name)[0]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    if system == "manylinux":
        return run_native(wheel, folder) if machine == platform.machine() else run_emulated(machine, folder)
    if system == "musllinux":
        return run_executable(machine, folder)
    if (system, machine) == ("win", "amd64"):
        return run_wine(folder)
    raise NotRun(f"nothing here runs programs for {SYSTEMS[system]} on {machine}")


def run_native(wheel: Path, folder: Path) -> str:
    """pip has to take it, by its tag, and without an index."""
    place = folder / "installed"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    call(*pip, "install", "--quiet", "--no-index", "--target", place, wheel)
    ask(sys.executable, place=place)
    return "installed by pip, a program in Python"


def run_emulated(machine: str, folder: Path) -> str:
    """Programs in C, and one in Python if there is one of that machine, where the emulator looks for libraries."""
    emulator = [need(f"qemu-{machine}", "apt-get install qemu-user")]
    prefix = Path(os.environ.get("QEMU_LD_PREFIX", f"/usr/{machine}-linux-gnu"))
    if not list(prefix.glob("lib/ld-linux-*")):
        package = f"libc6-{machine.replace('aarch64', 'arm64').replace('x86_64', 'amd64')}-cross"
        raise NotRun(f"{prefix} holds no C library; `apt-get install {package}` brings one")
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-linux-gnu.2.17"]
    emulator += ["-L", str(prefix)]
    run_c(folder, compiler, ["-lpyagent", "-lpthread", "-Wl,-rpath,$ORIGIN"], emulator)
    pythons = [path for path in prefix.glob("usr/bin/python3*") if re.fullmatch(r"python3(\.\d+)?", path.name)]
    if not pythons:
        return "programs in C, emulated"
    ask(*emulator, pythons[0], place=folder)
    return "programs in C and in Python, emulated"


def run_executable(machine: str, folder: Path) -> str:
    """The executable needs no C library, so it runs where there is another one. The Python is that of this machine."""
    program = folder / "pyagent" / "pyagent-process"
    if machine == platform.machine():
        program.chmod(0o755)
        ask(sys.executable, place=folder)
        return "the executable, from this machine's Python"
    emulator = need(f"qemu-{machine}", "apt-get install qemu-user")
    program.chmod(0o755)
    wrapper = folder / "emulated"
    wrapper.write_text(f'#!/bin/sh\nexec "{emulator}" "{program}" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    ask(sys.executable, place=folder, PYAGENT_EXECUTABLE=str(wrapper))
    return "the executable, emulated, from this machine's Python"


def run_wine(folder: Path) -> str:
    """Programs in C that MinGW's gcc links with the DLL itself."""
    compiler = need("x86_64-w64-mingw32-gcc", "apt-get install gcc-mingw-w64-x86-64")
    wine = need("wine", "apt-get install wine wine64")
    windows = {"WINEPREFIX": str(ROOT / ".cache" / "wine"), "WINEDEBUG": "-all"}
    random = Path(windows["WINEPREFIX"], "drive_c", "windows", "system32", RANDOM)
    if not random.parent.exists():
        Path(windows["WINEPREFIX"]).mkdir(parents=True, exist_ok=True)
        call(wine, "wineboot", "--init", **windows)
    if not random.exists():
        (folder / "random.c").write_text(STAND_IN, encoding="utf-8")
        call(compiler, "-shared", folder / "random.c", "-o", random)
    run_c(folder, [compiler], ["-lpyagent", "-Wl,-Bstatic", "-lpthread"], [wine], **windows)
    said = f"programs in C, linked by MinGW's gcc, under {call(wine, '--version', **windows).split()[0]}"
    return said + (f" with a stand-in for its {RANDOM}" if MARK in random.read_bytes() else "")


def run_c(folder: Path, compiler: list[str], libraries: list[str], runner: list[str], **environment: str) -> None:
    """Links the examples with the library of a wheel, and runs them beside it."""
    package = folder / "pyagent"
    for name, ending in PROGRAMS.items():
        where = ("-I", package / "include", "-L", package)
        program = package / f"{name}.exe"
        call(*compiler, *C_FLAGS, ROOT / "examples" / "c" / f"{name}.c", *where, *libraries, "-o", program)
        said = call(*runner, program, **environment)
        if ending not in said.rstrip().rpartition("\n")[2]:
            raise Failure(f"{name}.c ended with\n{said}")


def ask(*python: str | Path, place: Path, **environment: str) -> None:
    """Runs a program in Python, with the package at a place."""
    call(*python, "-I", "-c", PYTHON_PROGRAM, place, **environment)


def need(program: str, remedy: str) -> str:
    found = shutil.which(program)
    if not found:
        raise NotRun(f"{program} is not installed; `{remedy}` brings it")
    return found


def call(*command: str | Path, **environment: str) -> str:
    """What a command prints. It finds no setting of pyagent's in its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYAGENT_", "PYTHON"))}
    try:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            env={**kept, **environment},
            cwd=tempfile.gettempdir(),
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"`{Path(command[0]).name}` has not ended within {SECONDS} s") from None
    if done.returncode:
        shown = " ".join(map(str, command))
        raise Failure(f"`{shown}` ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main(wheels: list[str]) -> int:
    """Prints a line for each wheel; 1 if one was run and failed."""
    failed = not wheels
    for wheel in map(Path, wheels):
        with tempfile.TemporaryDirectory() as folder:
            try:
                verdict = f"ran     {wheel.name}: {run(wheel.resolve(), Path(folder))}"
            except NotRun as reason:
                verdict = f"not run {wheel.name}: {reason}"
            except Failure as failure:
                verdict = f"FAILED  {wheel.name}: {failure}"
                failed = True
        print(verdict, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
