"""A table in the answer against the expected rows, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, Text, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.answers.numeric import near, numbers, to_decimal
from seatrial.scorers.base import BuiltinScorer, Flag, OneOrMore, Real, Share, clip, same, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.structured.grids import Format, Grid, Row, column_key, of_rows, read_grid
from seatrial.scorers.structured.nearness import pointer
from seatrial.scorers.structured.pairing import Pair, in_any_order
from seatrial.scorers.structured.rules import FieldRule, as_rule

MAX_EVIDENCE = 100
MAX_SHOWN = 5


def cell_number(cell: Json) -> Decimal | None:
    """The number that a cell is: alone, or with a currency, a percent sign or a code of letters around it."""
    if not isinstance(cell, str):
        return to_decimal(cell)
    found = numbers(cell) if len(cell) <= 100 else []
    if len(found) != 1:
        return None
    around = (cell[: found[0].start] + cell[found[0].end :]).strip(" \t.()%*_\u00a0")
    code = len(around) == 3 and around.isalpha() and around.isupper()
    return found[0].value if code or not any(c.isalnum() for c in around) else None


def same_cell(found: Json, wanted: Json, absolute: float, relative: float) -> bool:
    """Whether two cells say the same: blank, one text in any case and spacing, one number, one truth value."""
    if _blank(found) or _blank(wanted):
        return _blank(found) and _blank(wanted)
    if _plain(found) == _plain(wanted):
        return True
    if isinstance(found, bool) or isinstance(wanted, bool):
        return False
    one, other = cell_number(found), cell_number(wanted)
    if one is not None and other is not None:
        return near(one, other, absolute, relative)
    return not isinstance(found, str) and not isinstance(wanted, str) and same(found, wanted)


def _blank(cell: Json) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _plain(cell: Json) -> str | None:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return " ".join(cell.strip("*_`").split()).casefold() if isinstance(cell, str) else None


class _Judged(NamedTuple):
    right: int
    total: int
    notes: list[Evidence]
    faults: list[str]

    @property
    def value(self) -> float:
        return self.right / self.total if self.total else 1.0


class Table(BuiltinScorer):
    """The share of expected cells that the answer's table gets right; passes from `threshold` on (1).

    Formula: right cells / (cells of the expected rows + cells of extra rows). The table may stand in the answer as
    CSV, as a Markdown table or as JSON rows (`format: auto` takes whichever is there; two tables are ambiguous). Rows
    are paired by the `key` columns where given, else by the assignment that agrees most; `ordered: true` also wants
    them in the expected order. `columns` names those that count (all expected ones). Column names agree in any case
    and spacing, text in any case and spacing, numbers within `abs` or `rel` ("1,250.00 EUR" is 1250); `types` compares
    a column by another rule (see `fields`). Extra columns are shown and not counted; extra rows count as wrong unless
    `extra_rows: ignore`. Evidence names row and column of the expected table, counted from 0: `field:/2/total`.
    Needs expected rows: a list of objects under `answer:`, or CSV or Markdown text.
    Example: `{key: sku, abs: 0.01, types: {due: date}}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("table", "1", needs=frozenset({"expected"}), cost="heavy")
    card: ClassVar[Card] = Card(
        formula="right cells / (cells of the expected rows + cells of extra rows)",
        examples=(
            Example(
                {"input": "q", "expected": {"answer": [{"sku": "A1", "price": 1250}, {"sku": "B2", "price": 3.5}]}},
                "| SKU | Price |\n|---|---:|\n| B2 | 3.50 |\n| A1 | 1,250.00 EUR |",
                1.0,
                True,
                {"key": "sku"},
                note="the order of rows does not count unless `ordered: true`",
            ),
            Example(
                {"input": "q", "expected": "sku,price\nA1,10\nB2,20"},
                "sku,price\nA1,10\nB2,21",
                0.75,
                False,
                note="one of four cells is wrong",
            ),
        ),
        fails=(
            "Merged cells, tables without a header and tables drawn with spaces are not read.",
            "Without `key`, a row with every cell wrong is shown as changed, not as missing and extra.",
            "A number beside words ('about 5') is text: name the column's type `number` to take it.",
        ),
        sources=("RFC 4180 (CSV)", "GitHub Flavored Markdown (tables)", "Kuhn 1955 (assignment)"),
        also_called=("ragas:DataCompyScore",),
    )
    format: Format = "auto"
    delimiter: Text = Field(default="", description="CSV: the one that the header has most of, where left out")
    key: Annotated[tuple[Text, ...], OneOrMore] = Field(default=(), description="Columns that say which row it is")
    columns: Annotated[tuple[Text, ...], OneOrMore] = Field(default=(), description="Columns that count")
    types: Mapping[Text, Annotated[FieldRule, BeforeValidator(as_rule)]] = Field(default_factory=dict)
    abs: Real = Field(default=0.0, ge=0, description="Absolute tolerance of numbers")
    rel: Real = Field(default=0.0, ge=0, description="Tolerance of numbers, relative to the expected one")
    ordered: Flag = False
    extra_rows: Literal["fail", "ignore"] = "fail"
    threshold: Share = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Table:
        if len(self.delimiter) > 1 or self.delimiter in ("\r", "\n", '"'):
            raise ValueError("delimiter must be one character")
        for names in (self.key, self.columns):
            if not all(map(column_key, names)) or len(set(map(column_key, names))) < len(names):
                raise ValueError("key and columns must name each column once, and none that is blank")
        return self

    def wanted(self, case: Case) -> Iterator[Grid]:
        """The accepted tables that have rows and the columns that count."""
        given = () if case.expected is None else case.expected.answers
        rows_only = bool(given) and all(as_dict(answer) is not None for answer in given)
        for answer in (list(given),) if rows_only else given:
            items = as_list(answer)
            grid = of_rows(items) if items is not None else read_grid(answer) if isinstance(answer, str) else None
            if grid is None or grid.why or not grid.rows:
                continue
            if all(column_key(name) in grid.columns for name in (*self.key, *self.columns)):
                yield grid

    def applies(self, case: Case) -> str:
        """Empty when an expected answer is a table."""
        if case.expected is None or not case.expected.answers:
            return "the case has no expected answers"
        return "" if any(self.wanted(case)) else "no expected answer is a table with rows and these columns"

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        found = read_grid(output.text, self.format, self.delimiter)
        if found.why:
            return Score.graded(0.0, self.threshold, found.why)
        judged = max((self._against(found, wanted) for wanted in self.wanted(case)), key=lambda one: one.value)
        reason = f"{judged.right} of {judged.total} cells right"
        reason += f"; {'; '.join(islice(judged.faults, MAX_SHOWN))}" if judged.faults else ""
        evidence = tuple(judged.notes[:MAX_EVIDENCE])
        return Score.graded(judged.value, self.threshold, safe(reason, 500), evidence=evidence)

    def _against(self, found: Grid, wanted: Grid) -> _Judged:
        columns = tuple(map(column_key, self.columns)) or wanted.columns
        judged = _Judged(0, len(columns) * len(wanted.rows), [], [])
        absent = [name for name in columns if name not in found.columns]
        extra = [name for name in found.columns if name not in wanted.columns]
        judged.faults.extend(f"no column {shown(name, 40)}" for name in absent)
        judged.notes.extend(Evidence(where=f"field:{name}", note="extra column") for name in extra[:MAX_SHOWN])
        pairs = self._pairs(found.rows, wanted.rows, columns)
        late = _out_of_order(pairs) if self.ordered else set[int]()
        right = 0
        at = {pair.second: pair.first for pair in pairs}
        for place, row in enumerate(wanted.rows):
            if place not in at:
                judged.notes.append(
                    Evidence(where=f"field:/{place}", note="missing row", expected=clip(_shown_row(row)))
                )
            elif place in late:
                judged.notes.append(Evidence(where=f"field:/{place}", note=f"out of order, found at /{at[place]}"))
            else:
                right += self._cells(found.rows[at[place]], row, place, columns, judged.notes)
        return self._counted(judged, right, found.rows, at, late, columns)

    def _counted(
        self,
        judged: _Judged,
        right: int,
        rows: Sequence[Row],
        at: Mapping[int, int],
        late: set[int],
        columns: Sequence[str],
    ) -> _Judged:
        taken = set(at.values())
        more = [place for place in range(len(rows)) if place not in taken]
        missing = judged.total // max(1, len(columns)) - len(at)
        faults = [(missing, "missing"), (len(more), "extra"), (len(late), "out of order")]
        judged.faults.extend(f"{number} row{'' if number == 1 else 's'} {what}" for number, what in faults if number)
        for place in more:
            row = clip(_shown_row(rows[place]))
            judged.notes.append(Evidence(where=f"field:/{place}", note="extra row", found=row))
        punished = len(more) * len(columns) if self.extra_rows == "fail" else 0
        return judged._replace(right=right, total=judged.total + punished)

    def _cells(self, found: Row, wanted: Row, place: int, columns: Sequence[str], notes: list[Evidence]) -> int:
        right = 0
        for name in columns:
            if self._same(name, found, wanted):
                right += 1
                continue
            note = "changed" if name in found else "missing"
            where = f"field:{pointer((place, name))}"
            notes.append(Evidence(where=where, note=note, expected=clip(wanted.get(name)), found=clip(found.get(name))))
        return right

    def _same(self, name: str, found: Row, wanted: Row) -> bool:
        rule = self._rules.get(name)
        if rule is None:
            return same_cell(found.get(name), wanted.get(name), self.abs, self.rel)
        have, want = found.get(name), wanted.get(name)
        return rule.equal(have, want) if not (_blank(have) or _blank(want)) else _blank(have) and _blank(want)

    @property
    def _rules(self) -> dict[str, FieldRule]:
        return {column_key(name): rule for name, rule in self.types.items()}

    def _pairs(self, rows: Sequence[Row], goals: Sequence[Row], columns: Sequence[str]) -> list[Pair]:
        if self.key:
            return _by_key(rows, goals, tuple(map(column_key, self.key)))

        def gain(first: int, second: int) -> float:
            return 1e-6 + sum(self._same(name, rows[first], goals[second]) for name in columns)

        equal = _as_they_stand(rows, goals, columns)
        taken, met = {pair.first for pair in equal}, {pair.second for pair in equal}
        firsts = [at for at in range(len(rows)) if at not in taken]
        seconds = [at for at in range(len(goals)) if at not in met]
        rest = in_any_order(firsts, seconds, gain)
        return sorted((*equal, *rest), key=lambda pair: pair.second)


def _cell_key(cell: Json) -> Json:
    """What cells that are the same without a rule share; None for lists and objects."""
    if isinstance(cell, list | dict):
        return None
    if _blank(cell) or isinstance(cell, bool):
        return _plain(cell) or ""
    number = cell_number(cell)
    return _plain(cell) if number is None else number


def _row_key(row: Row, columns: Sequence[str]) -> tuple[Json, ...]:
    return tuple(_cell_key(row.get(name)) for name in columns)


def _by_key(rows: Sequence[Row], goals: Sequence[Row], key: Sequence[str]) -> list[Pair]:
    """Rows of one key belong together, in their order where there are several."""
    places: dict[tuple[Json, ...], list[int]] = {}
    for at in range(len(rows) - 1, -1, -1):
        places.setdefault(tuple(_identifier(rows[at].get(name)) for name in key), []).append(at)
    found = ((at, places.get(tuple(_identifier(goal.get(name)) for name in key))) for at, goal in enumerate(goals))
    return [Pair(held.pop(), at) for at, held in found if held]


def _identifier(cell: Json) -> Json:
    """A key cell: 7, "7" and "7.0" are one key; "007" is another."""
    text = cell.strip() if isinstance(cell, str) else ""
    return _plain(cell) if text[:1] == "0" and text[1:2].isdigit() else _cell_key(cell)


def _as_they_stand(rows: Sequence[Row], goals: Sequence[Row], columns: Sequence[str]) -> list[Pair]:
    """Pairs of rows that agree without a rule."""
    first, second = [_row_key(row, columns) for row in rows], [_row_key(goal, columns) for goal in goals]
    places: dict[tuple[Json, ...], list[int]] = {}
    for at in range(len(first) - 1, -1, -1):
        places.setdefault(first[at], []).append(at)
    return [Pair(places[key].pop(), at) for at, key in enumerate(second) if places.get(key) and None not in key]


def _out_of_order(pairs: Sequence[Pair]) -> set[int]:
    """The expected rows outside the longest run of pairs that keeps the order (patience sorting)."""
    tops: list[int] = []
    before: list[int] = []
    for at, pair in enumerate(pairs):
        low, high = 0, len(tops)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if pairs[tops[middle]].first < pair.first else (low, middle)
        before.append(tops[low - 1] if low else -1)
        tops[low : low + 1] = [at]
    kept: set[int] = set()
    at = tops[-1] if tops else -1
    while at >= 0:
        kept.add(pairs[at].second)
        at = before[at]
    return {pair.second for pair in pairs} - kept


def _shown_row(row: Row) -> Json:
    return {name: clip(cell, 60) for name, cell in islice(row.items(), 20)}
