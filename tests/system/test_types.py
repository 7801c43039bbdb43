"""What a strict type checker makes of the package in a program that uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
from typing import Any, AsyncIterator, Iterator, assert_type

from pyagent import Answers, AsyncAnswers, Provider, PyAgentError, Response

provider = Provider.echo()
prompts = ["a", "b"]
conversations = [[{"role": "user", "content": "a"}]]
mixed: list[str | list[dict[str, Any]]] = ["a", [{"role": "user", "content": [{"type": "text", "text": "a"}]}]]


def switch() -> bool:
    return bool(provider)


async def source() -> AsyncIterator[str]:
    yield "a"


assert_type(provider.map(prompts), Answers[str])
assert_type(provider.map(conversations, concurrency=3, temperature=0.5), Answers[str])
assert_type(provider.map(mixed, include_usage=True), Answers[Response])
assert_type(provider.map(prompts, return_exceptions=True), Answers[str | PyAgentError])
assert_type(provider.map(prompts, return_exceptions=True, include_usage=True), Answers[Response | PyAgentError])
assert_type(provider.map(prompts, ordered=False), Answers[tuple[int, str]])
assert_type(provider.map(prompts, ordered=False, include_usage=True), Answers[tuple[int, Response]])
assert_type(provider.map(prompts, ordered=False, return_exceptions=True), Answers[tuple[int, str | PyAgentError]])
assert_type(
    provider.map(prompts, ordered=False, return_exceptions=True, include_usage=True),
    Answers[tuple[int, Response | PyAgentError]],
)
assert_type(provider.map(prompts, ordered=switch()), Answers[Any])
assert_type(provider.amap(source(), progress=lambda done, total: print(done, total)), AsyncAnswers[str])
assert_type(provider.amap(prompts, ordered=False), AsyncAnswers[tuple[int, str]])
iterator: Iterator[str] = provider.map(prompts)
with provider.map(prompts) as answers:
    assert_type(next(answers), str)
    for answer in answers:
        assert_type(answer, str)


async def read() -> None:
    async for number, answer in provider.amap(prompts, ordered=False, return_exceptions=True):
        assert_type(answer, str | PyAgentError)
    async with provider.amap(prompts) as answers:
        assert_type(await anext(answers), str)
    assert_type(await provider.agenerate_text("a"), str)


provider.map(5)  # error: refused
provider.map(source())  # error: refused
provider.map(prompts, temprature=1)  # error: refused
provider.map(prompts, messages=[])  # error: refused
"""


VENDORS = """
from typing import assert_type

from pyagent import (
    AnthropicOptions, Client, GeminiOptions, ModelInfo, ModelLists, OpenAIOptions, Provider, PyAgentError, RateLimit,
    RateLimits, Response, VendorOptions,
)

client = Client.from_env(options=[AnthropicOptions(user_id="u"), OpenAIOptions(seed=1)], max_retries=1)
assert_type(client, Client)
assert_type(Client.any_from_env(), Provider)
provider = client.model("openai", "m")
assert_type(provider, Provider)
assert_type(client.get("openai"), Provider | None)
assert_type(client.remove("openai"), Provider | None)
assert_type(client.add("openai", extra_api_keys=["a", "b"]), Provider)
assert_type(client.list_providers(), list[str])
assert_type(client.list_models(), ModelLists)
assert_type(client.list_models().models, dict[str, list[ModelInfo]])
assert_type(client.list_models().errors, dict[str, PyAgentError])
assert_type(provider.with_model("n"), Provider)
assert_type(provider.rate_limits, RateLimits)
assert_type(provider.rate_limits.tokens, RateLimit | None)

options = OpenAIOptions(seed=1, response_format={"type": "text"})
assert_type(options.seed, int | None)
assert_type(GeminiOptions(grounding=True).stop_sequences, list[str] | None)
assert_type(provider.generate("x", options=options), Response)
assert_type(provider.generate_text("x", options=[options, AnthropicOptions()]), str)
several: list[VendorOptions] = [options, AnthropicOptions(cache_control="1h")]
provider.map(["x"], options=several)
provider.stream("x", options=(options, GeminiOptions()))


async def ask() -> None:
    assert_type(await client.alist_models(timeout=5), ModelLists)
    assert_type(await provider.agenerate("x", options=options), Response)


def wait(error: PyAgentError) -> float:
    return error.retry_delay or 0.0


OpenAIOptions(seed="1")  # error: refused
OpenAIOptions(sede=1)  # error: refused
OpenAIOptions(1)  # error: refused
AnthropicOptions(betas="a")  # error: refused
provider.generate("x", options={"seed": 1})  # error: refused
provider.generate_text("x", options=5)  # error: refused
Provider("m", extra_api_keys="k")  # error: refused
client.register("x", "openai")  # error: refused
client.model("openai")  # error: refused
Client(api_key="k")  # error: refused
"""


TOOLS = """
from typing import assert_type

from pyagent import Provider, ToolCall, ToolResult, ToolRun, arun_tool_calls, events, run_tool_calls, tool

provider = Provider.echo()


@tool
def add(a: int, b: int = 1) -> int:
    return a + b


@tool(timeout=3)
async def look_up(word: str) -> str:
    return word


def plain(city: str) -> str:
    return city


def approve(call: ToolCall) -> bool | str:
    return call.name == "add" or "No."


assert_type(add(1, b=2), int)
assert_type(provider.run_tools("a", tools=[add, look_up, plain], approve=approve), ToolRun)
assert_type(run_tool_calls([ToolCall("1", "add", "{}")], [add]), list[ToolResult])
assert_type(provider.generate_text("a", tools=[add, plain, {"type": "web_search"}]), str)
with provider.stream_tools("a", tools=[add]) as stream:
    for event in stream.events():
        if isinstance(event, events.ToolFinished):
            assert_type(event.result, ToolResult)
    assert_type(stream.result, ToolRun)


async def read() -> None:
    assert_type(await look_up("a"), str)
    assert_type(await provider.arun_tools("a", tools=[look_up]), ToolRun)
    assert_type(await provider.astream_tools("a", tools=[look_up]).result, ToolRun)
    assert_type(await arun_tool_calls([], [look_up]), list[ToolResult])


add("1")  # error: refused
provider.run_tools("a")  # error: refused
provider.run_tools("a", tools=[5])  # error: refused
provider.run_tools("a", tools=[add], n=2)  # error: refused
provider.run_tools("a", tools=[add], approve=lambda call: 1.5)  # error: refused
tool(5)  # error: refused
"""


@pytest.mark.parametrize("text", [PROGRAM, VENDORS, TOOLS], ids=["map", "vendors", "tools"])
def test_a_checker_accepts_what_is_right_and_nothing_else(text: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.12", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--cache-dir", ROOT / ".mypy_cache" / "types", program],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wanted = [number for number, line in enumerate(text.splitlines(), 1) if "# error: " in line]
    errors = [line.replace(str(program), "program") for line in done.stdout.splitlines() if ": error: " in line]
    assert sorted({int(line.split(":")[1]) for line in errors}) == wanted, (errors, done.stderr)
