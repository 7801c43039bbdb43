"""What the start costs: a fresh interpreter that imports a package, or gets one answer with it, against an idle one.

Packages differ in how much they put off until the first request, so the second figure is the one to compare.
"""

from __future__ import annotations

import resource
import subprocess
import time
from pathlib import Path

import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

REPEATS = 3  # in each round, because a process start is short and noisy
FIRST_ANSWER = (
    "import sys; sys.path.append({folder!r}); from contestants import {name} as it; import drivers; "
    "drivers.drive(it, {url!r}, 'complete').complete()"
)


def start(interpreter: str, statement: str) -> tuple[float, float]:
    """Wall and CPU milliseconds of one interpreter."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [interpreter, "-c", statement]
    subprocess.run(command, env=peers.environment(), cwd=Path.home(), check=True, capture_output=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall * 1e3, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def measure(name: str, contestant: ModuleType, url: str) -> dict[str, float]:
    """Milliseconds that `import module` adds, and those that the import and a first answer add together.

    The least of the repeats, since what else the machine does only ever adds to a start.
    """
    first = FIRST_ANSWER.format(folder=str(Path(__file__).resolve().parent), name=name, url=url)
    statements = ("pass", f"import {contestant.MODULE}", first)
    rows = [[start(peers.python(contestant), statement) for statement in statements] for _ in range(REPEATS)]
    bare, imported, answered = (tuple(map(min, zip(*column))) for column in zip(*rows))
    return {
        "import_ms": imported[0] - bare[0],
        "first_ms": answered[0] - bare[0],
        "first_cpu_ms": answered[1] - bare[1],
    }
