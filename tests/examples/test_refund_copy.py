from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.errors import UsageError
from seatrial.examples import FILES, REFUND, copy_refund
from seatrial.trials.suite.suitefile import load


def test_everything_needed_is_copied(tmp_path: Path) -> None:
    written = copy_refund(tmp_path / "new" / "place")
    assert [path.name for path in written] == list(FILES)
    for path in written:
        assert path.read_bytes() == (REFUND / path.name).read_bytes()
    assert load(tmp_path / "new" / "place" / "seatrial.yaml").suite == load(REFUND / "seatrial.yaml").suite


def test_nothing_but_the_files_is_shipped() -> None:
    assert {path.name for path in REFUND.iterdir()} - {"__pycache__"} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_what_is_there_is_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"already holds {name}"):
        copy_refund(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("file/below", id="below a file"),
        pytest.param("file", id="a file"),
        pytest.param("a\0b", id="null byte"),
        pytest.param("x" * 5000, id="too long"),
        pytest.param("\ud800", id="lone surrogate"),
    ],
)
def test_a_folder_that_cannot_be_written(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        copy_refund(tmp_path / folder)
