"""The virtual environments in which contestants are measured, one for each: no package decides another's version."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache" / "bench"


def python(contestant: ModuleType) -> str:
    """The interpreter of a contestant. Those without a package share one."""
    name = contestant.__name__.rpartition(".")[2] if contestant.PACKAGE else "plain"
    return str(FOLDER / name / "bin" / "python")


def environment() -> dict[str, str]:
    """Of every process here: this checkout's pyagent, the platform's own certificates, and no proxy to the loopback."""
    local = ("_proxy", "ssl_cert_file", "ssl_cert_dir")
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith(local)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}


def install(contestant: ModuleType) -> str | None:
    """Installs what is missing. Returns the version, "" without a package, None for one that cannot be installed."""
    interpreter = python(contestant)
    if not os.path.exists(interpreter):
        folder = os.path.dirname(os.path.dirname(interpreter))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    name, _, wanted = contestant.PACKAGE.partition("==")
    if not name:
        return ""
    ask = f"import importlib.metadata as m; print(next(iter(d.version for d in m.distributions(name={name!r})), ''))"
    present = output(contestant, ask)
    if not present or (wanted and present != wanted):
        print(f"installing {contestant.PACKAGE}", flush=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", interpreter]
        if subprocess.run([*pip, "install", contestant.PACKAGE], check=False).returncode != 0:
            print(f"{contestant.PACKAGE} cannot be installed here and is left out")
            return None
        present = output(contestant, ask)
    return present


def output(contestant: ModuleType, statement: str) -> str:
    """What a Python statement prints in the environment of a contestant."""
    command = [python(contestant), "-c", statement]
    return subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout.strip()


def server() -> str:
    """Builds the server with the Go that builds the library, and gives its path."""
    path = FOLDER / "server"
    go = {"PATH": f"{Path(sys.prefix, 'bin')}{os.pathsep}{os.environ['PATH']}", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    command = ["go", "build", "-o", str(path), "./benchmarks/server"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **go}, check=True)
    return str(path)
