from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.errors import ScorerConfigError
from seatrial.scorers import build


@pytest.mark.parametrize(
    ("settings", "expected", "text", "passed"),
    [
        pytest.param({"pattern": "RF-[0-9]{6}"}, None, "see RF-123456.", True, id="search"),
        pytest.param({"pattern": "RF-[0-9]{6}", "mode": "fullmatch"}, None, "see RF-123456.", False, id="fullmatch"),
        pytest.param({"pattern": "rf-", "ignore_case": True}, None, "RF-1", True, id="case"),
        pytest.param({"pattern": "^b$"}, None, "a\nb", False, id="one line"),
        pytest.param({"pattern": "^b$", "multiline": True}, None, "a\nb", True, id="multiline"),
        pytest.param({"pattern": "a.b"}, None, "a\nb", False, id="dot"),
        pytest.param({"pattern": "a.b", "dot_all": True}, None, "a\nb", True, id="dot_all"),
        pytest.param({"pattern": r"\d{16}", "absent": True}, None, "card 4111111111111111", False, id="absent, there"),
        pytest.param({"pattern": r"\d{16}", "absent": True}, None, "no card", True, id="absent"),
        pytest.param({"pattern": r"total: (?P<n>\d+)", "group": "n"}, "42", "total: 42", True, id="group"),
        pytest.param({"pattern": r"total: (?P<n>\d+)", "group": "n"}, "42", "total: 43", False, id="group differs"),
        pytest.param({"pattern": r"(a)|(b)", "group": 1}, "b", "b", False, id="group caught nothing"),
        pytest.param({"pattern": "a\ufffdb"}, None, "a\ud800b", True, id="lone surrogate"),
        pytest.param({"pattern": "(a+)+$"}, None, "a" * 40 + "b", False, id="no catastrophe"),
    ],
)
def test_regex(judged, settings, expected, text, passed):
    score = judged("regex", settings, text, expected)
    assert (score.status, score.passed) == ("scored", passed), score


def test_the_match_is_evidence_with_character_offsets(judged):
    span = judged("regex", {"pattern": "[0-9]+"}, "käse\0 12 €").evidence[0]
    assert (span.quote, span.start, span.end) == ("12", 6, 8)


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"pattern": "(a"}, "missing )"),
        ({"pattern": "(?<=a)b"}, "look-around"),
        ({"pattern": "(a)\\1"}, "back-references"),
        ({"pattern": "a", "group": "n"}, "not in the pattern"),
        ({"pattern": "(a)", "group": 2}, "not in the pattern"),
        ({"pattern": "(a)", "group": 1, "absent": True}, "do not fit together"),
        ({"pattern": ""}, "must not be empty"),
        ({}, "is required"),
        ({"pattern": "a{9999}"}, "invalid repetition size"),
    ],
)
def test_bad_patterns_are_refused_when_the_scorer_is_built(settings, rule, capfd):
    with pytest.raises(ScorerConfigError, match="cannot be used") as caught:
        build("regex", settings, Path())
    assert rule in str(caught.value)
    assert capfd.readouterr().err == ""
