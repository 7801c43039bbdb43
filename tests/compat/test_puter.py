"""The Puter SDK's promises, kept by pyagent.puter: names, defaults, behaviour, and what its users wait for."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from puter_server import Puter

import pyagent.puter
from pyagent import messages
from pyagent.errors import AuthenticationError
from pyagent.puter import PuterAI, PuterAPIError, PuterAuthError, PuterConfig, PuterError, config

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def puter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Puter]:
    for name in list(os.environ):
        if name.startswith("PUTER_"):
            monkeypatch.delenv(name)
    server = Puter()
    before = config.to_dict()
    config.update(**PuterConfig().to_dict())
    config.update(api_base=server.url, login_url=f"{server.url}/login", retry_delay=0.01, rate_limit_requests=0)
    yield server
    config.update(**before)
    server.close()


def test_the_names() -> None:
    assert set(pyagent.puter.__all__) == {
        "PuterAI", "PuterError", "PuterAuthError", "PuterAPIError", "PuterConfig", "config",
    }  # fmt: skip
    assert issubclass(PuterAuthError, PuterError)
    assert issubclass(PuterAPIError, PuterError)
    assert isinstance(config, PuterConfig)


def test_a_chat(puter: Puter) -> None:
    client = PuterAI(token="T0")
    assert client.current_model == "claude-opus-4"
    assert client.chat("Hello there") == "Hello there"
    assert client.chat("And again", model="gpt-5") == "And again"
    assert client.chat_history == [
        {"role": "user", "content": "Hello there"},
        {"role": "assistant", "content": "Hello there"},
        {"role": "user", "content": "And again"},
        {"role": "assistant", "content": "And again"},
    ]
    first, second = puter.chats()
    assert (first["interface"], first["driver"], first["method"]) == ("puter-chat-completion", "ai-chat", "complete")
    assert first["args"] == {
        "model": "claude-opus-4",
        "messages": [{"role": "user", "content": "Hello there"}],
        "stream": False,
        "max_tokens": 4096,
        "temperature": 0.7,
    }
    assert (second["args"]["model"], len(second["args"]["messages"])) == ("gpt-5", 3)
    assert {request["key"] for request in puter.asked} == {"Bearer T0"}
    client.clear_chat_history()
    assert client.chat_history == []


def test_the_twins_do_the_same(puter: Puter) -> None:
    async def go() -> None:
        client = PuterAI("me", "right")
        assert await client.async_login() is True
        assert (
            await client.async_chat("one two", system_prompt="Be brief.", temperature=None, max_tokens=9) == "one two"
        )
        assert [piece async for piece in client.async_stream("three four")] == ["three", "four"]
        assert len(client.chat_history) == 4
        assert await client.async_get_available_models() == ["claude-opus-4", "opus", "gpt-5"]

    asyncio.run(go())
    first, second = puter.chats()
    assert first["args"]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (first["args"]["max_tokens"], "temperature" in first["args"]) == (9, False)
    assert (second["args"]["stream"], [m["role"] for m in second["args"]["messages"]]) == (
        True, ["user", "assistant", "user"],
    )  # fmt: skip


def test_a_stream_is_kept_when_it_is_complete(puter: Puter) -> None:
    client = PuterAI(token="T0")
    pieces = client.stream("one two three")
    assert next(pieces) == "one"
    pieces.close()  # type: ignore[attr-defined]
    assert client.chat_history == []
    assert list(client.stream("one two")) == ["one", "two"]
    assert [message["content"] for message in client.chat_history] == ["one two", "onetwo"]


def test_logging_in(puter: Puter) -> None:
    client = PuterAI("me", "right")
    assert client.token is None
    assert client.login() is True
    assert client.token == "T1"
    assert puter.asked[0]["body"] == {"username": "me", "password": "right"}
    PuterAI("me@example.org", "right").login()
    assert puter.asked[1]["body"] == {"email": "me@example.org", "password": "right"}
    careful = PuterAI("careful", "right")
    with pytest.raises(PuterAuthError, match="one-time code"):
        careful.login()
    with pytest.raises(PuterAuthError, match="wrong, or too old"):
        careful.login("000000")
    assert careful.login("123456") is True


@pytest.mark.parametrize("account", [("me", "wrong"), ("nobody", "right")])
def test_a_wrong_password_is_reported_at_once(puter: Puter, account: tuple[str, str]) -> None:
    with pytest.raises(PuterAuthError, match="Login error") as caught:
        PuterAI(*account).login()
    assert isinstance(caught.value.__cause__, AuthenticationError)
    assert puter.paths() == ["/login"]
    assert account[1] not in str(caught.value)


def test_nothing_to_log_in_with(puter: Puter) -> None:
    with pytest.raises(PuterAuthError, match=r"Username and password must be set for login\."):
        PuterAI().login()
    for ask in (lambda: PuterAI().chat("x"), lambda: list(PuterAI().stream("x"))):
        with pytest.raises(PuterAuthError, match=r"Not authenticated\. Please login first\."):
            ask()
    assert puter.asked == []


def test_a_chat_logs_in_by_itself_and_again_when_the_token_is_old(
    puter: Puter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUTER_USERNAME", "me")
    monkeypatch.setenv("PUTER_PASSWORD", "right")
    client = PuterAI()
    assert client.chat("a") == "a"
    puter.tokens.clear()
    assert client.chat("b") == "b"
    puter.tokens.clear()
    assert list(client.stream("c")) == ["c"]
    puter.tokens.clear()
    assert asyncio.run(client.async_chat("d")) == "d"
    assert puter.paths().count("/login") == 4
    assert len(client.chat_history) == 8


def test_threads_that_find_the_token_old_log_in_once(puter: Puter) -> None:
    client = PuterAI("me", "right", "old")
    threads = [threading.Thread(target=client.chat, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert puter.paths().count("/login") == 1
    assert len(client.chat_history) == 16
    for said, answered in zip(client.chat_history[::2], client.chat_history[1::2]):
        assert said["content"] == answered["content"]  # turns stay together


def test_a_token_that_is_refused_where_nobody_can_log_in(puter: Puter) -> None:
    with pytest.raises(PuterAuthError) as caught:
        PuterAI(token="old").chat("x")
    assert (caught.value.status_code, caught.value.code) == (401, "token_auth_failed")
    assert len(puter.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "says", "requests"),
    [
        (200, {"success": False, "error": {"code": "moderation", "message": "no such thing"}}, "no such thing", 3),
        (200, {"success": False, "error": "not today"}, "not today", 3),  # nobody says why: it may be for a moment
        (200, {"success": True, "result": {"message": {"role": "assistant", "content": ""}}}, "holds no text", 1),
        (200, {"success": True}, "no result", 1),
        (400, {"error": "Model not found: x", "code": "bad_request"}, "Model not found", 1),
        (402, {"error": "No usage left for request.", "code": "insufficient_funds"}, "No usage left", 1),
        (500, {"error": "oops", "code": "internal_error"}, "oops", 3),
    ],
)
def test_failures_raise(puter: Puter, status: int, body: Any, says: str, requests: int) -> None:
    client = PuterAI(token="T0", max_retries=2)
    puter.answers = [(status, body)] * 5
    with pytest.raises(PuterAPIError, match=says):
        client.chat("x")
    assert len(puter.asked) == requests
    assert client.chat_history == []


@pytest.mark.parametrize(
    "result",
    [
        {"message": {"content": "hi"}},
        {"message": {"content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]}},
        {"content": "hi"},
        "hi",
        {"choices": [{"message": {"content": "hi"}}]},
        {"text": "hi"},
    ],
)
def test_every_shape_of_an_answer(puter: Puter, result: Any) -> None:
    puter.answers = [(200, {"success": True, "result": result})]
    assert PuterAI(token="T0").chat("x") == "hi"


def test_images(puter: Puter, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    ready = messages.image(PNG)
    client = PuterAI(token="T0")
    for images in (str(path), path, PNG, io.BytesIO(PNG), (PNG, "image/png"), ready, [ready]):
        assert client.chat("What is it?", images=images) == "2 parts"
        assert puter.chats()[-1]["args"]["messages"][-1]["content"] == [{"type": "text", "text": "What is it?"}, ready]
    assert client.chat(images=["https://example.org/a.png", PNG]) == "2 parts"
    parts = [{"type": "text", "text": "parts"}]
    assert client.chat("not sent", images=PNG, content_parts=parts) == "1 parts"
    with pytest.raises(PuterError, match="give a prompt"):
        client.chat()
    with pytest.raises(PuterError, match=r"no-such\.png"):
        client.chat(images=str(tmp_path / "no-such.png"))


def test_tools(puter: Puter) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    puter.answers = [(200, {"success": True, "result": {"message": message, "finish_reason": "tool_calls"}})]
    client = PuterAI(token="T0")
    answer = client.respond("Add.", tools=[TOOL])
    assert [found.parsed for found in answer.tool_calls] == [{"a": 1}]
    done = client.respond([messages.tool_result(answer.tool_calls[0], "2")], tools=[TOOL])
    assert done.text == "2"
    assert [sent["role"] for sent in client.chat_history] == ["user", "assistant", "tool", "assistant"]
    assert puter.chats()[1]["args"]["messages"][1]["tool_calls"][0]["id"] == "c1"
    puter.answers = [(200, {"success": True, "result": {"message": message, "finish_reason": "tool_calls"}})]
    again = asyncio.run(PuterAI(token="T0").async_respond("Add.", tools=[TOOL]))
    assert [found.parsed for found in again.tool_calls] == [{"a": 1}]


def test_models(puter: Puter) -> None:
    client = PuterAI(token="T0")
    assert puter.asked == []  # making a client asks nothing
    assert client.get_available_models() == ["claude-opus-4", "opus", "gpt-5"]
    assert client.available_models["gpt-5"] == "openai-completion"
    assert client.set_model("gpt-5") is True
    assert client.set_model("no-such-model") is False
    assert client.current_model == "gpt-5"
    assert puter.paths() == ["/puterai/chat/models/details"]


def test_the_drivers_of_old(puter: Puter) -> None:
    client = PuterAI(token="T0", legacy_drivers=True)
    client.chat("x")
    client.chat("x", model="unknown")
    assert [chat["driver"] for chat in puter.chats()] == ["claude", "openai-completion"]


def test_settings_of_one_client_stay_its_own(puter: Puter) -> None:
    first, second = PuterAI(token="T0", max_retries=0, headers={"X-Mine": "1"}), PuterAI(token="T0")
    puter.answers = [(503, {"error": "busy"})] * 2
    with pytest.raises(PuterAPIError):
        first.chat("x")
    assert (len(puter.asked), puter.asked[0]["headers"]["x-mine"]) == (1, "1")
    assert second.chat("x") == "x"
    assert "x-mine" not in puter.asked[-1]["headers"]
    config.update(max_retries=0)  # for everybody who has no word of his own
    puter.answers = [(503, {"error": "busy"})] * 2
    with pytest.raises(PuterAPIError):
        second.chat("x")


def test_the_rate_limit_is_for_everyone(puter: Puter) -> None:
    client = PuterAI(token="T0", rate_limit_requests=2, rate_limit_period=0.2)
    began = time.monotonic()
    client.chat("a")
    asyncio.run(client.async_chat("b"))
    client.chat("c")
    asyncio.run(client.async_chat("d"))
    client.chat("e")
    assert time.monotonic() - began >= 0.4


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PUTER_"):
            monkeypatch.delenv(name)
    assert PuterConfig().to_dict() == {
        "api_base": "https://api.puter.com", "login_url": "https://puter.com/login", "timeout": 30, "max_retries": 3,
        "retry_delay": 1.0, "backoff_factor": 2.0, "rate_limit_requests": 10, "rate_limit_period": 60,
        "headers": {}, "legacy_drivers": False,
    }  # fmt: skip
    monkeypatch.setenv("PUTER_TIMEOUT", "7")
    monkeypatch.setenv("PUTER_API_BASE", "https://api.example.org")
    assert (PuterConfig().timeout, PuterConfig().api_base) == (7, "https://api.example.org")
    monkeypatch.setenv("PUTER_MAX_RETRIES", "many")
    with pytest.raises(PuterError, match="PUTER_MAX_RETRIES must be a number, got 'many'"):
        PuterConfig()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"time_out": 3}, "There is no setting time_out; did you mean timeout"),
        ({"timeout": -1}, "timeout must be a number of 0 or more, got -1"),
        ({"backoff_factor": 0.5}, "backoff_factor must be a number of 1 or more"),
        ({"max_retries": 1.5}, "max_retries must be"),
        ({"api_base": ""}, "api_base must be a text"),
    ],
)
def test_settings_that_are_wrong(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(PuterError, match=says):
        PuterAI(token="x", **settings)
    before = config.to_dict()
    with pytest.raises(PuterError, match=says):
        config.update(retry_delay=9, **settings)
    assert config.to_dict() == before


def test_importing_it_is_quick() -> None:
    script = (
        "import pyagent.puter, sys; print(*(name for name in ('asyncio', 'ctypes', 'requests') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_secret_is_shown() -> None:
    client = PuterAI("me", "s3cret-password", "s3cret-token")
    assert "s3cret" not in repr(client) + repr(config)
