"""Interpreters beside the main one, in the same process: each loads the package for itself, and all use one library."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

MODULE = next((name for name in ("_interpreters", "_xxsubinterpreters") if importlib.util.find_spec(name)), "")
ASK = """
import asyncio, sys
sys.path[:] = {path!r}
import pyagent
provider = pyagent.Provider.echo()
assert provider.generate_text("one two") == "one two"
assert "".join(provider.stream_text("one two three")) == "one two three"
if sys.version_info >= (3, 12):  # before, the interpreters of a process share what asyncio takes for the running loop
    assert asyncio.run(provider.agenerate_text("four")) == "four"
"""
PROGRAM = """
import threading
import {module} as interpreters

def run():
    made = interpreters.create({how})
    failed = getattr(interpreters, "exec", interpreters.run_string)(made, ASK)
    assert failed is None, failed
    interpreters.destroy(made)
    done.append(made)

ASK = {ask!r}
done = []
run()
exec(ASK)
threads = [threading.Thread(target=run) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
exec(ASK)
print(len(done), "interpreters")
"""


@pytest.mark.skipif(not MODULE, reason="this Python has one interpreter in a process")
def test_every_interpreter_asks() -> None:
    # ctypes is not for those of 3.12 that have a lock of their own.
    how = "isolated=False" if sys.version_info[:2] == (3, 12) else ""
    program = PROGRAM.format(module=MODULE, how=how, ask=ASK.format(path=sys.path))
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "4 interpreters\n", "")
