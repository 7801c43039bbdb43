"""Answers as bytes, written by hand: no HTTP library stands between a test and the wire."""

from __future__ import annotations

import json


class Wire:
    """The bytes of answers, written by hand."""

    done = b"data: [DONE]\n\n"
    end = b"0\r\n\r\n"  # of a chunked body

    @staticmethod
    def head(*lines: str, status: str = "HTTP/1.1 200 OK", kind: str = "text/event-stream") -> bytes:
        said = [status, *([f"content-type: {kind}"] if kind else []), *lines]
        return "\r\n".join([*said, "\r\n"]).encode("latin-1")

    @staticmethod
    def piece(text: str, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        event = {"id": "c1", "model": "m", "choices": [choice]}
        return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()

    @staticmethod
    def chunk(data: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(data), data)

    @classmethod
    def whole(cls, text: str, *lines: str) -> bytes:
        """A complete one-shot answer."""
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        body = json.dumps({"id": "c1", "model": "m", "choices": [choice]}, ensure_ascii=False).encode()
        return cls.head(f"content-length: {len(body)}", *lines, kind="application/json") + body
