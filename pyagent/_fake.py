"""FakeServer: the scripted model server on loopback, for `pyagent fake` and for tests over real sockets."""

from __future__ import annotations

from . import _frames
from ._call import Client
from ._kinds import make_error
from ._request import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class FakeServer:
    """A model server that answers as scripts say. It runs until it is closed.

    Args:
        port: Where to listen on 127.0.0.1; 0 takes any free port.
        script: How to answer requests that bring no script of their own.

    Raises:
        ConfigurationError: The port is taken, or the script has an unknown field.
    """

    __slots__ = ("_call", "address")

    def __init__(self, port: int = 0, script: dict[str, Any] | None = None) -> None:
        options: dict[str, Any] = {"port": port}
        if script is not None:
            options["script"] = script
        client = Client.open(b'{"provider":"echo"}')
        self._call = client.start(dump({"op": "fake", "fake": options}))
        self.address: str = self._wait()["listening"]

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://{self.address}/v1"

    def serve(self) -> None:
        """Waits for ever; Ctrl-C ends the wait and the server.

        Raises:
            APIConnectionError: The server broke down.
        """
        self._wait()

    def close(self) -> None:
        """Ends the server and its connections."""
        self._call.close()

    def __enter__(self) -> FakeServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _wait(self) -> dict[str, Any]:
        """The next notice of the server."""
        data = self._call.receive()
        for kind, _, _, payload in _frames.split(data or b""):
            value: dict[str, Any] = _frames.parse(payload)
            if kind == _frames.ERROR:
                raise make_error(value)
            return value
        return {}
