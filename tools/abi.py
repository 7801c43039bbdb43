"""Holds pyagent.h against a record of what compiled programs rely on: signatures, numbers, the header of a frame.

    python tools/abi.py            what is broken, a line each
    python tools/abi.py --record   adds what is new in the header to the record; what is in it stays

The record is tests/abi/record.json. What is added breaks nobody; what is changed or taken away needs another
PYAGENT_ABI_VERSION, and a new record.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "core" / "cabi" / "pyagent.h"
RECORD = ROOT / "tests" / "abi" / "record.json"

Interface = dict[str, dict[str, str]]


def interface(header: str) -> Interface:
    """What a compiled program sees of a header: each thing by its name, and how it is."""
    frame = re.findall(r"^ \*\s+(\d+)\s+(u\d+)\s+(\w+)\s", header, re.MULTILINE)
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    names = {name: plain(what) for what, name in re.findall(r"^typedef (.+?)(\w+);", code, re.MULTILINE)}
    functions = re.findall(r"^(\w[\w \t*]*?)\b(pyagent_\w+)\((.*?)\);", code, re.MULTILINE | re.DOTALL)
    return {
        "functions": {name: signature(result, parameters, names) for result, name, parameters in functions},
        "numbers": dict(re.findall(r"^#define (PYAGENT_\w+)\s+\(?(-?\w+)\)?\s*$", code, re.MULTILINE)),
        "frame": {name: f"{kind} at {offset}" for offset, kind, name in frame},
    }


def signature(result: str, parameters: str, names: dict[str, str]) -> str:
    """A function's type without the names of its parameters, which no program depends on."""
    types = [re.sub(r"(?<=[\s*])\w+$", "", plain(one)) for one in parameters.split(",")]
    text = f"{plain(result)}({', '.join(map(plain, types))})"
    return re.sub(r"\w+", lambda word: names.get(word.group(), word.group()), text)


def plain(text: str) -> str:
    return re.sub(r" ?\* ?", " *", " ".join(text.split())).strip()


def breaks(record: Interface, now: Interface) -> list[str]:
    """What of the record is no longer so, in words."""
    found = []
    for group, things in record.items():
        for name, was in things.items():
            is_now = now[group].get(name)
            if is_now != was:
                found.append(f"{name} was {was}, and is {'gone' if is_now is None else is_now}")
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="add what is new")
    options = parser.parse_args(arguments)
    record, now = json.loads(RECORD.read_text(encoding="utf-8")), interface(HEADER.read_text(encoding="utf-8"))
    found = breaks(record, now)
    print("".join(f"{line}\n" for line in found), end="")
    if options.record and not found:
        RECORD.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
