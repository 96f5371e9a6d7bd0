"""No command, file, log or database shows a sealed case's text: every command without the key, and runs with it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.datasets.sealing.sealed_set import (
    OPEN,
    SECRET,
    cases,
    command,
    commands,
    leaks,
    left_behind,
    sealed_case,
    watching_processes,
    words_in,
    write_set,
    write_suite,
)

from seatrial.cli.dataset import COMMANDS as OF_SETS
from seatrial.cli.main import COMMANDS
from seatrial.core.vault import new_key
from seatrial.testing import FakeProvider, Script

GRADE = {"verdict": "yes", "score": 5, "reason": "zebraquartz ivorymantle are quoted", "grade": 5}
ANSWERS = {
    "answers": [
        {"when": {"model": {"regex": "^judge"}}, "text": json.dumps(GRADE)},
        {"when": {"model": {"regex": "^new"}}, "echo": "{text} ivorymantle"},
    ]
}
WITHOUT = (
    ("plan",),
    ("run",),
    ("run", "--dry-run"),
    ("lint",),
    ("lint", "--json"),
    ("gate",),
    ("sweep", "--over", "temperature=0,1"),
    ("compare", "-o", "r.html", "-o", "r.md", "-o", "r.json", "-o", "r.txt", "--record", "record.json"),
    ("compare", "--json"),
    ("report", "record.json", "-o", "again.html"),
    ("verify", "record.json"),
    ("export", "-o", "bundle.seatrial"),
    ("verify", "record.json", "--bundle", "bundle.seatrial"),
    ("trials",),
    ("trials", "--json"),
    ("watch",),
    ("watch", "--trend"),
    ("label", "curate", "sets/refunds", "--split", "sealed", "--by", "Ada"),
    ("label", "outcome", "sets/refunds", "--by", "Ada"),
    ("label", "verdict", "--by", "Ada", "--rubric", "right"),
    ("label", "export", "sets/refunds", "-o", "labels.csv"),
    ("doctor",),
    ("scorers",),
    ("scorers", "lint", "seatrial.yaml"),
    ("targets",),
    ("schema",),
    ("demo", "--help"),
    ("init", "--help"),
    ("fake-provider", "--help"),
    *(
        ("dataset", *of)
        for of in (
            ("show", "sets/refunds"),
            ("log", "sets/refunds"),
            ("diff", "sets/refunds"),
            ("diff", "sets/refunds", "--json"),
            ("commit", "sets/refunds", "-m", "again"),
            ("verify", "sets/refunds"),
            ("verify", "sets/refunds", "--json"),
            ("tag", "sets/refunds", "v1"),
            ("checkout", "sets/refunds", "HEAD"),
            ("match", "sets/refunds", "pool.jsonl"),
            ("refresh", "sets/refunds", "pool.jsonl"),
            ("sample", "pool.jsonl", "--into", "sets/refunds", "--size", "5"),
            ("sample", "pool.jsonl", "--into", "sets/other", "--size", "5"),
            ("seal", "sets/refunds"),
            ("seal", "--rekey", "sets/refunds"),
            ("import", "pool.jsonl", "--into", "other.jsonl", "--field", "input=input"),
            ("scrub", "pool.jsonl", "--into", "scrubbed.jsonl"),
            ("stratify", "pool.jsonl", "--into", "sets/refunds", "--stratum", "topic", "--fit", "clusters"),
            ("stratify", "pool.jsonl", "--into", "sets/refunds", "--stratum", "x", "--fit", "judge", "-o", "n.jsonl"),
        )
    ),
)
WITH = (
    ("run", "--json"),
    ("run", "-o", "keyed.html", "-o", "keyed.md"),
    ("run", "--fresh"),
    ("run", "--dry-run"),
    ("plan",),
    ("lint",),
    ("gate", "-o", "gate.md"),
    ("scorers", "lint", "seatrial.yaml"),
    ("compare",),
    ("watch",),
    ("dataset", "verify", "sets/refunds"),
    ("dataset", "show", "sets/refunds"),
    ("dataset", "diff", "sets/refunds"),
    ("dataset", "seal", "sets/refunds"),
    ("dataset", "commit", "sets/refunds", "-m", "keyed"),
    ("dataset", "refresh", "sets/refunds", "pool.jsonl"),
    ("dataset", "match", "sets/refunds", "pool.jsonl"),
    ("dataset", "commit", "sets/refunds", "-m", "refreshed", "--allow-unlabelled"),
    ("label", "curate", "sets/refunds", "--split", "sealed", "--by", "Ada"),
    ("label", "verdict", "--by", "Ada", "--rubric", "right"),
)


@pytest.fixture
def endpoint():
    with FakeProvider(Script.model_validate(ANSWERS)).in_thread() as provider:
        yield provider


def test_the_search_finds_what_lies_open(tmp_path: Path):
    write_set(tmp_path)
    found = {where for where, _ in leaks(left_behind(tmp_path))}
    assert found == {"sets/refunds/sealed.jsonl"}
    assert set(words_in(json.dumps([sealed_case(0), sealed_case(1)]).encode())) == set(SECRET.values())


def test_every_command_is_tried():
    tried = {one[0] for one in WITHOUT} | {one[1] for one in WITHOUT if one[0] == "dataset"}
    assert {*COMMANDS, *OF_SETS} - tried == set(), "a new command must be tried on a sealed set"


def test_nothing_shows_a_sealed_text(tmp_path: Path, endpoint: FakeProvider):
    key, said = new_key(), []
    write_set(tmp_path)
    url = endpoint.base_url
    write_suite(tmp_path, url)
    (tmp_path / "pool.jsonl").write_text(
        "".join(json.dumps({"id": f"p{n}", "input": f"{OPEN} {n}"}) + "\n" for n in range(60))
    )
    batches = (
        ((("dataset", "commit", "sets/refunds", "-m", "first"),), ""),
        ((("dataset", "seal", "sets/refunds"), ("run",), *WITH), key),
        (WITHOUT, ""),
        ((("run",), ("dataset", "verify", "sets/refunds")), new_key()),
    )
    with watching_processes() as seen:
        for batch, keyed in batches:
            for arguments, (code, text) in zip(
                batch, commands(tmp_path, batch, key=keyed, OPENAI_API_KEY="k"), strict=True
            ):
                said.append((arguments, bool(keyed), code, text))
                assert code != 70, (arguments, text)
    codes = {(arguments, keyed): code for arguments, keyed, code, _ in said}
    usage = [arguments for arguments, _, _, text in said if "Usage:" in text and "--help" not in arguments]
    assert usage == [], "each command must have done its work"
    for must in (("compare", "--json"), ("verify", "record.json"), ("export", "-o", "bundle.seatrial")):
        assert codes[must, False] == 0, next(text for one, _, _, text in said if one == must)
    assert codes[("run",), True] == 2, "the last run had a wrong key"
    assert codes[("run", "--json"), True] == 0
    assert [(one, words) for one, _, _, text in said if (words := words_in(text.encode()))] == []
    assert leaks(left_behind(tmp_path)) == []
    assert [line for line in seen if words_in(line)] == []
    assert any(b"seatrial" in line for line in seen)
    assert "[sealed]" in (tmp_path / "r.html").read_text()
    assert {call.model for call in endpoint.log} >= {"old", "new", "judge"}, "a run has sent them"


def test_hashes_in_the_store_cannot_be_tried_against_texts(tmp_path: Path, endpoint: FakeProvider):
    key = new_key()
    write_set(tmp_path)
    write_suite(tmp_path, endpoint.base_url)
    command(tmp_path, "dataset", "commit", "sets/refunds", "-m", "first")
    command(tmp_path, "dataset", "seal", "sets/refunds", key=key)
    assert command(tmp_path, "run", key=key, OPENAI_API_KEY="k").returncode == 0
    guesses = {bytes.fromhex(one.rsplit(":", 1)[1]) for c in cases() for one in (c.hash, c.view_hash, c.input_hash)}
    with closing(sqlite3.connect(tmp_path / ".seatrial" / "seatrial.db")) as database:
        rows = list(
            database.execute("select hash, view_hash, input_hash, key, seed_id from cases where key like 'sealed-%'")
        )
        assert len(rows) == 8
        assert not guesses & {value for row in rows for value in row[:3]}
        assert all(row[4].startswith("sealed-") for row in rows)
        assert len({row[4] for row in rows}) == 4, "cases of one cluster keep one name"
        tables = ("requests", "output_payloads", "score_payloads")
        kinds = {raw[:1] for table in tables for (raw,) in database.execute(f"select payload from {table}")}
        assert kinds == {b"\x02"}
