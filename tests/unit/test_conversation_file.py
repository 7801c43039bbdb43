"""Conversations as JSON: what is written, what is not, and what a file cannot bring about."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    AnthropicOptions,
    ConfigurationError,
    Conversation,
    Limits,
    OpenAIOptions,
    Provider,
    SessionConfig,
    Throttle,
    Timeouts,
)
from pyagent._conversation_file import VERSION

if TYPE_CHECKING:
    from conftest import Server


@pytest.fixture
def home(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The environment in which a conversation with Groq was saved, and is loaded."""
    monkeypatch.setenv("GROQ_API_KEY", "sk-secret-0123456789")
    monkeypatch.setenv("GROQ_BASE_URL", server.url)
    return server


def close(*conversations: Conversation) -> None:
    for conversation in conversations:
        if conversation.provider._client is not None:
            conversation.provider._client.close()


def test_what_was_saved_goes_on(home: Server, tmp_path: Path) -> None:
    config = SessionConfig(
        temperature=0.5,
        stop=["x"],
        options=[OpenAIOptions(seed=2), AnthropicOptions(user_id="u")],
        timeouts=Timeouts(idle=5),
        limits=Limits(redirects=1),
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        max_history_turns=9,
    )
    provider = Provider("m", provider="groq", max_retries=7, http2=True, timeout=9, throttle=Throttle(concurrency=2))
    talk = Conversation(provider, system="Be brief.", config=config)
    talk.generate("one — 中文 😀")
    talk.stream("two").close()
    path = tmp_path / "talk.json"
    talk.save(path)
    loaded = Conversation.load(path)
    assert loaded.to_dict() == talk.to_dict() == json.loads(path.read_bytes())
    assert (loaded.config, loaded.messages, loaded.usage) == (config, talk.messages, talk.usage)
    assert loaded.provider._config == provider._config
    loaded.generate("three")
    assert home.requests()[-1]["headers"]["authorization"] == "Bearer sk-secret-0123456789"
    assert home.requests()[-1]["body"]["messages"][0]["role"] == "system"
    assert (loaded.turns, len(loaded)) == (talk.turns + 1, len(talk) + 2)
    close(talk, loaded)


def test_where_a_throttle_is_shared_stays_with_the_provider(home: Server) -> None:
    shared = Throttle(concurrency=2, shared="redis://:s3cret@host", if_unreachable="local")
    talk = Conversation(Provider("m", provider="groq", throttle=shared))
    saved = talk.to_dict()
    assert saved["provider"]["settings"]["throttle"] == {"concurrency": 2, "period": 60.0, "per": "model"}
    saved["provider"]["settings"]["throttle"]["shared"] = "redis://elsewhere"
    assert "elsewhere" not in str(Conversation.from_dict(saved).provider._config)


def test_no_secret_is_written(server: Server, tmp_path: Path) -> None:
    secret = "sk-secret-0123456789"
    provider = Provider.compatible(
        "m",
        base_url=server.url.replace("http://", f"http://user:{secret}@") + "?key=" + secret,
        api_key=secret,
        extra_api_keys=[secret + "2"],
        extra_headers={"X-Mine": secret},
        proxy=f"http://u:{secret}@p.example",
    )
    config = SessionConfig(
        extra_headers={"X-Mine": secret},
        extra_body={"api_key": secret, "inner": [{"Authorization": secret, "kept": 1}]},
        tools=[{"type": "mcp", "server_label": "l", "authorization": secret, "headers": {"x": secret}}],
        options=[AnthropicOptions(mcp_servers=[{"name": "n", "authorization_token": secret}])],
    )
    Conversation(provider, config=config).save(tmp_path / "talk.json")
    text = (tmp_path / "talk.json").read_text()
    assert "secret" not in text
    data = json.loads(text)["config"]
    assert (data["extra_body"], data["tools"]) == ({"inner": [{"kept": 1}]}, [{"type": "mcp", "server_label": "l"}])
    assert data["options"] == [{"kind": "AnthropicOptions", "fields": {"mcp_servers": [{"name": "n"}]}}]


def test_a_file_does_not_decide_whom_a_key_is_sent_to(home: Server) -> None:
    data = Conversation(Provider("m", provider="groq")).to_dict()
    data["provider"]["base_url"] = "https://evil.example/v1"
    with pytest.raises(
        ConfigurationError, match=r"with groq at https://evil\.example/v1, which is not its address here"
    ):
        Conversation.from_dict(data)
    data["provider"] = {**data["provider"], "vendor": {"name": "evil", "base_url": "https://evil.example/v1"}}
    with pytest.raises(ConfigurationError, match=r"an endpoint of your own, evil: give provider="):
        Conversation.from_dict(data)
    data["provider"] = {**data["provider"], "vendor": "groq", "base_url": home.url}
    data["provider"]["settings"] = {"proxy": "http://evil.example"}
    data["provider"]["network"] = {"proxy": "http://evil.example", "allow_http": True, "http2": True}
    assert Conversation.from_dict(data).provider._config["network"] == {"http2": True}
    assert "proxy" not in Conversation.from_dict(data).provider._config


def test_a_provider_and_a_config_in_place_of_those_that_were_saved(provider: Provider, home: Server) -> None:
    talk = Conversation(Provider("m", provider="groq"), config=SessionConfig(seed=1))
    talk.add("hello")
    data = talk.to_dict()
    data["response_id"], data["covered"] = "r", 1
    said: list[Any] = []
    loaded = Conversation.from_dict(
        data, provider=provider, config=SessionConfig(), summarise=lambda m: said.append(m) or "s"
    )
    assert (loaded.provider, loaded.config, len(loaded)) == (provider, SessionConfig(), 1)
    assert loaded.previous_response_id is None  # another vendor may not know it
    assert Conversation.from_dict(data).previous_response_id == "r"
    loaded.add("more")
    loaded.add({"role": "assistant", "content": "x"})
    loaded.add("more")
    loaded.trim(max_turns=1)
    assert (len(said), loaded.summary) == (1, "s")


def test_one_kind_of_options_stays_strict(home: Server) -> None:
    talk = Conversation(Provider("m", provider="groq"), config=SessionConfig(options=OpenAIOptions(seed=1)))
    assert Conversation.from_dict(talk.to_dict()).config.options == OpenAIOptions(seed=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "x"}, "no conversation that pyagent has saved"),
        (
            {"version": VERSION + 1},
            f"saved in version {VERSION + 1} of its form, and this pyagent reads version {VERSION}",
        ),
        ({"version": None}, "saved in version None"),
        ({"messages": [5]}, r"messages\[0\] must be a dict"),
        ({"messages": None, "usage": None}, "is damaged"),
        ({"config": {"temprature": 1}}, "is damaged: TypeError.*temprature"),
        ({"config": {"temperature": "x"}}, "temperature must be a number"),
        ({"config": {"options": [{"kind": "os.system", "fields": {}}]}}, "no options 'os.system'"),
        ({"provider": {}}, "is damaged"),
        ({"usage": {"prompt_tokens": "x"}}, "prompt_tokens must be a number"),
        ({"summary": 5}, "summary must be a string"),
        ({"turns": "x"}, "turns must be a whole number"),
        ({"covered": -1}, "covered must be a whole number"),
    ],
)
def test_files_that_are_wrong(home: Server, change: dict[str, Any], message: str) -> None:
    data = {**Conversation(Provider("m", provider="groq")).to_dict(), **change}
    with pytest.raises(ConfigurationError, match=message):
        Conversation.from_dict(data)


@pytest.mark.parametrize("text", ["", "[", "\xff", "[" * 100_000, "5", "{}"])
def test_files_that_are_no_conversation(tmp_path: Path, text: str) -> None:
    path = tmp_path / "talk.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"no saved conversation|no conversation that"):
        Conversation.load(path)


def test_without_a_key_the_error_names_it(home: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Conversation(Provider("m", provider="groq")).to_dict()
    monkeypatch.delenv("GROQ_API_KEY")
    with pytest.raises(ConfigurationError, match="GROQ_API_KEY"):
        Conversation.from_dict(data)


def test_a_file_that_cannot_be_written_leaves_the_old_one(home: Server, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    talk = Conversation(Provider("m", provider="groq"))
    talk.save(str(path))
    old = path.read_bytes()
    before = talk.fork()
    talk.add({"role": "user", "content": object()})
    with pytest.raises(ConfigurationError, match=r"messages\[0\]\.content|Cannot convert"):
        talk.save(path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["talk.json"]
    with pytest.raises(FileNotFoundError):
        before.save(tmp_path / "none" / "talk.json")
    with pytest.raises(FileNotFoundError):
        Conversation.load(tmp_path / "none")
