"""Amazon's event stream: hand-built messages, botocore as the oracle, and whatever a stranger may send."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from seatrial.targets.eventstream import LONGEST, LONGEST_HEADERS, Frame, Frames
from seatrial.targets.retry import Fault
from seatrial.testing.dialects.bedrock import message

NUMBERS = {2: "!b", 3: "!h", 4: "!i", 5: "!q", 8: "!q"}
Header = tuple[bytes, int, Any]

EMPTY = bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff")
"""AWS's own test vector: no headers, no payload."""

PAYLOAD = bytes.fromhex("0000001d 00000000 fd528c5a") + b"{'foo':'bar'}" + bytes.fromhex("c365 3936")
"""AWS's own test vector: a payload without headers."""

INT32 = bytes.fromhex("0000002d 00000010 41c424b8 0a") + b"event-type" + bytes.fromhex("04 0000a00c")
INT32 += b"{'foo':'bar'}" + bytes.fromhex("36f4 80a0")
"""AWS's own test vector: one header, a number of 32 bits."""


def value_of(kind: int, value: Any) -> bytes:
    if kind in NUMBERS:
        return struct.pack(NUMBERS[kind], value)
    if kind in (6, 7):
        return struct.pack("!H", len(value)) + value
    return value if kind == 9 else b""


def built(headers: list[Header], payload: bytes) -> bytes:
    raw = b"".join(
        struct.pack("!B", len(name)) + name + bytes([kind]) + value_of(kind, value) for name, kind, value in headers
    )
    prelude = struct.pack("!II", 16 + len(raw) + len(payload), len(raw))
    framed = prelude + struct.pack("!I", crc32(prelude)) + raw + payload
    return framed + struct.pack("!I", crc32(framed))


def resealed(raw: bytes, size: int | None = None, headers: int | None = None) -> bytes:
    """The message with other lengths in its prelude, and both checksums right."""
    found = struct.unpack("!II", raw[:8])
    prelude = struct.pack("!II", found[0] if size is None else size, found[1] if headers is None else headers)
    body = prelude + struct.pack("!I", crc32(prelude)) + raw[12:-4]
    return body + struct.pack("!I", crc32(body))


def fed(raw: bytes, size: int = 1 << 30) -> list[Frame]:
    frames = Frames()
    return [frame for at in range(0, len(raw), size) for frame in frames.feed(raw[at : at + size])]


@pytest.mark.parametrize(
    ("raw", "headers", "payload"),
    [
        pytest.param(EMPTY, {}, b"", id="empty"),
        pytest.param(PAYLOAD, {}, b"{'foo':'bar'}", id="payload"),
        pytest.param(INT32, {"event-type": 40972}, b"{'foo':'bar'}", id="number"),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1 << 30])
def test_published_vectors(raw: bytes, headers: Mapping[str, Any], payload: bytes, size: int) -> None:
    assert fed(raw * 3, size) == [Frame(headers, payload)] * 3


def test_every_type_of_header() -> None:
    values = [
        (b"t", 0, True), (b"f", 1, False), (b"b", 2, -7), (b"s", 3, -300), (b"i", 4, 1 << 30), (b"l", 5, -(1 << 62)),
        (b"r", 6, b"\xff\x00"), (b"x", 7, "é".encode()), (b"d", 8, 1_700_000_000_000), (b"u", 9, bytes(range(16))),
    ]  # fmt: skip
    (frame,) = fed(built(values, b"p"))
    expected = {name.decode(): value.decode() if kind == 7 else value for name, kind, value in values}
    assert dict(frame.headers) == expected
    assert (frame.text("x"), frame.text("i"), frame.text("none")) == ("é", "", "")


NAMES = st.text(min_size=1, max_size=20).map(str.encode).filter(lambda name: len(name) < 256)
VALUES = st.one_of(
    st.tuples(st.just(0), st.just(True)),
    st.tuples(st.just(1), st.just(False)),
    *(
        st.tuples(st.just(k), st.integers(-(1 << bits), (1 << bits) - 1))
        for k, bits in [(2, 7), (3, 15), (4, 31), (5, 63)]
    ),
    st.tuples(st.just(6), st.binary(max_size=40)),
    st.tuples(st.just(7), st.text(max_size=40).map(str.encode)),
    st.tuples(st.just(8), st.integers(-(1 << 63), (1 << 63) - 1)),
    st.tuples(st.just(9), st.binary(min_size=16, max_size=16)),
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6, unique_by=lambda item: item[0]).map(
    lambda items: [(name, kind, value) for name, (kind, value) in items]
)


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=60)), max_size=4), st.integers(1, 50))
def test_what_botocore_reads_is_read_the_same(messages: list[tuple[list[Header], bytes]], size: int) -> None:
    raw = b"".join(built(headers, payload) for headers, payload in messages)
    theirs = EventStreamBuffer()
    theirs.add_data(raw)
    assert [(dict(mine.headers), mine.payload) for mine in fed(raw, size)] == [
        (their.headers, their.payload) for their in theirs
    ]


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=60), max_size=5), st.binary(max_size=90))
def test_what_the_fake_provider_writes_botocore_reads(headers: dict[str, str], payload: bytes) -> None:
    theirs = EventStreamBuffer()
    theirs.add_data(message(headers, payload))
    (their,) = theirs
    assert (their.headers, their.payload) == (headers, payload)


@given(st.binary(max_size=200), st.integers(1, 40))
def test_noise_ends_in_a_fault_or_in_nothing(noise: bytes, size: int) -> None:
    for raw in (noise, EMPTY + noise):
        with suppress(Fault):
            fed(raw, size)


@given(st.data())
def test_a_flipped_bit_is_found(data: st.DataObject) -> None:
    raw = bytearray(INT32)
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Fault, match="checksum"):
        fed(bytes(raw))


GOOD = built([(b"a", 7, b"b")], b"{}")
HOSTILE = [
    pytest.param(resealed(GOOD, size=LONGEST + 1), "too long", id="claims-more-than-16-mib"),
    pytest.param(resealed(GOOD, size=(1 << 32) - 1), "too long", id="claims-4-gib"),
    pytest.param(resealed(GOOD, headers=LONGEST_HEADERS + 1), "too long", id="headers-too-long"),
    pytest.param(resealed(GOOD, size=0), "shorter", id="size-0"),
    pytest.param(resealed(GOOD, size=15), "shorter", id="size-below-the-frame"),
    pytest.param(resealed(GOOD, headers=1000), "shorter", id="headers-longer-than-the-message"),
    pytest.param(resealed(GOOD, headers=2), "headers", id="headers-cut-in-a-name"),
    pytest.param(built([(b"a", 10, b"")], b""), "headers", id="no-such-type"),
    pytest.param(built([(b"a", 255, b"")], b""), "headers", id="type-255"),
    pytest.param(built([(b"a", 7, b"\xff\xfe")], b""), "headers", id="value-no-utf-8"),
    pytest.param(built([(b"\xff", 0, b"")], b""), "headers", id="name-no-utf-8"),
    pytest.param(built([(b"a", 0, b""), (b"a", 1, b"")], b""), "headers", id="the-same-name-twice"),
    pytest.param(b"data: {}\n\ndata: [DONE]\n\n", "checksum", id="server-sent-events"),
    pytest.param(b'{"message": "no stream at all"}', "checksum", id="json"),
]


@pytest.mark.parametrize("size", [3, 1 << 30])
@pytest.mark.parametrize(("raw", "said"), HOSTILE)
def test_hostile_messages(raw: bytes, said: str, size: int) -> None:
    with pytest.raises(Fault, match=said) as caught:
        fed(GOOD + raw, size)
    assert caught.value.code == "malformed"


def test_a_string_whose_length_is_a_lie_is_no_header() -> None:
    raw = built([(b"a", 6, b"xy")], b"")
    broken = resealed(raw[:15] + struct.pack("!H", 900) + raw[17:])
    with pytest.raises(Fault, match="headers"):
        fed(broken)


def test_a_message_that_is_not_over_is_cut() -> None:
    frames = Frames()
    assert frames.feed(GOOD[:-1]) == []
    assert frames.cut
    assert frames.feed(GOOD[-1:])
    assert not frames.cut


def test_a_large_message_in_small_pieces_takes_linear_time() -> None:
    raw = built([], b"x" * (4 << 20))
    (frame,) = fed(raw, 1 << 12)
    assert len(frame.payload) == 4 << 20
