"""Anthropic's message batches: all requests in one body, and one file of results.

Written from the public API reference (platform.claude.com/docs/en/api/messages/batches).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from seatrial.core.identity import encode
from seatrial.core.protocols import BatchStatus
from seatrial.core.record import Json, as_dict
from seatrial.targets.batches import UPLOAD_SECONDS, Api, an_id, count, lines_of, made_at, moment, size_of
from seatrial.targets.retry import Fault, classify
from seatrial.targets.strict import STATUS_OF

HEAD, TAIL = b'{"requests":[', b"]}"
EARLIER = 600.0
"""Seconds by which the provider's clock may be behind ours."""
UNANSWERED = {"expired": "expired", "canceled": "cancelled"}


class AnthropicBatches(Api):
    """Batches of messages. Its limits: 100,000 requests and 256 MB."""

    own_requests: ClassVar[int] = 100_000
    own_bytes: ClassVar[int] = 256 * 10**6

    def _entry(self, custom_id: str, body: Json) -> Json:
        return {"custom_id": custom_id, "params": body}

    def _batch_url(self, batch_id: str = "") -> str:
        return self._url(f"/messages/batches/{batch_id}" if batch_id else "/messages/batches")

    async def submit(self, name: str, entries: Path) -> str:
        """Send all requests at once. Its custom ids hold the name, as a batch has no other place for one."""
        del name
        size = size_of(entries, HEAD, TAIL)
        data = lines_of(entries, HEAD, b",", TAIL)
        headers = {"Content-Length": str(size)}
        return await self._created(self._batch_url(), data, headers=headers, seconds=UPLOAD_SECONDS)

    async def find(self, name: str, requests: int, since: str, known: Collection[str]) -> str:
        """The batch of as many requests whose custom ids hold the name.

        The list shows no custom ids, only the results of a batch that has ended do: an unknown batch of the same size
        and time is waited for, since it may be ours, and paid for.
        """
        earliest = moment(since) - EARLIER
        found = [
            an_id(item)
            async for item in self._listed("after_id", earliest)
            if made_at(item) >= earliest and self._status(item).total == requests and an_id(item) not in known
        ]
        for batch_id in reversed(found):
            if await self._holds(batch_id, name):
                return batch_id
        return ""

    async def _holds(self, batch_id: str, name: str) -> bool:
        wait = self.poll_seconds
        while (status := await self.poll(batch_id)) is None or not status.ended:
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, 20 * self.poll_seconds)
        async for custom_id, _ in self.results(batch_id):
            return custom_id.endswith(name)
        return False

    def _status(self, said: Mapping[str, Any]) -> BatchStatus:
        status = said.get("processing_status")
        if not isinstance(status, str):
            raise Fault("malformed", "the batch has no processing_status")
        counts = as_dict(said.get("request_counts")) or {}
        done = sum(count(counts.get(key)) for key in ("succeeded", "errored", "canceled", "expired"))
        return BatchStatus(status == "ended", done, done + count(counts.get("processing")))

    def _result_urls(self, batch_id: str, said: Mapping[str, Any]) -> Iterator[str]:
        if said.get("results_url"):  # the address itself is not followed: our key goes to our endpoint only
            yield self._url(f"/messages/batches/{batch_id}/results")

    def _answer(self, result: Mapping[str, Any]) -> Json:
        found = as_dict(result.get("result")) or {}
        kind = str(found.get("type"))
        if kind == "succeeded":
            return found.get("message")
        if kind == "errored":
            error = as_dict(found.get("error")) or {}
            inner = as_dict(error.get("error")) or error
            raise classify(STATUS_OF.get(str(inner.get("type")), 500), {}, encode({"error": inner}))
        raise Fault(UNANSWERED.get(kind, "malformed"), f"the request's result is {kind}")
