"""The package tells compilers of other languages where things are: functions, a command, a pkg-config file."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pyagent

ROOT = Path(__file__).resolve().parents[2]
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
PROGRAM = f"""
#include <stdio.h>
#include <string.h>
#include <pyagent.h>
int main(void) {{
    puts(pyagent_version());
    return strcmp(pyagent_version(), "{pyagent.__version__}") != 0 || pyagent_abi_version() != PYAGENT_ABI_VERSION;
}}
"""


def config(*options: str, **environment: str) -> str:
    command = [sys.executable, "-m", "pyagent", "config", *options]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=30, env={**os.environ, **environment}
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def compile_and_run(folder: Path, flags: list[str], libraries: list[str]) -> None:
    """The program is run without a search path: what it was linked with says where the library is."""
    (folder / "main.c").write_text(PROGRAM, encoding="utf-8")
    assert COMPILER
    program = folder / "main"
    subprocess.run([COMPILER, *flags, folder / "main.c", *libraries, "-o", program], check=True, timeout=60)
    done = subprocess.run([program], check=False, capture_output=True, text=True, timeout=30, env={})
    assert (done.returncode, done.stdout.strip()) == (0, pyagent.__version__)


def test_they_are_there() -> None:
    assert Path(pyagent.get_library()).is_file()
    header = Path(pyagent.get_include(), "pyagent.h")
    assert header.read_bytes() == (ROOT / "core" / "cabi" / "pyagent.h").read_bytes()
    assert Path(config("--pkgconfig-dir").strip(), "pyagent.pc").is_file()


def test_another_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYAGENT_LIBRARY", "/elsewhere/libpyagent.so")
    assert pyagent.get_library() == "/elsewhere/libpyagent.so"


def test_asking_loads_nothing() -> None:
    script = "import sys, pyagent; pyagent.get_library(); pyagent.get_include(); print('ctypes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout == "False\n"


def test_every_place_is_listed() -> None:
    rows = dict(line.split(maxsplit=1) for line in config().splitlines())
    assert (rows["include"], rows["library"]) == (pyagent.get_include(), pyagent.get_library())
    assert Path(rows["pkg-config"], "pyagent.pc").is_file()


def test_what_is_not_there_is_not_shown(tmp_path: Path) -> None:
    """A wheel has the library or the executable."""
    rows = config(PYAGENT_LIBRARY=str(tmp_path / "libpyagent.so"), PYAGENT_EXECUTABLE=__file__).splitlines()
    assert rows[-2:] == ["library        not there", f"executable     {__file__}"]


@pytest.mark.parametrize("option", ["--libs", "--pkgconfig-dir"])
def test_there_is_nothing_to_link_with(tmp_path: Path, option: str) -> None:
    environment = {**os.environ, "PYAGENT_LIBRARY": str(tmp_path / "libpyagent.so")}
    command = [sys.executable, "-m", "pyagent", "config", option]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"there is no {tmp_path}/libpyagent.so to link with" in done.stderr


posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell's quotes, and a path in the program, are POSIX's")
compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler; `apt-get install gcc libc6-dev` brings one")


@posix
def test_a_shell_takes_what_is_printed(tmp_path: Path) -> None:
    folder = tmp_path / "a place; of 'mine'"
    folder.mkdir()
    (folder / "libpyagent.so").touch()
    words = shlex.split(config("--libs", PYAGENT_LIBRARY=f"{folder}/libpyagent.so"))
    assert words == [f"-L{folder}", "-lpyagent", f"-Wl,-rpath,{folder}"]


@posix
@compiler
def test_the_flags_make_a_program(tmp_path: Path) -> None:
    compile_and_run(tmp_path, shlex.split(config("--cflags")), shlex.split(config("--libs")))
    both = shlex.split(config("--cflags", "--libs"))
    assert both == shlex.split(config("--cflags")) + shlex.split(config("--libs"))


@posix
@compiler
@pytest.mark.skipif(not shutil.which("pkg-config"), reason="no pkg-config; `apt-get install pkg-config` brings it")
def test_the_pkg_config_file_makes_a_program(tmp_path: Path) -> None:
    def ask(option: str) -> list[str]:
        environment = {**os.environ, "PKG_CONFIG_PATH": config("--pkgconfig-dir").strip()}
        command = ["pkg-config", option, "pyagent"]
        return shlex.split(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)

    assert ask("--modversion") == [pyagent.__version__]
    compile_and_run(tmp_path, ask("--cflags"), ask("--libs"))


@pytest.mark.skipif(
    not shutil.which("readelf"), reason="readelf (from binutils) is not installed, or files are not ELF"
)
def test_the_library_needs_nothing_but_the_c_library() -> None:
    listed = subprocess.run(["readelf", "-d", pyagent.get_library()], check=True, capture_output=True, text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.+?)\]", listed))
    assert "libc.so.6" in needed
    assert {re.sub(r"\.so.*", "", name) for name in needed} <= {"libc", "libpthread", "libdl", "libresolv", "librt"}
