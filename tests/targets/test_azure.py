"""Azure OpenAI: both forms of its address, key or token, and Microsoft's own client class beside us."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.targets.hostile import HOSTILE
from tests.targets.raw_server import answer, error, http
from tests.targets.test_hostile import check_typed

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import MissingSecretError, TargetConfigError, TargetDownError
from seatrial.targets import build
from seatrial.testing import FakeProvider, Reply, Rule, Script

KEY = "azure-key-0123456789abcdef"
ENVIRON = {"AZURE_OPENAI_API_KEY": KEY, "KEY": KEY}
DATED = {"api_version": "2024-10-21"}
CASE = Case(id="c", input="?")
CALL = [{"name": "look_up", "arguments": {"id": 7}}]


def request(text: str = "Paris?", **fields: Any) -> Request:
    return Request.model_validate({"messages": [{"role": "user", "content": text}], **fields})


def target(environ: dict[str, str] = ENVIRON, use: str = "azure:gpt-4o-eu", **fields: Any) -> Any:
    return build("t", TargetSpec.model_validate({"use": use, "retries": 0, **fields}), Path(), environ)


async def ask(one: Any, asked: Request) -> Output:
    await one.open()
    try:
        return await one.generate(CASE, asked)
    finally:
        await one.close()


@pytest.fixture(scope="module")
def fake():
    rules = [
        Rule(when={"input": "call"}, tool_calls=CALL),
        Rule(when={"input": "long"}, text="one two three four five six"),
        Rule(when={"input": "limit"}, fault="rate_limit"),
        Rule(when={"input": "broken"}, fault="server_error"),
    ]
    script = Script(answers=rules, default=Reply(echo="You said: {input}"), served_model="gpt-4o-2024-11-20")
    with FakeProvider(script).in_thread() as running:
        yield running


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("options", [DATED, {}], ids=["dated", "v1"])
@pytest.mark.parametrize("text", ["Paris?", "call", "long", "limit", "broken"])
def test_the_official_client_asks_and_reads_the_same(fake: FakeProvider, text: str, options: Any, stream: bool) -> None:
    openai = pytest.importorskip("openai")
    fields = {"messages": [{"role": "user", "content": text}], "max_tokens": 4 if text == "long" else 50}
    client = (
        openai.AzureOpenAI(azure_endpoint=fake.url, api_key=KEY, api_version=DATED["api_version"], max_retries=0)
        if options
        else openai.OpenAI(base_url=f"{fake.url}/openai/v1", api_key=KEY, max_retries=0)
    )
    fake.reset()
    try:
        if stream:
            usage = {"include_usage": True}
            parts = list(client.chat.completions.create(model="gpt-4o-eu", stream=True, stream_options=usage, **fields))
            theirs = "".join(part.choices[0].delta.content or "" for part in parts if part.choices), 0
        else:
            got = client.chat.completions.create(model="gpt-4o-eu", **fields)
            theirs = got.choices[0].message.content or "", 0
    except openai.APIStatusError as status:
        theirs = "", status.status_code
    their_call = fake.log[-1]
    fake.reset()
    one = target(
        base_url=fake.url,
        api_key_env="KEY",
        options=options,
        stream=stream,
        params={"max_tokens": fields["max_tokens"]},
    )
    mine = asyncio.run(ask(one, request(text, params={"max_tokens": fields["max_tokens"]})))
    my_call = fake.log[-1]
    assert (mine.text, mine.failure.http_status or 0 if mine.failure else 0) == theirs
    assert [c.name for c in mine.tool_calls] == (["look_up"] if text == "call" else [])
    assert my_call.body == their_call.body
    assert (my_call.key, my_call.model) == (their_call.key, "gpt-4o-eu")
    assert my_call.headers["api-key"] == KEY
    assert KEY in (
        their_call.headers.get("api-key"),
        their_call.headers["authorization"].removeprefix("Bearer ") if "authorization" in their_call.headers else "",
    )


@pytest.mark.parametrize(
    ("options", "path"),
    [
        pytest.param(DATED, "/openai/deployments/gpt-4o-eu/chat/completions?api-version=2024-10-21", id="dated"),
        pytest.param({}, "/openai/v1/chat/completions", id="v1"),
    ],
)
def test_the_path(options: dict[str, str], path: str) -> None:
    _, got = answer(http(b"{}"), use="azure:gpt-4o-eu", options=options)
    assert got[0].path == f"/v1{path}"  # what the raw server's base URL ends with stands before it
    assert "api-key" not in got[0].headers  # nothing named, and it is this machine


def test_the_resource_names_the_host() -> None:
    assert target(options={"resource": "acme-eu"}).identity()["base_url"] == "https://acme-eu.openai.azure.com"
    known = {**ENVIRON, "AZURE_OPENAI_RESOURCE": "acme-us"}
    assert target(known).identity()["base_url"] == "https://acme-us.openai.azure.com"
    own = target(base_url="https://acme.services.ai.azure.com/")
    assert own.identity()["base_url"] == "https://acme.services.ai.azure.com"


def test_version_and_deployment_are_part_of_what_a_result_is_keyed_by() -> None:
    shown = [
        json.dumps(one.identity(), sort_keys=True)
        for one in (
            target(options={"resource": "a"}),
            target(options={"resource": "a", **DATED}),
            target(options={"resource": "a", "api_version": "2025-01-01-preview"}),
            target(options={"resource": "a"}, use="azure:other"),
        )
    ]
    assert len(set(shown)) == len(shown)
    assert KEY not in "".join(shown)


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        pytest.param({}, ["options.resource: is needed"], id="no-resource"),
        pytest.param({"options": {"resource": "evil.example/"}}, ["options.resource: may have"], id="slash"),
        pytest.param({"options": {"resource": "a@b"}}, ["options.resource: may have"], id="at"),
        pytest.param(
            {"options": {"resource": "a", "auth": "ldap", "api_versoin": "x"}},
            ["is neither key nor entra", "did you mean api_version?"],
            id="all-at-once",
        ),
        pytest.param({"base_url": "https://evil.example"}, ["api_key_env", "evil.example"], id="stranger"),
        pytest.param({"base_url": "https://openai.azure.com.evil.example"}, ["api_key_env"], id="look-alike"),
        pytest.param({"options": {"resource": "a"}, "headers": {"api-key": "x"}}, ["may hold a secret"], id="header"),
    ],
)
def test_settings_that_cannot_be_used(fields: dict[str, Any], rules: list[str]) -> None:
    with pytest.raises(TargetConfigError) as caught:
        target(**fields)
    assert all(rule in str(caught.value) for rule in rules), str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(MissingSecretError, match="AZURE_OPENAI_API_KEY is not set"):
        asyncio.run(target({}, options={"resource": "a"}).open())


def token(ends: int) -> str:
    return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(json.dumps({'exp': ends}).encode()).decode()}.c2ln"


def test_an_entra_token_goes_out_as_a_bearer_token(fake: FakeProvider) -> None:
    value = token(2**35)
    one = target({"TOKEN": value}, base_url=fake.url, api_key_env="TOKEN", options={"auth": "entra"})
    assert asyncio.run(ask(one, request())).text == "You said: Paris?"
    assert fake.log[-1].headers["authorization"] == f"Bearer {value}"
    assert "api-key" not in fake.log[-1].headers


def test_an_entra_token_that_has_ended_takes_the_target_down_unsent(fake: FakeProvider) -> None:
    fake.reset()
    value = token(1_700_000_000)
    one = target({"TOKEN": value}, base_url=fake.url, api_key_env="TOKEN", options={"auth": "entra"})
    with pytest.raises(TargetDownError, match="ended at 2023-11-14") as caught:
        asyncio.run(ask(one, request()))
    assert "put a new one into TOKEN" in str(caught.value)
    assert value not in str(caught.value)
    assert fake.calls == 0


def test_an_entra_token_is_missing() -> None:
    with pytest.raises(MissingSecretError, match="AZURE_OPENAI_AD_TOKEN is not set"):
        asyncio.run(target({}, options={"resource": "a", "auth": "entra"}).open())


def test_an_unknown_deployment_takes_the_target_down() -> None:
    with pytest.raises(TargetDownError, match="unknown_model"):
        answer(
            http(error("DeploymentNotFound", "The API deployment for this resource does not exist."), 404),
            use="azure:x",
        )


@pytest.mark.parametrize(("script", "code"), HOSTILE)
def test_hostile_answers(script: Any, code: str) -> None:
    timeout = 0.5 if code == "timeout" else 20
    check_typed(answer(script, use="azure:m", options=DATED, timeout=timeout)[0], code)


@pytest.mark.parametrize("version", [pytest.param("", id="none"), pytest.param("?api-version=latest", id="no-date")])
def test_the_fake_provider_wants_an_api_version(fake: FakeProvider, version: str) -> None:
    import urllib.error
    import urllib.request

    url = f"{fake.url}/openai/deployments/d/chat/completions{version}"
    body = json.dumps({"messages": [{"role": "user", "content": "x"}]}).encode()
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(url, body, method="POST"))  # loopback
