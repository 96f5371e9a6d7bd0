"""`dataset sample --by`: a stratum that nothing in the pool has is refused before anything is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from seatrial.cli.main import cli
from seatrial.datasets.sampling.pool import Pool, Record
from seatrial.datasets.sampling.sample import sample
from seatrial.datasets.sampling.settings import Sampling
from seatrial.errors import UsageError


def pool(folder: Path, *, strata: bool = True) -> Path:
    rows = [{"id": f"c{n}", "input": f"a question numbered {n} about {n * 7}"} for n in range(40)]
    for n, row in enumerate(rows if strata else []):
        row["strata"] = {"intent": "refund" if n % 2 else "other", **({"tier": "gold"} if n == 39 else {})}
    path = folder / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


BY = [
    pytest.param("intnet", True, "did you mean 'intent'?", id="misspelt"),
    pytest.param("intent,teir", True, "did you mean 'tier'?", id="the second of two"),
    pytest.param("zzzzzz", True, "there are intent, tier", id="nothing is near"),
    pytest.param("intent", False, "--field strata.NAME=PATH", id="no strata at all"),
]


@pytest.mark.parametrize(("by", "strata", "hint"), BY)
def test_a_stratum_that_no_record_has_is_refused(by: str, strata: bool, hint: str, tmp_path: Path):
    into = tmp_path / "set"
    done = CliRunner().invoke(
        cli, ["dataset", "sample", str(pool(tmp_path, strata=strata)), "--into", str(into), "--size", "20", "--by", by]
    )
    assert isinstance(done.exception, UsageError)  # which leaves with 2
    assert "no record of the pool has that stratum" in str(done.exception)
    assert hint in str(done.exception)
    assert not into.exists()


@pytest.mark.parametrize(("by", "strata", "hint"), BY)
def test_python_refuses_it_as_the_command_does(by: str, strata: bool, hint: str, tmp_path: Path):
    into = tmp_path / "set"
    with pytest.raises(UsageError) as raised:
        sample(pool(tmp_path, strata=strata), into, Sampling(size=20, by=tuple(by.split(","))))
    assert "no record of the pool has that stratum" in str(raised.value)
    assert hint in str(raised.value)
    assert not into.exists()


def test_a_stratum_that_only_an_anchor_has_is_not_of_the_pool(tmp_path: Path):
    (tmp_path / "test.jsonl").write_text(json.dumps({"id": "a", "input": "x", "strata": {"kind": "new"}}) + "\n")
    with pytest.raises(UsageError, match="no record of the pool"):
        sample(pool(tmp_path), tmp_path / "set", Sampling(size=20, by=("kind",)), anchors=[tmp_path / "test.jsonl"])


def test_a_set_that_is_there_stays_as_it_is(tmp_path: Path):
    into = tmp_path / "set"
    sample(pool(tmp_path), into, Sampling(size=20, by=("intent",)))
    before = {file.name: file.read_bytes() for file in into.iterdir()}
    with pytest.raises(UsageError):
        sample(tmp_path / "pool.jsonl", into, Sampling(size=10, by=("intnet",)))
    assert {file.name: file.read_bytes() for file in into.iterdir()} == before


def test_the_pool_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    readings: list[Path] = []
    records = Pool.records

    def counted(self: Pool) -> Iterator[Record]:
        readings.append(self.path)
        return records(self)

    monkeypatch.setattr(Pool, "records", counted)
    command = ["dataset", "sample", str(pool(tmp_path)), "--into", str(tmp_path / "set"), "--size", "9", "--by", "tier"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    assert readings == [tmp_path / "pool.jsonl"]


DRAWN = [
    pytest.param("intent", [], id="every record has it"),
    pytest.param("tier", [], id="one record has it"),
    pytest.param("kind", [{"use": "attribute", "stratum": "kind", "path": "source"}], id="set.yaml defines it"),
]


@pytest.mark.parametrize(("by", "defined"), DRAWN)
def test_a_stratum_of_some_records_or_of_the_set_is_drawn_by(by: str, defined: list[object], tmp_path: Path):
    into = tmp_path / "set"
    into.mkdir()
    (into / "set.yaml").write_text(json.dumps({"stratifiers": defined}))
    done = CliRunner().invoke(
        cli, ["dataset", "sample", str(pool(tmp_path)), "--into", str(into), "--size", "20", "--by", by]
    )
    assert done.exit_code == 0, done.output
