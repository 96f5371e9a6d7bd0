"""The business case: known answers of its arithmetic, laws of its uncertainty, and what it makes of what is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.verdicts.made_trials import Trial, make_suite
from tests.verdicts.test_report import answers, some_cases

from seatrial.core.economics import EconomicsSpec
from seatrial.core.suite import Suite
from seatrial.store.store import Store
from seatrial.verdicts.compare import report
from seatrial.verdicts.questions.economics import business_case, chance, dollars
from seatrial.verdicts.records import ArmSummary, Economics, Money, Pairs

PIPELINE: dict[str, Any] = {
    "unit": "document",
    "units": 10_000,
    "failure_cost": 8,
    "tokens": {"input": 50_000_000, "per": "day"},
    "migration": {"weeks": [4, 8], "dollars": [80_000, 150_000]},
    "delay": {"weeks": 11, "dollars": 400_000},
    "evaluation": {"setup_hours": [40, 60], "upkeep_hours": [4, 8]},
    "hour": 150,
}
"""A pipeline of 10,000 documents a month and 50 million tokens a day, $8 for a person to review one that failed."""

TARGETS = {
    "old": {"use": "openai:big", "price": {"input": 15, "output": 75}},
    "new": {"use": "openai:small", "base_url": "http://127.0.0.1:9/v1", "price": {"input": 2.5, "output": 10}},
}


def suite(economics: dict[str, Any] | None = None, **fields: Any) -> Suite:
    given_ = PIPELINE if economics is None else economics
    return make_suite({"name": "right"}, **{"targets": TARGETS, "economics": given_, **fields})


def pairs(gained: int, lost: int, n: int, *, both: int | None = None, deflation: float = 1.0) -> Pairs:
    kept = n - gained - lost if both is None else both
    return Pairs(n=n, both=kept, gained=gained, lost=lost, neither=n - kept - gained - lost, missing=0, clusters=n,
                 discordant_clusters=gained + lost, deflation=deflation)  # fmt: skip


def arm(name: str, cost: float | None = None, outputs: int = 1000, unknown: int = 0) -> ArmSummary:
    return ArmSummary(target=name, use="", outputs=outputs, statuses={"ok": outputs}, cost=cost, cost_unknown=unknown)


def case(found: Pairs, economics: dict[str, Any] | None = None, **fields: Any) -> Economics:
    return business_case(suite(economics, **fields), found, arm("new"), arm("old"))


WORSE = pairs(20, 170, 1000, both=700)
"""The candidate fails 15 points more often."""

DAY = 365 / 12

KNOWN = [
    pytest.param(lambda e: e.price_saving / DAY, 625, id="price-saving-a-day"),
    pytest.param(lambda e: e.price_saving * 12, 228_125, id="price-saving-a-year"),
    pytest.param(lambda e: e.extra_share.value, 0.15, id="further-failures"),
    pytest.param(lambda e: e.extra_units.value, 1_500, id="further-failed-documents-a-month"),
    pytest.param(lambda e: e.extra_cost.value, 12_000, id="their-cost-a-month"),
    pytest.param(lambda e: e.extra_cost.value * 12, 144_000, id="their-cost-a-year"),
    pytest.param(lambda e: e.break_even, 228_125 / 960_000, id="break-even-23.8-points"),
    pytest.param(lambda e: round(100 * e.break_even, 1), 23.8, id="break-even-rounded"),
    pytest.param(lambda e: e.monthly.value * 12, 84_125, id="saved-in-all-a-year"),
    pytest.param(lambda e: e.saving.value, 84_125 - 115_000, id="migration-paid"),
    pytest.param(lambda e: e.evaluation.setup, Money(low=6_000, high=9_000), id="setting-up"),
    pytest.param(lambda e: e.evaluation.upkeep, Money(low=600, high=1_200), id="upkeep-a-month"),
    pytest.param(lambda e: round(e.evaluation.days.low), 16, id="earned-back-at-the-earliest"),
    pytest.param(lambda e: round(e.evaluation.days.high), 25, id="earned-back-at-the-latest"),
    pytest.param(lambda e: e.migration, Money(low=80_000, high=150_000), id="migration"),
    pytest.param(lambda e: e.migration_weeks, Money(low=4, high=8), id="migration-weeks"),
    pytest.param(lambda e: e.delay_weeks, 11, id="delay"),
    pytest.param(lambda e: round(e.delay / e.delay_weeks), 36_364, id="a-week-of-delay"),
]


@pytest.mark.parametrize(("figure", "expected"), KNOWN)
def test_known_answers(figure, expected):
    found = figure(case(WORSE))
    assert found == (expected if isinstance(expected, Money) else pytest.approx(expected, rel=1e-12))


def test_without_migration_the_cheap_model_wins_at_fifteen_points_and_loses_beyond_the_break_even():
    plain = {key: value for key, value in PIPELINE.items() if key != "migration"}
    assert case(WORSE, plain).p_pays == 1
    assert case(pairs(20, 420, 1000, both=500), plain).p_pays == 0
    close = case(pairs(20, 258, 1000, both=500), plain)
    assert close.saving.low < 0 < close.saving.high
    assert 0.2 < close.p_pays < 0.8


def test_what_the_sentence_says():
    assert case(WORSE).sentence == (
        "In 12 months, migration paid, a switch to new loses $30,875 (95% interval −$13,337 to $74,575): "
        "it pays with a probability of 11%."
    )


def test_an_unknown_price_stays_unknown_and_failures_still_cost():
    targets = {**TARGETS, "new": {"use": "openai:small", "base_url": "http://127.0.0.1:9/v1"}}
    found = case(WORSE, targets=targets)
    assert found.price_candidate is None
    assert found.price_incumbent == pytest.approx(750 * DAY)
    unknown = ("price_saving", "break_even", "monthly", "saving", "p_pays", "loss_if_shipped", "loss_if_kept", "evpi")
    assert all(getattr(found, name) is None for name in unknown)
    assert found.extra_cost.value == pytest.approx(12_000)
    assert "the suite gives new no price for these tokens" in found.price_sources
    assert found.sentence.startswith("Whether a switch to new pays is unknown, because a price is; its failures cost")


def test_without_tokens_an_answer_costs_what_the_trials_own_did():
    given_ = {"units": 1_000, "failure_cost": 1, "requests": 3, "fixed": {"new": 50}}
    found = business_case(suite(given_), WORSE, arm("new", 1.0, 500, unknown=100), arm("old", 4.0, 400))
    assert found.price_candidate == pytest.approx(1.0 / 400 * 3 * 1_000 + 50)
    assert found.price_incumbent == pytest.approx(4.0 / 400 * 3 * 1_000)
    assert found.more_cost == pytest.approx(500 * (1.0 / 400 + 4.0 / 400))
    assert found.price_sources == ("what this trial's answers cost",)
    blind = business_case(suite(given_), WORSE, arm("new", None, 500, unknown=500), arm("old", 4.0, 400))
    assert (blind.price_candidate, blind.more_cost, blind.p_pays) == (None, None, None)


def test_token_classes_have_their_own_prices():
    priced = {"use": "openai:m", "price": {"input": 10, "cached": 1, "output": 20, "reasoning": 40}}
    tokens = {"input": 3_000_000, "cached": 1_000_000, "output": 2_000_000, "reasoning": 500_000}
    found = case(WORSE, {**PIPELINE, "tokens": tokens}, targets={**TARGETS, "old": priced})
    assert found.price_incumbent == pytest.approx(2 * 10 + 1 * 1 + 1.5 * 20 + 0.5 * 40)


def test_no_pair_says_so():
    nothing = pairs(0, 0, 0, both=0)
    found = case(nothing)
    assert found.saving is None
    assert found.sentence == "No case has a result of both arms, so what failures cost is unknown."


def test_weeks_are_priced_by_the_hour():
    found = case(WORSE, {**PIPELINE, "migration": {"weeks": 2}})
    assert found.migration == Money(low=12_000, high=12_000)


counts = st.tuples(*[st.integers(0, 400)] * 4).filter(any)


@given(counts, st.floats(1, 20))
def test_laws_of_the_uncertainty(cells, deflation):
    both, gained, lost, _ = cells
    n = sum(cells)
    size = n / min(deflation, n)
    found = case(pairs(gained, lost, n, both=both, deflation=n / size))
    drawn = (lost - gained) / n * size / (size + 2)  # the mean of Dirichlet(counts + 1/2)
    expected = 228_125 - 960_000 * drawn - 115_000
    error = (found.saving.high - found.saving.low) / 2 / 100  # two standard errors of 10,000 draws
    assert found.loss_if_kept - found.loss_if_shipped == pytest.approx(expected, abs=3 * error)
    assert 0 <= found.p_pays <= 1
    assert found.saving.low <= found.saving.high
    assert 0 <= found.more_worth <= found.evpi + 1e-6
    assert found.delay_expected == pytest.approx((1 - found.p_pays) * 400_000)
    assert found.loss_if_shipped >= 0
    assert found.loss_if_kept >= 0


def test_clusters_widen_the_interval():
    alone, grouped = case(WORSE), case(WORSE.model_copy(update={"deflation": 4.0}))
    wide = [e.extra_share.high - e.extra_share.low for e in (alone, grouped)]
    assert wide[1] == pytest.approx(2 * wide[0], rel=0.05)
    assert "effective size" in grouped.extra_share.method


def test_the_same_seed_gives_the_same_record():
    assert case(WORSE) == case(WORSE)
    assert case(WORSE) != case(WORSE, seed=1)


FAULTS = [
    pytest.param({"units": 0}, "greater than 0", id="no-work"),
    pytest.param({"units": float("nan")}, "finite|greater than 0", id="nan"),
    pytest.param({"failure_cost": -1}, "greater than 0", id="negative-failure"),
    pytest.param({"migration": {"weeks": [8, 4]}}, "must begin with the lower end", id="span-backwards"),
    pytest.param({"migration": {"weeks": [1, 2, 3]}}, "at most 2 items", id="span-of-three"),
    pytest.param({"migration": {"weeks": "many"}}, "valid number", id="span-of-words"),
    pytest.param({"migration": {}}, "needs weeks or dollars", id="empty-migration"),
    pytest.param({"tokens": {}}, "needs input or output", id="no-tokens"),
    pytest.param({"tokens": {"input": 1, "cached": 2}}, "cached is a part of input", id="more-cached-than-read"),
    pytest.param({"hour": None}, "needs `hour`", id="hours-without-a-price"),
    pytest.param({"per": "fortnight"}, "'day', 'week', 'month' or 'year'", id="period"),
    pytest.param({"more": 0}, "greater than or equal to 1", id="no-further-cases"),
    pytest.param({"surprise": 1}, "Extra inputs", id="unknown-key"),
]


@pytest.mark.parametrize(("change", "said"), FAULTS)
def test_faults_of_the_section(change, said):
    with pytest.raises(ValidationError, match=said):
        EconomicsSpec.model_validate({**PIPELINE, **change})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"fixed": {"nobody": 1}}, "economics.fixed names no target: nobody", id="target"),
        pytest.param({"failed_by": ["wrong"]}, "economics.failed_by names wrong; it may name right", id="rubric"),
    ],
)
def test_names_that_the_suite_does_not_have(change, said):
    with pytest.raises(ValidationError, match=said):
        suite({**PIPELINE, **change})


def test_a_suite_without_the_section_keeps_its_hash_and_has_no_case(store: Store):
    plain = make_suite({"name": "right"})
    assert "economics" not in plain.model_dump(exclude_defaults=True)
    trial = Trial(store, plain, some_cases(60))
    trial.write({"old": answers(set(), prefix="old"), "new": answers({1, 2}, prefix="new")})
    assert report(store, "trial-1").verdicts[0].economics is None


def test_from_a_store_a_unit_fails_when_any_of_the_rubrics_does(store: Store):
    given_ = {"units": 100, "failure_cost": 10, "failed_by": ["right", "kind"], "fixed": {"old": 300, "new": 100}}
    asked = make_suite({"name": "right"}, {"name": "kind"}, {"name": "other"}, economics=given_)
    cases = some_cases(200)
    trial = Trial(store, asked, cases)

    def both(right: set[int], kind: set[int], prefix: str):
        first, second = answers(right, prefix=prefix), answers(kind, prefix=prefix)
        all_fail = answers(set(range(200)), prefix=prefix)
        return lambda c, e: (
            first(c, e)[0].model_copy(update={"messages": first(c, e)[0].messages}),
            [first(c, e)[1][0], second(c, e)[1][0], all_fail(c, e)[1][0]],
        )

    trial.write({"old": both({0, 1}, {1, 2}, "old"), "new": both({0, 5}, {6}, "new")})
    found = report(store, "trial-1").verdicts[0].economics
    assert found is not None
    assert (found.pairs.n, found.pairs.gained, found.pairs.lost, found.pairs.neither) == (200, 2, 2, 1)
    assert found.failed_by == ("right", "kind")
    assert found.price_candidate is None, "recorded outputs without a cost have no price, whatever is fixed"


WORDS = [(0, "$0.00"), (8.5, "$8.50"), (-31_000.4, "−$31,000"), (228_125, "$228,125"), (-0.5, "−$0.50")]


@pytest.mark.parametrize(("value", "text"), WORDS)
def test_dollars_in_words(value, text):
    assert dollars(value) == text


@pytest.mark.parametrize(("share", "text"), [(0, "under 0.01%"), (0.004, "under 1%"), (0.5, "50%"), (1, "over 99.99%")])
def test_chances_in_words(share, text):
    assert chance(share) == text
