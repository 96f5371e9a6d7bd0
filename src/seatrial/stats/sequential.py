"""Looking early without paying for it: confidence sequences, mixture boundaries, group-sequential bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats, Side
from seatrial.stats.arms import smoothed_variance
from seatrial.stats.distributions import log_beta, normal_cdf, normal_cdfs, normal_quantile
from seatrial.stats.rates import Interval

BURN_IN_FAILURES = 50
BURN_IN_CASES = 100
"""From when on `ab_difference` can be trusted: failures in both arms together, and cases in each."""


class AbDifference(NamedTuple):
    """A live comparison at one look: the difference, its anytime interval, and whether enough was seen."""

    estimate: float
    interval: Interval
    ready: bool


class BettingCs(NamedTuple):
    """Ends of a confidence sequence after 1, 2, … observations."""

    low: Floats
    high: Floats


def bernoulli_cs(
    k: float, n: float, *, alpha: float = 0.05, prior: tuple[float, float] = (1.0, 1.0), side: Side = "two-sided"
) -> Interval:
    """Return a confidence interval for a rate that holds at every n at once: look whenever you like.

    Args:
        k: events so far, 0 to n.
        n: independent cases so far, 0 or more.
        alpha: chance that the true rate is ever outside, over all n; 0 < alpha < 1.
        prior: a and b of the Beta mixture, above 0; (½, ½) is tighter near 0 and 1.
        side: "two-sided", or one end only: "upper" gives (0, high), "lower" (low, 1).

    Exact for independent cases with one rate. For a guardrail on failures take the lower end at
    alpha = .01 and stop when it passes the limit. n = 0 gives (0, 1).
    Source: Ville 1939; Robbins 1970; Darling and Robbins 1967.

    Raises:
        ValueError: an argument out of range.

    """
    n = _check.count("n", n)
    k = _check.count("k", k, most=n)
    _check.inside("alpha", alpha, 0, 1)
    _check.side_of(side)
    a, b = _check.positive("prior[0]", prior[0]), _check.positive("prior[1]", prior[1])
    if n == 0:
        return Interval(0.0, 1.0)
    evidence = log_beta(a + k, b + n - k) - log_beta(a, b) + math.log(alpha)

    def excluded(p: float) -> bool:
        seen = (k * math.log(p) if k else 0.0) + ((n - k) * math.log1p(-p) if k < n else 0.0)
        return evidence >= seen

    low = 0.0 if k == 0 or side == "upper" else _edge(excluded, 0.0, k / n)
    high = 1.0 if k == n or side == "lower" else _edge(excluded, 1.0, k / n)
    return Interval(low, high)


def sub_bernoulli_cs(k: float, n: float, *, t_opt: float, alpha: float = 0.05) -> Interval:
    """Return a confidence interval for a rate that holds at every n at once, tightest near `t_opt` cases.

    Args:
        k: events so far, 0 to n.
        n: cases so far, 0 or more.
        t_opt: the number of cases at which the interval is to be tightest, above 0.
        alpha: chance that the true mean is ever outside, over all n; 0 < alpha < 1.

    `bernoulli_cs` with a mixture that is chosen anew for each candidate rate, so that it also holds for
    scores from 0 to 1 of one mean (k their sum). Take it when the look that matters is known in advance;
    otherwise `bernoulli_cs`. n = 0 gives (0, 1).
    Source: Howard, Ramdas, McAuliffe and Sekhon 2021 (two-sided beta-binomial mixture).

    Raises:
        ValueError: an argument out of range.

    """
    n = _check.count("n", n)
    k = _check.count("k", k, most=n)
    _check.positive("t_opt", t_opt)
    limit = math.log(1 / _check.inside("alpha", alpha, 0, 1))
    if n == 0:
        return Interval(0.0, 1.0)
    tuned = t_opt / (2 * math.log(20) + math.log1p(2 * math.log(20)))  # the best mixture at the usual 5%
    times = max(tuned - 1, 1e-3)

    def excluded(p: float) -> bool:
        a, b = times * p, times * (1 - p)
        seen = (k * math.log(p) if k else 0.0) + ((n - k) * math.log1p(-p) if k < n else 0.0)
        return log_beta(a + k, b + n - k) - log_beta(a, b) - seen >= limit

    low = 0.0 if k == 0 else _edge(excluded, math.ulp(0.0), k / n)
    high = 1.0 if k == n else _edge(excluded, 1 - 2**-53, k / n)
    return Interval(low, high)


def _edge(excluded: Callable[[float], bool], outer: float, inner: float) -> float:
    """Bisect between an excluded and a kept rate; the kept one is returned."""
    for _ in range(100):
        middle = (outer + inner) / 2
        if middle in {outer, inner}:
            break
        outer, inner = (middle, inner) if excluded(middle) else (outer, middle)
    return inner


def normal_mixture_bound(v: ArrayLike, *, v_opt: float, alpha: float = 0.05) -> Floats:
    """Return the two-sided normal mixture boundary: |S| crosses it ever with chance at most alpha.

    Args:
        v: variance of the running sum S so far, 0 or more; an array or a number.
        v_opt: the variance at which the boundary is to be tightest, above 0.
        alpha: chance of ever crossing when S has mean 0; 0 < alpha < 1.

    Exact for normal (and sub-Gaussian) sums, asymptotic for others. The result has the shape of v; at
    v = 0 it is positive.
    Source: Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021.

    Raises:
        ValueError: a negative v, or v_opt or alpha out of range.

    """
    _check.positive("v_opt", v_opt)
    _check.inside("alpha", alpha, 0, 1)
    variance = np.asarray(v, dtype=np.float64)
    if not (variance >= 0).all():
        raise ValueError(f"v must not be negative; got {v!r}")
    rho = v_opt / (2 * math.log(1 / alpha) + math.log1p(2 * math.log(1 / alpha)))
    total = variance + rho
    return np.sqrt(total * np.log(total / (rho * alpha * alpha)))


def ab_difference(
    k1: float, n1: float, k0: float, n0: float, *, alpha: float = 0.05, v_opt: float = 5_000.0
) -> AbDifference:
    """Return the difference of two live arms with an interval that stays valid under constant looking.

    Args:
        k1: passes of the candidate arm, 0 to n1.
        n1: cases of the candidate arm.
        k0: passes of the incumbent arm, 0 to n0.
        n0: cases of the incumbent arm.
        alpha: chance that the truth is ever outside; 0 < alpha < 1.
        v_opt: the information 1/Var at which the interval is to be tightest; about 8/δ² for a difference δ.

    Assumes arms assigned at random and cases (or users, if they are what is assigned) independent.
    Asymptotic: `ready` is False before 50 failures in all and 100 cases an arm; do not act before. An arm
    without cases gives NaN and (−1, 1).
    Source: Howard, Ramdas, McAuliffe and Sekhon 2021; variances with one pass and one failure added.

    Raises:
        ValueError: a count, alpha or v_opt out of range.

    """
    _check.count("k1", k1, most=_check.count("n1", n1))
    _check.count("k0", k0, most=_check.count("n0", n0))
    if n1 == 0 or n0 == 0:
        return AbDifference(math.nan, Interval(-1.0, 1.0), ready=False)
    k, n = np.array([k1, k0], dtype=np.float64), np.array([n1, n0], dtype=np.float64)
    information = 1 / float(np.sum(smoothed_variance(k, n) / n))
    half = float(normal_mixture_bound(information, v_opt=v_opt, alpha=alpha)) / information
    estimate = k1 / n1 - k0 / n0
    ready = n1 - k1 + n0 - k0 >= BURN_IN_FAILURES and min(n1, n0) >= BURN_IN_CASES
    return AbDifference(estimate, Interval(max(-1.0, estimate - half), min(1.0, estimate + half)), ready)


def betting_cs(
    values: ArrayLike,
    *,
    alpha: float = 0.05,
    grid: int = 1_000,
    cap: float = 0.5,
    population: int | None = None,
    intersect: bool = True,
) -> BettingCs:
    """Return the hedged betting confidence sequence for the mean of scores from 0 to 1.

    Args:
        values: scores in the order seen, 0 to 1, with one conditional mean.
        alpha: chance that the mean is ever outside; 0 < alpha < 1.
        grid: steps of the candidate means; ends are rounded outwards to 1/grid.
        cap: largest share of the wealth that is bet at once, 0 < cap < 1.
        population: size of the finite set the scores are drawn from without replacement; None otherwise.
        intersect: whether a mean once excluded stays excluded (narrower, and as valid).

    For graded scores, and for a suite worked through in random order (give its size): the interval then
    closes as the set is used up. No values: empty arrays.
    Source: Waudby-Smith and Ramdas 2024.

    Raises:
        ValueError: a score outside 0 to 1, or another argument out of range.

    """
    x = _check.vector("values", values, 0.0, 1.0)
    _check.inside("alpha", alpha, 0, 1)
    _check.inside("cap", cap, 0, 1)
    means = np.linspace(0.0, 1.0, _check.whole("grid", grid, least=10) + 1)
    if population is not None:
        _check.whole("population", population, least=max(1, x.size))
    bets, limit, total, ends = _predictable_bets(x, alpha), math.log(2 / alpha), 0.0, (0.0, 1.0)
    log_up, log_down = np.zeros((2, means.size))
    alive = np.ones(means.size, dtype=np.bool_)
    low, high = np.empty((2, x.size))
    for t in range(x.size):
        mean = means if population is None else (population * means - total) / (population - t)
        safe = np.clip(mean, 1e-12, 1 - 1e-12)
        log_up += np.log1p(np.minimum(bets[t], cap / safe) * (x[t] - safe))
        log_down += np.log1p(-np.minimum(bets[t], cap / (1 - safe)) * (x[t] - safe))
        fits = (mean >= 0) & (mean <= 1) & (np.maximum(log_up, log_down) < limit)
        alive = alive & fits if intersect else fits
        total += float(x[t])
        kept = np.flatnonzero(alive)
        if kept.size:  # else the set is finer than the grid: keep the ends of the step before
            ends = max(0.0, float(means[kept[0]]) - 1 / grid), min(1.0, float(means[kept[-1]]) + 1 / grid)
        low[t], high[t] = ends
    return BettingCs(low, high)


def _predictable_bets(x: Floats, alpha: float) -> Floats:
    """λ_t = √(2 ln(2/α) / (t ln(t+1) σ̂²_{t−1})), from what was seen before t."""
    t = np.arange(1, x.size + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.concatenate(([0.25], variance[:-1]))[: x.size]
    return np.sqrt(2 * math.log(2 / alpha) / (t * np.log(t + 1) * before))


def obrien_fleming_bounds(
    looks: int, *, alpha: float = 0.05, sides: int = 2, information: ArrayLike | None = None
) -> Floats:
    """Return the z-value to pass at each look so that all looks together err with chance alpha.

    Args:
        looks: number of planned looks, 1 or more.
        alpha: chance of crossing anywhere when there is no difference; 0 < alpha < 1.
        sides: 2 to stop for better or worse, 1 for one direction.
        information: share of the final data at each look, increasing, above 0 and at most 1; None for
            equal steps up to 1.

    Early bounds are high, the last is close to the usual one. Spending bounds: looks may be unequal and
    need not all be used. Assumes data that arrive in random order.
    Source: Lan and DeMets 1983 (O'Brien–Fleming type); computed by Armitage, McPherson and Rowe 1969.

    Raises:
        ValueError: looks, alpha, sides or information out of range.

    """
    looks = _check.whole("looks", looks, least=1)
    _check.inside("alpha", alpha, 0, 1)
    shares = _information(information, looks)
    if sides not in {1, 2}:
        raise ValueError(f"sides must be 1 or 2; got {sides!r}")
    edge = normal_quantile(1 - alpha / (2 * sides))
    spent = [2 * sides * normal_cdf(-edge / math.sqrt(share)) for share in shares]
    walk, bounds, before = _Walk(sides), np.empty(looks), 0.0
    for i, share in enumerate(shares):
        walk.step_to(float(share))
        bounds[i] = walk.bound_for(spent[i] - before)
        walk.stop_at(float(bounds[i]))
        before = spent[i]
    return bounds


def crossing_probability(
    bounds: ArrayLike, *, sides: int = 2, information: ArrayLike | None = None, drift: float = 0.0
) -> Floats:
    """Return the chance that a test first crosses its bound at each look.

    Args:
        bounds: z-value at each look, above 0.
        sides: 2 when both ±bound stop, 1 when only +bound does.
        information: as for `obrien_fleming_bounds`.
        drift: expected z at full information; 0 gives the false alarms, their sum the total.

    What repeated looks at 1.96 really cost, and the power of a plan.
    Source: Armitage, McPherson and Rowe 1969.

    Raises:
        ValueError: no bounds, a bound not above 0, or another argument out of range.

    """
    z = _check.vector("bounds", bounds, 0.0)
    if sides not in {1, 2}:
        raise ValueError(f"sides must be 1 or 2; got {sides!r}")
    if z.size == 0 or not z.all():
        raise ValueError(f"bounds must hold numbers above 0; got {bounds!r}")
    walk, out = _Walk(sides, drift), np.empty(z.size)
    for i, share in enumerate(_information(information, z.size)):
        walk.step_to(float(share))
        out[i] = walk.crossing(float(z[i]))
        walk.stop_at(float(z[i]))
    return out


def _information(information: ArrayLike | None, looks: int) -> Floats:
    if information is None:
        return np.arange(1, looks + 1) / looks
    shares = _check.same_length("information", _check.vector("information", information, 0.0, 1.0), looks)
    if not (np.diff(shares, prepend=0.0) > 0).all():
        raise ValueError(f"information must increase from above 0; got {information!r}")
    return shares


class _Walk:
    """Brownian motion with drift, watched at looks: its density among the paths not yet stopped."""

    NODES = 256

    def __init__(self, sides: int, drift: float = 0.0) -> None:
        self._two_sided, self._drift = sides == 2, drift
        self._at, self._weight = np.zeros(1), np.ones(1)
        self._share = self._step = 0.0

    def step_to(self, share: float) -> None:
        """Move on to the next look."""
        self._step, self._share = share - self._share, share

    def crossing(self, z: float) -> float:
        """Chance of being beyond the bound z now, having stayed inside before."""
        edge, sd = z * math.sqrt(self._share), math.sqrt(self._step)
        mean = self._at + self._drift * self._step
        beyond = normal_cdfs((mean - edge) / sd)
        if self._two_sided:
            beyond = beyond + normal_cdfs((-edge - mean) / sd)
        return float(self._weight @ beyond)

    def bound_for(self, chance: float) -> float:
        """The bound that is crossed now with the given chance."""
        low, high = 0.0, 40.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if self.crossing(middle) > chance else (low, middle)
        return high

    def stop_at(self, z: float) -> None:
        """Drop the paths beyond z and keep the density of the others on Gauss–Legendre nodes."""
        reach = (min(z, 40.0) if self._two_sided else 9.0) * math.sqrt(self._share)
        reach = min(reach, (9.0 + abs(self._drift)) * math.sqrt(self._share))
        top, bottom = min(z * math.sqrt(self._share), (9.0 + abs(self._drift)) * math.sqrt(self._share)), -reach
        x, w = _legendre(self.NODES)
        nodes = (top - bottom) / 2 * x + (top + bottom) / 2
        sd = math.sqrt(self._step)
        gaps = (nodes[:, None] - self._at[None, :] - self._drift * self._step) / sd
        density = np.exp(-gaps * gaps / 2) @ self._weight / (sd * math.sqrt(2 * math.pi))
        self._at, self._weight = nodes, density * w * (top - bottom) / 2


@lru_cache(maxsize=4)
def _legendre(nodes: int) -> tuple[Floats, Floats]:
    x, w = np.polynomial.legendre.leggauss(nodes)
    return np.asarray(x, dtype=np.float64), np.asarray(w, dtype=np.float64)
