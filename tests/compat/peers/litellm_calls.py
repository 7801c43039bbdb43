"""The same calls through litellm, edgequake-litellm or the drop-in, and what came of each as JSON.

python litellm_calls.py litellm|edgequake_litellm|pyagent.litellm http://127.0.0.1:PORT/v1 LIBRARY"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

HELLO = [{"role": "user", "content": "Hello there you"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]
CALL = {"id": "call_9", "name": "weather", "arguments": {"city": "Oslo"}}
USAGE = {
    "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 3},
}  # fmt: skip
HISTORY = [
    *HELLO,
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_9", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "call_9", "content": "rain"},
]  # fmt: skip
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": PARAMETERS}}

# What is asked: the script of the server, and arguments.
ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "long": ({"text": " ".join(map(str, range(200)))}, {}),
    "letters": ({"text": 'äöü 日本語 🎉 " \\ \n'}, {}),
    "empty": ({"text": ""}, {}),
    "usage": ({"usage": USAGE}, {}),
    "no usage": ({"usage": False}, {}),
    "length": ({"finish_reason": "length"}, {"max_tokens": 3}),
    "filtered": ({"finish_reason": "content_filter"}, {}),
    "reasoning": ({"reasoning": "so it is", "text": "yes"}, {}),
    "refusal": ({"refusal": "I will not", "text": ""}, {}),
    "tool": ({"text": "", "tools": [CALL]}, {"tools": TOOLS}),
    "tools": ({"text": "well", "tools": [CALL, {"name": "weather", "arguments": {}}]}, {"tools": TOOLS}),
    "broken arguments": ({"text": "", "tools": [{"name": "weather", "arguments": '{"a'}]}, {"tools": TOOLS}),
    "chosen tool": ({}, {"tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": False}),
    "history": ({}, {"messages": HISTORY, "tools": TOOLS}),
    "sampling": ({}, {"temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["x"], "user": "u7"}),
    "penalties": ({}, {"presence_penalty": 0.5, "frequency_penalty": -0.5, "logit_bias": {"7": 3}}),
    "several": ({}, {"n": 2}),
    "json": ({"text": "{}"}, {"response_format": {"type": "json_object"}}),
    "schema": ({"text": "{}"}, {"response_format": SCHEMA}),
    "own field": ({}, {"own_field": {"a": 1}}),
    "headers": ({}, {"extra_headers": {"X-Mine": "1"}}),
    "another model": ({"model": "the-real-one", "id": "chatcmpl-7"}, {}),
}
STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)
STREAM_STATUSES = (400, 401, 404, 429, 500, 503)
LONG = {"message": "This model's maximum context length is 10 tokens", "code": "context_length_exceeded"}
FAILURES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **{
        f"status {status}": ({"status": status, "body": {"error": {"message": "nope", "type": "t", "code": "c"}}}, {})
        for status in STATUSES
    },
    "too long": ({"status": 400, "body": {"error": LONG}}, {}),
    "too late": ({"header_delay": 5}, {"timeout": 0.5}),
    "no server": ({}, {"api_base": "http://127.0.0.1:1/v1"}),
    "cut": ({"end": "cut", "after": 2}, {"stream": True}),
    "error in the stream": ({"end": "error", "after": 2}, {"stream": True}),
    **{
        f"stream status {status}": ({"status": status, "body": {"error": {"message": "nope"}}}, {"stream": True})
        for status in STREAM_STATUSES
    },
}
STREAMS = (
    "plain", "long", "letters", "usage", "length", "filtered", "reasoning", "tool", "tools", "broken arguments",
    "sampling", "another model", "several",
)  # fmt: skip


def arguments(name: str, url: str) -> dict[str, Any]:
    script, more = {**ANSWERS, **FAILURES}[name]
    given = {"model": "openai/m", "messages": HELLO, "api_base": url, "api_key": "k", "max_retries": 0}
    return {**given, "extra_body": {"fake": script}, **more}


def plain(answer: Any) -> Any:
    return json.loads(json.dumps(answer.model_dump()))


def failure(error: Exception) -> dict[str, Any]:
    names = ("status_code", "llm_provider", "model", "generated_content")
    return {
        "class": type(error).__name__,
        "bases": [kind.__name__ for kind in type(error).__mro__ if kind.__module__.split(".")[0] == "openai"],
        "beginning": str(error).split(":")[0],
        **{name: getattr(error, name, None) for name in names},
    }


def observe(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except Exception as error:  # noqa: BLE001  # which one it is is what is compared
        return failure(error)


def cases(module: Any, url: str) -> dict[str, Callable[[], Any]]:
    def stream(name: str, **more: Any) -> list[Any]:
        return [plain(chunk) for chunk in module.completion(**arguments(name, url), stream=True, **more)]

    async def astream(name: str) -> list[Any]:
        return [plain(c) async for c in await module.acompletion(**arguments(name, url), stream=True)]

    def build(name: str) -> Any:
        chunks = list(module.completion(**arguments(name, url), stream=True, stream_options={"include_usage": True}))
        return plain(module.stream_chunk_builder(chunks, messages=HELLO))

    def fail(name: str) -> Any:
        answer = module.completion(**arguments(name, url))
        return [plain(chunk) for chunk in answer] if "stream" in name or name == "cut" else plain(answer)

    embed = {"model": "openai/text-embedding-3-small", "api_base": url, "api_key": "k"}
    found: dict[str, Callable[[], Any]] = {}
    found.update((name, lambda n=name: plain(module.completion(**arguments(n, url)))) for name in ANSWERS)
    found.update(
        (f"async {n}", lambda n=n: plain(asyncio.run(module.acompletion(**arguments(n, url)))))
        for n in ("plain", "tool")
    )
    found.update((f"stream {name}", lambda n=name: stream(n)) for name in STREAMS)
    found["stream with usage"] = lambda: stream("usage", stream_options={"include_usage": True})
    found.update((f"async stream {n}", lambda n=n: asyncio.run(astream(n))) for n in ("plain", "tools"))
    found.update((f"built {n}", lambda n=n: build(n)) for n in ("usage", "tools", "reasoning"))
    found.update((f"fails: {name}", lambda n=name: fail(n)) for name in FAILURES)
    found["embedding"] = lambda: plain(module.embedding(input=["a", "b"], **embed))
    found["async embedding"] = lambda: plain(asyncio.run(module.aembedding(input=["a"], **embed)))
    found["mock"] = lambda: plain(module.completion("gpt-4o", HELLO, mock_response="mocked"))
    found["fails: mock"] = lambda: module.completion("gpt-4o", HELLO, mock_response="litellm.RateLimitError")
    found["fails: unknown"] = lambda: module.completion("nobody/x", HELLO)
    found["fails: unsupported"] = lambda: module.completion("anthropic/claude-haiku-4-5", HELLO, seed=1, api_key="k")
    found["batch"] = lambda: [
        plain(one) for one in module.batch_completion(**{**arguments("plain", url), "messages": [HELLO, HELLO]})
    ]
    found["environment"] = lambda: module.validate_environment("groq/x")
    found["cost"] = lambda: [round(part, 9) for part in module.cost_per_token("gpt-4o", 1000, 100)]
    found["largest answer"] = lambda: module.get_max_tokens("gpt-4o")
    return found


def edgequake_cases(module: Any, url: str) -> dict[str, Callable[[], Any]]:
    """What edgequake can do at all, by its own shortcuts."""

    def read(answer: Any) -> dict[str, Any]:
        names = ("content", "finish_reason", "thinking_content", "cache_hit_tokens", "thinking_tokens", "object")
        calls = [(call.id, call.function_name, call.function_arguments) for call in answer.tool_calls or ()]
        choice = answer["choices"][0]
        return {
            **{name: getattr(answer, name) for name in names},
            "calls": calls,
            "has calls": answer.has_tool_calls(),
            "message": [choice["message"]["content"], choice["message"].role, choice["index"]],
            "tokens": [answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens],
        }

    async def chunks(name: str) -> list[Any]:
        text = ""
        async for chunk in module.stream("openai-compatible/m", scripted(name)):
            text += chunk.content or ""
        return [text]

    def scripted(name: str) -> list[dict[str, Any]]:
        # It cannot send a field of its own: the server takes a script in the text, too.
        return [{"role": "user", "content": "Hello there you"}]

    os.environ["OPENAI_COMPATIBLE_BASE_URL"], os.environ["OPENAI_COMPATIBLE_API_KEY"] = url, "k"
    ask = {"model": "openai-compatible/m", "messages": scripted("plain")}
    return {
        "edgequake plain": lambda: read(module.completion(**ask)),
        "edgequake sampling": lambda: read(module.completion(**ask, temperature=0.5, max_tokens=100, stop=["x"])),
        "edgequake async": lambda: read(asyncio.run(module.acompletion(**ask))),
        "edgequake tools": lambda: read(module.completion(**ask, tools=TOOLS)),
        "edgequake stream": lambda: asyncio.run(chunks("plain")),
        "edgequake options": lambda: json.loads(module.build_options(max_tokens=3, temperature=0.5, stop=["a"])),
        "edgequake no options": module.build_options,
        "edgequake defaults": lambda: [module.get_config().default_provider, module.get_config().max_retries],
        "edgequake error": lambda: str(issubclass(module.RateLimitError, module.LiteLLMEdgeError)),
        "edgequake mock": lambda: module.completion("mock/any", HELLO).content,
        "edgequake model": lambda: module.discovery.get_model("openai", "gpt-4.1").context_length,
        "edgequake search": lambda: module.discovery.search_static_models_by_name("gpt-4.1")[0].match_kind,
        "edgequake context": lambda: module.ApplicationContext.from_headers({"x-edgequake-app-id": "a"}).application_id,
    }


def main() -> None:
    name, url = sys.argv[1:3]
    warnings.simplefilter("ignore")
    for variable in ("GROQ_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        os.environ.pop(variable, None)
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    module = importlib.import_module(name)
    module.suppress_debug_info = True
    found: dict[str, Callable[[], Any]] = {}
    if name != "edgequake_litellm":
        found.update(cases(module, url))
    if name != "litellm":
        found.update(edgequake_cases(module, url))
    print(json.dumps({case: observe(run) for case, run in found.items()}), flush=True)
    if name == "edgequake_litellm":
        os._exit(0)  # its threads sometimes crash while Python ends


if __name__ == "__main__":
    main()
