"""The command: its output, its errors on one line, its exit codes, and that it shows no secret."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent.cli import main

if TYPE_CHECKING:
    from conftest import Server

Run = Callable[..., tuple[int, str, str]]
COMMAND = [sys.executable, "-W", "error", "-X", "dev", "-m", "pyagent"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def at(server: Server) -> list[str]:
    return ["--model", "m", "--provider", "compatible", "--base-url", server.url]


def test_demo(run: Run) -> None:
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    text, figures = out.rstrip("\n").rsplit("\n\n", 1)
    assert text.startswith("Every word of this answer travelled the real path")
    assert re.fullmatch(
        r"\[\d+ prompt tokens, \d+ completion tokens, first token after \d+ ms, \d+ tokens/s\]", figures
    )


def test_generate(run: Run, server: Server) -> None:
    options = ["--system", "be brief", "--temperature", "0.5", "--max-tokens", "9"]
    assert run("generate", "say this", *at(server), *options) == (0, "say this\n", "")
    body = server.only()["body"]
    assert body["messages"][0] == {"role": "system", "content": "be brief"}
    assert (body["temperature"], body["max_tokens"]) == (0.5, 9)


def test_stream(run: Run, server: Server) -> None:
    code, out, err = run("stream", "say this", *at(server))
    assert (code, out) == (0, "say this\n")
    assert "2 completion tokens" in err


def test_json(run: Run, server: Server) -> None:
    _, out, _ = run("generate", "hi", "--json", *at(server))
    assert json.loads(out)["text"] == "hi"
    _, out, _ = run("stream", "a b", "--json", *at(server))
    lines = [json.loads(line) for line in out.splitlines()]
    kinds = [line["type"] for line in lines if line["type"] != "usage"]
    assert kinds == ["start", "text", "text", "text_done", "finish"]


def test_the_question_from_standard_input(server: Server) -> None:
    command = [*COMMAND, "generate", "-", *at(server)]
    done = subprocess.run(command, input="from a pipe", capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "from a pipe\n"


def test_a_failed_request(run: Run) -> None:
    code, out, err = run(
        "generate", "x", "--model", "m", "--provider", "compatible", "--base-url", "http://127.0.0.1:9"
    )
    assert (code, out) == (1, "")
    assert re.fullmatch(r"pyagent: APIConnectionError: .*127\.0\.0\.1:9.*\n", err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "x", "--model", "m"], "OPENROUTER_API_KEY environment variable is not set"),
        (["stream", "x", "--model", "m", "--provider", "nobody"], "provider 'nobody' is not known"),
        (["fake", "--script", "{"], "--script must be a JSON object"),
        (["fake", "--script", '{"txet": "a"}'], "txet"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err


def test_wrong_words() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["generate"])
    assert caught.value.code == 2


def test_doctor_shows_names_and_no_values(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-secret")
    monkeypatch.setenv("https_proxy", "http://user:pass@proxy:3128")
    code, out, err = run("doctor")
    assert (code, err) == (0, "")
    assert re.search(r"^groq +key in GROQ_API_KEY$", out, re.MULTILINE)
    assert re.search(r"^openai +no key: set OPENAI_API_KEY$", out, re.MULTILINE)
    assert re.search(r"^HTTPS_PROXY +http://\*\*\*@proxy:3128$", out, re.MULTILINE)
    assert re.search(r"^core +version \S+, ABI 1$", out, re.MULTILINE)
    assert "secret" not in out
    assert "pass" not in out


def test_doctor_without_a_library(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYAGENT_LIBRARY", "/nowhere.so")
    monkeypatch.setenv("PYAGENT_TRANSPORT", "library")
    monkeypatch.setattr("pyagent._loading._runtime", None)
    code, out, _ = run("doctor")
    assert code == 1
    assert re.search(r"^problem +The library /nowhere\.so does not exist", out, re.MULTILINE)


def test_fake_serves_until_ctrl_c() -> None:
    command = [*COMMAND, "fake", "--script", '{"text": "scripted"}']
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout
    first = child.stdout.readline()
    address = re.fullmatch(r"Listening on http://(127\.0\.0\.1:\d+)/v1 \(Ctrl-C ends it\)\n", first)
    assert address
    connection = http.client.HTTPConnection(address.group(1), timeout=5)
    connection.request("POST", "/v1/chat/completions", '{"model": "m", "messages": [{"role": "user", "content": "x"}]}')
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    assert answer["choices"][0]["message"]["content"] == "scripted"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=5)
    assert (child.returncode, err) == (130, "\n")


def test_a_reader_that_leaves_ends_the_command_quietly(server: Server) -> None:
    command = [*COMMAND, "stream", "word " * 20_000, *at(server)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout
    assert child.stderr
    os.read(child.stdout.fileno(), 10)
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert (child.wait(timeout=10), err) == (1, b"")
