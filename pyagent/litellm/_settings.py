"""What the module `pyagent.litellm` is set to: programs assign to its attributes, at any time."""

from __future__ import annotations

import sys
from types import ModuleType

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


def _turn_on_debug() -> None:
    """Shows calls from now on, as `set_verbose` does."""
    sys.modules[__package__].set_verbose = True  # type: ignore[attr-defined]


# Settings of litellm that ask for what is so here anyhow.
_MET = frozenset({"suppress_debug_info", "disable_token_counter", "disable_aiohttp_transport"})


class Module(ModuleType):
    """The module `pyagent.litellm`, which refuses settings that nothing here reads: they would seem to act."""

    def __setattr__(self, name: str, value: object) -> None:
        known = name in vars(self) or name in self.__all__ or name in _MET or name.startswith("_")
        off = not value if name != "ssl_verify" else value in {None, True}
        if not (known or off or name.endswith("_key") or isinstance(value, ModuleType)):
            raise AttributeError(
                f"pyagent.litellm has no setting {name!r}, and would ignore it; docs/litellm.md lists what there is"
            )
        super().__setattr__(name, value)
