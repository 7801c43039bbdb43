"""The package as a stranger gets it: one small wheel for every Python, which runs with nothing else there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from pyagent import get_library

pytestmark = pytest.mark.timeout(600)  # The first of these tests builds the wheel.

MEGABYTE = 1 << 20
LIBRARY = Path(get_library()).name


@pytest.fixture(scope="session")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new virtual environment that holds the wheel only."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", wheel], check=True, env=bare_environment())
    subprocess.run([*pip, "check"], check=True, env=bare_environment())
    return python


def bare_environment() -> dict[str, str]:
    """No search path, key or proxy of the developer's; no compiler and no Go on PATH either."""
    return {"PATH": "/nonexistent", "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def test_the_tag_names_the_platform_only(wheel: Path) -> None:
    name, version, python, abi, platform = wheel.stem.split("-")
    assert (name, python, abi) == ("pyagent", "py3", "none")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert platform != "any"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="manylinux tags are for Linux")
def test_the_tag_promises_a_glibc_that_has_every_symbol(wheel: Path, unpacked: Path) -> None:
    promised = re.search(r"-manylinux_2_(\d+)_\w+(\.manylinux2014_\w+)?\.whl$", wheel.name)
    assert promised, f"{wheel.name} has no manylinux tag"
    asked = re.findall(rb"GLIBC_2\.(\d+)", (unpacked / "pyagent" / LIBRARY).read_bytes())
    assert max(map(int, asked)) <= int(promised.group(1))


def test_sizes(wheel: Path, unpacked: Path) -> None:
    """As pip makes it; `make wheels` packs more tightly."""
    assert wheel.stat().st_size <= 3.8 * MEGABYTE
    assert (unpacked / "pyagent" / LIBRARY).stat().st_size <= 9 * MEGABYTE


def test_the_wheel_holds_the_package_the_library_and_the_header(root: Path, unpacked: Path) -> None:
    sources = {path.relative_to(root).as_posix() for path in (root / "pyagent").rglob("*.py")}
    extra = {"pyagent/py.typed", f"pyagent/{LIBRARY}", "pyagent/include/pyagent.h", "pyagent/pkgconfig/pyagent.pc"}
    held = {path.relative_to(unpacked).as_posix() for path in (unpacked / "pyagent").rglob("*") if path.is_file()}
    assert held == sources | extra
    assert {path.name for path in unpacked.iterdir()} == {"pyagent", next(unpacked.glob("*.dist-info")).name}
    assert (unpacked / "pyagent/include/pyagent.h").read_bytes() == (root / "core/cabi/pyagent.h").read_bytes()


def test_the_metadata_asks_for_nothing(unpacked: Path) -> None:
    metadata = next(unpacked.glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert required == []
    assert "\nRequires-Python: >=3.9\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert next(unpacked.glob("*.dist-info/licenses/LICENSE")).stat().st_size > 10_000


def test_the_library_is_stripped_and_names_no_folder_of_the_builder(unpacked: Path, root: Path) -> None:
    content = (unpacked / "pyagent" / LIBRARY).read_bytes()
    assert b".debug_info" not in content
    assert b".symtab" not in content
    for folder in (str(root), os.path.expanduser("~") + "/go", "pyagent-build-", sys.prefix):
        assert folder.encode() not in content


def test_it_runs_where_nothing_else_is_installed(clean_python: Path, tmp_path: Path) -> None:
    command = [clean_python.parent / "pyagent", "demo"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=bare_environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not done.stderr


def test_it_warns_about_nothing(clean_python: Path, tmp_path: Path) -> None:
    script = "import pyagent; print(pyagent.Provider('echo', provider='echo').generate_text('one wheel'))"
    command = [clean_python, "-I", "-W", "error", "-X", "dev", "-c", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=bare_environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert "one wheel" in done.stdout


def interpreters() -> list[Path]:
    """The other Pythons on this machine, one of each version: those on PATH and those of pyenv."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    folders += Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin")
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob("python3.*"):
            version = re.fullmatch(r"python3\.(\d+)t?", path.name)
            if version and int(version.group(1)) >= 9 and folder.name != "shims":
                found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]


@pytest.mark.parametrize("python", interpreters(), ids=lambda path: path.name)
def test_one_wheel_serves_every_python(python: Path, unpacked: Path) -> None:
    script = f"import sys; sys.path.insert(0, {str(unpacked)!r}); import pyagent; "
    script += "print(pyagent.Provider('echo', provider='echo').generate_text('every python'))"
    done = subprocess.run([python, "-I", "-S", "-B", "-c", script], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "every python" in done.stdout
