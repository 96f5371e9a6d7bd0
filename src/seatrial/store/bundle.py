"""A trial as one file: everything its verdict is drawn from, to be drawn again where its store is not.

A zip of JSON lines, written row by row, the same bytes for the same rows. Numbers are places in the file, never the
store's. What is read is hostile: only members of known names are opened, nothing is unpacked to a path, sizes and
counts are bounded before a row is read, and every case, output and scorer must have the identity that it states.
"""

from __future__ import annotations

import zipfile
import zlib
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from sqlalchemy import LargeBinary, Table, select

from seatrial.core.case import Case
from seatrial.core.files import write_whole
from seatrial.core.identity import digest, encode, from_bytes, loads
from seatrial.core.record import as_dict
from seatrial.errors import BundleError, StoreError, safe
from seatrial.store import schema
from seatrial.store.codec import json_bytes, pack_json
from seatrial.store.modellists import MOST_LOOKED_UP
from seatrial.store.sealed import case_of, is_stand_in
from seatrial.store.store import RunItem, RunRow, Store, TrialRow, chunks, insert

FORMAT = "seatrial.bundle/1"
HEAD = "bundle.json"
MEMBERS = ("cases.jsonl", "earlier.jsonl", "scorers.jsonl", "outputs.jsonl", "scores.jsonl", "lines.jsonl")
BESIDE_OUTPUTS = (schema.output_timings, schema.output_prices)
DATE = (1980, 1, 1, 0, 0, 0)
LEVEL = 6
MOST_BYTES = 40 << 30
"""What all members of a bundle may unpack to."""
MOST_RATIO = 250
"""How many times its own size a bundle may unpack to, beyond the first `FREE` bytes."""
FREE = 64 << 20
LONGEST_LINE = 128 << 20
MOST_SLOTS = 200_000_000
"""Cases times epochs times rubrics, which a verdict holds in memory."""
AT_ONCE = 4000
"""Rows that are inserted together."""
LONGEST_HEAD = 16 << 20
HINT = "export it again where the trial was made"

Ids = NDArray[np.int64]


class Exported(NamedTuple):
    """What went into a bundle: its digest, and how many rows each member has."""

    digest: str
    rows: Mapping[str, int]


# out ------------------------------------------------------------------------------------------------------------------


def export(store: Store, trial_id: str, path: Path, private: Sequence[str] = ()) -> Exported:
    """Write a trial's bundle, whole or not at all. `private`: keys of the environment that stay at home.

    Raises NotFoundError for an unknown trial, UsageError where the file cannot be written.
    """
    trial = store.trial(trial_id)
    runs = store.runs(trial.id)
    made: list[Exported] = []
    write_whole(path, lambda out: made.append(_write(store, trial, runs, out, private)), "The bundle")
    return made[0]


def _write(store: Store, trial: TrialRow, runs: Sequence[RunRow], out: IO[bytes], private: Sequence[str]) -> Exported:
    outputs, scores = _numbers(store, runs)
    writers: dict[str, Iterable[Any]] = {
        "cases.jsonl": _cases(store, trial.dataset_id),
        "earlier.jsonl": _earlier(store, runs),
        "scorers.jsonl": _scorers(store, scores),
        "outputs.jsonl": _outputs(store, outputs),
        "scores.jsonl": _scores(store, scores, outputs),
        "lines.jsonl": _lines(store, runs, outputs, scores),
    }
    members: dict[str, Any] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=LEVEL) as archive:
        for name in MEMBERS:
            members[name] = _member(archive, name, writers[name])
        head = _head(store, trial, runs, private) | {"members": members}
        head["digest"] = digest("bundle", head)
        with archive.open(_info(HEAD), "w") as member:
            member.write(encode(head))
    return Exported(head["digest"], {name: int(about["rows"]) for name, about in members.items()})


def _info(name: str) -> zipfile.ZipInfo:
    """A member that says nothing of when and where it was written."""
    info = zipfile.ZipInfo(name, DATE)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
    return info


def _member(archive: zipfile.ZipFile, name: str, rows: Iterable[Any]) -> dict[str, Any]:
    running, count, size = sha256(), 0, 0
    with archive.open(_info(name), "w", force_zip64=True) as member:
        for row in rows:
            line = (row if isinstance(row, bytes) else encode(row)) + b"\n"
            running.update(line)
            member.write(line)
            count, size = count + 1, size + len(line)
    return {"rows": count, "bytes": size, "sha256": running.hexdigest()}


def _head(store: Store, trial: TrialRow, runs: Sequence[RunRow], private: Sequence[str]) -> dict[str, Any]:
    dataset = store.dataset(trial.dataset_id)
    environment = {key: value for key, value in trial.environment.items() if key not in private}
    about = trial._asdict() | {"suite_hash": trial.suite_hash.hex(), "environment": environment}
    about.pop("dataset_id")
    with store.reading() as connection:
        t = schema.runs.c
        found = connection.execute(select(t.id, t.complete).where(t.trial_id == trial.id)).all()
        complete: dict[int, int] = {row[0]: row[1] for row in found}
    kept = [
        {key: value for key, value in run._asdict().items() if key not in ("id", "trial_id")}
        | {"key": run.key.hex(), "complete": complete[run.id]}
        for run in runs
    ]
    return {
        "format": FORMAT,
        "schema": schema.REVISION,
        "trial": about,
        "runs": kept,
        "dataset": {"name": dataset.name, "hash": dataset.hash, "shares": dataset.shares, "cases": dataset.cases},
        "columns": {table.name: _columns(table) for table in (schema.outputs, *BESIDE_OUTPUTS, schema.scores)},
    }


def _columns(table: Table) -> list[str]:
    """The columns of a table that are content: no numbers of the store's."""
    return [c.name for c in table.c if c.name not in ("id", "project_id", "output_id", "scorer_id")]


def _numbers(store: Store, runs: Sequence[RunRow]) -> tuple[Ids, Ids]:
    """The store's numbers of all outputs and scores that the runs name, sorted: their places in the bundle."""
    outputs, scores = array("q"), array("q")
    for run in runs:
        for item in store.run_items(run.id):
            outputs.append(item.output_id)
            scores.frombytes(item.score_ids)
    found = np.unique(np.frombuffer(scores, dtype=np.int64)) if scores else np.zeros(0, dtype=np.int64)
    named = np.unique(np.frombuffer(outputs, dtype=np.int64)) if outputs else np.zeros(0, dtype=np.int64)
    return named[named > 0], found[found > 0]


def _line(head: Any, payload: bytes | None) -> bytes:
    """A row and its payload, whose bytes stay as they are: the order of its keys may mean something."""
    return b"[" + encode(head) + b"," + (json_bytes(payload) if payload is not None else b"null") + b"]"


def _cases(store: Store, dataset_id: int) -> Iterator[bytes]:
    members, p, c = schema.dataset_cases.c, schema.case_payloads.c, schema.cases.c
    query = (
        select(c.hash, p.payload)
        .join_from(schema.dataset_cases, schema.cases, c.id == members.case_id)
        .join(schema.case_payloads, p.case_id == members.case_id)
        .where(members.dataset_id == dataset_id)
        .order_by(members.position)
    )
    with store.reading() as connection:
        for hashed, payload in connection.execute(query):
            yield _line(hashed.hex(), payload)


def _earlier(store: Store, runs: Sequence[RunRow]) -> Iterator[Any]:
    """Older outputs of the same requests that another model served: they are warned of, so their heads come along."""
    names = _columns(schema.outputs)
    mine, older, items = schema.outputs.alias("mine"), schema.outputs.alias("older"), schema.run_items.c
    seen: set[int] = set()
    for run in runs:
        some = select(items.output_id).where(items.run_id == run.id).order_by(items.position).limit(MOST_LOOKED_UP)
        query = (
            select(older.c.id, *(older.c[name] for name in names))
            .join_from(mine, older, (older.c.request_hash == mine.c.request_hash) & (older.c.id < mine.c.id))
            .where(mine.c.id.in_(some), mine.c.status == 0, older.c.status == 0)
            .where(older.c.served_model != mine.c.served_model, older.c.served_model != "", mine.c.served_model != "")
            .where(older.c.id.not_in(select(items.output_id).where(items.run_id.in_([r.id for r in runs]))))
            .order_by(older.c.id)
        )
        with store.reading() as connection:
            for row in connection.execute(query):
                if row[0] not in seen:
                    seen.add(row[0])
                    yield _plain(row[1:])


def _scorers(store: Store, scores: Ids) -> Iterator[Any]:
    for row in _scorer_rows(store, scores):
        yield [row.hash.hex(), row.name, loads(row.definition)]


def _scorer_rows(store: Store, scores: Ids) -> Sequence[Any]:
    """The scorers of these scores, by hash."""
    t, used = schema.scores.c, set[int]()
    with store.reading() as connection:
        for chunk in chunks(scores.tolist()):
            used |= set(connection.execute(select(t.scorer_id).where(t.id.in_(chunk)).distinct()).scalars())
        query = select(schema.scorers).where(schema.scorers.c.id.in_(used)).order_by(schema.scorers.c.hash)
        return connection.execute(query).all()


def _outputs(store: Store, outputs: Ids) -> Iterator[bytes]:
    """Each output's row, the rows beside it (null where there is none), and its payload."""
    tables = (schema.outputs, *BESIDE_OUTPUTS)
    names = [_columns(table) for table in tables]
    columns = [table.c[name] for table, listed in zip(tables, names, strict=True) for name in listed]
    owners = [table.c.output_id for table in BESIDE_OUTPUTS]
    p = schema.output_payloads.c
    query = select(*columns, *owners, p.payload).select_from(schema.outputs)
    for table in (*BESIDE_OUTPUTS, schema.output_payloads):
        query = query.outerjoin(table, table.c.output_id == schema.outputs.c.id)
    with store.reading() as connection:
        for chunk in chunks(outputs.tolist()):
            where = schema.outputs.c.id
            for row in connection.execute(query.where(where.in_(chunk)).order_by(where)):
                values, head = iter(_plain(row[:-1])), list[Any]()
                head = [[next(values) for _ in listed] for listed in names]
                there = [True, *(owner is not None for owner in values)]
                yield _line([part if held else None for part, held in zip(head, there, strict=True)], row[-1])


def _scores(store: Store, scores: Ids, outputs: Ids) -> Iterator[bytes]:
    """Each score's row, the places of its scorer and its output (-1 where that is in no run), and its details."""
    t, p, names = schema.scores, schema.score_payloads.c, _columns(schema.scores)
    query = select(t.c.output_id, t.c.scorer_id, *(t.c[name] for name in names), p.payload)
    query = query.select_from(t).outerjoin(schema.score_payloads, p.score_id == t.c.id)
    place = {row.id: at for at, row in enumerate(_scorer_rows(store, scores))}
    with store.reading() as connection:
        for chunk in chunks(scores.tolist()):
            for found in connection.execute(query.where(t.c.id.in_(chunk)).order_by(t.c.id)):
                row: tuple[Any, ...] = tuple(found)
                at = int(np.searchsorted(outputs, int(row[0])))
                held = at < len(outputs) and int(outputs[at]) == row[0]
                yield _line([_plain(row[2:-1]), place[row[1]], at if held else -1], row[-1])


def _lines(store: Store, runs: Sequence[RunRow], outputs: Ids, scores: Ids) -> Iterator[Any]:
    """Each run's manifest; a score of -1 means that the rubric does not apply."""
    for number, run in enumerate(runs):
        for item in store.run_items(run.id):
            ids = np.frombuffer(item.score_ids, dtype="<i8")
            places = np.where(ids > 0, np.searchsorted(scores, ids), -1)
            yield [number, item.position, item.epoch, int(np.searchsorted(outputs, item.output_id)), places.tolist()]


def _plain(row: Sequence[Any]) -> list[Any]:
    return [value.hex() if isinstance(value, bytes) else value for value in row]


# in -------------------------------------------------------------------------------------------------------------------


def restore(path: Path, store: Store) -> str:
    """Build the trial of a bundle in an empty store; gives its id.

    Raises BundleError that names the member and row for whatever is damaged, altered or unsafe.
    """
    if store.trials(limit=1):
        raise BundleError("A bundle is restored into an empty store only.")
    name = safe(str(path), 200)
    try:
        with zipfile.ZipFile(path) as archive, _clear(name):
            return _Restoring(archive, store, name).run()
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as cause:
        why = (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
        raise BundleError(f"The bundle {name} cannot be read: {safe(why, 200)}.", hint=HINT) from cause


@contextmanager
def _clear(name: str) -> Generator[None]:
    """Rows of the wrong shape as one error: a manifest may say anything."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError, OverflowError, StoreError) as cause:
        raise BundleError(f"The bundle {name} is not put together as bundles are: {safe(str(cause), 200)}.") from cause


class _Restoring:
    """A bundle on its way into a store."""

    def __init__(self, archive: zipfile.ZipFile, store: Store, name: str) -> None:
        self._archive, self._store, self._name = archive, store, name
        self._infos = self._checked_infos()
        self._head = self._read_head()
        self._members: Mapping[str, Any] = self._head["members"]

    def run(self) -> str:
        dataset = self._head["dataset"]
        kept = self._store.keep_dataset(dataset["name"], self._cases(), dataset["shares"], None)
        if kept.hash != dataset["hash"]:
            raise self._fault(f"its cases are the dataset {kept.hash}, not {safe(dataset['hash'])}")
        scorers = [self._scorer(row) for row in self._rows("scorers.jsonl")]
        earlier = self._heads(1)
        first = self._outputs(earlier + 1)
        self._scores(scorers, earlier + 1, first)
        return self._trial(kept.id, earlier + 1, first)

    def _fault(self, what: str) -> BundleError:
        return BundleError(f"The bundle {self._name} cannot be used: {what}.", hint=HINT)

    def _checked_infos(self) -> dict[str, zipfile.ZipInfo]:
        """The members, each once, of known names, neither encrypted nor too large. Nothing is unpacked before."""
        infos = self._archive.infolist()
        names = sorted(info.filename for info in infos)
        if names != sorted((HEAD, *MEMBERS)):
            raise self._fault(f"it holds {safe(', '.join(names[:20]), 200)} instead of its own members")
        total, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
        if total > MOST_BYTES or total > FREE + MOST_RATIO * packed:
            raise self._fault(f"it would unpack to {total:,} bytes from {packed:,}")
        if any(i.flag_bits & 1 or i.compress_type != zipfile.ZIP_DEFLATED for i in infos):
            raise self._fault("a member is encrypted, or packed in another way than bundles are")
        return {info.filename: info for info in infos}

    def _read_head(self) -> dict[str, Any]:
        if self._infos[HEAD].file_size > LONGEST_HEAD:
            raise self._fault(f"{HEAD} is too large")
        head = as_dict(loads(self._archive.read(self._infos[HEAD]))) or {}
        if head.get("format") != FORMAT:
            raise self._fault(f"its format is {safe(head.get('format', 'unknown'))}, this version reads {FORMAT}")
        if head.get("digest") != digest("bundle", {key: value for key, value in head.items() if key != "digest"}):
            raise self._fault(f"{HEAD} was altered: its digest does not hold")
        for table in (schema.outputs, *BESIDE_OUTPUTS, schema.scores):
            if unknown := set(head["columns"][table.name]) - set(_columns(table)):
                raise self._fault(f"a newer version wrote it: {safe(', '.join(sorted(unknown)))} is not known here")
        return head

    def _rows(self, name: str) -> Iterator[Any]:
        """A member's rows; its size, count and digest must be what the head says."""
        said, running, count = self._members[name], sha256(), 0
        with self._archive.open(self._infos[name]) as member:
            for line in iter(lambda: member.readline(LONGEST_LINE), b""):
                running.update(line)
                count += 1
                if not line.endswith(b"\n") or count > said["rows"]:
                    raise self._fault(f"{name} has a row too long or too many, at row {count:,}")
                try:
                    yield loads(line)
                except ValueError:
                    raise self._fault(f"{name} row {count:,} is not JSON") from None
        if count != said["rows"] or running.hexdigest() != said["sha256"]:
            raise self._fault(f"{name} was altered: its {count:,} rows have another digest")

    def _cases(self) -> Iterator[Case]:
        for row, (hashed, plain) in enumerate(self._rows("cases.jsonl"), 1):
            try:
                case = case_of(plain)
            except ValidationError as cause:
                raise self._fault(f"cases.jsonl row {row:,} is no case") from cause
            if case.hash != from_bytes("case", bytes.fromhex(hashed)):
                raise self._fault(f"cases.jsonl row {row:,} is not the case that it says it is")
            yield case

    def _scorer(self, row: Sequence[Any]) -> int:
        hashed, name, definition = row
        return self._store.scorer_id(from_bytes("scorer", bytes.fromhex(hashed)), name, definition)

    def _heads(self, first: int) -> int:
        """Keep the heads of earlier outputs; gives the last number."""
        return self._insert("earlier.jsonl", first, lambda number, row: {schema.outputs: (number, *row)})

    def _outputs(self, first: int) -> int:
        """Keep the outputs; gives the last number."""
        at = self._head["columns"]["outputs"].index("hash")

        def tables(number: int, row: Sequence[Any]) -> dict[Table, tuple[Any, ...]]:
            heads, payload = row
            told = payload is not None and not is_stand_in(payload)
            if told and digest("output", payload) != from_bytes("output", bytes.fromhex(heads[0][at])):
                raise self._fault(f"outputs.jsonl row {number - first + 1:,} is not the output that it says it is")
            kept: dict[Table, tuple[Any, ...]] = {schema.outputs: (number, *heads[0])}
            for table, part in zip(BESIDE_OUTPUTS, heads[1:], strict=True):
                if part is not None:
                    kept[table] = (number, *part)
            if payload is not None:
                kept[schema.output_payloads] = (number, pack_json(encode(payload)))
            return kept

        return self._insert("outputs.jsonl", first, tables)

    def _scores(self, scorers: Sequence[int], first: int, last: int) -> None:
        def tables(number: int, row: Sequence[Any]) -> dict[Table, tuple[Any, ...]]:
            (fields, scorer, output), details = row
            owner = first + output if 0 <= output <= last - first else 0
            kept: dict[Table, tuple[Any, ...]] = {schema.scores: (number, owner, scorers[scorer], *fields)}
            if details is not None:
                kept[schema.score_payloads] = (number, pack_json(encode(details)))
            return kept

        self._insert("scores.jsonl", 1, tables)

    def _insert(
        self, name: str, first: int, tables: Callable[[int, Sequence[Any]], Mapping[Table, tuple[Any, ...]]]
    ) -> int:
        """Insert a member's rows, numbered from `first`, into the tables that they belong to; gives the last number."""
        number, plans = first - 1, dict[Table, _Plan]()
        for chunk in chunks(self._rows(name), AT_ONCE):
            held: dict[Table, list[tuple[Any, ...]]] = {}
            for row in chunk:
                number += 1
                for table, values in tables(number, row).items():
                    held.setdefault(table, []).append(values)
            with self._store.writing() as connection:
                for table, rows in held.items():
                    plan = plans.setdefault(table, _Plan.of(table, self._into(table)))
                    insert(connection, table, plan.columns, [plan.row(values) for values in rows])
        return number

    def _into(self, table: Table) -> list[str]:
        """The columns that a row of a table has in the bundle, its numbers first."""
        if table is schema.output_payloads or table is schema.score_payloads:
            return [table.c.keys()[0], "payload"]
        numbers = {schema.outputs: ["id"], schema.scores: ["id", "output_id", "scorer_id"]}.get(table, ["output_id"])
        return [*numbers, *self._head["columns"][table.name]]

    def _trial(self, dataset_id: int, first: int, last: int) -> str:
        about, runs = self._head["trial"], self._head["runs"]
        told: tuple[Any, ...] = tuple(about[name] for name in TrialRow._fields[5:])
        raw = bytes.fromhex(about["suite_hash"])
        trial = TrialRow(about["id"], about["name"], raw, about["suite"], dataset_id, *told)
        rows = [_run(trial.id, run) for run in runs]
        slots = max((row.epochs for row in rows), default=1) * int(self._members["cases.jsonl"]["rows"])
        if slots * len(about["suite"]["rubrics"]) > MOST_SLOTS:
            raise self._fault(f"its runs would have {slots:,} slots")
        ids = self._store.start_trial(trial, rows)
        lines = self._rows("lines.jsonl")
        waiting: list[Any] = []
        for number, (run, run_id) in enumerate(zip(runs, ids, strict=True)):
            within = (int(self._members["cases.jsonl"]["rows"]), int(run["epochs"]), last - first + 1)
            items = _items(lines, waiting, number, first, within)
            self._store.finish_run(run_id, items, run["counts"], complete=bool(run["complete"]))
        if waiting or next(lines, None) is not None:
            raise self._fault("lines.jsonl holds lines of a run that is not there, or out of order")
        return trial.id


def _items(
    lines: Iterator[Any], waiting: list[Any], number: int, first: int, within: tuple[int, int, int]
) -> Iterator[RunItem]:
    """The lines of one run; the first line of the next is left in `waiting`. Each is within cases, epochs, outputs."""
    while (line := waiting.pop() if waiting else next(lines, None)) is not None:
        run, *place, scores = line
        if run != number:
            waiting.append(line)
            return
        if not all(0 <= at < most for at, most in zip(place, within, strict=True)):
            raise IndexError(f"a line names case, epoch and output {place}, which are not there")
        position, epoch, output = place
        ids = np.array([at + 1 if at >= 0 else 0 for at in scores], dtype="<i8")
        yield RunItem(position, epoch, first + output, ids.tobytes())


def _run(trial_id: str, said: Mapping[str, Any]) -> RunRow:
    """A run as the head says it, without what only its end sets."""
    target, definition, series = said["target"], said["definition"], said["series"]
    return RunRow(0, trial_id, target, definition, series, said["epochs"], bytes.fromhex(said["key"]), said["counts"])


class _Plan(NamedTuple):
    """How a bundle's row becomes a table's: in its order, hashes as bytes."""

    columns: list[str]
    places: list[tuple[int, bool]]

    @classmethod
    def of(cls, table: Table, said: Sequence[str]) -> _Plan:
        """The plan of a table whose columns come in the order said."""
        order = sorted(range(len(said)), key=lambda at: table.c.keys().index(said[at]))
        binary = [isinstance(table.c[name].type, LargeBinary) for name in said]
        return cls([said[at] for at in order], [(at, binary[at]) for at in order])

    def row(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Raises TypeError or ValueError for a hash that is none."""
        return tuple(
            bytes.fromhex(values[at]) if binary and not isinstance(values[at], bytes) else values[at]
            for at, binary in self.places
        )
