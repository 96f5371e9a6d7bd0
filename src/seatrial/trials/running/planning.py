"""`seatrial plan`: what a suite's dataset can decide and what that costs; from dataset and store, asking nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seatrial.core.record import as_dict
from seatrial.core.suite import Suite
from seatrial.errors import UsageError
from seatrial.runs.forecast import Forecast
from seatrial.runs.plan import Positions, in_parts, sample
from seatrial.runs.runner import Parts
from seatrial.store.store import Dataset, RunRow, Store, TrialRow, chunks
from seatrial.trials.running.looks import strata, tables
from seatrial.trials.running.unsealed import unsealed
from seatrial.trials.trial import Asked, build, dataset_of, estimate, load_chosen, store_path, with_choices
from seatrial.verdicts.engine.evidence import Evidence
from seatrial.verdicts.engine.outcomes import Bools, Ints, Outcomes, known
from seatrial.verdicts.engine.weighing import Comparison, compare
from seatrial.verdicts.questions.plan import Basis, Cases, Plan, draw_plan, overall_need, sentences, summary
from seatrial.verdicts.reading.frame import Frame, load

AT_ONCE = 500
NEWEST = 200
"""Trials that are looked through for what is known of these arms."""


def plan(
    suite: str | Path = "seatrial.yaml",
    *,
    store: str | Path | None = None,
    discordance: float | None = None,
    asked: Asked | None = None,
    **choices: Any,
) -> Plan:
    """What the suite's dataset can decide before a request is paid for: visible differences, needed cases, cost, time.

    `discordance`: the share of cases, in percentage points, on which the arms are taken to differ; where it is not
    given, that of the newest trial of these arms, else of the incumbent against itself (`run --aa`), else 10 points.
    Other choices are those of `run`. Nothing is sent; only the dataset is read into the store, where it is new.
    """
    if discordance is not None and not 0 < discordance <= 100:
        raise UsageError("The discordance must be above 0 and at most 100 percentage points.")
    chosen = with_choices(asked or Asked(), choices)
    loaded = load_chosen(suite, chosen)
    forecast, parts = estimate(suite, store=store, asked=chosen), build(loaded)
    with Store(store_path(loaded.folder, Path(store) if store else None)) as held, unsealed(held, loaded):
        dataset = dataset_of(held, loaded)
        told = basis(held, loaded.suite, parts)
        if discordance is not None:
            told = {name: _given(told.get(name), discordance / 100) for name in parts.scorers}
        laid = _laid_out(held, loaded.suite, parts, dataset, chosen.limit)
    return _plan(loaded.suite, dataset, laid, told, forecast)


def _given(told: Basis | None, discordance: float) -> Basis:
    old = told or Basis()
    return Basis(discordance, old.icc, old.failing, "discordance as given", measured=False)


class LaidOut(NamedTuple):
    """The cases of a trial: their clusters, those of each rubric, and how many are complete at each look."""

    cluster: Ints
    taken: Mapping[str, Cases]
    cases: Sequence[int]


def _laid_out(store: Store, suite: Suite, parts: Parts, dataset: Dataset, limit: int | None) -> LaidOut:
    positions = np.arange(dataset.cases, dtype=np.int32)
    if limit is not None and limit < dataset.cases:
        positions = sample(store.case_facts(dataset.id), limit, suite.seed)
    table = tables(store, suite, dataset.id, positions)
    stopping = suite.policy.early_stopping
    stretches = in_parts(table.cluster, strata(table), stopping.looks if stopping else 1, suite.seed)
    part = np.empty(len(table), dtype=np.intp)
    for number, rows in enumerate(stretches):
        part[rows] = number
    fits = _applicable(store, suite, parts, dataset, positions)
    rows_of = {r.name: fits[r.name] & table.selected(r, suite.policy.synthetic) for r in suite.rubrics}
    taken = {name: Cases(table.cluster[rows], part[rows]) for name, rows in rows_of.items()}
    return LaidOut(table.cluster, taken, np.cumsum([len(rows) for rows in stretches]).tolist())


def _plan(suite: Suite, dataset: Dataset, laid: LaidOut, told: Mapping[str, Basis], forecast: Forecast) -> Plan:
    rubrics, equal, at_margin = draw_plan(suite, laid.taken, told, laid.cases, forecast.epochs)
    found = Plan(
        suite=suite.name,
        dataset=dataset.name,
        cases=len(laid.cluster),
        clusters=len(np.unique(laid.cluster)),
        epochs=forecast.epochs,
        alpha=suite.policy.alpha,
        power=suite.policy.power,
        looks=len(laid.cases),
        rubrics=rubrics,
        equal=equal,
        at_margin=at_margin,
        forecast=forecast,
    )
    found = found.model_copy(update={"needed": overall_need(found)})
    found = found.model_copy(update=_more(found, forecast))
    problems = [rubric.problem for rubric in rubrics if rubric.problem]
    whole = summary(rubrics)
    return found.model_copy(
        update={"sentences": sentences(found), "problems": tuple([whole, *problems] if whole else problems)}
    )


def _applicable(store: Store, suite: Suite, parts: Parts, dataset: Dataset, positions: Positions) -> dict[str, Bools]:
    """By rubric, whether its scorer applies to each case."""
    fits = {rubric.name: np.zeros(len(positions), dtype=np.bool_) for rubric in suite.rubrics}
    for at, some in enumerate(chunks(positions.tolist(), AT_ONCE)):
        for row, stored in enumerate(store.cases(dataset.id, some), at * AT_ONCE):
            view = stored.case.view()
            for name, rows in fits.items():
                rows[row] = not parts.scorers[name].applies(view)
    return fits


def _more(found: Plan, forecast: Forecast) -> dict[str, float]:
    """What the cases that are needed would cost and take, at what a request of this forecast does."""
    if found.needed is None or not forecast.requests:
        return {}
    asked = found.needed * found.epochs * len(forecast.targets) - forecast.reused
    update: dict[str, float] = {}
    if forecast.dollars is not None and not forecast.dollars_unknown:
        update["dollars_needed"] = forecast.dollars / forecast.requests * asked
    if forecast.seconds is not None:
        update["seconds_needed"] = forecast.seconds / forecast.requests * asked
    return update


# what earlier trials say ----------------------------------------------------------------------------------------------


def basis(store: Store, suite: Suite, parts: Parts) -> dict[str, Basis]:
    """By rubric, what the newest trial of these arms says of it, else one of the incumbent against itself."""
    hashes = parts.hashes
    found: dict[str, Basis] = {}
    noise: dict[str, Basis] = {}
    for trial in store.trials(limit=NEWEST):
        if trial.status != "done" or len(found) == len(hashes):
            continue
        itself = as_dict(trial.environment.get("aa")) is not None
        into = noise if itself else found
        names = _pair(suite, store.runs(trial.id), itself=itself)
        if names and hashes.keys() - into.keys():
            for name, measured in _told(store, trial, names, hashes).items():
                into.setdefault(name, measured)
    return {**noise, **found}


def _pair(suite: Suite, runs: Iterable[RunRow], *, itself: bool) -> tuple[str, str] | None:
    """The names of a candidate and the incumbent among these runs, by what they use; of an A/A its two arms."""
    uses = {run.target: run.definition.get("use") for run in runs}
    base = suite.targets[suite.incumbent].use if suite.incumbent else None
    incumbents = [name for name, use in uses.items() if use == base]
    if itself:
        return (incumbents[1], incumbents[0]) if len(incumbents) == 2 else None
    wanted = {suite.targets[name].use for name in suite.candidates}
    candidates = [name for name, use in uses.items() if use in wanted and name not in incumbents[:1]]
    return (candidates[0], incumbents[0]) if candidates and incumbents else None


def _told(store: Store, trial: TrialRow, names: tuple[str, str], hashes: Mapping[str, str]) -> dict[str, Basis]:
    frame = load(store, trial.id)
    candidate, incumbent = names
    judged = as_dict(frame.arms[candidate].run.definition.get("rubrics")) or {}
    found: dict[str, Basis] = {}
    for at, rubric in enumerate(frame.suite.rubrics):
        if rubric.kind == "limit" or judged.get(rubric.name) != hashes.get(rubric.name):
            continue
        outcomes = frame.outcomes(at, candidate, incumbent)
        evidence = compare(outcomes)
        if evidence is not None and evidence.cases >= frame.suite.policy.min_cases:
            found[rubric.name] = _measured(frame, evidence, outcomes, names)
    return found


def _measured(frame: Frame, evidence: Comparison, outcomes: Outcomes, names: tuple[str, str]) -> Basis:
    discordance, icc = max(1e-4, min(1.0, evidence.variance)), 0.0  # of values, with their clusters in it
    if isinstance(evidence, Evidence):
        paired, sizes = evidence.paired, evidence.tally.size
        discordance = (paired.gained + paired.lost + 0.5) / (paired.pairs + 1)
        mean = float((sizes**2).sum() / sizes.sum())
        icc = 0.0 if mean <= 1 else min(0.99, max(0.0, (evidence.design_effect - 1) / (mean - 1)))
    assert outcomes.incumbent is not None, "weighed outcomes have two arms"
    answered = known(outcomes.incumbent, outcomes.cluster)[0]
    failing = float((answered == 0).mean())
    itself = as_dict(frame.trial.environment.get("aa")) is not None
    about = f"{names[1]} against itself in A/A {frame.trial.id}, the least it can be" if itself else frame.trial.id
    source = f"measured on {about}" if itself else f"measured in trial {about} of {names[0]} against {names[1]}"
    return Basis(discordance, icc, failing, source, measured=True)
