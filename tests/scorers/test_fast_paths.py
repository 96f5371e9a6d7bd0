"""What is fast says the same as what is simple: each short cut of the scorers against its plain definition."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatrial.core.case import Case, ExpectedCall
from seatrial.core.message import ToolCall
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, verdict
from seatrial.errors import safe
from seatrial.scorers.agents.tool_calls import ToolCalls, call_faults, call_fits
from seatrial.scorers.answers.numeric import (
    DOUBLE,
    MARKERS,
    Numeric,
    final_number,
    near,
    numbers,
    without_latex,
)
from seatrial.scorers.base import clip, parse_json, tried_json
from seatrial.scorers.safety import _contact, _people, refusal
from seatrial.scorers.safety._detecting import beginning
from seatrial.scorers.safety.personal import find, is_clean
from seatrial.scorers.structured.fields import Fields, _extra, leaves
from seatrial.scorers.text.matching import Contains

_WORDS = """
    12 0 1,234 22.74 -5 −7 ½ 3/4 12/3/2020 2026-01-01 $ €5.00 5k 1.2×10^3 10**3 1e3 50% \\frac{3}{4} \\times {,} x E e
    A: Answer: #### { } = " : , . ' ( ) [ ] RF-000004 A1 Mr. Okafor Mrs Frau Müller Dear Hello Anna Smith, г-н Иванов
    +1 (415) 555-2671 0171 1234567 anna@acme.io name: regards, I'm No true NaN Infinity null `code` > “q” \ud800 é м
    million percent word refund e-05 1E-5 5-3.50 7k-2 RF-123456789012345 1/2/3-04
    while although Though, ). bien que obwohl even if
"""
_PIECES = _WORDS.split()
_JOINTS = st.sampled_from(["", "", " ", " ", "\n", "\t", "\u00a0", "\u2028", "\x0b"])
_TEXTS = st.lists(st.tuples(st.sampled_from(_PIECES), _JOINTS), max_size=14).map(lambda both: "".join(chain(*both)))
_NUMERIC = st.text("0123456789.,-/ eExX^{}*$%=\n'kA:½", max_size=40)
_ANY = st.text(st.characters(), max_size=40)
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)


def _last(text: str) -> Decimal | None:
    """The plain definition of a text's final number where no marker is looked for."""
    read = numbers(without_latex(text))
    return read[-1].value if read else None


@given(_TEXTS | _NUMERIC)
@example("It costs 12 or 22.74 EUR, whatever comes.")
@example("1 × 10^3 and then 2 3/4 of it")
@example("due 2026-01-01")
@example("see ½ and no more")
@example("٣ is three, 7 seven")
@example("a-12345678901 and that is all")
@example("it costs: 12345678901234567890123456789012345.5")
@example('{"total":12.50}')
def test_the_last_number_is_the_last_of_all(text: str) -> None:
    assert final_number(text, ()).value == _last(text)


@given(st.integers(0, 400), _NUMERIC | _TEXTS, st.integers(0, 400))
def test_what_stands_around_a_number_does_not_matter(before: int, text: str, after: int) -> None:
    said = "so it is " * (before // 9) + text + " or so it was" * (after // 13)
    assert final_number(said, ()).value == _last(said)


@given(_NUMERIC | st.from_regex(r"[ \t]{0,2}[0-9]{1,9}(\.[0-9]{1,3})?[ \t]{0,2}", fullmatch=True))
def test_a_line_behind_a_marker_gives_its_first_number(text: str) -> None:
    line = next((line for line in text.splitlines() if line.strip(" *_:`")), "")
    parts = (line.rpartition("=")[2], line) if "=" in line else (line,)
    read = next((found for part in parts if (found := numbers(part))), [])
    found = final_number(f"Answer: {text}", ("Answer:",)).value
    assert found == (read[0].value if read else None)


@given(_DECIMALS, _DECIMALS, st.sampled_from([0.0, 0.01, 5.0]), st.sampled_from([0.0, 0.05, 1e-13]))
@example(Decimal("1.0000000000001"), Decimal(1), 0.0, 0.0)
@example(Decimal(10**15 + 1), Decimal(10**15), 0.0, 0.0)
def test_near_is_within_the_larger_tolerance(found: Decimal, wanted: Decimal, absolute: float, relative: float) -> None:
    allowed = max(Decimal(repr(absolute)), Decimal(repr(relative)) * abs(wanted))
    if found % 1 or wanted % 1:
        allowed = max(allowed, DOUBLE * abs(wanted))
    assert near(found, wanted, absolute, relative) is (abs(found - wanted) <= allowed)


def _spans(matches: object) -> list[tuple[int, int]]:
    return [match.span() for match in matches]


@given(_TEXTS)
@example("Mr Mrs Okafor and aMr Bob, Dr. Prof. Sir John O'Neil, XMs Lee")
@example("Dear Anna,\n\n Hi Bob:\rDear Eve,\n\tHello Mrs Okafor")
@example("call +1 (415) 555-2671, $415 555 2671 or a-415 555 2671")
def test_names_and_numbers_are_looked_for_only_where_they_can_begin(text: str) -> None:
    assert _spans(_people._titled(text)) == _spans(_people._TITLED.finditer(text))
    assert _spans(_people._greeted(text)) == _spans(_people._GREETED.finditer(text))
    number = _contact._NUMBER
    assert _spans(beginning(number, _contact._NUMBER_BEGINS, text)) == _spans(number.finditer(text))
    plain = "".join(c for c in text if c.isascii())
    assert _spans(beginning(number, _contact._ASCII_NUMBER_BEGINS, plain)) == _spans(number.finditer(plain))


@given(st.lists(_TEXTS, max_size=4))
@example(["anna@acme.io", "word"])
@example(["word", "+1 (415) 555-2671"])
def test_clean_texts_hold_nothing(texts: list[str]) -> None:
    if is_clean(texts):
        assert not any(find(text, reserved=True) for text in texts)


def test_what_is_personal_is_never_clean() -> None:
    assert is_clean(["find_order", "order", "Nothing here."])
    assert not is_clean(["find_order", "Write to anna@acme.io."])


@given(_TEXTS | _ANY)
@example("I'm sorry, but I can't.")
@example("'a quotation of many letters'")
@example('5" and 6"')
@example("  > quoted\nnot")
def test_without_an_opening_mark_nothing_is_quoted(text: str) -> None:
    quotes = refusal._quotes(text)
    assert quotes is (refusal._QUOTING.search(text) is not None)
    if not quotes:
        assert refusal._QUOTED.search(text) is None


@given(st.lists(st.sampled_from(["While", "though ", "even if ", "BIEN QUE ", ", ", ". ", "ob", "wohl ", "\n", "x "])))
def test_a_concession_ends_with_its_word(pieces: list[str]) -> None:
    before = "".join(pieces)
    if refusal._patterns().concedes.search(before) is not None:
        assert before.lower().endswith(refusal.CONCEDING)


@given(
    st.lists(st.sampled_from(["1. wait", "2) go", "step 3: x", "\n", " \n", "\r\n", "word ", "\u2028"]), max_size=12)
)
@example(["1. wait", "\n", "2) go", "\n", "step 3: x"])
def test_every_numbered_step_begins_a_line(pieces: list[str]) -> None:
    text = "".join(pieces)
    steps = len(refusal._patterns().numbered.findall(text))
    assert steps <= text.count("\n") + 1


_KEYS = st.sampled_from(["a", "b", "a.b", "a.", "", ".", "b.c", "a.b.c"])
_OBJECTS = st.recursive(
    st.none() | st.integers(0, 2), lambda inner: st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
).filter(lambda value: isinstance(value, dict))


@given(_OBJECTS, st.dictionaries(_KEYS, st.none(), max_size=4))
def test_extra_fields_are_neither_inside_nor_above_known_ones(found: dict[str, object], known: dict[str, None]) -> None:
    inside = tuple(f"{path}." for path in known)
    wanted = {
        path: value
        for path, value in leaves(found).items()
        if path not in known and not path.startswith(inside) and not any(k.startswith(f"{path}.") for k in known)
    }
    assert list(_extra(found, known).items()) == list(wanted.items())


_CALL_NAMES = st.sampled_from(["f", "g"])
_VALUES = st.sampled_from([1, 1.0, True, "x", "X ", None, [1], {"a": 1}])
_CALLS = st.builds(
    lambda name, arguments: ToolCall(name=name, arguments=arguments),
    _CALL_NAMES,
    st.dictionaries(st.sampled_from("ab"), _VALUES, max_size=2) | st.just("no object"),
)
_GOALS = st.builds(
    lambda name, arguments, optional: ExpectedCall(name=name, arguments=arguments, optional=optional),
    _CALL_NAMES,
    st.dictionaries(st.sampled_from("ab"), st.lists(_VALUES, max_size=2), max_size=2),
    st.sampled_from([(), ("a",), ("a", "b")]),
)


@given(_CALLS, _GOALS)
def test_a_call_fits_when_nothing_is_wrong_with_it(call: ToolCall, goal: ExpectedCall) -> None:
    assert call_fits(call, goal) is (call_faults(call, goal) == [])


@pytest.mark.parametrize("order", ["exact", "in_order", "any_order", "subset", "superset"])
def test_one_call_that_is_right_is_right_in_every_order(order: str) -> None:
    goal = {"name": "f", "arguments": {"a": [1]}}
    case = Case(id="1", input="q", expected={"tool_calls": [[goal]]})
    right, wrong = (
        Output(messages=({"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"a": value}}]},))
        for value in (1, 2)
    )
    scorer = ToolCalls(order=order)
    assert scorer.score(case, right) == Score.binary(True, "1 of 1 calls right")
    assert scorer.score(case, wrong).passed is False


@given(st.sampled_from([(), ("İ", "ß"), ("Word", "no")]), st.booleans(), st.booleans(), _TEXTS | _ANY)
@example(("Word", "no"), True, True, "I know no WORDS, Word")
def test_pieces_are_found_as_they_are_folded(
    values: tuple[str, ...], ignore_case: bool, whole_words: bool, text: str
) -> None:
    scorer = Contains(values=values, ignore_case=ignore_case, whole_words=whole_words, mode="all")
    case = Case(id="1", input="q", expected={"answers": ["Word", "no"]})
    folded = text.casefold() if ignore_case else text
    found = 0
    for piece in values or ("Word", "no"):
        sought = piece.casefold() if ignore_case else piece
        places = [at for at in range(len(folded)) if folded.startswith(sought, at)]
        found += any(not whole_words or _stands_alone(folded, at, at + len(sought)) for at in places)
    assert scorer.score(case, Output.of(text)).value == found / 2


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    return not before and not (end < len(text) and text[end].isalnum() and text[end - 1].isalnum())


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("x" * 200, "x" * 200, id="a text that fits"),
        pytest.param("x" * 201, "x" * 199 + "…", id="a longer text"),
        pytest.param(None, None, id="null"),
        pytest.param(True, True, id="true"),
        pytest.param(1.5, 1.5, id="a number"),
        pytest.param(2**64 - 1, 2**64 - 1, id="64 bits"),
        pytest.param(10**200, "1" + "0" * 198 + "…", id="a huge number"),
        pytest.param([1, "a"], [1, "a"], id="a list that fits"),
        pytest.param(["x" * 300], '["' + "x" * 197 + "…", id="a long list"),
    ],
)
def test_a_clipped_value_is_itself_or_the_start_of_its_text(value: object, kept: object) -> None:
    assert clip(value) == kept
    assert type(clip(value)) is type(kept)


@given(
    _TEXTS | _ANY | st.sampled_from(["true", "nul", "NaN", "-Infinity", " [1]", "Infinity", "{}", "", "I", "\ufeff{}"])
)
def test_trying_json_is_parsing_it(text: str) -> None:
    try:
        value, why = parse_json(text), ""
    except ValueError as cause:
        value, why = None, str(cause)
    assert repr(tried_json(text)) == repr((value, why))


@given(_TEXTS | _ANY, st.integers(2, 60))
def test_safe_text_escapes_each_character_that_cannot_be_printed(text: str, limit: int) -> None:
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    assert safe(text, limit) == plain


_SPAN = Evidence(where="text", quote="a\ud800", start=0, end=2, note="n", expected=[1], found={"a": None})


@given(st.floats(0, 1), st.floats(0, 1), st.text(), st.sampled_from([(), (_SPAN,), (_SPAN, _SPAN)]))
def test_a_score_is_what_its_constructor_makes(
    value: float, threshold: float, reason: str, evidence: tuple[Evidence, ...]
) -> None:
    passed = value >= threshold
    graded = Score.graded(value, threshold, reason, evidence=evidence)
    _same(graded, Score(value=value, passed=passed, reason=reason, evidence=evidence))
    _same(
        Score.binary(passed, reason, evidence),
        Score(value=float(passed), passed=passed, reason=reason, evidence=evidence),
    )
    _same(verdict(passed, reason), Score(value=float(passed), passed=passed, reason=reason))
    counted = Score(value=float(passed), passed=passed, reason=reason, measure=7, unit="words")
    _same(verdict(passed, reason, 7, "words"), counted)


def _same(made: Score, wanted: Score) -> None:
    assert made == wanted
    assert repr(made) == repr(wanted)
    assert made.plain() == wanted.plain()
    assert repr(made.model_copy(update={"unit": "s"})) == repr(wanted.model_copy(update={"unit": "s"}))


def test_evidence_is_what_its_constructor_makes() -> None:
    made = Evidence.of("text", "a\ud800", (0, 2), "n", [1], {"a": None})
    assert made == _SPAN
    assert repr(made) == repr(_SPAN)
    assert made.plain() == _SPAN.plain()
    assert Evidence.of("step:1").plain() == {"where": "step:1"}
    with pytest.raises(ValidationError):
        made.note = "other"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"value": 1.5}, id="a value above 1"),
        pytest.param({"value": float("nan")}, id="no number"),
        pytest.param({"value": "much"}, id="text for a value"),
        pytest.param({"reason": 5}, id="a number for a reason"),
        pytest.param({"evidence": ("text",)}, id="text for evidence"),
        pytest.param({"measure": float("inf")}, id="an endless measure"),
        pytest.param({"sentence": "no field"}, id="an unknown field"),
    ],
)
def test_what_is_no_score_is_refused(fields: dict[str, object]) -> None:
    given = {"value": 1.0, **fields}
    value = given.pop("value")
    with pytest.raises((ValidationError, TypeError)):
        Score.graded(value, 0.5, **given)


def test_scores_that_need_a_validator_get_it() -> None:
    assert Score.binary(True, evidence=[_SPAN]).evidence == (_SPAN,)
    assert Score.graded(1, 0.5).value == 1.0
    assert Score.binary(True, measure=3, unit="words").measure == 3.0


@pytest.mark.parametrize(
    ("scorer", "answers", "texts"),
    [
        pytest.param(Numeric(), ["1", "2"], ["1", "2"], id="numeric"),
        pytest.param(Fields(), [{"a": 1}, {"a": 2}], ['{"a": 1}', '{"a": 2}'], id="fields"),
    ],
)
def test_what_was_read_of_one_case_is_not_held_against_another(
    scorer: Numeric | Fields, answers: list[object], texts: list[str]
) -> None:
    cases = [Case(id=str(n), input="q", expected={"answer": answer}) for n, answer in enumerate(answers)]

    def passes(case: Case, text: str) -> bool | None:
        assert scorer.applies(case) == ""
        return asyncio.run(scorer(case, Output.of(text))).passed

    said = [[passes(case, text) for case in cases] for text in texts]
    assert said == [[True, False], [False, True]]
    assert scorer == type(scorer)()
    assert scorer.identity() == {}


def test_every_marker_is_found_whatever_stands_before() -> None:
    for marker in MARKERS:
        close = "}" if marker.endswith("{") else ""
        assert final_number(f"Of 12 and 13, 14.5:\n{marker} 42 {close}\nand 7").value == 42


def test_a_hint_asks_for_no_edge_of_a_text() -> None:
    from seatrial.scorers.safety import personal

    edges = re.compile(r"(?<![\\\[])[\^$]|\\[AzZB]|\(\?[a-z]*m")
    assert [detector.kind for detector in personal._ALL if edges.search(detector.hint)] == []
