"""`seatrial dataset …`: from a log dump to a version that can be trusted. One file a command."""

from __future__ import annotations

import click

from seatrial.cli.lazy import LazyGroup

COMMANDS: dict[str, str] = {
    "import": "seatrial.cli.dataset.importing:import_",
    "scrub": "seatrial.cli.dataset.scrub:scrub",
    "stratify": "seatrial.cli.dataset.stratify:stratify",
    "sample": "seatrial.cli.dataset.sample:sample",
    "commit": "seatrial.cli.dataset.commit:commit",
    "log": "seatrial.cli.dataset.log:log",
    "diff": "seatrial.cli.dataset.diff:diff",
    "show": "seatrial.cli.dataset.show:show",
    "checkout": "seatrial.cli.dataset.checkout:checkout",
    "tag": "seatrial.cli.dataset.tag:tag",
    "match": "seatrial.cli.dataset.match:match",
    "refresh": "seatrial.cli.dataset.refresh:refresh",
    "seal": "seatrial.cli.dataset.seal:seal",
    "verify": "seatrial.cli.dataset.verify:verify",
}
"""Name: `module:function`, in the order in which a new user needs them."""


@click.command(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def dataset() -> None:
    """Import, scrub, sample, version and seal a set of cases."""
