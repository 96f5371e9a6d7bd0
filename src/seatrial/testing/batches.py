"""The batch APIs of OpenAI (with its files) and Anthropic, as their public references describe them.

Requests of a batch are answered by the same rules, and counted the same way, as requests that come one by one: at the
moment the batch is accepted, since that is when it is billed. States follow the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs

from seatrial.core.identity import encode, loads
from seatrial.core.record import Json, as_dict, as_list
from seatrial.testing.dialects import anthropic, openai
from seatrial.testing.dialects.base import Dialect, dump
from seatrial.testing.faults import error
from seatrial.testing.http import Action, End, Exchange, HttpRequest, response
from seatrial.testing.script import BatchScript

CHAT, MESSAGES = openai.ChatCompletions(), anthropic.Messages()
OPENAI = ("/v1/chat/completions", "/v1/responses")
MOST = 50_000
DAY = timedelta(hours=24)


Answer = Callable[[str, HttpRequest], tuple[int, dict[str, Any]]]
"""Answers and counts one request of a batch, given its kind by the path of the live API: HTTP status and body."""


@dataclass(slots=True)
class Made:
    """A batch that was accepted. `lines` are its results, in the order in which they are given out."""

    id: str
    anthropic: bool
    accepted: float
    created: datetime
    total: int
    endpoint: str = ""
    file_id: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])
    good: list[bytes] = field(default_factory=list[bytes])
    bad: list[bytes] = field(default_factory=list[bytes])
    refused: str = ""
    cancelled: float | None = None
    looks: int = 0
    readings: int = 0


class Desk:
    """Takes batches in, and gives out how they are doing and what came of them."""

    def __init__(self, script: BatchScript, seed: int, answer: Answer, clock: Callable[[], float]) -> None:
        self._script, self._answer, self._clock = script, answer, clock
        self._random = Random(seed)  # noqa: S311  # drawn for tests
        self._files: dict[str, tuple[bytes, str]] = {}
        self._batches: dict[str, Made] = {}
        self._numbers = iter(range(1, 10**9))
        self._dropped = 0

    @property
    def accepted(self) -> int:
        """How many batches were accepted."""
        return sum(not made.refused for made in self._batches.values())

    @property
    def shown(self) -> list[dict[str, Any]]:
        """Every batch in the order of acceptance: id, requests, how often it was looked at and its results read."""
        made = list(self._batches.values())
        return [{"id": m.id, "requests": m.total, "looks": m.looks, "readings": m.readings} for m in made]

    @staticmethod
    def serves(path: str) -> bool:
        """Whether a path is of a batch API."""
        return path.startswith(("/v1/files", "/v1/batches", "/v1/messages/batches"))

    def handle(self, request: HttpRequest) -> Exchange:
        """Answer a request at a path that it serves."""
        parts = request.path.strip("/").split("/")[1:]
        if parts[0] == "messages":
            return self._anthropic(request, parts[2:])
        if parts[0] == "files":
            wait = self._script.upload_after if request.method == "POST" else self._script.results_after
            return _once(self._file(request, parts[1:]), wait)
        return self._openai(request, parts[1:])

    # OpenAI ----------------------------------------------------------------------------------------------------------

    def _file(self, request: HttpRequest, parts: Sequence[str]) -> bytes:
        if request.method == "POST" and not parts:
            form = _form(request)
            if form.get("purpose", (b"", ""))[0] != b"batch" or "file" not in form:
                return error(CHAT, 400, "bad_request", "A file and the purpose batch are needed.")
            file_id = f"file-{next(self._numbers):06d}"
            self._files[file_id] = form["file"]
            return response(200, dump(self._file_object(file_id)))
        if request.method != "GET" or not parts or parts[0] not in self._known_files():
            return error(CHAT, 404, "not_found", f"No such File object: {'/'.join(parts)}")
        if parts[1:] == ["content"]:
            return self._content(parts[0])
        return response(200, dump(self._file_object(parts[0])))

    def _known_files(self) -> set[str]:
        made = (file_id for batch in self._batches.values() for file_id in self._result_files(batch).values())
        return {*self._files, *(file_id for file_id in made if file_id)}

    def _file_object(self, file_id: str) -> dict[str, Any]:
        raw, name = self._files.get(file_id, (b"", "results.jsonl"))
        purpose = "batch" if file_id in self._files else "batch_output"
        head = {"id": file_id, "object": "file", "bytes": len(raw), "created_at": int(time.time())}
        return {**head, "filename": name, "purpose": purpose, "status": "processed"}

    def _content(self, file_id: str) -> bytes:
        if file_id in self._files:
            return response(200, self._files[file_id][0], "application/octet-stream")
        kind, _, batch_id = file_id.removeprefix("file-").partition("-")
        made = self._batches[batch_id]
        return response(
            200, self._given_out(made, made.good if kind == "out" else made.bad), "application/octet-stream"
        )

    def _openai(self, request: HttpRequest, parts: Sequence[str]) -> Exchange:
        if request.method == "POST" and not parts:
            return self._create_openai(request)
        if request.method == "GET" and not parts:
            return _once(response(200, dump(self._page(request, "after", anthropic=False))))
        made = self._batches.get(parts[0]) if parts else None
        if made is None or made.anthropic:
            return _once(error(CHAT, 404, "not_found", f"No batch found with id '{'/'.join(parts)}'."))
        if request.method == "POST" and parts[1:] == ["cancel"]:
            made.cancelled = self._clock()
        elif (fault := self._poll_fault(made, CHAT)) is not None:
            return _once(fault)
        return _once(response(200, dump(self._openai_object(made))))

    def _create_openai(self, request: HttpRequest) -> Exchange:
        order = as_dict(_json(request)) or {}
        endpoint, file_id = str(order.get("endpoint")), str(order.get("input_file_id"))
        if endpoint not in OPENAI or order.get("completion_window") != "24h":
            return _once(error(CHAT, 400, "bad_request", "Invalid endpoint or completion_window."))
        if file_id not in self._files:
            return _once(error(CHAT, 400, "bad_request", f"Invalid input_file_id {file_id!r}."))
        made = self._made(anthropic=False, total=0)
        made.endpoint, made.file_id, made.metadata = endpoint, file_id, as_dict(order.get("metadata")) or {}
        rows = [as_dict(_loads(line)) or {} for line in self._files[file_id][0].split(b"\n") if line.strip()]
        made.total = len(rows)
        made.refused = self._script.refuse or _row_fault(rows, endpoint)
        if not made.refused:
            for row in rows:
                self._answer_openai(made, row, request)
        self._finish(made)
        return self._accepted(dump(self._openai_object(made)))

    def _answer_openai(self, made: Made, row: Mapping[str, Any], request: HttpRequest) -> None:
        custom_id, number = row["custom_id"], next(self._numbers)
        line: dict[str, Any] = {"id": f"batch_req_{number}", "custom_id": custom_id, "response": None, "error": None}
        if self._left_out():
            line["error"] = {"code": "batch_expired", "message": "This request could not be executed before the ..."}
            made.bad.append(dump(line))
            return
        status, body = self._answer(made.endpoint, _inner(request, made.endpoint, row["body"]))
        line["response"] = {"status_code": status, "request_id": f"req_{number}", "body": body}
        (made.good if status == 200 else made.bad).append(dump(line))

    def _openai_object(self, made: Made) -> dict[str, Any]:
        state, share = self._state(made)
        expired = any(b'"batch_expired"' in line for line in made.bad)
        status = "expired" if state == "completed" and expired else state
        ended = status in ("completed", "expired", "cancelled")
        good, bad = (len(made.good), len(made.bad)) if ended else (int(share * len(made.good)), 0)
        stamp = int(made.created.timestamp())
        files = self._result_files(made) if ended else {}
        errors = {"object": "list", "data": [{"code": "invalid", "message": made.refused, "line": 1, "param": None}]}
        return {
            "id": made.id,
            "object": "batch",
            "endpoint": made.endpoint,
            "errors": errors if made.refused and status == "failed" else None,
            "input_file_id": made.file_id,
            "completion_window": "24h",
            "status": status,
            "output_file_id": files.get("output_file_id"),
            "error_file_id": files.get("error_file_id"),
            "created_at": stamp,
            "expires_at": stamp + 86_400,
            "completed_at": stamp if ended else None,
            "request_counts": {"total": made.total, "completed": good, "failed": bad},
            "metadata": made.metadata or None,
        }

    @staticmethod
    def _result_files(made: Made) -> dict[str, str | None]:
        return {
            "output_file_id": f"file-out-{made.id}" if made.good else None,
            "error_file_id": f"file-err-{made.id}" if made.bad else None,
        }

    # Anthropic -------------------------------------------------------------------------------------------------------

    def _anthropic(self, request: HttpRequest, parts: Sequence[str]) -> Exchange:
        if request.method == "POST" and not parts:
            return self._create_anthropic(request)
        if request.method == "GET" and not parts:
            return _once(response(200, dump(self._page(request, "after_id", anthropic=True))))
        made = self._batches.get(parts[0]) if parts else None
        if made is None or not made.anthropic:
            return _once(error(MESSAGES, 404, "not_found", f"No batch {'/'.join(parts)}."))
        if parts[1:] == ["results"]:
            if self._state(made)[0] not in ("completed", "cancelled"):
                return _once(error(MESSAGES, 404, "not_found", "The batch has no results yet."))
            raw = self._given_out(made, made.good)
            return _once(response(200, raw, "application/x-jsonl"), self._script.results_after)
        if request.method == "POST" and parts[1:] == ["cancel"]:
            made.cancelled = self._clock()
        elif (fault := self._poll_fault(made, MESSAGES)) is not None:
            return _once(fault)
        return _once(response(200, dump(self._anthropic_object(made, request))))

    def _create_anthropic(self, request: HttpRequest) -> Exchange:
        rows = [as_dict(row) or {} for row in as_list((as_dict(_json(request)) or {}).get("requests")) or []]
        ids = [row.get("custom_id") for row in rows]
        fits = all(
            isinstance(i, str) and 1 <= len(i) <= 64 and i.replace("-", "_").isidentifier() for i in _marked(ids)
        )
        if not rows or not fits or len(set(map(str, ids))) != len(ids):
            problem = "requests: at least one, each with a custom_id of its own that fits ^[a-zA-Z0-9_-]{1,64}$"
            return _once(error(MESSAGES, 400, "bad_request", problem))
        if self._script.refuse:
            return _once(error(MESSAGES, 400, "bad_request", self._script.refuse))
        made = self._made(anthropic=True, total=len(rows))
        for row in rows:
            result = self._answered_anthropic(row, request)
            made.good.append(dump({"custom_id": row["custom_id"], "result": result}))
        self._finish(made)
        return self._accepted(dump(self._anthropic_object(made, request)))

    def _answered_anthropic(self, row: Mapping[str, Any], request: HttpRequest) -> dict[str, Any]:
        if self._left_out():
            return {"type": "expired"}
        status, body = self._answer("/v1/messages", _inner(request, "/v1/messages", row.get("params")))
        return {"type": "succeeded", "message": body} if status == 200 else {"type": "errored", "error": body}

    def _anthropic_object(self, made: Made, request: HttpRequest) -> dict[str, Any]:
        state, _ = self._state(made)
        ended = state in ("completed", "cancelled")
        counts = {"processing": 0 if ended else made.total}
        for kind in ("succeeded", "errored", "canceled", "expired"):
            mark = f'"result":{{"type":"{kind}"'.encode()
            counts[kind] = sum(mark in line for line in made.good) if ended else 0
        url = f"http://{request.headers.get('host', '')}/v1/messages/batches/{made.id}/results"
        return {
            "id": made.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "canceling" if made.cancelled is not None else "in_progress",
            "request_counts": counts,
            "created_at": made.created.isoformat(),
            "expires_at": (made.created + DAY).isoformat(),
            "ended_at": made.created.isoformat() if ended else None,
            "archived_at": None,
            "cancel_initiated_at": made.created.isoformat() if made.cancelled is not None else None,
            "results_url": url if ended else None,
        }

    # both ------------------------------------------------------------------------------------------------------------

    def _made(self, *, anthropic: bool, total: int) -> Made:
        prefix = "msgbatch_" if anthropic else "batch_"
        made = Made(f"{prefix}{next(self._numbers):06d}", anthropic, self._clock(), datetime.now(UTC), total)
        self._batches[made.id] = made
        return made

    def _finish(self, made: Made) -> None:
        """Put the results into the order, and the state, in which they will be given out."""
        if self._script.shuffle:
            self._random.shuffle(made.good)
            self._random.shuffle(made.bad)
        made.good += made.good[: self._script.repeat]
        made.bad += made.bad[: self._script.repeat]
        if self._script.stray:
            made.good += [dump({"custom_id": f"stray-{i}", "result": {"type": "expired"}}) for i in range(2)]

    def _left_out(self) -> bool:
        return self._random.random() < self._script.expire

    def _accepted(self, body: bytes) -> Exchange:
        """The answer to an accepted batch; the first few may get lost on their way, or take their time."""
        if self._dropped < self._script.lose:
            self._dropped += 1
            return Exchange(iter((End.RESET,)))
        return _once(response(200, body), self._script.answer_after)

    def _state(self, made: Made) -> tuple[str, float]:
        """Where a batch is by now, and how much of it is done."""
        script, age = self._script, self._clock() - made.accepted
        if made.refused:
            return ("validating" if age < script.validating else "failed"), 0.0
        if made.cancelled is not None:
            return "cancelled", 1.0
        steps = (("validating", script.validating), ("in_progress", script.running), ("finalizing", script.finalizing))
        for name, seconds in steps:
            if age < seconds:
                return name, age / seconds if name == "in_progress" else float(name == "finalizing")
            age -= seconds
        return "completed", 1.0

    def _poll_fault(self, made: Made, dialect: Dialect) -> bytes | None:
        made.looks += 1
        if made.looks > len(self._script.poll_faults):
            return None
        kind = self._script.poll_faults[made.looks - 1]
        status = 429 if kind == "rate_limit" else 500
        return error(dialect, status, kind, "Not this time.", retry_after="0")

    def _given_out(self, made: Made, lines: Sequence[bytes]) -> bytes:
        made.readings += 1
        whole = b"\n".join(lines) + b"\n"
        return whole[: len(whole) * 2 // 3] if made.readings <= self._script.truncate else whole

    def _page(self, request: HttpRequest, cursor: str, *, anthropic: bool) -> dict[str, Any]:
        query = {key: values[0] for key, values in parse_qs(request.query).items()}
        items = [made for made in reversed(self._batches.values()) if made.anthropic is anthropic]
        items = items if self._script.lag == 0 else [m for m in items if self._clock() - m.accepted > self._script.lag]
        ids = [made.id for made in items]
        start = ids.index(query[cursor]) + 1 if query.get(cursor) in ids else 0
        limit = int(query["limit"]) if query.get("limit", "").isdecimal() else 20
        shown = items[start : start + limit]
        objects = [self._anthropic_object(m, request) if anthropic else self._openai_object(m) for m in shown]
        page: dict[str, Any] = {"data": objects, "has_more": start + limit < len(items)}
        page |= {"first_id": shown[0].id if shown else None, "last_id": shown[-1].id if shown else None}
        return page if anthropic else {"object": "list", **page}


def _once(answer: bytes, wait: float = 0.0) -> Exchange:
    actions: tuple[Action, ...] = (wait, answer) if wait else (answer,)
    return Exchange(iter(actions))


def _inner(request: HttpRequest, path: str, body: Json) -> HttpRequest:
    """A request of a batch as if it had come by itself."""
    return HttpRequest("POST", path, request.headers, encode(body), keep_alive=True, chunks=True)


def _marked(ids: Sequence[Any]) -> Iterator[Any]:
    """The ids with a letter before each, so that those that start with a digit are no less identifiers."""
    return (f"x{i}" if isinstance(i, str) and i and len(i) <= 64 and i.isascii() else None for i in ids)


def _row_fault(rows: Sequence[Mapping[str, Any]], endpoint: str) -> str:
    """Why a file is no batch, empty where it is one."""
    ids = [row.get("custom_id") for row in rows]
    if not rows or len(rows) > MOST:
        return f"A batch has 1 to {MOST} requests."
    if any(not isinstance(i, str) for i in ids) or len(set(ids)) != len(ids):
        return "Every line needs a custom_id of its own."
    if any(row.get("method") != "POST" or row.get("url") != endpoint or not row.get("body") for row in rows):
        return "Every line needs method POST, the batch's url, and a body."
    return "" if len({str(row["body"].get("model")) for row in rows}) == 1 else "All lines must be for one model."


def _json(request: HttpRequest) -> Any:
    return _loads(request.body)


def _loads(raw: bytes) -> Any:
    try:
        return loads(raw)
    except ValueError:
        return None


def _form(request: HttpRequest) -> dict[str, tuple[bytes, str]]:
    """The fields of a multipart form (RFC 7578): content and file name."""
    _, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    found: dict[str, tuple[bytes, str]] = {}
    if not boundary:
        return found
    mark = b"--" + boundary.strip('"').encode()
    for part in request.body.split(mark)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        pieces = head.decode("utf-8", "replace").replace("\r\n", ";").split(";")
        words = dict(piece.strip().split("=", 1) for piece in pieces if "=" in piece)
        name = words.get("name", "").strip('"')
        found[name] = content.removesuffix(b"\r\n"), words.get("filename", "").strip('"')
    return found
