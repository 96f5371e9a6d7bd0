"""The JSON of an answer against the expected JSON: how near, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import MAX_DEPTH, Json, Text, too_deep
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.base import BuiltinScorer, Flag, OneOrMore, Real, Share, clip, parse_json
from seatrial.scorers.card import Card, Example
from seatrial.scorers.structured.nearness import Change, Comparison, Rules, kinds, parts_of, pointer, pruned
from seatrial.scorers.structured.reading import Kind, ReadJson, Where, read_json

MAX_EVIDENCE = 100
Pointers = Annotated[tuple[Text, ...], OneOrMore]


class _Found(NamedTuple):
    score: Score
    near: float


class JsonDiff(BuiltinScorer):
    """How near the answer's JSON is to the expected JSON, in [0, 1]; every path that differs is evidence.

    Formula: agreeing leaves / leaves of either value, a changed leaf counted once; 1 exactly when nothing differs. It
    passes from `threshold` on (1). Objects are compared key by key (`extra: ignore` forgives further keys), lists in
    order, so that one missing item shifts nothing; `lists: unordered`, or single lists named in `unordered`, are
    compared in any order, by the assignment that agrees most. Numbers agree within `abs` or `rel`; with
    `values: graded` a leaf that is nearly right counts for a part (text by edit distance, numbers by relative
    difference). `ignore` and `unordered` are JSON Pointers, `*` standing for one part: `/lines/*/id`.
    Evidence names expected paths; of what is extra, the path in the answer. `find`: where the JSON stands (`whole`,
    `fenced`, `embedded`). Needs an expected JSON value; an expected list is written under `answer:`.
    Example: `{ignore: [/created_at], unordered: [/tags], abs: 0.01}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("json_diff", "1", needs=frozenset({"expected"}), cost="heavy")
    card: ClassVar[Card] = Card(
        formula="agreeing leaves / leaves of either value; a leaf that changed is counted once",
        examples=(
            Example(
                {"input": "q", "expected": {"answer": {"city": "Ulm", "n": 3}}},
                'Here: {"n": 3.0, "city": "Ulm"}',
                1.0,
                True,
                note="3 and 3.0 are the same number, the order of keys says nothing",
            ),
            Example(
                {"input": "q", "expected": {"answer": {"a": 1, "b": [1, 2, 3]}}},
                '{"a": 1, "b": [2, 3]}',
                0.75,
                False,
                note="one item is missing; those behind it are not counted as changed",
            ),
            Example(
                {"input": "q", "expected": {"answer": {"a": 1}}},
                "x",
                0.0,
                False,
                note="what is no JSON never passes",
            ),
        ),
        fails=(
            "A wrong leaf weighs the same whether it is the total or a comment: use `fields` to name those that count.",
            "Big repeated structure drowns a small difference in the value; the verdict at threshold 1 does not.",
            "Lists of more than 500 × 500 differing items are compared as they stand.",
        ),
        sources=("RFC 6901 (JSON Pointer)", "Kuhn 1955 (assignment)", "Zhang & Shasha 1989 (nearness of trees)"),
        also_called=(
            "autoevals:JSONDiff",
            "openai-evals:JsonMatch",
            "futureagi:tree_edit_distance",
            "promptfoo:equals",
        ),
    )
    lists: Literal["ordered", "unordered"] = "ordered"
    unordered: Pointers = Field(default=(), description="JSON Pointers of lists in any order")
    ignore: Pointers = Field(default=(), description="JSON Pointers of what is not compared")
    extra: Literal["fail", "ignore"] = Field(default="fail", description="Keys beyond the expected ones")
    values: Literal["exact", "graded"] = Field(default="exact", description="Whether a near leaf counts for a part")
    ignore_case: Flag = False
    abs: Real = Field(default=0.0, ge=0, description="Absolute tolerance of numbers")
    rel: Real = Field(default=0.0, ge=0, description="Tolerance of numbers, relative to the expected one")
    find: Where = "embedded"
    threshold: Share = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _pointers(self) -> JsonDiff:
        if () in self.rules.ignore:
            raise ValueError("ignore must not name the whole value")
        return self

    @cached_property
    def rules(self) -> Rules:
        """The settings, as the comparison takes them."""
        return Rules(
            abs=self.abs,
            rel=self.rel,
            ignore_case=self.ignore_case,
            graded=self.values == "graded",
            any_order=self.lists == "unordered",
            unordered=tuple(parts_of(one) for one in self.unordered),
            ignore=tuple(parts_of(one) for one in self.ignore),
            extra_keys=self.extra == "fail",
        )

    def wanted(self, case: Case) -> list[Json]:
        """The accepted values, without what is ignored."""
        given = () if case.expected is None else case.expected.answers
        values = [_value(answer) for answer in given]
        return [pruned(one.value, self.rules.ignore) for one in values if not one.why and not too_deep(one.value)]

    def applies(self, case: Case) -> str:
        """Empty when there is an expected value to compare with."""
        if case.expected is None or not case.expected.answers:
            return "the case has no expected answers"
        wanted = self.wanted(case)
        if not wanted:
            return f"no expected answer is JSON of at most {MAX_DEPTH} levels"
        if self.ignore and all(one in ({}, []) for one in wanted):
            return "all of the expected value is ignored"
        return ""

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        text = output.text
        tried = [self._against(text, wanted) for wanted in self.wanted(case)]
        return max(tried, key=lambda one: one.near).score

    def _against(self, text: str, wanted: Json) -> _Found:
        kind: Kind = "object" if isinstance(wanted, dict) else "array" if isinstance(wanted, list | tuple) else "any"
        read = read_json(text, self.find, kind)
        if read.why:
            return _Found(Score.graded(0.0, self.threshold, read.why), -1.0)
        if too_deep(read.value):
            return _Found(Score.graded(0.0, self.threshold, f"nested more than {MAX_DEPTH} levels"), -1.0)
        found = pruned(read.value, self.rules.ignore)
        comparison = Comparison(self.rules)
        near = comparison.near(found, wanted)
        changes = comparison.changes(found, wanted)
        value = 1.0 if not changes else min(near.right / near.total, 1 - 1e-9)
        return _Found(Score.graded(value, self.threshold, _reason(changes), evidence=evidence(changes)), value)


def _value(answer: Json) -> ReadJson:
    if not isinstance(answer, str):
        return ReadJson(answer)
    try:
        return ReadJson(parse_json(answer))
    except ValueError:
        return ReadJson(None, "is no JSON")


def _reason(changes: Sequence[Change]) -> str:
    if not changes:
        return "the same JSON"
    first = ", ".join(pointer(change.path) or "the whole value" for change in islice(changes, 3))
    return safe(f"{kinds(changes)}: {first}{', …' if len(changes) > 3 else ''}", 300)


def evidence(changes: Sequence[Change]) -> tuple[Evidence, ...]:
    """At most 100 changes, each at its path."""
    return tuple(_evidence(change) for change in changes[:MAX_EVIDENCE])


def _evidence(change: Change) -> Evidence:
    moved = "" if change.found_at is None else f", found at {pointer(change.found_at)}"
    return Evidence(
        where=f"field:{pointer(change.path)}",
        note=f"{change.note}{moved}",
        expected=clip(change.expected),
        found=clip(change.found),
    )
