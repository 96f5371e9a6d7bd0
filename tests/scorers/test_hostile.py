"""Every scorer against hostile outputs: a typed status, never an exception, and no pass for an empty answer.

A scorer has a row of its own here, or is tried with the settings and cases of its card's examples.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.identity import encode
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.core.plugins import find
from seatrial.core.protocols import NeedsServices, Scorer
from seatrial.core.score import Score
from seatrial.scorers import BUILTIN, build, judge
from seatrial.scorers.card import Example
from seatrial.scorers.examples import Scripted, case_of

CALLS = [[{"name": "f", "arguments": {"x": [1, {"a": [1, 2]}]}}, {"name": "g", "arguments": {}}]]
TOOLS = [{"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}, {"name": "g"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

SETTINGS: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "brand_voice": [({"banned": ["x y"], "formality": "formal", "language": "en", "max_emoji": 0}, None)],
    "html_valid": [({}, None), ({"fenced": True, "scripts": True}, None)],
    "language": [({"languages": "en", "undecided": "fail"}, None)],
    "markdown": [({}, None)],
    "repetition": [({}, None)],
    "same_language": [({"undecided": "fail"}, None)],
    "sql": [({}, None), ({"mode": "equal"}, "SELECT 1")],
    "xml_valid": [({"require": "//a"}, None)],
    "choice": [({}, {"choices": ["one", "two"], "choice": "A"}), ({"pick": "all"}, {"choice": ["A", "B"]})],
    "contains": [({"values": ["x1"]}, None), ({"values": ["x1"], "mode": "none", "whole_words": True}, None)],
    "cost": [({}, None), ({"at_most": 1}, None)],
    "ends_with": [({"values": ["x1"]}, None)],
    "exact": [({}, "x1")],
    "fields": [
        ({}, {"answer": {"a": 1, "b": {"c": "x"}, "d": None}}),
        ({"types": {"a": "number"}}, {"answer": {"a": 1}}),
    ],
    "first_token": [({}, None)],
    "inter_token": [({}, None)],
    "fuzzy": [({"method": m}, "x1") for m in ("ratio", "partial", "token_sort", "token_set")],
    "json_schema": [({"schema": SCHEMA}, None), ({"schema": {"items": {"$ref": "#"}}, "fenced": True}, None)],
    "json_valid": [({}, None), ({"fenced": True, "kind": "object"}, None)],
    "label": [
        ({"labels": ["x1", "x2"], "extract": e}, "x1") for e in ("whole", "last_line", "marker", "field", "mention")
    ],
    "latency": [({"at_most": 1}, None)],
    "length": [({"of": of, "min": 1, "max": 5}, None) for of in ("characters", "words", "lines")],
    "normalized": [({}, "x1")],
    "numeric": [({}, 18), ({"percent": "share", "decimals": "comma", "rel": 0.1}, "#### 18")],
    "refusal": [({}, {"behaviour": "refuse"}), ({}, {"behaviour": "answer"})],
    "regex": [({"pattern": "(a+)+x1$"}, None), ({"pattern": r"(?P<n>\d+)", "group": "n"}, "18")],
    "starts_with": [({"values": ["x1"]}, None)],
    "tokens": [({"count": "total"}, None)],
    "tool_calls": [
        ({"order": o, "strings": "normalized"}, {"tool_calls": CALLS}) for o in ("exact", "any_order", "superset")
    ],
}  # fmt: skip


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


MB = 1_000_000
SHORTER = 50_000
"""How much of a text the second and further settings of a scorer are tried with."""
TEXTS = {
    "spaces": " " * MB,
    "letters": "a" * MB,
    "digits": "9" * MB,
    "commas": "1," * (MB // 2),
    "points": "1." * (MB // 2),
    "fractions": "1/" * (MB // 2),
    "braces": "{" * MB,
    "keys": '{"a":' * (MB // 5),
    "quotes": '"' * MB,
    "ticks": "```\n" * (MB // 4),
    "markers": "A:" * (MB // 2),
    "boxes": "\\boxed{" * (MB // 7),
    "fracs": "\\frac{1" * (MB // 7),
    "lines": "\n" * MB + "x",
    "words": "x1 " * (MB // 3),
    "refusing": "I cannot " * (MB // 9),
    "null bytes": "\0" * 100 + "x1\0",
    "lone surrogates": '\ud800x1\udfff {"a": "\ud800"}',
    "escaped surrogate": '{"a": "\\ud800", "label": "\\udfff"}',
    "right to left": "\u202e1x \u05d0\u05d1 \u0661\u0668",
    "combining": "x1" + "\u0301" * 10_000,
    "control": "\x1b[31mx1\x07\x08",
    "deep list": "[" * 10_000 + "]" * 10_000,
    "deep object": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "open deep list": "[" * 10_000,
    "NaN": '{"a": NaN, "label": Infinity}',
    "huge integer": '{"a": ' + "9" * 5000 + "}",
    "2**63": f'{{"a": {2**63}}}',
    "exponent": '{"a": 1e400} #### 1e999999999',
    "wrong types": '{"a": [], "b": 5, "d": {"x": 1}, "label": {}}',
    "null": "null",
    "list": '[{"a": 1}]',
    "byte order mark": '\ufeff{"a": 1}',
}

ARGUMENTS = {
    "null": None,
    "text": '{"x": 1',
    "list": [1],
    "number": 5,
    "NaN": {"x": float("nan")},
    "huge": {"x": 10**5000},
    "deep": {"x": nested(900)},
    "surrogate": {"x": "\ud800", "\udfff": 1},
    "many": {str(i): i for i in range(2_000)},
    "long": {"x": "a" * MB},
    "bool": {"x": True},
}


def rows(name: str) -> list[tuple[Example, Case]]:
    """The settings, with what a judge says, and the cases that a scorer is tried with."""
    if name not in SETTINGS:
        examples = find("scorer", name, BUILTIN).card.examples
        differing = {json.dumps(dict(example.settings), sort_keys=True): example for example in examples}
        return [(example, case_of(example.case)) for example in differing.values()]
    made = []
    for settings, expected in SETTINGS[name]:
        case = Case(id="1", input="q", expected=expected, tools=TOOLS, strata={"language": "en"})
        made.append((Example({}, "", None, None, settings), case))
    return made


def made(name: str, example: Example) -> Scorer:
    scorer = build(name, example.settings, Path())
    return scorer.bind(Scripted(example)) if isinstance(scorer, NeedsServices) else scorer


def judged(name: str, *outputs: Output) -> list[tuple[Scorer, Score]]:
    """What the scorer says of the first output under its first settings, and of the last under each of the others."""
    found = []
    for at, (example, case) in enumerate(rows(name)):
        scorer = made(name, example)
        output = outputs[min(at, len(outputs) - 1)]
        found.append((scorer, asyncio.run(judge(scorer, case.view(), output))))
    return found


LIKE_GROUNDEDNESS = {
    "answer_relevance",
    "citations",
    "completeness",
    "context_use",
    "hallucination",
    "summary_faithfulness",
}
"""They read claims by the code that groundedness reads them by, which is tried with every text in full."""
ELSEWHERE_IN_FULL = {"canary_leak", "prompt_leak"}
"""They are tried with two dozen texts of 1 MB among the safety scorers."""
OF_CLAIMS = 20_000
LIKE_GRADE = {"advice", "brand_voice_judge", "criteria", "decision_tree", "jury"}
"""They show a judge the output by the code that grade shows it by, which is tried with every text in full."""


def tried(name: str, label: str) -> tuple[str, str]:
    """How much of a text a scorer is tried with: under its first settings, and under each of the others."""
    text = TEXTS[label]
    if name in LIKE_GROUNDEDNESS:
        return (text if label == "words" else text[:OF_CLAIMS]), text[:OF_CLAIMS]
    shorter = name in ELSEWHERE_IN_FULL or (name in LIKE_GRADE and label != "words")
    return (text[:SHORTER] if shorter else text), text[:SHORTER]


QUANTITIES = {"latency", "cost", "first_token", "inter_token", "tokens"}
MAY_LACK_A_DATUM = {"embedding_similarity", "knowledge_retention", "reading_level", "role_adherence", "state"}
"""Scorers without a judge that cannot judge an output which lacks what they read; they say `judge_error`."""


def check(scorer: Scorer, score: Score) -> None:
    may_miss = scorer.info.cost == "model" or scorer.info.name in MAY_LACK_A_DATUM
    missing = {"judge_error"} if may_miss else set()
    assert score.status in {"scored", "model_failure", *missing}, score.reason
    assert score.status != "judge_error" or score.passed is None
    assert score.reason.isprintable()
    assert len(score.reason) < 1000
    assert score.value is None or 0 <= score.value <= 1
    assert len(encode(score.plain())) < 100_000


@pytest.mark.parametrize("name", BUILTIN)
def test_hostile_texts(name):
    for label in TEXTS:
        measured = {"timing": {"total": 2.0, "first_token": 1.0}, "cost": 0.1, "usage": {"input": 1, "output": 2}}
        whole, part = (Output.of(said, **measured) for said in tried(name, label))
        for scorer, score in judged(name, whole, part):
            check(scorer, score), label


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_hostile_arguments(arguments):
    call = ToolCall(name="f", arguments=ARGUMENTS[arguments])
    for calls in ((call,), (call, call), (call,) * 50):
        output = Output(messages=(Message(role="assistant", content="x", tool_calls=calls),))
        for name in ("tool_calls", "contains"):
            for scorer, score in judged(name, output):
                check(scorer, score)
                assert name != "tool_calls" or not score.passed


@pytest.mark.parametrize("name", BUILTIN)
@pytest.mark.parametrize("text", ["", " ", "\n\t \u00a0"])
def test_an_empty_answer_never_passes(name, text):
    output = Output.of(text, timing={"total": 0.1, "first_token": 0.1}, cost=0.0, usage={"input": 1, "output": 0})
    for _, score in judged(name, output):
        assert (score.status, score.passed) == ("model_failure", False)


@pytest.mark.parametrize("name", BUILTIN)
def test_scorers_may_be_called_concurrently(name):
    texts = ["x1", "nothing", "A: 18", '{"a": 1}', "I can't help with that.", "B"] * 5
    example, whole = rows(name)[0]
    scorer, case = made(name, example), whole.view()
    if scorer.info.cost == "model":
        pytest.skip("what the judge of an example says depends on how often it was asked")

    async def together() -> list[Score]:
        return await asyncio.gather(*(judge(scorer, case, Output.of(text)) for text in texts))

    alone = [asyncio.run(judge(made(name, example), case, Output.of(text))) for text in texts]
    assert asyncio.run(together()) == alone


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
EXPECTED = st.one_of(
    st.none(),
    st.fixed_dictionaries({"answers": st.lists(st.recursive(LEAVES, st.lists), max_size=2)}),
    st.fixed_dictionaries({"choices": st.lists(st.text(), max_size=3), "choice": st.lists(st.text(), max_size=2)}),
)  # fmt: skip


@given(st.sampled_from(sorted(BUILTIN)), EXPECTED, st.text(st.characters(exclude_categories=())))
def test_any_case_and_any_text_give_a_status(name, expected, text):
    scorer = made(name, rows(name)[0][0])
    case = Case(id="1", input="q", expected=expected)
    score = asyncio.run(judge(scorer, case.view(), Output.of(text)))
    known = ("scored", "model_failure", "not_applicable")
    assert score.status in known or name in QUANTITIES | MAY_LACK_A_DATUM or scorer.info.cost == "model", score.reason
    json.dumps(score.plain())
