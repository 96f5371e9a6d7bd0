"""The chart of several targets: cases passed against price, with the Pareto front told apart by fill."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from seatrial.reports import format as f
from seatrial.reports.charts import Scale
from seatrial.verdicts.records import Estimate, Ranking, Standing

LIKELY = 0.5
"""From this probability on a target is drawn as one of the front."""

MOST_SHOWN = 40


def scatter(ranking: Ranking) -> Markup:
    """Every target of known price as a numbered mark with both its intervals; the numbers are those of the table."""
    shown = [(i, s) for i, s in enumerate(ranking.standings[:MOST_SHOWN], 1) if s.cost and s.quality.n]
    across = _scale([s.cost for _, s in shown], least=0.0)
    up = _scale([s.quality.estimate for _, s in shown], least=0.0, most=1.0)
    parts = [*_grid(across, up)]
    parts += [_whiskers(s, across, up) for _, s in shown]
    parts += [_mark(i, s, across.at(_value(s.cost)), _height(up, s.quality.estimate.value)) for i, s in shown]
    title = "; ".join(
        f"{s.target}: {f.percent(s.quality.estimate.value)}, {f.dollars(_value(s.cost))}" for _, s in shown
    )
    return Markup(f'<svg class="scatter" role="img"><title>{escape(title)}</title>{"".join(parts)}</svg>')  # noqa: S704


def marker(number: int, standing: Standing) -> Markup:
    """A target's mark as it stands in the chart, for the table beside it."""
    return Markup(f'<svg class="mark-number" aria-hidden="true">{_mark(number, standing, "50%", "50%")}</svg>')  # noqa: S704


def _value(found: Estimate | None) -> float:
    return 0.0 if found is None or found.value is None else found.value


def _scale(estimates: Sequence[Estimate | None], *, least: float, most: float = math.inf) -> Scale:
    ends = [v for e in estimates if e for v in (e.low, e.value, e.high) if v is not None]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    pad = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return Scale(max(least, low - pad), min(most, high + pad), most=4)


def _height(scale: Scale, value: float | None) -> str:
    return f"{100 - float(scale.at(0.0 if value is None else value)[:-1]):.2f}%"


def round_ticks(scale: Scale) -> list[float]:
    """A few round values (1, 2 or 5 times a power of ten apart) on an axis of any size."""
    width = scale.high - scale.low
    power = 10.0 ** math.floor(math.log10(width / scale.most))
    step = next(power * factor for factor in (1, 2, 5, 10) if width / (power * factor) <= scale.most)
    first = math.ceil(scale.low / step - 1e-9)
    return [step * i for i in range(first, math.floor(scale.high / step + 1e-9) + 1)]


def _grid(across: Scale, up: Scale) -> list[str]:
    parts: list[str] = []
    for value in round_ticks(across):
        x = across.at(value)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="100%"/>')
        parts.append(f'<text x="{x}" y="100%" dy="1.25em" text-anchor="middle">{f.dollars(value)}</text>')
    for value in round_ticks(up):
        y = _height(up, value)
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="0" y="{y}" dx="-.5em" dy=".35em" text-anchor="end">{f.percent(value, 0)}</text>')
    return parts


def _whiskers(standing: Standing, across: Scale, up: Scale) -> str:
    cost, rate = standing.cost, standing.quality.estimate
    x, y = across.at(_value(cost)), _height(up, rate.value)
    found = ""
    if rate.low is not None and rate.high is not None:
        found += f'<line class="whisker" x1="{x}" x2="{x}" y1="{_height(up, rate.low)}" y2="{_height(up, rate.high)}"/>'
    if cost is not None and cost.low is not None and cost.high is not None:
        found += f'<line class="whisker" x1="{across.at(cost.low)}" x2="{across.at(cost.high)}" y1="{y}" y2="{y}"/>'
    return found


def sample(kind: str) -> Markup:
    """A mark without a number, for the legend."""
    return Markup(f'<svg class="mark-number" aria-hidden="true">{_drawn(kind, "", "50%", "50%")}</svg>')  # noqa: S704


def _mark(number: int, standing: Standing, x: str, y: str) -> str:
    kind = "out" if standing.excluded else "on" if (standing.p_front or 0.0) >= LIKELY else "behind"
    return _drawn(kind, str(number), x, y)


def _drawn(kind: str, text: str, x: str, y: str) -> str:
    """A circle: filled on the front, hollow behind it; a dashed square where a gate has blocked."""
    shape = '<rect x="-9" y="-9" width="18" height="18"/>' if kind == "out" else '<circle r="10"/>'
    label = f'<text dy=".36em" text-anchor="middle">{text}</text>'
    return f'<svg class="target {kind}" aria-hidden="true" x="{x}" y="{y}">{shape}{label}</svg>'
