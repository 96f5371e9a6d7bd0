"""The cases on which the arms differ, with what each of them said: what a person reads before believing a verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seatrial.core.case import Case, ExpectedCall
from seatrial.core.message import Message, TextPart, ToolCall
from seatrial.core.output import Output
from seatrial.core.record import Json
from seatrial.core.score import Score
from seatrial.store.store import Store
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.records import Flip

MOST_FLIPS = 200
LONGEST = 4000
_RANK = {"gate": 0, "quality": 1, "advisory": 2}


class _Place(NamedTuple):
    """Where arms differ: rubric number, row of the frame, epoch, and whether the candidate lost."""

    rubric: int
    row: int
    epoch: int
    lost: bool


class Flips(NamedTuple):
    """The flips kept, how many were left out, and how many cases differ: each once, whatever its epochs and rubrics."""

    kept: tuple[Flip, ...]
    left_out: int
    cases: int


def flips(store: Store, frame: Frame, candidate: str, incumbent: str) -> Flips:
    """The flips of a verdict: gates first, losses before gains, fairly shared."""
    rubrics = [at for at, rubric in enumerate(frame.suite.rubrics) if rubric.kind in _RANK]
    rubrics.sort(key=lambda at: (_RANK[frame.suite.rubrics[at].kind], at))
    found = [_places(frame, at, candidate, incumbent) for at in rubrics]
    shares = allot([len(places) for places in found], MOST_FLIPS)
    kept = [place for places, share in zip(found, shares, strict=True) for place in places[:share]]
    cases = {place.row for places in found for place in places}
    loaded = _load(store, frame, kept, candidate, incumbent)
    return Flips(loaded, sum(map(len, found)) - len(kept), len(cases))


def allot(sizes: Sequence[int], total: int) -> list[int]:
    """How many of `total` each group gets: equal shares, what one does not need going to the others, earlier first."""
    shares = [0] * len(sizes)
    while total > 0:
        hungry = [at for at, size in enumerate(sizes) if shares[at] < size]
        if not hungry:
            break
        portion = max(1, total // len(hungry))
        for at in hungry:
            given = min(portion, sizes[at] - shares[at], total)
            shares[at] += given
            total -= given
    return shares


def _places(frame: Frame, rubric: int, candidate: str, incumbent: str) -> list[_Place]:
    outcomes = frame.outcomes(rubric, candidate, incumbent)
    assert outcomes.incumbent is not None
    assert outcomes.rows is not None
    gap = outcomes.candidate - outcomes.incumbent
    places: list[_Place] = []
    for lost in (True, False):
        rows, epochs = np.nonzero(gap < 0 if lost else gap > 0)
        places += [
            _Place(rubric, row, epoch, lost)
            for row, epoch in zip(outcomes.rows[rows].tolist(), epochs.tolist(), strict=True)
        ]
    return places


def _load(store: Store, frame: Frame, places: Sequence[_Place], candidate: str, incumbent: str) -> tuple[Flip, ...]:
    positions = sorted({int(frame.cases.position[place.row]) for place in places})
    cases = {item.position: item.case for item in store.cases(frame.trial.dataset_id, positions)}
    arms = [frame.arms[name] for name in (incumbent, candidate)]
    outputs = store.load_outputs({int(arm.output_id[p.row, p.epoch]) for arm in arms for p in places})
    scores = store.load_scores({int(arm.score_id[p.rubric, p.row, p.epoch]) for arm in arms for p in places})
    made: list[Flip] = []
    for place in places:
        position = int(frame.cases.position[place.row])
        said = [outputs.get(int(arm.output_id[place.row, place.epoch])) for arm in arms]
        judged = [scores.get(int(arm.score_id[place.rubric, place.row, place.epoch])) for arm in arms]
        made.append(_flip(frame, place, cases[position], said, judged))
    return tuple(made)


def _flip(
    frame: Frame, place: _Place, case: Case, said: Sequence[Output | None], judged: Sequence[Score | None]
) -> Flip:
    incumbent, candidate = (cut(output_text(output)) for output in said)
    reasons = [cut(score.reason) if score else "" for score in judged]
    hashes = [output.hash if output else "" for output in said]
    return Flip(
        rubric=frame.suite.rubrics[place.rubric].name,
        direction="lost" if place.lost else "gained",
        case_id=case.id,
        position=int(frame.cases.position[place.row]),
        epoch=place.epoch,
        strata=case.strata,
        probe=case.probe.category if case.probe else "",
        input=cut(input_text(case)),
        expected=cut(expected_text(case)),
        incumbent=incumbent,
        candidate=candidate,
        incumbent_reason=reasons[0],
        candidate_reason=reasons[1],
        incumbent_output=hashes[0],
        candidate_output=hashes[1],
    )


# things as text -------------------------------------------------------------------------------------------------------


def cut(text: str) -> str:
    """At most 4,000 characters, an ellipsis where something is left out."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def input_text(case: Case) -> str:
    """The messages of a case; their roles are named when there are several."""
    if len(case.input) == 1:
        return message_text(case.input[0])
    return "\n\n".join(f"{message.role}: {message_text(message)}" for message in case.input)


def output_text(output: Output | None) -> str:
    """What a target said and called, or why there is nothing."""
    if output is None:
        return "(the output is not in the store)"
    turns = [message_text(message) for message in output.messages]
    if len(turns) > 1:
        turns = [f"{message.role}: {turn}" for message, turn in zip(output.messages, turns, strict=True)]
    said = "\n\n".join(turn for turn in turns if turn)
    if output.failure is None:
        return said or "(empty)"
    reason = ": ".join(part for part in (output.failure.code, output.failure.message) if part)
    return "\n\n".join(part for part in (f"({output.failure.kind} failure: {reason})", said) if part)


def message_text(message: Message) -> str:
    """A message's text, its blobs by name, and its tool calls."""
    if isinstance(message.content, str):
        parts = [message.content] if message.content else []
    else:
        parts = [p.text if isinstance(p, TextPart) else f"[{p.type} {p.name or p.url}]" for p in message.content]
    return "\n".join([*parts, *(call_text(call) for call in message.tool_calls)])


def call_text(call: ToolCall) -> str:
    """`refund({"order": 7})`."""
    return f"{call.name}({json_text(call.arguments)})"


def expected_text(case: Case) -> str:
    """What is accepted, every form of it."""
    expected = case.expected
    if expected is None:
        return "\n".join(case.criteria)
    lines: list[str] = []
    if expected.answers:
        lines.append(" | ".join(json_text(answer, bare=True) for answer in expected.answers))
    if expected.choice:
        lines.append(f"choice: {' | '.join(json_text(choice, bare=True) for choice in expected.choice)}")
    lines += [f"calls: {'; '.join(map(_expected_call, calls)) or 'none'}" for calls in expected.tool_calls or ()]
    if expected.behaviour:
        lines.append(f"behaviour: {expected.behaviour}")
    if expected.state is not None:
        lines.append(f"state: {json_text(expected.state)}")
    lines += [f"step: {step.kind} {step.name} {json_text(step.input)}" for step in expected.trajectory or ()]
    lines += [f"test: {test}" for test in expected.tests]
    return "\n".join([*lines, *case.criteria])


def _expected_call(call: ExpectedCall) -> str:
    accepted = (f"{name}={' | '.join(map(json_text, values))}" for name, values in call.arguments.items())
    return f"{call.name}({', '.join(accepted)})"


def json_text(value: Json, *, bare: bool = False) -> str:
    """A value as JSON; `bare` leaves text without quotes. What is nested too deep is said to be."""
    if bare and isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deep to show)"
