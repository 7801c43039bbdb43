"""Names of litellm that few call: keys of the module, settings, arguments about a call, classes of answers."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import pytest

from pyagent import litellm
from pyagent.litellm import discovery

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello you"}]


def ask(model: str = "openai/m", **more: Any) -> Any:
    return litellm.completion(model, HELLO, **more)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai_key", "openai/m"), ("anthropic_key", "anthropic/claude-haiku-4-5"), ("openrouter_key", "openrouter/m"),
        ("groq_key", "groq/m"), ("huggingface_key", "huggingface/m"), ("togetherai_api_key", "together_ai/m"),
        ("azure_key", "azure/m"), ("mistral_key", "mistral/m"), ("deepinfra_key", "deepinfra/m"),
    ],
)  # fmt: skip
def test_keys_of_the_module(vendor: Any, monkeypatch: pytest.MonkeyPatch, name: str, model: str) -> None:
    monkeypatch.setattr(litellm, name, "of-the-module", raising=False)
    ask(model, api_base=vendor.url, **({"api_version": "2024-10-21"} if name == "azure_key" else {}))
    headers = vendor.only()["headers"]
    assert "of-the-module" in " ".join(headers.get(one, "") for one in ("authorization", "x-api-key", "api-key"))


def test_request_timeout(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "request_timeout", 0.2)
    for stream in (False, True):
        with pytest.raises(litellm.Timeout):
            ask(extra_body={"fake": {"header_delay": 5}}, num_retries=0, stream=stream)
    assert ask(extra_body={"fake": {"header_delay": 0.4}}, timeout=10).content == "Hello you"


def test_input_callbacks_and_ids(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(litellm, "input_callback", [heard.append])
    monkeypatch.setattr(litellm, "success_callback", [lambda kwargs, *_: heard.append(kwargs)])
    answer = ask(litellm_call_id="c", litellm_trace_id="t", litellm_metadata={"a": 1}, metadata={"b": 2})
    assert answer._hidden_params["litellm_call_id"] == "c"
    assert [(one["litellm_call_id"], one["litellm_trace_id"]) for one in heard] == [("c", "t"), ("c", "t")]
    assert heard[0]["litellm_params"]["metadata"] == {"a": 1, "b": 2}
    assert set(vendor.only()["body"]) == {"model", "messages"}


def test_the_deployment_of_azure(vendor: Any) -> None:
    base = vendor.url.removesuffix("/v1")
    ask("azure/gpt-4o", api_base=base, api_key="k", api_version="2024-10-21", deployment_id="mine")
    assert "/mine/" in vendor.only()["path"]


def test_the_price_of_a_base_model(vendor: Any) -> None:
    assert ask("openai/nobody-knows-it")._hidden_params["response_cost"] is None
    for base in ("gpt-4o", "openai/gpt-4o", "azure/gpt-4o"):
        cost = ask("openai/nobody-knows-it", base_model=base)._hidden_params["response_cost"]
        assert cost == pytest.approx(2 * 2.5e-6 + 2 * 10e-6)
    params = {"model": "openai/nobody-knows-it", "api_base": vendor.url, "api_key": "k"}
    router = litellm.Router(
        [{"model_name": "m", "litellm_params": params, "model_info": {"base_model": "azure/gpt-4o"}}]
    )
    answer = router.completion("m", HELLO)
    assert answer._hidden_params["response_cost"] == pytest.approx(25e-6)


def test_allowed_openai_params(vendor: Any) -> None:
    groq = {"model": "groq/m", "api_base": vendor.url, "api_key": "k", "logprobs": True}
    for allowed in (None, ["seed"]):
        with pytest.raises(litellm.UnsupportedParamsError, match="logprobs"):
            ask(**groq, allowed_openai_params=allowed)
    ask(**groq, allowed_openai_params=["logprobs"])
    assert vendor.only()["body"]["logprobs"] is True


def test_thinking_by_pyagent_s_names(vendor: Any) -> None:
    ask("anthropic/claude-haiku-4-5", reasoning_budget=2000, max_tokens=5000)
    ask("anthropic/claude-haiku-4-5", top_k=5)
    thinking, sampling = (request["body"] for request in vendor.requests())
    assert (thinking["thinking"]["budget_tokens"], sampling["top_k"]) == (2000, 5)


def test_mocks_may_be_slow(vendor: Any) -> None:
    began = monotonic()
    assert ask(mock_response="x", mock_delay=0.2).content == "x"
    assert asyncio.run(litellm.acompletion("openai/m", HELLO, mock_response="x", mock_delay=0.2)).content == "x"
    assert monotonic() - began >= 0.4
    assert vendor.requests() == []


def test_verbose_for_one_call(vendor: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ask(verbose=True)
    assert "'model': 'm'" in capsys.readouterr().err
    ask()
    assert capsys.readouterr().err == ""


def test_classes(vendor: Any) -> None:
    call = {"text": "", "tools": [{"id": "c", "name": "f", "arguments": "{}"}]}
    answer = ask(extra_body={"fake": call})
    choice = answer.choices[0]
    assert (type(choice), type(choice.message)) == (litellm.Choices, litellm.Message)
    (made,) = choice.message.tool_calls
    assert (type(made), type(made.function)) == (litellm.ChatCompletionMessageToolCall, litellm.Function)
    assert type(answer.usage.prompt_tokens_details) is litellm.PromptTokensDetailsWrapper
    assert type(answer.usage.completion_tokens_details) is litellm.CompletionTokensDetailsWrapper
    stream = ask(stream=True, extra_body={"fake": call})
    assert type(stream) is litellm.CustomStreamWrapper
    chunks = list(stream)
    assert {type(chunk.choices[0]) for chunk in chunks} == {litellm.StreamingChoices}
    assert {type(chunk.choices[0].delta) for chunk in chunks} == {litellm.Delta}
    pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or ()]
    assert {type(piece) for piece in pieces} == {litellm.ChatCompletionDeltaToolCall}
    vectors = litellm.embedding("openai/text-embedding-3-small", "x")
    assert (type(vectors), type(vectors.data[0])) == (litellm.EmbeddingResponse, litellm.Embedding)
    text = litellm.text_completion("x", model="openai/m")
    assert (type(text), type(text.choices[0])) == (litellm.TextCompletionResponse, litellm.TextChoices)
    texts = litellm.text_completion("x", model="openai/m", stream=True)
    assert type(texts) is litellm.TextCompletionStreamWrapper
    texts.close()
    assert litellm.Message("x", function_call={"name": "f", "arguments": ""}).function_call == litellm.FunctionCall(
        "", "f"
    )
    assert (litellm.LiteLLMModelResponse, litellm.LiteLLMUsage) == (litellm.ModelResponse, litellm.Usage)
    for kind in (litellm.InvalidRequestError, litellm.LiteLLMUnknownProvider):
        assert issubclass(kind, litellm.BadRequestError)
    assert issubclass(litellm.JSONSchemaValidationError, litellm.APIResponseValidationError)


def test_abilities() -> None:
    assert litellm.supports_tool_choice("gpt-4o")
    assert litellm.supports_parallel_function_calling("gpt-4o")
    assert not litellm.supports_parallel_function_calling("gemini/gemini-2.5-flash")
    assert litellm.supports_system_messages("gpt-4o")
    assert litellm.supports_pdf_input("anthropic/claude-sonnet-4-5")
    assert litellm.supports_audio_input("gemini/gemini-2.5-flash")
    for function in (litellm.supports_audio_output, litellm.supports_pdf_input, litellm.supports_tool_choice):
        assert function("nobody/x") is False


def test_finding_models(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name)
    found = discovery.find_models(provider="openai", requires_tools=True, min_context_length=100_000)
    assert found
    assert all(isinstance(one, discovery.DiscoveredModel) and one.supports_tools for one in found)
    assert {one.provider for one in found} == {"openai"}
    again = asyncio.run(discovery.afind_models(provider="openai", requires_tools=True, min_context_length=100_000))
    assert [one.id for one in again] == [one.id for one in found]
    (first, *_) = discovery.search_models("gpt-4.1", provider="openai")
    assert isinstance(first, discovery.ModelSearchMatch)
