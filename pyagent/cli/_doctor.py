"""The command that shows what pyagent finds on this machine. It names variables and never shows a key."""

from __future__ import annotations

import os
import platform
import sys

from pyagent import _lib, _loading
from pyagent._environment import CERTIFICATES, PROXIES, without_secrets
from pyagent._places import get_library
from pyagent._registry import ROWS
from pyagent._version import __version__
from pyagent.errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

# Where systems keep the certificates that they trust.
_CERTIFICATE_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def doctor(options: Namespace) -> int:
    """Prints the report; 1 if the library cannot be used."""
    _line("pyagent", __version__)
    _line("Python", f"{platform.python_version()} ({platform.python_implementation()}), {platform.platform()}")
    usable = _core()
    for name in PROXIES:
        value = os.environ.get(name) or os.environ.get(name.lower())
        _line(name, without_secrets(value) if value else "not set")
    _line("certificates", _certificates())
    for name, row in sorted(ROWS.items()):
        variables = [*row.key_env, *row.token_env]
        found = [variable for variable in variables if os.environ.get(variable)]
        wanted = " or ".join(variables)
        if found:
            _line(name, f"key in {found[0]}")
        elif row.key_optional:
            _line(name, f"no key needed ({wanted} is not set)" if wanted else "no key needed")
        else:
            _line(name, f"no key: set {wanted}")
    return 0 if usable else 1


def _core() -> bool:
    _line("library", get_library())
    try:
        runtime = _loading.runtime()
        snapshot = runtime.inspect()
    except PyAgentError as error:
        _line("problem", error.message)
        return False
    if type(runtime) is not _lib.Runtime:
        _line("instead", f"the executable {runtime.path}")
    _line("core", f"version {snapshot['version']}, ABI {snapshot['abi']}")
    if snapshot["version"] != __version__:
        _line("problem", "the Python files and the core are of different releases; reinstall pyagent")
        return False
    return True


def _certificates() -> str:
    given = [f"{name}={os.environ[name]}" for name in CERTIFICATES if os.environ.get(name)]
    if given:
        return ", ".join(given)
    if not sys.platform.startswith("linux"):
        return "the system's store"
    found = [name for name in _CERTIFICATE_FILES if os.path.exists(name)]
    return found[0] if found else "none found; install ca-certificates or set SSL_CERT_FILE"


def _line(name: str, value: str) -> None:
    print(f"{name:<14} {value}")
