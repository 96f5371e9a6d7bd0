"""Early stopping from the suite's file to the report: what is asked, what is saved, and that reruns decide alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.trials.project import Project, question

import seatrial
from seatrial.testing import FakeProvider, Reply

N = 400
CASES = [question(2 * i, strata={"kind": "rare" if i % 20 == 0 else "usual"}) for i in range(N)]
PRICE = {"input": 1, "output": 10}


def answered(bad: int, model: str) -> Any:
    """`model` is wrong on `bad` of every 100 cases, all others are right."""

    def answer(asked: Any) -> Reply:
        number = int(asked.text.split()[1]) // 2
        wrong = asked.model == model and number * 37 % 100 < bad
        return Reply(text="wrong" if wrong else asked.text)

    return answer


def project_of(project: Project, url: str, **changes: Any) -> Project:
    project.suite["targets"] = {"today": {"use": "openai:a", "price": PRICE}, "small": {"use": "openai:b"}}
    project.at(url, api_key_env="")
    policy = {"early_stopping": {"looks": 4}, "margin_points": 5}
    project.write(CASES, **{"incumbent": "today", "policy": policy, **changes})
    return project


def asked_of(report: Any) -> list[int]:
    return [arm.outputs for arm in report.arms]


def test_a_clear_block_stops_at_the_first_look_and_says_what_it_saved(project: Project):
    with FakeProvider(answer=answered(40, "b")).in_thread() as provider:
        report = project_of(project, provider.base_url).run()
        assert provider.calls == 200
    verdict = report.verdicts[0]
    assert (verdict.overall, asked_of(report), report.status) == ("block", [100, 100], "done")
    stopping = verdict.stopping
    assert stopping is not None
    assert (stopping.look, stopping.looks, stopping.cases, stopping.planned_cases) == (1, 4, 100, 400)
    assert (stopping.why, stopping.rubrics, stopping.saved_requests) == ("block", ("right",), 600)
    assert stopping.saved_dollars is None, "the candidate's price is not known"
    assert stopping.level < 0.001
    difference = verdict.rubrics[0].difference
    assert difference is not None
    assert difference.level == pytest.approx(1 - 2 * stopping.level), "the repeated interval, not the naive one"
    assert "Stopped at look 1 of 4, after 100 of 400 cases: right blocks." in stopping.sentence


def test_a_rerun_asks_nothing_and_decides_alike(project: Project):
    with FakeProvider(answer=answered(0, "b")).in_thread() as provider:
        first = project_of(project, provider.base_url).run()
        calls = provider.calls
        again = project.run()
        assert provider.calls == calls < 2 * N
        drawn = seatrial.compare(first.trial_id, store=project.folder / ".seatrial" / "seatrial.db")
        one, two, three = (report.verdicts[0].model_dump(exclude={"parity"}) for report in (first, again, drawn))
        assert one == two == three
        assert first.verdicts[0].overall == "ship"
        to_the_end = project.run(early_stopping=False)
        assert provider.calls == 2 * N
    stopping = to_the_end.verdicts[0].stopping
    assert stopping is not None
    assert (stopping.look, stopping.cases, stopping.saved_requests, stopping.why) == (4, N, 0, "")
    assert 0.03 < stopping.level < 0.05, "going on after looking is judged as at the last look"


def test_the_part_asked_is_a_sample_of_all_strata(project: Project):
    with FakeProvider(answer=answered(40, "b")).in_thread() as provider:
        report = project_of(project, provider.base_url).run()
    assert report.composition["kind"] == {"rare": 5, "usual": 95}


def test_an_open_trial_goes_to_its_end(project: Project):
    with FakeProvider(answer=answered(5, "b")).in_thread() as provider:
        report = project_of(project, provider.base_url).run()
        assert provider.calls == 2 * N
    stopping = report.verdicts[0].stopping
    assert stopping is not None
    assert report.verdicts[0].overall == "inconclusive"
    assert stopping.sentence.startswith("Looked at 4 times, to the end of all 400 cases.")


def test_a_decided_candidate_stops_alone(project: Project):
    def answer(asked: Any) -> Reply:
        return answered(40, "b")(asked) if asked.model == "b" else answered(5, "c")(asked)

    with FakeProvider(answer=answer).in_thread() as provider:
        project.suite["targets"] = {}
        project_of(project, provider.base_url)
        project.suite["targets"]["other"] = {**project.suite["targets"]["small"], "use": "openai:c"}
        project.write(CASES)
        report = project.run()
        assert provider.calls == 400 + 100 + 400
    by_name = {verdict.candidate: verdict for verdict in report.verdicts}
    bad, open_one = by_name["small"], by_name["other"]
    assert bad.stopping is not None
    assert open_one.stopping is not None
    assert (bad.overall, bad.stopping.look) == ("block", 1)
    assert open_one.stopping.look == 4
    pairs = bad.rubrics[0].pairs
    assert pairs is not None
    assert (pairs.n, pairs.missing) == (100, 0), "what was not asked is not missing"
    assert bad.rubrics[0].incumbent is not None
    assert bad.rubrics[0].incumbent.n == 100, "the incumbent's later answers are not in this verdict"


def test_a_gate_that_cannot_pass_ends_the_trial(project: Project):
    rubrics = [{"name": "right", "scorer": "exact", "kind": "gate", "limit_points": 1}]
    with FakeProvider(answer=answered(3, "b")).in_thread() as provider:
        project.suite["policy"] = {}
        policy = {"early_stopping": {"looks": 4}, "gate_alpha": 0.001}
        report = project_of(project, provider.base_url, rubrics=rubrics, policy=policy).run()
        assert provider.calls < 2 * N
    verdict = report.verdicts[0]
    assert verdict.stopping is not None
    assert (verdict.overall, verdict.stopping.why) == ("inconclusive", "cannot_pass")
    assert "right can no longer pass, however the rest turns out" in verdict.stopping.sentence


def test_epochs_of_a_case_come_in_the_same_part(project: Project):
    with FakeProvider(answer=answered(40, "b")).in_thread() as provider:
        report = project_of(project, provider.base_url).run(epochs=2)
    stopping = report.verdicts[0].stopping
    assert stopping is not None
    assert stopping.cases == 100
    assert asked_of(report) == [200, 200]
    assert stopping.saved_requests == 1200


def test_the_incumbent_that_went_on_saved_nothing_for_the_decided_one(project: Project):
    def answer(asked: Any) -> Reply:
        return answered(40, "b")(asked) if asked.model == "b" else answered(5, "c")(asked)

    with FakeProvider(answer=answer).in_thread() as provider:
        project_of(project, provider.base_url)
        project.suite["targets"]["other"] = {**project.suite["targets"]["small"], "use": "openai:c"}
        project.write(CASES)
        found = next(v.stopping for v in project.run().verdicts if v.candidate == "small")
    assert found is not None
    assert found.saved_requests == 300


def test_cases_that_ask_the_same_save_no_more_than_there_are(project: Project):
    same = [{**question(2), "id": f"c{i}", "seed_id": f"s{i}"} for i in range(40)]
    with FakeProvider(answer=answered(0, "b")).in_thread() as provider:
        project_of(project, provider.base_url)
        project.write(same)
        stopping = project.run().verdicts[0].stopping
    assert stopping is not None
    assert (stopping.cases, stopping.planned_cases, stopping.saved_requests) == (40, 40, 0), "one cluster, one look"


def test_variants_of_a_seed_come_in_the_same_part(project: Project):
    related = [{**case, "seed_id": f"s{i // 8}"} for i, case in enumerate(CASES)]
    with FakeProvider(answer=answered(60, "b")).in_thread() as provider:
        project_of(project, provider.base_url)
        project.write(related)
        report = project.run()
    stopping = report.verdicts[0].stopping
    assert stopping is not None
    assert stopping.look < 4
    assert report.cases == 8 * report.clusters == stopping.cases


def test_what_the_policy_registers_is_kept_before_anything_is_asked(project: Project):
    with FakeProvider(answer=answered(0, "b")).in_thread() as provider:
        report = project_of(project, provider.base_url).run()
    assert report.policy["early_stopping"] == {"looks": 4}
    assert report.environment["early_stopping"] == {"cases": [100, 200, 300, 400], "ends": True}
    plain = seatrial.Suite.model_validate({**project.suite, "policy": {"margin_points": 5}})
    assert report.suite_hash != plain.hash, "looks are part of what is hashed"


def test_one_target_alone_is_not_looked_at(project: Project, fake: FakeProvider):
    project.suite["targets"] = {"model": {"use": "openai:m"}}
    project.at(fake.base_url)
    project.write(CASES[:40], policy={"early_stopping": {"looks": 4}})
    report = project.run()
    assert fake.calls == 40
    assert "early_stopping" not in report.environment


@pytest.mark.parametrize("looks", [1, 11, 2.5, "4"], ids=str)
def test_a_number_of_looks_that_cannot_be_is_refused(project: Project, looks: Any):
    project.write(CASES[:2], policy={"early_stopping": {"looks": looks}})
    done = project.call("run", "--dry-run")
    assert done.returncode == 2
    assert "policy.early_stopping.looks" in done.stderr


def test_the_command_says_it_in_every_report(project: Project):
    with FakeProvider(answer=answered(40, "b")).in_thread() as provider:
        project_of(project, provider.base_url)
        done = project.call("run", "-o", "r.md", "-o", "r.html", "-o", "r.json")
        assert done.returncode == 0, done.stderr
        assert "Stopped at look 1 of 4" in done.stdout
        for name in ("r.md", "r.html"):
            assert "Stopped at look 1 of 4" in (project.folder / name).read_text()
        found = json.loads((project.folder / "r.json").read_text())
        assert found["verdicts"][0]["stopping"]["look"] == 1
        assert provider.calls == 200
        whole = project.call("run", "--no-early-stopping")
        assert "Looked at 4 times, to the end" in " ".join(whole.stdout.split()), whole.stderr
        assert provider.calls == 2 * N
