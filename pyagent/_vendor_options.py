"""What the options of single vendors have in common: how they become fields of a request, and whose they are.

A request carries the options of each vendor under its name or its protocol's, and the core takes those of the vendor
that it asks. So one list of options serves a call that may go to several vendors."""

from __future__ import annotations

from . import _checks
from ._value import Value
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ClassVar, Union

    Options = Union["VendorOptions", Sequence["VendorOptions"]]
    Check = Callable[[str, Any], Any]


class Place:
    """Where a field of options goes.

    Its path leads into the request's body behind "body", names a header behind "header", and is otherwise that of a
    field of pyagent's own requests. `check` refuses values of the wrong type, `make` gives what is sent for a value;
    nothing is, where it gives None.
    """

    __slots__ = ("path", "check", "make")

    def __init__(self, path: str, check: Check, make: Callable[[Any], Any] | None = None) -> None:
        self.path = path.split(".")
        self.check = check
        self.make = make


class VendorOptions(Value):
    """The base of the options of single vendors."""

    __slots__ = ()
    # The names of the vendors, or of the protocols, that these options are for.
    _vendors: ClassVar[tuple[str, ...]] = ()
    _places: ClassVar[dict[str, Place]] = {}

    def _fill(self, given: dict[str, Any]) -> None:
        """Sets the fields from the local variables of the constructor."""
        for name, place in self._places.items():
            value = given[name]
            setattr(self, name, None if value is None else place.check(name, value))

    def _request(self) -> dict[str, Any]:
        """The options as fields of a request."""
        request: dict[str, Any] = {}
        for name, place in self._places.items():
            value = getattr(self, name)
            if value is not None and place.make is not None:
                value = place.make(value)
            if value is None:
                continue
            first, *path = place.path
            if first == "body":
                _put(request.setdefault("extra_body", {}), path, value)
            elif first == "header":
                request.setdefault("extra_headers", {})[path[0]] = value
            else:
                _put(request, place.path, value)
        return request

    def _over(self, default: VendorOptions) -> VendorOptions:
        """These options, with those of `default` where these say nothing."""
        fields = {name: getattr(default, name) for name in self._fields}
        fields.update({name: getattr(self, name) for name in self._fields if getattr(self, name) is not None})
        return type(self)(**fields)


def typed(value: str | dict[str, Any]) -> dict[str, Any]:
    """A response format by its name, or as it is."""
    return {"type": value} if isinstance(value, str) else value


def cached(value: str | dict[str, Any]) -> dict[str, Any]:
    """Anthropic's mark for the cache by the time that it is to last, or as it is."""
    if not isinstance(value, str):
        return value
    return {"type": "ephemeral"} if value == "ephemeral" else {"type": "ephemeral", "ttl": value}


def google_search(value: bool) -> list[dict[str, Any]] | None:
    """The tool that lets Gemini search."""
    return [{"type": "google_search"}] if value else None


def switch(value: bool) -> str:
    """The word of the vendors who have more than two."""
    return "enabled" if value else "disabled"


def _put(into: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        into = into.setdefault(name, {})
    if not path:
        into.update(value)
    elif isinstance(value, dict) and isinstance(into.get(path[-1]), dict):
        into[path[-1]] = {**into[path[-1]], **value}
    else:
        into[path[-1]] = value


def check_options(options: Options | None, vendor: str, dialect: str) -> tuple[VendorOptions, ...]:
    """The options as a tuple.

    Options alone must be those of the vendor. Of a list those count that fit the vendor that is asked.

    Raises:
        ConfigurationError: They are another vendor's, no options at all, or twice those of one kind.
    """
    if options is None:
        return ()
    if isinstance(options, VendorOptions):
        if not {vendor, dialect} & set(options._vendors):
            raise _misplaced(options, vendor, dialect)
        return (options,)
    return _check_list(options)


def fitting_options(options: Options | None, *names: str) -> tuple[VendorOptions, ...]:
    """The options as a tuple; with names of a vendor and of its protocol, those that are for it.

    Raises:
        ConfigurationError: They are no options at all, or twice those of one kind.
    """
    if options is None:
        return ()
    several = _check_list((options,) if isinstance(options, VendorOptions) else options)
    return tuple(one for one in several if not names or set(names) & set(one._vendors))


def _check_list(options: Any) -> tuple[VendorOptions, ...]:
    if not isinstance(options, (list, tuple)) or not all(isinstance(one, VendorOptions) for one in options):
        raise _checks.wrong("options", "options such as AnthropicOptions(...), or a list of them", options)
    kinds = [type(one) for one in options]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise ConfigurationError(f"options has {kind.__name__} twice; put the fields into one.", param="options")
    return tuple(options)


def lay_options(call: tuple[VendorOptions, ...], default: tuple[VendorOptions, ...]) -> dict[str, dict[str, Any]]:
    """The `options` of a request: the call's, over those of the Provider."""
    merged: dict[type[VendorOptions], VendorOptions] = {type(one): one for one in default}
    for one in call:
        below = merged.get(type(one))
        merged[type(one)] = one if below is None else one._over(below)
    return {vendor: one._request() for one in merged.values() for vendor in one._vendors}


def _misplaced(options: VendorOptions, vendor: str, dialect: str) -> ConfigurationError:
    from . import openai_options, vendor_options

    kinds = [getattr(module, name) for module in (openai_options, vendor_options) for name in module.__all__]
    fitting = [kind.__name__ for kind in kinds if {vendor, dialect} & set(kind._vendors)]
    hint = f"give {' or '.join(fitting)}" if fitting else "it has none; extra_body takes fields that only it knows"
    return ConfigurationError(
        f"options is {type(options).__name__}, but the vendor is {vendor}: {hint}. Of a list of options those that fit "
        "count.",
        param="options",
    )
