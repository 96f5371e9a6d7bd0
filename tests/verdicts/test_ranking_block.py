"""Several candidates side by side: rank intervals, the Pareto front, and what is left out of both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import Trial, make_suite
from tests.verdicts.test_report import answers, some_cases

from seatrial.core.score import Score
from seatrial.store.store import Store
from seatrial.verdicts.compare import report
from seatrial.verdicts.questions import ranking
from seatrial.verdicts.questions.ranking import Column, Entry, place, resample


def column(name: str, rate: float, n: int = 600, *, cost: float = 0.002, seconds: float = 1.0, seed: int = 0) -> Column:
    """A target that passes the first share of shuffled cases, with noise in its costs and times."""
    random = np.random.default_rng(seed)
    passed = (np.random.default_rng(99).permutation(n) < rate * n).astype(float)
    noise = random.uniform(0.9, 1.1, (2, n, 1))
    return Column(name, passed[:, None], cost * noise[0], seconds * noise[1])


def ranked(*columns: Column, blocked: str = "", cluster: np.ndarray | None = None, **settings):
    entries = [Entry(c.name, "ship" if at else None, "blocked by the gate g" if c.name == blocked else "")
               for at, c in enumerate(columns)]  # fmt: skip
    labels = np.arange(len(columns[0].passed)) if cluster is None else cluster
    found = place(entries, columns, labels, **settings)
    return found, {s.target: s for s in found.standings}


def test_clear_differences_give_single_ranks_and_equal_ones_share_theirs():
    found, by = ranked(column("old", 0.7), column("good", 0.9), column("twin", 0.9, seed=5), column("bad", 0.5))
    ranks = {name: (s.rank_low, s.rank_high) for name, s in by.items()}
    assert ranks == {"old": (3, 3), "good": (1, 2), "twin": (1, 2), "bad": (4, 4)}
    assert [s.target for s in found.standings][2:] == ["old", "bad"]
    assert found.sentence.startswith("Which passes the most cases is open between good and twin.")
    assert len(found.differences) == 6
    assert found.method == "Tango, simultaneous"


def test_intervals_are_simultaneous():
    two, _ = ranked(column("old", 0.7), column("good", 0.9))
    four, _ = ranked(column("old", 0.7), column("good", 0.9), column("c", 0.6), column("d", 0.5))
    (alone,), together = two.differences, four.differences[0]
    assert (together.first, together.second) == ("old", "good")
    assert together.difference.low < alone.difference.low < alone.difference.high < together.difference.high
    assert alone.difference.value == pytest.approx(-0.2)


def test_the_front_holds_what_is_best_in_something():
    found, by = ranked(
        column("old", 0.70, cost=0.006, seconds=3),
        column("best", 0.90, cost=0.004, seconds=2, seed=1),
        column("cheap", 0.60, cost=0.001, seconds=2, seed=2),
        column("beaten", 0.60, cost=0.005, seconds=3, seed=3),
    )
    assert found.objectives == ("quality", "cost", "latency")
    assert by["best"].p_front == by["cheap"].p_front == 1
    assert by["beaten"].p_front == 0
    assert "best and cheap" in found.sentence
    assert by["best"].cost.value == pytest.approx(4.0, rel=0.02)
    assert by["best"].latency.low <= by["best"].latency.value <= by["best"].latency.high


def test_what_a_gate_blocked_has_no_rank_and_pushes_nobody_off_the_front():
    found, by = ranked(column("old", 0.7, cost=0.003), column("god", 0.99, cost=0.0001, seconds=0.1), blocked="god")
    assert (by["god"].rank_low, by["god"].rank_high, by["god"].p_front) == (None, None, None)
    assert by["god"].excluded == "blocked by the gate g"
    assert (by["old"].rank_low, by["old"].p_front) == (1, 1)
    assert found.standings[-1].target == "god"
    assert found.differences == ()
    assert found.method == "nothing to compare"


def test_an_unknown_price_leaves_cost_out_for_all_and_says_so():
    blind = column("blind", 0.9)
    blind = Column("blind", blind.passed, np.full_like(blind.cost, np.nan), blind.seconds)
    found, by = ranked(column("old", 0.7), blind, column("c", 0.6))
    assert found.objectives == ("quality", "latency")
    assert found.notes == ("The cost of blind is unknown, so the front leaves cost out.",)
    assert by["blind"].cost is None
    assert by["old"].cost is not None


def test_clusters_widen_what_a_rank_may_be():
    arms = column("old", 0.80), column("new", 0.85)
    _, alone = ranked(*arms)
    order = np.argsort(arms[1].passed[:, 0] - arms[0].passed[:, 0], kind="stable")
    cluster = np.empty(600, dtype=np.intp)
    cluster[order] = np.arange(600) // 15
    found, grouped = ranked(*arms, cluster=cluster)
    assert (alone["new"].rank_low, alone["new"].rank_high) == (1, 1)
    assert (grouped["new"].rank_low, grouped["new"].rank_high) == (1, 2)
    assert "effective size" in found.method


def test_the_same_seed_gives_the_same_ranking_and_another_other_draws():
    arms = column("old", 0.7), column("new", 0.71), column("c", 0.69, cost=0.0021)
    assert ranked(*arms)[0] == ranked(*arms)[0]
    assert ranked(*arms, seed=1)[0] != ranked(*arms)[0]


@given(st.data())
def test_laws(data: st.DataObject):
    n, targets = data.draw(st.integers(2, 40)), data.draw(st.integers(2, 5))
    cells = st.sampled_from([0.0, 1.0])
    columns = []
    for at in range(targets):
        passed = np.array(data.draw(st.lists(cells, min_size=n, max_size=n)))[:, None]
        money = np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=n, max_size=n)))[:, None]
        columns.append(Column(f"t{at}", passed, money, money + 1))
    cluster = np.array(data.draw(st.lists(st.integers(0, n), min_size=n, max_size=n)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ranking, "DRAWS", ranking.FEWEST_DRAWS)  # the laws hold after however many
        found, by = ranked(*columns, cluster=cluster)
    fronts = [s.p_front for s in found.standings]
    assert all(0 <= p <= 1 for p in fronts)
    assert sum(fronts) >= 1 - 1e-9, "somebody is always on the front"
    assert all(1 <= s.rank_low <= s.rank_high <= targets for s in found.standings)
    assert min(s.rank_low for s in found.standings) == 1
    for pair in found.differences:
        low, high = pair.difference.low, pair.difference.high
        if low > 0:
            assert by[pair.first].rank_low < by[pair.second].rank_high
        assert low <= pair.difference.value <= high


def test_fewer_draws_for_a_very_large_trial():
    n = 40_000
    arms = [column(f"t{at}", 0.5, n) for at in range(4)]
    draws = resample(arms, np.arange(n) // 1000, 0)
    assert draws.passed.shape == (375, 4)
    assert np.isfinite(draws.seconds).all()


def test_from_a_store(store: Store):
    targets = {name: {"use": f"replay:{name}.jsonl"} for name in ("old", "good", "bad", "gone")}
    asked = make_suite({"name": "right"}, {"name": "safe", "kind": "gate", "limit_points": 50}, targets=targets)
    cases = some_cases(300)
    trial = Trial(store, asked, cases)

    def gone(case, epoch):
        output, _ = answers(set(), prefix="gone")(case, epoch)
        return output, [Score(status="infra_error")] * 2

    trial.write(
        {
            "old": answers(set(range(60)), prefix="old", rubrics=2),
            "good": answers(set(range(10)), prefix="good", rubrics=2),
            "bad": answers(set(range(200)), prefix="bad", rubrics=2),
            "gone": gone,
        }
    )
    found = report(store, "trial-1").ranking
    assert found is not None
    assert [(s.target, s.rank_low, s.rank_high) for s in found.standings] == [
        ("good", 1, 1),
        ("old", 2, 2),
        ("bad", None, None),
    ]
    assert found.standings[2].excluded == "blocked by the gate safe"
    assert found.rubrics == ("right",)
    assert (found.cases, found.clusters) == (300, 300)
    assert found.objectives == ("quality",)
    assert "Not ranked, because not comparable: gone." in found.notes


def test_one_candidate_is_not_ranked(store: Store):
    trial = Trial(store, make_suite({"name": "right"}), some_cases(60))
    trial.write({"old": answers({1}, prefix="old"), "new": answers({2}, prefix="new")})
    assert report(store, "trial-1").ranking is None
