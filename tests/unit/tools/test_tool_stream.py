"""Streams of tool runs: how they are read, and how everything ends at once."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import sys
import threading
import time
from typing import Any

import pytest

from pyagent import StreamCancelledError, ToolLimitError, events, tool


class Slow:
    """Coroutine functions and functions that wait, and what became of them."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cancelled = threading.Event()
        self.release = threading.Event()

    def task(self) -> Any:
        @tool
        async def wait() -> None:
            self.started.set()
            try:
                await asyncio.sleep(30)
            finally:
                self.cancelled.set()

        return wait

    def thread(self) -> Any:
        @tool
        def wait() -> None:
            self.started.set()
            self.release.wait(30)

        return wait


@pytest.fixture
def slow() -> Any:
    slow = Slow()
    yield slow
    slow.release.set()


def waiting(model: Any) -> None:
    model.turns += [{"text": "Wait.", "calls": [("wait", "{}")]}, {"text": "Done."}]


def until_started(stream: Any) -> None:
    for event in stream:
        if isinstance(event, events.ToolStarted):
            return


@pytest.mark.parametrize("kind", ["task", "thread"])
def test_close_from_another_thread(asking: Any, model: Any, slow: Slow, kind: str) -> None:
    waiting(model)
    stream = asking.stream_tools("?", tools=[getattr(slow, kind)()])

    def close() -> None:
        slow.started.wait(10)
        stream.close()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(StreamCancelledError):
        list(stream.events())
    closing.join()
    if kind == "task":
        assert slow.cancelled.wait(10)
    with pytest.raises(StreamCancelledError):
        stream.result  # noqa: B018
    assert len(stream.run.steps) == 1
    assert len(model.asked) == 1


@pytest.mark.parametrize("end", ["close", "with", "drop", "break"])
def test_every_other_way_to_end(asking: Any, model: Any, slow: Slow, end: str, collect: Any) -> None:
    waiting(model)
    stream = asking.stream_tools("?", tools=[slow.task()])
    if end == "with":
        with stream:
            until_started(stream.events())
    elif end == "break":
        for event in stream.events():
            if isinstance(event, events.ToolStarted):
                break
    else:
        reading = stream.events()
        until_started(reading)
        slow.started.wait(10)
        if end == "close":
            stream.close()
        del reading
    collect()
    if end != "drop":
        with pytest.raises(StreamCancelledError):
            list(stream)
    del stream
    gc.collect()
    assert slow.cancelled.wait(10) or not slow.started.is_set()
    assert len(model.asked) == 1


def trio_of_the_caller() -> Any:
    """trio, where that runs the caller."""
    from pyagent._aio import in_trio

    return sys.modules["trio"] if "trio" in sys.modules and in_trio() else None


async def sleep(seconds: float) -> None:
    trio = trio_of_the_caller()
    await (trio.sleep(seconds) if trio else asyncio.sleep(seconds))


async def start(stream: Any) -> None:
    while not isinstance(await stream._next(), events.ToolStarted):
        pass
    await sleep(0.05)


async def leave(stream: Any) -> None:
    async for event in stream.events():
        if isinstance(event, events.ToolStarted):
            break


async def use(stream: Any) -> None:
    async with stream:
        await start(stream)


async def close(stream: Any) -> None:
    await start(stream)
    await stream.aclose()


async def cancel(stream: Any) -> None:
    trio = trio_of_the_caller()
    if trio:
        with trio.move_on_after(0.1):
            await stream.result
    else:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.result, 0.1)


@pytest.mark.parametrize("end", [start, leave, use, close, cancel], ids=lambda end: end.__name__)
def test_every_way_to_end_in_a_loop(asking: Any, model: Any, run: Any, slow: Slow, end: Any, collect: Any) -> None:
    """`start` alone drops the stream."""
    waiting(model)

    async def wait() -> None:
        slow.started.set()
        try:
            await sleep(30)
        finally:
            slow.cancelled.set()

    async def main() -> None:
        stream = asking.astream_tools("?", tools=[wait])
        await end(stream)
        collect()
        if end is not start:
            with pytest.raises(StreamCancelledError):
                await stream.result
        del stream
        collect()
        await sleep(0.05)
        assert slow.cancelled.is_set() or not slow.started.is_set()

    run(main)
    assert slow.started.is_set() or end is leave
    assert len(model.asked) == 1


def test_cancelling_a_run(asking: Any, model: Any, slow: Slow) -> None:
    waiting(model)

    async def main() -> None:
        task = asyncio.ensure_future(asking.arun_tools("?", tools=[slow.task()]))
        while not slow.started.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.02)
        assert slow.cancelled.is_set()

    asyncio.run(main())


def test_ctrl_c_while_tools_run(asking: Any, model: Any, slow: Slow) -> None:
    import _thread

    waiting(model)

    def interrupt() -> None:
        slow.started.wait(10)
        time.sleep(0.05)
        _thread.interrupt_main()

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        asking.run_tools("?", tools=[slow.task()])
    assert slow.cancelled.wait(10)


def test_a_second_reader_is_refused(asking: Any, model: Any, slow: Slow) -> None:
    waiting(model)
    stream = asking.stream_tools("?", tools=[slow.thread()])
    reading = threading.Thread(target=lambda: stream.result)
    reading.start()
    slow.started.wait(10)
    with pytest.raises(RuntimeError, match="Another thread is reading"):
        list(stream)
    slow.release.set()
    reading.join()
    assert stream.result.text == "Done."


def test_an_error_stays(asking: Any, model: Any) -> None:
    model.turns += [{"calls": [("f", "{}")]}]
    stream = asking.stream_tools("?", tools=[tool(name="f")(lambda: 1)], max_steps=1)
    for _ in range(2):
        with pytest.raises(ToolLimitError) as caught:
            stream.result  # noqa: B018
        assert caught.value.run is stream.run


def test_text_then_events_then_result(asking: Any, model: Any) -> None:
    model.turns += [{"text": "One."}]
    stream = asking.stream_tools("?", tools=[])
    assert list(stream) == ["One."]
    assert list(stream.events()) == []
    assert stream.result.text == "One."
    stream.close()
    assert stream.result.text == "One."


def test_a_stream_is_not_copied(asking: Any, model: Any) -> None:
    model.turns += [{"text": "One."}]
    with asking.stream_tools("?", tools=[]) as stream, pytest.raises(TypeError, match="cannot be pickled"):
        copy.copy(stream)


def test_calls_without_a_result_are_made_first(asking: Any, model: Any) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    other = {"id": "2", "type": "function", "function": {"name": "f", "arguments": {"n": 2}}}
    asked = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": [call, other]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]

    @tool
    def f(n: int = 0) -> int:
        return n

    model.turns += [{"text": "ok"}] * 2
    stream = asking.stream_tools(messages=asked, tools=[f])
    kinds = [event.type for event in stream.events()]
    assert kinds[:2] == ["tool_started", "tool_finished"]
    assert asking.run_tools(messages=asked, tools=[f]).text == "ok"
    for body in model.asked:
        assert [message.get("tool_call_id") for message in body["messages"]] == [None, None, "1", "2"]
        assert body["messages"][-1]["content"] == "2"


def test_events_are_json(asking: Any, model: Any) -> None:
    model.turns += [{"calls": [("f", "{}"), ("g", "{}")]}, {"text": "ok"}]
    stream = asking.stream_tools("?", tools=[tool(name="f")(lambda: {1, 2})])
    kinds = [json.loads(json.dumps(event.to_dict()))["type"] for event in stream.events()]
    assert kinds.count("tool_finished") == 2
