"""Which core is chosen: the library in this process, or the executable in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pyagent import ConfigurationError, InternalError, Provider, _lib, _loading, get_executable

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not os.path.exists(get_executable()),
    reason="there is no executable of the core here; `make build` makes one",
)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A core is chosen anew, with the usual places and no wish."""
    for name in ("PYAGENT_TRANSPORT", "PYAGENT_LIBRARY", "PYAGENT_EXECUTABLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_loading, "_runtime", None)
    return monkeypatch


def test_a_transport_that_is_none(anew: pytest.MonkeyPatch) -> None:
    anew.setenv("PYAGENT_TRANSPORT", "pigeon")
    with pytest.raises(ConfigurationError, match="'pigeon'; set it to 'library' or 'process'") as caught:
        _loading.runtime()
    assert caught.value.param == "PYAGENT_TRANSPORT"


def test_a_library_that_is_not_there_means_the_executable(anew: pytest.MonkeyPatch) -> None:
    anew.setattr(_loading, "get_library", lambda: "/nowhere/libpyagent.so")
    assert Provider.echo().generate_text("hi") == "hi"
    assert _loading.runtime().path == get_executable()
    bury()


def test_a_library_that_cannot_be_loaded_is_told_and_replaced(anew: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "libpyagent.so"
    file.write_text("text")
    anew.setattr(_loading, "get_library", lambda: str(file))
    with pytest.warns(RuntimeWarning, match=r"cannot be loaded: .*through its executable.*PYAGENT_TRANSPORT=process"):
        assert Provider.echo().generate_text("hi") == "hi"
    bury()
    anew.setattr(_loading, "_runtime", None)
    anew.setenv("PYAGENT_TRANSPORT", "library")
    with pytest.raises(InternalError, match="cannot be loaded"):
        _loading.runtime()


def test_a_library_that_the_user_names_is_not_replaced(anew: pytest.MonkeyPatch, tmp_path: Path) -> None:
    anew.setenv("PYAGENT_LIBRARY", str(tmp_path / "none.so"))
    with pytest.raises(InternalError, match=r"none\.so does not exist"):
        _loading.runtime()


def bury() -> None:
    """Ends the process of a test that has no use for the fixture."""
    loaded: Any = _loading.runtime()
    loaded._door.shutdown(socket.SHUT_RDWR)
    assert not loaded.alive


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0, "cannot be started: No such file or directory. Reinstall .* PYAGENT_EXECUTABLE"),
        ("text", 0o600, "cannot be started: Permission denied. Reinstall"),
        ("#!/bin/sh\nexit 3\n", 0o700, "is not pyagent's executable, .*: it has ended with status 3. .*Reinstall"),
        (
            "#!/bin/sh\necho a reason >&2\nexit 3\n",
            0o700,
            ".*: it has ended with status 3 and said 'a reason'. Reinstall",
        ),
        ("#!/bin/sh\nexec cat\n", 0o700, "is not pyagent's executable"),
    ],
    ids=["missing", "no-program", "ends", "ends-with-a-reason", "another"],
)
def test_an_executable_that_is_none(
    anew: pytest.MonkeyPatch, tmp_path: Path, content: str | None, mode: int, said: str
) -> None:
    file = tmp_path / "elsewhere"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    anew.setenv("PYAGENT_EXECUTABLE", str(file))
    anew.setenv("PYAGENT_TRANSPORT", "process")
    with pytest.raises(InternalError, match=f"{file} {said}"):
        _loading.runtime()


def test_another_version(anew: pytest.MonkeyPatch) -> None:
    anew.setenv("PYAGENT_TRANSPORT", "process")
    anew.setattr(_lib, "ABI_VERSION", 2)
    with pytest.raises(InternalError, match=r"has ABI version 1, but this pyagent needs ABI version 2\..*reinstall"):
        _loading.runtime()


def test_doctor_says_what_is_in_use(anew: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "pyagent", "doctor"]
    environment = {**os.environ, "PYAGENT_TRANSPORT": "process"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert f"the executable {get_executable()}\n" in done.stdout
    environment["PYAGENT_TRANSPORT"] = "pigeon"
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "'pigeon'; set it to" in done.stdout


def test_by_hand_it_says_what_it_is() -> None:
    done = subprocess.run([get_executable()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "started as" in done.stderr


def test_two_pipes_are_enough_for_a_program_in_any_language() -> None:
    """The messages as docs/process.md has them, without a line of pyagent's."""
    with subprocess.Popen([get_executable(), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as core:
        assert core.stdin
        assert core.stdout

        def send(sequence: int, operation: int, number: int, handle: int, inbox: int, payload: bytes) -> None:
            assert core.stdin
            head = struct.pack("<IIIiQQ", len(payload), sequence, operation, number, handle, inbox)
            core.stdin.write(head + payload)
            core.stdin.flush()

        def receive() -> tuple[int, int, int, bytes]:
            assert core.stdout
            size, sequence, status, nothing, value = struct.unpack("<IIiIQ", core.stdout.read(24))
            assert nothing == 0
            return sequence, status, value, core.stdout.read(size)

        send(1, 4, 0, 0, 0, b'{"provider": "echo"}')
        _, status, client, _ = receive()
        assert status == 0
        send(2, 5, -1, client, 0, b"")
        _, status, inbox, _ = receive()
        assert status == 0
        send(3, 13, 0, inbox, 0, b"")
        request = {"op": "stream", "model": "m", "messages": [{"role": "user", "content": "one two three"}]}
        calls, frames = set(), b""
        for sequence in (10, 11):
            send(sequence, 6, 0, client, inbox, json.dumps(request).encode())
        while frames.count(b'"finish_reason":') < 2:
            sequence, status, value, payload = receive()
            assert status == 0
            if sequence == 3:
                frames += payload
            else:
                calls.add(value)
        assert {int.from_bytes(frames[8:16], "little")} <= calls
        assert frames.count(b"three") == 2
        core.stdin.close()
        assert core.wait(10) == 0
