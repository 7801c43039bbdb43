"""The virtual environment in which everything is measured: the other packages live there and touch nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache" / "bench"
PYTHON = FOLDER / "bin" / "python"
CHART = "matplotlib"


def environment() -> dict[str, str]:
    """Of every process here: this checkout's pyagent, the platform's own certificates, and no proxy to the loopback."""
    local = ("_proxy", "ssl_cert_file", "ssl_cert_dir")
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith(local)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}


def install(contestants: Iterable[ModuleType]) -> None:
    """Installs what is missing. A package that cannot be installed is left out of the comparison."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
    present = versions()
    for requirement in [CHART, *(contestant.PACKAGE for contestant in contestants if contestant.PACKAGE)]:
        name, _, version = requirement.partition("==")
        if name not in present or (version and present[name] != version):
            print(f"installing {requirement}", flush=True)
            command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", requirement]
            if subprocess.run(command, check=False).returncode != 0:
                print(f"{requirement} cannot be installed here and is left out")


def versions() -> dict[str, str]:
    """Name and version of every package in the environment."""
    listing = subprocess.run(
        [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "list", "--format", "json"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {re.sub("[-_.]+", "-", row["name"]).lower(): row["version"] for row in json.loads(listing)}


def output(statement: str) -> str:
    """What a Python statement prints in the environment."""
    command = [str(PYTHON), "-c", statement]
    return subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout.strip()
