"""Ids that hold nothing personal are told without looking, never one that holds something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.datasets.scrubbing.ids import is_quiet
from seatrial.datasets.scrubbing.looking import Looker
from seatrial.datasets.scrubbing.policy import of, preset
from seatrial.datasets.scrubbing.scrub import Scrubber
from seatrial.scorers.safety import personal

KEY = b"0123456789abcdef-one"
_WORDS = """
    session log request trace span chat call tel phone whatsapp fax user account login passport ssn nhs itin tin tax nif
    bsn cpf pesel cpr id identity sin tfn cnp oib sv sk key npm hf sg xapp glpat token secret password pwd born name mr
    dear regards AKIAABCDEFGHIJKL ABCDEFLMALMALMNA dapiabcdefabcd skabcdefabcdefabcdefab DE GB X Y A IBAN card
    """
joined = st.tuples(
    st.sampled_from(_WORDS.split()) | st.from_regex("[A-Za-z]{1,12}", fullmatch=True),
    st.sampled_from("-_"),
    st.from_regex("[0-9]{1,11}", fullmatch=True),
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("session-1000001", id="seven digits"),
        pytest.param("log_00000001", id="underscore"),
        pytest.param("req-12345678901", id="eleven digits"),
        pytest.param("call-2025550147", id="a number that could be dialled"),
    ],
)
def test_a_word_and_a_number_are_quiet(text):
    assert is_quiet(text, preset("basic"))
    assert Looker(preset("basic")).found(text, "") == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("passport-12345678", id="a word that says what the number is"),
        pytest.param("ssn-078051120", id="short for one"),
        pytest.param("sk-12345678901", id="the beginning of a key"),
        pytest.param("req-123456789012", id="as many digits as a card"),
        pytest.param("req-1\n", id="a line break behind"),
        pytest.param("1000001", id="no word"),
        pytest.param("réq-1", id="another letter"),
        pytest.param("req-\u0661", id="digits of another script"),
        pytest.param("maria.keller@posteo.de", id="an address"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_may_hold_something_is_looked_at(text):
    assert not is_quiet(text, preset("basic"))


@given(joined)
def test_no_hint_tells_the_digits_of_such_an_id_apart(parts):
    word, joint, digits = parts
    told = personal.hinted(word + joint + digits)
    assert told == personal.hinted(word + joint + "0" * len(digits))


@given(joined)
def test_nothing_is_found_in_what_is_quiet(parts):
    text = "".join(parts)
    if is_quiet(text, preset("basic")):
        assert personal.find(text, reserved=True) == []


def test_patterns_and_bounds_of_ones_own_are_kept():
    own = of({"policy": "basic", "patterns": [{"kind": "session", "pattern": r"session-\d+"}]})
    assert not is_quiet("session-1", own)
    record = {"id": "session-1", "input": "hello", "session_id": "session-1"}
    assert Scrubber(own, KEY).record(record).record != record
    short = of({"policy": "basic", "max_chars": 8})
    assert Scrubber(short, KEY).record({"id": "session-1", "input": "hello"}).refused == "text_too_long"


def test_a_name_of_the_record_is_replaced_in_a_quiet_id():
    record = {"id": "1", "input": "My name is Maria Kellermann.", "session_id": "Kellermann-77"}
    made = Scrubber(preset("basic"), KEY).record(record).record
    assert made is not None
    assert "Kellermann" not in str(made)
