"""What a gate says: every check it made, and one outcome. Pure: from verdicts to checks, from checks to an outcome."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from seatrial.core.record import Record, Text
from seatrial.verdicts.records import Decision, Overall, RubricResult, TrialReport, Verdict

Outcome = Literal["pass", "block", "inconclusive", "not_evaluable", "shown"]

OUTCOME_OF: Mapping[Decision, Outcome] = {
    "PASS": "pass",
    "BLOCK": "block",
    "INCONCLUSIVE": "inconclusive",
    "SHOWN": "shown",
}
EXIT_OF: Mapping[Overall, int] = {"ship": 0, "block": 1, "inconclusive": 3, "not_evaluable": 4}
MOST_NAMED = 20
"""Cases that a comparison names of each sort; the others are counted."""


class Check(Record):
    """One thing a gate looked at. `arm` is empty where it concerns the whole gate; `line` is of the suite file."""

    name: Text
    outcome: Outcome
    sentence: Text
    arm: Text = ""
    line: int | None = None


class SetAside(Record):
    """A quarantined case: run and shown, deciding nothing on its rubric. `results`: of each target, in words."""

    case: Text
    rubric: Text
    reason: Text
    expires: Text
    results: Mapping[Text, Text] = Field(default_factory=dict)


class Named(Record):
    """How many cases, and the first of them by id."""

    count: int = 0
    first: tuple[Text, ...] = ()

    @classmethod
    def of(cls, ids: Sequence[str]) -> Named:
        """The number of these ids, and the first few."""
        return cls(count=len(ids), first=tuple(ids[:MOST_NAMED]))


class Against(Record):
    """The baseline that a target was compared with, and what became of its cases since."""

    source: Text
    target: Text
    identity: Text
    blessed_at: Text
    common: int
    new: Named = Named()
    removed: Named = Named()
    changed: Named = Named()


class GateReport(Record):
    """All that a gate found. `changes`: what differs between both sides; `notes`: what a change asked for in vain."""

    outcome: Overall
    exit_code: int
    sentence: Text
    checks: tuple[Check, ...]
    suite_file: Text
    base: Text = ""
    head: Text = ""
    changes: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    quarantined: tuple[SetAside, ...] = ()
    baseline: Against | None = None
    blessed: Text = ""
    report: TrialReport


def of_verdict(verdict: Verdict, lines: Mapping[str, int], lacking: Collection[str] = ()) -> list[Check]:
    """A check a rubric, and one for the verdict itself where no rubric says why it is not evaluable.

    `lacking`: the rubrics on which an arm misses more results than it may.
    """
    checks = of_rubrics(verdict.candidate, verdict.rubrics, lines, lacking)
    if verdict.overall == "not_evaluable" and not {"block", "not_evaluable"} & {check.outcome for check in checks}:
        checks.append(Check(name="verdict", outcome="not_evaluable", sentence=verdict.headline, arm=verdict.candidate))
    return checks


def of_rubrics(
    arm: str, rubrics: Iterable[RubricResult], lines: Mapping[str, int], lacking: Collection[str] = ()
) -> list[Check]:
    """A check a rubric. What is open for want of data is not evaluable; `lacking`: as for `of_verdict`."""
    return [
        Check(
            name=rubric.name,
            outcome="not_evaluable" if lacks_data(rubric, lacking) else OUTCOME_OF[rubric.decision],
            sentence=rubric.sentence,
            arm=arm,
            line=lines.get(rubric.name),
        )
        for rubric in rubrics
    ]


def lacks_data(rubric: RubricResult, lacking: Collection[str] = ()) -> bool:
    """Whether a rubric is open because there are too few cases, none at all, or too many results are missing."""
    if rubric.decision != "INCONCLUSIVE":
        return False
    arms = [rate.n for rate in (rubric.candidate, rubric.incumbent) if rate is not None]
    arms += [] if rubric.quantity is None else [rubric.quantity.n]
    return "few_cases" in rubric.flags or rubric.name in lacking or 0 in arms


def outcome(checks: Sequence[Check]) -> Overall:
    """The worst of all checks: a block stands whatever else is missing. To ship, some rubric must have passed."""
    found = {check.outcome for check in checks}
    if "block" in found:
        return "block"
    if "not_evaluable" in found:
        return "not_evaluable"
    if "inconclusive" in found:
        return "inconclusive"
    return "ship" if any(check.outcome == "pass" and check.arm for check in checks) else "not_evaluable"


def exit_code(overall: Overall, *, allow_inconclusive: bool = False) -> int:
    """0 ship, 1 blocked, 3 inconclusive (0 where that is allowed), 4 not evaluable."""
    return 0 if overall == "inconclusive" and allow_inconclusive else EXIT_OF[overall]


SAYS: Mapping[Overall, str] = {
    "ship": "The gate passes",
    "block": "The gate blocks",
    "inconclusive": "The gate is inconclusive",
    "not_evaluable": "The gate cannot be evaluated",
}


def sentence(overall: Overall, checks: Sequence[Check], *, allow_inconclusive: bool = False) -> str:
    """The outcome with the checks that made it, the first few by name."""
    wanted: Outcome = "pass" if overall == "ship" else overall
    why = [f"{check.name} ({check.arm})" if check.arm else check.name for check in checks if check.outcome == wanted]
    if overall == "ship":
        return f"{SAYS[overall]}: {len(why)} of {len(why)} checks that decide."
    shown = ", ".join(why[:5]) + (f" and {len(why) - 5} more" if len(why) > 5 else "")
    allowed = " This was allowed." if overall == "inconclusive" and allow_inconclusive else ""
    return f"{SAYS[overall]}: {shown or 'nothing decides'}.{allowed}"
