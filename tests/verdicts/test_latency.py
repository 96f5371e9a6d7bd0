"""Which times count, how the arms' times are summed up, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.verdicts.made_trials import Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.stats import quantile_interval
from seatrial.store.store import Store
from seatrial.verdicts.compare import report
from seatrial.verdicts.reading.latency import _repeated

SPEED = {"name": "speed", "scorer": "latency", "kind": "limit", "statistic": "p95", "at_most": 5}
LIVE = {
    "old": {"use": "openai:a", "stream": True},
    "new": {"use": "openai:b", "stream": True},
}


def cases(number: int, *, inputs: int | None = None) -> list[Case]:
    """So many cases that ask so many different things."""
    return [Case(id=f"c{n}", input=f"question {n % (inputs or number)}") for n in range(number)]


def seconds_of(case: Case) -> float:
    return 1 + int(case.input[-1].text.split()[-1]) / 100


def answers(name: str, **timing: Any) -> Any:
    """Timed answers, one for each input."""

    def answer(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
        total = seconds_of(case)
        times = {"total": total, "first_token": 0.5, "load": "closed:32", **timing}
        output = Output.of(f"{name} {case.input[-1].text} {epoch}", timing=times, usage={"output": 11},
                           finished_at="2026-03-01T12:00:00+00:00")  # fmt: skip
        return output, [Score(measure=output.timing.waited + total, unit="s")]

    return answer


def drawn(store: Store, new: Any, *, rubric: Any = SPEED, number: int = 200, inputs: int | None = None,
          targets: Any = LIVE, old: Any = None) -> Any:  # fmt: skip
    suite = make_suite(rubric, targets=targets)
    Trial(store, suite, cases(number, inputs=inputs)).write({"old": old or answers("old"), "new": new})
    return report(store, "trial-1")


def test_three_times_with_exact_order_statistic_intervals(store: Store) -> None:
    found = drawn(store, answers("new"))
    latency = found.arms[1].latency
    assert (latency.load, latency.streamed, latency.outputs) == ("closed:32", True, 200)
    times = {time.name: time for time in latency.times}
    assert [(t.name, t.unit, t.n) for t in latency.times] == [
        ("first_token", "s", 200),
        ("inter_token", "ms", 200),
        ("total", "s", 200),
    ]
    totals = np.array([1 + n / 100 for n in range(200)])
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        told = getattr(times["total"], name)
        low, high = quantile_interval(totals, q)
        assert told.value == pytest.approx(np.quantile(totals, q, method="inverted_cdf"))
        assert told.low == pytest.approx(low)
        assert told.high == (None if np.isinf(high) else pytest.approx(high))
        assert told.level == 0.95
    assert times["inter_token"].p50.value == pytest.approx(1000 * (1.995 - 0.5) / 10, rel=0.01)
    assert found.arms[1].latency_p50 == times["total"].p50.value


def test_few_answers_leave_the_p99_without_an_upper_end(store: Store) -> None:
    rubric = {**SPEED, "statistic": "p99"}
    found = drawn(store, answers("new"), rubric=rubric, number=60)
    result = found.verdicts[0].rubrics[0]
    assert result.decision == "INCONCLUSIVE"
    assert result.quantity.candidate.high is None
    assert "without an upper end" in result.sentence
    assert next(t for t in found.arms[1].latency.times if t.name == "total").p99.high is None


@pytest.mark.parametrize(
    ("ids", "repeated"),
    [
        pytest.param([[1], [2], [3]], [0, 0, 0], id="each-its-own"),
        pytest.param([[1], [2], [1], [1]], [0, 0, 1, 1], id="shared"),
        pytest.param([[0], [0], [2]], [0, 0, 0], id="absent"),
        pytest.param([[1, 2], [3, 4], [1, 2]], [0, 0, 1], id="epochs"),
        pytest.param([[1, 1], [2, 0]], [0, 0], id="within-a-case"),
        pytest.param(np.zeros((0, 1)), [], id="none"),
    ],
)
def test_a_case_whose_answer_an_earlier_one_has(ids: Any, repeated: list[int]) -> None:
    assert _repeated(np.array(ids, dtype=np.int64)).tolist() == [bool(r) for r in repeated]


def test_the_sentence_says_on_what_it_rests(store: Store) -> None:
    targets = {**LIVE, "new": {"use": "openai:b", "arrival": {"poisson": 5}}}
    found = drawn(store, answers("new", load="poisson:5", queued=0.5), targets=targets)
    sentence = found.verdicts[0].rubrics[0].sentence
    assert "200 answers of new (Poisson arrivals, 5 a second, not streamed)" in sentence
    assert "200 answers of old (closed loop, 32 in flight, streamed)" in sentence
    assert found.arms[1].latency_p50 == pytest.approx(1.99 + 0.5)


def test_times_under_another_load_are_missing(store: Store) -> None:
    found = drawn(store, answers("new", load="closed:8"))
    result = found.verdicts[0].rubrics[0]
    assert (result.decision, result.quantity.n) == ("INCONCLUSIVE", 0)
    assert "200 of 200 answers of new were measured under another load" in " ".join(result.warnings)
    assert (found.arms[1].latency.other_load, found.arms[1].latency.outputs) == (200, 0)
    assert found.arms[1].latency_p50 is None
    assert found.arms[0].latency.outputs == 200


@pytest.mark.parametrize(
    ("timing", "said"),
    [
        pytest.param({"lagged": True}, "event loop was more than 100 ms late", id="lagged"),
        pytest.param({"late": True, "queued": 1.0}, "arrived while all 32 places were taken", id="late"),
    ],
)
def test_what_to_distrust_is_named(store: Store, timing: Any, said: str) -> None:
    found = drawn(store, answers("new", **timing))
    assert said in " ".join(found.verdicts[0].rubrics[0].warnings)
    assert found.verdicts[0].rubrics[0].quantity.n == 200


def test_arms_under_different_patterns_are_not_like_for_like(store: Store) -> None:
    rubric = {"name": "speed", "scorer": "latency", "kind": "limit", "at_most_ratio": 1.5}
    targets = {**LIVE, "new": {"use": "openai:b", "stream": True, "concurrency": 8}}
    found = drawn(store, answers("new", load="closed:8"), rubric=rubric, targets=targets)
    assert "different arrival patterns" in " ".join(found.verdicts[0].rubrics[0].warnings)


def test_recorded_times_count_as_recorded(store: Store) -> None:
    targets = {"old": {"use": "replay:old.jsonl"}, "new": {"use": "replay:new.jsonl"}}
    found = drawn(store, answers("new", load=""), targets=targets, old=answers("old", load=""))
    result = found.verdicts[0].rubrics[0]
    assert (result.decision, result.quantity.n, result.warnings) == ("PASS", 200, ())
    assert "200 answers of new (as recorded)" in result.sentence
    assert found.arms[1].latency.load == ""


@pytest.mark.parametrize("total", [1e300, -1.0, 0.0, 1e-300])
def test_nonsense_times_do_no_harm(store: Store, total: float) -> None:
    def new(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
        timing = {"total": total, "first_token": 1e308, "load": "closed:32", "queued": 1e308}
        return Output.of(f"{case.input[-1].text} {epoch}", timing=timing, usage={"output": 2**70}), [
            Score(measure=total)
        ]

    latency = drawn(store, new).arms[1].latency
    assert latency.outputs == 200
