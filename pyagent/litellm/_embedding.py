"""embedding and aembedding, and what they give."""

from __future__ import annotations

from ._objects import Object
from .types import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyagent.embeddings import Embeddings

    from ._calls import Call

__all__ = ["Embedding", "EmbeddingResponse", "aembedding", "embedding"]


class Embedding(Object):
    """One vector, and the number of its input."""

    def __init__(self, embedding: Any, index: int = 0, object: str = "embedding", **more: Any) -> None:
        super().__init__(embedding=embedding, index=index, object=object, **more)


class EmbeddingResponse(Object):
    """The vectors in the order of the inputs, in OpenAI's shape.

    As in edgequake, iterating gives bare vectors, a number as a key gives one, and len() is how many there are.
    """

    _hidden_params: dict[str, Any]
    _response_ms: float | None = None

    def __init__(
        self,
        model: str | None = None,
        usage: Any = None,
        data: list[Any] | None = None,
        object: str = "list",
        **more: Any,
    ) -> None:
        made = [Embedding(**item) if isinstance(item, dict) else item for item in data or ()]
        counted = Usage(**usage) if isinstance(usage, dict) else usage or Usage()
        super().__init__(model=model, data=made, object=object, usage=counted, **more)
        self._hidden_params = {}

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.data[key].embedding

    def __iter__(self) -> Iterator[Any]:
        return (item.embedding for item in self.data)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def response_ms(self) -> float | None:
        """Milliseconds from the call to its answer."""
        return self._response_ms


def embedding(
    model: str,
    input: Any = None,
    dimensions: int | None = None,
    encoding_format: str | None = None,
    timeout: Any = None,
    api_base: str | None = None,
    api_version: str | None = None,
    api_key: str | None = None,
    api_type: str | None = None,
    caching: bool = False,
    user: str | None = None,
    custom_llm_provider: str | None = None,
    **kwargs: Any,
) -> EmbeddingResponse:
    """Gives the vectors of one text or of many.

    Args:
        model: "provider/model".
        input: A text, or a list of texts.
        dimensions: How long the vectors are to be, for models that can shorten them.
        encoding_format: "float", or "base64" for vectors as text.
        timeout: Seconds.
        api_base, api_version, api_key, custom_llm_provider: Whom to ask.
        api_type, caching: Refused.
        user: Your own id of the end user.
        kwargs: As in `completion`.

    Raises:
        LiteLLMEdgeError: The classes of `exceptions`.
    """
    from ._run import run

    arguments = locals()
    answer: EmbeddingResponse = run(_gather(arguments), "embed")
    return answer


async def aembedding(
    model: str,
    input: Any = None,
    dimensions: int | None = None,
    encoding_format: str | None = None,
    timeout: Any = None,
    api_base: str | None = None,
    api_version: str | None = None,
    api_key: str | None = None,
    api_type: str | None = None,
    caching: bool = False,
    user: str | None = None,
    custom_llm_provider: str | None = None,
    **kwargs: Any,
) -> EmbeddingResponse:
    """The twin of `embedding` for coroutines."""
    from ._run import arun

    arguments = locals()
    answer: EmbeddingResponse = await arun(_gather(arguments), "embed")
    return answer


def _gather(arguments: dict[str, Any]) -> dict[str, Any]:
    more = arguments.pop("kwargs")
    form = arguments["encoding_format"]
    if form not in {None, "float", "base64"}:
        from .exceptions import BadRequestError

        raise BadRequestError(f"encoding_format must be 'float' or 'base64', got {form!r}.", model=arguments["model"])
    given = {name: value for name, value in arguments.items() if value is not None and name not in {"run", "arun"}}
    given.update((name, value) for name, value in more.items() if value is not None)
    return given


def _make_response(call: Call, answer: Embeddings) -> EmbeddingResponse:
    from time import time

    from ._answers import hidden, make_usage
    from ._money import answer_cost

    vectors: Any = answer.vectors
    if call.own["encoding_format"] == "base64":
        from array import array
        from base64 import b64encode

        vectors = [b64encode(array("f", vector).tobytes()).decode() for vector in vectors]
    usage = make_usage(answer.usage)
    made = EmbeddingResponse(
        model=answer.model or call.name,
        usage=usage,
        data=[Embedding(vector, number) for number, vector in enumerate(vectors)],
    )
    made._hidden_params = {
        **hidden(call, None),
        "response_cost": answer_cost(call.own, call.vendor, call.name, answer),
        "warnings": answer.warnings,
        "attempts": answer.attempts,
    }
    call.note(made._hidden_params, answer.attempts)
    made._response_ms = (time() - call.started) * 1000
    return made
