"""Conversations as JSON. What is secret is not written, and what is read does not decide whom a key is sent to."""

from __future__ import annotations

import json
import os

from . import _checks, _request, openai_options, vendor_options
from ._environment import without_secrets
from ._history import Past, copied
from ._vendor_options import VendorOptions, fitting_options
from .errors import ConfigurationError
from .options import Limits, Timeouts
from .provider import Provider
from .response import Usage
from .session import SessionConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from .conversation import Conversation, Summariser

VERSION = 1
_KIND = "pyagent conversation"

# What of a Provider's configuration is neither secret nor says whom to trust.
_SETTINGS = ("timeouts", "limits", "max_retries", "retry_backoff", "retry_factor", "throttle", "budget", "azure")
_SWITCHES = ("http2", "post_quantum", "max_connections")
_PLAIN = (
    *(
        name
        for name in SessionConfig._fields
        if name not in {"timeouts", "limits", "options", "extra_headers", "hooks"}
    ),
)
# Names under which tools and fields of vendors carry secrets, such as that of an MCP server.
_SECRET = frozenset(
    [
        *("authorization", "authorization_token", "access_token", "auth_token", "token", "headers", "password"),
        *("api_key", "apikey", "api-key", "x-api-key", "secret", "client_secret"),
    ]
)


def write(conversation: Conversation) -> dict[str, Any]:
    """Everything but secrets and functions."""
    past = conversation._past
    return {
        "kind": _KIND,
        "version": VERSION,
        "provider": _write_provider(conversation.provider),
        "system": conversation.system,
        "config": _write_config(conversation.config),
        "use_response_ids": conversation._use_ids,
        "messages": copied(past.messages),
        "summary": past.summary,
        "usage": past.usage._as_dict(),
        "cost": past.cost,
        "turns": past.turns,
        "response_id": past.response_id,
        "covered": past.covered,
    }


def read(
    kind: type[Conversation],
    data: dict[str, Any],
    provider: Provider | None,
    config: SessionConfig | None,
    summarise: Summariser | None,
) -> Conversation:
    """The conversation that `write` has made into this.

    Raises:
        ConfigurationError: It is something else.
    """
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise ConfigurationError("This is no conversation that pyagent has saved.", param="data")
    if data.get("version") != VERSION:
        raise ConfigurationError(
            f"The conversation was saved in version {data.get('version')!r} of its form, and this pyagent reads "
            f"version {VERSION}; use the pyagent that saved it, or a newer one.",
            param="data",
        )
    try:
        made = kind(
            _read_provider(data["provider"]) if provider is None else provider,
            system=data["system"],
            config=_read_config(data["config"]) if config is None else config,
            messages=data["messages"],
            summarise=summarise,
            use_response_ids=data["use_response_ids"],
        )
        made._past = Past(
            made._past.messages,
            summary=_checks.optional(_checks.string, "summary", data["summary"]),
            usage=Usage(**{name: _checks.number(name, value) for name, value in data["usage"].items()}),
            cost=_checks.optional(_checks.number, "cost", data["cost"]),
            turns=_checks.integer("turns", data["turns"]),
        )
        if provider is None:  # another one's vendor may not know the answer
            covered = _checks.count("covered", data["covered"]) or 0
            answer = _checks.optional(_checks.string, "response_id", data["response_id"])
            made._past = made._past.with_(response_id=answer, covered=covered)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"The saved conversation is damaged: {error!r}.", param="data") from None
    return made


def save(conversation: Conversation, path: str | PathLike[str]) -> None:
    """Writes a file beside the old one, and then puts it in its place."""
    text = _request.dump(write(conversation))
    beside = f"{os.fspath(path)}.{os.getpid()}.new"
    try:
        with open(beside, "wb") as file:
            file.write(text)
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.remove(beside)
        raise


def load(path: str | PathLike[str]) -> Any:
    """What a file of JSON holds.

    Raises:
        ConfigurationError: It is no JSON.
    """
    with open(path, "rb") as file:
        text = file.read()
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{os.fspath(path)} is no saved conversation: {error}.", param="path") from None


def _write_provider(provider: Provider) -> dict[str, Any]:
    config = provider._config
    network = config.get("network", {})
    return {
        "vendor": _without_secrets(config["provider"]),
        "model": provider.model,
        "base_url": _address(provider),
        "settings": {name: _alone(name, copied(config[name])) for name in _SETTINGS if name in config},
        "network": {name: network[name] for name in _SWITCHES if name in network},
        "options": [_write_options(one) for one in provider._options],
    }


def _read_provider(data: dict[str, Any]) -> Provider:
    vendor, address = data["vendor"], data["base_url"]
    if not isinstance(vendor, str):
        name = vendor.get("name") or "without a name"
        raise ConfigurationError(
            f"The conversation was with an endpoint of your own, {name}: give provider=.", param="provider"
        )
    azure = data["settings"].get("azure", {})
    options = _read_options(data["options"])
    provider = Provider(data["model"], provider=vendor, options=options or None, **azure)
    if _address(provider) != address:
        raise ConfigurationError(
            f"The conversation was with {vendor} at {address}, which is not its address here "
            f"({_address(provider)}): give provider= if you trust one of them.",
            param="provider",
        )
    state = provider.__getstate__()
    settings = {name: _alone(name, value) for name, value in data["settings"].items() if name in _SETTINGS}
    network = {name: value for name, value in data["network"].items() if name in _SWITCHES}
    state["config"] = {**state["config"], **settings}
    if network:
        state["config"]["network"] = {**state["config"].get("network", {}), **network}
    provider.__setstate__(state)
    return provider


def _alone(name: str, setting: Any) -> Any:
    """A throttle without the place that other processes share it in, which has its password and is this machine's."""
    if name != "throttle":
        return setting
    return {key: value for key, value in setting.items() if key not in {"shared", "if_unreachable"}}


def _address(provider: Provider) -> str:
    """Its address without what may be as good as a key."""
    return without_secrets(provider._base_url.partition("?")[0])


def _write_config(config: SessionConfig) -> dict[str, Any]:
    written: dict[str, Any] = {name: copied(getattr(config, name)) for name in _PLAIN}
    if config.tools is not None:
        written["tools"] = _without_secrets(_request._CHECKS["tools"]("tools", config.tools))
    written["extra_body"] = _without_secrets(config.extra_body)
    for name in ("timeouts", "limits"):
        value = getattr(config, name)
        written[name] = None if value is None else value._as_dict()
    if config.options is not None:
        written["options"] = [_write_options(one) for one in fitting_options(config.options)]
        written["strict_options"] = isinstance(config.options, VendorOptions)
    return {name: value for name, value in written.items() if value is not None}


def _read_config(data: dict[str, Any]) -> SessionConfig:
    given = dict(data)
    strict = given.pop("strict_options", False)
    if "options" in given:
        options = _read_options(given["options"])
        given["options"] = options[0] if strict else options
    for name, kind in (("timeouts", Timeouts), ("limits", Limits)):
        if name in given:
            given[name] = kind(**given[name])
    return SessionConfig(**given)


def _without_secrets(value: Any) -> Any:
    """A copy without what may be as good as a key."""
    if isinstance(value, dict):
        return {name: _without_secrets(item) for name, item in value.items() if str(name).lower() not in _SECRET}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item) for item in value]
    return value


def _write_options(options: VendorOptions) -> dict[str, Any]:
    return {"kind": type(options).__name__, "fields": _without_secrets(options._as_dict())}


def _read_options(data: list[dict[str, Any]]) -> list[VendorOptions]:
    found = []
    for item in data:
        module = next((m for m in (openai_options, vendor_options) if item["kind"] in m.__all__), None)
        if module is None:
            raise ConfigurationError(f"There are no options {item['kind']!r}.", param="options")
        found.append(getattr(module, item["kind"])(**item["fields"]))
    return found
