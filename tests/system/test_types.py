"""What type checkers make of the package in a program that uses it, and of the examples in the documents."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "cases" / "types"  # programs, whose wrong lines say so

# Pages whose blocks of Python, one behind the other, are a program without errors.
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Pages with functions whose parameters and results have no types, for the sake of brevity.
UNTYPED = {"README.md", "hooks.md", "quickstart.md", "tools.md"}
BRIEF = "# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls\n"

Check = Callable[[Path], "dict[str, list[str]]"]


def programs() -> dict[str, str]:
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(CASES.glob("*.txt"))}
    for page in PAGES:
        if blocks := BLOCK.findall(page.read_text(encoding="utf-8")):
            found[page.name] = "\n\n".join([*blocks, BRIEF] if page.name in UNTYPED else blocks)
    return found


def mypy(folder: Path) -> dict[str, list[str]]:
    """The errors that mypy finds, `line: message` each, by the file."""
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.12", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--cache-dir", ROOT / ".mypy_cache" / "types", *folder.glob("*.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if ": error: " in line:
            path, _, error = line.partition(":")
            found.setdefault(Path(path).name, []).append(error)
    return found


def pyright(folder: Path) -> dict[str, list[str]]:
    """What pyright finds, by its own name or that of the package that brings it without a download."""
    names = ("pyright", "basedpyright")
    paths = [shutil.which(name, path=place) for name in names for place in (str(Path(sys.executable).parent), None)]
    command = next((path for path in paths if path), None)
    if command is None:
        pytest.skip("pyright is not installed: pip install basedpyright")
    config = {"typeCheckingMode": "standard", "pythonVersion": "3.12", "extraPaths": [str(ROOT)], "include": ["."]}
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [command, "--project", settings, "--pythonpath", sys.executable, "--outputjson"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["summary"]["filesAnalyzed"] == len(programs())
    found: dict[str, list[str]] = {}
    for problem in said["generalDiagnostics"]:
        if problem["severity"] == "error":
            error = f"{problem['range']['start']['line'] + 1}: {problem['message']}"
            found.setdefault(Path(problem["file"]).name, []).append(error)
    return found


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Check], dict[str, list[str]]]:
    """What a checker says of all programs, which it is given at once, because most of its time is its start."""
    folder = tmp_path_factory.mktemp("programs")
    for name, text in programs().items():
        (folder / file_of(name)).write_text(text, encoding="utf-8")
    return cache(lambda check: check(folder))


def file_of(name: str) -> str:
    return f"program_{re.sub(r'[^a-z]', '_', name.lower())}.py"


@pytest.mark.parametrize("check", [mypy, pyright], ids=["mypy", "pyright"])
@pytest.mark.parametrize("name", programs())
def test_right_programs_are_accepted_and_wrong_lines_refused(
    name: str, check: Check, errors: Callable[[Check], dict[str, list[str]]]
) -> None:
    if name == "objects":
        pytest.importorskip("pydantic")
        pytest.importorskip("msgspec")
    found = errors(check).get(file_of(name), [])
    wanted = [number for number, line in enumerate(programs()[name].splitlines(), 1) if "# error: " in line]
    assert wanted or name.endswith(".md")
    assert sorted({int(error.split(":")[0]) for error in found}) == wanted, found
