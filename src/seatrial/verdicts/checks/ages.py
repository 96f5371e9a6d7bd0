"""Whether answers or cases are older than the policy allows, as things stood when the trial started.

A trial is judged as on the day it was run, so that drawing it again years later says the same; how long a decision
stands after that is the decision record's to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from seatrial.core.suite import seconds_of
from seatrial.store.store import Store
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.reading.grouping import whole_cases


def moment(text: str) -> datetime:
    """An ISO 8601 date or time; UTC where it names no zone."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def oldest_allowed(frame: Frame, age: str) -> datetime:
    """The moment before which something is too old at the start of the trial."""
    return moment(frame.trial.started_at) - timedelta(seconds=seconds_of(age))


def stale_outputs(store: Store, frame: Frame, arms: Iterable[str]) -> str:
    """Which arms hold answers older than the policy allows, and what to do; empty where none does.

    An answer of which nobody knows the time counts as too old.
    """
    age = frame.suite.policy.max_age.outputs
    if age is None:
        return ""
    least = oldest_allowed(frame, age)
    found = {name: said for name in arms if (said := _stale(store, frame, name, age, least))}
    if not found:
        return ""
    recorded = [name for name in found if is_recorded(frame, name)]
    to_do = ["Run again with --fresh."] if len(recorded) < len(found) else []
    if recorded:
        to_do.append(f"Record {' and '.join(recorded)} again: a recording stays as old as it is.")
    return f"{'; '.join(found.values())}. {' '.join(to_do)}"


def is_recorded(frame: Frame, arm: str) -> bool:
    """Whether an arm's answers come from a recording, which no run makes newer."""
    spec = frame.suite.targets.get(arm)
    return spec is not None and spec.use.startswith("replay:")


def _stale(store: Store, frame: Frame, name: str, age: str, least: datetime) -> str:
    ids = sorted({int(i) for i in frame.arms[name].output_id.ravel() if i > 0})
    times = [finished for _, finished in store.output_facts(ids).values()]
    dated = sorted(moment(time) for time in times if time)
    old = sum(time < least for time in dated)
    unknown = len(times) - len(dated)
    if not old and not unknown:
        return ""
    parts: list[str] = []
    if old:
        oldest = f"the oldest of {dated[0]:%Y-%m-%d}"
        parts.append(f"{old:,} of {len(times):,} answers of {name} are older than {age} ({oldest})")
    if unknown:
        parts.append(f"of {unknown:,} answers of {name} nobody recorded the time, and {age} is allowed")
    return "; ".join(parts)


def stale_dataset(store: Store, frame: Frame) -> str:
    """That the dataset is older than the policy allows, with its date; empty where it is not.

    Its age is that of its newest case, or of the version where no case has a date.
    """
    age = frame.suite.policy.max_age.dataset
    if age is None:
        return ""
    dates = [moment(case.created_at) for _, case in whole_cases(store, frame.trial.dataset_id) if case.created_at]
    newest = max(dates) if dates else moment(store.dataset_made_at(frame.trial.dataset_id))
    if newest >= oldest_allowed(frame, age):
        return ""
    what = "its newest case is" if dates else "this version is"
    return (
        f"The dataset is older than {age}: {what} of {newest:%Y-%m-%d}. Its rubrics are advisory until it is renewed."
    )
