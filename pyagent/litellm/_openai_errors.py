"""The exception classes that litellm's are derived from: those of the package openai where it can be imported, so that
`except openai.RateLimitError` goes on to work, and otherwise a tree of the same names."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OpenAIError(Exception):
    """The base of all of them."""


class APIError(OpenAIError):
    """The vendor, or the way to it, failed."""


class APIResponseValidationError(APIError):
    """The answer is not what was asked for."""


class APIStatusError(APIError):
    """The vendor said no."""


class APIConnectionError(APIError):
    """There was no answer."""


class APITimeoutError(APIConnectionError):
    """There was no answer in time."""


class BadRequestError(APIStatusError):
    """400"""


class AuthenticationError(APIStatusError):
    """401"""


class PermissionDeniedError(APIStatusError):
    """403"""


class NotFoundError(APIStatusError):
    """404"""


class UnprocessableEntityError(APIStatusError):
    """422"""


class RateLimitError(APIStatusError):
    """429"""


class InternalServerError(APIStatusError):
    """500 and above"""


class ErrorResponse:
    """The vendor's answer, for programs that have no httpx: what they read of an httpx.Response."""

    def __init__(self, status_code: int, headers: dict[str, str], text: str, url: str) -> None:
        self.status_code = status_code
        self.headers = headers
        self.text = text
        self.url = url

    @property
    def content(self) -> bytes:
        """The body."""
        return self.text.encode()

    def json(self) -> Any:
        """The body, parsed."""
        from json import loads

        return loads(self.text)

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"


def make_response(status_code: int, headers: dict[str, str], text: str, url: str) -> Any:
    """The vendor's answer as a Response of the httpx that openai uses, or as an ErrorResponse where there is none."""
    httpx = None if openai is None else _find_httpx()
    if httpx is None:
        return ErrorResponse(status_code, headers, text, url)
    # The body is decoded already, and its length is another one.
    kept = {name: value for name, value in headers.items() if name not in {"content-encoding", "content-length"}}
    return httpx.Response(status_code, headers=kept, content=text.encode(), request=httpx.Request("POST", url))


def _find_httpx() -> Any:
    """The package that openai has imported: httpx2 since its version 3, httpx before."""
    return sys.modules.get("httpx2") or sys.modules.get("httpx")


_NAMES = (
    "OpenAIError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APIConnectionError",
    "APITimeoutError",
    "BadRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "UnprocessableEntityError",
    "RateLimitError",
    "InternalServerError",
)
try:
    openai: Any = import_module("openai")
except ImportError:
    openai = None
else:
    globals().update((name, getattr(openai, name)) for name in _NAMES)
