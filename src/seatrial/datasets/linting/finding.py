"""A finding: what is wrong, where, and what to do about it. The rules stand here, each under its stable code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from seatrial.core.record import Json, Record, Text

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
FIRST = 5
"""So many cases of a finding are named; the others are counted."""


class Rule(NamedTuple):
    """What a code stands for. `severity` is the usual one; a finding may say another."""

    severity: Severity
    title: str
    fix: str


RULES: Mapping[str, Rule] = {
    # the cases themselves
    "L101": Rule("error", "conflicting references", "decide which reference is right, and correct the other"),
    "L102": Rule("warning", "nearly equal, other reference", "read both: mend the wrong reference, or keep them"),
    "L103": Rule("error", "answer in the prompt", "take the reference out of what the model is shown"),
    "L104": Rule("warning", "unlabelled", "write a reference or criteria: `seatrial label outcome`"),
    "L105": Rule("error", "one id, several cases", "give every case an id of its own"),
    "L106": Rule("warning", "near-duplicates counted as independent", "give them one `seed_id`, or drop all but one"),
    # splits
    "L201": Rule("error", "near-duplicates across splits", "keep them in one split: split the set again by cluster"),
    "L202": Rule("note", "nothing sealed", "seal a split: `seatrial dataset seal`"),
    "L203": Rule("warning", "sealed split exposed", "replace its cases when people have seen how models do on them"),
    "L204": Rule("error", "one seed in several splits", "keep a seed and its variants in one split"),
    "L205": Rule("warning", "no version", "commit the set, so that a run names what it ran: `seatrial dataset commit`"),
    # the mix
    "L301": Rule("error", "stratum missing", "draw cases of it from traffic, or say that it does not matter"),
    "L302": Rule("warning", "stratum thin", "add cases: its weight rests on so few"),
    "L303": Rule("warning", "language missing", "add cases in it from traffic"),
    "L304": Rule("note", "cases without a stratum", "stratify them: they count in no slice and in no share"),
    "L305": Rule("note", "traffic unknown", "state `shares` under dataset, or compare with `--against POOL`"),
    "L306": Rule("warning", "clusters dominate", "add cases from other seeds: more variants of one prove nothing"),
    "L307": Rule("warning", "mostly synthetic", "add cases from traffic: variants look like what made them"),
    # rubrics
    "L401": Rule("error", "only generic metrics", "add a rubric that reads the reference, the tools or your rules"),
    "L402": Rule("warning", "single rubric", "judge what matters apart: one number hides what was traded for what"),
    "L403": Rule("error", "grader always passes", "mend its settings: it tells nothing apart"),
    "L404": Rule("error", "grader cannot pass", "mend its settings, or the references"),
    "L405": Rule("error", "gate without probes", "add probes, or delete the gate"),
    "L406": Rule("warning", "margin above the failure rate", "take a margin well below what fails today"),
    "L407": Rule("warning", "margin cannot be shown", "have the cases that it takes, or a wider margin, and mean it"),
    "L408": Rule("warning", "gate's limit cannot be shown", "add probes, each from a seed of its own"),
    "L409": Rule("warning", "rubric leaves cases out", "label them, or narrow its `cases` and `where`"),
    "L410": Rule("warning", "probes that no gate reads", "add a gate with `cases: probes`"),
    # what past runs say of the cases
    "L501": Rule("note", "never fails", "keep a few as guards; spend new cases elsewhere"),
    "L502": Rule("warning", "always fails", "read the references: a case that nobody passes is often a wrong label"),
    "L503": Rule("warning", "better models fail it", "read the references: they may be wrong"),
    "L504": Rule("note", "too few runs", "run more models: each case is judged by how they do on it"),
    # age
    "L601": Rule("warning", "older than the policy allows", "refresh the set: `seatrial dataset refresh`"),
    "L602": Rule("warning", "public before a model's cutoff", "replace them, or count them as advisory"),
    "L603": Rule("note", "cases without a date", "give them `created_at`, and `published_at` where they are public"),
    "L604": Rule("note", "cutoff unknown", "state `cutoff` under the target"),
    "L605": Rule("warning", "quarantine expired", "mend the case, or give a new reason and day"),
    # the stage
    "L701": Rule("error", "stage not reached", "add what is missing, or ask for a smaller stage"),
}


class Finding(Record):
    """One thing found. `cases` and `rubrics` are the first few concerned, `count` says how many cases there are."""

    code: Text
    severity: Severity
    title: Text
    text: Text
    fix: Text
    count: int = 0
    cases: tuple[Text, ...] = ()
    rubrics: tuple[Text, ...] = ()
    numbers: Mapping[str, Json] = Field(default_factory=dict)


def found(  # noqa: PLR0913  # the fields of a finding, all but the first two by name
    code: str,
    text: str,
    *,
    cases: Sequence[str] = (),
    count: int | None = None,
    rubrics: Sequence[str] = (),
    severity: Severity | None = None,
    fix: str = "",
    numbers: Mapping[str, Json] | None = None,
) -> Finding:
    """A finding under a code of `RULES`."""
    rule = RULES[code]
    return Finding(
        code=code,
        severity=severity or rule.severity,
        title=rule.title,
        text=text,
        fix=fix or rule.fix,
        count=len(cases) if count is None else count,
        cases=tuple(cases[:FIRST]),
        rubrics=tuple(rubrics),
        numbers=numbers or {},
    )


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by code; those of one code as they were found."""
    return tuple(sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), one.code)))


def many(number: int, one: str, several: str = "") -> str:
    """`1 case`, `2,000 cases`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def percent(share: float) -> str:
    """A share as people read it: `0.4%`, `12%`."""
    points = 100 * share
    return f"{points:.1f}%" if 0 < points < 10 and abs(points - round(points)) > 0.05 else f"{points:.0f}%"
