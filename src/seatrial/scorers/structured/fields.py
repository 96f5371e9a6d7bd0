"""Field by field: a JSON object in the answer against the expected one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, Text, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo, verdict
from seatrial.errors import safe
from seatrial.scorers.base import (
    BuiltinScorer,
    OneOrMore,
    Share,
    clip,
    shown,
)
from seatrial.scorers.card import Card, Example
from seatrial.scorers.structured.reading import Where, read_json
from seatrial.scorers.structured.rules import FieldRule, as_rule

MAX_EVIDENCE = 200
MAX_EXTRA = 20


class _Missing:
    """Stands where a field is not there, which differs from null."""


MISSING = _Missing()


class Read(NamedTuple):
    """A JSON object that was read from an answer, or why there is none."""

    value: dict[str, Json] | None
    why: str = ""


def read_object(text: str, where: Where = "embedded") -> Read:
    """The JSON object of an answer: the whole of it, or its only code block, or the only one within prose."""
    value, why = read_json(text, where, "object")
    return Read(None if why else as_dict(value), why)


def leaves(value: dict[str, Json]) -> dict[str, Json]:
    """Dotted path: value of every leaf; lists and empty objects are leaves. Without recursion."""
    for item in value.values():
        if isinstance(item, dict):
            break
    else:
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
_OBJECT = re.compile(r"[ \t\r\n]*\{")


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
    card: ClassVar[Card] = Card(
        formula="right fields / expected fields that count",
        examples=(
            Example(
                {"input": "q", "expected": {"answer": {"vendor": "Acme Ltd", "total": 1250, "due": "2026-03-01"}}},
                '{"vendor": "ACME  ltd", "total": "1,250.00 EUR", "due": "01.03.2026"}',
                1.0,
                True,
                {"types": {"total": "number", "due": {"type": "date", "formats": "%d.%m.%Y"}}},
                note="each field by its own rule",
            ),
            Example(
                {"input": "q", "expected": {"answer": {"vendor": "Acme Ltd", "total": 1250}}},
                '{"vendor": "Acme Ltd", "total": "1250"}',
                0.5,
                False,
                note="text is no number unless `types` says so",
            ),
        ),
        fails=(
            "Free text is compared word for word: judge it by `rouge_l`, or ask a judge.",
            "Lists are compared in order and as a whole, or as a `set`: `json_diff` aligns their items.",
            "Every field weighs the same.",
        ),
        sources=("ISO 8601",),
        also_called=("article:extraction_scorer", "openai-evals:JsonMatch", "langchain:json_equality"),
    )
    fields: Annotated[tuple[Text, ...], OneOrMore] = Field(default=(), description="Dotted paths; all where left out")
    types: Mapping[Text, Annotated[FieldRule, BeforeValidator(as_rule)]] = Field(default_factory=dict)
    threshold: Share = Field(default=0.85, gt=0)
    extra: Literal["ignore", "fail"] = "ignore"
    find: Where = "embedded"

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

    def wanted(self, case: Case) -> tuple[Goal, ...]:
        """What to judge by, for each accepted object."""
        return self.once(case, self._goals)

    def _goals(self, case: Case) -> tuple[Goal, ...]:
        goals: list[Goal] = []
        for answer in () if case.expected is None else case.expected.answers:
            if isinstance(answer, str):
                whole = read_object(answer, "whole").value if _OBJECT.match(answer) else None
            else:
                whole = as_dict(answer)
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
                goals.append(goal)
        return tuple(goals)

    def applies(self, case: Case) -> str:
        """Empty when an expected answer is an object that has the fields."""
        if case.expected is None or not case.expected.answers:
            return "the case has no expected answers"
        first = case.expected.answers[0]
        if type(first) is dict and first and not self.fields:
            return ""  # each of its leaves counts, and it has one
        return "" if self.wanted(case) else "no expected answer is a JSON object with the fields"

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        value, why = read_json(output.text, self.find, "object")
        if why:
            return verdict(False, why)
        scores = [self._compare(value, goal) for goal in self.wanted(case)]
        return scores[0] if len(scores) == 1 else max(scores, key=lambda score: score.value or 0.0)

    def _compare(self, found: dict[str, Json], goal: Goal) -> Score:
        evidence: list[Evidence] = []
        wrong: list[str] = []
        types = self.types
        for path, value in goal.counted.items():
            have = found[path] if path in found else at_path(found, path)
            missing = have is MISSING
            good = value is None if missing else types.get(path, AUTO).equal(have, value)
            if not good:
                wrong.append(path)
            note = "right" if good else "missing" if missing else "wrong"
            there = None if missing else clip(have)
            evidence.append(Evidence.of("field:" + path, "", (None, None), note, clip(value), there))
        extra = _extra(found, goal.known)
        for path, value in islice(extra.items(), MAX_EXTRA) if extra else ():
            evidence.append(Evidence.of("field:" + path, note="extra", found=clip(value)))
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
    more = [path for path in there if path not in known]
    if not more:
        return {}
    dotted = [path for path in known if "." in path]
    return {path: there[path] for path in more if not _is_inside(path, known) and not _is_above(path, dotted)}


def _is_inside(path: str, known: Mapping[str, Json]) -> bool:
    at = path.find(".")
    while at >= 0:
        if path[:at] in known:
            return True
        at = path.find(".", at + 1)
    return False


def _is_above(path: str, dotted: Sequence[str]) -> bool:
    return bool(dotted) and any(inner.startswith(f"{path}.") for inner in dotted)
