"""Embeddings: the vectors of some texts, as plain lists or as one block of numbers that other libraries share."""

from __future__ import annotations

import sys
from array import array

from ._value import Value
from .errors import ConfigurationError
from .response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

__all__ = ["Embeddings"]


class Embeddings(Value):
    """A sequence of vectors, one for each input, in the order of the inputs.

    `embeddings[0]` is a list of floats. `numpy.asarray(embeddings)` is an array of float32 with a row for each input;
    it shares the memory of this object, as `embeddings.buffer` does.

    Attributes:
        dimensions: How long each vector is.
        usage: Token counts, those of all batches together; None where the vendor did not say.
        cost: US dollars for all of them, see `Response.cost`; None where it is not known.
        model, provider: Who answered, as the vendor reports it.
        request_id: The vendor's id of the (first) HTTP request.
        deployment: Which deployment of a `Router` answered; None without one.
        warnings: What the user should know about how the request was sent.
        attempts: How many requests were sent: one for each batch of inputs, and more after retries.
        retries: The attempts that another one followed, as in `Response`.
    """

    __slots__ = (
        "data",
        "dimensions",
        "usage",
        "cost",
        "model",
        "provider",
        "request_id",
        "deployment",
        "warnings",
        "attempts",
        "retries",
    )

    def __init__(
        self,
        data: bytes,
        dimensions: int,
        *,
        usage: Usage | None = None,
        cost: float | None = None,
        model: str | None = None,
        provider: str | None = None,
        request_id: str | None = None,
        deployment: str | None = None,
        warnings: list[str] | None = None,
        attempts: int = 1,
        retries: list[dict[str, Any]] | None = None,
    ) -> None:
        self.data = data  # little-endian float32, one vector after the other
        self.dimensions = dimensions
        self.usage = usage if usage is not None else Usage()
        self.cost = cost
        self.model = model
        self.provider = provider
        self.request_id = request_id
        self.deployment = deployment
        self.warnings = warnings or []
        self.attempts = attempts
        self.retries = retries or []

    @property
    def vectors(self) -> list[list[float]]:
        """All vectors as plain lists."""
        return list(self)

    @property
    def buffer(self) -> memoryview[float]:
        """All numbers without a copy: a read-only memoryview of float32, with a row for each input."""
        return memoryview(_native(self.data)).cast("f", (len(self), self.dimensions))

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """The numbers for NumPy: https://numpy.org/doc/stable/reference/arrays.interface.html"""
        return {"version": 3, "shape": (len(self), self.dimensions), "typestr": "<f4", "data": self.data}

    def __buffer__(self, flags: int) -> memoryview:
        return self.buffer  # type: ignore[return-value]  # a view of any numbers

    @staticmethod
    def cosine_similarity(one: Sequence[float], other: Sequence[float]) -> float:
        """How alike two vectors are, of one answer or of two: 1 for the same direction, -1 for the opposite one.

        It is 0 for vectors at right angles, and where one of them is all zeros. For many vectors numpy is faster.

        Raises:
            ConfigurationError: One is longer than the other, as those of different models are. A ValueError.
        """
        if len(one) != len(other):
            raise ConfigurationError(
                f"other has {len(other)} numbers, and one has {len(one)}; give vectors of the same model.",
                param="other",
            )
        lengths = sum(x * x for x in one) * sum(y * y for y in other)
        likeness = sum(x * y for x, y in zip(one, other)) / lengths**0.5 if lengths else 0.0
        return max(-1.0, min(1.0, likeness))

    def __len__(self) -> int:
        return len(self.data) // (4 * self.dimensions)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._vector(number) for number in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"There are {len(self)} embeddings, counted from 0; there is no number {index}.")
        return self._vector(number)

    def __iter__(self) -> Iterator[list[float]]:
        return map(self._vector, range(len(self)))

    def __repr__(self) -> str:
        return f"Embeddings({len(self)} of {self.dimensions} dimensions, model={self.model!r}, usage={self.usage!r})"

    def to_dict(self) -> dict[str, Any]:
        """Everything that is known, as plain dicts and lists that `json.dumps` takes."""
        return {"vectors": self.vectors, **{name: value for name, value in self._as_dict().items() if name != "data"}}

    def _vector(self, number: int) -> list[float]:
        size = 4 * self.dimensions
        return array("f", _native(self.data[number * size : (number + 1) * size])).tolist()


def _native(data: bytes) -> bytes:
    """The numbers in the order of this machine's bytes."""
    if sys.byteorder == "little":
        return data
    numbers = array("f", data)
    numbers.byteswap()
    return numbers.tobytes()
