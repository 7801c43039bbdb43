"""Every block of code in the README and the documents runs, against a model server that answers as the page says.

A comment before a block scripts the server: `<!-- answer: {...} -->` for every request of the block,
`<!-- answers: [...] -->` for one after the other; the fields are those of core/fake/script.go, and without them the
server repeats the question. A block of text behind a block of Python is what it prints. `<!-- not run: reason -->`
leaves a block out, `<!-- needs Python 3.10 -->` leaves it out for older ones.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"((?:^<!--[^\n]*-->\n)*)^```(\w+)\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)
# Addresses of which the pages speak, in place of which the test server is asked.
ADDRESSES = ("https://llm.example.com/v1", "http://127.0.0.1:9000/v1")


class Block:
    """One fenced block: its language and code, the comments before it, and the output that is shown behind it."""

    def __init__(self, page: Path, found: re.Match[str]) -> None:
        self.comments, self.language, self.code, self.output = found.groups()
        line = page.read_text(encoding="utf-8")[: found.start(3)].count("\n")
        self.lines = "\n" * line + self.code  # so that a traceback names the line of the page
        needed = re.search(r"<!-- needs Python 3\.(\d+) -->", self.comments)
        too_old = needed is not None and sys.version_info < (3, int(needed.group(1)))
        self.skipped = "<!-- not run:" in self.comments or too_old

    def scripts(self) -> tuple[list[dict[str, object]], bool]:
        """The answers, and whether they are for one request after the other."""
        found = re.search(r"<!-- (answers?): (.*) -->", self.comments)
        if not found:
            return [{}], False
        value = json.loads(found.group(2))
        return (value, True) if found.group(1) == "answers" else ([value], False)


def blocks(page: Path, language: str) -> list[Block]:
    found = [Block(page, match) for match in FENCE.finditer(page.read_text(encoding="utf-8"))]
    return [block for block in found if block.language == language and not block.skipped]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


class Relay(BaseHTTPRequestHandler):
    """Passes a request on to the fake server, with the next script of the block that runs."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, ScriptedServer)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        upstream = http.client.HTTPConnection(server.upstream)
        headers = {"Content-Type": "application/json", "X-Fake-Script": json.dumps(server.next_script())}
        with contextlib.closing(upstream), contextlib.suppress(OSError, http.client.HTTPException):
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"transfer-encoding", "connection", "date"}:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while data := answer.read1(65536):
                self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class ScriptedServer(ThreadingHTTPServer):
    """A model server for the blocks of the pages."""

    daemon_threads = True
    request_queue_size = 128  # some blocks ask many questions at once

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), Relay)
        self.upstream = upstream
        self.scripts: list[dict[str, object]] = [{}]
        self.in_turn = False
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def next_script(self) -> dict[str, object]:
        with self._lock:
            return self.scripts.pop(0) if self.in_turn else self.scripts[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is what some pages show."""


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    from pyagent._fake import FakeServer

    with FakeServer() as fake, ScriptedServer(fake.address) as relay:
        serving = threading.Thread(target=relay.serve_forever)
        serving.start()
        yield relay
        relay.shutdown()
        serving.join()


@pytest.fixture
def vendors(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """Every vendor's key and address lead to the test server."""
    from pyagent._registry import ROWS

    for row in ROWS.values():
        for name in row.base_url_env:
            monkeypatch.setenv(name, server.url)
        for name in row.key_env:
            monkeypatch.setenv(name, "sk-test-0123456789")
    for name in ("REQUEST_TIMEOUT_SECS", "CONNECT_TIMEOUT_SECS", "MAX_RETRIES", "RETRY_BACKOFF_MS"):
        monkeypatch.delenv(f"PYAGENT_{name}", raising=False)
    return server


def test_there_is_code_to_run() -> None:
    assert {"README.md", "docs/quickstart.md", "docs/errors.md"} <= {name_of(page) for page in pages_with("python")}
    assert len(blocks(ROOT / "README.md", "python")) >= 5


@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_python_runs(page: Path, vendors: ScriptedServer) -> None:
    """The blocks of a page, one behind the other, are one program."""
    if sys.implementation.name == "pypy" and page.name == "conversations.md":
        pytest.skip("a block leaves a loop, and looks at once for what PyPy does when it collects")
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page, "python"):
        vendors.scripts, vendors.in_turn = block.scripts()
        code = block.lines
        for address in ADDRESSES:
            code = code.replace(address, vendors.url)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec", dont_inherit=True), names)
        if block.output is not None:
            assert printed.getvalue().rstrip() == block.output.rstrip()
        assert not vendors.in_turn or vendors.scripts == [], "the page scripts more answers than the block asks for"
    names.clear()  # free-threaded Python 3.13 keeps functions for ever, and with them the names that they could use


@pytest.mark.parametrize("page", pages_with("json"), ids=name_of)
def test_json_is_json(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block.code)


C_PROGRAM = """
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "pyagent.h"
int main(void) {
%s
    return 0;
}
"""


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed; `apt-get install gcc libc6-dev` brings it")
@pytest.mark.parametrize("page", [page for page in pages_with("c") if page.parent.name != "hosts"], ids=name_of)
def test_c_compiles_and_runs(page: Path, tmp_path: Path) -> None:
    """The fragments of a page, one behind the other, are the body of one main; test_hosts.py runs those of bindings."""
    from pyagent import get_library

    source, program = tmp_path / "page.c", tmp_path / "page"
    source.write_text(C_PROGRAM % "".join(block.code for block in blocks(page, "c")))
    command = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "core" / "cabi", source, "-o", program]
    subprocess.run([*command, get_library()], check=True)
    done = subprocess.run([program], check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "one two three" in done.stdout
    assert '"cancelled"' in done.stdout


def test_the_shell_commands_exist() -> None:
    """Every `make` target and every `pyagent` command that a page shows."""
    said = subprocess.run(
        [sys.executable, "-m", "pyagent", "--help"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    targets = re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    commands = re.findall(r"^    (\w+) ", said, re.MULTILINE)
    shown = [line for page in PAGES for block in blocks(page, "sh") for line in block.code.splitlines()]
    assert any(line.startswith("make ") for line in shown)
    for line in shown:
        words = line.split()
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        if words[:1] == ["pyagent"]:
            assert words[1] in commands, line
