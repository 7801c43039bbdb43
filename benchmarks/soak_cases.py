"""What a soak asks of the scripted server, and how each call is read and left: cases by weight, two readers of them."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this checkout's pyagent

from pyagent import (
    APITimeoutError,
    BadRequestError,
    InternalServerError,
    Provider,
    RateLimitError,
    ResponseParseError,
    StreamCancelledError,
    StreamInterruptedError,
    Timeouts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = ["one", " two", " three", " four", " five", " six", " seven", " eight"]
BRIEF = Timeouts(first_token=0.03, idle=0.03)  # for the cases that are to time out
LONGEST = 0.02  # seconds until a call is cancelled, at random from 0


class Case(NamedTuple):
    """A kind of call.

    reading is what becomes of the answer: "generate" asks for it whole; a stream is read "whole", or is left by
    "break", dropped unread ("drop"), or ended from elsewhere while it is read: "cancel", or "abandon" (closed by
    another thread, or the task that reads it is cancelled).
    """

    name: str
    weight: int
    reading: str
    script: dict[str, Any]
    errors: tuple[type[BaseException], ...] = ()  # one of them must come; none: the answer must be right
    options: dict[str, Any] = {"max_retries": 0}  # noqa: RUF012 - a NamedTuple's default is never written to

    @property
    def text(self) -> str:
        return "".join(self.script.get("pieces", ())) * self.script.get("repeat", 1)


_SLOW = {"pieces": WORDS, "repeat": 4, "delay": 0.001}
_LEFT = (StreamCancelledError, asyncio.CancelledError)
_BRIEF = {"max_retries": 0, "timeouts": BRIEF}
# Twice the failures that are asked for: the server counts them by key, and forgets its keys when there are too many.
_PATIENT = {"max_retries": 4}
_FAILING = {"pieces": WORDS, "after": 3}

CASES = (
    Case("small answer", 300, "generate", {"pieces": WORDS}),
    Case("small stream", 300, "whole", {"pieces": WORDS}),
    Case("burst", 30, "whole", {"pieces": WORDS, "repeat": 50, "per_write": 40}),
    Case("big answer", 3, "generate", {"pieces": [" word" * 1_000], "repeat": 60}),
    Case("big stream", 3, "whole", {"pieces": WORDS, "repeat": 2_500, "per_write": 64}),
    Case("slow stream", 5, "whole", _SLOW),
    Case("break", 30, "break", {"pieces": WORDS, "repeat": 50, "per_write": 10, "delay": 0.001}),
    Case("dropped", 30, "drop", _SLOW),
    Case("cancelled", 30, "cancel", _SLOW, _LEFT),
    Case("cancelled in silence", 10, "cancel", {"pieces": WORDS, "after": 2, "end": "stall"}, _LEFT),
    Case("cancelled before the header", 10, "cancel", {"header_delay": 30}, _LEFT),
    Case("abandoned", 20, "abandon", _SLOW, _LEFT),
    Case("no header in time", 6, "whole", {"header_delay": 30}, (APITimeoutError,), _BRIEF),
    Case("stalled", 6, "whole", {"pieces": WORDS, "after": 2, "end": "stall"}, (APITimeoutError,), _BRIEF),
    Case("stalled whole", 3, "generate", {"pieces": WORDS, "end": "stall"}, (APITimeoutError,), _BRIEF),
    Case("reset", 20, "whole", {**_FAILING, "end": "reset"}, (StreamInterruptedError,)),
    Case("cut", 20, "whole", {**_FAILING, "end": "cut"}, (StreamInterruptedError,)),
    Case("cut whole", 20, "generate", {**_FAILING, "end": "cut"}, (StreamInterruptedError,)),
    Case("truncated", 20, "whole", {**_FAILING, "end": "truncate"}, (StreamInterruptedError,)),
    Case("garbage", 20, "generate", {**_FAILING, "end": "garbage", "garbage": "<p>"}, (ResponseParseError,)),
    Case("error in the stream", 20, "whole", {**_FAILING, "end": "error"}, (InternalServerError,)),
    Case("refused", 30, "generate", {"status": 400}, (BadRequestError,)),
    Case("limited", 30, "whole", {"status": 429}, (RateLimitError,)),
    Case("retried", 30, "whole", {"pieces": WORDS, "status": 503, "times": 1}, (), _PATIENT),
    Case("retried twice", 20, "generate", {"pieces": WORDS, "end": "reset", "after": 0, "times": 2}, (), _PATIENT),
)
_WEIGHTS = [case.weight for case in CASES]


class Worker:
    """Makes calls one after another until told to stop, and counts them."""

    def __init__(self, url: str, counts: Counter[str], failures: list[str]) -> None:
        self.url, self.counts, self.failures = url, counts, failures
        self.stopping = False
        self._renew()

    def _renew(self) -> None:
        """Clients come and go, too."""
        self._provider = Provider.compatible("m", base_url=self.url, retry_backoff=0.001)
        self._left = random.randrange(100, 1_000)

    def _next(self) -> tuple[Case, dict[str, Any]]:
        self._left -= 1
        if self._left < 0:
            self._renew()
        case = random.choices(CASES, _WEIGHTS)[0]
        script = case.script
        if "times" in script:
            script = {**script, "key": f"{random.getrandbits(64):x}"}
        return case, {**case.options, "extra_body": {"fake": script}}

    def _judge(self, case: Case, answer: str | None, error: BaseException | None) -> None:
        """A call that ended in another way than its case says ends the soak. Cancelled calls may have been faster."""
        self.counts[case.name] += 1
        if error is not None:
            right = isinstance(error, case.errors)
        elif case.reading in {"cancel", "abandon"}:
            right = answer == case.text
        else:
            right = not case.errors and (answer is None or answer == case.text)
        if not right:
            self.failures.append(f"{case.name}: {type(error).__name__}: {error}; answer {str(answer)[:80]!r}")
            self.stopping = True


class BlockingWorker(Worker):
    """The plain methods. Streams that are to be ended from another thread are put into a queue."""

    def __init__(self, *arguments: Any, endings: SimpleQueue[Callable[[], None] | None]) -> None:
        super().__init__(*arguments)
        self._endings = endings

    def run(self) -> None:
        while not self.stopping:
            case, options = self._next()
            try:
                answer = self._call(case, options)
            except Exception as error:  # noqa: BLE001 - judged
                self._judge(case, None, error)
            else:
                self._judge(case, answer, None)

    def _call(self, case: Case, options: dict[str, Any]) -> str | None:
        if case.reading == "generate":
            return self._provider.generate_text("hi", **options)
        stream = self._provider.stream_text("hi", **options)
        if case.reading == "drop":
            next(stream)
            return None
        if case.reading == "break":
            for _ in stream:
                break
            return None
        if case.reading == "cancel":
            self._endings.put(stream.cancel)
        elif case.reading == "abandon":
            self._endings.put(stream.close)
        return "".join(stream)


def end_at_random(endings: SimpleQueue[Callable[[], None] | None]) -> None:
    """Ends calls at random times, in a thread of its own, until it gets None."""
    while (end := endings.get()) is not None:
        time.sleep(random.uniform(0, LONGEST / 2))
        end()


class AsyncWorker(Worker):
    """The asyncio methods."""

    async def run(self, until: float) -> None:
        while not self.stopping and time.monotonic() < until:
            case, options = self._next()
            try:
                answer = await self._call(case, options)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - judged
                self._judge(case, None, error)
            else:
                self._judge(case, answer, None)

    async def _call(self, case: Case, options: dict[str, Any]) -> str | None:
        if case.reading == "generate":
            return await self._provider.agenerate_text("hi", **options)
        stream = self._provider.astream_text("hi", **options)
        if case.reading == "drop":
            await stream.__anext__()
            return None
        if case.reading == "break":
            async for _ in stream:
                break
            return None
        if case.reading == "cancel":
            asyncio.get_running_loop().call_later(random.uniform(0, LONGEST), stream.cancel)
        elif case.reading == "abandon":
            task = asyncio.ensure_future(_join(stream))
            asyncio.get_running_loop().call_later(random.uniform(0, LONGEST), task.cancel)
            return await task
        return await _join(stream)


async def _join(stream: Any) -> str:
    return "".join([piece async for piece in stream])
