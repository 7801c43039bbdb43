"""What a Router has been told, as one value that does not change: a call keeps to the one that it began with."""

from __future__ import annotations

from threading import Lock

import pyagent
from pyagent.errors import PyAgentError

from . import _settings, exceptions
from ._raising import translate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._deployments import Known

STRATEGIES = {
    "simple-shuffle": "shuffle",
    "least-busy": "least_busy",
    "latency-based-routing": "lowest_latency",
    "cost-based-routing": "lowest_cost",
    "usage-based-routing": "lowest_usage",
    "usage-based-routing-v2": "lowest_usage",
}
_RETRIES, _ALLOWED_FAILS, _COOLDOWN, _FALLBACKS = 2, 3, 5.0, 5  # litellm's


class Plan:
    """The deployments and settings of a Router, and the Router of the core that is made of them when it is needed."""

    def __init__(self, members: list[Known], settings: dict[str, Any]) -> None:
        self.members = members
        self.settings = settings
        self.by_id = {member.id: member for member in members}
        self.defaults: dict[str, Any] = settings["default_litellm_params"] or {}
        self.verbose = bool(settings["set_verbose"])
        most = settings["max_fallbacks"]
        self.max_fallbacks: int = _FALLBACKS if most is None else most
        self.fallbacks = settings["fallbacks"] or []
        self.context_window_fallbacks = (
            settings["context_window_fallbacks"] or _settings.read("context_window_fallbacks") or []
        )
        self.content_policy_fallbacks = (
            settings["content_policy_fallbacks"] or _settings.read("content_policy_fallbacks") or []
        )
        self.default_fallbacks = settings["default_fallbacks"] or _settings.read("default_fallbacks") or []
        self._router: pyagent.Router | None = None
        self._opening = Lock()

    def resolve(self, model: str) -> str:
        """The group that an alias means; any other name is meant itself."""
        meant = (self.settings["model_group_alias"] or {}).get(model, model)
        return str(meant["model"] if isinstance(meant, dict) else meant)

    def find(self, model: str) -> tuple[str, str]:
        """The group's name as it was asked for, and the group or the deployment of the core.

        Raises:
            BadRequestError: There is none of that name.
        """
        name = self.resolve(model)
        if any(member.group == name for member in self.members) or name in self.by_id:
            return model, name
        for member in self.members:
            if member.params["model"] == name:
                return model, member.id
        if self.default_fallbacks and self.default_fallbacks[0] != model:
            return model, self.find(self.default_fallbacks[0])[1]
        known = sorted({member.group for member in self.members})
        raise exceptions.BadRequestError(
            f"You passed in model={model}. No deployment has that name; there are {', '.join(known) or 'none'}.",
            model=model,
            llm_provider="",
        )

    def of(self, target: str) -> list[Known]:
        """The deployments of a group, or the one of that id."""
        return [member for member in self.members if target in {member.group, member.id}]

    def member(self, target: str) -> Known:
        """The first one of these, which stands for all as long as nobody has answered."""
        return self.of(target)[0]

    def retries(self, target: str) -> int:
        """How many attempts may follow the first."""
        own = self._shared(target, "num_retries")
        return int(self.effective["num_retries"] if own is None else own)

    def least(self, target: str) -> int:
        """The attempts after the first that reach everybody of a group with several orders: those that are preferred
        less take the place of the others."""
        members = self.of(target)
        return len(members) - 1 if len({member._say("order") for member in members}) > 1 else 0

    @property
    def effective(self) -> dict[str, Any]:
        """The settings, with litellm's defaults where nothing was said."""
        found = dict(self.settings)
        most = _settings.read("num_retries")
        found["num_retries"] = _first(found["num_retries"], most, _RETRIES)
        found["allowed_fails"] = _first(found["allowed_fails"], _ALLOWED_FAILS)
        found["cooldown_time"] = _first(found["cooldown_time"], _COOLDOWN)
        found["max_fallbacks"] = self.max_fallbacks
        return found

    def stream_timeout(self, target: str) -> float | None:
        """Seconds for the pieces of a stream; None where its deployments' own timeouts count."""
        own = self._shared(target, "stream_timeout")
        if own is None and not any(member.params.get("timeout") for member in self.of(target)):
            own = self.settings["stream_timeout"]
        return own  # type: ignore[no-any-return]

    def drops(self, target: str) -> bool:
        """Whether a deployment of a group has drop_params."""
        return any(member.params.get("drop_params") for member in self.of(target))

    def _shared(self, target: str, name: str) -> Any:
        """What the deployments of a group say together.

        Raises:
            UnsupportedParamsError: They say different things.
        """
        said = [member._say(name) for member in self.of(target)]
        if any(value != said[0] for value in said):
            raise exceptions.UnsupportedParamsError(
                f"{name} of the deployments of {target!r} differs; pyagent.litellm has one for each group.",
                model=target,
            )
        return said[0]

    @property
    def router(self) -> pyagent.Router:
        """The Router of the core."""
        with self._opening:  # two of them would know half each
            if self._router is None:
                self._router = self._open()
            return self._router

    def _open(self) -> pyagent.Router:
        settings = self.effective
        strategy = STRATEGIES[settings["routing_strategy"]]
        checks = settings["optional_pre_call_checks"] or ()
        limited = strategy != "shuffle" or "enforce_model_rate_limits" in checks
        timeout = settings["timeout"] or _settings.read("request_timeout")
        deployments = []
        for member in self.members:
            weight = None if strategy != "shuffle" else self._weight(member)
            most = settings["default_max_parallel_requests"]
            try:
                deployments.append(member.deploy(timeout=timeout, weight=weight, limited=limited, most=most))
            except PyAgentError as error:
                raise translate(error, member.provider, member.model, member.url) from error
        return pyagent.Router(
            deployments,
            strategy=strategy,
            cooldown=0.0 if settings["disable_cooldowns"] else float(settings["cooldown_time"]),
            allowed_failures=settings["allowed_fails"],
            retry_pause=float(settings["retry_after"] or 0),
            max_wait=0.0 if limited else None,
        )

    def _weight(self, member: Known) -> float | None:
        """The share of a deployment: by weight, where one of its group has that, else by rpm, else by tpm."""
        group = self.of(member.group)
        for name in ("weight", "rpm", "tpm"):
            if any(one._say(name) for one in group):
                return float(member._say(name) or 0)
        return None


def _first(*values: Any) -> Any:
    """The first of these that was given."""
    return next(value for value in values if value is not None)
