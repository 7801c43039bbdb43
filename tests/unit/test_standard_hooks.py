"""The hooks that come with the package: logs, counts, going on from an answer, messages for other vendors."""

from __future__ import annotations

import asyncio
import logging
import pickle
import threading
from typing import Any

import pytest

from pyagent import (
    BadRequestError,
    CacheHook,
    Choice,
    ConfigurationError,
    Hooks,
    LoggingHook,
    Provider,
    RequestContext,
    Response,
    ResponseIdHook,
    SanitizingHook,
    UsageTracker,
    messages,
)

SECRET = "sk-very-secret"


@pytest.mark.parametrize("contents", [False, True])
def test_the_log_has_what_it_shall_have(server: Any, caplog: pytest.LogCaptureFixture, contents: bool) -> None:
    provider = Provider.compatible(
        "m", base_url=server.url, api_key=SECRET, hooks=Hooks(LoggingHook(contents=contents))
    )
    caplog.set_level(logging.DEBUG, "pyagent")
    options: dict[str, Any] = {"api_key": SECRET, "extra_headers": {"X-Token": SECRET}, "temperature": 0.5}
    provider.generate_text("a private matter", **options)
    list(provider.stream_text("a private matter", **options))
    with pytest.raises(BadRequestError):
        provider.generate_text("a private matter", extra_body={"fake": {"status": 400}}, **options)
    text = caplog.text
    assert SECRET not in text
    assert ("a private matter" in text) is contents
    for expected in ("generate asks m at compatible", "stream asks m", "temperature", "stop after", "BadRequestError"):
        assert expected in text
    levels = [record.levelname for record in caplog.records if record.levelname != "DEBUG"]
    assert levels == ["INFO", "INFO", "INFO", "INFO", "INFO", "WARNING"]
    assert len({record.getMessage().partition(":")[0] for record in caplog.records}) == 3


def test_the_log_shows_no_pictures_and_no_endless_texts(echo: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "pyagent")
    image = messages.image("data:image/png;base64,iVBORw0KGgo=")
    asked = [messages.user("look at this", image), messages.user("x" * 9000)]
    echo.generate_text(messages=asked, hooks=Hooks(LoggingHook(contents=True)))
    assert "look at this <image_url>" in caplog.text
    assert "iVBORw0KGgo" not in caplog.text
    assert "x" * 2000 + "... (9000 characters)" in caplog.text
    assert "x" * 2001 not in caplog.text


def test_a_wrong_request_is_no_failure_of_the_log(echo: Provider) -> None:
    with pytest.raises(ConfigurationError):
        echo.generate_text(hooks=Hooks(LoggingHook(contents=True)))


def test_the_log_goes_where_it_is_told(echo: Provider, caplog: pytest.LogCaptureFixture) -> None:
    hook = pickle.loads(pickle.dumps(LoggingHook(logging.getLogger("mine"), priority=3)))
    caplog.set_level(logging.INFO, "mine")
    echo.generate_text("hi", hooks=Hooks(hook))
    assert {record.name for record in caplog.records} == {"mine"}
    assert hook.priority == 3


def test_usage_is_added_up_by_vendor_and_model(provider: Provider) -> None:
    tracker = UsageTracker(priority=1)
    hooks = Hooks(tracker, CacheHook())
    first = provider.generate("one two three", hooks=hooks)
    provider.generate("one two three", hooks=hooks)
    provider.generate("one two three", model="n", hooks=hooks)
    stream = provider.stream_text("four", include_usage=True, hooks=hooks)
    list(stream)
    with pytest.raises(BadRequestError):
        provider.generate("x", hooks=hooks, extra_body={"fake": {"status": 400}})
    totals = tracker.totals
    assert list(totals) == [("compatible", "m"), ("compatible", "n")]
    mine = totals["compatible", "m"]
    assert (mine.requests, mine.played, mine.failed, mine.attempts) == (2, 1, 1, 3)
    assert mine.prompt_tokens == (first.prompt_tokens or 0) + (stream.prompt_tokens or 0) > 0
    assert tracker.total.requests == 3
    mine.requests = 99
    assert tracker.totals["compatible", "m"].requests == 2, "totals are a copy"
    assert pickle.loads(pickle.dumps(tracker)).totals == tracker.totals
    assert tracker.reset()["compatible", "n"].requests == 1
    assert tracker.totals == {}


def test_threads_and_tasks_count_in_one_tracker() -> None:
    tracker = UsageTracker()
    provider = Provider.echo(hooks=Hooks(tracker))

    async def main() -> None:
        await asyncio.gather(*(provider.agenerate_text("hi") for _ in range(20)))

    threads = [threading.Thread(target=lambda: list(provider.map(["hi"] * 20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(main())
    for thread in threads:
        thread.join()
    assert tracker.total.requests == 100
    assert provider._client is not None
    provider._client.close()


def test_a_request_goes_on_from_the_last_answer() -> None:
    seen: list[Any] = []

    def answer(context: RequestContext) -> Response:
        seen.append(context.arguments.get("previous_response_id"))
        return Response([Choice(text="t")], id=f"resp_{len(seen)}")

    hook = ResponseIdHook(["echo"])
    provider = Provider.echo(hooks=Hooks(hook, request=[answer]))
    provider.generate_text("1")
    list(provider.stream_text("2"))
    provider.generate_text("3", store=False)
    provider.generate_text("4")
    provider.generate_text("5", previous_response_id="mine")
    assert seen == [None, "resp_1", None, "resp_2", "mine"]
    assert hook.ids == {"echo": "resp_5"}
    hook.forget()
    provider.generate_text("6")
    assert seen[-1] is None


def test_vendors_that_keep_no_answers_are_left_alone(provider: Provider, server: Any) -> None:
    hooks = Hooks(ResponseIdHook())
    provider.generate_text("1", hooks=hooks)
    provider.generate_text("2", hooks=hooks)
    assert not [request for request in server.requests() if "previous_response_id" in request["body"]]
    with pytest.raises(ConfigurationError, match="providers must be a list"):
        ResponseIdHook("openai")


def test_what_another_model_has_signed_is_taken_out() -> None:
    def signed(source: Any) -> dict[str, Any]:
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "signature": "s"}
        details = [{"type": "reasoning.encrypted", "data": "d"}]
        message = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_details": details}
        return {**message, "source": source} if source else message

    asked = [
        signed({"provider": "anthropic", "model": "m"}),
        signed({"provider": "echo", "model": "other"}),
        signed({"provider": "echo", "model": "echo"}),
        signed(None),
        {"role": "user", "content": "hi", "source": "kept"},
    ]
    seen: list[Any] = []

    def answer(context: RequestContext) -> Response:
        seen.append(context.arguments["messages"])
        return Response([Choice(text="t")])

    provider = Provider.echo()
    for unsigned in (False, True):
        hooks = Hooks(SanitizingHook(unsigned=unsigned), request=[answer])
        provider.generate_text(messages=asked, model="echo", hooks=hooks)
        clean = ["signature" not in str(message) and "encrypted" not in str(message) for message in seen[-1]]
        assert clean == [True, True, False, unsigned, True]
        assert seen[-1][4] == asked[4]
    assert "signature" in str(asked[0])
