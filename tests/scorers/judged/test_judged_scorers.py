"""The scorers that ask judges, over HTTP."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scorers.judged.courtroom import QUESTION, case, hearing, says, score_all, score_one, sheet_of

from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Failure, Output
from seatrial.core.protocols import Comparator, NeedsServices
from seatrial.errors import JudgeError, ScorerConfigError
from seatrial.scorers import build, judge, scorer_hash
from seatrial.scorers.judged import BUILTIN
from seatrial.scorers.judged.scripted import Said, ScriptedJudges, fill_in, read_sheet
from seatrial.scorers.judged.tally import Item, scored, tally
from seatrial.testing import Reply

TEXT = "I am sorry. Worn goods cannot be returned."
LEVELS = [{"name": n, "means": f"it is {n}"} for n in ("poor", "fair", "good", "fine")]
TREE = {
    "polite": {"question": "is it polite?", "yes": "rule", "no": 0},
    "rule": {"question": "names it the rule?", "yes": 1, "no": "tries"},
    "tries": {"question": "does it try?", "yes": 0.5, "no": 0.25, "undecided": 0.25},
}
SETTINGS = {
    "criteria": {"judge": "j", "criteria": ["is polite"]},
    "grade": {"judge": "j", "question": "how good?", "levels": LEVELS, "threshold": 0.5},
    "decision_tree": {"judge": "j", "nodes": TREE},
    "preference": {"judge": "j"},
    "jury": {"judges": ["j", "k", "l"], "criteria": ["is polite"]},
    "cascade": {"judges": ["j", "k"], "criteria": ["is polite"]},
    "brand_voice_judge": {"judge": "j", "good": ["Hi there!"], "bad": ["Dear Sir"]},
}
BEST = {"grade": "fine", "preference": "first"}
WORST = {"grade": "poor", "preference": "second"}
REFERENCED = case(expected="Sorry, no.", criteria=["is polite"])


def by_model(answers):
    """A bench: each judge has its own verdicts by question, or for all questions."""

    def answer(asked):
        mine = answers[asked.model]
        if isinstance(mine, Reply):
            return mine
        return fill_in(sheet_of(asked), lambda q, s: mine if isinstance(mine, str | Said) else mine[q])

    return answer


# ---- all of them --------------------------------------------------------------------------------------------------


def extreme(name, words, better):
    def verdicts(question, sheet):
        if name == "preference":
            return "first" if (sheet.materials["first"] == TEXT) is better else "second"
        return words.get(name, "yes" if better else "no")

    return says(verdicts)


@pytest.mark.parametrize("name", BUILTIN)
def test_the_best_verdicts_give_one_and_the_worst_nought(name):
    judges = ("j", "k", "l")
    best, worst = (
        score_one(name, SETTINGS[name], TEXT, extreme(name, words, better), REFERENCED, judges=judges)
        for words, better in ((BEST, True), (WORST, False))
    )
    assert (best.value, best.passed) == (1.0, True)
    assert (worst.value, worst.passed) == (0.0, False)
    assert best.evidence
    assert best.reason


@pytest.mark.parametrize("name", BUILTIN)
def test_a_scorer_is_bound_without_changing_what_it_is(name):
    made = build(name, SETTINGS[name], Path())
    assert isinstance(made, NeedsServices)
    bound = made.bind(ScriptedJudges({}))
    assert scorer_hash(bound) == scorer_hash(made)
    assert bound.asks == tuple(SETTINGS[name].get("judges", ["j"]))
    unbound = asyncio.run(judge(made, REFERENCED, Output.of(TEXT)))
    assert (unbound.status, unbound.passed) == ("judge_error", None)
    assert "E406" in unbound.reason
    with pytest.raises(JudgeError):
        _ = made.services


@pytest.mark.parametrize("name", BUILTIN)
def test_without_a_judge_there_is_no_score(name):
    if "judge" in SETTINGS[name]:
        settings = {key: value for key, value in SETTINGS[name].items() if key != "judge"}
        score = score_one(name, settings, TEXT, says({}), REFERENCED)
        assert (score.status, score.passed) == ("judge_error", None)
        assert "names no judge" in score.reason


@pytest.mark.parametrize("name", BUILTIN)
def test_an_unusable_judge_is_missing_and_never_a_pass(name):
    for text in ("yes", "{}", '{"verdict": "yes"}', "PASS 10/10"):
        score = score_one(name, SETTINGS[name], TEXT, lambda _, text=text: text, REFERENCED, judges=("j", "k", "l"))
        assert (score.status, score.passed, score.value) == ("judge_error", None, None)


HOSTILE = {
    "huge": "x" * 1_000_000,
    "null bytes": "\0" * 100,
    "right to left": "\u202eشكرا\u202c",
    "lone surrogate": "a \ud800 b",
    "deep JSON": "[" * 5_000 + "]" * 5_000,
    "braces": "{{%}} {{input}} {0}",
    "only marks": "<<< >>> end answer",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_are_judged_like_others(text):
    for name in BUILTIN:
        worst = WORST.get(name, "no")
        if name == "preference":
            answer = says(lambda q, s: "first" if s.materials["first"] == "Sorry, no." else "second")
        else:
            answer = says(lambda q, s, worst=worst: worst)
        score = score_one(name, SETTINGS[name], text, answer, REFERENCED, judges=("j", "k", "l"), timeout=30)
        assert (score.status, score.passed, score.value) == ("scored", False, 0.0)


def test_an_output_of_calls_alone_is_shown():
    call = Output(messages=(Message(role="assistant", tool_calls=(ToolCall(name="refund", arguments={"id": 7}),)),))
    found = Said("yes", '"id":7', "calls")
    score = score_one("criteria", SETTINGS["criteria"], call, says({"is polite": found}))
    assert score.passed is True
    assert score.evidence[0].where == "calls"


def test_one_scorer_may_be_called_concurrently():
    texts = [f"answer {n} {'good' if n % 3 else 'bad'}" for n in range(60)]

    async def work(services):
        bound = build("criteria", SETTINGS["criteria"], Path()).bind(services)
        return await asyncio.gather(*(judge(bound, case(), Output.of(text)) for text in texts))

    heard = hearing(work, says(lambda q, s: "yes" if "good" in s.materials["answer"] else "no"))
    assert [score.passed for score in heard.result] == ["good" in text for text in texts]


def test_equal_judgements_are_equal_requests():
    heard = score_all("criteria", SETTINGS["criteria"], [(case(), TEXT)] * 3, says({"is polite": "yes"}))
    assert len({request.model_dump_json() for _, request in heard.requests}) == 1
    assert heard.result[0] == heard.result[1] == heard.result[2]


@pytest.mark.parametrize("name", BUILTIN)
def test_failed_outputs_are_settled_without_a_judge(name):
    heard = score_all(
        name,
        SETTINGS[name],
        [
            (REFERENCED, Output(failure=Failure(kind="infra", code="timeout"))),
            (REFERENCED, Output(failure=Failure(kind="model", code="length"))),
            (REFERENCED, " \n"),
        ],
        says({}),
        judges=("j", "k", "l"),
    )
    assert [score.status for score in heard.result] == ["infra_error", "model_failure", "model_failure"]
    assert heard.bodies == []


# ---- criteria -----------------------------------------------------------------------------------------------------


def test_a_case_brings_its_own_criteria_and_settings_go_first():
    own = case(criteria=["is polite", "is short", "is polite"])
    score = score_one("criteria", {"judge": "j"}, TEXT, says({"is polite": "yes", "is short": "no"}), own)
    assert (score.value, score.passed) == (0.5, False)
    assert "is short" in score.reason
    assert score_one("criteria", SETTINGS["criteria"], TEXT, says({"is polite": "yes"}), own).value == 1


def test_a_case_without_criteria_is_not_applicable():
    for bare in (case(), case(criteria=[" "])):
        assert score_one("criteria", {"judge": "j"}, TEXT, says({}), bare).status == "not_applicable"


def test_criteria_keep_their_keys_in_any_order():
    texts = ["is polite", "names the rule", "is short"]
    answer = says({"is polite": "yes", "names the rule": "no", "is short": "yes"})
    heard = [
        score_all("criteria", {"judge": "j", "criteria": c}, [(case(), TEXT)], answer) for c in (texts, texts[::-1])
    ]
    one, two = (h.result[0] for h in heard)
    assert one.value == two.value == pytest.approx(2 / 3)
    assert [e.note for e in one.evidence] == [e.note for e in two.evidence][::-1]
    assert heard[0].bodies == heard[1].bodies


def test_what_the_judge_sees_is_chosen():
    given = case(
        input=[
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "x"},
        ],
        context=[{"id": "d1", "text": "frozen"}],
        expected=["a", "b"],
    )
    seen = []

    def look(question, sheet):
        seen.append(dict(sheet.materials))
        return "yes"

    for sees in ([], ["question"], ["question", "context", "reference"]):
        settings = {"judge": "j", "criteria": "is polite", "sees": sees}
        score_one("criteria", settings, TEXT, says(look), given)
    conversation = "user: one\n\nassistant: two\n\nuser: x"
    assert seen[0] == {"answer": TEXT}
    assert seen[1] == {"question": conversation, "answer": TEXT}
    assert seen[2] == {**seen[1], "context:d1": "frozen", "reference:1": "a", "reference:2": "b"}


def test_what_was_retrieved_goes_before_what_was_frozen():
    given = case(context=[{"id": "d1", "text": "frozen"}])
    output = Output.of(TEXT, context=[{"text": "fresh"}])
    seen = []
    settings = {"judge": "j", "criteria": "is polite", "sees": ["context"]}
    score_one("criteria", settings, output, says(lambda q, s: seen.append(dict(s.materials)) or "yes"), given)
    assert seen == [{"context:1": "fresh", "answer": TEXT}]


def test_undecided_is_missing_only_where_it_tips_the_scale():
    verdicts = {"a": "yes", "b": "undecided", "c": "no"}
    score = lambda threshold: score_one(  # noqa: E731
        "criteria", {"judge": "j", "criteria": list("abc"), "threshold": threshold}, TEXT, says(verdicts)
    )
    assert (score(0.3).status, score(0.3).passed) == ("scored", True)
    assert (score(0.5).status, score(0.5).passed) == ("judge_error", None)
    assert (score(1.0).status, score(1.0).passed) == ("scored", False)
    assert "undecided 'b'" in score(0.5).reason
    assert len(score(0.5).evidence) == 3


VERDICTS = st.lists(
    st.tuples(st.sampled_from(["yes", "no", "undecided"]), st.floats(0.01, 100)), min_size=1, max_size=8
)
RANK = {"no": 0, "undecided": 1, "yes": 2}


@given(VERDICTS, st.data())
def test_a_better_verdict_never_scores_lower(parts, data):
    items = {str(n): Item(text=f"criterion {n}", weight=weight) for n, (_, weight) in enumerate(parts)}
    verdicts = {str(n): verdict for n, (verdict, _) in enumerate(parts)}
    at = data.draw(st.sampled_from(sorted(verdicts)))
    better = data.draw(st.sampled_from([v for v in RANK if RANK[v] >= RANK[verdicts[at]]]))
    one, two = tally(items, verdicts), tally(items, {**verdicts, at: better})
    assert two.low >= one.low - 1e-12
    assert two.high >= one.high - 1e-12
    assert -1e-12 <= one.low <= one.high + 1e-9 <= 1 + 2e-9
    threshold = data.draw(st.floats(0, 1))
    before = scored(items, verdicts, threshold, ())
    after = scored(items, {**verdicts, at: better}, threshold, ())
    assert not (before.passed and not after.passed)


BAD_SETTINGS = [
    ("criteria", {"judge": 7}),
    ("criteria", {"judge": "j", "criteria": [{"text": ""}]}),
    ("criteria", {"judge": "j", "criteria": [{"text": "a", "weight": 0}]}),
    ("criteria", {"judge": "j", "criteria": [{"text": "a", "weight": math.inf}]}),
    ("criteria", {"judge": "j", "threshold": 1.5}),
    ("criteria", {"judge": "j", "sees": ["expected"]}),
    ("grade", {**SETTINGS["grade"], "levels": LEVELS[:1]}),
    ("grade", {**SETTINGS["grade"], "levels": [LEVELS[0], LEVELS[0]]}),
    ("grade", {**SETTINGS["grade"], "levels": [*LEVELS, {"name": "undecided", "means": "?"}]}),
    ("grade", {**SETTINGS["grade"], "levels": [{"name": "a b", "means": "?"}, LEVELS[0]]}),
    ("grade", {**SETTINGS["grade"], "levels": [{**LEVELS[0], "value": 0.5}, {**LEVELS[1], "value": 0.5}]}),
    ("grade", {**SETTINGS["grade"], "levels": [{**LEVELS[0], "value": 0.5}, LEVELS[1]]}),
    ("decision_tree", {"judge": "j", "nodes": {}}),
    ("decision_tree", {"judge": "j", "nodes": {"a": {"question": "q", "yes": "b", "no": 0}}}),
    ("decision_tree", {"judge": "j", "nodes": {"a": {"question": "q", "yes": "a", "no": 0}}}),
    ("decision_tree", {"judge": "j", "nodes": {"a": {"question": "q", "yes": 2, "no": 0}}}),
    ("decision_tree", {"judge": "j", "nodes": {"a": {"question": "q", "yes": True, "no": 0}}}),
    (
        "decision_tree",
        {"judge": "j", "nodes": {n: {"question": "q", "yes": 1, "no": 0} for n in ("a", "b")}},
    ),
    (
        "decision_tree",
        {
            "judge": "j",
            "nodes": {
                "root": {"question": "q", "yes": "a", "no": 0},
                "a": {"question": "q", "yes": "b", "no": 0},
                "b": {"question": "q", "yes": "a", "no": 0},
            },
        },
    ),
    ("jury", {"judges": ["j"], "criteria": "a"}),
    ("jury", {"judges": ["j", "j"], "criteria": "a"}),
    ("jury", {"judges": ["j", "k"], "criteria": "a", "judge": "l"}),
    ("jury", {"judges": ["j", "k"], "criteria": "a", "rule": "chance"}),
    ("cascade", {"judges": ["j"], "criteria": "a"}),
    ("cascade", {"judges": ["j", "j"], "criteria": "a"}),
    ("cascade", {"judges": ["j", "k"], "criteria": "a", "margin": 2}),
    ("brand_voice_judge", {"judge": "j"}),
    ("brand_voice_judge", {"judge": "j", "good": []}),
    ("preference", {"judge": "j", "question": ""}),
]


@pytest.mark.parametrize(("name", "settings"), BAD_SETTINGS)
def test_wrong_settings_are_refused(name, settings):
    with pytest.raises(ScorerConfigError):
        build(name, settings, Path())


# ---- grade --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "value"), [("poor", 0), ("fair", 1 / 3), ("good", 2 / 3), ("fine", 1)])
def test_a_stated_level_gives_its_value(level, value):
    score = score_one("grade", SETTINGS["grade"], TEXT, says({"how good?": Said(level, "sorry", "answer", "r")}))
    assert score.value == pytest.approx(value)
    assert score.passed is (value >= 0.5)
    assert score.reason == f"level {level}, as stated"
    assert (score.evidence[0].where, score.evidence[0].quote, score.evidence[0].found) == ("text", "sorry", level)
    own = {
        **SETTINGS["grade"],
        "levels": [{**lv, "value": v} for lv, v in zip(LEVELS, (0, 0.1, 0.4, 0.9), strict=True)],
    }
    score = score_one("grade", own, TEXT, says({"how good?": level}))
    assert score.value == {"poor": 0, "fair": 0.1, "good": 0.4, "fine": 0.9}[level]


def test_a_judge_that_cannot_grade_is_missing():
    score = score_one("grade", SETTINGS["grade"], TEXT, says({"how good?": "undecided"}))
    assert (score.status, score.passed) == ("judge_error", None)


def graded(level, chances, word=None):
    """A judge that states a level, and answers in one word with the log probability of these chances to reach one."""

    def answer(asked):
        if "response_format" in asked.body:
            return fill_in(sheet_of(asked), lambda q, s: level)
        assert asked.body["logprobs"] is True
        if "top_logprobs" in asked.body:  # as an endpoint that gives the chosen token's alone
            return Reply(text="3", logprobs=(-0.1,))
        chance = chances[asked.system.rpartition("at least the level ")[2].rstrip("?")]
        said = word or ("yes" if chance >= 0.5 else "no")
        return Reply(text=said, logprobs=(math.log(max(chance, 1 - chance)),))

    return answer


def test_log_probabilities_give_the_expected_value():
    settings = {**SETTINGS["grade"], "logprobs": True}
    chances = {"fair": 0.95, "good": 0.7, "fine": 0.2}
    score = score_one("grade", settings, TEXT, graded("good", chances))
    assert score.value == pytest.approx(sum(chances.values()) / 3)
    assert score.reason == "expected value by log probabilities; stated level good"


def weighed(level, chances):
    """A judge that states a level, and gives each number's chance beside the one that it writes."""

    def answer(asked):
        if "top_logprobs" not in asked.body:
            return fill_in(sheet_of(asked), lambda q, s: level)
        return Reply(text=max(chances, key=chances.get), top_logprobs={t: math.log(p) for t, p in chances.items()})

    return answer


WEIGHED = [
    pytest.param({"1": 0.1, "2": 0.2, "3": 0.4, "4": 0.3}, (0.2 + 0.8 + 0.9) / 3, id="all-levels"),
    pytest.param({"3": 0.6, " 3": 0.2, "4": 0.2}, (0.8 * 2 + 0.2 * 3) / 3, id="two-spellings-of-one"),
    pytest.param({"3": 0.4, "4": 0.2, "The": 0.4}, (0.4 * 2 + 0.2 * 3) / 0.6 / 3, id="brought-up-to-1"),
    pytest.param({"3": 0.5, "5": 0.3, "0": 0.1, "34": 0.1}, 2 / 3, id="no-such-level"),
]


@pytest.mark.parametrize(("chances", "value"), WEIGHED)
def test_the_likeliest_tokens_of_one_answer_give_the_expected_value(chances, value):
    heard = score_all("grade", {**SETTINGS["grade"], "logprobs": True}, [(case(), TEXT)], weighed("good", chances))
    assert heard.result[0].value == pytest.approx(value)
    assert len(heard.bodies) == 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("use", ["openai:j", "responses:j"])
def test_every_dialect_of_openai_gives_them(use, stream):
    answer = weighed("good", {"3": 0.5, "4": 0.5})
    made = {**SETTINGS["grade"], "logprobs": True}
    assert score_one("grade", made, TEXT, answer, use=use, stream=stream).value == pytest.approx(2.5 / 3)


def test_a_judge_without_numbers_among_them_is_asked_by_level():
    chances = {"fair": 0.95, "good": 0.7, "fine": 0.2}

    def answer(asked):
        if "top_logprobs" in asked.body:
            return Reply(text="Well", top_logprobs={"Well": math.log(0.7), "3": math.log(0.3)})
        return graded("good", chances)(asked)

    score = score_one("grade", {**SETTINGS["grade"], "logprobs": True}, TEXT, answer)
    assert score.value == pytest.approx(sum(chances.values()) / 3)


def test_more_than_nine_levels_are_asked_one_by_one():
    levels = [{"name": f"l{n}", "means": f"level {n}"} for n in range(11)]
    chances = {f"l{n}": 0.9 if n < 6 else 0.2 for n in range(11)}
    heard = score_all(
        "grade", {**SETTINGS["grade"], "levels": levels, "logprobs": True}, [(case(), TEXT)], graded("l6", chances)
    )
    assert not any("top_logprobs" in body for body in heard.bodies)
    assert heard.result[0].value == pytest.approx((5 * 0.9 + 5 * 0.2) / 10)


def test_a_chance_never_exceeds_that_of_the_level_below():
    settings = {**SETTINGS["grade"], "logprobs": True}
    score = score_one("grade", settings, TEXT, graded("good", {"fair": 0.6, "good": 0.9, "fine": 0.7}))
    assert score.value == pytest.approx(0.6)


@given(st.lists(st.floats(0.5, 0.99), min_size=3, max_size=3), st.integers(0, 2), st.floats(0, 0.3))
def test_likelier_levels_never_score_lower(chances, at, more):
    made = build("grade", {**SETTINGS["grade"], "logprobs": True}, Path())
    falling = sorted(chances, reverse=True)
    better = sorted([min(0.999, c + more) if n == at else c for n, c in enumerate(falling)], reverse=True)
    stated = 2
    assert made._expected(better, stated) >= made._expected(falling, stated) - 1e-12


def test_log_probabilities_that_belie_the_stated_level_are_missing():
    settings = {**SETTINGS["grade"], "logprobs": True}
    score = score_one("grade", settings, TEXT, graded("fine", {"fair": 0.1, "good": 0.05, "fine": 0.01}))
    assert score.status == "judge_error"
    assert "states level fine" in score.reason


def without_logprobs(asked):
    if "response_format" in asked.body:
        return fill_in(sheet_of(asked), lambda q, s: "good")
    return Reply(text="maybe")


def test_without_log_probabilities_the_stated_level_stands_and_says_so():
    settings = {**SETTINGS["grade"], "logprobs": True}
    for answer in (without_logprobs, graded("good", dict.fromkeys(("fair", "good", "fine"), 0.9), word="perhaps")):
        score = score_one("grade", settings, TEXT, answer)
        assert score.value == pytest.approx(2 / 3)
        assert "gives no log probabilities" in score.reason


def test_a_judge_that_fails_half_way_is_missing():
    def answer(asked):
        return without_logprobs(asked) if "response_format" in asked.body else Reply(fault="server_error")

    assert score_one("grade", {**SETTINGS["grade"], "logprobs": True}, TEXT, answer).status == "judge_error"


# ---- decision tree ------------------------------------------------------------------------------------------------

WALKS = [
    (("yes", "yes"), 1.0, True),
    (("no",), 0.0, False),
    (("yes", "no", "yes"), 0.5, False),
    (("yes", "no", "no"), 0.25, False),
    (("yes", "no", "undecided"), 0.25, False),
]


@pytest.mark.parametrize(("walk", "value", "passed"), WALKS)
def test_a_walk_ends_in_its_value_and_asks_no_more(walk, value, passed):
    verdicts = dict(zip((node["question"] for node in TREE.values()), walk, strict=False))
    heard = score_all("decision_tree", SETTINGS["decision_tree"], [(case(), TEXT)], says(verdicts))
    (score,) = heard.result
    assert (score.value, score.passed) == (value, passed)
    assert [e.found for e in score.evidence] == list(walk)
    assert len(heard.bodies) == len(walk)


def test_an_undecided_node_without_an_edge_is_missing():
    score = score_one("decision_tree", SETTINGS["decision_tree"], TEXT, says({"is it polite?": "undecided"}))
    assert (score.status, score.passed) == ("judge_error", None)
    assert len(score.evidence) == 1


def test_nodes_may_be_shared_and_trees_deep():
    nodes = {f"n{n}": {"question": f"question {n}", "yes": f"n{n + 1}", "no": f"n{n + 1}"} for n in range(2000)}
    nodes["n2000"] = {"question": "last", "yes": 1, "no": 0}
    build("decision_tree", {"judge": "j", "nodes": nodes}, Path())
    nodes["n2000"]["no"] = "n1000"
    with pytest.raises(ScorerConfigError):
        build("decision_tree", {"judge": "j", "nodes": nodes}, Path())


# ---- preference ---------------------------------------------------------------------------------------------------

ONE, TWO = Output.of("the long answer"), Output.of("the short answer")


def compared(verdicts, first=ONE, second=TWO):
    async def work(services):
        made = build("preference", {"judge": "j"}, Path()).bind(services)
        by_compare = await made.compare(case(), first, second)
        by_protocol: Comparator = made.comparator
        assert by_protocol.info.name == "preference"
        assert await by_protocol(case(), first, second) == by_compare
        return by_compare

    return hearing(work, says(verdicts))


def prefers(text):
    return lambda q, s: "first" if s.materials["first"] == text else "second"


@pytest.mark.parametrize(("verdicts", "value", "reason"), [
    (prefers(ONE.text), 1.0, "the first is better, in both orders"),
    (prefers(TWO.text), 0.0, "the second is better, in both orders"),
    (lambda q, s: "tie", 0.5, "neither is better, in both orders"),
    (lambda q, s: "first", 0.5, "disagree"),
    (lambda q, s: "second", 0.5, "disagree"),
    (lambda q, s: "first" if s.materials["first"] == ONE.text else "tie", 0.5, "disagree"),
])  # fmt: skip
def test_both_orders_are_asked_and_must_agree(verdicts, value, reason):
    heard = compared(verdicts)
    assert heard.result.value == value
    assert reason in heard.result.reason
    shown = [sheet_of_body(body)["first"] for body in heard.bodies]
    assert sorted(shown[:2]) == sorted([ONE.text, TWO.text])
    assert len(heard.result.evidence) == 2


def sheet_of_body(body):
    return read_sheet(*(message["content"] for message in body["messages"])).materials


def test_turning_the_pair_round_turns_the_value():
    verdicts = prefers(ONE.text)
    assert compared(verdicts).result.value == 1 - compared(verdicts, TWO, ONE).result.value


def test_evidence_names_the_answer_and_not_its_place():
    def quoting(question, sheet):
        place = "first" if sheet.materials["first"] == ONE.text else "second"
        return Said(place, "long", place, "longer")

    evidence = compared(quoting).result.evidence
    assert [(e.where, e.quote, e.found) for e in evidence] == [("first", "long", "first")] * 2


def test_equal_answers_tie_without_asking():
    heard = compared(lambda q, s: "first", ONE, Output.of(ONE.text))
    assert (heard.result.value, heard.bodies) == (0.5, [])


LOST = Output(failure=Failure(kind="model", code="empty"))
DOWN = Output(failure=Failure(kind="infra", code="timeout"))


@pytest.mark.parametrize(("first", "second", "value", "status"), [
    (ONE, LOST, 1.0, "scored"),
    (LOST, ONE, 0.0, "scored"),
    (LOST, LOST, 0.5, "scored"),
    (ONE, DOWN, None, "infra_error"),
    (DOWN, LOST, None, "infra_error"),
])  # fmt: skip
def test_failed_sides_are_settled_without_asking(first, second, value, status):
    heard = compared(lambda q, s: "tie", first, second)
    assert (heard.result.value, heard.result.status, heard.bodies) == (value, status, [])


def test_an_order_that_cannot_be_asked_makes_it_missing():
    def answer(asked):
        sheet = sheet_of(asked)
        return "?" if sheet.materials["first"] == TEXT else fill_in(sheet, lambda q, s: "first")

    assert score_one("preference", {"judge": "j"}, TEXT, answer, REFERENCED).status == "judge_error"


def test_the_reference_is_what_a_rubric_compares_with():
    score = score_one("preference", {"judge": "j", "threshold": 1}, TEXT, says(lambda q, s: "tie"), REFERENCED)
    assert (score.value, score.passed) == (0.5, False)
    assert score_one("preference", {"judge": "j"}, TEXT, says({}), case()).status == "not_applicable"


# ---- jury ---------------------------------------------------------------------------------------------------------

BENCH = ("j", "k", "l")
VOTES = [
    ("majority", ("yes", "yes", "no"), True, 2 / 3),
    ("majority", ("no", "yes", "no"), False, 2 / 3),
    ("majority", ("yes", "yes", "yes"), True, 0.0),
    ("majority", ("yes", "yes", "undecided"), True, 2 / 3),
    ("majority", ("yes", "no", "undecided"), None, 1.0),
    ("unanimity", ("yes", "yes", "yes"), True, 0.0),
    ("unanimity", ("no", "no", "no"), False, 0.0),
    ("unanimity", ("yes", "yes", "no"), None, 2 / 3),
]


@pytest.mark.parametrize(("rule", "votes", "passed", "differing"), VOTES)
def test_votes_decide_by_the_rule(rule, votes, passed, differing):
    answer = by_model(dict(zip(BENCH, votes, strict=True)))
    heard = score_all("jury", {**SETTINGS["jury"], "rule": rule}, [(case(), TEXT)], answer, judges=BENCH)
    (score,) = heard.result
    assert score.passed is passed
    assert score.status == ("judge_error" if passed is None else "scored")
    assert len(heard.bodies) == 3
    assert [e.found for e in score.evidence[1:]] == list(votes)
    if passed is not None:
        assert (score.measure, score.unit) == (pytest.approx(differing), "disagreement")
    elif differing:
        assert f"disagreement {differing:.2f}" in score.reason


def test_a_tie_of_two_is_undecided():
    settings = {"judges": ["j", "k"], "criteria": "is polite"}
    score = score_one("jury", settings, TEXT, by_model({"j": "yes", "k": "no"}), judges=("j", "k"))
    assert (score.status, score.passed) == ("judge_error", None)


@pytest.mark.parametrize(("rule", "votes", "passed"), [
    ("majority", ("yes", "yes", None), True),
    ("majority", ("no", "no", None), False),
    ("majority", ("yes", "no", None), None),
    ("majority", ("yes", None, None), None),
    ("majority", (None, None, None), None),
    ("unanimity", ("yes", "yes", None), None),
    ("unanimity", ("no", "no", None), None),
])  # fmt: skip
def test_an_absent_judge_keeps_its_seat(rule, votes, passed):
    answers = {name: Reply(fault="server_error") if v is None else v for name, v in zip(BENCH, votes, strict=True)}
    score = score_one("jury", {**SETTINGS["jury"], "rule": rule}, TEXT, by_model(answers), judges=BENCH)
    assert score.passed is passed
    assert score.status == ("judge_error" if passed is None else "scored")


@given(st.lists(st.sampled_from(["yes", "no", "undecided"]), min_size=1, max_size=5), st.integers(0, 4), st.booleans())
def test_one_more_yes_never_turns_a_yes_away(votes, at, unanimous):
    names = [f"j{n}" for n in range(5)]
    made = build("jury", {"judges": names, "rule": "unanimity" if unanimous else "majority"}, Path())
    better = [("yes" if n == at else vote) for n, vote in enumerate(votes)]
    assert RANK[made.decided(better)] >= RANK[made.decided(votes)]


# ---- cascade ------------------------------------------------------------------------------------------------------


def test_a_dear_judge_is_asked_only_of_what_is_open():
    settings = {"judges": ["j", "k"], "criteria": ["is polite", "is short"]}
    answer = by_model({"j": {"is polite": "yes", "is short": "undecided"}, "k": {"is short": "yes"}})
    heard = score_all("cascade", settings, [(case(), TEXT)], answer, judges=("j", "k"))
    (score,) = heard.result
    assert (score.value, score.passed) == (1.0, True)
    assert score.reason.endswith("j decided 1, k decided 1")
    assert [body["model"] for body in heard.bodies] == ["j", "k"]
    assert [e.note.partition(":")[0] for e in score.evidence] == ["j", "k"]


def test_a_dear_judge_is_not_asked_for_nothing():
    for verdict in ("yes", "no"):
        answer = by_model({"j": verdict})
        heard = score_all("cascade", SETTINGS["cascade"], [(case(), TEXT)], answer, judges=("j", "k"))
        assert len(heard.bodies) == 1
        assert heard.result[0].passed is (verdict == "yes")


def test_a_cheap_judge_that_fails_is_passed_over_and_the_last_is_not():
    broken = Reply(fault="server_error")
    score = score_one("cascade", SETTINGS["cascade"], TEXT, by_model({"j": broken, "k": "yes"}), judges=("j", "k"))
    assert (score.passed, score.reason.endswith("k decided 1")) == (True, True)
    answer = by_model({"j": "undecided", "k": broken})
    assert score_one("cascade", SETTINGS["cascade"], TEXT, answer, judges=("j", "k")).status == "judge_error"
    answer = by_model({"j": "undecided", "k": "undecided"})
    assert score_one("cascade", SETTINGS["cascade"], TEXT, answer, judges=("j", "k")).status == "judge_error"


def unsure(verdict, word, chance, dear="no", logprobs=True):
    def answer(asked):
        if asked.model == "k":
            return fill_in(sheet_of(asked), lambda q, s: dear)
        if "response_format" in asked.body:
            return fill_in(sheet_of(asked), lambda q, s: verdict)
        return Reply(text=word, logprobs=(math.log(chance),)) if logprobs else "I think yes"

    return answer


@pytest.mark.parametrize(("verdict", "word", "chance", "decider"), [
    ("yes", "yes", 0.99, "j"),
    ("yes", "yes", 0.7, "k"),
    ("no", "no", 0.99, "j"),
    ("no", "no", 0.6, "k"),
    ("yes", "no", 0.99, "k"),
    ("no", "yes", 0.99, "k"),
    ("yes", "yes", 0.95, "j"),
])  # fmt: skip
def test_a_verdict_that_is_not_sure_goes_on(verdict, word, chance, decider):
    settings = {**SETTINGS["cascade"], "margin": 0.8}
    dear = "no" if verdict == "yes" else "yes"
    score = score_one("cascade", settings, TEXT, unsure(verdict, word, chance, dear), judges=("j", "k"))
    assert score.reason.endswith(f"{decider} decided 1")
    assert score.passed is ((verdict if decider == "j" else dear) == "yes")


def test_a_judge_without_log_probabilities_is_never_sure():
    settings = {**SETTINGS["cascade"], "margin": 0.1}
    score = score_one("cascade", settings, TEXT, unsure("yes", "", 1, logprobs=False), judges=("j", "k"))
    assert score.reason.endswith("k decided 1")
    assert score.passed is False


# ---- brand voice --------------------------------------------------------------------------------------------------


def test_exemplars_are_shown_and_are_no_evidence():
    seen = []
    settings = {"judge": "j", "good": ["Hi there!", "Sorted."], "bad": "Dear Sir", "traits": ["is warm"]}
    score = score_one("brand_voice_judge", settings, TEXT, says(lambda q, s: seen.append(s) or "yes"))
    assert seen[0].materials == {
        "good:1": "Hi there!", "good:2": "Sorted.", "bad:1": "Dear Sir", "question": QUESTION, "answer": TEXT,
    }  # fmt: skip
    assert score.passed is True
    quoting = says(lambda q, s: Said("yes", "Hi there!", "good:1"))
    assert score_one("brand_voice_judge", settings, TEXT, quoting).status == "judge_error"


@pytest.mark.parametrize(("bad", "asked"), [([], 1), (["Dear Sir"], 2)])
def test_without_traits_the_exemplars_are_the_measure(bad, asked):
    seen = []
    settings = {"judge": "j", "good": ["Hi there!"], "bad": bad}
    score_one("brand_voice_judge", settings, TEXT, says(lambda q, s: seen.append(q) or "yes"))
    assert len(seen) == asked
