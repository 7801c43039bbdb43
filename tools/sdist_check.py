"""Installs the source distribution as strangers would, and streams an answer from `echo` each time.

    python tools/sdist_check.py dist/pyagent-*.tar.gz

Once where there is neither Go nor a C compiler, and nothing else on PATH: pip fetches both as packages. Once without
network and build isolation, with the Go and the C compiler of this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import develop
import toolchain

# How this machine reaches packages is not what is tried.
KEPT = ("HOME", "PIP_", "SSL_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY")
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there: whoever asks the network for something fails


def main(archives: list[str]) -> int:
    if len(archives) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    archive = Path(archives[0]).resolve()
    for attempt in (without_tools, without_network):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            said = attempt(archive, Path(folder))
        print(f"ok {attempt.__name__}: {time.monotonic() - started:.0f} s; {said}", flush=True)
    return 0


def without_tools(archive: Path, folder: Path) -> str:
    """Installs with nothing on PATH but the commands of a new virtual environment."""
    python = new_environment(folder)
    environment = bare(PATH=str(python.parent))
    run(python, "-m", "pip", "install", "--quiet", archive, environment=environment)
    return demo(python, environment)


def without_network(archive: Path, folder: Path) -> str:
    """Installs with tools that are there already, and with nowhere to get anything from."""
    python = new_environment(folder)
    run(python, "-m", "pip", "install", "--quiet", *develop.project_list("requires"), environment=bare())
    go, compiler = toolchain.find_go(), toolchain.c_compiler()
    if not compiler:
        sys.exit("a C compiler is needed to try a build without network")
    path = {os.path.dirname(go), os.path.dirname(str(shutil.which(compiler)))}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    environment = bare(PATH=os.pathsep.join([str(python.parent), *sorted(path)]), **proxies)
    options = ("--quiet", "--no-build-isolation", "--no-index", "--no-deps")
    run(python, "-m", "pip", "install", *options, archive, environment=environment)
    return demo(python, environment)


def new_environment(folder: Path) -> Path:
    venv.create(folder / "venv", with_pip=True)
    return folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def bare(**more: str) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name.startswith(KEPT)}, **more}


def demo(python: Path, environment: dict[str, str]) -> str:
    """What the library says of itself, once an answer was streamed."""
    run(python, "-m", "pyagent", "demo", environment=environment)
    script = "import os, pyagent; print(os.path.getsize(pyagent.get_library()), 'bytes')"
    return run(python, "-c", script, environment=environment).strip()


def run(*command: str | Path, environment: dict[str, str]) -> str:
    """The output of a command, which runs where no file of this project is in the way."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=sys.prefix)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
