"""Turns results into the tables that people read."""

from __future__ import annotations

import contestants
import server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WORKLOADS = {
    "deltas": (
        "One streamed answer of {count:,.0f} deltas, {segment} written at a time",
        {"per_second": "deltas/s", "cpu_us": "CPU us/delta"},
    ),
    "requests": (
        "Small completions one after another",
        {"per_second": "requests/s", "cpu_us": "CPU us/request"},
    ),
    "start": (
        "Start of a program, beyond that of the interpreter",
        {"import_ms": "import, ms", "first_ms": "import and first answer, ms", "first_cpu_ms": "CPU ms"},
    ),
}
# Columns that are also given as a multiple of pyagent's figure.
RATIOS = {"per_second": "rate", "cpu_us": "CPU", "first_ms": "wait"}


def tables(results: dict[str, Any]) -> str:
    """Every workload as a table; columns marked "x" are multiples of pyagent's figure."""
    note = f"medians of {results['rounds']} rounds; columns marked x are multiples of pyagent's figure"
    parts = [f"{results['machine']}; {note}"]
    for workload, (title, columns) in WORKLOADS.items():
        rows = results["medians"][workload]
        if rows:
            parts.append(_table(title, columns, rows, results["labels"]))
    return "\n\n".join(parts)


def _table(title: str, columns: dict[str, str], rows: dict[str, Any], labels: dict[str, str]) -> str:
    most = max((row.get("count", 0) for row in rows.values()), default=0)
    heads = ["", *columns.values(), *(f"{short} x" for key, short in RATIOS.items() if key in columns)]
    subject = rows.get(contestants.SUBJECT)
    lines = [heads]
    for name, row in rows.items():
        label = labels[name]
        if "pieces" in row and row["count"] < most:
            label += f" ({row['count']:,.0f} deltas)"
        ratios = [f"{row[key] / subject[key]:.2f}" if subject else "" for key in RATIOS if key in columns]
        lines.append([label, *(_figure(row[key]) for key in columns), *ratios])
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    text = [title.format(count=most, segment=server.SEGMENT)]
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]
        text.append("  " + "  ".join(cells))
    return "\n".join(text)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
