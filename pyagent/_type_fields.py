"""What a class says of its fields: names, types, defaults, descriptions; of a dataclass, a TypedDict, a NamedTuple."""

from __future__ import annotations

import typing

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._kinds_of_json import Kind


class TypeField:
    """A field as its class has it; `extra` is what its schema has beside its type: default and description."""

    __slots__ = ("name", "annotation", "required", "extra")

    def __init__(self, name: str, annotation: Any, required: bool, extra: dict[str, Any]) -> None:
        self.name = name
        self.annotation = annotation
        self.required = required
        self.extra = extra


def fields_of(cls: Any) -> Callable[[], list[TypeField]] | None:
    """How to read the fields of a class, or None for a class that does not say them."""
    if hasattr(cls, "__dataclass_fields__"):
        return lambda: _dataclass_fields(cls)
    if issubclass(cls, dict) and hasattr(cls, "__required_keys__"):
        return lambda: _dict_fields(cls)
    if issubclass(cls, tuple) and hasattr(cls, "_field_defaults"):
        return lambda: _tuple_fields(cls)
    return None


def hints_of(thing: Any, **more: Any) -> dict[str, Any]:
    """The types of a class's fields or of a function's parameters, those that are written as texts too.

    Raises:
        ConfigurationError: A type is a name that stands for nothing. A ValueError.
    """
    try:
        return typing.get_type_hints(thing, localns={thing.__name__: thing, **more}, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise ConfigurationError(
            f"The types of {thing.__qualname__} cannot be read: {error}. Define them at the top of the module"
            " (and write Optional[...] in place of `| None` for Python 3.9).",
            param="schema",
        ) from error


def _dataclass_fields(cls: Any) -> list[TypeField]:
    from dataclasses import MISSING, InitVar

    hints = hints_of(cls)
    found = []
    for name, field in cls.__dataclass_fields__.items():
        annotation = hints.get(name, field.type)
        if typing.get_origin(annotation) is typing.ClassVar or annotation is typing.ClassVar or not field.init:
            continue
        if isinstance(annotation, InitVar):
            annotation = annotation.type
        extra = {}
        description = field.metadata.get("description") or getattr(field, "doc", None)
        if isinstance(description, str):
            extra["description"] = description
        extra.update(_default(field.default) if field.default is not MISSING else {})
        required = field.default is MISSING and field.default_factory is MISSING
        found.append(TypeField(name, annotation, required, extra))
    return found


def _dict_fields(cls: Any) -> list[TypeField]:
    found = []
    for name, hint in hints_of(cls).items():
        required, annotation = name in cls.__required_keys__, hint
        # What Python derives from annotations that are texts is wrong for these marks; they have the last word.
        while _mark(annotation) in {"Required", "NotRequired", "ReadOnly"}:
            mark = _mark(annotation)
            required = required if mark == "ReadOnly" else mark == "Required"
            annotation = typing.get_args(annotation)[0]
        found.append(TypeField(name, annotation, required, {}))
    return found


def _tuple_fields(cls: Any) -> list[TypeField]:
    hints, defaults = hints_of(cls), cls._field_defaults
    return [
        TypeField(
            name,
            hints.get(name, typing.Any),
            name not in defaults,
            _default(defaults[name]) if name in defaults else {},
        )
        for name in cls._fields
    ]


def _default(value: Any) -> dict[str, Any]:
    """A default for the schema, where it has a form in JSON."""
    value = getattr(value, "value", value) if hasattr(type(value), "__members__") else value
    return {"default": value} if value is None or type(value) in {bool, int, float, str} else {}


def _mark(annotation: Any) -> str:
    """The name of a special form of `typing` or of typing_extensions, such as Required."""
    return getattr(typing.get_origin(annotation), "_name", None) or ""


def unwrap(annotation: Any) -> tuple[Any, list[Any]]:
    """A type without Annotated and other wraps, and the notes that Annotated gives."""
    notes: list[Any] = []
    while True:
        if hasattr(annotation, "__metadata__"):
            notes = [*annotation.__metadata__, *notes]
            annotation = annotation.__origin__
        elif typing.get_origin(annotation) is typing.Final or _mark(annotation) in {
            "Required",
            "NotRequired",
            "ReadOnly",
        }:
            annotation = typing.get_args(annotation)[0]
        else:
            return annotation, notes


# How the libraries that people use with Annotated call a bound, and how JSON Schema does.
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}
_SIZES = {"string": "Length", "array": "Items", "object": "Properties"}


def bounds_of(notes: list[Any], kind: Kind) -> dict[str, Any]:
    """The description and the bounds that the notes of Annotated give: a text, or objects of annotated_types, pydantic
    and msgspec, which are known by their attributes."""
    extra: dict[str, Any] = {}
    if not notes:
        return extra
    from ._definitions import Definitions

    what = _SIZES.get(str(kind.schema(Definitions()).get("type")), "Items")
    for note in notes:
        said = (
            note
            if isinstance(note, str)
            else getattr(note, "description", None) or getattr(note, "documentation", None)
        )
        if isinstance(said, str):
            extra["description"] = said
        for part in (note, *(getattr(note, "metadata", None) or ())):
            for name, keyword in (*_BOUNDS.items(), ("min_length", "min" + what), ("max_length", "max" + what)):
                bound = getattr(part, name, None)
                if isinstance(bound, (int, float) if name != "pattern" else str):
                    extra[keyword] = bound
    return extra


def description_of(cls: Any) -> str | None:
    """The docstring that somebody wrote for a class; Python makes one for dataclasses and tuples, with no news."""
    text = cls.__dict__.get("__doc__")
    if not isinstance(text, str) or text.startswith(cls.__name__ + "(") or text == "An enumeration.":
        return None
    from inspect import cleandoc

    return cleandoc(text) or None
