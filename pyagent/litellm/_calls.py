"""One call of completion(): whom it goes to, and in turn to whom else. Nothing here waits: `steps` says what to ask and
is told what came of it, so that the same lines serve functions and coroutines."""

from __future__ import annotations

import sys
import warnings
from time import time

from pyagent import errors
from pyagent.provider import Provider

from . import _names, _params, _settings, exceptions
from ._config import chosen
from ._mocking import find_mock
from ._raising import translate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from ._mocking import MockProvider

# Arguments of litellm that say how to call, not what to ask.
_OWN = (
    "model", "messages", "stream", "stream_options", "api_key", "api_base", "base_url", "api_version",
    "deployment_id", "custom_llm_provider", "fallbacks", "context_window_fallback_dict", "context_window_fallbacks",
    "content_policy_fallbacks", "default_fallbacks", "num_retries", "drop_params", "additional_drop_params",
    "allowed_openai_params", "modify_params", "metadata", "litellm_metadata", "litellm_call_id", "litellm_trace_id",
    "logger_fn", "verbose", "mock_response", "mock_tool_calls", "mock_delay", "mock_timeout", "base_model",
    "input_cost_per_token", "output_cost_per_token", "success_callback", "failure_callback",
    "application_id", "application_name", "application_url", "request_id", "end_user_id", "application_context",
    "input", "encoding_format",
)  # fmt: skip
# What another model does not take over.
_OTHER = dict.fromkeys(("fallbacks", "api_key", "api_base", "base_url", "custom_llm_provider"))


class Ask:
    """What is to be asked next: a method of a Provider, and its arguments."""

    __slots__ = ("provider", "method", "options")

    def __init__(self, provider: Provider | MockProvider, method: str, options: dict[str, Any]) -> None:
        self.provider = provider
        self.method = method
        self.options = options


class Call:
    """The arguments of one call, sorted, for one of the models that may answer it."""

    model_id: str | None = None  # of the Router's deployment that answers, see RoutedCall

    def __init__(self, arguments: dict[str, Any], method: str = "generate") -> None:
        self.arguments = arguments
        self.method = "stream" if method == "generate" and arguments.get("stream") else method
        left = dict(arguments)
        self.own = {name: left.pop(name, None) for name in _OWN}
        own = self.own
        self.model: str = own["model"]
        self.stream = self.method == "stream"
        self.started = time()
        self.provider, self.name = self._split()
        self.call_id: str = own["litellm_call_id"] or _new_id()
        self.vendor = _names.find_vendor(self.provider)
        self.messages: Any = [] if method == "embed" else _params.plain_messages(own["messages"])
        self._add_application(left)
        self.as_functions = bool(left.get("functions"))
        for path in own["additional_drop_params"] or ():
            left = _params.without(left, path)
        self.url = ""
        self._fill_in(left)
        self.options = _params.read_options(left, self.provider, self.name, method)
        self._finish_options()

    def _split(self) -> tuple[str, str]:
        if not isinstance(self.model, str) or not self.model:
            raise exceptions.BadRequestError(f"model must be a string that is not empty, got {self.model!r}.")
        named = _settings.read("model_alias_map").get(self.model, self.model)
        found = _names.split_model(named, self.own["custom_llm_provider"], _settings.default_provider())
        if found is None:
            raise exceptions.LiteLLMUnknownProvider(
                "LLM Provider NOT provided. Pass in the LLM provider you are trying to call. "
                f"You passed model={named}. Write it before the model, as in openai/gpt-4o; see docs/litellm.md.",
                model=named,
                llm_provider="",
            )
        return found

    def _add_application(self, left: dict[str, Any]) -> None:
        """edgequake's attribution: which program asks, for whom."""
        from ._attribution import attribute

        headers, user = attribute(self.own, self.provider)
        if headers:
            left["extra_headers"] = {**headers, **(left.get("extra_headers") or {})}
        if user is None and self.provider == "anthropic":
            user = (self.own["metadata"] or {}).get("user_id")  # which litellm gives to Anthropic, and to nobody else
        if user is not None and left.get("user") is None:
            left["user"] = user

    def _fill_in(self, left: dict[str, Any]) -> None:
        """What litellm takes by a second name, or from the module for one vendor alone."""
        seconds = left.pop("request_timeout", None)
        if left.get("timeout") is None:
            left["timeout"] = seconds
        if self.provider == "openai" and left.get("organization") is None:
            left["organization"] = _settings.read("organization")

    def _finish_options(self) -> None:
        options, own = self.options, self.own
        retries = own["num_retries"] if own["num_retries"] is not None else _settings.read("num_retries")
        if retries is not None:
            options["max_retries"] = retries
        elif "max_retries" not in options and chosen("max_retries") is not None:
            options["max_retries"] = chosen("max_retries")
        if "timeout" not in options and "timeouts" not in options:
            seconds = self._default_timeout()
            if seconds is not None:
                options["timeout"] = seconds
        shared = _settings.read("headers")
        if shared:
            options["extra_headers"] = {**shared, **options.get("extra_headers", {})}
        more = {name: value for name, value in (own["stream_options"] or {}).items() if name != "include_usage"}
        if more:
            options["stream_options"] = more
        if self.flag("modify_params") and self.method != "embed":
            self.messages = _params.repair(self.messages, options)

    def _default_timeout(self) -> float | None:
        seconds = _settings.read("request_timeout") or chosen("timeout")
        return None if seconds is None else float(seconds)

    def flag(self, name: str) -> bool:
        """An argument that the module has a default for."""
        value = self.own[name]
        return bool(_settings.read(name) if value is None else value)

    @property
    def shows_usage(self) -> bool:
        """Whether a stream's last chunk gives the token counts."""
        return bool((self.own["stream_options"] or {}).get("include_usage"))

    @property
    def drops(self) -> bool:
        """Whether what the vendor cannot honour is left out, with a warning."""
        return self.flag("drop_params")

    def connect(self) -> Provider:
        """The Provider that reaches the vendor; calls that say the same share one, and its connections.

        Raises:
            BadRequestError: Nobody here speaks the vendor's protocol.
        """
        vendor = self.vendor
        if vendor is None:
            raise exceptions.BadRequestError(
                f"pyagent does not know the provider {self.provider!r}. If it speaks OpenAI's protocol, write "
                f"model='openai/{self.name}' and give api_base.",
                model=self.name,
                llm_provider=self.provider,
            )
        own = self.own
        key = (
            own["api_key"]
            or _settings.read("api_key")
            or _settings.vendor_key(vendor.name)
            or _names.read_first(vendor.key_env)
        )
        url = own["api_base"] or own["base_url"] or _settings.read("api_base") or _names.read_first(vendor.url_env)
        version = own["api_version"] or _settings.read("api_version") or _names.read_first(("AZURE_API_VERSION",))
        azure = vendor.name == "azure"
        self.url = _names.fit_address(vendor, url) if url else vendor.url
        return _connect(
            vendor, key, self.url or None, version if azure else None, own["deployment_id"] if azure else None
        )

    def cannot(self, error: errors.UnsupportedFeatureError) -> bool:
        """Leaves out what the vendor cannot honour, if that is allowed. Whether there was anything to leave out."""
        name = error.param or ""
        if name in (self.own["allowed_openai_params"] or ()):
            if not self.options.get("allow_unsupported"):
                self.options["allow_unsupported"] = True
                return True
            if name in self.options:  # the vendor lacks it, not only the model: it goes into the body as it is
                self.options["extra_body"] = {name: self.options.pop(name), **self.options.get("extra_body", {})}
                return True
        if not self.drops or name not in self.options:
            return False
        del self.options[name]
        if name == "logprobs":
            self.options.pop("top_logprobs", None)
        warnings.warn(f"drop_params: {error.message}", UserWarning, stacklevel=_depth())
        return True

    def translate(self, error: errors.PyAgentError) -> exceptions.LiteLLMEdgeError:
        """litellm's exception for an error of this call."""
        return translate(error, self.provider, self.name, self.url)

    @property
    def target(self) -> str:
        """What the Provider is asked for."""
        return self.name

    def settle(self, deployment: str | None) -> None:
        """Learns which deployment answers: there is one."""

    def note(self, hidden: dict[str, Any], attempts: int) -> None:
        """Adds to what is known beside the answer: nothing."""

    def about(self) -> dict[str, Any]:
        """What callbacks find in the metadata beside what the caller gave."""
        return {}

    def stand_ins(self) -> list[dict[str, Any]]:
        """What is asked in turn when this call has failed, whatever went wrong."""
        own = self.own
        return _alternatives(own["fallbacks"] or own["default_fallbacks"] or _settings.read("default_fallbacks"))

    def special(self, _: Call, error: Exception) -> list[dict[str, Any]]:
        """What is asked before all others, as another call has failed in this way."""
        return _alternatives(_special(self, error))

    def again(self, arguments: dict[str, Any]) -> Call:
        """The same call with other arguments."""
        return Call(arguments, self.method)


def begin(make: Callable[..., Call], arguments: dict[str, Any], method: str) -> Call:
    """The call; or where nobody knows who has its model, the same call to the first of its fallbacks.

    Raises:
        LiteLLMEdgeError: There is no such call, and no fallback either.
    """
    try:
        return make(arguments, method)
    except exceptions.LiteLLMUnknownProvider:
        waiting = _alternatives(arguments.get("fallbacks") or _settings.read("default_fallbacks"))
        if not waiting:
            raise
        return begin(make, {**arguments, **_OTHER, **waiting.pop(0), "fallbacks": waiting}, method)


def steps(first: Call) -> Generator[Ask, Any, tuple[Call, Any]]:
    """Asks one model after the other until one answers. Gives the call that was answered, and the answer.

    Raises:
        LiteLLMEdgeError: The last one failed too.
    """
    waiting = first.stand_ins()
    call = first
    while True:
        try:
            return call, (yield from _ask(call))
        except exceptions.LiteLLMEdgeError as error:
            waiting = first.special(call, error) + waiting
            if not waiting:
                raise
            call = _next_call(first, waiting)


def _next_call(first: Call, waiting: list[dict[str, Any]]) -> Call:
    """The call to the first of those that wait to which there is one at all."""
    while True:
        taken = waiting.pop(0)
        try:
            return first.again({**first.arguments, **(_OTHER if "model" in taken else {}), **taken})
        except exceptions.LiteLLMEdgeError:
            if not waiting:
                raise


def _ask(call: Call) -> Generator[Ask, Any, Any]:
    asked = {"input": call.own["input"]} if call.method == "embed" else {"messages": call.messages}
    try:
        provider = find_mock(call) or call.connect()
        while True:
            try:
                return (yield Ask(provider, call.method, {**asked, "model": call.target, **call.options}))
            except errors.UnsupportedFeatureError as error:
                if not call.cannot(error):
                    raise
    except errors.PyAgentError as error:
        raise call.translate(error) from error


def _special(call: Call, error: Exception) -> Any:
    """Fallbacks for one kind of error: a dict, or a list of dicts, from a model to its stand-ins."""
    if isinstance(error, exceptions.ContextWindowExceededError):
        found = (
            call.own["context_window_fallback_dict"]
            or call.own["context_window_fallbacks"]
            or _settings.read("context_window_fallbacks")
        )
    elif isinstance(error, exceptions.ContentPolicyViolationError):
        found = call.own["content_policy_fallbacks"] or _settings.read("content_policy_fallbacks")
    else:
        return []
    for table in [found] if isinstance(found, dict) else found or ():
        if call.model in table:
            return table[call.model]
    return []


def _alternatives(given: Any) -> list[dict[str, Any]]:
    """Fallbacks as what they change in the arguments: a model's name, or a dict of arguments."""
    listed = [given] if isinstance(given, (str, dict)) else list(given or ())
    return [{"model": item} if isinstance(item, str) else dict(item) for item in listed]


_providers: dict[Any, Provider] = {}


def _connect(
    vendor: _names.Vendor, key: str | None, url: str | None, version: str | None, deployment: str | None
) -> Provider:
    known = (vendor.name, key, url, version, deployment)
    provider = _providers.get(known)
    if provider is None:
        if len(_providers) >= 256:  # a program that makes up keys; open streams keep their own
            _providers.clear()
        provider = Provider(
            "none", provider=vendor.target(), api_key=key, base_url=url, api_version=version, deployment=deployment
        )
        _providers[known] = provider
    return provider


def _depth() -> int:
    """How many calls up the program is: the line to be warned of."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(__package__ or ""):
        depth, frame = depth + 1, frame.f_back
    return depth


def _new_id() -> str:
    from os import urandom

    digits = urandom(16).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
