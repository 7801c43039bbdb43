"""SessionConfig: what every turn of a conversation has in common."""

from __future__ import annotations

from ._checks import integer, wrong
from ._hooking import check_hooks
from ._request import _CHECKS, bounds, clocks
from ._value import Value
from ._vendor_options import VendorOptions, fitting_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._option_types import ToolLike
    from ._vendor_options import Options
    from .hooks import Hooks
    from .options import Limits, Timeouts

__all__ = ["SessionConfig"]

# What a SessionConfig says of the history, and not of a request.
_HISTORY = ("max_history_turns", "max_history_tokens")


class SessionConfig(Value):
    """Defaults for the turns of a Conversation; for one turn, what differs from them. None says nothing.

    The parameters are those of `Provider.generate`, but for the question itself, and for what makes up a Provider.

    Args:
        max_history_turns: How many turns are sent at the most, the one that is asked included. Older ones leave the
            history first.
        max_history_tokens: How many tokens are sent at the most: system prompt, history, tools and question. Older
            turns leave the history first.
        options: What only single vendors know; a list of them where the vendor may change.

    Raises:
        ConfigurationError: A value is wrong. A ValueError.
    """

    __slots__ = (
        *("temperature", "max_tokens", "top_p", "stop", "frequency_penalty", "presence_penalty", "seed"),
        *("response_format", "top_k", "tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs"),
        *("logit_bias", "n", "reasoning_effort", "reasoning_budget", "reasoning_summary", "verbosity", "service_tier"),
        *("store", "metadata", "user", "prompt_cache_key", "safety_identifier", "modalities", "audio", "prediction"),
        *("stream_options", "allow_unsupported", "options", "extra_body", "extra_headers", "timeout", "timeouts"),
        *("limits", "max_retries", "tag", "hooks", "include_raw", "max_history_turns", "max_history_tokens"),
    )

    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    stop: str | list[str] | None
    frequency_penalty: float | None
    presence_penalty: float | None
    seed: int | None
    response_format: dict[str, Any] | None
    top_k: int | None
    tools: Sequence[ToolLike] | None
    tool_choice: str | dict[str, Any] | None
    parallel_tool_calls: bool | None
    logprobs: bool | None
    top_logprobs: int | None
    logit_bias: dict[Any, float] | None
    n: int | None
    reasoning_effort: str | None
    reasoning_budget: int | None
    reasoning_summary: str | None
    verbosity: str | None
    service_tier: str | None
    store: bool | None
    metadata: dict[str, str] | None
    user: str | None
    prompt_cache_key: str | None
    safety_identifier: str | None
    modalities: list[str] | None
    audio: dict[str, Any] | None
    prediction: dict[str, Any] | None
    stream_options: dict[str, Any] | None
    allow_unsupported: bool | None
    options: Options | None
    extra_body: dict[str, Any] | None
    extra_headers: dict[str, str] | None
    timeout: float | None
    timeouts: Timeouts | None
    limits: Limits | None
    max_retries: int | None
    tag: str | None
    hooks: Hooks | None
    include_raw: bool | None
    max_history_turns: int | None
    max_history_tokens: int | None

    def __init__(
        self,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: str | list[str] | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        seed: int | None = None,
        response_format: dict[str, Any] | None = None,
        top_k: int | None = None,
        tools: Sequence[ToolLike] | None = None,
        tool_choice: str | dict[str, Any] | None = None,
        parallel_tool_calls: bool | None = None,
        logprobs: bool | None = None,
        top_logprobs: int | None = None,
        logit_bias: dict[Any, float] | None = None,
        n: int | None = None,
        reasoning_effort: str | None = None,
        reasoning_budget: int | None = None,
        reasoning_summary: str | None = None,
        verbosity: str | None = None,
        service_tier: str | None = None,
        store: bool | None = None,
        metadata: dict[str, str] | None = None,
        user: str | None = None,
        prompt_cache_key: str | None = None,
        safety_identifier: str | None = None,
        modalities: list[str] | None = None,
        audio: dict[str, Any] | None = None,
        prediction: dict[str, Any] | None = None,
        stream_options: dict[str, Any] | None = None,
        allow_unsupported: bool | None = None,
        options: Options | None = None,
        extra_body: dict[str, Any] | None = None,
        extra_headers: dict[str, str] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        tag: str | None = None,
        hooks: Hooks | None = None,
        include_raw: bool | None = None,
        max_history_turns: int | None = None,
        max_history_tokens: int | None = None,
    ) -> None:
        given = locals()
        for name in self._fields:
            value = given[name]
            if name in _CHECKS and name != "options" and value is not None:
                _CHECKS[name](name, value)
            setattr(self, name, value)
        clocks(timeout, timeouts)
        bounds(limits)
        fitting_options(options)
        check_hooks(hooks)
        for name in _HISTORY:
            _at_least_one(name, given[name])

    def over(self, default: SessionConfig) -> SessionConfig:
        """This config, with what `default` says where this one says nothing. Options of the same vendor are merged."""
        made = object.__new__(SessionConfig)
        for name in self._fields:
            own = getattr(self, name)
            setattr(made, name, getattr(default, name) if own is None else own)
        if self.timeout is not None or self.timeouts is not None:  # one of them is in place of the other
            made.timeout, made.timeouts = self.timeout, self.timeouts
        made.options = _merged(self.options, default.options)
        return made

    def _arguments(self) -> dict[str, Any]:
        """What is given, as arguments of a method of Provider."""
        given = {name: getattr(self, name) for name in self._fields if name not in _HISTORY}
        return {name: value for name, value in given.items() if value is not None}


def _at_least_one(name: str, value: int | None) -> int | None:
    """None, or a whole number of 1 or more."""
    if value is not None and integer(name, value) < 1:
        raise wrong(name, "a whole number, 1 or more", value)
    return value


def _merged(over: Options | None, under: Options | None) -> Options | None:
    if over is None or under is None:
        return under if over is None else over
    if isinstance(over, VendorOptions) and type(over) is type(under):
        return over._over(under)
    merged = {type(one): one for one in fitting_options(under)}
    for one in fitting_options(over):
        below = merged.get(type(one))
        merged[type(one)] = one if below is None else one._over(below)
    return list(merged.values())
