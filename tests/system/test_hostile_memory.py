"""Answers that are far too large, endless, or packed small: they fit in bounded memory or are refused.

Each client is a process of its own, so that its peak of resident memory is that of one answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of memory from /proc"),
]

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20

CLIENT = """
import sys, time
from pyagent import Limits, Provider, Timeouts, errors
provider = Provider("m", api_key="k", base_url=sys.argv[1], provider="openai", max_retries=0)
try:
    {program}
except errors.PyAgentError as error:
    print(type(error).__name__, error.message)
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.fixture
def client(hostile):
    """Runs a program against a server with this behaviour; gives what it printed and its peak of memory in MiB."""

    def run(behave, program):
        server = hostile(behave)
        command = [sys.executable, "-W", "error", "-c", CLIENT.format(program=program), server.url]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=90, env=environment
        )
        assert (done.returncode, done.stderr) == (0, "")
        *printed, peak = done.stdout.splitlines()
        return printed, int(peak)

    return run


def test_an_event_of_16_mib(client, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("x" * 16 * MIB), wire.piece("", "stop"), wire.done)

    printed, peak = client(behave, "print(len(''.join(provider.stream('x'))))")
    assert printed == [str(16 * MIB)]
    assert peak < 800


def test_an_answer_of_64_mib(client, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.whole("x" * 64 * MIB))

    printed, peak = client(behave, "print(len(provider.generate_text('x')))")
    assert printed == [str(64 * MIB)]
    assert peak < 1200


def test_a_long_stream_is_not_kept_twice(client, wire):
    """64 MiB in pieces of 64 KiB: the text is kept for partial_text, the pieces are not."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), *[wire.piece("x" * 65536)] * 1024, wire.piece("", "stop"), wire.done)

    printed, peak = client(behave, "print(sum(map(len, provider.stream('x'))))")
    assert printed == [str(64 * MIB)]
    assert peak < 400


def endless(visit):
    while True:
        visit.send(b"x" * 65536)


@pytest.mark.parametrize(
    ("start", "program", "named"),
    [
        (b"data: ", "list(provider.stream('x', limits=Limits(event_bytes=1_000_000)))", "event_bytes"),
        (b'{"choices": "', "provider.generate('x', limits=Limits(body_bytes=1_000_000))", "body_bytes"),
        (b'{"choices": "', "list(provider.stream('x', limits=Limits(body_bytes=1_000_000)))", "body_bytes"),
    ],
    ids=["event", "body", "body of a stream"],
)
def test_what_never_ends_is_refused(client, wire, start, program, named):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), start)
        endless(visit)

    (said,), peak = client(behave, program)
    assert said.startswith("LimitExceededError")
    assert named in said
    assert "1000000" in said
    assert peak < 120


def test_a_comment_that_never_ends_is_not_kept(client, wire):
    """It is no event, so no limit is reached; it is no progress either, so the clock runs out."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), b": ")
        endless(visit)

    (said,), peak = client(behave, "list(provider.stream('x', timeouts=Timeouts(first_token=1)))")
    assert said.startswith("APITimeoutError")
    assert peak < 120


def test_a_header_that_never_ends_is_refused(client):
    def behave(visit):
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nx: ")
        endless(visit)

    (said,), peak = client(behave, "provider.generate('x')")
    assert said.startswith("LimitExceededError")
    assert "header_bytes" in said
    assert peak < 120


def test_an_error_page_that_never_ends_is_cut(client, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(status="HTTP/1.1 500 Oh", kind="text/html"), b"<html>")
        endless(visit)

    (said,), peak = client(behave, "provider.generate('x')")
    assert said.startswith("InternalServerError")
    assert len(said) < 2000
    assert peak < 120


@pytest.mark.parametrize("method", ["stream", "generate"])
def test_a_bomb_is_refused(client, wire, method):
    """A kilobyte of gzip for a megabyte of text, a thousand times: limits count what it unpacks to."""
    press = zlib.compressobj(wbits=31)
    start = b"data: " if method == "stream" else b'{"choices": "'
    packed = press.compress(start) + b"".join(press.compress(b"x" * MIB) for _ in range(1024)) + press.flush()
    assert len(packed) < 2 * MIB

    def behave(visit):
        visit.request()
        visit.send(wire.head("content-encoding: gzip"), packed)

    limits = "limits=Limits(event_bytes=4_000_000, body_bytes=4_000_000)"
    program = f"provider.generate('x', {limits})" if method == "generate" else f"list(provider.stream('x', {limits}))"
    (said,), peak = client(behave, program)
    assert said.startswith("LimitExceededError")
    assert peak < 150


def test_a_reader_that_sleeps_slows_the_server_down(client, wire):
    sent = []

    def behave(visit):
        visit.request()
        visit.send(wire.head())
        while True:
            visit.send(wire.piece("x" * 1000))
            sent.append(time.monotonic())

    program = "stream = provider.stream('x'); print(len(next(stream))); time.sleep(2); stream.close()"
    printed, peak = client(behave, program)
    assert printed == ["1000"]
    assert peak < 150
    assert len(sent) < 40_000, "the server is held back after some megabytes"
    assert [moment for moment in sent if sent[-1] - 1 < moment < sent[-1] - 0.3] == [], "and stays so"
