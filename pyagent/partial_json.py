"""JSON that is still being written: what is there of a value, whenever more of its text arrives."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["PartialJson", "parse"]

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\]*')  # line breaks inside a string are no JSON, but models write them
_TOKEN = re.compile(r"[-+.0-9A-Za-z]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_LOW = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_STARTS = "-0123456789tfn"


class PartialJson:
    """Reads JSON piece by piece. `value` is what is there so far: None, then an object that grows.

    Every piece is read once, so the cost is that of the text and not that of all its beginnings. Objects and lists are
    there from their first bracket, fields from their colon and the first sign of a value, strings from their first
    quotation mark; numbers, true, false and null once they are complete, because 12 is not 1 on its way to 12. A long
    string grows in steps of a 64th of its length, so that it is not copied for every piece.

    `value` is the same dict or list all the time. Use `copy.deepcopy` to keep one state of it.
    """

    __slots__ = (
        "value",
        "complete",
        "_read",
        "_held",
        "_stack",
        "_keys",
        "_text",
        "_pieces",
        "_waiting",
        "_is_key",
        "_at",
        "_changes",
    )

    def __init__(self) -> None:
        self.value: Any = None
        self.complete = False
        self._read: Callable[[str, int], int] = self._value
        self._held = ""  # an escape whose end has not arrived
        self._stack: list[Any] = []  # the objects and lists that are open
        self._keys: list[str] = []  # the key that each open object is at; "" for a list
        self._text = ""  # of the string that is open: what `value` has of it,
        self._pieces: list[str] = []  # and what it has not, or the beginning of a number or a word
        self._waiting = 0  # how many characters that are
        self._is_key = False
        self._changes = 0  # how often `value` has changed
        self._at = 0  # how many characters were read before this piece

    def feed(self, text: str) -> str:
        """Reads more of the text.

        Returns:
            What follows after the value's end: "" until `complete` is True.

        Raises:
            ValueError: This is not JSON; the message says where, and `value` stays what it was up to there.
        """
        if self.complete:
            return text
        data, at = self._held + text, 0
        self._held = ""
        try:
            while at < len(data) and not self.complete:
                at = self._read(data, at)
        finally:
            self._at += at
            self._show()
        return data[at:] if self.complete else ""

    def end(self) -> None:
        """The text is over. A number that nothing follows is complete only now.

        Raises:
            ValueError: The value is not complete.
        """
        if not self.complete and self._read == self._token and not self._stack:
            self._end_token("", 0)
        if not self.complete:
            raise ValueError("The JSON text ends before its value does.")

    def _value(self, data: str, at: int) -> int:
        at = _skip(data, at)
        if at == len(data):
            return at
        sign = data[at]
        if sign in "{[":
            self._open({} if sign == "{" else [])
        elif sign == '"':
            self._begin_string(is_key=False)
        elif sign in _STARTS:
            self._read = self._token
            return at
        else:
            raise self._wrong(data, at, "a value")
        return at + 1

    def _value_or_end(self, data: str, at: int) -> int:
        at = _skip(data, at)
        if data[at : at + 1] == "]":
            return self._close(at)
        return self._value(data, at)

    def _key(self, data: str, at: int) -> int:
        at = _skip(data, at)
        if at == len(data):
            return at
        if data[at] != '"':
            raise self._wrong(data, at, "a key in quotation marks")
        self._begin_string(is_key=True)
        return at + 1

    def _key_or_end(self, data: str, at: int) -> int:
        at = _skip(data, at)
        if data[at : at + 1] == "}":
            return self._close(at)
        return self._key(data, at)

    def _colon(self, data: str, at: int) -> int:
        at = _skip(data, at)
        if at == len(data):
            return at
        if data[at] != ":":
            raise self._wrong(data, at, "a colon")
        self._read = self._value
        return at + 1

    def _comma_or_end(self, data: str, at: int) -> int:
        at = _skip(data, at)
        if at == len(data):
            return at
        in_list = isinstance(self._stack[-1], list)
        if data[at] == ("]" if in_list else "}"):
            return self._close(at)
        if data[at] != ",":
            raise self._wrong(
                data, at, "a comma, or the end of the list" if in_list else "a comma, or the end of the object"
            )
        self._read = self._value if in_list else self._key
        return at + 1

    def _string(self, data: str, at: int) -> int:
        found = _PLAIN.match(data, at)
        end = found.end() if found else at
        if end > at:
            self._keep(data[at:end])
        if end == len(data):
            return end
        if data[end] == '"':
            self._end_string()
            return end + 1
        return self._escape(data, end)

    def _escape(self, data: str, at: int) -> int:
        """Reads what a backslash begins; when its end has not arrived, it waits for the next piece."""
        sign = data[at + 1 : at + 2]
        if sign == "u":
            return self._unicode(data, at)
        if sign in _ESCAPES and sign:
            self._keep(_ESCAPES[sign])
            return at + 2
        if sign:
            raise self._wrong(data, at, "an escape of JSON")
        return self._hold(data, at)

    def _unicode(self, data: str, at: int) -> int:
        digits = data[at + 2 : at + 6]
        if len(digits) < 4 and re.fullmatch("[0-9a-fA-F]*", digits) and at + 2 + len(digits) == len(data):
            return self._hold(data, at)
        if not _HEX.fullmatch(digits):
            raise self._wrong(data, at, "four digits of a character")
        code = int(digits, 16)
        if 0xD800 <= code < 0xDC00:  # the first half of a character: the second one may follow
            rest = data[at + 6 : at + 12]
            if at + 6 + len(rest) == len(data) and len(rest) < 6 and re.fullmatch(r"\\?|\\u[0-9a-fA-F]*", rest):
                return self._hold(data, at)
            second = _LOW.fullmatch(rest)
            if second:
                self._keep(chr(0x10000 + ((code - 0xD800) << 10) + int(second.group(1), 16) - 0xDC00))
                return at + 12
        self._keep(chr(code))
        return at + 6

    def _token(self, data: str, at: int) -> int:
        found = _TOKEN.match(data, at)
        end = found.end() if found else at
        self._pieces.append(data[at:end])
        if end < len(data):
            self._end_token(data, end)
        return end

    def _end_token(self, data: str, end: int) -> None:
        text = "".join(self._pieces)
        self._pieces = []
        if text in _WORDS:
            self._put(_WORDS[text])
        elif _NUMBER.fullmatch(text):
            self._put(_number(text))
        else:
            raise self._wrong(data, end, f"a number, true, false or null in place of {text[:40]!r}")
        self._after_value()

    def _hold(self, data: str, at: int) -> int:
        self._held = data[at:]
        self._at -= len(self._held)  # it is read again
        return len(data)

    def _keep(self, text: str) -> None:
        self._pieces.append(text)
        self._waiting += len(text)

    def _begin_string(self, is_key: bool) -> None:
        self._is_key = is_key
        self._text, self._pieces, self._waiting = "", [], 0
        self._read = self._string
        if not is_key:
            self._put("")

    def _end_string(self) -> None:
        if self._is_key:
            self._keys[-1] = "".join(self._pieces)
            self._pieces, self._waiting = [], 0
            self._read = self._colon
        else:
            self._show(all=True)
            self._after_value()

    def _show(self, all: bool = False) -> None:
        """Puts what has arrived of an open string into the value, when there is enough of it."""
        if self._waiting and not self._is_key and (all or self._waiting > len(self._text) >> 6):
            self._text += "".join(self._pieces)
            self._pieces, self._waiting = [], 0
            self._replace(self._text)

    def _open(self, container: Any) -> None:
        self._put(container)
        self._stack.append(container)
        self._keys.append("")
        self._read = self._key_or_end if isinstance(container, dict) else self._value_or_end

    def _close(self, at: int) -> int:
        self._stack.pop()
        self._keys.pop()
        self._after_value()
        return at + 1

    def _after_value(self) -> None:
        self.complete = not self._stack
        self._read = self._comma_or_end

    def _put(self, value: Any) -> None:
        if self._stack and isinstance(self._stack[-1], list):
            self._stack[-1].append(value)
            self._changes += 1
        else:
            self._replace(value)

    def _replace(self, value: Any) -> None:
        """Sets the value at the place that was reached last."""
        self._changes += 1
        if not self._stack:
            self.value = value
        elif isinstance(self._stack[-1], list):
            self._stack[-1][-1] = value
        else:
            self._stack[-1][self._keys[-1]] = value

    def _wrong(self, data: str, at: int, wanted: str) -> ValueError:
        return ValueError(
            f"This is not JSON: expected {wanted} at character {self._at + at + 1}, got {data[at : at + 20]!r}."
        )


def parse(text: str) -> Any:
    """What is there of a JSON value whose text breaks off somewhere; None when nothing of it is. A bare number is taken
    as it stands.

    Raises:
        ValueError: The text is no beginning of JSON.
    """
    parser = PartialJson()
    rest = parser.feed(text)
    if rest.strip():
        raise ValueError(f"Behind the JSON value there is more: {rest.strip()[:20]!r}.")
    if not parser.complete and parser._read == parser._token and not parser._stack:
        try:
            parser.end()
        except ValueError:
            return None
    return parser.value


def _number(text: str) -> float:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:  # more digits than Python reads into an int
        return float(text)


def _skip(data: str, at: int) -> int:
    found = _SPACE.match(data, at)
    return found.end() if found else at
