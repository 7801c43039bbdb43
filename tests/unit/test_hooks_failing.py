"""Hooks that fail, hooks that must be awaited, and requests that end while their hooks run."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import Any

import pytest

from pyagent import (
    DROP,
    BadRequestError,
    Choice,
    ConfigurationError,
    Hook,
    HookError,
    Hooks,
    Provider,
    PyAgentError,
    RequestContext,
    Response,
    StreamCancelledError,
    StreamInterruptedError,
    events,
)

SHORT = Response([Choice(text="short")])


class Noting(Hook):
    """Writes down what it sees."""

    def __init__(self, name: str, log: list[Any], priority: float = 0) -> None:
        self.name, self.log, self.priority = name, log, priority

    def on_request(self, context: RequestContext) -> None:
        self.log.append(f"{self.name} request")

    def on_event(self, context: RequestContext, event: events.Event) -> None:
        self.log.append(f"{self.name} {event.type}")

    def on_response(self, context: RequestContext, response: Response) -> None:
        self.log.append(f"{self.name} response {response.text}")

    def on_error(self, context: RequestContext, error: PyAgentError) -> None:
        self.log.append(f"{self.name} {type(error).__name__}")


def failing(*_: Any) -> None:
    raise KeyError("lost")


def answering(context: RequestContext) -> Response:
    return SHORT


@pytest.mark.parametrize("reply", [DROP, events.TextDelta("x"), 1])
def test_what_can_only_be_seen_cannot_be_changed(provider: Provider, reply: Any) -> None:
    def hook(context: RequestContext, event: events.Event) -> Any:
        return reply if isinstance(event, events.FinishEvent) else None

    stream = provider.stream_text("hi", hooks=Hooks(stream=[hook]))
    assert next(stream) == "hi"
    with pytest.raises(HookError, match=r"hook returned .*FinishEvent.*return None") as caught:
        next(stream)
    assert (caught.value.partial_text, stream.text) == ("hi", "hi")


def test_an_event_is_replaced_by_one_of_its_class(provider: Provider) -> None:
    hooks = Hooks(stream=[lambda _, event: events.ReasoningDelta("x") if event.type == "text" else None])
    with pytest.raises(HookError, match="must return None, DROP or another TextDelta"):
        list(provider.stream_text("hi", hooks=hooks))


@pytest.mark.parametrize("part", ["request", "stream", "response"])
@pytest.mark.parametrize("hook", [failing, lambda *_: 5])
def test_a_failing_hook_is_named_and_the_connection_closed(
    provider: Provider, server: Any, script: Any, part: str, hook: Any
) -> None:
    log: list[str] = []
    hooks = Hooks(Noting("a", log)) + Hooks(**{part: [hook]}) + Hooks(Noting("inner", log, -1))
    name = hook.__qualname__.rpartition("<locals>.")[2]
    with pytest.raises(HookError) as caught:
        list(provider.stream_text("one two", hooks=hooks, extra_body=script(delay=0.01)))
    assert caught.value.hook == name
    assert name in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError) is (hook is failing)
    assert log[-1] == "a HookError"
    assert [entry for entry in log if "Error" in entry and "inner" in entry] == (
        ["inner HookError"] if part == "stream" else []
    )
    if part == "request":
        assert server.requests() == []


def test_text_that_came_before_a_hook_failed_is_given(provider: Provider) -> None:
    stream = provider.stream_text("one two", hooks=Hooks(response=[failing]))
    assert [next(stream), next(stream)] == ["one", " two"]
    with pytest.raises(HookError, match="failing failed: KeyError: 'lost'"):
        next(stream)


def test_reading_on_after_a_hook_has_failed_fails_again(provider: Provider) -> None:
    stream = provider.stream_text("one", hooks=Hooks(stream=[failing]))
    for _ in range(3):
        with pytest.raises(HookError, match="failing failed"):
            next(stream)


def test_hooks_are_told_of_errors_and_may_fail_at_it(provider: Provider, script: Any) -> None:
    class Fails(Hook):
        def on_error(self, context: RequestContext, error: PyAgentError) -> None:
            raise OSError("no disk")

    log: list[str] = []
    asked = partial(provider.generate_text, "hi", extra_body=script(status=400))
    with pytest.raises(BadRequestError):
        asked(hooks=Hooks(Noting("a", log)))
    with pytest.raises(HookError, match="Fails failed: OSError: no disk"):
        asked(hooks=Hooks(Noting("b", log), Fails()))
    assert log == ["a request", "a BadRequestError", "b request", "b BadRequestError"]


def test_a_stream_that_is_closed_calls_no_more_hooks(provider: Provider, server: Any, script: Any) -> None:
    log: list[str] = []
    stream = provider.stream_text("hi", hooks=Hooks(Noting("a", log)), extra_body=script(end="stall"))
    next(stream)
    stream.close()
    with pytest.raises(StreamCancelledError):
        next(stream)
    server.wait_for_state("disconnected")
    del stream
    gc.collect()
    assert "a response hi" not in log
    assert not [entry for entry in log if "Error" in entry]


async def slow_change(context: RequestContext) -> None:
    await asyncio.sleep(0)
    context.arguments["prompt"] = "changed"


class SlowHook(Hook):
    async def on_event(self, context: RequestContext, event: events.Event) -> Any:
        await asyncio.sleep(0)
        return DROP if event.type == "text" else None

    async def on_response(self, context: RequestContext, response: Response) -> None:
        await asyncio.sleep(0)
        context.metadata["seen"] = response.text


@pytest.mark.parametrize(
    ("hooks", "name"),
    [
        (Hooks(request=[slow_change]), "slow_change"),
        (Hooks(request=[partial(slow_change)]), "slow_change"),
        (Hooks(SlowHook()), "SlowHook"),
    ],
)
def test_coroutine_functions_are_refused_where_nobody_can_await_them(
    provider: Provider, hooks: Hooks, name: str
) -> None:
    for method in (provider.generate, provider.stream, provider.generate_text, provider.stream_text):
        with pytest.raises(ConfigurationError, match=rf"hook {name} is a coroutine function.* with an a in front"):
            method("hi", hooks=hooks)


def test_what_must_be_awaited_is_found_when_it_is_returned(provider: Provider) -> None:
    hooks = Hooks(
        request=[lambda context: slow_change(context)]  # noqa: PLW0108  # that is the point
    )
    with pytest.raises(HookError, match="<lambda> failed: TypeError: it gave something to await"):
        provider.generate_text("hi", hooks=hooks)


def test_coroutine_functions_are_awaited_by_the_methods_for_coroutines(provider: Provider) -> None:
    async def main() -> None:
        log: list[str] = []
        hooks = Hooks(Noting("a", log), request=[slow_change])
        assert await provider.agenerate_text("hi", hooks=hooks) == "changed"
        assert log == ["a request", "a response changed"]
        stream = provider.astream("hi", hooks=hooks)
        assert [piece async for piece in stream] == ["changed"]
        assert (await stream.result).text == "changed"
        quiet = provider.astream_text("hi", hooks=Hooks(SlowHook()))
        assert [piece async for piece in quiet] == []
        played = provider.astream_text("hi", hooks=hooks + Hooks(request=[answering]))
        assert [piece async for piece in played] == ["short"]

    asyncio.run(main())


@pytest.mark.parametrize("part", ["request", "stream", "response"])
def test_hooks_fail_in_coroutines_as_elsewhere(provider: Provider, part: str) -> None:
    async def slow_failing(*_: Any) -> None:
        await asyncio.sleep(0)
        raise KeyError("lost")

    async def main() -> None:
        for hook in (failing, slow_failing):
            log: list[str] = []
            hooks = Hooks(Noting("a", log)) + Hooks(**{part: [hook]})
            with pytest.raises(HookError, match="failing failed: KeyError"):
                async for _ in provider.astream_text("hi", hooks=hooks):
                    pass
            assert log[-1] == "a HookError"

    asyncio.run(main())


def test_a_stream_is_closed_while_a_hook_is_awaited(provider: Provider, server: Any) -> None:
    async def main() -> None:
        started = asyncio.Event()

        async def wait(context: RequestContext) -> None:
            started.set()
            await asyncio.sleep(30)

        stream = provider.astream_text("hi", hooks=Hooks(request=[wait]))
        reading = asyncio.ensure_future(stream.__anext__())
        await started.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        with pytest.raises(StreamCancelledError):
            await stream.__anext__()

    asyncio.run(main())
    assert server.requests() == []


def test_trio_awaits_hooks_too(provider: Provider) -> None:
    trio = pytest.importorskip("trio", reason="pip install trio")

    async def wait(context: RequestContext) -> None:
        await trio.sleep(0)

    async def main() -> None:
        assert await provider.agenerate_text("hi", hooks=Hooks(request=[wait])) == "hi"

    trio.run(main)


def test_a_stream_that_is_dropped_is_closed_without_the_garbage_collector(
    provider: Provider, server: Any, script: Any
) -> None:
    gc.collect()
    gc.disable()
    try:
        stream = provider.stream_text("hi", hooks=Hooks(Noting("a", [])), extra_body=script(end="stall"))
        next(stream)
        del stream
        server.wait_for_state("disconnected")
    finally:
        gc.enable()


@pytest.mark.parametrize("part", ["request", "stream", "response"])
def test_ctrl_c_in_a_hook_ends_the_request_and_is_no_failure_of_the_hook(provider: Provider, part: str) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    log: list[str] = []
    hooks = Hooks(Noting("a", log)) + Hooks(**{part: [interrupted]})
    with pytest.raises(KeyboardInterrupt):
        provider.generate_text("hi", hooks=hooks) if part == "response" else list(
            provider.stream_text("hi", hooks=hooks)
        )
    assert not [entry for entry in log if "Error" in entry]


def test_a_stream_that_breaks_off_keeps_what_hooks_made_of_it(provider: Provider, script: Any) -> None:
    def shout(context: RequestContext, event: events.Event) -> events.Event | None:
        return events.TextDelta(event.text.upper()) if isinstance(event, events.TextDelta) else None

    log: list[str] = []
    stream = provider.stream_text(
        "one two", hooks=Hooks(Noting("a", log), stream=[shout]), extra_body=script(end="cut", after=1)
    )
    with pytest.raises(StreamInterruptedError) as caught:
        list(stream)
    assert caught.value.partial_text == stream.text == "ONE"
    assert log[-1] == "a StreamInterruptedError"


def test_a_hook_may_ask_a_model_itself(provider: Provider) -> None:
    def translate(context: RequestContext, response: Response) -> Response:
        return Response([Choice(text=provider.generate_text(response.text + " again"))])

    assert provider.generate_text("hi", hooks=Hooks(response=[translate])) == "hi again"
