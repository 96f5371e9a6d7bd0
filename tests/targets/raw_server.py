"""A raw TCP server that sends exactly the bytes a test scripts, and the bytes of common answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.targets import build

KEY = "sk-secret-0123456789abcdef"


@dataclass(frozen=True)
class Got:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


Script = Callable[[Got, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Answers the n-th request by the n-th script (the last one again when they run out)."""

    scripts: list[bytes | Script]
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    _server: asyncio.Server | None = None
    _serving: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def __aenter__(self) -> RawServer:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 26)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._serving.values():  # also where its task has not begun, and so has no end
            writer.close()
        await asyncio.sleep(0)  # the connections learn that they are lost

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving[asyncio.create_task(self._serve(reader, writer))] = writer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                method, path, _ = lines[0].split(" ", 2)
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
                raw = await reader.readexactly(int(headers.get("content-length", 0)))
                self.got.append(Got(method, path, headers, raw))
                script = self.scripts[min(len(self.got), len(self.scripts)) - 1]
                if not isinstance(script, bytes):
                    await script(self.got[-1], writer)
                else:
                    writer.write(script)
                    await writer.drain()
                    if b"content-length" not in script.lower():
                        return
                    if b"x-cut" in script:
                        return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def http(body: bytes | Any, status: int = 200, *, length: int | None = None, **headers: str) -> bytes:
    """The bytes of an HTTP answer. `length` lies about the body's length and then cuts the connection."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"content-type": "application/json", "content-length": str(len(raw) if length is None else length)}
    head |= {key.replace("_", "-"): value for key, value in headers.items()}
    head |= {"x-cut": "1"} if length is not None else {}
    lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
    return f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode() + raw


def sse(*events: Any, done: bool = True, end: str = "\n\n") -> bytes:
    """The bytes of an event stream that ends with its connection."""
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events] + ["[DONE]"] * done
    body = "".join(f"data: {text}{end}" for text in texts)
    return f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n{body}".encode()


def completion(content: Any = "Paris", **fields: Any) -> dict[str, Any]:
    """A completion as OpenAI's reference shows it."""
    message = {"role": "assistant", "content": content, **fields.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **fields.pop("choice", {})}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1741569952,
        "model": "gpt-test-2026-01-01",
        "choices": [choice],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        "system_fingerprint": "fp_1",
        **fields,
    }


def error(code: str | None, message: str = "no", kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


CASE = Case(id="c1", input="What is the capital of France?")
REQUEST = Request(messages=CASE.input)


def spec(server: RawServer | None = None, **fields: Any) -> TargetSpec:
    base = {"base_url": server.url} if server else {}
    return TargetSpec.model_validate({"use": "openai:gpt-test", "timeout": 5, "retries": 0, **base, **fields})


async def ask(
    server: RawServer, request: Request = REQUEST, environ: dict[str, str] | None = None, **fields: Any
) -> Output:
    """One question to a target at the server."""
    target = build("t", spec(server, **fields), Path(), environ or {})
    await target.open()
    try:
        return await target.generate(CASE, request)
    finally:
        await target.close()


def answer(*scripts: bytes | Script, request: Request = REQUEST, **fields: Any) -> tuple[Output, list[Got]]:
    """The output of one question to a server with these scripts, and what the server got."""

    async def go() -> tuple[Output, list[Got]]:
        async with RawServer(list(scripts)) as server:
            return await ask(server, request, **fields), server.got

    return asyncio.run(go())
