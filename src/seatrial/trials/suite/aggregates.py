"""The functions of a suite's own that take one number over all scores of a rubric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from seatrial.errors import Problem
from seatrial.trials.suite.judges import collected, faulty
from seatrial.trials.suite.suitefile import LoadedSuite
from seatrial.verdicts.engine.pooling import ScoreAggregate
from seatrial.verdicts.reading.pooled import own_aggregate


class Own(NamedTuple):
    """A function, and the sha256 of its source."""

    function: ScoreAggregate
    source: str


def aggregates_of(loaded: LoadedSuite, problems: list[Problem] | None = None) -> dict[str, Own]:
    """By rubric name; what is wrong is added to `problems`, or raised as a SuiteError where there is no such list."""
    faults: list[Problem] = [] if problems is None else problems
    found: dict[str, Own] = {}
    for at, rubric in enumerate(loaded.suite.rubrics):
        if rubric.own_aggregate:
            with collected(faults, loaded, ("rubrics", at, "aggregate"), rubric.name):
                found[rubric.name] = Own(*own_aggregate(rubric.aggregate, loaded.folder))
    if problems is None and faults:
        raise faulty(loaded.path, faults)
    return found


def sources(own: Mapping[str, Own]) -> dict[str, str]:
    """The source of each, by rubric name."""
    return {name: found.source for name, found in own.items()}
