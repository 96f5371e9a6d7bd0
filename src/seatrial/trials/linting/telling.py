"""A lint for the terminal: the stage, the six parts, what the set can prove, then every finding with its cure."""

from __future__ import annotations

from shutil import get_terminal_size

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seatrial.datasets.linting.finding import Finding, many
from seatrial.datasets.linting.stages import STAGES, Proof, Reached
from seatrial.reports.console import in_memory, printed
from seatrial.reports.text import clean, one_line
from seatrial.trials.linting.lint import Linted

NARROWEST, WIDEST = 60, 100
MARK = {"present": ("●", "green"), "weak": ("◐", "yellow"), "missing": ("○", "red")}
COLOUR = {"error": "bold red", "warning": "yellow", "note": "cyan"}
LONGEST_ID = 40
LONGEST = 1_200


def lint_text(linted: Linted, *, width: int | None = None, colour: bool = False) -> str:
    """The lint for a terminal of `width` columns, the terminal's own where None; without `colour` no escape codes."""
    shown = clean(linted)
    columns = max(NARROWEST, min(width or get_terminal_size((80, 24)).columns, WIDEST))
    out = in_memory(columns, colour=colour)
    _head(out, shown)
    _parts(out, shown)
    _proofs(out, shown.stage)
    _findings(out, shown)
    return printed(out)


def _head(out: Console, shown: Linted) -> None:
    at = shown.stage
    what = f"{many(at.cases, 'case')} of {one_line(shown.dataset, 40)}"
    if at.clusters < at.cases:
        what += f" in {many(at.clusters, 'cluster')}"
    if shown.splits:
        what += " (" + ", ".join(f"{name} {count:,}" for name, count in shown.splits.items()) + ")"
    out.print(Text.assemble((one_line(shown.suite, 60), "bold"), f": {what}. Nothing was sent."))
    out.print()
    steps = Text("stage  ")
    names: list[str] = list(STAGES)
    passed = names.index(at.name) if at.name in names else -1
    for number, name in enumerate(STAGES):
        mark, style = ("●", "bold green") if number <= passed else ("○", "dim")
        steps.append(f"{mark} {name}   ", style)
    out.print(steps)
    out.print(Padding(Text(at.sentence), (0, 0, 0, 7)))
    if at.lacking:
        out.print(Padding(Text(f"The {at.wanted} stage lacks {'; '.join(at.lacking)}."), (0, 0, 0, 7)))
    out.print()


def _parts(out: Console, shown: Linted) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for part in shown.parts:
        mark, style = MARK[part.state]
        table.add_row(Text(f"{mark} {part.state}", style), Text(f"{part.number} {part.name}"), Text(part.why))
    out.print(table)
    out.print()


def _proofs(out: Console, at: Reached) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("what it can prove", no_wrap=True)
    for name in ("traffic", "probes", "smallest visible drop", "attacks may succeed"):
        table.add_column(name, justify="right", no_wrap=True)
    for proof in at.proofs:
        table.add_row(*_proof(proof), style="bold" if proof.name == "this set" else "")
    out.print(table)
    purposes = "; ".join(f"{name} {stage.purpose}" for name, stage in STAGES.items())
    out.print(Text(f"{purposes}. Rows of stages hold their fewest cases.", "dim"))
    out.print()


def _proof(proof: Proof) -> tuple[str, ...]:
    visible = "none" if proof.visible is None else f"{100 * proof.visible:.1f} points"
    excluded = f"up to {100 * proof.excluded:.1f}%" if proof.probes else "unknown"
    return (proof.name, f"{proof.cases:,}", f"{proof.probes:,}", visible, excluded)


def _findings(out: Console, shown: Linted) -> None:
    for finding in shown.findings:
        out.print(Text.assemble((f"{finding.code} {finding.severity}", COLOUR[finding.severity]), f"  {finding.title}"))
        out.print(Padding(Text(one_line(finding.text, LONGEST)), (0, 0, 0, 5)))
        if finding.cases:
            out.print(Padding(Text(_cases(finding), "dim"), (0, 0, 0, 5)))
        out.print(Padding(Text.assemble(("→ ", "green"), finding.fix), (0, 0, 0, 5)))
    if shown.findings:
        out.print()
    counts = ", ".join(many(shown.counts[name], name) for name in ("error", "warning", "note"))
    verdict = ("fit", "bold green") if shown.fit else ("not fit", "bold red")
    out.print(
        Text.assemble(f"{counts}: ", verdict, f" for the {shown.stage.asked} stage." if shown.stage.asked else ".")
    )


def _cases(finding: Finding) -> str:
    named = ", ".join(one_line(name, LONGEST_ID) for name in finding.cases)
    more = finding.count - len(finding.cases)
    return named + (f" and {more:,} more" if more > 0 else "")
