"""Running a suite from its file to its report, and drawing the verdict of an earlier trial again."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.core.case import Case
from seatrial.core.output import Request
from seatrial.core.protocols import Scorer, Target
from seatrial.core.record import Json
from seatrial.core.suite import Budget, Suite
from seatrial.errors import ConfigError, DatasetError, NotFoundError, Problem, SuiteError, UsageError, safe
from seatrial.runs.progress import Progress
from seatrial.runs.runner import Options, Parts, execute
from seatrial.store.store import Dataset, Store
from seatrial.trials import serving
from seatrial.trials.environment import environment
from seatrial.trials.suitefile import LoadedSuite, Steps, load
from seatrial.verdicts.records import TrialReport

if TYPE_CHECKING:
    from seatrial.runs.forecast import Forecast
    from seatrial.targets import Prompt

STORE = Path(".seatrial") / "seatrial.db"


def store_path(folder: Path, chosen: Path | None = None) -> Path:
    """The store in use: the one chosen, else $SEATRIAL_STORE, else `.seatrial/seatrial.db` beside the suite."""
    from_environment = os.environ.get("SEATRIAL_STORE")
    return chosen or (Path(from_environment) if from_environment else folder / STORE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user may choose for one execution. `fresh` opens a new series; `series` continues a named one.

    `budget` in US dollars and `budget_tokens` stand in place of the suite's budget. `serving_defaults`: a sample of
    production requests, whose most common parameters go to every target that does not set them.
    """

    epochs: int = 1
    limit: int | None = None
    fresh: bool = False
    series: str | None = None
    retry_errors: bool = False
    targets: Sequence[str] = ()
    note: str = ""
    budget: float | None = None
    budget_tokens: int | None = None
    serving_defaults: str | Path | None = None


def run(
    suite: str | Path = "seatrial.yaml",
    *,
    store: str | Path | None = None,
    show: Callable[[Progress], None] | None = None,
    asked: Asked | None = None,
    **choices: Any,
) -> TrialReport:
    """Execute a suite and report: every target over every case, scored, with a verdict a candidate.

    What was done before is reused by content; only what is missing is asked. Choices: `epochs`, `limit`, `fresh`,
    `series`, `retry_errors`, `targets`, `note`, `budget` (US dollars), `budget_tokens`, `serving_defaults` (a file).
    Raises the errors of `seatrial.errors`.
    """
    chosen = _with(asked or Asked(), choices)
    loaded = _load(suite, chosen)
    parts = build(loaded)
    with Store(store_path(loaded.folder, Path(store) if store else None)) as opened:
        trial_id = execute_suite(opened, loaded, parts, chosen, show or _silent)
        return compare(trial_id, store=opened)


def estimate(
    suite: str | Path = "seatrial.yaml",
    *,
    store: str | Path | None = None,
    asked: Asked | None = None,
    **choices: Any,
) -> Forecast:
    """What `run` with the same choices would send, and about what that would take in tokens, US dollars and time.

    No request is sent, no trial is made; only the dataset is read into the store, where it is new.
    """
    from seatrial.runs.forecast import Planned, forecast

    chosen = _with(asked or Asked(), choices)
    loaded = _load(suite, chosen)
    parts = build(loaded)
    with Store(store_path(loaded.folder, Path(store) if store else None)) as opened:
        dataset, series = _dataset_and_series(opened, loaded, chosen, "fresh-")
        planned = Planned(dataset, chosen.epochs, chosen.limit, series, chosen.retry_errors)
        return forecast(opened, loaded.suite, planned, dict(parts.targets), dict(parts.ask))


def _load(suite: str | Path, asked: Asked) -> LoadedSuite:
    loaded = load(Path(suite))
    chosen = only(loaded.suite, asked.targets) if asked.targets else loaded.suite
    if asked.serving_defaults is None:
        return loaded._replace(suite=chosen)
    return loaded._replace(suite=serving.apply(chosen, serving.read(Path(asked.serving_defaults))))


def _dataset_and_series(store: Store, loaded: LoadedSuite, asked: Asked, fresh: str) -> tuple[Dataset, str]:
    """What is run, and in which series; `fresh` is a new one's name."""
    if asked.epochs < 1 or (asked.limit is not None and asked.limit < 1):
        raise UsageError("epochs and limit must be at least 1.")
    dataset = dataset_of(store, loaded)
    series = asked.series or (fresh if asked.fresh else "main")
    if asked.series and asked.series != "main" and asked.series not in store.series():
        known = ", ".join(store.series()) or "none yet"
        raise UsageError(f"There is no series {safe(asked.series)!r}.", hint=f"--fresh opens one; there are: {known}")
    return dataset, series


def execute_suite(
    store: Store, loaded: LoadedSuite, parts: Parts, asked: Asked, show: Callable[[Progress], None]
) -> str:
    """Import the dataset where it is new, run all targets; gives the trial's id."""
    trial_id = f"{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    dataset, series = _dataset_and_series(store, loaded, asked, f"fresh-{trial_id}")
    about: dict[str, Json] = dict(environment(loaded.folder, asked.note))
    if asked.serving_defaults is not None:
        about["serving_defaults"] = serving.about(loaded.suite, serving.read(Path(asked.serving_defaults)))
    budget = _budget(loaded.suite, asked)
    options = Options(asked.epochs, asked.limit, series, asked.retry_errors, about, budget)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(execute(store, loaded.suite, dataset, parts, options, trial_id, show))
    return trial_id


def _budget(suite: Suite, asked: Asked) -> Budget | None:
    """What was asked for this execution, else the suite's."""
    if asked.budget is None and asked.budget_tokens is None:
        return suite.budget
    try:
        return Budget(dollars=asked.budget, tokens=asked.budget_tokens)
    except ValueError as cause:
        raise UsageError("A budget must be more than 0.") from cause


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed: a tenth less CPU a request."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def compare(
    trial: str | None = None,
    *,
    store: Store | str | Path | None = None,
    incumbent: str | None = None,
    candidates: Sequence[str] = (),
) -> TrialReport:
    """Draw the verdicts of a finished trial (the newest where none is named) from what the store holds.

    `incumbent` and `candidates` choose other arms than the suite's. Raises NotFoundError where there is no such trial.
    """
    from seatrial.verdicts.compare import report

    if not isinstance(store, Store):
        with Store(existing(store_path(Path(), Path(store) if store else None))) as opened:
            return compare(trial, store=opened, incumbent=incumbent, candidates=candidates)
    if trial is None:
        newest = [row for row in store.trials(limit=50) if row.status == "done"]
        if not newest:
            raise NotFoundError(f"The store {store.path} holds no finished trial.", hint="`seatrial run` makes one")
        trial = newest[0].id
    return report(store, store.trial(trial).id, incumbent=incumbent, candidates=candidates)


def existing(path: Path) -> Path:
    """The path of a store that must be there already."""
    if not path.exists():
        raise NotFoundError(
            f"There is no store at {path}.", hint="run a suite first, or name one with --store or $SEATRIAL_STORE"
        )
    return path


def dataset_of(store: Store, loaded: LoadedSuite) -> Dataset:
    """The dataset of a suite as a committed version; read again only when the file has changed."""
    from seatrial.datasets import fingerprint, read

    spec = loaded.suite.dataset
    source = fingerprint(spec, loaded.folder)
    known = store.dataset_by_source(source) if source else None
    if known is not None:
        return known

    def unchanged() -> Iterator[Case]:
        yield from read(spec, loaded.folder)
        if source and fingerprint(spec, loaded.folder) != source:
            raise DatasetError(f"{spec.path} was changed while it was read.", hint="run the same command again")

    return store.keep_dataset(Path(spec.path).stem, unchanged(), spec.shares, source or None)


def build(loaded: LoadedSuite) -> Parts:
    """Targets, prompt and scorers of a suite. Raises SuiteError with every fault of them, at its line."""
    from seatrial import scorers, targets

    suite, folder = loaded.suite, loaded.folder
    problems: list[Problem] = []
    built: dict[str, Target] = {}
    judges: dict[str, Scorer] = {}
    for name, spec in suite.targets.items():
        with _collected(problems, loaded, ("targets", name)):
            built[name] = targets.build(name, spec, folder, os.environ)
    for at, rubric in enumerate(suite.rubrics):
        with _collected(problems, loaded, ("rubrics", at), rubric.name):
            judges[rubric.name] = scorers.build(rubric.scorer, rubric.settings, folder)
    ask: dict[str, Callable[[Case], Request]] = {}
    with _collected(problems, loaded, ("prompt",)):
        prompt = targets.Prompt(suite.prompt, suite.variables)
        ask = {name: partial(_ask, prompt, spec.params) for name, spec in suite.targets.items()}
    if problems:
        count = "1 fault" if len(problems) == 1 else f"{len(problems)} faults"
        raise SuiteError(f"The suite file {loaded.path} has {count}.", problems=problems)
    return Parts(built, ask, judges)


@contextmanager
def _collected(problems: list[Problem], loaded: LoadedSuite, place: Steps, label: str = "") -> Generator[None]:
    """Turn a configuration error into problems at their lines."""
    try:
        yield
    except ConfigError as fault:
        where = ".".join(str(step) for step in place) if not label else f"rubric {label}"
        for problem in fault.problems or (Problem(fault.problem.rstrip("."), hint=fault.hint),):
            inner = problem.key.removeprefix(f"{where}.").removeprefix(where)
            key = f"{where}: {inner}" if inner else where
            problems.append(replace(problem, file=str(loaded.path), line=loaded.line(place), key=key))


def only(suite: Suite, names: Sequence[str]) -> Suite:
    """The suite with some of its targets; the incumbent stays where it is named."""
    for name in names:
        if name not in suite.targets:
            raise UsageError(f"The suite has no target {name!r}.", hint=f"its targets are {', '.join(suite.targets)}")
    incumbent = suite.incumbent if suite.incumbent in names or len(names) > 1 else None
    if len(names) > 1 and suite.incumbent not in names:
        raise UsageError("Several targets need the incumbent among them.", hint=f"add --target {suite.incumbent}")
    chosen = {name: spec for name, spec in suite.targets.items() if name in names}
    return suite.model_copy(update={"targets": chosen, "incumbent": incumbent})


def _ask(prompt: Prompt, params: Mapping[str, Json], case: Case) -> Request:
    return prompt.request(case, params, None)


def _with(asked: Asked, choices: Mapping[str, Any]) -> Asked:
    try:
        return replace(asked, **choices)
    except TypeError as cause:
        known = ", ".join(field.name for field in fields(Asked))
        raise UsageError(f"run() does not take {', '.join(choices)}.", hint=f"it takes {known}") from cause


def _silent(_progress: Progress) -> None:
    return None
