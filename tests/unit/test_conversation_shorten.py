"""Histories that become too long: where they are cut, who counts, and what is said of what has left."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pyagent import ConfigurationError, Conversation, InternalServerError, Provider, SessionConfig, messages
from pyagent._history import estimate, open_calls, turn_starts

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
WITH_TOOLS = [
    messages.user("one"),
    messages.assistant(tool_calls=[CALL]),
    messages.tool_result("c1", "1"),
    messages.user("and a picture"),  # of the same turn, where a call waits for nothing but the answer is missing
    messages.assistant("done"),
    messages.user("two"),
    messages.user("more of two"),
    messages.assistant("2"),
]


class Counting(ThreadingHTTPServer):
    """Anthropic's protocol: an answer is "ok", and a word is a token, or what `tokens` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.counted: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counting

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = 200, self._answer(body)
        if self.server.status != 200:
            status, answer = self.server.status, {"type": "error", "error": {"type": "api_error", "message": "no"}}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.path.endswith("/count_tokens"):
            self.server.counted.append(body)
            return {"input_tokens": len(json.dumps([body.get("system"), body["messages"]]).split("word")) - 1}
        self.server.asked.append(body)
        return {
            "id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "ok"}], "usage": {"input_tokens": 1, "output_tokens": 1},
        }  # fmt: skip

    def log_message(self, *_: Any) -> None:
        """Keeps the output of the tests clean."""


@pytest.fixture
def counting() -> Iterator[Counting]:
    with Counting() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


@pytest.fixture
def vendor(counting: Counting) -> Iterator[Provider]:
    provider = Provider("m", provider="anthropic", api_key="k", base_url=f"http://127.0.0.1:{counting.server_port}")
    yield provider
    if provider._client is not None:
        provider._client.close()


def long_talk(provider: Provider, turns: int, words: int = 100, **options: Any) -> Conversation:
    said = [
        message
        for number in range(turns)
        for message in (messages.user(f"{number} " + "word " * words), messages.assistant(f"answer {number}"))
    ]
    return Conversation(provider, messages=said, **options)


def numbers(said: list[dict[str, Any]]) -> list[str]:
    """The first word of what the user said."""
    texts = [
        m["content"] if isinstance(m["content"], str) else m["content"][0]["text"] for m in said if m["role"] == "user"
    ]
    return [text.split()[0] for text in texts]


def test_turns_begin_with_the_user_and_never_between_a_call_and_its_result() -> None:
    assert turn_starts([]) == []
    assert turn_starts(WITH_TOOLS) == [0, 3, 5]
    assert turn_starts([*WITH_TOOLS[:2], messages.user("wait"), *WITH_TOOLS[2:]]) == [0, 4, 6]
    assert turn_starts([messages.assistant("hello"), messages.user("a")]) == [0, 1]
    for start in turn_starts(WITH_TOOLS):
        assert open_calls(WITH_TOOLS[:start]) == []
    assert open_calls(WITH_TOOLS[:2]) == ["c1"]


def test_every_cut_leaves_a_history_that_can_be_sent(provider: Provider) -> None:
    for count in (1, 2, 3, 4):
        talk = Conversation(provider, messages=WITH_TOOLS)
        assert talk.trim(max_turns=count) == {1: 5, 2: 3}.get(count, 0)
        assert talk.messages == WITH_TOOLS[len(WITH_TOOLS) - len(talk) :]
        calls = [call["id"] for message in talk.messages for call in message.get("tool_calls", ())]
        assert calls == [message["tool_call_id"] for message in talk.messages if message["role"] == "tool"]


def test_estimates() -> None:
    assert estimate("abcd" * 25) == 25
    assert estimate([messages.user("abcd")]) == 5
    assert 1000 < estimate([messages.user("a", messages.image("data:image/png;base64," + "A" * 10**6))]) < 1010
    assert estimate("中文" * 4) == 6
    assert estimate(None) == 0
    assert estimate([messages.assistant(tool_calls=[CALL])]) > 5


def test_a_vendor_that_cannot_count_is_estimated(provider: Provider) -> None:
    talk = long_talk(provider, 10)
    assert talk.trim(max_tokens=10**6) == 0
    assert talk.trim(max_tokens=450) == 14
    assert numbers(talk.messages) == ["7", "8", "9"]
    assert talk.trim(max_tokens=1) == 4  # the last turn stays, however long it is
    assert talk.trim(max_tokens=1) == 0


def test_a_vendor_that_counts_is_asked_and_no_more_often_than_needed(vendor: Provider, counting: Counting) -> None:
    talk = long_talk(vendor, 40, system="word word")
    assert talk.trim(max_tokens=10**6) == 0
    assert counting.counted == []  # far below the limit
    assert 60 <= talk.trim(max_tokens=1002) <= 62  # 100 tokens for two messages; where to look is estimated
    assert 2 <= len(counting.counted) <= 4
    assert numbers(talk.messages)[-9:] == [str(number) for number in range(31, 40)]
    assert numbers(counting.counted[-1]["messages"]) == numbers(talk.messages)


def test_every_turn_keeps_to_the_limits_of_the_config(vendor: Provider, counting: Counting) -> None:
    talk = long_talk(vendor, 5, config=SessionConfig(max_history_turns=3))
    talk.generate("5 word")
    assert numbers(counting.asked[0]["messages"]) == ["3", "4", "5"]
    talk.generate("6 word", config=SessionConfig(max_history_tokens=110))
    assert numbers(counting.asked[1]["messages"]) == ["4", "5", "6"]
    assert numbers(talk.messages) == ["4", "5", "6"]


def test_a_failed_turn_does_not_shorten(vendor: Provider, counting: Counting) -> None:
    said: list[Any] = []

    def summarise(removed: list[Any]) -> str:
        said.append(removed)
        counting.status = 500
        return "Short."

    talk = long_talk(vendor, 3, config=SessionConfig(max_history_turns=1, max_retries=0), summarise=summarise)
    with pytest.raises(InternalServerError):
        talk.generate("3")
    assert (numbers(talk.messages), talk.summary, len(said)) == (["0", "1", "2"], None, 1)
    with pytest.raises(InternalServerError):
        talk.trim(max_tokens=5)  # the count fails
    assert (len(talk), talk.is_busy) == (6, False)


def test_a_summary_takes_the_place_of_what_has_left(vendor: Provider, counting: Counting) -> None:
    given: list[list[dict[str, Any]]] = []

    def summarise(removed: list[dict[str, Any]]) -> str:
        given.append(removed)
        return f"Summary {len(given)}."

    talk = long_talk(vendor, 3, system="Be brief.", config=SessionConfig(max_history_turns=2), summarise=summarise)
    before = talk.messages
    talk.generate("3")
    assert given[0] == before[:4]
    system = counting.asked[0]["system"]
    assert "Be brief.\n\nWhat was said before the following messages, in short:\nSummary 1." in json.dumps(
        system
    ).encode().decode("unicode_escape")
    talk.generate("4")
    assert given[1] == [{"role": "system", "content": "Summary 1."}, *before[4:]]
    assert (talk.summary, talk.fork().summary) == ("Summary 2.", "Summary 2.")
    talk.clear()
    assert talk.summary is None


@pytest.mark.parametrize("returned", ["", "  ", None, 5])
def test_a_summary_that_is_none(provider: Provider, returned: Any) -> None:
    talk = long_talk(provider, 3, summarise=lambda removed: returned)
    with pytest.raises(ConfigurationError, match="what summarise returned must be a text that is not empty"):
        talk.trim(max_turns=1)
    assert len(talk) == 6


def test_a_summary_that_fails_is_the_error_of_the_turn(provider: Provider) -> None:
    def summarise(removed: list[Any]) -> str:
        raise KeyError("mine")

    talk = long_talk(provider, 3, summarise=summarise, config=SessionConfig(max_history_turns=1))
    with pytest.raises(KeyError, match="mine"):
        talk.stream("x")
    assert (len(talk), talk.is_busy) == (6, False)


def test_a_summariser_that_is_a_coroutine_function(provider: Provider) -> None:
    async def summarise(removed: list[Any]) -> str:
        await asyncio.sleep(0)
        return f"{len(removed)} messages"

    talk = long_talk(provider, 3, summarise=summarise, config=SessionConfig(max_history_turns=1))
    with pytest.raises(ConfigurationError, match="summarise is a coroutine function"):
        talk.generate("x")

    async def main() -> None:
        stream = await talk.astream("x")
        assert (await stream.result).text == "x"

    asyncio.run(main())
    assert (talk.summary, talk.messages[0]["content"], len(talk)) == ("6 messages", "x", 2)


def test_the_search_is_linear_in_the_history(provider: Provider) -> None:
    talk = long_talk(provider, 20_000, words=2)
    started = time.monotonic()
    assert talk.trim(max_tokens=1000) > 39_000
    assert time.monotonic() - started < 5  # 0.2 s; squared it would be minutes


@pytest.mark.parametrize("limit", [{"max_turns": 0}, {"max_tokens": -1}, {"max_turns": "1"}])
def test_limits_that_are_wrong(provider: Provider, limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a whole number"):
        Conversation(provider).trim(**limit)


def test_an_empty_history_has_nothing_to_lose(provider: Provider) -> None:
    talk = Conversation(provider)
    assert (talk.trim(max_turns=1), talk.trim(max_tokens=1), talk.trim()) == (0, 0, 0)
