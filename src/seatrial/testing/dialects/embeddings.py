"""OpenAI embeddings, as the public API reference describes them: equal texts get equal vectors."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from seatrial.core.record import as_list
from seatrial.testing.dialects import openai
from seatrial.testing.dialects.base import (
    Asked,
    BadRequest,
    Given,
    asked_of,
    json_body,
    model_name,
    tokens,
    whole_number,
)
from seatrial.testing.http import HttpRequest

DIMENSIONS = 64
MOST_DIMENSIONS = 4096
MOST_TEXTS = 2048


class Embeddings:
    """`POST …/embeddings`. Only the reply's fault and latency count; the vector is made of the text's tokens."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and path.endswith("/embeddings")

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        body = json_body(request)
        texts = _texts(body.get("input"))
        whole_number(body.get("dimensions"), "dimensions", MOST_DIMENSIONS)
        if body.get("encoding_format", "float") not in ("float", "base64"):
            raise BadRequest("encoding_format must be float or base64.", "encoding_format")
        return asked_of(model_name(body), [{"role": "user", "content": text} for text in texts], body)

    def body(self, asked: Asked, given: Given) -> dict[str, Any]:
        """The answer's JSON."""
        size = asked.body.get("dimensions") or DIMENSIONS
        vectors = [vector(text, size) for text in _texts(asked.body.get("input"))]
        packed = asked.body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(found) if packed else found}
            for index, found in enumerate(vectors)
        ]
        counts = {"prompt_tokens": asked.input_tokens, "total_tokens": asked.input_tokens}
        return {"object": "list", "data": data, "model": given.model, "usage": counts}

    def events(self, asked: Asked, given: Given) -> Iterator[dict[str, Any]]:
        """The answer: embeddings are never streamed."""
        yield self.body(asked, given)

    def event(self, payload: bytes) -> bytes:
        """The payload."""
        return payload

    def done(self) -> bytes:
        """Nothing."""
        return b""

    def error(self, status: int, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
        """An error's JSON."""
        return openai.error_body(status, kind, message, param)


def vector(text: str, size: int) -> list[float]:
    """A unit vector in which each of the text's words, and signs, adds to a place of its own: feature hashing.

    Source: Weinberger et al. 2009, with the sign drawn by the hash.
    """
    found = [0.0] * size
    for token in tokens(text.lower()) or [""]:
        digest = blake2b(token.strip().encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        found[(number >> 1) % size] += 1.0 if number & 1 else -1.0
    length = math.sqrt(sum(x * x for x in found))
    return [x / length for x in found] if length else [1.0, *found[1:]]


def _texts(given: Any) -> list[str]:
    texts = [given] if isinstance(given, str) else as_list(given)
    if not texts or len(texts) > MOST_TEXTS or not all(isinstance(text, str) for text in texts):
        raise BadRequest(f"input must be text, or 1 to {MOST_TEXTS} texts.", "input")
    return texts


def _packed(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode("ascii")
