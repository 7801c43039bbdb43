"""Against aimock, a model server that nobody here wrote: text, tools, reasoning, usage, and every fault it can make."""

from __future__ import annotations

import json
import time
import urllib.request

import pytest

from pyagent import Provider, errors, events

pytestmark = pytest.mark.timeout(60)
FIRST_USE = pytest.mark.timeout(300)  # the first test may have to fetch the package

GREETING = "Grüße from a server that nobody here wrote: 你好, 🌍."


def ask(aimock):
    return Provider("gpt-mock", api_key="sk-test", base_url=aimock.url, provider="openai", max_retries=0)


def journal(aimock, request_id):
    """What the server says it received under this request id."""
    address = aimock.url.replace("/v1", f"/__aimock/journal?requestId={request_id}")
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


@FIRST_USE
def test_generate(aimock):
    response = ask(aimock).generate("greet")
    assert response.text == GREETING == str(response)
    assert response.finish_reason == "stop"
    assert response.model == "gpt-mock"
    assert response.provider == "openai"
    assert response.id.startswith("chatcmpl-")
    assert response.request_id == response.headers["x-request-id"]
    assert response.attempts == 1
    assert response.usage.total_tokens == response.usage.prompt_tokens + response.usage.completion_tokens


def test_generate_text(aimock):
    assert ask(aimock).generate_text("greet") == GREETING


def test_stream(aimock):
    stream = ask(aimock).stream("greet")
    pieces = list(stream)
    assert "".join(pieces) == GREETING == stream.text
    assert len(pieces) == 17, "every piece arrives as the server sent it"
    assert pieces[:3] == ["Grü", "ße ", "fro"]
    assert stream.result.finish_reason == "stop"
    assert stream.result.usage.completion_tokens > 0


def test_stream_text(aimock):
    stream = ask(aimock).stream_text("greet", include_usage=True)
    assert stream.prompt_tokens is None
    assert "".join(stream) == GREETING
    assert stream.prompt_tokens > 0
    assert stream.total_tokens == stream.prompt_tokens + stream.completion_tokens
    assert stream.model == "gpt-mock"
    assert stream.finish_reason == "stop"


def test_the_request_is_what_was_asked_for(aimock):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    response = ask(aimock).generate(
        "greet", system_prompt="Be brief.", temperature=0.5, top_p=0.9, max_tokens=9, stop=["END", "."], seed=7,
        tools=[tool], extra_headers={"x-request-id": "asked-for"}, extra_body={"vendor_field": {"a": [1]}},
    )  # fmt: skip
    (entry,) = journal(aimock, "asked-for")
    assert response.request_id == "asked-for"
    body = entry["body"]
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "greet"}]
    assert (body["model"], body["temperature"], body["top_p"], body["seed"]) == ("gpt-mock", 0.5, 0.9, 7)
    assert body["max_completion_tokens"] == 9
    assert body["stop"] == ["END", "."]
    assert body["tools"] == [tool]
    assert body["vendor_field"] == {"a": [1]}
    assert entry["headers"]["content-type"] == "application/json"


def test_tool_calls(aimock):
    provider = ask(aimock)
    wanted = [("get_weather", {"city": "Oslo", "unit": "°C"}), ("get_time", {"zone": "CET"})]
    for response in (provider.generate("weather"), provider.stream("weather").result):
        assert [(call.name, call.parsed) for call in response.tool_calls] == wanted
        assert len({call.id for call in response.tool_calls}) == 2
        assert response.text == "Let me look."
        assert response.finish_reason == "tool_calls"


def test_tool_calls_as_events(aimock):
    seen = list(ask(aimock).stream("weather").events())
    assert [event.name for event in seen if isinstance(event, events.ToolCallStart)] == ["get_weather", "get_time"]
    assert len([event for event in seen if isinstance(event, events.ToolCallDelta) and event.index == 0]) > 3
    ends = [event for event in seen if isinstance(event, events.ToolCallEnd)]
    assert [event.tool_call.parsed for event in ends] == [{"city": "Oslo", "unit": "°C"}, {"zone": "CET"}]
    assert isinstance(seen[0], events.StartEvent)
    assert isinstance(seen[-1], events.FinishEvent)


def test_a_tool_result_goes_back(aimock):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "How warm is it in Oslo?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "4"},
    ]
    assert ask(aimock).generate_text(messages=messages) == "It is 4 degrees in Oslo."


def test_the_messages_of_a_response_can_be_sent_back(aimock):
    provider = ask(aimock)
    first = provider.generate("weather")
    results = [{"role": "tool", "tool_call_id": call.id, "content": "4"} for call in first.tool_calls]
    with pytest.raises(errors.NotFoundError, match="No fixture matched"):  # understood, but it has no answer to it
        provider.generate(messages=[{"role": "user", "content": "x"}, first.message, *results])


def test_reasoning(aimock):
    provider = ask(aimock)
    response = provider.stream("think").result
    assert (response.reasoning, response.text) == ("Six times seven, I believe.", "42.")
    seen = list(provider.stream("think").events())
    order = [type(event) for event in seen if isinstance(event, (events.ReasoningDelta, events.TextDelta))]
    assert order == [events.ReasoningDelta] * 7 + [events.TextDelta]
    assert provider.generate("think").reasoning == "Six times seven, I believe."


def test_everything_that_the_server_says_of_its_answer(aimock):
    provider = ask(aimock)
    for response in (provider.generate("count"), provider.stream("count").result):
        assert (response.id, response.model) == ("chatcmpl-17", "gpt-mock-2")
        assert (response.created, response.system_fingerprint) == (1700000000, "fp_1")
        assert response.finish_reason == "length"
        assert (response.prompt_tokens, response.completion_tokens, response.total_tokens) == (11, 7, 18)


def test_the_openrouter_form(aimock):
    """Comments before the first event, and usage with details and a price."""
    base = aimock.url.replace("/v1", "/api/v1")
    provider = Provider("openai/gpt-mock", api_key="k", base_url=base, provider="openrouter", max_retries=0)
    for response in (provider.generate("count"), provider.stream("count").result):
        assert response.text == "one two"
        assert (response.usage.cached_tokens, response.usage.reasoning_tokens) == (4, 2)
        assert response.usage.cost == pytest.approx(0.0125)


def test_json_mode(aimock):
    assert json.loads(ask(aimock).generate_text("as json", response_format={"type": "json_object"})) == {
        "colors": ["red"]
    }


ERRORS = [
    ("deny", errors.AuthenticationError, 401, "invalid_api_key", "Incorrect API key provided", False),
    ("forbid", errors.PermissionDeniedError, 403, None, "Not for you", False),
    ("too long", errors.ContextWindowExceededError, 400, "context_length_exceeded", "maximum context length", False),
    ("busy", errors.RateLimitError, 429, "rate_limit_exceeded", "Slow down", True),
    ("bankrupt", errors.QuotaExceededError, 429, "insufficient_quota", "exceeded your current quota", False),
    ("down", errors.ServiceUnavailableError, 503, None, "Overloaded", True),
    ("who knows", errors.NotFoundError, 404, "no_fixture_match", "No fixture matched", False),
]


@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
@pytest.mark.parametrize(("prompt", "kind", "status", "code", "said", "retryable"), ERRORS, ids=[e[0] for e in ERRORS])
def test_errors(aimock, prompt, kind, status, code, said, retryable, stream):
    provider = ask(aimock)
    with pytest.raises(kind) as caught:
        _ = provider.stream(prompt).result if stream else provider.generate(prompt)
    error = caught.value
    assert type(error) is kind
    assert (error.status_code, error.is_retryable, error.attempts) == (status, retryable, 1)
    assert said in error.message
    assert error.code == code or code is None
    assert error.request_id.startswith("req-")
    assert (error.provider, error.model) == ("openai", "gpt-mock")
    assert said in error.body
    assert error.retry_after == (7 if prompt == "busy" else error.retry_after)


def test_a_failure_is_retried(aimock):
    provider = Provider("gpt-mock", api_key="k", base_url=aimock.url, provider="openai")
    response = provider.generate("flaky")
    assert (response.text, response.attempts) == ("Back again.", 2)


def test_the_servers_wish_to_wait_is_obeyed(aimock):
    """Its 429 asks for a second, which is more than the first step of the backoff."""
    begun = time.monotonic()
    with pytest.raises(errors.RateLimitError) as caught:
        ask(aimock).generate("greet", max_retries=1, extra_headers={"x-aimock-chaos-ratelimit": "1"})
    assert caught.value.attempts == 2
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("drop", errors.InternalServerError, "request dropped"),
        ("malformed", errors.ResponseParseError, "malformed json"),
        ("disconnect", errors.APIConnectionError, "closed the connection without an answer"),
    ],
)
def test_faults_before_the_answer(aimock, fault, kind, said, stream):
    provider = ask(aimock)
    headers = {f"x-aimock-chaos-{fault}": "1"}
    with pytest.raises(kind) as caught:
        _ = (
            provider.stream("greet", extra_headers=headers).result
            if stream
            else provider.generate("greet", extra_headers=headers)
        )
    assert said in f"{caught.value} {caught.value.body}"
    assert caught.value.partial_text == ""


@pytest.mark.parametrize(
    ("prompt", "whole"),
    [
        ("break off", "This answer breaks off before its end."),
        ("hang up", "This connection goes away before the answer ends."),
    ],
)
def test_a_stream_that_breaks_off(aimock, prompt, whole):
    stream, pieces = ask(aimock).stream(prompt), []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        pieces.extend(stream)  # keeps what came before the error
    text = "".join(pieces)
    assert 0 < len(text) < len(whole)
    assert whole.startswith(text)
    assert caught.value.partial_text == text == stream.text
    assert caught.value.attempts == 1, "what was shown is not asked for again"
    assert caught.value.is_retryable


def test_a_slow_answer_is_waited_for(aimock):
    begun = time.monotonic()
    assert ask(aimock).generate_text("greet", extra_headers={"x-aimock-chaos-latency": "400"}) == GREETING
    assert time.monotonic() - begun >= 0.4


def test_a_too_slow_answer_is_not(aimock):
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        ask(aimock).generate_text("greet", timeout=0.3, extra_headers={"x-aimock-chaos-latency": "20000"})
    assert 0.3 <= time.monotonic() - begun < 3
    assert caught.value.clock == "total"


def test_pieces_are_given_as_they_come(aimock):
    """Ten pieces, 50 ms apart, after 100 ms."""
    begun = time.monotonic()
    arrived = [time.monotonic() - begun for _ in ask(aimock).stream("slowly")]
    assert len(arrived) == 10
    assert arrived[0] < 0.4
    assert arrived[-1] - arrived[0] > 0.35
    gaps = [later - earlier for earlier, later in zip(arrived, arrived[1:])]
    assert sum(gap > 0.02 for gap in gaps) >= 8, gaps


def test_leaving_early_closes_the_connection(aimock):
    provider = ask(aimock)
    for piece in provider.stream("slowly", extra_headers={"x-request-id": "left-early"}):
        assert piece == "ab"
        break
    assert provider.generate_text("greet") == GREETING
