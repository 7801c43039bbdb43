"""What the cases of a hostile world have in common besides their fixtures."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

import pytest

both = pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])


def bytes_of(data: bytes) -> list[bytes]:
    """Every byte by itself."""
    return [data[i : i + 1] for i in range(len(data))]


def collect_where_late() -> None:
    """PyPy sees at its next collection what CPython sees at once: that nothing refers to an object any more."""
    if sys.implementation.name == "pypy":
        gc.collect()


def wait_until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    """Waits for what other threads bring about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        collect_where_late()
        time.sleep(0.01)
