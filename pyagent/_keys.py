"""The keys of a Provider: where they come from, and what is wrong with them. No message shows one."""

from __future__ import annotations

from . import _checks
from ._environment import read_first
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._registry import Row

_KEY_HEADERS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key"})


def find_keys(row: Row, given: str | None, extra: list[str] | None, headers: dict[str, str] | None) -> dict[str, Any]:
    """The fields of a configuration that hold keys: `api_key`, which may be in the environment, and `extra_api_keys`.

    Raises:
        ConfigurationError: There is no key where the vendor wants one, or one is no key.
    """
    found = {"api_key": _find_key(row, given, headers), "extra_api_keys": _check_keys(extra)}
    if found["extra_api_keys"] and not found["api_key"]:
        raise ConfigurationError(
            "extra_api_keys stand by for api_key, which is not given; give it as well.", param="extra_api_keys"
        )
    return found


def _find_key(row: Row, given: str | None, headers: dict[str, str] | None) -> str | None:
    if given is not None:
        return _checks.line("api_key", given)  # type: ignore[no-any-return]
    key = read_first(row.key_env)
    token = read_first(row.token_env)
    if key is None and token is not None:
        key = f"Bearer {token}"  # which tells the core how to send it
    in_headers = any(name.lower() in _KEY_HEADERS for name in headers or ())
    if key is None and row.key_env and not row.key_optional and not in_headers:
        raise ConfigurationError(
            f"No api_key provided and {' or '.join(row.key_env)} environment variable is not set.", param="api_key"
        )
    return None if key is None else _checks.line("api_key", key)


def _check_keys(keys: list[str] | None) -> list[str]:
    if keys is None:
        return []
    if not isinstance(keys, (list, tuple)) or not all(isinstance(key, str) and key for key in keys):
        # The value is not shown: it may be a key.
        raise ConfigurationError(
            "extra_api_keys must be a list of strings that are not empty; one more key is a list of one.",
            param="extra_api_keys",
        )
    return [_checks.line(f"extra_api_keys[{number}]", key) for number, key in enumerate(keys)]
