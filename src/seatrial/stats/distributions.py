"""The few distribution functions that are needed, from `scipy.special` (never the slow `scipy.stats`)."""

from __future__ import annotations

import math
from functools import lru_cache
from importlib import import_module
from statistics import NormalDist
from typing import Any

import numpy as np

from seatrial.stats._check import Floats

_STANDARD = NormalDist()


class _Special:
    """`scipy.special`, imported when a function of it is first needed: Wilson's interval needs none."""

    @staticmethod
    @lru_cache(maxsize=1)
    def _module() -> Any:
        return import_module("scipy.special")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module(), name)


special = _Special()


def normal_quantile(p: float) -> float:
    """Return z with P(N(0,1) ≤ z) = p, by Wichura's algorithm AS 241; -inf at 0, inf at 1."""
    if p in (0.0, 1.0):
        return math.inf if p else -math.inf
    return _STANDARD.inv_cdf(p)


def normal_cdf(z: float) -> float:
    """Return P(N(0,1) ≤ z)."""
    return float(special.ndtr(z))


def t_quantile(p: float, df: float) -> float:
    """Return t with P(T ≤ t) = p for Student's T with `df` degrees of freedom."""
    return float(special.stdtrit(df, p))


def t_cdf(t: float, df: float) -> float:
    """Return P(T ≤ t) for Student's T with `df` degrees of freedom."""
    return float(special.stdtr(df, t))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with P(Beta(a, b) ≤ x) = p."""
    return float(special.betaincinv(a, b, p))


def binomial_cdf(k: float, n: float, p: float) -> float:
    """Return P(Bin(n, p) ≤ k); 0 below 0 and 1 from n upwards."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    return float(special.betainc(n - k, k + 1.0, 1.0 - p))


def binomial_pmf(k: float, n: float, p: float) -> float:
    """Return P(Bin(n, p) = k) for 0 < p < 1."""
    log_ways = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    return math.exp(float(log_ways + special.xlogy(k, p) + special.xlog1py(n - k, -p)))


def normal_cdfs(z: Floats) -> Floats:
    """Return P(N(0,1) ≤ z) for an array."""
    return np.asarray(special.ndtr(z), dtype=np.float64)


def log_beta(a: float, b: float) -> float:
    """Return ln B(a, b)."""
    return float(special.betaln(a, b))


def log_choose(n: Floats, k: Floats) -> Floats:
    """Return ln C(n, k) for arrays."""
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1), dtype=np.float64)


def sigmoid(x: Floats) -> Floats:
    """Return 1/(1 + e^(−x)) for an array, without overflow."""
    return np.asarray(special.expit(x), dtype=np.float64)
