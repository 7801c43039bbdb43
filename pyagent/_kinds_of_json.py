"""The kinds of JSON that a Python type can stand for. Each kind says its JSON Schema, and makes the Python value.

Which kind a type is, is said in _type_kinds.py. A kind never raises while it makes a value: it notes what is wrong and
goes on, so that a model is told all its mistakes at once.
"""

from __future__ import annotations

from ._json_check import Notes, check_bounds, path_to, same, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._definitions import Definitions


class Kind:
    """Anything at all: every JSON value is fine as it is."""

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        """The JSON Schema; what it refers to is added to the definitions."""
        return {}

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        """The Python value; when something is wrong with it, this is noted and the result means nothing."""
        return value


class Plain(Kind):
    """A JSON value that is a Python value already: null, a boolean, a number, a text."""

    def __init__(self, json_type: str, wanted: str, accepts: Callable[[Any], bool], make: Callable[[Any], Any]) -> None:
        self.json_type = json_type
        self.wanted = wanted
        self.accepts = accepts
        self.make = make

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return {"type": self.json_type}

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        if not self.accepts(value):
            return notes.add(path, f"expected {self.wanted}, got {show(value)}")
        return self.make(value)


class Text(Kind):
    """A value that is written as a text in JSON: a date, a UUID, a path, bytes."""

    def __init__(self, wanted: str, make: Callable[[str], Any], schema: dict[str, Any]) -> None:
        self.wanted = wanted
        self.make = make
        self._schema = {"type": "string", **schema}

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return dict(self._schema)

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        if isinstance(value, str):
            try:
                return self.make(value)
            except (ValueError, ArithmeticError):  # decimal's own errors are of the second kind
                pass
        return notes.add(path, f"expected {self.wanted}, got {show(value)}")


class Choice(Kind):
    """One of some values: a Literal, or an Enum, whose members stand behind their JSON values."""

    def __init__(self, pairs: Iterable[tuple[Any, Any]], description: str | None = None) -> None:
        self.pairs = list(pairs)  # JSON value, Python value
        self.description = description

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        values = [value for value, _ in self.pairs]
        found = {_json_type(value) for value in values}
        schema: dict[str, Any] = {"type": found.pop()} if len(found) == 1 else {}
        schema["enum"] = values
        if self.description:
            schema["description"] = self.description
        return schema

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        for json_value, python_value in self.pairs:
            if same(value, json_value):
                return python_value
        return notes.add(path, f"expected one of {', '.join(show(v) for v, _ in self.pairs)}, got {show(value)}")


class AnyOf(Kind):
    """A union: the first member that takes a value has it, but a number of its own type, true or null comes before."""

    def __init__(self, members: list[Kind]) -> None:
        self.members = members

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        schemas: list[dict[str, Any]] = []
        for member in self.members:
            schema = member.schema(definitions)
            if schema not in schemas:
                schemas.append(schema)
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        failed: list[Notes] = []
        for member in sorted(self.members, key=lambda member: not _is_exactly(member, value)):
            tried = Notes()
            built = member.build(value, path, tried)
            if not tried:
                return built
            failed.append(tried)
        return notes.take_union(failed, value, path)


class Items(Kind):
    """A JSON array of equal items: a list, a set, a tuple of any length."""

    def __init__(self, item: Kind, make: Callable[[list[Any]], Any], unique: bool = False) -> None:
        self.item = item
        self.make = make
        self.unique = unique

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array"}
        items = self.item.schema(definitions)
        if items:
            schema["items"] = items
        if self.unique:
            schema["uniqueItems"] = True
        return schema

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        if not isinstance(value, list):
            return notes.add(path, f"expected a list, got {show(value)}")
        before = len(notes)
        made = [self.item.build(item, f"{path}[{index}]", notes) for index, item in enumerate(value)]
        if len(notes) > before:
            return None
        try:
            return self.make(made)
        except TypeError:  # what cannot be hashed cannot be in a set
            return notes.add(path, "expected items that can be in a set")


class Row(Kind):
    """A tuple whose places have types of their own."""

    def __init__(self, items: list[Kind]) -> None:
        self.items = items

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array"}
        if self.items:
            schema["prefixItems"] = [item.schema(definitions) for item in self.items]
        return {**schema, "minItems": len(self.items), "maxItems": len(self.items)}

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        if not isinstance(value, list) or len(value) != len(self.items):
            return notes.add(path, f"expected a list of {len(self.items)} items, got {show(value)}")
        return tuple(
            kind.build(item, f"{path}[{index}]", notes) for index, (kind, item) in enumerate(zip(self.items, value))
        )


class Table(Kind):
    """A dict with any keys of one type. JSON has only texts for keys, so a key that is a number is read from one."""

    def __init__(self, key: Kind, item: Kind, make: Callable[[], dict[Any, Any]]) -> None:
        self.key = key
        self.item = item
        self.make = make

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object"}
        items = self.item.schema(definitions)
        if items:
            schema["additionalProperties"] = items
        keys = self.key.schema(definitions)
        if keys.get("type") == "string" and len(keys) > 1:
            schema["propertyNames"] = keys
        return schema

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        if not isinstance(value, dict):
            return notes.add(path, f"expected an object, got {show(value)}")
        made = self.make()
        for key, item in value.items():
            inside = path_to(path, key)
            made[self._key(key, inside, notes)] = self.item.build(item, inside, notes)
        return made

    def _key(self, key: str, path: str, notes: Notes) -> Any:
        tried = Notes()
        built = self.key.build(key, path, tried)
        if tried:
            from json import loads

            tried = Notes()
            try:
                built = self.key.build(loads(key), path, tried)
            except ValueError:
                tried.add(path, "no number")
        if tried:
            return notes.add(path, f"the key {show(key)} has the wrong type")
        return built


class Field:
    """A field of an object: its name in JSON, its kind, whether it must be there, and its default where JSON has it."""

    __slots__ = ("name", "kind", "required", "extra")

    def __init__(self, name: str, kind: Kind, required: bool, extra: dict[str, Any]) -> None:
        self.name = name
        self.kind = kind
        self.required = required
        self.extra = extra


class Object(Kind):
    """An object with fields: a dataclass, a TypedDict, a NamedTuple. It may hold itself, so the fields come later."""

    def __init__(self, name: str, description: str | None, make: Callable[..., Any]) -> None:
        self.name = name
        self.description = description
        self.make = make
        self.fields: list[Field] = []

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return definitions.refer(self, self.name, self._define)

    def _define(self, definitions: Definitions) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object"}
        if self.description:
            schema["description"] = self.description
        schema["properties"] = {field.name: {**field.kind.schema(definitions), **field.extra} for field in self.fields}
        required = [field.name for field in self.fields if field.required]
        if required:
            schema["required"] = required
        schema["additionalProperties"] = False
        return schema

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        if not isinstance(value, dict):
            return notes.add(path, f"expected an object, got {show(value)}")
        before, made = len(notes), {}
        for field in self.fields:
            inside = path_to(path, field.name)
            if field.name in value:
                made[field.name] = field.kind.build(value[field.name], inside, notes)
            elif field.required:
                notes.add(inside, "is required and missing")
        known = {field.name for field in self.fields}
        for key in value:
            if key not in known:
                notes.add(path_to(path, key), f"is no field; the fields are {', '.join(sorted(known)) or 'none'}")
        if len(notes) > before:
            return None
        try:
            return self.make(**made)
        except (ValueError, TypeError, AssertionError) as error:  # the type's own checks, in __post_init__
            return notes.add(path, str(error) or type(error).__name__)


class Foreign(Kind):
    """A type of pydantic or msgspec, which say their schema and make their values themselves."""

    def __init__(
        self, schema: Callable[[], dict[str, Any]], make: Callable[[Any], Any], failure: type[Exception]
    ) -> None:
        self._schema = schema
        self.make = make
        self.failure = failure

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return definitions.adopt(self._schema())

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        try:
            return self.make(value)
        except self.failure as error:
            return notes.take_foreign(path, error)


class Bounded(Kind):
    """A kind with a description and bounds, as `Annotated` gives them."""

    def __init__(self, kind: Kind, extra: dict[str, Any]) -> None:
        self.kind = kind
        self.extra = extra

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return {**self.kind.schema(definitions), **self.extra}

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        before = len(notes)
        built = self.kind.build(value, path, notes)
        if len(notes) == before:
            check_bounds(self.extra, value, path, notes)
        return built


def _is_exactly(kind: Kind, value: Any) -> bool:
    return isinstance(kind, Plain) and kind.json_type == _json_type(value) != "string"


def _json_type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null", list: "array"}
    return names.get(type(value), "object")
