"""The option objects that travel with a Provider or a call: how long to wait, what to accept, ask and spend."""

from __future__ import annotations

import os

from ._checks import count, line, number, seconds, string, whole_bytes, wrong
from ._value import Value
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike

    from .costs import BudgetState

__all__ = ["Budget", "Limits", "Throttle", "Timeouts"]


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

    Every thread, event loop and Provider of the process that says the same shares one account for each key and model;
    with `shared` those of other processes do too.
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
        shared: Where the accounts are that other processes have part in: a directory of this machine, which is made if
            it is not there, or a Redis server, "redis://user:password@host:port/database" ("rediss://" for TLS).
        if_unreachable: What happens when `shared` cannot be asked: "error", a RateLimitError with the code
            "throttle_unreachable", or "local", requests go on under the limits of this process alone.

    A request whose turn comes too late ends in a RateLimitError with the code "throttled"; nothing was sent.

    Raises:
        ConfigurationError: A value is not a number in its range.
    """

    __slots__ = ("requests", "tokens", "concurrency", "period", "max_wait", "per", "shared", "if_unreachable")

    def __init__(
        self,
        *,
        requests: int | None = None,
        tokens: int | None = None,
        concurrency: int | None = None,
        period: float = 60.0,
        max_wait: float | None = None,
        per: str = "model",
        shared: str | PathLike[str] | None = None,
        if_unreachable: str = "error",
    ) -> None:
        self.requests = count("requests", requests)
        self.tokens = count("tokens", tokens)
        self.concurrency = count("concurrency", concurrency)
        self.period = seconds("period", period)
        self.max_wait = seconds("max_wait", max_wait)
        self.per = per
        self.shared = None if shared is None else _place("shared", shared)
        self.if_unreachable = if_unreachable
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
        if if_unreachable not in {"error", "local"}:
            raise wrong("if_unreachable", "'error' or 'local'", if_unreachable)
        if if_unreachable == "local" and shared is None:
            raise ConfigurationError("if_unreachable says what happens without `shared`; give it too.", param="shared")

    def __repr__(self) -> str:
        shown = super().__repr__()
        return shown if self.shared is None else shown.replace(repr(self.shared), repr(_without_password(self.shared)))


def _place(name: str, value: str | PathLike[str]) -> str:
    """A directory as an absolute path, or the URL of a Redis server, which may have a password in it."""
    place = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(place, str) or not place:
        raise wrong(name, "a directory or the URL of a Redis server", value)
    if "://" not in place:
        return os.path.abspath(place)
    scheme = place.partition("://")[0]
    if scheme not in {"redis", "rediss"}:
        raise ConfigurationError(
            f"{name} must be a directory, or a URL that begins with redis:// or rediss://, got one that begins with "
            f"{scheme[:20]}://.",
            param=name,
        )
    return str(line(name, place))


def _without_password(place: str) -> str:
    scheme, mark, rest = place.partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}:***@{host}" if mark and at else place


class Budget(Value):
    """How much may be spent. A request that may cost more than is left raises a BudgetExceededError; nothing is sent.

    A request counts with what it may cost, its prompt and `max_tokens` at the model's price, until its end; then with
    what it did cost. Threads, event loops and Providers that have the same budget, or one of the same name and period,
    share what is spent in this process.

    Args:
        usd: US dollars; the price of every model that is asked must be known. None for any number.
        tokens: Of prompts and answers together. None for any number.
        period: Seconds from the first request on, after which the budget begins anew. None for the process's life.
        name: What the budget is known by. Default: a name that nobody else has.

    Raises:
        ConfigurationError: It bounds nothing, or a value is not a number in its range.
    """

    __slots__ = ("name", "usd", "tokens", "period")

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        period: float | None = None,
        name: str | None = None,
    ) -> None:
        if usd is None and tokens is None:
            raise ConfigurationError("The budget bounds nothing; give usd, tokens or both.", param="usd")
        if usd is not None and not 0 <= number("usd", usd) < float("inf"):
            raise wrong("usd", "a number of dollars, 0 or more", usd)
        self.usd = usd
        self.tokens = count("tokens", tokens)
        self.period = seconds("period", period)
        if period == 0:
            raise wrong("period", "above 0; None is for ever", period)
        if name is not None and not string("name", name):
            raise wrong("name", "a name; left out it is one of its own", name)
        self.name = name or f"budget-{os.urandom(8).hex()}"

    @property
    def state(self) -> BudgetState:
        """What has been spent of it in this process."""
        from .costs import BudgetState, budgets

        mine = [state for state in budgets() if state.name == self.name and state.period == self.period]
        return mine[0] if mine else BudgetState(self.name, period=self.period)
