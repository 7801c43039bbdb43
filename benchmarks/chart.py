"""Draws the results as bars, in an SVG that reads well on white and on dark pages.

python benchmarks/chart.py results.json chart.svg
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import contestants
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

# Each panel: workload, figure, heading, what the axis shows.
PANELS = (
    ("deltas", "cpu_us", "Streaming in bursts", "CPU µs per delta"),
    ("paced", "cpu_us", "200 slow streams at once", "CPU µs per delta"),
    ("held", "kb", "2,000 open streams", "KB of memory per stream"),
    ("requests", "cpu_us", "Small completions, one by one", "CPU µs per request"),
    ("together", "cpu_us", "Small completions, 64 at once", "CPU µs per request"),
    ("start", "first_ms", "Import and first answer", "milliseconds"),
)
COLUMNS = 3
SUBJECT, OTHER, FLOOR = "#0d9488", "#94a3b8", "#cbd5e1"
INK, FAINT = "#57606a", "#8c959f"
DARK = {INK: "#c9d1d9", FAINT: "#8b949e", OTHER: "#64748b", FLOOR: "#475569", SUBJECT: "#2dd4bf"}


def draw(results: dict[str, Any]) -> pyplot.Figure:
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "path",
            "svg.hashsalt": "pyagent",
            "font.size": 9,
            "text.color": INK,
            "axes.labelcolor": INK,
            "xtick.color": FAINT,
            "ytick.color": INK,
        }
    )
    names = list(results["labels"])
    rows = len(PANELS) // COLUMNS
    figure, panels = pyplot.subplots(rows, COLUMNS, figsize=(10, rows * (0.3 * len(names) + 1)), sharey=True)
    for axes, (workload, key, heading, unit) in zip(panels.flat, PANELS):
        measured = results["medians"][workload]
        _bars(axes, names, {name: measured[name][key] for name in names if name in measured}, heading, unit)
    panels.flat[0].set_yticks(range(len(names)), [results["labels"][name] for name in names])
    panels.flat[0].invert_yaxis()
    for label, name in ((label, name) for axes in panels[:, 0] for label, name in zip(axes.get_yticklabels(), names)):
        label.set_fontweight("bold" if name == contestants.SUBJECT else "normal")
    figure.text(0.995, 0.012, results["machine"], ha="right", va="bottom", fontsize=7, color=FAINT)
    figure.text(
        0.005,
        0.012,
        "less is better; axes are logarithmic; no bar: it cannot do that, or not in time",
        va="bottom",
        fontsize=7,
        color=FAINT,
    )
    figure.tight_layout(rect=(0, 0.025, 1, 1), w_pad=2, h_pad=2)
    return figure


def _bars(axes: Axes, names: list[str], values: dict[str, float], heading: str, unit: str) -> None:
    colours = {contestants.SUBJECT: SUBJECT, contestants.FLOOR: FLOOR}
    left = 10 ** _floor_exponent(min(values.values()))
    for position, name in enumerate(names):
        if name not in values:
            continue
        value = values[name]
        axes.barh(position, value - left, left=left, height=0.66, color=colours.get(name, OTHER))
        weight = "bold" if name == contestants.SUBJECT else "normal"
        axes.annotate(
            _figure(value),
            (value, position),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            weight=weight,
        )
    axes.set_xscale("log")
    axes.set_xlim(left, max(values.values()) * 5)
    axes.set_title(heading, loc="left", fontsize=10, fontweight="bold", color=INK)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_locator(LogLocator(base=10, numticks=8))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(length=0)
    axes.grid(axis="x", color=FAINT, alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _floor_exponent(value: float) -> int:
    """The power of ten below a value, with room for its bar."""
    exponent = 0
    while 10**exponent > value / 1.3:
        exponent -= 1
    while 10 ** (exponent + 1) <= value / 1.3:
        exponent += 1
    return exponent


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def describe(results: dict[str, Any]) -> str:
    """The chart in words, for readers who do not see it."""
    parts = []
    for workload, key, heading, unit in PANELS:
        rows = results["medians"][workload]
        figures = "; ".join(f"{results['labels'][name]} {_figure(row[key])}" for name, row in rows.items())
        parts.append(f"{heading}, {unit}: {figures}.")
    return " ".join(parts)


def finish(path: Path, words: str) -> None:
    """Adds the words, and other colours for readers whose pages are dark."""
    rules = "".join(f'[style*="{light}"]{{fill:{dark}!important}}' for light, dark in DARK.items())
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    title = f"<title>pyagent and other clients</title><desc>{words}</desc>"
    text = path.read_text(encoding="utf-8")
    text = re.sub(
        r"(<svg [^>]*>)", lambda found: f"{found.group(1)}\n {title}\n {style}", text, count=1, flags=re.DOTALL
    )
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    results = json.loads(source.read_text(encoding="utf-8"))
    figure = draw(results)
    figure.savefig(target, transparent=True, metadata={"Date": None, "Creator": None})
    finish(target, describe(results))


if __name__ == "__main__":
    main()
