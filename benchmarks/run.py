"""Measures pyagent against other clients on one loopback server: `make bench`.

Every measurement is a process of its own; contestants take turns within each round, so that whatever else the machine
does meets all of them; the median of the rounds is reported. CPU time is that of the client's process with all its
threads, and of a process that it has started.
Prints tables. A whole run also writes benchmarks/results.json and draws docs/benchmarks.svg.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import contestants
import peers
import question
import report
import startup
from measure import address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
CHART = peers.ROOT / "docs" / "benchmarks.svg"
PATIENCE = 120  # seconds; a measurement that takes longer is given up
LONG = 5  # seconds; a measurement that takes longer is made in the first round only
NEEDS_ASYNCIO = ("deltas_asyncio",)

Samples = dict[str, dict[str, list[dict[str, float]]]]  # workload, contestant, one row per round
Reasons = dict[str, dict[str, str]]  # workload, contestant: why it was left out


@contextmanager
def loopback_server() -> Iterator[int]:
    """Runs the server in its own process and gives its port. The server ends with its standard input, so with us."""
    with subprocess.Popen([peers.server()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        say = {"model": question.MODEL, "answer": question.ANSWER, "words": question.WORDS}
        try:
            print(json.dumps(say), file=process.stdin, flush=True)
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def measure(name: str, contestant: ModuleType, workload: str, port: int) -> dict[str, float] | str:
    """One measurement in a fresh process; when the contestant cannot do it, the reason."""
    if reason := getattr(contestant, "REFUSES", {}).get(workload):
        return str(reason)
    if workload in NEEDS_ASYNCIO and not hasattr(contestant, "astream"):
        return "it has no asyncio"
    if workload == "start":
        return startup.measure(name, contestant, address(port))
    command = [peers.python(contestant), str(HERE / "measure.py"), name, workload, str(port)]
    try:
        done = subprocess.run(
            command, env=peers.environment(), capture_output=True, text=True, check=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"no result within {PATIENCE} s"
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip() or f"status {error.returncode}").splitlines()[-1][:200]
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure_all(racing: dict[str, ModuleType], workloads: list[str], rounds: int) -> tuple[Samples, Reasons]:
    """All rounds. Every second one goes through the contestants backwards."""
    samples: Samples = {workload: {name: [] for name in racing} for workload in workloads}
    reasons: Reasons = {workload: {} for workload in workloads}
    enough: set[tuple[str, str]] = set()
    with loopback_server() as port:
        for number, workload in itertools.product(range(rounds), workloads):
            print(f"round {number + 1} of {rounds}, {workload}:", end="", flush=True)
            for name in list(racing)[:: -1 if number % 2 else 1]:
                if (workload, name) in enough or not contestants.takes_part(name, workload):
                    continue
                begun = time.monotonic()
                figures = measure(name, racing[name], workload, port)
                seconds = time.monotonic() - begun
                print(f" {name.strip('_')} {seconds:.0f} s", end="", flush=True)
                if isinstance(figures, str):
                    reasons[workload][name] = figures
                else:
                    samples[workload][name].append(figures)
                if seconds > LONG or isinstance(figures, str):
                    enough.add((workload, name))
            print()
    return samples, reasons


def summary(samples: Samples) -> dict[str, dict[str, dict[str, float]]]:
    """Medians over the rounds."""
    return {
        workload: {
            name: {key: round(statistics.median(row[key] for row in rows), 4) for key in rows[0]}
            for name, rows in by_name.items()
            if rows
        }
        for workload, by_name in samples.items()
    }


def machine(contestant: ModuleType) -> str:
    """The machine in one line, without its name."""
    model = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*: (.+)$", file.read(), re.MULTILINE)
        model = f"{found.group(1)}, {model}" if found else model
    python = peers.output(contestant, "import platform; print(platform.python_version())")
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python {python}"


def choose(wanted: str, known: list[str], what: str) -> list[str]:
    names = [name.strip() for name in wanted.split(",") if name.strip()] or known
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"unknown {what} {', '.join(unknown)}; there are {', '.join(known)}")
    return [name for name in known if name in names]


def race(names: list[str], workloads: list[str], rounds: int) -> dict[str, Any]:
    """Installs, measures, and gives all that there is to know about it."""
    known = contestants.load()
    wanted = [name for name in names if any(contestants.takes_part(name, workload) for workload in workloads)]
    versions = {name: peers.install(known[name]) for name in wanted}
    racing = {name: known[name] for name, version in versions.items() if version is not None}
    samples, reasons = measure_all(racing, workloads, rounds)
    first = next(iter(racing.values()))
    own = peers.output(first, "import pyagent; print(pyagent.__version__)")
    packages = {it.PACKAGE.partition("==")[0]: versions[name] for name, it in racing.items() if it.PACKAGE}
    return {
        "machine": machine(first),
        "rounds": rounds,
        "versions": {"pyagent": own, **packages},
        "labels": {name: it.LABEL for name, it in racing.items()},
        "left_out": reasons,
        "medians": summary(samples),
        "samples": samples,
    }


def main() -> None:
    known, workloads = list(contestants.load()), list(report.WORKLOADS)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often everything is measured, except what takes long (5)"
    )
    parser.add_argument("--only", default="", metavar="NAMES", help=f"print the figures of some of {','.join(known)}")
    parser.add_argument("--workloads", default="", metavar="NAMES", help=f"or for some of {','.join(workloads)}")
    options = parser.parse_args()
    results = race(
        choose(options.only, known, "contestants"),
        choose(options.workloads, workloads, "workloads"),
        options.rounds,
    )
    print("\n" + report.tables(results))
    if not (options.only or options.workloads):
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        subprocess.run([sys.executable, str(HERE / "chart.py"), str(RESULTS), str(CHART)], check=True)
        print(f"wrote {RESULTS.relative_to(peers.ROOT)} and {CHART.relative_to(peers.ROOT)}")


if __name__ == "__main__":
    main()
