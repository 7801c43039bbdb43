"""Callbacks: what a program is told of each call, in the forms that litellm has for it."""

from __future__ import annotations

import sys
from datetime import datetime, timezone

from . import _settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._calls import Call


class CustomLogger:
    """The base of objects that are told of calls: override what you want to hear.

    A call of a coroutine is told to `async_log_success_event` and `async_log_failure_event` where there are such
    methods, with the same arguments.
    """

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        """Before the request."""

    def log_post_api_call(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """After the answer or the failure."""

    def log_success_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """After the answer; of a stream, after its end, with the whole of it."""

    def log_failure_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """After the failure, which is kwargs["exception"]."""


class Log:
    """Whom a call is told to, and what they are told."""

    __slots__ = ("call", "is_async", "success", "failure", "both", "verbose", "logger")

    def __init__(self, call: Call, *, is_async: bool) -> None:
        self.call = call
        self.is_async = is_async
        own = call.own
        self.success = [*_settings.read("success_callback"), *(own["success_callback"] or ())]
        self.failure = [*_settings.read("failure_callback"), *(own["failure_callback"] or ())]
        self.both = list(_settings.read("callbacks"))
        self.verbose = own["verbose"] or _settings.read("set_verbose")
        self.logger = own["logger_fn"]
        _refuse_names([*self.success, *self.failure, *self.both, *_settings.read("input_callback")], call)

    @property
    def listens(self) -> bool:
        """Whether anybody wants to know how the call ends."""
        return bool(self.success or self.failure or self.both or self.verbose or self.logger)

    def begin(self) -> None:
        """Tells of the request."""
        waiting = [*_settings.read("input_callback"), *self.both]
        if not waiting and not self.verbose and not self.logger:
            return
        details = self._details("pre_api_call")
        for one in waiting:
            if hasattr(one, "log_pre_api_call"):
                self._tell(one.log_pre_api_call, self.call.name, self.call.messages, details)
            elif callable(one) and one not in self.both:
                self._tell(one, details)
        self._print(details)

    def succeed(self, call: Call, response: Any) -> None:
        """Tells of the answer."""
        if not self.listens:
            return
        self.call = call
        details = self._details("successful_api_call")
        details["response_cost"] = response._hidden_params.get("response_cost")
        if call.stream:
            details["complete_streaming_response"] = response
        self._end(self.success, "log_success_event", details, response)

    def fail(self, error: Exception) -> None:
        """Tells of the failure."""
        if not self.listens:
            return
        details = self._details("failed_api_call")
        details["exception"] = error
        details["traceback_exception"] = _describe(error)
        self._end(self.failure, "log_failure_event", details, None)

    def _end(self, functions: list[Any], method: str, details: dict[str, Any], response: Any) -> None:
        start, end = details["start_time"], details["end_time"]
        for one in [*functions, *self.both]:
            wanted = f"async_{method}" if self.is_async and hasattr(one, f"async_{method}") else method
            if hasattr(one, wanted):
                if hasattr(one, "log_post_api_call"):
                    self._tell(one.log_post_api_call, details, response, start, end)
                self._tell(getattr(one, wanted), details, response, start, end)
            else:
                self._tell(one, details, response, start, end)
        self._print(details)

    def _tell(self, function: Any, *arguments: Any) -> None:
        """A callback that fails is reported and changes nothing: the answer is there, and paid for."""
        try:
            result = function(*arguments)
            if hasattr(result, "__await__"):
                _await_later(result)
        except Exception as error:  # noqa: BLE001  # anything may go wrong in a callback
            print(f"pyagent.litellm: the callback {function!r} failed: {error!r}", file=sys.stderr)

    def _print(self, details: dict[str, Any]) -> None:
        if self.logger is not None:
            self._tell(self.logger, details)
        if self.verbose:
            shown = {
                name: details[name] for name in ("log_event_type", "model", "custom_llm_provider", "optional_params")
            }
            print(f"pyagent.litellm: {shown} {details.get('exception', '')}", file=sys.stderr)

    def _details(self, event: str) -> dict[str, Any]:
        """The `kwargs` of litellm's callbacks, without keys."""
        call = self.call
        metadata = {**(call.own["litellm_metadata"] or {}), **(call.own["metadata"] or {}), **call.about()}
        optional = {name: value for name, value in call.options.items() if name != "extra_headers"}
        asked = {"input": call.own["input"]} if call.method == "embed" else {"messages": call.messages}
        return {
            "model": call.name,
            "messages": call.messages,
            "input": next(iter(asked.values())),
            "optional_params": {**optional, **({"stream": True} if call.stream else {})},
            "litellm_params": {"metadata": metadata, "api_base": call.url, "custom_llm_provider": call.provider},
            "custom_llm_provider": call.provider,
            "litellm_call_id": call.call_id,
            "litellm_trace_id": call.own["litellm_trace_id"] or call.call_id,
            "call_type": "embedding" if call.method == "embed" else "completion",
            "stream": call.stream,
            "user": call.options.get("user"),
            "start_time": datetime.fromtimestamp(call.started, tz=timezone.utc),
            "end_time": datetime.now(tz=timezone.utc),
            "cache_hit": False,
            "response_cost": None,
            "log_event_type": event,
            "additional_args": {"complete_input_dict": {"model": call.name, **asked, **optional}},
        }


def _describe(error: Exception) -> str:
    """Where an exception comes from, as Python prints it."""
    from traceback import format_exception

    return "".join(format_exception(type(error), error, error.__traceback__))


def _refuse_names(callbacks: list[Any], call: Call) -> None:
    """Names of services are a part of litellm that is not here; to say nothing would be to log nothing."""
    for one in callbacks:
        if isinstance(one, str):
            from . import exceptions

            raise exceptions.UnsupportedParamsError(
                f"pyagent.litellm has no callback named {one!r}; give a function, or an object with log_success_event.",
                model=call.name,
                llm_provider=call.provider,
            )


_tasks: set[Any] = set()


def _await_later(result: Any) -> None:
    """Runs a coroutine that a callback gave: in the running event loop, or here."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_wrap(result))
        return
    task = loop.create_task(_wrap(result))
    _tasks.add(task)  # a loop holds its tasks weakly
    task.add_done_callback(_tasks.discard)


async def _wrap(result: Any) -> None:
    await result
