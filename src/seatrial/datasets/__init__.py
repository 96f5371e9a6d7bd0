"""Where cases come from, and the set that they make.

`read` streams the cases of a dataset, `fingerprint` says whether its file changed, `problems` checks its settings:
all in `reading`.
"""

from seatrial.datasets.reading.reader import fingerprint, problems, read

__all__ = ["fingerprint", "problems", "read"]
