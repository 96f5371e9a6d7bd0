"""Driving all arms of a trial at once, and writing down what they did."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any, cast

import numpy as np

from seatrial.core.case import Case
from seatrial.core.identity import digest, to_bytes
from seatrial.core.output import Request
from seatrial.core.protocols import ChecksCases, HoldsSome, Scorer, StatesConditions, Target
from seatrial.core.suite import Budget, Suite
from seatrial.errors import BudgetError, Interrupted, NoDataError, StoreError, TargetDownError, safe
from seatrial.runs.arm import Arm, Rubric, Settings
from seatrial.runs.arrivals import Arrivals
from seatrial.runs.budget import Purse, pay_from
from seatrial.runs.looks import Looks, Slots
from seatrial.runs.panel import Panel
from seatrial.runs.plan import Positions, order, sample
from seatrial.runs.progress import ArmProgress, Progress
from seatrial.runs.services import Helpers
from seatrial.store.alive import beside
from seatrial.store.store import Dataset, RunRow, Store, TrialRow, now
from seatrial.store.writer import Writer, call_all

TICK = 0.2
OUT_OF_BUDGET = "out of budget"
"""The status of a trial that its budget stopped."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a trial is executed.

    `limit`: a stratified sample of so many cases. `series`: which line of answers to continue; a new name asks every
    target again. `retry_errors`: ask again where nobody answered or a judge failed; never where a score was given.
    `budget`: what this execution may use, all targets together. `series_of`: targets with a series of their own.
    `looks`: who orders the trial in parts and may end it after one of them; None runs it in one.
    """

    epochs: int = 1
    limit: int | None = None
    series: str = "main"
    retry_errors: bool = False
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    budget: Budget | None = None
    series_of: Mapping[str, str] = field(default_factory=dict[str, str])
    looks: Looks | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a suite names, built: targets with how each is asked, scorers by rubric name, and whom these may ask.

    `aggregates`: by rubric name, the source of a function of the suite's own that takes one number over its scores.
    """

    targets: Mapping[str, Target]
    ask: Mapping[str, Callable[[Case], Request]]
    scorers: Mapping[str, Scorer]
    panel: Panel = field(default_factory=Panel)
    aggregates: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def hashes(self) -> dict[str, str]:
        """Each rubric's version: who judges, whom that scorer asks, and the suite's own aggregate of its scores."""
        return versions(self.panel, self.scorers, self.aggregates)


def versions(panel: Panel, scorers: Mapping[str, Scorer], aggregates: Mapping[str, str]) -> dict[str, str]:
    """Each rubric's version by name: its scorer's hash, with the source of an aggregate of the suite's own in it."""
    found = {name: panel.hash_of(scorer) for name, scorer in scorers.items()}
    both = {name: {"scorer": found[name], "aggregate": source} for name, source in aggregates.items()}
    return found | {name: digest("scorer", content) for name, content in both.items()}


Show = Callable[[Progress], None]


async def execute(
    store: Store, suite: Suite, dataset: Dataset, parts: Parts, options: Options, trial_id: str, show: Show
) -> None:
    """Run every target of the suite over the dataset; rerunning is resuming.

    Raises Interrupted after Ctrl-C, TargetDownError when a target refuses everything, BudgetError when the budget is
    spent; what was done is kept.
    """
    positions, stretches, environment = await asyncio.to_thread(_laid_out, store, suite, dataset, options)
    helpers = Helpers(parts.panel, store, options.retry_errors)
    rubrics = _rubrics(store, suite, parts, helpers)
    series = {name: options.series_of.get(name, options.series) for name in parts.targets}
    looks, slots = options.looks, np.concatenate(stretches)
    settings = Settings(store.case_ids(dataset.id), positions, slots, options.epochs, options.retry_errors, rubrics)
    keys = {name: run_key(suite, name, parts.targets[name], dataset, settings, series[name]) for name in parts.targets}
    arrivals = {name: Arrivals.of(suite.targets[name], target, suite.seed) for name, target in parts.targets.items()}
    earlier: dict[str, int | None] = dict.fromkeys(keys)
    if looks is None:  # with looks every arm is worked through, in the order of the parts
        earlier = {name: await asyncio.to_thread(store.complete_run, key) for name, key in keys.items()}
    missing = [name for name, run_id in earlier.items() if run_id is None]
    await asyncio.to_thread(_check, store, dataset, [parts.targets[name] for name in missing])
    purse = _purse(store, dataset, parts, options, missing, int(positions[0]))
    async with contextlib.AsyncExitStack() as stack:
        for name in missing:
            await parts.targets[name].open()
            stack.push_async_callback(parts.targets[name].close)
        if missing:
            await stack.enter_async_context(helpers.opened(parts.scorers.values(), purse))
        settings = settings._replace(judged_at_once=helpers.concurrency)
        trial = _trial(trial_id, suite, dataset, environment)
        run_ids = _start(store, suite, parts, options, trial, rubrics, keys)
        seen = dict.fromkeys(keys, slots)
        try:
            tell = partial(asyncio.get_running_loop().call_soon_threadsafe, call_all)
            with Writer(store, tell) as writer:
                helpers.commit_by(writer)
                parted = {name: (parts.targets[name], parts.ask[name], settings, series[name]) for name in missing}
                arms = {name: Arm(*parted[name], store, writer, arrivals[name]) for name in missing}
                done = {name: _done_before(name, settings) for name in keys if name not in arms}
                shown = [arms[name].progress if name in arms else done[name] for name in keys]
                work = _in_parts(arms, stretches, looks, trial_id, seen)
                progress = Progress(
                    trial_id, shown, judges=helpers.counts.values(), notes=_beside(_introduced(arms, store, trial))
                )
                interrupted = await _drive([*arms.values()], work, writer, progress, show, helpers)
        except BaseException:
            with contextlib.suppress(StoreError):
                store.finish_trial(trial_id, "failed")
            raise
    line = next(iter(options.series_of.values()), options.series)
    _note_judging(store, trial_id, helpers)
    _stop_early(store, trial_id, [*arms.values()], interrupted, line)
    for name, run_id in run_ids.items():
        known = earlier[name]
        if known is not None:
            store.repeat_run(run_id, known, done[name].counts())
        else:
            arm = arms[name]
            items = arm.items(None if looks is None else seen[name])
            store.finish_run(run_id, items, arm.progress.counts(), complete=arm.progress.complete)
    store.finish_trial(trial_id, "done")


def _trial(trial_id: str, suite: Suite, dataset: Dataset, environment: Mapping[str, Any]) -> TrialRow:
    plain = suite.model_dump(by_alias=True, exclude_defaults=True)
    return TrialRow(trial_id, suite.name, to_bytes(suite.hash), plain, dataset.id, environment, "running", now(), None)


def _beside(others: Sequence[TrialRow]) -> list[str]:
    """What to say where other processes run the same suite in this store now."""
    return [
        f"warning: trial {other.id} of the same suite is running in this store, as process "
        f"{safe(other.environment.get('pid', ''))}: what both ask for is asked, and paid, twice"
        for other in others
    ]


def _introduced(arms: Mapping[str, Arm], store: Store, trial: TrialRow) -> list[TrialRow]:
    """Tell the arms whom they share answers with: each other, what is kept already, the trials of other processes."""
    others = beside(store, trial)
    lines = {name: (arm.series, digest("target", dict(arm.target.identity()))) for name, arm in arms.items()}
    for name, arm in arms.items():
        arm.twin = [*lines.values()].count(lines[name]) > 1
        arm.nothing_kept = not others and not arm.twin and not store.has_outputs(arm.series)
    return others


def _note_judging(store: Store, trial_id: str, helpers: Helpers) -> None:
    """Keep with the trial what judging took, however the trial ended."""
    if judging := helpers.plain():
        store.note_trial(trial_id, {"judging": judging})


def _laid_out(
    store: Store, suite: Suite, dataset: Dataset, options: Options
) -> tuple[Positions, list[Slots], dict[str, Any]]:
    """The cases to run, the slots of each part, and what is written down about that."""
    environment = dict(options.environment)
    if options.series != "main":
        environment["series"] = options.series
    positions = np.arange(dataset.cases, dtype=np.int32)
    if options.limit is not None and options.limit < dataset.cases:
        positions = sample(store.case_facts(dataset.id), options.limit, suite.seed)
        environment["sample"] = {"cases": len(positions), "of": dataset.cases, "seed": suite.seed}
    if not len(positions):
        raise NoDataError("The dataset holds no case.", hint="check the file and `--limit`")
    if options.looks is None:
        return positions, [order(len(positions), options.epochs, suite.seed)], environment
    parts = list(options.looks.plan(positions, options.epochs))
    environment["early_stopping"] = options.looks.about()
    return positions, parts, environment


def _purse(
    store: Store, dataset: Dataset, parts: Parts, options: Options, missing: Sequence[str], first: int
) -> Purse | None:
    """What the targets pay from, where there is a budget."""
    if options.budget is None:
        return None
    case = store.cases(dataset.id, [first])[0].case
    samples = {name: parts.ask[name](case) for name in missing}
    return pay_from(options.budget, {name: parts.targets[name] for name in missing}, samples)


def run_key(suite: Suite, name: str, target: Target, dataset: Dataset, settings: Settings, series: str) -> bytes:
    """All that decides a run's manifest: a finished run of the same key, without errors, is the same run."""
    spec = suite.targets[name]
    content = {
        "dataset": dataset.hash,
        "positions": sha256(settings.positions.tobytes()).hexdigest(),
        "epochs": settings.epochs,
        "series": series,
        "target": target.identity(),
        "params": spec.params,
        "prompt": [item if isinstance(item, str) else item.plain() for item in suite.prompt],
        "variables": suite.variables,
        "rubrics": [[r.scorer_hash, r.spec.selection, r.spec.where] for r in settings.rubrics],
        **({} if spec.arrival == "closed" else {"arrival": spec.load}),
    }
    return to_bytes(digest("run", content))


def target_identity(suite: Suite, name: str, target: Target) -> str:
    """All that decides what a target is asked and answers, whatever the cases: model, endpoint, parameters, prompt.

    A decision record clears exactly one of these. How fast it may be asked, and what it costs, is not in it.
    """
    prompt = [item if isinstance(item, str) else item.plain() for item in suite.prompt]
    content = {"target": target.identity(), "params": suite.targets[name].params, "prompt": prompt}
    return digest("system", {**content, "variables": suite.variables})


def _check(store: Store, dataset: Dataset, targets: Sequence[Target]) -> None:
    for target in targets:
        if isinstance(target, ChecksCases):
            target.check(store.case_keys(dataset.id))


def _done_before(name: str, settings: Settings) -> ArmProgress:
    total = len(settings.order)
    return ArmProgress(name, total, done=total, reused=total)


def _rubrics(store: Store, suite: Suite, parts: Parts, helpers: Helpers) -> list[Rubric]:
    rubrics: list[Rubric] = []
    for spec in suite.rubrics:
        scorer = parts.scorers[spec.name]
        hashed, asks = parts.panel.hash_of(scorer), parts.panel.asks(scorer)
        number = store.scorer_id(hashed, scorer.info.name, {**scorer.identity(), **({"asks": asks} if asks else {})})
        rubrics.append(Rubric(spec, helpers.bind(scorer), hashed, to_bytes(hashed), number))
    return rubrics


def _start(
    store: Store,
    suite: Suite,
    parts: Parts,
    options: Options,
    trial: TrialRow,
    rubrics: Sequence[Rubric],
    keys: Mapping[str, bytes],
) -> dict[str, int]:
    prompt = [[item if isinstance(item, str) else item.plain() for item in suite.prompt], suite.variables]
    known = parts.hashes
    hashes = {rubric.spec.name: known[rubric.spec.name] for rubric in rubrics}
    runs: list[RunRow] = []
    for name, key in keys.items():
        spec = suite.targets[name]
        target = parts.targets[name]
        definition: dict[str, Any] = {"use": spec.use, "rubrics": hashes, "hash": digest("target", spec.plain())}
        definition["identity"] = target_identity(suite, name, target)
        if isinstance(target, HoldsSome) and target.partial:
            definition["partial"] = True
        if isinstance(target, StatesConditions):
            definition |= {"prompt": digest("prompt", prompt), "conditions": target.conditions()}
        line = options.series_of.get(name, options.series)
        runs.append(RunRow(0, trial.id, name, definition, line, options.epochs, key, {}))
    return dict(zip(keys, store.start_trial(trial, runs), strict=True))


async def _in_parts(
    arms: Mapping[str, Arm], parts: Sequence[Slots], looks: Looks | None, trial_id: str, seen: dict[str, Slots]
) -> None:
    """Run the arms, and between two parts end those that need no further answer; `seen` becomes what each was asked."""
    if looks is None:
        await _together(arm.run() for arm in arms.values())
        return
    going = dict(arms)
    for number, part in enumerate(parts, 1):
        await _together(arm.run(part) for arm in going.values())
        if number == len(parts) or any(arm.stopping for arm in arms.values()):
            return
        done = np.concatenate(parts[:number])
        answered = {name: arm.answered(done) for name, arm in going.items()}
        for name, why in (await asyncio.to_thread(looks.decided, number, trial_id, answered)).items():
            going.pop(name).progress.stopped, seen[name] = why, done
        if not going:
            return


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for task in work:
            group.create_task(task)


async def _drive(
    arms: Sequence[Arm],
    work: Coroutine[Any, Any, None],
    writer: Writer,
    progress: Progress,
    show: Show,
    helpers: Helpers,
) -> bool:
    """Do the arms' work to its end; True when the user stopped them."""
    loop = asyncio.get_running_loop()
    interrupted = False

    def stop_all() -> None:
        for arm in arms:
            arm.stop()

    def on_signal() -> None:
        nonlocal interrupted
        if interrupted:
            for arm in arms:
                arm.abandon()
            return
        interrupted = True
        progress.notes.append("stopping: what is in flight is finished and saved; Ctrl-C again leaves at once")
        stop_all()

    def abandon_all() -> None:
        for arm in arms:
            arm.abandon()

    writer.on_failure = lambda: loop.call_soon_threadsafe(abandon_all)

    def judge_is_down(why: TargetDownError | BudgetError) -> None:
        for arm in arms:
            arm.give_up(why)

    helpers.on_down = judge_is_down
    for arm in arms:
        arm.on_down = stop_all
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGINT, on_signal)
        loop.add_signal_handler(signal.SIGTERM, on_signal)
    started = time.monotonic()
    ticker = asyncio.create_task(_tick(progress, show))
    try:
        await work
    except BaseExceptionGroup as group:
        raise _leaf(group) from group
    finally:
        ticker.cancel()
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGINT)
            loop.remove_signal_handler(signal.SIGTERM)
    progress.finished, progress.seconds = True, time.monotonic() - started
    show(progress)
    return interrupted


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one thing that went wrong first, out of the groups that tasks wrap it in."""
    first = group.exceptions[0]
    return _leaf(cast("BaseExceptionGroup[BaseException]", first)) if isinstance(first, BaseExceptionGroup) else first


async def _tick(progress: Progress, show: Show) -> None:
    started = time.monotonic()
    while True:
        progress.seconds = time.monotonic() - started
        show(progress)
        await asyncio.sleep(TICK)


def _stop_early(store: Store, trial_id: str, arms: Sequence[Arm], interrupted: bool, series: str) -> None:
    """Say why a trial ended before its end, if it did."""
    down = next((arm.down for arm in arms if arm.down is not None), None)
    if down is not None:
        store.finish_trial(trial_id, OUT_OF_BUDGET if isinstance(down, BudgetError) else "failed")
        raise down
    if interrupted:
        store.finish_trial(trial_id, "interrupted")
        again = "run the same command again" if series == "main" else f"run with --series {series}"
        done, total = sum(arm.progress.done for arm in arms), sum(arm.progress.total for arm in arms)
        left = [name for arm in arms if arm.batches is not None for name in arm.batches.left]
        goes_on = f" What is in batch {', '.join(left)} goes on at its provider." if left else ""
        raise Interrupted(
            f"Stopped after {done:,} of {total:,} results; all of them are saved.{goes_on}",
            hint=f"{again} to go on where it stopped",
        )
