"""The exception tree: bases, attributes, text, pickling, and one class for each kind of the core."""

from __future__ import annotations

import pickle

import pytest

import pyagent
from pyagent import _loading, errors
from pyagent._kinds import KINDS, make_error

BASES = {
    "APIConnectionError": (errors.PyAgentError, ConnectionError),
    "APITimeoutError": (errors.APIConnectionError, TimeoutError),
    "StreamInterruptedError": (errors.APIConnectionError,),
    "APIStatusError": (errors.PyAgentError, RuntimeError),
    "BadRequestError": (errors.APIStatusError,),
    "ContextWindowExceededError": (errors.BadRequestError,),
    "ContentPolicyViolationError": (errors.BadRequestError,),
    "AuthenticationError": (errors.APIStatusError,),
    "PermissionDeniedError": (errors.APIStatusError,),
    "NotFoundError": (errors.APIStatusError,),
    "ConflictError": (errors.APIStatusError,),
    "UnprocessableEntityError": (errors.APIStatusError,),
    "RateLimitError": (errors.APIStatusError,),
    "QuotaExceededError": (errors.APIStatusError,),
    "InternalServerError": (errors.APIStatusError,),
    "ServiceUnavailableError": (errors.InternalServerError,),
    "ResponseParseError": (errors.PyAgentError, RuntimeError),
    "ObjectError": (errors.ResponseParseError,),
    "ObjectValidationError": (errors.ObjectError,),
    "ObjectRefusedError": (errors.ObjectError,),
    "ObjectTruncatedError": (errors.ObjectError,),
    "ConfigurationError": (errors.PyAgentError, ValueError),
    "UnsupportedFeatureError": (errors.PyAgentError, ValueError),
    "ConversationBusyError": (errors.PyAgentError, RuntimeError),
    "StreamCancelledError": (errors.PyAgentError,),
    "LimitExceededError": (errors.PyAgentError, RuntimeError),
    "BudgetExceededError": (errors.PyAgentError, RuntimeError),
    "ToolError": (errors.PyAgentError, RuntimeError),
    "ToolLimitError": (errors.PyAgentError, RuntimeError),
    "HookError": (errors.PyAgentError, RuntimeError),
    "InternalError": (errors.PyAgentError, RuntimeError),
}


def test_the_tree_is_as_drawn() -> None:
    assert set(errors.__all__) == {*BASES, "PyAgentError"}
    for name, bases in BASES.items():
        assert getattr(errors, name).__bases__ == bases
        assert name in (errors.__doc__ or "")
        assert getattr(pyagent, name) is getattr(errors, name)


def test_every_kind_of_the_core_has_a_class() -> None:
    assert sorted(_loading.runtime().inspect()["error_kinds"]) == sorted(KINDS)
    of_python = {
        errors.ConversationBusyError,
        errors.HookError,
        errors.ToolError,
        errors.ToolLimitError,
        errors.ObjectError,
    }  # the core knows nothing of
    of_python |= set(errors.ObjectError.__subclasses__())
    assert set(KINDS.values()) == {getattr(errors, name) for name in BASES} - {errors.APIStatusError} - of_python


def test_an_error_carries_what_the_core_knows() -> None:
    error = make_error(
        {
            "kind": "rate_limit",
            "message": "slow down",
            "provider": "openai",
            "model": "m",
            "status_code": 429,
            "code": "requests",
            "request_id": "r1",
            "retry_after": 1.5,
            "is_retryable": True,
            "attempts": 3,
            "body": "{}",
            "response": {"id": "x"},
        },
        "so far",
    )
    assert type(error) is errors.RateLimitError
    assert (error.provider, error.model, error.code, error.request_id) == ("openai", "m", "requests", "r1")
    assert (error.status_code, error.retry_after, error.is_retryable, error.attempts) == (429, 1.5, True, 3)
    assert (error.partial_text, error.body, error.response) == ("so far", "{}", {"id": "x"})


def test_a_kind_from_a_newer_core_is_not_lost() -> None:
    error = make_error({"kind": "from_the_future", "message": "m"})
    assert type(error) is errors.InternalError
    assert str(error) == "m"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (429, "API error (429 Too Many Requests): m"),
        (529, "API error (529): m"),
        (200, "m"),
        (None, "m"),
    ],
)
def test_text(status: int | None, text: str) -> None:
    assert str(errors.APIStatusError("m", status_code=status)) == text


@pytest.mark.parametrize("name", [name for name in BASES if not name.startswith("Object")])
def test_pickling_keeps_everything(name: str) -> None:
    kind = getattr(errors, name)
    error = kind("m", provider="p", status_code=500, retry_after=2.0, attempts=2, partial_text="t", response={"a": 1})
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert vars(copy) == vars(error)
    assert (copy.args, str(copy)) == (error.args, str(error))


def test_what_is_known_of_an_object_that_was_not_given_is_pickled_too() -> None:
    usage = pyagent.Usage(prompt_tokens=3)
    error = errors.ObjectValidationError("no", text="{}", errors=["a"], usage=usage, mode="tool", attempts=2)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.text, copy.errors, copy.usage, copy.mode, copy.attempts) == ("{}", ["a"], usage, "tool", 2)
