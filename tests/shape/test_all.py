"""`__all__` of every public module is exactly what the module offers."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_public(path: Path) -> bool:
    return not any(part.startswith("_") for part in module_name(path).split("."))


MODULES = [path for path in sorted((ROOT / "pyagent").rglob("*.py")) if is_public(path)]


def test_there_are_modules_to_look_at() -> None:
    assert {"pyagent", "pyagent.errors", "pyagent.provider"} <= {module_name(path) for path in MODULES}


def defined(path: Path) -> tuple[set[str], set[str]]:
    """The public names that a file defines at its top level, and those that it imports there."""
    made: set[str] = set()
    fetched: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.Assign):
            made |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            made.add(node.target.id)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            fetched |= {alias.asname or alias.name for alias in node.names}
    hidden = {"TYPE_CHECKING"}
    return {name for name in made if not name.startswith("_")} - hidden, {n for n in fetched if not n.startswith("_")}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_all_is_what_is_public(path: Path) -> None:
    module = importlib.import_module(module_name(path))
    offered = getattr(module, "__all__", None)
    assert offered is not None, "a public module has an __all__"
    assert len(offered) == len(set(offered)), "a name stands twice"
    for name in offered:
        assert hasattr(module, name), f"{name} is in __all__ and does not exist"
    made, fetched = defined(path)
    public = set(offered) - {"__version__"}
    assert made <= public, f"not in __all__: {sorted(made - public)}; a helper's name begins with an underscore"
    assert not any(name.startswith("_") for name in public)
    if path.name == "__init__.py":
        assert fetched <= public, f"imported and not in __all__: {sorted(fetched - public)}"


def test_dir_of_the_package_lists_all() -> None:
    import pyagent

    assert set(pyagent.__all__) <= set(dir(pyagent))
