"""CacheHook: the same request is asked once."""

from __future__ import annotations

import json
from _thread import allocate_lock

from . import _checks, _request
from ._played import Recording
from .errors import ConfigurationError
from .hooks import Hook
from .response import Choice, Response, ToolCall, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from sqlite3 import Connection
    from typing import Any

    from .hooks import RequestContext

__all__ = ["CacheHook"]

# What changes nothing about an answer: how it is fetched, whose key pays for it, and for whom.
_ASIDE = frozenset({"api_key", "base_url", "timeouts", "limits", "max_retries", "tag", "extra_headers", "window"})
_SECRET_HEADERS = ("auth", "key", "token", "secret", "cookie")


class CacheHook(Hook):
    """Answers requests that were answered before, without asking anybody.

    Requests are the same if everything that decides about their answers is: vendor, address, model, messages, options
    and headers. Keys and other secrets, time limits and retries are no part of it. A whole answer and a stream of it
    are two requests; a stream is played with the same events that it had. Failures are not kept, nor are streams that
    were closed before their end or ended with the finish reason "error".

    An answer out of the cache has `attempts` 0, in `Response` and in the context; its `usage` and `cost` are those of
    the request that was asked, and no total or budget counts them again. What is kept is the answer as hooks
    further in have left it; those further out see it again each time.

    Args:
        path: A file of SQLite, for any number of threads and processes. Without one, answers are kept in memory, for
            the threads of this process. It holds what was answered, readable for everybody who may read the file.
        size: The most answers to keep. Beyond, those go first that were not used for longest; in a file, the oldest.
        ttl: Seconds for which an answer is good; None or 0 for ever.
        priority: As that of every hook.

    Raises:
        ConfigurationError: An option is wrong. A ValueError.
    """

    def __init__(
        self,
        path: str | PathLike[str] | None = None,
        *,
        size: int = 1000,
        ttl: float | None = None,
        priority: float = 0,
    ) -> None:
        from os import fspath

        self.priority = priority
        self._size = _checks.integer("size", size)
        self._ttl = _checks.seconds("ttl", ttl) or None
        if size < 1:
            raise _checks.wrong("size", "a whole number above 0", size)
        self._path = None if path is None else fspath(path)
        self._store: _Memory | _File = _Memory() if self._path is None else _File(self._path)

    def clear(self) -> None:
        """Forgets everything."""
        self._store.clear()

    def __len__(self) -> int:
        return self._store.count()

    def on_request(self, context: RequestContext) -> Any:
        """Gives the answer that is kept."""
        from time import time

        key = _key(context)
        if key is None:
            return None
        oldest = None if self._ttl is None else time() - self._ttl
        found = self._store.get(key, oldest)
        if found is None:
            context._notes[id(self)] = key, []
            return None
        frames, text = found
        return Recording(frames, _response_of(json.loads(text)))

    def _record(self, context: RequestContext, frames: bytes) -> None:
        """Takes the frames of a stream as they come."""
        waiting = context._notes.get(id(self))
        if waiting is not None:
            waiting[1].append(frames)

    def on_response(self, context: RequestContext, response: Response) -> None:
        """Keeps an answer."""
        from time import time

        waiting = context._notes.pop(id(self), None)
        if waiting is None or response.finish_reason == "error":
            return
        key, frames = waiting
        self._store.put(key, (b"".join(frames), json.dumps(response._as_dict())), time(), self._size)

    def __reduce__(self) -> str | tuple[Any, ...]:
        return _cache_hook, (self._path, self._size, self._ttl, self.priority)


def _cache_hook(path: str | None, size: int, ttl: float | None, priority: float) -> CacheHook:
    return CacheHook(path, size=size, ttl=ttl, priority=priority)


class _Memory:
    """Answers in a dict, whose order is that of their use."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._kept: dict[str, tuple[float, tuple[bytes, str]]] = {}

    def get(self, key: str, oldest: float | None) -> tuple[bytes, str] | None:
        with self._lock:
            entry = self._kept.pop(key, None)
            if entry is None or (oldest is not None and entry[0] <= oldest):
                return None
            self._kept[key] = entry
            return entry[1]

    def put(self, key: str, answer: tuple[bytes, str], now: float, size: int) -> None:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = now, answer
            while len(self._kept) > size:
                del self._kept[next(iter(self._kept))]

    def count(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


class _File:
    """Answers in a file of SQLite. Each use opens it anew: a connection may go neither to another thread nor through a
    fork, and opening one is nothing beside a request."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get(self, key: str, oldest: float | None) -> tuple[bytes, str] | None:
        rows = self._run(lambda file: file.execute("SELECT made, frames, response FROM answers WHERE key = ?", (key,)))
        for made, frames, response in rows:
            if oldest is None or made > oldest:
                return frames, response
        return None

    def put(self, key: str, answer: tuple[bytes, str], now: float, size: int) -> None:
        def write(file: Connection) -> Any:
            file.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (key, now, *answer))
            return file.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY made DESC LIMIT -1 OFFSET ?)",
                (size,),
            )

        self._run(write)

    def count(self) -> int:
        ((number,),) = self._run(lambda file: file.execute("SELECT count(*) FROM answers"))
        return int(number)

    def clear(self) -> None:
        self._run(lambda file: file.execute("DELETE FROM answers"))

    def _run(self, work: Any) -> list[Any]:
        import sqlite3

        file = sqlite3.connect(self._path, timeout=5)
        try:
            with file:
                file.execute(
                    "CREATE TABLE IF NOT EXISTS answers"
                    " (key TEXT PRIMARY KEY, made REAL, frames BLOB, response TEXT) WITHOUT ROWID"
                )
                rows: list[Any] = work(file).fetchall()
                return rows
        finally:
            file.close()


def _key(context: RequestContext) -> str | None:
    """A hash of everything that decides about an answer; None for a request that is wrong, which its check will say."""
    from hashlib import sha256

    try:
        arguments = context._request()
        if context.operation == "generate":
            arguments.pop("include_usage", None)  # which only decides about what is shown
        body = json.loads(_request.encode(context.operation, context.model, arguments))
    except ConfigurationError:
        return None
    headers = {
        name.lower(): value
        for name, value in body.get("extra_headers", {}).items()
        if not any(word in name.lower() for word in _SECRET_HEADERS)
    }
    asked = {name: value for name, value in body.items() if name not in _ASIDE}
    whole = [1, context._vendor, context.base_url, headers, asked]  # 1: the form of what is kept
    return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _response_of(known: dict[str, Any]) -> Response:
    """A Response of the dict that it was made into."""
    choices = []
    for fields in known.pop("choices"):
        calls = [ToolCall(**call) for call in fields.pop("tool_calls")]
        choices.append(Choice(fields.pop("index"), tool_calls=calls, **fields))
    usage = Usage(**known.pop("usage"))
    return Response(choices, usage=usage, **{**known, "attempts": 0, "retries": None})
