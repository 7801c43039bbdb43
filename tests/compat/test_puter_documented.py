"""What the Puter SDK's README, guides and examples show, as our own programs against a Puter on loopback."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from puter_server import Puter

import pyagent.puter
from pyagent.puter import PuterAI, PuterAPIError, PuterAuthError, PuterConfig, PuterError, config, exceptions

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
DATA = "data:image/png;base64,iVBORw0KGgoAAAAAAAAAAA=="


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


def test_a_talk_after_a_login(puter: Puter) -> None:
    client = PuterAI(username="me", password="right")
    assert client.login()
    assert client.chat("How are you?") == "How are you?"
    assert client.chat("What is the capital of France?")
    assert len(client.chat_history) == 4
    assert [message["role"] for message in client.chat_history] == ["user", "assistant"] * 2
    client.clear_chat_history()
    client.chat("Another story.")
    assert len(puter.chats()[-1]["args"]["messages"]) == 1


def test_the_name_and_the_password_of_the_environment(puter: Puter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUTER_USERNAME", "me")
    monkeypatch.setenv("PUTER_PASSWORD", "right")
    client = PuterAI()
    assert client.login() is True
    assert client.chat("test") == "test"


def test_a_token_needs_no_login(puter: Puter) -> None:
    assert PuterAI(token="T0").chat("test") == "test"
    assert puter.paths() == ["/drivers/call"]


def test_pictures_and_contents_of_one_s_own(puter: Puter, tmp_path: Path) -> None:
    dinner = tmp_path / "dinner.png"
    dinner.write_bytes(PNG)
    client = PuterAI(token="T0")
    client.chat("What is in this dish?", images=[str(dinner)])
    words, picture = puter.chats()[-1]["args"]["messages"][-1]["content"]
    assert words == {"type": "text", "text": "What is in this dish?"}
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    own = [{"type": "text", "text": "Write it down."}, {"type": "input_audio", "audio": {"id": "file_audio_123"}}]
    assert client.chat(content_parts=own) == "2 parts"
    assert puter.chats()[-1]["args"]["messages"][-1]["content"] == own


def test_models(puter: Puter) -> None:
    client = PuterAI(token="T0")
    models = client.get_available_models()
    assert "gpt-5" in models
    assert len(client.available_models) == len(models)
    assert client.available_models.get("gpt-4", "Not found") == "Not found"
    assert client.set_model("gpt-5")
    client.chat("What is the meaning of life?")
    assert puter.chats()[-1]["args"]["model"] == client.current_model == "gpt-5"
    assert not client.set_model("no-such-model")
    client.chat("And quantum computing?", model="opus")
    assert puter.chats()[-1]["args"]["model"] == "opus"
    assert client.current_model == "gpt-5"


def test_errors(puter: Puter) -> None:
    assert exceptions.PuterAuthError is PuterAuthError
    with pytest.raises(PuterAuthError):
        PuterAI(username="invalid", password="invalid").login()
    with pytest.raises(PuterAuthError, match="Not authenticated"):
        PuterAI().chat("This should fail")
    with pytest.raises(PuterAuthError):
        asyncio.run(PuterAI(username="invalid", password="invalid").async_login())
    puter.answers = [(500, {"error": "oops"})] * 5
    with pytest.raises(PuterAPIError):
        PuterAI(token="T0", max_retries=1).chat("Hello")
    assert issubclass(PuterAPIError, PuterError)


def test_nothing_to_say_and_pictures_that_are_none_are_value_errors(puter: Puter, tmp_path: Path) -> None:
    client = PuterAI(token="T0")
    for ask in (
        client.chat,
        lambda: client.chat("What is it?", images=[str(tmp_path / "no-such.png")]),
        lambda: client.chat("What is it?", images=[7]),
        lambda: asyncio.run(client.async_chat()),
    ):
        with pytest.raises(ValueError, match=r"."):
            ask()
    assert puter.asked == []


def test_chats_side_by_side(puter: Puter) -> None:
    async def main() -> list[str]:
        client = PuterAI(username="me", password="right")
        assert await client.async_login()
        parts = [{"type": "text", "text": "Count."}, {"type": "image_url", "image_url": {"url": DATA}}]
        return await asyncio.gather(
            client.async_chat("What is learning?"),
            client.async_chat("Sum it up", images=[PNG]),
            client.async_chat(content_parts=parts),
        )

    assert asyncio.run(main()) == ["What is learning?", "2 parts", "2 parts"]


def test_settings(puter: Puter, monkeypatch: pytest.MonkeyPatch) -> None:
    config.update(timeout=60, max_retries=7, rate_limit_requests=25)
    assert (config.timeout, config.max_retries, config.rate_limit_requests) == (60, 7, 25)
    own = PuterConfig()
    own.update(timeout=120)
    assert (own.timeout, config.timeout) == (120, 60)
    monkeypatch.setenv("PUTER_TIMEOUT", "45")
    monkeypatch.setenv("PUTER_BACKOFF_FACTOR", "3.0")
    assert (PuterConfig().timeout, PuterConfig().backoff_factor) == (45, 3.0)
    profile = {"timeout": 10, "max_retries": 1, "rate_limit_requests": 5, "rate_limit_period": 60}
    assert PuterAI(token="T0", **profile).chat("test") == "test"
    assert config.timeout == 60


def test_a_talk_is_saved_shortened_and_restored(puter: Puter, tmp_path: Path) -> None:
    client = PuterAI(token="T0")
    for number in range(4):
        client.chat(f"Question {number}")
    client.chat_history = client.chat_history[:2] + client.chat_history[-2:]
    path = tmp_path / "talk.json"
    path.write_text(json.dumps({"model": client.current_model, "history": client.chat_history}))
    saved: dict[str, Any] = json.loads(path.read_text())
    another = PuterAI(token="T0")
    assert another.set_model(saved["model"])
    another.chat_history = saved["history"]
    another.chat("Go on")
    sent = [message["content"] for message in puter.chats()[-1]["args"]["messages"]]
    assert sent == ["Question 0", "Question 0", "Question 3", "Question 3", "Go on"]


def test_a_batch_that_goes_on_after_an_error(puter: Puter) -> None:
    client = PuterAI(token="T0", max_retries=0)
    puter.answers = [(400, {"error": "no", "code": "bad_request"})]
    results, failures = [], []
    for text in ("first", "second", "third"):
        try:
            results.append(client.chat(text))
        except PuterAPIError as error:
            failures.append(str(error))
    assert results == ["second", "third"]
    assert len(failures) == 1
    assert pyagent.puter.__version__
