"""The files around the code agree with each other: versions, build settings, make targets, licence."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_one_version() -> None:
    (python,) = re.findall(r'^__version__ = "(\d+\.\d+\.\d+)"$', read("pyagent/_version.py"), re.MULTILINE)
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "core").rglob("*.go"))
    assert re.findall(r'^\s*(?:const\s+)?Version\s+=\s+"(.+)"$', text, re.MULTILINE) == [python]
    assert re.search(rf"^## \[?{re.escape(python)}\b", read("CHANGELOG.md"), re.MULTILINE), (
        "CHANGELOG.md has no such release"
    )


def test_the_core_requires_nothing() -> None:
    assert re.fullmatch(r"module pyagent\n\ngo (\d+\.\d+)(\.\d+)?\n", read("go.mod"))
    assert not (ROOT / "go.sum").exists()
    assert not (ROOT / "vendor").exists()


def test_every_make_target_is_explained_and_short() -> None:
    makefile = read("Makefile")
    declared = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    daily = "help demo build fmt lint check test race fuzz bench"
    assert " ".join(declared) == f"{daily} process other compat hosts docs wheel sdist wheels"
    for target in declared:
        rule = re.search(rf"^{target}:.*## .+\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        assert rule, f"make {target} has no recipe or no explanation"
        assert rule.group(1).count("\n") <= 3
    said = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"^make (\w+) ", said, re.MULTILINE) == declared


def test_the_continuous_integration_calls_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert read(".ci/run").rstrip().endswith("make test")


def test_the_licence_is_apache() -> None:
    text = read("LICENSE")
    assert "Apache License\n" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in read("pyproject.toml")


FOLDERS = (
    "benchmarks", "core", "docs", "docs/decisions", "examples", "examples/c", "hosts", "pyagent", "pyagent/cli",
    "tests/abi", "tests/cases", "tests/shape", "tests/system", "tests/unit",
)  # fmt: skip
FILES = (
    ".ci/run", "CHANGELOG.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md", "go.mod", "core/cabi/pyagent.h",
    "docs/index.md", "docs/quickstart.md", "docs/configuration.md", "docs/errors.md", "docs/abi.md",
    "docs/architecture.md", "docs/new-provider.md", "docs/contributing.md", "pyagent/py.typed",
)  # fmt: skip


def test_the_layout() -> None:
    assert [name for name in FOLDERS if not (ROOT / name).is_dir()] == []
    assert [name for name in FILES if not (ROOT / name).is_file()] == []
