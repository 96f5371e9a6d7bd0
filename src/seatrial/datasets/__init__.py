"""Where cases come from, and the set that they make.

`read` streams the cases of a dataset, `fingerprint` says whether its file changed, `problems` checks its settings:
all in `reading`. What makes a set and keeps it is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial.datasets.reading.reader import fingerprint, problems, read

if TYPE_CHECKING:
    from seatrial.datasets.versions.committing import commit, tag
    from seatrial.datasets.versions.diffing import diff
    from seatrial.datasets.versions.folder import SetFolder
    from seatrial.datasets.versions.log import log, show
    from seatrial.datasets.versions.matching import match
    from seatrial.datasets.versions.refreshing import refresh
    from seatrial.datasets.versions.restoring import checkout

_LAZY = {
    "SetFolder": "versions.folder",
    "checkout": "versions.restoring",
    "commit": "versions.committing",
    "diff": "versions.diffing",
    "log": "versions.log",
    "match": "versions.matching",
    "refresh": "versions.refreshing",
    "show": "versions.log",
    "tag": "versions.committing",
}
"""Name: the module below this package that has it."""

__all__ = [
    "SetFolder",
    "checkout",
    "commit",
    "diff",
    "fingerprint",
    "log",
    "match",
    "problems",
    "read",
    "refresh",
    "show",
    "tag",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
