"""litellm's exceptions: which one a vendor's answer becomes, what it carries, and what falls back on whom."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pyagent import litellm

pytestmark = pytest.mark.timeout(60)

ROOT = Path(__file__).resolve().parents[2]
HELLO = [{"role": "user", "content": "Hello!"}]
BY_STATUS = {
    400: (litellm.BadRequestError,),
    401: (litellm.AuthenticationError,),
    402: (litellm.PaymentRequiredError, litellm.BadRequestError),
    403: (litellm.PermissionDeniedError, litellm.APIError),
    404: (litellm.NotFoundError,),
    408: (litellm.Timeout,),
    409: (litellm.APIError,),
    413: (litellm.APIError,),
    422: (litellm.UnprocessableEntityError, litellm.BadRequestError),
    429: (litellm.RateLimitError,),
    500: (litellm.InternalServerError,),
    502: (litellm.BadGatewayError,),
    503: (litellm.ServiceUnavailableError,),
    504: (litellm.Timeout,),
    529: (litellm.APIError,),
}


def ask(script: dict[str, Any] | None = None, **more: Any) -> Any:
    given = {"model": "openai/gpt-4o", "messages": HELLO, "num_retries": 0, "extra_body": {"fake": script or {}}}
    return litellm.completion(**{**given, **more})


def says(status: int, **error: Any) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"message": "nope", "type": "t", "code": "c", "param": "p", **error}}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", BY_STATUS)
def test_each_status_has_its_class(vendor: Any, status: int, stream: bool) -> None:
    with pytest.raises(BY_STATUS[status][0]) as caught:
        ask(says(status), stream=stream)
    error = caught.value
    assert all(isinstance(error, kind) for kind in BY_STATUS[status])
    assert isinstance(error, (litellm.OpenAIError, litellm.EdgeQuakeError))
    assert (error.status_code, error.llm_provider, error.model) == (status, "openai", "gpt-4o")
    assert str(error).startswith(f"litellm.{type(error).__name__}: ")
    assert "OpenAIException - nope" in str(error)
    assert (error.code, error.type, error.param) == ("c", "t", "p")
    assert error.body["message"] == "nope"
    assert error.response.status_code == status
    assert error.response.json()["error"]["message"] == "nope"
    assert error.request_id.startswith("req_fake")


def test_what_a_status_cannot_say(vendor: Any) -> None:
    with pytest.raises(litellm.ContextWindowExceededError):
        ask(says(400, code="context_length_exceeded", message="maximum context length is 10 tokens"))
    with pytest.raises(litellm.ContentPolicyViolationError):
        ask(says(400, code="content_policy_violation", message="rejected by the safety system"))
    assert issubclass(litellm.ContextWindowExceededError, litellm.BadRequestError)


def test_no_answer(vendor: Any) -> None:
    with pytest.raises(litellm.Timeout) as late:
        ask({"header_delay": 5}, timeout=0.2)
    assert late.value.status_code == 408
    with pytest.raises(litellm.APIConnectionError):
        ask(api_base="http://127.0.0.1:1/v1")
    with pytest.raises(litellm.APIResponseValidationError):
        ask({"raw": "<html>"})


def test_a_stream_that_breaks_says_what_had_come(vendor: Any) -> None:
    stream = ask({"pieces": ["a", "b", "c"], "after": 2, "end": "cut"}, stream=True)
    seen = []
    with pytest.raises(litellm.MidStreamFallbackError) as caught:
        seen.extend(chunk.choices[0].delta.content for chunk in stream)
    assert caught.value.generated_content == "ab"
    assert isinstance(caught.value.original_exception, litellm.APIConnectionError)
    assert isinstance(caught.value, litellm.ServiceUnavailableError)
    with pytest.raises(litellm.MidStreamFallbackError):
        list(stream)

    async def main() -> None:
        broken: Any = await litellm.acompletion(
            "openai/gpt-4o", HELLO, stream=True, extra_body={"fake": {"pieces": ["a", "b"], "after": 1, "end": "error"}}
        )
        with pytest.raises(litellm.MidStreamFallbackError) as caught:
            [chunk async for chunk in broken]
        assert caught.value.generated_content == "a"

    asyncio.run(main())


def test_keys_and_providers(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(litellm.AuthenticationError, match="OPENAI_API_KEY"):
        ask()
    for model in ("gpt-of-nobody/x", "bedrock/amazon.nova", "my-own-model"):
        with pytest.raises(litellm.BadRequestError, match="LLM Provider NOT provided"):
            ask(model=model)
    with pytest.raises(litellm.BadRequestError, match="model must be"):
        litellm.completion(None, HELLO)
    with pytest.raises(litellm.BadRequestError, match="messages"):
        ask(messages="Hello!", api_key="k")


def test_exceptions_can_be_made_and_pickled_as_litellm_s() -> None:
    made = [
        litellm.RateLimitError("slow down", "openai", "gpt-4o"),
        litellm.BadRequestError("no", "gpt-4o", "openai"),
        litellm.APIError(418, "no", "openai", "gpt-4o"),
        litellm.Timeout(message="late", model="gpt-4o", llm_provider="openai"),
        litellm.NotFoundError("no", "gpt-4o", "openai"),
        litellm.MidStreamFallbackError("broke", "gpt-4o", "openai", generated_content="a"),
    ]
    for error in made:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
        assert (again.model, again.llm_provider, again.status_code) == ("gpt-4o", "openai", error.status_code)
    assert made[2].status_code == 418
    assert litellm.BudgetExceededError(2.0, 1.0).max_budget == 1.0
    assert litellm.ModelNotFoundError is litellm.NotFoundError is litellm.exceptions.NotFoundError


@pytest.mark.parametrize("httpx_name", ["httpx", "httpx2"])
def test_the_package_openai_s_classes_are_the_bases_where_there_is_one(tmp_path: Path, httpx_name: str) -> None:
    """Its place is taken by a module with the same names: the package itself is 20 MB."""
    names = [
        "OpenAIError(Exception)", "APIError(OpenAIError)", "APIResponseValidationError(APIError)",
        "APIStatusError(APIError)", "APIConnectionError(APIError)", "APITimeoutError(APIConnectionError)",
        "BadRequestError(APIStatusError)", "AuthenticationError(APIStatusError)",
        "PermissionDeniedError(APIStatusError)", "NotFoundError(APIStatusError)",
        "UnprocessableEntityError(APIStatusError)", "RateLimitError(APIStatusError)",
        "InternalServerError(APIStatusError)",
    ]  # fmt: skip
    classes = "".join(f"class {name}: pass\n" for name in names)
    (tmp_path / "openai.py").write_text(f"import {httpx_name}\n{classes}")
    httpx = """
class Request:
    def __init__(self, *arguments): pass
class Response:
    def __init__(self, status_code, headers, content, request):
        self.status_code, self.headers, self.content, self.request = status_code, headers, content, request
"""
    (tmp_path / f"{httpx_name}.py").write_text(httpx)
    code = """
import openai
from pyagent import litellm
assert issubclass(litellm.RateLimitError, openai.RateLimitError)
try:
    litellm.completion("gpt-4o", [], mock_response="litellm.RateLimitError")
except openai.APIStatusError as error:
    print(type(error).__name__, error.response.status_code, error.request is error.response.request)
"""
    path = f"{tmp_path}:{ROOT}"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env={"PYTHONPATH": path}
    )
    assert done.stdout == "RateLimitError 429 True\n", done.stderr


def test_fallbacks_in_their_order(vendor: Any) -> None:
    other = {"model": "anthropic/claude-haiku-4-5", "extra_body": {}}
    assert ask(says(500), fallbacks=[other]).model == "claude-haiku-4-5"
    assert vendor.requests()[0]["body"]["model"] == "gpt-4o"
    answer = ask(says(401), fallbacks=["foo/unknown", {"model": "openai/gpt-4o-mini", "extra_body": {}}])
    assert answer.model == "gpt-4o-mini"
    chunks = list(ask(says(429), stream=True, fallbacks=[{"model": "openai/b", "extra_body": {}}]))
    assert chunks[0].model == "b"
    with pytest.raises(litellm.InternalServerError):
        ask(says(500), fallbacks=["openai/also-broken"])


def test_fallbacks_for_one_kind_of_error(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    long = says(400, code="context_length_exceeded")
    table = {"openai/gpt-4o": {"model": "openai/gpt-long", "extra_body": {}}}
    assert ask(long, context_window_fallback_dict=table).model == "gpt-long"
    with pytest.raises(litellm.BadRequestError):
        ask(says(400), context_window_fallback_dict=table)
    monkeypatch.setattr(litellm, "context_window_fallbacks", [{"openai/gpt-4o": ["mock/long"]}])
    assert ask(long).content == "Mock response"
    refused = says(400, code="content_policy_violation", message="rejected by the safety system")
    assert ask(refused, content_policy_fallbacks=[{"openai/gpt-4o": ["mock/kind"]}]).content == "Mock response"


def test_retries_are_counted(vendor: Any) -> None:
    answer = ask({"status": 503, "times": 1, "key": "once"}, num_retries=2)
    assert answer.choices[0].message.content == "Hello!"
    assert answer._hidden_params["attempts"] == 2
    with pytest.raises(litellm.ServiceUnavailableError, match="LiteLLM Retried: 1 times"):
        ask(says(503), max_retries=1, num_retries=None)
