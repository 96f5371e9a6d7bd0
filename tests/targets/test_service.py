"""Any JSON endpoint as a target: the body that is filled leaf by leaf, and the answer that is mapped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.targets.raw_server import CASE, KEY, Got, RawServer, http

from seatrial.core.identity import canonical
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import TargetConfigError, TargetDownError, TemplateError
from seatrial.targets import build

REQUEST = Request.model_validate(
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": 'Say "hi" \\ {{ 7 * 7 }} \ud800\n'},
        ],
        "context": [{"text": "Policy.", "id": "p1"}],
        "params": {"temperature": 0.5},
        "tools": [{"name": "f"}],
        "seed": 3,
    }
)


def spec(url: str = "https://agent.example/ask", **fields: Any) -> TargetSpec:
    options = {"body": {"q": "{{ input }}"}, "response": {"text": "answer"}, **fields.pop("options", {})}
    return TargetSpec.model_validate({"use": url, "retries": 0, "timeout": 5, "options": options, **fields})


def ask(
    script: Any, request: Request = REQUEST, environ: dict[str, str] | None = None, **fields: Any
) -> tuple[Output, list[Got]]:
    async def go() -> tuple[Output, list[Got]]:
        async with RawServer([script]) as server:
            target = build("t", spec(server.url, **fields), Path(), environ or {})
            await target.open()
            try:
                return await target.generate(CASE, request), server.got
            finally:
                await target.close()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        pytest.param("{{ input }}", REQUEST.text, id="text-alone"),
        pytest.param(" {{- input -}} ", REQUEST.text, id="text-alone-trimmed"),
        pytest.param("Q: {{ input }}!", f"Q: {REQUEST.text}!", id="text-within"),
        pytest.param("{{ seed }}", 3, id="number"),
        pytest.param("{{ params.temperature }}", 0.5, id="fraction"),
        pytest.param("{{ params }}", {"temperature": 0.5}, id="object"),
        pytest.param("{{ messages | map(attribute='role') | list }}", ["system", "user"], id="list"),
        pytest.param("{{ context[0].text }}", "Policy.", id="context"),
        pytest.param("{{ params.get('top_p') }}", None, id="null"),
        pytest.param("{% if tools %}yes{% endif %}", "yes", id="statement"),
        pytest.param({"a": [1, None, True, {"b": "{{ seed + 1 }}"}]}, {"a": [1, None, True, {"b": 4}]}, id="nested"),
        pytest.param('{"a": "{{ input }}"}', {"a": REQUEST.text}, id="json-text"),
        pytest.param({"a.b": "{{ seed }}", "a": {"b": "x"}}, {"a.b": 3, "a": {"b": "x"}}, id="dotted-key"),
        pytest.param({"{{ input }}": 1}, {"{{ input }}": 1}, id="keys-are-no-templates"),
    ],
)
def test_the_body_is_filled_leaf_by_leaf(body: Any, sent: Any) -> None:
    written = {"leaf": body} if isinstance(body, str) and not body.startswith('{"') else body
    output, got = ask(http({"answer": "hi"}), options={"body": written})
    assert output.text == "hi"
    assert got[0].body == ({"leaf": sent} if written is not body else sent)


ANSWER = {
    "data": {"answer": "Five days.", "trace": [{"type": "search", "tool": "kb", "args": {"q": 1}, "out": ["p1"]}]},
    "docs": [{"content": "Policy.", "doc_id": "p1", "rank": 0.9}, "plain text"],
    "calls": [{"fn": "look_up", "with": '{"id": 7}', "key": "c1"}],
    "tokens": [11, 5],
    "usd": 0.002,
    "model": {"id": "agent-7"},
    "end": "stop",
}
RESPONSE = {
    "text": "data.answer",
    "tool_calls": {"at": "calls", "name": "fn", "arguments": "with", "id": "key"},
    "context": {"at": "docs", "text": "content", "id": "doc_id", "score": "rank"},
    "steps": {"at": "data.trace", "kind": "type", "name": "tool", "input": "args", "output": "out"},
    "usage.input": "tokens.0",
    "usage.output": "tokens.1",
    "cost": "usd",
    "model": "model.id",
    "finish_reason": "end",
}


def test_the_answer_is_mapped() -> None:
    output, got = ask(http(ANSWER), options={"response": RESPONSE}, price={"input": 1, "output": 1})
    assert output.failure is None
    assert output.text == "Five days."
    assert [(d.text, d.id, d.score) for d in output.context] == [("Policy.", "p1", 0.9), ("plain text", "", None)]
    step = output.steps[0]
    assert (step.kind, step.name, step.input, step.output) == ("search", "kb", {"q": 1}, ["p1"])
    call = output.tool_calls[0]
    assert (call.name, call.arguments, call.id) == ("look_up", {"id": 7}, "c1")
    assert (output.usage.input, output.usage.output, output.cost) == (11, 5, 0.002)
    assert (output.served_model, output.finish_reason, output.metadata) == ("agent-7", "stop", {})
    assert output.timing.total is not None
    assert (got[0].method, got[0].path) == ("POST", "/v1")


@pytest.mark.parametrize(
    ("answer", "text", "failure"),
    [
        pytest.param({"answer": {"a": 1}}, '{"a": 1}', None, id="object-as-json"),
        pytest.param({"answer": 7}, "7", None, id="number"),
        pytest.param({"answer": ""}, "", "empty", id="empty"),
        pytest.param({"answer": None}, "", "empty", id="null"),
        pytest.param({"result": "x"}, "", "malformed", id="missing"),
        pytest.param({"answer": "x", "error": None}, "x", None, id="null-error"),
        pytest.param({"answer": "", "error": "tool died"}, "", "server_error", id="error"),
    ],
)
def test_texts(answer: Any, text: str, failure: str | None) -> None:
    output = ask(http(answer))[0]
    assert (output.text, output.failure and output.failure.code) == (text, failure)


def test_what_is_mapped_and_missing_is_noted() -> None:
    output = ask(http({"answer": "x"}), options={"response": {"text": "answer", "context": "docs", "cost": "usd"}})[0]
    assert output.failure is None
    assert output.metadata == {"missing": ["cost", "context"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"body": "{{ imput }}"}, "is not JSON", id="body-text-no-json"),
        pytest.param(
            {"body": {"a": ["{{ imput }}"]}}, "options.body.a[0]: no body sees imput; did you mean input", id="name"
        ),
        pytest.param({"body": {"a": "{{ input"}}, "options.body.a: not a Jinja template", id="syntax"),
        pytest.param({"body": {"a": "{{ expected }}"}}, "no body sees expected", id="expected"),
        pytest.param({"body": json.loads('{"a":' * 70 + "1" + "}" * 70)}, "nested deeper", id="deep"),
        pytest.param({"response": "answer"}, "must be a mapping", id="response-text"),
        pytest.param({"response": {}}, "neither where the text is", id="response-empty"),
        pytest.param({"response": {"texxt": "a", "text": "a"}}, "did you mean text", id="response-key"),
        pytest.param({"response": {"text": 7}}, "must be a dotted path", id="path-number"),
        pytest.param({"response": {"text": "a", "context": {"txt": "b"}}}, "needs `at`", id="no-at"),
        pytest.param(
            {"response": {"text": "a", "steps": {"at": "s", "knd": "b"}}}, "did you mean kind", id="list-field"
        ),
        pytest.param({"bodi": 1}, "did you mean body", id="option"),
        pytest.param({"key_header": "a b"}, "no header's name", id="header"),
    ],
)
def test_settings_that_cannot_work(options: Any, words: str) -> None:
    with pytest.raises(TargetConfigError) as caught:
        build("t", spec(options=options), Path(), {})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"use": "https://user:hunter2@host/"}, "targets.t.use: holds credentials", id="credentials"),
        pytest.param({"use": "https://host/?key=hunter2"}, "holds a query", id="query"),
        pytest.param({"use": "https:host"}, "is no http or https URL", id="no-host"),
        pytest.param({"base_url": "https://x"}, "does not read it", id="base-url"),
        pytest.param({"stream": True}, "does not read it", id="stream"),
        pytest.param({"headers": {"X-Token": "hunter2"}, "options": {"key_header": "x-token"}}, "secret", id="header"),
    ],
)
def test_settings_that_mean_nothing_here(fields: dict[str, Any], words: str) -> None:
    url = fields.pop("use", "https://agent.example/ask")
    with pytest.raises(TargetConfigError) as caught:
        build("t", spec(url, **fields), Path(), {})
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_both_options_are_needed() -> None:
    with pytest.raises(TargetConfigError) as caught:
        build("t", TargetSpec(use="https://host/ask"), Path(), {})
    assert {p.key for p in caught.value.problems} == {"targets.t.options.body", "targets.t.options.response"}


@pytest.mark.parametrize(
    ("options", "header", "shown"),
    [
        pytest.param({}, "authorization", f"Bearer {KEY}", id="bearer"),
        pytest.param({"key_header": "X-Token"}, "x-token", KEY, id="own-header"),
    ],
)
def test_a_key_is_sent_only_where_it_is_named(options: Any, header: str, shown: str) -> None:
    environ = {"AGENT_KEY": KEY, "OPENAI_API_KEY": KEY}
    got = ask(http({"answer": KEY}), environ=environ, api_key_env="AGENT_KEY", options=options)
    assert got[1][0].headers[header] == shown
    assert KEY not in got[0].text
    assert KEY not in repr(ask(http({"answer": "x"}), environ=environ, options=options)[1][0].headers)


def test_a_refused_key_takes_the_target_down() -> None:
    with pytest.raises(TargetDownError, match="401"):
        ask(http({"detail": "no"}, 401))


def test_identity_covers_template_and_mapping_and_sent_the_filled_body() -> None:
    def target(**fields: Any) -> Any:
        return build("t", spec(**fields), Path(), {})

    identities = [
        target().identity(),
        target(url="https://agent.example/ask/").identity(),
        target(options={"body": {"q": "{{ input }}?"}}).identity(),
        target(options={"response": {"text": "other"}}).identity(),
        target(headers={"x-tenant": "a"}).identity(),
        target(deadline=3).identity(),
    ]
    assert len({canonical(identity) for identity in identities}) == len(identities)
    assert canonical(target(concurrency=1, api_key_env="X").identity()) == canonical(identities[0])
    assert target().sent(CASE, REQUEST)["sent"] == {"q": REQUEST.text}


def test_sent_holds_blobs_by_their_hash() -> None:
    blob = {"type": "image", "media_type": "image/png", "data": "aGVsbG8="}
    request = Request.model_validate({"messages": [{"role": "user", "content": [blob]}]})
    body = {"image": "{{ messages[0].content[0].data }}"}
    hashed = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    target = build("t", spec(options={"body": body}), Path(), {})
    assert target.sent(CASE, request)["sent"] == {"image": hashed}
    assert ask(http({"answer": "x"}), request, options={"body": body})[1][0].body == {"image": "aGVsbG8="}


@pytest.mark.parametrize(
    "leaf",
    [
        pytest.param("{{ params.nothing }}", id="undefined"),
        pytest.param("{{ messages[9].content }}", id="index"),
        pytest.param("{{ input.__class__ }}", id="sandbox"),
        pytest.param("{{ range }}", id="no-json"),
        pytest.param("{{ 'x' * 99999999 }}", id="huge"),
        pytest.param("{% for _ in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", id="long"),
    ],
)
def test_a_body_that_cannot_be_filled_names_its_leaf(leaf: str) -> None:
    target = build("t", spec(options={"body": {"a": [leaf]}}), Path(), {})
    with pytest.raises(TemplateError) as caught:
        target.sent(CASE, REQUEST)
    assert "targets.t.options.body.a[0]" in str(caught.value)
