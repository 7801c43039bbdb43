"""Connection: one socket to the core in a process of its own, and the messages on it.

The messages are those of core/process, described in docs/abi.md: a request of 32 bytes and what follows them, an answer
of 24. On a connection of ours answers come in the order of the questions."""

from __future__ import annotations

import socket
from struct import Struct

from . import _lib

ABI_VERSION_OF, STATUS_NAME, CLIENT_OPEN, INBOX_OPEN, SUBMIT, POLL = 1, 3, 4, 5, 6, 7
CANCEL, INSPECT, CLOSE, CONNECT, FOLLOW = 9, 10, 11, 12, 13

ONE_WAY = 0  # the sequence number of what wants no answer

QUIET: int = getattr(socket, "MSG_NOSIGNAL", 0)  # the host may have given SIGPIPE back its deadly meaning

_REQUEST, _ANSWER = Struct("<IIIiQQ"), Struct("<IIiIQ")
_HEAD = _ANSWER.size
_ROOM = _HEAD + 64 * 1024  # of a receive


def request(
    op: int, number: int = 0, handle: int = 0, inbox: int = 0, payload: bytes = b"", sequence: int = 1
) -> bytes:
    """A request in its bytes."""
    return _REQUEST.pack(len(payload), sequence, op, number, handle, inbox) + payload


class Connection(socket.socket):
    """One connection to the process. It closes itself in silence when it is dropped."""

    __slots__ = ("_rest",)

    def __init__(self, descriptor: int) -> None:
        super().__init__(fileno=descriptor)
        self._rest = bytearray()  # of an answer that has come in part

    def __del__(self) -> None:
        self.close()

    def ask(self, request: bytes) -> tuple[int, int, bytes]:
        """Sends a request and waits for status, value and bytes of the answer.

        Raises:
            OSError: The process has come to an end.
        """
        self.sendall(request, QUIET)
        data: bytes | bytearray = self._more()
        while True:
            if len(data) >= _HEAD:
                size, _, status, _, value = _ANSWER.unpack_from(data)
                if len(data) == _HEAD + size:
                    return status, value, bytes(data[_HEAD:])
            if isinstance(data, bytes):
                data = bytearray(data)
            data += self._more()

    def follow(self, timeout_ms: int) -> tuple[int, bytes]:
        """Status and bytes of all answers that are there, of which there are any number. It waits for the first one.

        Raises:
            OSError: The process has come to an end.
        """
        try:
            if timeout_ms > 0:
                from select import POLLIN, poll

                waiting = poll()
                waiting.register(self, POLLIN)
                waiting.poll(timeout_ms)
            data = self._more(0 if timeout_ms < 0 else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return _lib.TIMEOUT, b""
        except (OSError, ValueError):
            if self.fileno() >= 0:
                raise
            return _lib.CLOSED, b""  # by another thread
        if not self._rest and len(data) >= _HEAD:
            size, _, status, _, _ = _ANSWER.unpack_from(data)
            if len(data) == _HEAD + size:
                return status, data[_HEAD:]
        self._rest += data
        return self._cut()

    def _cut(self) -> tuple[int, bytes]:
        """Takes the whole answers out of what has come."""
        rest, position, frames, last = self._rest, 0, [], _lib.TIMEOUT
        while len(rest) - position >= _HEAD:
            size, _, status, _, _ = _ANSWER.unpack_from(rest, position)
            begin = position + _HEAD
            if len(rest) < begin + size:
                break
            position, last = begin + size, status
            frames.append(rest[begin:position])
        del rest[:position]
        data = b"".join(frames)
        return (_lib.OK if data else last), data

    def _more(self, flags: int = 0) -> bytes:
        data = self.recv(_ROOM, flags)
        if not data:
            raise ConnectionResetError
        return data
