"""What is wrong with a JSON value, and where: the notes that are taken of it, and the checks of lengths and bounds."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class SchemaMismatch(ValueError):
    """JSON that is not of the type that was asked for; `errors` has a sentence for each mistake."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class Notes:
    """The mistakes in a value, as pairs of place and sentence."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return len(self.found)

    def add(self, path: str, text: str) -> None:
        self.found.append((path, text))

    def take(self, others: Notes) -> None:
        self.found.extend(others.found)

    def take_union(self, failed: list[Notes], value: Any, path: str) -> None:
        """The mistakes in the value at `path` by each form that it might have had."""
        # Mistakes inside an object or a list tell more than that it is neither a string nor null.
        inside = [tried for tried in failed if any(place != path for place, _ in tried.found)]
        if len(inside) == 1:
            return self.take(inside[0])
        wanted = [
            text.partition(", got ")[0].replace("expected ", "", 1) for tried in failed for _, text in tried.found
        ]
        return self.add(path, f"expected {' or '.join(dict.fromkeys(wanted))}, got {show(value)}")

    def take_foreign(self, path: str, error: Exception) -> None:
        """The mistakes that pydantic or msgspec found in the value at `path`."""
        details = getattr(error, "errors", None)
        if not callable(details):  # msgspec: "Expected `float`, got `str` - at `$.items[2].price`"
            text, _, place = str(error).partition(" - at `$")
            return self.add(_join(path, place.rstrip("`")), text)
        for detail in details(include_url=False, include_context=False):
            place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in detail["loc"])
            shown = "" if detail["type"] == "missing" else f", got {show(detail['input'])}"
            self.add(_join(path, place), f"{detail['msg']}{shown}")
        return None

    def sentences(self) -> list[str]:
        return [f"field '{path}': {text}" if path else text for path, text in self.found]

    def raise_any(self) -> None:
        if self.found:
            raise SchemaMismatch(self.sentences())


def _join(path: str, place: str) -> str:
    return path + place if path else place.lstrip(".")


def show(value: Any) -> str:
    """A value as a sentence can hold it."""
    shown = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1, though Python says so."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    return bool(one == other)


def check_bounds(schema: dict[str, Any], value: Any, path: str, notes: Notes) -> None:
    """The keywords of JSON Schema that bound a number, a text, a list or an object, each for its own type only."""
    if isinstance(value, str):
        _check_size(schema, len(value), ("minLength", "maxLength", "characters"), path, notes)
        _check_pattern(schema, value, path, notes)
    elif isinstance(value, list):
        _check_size(schema, len(value), ("minItems", "maxItems", "items"), path, notes)
        if schema.get("uniqueItems") is True and _has_twins(value):
            notes.add(path, "expected items that differ")
    elif isinstance(value, dict):
        _check_size(schema, len(value), ("minProperties", "maxProperties", "fields"), path, notes)
    elif is_number(value):
        _check_number(schema, value, path, notes)


def _check_size(schema: dict[str, Any], size: int, words: tuple[str, str, str], path: str, notes: Notes) -> None:
    least, most, what = words
    if least in schema and size < schema[least]:
        notes.add(path, f"expected at least {schema[least]} {what}, got {size}")
    if most in schema and size > schema[most]:
        notes.add(path, f"expected at most {schema[most]} {what}, got {size}")


def _check_pattern(schema: dict[str, Any], value: str, path: str, notes: Notes) -> None:
    if "pattern" not in schema:
        return
    import re

    try:
        fits = re.search(schema["pattern"], value)
    except re.error:
        return  # a pattern of JavaScript that Python does not read is the vendor's business
    if not fits:
        notes.add(path, f"expected a string that matches {schema['pattern']}, got {show(value)}")


def _check_number(schema: dict[str, Any], value: float, path: str, notes: Notes) -> None:
    bounds: tuple[tuple[str, str, Callable[[float], bool]], ...] = (
        ("minimum", "at least", lambda limit: value >= limit),
        ("maximum", "at most", lambda limit: value <= limit),
        ("exclusiveMinimum", "more than", lambda limit: value > limit),
        ("exclusiveMaximum", "less than", lambda limit: value < limit),
        ("multipleOf", "a multiple of", lambda step: abs(value / step - round(value / step)) < 1e-9),
    )
    for keyword, wanted, fits in bounds:
        limit = schema.get(keyword)
        if limit is not None and is_number(limit) and not fits(limit):
            notes.add(path, f"expected {wanted} {limit}, got {show(value)}")


def _has_twins(items: list[Any]) -> bool:
    from json import dumps

    numbers = [item for item in items if is_number(item)]
    others = [dumps(item, sort_keys=True) for item in items if not is_number(item)]
    return len(set(numbers)) < len(numbers) or len(set(others)) < len(others)


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number; true and false are none, though Python says so."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def path_to(path: str, key: str) -> str:
    """Where a key of an object is, in the words of an error."""
    return f"{path}.{key}" if path else key
