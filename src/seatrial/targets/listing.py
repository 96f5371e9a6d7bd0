"""Reading an endpoint's list of models, in each dialect's form, page by page. Every answer is hostile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from seatrial.core.identity import loads
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.http import Reply
from seatrial.targets.retry import Fault
from seatrial.targets.strict import refuse_error

MOST_PAGES = 50
MOST_MODELS = 20_000
LONGEST = 300
PAGE = {"anthropic": "limit=1000", "gemini": "pageSize=1000"}
NAMED = ("id", "name", "model")
OWNERS = ("owned_by", "owner", "organization", "publisher")
CONTEXTS = ("context_length", "context_window", "max_context_length", "max_model_len", "inputTokenLimit")
LISTS = ("data", "models", "result")

Get = Callable[[str], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A model that an endpoint lists: its id, and what else it says, empty or None where it does not."""

    id: str
    created: str = ""
    owner: str = ""
    context: int | None = None

    def plain(self) -> dict[str, Json]:
        """The fields that say something."""
        fields: dict[str, Json] = {"id": self.id, "created": self.created, "owner": self.owner, "context": self.context}
        return {key: value for key, value in fields.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class Listing:
    """An endpoint's models by id, in its order, and by how many seconds its clock is ahead of ours."""

    models: Mapping[str, Listed]
    skew: float | None = None

    def has(self, model: str) -> bool:
        """Whether a model is listed: under its name, as `:latest`, or without a variant like `:free`."""
        return bool({model, f"{model}:latest", model.rpartition(":")[0]} & self.models.keys())


async def ask_models(get: Get, url: str, dialect: str) -> Listing:
    """All pages of the list at a URL; empty means that the endpoint has none. Raises Fault."""
    if not url:
        raise Fault("no_list", "it has no list of models", reaction="reject")
    first = f"{url}{'&' if '?' in url else '?'}{PAGE[dialect]}" if dialect in PAGE else url
    found: dict[str, Listed] = {}
    where, skew, seen = first, None, {first}
    while len(seen) <= MOST_PAGES and len(found) < MOST_MODELS:
        reply = await get(where)
        skew = _skew(reply.date) if skew is None else skew
        body = _parsed(reply.body)
        found |= {model.id: model for model in _models(body)}
        after = _next(body)
        if not after:
            return Listing(found, skew)
        where = f"{first}{'&' if '?' in first else '?'}{after}"
        if where in seen:
            raise Fault("malformed", "the pages of the list go round in a circle")
        seen.add(where)
    raise Fault("too_large", f"the list has more than {MOST_PAGES} pages or {MOST_MODELS:,} models")


def _parsed(raw: bytes) -> Any:
    try:
        body: Any = loads(raw)
    except ValueError as cause:
        raise Fault("malformed", f"the list is not JSON: {cause}") from None
    fields = as_dict(body)
    if fields is not None:
        refuse_error(fields, raw)
    return body


def _models(body: Any) -> Iterator[Listed]:
    """The models of a page: an array, or an object that holds one (OpenAI and most, Gemini and Ollama, Cloudflare)."""
    fields = as_dict(body) or {}
    items = as_list(body)
    if items is None:
        items = next((found for key in LISTS if (found := as_list(fields.get(key))) is not None), None)
    if items is None:
        raise Fault("malformed", "the answer holds no list of models")
    for item in items:
        model = as_dict(item) or {}
        name = _first_text(model, NAMED).removeprefix("models/")
        if name:
            owner = _first_text(model, OWNERS)
            context = next((n for key in CONTEXTS if _is_count(n := model.get(key))), None)
            yield Listed(name, _moment(model.get("created", model.get("created_at"))), owner, context)


def listed_id(raw: bytes) -> str:
    """The id in the answer about one model, empty where it is none."""
    try:
        return _first_text(as_dict(_parsed(raw)) or {}, NAMED)
    except Fault:
        return ""


def _first_text(model: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    found = (model.get(key) for key in keys)
    return next((text[:LONGEST] for text in found if isinstance(text, str) and text), "")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53


def _moment(value: Any) -> str:
    """When a model was made: seconds since 1970 as a date, text as it is."""
    if isinstance(value, str):
        return value[:LONGEST]
    if not _is_count(value):
        return ""
    try:
        return datetime.fromtimestamp(value, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _next(body: Any) -> str:
    """The query that asks for the next page, in Anthropic's and in Gemini's form; empty on the last."""
    fields = as_dict(body) or {}
    token, last = fields.get("nextPageToken"), fields.get("last_id")
    if isinstance(token, str) and token:
        return f"pageToken={_quoted(token)}"
    if fields.get("has_more") is True and isinstance(last, str) and last:
        return f"after_id={_quoted(last)}"
    return ""


def _quoted(text: str) -> str:
    return quote(text[:LONGEST].encode("utf-8", "replace"), safe="")


def _skew(date: str) -> float | None:
    """Seconds by which an HTTP date is ahead of our clock, None where there is none."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
