"""`seatrial dataset …`: from a log dump to a version that can be trusted. One file a command."""

from __future__ import annotations

import click

from seatrial.cli.lazy import LazyGroup

COMMANDS: dict[str, str] = {
    "commit": "seatrial.cli.dataset.commit:commit",
    "log": "seatrial.cli.dataset.log:log",
    "diff": "seatrial.cli.dataset.diff:diff",
    "show": "seatrial.cli.dataset.show:show",
    "checkout": "seatrial.cli.dataset.checkout:checkout",
    "tag": "seatrial.cli.dataset.tag:tag",
    "match": "seatrial.cli.dataset.match:match",
    "refresh": "seatrial.cli.dataset.refresh:refresh",
}
"""Name: `module:function`, in the order in which a new user needs them."""


@click.command(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def dataset() -> None:
    """Import, scrub, sample, version and seal a set of cases."""
