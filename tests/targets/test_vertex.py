"""Vertex AI: Gemini and Claude, tokens of a service account, and Google's own client beside us."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import threading
import urllib.parse
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.targets.hostile import HOSTILE
from tests.targets.raw_server import answer, http
from tests.targets.test_hostile import check_typed

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import TargetConfigError, TargetDownError
from seatrial.targets import build
from seatrial.targets.auth import Bearer
from seatrial.targets.google import fetch_token
from seatrial.targets.retry import Fault
from seatrial.testing import FakeProvider, Reply, Rule, Script

TOKEN = "ya29.ready-token-0123456789"
OPTIONS = {"project": "acme-1", "location": "europe-west4"}
CASE = Case(id="c", input="?")


def request(text: str = "Paris?", **fields: Any) -> Request:
    return Request.model_validate({"messages": [{"role": "user", "content": text}], **fields})


def target(environ: dict[str, str] | None = None, **fields: Any) -> Any:
    spec = {"use": "vertex:gemini-2.5-pro", "retries": 0, "options": OPTIONS, **fields}
    return build("t", TargetSpec.model_validate(spec), Path(), {"TOKEN": TOKEN} if environ is None else environ)


async def ask(one: Any, asked: Request) -> Output:
    await one.open()
    try:
        return await one.generate(CASE, asked)
    finally:
        await one.close()


@pytest.fixture(scope="module")
def fake():
    rules = [
        Rule(when={"input": "call"}, tool_calls=[{"name": "look_up", "arguments": {"id": 7}}]),
        Rule(when={"input": "long"}, text="one two three four five six"),
        Rule(when={"input": "limit"}, fault="rate_limit"),
    ]
    with FakeProvider(Script(answers=rules, default=Reply(echo="You said: {input}"))).in_thread() as running:
        yield running


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("text", ["Paris?", "call", "long", "limit"])
def test_google_s_client_asks_and_reads_the_same(fake: FakeProvider, text: str, stream: bool) -> None:
    genai = pytest.importorskip("google.genai")
    from google.auth.credentials import Credentials
    from google.genai import errors

    class Fixed(Credentials):
        def __init__(self) -> None:
            super().__init__()
            self.token = TOKEN

        def refresh(self, request: Any) -> None:
            raise AssertionError("the token lasts")

    most = 4 if text == "long" else 50
    http_options = genai.types.HttpOptions(base_url=fake.url, api_version="v1")
    where = {"project": OPTIONS["project"], "location": OPTIONS["location"]}
    client = genai.Client(vertexai=True, credentials=Fixed(), http_options=http_options, **where)
    fake.reset()
    try:
        models, config = client.models, {"max_output_tokens": most}
        fields = {
            "model": "gemini-2.5-pro",
            "contents": [{"role": "user", "parts": [{"text": text}]}],
            "config": config,
        }
        parts = list(models.generate_content_stream(**fields)) if stream else [models.generate_content(**fields)]
        said = [part for got in parts for part in got.candidates[0].content.parts or ()]
        theirs = "".join(part.text or "" for part in said), [p.function_call.name for p in said if p.function_call], 0
    except errors.APIError as refused:
        theirs = "", [], refused.code
    their_call = fake.log[-1]
    fake.reset()
    one = target(base_url=f"{fake.url}/v1", api_key_env="TOKEN", stream=stream, params={"max_tokens": most})
    mine = asyncio.run(ask(one, request(text, params={"max_tokens": most})))
    status = (mine.failure.http_status or 0) if mine.failure else 0
    assert (mine.text, [c.name for c in mine.tool_calls], status) == theirs
    my_call = fake.log[-1]
    assert my_call.body == their_call.body
    assert (my_call.key, my_call.model) == (their_call.key, their_call.model)
    assert my_call.headers["authorization"] == their_call.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("text", ["Paris?", "call", "long", "limit"])
def test_anthropic_s_client_for_vertex_asks_and_reads_the_same(fake: FakeProvider, text: str, stream: bool) -> None:
    anthropic = pytest.importorskip("anthropic")
    most = 4 if text == "long" else 50
    client = anthropic.AnthropicVertex(
        base_url=f"{fake.url}/v1", access_token=TOKEN, project_id="acme-1", region="europe-west4", max_retries=0
    )
    fields = {"model": "claude-sonnet-4@20250514", "max_tokens": most, "messages": [{"role": "user", "content": text}]}
    fake.reset()
    try:
        if stream:
            with client.messages.stream(**fields) as events:
                got = events.get_final_message()
        else:
            got = client.messages.create(**fields)
        blocks = got.content
        theirs = (
            "".join(b.text for b in blocks if b.type == "text"),
            [b.name for b in blocks if b.type == "tool_use"],
            0,
        )
    except anthropic.APIStatusError as refused:
        theirs = "", [], refused.status_code
    their_call = fake.log[-1]
    fake.reset()
    use = "vertex:claude-sonnet-4@20250514"
    one = target(use=use, base_url=f"{fake.url}/v1", api_key_env="TOKEN", stream=stream, params={"max_tokens": most})
    mine = asyncio.run(ask(one, request(text, params={"max_tokens": most})))
    status = (mine.failure.http_status or 0) if mine.failure else 0
    assert (mine.text, [c.name for c in mine.tool_calls], status) == theirs
    my_call = fake.log[-1]
    assert {**my_call.body, "stream": stream} == {"stream": False, **their_call.body}
    assert (my_call.key, my_call.model) == (their_call.key, "claude-sonnet-4@20250514")
    assert my_call.headers["authorization"] == their_call.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("use", "stream", "path"),
    [
        ("vertex:gemini-2.5-pro", False, "google/models/gemini-2.5-pro:generateContent"),
        ("vertex:gemini-2.5-pro", True, "google/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
        ("vertex:claude-opus-4@20250514", False, "anthropic/models/claude-opus-4@20250514:rawPredict"),
        ("vertex:claude-opus-4@20250514", True, "anthropic/models/claude-opus-4@20250514:streamRawPredict"),
    ],
)
def test_the_path(use: str, stream: bool, path: str) -> None:
    params = {"max_tokens": 9}
    _, got = answer(http(b"{}"), use=use, stream=stream, options=OPTIONS, params=params)
    assert got[0].path == f"/v1/projects/acme-1/locations/europe-west4/publishers/{path}"
    assert "authorization" not in got[0].headers


@pytest.mark.parametrize(
    ("version", "params", "said"),
    [
        pytest.param("", {"temperature": 0}, "is no longer taken as of 2026-10-21", id="usual"),
        pytest.param("vertex-2023-10-16", {"temperature": 0}, "", id="older"),
    ],
)
def test_the_version_says_whether_temperature_is_taken(version: str, params: dict[str, Any], said: str) -> None:
    options = {**OPTIONS, **({"anthropic_version": version} if version else {})}
    fields = {"use": "vertex:claude-3-haiku", "options": options, "params": {"max_tokens": 9, **params}}
    if said:
        with pytest.raises(TargetConfigError, match=said):
            answer(http(b"{}"), **fields)
        return
    _, got = answer(http(b"{}"), request=request(params=fields["params"]), **fields)
    assert (got[0].body["temperature"], got[0].body["anthropic_version"]) == (0, version)


@pytest.mark.parametrize(
    ("location", "base"),
    [
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com/v1"),
        ("global", "https://aiplatform.googleapis.com/v1"),
    ],
)
def test_the_location_names_the_host(location: str, base: str) -> None:
    environ = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": location}
    assert target(environ, options={}).identity()["base_url"] == base


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        pytest.param({"options": {}}, ["options.project: is needed"], id="no-project"),
        pytest.param({"options": {"project": "a/../b"}}, ["options.project: may have"], id="path"),
        pytest.param({"base_url": "https://evil.example/v1"}, ["evil.example"], id="stranger"),
        pytest.param({"base_url": "http://aiplatform.googleapis.com/v1"}, ["api_key_env"], id="no-https"),
        pytest.param({"use": "vertex:publishers/meta/models/x"}, ["give its name alone"], id="path-as-model"),
        pytest.param({"options": {**OPTIONS, "anthropic_version": "x"}}, ["claude… alone"], id="gemini-version"),
        pytest.param({"use": "vertex:claude-x"}, ["params.max_tokens: is needed by this API"], id="no-limit"),
    ],
)
def test_settings_that_cannot_be_used(fields: dict[str, Any], rules: list[str]) -> None:
    with pytest.raises(TargetConfigError) as caught:
        target({}, **fields)
    assert all(rule in str(caught.value) for rule in rules), str(caught.value)


@pytest.mark.parametrize(("script", "code"), HOSTILE)
@pytest.mark.parametrize("model", ["gemini-2.5-pro", "claude-x"])
def test_hostile_answers(script: Any, code: str, model: str) -> None:
    timeout = 0.5 if code == "timeout" else 20
    fields = {"use": f"vertex:{model}", "options": OPTIONS, "params": {"max_tokens": 9}}
    check_typed(answer(script, timeout=timeout, **fields)[0], code)


def test_a_token_that_is_refused_takes_the_target_down() -> None:
    async def go() -> None:
        with FakeProvider(Script(api_keys=("another-token-0123",))).in_thread() as fake:
            await ask(target(base_url=f"{fake.url}/v1", api_key_env="TOKEN"), request())

    with pytest.raises(TargetDownError, match="put a new one into TOKEN") as caught:
        asyncio.run(go())
    assert TOKEN not in str(caught.value)


# ---- a service account


class TokenServer(BaseHTTPRequestHandler):
    """Google's token endpoint: gives a token for an assertion whose RS256 signature is right."""

    public: Any = None
    fault: tuple[int, dict[str, str]] | None = None
    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        signed, _, signature = form["assertion"][0].rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        self.public.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
        self.asked.append(claims)
        status, body = self.fault or (200, {"access_token": f"ya29.{len(self.asked)}", "expires_in": 3600})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        del format, args


@contextmanager
def service_account(folder: Path, fault: Any = None):
    pytest.importorskip("google.auth")
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    handler = type("Handler", (TokenServer,), {"public": key.public_key(), "fault": fault, "asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    path = folder / "account.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": "eval@acme-1.iam.gserviceaccount.com",
                "private_key": pem,
                "private_key_id": "1",
                "token_uri": f"http://127.0.0.1:{server.server_port}/token",
            }
        )
    )
    try:
        yield str(path), handler.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_account_gets_a_token_by_its_signature(tmp_path: Path) -> None:
    with service_account(tmp_path) as (path, asked):
        bearer = Bearer(partial(fetch_token, path))
        asyncio.run(bearer.prepare())
        asyncio.run(bearer.prepare())
    assert bearer.headers("POST", "", b"") == {"Authorization": "Bearer ya29.1"}
    assert len(asked) == 1
    assert asked[0]["iss"] == "eval@acme-1.iam.gserviceaccount.com"
    assert asked[0]["scope"] == "https://www.googleapis.com/auth/cloud-platform"


@pytest.mark.parametrize(
    ("fault", "code", "reaction"),
    [
        pytest.param(
            (400, {"error": "invalid_grant", "error_description": "Invalid JWT"}), "auth", "down", id="refused"
        ),
        pytest.param((200, {"no": "token"}), "auth", "down", id="no-token"),
    ],
)
def test_a_service_account_that_is_refused(tmp_path: Path, fault: Any, code: str, reaction: str) -> None:
    with service_account(tmp_path, fault) as (path, _), pytest.raises(Fault) as caught:
        fetch_token(path)
    assert (caught.value.code, caught.value.reaction) == (code, reaction)


@pytest.mark.parametrize(
    "text", [pytest.param(None, id="absent"), pytest.param("{", id="no-json"), pytest.param("{}", id="empty")]
)
def test_a_file_of_credentials_that_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "account.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Fault, match="no access token") as caught:
        fetch_token(str(path))
    assert caught.value.reaction == "down"


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.auth.exceptions", None)
    with pytest.raises(Fault, match=r"pip install 'seatrial\[vertex\]'"):
        fetch_token("")
