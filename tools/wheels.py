"""Builds the source distribution, and from it the wheels of Linux and Windows, on any Linux: zig is the C compiler.

The wheels for musl hold an executable that needs no C compiler, because musl cannot load a Go library into a running
program (golang/go#54805).

    python tools/wheels.py [--again] [platform ...]

The same commit gives the same bytes: the clock of the build is the commit's, and no folder's name gets inside.
`--again` shows it: everything is built twice, the second time elsewhere and with nothing kept from the first. The
wheels are then read by wheel_check.py, and run by wheel_run.py where that is possible.

macOS is not among them, because its linker needs Apple's SDK.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

import develop

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
COMPILERS = ROOT / ".cache" / "cc"


class Target(NamedTuple):
    """One platform, in the words of Go and of zig. Without those the core is an executable."""

    system: str
    machine: str
    zig: str = ""


# glibc 2.17 is of 2012: every Linux that Python 3.9 or newer runs on has it.
TARGETS = {
    "manylinux_2_17_x86_64": Target("linux", "amd64", "x86_64-linux-gnu.2.17"),
    "manylinux_2_17_aarch64": Target("linux", "arm64", "aarch64-linux-gnu.2.17"),
    "musllinux_1_1_x86_64": Target("linux", "amd64"),
    "musllinux_1_1_aarch64": Target("linux", "arm64"),
    "win_amd64": Target("windows", "amd64", "x86_64-windows-gnu"),
    "win_arm64": Target("windows", "arm64", "aarch64-windows-gnu"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="build everything twice and compare")
    parser.add_argument("platforms", nargs="*", metavar="platform", help=f"{', '.join(TARGETS)}; all by default")
    options = parser.parse_args()
    unknown = set(options.platforms) - TARGETS.keys()
    if unknown:
        parser.error(f"unknown platform {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    names = options.platforms or list(TARGETS)
    develop.pip("install", *develop.project_list("wheels"))
    os.umask(0o022)  # a wheel keeps the permissions of the files that it is made of
    os.environ.setdefault("SOURCE_DATE_EPOCH", commit_time())
    DIST.mkdir(exist_ok=True)
    built = build_all(names, DIST)
    wheels = [path for path in built if path.suffix == ".whl"]
    failed = False
    for tool in ("wheel_check.py", "wheel_run.py"):
        failed = subprocess.call([sys.executable, ROOT / "tools" / tool, *wheels]) != 0 or failed
    if options.again:
        failed = differ(built, names) or failed
    return int(failed)


def commit_time() -> str:
    """Seconds since 1970; those of the changelog where there is no repository."""
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return done.stdout.strip() or str(int((ROOT / "CHANGELOG.md").stat().st_mtime))


def build_all(names: list[str], folder: Path) -> list[Path]:
    source = build_source(folder)
    return [source, *(build_wheel(name, source, folder) for name in names)]


def build_source(folder: Path) -> Path:
    """The source distribution, without the times and owners of the files that are in it."""
    script = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([sys.executable, "-c", script, made], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        (plain,) = Path(made).iterdir()
        target = folder / plain.name
        with tarfile.open(plain) as old, target.open("wb") as file, zip_plainly(file) as packed:
            new = tarfile.TarFile(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT)
            for member in sorted(old, key=lambda member: member.name):
                member.mtime, member.uid, member.gid, member.uname, member.gname = clock(), 0, 0, "", ""
                member.mode, member.pax_headers = (0o755 if member.isdir() else 0o644), {}
                new.addfile(member, old.extractfile(member) if member.isfile() else None)
            new.close()
    return target


def zip_plainly(file: object) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=clock())  # type: ignore[call-overload]


def clock() -> int:
    return int(os.environ["SOURCE_DATE_EPOCH"])


def build_wheel(name: str, source: Path, folder: Path) -> Path:
    """A wheel, from nothing but the source distribution."""
    target = TARGETS[name]
    environment = {**os.environ, "GOOS": target.system, "GOARCH": target.machine}
    if target.zig:
        environment["CC"] = str(compiler(name))
    environment["PYAGENT_CORE"] = "library" if target.zig else "process"
    with tempfile.TemporaryDirectory() as made:
        with tarfile.open(source) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(made)
        (unpacked,) = Path(made).iterdir()
        command = [sys.executable, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", f"{made}/dist"]
        print(f"== {name}", flush=True)
        subprocess.run(command, cwd=unpacked, check=True, env=environment)
        (wheel,) = Path(made, "dist").iterdir()
        if name not in wheel.name:
            sys.exit(f"{wheel.name} was to be for {name}")
        subprocess.run([sys.executable, ROOT / "tools" / "repack.py", wheel, folder / wheel.name], check=True)
    return folder / wheel.name


def compiler(name: str) -> Path:
    """One program that compiles for a platform. It stays where it is, because Go's build cache knows it by its path."""
    program = COMPILERS / name
    program.parent.mkdir(parents=True, exist_ok=True)
    text = f'#!/bin/sh\nexec "{sys.executable}" -m ziglang cc -target {TARGETS[name].zig} -O2 "$@"\n'
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return program


def differ(built: list[Path], names: list[str]) -> bool:
    """Builds again and compares. Prints a line for each file."""
    different = False
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        os.environ.update(GOCACHE=os.path.join(cache, "go"), ZIG_GLOBAL_CACHE_DIR=os.path.join(cache, "zig"))
        for first, second in zip(built, build_all(names, Path(folder))):
            digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second)]
            same = digests[0] == digests[1]
            different = different or not same
            print(f"{'same' if same else 'DIFFERENT':<9} {digests[0][:16]} {digests[1][:16]} {first.name}")
    return different


if __name__ == "__main__":
    sys.exit(main())
