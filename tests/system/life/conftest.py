"""What the tests of a process's life share: a scripted server outside of it, and a way to run whole programs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import pyagent
from pyagent._fake import FakeServer

CORE = {"PYAGENT_LIBRARY", "PYAGENT_EXECUTABLE", "PYAGENT_TRANSPORT"}
# In the child of a fork PyPy finds the generators that other threads of the parent were in, and cannot end them.
PYPYS_OWN = "Exception ignored in: finalizer of  <generator object .*>\nValueError: generator already executing\n"
CACHE = Path(__file__).resolve().parents[3] / ".cache"


class Scripted:
    """The scripted model server, and what it says about the requests that it got."""

    def __init__(self, fake: FakeServer) -> None:
        self.address = fake.address
        self.url = fake.url

    def requests(self) -> list[dict[str, Any]]:
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request("GET", "/_fake/requests")
            return list(json.load(connection.getresponse()))
        finally:
            connection.close()

    def wait_for_ends(self, seconds: float = 5.0) -> list[dict[str, Any]]:
        """All requests, once none of them is open any more."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.requests()
            if all(request["state"] != "open" for request in seen):
                return seen
            assert time.monotonic() < deadline, f"open after {seconds} s: {seen}"
            time.sleep(0.01)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with FakeServer() as fake:
        yield Scripted(fake)


class Program:
    """Runs Python programs in processes of their own, with every warning an error."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        paths = [str(Path(pyagent.__file__).parents[1]), str(Path(__file__).parent)]
        settings = {name for name in os.environ if name.startswith("PYAGENT_") or name.upper().endswith("_PROXY")}
        kept = {name: os.environ[name] for name in os.environ if name not in settings - CORE}
        self.environment = {**kept, "SCRIPTED_URL": url, "PYTHONPATH": os.pathsep.join(paths)}

    def command(self, code: str, python: str = sys.executable) -> list[str]:
        file = self.folder / "program.py"
        file.write_text("from asking import *\n" + code)
        return [python, "-W", "error", "-X", "dev", str(file)]

    def __call__(
        self, code: str, said: str = "done\n", *, code_expected: int = 0, wrong: str = "", seconds: float = 60,
        python: str = sys.executable, paths: Sequence[Path] = (), **variables: str,
    ) -> str:  # fmt: skip
        """Runs a program and checks how it ended: its exit code (minus the signal's number, if one killed it), all of
        its standard output, and a pattern for all of its standard error. Returns that error output."""
        environment = {**self.environment, **variables}
        environment["PYTHONPATH"] = os.pathsep.join([environment["PYTHONPATH"], *map(str, paths)])
        process = subprocess.Popen(
            self.command(code, python), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
            start_new_session=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # -X dev enables faulthandler: it shows where the threads are
            process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its children, who hold the pipes open
            out, err = process.communicate()
            pytest.fail(f"not done within {seconds} s; it said:\n{out}\n{err}")
        if sys.implementation.name == "pypy":
            err = re.sub(PYPYS_OWN, "", err)
        assert (process.returncode, out) == (code_expected, said), err
        assert re.fullmatch(wrong, err, re.DOTALL), err
        return err


@pytest.fixture
def run(tmp_path: Path, scripted: Scripted) -> Program:
    return Program(tmp_path, scripted.url)


@pytest.fixture(scope="session")
def fetched() -> Callable[[str], Path]:
    """Fetches a package and what it needs into .cache, once for each checkout and Python; the folder to import from."""

    def fetch(package: str) -> Path:
        folder = CACHE / f"{package}-{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"
        if not folder.exists():
            begun = folder.with_name(f"{folder.name}-{os.getpid()}")
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            command = [*pip, "--only-binary", ":all:", "--target", str(begun), package]
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
            if done.returncode:
                pytest.skip(f"{package} cannot be fetched; `{' '.join(command)}` says: {done.stderr.strip()[-300:]}")
            with contextlib.suppress(OSError):  # another run was faster
                begun.rename(folder)
        return folder

    return fetch
