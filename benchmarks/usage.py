"""What this process takes of the machine, with all its threads and with the processes that it has started.

One contestant has half of its work done in a process of its own, and that counts like any other."""

from __future__ import annotations

import os
import re
import resource

TICKS = os.sysconf("SC_CLK_TCK")


def children() -> list[str]:
    """The processes that this one has started, where the system tells."""
    found = []
    for task in os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else []:
        path = f"/proc/self/task/{task}/children"
        if os.path.exists(path):
            found += _read(path).split()
    return found


def cpu() -> float:
    """Seconds of CPU time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    theirs = [_read(f"/proc/{pid}/stat").rpartition(")")[2].split()[11:13] for pid in children()]
    return used.ru_utime + used.ru_stime + sum(int(ticks) for pair in theirs for ticks in pair) / TICKS


def resident_kb() -> int:
    """Memory; of pages that processes share, their part."""
    return sum(_field(f"/proc/{pid}/smaps_rollup", "Pss") for pid in ("self", *children()))


def peak_mb() -> float:
    """The most memory that was ever taken."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (own + sum(_field(f"/proc/{pid}/status", "VmHWM") for pid in children())) / 1024


def _field(path: str, name: str) -> int:
    return int(re.findall(rf"^{name}:\s+(\d+) kB", _read(path), re.MULTILINE)[0])


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
