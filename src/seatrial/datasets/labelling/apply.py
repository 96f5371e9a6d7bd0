"""Labels into a set or a pool: rejected cases leave with their reason, references and strata are written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from seatrial.core.case import Case
from seatrial.core.files import write_whole
from seatrial.core.identity import encode, loads
from seatrial.core.record import as_dict
from seatrial.datasets.labelling import outcome
from seatrial.datasets.labelling.final import Final, finals
from seatrial.datasets.labelling.journal import Entry, read
from seatrial.datasets.labelling.reading import cases_of, labels_folder, splits_of
from seatrial.datasets.versions.alone import one_at_a_time
from seatrial.datasets.versions.folder import SetFolder, case_line
from seatrial.errors import LabelsError, Problem

REJECTED = "rejected.jsonl"


@dataclass(slots=True)
class Applied:
    """What became of the labels; `stale` ones are of an input changed since, `unknown` ones of no case here."""

    kept: int = 0
    rejected: int = 0
    references: int = 0
    strata: int = 0
    disputed: list[str] = field(default_factory=list[str])
    stale: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    unlabelled: int = 0


@one_at_a_time
def apply_labels(path: Path) -> Applied:
    """Write what holds of curate and outcome labels into a set's open splits, or into a pool.

    Rejected cases go to `labels/rejected.jsonl`, whole, with reason, who and when. What is disputed or stale is left
    as it is and told. Doing it twice changes nothing. Raises LabelsError where a reference does not fit its case:
    nothing is written then.
    """
    folder = labels_folder(path)
    curated = finals(read(folder, "curate"))
    written = finals(read(folder, "outcome"))
    found = Applied()
    problems: list[Problem] = []
    rejected: list[dict[str, Any]] = []
    seen: set[str] = set()
    parts = _parts(path)
    made = {
        name: [case for old in cases if (case := _case(old, curated, written, found, rejected, problems, seen))]
        for name, cases in parts.items()
    }
    if problems:
        raise LabelsError("Some references do not fit their cases; nothing was written.", problems=problems)
    gone = _set_aside(folder, rejected)
    found.unknown = sorted({key for key in (*curated, *written) if key not in seen and key not in gone})
    _write(path, made)
    return found


def _parts(path: Path) -> Mapping[str, list[Case]]:
    if not path.is_dir():
        return {"": list(cases_of(path))}
    folder = SetFolder(path)
    folder.must_exist()
    return {split: list(folder.cases(split)) for split in splits_of(folder)}


def _write(path: Path, made: Mapping[str, list[Case]]) -> None:
    for name, cases in made.items():
        if not path.is_dir():
            write_whole(path, lambda out, cases=cases: out.writelines(map(case_line, cases)), "The pool")
            continue
        folder = SetFolder(path)
        for split in splits_of(folder):
            if split == name and (cases or folder.file(split).exists()):
                folder.write(split, cases)


def _case(
    case: Case,
    curated: Mapping[str, Final],
    written: Mapping[str, Final],
    found: Applied,
    rejected: list[dict[str, Any]],
    problems: list[Problem],
    seen: set[str],
) -> Case | None:
    """The case as the labels have it; None where it leaves."""
    seen.add(case.id)
    choice, reference = (_valid(case, held.get(case.id), found) for held in (curated, written))
    found.unlabelled += case.id not in curated and case.id not in written
    value = choice.value or {} if choice else {}
    if choice is not None and value.get("decision") == "reject":
        found.rejected += 1
        rejected.append(_farewell(case, choice))
        return None
    found.kept += choice is not None
    changed = case
    strata = as_dict(value.get("strata"))
    if strata and any(case.strata.get(name) != item for name, item in strata.items()):
        found.strata += 1
        changed = Case.model_validate({**case.plain(), "strata": {**case.strata, **strata}})
    if reference is None:
        return changed
    faults = outcome.problems(reference.value or {}, case.tools)
    if faults:
        problems += [Problem(fault, f"outcome by {reference.by}", None, case.id) for fault in faults]
        return changed
    found.references += 1
    return outcome.applied(changed, reference.value or {})


def _valid(case: Case, final: Final | None, found: Applied) -> Entry | None:
    if final is None:
        return None
    if final.entry is None:
        found.disputed.append(case.id)
        return None
    if final.entry.version and final.entry.version != case.input_hash:
        found.stale.append(case.id)
        return None
    return final.entry


def _farewell(case: Case, entry: Entry) -> dict[str, Any]:
    reason = (entry.value or {}).get("reason", "")
    return {"case": case.plain(), "reason": reason, "who": entry.by, "when": entry.at, "note": entry.note}


def _set_aside(folder: Path, rejected: Iterable[dict[str, Any]]) -> set[str]:
    """Add rejected cases to those rejected before; gives the ids of all of them."""
    file = folder / REJECTED
    held = dict(_rejected(file))
    fresh = {str(row["case"]["id"]): row for row in rejected}
    if fresh:
        content = b"".join(encode(row) + b"\n" for row in {**held, **fresh}.values())
        write_whole(file, lambda out: out.write(content), "The rejected cases")
    return {*held, *fresh}


def _rejected(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not file.exists():
        return
    for number, raw in enumerate(file.read_bytes().splitlines(), 1):
        try:
            row = as_dict(loads(raw))
            case = Case.model_validate(as_dict((row or {}).get("case")) or {})
        except (ValueError, ValidationError):
            problem = Problem("is no rejected case", file.name, number)
            raise LabelsError(
                f"{file.name} cannot be read.", hint="mend or delete the line", problems=[problem]
            ) from None
        yield case.id, row or {}
