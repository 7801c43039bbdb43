"""Beside and inside other people's software: another Go library, gunicorn, uvloop, trio, anyio."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()"),
]

GUNICORN = "gunicorn==23.0.0"
UVLOOP = "uvloop==0.22.1"
TRIO = "trio==0.31.0"
ANYIO = "anyio==4.11.0"
TLS_CLIENT = "tls-client==1.0.1"

TWO_RUNTIMES = """
import http.server, warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tls_client
class Plain(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain)
serving = threading.Thread(target=server.serve_forever)
serving.start()
session = tls_client.Session(client_identifier="chrome_120")
def other():
    assert session.get(f"http://127.0.0.1:{server.server_port}/").text == "ok"
FIRST()
SECOND()
stream = provider.stream("", **SLOW)
in_threads(*[lambda: [ask() for _ in range(30)]] * 3, *[lambda: [other() for _ in range(20)]] * 2)
for _ in range(3):
    fork(ask)
fork(lambda: fork(ask))
assert len("".join(stream)) == 50
ask()
other()
session.close()
server.shutdown()
serving.join()
server.server_close()
print("done")
"""

# One text of a program for every kind of loop; the way to run a coroutine function is what differs.
LOOPS = """
import gc
RUNNER
async def aask():
    assert await provider.agenerate_text("hi") == "hi"
    assert "".join([piece async for piece in provider.astream_text("a b")]) == "a b"
async def main():
    await aask()
    left_open.append(provider.astream("", **ENDLESS))
    assert await left_open[-1].__anext__() == "a"
    ask()
left_open = []
for _ in range(10):
    run(main)
before = descriptors()
for _ in range(30):
    run(main)
assert descriptors() <= before + 2, (before, descriptors())
def child():
    run(aask)
    ask()
    left_open.clear()
    gc.collect()
fork(child)
in_threads(*[lambda: [run(aask) for _ in range(5)]] * 4)
left_open.clear()
gc.collect()
run(aask)
gc.collect()
wait_until_closed()
print("done")
"""

RUNNERS = {
    "uvloop": (UVLOOP, "import uvloop\ndef run(function): return uvloop.run(function())"),
    "trio": (TRIO, "import trio\nrun = trio.run"),
    "anyio-on-asyncio": (ANYIO, "import anyio\nrun = anyio.run"),
}

FORK_INSIDE_A_LOOP = """
import asyncio, gc
RUNNER
async def aask():
    assert await provider.agenerate_text("hi") == "hi"
async def main():
    stream = provider.astream("", **SLOW)
    assert await stream.__anext__() == "a"
    def child():
        asyncio.events._set_running_loop(None)
        asyncio.run(aask())
        ask()
    pid = start_fork(child)
    assert len("".join([piece async for piece in stream])) == 49
    wait_for(pid)
    await aask()
run(main)
print("done")
"""

APPLICATION = """
import os
from pyagent import Provider

provider = Provider.compatible("m", base_url=os.environ["SCRIPTED_URL"])
assert provider.generate_text("before the fork") == "before the fork"
assert "".join(provider.stream_text("a stream too")) == "a stream too"
kept = provider.stream("", extra_body={"fake": {"pieces": ["a"], "repeat": 100000, "delay": 0.02}})
assert next(kept) == "a"


def application(environ, start_response):
    question = environ["QUERY_STRING"]
    answer = provider.generate_text(question)
    if question == "stream":
        answer = "".join(provider.stream_text(question))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Worker", str(os.getpid()))])
    return [answer.encode()]
"""


@pytest.mark.parametrize("order", [("ask", "other"), ("other", "ask")], ids=["pyagent-first", "pyagent-second"])
def test_a_second_go_runtime(run, fetched, order):
    program = TWO_RUNTIMES.replace("FIRST", order[0]).replace("SECOND", order[1])
    run(program, paths=[fetched(TLS_CLIENT)])


@pytest.mark.parametrize("name", RUNNERS)
def test_loops(run, fetched, name):
    package, runner = RUNNERS[name]
    run(LOOPS.replace("RUNNER", runner), paths=[fetched(package)], PYTHONASYNCIODEBUG="1" if name != "trio" else "")


def test_a_fork_inside_uvloop(run, fetched):
    program = FORK_INSIDE_A_LOOP.replace("RUNNER", RUNNERS["uvloop"][1])
    run(program, paths=[fetched(UVLOOP)])


def ask(port, question):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/?{question}", timeout=10) as answer:
        return answer.read().decode(), int(answer.headers["X-Worker"])


@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_gunicorn_that_loads_the_application_before_it_forks(run, fetched, scripted, tmp_path, kind):
    """Three workers answer; reloaded by SIGHUP new ones do, too; SIGTERM ends all of them cleanly."""
    folder = fetched(GUNICORN)
    (tmp_path / "application.py").write_text(APPLICATION)
    environment = {**run.environment, "PYTHONPATH": os.pathsep.join([run.environment["PYTHONPATH"], str(folder)])}
    log = tmp_path / "log"
    command = [sys.executable, "-X", "faulthandler", "-m", "gunicorn", "--preload", "--workers=3"]
    command += [f"--worker-class={kind}", f"--threads={4 if kind == 'gthread' else 1}"]
    command += ["--bind=127.0.0.1:0", "--graceful-timeout=5", "application:application"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=output, stderr=output)
    try:
        wait_for(lambda: log.read_text().count("Booting worker") >= 3, log)
        port = int(re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text())[1])
        workers = set()
        deadline = time.monotonic() + 20
        while len(workers) < 3 and time.monotonic() < deadline:
            for question in ("whole", "stream"):
                text, worker = ask(port, question)
                assert text == question
                workers.add(worker)
        assert len(workers) >= 2, workers  # the kernel chooses, and rarely leaves one out
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: log.read_text().count("Booting worker") >= 6, log)
        wait_for(lambda: answers_anew(port, workers), log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    said = log.read_text()
    assert "Shutting down: Master" in said
    for word in ("Traceback", "Fatal", "goroutine", "SIGSEGV", "SIGABRT", "SIGKILL"):
        assert word not in said, said
    left_open = [request for request in scripted.wait_for_ends() if request["deltas_sent"] > 10]
    assert [request["state"] for request in left_open] == ["disconnected"]


def answers_anew(port, workers):
    """Whether a worker answers that is none of these; an old one may leave in the middle of a connection."""
    with contextlib.suppress(OSError):
        text, worker = ask(port, "again")
        return text == "again" and worker not in workers
    return False


def wait_for(condition, log):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
