"""What type checkers make of the package in a program that uses it, and of the examples in the documents."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAMS = {
    "map": """
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
""",
    "vendors": """
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
""",
    "hooks": """
from typing import Any

from pyagent import (
    DROP, CacheHook, Choice, Hook, HookError, Hooks, LoggingHook, Provider, PyAgentError, RequestContext, Response,
    UsageTracker, events,
)
from pyagent.hooks import Drop


def change(context: RequestContext) -> None:
    context.arguments["temperature"] = 0.5


def answer(context: RequestContext) -> Response | None:
    return Response([Choice(text="a")]) if context.model == "m" else None


async def slow(context: RequestContext) -> Response | None:
    return None


def see(context: RequestContext, response: Response) -> None:
    print(response.text)


def hide(context: RequestContext, event: events.Event) -> events.Event | Drop | None:
    return DROP if isinstance(event, events.TextDelta) else None


class Mine(Hook):
    async def on_request(self, context: RequestContext) -> None:
        context.metadata["a"] = 1

    def on_error(self, context: RequestContext, error: PyAgentError) -> None:
        print(error)


hooks = Hooks(Mine(), LoggingHook(), CacheHook("f", ttl=5), request=[change, (answer, 2), slow], response=[see])
both = hooks + Hooks(UsageTracker(), stream=[hide], request=[lambda context: print(context.provider)])
provider = Provider.echo(hooks=both)
provider.generate_text("a", hooks=hooks)
provider.map(["a"], hooks=hooks)
try:
    list(provider.stream_text("a", hooks=hooks))
except HookError as error:
    print(error.hook.upper())

provider.generate("a", hooks=[change])  # error: refused
Hooks(change)  # error: refused
Hooks(request=[see])  # error: refused
Hooks(response=[hide])  # error: refused
Hooks(stream=[lambda context, event: 5])  # error: refused
Hooks(request=[(change, "high")])  # error: refused
CacheHook(size="big")  # error: refused
""",
    "levels": """
import asyncio
import sys
from typing import AsyncIterator, Iterator, assert_type

from pyagent import AsyncStreamProcessor, Provider, PyAgentError, Response, Snapshot, StreamProcessor, ToolCall, Usage
from pyagent import events

provider = Provider.echo()
stream, astream = provider.stream("a"), provider.astream("a")


def look(event: events.Event) -> str:
    match event:
        case events.TextDelta(text, index):
            assert_type(text, str)
            assert_type(index, int)
        case events.TextDone(text) | events.ReasoningDone(text):
            return assert_type(text, str)
        case events.ToolCallEnd(_, call):
            assert_type(call, ToolCall)
        case events.FinishEvent(reason, _, usage, model):
            assert_type(reason, str | None)
            assert_type(usage, Usage)
            assert_type(model, str | None)
        case events.ErrorEvent(error):
            assert_type(error, PyAgentError)
        case _:
            pass
    return event.type


async def save(piece: str) -> None:
    print(piece)


def number(piece: int) -> None:
    print(piece)


def pair(new: str, full: str) -> None:
    print(new, full)


def draw(snapshot: Snapshot) -> None:
    assert_type(snapshot.text, str)
    assert_type(snapshot.tool_calls, list[ToolCall])
    assert_type(snapshot.usage, Usage)
    assert_type(snapshot.complete, bool)
    assert_type(snapshot.finish_reason, str | None)
    assert_type(snapshot.error, PyAgentError | None)
    print(snapshot.txt)  # error: no such field


assert_type(stream.events(), Iterator[events.Event])
assert_type(stream.snapshots(every=0.5), Iterator[Snapshot])
assert_type(stream.snapshot, Snapshot)
assert_type(stream.on_text(print), StreamProcessor)
assert_type(stream.on_text_with_full(pair).on_reasoning(print).on_tool_call(print).run(), Response)
assert_type(stream.on_usage(lambda usage: print(usage.total_tokens)).collect(), Response)
assert_type(stream.on_error(lambda error: print(error.partial_text)).print(file=sys.stderr, end=""), Response)
assert_type(stream.on_finish(lambda response: print(response.text)).on_event(look).run(), Response)
assert_type(stream.on_update(draw, every=0.1), StreamProcessor)
assert_type(astream.events(), AsyncIterator[events.Event])
assert_type(astream.snapshots(), AsyncIterator[Snapshot])
assert_type(astream.on_text(save).on_update(draw), AsyncStreamProcessor)


async def read() -> None:
    assert_type(await astream.on_text(save).on_text(print).run(), Response)
    assert_type(await astream.collect(), Response)
    assert_type(await astream.print(), Response)
    async for snapshot in astream.snapshots(every=1):
        assert_type(snapshot, Snapshot)


asyncio.run(read())
delta = events.TextDelta("a")
delta.text = "b"  # error: for reading
events.TextDelta(5)  # error: refused
stream.on_text(number)  # error: refused
stream.on_text(pair)  # error: refused
stream.on_text_with_full(look)  # error: refused
stream.on_update(number)  # error: refused
stream.on_update(draw, 0.1)  # error: refused
stream.snapshots(0.1)  # error: refused
stream.snapshots(every="1")  # error: refused
stream.print(file=5)  # error: refused
stream.on_thinking(print)  # error: refused
for event in astream.events():  # error: refused
    print("never")


def misread(event: events.Event) -> None:
    match event:
        case events.TextDelta(one, two, three): pass  # error: too many
""",
    "objects": """
from dataclasses import dataclass
from typing import Any, TypedDict, assert_type

from pyagent import AsyncObjectStream, ObjectResult, ObjectStream, Provider
from pydantic import BaseModel
import msgspec

provider = Provider.echo()


class Model(BaseModel):
    name: str


@dataclass
class Data:
    name: str


class Dict(TypedDict):
    name: str


class Struct(msgspec.Struct):
    name: str


assert_type(provider.generate_object("a", schema=Model), ObjectResult[Model])
assert_type(provider.generate_object("a", schema=Model, mode="tool", repairs=0).object.name, str)
assert_type(provider.generate_object("a", schema=Data).object, Data)
assert_type(provider.generate_object("a", schema=Dict).object["name"], str)
assert_type(provider.generate_object(messages=[], schema=Struct, temperature=0.5).object.name, str)
assert_type(provider.generate_object("a", schema=list[Data]).object, list[Data])
assert_type(provider.generate_object("a", schema={"type": "object"}).object, Any)
assert_type(provider.stream_object("a", schema=Data), ObjectStream[Data])
assert_type(provider.astream_object("a", schema=Data), AsyncObjectStream[Data])
with provider.stream_object("a", schema=Data) as stream:
    for partial in stream:
        assert_type(partial, Any)
    assert_type(stream.result.object, Data)


async def read() -> None:
    assert_type((await provider.agenerate_object("a", schema=Data)).object, Data)
    async with provider.astream_object("a", schema=Data) as stream:
        async for partial in stream:
            assert_type(partial, Any)
        assert_type(await stream.result, ObjectResult[Data])


provider.generate_object("a")  # error: refused
provider.generate_object("a", schema=5)  # error: refused
provider.generate_object("a", schema=Data, mode="json")  # error: refused
provider.generate_object("a", schema=Data, tools=[])  # error: refused
provider.generate_object("a", schema=Data).object.nmae  # error: refused
provider.stream_object("a", schema=Data, repairs=1)  # error: refused
""",
}
# A page whose blocks of Python, one behind the other, are a program without errors.
PAGES = ["streaming.md", "structured-output.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs() -> dict[str, str]:
    found = dict(PROGRAMS)
    for page in PAGES:
        found[page] = "\n\n".join(BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")))
    return found


def mypy(program: Path) -> list[str]:
    """The errors that mypy finds, `line: message` each."""
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.12", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--cache-dir", ROOT / ".mypy_cache" / "types", program],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr
    return [line.split(":", 1)[1] for line in done.stdout.splitlines() if ": error: " in line]


def pyright(program: Path) -> list[str]:
    """The errors that pyright finds, by its own name or that of the package that brings it without a download."""
    names = ("pyright", "basedpyright")
    paths = [shutil.which(name, path=place) for name in names for place in (str(Path(sys.executable).parent), None)]
    command = next((path for path in paths if path), None)
    if command is None:
        pytest.skip("pyright is not installed: pip install basedpyright")
    config = {"typeCheckingMode": "standard", "pythonVersion": "3.12", "extraPaths": [str(ROOT)], "include": ["."]}
    settings = program.parent / "pyrightconfig.json"
    settings.write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [command, "--project", settings, "--pythonpath", sys.executable, "--outputjson"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1
    return [
        f"{problem['range']['start']['line'] + 1}: {problem['message']}"
        for problem in found["generalDiagnostics"]
        if problem["severity"] == "error"
    ]


@pytest.mark.parametrize("check", [mypy, pyright], ids=["mypy", "pyright"])
@pytest.mark.parametrize("name", programs())
def test_right_programs_are_accepted_and_wrong_lines_refused(
    name: str, check: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    if name == "objects":
        pytest.importorskip("pydantic")
        pytest.importorskip("msgspec")
    text = programs()[name]
    program = tmp_path / "program.py"
    program.write_text(text, encoding="utf-8")
    errors = check(program)
    wanted = [number for number, line in enumerate(text.splitlines(), 1) if "# error: " in line]
    assert wanted or name in PAGES
    assert sorted({int(error.split(":")[0]) for error in errors}) == wanted, errors
