"""Other interpreters: sub-interpreters, other versions of Python, PyPy, a Python without the GIL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# In a sub-interpreter pyagent works where ctypes does; elsewhere it is importing ctypes that fails, in ctypes' words.
SUB_INTERPRETERS = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
INNER = '''
import os, sys
sys.path[:0] = {paths!r}
try:
    import ctypes
except ImportError as error:
    assert "subinterpreters" in str(error), error
    from pyagent import Provider
    try:
        Provider.compatible("m", base_url=os.environ["SCRIPTED_URL"]).generate_text("hi")
    except ImportError as error:
        assert "subinterpreters" in str(error), error
    else:
        raise AssertionError
else:
    from pyagent import Provider
    provider = Provider.compatible("m", base_url=os.environ["SCRIPTED_URL"])
    assert provider.generate_text("hi") == "hi"
    stream = provider.stream("", extra_body={{"fake": {{"pieces": ["a"], "repeat": 1000, "delay": 0.02}}}})
    assert next(stream) == "a"
'''.format(paths=sys.path[:5])
def run_inside():
    inner = interpreters.create()
    failed = interpreters.run_string(inner, INNER)
    assert failed is None, failed
    interpreters.destroy(inner)
FIRST
stream = provider.stream("", **SLOW)
for _ in range(2):
    run_inside()
    ask()
in_threads(run_inside)
assert len("".join(stream)) == 50
wait_until_closed()
fork(ask)
print("done")
"""

# What of a process's life differs between interpreters: finalisers, forks, threads, handlers.
ALL_OF_IT = """
import gc, signal
ask()
stream = provider.stream("", **SLOW)
next(stream)
streams = [provider.stream("", **ENDLESS) for _ in range(5)]
for one in streams:
    next(one)
def child():
    streams.clear()
    gc.collect()
    ask()
    fork(ask)
for _ in range(3):
    fork(child)
del one
streams.clear()
in_threads(*[lambda: [ask() for _ in range(20)]] * 4)
ticks = []
signal.signal(signal.SIGALRM, lambda *_: ticks.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
assert len("".join(stream)) == 49
in_threads(*[lambda: [ask() for _ in range(20)]] * 4)
signal.setitimer(signal.ITIMER_REAL, 0)
assert len(ticks) > 20
def cut():
    other = provider.stream("", **SILENT)
    next(other)
    threading.Timer(0.05, other.close).start()
    try:
        next(other)
    except StreamCancelledError:
        return
    raise AssertionError
from pyagent import StreamCancelledError
in_threads(*[cut] * 4)
import asyncio
async def main():
    texts = await asyncio.gather(*[provider.agenerate_text(str(number)) for number in range(20)])
    assert texts == [str(number) for number in range(20)]
    assert "".join([piece async for piece in provider.astream("", **SLOW)]) == "a" * 50
asyncio.run(main())
del stream
for _ in range(3):
    gc.collect()
wait_until_closed()
print("done")
"""


VERSIONS = ["python3.9", "python3.12", "python3.13", "python3.14", "python3.14t", "pypy3"]


@pytest.fixture(params=VERSIONS)
def other(request: pytest.FixtureRequest) -> str:
    """Another Python, from PATH or from pyenv."""
    name = request.param
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    for python in (shutil.which(name), *sorted(map(str, pyenv.glob(f"versions/*/bin/{name}")))):
        if python and not subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode:
            return python
    pytest.skip(f"{name} is neither on PATH nor in {pyenv}; install one, for example with pyenv")


def test_another_python(run, other):
    run(ALL_OF_IT, python=other)


def test_sub_interpreters(run, other):
    if "pypy" in other or other.endswith("3.9"):
        pytest.skip("CPython 3.12 and newer are what differs from this one")
    run(SUB_INTERPRETERS.replace("FIRST", "ask()"), python=other)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="sub-interpreters are CPython's")
def test_sub_interpreters_that_come_first(run):
    run(SUB_INTERPRETERS.replace("FIRST", ""))
