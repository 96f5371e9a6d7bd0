"""A gate as JUnit XML, which Jenkins, GitLab and GitHub's actions read: a suite an arm, a test case a check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from seatrial.errors import SeatrialError
from seatrial.reports.text import one_line, visible
from seatrial.verdicts.artefacts.gating import Check, GateReport

LONGEST = 2_000
_BARRED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""

BROKEN = {"block": "failure", "inconclusive": "failure", "not_evaluable": "error", "shown": "skipped"}
"""The element of each outcome that is no pass."""


def junit(gate: GateReport) -> str:
    """The gate as JUnit XML. An inconclusive check is a failure, or skipped where the gate was allowed to let it pass.

    Names and sentences may hold what models wrote: they are cut, and what XML cannot hold is written out.
    """
    allowed = gate.outcome == "inconclusive" and gate.exit_code == 0
    arms: dict[str, list[Check]] = {}
    for check in gate.checks:
        arms.setdefault(check.arm or "gate", []).append(check)
    suites = [_suite(gate.report.suite, arm, checks, gate, allowed=allowed) for arm, checks in arms.items()]
    return _text(suites, gate.report.suite)


def junit_error(error: SeatrialError, name: str) -> str:
    """What kept a gate from being judged, as JUnit XML with one test case that has an error."""
    suite = ElementTree.Element("testsuite", _counts([("error", 1)], 1) | {"name": _safe(name)})
    case = ElementTree.SubElement(suite, "testcase", {"name": "gate", "classname": _safe(name), "time": "0"})
    found = ElementTree.SubElement(case, "error", {"message": _safe(error.problem), "type": error.code})
    found.text = _safe(str(error))
    return _text([suite], name)


def _suite(suite: str, arm: str, checks: Sequence[Check], gate: GateReport, *, allowed: bool) -> ElementTree.Element:
    sorts = [_sort(check, allowed=allowed) for check in checks]
    told = [(sort, sorts.count(sort)) for sort in ("failure", "error", "skipped")]
    found = ElementTree.Element("testsuite", {"name": _safe(f"{suite}: {arm}"), **_counts(told, len(checks))})
    found.set("timestamp", _safe(gate.report.started_at[:19]))
    for check, sort in zip(checks, sorts, strict=True):
        where = {"name": _safe(check.name), "classname": _safe(f"{suite}.{arm}"), "time": "0"}
        if check.line:
            where |= {"file": _safe(gate.suite_file), "line": str(check.line)}
        case = ElementTree.SubElement(found, "testcase", where)
        if sort:
            said = {"message": _safe(check.sentence)} | ({} if sort == "skipped" else {"type": check.outcome.upper()})
            ElementTree.SubElement(case, sort, said).text = None if sort == "skipped" else _safe(check.sentence)
        else:
            ElementTree.SubElement(case, "system-out").text = _safe(check.sentence)
    return found


def _sort(check: Check, *, allowed: bool) -> str:
    if check.outcome == "inconclusive" and allowed:
        return "skipped"
    return BROKEN.get(check.outcome, "")


def _counts(found: Sequence[tuple[str, int]], tests: int) -> dict[str, str]:
    named = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    counts = dict.fromkeys(named.values(), "0") | {named[sort]: str(number) for sort, number in found}
    return {"tests": str(tests), **counts, "time": "0"}


def _text(suites: Sequence[ElementTree.Element], name: str) -> str:
    sums = {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in ("tests", "failures", "errors")}
    root = ElementTree.Element("testsuites", {"name": _safe(name), **sums, "time": "0"})
    root.extend(suites)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _safe(text: str) -> str:
    return _BARRED.sub("�", one_line(visible(text[: 4 * LONGEST]), LONGEST))
