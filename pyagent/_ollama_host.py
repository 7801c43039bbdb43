"""Where an Ollama server is: OLLAMA_HOST in every form that Ollama's own programs take, see
https://github.com/ollama/ollama/blob/main/envconfig/config.go."""

from __future__ import annotations

import re

from .errors import ConfigurationError

_PORT = "11434"
_UNSPECIFIED = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # a server's "everywhere"


def server_url(value: str, default: str) -> str:
    """The base URL that the value of OLLAMA_HOST or OLLAMA_BASE_URL stands for.

    Args:
        value: A host, a host and a port, a port after a colon, or a URL. Without a scheme it is http and the port 11434
            unless another is given; with one, the port is the scheme's own. The addresses on which a server listens
            everywhere (0.0.0.0, ::) are those of this machine.
        default: The provider's own base URL. Its path is that of the routes, and replaces the path of the other
            provider for the same server: one variable serves both.
    """
    text = value.strip().strip("\"'").strip()
    scheme, separator, rest = text.rpartition("://")
    authority, _, path = rest.partition("/")
    user, at, authority = authority.rpartition("@")
    if authority.count(":") > 1 and not authority.startswith("["):
        authority = f"[{authority}]"  # an IPv6 address without brackets
    host, port = _split(authority)
    if not re.fullmatch(r"[0-9]{0,5}", port) or int(port or 0) > 0xFFFF:
        raise ConfigurationError(
            f"OLLAMA_HOST has the port {port!r}; it looks like 127.0.0.1:{_PORT} or https://ollama.example.com.",
            param="base_url",
        )
    if not separator:
        scheme = "https" if host == "ollama.com" else "http"
        port = port or ("" if host == "ollama.com" else _PORT)
    host = _UNSPECIFIED.get(host, host)
    path = path.strip("/")
    if path in {"", "v1", "api"}:
        path = default.partition("://")[2].partition("/")[2]
    return f"{scheme}://{user}{at}{host}{':' if port else ''}{port}{'/' if path else ''}{path}"


def _split(authority: str) -> tuple[str, str]:
    """Host and port; the port is "" where there is none."""
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        return host + bracket, rest.lstrip(":")
    host, _, port = authority.partition(":")
    return host, port
