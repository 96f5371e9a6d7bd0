"""What watching found, and pass rates over time, as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from seatrial.reports.text import one_line, visible
from seatrial.verdicts.records import Estimate

BARS = "▁▂▃▄▅▆▇█"
WIDE = 200


class Dot(Protocol):
    """A point of a line over time."""

    @property
    def at(self) -> str:
        """When."""
        ...

    @property
    def kind(self) -> str:
        """Of which run."""
        ...

    @property
    def n(self) -> int:
        """Of how many results."""
        ...

    @property
    def rate(self) -> Estimate:
        """The pass rate."""
        ...

    @property
    def marks(self) -> Sequence[str]:
        """What changed."""
        ...


def line_text(name: str, points: Sequence[Dot]) -> str:
    """A line over time: its shape from its lowest to its highest rate, then a row a point."""
    values = [point.rate.value or 0.0 for point in points]
    rows = [f"  {_row(point)}" for point in points]
    return "\n".join([f"{shown(name)}  {spark(values)}", *rows])


def _row(point: Dot) -> str:
    value, low, high = (_percent(end) for end in (point.rate.value, point.rate.low, point.rate.high))
    marks = f"  ◆ {', '.join(map(shown, point.marks))} changed" if point.marks else ""
    when = shown(point.at[:16].replace("T", " "))
    return f"{when}  {shown(point.kind):<7} {value:>6}  ({low} to {high}, n {point.n:,}){marks}"


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.1f}%"


def spark(values: Sequence[float]) -> str:
    """Values as bars between the least and the greatest of them, which are at least 10 points apart."""
    if not values:
        return ""
    least, most = min(values), max(values)
    room = max(most - least, 0.1)
    floor = min(least, 1 - room)
    return "".join(BARS[min(len(BARS) - 1, int((value - floor) / room * (len(BARS) - 1) + 0.5))] for value in values)


def shown(text: str) -> str:
    """Text of others on one line."""
    return one_line(visible(text), WIDE)


def bullets(head: str, lines: Iterable[str]) -> list[str]:
    """A heading with its lines; nothing without lines."""
    found = [f"  {one_line(visible(line), 2 * WIDE)}" for line in lines]
    return [head, *found] if found else []
