"""Many tests at once: which small p-values still count. `holm` is the default, the others are for comparison."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats


def holm(p: ArrayLike) -> Floats:
    """Return Holm's adjusted p-values, in the order given: reject those at most alpha.

    Args:
        p: p-values, 0 to 1, any dependence between them. Ties keep equal adjusted values.

    Controls the chance of any false rejection (family-wise error rate). The list "which rubric got
    worse?" is such a union; "every rubric is non-inferior" is an intersection and needs no correction.
    No p-values give an empty array; one is returned unchanged.
    Source: Holm 1979.

    Raises:
        ValueError: a value outside 0 to 1 or NaN.

    """
    values = _check.vector("p", p, 0.0, 1.0)
    order = np.argsort(values, kind="stable")
    steps = np.arange(values.size, 0, -1) * values[order]
    return _in_input_order(np.minimum(1.0, np.maximum.accumulate(steps)), order)


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Return Benjamini–Hochberg adjusted p-values, in the order given: reject those at most q.

    Args:
        p: p-values, 0 to 1, independent or positively dependent. Ties keep equal adjusted values.

    Controls the expected share of false ones among the rejected (false discovery rate): for exploratory
    slices, not for verdicts. No p-values give an empty array; one is returned unchanged.
    Source: Benjamini and Hochberg 1995.

    Raises:
        ValueError: a value outside 0 to 1 or NaN.

    """
    values = _check.vector("p", p, 0.0, 1.0)
    order = np.argsort(values, kind="stable")
    steps = values[order] * values.size / np.arange(1, values.size + 1)
    return _in_input_order(np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1]), order)


def benjamini_yekutieli(p: ArrayLike) -> Floats:
    """Return Benjamini–Yekutieli adjusted p-values, in the order given: reject those at most q.

    Args:
        p: p-values, 0 to 1, any dependence between them. Ties keep equal adjusted values.

    Controls the false discovery rate whatever the dependence, at the price of the factor 1 + ½ + … + 1/m
    over `benjamini_hochberg`: with few tests `holm` often rejects as many and promises more. No p-values
    give an empty array; one is returned unchanged.
    Source: Benjamini and Yekutieli 2001.

    Raises:
        ValueError: a value outside 0 to 1 or NaN.

    """
    values = _check.vector("p", p, 0.0, 1.0)
    order = np.argsort(values, kind="stable")
    rank = np.arange(1, values.size + 1)
    steps = values[order] * values.size * np.sum(1 / rank) / rank
    return _in_input_order(np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1]), order)


def hommel(p: ArrayLike) -> Floats:
    """Return Hommel's adjusted p-values, in the order given: reject those at most alpha.

    Args:
        p: p-values, 0 to 1, independent or positively dependent. Ties keep equal adjusted values.

    Controls the family-wise error rate and never rejects less than `holm`, but not under every
    dependence; rubrics judged on the same cases may be dependent in any way, so `holm` is the default. No
    p-values give an empty array; one is returned unchanged.
    Source: Hommel 1988; the algorithm is Wright's, 1992.

    Raises:
        ValueError: a value outside 0 to 1 or NaN.

    """
    values = _check.vector("p", p, 0.0, 1.0)
    order = np.argsort(values, kind="stable")
    x, n = values[order], values.size
    adjusted = x.copy()
    for size in range(n, 1, -1):
        first = n - size + 1  # how many of the smallest lie outside the `size` − 1 largest
        least = float(np.min(size * x[first:] / np.arange(2, size + 1)))
        adjusted[first:] = np.maximum(adjusted[first:], least)
        adjusted[:first] = np.maximum(adjusted[:first], np.minimum(least, size * x[:first]))
    return _in_input_order(adjusted, order)


def _in_input_order(adjusted: Floats, order: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Floats:
    out = np.empty_like(adjusted)
    out[order] = adjusted
    return out
