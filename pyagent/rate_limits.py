"""RateLimits: what a vendor says of its limits in the header of an answer, whatever form it has there."""

from __future__ import annotations

from ._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RateLimit", "RateLimits"]

# As seconds these would be 30 and 30,000 years: such numbers are points in time, in seconds and in milliseconds.
_SECONDS_SINCE_1970, _MILLISECONDS_SINCE_1970 = 1e9, 1e12
_WORDS = ("limit", "remaining", "reset")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class RateLimit(Value):
    """One limit; None where the vendor does not say.

    Attributes:
        limit: How much there is in one period.
        remaining: How much of it is left.
        reset: Seconds until all of it is there again.
    """

    __slots__ = ("limit", "remaining", "reset")

    def __init__(
        self, *, limit: float | None = None, remaining: float | None = None, reset: float | None = None
    ) -> None:
        self.limit = limit
        self.remaining = remaining
        self.reset = reset


class RateLimits(Value):
    """The limits that a vendor told of with an answer.

    Attributes:
        limits: All of them, by the vendor's names in lower case: "requests", "input-tokens", "tokens-minute".
        retry_after: Seconds that the vendor asks to wait.
    """

    __slots__ = ("limits", "retry_after")

    def __init__(self, limits: dict[str, RateLimit] | None = None, *, retry_after: float | None = None) -> None:
        self.limits = limits or {}
        self.retry_after = retry_after

    @classmethod
    def from_headers(cls, headers: Mapping[str, str], *, seconds_ago: float = 0.0) -> RateLimits:
        """Reads the header of an answer, such as `Response.headers`. What cannot be read is left out.

        Args:
            headers: Names and values; names in any case.
            seconds_ago: How long ago the answer came.

        Source: https://platform.openai.com/docs/guides/rate-limits, https://docs.claude.com/en/api/rate-limits
        """
        known = {name.lower(): value for name, value in headers.items()}
        date = known.get("date")
        found: dict[str, dict[str, float]] = {}
        for header, value in known.items():
            name, word = _name_of(header)
            number = _until(value, date, seconds_ago) if word == "reset" else _count(value)
            if word and number is not None:
                found.setdefault(name, {})[word] = number
        milliseconds = _number(known.get("retry-after-ms"))
        if milliseconds is None:
            wait = _until(known.get("retry-after"), date, seconds_ago)
        else:
            wait = max(0.0, milliseconds / 1000 - seconds_ago)
        return cls({name: RateLimit(**words) for name, words in found.items()}, retry_after=wait)

    def __bool__(self) -> bool:
        """Whether the vendor said anything."""
        return bool(self.limits) or self.retry_after is not None

    @property
    def requests(self) -> RateLimit | None:
        """The limit of requests; of several, such as one of a minute and one of a day, that of which least is left."""
        return self._tightest("req")

    @property
    def tokens(self) -> RateLimit | None:
        """The limit of tokens, likewise."""
        return self._tightest("tokens")

    @property
    def input_tokens(self) -> RateLimit | None:
        """The limit of tokens of prompts, where the vendor has one of its own."""
        return self._tightest("input")

    @property
    def output_tokens(self) -> RateLimit | None:
        """The limit of tokens of answers, where the vendor has one of its own."""
        return self._tightest("output")

    def _tightest(self, beginning: str) -> RateLimit | None:
        fitting = [limit for name, limit in self.limits.items() if name.startswith(beginning)]
        return min(fitting, key=_left, default=None)


def _left(limit: RateLimit) -> float:
    return float("inf") if limit.remaining is None else limit.remaining


def _name_of(header: str) -> tuple[str, str]:
    """What a header is about and which word it says of it; two empty texts for any other header.

    x-ratelimit-remaining-tokens (OpenAI and many), anthropic-ratelimit-tokens-remaining, x-ratelimit-remaining alone
    (OpenRouter) and ratelimit-remaining (RFC draft), which count requests.
    """
    vendor, found, rest = header.partition("ratelimit-")
    if not found or vendor not in {"", "x-", "anthropic-"}:
        return "", ""
    parts = rest.split("-")
    for place in (0, -1):
        if parts[place] in _WORDS:
            word = parts.pop(place)
            return "-".join(parts) or "requests", word
    return "", ""


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _count(text: str) -> float | None:
    number = _number(text)
    return int(number) if number is not None and number.is_integer() else number


def _until(text: str | None, date: str | None, seconds_ago: float) -> float | None:
    """Seconds until what a header says: a number of them, 6m0s, a time since 1970, or a date of two kinds."""
    if not text:
        return None
    seconds = _number(text)
    if seconds is None:
        seconds = _span(text)
    if seconds is None or seconds >= _SECONDS_SINCE_1970:
        then = _moment(text) if seconds is None else seconds / (1000 if seconds >= _MILLISECONDS_SINCE_1970 else 1)
        now = _moment(date) if date else None
        if now is None:  # our own clock has to do
            from time import time

            now = time() - seconds_ago
        if then is None:
            return None
        seconds = then - now
    return max(0.0, seconds - seconds_ago)


def _span(text: str) -> float | None:
    """A span of time as Go writes it: 1h2m3.5s, 7.66s, 20ms."""
    import re

    pieces = re.findall(r"([0-9.]+)(ms|[smhd])", text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text.strip():
        return None
    try:
        return sum(float(number) * _UNITS[unit] for number, unit in pieces)
    except ValueError:
        return None


def _moment(text: str) -> float | None:
    """Seconds since 1970 of a date of RFC 3339 or of RFC 9110; None for anything else."""
    from datetime import datetime, timezone

    try:
        made = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            made = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
    return (made if made.tzinfo else made.replace(tzinfo=timezone.utc)).timestamp()
