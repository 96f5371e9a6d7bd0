"""Whether the process of an unfinished trial still lives, as far as this host can tell."""

from __future__ import annotations

import os
import platform

from sqlalchemy import func, select

from seatrial.store import schema
from seatrial.store.store import Store, TrialRow

RUNNING, KILLED = "running", "killed"


def state(row: TrialRow) -> str:
    """What became of a trial: one that is kept as running, and whose process on this host is gone, was killed."""
    if row.status != RUNNING or row.environment.get("host") != platform.node():
        return row.status
    try:
        os.kill(int(row.environment["pid"]), 0)
    except (ProcessLookupError, ValueError, KeyError, OverflowError):
        return KILLED
    except PermissionError:
        pass
    return RUNNING


def beside(store: Store, row: TrialRow) -> list[TrialRow]:
    """The trials of the same suite that other processes of this host are running in this store now."""
    here = str(os.getpid())
    others = (other for other in store.trials(row.name) if other.id != row.id and other.suite_hash == row.suite_hash)
    local = (other for other in others if other.environment.get("host") == platform.node())
    return [o for o in local if o.environment.get("pid") != here and o.status == RUNNING and state(o) == RUNNING]


def kept_since(store: Store, row: TrialRow) -> int:
    """How many answers the store has taken in since a trial began, in the lines of answers that it works on."""
    series = {run.series for run in store.runs(row.id)}
    o = schema.outputs.c
    query = select(func.count()).where(o.series.in_(series), o.finished_at >= row.started_at)
    with store.reading() as connection:
        return int(connection.execute(query).scalar_one())
