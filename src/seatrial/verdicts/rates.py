"""How often one arm passes, with what missing results could make of it."""

from __future__ import annotations

import numpy as np

from seatrial.stats import cluster_rate, wilson
from seatrial.verdicts.outcomes import Floats, Ints, independent, known
from seatrial.verdicts.records import Estimate, Rate


def rate(arm: Floats, cluster: Ints, alpha: float) -> Rate:
    """One arm's pass rate over its results; the interval is two-sided at 1 − alpha, and none without results."""
    values, labels = known(arm, cluster)
    n, missing = len(values), arm.size - len(values)
    passed = int(np.count_nonzero(values > 0))
    clusters = len(np.unique(labels))
    if n == 0:
        nothing = Estimate(value=None, level=1 - alpha, method="no data")
        return Rate(passed=0, n=0, missing=missing, clusters=0, estimate=nothing)
    if independent(labels):
        interval, method = wilson(passed, n, alpha=alpha), "Wilson"
    else:
        interval = cluster_rate(values, labels, alpha=alpha).interval
        method = "Wilson at the effective size of the clusters"
    estimate = Estimate(value=passed / n, low=interval.low, high=interval.high, level=1 - alpha, method=method)
    return Rate(
        passed=passed,
        n=n,
        missing=missing,
        clusters=clusters,
        estimate=estimate,
        worst=passed / arm.size if missing else None,
        best=(passed + missing) / arm.size if missing else None,
    )
