"""Work done for nothing: the same call again though nothing changed, and cycles that repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field
from rapidfuzz import fuzz

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.agents._trail import Call, brief, is_read, key_of, trail
from seatrial.scorers.base import BuiltinScorer, OneOrMore, Share, Whole, encodable, shown
from seatrial.scorers.card import Card, Example

MAX_SHOWN = 20
TEXT_READ = 2_000
Names = Annotated[tuple[Text, ...], OneOrMore]

_TWICE = {"messages": [{"role": "assistant", "tool_calls": [{"name": "get_order", "arguments": {"id": 7}}] * 2}]}


def call_key(call: Call) -> str:
    """What equal calls share: the tool, and its arguments whatever the order of their keys."""
    return f"{key_of(call.name)} {key_of(call.arguments)}"


class RedundantSteps(BuiltinScorer):
    """The share of tool calls that could tell or do something new.

    A call is redundant when the same call (name and arguments) was made before, went well, and nothing can have
    changed since: no write in between, and no other result this time, where results are recorded. A read after a
    write is not redundant, nor is a second try after an error, nor polling that sees something new. The same write
    twice in a row is.
    Which tools write: `writes` or `reads` say it (`*` stands for anything); where neither is given, a tool only reads
    when the first word of its name does so (get, search, list, calculate …), and any other writes. Passes when no more
    than `at_most` calls are redundant; without any call there is nothing redundant. Example: `{reads: ["get_*"]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("redundant_steps", "1", unit="trace")
    card: ClassVar[Card] = Card(
        formula="1 − redundant / calls. The measure is the number of redundant calls.",
        examples=(
            Example(
                "Where is order 7?",
                {"messages": [{"role": "assistant", "tool_calls": [{"name": "get_order", "arguments": {"id": 7}}]}]},
                1.0,
                True,
            ),
            Example("Where is order 7?", _TWICE, 0.5, False),
        ),
        fails=(
            "A tool whose name hides that it writes is taken for a reader: declare `writes`.",
            "Calls that ask the same in other words are not equal here.",
            "An agent that does nothing passes: hold it beside `task_completion`.",
        ),
        also_called=("futureagi:step_efficiency",),
    )
    reads: Names = ()
    writes: Names = ()
    at_most: Annotated[Whole, Field(ge=0)] = 0

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        calls = trail(output).calls
        found: list[Evidence] = []
        since: dict[str, Call] = {}
        for call in calls:
            key = call_key(call)
            before = since.get(key)
            if before is not None and not self._differs(before, call):
                note = f"{shown(call.name, 60)} repeats {before.where}, and nothing changed between"
                found.append(Evidence(where=call.where, note=note, found=brief(call)))
            if call.error:
                continue
            if not is_read(call.name, self.reads, self.writes):
                since.clear()
            since[key] = call
        value = 1 - len(found) / len(calls) if calls else 1.0
        return Score(
            value=value,
            passed=len(found) <= self.at_most,
            reason=found[0].note if found else f"none of {len(calls)} calls is redundant",
            evidence=tuple(found[:MAX_SHOWN]),
            measure=float(len(found)),
            unit="calls",
        )

    @staticmethod
    def _differs(before: Call, call: Call) -> bool:
        """Whether the second result shows that something changed."""
        if call.error:
            return True
        return before.answered and call.answered and key_of(before.result) != key_of(call.result)


class Cycle(NamedTuple):
    """A block of `period` things that stands `times` times in a row from `start` on."""

    period: int
    start: int
    times: int


def cycles(keys: Sequence[str], longest: int, times: int) -> list[Cycle]:
    """Blocks of 1 to `longest` things that repeat at least so many times in a row, shortest period first.

    A stretch that a shorter period explains is not told again for its multiples.
    """
    found: list[Cycle] = []
    for period in range(1, min(longest, len(keys) // times) + 1):
        run = 0
        for at in range(period, len(keys) + 1):
            if at < len(keys) and keys[at] == keys[at - period]:
                run += 1
                continue
            made = Cycle(period, at - run - period, run // period + 1)
            if run and made.times >= times and not any(_within(made, one) for one in found):
                found.append(made)
            run = 0
    return found


def _within(inner: Cycle, outer: Cycle) -> bool:
    end = outer.start + outer.period * (outer.times + 1)
    return inner.period % outer.period == 0 and outer.start <= inner.start and inner.start + inner.period * 2 <= end


def stretches(texts: Sequence[str], alike: float, times: int) -> list[Cycle]:
    """Runs of at least so many texts in a row, each nearly the one before it (edit similarity ≥ `alike`)."""
    found: list[Cycle] = []
    run = 1
    for at in range(1, len(texts) + 1):
        if at < len(texts) and fuzz.ratio(texts[at - 1], texts[at], score_cutoff=100 * alike) > 0:
            run += 1
            continue
        if run >= times:
            found.append(Cycle(1, at - run, run))
        run = 1
    return found


class Loops(BuiltinScorer):
    """Whether the agent went round in circles: 1, or 0 with each circle as evidence.

    A loop is a block of 1 to `max_period` tool calls that stands `times` times in a row with equal arguments and,
    where results are recorded, equal results (polling that sees something new is none); or `times` replies of the
    assistant in a row that are nearly the same (edit similarity of `alike` and more). The measure is the most often
    that anything stands in a row; 1 where nothing repeats. Example: `{times: 2, max_period: 3}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("loops", "1", unit="trace", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="1 when no block of calls and no reply repeats so many times in a row, else 0.",
        examples=(
            Example("Where is order 7?", _TWICE, 1.0, True, note="twice is no loop yet"),
            Example(
                "Where is order 7?",
                {"steps": [{"kind": "tool", "name": "search"}, {"kind": "tool", "name": "open"}] * 3},
                0.0,
                False,
                note="a block of two, three times",
            ),
        ),
        fails=(
            "A loop whose arguments change a little each time (page 1, page 2 …) is none here.",
            "An agent that does nothing passes: hold it beside `task_completion`.",
        ),
        also_called=("futureagi:customer_agent_loop_detection",),
    )
    max_period: Annotated[Whole, Field(ge=1, le=50)] = 5
    times: Annotated[Whole, Field(ge=2)] = 3
    alike: Share = 0.85

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        seen = trail(output)
        keys = [f"{call_key(call)} {key_of([call.result, call.error])}" for call in seen.calls]
        said = [one for one in seen.said if one.role == "assistant"]
        texts = [encodable(one.text[:TEXT_READ]).strip().casefold() for one in said]
        found = [
            (
                cycle,
                seen.calls[cycle.start].where,
                " then ".join(c.name for c in seen.calls[cycle.start :][: cycle.period]),
            )
            for cycle in cycles(keys, self.max_period, self.times)
        ]
        found += [(cycle, said[cycle.start].where, "a reply") for cycle in stretches(texts, self.alike, self.times)]
        evidence = tuple(
            Evidence(where=where, note=f"{shown(what, 80)} {cycle.times} times in a row", found=cycle.times)
            for cycle, where, what in found[:MAX_SHOWN]
        )
        most = max((cycle.times for cycle, _, _ in found), default=self._most(keys))
        reason = evidence[0].note if evidence else "no loop"
        return Score.binary(not found, reason, evidence=evidence, measure=float(most), unit="times")

    def _most(self, keys: Sequence[str]) -> int:
        """How often anything stands in a row where nothing stands often enough to be a loop."""
        return max((cycle.times for cycle in cycles(keys, self.max_period, 2)), default=min(1, len(keys)))
