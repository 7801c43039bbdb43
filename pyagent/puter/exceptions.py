"""The exceptions of the Puter SDK, with what pyagent knows about a failure.

PuterError(Exception)
    PuterAuthError    the name, the password, the code or the token was refused, or there is none
    PuterAPIError     everything else
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyagent.errors import PyAgentError

__all__ = ["PuterAPIError", "PuterAuthError", "PuterError"]


class PuterError(Exception):
    """The base of both. `__cause__` is the exception of `pyagent.errors` where there was a request.

    Attributes:
        status_code, code, request_id: As Puter says; None where it does not.
        retry_after: Seconds that Puter asks to wait.
        is_retryable: Whether the same request may succeed later.
        partial_text: The text that had arrived before the failure.
    """

    def __init__(self, message: str = "", cause: PyAgentError | None = None) -> None:
        super().__init__(message)
        self.status_code = cause.status_code if cause else None
        self.code = cause.code if cause else None
        self.request_id = cause.request_id if cause else None
        self.retry_after = cause.retry_after if cause else None
        self.is_retryable = cause.is_retryable if cause else False
        self.partial_text = cause.partial_text if cause else ""


class PuterAuthError(PuterError):
    """Puter does not know who asks, or does not believe it."""


class PuterAPIError(PuterError):
    """A request failed, or its answer holds none."""
