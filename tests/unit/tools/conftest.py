"""A model that asks for tools in the words of five vendors, and what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pyagent import Provider

Turn = dict[str, Any]
USAGE = (10, 5)  # tokens of a question and of its answer


class Model(ThreadingHTTPServer):
    """Answers one request after the other with the turns it is given: a text, or calls as (name, arguments)."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.turns: list[Any] = []
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A client that leaves early is what some tests are about."""


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Model

    def do_POST(self) -> None:
        model = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model.asked.append(body)
        turn = model.turns.pop(0)
        if isinstance(turn, str):
            kind, content = "application/json", json.dumps({"error": {"message": turn}}).encode()
        else:
            kind, content = _write(self.path, bool(body.get("stream")) or "stream" in self.path, turn)
        self.send_response(400 if isinstance(turn, str) else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keeps the output of the tests clean."""


def _write(path: str, streamed: bool, turn: Turn) -> tuple[str, bytes]:
    for ending, write in WRITERS.items():
        if ending in path:
            answer = write(turn, streamed)
            break
    else:
        raise AssertionError(path)
    if not isinstance(answer, list):
        return "application/json", json.dumps(answer).encode()
    if "/api/chat" in path:
        return "application/x-ndjson", "".join(json.dumps(line) + "\n" for line in answer).encode()
    lines = []
    for event in answer:
        name = f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
        lines.append(f"{name}data: {event if isinstance(event, str) else json.dumps(event)}\n\n")
    return "text/event-stream", "".join(lines).encode()


def _chat(turn: Turn, streamed: bool) -> Any:
    calls = [
        {"index": n, "id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(turn.get("calls", ()))
    ]
    message = {"role": "assistant", "content": turn.get("text"), **({"tool_calls": calls} if calls else {})}
    reason = "tool_calls" if calls else "stop"
    usage = {
        "prompt_tokens": USAGE[0],
        "completion_tokens": USAGE[1],
        "total_tokens": sum(USAGE),
        **turn.get("usage", {}),
    }
    head = {"id": "1", "object": "chat.completion", "model": "m", **({} if turn.get("silent") else {"usage": usage})}
    if not streamed:
        return {**head, "choices": [{"index": 0, "message": message, "finish_reason": reason}]}
    chunk = {**head, "object": "chat.completion.chunk"}
    return [{**chunk, "choices": [{"index": 0, "delta": message, "finish_reason": reason}]}, "[DONE]"]


def _anthropic(turn: Turn, streamed: bool) -> Any:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": turn["text"]}] if "text" in turn else []
    blocks += [
        {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": json.loads(arguments)}
        for n, (name, arguments) in enumerate(turn.get("calls", ()))
    ]
    reason = "tool_use" if turn.get("calls") else "end_turn"
    usage = {"input_tokens": USAGE[0], "output_tokens": USAGE[1]}
    head = {"id": "1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None, "usage": usage}
    if not streamed:
        return {**head, "content": blocks, "stop_reason": reason}
    events: list[Any] = [{"type": "message_start", "message": {**head, "content": [], "stop_reason": None}}]
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            start, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage})
    return [*events, {"type": "message_stop"}]


def _gemini(turn: Turn, streamed: bool) -> Any:
    parts: list[dict[str, Any]] = [{"text": turn["text"]}] if "text" in turn else []
    parts += [
        {"functionCall": {"name": name, "args": json.loads(arguments)}} for name, arguments in turn.get("calls", ())
    ]
    answer = {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": USAGE[0], "candidatesTokenCount": USAGE[1], "totalTokenCount": sum(USAGE),
        },
        "modelVersion": "m", "responseId": "1",
    }  # fmt: skip
    return [answer] if streamed else answer


def _ollama(turn: Turn, streamed: bool) -> Any:
    calls = [
        {"function": {"name": name, "arguments": json.loads(arguments)}} for name, arguments in turn.get("calls", ())
    ]
    message = {"role": "assistant", "content": turn.get("text", ""), **({"tool_calls": calls} if calls else {})}
    answer = {
        "model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": True, "done_reason": "stop",
        "prompt_eval_count": USAGE[0], "eval_count": USAGE[1],
    }  # fmt: skip
    return [answer] if streamed else answer


def _responses(turn: Turn, streamed: bool) -> Any:
    output: list[dict[str, Any]] = []
    if "text" in turn:
        part = {"type": "output_text", "text": turn["text"], "annotations": []}
        output.append({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]})
    output += [
        {"type": "function_call", "id": f"fc_{n}", "call_id": f"call_{n}", "name": name, "arguments": arguments,
         "status": "completed"}
        for n, (name, arguments) in enumerate(turn.get("calls", ()))
    ]  # fmt: skip
    usage = {"input_tokens": USAGE[0], "output_tokens": USAGE[1], "total_tokens": sum(USAGE)}
    head = {"id": "resp_1", "object": "response", "model": "m", "created_at": 1}
    whole = {**head, "status": "completed", "output": output, "usage": usage}
    if not streamed:
        return whole
    events: list[Any] = [
        {"type": "response.created", "response": {**head, "status": "in_progress", "output": []}, "sequence_number": 0}
    ]
    for index, item in enumerate(output):
        place = {"output_index": index, "item_id": item["id"]}
        if item["type"] == "message":
            text = item["content"][0]["text"]
            opened = {**item, "content": [], "status": "in_progress"}
            deltas = [{"type": "response.output_text.delta", "content_index": 0, "delta": text, **place}]
        else:
            opened = {**item, "arguments": "", "status": "in_progress"}
            deltas = [{"type": "response.function_call_arguments.delta", "delta": item["arguments"], **place}]
        events.append({"type": "response.output_item.added", "output_index": index, "item": opened})
        events += deltas
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    return [*events, {"type": "response.completed", "response": whole}]


WRITERS: dict[str, Callable[[Turn, bool], Any]] = {
    "/chat/completions": _chat,
    "/messages": _anthropic,
    "enerateContent": _gemini,
    "/api/chat": _ollama,
    "/responses": _responses,
}


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as model:
        serving = threading.Thread(target=model.serve_forever, args=(0.01,))
        serving.start()
        yield model
        model.shutdown()
        serving.join()


@pytest.fixture
def asking(model: Model) -> Iterator[Provider]:
    """A Provider that asks `model` as OpenAI's chat interface is asked."""
    provider = Provider.compatible("m", base_url=model.url + "/v1")
    yield provider
    if provider._client is not None:
        provider._client.close()


@pytest.fixture(params=["compatible", "openai-responses", "anthropic", "gemini", "ollama"])
def vendor(request: pytest.FixtureRequest, model: Model) -> Iterator[Provider]:
    """A Provider that asks `model` in one of five protocols."""
    provider = Provider("m", provider=request.param, api_key="k", base_url=model.url)
    yield provider
    if provider._client is not None:
        provider._client.close()
