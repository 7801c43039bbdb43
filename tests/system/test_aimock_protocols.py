"""Against aimock in every protocol of chats and embeddings that it and pyagent both speak."""

from __future__ import annotations

import asyncio

import pytest

from pyagent import Conversation, Provider, errors, events, messages

pytestmark = pytest.mark.timeout(300)  # the first test may have to fetch the package

GREETING = "Grüße from a server that nobody here wrote: 你好, 🌍."
ADDRESSES = {
    "openai": "/v1",
    "openai-responses": "/v1",
    "anthropic": "/v1",
    "gemini": "/v1beta",
    "vertex": "/v1/projects/p/locations/l",
    "ollama": "",
    "azure": "",
    "openrouter": "/api/v1",
}
WEATHER = [("get_weather", {"city": "Oslo", "unit": "°C"}), ("get_time", {"zone": "CET"})]
BARE = {"ollama", "openai-responses"}  # for which aimock has no reason of the end, or one without its details
every_vendor = pytest.mark.parametrize("vendor", ADDRESSES)
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])


def ask(aimock, vendor):
    base = aimock.url.removesuffix("/v1") + ADDRESSES[vendor]
    return Provider("gpt-mock", provider=vendor, api_key="k", base_url=base, max_retries=0)


def answer(provider, stream, *prompt, **options):
    return provider.stream(*prompt, **options).result if stream else provider.generate(*prompt, **options)


@both_ways
@every_vendor
def test_text(aimock, vendor, stream):
    response = answer(ask(aimock, vendor), stream, "greet", system_prompt="Be brief.", max_tokens=99)
    assert response.text == GREETING
    assert response.finish_reason == "stop"
    assert response.provider == vendor
    assert response.usage.prompt_tokens is not None
    assert response.usage.completion_tokens is not None


@every_vendor
def test_pieces(aimock, vendor):
    stream = ask(aimock, vendor).stream("greet")
    assert list(stream)[:3] == ["Grü", "ße ", "fro"]
    assert stream.text == GREETING


@both_ways
@every_vendor
def test_tool_calls(aimock, vendor, stream):
    response = answer(ask(aimock, vendor), stream, "weather")
    assert [(call.name, call.parsed) for call in response.tool_calls] == WEATHER
    assert len({call.id for call in response.tool_calls}) == 2
    assert response.text == "Let me look."
    if response.raw_finish_reason != "FUNCTION_CALL":  # which Google does not say
        assert response.finish_reason == "tool_calls"


@both_ways
@every_vendor
def test_what_was_called_goes_back_with_its_results(aimock, vendor, stream):
    provider = ask(aimock, vendor)
    first = answer(provider, stream, "weather")
    results = [{"role": "tool", "tool_call_id": call.id, "content": "4"} for call in first.tool_calls]
    history = [{"role": "user", "content": "weather"}, first.message, *results, {"role": "user", "content": "greet"}]
    assert answer(provider, stream, messages=history).text == GREETING


@both_ways
@every_vendor
def test_reasoning(aimock, vendor, stream):
    response = answer(ask(aimock, vendor), stream, "think")
    assert response.text == "42."
    if vendor != "ollama":  # for which aimock has another key than Ollama
        assert response.reasoning == "Six times seven, I believe."


@every_vendor
def test_events(aimock, vendor):
    seen = list(ask(aimock, vendor).stream("weather").events())
    assert isinstance(seen[0], events.StartEvent)
    assert isinstance(seen[-1], events.FinishEvent)
    ends = [event.tool_call for event in seen if isinstance(event, events.ToolCallEnd)]
    assert [(call.name, call.parsed) for call in ends] == WEATHER


@both_ways
@pytest.mark.parametrize("vendor", [vendor for vendor in ADDRESSES if vendor not in BARE])
def test_cut_by_its_length(aimock, vendor, stream):
    response = answer(ask(aimock, vendor), stream, "count")
    assert (response.text, response.finish_reason) == ("one two", "length")
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (11, 7)


@both_ways
@pytest.mark.parametrize(
    ("prompt", "kind", "status", "retryable"),
    [
        ("deny", errors.AuthenticationError, 401, False),
        ("forbid", errors.PermissionDeniedError, 403, False),
        ("busy", errors.RateLimitError, 429, True),
        ("down", errors.ServiceUnavailableError, 503, True),
    ],
)
@every_vendor
def test_errors(aimock, vendor, prompt, kind, status, retryable, stream):
    with pytest.raises(kind) as caught:
        answer(ask(aimock, vendor), stream, prompt)
    error = caught.value
    assert (type(error), error.status_code, error.is_retryable, error.provider) == (kind, status, retryable, vendor)
    assert error.message


@every_vendor
def test_a_stream_that_breaks_off(aimock, vendor):
    with pytest.raises(errors.StreamInterruptedError) as caught:
        list(ask(aimock, vendor).stream("break off"))
    assert 0 < len(caught.value.partial_text) < len("This answer breaks off before its end.")


@pytest.mark.parametrize("vendor", ["openai", "azure", "gemini", "ollama", "openrouter"])
def test_embeddings(aimock, vendor):
    provider = ask(aimock, vendor)
    one, two = provider.embed("one"), provider.embed("two")
    assert len(one) == len(two) == 1
    assert one.dimensions == two.dimensions > 1
    assert list(one[0]) != list(two[0])


@pytest.mark.parametrize("vendor", ["openai", "azure", "openrouter"])  # for the others it has one vector an answer
def test_many_embeddings(aimock, vendor):
    provider = ask(aimock, vendor)
    found = provider.embed(["one", "two"])
    assert [list(vector) for vector in found] == [list(provider.embed(text)[0]) for text in ("one", "two")]


@pytest.mark.parametrize("vendor", ["openai", "anthropic", "ollama"])
def test_models(aimock, vendor):
    assert all(model.id for model in ask(aimock, vendor).list_models())


def roles(talk):
    return [message["role"] for message in talk.messages]


@every_vendor
def test_conversations(aimock, vendor):
    talk = Conversation(ask(aimock, vendor), system="Be brief.")
    assert talk.generate("greet").text == GREETING
    assert talk.stream("think").result.text == "42."
    calls = talk.generate("weather").tool_calls
    results = [messages.tool_result(call, "4") for call in calls]
    assert talk.generate([*results, messages.user("greet")]).text == GREETING

    async def main():
        assert (await talk.agenerate("think")).text == "42."
        return [piece async for piece in await talk.astream("greet")]

    assert "".join(asyncio.run(main())) == GREETING
    assert (talk.turns, len(talk), talk.is_busy) == (6, 14, False)
    assert roles(talk)[4:10] == ["user", "assistant", "tool", "tool", "user", "assistant"]
    assert talk.trim(max_turns=2) == 10


@every_vendor
def test_a_turn_that_breaks_off_is_not_recorded(aimock, vendor):
    talk = Conversation(ask(aimock, vendor))
    talk.generate("greet")
    with pytest.raises(errors.StreamInterruptedError) as caught:
        list(talk.stream("break off"))
    assert caught.value.partial_text
    assert (roles(talk), talk.is_busy) == (["user", "assistant"], False)
    with talk.stream("greet") as stream:
        first = next(stream)
    assert GREETING.startswith(talk.messages[-1]["content"])
    assert talk.messages[-1]["content"].startswith(first)


def test_one_conversation_with_all_vendors(aimock):
    vendors = list(ADDRESSES)
    talk = Conversation(ask(aimock, vendors[0]), system="Be brief.")
    picture = messages.image(b"\x89PNG\r\n\x1a\n" + b"0" * 20)
    for vendor in [*vendors, *vendors]:
        talk.switch(ask(aimock, vendor))
        assert talk.generate("think").text == "42."
        calls = talk.stream("weather").result.tool_calls
        results = [messages.tool_result(call, "4") for call in calls]
        assert talk.generate([*results, messages.user("greet", picture)]).text == GREETING
    assert (talk.turns, len(talk)) == (48, 16 * 8)
