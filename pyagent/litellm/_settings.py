"""What the module `pyagent.litellm` is set to: programs assign to its attributes, at any time."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Names of litellm for the keys of vendors whose own name is another one.
_KEYS = {"together_ai": ("togetherai_api_key",), "huggingface": ("huggingface_key",), "vertex_ai": ()}


def read(name: str) -> Any:
    """The module's attribute of that name."""
    return getattr(sys.modules[__package__], name)


def vendor_key(vendor: str) -> str | None:
    """The key that the module has for a vendor, such as `litellm.anthropic_key`."""
    module = sys.modules[__package__]
    for name in (f"{vendor}_key", f"{vendor}_api_key", *_KEYS.get(vendor, ())):
        value = vars(module).get(name)
        if value:
            return value  # type: ignore[no-any-return]
    return None


def default_provider() -> str | None:
    """Whom to ask for a model that names nobody, if edgequake's settings say so."""
    from ._config import explicit_provider

    return explicit_provider()
