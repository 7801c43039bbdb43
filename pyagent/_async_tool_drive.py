"""Drives a run of a model and its tools from a coroutine: the twin of _tool_drive."""

from __future__ import annotations

from ._async_tool_calls import AsyncCalls
from ._tool_calls import Live
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ._tool_loop import ToolLoop
    from .events import Event
    from .tool_run import ToolRun


async def arun_to_end(loop: ToolLoop) -> ToolRun:
    """The twin of `run_to_end` for coroutines."""
    live = Live()
    try:
        while not loop.finished:
            if loop.calls:
                calls = await AsyncCalls.begin(loop.calls, loop.options, live)
                while await calls.step():
                    pass
                loop.answer(calls.results)
            loop.take(await loop.provider.agenerate(**loop.request()))
        return loop.run
    except PyAgentError as error:
        error.run = loop.run
        raise
    finally:
        live.close()


async def adrive(loop: ToolLoop, live: Live) -> AsyncGenerator[Event, None]:
    """The twin of `drive`."""
    try:
        while not loop.finished:
            if loop.calls:
                calls = await AsyncCalls.begin(loop.calls, loop.options, live)
                while True:
                    found = await calls.step()
                    if not found:
                        break
                    for event in found:
                        yield event
                loop.answer(calls.results)
            if live.stream is None:
                live.stream = loop.provider.astream(**loop.request())
            live.check()
            async for event in live.stream.events():
                yield event
            response, live.stream = await live.stream.result, None
            loop.take(response)
    except PyAgentError as error:
        error.run = loop.run
        raise
    finally:
        live.close()
