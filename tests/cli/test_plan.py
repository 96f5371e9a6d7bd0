"""`seatrial plan`: what is printed, what is written, and that nobody is asked."""

from __future__ import annotations

import json

import pytest
from tests.trials.project import Project, question

import seatrial
from seatrial.errors import SuiteError, UsageError
from seatrial.testing import FakeProvider

PRICE = {"input": 1, "output": 10}
RUBRICS = [
    {"name": "right", "scorer": "exact"},
    {"name": "safe", "scorer": "exact", "kind": "gate", "limit_points": 5, "cases": "probes"},
]


@pytest.fixture
def planned(tmp_path, fake: FakeProvider) -> Project:
    made = Project(tmp_path)
    params = {"max_tokens": 50}
    made.suite["targets"] = {
        "today": {"use": "openai:a", "params": params, "price": PRICE},
        "small": {"use": "openai:b", "params": params, "price": PRICE},
    }
    made.at(fake.base_url)
    probes = [question(1000 + i, origin="adversarial") for i in range(20)]
    made.write([*(question(i) for i in range(100)), *probes], incumbent="today", rubrics=RUBRICS)
    return made


@pytest.fixture
def fake():
    with FakeProvider().in_thread() as provider:
        yield provider


def test_it_says_what_is_too_small_and_asks_nobody(planned: Project, fake: FakeProvider):
    done = planned.call("plan", "-o", "plan.md", "-o", "plan.json", "-o", "plan.txt")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "project: 120 cases of cases. Nothing was sent." in said
    assert "This dataset is too small to ship anything: right and safe are bound to stay open, or likely to." in said
    assert "safe: it cannot pass, even if nothing fails: add 39 probes, each from a seed of its own" in said
    assert "Its margin of 3 points takes 687 cases" in said
    assert "240 requests to send, 0 reused" in said
    assert fake.calls == 0
    with planned.store() as store:
        assert not store.trials()
    found = json.loads((planned.folder / "plan.json").read_text())
    assert [rubric["needed"] for rubric in found["rubrics"]] == [687, 59]
    assert "| right | quality | 100 |" in (planned.folder / "plan.md").read_text()
    assert "Nothing was sent" in (planned.folder / "plan.txt").read_text()


def test_json_is_one_object_and_python_gives_the_same(planned: Project):
    done = planned.call("plan", "--json", "--discordance", "20")
    assert done.returncode == 0, done.stderr
    found, ours = json.loads(done.stdout), seatrial.plan(planned.folder / "seatrial.yaml", discordance=20)
    del found["forecast"]["seconds"]
    assert found["rubrics"] == json.loads(ours.model_dump_json())["rubrics"]
    assert ours.rubrics[0].needed == 1374
    assert ours.needed == 1649, "1,374 of 100 cases a rubric takes, the probes growing alike"
    assert ours.forecast is not None
    assert ours.dollars_needed is not None
    assert ours.dollars_needed > (ours.forecast.dollars or 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--discordance", "0"], "0<x<=100", id="discordance"),
        pytest.param(["-o", "plan.html"], "end the name in one of .md, .json, .txt", id="ending"),
        pytest.param(["--target", "nobody"], "no target 'nobody'", id="target"),
        pytest.param(["nowhere.yaml"], "no suite file", id="no-suite"),
    ],
)
def test_what_does_not_fit_is_refused(planned: Project, arguments: list[str], says: str):
    done = planned.call("plan", *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_python_refuses_it_too(planned: Project):
    with pytest.raises(UsageError, match="above 0"):
        seatrial.plan(planned.folder / "seatrial.yaml", discordance=-1)
    with pytest.raises(UsageError, match="does not take"):
        seatrial.plan(planned.folder / "seatrial.yaml", nonsense=1)
    with pytest.raises(SuiteError):
        seatrial.plan(planned.folder / "none.yaml")


def test_hostile_names_are_made_visible(planned: Project):
    planned.suite["description"] = "\u202e evil"
    strata = {"k\x1b[31m": "v\u202e"}
    planned.write([question(i, strata=strata) for i in range(40)], policy={"slices": ["k\x1b[31m"]})
    done = planned.call("plan")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_a_case_that_no_scorer_takes(planned: Project):
    planned.write([{"id": f"c{i}", "input": f"q {i}"} for i in range(40)])
    done = planned.call("plan")
    assert done.returncode == 0, done.stderr
    assert "right: no case of the dataset is for it" in " ".join(done.stdout.split())
