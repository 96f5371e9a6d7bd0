"""Commands run in this process, and a server whose every answer to GET is set by the test."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Generator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from seatrial.cli import main

Call = Callable[..., "subprocess.CompletedProcess[str]"]


class Lists:
    """What the server says, and the keys that it was shown."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"{}", dict[str, str]()
        self.keys: set[str] = set()
        self.url = ""

    def say(self, value: Any, **headers: str) -> None:
        """Answer with this JSON from now on."""
        self.answer(200, json.dumps(value).encode(), **headers)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Answer with these bytes from now on."""
        self.status, self.body, self.headers = status, body, headers


@pytest.fixture
def lists() -> Generator[Lists, None, None]:
    said = Lists()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.keys |= {self.headers.get("Authorization", "")} - {""}
            self.send_response_only(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(said.body)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    said.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield said
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in the test's folder, in this process, with nothing but `env` in the environment."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        for name in list(os.environ):
            if name.endswith(("_KEY", "_TOKEN", "_PAT")) or name.startswith(("SEATRIAL_", "AWS_", "GOOGLE_")):
                monkeypatch.delenv(name)
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        code = main.invoke(list(arguments))
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return run
