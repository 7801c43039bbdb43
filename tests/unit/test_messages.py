"""The constructors of messages: what they give, where media may come from, and what is wrong with the rest."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from pyagent import ConfigurationError, Provider, ToolCall, messages
from pyagent._media import detect

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
WAV = b"RIFF\x04\0\0\0WAVEfmt "
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3"
MARK = {"cache_control": {"type": "ephemeral"}}


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a\x01\0", "image/gif"),
        (b"RIFF\x04\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x1cftypheic", "image/heic"),
        (PDF, "application/pdf"),
        (WAV, "audio/wav"),
        (b"ID3\x04\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"fLaC\0\0", "audio/flac"),
        (b"OggS\0\x02", "audio/ogg"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\x1aE\xdf\xa3\x01", "video/webm"),
        ("Grüße".encode(), "text/plain"),
        (b"\0\x01\x02", ""),
        (b"\xc3(", ""),
        (b"RIFF\x04\0\0\0????", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_type_is_in_the_bytes(content: bytes, kind: str) -> None:
    assert detect(content) == kind


def test_plain_texts() -> None:
    assert messages.user("hi") == {"role": "user", "content": "hi"}
    assert messages.system("Be brief.") == {"role": "system", "content": "Be brief."}
    assert messages.assistant("hello") == {"role": "assistant", "content": "hello"}


def test_texts_and_parts() -> None:
    picture = messages.image("https://h/a.png", detail="low")
    assert picture == {"type": "image_url", "image_url": {"url": "https://h/a.png", "detail": "low"}}
    assert messages.user("What is this?", picture, "And why?") == {
        "role": "user",
        "content": [{"type": "text", "text": "What is this?"}, picture, {"type": "text", "text": "And why?"}],
    }


def test_marks_for_caches() -> None:
    assert messages.system("long", cache=True)["content"] == [{"type": "text", "text": "long", **MARK}]
    content = messages.user("a", messages.image(PNG), cache=True)["content"]
    assert [MARK.items() <= part.items() for part in content] == [False, True]
    assert messages.image(PNG, cache=True)["cache_control"] == MARK["cache_control"]


def test_calls_and_their_results() -> None:
    call = ToolCall("c1", "look", '{"at":"sky"}', extra={"signature": "s"})
    asked = messages.assistant(tool_calls=[call])
    assert asked["content"] is None
    assert asked["tool_calls"] == [call.to_message()]
    assert messages.assistant("well", tool_calls=[{"id": "c2"}])["tool_calls"] == [{"id": "c2"}]
    assert messages.tool_result(call, "blue") == {"role": "tool", "tool_call_id": "c1", "content": "blue"}
    failed = messages.tool_result("c1", "too dark", messages.image(PNG), is_error=True)
    assert failed["is_error"] is True
    assert [part["type"] for part in failed["content"]] == ["text", "image_url"]


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "memoryview", "path", "string", "base64", "data URL"])
def test_where_an_image_comes_from(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "cat.of.mine"
    path.write_bytes(PNG)
    source: Any = {
        "bytes": PNG, "bytearray": bytearray(PNG), "memoryview": memoryview(PNG), "path": path, "string": str(path),
        "data URL": f"data:image/png;base64,{encoded(PNG)}",
    }.get(kind)  # fmt: skip
    part = messages.image(source) if source is not None else messages.image(base64=encoded(PNG))
    assert part == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(PNG)}"}}


def test_audio_video_and_files(tmp_path: Path) -> None:
    assert messages.audio(WAV)["input_audio"] == {"data": encoded(WAV), "format": "wav"}
    assert messages.audio(b"ID3\x04\0")["input_audio"]["format"] == "mp3"
    assert messages.video("https://h/a.mp4")["video_url"] == {"url": "https://h/a.mp4"}
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    data = f"data:application/pdf;base64,{encoded(PDF)}"
    assert messages.file(path)["file"] == {"filename": "report.pdf", "file_data": data}
    assert messages.file(PDF)["file"]["filename"] == "file.pdf"
    assert messages.file(b"plain text")["file"]["filename"] == "file.txt"
    assert messages.file(PDF, name="a.pdf")["file"]["filename"] == "a.pdf"
    assert messages.file(id="file-1")["file"] == {"file_id": "file-1"}
    assert messages.file("https://h/a.pdf")["file"] == {"file_url": "https://h/a.pdf"}
    assert messages.file(b"\0\1", media_type="application/x-mine")["file"]["file_data"].startswith(
        "data:application/x-mine;"
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: messages.image("no-such-file.png"), r"image\(\): 'no-such-file.png' cannot be read \(No such file"),
        (lambda: messages.image(b""), "what was given is empty"),
        (lambda: messages.image(b"\0\1\2"), "the type of the bytes is not known; give media_type"),
        (lambda: messages.image(PDF), r"is application/pdf; for other files there is file\(\)"),
        (lambda: messages.audio(PNG), "is image/png"),
        (lambda: messages.audio("https://h/a.wav"), "fetch no recordings from a URL"),
        (messages.image, "give either the thing itself"),
        (lambda: messages.image(PNG, base64="x"), "give either the thing itself"),
        (lambda: messages.image(5), "a URL is wanted, not int"),  # type: ignore[arg-type]
        (lambda: messages.image(base64="%"), "base64 cannot be read"),
        (lambda: messages.image("data:image/png,abc"), "a data URL must be base64"),
        (lambda: messages.image("x" * 5000), "cannot be read"),
        (lambda: messages.file(id="a", base64="b"), "id is in place of"),
        (messages.user, r"user\(\) has nothing to say"),
        (lambda: messages.user(5), r"the content of user\(\) must be texts, and parts"),  # type: ignore[arg-type]
        (lambda: messages.user({"text": "a"}), r"the content of user\(\)"),
        (messages.assistant, r"assistant\(\) has nothing to say"),
        (lambda: messages.assistant(tool_calls=["c1"]), "tool_calls must be"),  # type: ignore[list-item]
        (lambda: messages.tool_result(5, "a"), "call must be a string"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong(make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make()


def test_a_message_says_who_made_it(echo: Provider, script: Any) -> None:
    """Where it carries what only its maker understands; other messages are as plain as ever."""
    thoughts = [{"type": "reasoning.encrypted", "data": "x"}]
    answer = {"role": "assistant", "content": "hi", "reasoning_details": thoughts}
    body = {"id": "1", "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}]}
    got = echo.generate("a", extra_body=script(body=body), model="asked-for")
    assert got.message == {**answer, "source": {"provider": "echo", "model": "asked-for"}}
    assert messages.plain(got.message) == {"role": "assistant", "content": "hi"}
    assert echo.generate("a").message == {"role": "assistant", "content": "a"}
    assert echo.generate("a").choices[0].source == {"provider": "echo", "model": "echo"}
    stream = echo.stream("a", extra_body=script(body=body))
    assert list(stream) == ["hi"]
    assert stream.result.message["source"] == {"provider": "echo", "model": "echo"}
    assert echo.generate(messages=[got.message, messages.user("b")]).text == "b"


def test_plain_takes_what_others_refuse() -> None:
    call = ToolCall("c1", "look", "{}", extra={"signature": "s"})
    message = {
        **messages.assistant("a", tool_calls=[call], cache=True),
        "source": {"provider": "p", "model": "m"},
        "reasoning_details": [1],
        "refusal": "no",
    }
    before = json.dumps(message)
    assert messages.plain(message) == {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}],
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
        "refusal": "no",
    }
    assert json.dumps(message) == before
    assert "is_error" not in messages.plain(messages.tool_result("c1", "a", is_error=True))


def test_messages_travel(echo: Provider) -> None:
    asked = [messages.system("s"), messages.user("one", messages.image(PNG), "two")]
    assert echo.generate_text(messages=asked) == "onetwo"
