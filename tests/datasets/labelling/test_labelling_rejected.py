"""A case that curation rejected is asked about no more, of anybody, until the rejection is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.datasets.labelling import journal
from seatrial.datasets.labelling.reading import Chosen, curate, outcomes
from seatrial.datasets.labelling.work import Sitting, label
from seatrial.datasets.versions.folder import SetFolder
from seatrial.errors import NoDataError

ROWS = [{"id": f"c{n}", "input": f"question {n}", "metadata": {"answer": "yes"}} for n in range(4)]


@pytest.fixture(params=["pool", "set"])
def path(request: pytest.FixtureRequest, pool, tmp_path: Path) -> Path:
    """Four cases, as a pool and as a set."""
    if request.param == "pool":
        return pool(ROWS)
    folder = tmp_path / "refunds"
    folder.mkdir()
    pool(ROWS, "refunds/build.jsonl")
    SetFolder(folder).must_exist()
    return folder


def say(path: Path, by: str, case: str, value: dict | None, **more) -> None:
    """A line of curation about a case."""
    task = curate(path, Chosen())
    unit = next(unit for unit in task.units if unit.case == case)
    with journal.Journal(journal.file_of(task.folder, "curate", by, more.get("role", "label"))) as opened:
        opened.append([journal.entry_of(unit, "curate", by, value=value, **more)])


REJECT, KEEP = {"decision": "reject", "reason": "unclear"}, {"decision": "keep"}


def asked(path: Path, **chosen) -> set[str]:
    return {unit.case for unit in outcomes(path, Chosen(**chosen)).units}


EVERY = {"c0", "c1", "c2", "c3"}
SAID = [
    pytest.param([("Ann", REJECT, {})], {"c0", "c2", "c3"}, id="rejected"),
    pytest.param([("Ann", KEEP, {})], EVERY, id="kept"),
    pytest.param([("Ann", REJECT, {}), ("Ann", None, {"undo": True})], EVERY, id="taken back"),
    pytest.param([("Ann", REJECT, {}), ("Ann", KEEP, {})], EVERY, id="a second thought"),
    pytest.param([("Ann", REJECT, {}), ("Ben", KEEP, {})], EVERY, id="people differ"),
    pytest.param([("Ann", REJECT, {}), ("Ben", REJECT, {})], {"c0", "c2", "c3"}, id="people agree"),
    pytest.param(
        [("Ann", REJECT, {}), ("Ben", KEEP, {}), ("Eve", REJECT, {"role": "adjudication"})],
        {"c0", "c2", "c3"},
        id="the last word rejects",
    ),
    pytest.param([("Ann", {"skip": True}, {})], EVERY, id="skipped"),
]


@pytest.mark.parametrize(("lines", "left"), SAID)
def test_who_is_asked_for_a_reference(lines: list[tuple], left: set[str], path: Path):
    for by, value, more in lines:
        say(path, by, "c1", value, **more)
    assert asked(path) == left
    assert asked(path, rejected=True) == EVERY
    assert {unit.case for unit in curate(path, Chosen()).units} == EVERY


def test_a_sitting_does_not_ask_about_it_until_undo_brings_it_back(path: Path):
    def quiet(text: str) -> None:
        """Print nothing."""

    label(curate(path, Chosen()), Sitting("Ann"), commands=["reject unclear", "keep", "keep", "keep"], say=quiet)
    for by in ("Ann", "Ben"):
        assert label(outcomes(path, Chosen()), Sitting(by), commands=[], say=quiet).units == 3
    label(curate(path, Chosen()), Sitting("Ann"), commands=["undo"] * 4, say=quiet)
    assert label(outcomes(path, Chosen()), Sitting("Ann"), commands=[], say=quiet).units == 4


def test_a_case_whose_input_was_changed_since_is_asked_about(pool):
    path = pool(ROWS)
    say(path, "Ann", "c1", REJECT)
    pool([{**row, "input": "another"} if row["id"] == "c1" else row for row in ROWS])
    assert asked(path) == EVERY


def test_a_sample_does_not_change_with_rejections(path: Path):
    before = asked(path, sample=2)
    gone = min(before)
    say(path, "Ann", gone, REJECT)
    assert asked(path, sample=2) == before - {gone}


def test_where_all_are_rejected_it_is_said(path: Path):
    for case in EVERY:
        say(path, "Ann", case, REJECT)
    with pytest.raises(NoDataError, match="Curation rejected every case") as caught:
        outcomes(path, Chosen())
    assert "--rejected" in caught.value.hint
