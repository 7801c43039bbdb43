"""The base of all response objects: attributes and keys at once, and the methods that users of pydantic models call.

What is set stands in the object's `__dict__`, in the order of its setting; fields that need not be set have their
default on the class. So making an object costs what setting its attributes costs, and a dump is a walk."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Fields = dict[str, Any]  # the class below has a method named dict


class Object:
    """An object whose fields are read and written as attributes or as keys. Any further field may be set."""

    _fields: tuple[str, ...] = ()  # those with a default on the class, in the order in which they are shown
    _shown: tuple[str, ...] = ()  # of these, the ones that are shown while they are not set

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and hasattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """The field of that name, or the default where there is none."""
        return getattr(self, key, default)

    def keys(self) -> list[str]:
        """The names of the fields, so that `dict(**response)` works."""
        return list(self._set_fields())

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        exclude_unset: bool = True,
        exclude_none: bool = False,
        exclude_defaults: bool = False,
    ) -> Fields:
        """The object as plain dicts and lists.

        Args:
            mode: "python" or "json"; the values are the same in both.
            include: Only these fields of the object itself.
            exclude: Not these fields of the object itself.
            exclude_unset: Leave out fields that only have their default.
            exclude_none: Leave out None, at every depth.
            exclude_defaults: Leave out fields that equal their default, at every depth.
        """
        fields = self._set_fields() if exclude_unset else self._all_fields()
        wanted = set(fields) if include is None else set(include)
        wanted.difference_update(exclude or ())
        rules = {
            "exclude_unset": exclude_unset,
            "exclude_none": exclude_none,
            "exclude_defaults": exclude_defaults,
        }
        return {
            name: _plain(value, rules)
            for name, value in fields.items()
            if name in wanted
            and not (exclude_none and value is None)
            and not (exclude_defaults and name in self._fields and value == getattr(type(self), name))
        }

    def model_dump_json(self, *, indent: int | None = None, **rules: Any) -> str:
        """`model_dump` as JSON text."""
        from json import dumps

        separators = None if indent else (",", ":")
        return dumps(self.model_dump(**rules), indent=indent, separators=separators, ensure_ascii=False)

    def dict(self, **rules: Any) -> Fields:
        """`model_dump` under its older name."""
        return self.model_dump(**rules)

    def json(self, **rules: Any) -> Fields:
        """A dict, which is what litellm's method of this name gives; for text there is `model_dump_json`."""
        return self.model_dump(**rules)

    def to_dict(self, **rules: Any) -> Fields:
        """`model_dump` under the name that openai's objects have."""
        return self.model_dump(**rules)

    def to_json(self, *, indent: int | None = 2, **rules: Any) -> str:
        """`model_dump_json` under the name that openai's objects have."""
        return self.model_dump_json(indent=indent, **rules)

    def model_copy(self, *, update: Fields | None = None, deep: bool = False) -> Object:
        """A copy, with some fields replaced."""
        from copy import copy, deepcopy

        made = deepcopy(self) if deep else copy(self)
        made.__dict__.update(update or {})
        return made

    def copy(self, **options: Any) -> Object:
        """`model_copy` under its older name."""
        return self.model_copy(**options)

    @classmethod
    def model_validate(cls, fields: Fields) -> Object:
        """The object with these fields."""
        return cls(**fields)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._set_fields().items())

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._all_fields() == other._all_fields()

    __hash__ = None  # type: ignore[assignment]  # fields may change

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._all_fields().items())
        return f"{type(self).__name__}({shown})"

    def _set_fields(self) -> Fields:
        """What has been set, and what is shown in any case; not what begins with an underscore."""
        fields = {name: getattr(self, name) for name in self._shown}
        fields.update((name, value) for name, value in self.__dict__.items() if name[0] != "_")
        return fields

    def _all_fields(self) -> Fields:
        fields = {name: getattr(self, name) for name in self._fields}
        fields.update((name, value) for name, value in self.__dict__.items() if name[0] != "_")
        return fields


def _plain(value: Any, rules: dict[str, Any]) -> Any:
    if isinstance(value, Object):
        return value.model_dump(**rules)
    if isinstance(value, (list, tuple)):
        return [_plain(item, rules) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item, rules) for name, item in value.items()}
    return value
