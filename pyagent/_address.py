"""Where a vendor is asked: the address that was given, that of the environment, or the vendor's own."""

from __future__ import annotations

from . import _checks
from ._environment import read_first
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._registry import Row


def find_base_url(provider: str | dict[str, Any], row: Row, given: str | None) -> str:
    """The address that is asked: the given one, that of the environment, the vendor's own.

    Raises:
        ConfigurationError: There is none.
    """
    url = given if given is not None else read_base_url(row)
    if not _checks.line("base_url", url):
        name = provider if isinstance(provider, str) else provider.get("name", "of your own")
        hint = f" or set {row.base_url_env[0]}" if row.base_url_env else ""
        hint += ", or GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION" if name == "vertex" else ""
        raise ConfigurationError(
            f"The provider {name} has no address of its own; give base_url{hint}.", param="base_url"
        )
    return url.rstrip("/")


def read_base_url(row: Row) -> str:
    """The vendor's address as the environment has it, or its own; "" when there is none."""
    found = read_first(row.base_url_env)
    if found and "OLLAMA_HOST" in row.base_url_env:  # which need not be a URL
        from ._ollama_host import server_url

        return server_url(found, row.base_url)
    if not found and "VERTEX_BASE_URL" in row.base_url_env:
        from . import _vertex

        return _vertex.server_url()
    return found or row.base_url
