"""A client that shows the very bytes that a server sends."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest

Talk = Callable[..., bytes]


def request(body: object, *, path: str = "/v1/chat/completions", method: str = "POST", headers: str = "") -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(raw)}\r\n{headers}\r\n"
    return lines.encode("latin-1") + raw


def chat(text: str = "hi", *, model: str = "m", headers: str = "connection: close\r\n", **fields: object) -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return request(body, headers=headers)


@pytest.fixture
def talk() -> Talk:
    """Send bytes; give all that comes back until the server closes, then `<reset>` or `<silence>` if it did not."""

    def send(port: int, data: bytes, *, silence: float = 5.0, most: int = 2**26) -> bytes:
        got = bytearray()
        with socket.create_connection(("127.0.0.1", port), timeout=silence) as at:
            at.sendall(data)
            try:
                while part := at.recv(1 << 16):
                    got += part
                    if len(got) >= most:
                        break
            except ConnectionResetError:
                got += b"<reset>"
            except TimeoutError:
                got += b"<silence>"
        return bytes(got)

    return send


@pytest.fixture
def make_chat() -> Callable[..., bytes]:
    """A chat request's bytes."""
    return chat


@pytest.fixture
def make_request() -> Callable[..., bytes]:
    """Any request's bytes."""
    return request
