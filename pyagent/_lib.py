"""The door to the Go core: the shared library, and its C functions.

Everything else sees `Runtime`, one loaded copy of the library, and `Handle`, something that the copy gave out;
`_loading` has the copy of this process. ctypes releases the GIL around every call, so waiting here stops no other
thread. Where no library can be loaded, the runtime is `_process.Process`: nobody but `_loading` knows which of the two
it is, and only the two know ctypes."""

from __future__ import annotations

# signal, threading and operator are these with Python around them, which takes as long to load as the library does.
import _signal  # type: ignore[import-not-found]
import ctypes
import os
import sys
from _operator import attrgetter
from _thread import _local, get_ident
from types import MethodType

from . import _frames
from .errors import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ABI_VERSION = 1

OK = 0
TIMEOUT = 1
WOKEN = 2
DONE = 3
BAD_HANDLE = -1
CLOSED = -2
BUSY = -3
TOO_SMALL = -4
INVALID = -5
LOST = -7  # of a core in a process of its own: that has come to an end, and every call with it

OWN_DESCRIPTOR = -2  # of the core, in place of one that it writes to

SMALL_BUFFER = 64 * 1024
KEPT_BUFFER = 1024 * 1024  # a buffer that had to grow beyond this is not kept
PYPY = sys.implementation.name == "pypy"  # its ctypes takes bytes in and out one by one: seconds, for some megabytes

_NUMBER, _POINTER, _SIZE, _STATUS = ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int32
_FUNCTIONS: dict[str, list[Any]] = {
    "pyagent_client_open": [ctypes.c_char_p, _SIZE, _POINTER],
    "pyagent_inbox_open": [_NUMBER, ctypes.c_ssize_t, _POINTER],
    "pyagent_submit": [_NUMBER, _NUMBER, ctypes.c_char_p, _SIZE, _POINTER],
    "pyagent_poll": [_NUMBER, _POINTER, _SIZE, ctypes.c_int32, _POINTER],
    "pyagent_cancel": [_NUMBER],
    "pyagent_inspect": [_NUMBER, _POINTER, _SIZE, _POINTER],
    "pyagent_close": [_NUMBER],
}


class Handle:
    """A client, a call or an inbox of one runtime. Dropping it closes it; closing never waits, never fails, and may be
    repeated.

    It is made first, and the core writes its number into `place`. So there is no moment at which the exception of a
    signal handler could leave something open that nobody owns."""

    __slots__ = ("runtime", "place", "closed", "_finish")

    def __init__(self, runtime: Runtime) -> None:
        self.closed = False
        self.place, self.runtime = runtime.new_place(), runtime
        self._finish: Callable[[], object] = MethodType(runtime.close, self.place)

    @property
    def number(self) -> int:
        """What the core knows it by."""
        return self.place.value

    def close(self) -> None:
        """Gives the handle back; a call's connection closes at once."""
        if not self.closed:
            self._finish()
            self.closed = True  # not before: if Ctrl-C strikes in between, closing twice is better than not at all
            self._finish = bool

    def end(self) -> None:
        """Notes that the terminal frame has come, with which the core closes a call of an inbox by itself."""
        self._finish, self.closed = bool, True

    # What is called when the object is dropped: `_finish`, and no line of Python on the way there. A signal handler
    # that ran in a finaliser might raise: the exception would be lost, and the handle would stay open.
    __del__ = property(attrgetter("_finish"))

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError(f"A {type(self).__name__} cannot be pickled or copied: it is open in this process only.")


class _Buffer:
    __slots__ = ("memory", "address", "size", "used", "used_address")

    def __init__(self, size: int) -> None:
        self.memory: Any = ctypes.create_string_buffer(size)
        self.address = ctypes.addressof(self.memory)
        self.size = size
        self.used = _SIZE()
        self.used_address = ctypes.addressof(self.used)

    def content(self) -> bytes:
        return ctypes.string_at(self.address, self.used.value) if PYPY else self.memory[: self.used.value]


class _Spare(_local):
    """One buffer per thread, taken out while in use: a signal handler or finaliser may poll in the middle of a poll."""

    buffer: _Buffer | None = None


class Runtime:
    """One loaded copy of the library."""

    # What holds the number of a handle, and is all that closing it needs.
    new_place: Callable[[], ctypes.c_uint64] = _NUMBER

    def __init__(self, path: str, load_from: str) -> None:
        self.path = path
        self.forked = False
        self.main_thread = _find_main_thread()  # a fork may make another one the main thread of the child
        self._spare = _Spare()
        try:
            library = _load_deaf(load_from)
        except OSError as error:
            if type(error) is not OSError:  # but a TimeoutError, say, of a signal handler
                raise
            raise LoadingError(
                f"The library {path} cannot be loaded: {error}. Reinstall pyagent for this platform "
                f"({sys.platform}, {os.name}), or set PYAGENT_LIBRARY to the path of a library that fits."
            ) from None
        self._check_version(library)
        for name, arguments in _FUNCTIONS.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, _STATUS
        library.pyagent_status_name.argtypes, library.pyagent_status_name.restype = [_STATUS], ctypes.c_char_p
        self._library = library
        self._submit: Callable[..., int] = library.pyagent_submit
        if PYPY:
            submit, at = self._submit, ctypes.c_char.from_buffer
            self._submit = lambda to, box, data, *more: submit(to, box, ctypes.byref(at(bytearray(data))), *more)
        self._poll = library.pyagent_poll
        # Gives a handle back. Safe from finalisers, during interpreter shutdown, and after a fork.
        self._closing = type("Closing", (), {"__call__": library.pyagent_close})
        self.close: Callable[[Any], object] = self._closing()

    @property
    def alive(self) -> bool:
        """Whether new things can be opened: the runtime has neither stayed behind a fork nor come to an end."""
        return not self.forked

    def _check_version(self, library: ctypes.CDLL) -> None:
        try:
            library.pyagent_abi_version.restype = ctypes.c_uint32
            found = f"ABI version {library.pyagent_abi_version()}"
        except AttributeError:
            found = "no pyagent functions"
        if found != f"ABI version {ABI_VERSION}":
            raise InternalError(
                f"{self.path} has {found}, but this pyagent needs ABI version {ABI_VERSION}. The Python files and the "
                "library come from different releases: reinstall pyagent, and unset PYAGENT_LIBRARY if it is set."
            )

    def open_client(self, client: Handle, config: bytes) -> None:
        """Opens a client."""
        self._check(self._library.pyagent_client_open(config, len(config), ctypes.addressof(client.place)))

    def open_inbox(self, inbox: Handle, client: int, wake_descriptor: int) -> None:
        """Opens a receiving place for calls. The descriptor gets a byte when something waits; -1 for none."""
        self._check(self._library.pyagent_inbox_open(client, wake_descriptor, ctypes.addressof(inbox.place)))

    def open_watching_inbox(self, inbox: Handle, client: int) -> int:
        """Opens a receiving place that reads from sockets when it is polled. Returns the descriptor that tells when;
        -1, with nothing opened, where the system has no such thing."""
        status = self._library.pyagent_inbox_open(client, OWN_DESCRIPTOR, ctypes.addressof(inbox.place))
        if status == INVALID:
            return -1
        self._check(status)
        return int(self.inspect(inbox.number)["descriptor"])

    def unwatch(self, inbox: int, descriptor: int) -> None:
        """Gives back the descriptor of a watching inbox, once the inbox is closed and nobody watches it any more."""
        if self.forked:  # the core that would have closed it stayed behind
            os.close(descriptor)

    def submit(self, call: Handle, client: int, inbox: int, request: bytes) -> None:
        """Starts a call and returns at once. Its frames come out of the inbox; of itself, if that is 0."""
        self.check_alive()
        self._check(self._submit(client, inbox, request, len(request), ctypes.addressof(call.place)))

    def poll(self, number: int, timeout_ms: int) -> tuple[int, bytes]:
        """Waits for frames, without the GIL. Returns the status and, if that is OK, every frame that was waiting."""
        self.check_alive()
        spare = self._spare
        buffer = kept = spare.buffer or _Buffer(SMALL_BUFFER)
        spare.buffer = None
        status = self._poll(number, buffer.address, buffer.size, timeout_ms, buffer.used_address)
        while status == TOO_SMALL:
            buffer = _Buffer(buffer.used.value)
            status = self._poll(number, buffer.address, buffer.size, timeout_ms, buffer.used_address)
        data = buffer.content() if status == OK else b""
        spare.buffer = buffer if buffer.size <= KEPT_BUFFER else kept
        return status, data

    def last_words(self, call: int) -> bytes:
        """The terminal frame of a call whose core has come to an end. A library never does."""
        raise NotImplementedError

    def ask_for_more(self, call: int) -> None:
        """Lets the inbox deliver another window of a call."""
        if not self.forked:
            used = _SIZE()
            self._poll(call, None, 0, 0, ctypes.addressof(used))

    def cancel(self, number: int) -> None:
        """Ends a call: its connection closes at once, its terminal frame still comes."""
        if not self.forked:
            self._library.pyagent_cancel(number)

    def drop(self) -> None:
        """Ends a runtime that nobody has used yet. A library stays loaded."""

    def die(self) -> None:
        """Marks a runtime that a fork has killed. From now on closing is nothing."""
        self.forked = True
        self._closing.__call__ = bool  # type: ignore[method-assign]

    def inspect(self, number: int = 0) -> dict[str, Any]:
        """A snapshot of a handle; of the library for 0."""
        self.check_alive()
        buffer = _Buffer(SMALL_BUFFER)
        while True:
            status = self._library.pyagent_inspect(number, buffer.address, buffer.size, buffer.used_address)
            if status != TOO_SMALL:
                break
            buffer = _Buffer(buffer.used.value * 2)  # twice: the snapshot may grow before the next call
        self._check(status)
        return _frames.parse(buffer.content())  # type: ignore[no-any-return]

    def status_name(self, status: int) -> str:
        """A status in words."""
        return str(self._library.pyagent_status_name(status), "ascii")

    def check_alive(self) -> None:
        """Refuses to use a runtime that a fork has killed."""
        if self.forked:
            raise InternalError(
                "This stream or request was started before os.fork() and cannot be used in the child process. "
                "Start it in the child; a Provider itself works on both sides."
            )

    def _check(self, status: int) -> None:
        if status != OK:
            raise InternalError(
                f"The core refused a call: {self.status_name(status)} ({status}). This is a bug in pyagent."
            )


class LoadingError(InternalError):
    """The library is not there, or the system's linker refuses it."""


def _load_deaf(path: str) -> ctypes.CDLL:
    """Loads a library with all signals blocked. Go's threads inherit that: no handler runs on one of them, and none of
    them takes a signal that a program has blocked in all of its own threads, to wait for it with sigwait."""
    if sys.platform == "win32":  # which has no such masks
        return ctypes.CDLL(path)
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        return ctypes.CDLL(path)
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def _find_main_thread() -> int | None:
    """The thread that runs signal handlers: this one, as long as the program has not imported threading."""
    threading = sys.modules.get("threading")
    return threading.main_thread().ident if threading else get_ident()
