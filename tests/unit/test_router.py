"""Routers through the package: who is asked, who answered, and that a Router is used as a Provider is."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import pyagent
from pyagent import (
    APIConnectionError,
    Budget,
    BudgetExceededError,
    ConfigurationError,
    Deployment,
    OpenAIOptions,
    Provider,
    RateLimitError,
    Router,
    StreamInterruptedError,
)

NOWHERE = "http://127.0.0.1:9/v1"


def down(**options: Any) -> Provider:
    return Provider.compatible("gone", base_url=NOWHERE, max_retries=0, **options)


@pytest.fixture
def up(server) -> Iterator[Provider]:  # type: ignore[no-untyped-def]
    provider = Provider.compatible("m", base_url=server.url, max_retries=0)
    yield provider
    if provider._client is not None:  # pytest keeps the object longer than the check for open handles waits
        provider._client.close()


def test_another_deployment_answers(server, up) -> None:  # type: ignore[no-untyped-def]
    router = Router([down(), Deployment(up, name="spare")], strategy="in_order")
    response = router.generate("hello")
    assert (response.text, response.deployment, response.attempts) == ("hello", "spare", 2)
    assert [(past["deployment"], past["kind"]) for past in response.retries] == [("compatible/gone", "connection")]
    assert response.to_dict()["deployment"] == "spare"
    assert server.only()["body"]["model"] == "m"
    with router.stream("one two") as stream:
        events = list(stream.events())
        assert stream.result.deployment == "spare"
    retries = [event for event in events if isinstance(event, pyagent.events.RetryEvent)]
    assert [event.error.deployment for event in retries] == ["compatible/gone"]
    assert up.generate("x").deployment is None


def test_every_way_to_ask(up) -> None:  # type: ignore[no-untyped-def]
    router = Router([down(), up], strategy="in_order", allowed_failures=1000)
    assert router.generate_text("a") == "a"
    assert "".join(router.stream_text("a b")) == "a b"
    assert sorted(router.map(["a", "b"])) == ["a", "b"]
    assert len(router.embed(["a", "b"])) == 2
    assert [model.id for model in router.list_models()]

    async def main() -> None:
        assert (await router.agenerate("a")).deployment == "compatible/m"
        assert "".join([piece async for piece in router.astream_text("a b")]) == "a b"
        assert len(await router.aembed(["a"])) == 1
        assert [answer async for answer in router.amap(["a"])] == ["a"]

    asyncio.run(main())


def test_who_failed_is_on_the_error(up, script) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(APIConnectionError) as caught:
        Router([Deployment(down(), name="a"), Deployment(down(), name="b")], strategy="in_order").generate("x")
    assert (caught.value.deployment, caught.value.provider, caught.value.model) == ("b", "compatible", "gone")
    assert [past["deployment"] for past in caught.value.retries] == ["a"]
    router = Router([Deployment(up, name="a"), Deployment(up, name="b")], strategy="in_order")
    with pytest.raises(StreamInterruptedError) as broken:
        list(router.stream("a b c", extra_body=script(after=2, end="cut")))
    assert (broken.value.partial_text.strip(), broken.value.deployment) == ("a b", "a")
    assert broken.value.attempts == 1


def test_groups_and_fallbacks(server, up, script) -> None:  # type: ignore[no-untyped-def]
    router = Router(
        [
            {"provider": down(), "name": "one", "group": "fast"},
            {"provider": up.with_model("m2"), "name": "two", "group": "slow"},
            {"provider": up.with_model("long"), "name": "three", "group": "long"},
        ],
        fallbacks=[["fast", "slow"]],
        context_window_fallbacks=[["slow", "long"]],
    )
    assert router.model == "fast"
    assert router.generate("x").deployment == "two"
    assert router.generate("x", model="slow").model == "m2"
    assert router.with_model("three").generate("x").deployment == "three"
    error = {"error": {"message": "too long", "code": "context_length_exceeded"}}
    body = script(status=400, body=error, key="long", times=1)
    response = router.generate("x", model="slow", extra_body=body)
    assert (response.deployment, response.retries[0]["kind"]) == ("three", "context_window_exceeded")
    with pytest.raises(ConfigurationError, match="neither a group nor a deployment"):
        router.generate("x", model="nothing")
    with pytest.raises(pyagent.ContextWindowExceededError):
        router.generate("x", model="long", extra_body=script(status=400, body=error))


def test_cooldown_and_health(server, up) -> None:  # type: ignore[no-untyped-def]
    router = Router([down(), up], strategy="in_order", allowed_failures=0, cooldown=1000)
    assert router.health == []
    assert [router.generate("x").attempts for _ in range(3)] == [2, 1, 1]
    gone, fine = router.health
    assert (gone.name, gone.group, gone.model, gone.provider) == ("compatible/gone", "default", "gone", "compatible")
    assert (gone.state, gone.failed, gone.answered) == ("resting", 1, 0)
    assert 900 < gone.seconds <= 1000
    assert (fine.state, fine.answered, fine.running) == ("healthy", 3, 0)
    assert fine.latency is not None


def test_room(up) -> None:  # type: ignore[no-untyped-def]
    router = Router([Deployment(up, rpm=2), Deployment(up, rpm=1)], max_wait=0)
    assert Counter(router.generate("x").deployment for _ in range(3)) == {"compatible/m": 2, "compatible/m#2": 1}
    with pytest.raises(RateLimitError, match="no deployment has room") as caught:
        router.generate("x")
    assert caught.value.code == "throttled"
    assert caught.value.retry_after is not None
    hold = Router([Deployment(up, max_parallel=1)])
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(hold.generate_text("x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["x"] * 8


def test_a_second_one_races_the_first(model, up) -> None:  # type: ignore[no-untyped-def]
    slow = Provider.compatible("slow", base_url=f"http://127.0.0.1:{model.server_port}/v1")
    router = Router([slow, up], strategy="in_order", hedge_after=0.05)
    response = router.generate("hold")
    assert (response.deployment, response.attempts) == ("compatible/m", 2)
    assert [(past["deployment"], past["kind"]) for past in response.retries] == [("compatible/slow", "cancelled")]
    model.wait_for_closed(1)
    assert "".join(router.stream_text("hold")) == "hold"
    model.wait_for_closed(2)


def test_a_seed_decides(up) -> None:  # type: ignore[no-untyped-def]
    several = [Deployment(up, name=name) for name in "abc"]
    first, again = (
        [router.generate("x").deployment for _ in range(20)]
        for router in (Router(several, seed=3), Router(several, seed=3))
    )
    assert first == again
    assert len(set(first)) == 3


def test_costs_and_budget(server, script) -> None:  # type: ignore[no-untyped-def]
    dear = Provider.compatible("m", base_url=server.url, prices={"m": {"input": 1e6, "output": 1e6}})
    router = Router([dear], budget=Budget(usd=10), tag="mine")
    body = script(usage={"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10})
    assert router.generate("x", extra_body=body).cost == 10
    assert {tag: spent.usd for tag, spent in router.costs.by("tag").items()} == {"mine": 10}
    with pytest.raises(BudgetExceededError):
        router.generate("x", extra_body=body)
    assert router.price is None


def test_hooks_and_options(server, up) -> None:  # type: ignore[no-untyped-def]
    seen: list[Any] = []

    class Watch(pyagent.Hook):
        def on_request(self, context: pyagent.RequestContext) -> None:
            seen.append(context.provider)

    hooks = pyagent.Hooks(Watch())
    with_options = Provider.openai("n", api_key="k", base_url=server.url, options=OpenAIOptions(reasoning_effort="low"))
    router = Router([down(), with_options], strategy="in_order", hooks=hooks)
    assert router.generate("x").deployment == "openai/n"
    assert server.only()["body"]["reasoning_effort"] == "low"
    server.clear()
    router.generate("x", options=[OpenAIOptions(reasoning_effort="high"), pyagent.AnthropicOptions()])
    assert server.only()["body"]["reasoning_effort"] == "high"
    assert seen == ["router", "router"]
    with pytest.raises(ConfigurationError, match="different OpenAIOptions"):
        Router([with_options, Provider.openai("n", api_key="k", options=OpenAIOptions(reasoning_effort="high"))])
    with pytest.raises(ConfigurationError, match="give them to the Router"):
        Deployment(Provider.compatible("m", base_url=server.url, hooks=hooks))


def test_a_cache_tells_routers_apart(server, up) -> None:  # type: ignore[no-untyped-def]
    cache = pyagent.Hooks(pyagent.CacheHook())
    for model in ("m", "m2", "m"):
        assert Router([up.with_model(model)], hooks=cache).generate("x").deployment == f"compatible/{model}"
    assert [request["body"]["model"] for request in server.requests()] == ["m", "m2"]


def test_objects_tools_and_conversations(up, script) -> None:  # type: ignore[no-untyped-def]
    router = Router([down(), Deployment(up, name="b")], strategy="in_order")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    found = router.generate_object("x", schema=schema, extra_body=script(text='{"a": 1}'))
    assert (found.object, found.response.deployment) == ({"a": 1}, "b")

    def double(number: int) -> int:
        """Doubles a number."""
        return 2 * number

    assert router.run_tools("hi", tools=[double]).response.deployment == "b"
    assert str(pyagent.Conversation(router).generate("hello")) == "hello"


def test_a_router_can_be_copied(up) -> None:  # type: ignore[no-untyped-def]
    router = Router([down(), Deployment(up, name="b", rpm=5)], strategy="in_order", fallbacks=[["default", "b"]])
    for other in (pickle.loads(pickle.dumps(router)), copy.deepcopy(router)):
        assert other.generate("x").deployment == "b"
        assert [one.rpm for one in other.deployments] == [None, 5]
        assert repr(other) == repr(router) == "Router('gone', 'b'; model='default')"
    client = pyagent.Client()
    client.register("mine", router)
    assert client.model("mine", "b").generate("x").deployment == "b"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"deployments": []}, "deployments must be a list"),
        ({"deployments": ["m"]}, r"deployments\[0\] must be a Provider"),
        ({"deployments": [{"name": "x"}]}, r"deployments\[0\] has not the arguments"),
        ({"strategy": "best"}, "strategy must be one of in_order"),
        ({"cooldown": -1}, "cooldown must be"),
        ({"allowed_failures": 0.5}, "allowed_failures must be"),
        ({"fallbacks": ["a"]}, "fallbacks must be a list of lists"),
        ({"max_wait": "1"}, "max_wait must be"),
        ({"hedge_after": -1}, "hedge_after must be"),
        ({"seed": -1}, "seed must be"),
        ({"total": "x"}, "total must be"),
        ({"tag": 1}, "tag must be"),
    ],
)
def test_bad_arguments(up, arguments: dict[str, Any], message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigurationError, match=message):
        Router(**{"deployments": [up], **arguments})


def test_the_core_refuses_the_rest(up) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigurationError, match=r"names .b."):
        Router([up], fallbacks=[["default", "b"]]).generate("x")
    with pytest.raises(ConfigurationError, match="api_key is one deployment's"):
        Router([up]).generate("x", api_key="k")
    with pytest.raises(ConfigurationError, match="provider must be a Provider"):
        Router([Router([up])])
    with pytest.raises(ConfigurationError, match="weight must be a number from 0"):
        Router([Deployment(up, weight=-1)]).generate("x")


def test_the_start_says_who_answers(up) -> None:  # type: ignore[no-untyped-def]
    router = Router([down(), Deployment(up, name="spare")], strategy="in_order")
    with router.stream("a") as stream:
        (start,) = [event for event in stream.events() if isinstance(event, pyagent.events.StartEvent)]
    assert start.deployment == "spare"
    assert router.embed(["a"]).deployment == "spare"
    with up.stream("a") as stream:
        assert [e.deployment for e in stream.events() if isinstance(e, pyagent.events.StartEvent)] == [None]


def test_defaults_of_a_deployment(server, up) -> None:  # type: ignore[no-untyped-def]
    said = {
        "temperature": 0.5,
        "extra_body": {"a": 1, "b": 2},
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    router = Router([Deployment(up, defaults=said)])
    router.generate("x")
    router.generate("x", temperature=0.0, extra_body={"a": 3})
    pickle.loads(pickle.dumps(router)).generate("x")
    first, second, third = (request["body"] for request in server.requests())
    assert (first["temperature"], first["a"], first["b"], first["tools"]) == (0.5, 1, 2, said["tools"])
    assert (second["temperature"], second["a"], second["b"]) == (0.0, 3, 2)
    assert third == first
    for wrong, message in (
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"temprature": 1}, "no argument that a deployment can complete"),
        ({"max_retries": 1}, "no argument that a deployment can complete"),
        ("x", "defaults must be"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            Deployment(up, defaults=wrong)


def test_retries_of_a_call_are_for_all_deployments(server, up, script) -> None:  # type: ignore[no-untyped-def]
    router = Router(
        [Deployment(up, name="a"), Deployment(up, name="b")], strategy="in_order", retry_pause=0.05, allowed_failures=99
    )
    for retries, asked in ((0, ["a"]), (1, ["a", "b"]), (3, ["a", "b", "b", "b"])):
        with pytest.raises(pyagent.ServiceUnavailableError) as caught:
            router.generate("x", max_retries=retries, extra_body=script(status=503))
        assert [*(past["deployment"] for past in caught.value.retries), caught.value.deployment] == asked
    with pytest.raises(ConfigurationError, match="retry_pause"):
        Router([up], retry_pause=-1)
