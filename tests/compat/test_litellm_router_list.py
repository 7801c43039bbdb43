"""What a Router of litellm is made of: deployments, names, keys, settings, and what it refuses."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pyagent import litellm
from pyagent.litellm.router import Deployment, LiteLLM_Params

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello you"}]
DOWN = {"status": 500, "body": {"error": {"message": "nope", "code": "c"}}}


def asked(vendor: Any) -> list[str]:
    return [request["body"]["model"] for request in vendor.requests() if request["method"] == "POST"]


def who(answer: Any) -> tuple[Any, int, int]:
    hidden = answer._hidden_params
    headers = hidden["additional_headers"]
    return hidden["model_id"], headers["x-litellm-attempted-retries"], headers["x-litellm-attempted-fallbacks"]


def test_names(deploy: Any) -> None:
    router = litellm.Router([deploy("m", "a")], model_group_alias={"n": "m"})
    with pytest.raises(litellm.BadRequestError, match="model=zz") as caught:
        router.completion("zz", HELLO)
    assert caught.value.model == "zz"
    assert router.get_model_names() == ["n", "m"]
    assert [entry["model_name"] for entry in router.get_model_list()] == ["n", "m"]
    assert router.get_model_list("n")[0]["model_info"]["id"] == "a"
    assert router.get_model_list("zz") == []
    with pytest.raises(litellm.BadRequestError, match="No deployment has that name"):
        litellm.Router().completion("m", HELLO)


def test_deployments_come_and_go(vendor: Any, deploy: Any) -> None:
    router = litellm.Router([deploy("m", "a")])
    added = router.add_deployment(Deployment("n", LiteLLM_Params(model="openai/b", api_key="k", api_base=vendor.url)))
    assert added is not None
    assert (added.model_name, added["litellm_params"]["model"]) == ("n", "openai/b")
    assert router.add_deployment(deploy("m", "a")) is None
    assert router.get_model_ids() == ["a", added.model_info.id]
    assert router.completion("n", HELLO)._hidden_params["model_id"] == added.model_info.id
    assert router.upsert_deployment(deploy("m", "a")) is None
    changed = router.upsert_deployment(deploy("o", "a"))
    assert changed is not None
    assert [router.get_model_ids("o"), router.get_model_ids("m"), router.has_model_id("a")] == [["a"], [], True]
    assert router.get_deployment("a") == router.get_deployment_by_model_group_name("o") == changed
    assert router.get_model_info("a") == changed.model_dump() == router.model_list[-1]
    assert [entry["model_info"]["id"] for entry in router.get_model_group("a") or ()] == ["a"]
    assert router.delete_deployment("a") == changed
    assert [router.delete_deployment("a"), router.get_deployment("a"), router.get_model_info("a")] == [None, None, None]
    assert router.get_model_group("a") is None
    router.set_model_list([deploy("p", "c")])
    assert router.get_model_names() == ["p"]
    router.discard()
    assert router.get_model_list() == []
    with pytest.raises(litellm.BadRequestError, match="id 'a'"):
        router.set_model_list([deploy("m", "a"), deploy("m", "a")])


def test_ids_are_litellm_s() -> None:
    params = {
        "model": "openai/m",
        "api_key": "k",
        "api_base": "http://127.0.0.1/v1",
        "extra_body": {"a": [1]},
        "rpm": 2,
    }
    (entry,) = litellm.Router([{"model_name": "g", "litellm_params": params}]).get_model_list()
    assert entry["model_info"]["id"] == "a9cb351431fbf6356f040bb1682387b24f895ec9516555ea61139bc6c9461559"


def test_settings(vendor: Any, deploy: Any) -> None:
    router = litellm.Router([deploy("m", "a", DOWN), deploy("n", "b")])
    settings = router.get_settings()
    assert (settings["num_retries"], settings["allowed_fails"], settings["cooldown_time"]) == (2, 3, 5)
    assert settings["routing_strategy"] == "simple-shuffle"
    router.update_settings(num_retries=0, fallbacks=[{"m": ["n"]}], routing_strategy="least-busy")
    assert (router.get_settings()["num_retries"], router.get_settings()["routing_strategy"]) == (0, "least-busy")
    assert who(router.completion("m", HELLO)) == ("b", 0, 1)
    router.fallbacks = []
    router.num_retries = 1
    with pytest.raises(litellm.InternalServerError):
        router.completion("m", HELLO)
    assert asked(vendor) == ["a", "b", "a", "a"]
    with pytest.raises(litellm.UnsupportedParamsError, match="retry_policy"):
        router.update_settings(retry_policy={"x": 1})
    with pytest.raises(litellm.UnsupportedParamsError, match="no nothing"):
        router.update_settings(nothing=1)
    with pytest.raises(AttributeError, match="nothing"):
        router.nothing = 1  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="exactly one key"):
        router.update_settings(fallbacks=[{"a": ["b"], "b": ["c"]}])
    with pytest.raises(TypeError, match="must be a list"):
        router.update_settings(fallbacks=[{"a": "b"}])
    with pytest.raises(ValueError, match="not a dictionary"):
        router.update_settings(fallbacks=["b"])


@pytest.mark.parametrize(
    "name",
    ["redis_url", "cache_responses", "retry_policy", "routing_strategy_args", "plugins", "enable_pre_call_checks"],
)
def test_what_is_not_here_is_refused(name: str) -> None:
    assert litellm.Router(**{name: None})
    with pytest.raises(litellm.UnsupportedParamsError, match=name):
        litellm.Router(**{name: "x"})
    with pytest.raises(litellm.UnsupportedParamsError, match="no nothing"):
        litellm.Router(nothing=None)
    with pytest.raises(litellm.UnsupportedParamsError, match="optional_pre_call_checks"):
        litellm.Router(optional_pre_call_checks=["prompt_caching"])


@pytest.mark.parametrize(
    ("entry", "kind", "message"),
    [
        ("m", litellm.BadRequestError, "model_name and litellm_params"),
        ({"model_name": "m"}, litellm.BadRequestError, "no litellm_params with a model"),
        ({"model_name": "m", "litellm_params": {"model": "openai/x"}, "rpn": 1}, litellm.BadRequestError, "has 'rpn'"),
        ({"model_name": "m", "litellm_params": {"model": "nobody/x"}}, litellm.BadRequestError, "who has it"),
        ({"model_name": "*", "litellm_params": {"model": "openai/*"}}, litellm.UnsupportedParamsError, "wildcards"),
        ({"model_name": "m", "litellm_params": {"model": "openai/x", "max_retries": 2}}, litellm.UnsupportedParamsError,
         "num_retries"),
        ({"model_name": "m", "litellm_params": {"model": "openai/x", "mock_response": "x"}},
         litellm.UnsupportedParamsError, "to the call"),
        ({"model_name": "m", "litellm_params": {"model": "openai/x", "aws_region_name": "x"}},
         litellm.UnsupportedParamsError, "aws_region_name"),
    ],
)  # fmt: skip
def test_deployments_that_cannot_be(entry: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        litellm.Router([entry])
    assert litellm.Router([entry], ignore_invalid_deployments=True).get_model_list() == []


def test_keys(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "of-mine")
    monkeypatch.setenv("MY_BASE", vendor.url)
    named = {"model": "openai/x", "api_key": "os.environ/MY_KEY", "api_base": "os.environ/MY_BASE"}
    litellm.Router([{"model_name": "m", "litellm_params": named}]).completion("m", HELLO)
    assert vendor.only()["headers"]["authorization"] == "Bearer of-mine"
    monkeypatch.delenv("OPENAI_API_KEY")
    router = litellm.Router([{"model_name": "m", "litellm_params": {"model": "gpt-4o"}}])
    assert router.completion("m", HELLO, mock_response="x").content == "x"
    with pytest.raises(litellm.AuthenticationError, match="OPENAI_API_KEY"):
        router.completion("m", HELLO)
    assert os.environ["MY_KEY"] == "of-mine"


def test_drop_params(deploy: Any, vendor: Any) -> None:
    claude = {"model": "anthropic/claude-haiku-4-5", "api_key": "k", "api_base": vendor.url}
    refusing = litellm.Router([{"model_name": "m", "litellm_params": claude}])
    with pytest.raises(litellm.UnsupportedParamsError, match="seed"):
        refusing.completion("m", HELLO, seed=1)
    dropping = litellm.Router([{"model_name": "m", "litellm_params": {**claude, "drop_params": True}}])
    with pytest.warns(UserWarning, match="seed"):
        assert dropping.completion("m", HELLO, seed=1).content == "Hello you"
    mixed = litellm.Router([{"model_name": "m", "litellm_params": claude}, deploy("m", "b")])
    assert {who(mixed.completion("m", HELLO, seed=1))[0] for _ in range(4)} == {"b"}


def test_callbacks_hear_of_the_deployment(deploy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(litellm, "success_callback", [lambda kwargs, *_: heard.append(kwargs)])
    monkeypatch.setattr(litellm, "failure_callback", [lambda kwargs, *_: heard.append(kwargs)])
    router = litellm.Router([deploy("m", "a"), deploy("down", "b", DOWN)], num_retries=0)
    router.completion("m", HELLO, metadata={"mine": 1})
    list(router.completion("m", HELLO, stream=True))
    with pytest.raises(litellm.InternalServerError):
        router.completion("down", HELLO)
    told = [kwargs["litellm_params"]["metadata"] for kwargs in heard]
    assert [(one["model_group"], one["deployment"], one["model_info"]["id"]) for one in told] == [
        ("m", "openai/a", "a"), ("m", "openai/a", "a"), ("down", "openai/b", "b"),
    ]  # fmt: skip
    assert told[0]["mine"] == 1


def test_calls_go_on_while_the_list_changes(vendor: Any, deploy: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    router = litellm.Router([deploy("m", "a")])
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(router.completion, "m", HELLO) for _ in range(40)]
        for number in range(10):
            router.set_model_list([deploy("m", f"b{number}")])
        assert {one.result().content for one in waiting} == {"Hello you"}
    assert router.get_model_ids() == ["b9"]


def test_a_stream_that_breaks_says_whose_it_was(deploy: Any) -> None:
    router = litellm.Router([deploy("m", "a", {"end": "cut", "after": 1}), deploy("n", "b")], fallbacks=[{"m": ["n"]}])
    stream = router.completion("m", HELLO, stream=True)
    with pytest.raises(litellm.MidStreamFallbackError) as caught:
        list(stream)
    assert (caught.value.model, caught.value.llm_provider, caught.value.generated_content) == ("a", "openai", "Hello")
    with router.completion("n", HELLO, stream=True) as stream:
        next(stream)
    with pytest.raises(litellm.MidStreamFallbackError, match="closed"):
        next(stream)


def test_settings_of_a_single_call(deploy: Any, capsys: pytest.CaptureFixture[str]) -> None:
    long = {"status": 400, "body": {"error": {"message": "too long", "code": "context_length_exceeded"}}}
    router = litellm.Router([deploy("m", "a", long), deploy("n", "b"), deploy("o", "c", DOWN)], num_retries=0)
    assert who(router.completion("m", HELLO, context_window_fallbacks=[{"m": ["n"]}])) == ("b", 0, 1)
    with pytest.raises(litellm.ContextWindowExceededError):
        router.completion("m", HELLO, content_policy_fallbacks=[{"m": ["n"]}])
    with pytest.raises(litellm.InternalServerError) as caught:
        router.completion("o", HELLO, num_retries=1)
    assert caught.value.num_retries == 1
    assert capsys.readouterr().err == ""
    router.set_verbose = True
    router.completion("n", HELLO)
    assert "'model': 'b'" in capsys.readouterr().err
