"""Many prompts from a coroutine: what only amap has. Async prompts, cancelled tasks, several event loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import AsyncAnswers, Provider, StreamCancelledError

if TYPE_CHECKING:
    from conftest import Model

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


async def sleep(seconds: float) -> None:
    """As that of whatever runs here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        import trio

        await trio.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


async def leave_the_loop(answers: AsyncAnswers[Any]) -> None:
    async for _ in answers:
        break


async def leave_the_block(answers: AsyncAnswers[Any]) -> None:
    async with answers:
        await answers.__anext__()


async def close(answers: AsyncAnswers[Any]) -> None:
    await answers.__anext__()
    await answers.aclose()
    await answers.aclose()


@pytest.mark.parametrize("leave", [leave_the_loop, leave_the_block, close])
def test_leaving_closes_every_connection(run: Run, model: Model, asking: Provider, leave: Any) -> None:
    async def main() -> None:
        model.barrier = 6
        answers = asking.amap(["quick", *["hold"] * 5])
        await leave(answers)
        model.wait_for_closed(5)  # without a turn of the event loop
        with pytest.raises(StreamCancelledError):
            await answers.__anext__()

    run(main)


def test_dropping_closes_every_connection(run: Run, model: Model, asking: Provider) -> None:
    async def main() -> None:
        model.barrier = 6
        answers = asking.amap(["quick", *["hold"] * 5])
        assert await answers.__anext__() == "quick"
        del answers
        model.wait_for_closed(5)

    run(main)


def test_cancelling_the_reader_closes_every_connection(model: Model, asking: Provider) -> None:
    async def main() -> None:
        answers = asking.amap(["hold"] * 5)
        reading = asyncio.ensure_future(answers.__anext__())
        while model.asked < 5:
            await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        model.wait_for_closed(5)
        with pytest.raises(StreamCancelledError):
            await answers.__anext__()

    asyncio.run(main())


def test_another_task_closes(model: Model, asking: Provider) -> None:
    async def main() -> None:
        answers = asking.amap(["hold"] * 5)
        reading = asyncio.ensure_future(answers.__anext__())
        while model.asked < 5:
            await asyncio.sleep(0.01)
        await answers.aclose()
        with pytest.raises(StreamCancelledError):
            await reading
        model.wait_for_closed(5)

    asyncio.run(main())


def test_a_second_reader_is_refused_and_the_first_goes_on(asking: Provider) -> None:
    async def main() -> None:
        answers = asking.amap(["first 0.3"])

        async def read() -> list[Any]:
            return [answer async for answer in answers]

        first = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="Another task is reading"):
            await read()
        assert await first == ["first"]

    asyncio.run(main())


def test_async_prompts_are_read_as_there_is_room(run: Run, model: Model, asking: Provider) -> None:
    read = 0

    async def prompts() -> AsyncIterator[str]:
        nonlocal read
        for number in range(10):
            read += 1
            yield str(number)

    async def main() -> None:
        model.barrier = 3
        answers = asking.amap(prompts(), concurrency=3)
        await sleep(0.05)
        assert read == 0
        for number in range(10):
            assert await answers.__anext__() == str(number)
            await sleep(0.02)
            assert min(number + 2, 10) <= read <= min(number + 3, 10)
            assert model.asked <= read  # a prompt may wait for the reader to come back
        with pytest.raises(StopAsyncIteration):
            await answers.__anext__()

    run(main)


def test_an_answer_does_not_wait_for_the_next_prompt(run: Run, asking: Provider) -> None:
    """As with a person who writes the next message when the answer to the last is there."""
    answered: list[str] = []

    async def prompts() -> AsyncIterator[str]:
        for number in range(3):
            yield str(number)
            while len(answered) <= number:
                await sleep(0.01)

    async def main() -> None:
        async for answer in asking.amap(prompts()):
            answered.append(answer)  # noqa: PERF401

    run(main)
    assert answered == ["0", "1", "2"]


def test_an_exception_of_async_prompts_closes_everything(run: Run, model: Model, asking: Provider) -> None:
    async def prompts() -> AsyncIterator[str]:
        yield "hold"
        while model.asked < 1:
            await sleep(0.01)
        raise LookupError("no more prompts")

    async def main() -> None:
        with pytest.raises(LookupError, match="no more prompts"):
            await asking.amap(prompts()).__anext__()
        model.wait_for_closed(1)

    run(main)


def test_async_prompts_that_are_waited_for_are_cancelled(
    run: Run, asking: Provider, collect: Callable[[], None]
) -> None:
    ended: list[str] = []

    async def prompts() -> AsyncIterator[str]:
        yield "quick"
        try:
            await sleep(30)
        finally:
            ended.append("yes")

    async def main() -> None:
        async for answer in asking.amap(prompts()):
            assert answer == "quick"
            break
        collect()
        await sleep(0.05)
        assert ended == ["yes"]

    run(main)


def test_many_maps_of_one_loop(echo: Provider) -> None:
    async def one(name: str) -> list[str]:
        return [answer async for answer in echo.amap((f"{name} {number}" for number in range(50)), concurrency=5)]

    async def main() -> list[list[str]]:
        return await asyncio.gather(*(one(str(name)) for name in range(10)))

    assert asyncio.run(main()) == [[f"{name} {number}" for number in range(50)] for name in range(10)]


def test_another_loop_is_an_error_and_no_hang(model: Model, asking: Provider) -> None:
    async def begin() -> AsyncAnswers[Any]:
        model.barrier = 2
        answers = asking.amap(["quick", "hold", "never"], concurrency=2)
        assert await answers.__anext__() == "quick"
        return answers

    async def read(answers: AsyncAnswers[Any]) -> None:
        assert await asking.agenerate_text("other") == "other"
        await answers.__anext__()

    loop = asyncio.new_event_loop()
    answers = loop.run_until_complete(begin())
    loop.close()
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(read(answers))
    model.wait_for_closed(1)


def test_without_a_loop_the_error_says_what_to_do(echo: Provider) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        echo.amap(["a"]).__anext__().send(None)


def test_no_thread_is_started(echo: Provider) -> None:
    before = threading.active_count()
    seen: list[int] = []
    list(echo.map(map(str, range(100)), concurrency=50, progress=lambda *_: seen.append(threading.active_count())))
    assert set(seen) == {before}
