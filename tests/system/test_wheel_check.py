"""The check of wheels that cannot be run here: it passes a good one, and names what is wrong with a bad one."""

from __future__ import annotations

import platform
import re
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


def check(root: Path, *wheels: Path) -> tuple[int, str]:
    command = [sys.executable, root / "tools" / "wheel_check.py", *wheels]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout


def renamed(wheel: Path, folder: Path, tag: str) -> Path:
    """The same wheel with the tag of another platform, outside and inside."""
    target = folder / re.sub(r"[^-]+\.whl$", f"{tag}.whl", wheel.name)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("/WHEEL"):
                content = re.sub(rb"(?m)^Tag: .*\n", b"", content) + f"Tag: py3-none-{tag}\n".encode()
            new.writestr(name, content)
    return target


def test_a_good_wheel(root: Path, wheel: Path) -> None:
    code, said = check(root, wheel)
    assert (code, said.split()[0], said.count("\n")) == (0, "ok", 1), said


def with_executable(wheel: Path, folder: Path, tag: str, content: bytes, mode: int) -> Path:
    """The same wheel as one for musl, with a file in the place of the executable."""
    old = renamed(wheel, folder, tag)
    new = folder / "new" / old.name
    new.parent.mkdir()
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if "libpyagent" not in name:
                target.writestr(name, source.read(name))
        entry = zipfile.ZipInfo("pyagent/pyagent-process")
        entry.external_attr, entry.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
        target.writestr(entry, content)
    return new


@pytest.mark.skipif(not Path(get_executable()).exists(), reason="`make build` makes the executable")
def test_a_wheel_for_musl(root: Path, wheel: Path, tmp_path: Path) -> None:
    program = Path(get_executable()).read_bytes()
    own, other = ("aarch64", "x86_64") if platform.machine() == "aarch64" else ("x86_64", "aarch64")
    cases = [
        (own, program, 0o755, "ok "),
        (own, program, 0o644, "is no program"),
        (other, program, 0o755, "the executable is for EM_"),
        (own, Path(sys.executable).resolve().read_bytes(), 0o755, "it is no static executable"),
    ]
    for number, (machine, content, mode, expected) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        code, said = check(root, with_executable(wheel, folder, f"musllinux_1_1_{machine}", content, mode))
        assert code == int(expected != "ok "), said
        assert expected in said


def test_no_wheel_is_a_failure(root: Path) -> None:
    assert check(root) == (1, "")


def test_a_tag_that_promises_too_much(root: Path, wheel: Path, tmp_path: Path) -> None:
    machine = re.search(r"manylinux_2_\d+_(\w+)", wheel.name)
    assert machine
    code, said = check(root, renamed(wheel, tmp_path, f"manylinux_2_2_{machine.group(1)}"))
    assert code == 1
    assert re.search(r"GLIBC_2\.\d+ is asked for", said)
    assert "tags inside" not in said


def test_a_tag_of_another_machine(root: Path, wheel: Path, tmp_path: Path) -> None:
    other = "aarch64" if "x86_64" in wheel.name else "x86_64"
    code, said = check(root, renamed(wheel, tmp_path, f"manylinux_2_99_{other}"))
    assert code == 1
    assert "the library is for EM_" in said


def test_a_tag_of_another_system(root: Path, wheel: Path, tmp_path: Path) -> None:
    code, said = check(root, renamed(wheel, tmp_path, "win_amd64"))
    assert code == 1
    assert "libpyagent.dll is not the only core" in said


def test_a_name_that_is_not_what_is_inside(root: Path, wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / re.sub(r"[^-]+\.whl$", "manylinux_2_99_x86_64.whl", wheel.name)
    target.write_bytes(wheel.read_bytes())
    code, said = check(root, target)
    assert code == 1
    assert "the tags inside are" in said


def test_a_header_that_does_not_fit(root: Path, wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"pyagent_wake(", b"pyagent_rouse(") if name.endswith(".h") else content)
    code, said = check(root, target)
    assert code == 1
    assert "differ in ['pyagent_rouse', 'pyagent_wake']" in said
