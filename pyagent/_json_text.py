"""JSON by the functions in C that Python's package json is made of.

The package brings regular expressions and enum, and takes as long to import as all the rest of a first request. It is
used after all where there are no such functions, as on PyPy, and for what is not in order: it can say why."""

from __future__ import annotations

from . import _opening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def encode_with_care(value: Any) -> str:
    """The text of a value.

    Raises:
        TypeError, ValueError: It has no JSON form.
    """
    with _opening.lock:
        from json import JSONEncoder
    return JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(value)


def decode_with_care(text: str) -> Any:
    """The value of a text.

    Raises:
        ValueError: It is not JSON.
    """
    with _opening.lock:
        from json import JSONDecoder
    return JSONDecoder().decode(text)


def _make_encode() -> tuple[Callable[[Any], str], Callable[[str], str]]:
    """`encode_with_care` in less than half of its time, most of which goes into an encoder for each call; and what
    quotes a string.

    One encoder for all threads cannot look for values that contain themselves; they end in a RecursionError.
    """
    try:
        from _json import encode_basestring, make_encoder

        make = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)
    except (ImportError, AttributeError, TypeError):  # a later Python may want other arguments
        return encode_with_care, encode_with_care
    return (lambda value: "".join(make(value, 0))), encode_basestring


def _refuse(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} has no JSON form")


class _Plainly:
    """What a decoder is asked for: nothing special."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float = parse_constant = float
    parse_int = int


def _make_decode() -> Callable[[str], Any]:
    """`decode_with_care` without what it does for text that has something around it."""
    try:
        from _json import make_scanner

        scan = make_scanner(_Plainly)  # type: ignore[arg-type]  # all that it wants is the attributes
    except (ImportError, AttributeError, TypeError):
        return decode_with_care

    def decode(text: str) -> Any:
        try:
            value, end = scan(text, 0)
        except StopIteration:  # there is no value
            end = -1
        return value if end == len(text) else decode_with_care(text)

    return decode


encode, quote = _make_encode()
decode = _make_decode()
