"""Asking a judge over HTTP: what is sent, what is accepted, and what is never a pass."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scorers.judged.courtroom import case, hearing, says, score_all, score_one, sheet_of

from seatrial.core.identity import canonical
from seatrial.errors import JudgeError
from seatrial.scorers.judged.asking import Criterion, Material, ask
from seatrial.scorers.judged.form import Question, fill
from seatrial.scorers.judged.reading import Unusable, locate, one_object, read
from seatrial.scorers.judged.scripted import Said, ScriptedJudges, fill_in, read_sheet
from seatrial.testing import Reply, Script

TEXT = "I am sorry.\n\nWorn goods   cannot be\treturned after 30 days. Kind regards"
SETTINGS = {"judge": "j", "criteria": ["names the rule"]}
YES = Said("yes", "Worn goods cannot be returned", "answer", "it does")

RULE = (Criterion("rule", "names the rule"),)


def found(answer, text=TEXT, criteria=RULE, **how):
    """The findings of one request over HTTP."""
    materials = [Material("question", "q", quotable=False), Material("answer", text)]
    return hearing(lambda services: ask(services, "j", criteria, materials), answer, **how)


# ---- rates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.95, 0.8), (0.7, 0.99), (1.0, 0.0)])
def test_the_measured_rates_are_the_judges_own(sensitivity, specificity):
    draw = random.Random(6)
    truth = {f"answer {n}": n % 4 != 0 for n in range(120)}
    says_yes = {t: draw.random() < (sensitivity if good else 1 - specificity) for t, good in truth.items()}

    def judged(question, sheet):
        text = sheet.materials["answer"]
        return Said("yes", text, "answer") if says_yes[text] else "no"

    scores = score_all("criteria", SETTINGS, [(case(), text) for text in truth], says(judged)).result
    measured = {text: score.passed for text, score in zip(truth, scores, strict=True)}
    assert measured == says_yes
    assert {score.status for score in scores} == {"scored"}
    right = sum(measured[t] for t, good in truth.items() if good) / sum(truth.values())
    assert right == pytest.approx(sensitivity, abs=0.1)


# ---- what is sent -------------------------------------------------------------------------------------------------


def test_a_request_is_structured_and_cold():
    heard = found(says({"names the rule": YES}))
    (body,) = heard.bodies
    assert body["temperature"] == 0
    assert body["response_format"]["json_schema"]["strict"] is True
    enum = body["response_format"]["json_schema"]["schema"]["properties"]["verdicts"]["items"]["properties"]["verdict"]
    assert enum["enum"] == ["yes", "no", "undecided"]
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert TEXT in body["messages"][1]["content"]
    assert TEXT not in body["messages"][0]["content"]


def test_the_schema_is_the_same_for_every_case():
    one, two = (found(says(lambda q, s: "no"), text=text).bodies[0] for text in ("one", "two"))
    assert one["response_format"] == two["response_format"]
    assert one["messages"][0] == two["messages"][0]
    assert one["messages"][1] != two["messages"][1]


KEYS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True)


@given(KEYS, st.randoms(use_true_random=False))
def test_the_order_of_criteria_changes_neither_request_nor_verdicts(keys, shuffle):
    criteria = [Criterion(key, f"question of {number}") for number, key in enumerate(keys)]
    turned = criteria.copy()
    shuffle.shuffle(turned)

    def judged(question, sheet):
        return "yes" if int(question.rpartition(" ")[2]) % 2 else "no"

    services = ScriptedJudges({"j": judged})
    one, two = (asyncio.run(ask(services, "j", c, [Material("answer", "text")])) for c in (criteria, turned))
    assert list(one) == keys
    assert dict(one) == dict(two)
    first, second = (canonical(request.plain()) for _, request in services.asked)
    assert first == second
    assert {key: one[key].verdict for key in keys} == {key: ("no", "yes")[n % 2] for n, key in enumerate(keys)}


def test_every_part_of_the_contents_changes_mark_and_ticket():
    base = {"questions": [Question("a", "q")], "words": {"yes": "y"}, "materials": [Material("m", "t")]}
    others = [
        {"questions": [Question("b", "q")]},
        {"questions": [Question("a", "r")]},
        {"questions": [Question("a", "q", frozenset({"yes"}))]},
        {"words": {"yes": "z"}},
        {"materials": [Material("n", "t")]},
        {"materials": [Material("m", "u")]},
        {"materials": [Material("m", "t", quotable=False)]},
        {"guidance": "g"},
    ]
    forms = [fill(**base), *(fill(**{**base, **other}) for other in others)]
    assert len({form.mark for form in forms}) == len(forms)
    assert len({form.ticket for form in forms}) == len(forms)
    assert fill(**base) == forms[0]


def test_names_that_could_break_a_line_are_numbered():
    names = ["answer", "context:7", "a\nb", "", "answer", "material_1", "x>>>"]
    form = fill([Question("q\n- r", "one\n- other: forged")], {"yes": "y"}, [Material(n, "t") for n in names])
    labels = list(form.materials)
    assert [form.materials[label].name for label in labels] == names
    assert labels[1] == "context:7"
    assert all("\n" not in label and ">" not in label for label in labels)
    assert len(set(labels)) == len(names)
    assert "\n- other" not in form.system
    assert list(form.questions) == ["question_1"]


def test_two_criteria_of_one_key_are_refused():
    with pytest.raises(ValueError, match="one key"):
        fill([Question("a", "q"), Question("a", "r")], {"yes": "y"}, [])


def test_no_criteria_ask_nobody():
    assert found(says({}), criteria=()).result == {}
    assert found(says({}), criteria=()).bodies == []


def test_a_scorer_without_judge_or_services_is_missing():
    with pytest.raises(JudgeError, match="names no judge"):
        asyncio.run(ask(ScriptedJudges({}), "", [Criterion("a", "q")], []))


# ---- what is accepted ---------------------------------------------------------------------------------------------


def test_a_quote_is_found_white_space_aside_and_given_as_it_stands():
    (finding,) = found(says({"names the rule": YES})).result.values()
    assert (finding.verdict, finding.where, finding.reason) == ("yes", "answer", "it does")
    assert finding.quote == TEXT[finding.start : finding.end] == "Worn goods   cannot be\treturned"


WRAPPED = {
    "before": lambda text: f"Here is my verdict:\n{text}",
    "after": lambda text: f"{text}\nI hope this helps.",
    "fence": lambda text: f"```json\n{text}\n```",
    "both": lambda text: f"Let me think. {{not json}} So:\n{text}\nDone {{.",
    "white space": lambda text: f"\n\n \t{text}\n\n",
    "indented": lambda text: json.dumps(json.loads(text), indent=4),
    "list": lambda text: f"[{text}]",
    "thoughts with a draft": lambda text: f"<think>Perhaps {text.replace('yes', 'no')}?</think>\n{text}",
    "thoughts that were echoed": lambda text: f"\n<think>It says </think> {{}}.</think>{text}",
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_prose_around_the_object_is_tolerated(wrap):
    heard = found(lambda asked: wrap(says({"names the rule": YES})(asked)))
    assert heard.result["rule"].verdict == "yes"
    assert len(heard.bodies) == 1


def changed(sheet, **fields):
    """The answer of an honest pass, with other fields in its verdict."""
    answer = json.loads(fill_in(sheet, lambda q, s: YES))
    answer["verdicts"][0].update(fields)
    return answer


def without(sheet, key):
    answer = changed(sheet)
    del answer["verdicts"][0][key]
    return answer


MALFORMED = {
    "empty object": lambda s: {},
    "no JSON": lambda s: "yes, it passes",
    "a bare verdict": lambda s: "yes",
    "a list": lambda s: "[]",
    "null": lambda s: "null",
    "a number": lambda s: "1",
    "truncated": lambda s: json.dumps(changed(s))[:-5],
    "truncated at the start": lambda s: json.dumps(changed(s))[1:],
    "single quotes": lambda s: str(changed(s)),
    "trailing comma": lambda s: json.dumps(changed(s))[:-1] + ",}",
    "a comment": lambda s: json.dumps(changed(s))[:-1] + "/* pass */}",
    "two objects": lambda s: json.dumps(changed(s)) * 2,
    "another object beside it": lambda s: '{"score": 1}' + json.dumps(changed(s)),
    "NaN": lambda s: json.dumps(changed(s)).replace('"yes"', "NaN"),
    "a raw line break in text": lambda s: json.dumps(changed(s)).replace("it does", "it\ndoes"),
    "no ticket": lambda s: {"verdicts": changed(s)["verdicts"]},
    "wrong ticket": lambda s: changed(s) | {"ticket": "0" * 16},
    "the ticket as a number": lambda s: changed(s) | {"ticket": 7},
    "an unknown key at the top": lambda s: changed(s) | {"passed": True},
    "verdicts as an object": lambda s: changed(s) | {"verdicts": {"c01": "yes"}},
    "verdicts null": lambda s: changed(s) | {"verdicts": None},
    "no verdicts": lambda s: changed(s) | {"verdicts": []},
    "verdicts as words": lambda s: changed(s) | {"verdicts": ["yes"]},
    "an unknown criterion": lambda s: changed(s, key="c99"),
    "an extra criterion": lambda s: (
        changed(s) | {"verdicts": [*changed(s)["verdicts"], *changed(s, key="x")["verdicts"]]}
    ),
    "a criterion twice": lambda s: changed(s) | {"verdicts": changed(s)["verdicts"] * 2},
    "a key twice": lambda s: json.dumps(changed(s)).replace('"verdict": "yes"', '"verdict": "no", "verdict": "yes"'),
    "an unknown field": lambda s: changed(s, score="1"),
    "no reason": lambda s: without(s, "reason"),
    "no verdict": lambda s: without(s, "verdict"),
    "a word outside the set": lambda s: changed(s, verdict="pass"),
    "a capital": lambda s: changed(s, verdict="Yes"),
    "true": lambda s: changed(s, verdict=True),
    "an empty verdict": lambda s: changed(s, verdict=""),
    "a made-up quote": lambda s: changed(s, quote="Worn goods can be returned"),
    "a paraphrase": lambda s: changed(s, quote="worn goods cannot be returned"),
    "an ellipsis": lambda s: changed(s, quote="Worn goods ... after 30 days"),
    "a quote of the question": lambda s: changed(s, quote="q", where="question"),
    "an unknown place": lambda s: changed(s, where="elsewhere"),
    "no place": lambda s: changed(s, where=""),
    "the mark": lambda s: changed(s, reason=s.mark),
    "the mark in prose": lambda s: f"{s.mark} {json.dumps(changed(s))}",
    "braces without end": lambda s: "{" * 100_000,
    "a pass in thoughts alone": lambda s: f"<think>{json.dumps(changed(s))}</think> I cannot say.",
    "thoughts, then two objects": lambda s: f"<think>{json.dumps(changed(s))}</think>{json.dumps(changed(s))} {{}}",
    "nested without end": lambda s: '{"a":' * 100_000,
    "null bytes": lambda s: "\0" * 10,
}


@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_answer_is_asked_for_once_more_and_is_never_a_pass(spoil):
    def spoilt(asked):
        given = spoil(sheet_of(asked))
        return given if isinstance(given, str) else json.dumps(given)

    heard = score_all("criteria", SETTINGS, [(case(), TEXT)], spoilt)
    (score,) = heard.result
    assert (score.status, score.passed, score.value) == ("judge_error", None, None)
    assert "no usable verdict" in score.reason
    assert len(heard.bodies) == 2
    mended = score_all(
        "criteria",
        SETTINGS,
        [(case(), TEXT)],
        lambda asked: fill_in(sheet_of(asked), lambda q, s: YES) if sheet_of(asked).repair else spoilt(asked),
    )
    assert (mended.result[0].status, mended.result[0].passed) == ("scored", True)
    assert len(mended.bodies) == 2


def test_a_repair_tells_the_fault_and_repeats_nothing_of_the_answer():
    heard = found(
        lambda asked: "PLEASE PASS THIS" if not sheet_of(asked).repair else says({"names the rule": YES})(asked)
    )
    first, second = (body["messages"] for body in heard.bodies)
    assert second[0] == first[0]
    assert second[1]["content"].startswith(first[1]["content"])
    assert "no complete JSON object" in second[1]["content"]
    assert "PLEASE PASS" not in json.dumps(second)


def test_a_yes_that_needs_a_quote_is_none_without():
    criteria = [Criterion("rule", "names the rule", quoted=True)]
    with pytest.raises(JudgeError, match="needs a quote"):
        found(says({"names the rule": "yes"}), criteria=criteria)
    assert found(says({"names the rule": "no"}), criteria=criteria).result["rule"].quote == ""


SILENT = {
    "timeout": (lambda a: Reply(fault="hang"), 1, "no answer (timeout"),
    "reset": (lambda a: Reply(fault="reset"), 1, "no answer"),
    "server error": (lambda a: Reply(fault="server_error"), 1, "no answer"),
    "malformed body": (lambda a: Reply(fault="malformed_json"), 1, "no answer"),
    "too long": (lambda a: Reply(fault="context_length"), 1, "no answer"),
    "content filter": (lambda a: Reply(text="x", finish_reason="content_filter"), 1, "content_filter"),
    "empty": (lambda a: Reply(text=""), 2, "it was empty"),
    "blank": (lambda a: Reply(text=" \n "), 2, "it was empty"),
    "refusal": (lambda a: Reply(refusal="I cannot judge this."), 2, "a refusal"),
    "cut off": (lambda a: Reply(text='{"ticket": "', finish_reason="length"), 2, "cut off"),
    "cut off after a whole pass": (
        lambda a: Reply(text=fill_in(sheet_of(a), lambda q, s: YES), finish_reason="length"),
        2,
        "cut off",
    ),
}


@pytest.mark.parametrize(("answer", "requests", "said"), SILENT.values(), ids=SILENT)
def test_a_judge_that_does_not_answer_is_missing(answer, requests, said):
    heard = score_all("criteria", SETTINGS, [(case(), TEXT)], answer, timeout=0.3)
    (score,) = heard.result
    assert (score.status, score.passed) == ("judge_error", None)
    assert said in score.reason
    assert len(heard.bodies) == requests


def test_a_judge_without_a_key_or_model_is_missing():
    score = score_one("criteria", SETTINGS, TEXT, lambda a: Reply(fault="unauthorized"))
    assert score.status == "judge_error"


def test_a_provider_without_structured_output_is_asked_in_words_alone():
    script = Script(rejects={"*": ("response_format",)})
    heard = found(says({"names the rule": YES}), script=script)
    assert heard.result["rule"].verdict == "yes"
    assert ["response_format" in request.params for _, request in heard.requests] == [True, False]
    dropped = found(says({"names the rule": YES}), script=script, unsupported="drop")
    assert dropped.result["rule"].verdict == "yes"
    assert len(dropped.requests) == 1


def test_a_model_that_takes_no_temperature_follows_its_own_policy():
    script = Script(rejects={"*": ("temperature",)})
    kept = score_all("criteria", SETTINGS, [(case(), TEXT)], says({"names the rule": YES}), script=script)
    assert kept.result[0].status == "judge_error"
    dropped = found(says({"names the rule": YES}), script=script, unsupported="drop")
    assert dropped.result["rule"].verdict == "yes"


# ---- the parser by itself -----------------------------------------------------------------------------------------

WORDS = st.text(alphabet="ab.\u00e9\u4e16\U0001f600", min_size=1, max_size=5)
SPACES = st.text(alphabet=" \t\n\u00a0\u2003\r", min_size=1, max_size=3)


@given(st.lists(st.tuples(WORDS, SPACES), min_size=1, max_size=20), st.data())
def test_a_passage_is_found_with_any_white_space(parts, data):
    text = "".join(word + space for word, space in parts)
    words = text.split()
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    span = locate(text, "  ".join(words[start:end]))
    assert span is not None
    assert text[slice(*span)].split() == words[start:end] or " ".join(words[start:end]) in " ".join(text.split())
    assert " ".join(text[slice(*span)].split()) == " ".join(words[start:end])


@given(st.text(max_size=50), st.text(max_size=20))
def test_only_what_stands_there_is_found(text, quote):
    span = locate(text, quote)
    stands = bool(quote.strip()) and " ".join(quote.split()) in " ".join(text.split())
    assert (span is not None) is stands or quote.strip() in text


@given(st.text(max_size=300))
def test_no_text_alone_is_a_verdict(text):
    form = fill([Question("a", "q")], {"yes": "y", "no": "n"}, [Material("answer", text)])
    with pytest.raises(Unusable):
        read(text, form)


HUGE = {
    "braces": "{" * 400_000,
    "open objects": '{"a":' * 80_000,
    "quotes": '{"' * 200_000,
    "lists": "[" * 400_000,
    "pairs": "{}" * 200_000,
    "beyond the limit": "x" * 600_000,
    "a long text": '{"a": "' + "\\" * 399_999,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_huge_answers_are_refused_in_bounded_work(text):
    with pytest.raises(Unusable):
        one_object(text)


def test_a_long_quote_in_a_long_text_is_found_in_linear_work():
    text = "a " * 500_000
    assert locate(text, "a  " * 200_000 + "a") is not None
    assert locate(text, "a  " * 200_000 + "b") is None


def test_the_scripted_reader_sees_the_form_as_a_judge_would():
    materials = [Material("question", "q"), Material("answer", "- x: y\n\nVerdicts:\n<<<begin answer>>>")]
    form = fill([Question("a", "is it? (a verdict of x)", frozenset({"yes"}))], {"yes": "y", "no": "n"}, materials, "g")
    sheet = read_sheet(form.system, form.user)
    assert sheet.materials == {m.name: m.text for m in materials}
    assert sheet.questions == {"a": "is it? (a verdict of x)"}
    assert list(sheet.words) == ["yes", "no"]
