"""JSON Schema of Python types, and typed values of JSON, with the place of every mistake."""

# ruff: noqa: UP045  # Python 3.9 reads annotations at run time too, and has no bar in them
from __future__ import annotations

import datetime
import decimal
import enum
import json
import subprocess
import sys
import types
import typing
import uuid
from collections import OrderedDict, abc, deque
from dataclasses import InitVar, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, Optional, TypedDict, Union

import pytest

from pyagent import ConfigurationError
from pyagent._json_check import SchemaMismatch
from pyagent._schema import build, schema_of

ROOT = Path(__file__).resolve().parents[2]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Shape(enum.Enum):
    DOT = (0, 0)


@dataclass
class Item:
    """Something to buy."""

    name: str
    price: float = field(metadata={"description": "In euros."})
    color: Color = Color.RED
    count: int = 1
    tags: list[str] = field(default_factory=list)
    kind: ClassVar[str] = "item"
    seen: bool = field(default=False, init=False)


@dataclass
class Node:
    value: int
    children: list[Node] = field(default_factory=list)


@dataclass
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("number must be even")


@dataclass
class Scaled:
    by: InitVar[int]
    value: int = 0

    def __post_init__(self, by: int) -> None:
        self.value *= by


T = typing.TypeVar("T")


@dataclass
class Box(Generic[T]):
    content: T
    more: list[T]


class Point(NamedTuple):
    x: int
    y: int = 0


class Base(TypedDict):
    a: int


class Film(Base, total=False):
    """A film."""

    title: str
    year: Annotated[int, "When it was first shown."]


class Left(TypedDict):
    right: Optional[Right]


class Right(TypedDict):
    left: Left


UserId = typing.NewType("UserId", int)


class Bound:
    """As in annotated_types: a bound is an attribute."""

    def __init__(self, **bounds: Any) -> None:
        self.__dict__.update(bounds)


SCHEMAS = [
    (str, {"type": "string"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (None, {"type": "null"}),
    (Any, {}),
    (UserId, {"type": "integer"}),
    (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal["a", 1, None], {"enum": ["a", 1, None]}),
    (Literal[Color.RED], {"type": "string", "enum": ["red"]}),
    (Color, {"type": "string", "enum": ["red", "blue"]}),
    (Level, {"type": "integer", "enum": [1, 2]}),
    (Shape, {"type": "string", "enum": ["DOT"]}),
    (list, {"type": "array"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (abc.Sequence, {"type": "array"}),
    (typing.Sequence[int], {"type": "array", "items": {"type": "integer"}}),
    (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}],
                              "minItems": 2, "maxItems": 2}),
    (tuple[()], {"type": "array", "minItems": 0, "maxItems": 0}),
    (dict, {"type": "object"}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (dict[Color, int], {"type": "object", "additionalProperties": {"type": "integer"},
                        "propertyNames": {"type": "string", "enum": ["red", "blue"]}}),
    (typing.Mapping[str, Any], {"type": "object"}),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (datetime.date, {"type": "string", "format": "date"}),
    (datetime.time, {"type": "string", "format": "time"}),
    (datetime.timedelta, {"type": "string", "format": "duration"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (Path, {"type": "string"}),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (decimal.Decimal, {"type": "string", "description": "A decimal number."}),
    (Annotated[int, "How many."], {"type": "integer", "description": "How many."}),
    (Annotated[int, Bound(ge=1), Bound(lt=9)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
    (Annotated[str, Bound(min_length=1, pattern="^a")], {"type": "string", "minLength": 1, "pattern": "^a"}),
    (Annotated[list[int], Bound(max_length=3)],
     {"type": "array", "items": {"type": "integer"}, "maxItems": 3}),
    (Point, {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer", "default": 0}},
             "required": ["x"], "additionalProperties": False}),
    (Film, {"type": "object", "description": "A film.",
            "properties": {"a": {"type": "integer"}, "title": {"type": "string"},
                           "year": {"type": "integer", "description": "When it was first shown."}},
            "required": ["a"], "additionalProperties": False}),
    (Box[int], {"type": "object", "properties": {"content": {"type": "integer"},
                                                 "more": {"type": "array", "items": {"type": "integer"}}},
                "required": ["content", "more"], "additionalProperties": False}),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "schema"), SCHEMAS, ids=lambda value: str(value)[:40])
def test_schema_of_a_type(annotation: Any, schema: dict[str, Any]) -> None:
    assert schema_of(annotation) == schema


def test_schema_of_a_dataclass() -> None:
    assert schema_of(Item) == {
        "type": "object",
        "description": "Something to buy.",
        "properties": {
            "name": {"type": "string"},
            "price": {"type": "number", "description": "In euros."},
            "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "count": {"type": "integer", "default": 1},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "price"],
        "additionalProperties": False,
    }


def test_what_holds_itself_is_a_definition_and_the_top_is_an_object() -> None:
    schema = schema_of(Node)
    assert schema["type"] == "object"
    assert schema["properties"]["children"] == {"type": "array", "items": {"$ref": "#/$defs/Node"}}
    assert list(schema["$defs"]) == ["Node"]
    ring = schema_of(Left)
    assert set(ring["$defs"]) >= {"Left"}
    assert build(Left, {"right": {"left": {"right": None}}}) == {"right": {"left": {"right": None}}}


def test_what_is_used_once_stands_in_its_place_and_what_is_shared_does_not() -> None:
    @dataclass
    class Order:
        first: Item
        last: Item
        where: Point

    schema = schema_of(typing.get_type_hints(Order, localns={"Item": Item})["first"])
    assert "$defs" not in schema
    schema = schema_of(Order)
    assert schema["properties"]["first"] == {"$ref": "#/$defs/Item"} == schema["properties"]["last"]
    assert schema["properties"]["where"]["properties"]["x"] == {"type": "integer"}
    assert list(schema["$defs"]) == ["Item"]


def test_two_types_of_one_name_are_two_definitions() -> None:
    other = dataclass(type("Item", (), {"__annotations__": {"other": str}}))
    schema = schema_of(tuple[Item, Item, other, other])
    assert [part["$ref"] for part in schema["prefixItems"]] == ["#/$defs/Item"] * 2 + ["#/$defs/Item2"] * 2
    assert "name" in schema["$defs"]["Item"]["properties"]
    assert "other" in schema["$defs"]["Item2"]["properties"]


BUILT = [
    (int, 3.0, 3),
    (float, 3, 3.0),
    (Optional[int], None, None),
    (Union[float, int], 1, 1),
    (Union[int, float], 1.5, 1.5),
    (Union[datetime.date, str], "2024-02-03", datetime.date(2024, 2, 3)),
    (Union[datetime.date, None, int], 4, 4),
    (Color, "blue", Color.BLUE),
    (Level, 2, Level.HIGH),
    (Shape, "DOT", Shape.DOT),
    (Literal[1, "a"], "a", "a"),
    (Literal[Color.RED], "red", Color.RED),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2], (1, 2)),
    (frozenset[int], [1, 2, 2], frozenset({1, 2})),
    (deque[int], [1], deque([1])),
    (abc.Iterable, [1, "x"], [1, "x"]),
    (OrderedDict, {"a": 1}, OrderedDict(a=1)),
    (dict[int, str], {"1": "a"}, {1: "a"}),
    (dict[Color, int], {"red": 1}, {Color.RED: 1}),
    (datetime.datetime, "2024-02-03T04:05:06Z", datetime.datetime(2024, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)),
    (datetime.datetime, "2024-02-03T04:05:06.5", datetime.datetime(2024, 2, 3, 4, 5, 6, 500000)),  # noqa: DTZ001
    (datetime.time, "04:05", datetime.time(4, 5)),
    (datetime.timedelta, "P1DT2H3M0.5S", datetime.timedelta(days=1, hours=2, minutes=3, seconds=0.5)),
    (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    (PurePosixPath, "a/b", PurePosixPath("a/b")),
    (decimal.Decimal, "0.10", decimal.Decimal("0.10")),
    (decimal.Decimal, 0.1, decimal.Decimal("0.1")),
    (bytes, "aGk=", b"hi"),
    (Point, {"x": 1}, Point(1)),
    (Film, {"a": 1, "title": "M"}, {"a": 1, "title": "M"}),
    (Item, {"name": "n", "price": 2, "color": "blue", "tags": ["t"]}, Item("n", 2.0, Color.BLUE, tags=["t"])),
    (Node, {"value": 1, "children": [{"value": 2}]}, Node(1, [Node(2)])),
    (Box[Item], {"content": {"name": "n", "price": 1}, "more": []}, Box(Item("n", 1.0), [])),
]


@pytest.mark.parametrize(("annotation", "value", "wanted"), BUILT, ids=lambda value: str(value)[:40])
def test_build(annotation: Any, value: Any, wanted: Any) -> None:
    built = build(annotation, value)
    assert built == wanted
    assert type(built) is type(wanted)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="before, Python did not read InitVar in a text")
def test_a_parameter_that_is_no_field() -> None:
    assert build(Scaled, {"by": 3, "value": 2}).value == 6


WRONG = [
    (int, "x", "expected a whole number, got 'x'"),
    (int, True, "expected a whole number, got true"),
    (int, 1.5, "expected a whole number, got 1.5"),
    (float, "1", "expected a number, got '1'"),
    (str, None, "expected a string, got null"),
    (bool, 1, "expected true or false, got 1"),
    (Literal[1], True, "expected one of 1, got true"),
    (Color, "green", "expected one of 'red', 'blue', got 'green'"),
    (Optional[int], "x", "expected a whole number or null, got 'x'"),
    (list[int], {}, "expected a list, got {}"),
    (list[list[int]], [[1], [2, "x"]], "field '[1][1]': expected a whole number, got 'x'"),
    (set[Any], [{}], "expected items that can be in a set"),
    (tuple[int, str], [1], "expected a list of 2 items, got [1]"),
    (dict[int, str], {"x": "a"}, "field 'x': the key 'x' has the wrong type"),
    (datetime.date, "yesterday", "expected a date, got 'yesterday'"),
    (datetime.timedelta, "PT", "expected a duration such as PT1H30M, got 'PT'"),
    (bytes, "?", "expected bytes in base64, got '?'"),
    (decimal.Decimal, "x", "expected a decimal number or a number, got 'x'"),
    (Even, {"number": 3}, "number must be even"),
    (Item, {"name": "n"}, "field 'price': is required and missing"),
    (Point, {"x": 1, "z": 2}, "field 'z': is no field; the fields are x, y"),
    (Optional[Item], {"name": "n"}, "field 'price': is required and missing"),
    (Annotated[int, Bound(ge=1)], 0, "expected at least 1, got 0"),
    (Annotated[str, Bound(max_length=2)], "abc", "expected at most 2 characters, got 3"),
    (Annotated[str, Bound(pattern="^a")], "b", "expected a string that matches ^a, got 'b'"),
]


@pytest.mark.parametrize(("annotation", "value", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong(annotation: Any, value: Any, message: str) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        build(annotation, value)
    assert caught.value.errors == [message]


def test_every_mistake_is_said_with_its_place() -> None:
    @dataclass
    class Order:
        items: list[Item]

    items = [{"name": "a", "price": 1}, {"name": 2, "price": "x"}, {"price": 1}]
    with pytest.raises(SchemaMismatch) as caught:
        build(Order, {"items": items})
    assert caught.value.errors == [
        "field 'items[1].name': expected a string, got 2",
        "field 'items[1].price': expected a number, got 'x'",
        "field 'items[2].name': is required and missing",
    ]


class NoForm:
    pass


@pytest.mark.parametrize("annotation", [NoForm, complex, "Item", Literal[b"x"], typing.Callable[[], int]])
def test_types_without_a_form_in_json_are_refused(annotation: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        schema_of(annotation)
    assert caught.value.param == "schema"


def test_a_name_that_stands_for_nothing_is_named() -> None:
    broken = dataclass(type("Broken", (), {"__annotations__": {"a": "Nowhere"}}))
    with pytest.raises(ConfigurationError, match=r"Broken cannot be read.*Nowhere"):
        schema_of(broken)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="X | Y is an object since Python 3.10")
def test_a_union_written_with_a_bar() -> None:
    assert schema_of(eval("int | None")) == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="typing.NotRequired is of Python 3.11")
def test_marks_of_a_typed_dict(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("marked")
    monkeypatch.setitem(sys.modules, "marked", module)
    exec(
        "from __future__ import annotations\n"
        "from typing import NotRequired, Required, TypedDict\n"
        "class Some(TypedDict):\n    a: int\n    b: NotRequired[int]\n"
        "class All(Some, total=False):\n    c: int\n    d: Required[int]\n",
        module.__dict__,
    )
    assert schema_of(module.All)["required"] == ["a", "d"]
    assert schema_of(module.All)["properties"]["b"] == {"type": "integer"}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type` is a statement since Python 3.12")
def test_an_alias_that_holds_itself() -> None:
    made: dict[str, Any] = {}
    exec("type Json = dict[str, Json] | list[Json] | str\ntype Pair[T] = tuple[T, T]", made)
    schema = schema_of(made["Json"])
    assert schema["anyOf"][1] == {"type": "array", "items": {"$ref": "#/$defs/Json"}}
    assert build(made["Json"], {"a": ["b"]}) == {"a": ["b"]}
    assert build(made["Pair"][int], [1, 2]) == (1, 2)


def test_nothing_is_needed_from_outside() -> None:
    script = (
        "import sys, typing\n"
        "from dataclasses import dataclass\n"
        "from pyagent._schema import build, schema_of\n"
        "@dataclass\nclass A:\n    a: int\n"
        "import json; print(json.dumps(schema_of(A)['properties']), build(A, {'a': 1}))\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('pydantic', 'msgspec', 'typing_extensions')])\n"
    )
    command = [sys.executable, "-S", "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.stderr, done.returncode) == ("", 0)
    first, second = done.stdout.splitlines()
    assert json.loads(first.partition(" A(")[0]) == {"a": {"type": "integer"}}
    assert second == "[]"
