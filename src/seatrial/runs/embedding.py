"""Vectors for scorers: each text is asked for once, and whatever waits meanwhile goes into the next request."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.core.protocols import Embedder
from seatrial.errors import TargetDownError
from seatrial.runs.shelf import Shelf

MOST_NUMBERS = 4_000_000
"""Numbers of vectors that are kept at hand: 32 MB."""

Vector = tuple[float, ...]


@dataclass(slots=True)
class EmbedderCount:
    """What the embedder was asked for: texts sent, and texts whose vector was at hand, or kept from an earlier run."""

    texts: int = 0
    reused: int = 0


class Vectors:
    """Asks an open embedder for what neither this run nor `shelf` holds. Used on one event loop."""

    def __init__(self, embedder: Embedder, shelf: Shelf | None = None) -> None:
        self._embedder, self._shelf = embedder, shelf
        self._kept: dict[str, array[float]] = {}
        self._numbers = 0
        self._line: list[tuple[tuple[str, ...], asyncio.Future[Mapping[str, Vector]]]] = []
        self._work: asyncio.Task[None] | None = None
        self.count = EmbedderCount()

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector a text, in order. Raises what the embedder raises."""
        wanted = tuple(dict.fromkeys(texts))
        at_hand = {text: tuple(self._kept[text]) for text in wanted if text in self._kept}
        self.count.reused += len(at_hand)
        if missing := tuple(text for text in wanted if text not in at_hand):
            turn: asyncio.Future[Mapping[str, Vector]] = asyncio.get_running_loop().create_future()
            self._line.append((missing, turn))
            if self._work is None or self._work.done():
                self._work = asyncio.create_task(self._serve())
            at_hand |= await turn
        return [at_hand[text] for text in texts]

    async def close(self) -> None:
        """Ask nothing more."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        for _, turn in self._line:
            turn.cancel()

    async def _serve(self) -> None:
        while self._line:
            waiting, self._line = [one for one in self._line if not one[1].done()], []
            texts = tuple(dict.fromkeys(text for asked, _ in waiting for text in asked))
            if len(waiting) == 1 or not await self._answer(texts, waiting):
                for one in waiting:  # one text that cannot be embedded must not fail the others
                    await self._answer(one[0], [one], last=True)

    async def _answer(
        self,
        texts: tuple[str, ...],
        waiting: Sequence[tuple[tuple[str, ...], asyncio.Future[Mapping[str, Vector]]]],
        *,
        last: bool = False,
    ) -> bool:
        """Tell those who wait; false where nothing was told, as the request failed and is worth cutting up."""
        try:
            vectors = await self._vectors(texts)
        except asyncio.CancelledError:
            for _, turn in waiting:
                turn.cancel()
            raise
        except Exception as cause:  # noqa: BLE001  # whoever asked gets it
            if not last and not isinstance(cause, TargetDownError):
                return False
            for _, turn in waiting:
                if not turn.done():
                    turn.set_exception(cause)
            return True
        for asked, turn in waiting:
            if not turn.done():
                turn.set_result({text: vectors[text] for text in asked})
        return True

    async def _vectors(self, texts: tuple[str, ...]) -> dict[str, Vector]:
        found = {text: tuple(self._kept[text]) for text in texts if text in self._kept}
        missing = [text for text in texts if text not in found]
        if missing and self._shelf is not None:
            kept = await self._shelf.find(missing)
            self.count.reused += len(kept)
            self._keep(kept)
            found |= kept
            missing = [text for text in missing if text not in kept]
        if missing:
            self.count.texts += len(missing)
            made = dict(zip(missing, map(tuple, await self._embedder.embed(missing)), strict=True))
            self._keep(made)
            if self._shelf is not None:
                self._shelf.keep(made)
            found |= made
        return found

    def _keep(self, vectors: Mapping[str, Vector]) -> None:
        for text, vector in vectors.items():
            self._kept[text] = array("d", vector)
            self._numbers += len(vector)
        while self._numbers > MOST_NUMBERS and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._numbers -= len(self._kept.pop(oldest))
