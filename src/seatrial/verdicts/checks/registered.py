"""The registered policy of a trial: whether it was changed after results were seen, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pydantic import ValidationError

from seatrial.core.record import Json, as_dict
from seatrial.core.registered import Change, changes, terms, terms_hash
from seatrial.core.suite import Suite
from seatrial.errors import safe
from seatrial.store.store import RunRow, TrialRow
from seatrial.verdicts.engine.pooling import ScoreAggregate
from seatrial.verdicts.reading.labels import Label
from seatrial.verdicts.records import Registered

MOST_CHANGES = 8
"""Changes that the sentence names; the others are counted."""


OF_ITSELF = ("policy.parity.allow", "policy.early_stopping")
"""What an A/A trial changes of its own accord: its arms differ in their series, and it goes to its end."""


class Again(NamedTuple):
    """Another suite under which a trial is judged anew: its rubrics, policy and labels, each version by rubric.

    `labels` None: those that were kept with the trial. `aggregates`: by rubric, the functions of the suite's own.
    """

    suite: Suite
    scorers: Mapping[str, str]
    labels: tuple[Label, ...] | None
    file: str
    aggregates: Mapping[str, ScoreAggregate] = MappingProxyType({})


def scorers_of(run: RunRow) -> Mapping[str, str]:
    """The hash of each rubric's scorer in a run, by rubric name."""
    return {str(k): str(v) for k, v in (as_dict(run.definition.get("rubrics")) or {}).items()}


def changed(old: Mapping[str, Json], new: Mapping[str, Json], *, itself: bool) -> list[Change]:
    """What differs between two sets of terms, less what an A/A trial (`itself`) changes of its own accord."""
    found = changes(old, new)
    return [change for change in found if not (itself and change.key.startswith(OF_ITSELF))]


def registered(trial: TrialRow, suite: Suite, run: RunRow | None, again: Again | None) -> Registered | None:
    """What was registered with a trial; with `again`, what that changes. None for trials older than registration."""
    try:
        kept = Registered.model_validate(trial.environment.get("registered"))
    except ValidationError:
        kept = None
    if again is None or run is None:
        return kept
    itself = as_dict(trial.environment.get("aa")) is not None
    found = changed(terms(suite, scorers_of(run)), terms(again.suite, again.scorers), itself=itself)
    return Registered(
        hash=terms_hash(again.suite, again.scorers),
        changes=tuple((key, old, new) for key, old, new in found),
        first_trial=trial.id,
        results_at=trial.finished_at or trial.started_at,
    )


def cautions(found: Registered | None, suite: Suite, run: RunRow | None, again: Again | None) -> list[str]:
    """What stands at the top of a report: that the policy was changed after results were seen, or was altered since."""
    if found is None:
        return []
    said: list[str] = []
    if again is None and run is not None and found.hash != terms_hash(suite, scorers_of(run)):
        said.append("The policy kept with this trial is not the one that was registered before it ran.")
    if again is not None and found.changes:
        said.append(f"Judged by {safe(again.file)}, not by the policy that was registered: changed {_since(found)}.")
    elif found.changes:
        end = "A new version of the dataset starts anew."
        said.append(f"The policy was changed {_since(found)}. {end}")
    elif again is not None:
        said.append(f"Judged by {safe(again.file)}, which decides as the registered policy does.")
    return said


def _since(found: Registered) -> str:
    shown = [f"{key} {old} → {new}" for key, old, new in found.changes[:MOST_CHANGES]]
    more = [f"{len(found.changes) - MOST_CHANGES} more"] if len(found.changes) > MOST_CHANGES else []
    when = found.results_at[:16].replace("T", " ")
    return f"after results existed ({when}, trial {found.first_trial}): {'; '.join([*shown, *more])}"
