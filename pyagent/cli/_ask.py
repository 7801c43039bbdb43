"""The commands that ask a model: demo, generate and stream."""

from __future__ import annotations

import json
import sys
import time

from pyagent.provider import Provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable
    from typing import Any

    from pyagent.response import Usage

_DEMO = (
    "Every word of this answer travelled the real path: a request from Python, the Go core, HTTP and server-sent "
    "events, the decoder, the queue, one poll, and this iterator. The model is the scripted one inside pyagent, so it "
    "needed neither a key nor a network."
)


def demo(options: Namespace) -> int:
    """Streams an answer from the built-in model and prints its figures."""
    began = time.perf_counter()
    stream = Provider.echo().stream("Show me.", extra_body={"fake": {"text": _DEMO, "delay": 0.02}})
    first = _show(stream)
    ended = time.perf_counter()
    usage = stream.result.usage
    print(f"\n{_figures(usage, first - began, ended - first)}")
    return 0


def generate(options: Namespace) -> int:
    """Prints a whole answer."""
    response = _provider(options).generate(**_question(options))
    print(json.dumps(response.to_dict(), ensure_ascii=False) if options.json else response.text)
    return 0


def stream(options: Namespace) -> int:
    """Prints an answer as it is written; figures go to standard error, so that a pipe gets the text alone."""
    began = time.perf_counter()
    answer = _provider(options).stream(**_question(options))
    if options.json:
        for event in answer.events():
            print(json.dumps(event.to_dict(), ensure_ascii=False), flush=True)
        return 0
    first = _show(answer)
    ended = time.perf_counter()
    print(_figures(answer.result.usage, first - began, ended - first), file=sys.stderr)
    return 0


def _show(pieces: Iterable[str]) -> float:
    """Prints text as it comes. Returns the moment of the first piece."""
    first = 0.0
    for piece in pieces:
        first = first or time.perf_counter()
        print(piece, end="", flush=True)
    print()
    return first or time.perf_counter()


def _provider(options: Namespace) -> Provider:
    return Provider(options.model, provider=options.provider, base_url=options.base_url)


def _question(options: Namespace) -> dict[str, Any]:
    return {
        "prompt": sys.stdin.read() if options.prompt == "-" else options.prompt,
        "system_prompt": options.system,
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
    }


def _figures(usage: Usage, waited: float, streamed: float) -> str:
    tokens = [
        f"{number} {name} tokens"
        for number, name in ((usage.prompt_tokens, "prompt"), (usage.completion_tokens, "completion"))
        if number is not None
    ]
    parts = [*tokens, f"first token after {waited * 1000:.0f} ms"]
    if usage.completion_tokens and usage.completion_tokens > 1 and streamed > 0:
        parts.append(f"{usage.completion_tokens / streamed:.0f} tokens/s")
    return "[" + ", ".join(parts) + "]"
