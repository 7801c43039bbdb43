"""The way into the hooks: what of them has to be known where there are none. The rest is loaded with the first hook."""

from __future__ import annotations

from . import _checks, _opening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._map import Schedule
    from .hooks import Hooks
    from .provider import Provider


def check_hooks(hooks: Hooks | None) -> Hooks | None:
    """The hooks of a Provider or a call.

    Raises:
        ConfigurationError: They are no Hooks object.
    """
    if hooks is None:
        return None
    with _opening.lock:
        from .hooks import Hooks

    if not isinstance(hooks, Hooks):
        raise _checks.wrong("hooks", "a Hooks object", hooks)
    return hooks


def start(provider: Provider, op: str, arguments: dict[str, Any]) -> Any:
    """The call of a request that has hooks."""
    with _opening.lock:
        from . import _hooked_calls

    request = _hooked_calls.hooked(provider, op, arguments, _both(provider, arguments))
    return _hooked_calls.HookedCall(provider, request)


def astart(provider: Provider, op: str, arguments: dict[str, Any]) -> Any:
    """The twin of `start` for coroutines."""
    with _opening.lock:
        from . import _hooked_calls

    request = _hooked_calls.hooked(provider, op, arguments, _both(provider, arguments))
    return _hooked_calls.AsyncHookedCall(provider, request)


def plan(provider: Provider, arguments: dict[str, Any]) -> Schedule:
    """The schedule of many prompts, made of a method's local variables."""
    hooks = _both(provider, arguments)
    with _opening.lock:
        from ._map import Schedule

        if not hooks:
            return Schedule(provider._model, provider._with_options(arguments))
        from ._hooked_map import HookedSchedule

    return HookedSchedule(provider, arguments, hooks)


def aplan(provider: Provider, arguments: dict[str, Any]) -> Schedule:
    """The twin of `plan` for coroutines."""
    hooks = _both(provider, arguments)
    if not hooks:
        return plan(provider, arguments)
    with _opening.lock:
        from ._hooked_map import AsyncHookedSchedule

    return AsyncHookedSchedule(provider, arguments, hooks)


def _both(provider: Provider, arguments: dict[str, Any]) -> Hooks | None:
    """Those of the Provider around those of the call."""
    own, hooks = provider._hooks, check_hooks(arguments.get("hooks"))
    if own is None or hooks is None:
        return own if hooks is None else hooks
    return own + hooks
