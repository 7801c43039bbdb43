"""The types that are one JSON value: numbers and texts, and what is written as a text, such as dates and UUIDs."""

from __future__ import annotations

from ._json_check import is_number
from ._kinds_of_json import AnyOf, Kind, Plain, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def find(cls: type) -> Kind | None:
    """The kind of a class of this file's, or None. Subclasses of str, int and float are made of the plain value."""
    if cls in _PLAIN:
        return _PLAIN[cls]
    rare = _find_rare(cls)
    if rare is None and issubclass(cls, (str, int, float)) and not hasattr(cls, "__members__"):
        base = next(base for base in (str, int, float) if issubclass(cls, base))
        kind = _PLAIN[base]
        return Plain(kind.json_type, kind.wanted, kind.accepts, cls)
    return rare


def _keep(value: Any) -> Any:
    return value


def _is_whole(value: Any) -> bool:
    """Whether a value is a whole number: 3.0 is one in JSON Schema, True is none."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


_PLAIN: dict[type, Plain] = {
    str: Plain("string", "a string", lambda value: isinstance(value, str), _keep),
    int: Plain("integer", "a whole number", _is_whole, int),
    float: Plain("number", "a number", is_number, float),
    bool: Plain("boolean", "true or false", lambda value: isinstance(value, bool), _keep),
    type(None): Plain("null", "null", lambda value: value is None, _keep),
}


def _find_rare(cls: type) -> Kind | None:
    """The types whose modules cost time to import: whoever has such a type has imported its module."""
    place = f"{cls.__module__}.{cls.__name__}"
    if cls.__module__ == "datetime":
        return _find_time(cls)
    if place == "uuid.UUID":
        return Text("a UUID", cls, {"format": "uuid"})
    if place in {"decimal.Decimal", "_pydecimal.Decimal", "_decimal.Decimal"}:
        # A text keeps every digit; a number is taken too, by its shortest form.
        written = Text("a decimal number", cls, {"description": "A decimal number."})
        return _Decimal([written, Plain("number", "a number", is_number, lambda value: cls(repr(value)))])
    if cls is bytes or cls is bytearray:
        return Text("bytes in base64", lambda text: cls(_decode(text)), {"contentEncoding": "base64"})
    from pathlib import PurePath

    return Text("a path", cls, {}) if issubclass(cls, PurePath) else None


class _Decimal(AnyOf):
    """A decimal number, which is asked for as a text and taken as a number too."""

    def schema(self, definitions: Any) -> dict[str, Any]:
        return self.members[0].schema(definitions)


def _find_time(cls: Any) -> Kind | None:
    name = cls.__name__
    if name == "datetime":
        return Text("a date and time", lambda text: cls.fromisoformat(_older(text)), {"format": "date-time"})
    if name == "date":
        return Text("a date", cls.fromisoformat, {"format": "date"})
    if name == "time":
        return Text("a time", lambda text: cls.fromisoformat(_older(text)), {"format": "time"})
    if name == "timedelta":
        return Text("a duration such as PT1H30M", lambda text: cls(**_parts(text)), {"format": "duration"})
    return None


def _older(text: str) -> str:
    """A time in the form that Python 3.10 and older read: an offset in place of Z, and 3 or 6 digits of a second."""
    import re

    text = re.sub(r"[zZ]$", "+00:00", text)
    return re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found.group(1).ljust(6, "0"), text)


def _parts(text: str) -> dict[str, float]:
    """The parts of a duration of ISO 8601 without years and months, whose length is not known."""
    import re

    number = r"(\d+(?:\.\d+)?)"
    form = f"P(?:{number}W)?(?:{number}D)?(?:T(?:{number}H)?(?:{number}M)?(?:{number}S)?)?"
    found = re.fullmatch(form, text)
    if found is None or text[-1] in "PT":
        raise ValueError(text)
    names = ("weeks", "days", "hours", "minutes", "seconds")
    return {name: float(part) for name, part in zip(names, found.groups()) if part}


def _decode(text: str) -> bytes:
    from base64 import b64decode

    return b64decode(text, validate=True)
