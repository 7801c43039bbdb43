"""Account: who asks Puter, with which settings, and the token that says so."""

from __future__ import annotations

import os
from threading import Lock

from pyagent import Provider, Throttle, Timeouts

from ._translated import translated
from .config import PuterConfig, config
from .exceptions import PuterAuthError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The settings that a connection is made of.
_CONNECTION = ("api_base", "timeout", "max_retries", "retry_delay", "backoff_factor", "headers",
               "rate_limit_requests", "rate_limit_period")  # fmt: skip


class Account:
    """The part of PuterAI that has nothing to do with conversations."""

    current_model: str

    def __init__(self, username: str | None, password: str | None, token: str | None, settings: dict[str, Any]) -> None:
        PuterConfig().update(**settings)  # refuses what is wrong
        self._settings = settings
        self._username = username if username is not None else os.environ.get("PUTER_USERNAME", "")
        self._password = password if password is not None else os.environ.get("PUTER_PASSWORD", "")
        self._token = token if token is not None else os.environ.get("PUTER_AUTH_TOKEN") or None
        self._made: tuple[dict[str, Any], Provider] | None = None  # with the settings that it was made of
        self._logging_in = Lock()

    @property
    def token(self) -> str | None:
        """The token in use, to be kept and given to a later client; None before the first login."""
        return self._token

    def login(self, code: str | None = None, *, recovery_code: str | None = None) -> bool:
        """Gets a token for the name and the password.

        Args:
            code: The one-time code, for accounts that are asked for one.
            recovery_code: In place of it.

        Returns:
            True.

        Raises:
            PuterAuthError: There is no name or password, they or the code are wrong, or a code is needed.
            PuterAPIError: Puter did not answer, or not as it should.
        """
        with translated("Login error"):
            self._token = self._provider().login(**self._credentials(code, recovery_code))
        return True

    async def async_login(self, code: str | None = None, *, recovery_code: str | None = None) -> bool:
        """The twin of `login` for coroutines."""
        with translated("Login error"):
            self._token = await self._provider().alogin(**self._credentials(code, recovery_code))
        return True

    def _credentials(self, code: str | None = None, recovery_code: str | None = None) -> dict[str, Any]:
        if not self._can_log_in():
            raise PuterAuthError("Username and password must be set for login.")
        return {
            "username": self._username,
            "password": self._password,
            "code": code,
            "recovery_code": recovery_code,
            "login_url": self._setting("login_url"),
        }

    def _can_log_in(self) -> bool:
        return bool(self._username and self._password)

    def _new_token(self, stale: str | None) -> str:
        """A token in place of one that is missing or was refused. Several threads that miss it log in once."""
        self._must_log_in()
        with self._logging_in:
            if self._token is None or self._token == stale:
                self.login()
            assert self._token is not None
            return self._token

    async def _anew_token(self, stale: str | None) -> str:
        """The twin of `_new_token` for coroutines. Several tasks that miss it at once may each log in."""
        self._must_log_in()
        if self._token is None or self._token == stale:
            await self.async_login()
        assert self._token is not None
        return self._token

    def _must_log_in(self) -> None:
        if not self._can_log_in():
            raise PuterAuthError("Not authenticated. Please login first.")

    def _get_auth_headers(self) -> dict[str, str]:
        if not self._token:
            raise PuterAuthError("Not authenticated. Please login first.")
        return {
            **self._setting("headers"),
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
        }

    def _setting(self, name: str) -> Any:
        return self._settings[name] if name in self._settings else getattr(config, name)

    def _provider(self) -> Provider:
        """The connection, made anew when a setting has changed."""
        settings = {name: self._setting(name) for name in _CONNECTION}
        if self._made is None or self._made[0] != settings:
            patience = float(settings["timeout"])
            pace = None
            if settings["rate_limit_requests"] and settings["rate_limit_period"]:
                pace = Throttle(
                    requests=settings["rate_limit_requests"], period=settings["rate_limit_period"], per="key"
                )
            provider = Provider(
                self.current_model,
                provider="puter",
                api_key="",
                base_url=settings["api_base"],
                # The wait for a turn is no part of the wait for the answer.
                timeouts=Timeouts(first_token=patience, idle=patience, total=0),
                max_retries=settings["max_retries"],
                retry_backoff=settings["retry_delay"],
                retry_factor=settings["backoff_factor"],
                throttle=pace,
                extra_headers=dict(settings["headers"]) or None,
            )
            self._made = ({**settings, "headers": dict(settings["headers"])}, provider)
        return self._made[1]
