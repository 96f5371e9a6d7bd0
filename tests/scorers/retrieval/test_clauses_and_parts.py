"""Claims that put together what a source says of different things; and values in other dress."""

from __future__ import annotations

import asyncio

import pytest

from seatrial.scorers import build, judge
from seatrial.scorers.examples import case_of, output_of


def verdict(source: str, said: str) -> bool | None:
    case = case_of({"input": "What is known?", "context": [source]})
    return asyncio.run(judge(build("groundedness", {}, None), case.view(), output_of(said))).passed


@pytest.mark.parametrize(
    ("source", "said", "wanted"),
    [
        pytest.param("Moss runs the bakery; Pike tends the garden.", "Pike runs the bakery.", False, id="other doer"),
        pytest.param("Moss runs the bakery; Pike tends the garden.", "Pike tends the garden.", True, id="same doer"),
        pytest.param("The mill is in Ghent and the yard in Bruges.", "The mill is in Bruges.", False, id="other place"),
        pytest.param(
            "Gates open at 9:15 am and boarding ends at 11 am.", "Boarding ends at 9:15 am.", False, id="clock"
        ),
        pytest.param("Adults pay 18 euros, children 7.", "Children pay 18 euros.", False, id="gapping, wrong"),
        pytest.param("Adults pay 18 euros, children 7.", "Children pay 7 euros.", True, id="gapping, right"),
        pytest.param("Take tray A-3 for bolts and tray A-4 for nuts.", "Take tray A-3 for nuts.", False, id="codes"),
        pytest.param("The seal is non-magnetic.", "The seal is magnetic.", False, id="non-"),
        pytest.param("No more than 30 cars are allowed.", "At most 30 cars are allowed.", True, id="no more than"),
        pytest.param("No more than 30 cars are allowed.", "More than 30 cars are allowed.", False, id="more than"),
        pytest.param("Two fifths of the seats were empty.", "40% of the seats were empty.", True, id="fraction"),
        pytest.param("Two fifths of the seats were empty.", "One fifth of the seats were empty.", False, id="fifth"),
        pytest.param("The lab is on the sixth floor.", "The lab is on the 6th floor.", True, id="ordinal"),
        pytest.param("The toll is GBP 8.00.", "The toll is £8.", True, id="currency code"),
        pytest.param("押金为300元。", "押金为500元。", False, id="digits among characters"),
        pytest.param("Le billet coûte 1 450 euros.", "Le billet coûte 1450 €.", True, id="French thousands"),
        pytest.param("Parking is free for stays under 2 hours.", "Parking is free.", None, id="restricted to values"),
        pytest.param("Locals claim the well is haunted.", "The well is haunted.", None, id="attributed"),
        pytest.param("Rent is 400 euros and heating is 90 euros.", "Rent and heating are 490 euros.", None, id="a sum"),
        pytest.param("Dose: 40 micrograms of iodine daily.", "Dose: 40 mg of iodine daily.", False, id="micrograms"),
    ],
)
def test_values_stay_with_what_they_are_said_of(source, said, wanted):
    assert verdict(source, said) is wanted
