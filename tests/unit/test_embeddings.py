"""Embeddings, lists of models and counts of tokens, from threads and from event loops."""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
from array import array
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pyagent import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    Embeddings,
    LimitExceededError,
    ModelInfo,
    Provider,
    RateLimitError,
    UnsupportedFeatureError,
    Usage,
)
from pyagent.models import _FEATURES

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


def numbers(*vectors: list[float]) -> bytes:
    made = array("f", [number for vector in vectors for number in vector])
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()


def test_one_text(echo: Provider) -> None:
    found = echo.embed("a cat")
    assert (len(found), found.dimensions, found.model, found.provider) == (1, 16, "echo", "echo")
    assert (found.usage.prompt_tokens, found.attempts, found.warnings, found.retries) == (2, 1, [], [])
    assert sum(number * number for number in found[0]) == pytest.approx(1, abs=1e-5)


def test_many_texts_come_in_their_order(echo: Provider) -> None:
    texts = [f"text {number}" for number in range(350)]
    found = echo.embed(texts)
    assert (len(found), found.attempts, found.usage.prompt_tokens) == (350, 4, 700)
    for number in (0, 99, 100, 349):
        assert found[number] == echo.embed(texts[number])[0]


def test_options_reach_the_vendor(provider: Provider, server: Any) -> None:
    found = provider.embed(
        ("a", "b"), dimensions=3, user="u", model="m2", extra_body={"x": 1}, extra_headers={"X-A": "b"}, api_key="k"
    )
    request = server.only()
    assert request["path"] == "/v1/embeddings"
    body = json.loads(request["body"]) if isinstance(request["body"], str) else request["body"]
    assert {**body, "encoding_format": None} == {
        "model": "m2", "input": ["a", "b"], "dimensions": 3, "user": "u", "x": 1, "encoding_format": None,
    }  # fmt: skip
    assert (request["headers"]["x-a"], request["headers"]["authorization"]) == ("b", "Bearer k")
    assert (len(found), found.dimensions, found.model) == (2, 3, "m2")


@pytest.mark.parametrize("given", [[1, 2, 3], [[1, 2], [3]]], ids=["token ids", "lists of them"])
def test_token_ids(echo: Provider, given: list[Any]) -> None:
    assert len(echo.embed(given)) == (1 if given[0] == 1 else 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input": 5}, "input must be a string, or a list of strings, got 5"),
        ({"input": b"a"}, "input must be a string, or a list of strings"),
        ({"input": ["a", None]}, r"input\[1\] must be a string, got None"),
        ({"input": []}, "input is empty"),
        ({"input": ""}, r"input\[0\] is an empty text"),
        ({"input": "a", "dimensions": 0}, "dimensions must be 1 or more"),
        ({"input": "a", "dimensions": "3"}, "dimensions must be a whole number"),
        ({"input": "a", "timeout": -1}, "timeout must be a number of seconds"),
        ({"input": "a\ud800"}, "half a character"),
    ],
)
def test_wrong_arguments(echo: Provider, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        echo.embed(**arguments)


def test_failures_are_those_of_chats(provider: Provider, script: Any) -> None:
    with pytest.raises(AuthenticationError):
        provider.embed("a", extra_body=script(status=401))
    with pytest.raises(RateLimitError) as caught:
        provider.embed("a", extra_body=script(status=429), max_retries=0)
    assert (caught.value.provider, caught.value.model, caught.value.attempts) == ("compatible", "m", 1)
    with pytest.raises(APITimeoutError):
        provider.embed("a", extra_body=script(header_delay=30), timeout=0.05)
    with pytest.raises(BadRequestError, match="dimensions"):
        provider.embed("a", dimensions=9999)
    from pyagent import Limits

    with pytest.raises(LimitExceededError):
        provider.embed("a", limits=Limits(body_bytes=10))


def test_a_retry_is_counted(provider: Provider, script: Any) -> None:
    found = provider.embed("a", extra_body=script(status=503, key="embeddings retry", times=1))
    assert (found.attempts, [past["status_code"] for past in found.retries]) == (2, [503])


def test_a_sequence_of_lists() -> None:
    found = Embeddings(numbers([1, 2], [3, 4], [5, 6]), 2, model="m")
    assert found.vectors == list(found) == [[1, 2], [3, 4], [5, 6]]
    assert (found[-1], found[1:], found[5:], len(found)) == ([5, 6], [[3, 4], [5, 6]], [], 3)
    assert [3.0, 4.0] in found
    with pytest.raises(IndexError, match="There are 3 embeddings"):
        found[3]
    with pytest.raises(IndexError):
        found[-4]
    assert repr(found).startswith("Embeddings(3 of 2 dimensions, model='m', usage=Usage(")
    flat = json.loads(json.dumps(found.to_dict()))
    assert (flat["vectors"], flat["dimensions"], flat["model"]) == (found.vectors, 2, "m")
    assert "data" not in flat


def test_the_numbers_are_shared() -> None:
    found = Embeddings(numbers([1, 2], [3, 4]), 2)
    view = found.buffer
    assert (view.shape, view.format, view.readonly, view.tolist()) == ((2, 2), "f", True, [[1, 2], [3, 4]])
    if sys.version_info >= (3, 12):
        assert memoryview(found).tolist() == view.tolist()  # type: ignore[arg-type, unused-ignore]
    if sys.byteorder == "little":
        assert found.buffer.obj is found.data


def test_numpy_copies_nothing() -> None:
    numpy = pytest.importorskip("numpy", reason="pip install numpy")
    found = Embeddings(numbers([1, 2], [3, 4], [5, 6]), 2)
    rows = numpy.asarray(found)
    assert (rows.dtype, rows.shape, rows.tolist()) == (numpy.float32, (3, 2), found.vectors)
    assert numpy.shares_memory(rows, numpy.frombuffer(found.data, numpy.float32))


def test_the_interface_that_numpy_reads() -> None:
    found = Embeddings(numbers([1, 2], [3, 4]), 2)
    interface = found.__array_interface__
    assert (interface["shape"], interface["typestr"]) == ((2, 2), "<f4")
    assert interface["data"] is found.data


def test_embeddings_pickle_and_compare() -> None:
    found = Embeddings(numbers([1, 2]), 2, usage=Usage(prompt_tokens=1), model="m")
    copy = pickle.loads(pickle.dumps(found))
    assert copy == found
    assert copy.vectors == [[1, 2]]
    assert found != Embeddings(numbers([1, 3]), 2, usage=Usage(prompt_tokens=1), model="m")


def test_coroutines(run: Run, echo: Provider) -> None:
    async def main() -> None:
        found = await echo.aembed([f"text {number}" for number in range(150)])
        assert (len(found), found.attempts) == (150, 2)
        assert [model.id for model in await echo.alist_models()] == ["echo"]
        with pytest.raises(UnsupportedFeatureError):
            await echo.acount_tokens("a")

    run(main)


def test_threads(echo: Provider) -> None:
    found: dict[int, Embeddings] = {}

    def work(number: int) -> None:
        found[number] = echo.embed([f"{number} {part}" for part in range(120)])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: len(vectors) for number, vectors in found.items()} == dict.fromkeys(range(8), 120)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process(echo: Provider) -> None:
    expected = echo.embed("a cat").data
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if echo.embed("a cat").data == expected else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_list_models(echo: Provider, provider: Provider, server: Any) -> None:
    (model,) = echo.list_models()
    assert (str(model), model.id, model.owner, model.created) == ("echo", "echo", "fake", 1700000000)
    assert (model.name, model.context_tokens, model.capabilities, model.deprecated) == (None, None, [], False)
    assert pickle.loads(pickle.dumps(model)) == model
    provider.list_models(extra_headers={"X-A": "b"}, api_key="k")
    request = server.only()
    assert (request["method"], request["path"], request["headers"]["x-a"]) == ("GET", "/v1/models", "b")


def test_a_model_as_a_dict() -> None:
    assert ModelInfo("m", owner="o").to_dict() == {
        "id": "m", "owner": "o", "capabilities": [], "aliases": [], "deprecated": False,
    }  # fmt: skip


class Counting(BaseHTTPRequestHandler):
    """A vendor that counts tokens, whichever of them it is."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, body))  # type: ignore[attr-defined]
        content = json.dumps({"input_tokens": 7, "totalTokens": 7}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keeps the output of the tests clean."""


@pytest.fixture
def counting() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        server.seen = []  # type: ignore[attr-defined]
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_count_tokens(counting: Any, run: Run) -> None:
    address = f"http://127.0.0.1:{counting.server_port}"
    provider = Provider.gemini("gemini-2.5-flash", base_url=f"{address}/v1beta", api_key="k")
    assert provider.count_tokens("How long is this?", system_prompt="Count.") == 7
    (path, body) = counting.seen[0]
    assert path == "/v1beta/models/gemini-2.5-flash:countTokens"
    assert "How long is this?" in json.dumps(body)

    async def main() -> None:
        assert await provider.acount_tokens(messages=[{"role": "user", "content": "a"}]) == 7

    run(main)
    if provider._client is not None:
        provider._client.close()


def test_count_tokens_says_who_does_not(echo: Provider) -> None:
    with pytest.raises(UnsupportedFeatureError, match='echo has no operation "count"'):
        echo.count_tokens("a")
    with pytest.raises(ConfigurationError, match="Neither prompt nor messages"):
        echo.count_tokens()


def test_capabilities_of_models() -> None:
    known = Provider.openai("gpt-3.5-turbo-0125", api_key="k").capabilities
    assert (known.provider, known.model) == ("openai", "gpt-3.5-turbo-0125")
    assert (known.chat, known.tools, known.images, known.reasoning, known.files) == (True, True, False, False, None)
    assert (known.context_tokens, known.output_tokens) == (16385, 4096)
    assert known.allows("tools")
    assert known.allows("files")
    assert not known.allows("images")
    assert str(known.source).startswith("https://")
    with pytest.raises(ConfigurationError, match="'sight' is no feature"):
        known.allows("sight")
    assert pickle.loads(pickle.dumps(known)) == known


@pytest.mark.parametrize(
    "provider",
    [
        Provider("m", api_key="k"),
        Provider.openai("gpt-4o-audio-preview", api_key="k"),
        Provider.openai("gpt-3.5-turbo-16k", api_key="k"),
        Provider("gpt-4o", provider={"name": "mine", "base_url": "http://h/v1"}),
    ],
    ids=lambda provider: repr(provider.capabilities.model),
)
def test_nothing_is_known_of_other_models(provider: Provider) -> None:
    known = provider.capabilities
    assert {getattr(known, feature) for feature in _FEATURES} == {None}
    assert (known.context_tokens, known.output_tokens, known.source) == (None, None, None)
    assert all(known.allows(feature) for feature in _FEATURES)


def test_what_a_model_lacks_is_refused_before_anything_is_sent(server: Any) -> None:
    provider = Provider.openai("gpt-3.5-turbo", base_url=server.url, api_key="k")
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://h/a.png"}}]}]
    with pytest.raises(UnsupportedFeatureError, match=r'gpt-3\.5-turbo of openai lacks "images".*allow_unsupported'):
        provider.generate(messages=picture)
    with pytest.raises(UnsupportedFeatureError, match='lacks "embeddings"'):
        provider.embed("a")
    assert server.requests() == []
    provider.generate(messages=picture, allow_unsupported=True)
    assert server.only()["path"] == "/v1/chat/completions"
    if provider._client is not None:
        provider._client.close()


def test_the_words_for_features_are_the_cores(root: Any) -> None:
    text = (root / "core" / "provider" / "features.go").read_text(encoding="utf-8")
    start = text.index("func Features()")
    listed = text[start : text.index("\n}\n", start)]
    assert listed.split('"')[1::2] == list(_FEATURES)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ([3.0, 4.0], [6.0, 8.0], 1.0),
        ([3.0, 4.0], [-3.0, -4.0], -1.0),
        ([1.0, 0.0], [0.0, 5.0], 0.0),
        ([1.0, 0.0], [1.0, 1.0], 0.5**0.5),
        ([0.0, 0.0], [1.0, 1.0], 0.0),
        ([0.1] * 7, [0.1] * 7, 1.0),
    ],
)
def test_how_alike_two_vectors_are(one: list[float], other: list[float], likeness: float) -> None:
    found = Embeddings.cosine_similarity(one, other)
    assert found == pytest.approx(likeness)
    assert -1 <= found <= 1


def test_vectors_of_different_models_are_not_compared() -> None:
    with pytest.raises(ConfigurationError, match="other has 3 numbers, and one has 2"):
        Embeddings.cosine_similarity([1.0, 2.0], [1.0, 2.0, 3.0])
