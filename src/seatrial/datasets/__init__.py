"""Where cases come from, and the set that they make.

`read` streams the cases of a dataset, `fingerprint` says whether its file changed, `problems` checks its settings:
all in `reading`. What makes a set and keeps it is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial.datasets.reading.reader import fingerprint, problems, read

if TYPE_CHECKING:
    from seatrial.datasets.importing.pipeline import import_logs
    from seatrial.datasets.labelling.apply import apply_labels
    from seatrial.datasets.sampling.sample import sample
    from seatrial.datasets.scrubbing.pool import scrub_pool
    from seatrial.datasets.scrubbing.scrub import Scrubber
    from seatrial.datasets.sealing.seal import rekey, seal
    from seatrial.datasets.sealing.verify import verify
    from seatrial.datasets.versions.committing import commit, tag
    from seatrial.datasets.versions.diffing import diff
    from seatrial.datasets.versions.folder import SetFolder
    from seatrial.datasets.versions.log import log, show
    from seatrial.datasets.versions.matching import match
    from seatrial.datasets.versions.refreshing import refresh
    from seatrial.datasets.versions.restoring import checkout

_LAZY = {
    "Scrubber": "scrubbing.scrub",
    "SetFolder": "versions.folder",
    "apply_labels": "labelling.apply",
    "checkout": "versions.restoring",
    "commit": "versions.committing",
    "diff": "versions.diffing",
    "import_logs": "importing.pipeline",
    "log": "versions.log",
    "match": "versions.matching",
    "refresh": "versions.refreshing",
    "rekey": "sealing.seal",
    "seal": "sealing.seal",
    "sample": "sampling.sample",
    "scrub_pool": "scrubbing.pool",
    "show": "versions.log",
    "tag": "versions.committing",
    "verify": "sealing.verify",
}
"""Name: the module below this package that has it."""

__all__ = [
    "Scrubber",
    "SetFolder",
    "apply_labels",
    "checkout",
    "commit",
    "diff",
    "fingerprint",
    "import_logs",
    "log",
    "match",
    "problems",
    "read",
    "refresh",
    "rekey",
    "sample",
    "scrub_pool",
    "seal",
    "show",
    "tag",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
