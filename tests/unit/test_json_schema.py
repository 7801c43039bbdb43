"""JSON Schema as a dict: what fits it, its strict form, and the way back from that."""

from __future__ import annotations

from typing import Any, Optional, TypedDict

import pytest

from pyagent import ConfigurationError
from pyagent._json_check import SchemaMismatch
from pyagent._object_plan import Plan
from pyagent._schema import build, schema_of
from pyagent._strict_schema import NotStrict, make_strict, without_nulls, wrapped

TREE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["value"],
    "additionalProperties": False,
}

FITTING = [
    ({}, [1]),
    ({"type": "integer"}, 3.0),
    ({"type": ["string", "null"]}, None),
    ({"enum": [1, "a", None]}, None),
    ({"const": {"a": [1]}}, {"a": [1]}),
    ({"type": "object", "patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}, {"x1": 1}),
    ({"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, [1, "a", "b"]),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, 1),
    ({"oneOf": [{"type": "string"}, {"minimum": 5}]}, 6),
    ({"allOf": [{"type": "integer"}, {"minimum": 5}]}, 6),
    ({"not": {"type": "string"}}, 1),
    ({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}, 2),
    ({"contains": {"const": 1}}, [0, 1]),
    ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}]),
    ({"multipleOf": 0.1}, 0.3),
    ({"pattern": "(?<name"}, "a"),
    ({"definitions": {"a": {"type": "integer"}}, "$ref": "#/definitions/a"}, 1),
    ({"$defs": {"a/b": {"type": "integer"}}, "items": {"$ref": "#/$defs/a~1b"}}, [1]),
    ({"dependentRequired": {"a": ["b"]}}, {"b": 1}),
    (TREE, {"value": 1, "children": [{"value": 2, "children": []}]}),
]


@pytest.mark.parametrize(("schema", "value"), FITTING, ids=str)
def test_what_fits(schema: dict[str, Any], value: Any) -> None:
    assert build(schema, value) is value


WRONG = [
    ({"type": "integer"}, 1.5, "expected a whole number, got 1.5"),
    ({"type": ["string", "null"]}, 1, "expected a string or null, got 1"),
    ({"enum": [1, "a"]}, True, "expected one of 1, 'a', got true"),
    ({"const": 1}, 2, "expected one of 1, got 2"),
    ({"required": ["a"]}, {}, "field 'a': is required and missing"),
    ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, "field 'b': is no field; the fields are a"),
    ({"additionalProperties": {"type": "string"}}, {"b": 1}, "field 'b': expected a string, got 1"),
    ({"properties": {"a": False}}, {"a": 1}, "field 'a': must not be there"),
    ({"propertyNames": {"pattern": "^a"}}, {"b": 1}, "field 'b': expected a string that matches ^a, got 'b'"),
    ({"items": {"minimum": 2}}, [2, 1], "field '[1]': expected at least 2, got 1"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "expected a string or null, got 1"),
    ({"oneOf": [{"type": "integer"}, {"minimum": 5}]}, 6, "fits 2 of the forms of which it must fit one"),
    ({"not": {"type": "string"}}, "a", "must not be 'a'"),
    ({"if": {"type": "string"}, "then": {"minLength": 2}}, "a", "expected at least 2 characters, got 1"),
    ({"contains": {"const": 1}}, [0], "has no item of the kind that it must contain"),
    ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], "expected items that differ"),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "field 'b': is required beside a and missing"),
    ({"exclusiveMaximum": 3}, 3, "expected less than 3, got 3"),
    (TREE, {"value": 1, "children": [{}]}, "field 'children[0].value': is required and missing"),
]


@pytest.mark.parametrize(("schema", "value", "message"), WRONG, ids=str)
def test_what_does_not_fit(schema: dict[str, Any], value: Any, message: str) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        build(schema, value)
    assert caught.value.errors == [message]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "text"}, "schema has the type 'text'; it is one of null, boolean"),
        ({"properties": {"a": 1}}, "schema.properties.a must be a dict, got 1"),
        ({"items": {"unevaluatedItems": False}}, "schema.items has unevaluatedItems, which is not checked here"),
        ({"$ref": "other.json"}, "schema refers to 'other.json', which is no part of it"),
        ({"$ref": "#/$defs/a"}, "schema refers to '#/$defs/a'"),
        ({"$ref": "#"}, "schema refers to itself"),
        ({"anyOf": [{"$ref": 5}]}, "schema.anyOf[0] has a $ref that is no string"),
    ],
    ids=str,
)
def test_schemas_that_cannot_be_checked_are_refused(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        schema_of(schema)
    assert message in str(caught.value)
    assert caught.value.param == "schema"


def test_references_stay_what_they_are() -> None:
    shared = {"a/b": {"type": "integer"}, "c": {"properties": {"d": {"type": "string"}}}, "unused": {}}
    schema = {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/a~1b"}, "y": {"$ref": "#/$defs/c/properties/d"}, "z": {"$ref": "#"}},
        "$defs": shared,
    }
    written = schema_of(schema)
    assert written["properties"] == {
        "x": {"type": "integer"},
        "y": {"$ref": "#/$defs/c/properties/d"},
        "z": {"$ref": "#"},
    }
    assert written["$defs"] == {"c": shared["c"]}
    assert Plan(schema, "tool").check({"x": 1, "y": "a", "z": {"x": 2}}) == {"x": 1, "y": "a", "z": {"x": 2}}


def closed(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


STRICT = [
    ({"type": "object", "properties": {"a": {"type": "string"}}}, closed(a={"type": ["string", "null"]})),
    ({**closed(a={"type": "string"}), "title": "T"}, {**closed(a={"type": "string"}), "title": "T"}),
    ({**closed(), "additionalProperties": False}, closed()),
    (closed(a={"type": "integer", "minimum": 1, "description": "How many."}),
     closed(a={"type": "integer", "description": "How many. (minimum: 1)"})),
    (closed(a={"type": "string", "format": "date"}), closed(a={"type": "string", "format": "date"})),
    (closed(a={"type": "string", "format": "path", "default": "x"}),
     closed(a={"type": "string", "description": '(format: "path")'})),
    (closed(a={"oneOf": [{"type": "string"}, {"const": 1}]}), closed(a={"anyOf": [{"type": "string"}, {"const": 1}]})),
    (closed(a={"allOf": [{"type": "string"}], "description": "d"}), closed(a={"type": "string", "description": "d"})),
    ({"type": "object", "properties": {"a": {"enum": ["x"]}, "b": {"type": "array", "items": {"type": "null"}}}},
     closed(a={"anyOf": [{"enum": ["x"]}, {"type": "null"}]},
            b={"anyOf": [{"type": "array", "items": {"type": "null"}}, {"type": "null"}]})),
    ({"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
     closed(a={"anyOf": [{"type": "string"}, {"type": "null"}]})),
    (closed(a={"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2}),
     closed(a={"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
               "description": '(minItems: 2, items in order: [{"type": "integer"}, {"type": "string"}])'})),
    ({**closed(a={"$ref": "#/$defs/b", "description": "x"}), "$defs": {"b": {"type": "string", "maxLength": 2}}},
     {**closed(a={"$ref": "#/$defs/b"}), "$defs": {"b": {"type": "string", "description": "(maxLength: 2)"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "strict"), STRICT, ids=str)
def test_the_strict_form(schema: dict[str, Any], strict: dict[str, Any]) -> None:
    assert make_strict(schema) == strict


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (closed(a={}), "schema.a allows anything"),
        (closed(a={"type": "object"}), "schema.a allows any keys"),
        (closed(a={"type": "object", "additionalProperties": {"type": "string"}}), "schema.a allows any keys"),
        (closed(a={"type": "array"}), "schema.a[] allows anything"),
        (closed(a={"not": {}}), "schema.a has not"),
        (closed(a={"allOf": [{}, {}]}), "schema.a has allOf"),
    ],
    ids=str,
)
def test_what_has_no_strict_form(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(NotStrict) as caught:
        make_strict(schema)
    assert str(caught.value) == message
    with pytest.raises(ConfigurationError, match=r"No strict mode takes this schema.*mode 'auto' or 'tool'"):
        Plan(schema, "strict")
    assert [mode for mode, _ in Plan(schema, "auto").forms] == ["tool", "tool", "prompt"]


class Inner(TypedDict, total=False):
    a: int
    b: Optional[int]  # noqa: UP045  # Python 3.9 reads this


class Outer(TypedDict, total=False):
    inner: Inner
    many: list[Inner]
    other: dict[str, Optional[int]]  # noqa: UP045


def test_nulls_that_stand_for_nothing_are_taken_out_again() -> None:
    schema = schema_of(Outer)
    value = {"inner": {"a": None, "b": None}, "many": [{"a": 1}, {"a": None}], "other": {"x": None}}
    assert without_nulls(value, schema, schema) == {
        "inner": {"b": None},
        "many": [{"a": 1}, {}],
        "other": {"x": None},
    }
    union = {"anyOf": [closed(a={"type": "integer"}), {"type": "object", "properties": {"b": {"type": "integer"}}}]}
    assert without_nulls({"b": None}, union, union) == {}
    assert without_nulls({"value": 1, "children": [{"value": 2, "children": None}]}, TREE, TREE) == {
        "value": 1,
        "children": [{"value": 2}],
    }


def test_a_list_is_asked_for_as_a_field_of_an_object() -> None:
    plan = Plan(list[int], "tool")
    assert plan.schema == closed(value={"type": "array", "items": {"type": "integer"}})
    assert plan.check({"value": [1]}) == [1]
    with pytest.raises(SchemaMismatch) as caught:
        plan.check({"value": ["x"]})
    assert caught.value.errors == ["field '[0]': expected a whole number, got 'x'"]
    with pytest.raises(SchemaMismatch) as caught:
        plan.check([1])
    assert caught.value.errors == ["field 'value': is required and missing"]


def test_references_to_the_top_move_with_it() -> None:
    nested = {"type": "array", "items": {"$ref": "#"}, "$defs": {"a": {"type": "null"}}}
    assert wrapped(nested) == {
        **closed(value={"type": "array", "items": {"$ref": "#/properties/value"}}),
        "$defs": {"a": {"type": "null"}},
    }
    assert Plan(nested, "tool").check({"value": [[], [[]]]}) == [[], [[]]]


READ = [
    ('{"a": 1}', {"a": 1}),
    (' \n{"a": 1} ', {"a": 1}),
    ('Here you are:\n```json\n{"a": 1}\n```\nAnything else?', {"a": 1}),
    ("```\n{\"a\": 1}\n```", {"a": 1}),
    ('I think {this} is {"b": 2}, no: {"a": 1}', {"a": 1}),
    ('{"a": 1} and {"a": 2}', {"a": 1}),
    ('<think>{"a": "?"}</think>{"a": 3}', {"a": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), READ)
def test_an_object_is_found_among_other_words(text: str, value: Any) -> None:
    assert Plan(closed(a={"type": "integer"}), "prompt").read(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no JSON: the answer is empty"),
        ("Sorry.", "there is no JSON object in the answer"),
        ("[1]", "expected an object, got [1]"),
        ('{"a": 1', "the JSON cannot be read: Expecting ',' delimiter: line 1 column 8 (char 7)"),
        ('{"a": NaN}', "there is no JSON object in the answer"),
        ('Well: {"a": "x"}', "field 'a': expected a whole number, got 'x'"),
        ("{" * 100_000, None),
        ('{"a":' * 100_000, None),
        ("[" * 100_000, None),
        ('{"a":' * 900 + "1" + "}" * 900, None),
    ],
    ids=lambda text: str(text)[:20],
)
def test_what_is_wrong_with_a_text(text: str, message: str | None) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        Plan(closed(a={"type": "integer"}), "prompt").read(text)
    if message:
        assert caught.value.errors == [message]


def test_what_is_nested_too_deeply_is_a_mistake_like_others() -> None:
    deep: Any = {"value": 1}
    for _ in range(5000):
        deep = {"value": 1, "children": [deep]}
    with pytest.raises(SchemaMismatch, match="nested too deeply"):
        Plan(TREE, "tool").check(deep)


@pytest.mark.parametrize(
    ("schema", "name"),
    [(Inner, "Inner"), (list[int], "answer"), ({**closed(), "title": "A thing é!"}, "A_thing"), (closed(), "answer")],
)
def test_the_name_of_a_schema(schema: Any, name: str) -> None:
    assert Plan(schema, "auto").name == name
