"""The C interface has one spelling: header, exports, library, documentation and the two languages' tables agree."""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyagent import get_library

ROOT = Path(__file__).resolve().parents[2]
CABI = ROOT / "core" / "cabi"
LIBRARY = Path(get_library())
FUNCTIONS = {
    "pyagent_abi_version", "pyagent_version", "pyagent_status_name", "pyagent_client_open", "pyagent_inbox_open",
    "pyagent_submit", "pyagent_poll", "pyagent_wake", "pyagent_cancel", "pyagent_inspect", "pyagent_close",
}  # fmt: skip


def header() -> str:
    """The header without its comments."""
    return re.sub(r"/\*.*?\*/", "", (CABI / "pyagent.h").read_text(encoding="utf-8"), flags=re.DOTALL)


def defines() -> dict[str, int]:
    found = re.findall(r"^#define PYAGENT_(\w+)\s+\(?(-?\d+)\)?\s*$", header(), re.MULTILINE)
    assert found, "the header defines no numbers"
    return {name: int(value) for name, value in found}


def statuses() -> dict[str, int]:
    others = ("FRAME_", "FLAG_", "ABI_")
    return {name: value for name, value in defines().items() if not name.startswith(others)}


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    assert LIBRARY.exists(), f"{LIBRARY} is not built; `make build` builds it"
    loaded = ctypes.CDLL(str(LIBRARY))
    loaded.pyagent_version.restype = ctypes.c_char_p
    loaded.pyagent_status_name.restype = ctypes.c_char_p
    return loaded


@pytest.fixture(scope="module")
def snapshot(library: ctypes.CDLL) -> dict[str, object]:
    """What the library says of itself."""
    buffer, used = ctypes.create_string_buffer(1 << 20), ctypes.c_size_t()
    assert library.pyagent_inspect(ctypes.c_uint64(0), buffer, ctypes.c_size_t(len(buffer)), ctypes.byref(used)) == 0
    said = json.loads(buffer.raw[: used.value])
    assert isinstance(said, dict)
    return said


def test_the_header_declares_the_eleven_functions() -> None:
    assert set(re.findall(r"\b(pyagent_\w+)\s*\(", header())) == FUNCTIONS


def test_the_go_side_exports_the_same() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in CABI.glob("*.go"))
    assert sorted(re.findall(r"^//export (\w+)$", text, re.MULTILINE)) == sorted(FUNCTIONS)


def test_the_library_has_the_same(library: ctypes.CDLL) -> None:
    for name in FUNCTIONS:
        assert hasattr(library, name)


@pytest.mark.skipif(not shutil.which("nm"), reason="nm (from binutils) is not installed")
def test_the_library_has_no_other(library: ctypes.CDLL) -> None:
    """Nothing else at all: two of Go's libraries in one process must not see each other's symbols."""
    options = ["-gU"] if sys.platform == "darwin" else ["-D", "--defined-only"]
    listed = subprocess.run(["nm", *options, LIBRARY], check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].lstrip("_") for line in listed.splitlines()}
    assert names == FUNCTIONS


def test_the_manual_has_a_section_for_each() -> None:
    manual = (ROOT / "docs" / "abi.md").read_text(encoding="utf-8")
    sections = re.findall(r"^#{2,4} .*?\b(pyagent_\w+)", manual, re.MULTILINE)
    assert sorted(sections) == sorted(FUNCTIONS)


def test_the_manual_names_every_number() -> None:
    manual = (ROOT / "docs" / "abi.md").read_text(encoding="utf-8")
    missing = [name for name in defines() if not re.search(rf"\b(PYAGENT_)?{name}\b", manual)]
    assert missing == []


def test_every_status_has_a_name(library: ctypes.CDLL) -> None:
    assert len(statuses()) == 10
    for name, value in statuses().items():
        said = library.pyagent_status_name(ctypes.c_int32(value)).decode()
        assert name.lower().replace("_", " ") in said, f"{name} ({value}) is called {said!r}"
    numbers = statuses().values()
    for value in (min(numbers) - 1, max(numbers) + 1, 1 << 30):
        assert library.pyagent_status_name(ctypes.c_int32(value)) == b"unknown status"


def test_the_statuses_of_python_are_those_of_the_header() -> None:
    from pyagent import _lib

    known = {name: value for name, value in vars(_lib).items() if name in statuses()}
    assert known.items() <= statuses().items()
    assert {"OK", "TIMEOUT", "DONE", "CLOSED"} <= known.keys()


def frames() -> dict[str, int]:
    return {name[6:]: value for name, value in defines().items() if name.startswith("FRAME_")}


def test_the_frame_kinds_of_python_are_those_of_the_header() -> None:
    from pyagent import _frames

    expected = frames()
    assert expected.pop("HEADER") == _frames.HEADER.size
    assert defines()["FLAG_MANY"] == _frames.MANY
    known = {name: value for name, value in vars(_frames).items() if name in expected}
    assert known.items() <= expected.items()
    assert {"TEXT", "FINISH", "ERROR"} <= known.keys()


def test_the_frame_kinds_of_go_are_those_of_the_header() -> None:
    text = (ROOT / "core" / "llm" / "event.go").read_text(encoding="utf-8")
    go = {
        name.lower(): int(value) for name, value in re.findall(r"^\tEvent(\w+)\s+EventKind = (\d+)", text, re.MULTILINE)
    }
    assert go == {name.replace("_", "").lower(): value for name, value in frames().items() if name != "HEADER"}


def test_versions_agree(library: ctypes.CDLL, snapshot: dict[str, object]) -> None:
    import pyagent
    from pyagent import _lib

    assert library.pyagent_abi_version() == defines()["ABI_VERSION"] == _lib.ABI_VERSION == snapshot["abi"]
    assert library.pyagent_version().decode() == pyagent.__version__ == snapshot["version"]


def test_every_error_kind_has_its_exception(snapshot: dict[str, object]) -> None:
    from pyagent import errors
    from pyagent._kinds import KINDS

    assert snapshot["error_kinds"] == list(KINDS)
    kinds = set(KINDS.values())
    public = {getattr(errors, name) for name in errors.__all__}
    assert kinds <= public
    leaves = {kind for kind in public if isinstance(kind, type) and not kind.__subclasses__()}
    # Only Python knows of the reasons of these: hooks, tools, conversations, and objects that an answer is to be.
    leaves -= {errors.HookError, errors.ToolError, errors.ToolLimitError, errors.ConversationBusyError}
    leaves -= {*errors.ObjectError.__subclasses__()}
    assert leaves <= kinds, "an exception that no error kind leads to"
