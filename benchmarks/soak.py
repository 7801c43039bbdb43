"""Calls of every kind for minutes, blocking and asyncio together, and a look at whether anything grows or stays open.

    python benchmarks/soak.py --minutes 5

The scripted server runs in its own process. Fails when a call ends in another way than its script says, when memory,
threads or descriptors of the last third of the time exceed those of the first third, or when a handle is left at the
end.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from soak_cases import CASES, AsyncWorker, BlockingWorker, end_at_random

from pyagent import _loading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
THREADS, TASKS = 4, 32
LOOP_SECONDS = 10.0  # an event loop lives for so long; then another follows
SAMPLES = 60
# What may be more in the last third than in the first: medians, so that one sample with more in flight decides nothing.
MARGINS = {"MB": 8.0, "threads": 4.0, "descriptors": 16.0, "handles": 8.0, "tasks": 4.0}


class Soak:
    """The workers, and what is known of them."""

    def __init__(self, url: str, minutes: float) -> None:
        self.url, self.seconds = url, minutes * 60
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.samples: list[dict[str, float]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = time.monotonic() + self.seconds

    def run(self) -> None:
        endings: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        arguments = (self.url, self.counts, self.failures)
        blocking = [BlockingWorker(*arguments, endings=endings) for _ in range(THREADS)]
        threads = [threading.Thread(target=worker.run) for worker in blocking]
        threads.append(threading.Thread(target=self._run_loops))
        ender = threading.Thread(target=end_at_random, args=(endings,))
        for thread in (*threads, ender):
            thread.start()
        begun = time.monotonic()
        while time.monotonic() < self._end and not self.failures:
            time.sleep(min(self.seconds / SAMPLES, max(0.0, self._end - time.monotonic())))
            self.samples.append({"seconds": time.monotonic() - begun, **self._sample()})
        self._end = 0.0
        for worker in blocking:
            worker.stopping = True
        for thread in threads:
            thread.join()
        endings.put(None)
        ender.join()

    def _run_loops(self) -> None:
        while time.monotonic() < self._end and not self.failures:
            asyncio.run(self._run_tasks())

    async def _run_tasks(self) -> None:
        self._loop = asyncio.get_running_loop()
        until = min(self._end, time.monotonic() + LOOP_SECONDS)
        workers = [AsyncWorker(self.url, self.counts, self.failures) for _ in range(TASKS)]
        await asyncio.gather(*(worker.run(until) for worker in workers))
        self._loop = None

    def _sample(self) -> dict[str, float]:
        loop = self._loop
        return {
            "calls": sum(self.counts.values()),
            "MB": resident_mb(),
            "threads": len(os.listdir("/proc/self/task")),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "handles": sum(handles().values()),
            "tasks": len(asyncio.all_tasks(loop)) if loop is not None else 0,
        }


def resident_mb() -> float:
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        return int(re.findall(r"^Pss: +(\d+) kB", file.read(), re.MULTILINE)[0]) / 1024


def handles() -> dict[str, int]:
    return dict(_loading.runtime().inspect()["handles"])


def left_open(seconds: float = 5.0) -> dict[str, int]:
    """The handles that are still open when everything is over."""
    deadline = time.monotonic() + seconds
    while True:
        gc.collect()
        left = {name: count for name, count in handles().items() if count}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def growth(samples: list[dict[str, float]]) -> tuple[list[str], list[str]]:
    """The medians of the first and last third as lines of a table, and what has grown beyond its margin."""
    samples = samples[len(samples) // 10 :]  # the beginning warms up
    third = max(1, len(samples) // 3)
    lines, grown = [], []
    for name, margin in MARGINS.items():
        first = statistics.median(sample[name] for sample in samples[:third])
        last = statistics.median(sample[name] for sample in samples[-third:])
        lines.append(f"  {name:12}{first:10.1f}{last:10.1f}   may grow by {margin:g}")
        if last > first + margin:
            grown.append(f"{name} grew from {first:.1f} to {last:.1f}")
    return lines, grown


@contextmanager
def fake_server() -> Iterator[str]:
    """`pyagent fake` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pyagent", "fake"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[2]
        finally:
            process.terminate()


def report(soak: Soak) -> bool:
    """Prints the tables and the verdict."""
    heads = ("seconds", "calls", *MARGINS)
    print("".join(f"{head:>12}" for head in heads))
    for sample in soak.samples[:: max(1, len(soak.samples) // 15)]:
        print("".join(f"{sample[head]:12,.0f}" for head in heads))
    lines, wrong = growth(soak.samples) if soak.samples else ([], [])
    print("\n  medians of     first third   last third", *lines, sep="\n")
    print("\n  calls by case", *(f"  {soak.counts[case.name]:9,} {case.name}" for case in CASES), sep="\n")
    wrong += soak.failures[:3]
    wrong += [f"{case.name}: no call was made" for case in CASES if not soak.counts[case.name]]
    if left := left_open():
        wrong.append(f"left open at the end: {left}")
    total = sum(soak.counts.values())
    print(f"\n{total:,} calls in {soak.seconds / 60:g} minutes:", "; ".join(wrong) or "nothing grew, nothing is left")
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (5)")
    options = parser.parse_args()
    with fake_server() as url:
        soak = Soak(url, options.minutes)
        soak.run()
        return 0 if report(soak) else 1


if __name__ == "__main__":
    sys.exit(main())
