"""The `defaults` of a deployment: arguments of requests that count where a request says nothing of its own."""

from __future__ import annotations

from . import _checks, _request
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What a request says for itself, or a Provider.
_NOT_THESE = frozenset({
    "include_usage", "include_raw", "options", "input", "max_retries", "tag", "api_key", "base_url",
})  # fmt: skip


def check_defaults(given: Any) -> dict[str, Any]:
    """The arguments as they are.

    Raises:
        ConfigurationError: One is no argument of a request, or has the wrong type.
    """
    for name in _checks.mapping("defaults", given):
        if name not in _request._CHECKS or name in _NOT_THESE:
            raise ConfigurationError(
                f"defaults has {name!r}, which is no argument that a deployment can complete in a request; what only "
                "the vendor knows goes into extra_body.",
                param="defaults",
            )
    to_config(given)
    return dict(given)


def to_config(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments in the core's words."""
    body = _request._body("", "", dict(given))
    del body["op"], body["model"]
    return body
