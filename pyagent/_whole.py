"""The whole answer of a call that is no stream: the wait for its end, without all that a Stream is made of."""

from __future__ import annotations

from . import _frames
from ._assembly import Assembly
from ._kinds import make_error
from .errors import StreamCancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import TypeVar

    from ._call import Call
    from ._inbox import AsyncCall
    from ._results import Results

    Receiver = TypeVar("Receiver", Assembly, Results)


def wait_for_all(call: Call) -> Assembly:
    """Reads a call to its end and closes it.

    Raises:
        PyAgentError: The call failed, or was closed before its end.
    """
    return wait_for(call, call.assembly or Assembly())


def await_all(call: AsyncCall) -> Awaitable[Assembly]:
    """The twin of `wait_for_all` for coroutines."""
    return await_for(call, call.assembly or Assembly())


def wait_for(call: Call, receiver: Receiver) -> Receiver:
    """Reads a call to its end into a receiver, and closes it."""
    try:
        while not receiver.ended:
            data = call.receive()
            if data is None:
                raise StreamCancelledError("The request was closed before its end.", partial_text=receiver.text)
            receiver.add(data)
    finally:
        call.close()
    return _checked(receiver)


async def await_for(call: AsyncCall, receiver: Receiver) -> Receiver:
    """The twin of `wait_for` for coroutines."""
    try:
        while not receiver.ended:
            data = call.take()
            if data:
                receiver.add(data)
            else:
                await call.arrival()
        call.end()
    finally:
        call.close()
    return _checked(receiver)


def _checked(receiver: Receiver) -> Receiver:
    if receiver.ended == _frames.ERROR:
        raise make_error(receiver.failure, receiver.text)
    return receiver
