"""One target's pipeline: plan → generate → score → commit.

A planner looks up what is missing, a pool of workers over a bounded queue asks the target, a scoring stage over a
second bounded queue judges. Each arm has its own, so a throttled target never holds another's workers, and memory
does not grow with the number of cases.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from seatrial.core.case import Case
from seatrial.core.identity import canonical, digest_text, to_bytes
from seatrial.core.output import Output, Request
from seatrial.core.protocols import HoldsSome, NeedsServices, Scorer, TakesBatches, Target
from seatrial.core.score import Score
from seatrial.core.suite import RubricSpec
from seatrial.core.vault import SHOWN
from seatrial.errors import BudgetError, TargetDownError, safe
from seatrial.runs.arrivals import Arrivals
from seatrial.runs.looks import Answered
from seatrial.runs.plan import Positions, selected
from seatrial.runs.progress import ArmProgress
from seatrial.scorers import judge, judge_each
from seatrial.store.store import OutputHead, RunItem, ScoreHead, Store, score_key
from seatrial.store.writer import Entry, NewOutput, NewScore, Writer, output_status
from seatrial.targets.threads import Threads

if TYPE_CHECKING:
    from seatrial.runs.batch import BatchStage

T = TypeVar("T")

PLANNED_AT_ONCE = 256
SILENT_FAILURES = 25
"""After this many failures without one answer, a target counts as down."""
WRITER_BACKLOG = 1500
SOUGHT = 1 << 23
"""Places in which an arm notes what it has asked, a bit each."""
SLOW_AT_ONCE = 32
"""How many answers are scored at once where a scorer waits for a thread or a model."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """A rubric ready to judge."""

    spec: RubricSpec
    scorer: Scorer
    scorer_hash: str
    scorer_bytes: bytes
    scorer_id: int

    @property
    def asks(self) -> bool:
        """Whether its scorer asks a judge or an embedder."""
        return isinstance(self.scorer, NeedsServices)


class Settings(NamedTuple):
    """What all arms of a trial share.

    `cases`: the store's number of each case of the dataset, by position. `judged_at_once`: how many questions the
    judges take at once.
    """

    cases: Sequence[int]
    positions: Positions
    order: NDArray[np.int64]
    epochs: int
    retry_errors: bool
    rubrics: Sequence[Rubric]
    judged_at_once: int = 0


@dataclass(slots=True, eq=False)
class Job:
    """One case at one epoch on its way through the pipeline."""

    slot: int
    epoch: int
    case: Case
    view: Case
    request: Request
    sent: str
    request_hash: bytes
    attempt: int = 0
    new: NewOutput | None = None
    output: Output | None = None
    head: OutputHead | None = None
    rubrics: list[int] = field(default_factory=list[int])
    keys: dict[int, bytes] = field(default_factory=dict[int, bytes])
    known: dict[int, ScoreHead] = field(default_factory=dict[int, ScoreHead])

    @property
    def key(self) -> tuple[bytes, int]:
        """What makes two jobs one generation."""
        return self.request_hash, self.epoch


class Arm:
    """A target at work in a trial."""

    def __init__(
        self,
        target: Target,
        ask: Callable[[Case], Request],
        settings: Settings,
        series: str,
        store: Store,
        writer: Writer,
        arrivals: Arrivals | None = None,
    ) -> None:
        self.target = target
        self.arrivals = arrivals or Arrivals()
        self.series = series
        self.settings = settings
        total = len(settings.positions) * settings.epochs
        self.progress = ArmProgress(target.name, total)
        self.output_ids = np.zeros(total, dtype=np.int64)
        self.score_ids = np.zeros((total, len(settings.rubrics)), dtype=np.int64)
        self._ask, self.store, self._writer = ask, store, writer
        self.nothing_kept = False
        """Whether the store held no output of this series, and nobody else adds any: only our own are looked for."""
        self._sought = bytearray(SOUGHT >> 3)
        self.twin = False
        """Whether another arm of the trial asks the same: what it keeps first is no other process's."""
        self._todo = settings.order
        self._waiting: dict[tuple[bytes, int], list[Job]] = {}
        self._to_generate: asyncio.Queue[Job] = asyncio.Queue(maxsize=2 * target.concurrency)
        # judging must not hold up a schedule: what arrives by itself waits unbounded for its scores
        room = max(256, 2 * target.concurrency) if self.arrivals.schedule is None else 0
        self._to_score: asyncio.Queue[Job] = asyncio.Queue(maxsize=room)
        self._active = self._handed = 0
        self._planned = False
        self._stopping = False
        self._stopped = asyncio.Event()
        self._asked = self._unanswered = 0
        self._finished = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._group = asyncio.TaskGroup()
        self._threads = Threads("seatrial-scoring")
        self.down: TargetDownError | BudgetError | None = None
        self.on_down: Callable[[], None] = self.stop
        self.batches = self._batch_stage()
        self._batching = self.batches is not None

    # the pipeline -------------------------------------------------------------------------------------------------

    async def run(self, slots: NDArray[np.int64] | None = None) -> None:
        """Work until every slot (or each of `slots`) is committed, or until stopped and drained.

        May be called again with further slots when it has come back.
        """
        if slots is not None:
            self._begin(slots)
        slow = any(rubric.scorer.info.cost != "cheap" for rubric in self.settings.rubrics)
        async with self._group as group:
            tasks = [group.create_task(work) for work in self._asking()]
            scoring = max(SLOW_AT_ONCE, self.settings.judged_at_once) if slow else 1
            tasks += [group.create_task(self._score()) for _ in range(scoring)]
            await self._finished.wait()
            for task in tasks:
                task.cancel()
        self._threads.close()

    def _begin(self, slots: NDArray[np.int64]) -> None:
        self._todo = slots
        self._planned, self._finished, self._group = False, asyncio.Event(), asyncio.TaskGroup()
        self.batches = self._batch_stage()
        self._batching = self.batches is not None

    def _batch_stage(self) -> BatchStage | None:
        """What asks in batches, where the target takes them."""
        batches = self.target.batches if isinstance(self.target, TakesBatches) else None
        if batches is None:
            return None
        from seatrial.runs.batch import BatchStage

        return BatchStage(self, batches, self._stopped)

    def _asking(self) -> list[Coroutine[Any, Any, None]]:
        """The stages that plan and generate."""
        if self.batches is not None:
            return [self._in_batches(self.batches)]
        return [self._plan(), *(self._generate() for _ in range(min(self.target.concurrency, self._slots)))]

    async def _in_batches(self, batches: BatchStage) -> None:
        async with batches.ready(), asyncio.TaskGroup() as group:
            group.create_task(self._plan())
            group.create_task(batches.run())
        self._batching = False
        self._check_finished()

    def stop(self) -> None:
        """Take no further work; what is under way is finished and kept."""
        self._stopping = True
        self._stopped.set()
        while not self._to_generate.empty():
            self._drop(self._to_generate.get_nowait())
        self._check_finished()

    def abandon(self) -> None:
        """Stop waiting for anything: the store can no longer be written."""
        self._stopping = True
        self._finished.set()

    @property
    def stopping(self) -> bool:
        """Whether it takes no further work."""
        return self._stopping

    def answered(self, slots: NDArray[np.int64]) -> Answered:
        """What is committed of these slots."""
        at, epochs = np.sort(slots), self.settings.epochs
        position = self.settings.positions[at // epochs].astype(np.intp)
        return Answered(position, (at % epochs).astype(np.intp), self.output_ids[at], self.score_ids[at])

    def items(self, slots: NDArray[np.int64] | None = None) -> Iterable[RunItem]:
        """The run's manifest, of these slots where given."""
        positions, epochs = self.settings.positions, self.settings.epochs
        for slot in range(len(self.output_ids)) if slots is None else np.sort(slots).tolist():
            ids = self.score_ids[slot].astype("<i8").tobytes()
            yield RunItem(int(positions[slot // epochs]), slot % epochs, int(self.output_ids[slot]), ids)

    @property
    def _slots(self) -> int:
        return len(self._todo)

    async def _plan(self) -> None:
        order = self._todo
        for start in range(0, self._slots, PLANNED_AT_ONCE):
            if self._stopping:
                break
            slots = order[start : start + PLANNED_AT_ONCE].tolist()
            jobs = self._held(await self.jobs(slots))
            self._active += len(jobs)
            await self._dispatch([job for job in jobs if self._claim(job)])
        if self.batches is not None:
            self.batches.planned()
        self._planned = True
        self._check_finished()

    def _held(self, jobs: list[Job]) -> list[Job]:
        """The jobs that the target can do: of a partial recording those that it holds, the rest is not asked."""
        if not isinstance(self.target, HoldsSome) or not self.target.partial:
            return jobs
        held = [job for job in jobs if self.target.holds(job.case, job.request)]
        self.progress.total -= len(jobs) - len(held)
        return held

    async def jobs(self, slots: Sequence[int]) -> list[Job]:
        """The jobs of these slots, from the store."""
        positions, epochs = self.settings.positions, self.settings.epochs
        ids = [self.settings.cases[int(positions[slot // epochs])] for slot in slots]
        cases = await self._read(self.store.cases_of, ids)
        return [self._job(slot, case) for slot, case in zip(slots, cases, strict=True)]

    def _job(self, slot: int, case: Case) -> Job:
        epoch = slot % self.settings.epochs
        request = self._ask(case) if not epoch else self._ask(case).model_copy(update={"epoch": epoch})
        sent = canonical({**self.target.sent(case, request), **self.arrivals.identity})
        view = case.view()
        raw = self.store.blind(to_bytes(digest_text("request", sent)))
        job = Job(slot, epoch, case, view, request, sent, raw)
        job.rubrics = [
            i for i, r in enumerate(self.settings.rubrics) if selected(r.spec, case) and not r.scorer.applies(view)
        ]
        return job

    def _claim(self, job: Job) -> bool:
        """Whether this job is the first with its request; later ones wait for its output."""
        waiters = self._waiting.get(job.key)
        if waiters is None:
            self._waiting[job.key] = []
            return True
        waiters.append(job)
        return False

    async def _dispatch(self, jobs: Sequence[Job]) -> None:
        heads: dict[tuple[bytes, int], OutputHead] = {}
        sought = [job for job in jobs if self._may_be_kept(job)]
        for epoch in {job.epoch for job in sought}:
            hashes = [job.request_hash for job in sought if job.epoch == epoch]
            found = await self._read(self.store.find_outputs, hashes, self.series, epoch)
            heads.update({(raw, epoch): head for raw, head in found.items()})
        have: list[Job] = []
        for job in jobs:
            head = heads.get(job.key)
            if head is None or (self.settings.retry_errors and head.status == "infra_error"):
                job.attempt = 0 if head is None else head.attempt + 1
                if self._stopping:
                    self._drop(job)
                elif self.batches is not None:
                    await self.batches.add(job)
                else:
                    await self._to_generate.put(job)
            else:
                job.head = head
                have.append(job)
        await self._rescore(have)

    def _may_be_kept(self, job: Job) -> bool:
        """Whether its output may be in the store: where nothing was, only that of an equal job before it."""
        if not self.nothing_kept:
            return True
        byte, bit = divmod(hash(job.key) % SOUGHT, 8)  # two jobs of one place cost a look
        known = self._sought[byte] >> bit & 1
        self._sought[byte] |= 1 << bit
        return bool(known)

    async def _rescore(self, jobs: Sequence[Job]) -> None:
        """Jobs whose output is in the store: score what has no score, reuse the rest."""
        if not jobs:
            return
        for job in jobs:
            assert job.head is not None
            self._set_keys(job, job.head.hash)
        keys = [key for job in jobs for key in job.keys.values()]
        found = await self._read(self.store.find_scores, keys)
        missing: list[Job] = []
        for job in jobs:
            job.known = {i: found[key] for i, key in job.keys.items() if key in found}
            if any(self._wants(job, i) for i in job.keys):
                missing.append(job)
            else:
                self._reuse(job)
        outputs = await self._read(self.store.load_outputs, [job.head.id for job in missing if job.head])
        for job in missing:
            assert job.head is not None
            job.output = outputs[job.head.id]
            await self._to_score.put(job)

    def _wants(self, job: Job, rubric: int) -> bool:
        """Whether a score is to be made. One that a judge failed is, each time: what was asked is not asked again."""
        known = job.known.get(rubric)
        if known is None or known.status != "judge_error":
            return known is None
        return self.settings.retry_errors or self.settings.rubrics[rubric].asks

    def _set_keys(self, job: Job, output_hash: bytes) -> None:
        rubrics, view = self.settings.rubrics, to_bytes(job.case.view_hash)
        job.keys = {i: score_key(view, output_hash, rubrics[i].scorer_bytes) for i in job.rubrics}

    async def _generate(self) -> None:
        while True:
            idle = self._to_generate.empty()
            job = await self._to_generate.get()
            arrival = self.arrivals.next(self._loop.time(), idle=idle)
            if arrival is not None and not self._stopping:
                await self._until(arrival.at)
            if self._stopping:
                self._drop(job)
                continue
            place, self._asked = self._asked, self._asked + 1
            self.progress.in_flight += 1
            try:
                output = await self.target.generate(job.case, self.at_epoch(job))
            except (TargetDownError, BudgetError) as down:
                self.give_up(down)
                self._drop(job)
                continue
            finally:
                self.progress.in_flight -= 1
            output = self.arrivals.timed(output, arrival, self._loop.time())
            self._give_up_on_silence(output, place)
            await self.keep(job, output)

    async def keep(self, job: Job, output: Output, done: Callable[[], object] | None = None) -> None:
        """Commit an output, and hand it on to be scored. `done` is called once it is committed."""
        self._notice(output)
        job.output = output
        job.new = NewOutput(job.request_hash, self.series, job.epoch, job.attempt, output, job.sent)
        self._set_keys(job, self.store.blind(to_bytes(output.hash)))
        self._writer.put(Entry(output=job.new, done=done))
        await self._to_score.put(job)

    async def _until(self, at: float) -> None:
        """Sleep until that time on the loop's clock, or until stopped."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(at):
                await self._stopped.wait()

    def give_up(self, down: TargetDownError | BudgetError) -> None:
        """Nothing more can be asked: stop."""
        self.down = self.down or down
        self.on_down()

    @staticmethod
    def at_epoch(job: Job) -> Request:
        """The request with its epoch's seed."""
        seed = job.request.seed
        if seed is None or job.epoch == 0:
            return job.request
        return job.request.model_copy(update={"seed": seed + job.epoch})

    def _notice(self, output: Output) -> None:
        self.progress.retries += output.attempts - 1
        self.progress.errors += is_unanswered(output)

    def _give_up_on_silence(self, output: Output, place: int) -> None:
        """Stop when all of the requests sent first failed: faults come sooner than answers, and prove less."""
        failure = output.failure
        if place >= SILENT_FAILURES or failure is None or not is_unanswered(output):
            return
        self._unanswered += 1
        if self._unanswered == SILENT_FAILURES:
            status = f" (HTTP {failure.http_status})" if failure.http_status else ""
            self.give_up(
                TargetDownError(
                    f"Target {self.target.name!r} answered none of its first {SILENT_FAILURES} requests; "
                    f"the last failure: {failure.code}{status}: {self._told(failure.message)}.",
                    hint="mend the endpoint, then run the same command again with --retry-errors",
                )
            )

    def _told(self, message: str) -> str:
        """A provider's message, which may quote what it was asked."""
        return (SHOWN if self.store.vault is not None else safe(message, 200)) or "no message"

    async def _score(self) -> None:
        while True:
            job = await self._to_score.get()
            assert job.output is not None
            new = await self._judged(job, job.output)
            output_id = job.head.id if job.head else 0
            done = partial(self._committed, job, new)
            self._writer.put(Entry(scores=new, output_id=output_id, owner=job.new, done=done))
            self._handed += 1
            if self._planned and self._handed == self._active:
                self._writer.hurry()
            while self._writer.backlog > WRITER_BACKLOG:  # noqa: ASYNC110  # a thread drains it, without events
                await asyncio.sleep(0.005)

    async def _judged(self, job: Job, output: Output) -> list[NewScore]:
        """The scores that are wanted of a job, those of heavy scorers made off the loop."""
        rubrics = self.settings.rubrics
        wanted = [i for i in job.keys if self._wants(job, i)]
        heavy = [i for i in wanted if rubrics[i].scorer.info.cost == "heavy"]
        light = [i for i in wanted if i not in heavy] if heavy else wanted
        made = dict(zip(light, await judge_each([rubrics[i].scorer for i in light], job.view, output), strict=True))
        for i in heavy:
            made[i] = await self._judge_off(rubrics[i], job.view, output)
        return [
            NewScore(job.keys[i], job.known[i].attempt + 1 if i in job.known else 0, rubrics[i].scorer_id, made[i])
            for i in wanted
        ]

    async def _judge_off(self, rubric: Rubric, view: Case, output: Output) -> Score:
        """Judge off the loop, where the scorer says that it is heavy.

        One that asks has a thread of its own: it waits for what the loop's own threads do.
        """
        run: Callable[[Callable[[], Score]], Coroutine[Any, Any, Score]]
        run = self._threads.run if rubric.asks else asyncio.to_thread
        return await run(lambda: asyncio.run(judge(rubric.scorer, view, output)))

    # bookkeeping --------------------------------------------------------------------------------------------------

    def _committed(self, job: Job, new: Sequence[NewScore]) -> None:
        self._handed -= 1
        if job.new is not None and job.new.lost:
            self._spawn(self._adopt(job))
            return
        made = {score.key: score for score in new}
        for i, key in job.keys.items():
            self.score_ids[job.slot, i] = made[key].id if key in made else job.known[i].id
            status = made[key].score.status if key in made else job.known[i].status
            self.progress.judge_errors += status == "judge_error"
        if job.new is None:
            assert job.head is not None
            self._count_reused(job.head)
            self._finish(job, job.head)
            return
        assert job.output is not None
        self.progress.generated += 1
        self.progress.cost += job.output.cost or 0.0
        self.progress.cost_unknown += job.output.cost is None
        self.progress.model_failures += output_status(job.output) == "model_failure"
        hashed = self.store.blind(to_bytes(job.output.hash))
        head = OutputHead(job.new.id, hashed, output_status(job.output), job.attempt)
        self._finish(job, head)

    async def _adopt(self, job: Job) -> None:
        """Somebody else kept an output under this key first: score that one; ours was paid as well."""
        assert job.output is not None
        cost = job.output.cost
        if not self.twin:
            self.progress.twice += 1
            self.progress.twice_cost += cost or 0.0
        self.progress.cost += cost or 0.0
        self.progress.cost_unknown += cost is None
        found = await self._read(self.store.find_outputs, [job.request_hash], self.series, job.epoch)
        job.head, job.new = found[job.request_hash], None
        await self._rescore([job])

    def _reuse(self, job: Job) -> None:
        assert job.head is not None
        for i in job.keys:
            self.score_ids[job.slot, i] = job.known[i].id
            self.progress.judge_errors += job.known[i].status == "judge_error"
        self._count_reused(job.head)
        self._finish(job, job.head)

    def _count_reused(self, head: OutputHead) -> None:
        self.progress.reused += 1
        self.progress.errors += head.status == "infra_error"
        self.progress.model_failures += head.status == "model_failure"

    def _finish(self, job: Job, head: OutputHead) -> None:
        self.output_ids[job.slot] = head.id
        self.progress.done += 1
        self._active -= 1
        waiters = self._waiting.pop(job.key, [])
        for waiter in waiters:
            waiter.head = head
        if waiters:
            self._spawn(self._rescore(waiters))
        self._check_finished()

    def _drop(self, job: Job) -> None:
        self.let_go(job.key)

    def let_go(self, key: tuple[bytes, int]) -> None:
        """Leave a request, and whoever waits for its output, to a later run."""
        self._active -= 1 + len(self._waiting.pop(key, []))
        self._check_finished()

    def _check_finished(self) -> None:
        if self._planned and self._active <= 0 and not self._batching:
            self._finished.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work)

    async def _read(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.to_thread(call, *arguments)


def is_unanswered(output: Output) -> bool:
    """Whether nobody answered, so that it is no fault of the model."""
    return output.failure is not None and output.failure.kind == "infra"
