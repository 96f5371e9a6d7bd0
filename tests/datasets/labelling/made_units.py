"""Units that tests label."""

from __future__ import annotations

from seatrial.datasets.labelling.units import Section, Unit


def unit(key: str, **fields) -> Unit:
    """One unit with a text to read."""
    held = {"case": key, "group": key, "question": "right?", "read": lambda: [Section("User", f"text of {key}")]}
    return Unit(key, **{**held, **fields})


def units(count: int = 5, **fields) -> list[Unit]:
    """Several of them."""
    return [unit(f"c{i}", **fields) for i in range(count)]
