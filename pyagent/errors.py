"""Every exception that pyagent raises on purpose, as a tree. Which error of the core is which, is in _kinds.py.

PyAgentError(Exception)
├── APIConnectionError(ConnectionError)          no answer: name, refused, TLS, reset
│   ├── APITimeoutError(TimeoutError)            one of the four clocks ran out
│   └── StreamInterruptedError                   the answer broke off before its end
├── APIStatusError(RuntimeError)                 the vendor said no
│   ├── BadRequestError                          400
│   │   ├── ContextWindowExceededError           the prompt is too long for the model
│   │   └── ContentPolicyViolationError          refused by the vendor's filter
│   ├── AuthenticationError                      401
│   ├── PermissionDeniedError                    403
│   ├── NotFoundError                            404
│   ├── ConflictError                            409
│   ├── UnprocessableEntityError                 422
│   ├── RateLimitError                           429: wait, then try again
│   ├── QuotaExceededError                       402, 429: used up, waiting does not help
│   └── InternalServerError                      500
│       └── ServiceUnavailableError              503, 529: down or overloaded
├── ResponseParseError(RuntimeError)             a 200 answer that is not what was asked for
│   └── ObjectError                              an answer without the object that was asked for
│       ├── ObjectValidationError                it does not fit the schema, after all repairs
│       ├── ObjectRefusedError                   the model or the vendor's filter refused
│       └── ObjectTruncatedError                 max_tokens ended the answer before the object did
├── ConfigurationError(ValueError)               a bad option, found before any request
├── UnsupportedFeatureError(ValueError)          the vendor or the method cannot honour an option
├── BudgetExceededError(RuntimeError)            more than a `Budget` of your own allows, found before any request
├── ConversationBusyError(RuntimeError)          another turn of the conversation has not ended
├── StreamCancelledError                         reading on after close() or cancel()
├── LimitExceededError(RuntimeError)             the answer is larger than `Limits` allow
├── ToolError(RuntimeError)                      a tool cannot do what it was called for
├── ToolLimitError(RuntimeError)                 the model asks for tools beyond max_steps or the budget
├── HookError(RuntimeError)                      a hook of yours failed
└── InternalError(RuntimeError)                  pyagent itself failed, or its library cannot be used
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .rate_limits import RateLimits
    from .response import Response, Usage
    from .tool_run import ToolRun

__all__ = [
    "PyAgentError",
    "APIConnectionError",
    "APITimeoutError",
    "StreamInterruptedError",
    "APIStatusError",
    "BadRequestError",
    "ContextWindowExceededError",
    "ContentPolicyViolationError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "ConflictError",
    "UnprocessableEntityError",
    "RateLimitError",
    "QuotaExceededError",
    "InternalServerError",
    "ServiceUnavailableError",
    "ResponseParseError",
    "ObjectError",
    "ObjectValidationError",
    "ObjectRefusedError",
    "ObjectTruncatedError",
    "ConfigurationError",
    "UnsupportedFeatureError",
    "BudgetExceededError",
    "ConversationBusyError",
    "StreamCancelledError",
    "LimitExceededError",
    "ToolError",
    "ToolLimitError",
    "HookError",
    "InternalError",
]


class PyAgentError(Exception):
    """The base of every pyagent exception; all of them carry the same attributes, None where nothing is known.

    Attributes:
        message: What went wrong, in one sentence.
        provider, model: Whom was asked.
        deployment: Which deployment of a `Router` was; None without one.
        status_code: The HTTP status of the vendor's answer.
        code, param: The vendor's machine-readable word, and the option at fault.
        clock: For timeouts, which of connect, first_token, idle and total ran out.
        clock_seconds: How long that clock had to run.
        request_id: The vendor's id of the request, worth quoting to its support.
        retry_after: Seconds that the vendor asks to wait.
        is_retryable: Whether the same request may succeed later.
        attempts: How many requests were sent.
        retries: The attempts that another one followed, as dicts: attempt (from 1), wait (seconds up to the next one),
            kind, message, and status_code where there was one.
        partial_text: The text that had arrived before the failure ("" when there was none).
        body: The vendor's raw error body.
        response: What was known of the answer when it broke (id, model, usage, headers), as a dict.
        run: Of the methods that call tools, the ToolRun up to there.
    """

    message: str
    run: ToolRun | None = None

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        deployment: str | None = None,
        status_code: int | None = None,
        code: str | None = None,
        param: str | None = None,
        clock: str | None = None,
        clock_seconds: float | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        is_retryable: bool = False,
        attempts: int = 0,
        retries: list[dict[str, Any]] | None = None,
        partial_text: str = "",
        body: str | None = None,
        response: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.model = model
        self.deployment = deployment
        self.status_code = status_code
        self.code = code
        self.param = param
        self.clock = clock
        self.clock_seconds = clock_seconds
        self.request_id = request_id
        self.retry_after = retry_after
        self.is_retryable = is_retryable
        self.attempts = attempts
        self.retries = retries or []
        self.partial_text = partial_text
        self.body = body
        self.response = response if response is not None else {}

    @property
    def retry_delay(self) -> float | None:
        """Seconds to wait before the same request is made again; None where that is no use, or no time is known."""
        return self.retry_after if self.is_retryable else None

    @property
    def rate_limits(self) -> RateLimits:
        """What the vendor said of its rate limits with this error; false when it said nothing."""
        from .rate_limits import RateLimits

        return RateLimits.from_headers(self.response.get("headers") or {})

    def __str__(self) -> str:
        if self.status_code is None or self.status_code < 400:
            return self.message
        return f"API error ({_status_text(self.status_code)}): {self.message}"


class APIConnectionError(PyAgentError, ConnectionError):
    """The vendor could not be reached, or the connection broke."""


class APITimeoutError(APIConnectionError, TimeoutError):
    """One of the four clocks of `Timeouts` ran out; `clock` says which."""


class StreamInterruptedError(APIConnectionError):
    """The answer broke off before the vendor's terminal signal; `partial_text` holds what had arrived."""


class APIStatusError(PyAgentError, RuntimeError):
    """The vendor answered with an error."""


class BadRequestError(APIStatusError):
    """The vendor cannot accept the request as it is."""


class ContextWindowExceededError(BadRequestError):
    """The prompt is longer than the model can take."""


class ContentPolicyViolationError(BadRequestError):
    """The vendor's filter refused the request or the answer."""


class AuthenticationError(APIStatusError):
    """The key is missing, wrong or expired."""


class PermissionDeniedError(APIStatusError):
    """The key is valid but not allowed to do this."""


class NotFoundError(APIStatusError):
    """The vendor does not know this model or address."""


class ConflictError(APIStatusError):
    """The request collides with the state at the vendor."""


class UnprocessableEntityError(APIStatusError):
    """The vendor understood the request but finds its values invalid."""


class RateLimitError(APIStatusError):
    """Too many requests: wait for `retry_after` seconds, then try again."""


class QuotaExceededError(APIStatusError):
    """The account's credit or quota is used up: waiting does not help."""


class InternalServerError(APIStatusError):
    """The vendor failed."""


class ServiceUnavailableError(InternalServerError):
    """The vendor is down or overloaded."""


class ResponseParseError(PyAgentError, RuntimeError):
    """The vendor said yes, but its answer is not what was asked for."""


class ObjectError(ResponseParseError):
    """A model answered, but not with the object that was asked for. What it wrote last is in `text`.

    Attributes:
        text: The last answer as the model wrote it; the arguments of its tool call, where the object came so.
        errors: What is wrong with it, a sentence for each mistake.
        usage: The tokens of all answers together.
        mode: How the object was asked for: "strict", "tool" or "prompt".
        answer: The last answer as a Response; `response` is for what was known of a broken one, {} here.
        attempts: How many answers the model gave.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        errors: list[str] | None = None,
        usage: Usage | None = None,
        mode: str | None = None,
        answer: Response | None = None,
        attempts: int = 1,
        provider: str | None = None,
        model: str | None = None,
    ) -> None:
        super().__init__(message, provider=provider, model=model, attempts=attempts, partial_text=text)
        self.text = text
        self.errors = errors or []
        self.usage = usage
        self.mode = mode
        self.answer = answer


class ObjectValidationError(ObjectError):
    """The object does not fit the schema, and the repairs are used up; `errors` says what is wrong."""


class ObjectRefusedError(ObjectError):
    """The model refused to answer, or the vendor's filter stopped it; `text` has its words."""


class ObjectTruncatedError(ObjectError):
    """The answer reached max_tokens, or the model's limit, before the object was complete."""


class ConfigurationError(PyAgentError, ValueError):
    """An option is wrong; nothing was sent."""


class UnsupportedFeatureError(PyAgentError, ValueError):
    """The vendor or the method cannot honour an option; nothing was sent."""


class BudgetExceededError(PyAgentError, RuntimeError):
    """The request may cost more than is left of your own `Budget`; nothing was sent.

    `param` says which cap it is, "budget.usd" or "budget.tokens", and `retry_after` when the next period begins.
    """


class ConversationBusyError(PyAgentError, RuntimeError):
    """Another turn of the conversation has not ended: wait for its answer, close its stream, or ask a `fork()`."""


class StreamCancelledError(PyAgentError):
    """The stream was closed before its end: `partial_text` is not the whole answer."""


class LimitExceededError(PyAgentError, RuntimeError):
    """The answer is larger than `Limits` allow."""


class ToolError(PyAgentError, RuntimeError):
    """A tool cannot do what it was called for. A tool that raises it tells the model the message and nothing else."""


class ToolLimitError(PyAgentError, RuntimeError):
    """The model asks for more tools than `max_steps` or the budget allow; `run` has everything up to there."""

    run: ToolRun  # which the methods that call tools always give it


class HookError(PyAgentError, RuntimeError):
    """A hook failed; `__cause__` is what it raised. The connection is closed.

    Attributes:
        hook: The name of the function, or of the class of the Hook.
    """

    hook: str = ""


class InternalError(PyAgentError, RuntimeError):
    """pyagent itself failed, or its library cannot be used in this process."""


def _status_text(status: int) -> str:
    from http import HTTPStatus  # only here: the import is not free and errors are rare

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
