"""The core's rows of what is known of models, and the row of one model."""

from __future__ import annotations

from . import _opening
from .models import Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_rows: list[dict[str, Any]] = []  # once they were asked for: they are part of the library


def find_capabilities(provider: str, model: str) -> Capabilities:
    """What is known of a model, from the longest name that matches."""
    found: dict[str, Any] = {}
    for row in _load():
        if (
            provider in row["providers"]
            and is_of_family(row["name"], model)
            and len(row["name"]) > len(found.get("name", ""))
        ):
            found = row
    known = {name: value for name, value in found.items() if name not in {"providers", "name"}}
    return Capabilities(provider, model, **known)


def known_families() -> list[Capabilities]:
    """All rows, one entry for each vendor that has the family."""
    return [
        Capabilities(
            provider,
            row["name"],
            **{name: value for name, value in row.items() if name not in {"providers", "name"}},
        )
        for row in _load()
        for provider in row["providers"]
    ]


def is_of_family(family: str, model: str) -> bool:
    """Whether a model is of a family, as core/provider/capabilities.go has it."""
    rest = model[len(family) :]
    if not model.startswith(family) or rest in ("", "-latest"):
        return model.startswith(family)
    digits = rest[1:4]
    return rest[0] in "-@" and len(digits) == 3 and digits.isascii() and digits.isdigit()


def _load() -> list[dict[str, Any]]:
    with _opening.lock:
        if not _rows:
            from ._loading import runtime

            _rows.extend(runtime().inspect()["models"])
        return _rows
