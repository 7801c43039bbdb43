"""The two drivers of a call: one waits, one awaits. What they do in between is in `_calls.steps`."""

from __future__ import annotations

from pyagent import errors, events

from . import _callbacks, exceptions
from ._answers import make_response
from ._calls import Call, begin, steps
from ._chunk_maker import ChunkMaker
from ._embedding import _make_response as make_embeddings
from .streaming import CustomStreamWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._calls import Ask
    from ._embedding import EmbeddingResponse
    from .types import ModelResponse

_BEFORE = (events.RetryEvent, events.ErrorEvent)  # what may come before an answer begins
_FAILURES = (errors.PyAgentError, exceptions.LiteLLMEdgeError)


def run(arguments: dict[str, Any], method: str = "generate", make: type[Call] | Callable[..., Call] = Call) -> Any:
    """Makes a call and waits for its answer, or for the beginning of its stream.

    Args:
        arguments: Of the call.
        method: "generate" or "embed".
        make: Makes the call of the two.

    Raises:
        LiteLLMEdgeError: The call failed.
    """
    call, log = _begin(begin(make, arguments, method), is_async=False)
    try:
        course = steps(call)
        ask = next(course)
        while True:
            try:
                found = _send(ask)
            except _FAILURES as error:
                ask = course.throw(error)
            else:
                ask = course.send(found)
    except StopIteration as end:
        done = end.value
    except Exception as error:
        log.fail(error)
        raise
    return _finish(done[0], done[1], log)


async def arun(
    arguments: dict[str, Any], method: str = "generate", make: type[Call] | Callable[..., Call] = Call
) -> Any:
    """The twin of `run` for coroutines."""
    call, log = _begin(begin(make, arguments, method), is_async=True)
    try:
        course = steps(call)
        ask = next(course)
        while True:
            try:
                found = await _asend(ask)
            except _FAILURES as error:
                ask = course.throw(error)
            else:
                ask = course.send(found)
    except StopIteration as end:
        done = end.value
    except Exception as error:
        log.fail(error)
        raise
    return _finish(done[0], done[1], log)


def _begin(call: Call, *, is_async: bool) -> tuple[Call, _callbacks.Log]:
    log = _callbacks.Log(call, is_async=is_async)
    log.begin()
    return call, log


def _send(ask: Ask) -> Any:
    """Makes a request and waits for its answer; of a stream for its first sign, so that what goes wrong before is
    raised where the call is made."""
    found: Any = getattr(ask.provider, ask.method)(**ask.options)
    if ask.method != "stream":
        return found
    rest = found.events()
    for attempts, event in enumerate(rest, 1):
        if type(event) not in _BEFORE:
            return found, rest, event, attempts
    raise errors.ResponseParseError("The stream ended without an answer.")


async def _asend(ask: Ask) -> Any:
    """The twin of `_send` for coroutines."""
    found: Any = getattr(ask.provider, f"a{ask.method}")(**ask.options)
    if ask.method != "stream":
        return await found
    rest = found.events()
    attempts = 0
    async for event in rest:
        attempts += 1
        if type(event) not in _BEFORE:
            return found, rest, event, attempts
    raise errors.ResponseParseError("The stream ended without an answer.")


def _finish(call: Call, found: Any, log: _callbacks.Log) -> ModelResponse | EmbeddingResponse | CustomStreamWrapper:
    if not call.stream:
        call.settle(found.deployment)
        answer = make_embeddings(call, found) if call.method == "embed" else make_response(call, found)
        log.succeed(call, answer)
        return answer
    stream, rest, start, attempts = found
    call.settle(start.deployment)
    maker = ChunkMaker(call, stream, start, attempts)
    if not log.listens:
        return CustomStreamWrapper(maker, rest)
    return CustomStreamWrapper(maker, rest, lambda result: log.succeed(call, make_response(call, result)), log.fail)
