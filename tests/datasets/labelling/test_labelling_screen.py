"""What the screen shows, in any size; and that nothing a model wrote can act on the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.labelling.made_units import unit, units

from seatrial.datasets.labelling.keeping import time_left
from seatrial.datasets.labelling.keys import parse
from seatrial.datasets.labelling.screen import View, cells, clean, frame, wrap
from seatrial.datasets.labelling.session import Key, Mark, begin, press
from seatrial.datasets.labelling.units import Section

VIEW = View("verdict · refunds", "Ann", 600)
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m a\tb \u202e evil \ud800 \x00 [bold]x[/bold] 😀 漢字"


def shown(state, width=80, height=24) -> str:
    return "\n".join(line.plain for line in frame(state, VIEW, width, height).lines)


def test_a_screen_of_80_by_24_tells_all_that_is_needed():
    state = begin("verdict", units(200))
    state = replace(state, marks={"c1": Mark({"verdict": "pass"})})
    text = shown(state)
    for part in ("1/200", "about 10 min left", "Ann", "case c0", "text of c0", "right?", "p pass", "f fail", "? help"):
        assert part in text
    assert len(frame(state, VIEW, 80, 24).lines) == 24


@given(
    st.text(max_size=300) | st.just(HOSTILE),
    st.integers(1, 200),
    st.integers(1, 60),
    st.lists(st.sampled_from("pnr?whsut "), max_size=6),
    st.sampled_from(["verdict", "curate", "outcome"]),
)
def test_every_line_fits_and_holds_nothing_but_print(text: str, width: int, height: int, keys: list[str], mode: str):
    read = lambda: [Section(text, text)]  # noqa: E731
    state = begin(mode, [unit(f"c{i}{text}", read=read, question=text or "?", heading=text) for i in range(3)])
    for key in keys:
        state, _ = press(state, Key("char", key))
    state, _ = press(state, Key("paste", text))
    made = frame(state, View(text, text, 5), width, height)
    assert len(made.lines) <= max(height, 8)
    for line in made.lines:
        assert line.plain.isprintable()
        assert cells(line.plain) <= max(width, 20)


@given(st.text(max_size=400), st.integers(4, 50))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int):
    lines = wrap(clean(text), width)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())
    assert all(cells(line) <= width for line in lines)


def test_the_screen_tells_skipped_units_apart():
    state = begin("verdict", units(4))
    assert "0/4 · 0 %" in shown(state)
    assert "skipped" not in shown(state).splitlines()[0]
    for key in "ssp":
        state = press(state, Key("char", key))[0]
    assert "1/4 · 25 % · 2 skipped" in shown(state).splitlines()[0]


def test_a_megabyte_of_one_word_is_paged():
    state = begin("verdict", [unit("c", read=lambda: [Section("Answer", "x" * 1_000_000)])])
    made = frame(replace(state, page=10**9), VIEW, 80, 24)
    assert made.pages == -(-12_501 // 18)
    assert f"page {made.pages} of {made.pages}" in "\n".join(line.plain for line in made.lines)


@pytest.mark.parametrize("name", ["verdict", "curate", "outcome"])
def test_help_fits_a_small_terminal(name: str):
    state, _ = press(begin(name, units()), Key("char", "?"))
    text = shown(state)
    assert "take back the last thing said" in text
    assert "this page" in text
    assert "leave; everything is kept" in text


SECONDS = [
    pytest.param([5, 5], 10, None, id="two-say-nothing"),
    pytest.param([4, 5, 6], 10, 50, id="median"),
    pytest.param([5, 5, 5, 5, 3600], 10, 50, id="a-break-moves-nothing"),
    pytest.param([100] * 50 + [2] * 50, 10, 20, id="the-last-fifty"),
    pytest.param([5, 5, 5], 0, 0, id="nothing-left"),
]


@pytest.mark.parametrize(("seconds", "remaining", "left"), SECONDS)
def test_time_left(seconds: list[float], remaining: int, left: float | None):
    assert time_left(seconds, remaining) == left


PARSED = [
    pytest.param(b"pf", [Key("char", "p"), Key("char", "f")], b"", id="letters"),
    pytest.param("é漢".encode(), [Key("char", "é"), Key("char", "漢")], b"", id="utf-8"),
    pytest.param("漢".encode()[:2], [], "漢".encode()[:2], id="half-a-character-waits"),
    pytest.param(b"\x1b[A\x1b[6~\x1bOD", [Key("up"), Key("page-down"), Key("left")], b"", id="sequences"),
    pytest.param(b"\x1b[1;5p\x1b[?25p", [], b"", id="unknown-sequences-are-swallowed"),
    pytest.param(b"\x1bp", [], b"", id="alt-p-is-no-pass"),
    pytest.param(b"\x1b", [], b"\x1b", id="a-lone-escape-waits"),
    pytest.param(b"\x1b[200~pp\rf\x1b[201~", [Key("paste", "pp\nf")], b"", id="a-paste-is-one-key"),
    pytest.param(b"\x1b[200~pp", [], b"\x1b[200~pp", id="half-a-paste-waits"),
    pytest.param(
        b"\r\x7f\x03\x04\x00", [Key(n) for n in ("enter", "backspace", "ctrl-c", "ctrl-d")], b"", id="controls"
    ),
    pytest.param(b"\xff\xfep", [Key("char", "p")], b"", id="what-is-no-text-is-nothing"),
]


@pytest.mark.parametrize(("data", "keys", "rest"), PARSED)
def test_bytes_become_keys(data: bytes, keys: list[Key], rest: bytes):
    assert parse(data) == (keys, rest)


def test_a_lone_escape_is_a_key_when_nothing_follows():
    assert parse(b"\x1b", last=True) == ([Key("escape")], b"")


@given(st.binary(max_size=60), st.integers(0, 60))
def test_keys_do_not_depend_on_how_bytes_arrive(data: bytes, cut: int):
    whole = parse(data)
    first = parse(data[:cut])
    second = parse(first.rest + data[cut:])
    assert (first.keys + second.keys, second.rest) == (whole.keys, whole.rest)
