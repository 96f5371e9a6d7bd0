"""A sealed split with everything else: refresh, lint, limits, looks, open splits, reports without the key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.datasets.sealing.sealed_set import (
    OPEN,
    SECRET,
    commands,
    leaks,
    left_behind,
    sealed_case,
    words_in,
    write_set,
    write_suite,
)

from seatrial.core.vault import new_key
from seatrial.testing import FakeProvider, Script

KEY = new_key()
GRADE = {"verdict": "yes", "score": 5, "reason": "zebraquartz ivorymantle are quoted", "grade": 5}
ANSWERS = {
    "answers": [
        {"when": {"model": {"regex": "^judge"}}, "text": json.dumps(GRADE)},
        {"when": {"model": {"regex": "^new"}}, "echo": "{text} ivorymantle"},
    ]
}
PLAIN = {"judges": {}, "rubrics": [{"name": "right", "scorer": "exact"}]}


@pytest.fixture
def endpoint() -> Iterator[FakeProvider]:
    with FakeProvider(Script.model_validate(ANSWERS)).in_thread() as provider:
        yield provider


@pytest.fixture(scope="module")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose set is sealed, for tests to copy."""
    folder = tmp_path_factory.mktemp("sealed")
    seal(folder)
    return folder


@pytest.fixture
def sealed(sealed_once: Path, tmp_path: Path) -> Path:
    """A sealed set of the test's own."""
    shutil.copytree(sealed_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "sets" / "refunds"


def seal(folder: Path, sealed: int = 8) -> Path:
    path = write_set(folder, sealed)
    (code, said), *_ = commands(folder, [("dataset", "seal", "sets/refunds")], key=KEY)
    assert code == 0, said
    return path


def done(folder: Path, *many: tuple[str, ...], key: str = "") -> list[tuple[int, str]]:
    """Run commands; none of them may say a sealed text, or leave one behind."""
    found = commands(folder, many, key=key, OPENAI_API_KEY="k")
    for arguments, (code, said) in zip(many, found, strict=True):
        assert code != 70, (arguments, said)
        assert not words_in(said.encode()), (arguments, said)
    assert leaks(left_behind(folder)) == []
    return found


def exposures(path: Path) -> int:
    file = path / "ledger.jsonl"
    return len(file.read_text().splitlines()) if file.exists() else 0


# refresh --------------------------------------------------------------------------------------------------------------


def write_pool(folder: Path, path: Path) -> Path:
    """A committed set of 40 open test cases, and a pool outside the folder: cases that are nearly the sealed ones."""
    rows = [{"id": f"t{n}", "input": f"{OPEN} test {n}", "origin": "production"} for n in range(40)]
    (path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pool = folder.parent / f"{folder.name}.pool.jsonl"
    near = [{"id": f"n{n}", "input": sealed_case(n)["input"].upper() + "!"} for n in range(8)]
    other = [{"id": sealed_case(3)["id"], "input": "a sealed case's id with other words"}]
    pool.write_text("".join(json.dumps(row) + "\n" for row in [*near, *other]))
    return pool


def test_a_refresh_with_the_key_takes_nothing_that_is_sealed(tmp_path: Path, sealed: Path):
    pool = write_pool(tmp_path, sealed)
    refresh = ("dataset", "refresh", "sets/refunds", str(pool), "--share", "0.3")
    (code, said), *_ = done(tmp_path, ("dataset", "commit", "sets/refunds", "-m", "x"))
    assert code == 0, said
    (code, said), (_, told) = done(tmp_path, refresh, (*refresh, "--json"), key=KEY)
    assert code == 0, said
    assert "no new case is one of the 8 sealed ones" in said
    assert (json.loads(told)["replaced"], json.loads(told)["compared"]) == ([], True)
    assert exposures(sealed) == 0, "nobody was shown anything"
    (code, said), *_ = commands(tmp_path, [refresh])
    assert code == 0, said
    assert "not compared with the 8 sealed ones: SEATRIAL_SEAL_KEY is not set" in said
    assert "replaced" in said
    assert any(word in (sealed / "test.jsonl").read_text().lower() for word in SECRET.values()), "they came in unseen"


# runs -----------------------------------------------------------------------------------------------------------------


OUTSIDE = (
    ("compare", "-o", "r.html", "-o", "r.md", "-o", "r.json", "-o", "r.txt", "--record", "record.json"),
    ("compare", "--json"),
    ("report", "record.json", "-o", "again.html"),
    ("verify", "record.json"),
    ("export", "-o", "bundle.seatrial"),
    ("verify", "record.json", "--bundle", "bundle.seatrial"),
    ("dataset", "verify", "sets/refunds"),
)
"""What is done with a trial without the key."""


def compared(folder: Path) -> dict[str, Any]:
    """All of `OUTSIDE` on the newest trial; gives the report."""
    found = done(folder, *OUTSIDE)
    assert [code for code, _ in found] == [0] * len(OUTSIDE), found
    return json.loads(found[1][1])


def test_open_and_sealed_splits_of_one_suite(tmp_path: Path, sealed: Path, endpoint: FakeProvider):
    dataset = {"path": "sets/refunds", "split": ["test", "sealed"]}
    write_suite(tmp_path, endpoint.base_url, dataset=dataset, **PLAIN)
    (code, said), *_ = done(tmp_path, ("run", "--json"), key=KEY)
    assert code == 0, said
    assert {arm["outputs"] for arm in json.loads(said)["arms"]} == {12}
    assert len({json.dumps(call.body) for call in endpoint.log}) == 24, "both models, each case of both splits"
    assert exposures(sealed) == 1
    report = compared(tmp_path)
    assert report["verdicts"][0]["overall"] == json.loads(said)["verdicts"][0]["overall"]
    (code, _), *_ = done(tmp_path, ("run",))
    assert code == 2, "not without the key"
    stored = b"".join(raw for where, raw in left_behind(tmp_path) if where.startswith("seatrial.db"))
    assert OPEN.encode() not in stored, "what is run together with a sealed split is sealed as well"


def test_the_open_split_alone_needs_no_key_and_exposes_nothing(tmp_path: Path, sealed: Path):
    with FakeProvider().in_thread() as endpoint:
        write_suite(tmp_path, endpoint.base_url, dataset={"path": "sets/refunds", "split": "test"}, **PLAIN)
        for key in ("", KEY):
            (code, said), *_ = done(tmp_path, ("run",), key=key)
            assert code == 0, said
        assert endpoint.calls == 8
        assert not any(words_in(json.dumps(call.body).encode()) for call in endpoint.log)
    assert exposures(sealed) == 0


def test_a_model_that_has_seen_the_split_too_often_is_warned_of(tmp_path: Path, sealed: Path, endpoint: FakeProvider):
    (sealed / "set.yaml").write_text("sealing: {max_exposures: 2}\n")
    write_suite(tmp_path, endpoint.base_url, **PLAIN)
    warned: list[bool] = []
    for _ in range(3):
        (code, said), *_ = done(tmp_path, ("run", "--json"), key=KEY)
        assert code == 0, said
        report = json.loads(said)
        (_, again), *_ = done(tmp_path, ("compare", "--json"))
        assert json.loads(again)["verdicts"] == report["verdicts"], "the same is said without the key"
        warned.append("new has seen the sealed split in 3 runs, more than the 2" in said)
    assert warned == [False, False, True]
    (_, said), *_ = done(tmp_path, ("dataset", "verify", "sets/refunds"))
    assert "new saw the sealed split in 3 runs, more than the 2 that set.yaml allows" in said


@pytest.mark.parametrize("most", ["0", "-1", "many", "true", "1.5"])
def test_a_limit_of_exposures_that_is_none_is_refused_before_anything_is_sent(
    most: str, tmp_path: Path, sealed: Path, endpoint: FakeProvider
):
    (sealed / "set.yaml").write_text(f"sealing: {{max_exposures: {most}}}\n")
    write_suite(tmp_path, endpoint.base_url, **PLAIN)
    (code, said), *_ = done(tmp_path, ("run",), key=KEY)
    assert code == 2
    assert "max_exposures" in said
    assert not endpoint.log
    assert exposures(sealed) == 0, "nobody was shown anything, and nothing says so"


def test_early_stopping_over_a_sealed_split(tmp_path: Path, endpoint: FakeProvider):
    path = seal(tmp_path, 240)
    policy = {"early_stopping": {"looks": 3}, "margin_points": 5, "min_cases": 10}
    write_suite(tmp_path, endpoint.base_url, **PLAIN, policy=policy)
    (code, said), *_ = done(tmp_path, ("run", "--json"), key=KEY)
    assert code == 0, said
    (verdict,) = json.loads(said)["verdicts"]
    assert verdict["overall"] == "block"
    assert verdict["stopping"]["look"] < 3
    asked = len(endpoint.log)
    assert asked < 2 * 240
    (_, kept), *_ = done(tmp_path, ("compare", "--json"))
    assert json.loads(kept)["verdicts"] == [verdict]
    (code, again), *_ = done(tmp_path, ("run", "--json"), key=KEY)
    assert json.loads(again)["verdicts"][0]["stopping"] == verdict["stopping"]
    assert len(endpoint.log) == asked, "nothing is asked twice"
    assert exposures(path) == 2
    entry = json.loads((path / "ledger.jsonl").read_text().splitlines()[0])
    assert entry["cases"] == 240, "the ledger counts the split, not how far the run came"


def test_gate_and_record_without_the_key(tmp_path: Path, sealed: Path, endpoint: FakeProvider):
    write_suite(tmp_path, endpoint.base_url, **PLAIN)
    (code, said), *_ = done(tmp_path, ("gate", "-o", "gate.md"), key=KEY)
    assert code in (0, 1, 3, 4), said
    (recorded, said), (verified, _), (gated, refused) = done(
        tmp_path, ("compare", "--record", "gate.json"), ("verify", "gate.json"), ("gate",)
    )
    assert (recorded, verified) == (0, 0), said
    assert gated == 2
    assert "SEATRIAL_SEAL_KEY" in refused
    assert exposures(sealed) == 1


# pytest ---------------------------------------------------------------------------------------------------------------


def test_the_pytest_plugin_over_a_sealed_split(tmp_path: Path, sealed: Path, endpoint: FakeProvider):
    from tests.datasets.sealing.sealed_set import python

    write_suite(tmp_path, endpoint.base_url, **PLAIN)
    plugged = [
        "-m",
        "pytest",
        "-p",
        "seatrial.testing.plugin",
        "--seatrial",
        "seatrial.yaml",
        "-v",
        "-p",
        "no:cacheprovider",
    ]
    without = python(tmp_path, plugged, key="", OPENAI_API_KEY="k")
    assert without.returncode == 4, without.stdout
    assert "SEATRIAL_SEAL_KEY" in without.stdout + without.stderr
    assert exposures(sealed) == 0
    told = python(tmp_path, [*plugged, "--junit-xml", "junit.xml"], key=KEY, OPENAI_API_KEY="k")
    assert told.returncode == 1, "the candidate is wrong on every case"
    assert "::new::right[sealed-" in told.stdout
    said = without.stdout + without.stderr + told.stdout + told.stderr
    assert not words_in(said.encode())
    assert leaks(left_behind(tmp_path)) == []
    assert (tmp_path / "junit.xml").stat().st_size > 1000
    assert exposures(sealed) == 1


# lint -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", KEY], ids=["without the key", "with it"])
def test_lint_opens_nothing_and_so_counts_as_no_exposure(
    key: str, tmp_path: Path, sealed: Path, endpoint: FakeProvider
):
    write_suite(tmp_path, endpoint.base_url, **PLAIN)
    done(tmp_path, ("run",), key=KEY)
    before = {file: file.read_bytes() for file in sealed.rglob("*") if file.is_file()}
    (code, said), (_, text) = done(tmp_path, ("lint", "--json"), ("lint",), key=key)
    assert code == 0, said
    assert json.loads(said)["splits"] == {"build": 4, "test": 4, "sealed (closed)": 8}
    assert "sealed" in text
    assert {file: file.read_bytes() for file in sealed.rglob("*") if file.is_file()} == before
    assert exposures(sealed) == 1
