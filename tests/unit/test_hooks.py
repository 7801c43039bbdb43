"""Hooks around requests: their order, what they may change, short-circuit answers, and what happens when they fail."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pyagent import (
    DROP,
    Choice,
    Client,
    ConfigurationError,
    Hook,
    HookError,
    Hooks,
    OpenAIOptions,
    Provider,
    PyAgentError,
    RequestContext,
    Response,
    ToolCall,
    Usage,
    events,
)

SHORT = Response([Choice(text="short")])


class Noting(Hook):
    """Writes down what it sees."""

    def __init__(self, name: str, log: list[Any], priority: float = 0) -> None:
        self.name, self.log, self.priority = name, log, priority

    def on_request(self, context: RequestContext) -> None:
        self.log.append(f"{self.name} request")

    def on_event(self, context: RequestContext, event: events.Event) -> None:
        self.log.append(f"{self.name} {event.type}")

    def on_response(self, context: RequestContext, response: Response) -> None:
        self.log.append(f"{self.name} response {response.text}")

    def on_error(self, context: RequestContext, error: PyAgentError) -> None:
        self.log.append(f"{self.name} {type(error).__name__}")


def failing(*_: Any) -> None:
    raise KeyError("lost")


def answering(context: RequestContext) -> Response:
    return SHORT


def texts(add: str) -> Callable[[RequestContext, events.Event], events.Event | None]:
    def change(context: RequestContext, event: events.Event) -> events.Event | None:
        return events.TextDelta(event.text + add, event.index) if isinstance(event, events.TextDelta) else None

    return change


def test_the_way_back_is_the_way_out_reversed(provider: Provider) -> None:
    log: list[str] = []
    hooks = Hooks(Noting("a", log), Noting("b", log, 1), Noting("c", log))
    assert provider.generate_text("hi", hooks=hooks) == "hi"
    assert log == ["b request", "a request", "c request", "c response hi", "a response hi", "b response hi"]


def test_the_providers_hooks_lie_around_those_of_the_call(server: Any) -> None:
    log: list[str] = []
    provider = Provider.compatible("m", base_url=server.url, hooks=Hooks(Noting("provider", log)))
    provider.generate("hi", hooks=Hooks(Noting("call", log)))
    assert log == ["provider request", "call request", "call response hi", "provider response hi"]


def test_hooks_lie_around_the_options_of_a_vendor(server: Any) -> None:
    seen: list[Any] = []
    provider = Provider.openai(
        "m",
        api_key="k",
        base_url=server.url,
        options=OpenAIOptions(service_tier="flex"),
        hooks=Hooks(request=[lambda context: seen.append(context.arguments.get("options"))]),
    )
    own = OpenAIOptions(verbosity="low")
    provider.generate("hi")
    provider.generate("hi", options=own)
    assert list(provider.map(["hi"], options=own)) == ["hi"]
    assert list(provider.stream_text("hi", options=own)) == ["hi"]
    assert seen == [None, own, own, own]
    sent = [request["body"] for request in server.requests()]
    assert [body["service_tier"] for body in sent] == ["flex"] * 4
    assert [body.get("verbosity") for body in sent] == [None, "low", "low", "low"]


def test_the_hooks_of_a_client_are_those_of_its_vendors(server: Any) -> None:
    log: list[str] = []
    client = Client(hooks=Hooks(Noting("client", log)))
    provider = client.add("compatible", base_url=server.url).with_model("m")
    provider.generate_text("hi", hooks=Hooks(Noting("call", log)))
    assert log == ["client request", "call request", "call response hi", "client response hi"]


def test_no_hooks_are_no_hooks(server: Any) -> None:
    for own, hooks in ((None, Hooks()), (Hooks(), None), (Hooks(), Hooks())):
        provider = Provider.compatible("m", base_url=server.url, hooks=own)
        assert provider.generate_text("hi", hooks=hooks) == "hi"
        assert list(provider.stream_text("hi", hooks=hooks)) == ["hi"]
        assert list(provider.map(["hi"], hooks=hooks)) == ["hi"]


def test_hooks_are_added_by_priority() -> None:
    def named(name: str) -> Any:
        def hook(context: RequestContext) -> None:
            """Does nothing."""

        hook.__qualname__ = name
        return hook

    both = Hooks(request=[named("a"), (named("b"), -1)]) + Hooks(request=[named("c"), (named("d"), 2.5)])
    assert repr(both) == "<Hooks d, a, c, b>"
    assert len(both) == 4


def test_a_stream_hook_sees_every_event(provider: Provider) -> None:
    log: list[str] = []
    stream = provider.stream("one two", hooks=Hooks(Noting("a", log)))
    assert list(stream) == ["one", " two"]
    assert log == ["a request", "a start", "a text", "a text", "a usage", "a finish", "a response one two"]


def test_everything_agrees_on_what_a_stream_hook_made_of_the_text(provider: Provider) -> None:
    hooks = Hooks(stream=[texts("!"), texts("?")])
    seen: list[str] = []
    stream = provider.stream("one two", hooks=hooks + Hooks(response=[lambda _, response: seen.append(response.text)]))
    found = [event for event in stream.events() if isinstance(event, events.TextDelta)]
    assert [event.text for event in found] == ["one?!", " two?!"]
    assert stream.text == stream.result.text == seen[0] == "one?! two?!"


def test_text_that_is_dropped_was_never_there(provider: Provider) -> None:
    hooks = Hooks(stream=[lambda _, event: DROP if isinstance(event, events.TextDelta) else None])
    stream = provider.stream_text("one two", hooks=hooks)
    assert list(stream) == []
    assert (stream.text, stream.result.text, stream.result.finish_reason) == ("", "", "stop")


def test_arguments_of_tool_calls_can_be_changed(provider: Provider, script: Any) -> None:
    def upper(context: RequestContext, event: events.Event) -> events.Event | None:
        if isinstance(event, events.ToolCallDelta):
            return events.ToolCallDelta(event.index, event.arguments.upper())
        return None

    calls = [{"id": "c1", "name": "find", "arguments": {"a": 1}}]
    stream = provider.stream("hi", hooks=Hooks(stream=[upper]), extra_body=script(tools=calls))
    ends = [event for event in stream.events() if isinstance(event, events.ToolCallEnd)]
    assert [end.tool_call.arguments for end in ends] == ['{"A":1}']
    assert stream.result.tool_calls == [ToolCall("c1", "find", '{"A":1}')]


def test_a_text_with_a_nul_passes(provider: Provider) -> None:
    stream = provider.stream_text("x", hooks=Hooks(stream=[texts("\0é")]))
    assert list(stream) == ["x\0é"]


def test_a_request_hook_changes_the_request_and_not_what_the_caller_holds(provider: Provider, server: Any) -> None:
    asked = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]

    def change(context: RequestContext) -> None:
        context.arguments["temperature"] = 0.5
        context.arguments["messages"][0]["content"][0]["text"] = "changed"
        context.arguments["messages"].append({"role": "user", "content": "more"})

    provider.generate(messages=asked, hooks=Hooks(request=[change]))
    sent = server.only()["body"]
    assert sent["temperature"] == 0.5
    assert [message["content"] for message in sent["messages"]] == [[{"type": "text", "text": "changed"}], "more"]
    assert asked == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temperature", "hot", "temperature must be a number"),
        ("temprature", 1, "no argument 'temprature'"),
        ("n", 2, "cannot show n=2"),
        ("messages", [], "Neither prompt nor messages"),
    ],
)
def test_the_changed_request_is_checked(provider: Provider, name: str, value: Any, message: str) -> None:
    log: list[str] = []

    def change(context: RequestContext) -> None:
        context.arguments.pop("prompt")
        context.arguments.setdefault("messages", [{"role": "user", "content": "hi"}])
        context.arguments[name] = value

    for method in (provider.generate_text, provider.stream_text):
        with pytest.raises(PyAgentError, match=message) as caught:
            method("hi", hooks=Hooks(Noting("a", log), request=[change]))
        assert not isinstance(caught.value, HookError)
        assert log == ["a request", f"a {type(caught.value).__name__}"]
        log.clear()


def test_the_context_tells_who_is_asked(server: Any) -> None:
    seen: list[RequestContext] = []
    provider = Provider.compatible("m", base_url=server.url, api_key="sk-secret", hooks=Hooks(request=[seen.append]))
    provider.generate_text("hi", model="other", system_prompt="Be brief.")
    provider.stream_text("hi").close()
    first, second = seen
    assert (first.operation, first.provider, first.model) == ("generate", "compatible", "other")
    assert (second.operation, second.model, second.base_url) == ("stream", "m", server.url)
    assert first.request_id != second.request_id
    assert first.messages[0] == {"role": "system", "content": "Be brief."}
    assert first.started <= second.started
    assert "sk-secret" not in repr(first) + repr(vars(type(first)))


def test_metadata_goes_from_hook_to_hook(provider: Provider) -> None:
    seen: list[Any] = []
    hooks = Hooks(
        request=[lambda context: context.metadata.update(user="u")],
        response=[lambda context, _: seen.append(context.metadata)],
    )
    provider.generate_text("hi", hooks=hooks)
    assert seen == [{"user": "u"}]


def test_attempts_are_counted(provider: Provider, script: Any) -> None:
    seen: list[int] = []
    hooks = Hooks(
        stream=[lambda context, _: seen.append(context.attempts)],
        response=[lambda context, _: seen.append(-context.attempts)],
    )
    fast = Provider.compatible("m", base_url=provider._base_url, retry_backoff=0.001)
    try:
        list(fast.stream_text("hi", hooks=hooks, extra_body=script(status=503, times=1, key="attempts of hooks")))
    finally:
        assert fast._client is not None
        fast._client.close()
    assert seen[0] == 2
    assert seen[-1] == -2


@pytest.mark.parametrize("method", ["generate", "stream"])
def test_a_request_hook_can_answer(provider: Provider, server: Any, method: str) -> None:
    log: list[str] = []
    hooks = Hooks(Noting("outer", log, 2), request=[(answering, 1)], response=[failing], stream=[failing])
    answer = getattr(provider, method)("hi", hooks=hooks)
    if method == "stream":
        assert list(answer) == ["short"]
        answer = answer.result
    assert answer is SHORT
    assert server.requests() == []
    assert log[0], log[-1] == ("outer request", "outer response short")


def test_an_answer_is_played_with_all_that_it_has(provider: Provider) -> None:
    calls = [ToolCall("c", "find", "{}", extra={"signature": "s"}), ToolCall("d", "find", "", custom=True)]
    first = Choice(
        0, text="t", reasoning="r", refusal="no", tool_calls=calls, finish_reason="tool_calls", annotations=[{"a": 1}],
        parts=[{"p": 1}], reasoning_details=[{"d": 1}], logprobs=[{"l": 1}],
        source={"provider": "openai", "model": "gpt"},
    )  # fmt: skip
    usage = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3, cost=0.5)
    answer = Response(
        [first, Choice(1, text="u", finish_reason="stop", source=first.source)], usage=usage, id="i", model="gpt-1",
        provider="openai", request_id="q", headers={"x": "y"}, created=1.5, warnings=["w"], system_fingerprint="f",
    )  # fmt: skip
    stream = provider.stream("hi", hooks=Hooks(request=[lambda _: answer]))
    names = [event.type for event in stream.events()]
    assert names == [
        "start", "reasoning", "reasoning_done", "text", "text_done", "refusal", "refusal_done",
        "tool_call_start", "tool_call_delta", "tool_call_end", "tool_call_start", "tool_call_delta", "tool_call_end",
        "logprobs", "annotation", "part", "reasoning_detail", "text", "usage", "text_done", "finish",
    ]  # fmt: skip
    assert stream.result is answer
    # With a hook that changes the text, the answer is put together anew, of the frames alone.
    again = provider.stream("hi", hooks=Hooks(stream=[(texts(""), 1)], request=[lambda _: answer]))
    assert again.result == answer
    assert again.result is not answer


def test_a_stream_hook_changes_a_played_answer_too(provider: Provider) -> None:
    stream = provider.stream("hi", hooks=Hooks(stream=[(texts("!"), 1)], request=[answering]))
    assert (list(stream), stream.result.text) == (["short!"], "short!")


@pytest.mark.parametrize("method", ["generate", "stream"])
def test_a_response_hook_can_give_another_answer(provider: Provider, method: str) -> None:
    hooks = Hooks(response=[lambda _, response: Response([Choice(text=response.text + "!")])])
    if method == "generate":
        assert provider.generate("hi", hooks=hooks).text == "hi!"
        assert provider.generate_text("hi", hooks=hooks) == "hi!"
    else:
        stream = provider.stream("hi", hooks=hooks)
        assert (list(stream), stream.result.text) == (["hi"], "hi!")


def test_what_is_no_hook_is_refused(provider: Provider) -> None:
    for wrong in (
        {"request": failing},
        {"request": [1]},
        {"stream": [(failing, "high")]},
        {"response": [(1, failing)]},
    ):
        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            Hooks(**wrong)
    with pytest.raises(ConfigurationError, match="Hook objects; functions are given as request"):
        Hooks(failing)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"the priority of request.0. must be a number"):
        Hooks(request=[(failing, float("nan"))])
    for make in (partial(Provider.echo, hooks=[failing]), partial(provider.generate_text, "hi", hooks=[failing])):
        with pytest.raises(ConfigurationError, match="hooks must be a Hooks object"):
            make()


def test_a_provider_with_hooks_can_be_pickled() -> None:
    provider = Provider.echo(hooks=Hooks(request=[answering]))
    again = pickle.loads(pickle.dumps(provider))
    assert again.generate_text("hi") == "short"
    assert pickle.loads(pickle.dumps(DROP)) is DROP


def test_without_hooks_a_text_stream_runs_the_lines_it_always_ran(echo: Provider) -> None:
    """Calls of Python functions are counted, not seconds."""
    echo.generate_text("warm up")
    called: set[str] = set()

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            called.add(frame.f_code.co_filename.rsplit("/", 1)[-1])

    sys.setprofile(note)
    try:
        list(echo.stream_text("one two three"))
    finally:
        sys.setprofile(None)
    assert "_request.py" in called
    assert not called & {"hooks.py", "_hooked.py", "_hooked_calls.py", "_played.py", "_make_events.py"}
