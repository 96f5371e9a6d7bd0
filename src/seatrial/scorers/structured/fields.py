"""Field by field: a JSON object in the answer against the expected one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, Record, Text, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.answers.numeric import final_number, near, to_decimal
from seatrial.scorers.base import (
    BuiltinScorer,
    OneOrMore,
    Real,
    Share,
    clip,
    no_constant,
    parse_json,
    same,
    shown,
)
from seatrial.scorers.structured.schema import unfenced

MAX_CANDIDATES = 50
MAX_EVIDENCE = 200
MAX_EXTRA = 20
_FENCED = re.compile(r"```[A-Za-z0-9]*[ \t]*\r?\n(.*?)\r?\n[ \t]*```", re.DOTALL)
_DECODER = json.JSONDecoder(parse_constant=no_constant)


class _Missing:
    """Stands where a field is not there, which differs from null."""


MISSING = _Missing()


def _rule(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class FieldRule(Record):
    """How one field is compared. A bare word stands for the type.

    `auto`: by the expected value's JSON type: text in any case and spacing, numbers as numbers, all else exactly.
    `exact`: equal JSON. `text`: as auto, and a number or boolean found counts as its text. `number`: numbers within
    `abs` or `rel`, also where either is written as text ("1,250.00 EUR"). `date`: the same day in ISO 8601.
    `set`: a list in any order.
    """

    type: Literal["auto", "exact", "text", "number", "date", "set"] = "auto"
    abs: Real = Field(default=0.0, ge=0)
    rel: Real = Field(default=0.0, ge=0)

    def equal(self, found: Json, wanted: Json) -> bool:
        """Whether a value that was found is the one that was wanted."""
        if self.type == "auto":
            return self._auto(found, wanted)
        if self.type == "exact":
            return same(found, wanted)
        if self.type == "text":
            return isinstance(found, str | int | float) and _plain(_as_text(found)) == _plain(_as_text(wanted))
        if self.type == "number":
            return self._near(_to_number(found), _to_number(wanted))
        if self.type == "date":
            day = _day(wanted)
            return day is not None and _day(found) == day
        return self._same_items(found, wanted)

    def _auto(self, found: Json, wanted: Json) -> bool:
        if isinstance(wanted, str):
            return isinstance(found, str) and (found == wanted or _plain(found) == _plain(wanted))
        if isinstance(wanted, int | float) and not isinstance(wanted, bool):
            if type(found) is type(wanted) and found == wanted:
                return True
            return self._near(to_decimal(found), to_decimal(wanted))
        items, have = as_list(wanted), as_list(found)
        if items is not None:
            return (
                have is not None
                and len(have) == len(items)
                and all(self._auto(a, b) for a, b in zip(have, items, strict=True))
            )
        entries, given = as_dict(wanted), as_dict(found)
        if entries is not None:
            return (
                given is not None
                and given.keys() == entries.keys()
                and all(self._auto(given[key], value) for key, value in entries.items())
            )
        return same(found, wanted)

    def _near(self, found: Any, wanted: Any) -> bool:
        return found is not None and wanted is not None and near(found, wanted, self.abs, self.rel)

    def _same_items(self, found: Json, wanted: Json) -> bool:
        items, left = as_list(wanted), as_list(found)
        if items is None or left is None or len(items) != len(left):
            return False
        for item in items:
            at = next((i for i, other in enumerate(left) if self._auto(other, item)), None)
            if at is None:
                return False
            del left[at]
        return True


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _to_number(value: Json) -> Any:
    return final_number(value, ()).value if isinstance(value, str) else to_decimal(value)


def _day(value: Json) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.strip()).date()
    except ValueError:
        return None


class Read(NamedTuple):
    """A JSON object that was read from an answer, or why there is none."""

    value: dict[str, Json] | None
    why: str = ""


def read_object(text: str, where: Literal["whole", "fenced", "embedded"] = "embedded") -> Read:
    """The JSON object of an answer: the whole of it, or its only code block, or the only one within prose."""
    try:
        value = parse_json(unfenced(text) if where != "whole" else text)
    except ValueError as cause:
        if where != "embedded":
            return Read(None, f"the answer is no JSON: {shown(str(cause), 100)}")
        return _embedded(text)
    found = as_dict(value)
    return Read(found, "" if found is not None else f"the answer is JSON, but a {type(value).__name__}, no object")


def _embedded(text: str) -> Read:
    found: list[dict[str, Json]] = []
    blocks = [m.group(1) for m in _FENCED.finditer(text)] if "```" in text else []
    for block in blocks[:MAX_CANDIDATES]:
        try:
            value = as_dict(parse_json(block))
        except ValueError:
            continue
        found += [value] if value is not None else []
    found = found or _objects(text)
    if len(found) == 1:
        return Read(found[0])
    return Read(None, f"the answer holds {len(found)} JSON objects" if found else "the answer holds no JSON object")


def _objects(text: str) -> list[dict[str, Json]]:
    """The outermost JSON objects within prose, tried from at most 50 braces."""
    found: list[dict[str, Json]] = []
    at = text.find("{")
    for _ in range(MAX_CANDIDATES):
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        found.append(value)
        at = text.find("{", end)
    return found


def leaves(value: dict[str, Json]) -> dict[str, Json]:
    """Dotted path: value of every leaf; lists and empty objects are leaves. Without recursion."""
    if not any(isinstance(item, dict) for item in value.values()):
        return dict(value)
    found: dict[str, Json] = {}
    stack: list[tuple[str, Json]] = [(key, item) for key, item in reversed([*value.items()])]
    while stack:
        path, item = stack.pop()
        inner = as_dict(item)
        if inner:
            stack.extend((f"{path}.{key}", child) for key, child in reversed([*inner.items()]))
        else:
            found[path] = item
    return found


def at_path(value: Json, path: str) -> Any:
    """The value at a dotted path, list positions as numbers; MISSING where there is none.

    Keys that contain dots themselves are found too.
    """
    entries = as_dict(value)
    if entries is not None and path in entries:
        return entries[path]
    items = as_list(value)
    if items is not None:
        head, dot, rest = path.partition(".")
        if not head.isdecimal() or len(head) > 9 or int(head) >= len(items):
            return MISSING
        return at_path(items[int(head)], rest) if dot else items[int(head)]
    at = path.find(".")
    while entries is not None and at >= 0:
        if path[:at] in entries:
            found = at_path(entries[path[:at]], path[at + 1 :])
            if found is not MISSING:
                return found
        at = path.find(".", at + 1)
    return MISSING


AUTO = FieldRule()


class Goal(NamedTuple):
    """The fields that count, with their values, and every field that is known."""

    counted: dict[str, Json]
    known: dict[str, Json]


class Fields(BuiltinScorer):
    """The share of expected fields that the answer's JSON object gets right; passes from `threshold` on (0.85).

    Formula: correct / fields. `fields` names those that count, as dotted paths (`vendor.name`, `lines.0.total`);
    without it every leaf of the expected object counts. A field that the expected object does not have is not
    counted. Types differ: 5 is not "5" and not true, unless `types` says so (see FieldRule). Null equals a missing
    field only where null is expected. Fields beyond the expected ones are shown, and count as wrong with
    `extra: fail`. `find`: where the object stands (`whole`, `fenced`, `embedded`).
    Needs an expected answer that is an object, or text that is one. Fails to help where fields are free text.
    Example: `{fields: [vendor, total], types: {total: {type: number, abs: 0.01}}}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("fields", "1", needs=frozenset({"expected"}))
    fields: Annotated[tuple[Text, ...], OneOrMore] = Field(default=(), description="Dotted paths; all where left out")
    types: Mapping[Text, Annotated[FieldRule, BeforeValidator(_rule)]] = Field(default_factory=dict)
    threshold: Share = Field(default=0.85, gt=0)
    extra: Literal["ignore", "fail"] = "ignore"
    find: Literal["whole", "fenced", "embedded"] = "embedded"

    @model_validator(mode="after")
    def _types_belong(self) -> Fields:
        if not all(self.fields):
            raise ValueError("fields must not hold empty names")
        if len(set(self.fields)) < len(self.fields):
            raise ValueError("fields names a field twice")
        strange = [name for name in self.types if self.fields and name not in self.fields]
        if strange:
            raise ValueError(f"types names {shown(strange[0])}, which fields does not")
        return self

    def wanted(self, case: Case) -> Iterator[Goal]:
        """What to judge by, for each accepted object."""
        for answer in () if case.expected is None else case.expected.answers:
            whole = as_dict(answer) if not isinstance(answer, str) else read_object(answer, "whole").value
            if whole is None:
                continue
            known = leaves(whole)
            if self.fields:
                picked = {path: at_path(whole, path) for path in self.fields}
                goal = Goal(
                    {path: value for path, value in picked.items() if value is not MISSING}, {**known, **picked}
                )
            else:
                goal = Goal(known, known)
            if goal.counted:
                yield goal

    def applies(self, case: Case) -> str:
        """Empty when an expected answer is an object that has the fields."""
        if case.expected is None or not case.expected.answers:
            return "the case has no expected answers"
        return "" if any(self.wanted(case)) else "no expected answer is a JSON object with the fields"

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        read = read_object(output.text, self.find)
        if read.value is None:
            return Score.graded(0.0, self.threshold, read.why)
        scores = [self._compare(read.value, goal) for goal in self.wanted(case)]
        return max(scores, key=lambda score: score.value or 0.0)

    def _compare(self, found: dict[str, Json], goal: Goal) -> Score:
        evidence: list[Evidence] = []
        wrong: list[str] = []
        for path, value in goal.counted.items():
            have = at_path(found, path)
            missing = have is MISSING
            good = value is None if missing else self.types.get(path, AUTO).equal(have, value)
            note = "right" if good else "missing" if missing else "wrong"
            wrong += [] if good else [path]
            evidence.append(
                Evidence(where=f"field:{path}", note=note, expected=clip(value), found=None if missing else clip(have))
            )
        extra = _extra(found, goal.known)
        shown_extra = islice(extra.items(), MAX_EXTRA)
        evidence += [Evidence(where=f"field:{path}", note="extra", found=clip(value)) for path, value in shown_extra]
        counted = len(goal.counted) + (len(extra) if self.extra == "fail" else 0)
        right = len(goal.counted) - len(wrong)
        reason = f"{right} of {counted} fields right" + (f"; wrong: {', '.join(wrong[:5])}" if wrong else "")
        reason += f"; not expected: {', '.join(islice(extra, 5))}" if extra else ""
        return Score.graded(
            right / counted,
            self.threshold,
            reason if reason.isprintable() and len(reason) <= 500 else safe(reason, 500),
            evidence=tuple(evidence[:MAX_EVIDENCE]),
        )


def _extra(found: dict[str, Json], known: Mapping[str, Json]) -> dict[str, Json]:
    """The leaves that are neither expected nor inside or above an expected field."""
    there = leaves(found)
    if there.keys() <= known.keys():
        return {}
    inside = tuple(f"{path}." for path in known)
    return {
        path: value
        for path, value in there.items()
        if path not in known and not path.startswith(inside) and not any(k.startswith(f"{path}.") for k in known)
    }
