"""Tool calls in shares: how many arguments are right, and precision, recall and F1 by optimal assignment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import as_dict
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.agents._arguments import ArgumentRules, Pairing, pair
from seatrial.scorers.agents._trail import Call, alternatives, brief, lacks_calls, trail
from seatrial.scorers.base import BuiltinScorer, Share, clip, shown
from seatrial.scorers.card import Card, Example

MAX_SHOWN = 20
_NEEDS = frozenset({"expected"})

_FLIGHT = {"tool_calls": [{"name": "book", "arguments": {"to": ["Oslo"], "seats": [2]}}]}


def _calls(*calls: tuple[str, dict[str, object]]) -> dict[str, object]:
    made = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return {"messages": [{"role": "assistant", "tool_calls": made}]}


class _Expecting(BuiltinScorer, ArgumentRules):
    """A scorer of calls against the case's expected ones."""

    def applies(self, case: Case) -> str:
        """Empty when the case has expected calls."""
        return lacks_calls(case)


def _evidence(pairing: Pairing, calls: Sequence[Call], *, extra: bool) -> list[Evidence]:
    """What is wrong with assigned calls, which expected ones are missing, and which calls are extra."""
    faults: list[Evidence] = []
    for goal, column, graded in zip(pairing.goals, pairing.of, pairing.graded, strict=True):
        if graded is None:
            note = f"no call of {shown(goal.name, 60)}"
            faults.append(
                Evidence(
                    where="calls",
                    note=note,
                    expected={k: [clip(value) for value in v[:5]] for k, v in goal.arguments.items()},
                )
            )
            continue
        call = calls[column]
        given = as_dict(call.arguments) or {}
        for key, why in graded.faults:
            note = (
                f"{shown(call.name, 60)}: argument {shown(key, 60)} {why}" if key else f"{shown(call.name, 60)}: {why}"
            )
            wanted = [clip(value) for value in goal.arguments.get(key, ())[:5]] or None
            faults.append(Evidence(where=call.where, note=note, expected=wanted, found=clip(given.get(key))))
        if len(faults) >= MAX_SHOWN:
            break
    if extra:
        faults += [
            Evidence(where=calls[i].where, note=f"{shown(calls[i].name, 60)} is not expected", found=brief(calls[i]))
            for i in pairing.extra[:MAX_SHOWN]
        ]
    return faults[:MAX_SHOWN]


class ToolArguments(_Expecting):
    """The share of arguments that are right, over the expected calls and the calls assigned to them.

    Calls are assigned to expected calls of their name one to one so that most arguments are right. An argument counts
    when it is accepted under its comparator; one that is missing, or not expected, counts as wrong, and so does every
    argument of an expected call that was not made. An agent that called nothing scores 0. Other calls beside the
    expected ones do not matter here: `unnecessary_calls` and `tool_f1` count them.
    Several alternatives: the best counts. Passes at `threshold`. Example: `{compare: {day: date}, threshold: 0.9}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("tool_arguments", "1", needs=_NEEDS)
    card: ClassVar[Card] = Card(
        formula=(
            "Σ weight of right arguments / Σ weight of all arguments, expected or given, over the pairs of an "
            "assignment of largest worth; an expected call without a pair has all its arguments wrong."
        ),
        examples=(
            Example(
                {"input": "Two seats to Oslo.", "expected": _FLIGHT},
                _calls(("book", {"to": "Oslo", "seats": 2})),
                1.0,
                True,
            ),
            Example(
                {"input": "Two seats to Oslo.", "expected": _FLIGHT},
                _calls(("book", {"to": "Oslo", "seats": "2"})),
                0.5,
                False,
                note="text is no number",
            ),
            Example(
                {"input": "Two seats to Oslo.", "expected": _FLIGHT},
                "I have booked it.",
                0.0,
                False,
                note="nothing was called",
            ),
        ),
        fails=(
            "Arguments count alike unless weights are given: a wrong amount costs as much as a wrong comment.",
            "A call of the wrong tool with the right arguments is worth nothing.",
        ),
        sources=("Kuhn 1955, The Hungarian method for the assignment problem",),
        also_called=("deepeval:ArgumentCorrectnessMetric", "futureagi:parameter_validation"),
    )
    threshold: Share = 1.0

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        calls = trail(output).calls
        judged = [self._share(pair(goals, calls, self), calls) for goals in alternatives(case.expected)]
        value, right, total, pairing = max(judged, key=lambda one: one[0])
        if not pairing.goals:
            said = "no call, as expected" if not calls else f"{len(calls)} calls, and none was expected"
            faults = _evidence(pairing, calls, extra=True)
            return Score.graded(value, self.threshold, said, evidence=tuple(faults))
        faults = _evidence(pairing, calls, extra=False)
        reason = f"{right:g} of {total:g} arguments right" + (f"; {faults[0].note}" if faults else "")
        return Score.graded(value, self.threshold, reason, evidence=tuple(faults))

    def _share(self, pairing: Pairing, calls: Sequence[Call]) -> tuple[float, float, float, Pairing]:
        if not pairing.goals:
            return (0.0 if calls else 1.0), 0.0, 0.0, pairing
        right = total = 0.0
        for goal, graded in zip(pairing.goals, pairing.graded, strict=True):
            if graded is None:
                total += sum(self.weights.get(key, 1.0) for key in goal.arguments) or 1.0
            else:
                right, total = right + graded.right, total + graded.total
        return right / total, right, total, pairing


class _Counts(NamedTuple):
    precision: float
    recall: float
    f1: float
    pairing: Pairing


class ToolF1(_Expecting):
    """Precision, recall and their F1 of the tool calls, under the assignment of largest worth.

    `credit: call` gives a pair 1 when everything about it is right, else 0; `credit: arguments` gives it its share of
    right arguments. A wrong name is worth 0 whatever the arguments. Calls are a multiset: a repeated call is a second
    one. `of` chooses the number that is the value; the others stand in the reason. No call where calls are expected
    is 0, as is any call where none is. Several alternatives: the best counts. Passes at `threshold`.
    Example: `{credit: arguments, threshold: 0.8}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("tool_f1", "1", needs=_NEEDS)
    card: ClassVar[Card] = Card(
        formula="M = worth of all pairs; precision = M / made, recall = M / expected, F1 = 2M / (made + expected).",
        examples=(
            Example(
                {"input": "Two seats to Oslo.", "expected": _FLIGHT},
                _calls(("book", {"to": "Oslo", "seats": 2})),
                1.0,
                True,
            ),
            Example(
                {"input": "Two seats to Oslo.", "expected": _FLIGHT},
                _calls(("book", {"to": "Oslo", "seats": 2}), ("book", {"to": "Oslo", "seats": 2})),
                2 / 3,
                False,
                note="the second booking is an extra call",
            ),
            Example(
                {"input": "Two seats to Oslo.", "expected": _FLIGHT},
                _calls(("reserve", {"to": "Oslo", "seats": 2})),
                0.0,
                False,
                note="right arguments of a wrong tool",
            ),
        ),
        fails=(
            "It says nothing of the order; `tool_order` does.",
            "Where many paths are right, judge the state instead.",
        ),
        sources=("Kuhn 1955, The Hungarian method for the assignment problem",),
        also_called=("ragas:ToolCallF1", "deepeval:ToolCorrectnessMetric", "article:Tool Correctness"),
    )
    of: Literal["f1", "precision", "recall"] = "f1"
    credit: Literal["call", "arguments"] = "call"
    threshold: Share = 1.0

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        calls = trail(output).calls
        whole = self.credit == "call"
        pairings = [pair(goals, calls, self, whole=whole) for goals in alternatives(case.expected)]
        judged = [self._counts(pairing, len(calls)) for pairing in pairings]
        best = max(judged, key=lambda one: (getattr(one, self.of), one.f1))
        reason = f"precision {best.precision:.3g}, recall {best.recall:.3g}, F1 {best.f1:.3g}"
        faults = _evidence(best.pairing, calls, extra=self.of != "recall")
        reason += f"; {faults[0].note}" if faults else ""
        return Score.graded(getattr(best, self.of), self.threshold, reason, evidence=tuple(faults))

    def _counts(self, pairing: Pairing, made: int) -> _Counts:
        expected = len(pairing.goals)
        if not made or not expected:
            both = float(not made and not expected)
            return _Counts(both, both, both, pairing)
        worths = [graded.worth for graded in pairing.graded if graded is not None]
        total = sum(worth if self.credit == "arguments" else float(worth == 1.0) for worth in worths)
        return _Counts(total / made, total / expected, 2 * total / (made + expected), pairing)
