"""pyagent's exceptions as those of the Puter SDK."""

from __future__ import annotations

from contextlib import contextmanager

from pyagent.errors import AuthenticationError, PyAgentError

from .exceptions import PuterAPIError, PuterAuthError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises pyagent's exceptions as those of this package. `what` says what was being done."""
    try:
        yield
    except PyAgentError as error:
        kind = PuterAuthError if isinstance(error, AuthenticationError) else PuterAPIError
        raise kind(f"{what}: {error}", error) from error
