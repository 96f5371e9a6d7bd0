from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.message import Message
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.errors import BaselineError
from seatrial.store.store import Store
from seatrial.trials.change.gate import case_places
from seatrial.verdicts.artefacts import baseline as b
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.reading.frame import load

ABOUT = b.About("suite:st1:00", "cases", "dataset:st1:00", "openai:m", "system:st1:00", "2026-11-20", "0.1.0")
RUBRICS = ({"name": "right"}, {"name": "cost", "kind": "limit", "at_most_ratio": 1.2, "statistic": "mean"})
HASHES = {"right": "scorer:st1:aa", "cost": "scorer:st1:bb"}


def cases(number: int) -> list[Case]:
    return [
        Case(id=f"c{i}", input=(Message(role="user", content=f"q{i}"),), strata={"lang": "en" if i % 3 else "de"})
        for i in range(number)
    ]


def answered(passes, measures=None, missing=()):
    """Answers whose first rubric passes as `passes` says and whose second measures `measures`."""

    def answer(case: Case, epoch: int):
        at = int(case.id[1:])
        text = Output(messages=(Message(role="assistant", content=f"{case.id} {epoch} {passes(at, epoch)}"),))
        if at in missing:
            return text, [Score(status="infra_error"), Score(status="infra_error")]
        cost = 1.0 if measures is None else measures(at)
        said = Score.binary(passes(at, epoch))
        return text, [said, Score(value=1.0, passed=True, measure=cost, unit="USD")]

    return answer


def frame_of(store: Store, old, new, number: int = 90, epochs: int = 1):
    trial = Trial(store, make_suite(*RUBRICS), cases(number), epochs=epochs)
    frame = load(store, trial.write({"old": old, "new": new}))
    return frame, case_places(store, trial.dataset.id)


def test_a_pairing_by_baseline_is_the_pairing_of_two_arms(store: Store):
    old = answered(lambda at, _: at % 10 != 0, lambda at: 1 + at % 7)
    new = answered(lambda at, _: at % 4 != 0, lambda at: 1.5 + at % 5, missing={3, 50})
    frame, places = frame_of(store, old, new)
    held = b.make(frame, "old", places, HASHES, ABOUT)
    held = b.read(b.text(held).encode(), "f")
    aligned = b.align(frame, places, held, "f")
    for at, rubric in enumerate(frame.suite.rubrics):
        paired, arms = b.outcomes(frame, at, "new", aligned), frame.outcomes(at, "new", "old")
        np.testing.assert_array_equal(paired.candidate, arms.candidate)
        np.testing.assert_allclose(paired.incumbent, arms.incumbent, rtol=1e-5)
        np.testing.assert_array_equal(paired.cluster, arms.cluster)
        assert rubric.name in held.rubrics
    first = {r.name: b.outcomes(frame, at, "new", aligned) for at, r in enumerate(frame.suite.rubrics)}
    second = {r.name: frame.outcomes(at, "new", "old") for at, r in enumerate(frame.suite.rubrics)}
    one, two = (compare_arrays(frame.suite, arrays, ("", "USD"))[1] for arrays in (first, second))
    assert one[0] == two[0]
    assert one[1].decision == two[1].decision


def test_epochs_are_paired_by_number(store: Store):
    frame, places = frame_of(store, answered(lambda at, e: (at + e) % 2 == 0), answered(lambda *_: True), 40, epochs=3)
    held = b.make(frame, "old", places, HASHES, ABOUT)
    assert held.cases["c0"].split()[1] == "101"
    paired = b.outcomes(frame, 0, "new", b.align(frame, places, held, "f"))
    np.testing.assert_array_equal(paired.incumbent, frame.outcomes(0, "new", "old").incumbent)


def test_the_file_is_canonical_and_one_line_a_case(store: Store):
    frame, places = frame_of(store, answered(lambda at, _: at % 10 != 0), answered(lambda *_: True))
    held = b.make(frame, "old", places, HASHES, ABOUT)
    text = b.text(held)
    assert text == b.text(b.read(text.encode(), "f"))
    assert text.isascii()
    assert sum(' "c' in line for line in text.splitlines()) >= 90
    assert held.rubrics["right"].passed == 81
    assert held.rubrics["right"].slices["lang=de"] == (27, 30)
    assert len(text) < 90 * 60 + 3000
    again = b.make(frame, "new", places, HASHES, ABOUT)
    changed = [a for a, c in zip(text.splitlines(), b.text(again).splitlines(), strict=False) if a != c]
    assert sum('"c' in line for line in changed) <= 9


@given(st.data())
def test_any_change_of_a_character_is_seen(data):
    plain = b.Baseline(
        **{**ABOUT._asdict(), "suite": "s", "target": "t", "epochs": 1, "order": ("right",)},
        rubrics={"right": b.Counted(kind="quality", scorer_hash="x", passed=1, n=2)},
        cases={"a": "0123456789abcdef 1", "\ud800\x00": "0123456789abcdef 0"},
    )
    text = b.text(plain)
    assert b.read(text.encode(), "f") == plain
    at = data.draw(st.integers(0, len(text) - 2))
    put = data.draw(st.sampled_from([c for c in '0159af{}":,x \\\n' if c != text[at]]))
    damaged = text[:at] + put + text[at + 1 :]
    try:
        same = json.loads(damaged) == json.loads(text)
    except ValueError:
        same = False
    if same:
        return
    with pytest.raises(BaselineError):
        b.read(damaged.encode(), "f")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        pytest.param("0123456789abcdef", "quality", id="no-group"),
        pytest.param("0123456789abcdef 1 1", "quality", id="two-groups"),
        pytest.param("0123 1", "quality", id="short-key"),
        pytest.param("0123456789abcdef 2", "quality", id="no-bit"),
        pytest.param("0123456789abcdef nan", "limit", id="nan"),
        pytest.param("0123456789abcdef ", "quality", id="nothing"),
    ],
)
def test_a_sealed_line_that_cannot_be_read_is_an_error(line, kind):
    plain = b.Baseline(
        **{**ABOUT._asdict(), "suite": "s", "target": "t", "epochs": 1, "order": ("right",)},
        rubrics={"right": b.Counted(kind=kind, scorer_hash="x", passed=1, n=2)},
        cases={"a": line},
    )
    with pytest.raises(BaselineError):
        b.read(b.text(plain).encode(), "f")


def test_hostile_ids_stay_apart(store: Store):
    names = ["a\nb", "x" * 300, "x" * 299 + "y", "\x00", "::error::", "e\u0301", "\u00e9"]
    made = [Case(id=name, input=(Message(role="user", content=f"q{at}"),)) for at, name in enumerate(names)]
    trial = Trial(store, make_suite({"name": "right"}), made)

    def answer(case: Case, epoch: int):
        return Output(messages=(Message(role="assistant", content="x"),)), [Score.binary(case.text in ("q1", "q5"))]

    frame = load(store, trial.write({"old": answer, "new": answer}))
    places = case_places(store, trial.dataset.id)
    held = b.read(b.text(b.make(frame, "old", places, {}, ABOUT)).encode(), "f")
    assert len(held.cases) == len(names)
    aligned = b.align(frame, places, held, "f")
    assert (aligned.against.common, aligned.against.removed.count) == (len(names), 0)
    paired = b.outcomes(frame, 0, "new", aligned)
    assert paired.incumbent is not None
    assert paired.incumbent[:, 0].tolist() == paired.candidate[:, 0].tolist() == [0, 1, 0, 0, 0, 1, 0]


def test_huge_measures_are_no_numbers(store: Store):
    frame, places = frame_of(store, answered(lambda *_: True, lambda at: 1e308), answered(lambda *_: True))
    held = b.make(frame, "old", places, HASHES, ABOUT)
    paired = b.outcomes(frame, 1, "new", b.align(frame, places, held, "f"))
    assert paired.incumbent is not None
    assert math.isclose(float(paired.incumbent[0, 0]), 1e308)


def test_rubrics_that_differ_are_told(store: Store):
    frame, places = frame_of(store, answered(lambda *_: True), answered(lambda *_: True), 30)
    held = b.make(frame, "old", places, HASHES, ABOUT)
    assert b.split(frame.suite, HASHES, held) == b.Split((0, 1), {})
    assert set(b.split(frame.suite, {**HASHES, "right": "other"}, held).lost) == {"right"}
    timed = {"name": "slow", "scorer": "latency", "kind": "limit", "at_most_ratio": 2}
    suite = make_suite({"name": "fresh"}, timed, {"name": "shown", "kind": "advisory"})
    assert set(b.split(suite, {}, held).lost) == {"fresh", "slow"}
