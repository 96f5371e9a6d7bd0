"""OpenAI's batch API: a file of requests is uploaded, a batch made of it, and files of results are read back.

Written from the public API reference (platform.openai.com/docs/api-reference/batch, …/files, and the batch guide).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from seatrial.core.protocols import BatchStatus
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.batches import IDS, UPLOAD_SECONDS, Api, an_id, count, lines_of, moment, size_of
from seatrial.targets.line import encoded
from seatrial.targets.retry import Fault, classify
from seatrial.targets.strict import an_object

NAME = "seatrial"
"""The key of a batch's metadata under which its name stands."""
ENDED = frozenset({"completed", "expired", "cancelled", "failed"})
EARLIER = 600.0
"""Seconds by which the provider's clock may be behind ours."""
LOST = {"batch_expired": "expired", "batch_cancelled": "cancelled"}


class OpenAIBatches(Api):
    """Batches of chat completions or responses. Its limits: 50,000 requests and 200 MB in a file."""

    own_requests: ClassVar[int] = 50_000
    own_bytes: ClassVar[int] = 200 * 10**6

    def _entry(self, custom_id: str, body: Json) -> Json:
        return {"custom_id": custom_id, "method": "POST", "url": self._endpoint, "body": body}

    @property
    def _endpoint(self) -> str:
        return f"/v1{self.asking.ending}"

    def _batch_url(self, batch_id: str = "") -> str:
        return self._url(f"/batches/{batch_id}" if batch_id else "/batches")

    async def submit(self, name: str, entries: Path) -> str:
        """Upload the lines, which costs nothing and may be done again, then make a batch of them."""
        try:
            file_id = await self._upload(name, entries)
        except Fault as fault:
            raise self._refusal("takes no file", fault) from fault
        order: dict[str, Json] = {
            "input_file_id": file_id,
            "endpoint": self._endpoint,
            "completion_window": "24h",
            "metadata": {NAME: name},
        }
        return await self._created(self._batch_url(), lambda: encoded(order))

    async def _upload(self, name: str, entries: Path) -> str:
        boundary = secrets.token_hex(24)
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{NAME}-{name}.jsonl"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = size_of(entries, head, tail)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(size)}
        data = lines_of(entries, head, b"\n", tail)
        url, seconds = self._url("/files"), UPLOAD_SECONDS
        return an_id(await self._retried(lambda: self._json("POST", url, data, headers=headers, seconds=seconds)))

    async def find(self, name: str, requests: int, since: str, known: Collection[str]) -> str:
        """The batch whose metadata hold the name."""
        del requests, known
        async for item in self._listed("after", moment(since) - EARLIER):
            if (as_dict(item.get("metadata")) or {}).get(NAME) == name:
                return an_id(item)
        return ""

    def _status(self, said: Mapping[str, Any]) -> BatchStatus:
        status = said.get("status")
        if not isinstance(status, str):
            raise Fault("malformed", "the batch has no status")
        counts = as_dict(said.get("request_counts")) or {}
        done = count(counts.get("completed")) + count(counts.get("failed"))
        refused = _reason(said) if status == "failed" else ""
        return BatchStatus(status in ENDED, done, count(counts.get("total")), refused)

    def _result_urls(self, batch_id: str, said: Mapping[str, Any]) -> Iterator[str]:
        del batch_id
        for key in ("output_file_id", "error_file_id"):
            file_id = said.get(key)
            if isinstance(file_id, str) and IDS.fullmatch(file_id):
                yield self._url(f"/files/{file_id}/content")

    def _answer(self, result: Mapping[str, Any]) -> Json:
        response = as_dict(result.get("response"))
        if response is None:
            error = an_object(result.get("error") or {}, "error")
            code = str(error.get("code") or "")
            raise Fault(LOST.get(code, "server_error"), str(error.get("message") or code or "neither answer nor error"))
        status = response.get("status_code")
        if isinstance(status, int) and not 200 <= status < 300:
            raise classify(status, {}, encoded(response.get("body")))
        return response.get("body")


def _reason(said: Mapping[str, Any]) -> str:
    """Why a batch failed as a whole."""
    errors = as_list((as_dict(said.get("errors")) or {}).get("data")) or []
    found = [as_dict(error) or {} for error in errors[:3]]
    texts = [
        f"line {e['line']}: {e.get('message')}" if e.get("line") else str(e.get("message") or e.get("code"))
        for e in found
    ]
    return "; ".join(texts) or "it gives no reason"
