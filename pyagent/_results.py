"""Results: puts the frames of an operation that is not a chat together: vectors, models, a count, a token."""

from __future__ import annotations

from . import _frames, _opening
from .response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .embeddings import Embeddings
    from .models import ModelInfo

_EMBEDDING_FIELDS = ("model", "provider", "request_id", "deployment", "warnings", "attempts", "retries")


class Results:
    """What has been received of one operation so far. Vectors stay bytes: nobody may want the numbers one by one."""

    __slots__ = ("_vectors", "_items", "_end", "ended")

    text = ""  # of an error: there is no partial text

    def __init__(self) -> None:
        self._vectors: list[bytes] = []
        self._items: list[dict[str, Any]] = []
        self._end: dict[str, Any] = {}
        self.ended = 0  # the kind of the terminal frame, once there is one

    def add(self, data: bytes) -> None:
        """Takes in what one poll delivered."""
        for kind, _, _, payload in _frames.split(data):
            if kind == _frames.VECTOR:
                self._vectors.append(payload)
            elif kind == _frames.ITEM:
                self._items.append(_frames.parse(payload))
            elif kind in {_frames.FINISH, _frames.ERROR}:
                self.ended, self._end = kind, _frames.parse(payload)

    @property
    def failure(self) -> dict[str, Any]:
        """What went wrong, once `ended` is ERROR."""
        return self._end

    @property
    def embeddings(self) -> Embeddings:
        """The vectors, which the core has counted and measured."""
        with _opening.lock:
            from .embeddings import Embeddings
        end = self._end
        known = {name: end[name] for name in _EMBEDDING_FIELDS if name in end}
        usage = Usage(**end.get("usage", {}))
        return Embeddings(
            b"".join(self._vectors), len(self._vectors[0]) // 4, usage=usage, cost=end.get("cost_usd"), **known
        )

    @property
    def models(self) -> list[ModelInfo]:
        """The models of a list. What a later core may say of them is left out."""
        with _opening.lock:
            from .models import ModelInfo
        fields = ModelInfo._fields
        return [ModelInfo(**{name: item[name] for name in fields if name in item}) for item in self._items]

    @property
    def token(self) -> str:
        """What a login gave."""
        return str(self._items[-1]["token"])

    @property
    def tokens(self) -> int:
        """The count of tokens."""
        return int(self._items[-1]["input_tokens"])
