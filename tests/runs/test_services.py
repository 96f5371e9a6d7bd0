"""What scorers may ask, apart from a trial: vectors in batches, the hashing embedder, and two purses at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.runs.conftest import FakeTarget

from seatrial.core.output import Output, Request
from seatrial.core.protocols import Amount
from seatrial.core.suite import Budget
from seatrial.errors import BudgetError, JudgeError, NotEvaluableError
from seatrial.runs.budget import Purse
from seatrial.runs.embedding import Vectors
from seatrial.runs.panel import Judge, Panel
from seatrial.runs.services import Helpers, JudgesMeter
from seatrial.targets.hashing import HashingEmbedder, vector

GOLDEN = [11, 19, 50, 52, 57, -69]
HOSTILE = ["", " ", "\0", "\ud800", "日本", "مرحبا", "a" * 1_000_000, "[" * 5000, "x\ud800\0y"]


class Embeds:
    """Remembers what it was asked; a text that says `bad` fails its whole request."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []

    def identity(self) -> Mapping[str, Any]:
        return {}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        self.requests.append(list(texts))
        await asyncio.sleep(0)
        if "bad" in texts:
            raise NotEvaluableError("no vector for that")
        return [(float(len(text)), 1.0) for text in texts]


def test_texts_wait_for_each_other_and_are_asked_once() -> None:
    asked = Embeds()

    async def go() -> list[Any]:
        vectors = Vectors(asked)
        found = await asyncio.gather(*(vectors.embed([f"t{i % 20}", "same"]) for i in range(100)))
        await vectors.embed(["same", "t3"])
        return found

    found = asyncio.run(go())
    assert all(len(pair) == 2 for pair in found)
    sent = [text for request in asked.requests for text in request]
    assert sorted(sent) == sorted({*(f"t{i}" for i in range(20)), "same"})
    assert len(asked.requests) <= 2


def test_one_text_that_fails_fails_nobody_else() -> None:
    async def go() -> list[Any]:
        vectors = Vectors(Embeds())
        return await asyncio.gather(*(vectors.embed([t]) for t in ("a", "bad", "b", "c")), return_exceptions=True)

    one, bad, *others = asyncio.run(go())
    assert isinstance(bad, NotEvaluableError)
    assert one == [(1.0, 1.0)]
    assert others == [[(1.0, 1.0)], [(1.0, 1.0)]]


def test_whoever_gives_up_holds_nobody_up() -> None:
    async def go() -> Any:
        vectors = Vectors(Embeds())
        gone = asyncio.create_task(vectors.embed(["a"]))
        other = asyncio.create_task(vectors.embed(["a", "b"]))
        await asyncio.sleep(0)
        gone.cancel()
        return await other

    assert len(asyncio.run(go())) == 2


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_has_a_unit_vector(text: str) -> None:
    found = vector(text)
    assert math.isclose(math.hypot(*found), 1)
    assert found == vector(text)


def test_the_hashing_embedder_never_changes() -> None:
    """Scores rest on it: another vector needs another version in its identity."""
    found = vector("Where is my refund?")
    assert [at if value > 0 else -at for at, value in enumerate(found) if value][:6] == GOLDEN
    assert asyncio.run(HashingEmbedder().embed(["a", "b"])) == [vector("a"), vector("b")]


@pytest.mark.parametrize(
    ("one", "near", "far"),
    [
        ("Where is my refund?", "where is my REFUND", "Close my account."),
        ("Kündigung des Vertrags", "kuendigung, kündigung des vertrags", "Rechnung fehlt"),
        ("返金はいつですか", "返金はいつですか?", "解約したい"),
    ],
)
def test_shared_wording_is_near(one: str, near: str, far: str) -> None:
    def cosine(a: str, b: str) -> float:
        return sum(x * y for x, y in zip(vector(a), vector(b), strict=True))

    assert cosine(one, near) > 0.5 > cosine(one, far)


def test_an_attempt_is_paid_from_both_purses_or_from_none() -> None:
    stopped: list[BudgetError] = []

    async def go() -> None:
        own, run = Purse(Budget(tokens=100)), Purse(Budget(tokens=30))
        meter = JudgesMeter(own, run, stopped.append)
        held = await meter.reserve(Amount(20, None))
        meter.settle(held, Amount(20, None))
        with pytest.raises(BudgetError):
            await meter.reserve(Amount(20, None))
        assert own.ledger.spent.tokens == run.ledger.spent.tokens == 20
        assert own.ledger.held.tokens == run.ledger.held.tokens == 0

    asyncio.run(go())
    assert len(stopped) == 1


def test_a_name_that_is_no_judges_is_told_and_nothing_is_asked_outside_a_run() -> None:
    target = FakeTarget("strict", answer=lambda text, _call: Output.of("yes"))
    helpers = Helpers(Panel({"strict": Judge(target)}))
    request = Request.model_validate({"messages": [{"role": "user", "content": "?"}]})
    with pytest.raises(JudgeError, match="not open"):
        asyncio.run(helpers.complete("strict", request))
    assert not target.calls
