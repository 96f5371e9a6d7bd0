"""The scorers' pages are what is generated from the scorers, and say all of them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests.conftest import ROOT

from seatrial.core.suite import RubricSpec
from seatrial.errors import UnknownPluginError
from seatrial.scorers import BUILTIN, build
from seatrial.scorers.describe import by_family, describe

PAGE = (ROOT / "docs" / "scorers.md").read_text("utf-8")
LISTS = re.findall(r"^```yaml\n(rubrics:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def tools():
    sys.path.insert(0, str(ROOT / "tools"))
    yield
    sys.path.remove(str(ROOT / "tools"))


def test_every_rubric_on_the_page_can_be_built():
    rubrics = [RubricSpec.model_validate(i) for text in LISTS for i in YAML(typ="safe").load(text)["rubrics"]]
    for rubric in rubrics:
        if not rubric.scorer.startswith("python:"):
            build(rubric.scorer, rubric.settings, Path())
    assert len(rubrics) > 20


def test_the_pages_on_disk_are_the_generated_ones():
    from make_scorer_pages import generated

    files = generated()
    stale = [path.name for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    assert stale == [], "run `python tools/make_scorer_pages.py`"
    assert {path.name for path in (ROOT / "docs/scorers").glob("*.md")} == {p.name for p in files} - {"scorers.md"}


def test_every_name_elsewhere_is_ours_or_has_a_reason():
    from scorer_pages import elsewhere

    assert elsewhere.unexplained() == []


def test_what_is_said_of_names_elsewhere_is_about_names_that_are_listed():
    from scorer_pages.names import ABSENT, NAMES, WITH

    known = {f"{tool}:{name}" for tool, names in NAMES.items() for name in names}
    assert ABSENT.keys() <= known
    assert WITH.keys() <= known
    assert not ABSENT.keys() & WITH.keys()
    for names in NAMES.values():
        assert len(names) == len(set(names))


def test_every_scorer_is_in_a_family():
    assert sorted(name for names in by_family().values() for name in names) == sorted(BUILTIN)


@pytest.mark.parametrize("name", BUILTIN)
def test_a_description_is_plain_and_complete(name):
    found = json.loads(json.dumps(describe(name)))
    assert found["name"] == name
    assert found["summary"] in found["text"]
    assert found["summary"].endswith(".")
    assert all(setting["name"] in found["text"] for setting in found["settings"])


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownPluginError, match="numeric"):
        describe("numerc")
