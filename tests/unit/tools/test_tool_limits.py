"""What bounds a run of tools: steps, budgets, approval, how many at a time, time."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pyagent import (
    BadRequestError,
    ConfigurationError,
    ToolCall,
    ToolError,
    ToolLimitError,
    UnsupportedFeatureError,
    tool,
)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 7 °C"


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
