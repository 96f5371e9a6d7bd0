"""How a set is drawn: what `dataset sample` is asked, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from seatrial.core.record import Filled, Record
from seatrial.datasets.sampling.allocate import Remainders
from seatrial.datasets.sampling.duplicates import Duplicates

Allocation = Literal["proportional", "floored", "equal", "neyman"]


class Sampling(Record):
    """How a set is drawn.

    `size`: cases in all. `by`: the strata to allocate over, crossed. `floor`: least cases of a stratum, for `floored`.
    `past`: pass rates of strata from earlier runs, for `neyman`. `split`: shares that sum to 1. `sessions`: cases of
    one session are one cluster.
    """

    size: Annotated[int, Field(ge=1)]
    by: tuple[Filled, ...] = ()
    allocation: Allocation = "proportional"
    floor: Annotated[int, Field(ge=0)] = 0
    past: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    remainders: Remainders = "random"
    split: Mapping[Literal["build", "test", "sealed"], Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=lambda: {"build": 0.2, "test": 0.6, "sealed": 0.2}
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    duplicates: Duplicates = Duplicates()
    sessions: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Sampling:
        if abs(sum(self.split.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of --split must sum to 1, not {sum(self.split.values()):g}")
        if len(set(self.by)) != len(self.by):
            raise ValueError("a stratum is named twice")
        return self
