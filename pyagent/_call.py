"""Client and Call: what starts requests, and one request on its way with the synchronous wait for its frames."""

from __future__ import annotations

from _thread import get_ident
from time import monotonic

from . import _frames, _lib, _loading
from ._kinds import make_error
from .errors import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._assembly import Assembly

# Python runs signal handlers only between two steps of the main thread, so the main thread wakes up often enough that
# Ctrl-C acts at once. Other threads never run them, and closing the call wakes them.
MAIN_SLICE_MS = 50
FOR_EVER = -1


class Client(_lib.Handle):
    """A configuration in the core, and the connections that its calls share."""

    __slots__ = ()

    @classmethod
    def open(cls, config: bytes) -> Client:
        """Opens a client. A bad configuration is the first frame of its calls."""
        client = cls(_loading.runtime())
        client.runtime.open_client(client, config)
        return client

    def has_failed(self) -> bool:
        """Whether the core could not open it, which is said once."""
        return self.runtime.poll(self.number, 0)[0] == _lib.OK

    def start(self, request: bytes) -> Call:
        """Submits a request and returns at once. A bad request is the first frame of the call."""
        call = Call(self.runtime)
        self.runtime.submit(call, self.number, 0, request)
        return call


class Receiver(_lib.Handle):
    """What frames come out of: a call, or an inbox."""

    __slots__ = ()

    def receive(self, *, wait: bool = True, until: float | None = None) -> bytes | None:
        """Waits until something has arrived, and returns every frame that is there; None once this is closed.

        Without waiting, and when the moment `until` of time.monotonic() comes first, nothing is b"".

        Raises:
            RuntimeError: Another thread is waiting for this call.
            KeyboardInterrupt: Ctrl-C, as any exception of a signal handler; this is closed first.
        """
        runtime, number = self.runtime, self.number
        patience = MAIN_SLICE_MS if get_ident() == runtime.main_thread else FOR_EVER
        limit = patience if wait else 0
        try:
            while True:
                if until is not None:
                    limit = _shorter(patience, until - monotonic())
                status, data = runtime.poll(number, limit)
                if status == _lib.OK:
                    return data
                if status not in (_lib.TIMEOUT, _lib.WOKEN):
                    break
                if not wait or (until is not None and monotonic() >= until):
                    return b""
        except InternalError:
            raise  # from before a fork: there is nothing to close
        except BaseException:
            self.close()
            raise
        return self._without_frames(status)

    def _without_frames(self, status: int) -> bytes | None:
        """What it means that a wait was over without a frame."""
        if status in (_lib.CLOSED, _lib.DONE):
            return None
        if status == _lib.LOST:
            return self.last_words()
        if status == _lib.BUSY:
            raise RuntimeError("Another thread is reading this stream; one stream has one reader at a time.")
        raise InternalError(
            f"Waiting for an answer failed: {self.runtime.status_name(status)} ({status}). This is a bug in pyagent."
        )

    def last_words(self) -> bytes:
        """The frames with which this ends when the core has come to an end."""
        return self.runtime.last_words(self.number)


def _shorter(patience: int, seconds: float) -> int:
    """A patience in milliseconds that ends after so many seconds at the latest, and not a moment before."""
    left = max(0, int(seconds * 1000) + 1)
    return left if patience == FOR_EVER else min(patience, left)


class Call(Receiver):
    """A request on its way. Dropping the object closes the call and with it the connection."""

    __slots__ = ()

    assembly: Assembly | None = None  # where what arrives is put together, unless that is left to the reader

    def cancel(self) -> None:
        """Closes the connection at once, from any thread; a waiting `receive` gets the terminal frame."""
        self.runtime.cancel(self.number)

    def end(self) -> None:
        """Closes the call: the core does not know whether somebody asks its own queue again."""
        self.close()


class PolledInbox(Receiver):
    """A receiving place for many calls that is emptied by whoever waits for them. Closing it closes them too."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        super().__init__(client.runtime)
        self._client = client
        self.runtime.open_inbox(self, client.number, -1)

    def last_words(self) -> bytes:
        ((_, _, _, payload),) = _frames.split(super().last_words())
        raise make_error(_frames.parse(payload), "")

    def start(self, request: bytes) -> _lib.Handle:
        """Submits a request whose answer arrives here."""
        call = _lib.Handle(self.runtime)
        self.runtime.submit(call, self._client.number, self.number, request)
        return call
