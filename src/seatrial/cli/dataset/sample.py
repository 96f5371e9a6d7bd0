"""`seatrial dataset sample`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options

if TYPE_CHECKING:
    from seatrial.datasets.sampling.settings import Sampling


@click.command()
@click.argument("pool", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="The set's folder.")
@click.option("--size", required=True, type=click.IntRange(min=1), help="Cases in all.")
@click.option("--by", default="", help="Strata to allocate over, crossed: intent or intent,difficulty.")
@click.option(
    "--allocation",
    default="proportional",
    show_default=True,
    help="proportional, floored:N (at least N a stratum), equal, or neyman (needs --past).",
)
@click.option("--split", default="build=.2,test=.6,sealed=.2", show_default=True, help="Shares of the splits.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--remainders",
    type=click.Choice(["random", "largest"]),
    default="random",
    show_default=True,
    help="How quotas become whole: by chance (fair over seeds), or the largest remainders first.",
)
@click.option(
    "--past",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON: pass rates in [0, 1] by stratum, for neyman.",
)
@click.option("--near", type=float, default=0.8, show_default=True, help="Jaccard at which inputs count as one.")
@click.option("--mask-numbers", is_flag=True, help="Inputs that differ in numbers only count as one.")
@click.option("--mask-names", is_flag=True, help="Inputs that differ in capitalised words only count as one.")
@click.option("--split-sessions", is_flag=True, help="Let the cases of one session lie in different splits.")
@click.option(
    "--anchors",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSONL of cases that must be in the set; test.jsonl keeps its cases in test. Repeatable.",
)
@click.option("--replace", is_flag=True, help="Also where the set was committed.")
@options.as_json
def sample(pool: Path, into: Path, anchors: tuple[Path, ...], replace: bool, as_json: bool, **asked: Any) -> None:
    """Draw a set of cases from a pool, near-duplicates and strata told apart.

    The same pool, settings and seed give the same set, whatever the order of the pool's lines. Traffic shares are those
    of the pool and go into set.yaml, so that verdicts weigh by them.
    """
    from seatrial.datasets.sampling.sample import sample as draw
    from seatrial.datasets.versions.alone import alone

    settings = _settings(**asked)
    with alone(into):
        found = draw(pool, into, settings, anchors=anchors, replace=replace)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    for line in found.lines():
        click.echo(line)
    click.echo(f"wrote {into}")


def _settings(
    *, by: str, allocation: str, split: str, past: Path | None, near: float, split_sessions: bool, **rest: Any
) -> Sampling:
    from pydantic import ValidationError

    from seatrial.datasets.reading.faults import dotted, translate
    from seatrial.datasets.sampling import split as splits
    from seatrial.datasets.sampling.settings import Sampling
    from seatrial.errors import Problem, UsageError, safe

    kind, _, floor = allocation.partition(":")
    masks = {"numbers": rest.pop("mask_numbers"), "names": rest.pop("mask_names"), "jaccard": near}
    raw: dict[str, Any] = {}
    try:
        raw |= {
            **rest,
            "by": [name.strip() for name in by.split(",")] if by else [],
            "allocation": kind,
            "floor": int(floor) if floor else 0,
            "split": splits.parse(split),
            "past": _rates(past),
            "sessions": not split_sessions,
            "duplicates": masks,
        }
        return Sampling.model_validate(raw)
    except ValidationError as error:
        faults = translate(error, Sampling, raw)
        if whole := [fault.rule for fault in faults if not fault.path]:
            raise UsageError(f"The set cannot be drawn so: {'; '.join(whole)}.") from None
        problems = [Problem(fault.rule, key=dotted(fault.path), value=fault.value, hint=fault.hint) for fault in faults]
        raise UsageError("The set cannot be drawn so.", problems=problems) from None
    except ValueError as fault:
        raise UsageError(f"The set cannot be drawn so: {safe(str(fault), 200)}.") from None


def _rates(past: Path | None) -> Any:
    from seatrial.core.identity import loads

    if past is None:
        return {}
    try:
        return loads(past.read_bytes())
    except OSError as fault:
        raise ValueError(f"{past} cannot be read ({fault.strerror})") from None
    except ValueError:
        raise ValueError(f"{past} is not JSON") from None
