"""Looks into wheels: is the tag true, are the exported symbols those of the header, is nothing needed from outside?

    python tools/wheel_check.py dist/*.whl

A wheel for another machine cannot be run here, but its library can be read. auditwheel asks the same of Linux, and
nothing of Windows.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pefile
from elftools.elf.elffile import ELFFile

LARGEST = 4_000_000  # bytes of a wheel

# By machine of the tag: what the file says it is for.
ELF_MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
PE_MACHINES = {"win_amd64": 0x8664, "win_arm64": 0xAA64}

# The file that the core is, by how the tag begins.
CORES = {
    "win_": "pyagent/libpyagent.dll",
    "musllinux_": "pyagent/pyagent-process",
    "": "pyagent/libpyagent.so",
}

# Parts of glibc, and of Windows since its version 10.
ELF_NEEDED = re.compile(r"lib(c|pthread|resolv|dl)\.so\.\d|ld-linux-.*")
PE_NEEDED = re.compile(r"kernel32\.dll|api-ms-win-crt-[\w-]+\.dll", re.IGNORECASE)


class Library(NamedTuple):
    """What can be read from a library's file."""

    machine: str | int
    exports: set[str]
    needed: set[str]
    versions: set[str]  # of symbols that are asked for
    stripped: bool


def problems(wheel: Path) -> list[str]:
    """What is wrong with a wheel, in words."""
    name, _, python, abi, platform = wheel.name[: -len(".whl")].split("-")
    found = []
    if (name, python, abi) != ("pyagent", "py3", "none"):
        found.append(f"the name {wheel.name} is not that of a wheel for every Python")
    if wheel.stat().st_size > LARGEST:
        found.append(f"{wheel.stat().st_size} bytes are more than {LARGEST}")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        tags = re.findall(r"^Tag: (\S+)\r?$", read(archive, r".*\.dist-info/WHEEL"), re.MULTILINE)
        if set(tags) != {f"py3-none-{tag}" for tag in platform.split(".")}:
            found.append(f"the tags inside are {tags}")
        file = next(core for start, core in CORES.items() if platform.startswith(start))
        if [name for name in names if name in CORES.values()] != [file]:
            return [*found, f"{file} is not the only core"]
        content = archive.read(file)
        if platform.startswith("musllinux_"):
            is_program = archive.getinfo(file).external_attr >> 16 & 0o111 == 0o111
            return found + executable_problems(content, platform) + ([] if is_program else [f"{file} is no program"])
        declared = set(
            re.findall(r"^\w[^/\n]*\b(pyagent_\w+)\(", read(archive, "pyagent/include/pyagent.h"), re.MULTILINE)
        )
        read(archive, "pyagent/pkgconfig/pyagent.pc")
    library = (read_pe if platform.startswith("win_") else read_elf)(content)
    if not library.stripped:
        found.append("the symbol table of the debugger is in it")
    if library.exports != declared:
        found.append(f"the library and the header differ in {sorted(library.exports ^ declared)}")
    return found + (pe_problems if platform.startswith("win_") else elf_problems)(library, platform)


def read(archive: zipfile.ZipFile, pattern: str) -> str:
    (name,) = [name for name in archive.namelist() if re.fullmatch(pattern, name)]
    return archive.read(name).decode()


def read_elf(content: bytes) -> Library:
    elf = ELFFile(io.BytesIO(content))
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    exports = {symbol.name for symbol in symbols if symbol.name and symbol["st_shndx"] != "SHN_UNDEF"}
    needed = {tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")}
    asked = elf.get_section_by_name(".gnu.version_r").iter_versions()
    versions = {version.name for _, names in asked for version in names}
    return Library(elf["e_machine"], exports, needed, versions, elf.get_section_by_name(".symtab") is None)


def read_pe(content: bytes) -> Library:
    pe = pefile.PE(data=content)
    exports = {symbol.name.decode() for symbol in pe.DIRECTORY_ENTRY_EXPORT.symbols}
    needed = {library.dll.decode() for library in pe.DIRECTORY_ENTRY_IMPORT}
    return Library(pe.FILE_HEADER.Machine, exports, needed, set(), pe.FILE_HEADER.NumberOfSymbols == 0)


def elf_problems(library: Library, platform: str) -> list[str]:
    tag = re.match(r"manylinux_2_(\d+)_(\w+)", platform)
    if not tag:
        return [f"{platform} is no tag of Linux that names a glibc"]
    found = [f"{name} is needed" for name in sorted(library.needed) if not ELF_NEEDED.fullmatch(name)]
    if ELF_MACHINES.get(tag.group(2)) != library.machine:
        found.append(f"the library is for {library.machine}")
    for version in sorted(library.versions):
        number = re.fullmatch(r"GLIBC_2\.(\d+)(\.\d+)?", version)
        if not number or int(number.group(1)) > int(tag.group(1)):
            found.append(f"{version} is asked for")
    return found


def executable_problems(content: bytes, platform: str) -> list[str]:
    """A program for musl is static: it asks for no library and for no loader."""
    elf = ELFFile(io.BytesIO(content))
    found = []
    if ELF_MACHINES.get(re.sub(r"musllinux_\d+_\d+_", "", platform)) != elf["e_machine"]:
        found.append(f"the executable is for {elf['e_machine']}")
    if elf["e_type"] not in ("ET_EXEC", "ET_DYN") or any(
        segment["p_type"] in ("PT_INTERP", "PT_DYNAMIC") for segment in elf.iter_segments()
    ):
        found.append("it is no static executable")
    if elf.get_section_by_name(".symtab") is not None:
        found.append("the symbol table of the debugger is in it")
    return found


def pe_problems(library: Library, platform: str) -> list[str]:
    found = [f"{name} is needed" for name in sorted(library.needed) if not PE_NEEDED.fullmatch(name)]
    if PE_MACHINES.get(platform) != library.machine:
        found.append(f"the library is for machine {library.machine:#x}")
    return found


def main(wheels: list[str]) -> int:
    """Prints a line for each wheel; 1 if something is wrong with one."""
    failed = not wheels
    for wheel in map(Path, wheels):
        found = problems(wheel)
        failed = failed or bool(found)
        print(f"{'FAILED' if found else 'ok':<6} {wheel.stat().st_size:>9,} bytes  {wheel.name}")
        for problem in found:
            print(f"       {problem}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
