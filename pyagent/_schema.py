"""JSON Schema of Python types, and Python values of JSON: for structured answers, and for the parameters of tools."""

from __future__ import annotations

from ._definitions import Definitions
from ._json_check import Notes
from ._type_kinds import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def schema_of(annotation: Any) -> dict[str, Any]:
    """The JSON Schema of a type.

    Args:
        annotation: A plain type (str, int, float, bool, None, Any), Optional, Union, Literal, an Enum, a list, tuple,
            set or dict, a TypedDict, NamedTuple or dataclass, a pydantic model or msgspec Struct, a date, time, UUID,
            Path, Decimal or bytes, with or without Annotated, in each other and in themselves.

    Returns:
        A new dict. What is used more than once or holds itself stands in its `$defs`.

    Raises:
        ConfigurationError: A type has no form in JSON. A ValueError.
    """
    definitions = Definitions()
    return definitions.finish(kind_of(annotation).schema(definitions))


def build(annotation: Any, value: Any) -> Any:
    """The value of a type that JSON stands for.

    Args:
        annotation: A type, as in `schema_of`.
        value: What `json.loads` gave.

    Raises:
        SchemaMismatch: The JSON is not of the type; its `errors` name the places: "field 'items[2].price': expected a
            number, got 'x'". A ValueError.
        ConfigurationError: A type has no form in JSON. A ValueError.
    """
    notes = Notes()
    made = kind_of(annotation).build(value, "", notes)
    notes.raise_any()
    return made
