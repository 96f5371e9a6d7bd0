"""Which lines of a pool are certain, and that what they hold is read exactly."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.identity import canonical, canonical_part, encode, loads_canonical
from seatrial.datasets.sampling import lines as module
from seatrial.datasets.sampling.lines import REACH, lines

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
writers = st.sampled_from(
    [
        lambda value: canonical(value).encode(),
        encode,
        lambda value: json.dumps(value).encode(),
        lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True).encode(),
    ]
)


def flags(*texts: bytes) -> list[bool]:
    return [certain for _, certain in lines(io.BytesIO(b"".join(text + b"\n" for text in texts)))]


@given(st.lists(st.tuples(st.dictionaries(st.text(max_size=4), anything, max_size=4), writers), max_size=6))
def test_what_is_certain_and_written_back_alike_is_canonical_and_exact(written):
    texts = [writer(value) for value, writer in written]
    for text, certain in zip(texts, flags(*texts), strict=True):
        found = loads_canonical(text) if certain else None
        if found is not None:
            assert repr(found) == repr(json.loads(text))
            assert canonical(found).encode("ascii") == text
            assert all(canonical(part).encode("ascii") == canonical_part(part) for part in found.values())


@pytest.mark.parametrize(
    ("line", "certain"),
    [
        pytest.param(b'{"a":"text","b":[1,-2.5,147.65,true,null]}', True, id="usual"),
        pytest.param(b'{"a":"at 12:3e5, 0e1"}', False, id="text that looks like a number"),
        pytest.param(b'{"a":"9e4f3e21","at":"2026-01-01T00:00:15Z"}', True, id="hexadecimal digits and times"),
        pytest.param(b'{"a":1e16}', False, id="exponent"),
        pytest.param(b'{"a":-1E-7}', False, id="negative exponent"),
        pytest.param(b'{"a":[1.25,3.5e22]}', False, id="exponent in a list"),
        pytest.param(b'{"a":0.00001}', False, id="small"),
        pytest.param(b'{"a":' + b"1" * (REACH - 1) + b"}", True, id="as long as is looked at"),
        pytest.param(b'{"a":' + b"1" * REACH + b"e5}", False, id="longer than is looked at"),
        pytest.param('{"a":"é"}'.encode(), False, id="not ascii"),
        pytest.param(b'{"a":"\x7f"}', False, id="delete"),
        pytest.param(b'{"a":1', True, id="cut behind a number"),
        pytest.param(b"", True, id="empty"),
    ],
)
def test_a_line_is_certain_whatever_stands_beside_it(line: bytes, certain: bool):
    beside = b'{"a":1e9,"b":"\xc3\xa9"}'
    assert flags(line) == [certain]
    assert flags(beside, line, beside, line) == [False, certain, False, certain]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a":18446744073709551616}', id="integer beyond 64 bits"),
        pytest.param(b'{"b":1,"a":2}', id="unsorted"),
        pytest.param(b'{"a": 1}', id="white space"),
        pytest.param(b'{"a":1,"a":2}', id="a key twice"),
        pytest.param(b'{"a":1.50}', id="a zero too many"),
        pytest.param(b'{"a":"\\u0041"}', id="an escape too many"),
        pytest.param(b'{"a":"\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"a":NaN}', id="not a number"),
        pytest.param(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}", id="deep"),
        pytest.param(b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", id="deeper than is written"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff", id="not UTF-8"),
    ],
)
def test_what_is_not_written_back_alike_is_left_to_the_exact_reader(text: bytes):
    assert loads_canonical(text) is None


def test_lines_are_those_of_the_file_however_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(module, "MOST", 500)
    raw = b"".join(b'{"a":%d}\n' % n for n in range(100)) + b'{"b":"' + b"x" * 600 + b'"}\n\n \r\n{"c":1}'
    found = list(lines(io.BytesIO(raw)))
    assert [line for line, _ in found] == raw.splitlines(keepends=True)
    assert not dict(found)[raw.splitlines(keepends=True)[100]]
    assert dict(found)[b'{"a":0}\n']
