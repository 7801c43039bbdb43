"""What is read out of docstrings: the words about a function and about its parameters, in three styles."""

from __future__ import annotations

import inspect

import pytest

from pyagent._docstring import read_docstring

GOOGLE = """Finds a flight.

    Only direct ones: no changes.

    Args:
        origin (str): Where from: an airport's code,
            of three letters.
        day (Optional[Tuple(int, int)], optional): When.

            Default: today.
        *stops: Where to wait.
        silent:

    Returns:
        dict: what was found.
        origin: not a parameter.

    Raises:
        ValueError: never.
    """

NUMPY = """Finds a flight.

    Only direct ones: no changes.

    Parameters
    ----------
    origin : str
        Where from: an airport's code,
        of three letters.
    day, night : {'a', 'b'}, optional
        When.

        Default: today.
    silent

    Returns
    -------
    dict
        what was found

    Notes
    -----
    Slow.
    """

SPHINX = """Finds a flight.

    Only direct ones: no changes.

    :param str origin: Where from: an airport's code,
        of three letters.
    :type origin: str
    :param day: When.
    :param  dict[str, int]  night:  At what hour.
    :param silent:
    :returns: what was found
    :raises ValueError: never
    """

ABOUT = "Finds a flight.\n\nOnly direct ones: no changes."
ORIGIN = "Where from: an airport's code, of three letters."


def test_google() -> None:
    about, words = read_docstring(inspect.cleandoc(GOOGLE))
    assert about == ABOUT
    assert words == {"origin": ORIGIN, "day": "When. Default: today.", "stops": "Where to wait."}


def test_numpy() -> None:
    about, words = read_docstring(inspect.cleandoc(NUMPY))
    assert about == ABOUT + "\n\nNotes\nSlow."
    assert words == {"origin": ORIGIN, "day": "When. Default: today.", "night": "When. Default: today."}


def test_sphinx() -> None:
    about, words = read_docstring(inspect.cleandoc(SPHINX))
    assert about == ABOUT
    assert words == {"origin": ORIGIN, "day": "When.", "night": "At what hour."}


@pytest.mark.parametrize(
    "text",
    ["", "One line.", "A list:\n  a: b\n  c: d", "See http://x/: y", "Key: value\nOther: value", "a\n\n---\n\nb"],
)
def test_text_without_parameters_stays_as_it_is(text: str) -> None:
    assert read_docstring(text) == (text, {})


def test_text_behind_a_section_is_about_the_function() -> None:
    about, words = read_docstring("Does it.\n\nArgs:\n    a: One.\n\nBeware of it.")
    assert (about, words) == ("Does it.\n\nBeware of it.", {"a": "One."})


def test_parameters_alone() -> None:
    assert read_docstring("Args:\n    a: One.\n    b: Two.") == ("", {"a": "One.", "b": "Two."})
    assert read_docstring(":param a: One.\n:param b: Two.") == ("", {"a": "One.", "b": "Two."})
