"""What a dataset can decide: known answers, limits of the numbers, and that the engine bears the plan out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.verdicts.made_trials import make_suite

from seatrial.core.suite import Suite
from seatrial.stats import clopper_pearson, mde_paired, n_noninferior
from seatrial.verdicts.questions import plan
from seatrial.verdicts.questions.plan import Basis, Cases, RubricPlan, design_effect, draw_plan, simulated

QUALITY = {"name": "right"}
GATE = {"name": "safe", "kind": "gate", "limit_points": 3}


def cases(n: int, per: int = 1) -> Cases:
    return Cases(np.arange(n) // per, np.zeros(n, dtype=np.intp))


def formulas(*about: Any) -> tuple[RubricPlan, ...]:
    """The numbers of the rubrics, which need no would-be trials: as few of these as there can be."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan, "WORK", 0)
        return draw_plan(*about)[0]


def planned(suite: Suite, taken: Cases, basis: Basis | None = None) -> RubricPlan:
    name = suite.rubrics[0].name
    return formulas(suite, {name: taken}, {name: basis or Basis()}, (len(taken),))[0]


@pytest.mark.parametrize(
    ("psi", "needed"), [(0.05, 344), (0.08, 550), (0.10, 687), (0.15, 1031), (0.20, 1374), (0.30, 2061)]
)
def test_cases_for_a_margin_of_three_points(psi: float, needed: int):
    """The printed table of non-inferiority at 3 points, one-sided 5%, 80% power."""
    assert planned(make_suite(QUALITY), cases(200), Basis(psi)).needed == needed


def test_all_rubrics_together_take_more():
    """Six rubrics at 80% jointly: 1,314 cases at 10% discordance, 1,970 at 15%."""
    suite = make_suite(*({"name": f"r{i}"} for i in range(6)))
    for psi, needed in ((0.10, 1314), (0.15, 1970)):
        names = [rubric.name for rubric in suite.rubrics]
        taken, basis = dict.fromkeys(names, cases(400)), dict.fromkeys(names, Basis(psi))
        found = formulas(suite, taken, basis, (400,))
        assert all(rubric.needed_jointly == pytest.approx(needed, abs=1) for rubric in found)
        assert all((r.visible_jointly or 0) > (r.visible or 0) for r in found)


def test_the_visible_drop_is_that_of_the_power_formula():
    found = planned(make_suite(QUALITY), cases(870))
    assert found.visible == mde_paired(870, 0.10, alpha=0.05, power=0.8, sides=1)
    assert found.visible == pytest.approx(0.0266, abs=1e-3)


@pytest.mark.parametrize(("limit", "clean"), [(5, 59), (3, 99), (2, 149), (1, 299)], ids=str)
def test_clean_probes_for_a_limit(limit: float, clean: int):
    gate = {**GATE, "limit_points": limit}
    enough, short = planned(make_suite(gate), cases(clean)), planned(make_suite(gate), cases(clean - 1))
    assert (enough.needed, enough.allowed, enough.problem) == (clean, 0, "")
    assert short.allowed is None
    assert "cannot pass, even if nothing fails: add 1 probe" in short.problem


def test_probes_of_one_seed_count_once():
    found = planned(make_suite(GATE), cases(400, per=10))
    assert (found.cases, found.clusters) == (400, 40)
    assert found.shown == clopper_pearson(0, 40, alpha=0.05, side="upper").high
    assert "add 59 probes, each from a seed of its own" in found.problem


def test_clusters_cost_cases():
    assert design_effect(np.full(20, 5), 0.3) == pytest.approx(2.2)
    assert design_effect(np.array([1, 9]), 1.0) == pytest.approx(8.2), "weighted by the cases that are in it"
    alone, related = (
        planned(make_suite(QUALITY), cases(1000)),
        planned(make_suite(QUALITY), cases(1000, per=5), Basis()),
    )
    assert related.design_effect == pytest.approx(2.2)
    assert (related.needed or 0) == pytest.approx(2.2 * (alone.needed or 0), rel=0.01)
    assert (related.visible or 0) > (alone.visible or 0)


@pytest.mark.parametrize(
    ("suite", "taken", "says"),
    [
        pytest.param(make_suite(QUALITY), cases(12), "12 cases, and fewer than 30 decide nothing: add 18", id="few"),
        pytest.param(make_suite(QUALITY), cases(500, 100), "only 5 clusters", id="few-clusters"),
        pytest.param(make_suite(QUALITY), cases(0), "no case of the dataset is for it", id="none"),
        pytest.param(make_suite(QUALITY), cases(200), "have 687 cases in all, or accept a margin of", id="small"),
        pytest.param(
            make_suite({"name": "quick", "kind": "limit", "at_most": 2, "statistic": "p99"}),
            cases(100),
            "add 199 cases",
            id="p99",
        ),
    ],
)
def test_what_is_too_small_is_said_with_what_to_do(suite: Suite, taken: Cases, says: str):
    assert says in planned(suite, taken).problem


def test_looks_are_planned_at_the_last_looks_level():
    suite = make_suite(QUALITY, policy={"early_stopping": {"looks": 4}})
    taken = Cases(np.arange(2000), np.arange(2000) // 500)
    found, equal, at_margin = draw_plan(suite, {"right": taken}, {}, (500, 1000, 1500, 2000))
    assert (found[0].needed or 0) > n_noninferior(0.10, 0.03)
    assert equal is not None
    assert at_margin is not None
    assert 0.4 < equal.share < 0.8
    assert equal.ship > 0.95
    assert at_margin.ship <= 0.06 + 3 * (0.06 * 0.94 / at_margin.draws) ** 0.5
    assert at_margin.world == "right is 3 points worse, its margin; all else is equal"


@pytest.mark.parametrize("psi", [0.05, 0.2])
def test_the_engine_bears_the_chance_out(psi: float):
    """What the formula says of an equal candidate is what would-be trials through the engine do."""
    suite, n = make_suite(QUALITY), n_noninferior(psi, 0.03)
    rubrics, equal, _ = draw_plan(suite, {"right": cases(n)}, {"right": Basis(psi)}, (n,))
    assert equal is not None
    assert rubrics[0].pass_chance == pytest.approx(0.8, abs=0.01)
    assert equal.ship == pytest.approx(0.8, abs=3 * (0.16 / equal.draws) ** 0.5 + 0.01)


def test_what_cannot_be_drawn_is_not_simulated():
    suite = make_suite(QUALITY, GATE)
    assert simulated(suite, {"right": cases(100), "safe": cases(0)}, {}, (100,)) is None
    only = make_suite({"name": "long", "kind": "advisory"})
    assert simulated(only, {"long": cases(10)}, {}, (10,)) is None


@given(
    n=st.integers(0, 400),
    per=st.integers(1, 30),
    psi=st.floats(1e-6, 1),
    icc=st.floats(0, 0.99),
    margin=st.floats(0.01, 100),
    alpha=st.floats(1e-4, 0.49),
    power=st.floats(0.01, 0.999),
)
@example(n=1, per=1, psi=1.0, icc=0.0, margin=100.0, alpha=0.25, power=0.5)
def test_any_suite_can_be_planned(n, per, psi, icc, margin, alpha, power):
    policy: Mapping[str, Any] = {"margin_points": margin, "alpha": alpha, "power": power}
    suite = make_suite(QUALITY, {**GATE, "limit_points": margin}, policy=policy)
    from seatrial.verdicts.questions.plan import _rubric  # the whole would simulate for every example

    for rubric in suite.rubrics:
        found = _rubric(suite, rubric, cases(n, per), Basis(psi, icc), suite.policy, 2, 1)
        assert found.sentence or found.problem
        assert found.pass_chance is None or 0 <= found.pass_chance <= 1
        assert found.visible is None or 0 < found.visible <= 1
        assert found.needed is None or found.needed >= 1
