"""Whether the world is as it should be when the work is done, and nothing else was touched."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, Text, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.agents._states import ABSENT, Rules, Verdict, hold, parts, read_rules
from seatrial.scorers.base import BuiltinScorer, OneOrMore, Real, is_deep, same
from seatrial.scorers.card import Card, Example

MAX_SHOWN = 20
MAX_NESTING = 200
Pointers = Annotated[tuple[Text, ...], OneOrMore]

_ORDER = {"orders": {"7": {"status": "open", "total": 40}, "8": {"status": "open", "total": 12}}}
_CASE = {
    "input": "Cancel order 7.",
    "expected": {"state": {"must": {"/orders/7/status": "cancelled"}}},
    "metadata": {"state": _ORDER},
}


def _after(**changed: str) -> dict[str, Json]:
    orders = {key: {**entry, "status": changed.get(f"order{key}", "open")} for key, entry in _ORDER["orders"].items()}
    return {"messages": [{"role": "assistant", "content": "Done."}], "state": {"orders": orders}}


class Tolerance(BuiltinScorer):
    """The settings of scorers that compare states."""

    before: Text = "state"
    may_change: Pointers = ()
    extra: Literal["fail", "allow"] = "fail"
    abs: Annotated[Real, Field(ge=0)] = 0.0

    @field_validator("may_change")
    @classmethod
    def _are_pointers(cls, pointers: tuple[str, ...]) -> tuple[str, ...]:
        for one in pointers:
            parts(one)
        return pointers

    @field_validator("abs")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value

    def close(self, found: Json, expected: Json) -> bool:
        """Equality as JSON has it, numbers within `abs`."""
        if not self.abs:
            return same(found, expected)
        numbers = [v for v in (found, expected) if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(numbers) == 2:
            return _within(numbers[0], numbers[1], self.abs)
        items, given = as_list(expected), as_list(found)
        if items is not None and given is not None:
            return len(items) == len(given) and all(map(self.close, given, items))
        entries, have = as_dict(expected), as_dict(found)
        if entries is not None and have is not None:
            return entries.keys() == have.keys() and all(self.close(have[k], v) for k, v in entries.items())
        return same(found, expected)

    def rules(self, case: Case) -> tuple[tuple[Rules, ...], Json]:
        """The accepted ends and the state before. Raises ValueError where the case states them in no usable way."""
        expected = case.expected
        assert expected is not None
        assert expected.state is not None
        ends, before = read_rules(expected.state)
        may = tuple(parts(one) for one in self.may_change)
        if before is ABSENT:
            before = case.metadata.get(self.before, ABSENT)
        return tuple(end._replace(may=end.may + may) for end in ends), before

    def state_faults(self, case: Case) -> str:
        """Why a case's state cannot be judged, decided from the case alone; empty when it can."""
        if case.expected is None or case.expected.state is None:
            return "the case has no expected state"
        if is_deep(case.expected.state, MAX_NESTING) or is_deep(case.metadata.get(self.before), MAX_NESTING):
            return "the case's state is nested too deep"
        try:
            ends, before = self.rules(case)
        except ValueError as cause:
            return f"the case's expected state cannot be read: {safe(str(cause), 200)}"
        if before is not ABSENT and as_dict(before) is None:
            return "the case's state before is no object"
        if before is ABSENT and any(end.kept for end in ends):
            return "the case says what must not change, and not the state before"
        demands = all(not end.empty for end in ends) or (before is not ABSENT and self.extra == "fail")
        return "" if demands else "the case's expected state demands nothing"

    def verdict(self, case: Case, output: Output) -> Verdict | None:
        """How the output's state did, by the accepted end that fits best; None where the output has no state."""
        if output.state is None:
            return None
        if is_deep(output.state, MAX_NESTING):
            return Verdict(0, 1, 0, (("", "the state is nested too deep", None, None),))
        ends, before = self.rules(case)
        strict = self.extra == "fail"
        found = [hold(end, before, output.state, self.close, strict=strict) for end in ends]
        return max(found, key=lambda one: (not one.broken, one.value))


def _within(found: float, expected: float, limit: float) -> bool:
    try:
        return abs(found - expected) <= limit
    except OverflowError:
        return False


class State(Tolerance):
    """Whether the state after the work is the expected one: what must change did, and nothing else changed.

    `expected.state` is either plain, what must hold afterwards (objects may hold more keys than those named; a key
    that begins with / is a JSON Pointer), or holds rules: `must` {pointer: value}, `must_not` [pointers that must
    stay as they were] or {pointer: value that must not stand there}, `may` [pointers under which anything may
    change], `one_of` [accepted ends], `before` {the state before}. In a pointer `*` stands for any one key.
    The state before is `before` there, else `metadata.state` (the name is the setting `before`). Where it is known, a
    change that no rule names fails, unless `extra: allow`; where it is not, such changes cannot be looked for, which
    the reason says. Values are compared by type: 1 equals 1.0, neither true nor "1". `abs` lets numbers differ so much.
    The value is the share of demands met, each change beyond them counting as one not met. An output without a state
    is a `judge_error`: the environment gave none. Example: `{may_change: /log}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("state", "1", unit="trace", needs=frozenset({"expected"}))
    card: ClassVar[Card] = Card(
        formula="demands met / (demands + changes that no rule names); passes when nothing is wrong.",
        examples=(
            Example(_CASE, _after(order7="cancelled"), 1.0, True),
            Example(
                _CASE, _after(order7="cancelled", order8="cancelled"), 0.5, False, note="order 8 was not to be touched"
            ),
            Example(_CASE, _after(), 0.0, False, note="an agent that says done and does nothing"),
        ),
        fails=(
            "Where the expected state already held before, doing nothing passes.",
            "It does not see how the state came about, nor what the user was told.",
            "Items of a list are compared by place; state them as an object by id where the order is free.",
        ),
        sources=("Yao et al. 2024, tau-bench", "RFC 6901, JSON Pointer"),
        also_called=("tau-bench:reward", "article:Task Completion"),
    )

    def applies(self, case: Case) -> str:
        """Empty when the case has an expected state that can be read."""
        return self.state_faults(case)

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        verdict = self.verdict(case, output)
        if verdict is None:
            return Score(status="judge_error", reason="the output has no state to judge")
        evidence = tuple(
            Evidence(where=f"state:{place}", note=f"{place or 'the whole state'} {said}", expected=wanted, found=found)
            for place, said, wanted, found in verdict.broken[:MAX_SHOWN]
        )
        if not verdict.broken:
            seen = self.extra == "allow" or self.rules(case)[1] is not ABSENT
            unseen = "" if seen else "; no state before is known, so that further changes were not looked for"
            return Score(value=1.0, passed=True, reason=f"{verdict.demanded} of {verdict.demanded} demands met{unseen}")
        more = f" (and {len(verdict.broken) - 1} more)" if len(verdict.broken) > 1 else ""
        reason = f"{safe(evidence[0].note, 200)}{more}"
        return Score(value=min(verdict.value, 1.0), passed=False, reason=reason, evidence=evidence)
