"""Conversation: history, streams that are recorded, what is refused, and what forks, pickles and files keep."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    AnthropicOptions,
    Client,
    ConfigurationError,
    Conversation,
    ConversationBusyError,
    InternalServerError,
    OpenAIOptions,
    Provider,
    SessionConfig,
    StreamInterruptedError,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Server


def fake(**fields: Any) -> SessionConfig:
    return SessionConfig(extra_body={"fake": fields})


@pytest.fixture
def talk(provider: Provider) -> Conversation:
    return Conversation(provider, system="Be brief.")


def said(conversation: Conversation) -> list[tuple[str, Any]]:
    return [(message["role"], message["content"]) for message in conversation.messages]


def test_a_turn_sends_the_history_and_is_recorded(talk: Conversation, server: Server) -> None:
    assert talk.generate("one").text == "one"
    assert talk.generate("two").text == "two"
    assert said(talk) == [("user", "one"), ("assistant", "one"), ("user", "two"), ("assistant", "two")]
    assert [(m["role"], m["content"]) for m in server.requests()[1]["body"]["messages"]] == [
        ("system", "Be brief."), ("user", "one"), ("assistant", "one"), ("user", "two"),
    ]  # fmt: skip
    assert (len(talk), talk.turns, bool(Conversation(talk.provider))) == (4, 2, True)


def test_a_stream_is_recorded_when_it_ends(talk: Conversation, server: Server) -> None:
    stream = talk.stream("a b c")
    assert (talk.is_busy, talk.messages) == (True, [])
    assert list(stream) == ["a", " b", " c"]
    assert said(talk) == [("user", "a b c"), ("assistant", "a b c")]
    assert not talk.is_busy
    assert talk.stream("d").result.text == "d"
    assert talk.turns == 2
    assert len(server.requests()[1]["body"]["messages"]) == 4


def close(stream: Any) -> None:
    stream.close()


def cancel(stream: Any) -> None:
    stream.cancel()


@pytest.mark.parametrize("end", [close, cancel, None])
def test_a_stream_that_is_cut_leaves_its_text_marked(talk: Conversation, server: Server, end: Any) -> None:
    stream = talk.stream("q", config=fake(pieces=["one ", "two ", "three"], after=2, end="stall"))
    assert [next(stream), next(stream)] == ["one ", "two "]
    if end is not None:
        end(stream)
    del stream
    gc.collect()
    assert talk.messages == [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "one two ", "interrupted": True},
    ]
    assert talk.generate("go on").text == "go on"
    assert server.requests()[1]["body"]["messages"][2] == {"role": "assistant", "content": "one two "}


def test_leaving_a_loop_records_the_text_so_far(talk: Conversation, collect: Any) -> None:
    for _ in talk.stream("q", config=fake(pieces=["one ", "two ", "three"], after=1, end="stall")):
        break
    collect()
    assert said(talk) == [("user", "q"), ("assistant", "one ")]


def test_a_stream_that_is_cut_before_its_first_piece_leaves_nothing(talk: Conversation) -> None:
    talk.stream("q", config=fake(header_delay=30)).close()
    assert (talk.messages, talk.turns, talk.is_busy) == ([], 0, False)


def test_a_stream_whose_whole_answer_came_before_it_was_closed_is_whole(talk: Conversation) -> None:
    stream = talk.stream("q", config=fake(text="a b c d", per_write=100))
    while talk.is_busy:  # most often everything arrives in one batch, of which one piece is read
        next(stream, None)
    stream.close()
    assert talk.messages[-1] == {"role": "assistant", "content": "a b c d"}


def test_a_failure_leaves_the_history_as_it_was(talk: Conversation) -> None:
    talk.generate("one")
    before = talk.messages
    with pytest.raises(InternalServerError):
        talk.generate("two", config=fake(status=500).over(SessionConfig(max_retries=0)))
    stream = talk.stream("two", config=fake(pieces=["some ", "of ", "it"], after=2, end="cut"))
    with pytest.raises(StreamInterruptedError) as caught:
        list(stream)
    assert caught.value.partial_text == "some of "
    assert (talk.messages, talk.turns, talk.is_busy) == (before, 1, False)
    assert talk.generate("three").text == "three"


def test_a_second_turn_is_refused_while_one_runs(talk: Conversation) -> None:
    with talk.stream("q", config=fake(pieces=["a ", "b"], after=1, end="stall")) as stream:
        next(stream)
        for act in (
            lambda: talk.generate("x"),
            lambda: talk.stream("x"),
            talk.clear,
            talk.trim,
            lambda: talk.switch("n"),
            lambda: talk.add("x"),
            lambda: talk.generate_with("n", "x"),
        ):
            with pytest.raises(ConversationBusyError, match="wait for its answer, close its stream, or ask a fork"):
                act()  # type: ignore[no-untyped-call]
        assert talk.generate_stateless("aside").text == "aside"
        assert talk.fork().generate("own").text == "own"
    assert said(talk) == [("user", "q"), ("assistant", "a ")]


def test_of_many_threads_one_has_the_turn(talk: Conversation) -> None:
    done: list[str] = []
    started = threading.Barrier(8)

    def ask(name: str) -> None:
        started.wait()
        try:
            done.append(talk.generate(name, config=fake(header_delay=0.3)).text)
        except ConversationBusyError:
            done.append("busy")

    threads = [threading.Thread(target=ask, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done)[:7] == ["busy"] * 7
    assert len(talk) == 2


def test_coroutines(talk: Conversation, run: Callable[..., Any], collect: Any) -> None:
    async def main() -> None:
        assert (await talk.agenerate("one")).text == "one"
        async for piece in await talk.astream("two"):
            assert piece == "two"
        assert (await talk.agenerate_stateless("aside")).text == "aside"
        assert (await (await talk.astream_stateless("aside")).result).text == "aside"
        assert (await talk.agenerate_with("n", "three")).text == "three"
        assert (await (await talk.astream_with("n", "four")).result).text == "four"
        stream = await talk.astream("q", config=fake(pieces=["a ", "b"], after=1, end="stall"))
        async for _ in stream:
            with pytest.raises(ConversationBusyError):
                await talk.agenerate("x")
            break
        collect()
        assert await talk.atrim(max_turns=2) == 6

    run(main)
    assert said(talk) == [("user", "four"), ("assistant", "four"), ("user", "q"), ("assistant", "a ")]
    assert (talk.turns, talk.is_busy) == (5, False)


def test_a_task_that_is_cancelled_leaves_no_trace(talk: Conversation) -> None:
    async def main() -> None:
        asking = asyncio.ensure_future(talk.agenerate("q", config=fake(end="stall", pieces=["a ", "b"], after=1)))
        await asyncio.sleep(0.1)
        assert talk.is_busy
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (talk.messages, talk.is_busy) == ([], False)
        stream = await talk.astream("q", config=fake(end="stall", pieces=["a ", "b"], after=1))
        assert await stream.__anext__() == "a "
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.__anext__(), 0.1)

    asyncio.run(main())
    assert talk.messages[-1] == {"role": "assistant", "content": "a ", "interrupted": True}


def test_what_may_be_asked(talk: Conversation, server: Server) -> None:
    picture = messages.image("https://h.example/a.png")
    for prompt in (["What is this?", picture], messages.user("What is this?", picture), [messages.user("x")]):
        talk.clear()
        talk.generate(prompt, config=fake(text="A cat."))
    first, second, third = (request["body"]["messages"][1] for request in server.requests())
    assert first == second == {"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]}
    assert third == {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (5, "prompt must be a text, a message"),
        ([], "prompt is an empty list"),
        ([5], "prompt must be a text"),
        ([messages.user("a"), "b"], r"prompt\[1\] must be a message, as the others are"),
        ([{"role": 5}], r"role of prompt\[0\] must be a string"),
        (None, "nothing to answer"),
    ],
)
def test_what_may_not(talk: Conversation, prompt: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        talk.generate(prompt)
    if prompt is not None:  # which is for what the history ends with
        with pytest.raises(ConfigurationError, match=message):
            talk.add(prompt)
    with pytest.raises(ConfigurationError):
        talk.generate_stateless(prompt)
    assert (talk.messages, talk.is_busy) == ([], False)


def test_a_question_that_is_in_the_history_already(talk: Conversation, server: Server) -> None:
    talk.add("one")
    talk.add(messages.user("two"))
    assert talk.generate().text == "two"
    assert [m["role"] for m in talk.messages] == ["user", "user", "assistant"]
    with pytest.raises(ConfigurationError, match="nothing to answer"):
        talk.generate()


def test_tool_calls_and_their_results(talk: Conversation, server: Server) -> None:
    calls = [{"name": "time", "arguments": {}}, {"name": "day", "arguments": {}}]
    response = talk.generate("When is it?", config=fake(text="", tools=calls))
    with pytest.raises(ConfigurationError, match="results of its tool calls 'call_1', 'call_2'; give a messages"):
        talk.generate("Well?")
    first, second = response.tool_calls
    with pytest.raises(ConfigurationError, match="tool calls 'call_2'"):
        talk.generate(messages.tool_result(first, "Noon."))
    talk.generate(
        [messages.tool_result(first, "Noon."), messages.tool_result(second, "Friday.")], config=fake(text="!")
    )
    assert [m["role"] for m in talk.messages] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [m["role"] for m in server.requests()[1]["body"]["messages"]][1:] == ["user", "assistant", "tool", "tool"]


def test_the_config_is_the_default_of_every_turn(provider: Provider, server: Server) -> None:
    config = SessionConfig(temperature=0.5, max_tokens=9, options=OpenAIOptions(seed=4))
    talk = Conversation(provider, config=config)
    talk.generate("x")
    talk.stream("x", config=SessionConfig(temperature=0, options=OpenAIOptions(project="u"))).result  # noqa: B018
    talk.generate_stateless("x")
    talk.config = SessionConfig(top_p=0.5)
    talk.system = "New."
    talk.generate("x")
    seen = server.requests()
    first, second, third, fourth = (request["body"] for request in seen)
    assert (first["temperature"], first["max_tokens"], first["seed"]) == (0.5, 9, 4)
    assert (second["temperature"], second["max_tokens"], second["seed"], seen[1]["headers"]["openai-project"]) == (
        0,
        9,
        4,
        "u",
    )
    assert (third["temperature"], len(third["messages"])) == (0.5, 1)
    assert ("temperature" in fourth, fourth["top_p"], fourth["messages"][0]["content"]) == (False, 0.5, "New.")


def test_options_of_several_vendors_are_merged_by_kind() -> None:
    one = SessionConfig(options=[OpenAIOptions(seed=1), AnthropicOptions(user_id="u")], timeout=3)
    merged = SessionConfig(options=OpenAIOptions(prompt_cache_key="x")).over(one)
    assert merged.options == [OpenAIOptions(seed=1, prompt_cache_key="x"), AnthropicOptions(user_id="u")]
    assert (merged.timeout, SessionConfig(timeout=1).over(one).timeout) == (3, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"max_history_turns": 0}, "max_history_turns must be a whole number, 1 or more"),
        ({"max_history_tokens": True}, "max_history_tokens must be a whole number"),
        ({"options": 5}, "options must be options such as"),
        ({"timeout": 1, "timeouts": 2}, "timeout and timeouts were both given"),
        ({"limits": 5}, "limits must be a Limits object"),
    ],
)
def test_a_config_that_is_wrong(arguments: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SessionConfig(**arguments)


def test_what_a_conversation_is_made_of(provider: Provider, talk: Conversation) -> None:
    for arguments, message in (
        ({"provider": "m"}, "provider must be a Provider"),
        ({"system": 5}, "system must be a string"),
        ({"config": {}}, "config must be a SessionConfig"),
        ({"messages": ["x"]}, r"messages\[0\] must be a dict"),
        ({"summarise": "x"}, "summarise must be a function"),
        ({"use_response_ids": 1}, "use_response_ids must be True or False"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            Conversation(**{"provider": provider, **arguments})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="config must be a SessionConfig"):
        talk.generate("x", config={})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="provider must be a Provider, or the name of a model"):
        talk.switch(5)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="provider must be"):
        talk.generate_with(5, "x")  # type: ignore[arg-type]
    assert not talk.is_busy


def test_another_model_for_one_turn_or_from_now_on(talk: Conversation, server: Server) -> None:
    talk.generate("one")
    talk.generate_with("other", "two")
    talk.stream_with(talk.provider.with_model("third"), "three").result  # noqa: B018  # reads it
    talk.switch("fourth")
    talk.generate("four")
    assert [request["body"]["model"] for request in server.requests()] == ["m", "other", "third", "fourth"]
    assert (talk.provider.model, len(server.requests()[3]["body"]["messages"])) == ("fourth", 8)


def test_nothing_that_is_handed_out_is_the_history(talk: Conversation, provider: Provider) -> None:
    mine = messages.user("a", messages.image("https://h.example/a.png"))
    talk.generate(mine, config=fake(text="b"))
    talk.usage.prompt_tokens = 10**9
    mine["content"][0]["text"] = talk.messages[0]["content"][0]["text"] = "changed"
    talk.messages.clear()
    start = [messages.user("a")]
    other = Conversation(provider, messages=start)
    start[0]["content"] = "changed"
    assert talk.messages[0]["content"][0]["text"] == other.messages[0]["content"] == "a"
    assert (talk.usage.prompt_tokens or 0) < 100


def test_forks_and_pickles_share_nothing(talk: Conversation) -> None:
    talk.generate("one")
    for copy in (talk.fork(), pickle.loads(pickle.dumps(talk))):
        before = talk.messages
        copy.generate("two")
        copy.system = "Other."
        assert (talk.messages, talk.system, len(copy), copy.turns) == (before, "Be brief.", 4, 2)
        copy.clear()
        assert (copy.messages, copy.turns, copy.usage.total_tokens == talk.usage.total_tokens) == ([], 2, False)
        if copy.provider is not talk.provider:
            copy.provider._client.close()


def test_a_pickle_and_a_fork_of_a_conversation_that_is_busy(talk: Conversation) -> None:
    with talk.stream("q", config=fake(pieces=["a ", "b"], after=1, end="stall")) as stream:
        next(stream)
        for copy in (talk.fork(), pickle.loads(pickle.dumps(talk))):
            assert (copy.messages, copy.is_busy) == ([], False)


def test_totals(provider: Provider) -> None:
    talk = Conversation(provider)
    assert (talk.usage.total_tokens, talk.cost) == (None, None)
    usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5, "cost": 0.25}
    talk.generate("x", config=fake(usage=usage))
    talk.stream("x", config=fake(usage=usage)).result  # noqa: B018  # reads it
    talk.generate("x", config=fake(usage=False))
    assert (talk.usage.prompt_tokens, talk.usage.completion_tokens, talk.usage.total_tokens) == (4, 6, 10)
    assert (talk.cost, talk.turns) == (0.5, 3)


def test_what_turns_cost_by_the_price_of_their_model(server: Server) -> None:
    provider = Provider.openai("gpt-4o-mini", api_key="k", base_url=server.url)
    talk = Conversation(provider)
    costs = [talk.generate("one").cost, talk.stream("two words").result.cost, talk.generate_with("unknown", "x").cost]
    assert costs[0]
    assert costs[1]
    assert costs[2] is None
    assert talk.cost == costs[0] + costs[1]
    assert provider._client is not None
    provider._client.close()


def test_a_client_makes_conversations(server: Server) -> None:
    client = Client()
    provider = client.add("groq", api_key="k", base_url=server.url)
    talk = client.conversation("groq", "m", system="s", config=SessionConfig(seed=3), use_response_ids=True)
    talk.generate("x")
    body = server.only()["body"]
    assert (body["seed"], [m["content"] for m in body["messages"]]) == (3, ["s", "x"])
    with pytest.raises(ConfigurationError, match="no vendor 'none'"):
        client.conversation("none", "m")
    assert provider._client is not None
    provider._client.close()
