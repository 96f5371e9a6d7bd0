"""`seatrial run --dry-run`: what would be sent, what it may take, and that nothing happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.trials.project import Project, question

import seatrial
from seatrial.errors import BudgetError, UsageError
from seatrial.runs.forecast import Forecast
from seatrial.testing import FakeProvider, Reply, UsageCounts

PRICE = {"input": 1, "output": 10, "as_of": "2026-10-01"}


@pytest.fixture
def fake():
    answer = Reply(text="word word", usage=UsageCounts(input=100, output=20))
    with FakeProvider(answer=lambda _asked: answer).in_thread() as provider:
        yield provider


@pytest.fixture
def project(tmp_path, fake: FakeProvider) -> Project:
    made = Project(tmp_path)
    made.suite["targets"] = {"model": {"use": "openai:m", "params": {"max_tokens": 50}, "price": PRICE}}
    made.at(fake.base_url)
    made.write([question(i) for i in range(40)])
    return made


def ask(project: Project, **choices: Any) -> Forecast:
    return seatrial.estimate(project.folder / "seatrial.yaml", **choices)


def test_nothing_is_sent_and_no_trial_is_made(project: Project, fake: FakeProvider):
    done = project.call("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "Nothing was sent" in done.stdout
    assert "prices of suite 2026-10-01" in done.stdout
    assert fake.calls == 0
    with project.store() as store:
        assert not store.trials()


def test_before_any_answer_the_output_limit_is_expected(project: Project):
    found = ask(project)
    target = found.targets[0]
    assert (target.requests, target.reused) == (40, 0)
    characters = sum(len(f"question {i}") for i in range(40))
    assert target.input_tokens == pytest.approx(characters / 4, abs=40)
    assert target.output_tokens == 40 * 50
    assert target.dollars == pytest.approx((target.input_tokens * 1 + 2000 * 10) / 1e6)
    assert target.dollars_worst is not None
    assert target.dollars_worst > target.dollars
    assert target.tokens_worst is not None
    assert target.tokens_worst >= 40 * (100 + 50), "as a budget sets aside"


def test_earlier_answers_teach_length_and_ratio(project: Project, fake: FakeProvider):
    project.run(limit=20)
    found = ask(project)
    target = found.targets[0]
    assert (target.requests, target.reused) == (20, 20)
    assert target.output_tokens == 20 * 20
    assert target.input_tokens == pytest.approx(20 * 100, rel=0.02)
    assert target.dollars == pytest.approx((2000 * 1 + 400 * 10) / 1e6, rel=0.02)
    assert "20 earlier answers" in target.tokens_from
    assert "20 earlier answers" in target.latency_from
    calls = fake.calls
    report = project.run()
    assert fake.calls - calls == target.requests
    spent = report.arms[0].cost
    assert spent is not None
    assert target.dollars == pytest.approx(spent / 2, rel=0.02)


def test_what_is_in_the_store_costs_nothing(project: Project):
    project.run()
    found = ask(project)
    assert (found.requests, found.reused, found.dollars, found.dollars_worst, found.seconds) == (0, 40, 0, 0, 0)
    fresh = ask(project, fresh=True)
    assert fresh.requests == 40
    assert ask(project, epochs=2).requests == 40


def test_an_unknown_price_is_unknown_and_the_sum_a_lower_bound(project: Project):
    del project.suite["targets"]["model"]["price"]
    project.suite["targets"]["other"] = {**project.suite["targets"]["model"], "use": "openai:n", "price": PRICE}
    project.write([question(i) for i in range(40)], incumbent="other")
    found = ask(project)
    by_name = {target.target: target for target in found.targets}
    assert by_name["model"].dollars is by_name["model"].dollars_worst is None
    assert found.dollars == by_name["other"].dollars
    assert found.dollars_unknown == 1
    shown = project.call("run", "--dry-run").stdout
    assert "at least $0.0" in shown
    assert "cost is unknown" in " ".join(shown.split())


def test_without_limit_and_history_the_output_is_unknown(project: Project):
    project.suite["targets"]["model"]["params"] = {}
    project.write([question(0)])
    found = ask(project).targets[0]
    assert found.output_tokens is found.dollars is found.dollars_worst is found.tokens_worst is found.seconds is None
    assert found.input_tokens
    assert "no limit" in found.tokens_from


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        pytest.param({"concurrency": 1}, 40 * 1.5, id="concurrency"),
        pytest.param({"rpm": 10}, 240, id="rpm"),
        pytest.param({"arrival": {"poisson": 0.1}}, 400, id="arrival"),
    ],
)
def test_time_is_what_the_limits_allow(project: Project, limits: dict[str, Any], seconds: float):
    project.suite["targets"]["model"] |= limits
    project.write([question(i) for i in range(40)])
    assert ask(project).targets[0].seconds == pytest.approx(seconds)


def test_repeated_cases_are_asked_once(project: Project):
    project.write([{**question(1), "id": f"c{i}"} for i in range(10)])
    assert (ask(project).requests, ask(project).reused) == (1, 9)


def test_json_is_one_object(project: Project):
    done = project.call("run", "--dry-run", "--json", "--limit", "5")
    found = json.loads(done.stdout)
    assert found["requests"] == 5
    assert found["targets"][0]["price_source"] == "suite 2026-10-01"


def test_what_is_at_most_suffices_as_a_budget(project: Project):
    most = ask(project).dollars_worst
    assert most is not None
    assert project.run(budget=most).status == "done"


def test_a_budget_stops_the_command_with_four(project: Project):
    project.suite["targets"]["model"]["concurrency"] = 1
    project.write([question(i) for i in range(40)])
    done = project.call("run", "--budget-tokens", "2000")
    assert done.returncode == 4, done.stderr
    assert "The budget is spent" in done.stderr
    assert "E405" in done.stderr
    assert "Traceback" not in done.stderr
    again = project.call("run")
    assert again.returncode == 0
    assert "reused" in again.stderr


def test_a_recording_costs_nothing(project: Project):
    rows = [{"input": f"question {i}", "output": "x"} for i in range(3)]
    (project.folder / "rec.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project.suite["targets"] = {"old": {"use": "replay:rec.jsonl"}}
    project.write([question(i) for i in range(3)])
    found = ask(project).targets[0]
    assert (found.requests, found.dollars, found.dollars_worst) == (3, 0, 0)
    assert project.run(budget=0.01).status == "done"


@pytest.mark.parametrize("choices", [{"epochs": 0}, {"limit": 0}, {"series": "nowhere"}, {"nonsense": 1}])
def test_nonsense_is_refused(project: Project, choices: dict[str, Any]):
    with pytest.raises(UsageError):
        ask(project, **choices)


def test_an_attached_file_is_never_sent_within_a_budget(project: Project, fake: FakeProvider):
    part = {"type": "file", "media_type": "text/plain", "name": "a.txt", "data": "aGVsbG8="}
    project.write(
        [question(0), {"id": "f", "input": [{"role": "user", "content": [part, {"type": "text", "text": "?"}]}]}]
    )
    with pytest.raises(BudgetError, match="cannot be kept within the budget"):
        project.run(budget=5)
    assert fake.calls <= 1
