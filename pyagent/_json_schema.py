"""JSON Schema: whether a value fits a schema that is given as a dict, and what does not.

The keywords of objects, arrays, unions, enums, bounds, conditions and references inside the schema are checked as
draft 2020-12 has them; descriptions and formats say something to the model only. A keyword that restricts and is not
among these is refused before anything is sent: it would otherwise hold for nobody.

https://json-schema.org/draft/2020-12/json-schema-validation
"""

from __future__ import annotations

from ._json_check import Notes, check_bounds, is_number, path_to, same, show
from ._kinds_of_json import Kind
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._definitions import Definitions

_TYPES: dict[str, tuple[str, Any]] = {
    "null": ("null", lambda value: value is None),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number", lambda value: is_number(value) and value == value // 1),
    "number": ("a number", is_number),
    "string": ("a string", lambda value: isinstance(value, str)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
}

# Where schemas are inside a schema: under one keyword, in a list, or in a dict of names.
ONE = ("items", "additionalProperties", "propertyNames", "not", "if", "then", "else", "contains")
MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
NAMED = ("properties", "patternProperties", "$defs", "definitions")

_UNCHECKED = (
    "unevaluatedProperties",
    "unevaluatedItems",
    "dependentSchemas",
    "dependencies",
    "minContains",
    "maxContains",
    "additionalItems",
    "$dynamicRef",
    "$recursiveRef",
)


class SchemaKind(Kind):
    """A JSON Schema as a dict: its values are what `json.loads` gives."""

    def __init__(self, schema: dict[str, Any]) -> None:
        _check_schema(schema, schema, "")
        self._schema = schema

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return definitions.adopt(self._schema)

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        check(value, self._schema, self._schema, path, notes)
        return value


def fits(value: Any, schema: Any, root: dict[str, Any]) -> bool:
    """Whether a value fits a part of the schema `root`."""
    notes = Notes()
    check(value, schema, root, "", notes)
    return not notes


def check(value: Any, schema: Any, root: dict[str, Any], path: str, notes: Notes) -> None:
    """Notes what in a value does not fit a part of the schema `root`."""
    if isinstance(schema, bool):
        if not schema:
            notes.add(path, "must not be there")
        return
    if "$ref" in schema:
        check(value, resolve(schema["$ref"], root), root, path, notes)
    if not _check_type(value, schema, path, notes):
        return
    _check_choices(value, schema, path, notes)
    check_bounds(schema, value, path, notes)
    if isinstance(value, dict):
        _check_object(value, schema, root, path, notes)
    elif isinstance(value, list):
        _check_list(value, schema, root, path, notes)
    _check_unions(value, schema, root, path, notes)
    _check_conditions(value, schema, root, path, notes)


def resolve(reference: str, root: dict[str, Any]) -> Any:
    """The part of a schema that a reference names.

    Raises:
        ConfigurationError: There is no such part. A ValueError.
    """
    found: Any = root
    for step in reference[1:].split("/")[1:] if reference[:1] == "#" else ("",):
        name = step.replace("~1", "/").replace("~0", "~").replace("%24", "$")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise ConfigurationError(
                f"schema refers to {reference!r}, which is no part of it; write it into its $defs.", param="schema"
            )
    return found


def _check_type(value: Any, schema: dict[str, Any], path: str, notes: Notes) -> bool:
    wanted = schema.get("type")
    if wanted is None:
        return True
    names = [wanted] if isinstance(wanted, str) else wanted
    if any(_TYPES[name][1](value) for name in names):
        return True
    notes.add(path, f"expected {' or '.join(_TYPES[name][0] for name in names)}, got {show(value)}")
    return False


def _check_choices(value: Any, schema: dict[str, Any], path: str, notes: Notes) -> None:
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices is not None and not any(same(value, choice) for choice in choices):
        notes.add(path, f"expected one of {', '.join(show(choice) for choice in choices)}, got {show(value)}")


def _check_object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str, notes: Notes) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            notes.add(path_to(path, name), "is required and missing")
    for name, needed in schema.get("dependentRequired", {}).items():
        for other in needed if name in value else ():
            if other not in value:
                notes.add(path_to(path, other), f"is required beside {name} and missing")
    for name, item in value.items():
        place = path_to(path, name)
        found = _schemas_of(name, schema)
        if found == [False] and "additionalProperties" in schema:
            fields = ", ".join(sorted(schema.get("properties", ()))) or "none"
            notes.add(place, f"is no field; the fields are {fields}")
        else:
            for inner in found:
                check(item, inner, root, place, notes)
        check(name, schema.get("propertyNames", True), root, place, notes)


def _schemas_of(name: str, schema: dict[str, Any]) -> list[Any]:
    """What holds for a field of an object."""
    fields = schema.get("properties", {})
    found = [fields[name]] if name in fields else []
    found.extend(inner for pattern, inner in schema.get("patternProperties", {}).items() if _matches(pattern, name))
    return found or [schema.get("additionalProperties", True)]


def _check_list(value: list[Any], schema: dict[str, Any], root: dict[str, Any], path: str, notes: Notes) -> None:
    first = schema.get("prefixItems", ())
    for index, item in enumerate(value):
        inner = first[index] if index < len(first) else schema.get("items", True)
        check(item, inner, root, f"{path}[{index}]", notes)
    if "contains" in schema and not any(fits(item, schema["contains"], root) for item in value):
        notes.add(path, "has no item of the kind that it must contain")


def _check_unions(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str, notes: Notes) -> None:
    for inner in schema.get("allOf", ()):
        check(value, inner, root, path, notes)
    for keyword in ("anyOf", "oneOf"):
        if keyword not in schema:
            continue
        tried = []
        for inner in schema[keyword]:
            tried.append(Notes())
            check(value, inner, root, path, tried[-1])
        fitting = sum(not found for found in tried)
        if not fitting:
            notes.take_union(tried, value, path)
        elif keyword == "oneOf" and fitting > 1:
            notes.add(path, f"fits {fitting} of the forms of which it must fit one")


def _check_conditions(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str, notes: Notes) -> None:
    if "not" in schema and fits(value, schema["not"], root):
        notes.add(path, f"must not be {show(value)}")
    if "if" in schema:
        branch = "then" if fits(value, schema["if"], root) else "else"
        check(value, schema.get(branch, True), root, path, notes)


def _check_schema(schema: Any, root: dict[str, Any], place: str) -> None:
    """Refuses what is no schema, or what cannot be checked here."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise _wrong(place, f"must be a dict, got {show(schema)}")
    _check_keywords(schema, root, place)
    for keyword in ONE:
        _check_schema(schema.get(keyword, True), root, f"{place}.{keyword}")
    for keyword in MANY:
        for number, inner in enumerate(schema.get(keyword, ())):
            _check_schema(inner, root, f"{place}.{keyword}[{number}]")
    for keyword in NAMED:
        for name, inner in schema.get(keyword, {}).items():
            _check_schema(inner, root, f"{place}.{keyword}.{name}")


def _check_keywords(schema: dict[str, Any], root: dict[str, Any], place: str) -> None:
    for keyword in _UNCHECKED:
        if keyword in schema:
            raise _wrong(place, f"has {keyword}, which is not checked here; say it by other keywords")
    names = schema.get("type", [])
    for name in [names] if isinstance(names, str) else names:
        if name not in _TYPES:
            raise _wrong(place, f"has the type {name!r}; it is one of {', '.join(_TYPES)}")
    if "$ref" in schema:
        if not isinstance(schema["$ref"], str):
            raise _wrong(place, "has a $ref that is no string")
        if resolve(schema["$ref"], root) is schema:
            raise _wrong(place, "refers to itself and to nothing else")


def _wrong(place: str, text: str) -> ConfigurationError:
    return ConfigurationError(f"schema{place} {text}.", param="schema")


def _matches(pattern: str, name: str) -> bool:
    import re

    return re.search(pattern, name) is not None
