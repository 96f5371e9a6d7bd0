"""Whether a suite's rubrics tell answers apart: each is given answers that it should fail, and one it should pass.

No model is asked but the judges, and those only on demand. The answers are made from the cases: none at all, an
unrelated sentence, that sentence without end, what must not leak (a canary; for a rubric that looks for something, a
specimen of it), another case's expected answer, the expected answer in disorder, and the expected answer itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

from seatrial.core.case import Case, Expected
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.core.protocols import Scorer
from seatrial.core.record import Json
from seatrial.core.score import Score
from seatrial.core.suite import RubricSpec
from seatrial.errors import JudgeError, safe
from seatrial.runs.plan import selected
from seatrial.trials.planting import forbids, looks_for, planted
from seatrial.trials.suite.suitefile import LoadedSuite

Verdict = Literal[
    "tells answers apart", "passes some", "passes most of what is wrong", "never fails", "cannot pass", "not probed"
]
Kind = Literal["empty", "unrelated", "endless", "leaked", "wrong", "shuffled", "opposite", "expected"]

UNRELATED = "The harbour was quiet that evening, and two gulls sat on the wall."
REFUSAL = "I'm sorry, but I can't help with that."
ENDLESS = 500
REPORTED: tuple[Verdict, ...] = ("passes most of what is wrong", "never fails", "cannot pass")
NEARLY_ALL = 0.9
"""A rubric that passes at least this share of what is made to be wrong passes most of it."""
SPARE = 5
"""So many times as many cases are held ready as a rubric is probed with, for those that it does not take."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of one rubric. `counts`: for each kind of answer, how many passed of how many were judged.

    `never fails`: nothing but an empty answer failed. `passes most of what is wrong`: at least nine in ten of them
    passed. `cannot pass`: no expected answer passed. `passes some`: a scorer that reads the expected answer passed some
    that are not; whether rightly, its author must say. A scorer that looks for something is told by `leaked` alone.
    `not probed` has its reason in `why`; `idle`: no case drawn is one that it judges.
    """

    rubric: str
    scorer: str
    verdict: Verdict
    why: str = ""
    counts: Mapping[Kind, tuple[int, int]] = field(default_factory=dict[Kind, tuple[int, int]])
    idle: bool = False

    @property
    def reported(self) -> bool:
        """Whether the rubric is of no use as it is."""
        return self.idle or self.verdict in REPORTED

    def plain(self) -> dict[str, Json]:
        """As JSON."""
        counts = {kind: {"passed": k, "of": n} for kind, (k, n) in self.counts.items()}
        return {
            "rubric": self.rubric,
            "scorer": self.scorer,
            "verdict": self.verdict,
            "reported": self.reported,
            "why": self.why,
            "probes": counts,
        }


def probe(loaded: LoadedSuite, *, cases: int = 40, seed: int = 0, judged: bool = False) -> list[Probed]:
    """Each rubric of a suite, probed with up to so many of its cases, drawn by the seed.

    Rubrics that ask a judge are left out unless `judged`. Raises the errors of the suite, its dataset, its scorers and
    its judges.
    """
    from seatrial.datasets import read
    from seatrial.runs.panel import panel_of
    from seatrial.runs.services import Helpers

    rubrics = loaded.suite.rubrics
    others, pools = _drawn(read(loaded.suite.dataset, loaded.folder), rubrics, cases * SPARE, seed)
    panel = panel_of(loaded.suite, loaded.folder, os.environ)
    built = [panel.build(one.scorer, one.settings, loaded.folder) for one in rubrics]

    async def run() -> list[Probed]:
        helpers = Helpers(panel)
        asking = [scorer for scorer in built if judged or "judge" not in scorer.info.needs]
        async with helpers.opened(asking):
            return [
                await _rubric(rubric, helpers.bind(scorer), _Pool(pool, others), cases, seed)
                if scorer in asking
                else Probed(rubric.name, rubric.scorer, "not probed", "it asks a judge; --judged probes it")
                for rubric, scorer, pool in zip(rubrics, built, pools, strict=True)
            ]

    return asyncio.run(run())


class _Sample:
    """A sample without replacement of the cases that come by (Vitter's algorithm R)."""

    def __init__(self, most: int, seed: int) -> None:
        self._most = most
        self._chance = random.Random(seed)  # noqa: S311  # a sample, no secret
        self._seen = 0
        self._kept: list[Case] = []

    def add(self, case: Case) -> None:
        if self._seen < self._most:
            self._kept.append(case)
        elif (at := self._chance.randrange(self._seen + 1)) < self._most:
            self._kept[at] = case
        self._seen += 1

    def drawn(self) -> list[Case]:
        self._chance.shuffle(self._kept)
        return self._kept


class _Pool(NamedTuple):
    """Cases that a rubric takes, and cases of all sorts, whose answers are wrong for it."""

    taken: Sequence[Case]
    others: Sequence[Case]


def _drawn(
    cases: Iterable[Case], rubrics: Sequence[RubricSpec], most: int, seed: int
) -> tuple[list[Case], list[list[Case]]]:
    """A sample of all cases, and for each rubric one of those that it takes, in one pass."""
    everything = _Sample(most, seed)
    samples = [_Sample(most, seed) for _ in rubrics]
    for case in cases:
        everything.add(case)
        for rubric, sample in zip(rubrics, samples, strict=True):
            if selected(rubric, case):
                sample.add(case)
    return everything.drawn(), [sample.drawn() for sample in samples]


async def _rubric(rubric: RubricSpec, scorer: Scorer, pool: _Pool, most: int, seed: int) -> Probed:
    taken = pool.taken
    able = [case for case in taken if not scorer.applies(case.view())][:most]
    if not able:
        why = "it takes none of the cases"
        if taken:
            why = f"it judges none of the cases: {scorer.applies(taken[0].view())}"
        return Probed(rubric.name, rubric.scorer, "not probed", why, idle=True)
    counts: dict[Kind, tuple[int, int]] = {}
    last = ""
    for case in able:
        for kind, output in probes(case, pool.others, seed, planted(scorer, case)):
            score = await _judge(scorer, case, output)
            if score.passed is None:
                last = score.reason
                continue
            k, n = counts.get(kind, (0, 0))
            counts[kind] = (k + score.passed, n + 1)
    verdict, why = _verdict(counts, rubric, scorer, last)
    return Probed(rubric.name, rubric.scorer, verdict, why, counts)


async def _judge(scorer: Scorer, case: Case, output: Output) -> Score:
    from seatrial.scorers import judge

    try:
        return await judge(scorer, case.view(), output)
    except JudgeError as cause:
        return Score(status="judge_error", reason=safe(str(cause)))


def _verdict(
    counts: Mapping[Kind, tuple[int, int]], rubric: RubricSpec, scorer: Scorer, last: str
) -> tuple[Verdict, str]:
    reads_expected = "expected" in scorer.info.needs
    bad = {kind: found for kind, found in counts.items() if kind not in ("expected", "empty")}
    leaked, leaks = bad.get("leaked", (0, 0))
    if looks_for(scorer) or (rubric.kind == "gate" and not reads_expected and leaks and not leaked):
        bad = {"leaked": (leaked, leaks)} if leaks else {}
    if not bad:
        return "not probed", safe(last, 200) or "no answer could be made from the cases"
    good = counts.get("expected", (0, 0))
    if good[1] and not good[0]:
        return "cannot pass", "no expected answer passes"
    passing = [kind for kind, (k, _) in bad.items() if k]
    passed, total = sum(k for k, _ in bad.values()), sum(n for _, n in bad.values())
    if forbids(scorer):
        return ("tells answers apart", "") if passed < total else ("not probed", "no answer here holds what it forbids")
    if passed == total:
        planted_only = list(bad) == ["leaked"]
        return "never fails", "what it looks for passes" if planted_only else "every answer passes that is not empty"
    if passed >= NEARLY_ALL * total:
        return "passes most of what is wrong", f"{passed:,} of {total:,} answers that are made to be wrong pass"
    if reads_expected and passing:
        return "passes some", f"answers that are not expected pass: {', '.join(passing)}"
    return "tells answers apart", ""


def probes(
    case: Case, others: Sequence[Case], seed: int = 0, leaks: Sequence[str] = ()
) -> Iterator[tuple[Kind, Output]]:
    """The answers that a case's rubrics are probed with; those that cannot be made from the case are left out.

    `others` give wrong answers; each of `leaks` is a text that an answer must not hold.
    """
    chance = random.Random(f"{seed} {case.view_hash}")  # noqa: S311  # disorder, no secret
    right = expected_output(case.expected)
    yield "empty", Output.of("")
    if right is None or right.text != UNRELATED:
        yield "unrelated", Output.of(UNRELATED)
    yield "endless", Output.of(f"{UNRELATED}\n" * ENDLESS)
    for text in leaks:
        yield "leaked", Output.of(f"{UNRELATED} {text}")
    wrong = next((other for other in _shuffled(others, chance) if _differs(other, case)), None)
    if wrong is not None and (answer := expected_output(wrong.expected)) is not None:
        yield "wrong", answer
    behaviour = None if case.expected is None else case.expected.behaviour
    if behaviour in ("answer", "refuse"):
        yield "opposite", Output.of(REFUSAL if behaviour == "answer" else UNRELATED)
    if right is not None:
        mixed = in_disorder(right, chance)
        if mixed != right:
            yield "shuffled", mixed
        yield "expected", right


def _shuffled(cases: Sequence[Case], chance: random.Random) -> list[Case]:
    return chance.sample(list(cases), len(cases))


def _differs(other: Case, case: Case) -> bool:
    mine, theirs = expected_output(case.expected), expected_output(other.expected)
    return theirs is not None and (mine is None or (theirs.messages, theirs.state) != (mine.messages, mine.state))


def expected_output(expected: Expected | None) -> Output | None:
    """The output that does all a reference asks for, None where it asks for nothing that can be written down."""
    if expected is None:
        return None
    text = next(iter(expected.texts), "") or ", ".join(expected.choice)
    if not text and expected.behaviour in ("answer", "refuse"):
        text = REFUSAL if expected.behaviour == "refuse" else UNRELATED
    calls = [
        ToolCall(name=goal.name, arguments={key: values[0] for key, values in goal.arguments.items() if values})
        for goal in next(iter(expected.tool_calls or ()), ())
    ]
    if not text and not calls and expected.state is None and not expected.trajectory:
        return None
    messages: list[Message] = [Message(role="assistant", tool_calls=tuple(calls))] if calls else []
    messages.append(Message(role="assistant", content=text or "Done."))
    return Output(messages=tuple(messages), state=expected.state, steps=expected.trajectory or ())


def in_disorder(output: Output, chance: random.Random) -> Output:
    """The same answer with its words, or the values of its JSON, its calls and its state, in another order."""
    messages = tuple(
        message.model_copy(
            update={"content": _disordered(message.text, chance), "tool_calls": _swapped(message.tool_calls, chance)}
        )
        for message in output.messages
    )
    state = None if output.state is None else _rearranged(dict(output.state), chance)
    return Output(messages=messages, state=state, steps=output.steps[::-1])


def _disordered(text: str, chance: random.Random) -> str:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict | list):
        return json.dumps(_rearranged(cast("Json", value), chance), ensure_ascii=False)
    return " ".join(_permuted(text.split(), chance))


def _swapped(calls: Sequence[ToolCall], chance: random.Random) -> tuple[ToolCall, ...]:
    return tuple(call.model_copy(update={"arguments": _rearranged(call.arguments, chance)}) for call in calls)


def _rearranged(value: Json, chance: random.Random) -> Json:
    """A JSON value whose entries have each other's values."""
    if isinstance(value, dict):
        entries = cast("dict[str, Json]", value)
        return dict(zip(entries, _permuted(list(entries.values()), chance), strict=True))
    if isinstance(value, list):
        return _permuted(cast("list[Json]", value), chance)
    return value


def _permuted(items: list[Any], chance: random.Random) -> list[Any]:
    """The items in another order, where there is one."""
    if all(item == items[0] for item in items):
        return items
    mixed = list(items)
    while mixed == items:
        chance.shuffle(mixed)
    return mixed
