"""Python without the lock around everything: pyagent leaves it off, and threads share what they may share."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig

import pytest

pytestmark = pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has the lock around everything"
)

PROGRAM = """
import asyncio, sys, threading
from pyagent import *
provider = Provider.echo()
text = "word " * 500
failures = []

def ask(stream):
    try:
        for _ in range(20):
            assert provider.generate_text("one") == "one"
            assert "".join(provider.stream_text(text)) == text
            assert list(provider.map(["a", "b", "c"])) == ["a", "b", "c"]
        assert asyncio.run(provider.agenerate_text("two")) == "two"
        read.append("".join(stream))
    except BaseException as failure:
        failures.append(failure)

read = []
threads = [threading.Thread(target=ask, args=[provider.stream_text(text)]) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failures, failures
assert read == [text] * 8
print(sys._is_gil_enabled())
"""


def test_the_lock_stays_off_while_threads_ask() -> None:
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", PROGRAM]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON_GIL"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")
