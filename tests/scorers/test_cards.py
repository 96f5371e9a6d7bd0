"""Every scorer has a card, whose examples are true."""

from __future__ import annotations

import asyncio
import re

import pytest

from seatrial.core.plugins import find
from seatrial.scorers import BUILTIN
from seatrial.scorers.describe import FAMILIES, card_of, describe, family
from seatrial.scorers.examples import judged

NAME = re.compile(r"[a-z][a-z0-9-]*:\S.*")


def card(name: str):
    found = card_of(find("scorer", name, BUILTIN))
    assert found is not None, f"{name} has no card"
    return found


def examples():
    for name in BUILTIN:
        found = card_of(find("scorer", name, BUILTIN))
        for number, example in enumerate(found.examples if found else ()):
            yield pytest.param(name, example, id=f"{name}-{number}")


@pytest.mark.parametrize("name", BUILTIN)
def test_a_card_says_what_a_page_needs(name):
    found = card(name)
    assert found.formula
    assert found.fails
    assert all(sentence.endswith((".", ")")) for sentence in found.fails)
    assert all(NAME.fullmatch(other) for other in found.also_called)
    assert {example.passed for example in found.examples} >= {True, False}


@pytest.mark.parametrize(("name", "example"), [*examples()])
def test_an_example_gives_the_score_it_says(name, example):
    score = asyncio.run(judged(name, example))
    assert (score.status, score.passed) == (example.status, example.passed), score
    assert score.value == (None if example.value is None else pytest.approx(example.value, abs=5e-4)), score
    assert score.reason


@pytest.mark.parametrize("name", BUILTIN)
def test_a_scorer_declares_itself(name):
    told = describe(name)
    made = find("scorer", name, BUILTIN)
    assert made.about.name == name
    assert told["unit"] in {"message", "output", "trace", "session"}
    assert set(told["needs"]) <= {"expected", "context", "tools", "steps", "judge", "embedder"}
    assert told["cost"] in {"cheap", "heavy", "model"}
    asks = bool({"judge", "embedder"} & set(told["needs"]))
    assert asks is (told["cost"] == "model") or "judge" in {s["name"] for s in told["settings"]}
    assert told["family"] == family(name) in FAMILIES
    assert told["range"][0] < told["range"][1]
    assert told["version"]
