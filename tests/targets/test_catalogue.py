"""The catalogue's laws, and ids like `groq/llama-3.3-70b`: the same request however it is spelled."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatrial.core.case import Case
from seatrial.core.output import Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import ConfigError, TargetConfigError
from seatrial.targets import BUILTIN, Prompt, build, catalogue
from seatrial.targets.hosts import is_loopback
from seatrial.testing import FakeProvider

PARAMS = {"max_tokens": 5}
CASE = Case(id="1", input="Hello")
PROVIDERS = catalogue.providers()
NAMES = [provider.name for provider in PROVIDERS]
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
SECRET = re.compile(r"\b(sk-|gsk_|xai-|hf_|AIza|dapi)[A-Za-z0-9]|[A-Za-z0-9_-]{45,}")


def target(use: str, environ: dict[str, str] | None = None, **fields: Any) -> Any:
    fields = {"params": PARAMS, **fields}
    return build("t", TargetSpec(use=use, **fields), Path(), environ or {})


# laws of the data


def test_there_are_enough_endpoints() -> None:
    assert len(PROVIDERS) >= 100


def test_every_name_alias_and_author_stands_for_one_endpoint() -> None:
    names = [name for provider in PROVIDERS for name in (*provider.names, *provider.authors)]
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert [name for name in names if not catalogue.ID.fullmatch(f"{name}/model")] == []


def test_every_keyed_url_and_dialect_stands_once() -> None:
    places = Counter((p.base_url, p.dialect) for p in PROVIDERS if p.key_env)
    assert [place for place, times in places.items() if times > 1] == []


@pytest.mark.parametrize("provider", PROVIDERS, ids=NAMES)
def test_a_row_holds_to_the_rules(provider: catalogue.Provider) -> None:
    parts = urlsplit(provider.base_url)
    local = is_loopback(parts.hostname or "")
    assert parts.scheme == "https" or (local and parts.scheme == "http")
    assert parts.hostname
    assert (parts.query, parts.fragment, parts.username) == ("", "", None)
    assert not provider.base_url.endswith("/")
    assert bool(provider.key_env) is not local
    assert not provider.key_env or re.fullmatch(r"[A-Z][A-Z0-9_]*", provider.key_env)
    assert HEADER.fullmatch(provider.key_header)
    assert provider.key_prefix in ("", "Bearer ")
    assert provider.dialect in catalogue.DIALECTS
    assert provider.dialect in BUILTIN
    assert urlsplit(provider.docs).scheme == "https"
    assert re.fullmatch(r"[a-z. -]+ \d{4}-\d\d-\d\d|unverified", provider.source)
    assert not SECRET.search(json.dumps(provider.plain()))


@pytest.mark.parametrize("provider", PROVIDERS, ids=NAMES)
def test_the_list_of_models_is_at_the_same_host(provider: catalogue.Provider) -> None:
    values = dict.fromkeys(provider.variables, "abc")
    base = catalogue.filled(provider.base_url, values)
    where = provider.list_url(base)
    assert not where or urlsplit(where)[:2] == urlsplit(base)[:2]
    assert "{" not in where
    assert catalogue.at(base, provider.dialect) is not None
    assert provider.values_in(base) == values


@pytest.mark.parametrize("provider", PROVIDERS, ids=NAMES)
def test_every_endpoint_makes_a_target_with_its_own_key(provider: catalogue.Provider) -> None:
    made = target(f"{provider.name}/some-model", options=dict.fromkeys(provider.variables, "abc"))
    assert made.asked == "some-model"
    assert made.key_variable == provider.key_env
    assert made.base_url == catalogue.filled(provider.base_url, dict.fromkeys(provider.variables, "abc"))


def test_an_unknown_key_of_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        catalogue.Provider.of({"name": "x", "label": "X", "base_url": "u", "docs": "", "source": "", "colour": 1})


# ids

SAME = [
    pytest.param("anthropic/claude-opus-4", "anthropic:claude-opus-4", "", id="anthropic"),
    pytest.param("openai/gpt-5", "openai:gpt-5", "", id="openai"),
    pytest.param("google/gemini-2.5-pro", "gemini:gemini-2.5-pro", "", id="google"),
    pytest.param("gemini/gemini-2.5-pro", "gemini:gemini-2.5-pro", "", id="alias"),
    pytest.param("openai-responses/gpt-5", "responses:gpt-5", "", id="responses"),
    pytest.param("deepseek/deepseek-v3", "openai:deepseek-v3", "https://api.deepseek.com", id="deepseek"),
    pytest.param("groq/llama-3.3-70b", "openai:llama-3.3-70b", "https://api.groq.com/openai/v1/", id="groq"),
    pytest.param("ollama/llama3:8b", "openai:llama3:8b", "http://127.0.0.1:11434/v1", id="colon-in-the-model"),
    pytest.param("openrouter/anthropic/x", "openai:anthropic/x", "https://openrouter.ai/api/v1", id="two-slashes"),
    pytest.param("meta-llama/l", "openai:meta-llama/l", "https://openrouter.ai/api/v1", id="author"),
    pytest.param("Qwen/Qwen3", "openai:Qwen/Qwen3", "http://127.0.0.1:9/v1", id="unknown-with-url"),
    pytest.param("meta-llama/l", "openai:meta-llama/l", "http://127.0.0.1:9/v1", id="author-with-url"),
    pytest.param("deepseek/chat", "openai:chat", "http://127.0.0.1:9/v1", id="provider-with-url"),
]


@pytest.mark.parametrize(("short", "full", "url"), SAME)
def test_both_spellings_are_one_request(short: str, full: str, url: str) -> None:
    given = url if "127.0.0.1:9/" in url else ""
    one, other = target(short, base_url=given), target(full, base_url=url)
    assert one.identity() == other.identity()
    assert one.key_variable == other.key_variable
    request = Request.model_validate({"messages": [{"role": "user", "content": "x"}], "params": PARAMS})
    assert one.sent(CASE, request) == other.sent(CASE, request)


WRONG = [
    pytest.param("opnai/gpt-5", {}, "did you mean openai/", id="misspelt"),
    pytest.param("Qwen/Qwen3-32B", {}, "write who serves it, or base_url", id="unserved-author"),
    pytest.param("groq/x", {"base_url": "https://evil.example/v1"}, "is needed for evil.example", id="other-host"),
    pytest.param("cloudflare/m", {}, "options: {account_id: …}, or base_url", id="variable-missing"),
    pytest.param("cloudflare/m", {"options": {"account_id": "../x"}}, "has a form", id="variable-leaves-its-place"),
    pytest.param("databricks/m", {"options": {"workspace": "evil.example/"}}, "has a form", id="variable-leaves-host"),
    pytest.param("databricks/m", {"options": {"workspace": "evil.example#"}}, "has a form", id="variable-cuts-host"),
    pytest.param("databricks/m", {"options": {"workspace": 7}}, "has a form", id="variable-of-another-type"),
    pytest.param("cloudflare/m", {"options": {"account_id": "a", "acount": "b"}}, "no such key", id="variable-unknown"),
    pytest.param("groq/m", {"options": {"a": 1}}, "does not read it", id="options-without-variables"),
    pytest.param("groq/m", {"params": {"logprobs": True}}, "params.logprobs", id="refused-by-the-endpoint"),
]


@pytest.mark.parametrize(("use", "fields", "words"), WRONG)
def test_what_cannot_be_asked_is_said(use: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(TargetConfigError) as caught:
        target(use, **fields)
    assert words in str(caught.value)


@given(st.text(max_size=40), st.booleans())
def test_no_id_breaks_anything(text: str, with_url: bool) -> None:
    try:
        spec = TargetSpec(use=text, params=PARAMS, base_url="http://127.0.0.1:9/v1" if with_url else "")
        catalogue.written_out("t", spec, {})
    except (ConfigError, ValidationError):
        pass


def test_a_key_goes_to_its_own_host_only() -> None:
    environ = {"GROQ_API_KEY": "g" * 20, "OPENAI_API_KEY": "o" * 20}
    assert target("groq/x", environ).key_variable == "GROQ_API_KEY"
    assert target("groq/x", environ, base_url="http://127.0.0.1:9/v1").key_variable == ""
    with pytest.raises(TargetConfigError, match="api_key_env"):
        target("groq/x", environ, base_url="http://api.groq.com/openai/v1")  # not encrypted: another place


def test_a_stand_in_takes_every_providers_place_and_gets_no_key() -> None:
    environ = {catalogue.STAND_IN: "http://127.0.0.1:9/v1", "GROQ_API_KEY": "g" * 20}
    for use in ("groq/x", "openai:x", "anthropic/x", "meta-llama/x", "gemini:x"):
        made = target(use, environ)
        assert (made.base_url, made.key_variable) == ("http://127.0.0.1:9/v1", "")
    assert target("groq/x", environ, base_url="http://127.0.0.1:8/v1").base_url == "http://127.0.0.1:8/v1"
    with pytest.raises(TargetConfigError, match="names no endpoint"):
        target("nobody/x", environ)
    with pytest.raises(TargetConfigError, match="api_key_env"):
        target("groq/x", {**environ, catalogue.STAND_IN: "https://gateway.example/v1"})


async def sent(use: str, url: str, params: dict[str, Any]) -> dict[str, Any]:
    made = target(use, {catalogue.STAND_IN: url}, params=params)
    await made.open()
    try:
        output = await made.generate(CASE, Prompt(("input",)).request(CASE, params))
    finally:
        await made.close()
    assert output.failure is None, output.failure
    return dict(output.metadata)


def test_what_an_endpoint_calls_otherwise_is_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Any:
        async with FakeProvider() as fake:
            row = {"name": "odd", "label": "Odd", "base_url": fake.base_url, "docs": "", "source": ""}
            quirks = {"rename": {"seed": "random_seed", "max_completion_tokens": "max_tokens"}}
            odd = catalogue.Provider.of({**row, "quirks": quirks})
            monkeypatch.setattr(catalogue, "providers", lambda: (odd,))
            await sent("openai:m", fake.base_url, {"seed": 7, "max_completion_tokens": 9})
            return fake.log[-1].body

    body = asyncio.run(run())
    assert {key: value for key, value in body.items() if key not in ("model", "messages")} == {
        "random_seed": 7,
        "max_tokens": 9,
    }


@pytest.mark.parametrize(
    ("use", "adapter"),
    [
        pytest.param("replay:f.jsonl", "replay", id="adapter"),
        pytest.param("anthropic/x", "anthropic", id="endpoint"),
        pytest.param("groq/x", "openai", id="openai-like"),
        pytest.param("vertex_ai/x", "vertex", id="cloud"),
        pytest.param("nobody/x", "openai", id="unknown"),
    ],
)
def test_the_adapter_of_every_spelling(use: str, adapter: str) -> None:
    assert catalogue.adapter_of(TargetSpec(use=use)) == adapter


@pytest.mark.parametrize(
    ("use", "fields", "full"),
    [
        pytest.param("azure/dep", {"options": {"resource": "r"}}, "azure:dep", id="azure"),
        pytest.param("bedrock/anthropic.claude-x", {"options": {"region": "us-east-1"}}, "", id="bedrock"),
        pytest.param(
            "vertex_ai/gemini-x", {"options": {"project": "p", "location": "l"}}, "vertex:gemini-x", id="vertex"
        ),
    ],
)
def test_clouds_are_their_adapters(use: str, fields: dict[str, Any], full: str) -> None:
    other = full or use.replace("/", ":", 1)
    assert target(use, **fields).identity() == target(other, **fields).identity()
