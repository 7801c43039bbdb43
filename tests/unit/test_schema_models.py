"""Models of pydantic and structs of msgspec, by themselves and inside other types."""

# ruff: noqa: UP045  # Python 3.9 reads annotations at run time too, and has no bar in them
from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Annotated, Optional

import pytest

from pyagent._json_check import SchemaMismatch
from pyagent._schema import build, schema_of


def test_models_of_pydantic() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Line(pydantic.BaseModel):
        name: str
        price: float = pydantic.Field(gt=0, description="In euros.")

    class Bill(pydantic.BaseModel):
        lines: list[Line]
        paid: Optional[datetime.date] = None

    Bill.model_rebuild(_types_namespace={**globals(), "Line": Line})
    schema = schema_of(Bill)
    assert "$defs" not in schema
    assert schema["properties"]["lines"]["items"]["properties"]["price"]["description"] == "In euros."
    bill = build(Bill, {"lines": [{"name": "a", "price": 1}], "paid": "2024-01-02"})
    assert bill == Bill(lines=[Line(name="a", price=1)], paid=datetime.date(2024, 1, 2))
    inside = dataclass(type("Inside", (), {"__annotations__": {"bills": list[Bill]}}))
    assert build(inside, {"bills": [{"lines": []}]}).bills == [Bill(lines=[])]
    with pytest.raises(SchemaMismatch) as caught:
        build(inside, {"bills": [{"lines": [{"name": "a", "price": -1}, {"price": 2}]}]})
    assert caught.value.errors == [
        "field 'bills[0].lines[0].price': Input should be greater than 0, got -1",
        "field 'bills[0].lines[1].name': Field required",
    ]
    limited = Annotated[int, pydantic.Field(ge=1, description="Count.")]
    assert schema_of(limited) == {"type": "integer", "description": "Count.", "minimum": 1}


def test_models_of_pydantic_that_hold_themselves() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Tree(pydantic.BaseModel):
        children: list[Tree] = []  # noqa: RUF012  # pydantic copies it

    Tree.model_rebuild(_types_namespace={"Tree": Tree, "list": list})
    schema = schema_of(Tree)
    assert schema["type"] == "object"
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert build(list[Tree], [{"children": [{}]}])[0].children == [Tree()]


def test_structs_of_msgspec() -> None:
    msgspec = pytest.importorskip("msgspec")
    line = msgspec.defstruct("Line", [("name", str), ("price", Annotated[float, msgspec.Meta(gt=0)])])
    bill = msgspec.defstruct("Bill", [("lines", list[line])])
    assert schema_of(bill)["properties"]["lines"]["items"]["properties"]["price"] == {
        "type": "number",
        "exclusiveMinimum": 0,
    }
    assert build(bill, {"lines": [{"name": "a", "price": 1}]}) == bill([line("a", 1)])
    with pytest.raises(SchemaMismatch) as caught:
        build(list[bill], [{"lines": [{"name": "a", "price": "x"}]}])
    assert caught.value.errors == ["field '[0].lines[0].price': Expected `float`, got `str`"]
