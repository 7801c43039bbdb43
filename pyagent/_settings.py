"""From the options of a Provider to the parts of its configuration, where the environment has a word in them."""

from __future__ import annotations

import os

from . import _checks, _request
from ._environment import read_first
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from ._registry import Row
    from .options import Timeouts


def find_clocks(timeout: float | None, timeouts: Timeouts | None) -> dict[str, Any]:
    """The `timeouts` object of a configuration, from the options and the environment."""
    clocks = _request.clocks(timeout, timeouts)
    request = _read_number("PYAGENT_REQUEST_TIMEOUT_SECS", "positive")
    connect = _read_number("PYAGENT_CONNECT_TIMEOUT_SECS", "positive")
    if request is not None and timeout is None and timeouts is None:
        clocks["request"] = request
    if connect is not None:
        clocks.setdefault("connect", connect)
    return clocks


def find_retries(most: int | None, backoff: float | None, factor: float | None) -> dict[str, Any]:
    """What a configuration says of retries, from the options and the environment."""
    retries = {
        "max_retries": _checks.count("max_retries", most),
        "retry_backoff": _checks.seconds("retry_backoff", backoff),
        "retry_factor": _checks.optional(_checks.number, "retry_factor", factor),
    }
    if most is None:
        retries["max_retries"] = _read_number("PYAGENT_MAX_RETRIES", "non-negative")
    if backoff is None:
        milliseconds = _read_number("PYAGENT_RETRY_BACKOFF_MS", "positive")
        retries["retry_backoff"] = None if milliseconds is None else milliseconds / 1000
    return retries


def network(
    proxy: str | None,
    ca_file: str | PathLike[str] | None,
    client_cert: tuple[str | PathLike[str], str | PathLike[str]] | None,
    max_connections: int | None,
) -> dict[str, Any]:
    """What the `network` object of a configuration says of a proxy, certificates and connections."""
    if client_cert is not None and (not isinstance(client_cert, (tuple, list)) or len(client_cert) != 2):
        raise _checks.wrong("client_cert", "a pair of file names, (certificate, key)", client_cert)
    said = {
        "proxy": proxy,
        "ca_file": None if ca_file is None else os.path.abspath(ca_file),
        "client_cert": None if client_cert is None else [os.path.abspath(name) for name in client_cert],
        "max_connections": _checks.count("max_connections", max_connections),
    }
    return {name: value for name, value in said.items() if value}


def switches(**switches: bool) -> dict[str, bool]:
    """The switches that differ from what the core does by itself."""
    asked = {name: _checks.flag(name, value) for name, value in switches.items()}
    return {name: value for name, value in asked.items() if value != (name == "post_quantum")}


def azure(row: Row, api_version: str | None, deployment: str | None) -> dict[str, Any]:
    """The `azure` object of a configuration, from the options and the environment."""
    said = {
        "api_version": _checks.optional(_checks.string, "api_version", api_version) or read_first(row.api_version_env),
        "deployment": _checks.optional(_checks.string, "deployment", deployment) or read_first(row.deployment_env),
    }
    return {name: value for name, value in said.items() if value}


def _read_number(name: str, sign: str) -> int | None:
    """A whole number from the environment; `sign` is "positive" or "non-negative"."""
    raw = os.environ.get(name)
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit()):
        raise ConfigurationError(f"{name} must be a {sign} integer, got '{raw}'.", param=name)
    if int(raw) == 0 and sign == "positive":
        raise ConfigurationError(f"{name} must be greater than zero.", param=name)
    return int(raw)
