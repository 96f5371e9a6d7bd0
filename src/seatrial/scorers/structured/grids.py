"""Tables in answers: CSV, Markdown and JSON rows, read into columns and rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from seatrial.core.record import Json, as_dict, as_list
from seatrial.scorers.base import shown
from seatrial.scorers.structured.reading import fenced_blocks, read_json

Format = Literal["auto", "csv", "markdown", "json"]
Row = dict[str, Json]

MAX_ROWS = 100_000
DELIMITERS = ",;\t|"
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CELLS = re.compile(r"(?<!\\)\|")
_EMPHASIS = "*_` \t"


class Grid(NamedTuple):
    """A table: its columns as they are compared, and its rows by column; `why` says why there is none."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    why: str = ""


def column_key(name: str) -> str:
    """What equal column names share: case, white space and emphasis do not count."""
    return " ".join(name.strip(_EMPHASIS).split()).casefold()


def no_grid(why: str) -> Grid:
    """That there is no table."""
    return Grid((), (), why)


def read_grid(text: str, form: Format = "auto", delimiter: str = "") -> Grid:
    """The table of an answer. `auto` looks for JSON rows, then for a Markdown table, then reads the text as CSV."""
    if form == "json":
        return _json(text)
    if form == "markdown":
        return _markdown(text)
    if form == "csv":
        return _csv(text, delimiter)
    made = no_grid("")
    for read in (_json, _markdown):
        made = read(text)
        if not made.why:
            return made
    first = _csv(text, delimiter)
    if not first.why and len(first.columns) > 1:
        return first
    return made if "Markdown tables" in made.why else no_grid("the answer holds no table")


def of_rows(rows: Iterable[Json]) -> Grid:
    """A table from JSON: objects, or lists of which the first is the header."""
    items = list(rows)
    objects = [entries for item in items if (entries := as_dict(item)) is not None]
    if items and len(objects) == len(items):
        named = [{column_key(key): value for key, value in entries.items()} for entries in objects]
        return _grid(dict.fromkeys(key for row in named for key in row), named)
    lists = [cells for item in items if (cells := as_list(item)) is not None]
    if items and len(lists) == len(items) and all(isinstance(cell, str) for cell in lists[0]):
        return _from_lists(lists)
    return no_grid("the JSON is no list of rows")


def _from_lists(lines: Sequence[Sequence[Json]]) -> Grid:
    header = [column_key(str(cell)) for cell in lines[0]]
    twice = [name for name, number in Counter(header).items() if number > 1]
    if twice:
        return no_grid(f"two columns are named {shown(twice[0], 60)}")
    rows = [dict(zip(header, line, strict=False)) for line in lines[1:]]
    too_long = next((line for line in lines[1:] if len(line) > len(header)), None)
    if too_long is not None:
        return no_grid(f"a row has {len(too_long)} cells, the header {len(header)}")
    return _grid(dict.fromkeys(header), rows)


def _grid(columns: Iterable[str], rows: Sequence[Row]) -> Grid:
    if len(rows) > MAX_ROWS:
        return no_grid(f"more than {MAX_ROWS} rows")
    return Grid(tuple(columns), tuple(rows))


def _json(text: str) -> Grid:
    read = read_json(text, "embedded", "array")
    if read.why:
        holder = as_dict(read_json(text, "embedded", "object").value) or {}
        lists = [items for value in holder.values() if (items := as_list(value)) and as_dict(items[0]) is not None]
        return of_rows(lists[0]) if len(lists) == 1 else no_grid(read.why)
    return of_rows(read.value)


def _markdown(text: str) -> Grid:
    lines = text.splitlines()
    heads = [
        at
        for at in range(1, len(lines))
        if "-" in lines[at]
        and ("|" in lines[at] or "|" in lines[at - 1])
        and _RULE.fullmatch(lines[at])
        and len(_cells(lines[at])) == len(_cells(lines[at - 1]))
    ]
    if len(heads) != 1:
        return no_grid(f"the answer holds {len(heads)} Markdown tables" if heads else "the answer holds no table")
    body: list[list[Json]] = [list(_cells(lines[heads[0] - 1]))]
    for line in lines[heads[0] + 1 :]:
        if "|" not in line or not line.strip():
            break
        body.append(list(_cells(line))[: len(body[0])])
    return _from_lists(body)


def _cells(line: str) -> list[str]:
    inner = line.strip()
    inner = inner.removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.replace("\\|", "|").strip() for cell in _CELLS.split(inner)]


def _csv(text: str, delimiter: str) -> Grid:
    blocks = fenced_blocks(text)
    if len(blocks) > 1:
        return no_grid(f"the answer holds {len(blocks)} code blocks")
    body = (blocks[0] if blocks else text).strip("\ufeff\r\n")
    head = body.partition("\n")[0]
    mark = delimiter or max(DELIMITERS, key=lambda one: (head.count(one), -DELIMITERS.index(one)))
    try:
        reader = csv.reader(io.StringIO(body.replace("\x00", "\ufffd")), delimiter=mark, skipinitialspace=True)
        lines: list[list[Json]] = [[cell.strip() for cell in line] for line in reader if any(map(str.strip, line))]
    except csv.Error as cause:
        return no_grid(f"the answer is no CSV: {shown(str(cause), 100)}")
    return _from_lists(lines) if lines else no_grid("the answer holds no table")
