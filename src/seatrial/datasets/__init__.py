"""Where cases come from: rows of a file, mapped to cases, checked all at once.

`read` streams the cases of a dataset, `fingerprint` says whether its file changed, `problems` checks its settings.
`sources` reads the formats, `fields` turns rows into case fields, `blobs` fetches files beside the dataset, and
`faults` puts validation errors into plain sentences.
"""

from seatrial.datasets.reader import fingerprint, problems, read

__all__ = ["fingerprint", "problems", "read"]
