"""`seatrial scorers`: list them, describe one, try one on a pasted answer, probe a suite's rubrics."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from seatrial.cli import options
from seatrial.errors import UsageError, safe

if TYPE_CHECKING:
    from seatrial.core.score import Evidence, Score
    from seatrial.trials.probing import Probed

SHOWN = 300
NOT_EVALUABLE = 4
REPORTED = 1


class _Named(click.Group):
    """A group whose unknown commands are the names of scorers: `scorers exact` is `scorers show exact`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or `show` with all that was given."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "show", self.commands["show"], args
        return super().resolve_command(ctx, args)


@click.group(cls=_Named, invoke_without_command=True, subcommand_metavar="[NAME | COMMAND]")
@options.as_json
@click.pass_context
def scorers(ctx: click.Context, as_json: bool) -> None:
    """List the scorers; with a NAME, describe one."""
    if ctx.invoked_subcommand is not None:
        return
    from seatrial.scorers.describe import by_family, describe

    families = by_family()
    if as_json:
        click.echo(json.dumps({"scorers": [describe(name) for names in families.values() for name in names]}))
        return
    width = max(len(name) for names in families.values() for name in names)
    for family, names in families.items():
        click.echo(family)
        for name in names:
            click.echo(f"  {name:<{width}}  {describe(name)['summary']}")
    click.echo("\n`seatrial scorers NAME` describes one, `seatrial scorers try NAME --output TEXT` judges a text.")


@scorers.command()
@click.argument("name")
@options.as_json
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Say what a scorer measures, its formula and settings, and where it fails to help."""
    from seatrial.scorers.describe import describe

    told = describe(name)
    above = ctx.parent.params["as_json"] if ctx.parent is not None else False
    click.echo(json.dumps({"scorers": [told]}) if as_json or above else told["text"])


@scorers.command("try")
@click.argument("name")
@click.option("--output", "output", metavar="TEXT|@FILE|-", help="What the model said; - reads standard input.")
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="The output's fields, as JSON.")
@click.option("--input", "asked", metavar="TEXT|@FILE", help="What it was asked.")
@click.option("--expected", metavar="TEXT|JSON|@FILE", help="An accepted answer, or the fields of `expected`.")
@click.option("--context", multiple=True, metavar="TEXT|@FILE", help="A document that was given. Repeatable.")
@click.option("--case", "case_file", type=click.Path(path_type=Path, dir_okay=False), help="The case, as JSON.")
@click.option("--with", "settings", multiple=True, metavar="KEY=VALUE|JSON", help="A setting. Repeatable.")
@click.option("--judge", "judges", multiple=True, metavar="[NAME=]USE|JSON", help="Whom the scorer asks. Repeatable.")
@options.as_json
def try_one(name: str, settings: Sequence[str], judges: Sequence[str], as_json: bool, **given: Any) -> int:
    """Judge one answer. Exits with 4 when it could not be judged, else with 0, whatever the verdict."""
    from seatrial.trials.trying import attempt

    case, output = _case(given), _output(given["output"], given["record"])
    score = attempt(name, _settings(settings), case, output, _judges(judges))
    if as_json:
        click.echo(json.dumps({"scorer": name, "score": _plain(score)}))
    else:
        click.echo("\n".join(_told(name, score)))
    return 0 if score.status in ("scored", "model_failure") else NOT_EVALUABLE


@scorers.command()
@click.argument("suite", type=click.Path(path_type=Path), default="seatrial.yaml")
@click.option("--cases", type=click.IntRange(min=1), default=40, show_default=True, help="How many for each rubric.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which cases.")
@click.option("--judged", is_flag=True, help="Also probe rubrics that ask a judge, which costs its calls.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when a rubric is reported with !.")
@options.as_json
def lint(suite: Path, cases: int, seed: int, judged: bool, exit_code: bool, as_json: bool) -> int:
    """Probe each rubric of a suite with empty, unrelated, wrong and shuffled answers, and with the expected one."""
    from seatrial.trials.probing import probe
    from seatrial.trials.suite.suitefile import load

    found = probe(load(suite), cases=cases, seed=seed, judged=judged)
    if as_json:
        click.echo(json.dumps({"rubrics": [one.plain() for one in found]}))
    else:
        click.echo("\n".join(line for one in found for line in _probed(one)))
    return REPORTED if exit_code and any(one.reported for one in found) else 0


def _probed(found: Probed) -> list[str]:
    mark = "!" if found.reported else " "
    lines = [f"{mark} {found.rubric} ({found.scorer}): {found.verdict}" + (f"; {found.why}" if found.why else "")]
    if found.counts:
        counted = ", ".join(f"{kind} {k} of {n}" for kind, (k, n) in found.counts.items())
        lines.append(f"    passed: {counted}")
    return lines


def _text(value: str, what: str) -> str:
    """A text from the command line, from a file (@) or from standard input (-)."""
    if value == "-":
        return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_bytes().decode("utf-8")
    except (OSError, ValueError) as cause:
        why = getattr(cause, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"The file of {what} cannot be read: {safe(why)}.", hint=f"looked for {value[1:]}") from None


def _json_file(path: Path, what: str) -> Mapping[str, Any]:
    text = _text(f"@{path}", what)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise UsageError(f"The file of {what} is no JSON: {safe(str(cause), 200)}.") from None
    if not isinstance(found, dict):
        raise UsageError(f"The file of {what} must hold an object.")
    return found  # pyright: ignore[reportUnknownVariableType]  # keys of JSON are text


def _value(text: str) -> Any:
    """JSON where it is, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _record(made: Any, fields: Mapping[str, Any], what: str) -> Any:
    from pydantic import ValidationError

    from seatrial.core.case import Case
    from seatrial.datasets.reading.faults import dotted, translate
    from seatrial.datasets.reading.reader import case_faults
    from seatrial.errors import Problem

    try:
        return made.model_validate(fields)
    except ValidationError as cause:
        faults = case_faults(cause, dict(fields)) if made is Case else translate(cause, made, fields)
        problems = [Problem(f.rule, key=dotted(f.path), value=f.value, hint=f.hint) for f in faults]
        raise UsageError(f"{what} cannot be used.", problems=problems) from None


def _case(given: Mapping[str, Any]) -> Any:
    from seatrial.core.case import Case

    file: Path | None = given["case_file"]
    fields: dict[str, Any] = {"id": "try", "input": "", **(_json_file(file, "--case") if file else {})}
    if given["asked"] is not None:
        fields["input"] = _text(given["asked"], "--input")
    if given["expected"] is not None:
        fields["expected"] = _value(_text(given["expected"], "--expected"))
    if given["context"]:
        fields["context"] = [_text(one, "--context") for one in given["context"]]
    return _record(Case, fields, "The case")


def _output(text: str | None, record: Path | None) -> Any:
    from seatrial.core.output import Output

    if (text is None) == (record is None):
        raise UsageError("An answer is to be judged.", hint="give --output TEXT, or --record FILE with its fields")
    if text is not None:
        return Output.of(_text(text, "--output"))
    return _record(Output, _json_file(record, "--record") if record else {}, "The output")


def _settings(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in given:
        whole = _value(one) if one.lstrip().startswith("{") else None
        if isinstance(whole, dict):
            found |= whole
            continue
        key, sign, value = one.partition("=")
        if not sign or not key:
            raise UsageError(f"{safe(one, 80)!r} is no setting.", hint="write --with key=value, or a JSON object")
        found[key] = _value(value)
    return found


def _judges(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    from seatrial.trials.trying import ONLY

    found: dict[str, dict[str, Any]] = {}
    for one in given:
        named = re.match(r"([A-Za-z0-9_-]+)=", one)
        name, use = (named[1], one[named.end() :]) if named else (ONLY, one)
        spec = _value(use) if use.lstrip().startswith("{") else use
        found[name] = spec if isinstance(spec, dict) else {"use": use}
    return found


def _plain(score: Score) -> dict[str, Any]:
    return {
        "status": score.status,
        "value": score.value,
        "passed": score.passed,
        "measure": score.measure,
        "unit": score.unit,
        "reason": score.reason,
        "evidence": [one.plain() for one in score.evidence],
    }


def _told(name: str, score: Score) -> list[str]:
    verdict = {True: "passes", False: "fails", None: "is not judged"}[score.passed]
    value = "" if score.value is None else f", value {score.value:.4g}"
    measure = "" if score.measure is None else f", measure {score.measure:.6g} {score.unit}".rstrip()
    lines = [f"{name}: {verdict}{value}{measure} ({score.status})", f"reason: {safe(score.reason, SHOWN)}"]
    return lines + [f"  {_span(one)}" for one in score.evidence]


def _read(value: Any) -> str:
    """A value as a reader has it: an object as `key: value`, lists and other values as JSON without its quotes."""
    if isinstance(value, str):
        return safe(value, SHOWN)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return safe(", ".join(f"{safe(key)}: {_read(held)}" for key, held in fields.items()) or "nothing", SHOWN)
    return safe(json.dumps(value, ensure_ascii=False, default=str), SHOWN)


def _span(one: Evidence) -> str:
    place = f"{safe(one.where)}" + ("" if one.start is None else f" {one.start}–{one.end}")
    parts = [f"“{safe(one.quote, SHOWN)}”" if one.quote else "", safe(one.note, SHOWN)]
    parts += [f"{word} {_read(value)}" for word, value in (("expected", one.expected), ("found", one.found))
              if value is not None]  # fmt: skip
    return f"{place}: {'; '.join(part for part in parts if part)}"
