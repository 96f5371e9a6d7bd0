"""Reading and keeping: datasets, outputs, scores, trials. Plain blocking calls; callers choose the thread."""

from __future__ import annotations

import json
from array import array
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Self, TypeVar

from sqlalchemy import Connection, Dialect, Select, Table, func, literal, select, text
from sqlalchemy.exc import SQLAlchemyError

from seatrial.core.case import Case
from seatrial.core.identity import SCHEME, canonical, digest, encode, from_bytes, loads, to_bytes
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.core.vault import Vault, mark_of
from seatrial.errors import NotFoundError, SealKeyError
from seatrial.store import schema
from seatrial.store.codec import SEALED, pack, pack_sealed, unpack
from seatrial.store.engine import connect, store_error, writing
from seatrial.store.sealed import case_of, is_stand_in, open_case, output_of, score_of

T = TypeVar("T")

CHUNK = 500
ROWS_AT_ONCE = 64
ROWS_READ = 1000
RECENT = 4000
STATUSES = ("scored", "not_applicable", "model_failure", "infra_error", "judge_error")
OUTPUT_STATUSES = ("ok", "model_failure", "infra_error")


class Dataset(NamedTuple):
    """A committed version of a dataset."""

    id: int
    hash: str
    name: str
    cases: int
    shares: Mapping[str, Mapping[str, float]]


class StoredCase(NamedTuple):
    """A case at its place in a dataset."""

    position: int
    case: Case


class CaseFacts(NamedTuple):
    """What a verdict needs to know of a case, without its text."""

    position: int
    key: str
    origin: str
    seed_id: str
    input_hash: bytes
    weight: float
    strata: Mapping[str, str]


class OutputHead(NamedTuple):
    """An output's place and state, without its payload."""

    id: int
    hash: bytes
    status: str
    attempt: int


class ScoreHead(NamedTuple):
    """A score's numbers, without its reason."""

    id: int
    status: str
    value: float | None
    passed: bool | None
    measure: float | None
    attempt: int


class RunRow(NamedTuple):
    """One target's run within a trial."""

    id: int
    trial_id: str
    target: str
    definition: Mapping[str, Any]
    series: str
    epochs: int
    key: bytes
    counts: Mapping[str, Any]


class TrialRow(NamedTuple):
    """One execution of a suite."""

    id: str
    name: str
    suite_hash: bytes
    suite: Mapping[str, Any]
    dataset_id: int
    environment: Mapping[str, Any]
    status: str
    started_at: str
    finished_at: str | None


class RunItem(NamedTuple):
    """One line of a run's manifest; a score id of 0 means that the rubric does not apply to the case."""

    position: int
    epoch: int
    output_id: int
    score_ids: bytes


def now() -> str:
    """The present moment in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


class Store:
    """A project's store. Safe to use from several threads; writes wait for each other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = connect(path)
        self._recent: dict[int, Case] = {}
        self._lock = Lock()
        self.vault: Vault | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; the write-ahead log is folded into the file."""
        self.engine.dispose()

    @contextmanager
    def unsealed(self, vault: Vault | None) -> Generator[None]:
        """Sealed payloads are read whole while this lasts, and what a run writes is sealed; None changes nothing."""
        before, self.vault = self.vault, vault or self.vault
        try:
            yield
        finally:
            self.vault = before
            with self._lock:
                if vault is not None:
                    self._recent.clear()

    def blind(self, raw: bytes) -> bytes:
        """The hash under which something is kept: another one while a sealed split is open."""
        return raw if self.vault is None else self.vault.blind(raw)

    def value(self, stored: bytes) -> Any:
        """What a payload holds; of a sealed one its stand-in, unless it is unsealed."""
        return unpack(stored, self.vault)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection that sees one consistent state."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as cause:
            raise store_error(cause, self.path) from cause

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """One transaction that holds the write lock from its start."""
        try:
            with writing(self.engine) as connection:
                yield connection
        except SQLAlchemyError as cause:
            raise store_error(cause, self.path) from cause

    def _all(self, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        with self.reading() as connection:
            return connection.execute(query).all()

    # datasets -----------------------------------------------------------------------------------------------------

    def dataset_by_source(self, fingerprint: str) -> Dataset | None:
        """The version that a file of this fingerprint became, if it was imported before."""
        sources, t = schema.dataset_sources, schema.datasets
        query = (
            select(t)
            .join(sources, sources.c.dataset_id == t.c.id)
            .where(sources.c.fingerprint == to_bytes(fingerprint))
        )
        return next((_dataset(row) for row in self._all(query)), None)

    def dataset_by_hash(self, identity: str) -> Dataset | None:
        """The version of that hash, if it was committed here."""
        rows = self._all(select(schema.datasets).where(schema.datasets.c.hash == to_bytes(identity)))
        return next((_dataset(row) for row in rows), None)

    def dataset(self, dataset_id: int) -> Dataset:
        """A committed version by its number."""
        rows = self._all(select(schema.datasets).where(schema.datasets.c.id == dataset_id))
        if not rows:
            raise NotFoundError(f"The store {self.path} holds no dataset {dataset_id}.")
        return _dataset(rows[0])

    def dataset_made_at(self, dataset_id: int) -> str:
        """When a version was first kept, an ISO 8601 time."""
        t = schema.datasets.c
        return str(self._all(select(t.created_at).where(t.id == dataset_id))[0][0])

    def keep_dataset(
        self, name: str, cases: Iterable[Case], shares: Mapping[str, Mapping[str, float]], source: str | None
    ) -> Dataset:
        """Commit all cases as one version, or nothing: an error of the iterator rolls everything back."""
        with self.writing() as connection:
            dataset_id = _next_id(connection, schema.datasets)
            running, count = sha256(), 0
            first: dict[int, Case] = {}
            for chunk in chunks(cases):
                ids = _keep_cases(connection, chunk, self.vault)
                if count < RECENT:
                    first.update({ids[to_bytes(case.hash)]: case for case in chunk})
                members = [(dataset_id, count + i, ids[to_bytes(case.hash)]) for i, case in enumerate(chunk)]
                insert(connection, schema.dataset_cases, ("dataset_id", "position", "case_id"), members)
                for case in chunk:
                    running.update(to_bytes(case.hash))
                count += len(chunk)
            running.update(to_bytes(digest("shares", shares)))
            found = connection.execute(
                select(schema.datasets).where(schema.datasets.c.hash == running.digest())
            ).first()
            if found is not None:
                connection.execute(schema.dataset_cases.delete().where(schema.dataset_cases.c.dataset_id == dataset_id))
            else:
                row = {"id": dataset_id, "hash": running.digest(), "name": name, "cases": count}
                row |= {"shares": canonical(shares), "created_at": now()}
                connection.execute(schema.datasets.insert(), row)
                found = connection.execute(select(schema.datasets).where(schema.datasets.c.id == dataset_id)).one()
            if source is not None:
                _replace(connection, schema.dataset_sources, {"fingerprint": to_bytes(source), "dataset_id": found.id})
        self._remember(first)  # only now: a fault would have taken their numbers back
        return _dataset(found)

    def case_ids(self, dataset_id: int) -> array[int]:
        """The number of each case of a dataset, by its position."""
        t = schema.dataset_cases.c
        query = select(t.case_id).where(t.dataset_id == dataset_id).order_by(t.position)
        with self.reading() as connection:
            return array("q", connection.execute(query).scalars())

    def cases(self, dataset_id: int, positions: Sequence[int]) -> list[StoredCase]:
        """The cases at these positions, in the order asked."""
        t = schema.dataset_cases.c
        places = select(t.position, t.case_id).where(t.dataset_id == dataset_id)
        at: dict[int, int] = {}
        with self.reading() as connection:
            for chunk in chunks(positions):
                at.update((row[0], row[1]) for row in connection.execute(places.where(t.position.in_(chunk))))
        found = self.cases_of([at[position] for position in positions])
        return [StoredCase(position, case) for position, case in zip(positions, found, strict=True)]

    def cases_of(self, ids: Sequence[int]) -> list[Case]:
        """The cases with these numbers, in the order asked; of those at hand nothing is read."""
        payloads, rows = schema.case_payloads.c, schema.cases.c
        whole = select(payloads.case_id, payloads.payload, rows.view_hash, rows.input_hash).join(
            schema.cases, rows.id == payloads.case_id
        )
        found = {i: case for i in ids if (case := self._recent.get(i)) is not None}
        if missing := [i for i in dict.fromkeys(ids) if i not in found]:
            with self.reading() as connection:
                for chunk in chunks(missing):
                    read = connection.execute(whole.where(payloads.case_id.in_(chunk)))
                    fresh = {row[0]: self._case(row[1], row[2], row[3]) for row in read}
                    found |= fresh
                    self._remember(fresh)
        return [found[i] for i in ids]

    def _case(self, payload: bytes, view: bytes, said: bytes) -> Case:
        plain = self.value(payload)
        if is_stand_in(plain) or payload[:1] == SEALED:
            return case_of(plain)
        return Case.kept(plain, from_bytes("view", view), from_bytes("input", said))

    def _remember(self, cases: Mapping[int, Case]) -> None:
        """Keep the last few thousand cases at hand: all arms of a trial read them in the same order."""
        with self._lock:
            self._recent.update(cases)
            for case_id in list(islice(self._recent, max(0, len(self._recent) - RECENT))):
                del self._recent[case_id]

    def case_facts(self, dataset_id: int) -> Iterator[CaseFacts]:
        """Every case's place, cluster, weight and strata, in order."""
        c, members = schema.cases.c, schema.dataset_cases
        query = (
            select(members.c.position, c.key, c.origin, c.seed_id, c.input_hash, c.weight, c.strata)
            .join(schema.cases, c.id == members.c.case_id)
            .where(members.c.dataset_id == dataset_id)
            .order_by(members.c.position)
        )
        with self.reading() as connection:
            for row in connection.execute(query).yield_per(ROWS_READ):
                yield CaseFacts(*row[:6], strata=loads(row[6]))

    def case_keys(self, dataset_id: int) -> Iterator[tuple[str, str]]:
        """Every case's (id, input_hash), in order."""
        for facts in self.case_facts(dataset_id) if self.vault is None else ():
            yield facts.key, f"input:{SCHEME}:{facts.input_hash.hex()}"
        for some in chunks(range(self.dataset(dataset_id).cases)) if self.vault is not None else ():
            yield from ((stored.case.id, stored.case.input_hash) for stored in self.cases(dataset_id, some))

    # outputs and scores -------------------------------------------------------------------------------------------

    def has_outputs(self, series: str) -> bool:
        """Whether there is any output of a series."""
        return bool(self._all(select(schema.outputs.c.id).where(schema.outputs.c.series == series).limit(1)))

    def find_outputs(self, request_hashes: Iterable[bytes], series: str, epoch: int) -> dict[bytes, OutputHead]:
        """The newest attempt at each request of a series and epoch."""
        t = schema.outputs.c
        query = select(t.request_hash, t.id, t.hash, t.status, t.attempt).where(t.series == series, t.epoch == epoch)
        found: dict[bytes, OutputHead] = {}
        with self.reading() as connection:
            for chunk in chunks(request_hashes):
                for row in connection.execute(query.where(t.request_hash.in_(chunk)).order_by(t.attempt)).all():
                    found[row[0]] = OutputHead(row[1], row[2], OUTPUT_STATUSES[row[3]], row[4])
        return found

    def find_scores(self, keys: Iterable[bytes]) -> dict[bytes, ScoreHead]:
        """The newest attempt at each score key."""
        t = schema.scores.c
        query = select(t.key, t.id, t.status, t.value, t.passed, t.measure, t.attempt)
        found: dict[bytes, ScoreHead] = {}
        with self.reading() as connection:
            for chunk in chunks(keys):
                for row in connection.execute(query.where(t.key.in_(chunk)).order_by(t.attempt)).all():
                    found[row[0]] = _score_head(row[1:])
        return found

    def output_facts(self, ids: Iterable[int]) -> dict[int, tuple[str, str]]:
        """The hash, in hex digits, and the time (empty where nobody knows) of outputs by their numbers."""
        t = schema.outputs.c
        found: dict[int, tuple[str, str]] = {}
        with self.reading() as connection:
            for chunk in chunks(ids):
                for row in connection.execute(select(t.id, t.hash, t.finished_at).where(t.id.in_(chunk))):
                    found[row[0]] = (row[1].hex(), row[2])
        return found

    def load_outputs(self, ids: Iterable[int]) -> dict[int, Output]:
        """Whole outputs by their numbers."""
        t = schema.output_payloads.c
        found: dict[int, Output] = {}
        with self.reading() as connection:
            for chunk in chunks(ids):
                for output_id, payload in connection.execute(
                    select(t.output_id, t.payload).where(t.output_id.in_(chunk))
                ):
                    found[output_id] = output_of(self.value(payload))
        return found

    def load_scores(self, ids: Iterable[int]) -> dict[int, Score]:
        """Whole scores, reason and evidence included, by their numbers."""
        t, p = schema.scores.c, schema.score_payloads.c
        query = select(t.id, t.status, t.value, t.passed, t.measure, p.payload).outerjoin(
            schema.score_payloads, p.score_id == t.id
        )
        found: dict[int, Score] = {}
        with self.reading() as connection:
            for chunk in chunks(ids):
                for row in connection.execute(query.where(t.id.in_(chunk))):
                    head: dict[str, Any] = {"status": STATUSES[row[1]], "value": row[2], "measure": row[4]}
                    head["passed"] = None if row[3] is None else bool(row[3])
                    found[row[0]] = score_of(head, self.value(row[5]) if row[5] else {})
        return found

    def load_request(self, request_hash: bytes) -> Any:
        """The request as it was sent, without secrets; None when it is not kept."""
        t = schema.requests.c
        rows = self._all(select(t.payload).where(t.hash == request_hash))
        return self.value(rows[0][0]) if rows else None

    def scorer_id(self, scorer_hash: str, name: str, definition: Mapping[str, Any]) -> int:
        """The number of a scorer's definition, kept on first sight."""
        t = schema.scorers
        with self.writing() as connection:
            found = connection.execute(select(t.c.id).where(t.c.hash == to_bytes(scorer_hash))).scalar()
            if found is not None:
                return found
            new = _next_id(connection, t)
            row = {"id": new, "hash": to_bytes(scorer_hash), "name": name, "definition": canonical(definition)}
            connection.execute(t.insert(), row)
            return new

    # trials and runs ----------------------------------------------------------------------------------------------

    def start_trial(self, trial: TrialRow, runs: Sequence[RunRow]) -> list[int]:
        """Write down a trial and its runs before anything is asked; gives the runs' numbers."""
        with self.writing() as connection:
            row = trial._asdict() | {"suite": pack(trial.suite), "environment": canonical(trial.environment)}
            connection.execute(schema.trials.insert(), row)
            first = _next_id(connection, schema.runs)
            rows = [
                run._asdict() | {"id": first + i, "definition": encode(run.definition).decode(), "counts": "{}"}
                for i, run in enumerate(runs)
            ]
            connection.execute(schema.runs.insert(), rows)
        return [first + i for i in range(len(runs))]

    def finish_run(self, run_id: int, items: Iterable[RunItem], counts: Mapping[str, Any], *, complete: bool) -> None:
        """Write a run's manifest, once. `complete`: it holds no error, so nothing in it can ever be asked again."""
        with self.writing() as connection:
            for chunk in chunks(items, 2000):
                insert(connection, schema.run_items, ("run_id", *RunItem._fields), [(run_id, *item) for item in chunk])
            _close_run(connection, run_id, counts, complete=complete)

    def finish_trial(self, trial_id: str, status: str) -> None:
        """Set a trial's outcome: `done`, `interrupted` or `failed`."""
        with self.writing() as connection:
            t = schema.trials
            connection.execute(t.update().where(t.c.id == trial_id), {"status": status, "finished_at": now()})

    def note_trial(self, trial_id: str, about: Mapping[str, Any]) -> None:
        """Add facts to what is kept about a trial."""
        t = schema.trials
        with self.writing() as connection:
            held = connection.execute(select(t.c.environment).where(t.c.id == trial_id)).scalar_one()
            changed = {"environment": canonical({**json.loads(held), **about})}
            connection.execute(t.update().where(t.c.id == trial_id), changed)

    def trials(self, name: str | None = None, limit: int = 50) -> list[TrialRow]:
        """The newest trials first."""
        t = schema.trials
        query = select(t).order_by(t.c.started_at.desc(), t.c.id.desc()).limit(limit)
        return [_trial(row) for row in self._all(query if name is None else query.where(t.c.name == name))]

    def trial(self, trial_id: str) -> TrialRow:
        """A trial by its id, or by the beginning of one."""
        t = schema.trials
        rows = self._all(select(t).where(t.c.id.startswith(trial_id, autoescape=True)).limit(2))
        if len(rows) != 1:
            what = "no trial" if not rows else "several trials"
            raise NotFoundError(
                f"The store {self.path} holds {what} {trial_id!r}.", hint="`seatrial trials` lists them"
            )
        return _trial(rows[0])

    def runs(self, trial_id: str) -> list[RunRow]:
        """A trial's runs, in the order of its targets."""
        t = schema.runs
        rows = self._all(select(t).where(t.c.trial_id == trial_id).order_by(t.c.id))
        return [
            RunRow(
                r.id, r.trial_id, r.target, json.loads(r.definition), r.series, r.epochs, r.key, json.loads(r.counts)
            )
            for r in rows
        ]

    def series(self) -> list[str]:
        """The series that runs were made in, the newest first; `main` is left out."""
        t = schema.runs.c
        query = select(t.series).where(t.series != "main").group_by(t.series).order_by(func.max(t.id).desc())
        return [row[0] for row in self._all(query)]

    def complete_run(self, key: bytes) -> int | None:
        """The newest run with this key that finished without an error: its manifest can stand for another."""
        t = schema.runs.c
        query = select(t.id).where(t.key == key, t.complete == 1).order_by(t.id.desc()).limit(1)
        return next((row[0] for row in self._all(query)), None)

    def repeat_run(self, run_id: int, earlier: int, counts: Mapping[str, Any]) -> None:
        """Give a run the manifest of an earlier one."""
        t = schema.run_items
        copied = select(literal(run_id), t.c.position, t.c.epoch, t.c.project_id, t.c.output_id, t.c.score_ids)
        with self.writing() as connection:
            columns = ["run_id", "position", "epoch", "project_id", "output_id", "score_ids"]
            connection.execute(t.insert().from_select(columns, copied.where(t.c.run_id == earlier)))
            _close_run(connection, run_id, counts, complete=True)

    def run_items(self, run_id: int) -> Iterator[RunItem]:
        """A run's manifest, ordered by case and epoch, line by line."""
        t = schema.run_items.c
        query = select(t.position, t.epoch, t.output_id, t.score_ids).where(t.run_id == run_id)
        with self.reading() as connection:
            for row in connection.execute(query.order_by(t.position, t.epoch)).yield_per(ROWS_READ):
                yield RunItem(*row)

    def integrity(self) -> str:
        """What SQLite's own check says: `ok`, or the first fault."""
        with self.reading() as connection:
            return str(connection.execute(text("PRAGMA quick_check(1)")).scalar())


def score_key(view: bytes, output: bytes, scorer: bytes) -> bytes:
    """The key of a score: what was read, what was judged, who judged, each by the 32 bytes of its identity."""
    return sha256(view + output + scorer).digest()


def _close_run(connection: Connection, run_id: int, counts: Mapping[str, Any], *, complete: bool) -> None:
    row = {"counts": canonical(counts), "complete": int(complete)}
    connection.execute(schema.runs.update().where(schema.runs.c.id == run_id), row)


def _keep_cases(connection: Connection, batch: Sequence[Case], vault: Vault | None) -> dict[bytes, int]:
    t = schema.cases
    by_hash = {to_bytes(case.hash): case for case in batch}
    known: dict[bytes, int] = {
        row[0]: row[1] for row in connection.execute(select(t.c.hash, t.c.id).where(t.c.hash.in_(by_hash)))
    }
    new = [raw for raw in by_hash if raw not in known]
    if not new:
        return known
    first = _next_id(connection, t)
    known.update({raw: first + i for i, raw in enumerate(new)})
    insert(connection, t, CASE_COLUMNS, [_case_row(known[raw], raw, by_hash[raw], vault) for raw in new])
    payloads = [(known[raw], _case_payload(by_hash[raw], vault)) for raw in new]
    insert(connection, schema.case_payloads, ("case_id", "payload"), payloads)
    return known


CASE_COLUMNS = ("id", "hash", "view_hash", "input_hash", "key", "origin", "seed_id", "weight", "strata")


def _case_payload(case: Case, vault: Vault | None) -> bytes:
    if mark_of(case) is None:
        return pack(case.recorded)
    if vault is None:
        raise SealKeyError("A sealed case cannot be kept without its key.", hint="only a run opens a sealed split")
    return pack_sealed(encode(case.recorded), open_case(case, vault), vault)


def _case_row(case_id: int, raw: bytes, case: Case, vault: Vault | None) -> tuple[Any, ...]:
    if mark_of(case) is not None and vault is not None:
        case = case_of(open_case(case, vault))
    hashes = (raw, to_bytes(case.view_hash), to_bytes(case.input_hash))
    texts = (storable(case.id), case.origin, storable(case.seed_id))
    return (case_id, *hashes, *texts, case.weight, canonical(case.strata))


def insert(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    ignore: bool = False,
) -> int:
    """Insert many rows by the driver's own fast path; gives how many were new. Project ids take their default."""
    if not rows:
        return 0
    head, places = _insertion(connection.dialect, table, tuple(columns), ignore)
    kept = 0
    for block in chunks(rows, ROWS_AT_ONCE):
        sql = f"{head} VALUES {', '.join([places] * len(block))}"
        kept += connection.exec_driver_sql(sql, tuple(chain.from_iterable(block))).rowcount
    return kept


@lru_cache(maxsize=64)
def _insertion(dialect: Dialect, table: Table, columns: tuple[str, ...], ignore: bool) -> tuple[str, str]:
    """The statement up to its rows, and the places of one row."""
    statement = table.insert().prefix_with("OR IGNORE") if ignore else table.insert()
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns))
    assert compiled.positiontup == list(columns), "columns must be named in the table's order"
    head, _, places = str(compiled).rpartition(" VALUES ")
    return head, places


def storable(value: str) -> str:
    """Text that any database takes: lone surrogates and null characters become their escapes."""
    if value.isascii() and "\x00" not in value:
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def _next_id(connection: Connection, table: Table) -> int:
    return (connection.execute(select(func.max(table.c.id))).scalar() or 0) + 1


def _replace(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    keys = [table.c.fingerprint == row["fingerprint"], table.c.project_id == schema.PROJECT]
    connection.execute(table.delete().where(*keys))
    connection.execute(table.insert(), {**row, "project_id": schema.PROJECT})


def _dataset(row: Any) -> Dataset:
    return Dataset(row.id, f"dataset:{SCHEME}:{row.hash.hex()}", row.name, row.cases, json.loads(row.shares))


def _score_head(row: Sequence[Any]) -> ScoreHead:
    score_id, status, value, passed, measure, attempt = row
    return ScoreHead(score_id, STATUSES[status], value, None if passed is None else bool(passed), measure, attempt)


def _trial(row: Any) -> TrialRow:
    environment = json.loads(row.environment)
    return TrialRow(
        row.id,
        row.name,
        row.suite_hash,
        unpack(row.suite),
        row.dataset_id,
        environment,
        row.status,
        row.started_at,
        row.finished_at,
    )
