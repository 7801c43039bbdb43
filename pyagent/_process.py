"""The core as a process of its own, for systems on which no library can be loaded, and for who wants a wall around it.

`Process` is what `_lib.Runtime` is, over sockets. A thread that asks takes a connection for itself until the answer is
there, so nothing waits for anything else, and all waiting is done by the system without the GIL. The inbox of an event
loop has a connection on which frames arrive unasked: its descriptor is what the loop watches. What needs no answer, and
new connections, go through the first connection, the door. The process ends when the door closes, however that comes
about."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
from array import array
from functools import partial
from threading import main_thread

from . import _frames, _lib, _opening
from ._connection import (
    ABI_VERSION_OF,
    CANCEL,
    CLIENT_OPEN,
    CLOSE,
    CONNECT,
    FOLLOW,
    INBOX_OPEN,
    INSPECT,
    ONE_WAY,
    POLL,
    QUIET,
    STATUS_NAME,
    SUBMIT,
    Connection,
    request,
)
from .errors import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

IDLE_CONNECTIONS = 16  # as many are kept for the next question
START_SECONDS = 30.0
LAST_WORDS = 16 * 1024  # bytes of what the process has written to its standard error


class Place(ctypes.Structure):
    """The request that closes a handle. What is missing in it is the handle."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("sequence", ctypes.c_uint32),
        ("op", ctypes.c_uint32),
        ("number", ctypes.c_int32),
        ("value", ctypes.c_uint64),
        ("inbox", ctypes.c_uint64),
    ]


def _find_send() -> Callable[..., object]:
    """The system's send() with the last two arguments filled in: closing a handle is one call of C, with no line of
    Python that a signal handler could interrupt. It fails in silence, when there is nobody any more to be told."""
    kind = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_int, ctypes.POINTER(Place), ctypes.c_size_t, ctypes.c_int)
    last = (1, "size", ctypes.sizeof(Place)), (1, "flags", QUIET)
    return kind(("send", ctypes.CDLL(None)), ((1, "descriptor"), (1, "request"), *last))


class Process(_lib.Runtime):
    """The core in one process."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.forked = False
        self.main_thread = main_thread().ident
        self.new_place: Callable[[], Any] = partial(Place, 0, ONE_WAY, CLOSE)
        self._lost = ""  # how the process has come to its end
        self._said = ""  # and what it had to say about that
        self._idle: list[Connection] = []
        self._followed: dict[int, Connection] = {}
        self._said_to, self._door, self._pid = _start(path)
        self.close = partial(_find_send(), self._door.fileno())
        try:
            connection = self._connect()
            connection.settimeout(START_SECONDS)
            _, version, _ = connection.ask(request(ABI_VERSION_OF))
            connection.settimeout(None)
        except OSError:
            self._lose()
            raise InternalError(
                f"{path} is not pyagent's executable, or does not run here: it {self._lost}"
                + (f" and said {self._said!r}" if self._said else "")
                + ". Reinstall pyagent for this platform, and unset PYAGENT_EXECUTABLE if it is set."
            ) from None
        if version != _lib.ABI_VERSION:
            self._lose()
            raise InternalError(
                f"{path} has ABI version {version}, but this pyagent needs ABI version {_lib.ABI_VERSION}. The Python "
                "files and the executable come from different releases: reinstall pyagent, and unset "
                "PYAGENT_EXECUTABLE if it is set."
            )
        self._idle.append(connection)

    @property
    def alive(self) -> bool:
        if self.forked or self._lost:
            return False
        try:
            self._door.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True  # there is somebody on the other side, who says nothing through the door
        except OSError:
            pass
        self._lose()
        return False

    def open_client(self, client: _lib.Handle, config: bytes) -> None:
        self._open(client, CLIENT_OPEN, payload=config)

    def open_inbox(self, inbox: _lib.Handle, client: int, wake_descriptor: int) -> None:
        self._open(inbox, INBOX_OPEN, wake_descriptor, client)

    def open_watching_inbox(self, inbox: _lib.Handle, client: int) -> int:
        try:
            connection = self._connect()
            status, inbox.place.value, _ = connection.ask(request(INBOX_OPEN, -1, client))
            self._check(status)
            connection.sendall(request(FOLLOW, 0, inbox.number), QUIET)
        except ConnectionError:
            raise self._failure() from None
        self._followed[inbox.number] = connection
        return connection.fileno()

    def unwatch(self, inbox: int, descriptor: int) -> None:
        connection = self._followed.pop(inbox, None)
        if connection is not None:
            connection.close()

    def submit(self, call: _lib.Handle, client: int, inbox: int, request: bytes) -> None:
        self.check_alive()
        self._open(call, SUBMIT, 0, client, inbox, request)

    def poll(self, number: int, timeout_ms: int) -> tuple[int, bytes]:
        self.check_alive()
        followed = self._followed.get(number)
        try:
            if followed is not None:
                return followed.follow(timeout_ms)
            status, _, data = self._ask(POLL, timeout_ms, number)
        except ConnectionError:
            self._lose()
            return _lib.LOST, b""
        return status, data

    def last_words(self, call: int) -> bytes:
        failure = self._failure()
        error = {"kind": "internal", "message": failure.message, "is_retryable": True, "body": failure.body}
        payload = json.dumps(error).encode()
        return _frames.HEADER.pack(len(payload), _frames.ERROR, 0, 0, call) + payload

    def ask_for_more(self, call: int) -> None:
        self._tell(POLL, call)

    def cancel(self, number: int) -> None:
        self._tell(CANCEL, number)

    def inspect(self, number: int = 0) -> dict[str, Any]:
        self.check_alive()
        try:
            # A new connection comes through the door, behind everything that was closed before.
            connection = self._connect()
            status, _, data = connection.ask(request(INSPECT, 0, number))
        except ConnectionError:
            raise self._failure() from None
        self._check(status)
        snapshot: dict[str, Any] = json.loads(data)
        return snapshot

    def status_name(self, status: int) -> str:
        try:
            _, _, data = self._ask(STATUS_NAME, status)
        except ConnectionError:
            raise self._failure() from None
        return data.decode()

    def drop(self) -> None:
        self._lose()

    def die(self) -> None:
        """Marks a process that stayed with the parent of a fork. This side of its connections is closed here, or the
        process would not learn of the parent's end. The door's descriptor stays ours: finalisers write to it."""
        self.forked = True
        os.close(self._said_to)
        for connection in self._idle:
            connection.close()
        nobody, other = socket.socketpair()
        with nobody, other:
            os.dup2(nobody.fileno(), self._door.fileno(), inheritable=False)

    def _connect(self) -> Connection:
        with _opening.lock:  # or a child that is forked off now would hold the other end open
            ours, theirs = socket.socketpair()
            connection = Connection(ours.detach())
            with theirs:
                along = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [theirs.fileno()]))]
                self._door.sendmsg([request(CONNECT, sequence=ONE_WAY)], along, QUIET)
        return connection

    def _ask(
        self,
        op: int,
        number: int = 0,
        handle: int = 0,
        inbox: int = 0,
        payload: bytes = b"",
        opened: _lib.Handle | None = None,
    ) -> tuple[int, int, bytes]:
        """Asks on a connection that nobody else uses. What is opened has its number before the connection can send
        another request, with which the process takes the number for known."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            answer = connection.ask(request(op, number, handle, inbox, payload))
            if opened is not None:
                opened.place.value = answer[1]
        except BaseException:  # an exception of a signal handler, perhaps: the answer may still come
            connection.close()
            raise
        if opened is not None or len(self._idle) < IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _open(
        self, opened: _lib.Handle, op: int, number: int = 0, handle: int = 0, inbox: int = 0, payload: bytes = b""
    ) -> None:
        try:
            status, _, _ = self._ask(op, number, handle, inbox, payload, opened)
        except ConnectionError:
            raise self._failure() from None
        self._check(status)

    def _tell(self, op: int, handle: int) -> None:
        """Says something that has no answer."""
        if not self.forked:
            try:
                self._door.send(request(op, 0, handle, sequence=ONE_WAY), QUIET)
            except ConnectionError:
                self._lose()

    def _lose(self) -> None:
        """Learns how the process has come to its end."""
        with _opening.lock:
            if self._lost or self.forked:
                return
            lost = _bury(self._pid)
            self._said = os.pread(self._said_to, LAST_WORDS, 0).decode(errors="replace").strip()
            os.close(self._said_to)
            self._lost = lost

    def _failure(self) -> InternalError:
        self._lose()
        return InternalError(
            f"The process {self.path} {self._lost}, and the requests that were under way went with it. The next one "
            "starts it again.",
            is_retryable=True,
            body=self._said,
        )


def _start(path: str) -> tuple[int, Connection, int]:
    """Starts the process. Returns where its standard error goes, the door, and its number."""
    if sys.platform == "win32":
        raise InternalError(f"{path} cannot be used on Windows: unset PYAGENT_TRANSPORT.")
    said_to = _open_memory()
    ours, theirs = socket.socketpair()
    door = Connection(ours.detach())
    with theirs:
        try:
            pid = _spawn([path, "serve"], theirs.fileno(), said_to)
        except OSError as error:
            os.close(said_to)
            raise InternalError(
                f"The executable {path} cannot be started: {error.strerror}. Reinstall pyagent for this platform "
                f"({sys.platform}), build it with `make build` in a checkout, or set PYAGENT_EXECUTABLE to its path."
            ) from None
    return said_to, door, pid


def _spawn(command: list[str], end: int, said_to: int) -> int:
    from subprocess import Popen

    try:
        child = Popen(command, stdin=end, stdout=end, stderr=said_to)
    except RuntimeError:  # a sub-interpreter may not fork, but this it may
        actions = [(os.POSIX_SPAWN_DUP2, end, 0), (os.POSIX_SPAWN_DUP2, end, 1), (os.POSIX_SPAWN_DUP2, said_to, 2)]
        return os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    child.returncode = 0  # or Popen would complain that nobody waits for it
    return child.pid


def _open_memory() -> int:
    """A file without a name. A pipe would fill up with a long trace, and hold up the process that is to end."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("pyagent")
    from tempfile import TemporaryFile

    with TemporaryFile() as file:
        return os.dup(file.fileno())


def _bury(pid: int) -> str:
    """Waits for the end of a process that has closed its sockets. Says how it ended."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
        if not found:
            os.kill(pid, signal.SIGKILL)  # changes nothing for one that is about to end
            _, status = os.waitpid(pid, 0)
    except OSError:  # the host waits for all children of its own, and was faster
        return "has ended"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = next((known.name for known in signal.Signals if known == number), "without a name")
        return f"was killed by signal {number} ({name})"
    return f"has ended with status {os.WEXITSTATUS(status)}"
