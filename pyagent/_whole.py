"""The whole answer of a one-shot call: the wait for its end, without all that a Stream is made of."""

from __future__ import annotations

from . import _frames
from ._assembly import Assembly
from ._kinds import make_error
from .errors import StreamCancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._call import Call
    from ._inbox import AsyncCall


def wait_for_all(call: Call) -> Assembly:
    """Reads a call to its end and closes it.

    Raises:
        PyAgentError: The call failed, or was closed before its end.
    """
    assembly = Assembly()
    try:
        while not assembly.ended:
            data = call.receive()
            if data is None:
                raise StreamCancelledError("The request was closed before its end.", partial_text=assembly.text)
            assembly.add(data)
    finally:
        call.close()
    return _checked(assembly)


async def await_all(call: AsyncCall) -> Assembly:
    """The twin of `wait_for_all` for coroutines."""
    assembly = Assembly()
    try:
        while not assembly.ended:
            data = call.take()
            if data:
                assembly.add(data)
            else:
                await call.arrival()
        call.end()
    finally:
        call.close()
    return _checked(assembly)


def _checked(assembly: Assembly) -> Assembly:
    if assembly.ended == _frames.ERROR:
        raise make_error(assembly.failure, assembly.text)
    return assembly
