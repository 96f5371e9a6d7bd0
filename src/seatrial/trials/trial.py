"""Running a suite from its file to its report, and drawing the verdict of an earlier trial again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.core.case import Case
from seatrial.core.output import Request
from seatrial.core.protocols import HoldsSome, Target
from seatrial.core.record import Json
from seatrial.core.suite import Budget, Suite
from seatrial.errors import DatasetError, NotFoundError, Problem, UsageError, safe
from seatrial.runs.progress import Progress
from seatrial.runs.runner import Options, Parts, execute
from seatrial.store.store import Dataset, Store, TrialRow
from seatrial.trials.running.itself import against_itself
from seatrial.trials.running.unsealed import exposed, unsealed
from seatrial.trials.suite import labels
from seatrial.trials.suite.aggregates import aggregates_of, sources
from seatrial.trials.suite.environment import environment
from seatrial.trials.suite.judges import collected, faulty, scorers_of
from seatrial.trials.suite.registration import register
from seatrial.trials.suite.suitefile import LoadedSuite, load
from seatrial.verdicts.reading.pooled import KEPT, registered
from seatrial.verdicts.records import TrialReport

if TYPE_CHECKING:
    from seatrial.datasets.sealing.opening import Open
    from seatrial.runs.forecast import Forecast
    from seatrial.targets import Prompt
    from seatrial.trials.running.looks import Monitor

STORE = Path(".seatrial") / "seatrial.db"


def store_path(folder: Path, chosen: Path | None = None) -> Path:
    """The store in use: the one chosen, else $SEATRIAL_STORE, else `.seatrial/seatrial.db` beside the suite."""
    from_environment = os.environ.get("SEATRIAL_STORE")
    return chosen or (Path(from_environment) if from_environment else folder / STORE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user may choose for one execution. `fresh` opens a new series; `series` continues a named one.

    `budget` in US dollars and `budget_tokens` stand in place of the suite's budget. `serving_defaults`: a sample of
    production requests, whose most common parameters go to every target that does not set them. `early_stopping`:
    whether a trial may end at one of the policy's looks; without, it goes to its end and is judged as at the last.
    `aa`: compare this target (the incumbent where it is empty) with itself, in a series of its own. `about`: further
    facts that are kept with the trial.
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
    early_stopping: bool = True
    aa: str | None = None
    about: Mapping[str, Json] = field(default_factory=dict[str, Json])


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
    chosen = with_choices(asked or Asked(), choices)
    loaded = load_chosen(suite, chosen)
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
    from seatrial.runs.forecast import Planned, forecast, judging

    chosen = with_choices(asked or Asked(), choices)
    loaded = load_chosen(suite, chosen)
    parts = build(loaded)
    with Store(store_path(loaded.folder, Path(store) if store else None)) as opened, unsealed(opened, loaded):
        dataset, series = _dataset_and_series(opened, loaded, chosen, "fresh-")
        series_of = {} if chosen.aa is None else {list(loaded.suite.targets)[1]: chosen.series or "aa-"}
        series = series if chosen.aa is None or chosen.fresh else "main"
        planned = Planned(dataset, chosen.epochs, chosen.limit, series, chosen.retry_errors, series_of)
        found = forecast(opened, loaded.suite, planned, dict(parts.targets), dict(parts.ask))
        judges = judging(opened, loaded.suite, planned, parts.panel, parts.scorers)
        return found.model_copy(update={"judges": tuple(judges)})


def load_chosen(suite: str | Path, asked: Asked) -> LoadedSuite:
    """The suite with the targets that are asked for, and with the parameters that production sends."""
    loaded = load(Path(suite))
    chosen = only(loaded.suite, asked.targets) if asked.targets else loaded.suite
    if asked.aa is not None:
        chosen = against_itself(chosen, asked.aa)
    if asked.serving_defaults is None:
        return loaded._replace(suite=chosen)
    from seatrial.trials.running import serving

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
    """Import the dataset where it is new, run all targets; gives the trial's id.

    Where the dataset has a sealed split, it is open until this is done, and in the ledger before anything is sent.
    """
    with unsealed(store, loaded) as held:
        return _executed(store, loaded, parts, asked, show, held)


def _executed(
    store: Store,
    loaded: LoadedSuite,
    parts: Parts,
    asked: Asked,
    show: Callable[[Progress], None],
    held: Open | None,
) -> str:
    from seatrial.datasets.versions.suite import about_set

    trial_id = f"{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"
    dataset, series = _dataset_and_series(store, loaded, asked, f"fresh-{trial_id}")
    about: dict[str, Json] = {**environment(loaded.folder, asked.note), **asked.about}
    if asked.serving_defaults is not None:
        from seatrial.trials.running import serving

        about["serving_defaults"] = serving.about(loaded.suite, serving.read(Path(asked.serving_defaults)))
    series_of: dict[str, str] = {}
    if asked.aa is not None:
        one, two = loaded.suite.targets
        series_of = {two: asked.series or f"aa-{trial_id}"}
        series = f"fresh-{trial_id}" if asked.fresh else "main"
        about["aa"] = {"target": one, "again": two}
    if (ran := about_set(loaded.suite.dataset, loaded.folder)) is not None:
        about["set"] = ran
    if parts.aggregates:
        about[KEPT] = registered(parts.aggregates, loaded.suite.rubrics)
    about["registered"] = register(store, loaded.suite, parts, dataset.id, itself=asked.aa is not None)
    if (said := labels.of_suite(loaded.suite, loaded.folder)) is not None:
        about["labels"] = {"file": loaded.suite.labels, "labels": [label.plain() for label in said]}
    budget = _budget(loaded.suite, asked)
    looks = _looks(store, loaded.suite, parts, dataset, ends=asked.early_stopping)
    if held is not None:
        about["exposure"] = exposed(held, trial_id, loaded.suite, parts, dataset, ran)
    options = Options(asked.epochs, asked.limit, series, asked.retry_errors, about, budget, series_of, looks)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(execute(store, loaded.suite, dataset, parts, options, trial_id, show))
    return trial_id


def _looks(store: Store, suite: Suite, parts: Parts, dataset: Dataset, *, ends: bool) -> Monitor | None:
    """Who looks at the trial before its end, where the policy says so and both arms are asked every case."""
    if any(isinstance(target, HoldsSome) and target.partial for target in parts.targets.values()):
        return None
    if suite.policy.early_stopping is None or suite.incumbent is None or len(suite.targets) < 2:
        return None
    from seatrial.trials.running.looks import Monitor

    return Monitor(store, suite, dataset.id, ends=ends)


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
    suite: str | Path | None = None,
) -> TrialReport:
    """Draw the verdicts of a finished trial (the newest where none is named) from what the store holds.

    `incumbent` and `candidates` choose other arms than the suite's. `suite`: a suite file whose rubrics, policy and
    labels judge in place of the trial's own; the change stands at the top. Raises NotFoundError where there is no such
    trial, and the errors of a suite file.
    """
    from seatrial.verdicts.compare import report

    if not isinstance(store, Store):
        folder = Path(suite).parent if suite else Path()
        with Store(existing(store_path(folder, Path(store) if store else None))) as opened:
            return compare(trial, store=opened, incumbent=incumbent, candidates=candidates, suite=suite)
    row = newest(store) if trial is None else store.trial(trial)
    again = None
    if suite is not None:
        from seatrial.trials.suite.again import judge_of

        again = judge_of(Path(suite))
    return report(store, row.id, incumbent=incumbent, candidates=candidates, again=again)


ASIDE = ("aa", "sweep", "watch")
"""What marks a trial that answers another question than its suite's: it is judged only where it is named."""


def newest(store: Store) -> TrialRow:
    """The newest finished trial of a suite itself. Raises NotFoundError where there is none."""
    rows = (row for row in store.trials(limit=1000) if row.status == "done")
    found = next((row for row in rows if not any(mark in row.environment for mark in ASIDE)), None)
    if found is None:
        raise NotFoundError(
            f"The store {store.path} holds no finished trial of a suite itself.",
            hint="`seatrial run` makes one; an A/A trial, a sweep's and a watch's are judged by their ids",
        )
    return found


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
    from seatrial.datasets.versions.suite import name_of, shares_of

    spec = loaded.suite.dataset
    source = fingerprint(spec, loaded.folder)
    known = store.dataset_by_source(source) if source else None
    if known is not None:
        return known

    def unchanged() -> Iterator[Case]:
        yield from read(spec, loaded.folder)
        if source and fingerprint(spec, loaded.folder) != source:
            raise DatasetError(f"{spec.path} was changed while it was read.", hint="run the same command again")

    with unsealed(store, loaded):
        named, shares = name_of(spec, loaded.folder), shares_of(spec, loaded.folder)
        return store.keep_dataset(named, unchanged(), shares, source or None)


def build(loaded: LoadedSuite) -> Parts:
    """Targets, prompt and scorers of a suite. Raises SuiteError with every fault of them, at its line."""
    from seatrial import targets

    suite, folder = loaded.suite, loaded.folder
    problems: list[Problem] = []
    built: dict[str, Target] = {}
    for name, spec in suite.targets.items():
        with collected(problems, loaded, ("targets", name)):
            built[name] = targets.build(name, spec, folder, os.environ)
    panel, scorers = scorers_of(loaded, problems)
    aggregates = aggregates_of(loaded, problems)
    ask: dict[str, Callable[[Case], Request]] = {}
    with collected(problems, loaded, ("prompt",)):
        prompt = targets.Prompt(suite.prompt, suite.variables)
        ask = {name: partial(_ask, prompt, spec.params) for name, spec in suite.targets.items()}
    if problems:
        raise faulty(loaded.path, problems)
    return Parts(built, ask, scorers, panel, sources(aggregates))


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


def with_choices(asked: Asked, choices: Mapping[str, Any]) -> Asked:
    """What is asked, with choices given by name. Raises UsageError for a name that there is not."""
    try:
        return replace(asked, **choices)
    except TypeError as cause:
        known = ", ".join(field.name for field in fields(Asked))
        raise UsageError(f"run() does not take {', '.join(choices)}.", hint=f"it takes {known}") from cause


def _silent(_progress: Progress) -> None:
    return None
