"""Streams of conversations, however they are read and however they end; hooks; and parity of what methods take."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    Choice,
    Conversation,
    ConversationBusyError,
    HookError,
    Hooks,
    Provider,
    Response,
    SessionConfig,
    StreamCancelledError,
    events,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Server

STALL = {"pieces": ["a ", "b"], "after": 1, "end": "stall"}


def fake(**fields: Any) -> SessionConfig:
    return SessionConfig(extra_body={"fake": fields})


@pytest.fixture
def talk(provider: Provider) -> Conversation:
    return Conversation(provider)


def last(talk: Conversation) -> Any:
    return talk.messages[-1]["content"] if len(talk) else None


@pytest.mark.parametrize(
    "read",
    [
        lambda stream: list(stream.events()),
        lambda stream: list(stream.snapshots()),
        lambda stream: stream.on_text(str).run(),
        lambda stream: stream.collect(),
        lambda stream: stream.result,
        lambda stream: (next(stream), list(stream)),
    ],
)
def test_every_way_to_read_records(talk: Conversation, read: Callable[[Any], Any]) -> None:
    read(talk.stream("a b c"))
    assert (last(talk), talk.turns, talk.is_busy) == ("a b c", 1, False)


def test_leaving_events_and_with_records_what_had_come(talk: Conversation, collect: Any) -> None:
    for event in talk.stream("q", config=fake(**STALL)).events():
        if isinstance(event, events.TextDelta):
            break
    collect()
    assert (last(talk), talk.is_busy) == ("a ", False)
    with talk.stream("q", config=fake(**STALL)) as stream:
        next(stream)
    assert (len(talk), last(talk)) == (4, "a ")
    with pytest.raises(StreamCancelledError):
        next(stream)
    assert len(talk) == 4


def test_a_stream_in_a_cycle_ends_its_turn_when_it_is_collected(talk: Conversation) -> None:
    stream = talk.stream("q", config=fake(**STALL))
    next(stream)
    cycle: list[Any] = [stream]
    cycle.append(cycle)
    del stream, cycle
    gc.collect()
    assert (last(talk), talk.is_busy) == ("a ", False)


def test_closing_from_another_thread(talk: Conversation) -> None:
    stream = talk.stream("q", config=fake(**STALL))
    next(stream)
    closing = threading.Timer(0.1, stream.close)
    closing.start()
    with pytest.raises(StreamCancelledError) as caught:
        next(stream)
    closing.join()
    assert (caught.value.partial_text, last(talk), talk.is_busy) == ("a ", "a ", False)


def test_an_exception_of_the_reader_keeps_what_had_come(talk: Conversation, collect: Any) -> None:
    def read() -> None:
        for _ in talk.stream("q", config=fake(**STALL)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read()
    collect()
    assert (last(talk), talk.is_busy) == ("a ", False)


def test_reasoning_and_calls_of_an_answer_that_was_cut_are_not_recorded(talk: Conversation) -> None:
    with talk.stream(
        "q", config=fake(reasoning="Hm.", text="a", tools=[{"name": "f"}], after=2, end="stall")
    ) as stream:
        next(stream)
    assert set(talk.messages[-1]) == {"role", "content", "interrupted"}


def test_threads_that_stream_and_close_never_lose_the_turn(talk: Conversation) -> None:
    """What is recorded are whole pairs, in whatever order the threads got their turns."""
    stop, busy = time.monotonic() + 1.5, 0

    def work(number: int) -> None:
        nonlocal busy
        while time.monotonic() < stop:
            try:
                stream = talk.stream(f"q{number}", config=fake(pieces=["x", "y", "z"], per_write=1))
            except ConversationBusyError:
                busy += 1
                time.sleep(0.001)
                continue
            if number % 2:
                next(stream)
                stream.close()
            else:
                list(stream)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = talk.messages
    assert busy
    assert not talk.is_busy
    assert len(said) == 2 * talk.turns > 2
    assert [message["role"] for message in said] == ["user", "assistant"] * talk.turns
    assert {message["content"] for message in said[1::2]} <= {"x", "xy", "xyz"}


def test_tasks_get_one_turn_at_a_time(talk: Conversation) -> None:
    async def main() -> None:
        asked = await asyncio.gather(*(talk.agenerate(f"q{n}", config=fake(header_delay=0.1)) for n in range(5)),
                                     return_exceptions=True)  # fmt: skip
        assert [type(answer).__name__ for answer in asked] == ["Response"] + ["ConversationBusyError"] * 4
        stream = await talk.astream("q", config=fake(**STALL))
        del stream
        gc.collect()
        assert not talk.is_busy
        assert (await talk.agenerate("z")).text == "z"

    asyncio.run(main())
    assert len(talk) == 4


def test_a_hook_that_fails_is_a_turn_that_fails(provider: Provider, server: Server) -> None:
    def refuse(context: Any, event: Any) -> None:
        raise KeyError("no")

    talk = Conversation(provider, config=SessionConfig(hooks=Hooks(stream=[refuse])))
    with pytest.raises(HookError):
        list(talk.stream("q"))
    assert (talk.messages, talk.is_busy) == ([], False)


def test_what_hooks_make_of_requests_and_answers(provider: Provider, server: Server) -> None:
    def shout(context: Any) -> None:
        for message in context.arguments["messages"]:
            message["content"] = message["content"].upper()

    def sign(context: Any, response: Response) -> Response:
        return Response([Choice(text=response.text + "!")])

    talk = Conversation(provider, config=SessionConfig(hooks=Hooks(request=[shout], response=[sign])))
    talk.generate("one")
    talk.generate("two")
    assert [m["content"] for m in server.requests()[1]["body"]["messages"]] == ["ONE", "ONE!", "TWO"]
    assert [m["content"] for m in talk.messages] == ["one", "ONE!", "two", "TWO!"]


def test_a_config_takes_what_generate_takes() -> None:
    own = {"prompt", "messages", "system_prompt", "previous_response_id", "model", "api_key", "base_url", "self"}
    history = {"max_history_turns", "max_history_tokens", "self"}
    taken = set(inspect.signature(Provider.generate).parameters) - own
    assert set(inspect.signature(SessionConfig.__init__).parameters) - history == taken
    assert set(SessionConfig._fields) == taken | (history - {"self"})


ASKING = (
    *("generate", "stream", "generate_with", "stream_with", "generate_stateless", "stream_stateless"),
    *("run_tools", "stream_tools", "trim"),
)


@pytest.mark.parametrize("name", ASKING)
def test_the_twins_for_coroutines_take_the_same(name: str) -> None:
    method, twin = getattr(Conversation, name), getattr(Conversation, "a" + name)
    assert inspect.signature(method).parameters == inspect.signature(twin).parameters
    assert inspect.iscoroutinefunction(twin)
    assert not inspect.iscoroutinefunction(method)


def test_the_tools_of_a_conversation_are_called_as_those_of_a_provider() -> None:
    own = inspect.signature(Conversation.run_tools).parameters
    others = inspect.signature(Provider.run_tools).parameters
    shared = [name for name in own if name not in {"self", "prompt", "config", "tools"}]
    assert [own[name] for name in shared] == [others[name] for name in shared]
    assert own.keys() == inspect.signature(Conversation.stream_tools).parameters.keys()
