"""Estimates from a drawn set by the weights that verdicts use: unbiased, where unweighted equal samples are off."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.datasets.sampling.drawing import Units, choose, plan, weighted
from seatrial.datasets.sampling.settings import Sampling
from seatrial.verdicts.reading.cases import CaseTable, Stratum
from seatrial.verdicts.reading.weights import weighting

NAMES = ("refund", "delivery", "account", "legal")
TRAFFIC = np.array([7000, 2500, 450, 50])
RATES = np.array([0.95, 0.8, 0.6, 0.3])
CELL = np.repeat(np.arange(4), [3000, 1500, 300, 45])
SHARES = TRAFFIC / TRAFFIC.sum()
SEEDS = 300


def sizes(*, skewed: bool) -> np.ndarray:
    """Records behind each unit; where skewed, a few units of each stratum are most of its traffic."""
    random = np.random.default_rng(11)
    found = np.ones(len(CELL), dtype=np.int64)
    for at, total in enumerate(TRAFFIC.tolist()):
        inside = np.flatnonzero(at == CELL)
        parts = random.dirichlet(np.full(len(inside), 0.1 if skewed else 50.0))
        found[inside] += random.multinomial(total - len(inside), parts)
    return found


def outcomes(size: np.ndarray) -> np.ndarray:
    """A pass or a failure of each unit: what is asked often passes more often."""
    often = np.where(size > 2, 0.05, -0.1)
    return (np.random.default_rng(12).random(len(CELL)) < np.clip(RATES[CELL] + often, 0, 1)).astype(float)


def draw(how: str, size: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The units drawn, and what each counts in a verdict."""
    settings = Sampling(size=120, by=("intent",), allocation=how, floor=15, seed=seed)  # type: ignore[arg-type]
    held = np.zeros(4, dtype=np.int64)
    found = plan(settings, [(name,) for name in NAMES], held, TRAFFIC, np.bincount(CELL))
    units = Units(CELL, size, np.arange(len(CELL)), np.zeros(len(CELL), dtype=np.bool_))
    places, weights = choose(settings, found, units, held)
    own = weighted(CELL[places], weights, 0, found)
    count = len(places)
    origin = Stratum(("production",), np.zeros(count, dtype=np.int32))
    strata = {"intent": Stratum(NAMES, CELL[places].astype(np.int32))}
    table = CaseTable(np.arange(count), origin, np.arange(count), own, strata)
    shares = {"intent": dict(zip(NAMES, SHARES.tolist(), strict=True))}
    counts = weighting(table, np.ones(count, dtype=np.bool_), shares).weight
    assert counts is not None
    assert counts == pytest.approx(own, rel=1e-6)  # the cases' own weights hold the shares already
    return places, counts


@pytest.mark.parametrize("skewed", [pytest.param(False, id="even"), pytest.param(True, id="few are most of it")])
@pytest.mark.parametrize("how", ["floored", "equal"])
def test_weighted_estimates_are_those_of_the_traffic(how: str, *, skewed: bool):
    size = sizes(skewed=skewed)
    passed = outcomes(size)
    true = float(passed @ size / size.sum())
    rates = np.empty((SEEDS, 2))
    for seed in range(SEEDS):
        places, counts = draw(how, size, seed)
        rates[seed] = counts @ passed[places] / counts.sum(), passed[places].mean()
    mean, error = rates.mean(axis=0), rates.std(axis=0) / np.sqrt(SEEDS)
    assert abs(mean[0] - true) < 4 * error[0]
    if how == "equal" and not skewed:
        within = np.array([passed[at == CELL] @ size[at == CELL] / TRAFFIC[at] for at in range(4)])
        theory = float(within.mean() - within @ SHARES)  # equal parts instead of shares: Σ (1/4 − W) p
        assert theory < -0.1
        assert abs(mean[1] - true - theory) < 4 * error[1]
