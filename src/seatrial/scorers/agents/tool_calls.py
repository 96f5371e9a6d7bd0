"""Tool calls against accepted call sequences, in the manner of the Berkeley Function-Calling Leaderboard (BFCL)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import ClassVar, Literal, NamedTuple, cast

from seatrial.core.case import Case, ExpectedCall, Order, Tool
from seatrial.core.message import ToolCall
from seatrial.core.output import Output
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo, verdict
from seatrial.errors import safe
from seatrial.scorers.agents._tool_schema import schema_faults
from seatrial.scorers.agents._trail import lacks_calls
from seatrial.scorers.base import BuiltinScorer, Flag, clip, is_deep, same, shown
from seatrial.scorers.card import Card, Example

MAX_FAULTS = 20
MAX_NESTING = 200
MAX_VARIANTS = 10_000
_NOISE = re.compile(r"[ ,./\-_*^]")

Equal = Callable[[Json, Json], bool]


def loosely(found: Json, expected: Json) -> bool:
    """`same`, but text ignores case, white space within, and the punctuation , . / - _ * ^, as BFCL does."""
    if isinstance(expected, str):
        return isinstance(found, str) and _loose(found) == _loose(expected)
    items, have = as_list(expected), as_list(found)
    if items is not None:
        return (
            have is not None
            and len(have) == len(items)
            and all(loosely(a, b) for a, b in zip(have, items, strict=True))
        )
    entries, given = as_dict(expected), as_dict(found)
    if entries is not None:
        return (
            given is not None
            and given.keys() == entries.keys()
            and all(loosely(given[key], value) for key, value in entries.items())
        )
    return same(found, expected)


def _loose(text: str) -> str:
    return _NOISE.sub("", text).lower().replace("'", '"')


def _is_one_of(found: Json, accepted: Sequence[Json], equal: Equal) -> bool:
    for value in accepted:  # noqa: SIM110  # the loop costs half of what `any` does
        if equal(found, value):
            return True
    return False


def call_fits(call: ToolCall, expected: ExpectedCall, equal: Equal = same) -> bool:
    """Whether a call is the expected one: name, every argument, none missing and none unknown."""
    given = as_dict(call.arguments)
    if call.name != expected.name or given is None or not given.keys() <= expected.arguments.keys():
        return False
    for name, accepted in expected.arguments.items():
        if name not in given:
            if name not in expected.optional:
                return False
        elif not _is_one_of(given[name], accepted, equal):
            return False
    return True


def call_faults(call: ToolCall, expected: ExpectedCall, equal: Equal = same) -> list[tuple[str, str]]:
    """What is wrong with a call, as (argument, sentence); empty exactly when `call_fits`."""
    if call.name != expected.name:
        return [("", f"is named {shown(call.name, 60)}, expected {shown(expected.name, 60)}")]
    given = as_dict(call.arguments)
    if given is None:
        return [("", "its arguments are no JSON object")]
    faults: list[tuple[str, str]] = []
    for name, accepted in expected.arguments.items():
        if name not in given:
            if name not in expected.optional:
                faults.append((name, f"argument {shown(name, 60)} is missing"))
        elif not any(equal(given[name], value) for value in accepted):
            some = " or ".join(shown(value, 60) for value in accepted[:3]) or "nothing"
            faults.append((name, f"argument {shown(name, 60)} is {shown(given[name], 60)}, accepted: {some}"))
    unknown = [name for name in given if name not in expected.arguments]
    return faults + [(name, f"argument {shown(name, 60)} is not expected") for name in unknown[:MAX_FAULTS]]


def assign(fits: Sequence[Sequence[bool]]) -> list[int]:
    """For each row the column it is matched with, or −1: a largest one-to-one matching (Kuhn's augmenting paths)."""
    columns = len(fits[0]) if fits else 0
    row_of = [-1] * columns

    def place(row: int, tried: set[int]) -> bool:
        for column in range(columns):
            if fits[row][column] and column not in tried:
                tried.add(column)
                if row_of[column] < 0 or place(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    for row in range(len(fits)):
        place(row, set())
    matched = [-1] * len(fits)
    for column, row in enumerate(row_of):
        if row >= 0:
            matched[row] = column
    return matched


def align(fits: Sequence[Sequence[bool]]) -> list[int]:
    """As `assign`, but in order: a longest common subsequence of rows and columns."""
    rows, columns = len(fits), len(fits[0]) if fits else 0
    longest = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in reversed(range(rows)):
        for column in reversed(range(columns)):
            skip = max(longest[row + 1][column], longest[row][column + 1])
            longest[row][column] = max(skip, longest[row + 1][column + 1] + 1) if fits[row][column] else skip
    matched = [-1] * rows
    row = column = 0
    while row < rows and column < columns:
        if fits[row][column] and longest[row][column] == longest[row + 1][column + 1] + 1:
            matched[row] = column
            row, column = row + 1, column + 1
        elif longest[row + 1][column] >= longest[row][column + 1]:
            row += 1
        else:
            column += 1
    return matched


class _Match(NamedTuple):
    expected: tuple[ExpectedCall, ...]
    of: list[int]
    missing: list[int]
    extra: list[int]

    @property
    def value(self) -> float:
        hits = sum(column >= 0 for column in self.of)
        wrong = len(self.missing) + len(self.extra)
        return 2 * hits / (2 * hits + wrong) if hits or wrong else 1.0

    @property
    def passed(self) -> bool:
        return not self.missing and not self.extra


_WEATHER = [{"name": "weather", "arguments": {"city": ["Oslo", "Oslo, Norway"]}}]


class ToolCalls(BuiltinScorer):
    """Whether the tool calls are the expected ones; the value is their F1, and all must be right to pass.

    A call matches when its name is equal, every argument has an accepted value, and none is missing (unless
    optional) or unknown. Calls are matched one to one. F1 = 2·hits / (2·hits + missing + extra). A wrong name gets
    no credit. `order` (the case's, unless set): `exact`: these calls in this order; `any_order`: these calls;
    `in_order`: these in this order, others may stand between; `superset`: these, and others; `subset`: some of these,
    at least one. Calls of the "others" must be valid calls of the tools offered, where the case lists those. Several
    alternatives: the best counts. An alternative without calls means that no call may be made.
    Values: 5 equals 5.0, true is no number, lists and objects go deep. `strings: normalized` compares text as BFCL
    does: without case, spaces and ,./-_*^. Where an accepted value contradicts the tool's schema the case wins.
    Needs `expected.tool_calls`. Fails to help where many paths are right: judge the final state instead.
    Example: `{strings: normalized}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("tool_calls", "1", needs=frozenset({"expected", "tools"}))
    card: ClassVar[Card] = Card(
        formula="2·hits / (2·hits + missing + extra); passes when nothing is missing and nothing extra.",
        examples=(
            Example(
                {"input": "Weather in Oslo?", "expected": {"tool_calls": _WEATHER}},
                {
                    "messages": [
                        {"role": "assistant", "tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]}
                    ]
                },
                1.0,
                True,
            ),
            Example(
                {"input": "Weather in Oslo?", "expected": {"tool_calls": _WEATHER}},
                {
                    "messages": [
                        {"role": "assistant", "tool_calls": [{"name": "forecast", "arguments": {"city": "Oslo"}}]}
                    ]
                },
                0.0,
                False,
                note="right arguments of a wrong tool",
            ),
            Example(
                {"input": "Weather in Oslo?", "expected": {"tool_calls": _WEATHER}},
                "It is sunny in Oslo.",
                0.0,
                False,
                note="the tool was never called",
            ),
        ),
        fails=(
            "Where many paths are right it blames the ones that nobody wrote down: judge the final state instead.",
            "Text arguments that say the same in other words are wrong unless they are listed.",
        ),
        sources=("Patil et al. 2025, The Berkeley Function Calling Leaderboard",),
        also_called=(
            "bfcl:ast",
            "deepeval:ToolCorrectnessMetric",
            "ragas:ToolCallAccuracy",
            "promptfoo:is-valid-openai-tools-call",
            "futureagi:function_call_exact_match",
            "article:Tool Correctness",
        ),
    )
    order: Order | None = None
    strings: Literal["exact", "normalized"] = "exact"
    check_tools: Flag = True

    def applies(self, case: Case) -> str:
        """Empty when the case has expected calls."""
        return lacks_calls(case)

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        expected = case.expected
        assert expected is not None
        assert expected.tool_calls is not None
        calls = output.tool_calls
        if not calls and () in expected.tool_calls:
            return verdict(True, "no call, as expected")
        order = self.order or expected.order
        tools = case.tools if self.check_tools else ()
        matches = [self._match(alternative, calls, order, tools) for alternative in expected.tool_calls]
        if any(match.passed for match in matches):
            return verdict(True, f"{len(calls)} of {len(calls)} calls right")
        best = max(matches, key=lambda match: match.value)
        faults = self._explain(best, calls, tools)
        return Score(value=best.value, passed=False, reason=faults[0].note, evidence=tuple(faults[:MAX_FAULTS]))

    def _match(
        self, expected: tuple[ExpectedCall, ...], calls: tuple[ToolCall, ...], order: Order, tools: tuple[Tool, ...]
    ) -> _Match:
        equal = self._equal
        if len(calls) == len(expected) == 1 and call_fits(calls[0], expected[0], equal):
            return _Match(expected, [0], [], [])
        fits = [[call_fits(call, goal, equal) for call in calls] for goal in expected]
        of = align(fits) if order in ("exact", "in_order") else assign(fits)
        used = set(of)
        missing = [row for row, column in enumerate(of) if column < 0]
        extra = [column for column in range(len(calls)) if column not in used]
        if order == "subset" and calls:
            missing = []
        if order in ("in_order", "superset") and expected:
            extra = [column for column in extra if schema_faults(calls[column], tools)]
        return _Match(expected, of, missing, extra)

    @property
    def _equal(self) -> Equal:
        return same if self.strings == "exact" else loosely

    def _explain(self, match: _Match, calls: tuple[ToolCall, ...], tools: tuple[Tool, ...]) -> list[Evidence]:
        """Why a match fails: each missing call beside the left-over call of its name that is nearest to it."""
        faults: list[Evidence] = []
        left = [column for column in range(len(calls)) if column not in match.of]
        for row in match.missing[:MAX_FAULTS]:
            goal = match.expected[row]
            named = [column for column in left if calls[column].name == goal.name][:MAX_FAULTS]
            ranked = sorted(named, key=lambda column: len(call_faults(calls[column], goal, self._equal)))
            if not ranked:
                note = f"call of {shown(goal.name, 60)} is missing"
                faults.append(Evidence(where="calls", note=note, expected=clip(_plain(goal))))
                continue
            left.remove(ranked[0])
            faults += self._differences(ranked[0], calls[ranked[0]], goal)
        extra = set(match.extra)
        faults += [self._not_expected(column, calls, tools) for column in left[:MAX_FAULTS] if column in extra]
        return faults or [self._not_expected(match.extra[0], calls, tools)]

    def _differences(self, column: int, call: ToolCall, goal: ExpectedCall) -> list[Evidence]:
        given = as_dict(call.arguments) or {}
        wrong = call_faults(call, goal, self._equal) or [("", "stands in the wrong place")]
        return [
            Evidence(
                where=f"call:{column}",
                note=f"call {column + 1} {shown(call.name, 60)}: {sentence}",
                expected=[clip(value) for value in goal.arguments.get(name, ())[:5]] or None,
                found=clip(given.get(name)),
            )
            for name, sentence in wrong
        ]

    def _not_expected(self, column: int, calls: tuple[ToolCall, ...], tools: tuple[Tool, ...]) -> Evidence:
        call = calls[column]
        twin = next((i for i in range(column) if calls[i].name == call.name and self._twins(calls[i], call)), None)
        schema = schema_faults(call, tools)
        why = f"repeats call {twin + 1}" if twin is not None else schema[0] if schema else "is not expected"
        return Evidence(
            where=f"call:{column}",
            note=f"call {column + 1} {shown(call.name, 60)}: {safe(why, 200)}",
            found=clip(call.arguments),
        )

    def _twins(self, first: ToolCall, second: ToolCall) -> bool:
        return not is_deep(first.arguments, MAX_NESTING) and self._equal(first.arguments, second.arguments)


def _plain(goal: ExpectedCall) -> Mapping[str, Json]:
    return {name: list(values) for name, values in goal.arguments.items()}


def from_bfcl(ground_truth: Sequence[Mapping[str, Mapping[str, Sequence[Json]]]]) -> tuple[ExpectedCall, ...]:
    """The `ground_truth` of a BFCL row (simple, multiple, parallel) as one alternative of expected calls.

    There each argument lists its accepted values, `""` among them marks it optional, and inside an accepted object
    every field lists its own accepted values in the same way; those are multiplied out here. Raises ValueError for
    an object with more than 10,000 variants, and for rows of another shape.
    """
    calls: list[ExpectedCall] = []
    for entry in ground_truth:
        if len(entry) != 1:
            raise ValueError("a BFCL call is an object with one key, the function's name")
        ((name, arguments),) = entry.items()
        accepted = {key: tuple(v for v in values if v != "") for key, values in arguments.items()}
        calls.append(
            ExpectedCall(
                name=name,
                arguments={key: tuple(_variants(values)) for key, values in accepted.items()},
                optional=tuple(key for key, values in arguments.items() if "" in values),
            )
        )
    return tuple(calls)


def _variants(values: Sequence[Json]) -> list[Json]:
    found: list[Json] = []
    for value in values:
        items = as_list(value)
        if isinstance(value, dict):
            found += _objects(cast("dict[str, Json]", value))
        elif items and all(isinstance(item, dict) for item in items):
            found += [list(combination) for combination in product(*(_objects(item) for item in items))]
        else:
            found.append(value)
        if len(found) > MAX_VARIANTS:
            raise ValueError(f"an accepted object has more than {MAX_VARIANTS} variants")
    return found


def _objects(fields: dict[str, Json]) -> list[Json]:
    """The plain objects that a BFCL object stands for: one for each choice among its fields' accepted values."""
    choices: list[list[tuple[tuple[str, Json], ...]]] = []
    for key, accepted in fields.items():
        values = as_list(accepted)
        if values is None:
            raise ValueError(f"field {key!r} of a BFCL object must list its accepted values")
        present = [((key, value),) for value in _variants([v for v in values if v != ""])]
        choices.append([*present, ()] if "" in values else list(present))
    size = 1
    for options in choices:
        size *= len(options)
    if size > MAX_VARIANTS:
        raise ValueError(f"an accepted object has more than {MAX_VARIANTS} variants")
    return [dict(pair for part in combination for pair in part) for combination in product(*choices)]
