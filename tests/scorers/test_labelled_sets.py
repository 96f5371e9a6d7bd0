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
HELD_OUT = sorted((ROOT / "bench/labelled/heldout").rglob("*.jsonl"))


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


@pytest.mark.parametrize("path", HELD_OUT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_held_out_set_is_hard_and_its_first_run_is_kept(path):
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows) >= (40 if path.parent.name == "fresh" else 150)
    assert len({(row["case"]["input"], str(row["case"].get("context")), str(row["output"])) for row in rows}) == len(
        rows
    )
    assert sum(row["difficulty"] != "easy" for row in rows) >= 0.4 * len(rows)
    assert all(row["why"] for row in rows)
    first = json.loads(labelled.FIRST.read_text("utf-8"))
    kept = [one for title, one in first.items() if title.startswith(f"`{path.relative_to(ROOT)}`")]
    assert sum(one["accuracy"]["n"] for one in kept) == len(rows)
    assert all(len(one["misses"]) == one["accuracy"]["n"] - one["accuracy"]["k"] for one in kept)


def test_the_first_run_is_never_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(labelled, "FIRST", tmp_path / "first.json")
    found = labelled.Set("exact", "t", "a", list, held_out=True)
    bad, good = [judged(True, Score.binary(False))], [judged(True, Score.binary(True))]
    told = labelled.keep_first(found, labelled.measured(found, bad), bad)
    again = labelled.keep_first(found, labelled.measured(found, good), good)
    assert told == again
    assert (again["accuracy"]["k"], again["version"]) == (0, build("exact", {}, ROOT).info.version)
    assert json.loads(labelled.FIRST.read_text("utf-8"))["t"]["misses"] == ["1"]


def test_outcomes_count_what_each_label_came_to():
    items = [judged(False, Score.binary(False))] * 3 + [judged(False, Score(measure=1.0))]
    items += [judged(None, Score(status="judge_error", reason="silent"))]
    told = labelled.outcomes(items)
    assert {should: {did: (one["k"], one["n"]) for did, one in found.items()} for should, found in told.items()} == {
        "fail": {"fail": (3, 4), "stay undecided": (1, 4)},
        "stay undecided": {"judge_error": (1, 1)},
    }
