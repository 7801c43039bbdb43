"""The two ways to drive a contestant, with the same methods: calls that block, and an event loop."""

from __future__ import annotations

import time

import question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from types import ModuleType
    from typing import Any

HELD = 32  # streams that are opened at once, of those to be held open


class Blocking:
    """Calls that block: several at once take a thread each."""

    name = "threads"

    def __init__(self, contestant: ModuleType, url: str) -> None:
        self._contestant = contestant
        self._client = contestant.connect(url)
        self._held: list[Any] = []

    def complete(self, times: int = 1, messages: list[dict[str, str]] = question.MESSAGES) -> str:
        """Small completions one after another; gives the last."""
        complete, client = self._contestant.complete, self._client
        for _ in range(times):
            answer = complete(client, messages)
        return str(answer)

    def read(self) -> tuple[int, int]:
        """Reads one streamed answer to its end. Gives its pieces and its characters."""
        pieces = characters = 0
        for piece in self._contestant.stream(self._client):
            pieces += 1
            characters += len(piece)
        return pieces, characters

    def arrivals(self) -> list[tuple[int, Any]]:
        """The pieces of one streamed answer, each with the moment in which it was there."""
        return [(time.time_ns(), _kept(piece)) for piece in self._contestant.stream(self._client)]

    def complete_together(self, tasks: int, times: int) -> None:
        self._together(tasks, lambda: self.complete(times))

    def read_together(self, tasks: int) -> list[tuple[int, int]]:
        return self._together(tasks, self.read)

    def hold(self, count: int) -> None:
        """Opens streams, reads the first piece of each and keeps them open."""
        for _ in range(count):
            stream = self._contestant.stream(self._client)
            next(stream)
            self._held.append(stream)

    def idle(self, seconds: float) -> None:
        time.sleep(seconds)

    @staticmethod
    def _together(tasks: int, work: Callable[[], Any]) -> list[Any]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(tasks) as pool:
            return [future.result() for future in [pool.submit(work) for _ in range(tasks)]]


class Asynchronous:
    """Coroutines on one event loop: several at once take a task each."""

    name = "asyncio"

    def __init__(self, contestant: ModuleType, url: str) -> None:
        import asyncio

        self._asyncio = asyncio
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._contestant = contestant
        self._client = self._run(contestant.aconnect(url))
        self._held: list[Any] = []

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)

    def complete(self, times: int = 1, messages: list[dict[str, str]] = question.MESSAGES) -> str:
        return str(self._run(self._complete(times, messages)))

    async def _complete(self, times: int, messages: list[dict[str, str]] = question.MESSAGES) -> str:
        complete, client = self._contestant.acomplete, self._client
        for _ in range(times):
            answer = await complete(client, messages)
        return str(answer)

    def read(self) -> tuple[int, int]:
        return self._run(self._read())  # type: ignore[no-any-return]

    async def _read(self) -> tuple[int, int]:
        pieces = characters = 0
        async for piece in self._contestant.astream(self._client):
            pieces += 1
            characters += len(piece)
        return pieces, characters

    def arrivals(self) -> list[tuple[int, Any]]:
        return list(self._run(self._arrivals()))

    async def _arrivals(self) -> list[tuple[int, Any]]:
        return [(time.time_ns(), piece) async for piece in self._contestant.astream(self._client)]

    def complete_together(self, tasks: int, times: int) -> None:
        self._run(self._together([self._complete(times) for _ in range(tasks)]))

    def read_together(self, tasks: int) -> list[tuple[int, int]]:
        return list(self._run(self._together([self._read() for _ in range(tasks)])))

    async def _together(self, work: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
        return list(await self._asyncio.gather(*work))

    def hold(self, count: int) -> None:
        while count > 0:
            self._run(self._together([self._open() for _ in range(min(HELD, count))]))
            count -= HELD

    async def _open(self) -> None:
        stream = self._contestant.astream(self._client)
        await stream.__anext__()
        self._held.append(stream)

    def idle(self, seconds: float) -> None:
        self._run(self._asyncio.sleep(seconds))


def drive(contestant: ModuleType, url: str, operation: str, prefer: str = "threads") -> Blocking | Asynchronous:
    """Drives a contestant through an operation, "stream" or "complete", in the preferred way if it has that one."""
    ways: dict[str, Any] = {}
    if hasattr(contestant, operation):
        ways["threads"] = Blocking
    if hasattr(contestant, "a" + operation):
        ways["asyncio"] = Asynchronous
    return ways.get(prefer, next(iter(ways.values())))(contestant, url)  # type: ignore[no-any-return]


def _kept(piece: Any) -> Any:
    """A piece that outlives the buffer it may be a view of."""
    return bytes(piece) if isinstance(piece, memoryview) else piece
