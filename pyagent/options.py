"""The option objects that travel with a Provider or a single call: how long to wait, and how much to accept."""

from __future__ import annotations

from ._checks import count, seconds, whole_bytes
from ._value import Value

__all__ = ["Limits", "Timeouts"]


class Timeouts(Value):
    """Four clocks, in seconds. None leaves a clock to the Provider or to the default; 0 switches it off.

    Args:
        connect: From the start of an attempt to a connection, TLS included. Default 10.
        first_token: From the start of an attempt, connecting included, to the first visible piece of a stream. Default
            600. A one-shot answer comes in one piece: there it bounds the wait for all of it, and only when given.
        idle: The longest pause between two pieces of a stream. Keep-alive signals do not count as pieces. Default 180.
        total: Everything, retries included. Default 600 for a one-shot call, none for a stream.

    Raises:
        ConfigurationError: A value is not a number of 0 or more.
    """

    __slots__ = ("connect", "first_token", "idle", "total")

    def __init__(
        self,
        *,
        connect: float | None = None,
        first_token: float | None = None,
        idle: float | None = None,
        total: float | None = None,
    ) -> None:
        self.connect = seconds("connect", connect)
        self.first_token = seconds("first_token", first_token)
        self.idle = seconds("idle", idle)
        self.total = seconds("total", total)


class Limits(Value):
    """What an answer may weigh, in bytes, and how many redirects it may take. None takes the default; there is no
    "unlimited".

    Args:
        event_bytes: One event of a stream. Default 64 MiB.
        body_bytes: The body of a one-shot answer. Default 256 MiB.
        header_bytes: The header of a response; only on a Provider. Default 1 MiB.
        redirects: How often a redirect (307 or 308) to another path of the same host is followed. Default 5.

    Raises:
        ConfigurationError: A value is not a whole number above 0; redirects may be 0.
    """

    __slots__ = ("event_bytes", "body_bytes", "header_bytes", "redirects")

    def __init__(
        self,
        *,
        event_bytes: int | None = None,
        body_bytes: int | None = None,
        header_bytes: int | None = None,
        redirects: int | None = None,
    ) -> None:
        self.event_bytes = whole_bytes("event_bytes", event_bytes)
        self.body_bytes = whole_bytes("body_bytes", body_bytes)
        self.header_bytes = whole_bytes("header_bytes", header_bytes)
        self.redirects = count("redirects", redirects)
