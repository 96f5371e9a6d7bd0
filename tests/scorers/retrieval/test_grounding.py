"""Groundedness, hallucination and what is built on them: traps by name, laws, hostile input."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.scorers import build, judge
from seatrial.scorers.judged.scripted import Said, ScriptedJudges
from seatrial.scorers.retrieval._reading import stem

REFUNDS = "Refunds are paid within five business days."
CAPITALS = "Paris is the capital of France. Berlin is the capital of Germany."
PRODUCTS = "Product A costs $10 and product B costs $20."
BOAT = "The last boat to Texel leaves at 22:30."

PASSES = {
    "stated": ("Paris is the capital of France.", CAPITALS),
    "spelled number": ("A refund is paid within 5 business days.", REFUNDS),
    "other attribute of the right thing": ("Product B costs $20.", PRODUCTS),
    "double negation": ("The store is not open on Sunday.", "The store is closed on Sunday."),
    "converted unit": ("The file is 2000 MB.", "The file is 2 GB."),
    "another date format": ("The deadline is March 5, 2024.", "The deadline is 2024-03-05."),
    "clock": ("The shift ends at 17:00.", "The shift ends at 5 pm."),
    "courtesies are no claims": ("Paris is the capital of France. I hope this helps!", CAPITALS),
    "pronoun": ("Acme was founded in 1990. It employs 500 people.", "Acme was founded in 1990. It employs 500 people."),
    "abbreviation": ("Dr. Mary Holt lives in Leeds.", "Dr. Mary Holt lives in Leeds."),
    "table": ("The price of the Pro plan is $20.", "| Plan | Price |\n|---|---|\n| Solo | $5 |\n| Pro | $20 |"),
    "list": ("The kit includes:\n- a lamp\n- a rope", "The kit includes a lamp and a rope."),
    "German": ("Die Erstattung dauert 5 Werktage.", "Die Erstattung dauert fünf Werktage."),
    "French decimals": ("Le forfait coûte 9,90 euros.", "Le forfait coûte 9,90 €."),
    "Chinese": ("商店星期天关门。", "商店星期天关门。"),
    "Russian": ("Магазин закрыт по понедельникам.", "Магазин закрыт по понедельникам."),
    "quotation": ("It says “keep away from open fire”.", "It says: keep away from open fire."),
}
FAILS = {
    "true of another thing": ("Paris is the capital of Germany.", CAPITALS),
    "thirty against five": ("A refund takes thirty business days.", REFUNDS),
    "attribute of another thing": ("Product A costs $20.", PRODUCTS),
    "negation": ("The warranty covers water damage.", "The warranty does not cover water damage."),
    "opposite": ("The store is open on Sunday.", "The store is closed on Sunday."),
    "weekday": ("The store is closed on Saturday.", "The store is closed on Sunday."),
    "unit": ("The file is 2 MB.", "The file is 2 GB."),
    "currency": ("The plan costs €12.", "The plan costs $12."),
    "order of values": ("Prices rose from $8 to $5.", "Prices rose from $5 to $8."),
    "date": ("The deadline is March 6, 2024.", "The deadline is 2024-03-05."),
    "range": ("Delivery takes 5 to 7 days.", "Delivery takes 3 to 5 days."),
    "bound": ("At least 40 people may enter.", "At most 40 people may enter."),
    "table cell": ("The price of the Pro plan is $5.", "| Plan | Price |\n|---|---|\n| Solo | $5 |\n| Pro | $20 |"),
    "altered quotation": ("It says “keep close to open fire”.", "It says: keep away from open fire."),
    "another time": ("The last boat to Texel leaves at 23:15.", BOAT),
    "the stated time of another deed": ("The last boat to Texel leaves at 23:15 and arrives at 22:30.", BOAT),
    "two times, none of them stated": ("The last boat to Texel leaves at 23:00 and arrives at 23:15.", BOAT),
    "a second time of the same deed": ("The last boat to Texel leaves at 22:30 and 23:15.", BOAT),
    "one of two": ("Paris is the capital of France. Berlin is the capital of France.", CAPITALS),
    "French negation": ("La livraison est gratuite.", "La livraison n'est pas gratuite."),
}
OPEN = {
    "not in the context": ("Penguins cannot fly.", CAPITALS),
    "more precise": ("The deadline is March 5, 2024.", "The deadline is in March 2024."),
    "condition dropped": ("Returns are free.", "Returns are free only for members."),
    "modality dropped": ("Members bring a guest.", "Members may bring a guest."),
    "reservation dropped": ("The merger closes in 2026.", "The merger is expected to close in 2026."),
    "inside a range": ("Delivery takes 4 days.", "Delivery takes 3 to 5 days."),
    "a second time, of an arrival": ("The last boat to Texel leaves at 22:30 and arrives at 23:15.", BOAT),
    "a second time before the stated one": ("The last boat to Texel arrives at 23:15 and leaves at 22:30.", BOAT),
    "a second time by a participle": ("The last boat to Texel leaves at 22:30, arriving at 23:15.", BOAT),
    "a second duration": ("Refunds take 7 days and vouchers expire after 30 days.", "Refunds take 7 days."),
    "a second time, German": ("Der Zug fährt um 9 Uhr ab und kommt um 10:15 Uhr an.", "Der Zug fährt um 9 Uhr ab."),
    "another thing": ("The basic plan costs $30.", "The premium plan costs $10."),
    "whose pronoun": ("Acme was founded in 1990. It employs 500 people.", "Acme was founded in 1990. Zenith was founded in 1985. It employs 500 people."),  # noqa: E501  # one sentence more
}  # fmt: skip


@pytest.mark.parametrize("name", PASSES)
def test_what_the_context_states_is_supported(judged, name):
    answer, context = PASSES[name]
    score = judged("groundedness", {}, answer, context=[context])
    assert (score.value, score.passed) == (1.0, True), score.reason


@pytest.mark.parametrize("name", FAILS)
def test_what_the_context_denies_is_contradicted(judged, name):
    answer, context = FAILS[name]
    score = judged("groundedness", {}, answer, context=[context])
    assert score.passed is False
    assert score.evidence[0].found == "contradicted", score.evidence
    assert judged("hallucination", {}, answer, context=[context]).passed is False


@pytest.mark.parametrize("name", OPEN)
def test_what_cannot_be_told_is_not_decided_and_never_passes(judged, name):
    answer, context = OPEN[name]
    score = judged("groundedness", {}, answer, context=[context])
    assert score.passed is None, score.reason
    assert score.evidence[0].found == "not decided"
    assert judged("groundedness", {"strict": True}, answer, context=[context]).passed is False
    assert judged("hallucination", {"strict": True}, answer, context=[context]).passed is False


@pytest.mark.parametrize("answer", ["Yes.", "I hope this helps!", "What do you mean?", "I don't know.", "…"])
def test_an_answer_without_claims_fails(judged, answer):
    for name in ("groundedness", "hallucination"):
        assert judged(name, {}, answer, context=["The store is closed on Sunday."]).passed is False
        assert judged(name, {"allow_no_claims": True}, answer, context=["x"]).passed is True


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param("Paris is the capital of France.", "the only claim is supported", id="one"),
        pytest.param(
            "Paris is the capital of France. Berlin is the capital of Germany.",
            "all 2 claims are supported",
            id="several",
        ),
        pytest.param("Penguins cannot fly.", "the only claim is not decided: 'Penguins cannot fly.'", id="open"),
    ],
)
def test_one_claim_is_told_as_one(judged, answer, told):
    assert judged("groundedness", {}, answer, context=[CAPITALS]).reason == told


def test_without_evidence_nothing_passes(judged):
    for name in ("groundedness", "hallucination", "context_use"):
        assert judged(name, {}, "Paris is big.").passed is False
        assert judged(name, {"against": "frozen"}, "Paris is big.").status == "not_applicable"
        assert judged(name, {"allow_no_claims": True} if name != "context_use" else {}, "Yes.").passed is False


def test_a_bare_value_is_of_what_was_asked():
    def said(text):
        case = Case(id="1", input="What does Basic cost?", context=["Basic costs $10. Premium costs $20."])
        return asyncio.run(judge(build("groundedness", {}, Path()), case.view(), Output.of(text))).passed

    assert (said("$10."), said("$20.")) == (True, False)


def test_evidence_names_the_span_and_the_document(judged):
    context = [{"id": "x", "text": "Tea is hot."}, {"id": "fees", "text": "The fee is $4."}]
    answer = "Tea is hot. The fee is $9."
    first, second = judged("groundedness", {}, answer, context=context).evidence
    assert first.found == "contradicted"
    assert answer[first.start : first.end] == first.quote == "The fee is $9."
    assert first.expected == {"document": "context:fees", "quote": "The fee is $4."}
    assert (second.found, second.expected["document"]) == ("supported", "context:x")


def test_retrieved_and_frozen_documents_are_told_apart(judged):
    output = Output.of("The fee is $4.", context=({"text": "The fee is $4."},))
    frozen = ["The fee is $9."]
    assert judged("groundedness", {"against": "retrieved"}, output, context=frozen).passed is True
    assert judged("groundedness", {"against": "frozen"}, output, context=frozen).passed is False


def bound(name, settings, verdicts):
    return build(name, {**settings, "judge": "j"}, Path()).bind(ScriptedJudges({"j": verdicts}))


def test_a_judge_decides_what_is_open_and_needs_a_passage():
    case = Case(id="1", input="q", context=["You get your money back in five days."]).view()
    output = Output.of("Whoever returns a book is repaid before the week is out.")
    passage = Said("yes", "You get your money back in five days.", "document_1")
    for word, passed in (("no", False), ("undecided", False)):
        assert asyncio.run(judge(bound("groundedness", {}, lambda *_, w=word: w), case, output)).passed is passed

    def quoting(question, sheet):
        where = next(n for n, text in sheet.materials.items() if text == "You get your money back in five days.")
        return passage._replace(where=where)

    score = asyncio.run(judge(bound("groundedness", {}, quoting), case, output))
    assert (score.value, score.passed) == (1.0, True), score.reason
    assert score.evidence[0].expected["document"] == "context:0"
    bare = asyncio.run(judge(bound("groundedness", {}, lambda *_: "yes"), case, output))
    assert bare.passed is not True


def test_a_judge_is_not_asked_of_what_is_decided():
    judges = ScriptedJudges({"j": lambda *_: "yes"})
    scorer = build("groundedness", {"judge": "j"}, Path()).bind(judges)
    case = Case(id="1", input="q", context=[REFUNDS]).view()
    assert asyncio.run(judge(scorer, case, Output.of("A refund takes thirty business days."))).passed is False
    assert not judges.asked
    assert scorer.info.cost == "model"


PRICES = ["Tea costs $3.", "Rice costs $5.", "Milk costs $2.", "Salt costs $1."]
FACTS = st.lists(st.sampled_from(PRICES), min_size=1, unique=True)


@given(FACTS, st.integers(10, 99))
def test_a_false_claim_more_never_raises_the_value(facts, wrong):
    case = Case(id="1", input="q", context=["Tea costs $3. Rice costs $5. Milk costs $2. Salt costs $1."]).view()
    scorer = build("groundedness", {}, Path())
    good = asyncio.run(judge(scorer, case, Output.of(" ".join(facts))))
    worse = asyncio.run(judge(scorer, case, Output.of(" ".join([*facts, f"Tea costs ${wrong}."]))))
    assert good.passed is True
    assert worse.value < good.value
    assert worse.passed is False


@given(
    st.text(st.characters(exclude_categories=()), max_size=80),
    st.text(st.characters(exclude_categories=()), max_size=80),
)
def test_any_text_gives_a_score(answer, context):
    case = Case(id="1", input=answer or "q", context=[context], expected=[context or "x"]).view()
    for name in ("groundedness", "hallucination", "citations", "context_use", "completeness", "summary_faithfulness"):
        score = asyncio.run(judge(build(name, {}, Path()), case, Output.of(answer)))
        assert score.status in ("scored", "model_failure", "not_applicable"), score.reason


MB = 200_000  # what is read of a text ends at 100,000
HOSTILE = {
    "letters": "a" * MB, "words": "x1 " * (MB // 3), "digits": "9" * MB, "commas": "1," * (MB // 2), "quotes": '"' * MB,
    "brackets": "[1," * (MB // 3), "pipes": "| a " * (MB // 4), "items": "- a\n" * (MB // 4), "and": "and " * (MB // 4),
    "months": "May " * (MB // 4), "by": "By A " * (MB // 5), "surrogates": "\ud800 5 days\udfff " * 100,
    "null": "\0" * 500 + "x",
    "right to left": "\u202eשלום 5 days", "deep": "[" * 20_000 + "]" * 20_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("scorer", ["groundedness", "citations", "context_use", "completeness", "summary_faithfulness"])
def test_hostile_texts_give_a_score_and_never_pass_unread(judged, name, scorer):
    text = HOSTILE[name] if scorer == "groundedness" else HOSTILE[name][:20_000]  # all read alike, one in full
    score = judged(scorer, {}, text, context=["The refund takes 5 days."], expected="the refund takes 5 days")
    assert score.status == "scored"
    assert score.passed is not True or scorer == "context_use"
    assert judged(scorer, {}, "It takes 5 days.", context=[text], expected="x").status == "scored"


def test_inflections_of_a_word_are_one():
    assert {stem(w, "en") for w in ("cancel", "cancelled", "cancellation", "cancelling")} == {stem("cancel", "en")}
    assert stem("policies", "en") == stem("policy", "en")
    assert stem("open", "en") != stem("opera", "en")


def test_concurrent_calls_agree_with_single_ones():
    scorer = build("groundedness", {}, Path())
    case = Case(id="1", input="q", context=[CAPITALS, REFUNDS]).view()
    outputs = [Output.of(answer) for answer, _ in (*PASSES.values(), *FAILS.values())]

    async def together():
        return await asyncio.gather(*(judge(scorer, case, output) for output in outputs))

    assert asyncio.run(together()) == [asyncio.run(judge(scorer, case, output)) for output in outputs]
