"""Keeping what is said while a session runs: each line with its seconds, and an honest guess of the time left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from seatrial.datasets.labelling.journal import Entry, Journal, Role, entry_of
from seatrial.datasets.labelling.session import Save, State, finished

FEWEST = 3
WINDOW = 50


def time_left(seconds: Sequence[float], remaining: int) -> float | None:
    """Seconds that the remaining units take at the median pace of the last 50; None before three are known.

    The median: a coffee break on one unit moves it no more than any other unit does.
    """
    if len(seconds) < FEWEST:
        return None
    return median(seconds[-WINDOW:]) * remaining


@dataclass(slots=True)
class Keeper:
    """Writes down what a session says. `clock` gives seconds that only grow."""

    journal: Journal
    by: str
    role: Role
    clock: Callable[[], float]
    pace: list[float] = field(default_factory=list[float])
    _since: float = 0.0
    _shown: str = ""

    def show(self, state: State) -> None:
        """Say which unit is on the screen now: its seconds start where it is another one than before."""
        if state.unit.key != self._shown:
            self._shown, self._since = state.unit.key, self.clock()

    def keep(self, state: State, saved: Save) -> None:
        """Append the line of one thing said; only then does the session go on."""
        spent = round(max(0.0, self.clock() - self._since), 1)
        mark = saved.mark
        self.journal.append(
            [
                entry_of(
                    saved.unit,
                    state.mode,
                    self.by,
                    value=None if mark is None else dict(mark.value),
                    note="" if mark is None else mark.note,
                    seconds=None if saved.undo else spent,
                    role=self.role,
                    undo=saved.undo,
                )
            ]
        )
        self._since = self.clock()
        if finished(mark) and not saved.undo:
            self.pace.append(spent)

    def left(self, state: State) -> float | None:
        """Seconds left, as far as one can tell."""
        return time_left(self.pace, state.left)


def pace_of(entries: Sequence[Entry]) -> list[float]:
    """The seconds that a person took for each unit before."""
    return [e.seconds for e in entries if e.seconds is not None and e.value and not e.undo]
