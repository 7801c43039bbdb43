"""The lock under which the library is loaded and clients are opened; a fork waits for it.

Whatever another thread has locked while a process forks stays locked in the child for ever: a lock of ours, one of
Python's for imports, one of the dynamic linker's. So everything that is done once, imports included, is done under
this lock, and whoever forks takes it for that moment. It is reentrant, because a signal handler or a finaliser may ask
a model in the middle of it."""

from __future__ import annotations

import os
from _thread import RLock

lock = RLock()


def _hold() -> None:
    lock.acquire()


def _let_go() -> None:
    lock.release()


def _renew() -> None:
    global lock
    lock = RLock()  # the old one may count on threads that waited for it and are not in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_renew)
