"""What an application does with a model, in each of five protocols, against two servers: one of them nobody here wrote.

Both answer what aimock.json says. The scripted server of this project is told so by a hook around each request, so that
against it all of this runs with hooks, and against aimock without.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict
from uuid import uuid4

import pytest
from scenario_servers import VENDORS, Aimock, Fake, close

from pyagent import (
    AsyncStreamProcessor,
    Conversation,
    ObjectValidationError,
    Provider,
    SessionConfig,
    events,
    messages,
)
from pyagent._fake import FakeServer

pytestmark = pytest.mark.timeout(300)  # the first test may have to fetch aimock

GREETING = "Grüße from a server that nobody here wrote: 你好, 🌍."
WEATHER = "It is 4 °C in Oslo, and noon."
THOUGHT = "Six times seven, I believe."
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture(scope="module", autouse=True)  # before the first count of open handles
def _fake() -> Iterator[Fake]:
    with FakeServer() as server:
        yield Fake(f"http://{server.address}")


@pytest.fixture(params=["aimock", "fake"])
def server(request: pytest.FixtureRequest) -> Aimock:
    if request.param == "fake":
        fake: Fake = request.getfixturevalue("_fake")
        return fake
    return Aimock(request.getfixturevalue("aimock").url.removesuffix("/v1"))


@pytest.fixture(params=VENDORS)
def provider(server: Aimock, request: pytest.FixtureRequest) -> Iterator[Provider]:
    provider = server.provider(request.param)
    yield provider
    close(provider)


def thoughts(server: Aimock, provider: Provider) -> str | None:
    """What is to be seen of them: for Ollama, aimock has another key than Ollama."""
    return None if (server.name, provider.vendor) == ("aimock", "ollama") else THOUGHT


def test_basic(provider: Provider) -> None:
    response = provider.generate("greet", system_prompt="Be brief.", temperature=0.5, max_tokens=50)
    assert (response.text, response.finish_reason) == (GREETING, "stop")
    assert response.provider == provider.vendor
    assert response.model == "gpt-mock" or provider.vendor == "gemini"  # for which aimock says none
    assert response.usage.prompt_tokens is not None
    assert response.usage.completion_tokens is not None

    async def main() -> list[str]:
        return list(await asyncio.gather(*(provider.agenerate_text("greet") for _ in range(3))))

    assert asyncio.run(main()) == [GREETING] * 3
    assert list(provider.map(["greet", "picture"])) == [GREETING, "A very small square."]


def get_weather(city: Annotated[str, "Its name in English."], unit: Literal["°C", "K"] = "°C") -> dict[str, Any]:
    """How warm it is in a city."""
    return {"city": city, "temperature": f"4 {unit}"}


async def get_time(zone: str) -> str:
    """What time it is."""
    await asyncio.sleep(0)
    return f"12:00 {zone}"


def test_tools(server: Aimock, provider: Provider) -> None:
    ask = str(uuid4())
    run = provider.run_tools("weather?", tools=[get_weather, get_time], extra_headers={"x-request-id": ask})
    assert run.text == WEATHER
    assert [result.content for result in run.results] == ['{"city": "Oslo", "temperature": "4 °C"}', "12:00 CET"]
    assert [message["role"] for message in run.messages] == ["user", "assistant", "tool", "tool", "assistant"]
    asked = server.bodies(ask)
    assert len(asked) == 2
    assert "How warm it is in a city." in json.dumps(asked[0])
    assert "12:00 CET" in json.dumps(asked[1])
    if (server.name, provider.vendor) != ("aimock", "gemini"):  # whose newer word for schemas it does not understand
        assert "Its name in English." in json.dumps(asked[0])
    assert provider.generate(messages=[*run.messages, messages.user("greet")]).text == GREETING


def test_tools_that_are_streamed(provider: Provider) -> None:
    tools = [get_weather, get_time]
    stream = provider.stream_tools("weather?", tools=tools)
    seen = list(stream.events())
    assert [event.call.name for event in seen if isinstance(event, events.ToolStarted)] == ["get_weather", "get_time"]
    assert {event.result.outcome for event in seen if isinstance(event, events.ToolFinished)} == {"ok"}
    assert stream.result.text == WEATHER

    async def main() -> list[str]:
        return [piece async for piece in provider.astream_tools("weather?", tools=tools)]

    assert "".join(asyncio.run(main())) == "Let me look." + WEATHER


def test_vision(server: Aimock, provider: Provider) -> None:
    ask = str(uuid4())
    picture = messages.image(PICTURE)
    for stream in (False, True):
        question = {"messages": [messages.user("What is in the picture?", picture)]}
        headers = {"extra_headers": {"x-request-id": ask}}
        response = provider.stream(**question, **headers).result if stream else provider.generate(**question, **headers)
        assert response.text == "A very small square."
    asked = server.bodies(ask)
    assert len(asked) == 2
    if server.name == "fake" or provider.vendor == "openai":  # aimock understands pictures in no other protocol
        assert all("iVBORw0KGgowMDAw" in json.dumps(body) for body in asked)


def test_streams_as_text_and_as_events(server: Aimock, provider: Provider) -> None:
    stream = provider.stream("greet")
    assert list(stream)[:3] == ["Grü", "ße ", "fro"]
    assert stream.result.text == GREETING
    seen = list(provider.stream("think").events())
    assert isinstance(seen[0], events.StartEvent)
    assert isinstance(seen[-1], events.FinishEvent)
    assert "".join(event.text for event in seen if isinstance(event, events.TextDelta)) == "42."
    assert [event.text for event in seen if isinstance(event, events.TextDone)] == ["42."]
    if wanted := thoughts(server, provider):
        assert "".join(event.text for event in seen if isinstance(event, events.ReasoningDelta)) == wanted
        assert [event.text for event in seen if isinstance(event, events.ReasoningDone)] == [wanted]
    calls = [event.tool_call for event in provider.stream("weather").events() if isinstance(event, events.ToolCallEnd)]
    assert [(call.name, call.parsed) for call in calls] == [
        ("get_weather", {"city": "Oslo", "unit": "°C"}), ("get_time", {"zone": "CET"}),
    ]  # fmt: skip


def test_streams_as_calls_of_functions(server: Aimock, provider: Provider) -> None:
    text: list[str] = []
    reasoning: list[str] = []
    tokens: list[Any] = []
    stream = provider.stream("think").on_text(text.append).on_reasoning(reasoning.append).on_usage(tokens.append)
    response = stream.run()
    assert ("".join(text), "".join(reasoning)) == ("42.", thoughts(server, provider) or "")
    assert tokens[-1] == response.usage
    assert provider.stream("greet").collect().text == GREETING

    async def main() -> list[str]:
        names: list[str] = []

        async def note(call: Any) -> None:
            await asyncio.sleep(0)
            names.append(call.name)

        processor = provider.astream("weather").on_tool_call(note)
        assert isinstance(processor, AsyncStreamProcessor)
        assert (await processor.run()).text == "Let me look."
        return names

    assert asyncio.run(main()) == ["get_weather", "get_time"]


def test_streams_as_snapshots(provider: Provider) -> None:
    seen = list(provider.stream("greet").snapshots())
    texts = [snapshot.text for snapshot in seen]
    assert texts == sorted(texts, key=len)
    assert all(GREETING.startswith(text) for text in texts)
    assert [snapshot.complete for snapshot in seen] == [False] * (len(seen) - 1) + [True]
    assert (seen[-1].text, seen[-1].finish_reason) == (GREETING, "stop")
    last = list(provider.stream("weather").snapshots())[-1]
    assert [call.parsed for call in last.tool_calls] == [{"city": "Oslo", "unit": "°C"}, {"zone": "CET"}]


@dataclass
class City:
    name: str
    people: int


class Place(TypedDict):
    name: str
    people: int


ROME = {"name": "Rome", "people": 2_800_000}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "people": {"type": "integer"}}}


def model_of_pydantic() -> Any:
    return pytest.importorskip("pydantic").create_model("City", name=(str, ...), people=(int, ...))


def struct_of_msgspec() -> Any:
    return pytest.importorskip("msgspec").defstruct("City", [("name", str), ("people", int)])


KINDS: dict[str, Callable[[], Any]] = {
    "dataclass": lambda: City,
    "TypedDict": lambda: Place,
    "JSON schema": lambda: SCHEMA,
    "pydantic": model_of_pydantic,
    "msgspec": struct_of_msgspec,
}


@pytest.mark.parametrize("kind", KINDS)
def test_objects(provider: Provider, kind: str) -> None:
    schema = KINDS[kind]()
    whole = ROME if isinstance(schema, dict) else schema(**ROME)
    stream = provider.stream_object("Which city?", schema=schema, mode="prompt")
    partials = list(stream)
    assert partials[-1] == ROME
    assert provider.generate_object("Which city?", schema=schema, mode="prompt").object == whole == stream.result.object


def test_objects_in_the_mode_that_is_chosen(provider: Provider) -> None:
    result = provider.generate_object("Which city?", schema=City)
    assert (result.object, result.attempts) == (City(**ROME), 1)


def test_objects_that_are_repaired(provider: Provider) -> None:
    result = provider.generate_object("half a city", schema=City, mode="prompt")
    assert (result.object, result.attempts) == (City(**ROME), 2)
    with pytest.raises(ObjectValidationError, match="people") as caught:
        provider.generate_object("half a city", schema=City, mode="prompt", repairs=0)
    assert json.loads(caught.value.text) == {"name": "Rome"}
    assert caught.value.usage.completion_tokens is not None


def test_one_conversation_with_all_vendors(server: Aimock) -> None:
    """Each goes on with what the ones before it thought, called and were told; none is sent what another one signed."""
    history: list[Any] = []
    for turn, vendor in enumerate([*VENDORS, *VENDORS]):
        provider, ask = server.provider(vendor), str(uuid4())
        options: dict[str, Any] = {"extra_headers": {"x-request-id": ask}, "tools": [get_weather, get_time]}
        history.append(messages.user("think"))
        answer = provider.stream(messages=history, **options).result
        assert answer.text == "42."
        history += [answer.message, messages.user("weather")]
        run = provider.run_tools(messages=history, **options)
        assert run.text == WEATHER
        history = run.messages
        close(provider)
        asked = server.bodies(ask)
        assert len(asked) == 3
        for body in asked:
            assert_only_its_own(vendor, body)
        if (server.name, vendor) == ("fake", "anthropic"):
            assert json.dumps(asked[2]).count('"signature"') == turn // len(VENDORS) + 1
    assert [message["role"] for message in history].count("tool") == 20


def test_one_conversation_is_switched_between_all_vendors(server: Aimock) -> None:
    first = server.provider("openai")
    talk = Conversation(first, system="Be brief.", config=SessionConfig(max_tokens=500))
    for vendor in [*VENDORS, *VENDORS]:
        provider = server.provider(vendor)
        talk.switch(provider)
        assert talk.generate("think").text == "42."
        assert "".join(talk.stream([messages.user("greet", messages.image(PICTURE))])) == GREETING
        assert talk.run_tools("weather", tools=[get_weather, get_time]).text == WEATHER
        other = talk.fork()
        assert other.generate("greet").text == GREETING
        assert (other.turns, other.provider.vendor) == (talk.turns + 1, vendor)
        close(provider)
    assert (talk.turns, len(talk)) == (30, 10 * 9)
    assert [message["role"] for message in talk.messages[:9]] == [
        "user", "assistant", "user", "assistant", "user", "assistant", "tool", "tool", "assistant",
    ]  # fmt: skip
    again = Conversation.from_dict(json.loads(json.dumps(talk.to_dict())), provider=server.provider(vendor))
    assert again.messages == talk.messages
    assert again.generate("greet").text == GREETING
    close(again.provider)


def assert_only_its_own(vendor: str, body: Any) -> None:
    """Of thoughts, a vendor is sent its own and no one else's; signed ones go back to who signed them."""
    sent = json.dumps(body, ensure_ascii=False)
    assert ('"signature"' in sent) <= (vendor == "anthropic")
    assert ("encrypted_content" in sent) <= (vendor == "openai-responses")


ALONE = '''
import importlib.util
from dataclasses import dataclass
from pyagent import Hooks, Provider, run_tool_calls

assert not any(map(importlib.util.find_spec, ["pydantic", "msgspec", "docstring_parser", "typing_extensions"]))

@dataclass
class City:
    name: str
    people: int

def look(city: str, unit: str = "K") -> str:
    """How warm it is.

    Args:
        city: Its name.
    """
    return city + unit

def fake(**script):
    return {"fake": script}

echo = Provider.echo()
rome = fake(text='{"name": "Rome", "people": 1}')
assert echo.generate_object("?", schema=City, extra_body=rome).object == City("Rome", 1)
assert list(echo.stream_object("?", schema=City, extra_body=rome))[-1] == {"name": "Rome", "people": 1}
called = fake(tools=[{"name": "look", "arguments": {"city": "Oslo"}}])
(result,) = run_tool_calls(echo.generate("?", tools=[look], extra_body=called).tool_calls, [look])
assert result.content == "OsloK", result
assert echo.generate("hello", hooks=Hooks(request=[lambda context: None])).text == "hello"
assert [snapshot.text for snapshot in echo.stream("hello").snapshots()][-1] == "hello"
print("alone")
'''


def test_without_any_other_package() -> None:
    """Python without its site-packages has nothing but its own library."""
    import pyagent

    root = str(Path(pyagent.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-S", "-c", ALONE], env={**os.environ, "PYTHONPATH": root},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stderr, done.stdout) == ("", "alone\n")
