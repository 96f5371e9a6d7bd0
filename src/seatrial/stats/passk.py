"""Several tries at one case: the chance that any of k passes, and that all k do."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats._check import Floats
from seatrial.stats.distributions import log_choose


@overload
def pass_at_k(n: int, c: int, k: int) -> float: ...
@overload
def pass_at_k(n: ArrayLike, c: ArrayLike, k: int) -> float | Floats: ...
def pass_at_k(n: ArrayLike, c: ArrayLike, k: int) -> float | Floats:
    """Return the unbiased estimate of P(at least one of k tries passes).

    Args:
        n: tries made per case, a number or an array.
        c: tries that passed, 0 to n.
        k: tries the claim is about, 1 to n.

    1 − C(n − c, k)/C(n, k) for each case, a share from 0 to 1: a number for numbers, else an array. For a
    suite put the values into `cluster_rate`; cases are the rows, not tries. 1 when fewer than k tries
    failed, 0 when c = 0.
    Source: Chen et al. 2021.

    Raises:
        ValueError: c outside 0 to n, or k outside 1 to n.

    """
    tries, passed = _tries(n, c, k)
    return _shape(1 - _all_from(tries - passed, tries, k))


@overload
def pass_hat_k(n: int, c: int, k: int) -> float: ...
@overload
def pass_hat_k(n: ArrayLike, c: ArrayLike, k: int) -> float | Floats: ...
def pass_hat_k(n: ArrayLike, c: ArrayLike, k: int) -> float | Floats:
    """Return the unbiased estimate of P(all of k tries pass): reliability, where `pass_at_k` is luck.

    Args:
        n: tries made per case, a number or an array.
        c: tries that passed, 0 to n.
        k: tries the claim is about, 1 to n.

    C(c, k)/C(n, k) for each case, a share from 0 to 1: a number for numbers, else an array. 0 when fewer
    than k tries passed, 1 when all did. At k = 1 both are c/n.
    Source: Yao et al. 2024.

    Raises:
        ValueError: c outside 0 to n, or k outside 1 to n.

    """
    tries, passed = _tries(n, c, k)
    return _shape(_all_from(passed, tries, k))


def _tries(n: ArrayLike, c: ArrayLike, k: int) -> tuple[Floats, Floats]:
    tries, passed = np.broadcast_arrays(np.asarray(n, dtype=np.float64), np.asarray(c, dtype=np.float64))
    if not ((tries == np.rint(tries)) & np.isfinite(tries)).all():
        raise ValueError(f"n must hold whole numbers; got {n!r}")
    if not ((passed == np.rint(passed)) & (passed >= 0) & (passed <= tries)).all():
        raise ValueError(f"c must hold whole numbers from 0 to n; got {c!r} with n = {n!r}")
    if not (k == int(k) and k >= 1 and (tries >= k).all()):
        raise ValueError(f"k must be a whole number from 1 to n; got {k!r} with n = {n!r}")
    return tries, passed


def _all_from(good: Floats, tries: Floats, k: int) -> Floats:
    """Chance that k of the tries, drawn without replacement, are all good."""
    enough = good >= k
    size = np.full_like(tries, float(k))
    logs = log_choose(np.where(enough, good, tries), size) - log_choose(tries, size)
    return np.where(enough, np.minimum(1.0, np.exp(logs)), 0.0)


def _shape(share: Floats) -> float | Floats:
    return float(share) if share.ndim == 0 else share
