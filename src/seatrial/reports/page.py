"""The HTML rendering: one self-contained file without script or request, light and dark, printable."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from seatrial.core.record import Json, as_dict, as_list
from seatrial.reports import business, charts, fronts, methods, sensitivity
from seatrial.reports import format as f
from seatrial.reports import words as w
from seatrial.reports.diff import Part, word_diff
from seatrial.reports.text import clean, cut, one_line
from seatrial.verdicts.records import Flip, RubricResult, SliceResult, TrialReport, Verdict

FLIP_BYTES = 2_000_000
"""The most that all flips of a page may take; the whole file stays below 3 MB."""

FLIP_FRAME = 1_300
"""About how many bytes a flip takes without its texts."""

MARKUP = 1.15
"""By how much the marks of differing words lengthen a text, about."""

LIMITS = (4_000, 3_000, 2_400, 2_000, 1_600, 1_300, 1_000, 800, 600, 500)
"""The lengths to which a flip's texts may be cut."""

MOST_VERDICTS = 20
MOST_RUBRICS = 300
MOST_FILTERS = 60
MOST_METHODS = 60
MOST_STRATA = 40
MOST_SLICES = 400
MOST_VALUES = 12
MOST_NOTES = 40
UNTOLD = frozenset({"host", "pid"})


@dataclass(frozen=True, slots=True)
class FlipView:
    """A case as it is shown: what flipped on it, both answers in parts, texts cut to what the page has room for."""

    flips: tuple[Flip, ...]
    rubrics: list[int]
    asked: str
    expected: str
    old: list[Part]
    new: list[Part]


@dataclass(frozen=True, slots=True)
class SliceGroup:
    """The slices of one rubric by one stratum, on one axis."""

    stratum: str
    slices: list[SliceResult]
    scale: charts.Scale


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict with what the page computes for it."""

    verdict: Verdict
    quality: list[RubricResult]
    bounded: list[RubricResult]
    shown: list[RubricResult]
    rubrics_left_out: int
    slices: list[tuple[str, list[SliceGroup]]]
    slices_left_out: int
    flips: list[FlipView]
    flip_rubrics: list[str]
    flips_left_out: int


def html(report: TrialReport) -> str:
    """The report as one HTML file of less than 3 MB that asks for nothing and runs no script.

    All text of the report is escaped and isolated; what cannot be seen in it is made visible.
    """
    report = clean(report)
    views = _views(report)
    style = _read("report.css") + _filter_rules(max((len(v.flip_rubrics) for v in views), default=0))
    rubrics = [r for view in views for r in view.verdict.rubrics] + list(report.rates[:MOST_RUBRICS])
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            views=views,
            alone=_split(report.rates[:MOST_RUBRICS]),
            style=Markup(style),  # noqa: S704  # our own stylesheet, no text of the report in it
            style_hash=b64encode(sha256(style.encode()).digest()).decode(),
            methods=_methods(rubrics, report),
            composition=_composition(report.composition),
            notes=[note for note in (w.sample_warning(report), *report.warnings[:MOST_NOTES]) if note],
        )
    )
    return page.lstrip()


def _read(name: str) -> str:
    return resources.files("seatrial.reports").joinpath("templates", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    env = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(_read), trim_blocks=True, lstrip_blocks=True
    )
    env.globals.update(f=f, w=w, b=business, s=sensitivity, charts=charts, fronts=fronts, parts=_parts)  # pyright: ignore[reportUnknownMemberType]
    env.filters.update(brief=one_line, settings=_settings, tight=_tight)  # pyright: ignore[reportUnknownMemberType]
    return env


def _parts(parts: Iterable[Part], tag: str) -> Markup:
    """The parts of an answer, those that only it has inside `tag` (del or ins)."""
    wrap = {"same": "{}", "changed": f"<{tag}>{{}}</{tag}>", "skipped": '<span class="skip">{}</span>'}
    return Markup("").join(Markup(wrap[p.kind]).format(p.text) for p in parts)  # noqa: S704  # format() escapes


def _tight(text: str) -> Markup:
    """The text, in which no line breaks between a minus and its dollars."""
    safe = str(escape(text))
    return Markup(re.sub(r"−\$[\d,.]*\d", r'<span class="tight">\g<0></span>', safe))  # noqa: S704  # escaped above


def _settings(values: Mapping[str, Json], inside: str = "") -> list[tuple[str, str]]:
    """Settings as names and texts: those inside others under both names, those that are not set left out.

    On which machine a trial ran, and as which process, is in its JSON: a page is handed on.
    """
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        inner, items = as_dict(value), as_list(value)
        if inner is not None and not inside:
            found += _settings(inner, f"{inside}{key}.")
        elif items is not None:
            found += [(inside + key, ", ".join(map(_value, items)))] * bool(items)
        elif value is not None and f"{inside}{key}" not in UNTOLD:
            found.append((inside + key, _value(value)))
    return found


def _value(value: Json) -> str:
    return value if isinstance(value, str) else cut(json.dumps(value, ensure_ascii=False, default=str), 400)


def _split(rubrics: Sequence[RubricResult]) -> tuple[list[RubricResult], list[RubricResult], list[RubricResult]]:
    """Those with a difference or rate, those with a limit, and the advisory ones."""
    deciding = [r for r in rubrics if r.kind != "advisory"]
    bounded = [r for r in deciding if r.quantity is not None or r.limit is not None]
    quality = [r for r in deciding if r.quantity is None and r.limit is None]
    return quality, bounded, [r for r in rubrics if r.kind == "advisory"]


def _views(report: TrialReport) -> list[VerdictView]:
    verdicts = report.verdicts[:MOST_VERDICTS]
    limit = _text_limit([flip for v in verdicts for flip in v.flips])
    each = max(1, len(verdicts))
    return [_view(v, limit, FLIP_BYTES // each, MOST_RUBRICS // each, MOST_SLICES // each) for v in verdicts]


def _text_limit(flips: Sequence[Flip]) -> int:
    """The longest of LIMITS at which all flips fit on the page, else the shortest."""
    sizes: list[tuple[int, float]] = []
    for x in flips:
        whole, half = (x.input, x.incumbent, x.candidate), (x.expected, x.incumbent_reason, x.candidate_reason)
        for text, share in (*((t, 1.0) for t in whole), *((t, 0.5) for t in half)):
            sizes.append((len(text), share * len(escape(text).encode()) / max(1, len(text))))
    room = FLIP_BYTES / MARKUP - FLIP_FRAME * len(flips)
    fits = (limit for limit in LIMITS if sum(min(n, limit) * weight for n, weight in sizes) <= room)
    return next(fits, LIMITS[-1])


def _view(verdict: Verdict, limit: int, room: int, most_rubrics: int, most_slices: int) -> VerdictView:
    left_out = max(0, len(verdict.rubrics) - most_rubrics)
    verdict = verdict.model_copy(update={"rubrics": verdict.rubrics[:most_rubrics]})
    quality, bounded, shown = _split(verdict.rubrics)
    slices, no_slices = _slices(verdict.rubrics, most_slices)
    flips, names = _flips(verdict, limit, room)
    no_flips = verdict.flips_left_out + len(verdict.flips) - sum(len(view.flips) for view in flips)
    return VerdictView(verdict, quality, bounded, shown, left_out, slices, no_slices, flips, names, no_flips)


def _flips(verdict: Verdict, limit: int, room: int) -> tuple[list[FlipView], list[str]]:
    """As many flips as there is room for, and the rubrics of all."""
    order = w.telling(verdict)
    names = list(dict.fromkeys(flip.rubric for group in order for flip in group))[:MOST_FILTERS]
    shown: list[FlipView] = []
    for group in order:
        view = _flip(group, names, limit)
        room -= _weight(view)
        if room < 0:
            break
        shown.append(view)
    return shown, names


def _flip(group: Sequence[Flip], names: list[str], limit: int) -> FlipView:
    flip = group[0]
    old, new = word_diff(flip.incumbent, flip.candidate, limit=limit)
    rubrics = [names.index(x.rubric) if x.rubric in names else MOST_FILTERS for x in group]
    short = tuple(
        x.model_copy(
            update={
                "incumbent_reason": cut(x.incumbent_reason, limit // 2),
                "candidate_reason": cut(x.candidate_reason, limit // 2),
            }
        )
        for x in group
    )
    return FlipView(short, rubrics, cut(flip.input, limit), cut(flip.expected, limit // 2), old, new)


def _weight(view: FlipView) -> int:
    """About how many bytes a flip takes on the page."""
    flip = view.flips[0]
    said = [text for x in view.flips for text in (x.rubric, x.incumbent_reason, x.candidate_reason)]
    texts = (view.asked, view.expected, *said, flip.case_id, flip.probe)
    parts = [*view.old, *view.new]
    loose = sum(len(escape(t).encode()) for t in (*texts, *flip.strata, *flip.strata.values()))
    return FLIP_FRAME + loose + sum(len(escape(p.text).encode()) + 26 * (p.kind != "same") for p in parts)


def _slices(rubrics: Sequence[RubricResult], most: int) -> tuple[list[tuple[str, list[SliceGroup]]], int]:
    found: list[tuple[str, list[SliceGroup]]] = []
    room, total = most, sum(len(r.slices) for r in rubrics)
    for rubric in rubrics:
        kept = rubric.slices[: max(0, room)]
        room -= len(kept)
        if kept:
            scale = charts.slices_scale(kept)
            strata = dict.fromkeys(s.stratum for s in kept)
            groups = [SliceGroup(name, [s for s in kept if s.stratum == name], scale) for name in strata]
            found.append((rubric.name, groups))
    return found, max(0, total - most)


def _composition(strata: Mapping[str, Mapping[str, int]]) -> list[tuple[str, list[tuple[str, int, float]], int]]:
    """Each stratum with its most frequent values, their counts and shares, and how many values are left out."""
    found: list[tuple[str, list[tuple[str, int, float]], int]] = []
    for stratum, counts in list(strata.items())[:MOST_STRATA]:
        total = sum(counts.values())
        ranked = sorted(counts.items(), key=lambda item: -item[1])
        rows = [(value, n, n / total if total else 0.0) for value, n in ranked[:MOST_VALUES]]
        found.append((stratum, rows, max(0, len(ranked) - MOST_VALUES)))
    return found


def _methods(rubrics: Sequence[RubricResult], report: TrialReport) -> list[tuple[str, methods.Method | None, int]]:
    """The methods used: title, what each is (None where that is not known), and on how many numbers it stands."""
    counts: dict[str, tuple[methods.Method | None, int]] = {}

    def add(name: str, method: methods.Method | None, n: int) -> None:
        title = method.title if method else name
        if n and (title in counts or len(counts) < MOST_METHODS):
            counts[title] = (method, n + counts.get(title, (None, 0))[1])

    for name, n in w.methods_used(rubrics).items():
        add(name, methods.describe(name), n)
    add("", methods.HOLM, sum(r.p_holm is not None for r in rubrics))
    add("", methods.BENJAMINI_HOCHBERG, sum(s.p_adjusted is not None for r in rubrics for s in r.slices))
    add("", methods.BUSINESS, sum(bool(v.economics and v.economics.draws) for v in report.verdicts))
    add("", methods.RANKS, len(report.ranking.standings) if report.ranking else 0)
    add("", methods.MISSING, sum(r.missing_range is not None for r in rubrics))
    return [(title, method, n) for title, (method, n) in counts.items()]


def _filter_rules(rubrics: int) -> str:
    """The rules that let a radio button hide flips of other rubrics: filters without a script."""
    return "".join(
        f".flips:has(.by-rubric [value=r{i}]:checked) .flip:not(.r{i}){{display:none}}\n" for i in range(rubrics)
    )
