"""Scheme st1: golden hashes, and what must and must not change one."""

from __future__ import annotations

import json
import math
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.core.case import HIDDEN, HIDDEN_DATES, Case
from seatrial.core.identity import canonical, digest, encode, from_bytes, loads, short, to_bytes
from seatrial.core.message import Message
from seatrial.core.output import Output, Usage

FULL = {
    "id": "r-1",
    "input": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image", "media_type": "image/png", "data": "aGk="},
            ],
        },
    ],
    "context": ["policy"],
    "tools": [{"name": "f", "parameters": {"type": "object"}}],
    "expected": {
        "answers": ["x", 2],
        "behaviour": "answer",
        "tool_calls": [{"name": "f", "arguments": {"a": [1]}}],
    },
    "criteria": "short",
    "strata": {"intent": "refund"},
    "origin": "synthetic",
    "seed_id": "s",
    "weight": 2,
    "created_at": "2026-01-01",
    "metadata": {"k": [1]},
}
GOLDEN = [
    pytest.param(
        lambda: digest("case", {"b": 1, "a": ["é", None, True, 1.5]}),
        "case:st1:2065ea4b9ec8aeddd61e26569957507864fad10dd3c1797ba31c951fe0a42de8",
        id="any-json",
    ),
    pytest.param(
        lambda: Case.model_validate({"id": "a", "input": "hi"}).hash,
        "case:st1:34131ed262a5c649ebd2526b2b61b1400bc6bb36cffc41a86d9756cca5d1c511",
        id="small-case",
    ),
    pytest.param(
        lambda: Case.model_validate({"id": "a", "input": "hi"}).view_hash,
        "view:st1:3acbc00a972eb6fa16f6bc0e8a710aea4db54571f482b3f56f7b7c39299eb588",
        id="small-view",
    ),
    pytest.param(
        lambda: Case.model_validate(FULL).hash,
        "case:st1:31a72abfcc0c54df071f46c1cae4dd7e2406df60fa23131b7c57e6ea8e366b99",
        id="full-case",
    ),
    pytest.param(
        lambda: Case.model_validate(FULL).view_hash,
        "view:st1:3fa374e73b4d4d08b94b84ab9ecd01d997bba2e907bc916749ee6915582e49ce",
        id="full-view",
    ),
    pytest.param(
        lambda: Case.model_validate(FULL).input_hash,
        "input:st1:b436fc834c927627b76eb3b487b3ae839ab1861a14061a0b5401cad6bb86b40e",
        id="full-input",
    ),
    pytest.param(
        lambda: Output.of("hello \ud800", usage=Usage(input=3), finish_reason="stop").hash,
        "output:st1:7dbad0619a39a9d18d187f7ba6b5eea92ca1491d6e388c0117aaf32571c8628b",
        id="output-with-lone-surrogate",
    ),
]


@pytest.mark.parametrize(("make", "expected"), GOLDEN)
def test_golden(make, expected):
    assert make() == expected


def test_the_scheme_is_what_it_says_when_written_out_by_hand():
    text = '{"id":"a","input":[{"content":"hi","role":"user"}]}'
    assert Case.model_validate({"id": "a", "input": "hi"}).hash == f"case:st1:{sha256(text.encode()).hexdigest()}"


def test_homoglyphs_and_composed_forms_stay_apart():
    forms = ["\u0430", "a", "\u00e9", "e\u0301", "\uff41"]
    assert len({Case.model_validate({"id": "x", "input": form}).input_hash for form in forms}) == len(forms)


VISIBLE = {
    "input": "other",
    "context": ["other"],
    "tools": [{"name": "g"}],
    "expected": "other",
    "criteria": "other",
    "probe": {"category": "LLM01@owasp"},
    "strata": {"intent": "other"},
    "source": "elsewhere",
    "licence": "MIT",
    "metadata": {"k": 2},
}
HIDDEN_VALUES = {
    "id": "r-2",
    "weight": 3.0,
    "origin": "manual",
    "seed_id": "t",
    "parent_id": "p",
    "trace_id": "t",
    "span_id": "s",
    "session_id": "s",
    "evolution": "e",
    "created_at": "2025-01-01",
    "published_at": "2025-01-01",
}


def test_the_two_tables_name_every_field_of_a_case():
    assert set(VISIBLE) | set(HIDDEN_VALUES) == set(Case.model_fields)
    assert set(HIDDEN_VALUES) == {*HIDDEN, *HIDDEN_DATES}


@pytest.mark.parametrize("field", sorted(VISIBLE))
def test_what_a_scorer_may_read_changes_the_view(field):
    case, changed = Case.model_validate(FULL), Case.model_validate({**FULL, field: VISIBLE[field]})
    assert changed.view_hash != case.view_hash
    assert changed.hash != case.hash


@pytest.mark.parametrize("field", sorted(HIDDEN_VALUES))
def test_the_rest_changes_the_case_but_not_its_view(field):
    case, changed = Case.model_validate(FULL), Case.model_validate({**FULL, field: HIDDEN_VALUES[field]})
    assert changed.view_hash == case.view_hash
    assert changed.hash != case.hash
    assert changed.view() == case.view()


def test_a_view_hides_what_its_hash_does_not_cover():
    view = Case.model_validate(FULL).view()
    assert (view.id, view.seed_id, view.origin, view.weight, view.created_at) == ("", "", "production", 1.0, None)
    assert view.view_hash == Case.model_validate(FULL).view_hash


def test_a_blob_is_hashed_by_its_bytes():
    def with_image(**image: str) -> str:
        part = {"type": "image", "media_type": "image/png", **image}
        return Case.model_validate({"id": "a", "input": [{"role": "user", "content": [part]}]}).input_hash

    same = sha256(b"hi").hexdigest()
    assert with_image(data="aGk=") == with_image(data="aGk=", sha256=same)
    assert with_image(data="aGk=") != with_image(data="aG8=")


def test_one_text_part_equals_its_text():
    parts = Message.model_validate({"role": "user", "content": [{"type": "text", "text": "hi"}]})
    assert parts == Message(role="user", content="hi")


def test_numbers_that_json_cannot_hold_are_tagged():
    assert canonical([float("nan"), float("inf")]) == '[{"$float":"nan"},{"$float":"inf"}]'


def test_identity_bytes_round_trip():
    name = digest("case", 1)
    assert from_bytes("case", to_bytes(name)) == name
    assert short(name) == name[9:21]


any_text = st.text(st.characters(exclude_categories=())) | st.text(st.characters(max_codepoint=0x7F))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)


def in_json(value):
    """A value with what JSON cannot hold tagged, as the scheme has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if isinstance(value, dict):
        return {key: in_json(item) for key, item in value.items()}
    return [in_json(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=1000)
@given(anything)
@example(6.103515625e-05)
@example(1e16)
@example({"\x7f": "null"})
@example([float("nan"), None])
@example({"id": "1e5", "ids": [":1e5", "[-0e0", ",0.0000"], "n": 147.65})
@example({"id": "1e5", "n": [-1e22]})
@example({"n": {"m": -3.5e-7}})
def test_the_scheme_is_the_standard_librarys_json_whoever_writes_it(value):
    assert canonical(value) == json.dumps(
        in_json(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    assert repr(loads(encode(value))) == repr(json.loads(json.dumps(value)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_json_reads_back_and_is_stable(value):
    assert loads(encode(value)) == value
    assert canonical(loads(encode(value))) == canonical(value)


@given(st.dictionaries(st.text(max_size=4), json_values, max_size=5), st.randoms())
def test_the_order_of_keys_is_irrelevant(value, random):
    keys = list(value)
    random.shuffle(keys)
    assert digest("x", {key: value[key] for key in keys}) == digest("x", value)


HOSTILE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{", id="cut"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="deep-objects"),
    pytest.param(b"\xff\xfe", id="not-utf8"),
    pytest.param(b"9" * 5_000, id="number-of-5000-digits"),
    pytest.param(b'{"a": 1} trailing', id="trailing"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_integers_are_exact():
    edges = (10**18, 2**63, 10**19, 2**64)
    for number in (*(sign * (edge + step) for edge in edges for sign in (1, -1) for step in (-1, 0, 1)), 10**30):
        assert loads(str(number)) == number
        assert loads(json.dumps({"n": number}).encode()) == {"n": number}
