"""The generate stage of a target that is asked in batches: gather, submit, wait, read back, merge by content key.

Nothing here depends on the order of requests or results. A request's custom id is made of its content key, so a result
finds its place whoever asked for it and whenever; a batch is in the store before it is at the provider, so whatever
moment the process ends at, the next run finds what was paid for. While a batch runs, only keys are held in memory.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import secrets
import tempfile
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from seatrial.core.output import Failure, Output
from seatrial.core.protocols import Batches, BatchStatus
from seatrial.errors import TargetDownError, safe
from seatrial.store import batches as kept
from seatrial.store.batches import Batch, Key
from seatrial.store.store import now

if TYPE_CHECKING:
    from seatrial.runs.arm import Arm, Job

T = TypeVar("T")

READ_AT_ONCE = 256
SUBMISSIONS = 3
READINGS = 3
"""How often results are read that do not hold all of a batch."""
MISSES = 30
"""After so many looks in a row that the provider did not answer, the wait is given up; the batch goes on."""
SLOWEST = 20
KEPT_BY_PROVIDERS = timedelta(days=28)
HASH_LENGTH = 43


class Place(NamedTuple):
    """Where in the run a request belongs, and which attempt at it this is."""

    slot: int
    attempt: int


def custom_id(key: Key, name: str) -> str:
    """A request's id in a batch: its hash in URL-safe base64, its epoch, the batch's name; at most 64 characters."""
    return f"{base64.urlsafe_b64encode(key[0]).decode().rstrip('=')}-{key[1]}-{name}"


def content_key(text: str, name: str) -> Key | None:
    """The content key behind a custom id; None for one that this batch did not give."""
    digits, ending = text[HASH_LENGTH + 1 : -len(name) - 1], f"-{name}"
    if not text.endswith(ending) or text[HASH_LENGTH : HASH_LENGTH + 1] != "-" or not digits.isdecimal():
        return None
    try:
        raw = base64.b64decode(f"{text[:HASH_LENGTH]}=", altchars=b"-_", validate=True)
        key = raw, int(digits)
    except (binascii.Error, ValueError):
        return None
    return key if custom_id(key, name) == text else None


@dataclass(slots=True, eq=False)
class Spool:
    """The requests of a batch that is being gathered, in a file, written for an account without what is left out."""

    name: str
    path: Path
    account: str
    left_out: Mapping[str, str]
    places: dict[Key, Place] = field(default_factory=dict[Key, Place])
    size: int = 0

    @classmethod
    def new(cls, folder: Path, batches: Batches) -> Spool:
        """An empty one, under a name that no other batch has."""
        name = secrets.token_hex(6)
        return cls(name, folder / f"{name}.jsonl", batches.account, batches.left_out)

    def add(self, key: Key, place: Place, entry: bytes) -> None:
        """Take a request's line."""
        with self.path.open("ab") as file:
            file.write(entry if not self.size else b"\n" + entry)
        self.size += len(entry) + 1
        self.places[key] = place


@dataclass(slots=True, eq=False)
class Running:
    """A batch at the provider, and what of it this run waits for.

    `left_out` are parameters that its requests went out without as refused before. `again` are requests to send anew
    without one that it refused, `down` says which one it refused that must be sent.
    """

    batch: Batch
    left_out: Mapping[str, str]
    pending: dict[Key, Place] = field(default_factory=dict[Key, Place])
    status: BatchStatus = field(default_factory=lambda: BatchStatus(ended=False))
    done: list[Key] = field(default_factory=list[Key])
    uncommitted: int = 0
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    again: dict[Key, Place] = field(default_factory=dict[Key, Place])
    down: TargetDownError | None = None


class BatchStage:
    """Generates an arm's outputs by its provider's batch API."""

    def __init__(self, arm: Arm, batches: Batches, stopped: asyncio.Event) -> None:
        self._arm, self._batches, self._stopped = arm, batches, stopped
        self._store = arm.store
        self._running: list[Running] = []
        self._at: dict[Key, Running] = {}
        self._spool: Spool | None = None
        self._sealed: asyncio.Queue[Spool | None] = asyncio.Queue()
        self._planned = asyncio.Event()
        self._folder = Path()
        self._recovered: set[str] = set()
        self._recovering = asyncio.Lock()
        self.left: list[str] = []
        """The provider's ids of batches that go on without us."""

    # before planning -----------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def ready(self) -> AsyncGenerator[None]:
        """Be the only one at work on these batches, knowing all that an earlier run left."""
        account, series = self._batches.account, self._arm.series
        with (
            tempfile.TemporaryDirectory(prefix="seatrial-") as folder,
            kept.claim(self._store, account, series) as claim,
        ):
            self._folder = Path(folder)
            while not claim() and not self._stopped.is_set():
                self._arm.progress.waiting = "another run waits for this target's batches"
                await self._pause(0.5)
            if not self._stopped.is_set():
                await self._recover()
            yield

    async def _recover(self) -> None:
        """Know what an earlier run left at the provider, once for each state of what is left out."""
        account, left_out = self._batches.account, self._batches.left_out
        if account in self._recovered:
            return
        self._recovered.add(account)
        for batch in await asyncio.to_thread(kept.open_batches, self._store, account, self._arm.series):
            found = batch if batch.state == "waiting" else await self._searched(batch)
            if found is None:
                continue
            running = Running(found, left_out)
            self._running.append(running)
            for key in await asyncio.to_thread(kept.outstanding, self._store, found):
                self._at[key] = running

    async def _searched(self, batch: Batch) -> Batch | None:
        """A batch of which we do not know whether the provider took it: with its id, None and void where it did not.

        None, and still as unknown as before, when we are stopped or the provider cannot be asked.
        """
        self._arm.progress.waiting = "looking for a batch whose submission was cut"
        try:
            found = await self._or_stop(self._find(batch))
        except TargetDownError as down:
            self._arm.give_up(down)
            return None
        if found:
            return await asyncio.to_thread(kept.submitted, self._store, batch, found)
        if found is not None:
            await asyncio.to_thread(kept.void, self._store, batch)
        return None

    async def _find(self, batch: Batch) -> str:
        """Look twice, as a list may lag behind what was accepted a moment ago."""
        known = await asyncio.to_thread(kept.known_ids, self._store)
        found = await self._batches.find(batch.name, batch.requests, batch.planned_at, known)
        if not found:
            await asyncio.sleep(self._batches.settle_seconds)
            found = await self._batches.find(batch.name, batch.requests, batch.planned_at, known)
        return found

    # while planning ------------------------------------------------------------------------------------------------

    async def add(self, job: Job) -> None:
        """Take a request that has no output yet: it is in a batch already, or goes into the next."""
        place = Place(job.slot, job.attempt)
        running = self._at.get(job.key)
        if running is not None:
            running.pending[job.key] = place
            return
        spool = await self._written(self._spool or Spool.new(self._folder, self._batches), job, place)
        if self._spool is not None and spool is not self._spool:
            self._sealed.put_nowait(self._spool)
        self._spool = spool

    async def _written(self, spool: Spool, job: Job, place: Place) -> Spool:
        """Write a request into the spool, or into a new one where it is full; gives the one that is open then."""
        entry = self._batches.entry(custom_id(job.key, spool.name), self._arm.at_epoch(job))
        if isinstance(entry, Output):
            await self._arm.keep(job, entry)
            return spool
        full = len(spool.places) >= self._batches.most_requests
        if spool.places and (full or spool.size + len(entry) > self._batches.most_bytes - OVERHEAD):
            spool = Spool.new(self._folder, self._batches)
            again = self._batches.entry(custom_id(job.key, spool.name), self._arm.at_epoch(job))
            entry = again if isinstance(again, bytes) else entry
        spool.add(job.key, place, entry)
        return spool

    def planned(self) -> None:
        """No more comes."""
        if self._spool is not None and self._spool.places:
            self._sealed.put_nowait(self._spool)
        self._sealed.put_nowait(None)
        self._planned.set()

    # at the provider -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Submit what is gathered and read back what is done, until nothing is left or we are stopped."""
        async with asyncio.TaskGroup() as group:
            for running in list(self._running):
                group.create_task(self._follow(running, 0.0))
            while (spool := await self._sealed.get()) is not None:
                running = await self._begun(spool)
                if running is not None:
                    group.create_task(self._follow(running, self._batches.poll_seconds))

    async def _begun(self, spool: Spool) -> Running | None:
        """Hand a spool in; its requests are let go where that fails, or we are stopped."""
        running = None if self._stopped.is_set() else await self._submit(spool)
        if running is None:
            self._let_go(spool.places)
        else:
            self._running.append(running)
        return running

    async def _send_again(self, again: Mapping[Key, Place]) -> None:
        """Ask anew, in further batches, without the parameters that are now known to be refused."""
        for key in again:
            self._at.pop(key, None)
        async with self._recovering:
            await self._recover()
        found: dict[int, Running] = {}
        spools: list[Spool] = []
        for key, place in again.items():
            if (there := self._at.get(key)) is not None:  # an earlier run has done so already
                running = found.setdefault(there.batch.id, Running(there.batch, there.left_out))
                running.pending[key] = place
                continue
            (job,) = await self._arm.jobs([place.slot])
            job.attempt = place.attempt
            spool = await self._written(spools[-1] if spools else Spool.new(self._folder, self._batches), job, place)
            spools += [spool] if not spools or spool is not spools[-1] else []
        self._running += found.values()
        async with asyncio.TaskGroup() as group:
            for running in found.values():
                group.create_task(self._follow(running, 0.0))
            for spool in spools:
                begun = await self._begun(spool) if spool.places else None
                if begun is not None:
                    group.create_task(self._follow(begun, self._batches.poll_seconds))

    async def _submit(self, spool: Spool) -> Running | None:
        """Hand in a batch, written down beforehand; None when that failed or we were stopped."""
        attempts = {key: place.attempt for key, place in spool.places.items()}
        batch = await asyncio.to_thread(kept.plan, self._store, spool.account, self._arm.series, spool.name, attempts)
        self._arm.progress.waiting = f"submitting a batch of {len(attempts):,}"
        try:
            found = await self._handed_in(batch, spool)
        except TargetDownError as down:
            await asyncio.to_thread(kept.void, self._store, batch)
            self._arm.give_up(down)
            return None
        if found is None:
            return None
        spool.path.unlink()
        return Running(found, spool.left_out, dict(spool.places))

    async def _handed_in(self, batch: Batch, spool: Spool) -> Batch | None:
        """Raises TargetDownError where the provider surely has nothing."""
        for _ in range(SUBMISSIONS):
            provider_id = await self._batches.submit(batch.name, spool.path)
            if provider_id:
                return await asyncio.to_thread(kept.submitted, self._store, batch, provider_id)
            try:
                found = await self._or_stop(self._find(batch))
            except TargetDownError as down:
                self._arm.give_up(down)
                return None
            if found is None:
                return None
            if found:
                return await asyncio.to_thread(kept.submitted, self._store, batch, found)
        self._arm.give_up(
            TargetDownError(
                f"Target {self._arm.target.name!r}: the provider answered no submission of a batch, and lists none.",
                hint="run the same command again later",
            )
        )
        return None

    async def _follow(self, running: Running, wait: float) -> None:
        """Wait for a batch to end, and merge its results."""
        await self._planned.wait()
        if not running.pending:
            return
        try:
            ended = await self._ended(running, wait)
            if ended:
                await self._settle(running)
        except TargetDownError as down:
            self._arm.give_up(down)
            ended = False
        if not ended:
            self.left.append(running.batch.provider_id)
        self._let_go(running.pending)
        if not ended:
            self._let_go(running.again)
        elif running.again:
            await self._send_again(running.again)
        self._show()

    async def _ended(self, running: Running, wait: float) -> bool:
        """Look at a batch ever less often until it has ended; False when we are stopped before."""
        misses = 0
        while not await self._pause(wait):
            status = await self._or_stop(self._batches.poll(running.batch.provider_id))
            misses = 0 if status is not None else misses + 1
            if misses > MISSES:
                raise TargetDownError(
                    f"Target {self._arm.target.name!r}: the provider no longer says how batch "
                    f"{running.batch.provider_id} is doing.",
                    hint="it goes on there; run the same command again later to pick it up",
                )
            if status is not None:
                running.status = status
                self._show()
                if status.ended:
                    return True
            wait = min(max(wait * 1.5, self._batches.poll_seconds), SLOWEST * self._batches.poll_seconds)
        return False

    # back from the provider ----------------------------------------------------------------------------------------

    async def _settle(self, running: Running) -> None:
        """Merge an ended batch. Raises TargetDownError where it answered nothing at all."""
        batch, status = running.batch, running.status
        if status.gone or status.refused:
            raise await self._nothing(batch, status)
        for reading in range(READINGS):
            if reading:
                await self._pause(min(self._batches.poll_seconds, 2.0**reading))
            await self._merge(running)
            if not running.pending:
                break
        await self._keep(running, [(key, None) for key in list(running.pending)])
        while running.uncommitted:
            running.committed.clear()
            await running.committed.wait()
        await asyncio.to_thread(kept.collected, self._store, batch, running.done)
        if running.down is not None:
            raise running.down

    async def _nothing(self, batch: Batch, status: BatchStatus) -> TargetDownError:
        """What to say of a batch without results. One that only another key may see is kept."""
        name = f"Target {self._arm.target.name!r}: batch {batch.provider_id}"
        age = datetime.now(UTC) - datetime.fromisoformat(batch.submitted_at)
        if status.gone and age < KEPT_BY_PROVIDERS:
            return TargetDownError(
                f"{name}, submitted {batch.submitted_at}, is not known to its provider.",
                hint="ask with the key of the account that submitted it, or start anew with --fresh",
            )
        await asyncio.to_thread(kept.void, self._store, batch)
        why = "is too old to be read" if status.gone else f"was refused: {safe(status.refused, 300)}"
        hint = "mend that, then run" if status.refused else "run"
        return TargetDownError(f"{name} {why}.", hint=f"{hint} the same command again to submit it anew")

    async def _merge(self, running: Running) -> None:
        """Take every result that is waited for, once; whatever else comes is counted."""
        group: list[tuple[Key, Mapping[str, Any] | None]] = []
        taken: set[Key] = set()
        async for text, result in self._batches.results(running.batch.provider_id):
            key = content_key(text, running.batch.name)
            if key is None or key not in running.pending or key in taken:
                self._arm.progress.ignored += key is None or key in taken
                continue
            taken.add(key)
            group.append((key, result))
            if len(group) == READ_AT_ONCE:
                await self._keep(running, group)
                group.clear()
        await self._keep(running, group)

    async def _keep(self, running: Running, group: Sequence[tuple[Key, Mapping[str, Any] | None]]) -> None:
        """Make outputs of results, None standing for one that is missing, and hand them on."""
        for start in range(0, len(group), READ_AT_ONCE):
            part = group[start : start + READ_AT_ONCE]
            places = [running.pending.pop(key) for key, _ in part]
            jobs = await self._arm.jobs([place.slot for place in places])
            for job, place, (key, result) in zip(jobs, places, part, strict=True):
                job.attempt = place.attempt
                running.done.append(key)
                try:
                    output = self._output(running, job, result)
                except TargetDownError as down:
                    running.down = running.down or down
                    self._let_go([key])
                    continue
                if output is None:
                    running.again[key] = place
                    continue
                running.uncommitted += 1
                await self._arm.keep(job, output, partial(self._one_committed, running))

    def _output(self, running: Running, job: Job, result: Mapping[str, Any] | None) -> Output | None:
        """A result as an output, None where the request is to be sent again. Raises TargetDownError."""
        provider_id = running.batch.provider_id
        if result is not None:
            return self._batches.output(provider_id, result, self._arm.at_epoch(job), running.left_out)
        failure = Failure(kind="infra", code="not_in_batch", message="the batch ended without a result for it")
        return Output(failure=failure, metadata={"batch": provider_id}, finished_at=now())

    @staticmethod
    def _one_committed(running: Running) -> None:
        running.uncommitted -= 1
        running.committed.set()

    # helpers -------------------------------------------------------------------------------------------------------

    def _let_go(self, keys: Iterable[Key]) -> None:
        for key in list(keys):
            self._arm.let_go(key)

    def _show(self) -> None:
        """Say of the first batch that has not ended how far it is."""
        waiting = [(i, r) for i, r in enumerate(self._running, 1) if r.pending and not r.status.ended]
        if not waiting:
            self._arm.progress.waiting = ""
            return
        number, running = waiting[0]
        total = running.status.total or running.batch.requests
        since = datetime.fromisoformat(running.batch.submitted_at).astimezone().strftime("%H:%M")
        self._arm.progress.waiting = (
            f"batch {number} of {len(self._running)}: {running.status.done:,} of {total:,} done, submitted {since}"
        )

    async def _pause(self, seconds: float) -> bool:
        """Wait; True as soon as we are stopped."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        return self._stopped.is_set()

    async def _or_stop(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What the work gives, None as soon as we are stopped."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            stop.cancel()


OVERHEAD = 1024
"""Bytes that the envelope around a batch's entries may take."""
