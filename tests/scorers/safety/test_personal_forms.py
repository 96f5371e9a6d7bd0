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
