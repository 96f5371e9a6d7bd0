"""The Markdown rendering, for pull requests and step summaries; hostile text cannot leave its place in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from seatrial.reports import business as b
from seatrial.reports import format as f
from seatrial.reports import words as w
from seatrial.reports.text import clean, cut, one_line
from seatrial.verdicts.records import ArmSummary, Flip, Ranking, RubricResult, TrialReport, Verdict

FLIPS = 5
FLIP_CHARACTERS = 600
LONGEST_SENTENCE = 600
MOST_ROWS = 40
MOST_NOTES = 20
CUT = "**Shortened: the whole report is too long for one comment.**"
LONGEST_COMMENT = 65_000
"""Characters; GitHub refuses a comment of more than 65,536."""

SIGN = {"ship": "✅", "block": "❌", "inconclusive": "❔", "not_evaluable": "➖", "shown": "·"}

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~$&@]|:(?=\S)")


def markdown(report: TrialReport) -> str:
    """The report as GitHub-flavoured Markdown, short enough for one comment.

    Text that is not ours is written with character references for everything that Markdown or HTML reads, or stands
    in a fence longer than any run of backticks inside it.
    """
    report = clean(report)
    full = [_verdict(v, folded=len(report.verdicts) > 1, flips=FLIPS) for v in report.verdicts]
    bare = [_verdict(v, folded=len(report.verdicts) > 1, flips=0) for v in report.verdicts]
    alone = _table(report.rates) if report.rates else []
    too_long = [f"{CUT} `seatrial compare -o report.html` writes the longer one.", ""]
    shorter = (
        [*_head(report), *_join(full), *alone, "", *_foot(report)],
        [*_head(report), *_join(bare), *alone, "", *too_long, *_foot(report)],
        [*_head(report), *too_long, *_foot(report)],
    )
    texts = ("\n".join(lines) for lines in shorter)
    words_only = "\n".join([*_verdict_rows(report, says=False), "", *too_long])
    return next((text for text in texts if len(text) <= LONGEST_COMMENT), words_only)


def _join(blocks: Iterable[list[str]]) -> list[str]:
    return [line for block in blocks for line in block]


def _head(report: TrialReport) -> list[str]:
    notes = _notes([w.sample_warning(report), *report.warnings])
    return [f"## {prose(w.question(report))}", "", *notes, *_verdict_rows(report, says=True), "", _basis(report), ""]


def _verdict_rows(report: TrialReport, *, says: bool) -> list[str]:
    if not report.verdicts:
        return []
    rows = ["| | candidate | |", "|---|---|---|"]
    for v in report.verdicts[:MOST_ROWS]:
        settle = "".join(f" {text}" for text in w.settle(v.needed, v.headline))
        said = f"{prose(v.headline)}{settle}" if says else ""
        rows.append(f"| {SIGN[v.overall]} **{w.OVERALL[v.overall]}** | {code(v.candidate)} | {said} |")
    return rows


def _foot(report: TrialReport) -> list[str]:
    return [
        *_ranking(report.ranking),
        "### Targets",
        "",
        *_arms(report.arms),
        *_prices(report),
        *_judging(report),
        *_times(report.arms),
        "",
        _hashes(report),
        "",
    ]


def _judging(report: TrialReport) -> list[str]:
    said = w.judging(report)
    return ["", prose(said)] if said else []


def prose(text: str) -> str:
    """Text inside a sentence, a heading or a table cell: nothing in it is markup, a mention or a link."""
    flat = one_line(text, LONGEST_SENTENCE)
    safe = _SPECIAL.sub(lambda m: f"&#{ord(m[0])};" + ("\u2060" if m[0] in "@#:" else ""), flat)
    return re.sub(r"(?i)\b(www)\.", "\\1\u2060.", safe)


def code(text: str) -> str:
    """A name in code type."""
    flat = one_line(text, w.LONGEST_NAME)
    return f"<code>{_SPECIAL.sub(lambda m: f'&#{ord(m[0])};', flat)}</code>"


def fenced(text: str) -> str:
    """Text as it is, in a fence that it cannot close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _notes(notes: Sequence[str | None]) -> list[str]:
    found = [f"> **Note.** {prose(note)}" for note in notes[:MOST_NOTES] if note]
    return [line for note in found for line in (note, "")]


def _basis(report: TrialReport) -> str:
    parts = (code(report.suite), w.basis(report), prose(f.moment(report.started_at)))
    return " · ".join(parts)


def _verdict(verdict: Verdict, *, folded: bool, flips: int) -> list[str]:
    word = f"{SIGN[verdict.overall]} {w.OVERALL[verdict.overall]}"
    names = f"{code(verdict.candidate)} against {code(verdict.incumbent)}"
    start = [f"### {word} {names}", ""]
    end: list[str] = []
    if folded:
        start, end = ["<details>", f"<summary><b>{word}</b> {names}</summary>", ""], ["</details>", ""]
    odd = [r for r in verdict.rubrics if not w.is_plain(r)][:MOST_ROWS]
    said = [
        f"- {SIGN[w.TONE[r.decision]]} **{prose(r.name)}**: {prose(' '.join([r.sentence, *w.remarks(r)]))}" for r in odd
    ]
    table = _table(verdict.rubrics) if verdict.rubrics else []
    conduct = [line for text in w.conduct(verdict)[:MOST_ROWS] for line in (prose(text), "")]
    body = [
        *_parity(verdict),
        *_choices(verdict),
        *conduct,
        *table,
        "",
        *said,
        "",
        *_notes(verdict.warnings),
        *_worth(verdict),
        *_flips(verdict, flips),
    ]
    return [*start, *body, *end]


def _worth(verdict: Verdict) -> list[str]:
    """The business case: its sentence, the ledger, and what else belongs to it."""
    case = verdict.economics
    if case is None:
        return []
    lines = [
        f"**What the switch is worth.** {prose(b.worth(verdict))}",
        "",
        "| | a month | | a year |",
        "|---|--:|--:|--:|",
    ]
    for row in b.ledger(case, verdict.incumbent, verdict.candidate):
        label = f"**{prose(row.label)}**" if row.total else prose(row.label)
        lines.append(" | ".join(("| " + label, *map(_cell, (row.month, row.interval, row.year)))) + " |")
    said = [f"{prose(fact.label)}: {prose(fact.value)}" for fact in b.facts(case)]
    return [*lines, "", f"{' · '.join(said)}", ""]


def _ranking(ranking: Ranking | None) -> list[str]:
    """Several candidates and the incumbent, best first."""
    if ranking is None:
        return []
    lines = ["### Side by side", "", prose(ranking.sentence), "", *_notes(ranking.notes)]
    lines += ["| target | | rank | passed | 1,000 answers | p95 | on the front |", "|---|---|--:|--:|--:|--:|--:|"]
    for s, cells in b.rank_rows(ranking)[:MOST_ROWS]:
        role = prose(s.excluded or b.role(s))
        lines.append(" | ".join((f"| {code(s.target)}", role, *map(_cell, cells))) + " |")
    return [*lines, ""]


def _choices(verdict: Verdict) -> list[str]:
    """Why it is suspect, and what it would be under other choices."""
    lines: list[str] = []
    for text in w.suspicion(verdict):
        lines += [prose(text), ""]
    if found := w.choices(verdict):
        lines += [prose(found[0]), "", *(f"- {prose(text)}" for text in found[1:]), ""]
    return lines


def _parity(verdict: Verdict) -> list[str]:
    line = w.parity(verdict)
    return [prose(line), "", *(f"- {prose(text)}" for text in w.unequal(verdict)[:MOST_ROWS]), ""] if line else []


def _table(rubrics: Sequence[RubricResult]) -> list[str]:
    level = w.level_of(rubrics)
    evidence = f"difference{f' [{level}]' if level else ''}"
    rows = [
        f"| rubric | kind | n | incumbent | candidate | {evidence} | must be | decision |",
        "|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for r in rubrics[:MOST_ROWS]:
        line, size = w.line(r), w.compared(r)
        n = "" if size is None else f.count(size)
        gate = r.limit is not None and r.quantity is None
        bound = f"fails up to {line.evidence}" if r.failures else "no results"
        evidence = bound if gate else f"{line.evidence} {line.interval}".strip()
        fails = " fail" if gate else ""
        numbers = (f"{line.incumbent}{fails}", f"{line.candidate}{fails}", evidence, line.must)
        decision = f"{SIGN[w.TONE[r.decision]]} {r.decision}"
        rows.append(" | ".join(("| " + prose(r.name), prose(r.kind), n, *map(_cell, numbers), decision + " |")))
    if len(rubrics) > MOST_ROWS:
        rows.append(f"| … {len(rubrics) - MOST_ROWS} more | | | | | | | |")
    return rows


def _cell(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "&#124;").replace("$", "&#36;")


def _flips(verdict: Verdict, most: int) -> list[str]:
    if not verdict.flips or not most:
        return []
    shown = w.telling(verdict)[:most]
    heading = w.differ_heading(verdict, [flip for group in shown for flip in group])
    lines = ["<details>", f"<summary>{heading}</summary>", ""]
    for group in shown:
        lines += _flip(group)
    return [*lines, "</details>", ""]


def _flip(group: Sequence[Flip]) -> list[str]:
    flip = group[0]
    ways = " · ".join(f"**{way}** {', '.join(map(prose, rubrics))}" for way, rubrics in w.ways(group))
    texts = {"asked": flip.input, "expected": flip.expected}
    texts[_labelled("incumbent", flip.incumbent_reason)] = flip.incumbent
    texts[_labelled("candidate", flip.candidate_reason)] = flip.candidate
    lines = [f"{ways} · {code(flip.case_id)}", ""]
    for label, text in texts.items():
        lines += [label, "", fenced(cut(text, FLIP_CHARACTERS)), ""]
    return lines


def _labelled(label: str, reason: str) -> str:
    return f"{label}: {prose(one_line(reason, 200))}" if reason else label


def _prices(report: TrialReport) -> list[str]:
    priced = w.prices(report)
    return ["", prose(priced)] if priced else []


def _arms(arms: Sequence[ArmSummary]) -> list[str]:
    rows = [
        "| target | outputs | reused | latency p50, all cases | p95, all cases | cost | errors |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for a in arms[:MOST_ROWS]:
        latency = (_cell(f.seconds(a.latency_p50)), _cell(f.seconds(a.latency_p95)))
        numbers = (f.count(a.outputs), f.count(a.reused), *latency, _cell(f.cost(a.cost, a.cost_unknown)))
        rows.append(" | ".join(("| " + code(a.target), *numbers, prose(w.errors(a)) + " |")))
    return rows


def _times(arms: Sequence[ArmSummary]) -> list[str]:
    """Time to the first token, between tokens and to the whole answer, arm under arm."""
    rows = w.time_rows(arms[:MOST_ROWS])
    if not rows:
        return []
    lines = ["", "| latency | target | n | p50 | p95 | p99 |", "|---|---|--:|--:|--:|--:|"]
    for target, time, n, percentiles in rows:
        lines.append(" | ".join((f"| {time}", code(target), f.count(n), *map(_cell, percentiles))) + " |")
    said = [prose(how) for how in w.measured(arms[:MOST_ROWS])]
    return [*lines, "", f"{'; '.join(said)}. {w.TIMES_NOTE}"]


def _hashes(report: TrialReport) -> str:
    pairs = {"trial": report.trial_id, "suite": report.suite_hash, "dataset": report.dataset_hash}
    return f"<sub>{' · '.join(f'{key} {code(value)}' for key, value in pairs.items())}</sub>"
