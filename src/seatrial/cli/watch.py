"""`seatrial watch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options
from seatrial.cli.recording import Period

if TYPE_CHECKING:
    from seatrial.trials.following.trend import Trend
    from seatrial.trials.following.watch import Draft, Watched

REGRESSED = 1


@click.command()
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False), default="seatrial.yaml")
@click.option("--target", "targets", multiple=True, help="Watch only this target of the suite. Repeatable.")
@click.option(
    "--canary", type=click.IntRange(min=20), default=200, show_default=True, help="How many cases a canary asks."
)
@click.option("--canary-every", type=Period(), default="20h", show_default=True, help="How often a canary runs.")
@click.option("--whole-every", type=Period(), default="30d", show_default=True, help="How often the whole suite runs.")
@click.option("--draft", "drafts", multiple=True, help="Try newly listed models of this pattern, like 'gpt-5*'.")
@click.option("--deadline", type=Period(), default="24h", show_default=True, help="What a draft's run may take.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="The most US dollars each run may cost.")
@click.option("--webhook-env", help="The environment variable with the URL that is told of a regression.")
@click.option("--accept", is_flag=True, help="Run nothing: compare with the newest whole run from now on.")
@click.option("--trend", is_flag=True, help="Run nothing: show pass rates over time, and what changed when.")
@click.option(
    "--last", type=click.IntRange(min=1, max=500), default=30, show_default=True, help="How many trials --trend shows."
)
@options.store
@options.as_json
def watch(
    suite: Path, store_file: Path | None, accept: bool, trend: bool, last: int, as_json: bool, **chosen: Any
) -> int:
    """Run what is due, and tell when a target got worse since it was accepted.

    One call for cron or CI: a canary, asked afresh, every night; the whole suite when a provider, the suite or the
    dataset changed, when the canary looks worse, or when a month has passed. Exits with 1 while a regression stands,
    shown on the whole suite, paired case by case; `--accept` takes the new state as it is.
    """
    from seatrial.trials.following import watch as watching
    from seatrial.trials.following.trend import trend as draw

    if accept and trend:
        raise click.UsageError("give --accept or --trend.")
    if trend:
        found = draw(suite, store=store_file, last=last)
        click.echo(found.model_dump_json(indent=2) if as_json else _trend(found))
        return 0
    if accept:
        trial = watching.accept(suite, store=store_file)
        click.echo(f'{{"accepted": "{trial}"}}' if as_json else f"accepted {trial}: later runs are compared with it")
        return 0
    from seatrial.cli.progress import display

    with display(quiet=as_json) as show:
        edges = watching.Edges(show=show)
        done = watching.watch(suite, store=store_file, options=watching.Watching(**chosen), edges=edges)
    click.echo(done.model_dump_json(indent=2) if as_json else _told(done))
    return REGRESSED if done.alert else 0


def _told(done: Watched) -> str:
    from seatrial.reports.watching import bullets, shown

    if done.state == "busy":
        return f"{shown(done.suite)}: another process watches it now; nothing was done"
    runs = ", ".join(f"{kind} {trial}" for kind, trial in done.ran.items())
    lines = [f"{shown(done.suite)}: {'ran ' + runs if runs else done.state}"]
    lines += bullets("the whole suite, because", done.because)
    lines += bullets("at the providers", done.news)
    lines += bullets("drafts", map(_draft, done.drafts))
    if done.alert:
        lines += bullets("REGRESSED, on the whole suite", (found.sentence for found in done.regressions))
        lines += bullets("webhook", [done.told] if done.told else [])
        lines.append("`seatrial watch --accept` takes this as it is")
    elif done.checked:
        lines += bullets("no regression shown", (found.sentence for found in done.checked))
    lines.append(f"next canary {done.next_canary[:16]}, whole suite {done.next_whole[:16]} (UTC)")
    return "\n".join(lines)


def _draft(draft: Draft) -> str:
    from seatrial.reports import format as f

    seconds = "a time that is not known" if draft.seconds is None else f.seconds(draft.seconds)
    fits = {True: "within the deadline", False: "beyond the deadline", None: "no earlier answer tells"}[draft.fits]
    said = draft.headline or draft.problem
    return f"{draft.model}: expected {seconds} ({fits}). {said}" + (f" [{draft.trial_id}]" if draft.trial_id else "")


def _trend(found: Trend) -> str:
    from seatrial.reports.watching import line_text, shown

    if not found.lines:
        return f"{shown(found.suite)}: no finished trial with a pass rate yet"
    lines = [line_text(f"{line.target} · {line.rubric} ({line.kind})", line.points) for line in found.lines]
    return "\n\n".join(lines)
