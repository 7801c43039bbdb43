"""Writes a wheel again as small as its format allows: the same files, the same order, the same names and times.

    python tools/repack.py wheel target

zlib, which wheels are made with, stops searching early. libdeflate takes a few seconds for a twenty-fifth less, and
what unpacks sees no difference. The same version of it gives the same bytes.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import deflate

LEVEL = 12  # of libdeflate: the highest


class Compressor:
    """libdeflate in the place of zlib's compressor: it wants all of a file at once."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def compress(self, data: bytes) -> bytes:
        self.pieces.append(bytes(data))
        return b""

    def flush(self) -> bytes:
        return bytes(deflate.deflate_compress(b"".join(self.pieces), LEVEL))


def repack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            content = old.read(member)
            with new.open(member, "w") as file:
                file._compressor = Compressor()  # type: ignore[attr-defined]
                file.write(content)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target) as new:
        for member in old.infolist():
            if new.read(member.filename) != old.read(member):
                sys.exit(f"{member.filename} came out of {target.name} as something else")


if __name__ == "__main__":
    repack(*map(Path, sys.argv[1:]))
