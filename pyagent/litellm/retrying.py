"""completion_with_retries, its twin, and which statuses are worth a retry."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._completion import Answer

__all__ = ["acompletion_with_retries", "completion_with_retries"]

_ATTEMPTS = 3


def completion_with_retries(*args: Any, **kwargs: Any) -> Answer:
    """`completion` with three retries, if num_retries does not say otherwise."""
    from ._completion import completion

    return completion(*args, **{"num_retries": _ATTEMPTS, **kwargs})


async def acompletion_with_retries(*args: Any, **kwargs: Any) -> Answer:
    """The twin of `completion_with_retries` for coroutines."""
    from ._completion import acompletion

    return await acompletion(*args, **{"num_retries": _ATTEMPTS, **kwargs})


def _should_retry(status_code: int) -> bool:
    """Whether a call that failed with this status may succeed later."""
    return status_code in {408, 409, 429} or status_code >= 500
