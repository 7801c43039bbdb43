"""A process that has no file descriptor left gets errors, and lives; with some it works again."""

from __future__ import annotations

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="this system has no limit on descriptors")

# Each child has another number of descriptors left at its first use; what is imported needs them too, so it is there.
FIRST_USE = """
import asyncio, resource
from pyagent import _aio, _call, _loading, _whole, stream, async_stream
from pyagent.errors import PyAgentError
held = []
def fill(left):
    while True:
        try:
            held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            break
    for _ in range(left):
        os.close(held.pop())
def give_back():
    while held:
        os.close(held.pop())
async def aask():
    assert await provider.agenerate_text("hi") == "hi"
async def aask_in_want(left):
    fill(left)
    try:
        await aask()
    finally:
        give_back()
def expect(use, *arguments):
    try:
        use(*arguments)
    except (PyAgentError, OSError) as error:
        assert "Too many open files" in str(error) or "too many open files" in str(error), error
        return 1
    return 0
def child(left, loaded):
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    if loaded:
        _loading.runtime()
    fill(left)
    failed = expect(ask)
    give_back()
    ask()
    asyncio.run(aask())
    failed += expect(asyncio.run, aask_in_want(left))
    asyncio.run(aask())
    assert failed or left >= 3, "nothing was missing"
for left in range(8):
    for loaded in (False, True):
        fork(lambda: child(left, loaded))
print("done")
"""


@pytest.mark.library("a process has descriptors of its own")
def test_descriptors_run_out_before_the_first_use(run):
    run(FIRST_USE)
