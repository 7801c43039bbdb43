"""Builds the Go core into one shared library inside the package, in a wheel that serves every Python of its platform.

Where that cannot be loaded, which is on musl, the core is an executable instead. PYAGENT_CORE chooses "library",
"process" or "both", which is for a checkout.

setuptools-golang does the compiling. It copies the whole working directory and may fetch modules, so this file gives it
a small copy to work in (go.mod and the core without its tests), no network, and the tools that tools/toolchain.py
finds.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import setuptools_golang
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

import toolchain  # noqa: E402

CORE = toolchain.CORE
SOURCES = {".go", ".c", ".h", ".json"}
SYSTEM = os.environ.get("GOOS") or {"win32": "windows"}.get(sys.platform, sys.platform)  # in Go's words
LIBRARY = Path("pyagent", "libpyagent.dll" if SYSTEM == "windows" else "libpyagent.so")
EXECUTABLE = Path("pyagent", "pyagent-process")
HEADER = Path("pyagent", "include", "pyagent.h")
PKG_CONFIG = Path("pyagent", "pkgconfig", "pyagent.pc")

# The wheel's platform where Go builds for another machine than this one (tools/wheels.py does).
PLATFORMS = {
    ("linux", "amd64"): "linux_x86_64",
    ("linux", "arm64"): "linux_aarch64",
    ("windows", "amd64"): "win_amd64",
    ("windows", "arm64"): "win_arm64",
}

# What a program sees of the library. Go gives every symbol of cgo's to the world: two libraries made with it, in one
# process, would see each other's. Windows exports what `//export` names and nothing else.
# Where zig is told to strip it writes no PDB file for Windows, whose hash would get into the library: no two are alike,
# because temporary folders are named there.
EXPORTS = "{ global: pyagent_*; local: *; };"
LINKER = {
    "linux": "-Wl,--version-script={exports} -Wl,--strip-all",
    "windows": "-Wl,--strip-all",
    "darwin": "-Wl,-exported_symbol,_pyagent_* -Wl,-install_name,@rpath/libpyagent.so",
}

# Relative to itself, because a wheel does not know where it will be.
PKG_CONFIG_FILE = """\
prefix=${{pcfiledir}}/..

Name: pyagent
Description: Language models from any language
Version: {version}
Cflags: -I${{prefix}}/include
Libs: -L${{prefix}} -lpyagent{rpath}
"""

# A function that is put into its callers is there many times, in code and in the tables that name it. These packages
# work once per connection or request; without inlining the wheel is a twentieth smaller, and a request takes as many
# instructions as before. What reads streams, JSON and bytes, and the arithmetic of cryptography, are in other packages.
# core/provider both reads and writes: there the functions that write are marked go:noinline.
NOT_INLINED = (
    "compress/...",
    "crypto",
    "crypto/ecdh",
    "crypto/ecdsa",
    "crypto/ed25519",
    "crypto/elliptic",
    "crypto/hpke",
    "crypto/internal/fips140/drbg",
    "crypto/internal/fips140/ecdh",
    "crypto/internal/fips140/ecdsa",
    "crypto/internal/fips140/rsa",
    "crypto/internal/fips140/tls12",
    "crypto/internal/fips140/tls13",
    "crypto/mldsa",
    "crypto/mlkem",
    "crypto/rand",
    "crypto/rsa",
    "crypto/tls",
    "crypto/x509/...",
    "encoding/asn1",
    "fmt",
    "log",
    "math/big",
    "mime/...",
    "net",
    "net/http/...",
    "net/netip",
    "net/textproto",
    "net/url",
    "os",
    "pyagent/core/fake",
    "pyagent/core/price",
    "time",
    "vendor/...",
)

# Go 1.27 has a second JSON package below encoding/json, half a megabyte more. Go 1.26 is without it in any case.
SMALL_JSON = "nojsonv2"

# Replaces the user's GOFLAGS: a stray -race or -mod=vendor there would change or break what is shipped.
# -trimpath also makes the build cache independent of the temporary folder, so that a second build takes seconds.
GO_ENVIRONMENT = {
    "CGO_ENABLED": "1",
    "GO111MODULE": "on",
    "GOFLAGS": " ".join(["-mod=mod", "-trimpath", "-buildvcs=false", *(f"-gcflags={name}=-l" for name in NOT_INLINED)]),
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


class BuildLibrary(build_ext):
    """The base of setuptools-golang's build_ext: where it builds, with which tools, and under which file name."""

    def get_ext_filename(self, fullname: str) -> str:
        """One name on every platform and for every Python: the library is loaded by its path, through ctypes."""
        return os.path.join(*fullname.split(".")) + LIBRARY.suffix

    def build_extensions(self) -> None:
        self.build_lib = os.path.abspath(self.build_lib)
        # The core never includes Python.h. Without its path Go's build cache serves every interpreter.
        self.compiler.include_dirs = []
        with tempfile.TemporaryDirectory(prefix="pyagent-build-") as folder:
            stage_core(Path(folder))
            if CORE != "process":
                with go_environment(link_flags(Path(folder))), working_directory(folder):
                    super().build_extensions()
                # Go writes a generated header beside the library; the hand-written one is shipped instead.
                Path(self.build_lib, LIBRARY).with_suffix(".h").unlink()
            if CORE != "library":
                with go_environment("-s -w -buildid="), working_directory(folder):
                    self.build_executable()

    def build_executable(self) -> None:
        """The core as a program of its own: without C, and so without a C library that it could need."""
        os.environ["CGO_ENABLED"] = "0"
        target = Path(self.build_lib, EXECUTABLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["go", "build", "-o", str(target), "./core/process"], check=True)

    def copy_extensions_to_source(self) -> None:
        if CORE != "process":
            super().copy_extensions_to_source()
        if CORE != "library":
            shutil.copy(Path(self.build_lib, EXECUTABLE), ROOT / EXECUTABLE)

    def get_outputs(self) -> list[str]:
        """What is installed: setuptools names the library, whether there is one or not."""
        made = [] if CORE == "process" else super().get_outputs()
        return made if CORE == "library" else [*made, os.path.join(self.build_lib, EXECUTABLE)]

    def run(self) -> None:
        super().run()
        self.add_c_files(Path(self.build_lib))
        if self.inplace:
            self.add_c_files(ROOT)

    def add_c_files(self, folder: Path) -> None:
        """Adds what programs in other languages are compiled with."""
        (folder / HEADER).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "core" / "cabi" / "pyagent.h", folder / HEADER)
        if CORE == "process":  # there is nothing to link with, and the header only names the frames
            return
        (folder / PKG_CONFIG).parent.mkdir(parents=True, exist_ok=True)
        rpath = "" if SYSTEM == "windows" else " -Wl,-rpath,${prefix}"
        text = PKG_CONFIG_FILE.format(version=self.distribution.get_version(), rpath=rpath)
        (folder / PKG_CONFIG).write_bytes(text.encode())


class TagWheel(bdist_wheel):
    """Tags the wheel by platform only: nothing in it depends on the Python that built it."""

    def get_tag(self) -> tuple[str, str, str]:
        plain = PLATFORMS.get((os.environ.get("GOOS", ""), os.environ.get("GOARCH", "")), super().get_tag()[2])
        return "py3", "none", platform_tag(plain, Path(self.get_finalized_command("build_ext").build_lib, LIBRARY))


def platform_tag(plain: str, library: Path) -> str:
    """The platform tag of a wheel that holds `library`; `plain` when no more can be said.

    On Linux it names the oldest glibc that has every symbol version the library asks for (PEP 600), 2.17 at the least:
    that one has an older name as well, which the pip of Python 3.9 knows. The core links nothing but parts of glibc.
    Asked before the library is built (an editable install does), there is nothing to read.
    """
    if plain.startswith("linux_") and CORE == "process" and (toolchain.ON_MUSL or "GOOS" in os.environ):
        return f"musllinux_1_1_{plain[len('linux_') :]}"  # Static, but where there is glibc the library is better.
    if plain.startswith("linux_") and library.exists():
        minors = re.findall(rb"\0GLIBC_2\.(\d+)(?:\.\d+)*(?=\0)", library.read_bytes())
        if minors:
            machine = plain[len("linux_") :]
            newest = max(17, *map(int, minors))
            return f"manylinux_2_{newest}_{machine}" + (f".manylinux2014_{machine}" if newest == 17 else "")
    if plain.startswith("macosx_"):
        return plain.replace("universal2", platform.machine())  # Go builds for one architecture.
    return plain


def stage_core(folder: Path) -> None:
    """Copies what `go build` reads into `folder`."""
    shutil.copy(ROOT / "go.mod", folder)
    for source in (ROOT / "core").rglob("*"):
        path = source.relative_to(ROOT)
        if source.suffix in SOURCES and not source.name.endswith("_test.go") and "testdata" not in path.parts:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / path)


@contextlib.contextmanager
def working_directory(folder: str) -> Iterator[None]:
    previous = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(previous)


def link_flags(folder: Path) -> str:
    """Go's linker flags: no symbol table, no build id (it would tell `folder` from another), and few exports."""
    (folder / "exports.map").write_text(EXPORTS, encoding="utf-8")
    flags = LINKER.get(SYSTEM, "").format(exports=folder / "exports.map")
    return f'-s -w -buildid= "-extldflags={flags}"'


@contextlib.contextmanager
def go_environment(linker: str) -> Iterator[None]:
    """Sets the environment for Go's tools, and says what to install when one is missing."""
    previous = dict(os.environ)
    os.environ.update(GO_ENVIRONMENT)
    os.environ["GOFLAGS"] += f" '-ldflags={linker}'"
    try:
        choose_tools()
        yield
    finally:
        os.environ.clear()
        os.environ.update(previous)


def choose_tools() -> None:
    """Puts Go on PATH, and tells it the C compiler."""
    try:
        go = toolchain.find_go()
        if go != shutil.which("go"):
            os.environ["PATH"] = os.path.dirname(go) + os.pathsep + os.environ.get("PATH", "")
            os.environ.pop("GOROOT", None)  # The user's would name another Go's library.
        choose_json()
        if CORE != "process":
            os.environ["CC"] = toolchain.find_c_compiler(SYSTEM)
    except toolchain.MissingToolError as error:
        raise CompileError(str(error)) from None


def choose_json() -> None:
    """Takes the smaller JSON package, unless a later Go knows of no choice: it refuses names that it does not know."""
    os.environ["GOEXPERIMENT"] = SMALL_JSON
    if subprocess.call(["go", "env", "GOEXPERIMENT"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        del os.environ["GOEXPERIMENT"]


# It would let the linker leave symbols of Python's unresolved. There are none here, so a missing one is a mistake.
setuptools_golang._get_ldflags = lambda: ""

setup(
    ext_modules=[Extension("pyagent.libpyagent", ["core/cabi/main.go"])],
    build_golang={"root": "pyagent", "strip": False},
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": TagWheel},
)
