"""A scorer gives one score: in a run, in a test of pytest, and on an output that is read back from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from seatrial import check
from seatrial.core.case import Case
from seatrial.core.identity import canonical, encode, loads
from seatrial.core.output import Output, Request
from seatrial.core.plugins import find
from seatrial.core.score import Score
from seatrial.core.suite import Suite
from seatrial.errors import SeatrialError
from seatrial.runs.runner import Options, Parts, execute
from seatrial.scorers import BUILTIN, build, judge
from seatrial.scorers.card import Example
from seatrial.scorers.describe import card_of
from seatrial.scorers.examples import case_of, output_of
from seatrial.store.store import Store

STRANGE = [
    "x",
    "\x00 null",
    "lone \ud800 surrogate",
    "مرحبا 42",
    '{"a": [1, {"b": null}]}',
    "1e309 NaN 9007199254740993",
]


class Pair(NamedTuple):
    scorer: str
    example: Example


@cache
def pairs() -> list[Pair]:
    """The examples of every scorer that asks neither judge nor embedder, and strange outputs for each."""
    found = []
    for name in BUILTIN:
        made = find("scorer", name, BUILTIN)
        card = card_of(made)
        if card is None or made.about.cost == "model":
            continue
        plain = [one for one in card.examples if not one.judge and not one.vectors]
        found += [Pair(name, one) for one in plain]
        found += [Pair(name, plain[0]._replace(output=text)) for text in STRANGE if plain]
    return found


def numbered() -> list[Case]:
    return [case_of(one.example.case).model_copy(update={"id": f"p{at}"}) for at, one in enumerate(pairs())]


class Answers:
    """A target that gives each case the output of its pair."""

    name, concurrency = "today", 8

    def identity(self) -> Mapping[str, Any]:
        return {"adapter": "table/1"}

    def sent(self, case: Case, request: Request) -> Mapping[str, Any]:
        return {"case": case.id}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def generate(self, case: Case, request: Request) -> Output:
        return output_of(pairs()[int(case.id[1:])].example.output)


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> dict[int, tuple[Output, Score | None]]:
    """What a run keeps of each pair: the output read back, and its own scorer's score; None: it does not apply."""
    keys = [canonical([one.scorer, dict(one.example.settings)]) for one in pairs()]
    settings = {key: (one.scorer, one.example.settings) for key, one in zip(keys, pairs(), strict=True)}
    places = {key: place for place, key in enumerate(settings)}
    settings = {f"r{places[key]}": given for key, given in settings.items()}
    rubrics = [{"name": n, "scorer": s, "kind": "advisory", "with": dict(w)} for n, (s, w) in settings.items()]
    suite = Suite.model_validate(
        {"name": "s", "dataset": {"path": "x.jsonl"}, "targets": {"today": {"use": "python:m:f"}}, "rubrics": rubrics}
    )
    scorers = {name: build(scorer, given, Path()) for name, (scorer, given) in settings.items()}
    parts = Parts({"today": Answers()}, {"today": lambda case: Request(messages=case.input)}, scorers)
    with Store(tmp_path_factory.mktemp("run") / "s.db") as store:
        dataset = store.keep_dataset("d", numbered(), {}, None)
        asyncio.run(execute(store, suite, dataset, parts, Options(), "t", lambda _progress: None))
        (run,) = store.runs("t")
        items = {item.position: item for item in store.run_items(run.id)}
        place = {at: 8 * places[keys[at]] for at in items}
        own = {at: int.from_bytes(item.score_ids[place[at] : place[at] + 8], "little") for at, item in items.items()}
        outputs = store.load_outputs(item.output_id for item in items.values())
        scores = store.load_scores({one for one in own.values() if one})
        return {at: (outputs[item.output_id], scores.get(own[at])) for at, item in items.items()}


def test_a_run_and_an_output_read_back_give_the_same_score(stored):
    assert len(stored) == len(pairs()) > 100
    for at, one in enumerate(pairs()):
        output, kept = stored[at]
        again = asyncio.run(judge(build(one.scorer, one.example.settings, Path()), numbered()[at].view(), output))
        if kept is None:
            assert again.status == "not_applicable", one
        else:
            assert again == kept, one


def test_the_score_does_not_depend_on_where_the_output_comes_from():
    for one in pairs():
        scorer = build(one.scorer, one.example.settings, Path())
        given = output_of(one.example.output)
        rebuilt = Output.model_validate(loads(encode(given.plain())))
        assert rebuilt.hash == given.hash
        view = case_of(one.example.case).view()
        first = asyncio.run(judge(scorer, view, given))
        assert asyncio.run(judge(scorer, view, rebuilt)) == first, one
        assert Score.model_validate(loads(encode(first.plain()))) == first, one


def test_an_assertion_in_a_test_draws_the_same_score():
    for one in pairs():
        case, output = case_of(one.example.case), output_of(one.example.output)
        score = asyncio.run(judge(build(one.scorer, one.example.settings, Path()), case.view(), output))
        if score.passed:
            assert check(output, scorer=one.scorer, case=case, **one.example.settings) == score, one
        elif score.passed is False:
            with pytest.raises(AssertionError) as failed:
                check(output, scorer=one.scorer, case=case, **one.example.settings)
            assert str(failed.value).startswith(f"{one.scorer}: ")
        else:
            with pytest.raises(SeatrialError):
                check(output, scorer=one.scorer, case=case, **one.example.settings)


def test_scores_do_not_depend_on_what_is_judged_beside_them():
    """All at once, on one loop, as a run does, and one after the other."""
    made = [(build(one.scorer, one.example.settings, Path()), one.example) for one in pairs()]

    async def together() -> list[Score]:
        return await asyncio.gather(*(judge(s, case_of(e.case).view(), output_of(e.output)) for s, e in made))

    alone = [asyncio.run(judge(s, case_of(e.case).view(), output_of(e.output))) for s, e in made]
    assert asyncio.run(together()) == alone
