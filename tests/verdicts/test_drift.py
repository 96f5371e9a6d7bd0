"""A model that the provider changes without a word is told in the report, through the real pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.trials.project import Project, question

from seatrial.testing import FakeProvider, Script

CASES = [question(i) for i in range(10)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def script(after: int | None = None, **changed: Any) -> Script:
    switch = {} if after is None else {"switch": {"to": "new", "after": after}}
    return Script.model_validate({"served_model": "m-1", "fingerprint": "fp_1", "variants": {"new": changed}, **switch})


SEVERAL = [
    pytest.param({"served_model": "m-2"}, "model was served by 2 models: m-1 (6), m-2 (4).", id="models"),
    pytest.param({"fingerprint": "fp_2"}, "model has 2 fingerprints: fp_1 (6), fp_2 (4).", id="fingerprints"),
    pytest.param({"served_model": "\ud800\x1b[31m"}, "m-1 (6), \\ud800\\x1b[31m (4)", id="hostile-name"),
]


@pytest.mark.parametrize(("changed", "words"), SEVERAL)
def test_a_change_during_the_run_is_told(project: Project, changed: dict[str, Any], words: str):
    with FakeProvider(script(6, **changed)).in_thread() as fake:
        project.at(fake.base_url)
        project.write(CASES)
        warnings = project.run().warnings
    assert [text for text in warnings if words.replace("\\x1b", "\\x1b") in text] != [], warnings


def test_a_change_since_the_last_time_is_told(project: Project):
    with FakeProvider(script(served_model="m-2")).in_thread() as fake:
        project.at(fake.base_url)
        project.write(CASES)
        assert project.run().warnings == ()
        fake.switch("new")
        assert project.run().warnings == ()  # all is reused
        told = project.run(fresh=True).warnings
    assert told == ("model is served by m-2 now; the same requests were served by m-1 before.",)


def test_answers_reused_beside_new_ones_are_told(project: Project):
    with FakeProvider(script(served_model="m-2")).in_thread() as fake:
        project.at(fake.base_url)
        project.write(CASES[:7])
        project.run()
        fake.switch("new")
        project.write(CASES)
        told = project.run().warnings
    assert any("model was served by 2 models: m-1 (7), m-2 (3)." in text for text in told), told


def test_a_model_that_stays_is_not_mentioned(project: Project):
    with FakeProvider(script()).in_thread() as fake:
        project.at(fake.base_url)
        project.write(CASES)
        assert project.run(epochs=2).warnings == ()
        assert project.run(epochs=2, fresh=True).warnings == ()


def test_targets_that_name_no_model_are_not_mentioned(project: Project):
    (project.folder / "mine.py").write_text("def f(request):\n    return request.text\n")
    project.write(CASES, targets={"model": {"use": "python:mine:f"}})
    assert project.run().warnings == ()
