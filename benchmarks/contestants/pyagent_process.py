"""pyagent with its core in a process of its own, as on musl. The CPU time and memory of both count."""

from __future__ import annotations

import os

from contestants import pyagent_
from contestants.pyagent_ import acomplete, astream, complete, stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["acomplete", "aconnect", "astream", "complete", "connect", "stream"]

LABEL = "pyagent (process)"
PACKAGE = ""  # this checkout
MODULE = "pyagent"
DELTAS = 200_000
REQUESTS = 1_000
REFUSES = {"start": "what its other process takes cannot be seen from outside"}


def connect(base_url: str) -> Any:
    os.environ["PYAGENT_TRANSPORT"] = "process"
    return pyagent_.connect(base_url)


async def aconnect(base_url: str) -> Any:
    return connect(base_url)
