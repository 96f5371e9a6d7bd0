"""Whether the calls, or the whole trajectory, run as expected: exact, in order, in any order, a part, or with more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

from seatrial.core.case import Case, ExpectedCall, Order, Step
from seatrial.core.output import Output
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.agents._arguments import ArgumentRules, grade
from seatrial.scorers.agents._trail import (
    CALL_KINDS,
    MAX_NESTING,
    RESULT_KINDS,
    SAID_KINDS,
    Call,
    Said,
    alternatives,
    trail,
)
from seatrial.scorers.agents.tool_calls import align, assign
from seatrial.scorers.base import BuiltinScorer, Flag, clip, is_deep, same, shown
from seatrial.scorers.card import Card, Example

MAX_SHOWN = 20
MAX_CELLS = 4_000_000
"""Tables of more expected × actual steps than that are not filled: the case is refused as too large."""


class Move(NamedTuple):
    """One step of what happened, in the words of expected steps."""

    kind: str
    name: str
    input: Json
    output: Json
    error: str
    where: str


def kind_of(kind: str) -> str:
    """One name for all ways to call a kind of step."""
    plain = kind.lower()
    if plain in CALL_KINDS:
        return "tool"
    return "result" if plain in RESULT_KINDS else "message" if plain in SAID_KINDS else plain


def moves(output: Output) -> list[Move]:
    """Everything that an output did, in order: calls with their results, words, and steps of any other kind."""
    seen = trail(output)
    if any(call.where.startswith("step:") for call in seen.calls) or (output.steps and not seen.calls):
        results = {call.where: call for call in seen.calls}
        found: list[Move] = []
        for at, step in enumerate(output.steps):
            call = results.get(f"step:{at}")
            move = Move(kind_of(step.kind), step.name, step.input, step.output, step.error, f"step:{at}")
            found.append(move if call is None else move._replace(output=call.result, error=call.error))
        if any(move.kind == "message" for move in found):
            return found
        return found + [_spoken(said) for said in seen.said if said.role == "assistant"]
    events: list[tuple[int, int, Move]] = [
        (said.at, 0, _spoken(said)) for said in seen.said if said.role == "assistant"
    ]
    events += [
        (call.at, 1 + i, Move("tool", call.name, call.arguments, call.result, call.error, call.where))
        for i, call in enumerate(seen.calls)
    ]
    return [move for _, _, move in sorted(events, key=lambda event: event[:2])]


def _spoken(said: Said) -> Move:
    return Move("message", "", None, said.text, "", said.where)


def holds(found: Json, wanted: Json) -> bool:
    """Whether a value is the wanted one, where an object may hold more keys than those wanted."""
    entries, have = as_dict(wanted), as_dict(found)
    if entries is not None:
        return have is not None and all(key in have and holds(have[key], value) for key, value in entries.items())
    items, given = as_list(wanted), as_list(found)
    if items is not None:
        return given is not None and len(items) == len(given) and all(map(holds, given, items))
    return same(found, wanted)


def move_fits(move: Move, wanted: Step) -> bool:
    """Whether a step is the wanted one: kind and name, and of input, output and error what the wanted one states.

    An object that is wanted may be part of a larger one. A wanted step without an error is fitted by none that failed.
    """
    if move.kind != kind_of(wanted.kind) or (wanted.name and move.name != wanted.name):
        return False
    if bool(move.error) != bool(wanted.error):
        return False
    for found, value in ((move.input, wanted.input), (move.output, wanted.output)):
        if value is not None and (is_deep(found, MAX_NESTING) or not holds(found, value)):
            return False
    return True


class _Match(NamedTuple):
    of: list[int]
    made: int

    @property
    def hits(self) -> int:
        return sum(column >= 0 for column in self.of)


class ToolOrder(BuiltinScorer, ArgumentRules):
    """Whether the steps taken are the expected ones, in one of five senses of order.

    `exact`: these steps and no others, in this order; `in_order`: these in this order, others may stand between;
    `any_order`: these and no others, in any order; `superset`: these, and others, in any order; `subset`: none but
    these, at least one. `order` is the case's (`expected.order`) unless it is set. What counts as expected is the
    case's `trajectory` (steps; of `input` and `output` only what is written is compared, and a failed step fits none
    that is not to fail) where it has one, else its `tool_calls`; `of` decides it. `arguments: false` compares tools
    by name alone.
    Of a trajectory, only steps of the kinds are read that the expected ones have, unless `kinds: all`.
    Passes only as the order demands. The value is graded: for `exact` the longest common subsequence / the longer
    sequence, for `in_order` / the expected ones; for `any_order` F1, for `superset` recall, for `subset` precision of
    a largest matching. No step where some are expected is 0. Unlike `tool_calls`, further calls are not held against
    the schemas of the tools. Example: `{order: in_order, arguments: false}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("tool_order", "1", unit="trace", needs=frozenset({"expected"}))
    card: ClassVar[Card] = Card(
        formula=(
            "exact: LCS / max(expected, made); in_order: LCS / expected; any_order: 2·hits / (expected + made); "
            "superset: hits / expected; subset: hits / made, where hits is a largest one-to-one matching. It passes "
            "when the value is 1."
        ),
        examples=(
            Example(
                {"input": "Refund it.", "expected": {"tool_calls": [{"name": "find"}, {"name": "refund"}]}},
                {
                    "messages": [
                        {"role": "assistant", "tool_calls": [{"name": "find"}, {"name": "log"}, {"name": "refund"}]}
                    ]
                },
                1.0,
                True,
                {"order": "in_order"},
            ),
            Example(
                {"input": "Refund it.", "expected": {"tool_calls": [{"name": "find"}, {"name": "refund"}]}},
                {"messages": [{"role": "assistant", "tool_calls": [{"name": "refund"}, {"name": "find"}]}]},
                0.5,
                False,
                {"order": "in_order"},
            ),
        ),
        fails=(
            "Where many paths are right it blames the ones that nobody wrote down: judge the final state instead.",
            "It compares what was called; whether the words between are right is for other scorers.",
        ),
        also_called=(
            "futureagi:trajectory_match",
            "langchain:trajectory_match",
            "ragas:ToolCallAccuracy",
            "promptfoo:trajectory",
        ),
    )
    order: Order | None = None
    of: Literal["auto", "calls", "trajectory"] = "auto"
    arguments: Flag = True
    kinds: Literal["expected", "all"] = "expected"

    def applies(self, case: Case) -> str:
        """Empty when the case has the expected steps that are to be compared."""
        expected = case.expected
        steps = expected is not None and bool(expected.trajectory)
        calls = bool(alternatives(expected))
        if self.of == "trajectory":
            return "" if steps else "the case has no expected trajectory"
        if self.of == "calls":
            return "" if calls else "the case has no expected tool calls"
        return "" if steps or calls else "the case has neither an expected trajectory nor expected tool calls"

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        expected = case.expected
        assert expected is not None
        order = self.order or expected.order
        if expected.trajectory and self.of != "calls":
            return self._of_trajectory(expected.trajectory, output, order)
        calls = trail(output).calls
        tried = [(self._of_calls(goals, calls, order), goals) for goals in alternatives(expected)]
        match, goals = max(tried, key=lambda one: _value(one[0], order))
        names = [goal.name for goal in goals]
        return _scored(match, order, names, [(call.name, call.where, call.arguments) for call in calls])

    def _of_calls(self, goals: tuple[ExpectedCall, ...], calls: Sequence[Call], order: Order) -> _Match:
        if self.arguments:
            fits = [[grade(call, goal, self).worth == 1.0 for call in calls] for goal in goals]
        else:
            fits = [[call.name == goal.name for call in calls] for goal in goals]
        return _match(fits, len(calls), order)

    def _of_trajectory(self, wanted: tuple[Step, ...], output: Output, order: Order) -> Score:
        taken = moves(output)
        if self.kinds == "expected":
            read = {kind_of(step.kind) for step in wanted}
            taken = [move for move in taken if move.kind in read]
        wanted = (
            wanted if self.arguments else tuple(s.model_copy(update={"input": None, "output": None}) for s in wanted)
        )
        match = _match([[move_fits(move, step) for move in taken] for step in wanted], len(taken), order)
        names = [step.name or step.kind for step in wanted]
        return _scored(match, order, names, [(m.name or m.kind, m.where, m.input) for m in taken])


def _match(fits: list[list[bool]], made: int, order: Order) -> _Match:
    if len(fits) * made > MAX_CELLS:
        raise ValueError(f"{len(fits)} expected and {made} actual steps are too many to compare")
    return _Match(align(fits) if order in ("exact", "in_order") else assign(fits), made)


def _value(match: _Match, order: Order) -> float:
    hits, expected, made = match.hits, len(match.of), match.made
    if not expected:
        return float(not made)
    if not made:
        return 0.0
    return {
        "exact": hits / max(expected, made),
        "in_order": hits / expected,
        "any_order": 2 * hits / (expected + made),
        "superset": hits / expected,
        "subset": hits / made,
    }[order]


def _scored(match: _Match, order: Order, wanted: Sequence[str], taken: Sequence[tuple[str, str, Json]]) -> Score:
    value = _value(match, order)
    if value == 1.0:
        said = f"{match.hits} of {len(wanted)} expected steps, {_SAYS[order]}"
        return Score(value=1.0, passed=True, reason=said)
    faults: list[Evidence] = []
    if not wanted:
        place = taken[0]
        one = Evidence(
            where=place[1], note=f"no step was expected; {shown(place[0], 60)} was taken", found=clip(place[2])
        )
        return Score(value=value, passed=False, reason=one.note, evidence=(one,))
    if order != "subset":
        absent = [row for row, column in enumerate(match.of) if column < 0]
        faults += [Evidence(where="steps", note=_absent(row, wanted, taken), expected=row + 1) for row in absent]
    if order in ("exact", "any_order", "subset"):
        used = set(match.of)
        faults += [
            Evidence(where=where, note=f"{shown(name, 60)} is not expected here", found=clip(given))
            for at, (name, where, given) in enumerate(taken)
            if at not in used
        ]
    first = faults[0].note if faults else "no step was taken"
    return Score(value=value, passed=False, reason=f"not {_SAYS[order]}: {first}", evidence=tuple(faults[:MAX_SHOWN]))


_SAYS = {
    "exact": "exactly these in this order",
    "in_order": "in this order",
    "any_order": "exactly these",
    "superset": "with all of these",
    "subset": "none but these",
}


def _absent(row: int, wanted: Sequence[str], taken: Sequence[tuple[str, str, Json]]) -> str:
    elsewhere = any(name == wanted[row] for name, _, _ in taken)
    why = "was made in another place or with other arguments" if elsewhere else "is missing"
    return f"expected step {row + 1}, {shown(wanted[row], 60)}, {why}"
