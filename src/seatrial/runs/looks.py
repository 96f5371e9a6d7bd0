"""The hook by which a trial is looked at before it is complete: who orders its parts, and who says what is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seatrial.core.record import Json
from seatrial.runs.plan import Positions

Slots = NDArray[np.int64]


class Answered(NamedTuple):
    """What an arm has answered so far, a line a slot: case, epoch, output, and one score a rubric (0: none)."""

    position: NDArray[np.intp]
    epoch: NDArray[np.intp]
    output_id: NDArray[np.int64]
    score_id: NDArray[np.int64]


class Looks(Protocol):
    """Orders a trial in parts and, after each but the last, says which targets need no further answer."""

    def plan(self, positions: Positions, epochs: int) -> Sequence[Slots]:
        """The slots of each part, a slot being `case * epochs + epoch`; together all slots, each once."""
        ...

    def about(self) -> Json:
        """What is written down with the trial before anything is asked."""
        ...

    def decided(self, number: int, trial_id: str, answered: Mapping[str, Answered]) -> Mapping[str, Mapping[str, Json]]:
        """After part `number` (from 1): the targets that need no further answer, each with why. Off the loop."""
        ...
