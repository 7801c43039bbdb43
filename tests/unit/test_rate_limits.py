"""RateLimits: what vendors' headers say, in every form that they have."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import Provider, QuotaExceededError, RateLimit, RateLimitError, RateLimits
from pyagent.errors import PyAgentError

if TYPE_CHECKING:
    from collections.abc import Callable

DATE = "Sun, 29 Nov 2026 08:00:00 GMT"  # 1795939200
FORMS: list[tuple[str, dict[str, str], dict[str, RateLimit]]] = [
    ("OpenAI", {
        "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "150000", "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "6m0s",
    }, {"requests": RateLimit(limit=60, remaining=59, reset=1),
        "tokens": RateLimit(limit=150000, remaining=149984, reset=360)}),
    ("Groq", {"x-ratelimit-reset-requests": "2m59.56s", "x-ratelimit-reset-tokens": "20ms"},
     {"requests": RateLimit(reset=179.56), "tokens": RateLimit(reset=0.02)}),
    ("Azure", {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "12"},
     {"tokens": RateLimit(remaining=0, reset=12)}),
    ("OpenRouter", {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795939230000",
                    "Date": DATE}, {"requests": RateLimit(limit=20, remaining=0, reset=30)}),
    ("Anthropic", {
        "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-29T08:00:02Z", "date": DATE,
        "anthropic-ratelimit-input-tokens-remaining": "7", "anthropic-ratelimit-output-tokens-remaining": "8",
    }, {"requests": RateLimit(limit=50, remaining=49, reset=2), "input-tokens": RateLimit(remaining=7),
        "output-tokens": RateLimit(remaining=8)}),
    ("Cerebras", {"x-ratelimit-remaining-requests-day": "9", "x-ratelimit-reset-requests-day": "33011.4",
                  "x-ratelimit-remaining-requests-minute": "3"},
     {"requests-day": RateLimit(remaining=9, reset=33011.4), "requests-minute": RateLimit(remaining=3)}),
    ("seconds since 1970", {"x-ratelimit-reset": "1795939260", "date": DATE}, {"requests": RateLimit(reset=60)}),
    ("a date", {"ratelimit-reset": "Sun, 29 Nov 2026 08:01:30 GMT", "date": DATE}, {"requests": RateLimit(reset=90)}),
    ("a date that has passed", {"ratelimit-reset": "2026-11-29T07:00:00+00:00", "date": DATE},
     {"requests": RateLimit(reset=0)}),
    ("nonsense", {"x-ratelimit-limit-requests": "many", "x-ratelimit-reset-requests": "soon",
                  "x-ratelimit-reset-tokens": "1..2s", "x-ratelimit-remaining-tokens": "-1", "x-ratelimit": "5",
                  "x-ratelimit-used-tokens": "5", "my-ratelimit-limit": "3", "x-ratelimit-reset-day": "nan"}, {}),
    ("nothing", {"content-type": "text/html"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "wanted"), [form[1:] for form in FORMS], ids=[form[0] for form in FORMS])
def test_forms(headers: dict[str, str], wanted: dict[str, RateLimit]) -> None:
    limits = RateLimits.from_headers(headers)
    assert {name: vars_of(limit) for name, limit in limits.limits.items()} == {
        name: pytest.approx(vars_of(limit)) for name, limit in wanted.items()
    }
    assert bool(limits) is bool(wanted)


def vars_of(limit: RateLimit) -> dict[str, Any]:
    return {name: getattr(limit, name) for name in RateLimit._fields}


def test_the_names_that_all_vendors_share() -> None:
    limits = RateLimits.from_headers(dict(FORMS[4][1]))
    assert limits.requests == RateLimit(limit=50, remaining=49, reset=2)
    assert limits.input_tokens == RateLimit(remaining=7)
    assert limits.output_tokens == RateLimit(remaining=8)
    assert limits.tokens is None
    cerebras = RateLimits.from_headers(FORMS[5][1])
    assert cerebras.requests == RateLimit(remaining=3), "the limit of which least is left"
    mistral = RateLimits.from_headers({"x-ratelimit-remaining-req-minute": "5"})
    assert mistral.requests == RateLimit(remaining=5)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "Sun, 29 Nov 2026 08:00:10 GMT", "date": DATE}, 10),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], wanted: float | None) -> None:
    assert RateLimits.from_headers(headers).retry_after == wanted


def test_time_passes() -> None:
    limits = RateLimits.from_headers(
        {"x-ratelimit-reset-tokens": "30s", "x-ratelimit-reset-requests": "1s", "retry-after": "20"}, seconds_ago=10
    )
    assert (limits.tokens, limits.requests, limits.retry_after) == (RateLimit(reset=20), RateLimit(reset=0), 10)


def test_without_the_vendors_clock_ours_has_to_do() -> None:
    limits = RateLimits.from_headers({"x-ratelimit-reset": str(int((time.time() + 100) * 1000))})
    assert limits.requests is not None
    assert limits.requests.reset == pytest.approx(100, abs=20)


def test_a_provider_remembers_the_last_word(echo: Provider, script: Callable[..., dict[str, Any]]) -> None:
    assert not echo.rate_limits
    response = echo.generate("x", extra_body=script(headers={"x-ratelimit-remaining-requests": "5"}))
    assert response.rate_limits.requests == echo.rate_limits.requests == RateLimit(remaining=5)
    echo.generate("x")
    assert echo.rate_limits.requests == RateLimit(remaining=5), "an answer that says nothing changes nothing"
    with pytest.raises(RateLimitError) as caught:
        echo.generate(
            "x",
            max_retries=0,
            extra_body=script(
                status=429, headers={"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "40s"}
            ),
        )
    assert caught.value.rate_limits.requests == RateLimit(remaining=0, reset=40)
    assert caught.value.retry_delay == caught.value.retry_after == 40
    requests = echo.with_model("other").rate_limits.requests
    assert requests is not None
    assert (requests.remaining, requests.reset) == (0, pytest.approx(40, abs=20))


def test_streams_count_too(echo: Provider, script: Callable[..., dict[str, Any]]) -> None:
    list(echo.stream_text("x", extra_body=script(headers={"x-ratelimit-remaining-tokens": "9"})))
    assert echo.rate_limits.tokens == RateLimit(remaining=9)


@pytest.mark.parametrize(
    ("message", "wait"),
    [
        ("Please try again in 1.5s.", 1.5),
        ("try again in 300ms", 0.3),
        ("Retry after 2 minutes", 120),
        ("Slow down", None),
    ],
)
def test_the_wait_that_a_message_names(
    message: str, wait: float | None, echo: Provider, script: Callable[..., dict[str, Any]]
) -> None:
    with pytest.raises(RateLimitError) as caught:
        echo.generate("x", max_retries=0, extra_body=script(status=429, body={"error": {"message": message}}))
    assert (caught.value.is_retryable, caught.value.retry_delay) == (True, wait)


def test_an_error_that_waiting_does_not_cure_has_no_delay(
    echo: Provider, script: Callable[..., dict[str, Any]]
) -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    with pytest.raises(QuotaExceededError) as caught:
        echo.generate("x", extra_body=script(status=429, body=body, headers={"retry-after": "9"}))
    assert (caught.value.is_retryable, caught.value.retry_after, caught.value.retry_delay) == (False, 9, None)
    assert not PyAgentError("x").rate_limits
