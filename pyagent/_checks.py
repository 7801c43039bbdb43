"""Checks of option values: each returns the value or raises a ConfigurationError that names the option.

Wrong types are found in Python, so that they raise where they were written and not where the answer is read.
"""

from __future__ import annotations

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def wrong(name: str, wanted: str, value: Any) -> ConfigurationError:
    """The error for a value that is not what it must be."""
    shown = repr(value)
    if len(shown) > 80:
        shown = shown[:80] + "..."
    return ConfigurationError(f"{name} must be {wanted}, got {shown} ({type(value).__name__}).", param=name)


def is_a(wanted: str, *types: type) -> Callable[[str, Any], Any]:
    """Makes a check for values of some types."""

    def check(name: str, value: Any) -> Any:
        # bool is a kind of int for Python, but not for any vendor
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise wrong(name, wanted, value)
        return value

    return check


number = is_a("a number", int, float)
integer = is_a("a whole number", int)
string = is_a("a string", str)
flag = is_a("True or False", bool)
mapping = is_a("a dict", dict)
sequence = is_a("a list", list, tuple)
string_or_mapping = is_a("a string or a dict", str, dict)


def seconds(name: str, value: float | None) -> float | None:
    """None, or a number of seconds of 0 or more."""
    if value is not None and not 0 <= number(name, value) < float("inf"):
        raise wrong(name, "a number of seconds, 0 (no limit) or more", value)
    return value


def count(name: str, value: int | None) -> int | None:
    """None, or a whole number of 0 or more."""
    if value is not None and integer(name, value) < 0:
        raise wrong(name, "a whole number, 0 or more", value)
    return value


def whole_bytes(name: str, value: int | None) -> int | None:
    """None, or a number of bytes above 0."""
    if value is not None and integer(name, value) <= 0:
        raise wrong(name, "a whole number of bytes above 0", value)
    return value


def stop(name: str, value: Any) -> Any:
    """One stop text or a list of them."""
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return value
    raise ConfigurationError(f"'{name}' must be a string or list of strings.", param=name)


def inputs(name: str, value: Any) -> Any:
    """A text, or a list of what can be embedded."""
    if not isinstance(value, (str, list, tuple)):
        raise wrong(name, "a string, or a list of strings", value)
    for number, item in enumerate(() if isinstance(value, str) else value):
        if not isinstance(item, (str, int, list, tuple)) or isinstance(item, bool):
            raise wrong(f"{name}[{number}]", "a string", item)
    return value


def line(name: str, value: Any) -> Any:
    """A string without line breaks and other control characters. It may be a secret, so errors do not show it."""
    place = _control(string(name, value))
    if place is not None:
        raise ConfigurationError(
            f"{name} has a line break or another control character at position {place}; remove it.", param=name
        )
    return value


def _control(value: str) -> int | None:
    """Where the first control character is, counted from 1."""
    if value.isprintable():
        return None
    return next((place for place, char in enumerate(value, 1) if (char < " " and char != "\t") or char == "\x7f"), None)


def headers(name: str, value: Any) -> Any:
    """A dict of header names to values."""
    mapping(name, value)
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, str):
            raise ConfigurationError(
                f"{name} must be a dict of strings to strings, but {key!r} is not one.", param=name
            )
        for what, text in ((f"the name {key!r}", key), (f"the value of {key!r}", item)):
            place = _control(text)
            if place is not None:
                raise ConfigurationError(
                    f"{name}: {what} has a line break or another control character at position {place}; remove it.",
                    param=name,
                )
    return value


def optional(check: Callable[[str, Any], Any], name: str, value: Any) -> Any:
    """None, or a value that a check has passed."""
    return None if value is None else check(name, value)
