"""Frames: the one form in which bytes come back from the core. The other side of this file is core/bridge/frame.go.

A frame is a 16-byte little-endian header `u32 size, u8 kind, u8 flags, u16 index, u64 call`, then `size` bytes of
payload. Kinds below 16 carry raw UTF-8 deltas, kinds from 16 one JSON object, kinds from 32 raw bytes, kinds from 64
one JSON object and are terminal: exactly one of them ends a call. A run of waiting deltas travels as one frame with the
flag MANY: the deltas separated by NUL bytes, so that a burst costs one `decode().split("\\0")`. A delta that holds a
NUL itself travels alone. Unknown kinds are skipped by size."""

from __future__ import annotations

from struct import Struct

from ._json_text import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT = 1
REASONING = 2
REFUSAL = 3
TOOL_ARGS = 4
FIRST_JSON = 16
START = 16
TOOL_BEGIN = 17
TOOL_END = 18
USAGE = 19
LOGPROBS = 20
ANNOTATION = 21
PART = 22
DETAIL = 23
RETRY = 24
RAW = 25
NOTICE = 26
ITEM = 27
VECTOR = 32
FINISH = 64
ERROR = 66

MANY = 1

HEADER = Struct("<IBBHQ")

HEADER_SIZE = HEADER.size
unpack = Struct("<IBBH8x").unpack_from  # of a header everything but the call
_unpack_owner = Struct("<I4xQ").unpack_from  # only the size and the call


def split(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Cuts what one poll delivered into (kind, flags, index, payload)."""
    frames = []
    position, end = 0, len(data)
    while position < end:
        size, kind, flags, index = unpack(data, position)
        position += HEADER_SIZE + size
        frames.append((kind, flags, index, data[position - size : position]))
    return frames


def split_calls(data: bytes) -> list[tuple[int, bytes]]:
    """Cuts what one poll of an inbox delivered into (call, its frames, which lie together)."""
    parts = []
    begin = position = owner = 0
    end = len(data)
    while position < end:
        size, call = _unpack_owner(data, position)
        if call != owner:
            if owner:
                parts.append((owner, data[begin:position]))
            begin, owner = position, call
        position += HEADER_SIZE + size
    if owner:
        parts.append((owner, data[begin:]))
    return parts


def parse(payload: bytes) -> Any:
    """The value of a JSON frame."""
    return decode(payload.decode())


def deltas(flags: int, payload: bytes) -> list[str]:
    """The text pieces of a delta frame."""
    if flags & MANY:
        return payload.decode().split("\0")
    return [payload.decode()]
