"""Which item belongs to which: pairs of two lists with the greatest total gain, in any order or in sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from seatrial.scorers.assignment import every_row

MOST_EXACT = 60
"""Lists of up to so many items are assigned exactly; longer ones greedily, the nearest pair first."""
MOST_CELLS = 250_000
"""Beyond so many pairs, items are taken as they stand: the first with the first, and so on."""


class Pair(NamedTuple):
    """Positions in the two lists."""

    first: int
    second: int


Gain = Callable[[int, int], float]
"""How much is won by pairing a position of the first list with one of the second; never negative."""


def in_any_order(firsts: Sequence[int], seconds: Sequence[int], gain: Gain) -> list[Pair]:
    """Pairs of the positions with the greatest total gain, as many as the shorter list has."""
    if not firsts or not seconds:
        return []
    if len(firsts) * len(seconds) > MOST_CELLS:
        return [Pair(*both) for both in zip(firsts, seconds, strict=False)]
    table = [[gain(a, b) for b in seconds] for a in firsts]
    if max(len(firsts), len(seconds)) > MOST_EXACT:
        chosen = _greedy(table)
    elif len(firsts) <= len(seconds):
        chosen = list(enumerate(every_row(table)))
    else:
        turned = every_row([list(column) for column in zip(*table, strict=True)])
        chosen = [(a, b) for b, a in enumerate(turned)]
    return [Pair(firsts[a], seconds[b]) for a, b in sorted(chosen)]


def _greedy(table: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    cells = sorted(((-won, a, b) for a, row in enumerate(table) for b, won in enumerate(row)))
    left, right, chosen = set(range(len(table))), set(range(len(table[0]))), list[tuple[int, int]]()
    for _, a, b in cells:
        if a in left and b in right:
            left.remove(a)
            right.remove(b)
            chosen.append((a, b))
    return chosen


def in_sequence(firsts: Sequence[int], seconds: Sequence[int], gain: Gain) -> list[Pair]:
    """Pairs of the positions that keep the order of both lists, with the greatest total gain (alignment)."""
    if not firsts or not seconds:
        return []
    if len(firsts) * len(seconds) > MOST_CELLS:
        return [Pair(*both) for both in zip(firsts, seconds, strict=False)]
    won = [[gain(a, b) for b in seconds] for a in firsts]
    best = [[0.0] * (len(seconds) + 1) for _ in range(len(firsts) + 1)]
    for i in range(len(firsts) - 1, -1, -1):
        row, below, gains = best[i], best[i + 1], won[i]
        for j in range(len(seconds) - 1, -1, -1):
            row[j] = max(gains[j] + below[j + 1], below[j], row[j + 1])
    pairs: list[Pair] = []
    i = j = 0
    while i < len(firsts) and j < len(seconds):
        if best[i][j] == won[i][j] + best[i + 1][j + 1]:
            pairs.append(Pair(firsts[i], seconds[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
