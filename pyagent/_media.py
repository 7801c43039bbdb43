"""Images, audio, video and files on their way into a message: where they come from, and what they are."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Beginnings of files: where the bytes stand, the bytes, the media type. The first that matches counts.
_BEGINNINGS = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheif", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
)
_IN_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}


class Media:
    """A piece of media: an address that the vendor can fetch, or bytes with their type and perhaps a file's name."""

    __slots__ = ("url", "encoded", "kind", "name")

    def __init__(self, what: str, source: Any, base64: str | None, media_type: str | None) -> None:
        self.url: str | None = None
        self.name: str | None = None
        self.encoded, self.kind = "", media_type or ""
        if (source is None) == (base64 is None):
            raise _wrong(what, "give either the thing itself (bytes, a path or a URL) or base64")
        if base64 is not None:
            self._set_encoded(what, base64)
        elif isinstance(source, str) and source[:5].lower() == "data:":
            self._read_data_url(what, source)
        elif isinstance(source, str) and source[:8].lower().startswith(("http://", "https://", "gs://")):
            self.url = source
        else:
            self._set_bytes(what, self._read(what, source))

    @property
    def address(self) -> str:
        """The URL, or a data URL of the bytes."""
        return self.url or f"data:{self.kind};base64,{self.encoded}"

    def _read(self, what: str, source: Any) -> bytes:
        if isinstance(source, (bytes, bytearray, memoryview)):
            return bytes(source)
        if not isinstance(source, (str, os.PathLike)):
            raise _wrong(what, f"bytes, a path, or a URL is wanted, not {type(source).__name__}")
        path = os.fspath(source)
        try:
            with open(path, "rb") as opened:
                content = opened.read()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise _wrong(
                what, f"{_shown(path)} cannot be read ({reason}); a str is a path or a URL, and base64 has its own name"
            ) from error
        self.name = os.path.basename(os.fsdecode(path))
        return content

    def _set_bytes(self, what: str, content: bytes) -> None:
        if not content:
            raise _wrong(what, f"{self.name or 'what was given'} is empty")
        self.kind = self.kind or detect(content)
        if not self.kind:
            raise _wrong(what, f"the type of {self.name or 'the bytes'} is not known; give media_type")
        self.encoded = b64encode(content).decode("ascii")

    def _set_encoded(self, what: str, text: str) -> None:
        if not isinstance(text, str):
            raise _wrong(what, f"base64 must be a string, not {type(text).__name__}")
        try:
            content = b64decode("".join(text.split()), validate=True)  # lines are often broken
        except ValueError as error:
            raise _wrong(what, f"base64 cannot be read ({error})") from None
        self._set_bytes(what, content)

    def _read_data_url(self, what: str, url: str) -> None:
        head, comma, data = url[5:].partition(",")
        if not comma or not head.endswith(";base64"):
            raise _wrong(what, 'a data URL must be base64; it begins like "data:image/png;base64,"')
        self.kind = self.kind or head.partition(";")[0].lower()
        self._set_encoded(what, data)


def detect(content: bytes) -> str:
    """The media type of a file by its first bytes, "" if they do not tell."""
    if content[:4] == b"RIFF":
        return _IN_RIFF.get(content[8:12], "")
    for place, beginning, kind in _BEGINNINGS:
        if content[place : place + len(beginning)] == beginning:
            return kind
    if len(content) > 1 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0:  # a frame of MPEG audio
        return "audio/aac" if content[1] & 0xF6 == 0xF0 else "audio/mpeg"
    if b"\0" in content:
        return ""
    try:
        content.decode()
    except UnicodeDecodeError:
        return ""
    return "text/plain"


def _wrong(what: str, words: str) -> ConfigurationError:
    return ConfigurationError(f"{what}(): {words}.", param="messages")


def _shown(path: Any) -> str:
    text = repr(path)
    return text if len(text) <= 80 else text[:80] + "..."
