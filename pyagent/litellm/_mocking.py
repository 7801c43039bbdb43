"""Answers that no vendor gave: mock_response and its like, and edgequake's provider "mock"."""

from __future__ import annotations

from pyagent import events
from pyagent.response import Choice, Response, ToolCall, Usage

from . import exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from pyagent.embeddings import Embeddings

    from ._calls import Call

# What litellm's mocks say of their tokens.
_PROMPT_TOKENS, _COMPLETION_TOKENS = 10, 20
_PIECE = 3
_NUMBER, _DIMENSIONS = 0.1, 1536


def find_mock(call: Call) -> MockProvider | None:
    """What answers in the vendor's place, if the call asks for that."""
    own = call.own
    if call.provider == "mock" and own["mock_response"] is None:
        return MockProvider(call, "Mock response", "mock-model")
    if own["mock_response"] is None and not own["mock_tool_calls"] and not own["mock_timeout"]:
        return None
    return MockProvider(call, own["mock_response"], call.name)


class MockProvider:
    """A Provider as far as a call needs one."""

    def __init__(self, call: Call, response: Any, model: str) -> None:
        self._call = call
        self._response = response
        self._model = model

    def generate(self, **_: Any) -> Response:
        """The whole answer."""
        self._sleep()
        return self._answer()

    async def agenerate(self, **_: Any) -> Response:
        """The twin of `generate`."""
        await self._asleep()
        return self._answer()

    def stream(self, **_: Any) -> MockStream:
        """The answer in pieces of a few letters."""
        self._sleep()
        return MockStream(self._answer())

    def astream(self, **_: Any) -> AsyncMockStream:
        """The twin of `stream`."""
        return AsyncMockStream(self._answer())

    def embed(self, input: Any, **_: Any) -> Embeddings:
        """A vector for each text: mock_response, or edgequake's."""
        self._sleep()
        return self._vectors(input)

    async def aembed(self, input: Any, **_: Any) -> Embeddings:
        """The twin of `embed`."""
        await self._asleep()
        return self._vectors(input)

    def _vectors(self, texts: Any) -> Embeddings:
        from array import array

        from pyagent.embeddings import Embeddings

        said: Any = self._raise_asked()
        vector = array("f", said if isinstance(said, (list, tuple)) else [_NUMBER] * _DIMENSIONS)
        count = 1 if isinstance(texts, str) else len(texts)
        usage = Usage(prompt_tokens=_PROMPT_TOKENS, completion_tokens=0, total_tokens=_PROMPT_TOKENS)
        return Embeddings(vector.tobytes() * count, len(vector), usage=usage, model=self._model)

    def _wait(self) -> float:
        return float(self._call.own["mock_delay"] or 0)

    def _sleep(self) -> None:
        from time import sleep

        sleep(self._wait())

    async def _asleep(self) -> None:
        from asyncio import sleep

        await sleep(self._wait())

    def _raise_asked(self) -> Any:
        """Raises the error that the call asks for, if it does; else gives what it wants said."""
        call, said = self._call, self._response
        if call.own["mock_timeout"]:
            raise exceptions.Timeout("This is a mock timeout error", model=call.name, llm_provider=call.provider)
        if isinstance(said, Exception):
            raise said if isinstance(said, exceptions.LiteLLMEdgeError) else _failure(call, str(said))
        if isinstance(said, str) and said.startswith("litellm."):
            kind = getattr(exceptions, said[len("litellm.") :].split(":")[0], None)
            if isinstance(kind, type) and issubclass(kind, exceptions.LiteLLMEdgeError):
                raise kind("This is a mock error", llm_provider=call.provider, model=call.name)
        return said

    def _answer(self) -> Response:
        call, said = self._call, self._raise_asked()
        if hasattr(said, "choices"):
            said = said.choices[0].message.content
        calls = [
            ToolCall(made.get("id") or f"call_{number}", made["function"]["name"], made["function"]["arguments"])
            for number, made in enumerate(call.own["mock_tool_calls"] or ())
        ]
        choice = Choice(text=str(said or ""), tool_calls=calls, finish_reason="tool_calls" if calls else "stop")
        both = _PROMPT_TOKENS + _COMPLETION_TOKENS
        usage = Usage(prompt_tokens=_PROMPT_TOKENS, completion_tokens=_COMPLETION_TOKENS, total_tokens=both)
        return Response([choice], usage=usage, model=self._model)


def _failure(call: Call, message: str) -> exceptions.InternalServerError:
    return exceptions.InternalServerError(
        f"InternalServerError: {message}", llm_provider=call.provider, model=call.name
    )


class _Pieces:
    def __init__(self, answer: Response) -> None:
        self._answer = answer
        self.text = ""

    def cancel(self) -> None:
        """There is nothing to be closed."""

    def _events(self) -> Iterator[events.Event]:
        answer = self._answer
        yield events.StartEvent(model=answer.model)
        for begin in range(0, len(answer.text), _PIECE):
            piece = answer.text[begin : begin + _PIECE]
            self.text += piece
            yield events.TextDelta(piece)
        for number, call in enumerate(answer.tool_calls):
            yield events.ToolCallStart(number, call.id, call.name)
            yield events.ToolCallDelta(number, call.arguments)
        yield events.FinishEvent(answer.finish_reason, answer.finish_reason, answer.usage)


class MockStream(_Pieces):
    """A Stream as far as a call needs one."""

    def events(self) -> Iterator[events.Event]:
        """What happens."""
        return self._events()

    @property
    def result(self) -> Response:
        """The whole answer."""
        return self._answer


class AsyncMockStream(_Pieces):
    """An AsyncStream as far as a call needs one."""

    async def events(self) -> AsyncIterator[events.Event]:
        """What happens."""
        for event in self._events():
            yield event

    @property
    async def result(self) -> Response:
        """The whole answer."""
        return self._answer
