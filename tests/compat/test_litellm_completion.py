"""litellm's documented calls of completion(), through the drop-in: answers, streams, their order and their fields."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
import time
from typing import Any

import pytest

from pyagent import litellm

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello, how are you?"}]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}


def ask(vendor: Any, script: dict[str, Any] | None = None, **more: Any) -> Any:
    body = {"fake": script} if script else None
    return litellm.completion(**{"model": "openai/gpt-4o", "messages": HELLO, "extra_body": body, **more})


def test_the_answer_is_read_as_attributes_and_as_keys(vendor: Any) -> None:
    answer = ask(vendor)
    assert answer.choices[0].message.content == "Hello, how are you?"
    assert answer["choices"][0]["message"]["content"] == "Hello, how are you?"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.get("nothing") is None
    assert "choices" in answer
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert (answer.usage.prompt_tokens, answer.usage["total_tokens"]) == (4, 8)
    assert answer.response_ms > 0


def test_the_fields_are_those_of_litellm_in_their_order(vendor: Any) -> None:
    dumped = ask(vendor).model_dump()
    assert list(dumped) == ["id", "created", "model", "object", "system_fingerprint", "choices", "usage"]
    (choice,) = dumped["choices"]
    assert list(choice) == ["finish_reason", "index", "message", "provider_specific_fields", "logprobs"]
    assert list(choice["message"])[:4] == ["content", "role", "tool_calls", "function_call"]
    assert dumped == ask(vendor, {"id": dumped["id"]}).to_dict() | {"created": dumped["created"]}
    assert json.loads(ask(vendor).model_dump_json())["model"] == "gpt-4o"


def test_dumps_can_leave_out_what_is_none_or_not_set(vendor: Any) -> None:
    answer = ask(vendor)
    assert "tool_calls" not in answer.model_dump(exclude_none=True)["choices"][0]["message"]
    assert "audio_tokens" not in answer.usage.model_dump()["prompt_tokens_details"]
    assert answer.usage.model_dump(exclude_unset=False)["prompt_tokens_details"]["audio_tokens"] is None
    assert list(answer.model_dump(include={"model"})) == ["model"]
    assert answer.usage.completion_tokens_details.audio_tokens is None


def test_an_answer_can_be_pickled_copied_and_compared(vendor: Any) -> None:
    answer = ask(vendor)
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert answer.model_copy(deep=True) == answer
    assert litellm.ModelResponse(**answer.model_dump()) == answer
    assert repr(answer).startswith("ModelResponse(id='chatcmpl-")


def test_tool_calls_and_the_conversation_that_goes_on(vendor: Any) -> None:
    script = {"text": "", "tools": [{"id": "call_7", "name": "get_weather", "arguments": {"city": "Oslo"}}]}
    answer = ask(vendor, script, tools=[TOOL], tool_choice="auto")
    (call,) = answer.choices[0].message.tool_calls
    assert (call.id, call.type, call.function.name) == ("call_7", "function", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.function_name, answer.has_tool_calls()) == ("get_weather", True)
    result = {"role": "tool", "tool_call_id": "call_7", "name": "get_weather", "content": "rain"}
    ask(vendor, messages=[*HELLO, answer.choices[0].message, result])
    said = vendor.requests()[-1]["body"]["messages"][1]
    assert said["role"] == "assistant"
    assert said["tool_calls"][0]["function"] == {"arguments": '{"city":"Oslo"}', "name": "get_weather"}


def test_the_older_form_of_tools(vendor: Any) -> None:
    script = {"text": "", "tools": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]}
    functions = {"functions": [TOOL["function"]], "function_call": {"name": "get_weather"}}
    answer = ask(vendor, script, **functions)
    assert answer.choices[0].message.function_call.name == "get_weather"
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].finish_reason == "function_call"
    assert vendor.only()["body"]["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    chunks = list(ask(vendor, script, stream=True, **functions))
    assert "".join(chunk.choices[0].delta.function_call.arguments for chunk in chunks[1:-1]) == '{"city":"Oslo"}'
    assert chunks[-1].choices[0].finish_reason == "function_call"


def test_reasoning_is_beside_the_text(vendor: Any) -> None:
    answer = ask(vendor, {"reasoning": "hm hm", "text": "yes"})
    assert (answer.choices[0].message.reasoning_content, answer.thinking_content) == ("hm hm", "hm hm")
    assert not hasattr(ask(vendor).choices[0].message, "reasoning_content")


def test_chunks_come_role_first_finish_last_usage_after_it(vendor: Any) -> None:
    chunks = list(ask(vendor, stream=True, stream_options={"include_usage": True}))
    first, *texts, last, usage = chunks
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    assert "".join(chunk.choices[0].delta.content for chunk in texts) == "Hello, how are you?"
    assert all(chunk.choices[0].finish_reason is None and chunk.choices[0].delta.role is None for chunk in texts)
    assert (last.choices[0].finish_reason, last.choices[0].delta.content) == ("stop", None)
    assert (usage.choices, usage.usage.total_tokens) == ([], 8)
    assert len({chunk.id for chunk in chunks}) == 1
    assert list(first.model_dump()) == [
        "id", "created", "model", "object", "system_fingerprint", "choices", "provider_specific_fields", "citations",
    ]  # fmt: skip
    assert list(first.model_dump()["choices"][0]) == ["finish_reason", "index", "delta", "logprobs"]
    assert first.object == "chat.completion.chunk"


def test_without_asking_there_is_no_usage_chunk_but_it_is_known(vendor: Any) -> None:
    *_, last = ask(vendor, stream=True)
    assert last.choices[0].finish_reason == "stop"
    assert last._hidden_params["usage"].total_tokens == 8
    assert last.get("usage") is None


def test_tool_calls_stream_piece_by_piece(vendor: Any) -> None:
    script = {
        "text": "",
        "tools": [{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}],
        "tool_piece": 3,
    }
    deltas = [chunk.choices[0].delta.tool_calls for chunk in ask(vendor, script, stream=True)]
    pieces = [calls[0] for calls in deltas if calls]
    begins = [(piece.id, piece.function.name, piece.index) for piece in pieces if piece.id]
    assert begins == [("call_1", "f", 0), ("call_2", "g", 1)]
    assert "".join(piece.function.arguments for piece in pieces if piece.index == 0) == '{"a":1}'


def test_chunks_come_while_the_answer_is_made(vendor: Any) -> None:
    started = time.monotonic()
    stream = ask(vendor, {"pieces": ["a", "b", "c"], "delay": 0.3}, stream=True)
    next(stream)
    assert next(stream).choices[0].delta.content == "a"
    assert time.monotonic() - started < 0.6
    assert [chunk.choices[0].delta.content for chunk in stream] == ["b", "c", None]


def test_a_stream_that_is_dropped_or_closed_is_closed_at_once(vendor: Any) -> None:
    for leave in (lambda stream: None, lambda stream: stream.close()):
        stream = ask(vendor, {"pieces": ["a"] * 1000, "delay": 0.05}, stream=True)
        for _ in stream:
            break
        leave(stream)
        del stream, _
        deadline = time.monotonic() + 2
        while vendor.requests()[-1]["state"] != "disconnected":
            assert time.monotonic() < deadline, vendor.requests()[-1]["state"]
            time.sleep(0.01)


def test_coroutines_give_the_same(vendor: Any) -> None:
    async def main() -> None:
        answer = await litellm.acompletion("openai/gpt-4o", HELLO)
        assert answer.choices[0].message.content == "Hello, how are you?"
        stream = await litellm.acompletion("openai/gpt-4o", HELLO, stream=True)
        texts = [chunk.choices[0].delta.content async for chunk in stream]
        assert texts[0] == ""
        assert texts[-1] is None
        assert "".join(texts[:-1]) == "Hello, how are you?"
        together = await asyncio.gather(*(litellm.acompletion("openai/gpt-4o", HELLO) for _ in range(20)))
        assert {one.choices[0].message.content for one in together} == {"Hello, how are you?"}

    asyncio.run(main())


def test_other_protocols_give_the_same_shape(vendor: Any) -> None:
    answer = litellm.completion("anthropic/claude-haiku-4-5", HELLO)
    assert answer.choices[0].message.content == "Hello, how are you?"
    assert vendor.only()["path"].endswith("/messages")
    chunks = list(litellm.completion("claude-haiku-4-5", HELLO, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello, how are you?"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_import_is_light() -> None:
    code = "import sys; import pyagent.litellm; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    assert (
        not {"openai", "httpx", "pydantic", "asyncio", "json", "typing", "ctypes"}
        & set(done.stdout.split()) - _before()
    )


def test_the_import_is_quick() -> None:
    code = "import time; t = time.process_time(); import pyagent.litellm; print(time.process_time() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(3)]
    assert min(float(run.stdout) for run in runs) < 0.03


def _before() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())
