"""What people say of single answers: a label stands in place of the score of that very answer, never of another.

A label names the answer by its hash, or by target and time: then it is of the answer that the target had given when the
label was written. A failure that a person confirmed on a gate blocks, whatever the statistics say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, ValidationError, model_validator

from seatrial.core.record import Filled, Moment, Record, Text, as_dict, as_list
from seatrial.core.suite import Suite
from seatrial.errors import safe
from seatrial.store.store import Store
from seatrial.verdicts.reading.frame import JUDGE_ERROR, MODEL_FAILURE, SCORED, Arm, Frame

SHORTEST_HASH = 12
SHOWN = 5


def _identity(value: str) -> str:
    if value and not re.fullmatch(r"(output:[a-z0-9]+:)?[0-9a-f]{12,64}", value):
        raise ValueError("must be an answer's identity, or at least its first 12 hex digits")
    return value


class Label(Record):
    """One person's word on one answer under one rubric.

    `output` is the answer's identity, or at least the first 12 of its hex digits; without it the answer is `target`'s,
    of `epoch`, as it was at `when`.
    """

    case: Filled
    rubric: Filled
    verdict: Literal["fail", "pass"]
    who: Filled
    when: Moment
    target: Text = ""
    output: Annotated[Text, AfterValidator(_identity)] = ""
    epoch: int | None = Field(default=None, ge=0)
    note: Text = ""

    @model_validator(mode="after")
    def _names_an_answer(self) -> Label:
        if not self.target and not self.output:
            raise ValueError("needs target, or output, to say whose answer it is of")
        return self

    @property
    def hex(self) -> str:
        """The digits of the answer's hash; empty where it is named by target and time."""
        return self.output.rsplit(":", 1)[-1]

    @property
    def until(self) -> datetime:
        """The last moment at which its answer can have been given: a day without a time lasts to its end."""
        return _moment(self.when) + (timedelta(days=1) if len(self.when) <= len("2026-03-01") else timedelta())


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def kept(environment: Mapping[str, Any]) -> tuple[Label, ...]:
    """The labels that were kept with a trial; what is none is left out."""
    found: list[Label] = []
    for plain in as_list((as_dict(environment.get("labels")) or {}).get("labels")) or []:
        try:
            found.append(Label.model_validate(plain))
        except ValidationError:
            continue
    return tuple(found)


class Place(NamedTuple):
    """An answer that a label is of: arm, rubric number, row and epoch of the frame."""

    arm: str
    rubric: int
    row: int
    epoch: int


def labelled(store: Store, frame: Frame, labels: Sequence[Label]) -> Frame:
    """The frame with people's word in place of scores; what was applied, and what was not, is in its notes."""
    if not labels:
        return frame
    chosen: dict[Place, Label] = {}
    unused: Counter[str] = Counter()
    contradicted = 0
    rows = _rows(store, frame, {label.case for label in labels})
    heads = _heads(store, frame, rows)
    for label in labels:
        places = list(_places(frame, label, rows, heads, unused))
        for place in places:
            before = chosen.get(place)
            contradicted += before is not None and before.verdict != label.verdict
            if before is None or _rank(label) > _rank(before):
                chosen[place] = label
    notes = [*_applied(frame, chosen), *_unused(unused)]
    if contradicted:
        notes.append(f"People disagree on {_count(contradicted, 'answer')}: the newest label counts.")
    return replace(_overridden(frame, chosen), notes=(*frame.notes, *notes), confirmed=_confirmed(frame.suite, chosen))


def _rank(label: Label) -> tuple[datetime, bool]:
    """Later ones count more; of two at one time, the failure."""
    return label.until, label.verdict == "fail"


def _rows(store: Store, frame: Frame, wanted: set[str]) -> dict[str, list[int]]:
    """The frame's rows of these case ids."""
    at = {position: row for row, position in enumerate(frame.cases.position.tolist())}
    found: dict[str, list[int]] = {}
    for facts in store.case_facts(frame.trial.dataset_id):
        if facts.key in wanted and facts.position in at:
            found.setdefault(facts.key, []).append(at[facts.position])
    return found


def _heads(store: Store, frame: Frame, rows: Mapping[str, list[int]]) -> dict[int, tuple[str, str]]:
    """The hash (hex) and the time of every answer to these cases, by its number."""
    wanted = [row for held in rows.values() for row in held]
    ids = {int(i) for arm in frame.arms.values() for i in arm.output_id[wanted].ravel() if i > 0}
    return store.output_facts(sorted(ids))


def _places(
    frame: Frame,
    label: Label,
    rows: Mapping[str, list[int]],
    heads: Mapping[int, tuple[str, str]],
    unused: Counter[str],
) -> Iterator[Place]:
    """The answers that a label is of; where there is none, why is counted."""
    names = [rubric.name for rubric in frame.suite.rubrics]
    if label.rubric not in names or frame.suite.rubrics[names.index(label.rubric)].kind == "limit":
        unused[f"name a rubric that is not judged here, like {safe(label.rubric)}"] += 1
        return
    if label.case not in rows:
        unused[f"name a case that is not in this trial, like {safe(label.case)}"] += 1
        return
    if label.target and label.target not in frame.arms:
        unused[f"name a target that was not run, like {safe(label.target)}"] += 1
        return
    if not label.output and label.epoch is None and frame.epochs > 1:
        unused["do not say which epoch"] += 1
        return
    index, found = names.index(label.rubric), False
    arms = [label.target] if label.target else list(frame.arms)
    for name in arms:
        for row in rows[label.case]:
            for epoch in range(frame.epochs) if label.epoch is None else [label.epoch]:
                if epoch < frame.epochs and _is_of(frame.arms[name], label, index, row, epoch, heads):
                    found = True
                    yield Place(name, index, row, epoch)
    if not found:
        unused["are of another answer than the one judged here"] += 1


def _is_of(arm: Arm, label: Label, index: int, row: int, epoch: int, heads: Mapping[int, tuple[str, str]]) -> bool:
    """Whether a label is of this very answer, and the rubric judges it."""
    if arm.status[index, row, epoch] not in {SCORED, MODEL_FAILURE, JUDGE_ERROR}:
        return False
    hashed, finished = heads.get(int(arm.output_id[row, epoch]), ("", ""))
    if label.output:
        return hashed.startswith(label.hex)
    return bool(finished) and _moment(finished) <= label.until


def _overridden(frame: Frame, chosen: Mapping[Place, Label]) -> Frame:
    arms = {name: replace(arm, status=arm.status.copy(), passed=arm.passed.copy()) for name, arm in frame.arms.items()}
    for place, label in chosen.items():
        at, arm = (place.rubric, place.row, place.epoch), arms[place.arm]
        if arm.status[at] != MODEL_FAILURE:  # what is no answer fails, whoever says otherwise
            arm.status[at], arm.passed[at] = SCORED, int(label.verdict == "pass")
    return replace(frame, arms=arms)


def _confirmed(suite: Suite, chosen: Mapping[Place, Label]) -> dict[tuple[int, str], tuple[tuple[int, str], ...]]:
    """By gate and arm, the rows on which a person confirmed a failure, each in words."""
    found: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for place, label in sorted(chosen.items()):
        if label.verdict == "fail" and suite.rubrics[place.rubric].kind == "gate":
            said = f"case {safe(label.case)} by {safe(label.who)} on {label.when[:10]}"
            found.setdefault((place.rubric, place.arm), []).append((place.row, said))
    return {key: tuple(held) for key, held in found.items()}


def _applied(frame: Frame, chosen: Mapping[Place, Label]) -> Iterable[str]:
    if not chosen:
        return
    by_rubric = Counter(frame.suite.rubrics[place.rubric].name for place in chosen)
    turned = 0
    for place, label in chosen.items():
        was = frame.arms[place.arm].passed[place.rubric, place.row, place.epoch]
        turned += int(was) != int(label.verdict == "pass")
    told = ", ".join(f"{name} {number:,}" for name, number in by_rubric.items())
    cases = dict.fromkeys(safe(label.case) for label in chosen.values())
    named = ", ".join([*list(cases)[:SHOWN], *(["…"] if len(cases) > SHOWN else [])])
    scores = _count(len(chosen), "score")
    yield f"People's labels stand in place of {scores} ({told}; {turned:,} say otherwise): {named}."


def _unused(unused: Mapping[str, int]) -> Iterable[str]:
    if unused:
        why = "; ".join(f"{number:,} {reason}" for reason, number in unused.items())
        yield f"{_count(sum(unused.values()), 'label')} not applied: {why}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
