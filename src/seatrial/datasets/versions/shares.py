"""Shares of strata in a set and in traffic: how far apart, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seatrial.core.record import Record, Text
from seatrial.datasets.versions.config import MatchMargins
from seatrial.datasets.versions.twosample import Estimate, Floats
from seatrial.stats import newcombe_unpaired, wilson

DRAWS = 2000
LARGEST_WEIGHT = 20.0
MATCHES, DRIFTED, UNSURE = "matches", "drifted", "too little data"


class ValueShare(Record):
    """One value of a stratum: its share in the set and in traffic, and the difference, traffic less set.

    Intervals hold for all values of the stratum together, at 95% (Bonferroni).
    """

    value: Text
    cases: int
    in_set: Estimate
    in_traffic: Estimate
    difference: Estimate


class StratumMatch(Record):
    """A stratum on both sides. `declared`: the set's shares are those that set.yaml states, not its cases'."""

    stratum: Text
    declared: bool
    total_variation: Estimate
    verdict: Text
    values: tuple[ValueShare, ...]


def compare_stratum(
    stratum: str,
    ours: Mapping[str, int],
    traffic: Mapping[str, int],
    declared: Mapping[str, float] | None,
    margins: MatchMargins,
) -> StratumMatch:
    """Compare the values of one stratum by their counts in the set and in traffic; the largest difference first."""
    names: list[str] = sorted(set(ours) | set(traffic) | set(declared or ()))
    alpha = 0.05 / max(1, len(names))
    n, m = sum(ours.values()), sum(traffic.values())
    values = [_value(name, (ours.get(name, 0), n), (traffic.get(name, 0), m), declared, alpha) for name in names]
    variation = _variation(
        np.array([v.in_set.value for v in values]),
        np.array([v.in_traffic.value for v in values]),
        None if declared is not None else n,
        m,
    )
    most = margins.share_points / 100
    verdict = decide(
        [variation, *(Estimate(abs(v.difference.value), *_absolute(v.difference)) for v in values)],
        [margins.total_variation, *([most] * len(values))],
    )
    ordered = sorted(values, key=lambda v: (-abs(v.difference.value), v.value))
    return StratumMatch(
        stratum=stratum,
        declared=declared is not None,
        total_variation=variation,
        verdict=verdict,
        values=tuple(ordered),
    )


def decide(found: Sequence[Estimate], most: Sequence[float]) -> str:
    """`drifted` where one is surely beyond its margin, `matches` where all are surely within, else too little data."""
    pairs = list(zip(found, most, strict=True))
    if any(one.low > margin for one, margin in pairs):
        return DRIFTED
    return MATCHES if all(one.high <= margin for one, margin in pairs) else UNSURE


def _absolute(one: Estimate) -> tuple[float, float]:
    low = 0.0 if one.low <= 0 <= one.high else min(abs(one.low), abs(one.high))
    return low, max(abs(one.low), abs(one.high))


def _value(
    name: str, ours: tuple[int, int], theirs: tuple[int, int], declared: Mapping[str, float] | None, alpha: float
) -> ValueShare:
    (k, n), (j, m) = ours, theirs
    traffic = Estimate(j / m if m else 0.0, *wilson(j, m, alpha=alpha))
    if declared is not None:
        share = declared.get(name, 0.0)
        fixed = Estimate(share, share, share)
        difference = Estimate(traffic.value - share, traffic.low - share, traffic.high - share)
        return ValueShare(value=name, cases=k, in_set=fixed, in_traffic=traffic, difference=difference)
    here = Estimate(k / n if n else 0.0, *wilson(k, n, alpha=alpha))
    gap = Estimate(traffic.value - here.value, *newcombe_unpaired(j, m, k, n, alpha=alpha))
    return ValueShare(value=name, cases=k, in_set=here, in_traffic=traffic, difference=gap)


def _variation(p: Floats, q: Floats, n: int | None, m: int) -> Estimate:
    """Total variation distance, with an interval that allows for both sides being samples.

    By the triangle inequality it is off by no more than both samples' own distances from what they were drawn from,
    whose 95% point is simulated from multinomials with a fixed seed. n None: the first side is exact.
    """
    if not len(p):
        return Estimate(0.0, 0.0, 1.0)
    value = float(np.abs(p - q).sum() / 2)
    if m == 0 or n == 0:
        return Estimate(value, 0.0, 1.0)
    draw = np.random.default_rng(0)
    off = np.zeros(DRAWS)
    for shares, size in ((p, n), (q, m)):
        if size is not None:
            exact = shares / shares.sum()
            off += np.abs(draw.multinomial(size, exact, DRAWS) / size - exact).sum(axis=1) / 2
    half = float(np.quantile(off, 0.95))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def weights_for(strata: Sequence[Mapping[str, str]], shares: Mapping[str, Mapping[str, float]]) -> Floats:
    """Weights of a set's cases under which its strata have the traffic shares declared: raking, bounded.

    A set drawn with equal strata does not differ from traffic by that alone. Source: Deming and Stephan 1940.
    """
    weights = np.ones(len(strata))
    for _ in range(25 if len(shares) > 1 else 1):
        for stratum, wanted in shares.items():
            values = np.array([one.get(stratum, "") for one in strata], dtype=object)
            for value, share in wanted.items():
                members = values == value
                now = float(weights[members].sum() / max(weights.sum(), 1e-12))
                if now > 0 and share > 0:
                    weights[members] *= share / now
    return np.clip(weights / weights.mean(), 1 / LARGEST_WEIGHT, LARGEST_WEIGHT) if len(weights) else weights
