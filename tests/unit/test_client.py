"""Client: many vendors by name."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    AnthropicOptions,
    APIConnectionError,
    AuthenticationError,
    Client,
    ConfigurationError,
    Limits,
    ModelLists,
    OpenAIOptions,
    Provider,
    Timeouts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Server

CLOSED = "http://127.0.0.1:9/v1"


@pytest.fixture
def vendors(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Keys of three vendors, and addresses that lead to the scripted server."""
    for name in ("ZAI", "ANTHROPIC", "GROQ"):
        monkeypatch.setenv(f"{name}_API_KEY", f"sk-{name}-0123456789")
        monkeypatch.setenv(f"{name}_BASE_URL", server.url)
    return server


def test_from_env_has_the_vendors_with_keys(vendors: Server) -> None:
    client = Client.from_env()
    assert client.list_providers() == ["anthropic", "zai", "groq"]
    assert repr(client) == "Client(anthropic, zai, groq)"
    assert str(client.model("groq", "m").generate("x")) == "x"
    assert vendors.only()["headers"]["authorization"] == "Bearer sk-GROQ-0123456789"


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"GOOGLE_API_KEY": "k"}, ["gemini"]),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, ["anthropic"]),
        ({"AZURE_OPENAI_API_KEY": "k"}, None),
        ({"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://a.example"}, ["azure"]),
        ({"GOOGLE_ACCESS_TOKEN": "k"}, None),
        ({"GOOGLE_ACCESS_TOKEN": "k", "GOOGLE_CLOUD_PROJECT": "p"}, ["vertex"]),
        ({"OLLAMA_HOST": "0.0.0.0"}, ["ollama"]),
        ({"OLLAMA_API_KEY": "k"}, ["ollama"]),
        ({"OPENAI_COMPATIBLE_API_KEY": "k"}, None),
        ({"OPENAI_COMPATIBLE_BASE_URL": "http://h/v1"}, ["compatible"]),
        ({"VOLCENGINE_API_KEY": "k", "OPENAI_API_KEY": "k", "XAI_API_KEY": "k"}, ["openai", "volcengine", "xai"]),
    ],
)
def test_who_is_in_the_environment(
    variables: dict[str, str], names: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "ANTHROPIC_AUTH_TOKEN", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if names is None:
        with pytest.raises(
            ConfigurationError, match="No vendor's key is in the environment; set one of OPENAI_API_KEY"
        ):
            Client.from_env()
    else:
        assert Client.from_env().list_providers() == names


def test_any_from_env_is_the_first(vendors: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client.any_from_env().vendor == "anthropic"
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    first = Client.any_from_env(max_retries=7)
    assert (first.vendor, first._config["max_retries"]) == ("openai", 7)
    with pytest.raises(ConfigurationError, match="model is missing"):
        first.generate("x")


def test_names() -> None:
    client, one = Client(), Provider.echo("one")
    client.register("fast", one)
    client.register("echo", Provider.echo())
    assert (client.list_providers(), client.has("fast"), client.has("slow")) == (["fast", "echo"], True, False)
    assert client.get("fast") is client.provider("fast") is one
    assert client.get("slow") is None
    with pytest.raises(ConfigurationError, match=r"no vendor 'slow'; it has fast, echo\. Add it with add\('slow'\)"):
        client.provider("slow")
    with pytest.raises(ConfigurationError, match="no vendor 'slow'"):
        client.model("slow", "m")
    assert client.remove("fast") is one
    assert client.remove("fast") is None
    client.clear()
    assert client.list_providers() == []
    with pytest.raises(ConfigurationError, match="it has none"):
        client.provider("echo")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", "y"), "provider must be a Provider, got 'y'"),
        ((1, Provider.echo()), "name must be a string"),
        (("", Provider.echo()), "name is empty"),
    ],
)
def test_what_cannot_be_registered(arguments: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Client().register(*arguments)


def test_models_of_a_vendor_share_its_connections(server: Server) -> None:
    client = Client()
    base = client.add("groq", api_key="k", base_url=server.url)
    one, two = client.model("groq", "one"), client.model("groq", "two")
    assert [str(provider.generate("x")) for provider in (one, two)] == ["x", "x"]
    assert [request["body"]["model"] for request in server.requests()] == ["one", "two"]
    assert one._client is two._client is base._client is not None
    assert (one.model, two.model, base.model, one.vendor) == ("one", "two", "", "groq")
    base._client.close()


def test_with_model_keeps_everything_else(server: Server) -> None:
    class Mine(Provider):
        pass

    made = Mine.compatible("a", base_url=server.url, options=OpenAIOptions(seed=4), extra_headers={"X-A": "1"})
    other = made.with_model("b")
    assert (type(other), repr(other)) == (Mine, f"Provider(model='b', base_url={server.url!r})")
    other.generate("x")
    request = server.only()
    assert (request["body"]["model"], request["body"]["seed"], request["headers"]["x-a"]) == ("b", 4, "1")
    assert made._client is other._client
    with pytest.raises(ConfigurationError, match="model must be a string"):
        made.with_model(None)  # type: ignore[arg-type]


def test_what_is_the_same_for_all(server: Server) -> None:
    client = Client(
        timeouts=Timeouts(idle=5),
        limits=Limits(redirects=1),
        max_retries=9,
        extra_headers={"X-All": "1"},
        options=[OpenAIOptions(seed=6), AnthropicOptions(user_id="u")],
    )
    client.add("openai", api_key="k", base_url=server.url)
    client.add("anthropic", name="claude", api_key="k", base_url=server.url)
    config = client.provider("openai")._config
    assert (config["timeouts"], config["limits"], config["max_retries"]) == ({"idle": 5}, {"redirects": 1}, 9)
    assert client.model("openai", "m").generate("x").warnings == []
    assert client.model("claude", "m").generate("x").warnings == []
    first, second = server.requests()
    assert (first["body"]["seed"], second["body"]["metadata"]) == (6, {"user_id": "u"})
    assert first["headers"]["x-all"] == second["headers"]["x-all"] == "1"


def test_wrong_defaults_are_found_at_once_or_with_the_first_vendor() -> None:
    with pytest.raises(ConfigurationError, match="options must be options such as"):
        Client(options={"seed": 1})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="max_retries must be"):
        Client(max_retries=-1).add("openai", api_key="k")
    with pytest.raises(ConfigurationError, match="did you mean 'openai'"):
        Client().add("opnai")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        Client().add("openai")


def test_list_models_keeps_the_errors_of_single_vendors(server: Server) -> None:
    client = Client(max_retries=0)
    client.add("groq", api_key="k", base_url=server.url)
    client.add("xai", api_key="k", base_url=CLOSED)
    client.add("vertex", api_key="k", base_url=CLOSED)  # which has no list

    def check(lists: ModelLists) -> None:
        assert list(lists.models) == ["groq"]
        assert len(lists) == len(lists.models["groq"]) > 0
        assert isinstance(lists.errors["xai"], APIConnectionError)
        assert set(lists.errors) == {"xai", "vertex"}

    check(client.list_models())
    check(asyncio.run(client.alist_models(timeout=20)))
    with pytest.raises(ConfigurationError, match="timeout"):
        client.list_models(timeout=-1)
    assert Client().list_models() == ModelLists()


def test_a_client_pickles_with_its_vendors(vendors: Server) -> None:
    client = pickle.loads(pickle.dumps(Client.from_env(max_retries=3)))
    assert client.list_providers() == ["anthropic", "zai", "groq"]
    assert str(client.model("groq", "m").generate("x")) == "x"
    assert "sk-" not in repr(client) + repr(client.provider("zai"))


def test_threads_may_use_one_client(server: Server) -> None:
    client, errors = Client(), []

    def work(number: int) -> None:
        try:
            for _ in range(20):
                client.add("groq", name=f"v{number}", api_key="k", base_url=server.url)
                client.list_providers()
                client.model(f"v{number}", "m")
                client.remove(f"v{number}")
        except RuntimeError as error:  # such as a dict that changed while it was read
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (errors, client.list_providers()) == ([], [])


def test_the_constructors_take_the_same_options() -> None:
    def options(function: Callable[..., Any]) -> dict[str, Any]:
        found = inspect.signature(function).parameters
        return {name: (p.default, p.annotation) for name, p in found.items() if name != "self"}

    assert options(Client.__init__) == options(Client.from_env) == options(Client.any_from_env)
    provider = options(Provider.__init__)
    single = {"model", "provider", "api_key", "extra_api_keys", "base_url", "api_version", "deployment"}
    assert options(Client.__init__) == {name: rest for name, rest in provider.items() if name not in single}
    documented = inspect.getdoc(Client) or ""
    assert [name for name in options(Client.__init__) if f"    {name}: " not in documented] == []


def test_list_models_and_its_twin_are_the_same() -> None:
    method, twin = Client.list_models, Client.alist_models
    assert inspect.iscoroutinefunction(twin)
    assert inspect.signature(method) == inspect.signature(twin)
    assert inspect.getdoc(method) == inspect.getdoc(twin)


def test_a_rejected_key_is_out_for_all_models_of_a_vendor(server: Server) -> None:
    client = Client(max_retries=0)
    provider = client.add("groq", api_key="first", extra_api_keys=["second"], base_url=server.url)
    one, two = provider.with_model("one"), provider.with_model("two")
    with pytest.raises(AuthenticationError):
        one.generate("x", extra_body={"fake": {"status": 401}})
    two.generate("x")
    assert [request["headers"]["authorization"] for request in server.requests()] == ["Bearer first", "Bearer second"]
