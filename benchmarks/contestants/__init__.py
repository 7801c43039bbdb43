"""The clients that are measured, one to a file. A file of this folder is a contestant if it defines:

    LABEL           its name in tables and charts
    PACKAGE         what pip installs for it, "" for nothing
    MODULE          what a program imports to use it, the subject of the import time
    DELTAS          how many deltas it is given: all get 200,000, except those that would take minutes for them
    REQUESTS        how many small completions one measurement makes
    connect(base_url) -> client
    stream(client) -> (pieces, characters)     reads one streamed answer to its end, piece by piece
    complete(client) -> text                   one small completion

Packages are imported in `connect` and not above it: the harness reads these files without having the packages.
Everything is used as its own documentation says, without tuning, and on kept-alive connections where it can.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

# The order of tables and charts.
NAMES = ("raw_socket", "pyagent_", "http_client", "aiohttp_", "rusty", "edgequake", "openai_", "litellm_")
FLOOR = "raw_socket"
SUBJECT = "pyagent_"


def load() -> dict[str, ModuleType]:
    """Every contestant by the name of its file."""
    import importlib
    import pkgutil

    found = {module.name for module in pkgutil.iter_modules(__path__)}
    names = [*(name for name in NAMES if name in found), *sorted(found.difference(NAMES))]
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
