"""fork() in the middle of streams, with servers that notice everything; the deeper cases are in ../life."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")


def behave_well(visit, wire):
    """A long stream takes half a second; other requests are answered at once."""
    if visit.request()[1]["messages"][-1]["content"] == "long":
        visit.send(wire.head(), *[wire.piece("a ")] * 20, wire.piece("end", "stop"), wire.done, pause=0.02)
    else:
        visit.send(wire.whole("short"))


LONG = "a " * 20 + "end"
FORK = """
    pid = os.fork()
    if pid == 0:
        try:
            {child}
            os._exit(7)
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
    ended = lambda: os.waitpid(pid, 0)[1] >> 8
"""


def fork(*child):
    """Lines of a program that run in a forked child; `ended()` waits for it and is 7 if all of them have run."""
    return FORK.format(child="\n            ".join(child)).strip()


def test_a_child_asks_while_the_parent_streams(alone, wire):
    printed, _ = alone(
        lambda visit: behave_well(visit, wire),
        "stream = client.stream(provider, 'long')",
        "begun = next(stream)",
        fork("assert CLIENTS[sys.argv[1]]().text(provider) == 'short'"),
        "print(begun + ''.join(stream), ended())",
    )
    assert printed == [f"{LONG} 7"]


def test_a_child_that_reads_its_parents_stream(alone, wire):
    """It is told so at once, and the parent goes on."""
    printed, _ = alone(
        lambda visit: behave_well(visit, wire),
        "stream = client.stream(provider, 'long')",
        "begun = next(stream)",
        fork(
            "try: client.step(stream)",
            "except errors.InternalError as error: assert 'fork' in str(error)",
            "else: raise AssertionError('read')",
        ),
        "print(begun + ''.join(stream), ended())",
    )
    assert printed == [f"{LONG} 7"]


def test_a_child_that_ends_leaves_its_parents_connections_alone(alone, wire):
    """Also when it drops what it has inherited."""
    printed, _ = alone(
        lambda visit: behave_well(visit, wire),
        "streams = [client.stream(provider, 'long') for _ in range(3)]",
        "begun = [next(stream) for stream in streams]",
        fork("import gc", "streams.clear()", "gc.collect()"),
        "print(ended())",
        "for first, stream in zip(begun, streams): print(first + ''.join(stream))",
    )
    assert printed == ["7", *[LONG] * 3]
