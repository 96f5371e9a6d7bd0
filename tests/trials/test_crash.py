"""Pull the plug: `kill -9` at random moments, Ctrl-C, and a provider that fails in every passing way."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time

import pytest
from sqlalchemy import select
from tests.trials.project import Project, question

from seatrial.store import schema
from seatrial.testing import Capacity, FakeProvider, Fault, Latency, Script

CASES = 2000
KILLS = 20


def served_inputs(fake: FakeProvider) -> dict[str, int]:
    return {row["key"]: row["served"] for row in fake.all_inputs()}


def kept(project: Project) -> int:
    with project.store() as store, store.reading() as connection:
        return len(connection.execute(select(schema.outputs.c.id)).all())


def start(project: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        project.command("run"), cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("kills", "asked"), [(8, 800), pytest.param(KILLS, CASES, marks=pytest.mark.heavy)], ids=["few", "many"]
)
def test_a_killed_run_goes_on_and_ends_like_an_undisturbed_one(project: Project, kills: int, asked: int):
    """One store is killed again and again on its way through all cases."""
    rng = random.Random(20)
    with FakeProvider(Script(latency=Latency(uniform=(0.0, 0.4)))).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(asked)])
        kept_before = 0
        for kill in range(kills):
            process = start(project)
            wanted = min(asked, fake.stats.served + rng.randrange(1, 2 * asked // kills))
            deadline = time.monotonic() + 60
            while fake.stats.served < wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            assert process.poll() is None, f"kill {kill} came too late: {process.communicate()}"
            process.kill()
            process.communicate()
            now = kept(project)
            assert now >= kept_before, "an output that was committed is gone"
            with project.store() as store:
                assert store.integrity() == "ok"
            again = fake.stats.again
            kept_before = now
        lost = fake.stats.served - kept_before
        report = project.run()
        assert fake.stats.served <= asked + lost
        assert fake.stats.again <= again + lost
    assert project.values(report.trial_id) == {f"c{i}": float(i % 2 == 0) for i in range(asked)}


def test_no_output_that_was_committed_is_asked_again(project: Project):
    """What the store held when the plug was pulled is never asked for again."""
    with FakeProvider(Script(latency=Latency(uniform=(0.0, 0.05)))).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(600)])
        process = start(project)
        while fake.stats.served < 300:
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
        process.communicate()
        with project.store() as store, store.reading() as connection:
            requests = [row[0] for row in connection.exec_driver_sql("SELECT request_hash FROM outputs")]
            bodies = [store.load_request(raw) for raw in requests]
        held = [body["messages"][-1]["content"] for body in bodies]
        calls = {text: fake.calls_for(text) for text in held}
        assert len(held) > 0
        project.run()
        assert {text: fake.calls_for(text) for text in held} == calls


def test_ctrl_c_saves_and_says_how_to_go_on(project: Project):
    with FakeProvider(Script(latency=Latency(constant=0.02))).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(3000)])
        process = start(project)
        while fake.stats.served < 200:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "saved" in errors
        assert "run the same command again" in errors
        assert "Traceback" not in errors
        served = fake.stats.served
        assert kept(project) == served < 3000
        project.run()
        assert fake.stats.again == 0
        assert fake.stats.served == 3000


def test_ctrl_c_of_a_fresh_run_says_how_to_go_on_with_its_series(project: Project):
    with FakeProvider(Script(latency=Latency(constant=0.02))).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(2000)])
        process = subprocess.Popen(
            project.command("run", "--fresh"),
            cwd=project.folder,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        while fake.stats.served < 100:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        series = re.search(r"run with --series (\S+)", errors)
        assert series is not None, errors
        assert series[1] in project.call("trials").stdout
        done = project.call("run", "--series", series[1])
        assert done.returncode == 0, done.stderr
        assert (fake.stats.again, fake.stats.served) == (0, 2000)


def test_a_killed_trial_is_listed_as_killed(project: Project):
    with FakeProvider(Script(latency=Latency(constant=0.2))).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(2000)])
        process = start(project)
        while fake.stats.served < 50:
            assert process.poll() is None
            time.sleep(0.005)
        assert " running " in project.call("trials").stdout
        process.kill()
        process.communicate()
        listed = project.call("trials").stdout
        assert " killed " in listed
        drawn = " ".join(project.call("compare", listed.split()[0]).stdout.split())
        with project.store() as store, store.reading() as connection:
            answers = connection.exec_driver_sql("SELECT count(*) FROM outputs").scalar_one()
        assert f"The trial was killed before its end: {answers} answers kept in the store" in drawn, drawn


FAULTS = (
    Fault(kind="rate_limit", probability=0.10, retry_after=0),
    Fault(kind="server_error", probability=0.05),
    Fault(kind="malformed_json", probability=0.02),
    Fault(kind="hang", probability=0.01),
)


def test_every_case_is_accounted_for_under_passing_faults(project: Project):
    with FakeProvider(Script(faults=FAULTS, seed=3)).in_thread() as fake:
        project.at(fake.base_url, timeout=1.0, retries=6)
        project.write([question(i) for i in range(500)])
        report = project.run()
        results = project.results(report.trial_id)
        assert len(results) == 500
        statuses = {status for ((status, _),) in results.values()}
        assert statuses <= {"scored", "infra_error"}
        scored = {key: value for key, ((status, value),) in results.items() if status == "scored"}
        assert len(scored) >= 490
        assert all(value == float(int(key[1:]) % 2 == 0) for key, value in scored.items())
        assert fake.stats.again == 0, "an answer that came was asked for again"


TERMINAL = [
    pytest.param(Fault(kind="bad_request", probability=0.1), "rejected", id="bad-request"),
    pytest.param(Fault(kind="redirect", probability=0.1), "redirect", id="redirect"),
]


@pytest.mark.parametrize(("fault", "code"), TERMINAL)
def test_what_is_terminal_is_not_retried(project: Project, fault: Fault, code: str):
    with FakeProvider(Script(faults=(fault,), seed=1)).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(200)])
        report = project.run()
        assert fake.calls == 200
        missing = [key for key, ((status, _),) in project.results(report.trial_id).items() if status == "infra_error"]
        assert 5 <= len(missing) <= 40
        with project.store() as store:
            (run,) = store.runs(report.trial_id)
            outputs = store.load_outputs([item.output_id for item in store.run_items(run.id)]).values()
        codes = {output.failure.code for output in outputs if output.failure}
        assert codes == {code}


DOWN = [
    pytest.param(Fault(kind="unauthorized"), "key", id="wrong-key"),
    pytest.param(Fault(kind="quota"), "quota", id="exhausted-quota"),
    pytest.param(Fault(kind="not_found"), "model", id="unknown-model"),
]


@pytest.mark.parametrize(("fault", "word"), DOWN)
def test_a_target_that_cannot_answer_ends_the_run_at_once(project: Project, fault: Fault, word: str):
    with FakeProvider(Script(faults=(fault,))).in_thread() as fake:
        project.at(fake.base_url)
        project.write([question(i) for i in range(500)])
        done = project.call("run")
        assert done.returncode == 4
        assert word in done.stderr
        assert "Traceback" not in done.stderr
        assert fake.calls <= 64


def test_nobody_listening_is_said(project: Project):
    with FakeProvider().in_thread() as fake:
        url = fake.base_url
    project.at(url, retries=0)
    project.write([question(i) for i in range(100)])
    done = project.call("run")
    assert done.returncode == 4
    assert "answered none" in done.stderr


def test_the_limiter_finds_the_capacity_of_a_throttled_provider(project: Project):
    with FakeProvider(Script(capacity=Capacity(concurrency=8), latency=Latency(constant=0.01))).in_thread() as fake:
        project.at(fake.base_url, concurrency=64, retries=20)
        project.write([question(i) for i in range(1500)])
        report = project.run()
        assert {status for ((status, _),) in project.results(report.trial_id).values()} == {"scored"}
        assert fake.stats.max_in_flight <= 8
        assert fake.stats.refused < fake.stats.served
