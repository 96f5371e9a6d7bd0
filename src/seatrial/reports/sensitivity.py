"""What stands behind a rubric's number, a line each: weights, synthetic cases, tries, labels, and known cases."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.reports import format as f
from seatrial.reports.words import name
from seatrial.verdicts.records import Confusion, Estimate, RubricResult, SyntheticGap, Tries, Verdict


def rows(verdict: Verdict, rubrics: Sequence[RubricResult]) -> list[tuple[str, str, str]]:
    """Rubric, what was looked at, what was found; of those of `rubrics` on which anything was."""
    found = [(rubric.name, what, said) for rubric in rubrics for what, said in _of(rubric)]
    for jump in verdict.jumps:
        sides = (f"exposed ({f.plural(jump.exposed_cases, 'case')}) {_points(jump.exposed)}",
                 f"fresh ({f.plural(jump.fresh_cases, 'case')}) {_points(jump.fresh)}")  # fmt: skip
        found.append(
            (jump.rubric, "cases that it may have seen", f"{'; '.join(sides)}; between {_points(jump.between)}")
        )
    return found


def _of(rubric: RubricResult) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if rubric.unweighted is not None:
        found.append(("all cases alike", f"difference {_points(rubric.unweighted)}"))
    if rubric.unseen:
        found.append(("no case of", f"{f.percent(rubric.unseen)} of traffic"))
    if rubric.missing_range is not None:
        low, high = rubric.missing_range
        found.append(("missing results", f"difference from {f.points(low)} to {f.points(high)}"))
    if rubric.synthetic is not None:
        found.append(("synthetic cases", _synthetic(rubric.synthetic)))
    found += [(f"{one.k} tries, {one.arm}", _tries(one)) for one in rubric.tries]
    return [*found, *(row for one in rubric.confusion for row in _confused(one))]


def _points(found: Estimate) -> str:
    return f"{f.points(found.value)} {f.points_interval(found)}".strip()


def _synthetic(gap: SyntheticGap) -> str:
    sides = [
        f"{who} {_points(found)}"
        for who, found in (("candidate", gap.candidate), ("incumbent", gap.incumbent))
        if found
    ]
    counted = "counted" if gap.counted else "not counted"
    return (
        f"{f.count(gap.cases)} against {f.count(gap.others)} others, {counted}: {', '.join(sides) or 'no gap is known'}"
    )


def _tries(one: Tries) -> str:
    both = f"all pass in {f.percent(one.all_pass.value)} {f.percent_interval(one.all_pass)}"
    return f"{both}, one at least in {f.percent(one.any_pass.value)}, of {f.plural(one.cases, 'case')}"


def _confused(one: Confusion) -> list[tuple[str, str]]:
    """A line a label: what the arm called the cases of which it was expected, the most frequent first."""
    lines: list[tuple[str, str]] = []
    for label, counts in zip(one.labels, one.counts, strict=True):
        called = sorted(zip(counts, (*map(name, one.labels), "no label"), strict=True), key=lambda pair: -pair[0])
        said = ", ".join(f"{f.count(number)} {what}" for number, what in called if number)
        lines += [(f"{name(label)}, {one.arm}", f"{f.count(sum(counts))} expected, called {said}")] if said else []
    return lines


def choices(verdict: Verdict) -> list[tuple[str, str, str, bool]]:
    """Each other choice: what it is, the verdict under it, the rubrics decided otherwise, and whether it turns it."""
    checks = verdict.fragility.checks if verdict.fragility else ()
    return [(c.what, c.overall, ", ".join(map(name, c.rubrics[:8])), c.flips) for c in checks]
