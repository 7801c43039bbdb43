"""The option objects that travel with a Provider or a call: how long to wait, how much to accept, how much to ask."""

from __future__ import annotations

from ._checks import count, seconds, whole_bytes, wrong
from ._value import Value

__all__ = ["Limits", "Throttle", "Timeouts"]


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


class Throttle(Value):
    """How much to ask of a vendor. Requests wait for their turn, in the order of their coming.

    Every thread, event loop and Provider of the process that says the same shares one account for each key and model.
    Within no span of `period` seconds do more requests begin, or more tokens count, than is allowed: a request counts
    with the tokens that it is expected to have, until the vendor has said how many they were.

    Args:
        requests: That may begin within a period; repetitions are requests too. None for any number.
        tokens: That the requests of a period may have, prompts and answers together. None for any number.
        concurrency: Requests on their way at once. None for any number.
        period: Seconds.
        max_wait: Seconds that a request may wait for its turn; 0 refuses it at once. None for as long as its own clock
            allows, see `Timeouts.total`.
        per: "model", an account for each model of a key, or "key", one for all of them.

    A request whose turn comes too late ends in a RateLimitError with the code "throttled"; nothing was sent.

    Raises:
        ConfigurationError: A value is not a number in its range.
    """

    __slots__ = ("requests", "tokens", "concurrency", "period", "max_wait", "per")

    def __init__(
        self,
        *,
        requests: int | None = None,
        tokens: int | None = None,
        concurrency: int | None = None,
        period: float = 60.0,
        max_wait: float | None = None,
        per: str = "model",
    ) -> None:
        self.requests = count("requests", requests)
        self.tokens = count("tokens", tokens)
        self.concurrency = count("concurrency", concurrency)
        self.period = seconds("period", period)
        self.max_wait = seconds("max_wait", max_wait)
        self.per = per
        for name, value in (
            ("requests", requests),
            ("tokens", tokens),
            ("concurrency", concurrency),
            ("period", period),
        ):
            if value == 0:
                raise wrong(name, "above 0; None is no limit", value)
        if per not in {"model", "key"}:
            raise wrong("per", "'model' or 'key'", per)
