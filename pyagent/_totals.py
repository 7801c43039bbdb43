"""What several answers came to together."""

from __future__ import annotations

from .response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def total_usage(usages: Iterable[Usage]) -> Usage:
    """The token counts and the stated cost, added up; None where none of them says."""
    given = list(usages)
    fields: dict[str, Any] = {}
    for name in Usage._fields:
        known = [value for value in (getattr(usage, name) for usage in given) if value is not None]
        if known:
            fields[name] = sum(known)
    return Usage(**fields)


def total_cost(costs: Iterable[float | None]) -> float | None:
    """US dollars for all of them; None where one is not known."""
    total = 0.0
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
