"""The tool that runs wheels: it runs a good one, says what is wrong with a bad one, and what it cannot run."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pyagent import get_executable

pytestmark = [
    pytest.mark.timeout(600),  # The first of the tests that use the wheel builds it.
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the wheel of this machine is to be one of Linux"),
]


def run(root: Path, *wheels: Path, path: str = os.environ["PATH"]) -> tuple[int, str]:
    command = [sys.executable, root / "tools" / "wheel_run.py", *wheels]
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=environment)
    assert done.stderr == ""
    return done.returncode, done.stdout


def changed(wheel: Path, target: Path, **contents: bytes) -> Path:
    """The same wheel with other files in the place of its own."""
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, contents.get(Path(name).stem, old.read(name)))
    return target


@pytest.fixture
def for_musl(wheel: Path, tmp_path: Path) -> Path:
    """The wheel with the executable in the place of the library."""
    if not Path(get_executable()).exists():
        pytest.skip("`make build` makes the executable")
    machine = "aarch64" if "aarch64" in wheel.name else "x86_64"
    target = tmp_path / f"pyagent-0-py3-none-musllinux_1_1_{machine}.whl"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if "libpyagent" not in name:
                new.writestr(name, old.read(name))
        new.write(get_executable(), "pyagent/pyagent-process")
    return target


def test_a_good_wheel(root: Path, wheel: Path) -> None:
    assert run(root, wheel) == (0, f"ran     {wheel.name}: installed by pip, a program in Python\n")


def test_a_wheel_for_musl(root: Path, for_musl: Path) -> None:
    assert run(root, for_musl) == (0, f"ran     {for_musl.name}: the executable, from this machine's Python\n")


def test_an_executable_that_is_none(root: Path, for_musl: Path, tmp_path: Path) -> None:
    code, said = run(root, changed(for_musl, tmp_path / f"2-{for_musl.name}", **{"pyagent-process": b"no program"}))
    assert (code, said[:6]) == (1, "FAILED"), said
    assert "InternalError" in said


def test_what_a_wheel_answers_is_looked_at(root: Path, for_musl: Path, tmp_path: Path) -> None:
    text = (root / "pyagent" / "provider.py").read_text(encoding="utf-8")
    end = "\n\nProvider.generate_text = lambda *_, **__: 'two'\n"
    code, said = run(root, changed(for_musl, tmp_path / f"2-{for_musl.name}", provider=(text + end).encode()))
    assert code == 1
    assert "AssertionError: ['two', 'one two three'," in said


def test_what_is_not_there_is_said_and_no_failure(root: Path, wheel: Path, tmp_path: Path) -> None:
    other = "aarch64" if "x86_64" in wheel.name else "x86_64"
    expected = {
        f"manylinux_2_17_{other}": f"qemu-{other} is not installed; `apt-get install qemu-user` brings it",
        f"musllinux_1_1_{other}": f"qemu-{other} is not installed; `apt-get install qemu-user` brings it",
        "win_amd64": ("x86_64-w64-mingw32-gcc is not installed; `apt-get install gcc-mingw-w64-x86-64` brings it"),
        "win_arm64": "nothing here runs programs for Windows on arm64",
        "macosx_12_0_arm64": "nothing here runs programs for macOS on arm64",
    }
    wheels = [changed(wheel, tmp_path / f"pyagent-0-py3-none-{tag}.whl") for tag in expected]
    lines = [f"not run {path.name}: {reason}\n" for path, reason in zip(wheels, expected.values())]
    assert run(root, *wheels, path=str(tmp_path)) == (0, "".join(lines))


def test_no_wheel_is_a_failure(root: Path) -> None:
    assert run(root) == (1, "")
