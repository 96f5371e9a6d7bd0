"""Names right before an address that spells them, and names behind a closing: found as far as they are told."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.scorers.safety._detecting import folded
from seatrial.scorers.safety.personal import GROUPS, KINDS, find


def names(text: str, *, reserved: bool = False) -> list[tuple[str, float]]:
    return [(found.text, found.confidence) for found in find(text, reserved=reserved) if found.kind == "person_name"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Rebook me? Regards, Maria Keller (maria.keller@posteo.de)", "Maria Keller", id="brackets"),
        pytest.param("From: Maria Keller <maria.keller@posteo.de>", "Maria Keller", id="angle brackets"),
        pytest.param("Mit freundlichen Grüßen Emma Thompson, emma.thompson@web.de", "Emma Thompson", id="comma"),
        pytest.param("Maria Keller\nmaria.keller@posteo.de", "Maria Keller", id="next line"),
        pytest.param("Maria Keller\xa0<maria.keller@posteo.de>", "Maria Keller", id="no-break space"),
        pytest.param("Maria Keller, e-mail: maria.keller@posteo.de", "Maria Keller", id="label"),
        pytest.param('To: "Keller, Maria" <maria.keller@web.de>', "Keller, Maria", id="surname first"),
        pytest.param("Contact Maria Keller (mkeller@x.de)", "Maria Keller", id="initial"),
        pytest.param("Maria Keller (keller@x.de)", "Maria Keller", id="surname alone"),
        pytest.param("From: Anna Maria Keller <keller.m@x.de>", "Anna Maria Keller", id="displayed"),
        pytest.param("our J. Smith (j.smith@x.com)", "J. Smith", id="written initial"),
        pytest.param("MARIA KELLER <MARIA.KELLER@X.DE>", "MARIA KELLER", id="capitals"),
        pytest.param("Ann van der Meer (ann.vandermeer@x.nl)", "Ann van der Meer", id="particles"),
        pytest.param("Sofía Hernández, sofia.hernandez@web.de", "Sofía Hernández", id="accents"),
        pytest.param("Pat O'Brien <pat.obrien@web.de>", "Pat O'Brien", id="apostrophe"),
        pytest.param("Jürgen Müller (juergen.mueller@web.de)", "Jürgen Müller", id="umlauts"),
        pytest.param("Anna-Lena Groß, annalena.gross@web.de", "Anna-Lena Groß", id="hyphen"),
        pytest.param("Unser Kollege Max Müller (max.mueller@web.de)", "Max Müller", id="nouns before"),
        pytest.param("Mia Li (mia.li@web.de)", "Mia Li", id="short surname"),
        pytest.param("Tom (tom77@web.de)", "Tom", id="one word"),
    ],
)
def test_a_name_that_its_address_spells_is_surely_one(text, name):
    assert names(text) == [(name, 0.8)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Write to Sales, sales@acme.io", id="role"),
        pytest.param("Refunds (refunds@acme.io), Bookings (bookings@acme.io)", id="desks"),
        pytest.param("Acme Hotel (acme.hotel@web.de)", id="organisation"),
        pytest.param("Please see The (other@x.de)", id="letters inside"),
        pytest.param("the new keller (keller@x.de)", id="small letters"),
        pytest.param("Maria Keller told us. Ask again at maria.keller@x.de", id="not beside"),
        pytest.param("Maria Keller\n\n\nmaria.keller@x.de", id="lines between"),
        pytest.param("Keller went home. (keller@x.de)", id="word between"),
        pytest.param("Jane Doe (jane.doe@example.com)", id="reserved"),
        pytest.param("@keller Keller @ keller, Keller @", id="no address"),
    ],
)
def test_other_words_before_an_address_are_left(text):
    assert names(text) == []


def test_an_example_s_name_is_found_when_asked_for():
    assert names("Jane Doe (jane.doe@example.com)", reserved=True) == [("Jane Doe", 0.8)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Rebook me. Regards, Maria Keller", [("Maria Keller", 0.65)], id="end"),
        pytest.param("Yours sincerely, Ivan Petrov.", [("Ivan Petrov", 0.65)], id="full stop"),
        pytest.param("Regards Maria Keller, +49 30 23125 417", [("Maria Keller", 0.65)], id="before a number"),
        pytest.param("Liebe Grüße, Eva Maria Kern\nTel. 0171 3928475", [("Eva Maria Kern", 0.65)], id="before a line"),
        pytest.param("Cheers, Tom", [("Tom", 0.4)], id="first name"),
        pytest.param("Best regards,\nTom\n", [("Tom", 0.4)], id="first name on its line"),
        pytest.param("Kind regards, Customer Support", [], id="nobody"),
        pytest.param("Best regards, Acme Airlines", [], id="organisation"),
        pytest.param("He sends his regards, Maria. Then he left.", [], id="running text"),
        pytest.param("He disregards Maria Keller", [], id="inside a word"),
    ],
)
def test_a_name_behind_a_closing_on_its_line(text, found):
    assert names(text) == found


def test_every_kind_is_told_once():
    assert len(KINDS) == len(set(KINDS))
    assert GROUPS["person"].count("person_name") == 1


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from("éÅøß'’üK\u0301İ각й")))
def test_folding_twice_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


@given(st.text(st.sampled_from("aeiounc")), st.sampled_from("\u0301\u0300\u0302\u0308"))
def test_accents_are_folded_however_they_are_written(text, accent):
    accented = "".join(c + accent for c in text)
    whole = unicodedata.normalize("NFC", accented)
    assert folded(whole) == folded(accented)
    assert folded(whole).startswith(text[:1])


PARTS = st.sampled_from(
    ["Maria", "Keller", "de", "J.", "O'Brien", "maria.keller", "@", "x.de", "<", ">", "(", ",", " ", "\n", "mail:"]
)


@given(st.lists(PARTS | st.text(max_size=3), max_size=12).map("".join))
def test_what_is_found_stands_where_it_is_told(text):
    hits = find(text)
    assert all(text[found.start : found.end] == found.text != "" for found in hits)
