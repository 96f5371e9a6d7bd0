"""`seatrial run --aa`: a target against itself, asked twice; and what `seatrial plan` makes of it."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import Any

import pytest
from tests.trials.project import Project, question

import seatrial
from seatrial.errors import UsageError
from seatrial.testing import FakeProvider, Reply

CASES = [question(2 * i) for i in range(120)]
PRICE = {"input": 1, "output": 10}


class Noisy:
    """Answers rightly but for a share of its calls, drawn anew each time that a text is asked, in whatever order."""

    def __init__(self, share: float) -> None:
        self.share, self.times = share, Counter[str]()

    def __call__(self, asked: Any) -> Reply:
        text = asked.text
        self.times[text] += 1
        drawn = int.from_bytes(sha256(f"{text} {self.times[text]}".encode()).digest()[:4]) / 2**32
        return Reply(text="something wrong" if drawn < self.share else text)


@pytest.fixture
def noisy():
    with FakeProvider(answer=Noisy(0.10)).in_thread() as provider:
        yield provider


def two_targets(project: Project, url: str, **changes: Any) -> Project:
    project.suite["targets"] = {"today": {"use": "openai:a", "price": PRICE}, "small": {"use": "openai:b"}}
    project.at(url)
    project.write(CASES, incumbent="today", **changes)
    return project


def test_the_incumbent_is_asked_twice_and_found_to_be_itself(project: Project, noisy: FakeProvider):
    report = two_targets(project, noisy.base_url).run(aa="")
    assert noisy.calls == 240
    assert [arm.target for arm in report.arms] == ["today", "today-again"]
    verdict = report.verdicts[0]
    assert verdict.parity is not None
    assert verdict.parity.result == "equal" or all(d.allowed for d in verdict.parity.differences)
    control = verdict.control
    assert control is not None
    assert control.sound
    assert control.identical is not None
    assert 0.6 < control.identical < 1
    rubric = control.rubrics[0]
    pairs = verdict.rubrics[0].pairs
    assert pairs is not None
    assert rubric.discordance.value == pytest.approx((pairs.gained + pairs.lost) / pairs.n)
    assert 0.08 < rubric.discordance.value < 0.30, "two draws at 10% differ in 18% of the cases"
    assert rubric.would_block <= 0.05
    assert rubric.would_worsen <= rubric.allowed + 0.03
    assert "today against itself" in verdict.headline


def test_what_was_asked_today_is_reused_and_only_the_second_series_is_new(project: Project, noisy: FakeProvider):
    two_targets(project, noisy.base_url).run()
    assert noisy.calls == 240
    project.run(aa="today")
    assert noisy.calls == 360
    project.run(aa="today")
    assert noisy.calls == 480, "every A/A opens a series"
    with project.store() as store:
        last = store.series()[0]
    assert last.startswith("aa-")
    project.run(aa="today", series=last)
    assert noisy.calls == 480, "and goes on with one that is named"
    project.run(aa="today", fresh=True)
    assert noisy.calls == 720, "--fresh asks both anew"


def test_arms_that_are_told_apart_are_a_broken_set_up(project: Project):
    seen: set[tuple[str, str]] = set()

    def forgetful(asked: Any) -> Reply:
        known = (asked.model, asked.text) in seen
        seen.add((asked.model, asked.text))
        return Reply(text="I said that already" if known else asked.text)

    with FakeProvider(answer=forgetful).in_thread() as provider:
        two_targets(project, provider.base_url).run()
        verdict = project.run(aa="").verdicts[0]
    assert verdict.overall == "block"
    assert verdict.control is not None
    assert not verdict.control.sound
    assert "the set-up is broken" in verdict.headline
    assert "beyond chance" in verdict.control.sentences[0]


def test_a_bare_compare_judges_the_suite_itself_not_the_latest_measurement(project: Project, noisy: FakeProvider):
    two_targets(project, noisy.base_url)
    own = project.run()
    measured = project.run(aa="")
    assert measured.trial_id != own.trial_id
    with project.store() as store:
        assert seatrial.compare(store=store).trial_id == own.trial_id
        assert seatrial.compare(measured.trial_id, store=store).trial_id == measured.trial_id


def test_the_plan_takes_its_discordance_from_it(project: Project, noisy: FakeProvider):
    two_targets(project, noisy.base_url)
    path = project.folder / "seatrial.yaml"
    before = seatrial.plan(path).rubrics[0]
    assert (before.discordance, before.source) == (0.10, "assumed")
    pairs = project.run(aa="").verdicts[0].rubrics[0].pairs
    assert pairs is not None
    after = seatrial.plan(path).rubrics[0]
    assert after.discordance == pytest.approx((pairs.gained + pairs.lost + 0.5) / (pairs.n + 1))
    assert "against itself in A/A" in after.source
    project.run()
    both = seatrial.plan(path).rubrics[0]
    assert "small against today" in both.source, "a trial of the very arms says more than an A/A"
    assert seatrial.plan(path, discordance=25).rubrics[0].discordance == 0.25


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        pytest.param({"aa": "tody"}, "did you mean 'today'", id="misspelt"),
        pytest.param({"aa": "kept"}, "recording", id="a-recording-cannot-be-asked-again"),
        pytest.param({"aa": "today", "series": "aa-none"}, "no series", id="unknown-series"),
    ],
)
def test_what_cannot_be_asked_twice_is_said(project: Project, fake: FakeProvider, choices: dict[str, Any], says: str):
    two_targets(project, fake.base_url)
    project.suite["targets"]["kept"] = {"use": "replay:kept.jsonl"}
    (project.folder / "kept.jsonl").write_text("".join(json.dumps({**c, "output": "x"}) + "\n" for c in CASES))
    project.write(CASES)
    with pytest.raises(UsageError, match=says):
        project.run(**choices)
    assert fake.calls == 0


def test_the_command(project: Project, noisy: FakeProvider):
    two_targets(project, noisy.base_url)
    dry = project.call("run", "--aa", "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    assert json.loads(dry.stdout)["requests"] == 240
    done = project.call("run", "--aa", "small", "-o", "aa.md", "-o", "aa.html", "-o", "aa.json")
    assert done.returncode == 0, done.stderr
    assert "small against itself" in done.stdout
    assert "would-be trials" in " ".join(done.stdout.split())
    assert "would-be trials" in (project.folder / "aa.md").read_text()
    assert "would-be trials" in (project.folder / "aa.html").read_text()
    found = json.loads((project.folder / "aa.json").read_text())
    assert found["verdicts"][0]["control"]["target"] == "small"
    wrong = project.call("run", "--aa", "seatrial.yaml")
    assert wrong.returncode == 2
    assert "name the suite before it" in wrong.stderr


def test_a_target_with_the_longest_name(project: Project, noisy: FakeProvider):
    name = "n" * 80
    project.suite["targets"] = {name: {"use": "openai:a"}}
    project.at(noisy.base_url)
    project.write(CASES)
    assert project.run(aa=name).verdicts[0].control is not None
