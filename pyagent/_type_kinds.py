"""Which kind of JSON a Python type stands for. Nothing is imported that the type's own module has not imported."""

from __future__ import annotations

import collections
import enum
import types
import typing
from collections import abc

from . import _plain_kinds
from ._kinds_of_json import AnyOf, Bounded, Choice, Field, Foreign, Items, Kind, Object, Row, Table
from ._type_fields import bounds_of, description_of, fields_of, unwrap
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def kind_of(annotation: Any) -> Kind:
    """The kind of JSON that a type stands for; a JSON Schema, as a dict, stands for what fits it.

    Raises:
        ConfigurationError: The type has no form in JSON. A ValueError.
    """
    if isinstance(annotation, dict):
        from ._json_schema import SchemaKind

        return SchemaKind(annotation)
    return _Reader().read(annotation, {})


class _Reader:
    """Reads one annotation. What was read is remembered, so that a type that holds itself comes to an end."""

    def __init__(self) -> None:
        self._known: dict[Any, Kind] = {}

    def read(self, annotation: Any, arguments: dict[Any, Any]) -> Kind:
        """`arguments` are the types that stand for the type variables of a generic type."""
        if isinstance(annotation, typing.TypeVar):
            bound = arguments.get(annotation, annotation.__bound__)
            return Kind() if bound is None else self.read(bound, {})
        annotation, notes = unwrap(annotation)
        kind = self._read(annotation, arguments)
        extra = bounds_of(notes, kind)
        return Bounded(kind, extra) if extra else kind

    def _read(self, annotation: Any, arguments: dict[Any, Any]) -> Kind:  # noqa: PLR0911  # a table of cases
        origin = typing.get_origin(annotation)
        if annotation is typing.Any or annotation is object:
            return Kind()
        if origin is None and isinstance(annotation, type):
            return self._read_class(annotation)
        if origin is typing.Union or origin is getattr(types, "UnionType", typing.Union):
            return AnyOf([self.read(member, arguments) for member in typing.get_args(annotation)])
        if origin is typing.Literal:
            return Choice((_json_value(value), value) for value in typing.get_args(annotation))
        if hasattr(annotation, "__supertype__"):  # a NewType
            return self.read(annotation.__supertype__, arguments)
        if hasattr(annotation, "__value__"):  # an alias, made by `type X = ...`
            return self._read_alias(annotation, arguments)
        if origin is None:
            return self._read_bare(annotation)
        return self._read_generic(annotation, origin, arguments)

    def _read_class(self, cls: Any) -> Kind:
        plain = _plain_kinds.find(cls)
        if plain is not None:
            return plain
        if issubclass(cls, enum.Enum):
            return _enum_kind(cls)
        foreign = _foreign_kind(cls)
        if foreign is not None:
            return foreign
        fields = fields_of(cls)
        if fields is not None:
            return self._object(cls, cls, fields, {})
        if cls in _CONTAINERS:
            return self._container(cls, (), {})
        raise _no_form(cls)

    def _object(self, key: Any, cls: Any, fields: Callable[[], list[Any]], arguments: dict[Any, Any]) -> Kind:
        if key not in self._known:
            kind = self._known[key] = Object(cls.__name__, description_of(cls), cls)
            kind.fields = [
                Field(field.name, self.read(field.annotation, arguments), field.required, field.extra)
                for field in fields()
            ]
        return self._known[key]

    def _read_alias(self, alias: Any, arguments: dict[Any, Any]) -> Kind:
        given = tuple(_filled(argument, arguments) for argument in typing.get_args(alias))
        key = (typing.get_origin(alias) or alias, given)
        if key not in self._known:
            kind = self._known[key] = _Alias(getattr(alias, "__name__", "Alias"))
            parameters = getattr(alias, "__type_params__", ())
            kind.kind = self.read(alias.__value__, dict(zip(parameters, given)))
        return self._known[key]

    def _read_bare(self, annotation: Any) -> Kind:
        """What is neither a class nor has arguments."""
        if annotation is None:
            return _plain_kinds.find(type(None)) or Kind()
        if isinstance(annotation, (str, typing.ForwardRef)):
            text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
            raise ConfigurationError(
                f"The type {text!r} is only a name here; give the type itself, or define it at the top of its module.",
                param="schema",
            )
        if getattr(annotation, "_name", "") == "LiteralString":
            return _plain_kinds.find(str) or Kind()
        raise _no_form(annotation)

    def _read_generic(self, annotation: Any, origin: Any, arguments: dict[Any, Any]) -> Kind:
        given = tuple(_filled(argument, arguments) for argument in typing.get_args(annotation))
        if origin in _CONTAINERS:
            if origin is tuple and not given and annotation is not typing.Tuple:  # noqa: UP006
                return Row([])
            return self._container(origin, given, arguments)
        foreign = _foreign_kind(origin, annotation)
        if foreign is not None:
            return foreign
        fields = fields_of(origin) if isinstance(origin, type) else None
        if fields is None:
            raise _no_form(annotation)
        parameters = getattr(origin, "__parameters__", ())
        inner = dict(zip(parameters, given))
        return self._object((origin, given), origin, fields, inner)

    def _container(self, origin: Any, given: tuple[Any, ...], arguments: dict[Any, Any]) -> Kind:
        make = _CONTAINERS[origin]
        if make is dict or make is collections.OrderedDict:
            key, item = given or (str, typing.Any)
            return Table(self.read(key, arguments), self.read(item, arguments), make)
        if make is tuple and given and given[-1] is not Ellipsis:
            items = () if given == ((),) else given  # Python 3.10 and older write tuple[()] so
            return Row([self.read(item, arguments) for item in items])
        item = self.read(given[0], arguments) if given else Kind()
        return Items(item, make, unique=make in {set, frozenset})


class _Alias(Kind):
    """A named type that may hold itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = Kind()

    def schema(self, definitions: Any) -> dict[str, Any]:
        return definitions.refer(self, self.name, self.kind.schema)  # type: ignore[no-any-return]

    def build(self, value: Any, path: str, notes: Any) -> Any:
        return self.kind.build(value, path, notes)


# What is made for a container of the standard library; for an abstract one, the plain thing that is one.
_CONTAINERS: dict[Any, Any] = {
    **dict.fromkeys((list, abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection), list),
    **dict.fromkeys((dict, abc.Mapping, abc.MutableMapping), dict),
    **dict.fromkeys((set, abc.Set, abc.MutableSet), set),
    tuple: tuple,
    frozenset: frozenset,
    collections.deque: collections.deque,
    collections.OrderedDict: collections.OrderedDict,
}


def _filled(argument: Any, arguments: dict[Any, Any]) -> Any:
    """A type with its type variables replaced."""
    if not arguments:
        return argument
    if isinstance(argument, typing.TypeVar):
        return arguments.get(argument, argument)
    parameters = getattr(argument, "__parameters__", ())
    return argument[tuple(arguments.get(name, name) for name in parameters)] if parameters else argument


def _enum_kind(cls: Any) -> Kind:
    members = list(cls)
    if all(isinstance(member.value, (str, int, float)) for member in members):
        pairs = [(_json_value(member), member) for member in members]
    else:
        pairs = [(member.name, member) for member in members]  # a value that is no JSON has no better name
    return Choice(pairs, description_of(cls))


def _json_value(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        value = value.value
    for base in (bool, int, float, str):  # a member of IntEnum is an int, and JSON wants a plain one
        if isinstance(value, base):
            return base(value)
    if value is None:
        return None
    raise ConfigurationError(f"Literal[{value!r}] has no form in JSON; use texts and numbers.", param="schema")


def _foreign_kind(cls: Any, annotation: Any = None) -> Kind | None:
    import sys

    wanted = cls if annotation is None else annotation
    if hasattr(cls, "__pydantic_validator__"):
        from json import dumps

        adapter = sys.modules["pydantic"].TypeAdapter(wanted)
        return Foreign(adapter.json_schema, lambda value: adapter.validate_json(dumps(value)), ValueError)
    if hasattr(cls, "__struct_fields__") and "msgspec" in sys.modules:
        from json import dumps

        msgspec: Any = sys.modules["msgspec"]
        codec = msgspec.json
        return Foreign(
            lambda: codec.schema(wanted), lambda value: codec.decode(dumps(value), type=wanted), msgspec.ValidationError
        )
    if hasattr(cls, "__fields__") and hasattr(cls, "parse_obj"):
        raise ConfigurationError(f"{cls.__name__} is a model of pydantic 1; pydantic 2 is needed.", param="schema")
    return None


def _no_form(annotation: Any) -> ConfigurationError:
    shown = annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
    return ConfigurationError(
        f"{shown} has no form in JSON; use a dataclass, TypedDict, pydantic model, msgspec Struct or plain types.",
        param="schema",
    )
