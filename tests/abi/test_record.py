"""A program that was compiled once runs with every later library: what it relies on is on record, and stays."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

import pyagent

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "core" / "cabi" / "pyagent.h").read_text(encoding="utf-8")
RECORD = json.loads((ROOT / "tests" / "abi" / "record.json").read_text(encoding="utf-8"))
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@pytest.fixture
def abi(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("abi")


def test_nothing_on_record_has_changed(abi: ModuleType) -> None:
    assert abi.breaks(RECORD, abi.interface(HEADER)) == []


def test_the_record_is_of_something(abi: ModuleType) -> None:
    assert {group: len(things) for group, things in RECORD.items()} == {"functions": 11, "numbers": 33, "frame": 5}


CHANGES = {
    "a number changes": ("#define PYAGENT_BUSY (-3)", "#define PYAGENT_BUSY (-7)"),
    "a number goes": ("#define PYAGENT_FRAME_ITEM 27", "#define PYAGENT_FRAME_THING 27"),
    "a field shrinks": ("6       u16   index", "6       u8    index"),
    "a field moves": ("8       u64   call", "16      u64   call"),
    "a function goes": ("pyagent_wake(uint64_t handle)", "pyagent_rouse(uint64_t handle)"),
    "a parameter grows": ("size_t cap, int32_t timeout_ms", "size_t cap, int64_t timeout_ms"),
    "a parameter is added": ("pyagent_cancel(uint64_t call)", "pyagent_cancel(uint64_t call, int32_t why)"),
    "a type changes": ("typedef const char pyagent_text", "typedef char pyagent_text"),
}
SAID = {
    "a number changes": "PYAGENT_BUSY was -3, and is -7",
    "a number goes": "PYAGENT_FRAME_ITEM was 27, and is gone",
    "a field shrinks": "index was u16 at 6, and is u8 at 6",
    "a field moves": "call was u64 at 8, and is u64 at 16",
    "a function goes": "pyagent_wake was int32_t(uint64_t), and is gone",
    "a parameter grows": "pyagent_poll was int32_t(uint64_t, void *, size_t, int32_t, size_t *), "
    "and is int32_t(uint64_t, void *, size_t, int64_t, size_t *)",
    "a parameter is added": "pyagent_cancel was int32_t(uint64_t), and is int32_t(uint64_t, int32_t)",
    "a type changes": "pyagent_version was const char *(void), and is char *(void)",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_breaks(abi: ModuleType, change: str) -> None:
    old, new = CHANGES[change]
    assert old in HEADER
    assert SAID[change] in abi.breaks(RECORD, abi.interface(HEADER.replace(old, new)))


def test_an_addition_does_not(abi: ModuleType) -> None:
    more = "#define PYAGENT_FRAME_SMELL 28 /* new */\nint32_t pyagent_pause(uint64_t call, int32_t seconds);\n"
    later = abi.interface(HEADER.replace("#define PYAGENT_FRAME_VECTOR", f"{more}#define PYAGENT_FRAME_VECTOR"))
    assert later["functions"]["pyagent_pause"] == "int32_t(uint64_t, int32_t)"
    assert later["numbers"]["PYAGENT_FRAME_SMELL"] == "28"
    assert abi.breaks(RECORD, later) == []


def test_names_of_parameters_and_comments_are_free(abi: ModuleType) -> None:
    text = HEADER.replace("size_t cap", "size_t capacity").replace("/* done; from a poll", "/* fine; from a poll")
    assert text != HEADER
    assert abi.interface(text) == abi.interface(HEADER)


def test_the_command(abi: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It records what is new, and refuses what is changed."""
    header, record = tmp_path / "pyagent.h", tmp_path / "record.json"
    monkeypatch.setattr(abi, "HEADER", header)
    monkeypatch.setattr(abi, "RECORD", record)
    header.write_text(HEADER, encoding="utf-8")
    fewer = {**RECORD, "functions": {"pyagent_close": "int32_t(uint64_t)"}}
    record.write_text(json.dumps(fewer), encoding="utf-8")
    assert abi.main([]) == 0
    assert json.loads(record.read_text()) == fewer
    assert abi.main(["--record"]) == 0
    assert json.loads(record.read_text()) == RECORD
    header.write_text(HEADER.replace("pyagent_close(uint64_t", "pyagent_close(uint32_t"), encoding="utf-8")
    assert abi.main(["--record"]) == 1
    assert json.loads(record.read_text()) == RECORD


@pytest.mark.skipif(COMPILER is None, reason="no C compiler; `apt-get install gcc libc6-dev` brings one")
def test_a_compiler_reads_the_header_likewise(tmp_path: Path) -> None:
    lines = ['#include "pyagent.h"']
    for name, kind in RECORD["functions"].items():
        lines.append(f"{kind.replace('(', f'(*a_{name})(', 1)} = {name};")
    lines += [f'_Static_assert({name} == {value}, "{name}");' for name, value in RECORD["numbers"].items()]
    source = tmp_path / "record.c"
    assert COMPILER
    for text, right in (("\n".join(lines), True), ("\n".join(lines).replace("size_t,", "uint32_t,"), False)):
        source.write_text(text + "\n", encoding="utf-8")
        command = [COMPILER, "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "core" / "cabi", "-c", source]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert (done.returncode == 0) == right, done.stderr


def test_the_library_writes_frames_likewise() -> None:
    library = ctypes.CDLL(pyagent.get_library())
    client, call, used = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_size_t()
    buffer = ctypes.create_string_buffer(1 << 16)
    config = b'{"provider": "echo"}'
    request = b'{"op": "stream", "model": "echo", "messages": [{"role": "user", "content": "one two three"}]}'
    length = ctypes.c_size_t
    assert library.pyagent_client_open(config, length(len(config)), ctypes.byref(client)) == 0
    nowhere = ctypes.c_uint64(0)
    assert library.pyagent_submit(client, nowhere, request, length(len(request)), ctypes.byref(call)) == 0
    content = b""
    while library.pyagent_poll(call, buffer, length(len(buffer)), ctypes.c_int32(-1), ctypes.byref(used)) == 0:
        content += buffer.raw[: used.value]
    library.pyagent_close(call)
    library.pyagent_close(client)
    frames = []
    while content:
        frame = {name: field(content, place) for name, place in RECORD["frame"].items()}
        content = content[int(RECORD["numbers"]["PYAGENT_FRAME_HEADER"]) + frame["size"] :]
        frames.append(frame)
    kinds = {int(value) for name, value in RECORD["numbers"].items() if "_FRAME_" in name}
    assert [frame["kind"] for frame in frames][0 :: len(frames) - 1] == [16, 64]
    assert {frame["kind"] for frame in frames} <= kinds
    assert {frame["call"] for frame in frames} == {call.value}
    assert {frame["index"] for frame in frames} == {0}


def field(content: bytes, place: str) -> int:
    bits, offset = map(int, re.findall(r"\d+", place))
    return int.from_bytes(content[offset : offset + bits // 8], "little")


def rows() -> dict[str, str]:
    """The table of symbols of the manual: since when each is there."""
    manual = (ROOT / "docs" / "abi.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Symbols\n(.*?)^## ", manual, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^\| (.+) \| (\d+\.\d+\.\d+) \|$", section, re.MULTILINE)
    names = [(name, since) for cells, since in found for name in re.findall(r"`(\w+)`", cells)]
    assert len(names) == len(dict(names)), "a symbol is there twice"
    return dict(names)


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_manual_says_since_when(abi: ModuleType) -> None:
    now = abi.interface(HEADER)
    exported = re.findall(r"^//export (\w+)$", (ROOT / "core" / "cabi" / "main.go").read_text("utf-8"), re.MULTILINE)
    assert set(exported) <= rows().keys()
    assert rows().keys() == now["functions"].keys() | now["numbers"].keys() | {"pyagent_text"}
    releases = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows().values()) <= set(releases)


def test_what_was_released_is_on_record() -> None:
    recorded = {name for group in RECORD.values() for name in group} | {"pyagent_text"}
    released = {name for name, since in rows().items() if number(since) < number(pyagent.__version__)}
    assert released <= recorded
