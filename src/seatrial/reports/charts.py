"""Small SVG charts. Every x is a percentage of the width, so a chart fits any screen without a script.

A row of a chart is an SVG of its own that fills its table cell, axis lines included: stacked rows read as one plot.
Colours come from the page's stylesheet by class; shape and fill say the same without colour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from markupsafe import Markup, escape

from seatrial.reports import format as f
from seatrial.reports import words as w
from seatrial.verdicts.records import Economics, Estimate, Rate, RubricResult, SliceResult

EDGE = 2.0
"""Per cent of the width kept free at both ends."""

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

MOST_STEPS_OF_A_SLICE = 4
"""Between ticks of a small chart: its labels must not touch on a phone."""

FURTHEST = 4.0
"""How many times its limit a bound is drawn; what lies beyond gets an arrow."""

FAR = 10.0
"""How many times further than the failures found the break-even may lie and still be drawn."""

SHAPES = {
    "ship": "M0-6A6 6 0 1 1 0 6 6 6 0 1 1 0-6Z",
    "block": "M-5.5-5.5h11v11h-11Z",
    "inconclusive": "M0-7.5 7.5 0 0 7.5-7.5 0Z",
    "not_evaluable": "M-6-2h12v4h-12Z",
    "shown": "M0-4A4 4 0 1 1 0 4 4 4 0 1 1 0-4Z",
}
"""Circle, square, diamond, bar and dot: a decision's shape, drawn around 0,0."""

SIGNS = {
    "ship": "M-9 1-3 7 10-7",
    "block": "M-7-7 7 7M7-7-7 7",
    "inconclusive": "M-6-4.5A6 5.6 0 1 1 0 3.4V5.4M0 10.2v.2",
    "not_evaluable": "M-8 0h16",
}
SIGN_GROUNDS = {
    "ship": "M0-20A20 20 0 1 1 0 20 20 20 0 1 1 0-20Z",
    "block": "M-18-18h36v36h-36Z",
    "inconclusive": "M0-24 24 0 0 24-24 0Z",
    "not_evaluable": "M-20-12h40v24h-40Z",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis from `low` to `high` over the width of a chart, with `most` steps between ticks at most."""

    low: float
    high: float
    most: int = 6

    def at(self, value: float) -> str:
        """Where a value stands, as a percentage of the width; values beyond the axis stand at its ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return f"{EDGE + share * (100 - 2 * EDGE):.2f}%"

    def ticks(self) -> list[float]:
        """Round values on the axis."""
        width = self.high - self.low
        step = next((s for s in STEPS if width / s <= self.most), width)
        first = int(self.low / step) - 1
        found = [step * i for i in range(first, first + 2 * self.most + 4)]
        return [0.0 if abs(t) < step / 2 else t for t in found if self.low <= t <= self.high]


def _span(values: Iterable[float | None], pad: float, least: float) -> Scale:
    known = [v for v in values if v is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    missing = max(0.0, least - (high - low)) / 2
    extra = (high - low) * pad + missing
    return Scale(low - extra, high + extra)


def points_scale(rubrics: Sequence[RubricResult]) -> Scale:
    """An axis that holds every difference of these rubrics, their margins and zero."""
    ends = [v for r in rubrics for e in (r.difference, r.difference_wide) if e for v in (e.low, e.high, e.value)]
    margins = [-r.margin for r in rubrics if r.margin is not None]
    return _span([0.0, *ends, *margins, *(-m / 2 for m in margins)], 0.06, 0.01)


def slices_scale(slices: Sequence[SliceResult]) -> Scale:
    """An axis that holds every difference of these slices and zero; its chart is narrow, so its ticks are few."""
    found = _span([0.0, *(v for s in slices for v in (s.difference.low, s.difference.high))], 0.04, 0.01)
    return replace(found, most=MOST_STEPS_OF_A_SLICE)


def rates_scale(rubrics: Sequence[RubricResult]) -> Scale:
    """An axis that holds the rates of both arms with their intervals, within 0 and 1."""
    rates = [rate.estimate for r in rubrics for rate in (r.candidate, r.incumbent) if rate]
    found = _span([v for e in rates for v in (e.low, e.high, e.value)], 0.06, 0.1)
    return Scale(max(0.0, found.low), min(1.0, found.high))


def _svg(parts: Sequence[str], title: str, tone: str = "", kind: str = "row") -> Markup:
    inside = "".join(parts)
    return Markup(f'<svg class="{kind} {tone}" role="img"><title>{escape(title)}</title>{inside}</svg>')  # noqa: S704


def _vertical(scale: Scale, value: float, kind: str) -> str:
    x = scale.at(value)
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="0" y2="100%"/>'


def _across(scale: Scale, low: float | None, high: float | None, kind: str, y: str = "50%") -> str:
    if low is None and high is None:
        return ""
    left, right = scale.at(scale.low if low is None else low), scale.at(scale.high if high is None else high)
    return f'<line class="{kind}" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'


def _shape(scale: Scale, value: float | None, tone: str, y: str = "50%") -> str:
    if value is None:
        return ""
    x = scale.at(value)
    return f'<svg class="point" x="{x}" y="{y}"><path class="shape" d="{SHAPES[tone]}"/></svg>'


def _grid(scale: Scale) -> list[str]:
    return [_vertical(scale, t, "grid") for t in scale.ticks()]


def axis(scale: Scale, unit: str = "points") -> Markup:
    """The tick labels of a chart in points, or in per cent."""
    text = [f.points(t, sign=unit == "points").removesuffix(".0") for t in scale.ticks()]
    after = "" if unit == "points" else "%"
    labels = [
        f'<text class="{("even", "odd")[i % 2]}" x="{scale.at(t)}" y="72%" text-anchor="middle">{s}{after}</text>'
        for i, (t, s) in enumerate(zip(scale.ticks(), text, strict=True))
    ]
    return Markup(f'<svg class="axis" aria-hidden="true">{"".join(labels)}</svg>')  # noqa: S704


def forests(scale: Scale) -> Callable[[RubricResult], Markup]:
    """What draws the lines of a forest plot on this axis."""
    return partial(forest, scale=scale)


def allowances(scale: Scale) -> Callable[[RubricResult], Markup]:
    """What draws gates and limits on this axis."""
    return partial(allowed, scale=scale)


def dumbbells(scale: Scale) -> Callable[[RubricResult], Markup]:
    """What draws pass rates on this axis."""
    return partial(dumbbell, scale=scale)


def forest(rubric: RubricResult, scale: Scale) -> Markup:
    """One line of a forest plot: the difference with both intervals, zero, and the margin with what lies beyond it."""
    d, tone = rubric.difference, w.TONE[rubric.decision]
    parts: list[str] = []
    if rubric.margin is not None:
        parts.append(f'<rect class="beyond" x="0" y="0" width="{scale.at(-rubric.margin)}" height="100%"/>')
    parts += [*_grid(scale), _vertical(scale, 0, "zero")]
    if rubric.margin is not None:
        parts.append(_vertical(scale, -rubric.margin, "margin"))
    if d is not None:
        wide = rubric.difference_wide
        parts += [_across(scale, wide.low, wide.high, "thin")] if wide else []
        parts += [_across(scale, d.low, d.high, "thick"), _shape(scale, d.value, tone)]
    return _svg(parts, _forest_title(rubric), tone)


def _forest_title(rubric: RubricResult) -> str:
    d = rubric.difference
    if d is None or d.value is None:
        return f"{rubric.name}: no difference is known."
    margin = f"; margin {f.points(-rubric.margin)}" if rubric.margin is not None else ""
    interval = f.points_interval(d, None if rubric.margin is None else -rubric.margin)
    found = f"{f.points(d.value)} points, {f.level(d.level)} interval {interval}{margin}"
    return f"{rubric.name}: {found}: {rubric.decision}."


def allowance(rubric: RubricResult) -> tuple[float | None, float | None, float | None]:
    """A gate's or limit's low end, value and high end as multiples of what is allowed; the limit itself is 1."""
    q = rubric.quantity
    if q is None:
        e, most = rubric.failures, rubric.limit
    elif q.at_most_ratio is not None:
        e, most = q.ratio, q.at_most_ratio
    else:
        e, most = q.candidate, q.at_most
    if e is None or most is None or most <= 0:
        return None, None, None
    low, value, high = (None if v is None else v / most for v in (e.low, e.value, e.high))
    return low, value, high


def allowance_scale(rubrics: Sequence[RubricResult]) -> Scale:
    """An axis from nothing to beyond the limit, which stands at 1."""
    ends = [v for r in rubrics for v in allowance(r) if v is not None]
    return Scale(0.0, min(FURTHEST, max([1.5, *(v * 1.05 for v in ends)])))


def allowance_axis(scale: Scale) -> Markup:
    """The labels of a chart of gates and limits."""
    marks = ((0.0, "none", "start"), (1.0, "limit", "middle"))
    text = "".join(f'<text x="{scale.at(v)}" y="72%" text-anchor="{a}">{t}</text>' for v, t, a in marks)
    return Markup(f'<svg class="axis" aria-hidden="true">{text}</svg>')  # noqa: S704


def allowed(rubric: RubricResult, scale: Scale) -> Markup:
    """How much of what is allowed a gate or limit uses: its value, its interval, and the limit."""
    low, value, high = allowance(rubric)
    tone = w.TONE[rubric.decision]
    start = float(scale.at(1)[:-1])
    past = f'<rect class="beyond" x="{start:.2f}%" y="0" width="{100 - start:.2f}%" height="100%"/>'
    parts = [past, _vertical(scale, 0, "grid"), _vertical(scale, 1, "margin")]
    parts += [_across(scale, low, high, "thick"), "" if (value or 0) > scale.high else _shape(scale, value, tone)]
    if max(high or 0, value or 0) > scale.high:
        parts.append('<svg class="point" x="100%" y="50%"><path class="arrow" d="M-9-6-1 0-9 6"/></svg>')
    line = w.line(rubric)
    return _svg(parts, f"{rubric.name}: {line.candidate}, {line.evidence} {line.interval}; must be {line.must}.", tone)


def dumbbell(rubric: RubricResult, scale: Scale) -> Markup:
    """Both arms' pass rates with their intervals: the incumbent hollow and above, the candidate filled and below."""
    parts = _grid(scale)
    old, new = rubric.incumbent, rubric.candidate
    parts += _rate(old, scale, "incumbent", "34%" if new else "50%")
    parts += _rate(new, scale, "candidate", "66%" if old else "50%")
    text = [f"{name} {_rate_text(rate)}" for name, rate in (("incumbent", old), ("candidate", new)) if rate]
    return _svg(parts, f"{rubric.name}: {', '.join(text)}.", "rates")


def _rate(rate: Rate | None, scale: Scale, kind: str, y: str) -> list[str]:
    if rate is None or rate.estimate.value is None:
        return []
    e = rate.estimate
    dot = f'<circle class="dot {kind}" cx="{scale.at(rate.estimate.value)}" cy="{y}" r="5"/>'
    return [_across(scale, e.low, e.high, f"whisker {kind}", y), dot]


def _rate_text(rate: Rate) -> str:
    return f"{f.percent(rate.estimate.value)} {f.percent_interval(rate.estimate)}"


def worth_scale(case: Economics) -> Scale:
    """An axis in points of further failures that holds their interval, zero and the break-even, if that is near."""
    found = case.extra_share
    ends = [0.0, *((found.low, found.value, found.high) if found else ())]
    known = [v for v in ends if v is not None]
    reach = max(0.02, *(abs(v) for v in known))
    near = [] if case.break_even is None or abs(case.break_even) > FAR * reach else [case.break_even]
    return _span([*known, *near], 0.08, 0.02)


def even_drawn(case: Economics, scale: Scale) -> bool:
    """Whether the break-even is near enough to be on the chart."""
    return case.break_even is not None and scale.low < case.break_even < scale.high


def worth(case: Economics, scale: Scale) -> Markup:
    """How much more often the candidate fails, and from where on that costs more than its price saves."""
    found, even = case.extra_share, case.break_even
    parts: list[str] = []
    if even is not None and even < scale.high:
        start = max(float(scale.at(even)[:-1]), 0.0)
        parts.append(f'<rect class="beyond" x="{start:.2f}%" y="0" width="{100 - start:.2f}%" height="100%"/>')
    parts += [*_grid(scale), _vertical(scale, 0, "zero")]
    if even is not None and even_drawn(case, scale):
        parts.append(_vertical(scale, even, "margin"))
    if found is not None:
        parts += [_across(scale, found.low, found.high, "thick"), _shape(scale, found.value, "ship")]
    told = f"{f.points(found.value)} points {f.points_interval(found)}" if found else "unknown"
    even_at = "" if even is None else f"; break-even {f.points(even)}"
    return _svg(parts, f"Further failures: {told}{even_at}.", "worth")


def slice_row(result: SliceResult, scale: Scale) -> Markup:
    """One stratum's difference with its interval."""
    d: Estimate = result.difference
    parts = [*_grid(scale), _vertical(scale, 0, "zero"), _across(scale, d.low, d.high, "thick")]
    parts.append(_shape(scale, d.value, "shown"))
    title = f"{result.value}: {f.points(d.value)} points {f.points_interval(d)}."
    return _svg(parts, title, "slice")


def bar(share: float) -> Markup:
    """A share of the whole as a bar."""
    width = f"{min(max(share, 0.0), 1.0) * 100:.1f}%"
    return Markup(f'<svg class="bar" aria-hidden="true"><rect width="{width}" height="100%" rx="2"/></svg>')  # noqa: S704


def seal(tone: str) -> Markup:
    """The sign of an overall verdict: a check in a circle, a cross in a square, a question in a diamond."""
    ground, sign = SIGN_GROUNDS[tone], SIGNS[tone]
    paths = f'<path class="ground" d="{ground}"/><path class="sign" d="{sign}"/>'
    return Markup(f'<svg class="seal" viewBox="-25 -25 50 50" aria-hidden="true">{paths}</svg>')  # noqa: S704


def sign(tone: str) -> Markup:
    """A decision's small shape, for chips and legends."""
    path = f'<path class="shape" d="{SHAPES[tone]}"/>'
    return Markup(f'<svg class="mark {tone}" viewBox="-9 -9 18 18" aria-hidden="true">{path}</svg>')  # noqa: S704
