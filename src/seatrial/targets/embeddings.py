"""Embeddings in OpenAI's wire format: the format, pure, and a client with limits and retries.

Written from the public API reference (platform.openai.com/docs/api-reference/embeddings).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import NotEvaluableError, safe
from seatrial.targets.endpoint import CHARACTERS_PER_TOKEN
from seatrial.targets.line import Address, Line, encoded
from seatrial.targets.retry import Fault, Tried
from seatrial.targets.strict import a_count, an_array, an_object, whole

ADDRESS = Address("https://api.openai.com/v1", "OPENAI_API_KEY", "/embeddings")
MOST_AT_ONCE = 256
MOST_DIMENSIONS = 1 << 16

Vector = tuple[float, ...]


def body(model: str, texts: Sequence[str], params: Mapping[str, Json]) -> dict[str, Json]:
    """The JSON body of a request."""
    return {**params, "model": model, "input": list(texts), "encoding_format": "float"}


def read(answer: dict[str, Any], count: int) -> list[Vector]:
    """One unit vector a text, in the texts' order. Raises Fault for anything but `count` vectors of one length."""
    rows = [an_object(row, "data") for row in an_array(answer.get("data"), "data")]
    found = {a_count(row.get("index"), "index"): _unit(an_array(row.get("embedding"), "embedding")) for row in rows}
    if len(rows) != count or found.keys() != set(range(count)):
        raise Fault("malformed", f"{len(rows)} vectors for {count} texts, or their indices are not 0, 1, …")
    vectors = [found[index] for index in range(count)]
    if len({len(vector) for vector in vectors}) > 1:
        raise Fault("malformed", "the vectors are of different lengths")
    return vectors


def _unit(values: list[Any]) -> Vector:
    """The vector at length 1. Raises Fault for what has no direction."""
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e150]
    length = math.sqrt(math.fsum(v * v for v in numbers))
    if len(numbers) != len(values) or not 0 < len(values) <= MOST_DIMENSIONS or not 0 < length < math.inf:
        raise Fault("malformed", "an embedding is not a list of finite numbers that has a direction")
    return tuple(v / length for v in numbers)


class Embedder:
    """An embedding model at any base URL that speaks the format. Opened once, asked concurrently, closed once."""

    def __init__(self, name: str, spec: TargetSpec, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. The object of `spec.use` is the model. Raises TargetConfigError."""
        self.name = name
        self._spec = spec
        self._model = spec.use.partition(":")[2]
        self._line = Line(name, spec, ADDRESS, environ)

    def identity(self) -> Mapping[str, Json]:
        """Endpoint, model and parameters: all that could change a vector."""
        return {
            "adapter": "embeddings/1",
            "base_url": self._line.base_url,
            "headers": dict(self._spec.headers),
            "model": self._model,
            "params": dict(self._spec.params),
        }

    async def open(self) -> None:
        """Open the connection pool. Raises MissingSecretError; a loopback endpoint needs no key."""
        await self._line.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._line.close()

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector a text, in order; 256 texts go into a request.

        Raises TargetDownError when no further request can succeed, NotEvaluableError when this one could not.
        """
        parts = [texts[start : start + MOST_AT_ONCE] for start in range(0, len(texts), MOST_AT_ONCE)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._part(part)) for part in parts]
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        return [vector for task in tasks for vector in task.result()]

    async def _part(self, texts: Sequence[str]) -> list[Vector]:
        raw = encoded(body(self._model, texts, self._spec.params))

        async def once() -> Tried[list[Vector]]:
            reply = await self._line.client.post(raw)
            return Tried(answer=whole(reply.body, lambda answer: read(answer, len(texts))))

        tried = await self._line.run(once, sum(map(len, texts)) / CHARACTERS_PER_TOKEN)
        if tried.answer is None:
            fault = tried.fault
            assert fault is not None
            raise NotEvaluableError(
                f"Target {self.name!r} gave no embeddings ({fault.code}): {safe(fault.message, 200)}.",
                hint="run again; what is there is kept",
            )
        return tried.answer
