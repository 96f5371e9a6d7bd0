"""Forms of personal data that a first guess misses."""

from __future__ import annotations

import re

import pytest

from seatrial.scorers.safety.personal import find


def kinds(text: str) -> set[str]:
    return {found.kind for found in find(text) if found.confidence >= 0.5}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("cellulare 348 271 9365", "phone", id="a service in one country, a mobile in another"),
        pytest.param("マイナンバー 7291 8364 0518", "jp_my_number", id="Japan"),
        pytest.param("Reisepass CH4K92L7T", "passport", id="digits apart"),
        pytest.param("write lena dot kraus at postweg dot de", "email", id="spelled in words"),
        pytest.param("en la calle de los Pinos 27", "street_address", id="small street word"),
        pytest.param("The policy holder was Amina Diallo.", "person_name", id="a role and a verb"),
    ],
)
def test_it_is_found(text, kind):
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Ring 0800 330 1000 free of charge.", id="freephone"),
        pytest.param("The product name is Ultra Boost Pro.", id="a product"),
        pytest.param("Ship it via Express 2, 48 hours.", id="via"),
        pytest.param("Look at page 3 dot two.", id="dot"),
    ],
)
def test_it_is_left(text):
    assert not kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Call it a day: 6000-3000 = <<6000-3000=3000>>3000 people.", id="annotated"),
        pytest.param("By phone they sold 6000-3000=3000 cards.", id="equals"),
        pytest.param("By phone they sold 2*6000-3000.", id="times"),
        pytest.param("By phone: 500+6000-3000", id="plus before"),
        pytest.param("By phone: 6000-3000 + 500", id="plus after"),
        pytest.param("By phone: 6000-3000 / 3 = 1000", id="divided"),
        pytest.param("call f(60003000 >> 3)", id="shifted"),
        pytest.param("By phone: 2 * 1500 = 6000-3000", id="result"),
    ],
)
def test_a_term_of_a_sum_is_no_telephone_number(text):
    assert not [found for found in find(text) if found.kind == "phone"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("phone = 0171 3928475", id="assigned"),
        pytest.param("phone1 = 0171 3928475", id="assigned to a name with a digit"),
        pytest.param("Tel. 030 23125417 / 0171 3928475", id="two numbers"),
        pytest.param("Call 030 23125417 +49 171 3928475", id="one from abroad behind it"),
        pytest.param("Call **0171 3928475** now, 5 of us wait", id="bold"),
        pytest.param("My mobile <<0171 3928475>>", id="in marks"),
        pytest.param("> page 5\n>> call 0171 3928475", id="quoted"),
        pytest.param("1 * call 0171 3928475", id="listed"),
    ],
)
def test_signs_around_a_telephone_number_make_no_sum(text):
    rest = text
    for found in find(text):
        rest = rest.replace(found.text, "") if found.kind == "phone" else rest
    assert not re.search(r"\d{4}", rest)


def streets(text: str) -> list[tuple[str, float]]:
    return [(found.text.strip(), found.confidence) for found in find(text) if found.kind == "street_address"]


@pytest.mark.parametrize(
    ("text", "street"),
    [
        pytest.param("Kaiserring 12, 50668 Köln", "Kaiserring 12", id="postcode"),
        pytest.param("Maria Keller\nKaiserring 12 a\n50668 Köln", "Kaiserring 12 a", id="postcode on the next line"),
        pytest.param("Alexanderplatz 5, 10178 Berlin", "Alexanderplatz 5", id="square and postcode"),
        pytest.param("10178 Berlin, Alexanderplatz 5", "Alexanderplatz 5", id="postcode before"),
        pytest.param("Schottenring 14, A-1010 Wien", "Schottenring 14", id="postcode of four digits"),
        pytest.param("It is Alexanderplatz 5, Berlin.", "Alexanderplatz 5", id="town"),
        pytest.param("Wohne am Mehringplatz 7", "Mehringplatz 7", id="am"),
        pytest.param("Die Adresse lautet Goetheplatz 3.", "Goetheplatz 3", id="address word"),
        pytest.param("Send it to Kaiserring 12 please", "Kaiserring 12", id="sent to"),
        pytest.param("Kaiserring 12 50668 Köln", "Kaiserring 12", id="postcode without a comma"),
        pytest.param("Kaiserring 12 ist meine neue Anschrift", "Kaiserring 12", id="address word behind"),
        pytest.param("Stellplatz 7, 50668 Köln", "Stellplatz 7", id="a spot's word with a postcode"),
        pytest.param('{"street": "Kaiserring 12"}', "Kaiserring 12", id="key"),
        pytest.param("Lindenstraße 14b", "Lindenstraße 14b", id="no other word ends so"),
    ],
)
def test_a_street_that_something_tells_of_is_sure(text, street):
    assert streets(text) == [(street, 0.7)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("During 12 months. Spring 2026 sale. String 12 lights. Engineering 101", id="sentences"),
        pytest.param("Offering 20 places", id="offering"),
        pytest.param("Ask for Catering 5 EUR, Mooring 12, Spring 2026", id="a list"),
        pytest.param("He picked 7 fruits\nDuring the day 3, During 10 days more", id="lines"),
        pytest.param("Tell me your address. During 12 months we wait.", id="address in another sentence"),
        pytest.param("We deliver to Spring 2026", id="a year"),
        pytest.param("The catalogue has Hiring 3, Firing 4", id="numbered"),
    ],
)
def test_words_that_end_as_streets_do_are_left(text):
    assert streets(text) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Ich habe Sitzplatz 12 und möchte tauschen.", id="seat"),
        pytest.param("Am Stellplatz 7 ist der Strom ausgefallen.", id="pitch"),
        pytest.param("Das Monitoring 24 Stunden am Tag ist nicht dabei.", id="German noun"),
        pytest.param("Goetheplatz 3", id="nothing else"),
    ],
)
def test_words_that_may_be_streets_are_for_a_person_to_look_at(text):
    assert [sure for _, sure in streets(text)] == [0.3]
