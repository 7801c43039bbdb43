"""litellm's Router: who is asked, who takes whose place, what is known of the answer, and what may be changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from pyagent import litellm

pytestmark = pytest.mark.timeout(60)

HELLO = [{"role": "user", "content": "Hello you"}]


def fails(status: int, code: str = "c", message: str = "nope", **more: Any) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"message": message, "code": code}}, **more}


LONG = fails(400, "context_length_exceeded", "maximum context length is 10 tokens")
REFUSED = fails(400, "content_policy_violation", "rejected by the safety system")


def asked(vendor: Any) -> list[str]:
    return [request["body"]["model"] for request in vendor.requests() if request["method"] == "POST"]


def who(answer: Any) -> tuple[Any, int, int]:
    hidden = answer._hidden_params
    headers = hidden["additional_headers"]
    return hidden["model_id"], headers["x-litellm-attempted-retries"], headers["x-litellm-attempted-fallbacks"]


def test_an_answer_says_whose_it_is(vendor: Any, deploy: Any) -> None:
    router = litellm.Router([deploy("small", "a"), deploy("large", "b")])
    answer = router.completion("small", HELLO)
    assert (answer.content, answer.model, who(answer)) == ("Hello you", "a", ("a", 0, 0))
    hidden = answer._hidden_params
    assert (hidden["litellm_model_name"], hidden["api_base"], hidden["custom_llm_provider"]) == (
        "openai/a", vendor.url, "openai",
    )  # fmt: skip
    assert hidden["additional_headers"]["x-litellm-model-group"] == "small"
    assert vendor.requests()[-1]["headers"]["authorization"].endswith("key-a")
    stream = router.completion(model="large", messages=HELLO, stream=True)
    assert who(stream) == ("b", 0, 0)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello you"
    assert chunks[0]._hidden_params["model_id"] == "b"
    assert [router.completion(name, HELLO)._hidden_params["model_id"] for name in ("b", "openai/a")] == ["b", "a"]


def test_every_way_to_ask(deploy: Any) -> None:
    router = litellm.Router([deploy("m", "a"), deploy("m", "b")])
    assert len(router.embedding("m", ["x", "y"])) == 2
    assert router.embedding("m", "x")._hidden_params["model_id"] in {"a", "b"}
    assert router.text_completion(model="m", prompt="one two").choices[0].text == "one two"
    assert "".join(c.choices[0].text for c in router.text_completion("m", "one two", stream=True)) == "one two"
    assert router.completion("m", HELLO, mock_response="mocked").content == "mocked"
    with pytest.raises(litellm.UnsupportedParamsError, match="suffix"):
        router.text_completion("m", "x", suffix="y")

    async def main() -> None:
        assert (await router.acompletion("m", HELLO)).content == "Hello you"
        stream = await router.acompletion("m", HELLO, stream=True)
        assert who(stream)[0] in {"a", "b"}
        assert "".join([chunk.content or "" async for chunk in stream]) == "Hello you"
        assert len(await router.aembedding(model="m", input=["x"])) == 1
        assert (await router.atext_completion("m", "one")).choices[0].text == "one"
        texts = await router.atext_completion("m", "one two", stream=True)
        assert "".join([chunk.choices[0].text async for chunk in texts]) == "one two"

    asyncio.run(main())


def test_arguments_of_deployments_and_of_calls(vendor: Any, deploy: Any) -> None:
    router = litellm.Router(
        [deploy("m", "a", temperature=0.5, max_tokens=9, extra_headers={"X-Mine": "1"}, own_field={"x": 1})],
        default_litellm_params={"user": "u", "seed": 7, "metadata": {"team": "t"}},
    )
    router.completion("m", HELLO)
    router.completion("m", HELLO, temperature=0.0, seed=8)
    first, second = vendor.requests()
    assert (first["body"]["temperature"], first["body"]["seed"], first["body"]["user"]) == (0.5, 7, "u")
    assert (first["body"]["own_field"], first["headers"]["x-mine"]) == ({"x": 1}, "1")
    assert 9 in {first["body"].get("max_tokens"), first["body"].get("max_completion_tokens")}
    assert (second["body"]["temperature"], second["body"]["seed"]) == (0.0, 8)
    for name in ("api_key", "api_base", "organization"):
        with pytest.raises(litellm.UnsupportedParamsError, match=name):
            router.completion("m", HELLO, **{name: "x"})


def test_retries_go_to_others_first(vendor: Any, deploy: Any) -> None:
    down = fails(500)
    router = litellm.Router([deploy("m", "a", down, order=1), deploy("m", "b", order=2)])
    assert who(router.completion("m", HELLO)) == ("b", 1, 0)
    assert who(router.completion("m", HELLO, stream=True)) == ("b", 1, 0)
    assert who(router.completion("m", HELLO, num_retries=0)) == ("b", 1, 0)
    with pytest.raises(litellm.InternalServerError):
        router.completion("m", HELLO, num_retries=0, disable_fallbacks=True)
    alone = litellm.Router([deploy("m", "c", down)], num_retries=1)
    for more, retries in (({}, 1), ({"num_retries": 0}, None), ({"num_retries": 2}, 2)):
        before = asked(vendor).count("c")
        with pytest.raises(litellm.InternalServerError) as caught:
            alone.completion("m", HELLO, **more)  # type: ignore[arg-type]
        assert asked(vendor).count("c") - before == 1 + (retries or 0)
        assert (caught.value.num_retries, caught.value.max_retries) == (retries, retries)
        assert (caught.value.model, caught.value.llm_provider) == ("c", "openai")
    both = litellm.Router([deploy("m", "x", down), deploy("m", "y", down)], num_retries=2)
    with pytest.raises(litellm.InternalServerError):
        both.completion("m", HELLO)
    assert Counter(name for name in asked(vendor) if name in {"x", "y"}) in ({"x": 1, "y": 2}, {"x": 2, "y": 1})


def test_fallbacks(vendor: Any, deploy: Any) -> None:
    router = litellm.Router(
        [
            deploy("down", "a", fails(500)), deploy("wrong", "b", fails(400)), deploy("long", "c", LONG),
            deploy("refused", "d", REFUSED), deploy("fine", "e"), deploy("larger", "f"), deploy("lax", "g"),
            deploy("chain", "h", fails(503)), deploy("lost", "i", fails(500)),
        ],
        num_retries=0,
        fallbacks=[{"down": ["fine"]}, {"wrong": ["fine"]}, {"chain": ["down"]}, {"lost": ["lost", "chain"]}],
        context_window_fallbacks=[{"long": ["larger"]}],
        content_policy_fallbacks=[{"refused": ["lax"]}],
        model_group_alias={"same": "down", "hidden": {"model": "fine", "hidden": True}},
    )  # fmt: skip
    answers = {
        name: who(router.completion(name, HELLO)) for name in ("down", "wrong", "long", "refused", "chain", "same")
    }
    assert answers == {
        "down": ("e", 0, 1), "wrong": ("e", 0, 1), "long": ("f", 0, 1), "refused": ("g", 0, 1), "chain": ("e", 0, 2),
        "same": ("e", 0, 1),
    }  # fmt: skip
    assert who(router.completion("hidden", HELLO)) == ("e", 0, 0)
    assert who(router.completion("lost", HELLO)) == ("e", 0, 3)
    assert [who(router.completion("down", HELLO, stream=True))[0], who(router.embedding("fine", "x"))[0]] == ["e", "e"]
    assert who(asyncio.run(router.acompletion("down", HELLO)))[0] == "e"  # type: ignore[arg-type]
    with pytest.raises(litellm.InternalServerError):
        router.completion("down", HELLO, disable_fallbacks=True)
    assert who(router.completion("down", HELLO, fallbacks=["lax"]))[0] == "g"
    assert who(router.completion("down", HELLO, fallbacks=[{"down": ["larger"]}]))[0] == "f"
    moved = router.completion(
        "down", HELLO, fallbacks=[{"model": "lax", "messages": [{"role": "user", "content": "X"}]}]
    )
    assert (who(moved)[0], moved.content) == ("g", "X")
    assert who(router.completion("lax", HELLO, mock_testing_fallbacks=True, fallbacks=["fine"]))[0] == "e"
    with pytest.raises(litellm.RateLimitError):
        router.completion("lax", HELLO, mock_testing_rate_limit_error=True)


def test_fallbacks_of_everybody(deploy: Any) -> None:
    members = [deploy("down", "a", fails(500)), deploy("worse", "b", fails(500)), deploy("fine", "c")]
    router = litellm.Router(members, num_retries=0, default_fallbacks=["fine"])
    assert [who(router.completion(name, HELLO))[0] for name in ("down", "worse", "unknown")] == ["c", "c", "c"]
    router = litellm.Router(members, num_retries=0, fallbacks=[{"*": ["worse", "fine"]}])
    assert who(router.completion("down", HELLO)) == ("c", 0, 2)
    router.max_fallbacks = 1
    with pytest.raises(litellm.InternalServerError):
        router.completion("down", HELLO)
    with pytest.raises(litellm.InternalServerError):
        litellm.Router(members, num_retries=0).completion("down", HELLO)


def test_a_deployment_that_fails_rests(vendor: Any, deploy: Any) -> None:
    members = [deploy("m", "a", fails(500), order=1), deploy("m", "b", order=2)]
    router = litellm.Router(members, allowed_fails=0, cooldown_time=1000)
    assert router.health == []
    assert [who(router.completion("m", HELLO))[1] for _ in range(3)] == [1, 0, 0]
    assert asked(vendor) == ["a", "b", "b", "b"]
    assert [(one.name, one.state) for one in router.health] == [("a", "resting"), ("b", "healthy")]
    router.reset()
    assert who(router.completion("m", HELLO))[1] == 1
    never = litellm.Router(members, allowed_fails=0, disable_cooldowns=True)
    assert [who(never.completion("m", HELLO))[1] for _ in range(2)] == [1, 1]
    limited = litellm.Router([deploy("m", "c", fails(429), order=1), deploy("m", "d", order=2)])
    assert [who(limited.completion("m", HELLO))[1] for _ in range(2)] == [1, 0]


def test_strategies_and_limits(vendor: Any, deploy: Any) -> None:
    router = litellm.Router([deploy("m", "a", weight=1), deploy("m", "b", weight=0)])
    assert {who(router.completion("m", HELLO))[0] for _ in range(12)} == {"a"}
    router = litellm.Router([deploy("m", "a", rpm=0), deploy("m", "b", rpm=1)])
    assert {who(router.completion("m", HELLO))[0] for _ in range(12)} == {"b"}
    cheap = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
    dear = {name: 2 * price for name, price in cheap.items()}
    router = litellm.Router(
        [deploy("m", "a", **dear), deploy("m", "b", **cheap)], routing_strategy="cost-based-routing"
    )
    answer = router.completion("m", HELLO)
    assert (who(answer)[0], answer._hidden_params["response_cost"]) == ("b", pytest.approx(4e-6))
    for strategy in ("usage-based-routing", "usage-based-routing-v2"):
        router = litellm.Router([deploy("m", "a", rpm=1), deploy("m", "b", rpm=1)], routing_strategy=strategy)
        assert {who(router.completion("m", HELLO))[0] for _ in range(2)} == {"a", "b"}
        with pytest.raises(litellm.RateLimitError):
            router.completion("m", HELLO)
    checks = ["enforce_model_rate_limits"]
    router = litellm.Router([deploy("m", "a", rpm=1)], optional_pre_call_checks=checks)
    router.completion("m", HELLO)
    with pytest.raises(litellm.RateLimitError):
        router.completion("m", HELLO)
    for strategy in ("least-busy", "latency-based-routing"):
        assert litellm.Router([deploy("m", "a")], routing_strategy=strategy).completion("m", HELLO).content
    with pytest.raises(litellm.UnsupportedParamsError, match="simple-shuffle"):
        litellm.Router(routing_strategy="best")


def test_many_at_once_wait_for_room(vendor: Any, deploy: Any) -> None:
    router = litellm.Router([deploy("m", "a", {"header_delay": 0.05})], default_max_parallel_requests=1)

    async def main() -> list[Any]:
        return await asyncio.gather(*(router.acompletion("m", HELLO) for _ in range(4)))

    assert [answer.content for answer in asyncio.run(main())] == ["Hello you"] * 4
    times = sorted((request["started"], request["ended"]) for request in vendor.requests())
    assert all(later[0] >= earlier[1] - 0.02 for earlier, later in zip(times, times[1:]))


def test_timeouts(deploy: Any) -> None:
    slow = {"header_delay": 5}
    for router in (
        litellm.Router([deploy("m", "a", slow)], timeout=0.2, num_retries=0),
        litellm.Router([deploy("m", "a", slow, timeout=0.2)], timeout=60, num_retries=0),
        litellm.Router([deploy("m", "a", slow, timeout=60, num_retries=0)], timeout=60),
    ):
        with pytest.raises(litellm.Timeout):
            router.completion("m", HELLO, **({} if router.timeout == 0.2 else {"timeout": 0.2}))
    for params, more in (({"stream_timeout": 0.2}, {}), ({}, {"stream_timeout": 0.2})):
        router = litellm.Router([deploy("m", "a", slow, **params)], num_retries=0, **more)
        with pytest.raises(litellm.Timeout):
            router.completion("m", HELLO, stream=True)
    late = {"header_delay": 0.4}
    router = litellm.Router([deploy("m", "a", late, stream_timeout=0.1)], num_retries=0)
    assert router.completion("m", HELLO).content
    with pytest.raises(litellm.Timeout):
        router.completion("m", HELLO, stream=True)
    with pytest.raises(litellm.Timeout):
        litellm.Router([deploy("m", "a", late)], num_retries=0).completion("m", HELLO, stream=True, stream_timeout=0.1)
    router = litellm.Router([deploy("m", "a", stream_timeout=1), deploy("m", "b", stream_timeout=2)])
    with pytest.raises(litellm.UnsupportedParamsError, match="stream_timeout"):
        router.completion("m", HELLO, stream=True)


def test_a_retry_waits_at_least(vendor: Any, deploy: Any) -> None:
    from time import monotonic

    router = litellm.Router([deploy("m", "a", fails(500))], num_retries=1, retry_after=1)
    began = monotonic()
    with pytest.raises(litellm.InternalServerError):
        router.completion("m", HELLO)
    assert monotonic() - began >= 1
    assert len(vendor.requests()) == 2
