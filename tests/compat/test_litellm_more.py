"""litellm's other functions: embeddings, text completions, batches, mocks, chunk builder, callbacks, tokens, costs."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import sys
import time
import types
from datetime import timedelta
from typing import Any

import pytest

from pyagent import litellm
from pyagent._fake import FakeServer

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello you"}]
EMBED = "openai/text-embedding-3-small"
CALLS = {"text": "hm", "reasoning": "so so", "tools": [{"name": "f", "arguments": {"a": 1}}], "tool_piece": 2}


def test_embeddings_in_litellm_s_shape_and_in_edgequake_s(vendor: Any) -> None:
    found = litellm.embedding(EMBED, ["a", "b"])
    assert found["data"][1]["index"] == 1
    assert found.data[0].embedding == found["data"][0]["embedding"] == found[0] == next(iter(found))
    assert (len(found), found.object, found.data[0].object) == (2, "list", "embedding")
    assert found.usage.prompt_tokens == 2
    assert list(found.model_dump()) == ["model", "data", "object", "usage"]
    assert len(litellm.embedding(EMBED, input="a", dimensions=5)[0]) == 5
    assert vendor.requests()[-1]["body"]["dimensions"] == 5
    assert asyncio.run(litellm.aembedding(EMBED, ["a", "b"])).data == found.data


def test_embeddings_as_text(vendor: Any) -> None:
    numbers = litellm.embedding(EMBED, "a")[0]
    text = litellm.embedding(EMBED, "a", encoding_format="base64")[0]
    assert struct.unpack(f"<{len(numbers)}f", base64.b64decode(text)) == tuple(numbers)
    with pytest.raises(litellm.BadRequestError, match="encoding_format"):
        litellm.embedding(EMBED, "a", encoding_format="int8")


def test_embeddings_refuse_what_is_no_part_of_them(vendor: Any) -> None:
    with pytest.raises(litellm.UnsupportedParamsError, match="caching"):
        litellm.embedding(EMBED, "a", caching=True)
    with pytest.raises(litellm.UnsupportedParamsError, match="temperature"):
        litellm.embedding(EMBED, "a", temperature=1.0)
    with pytest.raises(litellm.UnsupportedParamsError):
        litellm.embedding("anthropic/claude-haiku-4-5", "a")


def test_text_completions(vendor: Any) -> None:
    answer = litellm.text_completion("Say this", model="openai/m")
    assert answer.choices[0].text == "Say this"
    assert answer.object == "text_completion"
    both = litellm.text_completion(["one", "two words"], model="openai/m")
    assert [(choice.index, choice.text) for choice in both.choices] == [(0, "one"), (1, "two words")]
    assert both.usage.total_tokens == 6
    chunks = list(litellm.text_completion("Say this", model="openai/m", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "Say this"
    assert chunks[-1].choices[0].finish_reason == "stop"
    for refused in ({"suffix": "x"}, {"echo": True}, {"best_of": 2}):
        with pytest.raises(litellm.UnsupportedParamsError, match=next(iter(refused))):
            litellm.text_completion("Say this", model="openai/m", **refused)

    async def main() -> None:
        assert (await litellm.atext_completion("Say this", model="openai/m")).choices[0].text == "Say this"
        stream = await litellm.atext_completion("Say this", model="openai/m", stream=True)
        assert "".join([chunk.choices[0].text async for chunk in stream]) == "Say this"

    asyncio.run(main())


def test_batches(vendor: Any) -> None:
    talks = [[{"role": "user", "content": str(number)}] for number in range(8)]
    assert [answer.content for answer in litellm.batch_completion("openai/m", talks)] == list("01234567")
    broken = litellm.batch_completion("openai/m", [*talks[:1], "no list"])  # type: ignore[list-item]
    assert broken[0].content == "0"
    assert isinstance(broken[1], litellm.BadRequestError)
    assert litellm.batch_completion_models(models=["foo/x", "openai/m"], messages=talks[0]).content == "0"
    found = litellm.batch_completion_models_all_responses(models=["foo/x", "openai/m"], messages=talks[0])
    assert [answer.model for answer in found] == ["m"]
    with pytest.raises(litellm.UnsupportedParamsError):
        litellm.batch_completion("openai/m", talks, stream=True)


def test_the_whole_answer_from_its_chunks(vendor: Any) -> None:
    body = {"fake": CALLS}
    chunks = list(litellm.completion("openai/m", HELLO, stream=True, extra_body=body))
    built = litellm.stream_chunk_builder(chunks, messages=HELLO)
    whole = litellm.completion("openai/m", HELLO, extra_body=body)
    assert built is not None
    said, meant = built.choices[0].model_dump(), whole.choices[0].model_dump()
    assert said["message"] == {name: meant["message"][name] for name in said["message"]}
    assert said["finish_reason"] == meant["finish_reason"] == "tool_calls"
    assert built.usage == whole.usage
    assert built.id == chunks[0].id
    assert litellm.stream_chunk_builder([]) is None


def test_chunks_made_by_hand_are_built_too() -> None:
    chunks = [
        litellm.ModelResponseStream(choices=[{"delta": {"role": "assistant", "content": "a"}, "index": 0}], model="m"),
        litellm.ModelResponseStream(choices=[{"delta": {"content": "b"}, "index": 1, "finish_reason": "length"}]),
    ]
    built = litellm.stream_chunk_builder(chunks)
    assert built is not None
    assert [choice.message.content for choice in built.choices] == ["a", "b"]
    assert built.choices[1].finish_reason == "length"
    assert built.usage.total_tokens == 0


def test_mocks_ask_nobody(vendor: Any) -> None:
    answer = litellm.completion("gpt-4o", HELLO, mock_response="It is mocked")
    assert (answer.content, answer.usage.total_tokens) == ("It is mocked", 30)
    pieces = [chunk.content for chunk in litellm.completion("gpt-4o", HELLO, mock_response="It is", stream=True)]
    assert pieces == ["", "It ", "is", None]
    with pytest.raises(litellm.RateLimitError):
        litellm.completion("gpt-4o", HELLO, mock_response="litellm.RateLimitError")
    with pytest.raises(litellm.InternalServerError, match="boom"):
        litellm.completion("gpt-4o", HELLO, mock_response=ValueError("boom"))
    with pytest.raises(litellm.Timeout):
        litellm.completion("gpt-4o", HELLO, mock_timeout=True)
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert litellm.completion("gpt-4o", HELLO, mock_tool_calls=calls).tool_calls[0].function.name == "f"

    async def main() -> None:
        stream: Any = await litellm.acompletion("gpt-4o", HELLO, mock_response="It is", stream=True)
        assert [chunk.content async for chunk in stream] == ["", "It ", "is", None]

    asyncio.run(main())
    assert vendor.requests() == []


class Heard(litellm.CustomLogger):
    def __init__(self) -> None:
        self.told: list[str] = []

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        self.told.append(f"pre {model}")

    def log_success_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.told.append(f"success {response_obj.content}")

    def log_failure_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.told.append(f"failure {type(kwargs['exception']).__name__}")


def test_callbacks_are_told_how_calls_end(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    def success(kwargs: dict[str, Any], response: Any, start: Any, end: Any) -> None:
        assert end - start >= timedelta(0)
        told.append({**kwargs, "text": response.content})

    heard = Heard()
    monkeypatch.setattr(litellm, "success_callback", [success])
    monkeypatch.setattr(litellm, "callbacks", [heard])
    litellm.completion("openai/gpt-4o", HELLO, metadata={"trace": 7}, api_key="secret")
    stream = litellm.completion("openai/gpt-4o", HELLO, stream=True)
    assert len(told) == 1
    list(stream)
    assert [one["text"] for one in told] == ["Hello you", "Hello you"]
    assert told[0]["litellm_params"]["metadata"] == {"trace": 7}
    assert told[0]["response_cost"] > 0
    assert told[1]["complete_streaming_response"].usage.total_tokens == 4
    assert "secret" not in repr(told)
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion("openai/gpt-4o", HELLO, extra_body={"fake": {"status": 401}})
    assert heard.told == [
        "pre gpt-4o", "success Hello you", "pre gpt-4o", "success Hello you", "pre gpt-4o",
        "failure AuthenticationError",
    ]  # fmt: skip


def test_callbacks_of_coroutines(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    async def later(kwargs: dict[str, Any], response: Any, start: Any, end: Any) -> None:
        await asyncio.sleep(0)
        told.append(response.content)

    monkeypatch.setattr(litellm, "success_callback", [later])

    async def main() -> None:
        await litellm.acompletion("openai/m", HELLO)
        stream: Any = await litellm.acompletion("openai/m", HELLO, stream=True)
        [chunk async for chunk in stream]
        await asyncio.sleep(0.01)

    asyncio.run(main())
    litellm.completion("openai/m", HELLO)
    assert told == ["Hello you"] * 3


def test_loggers_of_coroutines(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(Heard):
        async def async_log_success_event(self, kwargs: Any, response_obj: Any, start: Any, end: Any) -> None:
            self.told.append(f"later {response_obj.content}")

    later = Later()
    monkeypatch.setattr(litellm, "callbacks", [later])

    async def main() -> None:
        await litellm.acompletion("openai/m", HELLO)
        await asyncio.sleep(0.01)
        with pytest.raises(litellm.AuthenticationError):
            await litellm.acompletion("openai/m", HELLO, extra_body={"fake": {"status": 401}})

    asyncio.run(main())
    litellm.completion("openai/m", HELLO)
    assert later.told == [
        "pre m", "later Hello you", "pre m", "failure AuthenticationError", "pre m", "success Hello you",
    ]  # fmt: skip


def test_a_callback_that_fails_is_reported_and_names_are_refused(
    vendor: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(litellm, "success_callback", [lambda *_: 1 / 0])
    assert litellm.completion("openai/m", HELLO).content == "Hello you"
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.setattr(litellm, "success_callback", ["langfuse"])
    with pytest.raises(litellm.UnsupportedParamsError, match="langfuse"):
        litellm.completion("openai/m", HELLO)


def test_set_verbose_and_logger_fn_show_calls_without_keys(
    vendor: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(litellm, "set_verbose", True)
    litellm.completion("openai/m", HELLO, temperature=0.5, api_key="secret", logger_fn=seen.append)
    shown = capsys.readouterr().err
    assert "'temperature': 0.5" in shown
    assert "secret" not in shown + repr(seen)
    assert [one["log_event_type"] for one in seen] == ["pre_api_call", "successful_api_call"]


def test_costs(vendor: Any) -> None:
    assert litellm.cost_per_token("gpt-4o", 1000, 100) == pytest.approx((0.0025, 0.001))
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    answer = litellm.completion("openai/gpt-4o", HELLO, extra_body={"fake": {"usage": usage}})
    assert litellm.completion_cost(answer) == answer._hidden_params["response_cost"] == pytest.approx(0.0035)
    assert litellm.completion_cost(completion_response=answer, model="gpt-4o-mini") == pytest.approx(0.00021)
    with pytest.raises(ValueError, match="isn't mapped"):
        litellm.cost_per_token("openai/of-my-own", 1, 1)
    mine = {"input_cost_per_token": 1e-3, "output_cost_per_token": 2e-3}
    assert litellm.cost_per_token("openai/of-my-own", 10, 1, custom_cost_per_token=mine) == pytest.approx((0.01, 0.002))
    own = litellm.completion("openai/of-my-own", HELLO, extra_body={"fake": {"usage": usage}}, **mine)
    assert own._hidden_params["response_cost"] == pytest.approx(1.2)
    litellm.register_model({"openai/registered": mine})
    assert litellm.get_model_info("gpt-4o")["input_cost_per_token"] == 2.5e-06
    registered = litellm.completion("openai/registered", HELLO, extra_body={"fake": {"usage": usage}})
    assert litellm.completion_cost(registered) == pytest.approx(1.2)
    with pytest.raises(ValueError, match="has no price"):
        litellm.register_model({"m": {}})


def test_what_is_known_of_models() -> None:
    info = litellm.get_model_info("gpt-4o")
    assert (info["max_input_tokens"], info["max_output_tokens"], info["litellm_provider"]) == (128000, 16384, "openai")
    assert litellm.get_max_tokens("gpt-4o") == 16384
    with pytest.raises(ValueError, match="isn't mapped"):
        litellm.get_max_tokens("openai/of-my-own")
    assert litellm.supports_function_calling("gpt-4o")
    assert litellm.supports_vision("anthropic/claude-haiku-4-5")
    assert litellm.supports_response_schema("gpt-4o")
    assert not litellm.supports_reasoning("gpt-4o")
    assert not litellm.supports_vision("nobody-s")
    assert litellm.get_supported_openai_params("nobody-s") is None
    assert "seed" not in (litellm.get_supported_openai_params("claude-haiku-4-5") or ())
    assert litellm.get_llm_provider("anthropic/claude-haiku-4-5")[:2] == ("claude-haiku-4-5", "anthropic")


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    missing = {"keys_in_environment": False, "missing_keys": ["GROQ_API_KEY"]}
    assert litellm.validate_environment("groq/llama") == missing
    monkeypatch.setenv("GROQ_API_KEY", "k")
    assert litellm.validate_environment("groq/llama") == {"keys_in_environment": True, "missing_keys": []}
    assert litellm.validate_environment("ollama/llama")["keys_in_environment"]


class Letters:
    """A tokenizer: each letter is a token."""

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))


def test_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = Letters()
    assert litellm.token_counter("gpt-4o", letters, text="four") == 4
    messages = [{"role": "user", "content": "four"}, {"role": "user", "name": "me", "content": [{"text": "abc"}]}]
    assert litellm.token_counter("gpt-4o", letters, messages=messages) == 3 + 4 + 4 + 3 + 4 + 2 + 1 + 3 + 3
    assert litellm.decode("gpt-4o", litellm.encode("gpt-4o", "hi", letters), letters) == "hi"
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(ImportError, match="pip install tiktoken"):
        litellm.token_counter("gpt-4o", text="four")
    named = types.SimpleNamespace(encoding_for_model={"gpt-4o": letters}.__getitem__, get_encoding=lambda _: letters)
    monkeypatch.setitem(sys.modules, "tiktoken", named)
    assert litellm.token_counter("openai/gpt-4o", text="four") == litellm.token_counter("claude", text="four") == 4
    assert litellm.completion_cost(model="gpt-4o", prompt="a" * 1000, completion="b" * 100) == pytest.approx(0.0035)


def test_every_name_is_there_and_others_are_explained() -> None:
    for name in litellm.__all__:
        assert hasattr(litellm, name)
    assert set(litellm.__all__) <= set(dir(litellm))
    with pytest.raises(AttributeError, match=r"docs/litellm\.md"):
        litellm.image_generation  # noqa: B018
    assert json.loads(litellm.Usage(prompt_tokens=1).model_dump_json())["prompt_tokens"] == 1


def test_several_answers_of_a_stream(vendor: Any) -> None:
    asked: dict[str, Any] = {"model": "openai/m", "messages": HELLO, "n": 2, "stream": True}
    chunks = list(litellm.completion(**asked, stream_options={"include_usage": True}))
    said: dict[int, str] = {0: "", 1: ""}
    for chunk in chunks[1:-1]:
        (choice,) = chunk.choices
        said[choice.index] += choice.delta.content or ""
    assert said == {0: "Hello you", 1: "Hello you"}
    assert chunks[-1].usage.completion_tokens == 4
    built = litellm.stream_chunk_builder(chunks)
    assert built is not None
    assert [(choice.index, choice.message.content) for choice in built.choices] == [(0, "Hello you"), (1, "Hello you")]

    async def main() -> set[int]:
        return {c.choices[0].index async for c in await litellm.acompletion(**asked)}  # type: ignore[union-attr]

    assert asyncio.run(main()) == {0, 1}
    with pytest.raises(litellm.UnsupportedParamsError, match="n"):
        litellm.completion("anthropic/claude-haiku-4-5", HELLO, n=2, stream=True)


def test_the_slower_of_many_models_are_cancelled(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, slow = FakeServer(script={"header_delay": 0.3}), FakeServer(script={"header_delay": 30})
    with quick, slow:
        monkeypatch.setenv("OPENAI_BASE_URL", quick.url)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", slow.url)
        answer = litellm.batch_completion_models(
            models=["claude-haiku-4-5", "openai/quick"], messages=[{"role": "user", "content": "hi"}]
        )
        assert answer.model == "quick"
        until = time.monotonic() + 5
        while type(vendor)(slow).only()["state"] != "disconnected":
            assert time.monotonic() < until
            time.sleep(0.01)
