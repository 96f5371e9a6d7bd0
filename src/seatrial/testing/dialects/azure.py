"""OpenAI's chat completions as Azure serves them: at a deployment with `api-version`, or by the v1 API."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qs, unquote

from seatrial.testing.dialects.base import Asked, BadRequest, dump, json_body
from seatrial.testing.dialects.openai import ChatCompletions
from seatrial.testing.http import HttpRequest

_PATH = re.compile(r"/openai/deployments/([^/]+)/chat/completions\Z")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


class Deployment(ChatCompletions):
    """`POST /openai/deployments/NAME/chat/completions?api-version=…`."""

    def serves(self, method: str, path: str) -> bool:
        """Whether a request comes in this format."""
        return method == "POST" and _PATH.search(path) is not None

    def parse(self, request: HttpRequest) -> Asked:
        """What is asked: of the deployment, whatever model the body names. Raises BadRequest."""
        found = _PATH.search(request.path)
        assert found is not None
        version = parse_qs(request.query).get("api-version", [""])
        if _VERSION.fullmatch(version[0]) is None:
            raise BadRequest("Missing or unknown api-version query parameter", "api-version")
        body = {**json_body(request), "model": unquote(found[1])}
        return super().parse(replace(request, body=dump(body)))
