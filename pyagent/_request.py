"""From the arguments of a method to the bytes of a request. Nothing here waits or knows whether the caller does.

Options of the wrong type are found here, so that they raise where they were written and not where the answer is read.
What the values mean is the core's business."""

from __future__ import annotations

from . import _checks
from ._checks import wrong
from ._json_text import encode as _encode
from ._json_text import encode_with_care as _encode_with_care
from ._json_text import quote as _quote
from .errors import ConfigurationError, UnsupportedFeatureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .options import Budget, Limits, Throttle, Timeouts

# How much of a stream is delivered before its reader has used it. With the core's own queue this bounds what a stream
# weighs whose reader is slower than its vendor.
WINDOW = 256 * 1024

# What `_head` has made: functools brings collections, which takes longer to import than a request takes.
MOST_HEADS = 64
_heads: dict[tuple[str, str, int], str] = {}


def encode(op: str, model: str, arguments: dict[str, Any], window: int = 0) -> bytes:
    """Builds a request from the local variables of a method of Provider.

    Args:
        op: "generate", "stream", "embed", "models", "count" or "login".
        model: The Provider's model, used where the arguments name no other.
        arguments: Every parameter of the method by name, None where it was not given.
        window: Bytes that an inbox may deliver before it is asked for more; 0 for any number.

    Raises:
        ConfigurationError: An option has the wrong type, or there is nothing to ask.
        UnsupportedFeatureError: n above 1 where only one answer can be shown.
    """
    prompt = arguments.get("prompt")
    if type(prompt) is str and _only_prompt(op, arguments):
        try:
            return f"{_head(op, model, window)}{_quote(prompt)}}}]}}".encode()
        except UnicodeEncodeError:
            pass  # dump says where
    options = _given(op, arguments)
    if op == "models":
        return dump(_body(op, "", options))
    if op == "login":
        login = _credentials(options)
        return dump({**_body(op, "", options), "login": login})
    if op == "embed":
        return dump(_body(op, model, options))
    messages = _messages(options.pop("prompt", None), options.pop("system_prompt", None), options.pop("messages", None))
    body = _body(op, model, options)
    body["messages"] = messages
    if window:
        body["window"] = window
    return dump(body)


def encode_each(op: str, model: str, arguments: dict[str, Any]) -> Callable[[int, Any], bytes]:
    """Builds what many requests have in common, from the local variables of a method of Provider.

    Returns:
        A function that makes the request of one prompt, a string or a list of messages, and its number.

    Raises:
        ConfigurationError: An option has the wrong type; from the function, if the prompt has.
    """
    options = _given(op, arguments)
    system_prompt = options.pop("system_prompt", None)
    _messages("", system_prompt, None)
    head = dump(_body(op, model, options))[:-1] + b',"messages":'

    def encode_one(number: int, prompt: Any) -> bytes:
        place = f"prompts[{number}]"
        if isinstance(prompt, str):
            messages = _messages(prompt, system_prompt, None)
        elif isinstance(prompt, list) and prompt:
            messages = _messages(None, system_prompt, prompt, place)
        else:
            raise wrong(place, "a string, or a list of messages that is not empty", prompt)
        return head + dump({place: messages})[len(place) + 4 :]  # without the key, which is there for errors

    return encode_one


def messages_of(arguments: dict[str, Any]) -> list[Any]:
    """The messages of a request, whichever way they were given.

    Raises:
        ConfigurationError: They have the wrong type, or there are none.
    """
    return _messages(arguments.get("prompt"), arguments.get("system_prompt"), arguments.get("messages"))


def check_names(arguments: dict[str, Any]) -> None:
    """Refuses arguments that no method has, such as hooks may add.

    Raises:
        ConfigurationError: There is one; the message names it.
    """
    for name, value in arguments.items():
        if value is not None and name not in _CHECKS and name not in _MADE_INTO_OTHERS:
            raise ConfigurationError(
                f"A request has no argument {name!r}; what only the vendor knows goes into extra_body.", param=str(name)
            )


def _given(op: str, arguments: dict[str, Any]) -> dict[str, Any]:
    off = _OFF_IN_ANSWERS if op == "generate" else _OFF
    return {
        name: value
        for name, value in arguments.items()
        if value is not None and name != "self" and not (value is False and name in off)
    }


def _only_prompt(op: str, arguments: dict[str, Any]) -> bool:
    """Whether nothing but a prompt was given. Nothing here compares or catches: an array is compared item by item, and
    the exception of a signal handler has to get out."""
    given = len([True for value in arguments.values() if value is not None])
    for name in _OFF_IN_ANSWERS if op == "generate" else _OFF:
        if arguments.get(name) is False:
            given -= 1
    return given == ("self" in arguments) + 1


def _head(op: str, model: str, window: int) -> str:
    """What comes before the text of a request that is nothing but a prompt: one like the last one, most of the time."""
    known = _heads.get((op, model, window))
    if known is not None:
        return known
    body = {"op": op, "model": model, "window": window} if window else {"op": op, "model": model}
    made = _encode(body)[:-1] + ',"messages":[{"role":"user","content":'
    if len(_heads) >= MOST_HEADS:
        _heads.clear()
    _heads[op, model, window] = made
    return made


def _credentials(options: dict[str, Any]) -> dict[str, Any]:
    """Takes what a login says out of the options. A name with @ is a mail address."""
    name = _checks.string("username", options.pop("username", None))
    login = {"email" if "@" in name else "username": name}
    for field, key in _CREDENTIALS.items():
        if field in options:
            login[key] = _checks.string(field, options.pop(field))
    return login


def _body(op: str, model: str, options: dict[str, Any]) -> dict[str, Any]:
    """Everything of a request but its messages."""
    body: dict[str, Any] = {"op": op, "model": _checks.string("model", options.pop("model", model))}
    if "timeout" in options or "timeouts" in options:
        body["timeouts"] = clocks(options.pop("timeout", None), options.pop("timeouts", None))
    if "limits" in options:
        body["limits"] = bounds(options.pop("limits"))
    for name, value in options.items():
        body[name] = _CHECKS[name](name, value)
    return body


def clocks(timeout: float | None, timeouts: Timeouts | None) -> dict[str, Any]:
    """The `timeouts` object of a configuration or request: only what was set.

    `timeout` is the short form that bounds the wait for the next thing: the whole answer of a one-shot call, the first
    piece and every pause of a stream.
    """
    if timeout is not None and timeouts is not None:
        raise ConfigurationError("timeout and timeouts were both given; give one of them.", param="timeout")
    if timeouts is not None:
        from .options import Timeouts  # only here, and likewise below: most requests have no such things

        if not isinstance(timeouts, Timeouts):
            raise wrong("timeouts", "a Timeouts object; for one number of seconds use timeout", timeouts)
        return timeouts._as_dict()
    return {} if timeout is None else {"request": _checks.seconds("timeout", timeout)}


def bounds(limits: Limits | None) -> dict[str, Any]:
    """The `limits` object of a configuration or request: only what was set."""
    if limits is None:
        return {}
    from .options import Limits

    if not isinstance(limits, Limits):
        raise wrong("limits", "a Limits object", limits)
    return limits._as_dict()


def rates(throttle: Throttle | None) -> dict[str, Any]:
    """The `throttle` object of a configuration."""
    if throttle is None:
        return {}
    from .options import Throttle

    if not isinstance(throttle, Throttle):
        raise wrong("throttle", "a Throttle object", throttle)
    said = throttle._as_dict()
    if throttle.shared is None:
        del said["if_unreachable"]
    return said


def caps(budget: Budget | None) -> dict[str, Any]:
    """The `budget` object of a configuration."""
    if budget is None:
        return {}
    from .options import Budget

    if not isinstance(budget, Budget):
        raise wrong("budget", "a Budget object", budget)
    return budget._as_dict()


def prices(own: dict[str, Any] | None) -> dict[str, Any]:
    """The `prices` object of a configuration: a price for each model."""
    if own is None:
        return {}
    from .costs import Price  # only here: few have prices of their own

    return {
        _checks.string("prices", model): Price._from_option(f"prices[{model!r}]", price)._as_option()
        for model, price in _checks.mapping("prices", own).items()
    }


def refuse_several(n: int | None, method: str) -> None:
    """Refuses n above 1 for a method that shows one answer."""
    if n is not None and n != 1:
        raise UnsupportedFeatureError(
            f"{method}() gives one answer and cannot show n={n!r} of them; use generate(), whose Response has choices.",
            param="n",
        )


def dump(body: dict[str, Any]) -> bytes:
    """The body as JSON.

    Raises:
        ConfigurationError: A value has no JSON form; the message names the field.
    """
    try:
        return _encode(body).encode()
    except (TypeError, ValueError, RecursionError):
        _refuse(body)
        raise  # nothing is wrong with the body: the exception is a signal handler's


def _refuse(body: dict[str, Any]) -> None:
    try:
        _encode_with_care(body).encode()
    except UnicodeEncodeError as error:
        raise _not_json(body, f"The text holds {error.object[error.start]!r}, which is half a character.") from None
    except RecursionError:
        raise _not_json(body, "The value is nested too deeply for JSON.") from None
    except (TypeError, ValueError) as error:
        raise _not_json(body, f"The value has no JSON form: {error}.") from None


def _not_json(body: dict[str, Any], otherwise: str) -> ConfigurationError:
    for field, value in body.items():
        try:
            _encode_with_care(value).encode()
        except (TypeError, ValueError, RecursionError):
            place, culprit = _culprit(field, value)
            if culprit is not None:
                otherwise = f"Cannot convert Python type '{type(culprit).__name__}' to JSON."
            return ConfigurationError(f"{otherwise} It is in {place}.", param=field)
    return ConfigurationError(otherwise)


def _culprit(place: str, value: Any) -> tuple[str, Any]:
    """Finds the value inside `value` that JSON cannot express by its type; None when its type is not the reason."""
    for _ in range(100):  # a value may contain itself
        if isinstance(value, dict):
            items = [(f"{place}.{key}", item) for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            items = [(f"{place}[{number}]", item) for number, item in enumerate(value)]
        else:
            return place, None if isinstance(value, (str, int, float, bool)) else value
        for inner_place, inner in items:
            try:
                _encode_with_care(inner).encode()
            except (TypeError, ValueError, RecursionError):
                place, value = inner_place, inner
                break
        else:
            return place, None
    return place, None


def _messages(prompt: Any, system_prompt: Any, messages: Any, place: str = "messages") -> list[Any]:
    if messages is not None and not isinstance(messages, list):
        raise wrong("messages", "a list of dicts", messages)
    for name, value in (("prompt", prompt), ("system_prompt", system_prompt)):
        if value is not None and not isinstance(value, str):
            raise wrong(name, "a string", value)
    for number, message in enumerate(messages or ()):
        if not isinstance(message, dict):
            raise wrong(f"{place}[{number}]", "a dict with role and content", message)
        if not isinstance(message.get("role"), str):
            raise wrong(f"role of {place}[{number}]", "a string such as 'user'", message.get("role"))
    if messages:
        asked = messages
    elif prompt is not None:
        asked = [{"role": "user", "content": prompt}]
    else:
        raise ConfigurationError(
            "Neither prompt nor messages was given; give a prompt, or a list of messages that is not empty.",
            param="messages",
        )
    return asked if system_prompt is None else [{"role": "system", "content": system_prompt}, *asked]


# Arguments that are made into other fields of a request.
_MADE_INTO_OTHERS = frozenset({"prompt", "system_prompt", "messages", "model", "timeout", "timeouts", "limits"})

# Flags that change nothing while they are off: the core need not hear of them.
_OFF = frozenset({"include_raw", "allow_unsupported"})
_OFF_IN_ANSWERS = _OFF | {"include_usage"}

_CREDENTIALS = {"password": "password", "code": "code", "recovery_code": "recovery_code", "login_url": "url"}


def _tools(name: str, value: Any) -> list[Any]:
    """Declarations in OpenAI's form, of functions and Tool objects too."""
    if all(isinstance(item, dict) for item in _checks.sequence(name, value)):
        return value  # type: ignore[no-any-return]
    from ._tool_calls import to_tool

    return [
        item if isinstance(item, dict) else to_tool(f"{name}[{number}]", item).to_dict()
        for number, item in enumerate(value)
    ]


# Every option of the methods that goes into the request under its own name.
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "temperature": _checks.number,
    "max_tokens": _checks.integer,
    "top_p": _checks.number,
    "stop": _checks.stop,
    "frequency_penalty": _checks.number,
    "presence_penalty": _checks.number,
    "seed": _checks.integer,
    "response_format": _checks.mapping,
    "include_usage": _checks.flag,
    "include_raw": _checks.flag,
    "top_k": _checks.integer,
    "tools": _tools,
    "tool_choice": _checks.string_or_mapping,
    "parallel_tool_calls": _checks.flag,
    "logprobs": _checks.flag,
    "top_logprobs": _checks.integer,
    "logit_bias": _checks.mapping,
    "n": _checks.integer,
    "reasoning_effort": _checks.string,
    "reasoning_budget": _checks.count,
    "reasoning_summary": _checks.string,
    "verbosity": _checks.string,
    "service_tier": _checks.string,
    "store": _checks.flag,
    "metadata": _checks.mapping,
    "user": _checks.string,
    "prompt_cache_key": _checks.string,
    "safety_identifier": _checks.string,
    "modalities": _checks.sequence,
    "audio": _checks.mapping,
    "prediction": _checks.mapping,
    "stream_options": _checks.mapping,
    "previous_response_id": _checks.string,
    "allow_unsupported": _checks.flag,
    "options": _checks.mapping,  # Provider has made one of them
    "input": _checks.inputs,
    "dimensions": _checks.integer,
    "input_type": _checks.string,
    "extra_body": _checks.mapping,
    "extra_headers": _checks.headers,
    "max_retries": _checks.count,
    "tag": _checks.string,
    "api_key": _checks.line,
    "base_url": _checks.line,
}
