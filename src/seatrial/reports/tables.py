"""The terminal rendering: the verdicts first, then the evidence, each decision in words as well as in colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shutil import get_terminal_size

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seatrial.reports import business as b
from seatrial.reports import format as f
from seatrial.reports import words as w
from seatrial.reports.console import in_memory, printed
from seatrial.reports.diff import excerpts
from seatrial.reports.text import clean, one_line
from seatrial.verdicts.records import ArmSummary, Flip, Ranking, RubricResult, TrialReport, Verdict

NARROWEST, WIDEST = 60, 140
WIDE = 96
"""From this width on, incumbent and candidate have columns of their own."""

FLIPS = 3
"""Flips shown of a single candidate; one each where there are several."""

STYLE = {
    "ship": "bold green",
    "block": "bold red",
    "inconclusive": "bold yellow",
    "not_evaluable": "bold magenta",
    "shown": "dim",
}


def terminal(report: TrialReport, *, width: int | None = None, colour: bool = False, hint: bool = True) -> str:
    """The report for a terminal of `width` columns (as wide as the terminal where None, at least 60, at most 140).

    Without `colour` the text holds no escape codes; without `hint` its end does not say how to write the whole report.
    """
    columns = width or get_terminal_size((100, 24)).columns
    out = in_memory(max(NARROWEST, min(columns, WIDEST)), colour=colour)
    report = clean(report)
    _print(out, report)
    if hint:
        _hint(out, report)
    return printed(out) + "\n"


def _print(out: Console, report: TrialReport) -> None:
    out.print(Text(w.question(report), style="bold"))
    out.print(Text(f"{w.name(report.suite)} · {w.basis(report)} · {f.moment(report.started_at)}", style="dim"))
    _notes(out, [note for note in (w.sample_warning(report), *report.warnings) if note])
    if report.verdicts:
        out.print()
    for verdict in report.verdicts:
        _headline(out, verdict)
    for verdict in report.verdicts:
        _verdict(out, verdict, flips=FLIPS if len(report.verdicts) == 1 else 1)
    if report.rates:
        _rubrics(out, report.rates, alone=not report.verdicts)
        _sentences(out, report.rates)
    _ranking(out, report.ranking)
    _title(out, "Targets", (", over all cases", "dim"))
    out.print(Padding(_arms(report.arms, out.width), (0, 0, 0, 2)))
    if priced := w.prices(report):
        out.print(Padding(Text(priced, style="dim"), (0, 0, 0, 2)))
    if judged := w.judging(report):
        out.print(Padding(Text(judged, style="dim"), (0, 0, 0, 2)))
    _times(out, report.arms)


def _hint(out: Console, report: TrialReport) -> None:
    held = sum(len(verdict.flips) for verdict in report.verdicts)
    differences = f" with up to {f.plural(held, 'difference')}" if held else ""
    command = f"seatrial compare {w.name(report.trial_id)} -o report.html"
    out.print()
    out.print(Text(f"The whole report{differences}: {command}", style="dim"))


def _tone(tone: str, text: str) -> Text:
    return Text(f"{w.MARK[tone]} {text}", style=STYLE[tone])


def _hanging(out: Console, head: Text, body: Text, indent: int = 0) -> None:
    """Print `body` wrapped beside `head`, or under it where the terminal is narrow."""
    if head.cell_len > out.width // 3:
        out.print(Padding(head, (0, 0, 0, indent)))
        out.print(Padding(body, (0, 0, 0, indent + 2)))
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(head, body)
    out.print(Padding(grid, (0, 0, 0, indent)))


def _headline(out: Console, verdict: Verdict) -> None:
    head = _tone(verdict.overall, f"{w.OVERALL[verdict.overall]:<12}")
    body = Text(verdict.headline)
    if verdict.candidate not in verdict.headline:
        body = Text.assemble((w.name(verdict.candidate), "bold"), "  ", body)
    body.append("".join(f" {text}" for text in w.settle(verdict.needed, verdict.headline)))
    _hanging(out, head, body)


def _title(out: Console, *parts: str | tuple[str, str]) -> None:
    out.print()
    title = Text.assemble(*parts)
    title.truncate(out.width - 6, overflow="ellipsis")
    out.print(Text.assemble("── ", title, " ", ("─" * max(0, out.width - title.cell_len - 4), "dim")))


def _verdict(out: Console, verdict: Verdict, *, flips: int) -> None:
    _title(
        out,
        (f"{w.MARK[verdict.overall]} {w.OVERALL[verdict.overall]}", STYLE[verdict.overall]),
        f"  {w.name(verdict.candidate)} against {w.name(verdict.incumbent)}",
    )
    _parity(out, verdict)
    for line in w.conduct(verdict):
        out.print(Text(line, style="dim"))
    if verdict.rubrics:
        _rubrics(out, verdict.rubrics, alone=False)
    _sentences(out, verdict.rubrics)
    _notes(out, [*w.suspicion(verdict), *verdict.warnings])
    _choices(out, verdict)
    _worth(out, verdict)
    _flips(out, verdict, flips)


def _worth(out: Console, verdict: Verdict) -> None:
    """The business case: its sentence, the ledger of a month, and what else belongs to it."""
    case = verdict.economics
    if case is None:
        return
    out.print()
    out.print(Text("What the switch is worth", style="bold"))
    out.print(Padding(Text(b.worth(verdict)), (0, 0, 0, 2)))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold")
    for head in ("a month", "", "a year"):
        table.add_column(head, justify="right", overflow="fold")
    for row in b.ledger(case, verdict.incumbent, verdict.candidate):
        style = "bold" if row.total else ""
        table.add_row(Text(row.label), row.month, Text(row.interval, style="dim"), row.year, style=style)
    out.print(Padding(table, (0, 0, 0, 2)))
    said = "; ".join(f"{fact.label}: {fact.value}" for fact in b.facts(case))
    out.print(Padding(Text(said, style="dim"), (0, 0, 0, 2)))


def _ranking(out: Console, ranking: Ranking | None) -> None:
    """Several candidates and the incumbent, best first."""
    if ranking is None:
        return
    _title(out, "Side by side")
    out.print(Text(ranking.sentence))
    _notes(out, ranking.notes)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold", max_width=max(16, out.width // 4))
    for head in ("rank", "passed", "1,000 answers", "p95", "on the front"):
        table.add_column(head, justify="right", overflow="fold")
    for standing, cells in b.rank_rows(ranking):
        table.add_row(Text(w.name(standing.target)), *cells, style="dim" if standing.excluded else "")
    out.print(Padding(table, (0, 0, 0, 2)))
    for standing in ranking.standings:
        if standing.excluded:
            out.print(Padding(Text(f"{w.name(standing.target)}: {standing.excluded}", style="dim"), (0, 0, 0, 2)))


def _choices(out: Console, verdict: Verdict) -> None:
    """What the verdict would be under other choices; each of them only where one turns it."""
    found = w.choices(verdict)
    if not found:
        return
    out.print()
    out.print(Text(found[0], style="" if verdict.fragility and verdict.fragility.fragile else "dim"))
    if any(check.flips for check in (verdict.fragility.checks if verdict.fragility else ())):
        for line in found[1:]:
            out.print(Padding(Text(line, style="dim"), (0, 0, 0, 2)))


def _parity(out: Console, verdict: Verdict) -> None:
    if line := w.parity(verdict):
        out.print(Text(line, style="dim" if not w.unequal(verdict) else ""))
    for line in w.unequal(verdict):
        out.print(Padding(Text(line), (0, 0, 0, 2)))


def _notes(out: Console, notes: Sequence[str]) -> None:
    for note in notes:
        _hanging(out, Text("!", style="bold yellow"), Text(note))


def _rubrics(out: Console, rubrics: Sequence[RubricResult], *, alone: bool) -> None:
    """The table of one candidate, in one block a kind; the columns line up over all blocks."""
    wide = out.width >= WIDE
    lines = [(r, w.line(r)) for r in rubrics]
    sizes = _sizes(lines, out.width, wide=wide, alone=alone)
    level = w.level_of(rubrics)
    names = ["incumbent", "candidate"] if wide else ["incumb. → cand."]
    before = ["n"] if wide else []
    arms = ["rate"] if alone else names
    evidence = "95% interval" if alone else f"difference [{level}]" if level else "difference"
    head = [Text(text, style="dim") for text in ("", *before, *arms, evidence, "must be", "decision")]
    out.print()
    out.print(_row(head, sizes))
    for title, _, group in w.by_kind(rubrics):
        out.print(Text(title + ABOUT.get(title, ""), style="italic"))
        for rubric in group:
            cells = _cells(rubric, w.line(rubric), wide=wide, alone=alone)
            if cells[0].cell_len > sizes[0]:
                out.print(cells[0])
                cells[0] = Text()
            out.print(_row(cells, sizes))


ABOUT = {"Gates": ": the share that fails, and how high it may be", "Limits": ": what was measured, and its interval"}


def _cells(rubric: RubricResult, line: w.Line, *, wide: bool, alone: bool) -> list[Text]:
    name, n = Text(f"  {_name(rubric)}"), w.compared(rubric)
    if not wide and n is not None:
        name.append(f" n {f.count(n)}", style="dim")
    before = [f.count(n) if n is not None else ""] if wide else []
    if alone:
        arms = [line.candidate]
    else:
        arms = [line.incumbent, line.candidate] if wide else [f"{line.incumbent} → {line.candidate}"]
    return [name, *map(Text, before + arms), Text(_evidence(rubric, line)), Text(line.must), _decision(rubric)]


def _name(rubric: RubricResult) -> str:
    statistic = f" {rubric.quantity.statistic}" if rubric.quantity else ""
    return w.name(rubric.name) + statistic


def _evidence(rubric: RubricResult, line: w.Line) -> str:
    if rubric.quantity is not None:
        return line.interval if rubric.quantity.at_most_ratio is None else f"{line.evidence} {line.interval}".strip()
    if rubric.limit is not None:
        return f"up to {line.evidence}" if rubric.failures else "no results"
    return (line.interval or f.UNKNOWN) if rubric.difference is None else f"{line.evidence} {line.interval}".strip()


def _decision(rubric: RubricResult) -> Text:
    return _tone(w.TONE[rubric.decision], rubric.decision)


def _sizes(lines: list[tuple[RubricResult, w.Line]], width: int, *, wide: bool, alone: bool) -> list[int]:
    """Column widths that hold every line; the name takes what is left, and a line of its own where it does not fit."""
    rows = [_cells(r, line, wide=wide, alone=alone) for r, line in lines]
    least = [9] if alone else [9, 9] if wide else [15]
    floors = [0, *([1] if wide else []), *least, 16, 7, 8]
    sizes = [max([floor, *(row[i].cell_len for row in rows)]) for i, floor in enumerate(floors)]
    room = width - sum(sizes[1:]) - 2 * (len(sizes) - 1)
    return [max(0, min(sizes[0], room)), *sizes[1:]]


def _row(cells: Sequence[Text], sizes: Sequence[int]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for i, size in enumerate(sizes):
        number = 0 < i < len(sizes) - 1
        grid.add_column(width=size, justify="right" if number else "left", overflow="fold")
    grid.add_row(*cells)
    return grid


def _sentences(out: Console, rubrics: Iterable[RubricResult]) -> None:
    odd = [r for r in rubrics if not w.is_plain(r)]
    if odd:
        out.print()
    for rubric in odd:
        tone = w.TONE[rubric.decision]
        body = Text.assemble((f"{w.name(rubric.name)}: ", "bold"), rubric.sentence)
        body.append("".join(f" {text}" for text in w.remarks(rubric)), style="dim")
        _hanging(out, Text(w.MARK[tone], style=STYLE[tone]), body)


def _flips(out: Console, verdict: Verdict, most: int) -> None:
    if not verdict.flips:
        return
    shown = w.telling(verdict)[:most]
    out.print()
    out.print(Text(w.differ_heading(verdict, [flip for group in shown for flip in group]), style="bold"))
    for group in shown:
        _flip(out, group)


def _flip(out: Console, group: Sequence[Flip]) -> None:
    flip, head = group[0], Text()
    for direction, rubrics in w.ways(group):
        head.append(f"{direction} ", style=STYLE["block" if direction == "lost" else "ship"])
        head.append(f"{', '.join(map(w.name, rubrics))} · ")
    head.append(w.name(flip.case_id))
    out.print(Padding(head, (0, 0, 0, 2)))
    room = max(40, out.width * 2 - 34)
    old, new = excerpts(flip.incumbent, flip.candidate, room)
    rows = (("asked", one_line(flip.input, room), ""), ("incumbent", old, flip.incumbent_reason),
            ("candidate", new, flip.candidate_reason))  # fmt: skip
    for label, text, reason in rows:
        body = Text(text or "(empty)")
        if reason:
            body.append(f"  ({one_line(reason, 80)})", style="dim")
        _hanging(out, Text(f"{label:<9}", style="dim"), body, indent=4)


def _arms(arms: Iterable[ArmSummary], width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold", max_width=max(16, width // 4))
    for name in ("outputs", "reused", "p50", "p95", "cost"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("errors", overflow="fold")
    for a in arms:
        table.add_row(
            Text(w.name(a.target)),
            f.count(a.outputs),
            f.count(a.reused),
            f.seconds(a.latency_p50),
            f.seconds(a.latency_p95),
            f.cost(a.cost, a.cost_unknown),
            Text(one_line(w.errors(a), 120)),
        )
    return table


def _times(out: Console, arms: Sequence[ArmSummary]) -> None:
    """Time to the first token, between tokens and to the whole answer, arm under arm."""
    rows = w.time_rows(arms)
    if not rows:
        return
    _title(out, "Latency", (", each answer once", "dim"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold")
    table.add_column("", overflow="fold", max_width=max(16, out.width // 4))
    whole = {w.name(arm.target): arm.latency.outputs for arm in arms if arm.latency is not None}
    counted = ("n",) * any(n != whole.get(target) for target, _, n, _ in rows)  # else the lines below say it
    for title in (*counted, "p50", "p95", "p99"):
        table.add_column(title, justify="right", overflow="fold")
    before = ""
    for target, time, n, percentiles in rows:
        cells = (*[f.count(n) for _ in counted], *percentiles)
        table.add_row("" if time == before else time, Text(target), *cells)
        before = time
    out.print(Padding(table, (0, 0, 0, 2)))
    for how in w.measured(arms):
        out.print(Padding(Text(how, style="dim"), (0, 0, 0, 2)))
    out.print(Padding(Text(w.TIMES_NOTE, style="dim"), (0, 0, 0, 2)))
