"""A gate for GitHub and GitLab: annotations, a step summary, a comment, code quality. Hostile text stays text.

A runner takes a line that begins with `::`, or holds `##[`, for a command: nothing that a model or a change wrote may
become one. Sources: "Workflow commands for GitHub Actions" (docs.github.com) and the runner's `ActionCommand` parser;
GitLab's "Code Quality report format".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

from seatrial.errors import SeatrialError
from seatrial.reports.pullrequest import LONGEST_COMMENT, SIGN, code, fenced, markdown, prose
from seatrial.reports.text import clean, one_line, visible
from seatrial.verdicts.artefacts.gating import Check, GateReport, Named

MARKER = "<!-- seatrial-gate -->"
"""The first line of a comment, by which it is found again and replaced."""

MOST_ANNOTATIONS = 10
"""GitHub shows ten errors and ten warnings a step."""
LONGEST = 1_000
MOST_ROWS = 40
LEVEL = {"block": "error", "not_evaluable": "error", "inconclusive": "warning"}
SEVERITY = {"block": "blocker", "not_evaluable": "critical", "inconclusive": "major"}
_SIGN = {"pass": "ship", "shown": "shown"}
_COMMAND = re.compile(r"(?<!\S):(?=:)|#(?=#(?:\[|vso\[))")


def inert(text: str) -> str:
    """Text for a log in which no line is a command of a runner: a word joiner, which nobody sees, parts its sign."""
    return _COMMAND.sub(lambda m: f"{m[0]}\u2060", text)


def marks(gate: GateReport) -> str:
    """Workflow commands that mark the suite file's lines: errors for what blocks, warnings for what is open."""
    open_ = "error" if gate.outcome == "inconclusive" and gate.exit_code else "warning"
    found: dict[str, list[str]] = {"error": [], "warning": []}
    for check in _broken(gate):
        level = open_ if check.outcome == "inconclusive" else LEVEL[check.outcome]
        title = f"{check.name} ({check.arm})" if check.arm else check.name
        found[level].append(_command(level, gate.suite_file, check.line or 1, title, check.sentence))
    return "".join(line for lines in found.values() for line in lines[:MOST_ANNOTATIONS])


def annotation_of(error: SeatrialError, file: str) -> str:
    """The workflow command for what kept a gate from being judged."""
    return _command("error", file, 1, "seatrial gate", str(error))


def _command(level: str, file: str, line: int, title: str, message: str) -> str:
    parts = f"file={_property(file)},line={line},title={_property(title)}"
    return f"::{level} {parts}::{_data(one_line(visible(message), LONGEST))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(visible(text), 200)).replace(":", "%3A").replace(",", "%2C")


def _broken(gate: GateReport) -> list[Check]:
    order = {"block": 0, "not_evaluable": 1, "inconclusive": 2}
    return sorted((check for check in gate.checks if check.outcome in order), key=lambda c: order[c.outcome])


def comment_of(error: SeatrialError) -> str:
    """The comment for what kept a gate from being judged."""
    return f"{MARKER}\n## {SIGN['not_evaluable']} The gate could not be judged\n\n{fenced(visible(str(error)))}\n"


def comment(gate: GateReport) -> str:
    """The gate as Markdown for a comment or a step summary: the outcome, every check, and the report behind it."""
    head = "\n".join([MARKER, *_head(clean(gate))])
    room = LONGEST_COMMENT - len(head) - 2
    body = markdown(gate.report)
    if len(body) > room:
        body = "**Shortened: the report is too long for one comment.**\n"
    return f"{head[:LONGEST_COMMENT]}\n{body}"


def _head(gate: GateReport) -> Iterator[str]:
    yield f"## {SIGN[gate.outcome]} {prose(gate.sentence)}"
    yield ""
    decided = [check for check in gate.checks if check.outcome != "shown"]
    if decided:
        yield "| | check | of | says |"
        yield "|---|---|---|---|"
    for check in decided[:MOST_ROWS]:
        sign = SIGN[_SIGN.get(check.outcome, check.outcome)]
        yield f"| {sign} | {code(check.name)} | {prose(check.arm)} | {prose(check.sentence)} |"
    yield from _listed("What the change edits", gate.changes)
    yield from _listed("Not taken from the change", gate.notes)
    yield from _quarantined(gate)
    if gate.baseline is not None:
        held = gate.baseline
        said = f"Compared with {prose(held.source)}, {held.common:,} cases in common"
        yield f"{said}{_named('new', held.new)}{_named('changed', held.changed)}{_named('removed', held.removed)}."
        yield ""


def _named(word: str, named: Named) -> str:
    if not named.count:
        return ""
    more = " …" if named.count > len(named.first) else ""
    return f"; {named.count:,} {word}: {', '.join(map(code, named.first))}{more}"


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    if lines:
        yield f"**{title}:**"
        yield ""
        yield from (f"- {prose(line)}" for line in lines[:MOST_ROWS])
        yield ""


def _quarantined(gate: GateReport) -> Iterator[str]:
    if not gate.quarantined:
        return
    yield "| in quarantine, decides nothing | rubric | until | why | now |"
    yield "|---|---|---|---|---|"
    for held in gate.quarantined[:MOST_ROWS]:
        now = ", ".join(f"{name} {said}" for name, said in held.results.items()) or "not run"
        cells = (code(held.case), code(held.rubric), prose(held.expires), prose(held.reason), prose(now))
        yield f"| {' | '.join(cells)} |"
    yield ""


def code_quality(gate: GateReport) -> str:
    """GitLab's code quality report: what is not a pass, at the suite file's lines."""
    found: list[dict[str, object]] = []
    for check in _broken(gate):
        said = one_line(visible(f"{check.name}{f' ({check.arm})' if check.arm else ''}: {check.sentence}"), LONGEST)
        place = {"path": gate.suite_file, "lines": {"begin": check.line or 1}}
        mark = sha256(f"{gate.suite_file}\0{check.arm}\0{check.name}".encode("utf-8", "surrogatepass")).hexdigest()
        issue = {"description": said, "check_name": one_line(visible(check.name), 200), "fingerprint": mark}
        found.append({**issue, "severity": SEVERITY[check.outcome], "location": place})
    return json.dumps(found, indent=2, ensure_ascii=True) + "\n"


def text(gate: GateReport) -> str:
    """The gate for a terminal: the outcome, what is not a pass, what was edited and not taken, the quarantine."""
    gate = clean(gate)
    lines = [f"{SIGN[gate.outcome]} {gate.sentence}"]
    lines += [f"  {check.name}{f' ({check.arm})' if check.arm else ''}: {check.sentence}" for check in _broken(gate)]
    lines += [f"  edits {line}" for line in gate.changes[:MOST_ROWS]]
    lines += [f"  {line}" for line in gate.notes[:MOST_ROWS]]
    for held in gate.quarantined[:MOST_ROWS]:
        now = ", ".join(f"{name} {said}" for name, said in held.results.items()) or "not run"
        lines.append(f"  in quarantine until {held.expires}: {held.case} on {held.rubric} ({held.reason}); now {now}")
    if gate.baseline is not None:
        held = gate.baseline
        counts = {"new": held.new, "changed": held.changed, "removed": held.removed}
        told = [
            f"{named.count:,} {word} ({', '.join(named.first[:5])}{' …' if named.count > 5 else ''})"
            for word, named in counts.items()
            if named.count
        ]
        lines.append(f"  against {held.source}: {'; '.join([f'{held.common:,} cases in common', *told])}")
    return "\n".join(lines)
