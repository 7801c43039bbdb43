"""The fast way to and from JSON says what the package json says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyagent import _json_text

TEXTS = [
    '{"a": [1, -2.5e3, true, false, null, "\\u00fc\\ud83d\\ude00"], "b": {}}', '{"a": 1, "a": 2}', "[]", " [1] ", "7",
    '"x"', "\n{}\r\n\t", "NaN", "-Infinity", "1e999", "123456789012345678901234567890",
]  # fmt: skip
BROKEN = ["", " ", "[1,", "[1] 2", '{"a":}', "{'a': 1}", '"\n"', '"', "nul", "\ufeff1", "[1],"]
VALUES: list[Any] = [
    {"a": [1, 2.5, True, None, "ü\u2028😀\x00\"\\/"], "b": {}}, {1: 2, None: 3, False: 4}, [], "",
    (1, (2,)), 10**40, 1e300,
]  # fmt: skip
WITHOUT_FORM: list[Any] = [{1, 2}, b"x", object(), [float("nan")], {"a": float("inf")}, {(1,): 2}]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_its_value(text: str) -> None:
    assert repr(_json_text.decode(text)) == repr(json.loads(text))  # NaN is not equal to itself


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_not_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its words are those of json
        _json_text.decode(text)


@pytest.mark.parametrize("value", VALUES)
def test_a_value_has_its_text(value: Any) -> None:
    expected = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    assert _json_text.encode(value) == _json_text.encode_with_care(value) == expected


@pytest.mark.parametrize("value", WITHOUT_FORM, ids=repr)
def test_a_value_without_a_text_is_an_error(value: Any) -> None:
    for encode in (_json_text.encode, _json_text.encode_with_care):
        with pytest.raises((TypeError, ValueError)):
            encode(value)


def test_a_string_is_quoted() -> None:
    assert _json_text.quote('a"b\nü') == '"a\\"b\\nü"'
