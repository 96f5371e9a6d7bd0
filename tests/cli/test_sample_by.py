"""`dataset sample --by`: a stratum that nothing in the pool has is refused before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from seatrial.cli.main import cli
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
