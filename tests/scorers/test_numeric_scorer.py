from __future__ import annotations

import asyncio
import itertools
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.scorers import judge
from seatrial.scorers.answers.numeric import Numeric, final_number, near, numbers

MODELS = {"6b_finetuning": 286, "6b_verification": 515, "175b_finetuning": 458, "175b_verification": 742}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("-5", ["-5"]), ("\u22125", ["-5"]), ("\u20135 degrees", ["-5"]), ("+5", ["5"]), ("5-3", ["5", "3"]),
        ("2020-2024", ["2020", "2024"]), ("- 5 apples", ["5"]), ("(5)", ["5"]), ("x = -.5", ["-0.5"]),
        ("$1,234.50", ["1234.50"]), ("-$5", ["-5"]), ("$-5", ["-5"]), ("€ 5", ["5"]), ("18€", ["18"]),
        ("1,234,567", ["1234567"]), ("1'234", ["1234"]), ("1\u202f234", ["1234"]), ("1_000", ["1000"]),
        ("3,5", ["3", "5"]), ("1,23", ["1", "23"]),
        ("3/4", ["0.75"]), ("1 3/4", ["1.75"]), ("½", ["0.5"]), ("2½", ["2.5"]), ("-½", ["-0.5"]), ("1/0", []),
        ("3/4/2026", []),
        ("1e3", ["1000"]), ("1.5E-2", ["0.015"]), ("1.2 × 10^3", ["1200"]), ("1.2x10^{-3}", ["0.0012"]),
        ("2*10**3", ["2000"]), ("3 x 10 = 30", ["3", "10", "30"]), ("1e9999", []), ("9" * 1001, []),
        ("9" * 999, ["9" * 999]),
        ("5k", ["5000"]), ("5 kg", ["5"]), ("5km", ["5"]), ("2 million", ["2000000"]), ("$5M", ["5000000"]),
        ("5M", ["5"]), ("€5 billion", ["5000000000"]), ("5 lakh", ["500000"]),
        ("50%", ["50"]), ("50 percent", ["50"]),
        ("A1 x2 COVID19", []), ("GPT-4", ["4"]), ("v2.0.1", []), ("18kg", ["18"]),
        ("答案是18元", ["18"]), ("١٢", ["12"]), ("１２", ["12"]), ("", []), ("no number", []),
        ("3.4.5", ["3.4"]), ("ends with 5.", ["5"]),
    ],
)  # fmt: skip
def test_reading_numbers(text, values):
    assert [number.value for number in numbers(text)] == [Decimal(value) for value in values]


@pytest.mark.parametrize(
    ("text", "settings", "value"),
    [
        pytest.param("it is 3, no 4", {}, "4", id="last number"),
        pytest.param("it is 3, no 4", {"fallback": False}, None, id="no marker"),
        pytest.param("5 + 3\nA: 8\nI used 2 steps", {}, "8", id="marker wins"),
        pytest.param("A: 7\nwait\nA: 8", {}, "8", id="last marker"),
        pytest.param("#### 1,234", {}, "1234", id="hashes"),
        pytest.param("**Answer:** **18**", {}, "18", id="markdown"),
        pytest.param("The final answer is: $18.50.", {}, "18.50", id="sentence"),
        pytest.param("ANSWER: 18 dollars for 3 days", {}, "18", id="first after the marker"),
        pytest.param("A: 3 * 6 = 18", {}, "18", id="behind the equals sign"),
        pytest.param("A: 18 =", {}, "18", id="nothing behind the equals sign"),
        pytest.param("Answer:\n\n  18", {}, "18", id="next line"),
        pytest.param("so 5 it is.\nA:", {}, None, id="nothing after the marker"),
        pytest.param("so 5. A: none of these", {}, None, id="no number after the marker"),
        pytest.param("USA: 5 and then 6", {}, "6", id="no marker inside a word"),
        pytest.param("a: 5 and then 6", {}, "6", id="short markers as written"),
        pytest.param(r"thus \boxed{\frac{3}{4}}.", {}, "0.75", id="boxed fraction"),
        pytest.param(r"\boxed{1{,}234} units 9", {}, "1234", id="boxed thousands"),
        pytest.param(r"\boxed{\text{about } 7}", {}, "7", id="boxed words"),
        pytest.param(r"\boxed{12", {}, "12", id="boxed, open"),
        pytest.param(r"\(x = \$5\%\)", {}, "5", id="latex escapes"),
        pytest.param("1.234,5", {"decimals": "comma"}, "1234.5", id="comma"),
        pytest.param("50%", {"percent": "share"}, "0.5", id="share"),
        pytest.param("5 " + "x" * 10_000, {}, "5", id="far from the end"),
        pytest.param("Result => 5 (of 6)", {"markers": ("=>",)}, "5", id="own marker"),
    ],
)
def test_finding_the_final_number(text, settings, value):
    assert final_number(text, **settings).value == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("settings", "expected", "text", "passed"),
    [
        pytest.param({}, 18, "18", True, id="integer"),
        pytest.param({}, 18.0, "18", True, id="float"),
        pytest.param({}, "#### 18", "A: 18", True, id="expected is a solution"),
        pytest.param({}, "18 dollars", "$18.00", True, id="expected has words"),
        pytest.param({}, {"answers": [17, 18]}, "18", True, id="any of two"),
        pytest.param({}, 0.3, "0.30000000000000004", True, id="what a double forgets"),
        pytest.param({}, 2**53, str(2**53 + 1), False, id="whole numbers exactly"),
        pytest.param({}, "1/3", "0.333", False, id="no tolerance"),
        pytest.param({"rel": 0.01}, "1/3", "0.333", True, id="relative"),
        pytest.param({"abs": 0.5}, 10, "10.5", True, id="absolute, at the bound"),
        pytest.param({"abs": 0.5}, 10, "10.51", False, id="absolute, beyond"),
        pytest.param({}, 0, "-0.0", True, id="negative zero"),
        pytest.param({}, 5, "-5", False, id="sign"),
        pytest.param({}, "50%", "0.5", False, id="percent is the number before it"),
        pytest.param({"percent": "share"}, "50%", "0.5", True, id="percent as a share"),
        pytest.param({"without_marker": "fail"}, 5, "it is 5", False, id="marker demanded"),
        pytest.param({}, 5, "five", False, id="no number"),
    ],
)
def test_numeric(judged, settings, expected, text, passed):
    score = judged("numeric", settings, text, expected)
    assert (score.status, score.passed) == ("scored", passed), score


@pytest.mark.parametrize("expected", [None, "none", True, {"answer": {"n": 5}}, {"answer": float("nan")}])
def test_without_an_expected_number_the_case_is_not_applicable(judged, expected):
    assert judged("numeric", {}, "5", expected).status == "not_applicable"


def test_gsm8k_official_verdicts_are_reproduced(shared_data):
    """Row by row: there is no disagreement with `is_correct` to explain.

    The eleven solutions without an "A:" line are incorrect by both: their last number is not the answer either.
    """
    rows = [json.loads(line) for line in shared_data("gsm8k_model_solutions.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 1319

    async def verdicts(model: str) -> list[bool | None]:
        scorer, found = Numeric(), []
        for i, row in enumerate(rows):
            case = Case(id=str(i), input=row["question"], expected=row["ground_truth"])
            found.append((await judge(scorer, case.view(), Output.of(row[model]["solution"]))).passed)
        return found

    disagreements, unmarked = [], 0
    for model, correct in MODELS.items():
        ours = asyncio.run(verdicts(model))
        assert sum(map(bool, ours)) == correct
        disagreements += [(model, i) for i, row in enumerate(rows) if ours[i] is not row[model]["is_correct"]]
        unmarked += sum("A:" not in row[model]["solution"] for row in rows)
    assert disagreements == []
    assert unmarked == 11


whole = st.integers(-(10**15), 10**15)


@given(whole)
def test_any_integer_is_read_as_written(number):
    assert [n.value for n in numbers(f"about {number:,} pieces")] == [number]
    assert final_number(f"A: {number}").value == number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_any_decimal_is_read_as_written(number):
    assert final_number(f"first 1, then {number:f}").value == number


@given(whole, whole, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_wider_tolerance_never_loses_a_match(found, wanted, tolerance, more):
    if near(Decimal(found), Decimal(wanted), tolerance):
        assert near(Decimal(found), Decimal(wanted), tolerance + more)


@given(st.text())
def test_reading_any_text_ends(text):
    spans = [(n.start, n.end) for n in numbers(text)]
    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
