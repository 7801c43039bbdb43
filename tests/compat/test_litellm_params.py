"""Arguments of litellm's completion(): each of them acts, is refused, or is dropped aloud."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from pyagent import UnsupportedFeatureError, litellm
from pyagent.litellm._model_data import LACKS
from pyagent.litellm._names import VENDORS
from pyagent.litellm._params import _NOT_HERE, without
from pyagent.provider import Provider

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello!"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}}}
# Arguments that go out under their own names.
PLAIN = {
    "temperature": 0.5, "top_p": 0.5, "n": 2, "stop": ["a"], "presence_penalty": 0.1, "frequency_penalty": 0.1,
    "logit_bias": {"1": 2}, "user": "u", "seed": 1, "tools": TOOLS, "logprobs": True, "modalities": ["text"],
    "prediction": {"type": "content", "content": "a"}, "verbosity": "low", "response_format": SCHEMA, "store": True,
    "service_tier": "auto", "prompt_cache_key": "k", "safety_identifier": "s", "reasoning_effort": "low",
    "web_search_options": {}, "prompt_cache_retention": "24h", "of_the_vendor": {"own": 1},
}  # fmt: skip


def ask(model: str = "openai/gpt-4o", **more: Any) -> Any:
    return litellm.completion(model, HELLO, **more)


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_sent_as_it_is(vendor: Any, name: str) -> None:
    ask("openai/m", **{name: PLAIN[name]})
    assert vendor.only()["body"][name] == PLAIN[name]


def test_what_is_sent_in_another_form(vendor: Any) -> None:
    class Shape:
        @staticmethod
        def model_json_schema() -> dict[str, Any]:
            return {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}

    ask("openai/m", max_completion_tokens=7, system="Be brief.", response_format=Shape, reasoning_effort="default")
    body = vendor.requests()[-1]["body"]
    assert 7 in {body.get("max_tokens"), body.get("max_completion_tokens")}
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["response_format"]["json_schema"]["schema"] == {
        "type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False, "required": ["a"],
    }  # fmt: skip
    assert "reasoning_effort" not in body
    ask("openai/m", response_format="json_object", stop="a")
    assert vendor.requests()[-1]["body"]["response_format"] == {"type": "json_object"}


def test_thinking(vendor: Any) -> None:
    ask("anthropic/claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 2000}, max_tokens=5000)
    assert vendor.requests()[-1]["body"]["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    ask("anthropic/claude-haiku-4-5", thinking={"type": "adaptive"}, max_tokens=5000)
    assert vendor.requests()[-1]["body"]["thinking"] == {"type": "adaptive"}


def test_headers(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "headers", {"X-Shared": "1", "X-Other": "1"})
    ask(extra_headers={"X-Mine": "2", "X-Other": "2"}, headers={"X-Third": "3"}, organization="org")
    seen = {name.lower(): value for name, value in vendor.only()["headers"].items()}
    wanted = {"x-shared": "1", "x-mine": "2", "x-other": "2", "x-third": "3", "openai-organization": "org"}
    assert {name: seen[name] for name in wanted} == wanted


def test_whom_to_ask(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ({"api_base": vendor.url}, {"base_url": vendor.url}):
        ask("groq/m", api_key="mine", **given)
        assert vendor.requests()[-1]["headers"]["authorization"] == "Bearer mine"
    monkeypatch.setattr(litellm, "openai_key", "of the module")
    ask()
    assert vendor.requests()[-1]["headers"]["authorization"] == "Bearer of the module"
    monkeypatch.setattr(litellm, "api_key", "of everybody")
    monkeypatch.setattr(litellm, "api_base", vendor.url)
    ask("deepinfra/meta-llama/Llama-3")
    request = vendor.requests()[-1]
    assert (request["headers"]["authorization"], request["body"]["model"]) == (
        "Bearer of everybody",
        "meta-llama/Llama-3",
    )
    ask("openai/m", custom_llm_provider="openai")
    assert vendor.requests()[-1]["body"]["model"] == "m"
    monkeypatch.setattr(litellm, "model_alias_map", {"fast": "openai/small"})
    assert ask("fast").model == "small"


def test_azure(vendor: Any) -> None:
    ask("azure/my-deployment", api_base=vendor.url.removesuffix("/v1"), api_key="k", api_version="2024-10-21")
    path = vendor.only()["path"]
    assert "my-deployment" in path
    assert "2024-10-21" in path


def test_the_same_call_shares_its_connection(vendor: Any) -> None:
    for _ in range(3):
        ask()
    assert len({request["connection"] for request in vendor.requests()}) == 1


@pytest.mark.parametrize("name", sorted(_NOT_HERE))
def test_what_is_not_here_is_refused(vendor: Any, name: str) -> None:
    with pytest.raises(litellm.UnsupportedParamsError, match=name):
        ask(**{name: "x"})
    assert vendor.requests() == []
    if name not in {"aembedding", "atext_completion"}:
        ask(**{name: False})


def test_what_the_vendor_cannot_honour_is_refused_or_dropped_aloud(
    vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = "anthropic/claude-haiku-4-5"
    with pytest.raises(litellm.UnsupportedParamsError, match="seed"):
        ask(model, seed=1)
    with pytest.warns(UserWarning, match="seed") as caught:
        ask(model, seed=1, drop_params=True)
    assert caught[0].filename == __file__
    monkeypatch.setattr(litellm, "drop_params", True)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ask(model, seed=1, logit_bias={"1": 1}, logprobs=True, top_logprobs=2)
    assert {word for word in ("seed", "logit_bias", "logprobs") for one in seen if word in str(one.message)} == {
        "seed",
        "logit_bias",
        "logprobs",
    }
    assert not {"seed", "logit_bias"} & set(vendor.requests()[-1]["body"])
    with pytest.raises(litellm.UnsupportedParamsError):
        ask(model, seed=1, drop_params=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(model, seed=1, additional_drop_params=["seed"])


def test_modify_params_repairs_what_vendors_refuse(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "modify_params", True)
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
    ]
    litellm.completion("openai/m", history)
    assert vendor.requests()[-1]["body"]["tools"][0]["function"]["name"] == "dummy_tool"
    litellm.completion("openai/m", [])
    assert vendor.requests()[-1]["body"]["messages"] == [{"role": "user", "content": "."}]


EACH = {**{name: PLAIN[name] for name in PLAIN if name not in {"web_search_options", "prompt_cache_retention",
        "of_the_vendor"}}, "max_tokens": 3, "tool_choice": "auto", "parallel_tool_calls": False, "top_logprobs": 2,
        "audio": {"voice": "a", "format": "mp3"}}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, vendor in VENDORS.items() if vendor.vendor])
def test_the_table_of_what_vendors_take_is_the_core_s(vendor: Any, name: str) -> None:
    """Each argument that the table allows gets as far as the network, where nobody is; each other does not."""
    target = VENDORS[name].target()
    asked = Provider("m", provider=target, base_url="http://127.0.0.1:1/v1", api_key="k.k", max_retries=0)
    refused = []
    for option, value in EACH.items():
        given = {option: value}
        if option in {"parallel_tool_calls", "tool_choice"}:
            given["tools"] = TOOLS
        if option == "top_logprobs":
            given["logprobs"] = True
        if option == "response_format" and name in {"deepseek", "moonshot", "zai"}:
            given[option] = {"type": "json_object"}  # which is what they have of it
        try:
            asked.generate("x", **given)
        except UnsupportedFeatureError:
            refused.append(option)
        except ConnectionError:
            pass
    assert sorted(refused) == sorted(LACKS.get(str(target), "").split())
    listed = litellm.get_supported_openai_params("m", name)
    assert listed is not None
    assert not set(refused) & set(listed)


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("a", {"b": [{"c": 1, "d": 2}, {"c": 3}]}),
        ("b[*].c", {"a": {"x": 1}, "b": [{"d": 2}, {}]}),
        ("b[0].c", {"a": {"x": 1}, "b": [{"d": 2}, {"c": 3}]}),
        ("b[1]", {"a": {"x": 1}, "b": [{"c": 1, "d": 2}]}),
        ("a.x", {"a": {}, "b": [{"c": 1, "d": 2}, {"c": 3}]}),
        ("a[*].x", {"a": {"x": 1}, "b": [{"c": 1, "d": 2}, {"c": 3}]}),
        ("b[7].c", {"a": {"x": 1}, "b": [{"c": 1, "d": 2}, {"c": 3}]}),
        ("nothing.at.all", {"a": {"x": 1}, "b": [{"c": 1, "d": 2}, {"c": 3}]}),
    ],
)
def test_paths_of_what_is_left_out(path: str, left: dict[str, Any]) -> None:
    given: dict[str, Any] = {"a": {"x": 1}, "b": [{"c": 1, "d": 2}, {"c": 3}]}
    assert without(given, path) == left
    assert given == {"a": {"x": 1}, "b": [{"c": 1, "d": 2}, {"c": 3}]}
