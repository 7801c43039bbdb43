"""Turns results into the tables that people read, and sets pyagent's figures against what is asked of them."""

from __future__ import annotations

import contestants
import measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RATE = {"cpu_us": "CPU us/delta", "per_second": "deltas/s"}
WORKLOADS: dict[str, tuple[str, dict[str, str]]] = {
    "deltas": (f"One streamed answer of {{count:,.0f}} deltas, {measure.SEGMENT} to a write", _RATE),
    "deltas_asyncio": ("The same over asyncio", _RATE),
    "protocols": ("The same by vendors' protocols, beside the vendors' own packages", _RATE),
    "requests": ("Small completions one after another", {"cpu_us": "CPU us/request", "per_second": "requests/s"}),
    "together": (
        f"Small completions, {measure.TOGETHER} at once, over asyncio where there is that, otherwise on threads",
        {"cpu_us": "CPU us/request", "per_second": "requests/s"},
    ),
    "paced": (
        f"{measure.PACED} streams of {measure.PACED_DELTAS} deltas, {measure.PAUSE_MS} ms apart, asyncio or threads",
        {"cpu_us": "CPU us/delta", "wall": "seconds"},
    ),
    "latency": (
        f"From the server's write to the client's read, one delta each {measure.STAMP_PAUSE_MS} ms, one stream",
        {"p50_us": "median us", "p99_us": "99 % us"},
    ),
    "start": (
        "Start of a program, beyond that of the interpreter",
        {"import_ms": "import, ms", "first_ms": "import and first answer, ms", "first_cpu_ms": "CPU ms"},
    ),
    "held": (
        f"{measure.HELD:,} streams held open; idle CPU of the first {measure.STALLED:,}",
        {"kb": "KB/stream", "threads": "threads", "descriptors": "descriptors", "idle_percent": "idle CPU %"},
    ),
    "events": (
        "One event of so many MiB: ms per MiB, and the most resident memory so far in MB",
        {
            **{f"ms_{size}": f"{size} MiB" for size in measure.EVENTS},
            **{f"peak_mb_{size}": f"MB at {size}" for size in measure.EVENTS[-2:]},
        },
    ),
    "messages": (
        "Requests with so many messages: CPU us per message, and the most resident memory in MB",
        {**{f"us_{size}": f"{size:,}" for size in measure.CONVERSATIONS}, "peak_mb": "MB"},
    ),
}
# Columns that are also given as a multiple of pyagent's figure.
RATIOS = {"cpu_us": "CPU", "per_second": "rate", "p50_us": "median", "first_ms": "wait", "kb": "memory"}

_HAND, _AIOHTTP = "http_client", "aiohttp_"
# Workload, figure, "<=" or ">=", and a number, or a contestant whose figure counts, times a factor.
TARGETS: tuple[tuple[str, str, str, str, float], ...] = (
    ("deltas", "cpu_us", "<=", "", 1.0),
    ("deltas", "per_second", ">=", "", 1_000_000),
    ("requests", "cpu_us", "<=", _HAND, 1.0),
    ("together", "cpu_us", "<=", _AIOHTTP, 0.5),
    ("together", "per_second", ">=", _AIOHTTP, 2.0),
    ("paced", "cpu_us", "<=", _AIOHTTP, 0.5),
    ("paced", "wall", "<=", _AIOHTTP, 1.01),  # the streams' phases differ by that much from run to run
    ("latency", "p50_us", "<=", _HAND, 1.0),
    ("latency", "p99_us", "<=", _HAND, 1.0),
    ("start", "import_ms", "<=", "", 15),
    ("start", "first_ms", "<=", "", 55),
    ("held", "kb", "<=", "", 60),
    ("held", "idle_percent", "<=", "", 1.0),
    ("events", "ms_64", "<=", "ms_4", 1.5),
    ("events", "peak_mb_16", "<=", "", 800),
    ("messages", "us_10000", "<=", "us_100", 1.5),
)


def tables(results: dict[str, Any]) -> str:
    """Every workload as a table; columns marked "x" are multiples of pyagent's figure."""
    parts = [f"{results['machine']}; medians; columns marked x are multiples of pyagent's figure"]
    for workload, rows in results["medians"].items():
        title, columns = WORKLOADS[workload]
        reasons = results["left_out"].get(workload, {})
        left_out = [f"  {results['labels'][name]}: {reason}" for name, reason in reasons.items()]
        parts.append("\n".join([_table(title, columns, rows, results["labels"]), *left_out]))
    if judged := targets(results["medians"]):
        parts.append(judged)
    return "\n\n".join(parts)


def targets(medians: dict[str, Any]) -> str:
    """What is asked of pyagent, and whether it is so; without the lines whose figures were not measured."""
    lines = []
    for workload, key, sign, other, factor in TARGETS:
        rows = medians.get(workload, {})
        subject = rows.get(contestants.SUBJECT)
        if subject is None or (other in contestants.NAMES and other not in rows):
            continue
        base = rows[other][key] if other in rows else subject.get(other, 1.0)
        bound, value = base * factor, subject[key]
        right = value <= bound if sign == "<=" else value >= bound
        against = f" ({factor:g} x {other.strip('_')})" if other else ""
        name = f"{workload}, {WORKLOADS[workload][1][key]}"
        verdict = "yes" if right else "NO"
        lines.append(f"  {verdict:4}{name:40}{_figure(value):>10} {sign} {_figure(bound)}{against}")
    return "\n".join(["What is asked of pyagent", *lines]) if lines else ""


def _table(title: str, columns: dict[str, str], rows: dict[str, Any], labels: dict[str, str]) -> str:
    most = max((row.get("count", 0) for row in rows.values()), default=0)
    heads = ["", *columns.values(), *(f"{short} x" for key, short in RATIOS.items() if key in columns)]
    subject = rows.get(contestants.SUBJECT)
    lines = [heads]
    for name, row in rows.items():
        label = labels[name]
        if row.get("count", most) < most:
            label += f" ({row['count']:,.0f})"
        ratios = [f"{row[key] / subject[key]:.2f}" if subject else "" for key in RATIOS if key in columns]
        lines.append([label, *(_figure(row[key]) for key in columns), *ratios])
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    text = [title.format(count=most)]
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]
        text.append("  " + "  ".join(cells))
    return "\n".join(text)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
