"""Vectors that are kept in the store: a text that was embedded once costs nothing in a later run.

A vector is kept as an output of the embedder in a series of its own, under the hash of the embedder's identity and the
text, like a judge's answer under its request.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from seatrial.core.identity import canonical, digest_text, to_bytes
from seatrial.core.output import Output
from seatrial.core.record import Json
from seatrial.store.store import Store
from seatrial.store.writer import Entry, NewOutput, Writer

SERIES = "vectors"
VECTOR = "vector"
"""Where an output's metadata holds it: base64 of its numbers as little-endian doubles, none of which is rounded."""


@dataclass(slots=True, eq=False)
class Shelf:
    """The vectors of one embedder in a store; `writer` gives whoever commits, None while nobody does."""

    store: Store
    identity: Mapping[str, Json]
    writer: Callable[[], Writer | None]

    async def find(self, texts: Sequence[str]) -> dict[str, tuple[float, ...]]:
        """The vectors of those texts that have one."""
        return await asyncio.to_thread(self._find, texts)

    def _find(self, texts: Sequence[str]) -> dict[str, tuple[float, ...]]:
        keys = {self._key(text)[0]: text for text in texts}
        heads = self.store.find_outputs(keys, SERIES, 0)
        outputs = self.store.load_outputs([head.id for head in heads.values()])
        read = {keys[key]: decoded(outputs[head.id].metadata.get(VECTOR)) for key, head in heads.items()}
        return {text: vector for text, vector in read.items() if vector}

    def keep(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Hand vectors in to be committed; nobody waits for that, and what is there already stays."""
        writer = self.writer()
        if writer is None:
            return
        for text, vector in vectors.items():
            key, sent = self._key(text)
            output = Output(metadata={VECTOR: encoded(vector)}, finished_at=datetime.now(UTC).isoformat())
            writer.put(Entry(output=NewOutput(key, SERIES, 0, 0, output, sent)))

    def _key(self, text: str) -> tuple[bytes, str]:
        sent = canonical({"embedder": dict(self.identity), "text": text})
        return self.store.blind(to_bytes(digest_text("request", sent))), sent


def encoded(vector: Sequence[float]) -> str:
    """A vector as text."""
    numbers = array("d", vector)
    if _BIG:
        numbers.byteswap()
    return b64encode(numbers.tobytes()).decode("ascii")


def decoded(text: Json) -> tuple[float, ...]:
    """The vector in a text; empty where it holds none."""
    try:
        numbers = array("d", b64decode(text, validate=True) if isinstance(text, str) else b"")
    except (ValueError, Error):
        return ()
    if _BIG:
        numbers.byteswap()
    return tuple(numbers) if all(map(math.isfinite, numbers)) else ()


_BIG = array("H", [1]).tobytes()[0] == 0
"""Whether this machine writes the high byte first."""
