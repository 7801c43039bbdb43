"""litellm's exception classes, all of them edgequake's LiteLLMEdgeError too, over the classes of the package openai.

LiteLLMEdgeError (EdgeQuakeError)
├── APIError(openai.APIError)                              any status that has no class of its own
│   └── PermissionDeniedError(openai.PermissionDeniedError)             403
├── BadRequestError(openai.BadRequestError)                             400
│   ├── ContextWindowExceededError, ContentPolicyViolationError         400
│   ├── UnsupportedParamsError, LiteLLMUnknownProvider                  found before anything was sent
│   ├── PaymentRequiredError                                            402
│   └── UnprocessableEntityError(openai.UnprocessableEntityError)       422
├── AuthenticationError(openai.AuthenticationError)                     401
├── NotFoundError(openai.NotFoundError), ModelNotFoundError             404
├── Timeout(openai.APITimeoutError)                                     408, and every clock
├── RateLimitError(openai.RateLimitError)                               429
├── APIConnectionError(openai.APIConnectionError)                       no answer
├── APIResponseValidationError, JSONSchemaValidationError               not what was asked for
├── InternalServerError(openai.InternalServerError)                     500
├── BadGatewayError(openai.APIStatusError)                              502
├── ServiceUnavailableError(openai.APIStatusError)                      503
│   └── MidStreamFallbackError                             a stream that broke after its beginning
├── BudgetExceededError                                    what was to be spent is spent
└── NotImplementedError(NotImplementedError)               what this package does not do
"""

from __future__ import annotations

import builtins

from . import _openai_errors as openai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "AuthenticationError",
    "BadGatewayError",
    "BadRequestError",
    "BudgetExceededError",
    "ContentPolicyViolationError",
    "ContextWindowExceededError",
    "EdgeQuakeError",
    "InternalServerError",
    "InvalidRequestError",
    "JSONSchemaValidationError",
    "LiteLLMEdgeError",
    "LiteLLMUnknownProvider",
    "MidStreamFallbackError",
    "ModelNotFoundError",
    "NotFoundError",
    "NotImplementedError",
    "OpenAIError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServiceUnavailableError",
    "Timeout",
    "UnprocessableEntityError",
    "UnsupportedParamsError",
]

OpenAIError = openai.OpenAIError


class LiteLLMEdgeError(Exception):
    """The base of all exceptions here.

    Attributes:
        message: The class and what went wrong.
        llm_provider, model: Who was asked.
        status_code: The HTTP status, or the one that stands for what happened.
        response: The vendor's answer, with status_code, headers and text.
        body, code, param, type: Its error object and what that says.
        request_id: The vendor's id of the request.
        num_retries, max_retries: How often it was repeated, and how often it might have been.
    """

    status_code: int = 500

    def __init__(
        self,
        message: str,
        llm_provider: str | None = "",
        model: str | None = "",
        status_code: int | None = None,
        *,
        response: Any = None,
        litellm_debug_info: str | None = None,
        max_retries: int | None = None,
        num_retries: int | None = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
    ) -> None:
        self.message = f"litellm.{type(self).__name__}: {message}"
        Exception.__init__(self, self.message)
        self.llm_provider = llm_provider
        self.model = model
        self.status_code = type(self).status_code if status_code is None else status_code
        self.litellm_debug_info = litellm_debug_info
        self.max_retries = max_retries
        self.num_retries = num_retries
        self.headers = headers
        address = "https://litellm.ai"
        self.response = response or openai.make_response(self.status_code, headers or {}, "", address)
        self.request = getattr(self.response, "request", None)
        self.request_id = self.response.headers.get("x-request-id")
        self.body = body
        said = body if isinstance(body, dict) else {}
        self.code, self.param, self.type = said.get("code"), said.get("param"), said.get("type")

    def __str__(self) -> str:
        text = self.message
        if self.num_retries:
            text += f" LiteLLM Retried: {self.num_retries} times"
        if self.max_retries:
            text += f", LiteLLM Max Retries: {self.max_retries}"
        return text

    def __repr__(self) -> str:
        return str(self)

    def __reduce__(self) -> Any:
        return _revive, (type(self), self.message, {**self.__dict__, "response": None, "request": None})


EdgeQuakeError = LiteLLMEdgeError


def _revive(kind: type[LiteLLMEdgeError], message: str, state: dict[str, Any]) -> LiteLLMEdgeError:
    """Makes an exception of what pickle kept: without the response, which holds a connection's request."""
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class APIError(LiteLLMEdgeError, openai.APIError):
    """A status without a class of its own. As in litellm, the status comes first."""

    def __init__(
        self, status_code: int, message: str, llm_provider: str | None = "", model: str | None = "", **more: Any
    ) -> None:
        more.pop("request", None)
        super().__init__(message, llm_provider, model, status_code, **more)


class PermissionDeniedError(APIError, openai.PermissionDeniedError):
    """The key may not do this."""

    status_code = 403

    def __init__(self, message: str, llm_provider: str | None = "", model: str | None = "", **more: Any) -> None:
        super().__init__(more.pop("status_code", None) or 403, message, llm_provider, model, **more)


class _ModelFirst(LiteLLMEdgeError):
    """litellm names the model before the vendor in these."""

    def __init__(self, message: str, model: str | None = None, llm_provider: str | None = None, **more: Any) -> None:
        super().__init__(message, llm_provider, model, **more)


class BadRequestError(_ModelFirst, openai.BadRequestError):
    """The vendor cannot accept the request as it is."""

    status_code = 400


class ContextWindowExceededError(BadRequestError):
    """The prompt is longer than the model can take."""


class ContentPolicyViolationError(BadRequestError):
    """The vendor's filter refused the request or the answer."""


class UnsupportedParamsError(BadRequestError):
    """The vendor, or this package, cannot honour an argument; nothing was sent."""


class LiteLLMUnknownProvider(BadRequestError):
    """Nothing is known of who has this model."""


class InvalidRequestError(BadRequestError):
    """The older name of BadRequestError; nothing here raises it."""


class PaymentRequiredError(BadRequestError):
    """The account's credit or quota is used up."""

    status_code = 402


class UnprocessableEntityError(BadRequestError, openai.UnprocessableEntityError):
    """The vendor understood the request but finds its values invalid."""

    status_code = 422


class AuthenticationError(LiteLLMEdgeError, openai.AuthenticationError):
    """The key is missing, wrong or expired."""

    status_code = 401


class NotFoundError(_ModelFirst, openai.NotFoundError):
    """The vendor does not know this model or address."""

    status_code = 404


ModelNotFoundError = NotFoundError


class Timeout(_ModelFirst, openai.APITimeoutError):
    """There was no answer in time."""

    status_code = 408


class RateLimitError(LiteLLMEdgeError, openai.RateLimitError):
    """Too many requests."""

    status_code = 429
    category = "vendor_rate_limit"
    rate_limit_type: str | None = None


class APIConnectionError(LiteLLMEdgeError, openai.APIConnectionError):
    """The vendor could not be reached, or the connection broke."""

    status_code = 500


class APIResponseValidationError(LiteLLMEdgeError, openai.APIResponseValidationError):
    """The vendor said yes, but its answer is not what was asked for."""

    status_code = 500


class JSONSchemaValidationError(APIResponseValidationError):
    """The answer does not keep to the schema."""


class InternalServerError(LiteLLMEdgeError, openai.InternalServerError):
    """The vendor failed."""

    status_code = 500


class BadGatewayError(LiteLLMEdgeError, openai.APIStatusError):
    """Something between the vendor and us failed."""

    status_code = 502


class ServiceUnavailableError(LiteLLMEdgeError, openai.APIStatusError):
    """The vendor is down or overloaded."""

    status_code = 503


class MidStreamFallbackError(ServiceUnavailableError):
    """A stream broke after its beginning: `generated_content` is what had arrived."""

    def __init__(
        self,
        message: str,
        model: str | None = None,
        llm_provider: str | None = None,
        original_exception: Exception | None = None,
        generated_content: str = "",
        is_pre_first_chunk: bool = False,
        **more: Any,
    ) -> None:
        status = getattr(original_exception, "status_code", None)
        super().__init__(message, llm_provider, model, status, **more)
        self.original_exception = original_exception
        self.generated_content = generated_content
        self.is_pre_first_chunk = is_pre_first_chunk


class BudgetExceededError(LiteLLMEdgeError):
    """What was to be spent is spent; nothing was sent."""

    status_code = 429

    def __init__(self, current_cost: float, max_budget: float, message: str | None = None) -> None:
        self.current_cost, self.max_budget = current_cost, max_budget
        super().__init__(message or f"Budget has been exceeded! Current cost: {current_cost}, Max budget: {max_budget}")


class NotImplementedError(LiteLLMEdgeError, builtins.NotImplementedError):  # noqa: A001  # edgequake's name
    """What this package does not do."""

    status_code = 501
