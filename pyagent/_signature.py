"""What a function says of its parameters: their JSON schema for a model, and the values of what a model sends."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from ._definitions import Definitions
from ._docstring import read_docstring
from ._json_check import Notes
from ._kinds_of_json import Bounded, Field, Kind, Object
from ._type_fields import hints_of
from ._type_kinds import kind_of
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NO_DEFAULT = inspect.Parameter.empty


class Signature:
    """The parameters of a function.

    Raises:
        ConfigurationError: The function cannot be called by a model: parameters without a name of their own, or types
            without a form in JSON. A ValueError.
    """

    __slots__ = ("description", "schema", "_object", "_positional")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        plain = plain_function(function)
        self.description, words = read_docstring(inspect.getdoc(plain) or "")
        parameters = _parameters(name, function)
        self._positional = [(p.name, p.default) for p in parameters if p.kind is inspect.Parameter.POSITIONAL_ONLY]
        self._object = Object(name, None, dict)
        hints = hints_of(inspect.unwrap(plain))
        self._object.fields = [_field(p, hints.get(p.name, Any), words.get(p.name)) for p in parameters]
        definitions = Definitions()
        self.schema = definitions.finish(self._object.schema(definitions))

    def bind(self, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The values to call the function with, by position and by name.

        Raises:
            SchemaMismatch: Arguments are missing, unknown or of the wrong type; the message names each. A ValueError.
        """
        notes = Notes()
        named = self._object.build(arguments, "", notes)
        notes.raise_any()
        return [named.pop(name, default) for name, default in self._positional], named


class _OrDefault(Kind):
    """A parameter with a default. Models that must name every parameter write null for what they leave out."""

    def __init__(self, kind: Kind, default: Any) -> None:
        self.kind = kind
        self.default = default

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return self.kind.schema(definitions)

    def build(self, value: Any, path: str, notes: Notes) -> Any:
        mine = Notes()
        made = self.kind.build(value, path, mine)
        if mine and value is None:
            return self.default
        notes.take(mine)
        return made


def _field(parameter: inspect.Parameter, annotation: Any, words: str | None) -> Field:
    kind = kind_of(annotation)
    extra: dict[str, Any] = {}
    if words and not (isinstance(kind, Bounded) and "description" in kind.extra):
        extra["description"] = words
    if parameter.default is _NO_DEFAULT:
        return Field(parameter.name, kind, True, extra)
    default = parameter.default
    if type(default) in {bool, int, float, str}:
        extra["default"] = default
    return Field(parameter.name, _OrDefault(kind, default), False, extra)


def _parameters(name: str, function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"The parameters of {name} cannot be read; give them as a JSON schema, Tool(function, parameters=...).",
            param="tools",
        ) from None
    bound = _bound(function)
    for parameter in found:
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise ConfigurationError(
                f"{name} takes {parameter}, which a model cannot fill in; give each parameter a name, or the "
                "parameters as a JSON schema, Tool(function, parameters=...).",
                param="tools",
            )
    return [parameter for parameter in found if parameter.name not in bound]


def _bound(function: Callable[..., Any]) -> set[str]:
    """What `functools.partial` has filled in by name: Python shows it as a default, but it is not the model's."""
    names: set[str] = set()
    while isinstance(function, partial):
        names.update(function.keywords)
        function = function.func
    return names


def plain_function(function: Any) -> Any:
    """The function that is run when a callable is called: without `partial`, and an object's `__call__`."""
    while isinstance(function, partial):
        function = function.func
    return function if hasattr(function, "__name__") else type(function).__call__
