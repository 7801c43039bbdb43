"""The recorded answers of tests/cases, and what an answer must be to be right: tests/cases/README.md in code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pyagent import Response, errors

CASES = Path(__file__).resolve().parents[2] / "cases"
BODIES = (".sse", ".ndjson", ".json")

KINDS: dict[str, type[errors.PyAgentError] | tuple[type[errors.PyAgentError], ...]] = {
    "BadRequest": (errors.BadRequestError, errors.UnprocessableEntityError, errors.ConflictError),
    "ContextWindowExceeded": errors.ContextWindowExceededError,
    "ContentPolicyViolation": errors.ContentPolicyViolationError,
    "AuthenticationError": errors.AuthenticationError,
    "PermissionDenied": errors.PermissionDeniedError,
    "NotFound": errors.NotFoundError,
    "RateLimit": errors.RateLimitError,
    "QuotaExceeded": errors.QuotaExceededError,
    "ServiceUnavailable": errors.ServiceUnavailableError,
    "InternalServer": errors.InternalServerError,
}


class Case:
    """One recorded answer: its bytes, what the recorder knows of it, and what a correct client makes of it."""

    def __init__(self, expect: Path) -> None:
        self.vendor = expect.parent.name
        self.name = expect.name[: -len(".expect.json")]
        base = str(expect)[: -len(".expect.json")]
        self.file = next(path for path in (Path(base + ending) for ending in BODIES) if path.exists())
        self.expect: dict[str, Any] = json.loads(expect.read_text(encoding="utf-8"))
        self.meta: dict[str, Any] = json.loads(Path(base + ".meta.json").read_text(encoding="utf-8"))
        self.status: int = self.meta["status"]
        self.streams = self.file.suffix != ".json"
        self.body = self.file.read_bytes()

    @property
    def request(self) -> dict[str, Any]:
        """What was asked, as far as the recorder knows: method, path, json."""
        return self.meta.get("request") or {}

    @property
    def operation(self) -> str:
        """The method of Provider that asks for it, or nothing."""
        asked = urlsplit(self.request.get("path", "")).path or self.meta["api"]
        return next((name for name, ends in OPERATIONS.items() if asked.endswith(ends)), "")

    def __repr__(self) -> str:
        return f"{self.vendor}/{self.name}"


OPERATIONS = {  # by the end of the path that is asked, or by what the recorder calls it
    "generate": (
        "/chat/completions", "/responses", "/messages", "/api/chat", "/drivers/call", ":generateContent",
        ":streamGenerateContent",
        "chat", "responses", "messages", "generateContent", "streamGenerateContent",
    ),
    "embed": ("/embeddings", "/api/embed", ":batchEmbedContents", ":embedContent", "embeddings"),
    "list_models": ("/models", "models"),
    "count_tokens": (":countTokens", "/count_tokens"),
}  # fmt: skip


def load() -> list[Case]:
    """Every answer that a Provider can be given, by vendor and name: all but those of routes of old."""
    return [case for path in sorted(CASES.glob("*/*.expect.json")) if (case := Case(path)).operation]


def check_answer(case: Case, answer: Response, *, streamed: bool = True) -> None:
    """Compares a whole answer with the expect file. White space between pieces of reasoning is not compared."""
    expect = case.expect
    assert expect["error"] is None, f"an error was expected, and not {answer!r}"
    refusal = expect.get("refusal", "")
    texts = {expect.get("text_streamed", expect["text"]) if streamed else expect["text"]}
    assert answer.text in (texts | {"", refusal} if refusal else texts)
    assert answer.refusal == refusal
    assert "".join(answer.reasoning.split()) == "".join(expect["reasoning"].split())
    assert [_call(call.name, call.arguments) for call in answer.tool_calls] == [
        (wanted["name"], wanted["arguments"]) for wanted in expect["tool_calls"]
    ]
    for call, wanted in zip(answer.tool_calls, expect["tool_calls"]):
        assert call.id == (wanted["id"] or call.id)
        assert call.id
    if not (refusal and answer.finish_reason == "content_filter"):
        assert answer.finish_reason == expect["finish_reason"]
    assert answer.raw_finish_reason == expect["raw_finish_reason"]
    assert answer.model == expect["model"]
    assert answer.id == (expect["id"] or answer.id)
    check_usage(expect["usage"], answer.usage)


def check_result(case: Case, result: Any) -> None:
    """Compares the vectors, the models or the count of an answer with the expect file."""
    expect = case.expect
    assert expect["error"] is None, f"an error was expected, and not {result!r}"
    if case.operation == "embed":
        wanted = expect["embeddings"]
        assert (len(result), result.dimensions) == (wanted["count"], wanted["dimensions"])
        for vector, head in zip(result, wanted["head"]):
            assert list(vector[: len(head)]) == pytest.approx(head, abs=1e-6)
        check_usage(expect["usage"], result.usage)
    elif case.operation == "list_models":
        assert [model.id for model in result] == expect["models"]
    else:
        assert result == expect["total_tokens"]


def _call(name: str, arguments: str) -> tuple[str, Any]:
    """A tool call with its arguments read; free text, and what is no JSON, stays text."""
    try:
        return name, json.loads(arguments or "{}")
    except ValueError:
        return name, arguments


def check_usage(wanted: dict[str, int | None], usage: Any) -> None:
    """Counts that the expect file does not know are not compared; no cached tokens are as good as none mentioned."""
    for name, count in wanted.items():
        optional = name in {"cached_tokens", "reasoning_tokens"}
        if count is not None:
            assert (getattr(usage, name) or (0 if optional else None)) == count or getattr(usage, name) == count, name


def check_error(case: Case, error: errors.PyAgentError) -> None:
    """Compares what was raised with the expect file."""
    wanted = case.expect["error"]
    assert wanted is not None, f"no error was expected, and not {error!r}"
    assert isinstance(error, KINDS[wanted["class"]]), repr(error)
    assert error.status_code == wanted["status_code"]
    assert bool(error.code) >= bool(wanted["code"])
    assert str(error.code or "").encode() in case.body
    assert error.message
    assert error.partial_text == case.expect.get("text_streamed", case.expect["text"])
