"""Inbox: one place that receives for many calls at once.

The frames of every call that was started with an inbox come out of the inbox, in one poll for all of them. Each call
has a `Mailbox` there until it is closed. Who empties the inbox, and how a reader waits for its mailbox, is the business
of subclasses: an event loop in `_aio`, a trio run in `_trio`."""

from __future__ import annotations

from . import _frames, _lib
from ._request import WINDOW
from .errors import StreamCancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from ._assembly import Assembly
    from ._call import Client

WRONG_LOOP = (
    "This stream or request was started in another event loop, and only that loop can wait for it. Start it in the "
    "loop that reads it; the Provider itself serves any number of loops."
)


_ENOUGH = WINDOW // 2  # used of the window: time to ask for more


class Mailbox:
    """What has arrived for one call and was not taken, and who waits for it."""

    __slots__ = ("chunks", "waiter")

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.waiter: Any = None


class Inbox(_lib.Handle):
    """A receiving place in the core."""

    __slots__ = ("boxes", "__weakref__")

    def __init__(self, runtime: _lib.Runtime) -> None:
        super().__init__(runtime)
        self.boxes: dict[int, Mailbox] = {}

    def start(self, client: Client, request: bytes, box: Mailbox | None = None) -> AsyncCall:
        """Submits a request whose answer arrives here, in a mailbox of its own or in one that it shares."""
        call = AsyncCall(self, box or Mailbox())
        self.runtime.submit(call, client.place.value, self.place.value, request)
        self.boxes[call.place.value] = call.box
        return call

    def drain(self) -> None:
        """Moves what one poll delivers into the mailboxes. What one poll does not take, the core announces again."""
        status, data = self.runtime.poll(self.number, 0)
        if status == _lib.OK:
            self.deliver(data)
        elif status == _lib.LOST:
            self.end_all()

    def deliver(self, data: bytes) -> None:
        """Puts frames into the mailboxes of their calls and wakes their readers."""
        find, wake = self.boxes.get, self.wake
        for call, frames in _frames.split_calls(data):
            box = find(call)
            if box is None:  # closed in the meantime
                continue
            box.chunks.append(frames)
            if box.waiter is not None:
                wake(box)

    def end_all(self) -> None:
        """Gives every call a terminal frame: the core has come to an end."""
        boxes = list(self.boxes.items())
        for call, box in boxes:
            box.chunks.append(self.runtime.last_words(call))
        self.close()
        for _, box in boxes:
            if box.waiter is not None:
                self.wake(box)

    async def wait(self, box: Mailbox) -> None:
        """Waits until something is put into a mailbox, or its reader is to look again for another reason.

        Raises:
            RuntimeError: Another task waits, or this is not the event loop of the inbox.
        """
        if box.waiter is not None:
            raise RuntimeError("Another task is reading this stream; one stream has one reader at a time.")
        try:
            await self.arrival(box)
        finally:
            box.waiter = None

    def check_here(self) -> object:
        """Refuses to be used in another event loop than its own.

        Raises:
            RuntimeError: This is not the event loop of the inbox.
        """
        raise NotImplementedError

    def arrival(self, box: Mailbox) -> Awaitable[None]:
        """What a reader awaits until its mailbox is woken.

        Raises:
            RuntimeError: This is not the event loop of the inbox.
        """
        raise NotImplementedError

    def arrival_before(self, box: Mailbox, seconds: float) -> Awaitable[None]:
        """The same, for so many seconds at the most."""
        raise NotImplementedError

    def wake(self, box: Mailbox) -> None:
        """Lets the reader of a mailbox look again. There must be one."""
        raise NotImplementedError

    def spawn(self, job: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        """Runs a job in a task of its own, and returns what cancels it: from any thread, at any time."""
        raise NotImplementedError


class AsyncCall(_lib.Handle):
    """A request on its way whose frames come out of an inbox. Dropping the object closes the call and with it the
    connection."""

    __slots__ = ("box", "_inbox", "_used")

    assembly: Assembly | None = None  # as that of Call

    def __init__(self, inbox: Inbox, box: Mailbox) -> None:
        self.box = box
        self._inbox = inbox
        self._used = 0
        super().__init__(inbox.runtime)

    def take(self) -> bytes:
        """Every frame that has arrived; b"" for none."""
        if self.runtime.forked:
            self.runtime.check_alive()
        box = self.box
        chunks = box.chunks
        if not chunks:
            return b""
        box.chunks = []
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._used += len(data)
        if self._used >= _ENOUGH:
            self._used = 0
            self.runtime.ask_for_more(self.number)
        return data

    def arrival(self, seconds: float | None = None) -> Awaitable[None]:
        """What a reader awaits when there is nothing to take. Afterwards there may be, or the call is closed, or the
        seconds are over.

        Raises:
            RuntimeError: This is not the event loop that the call was started in.
            StreamCancelledError: The call is closed.
        """
        if self.closed:
            raise StreamCancelledError("The request was closed before its end.")
        if seconds is not None:
            return self._inbox.arrival_before(self.box, seconds)
        return self._inbox.arrival(self.box)

    def cancel(self) -> None:
        """Closes the connection at once, from any thread; the terminal frame arrives."""
        self.runtime.cancel(self.number)

    def end(self) -> None:
        """Notes that the terminal frame has come, with which the core closes a call of an inbox by itself."""
        self._inbox.boxes.pop(self.place.value, None)
        super().end()

    def close(self) -> None:
        """Gives the handle back; the call's connection closes at once, and a waiting reader is woken."""
        if not self.closed:
            super().close()
            self._inbox.boxes.pop(self.number, None)
            if self.box.waiter is not None:
                self._inbox.wake(self.box)

    __del__ = close
