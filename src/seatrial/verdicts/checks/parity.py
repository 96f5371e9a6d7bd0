"""Whether two arms were asked under the same conditions: parameters as sent, prompt, tools, stream, and when.

Another model, endpoint or provider is the point of a comparison and never a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import select

from seatrial.core.identity import canonical
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.suite import ParityPolicy
from seatrial.errors import safe
from seatrial.store import schema
from seatrial.store.codec import unpack
from seatrial.store.store import RunRow, Store, chunks
from seatrial.targets.params import common_name
from seatrial.verdicts.engine.outcomes import distinct
from seatrial.verdicts.reading.frame import Arm, Frame, Ids
from seatrial.verdicts.records import Difference, Parity

SHARE = 0.95
"""The time apart is that within which this share of the pairs was answered: one late retry is no difference."""

AT_ONCE = 500
SHOWN = 60
UNSET = ""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which conditions an arm was asked. `values`: each as text, empty where nothing was sent."""

    values: Mapping[str, str]
    shown: Mapping[str, str]


class LeftOut(NamedTuple):
    """Which parameters were asked and not sent, each with how many of the outputs were made without it."""

    counts: Mapping[str, int]
    outputs: int


def left_out(store: Store, arm: Arm) -> LeftOut:
    """What an arm's outputs say was left out. Only the policy `drop` leaves anything out: other arms are not read."""
    if _conditions(arm.run).get("unsupported") != "drop":
        return LeftOut({}, 0)
    found: Counter[str] = Counter()
    outputs = 0
    for sent in _sent(store, arm.output_id):
        outputs += 1
        found.update((as_dict(sent.get("dropped")) or {}).keys())
    return LeftOut(dict(found), outputs)


def conditions(arm: Arm, dropped: LeftOut) -> Conditions | None:
    """An arm's conditions; None where its target does not know what it sends."""
    stated = _conditions(arm.run)
    if not stated:
        return None
    values: dict[str, str] = {
        "prompt": str(arm.run.definition.get("prompt", "")),
        "stream": "true" if stated.get("stream") else UNSET,
        "epochs": str(arm.run.epochs),
        "series": arm.run.series,
    }
    shown = {"prompt": "this prompt", "stream": "on" if stated.get("stream") else "off", "epochs": values["epochs"]}
    for key, value in (as_dict(stated.get("params")) or {}).items():
        text, name = value_text(key, value), common_name(key)
        if name == "n" and text == "1":
            continue
        gone, outputs = dropped.counts.get(key, 0), dropped.outputs
        partly = f"{text}, but not sent on {gone:,} of {outputs:,} outputs"
        values[name] = text if not gone else UNSET if gone >= outputs else partly
        shown[name] = values[name] or f"not sent ({text} was asked)"
    return Conditions(values, shown)


def value_text(key: str, value: Json) -> str:
    """A value as one text: equal for equal requests, whatever the spelling."""
    if common_name(key) == "stop" and isinstance(value, str):
        value = [value]
    return canonical(_number(value))


def _number(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if (inner := as_dict(value)) is not None:
        return {key: _number(item) for key, item in inner.items()}
    listed = as_list(value)
    return value if listed is None else [_number(item) for item in listed]


def parity(store: Store, frame: Frame, incumbent: str, candidate: str, dropped: Mapping[str, LeftOut]) -> Parity:
    """How the conditions of two arms compare under the suite's policy. `dropped`: of each arm, by `left_out`."""
    policy = frame.suite.policy.parity
    old, new = frame.arms[incumbent], frame.arms[candidate]
    apart = seconds_apart(store, old, new)
    words = "" if apart is None else duration(apart)
    first, second = conditions(old, dropped[incumbent]), conditions(new, dropped[candidate])
    if first is None or second is None:
        unknown = tuple(name for name, c in ((incumbent, first), (candidate, second)) if c is None)
        return Parity(result="unknown", unknown=unknown, seconds_apart=apart, apart=words)
    found = [*_differences(first, second, policy), *_too_far(apart, policy), *_by_batch(frame, incumbent, candidate)]
    return Parity(
        result="differs" if found else "equal",
        same=tuple(_same(first, second)),
        differences=tuple(found),
        seconds_apart=apart,
        apart=words,
    )


def _differences(old: Conditions, new: Conditions, policy: ParityPolicy) -> Iterable[Difference]:
    allowed = {common_name(key) for key in policy.allow}
    for key in dict.fromkeys((*old.values, *new.values)):
        if old.values.get(key, UNSET) != new.values.get(key, UNSET):
            yield Difference(
                what=safe(key, SHOWN), incumbent=_shown(old, key), candidate=_shown(new, key), allowed=key in allowed
            )


def _shown(side: Conditions, key: str) -> str:
    text = side.shown.get(key) or side.values.get(key) or "not set"
    return safe(text, SHOWN)


def _too_far(apart: float | None, policy: ParityPolicy) -> Iterable[Difference]:
    if apart is not None and apart > policy.max_hours_apart * 3600:
        says = f"up to {duration(apart)} apart"
        yield Difference(what="time", incumbent="", candidate=says, allowed="time" in policy.allow)


def _by_batch(frame: Frame, incumbent: str, candidate: str) -> Iterable[Difference]:
    """One arm asked by a batch API and the other live: another tier of the same model, which refuses nothing."""
    old, new = (frame.suite.targets[name].batching is not None for name in (incumbent, candidate))
    if old is not new:
        said = {True: "yes", False: "no, live"}
        yield Difference(what="by batch", incumbent=said[old], candidate=said[new], allowed=True)


def _same(old: Conditions, new: Conditions) -> Iterable[str]:
    """What both have in common, in words; what is not worth a word is left out."""
    for key, text in old.values.items():
        if new.values.get(key) != text or key in ("prompt", "stream", "epochs", "series"):
            continue
        if text == UNSET:
            yield f"no {key} for either"
        elif key == "max_tokens":
            yield f"at most {text} tokens"
        else:
            yield f"{key} {text}" if len(text) <= SHOWN // 2 else f"same {key}"
    if old.values["prompt"] == new.values["prompt"]:
        yield "same prompt"
    yield "same tools"


def seconds_apart(store: Store, old: Arm, new: Arm) -> float | None:
    """Within how many seconds of each other 95% of the pairs were answered; None where no time is known."""
    ids = [arm.output_id.reshape(-1) for arm in (old, new)]
    both = (ids[0] > 0) & (ids[1] > 0)
    times = [_moments(store, arm_ids[both]) for arm_ids in ids]
    gaps = np.abs(times[0] - times[1])
    gaps = gaps[~np.isnan(gaps)]
    return float(np.quantile(gaps, SHARE, method="inverted_cdf")) if len(gaps) else None


def _moments(store: Store, ids: Ids) -> np.ndarray:
    """When each output was finished, in seconds since 1970; NaN where that is not known."""
    t = schema.outputs.c
    distinct, inverse = np.unique(ids, return_inverse=True)
    at: dict[int, float] = {}
    with store.reading() as connection:
        for chunk in chunks(distinct.tolist(), AT_ONCE):
            for row in connection.execute(select(t.id, t.finished_at).where(t.id.in_(chunk))):
                at[row[0]] = _moment(row[1])
    return np.array([at.get(number, np.nan) for number in distinct.tolist()], dtype=np.float64)[inverse]


def _moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return float("nan")
    return found.timestamp() if found.tzinfo is not None else float("nan")


def _sent(store: Store, output_ids: Ids) -> Iterable[Mapping[str, Any]]:
    """What is kept about the parameters of each output."""
    t = schema.output_payloads.c
    ids = distinct(output_ids[output_ids > 0]).tolist()
    with store.reading() as connection:
        for chunk in chunks(ids, AT_ONCE):
            for row in connection.execute(select(t.payload).where(t.output_id.in_(chunk))):
                sent = as_dict(unpack(row[0]).get("sent"))
                if sent is not None:
                    yield sent


def _conditions(run: RunRow) -> Mapping[str, Any]:
    return as_dict(run.definition.get("conditions")) or {}


UNITS = ((86400.0, "day"), (3600.0, "h"), (60.0, "min"))


def duration(seconds: float) -> str:
    """Seconds for people: `0 s`, `3 min`, `5 h`, `2 days`."""
    for size, unit in UNITS:
        if seconds >= size:
            number = round(seconds / size)
            return f"{number} {unit}{'s' if unit == 'day' and number != 1 else ''}"
    return f"{seconds:.0f} s"


def refusal(parity: Parity, candidate: str, incumbent: str) -> str:
    """The headline of a verdict that is not drawn, empty where nothing forbids it: what differs, and what to do."""
    forbidden = [d for d in parity.differences if not d.allowed]
    if not forbidden:
        return ""
    said = "; ".join(sentence(d, incumbent, candidate) for d in forbidden)
    names = ", ".join(d.what for d in forbidden)
    late = any(d.what == "time" for d in forbidden)
    cures = ["give both the same"] if len(forbidden) > late else []
    cures += ["run with --fresh or raise policy.parity.max_hours_apart"] if late else []
    return (
        f"No verdict on {candidate} against {incumbent}: they were not asked under the same conditions: {said}. "
        f"To compare them, {' and '.join(cures)}, or allow it with policy.parity.allow: [{names}]."
    )


def sentence(difference: Difference, incumbent: str, candidate: str) -> str:
    """A difference in words."""
    if difference.what == "time":
        return f"their answers lie {difference.candidate}"
    return f"{difference.what} is {difference.incumbent} for {incumbent} and {difference.candidate} for {candidate}"
