"""Conversations whose models call tools, and their streams, in the protocols of five vendors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyagent import (
    ConfigurationError,
    Conversation,
    ConversationBusyError,
    Provider,
    SessionConfig,
    StreamCancelledError,
    ToolLimitError,
    UnsupportedFeatureError,
    messages,
)

CALLS = {"calls": [("weather", '{"city": "Rome"}'), ("weather", '{"city": "Oslo"}')]}


def weather(city: str) -> str:
    """Says what the weather is like."""
    return f"sun in {city}"


def roles(talk: Conversation) -> list[str]:
    return [message["role"] for message in talk.messages]


def test_the_transcript_is_recorded(model: Any, vendor: Provider) -> None:
    talk = Conversation(vendor, system="Be brief.", config=SessionConfig(tools=[weather]))
    model.turns = [CALLS, {"text": "Sun."}, {"text": "Yes."}]
    run = talk.run_tools("How is it?")
    assert (run.text, len(run.results)) == ("Sun.", 2)
    assert roles(talk) == ["user", "assistant", "tool", "tool", "assistant"]
    assert [m["content"] for m in talk.messages[2:]] == ["sun in Rome", "sun in Oslo", "Sun."]
    assert (talk.turns, talk.usage.total_tokens, talk.usage.prompt_tokens) == (1, run.usage.total_tokens, 20)
    assert talk.generate("Really?").text == "Yes."
    assert "sun in Oslo" in str(model.asked[2])
    assert talk.trim(max_turns=1) == 5


def test_a_stream_of_it_is_recorded_when_it_ends(model: Any, vendor: Provider) -> None:
    talk = Conversation(vendor)
    model.turns = [CALLS, {"text": "Sun."}]
    stream = talk.stream_tools("How is it?", tools=[weather])
    with pytest.raises(ConversationBusyError):
        talk.generate("x")
    assert "".join(stream) == "Sun."
    assert roles(talk) == ["user", "assistant", "tool", "tool", "assistant"]
    assert not talk.is_busy


def test_streams_of_every_protocol(model: Any, vendor: Provider) -> None:
    talk = Conversation(vendor, system="Be brief.")
    model.turns = [{"text": "one"}, {"text": "two"}, {"text": "three"}]
    assert "".join(talk.stream("1")) == "one"
    talk.stream("2").result  # noqa: B018  # reads it

    async def main() -> None:
        async for piece in await talk.astream("3"):
            assert piece == "three"

    asyncio.run(main())
    assert [m["content"] for m in talk.messages] == ["1", "one", "2", "two", "3", "three"]
    assert (talk.turns, talk.usage.total_tokens or 45) == (3, 45)


def test_coroutines(model: Any, asking: Provider) -> None:
    talk = Conversation(asking, config=SessionConfig(tools=[weather]))
    model.turns = [CALLS, {"text": "Sun."}, CALLS, {"text": "Still."}]

    async def main() -> None:
        assert (await talk.arun_tools("How is it?")).text == "Sun."
        stream = await talk.astream_tools("And now?")
        assert talk.is_busy
        assert [piece async for piece in stream] == ["Still."]

    asyncio.run(main())
    assert (len(talk), talk.turns, talk.is_busy) == (10, 2, False)


def test_a_run_that_fails_or_is_cut_leaves_no_trace(model: Any, asking: Provider, collect: Any) -> None:
    talk = Conversation(asking, config=SessionConfig(tools=[weather]))
    model.turns = [CALLS]
    with pytest.raises(ToolLimitError) as caught:
        talk.run_tools("How is it?", max_steps=1)
    assert caught.value.run is not None
    assert len(caught.value.run.messages) == 2
    model.turns = [CALLS]
    for _ in talk.stream_tools("How is it?").events():
        break
    collect()
    stream = talk.stream_tools("How is it?")
    stream.close()
    with pytest.raises(StreamCancelledError):
        list(stream)
    model.turns = [CALLS, "no"]
    with pytest.raises(Exception, match="no"):
        talk.run_tools("How is it?")
    with pytest.raises(ConfigurationError, match="max_steps"):
        talk.stream_tools("x", max_steps=0)
    with pytest.raises(UnsupportedFeatureError, match="n=2"):
        talk.run_tools("x", config=SessionConfig(n=2))
    assert (talk.messages, talk.turns, talk.is_busy) == ([], 0, False)


def test_calls_that_wait_are_made_or_answered(model: Any, asking: Provider) -> None:
    talk = Conversation(asking, config=SessionConfig(tools=[weather]))
    model.turns = [CALLS, {"text": "Sun."}]
    first, _ = talk.generate("How is it?").tool_calls
    with pytest.raises(ConfigurationError, match="waits for the results"):
        talk.run_tools("Never mind.")
    run = talk.run_tools(messages.tool_result(first, "rain"))  # the other one is made
    assert run.text == "Sun."
    assert [m["content"] for m in talk.messages if m["role"] == "tool"] == ["rain", "sun in Oslo"]
    model.turns = [CALLS, {"text": "Sun."}]
    talk.generate("And now?")
    assert talk.run_tools().text == "Sun."
    with pytest.raises(ConfigurationError, match="nothing to answer"):
        talk.run_tools()


def test_with_response_ids(model: Any) -> None:
    provider = Provider("m", provider="openai-responses", api_key="k", base_url=model.url)
    talk = Conversation(provider, system="Be brief.", config=SessionConfig(tools=[weather]), use_response_ids=True)
    model.turns = [{"text": "Hello."}, CALLS, {"text": "Sun."}, {"text": "Bye."}]
    talk.generate("Hi.")
    talk.run_tools("How is it?")
    talk.generate("Bye.")
    assert [body.get("previous_response_id") for body in model.asked] == [None, "resp_1", "resp_1", "resp_1"]
    assert [len(body["input"]) for body in model.asked] == [2, 1, 5, 1]
    assert len(talk) == 9
    assert provider._client is not None
    provider._client.close()


def test_functions_among_the_tools_are_saved_as_declarations(model: Any, asking: Provider) -> None:
    talk = Conversation(asking, config=SessionConfig(tools=[weather]))
    (saved,) = talk.to_dict()["config"]["tools"]
    assert saved["function"]["name"] == "weather"
    loaded = Conversation.from_dict(talk.to_dict(), provider=asking)
    model.turns = [CALLS]
    assert len(loaded.generate("How is it?").tool_calls) == 2
    assert model.asked[0]["tools"] == [saved]
