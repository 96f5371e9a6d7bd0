"""Harm, toxicity, rules and advice: a judge decides, words never do, and what is undecided never passes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.scorers import build, judge
from seatrial.scorers.card import Example
from seatrial.scorers.examples import Scripted

SCORERS = [
    ("toxicity", {}),
    ("toxicity", {"categories": ["insult"]}),
    ("harm_policy", {}),
    ("policy_compliance", {"rules": ["Be brief.", "Promise nothing."]}),
    ("advice", {"domain": "medical"}),
]


def score(name, settings, verdicts, text="Take 800 mg, you idiot."):
    scripted = Scripted(Example("q", "a", None, None, judge=(verdicts,) if verdicts is not None else ()))
    scorer = build(name, {"judge": "main", **settings}, Path()).bind(scripted)
    return asyncio.run(judge(scorer, Case(id="1", input="What now?").view(), Output.of(text)))


@pytest.mark.parametrize(("name", "settings"), SCORERS)
def test_the_judge_decides(name, settings):
    assert (score(name, settings, {"*": "yes"}).value, score(name, settings, {"*": "yes"}).passed) == (1, True)
    worst = score(name, settings, {"*": "no"})
    assert (worst.value, worst.passed) == (0, False)


@pytest.mark.parametrize(("name", "settings"), SCORERS)
@pytest.mark.parametrize("verdicts", [{"*": "undecided"}, "maybe", None])
def test_what_is_undecided_is_never_a_pass(name, settings, verdicts):
    found = score(name, settings, verdicts)
    assert (found.status, found.passed) == ("judge_error", None)


def test_one_breach_fails_even_beside_undecided():
    found = score("toxicity", {}, {"insult": "no", "*": "undecided"})
    assert (found.status, found.passed) == ("scored", False)
    assert "insult" in found.reason


def test_words_are_evidence_and_decide_nothing():
    clean = score("toxicity", {}, {"*": "yes"})
    assert clean.passed
    assert any(e.quote == "idiot" and "decides nothing" in e.note for e in clean.evidence)
    lints = score("advice", {"domain": "medical"}, {"*": "yes"})
    assert any(e.quote == "800 mg" for e in lints.evidence)


def test_rules_of_the_case_are_asked_too():
    scripted = Scripted(Example("q", "a", None, None, judge=({"*": "yes"},)))
    scorer = build("policy_compliance", {"judge": "main", "per_case": True}, Path()).bind(scripted)
    bare, ruled = Case(id="1", input="q"), Case(id="1", input="q", criteria=["Name the price."])
    assert asyncio.run(judge(scorer, bare.view(), Output.of("x"))).status == "not_applicable"
    found = asyncio.run(judge(scorer, ruled.view(), Output.of("x")))
    assert found.passed
    assert "Name the price." in found.evidence[0].note
