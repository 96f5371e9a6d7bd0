"""Functions of the user's own: what they take, what they declare, and the article's as it prints them."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

import seatrial
from seatrial.core.case import Case
from seatrial.core.output import Failure, Output
from seatrial.errors import BrokenPluginError, ScorerConfigError
from seatrial.scorers import build, judge, scorer_hash


@pytest.fixture
def write(tmp_path):
    """Writes a module of its own name, and forgets it again."""
    before, path = set(sys.modules), list(sys.path)
    count = 0

    def make(source: str) -> str:
        nonlocal count
        count += 1
        name = f"own_scorers_{abs(hash(tmp_path))}_{count}"
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        return name

    yield make
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.startswith("own_scorers_"):
            del sys.modules[name]


def score(scorer, text, expected=None, **case):
    record = Case(id="1", input="question", expected=expected, **case).view()
    return asyncio.run(judge(scorer, record, Output.of(text) if isinstance(text, str) else text))


# article A2 -----------------------------------------------------------------------------------------------------------

INDENTS = [int(level) for level in "00001110111112222211222101111112221"]
"""The article's text has lost its indentation: the level of each line of `scorers.py`, from its comment on."""


@pytest.fixture(scope="session")
def article(shared_data) -> str:
    """The source of the article's `scorers.py`, every line as it is printed."""
    path = shared_data("promptfooconfig_article_A2.yaml").parent.parent / "articles" / "A2.txt"
    if not path.exists():
        pytest.skip(f"article A2 is not at {path}")
    printed = path.read_text("utf-8").partition("# scorers.py")[2].partition("Step 3:")[0]
    lines = ["# scorers.py" + printed.splitlines()[0], *printed.splitlines()[1:]]
    assert len(lines) == len(INDENTS), [*zip(INDENTS, lines, strict=False)]
    return "\n".join("    " * level + line for level, line in zip(INDENTS, lines, strict=True)) + "\n"


FIELDS = ["party_name", "effective_date", "term", "law"]
CONTRACT = {"party_name": "Acme Corp", "effective_date": "2026-03-01", "term": "two years", "law": "Delaware"}
EXTRACTIONS = [
    pytest.param(CONTRACT, 1.0, True, id="all-right"),
    pytest.param(CONTRACT | {"party_name": " ACME CORP "}, 1.0, True, id="case-and-spaces"),
    pytest.param(CONTRACT | {"law": "Texas"}, 0.75, False, id="below-0.85"),
    pytest.param({}, 0.0, False, id="nothing"),
    pytest.param("I cannot read it.", 0.0, False, id="no-json"),
    pytest.param("Here: " + json.dumps(CONTRACT), 1.0, True, id="within-prose"),
]


@pytest.mark.parametrize(("answer", "value", "passed"), EXTRACTIONS)
def test_the_articles_extraction_scorer(article, write, tmp_path, answer, value, passed):
    scorer = build(f"python:{write(article)}:extraction_scorer", {"fields": FIELDS}, tmp_path)
    found = score(scorer, answer if isinstance(answer, str) else json.dumps(answer), {"answer": CONTRACT})
    assert (found.status, found.value, found.passed) == ("scored", value, passed), found
    if found.evidence:
        assert found.evidence[0].found["total"] == 4


@pytest.mark.parametrize(
    ("answer", "passed", "valid"), [("Refund\n", True, True), ("exchange", False, True), ("dunno", False, False)]
)
def test_the_articles_classification_scorer(article, write, tmp_path, answer, passed, valid):
    name = f"python:{write(article)}:classification_scorer"
    scorer = build(name, {"valid_labels": ["refund", "Exchange"]}, tmp_path)
    found = score(scorer, answer, "REFUND")
    assert (found.status, found.value, found.passed) == ("scored", float(passed), passed)
    assert found.evidence[0].found["valid_label"] is valid


def test_the_articles_scorer_on_what_it_cannot_take(article, write, tmp_path):
    scorer = build(f"python:{write(article)}:extraction_scorer", {"fields": FIELDS}, tmp_path)
    assert score(scorer, "{}", None).status == "not_applicable"
    assert score(scorer, "{}", "no object").status == "not_applicable"
    number = score(scorer, json.dumps(CONTRACT | {"law": 5}), {"answer": CONTRACT})
    assert (number.status, number.value) == ("judge_error", None)  # it calls .strip() of whatever stands there
    with pytest.raises(ScorerConfigError, match="fields"):
        build(f"python:{write(article)}:extraction_scorer", {}, tmp_path)


def test_the_articles_scorers_in_a_run(article, tmp_path):
    (tmp_path / "article_scorers.py").write_text(article, "utf-8")
    cases = [{"id": str(at), "input": f"contract {at}", "expected": {"answer": CONTRACT}} for at in range(12)]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in cases))
    for arm, law in (("old", "Delaware"), ("new", "Texas")):
        rows = [{"id": str(at), "output": json.dumps(CONTRACT | {"law": law})} for at in range(12)]
        (tmp_path / f"{arm}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = {
        "name": "contracts",
        "dataset": {"path": "cases.jsonl"},
        "targets": {arm: {"use": f"replay:{arm}.jsonl", "join": "id"} for arm in ("old", "new")},
        "incumbent": "old",
        "rubrics": [
            {
                "name": "terms",
                "scorer": "python:article_scorers:extraction_scorer",
                "with": {"fields": FIELDS},
                "margin_points": 5,
            }
        ],
    }
    (tmp_path / "seatrial.yaml").write_text(json.dumps(suite))
    (verdict,) = seatrial.run(tmp_path / "seatrial.yaml").verdicts
    (rubric,) = verdict.rubrics
    assert (rubric.candidate.passed, rubric.incumbent.passed) == (0, 12)


# parameters by name ---------------------------------------------------------------------------------------------------

SAME = "output == expected"
BY_NAME = [
    pytest.param("output, expected", SAME, "a", "a", {}, True, id="text"),
    pytest.param("output, expected", SAME, "b", "a", {}, False, id="other-text"),
    pytest.param("output, expected", SAME, "b", {"answers": ["a", "b"]}, {}, True, id="any-answer"),
    pytest.param("input, output, expected", f"input == 'question' and {SAME}", "a", "a", {}, True, id="input"),
    pytest.param("output, expected, *, context", "output in context[0]", "a", "x", {"context": "abc"}, True, id="more"),
    pytest.param("output, expected, label=None", "label is None", "a", "a", {}, True, id="one-role-one-parameter"),
    pytest.param("prediction, reference", "prediction['a'] == 1", '{"a": 1}', {"answer": {}}, {}, True, id="object"),
    pytest.param("output: list, expected: list", SAME, "is [1]", {"answer": [1]}, {}, True, id="list"),
    pytest.param("output: 'dict[str, int]', expected: dict", SAME, "x", {"answer": {}}, {}, False, id="no-object"),
    pytest.param("answer: float, target: float", "answer < target", "Answer: 41.5", 42, {}, True, id="number"),
    pytest.param("answer: float, target: float", "True", "no number", 42, {}, False, id="no-number"),
]


@pytest.mark.parametrize(("parameters", "body", "answer", "expected", "case", "passed"), BY_NAME)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_parameters_by_name(write, tmp_path, kind, parameters, body, answer, expected, case, passed):
    name = write(f"{kind} rate({parameters}):\n    return {body}\n")
    scorer = build(f"python:{name}:rate", {}, tmp_path)
    assert scorer.info.needs == {"expected"}
    found = score(scorer, answer, expected, **case)
    assert (found.status, found.passed) == ("scored", passed), found
    assert score(scorer, answer, None, **case).status == "not_applicable"


@pytest.mark.parametrize(
    "parameters", ["case, output", "c, o", "case, expected", "x, output", "case, output, expected=1"]
)
def test_other_names_stand_for_case_and_output(write, tmp_path, parameters):
    first, second = (part.strip().partition("=")[0] for part in parameters.split(",")[:2])
    name = write(f"def rate({parameters}):\n    return {first}.text == 'question' and {second}.text == 'a'\n")
    assert score(build(f"python:{name}:rate", {}, tmp_path), "a").passed


def test_a_setting_takes_its_parameter_from_the_case(write, tmp_path):
    name = write("def rate(output, expected, context): return output == context\n")
    assert score(build(f"python:{name}:rate", {"context": "a"}, tmp_path), "a", "x").passed


def test_failures_of_the_target_do_not_reach_the_function(write, tmp_path):
    scorer = build(f"python:{write('def rate(output, expected): return 1 / 0')}:rate", {}, tmp_path)
    for kind, status in (("model", "model_failure"), ("infra", "infra_error")):
        assert score(scorer, Output(failure=Failure(kind=kind, code="x")), "a").status == status
    assert score(scorer, "a", "a").status == "judge_error"


# @seatrial.scorer -----------------------------------------------------------------------------------------------------


def test_a_declared_function_stays_a_function_and_is_a_scorer(write, tmp_path):
    name = write(
        "import seatrial\n"
        "@seatrial.scorer\ndef plain(case, output): return 0.6\n"
        "@seatrial.scorer(threshold=0.9, version='3', needs={'expected', 'context'}, unit='trace', cost='cheap')\n"
        "def strict(case, output): return 0.6\n"
        "@seatrial.scorer(needs='tools')\nasync def tools(case, output): return len(case.tools) == 1\n"
        "assert plain(None, None) == 0.6\n"
    )
    plain, strict, tools = (build(f"python:{name}:{one}", {}, tmp_path) for one in ("plain", "strict", "tools"))
    assert score(plain, "a").passed
    assert (plain.info.version, plain.info.cost, plain.info.needs) == ("1", "heavy", frozenset())
    assert (strict.info.version, strict.info.cost, strict.info.unit) == ("3", "cheap", "trace")
    assert score(strict, "a").status == score(strict, "a", "x").status == "not_applicable"
    assert score(strict, "a", "x", context=["c"]).passed is False
    assert score(build(f"python:{name}:strict", {"threshold": 0.5}, tmp_path), "a", "x", context=["c"]).passed
    assert score(tools, "a").reason == "the case has no tools"
    assert score(tools, "a", tools=[{"name": "t"}]).passed
    assert len({scorer_hash(one) for one in (plain, strict, tools)}) == 3


@pytest.mark.parametrize(
    "settings", [{"needs": ["judge"]}, {"unit": "span"}, {"cost": "dear"}, {"threshold": 2}, {"threshold": True}]
)
def test_declarations_that_cannot_be(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        seatrial.scorer(**settings)


def test_a_function_of_neither_shape(write, tmp_path):
    with pytest.raises(BrokenPluginError, match="positional"):
        build(f"python:{write('def rate(output): return 1')}:rate", {}, tmp_path)


def test_results_that_are_named_tuples_and_objects(write, tmp_path):
    name = write(
        "from typing import NamedTuple\nclass R(NamedTuple):\n    score: float\n    passed: bool\n    details: dict\n"
        "class O:\n    passed = True\n    reason = 'why'\n"
        "def named(case, output): return R(0.3, True, {'a': 1})\n"
        "def thing(case, output): return O()\n"
    )
    named, thing = (score(build(f"python:{name}:{one}", {}, tmp_path), "a") for one in ("named", "thing"))
    assert (named.value, named.passed, named.evidence[0].found) == (0.3, True, {"a": 1})
    assert (thing.value, thing.passed, thing.reason) == (1, True, "why")


HOSTILE = ["", "\x00", "\ud800", "\u202e{}", "{" * 100_000, "[" * 900 + "]" * 900, "x" * 1_000_000]


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers(write, tmp_path, answer):
    name = write("def rate(predicted: dict, expected: dict): return True\n")
    found = score(build(f"python:{name}:rate", {}, tmp_path), answer, {"answer": {"a": "\ud800"}})
    assert found.status in ("scored", "model_failure")
    assert Path(tmp_path, f"{name}.py").exists()
