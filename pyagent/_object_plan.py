"""What is asked for when an object is: the schema in each mode's form, and the way back from an answer's text."""

from __future__ import annotations

import json

from ._definitions import Definitions
from ._json_check import Notes, SchemaMismatch
from ._strict_schema import NotStrict, make_strict, without_nulls, wrapped
from ._type_kinds import kind_of
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MODES = ("strict", "tool", "prompt")

INSTRUCTION = """\
Answer with one JSON object that fits this JSON Schema, and with nothing else: no explanation, no code fence.

"""

# How many beginnings of an object are tried in a text that is not JSON as a whole.
_MAX_STARTS = 64


class Plan:
    """A schema, and how it is asked for. Every mode asks for an object; other values are the field `value` of one."""

    def __init__(self, schema: Any, mode: str) -> None:
        self.kind = kind_of(schema)
        definitions = Definitions()
        self.schema = definitions.finish(self.kind.schema(definitions))
        self.is_wrapped = self.schema.get("type") != "object"
        self.name = "answer" if self.is_wrapped else _name(schema, self.schema)
        if self.is_wrapped:
            self.schema = wrapped(self.schema)
        self.forms = list(self._forms(mode))

    def _forms(self, mode: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each way to ask, in the order in which they are tried: the mode, and the options of the request."""
        if mode in {"auto", "strict"}:
            try:
                schema = make_strict(self.schema)
                form = {"name": self.name, "schema": schema, "strict": True}
                yield "strict", {"response_format": {"type": "json_schema", "json_schema": form}}
            except NotStrict as error:
                if mode == "strict":
                    raise ConfigurationError(
                        f"No strict mode takes this schema: {error}. Change it, or take mode 'auto' or 'tool'.",
                        param="schema",
                    ) from None
        if mode in {"auto", "tool"}:
            function = {"name": self.name, "description": "Gives the answer.", "parameters": self.schema}
            tools = [{"type": "function", "function": function}]
            yield "tool", {"tools": tools, "tool_choice": {"type": "function", "function": {"name": self.name}}}
            yield "tool", {"tools": tools, "tool_choice": "required"}
        if mode in {"auto", "prompt"}:
            yield "prompt", {"instruction": INSTRUCTION + json.dumps(self.schema, ensure_ascii=False)}

    def read(self, text: str) -> Any:
        """The object that a text holds, by itself or among other words.

        Raises:
            SchemaMismatch: There is none that fits; of the first one, what is wrong.
        """
        failure: SchemaMismatch | None = None
        for value in _objects(text):
            try:
                return self.check(value)
            except SchemaMismatch as error:
                failure = failure or error
        raise failure or SchemaMismatch([_no_json(text)])

    def check(self, value: Any) -> Any:
        """The typed object that a JSON object stands for."""
        notes = Notes()
        try:
            value = without_nulls(value, self.schema, self.schema)
            if self.is_wrapped:
                if not isinstance(value, dict) or "value" not in value:
                    raise SchemaMismatch(["field 'value': is required and missing"])
                value = value["value"]
            made = self.kind.build(value, "", notes)
        except RecursionError:
            raise SchemaMismatch(["the JSON is nested too deeply"]) from None
        notes.raise_any()
        return made


def _name(schema: Any, written: dict[str, Any]) -> str:
    """The name that vendors want of a schema: letters, digits, _ and -, at most 64 of them."""
    name = written.get("title") if isinstance(schema, dict) else getattr(schema, "__name__", "")
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_-") else "_" for sign in str(name or ""))
    return kept[:64].strip("_") or "answer"


def _objects(text: str) -> Iterator[Any]:
    """Every JSON object in a text: the text itself, or what stands among other words or in a code fence."""
    decoder = json.JSONDecoder(strict=False, parse_constant=_refuse)
    try:
        yield decoder.decode(text)
        return
    except (ValueError, RecursionError):
        pass
    at = text.find("{")
    for _ in range(_MAX_STARTS):
        if at < 0:
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            yield value
        at = text.find("{", at)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _no_json(text: str) -> str:
    if not text.strip():
        return "there is no JSON: the answer is empty"
    start = text.find("{")
    if start < 0:
        return "there is no JSON object in the answer"
    try:
        json.loads(text[start:], strict=False)
    except ValueError as error:
        return f"the JSON cannot be read: {error}"
    except RecursionError:
        return "the JSON is nested too deeply"
    return "there is no JSON object in the answer"
