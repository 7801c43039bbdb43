"""Hooks that many programs want: logs, counts of tokens, going on from the last answer, messages for other vendors."""

from __future__ import annotations

from _thread import allocate_lock

from . import _checks, messages
from ._value import Value
from .errors import ConfigurationError
from .hooks import Hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from logging import Logger
    from typing import Any

    from .errors import PyAgentError
    from .hooks import RequestContext
    from .response import Response

__all__ = ["LoggingHook", "ResponseIdHook", "SanitizingHook", "UsageTotals", "UsageTracker"]

_SHOWN = 2000  # characters of one text


class LoggingHook(Hook):
    """Writes a line to the log for every request, answer and failure.

    No key and no header is ever written, and what was asked and answered only with contents=True. Requests and answers
    are of the level INFO, failures of WARNING, contents of DEBUG.

    Args:
        logger: Where to; by default `logging.getLogger("pyagent")`.
        contents: Write messages and answers too, up to 2000 characters of each text.
        priority: As that of every hook.
    """

    def __init__(self, logger: Logger | None = None, *, contents: bool = False, priority: float = 0) -> None:
        import logging

        self._logger = logging.getLogger("pyagent") if logger is None else logger
        self._contents = _checks.flag("contents", contents)
        self.priority = priority

    def on_request(self, context: RequestContext) -> None:
        """Writes who is asked, and the names of the options."""
        options = ", ".join(sorted(set(context.arguments) - {"prompt", "messages", "system_prompt", "model"}))
        self._logger.info(
            "%s: %s asks %s at %s%s", context.request_id, context.operation, context.model, context.provider,
            f" with {options}" if options else "",
        )  # fmt: skip
        if self._contents:
            for message in _messages(context):
                shown = _shown(message.get("content"))
                self._logger.debug("%s: %s: %s", context.request_id, message.get("role"), shown)

    def on_response(self, context: RequestContext, response: Response) -> None:
        """Writes how it ended, what it took, and how many tokens it was."""
        self._logger.info(
            "%s: %s after %.2f s, %s + %s tokens, %d attempts%s", context.request_id,
            response.finish_reason or "finished", _seconds(context), response.prompt_tokens, response.completion_tokens,
            context.attempts, f", the vendor's request {response.request_id}" if response.request_id else "",
        )  # fmt: skip
        if self._contents:
            self._logger.debug("%s: assistant: %s", context.request_id, _shown(response.text))

    def on_error(self, context: RequestContext, error: PyAgentError) -> None:
        """Writes what went wrong."""
        # What a vendor says in an error may repeat the question.
        told = _shown(str(error)) if self._contents or error.status_code is None else f"status {error.status_code}"
        self._logger.warning(
            "%s: %s after %.2f s, %d attempts: %s",
            context.request_id, type(error).__name__, _seconds(context), context.attempts, told,
        )  # fmt: skip


def _messages(context: RequestContext) -> list[dict[str, Any]]:
    try:
        return context.messages
    except ConfigurationError:  # the request is wrong, which its check will say
        return []


def _seconds(context: RequestContext) -> float:
    from time import time

    return time() - context.started


def _shown(content: Any) -> str:
    """A text of moderate length. Of pictures and files only the kind is shown."""
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else {"type": "?"} for part in content]
        content = " ".join(str(part["text"]) if "text" in part else f"<{part.get('type')}>" for part in parts)
    text = str(content)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


class UsageTotals(Value):
    """What some requests came to.

    Attributes:
        requests: How many were answered by a vendor.
        played: How many were answered by a hook, such as a cache: they count for nothing else here.
        failed: How many failed.
        attempts: How many HTTP requests were sent, retries included.
        prompt_tokens, completion_tokens, total_tokens, cached_tokens, cache_write_tokens, reasoning_tokens: As in
            `Usage`, added up; 0 where no vendor said anything.
        cost: In the vendor's unit, where vendors state it.
    """

    __slots__ = (
        "requests", "played", "failed", "attempts", "prompt_tokens", "completion_tokens", "total_tokens",
        "cached_tokens", "cache_write_tokens", "reasoning_tokens", "cost",
    )  # fmt: skip

    requests: int
    played: int
    failed: int
    attempts: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost: float

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    def _add(self, other: Any) -> None:
        """Adds the fields of the same name; what is unknown is nothing."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + (getattr(other, name, None) or 0))


class UsageTracker(Hook):
    """Adds up tokens by vendor and model, for all threads that use it.

    Streams count when they end; one that is closed before its end does not, because its vendor never says what it came
    to.

    Args:
        priority: As that of every hook. Put it around a cache, to see what the cache has answered.
    """

    def __init__(self, *, priority: float = 0) -> None:
        self.priority = priority
        self._lock = allocate_lock()
        self._totals: dict[tuple[str, str], UsageTotals] = {}

    @property
    def totals(self) -> dict[tuple[str, str], UsageTotals]:
        """A copy of the totals so far, by (vendor, model that was asked for)."""
        with self._lock:
            return {key: _sum([totals]) for key, totals in self._totals.items()}

    @property
    def total(self) -> UsageTotals:
        """All of it together."""
        return _sum(self.totals.values())

    def reset(self) -> dict[tuple[str, str], UsageTotals]:
        """Begins anew, and gives what there was."""
        with self._lock:
            before, self._totals = self._totals, {}
        return before

    def on_response(self, context: RequestContext, response: Response) -> None:
        """Counts an answer."""
        with self._lock:
            totals = self._of(context)
            if context.attempts:
                totals.requests += 1
                totals.attempts += context.attempts
                totals._add(response.usage)
            else:
                totals.played += 1

    def on_error(self, context: RequestContext, error: PyAgentError) -> None:
        """Counts a failure."""
        with self._lock:
            totals = self._of(context)
            totals.failed += 1
            totals.attempts += context.attempts

    def _of(self, context: RequestContext) -> UsageTotals:
        return self._totals.setdefault((context.provider, context.model), UsageTotals())

    def __getstate__(self) -> dict[str, Any]:
        return {"priority": self.priority, "_totals": self.totals}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]
        self.priority, self._totals = state["priority"], state["_totals"]


def _sum(every: Iterable[UsageTotals]) -> UsageTotals:
    result = UsageTotals()
    for totals in every:
        result._add(totals)
    return result


class ResponseIdHook(Hook):
    """Goes on from the last answer, for vendors that keep their answers: each request names it as previous_response_id,
    so that only what is new needs to be sent.

    One hook is one conversation: give it to one call after the other, or to a Provider that has one conversation.
    Requests that name another answer, or whose answer is not to be kept (store=False), are let through as they are.

    Args:
        providers: The vendors that keep answers; at others the hook does nothing.
        priority: As that of every hook.
    """

    def __init__(
        self, providers: Iterable[str] = ("openai-responses", "azure-responses"), *, priority: float = 0
    ) -> None:
        if isinstance(providers, str):
            raise _checks.wrong("providers", "a list of vendors' names", providers)
        self.priority = priority
        self.providers = frozenset(providers)
        self._ids: dict[str, str] = {}

    @property
    def ids(self) -> dict[str, str]:
        """The id of the last answer, by vendor."""
        return dict(self._ids)

    def forget(self) -> None:
        """Begins a new conversation."""
        self._ids = {}

    def on_request(self, context: RequestContext) -> None:
        """Names the last answer."""
        last = self._ids.get(context.provider)
        if last is not None and context.arguments.get("store") is not False:
            context.arguments.setdefault("previous_response_id", last)

    def on_response(self, context: RequestContext, response: Response) -> None:
        """Remembers the answer."""
        kept = context.provider in self.providers and context.arguments.get("store") is not False
        if kept and response.id:
            self._ids[context.provider] = response.id


class SanitizingHook(Hook):
    """Takes out of a conversation what only the maker of a message understands: signed thoughts, signatures of tool
    calls, vendors' own fields.

    The core never sends a vendor what another vendor or model has signed, if the message says under "source" who made
    it, as `Response.message` does. This hook does the same where other hooks, logs and caches can see it, and with
    unsigned=True it is as strict with messages that do not say where they come from.

    Args:
        unsigned: Do so for assistant messages without a source too.
        priority: As that of every hook.
    """

    def __init__(self, *, unsigned: bool = False, priority: float = 0) -> None:
        self.unsigned = _checks.flag("unsigned", unsigned)
        self.priority = priority

    def on_request(self, context: RequestContext) -> None:
        """Takes it out."""
        given = context.arguments.get("messages")
        if isinstance(given, list):
            context.arguments["messages"] = [self._clean(context, message) for message in given]

    def _clean(self, context: RequestContext, message: Any) -> Any:
        if not isinstance(message, dict) or message.get("role") != "assistant":
            return message
        source = message.get("source")
        own = {"provider": context.provider, "model": context.model}
        return message if source == own or (not source and not self.unsigned) else messages.plain(message)
