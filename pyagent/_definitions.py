"""The `$defs` of a JSON Schema: what its parts share, and what holds itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PREFIX = "#/$defs/"


class Definitions:
    """Collects the definitions of one schema while its parts are written."""

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, Any]] = {}
        self._names: dict[int, str] = {}

    def refer(self, key: object, name: str, define: Callable[[Definitions], dict[str, Any]]) -> dict[str, Any]:
        """A reference to a definition, which is written when it is asked for the first time."""
        if id(key) not in self._names:
            chosen = self._names[id(key)] = self._free(name)
            self.schemas[chosen] = {}  # the name is taken: the definition may refer to itself
            self.schemas[chosen] = define(self)
        return {"$ref": PREFIX + _escaped(self._names[id(key)])}

    def adopt(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A whole schema as a part of this one: its definitions become ours, under new names where ours are taken."""
        inner = dict(schema)
        theirs: dict[str, Any] = inner.pop("$defs", {})
        names = {}
        for name, definition in theirs.items():
            chosen = name
            if name in self.schemas and self.schemas[name] != definition:
                chosen = self._free(name)
            names[name] = chosen
            self.schemas[chosen] = definition
        if any(name != chosen for name, chosen in names.items()):
            for name, chosen in names.items():
                self.schemas[chosen] = _renamed(theirs[name], names)
            return _renamed(inner, names)  # type: ignore[no-any-return]
        return inner

    def finish(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema as a whole. Its top is no reference, and only what is shared or holds itself is a definition:
        some vendors know no references, and models understand better what stands in its place."""
        wanted = self._closure(schema)
        counts = dict.fromkeys(self.schemas, 0)
        for part in [schema, *(self.schemas[name] for name in wanted)]:
            for name in references(part):
                counts[name] = counts.get(name, 0) + 1
        recursive = {name for name in wanted if name in self._closure(self.schemas[name])}
        inline = {name for name in wanted if name not in recursive and counts[name] == 1}
        placed = self._placed(schema, inline, recursive)
        name, rest = _target(placed)
        if name in self.schemas and not rest:
            beside = {key: part for key, part in placed.items() if key != "$ref"}
            placed = {**self._placed(self.schemas[name], inline, recursive), **beside}
        # What stands beside a reference puts the definition in its place, and another may have had the last use of it.
        left: dict[str, Any] = {}
        waiting = list(references(placed))
        while waiting:
            name = waiting.pop()
            if name not in left and name in self.schemas:
                left[name] = self._placed(self.schemas[name], inline, recursive)
                waiting.extend(references(left[name]))
        return {**placed, "$defs": {name: left[name] for name in self.schemas if name in left}} if left else placed

    def _placed(self, part: Any, inline: set[str], recursive: set[str]) -> Any:
        """A part of the schema with definitions in the place of their references."""
        if isinstance(part, list):
            return [self._placed(item, inline, recursive) for item in part]
        if not isinstance(part, dict):
            return part
        made = {key: self._placed(item, inline, recursive) for key, item in part.items()}
        name, rest = _target(made)
        if name not in self.schemas or rest:
            return made
        if name in inline or (len(made) > 1 and name not in recursive):
            del made["$ref"]
            return {**self._placed(self.schemas[name], inline, recursive), **made}
        return made

    def _closure(self, schema: Any) -> set[str]:
        """The definitions that a schema refers to, straight or through others."""
        seen: set[str] = set()
        waiting = list(references(schema))
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.schemas:
                seen.add(name)
                waiting.extend(references(self.schemas[name]))
        return seen

    def _free(self, name: str) -> str:
        chosen, number = name, 1
        while chosen in self.schemas:
            number += 1
            chosen = f"{name}{number}"
        return chosen


def references(part: Any) -> list[str]:
    """The names of the definitions that a part of a schema refers to, as often as it does."""
    if isinstance(part, list):
        return [name for item in part for name in references(item)]
    if not isinstance(part, dict):
        return []
    found = [name for item in part.values() for name in references(item)]
    name, _ = _target(part)
    if name:
        found.append(name)
    return found


def _target(part: dict[str, Any]) -> tuple[str, str]:
    """The definition that a part of a schema refers to, "" for none, and the way to a place inside it."""
    reference = part.get("$ref")
    if not isinstance(reference, str) or not reference.startswith(PREFIX):
        return "", ""
    name, slash, rest = reference[len(PREFIX) :].partition("/")
    return name.replace("~1", "/").replace("~0", "~"), slash + rest


def _renamed(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, list):
        return [_renamed(item, names) for item in part]
    if not isinstance(part, dict):
        return part
    made = {key: _renamed(item, names) for key, item in part.items()}
    name, rest = _target(made)
    if name in names:
        made["$ref"] = PREFIX + _escaped(names[name]) + rest
    return made


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
