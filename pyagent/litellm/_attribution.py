"""edgequake's attribution: which program asks and for whom, as headers and as the user of a request."""

from __future__ import annotations

import os

from . import exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_FIELDS = ("application_id", "application_name", "application_url", "tenant_id", "request_id", "end_user_id")
_HEADERS = {
    "application_id": "X-EdgeQuake-App-Id",
    "application_name": "X-EdgeQuake-App-Name",
    "application_url": "X-EdgeQuake-App-Url",
    "tenant_id": "X-EdgeQuake-Tenant-Id",
    "request_id": "X-EdgeQuake-Request-Id",
    "end_user_id": "X-EdgeQuake-End-User-Id",
}
_ENVIRONMENT = {
    "application_id": "EDGEQUAKE_APP_ID",
    "application_name": "EDGEQUAKE_APP_NAME",
    "application_url": "EDGEQUAKE_APP_URL",
    "tenant_id": "EDGEQUAKE_TENANT_ID",
}
# What OpenRouter calls them, and the variables of litellm and of edgequake for it.
_OPENROUTER = (
    ("application_url", "HTTP-Referer", ("OR_SITE_URL", "OPENROUTER_SITE_URL")),
    ("application_name", "X-Title", ("OR_APP_NAME", "OPENROUTER_SITE_NAME")),
)


class ApplicationContext:
    """Which program asks, and for whom.

    Args:
        application_id, application_name, application_url: The program.
        tenant_id: Whose installation of it.
        request_id: Its own id of the request.
        end_user_id: Its own id of the user, sent as the request's user.

    Raises:
        ValueError: A value looks like a key: all of them are sent to every vendor, and are seen in logs.
    """

    __slots__ = _FIELDS

    def __init__(
        self,
        application_id: str | None = None,
        application_name: str | None = None,
        application_url: str | None = None,
        tenant_id: str | None = None,
        request_id: str | None = None,
        end_user_id: str | None = None,
    ) -> None:
        self.application_id = application_id
        self.application_name = application_name
        self.application_url = application_url
        self.tenant_id = tenant_id
        self.request_id = request_id
        self.end_user_id = end_user_id
        for field in _FIELDS:
            if str(getattr(self, field) or "").startswith("sk-"):
                raise ValueError(f"{field} looks like an API key; name the program or the user instead.")

    @staticmethod
    def from_env() -> ApplicationContext:
        """What EDGEQUAKE_APP_ID, EDGEQUAKE_APP_NAME, EDGEQUAKE_APP_URL and EDGEQUAKE_TENANT_ID say."""
        return ApplicationContext(**{field: os.environ.get(name) or None for field, name in _ENVIRONMENT.items()})

    @staticmethod
    def from_headers(headers: Mapping[str, str]) -> ApplicationContext:
        """What the headers X-EdgeQuake-App-Id and so on of a request to the program say."""
        lower = {name.lower(): value for name, value in headers.items()}
        return ApplicationContext(**{field: lower.get(name.lower()) for field, name in _HEADERS.items()})

    def __repr__(self) -> str:
        return f"ApplicationContext({', '.join(f'{field}={getattr(self, field)!r}' for field in _FIELDS)})"


def attribute(own: dict[str, Any], provider: str) -> tuple[dict[str, str], str | None]:
    """The headers that name the program, and the user's id, of a call's own arguments or of the environment.

    Raises:
        BadRequestError: application_context is something else.
    """
    context = own["application_context"]
    if context is not None and not isinstance(context, ApplicationContext):
        raise exceptions.BadRequestError(f"application_context must be an ApplicationContext, got {context!r}.")
    found = {
        field: (getattr(context, field) if context is not None else own.get(field))
        or os.environ.get(_ENVIRONMENT.get(field, ""))
        for field in _FIELDS
    }
    headers = {_HEADERS[field]: value for field, value in found.items() if value and field != "end_user_id"}
    if found["request_id"]:
        headers["X-Client-Request-Id"] = found["request_id"]  # which edgequake sends, and OpenAI keeps
    if provider == "openrouter":
        for field, header, variables in _OPENROUTER:
            value = found[field] or next(filter(None, map(os.environ.get, variables)), None)
            if value:
                headers[header] = value
    return headers, found["end_user_id"] or None
