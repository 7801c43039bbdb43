"""Runs the project's checks by name, all of them even after a failure, and ends with one line that says how it went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import twins

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.prefix, "bin")
# The tests of what pyagent does. The others are about the files of the project, and its tools.
PROJECT_TESTS = ("wheel", "toolchain", "types", "hosts")
CLIENT_TESTS = (
    *("tests/unit", "tests/abi", "tests/system"),
    *(f"--ignore-glob=tests/system/test_{name}*.py" for name in PROJECT_TESTS),
)
FUZZ_TIME = os.environ.get("FUZZTIME", "3s")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in STEPS and name not in GROUPS]
    if unknown or not names:
        print(f"unknown check {unknown}; there are {', '.join([*GROUPS, *STEPS])}", file=sys.stderr)
        return 2
    started = time.monotonic()
    rows = []
    for name in [step for group in names for step in GROUPS.get(group, [group])]:
        print(f"== {name}", flush=True)
        begun = time.monotonic()
        rows.append((name, attempt(name), time.monotonic() - begun))
    print()
    for name, passed, seconds in rows:
        print(f"{name:<12} {'ok' if passed else 'FAILED':<6} {seconds:6.1f} s")
    failed = [name for name, passed, _ in rows if not passed]
    verdict = f"FAILED: {', '.join(failed)}" if failed else f"{len(rows)} of {len(rows)} passed"
    print(f"{' '.join(names)}: {verdict} in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def attempt(name: str) -> bool:
    """A step that needs another program's output fails when that program does."""
    try:
        return STEPS[name]()
    except subprocess.CalledProcessError as error:
        print(error)
        return False


def run(*command: str | Path, **environment: str) -> bool:
    return subprocess.call([str(part) for part in command], cwd=ROOT, env={**tools(), **environment}) == 0


def tools() -> dict[str, str]:
    """The environment of every step: the tools of .venv first, Go as installed there, JSON as setup.py builds it."""
    go = {"GOEXPERIMENT": "nojsonv2", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **go}


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, env=tools(), stdout=subprocess.PIPE, text=True, check=True).stdout


def gofmt(*arguments: str) -> str:
    files = [str(path) for folder in ("core", "examples", "benchmarks") for path in (ROOT / folder).rglob("*.go")]
    return output(str(Path(output("go", "env", "GOROOT").strip(), "bin", "gofmt")), *arguments, *files)


def gofmt_check() -> bool:
    unformatted = gofmt("-s", "-l")
    print(unformatted, end="")
    return not unformatted


def fmt() -> bool:
    gofmt("-s", "-w")
    twins.main()
    if not run(sys.executable, "tools/providers.py"):
        return False
    return run("ruff", "check", "--fix-only", ".") and run("ruff", "format", ".")


def fuzz() -> bool:
    """Every fuzz target for a few seconds: go runs one target of one package at a time."""
    results = []
    for line in output("go", "test", "-json", "-list", "^Fuzz", "./core/...").splitlines():
        event = json.loads(line)
        name = event.get("Output", "").strip()
        if name.startswith("Fuzz"):
            print(f"-- {event['Package']} {name}", flush=True)
            limits = ("-run", "^$", "-fuzz", f"^{name}$", "-fuzztime", FUZZ_TIME)
            results.append(run("go", "test", *limits, event["Package"]))
    print(f"{len(results)} fuzz targets")
    return bool(results) and all(results)


def process() -> bool:
    """What is about asking and answering, through the core in a process of its own."""
    return run("pytest", "-q", *CLIENT_TESTS, PYAGENT_TRANSPORT="process")


def wheel() -> bool:
    build = "from setuptools import build_meta as b; b.build_sdist('dist'); print('dist/' + b.build_wheel('dist'))"
    return run(sys.executable, "-c", build)


STEPS: dict[str, Callable[[], bool]] = {
    "gofmt": gofmt_check,
    "vet": lambda: run("go", "vet", "./..."),
    "staticcheck": lambda: run("staticcheck", "./..."),
    "ruff": lambda: run("ruff", "check", "."),
    "format": lambda: run("ruff", "format", "--check", "."),
    "mypy": lambda: run("mypy"),
    "gotest": lambda: run("go", "test", "./core/..."),
    "race": lambda: run("go", "test", "-race", "./core/..."),
    "fuzz": fuzz,
    "quick": lambda: run("pytest", "-q", "tests/unit", "tests/shape"),
    "pytest": lambda: run("pytest", "-q"),
    "docs": lambda: run("pytest", "-q", "tests/shape/test_docs.py", "tests/system", "-k", "docs or examples or readme"),
    "process": process,
    "compat": lambda: run("pytest", "-q", "tests/compat"),
    "bench": lambda: run(sys.executable, "benchmarks/run.py"),
    "fmt": fmt,
    "wheel": wheel,
}
GROUPS = {
    "lint": ["gofmt", "vet", "staticcheck", "ruff", "format", "mypy"],
    "unit": ["gotest", "quick"],
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
