"""From a row to the fields of a case: names, paths, mappings, defaults, and what a CSV cell means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from seatrial.core.case import Case, Expected, Probe
from seatrial.core.identity import loads
from seatrial.core.record import as_dict, too_deep
from seatrial.core.suite import DatasetSpec
from seatrial.datasets.reading.faults import Fault, Steps
from seatrial.errors import nearest, safe

Raw = dict[str, Any]
MISSING: Any = object()
MAX_KEY = 256

FIELDS = frozenset(Case.model_fields)
INNER = {"expected": (*Expected.model_fields, "answer"), "probe": tuple(Probe.model_fields)}
LISTS = frozenset({"input", "context", "tools", "criteria"})
MAPS = frozenset({"strata", "metadata"})
ALIASES: Mapping[str, Steps] = {
    "input_text": ("input",),
    "expected_output": ("expected", "answer"),
    "task_type": ("strata", "task_type"),
    "difficulty": ("strata", "difficulty"),
}
"""Names of article-style evaluation cases (id, input_text, expected_output, task_type, difficulty, metadata)."""

IDS = ("id", "seed_id", "parent_id", "trace_id", "span_id", "session_id")
JSON_CELLS = frozenset(
    {"tools", "strata", "metadata", "probe"}
    | {f"expected.{name}" for name in ("answers", "choices", "tool_calls", "state", "trajectory", "tests")}
)
PROMPTS = ("question", "prompt", "query", "text", "instruction", "messages", "problem", "content", "user_input")


class RowError(Exception):
    """A row that cannot become a case, with all its faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults


def steps(path: str) -> Steps:
    """The steps of a dotted or bracketed path: `a.b[0]` and `a.b.0` are a, b, 0."""
    parts = re.findall(r'\["([^"]*)"\]|([^.\[\]]+)', path)
    return tuple(int(bare) if re.fullmatch(r"[0-9]{1,6}", bare) else quoted or bare for quoted, bare in parts)


def target(key: str) -> Steps | None:
    """The place in a case that a key names, or None when a case has no such place."""
    return _target(key) if len(key) <= MAX_KEY else None


@lru_cache(maxsize=4096)
def _target(key: str) -> Steps | None:
    if key in FIELDS:
        return (key,)
    if key in ALIASES:
        return ALIASES[key]
    path = steps(key)
    head = str(path[0]) if path else ""
    rest = path[1:]
    if head in MAPS and len(rest) > 0:
        return (head, *map(str, rest))
    if head in INNER and rest and rest[0] in INNER[head]:
        return (head, "state", *map(str, rest[1:])) if rest[0] == "state" else path
    return path if head in LISTS and rest and isinstance(rest[0], int) else None


def unknown(key: str) -> str:
    """What to do about a key that names nothing in a case."""
    head, _, rest = key[:MAX_KEY].partition(".")
    if head in INNER and rest:
        near = nearest(rest, INNER[head])
        return f"did you mean '{head}.{near}'?" if near else f"{head} has {', '.join(INNER[head])}"
    near = nearest(key[:MAX_KEY], [*FIELDS, *ALIASES])
    return f"did you mean {near!r}?" if near else "map it under dataset.fields, or put it inside metadata"


def pick(row: Mapping[str, Any], path: str) -> Any:
    """The value of a column or path in a row; MISSING when the row has none. A column of that very name wins."""
    if path in row:
        return row[path]
    node: Any = row
    for part in steps(path):
        if isinstance(node, dict) and str(part) in node:
            node = cast("Raw", node)[str(part)]
        elif isinstance(node, list) and isinstance(part, int) and part < len(cast("list[Any]", node)):
            node = cast("list[Any]", node)[part]
        else:
            return MISSING
    return node


def place(into: dict[Any, Any], path: Steps, value: Any) -> bool:
    """Put a value at a path, making what is missing on the way. False when something else is in its place.

    List positions become integer keys, which `settle` turns into lists, so that no gap has to be filled.
    """
    for part in path[:-1]:
        into = into.setdefault(part, {})
        if not isinstance(cast("Any", into), dict):
            return False
    if path[-1] in into:
        return False
    into[path[-1]] = value
    return True


def settle(node: Any) -> Any:
    """Objects whose keys are all positions become lists, in order."""
    inner: dict[Any, Any] | None = as_dict(node)
    if inner is None:
        return node
    settled: dict[Any, Any] = {key: settle(value) for key, value in inner.items()}
    if settled and all(isinstance(key, int) for key in settled):
        return [settled[key] for key in sorted(settled)]
    return settled


@dataclass(frozen=True)
class Shaper:
    """Turns rows into what `Case` validates, as a dataset's settings say.

    `found` collects the mapped paths that some row held, so that a misspelt one can be told at the end.
    """

    spec: DatasetSpec
    cells: bool
    found: set[str] = field(default_factory=set[str])

    def __call__(self, row: Raw) -> Raw:
        """The case fields of a row. Raises RowError with every fault."""
        data = self._mapped(row) if self.spec.fields else self._native(row)
        for key, value in self.spec.defaults.items():
            _default(data, key, value)
        for name in IDS:
            if type(data.get(name)) is int:
                data[name] = str(data[name])
        if data.get("id") == "":
            raise RowError([Fault(("id",), "must not be empty", "empty text", "leave it out and one is made")])
        return data

    def _native(self, row: Raw) -> Raw:
        if not self.cells and row.keys() <= FIELDS:
            return {key: value for key, value in row.items() if value is not None}
        return self._placed(row, target, {key: key for key in row})

    def _mapped(self, row: Raw) -> Raw:
        values: Raw = {}
        for name, path in self.spec.fields.items():
            value = pick(row, path)
            if value is not MISSING:
                self.found.add(path)
                values[name] = value
        return self._placed(values, target, self.spec.fields)

    def _placed(self, values: Raw, find: Callable[[str], Steps | None], source: Mapping[str, str]) -> Raw:
        data: Raw = {}
        faults: list[Fault] = []
        for name, raw in values.items():
            path = find(name)
            if path is None:
                faults.append(Fault((name,), "is not a field of a case", None, unknown(name)))
            elif raw is not None and not (self.cells and raw == ""):
                value = _cell(raw, path) if self.cells else raw
                if value is MISSING:
                    rule = "must be JSON in a CSV cell"
                    faults.append(Fault(path, rule, str(raw), f"write a list or an object in {source[name]!r}"))
                elif not place(data, path, value):
                    faults.append(Fault(path, "is given twice, or as a whole and in part", None, "keep one of them"))
        if faults:
            if "input" not in data:
                faults.append(Fault(("input",), "is required"))
            raise RowError(faults)
        return {key: settle(value) for key, value in data.items()}


def _cell(text: str, path: Steps) -> Any:
    """The meaning of a CSV cell: text, but JSON where a case wants a list or an object. MISSING when that fails."""
    name = ".".join(str(part) for part in path)
    if name not in JSON_CELLS and not re.fullmatch(r"tools\.\d+\.parameters", name):
        return text
    try:
        value: object = loads(text)
    except ValueError:
        return MISSING
    return cast("Any", value) if isinstance(value, dict | list) and not too_deep(value) else MISSING


def _default(data: Raw, key: str, value: Any) -> None:
    """Put a default where nothing is, copying each object on the way: rows share the settings' values."""
    path = target(key)
    assert path, "checked before reading"
    if len(path) > 1 and path[0] == "expected" and not isinstance(data.get("expected", {}), dict):
        data["expected"] = {"answers": data["expected"]}
    node = data
    *way, last = map(str, path)
    for part in way:
        inner = as_dict(node.get(part, {}))
        if inner is None:
            return
        node[part] = dict(inner)
        node = node[part]
    node.setdefault(last, value)


def missing_input(row: Raw, spec: DatasetSpec) -> str:
    """What to do about a row without input: which of its columns may be meant."""
    if "input" in spec.fields:
        return f"dataset.fields reads it from {spec.fields['input']!r}, which this row lacks"
    near = next((name for name in PROMPTS if name in row), None)
    return f"add `input: {near}` under dataset.fields" if near else "name its column under dataset.fields"


def check_fields(spec: DatasetSpec) -> list[Fault]:
    """The faults of a mapping and of defaults: places that a case does not have, and ones that overlap."""
    faults: list[Fault] = []
    taken: dict[Steps, str] = {}
    for name, path in spec.fields.items():
        where = target(name)
        if where is None:
            faults.append(Fault(("fields", name), "is not a field of a case", None, unknown(name)))
            continue
        if not steps(path):
            faults.append(Fault(("fields", name), "must name a column or a dotted path", path))
        for other, by in taken.items():
            if where[: len(other)] == other or other[: len(where)] == where:
                faults.append(Fault(("fields", name), f"overlaps with {by!r}", None, "map one of them, or their parts"))
        taken[where] = name
    for name in spec.defaults:
        where = target(name)
        if where is None:
            faults.append(Fault(("defaults", name), "is not a field of a case", None, unknown(name)))
        elif any(isinstance(part, int) for part in where) or where == ("id",):
            faults.append(Fault(("defaults", name), "cannot have a default", None, "give it in the rows"))
    return faults


def unmatched(spec: DatasetSpec, found: set[str], columns: list[str]) -> list[Fault]:
    """The mapped columns that no row held."""
    faults: list[Fault] = []
    for name, path in spec.fields.items():
        if path not in found:
            near = nearest(path, columns)
            hint = (
                f"did you mean {near!r}?"
                if near
                else f"the first row has {', '.join(safe(name, 40) for name in columns[:12])}"
            )
            faults.append(Fault(("fields", name), "names a column that no row has", path, hint))
    return faults
