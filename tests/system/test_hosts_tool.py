"""tools/hosts.py fails a binding that does not do what it says, and skips one whose tools are missing."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from pyagent._fake import FakeServer

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ["stream", "tools", "error", "cancel", "many", "handles"]
ALL = "".join(f"print('ok {name}')\n" for name in CHECKS)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool with one host, in a folder of the test's."""
    spec = importlib.util.spec_from_file_location("hosts_tool", ROOT / "tools" / "hosts.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    host = module.Host(title="A", binding=(), needs=(), run=f"{sys.executable} {{program}}.py")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "SECONDS", 5)
    monkeypatch.setattr(module, "HOSTS", {"a": host})
    (tmp_path / "a").mkdir()
    return module


@pytest.fixture
def complaint(tool: ModuleType, tmp_path: Path) -> Callable[[str], str]:
    """What the tool says about a program that makes the checks."""

    def run(program: str) -> str:
        (tmp_path / "a" / "checks.py").write_text(program, encoding="utf-8")
        with FakeServer() as server, pytest.raises(tool.Failure) as failure:
            tool.check("a", server, 1)
        return str(failure.value)

    return run


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("print('ok stream'); raise SystemExit(3)", "ended with 3:\nok stream"),
        ("print('ok stream')", "passed were ['stream']"),
        ("print('ok tools')\n" + ALL, "passed were ['tools', 'stream'"),
        (ALL, "tools: the server was to be told the result of the tool once, and saw []"),
        ("import time; time.sleep(60)", "have not ended within 5 s"),
    ],
)
def test_a_program_that_does_not_do_it(complaint: Callable[[str], str], program: str, words: str) -> None:
    assert words in complaint(program)


def test_the_example_is_compared_with_its_page(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a" / "example.py").write_text("print('this')", encoding="utf-8")
    monkeypatch.setattr(tool, "shown", lambda name: "that\n")
    assert tool.main([]) == 1
    assert "FAILED: the example printed\nthis\n\nand its page says\nthat" in capsys.readouterr().out


def test_what_is_missing_is_a_skip(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needs = (("no-such-compiler --version", "nothing"),)
    monkeypatch.setattr(tool, "HOSTS", {"a": tool.HOSTS["a"]._replace(needs=needs)})
    assert tool.main(["a"]) == 0
    assert capsys.readouterr().out == "a      skipped: no-such-compiler is not installed; `nothing` brings it\n"


def test_what_takes_long_is_left_out_on_demand(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "HOSTS", {"a": tool.HOSTS["a"]._replace(quick=False)})
    assert tool.main(["--quick"]) == 0
    assert "a      skipped: takes long to fetch and build; `make hosts` does it" in capsys.readouterr().out
