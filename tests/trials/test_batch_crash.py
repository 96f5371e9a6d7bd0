"""Pull the plug while requests are with a provider's batch API: nothing paid for is lost, nothing is paid twice."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.trials.project import Project, question

from seatrial.testing import FakeProvider, Script
from seatrial.testing.script import BatchScript

CASES = 400
HEAVY = pytest.mark.heavy
"""The ordinary run has every moment once, by turns with one API and the other; `make heavy` has all."""

USES = [
    pytest.param("openai:m", id="openai"),
    pytest.param("responses:m", id="responses"),
    pytest.param("anthropic:m", id="anthropic"),
]
RIGHT = {f"c{i}": float(i % 2 == 0) for i in range(CASES)}


def in_batches(project: Project, use: str, fake: FakeProvider, **batch: Any) -> None:
    params = {"max_tokens": 50}
    target = {"use": use, "params": params, "batch": {"poll": 0.05, "settle": 0.2, **batch}}
    project.suite["targets"] = {"model": target}
    project.at(fake.base_url)
    project.write([question(i) for i in range(CASES)])


def start(project: Project, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        project.command("run", *more), cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rows(project: Project, query: str) -> list[tuple[Any, ...]]:
    path = project.folder / ".seatrial" / "seatrial.db"
    if not path.exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as raw:
        try:
            found = raw.execute(query).fetchall()
        except sqlite3.OperationalError:
            found = []
    raw.close()
    return found


def states(project: Project) -> list[str]:
    return [state for (state,) in rows(project, "SELECT state FROM batches ORDER BY id")]


def outputs(project: Project) -> int:
    return sum(count for (count,) in rows(project, "SELECT count(*) FROM outputs"))


Moment = Callable[[Project, FakeProvider], bool]
MOMENTS = [
    pytest.param(
        BatchScript(upload_after=0.5, answer_after=0.5),
        lambda project, _: states(project) == ["submitting"],
        id="while-it-is-handed-in",
    ),
    pytest.param(BatchScript(answer_after=1), lambda _, fake: fake.stats.batches == 1, id="accepted-and-not-yet-told"),
    pytest.param(
        BatchScript(running=1), lambda project, _: states(project) == ["waiting"], id="while-it-is-waited-for"
    ),
    pytest.param(
        BatchScript(results_after=0.7),
        lambda _, fake: any(batch["readings"] for batch in fake.batches),
        id="while-results-come",
    ),
    pytest.param(BatchScript(), lambda project, _: outputs(project) > 0, id="while-results-are-committed"),
]


ALTERNATELY = [
    pytest.param(*moment.values, use.values[0], id=f"{moment.id}-{use.id}", marks=() if at % 2 == other else HEAVY)
    for at, moment in enumerate(MOMENTS)
    for other, use in enumerate((USES[0], USES[2]))
]


@pytest.mark.parametrize(("script", "moment", "use"), ALTERNATELY)
def test_a_run_killed_in_its_batch_goes_on_and_pays_once(
    project: Project, script: BatchScript, moment: Moment, use: str
):
    with FakeProvider(Script(batches=script)).in_thread() as fake:
        in_batches(project, use, fake)
        process = start(project)
        deadline = time.monotonic() + 60
        while not moment(project, fake) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        assert process.poll() is None, f"the moment was missed: {process.communicate()}"
        process.kill()
        process.communicate()
        report = project.run()
        stats = fake.stats
    assert project.values(report.trial_id) == RIGHT
    assert (stats.served, stats.again, stats.batches) == (CASES, 0, 1)
    assert states(project)[-1] == "done"
    assert rows(project, "SELECT count(*) FROM batch_requests") == [(0,)]


@pytest.mark.heavy
@pytest.mark.parametrize("use", [USES[0], USES[2]])
def test_many_kills_at_random_moments_of_several_batches(project: Project, use: str):
    script = BatchScript(running=0.3, upload_after=0.05, answer_after=0.1, results_after=0.1, lag=0.1)
    rng = random.Random(6)
    with FakeProvider(Script(batches=script)).in_thread() as fake:
        in_batches(project, use, fake, requests=100)
        for _ in range(5):
            process = start(project)
            while not rows(project, "SELECT 1 FROM trials WHERE status = 'running'") and process.poll() is None:
                time.sleep(0.005)
            time.sleep(rng.random() * 1.5)
            process.kill()
            process.communicate()
        report = project.run()
        stats = fake.stats
    assert project.values(report.trial_id) == RIGHT
    assert (stats.served, stats.again, stats.batches) == (CASES, 0, CASES // 100)


@pytest.mark.parametrize("use", USES)
def test_an_answer_that_gets_lost_is_looked_for_before_anything_is_sent_again(project: Project, use: str):
    with FakeProvider(Script(batches=BatchScript(lose=1, lag=0.1))).in_thread() as fake:
        in_batches(project, use, fake, requests=200)
        report = project.run()
        stats = fake.stats
    assert project.values(report.trial_id) == RIGHT
    assert (stats.served, stats.again, stats.batches) == (CASES, 0, CASES // 200)


@pytest.mark.parametrize(
    "use", [USES[1], *(pytest.param(*use.values, id=use.id, marks=HEAVY) for use in (USES[0], USES[2]))]
)
def test_ctrl_c_leaves_the_batch_running_and_says_so(project: Project, use: str):
    with FakeProvider(Script(batches=BatchScript(running=3))).in_thread() as fake:
        in_batches(project, use, fake)
        process = start(project)
        while states(project) != ["waiting"]:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert fake.batches[0]["id"] in errors
        assert "goes on at its provider" in errors
        assert "run the same command again" in errors
        assert "Traceback" not in errors
        report = project.run()
        stats = fake.stats
    assert project.values(report.trial_id) == RIGHT
    assert (stats.served, stats.again, stats.batches) == (CASES, 0, 1)


@pytest.mark.parametrize("use", [USES[0], pytest.param("anthropic:m", id="anthropic", marks=HEAVY)])
def test_what_expired_and_was_handed_in_again_is_picked_up_too(project: Project, use: str):
    """The first attempt's outputs do not count as those of the second, whose run is killed."""
    with FakeProvider(Script(batches=BatchScript(expire=0.5))).in_thread() as fake:
        in_batches(project, use, fake)
        project.run()
        missing = CASES - fake.stats.served
        assert missing > 50
        fake.load(Script(batches=BatchScript(running=1)))
        process = start(project, "--retry-errors")
        while states(project) != ["done", "waiting"]:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
        process.communicate()
        report = project.run(retry_errors=True)
        assert (fake.stats.served, fake.stats.again, fake.stats.batches) == (missing, 0, 1)
    assert project.values(report.trial_id) == RIGHT
    assert states(project) == ["done", "done"]


def test_what_a_run_no_longer_wants_waits_for_one_that_does(project: Project):
    with FakeProvider(Script(batches=BatchScript(running=0.5))).in_thread() as fake:
        in_batches(project, "openai:m", fake)
        process = start(project)
        while states(project) != ["waiting"]:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
        process.communicate()
        project.write([question(i) for i in range(100, 140)])
        project.run()
        assert (fake.stats.served, fake.stats.batches, states(project)) == (CASES, 1, ["waiting"])
        project.write([question(i) for i in range(CASES)])
        report = project.run()
        assert (fake.stats.served, fake.stats.again, fake.stats.batches) == (CASES, 0, 1)
    assert project.values(report.trial_id) == RIGHT
    assert states(project) == ["done"]


def test_two_runs_at_once_submit_a_batch_once(project: Project):
    with FakeProvider(Script(batches=BatchScript(running=1, answer_after=0.2))).in_thread() as fake:
        in_batches(project, "openai:m", fake)
        first, second = start(project), start(project)
        ends = [process.communicate(timeout=60) for process in (first, second)]
        stats = fake.stats
    assert (first.returncode, second.returncode) == (0, 0), ends
    assert (stats.served, stats.again, stats.batches) == (CASES, 0, 1)
