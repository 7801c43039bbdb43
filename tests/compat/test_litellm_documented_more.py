"""The same for the guides beside completion(): embeddings, batches, mocks, tokens and costs, callbacks, vendors' pages,
the Router; and what the guides have that is not here, which must say so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyagent import litellm

pytestmark = pytest.mark.timeout(60)

ASK = [{"role": "user", "content": "Which town is it?"}]


def fake(**script: Any) -> dict[str, Any]:
    return {"extra_body": {"fake": script}}


def text(answer: Any) -> str:
    found: str = answer.choices[0].message.content
    return found


# Embeddings, text completions, batches, mocks


def test_embeddings(vendor: Any) -> None:
    answer = litellm.embedding(model="text-embedding-3-small", input=["good morning", "good night"])
    assert [one["index"] for one in answer.data] == [0, 1]
    assert isinstance(answer["data"][0]["embedding"][0], float)
    assert answer.usage.prompt_tokens == answer["usage"]["total_tokens"] == 4
    again = asyncio.run(litellm.aembedding("text-embedding-3-small", input=["good morning"]))
    assert again.data[0]["embedding"] == answer.data[0]["embedding"]


def test_text_completion(vendor: Any) -> None:
    answer = litellm.text_completion(model="gpt-3.5-turbo-instruct", prompt="Say it", max_tokens=5)
    assert answer["choices"][0]["text"] == "Say it"


def test_many_conversations_with_one_model(vendor: Any) -> None:
    answers = litellm.batch_completion(
        model="claude-haiku-4-5",
        messages=[[{"role": "user", "content": "good morning"}], [{"role": "user", "content": "what time is it"}]],
    )
    assert [text(answer) for answer in answers] == ["good morning", "what time is it"]


def test_the_quickest_of_many_models(vendor: Any) -> None:
    answer = litellm.batch_completion_models(models=["nobody-s", "openai/quick"], messages=ASK)
    assert answer.model == "quick"


def test_the_answers_of_many_models(vendor: Any) -> None:
    models = ["gpt-4o-mini", "claude-haiku-4-5", "openrouter/m"]
    answers = litellm.batch_completion_models_all_responses(models=models, messages=ASK)
    assert [answer.model for answer in answers] == ["gpt-4o-mini", "claude-haiku-4-5", "m"]


def test_mocks(vendor: Any) -> None:
    answer = litellm.completion("gpt-4o", ASK, mock_response="It is Rome")
    assert answer["choices"][0]["message"]["content"] == "It is Rome"
    said = ""
    for chunk in litellm.completion("gpt-4o", ASK, mock_response="It is Rome", stream=True):
        said += chunk["choices"][0]["delta"]["content"] or ""
    assert said == "It is Rome"
    with pytest.raises(litellm.RateLimitError):
        litellm.completion("gpt-4o", ASK, mock_response=litellm.RateLimitError("busy", "openai", "gpt-4o"))
    assert vendor.requests() == []


# Tokens and costs


def test_the_cost_of_an_answer(vendor: Any) -> None:
    answer = litellm.completion("gpt-4o", ASK)
    cost = litellm.completion_cost(completion_response=answer)
    assert answer._hidden_params["response_cost"] == pytest.approx(cost)
    prompt, said = litellm.cost_per_token(
        model="gpt-4o", prompt_tokens=answer.usage.prompt_tokens, completion_tokens=answer.usage.completion_tokens
    )
    assert cost == pytest.approx(prompt + said)
    assert cost > 0


def test_the_cost_of_a_mock(vendor: Any) -> None:
    answer = litellm.completion("gpt-4o", ASK, mock_response="It is Rome")
    assert answer._hidden_params["response_cost"] > 0


def test_prices_of_one_s_own(vendor: Any) -> None:
    with pytest.raises(ValueError, match="read the JSON first"):
        litellm.register_model("https://prices.example/all.json")  # type: ignore[arg-type]
    litellm.register_model({
        "mine-1": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "litellm_provider": "openai"}
    })  # fmt: skip
    assert litellm.cost_per_token(model="openai/mine-1", prompt_tokens=10, completion_tokens=10) == (
        pytest.approx(1e-5), pytest.approx(2e-5),
    )  # fmt: skip
    answer = litellm.completion("openai/mine-2", ASK, input_cost_per_token=1.0, output_cost_per_token=2.0)
    assert answer._hidden_params["response_cost"] == pytest.approx(4 + 8)


def test_tokens() -> None:
    assert litellm.get_max_tokens("gpt-4o") == 16384

    class Words:
        def encode(self, said: str) -> list[str]:
            return said.split()

        def decode(self, tokens: list[str]) -> str:
            return " ".join(tokens)

    words: Any = Words()
    tokens = litellm.encode(model="gpt-4o", text="so it is", custom_tokenizer=words)
    assert litellm.decode(model="gpt-4o", tokens=tokens, custom_tokenizer=words) == "so it is"
    assert litellm.token_counter(model="gpt-4o", text="so it is", custom_tokenizer=words) == 3


def test_the_largest_answer() -> None:
    assert litellm.get_max_tokens("gpt-4o") == 16384
    assert litellm.get_model_info("gpt-4o")["input_cost_per_token"] == pytest.approx(2.5e-6)


# Callbacks and debugging


class Handler(litellm.CustomLogger):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        self.heard.append("before")

    def log_post_api_call(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.heard.append("after")

    def log_success_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.heard.append("success")

    def log_failure_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.heard.append("failure")

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.heard.append(f"later success {text(response_obj)}")

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.heard.append(f"later failure {kwargs['exception'].status_code}")


def test_a_handler(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = Handler()
    monkeypatch.setattr(litellm, "callbacks", [handler])
    for _ in litellm.completion("gpt-4o", ASK, stream=True):
        pass

    async def main() -> None:
        stream: Any = await litellm.acompletion("gpt-4o", ASK, stream=True)
        async for _ in stream:
            pass
        await asyncio.sleep(0.01)
        with pytest.raises(litellm.AuthenticationError):
            await litellm.acompletion("gpt-4o", ASK, **fake(status=401))
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert handler.heard == [
        "before", "after", "success",
        "before", "after", "later success Which town is it?",
        "before", "after", "later failure 401",
    ]  # fmt: skip


def test_functions_that_are_told_of_success(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    def track(kwargs: dict[str, Any], completion_response: Any, start_time: Any, end_time: Any) -> None:
        told.append({**kwargs, "seconds": (end_time - start_time).total_seconds(), "answer": completion_response})

    monkeypatch.setattr(litellm, "success_callback", [track])
    litellm.completion("gpt-4o", ASK, metadata={"hello": "world"}, temperature=0.5)
    list(litellm.completion("gpt-4o", ASK, stream=True))
    first, second = told
    assert (first["model"], first["messages"], first["optional_params"]["temperature"]) == ("gpt-4o", ASK, 0.5)
    assert first["litellm_params"]["metadata"] == {"hello": "world"}
    assert (first["response_cost"] > 0, first["cache_hit"]) == (True, False)
    assert "complete_streaming_response" not in first
    assert text(second["complete_streaming_response"]) == text(second["answer"]) == "Which town is it?"


def test_functions_that_are_told_of_failure(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(litellm, "failure_callback", [lambda kwargs, answer, start, end: told.append(kwargs)])
    with pytest.raises(litellm.BadRequestError):
        litellm.completion("gpt-4o", ASK, **fake(status=400))
    assert isinstance(told[0]["exception"], litellm.BadRequestError)
    assert "BadRequestError" in told[0]["traceback_exception"]


def test_functions_that_are_told_what_is_asked(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(litellm, "input_callback", [told.append])
    litellm.completion("gpt-4o", ASK, temperature=0.5)
    asked = told[0]["additional_args"]["complete_input_dict"]
    assert (asked["model"], asked["messages"], asked["temperature"]) == ("gpt-4o", ASK, 0.5)
    assert told[0]["input"] == ASK


def test_debugging(vendor: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[dict[str, Any]] = []
    litellm.completion("gpt-4o", ASK, logger_fn=told.append, api_key="secret")
    assert {one["log_event_type"] for one in told} == {"pre_api_call", "successful_api_call"}
    monkeypatch.setattr(litellm, "set_verbose", False)
    litellm._turn_on_debug()
    litellm.completion("gpt-4o", ASK, api_key="secret")
    shown = capsys.readouterr().err
    assert "gpt-4o" in shown
    assert "secret" not in shown + repr(told)


# Vendors' pages


@pytest.mark.parametrize(
    ("model", "path", "more"),
    [
        ("openai/own-model", "/chat/completions", {"api_key": "k"}),
        ("hosted_vllm/facebook/opt-125m", "/chat/completions", {}),
        ("ollama/llama3", "/api/chat", {}),
        ("ollama_chat/llama3", "/api/chat", {}),
        ("lm_studio/any", "/chat/completions", {}),
        ("custom_openai/any", "/chat/completions", {"api_key": "k"}),
        ("litellm_proxy/any", "/chat/completions", {"api_key": "k"}),
    ],
)
def test_an_address_of_one_s_own(vendor: Any, model: str, path: str, more: dict[str, Any]) -> None:
    base = vendor.url.removesuffix("/v1") if model.startswith("ollama") else vendor.url
    answer = litellm.completion(model=model, messages=ASK, api_base=base, **more)
    assert text(answer) == "Which town is it?"
    assert vendor.only()["path"].endswith(path)
    assert vendor.only()["body"]["model"] == model.partition("/")[2]


def test_azure(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base = vendor.url.removesuffix("/v1")
    for name, value in (("AZURE_API_KEY", "k"), ("AZURE_API_BASE", base), ("AZURE_API_VERSION", "2024-10-21")):
        monkeypatch.setenv(name, value)
    assert litellm.validate_environment("azure/mine") == {"keys_in_environment": True, "missing_keys": []}
    litellm.completion("azure/mine", ASK)
    litellm.completion("azure/mine", ASK, api_key="other", api_base=base, api_version="2024-06-01")
    first, second = vendor.requests()
    assert first["path"].startswith("/openai/deployments/mine/chat/completions")
    assert "2024-10-21" in first["path"]
    assert "2024-06-01" in second["path"]
    assert second["headers"]["api-key"] == "other"


def test_openrouter(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_BASE", vendor.url)
    monkeypatch.setenv("OR_SITE_URL", "https://site.example")
    monkeypatch.setenv("OR_APP_NAME", "App")
    litellm.completion("openrouter/google/palm", ASK, transforms=[""], route="fallback")
    request = vendor.only()
    assert (request["body"]["transforms"], request["body"]["route"]) == ([""], "fallback")
    assert request["body"]["model"] == "google/palm"
    assert (request["headers"]["http-referer"], request["headers"]["x-title"]) == ("https://site.example", "App")


def test_headers_organizations_and_names_of_providers(vendor: Any) -> None:
    litellm.completion("m", ASK, custom_llm_provider="openai", organization="org-1", extra_headers={"X-Mine": "1"})
    request = vendor.only()
    assert (request["headers"]["openai-organization"], request["headers"]["x-mine"]) == ("org-1", "1")


def test_names_for_models(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "model_alias_map", {"best": "openai/gpt-4o"})
    assert litellm.completion("best", ASK).model == "gpt-4o"


def test_what_is_missing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    missing = {"keys_in_environment": False, "missing_keys": ["OPENAI_API_KEY"]}
    assert litellm.validate_environment(model="openai/gpt-4o") == missing


# Router


def test_a_router(vendor: Any, deploy: Any) -> None:
    router = litellm.Router(
        model_list=[deploy("small", "one"), deploy("small", "two"), deploy("large", "three")],
        fallbacks=[{"large": ["small"]}], num_retries=1, timeout=10, set_verbose=False,
    )  # fmt: skip

    async def main() -> list[Any]:
        stream: Any = await router.acompletion(model="small", messages=ASK, stream=True)
        said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        answers = await asyncio.gather(*(router.acompletion(model="small", messages=ASK) for _ in range(12)))
        return [said, *answers]

    said, *answers = asyncio.run(main())
    assert said == "Which town is it?"
    assert {answer._hidden_params["model_id"] for answer in answers} == {"one", "two"}
    assert router.completion(model="large", messages=ASK).model == "three"
    found = router.completion(model="large", messages=ASK, mock_testing_fallbacks=True)
    assert found.model in {"one", "two"}
    assert len(router.embedding(model="small", input=["a"]).data) == 1


@pytest.mark.parametrize(
    "strategy",
    ["simple-shuffle", "least-busy", "latency-based-routing", "cost-based-routing", "usage-based-routing-v2"],
)
def test_the_strategies_of_a_router(vendor: Any, deploy: Any, strategy: str) -> None:
    beside = {**deploy("small", "two"), "rpm": 10, "tpm": 100000}
    router = litellm.Router(
        model_list=[deploy("small", "one", rpm=900, tpm=100000), beside],
        routing_strategy=strategy,
    )
    assert router.completion("small", ASK).model in {"one", "two"}
    assert [one["litellm_params"]["rpm"] for one in router.model_list] == [900, 10]
    with pytest.raises(litellm.UnsupportedParamsError, match="give timeout"):
        litellm.Router(model_list=[deploy("small", "one", request_timeout=3)])


def test_a_deployment_that_fails_rests(vendor: Any, deploy: Any) -> None:
    router = litellm.Router(
        model_list=[deploy("small", "bad", {"status": 500}, order=1), deploy("small", "good", order=2)],
        allowed_fails=1, cooldown_time=100, num_retries=2,
    )  # fmt: skip
    assert [router.completion("small", ASK).model for _ in range(4)] == ["good"] * 4
    asked = [request["body"]["model"] for request in vendor.requests()]
    assert asked.count("bad") <= 2


# What is not here


@pytest.mark.parametrize(
    "name",
    [
        "BudgetManager", "Cache", "enable_cache", "model_cost", "model_list", "image_generation", "transcription",
        "speech", "moderation", "rerank", "responses", "create_file", "create_batch", "create_tokenizer",
        "create_pretrained_tokenizer", "OpenAIConfig", "get_valid_models", "check_valid_key", "CustomLLM",
        "Assistants", "register_prompt_template", "async_token_counter", "supports_prompt_caching",
    ],
)  # fmt: skip
def test_names_that_are_not_here_say_so(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"'{name}'.*docs/litellm\.md"):
        getattr(litellm, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cache", {"type": "local"}), ("max_budget", 0.1), ("ssl_verify", False), ("client_session", object()),
        ("enable_json_schema_validation", True), ("custom_provider_map", [{}]), ("success_callbacks", [print]),
        ("turn_off_message_logging", True), ("aclient_session", object()),
    ],
)  # fmt: skip
def test_settings_that_are_not_here_are_refused(name: str, value: Any) -> None:
    with pytest.raises(AttributeError, match=rf"{name}.*docs/litellm\.md"):
        setattr(litellm, name, value)


def test_settings_that_only_turn_off_what_is_not_here(vendor: Any) -> None:
    for name, value in (("telemetry", False), ("suppress_debug_info", True), ("cache", None), ("max_budget", 0)):
        setattr(litellm, name, value)
        delattr(litellm, name)
    litellm.perplexity_key = "k"
    assert litellm.perplexity_key == "k"
    del litellm.perplexity_key


def test_arguments_that_are_not_here_are_refused(vendor: Any) -> None:
    for refused in ({"caching": True}, {"guardrails": ["a"]}, {"max_budget": 1.0}):
        with pytest.raises(litellm.UnsupportedParamsError, match=next(iter(refused))):
            litellm.completion("gpt-4o", ASK, **refused)
    assert vendor.requests() == []
    assert text(litellm.completion("gpt-4o", ASK, caching=False)) == "Which town is it?"
