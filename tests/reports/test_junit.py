from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports import made_reports as made

from seatrial.errors import UsageError
from seatrial.reports import github
from seatrial.reports.junit import junit, junit_error
from seatrial.reports.pullrequest import LONGEST_COMMENT
from seatrial.verdicts.artefacts import gating
from seatrial.verdicts.artefacts.gating import Against, Check, GateReport, Named, SetAside

HOSTILE = (
    "]]></failure><script>&amp; \x00\x07\x1b[31m \ud800 \ufffe \u202e \r\n::error file=x::gone\n##[error]x\n"
    "::stop-commands::t\n::set-output name=exit-code::0\n| a | `b` @team <!-- -->" + "x" * 100_000
)
OUTCOMES = ("pass", "block", "inconclusive", "not_evaluable", "shown")


def gated(*checks: Check, allow: bool = False, **more) -> GateReport:
    overall = gating.outcome(checks)
    base = {
        "outcome": overall,
        "exit_code": gating.exit_code(overall, allow_inconclusive=allow),
        "sentence": gating.sentence(overall, checks),
        "checks": checks,
        "suite_file": "evals/seatrial.yaml",
        "report": made.all_three(),
    }
    return GateReport(**{**base, **more})


def check(outcome: str, name: str = "right", **more) -> Check:
    return Check(name=name, outcome=outcome, sentence=f"It {outcome}.", arm=more.pop("arm", "new"), **more)


EVERY = tuple(check(outcome, outcome, line=3 + at) for at, outcome in enumerate(OUTCOMES))


@pytest.mark.parametrize(
    ("outcomes", "overall", "code"),
    [
        pytest.param((), "not_evaluable", 4, id="nothing"),
        pytest.param(("shown",), "not_evaluable", 4, id="shown"),
        pytest.param(("pass", "shown"), "ship", 0, id="pass"),
        pytest.param(("pass", "inconclusive"), "inconclusive", 3, id="open"),
        pytest.param(("pass", "inconclusive", "not_evaluable"), "not_evaluable", 4, id="lacking"),
        pytest.param(("pass", "not_evaluable", "block"), "block", 1, id="block"),
    ],
)
def test_the_worst_check_decides(outcomes, overall, code):
    found = gating.outcome([check(outcome) for outcome in outcomes])
    assert (found, gating.exit_code(found)) == (overall, code)


def test_a_check_of_no_rubric_does_not_ship():
    assert gating.outcome([check("pass", "record", arm="")]) == "not_evaluable"


@given(st.lists(st.sampled_from(OUTCOMES)))
def test_only_an_open_verdict_may_be_allowed(outcomes):
    found = gating.outcome([check(outcome) for outcome in outcomes])
    strict, loose = gating.exit_code(found), gating.exit_code(found, allow_inconclusive=True)
    assert loose == (0 if found in {"ship", "inconclusive"} else strict)
    assert (strict == 0) == (found == "ship")


def test_counts_and_elements_fit():
    root = ElementTree.fromstring(junit(gated(*EVERY)))
    suites = root.findall("testsuite")
    for suite in suites:
        tests = suite.findall("testcase")
        assert int(suite.get("tests")) == len(tests)
        for counted, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(counted)) == sum(test.find(element) is not None for test in tests)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "2", "1")
    cases = {test.get("name"): test for test in root.iter("testcase")}
    assert cases["block"].find("failure").get("message") == "It block."
    assert (cases["block"].get("file"), cases["block"].get("line")) == ("evals/seatrial.yaml", "4")
    assert next(iter(cases["pass"])).tag == "system-out"


def test_what_is_allowed_is_no_failure():
    root = ElementTree.fromstring(junit(gated(check("pass"), check("inconclusive", "open"), allow=True)))
    assert (root.get("failures"), root.find(".//skipped") is not None) == ("0", True)


def hostile() -> GateReport:
    checks = tuple(
        Check(name=HOSTILE, outcome=outcome, sentence=HOSTILE, arm=HOSTILE, line=1) for outcome in OUTCOMES[1:4]
    )
    named = Named.of([HOSTILE] * 30)
    held = Against(
        source=HOSTILE,
        target=HOSTILE,
        identity="",
        blessed_at=HOSTILE,
        common=3,
        new=named,
        removed=named,
        changed=named,
    )
    aside = SetAside(case=HOSTILE, rubric=HOSTILE, reason=HOSTILE, expires="2026-12-01", results={HOSTILE: HOSTILE})
    more = {"changes": (HOSTILE,) * 50, "notes": (HOSTILE,), "quarantined": (aside,) * 50, "baseline": held}
    return gated(*checks, suite_file=HOSTILE, **more)


def test_hostile_text_stays_text_in_xml():
    text = junit(hostile())
    root = ElementTree.fromstring(text.encode("utf-8"))
    assert {element.tag for element in root.iter()} == {"testsuites", "testsuite", "testcase", "failure", "error"}
    assert not any(ord(c) < 32 and c != "\n" for c in text)
    assert len(text) < 200_000


def test_hostile_text_is_no_command():
    lines = github.marks(hostile()).splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith(("::error file=", "::warning file=")), line[:80]
        properties, _, data = line.removeprefix("::").partition("::")
        assert properties.count(",") == 2
        assert "\r" not in data
    said = github.inert(f"{github.text(hostile())}\n  ::add-mask::x\n::: y\na ##[group]b ##vso[task]c ###[x")
    for line in said.splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


@given(st.text(alphabet=":#[vso \n\t\u2028\x85ab", max_size=30))
def test_no_line_of_a_log_is_a_command(text):
    for line in github.inert(text).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_marks_are_at_most_ten_of_each():
    checks = [check("block", f"b{n}", line=n + 1) for n in range(30)] + [
        check("inconclusive", f"o{n}") for n in range(30)
    ]
    lines = github.marks(gated(*checks)).splitlines()
    assert [sum(line.startswith(f"::{level} ") for line in lines) for level in ("error", "warning")] == [10, 10]


def test_a_comment_begins_with_its_mark_and_fits():
    for gate in (gated(*EVERY), hostile()):
        text = github.comment(gate)
        assert text.startswith(f"{github.MARKER}\n## ")
        assert len(text) <= LONGEST_COMMENT + 200
        text.encode("utf-8")
        assert text.count("<!--") == 1


def test_code_quality_is_what_gitlab_reads():
    found = json.loads(github.code_quality(gated(*EVERY)))
    assert [item["severity"] for item in found] == ["blocker", "critical", "major"]
    assert len({item["fingerprint"] for item in found}) == 3
    assert found[0]["location"] == {"path": "evals/seatrial.yaml", "lines": {"begin": 4}}
    json.loads(github.code_quality(hostile()))


def test_an_error_is_an_error_in_every_form():
    error = UsageError(HOSTILE, hint=HOSTILE)
    root = ElementTree.fromstring(junit_error(error, HOSTILE).encode())
    assert root.get("errors") == "1"
    assert len(github.annotation_of(error, "a,b:c").splitlines()) == 1
    assert "file=a%2Cb%3Ac," in github.annotation_of(error, "a,b:c")
    assert github.comment_of(error).startswith(github.MARKER)
