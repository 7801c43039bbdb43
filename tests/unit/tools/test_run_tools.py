"""run_tools and its twins: the loop, over five protocols, one-shot and as a stream, with threads and with tasks."""

from __future__ import annotations

import asyncio
import base64
import inspect
import pickle
from typing import Any

import pytest

from pyagent import (
    AsyncToolStream,
    CacheHook,
    ConfigurationError,
    Hooks,
    Provider,
    PyAgentError,
    ToolError,
    ToolLimitError,
    ToolStream,
    arun_tool_calls,
    events,
    messages,
    run_tool_calls,
    tool,
)


def get_weather(city: str, days: int = 1) -> str:
    """The weather in a city.

    Args:
        city: Its name.
        days: How many days.
    """
    return f"{city}: {7 * days} °C"


async def aget_weather(city: str, days: int = 1) -> str:
    """The weather in a city."""
    await asyncio.sleep(0)
    return get_weather(city, days)


def both(model: Any) -> None:
    """Two calls at once, then an answer."""
    model.turns += [
        {
            "text": "Let me look.",
            "calls": [("get_weather", '{"city": "Oslo"}'), ("get_weather", '{"city": "Rome", "days": 2}')],
        },
        {"text": "Cold and warm."},
    ]


def told(asked: dict[str, Any]) -> str:
    """Everything that a request says, whatever the vendor calls it."""
    return str({key: value for key, value in asked.items() if key != "tools"})


class TestTheLoop:
    def check(self, run: Any, model: Any) -> None:
        assert run.text == str(run) == "Cold and warm."
        assert [result.content for result in run.results] == ["Oslo: 7 °C", "Rome: 14 °C"]
        assert [result.outcome for result in run.results] == ["ok", "ok"]
        assert [message["role"] for message in run.messages] == ["user", "assistant", "tool", "tool", "assistant"]
        assert (run.usage.prompt_tokens, run.usage.completion_tokens) == (20, 10)
        assert len(run.steps) == 2
        assert run.pending == []
        first, second = model.asked
        assert "get_weather" in str(first["tools"])
        assert "Its name." in str(first["tools"])
        assert "Oslo: 7" in told(second)
        assert "Rome: 14" in told(second)

    def test_one_shot(self, vendor: Any, model: Any) -> None:
        both(model)
        self.check(vendor.run_tools("How warm is it?", tools=[get_weather]), model)

    def test_stream(self, vendor: Any, model: Any) -> None:
        both(model)
        stream = vendor.stream_tools("How warm is it?", tools=[get_weather])
        seen = list(stream.events())
        self.check(stream.result, model)
        kinds = [event.type for event in seen]
        assert kinds.count("finish") == 2
        assert sorted(event.call.parsed["city"] for event in seen if isinstance(event, events.ToolStarted)) == [
            "Oslo",
            "Rome",
        ]
        ends = [number for number, event in enumerate(seen) if isinstance(event, events.ToolFinished)]
        assert kinds.index("finish") < min(ends)
        assert max(ends) < len(seen) - 1
        assert (
            "".join(event.text for event in seen if isinstance(event, events.TextDelta)) == "Let me look.Cold and warm."
        )

    def test_coroutine(self, vendor: Any, model: Any) -> None:
        both(model)
        tools = [tool(name="get_weather")(aget_weather)]
        tools[0].parameters = tool(get_weather).parameters
        self.check(asyncio.run(vendor.arun_tools("How warm is it?", tools=tools)), model)

    def test_stream_in_a_coroutine(self, vendor: Any, model: Any) -> None:
        both(model)

        async def main() -> Any:
            stream = await vendor.astream_tools("How warm is it?", tools=[get_weather])
            assert [piece async for piece in stream] == ["Let me look.", "Cold and warm."]
            return await stream.result

        self.check(asyncio.run(main()), model)


def test_every_event_loop(run: Any, asking: Any, model: Any) -> None:
    both(model)
    both(model)

    async def slow(city: str, days: int = 1) -> str:
        return city

    async def main() -> None:
        found = await asking.arun_tools("?", tools=[tool(name="get_weather")(slow)])
        assert [result.content for result in found.results] == ["Oslo", "Rome"]
        found = await asking.arun_tools("?", tools=[get_weather])
        assert [result.content for result in found.results] == ["Oslo: 7 °C", "Rome: 14 °C"]

    run(main)


def test_coroutine_functions_run_without_a_loop_too(asking: Any, model: Any) -> None:
    both(model)
    found = asking.run_tools("?", tools=[tool(name="get_weather")(aget_weather)])
    assert [result.content for result in found.results] == ["Oslo: 7 °C", "Rome: 14 °C"]


def test_the_conversation_goes_on(asking: Any, model: Any) -> None:
    both(model)
    model.turns.append({"text": "Bye."})
    asked = [{"role": "user", "content": "a"}]
    first = asking.run_tools(messages=asked, tools=[get_weather], system_prompt="S")
    assert len(asked) == 1, "the caller's list is left alone"
    second = asking.run_tools(messages=[*first.messages, messages.user("b")], tools=[get_weather], system_prompt="S")
    assert second.text == "Bye."
    sent = model.asked[-1]["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "tool", "assistant", "user"]


CALLS: list[tuple[str, str, str, str]] = [
    ("unknown", "nope", "{}", "There is no tool 'nope'; the tools are: get_weather, fail."),
    ("invalid", "get_weather", '{"city": 5}', "field 'city': expected a string, got 5"),
    ("invalid", "get_weather", '{"town": "Oslo"}', "town"),
    ("invalid", "get_weather", "{}", "field 'city': is required and missing"),
    ("invalid", "get_weather", '{"city": "Os', "not valid JSON"),
    ("invalid", "get_weather", "[1]", "not a JSON object"),
    ("invalid", "get_weather", '{"city": "Oslo", "days": "two"}', "'days'"),
    ("failed", "fail", "{}", "KeyError: 'lost'"),
    ("ok", "get_weather", '{"city": "Oslo", "days": null}', "Oslo: 7 °C"),
]


def fail() -> None:
    raise KeyError("lost")


@pytest.mark.parametrize(("outcome", "name", "arguments", "words"), CALLS)
def test_the_model_is_told_what_went_wrong(
    asking: Any, model: Any, outcome: str, name: str, arguments: str, words: str
) -> None:
    model.turns += [{"calls": [(name, arguments)]}, {"text": "Sorry."}]
    found = asking.run_tools("?", tools=[get_weather, fail])
    assert found.text == "Sorry."
    (result,) = found.results
    assert result.outcome == outcome
    assert words in result.content
    assert model.asked[1]["messages"][-1]["content"] == result.content
    assert result.message.get("is_error", False) is (outcome != "ok")
    assert (result.error is None) is (outcome in ("ok", "unknown"))


def test_errors_can_be_raised(asking: Any, model: Any) -> None:
    model.turns += [{"calls": [("nope", "{}")]}, {"calls": [("fail", "{}")]}] * 2
    with pytest.raises(KeyError, match="lost"):
        asking.run_tools("?", tools=[fail], raise_tool_errors=True)
    assert len(model.asked) == 2, "a wrong name is the model's mistake, and told to it"
    with pytest.raises(KeyError, match="lost"):
        asyncio.run(asking.arun_tools("?", tools=[fail], raise_tool_errors=True))


def test_a_tool_error_is_told_as_it_is(asking: Any, model: Any) -> None:
    def strict() -> None:
        raise ToolError("Ask me in the morning.")

    model.turns += [{"calls": [("strict", "{}")]}, {"text": "ok"}]
    assert asking.run_tools("?", tools=[strict]).results[0].content == "Ask me in the morning."


class Exit(SystemExit):
    """Somebody calls sys.exit in a tool."""


@pytest.mark.parametrize("wait", [False, True])
def test_the_end_of_the_program_is_not_told_to_the_model(asking: Any, model: Any, wait: bool) -> None:
    def leave() -> None:
        raise Exit(3)

    async def aleave() -> None:
        raise Exit(3)

    model.turns += [{"calls": [("leave", "{}")]}]
    ask = (
        (lambda: asyncio.run(asking.arun_tools("?", tools=[tool(name="leave")(aleave)])))
        if wait
        else (lambda: asking.run_tools("?", tools=[leave]))
    )
    with pytest.raises(Exit):
        ask()


PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_an_image_reaches_every_vendor(vendor: Any, model: Any) -> None:
    def draw() -> Any:
        return ["A dot:", messages.image(PIXEL)]

    model.turns += [{"calls": [("draw", "{}")]}, {"text": "Nice."}]
    found = vendor.run_tools("?", tools=[draw])
    assert found.text == "Nice."
    assert [part["type"] for part in found.results[0].content] == ["text", "image_url"]
    assert base64.b64encode(PIXEL).decode()[:40] in told(model.asked[1])


def test_a_forced_tool_is_forced_once(asking: Any, model: Any) -> None:
    both(model)
    asking.run_tools("?", tools=[get_weather], tool_choice="required")
    assert [asked.get("tool_choice") for asked in model.asked] == ["required", None]


def test_wrong_options_are_found_before_anything_is_sent(asking: Any, model: Any) -> None:
    cases: list[dict[str, Any]] = [
        {"tools": None}, {"tools": "f"}, {"tools": get_weather}, {"tools": [5]}, {"tools": [get_weather, get_weather]},
        {"tools": [{"type": "function", "function": {"name": "f"}}]}, {"tools": [lambda: 1]}, {"max_steps": 0},
        {"token_budget": -1}, {"cost_budget": "1"}, {"tool_timeout": -1}, {"concurrency": 0}, {"approve": True},
        {"raise_tool_errors": 1}, {"temperature": "hot"}, {"messages": "hello"}, {"prompt": None},
    ]  # fmt: skip
    for case in cases:
        options = {"prompt": "?", "tools": [get_weather], **case}
        for method in (asking.run_tools, asking.stream_tools):
            with pytest.raises(ConfigurationError) as caught:
                method(**options)
            assert isinstance(caught.value, PyAgentError)
            assert caught.value.param or "tools" in str(caught.value), case
    assert model.asked == []


def test_tools_of_the_vendor_pass(asking: Any, model: Any) -> None:
    model.turns += [{"text": "ok"}]
    asking.run_tools("?", tools=[get_weather, {"type": "web_search"}])
    assert [item["type"] for item in model.asked[0]["tools"]] == ["function", "web_search"]


def test_generate_takes_functions(asking: Any, model: Any) -> None:
    model.turns += [{"text": "ok"}] * 2
    asking.generate("?", tools=[get_weather, tool(fail)])
    declared = model.asked[0]["tools"]
    assert [item["function"]["name"] for item in declared] == ["get_weather", "fail"]
    asking.generate("?", tools=declared)
    assert model.asked[1]["tools"] == declared


def parameters(name: str) -> dict[str, Any]:
    found = inspect.signature(getattr(Provider, name)).parameters
    return {name: (p.default, p.kind, p.annotation) for name, p in found.items() if name != "self"}


OWN = [
    "tools",
    "max_steps",
    "token_budget",
    "cost_budget",
    "tool_timeout",
    "approve",
    "concurrency",
    "raise_tool_errors",
]


def test_the_options_are_those_of_generate() -> None:
    plain = parameters("generate")
    for name in ("n", "tools"):
        del plain[name]
    for name in ("run_tools", "stream_tools", "arun_tools", "astream_tools"):
        found = parameters(name)
        assert list(found)[1 : 1 + len(OWN)] == OWN
        assert {option: kind for option, kind in found.items() if option not in OWN} == plain
        assert inspect.iscoroutinefunction(getattr(Provider, name)) is (name == "arun_tools")
        words = inspect.getdoc(getattr(Provider, name)) or ""
        assert all(f"\n    {option}: " in words for option in found)
    assert "arun_tools" in (Provider.astream_tools.__doc__ or "")
    own = set(inspect.signature(run_tool_calls).parameters)
    assert (
        own
        == set(inspect.signature(arun_tool_calls).parameters)
        == {"calls", *OWN}
        - {
            "max_steps",
            "token_budget",
            "cost_budget",
        }
    )


def test_streams_have_the_same_members() -> None:
    def members(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert members(AsyncToolStream) - members(ToolStream) == {"aclose"}
    assert members(ToolStream) - members(AsyncToolStream) == {"close"}


def test_a_run_and_its_error_are_values(asking: Any, model: Any) -> None:
    model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')]}] * 2
    with pytest.raises(ToolLimitError) as caught:
        asking.run_tools("?", tools=[get_weather], max_steps=2)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert copied.run == caught.value.run
    assert PyAgentError("x").run is None


def test_hooks_run_around_each_request(asking: Any, model: Any) -> None:
    both(model)
    both(model)
    seen: list[int] = []
    hooks = Hooks(CacheHook(), request=[lambda context: seen.append(len(context.messages))])
    for _ in range(2):  # the second time out of the cache
        assert asking.run_tools("?", tools=[get_weather], hooks=hooks).text == "Cold and warm."
    assert len(model.asked) == 2
    for _ in range(2):
        stream = asking.stream_tools("?", tools=[get_weather], hooks=hooks)
        assert list(stream) == ["Let me look.", "Cold and warm."]

    async def main() -> Any:
        return await asking.astream_tools("?", tools=[get_weather], hooks=hooks).result

    assert asyncio.run(main()).text == "Cold and warm."
    assert seen
    assert set(seen) == {1, 4}
