"""The command that runs the scripted model server."""

from __future__ import annotations

import json

from pyagent._fake import FakeServer
from pyagent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def fake(options: Namespace) -> int:
    """Serves until Ctrl-C."""
    try:
        script = None if options.script is None else json.loads(options.script)
    except ValueError as error:
        raise ConfigurationError(f"--script must be a JSON object: {error}.", param="script") from None
    with FakeServer(options.port, script) as server:
        print(f"Listening on {server.url} (Ctrl-C ends it)", flush=True)
        server.serve()
    return 0
