"""Whether a change of the running target has a decision record, and what can be done where it has none."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

from seatrial.core.identity import digest
from seatrial.errors import safe
from seatrial.trials.change.sides import Sides
from seatrial.verdicts.artefacts.gating import Check
from seatrial.verdicts.artefacts.record import Rules, Standing, rubric_digests, valid_records

SHOWN = 3
SHARED = ("the prompt", "the prompt's variables")
"""What all targets of a suite have in common, as a proposal names it: one trial has no arm with the old one."""


class Cleared(NamedTuple):
    """What a record must clear: the target by its identity, judged by these scorers on this dataset."""

    target: str
    identity: str
    scorers: dict[str, str]
    dataset: str


def record_check(both: Sides, globs: list[str], about: Cleared, today: date) -> Check:
    """Whether a changed system has a record of exactly what it is now, judged by the suite that decides."""
    assert both.proposal is not None, "a change has two sides"
    files = both.watched(globs)
    served = about.target in both.proposal.served
    if not files and not served:
        return Check(name="record", outcome="pass", sentence="Nothing that needs a decision record was changed.")
    what = [f"target {about.target}"] if served else []
    said = f"{', '.join([*what, *map(safe, files[:5])])} changed"
    folder = (both.rules.folder if both.stranger else both.home) / both.suite.gate.records
    suite = both.rules.suite
    rules = Rules(rubric_digests(suite), about.scorers, digest("policy", suite.policy.plain()), about.dataset)
    standing = valid_records(folder, about.identity, today, rules)
    fresh = [path for path in standing.valid if served or _is_new(both, path)]
    if fresh:
        others = _why(standing)
        left = f" Not counted: {others}." if others else ""
        sentence = f"{said}, and {safe(fresh[0].name, 200)} ships exactly this target by these rules.{left}"
        return Check(name="record", outcome="pass", sentence=sentence)
    why = _why(standing) or "there is no record in the folder"
    if standing.valid:
        why = f"the records there are older than the change of these files ({_names(standing.valid)})"
    where = safe(both.suite.gate.records, 200)
    sentence = f"{said} without a valid decision record in {where}: {why}. {_way_out(both, about.target)}"
    return Check(name="record", outcome="block", sentence=sentence)


def _is_new(both: Sides, record: Path) -> bool:
    """Whether the base does not have this record: it was written for the change."""
    old = both.rules.folder / both.suite.gate.records / record.name
    return not both.stranger and not (old.exists() and old.read_bytes() == record.read_bytes())


def _why(standing: Standing) -> str:
    """Why the records that do not count do not."""
    told = [reason.rstrip(".") for reason in standing.refused[:SHOWN]]
    more = len(standing.refused) - SHOWN
    told += [f"and {more:,} more"] if more > 0 else []
    told += [f"of other targets: {_names(standing.others)}"] if standing.others else []
    return "; ".join(told)


def _names(paths: tuple[Path, ...]) -> str:
    named = ", ".join(safe(path.name, 80) for path in paths[:SHOWN])
    return f"{named} and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else named


def _way_out(both: Sides, target: str) -> str:
    """What can be done: a record is of one trial, in which what runs today and this target were asked side by side."""
    assert both.proposal is not None, "a change has two sides"
    if set(SHARED) & set(both.proposal.changes):
        return (
            "A record compares targets of one trial, which share its prompt: of a changed prompt there is none. "
            "Let the gate hold it against the base branch, without --require-record."
        )
    return (
        f"A record is of a trial of both: put what runs today as incumbent and {safe(target)} as it is now as "
        "candidate into a suite with these rubrics, this policy and this dataset, and `seatrial run SUITE --record "
        f"{safe(both.suite.gate.records, 200)}/NAME.json`."
    )
