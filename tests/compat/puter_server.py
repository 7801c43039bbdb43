"""A Puter on loopback, written after the source of the real one: logins, one-time codes, the chat driver, models."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS = [
    {"id": "claude-opus-4", "provider": "claude", "aliases": ["opus"], "context": 200000},
    {"id": "gpt-5", "provider": "openai-completion"},
]


class Puter:
    """The server and what it was asked. `answers` are played before it begins to say messages back."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []  # path, authorization, body
        self.answers: list[tuple[int, Any]] = []
        self.tokens = {"T0"}
        self._logins = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self) -> list[str]:
        return [request["path"] for request in self.asked]

    def chats(self) -> list[dict[str, Any]]:
        return [request["body"] for request in self.asked if request["path"] == "/drivers/call"]

    def answer(self, path: str, body: dict[str, Any], authorization: str) -> tuple[int, Any]:
        """Status and JSON; a list is a stream's lines."""
        if path.startswith("/login"):
            return self._one_time(body) if path == "/login/otp" else self._login(body)
        if path == "/puterai/chat/models/details":
            return 200, {"models": MODELS}
        if path != "/drivers/call":
            return 404, {"error": "no such route", "code": "not_found"}
        return self._chat(body, authorization)

    def _chat(self, body: dict[str, Any], authorization: str) -> tuple[int, Any]:
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"error": "Authentication failed.", "code": "token_auth_failed"}
        if self.answers:
            return self.answers.pop(0)
        said = body["args"]["messages"][-1]["content"]
        text = said if isinstance(said, str) else f"{len(said)} parts"
        usage = {"prompt_tokens": 5, "completion_tokens": 2}
        if body["args"]["stream"]:
            words = [{"type": "text", "text": word} for word in text.split(" ")]
            return 200, [*words, {"type": "usage", "usage": usage}]
        message = {"role": "assistant", "content": text}
        return 200, {"success": True, "result": {"message": message, "finish_reason": "stop", "usage": usage}}

    def _one_time(self, body: dict[str, Any]) -> tuple[int, Any]:
        right = body == {"token": "otp", "code": "123456"}
        return 200, self._new_token() if right else {"proceed": False}

    def _login(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("username", body.get("email")) not in {"me", "careful", "me@example.org"}:
            return 404, {"error": "Username not found.", "code": "not_found"}
        if body["password"] != "right":
            return 400, {"error": "Invalid password.", "code": "password_mismatch"}
        if body.get("username") == "careful":
            return 202, {"proceed": True, "next_step": "otp", "otp_jwt_token": "otp"}
        return 200, self._new_token()

    def _new_token(self) -> dict[str, Any]:
        self._logins += 1
        self.tokens.add(f"T{self._logins}")
        return {"proceed": True, "next_step": "complete", "token": f"T{self._logins}"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        puter = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def _answer(self, body: dict[str, Any]) -> None:
                authorization = self.headers.get("authorization", "")
                headers = {name.lower(): value for name, value in self.headers.items()}
                puter.asked.append({"path": self.path, "key": authorization, "body": body, "headers": headers})
                status, said = puter.answer(self.path, body, authorization)
                if isinstance(said, list):
                    content = "".join(f"{json.dumps(line)}\n" for line in said).encode()
                else:
                    content = json.dumps(said).encode()
                self.send_response(status)
                kind = "application/x-ndjson" if isinstance(said, list) else "application/json"
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        return Handler
