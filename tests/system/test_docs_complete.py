"""The documents say what the code says: names, options, variables, numbers and tables are the same on both sides."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pyagent
from pyagent import _kinds, _registry, errors, events
from pyagent.litellm._params import _NOT_HERE
from pyagent.puter import PuterConfig

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
SOURCES = [path for path in sorted((ROOT / "pyagent").rglob("*.py")) if path.name != "_registry.py"]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def quoted(text: str) -> set[str]:
    """Every name between backquotes, without dots, parentheses and values behind it."""
    words = {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)}
    return words | set(re.findall(r"\w+", "".join(re.findall(r"```\w+\n.*?```", text, re.DOTALL))))


def table(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.mark.parametrize("module", [pyagent, errors, events], ids=lambda module: module.__name__)
def test_every_public_name_is_documented(module: object) -> None:
    named = set().union(*(quoted(read(page)) for page in PAGES))
    missing = [name for name in module.__all__ if name not in named]  # type: ignore[attr-defined]
    assert [name for name in missing if name not in {"Event", "__version__"}] == []


def test_every_name_of_the_drop_in_for_litellm_is_on_its_page() -> None:
    from pyagent import litellm

    named = quoted(read(DOCS / "litellm.md"))
    assert sorted(set(litellm.__all__) - named - {"__version__"}) == []
    refused = {name for name in _NOT_HERE if not name.startswith(("aws_", "azure_ad", "vertex_"))}
    assert sorted(set(re.findall(r"\w+", " ".join(refused))) - named) == []


def test_every_option_is_documented() -> None:
    text = read(DOCS / "configuration.md")
    constructor = set(inspect.signature(pyagent.Provider.__init__).parameters) - {"self"}
    explained = {name for row in table(text, "Options of a Provider") for name in quoted(row[0])}
    assert explained == constructor
    explained = {name for row in table(text, "Options of a call") for name in quoted(row[0])}
    for method in (pyagent.Provider.generate_text, pyagent.Provider.stream_text, pyagent.Provider.generate):
        assert set(inspect.signature(method).parameters) - {"self"} <= explained
    every = (pyagent.Provider.generate_text, pyagent.Provider.generate, pyagent.Provider.stream)
    assert explained == set().union(*(inspect.signature(method).parameters for method in every)) - {"self"}


def test_every_attribute_of_an_answer_is_documented() -> None:
    text = read(DOCS / "quickstart.md")
    public = {name for name in dir(pyagent.Response) if not name.startswith("_")} - {"to_dict"}
    assert public <= {name for row in table(text, "Everything about an answer") for name in quoted(row[0])}


def test_the_tables_about_streams_are_those_of_the_code() -> None:
    text = read(DOCS / "streaming.md")
    shown = {
        name: re.findall(r"`(\w+)`", row[1]) for row in table(text, "Events") for name in re.findall(r"`(\w+)`", row[0])
    }
    assert shown == {name: list(getattr(events, name)._fields) for name in events.__all__ if name != "Event"}
    named = {row[0].strip("`") for row in table(text, "Functions")}
    assert named == {name for name in dir(pyagent.StreamProcessor) if name.startswith("on_")}
    assert [name for row in table(text, "Snapshots") for name in re.findall(r"`(\w+)`", row[0])] == list(
        pyagent.Snapshot._fields
    )


def test_every_attribute_of_an_error_is_documented() -> None:
    known = set(inspect.signature(pyagent.PyAgentError.__init__).parameters) - {"self"}
    known |= {name for name, value in vars(pyagent.PyAgentError).items() if isinstance(value, property)}
    assert {name for row in table(read(DOCS / "errors.md"), "Attributes") for name in quoted(row[0])} == known


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    tree = re.search(
        r"^PyAgentError\(Exception\)\n.*?(?=^\"\"\"|^$)", read(ROOT / "pyagent" / "errors.py"), re.MULTILINE | re.DOTALL
    )
    assert tree
    assert tree.group() in read(DOCS / "errors.md")


def test_the_kinds_of_errors_are_those_of_the_code() -> None:
    rows = table(read(DOCS / "errors.md"), "Kinds")
    assert {row[0].strip("`"): row[1].strip("`") for row in rows} == {
        kind: error.__name__ for kind, error in _kinds.KINDS.items()
    }


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_the_number_of_vendors_is_that_of_the_registry(name: str) -> None:
    vendors = len(set(_registry.ROWS) - {"compatible", "echo"})
    assert f" {vendors} vendors and local servers by name" in read(ROOT / name)


def test_the_tables_of_vendors_and_models_are_those_of_the_core() -> None:
    command = [sys.executable, ROOT / "tools" / "providers.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def code_variables() -> set[str]:
    """The environment variables that the package reads: those of the registry, and those named in the sources."""
    columns = ("base_url_env", "key_env", "token_env", "api_version_env", "deployment_env")
    known = {name for row in _registry.ROWS.values() for column in columns for name in getattr(row, column)}
    for path in SOURCES:
        named = r"\"((?:PYAGENT|PUTER)_[A-Z_]+|[A-Z]+_PROXY|(?:SSL_CERT|GOOGLE_CLOUD)_[A-Z]+)\""
        known |= set(re.findall(named, read(path)))
    settings = set(PuterConfig().to_dict()) - {"headers", "legacy_drivers"}
    return known | {f"PUTER_{name.upper()}" for name in settings}


def test_the_environment_variables_are_those_of_the_code() -> None:
    header = set(re.findall(r"PYAGENT_\w+", read(ROOT / "core" / "cabi" / "pyagent.h")))
    # The reader's own, a frame, a value of a vendor's, variables of other programs, and constants of C.
    others = {
        "IN_HOUSE_KEY",
        "TOOL_BEGIN",
        "MEDIA_RESOLUTION_LOW",
        "PKG_CONFIG_PATH",
        "SOURCE_DATE_EPOCH",
        "QEMU_LD_PREFIX",
    }
    others |= {"RLIMIT_AS", "RTLD_LOCAL", "RTLD_NOW", "SA_ONSTACK", "SIG_SETMASK", "SCM_RIGHTS", "PR_SET_PDEATHSIG"}
    others |= {"PYAGENT_CORE"}  # of the build
    documented = set()
    for page in PAGES:
        # Whose variables are those of what it replaces; whose are those of test programs.
        if page.name == "litellm.md" or page.parent.name == "hosts":
            continue
        documented |= set(re.findall(r"\b(?:[A-Z]{2,}(?:_[A-Z]+)+)\b", read(page)))
    documented = {name for name in documented if not name.startswith("RUSTY_AGENT_")} - header - others
    assert documented - {"CONNECT_TIMEOUT", "API_KEY"} == code_variables()


def json_names(path: str, *types: str) -> set[str]:
    """The JSON names of some Go structs."""
    text = read(ROOT / "core" / path)
    bodies = [re.search(rf"^type {name} struct \{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL) for name in types]
    return {name for body in bodies if body for name in re.findall(r'`json:"(\w+)', body.group(1))}


def test_every_json_field_is_documented() -> None:
    manual = read(DOCS / "abi.md")
    config = json_names("llm/config.go", "Config", "Timeouts", "Limits", "Throttle", "Network", "Azure")
    config |= json_names("llm/budget.go", "Budget")
    request = json_names("llm/request.go", "Request")
    answer = json_names("llm/event.go", "Start", "ToolBegin", "Retry", "Finish", "Choice")
    answer |= json_names("llm/error.go", "Error") | json_names("llm/usage.go", "Usage")
    answer |= json_names("engine/costs.go", "Costs", "Spent", "BudgetState") | json_names("policy/budget.go", "Amount")
    for names, at_least, heading, end in (
        (config, 20, "Configuration", "## Request"),
        (request, 35, "Request", "## What frames carry"),
        (answer, 30, "What frames carry", "## Growth"),
    ):
        assert len(names) >= at_least
        section = manual.split(f"\n## {heading}\n", 1)[1].split(f"\n{end}\n", 1)[0]
        assert names - quoted(section) == set()


def test_every_field_of_a_row_is_documented() -> None:
    rows = table(read(DOCS / "new-provider.md"), "The fields of a row")
    assert {name for row in rows for name in quoted(row[0])} == json_names("provider/row.go", "Row")


def test_the_numbers_are_those_of_the_policy() -> None:
    text = read(ROOT / "core" / "policy" / "timeout.go") + read(ROOT / "core" / "policy" / "retry.go")
    numbers = {
        name: int(value) for name, value in re.findall(r"^\t(\w+)\s+= (\d+)(?: \* time\.\w+)?$", text, re.MULTILINE)
    }
    said = read(DOCS / "configuration.md")
    clocks = {row[0].strip("`"): row[2] for row in table(said, "The four clocks")}
    assert clocks["connect"] == f"{numbers['defaultConnect']} s"
    assert clocks["first_token"] == f"{numbers['defaultFirstToken']} s"
    assert clocks["idle"] == f"{numbers['defaultIdle']} s"
    assert clocks["total"].startswith(f"{numbers['defaultOneShot']} s for one-shot calls")
    assert f"first: {numbers['defaultMaxRetries']} unless set" in said
    assert f"at most {numbers['longestBackoff']} seconds" in " ".join(said.split())
    assert f"More than {numbers['longestRetryAfter']} seconds" in " ".join(said.split())
    variables = {row[0].strip("`"): row[2] for row in table(said, "Environment variables")}
    assert variables["PYAGENT_RETRY_BACKOFF_MS"] == str(numbers["defaultBackoff"])
    assert variables["PYAGENT_MAX_RETRIES"] == str(numbers["defaultMaxRetries"])


def test_every_field_of_a_script_is_documented() -> None:
    fields = json_names("fake/script.go", "Script")
    assert len(fields) > 25
    assert {name for row in table(read(DOCS / "quickstart.md"), "Scripts") for name in quoted(row[0])} == fields


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_lines_are_short(page: Path) -> None:
    """Up to 120 characters; a table cannot be broken, and neither can one word."""
    long = [
        line for line in read(page).splitlines() if len(line) > 120 and not line.startswith(("|", "{", "<!-- answer"))
    ]
    assert long == []
