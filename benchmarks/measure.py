"""Measures one workload of one contestant in this process, which does nothing else, and prints the figures as JSON.

python benchmarks/measure.py CONTESTANT WORKLOAD SERVER_PORT
"""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import statistics
import sys
import time

import contestants
import question
import usage
from drivers import drive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

SEGMENT = 64  # deltas in one write of a burst
WARM_UP = 20  # small completions before the first one that counts
TOGETHER = 64  # small completions at once
PACED, PACED_DELTAS, PAUSE_MS = 200, 100, 20  # streams at once, deltas of each, milliseconds between two of them
STAMPS, STAMP_PAUSE_MS = 1_000, 2
STALLED, HELD = 1_000, 2_000  # streams that are open while the idle process is watched, and when memory is
IDLE_SECONDS = 10
EVENTS = (1, 4, 16, 64)  # MiB
CONVERSATIONS = (10, 100, 1_000, 10_000)  # messages
MESSAGES = 20_000  # in all requests of one size, for those who make 1,000 requests


class Stopwatch:
    """Wall time and CPU time, in seconds."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), usage.cpu()

    def stop(self) -> tuple[float, float]:
        return time.perf_counter() - self.wall, usage.cpu() - self.cpu


def address(port: int, **order: Any) -> str:
    """The base URL under which the server behaves as ordered; benchmarks/server/main.go knows the words."""
    path = "".join(f"/{name}/{value}" for name, value in order.items())
    return f"http://127.0.0.1:{port}{path}/v1"


def deltas(contestant: ModuleType, port: int, prefer: str = "threads") -> dict[str, float]:
    """One long streamed answer, on a connection that has served a small one."""
    count = contestant.DELTAS
    driver = drive(contestant, address(port, deltas=count, segment=SEGMENT), "stream", prefer)
    driver.complete()
    watch = Stopwatch()
    reading = driver.read()
    wall, cpu = watch.stop()
    _check(contestant, reading, count)
    return {"per_second": count / wall, "cpu_us": cpu / count * 1e6, "count": count}


def deltas_asyncio(contestant: ModuleType, port: int) -> dict[str, float]:
    """The same with `async for`."""
    return deltas(contestant, port, "asyncio")


def protocols(contestant: ModuleType, port: int) -> dict[str, float]:
    """The same in the protocol of each vendor."""
    return deltas(contestant, port)


def requests(contestant: ModuleType, port: int) -> dict[str, float]:
    """Small completions one after another."""
    count = contestant.REQUESTS
    driver = drive(contestant, address(port), "complete")
    answer = driver.complete(WARM_UP)
    if answer != question.ANSWER:
        raise SystemExit(f"{contestant.LABEL} read {answer!r}, which is not the answer")
    watch = Stopwatch()
    driver.complete(count)
    wall, cpu = watch.stop()
    return {"per_second": count / wall, "cpu_us": cpu / count * 1e6, "count": count}


def together(contestant: ModuleType, port: int) -> dict[str, float]:
    """Small completions, many at once, after a round that opened the connections."""
    driver = drive(contestant, address(port), "complete", "asyncio")
    driver.complete_together(TOGETHER, 2)
    times = contestant.REQUESTS * 10 // TOGETHER
    watch = Stopwatch()
    driver.complete_together(TOGETHER, times)
    wall, cpu = watch.stop()
    count = times * TOGETHER
    return {"per_second": count / wall, "cpu_us": cpu / count * 1e6, "count": count}


def paced(contestant: ModuleType, port: int) -> dict[str, float]:
    """Many streams at once, each as slow as a model writes, after completions that opened the connections."""
    url = address(port, deltas=PACED_DELTAS, pause=f"{PAUSE_MS}ms")
    driver = drive(contestant, url, "stream", "asyncio")
    driver.complete_together(PACED, 1)
    watch = Stopwatch()
    readings = driver.read_together(PACED)
    wall, cpu = watch.stop()
    for reading in readings:
        _check(contestant, reading, PACED_DELTAS)
    return {"wall": wall, "cpu_us": cpu / (PACED * PACED_DELTAS) * 1e6}


def latency(contestant: ModuleType, port: int) -> dict[str, float]:
    """One slow stream: the time between the server's write, which is the delta's text, and the reading of it."""
    url = address(port, deltas=STAMPS, pause=f"{STAMP_PAUSE_MS}ms", stamped=1)
    driver = drive(contestant, url, "stream")
    driver.complete(WARM_UP)
    late = []
    for moment, piece in driver.arrivals():
        text = piece.decode() if isinstance(piece, bytes) else piece
        late += [(moment - int(stamp)) / 1e3 for stamp in re.findall(r"\b\d{19}\b", text)]
    if len(late) != STAMPS:
        raise SystemExit(f"{contestant.LABEL} read {len(late)} deltas and not {STAMPS}")
    ranks = statistics.quantiles(late, n=100)
    return {"p50_us": ranks[49], "p99_us": ranks[98]}


def held(contestant: ModuleType, port: int) -> dict[str, float]:
    """Streams that have begun and say nothing more: the CPU time of waiting for them, then what each of them takes."""
    raise_descriptor_limit()
    driver = drive(contestant, address(port, deltas=1, held=1), "stream", "asyncio")
    driver.complete(WARM_UP)
    driver.hold(WARM_UP)
    before = usage.resident_kb()
    driver.hold(STALLED)
    driver.idle(1)
    watch = Stopwatch()
    driver.idle(IDLE_SECONDS)
    wall, cpu = watch.stop()
    driver.hold(HELD - STALLED)
    driver.idle(1)
    return {
        "kb": (usage.resident_kb() - before) / HELD,
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")) - 1,  # without that of the listing
        "idle_percent": cpu / wall * 100,
    }


def events(contestant: ModuleType, port: int) -> dict[str, float]:
    """One large event, of several sizes: milliseconds per MiB, and the most memory that the process ever took."""
    figures = {}
    for size in EVENTS:
        driver = drive(contestant, address(port, bytes=size << 20), "stream")
        driver.complete()
        times = max(1, 8 // size)
        watch = Stopwatch()
        for _ in range(times):
            characters = driver.read()[1]
            if not (size << 20) - 512 < characters <= (size << 20) + 4096:
                raise SystemExit(f"{contestant.LABEL} read {characters} characters of an event of {size} MiB")
        figures[f"ms_{size}"] = watch.stop()[0] / times / size * 1e3
        figures[f"peak_mb_{size}"] = usage.peak_mb()
    return figures


def messages(contestant: ModuleType, port: int) -> dict[str, float]:
    """Small completions of conversations of several lengths: CPU time per message."""
    driver = drive(contestant, address(port), "complete")
    driver.complete(WARM_UP)
    figures = {}
    for size in CONVERSATIONS:
        conversation = question.conversation(size)
        times = max(2, MESSAGES // size * contestant.REQUESTS // 1_000)
        driver.complete(1, conversation)
        watch = Stopwatch()
        driver.complete(times, conversation)
        figures[f"us_{size}"] = watch.stop()[1] / times / size * 1e6
    figures["peak_mb"] = usage.peak_mb()
    return figures


def _check(contestant: ModuleType, reading: tuple[int, int], count: int) -> None:
    """The answer must have been read whole: its characters, or for the floor about as many bytes as it has."""
    pieces, characters = reading
    if contestant.__name__.endswith(contestants.FLOOR):
        right = characters > count * 150
    else:
        right = pieces <= count and characters == question.characters(count)
    if not right:
        raise SystemExit(
            f"{contestant.LABEL} read {pieces} pieces with {characters} characters, which is not the answer"
        )


def raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = HELD + 500
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


WORKLOADS = {
    it.__name__: it
    for it in (deltas, deltas_asyncio, protocols, requests, together, paced, latency, held, events, messages)
}


def main() -> None:
    name, workload, port = sys.argv[1:]
    contestant = importlib.import_module(f"contestants.{name}")
    print(json.dumps(WORKLOADS[workload](contestant, int(port))), flush=True)
    os._exit(0)  # thousands of open streams need no farewell


if __name__ == "__main__":
    main()
