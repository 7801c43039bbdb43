"""Measures pyagent against other clients on one loopback server: `make bench`.

Every measurement is a process of its own; contestants take turns within each round, so that whatever else the machine
does meets all of them; the median of the rounds is reported. CPU time is that of the client's process with all its
threads.
Prints tables, writes benchmarks/results.json and draws docs/benchmarks.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import contestants
import peers
import report
import startup
from measure import address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
CHART = peers.ROOT / "docs" / "benchmarks.svg"
PATIENCE = 180  # seconds; a measurement that takes longer is given up

Samples = dict[str, dict[str, list[dict[str, float]]]]  # workload, contestant, one row per round


@contextmanager
def loopback_server() -> Iterator[int]:
    """Runs the server in its own process and gives its port. The server ends with its standard input, so with us."""
    command = [str(peers.PYTHON), str(HERE / "server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=peers.environment()) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def measure(name: str, workload: str, port: int) -> dict[str, float] | None:
    """One measurement in a fresh process; None when the contestant cannot do it, with the reason on the terminal."""
    command = [str(peers.PYTHON), str(HERE / "measure.py"), name, workload, str(port)]
    try:
        done = subprocess.run(
            command, env=peers.environment(), capture_output=True, text=True, check=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        print(f"\n{name} {workload}: no result within {PATIENCE} s")
        return None
    except subprocess.CalledProcessError as error:
        print(f"\n{name} {workload}: {error.stderr.strip().splitlines()[-1]}")
        return None
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure_all(racing: dict[str, ModuleType], rounds: int) -> Samples:
    """All rounds. Every second one goes through the contestants backwards."""
    samples: Samples = {workload: {name: [] for name in racing} for workload in ("deltas", "requests", "start")}
    with loopback_server() as port:
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", end="", flush=True)
            for name in list(racing)[:: -1 if number % 2 else 1]:
                print(f" {name.strip('_')}", end="", flush=True)
                for workload in ("deltas", "requests"):
                    if figures := measure(name, workload, port):
                        samples[workload][name].append(figures)
                samples["start"][name].append(startup.measure(name, racing[name].MODULE, address(port, 1)))
            print()
    return samples


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


def machine() -> str:
    """The machine in one line, without its name."""
    model = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*: (.+)$", file.read(), re.MULTILINE)
        model = f"{found.group(1)}, {model}" if found else model
    python = peers.output("import platform; print(platform.python_version())")
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python {python}"


def choose(wanted: str) -> dict[str, ModuleType]:
    known = contestants.load()
    names = [name.strip() for name in wanted.split(",") if name.strip()] or list(known)
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"unknown contestants {', '.join(unknown)}; there are {', '.join(known)}")
    return {name: known[name] for name in known if name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="measurements of everything (5)")
    parser.add_argument("--only", default="", metavar="NAMES", help=f"some of {','.join(contestants.load())}")
    parser.add_argument("--no-chart", action="store_true", help="only print: write neither the figures nor the chart")
    options = parser.parse_args()
    racing = choose(options.only)
    peers.install(racing.values())
    present = peers.versions()
    racing = {name: it for name, it in racing.items() if not it.PACKAGE or it.PACKAGE.partition("==")[0] in present}
    samples = measure_all(racing, options.rounds)
    packages = {name: it.PACKAGE.partition("==")[0] for name, it in racing.items() if it.PACKAGE}
    results = {
        "machine": machine(),
        "rounds": options.rounds,
        "versions": {
            "pyagent": peers.output("import pyagent; print(pyagent.__version__)"),
            **{package: present[package] for package in packages.values()},
        },
        "labels": {name: it.LABEL for name, it in racing.items()},
        "medians": summary(samples),
        "samples": samples,
    }
    print("\n" + report.tables(results))
    if not options.no_chart:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        subprocess.run([str(peers.PYTHON), str(HERE / "chart.py"), str(RESULTS), str(CHART)], check=True)
        print(f"wrote {RESULTS.relative_to(peers.ROOT)} and {CHART.relative_to(peers.ROOT)}")


if __name__ == "__main__":
    main()
