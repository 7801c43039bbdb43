"""The common base of small value classes: equality, repr and pickling from `__slots__`.

`dataclasses` would do the same but imports `inspect`, which costs more than the whole of this package.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Value:
    """An object that is its fields. Treat it as frozen: nothing enforces it, because that would cost time per event."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        own = cls.__dict__.get("__slots__", ())
        cls._fields = cls._fields + tuple(name for name in own if not name.startswith("_"))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(_alike(getattr(self, name), getattr(other, name)) for name in self._fields)

    __hash__ = None  # type: ignore[assignment]  # fields may hold lists and dicts

    def _as_dict(self) -> dict[str, Any]:
        """The fields that are known, ready for JSON."""
        return {name: _plain(getattr(self, name)) for name in self._fields if getattr(self, name) is not None}


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Exception):  # compares by identity by itself
        return type(one) is type(other) and one.args == other.args and vars(one) == vars(other)
    return bool(one == other)


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return value._as_dict()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Exception):
        return str(value)
    return value
