"""Bell: the descriptor by which an inbox tells an event loop that something has arrived.

Where the system can watch sockets for it, the descriptor is the core's own, and one poll reads what has come for all
slow streams on the thread of the loop. Elsewhere it is the reading end of a pipe into which the core writes a byte."""

from __future__ import annotations

import os
import sys

from . import _lib


class Bell:
    """The bell of one inbox, which it opens."""

    __slots__ = ("descriptor", "_pipe", "_runtime", "_number")

    def __init__(self, inbox: _lib.Handle, client: int) -> None:
        self._runtime = runtime = inbox.runtime
        self._pipe: tuple[int, ...] = ()
        self.descriptor = runtime.open_watching_inbox(inbox, client)  # -1: a thread has to wait in the loop's place
        self._number = inbox.number
        if self.descriptor < 0:
            self._pipe = pipe = _open_pipe()
            runtime.open_inbox(inbox, client, pipe[1] if pipe else -1)
            self.descriptor = pipe[0] if pipe else -1

    def is_rung(self) -> bool:
        """Takes the core's byte, where it has to be taken; False if there was none."""
        try:
            return not self._pipe or bool(os.read(self.descriptor, 64))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Closes what is open, once the inbox is closed and nobody watches the descriptor any more."""
        pipe, self._pipe = self._pipe, ()
        descriptor, self.descriptor = self.descriptor, -1
        if pipe:
            for end in pipe:
                os.close(end)
        elif descriptor >= 0:
            self._runtime.unwatch(self._number, descriptor)


def _open_pipe() -> tuple[int, ...]:
    """The two ends of a pipe that never blocks; none where the core cannot write to descriptors."""
    if sys.platform == "win32":
        return ()
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
