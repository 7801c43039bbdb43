"""What every test gets: a check that it leaves nothing open, and on demand one wheel that is built once per run."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MADE = ("build", "dist", "*.egg-info", "__pycache__", "libpyagent.*", "pyagent-process", "node_modules", ".*_cache")


def pytest_collection_finish() -> None:
    """What the collection has made stays: the collections of garbage after each test need not look at it again."""
    if hasattr(gc, "freeze"):
        gc.collect()
        gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What is about the library alone is not asked of the core in a process of its own."""
    mark = item.get_closest_marker("library")
    if mark is not None and os.environ.get("PYAGENT_TRANSPORT") == "process":
        pytest.skip(f"the core is a process of its own here: {mark.args[0]}")


def open_handles() -> dict[str, int]:
    """How many handles of each kind are open in the core, and how many calls it works on; empty before it is loaded."""
    loaded = getattr(sys.modules.get("pyagent._lib"), "_runtime", None)
    handles = dict(loaded.inspect()["handles"]) if loaded is not None and loaded.alive else {}
    if sys.implementation.name == "pypy":  # It keeps the loops of ended threads; the next loop closes their inboxes.
        handles.pop("inboxes", None)
    return handles


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    """Whatever a test opens in the core is closed when its variables are gone; what wider fixtures hold stays."""
    before = open_handles()
    yield
    shared = sys.modules.get("pyagent.litellm._calls")
    if shared is not None:  # its calls share Providers for as long as the process runs
        shared._providers.clear()
    # On PyPy an object with a finaliser takes what it refers to along in a later collection, and each takes a while.
    deadline = time.monotonic() + (30 if sys.implementation.name == "pypy" else 5)
    while any(count > before.get(kind, 0) for kind, count in open_handles().items()):
        gc.collect()
        if time.monotonic() > deadline:
            pytest.fail(f"open handles before the test: {before}, after it: {open_handles()}")
        time.sleep(0.01)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def source_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .tar.gz that would be uploaded, made from a copy, so that nothing an earlier build left behind gets in."""
    folder = tmp_path_factory.mktemp("sdist")
    copy = folder / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*MADE, ".git", ".venv", ".cache"))
    build = f"from setuptools import build_meta; build_meta.build_sdist({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def wheel(source_distribution: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the source distribution without network, as a user's pip would build it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "--quiet",
        "--no-index",
        "--no-deps",
    ]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(source_distribution)]
    subprocess.run(command, check=True, env={**os.environ, "GOPROXY": "off"})
    (built,) = folder.glob("*.whl")
    return built
