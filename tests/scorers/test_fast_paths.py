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

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, verdict
from seatrial.errors import safe
from seatrial.scorers.answers.numeric import (
    DOUBLE,
    MARKERS,
    Numeric,
    final_number,
    near,
    numbers,
    without_latex,
)
from seatrial.scorers.base import parse_json, tried_json
from seatrial.scorers.safety import _contact, _people, refusal
from seatrial.scorers.safety._detecting import beginning
from seatrial.scorers.safety.personal import find, is_clean
from seatrial.scorers.structured.fields import Fields

_WORDS = """
    12 0 1,234 22.74 -5 −7 ½ 3/4 12/3/2020 2026-01-01 $ €5.00 5k 1.2×10^3 10**3 1e3 50% \\frac{3}{4} \\times {,} x E e
    A: Answer: #### { } = " : , . ' ( ) [ ] RF-000004 A1 Mr. Okafor Mrs Frau Müller Dear Hello Anna Smith, г-н Иванов
    +1 (415) 555-2671 0171 1234567 anna@acme.io name: regards, I'm No true NaN Infinity null `code` > “q” \ud800 é м
    million percent word refund
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
    if refusal._QUOTING.search(text) is None:
        assert refusal._QUOTED.search(text) is None


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
