"""The package itself: lazy names, their types, and what importing and typing promise."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import pyagent


def test_every_name_of_all_is_there() -> None:
    assert len(set(pyagent.__all__)) == len(pyagent.__all__)
    for name in pyagent.__all__:
        assert getattr(pyagent, name) is getattr(pyagent, name)
    assert pyagent.TextStream is pyagent.Stream


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'pyagent' has no attribute 'Provder'"):
        _ = pyagent.Provder  # type: ignore[attr-defined]


def test_from_import_star() -> None:
    names: dict[str, object] = {}
    exec("from pyagent import *", names)
    assert set(pyagent.__all__) <= set(names)


def test_the_import_is_quick() -> None:
    script = "import time; t = time.perf_counter(); import pyagent; print(time.perf_counter() - t)"
    times = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20)
        times.append(float(done.stdout))
    assert min(times) < 0.015


def test_the_first_request_is_quick() -> None:
    # On the processors, all threads together: other programs take their share of the time that passes.
    script = (
        "import time; t = time.process_time(); import pyagent; pyagent.Provider.echo().generate_text('x'); "
        "print(time.process_time() - t)"
    )
    times = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20)
        times.append(float(done.stdout))
    assert min(times) < 0.2


def test_the_types_are_shipped() -> None:
    assert Path(pyagent.__file__).with_name("py.typed").exists()


def test_reading_a_burst_costs_little_python() -> None:
    """A gross check that nothing is done per delta; benchmarks/ measures it."""
    stream = pyagent.Provider.echo().stream_text(
        "", extra_body={"fake": {"pieces": ["tok "], "repeat": 200_000, "per_write": 64}}
    )
    before = time.thread_time()
    count = sum(1 for _ in stream)
    spent = time.thread_time() - before
    assert count == 200_000
    assert spent / count < 1e-6
