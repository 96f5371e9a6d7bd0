"""Reading the labels file: one person's word on one answer a line, every fault at its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from seatrial.core.identity import loads
from seatrial.core.record import as_dict, too_deep
from seatrial.core.suite import Suite
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.errors import LabelsError, Problem, nearest, safe
from seatrial.verdicts.reading.labels import Label

MOST_LABELS = 20_000
LONGEST_LINE = 64 * 1024
MOST_PROBLEMS = 100
SYNONYMS = {
    "id": "case",
    "case_id": "case",
    "by": "who",
    "author": "who",
    "at": "when",
    "date": "when",
    "hash": "output",
    "output_hash": "output",
    "label": "verdict",
    "passed": "verdict",
}
HINT = '{"case": "c12", "target": "new", "rubric": "safe", "verdict": "fail", "who": "Ann", "when": "2026-03-01"}'


def of_suite(suite: Suite, folder: Path) -> tuple[Label, ...] | None:
    """The labels of a suite; None where it names no file.

    Raises LabelsError with every fault: what is no label, and a rubric or target that the suite does not have.
    """
    if suite.labels is None:
        return None
    try:
        path = (folder / suite.labels).resolve()
        inside = path.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        raise _unreadable(suite.labels, "it is no file's name") from None
    if not inside:
        raise _unreadable(suite.labels, "it leaves the suite's folder")
    return read(path, suite, suite.labels)


def read(path: Path, suite: Suite, name: str = "") -> tuple[Label, ...]:
    """The labels in a file, for a suite. Raises LabelsError as `of_suite` does."""
    shown = safe(name or path.name, 200)
    labels: list[Label] = []
    problems: list[Problem] = []
    for number, line in _lines(path, shown):
        if len(labels) >= MOST_LABELS:
            problems.append(Problem(f"is beyond the {MOST_LABELS:,} labels that one file may hold", shown, number))
            break
        found = _label(line, shown, number)
        if isinstance(found, Label):
            labels.append(found)
            problems += _unknown(found, suite, shown, number)
        else:
            problems += found
    if problems:
        count = "1 fault" if len(problems) == 1 else f"{len(problems):,} faults"
        said = f"The labels file {shown} has {count}."
        raise LabelsError(said, hint=f"write one label a line, like {HINT}", problems=problems[:MOST_PROBLEMS])
    return tuple(labels)


def _lines(path: Path, shown: str) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if text.strip():
                    yield number, text
    except FileNotFoundError:
        raise _unreadable(shown, "there is no such file beside the suite") from None
    except (OSError, ValueError) as cause:
        why = (cause.strerror if isinstance(cause, OSError) else "") or "it is no file's name"
        raise _unreadable(shown, why) from None


def _unreadable(name: str, why: str) -> LabelsError:
    return LabelsError(f"The labels file {safe(name, 200)} cannot be read: {why}.", hint="check `labels` in the suite")


def _label(line: bytes, file: str, number: int) -> Label | Sequence[Problem]:
    if len(line) > LONGEST_LINE:
        return [Problem(f"is longer than {LONGEST_LINE // 1024} KiB", file, number)]
    try:
        plain = as_dict(loads(line))
    except ValueError:
        return [Problem("is not JSON", file, number)]
    if plain is None or too_deep(plain, 5):
        return [Problem("is no label: an object of keys and values", file, number)]
    try:
        return Label.model_validate(plain, strict=True)
    except ValidationError as cause:
        faults = translate(cause, Label, plain, SYNONYMS)
        return [Problem(f.rule, file, number, dotted(f.path), f.value, f.hint) for f in faults]


def _unknown(label: Label, suite: Suite, file: str, number: int) -> Iterator[Problem]:
    """A rubric or a target that the suite does not have, or a rubric that people cannot judge."""
    rubrics = {rubric.name: rubric for rubric in suite.rubrics}
    sides = {"rubric": (label.rubric, list(rubrics)), "target": (label.target, list(suite.targets))}
    for key, (word, known) in sides.items():
        if word and word not in known:
            near = nearest(word, known)
            hint = f"did you mean {near!r}?" if near else f"the suite has {', '.join(known)}"
            yield Problem(f"names no {key} of the suite", file, number, key, word, hint)
    rubric = rubrics.get(label.rubric)
    if rubric is not None and rubric.kind == "limit":
        yield Problem("is a limit, which measures and does not pass or fail", file, number, "rubric", label.rubric)
