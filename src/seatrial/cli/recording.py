"""`--record`, `--expires` and `--record-texts`: what `run` and `compare` keep of a verdict."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from seatrial.cli import options
from seatrial.core.files import check_writable
from seatrial.errors import UsageError

if TYPE_CHECKING:
    from seatrial.verdicts.records import TrialReport

UNITS = {"m": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0}
MOST_DAYS = 3650


def days_of(value: object) -> float | None:
    """The days that a span like 90m, 24h, 90d or 4w has; None for what is none, and for more than ten years."""
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([mhdw])", str(value).strip())
    days = float(found[1]) * UNITS[found[2]] if found else 0.0
    return days if 0 < days <= MOST_DAYS else None


class Period(click.ParamType[float]):
    """A time span like 90m, 24h, 90d or 4w, in days."""

    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The days that a text says."""
        if isinstance(value, float):
            return value
        days = days_of(value)
        if days is None:
            self.fail(f"{value!r} is no period of at most ten years: write 90m, 24h, 90d or 4w.", param, ctx)
        return days


class Wanted(NamedTuple):
    """A record that was asked for."""

    path: Path
    expires_days: int | None
    texts: bool


def recorded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the three options to a command, which gets them as `record: Wanted | None`."""

    @click.option(
        "--record",
        "record_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Also write the decision record, a file that `seatrial verify` can draw again.",
    )
    @click.option("--expires", type=Period(), help="How long the record stands, like 90d; the policy's where not said.")
    @click.option("--record-texts", is_flag=True, help="Keep the flips' inputs and answers in the record.")
    @functools.wraps(command)
    def wrapped(*args: Any, record_file: Path | None, expires: float | None, record_texts: bool, **kwargs: Any) -> Any:
        if record_file is None and (expires is not None or record_texts):
            raise click.UsageError("--expires and --record-texts belong to --record FILE.")
        if expires is not None and (expires < 1 or expires != int(expires)):
            raise click.UsageError("--expires takes whole days: a record stands for at least one.")
        if record_file is not None:
            check_writable(record_file, "The decision record")
        days = None if expires is None else int(expires)
        wanted = None if record_file is None else Wanted(record_file, days, record_texts)
        return command(*args, record=wanted, **kwargs)

    return wrapped


def keep(
    wanted: Wanted | None,
    report: TrialReport,
    store_file: Path,
    *,
    incumbent: str | None = None,
    candidates: Sequence[str] = (),
    quiet: bool = False,
) -> int:
    """Write the record of a report that was just drawn, where one is wanted; gives 0, or the exit code of a failure."""
    if wanted is None:
        return 0
    from seatrial.store.store import Store
    from seatrial.trials.verify import asked_for, make_record, write_record

    with Store(store_file) as store:
        choices = {"expires_days": wanted.expires_days, "texts": wanted.texts}
        asked = asked_for(store, report.trial_id, incumbent, candidates, **choices)
        record = make_record(store, report.trial_id, asked, report)
    try:
        write_record(record, wanted.path)
    except UsageError as fault:
        again = f"`seatrial compare {report.trial_id} --record FILE` makes it again, and asks nothing"
        return options.say_late(fault, again)
    if not quiet:
        click.echo(f"wrote {wanted.path}: {record.digest}, stands until {record.expires_at[:10]}")
    return 0
