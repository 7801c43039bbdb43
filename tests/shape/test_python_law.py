"""Who may import whom in Python: two files know the foreign-function layer, and nothing is needed from outside."""

from __future__ import annotations

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "pyagent").rglob("*.py"))
DROP_INS = ("litellm", "puter")


def test_there_are_files_to_look_at() -> None:
    assert ROOT / "pyagent" / "_lib.py" in FILES
    assert len(FILES) > 10


def imported(path: Path) -> Iterator[str]:
    """The full names that a file imports, at its top or inside functions; relative ones made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            module = (base + (node.module or "")).rstrip(".")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def in_standard_library(name: str) -> bool:
    if hasattr(sys, "stdlib_module_names"):
        return name in sys.stdlib_module_names
    found = importlib.util.find_spec(name)
    origin = (found.origin or "") if found else ""
    folder = sysconfig.get_path("stdlib")
    return origin in {"built-in", "frozen"} or (origin.startswith(folder) and "site-packages" not in origin)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports(path: Path) -> None:
    place = path.relative_to(ROOT / "pyagent").parts[0]
    for name in imported(path):
        top = name.split(".")[0]
        if top == "pyagent":
            inner = name.split(".")[1] if "." in name else ""
            assert inner not in DROP_INS or place == inner, f"{name}: nobody here imports a drop-in"
            if place in DROP_INS and inner != place:
                is_public = not inner.startswith("_") or inner == "__version__"
                assert is_public, f"{name}: a drop-in uses public names only"
        elif top in {"ctypes", "_ctypes", "cffi", "_cffi_backend"}:
            assert path.name in ("_lib.py", "_process.py"), f"{name}: only _lib.py and its like know C"
        elif top == "trio":
            assert path == ROOT / "pyagent" / "_trio.py", f"{name}: only a program that runs trio itself gets there"
        elif name == "typing_extensions.Unpack":
            # Every type checker brings it; a test of the light import would find it at run time.
            assert "if TYPE_CHECKING:" in path.read_text(encoding="utf-8")
        else:
            assert in_standard_library(top) or place in DROP_INS, f"{name} is not in the standard library"
