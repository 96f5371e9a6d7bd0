"""Batch APIs: what OpenAI's and Anthropic's have in common, which is all but their addresses and their words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from seatrial.core.identity import digest, loads
from seatrial.core.output import Failure, Output, Request, Timing
from seatrial.core.protocols import BatchStatus
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.suite import Batching, TargetSpec
from seatrial.errors import TargetDownError, safe
from seatrial.targets.http import Body
from seatrial.targets.line import Line, encoded
from seatrial.targets.outcomes import Answer, now
from seatrial.targets.params import Unfit
from seatrial.targets.retry import Fault, Tried, backoff
from seatrial.targets.strict import an_object, parsed, whole

T = TypeVar("T")

UPLOAD_SECONDS = 3600.0
PIECE = 1 << 20
PAGES = 50
IDS = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
LOST = frozenset({"timeout", "connection", "truncated", "malformed", "server_error", "conflict", "too_large"})
"""Faults after which a request may have been taken nevertheless."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a target lends its batches: its line, and how requests and answers are written."""

    line: Line
    spec: TargetSpec
    identity: Mapping[str, Json]
    ending: str
    body: Callable[[Request], Json]
    read: Callable[[dict[str, Any]], Answer]
    output: Callable[[Tried[Answer], Request, Mapping[str, str]], Output | None]
    left_out: Callable[[], Mapping[str, str]]


@dataclass(slots=True)
class Api:
    """Asks one batch API. A subclass knows its addresses, its words and its limits."""

    asking: Asking
    batching: Batching = field(default_factory=Batching)
    own_requests: ClassVar[int]
    own_bytes: ClassVar[int]

    @property
    def account(self) -> str:
        """The identity of what a batch is found under again."""
        gone = sorted(self.left_out)
        return digest("account", [self.asking.identity, self.asking.spec.params, *([gone] if gone else [])])

    @property
    def left_out(self) -> Mapping[str, str]:
        """What the provider refused so far."""
        return self.asking.left_out()

    @property
    def most_requests(self) -> int:
        """How many requests a batch may hold."""
        return min(self.own_requests, self.batching.requests or self.own_requests)

    @property
    def most_bytes(self) -> int:
        """How many bytes a batch may have."""
        return min(self.own_bytes, self.batching.bytes or self.own_bytes)

    @property
    def poll_seconds(self) -> float:
        """When to look at a new batch for the first time."""
        return self.batching.poll

    @property
    def settle_seconds(self) -> float:
        """How long a batch that was just accepted may be missing from the list."""
        return self.batching.settle

    def entry(self, custom_id: str, request: Request) -> bytes | Output:
        """A request's line of JSON, or the failure of one that cannot be expressed."""
        try:
            return encoded(self._entry(custom_id, self.asking.body(request)))
        except Unfit as unfit:
            reason = f"the request cannot be expressed: {unfit}"
        except (ValueError, TypeError, RecursionError) as cause:
            reason = f"the request cannot be written as JSON: {cause}"
        return Output(failure=Failure(kind="infra", code="unsendable", message=reason), finished_at=now())

    def output(
        self, batch_id: str, result: Mapping[str, Any], request: Request, left_out: Mapping[str, str] | None = None
    ) -> Output | None:
        """What a result says, as an output at the batch's price, without a timing; None: ask again."""
        try:
            raw = encoded(self._answer(result))
            tried: Tried[Answer] = Tried(answer=whole(raw, self.asking.read))
        except Fault as fault:
            tried = Tried(fault=fault)
        output = self.asking.output(tried, request, left_out or {})
        if output is None:
            return None
        return output.model_copy(update={"timing": Timing(), "metadata": {**output.metadata, "batch": batch_id}})

    async def submit(self, name: str, entries: Path) -> str:
        """Hand in the lines of a file; empty when the answer got lost. Raises TargetDownError."""
        raise NotImplementedError

    async def find(self, name: str, requests: int, since: str, known: Collection[str]) -> str:
        """The id of the batch that was submitted under this name, empty if there is none."""
        raise NotImplementedError

    async def poll(self, batch_id: str) -> BatchStatus | None:
        """How far it is; None when the provider could not be asked this time."""
        try:
            said = await self._get(self._batch_url(batch_id))
            return self._status(said)
        except Fault as fault:
            if fault.status == 404:
                return BatchStatus(ended=True, gone=True)
            if fault.reaction == "reject":
                raise self._refusal("does not show its batch", fault) from fault
            return None

    async def results(self, batch_id: str) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Each result's custom id and content, in any order; ends early where they cannot be read to their end."""
        try:
            said = await self._get(self._batch_url(batch_id))
            for url in self._result_urls(batch_id, said):
                async for line in self._client.lines(url, self.asking.spec.timeout):
                    found = _result(line)
                    if found is not None:
                        yield found
        except Fault as fault:
            if fault.reaction == "down":
                raise self._refusal("does not give its results", fault) from fault

    # what a subclass says ------------------------------------------------------------------------------------------

    def _entry(self, custom_id: str, body: Json) -> Json:
        raise NotImplementedError

    def _answer(self, result: Mapping[str, Any]) -> Json:
        """The answer's body in a result. Raises Fault where it holds none."""
        raise NotImplementedError

    def _batch_url(self, batch_id: str = "") -> str:
        raise NotImplementedError

    def _status(self, said: Mapping[str, Any]) -> BatchStatus:
        raise NotImplementedError

    def _result_urls(self, batch_id: str, said: Mapping[str, Any]) -> Iterator[str]:
        raise NotImplementedError

    # asking --------------------------------------------------------------------------------------------------------

    @property
    def _client(self) -> Any:
        return self.asking.line.client

    def _url(self, path: str) -> str:
        return f"{self.asking.line.base_url}{path}"

    async def _get(self, url: str) -> dict[str, Any]:
        return await self._retried(lambda: self._json("GET", url))

    async def _json(self, method: str, url: str, data: Body = None, **options: Any) -> dict[str, Any]:
        raw = await self._client.exchange(method, url, data=data, **options)
        return parsed(raw, "the body")

    async def _retried(self, ask: Callable[[], Any]) -> dict[str, Any]:
        """What may be asked any number of times. Raises Fault, and TargetDownError."""

        async def once() -> Tried[dict[str, Any]]:
            try:
                return Tried(answer=await ask())
            except Fault as fault:
                if fault.status == 404:  # it speaks of a batch or file, not of the model
                    fault.reaction = "reject"
                raise

        tried = await self.asking.line.run(once, 0)
        if tried.answer is None:
            assert tried.fault is not None
            raise tried.fault
        return tried.answer

    async def _created(self, url: str, data: Body, **options: Any) -> str:
        """The id of what is created, which is never asked for twice; empty when the answer got lost."""
        for attempt in range(1, self.asking.spec.retries + 2):
            try:
                return an_id(await self._json("POST", url, data, **options))
            except Fault as fault:
                if fault.code in LOST:
                    return ""
                if fault.reaction in ("reject", "down") or attempt > self.asking.spec.retries:
                    raise self._refusal("takes no batch", fault) from fault
                await asyncio.sleep((fault.wait or 0.0) + backoff(attempt, lambda: 1.0))
        raise AssertionError  # the last attempt returns or raises

    def _refusal(self, what: str, fault: Fault) -> TargetDownError:
        status = f"HTTP {fault.status}, " if fault.status else ""
        hint = "an endpoint without a batch API is asked one by one: leave `batch` out" if fault.status == 404 else ""
        return TargetDownError(
            f"{self.asking.line.base_url} {what} ({status}{fault.code}): "
            f"{safe(fault.message, 200) or 'no reason given'}.",
            hint=hint or "mend that, then run the same command again",
        )

    async def _listed(self, after: str, since: float) -> AsyncIterator[dict[str, Any]]:
        """The account's batches, the newest first, back to a moment."""
        query = f"?limit=100&{after}=" if after else "?limit=100"
        cursor = ""
        for _ in range(PAGES):
            url = f"{self._batch_url()}{query}{cursor}" if cursor else f"{self._batch_url()}?limit=100"
            said = await self._get(url)
            page = [as_dict(item) or {} for item in as_list(said.get("data")) or []]
            for item in page:
                yield item
            if not page or not said.get("has_more") or made_at(page[-1]) < since:
                return
            cursor = an_id(page[-1])


def an_id(said: Mapping[str, Any]) -> str:
    """A batch's or file's id. Raises Fault for one that does not fit into a URL."""
    found = said.get("id")
    if not isinstance(found, str) or not IDS.fullmatch(found) or ".." in found:
        raise Fault("malformed", "the answer holds no id")
    return found


def count(value: Any) -> int:
    """A count, 0 where there is none."""
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0


def size_of(entries: Path, *around: bytes) -> int:
    """The bytes of a file and of what goes around its lines."""
    return entries.stat().st_size + sum(map(len, around))


def lines_of(entries: Path, head: bytes, joint: bytes, tail: bytes) -> Body:
    """A body of a file's lines between a head and a tail, read as it is sent."""

    async def read() -> AsyncIterator[bytes]:
        yield head
        with entries.open("rb") as file:  # local, and small pieces
            while piece := file.read(PIECE):
                yield piece.replace(b"\n", joint)
        yield tail

    return read


def moment(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 text, 0 for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def made_at(item: Mapping[str, Any]) -> float:
    """When a batch was made, in seconds since 1970: OpenAI says it so, Anthropic in ISO 8601."""
    made = item.get("created_at")
    return float(made) if isinstance(made, int | float) else moment(str(made))


def _result(line: bytes) -> tuple[str, Mapping[str, Any]] | None:
    """A line of results, None for one that cannot be read: what it stood for is missing, and asked for again."""
    try:
        found = an_object(loads(line), "a result")
    except (ValueError, RecursionError, Fault):
        return None
    custom_id = found.get("custom_id")
    return (custom_id, found) if isinstance(custom_id, str) else None
