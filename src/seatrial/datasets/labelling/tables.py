"""Labels as a table, CSV or JSONL, for people who work in a spreadsheet; and back, every fault at its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.files import write_whole
from seatrial.core.identity import encode, loads
from seatrial.core.record import Json, as_dict
from seatrial.datasets.labelling import outcome
from seatrial.datasets.labelling.final import Final
from seatrial.datasets.labelling.reading import pretty
from seatrial.datasets.labelling.screen import clean
from seatrial.datasets.labelling.session import Mark
from seatrial.datasets.labelling.units import Mode, Task, Unit
from seatrial.errors import LabelsError, Problem, nearest, safe

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the start of a formula."""
FIRST = ("item", "case")
FILLED: dict[Mode, tuple[str, ...]] = {
    "verdict": ("verdict",),
    "curate": ("decision", "reason", "strata"),
    "outcome": ("reference", "json", "tool_calls", "behaviour"),
}
LAST = ("note",)
ABOUT = ("state", "who", "when")
MOST_PROBLEMS = 1000
LARGEST = 512 * 1024 * 1024
csv.field_size_limit(16 * 1024 * 1024)


class Row(NamedTuple):
    """One filled row of a table: the unit, and what is said of it."""

    unit: Unit
    mark: Mark


def columns(mode: Mode) -> tuple[str, ...]:
    """The columns of a table: what to read first, then what to fill in."""
    rubric = ("rubric",) if mode == "verdict" else ()
    return (*FIRST, *rubric, "answer", "question", "text", *FILLED[mode], *LAST, *ABOUT)


def rows(task: Task, marks: Mapping[str, Mark], finals: Mapping[str, Final] | None = None) -> Iterator[dict[str, str]]:
    """A row a unit, with what is said of it so far."""
    for unit in task.units:
        mark = marks.get(unit.key)
        final = (finals or {}).get(unit.key)
        text = "\n\n".join(f"-- {clean(title)}\n{clean(body)}" for title, body in unit.read())
        row = {"item": unit.key, "case": unit.case, "rubric": unit.rubric, "answer": unit.heading}
        row |= {"question": unit.question, "text": text, **(_filled(task.mode, mark) if mark else {})}
        if final is not None:
            newest = final.entry or final.said[-1]
            row |= {"state": final.state, "who": final.who, "when": newest.at}
        yield {name: row.get(name, "") for name in columns(task.mode)}


def _filled(mode: Mode, mark: Mark) -> dict[str, str]:
    value: Mapping[str, Any] = mark.value
    found = {"note": mark.note}
    if mode == "verdict":
        return {**found, "verdict": "skip" if "skip" in value else str(value.get("verdict", ""))}
    if mode == "curate":
        strata = " ".join(f"{name}={item}" for name, item in value.get("strata", {}).items())
        decision = "skip" if "skip" in value else str(value.get("decision", ""))
        return {**found, "decision": decision, "reason": str(value.get("reason", "")), "strata": strata}
    answers = value.get("answers", [])
    text = answers[0] if answers and isinstance(answers[0], str) else ""
    found["json"] = pretty(answers[0]) if answers and not isinstance(answers[0], str) else ""
    found["tool_calls"] = outcome.text_of("calls", value) if value.get("tool_calls") else ""
    return {**found, "reference": text, "behaviour": str(value.get("behaviour") or "")}


def write(file: Path, task: Task, marks: Mapping[str, Mark], finals: Mapping[str, Final] | None = None) -> int:
    """Write a table, CSV or JSONL by its ending; gives the number of rows."""
    found = list(rows(task, marks, finals))
    kind = _kind(file)
    if kind == "jsonl":
        content = b"".join(encode(row) + b"\n" for row in found)
    else:
        out = io.StringIO(newline="")
        made = csv.DictWriter(out, columns(task.mode), lineterminator="\r\n")
        made.writeheader()
        made.writerows({name: harmless(cell) for name, cell in row.items()} for row in found)
        content = b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "backslashreplace")
    write_whole(file, lambda out: out.write(content), "The table")
    return len(found)


def _kind(file: Path) -> str:
    kind = file.suffix.lower().removeprefix(".")
    if kind not in ("csv", "jsonl", "ndjson"):
        raise LabelsError(f"{safe(str(file), 200)} is no table.", hint="name a file that ends in .csv or .jsonl")
    return "csv" if kind == "csv" else "jsonl"


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before its start; `original` undoes it."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) else cell


def original(cell: str) -> str:
    """The cell that `harmless` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def read(file: Path, task: Task, check: outcome.Check = outcome.NO_SCHEMA) -> tuple[list[Row], list[Problem]]:
    """The filled rows of a table, and every fault at its line. Rows with nothing filled in are no labels.

    Raises LabelsError where the file cannot be read as a table at all.
    """
    units = {unit.key: unit for unit in task.units}
    found: dict[str, tuple[int, Row]] = {}
    problems: list[Problem] = []
    for number, raw in _rows(file, task.mode):
        if isinstance(raw, Problem):
            problems.append(raw)
        elif any(raw.get(name, "").strip() for name in (*FILLED[task.mode], *LAST)):
            row = _row(raw, task.mode, units, check)
            if isinstance(row, str):
                key, _, rule = row.partition("\x1f")
                problems.append(Problem(rule, file.name, number, key, raw.get(key)))
            elif row.unit.key in found:
                first = found[row.unit.key][0]
                problems.append(
                    Problem(f"is labelled on line {first} already", file.name, number, "item", row.unit.key)
                )
            else:
                found[row.unit.key] = number, row
    return [row for _, row in found.values()], problems


def must_be_clean(file: Path, problems: Sequence[Problem]) -> None:
    """Raise LabelsError with all faults, where there are any."""
    if problems:
        count = "1 fault" if len(problems) == 1 else f"{len(problems):,} faults"
        hint = "mend the lines named, or leave them out with --skip-bad"
        said = f"The table {safe(file.name, 200)} has {count}; nothing was imported."
        raise LabelsError(said, hint=hint, problems=problems[:MOST_PROBLEMS])


def _rows(file: Path, mode: Mode) -> Iterator[tuple[int, dict[str, str] | Problem]]:
    name = safe(str(file), 200)
    try:
        if file.stat().st_size > LARGEST:
            raise LabelsError(f"{name} is larger than {LARGEST // 1024**2} MiB.", hint="import it in parts")
        raw = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as cause:
        raise LabelsError(f"{name} cannot be read: {cause.strerror or 'unreadable'}.", hint="check its name") from cause
    if _kind(file) == "jsonl":
        yield from _json_rows(raw, file.name)
        return
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as cause:
        line = raw.count(b"\n", 0, cause.start) + 1
        raise LabelsError(f"{name} is not UTF-8 text (line {line}).", hint="save it as CSV UTF-8") from None
    yield from _csv_rows(text, file.name, mode)


def _json_rows(raw: bytes, name: str) -> Iterator[tuple[int, dict[str, str] | Problem]]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            plain = as_dict(loads(line))
        except ValueError:
            plain = None
        if plain is None:
            yield number, Problem("is no JSON object", name, number)
        else:
            yield number, {key: _cell(value) for key, value in plain.items()}


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else pretty(value)


def _csv_rows(text: str, name: str, mode: Mode) -> Iterator[tuple[int, dict[str, str] | Problem]]:
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)  # spreadsheets of many countries write semicolons
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [original(cell.strip()) for cell in next(reader, list[str]())]
        _check_header(header, name, mode)
        line = reader.line_num
        for cells in reader:
            start, line = line + 1, reader.line_num
            if len(cells) > len(header):
                yield start, Problem(f"has {len(cells)} cells under {len(header)} columns", name, start)
            elif any(cells):
                yield start, {key: original(cell) for key, cell in zip(header, cells, strict=False)}
    except csv.Error as cause:
        raise LabelsError(f"{name} is not CSV: {cause} (line {reader.line_num}).", hint="save it as CSV") from None


def _check_header(header: Sequence[str], name: str, mode: Mode) -> None:
    known = columns(mode)
    problems: list[Problem] = []
    for one in header:
        if one not in known:
            near = nearest(one, known)
            hint = f"did you mean {near!r}?" if near else "take it out"
            problems.append(Problem("is no column of this mode", name, 1, "", one, hint))
    problems += [Problem("is there twice", name, 1, "", one) for one in dict.fromkeys(header) if header.count(one) > 1]
    problems += [Problem("is missing", name, 1, one) for one in ("item",) if one not in header]
    if not set(header) & set(FILLED[mode]):
        problems.append(Problem(f"has none of the columns {', '.join(FILLED[mode])}", name, 1))
    if problems:
        raise LabelsError(f"The first line of {safe(name, 200)} cannot be used.", problems=problems)


def _row(raw: Mapping[str, str], mode: Mode, units: Mapping[str, Unit], check: outcome.Check) -> Row | str:
    """The row's label, or `column, separator, rule` for its fault."""
    unit = units.get(raw.get("item", ""))
    if unit is None:
        return "item\x1fis no item of what is labelled here"
    if raw.get("case", unit.case) not in ("", unit.case):
        return f"case\x1fis another case than the item's, {safe(unit.case)}"
    note = raw.get("note", "")
    if mode == "outcome":
        return _outcome(raw, unit, note, check)
    key, words = (
        ("verdict", ("pass", "fail", "skip")) if mode == "verdict" else ("decision", ("keep", "reject", "skip"))
    )
    word = raw.get(key, "").strip().lower()
    if word not in words:
        return f"{key}\x1fmust be {', '.join(words[:-1])} or {words[-1]}"
    if word == "skip":
        return Row(unit, Mark({"skip": True}, note))
    value: dict[str, Json] = {key: word}
    if mode == "curate":
        pairs = [pair.partition("=") for pair in raw.get("strata", "").split()]
        if not all(name and item for name, _, item in pairs):
            return "strata\x1fmust be name=value, with spaces between them"
        if word == "reject" and not raw.get("reason", "").strip():
            return "reason\x1fis required with a rejection"
        value |= {"reason": raw["reason"].strip()} if word == "reject" else {}
        value |= {"strata": {name: item for name, _, item in pairs}} if pairs else {}
    return Row(unit, Mark(value, note))


def _outcome(raw: Mapping[str, str], unit: Unit, note: str, check: outcome.Check) -> Row | str:
    value: dict[str, Json] = {}
    parts = {"reference": "text", "json": "json", "tool_calls": "calls", "behaviour": "behaviour"}
    if raw.get("reference", "").strip() and raw.get("json", "").strip():
        return "json\x1fstands beside a reference: keep one"
    for key, kind in parts.items():
        try:
            if raw.get(key, "").strip():
                value = outcome.with_part(value, kind, raw[key], unit.tools, check)
        except ValueError as fault:
            return f"{key}\x1f{fault}"
    if not value:
        return "reference\x1fis empty, and so is every other part"
    return Row(unit, Mark(value, note))


def marks_of(finals: Mapping[str, Final]) -> dict[str, Mark]:
    """What holds of each unit, as marks."""
    held = {key: final.entry for key, final in finals.items() if final.entry is not None}
    return {key: Mark(entry.value or {}, entry.note) for key, entry in held.items()}
