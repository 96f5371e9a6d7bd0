"""Making the decision record of a trial, and drawing it again to see whether it holds."""

from __future__ import annotations

import platform
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import seatrial
from seatrial.core.files import write_whole
from seatrial.core.identity import digest, from_bytes
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.suite import Policy, Suite
from seatrial.errors import AggregateError, BundleError, NotFoundError, RecordError, SeatrialError, UsageError, safe
from seatrial.runs.runner import target_identity
from seatrial.store import bundle
from seatrial.store.bundle import Exported
from seatrial.store.digests import BLOCK, arm_digest, dataset_digest
from seatrial.store.store import RunRow, Store, TrialRow
from seatrial.trials.suite.suitefile import LoadedSuite
from seatrial.trials.trial import build, compare, existing, newest, store_path
from seatrial.verdicts.artefacts import record as records
from seatrial.verdicts.artefacts.record import Asked, DecisionRecord, Difference
from seatrial.verdicts.reading.frame import read_suite
from seatrial.verdicts.records import TrialReport

Result = Literal["equal", "altered", "differs"]
LIBRARIES = ("numpy", "scipy")
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of a record that was drawn again.

    `equal`: every field is as recorded. `altered`: the record's own digest does not hold, so that it was changed after
    it was written. `differs`: it was not, but what is drawn now is something else. `located` says where the rows
    differ, `software` which versions do.
    """

    file: str
    trial_id: str
    result: Result
    said: str
    differences: tuple[Difference, ...]
    left_out: int
    located: tuple[str, ...]
    software: tuple[str, ...]
    expires_at: str

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {"differences": [difference._asdict() for difference in self.differences]}


# making ---------------------------------------------------------------------------------------------------------------


def make_record(store: Store, trial_id: str, asked: Asked, report: TrialReport | None = None) -> DecisionRecord:
    """The decision record of a trial, drawn from what the store holds. `report`: the trial's, where it is at hand.

    Raises UsageError where there is nothing to decide between.
    """
    if report is None:
        report = compare(trial_id, store=store, incumbent=asked.incumbent, candidates=asked.candidates)
    if not report.verdicts:
        raise UsageError(
            "A decision record needs an incumbent and a candidate; this trial has one target.",
            hint="name the target that runs today as `incumbent` in the suite, and add a candidate",
        )
    trial = store.trial(report.trial_id)
    suite = read_suite(trial)
    runs = store.runs(trial.id)
    return records.make(
        report,
        asked,
        trial=_about(trial, runs),
        hashes=_hashes(store, trial, suite, runs),
        software=_software(),
    )


def write_record(record: DecisionRecord, path: Path) -> None:
    """Write a record's file, whole or not at all."""
    write_whole(path, lambda out: out.write(record.text.encode("ascii")), "The decision record")


def asked_for(store: Store, trial_id: str, incumbent: str | None, candidates: Sequence[str], **choices: Any) -> Asked:
    """How a record is asked for: the policy says how long it stands, where `expires_days` does not."""
    days = choices.get("expires_days") or read_suite(store.trial(trial_id)).policy.record_days
    return Asked(incumbent, tuple(candidates), bool(choices.get("texts")), days)


def _about(trial: TrialRow, runs: Sequence[RunRow]) -> dict[str, Json]:
    told = {key: value for key, value in trial.environment.items() if key not in records.PRIVATE}
    return {
        "id": trial.id,
        "suite": trial.name,
        "status": trial.status,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
        "git_commit": told.pop("git_commit", None),
        "environment": told,
        "series": sorted({run.series for run in runs}),
        "epochs": max((run.epochs for run in runs), default=1),
    }


def _hashes(store: Store, trial: TrialRow, suite: Suite, runs: Sequence[RunRow]) -> dict[str, Json]:
    arms: dict[str, Json] = {}
    for run in runs:
        tree = arm_digest(store, run)
        arms[run.target] = {"run": run.key.hex(), "outputs": tree.outputs.plain(), "scores": tree.scores.plain()}
    named = [found for run in runs if (found := as_dict(run.definition.get("rubrics")))]
    return {
        "suite": from_bytes("suite", trial.suite_hash),
        "policy": digest("policy", suite.policy.plain()),
        "dataset": store.dataset(trial.dataset_id).hash,
        "cases": dataset_digest(store, trial.dataset_id).plain(),
        "scorers": named[0] if named else {},
        "rubrics": dict(records.rubric_digests(suite)),
        "targets": {run.target: _target(run) for run in runs},
        "arms": arms,
    }


def _target(run: RunRow) -> dict[str, Json]:
    return {
        "use": run.definition.get("use", ""),
        "identity": run.definition.get("identity", ""),
        "settings": run.definition.get("hash", ""),
    }


def _software() -> dict[str, Json]:
    libraries = {name: version(name) for name in LIBRARIES}
    return {"seatrial": seatrial.__version__, "python": platform.python_version(), **libraries}


def identities(loaded: LoadedSuite) -> dict[str, str]:
    """What each target of a suite is, as records name it. Nothing is asked; no key is needed."""
    parts = build(loaded)
    return {name: target_identity(loaded.suite, name, target) for name, target in parts.targets.items()}


# verifying ------------------------------------------------------------------------------------------------------------


def verify(file: Path, *, store: Path | None = None, packed: Path | None = None) -> Verification:
    """Draw a record again, from the store (the default one where none is named) or from the bundle `packed` alone.

    Raises RecordError for what is no record, BundleError for what is no bundle, NotFoundError without a store.
    """
    if _is_bundle(file):
        name = safe(str(file), 200)
        hint = f"name the record as well: seatrial verify RECORD --bundle {name}"
        raise RecordError(f"{name} is a bundle of rows, and no decision record.", hint=hint)
    record = records.read(file)
    if packed is None:
        path = store_path(Path(), store)
        if not path.exists():
            hint = "name the store with --store, or what `seatrial export` wrote where the trial was made with --bundle"
            raise NotFoundError(f"There is no store at {path} to draw the record from.", hint=hint)
        with Store(path) as opened:
            return check(record, opened, file)
    with tempfile.TemporaryDirectory(prefix="seatrial-") as folder, Store(Path(folder) / "bundle.db") as opened:
        bundle.restore(packed, opened)
        try:
            return check(record, opened, file)
        except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as cause:
            said = f"{type(cause).__name__}: {safe(str(cause), 160)}"
            raise BundleError(f"Nothing can be drawn from what the bundle holds: {said}.", hint=bundle.HINT) from cause


def _is_bundle(file: Path) -> bool:
    try:
        return zipfile.is_zipfile(file)
    except ValueError:  # a name that no file can have, which reading it will tell
        return False


def check(record: DecisionRecord, store: Store, file: Path) -> Verification:
    """Hold a record against what the store holds."""
    altered = records.alterations(record)
    differences, now = _drawn_again(record, store)
    software = [d for d in differences if d.path.startswith("software.")]
    rest = [d for d in differences if not d.path.startswith("software.")]
    if altered:
        unexplained = [d for d in altered if not any(_within(other.path, d.path) for other in differences)]
        found, result = [*differences, *unexplained], "altered"
    else:
        found, result = rest, "differs" if rest else "equal"
    versions = tuple(f"{d.path.partition('.')[2]} {d.recorded}, now {d.recomputed}" for d in software)
    located = tuple(_located(record.content, now)) if now else ()
    return Verification(
        file=str(file),
        trial_id=record.trial_id,
        result=result,
        said=_said(result, found, versions, bool(located)),
        differences=tuple(found[:MOST_SHOWN]),
        left_out=max(0, len(found) - MOST_SHOWN),
        located=located,
        software=versions,
        expires_at=record.expires_at,
    )


def _drawn_again(record: DecisionRecord, store: Store) -> tuple[list[Difference], Mapping[str, Any]]:
    """Every field that differs from the record drawn now, and that one; empty where it cannot be drawn."""
    try:
        now = make_record(store, store.trial(record.trial_id or "?").id, record.asked).content
    except NotFoundError:
        return [Difference("trial.id", records.shown(record.trial_id), "no such trial in the store")], {}
    except AggregateError:
        raise
    except SeatrialError as fault:
        return [Difference("asked", records.shown(record.asked.plain()), safe(fault.problem, 200))], {}
    own = ("digest", "sections")
    old, new = ({k: v for k, v in content.items() if k not in own} for content in (record.content, now))
    return list(records.compare(old, _without_later_defaults(old, new))), now


def _without_later_defaults(old: Mapping[str, Any], new: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record drawn now without settings of the policy that are younger than the old one, and not used."""
    hashes, known = as_dict(new.get("hashes")), as_dict(old.get("hashes")) or {}
    if hashes is not None and "rubrics" not in known:
        new = {**new, "hashes": {key: value for key, value in hashes.items() if key != "rubrics"}}
    before, report = as_dict((as_dict(old.get("report")) or {}).get("policy")), as_dict(new.get("report"))
    policy = as_dict((report or {}).get("policy"))
    if before is None or report is None or policy is None:
        return new
    default = Policy().model_dump(mode="json")
    kept = {key: value for key, value in policy.items() if key in before or value != default.get(key)}
    return {**new, "report": {**report, "policy": kept}}


def _within(path: str, part: str) -> bool:
    return path == part or path.startswith((f"{part}.", f"{part}["))


def _located(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    """Which rows differ, in words: the cases, and each arm's outputs and scores, by block."""
    first, second = (as_dict(content.get("hashes")) or {} for content in (old, new))
    yield from _blocks("cases", first.get("cases"), second.get("cases"))
    arms = [as_dict(hashes.get("arms")) or {} for hashes in (first, second)]
    for name in sorted({*arms[0], *arms[1]}):
        sides = [as_dict(arm.get(name)) or {} for arm in arms]
        for what in ("outputs", "scores"):
            yield from _blocks(f"{what} of {safe(name)}", sides[0].get(what), sides[1].get(what))


def _blocks(what: str, old: Any, new: Any) -> Iterable[str]:
    first, second = (as_list((as_dict(tree) or {}).get("blocks")) or [] for tree in (old, new))
    for at in range(max(len(first), len(second))):
        if first[at : at + 1] != second[at : at + 1]:
            yield f"{what}, rows {at * BLOCK + 1:,} to {(at + 1) * BLOCK:,}"


def _said(result: Result, found: Sequence[Difference], versions: Sequence[str], located: bool) -> str:
    """The finding in one sentence."""
    if result == "equal":
        other = f" (made with {'; '.join(versions)})" if versions else ""
        return f"Every field is what is drawn again from the same rows{other}."
    fields = "1 field" if len(found) == 1 else f"{len(found):,} fields"
    if result == "altered":
        return f"The record was altered after it was written: its own digest does not hold, {fields} named below."
    if located:
        return f"The record is as it was written, but the rows behind it are not: {fields} differ."
    if versions:
        return f"The record and its rows are as they were, another version draws {fields} otherwise."
    return f"The record and its rows are as they were, yet {fields} are drawn otherwise: another code of this version."


def read_report(record: DecisionRecord, today: Any) -> TrialReport:
    """The report in a record, headed by what it is: read years later, from the record alone."""
    altered = records.alterations(record)
    until = record.expires_at[:10] or "no date"
    state = "has ended on" if record.expired(today) else "stands until"
    notes = [f"Rendered from the decision record {record.digest}, which {state} {until}."]
    if altered:
        notes.insert(0, f"THIS RECORD WAS ALTERED after it was written: {', '.join(d.path for d in altered[:5])}.")
    if not record.asked.texts:
        notes.append("Inputs and answers are not kept in the record: flips are named, not shown.")
    report = record.report()
    return report.model_copy(update={"warnings": (*notes, *report.warnings)})


def export(trial: str | None, store: Path | None, path: Path | None) -> tuple[Exported, Path]:
    """Write the bundle of a trial, the newest finished one where none is named; gives what it holds, and where."""
    with Store(existing(store_path(Path(), store))) as opened:
        chosen = opened.trial(trial).id if trial else newest(opened).id
        target = path or Path(f"{chosen}.seatrial")
        return bundle.export(opened, chosen, target, records.PRIVATE), target
