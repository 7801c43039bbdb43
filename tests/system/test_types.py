"""What type checkers make of the package in a program that uses it, and of the examples in the documents."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "cases" / "types"  # programs, whose wrong lines say so

# A page whose blocks of Python, one behind the other, are a program without errors.
PAGES = ["conversations.md", "streaming.md", "structured-output.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs() -> dict[str, str]:
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(CASES.glob("*.txt"))}
    for page in PAGES:
        found[page] = "\n\n".join(BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")))
    return found


def mypy(program: Path) -> list[str]:
    """The errors that mypy finds, `line: message` each."""
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.12", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--cache-dir", ROOT / ".mypy_cache" / "types", program],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr
    return [line.split(":", 1)[1] for line in done.stdout.splitlines() if ": error: " in line]


def pyright(program: Path) -> list[str]:
    """The errors that pyright finds, by its own name or that of the package that brings it without a download."""
    names = ("pyright", "basedpyright")
    paths = [shutil.which(name, path=place) for name in names for place in (str(Path(sys.executable).parent), None)]
    command = next((path for path in paths if path), None)
    if command is None:
        pytest.skip("pyright is not installed: pip install basedpyright")
    config = {"typeCheckingMode": "standard", "pythonVersion": "3.12", "extraPaths": [str(ROOT)], "include": ["."]}
    settings = program.parent / "pyrightconfig.json"
    settings.write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [command, "--project", settings, "--pythonpath", sys.executable, "--outputjson"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1
    return [
        f"{problem['range']['start']['line'] + 1}: {problem['message']}"
        for problem in found["generalDiagnostics"]
        if problem["severity"] == "error"
    ]


@pytest.mark.parametrize("check", [mypy, pyright], ids=["mypy", "pyright"])
@pytest.mark.parametrize("name", programs())
def test_right_programs_are_accepted_and_wrong_lines_refused(
    name: str, check: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    if name == "objects":
        pytest.importorskip("pydantic")
        pytest.importorskip("msgspec")
    text = programs()[name]
    program = tmp_path / "program.py"
    program.write_text(text, encoding="utf-8")
    errors = check(program)
    wanted = [number for number, line in enumerate(text.splitlines(), 1) if "# error: " in line]
    assert wanted or name in PAGES
    assert sorted({int(error.split(":")[0]) for error in errors}) == wanted, errors
