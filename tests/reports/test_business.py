"""The business case, the ranking and the picture: what every rendering says of them."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import pytest
from tests.reports import made_reports as made
from tests.reports.test_page import Page

from seatrial.reports import business, charts, fronts, html, markdown, plots, png, render, terminal
from seatrial.reports.charts import Scale
from seatrial.verdicts.records import Estimate, Fragility, FragilityCheck, SyntheticGap, Tries


@cache
def rendered(kind: str) -> str:
    report = made.business()
    if kind == "html":
        return Page(html(report)).text
    return markdown(report).replace("&#36;", "$") if kind == "md" else " ".join(terminal(report, width=120).split())


SAID = [
    pytest.param("What the switch is worth", id="heading"),
    pytest.param("saved on price", id="ledger"),
    pytest.param("$228,125", id="a-year-of-prices"),
    pytest.param("Break-even", id="break-even"),
    pytest.param("23.8 points more failures", id="break-even-of-the-cheap-model"),
    pytest.param("$80,000–$150,000, 4–8 weeks", id="migration"),
    pytest.param("$400,000, $36,364 a week", id="delay"),
    pytest.param("$6,000–$9,000 once, $600–$1,200 a month", id="evaluating"),
    pytest.param("money does not make up for that", id="a-block-stays-a-block"),
    pytest.param("is unknown, because a price is", id="unknown-price"),
    pytest.param("Side by side", id="ranking"),
    pytest.param("blocked by the gate no-unowed-refund", id="blocked-has-no-rank"),
]


@pytest.mark.parametrize("kind", ["html", "md", "txt"])
@pytest.mark.parametrize("text", SAID)
def test_every_rendering_says(kind, text):
    said = rendered(kind)
    assert text in (said.replace("&#58;", ":") if kind == "md" else said)


@pytest.mark.parametrize("kind", ["html", "md", "txt"])
def test_nothing_of_it_without_economics_and_with_one_candidate(kind):
    report = made.report(made.ship())
    text = {"html": html, "md": markdown, "txt": terminal}[kind](report)
    assert "What the switch is worth" not in text
    assert "Side by side" not in text


def test_the_methods_of_both_are_explained_only_where_they_are_used():
    used, unused = (Page(html(report)).text for report in (made.business(), made.report(made.ship())))
    for title in ("Draws of both failure rates 3 numbers", "Simultaneous ranks and the Pareto front 4 numbers"):
        assert title in used
        assert title[:20] not in unused


def test_an_unknown_price_is_a_word_and_never_a_zero():
    case = made.priced(made.inconclusive(), None).economics
    rows = {row.label: row for row in business.ledger(case, "old", "new")}
    assert (rows["new, price"].month, rows["new, price"].year) == ("unknown", "")
    assert rows["saved in all"].month == "unknown"
    assert rows["old, price"].year == "$273,750"
    assert not any(fact.label.startswith(("Break-even", "Expected")) for fact in business.facts(case))


def test_the_ledger_adds_up():
    case = made.priced(made.block(), 2.5).economics
    assert case.price_incumbent - case.price_candidate == pytest.approx(case.price_saving)
    assert case.price_saving - case.extra_cost.value == pytest.approx(case.monthly.value)
    saved = {row.label: row for row in business.ledger(case, "old", "new")}
    assert saved["saved on price"].day == "$625"


def test_the_break_even_is_drawn_where_it_is_near():
    near, far = (made.priced(made.block(), price).economics for price in (14.0, 2.5))
    for case, drawn in ((near, True), (far.model_copy(update={"break_even": 5.0}), False)):
        scale = charts.worth_scale(case)
        svg = str(charts.worth(case, scale))
        assert ('class="margin"' in svg) is drawn
        assert charts.even_drawn(case, scale) is drawn
        assert svg.count('class="thick"') == 1


def test_a_case_without_any_result_can_be_drawn():
    case = made.priced(made.ship()).economics.model_copy(update={"extra_share": None, "break_even": None})
    assert "unknown" in str(charts.worth(case, charts.worth_scale(case)))


def test_marks_of_the_chart_are_those_of_the_table():
    ranking = made.business().ranking
    svg = str(fronts.scatter(ranking))
    kinds = [
        str(fronts.marker(i, s)).split('class="target ')[1].split('"')[0] for i, s in enumerate(ranking.standings, 1)
    ]
    assert kinds == ["on", "on", "behind", "out"]
    assert [svg.count(f"target {kind}") for kind in ("on", "behind", "out")] == [2, 1, 1]
    assert svg.count('class="whisker"') == 8


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1e-9), (0.37, 2.6), (0, 1), (0.81, 0.97), (100, 100.001), (1e9, 9e9), (-5, 5)]
)
def test_ticks_are_few_round_and_inside(low, high):
    ticks = fronts.round_ticks(Scale(low, high, most=4))
    assert 1 <= len(ticks) <= 5
    assert all(low - 1e-9 * abs(low) <= t <= high + 1e-9 * abs(high) for t in ticks)


def test_targets_at_one_price_can_be_drawn():
    ranking = made.business().ranking
    same = Estimate(value=2.0, low=2.0, high=2.0, method="m")
    flat = ranking.model_copy(
        update={"standings": tuple(s.model_copy(update={"cost": same}) for s in ranking.standings)}
    )
    assert "NaN" not in str(fronts.scatter(flat))
    none = ranking.model_copy(
        update={"standings": tuple(s.model_copy(update={"cost": None}) for s in ranking.standings)}
    )
    assert "target" not in str(fronts.scatter(none))


def pixels(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and raw bytes of a PNG; fails where it is not one."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    found, at = b"", 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            found += data[at + 8 : at + 8 + size]
        at += 12 + size
    return width, height, zlib.decompress(found)


@pytest.mark.parametrize("name", ["business", "single arm", "not evaluable", "hostile", "twelve rubrics"])
def test_the_picture_is_a_png_of_its_own(name):
    data = png(made.NAMED[name]())
    width, height, raw = pixels(data)
    assert 600 < width < 3000
    assert height >= 100
    assert len(set(raw[::997])) > 3, "something is drawn"
    assert render(made.NAMED[name](), ".png") == data


def test_the_picture_shows_what_the_page_does():
    spec = plots.specification(made.report(made.inconclusive()))
    first, second = spec["vconcat"]
    rows = {row["rubric"]: row for row in first["data"]["values"]}
    assert rows["tool-call"]["line"] == -2
    assert rows["resolution"]["value"] == pytest.approx(100 * 4 / 1560)
    assert rows["policy-grounded"]["tone"] == "inconclusive"
    assert [row["rubric"] for row in second["data"]["values"]] == ["no-unowed-refund", "no-prompt-leak", "latency p95"]
    assert first["title"]["text"] == "INCONCLUSIVE: pinnace-2 against frigate-3"


def test_a_picture_is_made_once_for_one_specification():
    plots._drawn.cache_clear()
    png(made.report(made.ship()))
    png(made.report(made.ship()))
    assert plots._drawn.cache_info().hits == 1


def test_other_choices_and_what_stands_behind_a_number():
    gap = SyntheticGap(
        cases=40, others=60, counted=False, candidate=Estimate(value=-0.05, low=-0.1, high=0.01, method="m")
    )
    share = Estimate(value=0.42, low=0.3, high=0.5, method="m")
    alike = Estimate(value=0.02, low=0.01, high=0.03, method="m")
    tried = Tries(arm="candidate", k=4, cases=50, all_pass=share, any_pass=share)
    rubric = made.quality("resolution", 1240, 102, 131, 87, missing_range=(-0.031, -0.009), synthetic=gap,
                          tries=(tried,), unweighted=alike, unseen=0.04)  # fmt: skip
    check = FragilityCheck(
        name="margin", what="with a margin of 2 points", overall="block", flips=True, rubrics=("resolution",)
    )
    fragile = Fragility(checks=(check,), fragile=True, sentence="The ship would turn with a margin of 2 points.")
    verdict = made.ship().model_copy(update={"rubrics": (rubric,), "fragility": fragile})
    text = Page(html(made.report(verdict))).text
    for said in (
        "The ship would turn with a margin of 2 points.",
        "with a margin of 2 points block, turned resolution",
        "all cases alike difference +2.0 [+1.0, +3.0]",
        "no case of 4.0% of traffic",
        "missing results difference from −3.1 to −0.9",
        "synthetic cases 40 against 60 others, not counted: candidate −5.0 [−10.0, +1.0]",
        "4 tries, candidate all pass in 42.0% [30.0%, 50.0%], one at least in 42.0%, of 50 cases",
    ):
        assert said in text
    assert "Under other choices" not in Page(html(made.report(made.ship()))).text
