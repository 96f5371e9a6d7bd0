"""Which parameters a model takes, and what a provider's refusal of one looks like in each format."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.message import Message
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import TargetConfigError, TargetDownError
from seatrial.targets import build
from seatrial.targets.retry import classify
from seatrial.targets.support import RULES, lacking, refused, rules_for
from seatrial.testing import FakeProvider, Script

REFUSED = [
    pytest.param("openai", "o3", {"temperature": 0}, "temperature", id="o3"),
    pytest.param("openai", "gpt-5-mini", {"top_p": 0.9}, "top_p", id="gpt-5-mini"),
    pytest.param("openai", "openai/gpt-5", {"temperature": 0.2}, "temperature", id="behind-a-gateway"),
    pytest.param("responses", "gpt-5", {"logprobs": True}, "logprobs", id="responses"),
    pytest.param("openai", "o1", {"presence_penalty": 0.5}, "presence_penalty", id="penalty"),
    pytest.param("openai", "gpt-5.2", {"temperature": 0, "reasoning_effort": "high"}, "temperature", id="reasoning"),
    pytest.param("anthropic", "claude-opus-4-7", {"top_k": 5}, "top_k", id="opus-4-7"),
    pytest.param("openai", "anthropic/claude-opus-4.8", {"temperature": 0}, "temperature", id="dotted"),
    pytest.param("openai", "us.anthropic.claude-opus-4-5-v1:0", {"temperature": 0, "top_p": 1}, "top_p", id="maker"),
    pytest.param("openai", "deepseek-reasoner", {"temperature": 0}, "temperature", id="ignored"),
    pytest.param("openai", "grok-4-0709", {"presence_penalty": 0}, "presence_penalty", id="grok"),
    pytest.param("gemini", "gemini-2.5-pro", {"frequency_penalty": 0.2}, "frequency_penalty", id="gemini"),
    pytest.param("gemini", "gemini-2.5-flash-lite", {"logprobs": True}, "logprobs", id="gemini-logprobs"),
]  # fmt: skip

TAKEN = [
    pytest.param("openai", "gpt-4o-mini", {"temperature": 0, "logprobs": True}, id="gpt-4o"),
    pytest.param("openai", "gpt-5", {"temperature": 1, "top_p": 1.0, "presence_penalty": 0}, id="its-own-values"),
    pytest.param("openai", "gpt-5-chat-latest", {"temperature": 0}, id="no-reasoner"),
    pytest.param("openai", "gpt-5.1", {"temperature": 0}, id="not-asked-to-reason"),
    pytest.param("openai", "gpt-5.2", {"temperature": 0, "reasoning_effort": "none"}, id="asked-not-to"),
    pytest.param("anthropic", "claude-opus-4-20250514", {"temperature": 0, "top_p": 0.5}, id="opus-4"),
    pytest.param("anthropic", "claude-sonnet-4-5", {"temperature": 0}, id="one-sampler"),
    pytest.param("openai", "grok-4-1-fast-non-reasoning", {"stop": "x"}, id="grok-non-reasoning"),
    pytest.param("openai", "gemini-2.0-flash", {"presence_penalty": 0.5}, id="gemini-2.0"),
    pytest.param("openai", "models/o1brary", {"temperature": 0}, id="only-looks-like-it"),
    pytest.param("openai", "\ud800", {"temperature": float("nan")}, id="surrogate"),
]


@pytest.mark.parametrize(("adapter", "model", "params", "named"), REFUSED)
def test_the_table_rules_out(adapter: str, model: str, params: Any, named: str) -> None:
    found = lacking(rules_for(model, adapter), params)
    assert list(found) == [named]
    assert found[named].lacking


@pytest.mark.parametrize(("adapter", "model", "params"), TAKEN)
def test_the_table_leaves_alone(adapter: str, model: str, params: Any) -> None:
    assert lacking(rules_for(model, adapter), params) == {}


@pytest.mark.parametrize("adapter", ["openai", "azure"])
def test_every_door_to_chat_completions_renames_the_limit(adapter: str) -> None:
    assert [rule.instead for rule in rules_for("gpt-5", adapter) if rule.instead] == ["max_completion_tokens"]


def test_true_is_not_one() -> None:
    assert list(lacking(rules_for("o3", "openai"), {"temperature": True})) == ["temperature"]


@pytest.mark.parametrize(
    ("use", "fields", "params", "named"),
    [
        pytest.param("azure:gpt-5", {"resource": "r"}, {"temperature": 0}, "temperature", id="azure"),
        pytest.param("azure:prod", {"resource": "r", "model": "gpt-5"}, {"top_p": 0.9}, "top_p", id="azure-named"),
        pytest.param("vertex:gemini-2.5-pro", {"project": "p"}, {"presence_penalty": 1}, "presence_penalty", id="v"),
        pytest.param("vertex:claude-opus-4-7", {"project": "p"}, {"top_k": 5, "max_tokens": 9}, "top_k", id="claude"),
        pytest.param(
            "bedrock:us.anthropic.claude-opus-4-7-v1:0", {"region": "us-east-1"}, {"temperature": 0}, "temperature",
            id="bedrock",
        ),
        pytest.param(
            "bedrock:profile", {"region": "us-east-1", "model": "claude-opus-4-7"}, {"temperature": 0}, "temperature",
            id="bedrock-profile",
        ),
    ],
)  # fmt: skip
def test_a_family_is_the_same_behind_every_door(use: str, fields: Any, params: Any, named: str) -> None:
    def made(**more: Any) -> Any:
        return build("arm", TargetSpec(use=use, params=params, options=fields, **more), Path(), {})

    with pytest.raises(TargetConfigError) as caught:
        made()
    assert [p.key for p in caught.value.problems] == [f"targets.arm.params.{named}"]
    assert list(made(unsupported="drop").conditions()["dropped"]) == [named]
    assert not made(unsupported="send").conditions()["dropped"]


def test_a_deployment_of_a_named_family_renames_its_limit() -> None:
    spec = TargetSpec(
        use="azure:prod", params={"max_tokens": 9}, options={"resource": "r", "model": "gpt-5"}, unsupported="send"
    )
    adapter = build("arm", spec, Path(), {})
    request = Request(messages=(Message(role="user", content="q"),), params=spec.params)
    assert adapter._wire.body(request)["max_completion_tokens"] == 9


def test_behind_any_llm_the_table_counts_too() -> None:
    pytest.importorskip("any_llm")
    with pytest.raises(TargetConfigError, match="reasoning models"):
        build("arm", TargetSpec(use="any-llm:openai/gpt-5", params={"temperature": 0}), Path(), {})
    build("arm", TargetSpec(use="any-llm:openai/gpt-5", params={"temperature": 0}, unsupported="send"), Path(), {})
    with pytest.raises(TargetConfigError, match="not kept track of"):
        build("arm", TargetSpec(use="any-llm:openai/gpt-5", unsupported="drop"), Path(), {})


SENT = [
    pytest.param("openai:o3", {"temperature": 0, "logprobs": True}, {"temperature": 0, "logprobs": True}, id="rows"),
    pytest.param("openai:o3", {"max_tokens": 9}, {"max_completion_tokens": 9}, id="a-name-is-still-translated"),
    pytest.param("anthropic:m", {"temperature": 0, "max_tokens": 9}, {"temperature": 0, "max_tokens": 9}, id="version"),
    pytest.param("gemini:m", {"logit_bias": {"1": 2}}, {"logit_bias": {"1": 2}}, id="no-word-for-it"),
]


@pytest.mark.parametrize(("use", "params", "body"), SENT)
def test_sending_all_the_same(use: str, params: Any, body: Any) -> None:
    adapter = target(use, params=params, unsupported="send")
    request = Request(messages=(Message(role="user", content="q"),), params=params)
    sent = adapter._wire.body(request)
    assert {key: sent[key] for key in body} == body
    assert adapter.sent(Case(id="c", input="q"), request)["unsupported"] == "send"


def test_sending_mends_no_other_fault() -> None:
    with pytest.raises(TargetConfigError, match="only one answer is read"):
        target("openai:o3", params={"n": 2}, unsupported="send")


def test_what_is_sent_all_the_same_and_refused_stops_the_arm() -> None:
    async def ask(rejects: Any) -> Output:
        with FakeProvider(Script(rejects=rejects)).in_thread() as fake:
            adapter = target("openai:o3", fake.base_url, params={"temperature": 0}, unsupported="send")
            await adapter.open()
            try:
                request = Request(messages=(Message(role="user", content="q"),), params={"temperature": 0})
                return await adapter.generate(Case(id="c", input="q"), request)
            finally:
                await adapter.close()

    taken = asyncio.run(ask({}))
    assert taken.sent is not None
    assert dict(taken.sent.params) == {"temperature": 0}
    with pytest.raises(TargetDownError, match="does not take the parameter temperature"):
        asyncio.run(ask({"o3": ("temperature",)}))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("-inf"), id="infinity"),
        pytest.param({"a": [1, {"b": float("inf")}]}, id="deep"),
    ],
)
@pytest.mark.parametrize("use", ["openai:m", "gemini:m", "http://127.0.0.1:9/x"])
def test_what_json_cannot_say_is_refused(use: str, value: Any) -> None:
    with pytest.raises(TargetConfigError) as caught:
        build("arm", TargetSpec(use=use, params={"sound": 1.5, "odd": value}), Path(), {})
    assert [p.key for p in caught.value.problems] == ["targets.arm.params.odd"]
    assert "not finite" in str(caught.value)


def test_a_value_that_holds_itself_is_no_endless_search() -> None:
    value: list[Any] = []
    value.append(value)
    spec = TargetSpec.model_construct(use="openai:m", params={"x": value})
    from seatrial.targets.settings import check_numbers

    check_numbers("arm", spec.model_copy(update={"options": {}}))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.model[:20]}-{rule.params[0]}")
def test_every_row_is_dated_and_sourced(rule: Any) -> None:
    assert date(2023, 1, 1) <= date.fromisoformat(rule.as_of) <= date(2027, 1, 1)
    assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+/[\w./#-]+", rule.source)
    re.compile(rule.model)


def target(use: str, url: str = "http://127.0.0.1:9/v1", **fields: Any) -> Any:
    return build("arm", TargetSpec(use=use, base_url=url, **fields), Path(), {})


def test_failing_names_target_parameter_rule_and_cure() -> None:
    with pytest.raises(TargetConfigError) as caught:
        target("openai:o3", params={"temperature": 0, "logprobs": True, "max_tokens": 9})
    said = str(caught.value)
    assert "targets.arm.params.temperature: is taken by reasoning models only as 1 (got 0)" in said
    assert "leave it out, for every target that is compared (qiita.com/" in said
    assert "set unsupported: drop" in said
    assert [p.key for p in caught.value.problems] == ["targets.arm.params.temperature", "targets.arm.params.logprobs"]


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"messages": []}, id="set-by-us"),
        pytest.param({"n": 2}, id="another-value-would-do"),
        pytest.param({"max_tokens": 5, "max_completion_tokens": 6}, id="twice"),
    ],
)
def test_dropping_mends_no_other_fault(params: Any) -> None:
    with pytest.raises(TargetConfigError):
        target("openai:o3", params=params, unsupported="drop")


def test_the_policy_is_part_of_what_was_asked() -> None:
    request = Request(messages=(Message(role="user", content="q"),), params={"temperature": 0})
    case = Case(id="c", input="q")
    asked = [
        target("openai:m", params=request.params, unsupported=policy).sent(case, request) for policy in ("fail", "drop")
    ]
    assert "unsupported" not in asked[0], "the hashes of old requests stay"
    assert asked[1] == {**asked[0], "unsupported": "drop", "dropped": []}
    left = target("openai:o3", params=request.params, unsupported="drop").sent(case, request)
    assert left["dropped"] == ["temperature"], "a changed table asks anew"


def test_anthropic_drops_what_its_newest_version_no_longer_takes() -> None:
    adapter = target("anthropic:m", params={"temperature": 0, "max_tokens": 9, "seed": 1}, unsupported="drop")
    assert dict(adapter.conditions()["dropped"]) == {
        "temperature": "is no longer taken by the messages API as of 2026-10-21",
        "seed": "this dialect cannot express it",
    }


# at run time -----------------------------------------------------------------------------------------------------

BODIES = [
    pytest.param(
        400, {"error": {"message": "Unsupported value: 'temperature' does not support 0 with this model.",
                        "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value"}},
        "temperature", id="openai-value"),
    pytest.param(
        400, {"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                        "'max_completion_tokens' instead.", "param": "max_tokens", "code": "unsupported_parameter"}},
        "max_tokens", id="openai-parameter"),
    pytest.param(
        400, {"type": "error", "error": {"type": "invalid_request_error",
                                         "message": "`temperature` is deprecated for this model."}},
        "temperature", id="anthropic"),
    pytest.param(
        400, {"type": "error", "error": {"message": "`temperature` and `top_p` cannot both be specified for this "
                                         "model. Please use only one."}},
        "top_p", id="anthropic-both"),
    pytest.param(
        400, {"error": {"code": 400, "message": "Invalid JSON payload received. Unknown name \"topP\" at "
                        "'generation_config': Cannot find field.", "status": "INVALID_ARGUMENT"}},
        "top_p", id="gemini-unknown-name"),
    pytest.param(
        400, {"error": {"code": 400, "message": "Penalty is not enabled for models/gemini-2.5-flash",
                        "status": "INVALID_ARGUMENT"}},
        "presence_penalty", id="gemini-penalty"),
    pytest.param(
        400, {"code": "Client specified an invalid argument",
              "error": "Model grok-4.5 does not support parameter presencePenalty."},
        "presence_penalty", id="xai"),
    pytest.param(
        400, {"code": "…", "error": "Argument not supported on this model: stop"}, "stop", id="xai-everyday-word"),
    pytest.param(
        422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"],
                          "msg": "Extra inputs are not permitted"}]},
        "top_k", id="fastapi"),
    pytest.param(
        400, {"error": {"message": "property 'logprobs' is unsupported", "type": "invalid_request_error"}},
        "logprobs", id="groq"),
    pytest.param(400, {"message": "temperature is deprecated for this model."}, "temperature", id="bare-message"),
]  # fmt: skip

NOT_REFUSED = [
    pytest.param(400, {"error": {"message": "max_tokens is too large: 40000. This model supports at most 16384.",
                                 "param": "max_tokens"}}, id="a-value-too-large"),
    pytest.param(400, {"error": {"message": "This model's maximum context length is 8192 tokens."}}, id="context"),
    pytest.param(400, {"error": {"message": "Unsupported value: 'messages[0].role' does not support 'system'.",
                                 "param": "messages[0].role"}}, id="something-else"),
    pytest.param(400, {"error": {"message": "The request did not stop. An unknown image type."}}, id="everyday-word"),
    pytest.param(400, {"error": {"message": "Unknown image. Your temperature is fine."}}, id="another-sentence"),
    pytest.param(500, {"error": {"message": "'temperature' is not supported"}}, id="a-passing-fault"),
    pytest.param(429, {"error": {"message": "'temperature' is not supported"}}, id="a-limit"),
    pytest.param(400, {"error": {"message": "'seed' is not supported", "param": "seed"}}, id="not-ours"),
    pytest.param(400, {"detail": [{"loc": [], "msg": 3}, 5]}, id="odd-list"),
    pytest.param(400, {"error": {"param": 7, "message": None}}, id="odd-types"),
]  # fmt: skip

ASKED = ("temperature", "top_p", "max_tokens", "presence_penalty", "logprobs", "stop", "top_k")


def blamed(status: int, body: Any, asked: Any = ASKED) -> str | None:
    return refused(classify(status, {}, json.dumps(body).encode()), asked, {"top_p": "generationConfig.topP"})


@pytest.mark.parametrize(("status", "body", "named"), BODIES)
def test_a_refusal_is_recognised(status: int, body: Any, named: str) -> None:
    assert blamed(status, body) == named


@pytest.mark.parametrize(("status", "body"), NOT_REFUSED)
def test_another_fault_is_none(status: int, body: Any) -> None:
    assert blamed(status, body) is None


@given(st.binary(max_size=300), st.lists(st.text(max_size=8), max_size=4))
def test_any_bytes_are_read(raw: bytes, asked: list[str]) -> None:
    assert refused(classify(400, {}, raw), asked, {}) in (None, *asked)


WIRES = [
    pytest.param("openai:m", "/v1", "temperature", {"temperature": 0}, id="openai"),
    pytest.param("responses:m", "/v1", "top_p", {"top_p": 0.5}, id="responses"),
    pytest.param("anthropic:m", "/v1", "thinking", {"thinking": {"type": "enabled"}, "max_tokens": 9}, id="anthropic"),
    pytest.param("gemini:m", "/v1beta", "topP", {"top_p": 0.5}, id="gemini"),
]


def ask_all(use: str, url: str, params: Any, policy: str) -> list[Output]:
    async def main() -> list[Output]:
        adapter = target(use, url, params=params, unsupported=policy, concurrency=4)
        await adapter.open()
        try:
            requests = [Request(messages=(Message(role="user", content=f"q{i}"),), params=params) for i in range(12)]
            gate = asyncio.Semaphore(4)

            async def one(request: Request) -> Output:
                async with gate:
                    return await adapter.generate(Case(id="c", input=request.text), request)

            return list(await asyncio.gather(*map(one, requests)))
        finally:
            await adapter.close()

    return asyncio.run(main())


@pytest.mark.parametrize(("use", "path", "refuses", "params"), WIRES)
def test_dropping_learns_once_and_names_it(use: str, path: str, refuses: str, params: Any) -> None:
    with FakeProvider(Script(rejects={"*": (refuses,)})).in_thread() as fake:
        outputs = ask_all(use, fake.url + path, params, "drop")
        refusals = [call for call in fake.log if call.status == "400"]
    assert [o.text for o in outputs] == [f"q{i}" for i in range(12)]
    assert 1 <= len(refusals) <= 4, "the four that were in flight, and no more"
    name = next(iter(params))
    assert {tuple(o.sent.dropped) for o in outputs if o.sent} == {(name,)}
    assert all(o.sent is not None and name not in json.dumps(dict(o.sent.params)) for o in outputs)
    assert outputs[0].attempts == 2


@pytest.mark.parametrize(("use", "path", "refuses", "params"), WIRES)
def test_failing_stops_the_target(use: str, path: str, refuses: str, params: Any) -> None:
    with (
        FakeProvider(Script(rejects={"*": (refuses,)})).in_thread() as fake,
        pytest.raises(TargetDownError, match="does not take the parameter") as caught,
    ):
        ask_all(use, fake.url + path, params, "fail")
    assert next(iter(params)) in str(caught.value)


def test_a_token_limit_is_never_dropped() -> None:
    with (
        FakeProvider(Script(rejects={"*": ("max_tokens",)})).in_thread() as fake,
        pytest.raises(TargetDownError, match="max_tokens") as caught,
    ):
        ask_all("openai:m", fake.base_url, {"max_tokens": 5}, "drop")
    assert "never dropped" in caught.value.hint


def test_several_refusals_are_learnt_one_after_the_other() -> None:
    params = {"temperature": 0, "top_p": 0.5, "seed": 3, "max_tokens": 5}
    with FakeProvider(Script(rejects={"*": ("temperature", "seed", "top_p")})).in_thread() as fake:
        outputs = ask_all("openai:m", fake.base_url, params, "drop")
    assert {tuple(sorted(o.sent.dropped)) for o in outputs if o.sent} == {("seed", "temperature", "top_p")}
    assert all(o.sent is not None and dict(o.sent.params) == {"max_tokens": 5} for o in outputs)


def test_a_reason_model_gets_its_limit_under_its_name() -> None:
    with FakeProvider().in_thread() as fake:
        (output, *_) = ask_all("openai:gpt-5", fake.base_url, {"max_tokens": 50}, "fail")
        assert fake.log[0].body["max_completion_tokens"] == 50
    assert output.sent is not None
    assert dict(output.sent.renamed) == {"max_tokens": "max_completion_tokens"}
    assert not output.sent.dropped
