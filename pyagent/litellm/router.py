"""litellm's Router: one name for several deployments of a model, over `pyagent.Router`."""

from __future__ import annotations

import threading

from . import exceptions
from ._deployments import Known
from ._objects import Object
from ._plan import STRATEGIES, Plan
from ._routed import RoutedCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyagent import DeploymentHealth

    from ._completion import Answer
    from ._embedding import EmbeddingResponse
    from .text import TextCompletionStreamWrapper
    from .types import TextCompletionResponse

__all__ = ["Deployment", "LiteLLM_Params", "ModelInfo", "Router"]

# What a Router may be told later on too, as an attribute or by update_settings.
_SETTINGS = {
    "num_retries": None, "max_fallbacks": None, "timeout": None, "stream_timeout": None, "default_litellm_params": None,
    "default_max_parallel_requests": None, "set_verbose": False, "default_fallbacks": None, "fallbacks": (),
    "context_window_fallbacks": (), "content_policy_fallbacks": (), "model_group_alias": None, "retry_after": 0,
    "allowed_fails": None, "cooldown_time": None, "disable_cooldowns": None, "routing_strategy": "simple-shuffle",
    "optional_pre_call_checks": None,
}  # fmt: skip
# litellm's other arguments, and what leaves them off.
_OFF = {
    "debug_level": ("INFO",), "client_ttl": (3600,), "deployment_affinity_ttl_seconds": (3600,),
    "tag_filtering_match_any": (True,), "fallback_on_unsupported_params": (True,),
    **dict.fromkeys((
        "assistants_config", "search_tools", "guardrail_list", "redis_url", "redis_host", "redis_port",
        "redis_password", "redis_db", "cache_responses", "cache_kwargs", "caching_groups", "polling_interval",
        "default_priority", "enable_pre_call_checks", "enable_tag_filtering", "tag_routing_prefix", "plugins",
        "retry_policy", "model_group_retry_policy", "allowed_fails_policy", "routing_strategy_args", "routing_groups",
        "provider_budget_config", "alerting_config", "router_general_settings", "model_group_affinity_config",
        "enable_health_check_routing", "health_check_staleness_threshold", "health_check_ignore_transient_errors",
        "background_health_check_model_groups", "enable_weighted_failover", "fallback_access_check",
        "enable_mid_stream_fallback_continuation", "fallback_budget_check", "auto_router_capability_limit",
        "session_affinity_repin_on_failover",
    ), ()),
}  # fmt: skip
_CHECKS = ("enforce_model_rate_limits",)


class LiteLLM_Params(Object):  # noqa: N801  # litellm's name
    """What a deployment says of its model, and of reaching it."""


class ModelInfo(Object):
    """What is known of a deployment: its id, and what else was given."""


class Deployment(Object):
    """A deployment as an object; a dict with the same names will do wherever one is taken."""

    def __init__(self, model_name: str, litellm_params: Any, model_info: Any = None, **more: Any) -> None:
        super().__init__(
            model_name=model_name,
            litellm_params=LiteLLM_Params(**litellm_params) if isinstance(litellm_params, dict) else litellm_params,
            model_info=ModelInfo(**model_info) if isinstance(model_info, dict) else model_info or ModelInfo(),
            **more,
        )


class Router:
    """One name for several deployments: each call goes to one of them, and to others when that one fails.

    Every argument can be set again as an attribute. What the deployments have been through, their rests and their
    counts, begins anew whenever something is changed; `health` tells of it.

    Args:
        model_list: The deployments: dicts with model_name, litellm_params and model_info.
        num_retries: Attempts after the first within a group of deployments. Default: the module's, then 2.
        max_fallbacks: How many other groups are asked at most. Default 5.
        timeout: Seconds to wait for the next thing, where neither the call nor the deployment says.
        stream_timeout: The same for streams.
        default_litellm_params: Arguments of calls that do not give them.
        default_max_parallel_requests: The most requests at once to a deployment that does not say.
        set_verbose: Print calls to stderr, without keys.
        fallbacks: Dicts from a group to the list of those that take its place; "*" is any group. An entry of the list
            may be a dict of arguments.
        context_window_fallbacks, content_policy_fallbacks: The same for prompts that are too long or refused.
        default_fallbacks: Groups that take the place of all others.
        model_group_alias: Other names of groups.
        retry_after: Seconds that a retry at the same deployment waits at least.
        allowed_fails: How many failures in a row are let pass before a deployment rests. Default 3.
        cooldown_time: Seconds that it rests. Default 5.
        disable_cooldowns: Never rest.
        routing_strategy: "simple-shuffle", "least-busy", "latency-based-routing", "cost-based-routing",
            "usage-based-routing" or "usage-based-routing-v2".
        optional_pre_call_checks: ["enforce_model_rate_limits"] makes limits of rpm and tpm with "simple-shuffle" too.
        ignore_invalid_deployments: Leave out deployments that cannot be, instead of raising.
        more: litellm's other arguments are refused, unless they say "off".

    Raises:
        UnsupportedParamsError: An argument has a part of litellm that is not here.
        BadRequestError: A deployment is wrong.
    """

    _lock: threading.Lock
    _members: list[Known]
    _plan: Plan | None
    _lenient: bool
    model_group_alias: dict[str, Any] | None

    def __init__(
        self,
        model_list: list[Any] | None = None,
        *,
        num_retries: int | None = None,
        max_fallbacks: int | None = None,
        timeout: float | None = None,
        stream_timeout: float | None = None,
        default_litellm_params: dict[str, Any] | None = None,
        default_max_parallel_requests: int | None = None,
        set_verbose: bool = False,
        default_fallbacks: list[str] | None = None,
        fallbacks: list[Any] | None = None,
        context_window_fallbacks: list[Any] | None = None,
        content_policy_fallbacks: list[Any] | None = None,
        model_group_alias: dict[str, Any] | None = None,
        retry_after: float = 0,
        allowed_fails: int | None = None,
        cooldown_time: float | None = None,
        disable_cooldowns: bool | None = None,
        routing_strategy: Any = "simple-shuffle",
        optional_pre_call_checks: list[str] | None = None,
        ignore_invalid_deployments: bool = False,
        **more: Any,
    ) -> None:
        given = dict(locals())
        _refuse(more)
        self.__dict__.update(_lock=threading.Lock(), _members=[], _plan=None, _lenient=ignore_invalid_deployments)
        self._change({name: given[name] for name in _SETTINGS})
        self.set_model_list(model_list or [])

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _SETTINGS:
            raise AttributeError(f"a Router has no attribute {name!r} that can be set")
        self._change({name: value})

    def _change(self, settings: dict[str, Any]) -> None:
        for name, value in settings.items():
            settings[name] = _check(name, value)
        with self._lock:
            self.__dict__.update(settings, _plan=None)

    # Calls.

    def completion(self, model: str, messages: list[Any], stream: bool = False, **kwargs: Any) -> Answer:
        """Asks a group of deployments, and waits for the answer or the beginning of its stream, as `completion` does.

        `_hidden_params["model_id"]` of the answer, or of the stream, is the id of the deployment that gave it.

        Args:
            model: The name of a group, of an alias, or of a deployment by its id.
            messages: The conversation.
            stream: Give a CustomStreamWrapper.
            kwargs: As in `litellm.completion`; also disable_fallbacks, stream_timeout, and mock_testing_fallbacks and
                its like, which fail the first group.

        Raises:
            LiteLLMEdgeError: All that could be asked have failed; this is the last one's exception.
        """
        from ._run import run

        return run(_given(kwargs, model=model, messages=messages, stream=stream), "generate", self._make)  # type: ignore[no-any-return]

    async def acompletion(self, model: str, messages: list[Any], stream: bool = False, **kwargs: Any) -> Answer:
        """The twin of `completion` for coroutines."""
        from ._run import arun

        asked = _given(kwargs, model=model, messages=messages, stream=stream)
        return await arun(asked, "generate", self._make)  # type: ignore[no-any-return]

    def embedding(self, model: str, input: Any, **kwargs: Any) -> EmbeddingResponse:
        """Gives the vectors of one text or of many, as `litellm.embedding`."""
        from ._run import run

        return run(_given(kwargs, model=model, input=input), "embed", self._make)  # type: ignore[no-any-return]

    async def aembedding(self, model: str, input: Any, **kwargs: Any) -> EmbeddingResponse:
        """The twin of `embedding` for coroutines."""
        from ._run import arun

        return await arun(_given(kwargs, model=model, input=input), "embed", self._make)  # type: ignore[no-any-return]

    def text_completion(
        self, model: str, prompt: str | list[str], stream: bool = False, logprobs: int | None = None, **kwargs: Any
    ) -> TextCompletionResponse | TextCompletionStreamWrapper:
        """Continues a prompt, or several, as `litellm.text_completion`."""
        from .text import _continue

        refused = {name: kwargs.pop(name, None) for name in ("best_of", "echo", "suffix")}
        return _continue(self.completion, prompt, model, refused, logprobs, stream, kwargs)

    async def atext_completion(
        self, model: str, prompt: str | list[str], stream: bool = False, logprobs: int | None = None, **kwargs: Any
    ) -> TextCompletionResponse | TextCompletionStreamWrapper:
        """The twin of `text_completion` for coroutines."""
        from .text import _acontinue

        refused = {name: kwargs.pop(name, None) for name in ("best_of", "echo", "suffix")}
        return await _acontinue(self.acompletion, prompt, model, refused, logprobs, stream, kwargs)

    def _make(self, arguments: dict[str, Any], method: str) -> RoutedCall:
        return RoutedCall(self._current(), arguments, method)

    def _current(self) -> Plan:
        with self._lock:
            plan: Plan | None = self._plan
            if plan is None:
                plan = Plan(list(self._members), {name: self.__dict__[name] for name in _SETTINGS})
                self.__dict__["_plan"] = plan
        return plan

    @property
    def health(self) -> list[DeploymentHealth]:
        """How the deployments fare, by their ids; empty before the first call after a change."""
        router = self._current()._router
        return [] if router is None else router.health

    # Deployments.

    def set_model_list(self, model_list: list[Any]) -> None:
        """Takes these deployments instead of all that there are."""
        members: list[Known] = []
        for entry in model_list:
            try:
                made = Known(entry)
            except exceptions.LiteLLMEdgeError:
                if not self._lenient:
                    raise
                continue
            if any(made.id == one.id for one in members):
                raise exceptions.BadRequestError(f"Two deployments have the id {made.id!r}.", model=made.group)
            members.append(made)
        self._replace(members)

    def add_deployment(self, deployment: Any) -> Deployment | None:
        """Adds one; None where there is one of its id already."""
        made = Known(deployment)
        if self.has_model_id(made.id):
            return None
        self._replace([*self._members, made])
        return _show(made)

    def upsert_deployment(self, deployment: Any) -> Deployment | None:
        """Adds one, or takes it in the place of the one with its id; None where that one is the same."""
        made = Known(deployment)
        known = next((one for one in self._members if one.id == made.id), None)
        if known is not None and known.to_dict() == made.to_dict():
            return None
        self._replace([*(one for one in self._members if one is not known), made])
        return _show(made)

    def delete_deployment(self, id: str) -> Deployment | None:
        """Takes one away, and gives it; None where there is none of that id."""
        known = next((one for one in self._members if one.id == id), None)
        if known is not None:
            self._replace([one for one in self._members if one is not known])
        return None if known is None else _show(known)

    def _replace(self, members: list[Known]) -> None:
        with self._lock:
            self.__dict__.update(_members=members, _plan=None)

    @property
    def model_list(self) -> list[dict[str, Any]]:
        """The deployments as dicts."""
        return [one.to_dict() for one in self._members]

    def get_model_list(self, model_name: str | None = None) -> list[dict[str, Any]]:
        """The deployments as dicts, those of aliases first under these; of one group or alias only, if it is named."""
        aliases = [name for name, meant in (self.model_group_alias or {}).items() if not _is_hidden(meant)]
        plan = self._current()
        named = [one.to_dict(name) for name in aliases for one in self._members if one.group == plan.resolve(name)]
        found = [*named, *(one.to_dict() for one in self._members)]
        return found if model_name is None else [one for one in found if one["model_name"] == model_name]

    def get_model_names(self) -> list[str]:
        """The names that calls may use, one for each deployment."""
        aliases = [name for name, meant in (self.model_group_alias or {}).items() if not _is_hidden(meant)]
        return [*aliases, *(one.group for one in self._members)]

    def get_model_ids(self, model_name: str | None = None) -> list[str]:
        """The ids of all deployments, or of those of a group."""
        return [one.id for one in self._members if model_name in {None, one.group}]

    def has_model_id(self, candidate_id: str) -> bool:
        """Whether there is a deployment of that id."""
        return any(one.id == candidate_id for one in self._members)

    def get_deployment(self, model_id: str) -> Deployment | None:
        """The deployment of that id."""
        return next((_show(one) for one in self._members if one.id == model_id), None)

    def get_deployment_by_model_group_name(self, model_group_name: str) -> Deployment | None:
        """The first deployment of a group."""
        return next((_show(one) for one in self._members if one.group == model_group_name), None)

    def get_model_info(self, id: str) -> dict[str, Any] | None:
        """The deployment of that id as a dict."""
        return next((one.to_dict() for one in self._members if one.id == id), None)

    def get_model_group(self, id: str) -> list[dict[str, Any]] | None:
        """The deployments of the group that one belongs to."""
        group = next((one.group for one in self._members if one.id == id), None)
        return None if group is None else [one.to_dict() for one in self._members if one.group == group]

    # Settings.

    def get_settings(self) -> dict[str, Any]:
        """What the Router goes by, under litellm's names."""
        return self._current().effective

    def update_settings(self, **kwargs: Any) -> None:
        """Sets some of these anew.

        Raises:
            UnsupportedParamsError: One is no setting here; litellm ignores such.
        """
        _refuse({name: value for name, value in kwargs.items() if name not in _SETTINGS})
        self._change({name: value for name, value in kwargs.items() if name in _SETTINGS})

    def reset(self) -> None:
        """Forgets how the deployments have fared."""
        self._replace(list(self._members))

    def discard(self) -> None:
        """Takes all deployments away."""
        self._replace([])


def _given(more: dict[str, Any], **named: Any) -> dict[str, Any]:
    given = {**more, **{name: value for name, value in named.items() if value is not False}}
    return {name: value for name, value in given.items() if value is not None}


def _show(known: Known) -> Deployment:
    return Deployment(**known.to_dict())


def _is_hidden(meant: Any) -> bool:
    return isinstance(meant, dict) and bool(meant.get("hidden"))


def _check(name: str, value: Any) -> Any:
    """A setting as it is kept.

    Raises:
        UnsupportedParamsError: It is a strategy or a check that is not here.
        ValueError, TypeError: Fallbacks are no dicts with one key and a list; as in litellm.
    """
    if name == "routing_strategy":
        value = getattr(value, "value", value)
        if value not in STRATEGIES:
            raise exceptions.UnsupportedParamsError(
                f"routing_strategy must be one of {', '.join(STRATEGIES)}, got {value!r}."
            )
    if name == "optional_pre_call_checks" and any(one not in _CHECKS for one in value or ()):
        raise exceptions.UnsupportedParamsError(
            f"optional_pre_call_checks may name {_CHECKS[0]!r} only, got {value!r}."
        )
    if name.endswith("fallbacks") and name not in {"default_fallbacks", "max_fallbacks"}:
        value = list(value or ())
        for table in value:
            _check_table(table)
    return value


def _check_table(table: Any) -> None:
    if not isinstance(table, dict):
        raise ValueError(f"Item '{table}' is not a dictionary.")  # litellm's class
    if len(table) != 1:
        raise ValueError(f"Dictionary '{table}' must have exactly one key, but has {len(table)} keys.")
    ((group, targets),) = table.items()
    if not isinstance(targets, list):
        raise TypeError(f"Fallbacks for '{group}' must be a list of model names, got '{targets}'.")


def _refuse(more: dict[str, Any]) -> None:
    for name, value in more.items():
        if name not in _OFF and name != "ignore_invalid_deployments":
            raise exceptions.UnsupportedParamsError(f"Router has no {name}; see docs/litellm.md.")
        if value and value not in _OFF.get(name, ()):
            raise exceptions.UnsupportedParamsError(
                f"pyagent.litellm's Router has no {name}; see docs/litellm.md for what stands in its place."
            )
