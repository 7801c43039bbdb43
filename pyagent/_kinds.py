"""From the core's closed list of error kinds to the exception classes."""

from __future__ import annotations

from . import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A test holds this equal to the core's own list.
KINDS: dict[str, type[errors.PyAgentError]] = {
    "connection": errors.APIConnectionError,
    "timeout": errors.APITimeoutError,
    "stream_interrupted": errors.StreamInterruptedError,
    "bad_request": errors.BadRequestError,
    "context_window_exceeded": errors.ContextWindowExceededError,
    "content_policy_violation": errors.ContentPolicyViolationError,
    "authentication": errors.AuthenticationError,
    "permission_denied": errors.PermissionDeniedError,
    "not_found": errors.NotFoundError,
    "conflict": errors.ConflictError,
    "unprocessable_entity": errors.UnprocessableEntityError,
    "rate_limit": errors.RateLimitError,
    "quota_exceeded": errors.QuotaExceededError,
    "internal_server": errors.InternalServerError,
    "service_unavailable": errors.ServiceUnavailableError,
    "response_parse": errors.ResponseParseError,
    "configuration": errors.ConfigurationError,
    "unsupported_feature": errors.UnsupportedFeatureError,
    "cancelled": errors.StreamCancelledError,
    "limit_exceeded": errors.LimitExceededError,
    "budget_exceeded": errors.BudgetExceededError,
    "internal": errors.InternalError,
}

_FIELDS = (
    "provider",
    "model",
    "deployment",
    "status_code",
    "code",
    "param",
    "clock",
    "clock_seconds",
    "request_id",
    "retry_after",
    "is_retryable",
    "attempts",
    "retries",
    "body",
    "response",
)


def make_error(payload: dict[str, Any], partial_text: str = "") -> errors.PyAgentError:
    """Makes the exception for the payload of an ERROR frame."""
    known = {name: payload[name] for name in _FIELDS if name in payload}
    kind = KINDS.get(payload.get("kind", ""), errors.InternalError)
    return kind(payload.get("message", "no message"), partial_text=partial_text, **known)
