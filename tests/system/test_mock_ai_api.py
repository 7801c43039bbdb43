"""Against mock-ai-api, a second independent server: h11 speaks its HTTP, and its last chunk carries the usage."""

from __future__ import annotations

import time

import pytest

from pyagent import Provider, errors, events

pytestmark = pytest.mark.timeout(60)

GREETING = "Hello. It's nice to meet you."


@pytest.fixture
def ask(mock_ai_api):
    """A Provider for one of the server's scenarios."""

    def make(scenario, **options):
        options = {"max_retries": 0, **options}
        return Provider(f"gpt-4.1:{scenario}", api_key="k", base_url=mock_ai_api.url, provider="openai", **options)

    return make


@pytest.mark.timeout(300)
def test_generate(ask):
    response = ask("mock-text").generate("Hello there")
    assert response.text == GREETING
    assert response.finish_reason == "stop"
    assert response.model == "gpt-4.1"
    assert response.id.startswith("chatcmpl_")
    assert response.usage.total_tokens == response.usage.prompt_tokens + response.usage.completion_tokens > 0


def test_stream(ask):
    """The usage comes inside the chunk with the finish reason, not in one of its own."""
    stream = ask("mock-text").stream("Hello there")
    assert "".join(stream) == stream.text == GREETING
    assert stream.result.finish_reason == "stop"
    assert stream.result.usage.total_tokens == stream.prompt_tokens + stream.completion_tokens > 0


def test_stream_text(ask):
    stream = ask("mock-text").stream_text("Hello", include_usage=True)
    assert "".join(stream) == GREETING
    assert (stream.model, stream.finish_reason) == ("gpt-4.1", "stop")
    assert stream.total_tokens > 0


def test_a_tool_call(ask):
    (call,) = ask("mock-tool-call").generate("Write a file").tool_calls
    assert (call.name, call.parsed) == ("Write", {"path": "tmp/mock-file.txt", "contents": "mock output"})


def test_a_streamed_tool_call(ask):
    stream = ask("mock-tool-stream").stream("Write a file")
    seen = list(stream.events())
    (call,) = stream.result.tool_calls
    assert call.name == "Write"
    assert call.parsed["path"] == "tmp/mock-file.txt"
    assert stream.result.finish_reason == "tool_calls"
    assert "".join(event.arguments for event in seen if isinstance(event, events.ToolCallDelta)) == call.arguments


def test_arguments_that_are_no_json_are_kept_and_named(ask):
    (call,) = ask("mock-bad-tool-json").generate("Write a file").tool_calls
    assert call.arguments.endswith('"unterminated"')
    with pytest.raises(errors.ResponseParseError, match="Write"):
        _ = call.parsed


@pytest.mark.parametrize(
    ("scenario", "kind", "status"),
    [
        ("mock-400", errors.BadRequestError, 400),
        ("mock-401", errors.AuthenticationError, 401),
        ("mock-429", errors.RateLimitError, 429),
        ("mock-500", errors.InternalServerError, 500),
        ("mock-503", errors.ServiceUnavailableError, 503),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
def test_errors(ask, scenario, kind, status, stream):
    provider = ask(scenario)
    with pytest.raises(kind) as caught:
        _ = provider.stream("x").result if stream else provider.generate("x")
    assert type(caught.value) is kind
    assert caught.value.status_code == status
    assert caught.value.message
    assert caught.value.attempts == 1


def test_a_transient_error_is_retried(ask):
    with pytest.raises(errors.ServiceUnavailableError) as caught:
        ask("mock-503", max_retries=2).generate("x")
    assert caught.value.attempts == 3


def test_a_request_that_its_validation_refuses(ask):
    with pytest.raises(errors.APIStatusError) as caught:
        ask("mock-text").generate("x", extra_body={"temperature": "warm"})
    assert caught.value.status_code == 400
    assert "Invalid request body" in str(caught.value)


def test_pieces_are_given_as_they_come(ask):
    stream, arrived = ask("mock-delay").stream("Take more than eight words for your answer to me, please."), []
    for _ in stream:
        arrived.append(time.monotonic())  # noqa: PERF401 - when, not what
    assert len(arrived) >= 2
    assert arrived[-1] - arrived[0] > 0.05


def test_one_connection_serves_many_calls(ask, mock_ai_api):
    provider = ask("mock-text")
    before = mock_ai_api.log.read_text().count("POST /v1/chat/completions")
    for _ in range(20):
        assert provider.generate_text("Hello") == GREETING
    lines = [line for line in mock_ai_api.log.read_text().splitlines() if "POST /v1/chat/completions" in line][before:]
    assert len(lines) == 20
    ports = {line.split(" - ")[0].rpartition(":")[2] for line in lines}
    assert len(ports) == 1, lines[:3]
