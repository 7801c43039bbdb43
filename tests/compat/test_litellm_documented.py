"""What litellm's guides show of completion() and promise of it: each test is one of their ways to use it, as our own
program, against the scripted server. docs/litellm.md names what is not here."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from pyagent import litellm

pytestmark = pytest.mark.timeout(60)

ASK = [{"role": "user", "content": "Which town is it?"}]
PNG = "data:image/png;base64,iVBORw0KGgo="
WEATHER = {
    "type": "function",
    "function": {
        "name": "look_up_weather",
        "description": "The weather of a town.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}
TOO_LONG = {"error": {"message": "maximum context length is 8 tokens", "code": "context_length_exceeded"}}
REFUSED = {"error": {"message": "filtered", "code": "content_filter"}}


def fake(**script: Any) -> dict[str, Any]:
    return {"extra_body": {"fake": script}}


def said(vendor: Any) -> dict[str, Any]:
    body: dict[str, Any] = vendor.requests()[-1]["body"]
    return body


# Getting started, Input, Output


@pytest.mark.parametrize(
    ("model", "path"),
    [("gpt-4o-mini", "/chat/completions"), ("claude-haiku-4-5", "/messages"), ("openrouter/m", "/chat/completions")],
)
def test_one_call_for_every_vendor(vendor: Any, model: str, path: str) -> None:
    answer = litellm.completion(model=model, messages=ASK)
    assert answer.choices[0].message.content == answer["choices"][0]["message"]["content"] == "Which town is it?"
    assert vendor.only()["path"].endswith(path)


def test_the_key_as_argument_and_as_module_attribute(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    litellm.completion("gpt-4o", ASK, api_key="of the call")
    monkeypatch.setattr(litellm, "openai_key", "of the vendor")
    litellm.completion("gpt-4o", ASK)
    monkeypatch.setattr(litellm, "api_key", "of all")
    litellm.completion("gpt-4o", ASK)
    monkeypatch.setattr(litellm, "organization", "LiteOrg")
    monkeypatch.setattr(litellm, "api_base", vendor.url)
    litellm.completion("gpt-4o", ASK, api_key="of the call")
    assert vendor.requests()[-1]["headers"]["openai-organization"] == "LiteOrg"
    keys = [request["headers"]["authorization"] for request in vendor.requests()]
    assert keys == ["Bearer of the call", "Bearer of the vendor", "Bearer of all", "Bearer of the call"]


def test_the_arguments_of_openai_go_to_it(vendor: Any) -> None:
    wanted = {
        "temperature": 0.2, "top_p": 0.9, "n": 2, "stop": ["END"], "max_tokens": 20, "presence_penalty": 0.1,
        "frequency_penalty": 0.1, "logit_bias": {"50256": -100}, "user": "u1", "seed": 3, "logprobs": True,
        "top_logprobs": 2,
    }  # fmt: skip
    litellm.completion("openai/gpt-4o", ASK, **wanted)
    sent = said(vendor)
    sent["max_tokens"] = sent.pop("max_completion_tokens", None) or sent.get("max_tokens")
    assert wanted.items() <= sent.items()


def test_the_usage_and_the_time_of_an_answer(vendor: Any) -> None:
    answer = litellm.completion("gpt-4o", ASK)
    assert dict(answer.usage)["total_tokens"] == answer["usage"]["prompt_tokens"] + answer.usage.completion_tokens
    assert answer.response_ms > 0
    assert answer._response_ms == answer.response_ms
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


def test_arguments_that_the_vendor_alone_knows_are_sent_to_it(vendor: Any) -> None:
    litellm.completion("openai/m", ASK, adapter="mine", repetition_penalty=1.2)
    assert (said(vendor)["adapter"], said(vendor)["repetition_penalty"]) == ("mine", 1.2)
    litellm.completion("claude-haiku-4-5", ASK, top_k=3, metadata={"user_id": "u7"})
    assert (said(vendor)["top_k"], said(vendor)["metadata"]) == (3, {"user_id": "u7"})


# Streaming and async


def test_a_stream_and_the_whole_of_it(vendor: Any) -> None:
    chunks = list(litellm.completion("gpt-4o", ASK, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Which town is it?"
    whole = litellm.stream_chunk_builder(chunks, messages=ASK)
    assert whole is not None
    assert whole.choices[0].message.content == "Which town is it?"
    assert whole.usage.total_tokens == 8


def test_the_usage_of_a_stream(vendor: Any) -> None:
    stream = litellm.completion("gpt-4o", ASK, stream=True, stream_options={"include_usage": True})
    *others, last = list(stream)
    assert last.usage.total_tokens == 8
    assert all(chunk.get("usage") is None for chunk in others)


def test_coroutines_side_by_side(vendor: Any) -> None:
    async def main() -> list[Any]:
        asked = [[{"role": "user", "content": str(number)}] for number in range(5)]
        slow = fake(header_delay=0.2)
        return await asyncio.gather(*(litellm.acompletion("gpt-4o", one, **slow) for one in asked))

    began = time.monotonic()
    assert [answer.choices[0].message.content for answer in asyncio.run(main())] == list("01234")
    assert time.monotonic() - began < 0.9


def test_a_stream_of_coroutines(vendor: Any) -> None:
    async def main() -> str:
        stream: Any = await litellm.acompletion("claude-haiku-4-5", ASK, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(main()) == "Which town is it?"


# Function calling


def test_several_functions_are_called_and_their_results_sent(vendor: Any) -> None:
    called = [
        {"id": "a", "name": "look_up_weather", "arguments": {"town": "Rome"}},
        {"id": "b", "name": "look_up_weather", "arguments": {"town": "Bonn"}},
    ]
    messages: list[Any] = list(ASK)
    first = litellm.completion("gpt-4o", messages, tools=[WEATHER], tool_choice="auto", **fake(text="", tools=called))
    messages.append(first.choices[0].message)
    for call in first.choices[0].message.tool_calls:
        town = json.loads(call.function.arguments)["town"]
        messages.append(
            {"tool_call_id": call.id, "role": "tool", "name": call.function.name, "content": f"Rain in {town}"}
        )
    second = litellm.completion("gpt-4o", messages, tools=[WEATHER], **fake(text="It rains in both."))
    assert second.choices[0].message.content == "It rains in both."
    assert [(one["role"], one.get("tool_call_id")) for one in said(vendor)["messages"]] == [
        ("user", None), ("assistant", None), ("tool", "a"), ("tool", "b"),
    ]  # fmt: skip
    assert [call["id"] for call in said(vendor)["messages"][1]["tool_calls"]] == ["a", "b"]


def test_tools_for_a_vendor_with_a_protocol_of_its_own(vendor: Any) -> None:
    script = fake(text="", tools=[{"name": "look_up_weather", "arguments": {"town": "Rome"}}])
    answer = litellm.completion("claude-haiku-4-5", ASK, tools=[WEATHER], tool_choice="required", **script)
    assert json.loads(answer.choices[0].message.tool_calls[0].function.arguments) == {"town": "Rome"}
    assert (said(vendor)["tools"][0]["name"], said(vendor)["tool_choice"]["type"]) == ("look_up_weather", "any")


def test_parallel_calls_can_be_forbidden(vendor: Any) -> None:
    litellm.completion("gpt-4o", ASK, tools=[WEATHER], parallel_tool_calls=False)
    assert said(vendor)["parallel_tool_calls"] is False
    assert litellm.supports_parallel_function_calling(model="gpt-4o") is True
    for model in ("gpt-4o", "azure/gpt-4o"):
        assert litellm.supports_function_calling(model=model) is True
    for model in ("palm/chat-bison", "ollama/llama2"):
        assert litellm.supports_function_calling(model=model) is False


def test_the_older_functions(vendor: Any) -> None:
    script = fake(text="", tools=[{"name": "look_up_weather", "arguments": {"town": "Rome"}}])
    answer = litellm.completion("gpt-4o", ASK, functions=[WEATHER["function"]], function_call="auto", **script)
    assert answer.choices[0].message.function_call.name == "look_up_weather"


# Structured outputs


def test_json_mode(vendor: Any) -> None:
    wanted = {"type": "json_object"}
    answer = litellm.completion("gpt-4o", ASK, response_format=wanted, **fake(text='{"town": "Rome"}'))
    assert json.loads(answer.choices[0].message.content) == {"town": "Rome"}
    assert said(vendor)["response_format"] == wanted
    assert "response_format" in (litellm.get_supported_openai_params(model="gpt-4o") or ())


def test_a_schema(vendor: Any) -> None:
    schema = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}}
    litellm.completion("gpt-4o", ASK, response_format=wanted, **fake(text='{"town": "Rome"}'))
    assert said(vendor)["response_format"] == wanted
    assert litellm.supports_response_schema(model="gpt-4o") is True


def test_a_class_of_pydantic(vendor: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    place = pydantic.create_model("Place", town=(str, ...))
    answer = litellm.completion("gpt-4o", ASK, response_format=place, **fake(text='{"town": "Rome"}'))
    assert place.model_validate_json(answer.choices[0].message.content).town == "Rome"
    assert said(vendor)["response_format"]["json_schema"]["name"] == "Place"


# Vision, files, prefix, reasoning, prompt caching, predicted outputs, web search


def test_pictures(vendor: Any) -> None:
    picture = {"type": "image_url", "image_url": {"url": PNG}}
    words = {"type": "text", "text": "What is it?"}
    messages = [{"role": "user", "content": [words, picture]}]
    litellm.completion("gpt-4o", messages, **fake(text="a cat"))
    assert said(vendor)["messages"][0]["content"][1] == picture
    litellm.completion("claude-haiku-4-5", messages, **fake(text="a cat"))
    assert said(vendor)["messages"][0]["content"][1]["source"]["media_type"] == "image/png"
    assert litellm.supports_vision(model="gpt-4o") is True


def test_documents(vendor: Any) -> None:
    part = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "Sum it up."}, part]}]
    litellm.completion("claude-haiku-4-5", messages, **fake(text="short"))
    assert said(vendor)["messages"][0]["content"][1]["type"] == "document"
    assert litellm.supports_pdf_input(model="claude-haiku-4-5") is True


@pytest.mark.parametrize("model", ["deepseek/deepseek-chat", "mistral/mistral-small-latest"])
def test_the_beginning_of_an_answer_is_given(vendor: Any, model: str) -> None:
    begun = {"role": "assistant", "content": "Rome", "prefix": True}
    litellm.completion(model, [*ASK, begun], api_base=vendor.url, api_key="k", **fake(text=" it is."))
    assert said(vendor)["messages"][-1] == begun


def test_the_beginning_of_an_answer_of_anthropic(vendor: Any) -> None:
    begun = {"role": "assistant", "content": "Rome", "prefix": True}
    answer = litellm.completion("claude-haiku-4-5", [*ASK, begun], **fake(text=" it is."))
    assert answer.choices[0].message.content == " it is."
    assert said(vendor)["messages"][-1]["role"] == "assistant"
    assert "prefix" not in said(vendor)["messages"][-1]


def test_thinking(vendor: Any) -> None:
    script = fake(reasoning="It has seven hills.", text="Rome")
    answer = litellm.completion("claude-haiku-4-5", ASK, reasoning_effort="low", **script)
    assert answer.choices[0].message.reasoning_content == "It has seven hills."
    assert said(vendor)["thinking"]["type"] == "enabled"
    litellm.completion(
        "claude-haiku-4-5", ASK, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=3000, **script
    )
    assert said(vendor)["thinking"]["budget_tokens"] == 1024
    chunks = list(litellm.completion("claude-haiku-4-5", ASK, reasoning_effort="low", stream=True, **script))
    thoughts = "".join(chunk.choices[0].delta.get("reasoning_content") or "" for chunk in chunks)
    assert thoughts == "It has seven hills."


def test_what_the_vendor_has_cached(vendor: Any) -> None:
    rules = {"type": "text", "text": "Many rules.", "cache_control": {"type": "ephemeral"}}
    messages = [{"role": "system", "content": [rules]}, *ASK]
    litellm.completion("claude-haiku-4-5", messages)
    assert said(vendor)["system"][0]["cache_control"] == {"type": "ephemeral"}
    usage = {
        "prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "prompt_tokens_details": {"cached_tokens": 8},
    }  # fmt: skip
    answer = litellm.completion("gpt-4o", ASK, **fake(usage=usage))
    assert answer.usage.prompt_tokens_details.cached_tokens == 8


def test_predictions_searches_and_sounds(vendor: Any) -> None:
    prediction = {"type": "content", "content": "Rome"}
    litellm.completion("gpt-4o-mini", ASK, prediction=prediction)
    assert said(vendor)["prediction"] == prediction
    litellm.completion("openai/gpt-4o-search-preview", ASK, web_search_options={"search_context_size": "low"})
    assert said(vendor)["web_search_options"] == {"search_context_size": "low"}
    voice = {"voice": "alloy", "format": "wav"}
    litellm.completion("openai/gpt-4o-audio-preview", ASK, modalities=["text", "audio"], audio=voice)
    assert (said(vendor)["modalities"], said(vendor)["audio"]) == (["text", "audio"], voice)


# Dropping params


def test_what_a_vendor_does_not_take(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(litellm.UnsupportedParamsError):
        litellm.completion("claude-haiku-4-5", ASK, seed=3)
    with pytest.warns(UserWarning, match="seed"):
        litellm.completion("claude-haiku-4-5", ASK, seed=3, drop_params=True)
    monkeypatch.setattr(litellm, "drop_params", True)
    with pytest.warns(UserWarning, match="seed"):
        litellm.completion("claude-haiku-4-5", ASK, seed=3)
    assert "seed" not in said(vendor)
    litellm.completion("openai/m", ASK, user="u", additional_drop_params=["user"])
    assert "user" not in said(vendor)
    examples = [{**WEATHER, "input_examples": [{"town": "Rome"}]}]
    litellm.completion("openai/m", ASK, tools=examples, additional_drop_params=["tools[*].input_examples"])
    assert said(vendor)["tools"] == [WEATHER]
    assert "input_examples" in examples[0]
    assert "seed" in (litellm.get_supported_openai_params("openai/m") or ())


# Reliability


def test_retries(vendor: Any) -> None:
    answer = litellm.completion("openai/m", ASK, num_retries=2, **fake(status=503, times=2, key="r"))
    assert answer.choices[0].message.content == "Which town is it?"
    assert len(vendor.requests()) == 3


def test_completion_with_retries(vendor: Any) -> None:
    litellm.completion_with_retries(model="openai/m", messages=ASK, **fake(status=503, times=2, key="w"))
    assert len(vendor.requests()) == 3
    with pytest.raises(litellm.ServiceUnavailableError):
        litellm.completion_with_retries("openai/m", ASK, num_retries=0, **fake(status=503))

    async def main() -> Any:
        return await litellm.acompletion_with_retries("openai/m", ASK, **fake(status=503, times=1, key="x"))

    assert asyncio.run(main()).choices[0].message.content == "Which town is it?"


def test_fallbacks(vendor: Any) -> None:
    broken = fake(status=500)["extra_body"]
    answer = litellm.completion(
        "no-such-model", ASK, fallbacks=["openai/broken", {"model": "openai/good", "api_key": "another"}]
    )
    assert answer.model == "broken"
    answer = litellm.completion(
        "openai/broken", ASK, extra_body=broken, num_retries=0,
        fallbacks=[{"model": "claude-haiku-4-5", "extra_body": None}],
    )  # fmt: skip
    assert answer.model == "claude-haiku-4-5"


def test_fallbacks_of_prompts_that_are_too_long_or_refused(vendor: Any) -> None:
    for body, argument in ((TOO_LONG, "context_window_fallback_dict"), (REFUSED, "content_policy_fallbacks")):
        table = {"openai/small": ["openai/large"]}
        script = {**fake(status=400, body=body, times=1, key=argument)}
        answer = litellm.completion(
            "openai/small", ASK, **{argument: table if argument.endswith("dict") else [table]}, **script
        )
        assert answer.model == "large"


def test_timeouts(vendor: Any) -> None:
    for more in ({"timeout": 0.05}, {"timeout": 0.05, "stream": True}, {"request_timeout": 0.05}):
        with pytest.raises(litellm.Timeout) as caught:
            list(litellm.completion("openai/m", ASK, num_retries=0, **more, **fake(header_delay=3)))
        assert caught.value.status_code == 408


# Exceptions


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"), (401, "AuthenticationError"), (403, "PermissionDeniedError"),
        (404, "NotFoundError"), (422, "UnprocessableEntityError"), (429, "RateLimitError"),
        (500, "InternalServerError"),
    ],
)  # fmt: skip
def test_the_class_of_a_status(vendor: Any, status: int, name: str) -> None:
    with pytest.raises(getattr(litellm, name)) as caught:
        litellm.completion("openai/m", ASK, num_retries=0, **fake(status=status))
    error = caught.value
    assert (error.status_code, error.llm_provider) == (status, "openai")
    assert error.message
    assert litellm._should_retry(error.status_code) is (status in {429, 500})


def test_special_bad_requests(vendor: Any) -> None:
    with pytest.raises(litellm.ContextWindowExceededError) as long:
        litellm.completion("openai/m", ASK, **fake(status=400, body=TOO_LONG))
    with pytest.raises(litellm.ContentPolicyViolationError) as refused:
        litellm.completion("openai/m", ASK, **fake(status=400, body=REFUSED))
    assert isinstance(long.value, litellm.BadRequestError)
    assert isinstance(refused.value, litellm.BadRequestError)


def test_exceptions_are_those_of_the_package_openai(vendor: Any) -> None:
    openai = pytest.importorskip("openai")
    with pytest.raises(openai.APITimeoutError):
        litellm.completion("openai/m", ASK, timeout=0.05, num_retries=0, **fake(header_delay=3))
    with pytest.raises(openai.RateLimitError):
        litellm.completion("openai/m", ASK, num_retries=0, **fake(status=429))
    with pytest.raises(openai.OpenAIError):
        litellm.completion("nobody-s-model", ASK)
