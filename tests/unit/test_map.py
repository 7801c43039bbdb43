"""Many prompts at a time: their order, how many are open and read ahead, errors, progress, and every way to stop."""

from __future__ import annotations

import asyncio
import copy
import pickle
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    BadRequestError,
    ConfigurationError,
    Provider,
    Response,
    StreamCancelledError,
    UnsupportedFeatureError,
)

if TYPE_CHECKING:
    from conftest import Model

Gather = Callable[..., list[Any]]
METHODS = ["map", "amap"]


class Reader:
    """Reads answers step by step, those of amap by a loop that runs for as long as each step takes."""

    def __init__(self, method: str, provider: Provider, prompts: Any, **options: Any) -> None:
        self.answers: Any = getattr(provider, method)(prompts, **options)
        self.loop = asyncio.new_event_loop() if method == "amap" else None

    def next(self) -> Any:
        if self.loop is None:
            return next(self.answers)
        return self.loop.run_until_complete(asyncio.wait_for(self.answers.__anext__(), 30))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        del self.answers
        if self.loop is not None:
            self.loop.close()


class Counted:
    """Prompts without a length that know how many of them were read."""

    def __init__(self, prompts: Any) -> None:
        self.read = 0
        self._prompts = prompts

    def __iter__(self) -> Iterator[Any]:
        for prompt in self._prompts:
            self.read += 1
            yield prompt


@pytest.fixture(params=["map", "amap", "trio"])
def gather(request: pytest.FixtureRequest) -> Gather:
    """Reads all answers."""

    def of_map(provider: Provider, prompts: Any, **options: Any) -> list[Any]:
        return list(provider.map(prompts, **options))

    def of_amap(provider: Provider, prompts: Any, **options: Any) -> list[Any]:
        async def main() -> list[Any]:
            return [answer async for answer in provider.amap(prompts, **options)]

        return list(asyncio.run(main()) if request.param == "amap" else trio.run(main))

    if request.param == "trio":
        trio = pytest.importorskip("trio", reason="pip install trio")
    return of_map if request.param == "map" else of_amap


def test_answers_come_in_the_order_of_their_prompts(model: Model, asking: Provider, gather: Gather) -> None:
    prompts = [f"{number} {random.random() / 20}" for number in range(60)]
    model.barrier = 7
    assert gather(asking, prompts, concurrency=7) == [str(number) for number in range(60)]
    assert model.most == 7


def test_answers_come_as_they_arrive(asking: Provider, gather: Gather) -> None:
    answers = gather(asking, ["slow 0.6", "middle 0.3", "quick 0"], ordered=False)
    assert answers == [(2, "quick"), (1, "middle"), (0, "slow")]


def test_two_thousand_prompts(echo: Provider, gather: Gather) -> None:
    prompts = [f"prompt {number}" for number in range(2000)]
    assert gather(echo, prompts, concurrency=200) == prompts


def test_nothing_to_ask(echo: Provider, gather: Gather) -> None:
    assert gather(echo, []) == []


def test_whole_responses_conversations_and_options(model: Model, asking: Provider, gather: Gather) -> None:
    conversation = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    prompts = ["first", [*conversation, {"role": "user", "content": "second"}]]
    first, second = gather(asking, prompts, include_usage=True, system_prompt="Be brief.", temperature=0.5)
    assert isinstance(first, Response)
    assert (first.text, second.text, second.prompt_tokens) == ("first", "second", 3)
    bodies = {len(body["messages"]): body for body in model.bodies}
    system = {"role": "system", "content": "Be brief."}
    assert bodies[2]["messages"] == [system, {"role": "user", "content": "first"}]
    assert bodies[4]["messages"] == [system, *prompts[1]]
    assert {body["temperature"] for body in model.bodies} == {0.5}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ordered", [True, False])
def test_nothing_is_read_ahead_of_a_reader_who_stops(
    model: Model, asking: Provider, method: str, ordered: bool
) -> None:
    prompts = Counted(str(number) for number in range(20))
    model.barrier = 4  # the first four are answered when all of them were asked
    with Reader(method, asking, prompts, concurrency=4, ordered=ordered) as reader:
        time.sleep(0.05)
        assert (prompts.read, model.asked) == (0, 0)
        for number in range(4, 21):
            reader.next()
            model.wait_for_asked(number)
            assert prompts.read == number


@pytest.mark.parametrize("method", METHODS)
def test_one_at_a_time_is_a_plain_loop(asking: Provider, method: str) -> None:
    """A prompt may be made of the answer before it."""
    answers: list[str] = []
    prompts = ("".join(answers) + str(number) for number in range(4))
    with Reader(method, asking, prompts, concurrency=1) as reader:
        for _ in range(4):
            answers.append(reader.next())  # noqa: PERF401
    assert answers == ["0", "01", "0012", "00100123"]


def test_many_prompts_take_the_memory_of_a_few(echo: Provider, gather: Gather) -> None:
    gather(echo, ["warm"])
    read = 0

    def prompts() -> Iterator[str]:
        nonlocal read
        for number in range(600):
            read += 1
            yield f"{number} " + "x" * 20_000

    def seen(done: int, _: int | None) -> None:
        assert read - done <= 8

    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy does not count memory")
    tracemalloc.start()
    try:
        with Reader("map", echo, prompts(), concurrency=8, progress=seen) as reader:
            assert all(answer.startswith(f"{number} ") for number, answer in enumerate(reader.answers))
        assert tracemalloc.get_traced_memory()[1] < 3_000_000  # of 12 million
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", METHODS)
def test_an_error_is_raised_where_its_turn_comes(model: Model, asking: Provider, method: str) -> None:
    prompts = Counted(["patient 2", "one", "fail", "hold", "hold", *["never"] * 50])
    model.barrier = 5
    with Reader(method, asking, prompts, concurrency=5) as reader:
        assert reader.next() == "patient"  # so what is behind the error went when it came
        assert reader.next() == "one"
        with pytest.raises(BadRequestError, match="You asked for it"):
            reader.next()
        with pytest.raises(StreamCancelledError, match="before all prompts"):
            reader.next()
        assert prompts.read == 5


@pytest.mark.parametrize("method", METHODS)
def test_an_error_as_it_comes_ends_all_the_rest(model: Model, asking: Provider, method: str) -> None:
    model.barrier = 4
    with Reader(method, asking, ["hold", "hold", "fail", "hold"], ordered=False) as reader:
        with pytest.raises(BadRequestError):
            reader.next()
        model.wait_for_closed(3)


def test_errors_as_values(asking: Provider, gather: Gather) -> None:
    answers = gather(asking, ["a", "fail", "b", 5, ["c"], "d"], concurrency=2, return_exceptions=True)
    assert [type(answer) for answer in answers] == [str, BadRequestError, str, *[ConfigurationError] * 2, str]
    assert "prompts[3] must be a string, or a list of messages that is not empty, got 5 (int)" in str(answers[3])
    assert "prompts[4][0] must be a dict with role and content, got 'c' (str)" in str(answers[4])
    assert answers[3].param == "prompts[3]"


def test_a_bad_prompt_is_named(echo: Provider, gather: Gather) -> None:
    with pytest.raises(ConfigurationError, match=r"Cannot convert .*'object' .* It is in prompts\[1\]\[0\].content"):
        gather(echo, ["a", [{"role": "user", "content": object()}]])


@pytest.mark.parametrize("method", METHODS)
def test_an_exception_of_the_prompts_closes_everything(model: Model, asking: Provider, method: str) -> None:
    def prompts() -> Iterator[str]:
        yield "hold"
        yield "hold"
        model.wait_for_asked(2)
        raise LookupError("no more prompts")

    with Reader(method, asking, prompts(), ordered=False) as reader:
        with pytest.raises(LookupError, match="no more prompts"):
            reader.next()
        model.wait_for_closed(2)


def test_progress(asking: Provider, gather: Gather) -> None:
    seen: list[tuple[int, int | None, int]] = []

    def progress(done: int, total: int | None) -> None:
        seen.append((done, total, threading.get_ident()))

    gather(asking, ["a", "fail", 3], return_exceptions=True, progress=progress)
    gather(asking, iter(["a", "b"]), progress=progress)
    here = threading.get_ident()
    assert seen == [(1, 3, here), (2, 3, here), (3, 3, here), (1, None, here), (2, None, here)]


@pytest.mark.parametrize("method", METHODS)
def test_an_exception_of_progress_closes_everything(model: Model, asking: Provider, method: str) -> None:
    def progress(done: int, total: int | None) -> None:
        raise LookupError(f"{done} of {total}")

    model.barrier = 3
    with Reader(method, asking, ["hold", "hold", "quick"], progress=progress) as reader:
        with pytest.raises(LookupError, match="1 of 3"):
            reader.next()
        model.wait_for_closed(2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("prompts", "options", "words"),
    [
        ("hello", {}, "prompts must be an iterable of prompts"),
        (5, {}, "prompts must be an iterable .*got int"),
        (["a"], {"concurrency": 0}, "concurrency must be a whole number above 0, got 0"),
        (["a"], {"concurrency": True}, "concurrency must be a whole number"),
        (["a"], {"ordered": "yes"}, "ordered must be True or False"),
        (["a"], {"return_exceptions": None}, "return_exceptions must be True or False"),
        (["a"], {"include_usage": 1}, "include_usage must be True or False"),
        (["a"], {"progress": 3}, "progress must be a function"),
        (["a"], {"temperature": "hot"}, "temperature must be a number"),
        (["a"], {"system_prompt": 3}, "system_prompt must be a string"),
        (["a"], {"extra_body": {"x": object()}}, "It is in extra_body.x"),
        (["a"], {"timeout": 1, "timeouts": 1}, "timeout and timeouts"),
    ],
)
def test_a_bad_option_is_an_error_at_once(
    echo: Provider, method: str, prompts: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        getattr(echo, method)(prompts, **options)


@pytest.mark.parametrize("method", METHODS)
def test_one_answer_for_each_prompt(echo: Provider, method: str) -> None:
    with pytest.raises(UnsupportedFeatureError, match=rf"{method}\(\) gives one answer"):
        getattr(echo, method)(["a"], n=2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy, pickle.dumps])
def test_answers_refuse_to_be_copied(echo: Provider, method: str, copying: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="Answers cannot be pickled or copied"):
        copying(getattr(echo, method)(["a"]))


def leave_the_loop(answers: Any) -> None:
    for _ in answers:
        break


def leave_the_block(answers: Any) -> None:
    with answers:
        next(answers)


def close(answers: Any) -> None:
    next(answers)
    answers.close()
    answers.close()


@pytest.mark.parametrize("leave", [leave_the_loop, leave_the_block, close])
def test_leaving_closes_every_connection(model: Model, asking: Provider, leave: Callable[[Any], None]) -> None:
    model.barrier = 6
    answers = asking.map(["quick", *["hold"] * 5])
    leave(answers)
    model.wait_for_closed(5)
    with pytest.raises(StreamCancelledError):
        next(answers)


def test_dropping_closes_every_connection(model: Model, asking: Provider) -> None:
    model.barrier = 6
    answers = asking.map(["quick", *["hold"] * 5])
    assert next(answers) == "quick"
    del answers
    model.wait_for_closed(5)


def test_another_thread_closes(model: Model, asking: Provider) -> None:
    answers = asking.map(["hold"] * 5)
    closing = threading.Thread(target=lambda: (model.wait_for_asked(5), answers.close()))
    closing.start()
    with pytest.raises(StreamCancelledError):
        next(answers)
    closing.join()
    model.wait_for_closed(5)


def test_a_second_reader_is_refused_and_the_first_goes_on(model: Model, asking: Provider) -> None:
    answers = asking.map(["first 0.5"])
    refused: list[BaseException] = []

    def read() -> None:
        model.wait_for_asked(1)
        try:
            for _ in answers:
                pass
        except RuntimeError as error:
            refused.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert list(answers) == ["first"]
    thread.join()
    assert "Another thread is reading" in str(refused)
