"""The assignment of one list's items to another's that is worth most (Kuhn 1955, Munkres 1957; O(rows² · columns))."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def best_assignment(worth: Sequence[Sequence[float]]) -> list[int]:
    """For each row the column it is given, or −1: one to one, with the largest total worth; worth ≤ 0 is not given.

    By shortest augmenting paths with potentials, the smaller side as rows.
    """
    rows = len(worth)
    columns = len(worth[0]) if worth else 0
    if not rows or not columns:
        return [-1] * rows
    if rows <= columns:
        return [column if column >= 0 and worth[row][column] > 0 else -1 for row, column in enumerate(every_row(worth))]
    turned = [[worth[row][column] for row in range(rows)] for column in range(columns)]
    given = [-1] * rows
    for column, row in enumerate(every_row(turned)):
        if row >= 0 and worth[row][column] > 0:
            given[row] = column
    return given


def every_row(worth: Sequence[Sequence[float]]) -> list[int]:
    """Each row's column in the assignment of largest total worth; there must be at least as many columns as rows."""
    rows, columns = len(worth), len(worth[0])
    of_row, of_column = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)  # 1-based rows; column 0 is where a search starts
    for row in range(1, rows + 1):
        owner[0] = row
        path = _search(worth, owner, of_row, of_column)
        column = path[0]
        while column:
            before = path[1][column]
            owner[column] = owner[before]
            column = before
    found = [-1] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            found[owner[column] - 1] = column - 1
    return found


def _search(
    worth: Sequence[Sequence[float]], owner: list[int], of_row: list[float], of_column: list[float]
) -> tuple[int, list[int]]:
    """The free column that the cheapest path from the row in `owner[0]` ends at, and each column's predecessor."""
    columns = len(of_column) - 1
    least, before, done = [inf] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
    column = 0
    while True:
        done[column] = True
        row, step, following = owner[column], inf, 0
        for other in range(1, columns + 1):
            if done[other]:
                continue
            cost = -worth[row - 1][other - 1] - of_row[row] - of_column[other]
            if cost < least[other]:
                least[other], before[other] = cost, column
            if least[other] < step:
                step, following = least[other], other
        for other in range(columns + 1):
            if done[other]:
                of_row[owner[other]] += step
                of_column[other] -= step
            else:
                least[other] -= step
        column = following
        if not owner[column]:
            return column, before
