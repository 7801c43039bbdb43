"""Reads what a docstring says of a function and of each parameter, in the styles of Google, NumPy and Sphinx.

A style is not asked for but seen: headings end in a colon in Google's, are underlined in NumPy's, and Sphinx writes
`:param name: words`. What belongs to no such section is about the function."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PARAMETERS = r"(?:(?:other |keyword )?(?:arg(?:ument)?s|param(?:eter)?s))"
_OTHERS = r"(?:returns?|yields?|raises?|excepts?|exceptions?|warns|receives|attributes)"
_IS_PARAMETERS = re.compile(_PARAMETERS, re.IGNORECASE)
_IS_OTHER = re.compile(_OTHERS, re.IGNORECASE)
_UNDERLINE = re.compile(r"[-=]{3,}\s*")
_GOOGLE_HEADING = re.compile(rf"({_PARAMETERS}|{_OTHERS}):\s*", re.IGNORECASE)
# "name (type, optional): words", where the type may have parentheses of its own
_GOOGLE_ENTRY = re.compile(r"\s*\*{0,2}(\w+)\s*(?:\((?:[^()]|\([^()]*\))*\))?\s*:(?:\s+(.*)|$)")
# "name : type", or "first, second : type"
_NUMPY_ENTRY = re.compile(r"\s*(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?()$")
_SPHINX_FIELD = re.compile(
    r":(?:param|parameter|arg|argument|key|keyword|type|var|ivar|cvar|vartype|returns?|rtype|yields?|raises?|except)"
    r"\b[^:]*:"
)
_SPHINX_PARAMETER = re.compile(r":(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*[\s*])?(\w+)\s*:\s*(.*)")


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """What a docstring says, without its indentation as `inspect.getdoc` gives it.

    Returns:
        The words about the function, and those about each parameter by its name.
    """
    about: list[str] = []
    words: dict[str, str] = {}
    for style, title, body in _sections(text.expandtabs().splitlines()):
        if style == "sphinx":
            found = _SPHINX_PARAMETER.match(title)
            if found:
                words[found[1]] = _joined([found[2], *body])
        elif style and _IS_PARAMETERS.fullmatch(title):
            for names, said in _entries(body, _GOOGLE_ENTRY if style == "google" else _NUMPY_ENTRY):
                words.update(dict.fromkeys(re.findall(r"\w+", names), _joined(said)))
        elif not (style and _IS_OTHER.fullmatch(title)):  # text, or a heading such as Notes
            about += [title, *body]
    return "\n".join(about).strip(), {name: said for name, said in words.items() if said}


def _sections(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """The style of each section, "" for text, its first line without what marks it as a heading, and the others."""
    style, title = "", ""
    body: list[str] = []
    for line, below in zip(lines, [*lines[1:], ""]):
        if style == "numpy" and not body and _UNDERLINE.fullmatch(line):
            continue
        found = _heading(line, below, style)
        if found is None:
            body.append(line)
        else:
            yield style, title, body
            (style, title), body = found, []
    yield style, title, body


def _heading(line: str, below: str, style: str) -> tuple[str, str] | None:
    if not line or line[0] == " ":
        return None
    if _UNDERLINE.fullmatch(below):
        return "numpy", line.strip()
    google = _GOOGLE_HEADING.fullmatch(line)
    if google:
        return "google", google[1]
    if _SPHINX_FIELD.match(line):
        return "sphinx", line
    return ("", line) if style in ("google", "sphinx") else None  # which are indented


def _entries(body: list[str], pattern: re.Pattern[str]) -> Iterator[tuple[str, list[str]]]:
    """The names of each entry of a section, and the lines about them. Entries are indented like the first of them."""
    indents = [len(line) - len(line.lstrip()) for line in body if line.strip()]
    names: str | None = None
    said: list[str] = []
    for line in body:
        found = pattern.match(line) if line.strip() and len(line) - len(line.lstrip()) == indents[0] else None
        if found is None:
            said.append(line)
            continue
        if names is not None:
            yield names, said
        names, said = found[1], [found[2] or ""]
    if names is not None:
        yield names, said


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
