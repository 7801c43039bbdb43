"""Vendors' own Python packages and pyagent make the same of recorded answers: text, tool calls, finish and usage.

The packages are heavy; `make compat` installs them (the extra `compat`) and runs this folder. A test skips where its
package is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import recorded
from recorded import Case
from replaying import Replay

from pyagent import Provider, errors
from pyagent._registry import ROWS

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("default"),  # what other packages warn of is theirs
]


class Said(NamedTuple):
    """What a client makes of an answer."""

    text: str
    calls: list[tuple[str, Any]]
    ids: list[str | None]  # of the calls; None where the vendor has none
    finish: str | None
    prompt: int | None
    completion: int | None


def arguments(text: str | None) -> Any:
    """The arguments of a call, read; what is no JSON stays text."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def chat_completion(case: Case, url: str) -> Said:
    """The package openai, streams by its own accumulator of chunks."""
    openai = pytest.importorskip("openai", reason="`make compat` installs it")
    from openai.lib.streaming.chat import ChatCompletionStreamState

    path = "/openai/v1" if case.vendor == "azure" else urlsplit(ROWS[case.vendor].base_url).path
    with openai.OpenAI(api_key="k", base_url=url + path, max_retries=0) as client:
        asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        if case.streams:
            state, usage = ChatCompletionStreamState(), None
            for chunk in client.chat.completions.create(stream=True, **asked):
                usage = chunk.usage or usage
                state.handle_chunk(chunk)
            answer = state.current_completion_snapshot
        else:
            answer = client.chat.completions.create(**asked)
            usage = answer.usage
    message, choice = answer.choices[0].message, answer.choices[0]
    calls = [call for call in message.tool_calls or () if call.function]
    return Said(
        message.content or "",
        [(call.function.name, arguments(call.function.arguments)) for call in calls],
        [call.id for call in calls],
        choice.finish_reason,
        usage.prompt_tokens if usage else None,
        usage.completion_tokens if usage else None,
    )


def response_of_openai(case: Case, url: str) -> Said:
    """The Responses API by the package openai; all but the text of a stream is in its last event."""
    openai = pytest.importorskip("openai", reason="`make compat` installs it")
    with openai.OpenAI(api_key="k", base_url=url + "/v1", max_retries=0) as client:
        asked: dict[str, Any] = {"model": "m", "input": "hi"}
        if case.streams:
            events = list(client.responses.create(stream=True, **asked))
            answer = events[-1].response
            text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        else:
            answer = client.responses.create(**asked)
            text = answer.output_text
    calls = [item for item in answer.output if item.type in {"function_call", "custom_tool_call"}]
    return Said(
        text,
        [(it.name, arguments(it.arguments) if it.type == "function_call" else it.input) for it in calls],
        [call.call_id for call in calls],
        answer.incomplete_details.reason if answer.incomplete_details else answer.status,
        answer.usage.input_tokens if answer.usage else None,
        answer.usage.output_tokens if answer.usage else None,
    )


def message_of_claude(case: Case, url: str) -> Said:
    """The package anthropic, streams by its own helper."""
    anthropic = pytest.importorskip("anthropic", reason="`make compat` installs it")
    with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        asked: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        if case.streams:
            with client.messages.stream(**asked) as stream:
                answer = stream.get_final_message()
        else:
            answer = client.messages.create(**asked)
    calls = [block for block in answer.content if block.type == "tool_use"]
    usage = answer.usage
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return Said(
        "".join(block.text for block in answer.content if block.type == "text"),
        [(call.name, call.input) for call in calls],
        [call.id for call in calls],
        answer.stop_reason,
        usage.input_tokens + read + written,
        usage.output_tokens,
    )


def content_of_gemini(case: Case, url: str) -> Said:
    """The package google-genai, whose streams are whole answers one after the other."""
    genai = pytest.importorskip("google.genai", reason="`make compat` installs google-genai")
    client = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url))
    if case.streams:
        answers = list(client.models.generate_content_stream(model="m", contents="hi"))
    else:
        answers = [client.models.generate_content(model="m", contents="hi")]
    client.close()
    candidates = [answer.candidates[0] for answer in answers if answer.candidates]
    parts = [part for one in candidates if one.content for part in one.content.parts or ()]
    finish = next((one.finish_reason for one in reversed(candidates) if one.finish_reason), None)
    usage = next((answer.usage_metadata for answer in reversed(answers) if answer.usage_metadata), None)
    calls = [part.function_call for part in parts if part.function_call]
    return Said(
        "".join(part.text for part in parts if part.text and not part.thought),
        [(call.name, call.args or {}) for call in calls],
        [call.id for call in calls],
        finish.value if finish else None,
        (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0) if usage else None,
        (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0) if usage else None,
    )


def chat_of_mistral(case: Case, url: str) -> Said:
    """The package mistralai, whose content is a text or a list of chunks."""
    mistralai = pytest.importorskip("mistralai", reason="`make compat` installs it")
    if not hasattr(mistralai, "Mistral"):  # it has moved
        mistralai = pytest.importorskip("mistralai.client")
    texts: list[str] = []
    calls: dict[tuple[int, int], list[str]] = {}
    finish, usage = None, None
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    with mistralai.Mistral(api_key="k", server_url=url) as client:
        if case.streams:
            pieces = [event.data for event in client.chat.stream(**asked)]
        else:
            pieces = [client.chat.complete(**asked)]
    for piece in pieces:
        usage = piece.usage or usage
        for choice in piece.choices[:1]:
            message = choice.delta if case.streams else choice.message
            content = message.content or ""
            chunks = [content] if isinstance(content, str) else [getattr(part, "text", "") for part in content]
            texts += chunks
            for place, call in enumerate(message.tool_calls or ()):
                found = calls.setdefault((0, call.index or place), [call.id, call.function.name, ""])
                sent = call.function.arguments
                found[2] += sent if isinstance(sent, str) else json.dumps(sent)
            finish = choice.finish_reason or finish
    return Said(
        "".join(texts),
        [(name, arguments(sent)) for _, name, sent in calls.values()],
        [one for one, _, _ in calls.values()],
        finish,
        usage.prompt_tokens if usage else None,
        usage.completion_tokens if usage else None,
    )


def chat_of_ollama(case: Case, url: str) -> Said:
    """The package ollama, each line of a stream an answer of its own."""
    ollama = pytest.importorskip("ollama", reason="`make compat` installs it")
    client = ollama.Client(host=url)
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    answers = list(client.chat(stream=True, **asked)) if case.streams else [client.chat(**asked)]
    client._client.close()
    calls = [call for answer in answers for call in answer.message.tool_calls or ()]
    last = answers[-1]
    return Said(
        "".join(answer.message.content or "" for answer in answers),
        [(call.function.name, call.function.arguments) for call in calls],
        [None for _ in calls],
        last.done_reason,
        last.prompt_eval_count,
        last.eval_count,
    )


SDKS: dict[str, Callable[[Case, str], Said]] = {
    "openai": chat_completion, "azure": chat_completion, "deepseek": chat_completion, "groq": chat_completion,
    "xai": chat_completion, "openrouter": chat_completion, "zai": chat_completion, "volcengine": chat_completion,
    "cerebras": chat_completion, "moonshot": chat_completion, "alibaba": chat_completion,
    "huggingface": chat_completion, "ollama-openai": chat_completion,
    "openai-responses": response_of_openai,
    "anthropic": message_of_claude, "gemini": content_of_gemini, "mistral": chat_of_mistral, "ollama": chat_of_ollama,
}  # fmt: skip


# Where a package makes something else of an answer than the vendor means, and of what.
DIFFERENT = {
    # The arguments were cut off by max_tokens; the package shows what can be read of them, pyagent the text as it came.
    "anthropic/messages-incomplete_partial_json_response": {"calls"},
    # Arguments that come in pieces: the package leaves it to the caller to put them together.
    "gemini/streamGenerateContent-google-stream-no-args-tool-call": {"calls"},
    "gemini/streamGenerateContent-google-stream-tool-call-arguments": {"calls"},
    # Counts under Groq's own key.
    "groq/chat-chat_streaming_legacy": {"prompt", "completion"},
    # xAI leaves reasoning out of completion_tokens.
    "xai/chat-xai-grok-code-fast-multi_tool": {"completion"},
    "xai/chat-xai-grok-code-fast-multi_tool_streaming": {"completion"},
}


def cases(operation: str = "generate", *, failed: bool = False) -> list[Case]:
    """Recorded answers that the packages can be given: the route without events is not one of theirs."""
    return [
        case
        for case in recorded.load()
        if case.vendor in SDKS
        and case.operation == operation
        and (case.status != 200 if failed else not case.expect["error"])
        and not (case.name.startswith("streamGenerateContent") and not case.streams)
    ]


def ours(case: Case, url: str) -> Said:
    path = "/openai/v1" if case.vendor == "azure" else urlsplit(ROWS[case.vendor].base_url).path
    client = Provider("m", provider=case.vendor, api_key="k", base_url=url + path, max_retries=0)
    answer = client.stream("hi").result if case.streams else client.generate("hi")
    return Said(
        answer.text,
        [(call.name, arguments(call.arguments)) for call in answer.tool_calls],
        [call.id for call in answer.tool_calls],
        answer.raw_finish_reason,
        answer.usage.prompt_tokens if answer.usage else None,
        answer.usage.completion_tokens if answer.usage else None,
    )


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    server = Replay(recorded.load())
    yield server
    server.stop()


@pytest.mark.parametrize("case", cases(), ids=repr)
def test_the_same_answer(case: Case, replay: Replay) -> None:
    theirs = SDKS[case.vendor](case, replay.url(case))
    found = ours(case, replay.url(case))
    if not any(theirs.ids):  # the vendor has none, and pyagent makes its own
        theirs = theirs._replace(ids=found.ids)
    differing = {name for name in Said._fields if getattr(found, name) != getattr(theirs, name)}
    assert differing == DIFFERENT.get(str(case), set()), (found, theirs)


@pytest.mark.parametrize("case", cases(failed=True), ids=repr)
def test_the_same_error(case: Case, replay: Replay) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - each package has its own
        SDKS[case.vendor](case, replay.url(case))
    with pytest.raises(errors.APIStatusError) as found:
        ours(case, replay.url(case))
    status = getattr(theirs.value, "status_code", None) or getattr(theirs.value, "code", None)
    assert found.value.status_code == status == case.status


@pytest.mark.parametrize("case", [case for case in cases("embed") if case.vendor == "openai"], ids=repr)
def test_the_same_vectors(case: Case, replay: Replay) -> None:
    openai = pytest.importorskip("openai", reason="`make compat` installs it")
    texts = ["hi"] * case.expect["embeddings"]["count"]
    with openai.OpenAI(api_key="k", base_url=replay.url(case) + "/v1") as client:
        theirs = client.embeddings.create(model="m", input=texts)
    found = Provider("m", provider="openai", api_key="k", base_url=replay.url(case) + "/v1").embed(texts)
    for vector, item in zip(found, theirs.data):
        assert list(vector) == pytest.approx(item.embedding, abs=1e-6)
    assert (len(found), found.usage.prompt_tokens) == (len(theirs.data), theirs.usage.prompt_tokens)
