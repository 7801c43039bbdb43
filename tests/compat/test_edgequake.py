"""edgequake-litellm's names and behaviours, through the drop-in, and what it promised and did not do."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pyagent import litellm
from pyagent.litellm import _config, discovery

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello you"}]
# The names that edgequake_litellm 0.10.4 exports.
ITS_NAMES = """completion acompletion stream embedding aembedding stream_chunk_builder ModelResponse ModelResponseCompat
    StreamChunk StreamChunkCompat EmbeddingResponseCompat ToolCall Usage LiteLLMEdgeError EdgeQuakeError
    AuthenticationError RateLimitError ContextWindowExceededError ModelNotFoundError NotFoundError Timeout
    APIConnectionError APIError set_verbose drop_params LiteLLMEdgeConfig EdgeQuakeConfig get_config
    set_default_provider set_default_model build_options __version__ list_providers detect_provider ApplicationContext
    get_provider_attribution list_provider_attribution discovery"""
ITS_PROVIDERS = """openai anthropic gemini vertexai openrouter xai huggingface openai-compatible ollama lmstudio
    llamacpp mistral azure nvidia cohere mock claude google vertex open-router grok hf compatible lm-studio mistral-ai
    azure-openai nim"""


@pytest.fixture(autouse=True)
def _no_defaults(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("PROVIDER", "MODEL", "TIMEOUT", "MAX_RETRIES", "VERBOSE"):
        monkeypatch.delenv(f"LITELLM_EDGE_{name}", raising=False)
        monkeypatch.delenv(f"EDGEQUAKE_{name}", raising=False)
    _config._state.clear()
    yield
    _config._state.clear()


@pytest.mark.parametrize("name", ITS_NAMES.split())
def test_its_names_are_here(name: str) -> None:
    assert hasattr(litellm, name)


@pytest.mark.parametrize("name", ITS_PROVIDERS.split())
def test_its_providers_are_known(name: str) -> None:
    assert litellm.get_provider_attribution(name) in {"full", "passthrough", "none"}


def test_its_shortcuts(vendor: Any) -> None:
    usage = {
        "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }  # fmt: skip
    script = {"text": "hm", "reasoning": "so", "tools": [{"name": "f", "arguments": {"a": 1}}], "usage": usage}
    answer = litellm.completion("openai/gpt-4o", HELLO, extra_body={"fake": script})
    assert (answer.content, answer.finish_reason, answer.thinking_content) == ("hm", "tool_calls", "so")
    assert (answer.cache_hit_tokens, answer.thinking_tokens, answer.has_tool_calls()) == (2, 3, True)
    assert (answer.usage.cache_read_input_tokens, answer.usage.reasoning_tokens) == (2, 3)
    (call,) = answer.tool_calls
    assert (call.id, call.function_name, call.function_arguments) == ("call_1", "f", '{"a":1}')
    assert answer["choices"][0]["message"]["content"] == "hm"
    assert answer.id.startswith("chatcmpl-fake"), "the vendor's id, which edgequake replaces by one of its own"
    with pytest.raises(KeyError):
        answer["nothing"]


def test_its_stream_comes_while_it_is_made(vendor: Any) -> None:
    async def main() -> list[Any]:
        script = {"pieces": ["a", "b", "c"], "reasoning": "so", "delay": 0.2, "finish_reason": "length"}
        seen, started = [], time.monotonic()
        async for chunk in litellm.stream("openai/gpt-4o", HELLO, extra_body={"fake": script}):
            seen.append((chunk.content, chunk.thinking, chunk.is_finished, chunk.finish_reason))
            if chunk.content == "a":
                assert time.monotonic() - started < 0.75
        return seen

    assert asyncio.run(main()) == [
        (None, "so", False, None), ("a", None, False, None), ("b", None, False, None), ("c", None, False, None),
        (None, None, True, "length"),
    ]  # fmt: skip


def test_its_tool_call_deltas(vendor: Any) -> None:
    async def main() -> list[Any]:
        script = {"text": "", "tools": [{"name": "f", "arguments": {"a": 1}}]}
        chunks = litellm.stream("openai/gpt-4o", HELLO, extra_body={"fake": script})
        return [chunk.tool_call_delta async for chunk in chunks if chunk.tool_call_delta]

    first, second = asyncio.run(main())
    assert (first["id"], first["function"]["name"]) == ("call_1", "f")
    assert second["function"]["arguments"] == '{"a":1}'


def test_the_mock_provider() -> None:
    answer = litellm.completion("mock/any", HELLO)
    assert (answer.content, answer.model) == ("Mock response", "mock-model")


def test_what_it_dropped_is_sent(vendor: Any) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}}}
    litellm.completion(
        "openai-compatible/m", [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}],
        system="Be brief.", seed=7, stop="a", n=2, response_format=schema, api_base=vendor.url, api_key="mine",
    )  # fmt: skip
    request = vendor.only()
    body = request["body"]
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["messages"][1]["content"][1] == image
    assert (body["seed"], body["n"], body["response_format"]) == (7, 2, schema)
    assert "a" in body["stop"]
    assert "prompt_cache_key" not in body
    assert request["headers"]["authorization"] == "Bearer mine"


def test_an_answer_that_is_no_answer_is_asked_for_once(vendor: Any) -> None:
    async def main() -> None:
        script = {"end": "no_done", "pieces": ["a"]}
        chunks = litellm.stream("openai/gpt-4o", HELLO, extra_body={"fake": {**script, "end": "truncate"}})
        with pytest.raises(litellm.LiteLLMEdgeError):
            [chunk async for chunk in chunks]

    asyncio.run(main())
    assert len(vendor.requests()) == 1


def test_other_threads_run_while_one_waits(vendor: Any) -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.wait(0.005):
            ticks += 1

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    litellm.completion("openai/gpt-4o", HELLO, extra_body={"fake": {"header_delay": 0.5}})
    done.set()
    thread.join()
    assert ticks > 10


def test_defaults(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = litellm.get_config()
    assert config == litellm.EdgeQuakeConfig()
    assert (config.default_provider, config.timeout, config.max_retries) == ("openai", 60.0, 3)
    with pytest.raises(litellm.BadRequestError, match="NOT provided"):
        litellm.completion("my-model", HELLO)
    litellm.set_default_provider("anthropic")
    litellm.set_default_model("my-model")
    assert litellm.completion(messages=HELLO).model == "my-model"
    assert vendor.only()["path"].endswith("/messages")
    config.max_retries = 0
    config.timeout = 0.2
    with pytest.raises(litellm.Timeout):
        litellm.completion("openai/m", HELLO, extra_body={"fake": {"header_delay": 5}})
    _config._state.clear()
    monkeypatch.setenv("LITELLM_EDGE_PROVIDER", "openai")
    monkeypatch.setenv("EDGEQUAKE_MAX_RETRIES", "0")
    with pytest.raises(litellm.ServiceUnavailableError):
        litellm.completion("my-model", HELLO, extra_body={"fake": {"status": 503}})
    assert sum(request["body"]["model"] == "my-model" for request in vendor.requests()) == 2


def test_build_options() -> None:
    assert json.loads(litellm.build_options(max_tokens=3, stop=["a"]) or "") == {"max_tokens": 3, "stop": ["a"]}
    assert litellm.build_options() is None


def test_detecting_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE", "MISTRAL", "OPENROUTER", "XAI", "HUGGINGFACE", "NVIDIA"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
    assert litellm.detect_provider() == "mock"
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    assert litellm.detect_provider() == "mistral"
    monkeypatch.setenv("EDGEQUAKE_LLM_PROVIDER", "ollama")
    assert litellm.detect_provider() == "ollama"


def test_attribution(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEQUAKE_APP_NAME", "of the environment")
    litellm.completion(
        "openrouter/m",
        HELLO,
        application_id="app",
        request_id="r",
        application_url="https://a.example",
        end_user_id="u7",
    )
    request = vendor.requests()[-1]
    wanted = {
        "x-edgequake-app-id": "app",
        "x-client-request-id": "r",
        "x-edgequake-app-name": "of the environment",
        "http-referer": "https://a.example",
        "x-title": "of the environment",
    }
    assert wanted.items() <= request["headers"].items()
    assert request["body"]["user"] == "u7"
    context = litellm.ApplicationContext.from_headers({"X-EdgeQuake-Tenant-Id": "t", "x-edgequake-app-id": "b"})
    assert (context.tenant_id, context.application_id, context.request_id) == ("t", "b", None)
    litellm.completion("openai/m", HELLO, application_context=context)
    assert vendor.requests()[-1]["headers"]["x-edgequake-tenant-id"] == "t"
    assert litellm.ApplicationContext.from_env().application_name == "of the environment"
    with pytest.raises(ValueError, match="Unknown provider"):
        litellm.get_provider_attribution("nope")
    with pytest.raises(litellm.BadRequestError, match="application_context"):
        litellm.completion("openai/m", HELLO, application_context="me")


def test_discovery_offline() -> None:
    models = discovery.find_static_models()
    assert {"openai", "anthropic"} <= {model.provider for model in models} == set(discovery.list_discovery_providers())
    model = discovery.get_model("openai", "gpt-4o")
    assert model is not None
    assert (model.context_length, model.supports_vision, model.cost_per_m_input) == (128000, True, 2.5)
    assert discovery.get_model("openai", "nope") is None
    assert discovery.get_model_info("openai/gpt-4o") == model.to_dict() == discovery.get_model_info("gpt-4o")
    assert discovery.get_model_info("openai/nope") is None
    assert discovery.lookup_model_by_name("openai", "GPT 4o").id == "gpt-4o"  # type: ignore[union-attr]
    assert discovery.lookup_model_by_name("openai", "nope") is None
    assert asyncio.run(discovery.aget_model("openai", "gpt-4o")).id == "gpt-4o"  # type: ignore[union-attr]


def test_filters() -> None:
    seeing = discovery.find_static_models(requires_vision=True, provider="claude", min_context_length=200_000)
    assert seeing
    assert all(model.supports_vision and model.provider == "anthropic" for model in seeing)
    cheap = discovery.find_static_models(max_cost_per_m_input=1.0, requires_tools=True, exclude_deprecated=True)
    assert cheap
    assert all(model.cost_per_m_input is not None and model.cost_per_m_input <= 1.0 for model in cheap)
    assert discovery.find_static_models(min_output_tokens=10**9) == []
    with pytest.raises(TypeError, match="requires_wings"):
        discovery.find_static_models(requires_wings=True)


def test_searching() -> None:
    (best, *_) = discovery.search_static_models_by_name("gpt-4o")
    assert (best.model.id, best.score, best.match_kind) == ("gpt-4o", 1.0, "exact_id")
    found = discovery.search_static_models_by_name("claude sonet", fuzzy=True, limit=3)
    assert found
    assert all("sonnet" in match.model.id and match.match_kind == "fuzzy" for match in found)
    assert discovery.search_static_models_by_name("claude sonet") == []
    assert discovery.search_static_models_by_name("claude sonet", fuzzy=True, min_score=0.999) == []
    assert {match.match_kind for match in discovery.search_static_models_by_name("haiku")} == {"contains"}


def test_vendors_own_lists(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENROUTER", "ANTHROPIC"):
        monkeypatch.delenv(f"{name}_API_KEY")
    listed = discovery.discover_provider("openai")
    assert listed
    assert {model.source for model in listed} == {"api"}
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert {model.source for model in discovery.discover_provider("openai")} == {"static_registry"}
    everything = discovery.discover_all()
    assert [model.id for model in asyncio.run(discovery.adiscover_all())] == [model.id for model in everything]
    assert discovery.search_models("gpt-4o", limit=1)[0].model.id == "gpt-4o"
    assert asyncio.run(discovery.asearch_models("gpt-4o", limit=1))[0].model.id == "gpt-4o"
    with pytest.raises(ValueError, match="Unknown provider"):
        discovery.discover_provider("nope")
    assert {"provider_id": "openai", "strategy": "hybrid"} in discovery.discovery_info()
