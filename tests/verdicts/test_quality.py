"""Quality rubrics: known answers, decisions, and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import from_counts, make_suite, rounded

from seatrial.core.suite import Policy
from seatrial.stats import (
    clustered_tango,
    n_noninferior,
    paired_cluster,
    tango,
    tango_clustered,
    tango_clustered_p,
    tango_p,
    tango_z,
)
from seatrial.verdicts.artefacts import sentences
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.engine.evidence import weigh
from seatrial.verdicts.engine.needs import cases_to_tell
from seatrial.verdicts.engine.outcomes import Outcomes, pair
from seatrial.verdicts.engine.quality import adjust, judge_quality, missing_range, need, uneven_missing
from seatrial.verdicts.records import RubricResult

POLICY = Policy()
NAN = math.nan


def draw(outcomes: Outcomes, **policy: Any) -> RubricResult:
    suite = make_suite({"name": "right", "kind": "quality"}, policy=policy)
    return compare_arrays(suite, {"right": outcomes})[1][0]


# known answers --------------------------------------------------------------------------------------------------------

GSM8K = [
    pytest.param(152, 209, 1319, "INCONCLUSIVE", (-0.067, -0.020), ("regressed",), id="6b-verified-to-175b"),
    pytest.param(209, 152, 1319, "PASS", (0.020, 0.067), ("superior",), id="175b-to-6b-verified"),
    pytest.param(360, 76, 1319, "PASS", (0.191, 0.240), ("superior",), id="175b-to-175b-verified"),
    pytest.param(76, 360, 1319, "BLOCK", (-0.240, -0.191), ("regressed",), id="175b-verified-to-175b"),
]


@pytest.mark.parametrize(("gained", "lost", "n", "decision", "interval", "flags"), GSM8K)
def test_the_four_swaps_of_gsm8k(gained, lost, n, decision, interval, flags):
    found = draw(from_counts(gained, lost, n, both=300))
    assert (found.decision, found.flags) == (decision, flags)
    assert found.difference is not None
    assert found.difference.method == "Tango"
    assert found.difference.level == pytest.approx(0.90)
    assert (found.difference.low, found.difference.high) == pytest.approx(interval, abs=6e-4)
    assert found.pairs is not None
    assert (found.pairs.both, found.pairs.gained, found.pairs.lost) == (300, gained, lost)
    assert found.pairs.neither == n - 300 - gained - lost


def test_an_open_swap_names_how_many_cases_would_settle_it():
    found = draw(from_counts(152, 209, 1319))
    # 4.32 points behind with 27.4% discordant: 1.32 points beyond the margin have to be told from it
    variance, distance = 361 / 1319 - (57 / 1319) ** 2, 57 / 1319 - 0.03
    total = (1.6448536 + 0.8416212) ** 2 * variance / distance**2
    assert found.needed == math.ceil(total) - 1319
    assert "8,305 further cases" in found.sentence
    assert "the drop is real" in found.sentence


def test_worked_examples_of_a_margin_of_three_points():
    kept = draw(from_counts(60, 75, 1500))
    assert kept.decision == "PASS"
    assert kept.difference is not None
    assert (kept.difference.low, kept.difference.high) == pytest.approx((-0.02291, 0.00277), abs=1e-5)
    assert kept.p_value == pytest.approx(0.1982, abs=1e-4)
    evidence = weigh(pair(from_counts(60, 75, 1500)))
    assert evidence is not None
    assert evidence.statistics(-0.03)[0] == pytest.approx(2.5155, abs=1e-4)
    opened = draw(from_counts(8, 12, 200))
    assert opened.decision == "INCONCLUSIVE"
    assert opened.difference is not None
    assert (opened.difference.low, opened.difference.high) == pytest.approx((-0.05935, 0.01776), abs=1e-5)


def test_the_sentence_of_a_real_drop_within_the_margin():
    found = draw(from_counts(80, 110, 2500))
    assert found.flags == ("regressed",)
    assert found.sentence == (
        "It passes 1.2 points less often than the incumbent (90% interval −2.1 to −0.3, margin −3): "
        "within the margin, though the drop is real."
    )


def test_digits_are_added_until_a_bound_shows_its_side_of_the_margin():
    # the bound lies at −2.97 points: one digit would print the margin itself
    found = draw(from_counts(56, 78, 1200))
    assert found.difference is not None
    assert found.difference.low == pytest.approx(-0.0342, abs=1e-3)
    near = next(n for n in range(1200, 2000) if -0.03 < tango(56, 78, n, alpha=0.1).low < -0.0295)
    assert "90% interval −2.9" in draw(from_counts(56, 78, near)).sentence


# what decides, and what does not --------------------------------------------------------------------------------------

PLAIN = [
    pytest.param(from_counts(0, 0, 500, both=500), "PASS", (), id="identical-arms-all-pass"),
    pytest.param(from_counts(0, 0, 500), "INCONCLUSIVE", (), id="identical-arms-all-fail"),
    pytest.param(from_counts(0, 0, 500, both=1), "PASS", (), id="identical-arms-one-passes"),
    pytest.param(from_counts(0, 0, 80), "INCONCLUSIVE", (), id="identical-arms-too-few-for-the-margin"),
    pytest.param(from_counts(0, 500, 500), "BLOCK", ("regressed",), id="candidate-fails-all"),
    pytest.param(from_counts(500, 0, 500), "PASS", ("superior",), id="incumbent-fails-all"),
    pytest.param(from_counts(499, 0, 500, both=1), "PASS", ("superior",), id="incumbent-fails-all-but-one"),
    pytest.param(from_counts(0, 2, 500), "INCONCLUSIVE", (), id="candidate-fails-all-and-the-incumbent-nearly"),
    pytest.param(from_counts(0, 29, 29), "INCONCLUSIVE", ("regressed", "few_cases"), id="few-cases-never-block"),
    pytest.param(from_counts(29, 0, 29), "INCONCLUSIVE", ("superior", "few_cases"), id="few-cases-never-pass"),
    pytest.param(from_counts(0, 0, 0), "INCONCLUSIVE", ("few_cases",), id="no-cases"),
    pytest.param(
        Outcomes.of([NAN] * 40, np.ones(40)), "INCONCLUSIVE", ("few_cases", "missing"), id="candidate-all-missing"
    ),
    pytest.param(
        Outcomes.of(np.ones(40), [NAN] * 40), "INCONCLUSIVE", ("few_cases", "missing"), id="incumbent-all-missing"
    ),
    pytest.param(
        from_counts(0, 0, 500, both=500, cluster=np.zeros(500)), "INCONCLUSIVE", ("few_clusters",), id="one-cluster"
    ),
    pytest.param(
        from_counts(0, 500, 500, cluster=np.zeros(500)),
        "INCONCLUSIVE",
        ("few_clusters", "piled_up"),
        id="one-cluster-all-lost",
    ),
    pytest.param(
        from_counts(0, 0, 900, both=900, cluster=np.arange(900) % 9),
        "INCONCLUSIVE",
        ("few_clusters",),
        id="nine-clusters",
    ),
]


@pytest.mark.parametrize(("outcomes", "decision", "flags"), PLAIN)
def test_decisions_at_the_edges(outcomes, decision, flags):
    found = draw(outcomes)
    assert (found.decision, found.flags) == (decision, flags)
    assert found.sentence.endswith(".")
    assert (found.needed_note != "") == (decision == "INCONCLUSIVE")


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        pytest.param(from_counts(0, 0, 500), "no answer of either arm passes", id="both"),
        pytest.param(from_counts(3, 0, 500), "no answer of the incumbent passes", id="incumbent"),
        pytest.param(from_counts(0, 2, 500), "no answer of the candidate passes", id="candidate"),
    ],
)
def test_a_test_that_nothing_passes_proves_nothing(outcomes, said):
    found = draw(outcomes)
    assert found.decision == "INCONCLUSIVE"
    assert f"{said}, so nothing is shown: check prompt, scorer and references." in found.sentence
    assert (found.needed, found.needed_note) == (None, f"{said}: check prompt, scorer and references")


@pytest.mark.parametrize(
    ("share", "against", "text"),
    [
        pytest.param(-0.00003, None, "just under 0", id="below"),
        pytest.param(0.00003, None, "just above 0", id="above"),
        pytest.param(0.0, None, "0", id="zero"),
        pytest.param(-0.0012, None, "−0.1", id="one-decimal"),
        pytest.param(-0.00003, -0.03, "just under 0", id="far-from-the-margin"),
        pytest.param(-0.00003, -0.0001, "−0.00", id="near-a-tiny-margin"),
    ],
)
def test_ends_of_an_interval_beside_zero(share, against, text):
    assert sentences.end(share, against).startswith(text)


def test_a_difference_too_small_for_one_decimal_is_said_in_words():
    found = draw(from_counts(1, 0, 100_000, both=90_000))
    assert found.sentence.startswith("It passes less than 0.1 points more often than the incumbent (90% interval ")
    assert "just" in found.sentence


def test_one_case_is_no_cluster():
    found = draw(from_counts(0, 0, 1, both=1))
    assert found.needed_note == "there is only one case"


@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_every_small_table_can_be_judged(n):
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            for cluster in (None, np.arange(n) // 2, np.zeros(n)):
                found = draw(from_counts(gained, lost, n, cluster=cluster), min_cases=1, margin_points=100)
                assert found.pairs is not None
                assert found.pairs.n == n


def test_one_cluster_says_that_other_seeds_are_needed():
    found = draw(from_counts(0, 0, 500, both=500, cluster=np.zeros(500)))
    assert found.needed is None
    assert "other seeds would" in found.needed_note
    assert found.difference is not None
    assert (found.difference.low, found.difference.high) == (-1, 1)


def test_variants_of_few_seeds_do_not_pass_where_independent_cases_would():
    rng = np.random.default_rng(3)
    hit = rng.random(60) < 0.10
    candidate = np.where(np.repeat(hit, 20) & (rng.random(1200) < 0.4), 0.0, 1.0)
    incumbent = np.ones(1200)
    alone = draw(Outcomes.of(candidate, incumbent), margin_points=5.5)
    together = draw(Outcomes.of(candidate, incumbent, np.repeat(np.arange(60), 20)), margin_points=5.5)
    assert (alone.decision, together.decision) == ("PASS", "INCONCLUSIVE")
    assert "piled_up" in together.flags
    assert together.pairs is not None
    assert together.pairs.deflation > 2
    assert together.p_method == "Tango's score test at the effective size"


def test_fragile_is_what_leaving_out_each_cluster_would_find():
    rng = np.random.default_rng(11)
    seen = {True: 0, False: 0}
    for _ in range(70):
        cluster = rng.integers(0, 40, 400)
        bad = rng.random(40) < 0.15
        candidate = np.where(bad[cluster] & (rng.random(400) < 0.3), 0.0, 1.0)
        outcomes = Outcomes.of(candidate, (rng.random(400) < 0.97) * 1.0, cluster)
        finding = judge_quality(outcomes, 0.05, POLICY)
        if finding.decision == "INCONCLUSIVE":
            assert "fragile" not in finding.flags
            continue
        without = [judge_quality(outcomes.take(cluster != name), 0.05, POLICY).decision for name in range(40)]
        fragile = any(decision != finding.decision for decision in without)
        assert ("fragile" in finding.flags) == fragile
        seen[fragile] += 1
    assert min(seen.values()) >= 3


def test_fragile_is_found_by_leaving_out_a_case():
    # the smallest table that passes turns when any case that both arms pass is left out
    smallest = next(
        n for n in range(60, 200) if judge_quality(from_counts(0, 0, n, both=n), 0.03, POLICY).decision == "PASS"
    )
    assert "fragile" in draw(from_counts(0, 0, smallest, both=smallest)).flags
    assert "fragile" not in draw(from_counts(0, 0, smallest + 1, both=smallest + 1)).flags


# missing results ------------------------------------------------------------------------------------------------------


def with_missing(arm: str, share: float, n: int = 1000) -> Outcomes:
    candidate, incumbent = np.ones((n, 1)), np.ones((n, 1))
    (candidate if arm == "candidate" else incumbent)[: round(n * share)] = NAN
    return Outcomes.of(candidate, incumbent)


def test_missing_pairs_leave_the_estimate_and_enter_the_bounds():
    found = draw(with_missing("candidate", 0.06))
    assert found.decision == "PASS"
    assert found.flags == ("fragile", "missing") or found.flags == ("missing", "fragile")
    assert found.difference is not None
    assert found.difference.value == 0
    assert found.missing_range == pytest.approx((-0.06, 0.0))
    assert found.pairs is not None
    assert (found.pairs.n, found.pairs.missing) == (940, 60)
    assert found.candidate is not None
    assert (found.candidate.worst, found.candidate.best) == pytest.approx((0.94, 1.0))


def test_few_missing_results_are_flagged_and_not_fragile():
    found = draw(with_missing("candidate", 0.005))
    assert (found.decision, found.flags) == ("PASS", ("missing",))


@pytest.mark.parametrize("arm", ["candidate", "incumbent"])
def test_an_arm_that_misses_more_than_a_fifth_cannot_pass(arm):
    assert draw(with_missing(arm, 0.20)).decision == "PASS"
    found = draw(with_missing(arm, 0.201))
    assert found.decision == "INCONCLUSIVE"
    assert found.needed is None
    assert "retry-errors" in found.needed_note
    assert "20.1%" in found.sentence


def test_bounds_of_missing_results_on_both_sides():
    candidate = [1, 1, NAN, 0, NAN]
    incumbent = [1, NAN, 0, NAN, NAN]
    # worst: 0, 0, 0, -1, -1; best: 0, 1, 1, 0, 1
    assert missing_range(Outcomes.of(candidate, incumbent)) == pytest.approx((-2 / 5, 3 / 5))


def test_results_missing_on_one_side_only_are_called_uneven():
    assert uneven_missing(with_missing("candidate", 0.02))
    assert not uneven_missing(with_missing("candidate", 0.005))
    assert "not random" in draw(with_missing("candidate", 0.02)).warnings[0]


# several rubrics ------------------------------------------------------------------------------------------------------


def test_holm_keeps_a_chance_drop_among_many_rubrics_from_blocking():
    bad, fine = from_counts(20, 63, 800), from_counts(30, 30, 800)
    alone = judge_quality(bad, 0.03, POLICY)
    assert alone.decision == "BLOCK"
    many = adjust({"bad": alone, **{f"r{i}": judge_quality(fine, 0.03, POLICY) for i in range(9)}}, POLICY.alpha)
    assert many["bad"].decision == "INCONCLUSIVE"
    assert many["bad"].open_because == "holm"
    assert many["bad"].p_holm == pytest.approx(10 * (alone.p_below or 0))
    assert need(many["bad"], POLICY).cases is not None
    assert adjust({"bad": alone}, POLICY.alpha)["bad"].decision == "BLOCK"


def test_a_pass_needs_no_adjustment():
    findings = {f"r{i}": judge_quality(from_counts(30, 30, 1500), 0.03, POLICY) for i in range(20)}
    assert {finding.decision for finding in adjust(findings, POLICY.alpha).values()} == {"PASS"}


# epochs ---------------------------------------------------------------------------------------------------------------


def test_epochs_of_a_case_are_one_cluster():
    rng = np.random.default_rng(5)
    case = rng.random(200) < 0.05
    candidate = np.repeat(np.where(case, 0.0, 1.0)[:, None], 8, axis=1)
    repeated = draw(Outcomes.of(candidate, np.ones((200, 8))))
    once = draw(Outcomes.of(candidate[:, 0], np.ones(200)))
    assert repeated.difference is not None
    assert once.difference is not None
    assert repeated.difference.value == pytest.approx(once.difference.value)
    assert repeated.difference.low is not None
    assert once.difference.low is not None
    assert repeated.difference.low <= once.difference.low
    assert repeated.pairs is not None
    assert (repeated.pairs.n, repeated.pairs.clusters) == (1600, 200)


def test_pairing_is_by_case_and_epoch():
    candidate, incumbent = [[1, NAN, 0]], [[0, 1, NAN]]
    paired = pair(Outcomes.of(candidate, incumbent))
    assert (paired.pairs, paired.gained, paired.lost, paired.missing, paired.cases) == (1, 1, 0, 2, 1)


# agreement with the statistics room -----------------------------------------------------------------------------------

tables = st.lists(st.sampled_from([-1, 0, 0, 0, 1]), min_size=2, max_size=60)


@st.composite
def clustered_tables(draw_):
    d = np.array(draw_(tables), dtype=float)
    cluster = np.array(draw_(st.lists(st.integers(0, 7), min_size=len(d), max_size=len(d))))
    return d, cluster


def outcomes_of(d: np.ndarray, cluster: np.ndarray | None = None) -> Outcomes:
    return Outcomes.of(np.where(d > 0, 1.0, 0.0), np.where(d < 0, 1.0, 0.0), cluster)


@given(clustered_tables(), st.sampled_from([-0.5, -0.1, 0.0, 0.2]))
def test_every_entry_agrees_with_the_formulas_on_the_cases_it_keeps(table, delta0):
    d, cluster = table
    evidence = weigh(pair(outcomes_of(d, cluster)))
    assert evidence is not None
    names = np.unique(cluster)
    if evidence.clustered and len(names) >= 2:
        assert evidence.p_below(delta0) == pytest.approx(tango_clustered_p(d, cluster, delta0, tail="less"), abs=1e-12)
        full = clustered_tango(d, cluster, alpha=0.1)
        assert evidence.interval(0.1) == full.interval
        assert evidence.design_effect == pytest.approx(min(full.design_effect, len(d)))
        assert evidence.piled_up == full.piled_up
        assert evidence.discordant_clusters == full.n_discordant_clusters
    statistics = evidence.statistics(delta0, left_out=True)
    told = evidence.decisions(delta0, 0.05, left_out=True)
    for row, kind in enumerate(evidence.tally.kinds, start=1):
        kept = cluster != names[kind]
        if len(np.unique(cluster[kept])) < 2:
            assert told[row] == 0
            continue
        if evidence.clustered:
            p = tango_clustered_p(d[kept], cluster[kept], delta0, tail="greater")
            low, high = tango_clustered(d[kept], cluster[kept], alpha=0.10)
        else:
            b, c, n = np.sum(d[kept] > 0), np.sum(d[kept] < 0), kept.sum()
            p, (low, high) = tango_p(b, c, n, delta0, tail="greater"), tango(b, c, n, alpha=0.10)
            assert statistics[row] == pytest.approx(tango_z(b, c, n, delta0))
        if abs(p - 0.05) > 1e-9 and abs(p - 0.95) > 1e-9:
            assert told[row] == (p < 0.05) - (p > 0.95)
        if min(abs(low - delta0), abs(high - delta0)) > 1e-9:
            assert (told[row] > 0) == (low > delta0)
            assert (told[row] < 0) == (high < delta0)


@given(st.floats(0.02, 0.5), st.floats(0.01, 0.2), st.floats(0.55, 0.95))
def test_cases_to_tell_is_the_noninferiority_formula(psi, margin, power):
    total = cases_to_tell(psi, margin, alpha=0.05, power=power)
    assert math.ceil(total * (1 - 1e-12)) == n_noninferior(psi, margin, alpha=0.05, power=power)


# laws -----------------------------------------------------------------------------------------------------------------

MIRROR = {"PASS": {"PASS", "BLOCK", "INCONCLUSIVE"}, "BLOCK": {"PASS"}, "INCONCLUSIVE": {"PASS", "INCONCLUSIVE"}}


@given(clustered_tables())
def test_swapping_the_arms_mirrors_the_difference(table):
    d, cluster = table
    one, two = draw(outcomes_of(d, cluster), min_cases=1), draw(outcomes_of(-d, cluster), min_cases=1)
    assert one.difference is not None
    assert two.difference is not None
    assert one.difference.value == pytest.approx(-(two.difference.value or 0))
    assert one.difference.low == pytest.approx(-(two.difference.high or 0), abs=1e-9)
    assert one.difference.high == pytest.approx(-(two.difference.low or 0), abs=1e-9)
    assert one.p_value == pytest.approx(two.p_value)
    assert two.decision in MIRROR[one.decision] or "so nothing is shown" in one.sentence + two.sentence
    if one.decision == two.decision == "PASS":
        assert "superior" not in one.flags or "superior" not in two.flags


@given(clustered_tables(), st.randoms(use_true_random=False))
def test_the_order_of_cases_changes_nothing(table, random):
    d, cluster = table
    order = list(range(len(d)))
    random.shuffle(order)
    relabelled = np.array([7, 3, 1, 0, 5, 6, 4, 2])[cluster]
    once, shuffled = draw(outcomes_of(d, cluster)), draw(outcomes_of(d[order], relabelled[order]))
    assert rounded(once.model_dump()) == rounded(shuffled.model_dump())


@given(tables, st.integers(2, 6))
def test_copies_of_a_case_do_not_tighten(table, times):
    d = np.array(table, dtype=float)
    once, copied = (
        weigh(pair(outcomes_of(d))),
        weigh(pair(outcomes_of(np.repeat(d, times), np.repeat(np.arange(len(d)), times)))),
    )
    assert once is not None
    assert copied is not None
    low, high = once.interval(0.1)
    again_low, again_high = copied.interval(0.1)
    assert again_low <= low + 1e-9
    assert again_high >= high - 1e-9


@given(clustered_tables(), st.integers(1, 10), st.sampled_from([0.05, 0.3, 0.9]))
def test_failures_of_the_candidate_never_make_a_pass(table, more, margin):
    d, _ = table
    policy = Policy(min_cases=1)
    candidate, incumbent = (d >= 0).astype(float), (d <= 0).astype(float)
    before = judge_quality(Outcomes.of(candidate, incumbent), margin, policy).decision
    candidate[np.flatnonzero(candidate)[:more]] = 0
    after = judge_quality(Outcomes.of(candidate, incumbent), margin, policy).decision
    order = {"BLOCK": 0, "INCONCLUSIVE": 1, "PASS": 2}
    assert order[after] <= order[before]


def test_tango_at_the_effective_size_holds_where_a_t_on_epochs_does_not():
    """At the margin, losses only, five epochs: why epochs are judged as clustered pairs and not as graded means."""
    rng = np.random.default_rng(1)
    shipped = by_t = 0
    for _ in range(400):
        lost = np.repeat((rng.random(100) < 0.03)[:, None], 5, axis=1)
        outcomes = Outcomes.of(np.where(lost, 0.0, 1.0), np.ones((100, 5)))
        shipped += judge_quality(outcomes, 0.03, POLICY).decision == "PASS"
        by_t += paired_cluster(-lost.mean(axis=1), np.arange(100), alpha=0.1).interval.low > -0.03
    assert shipped / 400 <= 0.08
    assert by_t / 400 >= 0.12
