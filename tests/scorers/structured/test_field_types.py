"""Types and tolerances of single fields."""

from __future__ import annotations

import json

import pytest

from seatrial.errors import ScorerConfigError
from seatrial.scorers.structured.rules import FieldRule, as_rule

COUNTRIES = {"DE": ["Germany", "Deutschland"], "FR": ["France"]}
RULES = [
    pytest.param({"type": "date"}, "2026-03-01T10:00:00Z", "2026-03-01", True, id="a-time-of-that-day"),
    pytest.param({"type": "date", "days": 1}, "2026-03-02", "2026-03-01", True, id="a-day-apart"),
    pytest.param({"type": "date", "days": 1}, "2026-03-03", "2026-03-01", False, id="two-days-apart"),
    pytest.param({"type": "date", "formats": "%d.%m.%Y"}, "1.3.2026", "2026-03-01", True, id="german-date"),
    pytest.param({"type": "date", "formats": "%m/%d/%Y"}, "03/01/2026", "2026-03-01", True, id="american-date"),
    pytest.param({"type": "date"}, "03/01/2026", "2026-03-01", False, id="ambiguous-date"),
    pytest.param({"type": "date"}, 20260301, "2026-03-01", False, id="a-number-is-no-date"),
    pytest.param({"type": "date"}, "2026-02-30", "2026-03-02", False, id="no-such-day"),
    pytest.param({"type": "datetime"}, "2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z", True, id="one-moment"),
    pytest.param({"type": "datetime"}, "2026-03-01T12:00:00", "2026-03-01T12:00:00Z", True, id="no-zone-is-utc"),
    pytest.param({"type": "datetime"}, "2026-03-01T12:00:05Z", "2026-03-01T12:00:00Z", False, id="seconds-apart"),
    pytest.param({"type": "datetime", "seconds": 5}, "2026-03-01T12:00:05Z", "2026-03-01T12:00:00Z", True, id="near"),
    pytest.param({"type": "boolean"}, "Yes", True, True, id="yes"),
    pytest.param({"type": "boolean"}, 0, False, True, id="zero-is-false"),
    pytest.param({"type": "boolean"}, "maybe", True, False, id="maybe"),
    pytest.param({"type": "boolean"}, None, False, False, id="null-is-not-false"),
    pytest.param({"type": "enum", "values": COUNTRIES}, "germany", "DE", True, id="a-synonym"),
    pytest.param({"type": "enum", "values": COUNTRIES}, "Deutschland", "Germany", True, id="two-synonyms"),
    pytest.param({"type": "enum", "values": COUNTRIES}, "France", "DE", False, id="another-value"),
    pytest.param({"type": "enum", "values": COUNTRIES}, "Spain", "Spain", False, id="no-value-of-it"),
    pytest.param({"type": "enum", "values": ["low", "high"]}, "LOW", "low", True, id="plain-values"),
    pytest.param({"type": "enum", "values": ["low", "high"], "ignore_case": False}, "LOW", "low", False, id="cased"),
    pytest.param({"type": "text", "ignore_case": False}, "ACME", "Acme", False, id="case-counts"),
    pytest.param({"ignore_case": False}, " Acme ", "Acme", True, id="spacing-does-not"),
    pytest.param({"type": "number", "abs": 0.01}, "1,250.00 EUR", 1250.005, True, id="number-in-text"),
    pytest.param({"type": "number", "rel": 0.01}, 101, 100, True, id="relative"),
    pytest.param({"type": "number", "rel": 0.01}, 102, 100, False, id="beyond-it"),
    pytest.param("set", ["b", "A"], ["a", "b"], True, id="a-set"),
    pytest.param("set", ["a", "a", "b"], ["a", "b", "b"], False, id="a-set-counts"),
    pytest.param({"type": "set", "abs": 0.1}, [2.05, 1], [1, 2], True, id="a-set-within-a-tolerance"),
    pytest.param("set", list(range(5000)), list(range(4999, -1, -1)), True, id="a-large-set"),
    pytest.param("set", [1, True], [True, 1], True, id="true-and-1"),
    pytest.param("set", [1, 1], [True, 1], False, id="true-is-not-1"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "found", "wanted", "same"), RULES)
def test_rules(rule, found, wanted, same):
    assert FieldRule.model_validate(as_rule(rule)).equal(found, wanted) is same


@pytest.mark.parametrize("kind", ["auto", "exact", "text", "number", "date", "datetime", "boolean", "set"])
@pytest.mark.parametrize(
    "found", [None, True, 2**63, 1e308, "\x00", "\ud800", "9" * 5000, "x" * 1_000_000, [], [[]], {}]
)
def test_a_rule_takes_any_value(kind, found):
    for wanted in (None, 1, "2026-03-01", [1], {"a": 1}, "\udfff"):
        assert FieldRule(type=kind).equal(found, wanted) in (True, False)


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "enum"},
        {"type": "text", "values": ["a"]},
        {"type": "enum", "values": {"a": ["b"], "c": ["B"]}},
        {"type": "date", "formats": "%Q"},
        {"type": "date", "formats": [""]},
        {"type": "text", "formats": "%d"},
        {"type": "date", "days": -1},
        {"type": "money"},
    ],
)
def test_bad_rules(judged, rule):
    with pytest.raises(ScorerConfigError):
        judged("fields", {"types": {"a": rule}}, "{}", {"answer": {"a": 1}})


def test_the_articles_extraction_field_by_field(judged):
    """Party, date and value of a contract, each by its type; 85% of the fields, as article A2 has it."""
    expected = {"party_name": "Acme Corp", "effective_date": "2026-03-01", "total_value": 50000, "country": "DE"}
    answer = {
        "party_name": "ACME Corp",
        "effective_date": "March 1, 2026",
        "total_value": "$50,000",
        "country": "Germany",
    }
    types = {
        "effective_date": {"type": "date", "formats": "%B %d, %Y"},
        "total_value": "number",
        "country": {"type": "enum", "values": COUNTRIES},
    }
    assert judged("fields", {"types": types}, json.dumps(answer), {"answer": expected}).passed
    assert judged("fields", {}, json.dumps(answer), {"answer": expected}).value == 0.25
