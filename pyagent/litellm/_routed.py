"""One call through a Router: to a group of deployments, and in turn to those that take its place."""

from __future__ import annotations

from . import exceptions
from ._calls import Call, _alternatives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pyagent
    from pyagent import errors

    from ._plan import Plan

# Arguments that only a Router's calls have.
_OWN = (
    "disable_fallbacks", "stream_timeout", "mock_testing_fallbacks", "mock_testing_context_fallbacks",
    "mock_testing_content_policy_fallbacks", "mock_testing_rate_limit_error",
)  # fmt: skip
_OF_DEPLOYMENTS = (
    "api_key", "api_base", "base_url", "api_version", "deployment_id", "custom_llm_provider", "organization",
    "specific_deployment", "priority",
)  # fmt: skip
_MOCKS = {
    "mock_testing_fallbacks": exceptions.InternalServerError,
    "mock_testing_context_fallbacks": exceptions.ContextWindowExceededError,
    "mock_testing_content_policy_fallbacks": exceptions.ContentPolicyViolationError,
    "mock_testing_rate_limit_error": exceptions.RateLimitError,
}


class RoutedCall(Call):
    """A call of which the deployment that answers says to whom it went."""

    def __init__(self, plan: Plan, arguments: dict[str, Any], method: str = "generate", hop: int = 0) -> None:
        self.plan = plan
        self.hop = hop  # how many groups have failed before
        self._asked: set[str] = set()
        self._promised = 0
        self._hops = 0
        left = {**plan.defaults, **arguments}
        self.routing = {name: left.pop(name, None) for name in _OWN}
        refused = [name for name in _OF_DEPLOYMENTS if left.get(name)]
        if refused:
            raise exceptions.UnsupportedParamsError(
                f"{', '.join(refused)} of a Router's call would go to whichever deployment is asked; give it to the "
                "deployment. See docs/litellm.md.",
                model=str(arguments.get("model")),
            )
        left.setdefault("verbose", plan.verbose or None)
        super().__init__(left, method)
        self.arguments = arguments
        self.url = self._member.url

    def _split(self) -> tuple[str, str]:
        self.group, self._target = self.plan.find(self.model)
        self._member = self.plan.member(self._target)
        return self._member.provider, self._member.model

    def _finish_options(self) -> None:
        own = self.own
        if own["num_retries"] is None and "max_retries" not in self.options:
            own["num_retries"] = self.plan.retries(self._target)
        super()._finish_options()
        if not self.routing["disable_fallbacks"]:
            self.options["max_retries"] = max(self.options["max_retries"], self.plan.least(self._target))

    def _default_timeout(self) -> float | None:
        seconds = self.routing["stream_timeout"] or self.plan.stream_timeout(self._target)
        return float(seconds) if self.stream and seconds else None

    @property
    def drops(self) -> bool:
        """Whether what the vendor cannot honour is left out, with a warning."""
        return super().drops or self.plan.drops(self._target)

    @property
    def target(self) -> str:
        """The group or the deployment that is asked."""
        return self._target

    def connect(self) -> pyagent.Provider:
        """The Router of the core."""
        for name, kind in _MOCKS.items():
            if self.routing[name] and self.hop == 0:
                raise kind(f"{name} was asked for, of {self.group!r}.", model=self.group, llm_provider="")
        return self.plan.router

    def settle(self, deployment: str | None) -> None:
        """Learns which deployment answers, or has failed last."""
        found = self.plan.by_id.get(deployment or "")
        if found is not None:
            self._member, self.model_id = found, found.id
            self.provider, self.name, self.vendor, self.url = found.provider, found.model, found.vendor, found.url

    def note(self, hidden: dict[str, Any], attempts: int) -> None:
        """Adds how the answer came about, in the words of litellm's headers."""
        hidden["litellm_model_name"] = self._member.params["model"]
        headers = {
            "model-group": self.group,
            "attempted-retries": max(attempts - 1, 0),
            "attempted-fallbacks": self.hop,
        }
        hidden["additional_headers"].update((f"x-litellm-{name}", value) for name, value in headers.items())

    def about(self) -> dict[str, Any]:
        """What litellm's Router says in the metadata."""
        member = self._member
        return {"model_group": self.group, "deployment": member.params["model"], "model_info": member.info}

    def translate(self, error: errors.PyAgentError) -> exceptions.LiteLLMEdgeError:
        """litellm's exception for an error of this call, with the name of who was asked last."""
        self.settle(error.deployment)
        made = super().translate(error)
        if made.num_retries:
            made.max_retries = self.options.get("max_retries")
        return made

    def stand_ins(self) -> list[dict[str, Any]]:
        """None: they depend on the group that has failed."""
        return []

    def special(self, call: Call, error: Exception) -> list[dict[str, Any]]:
        """What is asked next as a group has failed in this way, up to the Router's max_fallbacks in all."""
        if not isinstance(call, RoutedCall) or self.routing["disable_fallbacks"]:
            return []
        self._asked.add(self.plan.resolve(call.group))
        found = [one for one in _alternatives(call._fallbacks(error)) if self._is_new(one)]
        found = found[: self.plan.max_fallbacks - self._promised]
        self._promised += len(found)
        return found

    def _is_new(self, one: dict[str, Any]) -> bool:
        """Whether this is not what has been asked already: fallbacks may go round in a circle."""
        if set(one) != {"model"}:
            return True
        name = self.plan.resolve(one["model"])
        if name in self._asked:
            return False
        self._asked.add(name)
        return True

    def _fallbacks(self, error: Exception) -> list[Any]:
        own, plan = self.own, self.plan
        names = (self.group, plan.resolve(self.group), "*")
        special: Any = None
        if isinstance(error, exceptions.ContextWindowExceededError):
            special = own["context_window_fallbacks"] or plan.context_window_fallbacks
        elif isinstance(error, exceptions.ContentPolicyViolationError):
            special = own["content_policy_fallbacks"] or plan.content_policy_fallbacks
        first = _stand_ins(special, names)
        given = own["fallbacks"]
        if given is not None and not any(_is_table(one) for one in given):
            return first + list(given)
        return first + (_stand_ins(plan.fallbacks if given is None else given, names) or plan.default_fallbacks)

    def again(self, arguments: dict[str, Any]) -> Call:
        """The same call to another group."""
        self._hops += 1
        return RoutedCall(self.plan, arguments, self.method, self._hops)


def _is_table(one: Any) -> bool:
    """Whether an entry of fallbacks says for whom: {"a": ["b"]}, and not what to ask."""
    return isinstance(one, dict) and "model" not in one


def _stand_ins(tables: Any, names: tuple[str, ...]) -> list[Any]:
    """Who takes a group's place by a list of litellm's dicts: what is said of the first of these names."""
    for name in names:
        for table in tables or ():
            if name in table:
                found = table[name]
                return list(found) if isinstance(found, (list, tuple)) else [found]
    return []
