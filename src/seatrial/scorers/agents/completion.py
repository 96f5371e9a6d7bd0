"""Whether the task was done, by the state, by milestones, or by a judge; and how directly."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.agents._arguments import ArgumentRules, grade
from seatrial.scorers.agents._trail import alternatives, trail
from seatrial.scorers.agents.order import kind_of, move_fits, moves
from seatrial.scorers.agents.state import Tolerance
from seatrial.scorers.agents.tool_calls import align, assign
from seatrial.scorers.base import Flag, Share, Whole, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.conversation._session import transcript, turns
from seatrial.scorers.judged.asking import Criterion, Material, ask
from seatrial.scorers.judged.base import JudgedScorer, evidence_of

MAX_SHOWN = 20

DONE = (
    "Was everything that the user asked for carried out by the end, so that nothing of it is left to be done? Promising"
    " it, saying without any sign of it that it was done, declining it, or handing it to somebody else is a no."
)
_GUIDANCE = (
    "The session is numbered turn by turn: what the user and the assistant said, the calls of tools (call) with what"
    " they returned (result), and recorded steps (step). What a tool returned shows what was done; where the assistant"
    " says otherwise, the tool is right. A tool that reported an error did nothing."
)


class Reached(NamedTuple):
    """One way to tell whether a task was done. `passed` is None where what it needs is not there."""

    by: str
    value: float
    passed: bool | None
    reason: str
    evidence: tuple[Evidence, ...] = ()


class Completing(Tolerance):
    """What tells of success without a judge: the end state, and milestones."""

    in_order: Flag = False

    def by_state(self, case: Case, output: Output) -> Reached | None:
        """Success by `expected.state`; None where the case has none that can be read."""
        if self.state_faults(case):
            return None
        verdict = self.verdict(case, output)
        if verdict is None:
            return Reached("state", 0.0, None, "the output has no state to judge")
        evidence = tuple(
            Evidence(where=f"state:{place}", note=f"{place or 'the whole state'} {said}", expected=wanted, found=found)
            for place, said, wanted, found in verdict.broken[:MAX_SHOWN]
        )
        reason = safe(evidence[0].note, 200) if evidence else "the state is as expected"
        return Reached("state", verdict.value, not verdict.broken, reason, evidence)

    def by_milestones(self, case: Case, output: Output) -> Reached | None:
        """Success by `expected.trajectory`: each of its steps was taken, by a step of its own."""
        wanted = () if case.expected is None else case.expected.trajectory or ()
        if not wanted:
            return None
        kinds = {kind_of(step.kind) for step in wanted}
        taken = [move for move in moves(output) if move.kind in kinds]
        fits = [[move_fits(move, step) for move in taken] for step in wanted]
        of = align(fits) if self.in_order else assign(fits)
        missed = [row for row, column in enumerate(of) if column < 0]
        notes = [
            f"milestone {row + 1}, {shown(wanted[row].name or wanted[row].kind, 60)}, was not reached" for row in missed
        ]
        evidence = tuple(
            Evidence(where="steps", note=note, expected=row + 1) for note, row in zip(notes, missed, strict=True)
        )
        hits = len(wanted) - len(missed)
        reason = notes[0] if notes else f"all {len(wanted)} milestones were reached"
        return Reached("milestones", hits / len(wanted), not missed, reason, evidence[:MAX_SHOWN])

    def told_by_case(self, case: Case) -> list[str]:
        """What of `state` and `milestones` the case gives."""
        trajectory = case.expected is not None and bool(case.expected.trajectory)
        return [*(["state"] if not self.state_faults(case) else []), *(["milestones"] if trajectory else [])]


class TaskCompletion(Completing, JudgedScorer):
    """Whether the task was done: by the end state, by milestones, or by a judge. Nothing said is taken for done.

    `by: state` holds the output's state against `expected.state` as the scorer `state` does; `by: milestones` wants
    every step of `expected.trajectory` to have been taken (in any order, unless `in_order`), the value is their share;
    `by: judge` asks a judge about the whole session, tool results included: each of the case's `criteria`, or whether
    everything the user asked for was carried out, and a yes must quote what shows it. `by: auto` (the default) takes
    the case's state and milestones, all that it has, and asks the judge as well where one is named; all must agree,
    and the value is the least. A case with none of these is not applicable: no answer passes because nobody could tell.
    An output without a state, where one is needed, is a `judge_error`. Example: `{by: judge, judge: grader}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("task_completion", "1", unit="trace", needs=frozenset({"expected"}))
    card: ClassVar[Card] = Card(
        formula="The least of: demands on the state met / all, milestones reached / all, criteria met / all.",
        examples=(
            Example(
                {"input": "Refund order 7.", "expected": {"trajectory": [{"kind": "tool", "name": "refund"}]}},
                {
                    "steps": [
                        {"kind": "tool", "name": "find"},
                        {"kind": "tool", "name": "refund", "output": {"ok": True}},
                    ]
                },
                1.0,
                True,
            ),
            Example(
                {"input": "Refund order 7.", "expected": {"trajectory": [{"kind": "tool", "name": "refund"}]}},
                "I could not do it.",
                0.0,
                False,
            ),
            Example(
                {"input": "Refund order 7.", "expected": {"trajectory": [{"kind": "tool", "name": "refund"}]}},
                {"steps": [{"kind": "tool", "name": "refund", "error": "not found"}]},
                0.0,
                False,
                note="a call that failed reaches no milestone",
            ),
        ),
        fails=(
            "Milestones tell what was called, not whether it was right to call more.",
            "A judge sees what the session shows: work outside it is no yes.",
        ),
        sources=("Yao et al. 2024, tau-bench",),
        also_called=(
            "deepeval:TaskCompletionMetric",
            "futureagi:task_completion",
            "ragas:AgentGoalAccuracy",
            "article:Task Completion",
        ),
    )
    by: Literal["auto", "state", "milestones", "judge"] = "auto"
    threshold: Share = 1.0

    @model_validator(mode="after")
    def _names_its_judge(self) -> Self:
        if self.by == "judge" and not self.judge:
            raise ValueError("by: judge needs judge, a name under the suite's judges")
        return self

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself: it asks a model where a judge is named."""
        if not self._asks:
            return self.about
        return ScorerInfo("task_completion", "1", unit="trace", needs=frozenset({"expected", "judge"}), cost="model")

    @property
    def _asks(self) -> bool:
        return bool(self.judge) and self.by in ("auto", "judge")

    def applies(self, case: Case) -> str:
        """Empty when there is something to tell by."""
        if self.by in ("auto", "state") and case.expected is not None and case.expected.state is not None:
            return self.state_faults(case)
        told = self.told_by_case(case)
        if self._asks or self.by in told or (self.by == "auto" and told):
            return ""
        wanted = {"state": "no end state", "milestones": "no milestones"}.get(self.by)
        return f"the case has {wanted or 'neither an end state nor milestones, and no judge is named'}"

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        found: list[Reached] = []
        if self.by in ("auto", "state"):
            found += [one for one in [self.by_state(case, output)] if one is not None]
        if self.by in ("auto", "milestones"):
            found += [one for one in [self.by_milestones(case, output)] if one is not None]
        if self._asks and all(one.value >= self.threshold for one in found):
            found.append(await self._judged(case, output))
        evidence = tuple(piece for one in found for piece in one.evidence)[:MAX_SHOWN]
        unknown = next((one for one in found if one.passed is None), None)
        failed = next((one for one in found if one.passed is False and one.value < self.threshold), None)
        if unknown is not None and failed is None:
            return Score(status="judge_error", reason=unknown.reason)
        worst = min(found, key=lambda one: one.value)
        said = failed or worst
        passed = failed is None and worst.value >= self.threshold
        return Score(value=worst.value, passed=passed, reason=f"{said.by}: {said.reason}", evidence=evidence)

    async def _judged(self, case: Case, output: Output) -> Reached:
        asked = case.criteria or (DONE,)
        criteria = [Criterion(f"done_{i}", text, quoted=True) for i, text in enumerate(asked)]
        text = transcript(turns(case, output, tools=True))
        materials = [Material("session", text)]
        findings = await ask(self.services, self.judge, criteria, materials, guidance=_GUIDANCE)
        evidence = tuple(evidence_of(c.question, findings[c.key], judge=self.judge) for c in criteria)
        unmet = [c for c in criteria if findings[c.key].verdict != "yes"]
        why = findings[unmet[0].key].reason or findings[unmet[0].key].verdict if unmet else "every criterion is met"
        return Reached("judge", 1 - len(unmet) / len(criteria), not unmet, safe(why, 200), evidence)


class Efficiency(Completing, ArgumentRules):
    """How directly the task was done: the fewest steps that it takes / the steps taken, 0 where it was not done.

    Whether it was done is told by the end state and the milestones, all that the case has; where it has neither, by
    `expected.tool_calls`, all of which must have been made, with the expected arguments. The fewest steps are
    `optimal`, else the case's `metadata.optimal_steps`, else the calls of the shortest alternative of `tool_calls`,
    else the milestones that are tool calls. `count` says what a step is: a tool call (`calls`), a turn of the
    assistant's (`turns`), or `both`; the last two need `optimal` or `metadata.optimal_steps`. Being short earns
    nothing unless the task was done. Passes at `threshold`; the measure is the number of steps.
    Example: `{threshold: 0.5}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo(
        "efficiency", "1", unit="trace", needs=frozenset({"expected"}), cost="heavy"
    )
    card: ClassVar[Card] = Card(
        formula="success · min(1, fewest / taken). Both 0: success.",
        examples=(
            Example(
                {"input": "Refund it.", "expected": {"tool_calls": [{"name": "refund"}]}},
                {"messages": [{"role": "assistant", "tool_calls": [{"name": "refund"}]}]},
                1.0,
                True,
            ),
            Example(
                {"input": "Refund it.", "expected": {"tool_calls": [{"name": "refund"}]}},
                {"messages": [{"role": "assistant", "tool_calls": [{"name": "f"}, {"name": "g"}, {"name": "refund"}]}]},
                1 / 3,
                False,
            ),
            Example(
                {"input": "Refund it.", "expected": {"tool_calls": [{"name": "refund"}]}},
                {"messages": [{"role": "assistant", "content": "No."}]},
                0.0,
                False,
                note="short, and not done",
            ),
        ),
        fails=("The fewest steps are those somebody wrote down: a shorter way counts as 1, not as more.",),
        sources=("Anderson et al. 2018, success weighted by path length (SPL)",),
        also_called=("deepeval:StepEfficiencyMetric", "futureagi:step_efficiency"),
    )
    count: Literal["calls", "turns", "both"] = "calls"
    optimal: Annotated[Whole, Field(ge=0)] | None = None
    threshold: Share = 0.5

    def applies(self, case: Case) -> str:
        """Empty when the case tells success, and the fewest steps are known."""
        if case.expected is not None and case.expected.state is not None and self.state_faults(case):
            return self.state_faults(case)
        if not self.told_by_case(case) and not alternatives(case.expected):
            return "the case has no end state, milestones or expected calls to tell success by"
        return (
            ""
            if self._fewest(case) is not None
            else "the fewest steps are not known: set optimal or metadata.optimal_steps"
        )

    def _fewest(self, case: Case) -> int | None:
        stated = self.optimal if self.optimal is not None else case.metadata.get("optimal_steps")
        if isinstance(stated, int) and not isinstance(stated, bool) and stated >= 0:
            return stated
        if self.count != "calls" or case.expected is None:
            return None
        if alternatives(case.expected):
            return min(len(goals) for goals in alternatives(case.expected))
        steps = [step for step in case.expected.trajectory or () if kind_of(step.kind) == "tool"]
        return len(steps) or None

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        found = [one for one in (self.by_state(case, output), self.by_milestones(case, output)) if one is not None]
        found = found or [self._by_calls(case, output)]
        seen = trail(output)
        taken = (len(seen.calls) if self.count != "turns" else 0) + (seen.turns if self.count != "calls" else 0)
        failed = next((one for one in found if one.passed is False), None)
        if failed is not None:
            reason = f"not done ({failed.by}: {failed.reason}), so that {taken} steps earn nothing"
            evidence = failed.evidence
            return Score(value=0.0, passed=False, reason=reason, evidence=evidence, measure=float(taken), unit="steps")
        unknown = next((one for one in found if one.passed is None), None)
        if unknown is not None:
            return Score(status="judge_error", reason=unknown.reason)
        fewest = self._fewest(case)
        assert fewest is not None
        value = min(1.0, fewest / taken) if taken else 1.0
        reason = f"done in {taken} steps, the fewest known are {fewest}"
        return Score.graded(value, self.threshold, reason, measure=float(taken), unit="steps")

    def _by_calls(self, case: Case, output: Output) -> Reached:
        calls = trail(output).calls
        best, total = -1, 0
        for goals in alternatives(case.expected):
            fits = [[not call.error and grade(call, goal, self).worth == 1.0 for call in calls] for goal in goals]
            hits = sum(column >= 0 for column in assign(fits))
            if hits == len(goals):
                return Reached("calls", 1.0, True, "all expected calls were made")
            best, total = max((best, total), (hits, len(goals)))
        return Reached("calls", 0.0, False, f"{best} of {total} expected calls were made")
