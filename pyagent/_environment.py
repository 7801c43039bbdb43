"""What of the process's environment concerns a Provider: proxies, certificates, and the variables of its vendor."""

from __future__ import annotations

import os

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def network_variables(*, proxies: bool) -> dict[str, str]:
    """The variables that are set, as they are now. A Go runtime only sees those of the moment it was loaded.

    Proxy variables count in either case, because programs disagree about which one is right.
    """
    names = [*CERTIFICATES]
    if proxies:
        names += [*PROXIES, *(name.lower() for name in PROXIES)]
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def read_first(names: tuple[str, ...]) -> str | None:
    """The first of these environment variables that is set and not empty."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def without_secrets(url: str) -> str:
    """The URL without the user and password that it may carry."""
    scheme, separator, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    if "@" not in host:
        return url
    return f"{scheme}{separator}***@{host.rpartition('@')[2]}{slash}{path}"
