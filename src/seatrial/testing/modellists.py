"""Lists of models as OpenAI, Anthropic and Gemini give them, by page, and what they say of one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

from seatrial.testing.dialects import openai
from seatrial.testing.http import HttpRequest

Form = Literal["openai", "anthropic", "gemini"]

ENDING = "/models"
MADE = "2026-01-01T00:00:00Z"
MOST = 1000


def asked(request: HttpRequest) -> str | None:
    """The model that is asked about, empty for the list, None where something else is asked."""
    head, found, name = request.path.partition(f"{ENDING}/")
    if found and head.rpartition("/")[2].startswith("v"):
        return unquote(name)
    return "" if request.path.endswith(ENDING) and "/v" in request.path else None


def form_of(request: HttpRequest) -> Form:
    """Whose list is asked for: what tells them apart is a header, the path's version, or the words of the query."""
    query = parse_qs(request.query)
    if "anthropic-version" in request.headers:
        return "anthropic"
    google = "x-goog-api-key" in request.headers or "/v1beta/" in request.path
    return "gemini" if google or query.keys() & {"pageSize", "pageToken"} else "openai"


def listed(request: HttpRequest, names: Sequence[str]) -> dict[str, Any]:
    """A page of the list: whole in OpenAI's form, from the cursor on in the others."""
    form, query = form_of(request), parse_qs(request.query)
    if form == "openai":
        return openai.models(tuple(names))
    if form == "anthropic":
        after = query.get("after_id", [""])[0]
        first = names.index(after) + 1 if after in names else 0
        page = names[first : first + _size(query, "limit", 20)]
        ends = {"first_id": page[0] if page else None, "last_id": page[-1] if page else None}
        more = first + len(page) < len(names)
        return {"data": [about(form, name) for name in page], "has_more": more, **ends}
    token = query.get("pageToken", ["0"])[0]
    first = int(token) if token.isdecimal() else 0
    page = names[first : first + _size(query, "pageSize", 50)]
    last = first + len(page)
    following = {"nextPageToken": str(last)} if last < len(names) else {}
    return {"models": [about(form, name) for name in page], **following}


def about(form: Form, name: str) -> dict[str, Any]:
    """One model's JSON."""
    if form == "anthropic":
        return {"type": "model", "id": name, "display_name": name, "created_at": MADE}
    if form == "gemini":
        generates = ["generateContent", "countTokens"]
        return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": generates}
    return openai.model(name)


def _size(query: Mapping[str, Sequence[str]], key: str, usual: int) -> int:
    given = query.get(key, [""])[0]
    return min(MOST, max(1, int(given))) if given.isdecimal() else usual
