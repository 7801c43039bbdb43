"""run_tools and its twins: the loop, over five protocols, one-shot and as a stream, with threads and with tasks."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pyagent import (
    BadRequestError,
    ConfigurationError,
    PyAgentError,
    ToolCall,
    ToolError,
    ToolLimitError,
    UnsupportedFeatureError,
    events,
    messages,
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


class TestLimits:
    def test_steps(self, asking: Any, model: Any) -> None:
        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')]}] * 3 + [{"text": "At last."}]
        with pytest.raises(ToolLimitError, match="after max_steps=3: get_weather") as caught:
            asking.run_tools("?", tools=[get_weather], max_steps=3)
        run = caught.value.run
        assert run is not None
        assert caught.value.param == "max_steps"
        assert len(run.steps) == 3
        assert len(run.results) == 2
        assert [call.name for call in run.pending] == ["get_weather"]
        assert run.usage.total_tokens == 45
        again = asking.run_tools(messages=run.messages, tools=[get_weather])
        assert again.text == "At last."
        assert [m["role"] for m in model.asked[-1]["messages"]] == ["user", *["assistant", "tool"] * 3]

    def test_tokens(self, vendor: Any, model: Any) -> None:
        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')]}] * 3
        with pytest.raises(ToolLimitError, match=r"token_budget of 30 is used up \(30 tokens in 2 answers\)"):
            vendor.run_tools("?", tools=[get_weather], token_budget=30)
        assert len(model.asked) == 2

    def test_cost(self, asking: Any, model: Any) -> None:
        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')], "usage": {"cost": 0.5}}] * 3
        with pytest.raises(ToolLimitError, match=r"cost_budget of 0\.75") as caught:
            asking.run_tools("?", tools=[get_weather], cost_budget=0.75)
        assert caught.value.run is not None
        assert caught.value.run.usage.cost == 1.0

    @pytest.mark.parametrize("budget", [{"token_budget": 30}, {"cost_budget": 1.0}])
    def test_a_vendor_that_counts_nothing(self, asking: Any, model: Any, budget: dict[str, Any]) -> None:
        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')], "silent": True}, {"text": "Done."}]
        with pytest.raises(UnsupportedFeatureError, match="cannot be kept"):
            asking.run_tools("?", tools=[get_weather], **budget)

    def test_the_last_answer_may_cost_more(self, asking: Any, model: Any) -> None:
        model.turns += [{"text": "Done."}]
        assert asking.run_tools("?", tools=[get_weather], token_budget=1, max_steps=1).text == "Done."

    def test_a_failure_of_the_vendor_has_the_run(self, asking: Any, model: Any) -> None:
        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')]}, "No."]
        with pytest.raises(BadRequestError) as caught:
            asking.run_tools("?", tools=[get_weather])
        assert caught.value.run is not None
        assert [m["role"] for m in caught.value.run.messages] == ["user", "assistant", "tool"]

    def test_a_forced_tool_is_forced_once(self, asking: Any, model: Any) -> None:
        both(model)
        asking.run_tools("?", tools=[get_weather], tool_choice="required")
        assert [asked.get("tool_choice") for asked in model.asked] == ["required", None]


class TestApproval:
    @pytest.mark.parametrize(
        ("verdict", "outcome", "content"),
        [
            (True, "ok", "Oslo: 7 °C"),
            (False, "denied", "The call was denied."),
            ("Not today.", "denied", "The call was denied: Not today."),
            ({"city": "Bergen"}, "ok", "Bergen: 7 °C"),
        ],
    )
    @pytest.mark.parametrize("wait", [False, True])
    def test_verdicts(self, asking: Any, model: Any, verdict: Any, outcome: str, content: str, wait: bool) -> None:
        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}'), ("get_weather", "{}")]}, {"text": "ok"}]
        seen = []

        def approve(call: ToolCall) -> Any:
            seen.append(call.parsed)
            return verdict

        async def aapprove(call: ToolCall) -> Any:
            return approve(call)

        if wait:
            found = asyncio.run(asking.arun_tools("?", tools=[get_weather], approve=aapprove))
        else:
            found = asking.run_tools("?", tools=[get_weather], approve=approve)
        assert seen == [{"city": "Oslo"}], "what is wrong anyway is not asked about"
        assert (found.results[0].outcome, found.results[0].content) == (outcome, content)
        assert found.results[1].outcome == "invalid"

    @pytest.mark.parametrize("verdict", [None, 1, {"town": "Oslo"}])
    def test_wrong_verdicts(self, asking: Any, model: Any, verdict: Any) -> None:
        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')]}]
        with pytest.raises(ConfigurationError, match="approve"):
            asking.run_tools("?", tools=[get_weather], approve=lambda call: verdict)

    def test_a_coroutine_function_needs_a_coroutine(self, asking: Any, model: Any) -> None:
        async def approve(call: ToolCall) -> bool:
            return True

        model.turns += [{"calls": [("get_weather", '{"city": "Oslo"}')]}]
        with pytest.raises(ConfigurationError, match="coroutine function"):
            asking.run_tools("?", tools=[get_weather], approve=approve)


class TestSideBySide:
    def calls(self, count: int) -> list[dict[str, Any]]:
        return [{"calls": [("meet", f'{{"n": {n}}}') for n in range(count)]}, {"text": "ok"}]

    @pytest.mark.parametrize("wait", [False, True])
    def test_threads(self, asking: Any, model: Any, wait: bool) -> None:
        barrier = threading.Barrier(4)

        def meet(n: int) -> int:
            barrier.wait(10)
            return n

        model.turns += self.calls(4)
        found = asyncio.run(asking.arun_tools("?", tools=[meet])) if wait else asking.run_tools("?", tools=[meet])
        assert [result.value for result in found.results] == [0, 1, 2, 3]

    def test_tasks(self, asking: Any, model: Any) -> None:
        model.turns += self.calls(4)

        async def main() -> Any:
            everybody, here = asyncio.Event(), []

            async def meet(n: int) -> int:
                here.append(n)
                if len(here) == 4:
                    everybody.set()
                await everybody.wait()
                return n

            return await asking.arun_tools("?", tools=[meet])

        assert [result.value for result in asyncio.run(main()).results] == [0, 1, 2, 3]

    def test_at_most_so_many(self, asking: Any, model: Any) -> None:
        lock, running, most = threading.Lock(), [], []

        def meet(n: int) -> None:
            with lock:
                running.append(n)
                most.append(len(running))
            time.sleep(0.02)
            with lock:
                running.remove(n)

        model.turns += self.calls(6)
        asking.run_tools("?", tools=[meet], concurrency=2)
        assert max(most) == 2

    def test_context_variables(self, asking: Any, model: Any) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="lost")

        def meet(n: int) -> str:
            return variable.get()

        async def ameet(n: int) -> str:
            return variable.get()

        async def main(function: Callable[..., Any]) -> Any:
            variable.set("found")
            return await asking.arun_tools("?", tools=[tool(name="meet")(function)])

        for function in (meet, ameet):
            model.turns += self.calls(1) * 2
            assert asyncio.run(main(function)).results[0].value == "found"
            context = contextvars.copy_context()
            context.run(variable.set, "found")
            found = context.run(lambda f=function: asking.run_tools("?", tools=[tool(name="meet")(f)]))
            assert found.results[0].value == "found"


class TestTimeouts:
    @pytest.mark.parametrize("wait", [False, True])
    def test_a_thread_is_left_to_itself(self, asking: Any, model: Any, wait: bool) -> None:
        release = threading.Event()

        def hang() -> None:
            release.wait(30)

        model.turns += [{"calls": [("hang", "{}"), ("get_weather", '{"city": "Oslo"}')]}, {"text": "ok"}]
        tools = [hang, get_weather]
        if wait:
            found = asyncio.run(asking.arun_tools("?", tools=tools, tool_timeout=0.1))
        else:
            found = asking.run_tools("?", tools=tools, tool_timeout=0.1)
        release.set()
        assert [result.outcome for result in found.results] == ["timeout", "ok"]
        assert found.results[0].content == "The tool hang did not answer within 0.1 seconds."

    @pytest.mark.parametrize("wait", [False, True])
    def test_a_task_is_cancelled(self, asking: Any, model: Any, wait: bool) -> None:
        ended = threading.Event()

        @tool(timeout=0.1)
        async def hang() -> None:
            try:
                await asyncio.sleep(30)
            finally:
                ended.set()

        model.turns += [{"calls": [("hang", "{}")]}, {"text": "ok"}]

        async def main() -> Any:
            return await asking.arun_tools("?", tools=[hang])

        found = asyncio.run(main()) if wait else asking.run_tools("?", tools=[hang])
        assert found.results[0].outcome == "timeout"
        assert ended.wait(5)

    def test_it_can_be_raised(self, asking: Any, model: Any) -> None:
        @tool(timeout=0.05)
        async def hang() -> None:
            await asyncio.sleep(30)

        model.turns += [{"calls": [("hang", "{}")]}]
        with pytest.raises(ToolError, match=r"within 0\.05 seconds"):
            asking.run_tools("?", tools=[hang], raise_tool_errors=True)


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
