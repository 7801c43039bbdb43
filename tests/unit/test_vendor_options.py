"""The options of single vendors: what each of them puts into a request, and what becomes of another vendor's."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    AnthropicOptions,
    ConfigurationError,
    GeminiOptions,
    OllamaOptions,
    OpenAIOptions,
    OpenRouterOptions,
    Provider,
    PyAgentError,
    ResponsesOptions,
    UnsupportedFeatureError,
    VendorOptions,
    VolcengineOptions,
    ZaiOptions,
    openai_options,
    vendor_options,
)
from pyagent._registry import ROWS
from pyagent._request import _CHECKS

if TYPE_CHECKING:
    from conftest import Server

KINDS: list[type[VendorOptions]] = [
    OpenAIOptions, ResponsesOptions, OpenRouterOptions, AnthropicOptions, GeminiOptions, VolcengineOptions, ZaiOptions,
    OllamaOptions,
]  # fmt: skip


@pytest.fixture
def asked(server: Server) -> Iterator[Any]:
    """What a vendor is sent: the body of the request without what every request has, and its headers."""
    made: list[Provider] = []

    def ask(vendor: str, model: str = "m", **options: Any) -> tuple[dict[str, Any], dict[str, str]]:
        server.clear()
        provider = Provider(model, provider=vendor, base_url=server.url, api_key="k", max_retries=0)
        made.append(provider)
        try:
            provider.generate("x", **options)
        except (ConfigurationError, UnsupportedFeatureError):
            raise
        except PyAgentError:
            pass  # the scripted server speaks few protocols, but writes down what it was sent
        request = server.only()
        body = {
            key: value
            for key, value in request["body"].items()
            if key not in {"model", "messages", "contents", "input"}
        }
        return body, {name.lower(): value for name, value in request["headers"].items()}

    yield ask
    for provider in made:
        if provider._client is not None:
            provider._client.close()


FIELDS: list[tuple[str, VendorOptions, dict[str, Any]]] = [
    ("openai", OpenAIOptions(reasoning_effort="low", seed=7, verbosity="low", store=True, service_tier="flex"),
     {"reasoning_effort": "low", "seed": 7, "verbosity": "low", "store": True, "service_tier": "flex"}),
    ("openai", OpenAIOptions(response_format="json_object"), {"response_format": {"type": "json_object"}}),
    ("groq", OpenAIOptions(prompt_cache_key="k", prompt_cache_retention="24h", extra_body={"own": 1}),
     {"prompt_cache_key": "k", "prompt_cache_retention": "24h", "own": 1}),
    ("openai-responses", ResponsesOptions(reasoning_effort="low", verbosity="low", truncation="auto", max_tool_calls=2),
     {"reasoning": {"effort": "low"}, "text": {"verbosity": "low"}, "truncation": "auto", "max_tool_calls": 2}),
    ("openai-responses", ResponsesOptions(conversation="c", include=["a"], prompt={"id": "p"}, store=True),
     {"conversation": "c", "include": ["a"], "prompt": {"id": "p"}, "store": True}),
    ("openai-responses", ResponsesOptions(response_format="json_object", previous_response_id="r"),
     {"text": {"format": {"type": "json_object"}}, "previous_response_id": "r"}),
    ("anthropic", AnthropicOptions(user_id="u", cache_control="1h", container="c"),
     {"metadata": {"user_id": "u"}, "cache_control": {"type": "ephemeral", "ttl": "1h"}, "container": "c"}),
    ("anthropic", AnthropicOptions(cache_control="ephemeral"), {"cache_control": {"type": "ephemeral"}}),
    ("gemini", GeminiOptions(include_thoughts=True, media_resolution="MEDIA_RESOLUTION_LOW", stop_sequences=["a"]),
     {"generationConfig": {"stopSequences": ["a"], "thinkingConfig": {"includeThoughts": True},
                           "mediaResolution": "MEDIA_RESOLUTION_LOW"}}),
    ("gemini", GeminiOptions(grounding=True, cached_content="c", safety_settings=[{"category": "a"}]),
     {"tools": [{"googleSearch": {}}], "cachedContent": "c", "safetySettings": [{"category": "a"}]}),
    ("gemini", GeminiOptions(grounding=False), {}),
    ("volcengine", VolcengineOptions(thinking="auto", caching_enabled=True, repetition_penalty=1.1),
     {"thinking": {"type": "auto"}, "caching": {"type": "enabled"}, "repetition_penalty": 1.1}),
    ("volcengine", VolcengineOptions(thinking_budget_tokens=0, max_completion_tokens=9),
     {"thinking": {"type": "disabled"}, "max_completion_tokens": 9}),
    ("zai", ZaiOptions(thinking=True, clear_thinking=False, do_sample=False, request_id="r", user_id="u"),
     {"thinking": {"type": "enabled", "clear_thinking": False}, "do_sample": False, "request_id": "r", "user_id": "u"}),
    ("ollama", OllamaOptions(num_ctx=8192, min_p=0.1, keep_alive="5m", think="low", truncate=False),
     {"options": {"num_ctx": 8192, "min_p": 0.1}, "keep_alive": "5m", "think": "low", "truncate": False}),
    ("openrouter", OpenRouterOptions(models=["a/b"], provider={"sort": "price"}, transforms=["middle-out"], top_a=0.5),
     {"models": ["a/b"], "provider": {"sort": "price"}, "transforms": ["middle-out"], "top_a": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "options", "wanted"), FIELDS)
def test_what_the_vendor_is_sent(asked: Any, vendor: str, options: VendorOptions, wanted: dict[str, Any]) -> None:
    body, _ = asked(vendor, options=options)
    for own in ("max_tokens", "stream"):
        if own not in wanted:
            body.pop(own, None)
    assert body == wanted


@pytest.mark.parametrize(
    ("vendor", "options", "wanted"),
    [
        ("openai", OpenAIOptions(organization="o", project="p"), {"openai-organization": "o", "openai-project": "p"}),
        ("openrouter", OpenRouterOptions(referer="r", title="t"), {"http-referer": "r", "x-title": "t"}),
        ("anthropic", AnthropicOptions(betas=["a", "b"], version="v"),
         {"anthropic-beta": "a,b", "anthropic-version": "v"}),
        ("zai", ZaiOptions(language="en"), {"accept-language": "en"}),
    ],
)  # fmt: skip
def test_headers(asked: Any, vendor: str, options: VendorOptions, wanted: dict[str, str]) -> None:
    _, headers = asked(vendor, options=options)
    assert {name: headers.get(name) for name in wanted} == wanted


def test_objects_of_options_are_put_into_those_of_the_request(asked: Any) -> None:
    body, _ = asked("zai", "glm-5.2", reasoning_effort="high", options=ZaiOptions(clear_thinking=False))
    assert body["thinking"] == {"type": "enabled", "clear_thinking": False}
    body, _ = asked("openrouter", reasoning_effort="high", options=OpenRouterOptions(reasoning_exclude=True))
    assert body["reasoning"] == {"effort": "high", "exclude": True}


def test_tools_of_options_come_beside_the_calls(asked: Any) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    body, _ = asked("gemini", tools=[tool], options=GeminiOptions(grounding=True))
    assert body["tools"] == [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]


def test_parameters_and_extra_body_win(asked: Any) -> None:
    options = OpenAIOptions(seed=1, verbosity="low", extra_body={"a": 1, "b": 1}, organization="o")
    body, headers = asked(
        "openai", seed=2, extra_body={"a": 2}, extra_headers={"OpenAI-Organization": "p"}, options=options
    )
    assert body == {"seed": 2, "verbosity": "low", "a": 2, "b": 1}
    assert headers["openai-organization"] == "p"


def test_the_vendors_word_is_the_last(asked: Any) -> None:
    with pytest.raises(UnsupportedFeatureError, match="keeps no answers to go on from"):
        asked("volcengine", options=VolcengineOptions(previous_response_id="r"))
    with pytest.raises(UnsupportedFeatureError, match="does not take seed"):
        asked("deepseek", options=OpenAIOptions(seed=1))


def test_options_of_the_provider_are_the_default_of_every_call(server: Server) -> None:
    made = OpenAIOptions(seed=1, verbosity="low")
    provider = Provider.openai("m", base_url=server.url, api_key="k", options=made)
    for ask in (provider, pickle.loads(pickle.dumps(provider))):
        server.clear()
        ask.generate("x", options=OpenAIOptions(seed=2))
        assert {"seed": 2, "verbosity": "low"}.items() <= server.only()["body"].items()
    server.clear()
    assert list(provider.map(["x"])) == ["x"]
    assert server.only()["body"]["seed"] == 1
    provider.embed("x")  # which is no chat

    async def main() -> str:
        return await provider.agenerate_text("x")

    server.clear()
    asyncio.run(main())
    assert server.only()["body"]["seed"] == 1


def test_every_method_takes_options(server: Server) -> None:
    provider, options = Provider.openai("m", base_url=server.url, api_key="k"), OpenAIOptions(seed=5)

    async def main() -> None:
        await provider.agenerate("x", options=options)
        await provider.agenerate_text("x", options=options)
        async for _ in provider.astream("x", options=options):
            pass
        async for _ in provider.astream_text("x", options=options):
            pass
        async for _ in provider.amap(["x"], options=options):
            pass

    provider.generate("x", options=options)
    provider.generate_text("x", options=options)
    list(provider.stream("x", options=options))
    list(provider.stream_text("x", options=options))
    list(provider.map(["x"], options=options))
    asyncio.run(main())
    assert [request["body"]["seed"] for request in server.requests()] == [5] * 10


def test_of_a_list_those_count_that_fit(asked: Any) -> None:
    several = [AnthropicOptions(user_id="u"), OpenAIOptions(seed=3), OpenRouterOptions(top_a=0.1)]
    assert asked("openai", options=several)[0] == {"seed": 3}
    assert asked("openrouter", options=several)[0] == {"top_a": 0.1}, "a vendor's own come before its protocol's"
    assert asked("anthropic", options=several)[0]["metadata"] == {"user_id": "u"}


def test_a_list_without_any_that_fit_is_a_warning() -> None:
    with Provider.echo().stream("x", options=[AnthropicOptions(user_id="u"), ZaiOptions(user_id="u")]) as stream:
        response = stream.result
    assert response.warnings == ["the options are for anthropic, zai and were left out: echo was asked"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (AnthropicOptions(user_id="u"), "options is AnthropicOptions, but the vendor is openai: give OpenAIOptions."),
        ({"seed": 1}, r"options must be options such as AnthropicOptions\(...\), or a list of them, got"),
        (["x"], "options must be options such as"),
        ([OpenAIOptions(seed=1), OpenAIOptions(seed=2)], "options has OpenAIOptions twice"),
    ],
)
def test_wrong_options(options: Any, message: str) -> None:
    provider = Provider.openai("m", api_key="k", base_url="http://127.0.0.1:9/v1")
    for call in (provider.generate, provider.stream_text, provider.amap):
        with pytest.raises(ConfigurationError, match=message) as caught:
            call(["x"] if call == provider.amap else "x", options=options)
        assert caught.value.param == "options"
    with pytest.raises(ConfigurationError, match=message):
        Provider.openai("m", api_key="k", options=options)


def test_a_vendor_without_options_says_so() -> None:
    with pytest.raises(ConfigurationError, match="the vendor is puter: it has none; extra_body"):
        Provider.puter("m", api_key="k", options=OpenAIOptions(seed=1))


def test_an_endpoint_of_ones_own_takes_those_of_its_protocol(server: Server) -> None:
    row = {"name": "mine", "dialect": "anthropic", "base_url": server.url}
    provider = Provider("m", provider=row, api_key="k", options=AnthropicOptions(user_id="u"))
    provider.generate("x")
    assert server.only()["body"]["metadata"] == {"user_id": "u"}
    with pytest.raises(ConfigurationError, match="the vendor is mine: give AnthropicOptions"):
        provider.generate("x", options=OpenAIOptions(seed=1))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_checked_and_has_a_place(kind: type[VendorOptions]) -> None:
    assert kind._fields == tuple(kind._places)
    for name, place in kind._places.items():
        with pytest.raises(ConfigurationError, match=f"^{name} must be"):
            kind(**{name: object()})
        first = place.path[0]
        assert first in {"body", "header"} or first in _CHECKS or first == "max_completion_tokens", name
        assert f" {name}: " in (kind.__doc__ or ""), name


def test_the_kinds_are_for_vendors_and_protocols_that_there_are() -> None:
    names = {*ROWS, *(row.dialect for row in ROWS.values())}
    assert {name for kind in KINDS for name in kind._vendors} <= names
    assert {kind.__name__ for kind in KINDS} | {"VendorOptions"} == {*openai_options.__all__, *vendor_options.__all__}


def test_options_are_values() -> None:
    one = OpenAIOptions(seed=1)
    assert one == OpenAIOptions(seed=1) != OpenAIOptions(seed=2)
    assert repr(AnthropicOptions(effort="low")).startswith("AnthropicOptions(thinking_budget_tokens=None, effort='low'")
    assert pickle.loads(pickle.dumps(one)) == one
