"""Hooks around the prompts of map and amap: each prompt passes through them by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pyagent import Choice, ConfigurationError, Hook, HookError, Hooks, Provider, PyAgentError, RequestContext, Response


class Counting(Hook):
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.failed: list[str] = []

    def on_request(self, context: RequestContext) -> None:
        assert context.operation == "generate"
        self.asked.append(context.messages[-1]["content"])

    def on_response(self, context: RequestContext, response: Response) -> None:
        self.answered.append(response.text)

    def on_error(self, context: RequestContext, error: PyAgentError) -> None:
        self.failed.append(type(error).__name__)


def change(context: RequestContext) -> Response | None:
    prompt = context.arguments["prompt"]
    if prompt == "short":
        return Response([Choice(text="cut")])
    if prompt == "bad":
        raise KeyError("lost")
    context.arguments["prompt"] = prompt + "!"
    return None


def shout(context: RequestContext, response: Response) -> Response:
    return Response([Choice(text=response.text.upper())])


async def slow_change(context: RequestContext) -> Response | None:
    await asyncio.sleep(0)
    return change(context)


async def slow_shout(context: RequestContext, response: Response) -> Response:
    await asyncio.sleep(0)
    return shout(context, response)


@pytest.mark.parametrize("concurrency", [1, 2, 16])
def test_every_prompt_passes_through_the_hooks(provider: Provider, server: Any, concurrency: int) -> None:
    counting = Counting()
    hooks = Hooks(counting, response=[shout], request=[change])
    answers = list(provider.map(["a", "short", "b"], concurrency=concurrency, hooks=hooks))
    assert answers == ["A!", "cut", "B!"]  # what answers lies further out than shout does
    assert counting.asked == ["a", "short", "b"]
    assert sorted(counting.answered) == ["A!", "B!", "cut"]
    assert len(server.requests()) == 2


def test_a_failing_hook_is_the_answer_to_its_prompt(provider: Provider) -> None:
    counting = Counting()
    hooks = Hooks(counting, request=[change])
    found = list(provider.map(["a", "bad", "b"], hooks=hooks, return_exceptions=True))
    assert (found[0], found[2]) == ("a!", "b!")
    assert isinstance(found[1], HookError)
    assert found[1].hook == "change"
    assert counting.failed == ["HookError"]
    answers = provider.map(["a", "bad", "b"], hooks=hooks)
    assert next(answers) == "a!"
    with pytest.raises(HookError, match="change failed: KeyError"):
        next(answers)


def test_a_hook_may_fail_at_the_answer(provider: Provider) -> None:
    def fail(context: RequestContext, response: Response) -> None:
        if response.text == "b":
            raise OSError("no disk")

    found = list(provider.map(["a", "b", "c"], hooks=Hooks(response=[fail]), return_exceptions=True))
    assert [found[0], str(found[1]), found[2]] == ["a", "The hook fail failed: OSError: no disk", "c"]


def test_hooks_are_told_of_the_errors_of_prompts(provider: Provider) -> None:
    counting = Counting()
    prompts: list[Any] = ["a", 5, []]
    found = list(provider.map(prompts, hooks=Hooks(counting), return_exceptions=True))
    assert [type(value).__name__ for value in found] == ["str", "ConfigurationError", "ConfigurationError"]
    assert "prompts[1]" in str(found[1])
    found = list(
        provider.map(["a"], hooks=Hooks(counting), return_exceptions=True, extra_body={"fake": {"status": 400}})
    )
    assert counting.failed == ["BadRequestError"]
    assert [type(value).__name__ for value in found] == ["BadRequestError"]


def test_the_hooks_of_the_provider_count_for_map(server: Any) -> None:
    counting = Counting()
    provider = Provider.compatible("m", base_url=server.url, hooks=Hooks(counting))
    assert list(provider.map([[{"role": "user", "content": "a"}], "b"])) == ["a", "b"]
    assert counting.asked == ["a", "b"]


def test_coroutine_functions_are_refused_by_map(provider: Provider) -> None:
    with pytest.raises(ConfigurationError, match="hook slow_change is a coroutine function"):
        provider.map(["a"], hooks=Hooks(request=[slow_change]))


@pytest.mark.parametrize("slow", [False, True])
def test_amap_awaits_hooks(
    provider: Provider, run: Callable[[Callable[[], Awaitable[Any]]], Any], slow: bool, request: pytest.FixtureRequest
) -> None:
    if slow and "trio" in request.node.name:
        pytest.skip("these hooks sleep in asyncio")
    hooks = Hooks(request=[slow_change if slow else change], response=[(slow_shout if slow else shout, 1)])

    async def main() -> None:
        answers = [answer async for answer in provider.amap(["a", "short", "b"], concurrency=2, hooks=hooks)]
        assert answers == ["A!", "CUT", "B!"]
        found = provider.amap(["bad", "c"], hooks=hooks, return_exceptions=True)
        assert [type(value) async for value in found] == [HookError, str]

    run(main)


def test_an_amap_that_is_left_while_a_hook_waits_asks_nothing(provider: Provider, server: Any) -> None:
    async def wait(context: RequestContext) -> None:
        await asyncio.sleep(30)

    async def main() -> None:
        answers = provider.amap(["a", "b"], hooks=Hooks(request=[wait]))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(answers.__anext__(), 0.05)

    asyncio.run(main())
    assert server.requests() == []
