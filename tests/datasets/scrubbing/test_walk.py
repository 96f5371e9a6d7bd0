"""Texts replaced where they stand: the quick ways give what the plain ways give."""

import gc
import json

import pytest
from conftest_scrub import KEY, rich, rich_case
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.datasets.scrubbing.policy import of, preset
from seatrial.datasets.scrubbing.scrub import Scrubber
from seatrial.datasets.scrubbing.walk import RefusedError, replaced, rewritten, texts

WORD = st.sampled_from(["anna", "an", "", "[1, 2]", "4111111", '{"who": "anna", "n": 4111111}', " {anna} ", '["anna"]'])
VALUE = st.recursive(
    st.one_of(WORD, st.none(), st.booleans(), st.floats(), st.sampled_from([7, 4111111, -4111111, 2**63])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.dictionaries(WORD, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUE, st.sets(st.sampled_from(["anna", "4111111", "2**63", " {anna} "])))
def test_replacing_what_is_wanted_is_rewriting_all_with_the_rest_left(value, real):
    wanted = {place for place in texts(value) if place[0] in real}
    quick: list[tuple[str, str, str]] = []
    plain: list[tuple[str, str, str]] = []

    def visit(seen: list[tuple[str, str, str]], text: str, key: str, path: str) -> str:
        if (text, key) not in wanted:
            return text
        seen.append((text, key, path))
        return "5222222" if text.isdigit() else f"<{text.strip('{} ')}>"

    def outcome(walk):
        try:
            return walk()
        except RefusedError as refusal:
            return refusal.reason

    a = outcome(lambda: replaced(value, wanted, lambda *place: visit(quick, *place)))
    b = outcome(lambda: rewritten(value, lambda *place: visit(plain, *place)))
    assert (repr(a), quick) == (repr(b), plain)
    assert (a is value) == (b is value)


def test_every_text_is_told_in_the_order_in_which_it_is_visited():
    seen: list[tuple[str, str]] = []
    rewritten(rich(), lambda text, key, path: seen.append((text, key)) or text)
    assert texts(rich()) == seen


POLICIES = [
    pytest.param(preset("basic"), id="basic"),
    pytest.param(preset("hipaa"), id="hipaa"),
    pytest.param(
        of({"policy": "basic", "patterns": [{"kind": "shape", "pattern": "content"}]}), id="a field's own name"
    ),
    pytest.param(of({"policy": "basic", "patterns": [{"kind": "shape", "pattern": "production"}]}), id="a fixed value"),
    pytest.param(of({"policy": "basic", "blobs": "drop"}), id="blobs dropped"),
    pytest.param(of({"policy": "basic", "blobs": "keep"}), id="blobs kept"),
]
SMALL = [
    pytest.param({"input": "Call me on +44 20 8526 1365"}, id="a chat"),
    pytest.param(
        {"input": "hi", "metadata": {"answer": {"model": "m", "mail": "anna.berger@firma.de"}}}, id="metadata"
    ),
    pytest.param({"input": "hi", "strata": {"who": "anna.berger@firma.de"}}, id="strata"),
    pytest.param({"input": "hi", "session_id": "anna.berger@firma.de"}, id="a link"),
    pytest.param({"input": "hi", "expected": {"answers": ["anna.berger@firma.de"]}}, id="an answer"),
    pytest.param(
        {"input": [{"role": "user", "content": [{"type": "image", "data": "aGFsbG8="}]}], "source": "production"},
        id="a picture",
    ),
    pytest.param({"input": "hi"}, id="nothing"),
]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("fields", [*SMALL, pytest.param(None, id="everything")])
def test_plain_fields_are_scrubbed_as_their_case_is(policy, fields):
    case = rich_case() if fields is None else Case.model_validate({"id": "a-1", **fields})
    scrubber = Scrubber(policy, KEY)
    whole, plain = scrubber.case(case), scrubber.valid(case.recorded)
    assert (plain.refused, plain.findings) == (whole.refused, whole.findings)
    expected = None if whole.case is None else whole.case.recorded
    assert json.dumps(plain.record) == json.dumps(expected)


def test_nothing_is_left_to_the_garbage_collector():
    scrubber = Scrubber(preset("basic"), KEY)
    scrubber.valid(rich(1))  # what is made once is made now
    record = rich(2)
    gc.collect()
    gc.disable()
    try:
        done = scrubber.valid(record)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert done.findings
