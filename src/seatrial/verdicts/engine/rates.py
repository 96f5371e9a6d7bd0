"""How often one arm passes, with what missing results could make of it."""

from __future__ import annotations

import numpy as np

from seatrial.stats import Interval, cluster_rate, paired_cluster, pass_at_k, pass_hat_k, wilson
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes, distinct, independent, known, weight_of
from seatrial.verdicts.engine.overall import over_all
from seatrial.verdicts.records import Estimate, Rate, Tries

MOST_TRIES = 8
"""Up to so many tries every number of them is shown, beyond it doublings and the last."""


def rates_of(outcomes: Outcomes, alpha: float) -> tuple[Rate, Rate | None]:
    """Both arms' rates, as the outcomes count: weighted, graded, or one number over all labels."""
    first, second = outcomes.candidate, outcomes.incumbent
    asked = (None, None) if outcomes.asked is None else (outcomes.asked.candidate, outcomes.asked.incumbent)
    sizes = [
        arm.size if cells is None else int(np.count_nonzero(cells))
        for arm, cells in zip((first, first), asked, strict=True)
    ]
    found = [
        None if arm is None else _rate(outcomes, arm, alpha, size)
        for arm, size in zip((first, second), sizes, strict=True)
    ]
    assert found[0] is not None
    if outcomes.labels is None:
        return found[0], found[1]
    both = over_all(outcomes)
    told = (None, None) if both is None else (both.candidate, both.incumbent)
    undefined = Estimate(value=None, level=1 - alpha, method=f"{outcomes.labels.aggregate} is undefined")
    done = [
        rate.model_copy(
            update={
                "estimate": undefined
                if evidence is None
                else _of(evidence.estimate, evidence.interval(alpha), alpha, evidence.method)
            }
        )
        if rate is not None and rate.n
        else rate
        for rate, evidence in zip(found, told, strict=True)
    ]
    assert done[0] is not None
    return done[0], done[1]


def _of(value: float, interval: Interval, alpha: float, method: str) -> Estimate:
    return Estimate(value=value, low=interval.low, high=interval.high, level=1 - alpha, method=method)


def _rate(outcomes: Outcomes, arm: Floats, alpha: float, size: int) -> Rate:
    """One arm's plain rate, with its estimate replaced where values or weights ask for another."""
    plain = rate(np.where(arm == 1, 1.0, np.where(np.isnan(arm), arm, 0.0)), outcomes.cluster, alpha)
    plain = plain.model_copy(update=_bounded(plain, size))
    if not plain.n or (outcomes.weight is None and not outcomes.graded):
        return plain
    values, labels = known(arm, outcomes.cluster)
    weights = None if outcomes.weight is None else weight_of(outcomes.weight, ~np.isnan(arm))
    if weights is not None:
        values, labels, weights = values[weights > 0], labels[weights > 0], weights[weights > 0]
        if not len(values):
            return plain.model_copy(update={"estimate": Estimate(value=None, level=1 - alpha, method="no data")})
    if outcomes.graded:
        mean = paired_cluster(values, labels, weights, alpha=alpha, limits=(0.0, 1.0))
        what = "weighted mean" if weights is not None else "mean"
        estimate = _of(mean.estimate, mean.interval, alpha, f"cluster-robust t of the {what}")
        return plain.model_copy(update={"estimate": estimate, "worst": None, "best": None})
    found = cluster_rate(values, labels, weights, alpha=alpha)
    method = "Wilson at the effective size of the weights and clusters"
    estimate = _of(found.estimate, found.interval, alpha, method)
    return plain.model_copy(update={"estimate": estimate, "worst": None, "best": None})


def _bounded(plain: Rate, size: int) -> dict[str, object]:
    """What missing results could make of it, of so many results that were asked for."""
    missing = size - plain.n
    worst, best = (plain.passed / size, (plain.passed + missing) / size) if missing and size else (None, None)
    return {"missing": missing, "worst": worst, "best": best}


def tries(outcomes: Outcomes, alpha: float) -> tuple[Tries, ...]:
    """Both arms over several tries at a case: nothing for one try, for values, and for one number over all labels."""
    epochs = outcomes.candidate.shape[1]
    if epochs < 2 or outcomes.graded or outcomes.labels is not None:
        return ()
    sizes = range(1, epochs + 1) if epochs <= MOST_TRIES else sorted({1, 2, 4, 8, epochs})
    arms = [("candidate", outcomes.candidate), ("incumbent", outcomes.incumbent)]
    made = [_tried(outcomes, name, arm, k, alpha) for name, arm in arms if arm is not None for k in sizes]
    return tuple(one for one in made if one is not None)


def _tried(outcomes: Outcomes, name: str, arm: Floats, k: int, alpha: float) -> Tries | None:
    made = (~np.isnan(arm)).sum(axis=1)
    rows = made >= k if outcomes.weight is None else (made >= k) & (outcomes.weight > 0)
    if not rows.any():
        return None
    passed = np.nansum(arm[rows], axis=1)
    cluster = outcomes.cluster[rows]
    weights = None if outcomes.weight is None else outcomes.weight[rows]
    estimates = {
        field: _of(found.estimate, found.interval, alpha, f"{label}{k}, Wilson at the effective size of the clusters")
        for field, label, share in (("all_pass", "pass^", pass_hat_k), ("any_pass", "pass@", pass_at_k))
        if (found := cluster_rate(share(made[rows], passed, k), cluster, weights, alpha=alpha))
    }
    return Tries.model_validate({"arm": name, "k": k, "cases": int(np.count_nonzero(rows)), **estimates})


def rate(arm: Floats, cluster: Ints, alpha: float) -> Rate:
    """One arm's pass rate over its results; the interval is two-sided at 1 − alpha, and none without results."""
    values, labels = known(arm, cluster)
    n, missing = len(values), arm.size - len(values)
    passed = int(np.count_nonzero(values > 0))
    clusters = len(distinct(labels))
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
