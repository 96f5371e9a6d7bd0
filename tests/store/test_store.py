"""The store: datasets, outputs, scores, trials; and that nothing done is lost."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect

from seatrial.core.case import Case
from seatrial.core.identity import canonical, digest, loads, to_bytes
from seatrial.core.output import Output, Usage
from seatrial.core.score import Evidence, Score
from seatrial.errors import DatasetError, NotFoundError, StoreError, StoreVersionError
from seatrial.store import schema
from seatrial.store.codec import pack, unpack
from seatrial.store.engine import connect
from seatrial.store.migrations import upgrade
from seatrial.store.store import RunItem, RunRow, Store, TrialRow, now, score_key
from seatrial.store.writer import MANY, Entry, NewOutput, NewScore, Writer, commit


def case(number: int, **fields: object) -> Case:
    return Case.model_validate({"id": f"c{number}", "input": f"question {number}", "expected": str(number), **fields})


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / ".seatrial" / "seatrial.db") as opened:
        yield opened


HARD = [
    pytest.param({"a": [1, None, True]}, id="plain"),
    pytest.param({"text": "x" * 5000}, id="long"),
    pytest.param({"surrogate": "\ud800 \udfff"}, id="lone-surrogates"),
    pytest.param({"big": 2**63, "huge": 10**40, "small": -(2**70)}, id="beyond-64-bits"),
    pytest.param({"null": "a\x00b"}, id="null-byte"),
    pytest.param({"inf": [float("inf"), float("-inf")]}, id="infinities"),
]


@pytest.mark.parametrize("value", HARD)
def test_a_payload_comes_back_as_it_was(value):
    assert unpack(pack(value)) == value


def test_nan_is_kept():
    (back,) = unpack(pack([float("nan")]))
    assert back != back


def test_hostile_outputs_are_stored_and_read_back(store: Store):
    hostile = Output.of("bad \ud800\x00 text", usage=Usage(input=2**63, output=10**30), served_model="m\ud800\x00")
    row = NewOutput(b"r" * 32, "main", 0, 0, hostile, canonical({"body": "\udfff"}))
    with Writer(store) as writer:
        writer.put(Entry(output=row))
    assert store.load_outputs([row.id])[row.id] == hostile
    assert store.load_request(b"r" * 32) == {"body": "\udfff"}


def test_a_dataset_is_kept_once_and_read_by_place(store: Store):
    cases = [case(i) for i in range(1203)]
    first = store.keep_dataset("d", cases, {}, digest("source", 1))
    again = store.keep_dataset("d", cases, {}, digest("source", 2))
    assert first.hash == again.hash
    assert first.id == again.id
    assert store.dataset_by_source(digest("source", 2)) == first
    assert [item.case.id for item in store.cases(first.id, [1202, 0, 600])] == ["c1202", "c0", "c600"]
    assert [facts.key for facts in store.case_facts(first.id)] == [c.id for c in cases]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda c: [*c[1:], c[0]], id="order"),
        pytest.param(lambda c: [case(0, expected="other"), *c[1:]], id="expected"),
        pytest.param(lambda c: [case(0, seed_id="s"), *c[1:]], id="seed"),
        pytest.param(lambda c: [case(0, weight=2), *c[1:]], id="weight"),
        pytest.param(lambda c: [case(0, created_at="2026-01-01"), *c[1:]], id="date"),
        pytest.param(lambda c: c[:-1], id="one-less"),
    ],
)
def test_every_difference_is_another_dataset(store: Store, change):
    cases = [case(i) for i in range(5)]
    assert store.keep_dataset("d", cases, {}, None).hash != store.keep_dataset("d", change(cases), {}, None).hash


def test_shares_are_part_of_the_dataset(store: Store):
    cases = [case(0)]
    assert store.keep_dataset("d", cases, {}, None).hash != store.keep_dataset("d", cases, {"i": {"a": 1.0}}, None).hash


def test_a_fault_while_reading_leaves_nothing_behind(store: Store):
    def rows():
        yield from (case(i) for i in range(700))
        raise DatasetError("row 701 is bad.")

    with pytest.raises(DatasetError):
        store.keep_dataset("d", rows(), {}, digest("source", 1))
    with store.reading() as connection:
        for table in ("datasets", "cases", "case_payloads", "dataset_cases", "dataset_sources"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def put(store: Store, *, request: bytes = b"r" * 32, attempt: int = 0, text: str = "hi", score: Score | None = None):
    output = Output.of(text)
    new = NewOutput(request, "main", 0, attempt, output, "{}")
    scores = [
        NewScore(
            score_key(*(to_bytes(x) for x in (case(1).view_hash, output.hash, digest("scorer", 1)))),
            0,
            1,
            score or Score(),
        )
    ]
    done: list[int] = []
    with Writer(store) as writer:
        writer.put(Entry(output=new))
        writer.put(Entry(scores=scores, owner=new, done=lambda: done.append(1)))
    assert done == [1]
    return new, scores[0]


def test_outputs_and_scores_are_found_by_content(store: Store):
    score = Score(value=0.5, passed=False, reason="why \ud800", evidence=(Evidence(where="text", quote="q"),), unit="s")
    new, kept = put(store, score=score)
    head = store.find_outputs([b"r" * 32, b"x" * 32], "main", 0)
    assert {raw: found.id for raw, found in head.items()} == {b"r" * 32: new.id}
    assert store.find_outputs([b"r" * 32], "fresh", 0) == {}
    assert store.find_outputs([b"r" * 32], "main", 1) == {}
    assert store.find_scores([kept.key])[kept.key].value == 0.5
    assert store.load_scores([kept.id])[kept.id] == score


def test_the_newest_attempt_stands_and_nothing_is_overwritten(store: Store):
    first, _ = put(store, text="one")
    second, _ = put(store, attempt=1, text="two")
    assert store.find_outputs([b"r" * 32], "main", 0)[b"r" * 32].id == second.id
    assert store.load_outputs([first.id])[first.id].text == "one"


def test_the_first_of_two_writers_wins_and_the_other_is_told(store: Store):
    first, _ = put(store, text="one")
    second, score = put(store, text="two")
    assert second.lost
    assert second.id == first.id
    assert store.load_outputs([second.id])[second.id].text == "one"
    assert store.find_scores([score.key]) == {}


def test_two_scores_of_one_key_in_one_group_are_one_row(store: Store):
    output = NewOutput(b"r" * 32, "main", 0, 0, Output.of("x"), "{}")
    twins = [NewScore(b"k" * 32, 0, 1, Score.binary(True)) for _ in range(2)]
    with Writer(store) as writer:
        writer.put(Entry(output=output))
        for twin in twins:
            writer.put(Entry(scores=[twin], owner=output))
    assert twins[0].id == twins[1].id > 0


def _entry(number: int, done: Event | None = None) -> Entry:
    output = NewOutput(number.to_bytes(32, "big"), "main", 0, 0, Output.of(str(number)), "{}")
    return Entry(output=output, done=done.set if done is not None else None)


def _commits(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries each commit holds, from now on."""
    sizes: list[int] = []

    def counted(connection: Any, group: Any, *sealed: Any) -> None:
        sizes.append(len(group))
        commit(connection, group, *sealed)

    monkeypatch.setattr("seatrial.store.writer.commit", counted)
    monkeypatch.setattr("seatrial.store.writer.PAUSE", 3600.0)
    return sizes


def test_a_busy_writer_gathers_what_comes_between_two_commits(store: Store, monkeypatch):
    sizes, first, last = _commits(store, monkeypatch), Event(), Event()
    with Writer(store) as writer:
        writer.put(_entry(0, first))
        assert first.wait(60), "the first after a rest waits for nobody"
        for number in range(1, MANY + 2):  # the writer may have taken one before the others are many
            writer.put(_entry(number, last if number == MANY else None))
        assert last.wait(60), "many are committed without a pause"
        writer.put(_entry(MANY + 2))
    assert sizes[0] == 1
    assert sum(sizes) == MANY + 3, "leaving commits the rest"
    assert len(sizes) <= 4


def test_a_writer_that_is_hurried_does_not_pause(store: Store, monkeypatch):
    sizes = _commits(store, monkeypatch)
    with Writer(store) as writer:
        for number in range(3):
            done = Event()
            writer.put(_entry(number, done))
            writer.hurry()
            assert done.wait(60)
    assert sizes == [1, 1, 1]


def test_a_trial_and_its_manifest_come_back(store: Store):
    trial = TrialRow("20260101-a", "suite", b"h" * 32, {"name": "s\ud800"}, 1, {"note": "n"}, "running", now(), None)
    run = RunRow(0, trial.id, "incumbent", {"use": "python:a:b"}, "main", 1, b"k" * 32, {})
    (run_id,) = store.start_trial(trial, [run])
    items = [RunItem(i, 0, i + 1, bytes(16)) for i in range(4500)]
    assert store.complete_run(b"k" * 32) is None
    store.finish_run(run_id, items, {"outputs": 4500}, complete=True)
    store.finish_trial(trial.id, "done")
    back = store.trial("20260101")
    assert (back.status, back.suite) == ("done", {"name": "s\ud800"})
    assert store.runs(trial.id)[0].counts == {"outputs": 4500}
    assert [*store.run_items(run_id)] == items
    assert store.complete_run(b"k" * 32) == run_id
    (again,) = store.start_trial(trial._replace(id="20260102-b"), [run._replace(trial_id="20260102-b")])
    store.repeat_run(again, run_id, {"outputs": 4500, "reused": 4500})
    assert [*store.run_items(again)] == items
    with pytest.raises(NotFoundError):
        store.trial("2027")


def tables(engine) -> dict[str, object]:
    found = inspect(engine)
    return {
        name: (
            sorted((c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in found.get_columns(name)),
            sorted(tuple(u["column_names"]) for u in found.get_unique_constraints(name)),
            sorted(tuple(i["column_names"]) for i in found.get_indexes(name)),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_the_migrations_make_what_the_schema_says(tmp_path: Path):
    migrated = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    upgrade(migrated)
    made = connect(tmp_path / "made.db")
    assert tables(migrated) == tables(made)
    with migrated.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == schema.REVISION
    migrated.dispose()
    made.dispose()


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as raw:
        names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        rows = {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    raw.close()
    return rows


def test_an_older_store_is_upgraded_in_place_and_loses_nothing(tmp_path: Path):
    path = tmp_path / "s.db"
    engine = create_engine(f"sqlite:///{path}")
    upgrade(engine, "0001")
    filled: set[str] = set()
    with engine.begin() as connection:
        for table in inspect(engine).get_table_names():
            if table in ("alembic_version", "projects"):
                continue
            columns = inspect(engine).get_columns(table)
            values = [b"\x01" * 32 if "BLOB" in str(c["type"]) else 7 for c in columns]
            marks = ", ".join("?" * len(columns))
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", tuple(values))
            filled.add(table)
    engine.dispose()
    before = _rows(path)
    Store(path).close()
    after = _rows(path)
    assert after.pop("alembic_version") == [(schema.REVISION,)]
    assert filled >= {"cases", "outputs", "output_payloads", "runs", "scores"}
    for name, rows in before.items():
        if name != "alembic_version":  # a later revision may add columns behind those that are there
            assert [row[: len(old)] for row, old in zip(after[name], rows, strict=True)] == rows, name
    made = connect(tmp_path / "made.db")
    upgraded = create_engine(f"sqlite:///{path}")
    assert tables(upgraded) == tables(made)
    upgraded.dispose()
    made.dispose()


def test_a_newer_store_is_refused(tmp_path: Path):
    path = tmp_path / "s.db"
    Store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreVersionError, match="newer Seatrial"):
        Store(path)


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_store_is_named(tmp_path: Path, content: bytes):
    path = tmp_path / "s.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"s\.db"):
        Store(path)


def test_the_default_folder_ignores_itself_in_git(store: Store):
    assert (store.path.parent / ".gitignore").read_text() == "*\n"


def test_every_commit_is_synced_to_disk(store: Store):
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_every_table_carries_a_project():
    without = [t.name for t in schema.metadata.sorted_tables if t.name != "projects" and "project_id" not in t.c]
    assert without == []


def test_a_full_disk_is_said_and_nothing_is_half_written(store: Store):
    with store.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    with store.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    big = NewOutput(b"r" * 32, "main", 0, 0, Output.of(os.urandom(200_000).hex()), "{}")
    writer = Writer(store)
    with pytest.raises(StoreError, match="full"), writer:
        writer.put(Entry(output=big))
    assert store.find_outputs([b"r" * 32], "main", 0) == {}


def test_loads_takes_what_orjson_refuses():
    assert loads(b'{"a": NaN, "b": 9223372036854775808, "c": "\\ud800"}')["b"] == 2**63
    with pytest.raises(ValueError, match="deep"):
        loads("[" * 200_000)


def test_the_order_of_keys_is_kept():
    assert list(unpack(pack({"b": 1, "a": 2}))) == ["b", "a"]


def test_a_failed_import_leaves_no_case_at_hand(store: Store):
    def rows():
        yield from (case(i) for i in range(600))
        raise DatasetError("row 601 is bad.")

    with pytest.raises(DatasetError):
        store.keep_dataset("d", rows(), {}, None)
    others = [case(i, input=f"another question {i}") for i in range(600)]
    kept = store.keep_dataset("d", others, {}, None)
    assert [item.case for item in store.cases(kept.id, range(600))] == others


def test_cases_beyond_those_at_hand_are_read(store: Store, monkeypatch):
    monkeypatch.setattr("seatrial.store.store.RECENT", 50)
    data = [case(i) for i in range(700)]
    kept = store.keep_dataset("d", data, {}, None)
    for places in (range(700), range(699, -1, -1), range(0, 700, 3)):
        assert [item.case for item in store.cases(kept.id, places)] == [data[i] for i in places]
