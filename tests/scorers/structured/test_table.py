"""A table in the answer against the expected rows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError
from seatrial.scorers.structured.grids import read_grid
from seatrial.scorers.structured.table import cell_number, same_cell

ROWS = [
    {"sku": "A1", "price": 1250, "due": "2026-03-01"},
    {"sku": "B2", "price": 3.5, "due": "2026-04-15"},
    {"sku": "C3", "price": 0, "due": None},
]
MARKDOWN = """Here is the table:

| **SKU** | Price | Due |
|:--------|------:|-----|
| B2 | 3.50 | 2026-04-15 |
| A1 | 1,250.00 EUR | 2026-03-01 |
| C3 | 0 |  |

That is all."""
CSV = "sku,price,due\nA1,1250,2026-03-01\nB2,3.5,2026-04-15\nC3,0,\n"

CASES = [
    pytest.param(MARKDOWN, {}, 1.0, id="markdown-in-any-order"),
    pytest.param(MARKDOWN, {"key": "SKU"}, 1.0, id="by-key"),
    pytest.param(MARKDOWN, {"ordered": True}, 2 / 3, id="order-wanted"),
    pytest.param(MARKDOWN, {"ordered": True, "key": "sku"}, 2 / 3, id="order-wanted-by-key"),
    pytest.param(CSV, {"ordered": True}, 1.0, id="csv-in-order"),
    pytest.param(CSV.replace(",", ";"), {}, 1.0, id="semicolons"),
    pytest.param("```csv\n" + CSV + "```", {}, 1.0, id="csv-in-a-block"),
    pytest.param(json.dumps(ROWS), {}, 1.0, id="json"),
    pytest.param("Rows:\n```json\n" + json.dumps({"rows": ROWS}) + "\n```", {}, 1.0, id="json-within"),
    pytest.param(json.dumps([["sku", "price", "due"], *[list(r.values()) for r in ROWS]]), {}, 1.0, id="json-lists"),
    pytest.param(CSV.replace("3.5", "3.6"), {}, 8 / 9, id="one-cell"),
    pytest.param(CSV.replace("3.5", "3.6"), {"abs": 0.1}, 1.0, id="tolerance"),
    pytest.param(CSV.replace("3.5", "3.6"), {"columns": ["sku", "due"]}, 1.0, id="column-does-not-count"),
    pytest.param(CSV.replace("2026-04-15", "15.04.2026"), {}, 8 / 9, id="another-form-of-date"),
    pytest.param(
        CSV.replace("2026-04-15", "15.04.2026"),
        {"types": {"due": {"type": "date", "formats": "%d.%m.%Y"}}},
        1.0,
        id="typed-column",
    ),
    pytest.param("sku,price,due\nA1,1250,2026-03-01\nB2,3.5,2026-04-15\n", {}, 6 / 9, id="missing-row"),
    pytest.param(CSV + "D4,1,\n", {}, 9 / 12, id="extra-row"),
    pytest.param(CSV + "D4,1,\n", {"extra_rows": "ignore"}, 1.0, id="extra-row-forgiven"),
    pytest.param(CSV + "A1,1250,2026-03-01\n", {"key": "sku"}, 9 / 12, id="a-row-twice"),
    pytest.param("sku,price\nA1,1250\nB2,3.5\nC3,0\n", {}, 7 / 9, id="missing-column-blank-is-blank"),
    pytest.param("sku,price,due,note\nA1,1250,2026-03-01,x\nB2,3.5,2026-04-15,\nC3,0,,\n", {}, 1.0, id="extra-column"),
    pytest.param("There is no table here.", {}, 0.0, id="no-table"),
    pytest.param(MARKDOWN + "\n\n" + MARKDOWN, {}, 0.0, id="two-tables"),
    pytest.param("sku,sku\n1,2\n", {}, 0.0, id="a-column-twice"),
    pytest.param(MARKDOWN, {"format": "json"}, 0.0, id="another-format-wanted"),
]


@pytest.mark.parametrize(("answer", "settings", "value"), CASES)
@pytest.mark.parametrize("expected", [{"answer": ROWS}, ROWS, {"answer": CSV}], ids=["rows", "bare-rows", "csv"])
def test_tables(judged, answer, settings, value, expected):
    found = judged("table", settings, answer, expected)
    assert found.status == "scored", found
    assert found.value == pytest.approx(value)
    assert found.passed is (value == 1.0)


def test_differences_are_named_by_row_and_column(judged):
    answer = "sku,price,due\nA1,1251,2026-03-01\nC3,0,\nD4,9,\n"
    found = judged("table", {"key": "sku"}, answer, {"answer": ROWS})
    assert [(e.where, e.note) for e in found.evidence] == [
        ("field:/0/price", "changed"),
        ("field:/1", "missing row"),
        ("field:/2", "extra row"),
    ]
    assert (found.evidence[0].expected, found.evidence[0].found) == (1250, "1251")
    assert "1 row missing" in found.reason


@pytest.mark.parametrize(
    ("expected", "settings"),
    [(None, {}), ({"answer": []}, {}), ({"answer": "prose"}, {}), ({"answer": ROWS}, {"key": "colour"})],
)
def test_cases_that_cannot_be_judged(judged, expected, settings):
    assert judged("table", settings, CSV, expected).status == "not_applicable"


@pytest.mark.parametrize(
    "settings", [{"delimiter": ",,"}, {"key": ["a", "A"]}, {"columns": [" "]}, {"types": {"a": "money"}}]
)
def test_bad_settings(judged, settings):
    with pytest.raises(ScorerConfigError):
        judged("table", settings, CSV, {"answer": ROWS})


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1,250.00", 1250), ("EUR 5", 5), ("$3.50", 3.5), ("12 %", 12), ("A1", None), ("5 apples", None), ("1 2", None),
     ("", None), (True, None), (7, 7)],
)  # fmt: skip
def test_the_number_in_a_cell(cell, number):
    found = cell_number(cell)
    assert (None if found is None else float(found)) == number


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ("007", 7, True),
        ("x", None, False),
        (" ", None, True),
        ("TRUE", True, True),
        (1, True, False),
        ("**a**", "A", True),
    ],
)
def test_cells(found, wanted, same):
    assert same_cell(found, wanted, 0, 0) is same


def test_keys_with_leading_zeros_stay_apart(judged):
    rows = [{"id": "007", "v": "a"}, {"id": "7", "v": "b"}]
    assert judged("table", {"key": "id"}, "id,v\n7,b\n007,a\n", {"answer": rows}).passed


def test_escaped_bars_belong_to_their_cell():
    assert read_grid("a | b\n--|--\nx \\| y | 2\n").rows == ({"a": "x | y", "b": "2"},)


HOSTILE = [
    "\x00,\x00\n1,2",
    "|" * 1_000_000,
    "a,b\n" + "1,2\n" * 50_000,
    '"' * 100_001 + "\n",
    "|-" * 200_000,
    "a,b\n\ud800,\u202e\n",
    "-|-\n" * 100_000,
    ("x" * 200_000) + ",b\n1,2",
    "[" * 5000,
    "`" * 100_000,
]


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_are_scored(judged, answer):
    found = judged("table", {}, answer, {"answer": [{"a": 1, "b": "\ud800"}]})
    assert found.status == "scored"
    assert 0 <= found.value <= 1


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("xyz")), min_size=1, max_size=6), st.randoms())
def test_mending_a_cell_never_lowers_the_value(judged, rows, chance):
    wanted = [{"id": at, "n": n, "w": w} for at, (n, w) in enumerate(rows)]
    answer = [{"id": at, "n": 99, "w": "?"} for at in range(len(rows))]
    places = [(at, name) for at in range(len(rows)) for name in ("n", "w")]
    chance.shuffle(places)
    values = []
    for at, name in [(0, "id"), *places]:
        answer[at][name] = wanted[at][name]
        values.append(judged("table", {"key": "id"}, json.dumps(answer), {"answer": wanted}).value)
    assert values == sorted(values)
    assert values[-1] == 1
