"""The server of recorded answers, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import recorded
from replaying import Replay


@pytest.fixture(scope="session")
def replay() -> Iterator[Replay]:
    server = Replay(recorded.load())
    yield server
    server.stop()
