"""The two drivers of a call: one waits, one awaits. What they do in between is in `_calls.steps`."""

from __future__ import annotations

from pyagent import errors, events

from . import _callbacks
from ._answers import make_response
from ._calls import Call, steps
from ._chunk_maker import ChunkMaker
from .streaming import CustomStreamWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._calls import Ask
    from .types import ModelResponse


def run(arguments: dict[str, Any]) -> ModelResponse | CustomStreamWrapper:
    """Makes a call and waits for its answer, or for the beginning of its stream.

    Raises:
        LiteLLMEdgeError: The call failed.
    """
    call, log = _begin(arguments)
    try:
        course = steps(call)
        ask = next(course)
        while True:
            try:
                found = _begin_stream(ask) if ask.method == "stream" else ask.provider.generate(**ask.options)
            except errors.PyAgentError as error:
                ask = course.throw(error)
            else:
                ask = course.send(found)
    except StopIteration as end:
        done = end.value
    except Exception as error:
        log.fail(error)
        raise
    return _finish(done[0], done[1], log)


async def arun(arguments: dict[str, Any]) -> ModelResponse | CustomStreamWrapper:
    """The twin of `run` for coroutines."""
    call, log = _begin(arguments)
    try:
        course = steps(call)
        ask = next(course)
        while True:
            try:
                found = await (_abegin_stream(ask) if ask.method == "stream" else ask.provider.agenerate(**ask.options))
            except errors.PyAgentError as error:
                ask = course.throw(error)
            else:
                ask = course.send(found)
    except StopIteration as end:
        done = end.value
    except Exception as error:
        log.fail(error)
        raise
    return _finish(done[0], done[1], log)


def _begin(arguments: dict[str, Any]) -> tuple[Call, _callbacks.Log]:
    call = Call(arguments)
    log = _callbacks.Log(call)
    log.begin()
    return call, log


def _begin_stream(ask: Ask) -> tuple[Any, Any, Any]:
    """Starts a stream and waits for its first sign: what goes wrong before it is raised where the call is made."""
    stream = ask.provider.stream(**ask.options)
    rest = stream.events()
    for event in rest:
        if type(event) is not events.RetryEvent:
            return stream, rest, event
    raise errors.ResponseParseError("The stream ended without an answer.")


async def _abegin_stream(ask: Ask) -> tuple[Any, Any, Any]:
    stream = ask.provider.astream(**ask.options)
    rest = stream.events()
    async for event in rest:
        if type(event) is not events.RetryEvent:
            return stream, rest, event
    raise errors.ResponseParseError("The stream ended without an answer.")


def _finish(call: Call, found: Any, log: _callbacks.Log) -> ModelResponse | CustomStreamWrapper:
    if not call.stream:
        answer = make_response(call, found)
        log.succeed(call, answer)
        return answer
    stream, rest, start = found
    maker = ChunkMaker(call, stream, start)
    if not log.listens:
        return CustomStreamWrapper(maker, rest)
    return CustomStreamWrapper(maker, rest, lambda result: log.succeed(call, make_response(call, result)), log.fail)
