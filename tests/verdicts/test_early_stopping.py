"""Looks before the end: their levels, what stops a trial, and that all looks together err no more often than one."""

from __future__ import annotations

import numpy as np
import pytest
from bench.early_stopping import World, simulate, worlds
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import from_counts, make_suite

from seatrial.core.suite import Suite
from seatrial.runs.plan import in_parts
from seatrial.stats.distributions import normal_cdf
from seatrial.verdicts.engine.judging import judge
from seatrial.verdicts.engine.looks import LEAST, Look, look_of, stop
from seatrial.verdicts.engine.outcomes import Outcomes

QUARTERS = (500, 1000, 1500, 2000)
TWO = {"early_stopping": {"looks": 4}}


@pytest.mark.parametrize(("number", "z"), [(1, 3.750), (2, 2.540), (3, 2.016), (4, 1.720)], ids=str)
def test_levels_are_those_of_lan_and_demets(number: int, z: float):
    assert Look(number, QUARTERS).level(0.05) == pytest.approx(normal_cdf(-z), rel=0.01)


def test_one_look_spends_all_and_no_look_is_absurdly_strict():
    assert Look(1, (300,)).level(0.05) == 0.05
    tenth = tuple(range(100, 1001, 100))
    assert Look(1, tenth).level(0.05) == LEAST
    assert [Look(n, tenth).level(0.05) for n in range(1, 11)] == sorted(
        Look(n, tenth).level(0.05) for n in range(1, 11)
    )


def test_the_look_is_read_back_from_what_was_kept():
    kept = {"early_stopping": {"cases": list(QUARTERS), "ends": True}}
    assert look_of(kept, {"stopped": {"look": 2, "why": "ship"}}) == Look(2, QUARTERS)
    assert look_of(kept, {}) == Look(4, QUARTERS), "nothing stopped it: the last look"
    assert look_of({}, {}) is None


def decided(outcomes: Outcomes, number: int, left: int, **rubric: object) -> str | None:
    suite = make_suite({"name": "r", **rubric}, policy=TWO)
    found = stop(suite, {"r": outcomes}, Look(number, QUARTERS), {"r": left})
    return found.why if found else None


GATE = {"kind": "gate", "limit_points": 1}


@pytest.mark.parametrize(
    ("outcomes", "number", "rubric", "why"),
    [
        pytest.param(from_counts(50, 60, 1000, both=800), 2, {}, None, id="open-goes-on"),
        pytest.param(from_counts(20, 10, 1000, both=900), 2, {}, "ship", id="no-worse"),
        pytest.param(from_counts(10, 110, 1000, both=800), 2, {}, "block", id="far-worse"),
        pytest.param(from_counts(8, 60, 1000, both=900), 1, {}, None, id="worse-yet-not-at-the-first-look"),
        pytest.param(from_counts(0, 0, 500, both=500), 1, GATE, None, id="a-clean-gate-waits-for-its-cases"),
        pytest.param(from_counts(2, 2, 500, both=470), 1, GATE, "block", id="a-broken-gate"),
        pytest.param(from_counts(0, 0, 1500, both=1484), 3, GATE, "cannot_pass", id="a-gate-that-cannot-pass-any-more"),
        pytest.param(from_counts(0, 70, 1990, both=1900), 3, {}, "cannot_pass", id="ten-gains-cannot-mend-it"),
    ],
)
def test_what_stops_a_trial(outcomes: Outcomes, number: int, rubric: dict[str, object], why: str | None):
    left = max(0, 2000 - len(outcomes.candidate))
    assert decided(outcomes, number, left, **rubric) == why


@given(
    gained=st.integers(0, 40), lost=st.integers(0, 120), failed=st.integers(0, 30), gate=st.booleans(), n=st.just(300)
)
def test_what_is_called_hopeless_cannot_pass_with_the_best_of_rests(gained, lost, failed, gate, n):
    rubric = {"kind": "gate", "limit_points": 3} if gate else {"margin_points": 3}
    suite = make_suite({"name": "r", **rubric}, policy=TWO)
    seen, look = from_counts(gained, lost, n, both=n - gained - lost - failed), Look(3, (100, 200, 300, 400))
    found = stop(suite, {"r": seen}, look, {"r": 100})
    if found is None or found.why != "cannot_pass":
        return
    best = from_counts(100, 0, 100)
    whole = Outcomes.of(
        np.concatenate([seen.candidate, best.candidate]), np.concatenate([seen.incumbent, best.incumbent])
    )
    last = Look(4, look.cases)
    assert judge(last.at(suite), {"r": whole}, last.holm(0.05)).overall != "ship"


def test_holm_is_held_at_every_look():
    """Two rubrics, each just worse than its margin at the look's own level: neither may block both being tested."""
    look = Look(2, QUARTERS)
    suite = make_suite({"name": "a"}, {"name": "b"}, policy=TWO)
    lost = next(c for c in range(30, 300) if decided(from_counts(10, c, 1000, both=600), 2, 1000) == "block")
    just = from_counts(10, lost, 1000, both=600)
    fine = from_counts(10, 10, 1000, both=600)
    assert stop(suite, {"a": just, "b": fine}, look, {"a": 1000, "b": 1000}) is None
    more = from_counts(10, lost + 15, 1000, both=600)
    found = stop(suite, {"a": more, "b": fine}, look, {"a": 1000, "b": 1000})
    assert found is not None
    assert (found.why, found.rubrics) == ("block", ("a",))


# the order of cases ---------------------------------------------------------------------------------------------------


@given(
    labels=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=200),
    looks=st.integers(1, 10),
    seed=st.integers(0, 5),
)
def test_parts_hold_every_case_once_and_clusters_whole(labels, looks, seed):
    cluster, stratum = (np.array(column) for column in zip(*labels, strict=True))
    parts = in_parts(cluster, stratum, looks, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    assert 1 <= len(parts) <= looks
    assert all(len(part) for part in parts)
    where = [set(cluster[part].tolist()) for part in parts]
    assert sum(map(len, where)) == len(set(cluster.tolist())), "no cluster is in two parts"
    again = in_parts(cluster, stratum, looks, seed)
    assert all((one == two).all() for one, two in zip(parts, again, strict=True))


def test_every_part_is_a_sample_of_all_strata():
    stratum = np.repeat([0, 1, 2], [800, 160, 40])
    parts = in_parts(np.arange(1000), stratum, 4, 3)
    assert [len(part) for part in parts] == [250] * 4
    for part in parts:
        counts = np.bincount(stratum[part], minlength=3)
        assert np.abs(counts - [200, 40, 10]).max() <= 2
    assert (in_parts(np.arange(1000), stratum, 4, 4)[0] != parts[0]).any(), "the seed orders them"


# simulated swaps through the engine -----------------------------------------------------------------------------------

WORLDS = {world.name: world for world in worlds()}
AT_MARGIN = ["at its margin, one rubric", "three at their margin, gate kept", "at its margin, clusters of 5"]
EQUAL = ["as good, one rubric", "as good, clusters of 5"]


def error(share: float, swaps: int) -> float:
    """Three standard errors of a simulated share."""
    return 3 * (share * (1 - share) / swaps) ** 0.5


def test_a_few_swaps_hold_their_error_rates_and_save_cases():
    swaps = 150
    margin = simulate(WORLDS[AT_MARGIN[0]], swaps, 1200, 4)
    assert margin.ship <= 0.06 + error(0.06, swaps)
    assert margin.block <= 0.05 + error(0.05, swaps)
    equal = simulate(WORLDS[EQUAL[0]], swaps, 2000, 4)
    assert equal.block <= 0.01 + error(0.01, swaps)
    assert equal.ship > 0.9
    assert equal.taken < 0.8
    far = simulate(WORLDS["worse by 6 points, one rubric"], swaps, 2000, 4)
    assert far.ship == 0
    assert far.taken < 0.8


@pytest.mark.heavy
@pytest.mark.parametrize("looks", [1, 4, 10])
@pytest.mark.parametrize("name", AT_MARGIN)
def test_two_thousand_swaps_at_the_margin(name: str, looks: int):
    found = simulate(WORLDS[name], 2000, 2000, looks)
    assert found.ship <= 0.06
    assert found.block <= 0.05 + error(0.05, 2000)


@pytest.mark.heavy
@pytest.mark.parametrize("name", EQUAL)
def test_two_thousand_swaps_of_equal_arms(name: str):
    one, four = simulate(WORLDS[name], 2000, 2000, 1), simulate(WORLDS[name], 2000, 2000, 4)
    assert four.block <= 0.05
    assert four.ship >= one.ship - 0.03, "looking costs hardly any power"
    assert four.taken < 0.85


def test_a_world_must_hold_together():
    from seatrial.verdicts.engine.simulate import Truth

    with pytest.raises(ValueError, match="no arms differ"):
        Truth.of(0.02, -0.03)
    assert isinstance(WORLDS[EQUAL[0]], World)
    assert Suite.model_fields["policy"] is not None
