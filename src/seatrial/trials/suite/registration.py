"""Registering a trial's policy before it has an answer: its hash, and what was changed since results were seen."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from seatrial.core.record import Json, as_dict
from seatrial.core.registered import terms, terms_hash
from seatrial.core.suite import Suite
from seatrial.runs.runner import Parts, target_identity
from seatrial.store import schema
from seatrial.store.store import Store, TrialRow
from seatrial.verdicts.checks.registered import changed, scorers_of
from seatrial.verdicts.reading.frame import read_suite


def register(store: Store, suite: Suite, parts: Parts, dataset_id: int, *, itself: bool = False) -> Mapping[str, Json]:
    """What is written down with a trial before anything is asked.

    The policy's hash, and what it changes against the first trial on the same dataset, incumbent and any of the same
    candidates that has results: whoever saw those knew them when changing the policy. What an A/A trial (`itself`)
    changes of its own accord is no change.
    """
    hashes = parts.hashes
    about: dict[str, Json] = {"hash": terms_hash(suite, hashes)}
    first = _first(store, suite, parts, dataset_id)
    if first is None:
        return about
    trial, scorers = first
    either = itself or as_dict(trial.environment.get("aa")) is not None
    found = changed(terms(read_suite(trial), scorers), terms(suite, hashes), itself=either)
    if found:
        about["changes"] = [list(change) for change in found]
        about |= {"first_trial": trial.id, "results_at": trial.finished_at or trial.started_at}
    return about


def _first(store: Store, suite: Suite, parts: Parts, dataset_id: int) -> tuple[TrialRow, Mapping[str, str]] | None:
    """The first trial on these cases and arms that has results, and its scorers' hashes by rubric."""
    own = {name: target_identity(suite, name, target) for name, target in parts.targets.items()}
    base = own.get(suite.incumbent or "", "")
    others = {identity for name, identity in own.items() if name != suite.incumbent}
    for trial_id in _with_results(store, dataset_id):
        runs = store.runs(trial_id)
        seen = {str(run.definition.get("identity", "")) for run in runs}
        if (not base or base in seen) and others & seen:
            return store.trial(trial_id), scorers_of(runs[0])
    return None


def _with_results(store: Store, dataset_id: int) -> list[str]:
    """The trials of a dataset of which a report could be drawn, the first started first."""
    t, runs, items = schema.trials.c, schema.runs, schema.run_items
    results = select(items.c.run_id).where(items.c.run_id == runs.c.id).exists()
    held = select(runs.c.trial_id).where(results)
    query = select(t.id).where(t.dataset_id == dataset_id, t.id.in_(held)).order_by(t.started_at, t.id)
    with store.reading() as connection:
        return [str(row[0]) for row in connection.execute(query)]


def stated(plain: Json) -> str:
    """The hash in what was written down; empty where there is none."""
    return str((as_dict(plain) or {}).get("hash", ""))
