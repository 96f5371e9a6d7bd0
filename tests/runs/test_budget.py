"""Budgets: the arithmetic, who waits for whom, and that what a provider really served never exceeds one."""

from __future__ import annotations

import asyncio
import random
from fractions import Fraction
from threading import Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trials.project import Project, question

from seatrial.core.protocols import Amount
from seatrial.core.suite import Budget
from seatrial.errors import BudgetError, SuiteError, UsageError
from seatrial.runs.budget import Ledger, Purse, Sum
from seatrial.testing import Asked, FakeProvider, Reply, Script, UsageCounts

LIMIT = 2000


def amounts(most: int = 10**6) -> st.SearchStrategy[int]:
    return st.integers(0, most)


@given(st.integers(1, 10**7), st.lists(st.tuples(amounts(), st.floats(0, 1)), max_size=60))
def test_what_is_spent_never_exceeds_the_budget(limit: int, wanted: list[tuple[int, float]]):
    ledger = Ledger(Budget(tokens=limit))
    held: list[tuple[Sum, float]] = []
    for most, share in wanted:
        bound = ledger.bound(Amount(most, None))
        assert bound is not None
        if ledger.has_room(bound):
            ledger.hold(bound)
            held.append((bound, share))
        assert ledger.spent.tokens + ledger.held.tokens <= limit
        if len(held) > 3:
            reserved, part = held.pop(0)
            ledger.settle(reserved, ledger.used(reserved, Amount(int(reserved.tokens * part), None)))
    for reserved, _ in held:
        ledger.settle(reserved, ledger.used(reserved, Amount(None, None)))
    assert ledger.held == Sum(0, 0)
    assert ledger.spent.tokens <= limit


def test_a_thousand_times_a_tenth_of_a_cent_fits_into_a_dollar_exactly():
    ledger = Ledger(Budget(dollars=1))
    one = ledger.bound(Amount(None, 0.001))
    assert one is not None
    for _ in range(1000):
        assert ledger.has_room(one)
        ledger.hold(one)
    assert not ledger.has_room(Sum(0, 1))
    assert ledger.has_room(Sum(10**9, 0)), "tokens are not counted"


@pytest.mark.parametrize(
    ("used", "spent"),
    [
        pytest.param(Amount(10, 0.5), Sum(10, 5 * 10**11), id="known"),
        pytest.param(Amount(None, None), Sum(100, 2 * 10**12), id="unknown-counts-in-full"),
        pytest.param(Amount(500, 3.0), Sum(500, 3 * 10**12), id="more-than-the-bound-is-told-truly"),
    ],
)
def test_what_was_used_takes_the_place_of_what_was_set_aside(used: Amount, spent: Sum):
    purse = Purse(Budget(tokens=1000, dollars=9))

    async def pay() -> None:
        purse.settle(await purse.reserve(Amount(100, 2.0)), used)

    asyncio.run(pay())
    assert purse.ledger.spent == spent
    assert purse.ledger.held == Sum(0, 0)


def test_who_finds_no_room_waits_for_others_and_in_order():
    async def play() -> list[str]:
        purse, seen = Purse(Budget(tokens=100)), list[str]()

        async def one(name: str, most: int, used: int) -> None:
            reserved = await purse.reserve(Amount(most, None))
            seen.append(name)
            await asyncio.sleep(0)
            purse.settle(reserved, Amount(used, None))

        await asyncio.gather(one("a", 90, 10), one("b", 80, 10), one("c", 5, 5), one("d", 70, 1))
        return seen

    assert asyncio.run(play()) == ["a", "b", "c", "d"]


def test_the_first_that_cannot_fit_sends_everyone_away():
    async def play() -> list[Any]:
        purse = Purse(Budget(tokens=100))

        async def one(most: int) -> str:
            reserved = await purse.reserve(Amount(most, None))
            await asyncio.sleep(0)
            purse.settle(reserved, Amount(most, None))
            return "done"

        found = await asyncio.gather(one(60), one(60), one(1), return_exceptions=True)
        late = await asyncio.gather(one(1), return_exceptions=True)
        return [*found, *late]

    done, *refused = asyncio.run(play())
    assert done == "done"
    assert all(isinstance(fault, BudgetError) for fault in refused)
    assert "60 of 100 tokens; the next request may take 60 tokens" in str(refused[0])


def test_one_that_waits_and_is_cancelled_gives_way():
    async def play() -> Sum:
        purse = Purse(Budget(tokens=100))
        first = await purse.reserve(Amount(90, None))
        gone = asyncio.create_task(purse.reserve(Amount(90, None)))
        next_one = asyncio.create_task(purse.reserve(Amount(10, None)))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        purse.settle(await next_one, Amount(10, None))
        purse.settle(first, Amount(5, None))
        assert purse.ledger.held == Sum(0, 0)
        return purse.ledger.spent

    assert asyncio.run(play()).tokens == 15


class Till:
    """A provider that answers at random length up to the limit, and counts what it handed out."""

    def __init__(self, seed: int, faults: float = 0.0) -> None:
        self._draw, self._lock = random.Random(seed), Lock()
        self._faults = faults
        self.served: list[tuple[str, int, int]] = []

    def __call__(self, asked: Asked) -> Reply:
        with self._lock:
            assert asked.max_tokens is not None
            written = self._draw.randint(1, asked.max_tokens)
            read = self._draw.randint(1, len(asked.text) + 20)
            if self._draw.random() < self._faults:
                kind = self._draw.choice(["server_error", "rate_limit", "reset", "truncated", "malformed_json"])
                if kind in ("reset", "truncated", "malformed_json"):
                    self.served.append((asked.model, read, written))  # it did the work and would bill it
                return Reply.model_validate({"fault": {"kind": kind}})
            self.served.append((asked.model, read, written))
        return Reply(text="word " * 3, usage=UsageCounts(input=read, output=written))

    def tokens(self) -> int:
        return sum(read + written for _, read, written in self.served)

    def dollars(self) -> Fraction:
        prices = {"small": (Fraction("0.15"), Fraction("0.6")), "large": (Fraction("3"), Fraction("15"))}
        return sum(
            ((prices[m][0] * read + prices[m][1] * written) / 10**6 for m, read, written in self.served), Fraction(0)
        )


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project(tmp_path)
    common = {"params": {"max_tokens": LIMIT}, "concurrency": 64, "retries": 2}
    targets = {
        "small": {"use": "openai:small", "price": {"input": 0.15, "output": 0.6}, **common},
        "large": {"use": "openai:large", "price": {"input": 3, "output": 15}, **common},
    }
    made.write([question(i) for i in range(150)], targets=targets, incumbent="small")
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("faults", [pytest.param(0.0, id="well"), pytest.param(0.2, id="faulty")])
@pytest.mark.parametrize(
    "budget", [pytest.param({"tokens": 200_000}, id="tokens"), pytest.param({"dollars": 1.5}, id="dollars")]
)
def test_no_budget_is_exceeded_and_a_larger_one_resumes(
    project: Project, seed: int, faults: float, budget: dict[str, float]
):
    till = Till(seed, faults)
    script = Script.model_validate({"latency": {"uniform": [0.0, 0.01]}})
    with FakeProvider(script, answer=till).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(150)], budget=budget)
        with pytest.raises(BudgetError) as stopped:
            project.run()
        assert stopped.value.exit_code == 4
        assert fake.stats.max_in_flight >= 40
        served, of_one = (till.tokens(), 3000) if "tokens" in budget else (till.dollars(), Fraction("0.04"))
        most = Fraction(repr(next(iter(budget.values()))))
        assert served <= most
        assert served > (most / 3 if faults else most - of_one), "it stops only when one more may not fit"
        with project.store() as store:
            assert store.trials()[0].status == "out of budget"
        before = fake.calls
        report = project.run(budget_tokens=10**7)
        assert report.status == "done"
        assert sum(arm.outputs for arm in report.arms) == 300
        if not faults:
            assert fake.calls == 300, "what was done is not asked again"
        assert fake.calls > before
        calls = fake.calls
        project.run(budget_tokens=1)
        assert fake.calls == calls or faults, "what is in the store costs nothing"


@pytest.mark.parametrize(
    ("change", "choices", "said"),
    [
        pytest.param({"price": None}, {"budget": 5}, "has no known price", id="unknown-price"),
        pytest.param({"params": {}}, {"budget": 5}, "give params an output limit", id="no-limit"),
        pytest.param({"params": {}}, {"budget_tokens": 500}, "give params an output limit", id="no-limit-tokens"),
        pytest.param(
            {"price": {"gpu_hour": 2, "tokens_per_second": "measured"}}, {"budget": 5}, "has no known price", id="later"
        ),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused_before_anything_is_sent(
    project: Project, change: dict[str, Any], choices: dict[str, Any], said: str
):
    with FakeProvider().in_thread() as fake:
        project.at(fake.base_url)
        project.suite["targets"]["large"] |= change
        if change.get("price", 0) is None:
            del project.suite["targets"]["large"]["price"]
        project.write([question(0)])
        with pytest.raises(SuiteError, match=r"targets\.large") as refused:
            project.run(**choices)
        assert said in str(refused.value)
        assert fake.calls == 0
        with project.store() as store:
            assert not store.trials()


def test_a_function_cannot_be_kept_within_a_budget(project: Project):
    (project.folder / "models.py").write_text("def same(request):\n    return request.text\n")
    project.suite["targets"] = {"f": {"use": "python:models:same"}}
    project.write([question(0)], incumbent=None)
    with pytest.raises(SuiteError, match="does not say what a request may take"):
        project.run(budget=1)


@pytest.mark.parametrize("wrong", [{"budget": 0}, {"budget": -1}, {"budget": float("nan")}, {"budget_tokens": 0}])
def test_nonsense_is_refused(project: Project, wrong: dict[str, float]):
    with pytest.raises(UsageError, match="more than 0"):
        project.run(**wrong)
