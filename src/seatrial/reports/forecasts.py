"""A forecast as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seatrial.reports import format as f
from seatrial.reports.text import clean, one_line
from seatrial.runs.forecast import Forecast, JudgeForecast, TargetForecast

UNKNOWN = "unknown"


def forecast_text(forecast: Forecast, *, width: int | None = None) -> str:
    """What a run would send, and about what that would take, in a table of one line a target."""
    shown = clean(forecast)
    out = Console(file=StringIO(), width=width or Console().width, highlight=False, no_color=True)
    asked = f"{f.count(shown.cases)} cases of {one_line(shown.dataset, 60)}"
    if shown.epochs > 1:
        asked += f", {f.count(shown.epochs)} answers each"
    out.print(Text(f"{one_line(shown.suite, 80)}: {asked}. Nothing was sent.\n"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold", max_width=30)
    for head in ("to send", "reused", "tokens in", "out", "at most", "cost", "at most", "time"):
        table.add_column(head, justify="right", overflow="fold")
    for target in shown.targets:
        table.add_row(*_row(target))
    total = _sum(shown.dollars, shown.dollars_unknown), _sum(shown.dollars_worst, shown.dollars_worst_unknown)
    both = f.count(shown.requests), f.count(shown.reused)
    table.add_row(Text("together"), *both, "", "", "", *total, _seconds(shown.seconds), style="bold")
    out.print(table)
    out.print()
    for target in shown.targets:
        if target.requests:
            out.print(Text(f"{one_line(target.target, 80)}: {_basis(target)}", style="dim"))
    for judge in shown.judges:
        out.print(Text(_judge(judge), style="dim"))
    out.print(Text("“At most” is what a budget would set aside, retries left out.", style="dim"))
    assert isinstance(out.file, StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())


def sweep_forecast_text(settings: Sequence[tuple[str, Forecast]], *, width: int | None = None) -> str:
    """What a sweep would send and cost: a line a setting, and their sum, a lower bound where something is unknown."""
    out = Console(file=StringIO(), width=width or Console().width, highlight=False, no_color=True)
    out.print(Text(f"{f.plural(len(settings), 'setting')}. Nothing was sent.\n"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold")
    for head in ("to send", "reused", "cost", "at most", "time"):
        table.add_column(head, justify="right", overflow="fold")
    for label, one in settings:
        money = _sum(one.dollars, one.dollars_unknown), _sum(one.dollars_worst, one.dollars_worst_unknown)
        sizes = f.count(one.requests), f.count(one.reused)
        table.add_row(Text(one_line(label, 80)), *sizes, *money, _seconds(one.seconds))
    each = [forecast for _, forecast in settings]
    known = [e.dollars for e in each if e.dollars is not None]
    most = [e.dollars_worst for e in each if e.dollars_worst is not None]
    money = (
        _sum(sum(known) if known else None, sum(e.dollars_unknown for e in each)),
        _sum(sum(most) if most else None, sum(e.dollars_worst_unknown for e in each)),
    )
    counts = f.count(sum(e.requests for e in each)), f.count(sum(e.reused for e in each))
    times = [e.seconds for e in each]
    whole = None if None in times else sum(t for t in times if t is not None)
    table.add_row(Text("together"), *counts, *money, _seconds(whole), style="bold")
    out.print(table)
    out.print()
    out.print(Text("Settings run one after the other. What two of them share is counted for each.", style="dim"))
    assert isinstance(out.file, StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())


def _row(t: TargetForecast) -> tuple[Text | str, ...]:
    tokens = (_count(t.input_tokens), _count(t.output_tokens), _count(t.tokens_worst))
    dollars = f.dollars(t.dollars), f.dollars(t.dollars_worst)
    return Text(one_line(t.target, 80)), f.count(t.requests), f.count(t.reused), *tokens, *dollars, _seconds(t.seconds)


def _judge(j: JudgeForecast) -> str:
    """A judge's share: its scores, and what they may cost."""
    asked = f"judge {one_line(j.judge, 80)}: at most {f.plural(j.judgements, 'score')} beside the above"
    if j.dollars_each is None:
        return f"{asked}; its cost is unknown"
    return (
        f"{asked}, about {f.dollars(j.dollars)} at one question each, {f.dollars(j.dollars_each)} as in its last trial"
    )


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f.count(value)


def _seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f.seconds(value)


def _sum(known: float | None, unknown: int) -> str:
    """A sum that some targets are missing from is a lower bound."""
    if not unknown or known is None:
        return f.dollars(known)
    return f"at least {f.dollars(known)}"


def _basis(t: TargetForecast) -> str:
    """What the figures were drawn from."""
    said = [t.tokens_from] if t.tokens_from else []
    if t.dollars is None:
        said.append("price or output unknown, so its cost is unknown")
    elif t.price_source:
        said.append(f"prices of {t.price_source}")
    if t.latency_from:
        said.append(f"time by {t.latency_from}")
    return "; ".join(said) or "nothing is known of it before it is asked"
