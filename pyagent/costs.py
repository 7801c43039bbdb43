"""Costs: what models cost, what was spent in this process and on whom, and what is left of budgets."""

from __future__ import annotations

from . import _checks, _opening
from ._capabilities import is_of_family
from ._value import Value
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .response import Usage

__all__ = ["BudgetState", "Costs", "Price", "Spent", "budgets", "price_of", "reset", "totals"]


class Price(Value):
    """What a model costs, in US dollars for a million tokens. What is None is not charged for in a way of its own.

    Attributes:
        input, output: Prompts and answers.
        cached, cache_write: Prompt tokens that are read from the vendor's cache, or written to it; as input, if None.
        reasoning: Answer tokens that are reasoning; as output, if None.
        embedding: Tokens of what is embedded; as input, if None.
        image: Dollars for each image of an answer.
        image_tokens: Answer tokens that such an image is, which its price includes.
        long: What every token of a request costs whose prompt has more than so many: a dict with above, and input,
            output, cached and cache_write.
        tiers: By the name of a service tier, what it multiplies all of it by.
        source, seen: The vendor's page that says so, and the month in which it did; None for a price of your own.
    """

    __slots__ = (
        "input",
        "output",
        "cached",
        "cache_write",
        "reasoning",
        "embedding",
        "image",
        "image_tokens",
        "long",
        "tiers",
        "source",
        "seen",
    )

    def __init__(
        self,
        *,
        input: float | None = None,
        output: float | None = None,
        cached: float | None = None,
        cache_write: float | None = None,
        reasoning: float | None = None,
        embedding: float | None = None,
        image: float | None = None,
        image_tokens: int | None = None,
        long: dict[str, float] | None = None,
        tiers: dict[str, float] | None = None,
        source: str | None = None,
        seen: str | None = None,
    ) -> None:
        self.input = input
        self.output = output
        self.cached = cached
        self.cache_write = cache_write
        self.reasoning = reasoning
        self.embedding = embedding
        self.image = image
        self.image_tokens = image_tokens
        self.long = long
        self.tiers = tiers
        self.source = source
        self.seen = seen

    def cost(self, usage: Usage, *, embedding: bool = False, images: int = 0, tier: str | None = None) -> float | None:
        """What a request costs in US dollars, by its token counts; None where they or the price leave it open.

        Args:
            usage: The counts.
            embedding: Whether they are of texts that were embedded.
            images: How many images the answer has.
            tier: The vendor's class of service.
        """
        parts = self.split(usage, embedding=embedding, images=images, tier=tier)
        return None if parts is None else sum(parts)

    def split(
        self, usage: Usage, *, embedding: bool = False, images: int = 0, tier: str | None = None
    ) -> tuple[float, float] | None:
        """The same divided into the prompt's and the answer's share."""
        factor = self._factor(tier)
        if factor is None:
            return None
        if embedding:
            tokens = usage.total_tokens if usage.prompt_tokens is None else usage.prompt_tokens
            rate = self.input if self.embedding is None else self.embedding
            return None if tokens is None or rate is None else (tokens * rate * factor / 1e6, 0.0)
        rates = self._rates(usage)
        prompt = _prompt_cost(rates, usage)
        answer = self._answer_cost(rates, usage, images)
        return None if prompt is None or answer is None else (prompt * factor, answer * factor)

    def _factor(self, tier: str | None) -> float | None:
        if tier and self.tiers and tier in self.tiers:
            return self.tiers[tier]
        return 1.0 if (tier or "").lower() in _ORDINARY_TIERS else None

    def _rates(self, usage: Usage) -> dict[str, float | None]:
        """Those of a long prompt, if it is one."""
        if self.long and usage.prompt_tokens is not None and usage.prompt_tokens > self.long["above"]:
            return {name: self.long.get(name) for name in ("input", "output", "cached", "cache_write", "reasoning")}
        return {name: getattr(self, name) for name in ("input", "output", "cached", "cache_write", "reasoning")}

    def _answer_cost(self, rates: dict[str, float | None], usage: Usage, images: int) -> float | None:
        if usage.completion_tokens is None or (rates["output"] is None and usage.completion_tokens):
            return None
        rate = _or(rates["output"], 0.0)
        thought, rest, pictures = usage.reasoning_tokens or 0, usage.completion_tokens, 0.0
        if self.image is not None:
            pictures = images * self.image
            rest -= images * (self.image_tokens or 0)
        return (max(rest - thought, 0) * rate + thought * _or(rates["reasoning"], rate)) / 1e6 + pictures

    @classmethod
    def _from_option(cls, name: str, value: Any) -> Price:
        """A price as the option `prices` has it."""
        if isinstance(value, Price):
            return value
        if not isinstance(value, dict):
            raise _checks.wrong(name, "a dict such as {'input': 2.5, 'output': 10}, or a Price", value)
        for key, item in value.items():
            if key not in cls._fields:
                known = ", ".join(cls._fields[:-2])
                raise ConfigurationError(f"{name} has no field {key!r}; a price has {known}.", param="prices")
            if key in {"long", "tiers"}:
                _checks.mapping(f"{name}[{key!r}]", item)
            elif key not in {"source", "seen"}:
                _checks.number(f"{name}[{key!r}]", item)
        return cls(**value)

    def _as_option(self) -> dict[str, Any]:
        return {name: value for name, value in self._as_dict().items() if name not in {"source", "seen"}}


# The ordinary tier goes by many names; what any other one costs must be said.
_ORDINARY_TIERS = frozenset({"", "auto", "default", "standard", "standard_only", "on_demand"})


def _prompt_cost(rates: dict[str, float | None], usage: Usage) -> float | None:
    rate = rates["input"]
    if usage.prompt_tokens is None or rate is None:
        return None
    cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    plain = max(usage.prompt_tokens - cached - written, 0)
    return (plain * rate + cached * _or(rates["cached"], rate) + written * _or(rates["cache_write"], rate)) / 1e6


def _or(rate: float | None, otherwise: float) -> float:
    return otherwise if rate is None else rate


class Spent(Value):
    """What was asked of a model under a tag, and what it cost.

    Attributes:
        provider, model, tag: Of whom, of what and for whom; "" for no tag, and for what was added up.
        requests: Those that the vendor answered, broken answers included.
        prompt_tokens, completion_tokens: As the vendor counted them.
        usd: US dollars, of the requests whose cost is known.
        unpriced: Requests whose cost is not known.
    """

    __slots__ = ("provider", "model", "tag", "requests", "prompt_tokens", "completion_tokens", "usd", "unpriced")

    def __init__(
        self,
        provider: str = "",
        model: str = "",
        tag: str = "",
        *,
        requests: int = 0,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        usd: float = 0.0,
        unpriced: int = 0,
    ) -> None:
        self.provider = provider
        self.model = model
        self.tag = tag
        self.requests = requests
        self.prompt_tokens = prompt_tokens
        self.completion_tokens = completion_tokens
        self.usd = usd
        self.unpriced = unpriced


class Costs(Value):
    """What was spent: one row for each vendor, model and tag.

    Attributes:
        rows: A list of Spent.
    """

    __slots__ = ("rows",)

    def __init__(self, rows: list[Spent] | None = None) -> None:
        self.rows = rows or []

    @property
    def usd(self) -> float:
        """US dollars, of all requests whose cost is known."""
        return self.total.usd

    @property
    def total(self) -> Spent:
        """All rows added up."""
        return _sum(self.rows)

    def by(self, name: str) -> dict[str, Spent]:
        """The rows added up by "provider", "model" or "tag".

        Raises:
            ConfigurationError: The name is another one. A ValueError.
        """
        if name not in {"provider", "model", "tag"}:
            raise _checks.wrong("name", "'provider', 'model' or 'tag'", name)
        groups: dict[str, list[Spent]] = {}
        for row in self.rows:
            groups.setdefault(getattr(row, name), []).append(row)
        sums = {key: _sum(rows) for key, rows in groups.items()}
        for key, added in sums.items():
            setattr(added, name, key)
        return sums

    @classmethod
    def _from_rows(cls, rows: Iterable[dict[str, Any]]) -> Costs:
        return cls([_known(Spent, row) for row in rows])


def _sum(rows: list[Spent]) -> Spent:
    names = ("requests", "prompt_tokens", "completion_tokens", "usd", "unpriced")
    return Spent(**{name: sum(getattr(row, name) for row in rows) for name in names})


class BudgetState(Value):
    """What has been spent of a `Budget`.

    Attributes:
        name, period: Of the budget.
        usd, tokens: Spent in this period.
        reserved_usd, reserved_tokens: What requests that are on their way may cost.
    """

    __slots__ = ("name", "period", "usd", "tokens", "reserved_usd", "reserved_tokens")

    def __init__(
        self,
        name: str,
        *,
        period: float | None = None,
        usd: float = 0.0,
        tokens: int = 0,
        reserved_usd: float = 0.0,
        reserved_tokens: int = 0,
    ) -> None:
        self.name = name
        self.period = period
        self.usd = usd
        self.tokens = tokens
        self.reserved_usd = reserved_usd
        self.reserved_tokens = reserved_tokens


def price_of(provider: str, model: str) -> Price | None:
    """What a model costs, as its vendor's page said; None where that is not known.

    Args:
        provider: The vendor's name, as `Provider` takes it.
        model: The model's name there, with or without a date.
    """
    return _find_price({}, provider, model)


def totals() -> Costs:
    """What everything in this process has cost since it began, or since `reset`."""
    return Costs._from_rows(_inspect()["totals"])


def reset() -> Costs:
    """Sets the totals to zero and returns them as they were. Budgets go on, and so does `Provider.costs`."""
    from . import _frames
    from ._call import Client

    client = Client.open(b'{"provider":"echo"}')
    call = client.start(b'{"op":"costs","reset":true}')
    try:
        _, _, _, payload = _frames.split(call.receive() or b"")[-1]  # the terminal frame, which is the only one
        return Costs._from_rows(_frames.parse(payload)["totals"])
    finally:
        call.close()
        client.close()


def budgets() -> list[BudgetState]:
    """What has been spent of the budgets that Providers of this process have or had."""
    return [
        BudgetState(
            state["name"],
            period=state.get("period"),
            usd=state["spent"]["usd"],
            tokens=state["spent"]["tokens"],
            reserved_usd=state["reserved"]["usd"],
            reserved_tokens=state["reserved"]["tokens"],
        )
        for state in _inspect()["budgets"]
    ]


def _find_price(own: dict[str, dict[str, Any]], provider: str, model: str) -> Price | None:
    """The price of a model among somebody's own, which have the first word, and those that are known."""
    mine = [name for name in own if is_of_family(name, model)]
    if mine:
        return Price(**own[max(mine, key=len)])
    rows = [row for row in _load_rows() if provider in row["providers"] and is_of_family(row["model"], model)]
    return _known(Price, max(rows, key=lambda row: len(row["model"]))) if rows else None


_rows: list[dict[str, Any]] = []  # once they were asked for: they are part of the library


def _load_rows() -> list[dict[str, Any]]:
    with _opening.lock:
        if not _rows:
            from ._loading import runtime

            _rows.extend(runtime().inspect()["prices"])
        return _rows


def _inspect() -> dict[str, Any]:
    from ._loading import runtime

    costs: dict[str, Any] = runtime().inspect()["costs"]
    return costs


def _known(kind: Callable[..., Any], row: dict[str, Any]) -> Any:
    """A value of the fields that this package knows; a later core may say more."""
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    return kind(**{name: row[name] for name in fields if name in row})
