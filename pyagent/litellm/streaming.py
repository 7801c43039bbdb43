"""CustomStreamWrapper: the chunks of a streamed answer, for `for` and for `async for`."""

from __future__ import annotations

from pyagent import errors, events

from .chunks import Delta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from typing import Any

    from ._chunk_maker import ChunkMaker
    from .chunks import ModelResponseStream

__all__ = ["CustomStreamWrapper"]

_new: Any = object.__new__


class CustomStreamWrapper:
    """The chunks of an answer as they come: the role first, the end last, then the usage where it was asked for.

    `for` and `next()` read it, or `async for` and `anext()` where `acompletion` gave it. Leaving a loop leaves the
    stream open for another one, as in litellm; `close()`, `aclose()`, `with` and dropping the object close the
    connection at once.

    Raises while reading:
        MidStreamFallbackError: The stream broke; `generated_content` is what had arrived.
        LiteLLMEdgeError: The other classes of `exceptions`.
    """

    def __init__(
        self,
        maker: ChunkMaker,
        rest: Any,
        on_end: Callable[[Any], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self._maker = maker
        self.model = maker.call.name
        self.custom_llm_provider = maker.call.provider
        self._hidden_params = maker.hidden
        # Neither of the two refers to this object: when it is dropped, so are they, and the connection with them.
        self._chunks: Any = (
            _AsyncChunks(maker, rest, on_end, on_error)
            if hasattr(rest, "__anext__")
            else _read(maker, rest, on_end, on_error)
        )

    def __iter__(self) -> Iterator[ModelResponseStream]:
        self._check()
        return iter(self._chunks)

    def __next__(self) -> ModelResponseStream:
        self._check()
        return next(self._chunks)  # type: ignore[no-any-return]

    def __aiter__(self) -> AsyncIterator[ModelResponseStream]:
        self._check()
        return self._chunks.__aiter__()  # type: ignore[no-any-return]

    async def __anext__(self) -> ModelResponseStream:
        self._check()
        return await self._chunks.__anext__()  # type: ignore[no-any-return]

    def _check(self) -> None:
        if self._maker.error is not None:
            raise self._maker.error

    def close(self) -> None:
        """Closes the connection at once."""
        self._maker.stream.cancel()

    async def aclose(self) -> None:
        """Closes the connection at once."""
        self._maker.stream.cancel()

    def __enter__(self) -> CustomStreamWrapper:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> CustomStreamWrapper:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    @property
    def response_uptil_now(self) -> str:
        """The text so far."""
        return self._maker.stream.text


def _read(
    maker: ChunkMaker,
    rest: Iterator[events.Event],
    on_end: Callable[[Any], None] | None,
    on_error: Callable[[Exception], None] | None,
) -> Generator[ModelResponseStream, None, None]:
    text, make = events.TextDelta, maker.make
    yield maker.make_first()
    try:
        for event in rest:
            if type(event) is text:  # most of what comes: nothing is called for it but what makes the chunk
                delta = _new(Delta)
                delta.content = event.text
                yield make(delta, event.index)
            else:
                yield from maker.make_all(event)
    except errors.PyAgentError as error:
        made = maker.fail(error)
        if on_error is not None:
            on_error(made)
        raise made from error
    if on_end is not None:
        on_end(maker.stream.result)


class _AsyncChunks:
    """The chunks of an asynchronous stream. No generator: when one is dropped, its end waits for the event loop."""

    __slots__ = ("_maker", "_rest", "_ready", "_on_end", "_on_error")

    def __init__(
        self,
        maker: ChunkMaker,
        rest: Any,
        on_end: Callable[[Any], None] | None,
        on_error: Callable[[Exception], None] | None,
    ) -> None:
        self._maker = maker
        self._rest = rest
        self._ready = [maker.make_first()]  # the next one is the last of the list
        self._on_end = on_end
        self._on_error = on_error

    def __aiter__(self) -> _AsyncChunks:
        return self

    async def __anext__(self) -> ModelResponseStream:
        maker, ready = self._maker, self._ready
        while not ready:
            try:
                event = await self._rest.__anext__()
            except errors.PyAgentError as error:
                made = maker.fail(error)
                if self._on_error is not None:
                    self._on_error(made)
                raise made from error
            except StopAsyncIteration:
                on_end, self._on_end = self._on_end, None
                if on_end is not None:
                    on_end(await maker.stream.result)  # type: ignore[misc]
                raise
            if type(event) is events.TextDelta:
                delta = _new(Delta)
                delta.content = event.text
                return maker.make(delta, event.index)
            ready.extend(reversed(maker.make_all(event)))
        return ready.pop()
