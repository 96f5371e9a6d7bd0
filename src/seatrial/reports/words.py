"""What every rendering says in the same words: verdicts, decisions, flags, and one line of numbers a rubric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.core.record import as_dict
from seatrial.reports import format as f
from seatrial.reports.text import one_line
from seatrial.verdicts.artefacts.sentences import pattern
from seatrial.verdicts.records import (
    ArmSummary,
    Difference,
    Estimate,
    Flip,
    FragilityCheck,
    RubricResult,
    TrialReport,
    Verdict,
)

LONGEST_NAME = 60

OVERALL = {"ship": "SHIP", "block": "BLOCK", "inconclusive": "INCONCLUSIVE", "not_evaluable": "NOT EVALUABLE"}

MEANING = {
    "ship": "cleared for a live A/B on 5–10% of traffic",
    "block": "must not replace the incumbent",
    "inconclusive": "these cases cannot decide",
    "not_evaluable": "there is too little to judge, or nothing to compare",
}

TONE = {"PASS": "ship", "BLOCK": "block", "INCONCLUSIVE": "inconclusive", "SHOWN": "shown"}
"""The colour class of a decision: an overall verdict's name, or `shown`."""

MARK = {"ship": "✓", "block": "✕", "inconclusive": "?", "not_evaluable": "–", "shown": "·"}
"""The sign that goes with a tone, so that colour never stands alone."""

FLAG = {
    "fragile": "Fragile: other missing results, or one cluster less, would change the decision",
    "few_clusters": "Fewer than 30 clusters, so the interval is rough",
    "piled_up": "Losses sit in few clusters, so the error rate is not held",
    "missing": "Some results are missing",
}
"""The flags that a rubric's sentence does not speak of by itself."""

KINDS = {
    "quality": ("Quality", "must not be worse than the incumbent by more than the margin"),
    "gate": ("Gates", "at most this share may fail, and that must be shown"),
    "limit": ("Limits", "a measured quantity that must stay within its limit"),
    "advisory": ("Advisory", "shown, never decides"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A rubric's numbers as text. `evidence` is what decides: a difference or a bound; `must` what it has to meet."""

    incumbent: str
    candidate: str
    evidence: str
    interval: str
    must: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure beside a verdict."""

    label: str
    value: str


def line(rubric: RubricResult) -> Line:
    """The numbers of one rubric, chosen by what it holds: a quantity, a failure limit, or a paired difference."""
    if rubric.quantity is not None:
        return _quantity_line(rubric)
    if rubric.limit is not None:
        return _gate_line(rubric)
    candidate, incumbent = rubric.candidate, rubric.incumbent
    alone = rubric.difference is None
    margin = None if rubric.margin is None else -rubric.margin
    return Line(
        incumbent=f.percent(incumbent.estimate.value) if incumbent else f.UNKNOWN,
        candidate=f.percent(candidate.estimate.value) if candidate else f.UNKNOWN,
        evidence=f.points(rubric.difference.value if rubric.difference else None),
        interval=f.percent_interval(candidate.estimate)
        if alone and candidate
        else f.points_interval(rubric.difference, margin),
        must=f"≥ {f.points(margin)}" if margin is not None else "",
    )


def compared(rubric: RubricResult) -> int | None:
    """On how many results the rubric rests: pairs of both arms, else the candidate's; None where it is not known."""
    if rubric.quantity is not None:
        return rubric.quantity.n or None
    if rubric.pairs is not None:
        return rubric.pairs.n
    return rubric.candidate.n if rubric.candidate else None


def failed(rubric: RubricResult) -> str:
    """`5 of 124`: how many of the candidate's results failed."""
    rate = rubric.candidate
    return f"{f.count(rate.n - rate.passed)} of {f.count(rate.n)}" if rate and rate.n else "no results"


def _gate_line(rubric: RubricResult) -> Line:
    found, old = rubric.failures, rubric.incumbent
    was = None if old is None or old.estimate.value is None else 1 - old.estimate.value
    return Line(
        incumbent=f.percent(was),
        candidate=f.percent(found.value if found else None),
        evidence=f.percent(found.high if found else None),
        interval=failed(rubric),
        must=f"≤ {f.percent(rubric.limit)}",
    )


def _quantity_line(rubric: RubricResult) -> Line:
    q = rubric.quantity
    assert q is not None
    unit = q.unit
    if q.at_most_ratio is not None:
        low, high = (q.ratio.low, q.ratio.high) if q.ratio else (None, None)
        known = low is not None or high is not None
        interval = f"[{f.ratio(low)}, {f.ratio(high)}]".replace("×", "") if known else ""
        evidence, must = f.ratio(q.ratio.value if q.ratio else None), f"≤ {f.ratio(q.at_most_ratio)}"
    else:
        interval, evidence = f.quantity_interval(q.candidate, unit), f.quantity(q.candidate.value, unit)
        must = f"≤ {f.quantity(q.at_most, unit)}" if q.at_most is not None else ""
    incumbent = f.quantity(q.incumbent.value, unit) if q.incumbent else f.UNKNOWN
    return Line(incumbent, f.quantity(q.candidate.value, unit), evidence, interval, must)


def by_kind(rubrics: Iterable[RubricResult]) -> list[tuple[str, str, list[RubricResult]]]:
    """The rubrics in groups: title, what the kind asks for, the rubrics; known kinds first, in their order."""
    groups: dict[str, list[RubricResult]] = {}
    for rubric in rubrics:
        groups.setdefault(rubric.kind, []).append(rubric)
    order = [*(k for k in KINDS if k in groups), *(k for k in groups if k not in KINDS)]
    return [(*KINDS.get(kind, (kind, "")), groups[kind]) for kind in order]


def is_plain(rubric: RubricResult) -> bool:
    """Whether nothing needs saying: it passes and nothing is odd about it."""
    return rubric.decision == "PASS" and not rubric.flags and not rubric.warnings


def level_of(rubrics: Iterable[RubricResult]) -> str:
    """The level of the paired intervals, as text: `90%`; empty when there are none."""
    return next((f.level(r.difference.level) for r in rubrics if r.difference is not None), "")


def lines_of_differences(rubrics: Sequence[RubricResult], *, decides: bool) -> str:
    """What the lines of a chart of differences are; empty where there are none."""
    level = level_of(rubrics)
    if not level:
        return ""
    wide = next((f.level(r.difference_wide.level) for r in rubrics if r.difference_wide is not None), "")
    thick = f"Thick line: {level} interval{', which decides' if decides else ''}"
    return f"{thick}; thin line: {wide} interval." if wide else f"{thick}."


def lines_of_bounds(rubrics: Sequence[RubricResult]) -> str:
    """What the lines of a chart of gates and limits are."""
    gates = next((f.level(r.failures.level) for r in rubrics if r.failures is not None), "")
    found = [r.quantity.ratio or r.quantity.candidate for r in rubrics if r.quantity is not None]
    limits = next((f.level(e.level) for e in found), "")
    said = [f"of a gate, from its lower to its upper one-sided {gates} bound"] * bool(gates)
    said += [f"of a limit, its {limits} interval"] * bool(limits)
    return f"Line: {'; '.join(said)}. To pass, it must end left of the dashed line." if said else ""


def name(text: str) -> str:
    """A name short enough to stand in a sentence."""
    return one_line(text, LONGEST_NAME)


def question(report: TrialReport) -> str:
    """The question the report answers."""
    return "".join(text for text, _ in question_parts(report))


def question_parts(report: TrialReport) -> list[tuple[str, bool]]:
    """The question in parts, each with whether it is a name."""
    verdicts = report.verdicts
    if not verdicts:
        who = report.arms[0].target if report.arms else report.suite
        return [("How well does ", False), (name(who), True), (" do?", False)]
    incumbent = [(" replace ", False), (name(verdicts[0].incumbent), True), ("?", False)]
    if len(verdicts) == 1:
        return [("May ", False), (name(verdicts[0].candidate), True), *incumbent]
    number = {2: "either of two", 3: "any of three", 4: "any of four"}.get(len(verdicts), f"any of {len(verdicts)}")
    return [(f"May {number} candidates", False), *incumbent]


def basis(report: TrialReport) -> str:
    """On how much the report rests."""
    text = f"{f.plural(report.cases, 'case')} in {f.plural(report.clusters, 'cluster')}"
    return text if report.epochs == 1 else f"{text}, {report.epochs} epochs each"


def sample_warning(report: TrialReport) -> str | None:
    """That the report rests on a part of the dataset."""
    s = report.sample
    return s and f"On a sample of {f.count(s.cases)} of {f.count(s.of)} cases (seed {s.seed}); the rest was not run."


def settle(needed: int | None, said: str, note: str = "") -> list[str]:
    """The sentence with how many further cases would settle it, unless that number was `said` already."""
    if not needed or f.count(needed) in said:
        return []
    return [f"About {f.count(needed)} {note or 'further cases'} would settle it."]


def remarks(rubric: RubricResult) -> list[str]:
    """What belongs behind the rubric's sentence: what would settle it, its flags in words, its warnings."""
    said = [f"{FLAG[flag]}." for flag in rubric.flags if flag in FLAG]
    return [*settle(rubric.needed, rubric.sentence, rubric.needed_note), *said, *rubric.warnings]


def telling(verdict: Verdict) -> list[tuple[Flip, ...]]:
    """The flips, those of the rubrics that decided first; those of one case at one epoch together."""
    rank = {"BLOCK": 0, "INCONCLUSIVE": 1, "PASS": 2, "SHOWN": 3}
    decided = {r.name: rank[r.decision] for r in verdict.rubrics}
    ranked = sorted(verdict.flips, key=lambda flip: (decided.get(flip.rubric, 3), flip.direction == "gained"))
    groups: dict[tuple[int, str, int], list[Flip]] = {}
    for flip in ranked:
        groups.setdefault((flip.position, flip.case_id, flip.epoch), []).append(flip)
    return [tuple(group) for group in groups.values()]


def ways(group: Sequence[Flip]) -> list[tuple[str, list[str]]]:
    """Each direction in which one case flipped, with the rubrics: `lost` on these, `gained` on those."""
    found: dict[str, list[str]] = {}
    for flip in group:
        found.setdefault(flip.direction, []).append(flip.rubric)
    return list(found.items())


def distinct(flips: Iterable[Flip]) -> int:
    """Of how many cases these flips are."""
    return len({(flip.position, flip.case_id) for flip in flips})


def differences(verdict: Verdict) -> str:
    """`473 differences on 310 cases`: a case can differ on several rubrics, and at several epochs."""
    total = len(verdict.flips) + verdict.flips_left_out
    return f"{f.plural(total, 'difference')} on {differing(verdict)}"


def differing(verdict: Verdict) -> str:
    """`310 cases`; `at least 102 cases` where only those of the flips at hand can be counted."""
    known = verdict.differing_cases
    found = known or distinct(verdict.flips)
    return f"{'' if known or not verdict.flips_left_out else 'at least '}{f.plural(found, 'case')}"


def differ_heading(verdict: Verdict, shown: Iterable[Flip]) -> str:
    """What stands above some of the differences."""
    return f"{differences(verdict)}; {f.count(distinct(shown))} of the cases:"


def tally(verdict: Verdict) -> list[Fact]:
    """How many rubrics of each deciding kind pass."""
    found: list[Fact] = []
    for title, _, rubrics in by_kind(r for r in verdict.rubrics if r.decision != "SHOWN"):
        passed = sum(r.decision == "PASS" for r in rubrics)
        found.append(Fact(title, f"{passed} of {len(rubrics)}"))
    return found


def arm(report: TrialReport, name: str) -> ArmSummary | None:
    """The arm of that target."""
    return next((a for a in report.arms if a.target == name), None)


def cost_each(summary: ArmSummary | None) -> float | None:
    """US dollars per 1,000 outputs, of those whose cost is known."""
    if summary is None or summary.cost is None or summary.outputs <= summary.cost_unknown:
        return None
    return summary.cost / (summary.outputs - summary.cost_unknown) * 1000


def economy(report: TrialReport, verdict: Verdict) -> list[Fact]:
    """Cost and latency of the candidate beside the incumbent's, where both are known."""
    new, old = arm(report, verdict.candidate), arm(report, verdict.incumbent)
    found: list[Fact] = []
    price, was = cost_each(new), cost_each(old)
    if price is not None or was is not None:
        found.append(Fact("Cost per 1,000", f.dollars(price) + _change(price, was)))
    if new is not None and new.latency_p50 is not None:
        found.append(
            Fact("Latency, median", f.seconds(new.latency_p50) + _change(new.latency_p50, old and old.latency_p50))
        )
    return found


TIMES = {"first_token": "first token", "inter_token": "between tokens", "total": "whole answer"}
"""What each of an arm's times is called."""


def time_rows(arms: Iterable[ArmSummary]) -> list[tuple[str, str, int, list[str]]]:
    """The latency table: arm, time, answers, and p50, p95 and p99 with their intervals; times nobody knows left out."""
    return [
        (name(a.target), TIMES[t.name], t.n, [_percentile(e, t.unit) for e in (t.p50, t.p95, t.p99)])
        for kind in TIMES
        for a in arms
        for t in (a.latency.times if a.latency else ())
        if t.name == kind and t.n
    ]


def _percentile(found: Estimate | None, unit: str) -> str:
    """`1.20 s [1.10, –]`: an end that the answers are too few to bound is open."""
    return f.UNKNOWN if found is None else f.bracketed(found.value, found.low, found.high, unit)


TIMES_NOTE = "95% intervals by order statistics; – where the answers are too few to bound that end."


def measured(arms: Iterable[ArmSummary]) -> list[str]:
    """How the arms' times were measured, those alike together."""
    alike: dict[str, list[str]] = {}
    for arm in arms:
        if how := _measured_how(arm):
            alike.setdefault(how, []).append(name(arm.target))
    return [f"{f.listed(names)}: {'each ' * (len(names) > 1)}{how}" for how, names in alike.items()]


def _measured_how(summary: ArmSummary) -> str:
    """How an arm's times were measured: the arrival pattern, streaming, when, and what to distrust."""
    found = summary.latency
    if found is None:
        return ""
    parts = [pattern(found.load), "streamed" if found.streamed else "no time to a first token"]
    parts += [f.span(found.first_at, found.last_at)] * bool(found.first_at)
    parts += [f"waited up to {f.seconds(found.queued)} (p99) for their turn"] * (found.queued is not None)
    for number, what in (
        (found.late, "found all places taken"),
        (found.lagged, "timed while this machine was late"),
        (found.other_load, "under another load, not counted"),
    ):
        parts += [f"{f.count(number)} {what}"] * bool(number)
    return f"{f.plural(found.outputs, 'answer')}, {', '.join(parts)}"


def _change(new: float | None, old: float | None) -> str:
    return "" if not old or new is None else f" ({f.points(new / old - 1, 0)}%)"


STATUS = {"model_failure": ("model failure", "model failures"), "infra_error": ("without answer", "without answer")}
"""What an output's status is called, one and several; `ok` needs no word."""


def prices(report: TrialReport) -> str:
    """What priced the targets' outputs, with its date or version, like `Prices of today: suite 2026-10-01`."""
    by_source: dict[tuple[str, ...], list[str]] = {}
    for summary in report.arms:
        if summary.cost is not None:
            by_source.setdefault(summary.price_sources, []).append(name(summary.target))
    said = [f"{', '.join(who)}: {' and '.join(sources) or 'not recorded'}" for sources, who in by_source.items()]
    return f"Prices of {'; '.join(said)}." if said else ""


def judging(report: TrialReport) -> str:
    """What judges were asked in the trial and what that took, which is no candidate's cost; empty where nobody was."""
    held = as_dict((as_dict(report.environment.get("judging")) or {}).get("judges")) or {}
    counts = {str(who): count for who, plain in held.items() if (count := as_dict(plain)) is not None}
    said = [told for who, count in counts.items() if (told := _judged(who, count))]
    return f"Judging, no cost of a target: {'; '.join(said)}." if said else ""


def _judged(who: str, count: Mapping[str, Any]) -> str:
    keys = ("calls", "reused", "refused", "dollars_unknown")
    calls, reused, refused, unknown = (n if isinstance(n := count.get(key), int) else 0 for key in keys)
    if not (calls or reused or refused):
        return ""
    dollars = spent if isinstance(spent := count.get("dollars"), int | float) else 0.0
    money = f.dollars(dollars) if not unknown else "cost unknown" if not dollars else f"at least {f.dollars(dollars)}"
    parts = [f"{f.plural(calls, 'call')} ({money})" if calls else "", f"{f.count(reused)} reused" if reused else ""]
    parts.append(f"{f.count(refused)} left unasked by the cap" if refused else "")
    return f"{name(who)} {', '.join(part for part in parts if part)}"


def errors(summary: ArmSummary) -> str:
    """Outputs that are no good answer, by what went wrong: `2 model failures, 1 without answer`; and what was not sent.

    A parameter that was asked and left out follows as `temperature not sent to 400`.
    """
    bad = [f"{f.count(n)} {STATUS.get(s, (s, s))[n != 1]}" for s, n in summary.statuses.items() if n and s != "ok"]
    gone = [f"{name(key)} not sent {f.plural(n, 'time')}" for key, n in summary.dropped.items()]
    return ", ".join([*(bad or ["none"]), *gone])


def choices(verdict: Verdict) -> list[str]:
    """What the verdict would be under other choices: a sentence, then a line a choice; empty where none was made."""
    found = verdict.fragility
    if found is None or not found.checks:
        return []
    each = [f"{OVERALL[c.overall]} {c.what}{_turned(c)}" for c in found.checks]
    return [f"Under other choices: {found.sentence}", *each]


def _turned(check: FragilityCheck) -> str:
    """Which rubrics would be decided otherwise."""
    names = ", ".join(map(name, check.rubrics[:4])) + (", …" if len(check.rubrics) > 4 else "")
    return f" (otherwise decided: {names})" if names else ""


def suspicion(verdict: Verdict) -> list[str]:
    """Why the candidate's gains are suspect, and how each rubric moved on exposed and on fresh cases."""
    return [f"Suspect: {verdict.suspect}"] if verdict.suspect else []


PARITY = {"equal": "equal", "differs": "differs, as the suite allows", "unknown": "unknown"}


def conduct(verdict: Verdict) -> list[str]:
    """How the trial was conducted, a sentence each: the look at which it ended, and what an A/A trial shows."""
    ended = [verdict.stopping.sentence] if verdict.stopping else []
    return [*ended, *(verdict.control.sentences if verdict.control else ())]


def parity(verdict: Verdict) -> str:
    """Under which conditions the arms were asked, in a line; empty where nothing is known of it."""
    found = verdict.parity
    if found is None:
        return ""
    apart = [f"asked {found.apart} apart"] if found.apart else []
    if found.result == "unknown":
        were = "was" if len(found.unknown) == 1 else "were"
        unknown = f"unknown: what {f.listed([*map(name, found.unknown)])} {were} sent is not recorded"
        return f"Parity: {', '.join([unknown, *apart])}"
    refused = any(not d.allowed for d in found.differences)
    said = "differs, and the suite does not allow it" if refused else PARITY[found.result]
    return f"Parity: {said}: {', '.join([*map(_brief, found.same), *apart])}"


def _brief(text: str) -> str:
    return one_line(text, LONGEST_NAME)


def unequal(verdict: Verdict) -> list[str]:
    """Each condition that differs, in a line: `temperature: 0 → not sent (allowed)`."""
    found = verdict.parity.differences if verdict.parity else ()
    return [f"{_brief(d.what)}: {_sides(d)} ({'allowed' if d.allowed else 'not allowed'})" for d in found]


def _sides(difference: Difference) -> str:
    sides = (_brief(difference.incumbent), _brief(difference.candidate))
    return " → ".join(side for side in sides if side)


def deciding_method(rubric: RubricResult) -> str:
    """The method of the number that decides; empty when there is none."""
    q = rubric.quantity
    rate = rubric.candidate.estimate if rubric.candidate else None
    measure = (q.ratio or q.candidate) if q else None
    found = next((e for e in (measure, rubric.failures, rubric.difference, rate) if e is not None), None)
    return found.method if found else ""


def methods_used(rubrics: Sequence[RubricResult]) -> dict[str, int]:
    """Each method named on a number, and on how many numbers."""
    used: Counter[str] = Counter()
    for r in rubrics:
        q = r.quantity
        rates = [rate.estimate for rate in (r.candidate, r.incumbent) if rate]
        measures = [q.candidate, q.incumbent, q.ratio] if q else []
        estimates = (
            *rates,
            *measures,
            *(s.difference for s in r.slices),
            r.difference,
            r.difference_wide,
            r.failures,
            *_others(r),
        )
        used.update(e.method for e in estimates if e is not None and e.value is not None)
        used.update([r.p_method] * sum(p is not None for p in (r.p_value, r.p_worse)) if r.p_method else [])
    return dict(used)


def _others(rubric: RubricResult) -> list[Estimate | None]:
    """The numbers beside the verdict's: unweighted, of several tries, of synthetic cases."""
    tried = [estimate for one in rubric.tries for estimate in (one.all_pass, one.any_pass)]
    made = [rubric.synthetic.candidate, rubric.synthetic.incumbent] if rubric.synthetic else []
    return [rubric.unweighted, *tried, *made]
