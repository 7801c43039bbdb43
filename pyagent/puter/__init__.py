"""The Puter SDK's names over pyagent: `from pyagent.puter import PuterAI` in place of `from puter import PuterAI`.

What is the same, what differs and why is in docs/puter.md."""

from __future__ import annotations

from pyagent import __version__ as __version__

from .ai import PuterAI
from .config import PuterConfig, config
from .exceptions import PuterAPIError, PuterAuthError, PuterError

__all__ = ["PuterAI", "PuterAPIError", "PuterAuthError", "PuterConfig", "PuterError", "config"]
