"""Another suite file as a judge of trials that are done: its rubrics, policy and labels; nothing is asked."""

from __future__ import annotations

from pathlib import Path

from seatrial.errors import ConfigError, Problem, SuiteError
from seatrial.scorers import build, scorer_hash
from seatrial.trials.suite import labels
from seatrial.trials.suite.suitefile import load
from seatrial.verdicts.checks.registered import Again


def judge_of(path: Path) -> Again:
    """What judges by a suite file. Its targets are not built, so no key is needed.

    Raises SuiteError with every fault, LabelsError, and the errors of scorers that cannot be found.
    """
    loaded = load(path)
    hashes: dict[str, str] = {}
    problems: list[Problem] = []
    for at, rubric in enumerate(loaded.suite.rubrics):
        try:
            hashes[rubric.name] = scorer_hash(build(rubric.scorer, rubric.settings, loaded.folder))
        except ConfigError as fault:
            found = fault.problems or (Problem(fault.problem.rstrip("."), hint=fault.hint),)
            line = loaded.line(("rubrics", at))
            problems += [Problem(p.rule, str(path), line, f"rubric {rubric.name}", p.value, p.hint) for p in found]
    if problems:
        count = "1 fault" if len(problems) == 1 else f"{len(problems)} faults"
        raise SuiteError(f"The suite file {path} has {count}.", problems=problems)
    return Again(loaded.suite, hashes, labels.of_suite(loaded.suite, loaded.folder), path.name)
