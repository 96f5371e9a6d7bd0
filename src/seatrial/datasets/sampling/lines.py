"""The lines of a pool, a block at once, and which of them JSON writers cannot differ on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

BLOCK = 1 << 16
"""Bytes of the lines read at once; a line that is longer is read whole."""
MOST = 1 << 20
"""Bytes beyond which a block is not looked at: its lines count as uncertain."""
REACH = 24
"""Bytes of a number that are looked at; one that goes on behind them is uncertain."""
DELETE, MINUS, NINE, E = 0x7F, 0x2D, 0x39, 0x65


def lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Every line of a file, and whether it is certain.

    A certain line is ASCII and holds no number that two writers of JSON may write differently: were it compact and its
    keys sorted, it would be canonical. One that is not certain may be canonical too.
    """
    while block := file.readlines(BLOCK):
        yield from zip(block, _certain(block), strict=True)


def _certain(block: Sequence[bytes]) -> list[bool]:
    whole = b"".join(block)
    if len(whole) > MOST:
        return [False] * len(block)
    text = np.frombuffer(whole + b"\n" * (REACH + 1), dtype=np.uint8)
    before, after = text[:-1], text[1:]
    opens = (before == ord(":")) | (before == ord(",")) | (before == ord("["))
    begins = np.flatnonzero(opens & (after - MINUS <= NINE - MINUS)) + 1  # below the minus sign, it wraps around
    numbers = text[begins[:, None] + np.arange(REACH)]
    stops = (numbers - MINUS > NINE - MINUS).argmax(axis=1)
    behind = numbers[np.arange(len(begins)), stops] | 0x20
    odd = np.concatenate((np.flatnonzero(text >= DELETE), begins[(behind == E) | (stops == 0)]))
    certain = np.ones(len(block), dtype=np.bool_)
    certain[np.searchsorted(np.cumsum([len(line) for line in block]), odd, side="right")] = False
    if b"0.0000" in whole:
        certain &= [b"0.0000" not in line for line in block]
    return certain.tolist()
