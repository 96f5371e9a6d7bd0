"""Labelling by lines: the help, going on, and what a skip may not drop."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.datasets.labelling import journal
from seatrial.datasets.labelling.reading import Chosen, curate, outcomes
from seatrial.datasets.labelling.session import bindings
from seatrial.datasets.labelling.units import Task
from seatrial.datasets.labelling.work import Done, Sitting, label
from seatrial.errors import LabelsError


@pytest.fixture
def path(pool) -> Path:
    """A pool of three cases, two of them with what was answered."""
    rows = [{"id": f"c{n}", "input": f"question {n}"} for n in range(3)]
    return pool([row | {"metadata": {"answer": f"answer {row['id']}"}} if row["id"] != "c2" else row for row in rows])


def said(task: Task, *lines: str) -> tuple[Done, str]:
    """How a sitting by these lines ended, and all that it printed."""
    told: list[str] = []
    done = label(task, Sitting("Kim"), commands=lines, say=told.append)
    return done, "\n".join(told)


def kept(path: Path) -> dict[str, dict | None]:
    """The last value of every case in Kim's journal."""
    return {entry.case: entry.value for entry in journal.read(path.with_name("pool.labels"), "outcome")}


@pytest.mark.parametrize("line", ["?", "help", "HELP"])
@pytest.mark.parametrize("read", [curate, outcomes], ids=["curate", "outcome"])
def test_help_prints_every_command_and_the_next_line_is_a_command_again(line: str, read, path: Path):
    task = read(path, Chosen())
    done, told = said(task, line, "skip")
    assert f"commands of {task.mode} mode" in told
    for key, binding in bindings(task.mode).items():
        assert (binding.about in told) is (key not in " b")
    assert "next" in told
    assert done.skipped == 1


PARTS = ["behaviour refuse", 'json {"a": 1}', "edit It is on its way.", 'calls [{"name": "refund"}]']


@pytest.mark.parametrize("line", PARTS, ids=lambda line: line.split()[0])
def test_a_part_of_a_reference_says_how_to_go_on_and_a_skip_keeps_it(line: str, path: Path):
    done, told = said(outcomes(path, Chosen()), line, "skip", "skip")
    assert "written and kept: Enter (next) goes on" in told
    assert "not skipped: what was written is kept" in told
    assert (done.done, done.skipped) == (1, 1)
    values = list(kept(path).values())
    assert values[0]
    assert "skip" not in values[0]
    assert values[1] == {"skip": True}


def test_next_goes_on(path: Path):
    done, told = said(outcomes(path, Chosen()), "behaviour refuse", "edit No.", "next", "next", "behaviour ask", "next")
    assert (done.done, done.skipped) == (2, 0)
    first, second = kept(path).values()
    assert first == {"behaviour": "refuse", "answers": ["No."]}
    assert second == {"behaviour": "ask"}
    assert "[2 of 3 done]" in told


def test_clear_takes_a_reference_back_and_then_a_skip_counts(path: Path):
    done, _ = said(outcomes(path, Chosen()), "behaviour refuse", "clear", "skip")
    assert (done.done, done.skipped) == (0, 1)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        pytest.param("whatever", "the commands are", id="nothing near"),
        pytest.param("kep", "did you mean 'keep'?", id="keep"),
        pytest.param("undp", "did you mean 'undo'?", id="undo"),
        pytest.param("xyz", "the commands are", id="nothing at all"),
        pytest.param("nxet", "did you mean 'next'?", id="next"),
    ],
)
def test_only_a_word_that_is_near_is_offered(word: str, hint: str, path: Path):
    with pytest.raises(LabelsError) as caught:
        said(curate(path, Chosen()), word)
    assert hint in caught.value.problems[0].hint
