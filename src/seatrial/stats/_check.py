"""Checks of arguments: each raises ValueError with the argument's name and value."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Side = Literal["two-sided", "lower", "upper"]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def inside(name: str, value: float, low: float, high: float) -> float:
    """Return `value` if it is a number strictly between `low` and `high`."""
    if not low < value < high:
        raise ValueError(f"{name} must be between {low:g} and {high:g}, both excluded; got {value!r}")
    return float(value)


def within(name: str, value: float, low: float, high: float) -> float:
    """Return `value` if it is a number from `low` to `high`, both included."""
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}; got {value!r}")
    return float(value)


def positive(name: str, value: float) -> float:
    """Return `value` if it is a finite number above 0."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0; got {value!r}")
    return float(value)


def count(name: str, value: float, most: float = math.inf) -> float:
    """Return `value` if it is finite, not negative and at most `most`."""
    if not (0 <= value < math.inf and value <= most):
        limit = "" if most == math.inf else f" and at most {most!r}"
        raise ValueError(f"{name} must be a count, not negative{limit}; got {value!r}")
    return float(value)


def whole(name: str, value: float, least: int = 0) -> int:
    """Return `value` as an int if it is a whole number of at least `least`."""
    if not (least <= value < math.inf and value == int(value)):
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}")
    return int(value)


def side_of(side: str) -> Side:
    """Return `side` if it names one of the three kinds of interval."""
    if side == "two-sided" or side == "lower" or side == "upper":  # narrows the type
        return side
    raise ValueError(f"side must be 'two-sided', 'lower' or 'upper'; got {side!r}")


def vector(name: str, values: ArrayLike, low: float = -math.inf, high: float = math.inf) -> Floats:
    """Return `values` as a one-dimensional array of finite floats from `low` to `high`."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension; got shape {array.shape}")
    bad = ~(np.isfinite(array) & (array >= low) & (array <= high))
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(f"{name} must hold finite numbers from {low:g} to {high:g}; got {array[at]!r} at index {at}")
    return array


def same_length(name: str, values: Floats, n: int) -> Floats:
    """Return `values` if it has `n` entries."""
    if values.size != n:
        raise ValueError(f"{name} must have {n} entries, one a row; got {values.size}")
    return values


def groups(cluster: ArrayLike, n: int) -> tuple[Ints, int]:
    """Return for each of `n` rows the number of its cluster (0, 1, …), and how many clusters there are."""
    labels = np.asarray(cluster)
    if labels.shape != (n,):
        raise ValueError(f"cluster must hold {n} labels, one a row; got shape {labels.shape}")
    names, index = np.unique(labels, return_inverse=True)
    return index.astype(np.intp, copy=False).reshape(-1), int(names.size)


def weights_of(name: str, weights: ArrayLike | None, n: int) -> Floats:
    """Return `n` weights that are not negative and not all 0; ones when `weights` is None."""
    if weights is None:
        return np.ones(n)
    array = same_length(name, vector(name, weights, low=0.0), n)
    if n and not array.any():
        raise ValueError(f"{name} must not all be 0; got {n} zeros")
    return array


def sums_by(group: Ints, values: ArrayLike, n_groups: int) -> Floats:
    """Return the sum of `values` in each group."""
    return np.bincount(group, weights=np.asarray(values, dtype=np.float64), minlength=n_groups).astype(np.float64)
