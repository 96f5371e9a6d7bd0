"""Another suite file as a judge of trials that are done: its rubrics, policy and labels; nothing is asked."""

from __future__ import annotations

from pathlib import Path

from seatrial.errors import Problem
from seatrial.runs.runner import versions
from seatrial.trials.suite import labels
from seatrial.trials.suite.aggregates import aggregates_of, sources
from seatrial.trials.suite.judges import faulty, scorers_of
from seatrial.trials.suite.suitefile import load
from seatrial.verdicts.checks.registered import Again


def judge_of(path: Path) -> Again:
    """What judges by a suite file. Its targets are not built, nor its judges opened: no key is needed.

    Raises SuiteError with every fault, LabelsError, and the errors of scorers that cannot be found.
    """
    loaded = load(path)
    problems: list[Problem] = []
    panel, scorers = scorers_of(loaded, problems)
    own = aggregates_of(loaded, problems)
    if problems:
        raise faulty(path, problems)
    hashes = versions(panel, scorers, sources(own))
    functions = {name: found.function for name, found in own.items()}
    said = labels.of_suite(loaded.suite, loaded.folder)
    return Again(loaded.suite, hashes, said, path.name, functions)
