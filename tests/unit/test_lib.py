"""The door to the core: versions, paths, buffers, and errors that say what to do."""

from __future__ import annotations

import ctypes.util
import gc
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyagent import InternalError, Provider, _lib, _loading, get_library
from pyagent._call import Client
from pyagent._frames import split

Script = Callable[..., dict[str, Any]]


def test_one_runtime_for_all_threads() -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(_loading.runtime())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_inspect_says_what_is_there() -> None:
    snapshot = _loading.runtime().inspect()
    assert snapshot["abi"] == _lib.ABI_VERSION
    assert {"generate", "stream", "fake"} <= set(snapshot["ops"])


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYAGENT_LIBRARY", str(tmp_path / "none.so"))
    monkeypatch.setenv("PYAGENT_TRANSPORT", "library")
    monkeypatch.setattr(_loading, "_runtime", None)
    with pytest.raises(InternalError, match=r"none\.so does not exist\. Install pyagent with pip.*PYAGENT_LIBRARY"):
        _loading.runtime()


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    file = tmp_path / "text.so"
    file.write_text("text")
    with pytest.raises(InternalError, match=r"text\.so cannot be loaded: .*Reinstall pyagent"):
        _lib.Runtime(str(file), str(file))


def test_another_library() -> None:
    other = ctypes.util.find_library("m") or ctypes.util.find_library("c")
    assert other
    with pytest.raises(InternalError, match="has no pyagent functions, but this pyagent needs ABI version 1"):
        _lib.Runtime("libm", other)


@pytest.mark.library("that of the executable is asked for as well")
def test_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lib, "ABI_VERSION", 2)
    with pytest.raises(InternalError, match=r"has ABI version 1, but this pyagent needs ABI version 2\..*reinstall"):
        _lib.Runtime(get_library(), get_library())


@pytest.mark.library("the executable has a path of its own")
def test_the_path_can_be_set(tmp_path: Path) -> None:
    link = tmp_path / "elsewhere.so"
    link.symlink_to(get_library())
    script = "import pyagent._loading as l; print(l.runtime().path, l.runtime().inspect()['abi'])"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYAGENT_LIBRARY": str(link)}, capture_output=True, text=True, check=True,
        timeout=20, cwd=Path(_lib.__file__).parents[1],
    )  # fmt: skip
    assert done.stdout.split() == [str(link), "1"]


SLACK = """
import ctypes, os
slack = lambda: ctypes.CDLL(None).prctl(30, 0, 0, 0, 0)  # PR_GET_TIMERSLACK
before = slack()
from pyagent import _loading
_loading.runtime()
assert slack() == before, slack()
others = [thread for thread in os.listdir("/proc/self/task") if int(thread) != os.getpid()]
assert others
for thread in others:
    try:
        with open(f"/proc/{thread}/timerslack_ns") as file:
            print(file.read().strip())
    except PermissionError:
        print("refused")
"""


@pytest.mark.library("its threads are another process's")
@pytest.mark.skipif(sys.platform != "linux", reason="Linux has timer slack")
def test_the_threads_of_the_core_sleep_longer() -> None:
    done = subprocess.run([sys.executable, "-c", SLACK], capture_output=True, text=True, check=True, timeout=20)
    told = set(done.stdout.split())
    if "refused" in told:
        pytest.skip("only some processes may look at the slack of a thread")
    assert told == {"1000000"}


def test_a_handle_that_never_existed() -> None:
    runtime = _loading.runtime()
    handle = _lib.Handle(runtime)
    handle.place.value = 0x7FFF_0000_0001
    status, data = runtime.poll(handle.number, 0)
    assert (status, data) == (_lib.BAD_HANDLE, b"")
    assert runtime.status_name(status) == "bad handle"
    runtime.cancel(handle.number)
    handle.close()


@pytest.mark.library("that the core has closed it is not waited for")
def test_a_closed_handle_stays_closed() -> None:
    runtime = _loading.runtime()
    client = Client.open(b'{"provider":"echo"}')
    client.close()
    client.close()
    runtime.close(client.place)
    assert runtime.poll(client.number, 0) == (_lib.CLOSED, b"")
    with pytest.raises(InternalError, match=r"refused a call: closed \(-2\)"):
        client.start(b"{}")


@pytest.mark.library("there is no buffer that stays")
def test_a_buffer_grows_for_one_large_frame_and_shrinks_again() -> None:
    runtime = _loading.runtime()
    client = Client.open(b'{"provider":"echo"}')
    sizes = []
    for size in (200_000, 3_000_000):
        request = {
            "op": "generate", "model": "m", "messages": [{"role": "user", "content": ""}],
            "extra_body": {"fake": {"pieces": ["x" * size]}},
        }  # fmt: skip
        call = client.start(json.dumps(request).encode())
        kinds = []
        while 64 not in kinds:
            for kind, _, _, payload in split(call.receive() or b""):
                kinds.append(kind)
                if kind == 1:
                    assert len(payload) == size
        sizes.append(runtime._spare.buffer.size if runtime._spare.buffer else 0)
    assert sizes[0] > 200_000  # kept: it is small enough
    assert sizes[1] <= _lib.KEPT_BUFFER


def test_a_submitted_call_ends_with_its_object(provider: Provider, script: Script, collect: Any) -> None:
    before = _loading.runtime().inspect()["handles"]["calls"]
    gc.disable()
    try:
        stream = provider.stream("", extra_body=script(header_delay=5))
        assert _loading.runtime().inspect()["handles"]["calls"] == before + 1
        del stream
        collect()
        assert _loading.runtime().inspect()["handles"]["calls"] == before
    finally:
        gc.enable()
