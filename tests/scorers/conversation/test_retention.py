"""What the user told is not asked again, nor said back wrongly."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.scorers import build, judge
from seatrial.scorers.conversation._facts import retained
from seatrial.scorers.conversation._session import Turn
from seatrial.scorers.judged.scripted import ScriptedJudges


def session(*texts):
    return [Turn("assistant" if i % 2 else "user", text, f"t{i}") for i, text in enumerate(texts)]


KEPT = {
    "used": ("My order number is AB-1207.", "Order AB-1207 is on its way."),
    "something else asked": ("My order number is AB-1207.", "What is your email address?"),
    "asked before it was told": (
        "Hi, I need help.",
        "What is your order number?",
        "It's AB-1207.",
        "Thank you, I see it.",
    ),
    "confirmed with the value": ("My email is ann@x.org.", "Is your email ann@x.org?"),
    "to be confirmed": ("My email is ann@x.org.", "Please confirm your email address."),
    "another one": ("My email is ann@x.org.", "Could you give me another email address?"),
    "it did not work": (
        "My order number is 99123.",
        "I could not find that order. Could you send me your order number?",
    ),
    "the same, said back": ("My order number is AB-1207.", "Your order number is ab 1207, thanks."),
    "corrected by the user": (
        "My order number is 1111.",
        "Hm.",
        "Sorry, my order number is 2222.",
        "Your order number is 2222.",
    ),
    "not the same thing": ("My email is ann@x.org.", "What are your email preferences?"),
    "denied": ("My order number is 1111.", "Your order number is not 2222."),
    "greeted rightly": ("My name is Ann Lee.", "Hi Ann, how can I help?"),
    "greeted as nobody": ("My name is Ann.", "Hello there, how can I help?"),
    "a word that holds a small one": ("My reservation is for business class.", "What is your r number?"),
    "nothing that could be asked for": ("My trip is booked already.", "What is your trip about?"),
    "user did not know": ("Hi", "What is your order number?", "I don't know.", "Could you look up your order number?"),
}
FORGOTTEN = {
    "asked again": ("My order number is AB-1207.", "Could you please give me your order number?", "asked again"),
    "asked again in other words": ("My phone number is 555-0199.", "May I have your mobile number?", "asked again"),
    "asked again among others": (
        "My name is Ann Lee.",
        "I need your full name, address and date of birth.",
        "asked again",
    ),
    "answered, then asked again": (
        "Hi",
        "What is your order number?",
        "AB-1207",
        "Please provide your order number.",
        "asked again",
    ),
    "given without words": ("You can write to ann@x.org", "Sure. What is your e-mail address?", "asked again"),
    "an id in words": (
        "Hi",
        "Your user ID, please?",
        "Sure, it's ann_lee_77.",
        "Your user ID is ann_lee_78.",
        "contradicted",
    ),
    "anything of theirs": ("My dog's name is Rex.", "Lovely! What is your dog's name?", "asked again"),
    "another number": ("My order number is AB-1207.", "Your order number is AB-1270.", "contradicted"),
    "another date": ("My date of birth is 1990-04-05.", "Your birthday is 1990-05-04, right.", "contradicted"),
    "another name": ("My name is Ann.", "Hello Bob, how can I help?", "contradicted"),
    "in German": ("Meine Bestellnummer ist 44718.", "Bitte nennen Sie mir Ihre Bestellnummer.", "asked again"),
    "in Spanish": ("Mi nombre es Ana.", "¿Cuál es su nombre?", "asked again"),
}


@pytest.mark.parametrize("name", KEPT)
def test_kept(name):
    assert retained(session(*KEPT[name]))[1] == []


@pytest.mark.parametrize("name", FORGOTTEN)
def test_forgotten(name):
    *texts, kind = FORGOTTEN[name]
    facts, breaches = retained(session(*texts))
    assert [breach.kind for breach in breaches] == [kind], facts
    (breach,) = breaches
    assert breach.where == f"t{len(texts) - 1}"
    assert breach.quote in texts[-1]


def score(case, output, settings=None, says=None):
    scorer = build("knowledge_retention", settings or {}, Path())
    services = ScriptedJudges({"grader": lambda question, sheet: says})
    scorer = scorer.bind(services) if says else scorer
    return asyncio.run(judge(scorer, Case(id="1", input=case).view(), output)), services.asked


LONG = [
    {"role": "assistant", "content": "What is your order number?"},
    {"role": "user", "content": "AB-1207. My email is ann@x.org."},
    {"role": "assistant", "content": "Thanks. What is your email?"},
    {"role": "user", "content": "I said: ann@x.org"},
    {"role": "assistant", "content": "Sorry! All is settled."},
]


def test_a_whole_session_in_the_output_is_judged_and_the_share_is_graded():
    output = Output.model_validate({"messages": LONG})
    found, _ = score("Hi, my name is Ann.", output)
    assert (found.value, found.passed) == (pytest.approx(2 / 3), False)
    assert found.evidence[0].where == "message:2"
    assert score("Hi, my name is Ann.", output, {"threshold": 0.5})[0].passed is True


def test_nothing_to_remember_is_not_a_pass():
    assert score("What is the capital of France?", Output.of("Paris."))[0].status == "judge_error"


def test_a_judge_adds_what_rules_cannot_see():
    vegan = [{"role": "user", "content": "I am vegan. My name is Ann. What can I cook?"}]
    output = Output.of("Try a steak.")
    assert score(vegan, output)[0].passed is True, "the rules alone know of the name only"
    found, asked = score(vegan, output, {"judge": "grader"}, "no")
    assert (found.value, found.passed, len(asked)) == (0.0, False, 1)
    assert score(vegan, output, {"judge": "grader"}, "yes")[0].passed is True
    assert score(vegan, output, {"judge": "grader"}, "undecided")[0].passed is False
    assert score(vegan, output, {"judge": "grader"})[0].status == "judge_error"


def test_no_judge_excuses_what_a_rule_found():
    found, asked = score("My name is Ann.", Output.of("What is your name?"), {"judge": "grader"}, "yes")
    assert (found.passed, asked) == (False, [])


def test_a_fact_forgotten_less_never_scores_lower():
    told = "My name is Ann, my email is a@x.org, my order number is 12345."
    asks = ["What is your name?", "What is your email?", "What is your order number?"]
    values = [score(told, Output.of("So. " + " ".join(asks[n:])))[0].value for n in range(4)]
    assert values == sorted(values)
    assert values[-1] == 1


MB = 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "my a is " * (MB // 8),
        "your name is " * (MB // 13),
        "a" * MB,
        "? " * (MB // 2),
        "\0\ud800 your name?",
        "my " * (MB // 3),
        "x@" * (MB // 2),
        "1-" * (MB // 2),
        "\u202eמה השם שלך",
        "your a, " * (MB // 8),
    ],
)
def test_hostile_sessions(text):
    for case, output in ((text, text), ("My name is Ann.", text), (text, "What is your name?")):
        found, _ = score(case, Output.of(output))
        assert found.status in ("scored", "judge_error")
        assert found.status == "judge_error" or 0 <= found.value <= 1
