"""A wheel that is packed more tightly is the same wheel."""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def repack(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("deflate", reason="`make wheels` installs libdeflate")
    monkeypatch.syspath_prepend(str(root / "tools"))
    return importlib.import_module("repack")


@pytest.fixture
def plain(root: Path, tmp_path: Path) -> Path:
    """An archive with a file of each kind: large, empty, executable."""
    path = tmp_path / "plain.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(root / "CHANGELOG.md", "pyagent/CHANGELOG.md")
        archive.writestr(zipfile.ZipInfo("pyagent/empty", (1980, 1, 1, 0, 0, 0)), b"")
        program = zipfile.ZipInfo("pyagent/program", (2026, 5, 4, 3, 2, 2))
        program.external_attr, program.compress_type = 0o100755 << 16, zipfile.ZIP_DEFLATED
        archive.writestr(program, b"#!/bin/sh\n" * 1000)
    return path


def listed(path: Path) -> list[tuple[object, ...]]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return [
            (member.filename, member.date_time, member.external_attr, member.CRC, archive.read(member))
            for member in archive.infolist()
        ]


def test_the_files_are_the_same_and_take_less(repack: ModuleType, plain: Path, tmp_path: Path) -> None:
    packed, again = tmp_path / "packed.whl", tmp_path / "again.whl"
    repack.repack(plain, packed)
    assert listed(packed) == listed(plain)
    assert packed.stat().st_size < plain.stat().st_size
    repack.repack(packed, again)
    assert again.read_bytes() == packed.read_bytes()
