"""pyagent.puter beside puter-python-sdk 0.5.0: the same calls to the same server, compared one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from puter_server import Puter

import pyagent.puter

puter_sdk = pytest.importorskip("puter", reason="`pip install puter-python-sdk==0.5.0` brings it")

BUSY = (503, {"error": "busy", "code": "internal_error"})
QUIET = (200, {"success": True, "result": {"message": {"role": "assistant", "content": ""}}})
REFUSED = (200, {"success": False, "error": {"code": "refused", "message": "not you"}})


def answer(result: Any) -> tuple[int, Any]:
    return 200, {"success": True, "result": result}


def login(client: Any) -> Any:
    return client.login(), client._token


def two_turns(client: Any) -> Any:
    return client.chat("one"), client.chat("two"), client.chat_history


def forgetful(client: Any) -> Any:
    client.chat("one")
    client.clear_chat_history()
    return client.chat_history, client.chat("two"), len(client.chat_history)


def other_model(client: Any) -> Any:
    return client.chat("x", model="gpt-5"), client.current_model


def chosen_model(client: Any) -> Any:
    return client.set_model("gpt-5"), client.current_model, client.set_model("no-such-model"), client.current_model


def own_history(client: Any) -> Any:
    client.chat_history = [{"role": "system", "content": "Be brief."}]
    return client.chat("x"), client.chat_history


def listed(client: Any) -> Any:
    return "gpt-5" in client.get_available_models(), "gpt-5" in client.available_models


def chat(client: Any) -> Any:
    return client.chat("x")


def async_chat(client: Any) -> Any:
    return asyncio.run(client.async_chat("x")), client.chat_history


def async_login(client: Any) -> Any:
    return asyncio.run(client.async_login()), client._token


# What is done, with which account, and what the server says first.
CALLS: dict[str, tuple[Callable[[Any], Any], dict[str, Any], list[tuple[int, Any]]]] = {
    "a chat": (chat, {"token": "T0"}, []),
    "a chat of a coroutine": (async_chat, {"token": "T0"}, []),
    "two turns": (two_turns, {"token": "T0"}, []),
    "a history that is cleared": (forgetful, {"token": "T0"}, []),
    "a history of one's own": (own_history, {"token": "T0"}, []),
    "another model for one call": (other_model, {"token": "T0"}, []),
    "another model from now on": (chosen_model, {"token": "T0"}, []),
    "the models": (listed, {"token": "T0"}, []),
    "a login": (login, {"username": "me", "password": "right"}, []),
    "a login of a coroutine": (async_login, {"username": "me", "password": "right"}, []),
    "a login without a password": (login, {"username": "me"}, []),
    "a wrong password": (login, {"username": "me", "password": "wrong"}, []),
    "a chat without a token": (chat, {}, []),
    "busy once": (chat, {"token": "T0"}, [BUSY]),
    "busy for ever": (chat, {"token": "T0"}, [BUSY] * 9),
    "busy for a coroutine": (async_chat, {"token": "T0"}, [BUSY]),
    "content in a list": (chat, {"token": "T0"}, [answer({"message": {"content": [{"type": "text", "text": "hi"}]}})]),
    "content without a message": (chat, {"token": "T0"}, [answer({"content": "hi"})]),
    "a bare text": (chat, {"token": "T0"}, [answer("hi")]),
    "a list of choices": (chat, {"token": "T0"}, [answer({"choices": [{"message": {"content": "hi"}}]})]),
    "a text field": (chat, {"token": "T0"}, [answer({"text": "hi"})]),
    "an empty answer": (chat, {"token": "T0"}, [QUIET]),
    "an error with status 200": (chat, {"token": "T0"}, [REFUSED] * 9),
    "a token that is not taken": (chat, {"token": "old"}, []),
}
# Where the two differ, and how: docs/puter.md says why.
DIFFERENT = {
    "an empty answer": "PuterAPIError",
    "an error with status 200": "PuterAPIError",
    "a token that is not taken": "PuterAuthError",
}


@pytest.fixture
def server() -> Iterator[Puter]:
    found = Puter()
    yield found
    found.close()


def outcome(module: Any, name: str, server: Puter) -> Any:
    """What a call gives, or the name of the exception."""
    call, account, answers = CALLS[name]
    before = module.config.to_dict()
    module.config.update(api_base=server.url, login_url=f"{server.url}/login", retry_delay=0.01, max_retries=2)
    server.answers = list(answers)
    server.asked.clear()
    server._logins = 0
    try:
        return call(module.PuterAI(**account))
    except module.PuterError as error:
        return type(error).__name__
    finally:
        module.config.update(**before)


@pytest.mark.parametrize("name", CALLS)
def test_both_do_the_same(name: str, server: Puter) -> None:
    theirs = outcome(puter_sdk, name, server)
    sent = [request["body"].get("args", {}).get("messages") for request in server.asked if request["body"]]
    ours = outcome(pyagent.puter, name, server)
    if name in DIFFERENT:
        assert ours == DIFFERENT[name] != theirs
        return
    assert ours == theirs
    if name != "a wrong password":  # which the other one tries again and again
        mine = [request["body"].get("args", {}).get("messages") for request in server.asked if request["body"]]
        assert mine == sent
