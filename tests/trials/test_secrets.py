"""A key is nowhere but in the environment and in one header, however a run fails and whatever an endpoint echoes."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sqlite3
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.targets.answers import chunk, content, delta, message, piece, response, said, streamed_message, text_block
from tests.targets.raw_server import Got, RawServer, completion, http, sse
from tests.trials.project import Project

KEY = "sk-Zq7+/Tr4nD=Xx9_vLmQ2w8Yp0Ns5Bc3Ke6Hj1"
PART = 12
HEAVY = pytest.mark.heavy
"""Every command is a process of its own: the ordinary run has one or two of each kind, `make heavy` has all."""

SETUP = "import logging; logging.basicConfig(level=logging.DEBUG)\n"


def forms() -> dict[str, str]:
    """How an endpoint may write a key."""
    raw = KEY.encode()
    return {
        "plain": KEY,
        "first half": KEY[: len(KEY) // 2],
        "second half": KEY[len(KEY) // 2 :],
        "base64": base64.b64encode(raw).decode(),
        "base64 of the header": base64.b64encode(b"Bearer " + raw).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(b"u:" + raw).decode(),
        "percent": quote(KEY, safe=""),
        "hex": raw.hex(),
        "twice": KEY + KEY,
    }


ECHO = "; ".join(f"{name}: {form}" for name, form in forms().items())


def parts() -> list[bytes]:
    """Every stretch of 12 characters of every form: one of them anywhere is a leak."""
    found: set[str] = set()
    encodings = [base64.b64encode, base64.urlsafe_b64encode]
    texts = [KEY, quote(KEY, safe=""), KEY.encode().hex(), KEY.encode().hex().upper()]
    for lead in range(3):
        for encode in encodings:
            encoded = encode(b"\0" * lead + KEY.encode()).decode().rstrip("=")
            texts.append(encoded[4 * bool(lead) : -1])
    for text in texts:
        found |= {text[at : at + PART] for at in range(len(text) - PART + 1)}
    return [part.encode() for part in sorted(found)]


PARTS = re.compile(b"|".join(re.escape(part) for part in parts()))


def leaks(raw: bytes) -> list[bytes]:
    return PARTS.findall(raw)


def escaped(text: str) -> str:
    """JSON text in which every character is written by its number."""
    return "".join(f"\\u{ord(c):04x}" for c in text)


def answer(kind: str, text: str) -> Any:
    match kind:
        case "openai":
            return completion(text, system_fingerprint=text, model=text)
        case "responses":
            return response(said({"type": "output_text", "text": text}), model=text)
        case "anthropic":
            return message({"type": "text", "text": text}, model=text)
        case "gemini":
            return content({"text": text}, modelVersion=text)
        case _:
            return {"text": text, "docs": [{"body": text, "id": text}]}


def streamed(kind: str, text: str) -> list[Any]:
    match kind:
        case "openai":
            last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            return [*(chunk(content=c) for c in text), last]
        case "responses":
            whole = response(said({"type": "output_text", "text": text}))
            return [*(delta(c) for c in text), {"type": "response.completed", "response": whole}]
        case "anthropic":
            return streamed_message(text_block(*text))
        case _:
            return [*(piece(c) for c in text), content({"text": "."})]


def failing(text: str, code: str = "x") -> Any:
    return {"error": {"message": text, "type": code, "code": code, "detail": text}}


Reply = Callable[[str], bytes]
WAYS: dict[str, Reply] = {
    "fine": lambda kind: http(answer(kind, "Paris")),
    "echo": lambda kind: http(answer(kind, ECHO)),
    "echo_escaped": lambda kind: http(json.dumps(answer(kind, "@")).replace("@", escaped(ECHO)).encode()),
    "echo_400": lambda _: http(failing(f"bad header Authorization: Bearer {KEY}; {ECHO}"), 400),
    "echo_escaped_400": lambda _: http(b'{"error": {"message": "%s"}}' % escaped(ECHO).encode(), 400),
    "echo_500": lambda _: http(ECHO.encode(), 500),
    "echo_in_200": lambda _: http(failing(ECHO)),
    "echo_cut": lambda _: http((" " * (65536 - 20) + KEY).encode(), 500),
    "malformed": lambda _: http(b"{" + ECHO.encode()),
    "truncated": lambda kind: http(answer(kind, ECHO), length=100_000),
    "status_line": lambda _: f"HTTP/1.1 400 {KEY}\r\ncontent-length: 0\r\n\r\n".encode(),
    "bad_header": lambda _: f"HTTP/1.1 200 OK\r\n{KEY}\r\ncontent-length: 0\r\n\r\n".encode(),
    "bad_status": lambda _: f"HTTP/1.1 {KEY} OK\r\n\r\n".encode(),
    "bad_chunk": lambda _: f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{KEY}\r\n".encode(),
    "bad_401": lambda _: http(failing(ECHO, "invalid_api_key"), 401),
    "bad_403": lambda _: http(failing(ECHO, "forbidden"), 403),
    "quota": lambda _: http(failing(ECHO, "insufficient_quota"), 429),
    "limited": lambda _: http(failing(ECHO, "rate_limit"), 429, retry_after="0"),
    "stream": lambda kind: sse(*streamed(kind, ECHO)),
    "stream_error": lambda kind: sse(*streamed(kind, "Paris")[:2], failing(ECHO), done=False),
    "stream_odd": lambda _: sse("{" + ECHO, done=False),
    "stream_cut": lambda kind: sse(*streamed(kind, ECHO)[:-3], done=False),
}
SLOW = ("hang", "unreachable", "redirect")


class Endpoint:
    """A server in a thread that answers each path's first part its own way; another one counts who was sent there."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: list[bool] = []
        self.elsewhere: list[Got] = []
        self.ways: set[str] = set()
        self._up, self._down = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Endpoint:
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._up.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._down.set)
        self._thread.join(60)
        self._loop.close()

    async def _serve(self) -> None:
        async with RawServer([http({})]) as other, RawServer([self._answer]) as server:
            self.elsewhere, self._other = other.got, other.url
            self.url = server.url.removesuffix("/v1")
            self._up.set()
            await self._down.wait()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)

    async def _answer(self, got: Got, writer: asyncio.StreamWriter) -> None:
        _, way, kind, *_ = got.path.split("/")
        self.ways.add(way)
        self.keys.append(KEY in "".join(got.headers.values()))
        if way == "hang":
            await asyncio.sleep(20)
        reply = http(b"", 307, location=self._other) if way == "redirect" else WAYS[way](kind)
        writer.write(reply)
        await writer.drain()
        if b"content-length" not in reply.lower() or b"x-cut" in reply:
            writer.close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        yield server


def target(kind: str, way: str, url: str) -> dict[str, Any]:
    base = "http://127.0.0.1:9" if way == "unreachable" else url
    fields: dict[str, Any] = {"retries": 0, "timeout": 2 if way == "hang" else 20, "api_key_env": "THE_KEY"}
    if kind == "https":
        options = {
            "body": {"q": "{{ input }}"},
            "response": {"text": "text", "context": {"at": "docs", "text": "body"}},
        }
        return {**fields, "use": f"{base}/{way}/https", "options": options}
    fields |= {"use": f"{kind}:m", "base_url": f"{base}/{way}/{kind}/v1", "stream": way.startswith("stream")}
    return {**fields, "params": {"max_tokens": 100}} if kind == "anthropic" else fields


def run(project: Project, *arguments: str) -> tuple[subprocess.Popen[str], str, set[bytes]]:
    """Run the command with debug logs and the key in its environment: its output, and all process arguments seen."""
    (project.folder / "site").mkdir(exist_ok=True)
    (project.folder / "site" / "sitecustomize.py").write_text(SETUP)
    (project.folder / "tmp").mkdir(exist_ok=True)
    extra = {
        "THE_KEY": KEY,
        "PYTHONPATH": str(project.folder / "site"),
        "PYTHONASYNCIODEBUG": "1",
        "SEATRIAL_DEBUG": "1",
    }
    environ = {**os.environ, **extra, "TMPDIR": str(project.folder / "tmp")}
    with (project.folder / "output.txt").open("w+") as out:
        process = subprocess.Popen(
            project.command(*arguments),
            cwd=project.folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            env=environ,
        )
        seen: set[bytes] = set()
        while process.poll() is None:
            seen |= arguments_of(process.pid)
            time.sleep(0.05)
    return process, (project.folder / "output.txt").read_text(), seen


def arguments_of(pid: int) -> set[bytes]:
    try:
        own = Path(f"/proc/{pid}/cmdline").read_bytes()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {own, *(line for child in children for line in arguments_of(int(child)))}
    except OSError:
        return set()


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the folder, and every value of its stores, unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()
    for store in folder.rglob("*.db"):
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
            tables = [row[0] for row in database.execute("select name from sqlite_master where type = 'table'")]
            for table in tables:
                for row in database.execute(f"select * from {table}"):
                    for value in row:
                        yield f"{store.name}:{table}", unpacked(value)


def unpacked(value: Any) -> bytes:
    if isinstance(value, bytes):
        return zlib.decompress(value[1:]) if value[:1] == b"\x01" and value[1:2] == b"x" else value
    return str(value).encode("utf-8", "replace")


def check(project: Project, said: str, seen: set[bytes]) -> None:
    places = [(where, leaks(raw)) for where, raw in everything(project.folder)]
    assert [(where, found) for where, found in places if found] == []
    assert leaks(said.encode()) == []
    assert [line for line in seen if leaks(line)] == []
    if Path("/proc/self/cmdline").exists():
        assert seen


def test_the_search_finds_every_form() -> None:
    for name, form in forms().items():
        assert leaks(form.encode()), name
    assert leaks(b"nothing here, not even sk-Zq7+/Tr4") == []


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic", "gemini", "https"])
def test_no_way_to_fail_lets_the_key_out(kind: str, project: Project, endpoint: Endpoint) -> None:
    ways = [way for way in (*WAYS, *SLOW) if kind != "https" or not way.startswith("stream")]
    targets = {way: target(kind, way, endpoint.url) for way in ways}
    cases = [{"id": f"c{i}", "input": f"question {i}", "expected": "Paris"} for i in range(2)]
    project.write(cases, targets=targets, incumbent="fine")
    endpoint.ways.clear()
    endpoint.keys.clear()
    done, said, seen = run(project, "run", "-o", "report.html", "-o", "report.md", "-o", "report.json")
    assert done.returncode in (0, 4), said
    assert endpoint.ways == set(ways) - {"unreachable"}
    assert all(endpoint.keys)
    assert endpoint.elsewhere == []
    check(project, said, seen)
    stored = b"".join(raw for where, raw in everything(project.folder) if where.endswith("output_payloads"))
    assert stored.count(b"***") >= 10
    again, told, _ = run(project, "compare", "--json", "-o", "again.html")
    assert again.returncode in (0, 4), told
    check(project, told, seen)


@pytest.mark.parametrize("way", ["bad_401", *(pytest.param(way, marks=HEAVY) for way in ("bad_403", "quota"))])
def test_a_run_whose_only_target_is_down_tells_no_key(way: str, project: Project, endpoint: Endpoint) -> None:
    project.write([{"id": "a", "input": "q", "expected": "x"}], targets={"only": target("openai", way, endpoint.url)})
    for flags in ([], ["--json"]):
        done, said, seen = run(project, "run", *flags)
        assert done.returncode == 4, said
        assert "***" in said
        check(project, said, seen)


CRASH = """
import os
def crash(request):
    secret = os.environ["THE_KEY"]
    raise ValueError(f"cannot log in with {secret!r}, half of it is {secret[:20]}")
async def fail(request):
    return {"failure": {"kind": "infra", "code": "mine", "message": "refused " + os.environ["THE_KEY"]}}
"""


@pytest.mark.parametrize("name", ["crash", pytest.param("fail", marks=HEAVY)])
def test_a_function_that_crashes_tells_no_key(name: str, project: Project) -> None:
    (project.folder / "mine.py").write_text(CRASH)
    project.write([{"id": "a", "input": "q", "expected": "x"}], targets={"m": {"use": f"python:mine:{name}"}})
    _, said, seen = run(project, "run", "-o", "report.html")
    check(project, said, seen)
    stored = b"".join(raw for where, raw in everything(project.folder) if where.endswith("output_payloads"))
    assert b"***" in stored


LOOKS_LIKE_A_KEY = "sk-Zq7Tr4nDXx9_vLmQ2w8Yp0Ns5Bc3Ke6Hj1"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"api_key_env": LOOKS_LIKE_A_KEY}, id="instead-of-its-variable"),
        pytest.param({"api_key_env": LOOKS_LIKE_A_KEY.replace("-", "_")}, id="as-a-variable", marks=HEAVY),
        pytest.param({"headers": {"Authorization": f"Bearer {LOOKS_LIKE_A_KEY}"}}, id="authorization"),
        pytest.param({"headers": {"x-team": LOOKS_LIKE_A_KEY}}, id="any-header", marks=HEAVY),
        pytest.param({"headers": {"x-team": f"{LOOKS_LIKE_A_KEY}\r\n"}}, id="broken-header", marks=HEAVY),
        pytest.param({"headers": {"x-auth-token": LOOKS_LIKE_A_KEY[3:]}}, id="token-header", marks=HEAVY),
        pytest.param({"headers": {"ocp-apim-subscription-key": LOOKS_LIKE_A_KEY[3:]}}, id="key-header", marks=HEAVY),
        pytest.param({"base_url": f"http://user:{LOOKS_LIKE_A_KEY}@127.0.0.1:9/v1"}, id="credentials"),
        pytest.param({"base_url": f"http://127.0.0.1:9/v1?key={LOOKS_LIKE_A_KEY}"}, id="query", marks=HEAVY),
        pytest.param({"base_url": f"http://127.0.0.1:9/{LOOKS_LIKE_A_KEY}/v1"}, id="path", marks=HEAVY),
        pytest.param({"base_url": f"ftp://127.0.0.1:9/{LOOKS_LIKE_A_KEY}"}, id="wrong-scheme", marks=HEAVY),
        pytest.param({"params": {"api_key": LOOKS_LIKE_A_KEY}}, id="parameter"),
        pytest.param({"api_key": LOOKS_LIKE_A_KEY}, id="no-setting", marks=HEAVY),
    ],
)
def test_a_key_in_a_wrong_place_is_refused_and_not_shown(fields: dict[str, Any], project: Project) -> None:
    target = {"use": "openai:m", "base_url": "http://127.0.0.1:9/v1", "retries": 0, **fields}
    project.write([{"id": "a", "input": "q", "expected": "x"}], targets={"m": target})
    for flags in ([], ["--json"]):
        done, said, _ = run(project, "run", *flags)
        assert done.returncode == 2, said
        assert LOOKS_LIKE_A_KEY[3:16] not in said.replace("-", "_")
        assert LOOKS_LIKE_A_KEY[-13:] not in said
    for where, raw in everything(project.folder):
        assert where == "seatrial.yaml" or LOOKS_LIKE_A_KEY[-13:].encode() not in raw, where
