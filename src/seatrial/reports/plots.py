"""The picture of a report: its forest plots as a Vega-Lite specification, and that as PNG.

The specification holds the numbers themselves, so the same report always gives the same picture. Nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from seatrial.reports import charts
from seatrial.reports import format as f
from seatrial.reports import words as w
from seatrial.reports.text import clean, one_line
from seatrial.verdicts.records import RubricResult, TrialReport, Verdict

SCALE = 2.0
"""Pixels of the file for one of the specification."""

WIDTH = 460
ROW = 30
MOST_ROWS = 40
MOST_PANELS = 12

INK, SOFT, GRID, PAPER = "#15212c", "#52606d", "#e8ecee", "#fbfbf9"
TONES = {
    "ship": "#0a6868",
    "block": "#b0330e",
    "inconclusive": "#855600",
    "not_evaluable": "#5d5570",
    "shown": "#52606d",
}
SHAPES = {"ship": "circle", "block": "square", "inconclusive": "diamond", "not_evaluable": "stroke", "shown": "circle"}
"""Colours and shapes of the page, so that picture and page say the same."""

AXIS = {"tickCount": 6, "labelExpr": "replace(datum.label, '\u2212', '\u2013')"}
"""The true minus is missing in many a font that a server has; an en dash looks the same and is not."""

Spec = dict[str, Any]


def png(report: TrialReport) -> bytes:
    """The forest plots of all verdicts as a PNG of twice the nominal size, on light paper."""
    return _drawn(json.dumps(specification(report), sort_keys=True))


@lru_cache(maxsize=16)
def _drawn(specification: str) -> bytes:
    import vl_convert

    return vl_convert.vegalite_to_png(specification, scale=SCALE, allowed_base_urls=[])


def specification(report: TrialReport) -> Spec:
    """The report's forest plots as a Vega-Lite specification: one panel a verdict and kind of evidence."""
    report = clean(report)
    panels = [panel for verdict in report.verdicts for panel in _panels(verdict)][:MOST_PANELS]
    if not panels:
        panels = [_rates(report.rates[:MOST_ROWS])] if report.rates else [_empty()]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {
            "text": one_line(w.question(report), 90),
            "subtitle": one_line(f"{report.suite} · {w.basis(report)} · {f.moment(report.started_at)}", 120),
        },
        "vconcat": panels,
        "spacing": 26,
        "background": PAPER,
        "padding": 20,
        "config": _config(),
    }


def _config() -> Spec:
    font = "Noto Sans, DejaVu Sans, Liberation Sans, sans-serif"
    return {
        "font": font,
        "view": {"stroke": None},
        "title": {"anchor": "start", "frame": "group", "color": INK, "fontSize": 17, "subtitleColor": SOFT,
                  "subtitleFontSize": 12, "offset": 14, "subtitlePadding": 6},
        "axis": {"labelColor": SOFT, "titleColor": SOFT, "labelFontSize": 11, "titleFontSize": 11,
                 "titleFontWeight": "normal", "grid": True, "gridColor": GRID, "domain": False, "ticks": False},
        "axisY": {"labelColor": INK, "labelFontSize": 12, "labelLimit": 260, "labelPadding": 10, "grid": False,
                  "title": None},
    }  # fmt: skip


def _panels(verdict: Verdict) -> list[Spec]:
    """Differences against their margins, then gates and limits against what they allow."""
    names = f"{w.name(verdict.candidate)} against {w.name(verdict.incumbent)}"
    heading = f"{w.OVERALL[verdict.overall]}: {names}"
    title = {"text": one_line(heading, 100), "color": TONES[verdict.overall], "fontSize": 14}
    quality = [_difference(r) for r in verdict.rubrics if r.kind == "quality" and r.difference is not None]
    bounded = [_allowance(r) for r in verdict.rubrics if r.quantity is not None or r.limit is not None]
    found: list[Spec] = []
    if quality:
        found.append(_forest(quality[:MOST_ROWS], "candidate minus incumbent, percentage points; dashed: the margin"))
    if any(row["value"] is not None for row in bounded):
        found.append(_forest(bounded[:MOST_ROWS], "share of what is allowed; dashed: the limit"))
    if not found:
        found.append(_empty())
    found[0]["title"] = title
    return found


def _row(rubric: RubricResult, low: float | None, value: float | None, high: float | None, line: float | None) -> Spec:
    name = w.name(rubric.name) + (f" {rubric.quantity.statistic}" if rubric.quantity else "")
    return {"rubric": name, "low": low, "value": value, "high": high, "line": line, "tone": w.TONE[rubric.decision]}


def _difference(rubric: RubricResult) -> Spec:
    d, margin = rubric.difference, rubric.margin
    ends = [None if v is None else 100 * v for v in ((d.low, d.value, d.high) if d else (None, None, None))]
    return _row(rubric, ends[0], ends[1], ends[2], None if margin is None else -100 * margin)


def _allowance(rubric: RubricResult) -> Spec:
    most = charts.FURTHEST
    low, value, high = (None if v is None else min(v, most) for v in charts.allowance(rubric))
    return _row(rubric, low, value, high, 1.0)


def _rates(rubrics: Sequence[RubricResult]) -> Spec:
    """How often a single target passes."""
    estimates = [(r, r.candidate.estimate) for r in rubrics if r.candidate is not None]
    percent = [(r, *(None if v is None else 100 * v for v in (e.low, e.value, e.high))) for r, e in estimates]
    return _forest([_row(r, low, value, high, None) for r, low, value, high in percent], "passed, %", zero=False)


def _empty() -> Spec:
    text = {"type": "text", "align": "left", "color": SOFT, "fontSize": 13}
    return {"data": {"values": [{"said": "There is nothing to draw."}]}, "mark": text, "width": WIDTH, "height": ROW,
            "encoding": {"text": {"field": "said"}, "x": {"value": 0}}}  # fmt: skip


def _forest(rows: Sequence[Spec], axis: str, *, zero: bool = True) -> Spec:
    """Each row's interval and value, with the line that it must keep on one side of."""
    tone = {"field": "tone", "type": "nominal", "legend": None}
    colour = {**tone, "scale": {"domain": list(TONES), "range": list(TONES.values())}}
    shape = {**tone, "scale": {"domain": list(SHAPES), "range": list(SHAPES.values())}}
    y = {"field": "rubric", "type": "nominal", "sort": None}
    x = {"type": "quantitative", "title": axis, "scale": {"zero": zero, "nice": False, "padding": 14}, "axis": AXIS}
    whole_row = {"y": {**y, "bandPosition": 0}, "y2": {"field": "rubric", "bandPosition": 1}}
    origin = [{"mark": {"type": "rule", "color": SOFT}, "encoding": {"x": {"datum": 0}}}] if zero else []
    return {
        "data": {"values": list(rows)},
        "width": WIDTH,
        "height": {"step": ROW},
        "layer": [
            *origin,
            {"mark": {"type": "rule", "color": TONES["block"], "strokeWidth": 1.75, "strokeDash": [4, 3]},
             "encoding": {"x": {**x, "field": "line"}, **whole_row}},
            {"mark": {"type": "rule", "strokeWidth": 4},
             "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour}},
            {"mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "stroke": PAPER, "strokeWidth": 1.5},
             "encoding": {"y": y, "x": {**x, "field": "value"}, "color": colour, "shape": shape}},
        ],
    }  # fmt: skip
