"""Rankings against hand computation; citations, context use, summaries, completeness, relevance."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.errors import ScorerConfigError
from seatrial.scorers import build, judge
from seatrial.scorers.judged.scripted import Said, ScriptedJudges


def ranked(name, ids, relevant, **settings):
    output = Output.of("answer", context=tuple({"id": i, "text": f"text {i}"} for i in ids))
    case = Case(id="1", input="q", metadata={"relevant": relevant}).view()
    return asyncio.run(judge(build(name, settings, Path()), case, output))


DCG = 1 + 1 / math.log2(4)
IDEAL = 1 + 1 / math.log2(3)


@pytest.mark.parametrize(
    ("name", "ids", "relevant", "settings", "value"),
    [
        ("retrieval_precision", "axby", ["a", "b"], {}, 0.5),
        ("retrieval_precision", "axby", ["a", "b"], {"k": 1}, 1.0),
        ("retrieval_precision", "aaax", ["a"], {}, 0.5),
        ("retrieval_recall", "axby", ["a", "b", "c"], {}, 2 / 3),
        ("retrieval_recall", "axby", ["a", "b"], {"k": 2}, 0.5),
        ("retrieval_recall", "aa", ["a"], {}, 1.0),
        ("retrieval_mrr", "xya", ["a", "b"], {}, 1 / 3),
        ("retrieval_mrr", "xya", ["a"], {"k": 2}, 0.0),
        ("retrieval_ndcg", "axb", ["a", "b"], {}, DCG / IDEAL),
        ("retrieval_ndcg", "ba", {"a": 3, "b": 1}, {}, (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))),
        ("retrieval_ndcg", "ab", {"a": 3, "b": 1, "c": 2}, {"k": 2}, (3 + 1 / math.log2(3)) / (3 + 2 / math.log2(3))),
        ("retrieval_ndcg", "aab", ["a", "b"], {}, 1.0),
        ("retrieval_recall", "", ["a"], {}, 0.0),
        ("retrieval_precision", "", ["a"], {}, 0.0),
        ("retrieval_ndcg", "", "a", {}, 0.0),
    ],
)
def test_a_ranking_has_the_value_computed_by_hand(name, ids, relevant, settings, value):
    score = ranked(name, ids, relevant, **settings)
    assert score.value == pytest.approx(value)
    assert score.passed is (value >= 0.5)


@pytest.mark.parametrize("relevant", [None, [], {}, {"a": 0}, [None], True, {"a": float("1e300")}])
def test_without_relevant_documents_a_ranking_is_not_applicable(relevant):
    for name in ("retrieval_precision", "retrieval_recall", "retrieval_mrr", "retrieval_ndcg"):
        assert ranked(name, "ab", relevant).status == "not_applicable"


def test_documents_without_ids_are_known_by_source_or_text():
    output = Output.of("a", context=({"text": "t", "source": "s.md"}, {"text": " whole text "}))
    case = Case(id="1", input="q", metadata={"gold": ["s.md", "whole text"]}).view()
    assert asyncio.run(judge(build("retrieval_recall", {"relevant": "gold"}, Path()), case, output)).value == 1.0


@given(st.permutations("abcdefg"), st.sets(st.sampled_from("abcdefg"), min_size=1), st.integers(1, 6))
def test_moving_a_relevant_document_up_never_lowers_a_value(order, relevant, at):
    if order[at] not in relevant or order[at - 1] in relevant:
        return
    better = [*order[: at - 1], order[at], order[at - 1], *order[at + 1 :]]
    for name in ("retrieval_precision", "retrieval_recall", "retrieval_mrr", "retrieval_ndcg"):
        for k in (1, 3, 7):
            assert ranked(name, better, list(relevant), k=k).value >= ranked(name, order, list(relevant), k=k).value


def test_k_must_be_positive():
    with pytest.raises(ScorerConfigError):
        build("retrieval_ndcg", {"k": 0}, Path())


DOCS = [
    {"id": "fees", "text": "Delivery costs $4."},
    {"id": "back", "text": "Returns are free.", "source": "https://x.example/r"},
]


@pytest.mark.parametrize(
    ("answer", "settings", "passed", "kind"),
    [
        ("Delivery costs $4 [1]. Returns are free [2].", {}, True, ""),
        ("Delivery costs $4. [1] Returns are free. [2]", {}, True, ""),
        ("Delivery costs $4 [0]. Returns are free [1].", {"first": 0}, True, ""),
        ("Delivery costs $4 (doc-fees). Returns are free [back].", {}, True, ""),
        ("Delivery costs $4 [1, 2].", {}, True, ""),
        ("Returns are free (https://x.example/r).", {}, True, ""),
        ("Returns are free [here](https://x.example/r).", {}, True, ""),
        ("Returns are free [^1].\n\n[^1]: https://x.example/r", {}, True, ""),
        ("Delivery costs $4 [2].", {}, False, "wrong"),
        ("Delivery costs $9 [1].", {}, False, "wrong"),
        ("Delivery costs $9 [1].", {"check_support": False}, True, ""),
        ("Delivery costs $4 [3].", {}, False, "dangling"),
        ("Returns are free (https://other.example).", {}, False, "dangling"),
        ("Delivery costs $4.", {}, False, "missing"),
        ("Delivery costs $4. Returns are free [2].", {"required": False}, True, ""),
        ("Delivery costs $4. Returns are free [2].", {}, False, "missing"),
        ("Penguins are birds [1].", {}, None, "not decided"),
        ("Yes.", {}, False, ""),
    ],
)
def test_citations(judged, answer, settings, passed, kind):
    score = judged("citations", settings, answer, context=DOCS)
    assert score.passed is passed, score
    assert [e.found for e in score.evidence][:1] == ([kind] if kind else [])


def test_context_use_names_the_documents(judged):
    score = judged("context_use", {}, "Delivery costs $4 today.", context=DOCS)
    assert score.value == 0.5
    assert [(e.where, e.note) for e in score.evidence] == [
        ("context:fees", "drawn upon"),
        ("context:back", "not drawn upon"),
    ]
    assert judged("context_use", {"of": "answer"}, "Delivery costs $4.", context=DOCS).value == 1.0
    assert judged("context_use", {"of": "answer"}, "Penguins swim far.", context=DOCS).value == 0.0


def test_a_summary_needs_its_key_facts(judged):
    source = "Sales rose by 4 percent in 2023. Two stores were opened in Leeds."

    def said(text, expected, **settings):
        case = Case(id="1", input=source, expected={"answers": expected}).view()
        return asyncio.run(judge(build("summary_faithfulness", settings, Path()), case, Output.of(text)))

    facts = ["sales rose by 4 %", ["two stores were opened", "2 new stores"]]
    assert said("In 2023 sales rose by 4 percent. Two stores were opened in Leeds.", facts).passed is True
    short = said("In 2023 sales rose by 4 percent.", facts)
    assert (short.value, short.passed) == (0.5, False)
    assert said("In 2023 sales rose by 4 percent.", facts, coverage=0.5).passed is True
    assert said("In 2023 sales fell by 4 percent. Two stores were opened in Leeds.", facts).passed is False


def test_completeness_knows_wordings_and_synonyms(judged):
    points = {"answers": [["open until 6 pm", "closes at 18:00"], "bring a passport"]}
    assert judged("completeness", {}, "We are open until 6 pm. Bring a passport.", points).passed is True
    half = judged("completeness", {}, "We are open until 6 pm. Bring an identity card.", points)
    assert (half.value, half.passed) == (0.5, False)
    same = {"synonyms": [["passport", "identity card"]]}
    assert judged("completeness", same, "We are open until 6 pm. Bring an identity card.", points).passed is True
    assert judged("completeness", {}, "anything").status == "not_applicable"


def test_completeness_asks_a_judge_about_the_parts():
    judges = ScriptedJudges({"j": lambda *_: "no"})
    scorer = build("completeness", {"judge": "j"}, Path()).bind(judges)
    case = Case(id="1", input="When do you open? Where are you?").view()
    score = asyncio.run(judge(scorer, case, Output.of("At 9 am.")))
    assert (score.value, score.passed, len(score.evidence)) == (0.0, False, 2)


def test_relevance_is_the_judges_alone():
    def said(verdict, text):
        def speak(question, sheet):
            where = next(n for n, t in sheet.materials.items() if t == text)
            return Said(verdict, text, where)

        scorer = build("answer_relevance", {"judge": "j"}, Path()).bind(ScriptedJudges({"j": speak}))
        case = Case(id="1", input="What does delivery cost?").view()
        return asyncio.run(judge(scorer, case, Output.of(text)))

    assert said("yes", "Nothing at all.").passed is True
    assert said("no", "What does delivery cost? Delivery cost!").passed is False
    assert said("undecided", "Delivery costs $4.").passed is None
