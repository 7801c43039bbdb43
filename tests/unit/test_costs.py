"""Costs, totals, prices and budgets through the package."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

import pyagent
from pyagent import Budget, BudgetExceededError, ConfigurationError, Provider, StreamInterruptedError, costs
from pyagent.response import Usage

ALL_CASES = json.loads((Path(__file__).parents[1] / "cases" / "costs.json").read_text(encoding="utf-8"))
CASES = [case for case in ALL_CASES if "price" in case and "usage" in case]  # the others are for the core alone
DEAR = {"m": {"input": 1e6, "output": 1e6}}  # a dollar a token
USAGE = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}


def ask(server, **options: Any) -> Provider:  # type: ignore[no-untyped-def]
    return Provider.compatible("m", base_url=server.url, **{"prices": DEAR, **options})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_price_counts_as_the_core_does(case: dict[str, Any]) -> None:
    price, usage = costs.Price(**case["price"]), Usage(**case["usage"])
    rest = {"embedding": case["op"] == "embed", "images": case.get("images", 0), "tier": case.get("tier")}
    parts = price.split(usage, **rest)
    if "prompt" not in case:
        assert parts is None
        assert price.cost(usage, **rest) is None
    else:
        assert parts == pytest.approx((case["prompt"], case["answer"]), abs=1e-12)
        assert price.cost(usage, **rest) == pytest.approx(case["prompt"] + case["answer"], abs=1e-12)


def test_the_cost_of_answers(server, script) -> None:  # type: ignore[no-untyped-def]
    provider = ask(server)
    body = script(usage=USAGE)
    assert provider.generate("x", extra_body=body).cost == 10
    assert provider.generate_text("x", include_usage=True, extra_body=body).cost == 10
    assert asyncio.run(provider.agenerate("x", extra_body=body)).cost == 10
    with provider.stream("x", extra_body=body) as stream:
        assert stream.cost is None
        assert stream.result.cost == stream.cost == 10
    assert [answer.cost for answer in provider.map(["a", "b"], include_usage=True, extra_body=body)] == [10, 10]
    embeddings = provider.embed(["one two", "three"])
    assert embeddings.cost == embeddings.usage.prompt_tokens
    assert pickle.loads(pickle.dumps(embeddings)).cost == embeddings.cost
    assert provider.generate("x", extra_body=body).to_dict()["cost"] == 10


def test_objects_cost_what_all_their_answers_did(server, script) -> None:  # type: ignore[no-untyped-def]
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    provider = ask(server)
    body = script(text='{"a": 1}', usage=USAGE)
    assert provider.generate_object("x", schema=schema, mode="strict", tag="o", extra_body=body).cost == 10
    assert provider.costs.by("tag")["o"].requests == 1


def test_a_run_of_tools_costs_what_all_its_answers_did(server, script) -> None:  # type: ignore[no-untyped-def]
    def look() -> str:
        """Looks."""
        return "seen"

    provider = ask(server)
    body = script(tools=[{"name": "look", "arguments": {}}], usage=USAGE)
    with pytest.raises(
        pyagent.ToolLimitError, match=r"cost_budget of 15 is used up \(20 dollars in 2 answers\)"
    ) as caught:
        provider.run_tools("x", tools=[look], tag="run", cost_budget=15, extra_body=body)
    run = caught.value.run
    assert (len(run.steps), run.cost) == (2, 20)
    assert provider.costs.by("tag")["run"].usd == 20


def test_an_answer_out_of_a_cache_is_paid_once(server, script) -> None:  # type: ignore[no-untyped-def]
    cache = pyagent.Hooks(pyagent.CacheHook())
    provider = ask(server, budget=Budget(usd=1000))
    body = script(usage=USAGE)
    for tag in ("a", "b"):
        assert provider.generate("x", tag=tag, hooks=cache, extra_body=body).cost == 10
        assert provider.stream("x", tag=tag, hooks=cache, extra_body=body).result.cost == 10
    assert {tag: spent.usd for tag, spent in provider.costs.by("tag").items()} == {"a": 20}
    assert provider.generate("x", hooks=pyagent.Hooks(_Answers())).cost == 0.25
    assert provider.stream("x", hooks=pyagent.Hooks(_Answers())).result.cost == 0.25


class _Answers(pyagent.Hook):
    def on_request(self, context: Any) -> pyagent.Response:
        return pyagent.Response([pyagent.Choice(text="from a hook")], cost=0.25)


@pytest.mark.parametrize(
    ("usage", "prices", "cost"),
    [
        ({**USAGE, "cost": 0.5}, DEAR, 0.5),  # the vendor's word
        ({**USAGE, "cost": 0.5}, None, 0.5),
        (USAGE, None, None),
        (False, DEAR, None),
        ({"prompt_tokens": 4}, DEAR, None),
        ({**USAGE, "cost": 0}, DEAR, 0),
    ],
)
def test_where_a_cost_comes_from(server, script, usage: Any, prices: Any, cost: float | None) -> None:  # type: ignore[no-untyped-def]
    response = ask(server, prices=prices).generate("x", extra_body=script(usage=usage))
    assert response.cost == cost
    assert response.usage.cost == (usage or {}).get("cost")


def test_an_answer_that_broke_off_tells_what_is_known(server, script) -> None:  # type: ignore[no-untyped-def]
    provider = ask(server, tag="broken")
    with pytest.raises(StreamInterruptedError) as caught:
        list(provider.stream("a b c", extra_body=script(end="truncate")))
    assert "cost_usd" not in caught.value.response
    assert provider.costs.total.unpriced == 1


def test_prices() -> None:
    price = costs.price_of("openai", "gpt-4o-2024-11-20")
    assert price is not None
    assert (price.input, price.output, price.cached) == (2.5, 10, 1.25)
    assert (price.source or "").startswith("https://")
    assert costs.price_of("openrouter", "openai/gpt-4o") == price
    assert costs.price_of("openai", "nobody") is None
    assert costs.price_of("nobody", "gpt-4o") is None
    assert Provider.openai("gpt-4o", api_key="k").price == price
    own = Provider.openai("gpt-4o-mini", api_key="k", prices={"gpt-4o-mini": costs.Price(input=1, output=2)})
    assert own.price == costs.Price(input=1, output=2)
    assert own.with_model("gpt-4o").price == price
    assert pickle.loads(pickle.dumps(own)).price == own.price


def test_every_vendor_with_prices_is_one_of_ours() -> None:
    from pyagent import _loading
    from pyagent._registry import ROWS

    rows = _loading.runtime().inspect()["prices"]
    assert {name for row in rows for name in row["providers"]} - set(ROWS) == {"cohere"}  # which OpenRouter has
    assert set().union(*rows) - set(costs.Price._fields) == {"providers", "model"}


def test_totals(server, script) -> None:  # type: ignore[no-untyped-def]
    costs.reset()
    provider = ask(server, tag="night")
    body = script(usage=USAGE)
    threads = [
        threading.Thread(target=provider.generate, args=("x",), kwargs={"extra_body": body, "tag": tag})
        for tag in ("a", None, "a", None, "b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other = provider.with_model("n")
    other.generate("x", extra_body=body, tag="a")
    found = provider.costs
    assert found == other.costs == costs.totals()
    assert [(row.model, row.tag, row.requests, row.usd) for row in found.rows] == [
        ("m", "a", 2, 20),
        ("m", "b", 1, 10),
        ("m", "night", 2, 20),
        ("n", "a", 1, 0),
    ]
    assert found.usd == found.total.usd == 50
    assert (found.total.requests, found.total.unpriced, found.total.prompt_tokens) == (6, 1, 24)
    assert {tag: spent.requests for tag, spent in found.by("tag").items()} == {"a": 3, "b": 1, "night": 2}
    assert list(found.by("provider")) == ["compatible"]
    with pytest.raises(ConfigurationError, match="'provider', 'model' or 'tag'"):
        found.by("vendor")
    assert all(b"night" not in json.dumps(request).encode() for request in server.requests())
    assert costs.reset() == found
    assert costs.totals() == costs.Costs()
    assert provider.costs == found


def test_small_questions_one_after_the_other_count_too(server, script) -> None:  # type: ignore[no-untyped-def]
    """The core answers such on the threads of the host, without a goroutine."""
    provider = ask(server)
    assert [provider.generate("x", extra_body=script(usage=USAGE)).cost for _ in range(30)] == [10] * 30
    assert (provider.costs.usd, provider.costs.total.requests) == (300, 30)


def test_a_provider_that_has_not_asked_has_spent_nothing() -> None:
    assert Provider.echo().costs == costs.Costs()


def test_a_budget_refuses_before_anything_is_sent(server, script) -> None:  # type: ignore[no-untyped-def]
    budget = Budget(usd=25)
    assert budget.state == costs.BudgetState(budget.name)
    first, second = ask(server, budget=budget), ask(server, budget=budget)
    body = script(usage=USAGE)
    assert first.generate("x", max_tokens=20, extra_body=body).cost == 10
    assert "".join(second.stream_text("x", max_tokens=5, extra_body=body)) == "x"
    assert (budget.state.usd, budget.state.tokens, budget.state.reserved_usd) == (20, 20, 0)
    sent = len(server.requests())
    stream = first.stream("x", max_tokens=5)
    with pytest.raises(BudgetExceededError, match=r"allows 25 dollars: 20 are spent") as caught:
        list(stream)
    error = caught.value
    assert (error.param, error.attempts, error.retry_after, error.is_retryable) == ("budget.usd", 0, None, False)
    with pytest.raises(BudgetExceededError):
        asyncio.run(second.agenerate("x", max_tokens=5))
    with pytest.raises(BudgetExceededError):
        second.embed(["one two three four five six seven eight"] * 10)
    assert [type(answer) for answer in first.map(["x"], max_tokens=5, return_exceptions=True)] == [BudgetExceededError]
    assert len(server.requests()) == sent
    assert ask(server, budget=Budget(usd=25)).generate("x", max_tokens=5, extra_body=body).cost == 10
    assert isinstance(error, RuntimeError)


def test_requests_side_by_side_do_not_share_the_last_dollar(server, script) -> None:  # type: ignore[no-untyped-def]
    provider = ask(server, budget=Budget(usd=100))
    body = script(usage=USAGE, first_delay=0.2)
    answers = list(provider.map(["x"] * 8, max_tokens=24, concurrency=8, return_exceptions=True, extra_body=body))
    assert sum(isinstance(answer, BudgetExceededError) for answer in answers) == 4
    assert len(server.requests()) == 4


def test_a_budget_of_tokens_with_a_period(server, script) -> None:  # type: ignore[no-untyped-def]
    provider = ask(server, prices=None, budget=Budget(tokens=10, period=0.3, name="a period"))
    body = script(usage=USAGE)
    provider.generate("x", extra_body=body)
    with pytest.raises(BudgetExceededError) as caught:
        provider.generate("x", extra_body=body)
    assert caught.value.param == "budget.tokens"
    assert 0 < (caught.value.retry_after or 0) <= 0.3
    threading.Event().wait(0.35)
    provider.generate("x", extra_body=body)
    assert [state.tokens for state in costs.budgets() if state.name == "a period"] == [10]


def test_a_budget_in_dollars_needs_a_price(server) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigurationError, match=r"the price of the model \"m\" at compatible is not known") as caught:
        ask(server, prices=None, budget=Budget(usd=1)).generate("x")
    assert caught.value.param == "prices"
    assert server.requests() == []


def test_what_the_vendor_refuses_is_given_back(server, script) -> None:  # type: ignore[no-untyped-def]
    budget = Budget(usd=100)
    with pytest.raises(pyagent.BadRequestError):
        ask(server, budget=budget).generate("x", max_tokens=50, extra_body=script(status=400))
    assert (budget.state.usd, budget.state.reserved_usd) == (0, 0)


def _spend_in_a_child(provider: Provider, report: Any) -> None:
    provider.generate("x", extra_body={"fake": {"usage": USAGE}})
    report.put((provider.costs.usd, costs.totals().usd))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_a_forked_process_counts_for_itself(server, script) -> None:  # type: ignore[no-untyped-def]
    provider = ask(server)
    provider.generate("x", extra_body=script(usage=USAGE))
    context = multiprocessing.get_context("fork")
    report = context.Queue()
    child = context.Process(target=_spend_in_a_child, args=(provider, report))
    child.start()
    assert report.get(timeout=30) == (10, 10)
    child.join()
    assert provider.costs.usd == 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "bounds nothing"),
        ({"usd": -1}, "usd must be a number of dollars"),
        ({"usd": "5"}, "usd must be a number"),
        ({"usd": float("nan")}, "usd must be"),
        ({"tokens": 1.5}, "tokens must be a whole number"),
        ({"usd": 1, "period": 0}, "period must be above 0"),
        ({"usd": 1, "name": ""}, "name must be a name"),
    ],
)
def test_a_budget_must_make_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Budget(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 5}, "budget must be a Budget object"),
        ({"tag": 5}, "tag must be a string"),
        ({"prices": {"m": 5}}, r"prices\['m'\] must be a dict such as"),
        ({"prices": {"m": {"inputs": 5}}}, "has no field 'inputs'; a price has input, output"),
        ({"prices": {"m": {"input": "5"}}}, r"prices\['m'\]\['input'\] must be a number"),
        ({"prices": {"m": {"long": 5}}}, r"prices\['m'\]\['long'\] must be a dict"),
        ({"prices": [5]}, "prices must be a dict"),
    ],
)
def test_wrong_options_raise_where_they_are_written(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Provider.echo(**options)


def test_the_core_finds_the_rest() -> None:
    for price, message in (({"input": -1}, "0 or more dollars"), ({"cached": 1}, "has no price")):
        with pytest.raises(ConfigurationError, match=message):
            Provider.echo(prices={"echo": price}).generate("x")
