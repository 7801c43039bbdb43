"""Runs the tests of what pyagent does on another Python: `python tools/other.py PYTHON [pytest's arguments]`.

That Python gets a virtual environment in .cache/pythons, with this checkout installed as `make build` does it, and what
the tests use. A package without a wheel for it is left out, and the tests that need it are skipped and say so.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from check import BIN, CLIENT_TESTS, ROOT, tools
from develop import project_list

NEEDED = ("pytest", "pytest-timeout")
USED = ("trio", "anyio", "pydantic", "msgspec", "uvloop", "openapi-schema-validator")
NAME = """
import platform, sys, sysconfig
threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(platform.python_implementation().lower(), platform.python_version() + threads, sep="-")
"""


def main(python: str, *arguments: str) -> int:
    name = subprocess.run([python, "-c", NAME], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    folder = ROOT / ".cache" / "pythons" / name
    environment = {**tools(), "PATH": os.pathsep.join([str(folder / "bin"), str(BIN), os.environ["PATH"]])}
    if not (folder / "complete").exists():
        set_up(python, folder, environment)
    command = [folder / "bin" / "pytest", "-q", "-p", "no:cacheprovider", *(arguments or CLIENT_TESTS)]
    print(f"== {name}", flush=True)
    return subprocess.call(command, cwd=ROOT, env=environment)


def set_up(python: str, folder: Path, environment: dict[str, str]) -> None:
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]

    def install(*what: str) -> bool:
        return subprocess.call([*pip, *what], env={**environment, "PYAGENT_CORE": "both"}) == 0

    # A new environment of CPython 3.12 or newer has no setuptools, and what Debian's PyPy brings is too old to build.
    wanted = [*project_list("requires"), *(line for line in project_list("test") if named(line) in NEEDED)]
    if not install("--upgrade", *wanted) or not install("--no-build-isolation", "--no-deps", "--editable", str(ROOT)):
        sys.exit(f"{python} cannot have pyagent and pytest")
    for line in project_list("test"):
        if named(line) in USED and not install("--only-binary", ":all:", line):
            print(f"{named(line)} is left out: it has no wheel for this Python")
    (folder / "complete").touch()


def named(requirement: str) -> str:
    return re.split("[=>]", requirement)[0]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if sys.argv[1:] else __doc__)
