"""A blessed baseline: one target's results, case by case and small enough for git: a later run is compared in pairs.

A text of canonical JSON with one line a case: a change of one case is a change of one line. Pure: from a frame to a
baseline, from a baseline and a later frame to outcomes, which are judged like those of two arms.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, ValidationError

from seatrial.core.identity import digest, loads, short
from seatrial.core.record import Record, Text, as_dict
from seatrial.core.suite import RubricSpec, Suite
from seatrial.errors import BaselineError, Problem, safe
from seatrial.verdicts.artefacts.gating import Against, Named
from seatrial.verdicts.engine.outcomes import Bools, Floats, Ints, Outcomes
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.reading.latency import is_timed

FORMAT = "seatrial.baseline/1"
KEY_DIGITS = 16
MOST_SLICES = 200
LONGEST_ID = 200
OUTSIDE, MISSING = "-", "?"
_BITS = re.compile(r"-|[01?]+")
_MEASURES = re.compile(r"-|(?:\?|-?[0-9][0-9.e+-]*)(?:/(?:\?|-?[0-9][0-9.e+-]*))*")
HINT = "bless the baseline again: seatrial gate --bless"


class Place(NamedTuple):
    """A case of a dataset: its id, and the identity of what a scorer reads of it."""

    id: str
    view_hash: str


class Counted(Record):
    """How a rubric stood: passes of `n` results, over all and by stratum (`intent=refund`: [passed, n])."""

    kind: Text
    scorer_hash: Text
    passed: int
    n: int
    slices: Mapping[Text, tuple[int, int]] = Field(default_factory=dict)


class Baseline(Record):
    """One target's results over a dataset at a time.

    `cases`: id to `KEY G1 G2 …`, the beginning of the case's identity and one group a rubric, in the order of `order`:
    `1`, `0` or `?` (missing) an epoch, measures parted by `/` for a limit, `-` where the rubric does not apply.
    """

    format: Text = FORMAT
    suite: Text
    suite_hash: Text
    dataset: Text
    dataset_hash: Text
    target: Text
    use: Text
    identity: Text
    epochs: int = Field(ge=1)
    blessed_at: Text
    seatrial: Text
    order: tuple[Text, ...]
    rubrics: Mapping[Text, Counted]
    cases: Mapping[Text, Text]


# writing --------------------------------------------------------------------------------------------------------------


class About(NamedTuple):
    """What a baseline says of where it comes from."""

    suite_hash: str
    dataset: str
    dataset_hash: str
    use: str
    identity: str
    blessed_at: str
    seatrial: str


def make(frame: Frame, target: str, places: Mapping[int, Place], scorers: Mapping[str, str], about: About) -> Baseline:
    """The baseline of one arm of a trial. `places`: by position in the dataset; `scorers`: hash by rubric name."""
    kept = [(at, rubric) for at, rubric in enumerate(frame.suite.rubrics) if comparable(rubric)]
    results = {rubric.name: _results(frame, at, target) for at, rubric in kept}
    groups = {
        name: _groups(*table, bits=rubric.kind != "limit")
        for (_, rubric), (name, table) in zip(kept, results.items(), strict=True)
    }
    cases: dict[str, str] = {}
    for row, position in enumerate(frame.cases.position.tolist()):
        place = places[position]
        words = [short(place.view_hash, KEY_DIGITS), *(groups[rubric.name][row] for _, rubric in kept)]
        cases[name_of(place.id)] = " ".join(words)
    return Baseline(
        suite=frame.suite.name,
        target=target,
        epochs=frame.epochs,
        order=tuple(rubric.name for _, rubric in kept),
        rubrics={
            rubric.name: Counted(
                kind=rubric.kind,
                scorer_hash=scorers.get(rubric.name, ""),
                **_counted(frame, *results[rubric.name], bits=rubric.kind != "limit"),
            )
            for _, rubric in kept
        },
        cases=dict(sorted(cases.items())),
        **about._asdict(),
    )


def comparable(rubric: RubricSpec) -> bool:
    """Whether a rubric's results are kept: passes, and measures that a relative limit needs, but no times."""
    return rubric.kind != "limit" or (rubric.at_most_ratio is not None and not is_timed(rubric))


def name_of(case_id: str) -> str:
    """A case's id as a baseline names it: cut where it is very long, and told apart by a hash then."""
    if len(case_id) <= LONGEST_ID:
        return case_id
    return f"{case_id[:LONGEST_ID]}…{short(digest('id', case_id))}"


def _results(frame: Frame, index: int, target: str) -> tuple[Floats, Bools]:
    """One number a case and epoch, and which cases the rubric is about."""
    taken = np.zeros(len(frame.cases), dtype=np.bool_)
    values = np.full((len(frame.cases), frame.epochs), np.nan)
    outcomes = frame.outcomes(index, target, None)
    assert outcomes.rows is not None, "outcomes of a frame know their rows"
    taken[outcomes.rows], values[outcomes.rows] = True, outcomes.candidate
    return values, taken


def _groups(values: Floats, taken: Bools, *, bits: bool) -> list[str]:
    sign = "" if bits else "/"
    return [
        sign.join(_said(value, bits=bits) for value in row) if there else OUTSIDE
        for row, there in zip(values.tolist(), taken.tolist(), strict=True)
    ]


def _said(value: float, *, bits: bool) -> str:
    if math.isnan(value):
        return MISSING
    return str(int(value)) if bits else f"{value:.6g}"


def _counted(frame: Frame, values: Floats, taken: Bools, *, bits: bool) -> dict[str, Any]:
    if not bits:
        return {"passed": 0, "n": int(np.count_nonzero(~np.isnan(values)))}
    counts = {"passed": int(np.nansum(values)), "n": int(np.count_nonzero(~np.isnan(values)))}
    slices: dict[str, tuple[int, int]] = {}
    for name, stratum in frame.cases.strata.items():
        for code, value in enumerate(stratum.values):
            rows = values[taken & (stratum.codes == code)]
            if rows.size and len(slices) < MOST_SLICES:
                slices[f"{name}={value}"] = (int(np.nansum(rows)), int(np.count_nonzero(~np.isnan(rows))))
    return {**counts, "slices": slices}


def text(baseline: Baseline) -> str:
    """The file: ASCII, keys sorted, one line a case, closed by the hash of all that it says."""
    plain = baseline.model_dump()  # as Python values: as JSON, half of a surrogate pair would be lost
    whole = {**plain, "hash": digest("baseline", plain)}
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"


def read(raw: bytes, file: str) -> Baseline:
    """A baseline from its file. Raises BaselineError for what was edited, cut, merged by halves, or is none."""
    try:
        plain = as_dict(loads(raw))
    except ValueError:
        conflict = re.search(rb"^(<{7}|={7}|>{7})", raw, re.MULTILINE)
        raise _error(file, "holds a merge conflict" if conflict else "is not JSON") from None
    if plain is None or plain.get("format") != FORMAT:
        found = None if plain is None else plain.get("format")
        raise _error(file, f"is no baseline of format {FORMAT}", None if found is None else str(found))
    stated = plain.pop("hash", None)
    try:
        sealed = stated == digest("baseline", plain)
    except (TypeError, ValueError, RecursionError):
        sealed = False
    if not sealed:
        raise _error(file, "does not have the hash that it states: it was edited, or cut")
    try:
        baseline = Baseline.model_validate(plain)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise _error(file, f"cannot be read: {safe(where)}: {first['msg']}") from None
    _check(baseline, file)
    return baseline


def _error(file: str, rule: str, value: str | None = None) -> BaselineError:
    return BaselineError(
        f"The baseline {safe(file, 200)} cannot be used.", hint=HINT, problems=[Problem(rule, file, value=value)]
    )


def _check(baseline: Baseline, file: str) -> None:
    shapes: list[re.Pattern[str]] = []
    for name in baseline.order:
        counted = baseline.rubrics.get(name)
        if counted is None:
            raise _error(file, "names a rubric without its counts", name)
        shapes.append(_MEASURES if counted.kind == "limit" else _BITS)
    for case, line in baseline.cases.items():
        words = line.split(" ")
        fits = len(words) == 1 + len(shapes) and len(words[0]) == KEY_DIGITS
        if not fits or not all(shape.fullmatch(word) for shape, word in zip(shapes, words[1:], strict=True)):
            raise _error(file, f"has a line that cannot be read, of case {safe(case)}", line)


# comparing ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Which cases of a frame a baseline has: `rows` of the frame, and each one's groups by rubric name."""

    rows: Ints
    groups: tuple[Mapping[str, str], ...]
    against: Against


def align(frame: Frame, places: Mapping[int, Place], baseline: Baseline, source: str) -> Aligned:
    """Lay a later frame beside a baseline, by content: an edited case is no pair, a renamed one still is."""
    here = [places[position] for position in frame.cases.position.tolist()]
    lines = {case: line.split(" ") for case, line in baseline.cases.items()}
    by_key: dict[str, list[str]] = {}
    for case, words in lines.items():
        by_key.setdefault(words[0], []).append(case)
    keys = [short(place.view_hash, KEY_DIGITS) for place in here]
    once = Counter(keys)
    rows: list[int] = []
    groups: list[Mapping[str, str]] = []
    found: set[str] = set()
    new: list[str] = []
    changed: list[str] = []
    for row, (place, key) in enumerate(zip(here, keys, strict=True)):
        name = name_of(place.id)
        same = name if name in lines and lines[name][0] == key else None
        if same is None and once[key] == 1 and len(by_key.get(key, ())) == 1:
            same = by_key[key][0]
        if same is None:
            (changed if name in lines else new).append(name)
            found.add(name)
            continue
        found.add(same)
        rows.append(row)
        groups.append(dict(zip(baseline.order, lines[same][1:], strict=True)))
    removed = [case for case in lines if case not in found]
    against = Against(
        source=source,
        target=baseline.target,
        identity=baseline.identity,
        blessed_at=baseline.blessed_at,
        common=len(rows),
        new=Named.of(new),
        removed=Named.of(removed),
        changed=Named.of(changed),
    )
    return Aligned(np.array(rows, dtype=np.intp), tuple(groups), against)


def outcomes(frame: Frame, index: int, target: str, aligned: Aligned) -> Outcomes:
    """Rubric number `index` over the cases in common: the target now as candidate, the baseline as incumbent."""
    rubric = frame.suite.rubrics[index]
    now = frame.outcomes(index, target, None)
    assert now.rows is not None, "outcomes of a frame know their rows"
    place = {row: at for at, row in enumerate(aligned.rows.tolist())}
    chosen = [
        (at, word)
        for at, row in enumerate(now.rows.tolist())
        if row in place and (word := aligned.groups[place[row]].get(rubric.name, OUTSIDE)) != OUTSIDE
    ]
    before = [_values(word, bits=rubric.kind != "limit") for _, word in chosen]
    epochs = min([frame.epochs, *(len(values) for values in before)])
    kept = np.zeros(len(now.rows), dtype=np.bool_)
    kept[[at for at, _ in chosen]] = True
    common = now.take(kept)
    return replace(
        common,
        candidate=common.candidate[:, :epochs],
        incumbent=np.array([values[:epochs] for values in before], dtype=np.float64).reshape(len(chosen), epochs),
        judge_errors=now.judge_errors,
    )


def _values(word: str, *, bits: bool) -> list[float]:
    return [math.nan if part == MISSING else _finite(part) for part in (word if bits else word.split("/"))]


def _finite(part: str) -> float:
    try:
        value = float(part)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


class Split(NamedTuple):
    """Which rubrics a baseline can be asked about, and which it cannot though they decide, each with the reason."""

    kept: tuple[int, ...]
    lost: Mapping[str, str]


def split(suite: Suite, scorers: Mapping[str, str], baseline: Baseline) -> Split:
    """The rubrics whose results both sides have from the same scorer.

    A gate or an absolute limit that the baseline does not know loses nothing: it decides by itself.
    """
    kept: list[int] = []
    lost: dict[str, str] = {}
    for at, rubric in enumerate(suite.rubrics):
        before = baseline.rubrics.get(rubric.name)
        if before is not None and comparable(rubric) and (before.kind == "limit") == (rubric.kind == "limit"):
            if before.scorer_hash == scorers.get(rubric.name, ""):
                kept.append(at)
            elif rubric.kind != "advisory":
                lost[rubric.name] = "its scorer, or the scorer's settings, are not those of the baseline"
        elif rubric.kind == "quality":
            lost[rubric.name] = "the baseline does not hold it"
        elif rubric.kind == "limit" and rubric.at_most_ratio is not None:
            timed = "times of another day are no measure: name at_most, or run the incumbent as a target"
            lost[rubric.name] = timed if is_timed(rubric) else "the baseline does not hold it"
    return Split(tuple(kept), lost)
