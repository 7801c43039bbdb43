"""Call: one submitted request and the synchronous wait for its frames."""

from __future__ import annotations

import threading

from . import _lib
from .errors import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._lib import Handle

# Python runs signal handlers only between two steps of the main thread, so the main thread wakes up often enough that
# Ctrl-C acts at once. Other threads never run them, and closing the call wakes them.
MAIN_SLICE_MS = 50
FOR_EVER = -1


class Call:
    """A request on its way. Dropping the object closes the call and with it the connection."""

    __slots__ = ("_handle",)

    def __init__(self, client: Handle, request: bytes) -> None:
        self._handle = client.runtime.submit(client, 0, request)

    def receive(self) -> bytes | None:
        """Waits until something has arrived, and returns every frame that is waiting; None once the call is closed.

        Raises:
            RuntimeError: Another thread is waiting for this call.
            KeyboardInterrupt: Ctrl-C, as any exception of a signal handler; the call is closed first.
        """
        runtime, number = self._handle.runtime, self._handle.number
        main = threading.get_ident() == threading.main_thread().ident
        try:
            while True:
                status, data = runtime.poll(number, MAIN_SLICE_MS if main else FOR_EVER)
                if status not in (_lib.TIMEOUT, _lib.WOKEN):
                    break
        except InternalError:
            raise  # from before a fork: there is nothing to close
        except BaseException:
            self.close()
            raise
        if status == _lib.OK:
            return data
        if status in (_lib.CLOSED, _lib.DONE):
            return None
        if status == _lib.BUSY:
            raise RuntimeError("Another thread is reading this stream; one stream has one reader at a time.")
        raise InternalError(
            f"Waiting for an answer failed: {runtime.status_name(status)} ({status}). This is a bug in pyagent."
        )

    def cancel(self) -> None:
        """Closes the connection at once, from any thread; a waiting `receive` gets the terminal frame."""
        self._handle.runtime.cancel(self._handle.number)

    def close(self) -> None:
        """Cancels the call if it still runs and frees it, from any thread; a waiting `receive` returns None."""
        self._handle.close()
