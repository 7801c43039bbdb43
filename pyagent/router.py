"""Router: several deployments of models behind the methods of one Provider."""

from __future__ import annotations

from . import _checks, _defaults, _hooking, _request
from ._environment import network_variables
from ._value import Value
from ._vendor_options import fitting_options, lay_options
from .errors import ConfigurationError
from .provider import Provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._vendor_options import Options, VendorOptions
    from .costs import Price
    from .hooks import Hooks
    from .options import Budget

__all__ = ["Deployment", "DeploymentHealth", "Router"]

_STRATEGIES = ("in_order", "shuffle", "least_busy", "lowest_latency", "lowest_cost", "lowest_usage")
_GROUP = "default"  # the core's name for the group of deployments that name none


class Deployment(Value):
    """One of the places that a Router may ask. Its timeouts, retries, throttle and prices are those of its Provider.

    Args:
        provider: The Provider: the model, and how to reach it.
        name: What the Router calls it. Default: its vendor and model, such as "openai/gpt-4o-mini".
        group: Deployments of one group stand in for one another. Default: "default".
        weight: Its share of the requests where chance decides, compared with the others. Default 1.
        order: Lower ones are preferred to all higher ones. Default 0.
        rpm: The most requests that may begin in a minute.
        tpm: The most tokens that the requests of a minute may have, by estimate before and by count after.
        max_parallel: The most requests on their way at once.
        defaults: Arguments of requests, by the names that the methods have for them, such as temperature, tools or
            extra_body; they count where the request says nothing of its own.

    Raises:
        ConfigurationError: A value has the wrong type, or the Provider has hooks, or is a Router. A ValueError.
    """

    __slots__ = ("provider", "name", "group", "weight", "order", "rpm", "tpm", "max_parallel", "defaults")

    def __init__(
        self,
        provider: Provider,
        *,
        name: str | None = None,
        group: str | None = None,
        weight: float | None = None,
        order: int | None = None,
        rpm: int | None = None,
        tpm: int | None = None,
        max_parallel: int | None = None,
        defaults: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(provider, Provider) or isinstance(provider, Router):
            raise _checks.wrong("provider", "a Provider", provider)
        if provider._hooks is not None:
            raise ConfigurationError(
                f"The Provider of {provider.model!r} has hooks, which would not see the requests of the others; "
                "give them to the Router.",
                param="hooks",
            )
        self.provider = provider
        self.name = _checks.optional(_checks.string, "name", name)
        self.group = _checks.optional(_checks.string, "group", group)
        self.weight = _checks.optional(_checks.number, "weight", weight)
        self.order = _checks.optional(_checks.integer, "order", order)
        self.rpm = _checks.count("rpm", rpm)
        self.tpm = _checks.count("tpm", tpm)
        self.max_parallel = _checks.count("max_parallel", max_parallel)
        self.defaults = None if defaults is None else _defaults.check_defaults(defaults)

    def _config(self) -> dict[str, Any]:
        """The deployment in the core's words, without what the environment says of the network."""
        own = {name: getattr(self, name) for name in self._fields if name != "provider"}
        own = {name: value for name, value in own.items() if value is not None}
        if "defaults" in own:
            own["defaults"] = _defaults.to_config(own["defaults"])
        return {**self.provider._config, "model": self.provider._model, **own}

    def _identity(self) -> list[Any]:
        asked = self.provider
        return [asked._config["provider"], asked._base_url, asked._model, self.name, self.group]


class DeploymentHealth(Value):
    """How a deployment fares, in the moment of asking.

    Attributes:
        name, group, model, provider: Which one it is: its own name and group, the model and the vendor.
        state: "healthy"; "resting" after failures, so that others are asked; "due", when the rest is over and the next
            request finds out; "probing", while it does.
        seconds: That it still rests.
        failures: In a row.
        running: Requests on their way.
        requests_per_minute, tokens_per_minute: Of the last minute.
        latency: Seconds to the first visible piece, a moving average; None where nothing was measured.
        answered, failed: Requests since the Router was opened.
    """

    __slots__ = (
        "name", "group", "model", "provider", "state", "seconds", "failures", "running", "requests_per_minute",
        "tokens_per_minute", "latency", "answered", "failed",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *,
        group: str,
        model: str,
        provider: str,
        state: str,
        seconds: float = 0.0,
        failures: int = 0,
        running: int = 0,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        latency: float | None = None,
        answered: int = 0,
        failed: int = 0,
    ) -> None:
        self.name, self.group, self.model, self.provider = name, group, model, provider
        self.state, self.seconds, self.failures, self.running = state, seconds, failures, running
        self.requests_per_minute, self.tokens_per_minute = requests_per_minute, tokens_per_minute
        self.latency, self.answered, self.failed = latency, answered, failed


class Router(Provider):
    """Several deployments behind the methods of one Provider: each request goes to the one that the strategy chooses.

    When it fails before anything of its answer was seen, another one is asked. `Response.deployment` and
    `PyAgentError.deployment` say which one it was. The `model` of a request, or of `with_model`, is the name of a group
    or of a deployment; without it, the first deployment's group is asked.

    Args:
        deployments: Providers, `Deployment` objects, or dicts with the arguments of `Deployment`.
        strategy: How to choose among those of a group: "shuffle" (by chance and weight), "in_order" (the first that is
            well), "least_busy", "lowest_latency", "lowest_cost" or "lowest_usage" (of this minute's limits).
        cooldown: Seconds that a deployment rests after failures. Default 30; 0 for never.
        allowed_failures: How many in a row are let pass before it rests. Default 2. After a rejected key, a used-up
            limit or a model that is not found it rests at once.
        fallbacks: Lists of groups or deployments: when the first of a list has failed, the others in their order.
        context_window_fallbacks: The same for prompts that are too long, which else is final.
        content_policy_fallbacks: The same for what a vendor's filter refuses, which else is final.
        max_wait: Seconds that a request waits for a deployment with room, 0 for none. Default: up to its deadline.
        retry_pause: Seconds that a retry at the same deployment waits at least. Default 0.
        hedge_after: Seconds of silence after which a chat is asked of a second deployment of the group too, if one is
            free; whoever has the first piece is the answer, the other is left. It costs two requests. Default: never.
        seed: Makes the choices of chance the same each time.
        total: Seconds for everything, all deployments included. Default: 600 for a one-shot call, none for a stream.
        options: What only single vendors know: a list, of which each vendor gets those that fit.
        budget: How much all of them together may cost; a request is counted with the dearest it may become.
        tag: Whom or what the cost is counted for, where neither the call nor the deployment says.
        hooks: What runs around every request, see docs/hooks.md.

    Raises:
        ConfigurationError: There is no deployment, or an option is wrong. A ValueError.
    """

    __slots__ = ()

    def __init__(
        self,
        deployments: Sequence[Provider | Deployment | dict[str, Any]],
        *,
        strategy: str = "shuffle",
        cooldown: float | None = None,
        allowed_failures: int | None = None,
        fallbacks: list[list[str]] | None = None,
        context_window_fallbacks: list[list[str]] | None = None,
        content_policy_fallbacks: list[list[str]] | None = None,
        max_wait: float | None = None,
        retry_pause: float | None = None,
        hedge_after: float | None = None,
        seed: int | None = None,
        total: float | None = None,
        options: Options | None = None,
        budget: Budget | None = None,
        tag: str | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        several = _deployments(deployments)
        if strategy not in _STRATEGIES:
            raise _checks.wrong("strategy", f"one of {', '.join(_STRATEGIES)}", strategy)
        routing = {
            "strategy": strategy,
            "cooldown": _checks.seconds("cooldown", cooldown),
            "allowed_failures": _checks.count("allowed_failures", allowed_failures),
            "fallbacks": _lists("fallbacks", fallbacks),
            "context_window_fallbacks": _lists("context_window_fallbacks", context_window_fallbacks),
            "content_policy_fallbacks": _lists("content_policy_fallbacks", content_policy_fallbacks),
            "max_wait": _checks.seconds("max_wait", max_wait),
            "retry_pause": _checks.seconds("retry_pause", retry_pause),
            "hedge_after": _checks.seconds("hedge_after", hedge_after),
            "seed": _checks.count("seed", seed),
        }
        config = {
            # Not the core's: for hooks it is who is asked, by which a cache tells one Router from another.
            "provider": {"name": "router", "deployments": [one._identity() for one in several]},
            "deployments": several,
            "routing": {name: value for name, value in routing.items() if value is not None},
            "timeouts": {} if total is None else {"total": _checks.seconds("total", total)},
            "budget": _request.caps(budget),
            "tag": _checks.optional(_checks.string, "tag", tag),
        }
        self._model = several[0].group or _GROUP
        self._base_url, self._proxy = "", None
        self._options = _merged(fitting_options(options), several)
        self._hooks = _hooking.check_hooks(hooks)
        self._configure({name: value for name, value in config.items() if value not in (None, {}, "")})

    @property
    def model(self) -> str:
        """The group or the deployment that is asked where a request names none."""
        return self._model

    @property
    def price(self) -> Price | None:
        """None: each deployment has its own, `Response.cost` says what an answer did cost."""
        return None

    @property
    def deployments(self) -> list[Deployment]:
        """What the Router was made of."""
        return list(self._config["deployments"])

    @property
    def health(self) -> list[DeploymentHealth]:
        """How the deployments fare, in their order; empty before the first request of this process."""
        client = self._link.client
        if client is None or not client.runtime.alive:
            return []
        seen = client.runtime.inspect(client.number).get("client", {}).get("deployments", ())
        return [
            DeploymentHealth(
                one["name"], group=one["group"], model=one["model"], provider=one["provider"], **_known(one["health"])
            )
            for one in seen
        ]

    def _vendor(self) -> tuple[str, str]:
        return "router", "router"

    def _with_options(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with the options of all vendors; the core takes those of the deployment that it asks."""
        if arguments.get("options") is None and not (self._options and "options" in arguments):
            return arguments
        return {**arguments, "options": lay_options(fitting_options(arguments["options"]), self._options)}

    def _with_environment(self) -> dict[str, Any]:
        config = {name: value for name, value in self._config.items() if name != "provider"}
        several = []
        for one in config["deployments"]:
            seen = network_variables(proxies=one.provider._proxy != "")
            own = one._config()
            several.append({**own, "network": {**own.get("network", {}), "environment": seen}})
        return {**config, "deployments": several}

    def __repr__(self) -> str:
        names = ", ".join(repr(one.name or one.provider.model) for one in self._config["deployments"])
        return f"Router({names}; model={self._model!r})"


def _deployments(given: Any) -> list[Deployment]:
    if not isinstance(given, (list, tuple)) or not given:
        raise _checks.wrong("deployments", "a list of Providers, Deployment objects or dicts, not empty", given)
    return [_deployment(number, one) for number, one in enumerate(given)]


def _deployment(number: int, one: Any) -> Deployment:
    if isinstance(one, Deployment):
        return one
    if isinstance(one, Provider):
        return Deployment(one)
    if not isinstance(one, dict):
        raise _checks.wrong(f"deployments[{number}]", "a Provider, a Deployment or a dict", one)
    try:
        return Deployment(**one)
    except TypeError as error:
        raise ConfigurationError(
            f"deployments[{number}] has not the arguments of Deployment: {error}.", param="deployments"
        ) from None


def _lists(name: str, value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, list) or not all(
        isinstance(one, list) and all(isinstance(text, str) for text in one) for one in value
    ):
        raise _checks.wrong(name, "a list of lists of names", value)
    return value


def _merged(own: tuple[VendorOptions, ...], several: list[Deployment]) -> tuple[VendorOptions, ...]:
    """The Router's options over those of its Providers, which must not say different things of one kind."""
    kinds: dict[type, VendorOptions] = {}
    for one in several:
        for options in one.provider._options:
            if kinds.setdefault(type(options), options) != options:
                raise ConfigurationError(
                    f"Two deployments have different {type(options).__name__}; a Router has one of each kind. Give it "
                    "to the Router, or to each request.",
                    param="options",
                )
    for options in own:
        below = kinds.get(type(options))
        kinds[type(options)] = options if below is None else options._over(below)
    return tuple(kinds.values())


def _known(health: dict[str, Any]) -> dict[str, Any]:
    """What this package knows of what the core says."""
    return {name: health[name] for name in DeploymentHealth._fields if name in health}
