"""The quarantine: cases that run and are shown, and decide nothing on a rubric, each with a reason and a last day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from seatrial.core.record import Filled, Record, as_list
from seatrial.core.suite import Suite
from seatrial.datasets.reading.faults import dotted, shown, translate
from seatrial.datasets.reading.yamltree import Tree, parse
from seatrial.errors import Problem, QuarantineError, nearest, safe
from seatrial.verdicts.artefacts.baseline import Place

MOST_BYTES = 1 << 20


class Entry(Record):
    """A case, by its id or its key (`view:st1:…`), that decides nothing on a rubric up to the day `expires`."""

    case: Filled
    rubric: Filled
    reason: Filled
    expires: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


class Quarantine(NamedTuple):
    """The entries of a file, each with its line."""

    file: str
    entries: tuple[tuple[int, Entry], ...] = ()

    def places(self, places: Mapping[int, Place], suite: Suite, today: date) -> dict[str, list[int]]:
        """By rubric, the positions of the cases set aside. Raises QuarantineError with every fault.

        Expired entries, unknown cases and rubrics, and entries given twice are faults.
        """
        by_name = {name: at for at, place in places.items() for name in (place.id, place.view_hash)}
        rubrics = [rubric.name for rubric in suite.rubrics]
        problems: list[Problem] = []
        found: dict[str, list[int]] = {}
        for line, entry in self.entries:
            wrong = _fault(entry, by_name, rubrics, today)
            at = by_name.get(entry.case, -1)
            if not wrong and at in found.get(entry.rubric, ()):
                wrong = ("is in quarantine twice on this rubric", entry.case, "keep one of the entries")
            if wrong:
                problems.append(Problem(wrong[0], self.file, line, "case", wrong[1], wrong[2]))
            else:
                found.setdefault(entry.rubric, []).append(at)
        if problems:
            raise fault(self.file, problems)
        return found

    def bounded(self, counts: Mapping[str, int], totals: Mapping[str, int], suite: Suite) -> None:
        """Raise QuarantineError where too large a share of a rubric's cases is set aside.

        The most is the suite's `gate.most_quarantined_points`; of a gate's cases never more than its limit.
        """
        problems: list[Problem] = []
        for rubric in suite.rubrics:
            aside, total = counts.get(rubric.name, 0), totals.get(rubric.name, 0)
            most = min(suite.gate.most_quarantined_points, rubric.limit_points or 100.0)
            if aside and aside * 100 > most * total:
                rule = f"sets {aside:,} of {total:,} cases of rubric {rubric.name} aside; at most {most:g}% may be"
                line = next(line for line, entry in self.entries if entry.rubric == rubric.name)
                problems.append(Problem(rule, self.file, line, hint="mend the cases, or take them out of the dataset"))
        if problems:
            raise fault(self.file, problems)

    @property
    def counts(self) -> Counter[str]:
        """How many entries each rubric has."""
        return Counter(entry.rubric for _, entry in self.entries)


def fault(file: str, problems: Sequence[Problem]) -> QuarantineError:
    """The error of a quarantine file."""
    many = "1 fault" if len(problems) == 1 else f"{len(problems)} faults"
    return QuarantineError(f"The quarantine file {safe(file, 200)} has {many}.", problems=problems)


def _fault(
    entry: Entry, by_name: Mapping[str, int], rubrics: Sequence[str], today: date
) -> tuple[str, str, str] | None:
    try:
        last = date.fromisoformat(entry.expires)
    except ValueError:
        return "has an expires that is no day of the calendar", entry.expires, "write it like 2026-12-31"
    if last < today:
        return f"was quarantined until {last}, which is past", entry.case, "mend the case, or give a new reason and day"
    if entry.rubric not in rubrics:
        near = nearest(entry.rubric, rubrics)
        return "names a rubric that the suite does not have", entry.rubric, f"did you mean {near!r}?" if near else ""
    if entry.case not in by_name:
        near = nearest(entry.case, [name for name in by_name if not name.startswith("view:")][:2000])
        return "is no case of the dataset", entry.case, f"did you mean {near!r}?" if near else "delete the entry"
    return None


def read(file: Path, name: str) -> Quarantine:
    """The quarantine of a file, empty where there is none. Raises QuarantineError with every fault at its line."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise fault(name, [Problem("is larger than 1 MiB", name)])
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        return Quarantine(name)
    except (OSError, ValueError):
        raise fault(name, [Problem("cannot be read as UTF-8 text", name)]) from None
    tree = parse(text)
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return Quarantine(name)
    if tree.faults:
        raise fault(
            name, [Problem(f.rule, name, tree.line(f.path), dotted(f.path), f.value, f.hint) for f in tree.faults]
        )
    items = as_list(tree.data)
    if items is None:
        raise fault(name, [Problem("must be a list of entries", name, 1, value=shown(tree.data))])
    return Quarantine(name, tuple(_entries(items, tree, name)))


def _entries(items: Sequence[object], tree: Tree, name: str) -> list[tuple[int, Entry]]:
    entries: list[tuple[int, Entry]] = []
    problems: list[Problem] = []
    for at, item in enumerate(items):
        try:
            entries.append((tree.line((at,)), Entry.model_validate_json(json.dumps(item), strict=True)))
        except ValidationError as error:
            problems += [
                Problem(f.rule, name, tree.line((at, *f.path)), dotted((at, *f.path)), f.value, f.hint)
                for f in translate(error, Entry, item, {})
            ]
    if problems:
        raise fault(name, problems)
    return entries
