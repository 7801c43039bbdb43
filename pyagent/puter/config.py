"""PuterConfig: addresses, patience and pace, for all clients or for one."""

from __future__ import annotations

import os
from difflib import get_close_matches

from .exceptions import PuterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["PuterConfig", "config"]

# Every setting: its default, what makes it of the text of a variable, and the least that it may be.
_SETTINGS: dict[str, tuple[Any, Callable[[str], Any], float | None]] = {
    "api_base": ("https://api.puter.com", str, None),
    "login_url": ("https://puter.com/login", str, None),
    "timeout": (30, float, 0),
    "max_retries": (3, int, 0),
    "retry_delay": (1.0, float, 0),
    "backoff_factor": (2.0, float, 1),
    "rate_limit_requests": (10, int, 0),
    "rate_limit_period": (60, float, 0),
}


class PuterConfig:
    """Settings of the Puter client. A new one reads the environment variables.

    Attributes:
        api_base: Where chats go; PUTER_API_BASE.
        login_url: Where names and passwords go; PUTER_LOGIN_URL.
        timeout: Seconds to wait for the answer, of a stream for each piece; PUTER_TIMEOUT, then 30. 0 is no limit.
        max_retries: Attempts after the first; PUTER_MAX_RETRIES, then 3.
        retry_delay: Seconds before the first retry; PUTER_RETRY_DELAY, then 1.
        backoff_factor: What the pause grows by each time; PUTER_BACKOFF_FACTOR, then 2.
        rate_limit_requests, rate_limit_period: So many requests begin in so many seconds, the others wait;
            PUTER_RATE_LIMIT_REQUESTS and PUTER_RATE_LIMIT_PERIOD, then 10 in 60. 0 is no limit.
        headers: Sent with every request.
        legacy_drivers: Name the vendor behind a model as the driver, for servers of before 2025. Default False.

    Raises:
        PuterError: A variable or a value is not a number in its range.
    """

    api_base: str
    login_url: str
    timeout: float
    max_retries: int
    retry_delay: float
    backoff_factor: float
    rate_limit_requests: int
    rate_limit_period: float
    headers: dict[str, str]
    legacy_drivers: bool

    def __init__(self) -> None:
        self.headers = {}
        self.legacy_drivers = False
        for name, (default, read, _) in _SETTINGS.items():
            text = os.environ.get(f"PUTER_{name.upper()}", "")
            try:
                value = read(text) if text else default
            except ValueError:
                raise PuterError(f"PUTER_{name.upper()} must be a number, got {text!r}.") from None
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _SETTINGS:
            default, _, least = _SETTINGS[name]
            if least is None:
                right = isinstance(value, str) and value != ""
            else:
                kinds = (int,) if isinstance(default, int) and name.endswith(("retries", "requests")) else (int, float)
                right = isinstance(value, kinds) and not isinstance(value, bool) and least <= value < float("inf")
            if not right:
                wanted = "a text" if least is None else f"a number of {least:g} or more"
                raise PuterError(f"{name} must be {wanted}, got {value!r}.")
        elif name not in PuterConfig.__annotations__:
            near = get_close_matches(name, PuterConfig.__annotations__, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(PuterConfig.__annotations__)}."
            raise PuterError(f"There is no setting {name}{hint}")
        object.__setattr__(self, name, value)

    def update(self, **settings: Any) -> None:
        """Changes some settings.

        Raises:
            PuterError: There is no such setting, or its value is wrong; then nothing is changed.
        """
        before = dict(vars(self))
        try:
            for name, value in settings.items():
                setattr(self, name, value)
        except PuterError:
            vars(self).update(before)
            raise

    def to_dict(self) -> dict[str, Any]:
        """All settings by name."""
        return dict(vars(self))

    def __repr__(self) -> str:
        return (
            f"PuterConfig({', '.join(f'{name}={value!r}' for name, value in vars(self).items() if name != 'headers')})"
        )


config = PuterConfig()
