"""The clients that are measured, one to a file. A file of this folder is a contestant if it defines:

    LABEL           its name in tables and charts
    PACKAGE         what pip installs for it, "" for nothing
    MODULE          what a program imports to use it, the subject of the import time
    DELTAS          how many deltas its long streamed answer has: 200,000, unless that would take minutes
    REQUESTS        how many small completions are made one after another, and ten times as many at once
    REFUSES         workloads that it cannot do, each with the reason (may be left out)

and of these two groups one or both, whole or in part:

    connect(base_url) -> client
    stream(client) -> iterator of pieces               one streamed answer
    complete(client, messages) -> text                 one small completion

    aconnect(base_url) -> client                       the same for asyncio: a coroutine,
    astream(client) -> asynchronous iterator           a plain function,
    acomplete(client, messages) -> text                a coroutine

Packages are imported in `connect` and not above it: the harness reads these files without having the packages.
Everything is used as its own documentation says, on kept-alive connections, without tuning but for one thing: limits on
the number of connections are lifted, since 200 streams at once need 200 of them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

# The order of tables and charts.
NAMES = (
    *("raw_socket", "pyagent_", "pyagent_process", "http_client", "aiohttp_"),
    *("rusty", "edgequake", "openai_", "anthropic_", "litellm_"),
)
# Those of the workload "protocols": pyagent in each vendor's protocol, and the vendors' own packages.
PROTOCOLS = (
    *("pyagent_", "pyagent_anthropic", "pyagent_gemini", "pyagent_ollama"),
    *("openai_", "anthropic_", "google_genai_", "ollama_"),
)
FLOOR = "raw_socket"
SUBJECT = "pyagent_"


def takes_part(name: str, workload: str) -> bool:
    """Whether a contestant is measured in a workload. Vendors' protocols are measured in one alone."""
    return name in PROTOCOLS if workload == "protocols" else name in NAMES or name not in PROTOCOLS


def load() -> dict[str, ModuleType]:
    """Every contestant by the name of its file."""
    import importlib
    import pkgutil

    found = {module.name for module in pkgutil.iter_modules(__path__)}
    known = dict.fromkeys((*NAMES, *PROTOCOLS))
    names = [*(name for name in known if name in found), *sorted(found.difference(known))]
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
