"""A suite's judges and embedder, built, and its scorers with them; every fault at its line."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from seatrial.core.protocols import Embedder, Scorer
from seatrial.errors import ConfigError, Problem, SuiteError
from seatrial.runs.panel import Judge, Panel, as_judge, judge_of
from seatrial.trials.suite.suitefile import LoadedSuite, Steps


def scorers_of(loaded: LoadedSuite, problems: list[Problem]) -> tuple[Panel, dict[str, Scorer]]:
    """The panel, and the scorers by rubric name; what is wrong is added to `problems`."""
    from seatrial import scorers, targets

    suite, folder, before = loaded.suite, loaded.folder, len(problems)
    judges: dict[str, Judge] = {}
    for name in suite.judges:
        with collected(problems, loaded, ("judges", name)):
            judges[name] = _judge(loaded, name)
    embedder: Embedder | None = None
    with collected(problems, loaded, ("embedder",)):
        embedder = targets.build_embedder(suite.embedder, os.environ)
    panel = Panel(judges, embedder, suite.judging.budget)
    build = panel.build if len(problems) == before else scorers.build  # a judge that is broken is not unknown
    made: dict[str, Scorer] = {}
    for at, rubric in enumerate(suite.rubrics):
        with collected(problems, loaded, ("rubrics", at), rubric.name):
            made[rubric.name] = build(rubric.scorer, rubric.settings, folder)
    return panel, made


def _judge(loaded: LoadedSuite, name: str) -> Judge:
    try:
        return judge_of(name, loaded.suite.judges[name], loaded.folder, os.environ)
    except ConfigError as fault:
        raise SuiteError(fault.problem, hint=fault.hint, problems=as_judge(fault, name)) from fault


@contextmanager
def collected(problems: list[Problem], loaded: LoadedSuite, place: Steps, label: str = "") -> Generator[None]:
    """Turn a configuration error into problems at their lines."""
    try:
        yield
    except ConfigError as fault:
        where = ".".join(str(step) for step in place) if not label else f"rubric {label}"
        for problem in fault.problems or (Problem(fault.problem.rstrip("."), hint=fault.hint),):
            inner = problem.key.removeprefix(f"{where}.").removeprefix(where)
            key = f"{where}: {inner}" if inner else where
            line = loaded.line((*place, *_setting(fault, inner, of_scorer=bool(label))))
            problems.append(replace(problem, file=str(loaded.path), line=line, key=key))


def _setting(fault: ConfigError, key: str, *, of_scorer: bool) -> Steps:
    """Where in an entry a fault is, where its key says so."""
    if not isinstance(fault, SuiteError) or not key:
        return ()
    return ("with", key) if of_scorer else tuple(key.split("."))


def faulty(path: object, problems: Sequence[Problem]) -> SuiteError:
    """All faults of a suite file as one error."""
    count = "1 fault" if len(problems) == 1 else f"{len(problems)} faults"
    return SuiteError(f"The suite file {path} has {count}.", problems=problems)
