"""Measures one workload of one contestant in this process, which does nothing else, and prints the figures as JSON.

python benchmarks/measure.py CONTESTANT WORKLOAD SERVER_PORT
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time

import question
import server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

WARM_UP = 20  # small completions before the first one that counts


class Stopwatch:
    """Wall time and CPU time of this process with all its threads, in seconds."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), self._cpu()

    @staticmethod
    def _cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    def stop(self) -> tuple[float, float]:
        return time.perf_counter() - self.wall, self._cpu() - self.cpu


def address(port: int, deltas: int) -> str:
    return f"http://127.0.0.1:{port}/deltas/{deltas}/v1"


def deltas(contestant: ModuleType, port: int) -> dict[str, float]:
    """One long streamed answer, on a connection that has served a small one."""
    client = contestant.connect(address(port, contestant.DELTAS))
    contestant.complete(client)
    watch = Stopwatch()
    pieces, characters = contestant.stream(client)
    wall, cpu = watch.stop()
    if pieces > contestant.DELTAS or characters not in (None, server.characters(contestant.DELTAS)):
        raise SystemExit(
            f"{contestant.LABEL} read {pieces} pieces with {characters} characters, which is not the answer"
        )
    return {
        "per_second": contestant.DELTAS / wall,
        "cpu_us": cpu / contestant.DELTAS * 1e6,
        "pieces": pieces,
        "count": contestant.DELTAS,
    }


def requests(contestant: ModuleType, port: int) -> dict[str, float]:
    """Small completions one after another."""
    client = contestant.connect(address(port, 1))
    answer = contestant.complete(client)
    if answer != question.ANSWER:
        raise SystemExit(f"{contestant.LABEL} read {answer!r}, which is not the answer")
    for _ in range(WARM_UP):
        contestant.complete(client)
    watch = Stopwatch()
    for _ in range(contestant.REQUESTS):
        contestant.complete(client)
    wall, cpu = watch.stop()
    return {
        "per_second": contestant.REQUESTS / wall,
        "cpu_us": cpu / contestant.REQUESTS * 1e6,
        "count": contestant.REQUESTS,
    }


WORKLOADS = {"deltas": deltas, "requests": requests}


def main() -> None:
    name, workload, port = sys.argv[1:]
    contestant = importlib.import_module(f"contestants.{name}")
    print(json.dumps(WORKLOADS[workload](contestant, int(port))))


if __name__ == "__main__":
    main()
