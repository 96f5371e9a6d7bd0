"""When requests arrive: the schedule by itself, and through the whole pipeline."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import seatrial
from seatrial.core.output import Output, Timing, Usage
from seatrial.core.suite import TargetSpec
from seatrial.errors import SuiteError
from seatrial.runs.arrivals import Arrival, Arrivals, Poisson


def schedule(rate: float = 5.0, seed: int = 0) -> Poisson:
    return Poisson.seeded(rate, seed, "new")


def test_gaps_are_exponential() -> None:
    poisson, at, gaps = schedule(50), 0.0, []
    for _ in range(20_000):
        later = poisson.next(0.0, idle=False)
        gaps.append(later - at)
        at = later
    mean = sum(gaps) / len(gaps)
    assert mean == pytest.approx(1 / 50, rel=0.03)
    # an exponential's standard deviation is its mean, and the share above it 1/e
    assert sum((gap - mean) ** 2 for gap in gaps) / len(gaps) == pytest.approx(mean**2, rel=0.06)
    assert sum(gap > mean for gap in gaps) / len(gaps) == pytest.approx(0.3679, abs=0.012)


def test_the_schedule_is_the_same_for_the_same_seed_and_target() -> None:
    first, again, other = schedule(), schedule(), schedule(seed=1)
    times = [[s.next(0.0, idle=False) for _ in range(5)] for s in (first, again, other)]
    assert times[0] == times[1] != times[2]


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=50), st.floats(0.01, 1000))
def test_arrivals_never_go_back_and_only_a_busy_target_makes_them_late(
    steps: list[tuple[float, bool]], rate: float
) -> None:
    arrivals = Arrivals("poisson:1", Poisson(rate, random.Random(1)))
    now, last = 0.0, 0.0
    for passed, idle in steps:
        now += passed
        arrival = arrivals.next(now, idle=idle)
        assert arrival is not None
        assert arrival.at >= last
        assert arrival.late == (arrival.at < now)
        assert not (idle and arrival.late)
        last = arrival.at


def test_a_slow_target_does_not_slow_the_schedule() -> None:
    """Coordinated omission: whoever comes late gets the time at which he should have been asked."""
    poisson = schedule(10)
    first = poisson.next(0.0, idle=True)
    after_a_stall = [poisson.next(100.0, idle=False) for _ in range(50)]
    assert first < 5
    assert after_a_stall[0] < 5
    assert after_a_stall == sorted(after_a_stall)
    assert after_a_stall[-1] < 20


@pytest.mark.parametrize(
    ("arrival", "load"),
    [
        pytest.param("closed", "closed:32", id="closed"),
        pytest.param({"poisson": 5}, "poisson:5", id="poisson"),
        pytest.param({"poisson": 0.1}, "poisson:0.1", id="slow"),
    ],
)
def test_the_load_in_a_word(arrival: Any, load: str) -> None:
    spec = TargetSpec.model_validate({"use": "openai:m", "arrival": arrival})
    assert spec.load == load
    assert ("arrival" in spec.plain()) == (arrival != "closed")


@pytest.mark.parametrize(
    "arrival",
    ["open", "", 5, -1, None, [], {"poisson": 0}, {"poisson": -1}, {"poisson": 1e9}, {"poisson": float("nan")},
     {"poisson": float("inf")}, {"poisson": 5, "seed": 1}, {"rate": 5}, {}],
)  # fmt: skip
def test_what_is_no_arrival_pattern(arrival: Any) -> None:
    with pytest.raises(ValidationError):
        TargetSpec.model_validate({"use": "openai:m", "arrival": arrival})


def test_what_a_user_waited_is_kept_with_the_output() -> None:
    output = Output.of("yes", timing=Timing(total=1.0, first_token=0.25), usage=Usage(output=4))
    stale = output.hash
    timed = Arrivals("poisson:5").timed(output, Arrival(10.0, late=True), ended=13.5)
    assert timed.timing == Timing(total=1.0, first_token=0.25, load="poisson:5", queued=2.5, late=True)
    assert (timed.text, timed.inter_token) == ("yes", 0.25)
    assert timed.hash != stale
    assert Output.model_validate(timed.plain()) == timed


def test_what_nobody_timed_stays_as_it_is() -> None:
    output = Output.of("yes")
    assert Arrivals("poisson:5").timed(output, Arrival(0.0, late=False), ended=1.0) is output
    recorded = Output.of("yes", timing=Timing(total=1.0))
    assert Arrivals().timed(recorded, None, ended=1.0) is recorded


MODEL = """
import asyncio

async def answer(request):
    await asyncio.sleep(0.05)
    return {"text": "yes", "cost": 0.25}
"""


def go(folder: Path, inputs: int = 20, **target: Any) -> Any:
    spec = {"use": "python:model:answer", "concurrency": 2, **target}
    suite = {
        "name": "load",
        "dataset": {"path": "cases.jsonl"},
        "targets": {"new": spec},
        "rubrics": [
            {"name": "speed", "scorer": "latency", "kind": "limit", "at_most": 60},
            {"name": "price", "scorer": "cost", "kind": "limit", "at_most": 1, "statistic": "mean"},
        ],
        "policy": {"min_cases": 1},
    }
    (folder / "model.py").write_text(MODEL)
    (folder / "cases.jsonl").write_text(
        "".join(json.dumps({"id": f"{n}", "input": f"q{n % inputs}"}) + "\n" for n in range(20))
    )
    (folder / "seatrial.yaml").write_text(json.dumps(suite))
    return seatrial.run(folder / "seatrial.yaml", store=folder / "s.db")


def timings(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / "s.db") as raw:
        rows = raw.execute("SELECT load, queued, late FROM output_timings ORDER BY output_id").fetchall()
    raw.close()
    return rows


def test_an_overrun_schedule_shows_what_users_waited(tmp_path: Path) -> None:
    report = go(tmp_path, arrival={"poisson": 1000})
    rows = timings(tmp_path)
    assert {load for load, _, _ in rows} == {"poisson:1000"}
    assert sum(late for _, _, late in rows) >= 15
    # 20 requests of 50 ms on two places: the last waited for nine others, though each answer took 50 ms
    latency = report.arms[0].latency
    assert latency is not None
    assert latency.late >= 15
    total = next(time for time in latency.times if time.name == "total")
    assert total.p99.value >= 0.4
    assert max(queued for _, queued, _ in rows) >= 0.35
    warnings = " ".join(report.rates[0].warnings)
    assert "arrived while all 2 places were taken" in warnings
    assert "Poisson arrivals, 1000 a second" in report.rates[0].sentence


def test_answers_of_another_pattern_are_not_reused(tmp_path: Path) -> None:
    assert go(tmp_path).arms[0].reused == 0
    assert go(tmp_path, arrival={"poisson": 500}).arms[0].reused == 0
    assert go(tmp_path, arrival={"poisson": 500}).arms[0].reused == 20
    assert go(tmp_path, arrival={"poisson": 400}).arms[0].reused == 0
    assert go(tmp_path).arms[0].reused == 20


def test_times_under_another_concurrency_do_not_count(tmp_path: Path) -> None:
    first = go(tmp_path)
    assert first.rates[0].quantity.n == 20
    assert "closed loop, 2 in flight" in first.rates[0].sentence
    again = go(tmp_path, concurrency=4)
    assert again.arms[0].reused == 20
    assert again.rates[0].decision == "INCONCLUSIVE"
    assert again.rates[0].quantity.n == 0
    assert again.arms[0].latency.other_load == 20
    assert "measured under another load (closed loop, 2 in flight)" in " ".join(again.rates[0].warnings)


def test_an_answer_that_cases_share_is_timed_once_and_paid_for_by_each(tmp_path: Path) -> None:
    report = go(tmp_path, inputs=8)
    speed, price = report.rates
    assert report.cases == 20
    assert (speed.quantity.n, price.quantity.n) == (8, 20)
    assert report.arms[0].latency.outputs == 8
    assert "8 answers of new" in speed.sentence


def test_a_recording_takes_no_arrival_pattern(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="arrival"):
        go(tmp_path, use="replay:rows.jsonl", arrival={"poisson": 5})
