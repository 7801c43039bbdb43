"""Drives a run of a model and its tools, one-shot or as a stream: asks, makes the calls, asks again."""

from __future__ import annotations

from ._tool_calls import Calls, Live
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._tool_loop import ToolLoop
    from .events import Event
    from .tool_run import ToolRun


def run_to_end(loop: ToolLoop) -> ToolRun:
    """Asks and calls until the model needs no more tools."""
    live = Live()
    try:
        while not loop.finished:
            if loop.calls:
                calls = Calls(loop.calls, loop.options, live)
                while calls.step():
                    pass
                loop.answer(calls.results)
            loop.take(loop.provider.generate(**loop.request()))
        return loop.run
    except PyAgentError as error:
        error.run = loop.run
        raise
    finally:
        live.close()


def drive(loop: ToolLoop, live: Live) -> Iterator[Event]:
    """Likewise as a stream: what happens, as it happens."""
    try:
        while not loop.finished:
            if loop.calls:
                calls = Calls(loop.calls, loop.options, live)
                while True:
                    found = calls.step()
                    if not found:
                        break
                    yield from found
                loop.answer(calls.results)
            if live.stream is None:
                live.stream = loop.provider.stream(**loop.request())
            live.check()
            yield from live.stream.events()
            response, live.stream = live.stream.result, None
            loop.take(response)
    except PyAgentError as error:
        error.run = loop.run
        raise
    finally:
        live.close()
