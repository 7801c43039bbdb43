"""The bindings of other languages are short, and their pages show the programs that are run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = 200


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hosts_tool", ROOT / "tools" / "hosts.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOSTS = load().HOSTS
NAMES = sorted(HOSTS)


def page(name: str) -> str:
    return (ROOT / "docs" / "hosts" / f"{name}.md").read_text(encoding="utf-8")


def test_every_host_is_listed() -> None:
    folders = [path.name for path in (ROOT / "hosts").iterdir() if path.is_dir()]
    pages = [path.stem for path in (ROOT / "docs" / "hosts").glob("*.md") if path.stem != "index"]
    assert (sorted(folders), sorted(pages)) == (NAMES, NAMES)
    index = page("index")
    for name in NAMES:
        assert f"| [{HOSTS[name].title}]({name}.md) | `hosts/{name}/" in index


@pytest.mark.parametrize("name", NAMES)
def test_a_binding_is_short(name: str) -> None:
    files = [ROOT / "hosts" / name / binding for binding in HOSTS[name].binding]
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert files
    assert sum(len(text.splitlines()) for text in texts) <= LINES
    assert max(len(line) for text in texts for line in text.splitlines()) <= 120
    for file in files:
        assert file.name in page(name) + page("index"), f"{file.name} is not on the page"


def flat(code: str) -> str:
    """Code without its indentation and empty lines: a page shows the inside of a function from the margin on."""
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_the_program(name: str) -> None:
    """Commands apart, each block of a page is a part of the example, whole lines of it."""
    (example,) = [path for path in (ROOT / "hosts" / name).rglob("[eE]xample.*") if "build" not in path.parts]
    whole = f"\n{flat(example.read_text(encoding='utf-8'))}\n"
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    shown = [code for language, code in found if language not in {"sh", "text", "toml", "xml", "json"}]
    assert shown, "the page shows nothing"
    for code in shown:
        assert f"\n{flat(code)}\n" in whole, code
    assert found[-1][0] == "text" or any(language == "text" for language, _ in found)
