"""A JSON Schema in the form that vendors' strict modes take, and the way back from its values.

Strict modes want every object closed and every field required; what may be left out is null instead. Bounds, formats
and other restrictions that one vendor or another refuses are said in the description, where the model reads them; the
answer is checked against the whole schema here. What has no strict form at all raises NotStrict.

https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations
"""

from __future__ import annotations

from ._json_schema import NAMED, fits, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class NotStrict(ValueError):
    """A schema that no strict mode takes; the text says which part of it, and why."""


# Keywords that mean the same everywhere, or describe only.
_KEPT = ("title", "description", "enum", "const")
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
_SAID = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "format", "contentEncoding",
)  # fmt: skip
_REFUSED = (
    "not", "if", "then", "else", "patternProperties", "propertyNames", "dependentRequired", "contains",
)  # fmt: skip


def make_strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema in its strict form.

    Raises:
        NotStrict: It has none: it allows any keys, or anything at all, or has conditions.
    """
    return _strict(schema, "schema")


def _strict(schema: Any, place: str) -> dict[str, Any]:
    if not isinstance(schema, dict):
        raise NotStrict(f"{place} allows anything")
    refused = next((keyword for keyword in _REFUSED if keyword in schema), None)
    if refused:
        raise NotStrict(f"{place} has {refused}")
    if "allOf" in schema:
        if len(schema["allOf"]) != 1:
            raise NotStrict(f"{place} has allOf")
        schema = {**{key: value for key, value in schema.items() if key != "allOf"}, **schema["allOf"][0]}
    made: dict[str, Any] = {}
    if "$ref" in schema:
        made["$ref"] = schema["$ref"]  # alone: strict modes take nothing beside it
    else:
        made.update({key: schema[key] for key in _KEPT if key in schema})
        _add_type(made, schema, place)
        _add_notes(made, schema)
    for keyword in ("$defs", "definitions"):
        if keyword in schema:
            made[keyword] = {name: _strict(part, f"{place}.{name}") for name, part in schema[keyword].items()}
    return made


def _add_type(made: dict[str, Any], schema: dict[str, Any], place: str) -> None:
    union = schema.get("anyOf") or schema.get("oneOf")
    if union:
        made["anyOf"] = [_strict(part, place) for part in union]
        return
    kind = schema.get("type")
    if kind is not None:
        made["type"] = kind
    elif "enum" not in schema and "const" not in schema:
        raise NotStrict(f"{place} allows anything")
    kinds = kind if isinstance(kind, list) else [kind]
    if "object" in kinds:
        _add_fields(made, schema, place)
    if "array" in kinds:
        _add_items(made, schema, place)


def _add_fields(made: dict[str, Any], schema: dict[str, Any], place: str) -> None:
    fields, more = schema.get("properties", {}), schema.get("additionalProperties")
    if isinstance(more, dict) or (not fields and more is not False):
        raise NotStrict(f"{place} allows any keys")
    required = schema.get("required", ())
    made["properties"] = {}
    for name, part in fields.items():
        strict = _strict(part, f"{place}.{name}")
        made["properties"][name] = strict if name in required else _nullable(strict)
    made["required"] = list(fields)
    made["additionalProperties"] = False


def _add_items(made: dict[str, Any], schema: dict[str, Any], place: str) -> None:
    if "prefixItems" in schema:
        parts: list[dict[str, Any]] = []
        for number, part in enumerate(schema["prefixItems"]):
            strict = _strict(part, f"{place}[{number}]")
            if strict not in parts:
                parts.append(strict)
        made["items"] = {"anyOf": parts} if len(parts) > 1 else parts[0]
    elif schema.get("maxItems") == 0:
        made["items"] = {"type": "null"}
    else:
        made["items"] = _strict(schema.get("items", True), f"{place}[]")


def _add_notes(made: dict[str, Any], schema: dict[str, Any]) -> None:
    from json import dumps

    said = []
    for keyword in _SAID:
        if keyword == "format" and schema.get("format") in _FORMATS:
            made["format"] = schema["format"]
        elif keyword in schema:
            said.append(f"{keyword}: {dumps(schema[keyword], ensure_ascii=False)}")
    if "prefixItems" in schema:
        said.append(f"items in order: {dumps(schema['prefixItems'], ensure_ascii=False)}")
    if said:
        before = made.get("description", "")
        made["description"] = f"{before}{' ' if before else ''}({', '.join(said)})"


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if "anyOf" in schema:
        options = schema["anyOf"]
        return schema if {"type": "null"} in options else {**schema, "anyOf": [*options, {"type": "null"}]}
    if (
        isinstance(kind, str)
        and kind not in {"object", "array", "null"}
        and "enum" not in schema
        and "const" not in schema
    ):
        return {**schema, "type": [kind, "null"]}
    if kind == "null" or (isinstance(kind, list) and "null" in kind):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def without_nulls(value: Any, schema: Any, root: dict[str, Any]) -> Any:
    """A value without the nulls that stand for fields which were left out. `schema` is a part of `root`, not strict."""
    if not isinstance(schema, dict):
        return value
    if "$ref" in schema:
        return without_nulls(value, resolve(schema["$ref"], root), root)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(keyword, ()):
            changed = without_nulls(value, part, root)
            if fits(changed, part, root):
                return changed
    if isinstance(value, dict):
        fields, required = schema.get("properties", {}), schema.get("required", ())
        others = schema.get("additionalProperties", True)
        return {
            name: without_nulls(item, fields.get(name, others), root)
            for name, item in value.items()
            if item is not None or name not in fields or name in required or fits(None, fields[name], root)
        }
    if isinstance(value, list):
        first, others = schema.get("prefixItems", ()), schema.get("items", True)
        return [
            without_nulls(item, first[index] if index < len(first) else others, root)
            for index, item in enumerate(value)
        ]
    return value


def wrapped(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as the field `value` of an object: whoever asks for an object only can be asked for a list this way."""
    inner = {key: part for key, part in schema.items() if key not in {"$defs", "definitions", "$schema"}}
    shared = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    made = {"type": "object", "properties": {"value": inner}, "required": ["value"], "additionalProperties": False}
    return _moved({**made, **shared}, "#/properties/value")  # type: ignore[no-any-return]


def _moved(part: Any, to: str) -> Any:
    """References to what was the top of a schema lead to its new place."""
    if isinstance(part, list):
        return [_moved(item, to) for item in part]
    if not isinstance(part, dict):
        return part
    made = {key: _moved(item, to) for key, item in part.items()}
    target = made.get("$ref")
    if isinstance(target, str) and not target.startswith(tuple(f"#/{name}/" for name in NAMED[2:])):
        made["$ref"] = to + target[1:]
    return made
