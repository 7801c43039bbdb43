"""What the cases of a hostile world have in common besides their fixtures."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

both = pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])


def bytes_of(data: bytes) -> list[bytes]:
    """Every byte by itself."""
    return [data[i : i + 1] for i in range(len(data))]


def wait_until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    """Waits for what other threads bring about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.01)
