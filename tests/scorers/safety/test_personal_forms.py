"""Forms of personal data that a first guess misses."""

from __future__ import annotations

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
