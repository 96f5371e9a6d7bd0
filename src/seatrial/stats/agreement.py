"""How far raters agree beyond chance: Cohen's κ, Gwet's AC1, Krippendorff's α."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats._check import Floats

Level = Literal["nominal", "ordinal", "interval", "ratio"]


def ratings_from_table(table: ArrayLike) -> Floats:
    """Return the ratings behind a square table of two raters: one row per unit, two columns.

    Args:
        table: counts; row = what the first rater said, column = what the second said. Categories are
            numbered 0, 1, …

    Raises:
        ValueError: not square, or a count that is negative or not whole.

    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"table must be square; got shape {counts.shape}")
    if not ((counts >= 0) & (counts == np.rint(counts))).all():
        raise ValueError(f"table must hold whole counts, not negative; got {table!r}")
    rows, columns = np.indices(counts.shape)
    times = counts.astype(np.intp).ravel()
    return np.column_stack((np.repeat(rows.ravel(), times), np.repeat(columns.ravel(), times))).astype(np.float64)


def _counts(ratings: ArrayLike) -> tuple[Floats, Floats]:
    """Units with two ratings or more, as counts per category; and the categories."""
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"ratings must have two dimensions, units and raters; got shape {table.shape}")
    if np.isinf(table).any():
        raise ValueError("ratings must be finite or NaN; got an infinite one")
    categories = np.unique(table[np.isfinite(table)])
    counts = (table[:, :, None] == categories).sum(axis=1).astype(np.float64)
    return counts, categories


def observed_agreement(ratings: ArrayLike) -> float:
    """Return the share of rater pairs that agree, averaged over units: what to report beside κ.

    Args:
        ratings: one row per unit, one column per rater, categories as numbers, NaN where missing.

    0 to 1; units with fewer than 2 ratings are left out; NaN when none is left.

    Raises:
        ValueError: not two-dimensional, or an infinite rating.

    """
    counts, _ = _counts(ratings)
    return _observed(counts)


def _observed(counts: Floats) -> float:
    raters = counts.sum(axis=1)
    both = raters >= 2
    if not both.any():
        return math.nan
    agree = (counts * (counts - 1)).sum(axis=1)[both] / (raters * (raters - 1))[both]
    return float(agree.mean())


def cohen_kappa(ratings: ArrayLike) -> float:
    """Return Cohen's κ of two raters: (p_o − p_e)/(1 − p_e).

    Args:
        ratings: one row per unit, two columns, categories as numbers, NaN where missing
            (`ratings_from_table` makes it from a table).

    At most 1; 0 is chance. Collapses when nearly all units fall in one category, even if raters agree:
    decide on sensitivity and specificity, show `gwet_ac1` beside it. NaN when both raters always say the
    same one thing (report `observed_agreement`), and without data. Units with a missing rating are left out.
    Source: Cohen 1960.

    Raises:
        ValueError: not two columns, or an infinite rating.

    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != 2:
        raise ValueError(f"ratings must have two columns, one a rater; got shape {table.shape}")
    full = table[~np.isnan(table).any(axis=1)]
    _, categories = _counts(full)
    first = (full[:, :1] == categories).mean(axis=0) if full.size else np.zeros(0)
    second = (full[:, 1:] == categories).mean(axis=0) if full.size else np.zeros(0)
    expected = float(first @ second)
    if full.size == 0 or expected >= 1:
        return math.nan
    observed = float((full[:, 0] == full[:, 1]).mean())
    return (observed - expected) / (1 - expected)


def gwet_ac1(ratings: ArrayLike) -> float:
    """Return Gwet's AC1, an agreement coefficient that stays sensible at very high pass rates.

    Args:
        ratings: one row per unit, one column per rater (2 or more), categories as numbers, NaN where missing.

    At most 1; 0 is chance. Chance agreement uses the categories that occur. NaN when fewer than 2
    categories occur, or no unit has 2 ratings.
    Source: Gwet 2008.

    Raises:
        ValueError: not two-dimensional, or an infinite rating.

    """
    counts, categories = _counts(ratings)
    rated = counts.sum(axis=1) > 0
    observed = _observed(counts)
    if categories.size < 2 or math.isnan(observed):
        return math.nan
    share = (counts[rated] / counts[rated].sum(axis=1, keepdims=True)).mean(axis=0)
    expected = float((share * (1 - share)).sum()) / (categories.size - 1)
    return (observed - expected) / (1 - expected)


def krippendorff_alpha(ratings: ArrayLike, *, level: Level = "nominal") -> float:
    """Return Krippendorff's α = 1 − D_o/D_e, for any number of raters and missing ratings.

    Args:
        ratings: one row per unit, one column per rater, values as numbers, NaN where missing.
        level: "nominal" (categories), "ordinal" (ranks), "interval" or "ratio" (grades).

    At most 1; 0 is chance. NaN when all ratings are equal, and when no unit has 2 ratings.
    Source: Krippendorff 2011 (computing α).

    Raises:
        ValueError: not two-dimensional, an infinite rating, or an unknown level.

    """
    counts, values = _counts(ratings)
    counts = counts[counts.sum(axis=1) >= 2]
    raters = counts.sum(axis=1)
    margins = counts.sum(axis=0)
    distance = _distance(values, margins, level)
    n = float(raters.sum())
    if n == 0:
        return math.nan
    within = np.einsum("ui,uj,ij,u->", counts, counts, distance, 1 / (raters - 1))
    expected = float(margins @ distance @ margins) / (n - 1)
    return 1 - float(within) / expected if expected > 0 else math.nan


def _distance(values: Floats, margins: Floats, level: str) -> Floats:
    a, b = values[:, None], values[None, :]
    if level == "nominal":
        return (a != b).astype(np.float64)
    if level == "interval":
        return (a - b) ** 2
    if level == "ratio":
        total = a + b
        return np.divide(a - b, total, out=np.zeros_like(total), where=total != 0) ** 2
    if level == "ordinal":
        middle = np.cumsum(margins) - margins / 2
        return (middle[:, None] - middle[None, :]) ** 2
    raise ValueError(f"level must be 'nominal', 'ordinal', 'interval' or 'ratio'; got {level!r}")
