"""The file of labels that a suite names, made of the journals: one line an answer and rubric, as verdicts read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.files import write_whole
from seatrial.core.identity import encode, loads
from seatrial.core.record import as_dict
from seatrial.datasets.labelling.final import Final, finals
from seatrial.datasets.labelling.journal import Entry
from seatrial.errors import LabelsError, Problem, safe

NAME = "verdicts.labels.jsonl"
"""What the file is called where nobody says."""


class Written(NamedTuple):
    """What became of the labels: lines written, units that people still differ on, other lines of the file kept."""

    labels: int
    disputed: int
    kept: int


def lines(found: Iterable[Final]) -> Iterator[dict[str, Any]]:
    """The labels that hold, in the format that a suite's `labels` names: an answer is named by its hash alone."""
    for final in found:
        entry = final.entry
        if entry is None or entry.value is None:
            continue
        for output in entry.outputs:
            yield {
                "case": entry.case,
                "output": output,
                "rubric": entry.rubric,
                "verdict": entry.value["verdict"],
                "who": final.who,
                "when": entry.at,
                **({"note": entry.note} if entry.note else {}),
            }


def write(file: Path, entries: Iterable[Entry]) -> Written:
    """Write the labels that hold into a file, whole or not at all; what others wrote into it stays.

    A line of the file about an answer and rubric that the journals know is replaced, or goes where it was taken back.
    Raises LabelsError where the file holds a line that is no JSON object.
    """
    said = list(entries)
    found = finals(said)
    known = {(output, entry.rubric) for entry in said for output in entry.outputs}
    kept = [raw for raw, plain in _lines(file) if (plain.get("output"), plain.get("rubric")) not in known]
    made = sorted(
        lines(found.values()),
        key=lambda label: (str(label["case"]).encode("utf-8", "surrogatepass"), label["rubric"], label["output"]),
    )
    content = b"".join([*(raw + b"\n" for raw in kept), *(encode(label) + b"\n" for label in made)])
    write_whole(file, lambda out: out.write(content), "The labels")
    return Written(len(made), sum(final.state == "disputed" for final in found.values()), len(kept))


def _lines(file: Path) -> list[tuple[bytes, dict[str, Any]]]:
    if not file.exists():
        return []
    found: list[tuple[bytes, dict[str, Any]]] = []
    problems: list[Problem] = []
    for number, raw in enumerate(file.read_bytes().splitlines(), 1):
        if not raw.strip():
            continue
        try:
            plain = as_dict(loads(raw))
        except ValueError:
            plain = None
        if plain is None:
            problems.append(Problem("is no label: a JSON object is wanted", file.name, number))
        else:
            found.append((raw, plain))
    if problems:
        raise LabelsError(f"{safe(str(file), 200)} is left as it is.", hint="mend the lines named", problems=problems)
    return found
