from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest
from tests.reports import made_reports as made

from seatrial.reports import charts, html, methods
from seatrial.reports.charts import Scale
from seatrial.reports.words import OVERALL
from seatrial.verdicts.records import Estimate

VOID = {"meta", "input", "br", "col"}
SVG_ONLY = {"path", "line", "rect", "circle", "text"}
LARGEST = 3_000_000


class Page(HTMLParser):
    """A page's tags, attributes and texts; fails where tags do not nest."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert tag in SVG_ONLY | VOID, tag

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: html(build()) for name, build in made.NAMED.items()}


@pytest.fixture(params=made.NAMED, scope="module")
def page(request, pages) -> str:
    return pages[request.param]


def test_it_nests_has_no_script_no_handler_and_asks_for_nothing(page):
    found = Page(page)
    names = {tag for tag, _ in found.tags}
    assert names.isdisjoint({"script", "img", "iframe", "object", "embed", "link", "base", "form", "audio", "video"})
    for _, attributes in found.tags:
        assert attributes.keys().isdisjoint({"src", "srcset", "action", "style", "xlink:href", "data", "poster"})
        assert not any(name.startswith("on") for name in attributes)
        assert re.fullmatch(r"#candidate-\d+", attributes.get("href") or "#candidate-1")
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_its_one_style_and_nothing_else(page):
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_it_is_utf8_and_small(page):
    assert len(page.encode("utf-8")) < LARGEST
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)


def test_every_row_chart_has_a_title_and_every_table_a_head(page):
    found = Page(page)
    images = [attributes for tag, attributes in found.tags if tag == "svg" and attributes.get("role") == "img"]
    assert page.count('role="img"><title>') == len(images)
    hidden = [a for t, a in found.tags if t == "svg" and "role" not in a and a.get("class") != "point"]
    assert all(a.get("aria-hidden") == "true" for a in hidden)
    assert sum(tag == "table" for tag, _ in found.tags) == sum(tag == "thead" for tag, _ in found.tags)
    assert all(a.get("scope") in {"col", "row"} for t, a in found.tags if t == "th")
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1


@pytest.mark.parametrize("name", ["three candidates", "twelve rubrics", "single arm", "not evaluable"])
def test_it_says_every_sentence_and_name(pages, name):
    report = made.NAMED[name]()
    text = Page(pages[name]).text
    for verdict in report.verdicts:
        assert OVERALL[verdict.overall].capitalize() in text
        assert verdict.headline in text
    for rubric in [r for v in report.verdicts for r in v.rubrics] + list(report.rates):
        assert rubric.name in text
        assert rubric.sentence in text
    for arm in report.arms:
        assert arm.target in text
    assert report.dataset_hash in text
    assert report.suite_hash in text


SAID = [
    pytest.param("block", "4.0% up to 5.8%", id="gate-and-its-bound"),
    pytest.param("block", "19 of 480, incumbent 0.2%", id="gate-counts"),
    pytest.param("ship", "+2.0 [+0.7, +3.3]", id="difference"),
    pytest.param("ship", "0.71× [0.64, 0.79]", id="ratio"),
    pytest.param("ship", "Cost per 1,000 $1.90 (−39%)", id="economy"),
    pytest.param("block", "Cost per 1,000 unknown", id="unknown-cost-is-said"),
    pytest.param("block", "Gates 1 of 2", id="tally"),
    pytest.param("ship", "90.1% → 92.1%, n 1,560", id="how-many-were-compared"),
    pytest.param("ship", "Thick line: 90% interval, which decides; thin line: 95% interval.", id="lines-of-quality"),
    pytest.param(
        "block", "of a gate, from its lower to its upper one-sided 95% bound; of a limit", id="lines-of-gates"
    ),
    pytest.param("ship", "latency p50, all cases", id="latency-of-all-cases"),
    pytest.param("inconclusive", "About 1,240 further cases would settle it.", id="what-would-settle-it"),
    pytest.param("inconclusive", "Fragile: other missing results", id="flag"),
    pytest.param("inconclusive", "−3.1 … −0.9", id="missing-bounds"),
    pytest.param("sample", "On a sample of 300 of 1,560 cases (seed 7)", id="sample"),
    pytest.param("ship", "214 more differences are counted but not on this page", id="flips-left-out"),
    pytest.param("ship", "Tango score interval at the effective sample size", id="method"),
    pytest.param("ship", "Benjamini–Hochberg adjustment", id="method-of-slices"),
    pytest.param("ship", "Woodruff 1952", id="source-of-a-method"),
    pytest.param("single arm", "How well does frigate-3 do?", id="single-arm"),
    pytest.param("not evaluable", "1,560 results are missing", id="warning"),
    pytest.param("ship", "alpha 0.05", id="policy"),
    pytest.param("ship", "refund status 512", id="composition"),
]


@pytest.mark.parametrize(("name", "text"), SAID)
def test_it_says(pages, name, text):
    assert text in Page(pages[name]).text


def test_only_methods_in_use_are_explained(pages):
    text = Page(pages["single arm"]).text
    assert "Wilson score interval" in text
    assert "Tango" not in text
    assert "Holm adjustment" not in text


def test_words_that_differ_are_marked(pages):
    page = pages["block"]
    assert "<del>inside</del>" in page
    assert "<ins>outside</ins>" in page


def test_hostile_text_is_shown_as_text(pages):
    text = Page(pages["hostile"]).text
    assert "</script><script>alert(1)</script> <img src=x onerror=alert(2)>" in text
    assert "{{ 7*7 }}" in text
    assert "␛[31mred␛[0m ␀ ␇ ⟨U+009B⟩31m" in text
    assert "⟨U+D800⟩" in text
    assert "⟨U+202E⟩gnp.exe" in text


@pytest.mark.parametrize("filler", ["&", "日", "a\u202e", "\U0001f600", "<a b='\"'>", "x"])
def test_the_largest_report_stays_below_its_limit(filler):
    flip = made.flips(1)[0]
    text = (filler * 4000)[:4000]
    big = dict.fromkeys(("input", "expected", "incumbent", "incumbent_reason", "candidate_reason"), text)
    many = tuple(flip.model_copy(update={**big, "candidate": text[::-1], "case_id": f"c{i}"}) for i in range(200))
    verdict = made.block().model_copy(update={"flips": many})
    page = html(made.report(verdict, verdict, verdict))
    assert len(page.encode()) < LARGEST
    assert "more characters" in page
    shown, left_out = page.count('<details class="flip'), re.findall(r"([\d,]+) more differences are", page)
    assert shown + sum(int(n) for n in left_out) == 600


def test_two_hundred_full_flips_are_all_shown(pages):
    assert pages["200 big flips"].count('<details class="flip') == 200


def test_many_verdicts_rubrics_slices_and_values_stay_bounded():
    rubric = made.quality("r", 1345, 92, 61, 62, slices=made.slices())
    verdict = made.ship().model_copy(update={"rubrics": (rubric,) * 40})
    page = html(made.report(*(verdict,) * 25, composition={"s": {f"v{i}": i for i in range(5000)}}))
    assert len(page.encode()) < LARGEST
    assert "5 more verdicts" in page
    assert "25 more rubrics" in page
    assert "more slices" in page or "slices more" in page
    assert "4,988 more values" in page


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


STYLE = resources.files("seatrial.reports").joinpath("templates", "report.css").read_text("utf-8")
SCHEMES = [
    dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})\b", block))
    for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
]
TEXT_ON_GROUND = [
    (text, ground)
    for text in ("ink", "soft", "ship", "block", "inconclusive", "not_evaluable", "shown")
    for ground in ("paper", "card")
] + [("ink", "del"), ("ink", "ins")]


@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_at_least_aa(scheme, text, ground):
    assert contrast(SCHEMES[scheme][text], SCHEMES[scheme][ground]) >= 4.5


def test_each_decision_has_a_shape_of_its_own():
    assert len(set(charts.SHAPES.values())) == len(charts.SHAPES)
    assert charts.SHAPES.keys() >= OVERALL.keys()


def test_scale():
    scale = Scale(-0.05, 0.05)
    assert [scale.at(v) for v in (-1, -0.05, 0, 0.05, 1)] == ["2.00%", "2.00%", "50.00%", "98.00%", "98.00%"]
    assert [round(t, 3) for t in scale.ticks()] == [-0.04, -0.02, 0.0, 0.02, 0.04]


@pytest.mark.parametrize("low", [-0.051, -0.3, -0.9, -0.0049])
@pytest.mark.parametrize("high", [0.01, 0.27, 0.9, 0.0049])
def test_labels_of_a_small_chart_do_not_touch(low, high):
    result = made.slices()[0]
    wide = result.difference.model_copy(update={"low": low, "high": high})
    axis = str(charts.axis(charts.slices_scale([result.model_copy(update={"difference": wide})])))
    at = [float(x) for x in re.findall(r'x="([\d.]+)%"', axis)]
    labels = re.findall(r">([^<>]+)</text>", axis)
    assert 2 <= len(labels) == len(at) <= 5
    narrowest, letter = 150, 7  # px: the chart on a phone, a digit
    gaps = [(right - left) / 100 * narrowest for left, right in pairwise(at)]
    ends = pairwise(labels)
    assert all(gap > letter * (len(a) + len(b)) / 2 for gap, (a, b) in zip(gaps, ends, strict=True))


def test_a_forest_line_draws_margin_zero_intervals_and_point_in_order():
    rubric = made.quality("resolution", 1345, 92, 61, 62)
    scale = charts.points_scale([rubric])
    svg = str(charts.forest(rubric, scale))
    at = {name: [float(x) for x in re.findall(rf'class="{name}" x1="([\d.]+)%" x2="([\d.]+)%"', svg)[0]]
          for name in ("zero", "margin", "thin", "thick")}  # fmt: skip
    point = float(re.search(r'class="point" x="([\d.]+)%"', svg)[1])
    assert at["margin"][0] < at["zero"][0] < at["thin"][0] < at["thick"][0] < point < at["thick"][1] < at["thin"][1]
    assert at["margin"][0] == at["margin"][1]
    assert "<title>resolution: +2.0 points, 90% interval [+0.7, +3.3]; margin −3.0: PASS.</title>" in svg


def test_a_gate_far_beyond_its_limit_gets_an_arrow():
    kept, broken = made.gate("kept", 0, 0, 480, 0.01), made.gate("broken", 60, 0, 480, 0.01)
    scale = charts.allowance_scale([kept, broken])
    assert scale.high == charts.FURTHEST
    assert "arrow" in str(charts.allowed(broken, scale))
    assert "arrow" not in str(charts.allowed(kept, scale))
    assert charts.allowance(kept)[1] == 0


@pytest.mark.parametrize("draw", [charts.forests, charts.allowances, charts.dumbbells])
def test_a_rubric_without_numbers_can_be_drawn(draw):
    empty = made.not_evaluable().verdicts[0].rubrics[0]
    for rubric in (empty, empty.model_copy(update={"candidate": None, "incumbent": None, "margin": None})):
        assert "<title>" in str(draw(Scale(0, 1))(rubric))
    for scale in (charts.points_scale([]), charts.rates_scale([]), charts.allowance_scale([]), charts.slices_scale([])):
        assert scale.low < scale.high


def test_half_open_intervals_reach_the_edge():
    rubric = made.quality("r", 1345, 92, 61, 62)
    open_ = rubric.model_copy(update={"difference": Estimate(value=0.01, low=0.0, high=None, method="m")})
    assert 'x2="98.00%"' in str(charts.forest(open_, charts.points_scale([rubric])))


METHODS = [
    ("Tango", "Tango score interval"),
    ("Tango at the effective size of the clusters", "Tango score interval at the effective sample size"),
    ("Tango's score test at the effective size", "Tango's score test"),
    ("mid-p McNemar on clusters with any failure", "Mid-p McNemar test"),
    ("Wilson", "Wilson score interval"),
    ("Wilson at the effective size of the clusters", "Wilson interval at the effective sample size"),
    ("Clopper–Pearson, one-sided", "Clopper–Pearson interval"),
    ("Clopper–Pearson at the effective size of the clusters, one-sided", "Clopper–Pearson interval"),
    ("mean, cluster-robust t", "Cluster-robust t interval"),
    ("mean; all measures are equal", "Mean"),
    ("ratio of means, log scale, cluster-robust t", "Cluster-robust t interval"),
    ("p95, order statistics at the effective size of the clusters", "Order-statistic interval of a percentile"),
    ("ratio of p95s, bootstrap of clusters (1,000 draws, seed 0)", "Bootstrap over clusters"),
]


@pytest.mark.parametrize(("name", "title"), METHODS)
def test_methods_are_recognised(name, title):
    found = methods.describe(name)
    assert found is not None
    assert found.title == title


def test_an_unknown_method_is_named_and_not_explained():
    assert methods.describe("astrology") is None
    rubric = made.quality("r", 1345, 92, 61, 62)
    odd = rubric.model_copy(update={"difference": rubric.difference.model_copy(update={"method": "astrology"})})
    text = Page(html(made.report(made.ship().model_copy(update={"rubrics": (odd,)})))).text
    assert "astrology 1 number Named by the scorer" in text
