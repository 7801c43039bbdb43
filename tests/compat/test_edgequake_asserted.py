"""What edgequake-litellm's own unit tests hold it to, and what its wheel promised and did not keep, as our cases."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from pyagent import litellm
from pyagent.litellm import exceptions

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello, mock!"}]
TALK = [
    {"role": "system", "content": "You are a sailor."},
    *HELLO,
    {"role": "assistant", "content": "Ahoy."},
    {"role": "user", "content": "Where to?"},
]
TEXTS = ["one", "two words", "and three words"]


@pytest.mark.parametrize(
    ("messages", "options"),
    [
        (HELLO, {}), (HELLO, {"max_tokens": 50}), (HELLO, {"temperature": 0.7}), (HELLO, {"system": "You test."}),
        (TALK, {}), ([], {}), (HELLO, {"application_id": "my-backend", "request_id": "r1"}),
        (HELLO, {"application_context": litellm.ApplicationContext(application_id="a", application_name="A")}),
        (HELLO, {"application_context": litellm.ApplicationContext(application_id="a"), "application_id": "b"}),
    ],
)  # fmt: skip
def test_answers_of_the_mock(messages: list[Any], options: dict[str, Any]) -> None:
    whole: Any = litellm.completion("mock/test-model", messages, **options)
    later: Any = asyncio.run(litellm.acompletion("mock/test-model", messages, **options))
    for answer in (whole, later):
        assert isinstance(answer, litellm.ModelResponseCompat)
        assert answer.content
        assert answer.model == "mock-model"
        assert min(answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) >= 0
        assert (answer.tool_calls, answer.has_tool_calls(), answer.finish_reason) == ([], False, "stop")
        assert answer.cache_hit_tokens is None
        assert answer.thinking_tokens is None
        assert repr(answer).startswith("ModelResponse(")
        assert isinstance(answer.to_dict(), dict)


def test_streams_of_the_mock() -> None:
    async def main() -> None:
        stream = litellm.stream("mock/test-model", HELLO, max_tokens=50, temperature=0.0)
        assert inspect.isasyncgen(stream)
        chunks: list[Any] = [chunk async for chunk in stream]
        assert all(isinstance(chunk, litellm.StreamChunk) for chunk in chunks)
        assert "".join(chunk.content or "" for chunk in chunks) == "Mock response"
        assert [chunk.is_finished for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
        assert {chunk.thinking for chunk in chunks} == {None}
        assert chunks[-1].finish_reason == "stop"

    asyncio.run(main())


def test_vectors_of_the_mock() -> None:
    later = asyncio.run(litellm.aembedding("mock/test-embedding", TEXTS))
    for found in (litellm.embedding("mock/test-embedding", TEXTS), later):
        assert isinstance(found, litellm.EmbeddingResponseCompat)
        assert len(found) == len(found.data) == len(list(found)) == 3
        assert {len(vector) for vector in found} == {len(found[0])}
        assert all(isinstance(number, float) for number in found.data[0].embedding)
        assert isinstance(found.model, str)
    assert len(litellm.embedding("mock/test-embedding", ["alone"])) == 1
    assert litellm.embedding("text-embedding-3-small", "alone", mock_response=[0.5, 1.0])[0] == [0.5, 1.0]
    with pytest.raises(litellm.RateLimitError):
        litellm.embedding("text-embedding-3-small", "alone", mock_response="litellm.RateLimitError")


def test_providers_that_nobody_has() -> None:
    async def read() -> None:
        async for _ in litellm.stream("bad_provider/model", HELLO):
            pass

    for ask in (
        lambda: litellm.completion("bad_provider/model", HELLO),
        lambda: litellm.embedding("bad_provider/model", TEXTS),
        lambda: asyncio.run(litellm.acompletion("bad_provider/model", HELLO)),  # type: ignore[arg-type]
        lambda: asyncio.run(litellm.aembedding("bad_provider/model", TEXTS)),
        lambda: asyncio.run(read()),
    ):
        with pytest.raises(litellm.LiteLLMEdgeError):
            ask()
    with pytest.raises(ValueError, match="Unknown provider"):
        litellm.get_provider_attribution("not-a-real-provider-xyz")


def test_signatures() -> None:
    for name in ("acompletion", "aembedding"):
        assert inspect.iscoroutinefunction(getattr(litellm, name))
    assert inspect.isasyncgenfunction(litellm.stream)
    sync = inspect.signature(litellm.completion).parameters
    assert list(sync) == list(inspect.signature(litellm.acompletion).parameters)
    assert {"model", "messages", "max_tokens", "temperature", "tools"} <= set(sync)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("AuthenticationError", 401), ("RateLimitError", 429), ("ContextWindowExceededError", 400),
        ("ModelNotFoundError", 404), ("NotFoundError", 404), ("Timeout", 408), ("APIConnectionError", 500),
        ("NotImplementedError", 501), ("BadRequestError", 400), ("ServiceUnavailableError", 503),
    ],
)  # fmt: skip
def test_exceptions(name: str, status: int) -> None:
    error = getattr(exceptions, name)("bad key", llm_provider="openai", model="gpt-4o")
    assert isinstance(error, litellm.EdgeQuakeError)
    assert (error.status_code, error.llm_provider, error.model) == (status, "openai", "gpt-4o")
    assert error.message.endswith("bad key")
    assert str(error) == error.message


@pytest.mark.parametrize(
    ("model", "sent", "path"),
    [
        ("openai/gpt-4o", "gpt-4o", "/chat/completions"),
        ("openrouter/meta-llama/llama-3.1-70b", "meta-llama/llama-3.1-70b", "/chat/completions"),
        ("claude/claude-haiku-4-5", "claude-haiku-4-5", "/messages"),
        ("gpt-4o", "gpt-4o", "/chat/completions"),
    ],
)
def test_the_first_slash_parts_provider_and_model(vendor: Any, model: str, sent: str, path: str) -> None:
    litellm.completion(model, HELLO)
    assert vendor.only()["body"]["model"] == sent
    assert vendor.only()["path"].endswith(path)


@pytest.mark.parametrize("provider", ["openai", "openrouter", "anthropic"])
@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"), (401, "AuthenticationError"), (404, "NotFoundError"), (429, "RateLimitError"),
        (500, "InternalServerError"), (503, "ServiceUnavailableError"),
    ],
)  # fmt: skip
def test_a_status_has_its_class_whoever_says_it(vendor: Any, provider: str, status: int, name: str) -> None:
    with pytest.raises(getattr(litellm, name)) as caught:
        litellm.completion(f"{provider}/m", HELLO, num_retries=0, extra_body={"fake": {"status": status}})
    assert caught.value.status_code == status
    assert len(vendor.requests()) == 1


@pytest.mark.parametrize("model", ["openai/m", "openai-compatible/m"])
def test_an_answer_that_was_cut_says_so(vendor: Any, model: str) -> None:
    script = {"text": "so far", "finish_reason": "length"}

    async def main() -> list[Any]:
        return [chunk async for chunk in litellm.stream(
            model, HELLO, api_base=vendor.url, api_key="k", extra_body={"fake": script}
        )]  # fmt: skip

    chunks = asyncio.run(main())
    assert [chunk.finish_reason for chunk in chunks if chunk.is_finished] == ["length"]
    built = litellm.stream_chunk_builder(chunks)
    assert built is not None
    assert (built.choices[0].message.content, built.choices[0].finish_reason) == ("so far", "length")
    assert built.model == "m"


def test_connections_are_kept(vendor: Any) -> None:
    for _ in range(5):
        litellm.completion("openai/m", HELLO)
    assert len({request["connection"] for request in vendor.requests()}) == 1


def test_the_address_of_embeddings(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_COMPATIBLE_BASE_URL", vendor.url)
    monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", "k")
    found = litellm.embedding("openai-compatible/m", TEXTS, dimensions=4)
    assert (len(found[0]), found.usage.prompt_tokens > 0) == (4, True)
    assert vendor.only()["headers"]["authorization"] == "Bearer k"


def test_attribution() -> None:
    levels = litellm.list_provider_attribution()
    assert (levels["openai"], levels["ollama"], levels["anthropic"]) == ("full", "passthrough", "full")
    assert litellm.get_provider_attribution("claude") == "full"
    fields = {
        "application_id": "my-backend", "application_name": "My Service", "application_url": "https://a.example",
        "tenant_id": "t", "request_id": "r", "end_user_id": "u",
    }  # fmt: skip
    context = litellm.ApplicationContext(**fields)
    assert {name: getattr(context, name) for name in fields} == fields
    assert "my-backend" in repr(context)
    headers = {"x-edgequake-app-id": "api", "x-edgequake-request-id": "r1", "traceparent": "00-abc-def-01"}
    ingress = litellm.ApplicationContext.from_headers(headers)
    assert (ingress.application_id, ingress.request_id) == ("api", "r1")
    with pytest.raises(ValueError, match="application_id looks like an API key"):
        litellm.ApplicationContext(application_id="sk-secret123")


def test_the_context_wins(vendor: Any) -> None:
    context = litellm.ApplicationContext(application_id="of the context")
    litellm.completion("openai/m", HELLO, application_context=context, application_id="of the call")
    assert vendor.only()["headers"]["x-edgequake-app-id"] == "of the context"


def test_listing_providers() -> None:
    providers = litellm.list_providers()
    assert {"openai", "anthropic", "gemini", "ollama", "mock"} <= set(providers)
    assert len(providers) == len(set(providers))


def test_defaults_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for set_it, name in (
        (litellm.set_default_provider, "default_provider"),
        (litellm.set_default_model, "default_model"),
    ):
        before = getattr(litellm.get_config(), name)
        set_it("another")
        assert getattr(litellm.get_config(), name) == "another"
        set_it(before)
    from pyagent.litellm import _config

    _config._state.clear()
