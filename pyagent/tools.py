"""Tools: functions that a model may call, and what comes of a call."""

from __future__ import annotations

import inspect
import re
from typing import Any, Generic, TypeVar, overload

from . import _checks
from ._signature import Signature, plain_function
from ._value import Value
from .errors import ConfigurationError, ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ParamSpec

    from ._option_types import Approve, ToolLike
    from .response import ToolCall

    _P = ParamSpec("_P")
    _Other = ParamSpec("_Other")
else:
    _P = TypeVar("_P")  # Python 3.9 has no ParamSpec, and only type checkers look
_R = TypeVar("_R")
_Result = TypeVar("_Result")

__all__ = ["Tool", "ToolResult", "arun_tool_calls", "run_tool_calls", "tool"]

# What every vendor takes as a tool's name.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Tool(Generic[_P, _R]):
    """A function that a model may call: what the model is told of it, and how it is called.

    Parameters, their types, descriptions and defaults are read from the signature and the docstring (Google, NumPy or
    Sphinx style). A Tool is still called like the function, with its own arguments.

    Args:
        function: A function, coroutine function, method, `functools.partial` or an object that can be called.
        name: What the model calls it. Default: the function's name.
        description: What the model is told of it. Default: the docstring without its sections.
        parameters: A JSON schema of the arguments, in place of the signature. They are then not checked, and the
            function is called with them by name.
        timeout: Seconds that one call may take, in place of the `tool_timeout` of a run.

    Raises:
        ConfigurationError: The function or its name cannot be offered to a model. A ValueError.
    """

    __slots__ = ("function", "name", "description", "parameters", "timeout", "is_async", "_signature", "_options")

    def __init__(
        self,
        function: Callable[_P, _R],
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: dict[str, Any] | None = None,
        timeout: float | None = None,
    ) -> None:
        _check_function(function)
        plain = plain_function(function)
        self.function = function
        self.name = plain.__name__ if name is None else _checks.string("name", name)
        if name is None and plain.__name__ == "__call__":
            self.name = type(function).__name__
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"A tool cannot be called {self.name!r}; give a name of letters, digits, _ and -, up to 64 of them.",
                param="tools",
            )
        self.timeout = _checks.seconds("timeout", timeout)
        self.is_async = inspect.iscoroutinefunction(inspect.unwrap(plain))
        self._options: dict[str, Any] = {
            "name": name,
            "description": description,
            "parameters": parameters,
            "timeout": timeout,
        }
        self._signature = Signature(self.name, function) if parameters is None else None
        if self._signature is not None:
            self.parameters = self._signature.schema
            about = self._signature.description
        else:
            self.parameters = _checks.mapping("parameters", parameters)
            about = inspect.getdoc(plain) or ""
        self.description: str = about if description is None else _checks.string("description", description)

    def call(self, arguments: dict[str, Any]) -> Any:
        """Calls the function with what a model sends, and returns what it returns; a coroutine function is run.

        Args:
            arguments: The arguments by name, as in JSON.

        Raises:
            ToolError: Arguments are missing, unknown or of the wrong type; the message names each.
            RuntimeError: A coroutine function is called where an event loop runs; use acall.
        """
        args, named = self.bind(arguments)
        value = self.function(*args, **named)
        if inspect.iscoroutine(value):
            from asyncio import run

            try:
                return run(value)
            finally:
                value.close()  # a loop that runs here refuses
        return value

    async def acall(self, arguments: dict[str, Any]) -> Any:
        """The twin of `call` for coroutines. A function that is not one of them runs in a thread of its own."""
        args, named = self.bind(arguments)
        if self.is_async:
            return await self.function(*args, **named)  # type: ignore[misc]
        from ._async_tool_calls import acall_in_thread

        return await acall_in_thread(self, args, named)

    def bind(self, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The values to call the function with, by position and by name, made of what a model sends.

        Raises:
            ToolError: Arguments are missing, unknown or of the wrong type; the message names each.
        """
        if self._signature is None:
            return [], dict(_checks.mapping("arguments", arguments))
        try:
            return self._signature.bind(arguments)
        except ConfigurationError:
            raise
        except ValueError as error:
            raise ToolError(f"The arguments of {self.name} are wrong: {error}.") from error

    def to_dict(self) -> dict[str, Any]:
        """The tool as `tools` declare it, in OpenAI's form."""
        function: dict[str, Any] = {"name": self.name, "parameters": self.parameters}
        if self.description:
            function["description"] = self.description
        return {"type": "function", "function": function}

    @property
    def __wrapped__(self) -> Callable[_P, _R]:
        """The function, for `inspect` and the tools that ask it."""
        return self.function

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return self.function(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Tool[..., _R]:
        """As an attribute of a class, a Tool is a method: that of an object has the object filled in."""
        if instance is None:
            return self
        return Tool(self.function.__get__(instance, owner), **self._options)

    def __repr__(self) -> str:
        return f"Tool({self.name!r})"


@overload
def tool(function: Callable[_P, _R]) -> Tool[_P, _R]: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> Callable[[Callable[_Other, _Result]], Tool[_Other, _Result]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> Any:
    """Makes a Tool of a function: `@tool`, or `@tool(...)` with the options of Tool."""

    def make(function: Callable[..., Any]) -> Tool[..., Any]:
        return Tool(function, name=name, description=description, parameters=parameters, timeout=timeout)

    return make if function is None else make(function)


class ToolResult(Value):
    """What has come of one call.

    Attributes:
        call: The call as the model wrote it.
        outcome: "ok"; "failed": the function raised; "timeout"; "invalid": its arguments were wrong; "unknown": there
            is no such tool; "denied": `approve` said no.
        content: What the model is told: a text, or a list of parts.
        value: What the function returned.
        error: What it raised.
        seconds: How long it took.
    """

    __slots__ = ("call", "outcome", "content", "value", "error", "seconds")

    def __init__(
        self,
        call: ToolCall,
        outcome: str,
        content: str | list[dict[str, Any]],
        *,
        value: Any = None,
        error: BaseException | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.call = call
        self.outcome = outcome
        self.content = content
        self.value = value
        self.error = error
        self.seconds = seconds

    @property
    def message(self) -> dict[str, Any]:
        """The result as a message, ready to be appended to `messages`."""
        message = {"role": "tool", "tool_call_id": self.call.id, "content": self.content}
        return message if self.outcome == "ok" else {**message, "is_error": True}

    def to_dict(self) -> dict[str, Any]:
        """The call, its outcome and what the model is told, as a dict that `json.dumps` takes."""
        return {
            "call": self.call._as_dict(),
            "outcome": self.outcome,
            "content": self.content,
            "seconds": self.seconds,
        }


def run_tool_calls(
    calls: Iterable[ToolCall],
    tools: Iterable[ToolLike],
    *,
    approve: Approve | None = None,
    tool_timeout: float | None = None,
    concurrency: int = 8,
    raise_tool_errors: bool = False,
) -> list[ToolResult]:
    """Makes the calls of one answer, side by side, and waits for all of them: one step of `run_tools`.

    Args:
        calls: `response.tool_calls`.
        tools: Functions and Tool objects.
        approve: As in `run_tools`.
        tool_timeout: As in `run_tools`.
        concurrency: As in `run_tools`.
        raise_tool_errors: As in `run_tools`.

    Returns:
        The results in the order of the calls. The `message` of each goes into `messages`, behind `response.message`.

    Raises:
        ConfigurationError: An option or a tool is wrong. A ValueError.
    """
    from ._tool_calls import CallOptions, Calls, Live

    live = Live()
    try:
        made = Calls(list(calls), CallOptions(tools, approve, tool_timeout, concurrency, raise_tool_errors), live)
        while made.step():
            pass
        return made.results
    finally:
        live.close()


async def arun_tool_calls(
    calls: Iterable[ToolCall],
    tools: Iterable[ToolLike],
    *,
    approve: Approve | None = None,
    tool_timeout: float | None = None,
    concurrency: int = 8,
    raise_tool_errors: bool = False,
) -> list[ToolResult]:
    """The twin of `run_tool_calls` for coroutines: coroutine functions are tasks, other functions run in threads."""
    from ._async_tool_calls import AsyncCalls
    from ._tool_calls import CallOptions, Live

    live = Live()
    options = CallOptions(tools, approve, tool_timeout, concurrency, raise_tool_errors)
    try:
        made = await AsyncCalls.begin(list(calls), options, live)
        while await made.step():
            pass
        return made.results
    finally:
        live.close()


def _check_function(function: Any) -> None:
    if isinstance(function, (Tool, type)) or not callable(function):
        raise _checks.wrong("function", "a function", function)
    plain = inspect.unwrap(plain_function(function))
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        raise ConfigurationError(
            f"{plain.__qualname__} yields its result in pieces, and a model is told it as a whole; return a list.",
            param="tools",
        )
