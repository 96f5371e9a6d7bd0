"""A suite's pass rates over time, one line a target and rubric, marked where something else than time changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seatrial.core.record import Json, Record, Text, as_dict
from seatrial.store.modellists import served_in
from seatrial.store.store import Store, TrialRow
from seatrial.store.watching import KEY
from seatrial.trials.suite.suitefile import load
from seatrial.trials.trial import existing, store_path
from seatrial.verdicts.engine.rates import rate
from seatrial.verdicts.reading import frame as frames
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.records import Estimate

LAST = 30
MOST_HISTORY = 1000


class Point(Record):
    """A pass rate at one time. `marks`: what is not as it was at the point before: model, dataset, rubric, target."""

    trial_id: Text
    at: Text
    kind: Text
    n: int
    missing: int
    rate: Estimate
    marks: tuple[Text, ...] = ()


class Line(Record):
    """One rubric of one target over time, the oldest point first."""

    target: Text
    rubric: Text
    kind: Text
    points: tuple[Point, ...]


class Trend(Record):
    """All lines of a suite."""

    suite: Text
    trials: int
    lines: tuple[Line, ...]


def trend(suite: str | Path = "seatrial.yaml", *, store: str | Path | None = None, last: int = LAST) -> Trend:
    """The newest `last` finished trials of a suite as lines, whether watching or somebody ran them.

    Limits on quantities are left out: they have no pass rate. Raises NotFoundError without a store.
    """
    loaded = load(Path(suite))
    with Store(existing(store_path(loaded.folder, Path(store) if store else None))) as opened:
        rows = [row for row in opened.trials(loaded.suite.name, limit=MOST_HISTORY) if row.status == "done"]
        chosen = rows[:last][::-1]
        lines: dict[tuple[str, str], list[tuple[Point, Mapping[str, Json]]]] = {}
        kinds: dict[tuple[str, str], str] = {}
        for row in chosen:
            frame = frames.load(opened, row.id)
            for key, kind, point, facts in _points(opened, frame):
                kinds[key] = kind
                lines.setdefault(key, []).append((point, facts))
    made = [Line(target=key[0], rubric=key[1], kind=kinds[key], points=_marked(found)) for key, found in lines.items()]
    return Trend(suite=loaded.suite.name, trials=len(chosen), lines=tuple(made))


def _when(row: TrialRow) -> str:
    said = as_dict(row.environment.get(KEY)) or {}
    return str(said.get("at") or row.started_at)


def _points(store: Store, frame: Frame) -> list[tuple[tuple[str, str], str, Point, Mapping[str, Json]]]:
    """Each rubric's point of each arm, with the facts that marks are made from."""
    said = as_dict(frame.trial.environment.get(KEY)) or {}
    found: list[tuple[tuple[str, str], str, Point, Mapping[str, Json]]] = []
    for name, arm in frame.arms.items():
        served = served_in(store, arm.run.id)
        scorers = as_dict(arm.run.definition.get("rubrics")) or {}
        for at, rubric in enumerate(frame.suite.rubrics):
            if rubric.kind == "limit":
                continue
            outcomes = frame.outcomes(at, name, None)
            one = rate(outcomes.candidate, outcomes.cluster, frame.suite.policy.alpha)
            if not one.n:
                continue
            facts: dict[str, Json] = {
                "target": arm.run.definition.get("identity"),
                "model": sorted({f"{s.model} {s.fingerprint}" for s in served if s.model or s.fingerprint}),
                "dataset": frame.trial.dataset_id,
                "rubric": scorers.get(rubric.name),
            }
            kind = str(said.get("kind") or ("sample" if frame.trial.environment.get("sample") else "run"))
            point = Point(
                trial_id=frame.trial.id,
                at=_when(frame.trial),
                kind=kind,
                n=one.n,
                missing=one.missing,
                rate=one.estimate,
            )
            found.append(((name, rubric.name), rubric.kind, point, facts))
    return found


def _marked(found: Sequence[tuple[Point, Mapping[str, Json]]]) -> tuple[Point, ...]:
    """The points with what changed since the one before. A model counts as changed when a new one is seen."""
    marked: list[Point] = []
    before: Mapping[str, Json] | None = None
    for point, facts in found:
        marks = () if before is None else tuple(name for name in facts if _changed(name, before[name], facts[name]))
        marked.append(point.model_copy(update={"marks": marks}))
        before = facts
    return tuple(marked)


def _changed(name: str, old: Json, new: Json) -> bool:
    if name == "model":
        return bool(old) and any(one not in old for one in new)
    return old != new
