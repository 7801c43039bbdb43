"""One way to ask, two ways to wait: each case runs with the synchronous methods of a Provider and with their twins.

A `Client` has the words that the cases are written in. The asynchronous one drives an event loop from outside, one step
at a time, so that a case reads like ordinary code and means the same on both sides."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Union

from pyagent import AsyncStream, Provider, PyAgentError, Response, Stream
from pyagent.events import Event

PATIENCE = 30.0  # seconds for one step of a loop; a case that needs it all has failed
Outcome = Union[str, PyAgentError]


class SyncClient:
    """Asks with the plain methods."""

    name = "sync"

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def text(self, provider: Provider, prompt: str = "x", **options: Any) -> str:
        return str(provider.generate_text(prompt, **options))

    def answer(self, provider: Provider, prompt: str = "x", **options: Any) -> Response:
        return provider.generate(prompt, **options)

    def stream(self, provider: Provider, prompt: str = "x", **options: Any) -> Any:
        """A stream that is read with next(), list(), .events(), .result, and left with .close() or .cancel()."""
        return provider.stream(prompt, **options)

    def pieces(self, provider: Provider, prompt: str = "x", **options: Any) -> list[str]:
        return list(self.stream(provider, prompt, **options))

    def events(self, provider: Provider, prompt: str = "x", **options: Any) -> list[Event]:
        return list(self.stream(provider, prompt, **options).events())

    def ask(self, provider: Provider, stream: bool, prompt: str = "x", **options: Any) -> str:
        """The text of an answer, asked for as a stream or whole."""
        if stream:
            return "".join(self.pieces(provider, prompt, **options))
        return self.answer(provider, prompt, **options).text

    def first(self, stream: Any) -> str:
        """The first piece, out of a loop that is left after it."""
        for piece in stream:
            return str(piece)
        raise AssertionError("the stream is empty")

    def step(self, stream: Any) -> object:
        """Begins to read, in a process that has no event loop."""
        return next(stream)

    def outcomes(self, streams: list[Any]) -> list[Outcome]:
        """Reads many streams: the text of each, or its error."""
        return [_outcome(stream) for stream in streams]

    def texts(self, provider: Provider, prompts: list[str], **options: Any) -> list[Outcome]:
        """Asks for many answers at once, whole ones: the text of each, or its error."""
        outcomes: list[Outcome] = [""] * len(prompts)

        def ask(place: int, prompt: str) -> None:
            try:
                outcomes[place] = self.text(provider, prompt, **options)
            except PyAgentError as error:
                outcomes[place] = error

        threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(prompts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    def soon(self, delay: float, action: Callable[[], object]) -> None:
        """Does something a moment later, while the case waits: in another thread here, in the loop over there."""
        timer = threading.Timer(delay, action)
        self._threads.append(timer)
        timer.start()

    def pause(self, seconds: float) -> None:
        """Lets time pass without reading."""
        time.sleep(seconds)

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)


class AsyncClient(SyncClient):
    """Asks with the methods that begin with an a, in an event loop of its own."""

    name = "async"

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()

    def run(self, work: Awaitable[Any]) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(work, PATIENCE))

    def text(self, provider: Provider, prompt: str = "x", **options: Any) -> str:
        return str(self.run(provider.agenerate_text(prompt, **options)))

    def answer(self, provider: Provider, prompt: str = "x", **options: Any) -> Response:
        answer: Response = self.run(provider.agenerate(prompt, **options))
        return answer

    def stream(self, provider: Provider, prompt: str = "x", **options: Any) -> Any:
        async def start() -> AsyncStream:
            return provider.astream(prompt, **options)

        return Driven(self, self.run(start()))

    def first(self, stream: Any) -> str:
        async def read() -> str:
            async for piece in stream.stream:
                return str(piece)
            raise AssertionError("the stream is empty")

        return str(self.run(read()))

    def step(self, stream: Any) -> object:
        return stream.stream.__anext__().send(None)

    def outcomes(self, streams: list[Any]) -> list[Outcome]:
        async def read() -> list[Outcome]:
            return await asyncio.gather(*(_await_outcome(stream.stream) for stream in streams))

        return list(self.run(read()))

    def texts(self, provider: Provider, prompts: list[str], **options: Any) -> list[Outcome]:
        async def ask(prompt: str) -> Outcome:
            try:
                return str(await provider.agenerate_text(prompt, **options))
            except PyAgentError as error:
                return error

        async def ask_all() -> list[Outcome]:
            return await asyncio.gather(*map(ask, prompts))

        return list(self.run(ask_all()))

    def soon(self, delay: float, action: Callable[[], object]) -> None:
        self._loop.call_later(delay, action)

    def pause(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def finish(self) -> None:
        super().finish()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        del self._loop  # pytest keeps this object for a while, and the loop would keep its inbox open


class Driven:
    """An AsyncStream with the manners of a Stream."""

    def __init__(self, client: AsyncClient, stream: AsyncStream) -> None:
        self.stream = stream
        self._client = client

    def __next__(self) -> str:
        try:
            return str(self._client.run(self.stream.__anext__()))
        except StopAsyncIteration:
            raise StopIteration from None

    def __iter__(self) -> Iterator[str]:
        async def read() -> list[str]:
            return [piece async for piece in self.stream]

        return iter(self._client.run(read()))

    def events(self) -> Iterator[Event]:
        async def read() -> list[Event]:
            return [event async for event in self.stream.events()]

        return iter(self._client.run(read()))

    @property
    def result(self) -> Response:
        async def wait() -> Response:
            return await self.stream.result

        answer: Response = self._client.run(wait())
        return answer

    @property
    def text(self) -> str:
        return self.stream.text

    def close(self) -> None:
        self._client.run(self.stream.aclose())

    def cancel(self) -> None:
        self.stream.cancel()

    def __enter__(self) -> Driven:
        self._client.run(self.stream.__aenter__())
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.run(self.stream.__aexit__(*exception))


CLIENTS = {"sync": SyncClient, "async": AsyncClient}


def _outcome(stream: Stream) -> Outcome:
    try:
        return "".join(stream)
    except PyAgentError as error:
        return error


async def _await_outcome(stream: AsyncStream) -> Outcome:
    try:
        return "".join([piece async for piece in stream])
    except PyAgentError as error:
        return error
