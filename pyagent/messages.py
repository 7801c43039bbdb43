"""Messages without typing their dicts: who says what, with images, audio and files.

    from pyagent import messages

    asked = messages.user("What is on this picture?", messages.image("cat.png"))
    provider.generate_text(messages=[messages.system("Be brief."), asked])

Everything here gives plain dicts in OpenAI's chat shape, which go to every vendor in its own."""

from __future__ import annotations

from . import _media
from ._checks import string, wrong
from .errors import ConfigurationError
from .response import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from typing import Any, Union

    Part = dict[str, Any]
    Message = dict[str, Any]
    Source = Union[str, bytes, bytearray, memoryview, PathLike[str], None]

__all__ = ["assistant", "audio", "file", "image", "plain", "system", "tool_result", "user", "video"]

_CACHED = {"cache_control": {"type": "ephemeral"}}
_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/mp4": "m4a"}
# What OpenAI's chat interface knows of a message, of a call in it and of a part of it.
_PLAIN_KEYS = {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio"}
_PLAIN_CALL = {"id", "type", "function", "custom"}
_PLAIN_PART = {"type", "text", "image_url", "input_audio", "file", "video_url", "refusal"}


def user(*content: str | Part, cache: bool = False) -> Message:
    """What the user says: texts and parts made by `image`, `audio`, `video` and `file`.

    Args:
        content: One text, or texts and parts in any order.
        cache: Mark the end of this message as the end of what the vendor shall keep in its cache. Vendors that cache
            by themselves are not sent the mark.
    """
    return {"role": "user", "content": _content("user", content, cache)}


def system(text: str, *, cache: bool = False) -> Message:
    """What the model shall keep to.

    Args:
        text: The instructions.
        cache: As in `user`.
    """
    return {"role": "system", "content": _content("system", (text,), cache)}


def assistant(
    *content: str | Part, tool_calls: Sequence[ToolCall | dict[str, Any]] | None = None, cache: bool = False
) -> Message:
    """What the model has said before. An answer of this package is `response.message`, which also keeps its reasoning.

    Args:
        content: One text, or texts and parts; nothing beside tool calls.
        tool_calls: The calls that it asked for: ToolCall objects, or dicts in OpenAI's form.
        cache: As in `user`.
    """
    message: Message = {"role": "assistant", "content": None}
    if content or not tool_calls:
        message["content"] = _content("assistant", content, cache)
    if tool_calls:
        message["tool_calls"] = [_call(call) for call in tool_calls]
    return message


def tool_result(call: ToolCall | str, *content: str | Part, is_error: bool = False, cache: bool = False) -> Message:
    """What a tool that the model called has given.

    Args:
        call: The call, or its id.
        content: One text, or texts and images. Vendors that take only text get the images in a message of the user.
        is_error: The tool has failed, and the content says how.
        cache: As in `user`.
    """
    identity = call.id if isinstance(call, ToolCall) else string("call", call)
    message: Message = {"role": "tool", "tool_call_id": identity, "content": _content("tool_result", content, cache)}
    if is_error:
        message["is_error"] = True
    return message


def image(
    source: Source = None,
    *,
    base64: str | None = None,
    media_type: str | None = None,
    detail: str | None = None,
    cache: bool = False,
) -> Part:
    """A picture as a part of a message.

    Args:
        source: Its bytes, the path of its file, an http(s) URL that the vendor fetches, or a data URL.
        base64: Its bytes in base64, in place of source.
        media_type: For example "image/png"; by default what the bytes say.
        detail: How closely to look: "low", "high" or "auto", for vendors that have a choice.
        cache: As in `user`.

    Raises:
        ConfigurationError: The file cannot be read, is empty, or is no image. A ValueError.
    """
    found = _find("image", source, base64, media_type)
    address = {"url": found.address, "detail": detail} if detail else {"url": found.address}
    return _marked({"type": "image_url", "image_url": address}, cache)


def video(
    source: Source = None, *, base64: str | None = None, media_type: str | None = None, cache: bool = False
) -> Part:
    """A film as a part of a message, for the vendors that take one. The arguments are those of `image`."""
    found = _find("video", source, base64, media_type)
    return _marked({"type": "video_url", "video_url": {"url": found.address}}, cache)


def audio(
    source: Source = None, *, base64: str | None = None, media_type: str | None = None, cache: bool = False
) -> Part:
    """A recording as a part of a message.

    Args:
        source: Its bytes, the path of its file, or a data URL.
        base64: Its bytes in base64, in place of source.
        media_type: For example "audio/wav"; by default what the bytes say.
        cache: As in `user`.

    Raises:
        ConfigurationError: The file cannot be read, is empty, or is no recording; or it is a URL. A ValueError.
    """
    found = _find("audio", source, base64, media_type)
    if found.url:
        raise ConfigurationError(
            "audio(): vendors fetch no recordings from a URL; read it, and give the bytes.", param="messages"
        )
    form = _AUDIO_FORMATS.get(found.kind, found.kind.partition("/")[2])
    return _marked({"type": "input_audio", "input_audio": {"data": found.encoded, "format": form}}, cache)


def file(
    source: Source = None,
    *,
    base64: str | None = None,
    id: str | None = None,
    name: str | None = None,
    media_type: str | None = None,
    cache: bool = False,
) -> Part:
    """A file, such as a PDF, as a part of a message.

    Args:
        source: Its bytes, its path, an http(s) URL that the vendor fetches, or a data URL.
        base64: Its bytes in base64, in place of source.
        id: The id of a file that the vendor keeps, in place of both.
        name: The file's name; by default that of its path.
        media_type: For example "application/pdf"; by default what the bytes say.
        cache: As in `user`.

    Raises:
        ConfigurationError: The file cannot be read, is empty, or its type is not known. A ValueError.
    """
    if id is not None:
        if source is not None or base64 is not None:
            raise ConfigurationError("file(): id is in place of source and base64; give one of them.", param="messages")
        return _marked({"type": "file", "file": {"file_id": string("id", id)}}, cache)
    found = _media.Media("file", source, base64, media_type)
    if found.url:
        inner = {"file_url": found.url}
    else:
        ending = found.kind.partition("/")[2].partition(";")[0]
        called = name or found.name or "file." + {"plain": "txt"}.get(ending, ending)
        inner = {"filename": called, "file_data": found.address}
    return _marked({"type": "file", "file": inner}, cache)


def plain(message: Message) -> Message:
    """A copy of a message with nothing but what OpenAI's chat interface knows, for other libraries.

    Left out are `source` and `reasoning_details`, by which this package gives a model its own thoughts back, signatures
    of tool calls, marks for caches, and is_error.
    """
    kept = {key: value for key, value in message.items() if key in _PLAIN_KEYS}
    if isinstance(kept.get("content"), list):
        kept["content"] = [
            {key: value for key, value in part.items() if key in _PLAIN_PART} if isinstance(part, dict) else part
            for part in kept["content"]
        ]
    if kept.get("tool_calls"):
        kept["tool_calls"] = [
            {key: value for key, value in call.items() if key in _PLAIN_CALL} for call in kept["tool_calls"]
        ]
    return kept


def _find(kind: str, source: Any, base64: str | None, media_type: str | None) -> _media.Media:
    found = _media.Media(kind, source, base64, media_type)
    if not found.url and found.kind.partition("/")[0] != kind:
        raise ConfigurationError(
            f"{kind}(): {found.name or 'what was given'} is {found.kind}; for other files there is file().",
            param="messages",
        )
    return found


def _content(who: str, content: tuple[Any, ...], cache: bool) -> str | list[Part]:
    if not content:
        raise ConfigurationError(f"{who}() has nothing to say; give a text.", param="messages")
    parts: list[Part] = []
    for piece in content:
        if isinstance(piece, str):
            parts.append({"type": "text", "text": piece})
        elif isinstance(piece, dict) and isinstance(piece.get("type"), str):
            parts.append(piece)
        else:
            raise wrong(f"the content of {who}()", "texts, and parts such as image(...)", piece)
    if len(content) == 1 and isinstance(content[0], str) and not cache:
        return content[0]
    if cache:
        parts[-1] = {**parts[-1], **_CACHED}
    return parts


def _marked(part: Part, cache: bool) -> Part:
    return {**part, **_CACHED} if cache else part


def _call(call: Any) -> dict[str, Any]:
    if isinstance(call, ToolCall):
        return call.to_message()
    if isinstance(call, dict):
        return call
    raise wrong("tool_calls", "a list of ToolCall objects or dicts", call)
