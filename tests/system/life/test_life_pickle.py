"""What travels between processes: Providers by their configuration, results by value; streams say why they do not."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import sys
from collections.abc import Callable

import pytest

from pyagent import Limits, Provider, Timeouts, errors, events, options, response
from pyagent._fake import FakeServer
from pyagent._value import Value

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)  # the ones below cannot do __slots__, of whatever class
WAYS: list[Callable[[object], object]] = [copy.copy, copy.deepcopy]
WAYS += [lambda thing, p=protocol: pickle.loads(pickle.dumps(thing, p)) for protocol in PROTOCOLS]
EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids=["copy", "deepcopy", *map(str, PROTOCOLS)])


def all_values() -> list[type[Value]]:
    assert events
    assert options
    assert response
    found = list(Value.__subclasses__())
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if kind._fields]


@EVERY_WAY
def test_values(way):
    kinds = all_values()
    assert {Timeouts, Limits, response.Response, response.Choice, response.ToolCall, response.Usage} <= set(kinds)
    assert {getattr(events, name) for name in events.__all__} - {events.Event} <= set(kinds)
    for kind in kinds:
        value = kind.__new__(kind)
        for name in kind._fields:
            setattr(value, name, [f"the {name}", {"of": kind.__name__}])
        twin = way(value)
        assert type(twin) is kind
        assert twin == value
        assert twin is not value


@EVERY_WAY
def test_errors(way):
    for name in errors.__all__:
        kind = getattr(errors, name)
        if issubclass(kind, errors.ObjectError):
            error = kind("m", text="t", errors=["a: expected a number"], mode="tool", attempts=2)
        else:
            error = kind("m", status_code=429, retry_after=1.5, partial_text="t", response={"id": "1"})
        error.remark = "set by the program"
        twin = way(error)
        assert type(twin) is type(error)
        assert (twin.args, vars(twin), str(twin)) == (error.args, vars(error), str(error))


@EVERY_WAY
def test_what_comes_out_of_a_call(way, scripted):
    provider = Provider.compatible("m", base_url=scripted.url)
    script = {"fake": {"text": "a b", "reasoning": "hm", "tools": [{"name": "f", "arguments": {"x": 1}}]}}
    answer = provider.generate("hi", extra_body=script, include_raw=True)
    stream = provider.stream("hi", extra_body=script)
    seen = list(stream.events())
    for value in (answer, stream.result, answer.tool_calls[0], *seen):
        twin = way(value)
        assert twin == value
        assert repr(twin) == repr(value)


@EVERY_WAY
def test_a_provider_carries_its_configuration_and_its_key(way, scripted):
    provider = Provider(
        "m", api_key="a secret", base_url=scripted.url, provider="openai", timeouts=Timeouts(total=5), max_retries=1,
        extra_headers={"X-Mine": "another secret"}, limits=Limits(body_bytes=100_000),
    )  # fmt: skip
    for original in (provider, provider):  # before its first use, and after it
        twin = way(original)
        assert twin.generate_text("hi") == original.generate_text("hi") == "hi"
        assert twin.__getstate__() == original.__getstate__()
        assert twin._client is not original._client
        for shown in (repr(twin), str(twin), repr(original), f"{original}"):
            assert "secret" not in shown
    seen = [request["headers"] for request in scripted.requests()]
    assert len(seen) == 4
    assert all(headers == seen[0] for headers in seen)


def test_the_key_is_in_the_pickle():
    """As documented: a pickled Provider is as secret as its key."""
    assert b"a secret" in pickle.dumps(Provider("m", api_key="a secret"))


def test_what_is_open_refuses(scripted):
    provider = Provider.compatible("m", base_url=scripted.url)
    stream = provider.stream("hi")
    server = FakeServer()
    things = {
        "A Stream cannot be pickled or copied: it is an open connection. Pickle what has come of it": stream,
        "A Call cannot be pickled or copied: it is open in this process only": stream._call,
        "A Client cannot be pickled or copied": provider._client,
    }
    for said, thing in things.items():
        for way in WAYS:
            with pytest.raises(TypeError, match=said):
                way(thing)
    with pytest.raises(TypeError, match="A Call cannot be pickled"):
        pickle.dumps(server)
    assert pickle.loads(pickle.dumps(stream.result)).text == "hi"
    assert pickle.loads(pickle.dumps(stream.text)) == "hi"
    server.close()


METHODS = [method for method in ("spawn", "forkserver") if method in multiprocessing.get_all_start_methods()]


@pytest.mark.skipif(
    sys.implementation.name == "pypy" and sys.version_info < (3, 10), reason="the pool of PyPy 3.9 starts no workers"
)
@pytest.mark.parametrize("method", METHODS)
def test_workers_of_multiprocessing_get_providers_and_give_answers(run, method):
    """The Provider that the parent has used, its answers and its errors all go through the pool's pipes."""
    run(f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pyagent import RateLimitError
def answer(given, text):
    return given.generate(text)
def fail(given):
    return given.generate_text("x", max_retries=0, **fake(status=429, headers={{"retry-after": "7"}}))
if __name__ == "__main__":
    ask()
    context = multiprocessing.get_context({method!r})
    with context.Pool(2) as pool:
        assert pool.map(provider.generate_text, ["one", "two", "three"]) == ["one", "two", "three"]
    stream = provider.stream("", **SLOW)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        response = pool.submit(answer, provider, "hi").result()
        assert (response.text, response.finish_reason) == ("hi", "stop")
        try:
            pool.submit(fail, provider).result()
        except RateLimitError as error:
            assert (error.status_code, error.retry_after) == (429, 7)
        try:
            pool.submit(answer, stream, "x").result()
        except TypeError as error:
            assert "A Stream cannot be pickled" in str(error)
        else:
            raise AssertionError
    assert len("".join(stream)) == 50
    print("done")
""")
