"""The faults that peers have when something changes between two runs: right numbers, and exactly the needed calls."""

from __future__ import annotations

import pytest
from tests.trials.project import Project, question

from seatrial.testing import FakeProvider, Reply, Script, Switch
from seatrial.testing.script import Behaviour

CASES = [question(i) for i in range(20)]
RIGHT = {f"c{i}": float(i % 2 == 0) for i in range(20)}


@pytest.fixture
def ran(project: Project, fake: FakeProvider) -> Project:
    """A project that has been run once."""
    project.at(fake.base_url)
    project.write(CASES)
    report = project.run()
    assert project.values(report.trial_id) == RIGHT
    assert fake.calls == 20
    fake.reset()
    return project


def test_a_rerun_asks_nothing(ran: Project, fake: FakeProvider):
    assert ran.values(ran.run().trial_id) == RIGHT
    assert fake.calls == 0


def test_an_edited_case_is_asked_again_and_only_that(ran: Project, fake: FakeProvider):
    edited = {**CASES[3], "input": "question 3, in other words", "expected": "question 3, in other words"}
    ran.write([*CASES[:3], edited, *CASES[4:]])
    assert ran.values(ran.run().trial_id) == {**RIGHT, "c3": 1.0}
    assert (fake.calls, fake.calls_for("question 3, in other words")) == (1, 1)


def test_an_edited_expectation_asks_nothing_and_scores_anew(ran: Project, fake: FakeProvider):
    ran.write([{**CASES[0], "expected": "now this"}, {**CASES[1], "expected": "question 1"}, *CASES[2:]])
    assert ran.values(ran.run().trial_id) == {**RIGHT, "c0": 0.0, "c1": 1.0}
    assert fake.calls == 0


def test_a_case_inserted_at_the_front_shifts_nothing(ran: Project, fake: FakeProvider):
    ran.write([{"id": "new", "input": "newcomer", "expected": "not this"}, *CASES])
    assert ran.values(ran.run().trial_id) == {"new": 0.0, **RIGHT}
    assert fake.calls == 1


def test_a_case_rewritten_under_its_id_keeps_nothing_of_the_old(ran: Project, fake: FakeProvider):
    ran.write([{"id": "c0", "input": "an entirely different matter", "expected": "wrong"}, *CASES[1:]])
    assert ran.values(ran.run().trial_id) == {**RIGHT, "c0": 0.0}
    assert fake.calls == 1


def test_ids_without_positions_survive_an_insertion(project: Project, fake: FakeProvider):
    bare = [{key: value for key, value in case.items() if key != "id"} for case in CASES]
    project.at(fake.base_url)
    project.write(bare)
    project.run()
    fake.reset()
    project.write([{"input": "newcomer"}, *bare])
    project.run()
    assert fake.calls == 1


def other_model(project: Project) -> None:
    project.suite["targets"]["model"]["use"] = "openai:another"


def other_prompt(project: Project) -> None:
    project.suite["prompt"] = [{"role": "system", "content": "Be brief."}, "input"]


def other_parameter(project: Project) -> None:
    project.suite["targets"]["model"]["params"] = {"temperature": 0.5}


def other_variable(project: Project) -> None:
    project.suite["prompt"] = [{"role": "user", "content": "{{ tone }} {{ input }}"}]
    project.suite["variables"] = {"tone": "Kindly:"}


@pytest.mark.parametrize("swap", [other_model, other_prompt, other_parameter, other_variable])
def test_a_swap_inherits_no_answer(ran: Project, fake: FakeProvider, swap):
    swap(ran)
    ran.write(CASES)
    ran.run()
    assert fake.calls == 20
    ran.run()
    assert fake.calls == 20


def test_another_endpoint_inherits_no_answer(ran: Project, fake: FakeProvider):
    with FakeProvider(Script(default=Reply(text="no"))).in_thread() as other:
        ran.at(other.base_url)
        ran.write(CASES)
        assert set(ran.values(ran.run().trial_id).values()) == {0.0}
        assert other.calls == 20
    ran.at(fake.base_url)
    ran.write(CASES)
    assert ran.values(ran.run().trial_id) == RIGHT
    assert fake.calls == 0


def test_what_is_not_sent_changes_no_request(ran: Project, fake: FakeProvider):
    ran.suite["targets"]["model"] |= {"concurrency": 3, "timeout": 9, "retries": 1, "rpm": 60_000}
    ran.suite["policy"] = {"alpha": 0.01}
    ran.write(CASES)
    ran.run()
    assert fake.calls == 0


def test_one_answer_to_two_questions_shares_no_score(project: Project):
    with FakeProvider(Script(default=Reply(text="42"))).in_thread() as fake:
        project.at(fake.base_url)
        project.write(
            [{"id": "a", "input": "six times seven?", "expected": "42"}, {"id": "b", "input": "two?", "expected": "2"}]
        )
        assert project.values(project.run().trial_id) == {"a": 1.0, "b": 0.0}


def test_fresh_sees_a_silent_change_and_a_plain_rerun_reuses(project: Project):
    changed = Behaviour(default=Reply(text="something else"))
    script = Script(variants={"changed": changed}, switch=Switch(after=20, to="changed"))
    with FakeProvider(script).in_thread() as fake:
        project.at(fake.base_url)
        project.write(CASES)
        assert project.values(project.run().trial_id) == RIGHT
        assert project.values(project.run().trial_id) == RIGHT
        assert fake.calls == 20
        drifted = project.run(fresh=True)
        assert project.values(drifted.trial_id) == {key: 1.0 - value for key, value in RIGHT.items()}
        assert fake.calls == 40
        assert project.values(project.run().trial_id) == RIGHT
        assert fake.calls == 40
