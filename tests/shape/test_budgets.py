"""Size budgets of Python files and functions; those of Go are in core/law_test.go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES = 400
FUNCTION_LINES = 60
EXAMPLE_LINES = 40
FOLDERS = ("pyagent", "tests", "tools", "benchmarks", "examples")
FILES = [ROOT / "setup.py", *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= FILE_LINES, "split it by job"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "the first sentence of a file says its one job"


@pytest.mark.parametrize("path", [path for path in FILES if "tests" not in path.parts], ids=name_of)
def test_functions(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or 0) - node.lineno + 1
            # A public docstring is the reference: it counts as documentation, not as code to be understood at once.
            documented = node.body[0]
            if ast.get_docstring(node, clean=False):
                lines -= (documented.end_lineno or 0) - documented.lineno + 1
            assert lines <= FUNCTION_LINES, f"{node.name} at line {node.lineno} has {lines} lines of code"


def test_examples_are_short() -> None:
    examples = sorted((ROOT / "examples").rglob("*.py"))
    assert examples, "there are no examples"
    for path in examples:
        assert len(path.read_text(encoding="utf-8").splitlines()) < EXAMPLE_LINES, name_of(path)
