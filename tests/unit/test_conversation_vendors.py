"""One conversation over the protocols of five vendors, and switching between them; and answers that a vendor keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pyagent import (
    AnthropicOptions,
    ConfigurationError,
    Conversation,
    NotFoundError,
    Provider,
    SessionConfig,
    messages,
)

VENDORS = ("compatible", "openai-responses", "anthropic", "gemini", "ollama")


def answer(vendor: str, text: str, number: int = 1) -> dict[str, Any]:
    """An answer in a vendor's protocol, with thoughts that only their maker understands where it has them."""
    secret = f"secret-of-{vendor}"
    if vendor == "anthropic":
        content = [{"type": "thinking", "thinking": "Hm.", "signature": secret}, {"type": "text", "text": text}]
        return {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "m", "content": content,
                "stop_reason": "end_turn", "usage": {"input_tokens": 10, "output_tokens": 2}}  # fmt: skip
    if vendor == "gemini":
        parts = [{"text": "Hm.", "thought": True}, {"text": text, "thoughtSignature": secret}]
        return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2}}  # fmt: skip
    if vendor == "openai-responses":
        part = {"type": "output_text", "text": text, "annotations": []}
        output = [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": secret},
            {"type": "message", "id": "m_1", "role": "assistant", "status": "completed", "content": [part]},
        ]
        return {"id": f"resp_{number}", "object": "response", "model": "m", "status": "completed", "output": output,
                "usage": {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}}  # fmt: skip
    if vendor == "ollama":
        return {"model": "m", "message": {"role": "assistant", "content": text}, "done": True, "done_reason": "stop",
                "prompt_eval_count": 10, "eval_count": 2}  # fmt: skip
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}}  # fmt: skip


def texts(body: Any) -> list[str]:
    """Every text that a request says, whatever its protocol."""
    found: list[str] = []
    if isinstance(body, dict):
        for name, value in body.items():
            if name in {"text", "content", "instructions", "system"} and isinstance(value, str):
                found.append(value)
            elif name not in {"model", "signature", "thinking", "summary"}:
                found += texts(value)
    elif isinstance(body, list):
        found = [text for item in body for text in texts(item)]
    return found


def asked(body: Any) -> list[str]:
    """The same without the system prompt."""
    return [text for text in texts(body) if text != "Be brief."]


@pytest.mark.parametrize("vendor", VENDORS)
def test_three_turns(vendor: str, scripted: Any, ask: Callable[..., Provider]) -> None:
    talk = Conversation(ask(vendor), system="Be brief.")
    scripted.answers = [answer(vendor, f"a{number}", number) for number in range(3)]
    for number in range(3):
        assert talk.generate(f"q{number}").text == f"a{number}"
    assert asked(scripted.bodies[2]) == ["q0", "a0", "q1", "a1", "q2"]
    assert texts(scripted.bodies[2]).count("Be brief.") == 1
    assert ("secret-of" in json.dumps(scripted.bodies[2])) is (vendor in {"anthropic", "gemini", "openai-responses"})
    assert (talk.usage.prompt_tokens, talk.usage.completion_tokens, talk.turns) == (30, 6, 3)


@pytest.mark.parametrize("first", VENDORS)
@pytest.mark.parametrize("second", VENDORS)
def test_switching_keeps_what_was_said_and_the_thoughts_to_their_maker(
    first: str, second: str, scripted: Any, ask: Callable[..., Provider]
) -> None:
    one, two = ask(first), ask(second, "m2" if first == second else "m")
    talk = Conversation(one, system="Be brief.")
    scripted.answers = [answer(first, "a1"), answer(second, "a2"), answer(first, "a3")]
    talk.generate("q1")
    talk.switch(two)
    talk.generate("q2")
    talk.switch(one)
    talk.generate("q3")
    assert asked(scripted.bodies[1]) == ["q1", "a1", "q2"]
    assert asked(scripted.bodies[2]) == ["q1", "a1", "q2", "a2", "q3"]
    assert "secret-of" not in json.dumps(scripted.bodies[1])
    last = json.dumps(scripted.bodies[2])
    assert f"secret-of-{second}" not in last or first == second
    assert last.count(f"secret-of-{first}") == (1 if first in {"anthropic", "gemini", "openai-responses"} else 0)


def test_a_picture_goes_along(scripted: Any, ask: Callable[..., Provider]) -> None:
    talk = Conversation(ask("compatible"))
    scripted.answers = [answer(vendor, "A cat.") for vendor in VENDORS]
    talk.generate(["What is this?", messages.image(b"\x89PNG\r\n\x1a\n" + b"0" * 20)], config=SessionConfig(seed=1))
    for vendor in VENDORS[1:]:
        talk.switch(ask(vendor))
        talk.generate("And now?")
    assert all("iVBORw0KGgo" in json.dumps(body) for body in scripted.bodies)


def test_options_of_several_vendors_go_to_theirs(scripted: Any, ask: Callable[..., Provider]) -> None:
    talk = Conversation(ask("compatible"), config=SessionConfig(options=[AnthropicOptions(user_id="u")]))
    scripted.answers = [answer("compatible", "a"), answer("anthropic", "b")]
    talk.generate("x")
    talk.generate_with(ask("anthropic"), "y")
    assert ["metadata" in body for body in scripted.bodies] == [False, True]


def test_with_response_ids_only_what_is_new_is_sent(scripted: Any, ask: Callable[..., Provider]) -> None:
    responses = ask("openai-responses")
    talk = Conversation(responses, system="Be brief.", use_response_ids=True)
    scripted.answers = [
        *(answer("openai-responses", f"a{number}", number) for number in (1, 2, 3)),
        answer("anthropic", "aside"),
        *(answer("openai-responses", f"a{number}", number) for number in (4, 5)),
    ]
    talk.generate("q1")
    talk.generate("q2")
    talk.add(messages.user("By the way."))
    talk.generate("q3")
    talk.generate_with(ask("anthropic"), "q4")
    talk.generate("q5")
    talk.switch(responses)  # which forgets the answers that are kept
    talk.generate("q6")
    bodies = scripted.bodies
    assert [body.get("previous_response_id") for body in bodies] == [None, "resp_1", "resp_2", None, "resp_3", None]
    assert asked(bodies[1]) == ["q2"]
    assert asked(bodies[2]) == ["By the way.", "q3"]
    assert asked(bodies[3]) == ["q1", "a1", "q2", "a2", "By the way.", "q3", "a3", "q4"]
    assert asked(bodies[4]) == ["q4", "aside", "q5"]
    assert asked(bodies[5]) == [m["content"] for m in talk.messages[:-1]]
    assert all(body["store"] is True for body in bodies if "input" in body)
    assert talk.previous_response_id == "resp_5"
    assert len(talk) == 13


def test_an_answer_that_the_vendor_has_lost_is_forgotten(scripted: Any, ask: Callable[..., Provider]) -> None:
    talk = Conversation(ask("openai-responses"), use_response_ids=True)
    lost = {"error": {"message": "gone", "code": "previous_response_not_found", "param": "previous_response_id"}}
    scripted.answers = [answer("openai-responses", "a1"), (404, lost), answer("openai-responses", "a2", 2), (404, lost)]
    talk.generate("q1")
    with pytest.raises(NotFoundError):
        talk.generate("q2")
    assert (talk.previous_response_id, len(talk)) == (None, 2)
    talk.generate("q2")
    assert texts(scripted.bodies[2]) == ["q1", "a1", "q2"]
    assert talk.previous_response_id == "resp_2"
    with pytest.raises(NotFoundError):
        list(talk.stream("q3"))
    assert (talk.previous_response_id, len(talk), talk.is_busy) == (None, 4, False)


def test_a_history_that_is_shortened_is_sent_again(scripted: Any, ask: Callable[..., Provider]) -> None:
    talk = Conversation(ask("openai-responses"), use_response_ids=True)
    scripted.answers = [answer("openai-responses", f"a{number}", number) for number in range(4)]
    talk.generate("q0")
    talk.generate("q1")
    talk.trim(max_turns=1)
    talk.generate("q2")
    talk.clear()
    talk.generate("q3")
    assert [body.get("previous_response_id") for body in scripted.bodies] == [None, "resp_0", None, None]
    assert [texts(body) for body in scripted.bodies[2:]] == [["q1", "a1", "q2"], ["q3"]]


def test_answers_that_are_not_kept_have_no_ids(scripted: Any, ask: Callable[..., Provider]) -> None:
    talk = Conversation(ask("openai-responses"), use_response_ids=True, config=SessionConfig(store=False))
    with pytest.raises(ConfigurationError, match="needs answers that the vendor keeps, but store is False"):
        talk.generate("x")
    assert (scripted.bodies, talk.is_busy) == ([], False)
    scripted.answers = [answer("anthropic", "a1"), answer("anthropic", "a2")]
    other = Conversation(ask("anthropic"), use_response_ids=True)  # whose protocol knows no ids
    other.generate("q1")
    other.generate("q2")
    assert texts(scripted.bodies[1]) == ["q1", "a1", "q2"]
