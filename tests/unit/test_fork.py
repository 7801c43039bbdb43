"""After fork(): the child works, streams from before say why they cannot be used, and closing them is nothing."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Server

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")

# Each case runs in a process of its own: a fork of the test runner would fork pytest. A child ends by os._exit with 0
# only if it got to the end; the outer process says so.
FORKING = """
import gc, os, sys, threading, warnings
from pyagent import InternalError, Provider, StreamCancelledError
warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)

provider = Provider.compatible("m", base_url={url!r})
slow = {{"fake": {{"pieces": ["a"], "repeat": 100, "delay": 0.02}}}}

def fork(child):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

{case}
print("done")
"""

WORKS = """
assert [provider.generate_text("before") for _ in range(9)] == ["before"] * 9
def child():
    assert provider.generate_text("in the child") == "in the child"
    assert "".join(provider.stream_text("a b")) == "a b"
    fork(lambda: provider.generate_text("in the grandchild") == "in the grandchild" or sys.exit(1))
    assert provider.generate_text("again") == "again"
fork(child)
fork(child)
assert provider.generate_text("after") == "after"
"""

FIRST_USE = """
fork(lambda: provider.generate_text("first") == "first" or sys.exit(1))
assert provider.generate_text("parent") == "parent"
"""

OLD_STREAM = """
stream = provider.stream("", extra_body=slow)
assert next(stream) == "a"
def child():
    try:
        list(stream)
    except InternalError as error:
        assert isinstance(error, RuntimeError) and "before os.fork()" in str(error), error
    else:
        sys.exit(1)
    stream.close()
    stream.cancel()
    assert provider.generate_text("new") == "new"
fork(child)
assert len("".join(stream)) == 99
"""

MAPS = """
begun, new = provider.map(["a"] * 3, concurrency=2, extra_body=slow), provider.map(["b", "c"])
assert next(begun) == "a" * 100
def child():
    try:
        list(begun)
    except InternalError as error:
        assert "before os.fork()" in str(error), error
    else:
        sys.exit(1)
    assert list(new) == ["b", "c"]
fork(child)
assert list(begun) == ["a" * 100] * 2
assert list(new) == ["b", "c"]
"""

DROPPED = """
streams = [provider.stream("", extra_body=slow) for _ in range(3)]
assert [next(stream) for stream in streams] == ["a"] * 3
def child():
    streams.clear()
    gc.collect()
fork(child)
assert [len("".join(stream)) for stream in streams] == [99] * 3
"""

CONVERSATION = """
from pyagent import Conversation, SessionConfig
talk = Conversation(provider, config=SessionConfig(extra_body=slow))
streams = [talk.stream("q")]
assert next(streams[0]) == "a"
def child():
    assert not talk.is_busy
    assert talk.generate("c", config=SessionConfig(extra_body={"fake": {"text": "d"}})).text == "d"
    streams.clear()
    gc.collect()
    assert [m["content"] for m in talk.messages] == ["c", "d"]
fork(child)
assert talk.is_busy
assert len("".join(streams[0])) == 99
assert [m["content"] for m in talk.messages] == ["q", "a" * 100]
"""

FROM_A_THREAD = """
provider.generate_text("before")
busy = threading.Thread(target=lambda: list(provider.stream("", extra_body=slow)))
busy.start()
thread = threading.Thread(target=fork, args=(lambda: provider.generate_text("c") == "c" or sys.exit(1),))
thread.start()
thread.join()
busy.join()
"""


@pytest.mark.parametrize(
    "case",
    [WORKS, FIRST_USE, OLD_STREAM, MAPS, DROPPED, CONVERSATION, FROM_A_THREAD],
    ids=["works", "first-use", "old-stream", "maps", "dropped", "conversation", "from-a-thread"],
)
def test_fork(server: Server, case: str) -> None:
    code = FORKING.format(url=server.url, case=case)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "done\n")


def test_without_anonymous_memory_a_file_is_used(server: Server) -> None:
    case = "del os.memfd_create\n" + WORKS if hasattr(os, "memfd_create") else WORKS
    test_fork(server, case)


POOL = """
import multiprocessing, warnings
from pyagent import Provider
warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
provider = Provider.compatible("m", base_url={url!r})
if __name__ == "__main__":
    provider.generate_text("before")
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(provider.generate_text, ["one", "two", "three", "four"]))
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork pools here")
def test_a_pool_of_forked_workers(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", POOL.format(url=server.url)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['one', 'two', 'three', 'four']\n"
