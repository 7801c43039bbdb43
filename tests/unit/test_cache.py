"""CacheHook: what is answered without asking, and what is asked all the same."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pyagent import (
    DROP,
    CacheHook,
    Choice,
    ConfigurationError,
    HookError,
    Hooks,
    OpenAIOptions,
    Provider,
    PyAgentError,
    Response,
    Timeouts,
    events,
)


@pytest.fixture(params=["memory", "file"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> CacheHook:
    return CacheHook() if request.param == "memory" else CacheHook(tmp_path / "cache.db")


def test_the_same_request_is_asked_once(provider: Provider, server: Any, cache: CacheHook) -> None:
    hooks = Hooks(cache)
    first = provider.generate("hi", hooks=hooks)
    again = provider.generate(messages=[{"role": "user", "content": "hi"}], hooks=hooks)
    assert (first.attempts, again.attempts) == (1, 0)
    again.attempts = 1
    assert again == first
    assert provider.generate_text("hi", hooks=hooks) == "hi"
    assert asyncio.run(provider.agenerate_text("hi", hooks=hooks)) == "hi"
    assert len(cache) == len(server.requests()) == 1
    cache.clear()
    assert len(cache) == 0


def test_a_stream_is_played_with_the_same_events(provider: Provider, server: Any, cache: CacheHook) -> None:
    script = {
        "reasoning": "I think",
        "pieces": ["one", " \u0000two", " é"],
        "tools": [{"name": "find", "arguments": {"a": [1, 2]}}],
        "tool_piece": 3,
    }
    hooks = Hooks(cache)
    seen = []
    for _ in range(3):
        stream = provider.stream("hi", hooks=hooks, extra_body={"fake": script}, include_raw=True)
        seen.append((list(stream.events()), stream.result.to_dict()))
        seen[-1][1].pop("attempts")
    assert len(server.requests()) == 1
    assert seen[0] == seen[1] == seen[2]
    assert {event.type for event in seen[2][0]} >= {"start", "raw", "reasoning", "text", "tool_call_end", "finish"}
    text = provider.stream("hi", hooks=hooks, extra_body={"fake": script}, include_raw=True)
    assert list(text) == ["one", " \u0000two", " é"]
    assert len(server.requests()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "ho"}, {"model": "n"}, {"temperature": 0.5}, {"system_prompt": "s"}, {"extra_body": {"a": 1}},
        {"extra_headers": {"x-mode": "b"}}, {"seed": 1}, {"tools": [{"type": "function", "function": {"name": "f"}}]},
    ],
)  # fmt: skip
def test_another_request_is_asked(provider: Provider, server: Any, cache: CacheHook, other: Any) -> None:
    hooks = Hooks(cache)
    provider.generate("hi", hooks=hooks)
    provider.generate(**{"prompt": "hi", "hooks": hooks, **other})
    list(provider.stream("hi", hooks=hooks))
    assert len(server.requests()) == 3


def test_keys_and_clocks_make_no_other_request(provider: Provider, server: Any, tmp_path: Path) -> None:
    cache = CacheHook(tmp_path / "cache.db")
    asked: list[dict[str, Any]] = [
        {}, {"api_key": "sk-very-secret"}, {"timeout": 5}, {"timeouts": Timeouts(total=9)}, {"max_retries": 7},
        {"extra_headers": {"Authorization": "Bearer sk-very-secret", "X-Api-Key": "sk-very-secret"}},
    ]  # fmt: skip
    for options in asked:
        provider.generate("a question", hooks=Hooks(cache), **options)
    assert len(server.requests()) == 1
    content = (tmp_path / "cache.db").read_bytes()
    assert b"sk-very-secret" not in content


def test_options_of_the_vendor_make_another_request(server: Any, cache: CacheHook) -> None:
    provider = Provider.openai("m", api_key="k", base_url=server.url, hooks=Hooks(cache))
    for options in (None, OpenAIOptions(seed=1), OpenAIOptions(seed=2), OpenAIOptions(seed=1)):
        provider.generate("hi", options=options)
    assert len(server.requests()) == 3


def test_failures_are_not_kept(provider: Provider, server: Any, cache: CacheHook) -> None:
    hooks = Hooks(cache)
    for script in ({"status": 400}, {"end": "cut", "after": 1}, {"end": "truncate", "after": 1}):
        for method in (provider.generate, provider.stream):
            for _ in range(2):
                with pytest.raises(PyAgentError):
                    list(method("one two", hooks=hooks, extra_body={"fake": script}, max_retries=0))  # type: ignore
    assert len(cache) == 0


def test_a_stream_that_is_left_is_not_kept(provider: Provider, server: Any, cache: CacheHook) -> None:
    stream = provider.stream("one two", hooks=Hooks(cache), extra_body={"fake": {"end": "stall", "after": 1}})
    next(stream)
    stream.close()
    assert len(cache) == 0


def test_a_retry_is_not_played(provider: Provider, server: Any, cache: CacheHook) -> None:
    fast = Provider.compatible("m", base_url=server.url, retry_backoff=0.001, hooks=Hooks(cache))
    script = {"status": 503, "times": 1, "key": f"cached retry {id(cache)}"}
    names = [[event.type for event in fast.stream("hi", extra_body={"fake": script}).events()] for _ in range(2)]
    assert names[0][0] == "retry"
    assert names[1] == names[0][1:]


def test_what_hooks_further_in_made_of_an_answer_is_kept(provider: Provider, cache: CacheHook) -> None:
    def shout(_: Any, event: events.Event) -> Any:
        return events.TextDelta(event.text + "!") if isinstance(event, events.TextDelta) else None

    def hush(_: Any, event: events.Event) -> Any:
        return DROP if isinstance(event, events.TextDelta) and event.text.startswith(" ") else None

    hooks = Hooks(cache, stream=[(shout, -1), (hush, 1)])
    for _ in range(2):
        stream = provider.stream("one two", hooks=hooks)
        assert (list(stream), stream.result.text) == (["one!"], "one!")
    assert list(provider.stream("one two", hooks=Hooks(cache))) == ["one!", " two!"]


def test_the_answer_of_a_hook_further_in_is_kept(provider: Provider, server: Any, cache: CacheHook) -> None:
    answers = iter(["first", "second"])
    hooks = Hooks(cache, request=[lambda _: Response([Choice(text=next(answers))])])
    assert [provider.generate_text("hi", hooks=hooks) for _ in range(2)] == ["first", "first"]


def test_answers_grow_old(provider: Provider, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    for number, cache in enumerate((CacheHook(ttl=60), CacheHook(tmp_path / "c", ttl=60))):
        for seconds, asked in ((0, 1), (59, 1), (61, 2), (90, 2)):
            now[0] = 1000.0 + seconds
            provider.generate_text("hi", hooks=Hooks(cache))
            assert len(server.requests()) == number * 2 + asked


def test_so_many_answers_are_kept(provider: Provider, server: Any, tmp_path: Path) -> None:
    for cache in (CacheHook(size=2), CacheHook(tmp_path / "c", size=2)):
        for prompt in ("a", "b", "c", "b", "c"):
            provider.generate_text(prompt, hooks=Hooks(cache))
        assert len(cache) == 2
    assert len(server.requests()) == 6
    memory = CacheHook(size=2)
    for prompt in ("a", "b", "a", "c", "a"):
        provider.generate_text(prompt, hooks=Hooks(memory))
    assert len(server.requests()) == 9, "a was used before c came"


def test_map_asks_equal_prompts_once(provider: Provider, server: Any, cache: CacheHook) -> None:
    assert list(provider.map(["a", "b", "a"], concurrency=1, hooks=Hooks(cache))) == ["a", "b", "a"]
    assert len(server.requests()) == 2


def test_a_wrong_request_is_said_to_be_wrong(provider: Provider, cache: CacheHook) -> None:
    with pytest.raises(ConfigurationError, match="temperature") as caught:
        provider.generate("hi", temperature="hot", hooks=Hooks(cache))  # type: ignore[arg-type]
    assert not isinstance(caught.value, HookError)


def test_a_file_that_is_no_cache_is_named(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"something else entirely, and long enough to be read as a header" * 20)
    with pytest.raises(HookError, match="CacheHook failed: DatabaseError: file is not a database") as caught:
        provider.generate("hi", hooks=Hooks(CacheHook(tmp_path / "c")))
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)


def test_wrong_options_are_refused() -> None:
    for options in ({"size": 0}, {"size": 1.5}, {"ttl": -1}, {"ttl": "long"}):
        with pytest.raises(ConfigurationError, match=next(iter(options))):
            CacheHook(**options)


@pytest.mark.parametrize("where", ["memory", "file"])
def test_threads_share_a_cache(where: str, tmp_path: Path) -> None:
    cache = CacheHook(size=5) if where == "memory" else CacheHook(tmp_path / "c", size=5)
    provider = Provider.echo(hooks=Hooks(cache))
    wrong: list[str] = []

    def ask(start: int) -> None:
        for number in range(start, start + 30):
            prompt = f"prompt {number % 8}"
            found = provider.generate_text(prompt) if number % 2 else "".join(provider.stream_text(prompt))
            if found != prompt:
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 1 <= len(cache) <= 5
    assert provider._client is not None
    provider._client.close()


PROGRAM = """
import sys
from pyagent import CacheHook, Hooks, Provider
provider = Provider.echo(hooks=Hooks(CacheHook(sys.argv[1], size=10)))
for number in range(40):
    assert provider.generate_text(f"prompt {number % 13}") == f"prompt {number % 13}"
print("done")
"""


def test_processes_share_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "c")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(3)]
    said = [process.communicate(timeout=100)[0] for process in running]
    assert said == [b"done\n"] * 3
    assert len(CacheHook(tmp_path / "c")) == 10


def test_a_cache_goes_to_another_process(provider: Provider, server: Any, tmp_path: Path) -> None:
    provider.generate("hi", hooks=Hooks(CacheHook(tmp_path / "c")))
    again = pickle.loads(pickle.dumps(CacheHook(tmp_path / "c", size=7, ttl=9, priority=2)))
    assert (len(again), again.priority) == (1, 2)
    assert provider.generate("hi", hooks=Hooks(again)).attempts == 0
