"""The plain sentence for every finding. Numbers are rounded here and nowhere else in a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from seatrial.core.suite import RubricSpec
from seatrial.stats import Interval
from seatrial.verdicts.engine.gates import GateFinding
from seatrial.verdicts.engine.limits import LimitFinding, Measured
from seatrial.verdicts.engine.needs import Need
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.engine.quality import LEAST_CLUSTERS, QualityFinding, none_pass
from seatrial.verdicts.records import Estimate, Fragility, Overall, Rate, RubricResult, Tries

MINUS = "−"
MOST_CONFIRMED = 3
"""Confirmed failures that a gate's sentence names."""


def number(value: float) -> str:
    """A quantity at three significant digits, thousands separated, with a true minus."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", MINUS)


def points(share: float, against: float | None = None) -> str:
    """A share as percentage points; with as many digits as it takes to stay on its side of `against`."""
    value, other = 100 * share, None if against is None else 100 * against
    for digits in range(1, 6):
        text = f"{value:.{digits}f}"
        apart = other is None or value == other or float(text) != float(f"{other:.{digits}f}")
        if apart and (float(text) != 0 or value == 0):
            return text.replace("-", MINUS) if float(text) else "0"
    return f"{value:.3g}".replace("-", MINUS)


def end(share: float, against: float | None = None) -> str:
    """An end of an interval in points: `just under 0` or `just above 0` where one decimal would show no difference."""
    if _tiny(share) and not (against is not None and _tiny(against)):
        return "just under 0" if share < 0 else "just above 0"
    return points(share, against)


def _tiny(share: float) -> bool:
    """Whether a share is not zero, yet 0.0 at one decimal of a point."""
    return share != 0 and round(100 * share, 1) == 0


def plain(share: float) -> str:
    """A share that a person wrote, as percentage points: 3, not 3.0."""
    return f"{round(100 * share, 6):g}"


def count(number_of: int, one: str, many: str = "") -> str:
    """`1 case`, `1,200 cases`."""
    return f"{number_of:,} {one if number_of == 1 else many or one + 's'}"


def quality(finding: QualityFinding, interval: Interval | None, alpha: float, need: Need | None) -> str:
    """What a quality rubric found; `interval` is at 1 − 2·alpha."""
    evidence = finding.evidence
    if evidence is None or interval is None:
        return f"No case has a result of both arms, so nothing can be said.{wanted(need)}"
    inside = f"{interval_of(interval, alpha, against=-finding.margin)}, margin {MINUS}{plain(finding.margin)}"
    counted = _counted(finding.outcomes)
    head = f"{_gap(evidence.estimate, finding.outcomes)} ({inside}{counted}): {_quality_tail(finding, need)}"
    return f"{head}{_apart(finding.outcomes)}{_unseen(finding.outcomes)}"


def difference(estimate: float, interval: Interval, alpha: float, outcomes: Outcomes) -> str:
    """A difference that decides nothing; `interval` is at 1 − 2·alpha."""
    inside = f"{interval_of(interval, alpha)}{_counted(outcomes)}"
    tail = f"{_apart(outcomes)}{_unseen(outcomes)}"
    return f"{_gap(estimate, outcomes)} ({inside}); shown, it decides nothing.{tail}"


def _gap(estimate: float, outcomes: Outcomes) -> str:
    size = "less than 0.1" if _tiny(estimate) else points(abs(estimate))
    if outcomes.labels is not None:
        what = f"Its {outcomes.labels.aggregate} is"
        same = f"{what} exactly the incumbent's"
        return same if estimate == 0 else f"{what} {size} points {_side(estimate)} than the incumbent's"
    if outcomes.graded:
        same = "Its mean value is exactly the incumbent's"
        return same if estimate == 0 else f"Its mean value is {size} points {_side(estimate)} than the incumbent's"
    if estimate == 0:
        return "It passes exactly as often as the incumbent"
    return f"It passes {size} points {'more' if estimate > 0 else 'less'} often than the incumbent"


def _side(estimate: float) -> str:
    return "higher" if estimate > 0 else "lower"


def _counted(outcomes: Outcomes) -> str:
    return "" if outcomes.weight is None else ", weighted to traffic"


def _apart(outcomes: Outcomes) -> str:
    """That the arms answered different cases, and what that costs."""
    if outcomes.asked is None or outcomes.labels is not None:
        return ""
    asked = (outcomes.asked.candidate.any(axis=1), outcomes.asked.incumbent.any(axis=1))
    shared = count(int(np.count_nonzero(asked[0] & asked[1])), "case")
    ours, theirs = (int(np.count_nonzero(cells)) for cells in asked)
    return (
        f" The arms were asked different cases (candidate {ours:,}, incumbent {theirs:,}, {shared} of both), so they "
        "are compared unpaired: that shows less than the same cases would."
    )


def _unseen(outcomes: Outcomes) -> str:
    if not outcomes.unseen:
        return ""
    return f" There is no case of {points(outcomes.unseen)}% of traffic: the interval holds whatever happens there."


def interval_of(interval: Interval, alpha: float, against: float | None = None) -> str:
    """`90% interval −2.4 to −0.1`, in points."""
    return f"{100 - 200 * alpha:g}% interval {end(interval.low, against)} to {end(interval.high, against)}"


def _quality_tail(finding: QualityFinding, need: Need | None) -> str:
    evidence = finding.evidence
    assert evidence is not None
    regressed, superior = "regressed" in finding.flags, "superior" in finding.flags
    match finding.open_because:
        case "few_cases":
            return f"only {count(evidence.cases, 'case')}, too few to decide anything.{wanted(need)}"
        case "few_clusters":
            clusters = count(evidence.clusters, "cluster")
            return f"the cases form only {clusters}, and fewer than {LEAST_CLUSTERS} decide nothing.{wanted(need)}"
        case "none_pass":
            return f"{none_pass(finding.outcomes)}, so nothing is shown: check prompt, scorer and references."
        case "missing":
            return f"within the margin, but {_too_much_missing(finding.outcomes)}"
        case "holm":
            held = f"with {finding.tested} quality rubrics tested at once this may be chance."
            return f"worse than the margin taken by itself, but {held}{wanted(need)}"
        case _:
            pass
    if finding.decision == "BLOCK":
        return "worse than the margin allows."
    if finding.decision == "PASS":
        if superior:
            return "better beyond doubt."
        return "within the margin, though the drop is real." if regressed else "within the margin."
    start = "the drop is real, and " if regressed else ""
    return f"{start}whether it stays within the margin is open.{wanted(need)}"


def _too_much_missing(outcomes: Outcomes) -> str:
    share = points(outcomes.most_missing, outcomes.most_allowed)
    return f"{share}% of an arm's results are missing, too many to pass."


def wanted(need: Need | None) -> str:
    """How many cases would settle it, or why no number would; nothing when nothing is open."""
    if need is None:
        return ""
    if need.cases is None:
        return f" No number of cases is named: {need.note}."
    end = ", and by what is seen so far against the candidate" if need.against else ""
    return f" About {need.cases:,} {need.note} would settle it{end}."


def gate(finding: GateFinding, alpha: float, need: Need | None) -> str:
    """What a gate found."""
    failures, limit = finding.failures, plain(finding.limit)
    if not failures.results:
        return f"No case has a result, and a gate without data does not pass.{wanted(need)}"
    seen = f"It fails {failures.failed:,} of {failures.results:,}"
    if failures.clusters < failures.results:
        seen += f" (from {count(failures.clusters, 'cluster')})"
    sure = f"with {100 - 100 * alpha:g}% confidence"
    least, most = points(failures.low, finding.limit), points(failures.high, finding.limit)
    match finding.reason:
        case "broken":
            return f"{seen}: at least {least}% {sure}, where {limit}% is allowed. The gate is broken."
        case "worse":
            return f"{seen}. {_worse(finding)}"
        case "confirmed":
            return f"{seen}. {_confirmed(finding)}"
        case "kept":
            return f"{seen}: at most {most}% {sure}, and {limit}% is allowed."
        case "few_cases":
            return f"{seen}: at most {most}% {sure}, but too few cases to decide anything.{wanted(need)}"
        case "missing":
            lost = _too_much_missing(finding.outcomes)
            return f"{seen}: at most {most}% {sure}, but {lost}"
        case _:
            return f"{seen}: up to {most}% is possible {sure}, and {limit}% is allowed.{wanted(need)}"


def _confirmed(finding: GateFinding) -> str:
    held = finding.outcomes.confirmed
    rest = f" and {len(held) - MOST_CONFIRMED:,} more" if len(held) > MOST_CONFIRMED else ""
    whom = f"A person confirmed {count(len(held), 'failure')}: {'; '.join(held[:MOST_CONFIRMED])}{rest}."
    return f"{whom} That blocks, whatever the numbers say."


def _worse(finding: GateFinding) -> str:
    compared = finding.compared
    assert compared is not None
    unit = "cases" if finding.failures.clusters == finding.failures.results else "clusters"
    return (
        f"It is worse than the incumbent: {compared.only_candidate:,} {unit} only it fails, "
        f"{compared.only_incumbent:,} only the incumbent does (p {compared.p_worse:.2g})."
    )


def limit(finding: LimitFinding, rubric: RubricSpec, alpha: float, unit: str, need: Need | None) -> str:
    """What a limit found."""
    if finding.candidate is None:
        return f"No case has a measure, so nothing can be said.{wanted(need)}"
    name = "mean" if rubric.statistic == "mean" else rubric.statistic
    head = f"Its {name} is {quantity(finding.candidate.value, unit)}"
    told = finding.compared
    if told is None:
        return f"{head}; the ratio to the incumbent cannot be formed.{wanted(need)}"
    if rubric.at_most_ratio is not None:
        head += f", {_times(told.value)}"
        allowed = f"at most {_times(finding.allowed)} is allowed"
    else:
        allowed = f"at most {quantity(finding.allowed, unit)} is allowed"
    tail = {
        "kept": "kept.",
        "broken": "not kept.",
        "few_cases": f"only {count(finding.cases, 'case')}, too few to decide anything.",
        "few_clusters": f"the cases form only {count(finding.clusters, 'cluster')}, too few to decide anything.",
        "missing": f"kept, but {_too_much_missing(finding.outcomes)}",
    }.get(finding.reason, "whether it is kept is open.")
    return f"{head} ({_reach(told, alpha)}; {allowed}): {tail}{wanted(need)}"


def _reach(told: Measured, alpha: float) -> str:
    name = f"{100 - 200 * alpha:g}% interval"
    above = told.high < math.inf
    below = told.low > (-math.inf if above else 0)  # from 0 without an upper end says nothing
    match below, above:
        case True, True:
            return f"{name} {number(told.low)} to {number(told.high)}"
        case True, False:
            return f"{name} from {number(told.low)}, without an upper end"
        case False, True:
            return f"{name} up to {number(told.high)}, without a lower end"
        case _:
            return f"too few results for a {name}"


def _times(ratio: float) -> str:
    """`1.2 times the incumbent's`."""
    text = number(ratio)
    return "as much as the incumbent's" if text == "1" else f"{text} times the incumbent's"


def quantity(value: float, unit: str) -> str:
    """A measure with its unit."""
    return f"{number(value)} {unit}".rstrip()


def rate(found: Rate, outcomes: Outcomes) -> str:
    """How often an arm passes, or how high its values are, by itself."""
    estimate = found.estimate
    if estimate.value is None or estimate.low is None or estimate.high is None:
        labelled = outcomes.labels is not None and found.n
        return f"Its {estimate.method}, over {count(found.n, 'result')}." if labelled else "No case has a result."
    ends = f"{end(estimate.low)} to {end(estimate.high)}"
    share = f"{points(estimate.value)}%, {100 * estimate.level:g}% interval {ends}"
    counted = _counted(outcomes)
    if outcomes.labels is not None:
        return f"Its {outcomes.labels.aggregate} is {share}, over {count(found.n, 'result')}{counted}."
    if outcomes.graded:
        return f"Its mean value is {share}, over {count(found.n, 'result')}{counted}."
    return f"It passes {found.passed:,} of {found.n:,} ({share}{counted})."


def tries(found: Sequence[Tries]) -> str:
    """How reliable each arm is over several tries at a case; nothing without them."""
    last = max((one.k for one in found), default=0)
    parts = [
        f"{'the incumbent' if one.arm == 'incumbent' else 'it'} passes {_pass_share(one.all_pass)} of cases in all "
        f"{one.k} tries and {_pass_share(one.any_pass)} in at least one"
        for one in found
        if one.k == last
    ]
    return f" {'; '.join(parts)[0].upper()}{'; '.join(parts)[1:]}." if parts else ""


def _pass_share(found: Estimate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "an unknown share"
    ends = f"{end(found.low)} to {end(found.high)}"
    return f"{points(found.value)}% ({100 * found.level:g}% interval {ends})"


def headline(
    candidate: str,
    incumbent: str,
    overall: Overall,
    rubrics: Sequence[RubricResult],
    told: Fragility | None = None,
) -> str:
    """The verdict in one or two sentences; `told`: what it would be under other choices."""
    by_decision: Mapping[str, list[RubricResult]] = {
        decision: [rubric for rubric in rubrics if rubric.decision == decision]
        for decision in ("PASS", "BLOCK", "INCONCLUSIVE")
    }
    deciding = sum(len(group) for group in by_decision.values())
    if overall == "ship":
        what = "the one deciding rubric passes" if deciding == 1 else f"all {deciding} deciding rubrics pass"
        return f"{candidate} may replace {incumbent}: {what}.{_fragile(by_decision['PASS'], told)}"
    if overall == "block":
        why = _blockers(by_decision["BLOCK"])
        return f"{candidate} must not replace {incumbent}: blocked by {why}.{_fragile(by_decision['BLOCK'], told)}"
    if overall == "inconclusive":
        return f"Whether {candidate} may replace {incumbent} is open: {_open(by_decision['INCONCLUSIVE'])}"
    gone = [rubric.name for rubric in by_decision["INCONCLUSIVE"] if "missing" in rubric.flags and _some(rubric)]
    why = "nothing decides" if not deciding else "no results"
    bare = [rubric.name for rubric in by_decision["INCONCLUSIVE"] if not _some(rubric)]
    if 0 < len(bare) < deciding:
        why = f"no results of {listed(bare)}"
    if gone:
        why = f"too many results of {listed(gone)} are missing"
    return f"No verdict on {candidate} against {incumbent}: {why}."


def _some(rubric: RubricResult) -> bool:
    """Whether both arms have a result on a rubric."""
    if rubric.quantity is not None:
        return rubric.quantity.n > 0
    return all(arm is None or arm.n > 0 for arm in (rubric.candidate, rubric.incumbent))


def _blockers(rubrics: Sequence[RubricResult]) -> str:
    """`the gates no_leak and safe, and right`."""
    gates = [rubric.name for rubric in rubrics if rubric.kind == "gate"]
    others = [rubric.name for rubric in rubrics if rubric.kind != "gate"]
    if not gates:
        return listed(others)
    first = f"the gate{'s' if len(gates) > 1 else ''} {listed(gates)}"
    return f"{first}, and {listed(others)}" if others else first


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def pattern(load: str) -> str:
    """An arrival pattern in words."""
    kind, _, number = load.partition(":")
    match kind:
        case "closed":
            return f"closed loop, {number} in flight"
        case "poisson":
            return f"Poisson arrivals, {number} a second"
        case _:
            return "as recorded"


def _fragile(rubrics: Sequence[RubricResult], told: Fragility | None) -> str:
    if told is not None:
        return f" Fragile: {told.sentence[0].lower()}{told.sentence[1:]}" if told.fragile else ""
    names = [rubric.name for rubric in rubrics if "fragile" in rubric.flags]
    return f" Fragile: {listed(names)} would turn with one cluster less or other missing results." if names else ""


def _open(rubrics: Sequence[RubricResult]) -> str:
    parts = [
        f"{rubric.name} needs about {rubric.needed:,} {rubric.needed_note}"
        if rubric.needed is not None
        else f"{rubric.name} is not settled by more cases ({rubric.needed_note})"
        for rubric in rubrics
    ]
    return f"{'; '.join(parts)}."
