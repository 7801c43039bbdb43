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


OBJECTS = """
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
"""


def checked(program: str, tmp_path: Path) -> None:
    """Holds the errors that a strict checker finds against the lines that are to have one."""
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.12", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--cache-dir", ROOT / ".mypy_cache" / "types", path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wanted = [number for number, line in enumerate(program.splitlines(), 1) if "# error: " in line]
    errors = [line.replace(str(path), "program") for line in done.stdout.splitlines() if ": error: " in line]
    assert sorted({int(line.split(":")[1]) for line in errors}) == wanted, (errors, done.stderr)


def test_the_answers_of_map_have_the_types_of_its_options(tmp_path: Path) -> None:
    checked(PROGRAM, tmp_path)


def test_objects_have_the_types_of_their_schemas(tmp_path: Path) -> None:
    pytest.importorskip("pydantic")
    pytest.importorskip("msgspec")
    checked(OBJECTS, tmp_path)
