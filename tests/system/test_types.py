"""What a strict type checker makes of the package in a program that uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_the_answers_of_map_have_the_types_of_its_options(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.12", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--hide-error-context", "--cache-dir", ROOT / ".mypy_cache" / "types", program],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wanted = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if "# error: " in line]
    errors = [line.replace(str(program), "program") for line in done.stdout.splitlines() if ": error: " in line]
    assert sorted({int(line.split(":")[1]) for line in errors}) == wanted, (errors, done.stderr)
