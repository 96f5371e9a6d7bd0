"""Drawing the verdicts of a trial: `report` from a store, `compare_arrays` from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from seatrial.core.identity import from_bytes
from seatrial.core.record import as_dict
from seatrial.core.suite import Suite
from seatrial.errors import UsageError, nearest
from seatrial.store.alive import KILLED, RUNNING, kept_since, state
from seatrial.store.store import Store, TrialRow
from seatrial.verdicts.artefacts import sentences
from seatrial.verdicts.artefacts.flips import flips
from seatrial.verdicts.artefacts.results import result
from seatrial.verdicts.artefacts.slices import slices
from seatrial.verdicts.checks import control, examined, synthetic
from seatrial.verdicts.checks.cautions import drift_warnings, rubric_warnings, trial_warnings, uncounted
from seatrial.verdicts.checks.examined import prepared
from seatrial.verdicts.checks.parity import LeftOut, left_out, parity, refusal
from seatrial.verdicts.checks.registered import Again
from seatrial.verdicts.checks.stopping import stopping
from seatrial.verdicts.engine.judging import Judgement, judge
from seatrial.verdicts.engine.looks import Look
from seatrial.verdicts.engine.outcomes import Outcomes, distinct
from seatrial.verdicts.reading import latency
from seatrial.verdicts.reading.arms import summarize
from seatrial.verdicts.reading.cases import MOST_VALUES
from seatrial.verdicts.reading.frame import Frame, unit_of
from seatrial.verdicts.records import ArmSummary, Ranking, RubricResult, Sample, TrialReport, Verdict


class Known(NamedTuple):
    """What was read beside the frame: each rubric's unit, and what each arm's answers took."""

    units: Sequence[str]
    measured: Mapping[str, latency.Timings]
    left_out: Mapping[str, LeftOut]


def report(
    store: Store,
    trial_id: str,
    *,
    incumbent: str | None = None,
    candidates: Sequence[str] = (),
    set_aside: Mapping[str, Sequence[int]] | None = None,
    again: Again | None = None,
) -> TrialReport:
    """All that a trial found, with one verdict a candidate, drawn anew from what the store holds.

    `incumbent` and `candidates` choose other arms than the suite's. `set_aside`: by rubric name, the positions of cases
    that decide nothing. `again`: another suite whose rubrics and policy judge. Without an incumbent there is no
    verdict, only rates. Raises NotFoundError for an unknown trial, UsageError for arms that do not fit, StoreError
    when what is kept cannot be understood.
    """
    frame, registered = prepared(store, trial_id, again)
    frame = frame.without(set_aside or {})
    base, others = choose(frame.suite, incumbent, candidates)
    units = [unit_of(store, frame, at) if r.kind == "limit" else "" for at, r in enumerate(frame.suite.rubrics)]
    trial, dataset = frame.trial, store.dataset(frame.trial.dataset_id)
    sample = frame.trial.environment.get("sample")
    measured = {name: latency.timings(store, frame.suite, arm) for name, arm in frame.arms.items()}
    dropped = {name: left_out(store, arm) for name, arm in frame.arms.items()}
    known = Known(units, measured, dropped)
    arms = tuple(
        summarize(
            store,
            arm.run,
            latency.summary(frame, name, measured[name]),
            dropped[name].counts,
            frame.suite.targets[name].price,
        )
        for name, arm in frame.arms.items()
    )
    verdicts = tuple(verdict(store, frame, name, base, known) for name in others) if base is not None else ()
    verdicts = tuple(_priced(frame, _stopped(frame, found, arms), arms) for found in verdicts)
    return TrialReport(
        trial_id=trial.id,
        suite=frame.suite.name,
        suite_hash=from_bytes("suite", trial.suite_hash),
        description=frame.suite.description,
        dataset=dataset.name,
        dataset_hash=dataset.hash,
        cases=len(frame.cases),
        clusters=len(distinct(frame.cases.cluster)),
        composition=composition(frame),
        sample=Sample.model_validate(sample) if sample else None,
        epochs=frame.epochs,
        started_at=trial.started_at,
        status=trial.status,
        policy=frame.suite.policy.model_dump(mode="json"),
        arms=arms,
        verdicts=verdicts,
        rates=rates(store, frame, others[0], known) if base is None else (),
        ranking=_ranked(store, frame, verdicts, measured),
        registered=registered,
        environment=_shown(trial.environment),
        warnings=(
            *frame.notes,
            *_warnings(store, frame, base),
            *trial_warnings(frame, arms),
            *drift_warnings(store, frame),
        ),
    )


def _shown(environment: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is kept with a trial, its labels counted."""
    held = as_dict(environment.get("labels"))
    if held is None:
        return environment
    return {**environment, "labels": {"file": held.get("file"), "labels": len(held.get("labels") or ())}}


def _stopped(frame: Frame, found: Verdict, arms: Sequence[ArmSummary]) -> Verdict:
    """The verdict with the look at which it was drawn, where there were looks."""
    summaries = {arm.target: arm for arm in arms}
    if found.overall == "not_evaluable" and not found.rubrics:
        return found
    return found.model_copy(update={"stopping": stopping(frame, found.candidate, found.incumbent, summaries)})


def _priced(frame: Frame, found: Verdict, arms: Sequence[ArmSummary]) -> Verdict:
    """The verdict with its business case, where the suite asks for one and the arms can be compared."""
    summaries = {arm.target: arm for arm in arms}
    if found.overall == "not_evaluable" or frame.suite.economics is None:
        return found
    from seatrial.verdicts.questions import economics

    case = economics.of_frame(frame, summaries[found.candidate], summaries[found.incumbent])
    return found.model_copy(update={"economics": case})


def _ranked(
    store: Store, frame: Frame, verdicts: Sequence[Verdict], measured: Mapping[str, latency.Timings]
) -> Ranking | None:
    if len(verdicts) < 2:
        return None
    from seatrial.verdicts.questions.ranking import ranking

    return ranking(store, frame, verdicts, measured)


def choose(suite: Suite, incumbent: str | None, candidates: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The incumbent and the candidates: the suite's, unless others are named. Raises UsageError.

    The incumbent alone (`run --target` it) is shown by itself, without a verdict.
    """
    for name in (*([incumbent] if incumbent else []), *candidates):
        if name not in suite.targets:
            near = nearest(name, suite.targets)
            hint = f"did you mean {near!r}?" if near else f"its targets are {', '.join(suite.targets)}"
            raise UsageError(f"The trial has no target {name!r}.", hint=hint)
    base = incumbent or suite.incumbent
    if base is None:
        if len(suite.targets) > 1 or candidates:
            raise UsageError("There is no incumbent to compare with.", hint="name one with --incumbent")
        return None, tuple(suite.targets)
    if list(suite.targets) == [base] and not incumbent and not candidates:
        return None, (base,)
    if base in candidates:
        raise UsageError(f"Target {base!r} cannot be both incumbent and candidate.")
    others = tuple(dict.fromkeys(candidates)) or tuple(name for name in suite.targets if name != base)
    if not others:
        raise UsageError("The trial has only one target, so there is nothing to compare.", hint="add a candidate")
    return base, others


def compare_arrays(
    suite: Suite, outcomes: Mapping[str, Outcomes], units: Sequence[str] = (), look: Look | None = None
) -> tuple[Judgement, tuple[RubricResult, ...]]:
    """Every rubric's result on outcomes by rubric name, without slices and flips, at the levels of a look. Pure."""
    holm_level = None if look is None else look.holm(suite.policy.alpha)
    suite = suite if look is None else look.at(suite)
    judgement = judge(suite, outcomes, holm_level)
    named = units or [""] * len(suite.rubrics)
    results = tuple(
        result(suite, rubric, outcomes[rubric.name], judgement.findings.get(rubric.name), unit)
        for rubric, unit in zip(suite.rubrics, named, strict=True)
    )
    return judgement, results


def verdict(store: Store, frame: Frame, candidate: str, incumbent: str, known: Known) -> Verdict:
    """Candidate against incumbent under the suite's policy."""
    if absent := [name for name in (candidate, incumbent) if name not in frame.arms]:
        return Verdict(
            candidate=candidate,
            incumbent=incumbent,
            overall="not_evaluable",
            headline=f"No verdict on {candidate} against {incumbent}: {absent[0]} was not run in this trial.",
            rubrics=(),
        )
    conditions = parity(store, frame, incumbent, candidate, known.left_out)
    if refused := refusal(conditions, candidate, incumbent):
        return Verdict(
            candidate=candidate,
            incumbent=incumbent,
            overall="not_evaluable",
            headline=refused,
            parity=conditions,
            rubrics=(),
        )
    if (none := examined.too_old(store, frame, candidate, incumbent)) is not None:
        return none.model_copy(update={"parity": conditions})
    outcomes = _outcomes(frame, (candidate, incumbent), known)
    look = frame.look(candidate, incumbent)
    judgement, plain = compare_arrays(frame.suite, outcomes, known.units, look)
    frame = frame if look is None else replace(frame, suite=look.at(frame.suite))
    results = _completed(store, frame, plain, outcomes, (candidate, incumbent), known)
    itself = as_dict(frame.trial.environment.get("aa"))
    checked = None if itself is None else control.control(store, frame, outcomes, incumbent, candidate)
    told = examined.fragility_of(store, frame, outcomes, judgement, (candidate, incumbent), look)
    words = sentences.headline(candidate, incumbent, judgement.overall, results, told)
    found = flips(store, frame, candidate, incumbent)
    drawn = Verdict(
        candidate=candidate,
        incumbent=incumbent,
        overall=judgement.overall,
        headline=words if checked is None else control.headline(checked),
        control=checked,
        parity=conditions,
        rubrics=results,
        flips=found.kept,
        flips_left_out=found.left_out,
        differing_cases=found.cases,
        needed=needed(judgement, results),
        fragility=told,
    )
    return examined.completed(store, frame, drawn, outcomes)


def needed(judgement: Judgement, results: Sequence[RubricResult]) -> int | None:
    """The most further cases that any open rubric needs; None when nothing is open, or one of them names no number."""
    if judgement.overall != "inconclusive":
        return None
    wanted = [rubric.needed for rubric in results if rubric.decision == "INCONCLUSIVE"]
    numbers = [number for number in wanted if number is not None]
    return max(numbers) if len(numbers) == len(wanted) else None


def rates(store: Store, frame: Frame, target: str, known: Known) -> tuple[RubricResult, ...]:
    """The results of the only arm: gates and absolute limits decide, the rest is shown."""
    outcomes = _outcomes(frame, (target,), known)
    return _completed(store, frame, compare_arrays(frame.suite, outcomes, known.units)[1], outcomes, (target,), known)


def before_its_end(store: Store, frame: Frame, candidate: str, incumbent: str) -> dict[str, Outcomes]:
    """Every rubric's outcomes in a trial that is under way, as its report will have them."""
    pair = (candidate, incumbent)
    timed = any(latency.is_timed(rubric) for rubric in frame.suite.rubrics)
    measured = {name: latency.timings(store, frame.suite, frame.arms[name], kept=False) for name in pair if timed}
    return _outcomes(frame, pair, Known((), measured, {}))


def _outcomes(frame: Frame, arms: Sequence[str], known: Known) -> dict[str, Outcomes]:
    found: dict[str, Outcomes] = {}
    for at, rubric in enumerate(frame.suite.rubrics):
        outcomes = frame.outcomes(at, arms[0], arms[1] if len(arms) > 1 else None)
        outcomes = examined.with_confirmed(frame, at, arms[0], outcomes)
        timed = latency.is_timed(rubric)
        used = latency.counted(frame, outcomes, known.measured, arms) if timed else outcomes
        found[rubric.name] = replace(used, untimed=latency.untimed(frame, rubric, arms))
    return found


def _completed(
    store: Store,
    frame: Frame,
    results: Sequence[RubricResult],
    outcomes: Mapping[str, Outcomes],
    arms: Sequence[str],
    known: Known,
) -> tuple[RubricResult, ...]:
    """The results with their slices, and with what the scorers left out or did wrong."""
    done: list[RubricResult] = []
    for at, rubric in enumerate(results):
        parts, left_out = ((), 0)
        if rubric.kind != "limit":
            parts, left_out = slices(frame.cases, outcomes[rubric.name], frame.suite.policy)
        warnings = [*rubric.warnings, *rubric_warnings(store, frame, at, arms)]
        if left_out:
            warnings.append(f"{sentences.count(left_out, 'slice')} left out, the smallest.")
        made = synthetic.gap(frame, at, arms)
        if made is not None and (said := synthetic.warning(made)):
            warnings.append(said)
        update: dict[str, object] = {"slices": parts, "synthetic": made}
        if latency.is_timed(spec := frame.suite.rubrics[at]):
            used = outcomes[rubric.name]
            warnings += latency.cautions(frame, spec, used, known.measured, arms)
            update["sentence"] = f"{rubric.sentence} {latency.basis(frame, used, arms)}"
        done.append(rubric.model_copy(update={**update, "warnings": tuple(warnings)}))
    return tuple(done)


def composition(frame: Frame) -> dict[str, dict[str, int]]:
    """How many cases of each origin, and of each value of the strata that group."""
    found: dict[str, dict[str, int]] = {}
    for name, stratum in {**frame.cases.strata, "origin": frame.cases.origin}.items():
        counts = np.bincount(stratum.codes[stratum.codes >= 0], minlength=len(stratum.values)).tolist()
        held = {value: number for value, number in zip(stratum.values, counts, strict=True) if number}
        if held and len(held) <= MOST_VALUES:
            found[name] = held
    return found


def _served(frame: Frame) -> list[str]:
    """What was taken from a sample of production requests, and what the suite says otherwise."""
    about = as_dict(frame.trial.environment.get("serving_defaults"))
    if about is None:
        return []
    taken = "; ".join(about["taken"]) or "nothing that most requests set"
    said = [f"Parameters taken from {about['requests']:,} production requests in {about['file']}: {taken}."]
    kept = [f"{name} keeps its own {', '.join(values)}" for name, values in about["kept"].items()]
    return [*said, *([f"The suite wins over production: {'; '.join(kept)}."] if kept else [])]


def _warnings(store: Store, frame: Frame, base: str | None) -> tuple[str, ...]:
    warnings: list[str] = []
    warnings += _unfinished(store, frame.trial)
    if base is not None and base != frame.suite.incumbent:
        warnings.append(f"The suite's incumbent is {frame.suite.incumbent}; {base} was chosen for this report.")
    warnings += _served(frame)
    return (*warnings, *frame.weighting().notes, *uncounted(frame))


def _unfinished(store: Store, trial: TrialRow) -> list[str]:
    """What is left of a trial that did not come to its end. One that runs, or was killed, lists no results."""
    found = state(trial)
    if found not in (RUNNING, KILLED):
        return [] if found == "done" else [f"The trial is {found}, not done: this is what it left."]
    kept = sentences.count(kept_since(store, trial), "answer")
    if found == RUNNING:
        return [f"The trial is running, not done: {kept} kept in the store since it began. Draw it again when it is."]
    again = "`seatrial run` of its suite goes on from them"
    return [f"The trial was killed before its end: {kept} kept in the store since it began; {again}."]
