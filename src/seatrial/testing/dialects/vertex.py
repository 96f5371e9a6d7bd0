"""Anthropic's messages as Google's Vertex AI serves them: the model is in the path, the version in the body."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

from seatrial.testing.dialects.anthropic import Messages
from seatrial.testing.dialects.base import Asked, BadRequest, dump, json_body
from seatrial.testing.http import HttpRequest

VERSIONS = ("2026-10-21", "vertex-2023-10-16")
_PATH = re.compile(
    r"/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)\Z"
)


class RawPredict(Messages):
    """`POST …/publishers/anthropic/models/MODEL:rawPredict` and `…:streamRawPredict`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and _PATH.search(path) is not None

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked. Raises BadRequest."""
        body = json_body(request)
        found = _PATH.search(request.path)
        assert found is not None
        if body.get("anthropic_version") not in VERSIONS:
            raise BadRequest(f"anthropic_version: must be one of {', '.join(VERSIONS)}", "anthropic_version")
        if "model" in body:
            raise BadRequest("model: Extra inputs are not permitted", "model")
        streamed = found[2] == "streamRawPredict"
        if streamed is not (body.get("stream") is True):
            raise BadRequest("stream: does not fit the method that is called", "stream")
        whole = replace(request, body=dump({**body, "model": unquote(found[1])}))
        return replace(super().parse(whole), body=body)
