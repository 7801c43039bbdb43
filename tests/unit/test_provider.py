"""Provider: keys, addresses, environment, presets, repr, pickling; and that constructing one loads nothing."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest

from pyagent import ConfigurationError, Limits, Provider, Timeouts, _loading
from pyagent._registry import ROWS, Row


def config(provider: Provider) -> dict[str, Any]:
    return provider._with_environment()


def test_the_registry_is_the_cores() -> None:
    rows = {row["name"]: Row.from_dict(row) for row in _loading.runtime().inspect()["providers"]}
    assert rows == ROWS


def test_no_key() -> None:
    with pytest.raises(
        ValueError, match=r"^No api_key provided and OPENROUTER_API_KEY environment variable is not set\.$"
    ):
        Provider("m")


@pytest.mark.parametrize(
    ("preset", "variable", "url"),
    [
        ("openai", "OPENAI_API_KEY", "https://api.openai.com/v1"),
        ("anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com/v1"),
        ("openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1"),
    ],
)
def test_presets(preset: str, variable: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make = getattr(Provider, preset)
    with pytest.raises(ValueError, match=rf"^No api_key provided and {variable} environment variable is not set\.$"):
        make("m")
    assert repr(make("m", api_key="k")) == f"Provider(model='m', base_url='{url}')"
    monkeypatch.setenv(variable, "from-env")
    assert config(make("m"))["api_key"] == "from-env"
    assert config(make("m", api_key="given"))["api_key"] == "given"


def test_an_address_of_ones_own_still_needs_the_default_key() -> None:
    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY"):
        Provider("m", base_url="http://127.0.0.1:1/v1")


@pytest.mark.parametrize("name", ["lmstudio", "vllm", "llamacpp", "ollama", "ollama-openai", "echo"])
def test_local_vendors_need_no_key(name: str) -> None:
    assert "api_key" not in config(Provider("m", provider=name))


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("box", "http://box:11434"),
        ("box:8080", "http://box:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("http://box", "http://box"),
        ("https://box:8443/", "https://box:8443"),
        ("https://box/ollama/", "https://box/ollama"),
        ("http://box:11434/v1", "http://box:11434"),
        ("https://ollama.com/api", "https://ollama.com"),
        ("ollama.com", "https://ollama.com"),
        (" 'box' ", "http://box:11434"),
    ],
)
def test_where_ollama_is(value: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", value)
    assert config(Provider("m", provider="ollama"))["base_url"] == url
    compatible = url if url.endswith("/ollama") else url + "/v1"
    assert config(Provider("m", provider="ollama-openai"))["base_url"] == compatible
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://first")
    assert config(Provider("m", provider="ollama"))["base_url"] == "http://first"


@pytest.mark.parametrize("value", ["box:a", "box:99999", "[::1]:x"])
def test_a_wrong_port_of_ollama(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", value)
    with pytest.raises(ConfigurationError, match="OLLAMA_HOST has the port"):
        Provider("m", provider="ollama")


@pytest.mark.parametrize("name", ["Authorization", "authorization", "api-key", "Api-Key"])
def test_a_key_may_be_among_the_headers(name: str) -> None:
    headers = {"X-Other": "1", name: "secret"}
    sent = config(Provider("m", extra_headers=headers))
    assert (sent["extra_headers"], "api_key" in sent) == (headers, False)
    assert "secret" not in repr(Provider("m", extra_headers=headers))
    with pytest.raises(ConfigurationError, match="No api_key provided"):
        Provider("m", extra_headers={"X-Other": "1"})


def test_base_url_comes_from_argument_then_environment_then_row(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config(Provider.openai("m", api_key="k"))["base_url"] == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://env/v1/")
    assert config(Provider.openai("m", api_key="k"))["base_url"] == "http://env/v1"
    assert config(Provider.openai("m", api_key="k", base_url="http://given//"))["base_url"] == "http://given"


def test_a_vendor_without_an_address_asks_for_it() -> None:
    with pytest.raises(ConfigurationError, match=r"provider compatible has no address.*OPENAI_COMPATIBLE_BASE_URL"):
        Provider.compatible("m")


def test_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_VERSION", "from-env")
    provider = Provider.azure("gpt", api_key="k", base_url="https://r.openai.azure.com", deployment="d")
    assert config(provider)["azure"] == {"api_version": "from-env", "deployment": "d"}


def test_an_endpoint_described_by_a_dict(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"name": "mine", "base_url": "https://mine/v1", "key_env": ["MINE_KEY"]}
    with pytest.raises(ConfigurationError, match="MINE_KEY"):
        Provider("m", provider=row)
    monkeypatch.setenv("MINE_KEY", "k")
    assert config(Provider("m", provider=row))["provider"] == row


def test_an_unknown_vendor() -> None:
    with pytest.raises(ConfigurationError, match="provider 'opanai' is not known; did you mean 'openai'"):
        Provider("m", provider="opanai")


VARIABLES = [
    ("PYAGENT_REQUEST_TIMEOUT_SECS", "positive"),
    ("PYAGENT_CONNECT_TIMEOUT_SECS", "positive"),
    ("PYAGENT_RETRY_BACKOFF_MS", "positive"),
    ("PYAGENT_MAX_RETRIES", "non-negative"),
]


@pytest.mark.parametrize(("name", "sign"), VARIABLES)
@pytest.mark.parametrize("raw", ["abc", "-1", "1.5", "", "²"])
def test_a_variable_that_is_no_number(name: str, sign: str, raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, raw)
    with pytest.raises(ValueError, match="must be") as caught:
        Provider.echo()
    assert str(caught.value) == f"{name} must be a {sign} integer, got '{raw}'."


@pytest.mark.parametrize("name", [name for name, sign in VARIABLES if sign == "positive"])
def test_a_variable_that_must_not_be_zero(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0")
    with pytest.raises(ConfigurationError, match=rf"^{name} must be greater than zero\.$"):
        Provider.echo()


def test_no_setting_is_sent_that_was_not_made() -> None:
    assert set(config(Provider.echo())) == {"provider", "base_url", "network"}


def test_environment_then_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    for (name, _), value in zip(VARIABLES, ("7", "3", "500", "0")):
        monkeypatch.setenv(name, value)
    found = config(Provider.echo())
    assert (found["timeouts"], found["max_retries"], found["retry_backoff"]) == ({"request": 7, "connect": 3}, 0, 0.5)
    found = config(Provider.echo(timeout=1, max_retries=5, retry_backoff=0))
    assert (found["timeouts"], found["max_retries"], found["retry_backoff"]) == ({"request": 1, "connect": 3}, 5, 0)
    found = config(Provider.echo(timeouts=Timeouts(connect=2, idle=0)))
    assert found["timeouts"] == {"connect": 2, "idle": 0}


def test_the_environment_is_read_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYAGENT_MAX_RETRIES", "1")
    provider = Provider.echo()
    monkeypatch.setenv("PYAGENT_MAX_RETRIES", "nonsense")
    assert config(provider)["max_retries"] == 1


def test_proxies_are_read_when_the_first_request_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/certs.pem")
    provider, direct = Provider.echo(), Provider.echo(proxy="")
    monkeypatch.setenv("https_proxy", "http://p:1")
    assert config(provider)["network"]["environment"] == {"SSL_CERT_FILE": "/certs.pem", "https_proxy": "http://p:1"}
    assert config(direct)["network"]["environment"] == {"SSL_CERT_FILE": "/certs.pem"}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"timeout": 1, "timeouts": Timeouts()}, "timeout and timeouts were both given"),
        ({"timeout": "5"}, r"timeout must be a number, got '5' \(str\)"),
        ({"timeouts": 5}, "timeouts must be a Timeouts object; for one number of seconds use timeout, got 5"),
        ({"limits": {"event_bytes": 1}}, "limits must be a Limits object"),
        ({"throttle": {"requests": 1}}, "throttle must be a Throttle object"),
        ({"retry_factor": "2"}, "retry_factor must be a number"),
        ({"max_retries": -1}, "max_retries must be a whole number, 0 or more, got -1"),
        ({"retry_backoff": -0.5}, "retry_backoff must be a number of seconds"),
        ({"extra_headers": {"a": 1}}, "extra_headers must be a dict of strings to strings, but 'a' is not one"),
        ({"client_cert": "file.pem"}, "client_cert must be a pair of file names"),
        ({"max_connections": True}, "max_connections must be a whole number"),
        ({"http2": "yes"}, "http2 must be True or False"),
        ({"api_key": "s3cr3t\r\nX: 1"}, "api_key has a line break or another control character at position 7"),
        ({"base_url": "http://h/v1\n"}, "base_url has a line break or another control character at position 12"),
        ({"proxy": "http://s3cr3t\x00"}, "proxy has a line break or another control character at position 14"),
        ({"extra_headers": {"X-A": "s3cr3t\nX-B: 1"}}, "extra_headers: the value of 'X-A' has a line break"),
        ({"extra_headers": {"X\r\nY": "1"}}, "extra_headers: the name .* has a line break"),
        ({"allow_http": 1}, "allow_http must be True or False"),
        ({"post_quantum": None}, "post_quantum must be True or False"),
        ({"base_url": 5}, "base_url must be a string"),
        ({"api_key": 5}, "api_key must be a string"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_options(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        Provider("m", provider="vllm", **option)
    assert "s3cr3t" not in str(caught.value)


def test_every_option_reaches_the_configuration() -> None:
    provider = Provider(
        "m", api_key="k", limits=Limits(event_bytes=1), extra_headers={"X": "y"}, proxy="http://p", ca_file="ca.pem",
        client_cert=("c", "k"), http2=True, max_connections=3, allow_http=True, post_quantum=False, api_version="v",
    )  # fmt: skip
    found = config(provider)
    del found["network"]["environment"]
    assert found["network"] == {
        "proxy": "http://p", "ca_file": os.path.abspath("ca.pem"),
        "client_cert": [os.path.abspath("c"), os.path.abspath("k")], "http2": True, "max_connections": 3,
        "allow_http": True, "post_quantum": False,
    }  # fmt: skip
    assert (found["limits"], found["extra_headers"]) == ({"event_bytes": 1}, {"X": "y"})
    assert found["azure"] == {"api_version": "v"}
    json.dumps(found)


def test_repr_shows_no_secret() -> None:
    provider = Provider("it's", api_key="sk-secret", base_url="https://user:pass@host/v1/")
    assert repr(provider) == """Provider(model="it's", base_url='https://***@host/v1')"""


def test_pickling_carries_the_configuration() -> None:
    provider = Provider("m", api_key="k", timeout=3, proxy="")
    copy = pickle.loads(pickle.dumps(provider))
    assert (repr(copy), config(copy)) == (repr(provider), config(provider))


def test_a_used_provider_pickles_too(provider: Provider) -> None:
    assert provider.generate_text("hi") == "hi"
    assert pickle.loads(pickle.dumps(provider)).generate_text("ho") == "ho"


def test_constructing_loads_nothing() -> None:
    script = (
        "import sys, pyagent; pyagent.Provider.echo(); print('ctypes' in sys.modules, 'pyagent._lib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_bad_configuration_found_by_the_core_is_raised_when_asked() -> None:
    provider = Provider("m", provider={"name": "mine", "base_url": "http://127.0.0.1:1", "auht": "none"})
    with pytest.raises(ConfigurationError, match="auht"):
        provider.generate_text("hi")
