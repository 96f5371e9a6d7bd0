"""`seatrial label …`: people say which cases belong, what is right, and whether an answer passes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from seatrial.cli import options
from seatrial.errors import Interrupted, UsageError, safe

if TYPE_CHECKING:
    from seatrial.core.suite import Split
    from seatrial.datasets.labelling.outcome import Check
    from seatrial.datasets.labelling.units import Mode, Task
    from seatrial.datasets.labelling.work import Sitting

F = TypeVar("F", bound=Callable[..., Any])
SUITE_ENDINGS = (".yaml", ".yml", ".json")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def label() -> None:
    """Label cases and answers: curate a set, write references, judge a trial's answers.

    On a terminal one key is one verdict, and ? shows the keys. Where input is no terminal, commands are read from it,
    one a line. Everything said is on the disk before the next question.
    """


def _chosen(command: F) -> F:
    for option in (
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Orders and draws."),
        click.option("--sample", type=click.IntRange(min=1), help="So many cases, drawn by the seed."),
        click.option(
            "--split",
            "splits",
            multiple=True,
            type=click.Choice(["build", "test", "sealed"]),
            help="Of a set: only this split. Repeatable; all open ones where not given.",
        ),
    ):
        command = option(command)
    return command


def _sitting(command: F) -> F:
    for option in (
        options.as_json,
        click.option("--skipped", is_flag=True, help="What was skipped comes again."),
        click.option(
            "--adjudicate", is_flag=True, help="Only what people differ on; shows what was said, not by whom."
        ),
        click.option("--team", default="", help="Names, with commas between them: each case belongs to one of them."),
        click.option(
            "--double",
            type=click.FloatRange(0, 1),
            default=0.0,
            help="The share of cases that two people see, like 0.2.",
        ),
        click.option("--by", required=True, help="Who labels."),
    ):
        command = option(command)
    return _chosen(command)


path_argument = click.argument("path", type=click.Path(path_type=Path))
schema_option = click.option(
    "--schema", type=click.Path(path_type=Path, dir_okay=False), help="JSON references must fit this JSON Schema."
)
from_option = click.option(
    "--from", "trial", help="Start from answers of this trial, of an arm drawn for each case; else metadata.answer."
)
rubric_option = click.option("--rubric", "rubrics", multiple=True, help="Only this rubric. Repeatable.")
labels_option = click.option(
    "--labels", type=click.Path(path_type=Path, file_okay=False), help="The folder of the journals of a trial."
)
rejected_option = click.option("--rejected", is_flag=True, help="Cases that curation rejected are asked about, too.")
out_option = click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="The file of labels that the suite names."
)


@label.command()
@path_argument
@_sitting
def curate(path: Path, as_json: bool, **asked: Any) -> int:
    """Keep or reject the cases of a set or a pool, each rejection with a reason; set strata."""
    return _label(_case_task("curate", path, asked), _sitting_of(asked), as_json=as_json)


@label.command()
@path_argument
@schema_option
@from_option
@rejected_option
@options.store
@_sitting
def outcome(path: Path, as_json: bool, **asked: Any) -> int:
    """Write what would be right: text, JSON, tool calls, a behaviour; starting from a model's answer."""
    return _label(_case_task("outcome", path, asked), _sitting_of(asked), as_json=as_json)


@label.command()
@click.argument("trial", default="seatrial.yaml")
@rubric_option
@labels_option
@out_option
@rejected_option
@options.store
@_sitting
def verdict(trial: str, as_json: bool, **asked: Any) -> int:
    """Judge the answers of a trial (or of a suite's newest one) rubric by rubric, not knowing whose they are."""
    found = _trial_task(trial, asked)
    return _label(found.task, _sitting_of(asked), as_json=as_json, then=lambda: _write_labels(found))


@label.command()
@path_argument
@click.option("--mode", type=click.Choice(["curate", "outcome", "verdict"]), help="Which labels; found by PATH.")
@labels_option
@options.as_json
def agreement(path: Path, mode: Mode | None, labels: Path | None, as_json: bool) -> None:
    """Tell how far people agree on what two of them saw, rubric by rubric, beyond chance."""
    from seatrial.datasets.labelling import agreement as agreeing
    from seatrial.datasets.labelling import journal

    chosen = mode or _mode_of(path)
    found = agreeing.report(chosen, journal.read(_folder_of(path, chosen, labels), chosen))
    if as_json:
        click.echo(json.dumps({"mode": chosen, "agreement": [one.model_dump() for one in found]}))
        return
    for one in found:
        click.echo(_agreement_line(one))
    if not found:
        click.echo("nobody has seen what somebody else saw: `--double 0.2` lets two people see a fifth")


@label.command(name="export")
@click.argument("path")
@click.option(
    "-o", "--out", "table", required=True, type=click.Path(path_type=Path, dir_okay=False), help=".csv or .jsonl"
)
@click.option("--mode", type=click.Choice(["curate", "outcome", "verdict"]), help="Which labels; found by PATH.")
@click.option("--by", default="", help="The units and labels of this person; else all, with what holds of each.")
@click.option("--double", type=click.FloatRange(0, 1), default=0.0, help="As for labelling.")
@click.option("--team", default="", help="As for labelling.")
@from_option
@rubric_option
@labels_option
@options.store
@_chosen
@options.as_json
def export_table(path: str, table: Path, mode: Mode | None, as_json: bool, **asked: Any) -> None:
    """Write units and labels as a table, for people who label in a spreadsheet."""
    from dataclasses import replace

    from seatrial.datasets.labelling import final, journal, tables
    from seatrial.datasets.labelling.units import ordered
    from seatrial.datasets.labelling.work import prepared

    task = _task(path, mode, {**asked, "rejected": not asked["by"]})
    if asked["by"]:
        state, _ = prepared(task, _sitting_of(asked), editor=False)
        count = tables.write(table, replace(task, units=state.units), state.marks)
    else:
        found = final.finals(journal.read(task.folder, task.mode))
        shuffled = replace(task, units=ordered(task.units, asked["seed"], ""))
        count = tables.write(table, shuffled, tables.marks_of(found), found)
    told = {"file": str(table), "mode": task.mode, "rows": count}
    click.echo(json.dumps(told) if as_json else f"wrote {safe(str(table), 200)}: {count:,} rows")


@label.command(name="import")
@click.argument("path")
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--mode", type=click.Choice(["curate", "outcome", "verdict"]), help="Which labels; found by PATH.")
@click.option("--by", required=True, help="Who labelled.")
@click.option("--skip-bad", is_flag=True, help="Import the other rows, and tell which were left out.")
@schema_option
@from_option
@rubric_option
@labels_option
@out_option
@options.store
@_chosen
@options.as_json
def import_table(path: str, table: Path, mode: Mode | None, skip_bad: bool, as_json: bool, **asked: Any) -> None:
    """Read a table that somebody filled in; every fault at its line, and nothing imported where there is one."""
    from seatrial.datasets.labelling import tables
    from seatrial.datasets.labelling.work import imported

    task = _task(path, mode, {**asked, "rejected": True})
    rows, problems = tables.read(table, task, _check(asked.get("schema")))
    if not skip_bad:
        tables.must_be_clean(table, problems)
    fresh = imported(task, _sitting_of(asked), rows)
    if task.mode == "verdict":
        _write_labels(_trial_place(path, asked))
    told = {"rows": len(rows), "new": fresh, "left_out": [str(problem) for problem in problems]}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{len(rows):,} labels, {fresh:,} of them new")
    for problem in problems:
        click.echo(f"left out {problem}", err=True)


@label.command()
@path_argument
@labels_option
@out_option
@options.store
@options.as_json
def apply(path: Path, as_json: bool, **asked: Any) -> None:
    """Write what people said into a set or a pool; for a suite, into the file of labels that it names.

    Rejected cases leave, and are kept with their reason in labels/rejected.jsonl. What people still differ on is left
    as it is.
    """
    if _mode_of(path) == "verdict":
        told = _write_labels(_trial_place(str(path), asked))
        click.echo(json.dumps(told) if as_json else _told_labels(told))
        return
    from seatrial.datasets.labelling.apply import apply_labels as write

    found = write(path)
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    counts = f"{found.kept:,} kept, {found.rejected:,} rejected, {found.references:,} references"
    click.echo(f"{counts}, {found.strata:,} with new strata; {found.unlabelled:,} without a label")
    for word, ids in (("disputed", found.disputed), ("stale", found.stale), ("not in it any more", found.unknown)):
        if ids:
            click.echo(f"{word}: {', '.join(map(safe, ids[:5]))}{f' … {len(ids):,} in all' if len(ids) > 5 else ''}")


# what is labelled ----------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A trial's labels: the folder of its journals, and the file that its suite reads."""

    folder: Path
    out: Path
    hint: str = ""


class Judged(NamedTuple):
    """A trial's units, and where its labels are."""

    task: Task
    place: Place


def _case_task(mode: Mode, path: Path, asked: dict[str, Any]) -> Task:
    from seatrial.datasets.labelling import reading

    splits = cast("tuple[Split, ...]", asked["splits"])
    chosen = reading.Chosen(splits, asked["sample"], asked["seed"], asked.get("rejected", False))
    if mode == "curate":
        return reading.curate(path, chosen)
    answers = None
    if asked.get("trial"):
        from seatrial.store.store import Store
        from seatrial.trials.trial import existing, store_path

        with Store(existing(store_path(Path(), asked["store_file"]))) as store:
            answers = reading.first_answers(store, asked["trial"], asked["seed"])
    return reading.outcomes(path, chosen, answers)


def _is_suite(path: str) -> bool:
    return path.lower().endswith(SUITE_ENDINGS) or (Path(path).suffix == "" and Path(path).is_file())


def _trial_place(path: str, asked: dict[str, Any]) -> Place:
    """Where a trial's labels are: beside its suite, else in the current folder."""
    from seatrial.datasets.labelling.verdicts import NAME

    folder, named = Path(), None
    if _is_suite(path):
        from seatrial.trials.suite.suitefile import load

        loaded = load(Path(path))
        folder, named = loaded.folder, loaded.suite.labels
    out = asked.get("out") or folder / (named or NAME)
    hint = "" if named or asked.get("out") else f"add `labels: {NAME}` to the suite, and run or compare it again"
    return Place(asked.get("labels") or folder / "labels", out, hint)


def _trial_task(path: str, asked: dict[str, Any]) -> Judged:
    from seatrial.datasets.labelling import reading
    from seatrial.store.store import Store
    from seatrial.trials.trial import existing, store_path

    place = _trial_place(path, asked)
    if asked["splits"]:
        raise UsageError("A trial has no splits.", hint="leave --split out")
    folder = Path(path).absolute().parent if _is_suite(path) else Path()
    with Store(existing(store_path(folder, asked["store_file"]))) as store:
        trial = _newest(store, Path(path)) if _is_suite(path) else path
        chosen = reading.Chosen((), asked["sample"], asked["seed"], asked.get("rejected", False))
        return Judged(reading.verdicts(store, trial, asked["rubrics"], place.folder, chosen, folder), place)


def _newest(store: Any, suite: Path) -> str:
    from seatrial.errors import NotFoundError
    from seatrial.trials.suite.suitefile import load

    name = load(suite).suite.name
    found = [row.id for row in store.trials(name) if row.status == "done"]
    if not found:
        raise NotFoundError(f"No finished trial of {safe(name)} is in the store.", hint="`seatrial run` makes one")
    return found[0]


def _task(path: str, mode: Mode | None, asked: dict[str, Any]) -> Task:
    chosen = mode or _mode_of(Path(path))
    return _trial_task(path, asked).task if chosen == "verdict" else _case_task(chosen, Path(path), asked)


def _mode_of(path: Path) -> Mode:
    """A set or a pool is curated, where nobody says otherwise; a suite's or trial's answers are judged."""
    return "curate" if path.is_dir() or path.suffix in (".jsonl", ".ndjson") else "verdict"


def _folder_of(path: Path, mode: Mode, labels: Path | None) -> Path:
    from seatrial.datasets.labelling.reading import labels_folder

    if mode != "verdict":
        return labels or labels_folder(path)
    return labels or _trial_place(str(path), {}).folder


# a sitting -----------------------------------------------------------------------------------------------------------


def _sitting_of(asked: dict[str, Any]) -> Sitting:
    from seatrial.datasets.labelling.units import Sharing
    from seatrial.datasets.labelling.work import Sitting

    team = tuple(dict.fromkeys(name.strip() for name in asked.get("team", "").split(",") if name.strip()))
    if team and asked["by"] not in team and not asked.get("adjudicate"):
        raise UsageError(f"{safe(asked['by'])} is not in the team.", hint=f"the team is {', '.join(map(safe, team))}")
    sharing = Sharing(asked["seed"], asked.get("double", 0.0), team)
    adjudicate, skipped = bool(asked.get("adjudicate")), bool(asked.get("skipped"))
    return Sitting(asked["by"], sharing, adjudicate, skipped, _check(asked.get("schema")))


def _check(schema: Path | None) -> Check:
    from seatrial.core.identity import loads
    from seatrial.datasets.labelling import outcome as written

    if schema is None:
        return written.NO_SCHEMA
    try:
        return written.schema_check(loads(schema.read_bytes()))
    except OSError as cause:
        raise UsageError(
            f"{safe(str(schema), 200)} cannot be read: {cause.strerror}.", hint="check its name"
        ) from cause
    except ValueError as cause:
        raise UsageError(f"{safe(str(schema), 200)} {cause}.", hint="give a JSON Schema") from None


def _label(task: Task, sitting: Sitting, *, as_json: bool, then: Callable[[], dict[str, Any]] | None = None) -> int:
    from seatrial.datasets.labelling.work import drawable
    from seatrial.datasets.labelling.work import label as sit

    drawn = drawable()
    say: Callable[[str], None] = (lambda text: click.echo(text, err=True)) if as_json else click.echo
    done = sit(task, sitting, commands=None if drawn else _lines(), say=say)
    written = then() if then else {}
    skipped = f", {done.skipped:,} skipped" if done.skipped else ""
    if done.interrupted:
        counts = f"{done.done:,} of {done.units:,} are labelled{skipped}"
        raise Interrupted(f"Stopped; {counts}, and all of it is kept in {done.file}.")
    counted = {"done": done.done, "skipped": done.skipped, "units": done.units}
    told = {"mode": task.mode, "by": sitting.by, **counted, "journal": done.file}
    if as_json:
        click.echo(json.dumps({**told, **({"labels": written} if written else {})}))
        return 0
    if not done.units:
        click.echo("people differ on nothing" if sitting.adjudicate else "there is nothing left to label")
    else:
        click.echo(f"{done.done:,} of {done.units:,} labelled{skipped}, kept in {safe(done.file, 200)}")
    if written:
        click.echo(_told_labels(written))
    return 0


def _lines() -> Any:
    """Standard input by lines; bytes that are no UTF-8 are replaced."""
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", "replace")


def _write_labels(found: Judged | Place) -> dict[str, Any]:
    from seatrial.datasets.labelling import journal, verdicts
    from seatrial.datasets.versions.alone import alone

    place = found.place if isinstance(found, Judged) else found
    with alone(place.out.parent):
        made = verdicts.write(place.out, journal.read(place.folder, "verdict"))
    return {"file": str(place.out), **made._asdict(), "hint": place.hint}


def _told_labels(told: dict[str, Any]) -> str:
    lines = [f"wrote {safe(told['file'], 200)}: {told['labels']:,} labels"]
    if told["disputed"]:
        lines.append(f"{told['disputed']:,} are left out: people differ on them, `--adjudicate` settles that")
    return "\n".join([*lines, *([told["hint"]] if told["hint"] else [])])


def _agreement_line(one: Any) -> str:
    def number(value: float | None) -> str:
        return "not defined" if value is None else f"{value:.2f}"

    between = "" if one.kappa is None else f" [{one.kappa_low:.2f}, {one.kappa_high:.2f}]"
    agree = (
        "" if one.agree is None else f"{100 * one.agree:.0f} % [{100 * one.agree_low:.0f}, {100 * one.agree_high:.0f}]"
    )
    lines = [
        f"{safe(one.rubric) or 'all'}: {one.units:,} seen by two or more ({', '.join(map(safe, one.people))})",
        f"  agree {agree} · Cohen's kappa {number(one.kappa)}{between}",
        f"  Gwet's AC1 {number(one.ac1)} · Krippendorff's alpha {number(one.alpha)}",
        f"  {one.disputed:,} to adjudicate, {one.adjudicated:,} adjudicated",
    ]
    return "\n".join(lines)
