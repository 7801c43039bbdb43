"""Which of litellm's exceptions an error of pyagent is."""

from __future__ import annotations

from pyagent import errors

from . import _openai_errors, exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# From the special to the general: the first that fits counts. The status comes before these, except where the kind says
# more than a status can.
_BY_KIND: tuple[tuple[type[errors.PyAgentError], type[exceptions.LiteLLMEdgeError]], ...] = (
    (errors.ContextWindowExceededError, exceptions.ContextWindowExceededError),
    (errors.ContentPolicyViolationError, exceptions.ContentPolicyViolationError),
    (errors.QuotaExceededError, exceptions.RateLimitError),
    (errors.UnsupportedFeatureError, exceptions.UnsupportedParamsError),
    (errors.ConfigurationError, exceptions.BadRequestError),
    (errors.APITimeoutError, exceptions.Timeout),
    (errors.APIConnectionError, exceptions.APIConnectionError),
    (errors.ResponseParseError, exceptions.APIResponseValidationError),
    (errors.RateLimitError, exceptions.RateLimitError),
    (errors.StreamCancelledError, exceptions.APIConnectionError),
)
_BY_STATUS = {
    400: exceptions.BadRequestError,
    401: exceptions.AuthenticationError,
    402: exceptions.PaymentRequiredError,
    403: exceptions.PermissionDeniedError,
    404: exceptions.NotFoundError,
    408: exceptions.Timeout,
    422: exceptions.UnprocessableEntityError,
    429: exceptions.RateLimitError,
    500: exceptions.InternalServerError,
    502: exceptions.BadGatewayError,
    503: exceptions.ServiceUnavailableError,
    504: exceptions.Timeout,
}
_SAID_BEFORE = (errors.ContextWindowExceededError, errors.ContentPolicyViolationError, errors.UnsupportedFeatureError)


def translate(error: errors.PyAgentError, provider: str, model: str, url: str = "") -> exceptions.LiteLLMEdgeError:
    """Makes litellm's exception of an error of pyagent."""
    kind = _kind(error)
    name = {"openai": "OpenAI"}.get(provider, provider[:1].upper() + provider[1:])
    prefix = "" if kind is exceptions.BadRequestError else f"{kind.__name__}: "
    message = f"{prefix}{name}Exception - {error.message}"
    status = error.status_code if error.status_code and error.status_code >= 400 else None
    headers = error.response.get("headers") or {}
    more: dict[str, Any] = {
        "headers": headers,
        "body": _body(error),
        "response": _openai_errors.make_response(
            status or kind.status_code, headers, error.body or "", url or "https://litellm.ai"
        ),
        "num_retries": max(error.attempts - 1, 0) or None,
    }
    if kind is exceptions.APIError:
        made: exceptions.LiteLLMEdgeError = exceptions.APIError(status or 500, message, provider, model, **more)
    else:
        made = kind(message, llm_provider=provider, model=model, status_code=status, **more)
    made.request_id = error.request_id or made.request_id
    made.code = made.code or error.code
    made.param = made.param or error.param
    return made


def translate_mid_stream(
    error: errors.PyAgentError, provider: str, model: str, url: str, seen: str
) -> exceptions.LiteLLMEdgeError:
    """The same for a stream that has begun: what might go on elsewhere says what had arrived."""
    made = translate(error, provider, model, url)
    if isinstance(made, exceptions.Timeout) or (made.status_code < 500 and made.status_code != 429):
        return made
    broken = exceptions.MidStreamFallbackError(
        made.message, model, provider, original_exception=made, generated_content=seen, response=made.response
    )
    broken.__cause__ = made
    return broken


def _kind(error: errors.PyAgentError) -> type[exceptions.LiteLLMEdgeError]:
    if isinstance(error, errors.ConfigurationError) and error.param in {"api_key", "extra_api_keys"}:
        return exceptions.AuthenticationError
    status = error.status_code
    if status in _BY_STATUS and not isinstance(error, _SAID_BEFORE):
        return _BY_STATUS[status]
    for kind, ours in _BY_KIND:
        if isinstance(error, kind):
            return ours
    return exceptions.APIError


def _body(error: errors.PyAgentError) -> Any:
    """The vendor's error object, or its whole answer where there is no such object in it."""
    if not error.body:
        return None
    from json import loads

    try:
        body = loads(error.body)
    except ValueError:
        return error.body
    return body.get("error", body) if isinstance(body, dict) else body
