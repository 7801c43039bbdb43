"""JSON that is still being written: every prefix is read, every piece once, and what is no JSON is said to be none."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from pyagent.partial_json import PartialJson, parse

DOCUMENTS = [
    '{"a": [1, -2.5e3, true, null, {"b": "x\\n\\u00e9\\ud83d\\ude00", "c": {}}], "d": "é\U0001f600", "": []}',
    " 12 ",
    "-0.5E+3",
    '"abc\\"\\\\\\/"',
    "\n[ ]\t",
    "[[[]], false, {}]",
    '{"a": {"a": {"a": [{"a": 1}, {"a": "b"}]}}, "a": 2}',
    '"\\ud83d"',
    '["\\ud83d\\n", "\\ud83d\\ud83d\\ude00", "\\ude00"]',
    '{"lines": "one\ntwo"}',
    "[" * 60 + "]" * 60,
]


def loads(text: str) -> Any:
    return json.loads(text, strict=False)


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text[:20])
def test_every_prefix_is_read_and_every_cut_gives_the_same(text: str) -> None:
    whole = loads(text)
    for cut in range(len(text) + 1):
        parse(text[:cut])
        parser = PartialJson()
        assert parser.feed(text[:cut]) + parser.feed(text[cut:]) in {"", " ", "\t"}
        parser.end()
        assert parser.value == whole
    parser = PartialJson()
    for sign in text:
        parser.feed(sign)
    parser.end()
    assert parser.value == parse(text) == whole


def make(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.choice("nbifs" if depth > 4 else "nbifsooll")
    if kind in "ol":
        items = [make(dice, depth + 1) for _ in range(dice.randrange(5))]
        return items if kind == "l" else {make_text(dice): item for item in items}
    return {"n": None, "b": dice.random() < 0.5, "i": dice.randrange(-999, 10**20), "f": dice.uniform(-1e9, 1e9)}.get(
        kind, make_text(dice)
    )


def make_text(dice: random.Random) -> str:
    return "".join(dice.choice('ab {}[]",:\\/\n\t\0é\u2028\U0001f600\ud800') for _ in range(dice.randrange(12)))


@pytest.mark.parametrize("seed", range(60))
def test_random_documents_at_every_prefix(seed: int) -> None:
    dice = random.Random(seed)
    value = [make(dice)]  # the beginning of a bare number may be a number
    text = json.dumps(value, ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, 1]))
    for cut in range(len(text)):
        grows_into(parse(text[:cut]), value)
    parser, at = PartialJson(), 0
    while at < len(text):
        size = dice.randrange(1, 9)
        parser.feed(text[at : at + size])
        at += size
    parser.end()
    assert parser.value == value


def grows_into(partial: Any, whole: Any) -> None:
    """Whether a partial value is a beginning of the whole one: nothing in it is ever taken back."""
    if partial is None:
        return
    assert type(partial) is type(whole)
    if isinstance(partial, dict):
        assert list(partial) == list(whole)[: len(partial)]
        for key, item in partial.items():
            grows_into(item, whole[key])
    elif isinstance(partial, list):
        for item, other in zip(partial, whole):
            grows_into(item, other)
    elif isinstance(partial, str):
        assert whole.startswith(partial)
    else:
        assert partial == whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("  ", None),
        ("12", 12),
        ("1.", None),
        ("tr", None),
        ('"ab', "ab"),
        ("{", {}),
        ('{"a', {}),
        ('{"a":', {}),
        ('{"a": "', {"a": ""}),
        ('{"a": "b\\', {"a": "b"}),
        ('{"a": "b\\u00', {"a": "b"}),
        ('{"a": "b\\ud83d', {"a": "b"}),
        ('{"a": 1', {}),
        ('{"a": 1,', {"a": 1}),
        ("[1, 2", [1]),
        ("[tru", []),
        ("[[1],", [[1]]),
        ("9" * 5000, float("inf")),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_there(text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "expected a value at character 1, got 'x'"),
        ("{a", "expected a key in quotation marks at character 2"),
        ("[1 2", "expected a comma, or the end of the list at character 4"),
        ('{"a":1]', "expected a comma, or the end of the object at character 7"),
        ('{"a" 1', "expected a colon at character 6"),
        ("[1,]", "expected a value at character 4"),
        ('{"a":1,}', "expected a key in quotation marks at character 8"),
        ("[tru]", "expected a number, true, false or null in place of 'tru'"),
        ("[01]", "in place of '01'"),
        ("[1.e5]", "in place of '1.e5'"),
        ("NaN", "expected a value"),
        ('"\\x"', "expected an escape of JSON at character 2"),
        ('"\\u12g4"', "expected four digits of a character at character 2"),
        ("{}{", "Behind the JSON value there is more"),
    ],
)
def test_what_is_no_json_is_said_to_be(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="JSON") as caught:
        parse(text)
    assert message in str(caught.value)


def test_the_place_of_a_mistake_counts_from_the_first_piece() -> None:
    parser = PartialJson()
    parser.feed('{"a": "\\u00')
    parser.feed('e9", ')
    with pytest.raises(ValueError, match="at character 18, got 'b'"):
        parser.feed(" b")
    assert parser.value == {"a": "é"}


def test_what_follows_the_value_is_given_back() -> None:
    parser = PartialJson()
    assert parser.feed('{"a": 1') == ""
    assert not parser.complete
    assert parser.feed("} and more") == " and more"
    assert parser.complete
    assert parser.feed("!") == "!"
    assert parser.value == {"a": 1}


def test_the_end_of_a_text_that_is_not_over() -> None:
    parser = PartialJson()
    parser.feed("[1")
    with pytest.raises(ValueError, match="ends before its value does"):
        parser.end()


def test_the_value_is_one_object_that_grows() -> None:
    parser = PartialJson()
    parser.feed('{"a": ["')
    value, items = parser.value, parser.value["a"]
    parser.feed('x", "y"], "b": 1}')
    assert parser.value is value
    assert value["a"] is items
    assert items == ["x", "y"]


def test_a_long_string_in_small_pieces_costs_its_length() -> None:
    def seconds(count: int) -> float:
        parser = PartialJson()
        parser.feed('{"a": "')
        began = time.process_time()
        for _ in range(count):
            parser.feed("abcd")
        spent = time.process_time() - began
        parser.feed('"}')
        assert len(parser.value["a"]) == 4 * count
        return spent

    few, many = seconds(20_000), seconds(400_000)
    assert many < 20 * few * 4  # quadratic would be 400 times as much


def test_a_long_string_is_never_much_behind() -> None:
    parser = PartialJson()
    parser.feed('"')
    for count in range(1, 20_000):
        parser.feed("x")
        assert count - len(parser.value) <= count / 60
