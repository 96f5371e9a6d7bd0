"""Worlds to draw from: cases in clusters, pairs of arms, judges that err."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SIZE = 5
DISCORDANCE = {0.5: 0.20, 0.9: 0.10, 0.98: 0.02}


def shares(rng: np.random.Generator, mean: list[float], icc: float, clusters: int) -> Floats:
    """One vector of probabilities a cluster: Dirichlet with the given mean and correlation in a cluster."""
    if icc == 0:
        return np.broadcast_to(np.asarray(mean), (clusters, len(mean)))
    weight = rng.gamma(np.maximum(np.asarray(mean) * (1 - icc) / icc, 1e-9), size=(clusters, len(mean)))
    total = weight.sum(axis=1, keepdims=True)
    return np.where(total > 0, weight / np.where(total > 0, total, 1), np.asarray(mean))


def rates(rng: np.random.Generator, p: float, icc: float, clusters: int, size: int) -> tuple[Floats, Floats]:
    """Passes (0 or 1) of cases and their clusters."""
    chance = shares(rng, [p, 1 - p], icc, clusters)[:, 0]
    cluster = np.repeat(np.arange(clusters), size)
    return (rng.random(clusters * size) < chance[cluster]).astype(np.float64), cluster


def pairs(rng: np.random.Generator, b: float, c: float, icc: float, clusters: int, size: int) -> tuple[Floats, Floats]:
    """Paired differences (1, 0, −1) and their clusters; b and c are the shares won and lost."""
    chance = shares(rng, [b, c, 1 - b - c], icc, clusters)
    cluster = np.repeat(np.arange(clusters), size)
    u = rng.random(clusters * size)
    won, lost = chance[cluster, 0], chance[cluster, 1]
    return np.where(u < won, 1.0, np.where(u < won + lost, -1.0, 0.0)), cluster


def piled(rng: np.random.Generator, hit: float, lost: float, clusters: int, size: int) -> tuple[Floats, Floats]:
    """Losses only, and only in a share `hit` of the clusters, where a case is lost with chance `lost`."""
    cluster = np.repeat(np.arange(clusters), size)
    where = (rng.random(clusters) < hit)[cluster]
    return np.where(where & (rng.random(clusters * size) < lost), -1.0, 0.0), cluster


def judged(rng: np.random.Generator, theta: float, se: float, sp: float, n: int) -> tuple[Floats, Floats]:
    """Human truth and the verdicts of a judge with sensitivity `se` and specificity `sp`."""
    truth = (rng.random(n) < theta).astype(np.float64)
    passed = rng.random(n) < np.where(truth == 1, se, 1 - sp)
    return truth, passed.astype(np.float64)
