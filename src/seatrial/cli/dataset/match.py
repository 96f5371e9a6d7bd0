"""`seatrial dataset match`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli import options
from seatrial.cli.dataset import _shared
from seatrial.errors import safe

if TYPE_CHECKING:
    from seatrial.datasets.versions.matching import Match
    from seatrial.datasets.versions.shares import StratumMatch
    from seatrial.datasets.versions.twosample import Estimate, Word

SHOWN = 8


@click.command()
@_shared.folder
@click.argument("pool", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the pool's sample.")
@options.as_json
def match(folder: Path, pool: Path, seed: int, as_json: bool) -> None:
    """Say whether the set in FOLDER still looks like the traffic in POOL: matches, drifted, or too little data.

    Strata are compared by their shares, texts by whether a classifier can tell the two apart. Margins stand under
    `match` in set.yaml.
    """
    from seatrial.datasets.versions.matching import match as compare

    found = compare(folder, pool, seed=seed)
    click.echo(found.model_dump_json(indent=2) if as_json else "\n".join(_lines(found)))


def _lines(found: Match) -> Iterator[str]:
    yield f"{safe(found.name)}: {found.verdict} ({found.cases:,} cases against {found.traffic:,} of traffic)"
    for one in found.strata:
        yield from _stratum(one)
    if found.auc is None:
        yield f"texts: fewer than {found.margins.least} cases on one side decide nothing"
    else:
        chance = f"0.5 is chance, at most {found.margins.auc:g} matches"
        yield f"texts: {found.auc_verdict}; a classifier's AUC is {_three(found.auc)}; {chance}"
    yield from _words("more in traffic", found.words_of_traffic)
    yield from _words("more in the set", found.words_of_set)


def _stratum(one: StratumMatch) -> Iterator[str]:
    stated = ", shares as set.yaml states them" if one.declared else ""
    yield f"{safe(one.stratum)}: {one.verdict}; total variation {_three(one.total_variation)}{stated}"
    for value in one.values[:SHOWN]:
        points = [f"{100 * part:+.1f}" for part in value.difference]
        shares = f"{value.in_set.value:.1%} of the set, {value.in_traffic.value:.1%} of traffic"
        yield f"    {safe(value.value, 30):<30} {shares} ({points[0]} points, {points[1]} to {points[2]})"
    if len(one.values) > SHOWN:
        yield f"    and {len(one.values) - SHOWN} more"


def _three(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _words(title: str, words: tuple[Word, ...]) -> Iterator[str]:
    if words:
        yield f"{title}: {', '.join(f'{safe(w.word)} ({w.here:.0%} against {w.there:.0%})' for w in words)}"
