from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from seatrial.core.suite import RubricSpec
from seatrial.errors import UnknownPluginError
from seatrial.scorers import BUILTIN, build
from seatrial.scorers.describe import describe

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scorers.md").read_text("utf-8")
LISTS = re.findall(r"^```yaml\n(rubrics:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rubrics():
    return [RubricSpec.model_validate(item) for text in LISTS for item in YAML(typ="safe").load(text)["rubrics"]]


def test_every_rubric_on_the_page_can_be_built():
    shown = rubrics()
    for rubric in shown:
        if not rubric.scorer.startswith("python:"):
            build(rubric.scorer, rubric.settings, Path())
    assert {rubric.scorer for rubric in shown} >= BUILTIN.keys()


@pytest.mark.parametrize("name", BUILTIN)
def test_the_table_has_every_scorer_and_its_settings(name):
    table = PAGE.partition("## The scorers")[2].partition("### Text")[0]
    (row,) = [line for line in table.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]
    settings = {setting["name"] for setting in describe(name)["settings"]}
    assert settings <= set(re.findall(r"`(\w+)`", row))


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
