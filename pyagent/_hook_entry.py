"""Entry: one hook as the others see it, whether it is a function or an object."""

from __future__ import annotations

from ._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Entry(Value):
    """One hook with its name and what it does; None for what it does not."""

    __slots__ = ("name", "priority", "request", "event", "response", "error", "record")

    def __init__(self, name: str, priority: float, **parts: Any) -> None:
        self.name = name
        self.priority = priority
        self.request: Callable[..., Any] | None = parts.get("request")
        self.event: Callable[..., Any] | None = parts.get("event")
        self.response: Callable[..., Any] | None = parts.get("response")
        self.error: Callable[..., Any] | None = parts.get("error")
        self.record: Callable[..., None] | None = parts.get("record")  # of a cache: takes the frames of a stream

    @property
    def parts(self) -> list[Callable[..., Any]]:
        """The functions that are there."""
        every = (self.request, self.event, self.response, self.error)
        return [part for part in every if part is not None]
