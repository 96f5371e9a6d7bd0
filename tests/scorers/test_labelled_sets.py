"""The labelled sets are sound, and how a scorer did on them is counted as its page says."""

from __future__ import annotations

import asyncio
import json

import pytest
from bench import labelled
from tests.conftest import ROOT

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.scorers import BUILTIN, build, judge
from seatrial.scorers.examples import case_of

SETS = sorted((ROOT / "bench/labelled").glob("*.jsonl"))


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_a_set_is_labelled_both_ways_and_every_case_is_taken(path):
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert path.stem in BUILTIN
    assert len(rows) >= 300
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["passed"] for row in rows} >= {True, False}
    assert min(sum(row["passed"] is wanted for row in rows) for wanted in (True, False)) >= 60
    assert len({row["kind"] for row in rows}) >= 8
    scorer = build(path.stem, {}, ROOT)
    assert {scorer.applies(case_of(row["case"]).view()) for row in rows} == {""}


def judged(passed: bool | None, score: Score) -> labelled.Judged:
    return labelled.Judged(labelled.Item("1", Case(id="1", input="x"), Output.of("x"), passed, "k"), score)


@pytest.mark.parametrize(
    ("label", "score", "right"),
    [
        (True, Score.binary(True), True),
        (True, Score.binary(False), False),
        (False, Score.binary(False), True),
        (False, Score.binary(True), False),
        (None, Score(measure=1.0), True),
        (None, Score.binary(False), False),
        (False, Score(status="model_failure", value=0.0, passed=False), True),
        (None, Score(status="judge_error", reason="silent"), False),
        (False, Score(status="not_applicable"), False),
    ],
)
def test_what_could_not_be_judged_is_never_right(label, score, right):
    assert judged(label, score).right is right


def test_rates_are_told_apart():
    found = labelled.Set("exact", "t", "a", list)
    scores = [judged(True, Score.binary(True))] * 9 + [judged(True, Score.binary(False))]
    scores += [judged(False, Score.binary(False))] * 4 + [judged(False, Score(status="judge_error"))]
    told = labelled.measured(found, scores)
    assert {key: (told[key]["k"], told[key]["n"]) for key in ("accuracy", "sensitivity", "specificity")} == {
        "accuracy": (13, 15),
        "sensitivity": (9, 10),
        "specificity": (4, 5),
    }
    assert told["undecided"]["n"] == 0
    assert told["errors"] == 1
    low, high = told["sensitivity"]["interval"]
    assert (low, high) == (pytest.approx(0.5958, abs=1e-4), pytest.approx(0.9821, abs=1e-4))


def test_the_results_on_disk_are_those_of_the_sets_on_disk():
    """A sample of each set is judged again: nobody wrote the numbers by hand, and none is of an older set."""
    told = json.loads(labelled.RESULTS.read_text("utf-8"))["scorers"]
    for found in labelled.own_sets():
        (kept,) = [one for one in told[found.scorer]["sets"] if one["title"] == found.title]
        items = list(found.items())
        assert kept["own"]
        assert kept["accuracy"]["n"] == len(items)
        scorer = build(found.scorer, found.settings, ROOT)
        right = sum(
            labelled.Judged(item, asyncio.run(judge(scorer, item.case.view(), item.output))).right for item in items
        )
        assert kept["accuracy"]["k"] == right, "run `python -m bench.labelled`"
