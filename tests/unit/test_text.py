"""generate_text and stream_text over real sockets: what the server gets, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    LimitExceededError,
    Limits,
    Provider,
    RateLimitError,
    Response,
    ResponseParseError,
    StreamInterruptedError,
    Timeouts,
)

if TYPE_CHECKING:
    from conftest import Server

Script = Callable[..., dict[str, Any]]


def test_generate_text(provider: Provider, server: Server) -> None:
    assert provider.generate_text("say this") == "say this"
    request = server.only()
    assert (request["method"], request["path"]) == ("POST", "/v1/chat/completions")
    assert request["body"] == {"model": "m", "messages": [{"role": "user", "content": "say this"}]}
    assert request["headers"]["user-agent"].startswith("pyagent/")
    assert "authorization" not in request["headers"]


def test_generate_text_with_usage(provider: Provider) -> None:
    result = provider.generate_text("say this", include_usage=True)
    assert isinstance(result, Response)
    assert (str(result), result.finish_reason, result.model) == ("say this", "stop", "m")
    assert (result.prompt_tokens, result.completion_tokens, result.total_tokens) == (2, 2, 4)


def test_every_option_reaches_the_vendor(provider: Provider, server: Server) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    options: dict[str, Any] = {
        "temperature": 0.5, "max_tokens": 7, "top_p": 0.9, "stop": ["a", "b"], "frequency_penalty": 1,
        "presence_penalty": -1, "seed": 42, "response_format": {"type": "json_object"}, "top_k": 3, "tools": tools,
        "tool_choice": "auto", "parallel_tool_calls": False, "logprobs": True, "top_logprobs": 2,
        "logit_bias": {"5": -1}, "reasoning_effort": "low", "verbosity": "low", "service_tier": "flex", "store": False,
        "metadata": {"k": "v"}, "user": "u", "prompt_cache_key": "c", "safety_identifier": "s",
        "modalities": ["text"], "audio": {"voice": "v"}, "prediction": {"type": "content"},
    }  # fmt: skip
    provider.generate_text("hi", system_prompt="be", extra_body={"own": [1]}, model="other", **options)
    body = server.only()["body"]
    assert body.pop("messages") == [{"role": "system", "content": "be"}, {"role": "user", "content": "hi"}]
    assert body == {"model": "other", "own": [1], **options}


def test_messages_keep_their_keys(provider: Provider, server: Server) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "name": "ann", "content": [{"type": "text", "text": "see"},
                                                     {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "4"},
        {"role": "user", "content": "thanks"},
    ]  # fmt: skip
    assert provider.generate_text(messages=messages) == "thanks"
    assert server.only()["body"]["messages"] == messages


def test_key_address_and_headers_of_one_call(server: Server) -> None:
    provider = Provider("m", api_key="sk-one", base_url="http://127.0.0.1:9/v1", extra_headers={"X-A": "1", "X-B": "1"})
    provider.generate_text("hi", api_key="sk-two", base_url=server.url, extra_headers={"X-B": "2"})
    headers = server.only()["headers"]
    assert (headers["authorization"], headers["x-a"], headers["x-b"]) == ("Bearer sk-two", "1", "2")


def test_stream_text(provider: Provider, server: Server) -> None:
    stream = provider.stream_text("one two three")
    assert list(stream) == ["one", " two", " three"]
    assert server.only()["body"] == {
        "model": "m", "messages": [{"role": "user", "content": "one two three"}], "stream": True,
    }  # fmt: skip
    assert (stream.prompt_tokens, stream.completion_tokens, stream.total_tokens) == (None, None, None)
    assert (stream.finish_reason, stream.model) == (None, None)


def test_stream_text_with_usage(provider: Provider, server: Server) -> None:
    stream = provider.stream_text("one two", include_usage=True)
    assert (stream.prompt_tokens, stream.finish_reason, stream.model) == (None, None, None)
    assert "".join(stream) == "one two"
    assert server.only()["body"]["stream_options"] == {"include_usage": True}
    assert (stream.prompt_tokens, stream.completion_tokens, stream.total_tokens) == (2, 2, 4)
    assert (stream.finish_reason, stream.model) == ("stop", "m")


def test_connections_are_reused(provider: Provider, server: Server) -> None:
    for _ in range(5):
        provider.generate_text("hi")
        assert "".join(provider.stream_text("hi")) == "hi"
    assert len({request["connection"] for request in server.requests()}) == 1


def test_an_http_error(provider: Provider, script: Script) -> None:
    body = {"error": {"message": "Incorrect API key", "type": "invalid_request_error", "code": "invalid_api_key"}}
    with pytest.raises(AuthenticationError) as caught:
        provider.generate_text("hi", extra_body=script(status=401, body=body, headers={"x-request-id": "r9"}))
    error = caught.value
    assert isinstance(error, RuntimeError)
    assert str(error) == "API error (401 Unauthorized): Incorrect API key"
    assert (error.status_code, error.code, error.request_id) == (401, "invalid_api_key", "r9")
    assert (error.provider, error.model, error.attempts, error.is_retryable) == ("compatible", "m", 1, False)
    assert "Incorrect API key" in (error.body or "")


def test_a_stream_raises_http_errors_when_it_is_read(provider: Provider, script: Script, server: Server) -> None:
    stream = provider.stream_text("hi", extra_body=script(status=401))
    server.wait_for_state("finished")
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            next(stream)


def test_retries_are_counted_and_can_be_set(provider: Provider, script: Script, server: Server) -> None:
    with pytest.raises(RateLimitError) as caught:
        provider.generate_text("hi", max_retries=0, extra_body=script(status=429, headers={"retry-after": "7"}))
    assert (caught.value.attempts, caught.value.retry_after, caught.value.is_retryable) == (1, 7.0, True)
    assert len(server.requests()) == 1
    answer = provider.generate(
        "hi", extra_body=script(status=503, times=1, key="retries", headers={"retry-after": "0"})
    )
    assert (answer.text, answer.attempts) == ("hi", 2)


@pytest.mark.parametrize(
    ("end", "error"),
    [("truncate", StreamInterruptedError), ("cut", StreamInterruptedError), ("reset", APIConnectionError)],
)
def test_a_broken_stream_gives_its_text_first(
    provider: Provider, script: Script, end: str, error: type[APIConnectionError]
) -> None:
    stream = provider.stream_text("hi", extra_body=script(pieces=["Grü", "ße"], repeat=2, after=2, end=end))
    assert [next(stream), next(stream)] == ["Grü", "ße"]
    with pytest.raises(error) as caught:
        next(stream)
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.partial_text == stream.text == "Grüße"
    with pytest.raises(error):
        next(stream)


def test_text_without_a_terminal_signal_is_not_an_answer(provider: Provider, script: Script) -> None:
    with pytest.raises(ResponseParseError):
        provider.generate_text("hi", extra_body=script(raw="<html>busy</html>", content_type="text/html"))


def test_a_refused_connection() -> None:
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:9"):
        Provider.compatible("m", base_url="http://127.0.0.1:9/v1", max_retries=0).generate_text("hi")


@pytest.mark.parametrize(
    ("fault", "options", "clock"),
    [
        ({"header_delay": 5}, {"timeout": 0.1}, "total"),
        ({"header_delay": 5}, {"timeouts": Timeouts(first_token=0.1)}, "first_token"),
        ({"after": 1, "end": "stall"}, {"timeouts": Timeouts(idle=0.1)}, "idle"),
    ],
)
def test_timeouts_of_one_call(
    provider: Provider, script: Script, fault: dict[str, Any], options: dict[str, Any], clock: str
) -> None:
    ask = provider.generate if clock == "total" else provider.stream
    with pytest.raises(APITimeoutError) as caught:
        list(ask("a b", extra_body=script(**fault), max_retries=0, **options))  # type: ignore[arg-type]
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.clock == clock


def test_the_first_token_of_a_one_shot_answer_is_all_of_it(provider: Provider, script: Script) -> None:
    with pytest.raises(APITimeoutError, match="first_token") as caught:
        provider.generate_text(
            "a b", extra_body=script(header_delay=5), max_retries=0, timeouts=Timeouts(first_token=0.1)
        )
    assert caught.value.clock == "first_token"


def test_a_key_among_the_headers_reaches_the_vendor(server: Server) -> None:
    provider = Provider("m", base_url=server.url, extra_headers={"Authorization": "Token abc"})
    provider.generate_text("hi")
    assert server.only()["headers"]["authorization"] == "Token abc"


def test_limits_of_one_call(provider: Provider, script: Script) -> None:
    with pytest.raises(LimitExceededError, match="event_bytes"):
        list(provider.stream_text("", limits=Limits(event_bytes=1000), extra_body=script(pieces=["x" * 5000])))


def test_what_only_the_core_can_judge_is_raised_when_read(provider: Provider) -> None:
    stream = provider.stream_text(messages=[{"role": "user", "contnt": "hi"}])
    with pytest.raises(ConfigurationError, match='"contnt"; did you mean "content"'):
        next(stream)


def test_no_secret_in_errors(server: Server, script: Script) -> None:
    provider = Provider("m", api_key="sk-very-secret-key", base_url=server.url, max_retries=0)
    body = {"error": {"message": "Incorrect API key provided: sk-very-secret-key"}}
    with pytest.raises(AuthenticationError) as caught:
        provider.generate_text("hi", extra_body=script(status=401, body=body))
    assert "very-secret" not in f"{caught.value} {vars(caught.value)} {provider!r}"
