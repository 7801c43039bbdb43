"""Users of rusty-agent-sdk change one import line: its programs, signatures, defaults, messages and errors hold."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pyagent
from pyagent import GenerateResult, Provider, TextStream

pytestmark = pytest.mark.timeout(60)

ROOT = Path(__file__).resolve().parents[2]
ITS_IMPORT = "from rusty_agent_sdk import Provider"
OUR_IMPORT = "from pyagent import Provider"

# Programs in the shape of its README (repository state of version 0.1.0), and what they print if the vendor echoes.
PROGRAMS = {
    "generation": (
        """
        provider = Provider("openai/gpt-4o-mini")
        response = provider.generate_text("Explain Go in one sentence.")
        print(response)
        """,
        "Explain Go in one sentence.\n",
    ),
    "streaming": (
        """
        provider = Provider("openai/gpt-4o-mini")
        for chunk in provider.stream_text("Count from 1 to 5."):
            print(chunk, end="", flush=True)
        print()
        """,
        "Count from 1 to 5.\n",
    ),
    "parameters": (
        """
        provider = Provider("openai/gpt-4o-mini")
        response = provider.generate_text(
            "Write a limerick about sockets.",
            system_prompt="You are a poet of few words.",
            temperature=0.7,
            max_tokens=100,
        )
        print(response)
        """,
        "Write a limerick about sockets.\n",
    ),
    "presets": (
        """
        for provider in (
            Provider.openai("gpt-4o-mini"),
            Provider.anthropic("claude-sonnet-4-20250514"),
            Provider.openrouter("openai/gpt-4o-mini"),
            Provider.openai("gpt-4o-mini", api_key="another key"),
        ):
            print(provider.generate_text("Hello!"))
        """,
        "Hello!\n" * 4,
    ),
    "usage": (
        """
        provider = Provider("openai/gpt-4o-mini")
        result = provider.generate_text("Hello to you!", include_usage=True)
        print(result.text)
        print(f"{result.prompt_tokens} + {result.completion_tokens} = {result.total_tokens}")
        print(result.model, result.finish_reason)
        """,
        "Hello to you!\n3 + 3 = 6\nopenai/gpt-4o-mini stop\n",
    ),
    "usage of a stream": (
        """
        provider = Provider("openai/gpt-4o-mini")
        stream = provider.stream_text("Hello to you!", include_usage=True)
        for chunk in stream:
            print(chunk, end="", flush=True)
        print()
        print(f"{stream.prompt_tokens} + {stream.completion_tokens} = {stream.total_tokens}")
        """,
        "Hello to you!\n3 + 3 = 6\n",
    ),
    "conversation": (
        """
        provider = Provider("openai/gpt-4o-mini")
        response = provider.generate_text(messages=[
            {"role": "user", "content": "My name is Ada."},
            {"role": "assistant", "content": "Good to meet you, Ada!"},
            {"role": "user", "content": "What is my name?"},
        ])
        print(response)
        """,
        "What is my name?\n",
    ),
    "json": (
        """
        provider = Provider("openai/gpt-4o-mini")
        response = provider.generate_text("Name 3 colors as JSON.", response_format={"type": "json_object"})
        print(response)
        """,
        "Name 3 colors as JSON.\n",
    ),
}


@pytest.mark.parametrize(("program", "printed"), PROGRAMS.values(), ids=PROGRAMS)
def test_its_programs_run_with_another_import_line(vendor, program, printed):
    written = f"{ITS_IMPORT}\n{inspect.cleandoc(program)}\n"
    ours = written.replace(ITS_IMPORT, OUR_IMPORT)
    command = [sys.executable, "-W", "error", "-c", ours]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")
    assert vendor.requests()


GENERATION = {
    "prompt": None, "system_prompt": None, "messages": None, "temperature": None, "max_tokens": None, "top_p": None,
    "stop": None, "frequency_penalty": None, "presence_penalty": None, "seed": None, "response_format": None,
    "include_usage": False,
}  # fmt: skip
PRESET = {"model": inspect.Parameter.empty, "api_key": None}
SIGNATURES = {
    "__init__": {**PRESET, "base_url": None},
    "openai": PRESET,
    "anthropic": PRESET,
    "openrouter": PRESET,
    "generate_text": GENERATION,
    "stream_text": GENERATION,
}


@pytest.mark.parametrize(("name", "wanted"), SIGNATURES.items(), ids=SIGNATURES)
def test_signatures(name, wanted):
    """Its parameters with its defaults; the first may be positional, the others may not; ours come after them."""
    parameters = inspect.signature(getattr(Provider, name)).parameters.values()
    ours = [parameter for parameter in parameters if parameter.name != "self"]
    assert {parameter.name: parameter.default for parameter in ours[: len(wanted)]} == wanted
    assert [parameter.name for parameter in ours[: len(wanted)]] == list(wanted)
    assert ours[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert {parameter.kind for parameter in ours[1:]} == {inspect.Parameter.KEYWORD_ONLY}
    assert all(parameter.default in (None, False, True) for parameter in ours[len(wanted) :]), "what we add is optional"


def test_against_the_published_package():
    """Version 0.1.0 has less than its repository; what it has, we have."""
    rusty = pytest.importorskip("rusty_agent_sdk", reason="`pip install rusty-agent-sdk==0.1.0` brings it")
    for name in ("Provider", "TextStream"):
        theirs = {member for member in dir(getattr(rusty, name)) if not member.startswith("_")}
        assert theirs <= set(dir(getattr(pyagent, name)))
    ours = inspect.signature(Provider).parameters
    for parameter in inspect.signature(rusty.Provider).parameters.values():
        assert (ours[parameter.name].default, ours[parameter.name].kind) == (parameter.default, parameter.kind)
    key = {"api_key": "k"}
    assert repr(Provider("m", **key)) == repr(rusty.Provider("m", **key))
    assert repr(Provider("m", base_url="http://h/v1", **key)) == repr(
        rusty.Provider("m", base_url="http://h/v1", **key)
    )


@pytest.mark.parametrize(
    ("preset", "key", "base"),
    [
        (Provider.openai, "OPENAI", "https://api.openai.com/v1"),
        (Provider.anthropic, "ANTHROPIC", "https://api.anthropic.com/v1"),
        (Provider.openrouter, "OPENROUTER", "https://openrouter.ai/api/v1"),
        (Provider, "OPENROUTER", "https://openrouter.ai/api/v1"),
    ],
    ids=["openai", "anthropic", "openrouter", "constructor"],
)
def test_presets(vendor, monkeypatch, preset, key, base):
    """The address, the key from the right variable, the argument before it, and a message where neither is."""
    header, before, path = "authorization", "Bearer ", "/v1/chat/completions"
    if key == "ANTHROPIC":  # in its own protocol, not through the route that is like OpenAI's
        header, before, path = "x-api-key", "", "/v1/messages"
    assert preset("m").generate_text("x") == "x"
    assert preset("m", api_key="given").generate_text("x") == "x"
    sent = [request["headers"][header] for request in vendor.requests()]
    assert sent == [f"{before}key-of-{key.lower()}", f"{before}given"]
    assert {request["path"] for request in vendor.requests()} == {path}
    monkeypatch.delenv(f"{key}_BASE_URL")
    assert repr(preset("m")) == f"Provider(model='m', base_url='{base}')"
    monkeypatch.delenv(f"{key}_API_KEY")
    message = f"No api_key provided and {key}_API_KEY environment variable is not set."
    with pytest.raises(ValueError, match=re.escape(message)):
        preset("m")


def test_a_trailing_slash_is_no_part_of_the_address(vendor):
    assert Provider("m", base_url=vendor.url + "/").generate_text("x") == "x"
    assert vendor.only()["path"] == "/v1/chat/completions"


def test_repr_hides_the_key():
    provider = Provider("m", api_key="very-secret", base_url="http://h/v1")
    assert repr(provider) == str(provider) == "Provider(model='m', base_url='http://h/v1')"
    assert not {"api_key", "base_url"} & set(dir(provider))


def test_every_parameter_is_sent(vendor):
    options = {
        "temperature": 0.5, "max_tokens": 7, "top_p": 0.9, "frequency_penalty": 0.25, "presence_penalty": -0.5,
        "seed": 3, "stop": ["a", "b"],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    }  # fmt: skip
    Provider("m").generate_text("hi", **options)
    body = vendor.only()["body"]
    assert body == {"model": "m", "messages": [{"role": "user", "content": "hi"}], **options}
    "".join(Provider("m").stream_text("hi", **options))
    stream = vendor.requests()[-1]["body"]
    assert stream == {**body, "stream": True}
    "".join(Provider("m").stream_text("hi", include_usage=True))
    assert vendor.requests()[-1]["body"]["stream_options"] == {"include_usage": True}


def test_stop_may_be_a_string(vendor):
    Provider("m").generate_text("hi", stop="END")
    assert vendor.only()["body"]["stop"] == "END"


def test_message_rules(vendor):
    provider, history = (
        Provider("m"),
        [{"role": "user", "content": "first"}, {"role": "assistant", "content": "second"}],
    )
    provider.generate_text("ignored", messages=history)
    provider.generate_text("used", messages=[])
    provider.generate_text(messages=history, system_prompt="rules")
    bodies = [request["body"]["messages"] for request in vendor.requests()]
    assert bodies == [
        history,
        [{"role": "user", "content": "used"}],
        [{"role": "system", "content": "rules"}, *history],
    ]


@pytest.mark.parametrize("method", ["generate_text", "stream_text"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "prompt"),
        ({"messages": []}, "messages"),
        ({"messages": ({"role": "user", "content": "x"},)}, "list"),
        ({"messages": ["x"]}, "messages"),
        ({"messages": [{"content": "x"}]}, "role"),
        ({"prompt": "x", "stop": 7}, "'stop' must be a string or list of strings."),
        ({"prompt": "x", "response_format": {"type": {1, 2}}}, "Cannot convert Python type 'set' to JSON."),
    ],
    ids=lambda value: str(value)[:20],
)
def test_wrong_arguments_are_value_errors(method, arguments, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        getattr(Provider("m", api_key="k"), method)(**arguments)


def test_generate_result(vendor):
    result = Provider("m").generate_text("word " * 19 + "word", include_usage=True)
    assert isinstance(result, GenerateResult)
    assert str(result) == result.text
    assert result.text[:50] in repr(result)
    assert result.text[:52] not in repr(result)
    assert (result.prompt_tokens, result.completion_tokens, result.total_tokens) == (20, 20, 40)
    assert (result.model, result.finish_reason) == ("m", "stop")


def test_text_stream_knows_nothing_until_it_does(vendor):
    provider, names = Provider("m"), ["prompt_tokens", "completion_tokens", "total_tokens", "finish_reason", "model"]
    stream = provider.stream_text("one two", include_usage=True)
    assert isinstance(stream, TextStream)
    assert iter(stream) is not None
    assert [getattr(stream, name) for name in names] == [None] * 5
    assert list(stream) == ["one", " two"]
    assert [getattr(stream, name) for name in names] == [2, 2, 4, "stop", "m"]
    without = provider.stream_text("one two")
    assert list(without) == ["one", " two"]
    assert [getattr(without, name) for name in names] == [None] * 5


def test_errors_of_a_stream_come_with_the_first_piece(vendor):
    stream = Provider("m").stream_text("x", extra_body={"fake": {"status": 400, "body": {"error": {"message": "No"}}}})
    with pytest.raises(RuntimeError, match="No"):
        next(stream)


def test_its_exceptions_are_bases_of_ours(vendor):
    """It raises only built-in exceptions: ConnectionError, RuntimeError and ValueError."""
    provider = Provider("m", max_retries=0)
    with pytest.raises(ConnectionError):
        Provider("m", base_url="http://127.0.0.1:9", max_retries=0).generate_text("x")
    fault = {"status": 401, "body": {"error": {"message": "Bad key", "type": "x"}}}
    with pytest.raises(RuntimeError, match=re.escape("API error (401 Unauthorized): Bad key")):
        provider.generate_text("x", extra_body={"fake": fault})
    with pytest.raises(RuntimeError):
        provider.generate_text("x", extra_body={"fake": {"raw": "no json"}})
    with pytest.raises(ConnectionError):
        "".join(provider.stream_text("x y z", extra_body={"fake": {"after": 1, "end": "cut"}}))


VARIABLES = {
    "PYAGENT_REQUEST_TIMEOUT_SECS": ["0", "-1", "abc", "1.5", ""],
    "PYAGENT_CONNECT_TIMEOUT_SECS": ["0", "-1", "abc"],
    "PYAGENT_MAX_RETRIES": ["-1", "abc"],
    "PYAGENT_RETRY_BACKOFF_MS": ["0", "-1", "abc"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in VARIABLES for value in VARIABLES[name]])
def test_wrong_environment_variables_are_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=name):
        Provider("m", api_key="k")


def test_environment_variables_are_read_at_construction(vendor, monkeypatch):
    down = {"status": 503, "headers": {"retry-after": "0"}}
    monkeypatch.setenv("PYAGENT_MAX_RETRIES", "0")
    provider = Provider("m")
    monkeypatch.setenv("PYAGENT_MAX_RETRIES", "1")
    with pytest.raises(RuntimeError):
        provider.generate_text("x", extra_body={"fake": down})
    assert len(vendor.requests()) == 1
    with pytest.raises(RuntimeError):
        Provider("m").generate_text("x", extra_body={"fake": down})
    assert len(vendor.requests()) == 3
    monkeypatch.setenv("PYAGENT_REQUEST_TIMEOUT_SECS", "1")
    with pytest.raises(TimeoutError):
        Provider("m").generate_text("x", extra_body={"fake": {"header_delay": 20}})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_it_retries_twice_by_default(vendor, status):
    fault = {"status": status, "headers": {"retry-after": "0"}, "key": f"retry-{status}", "times": 2}
    assert Provider("m").generate_text("x", extra_body={"fake": fault}) == "x"
    assert len(vendor.requests()) == 3
