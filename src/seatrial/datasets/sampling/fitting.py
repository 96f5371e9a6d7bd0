"""`dataset stratify`: fit a stratifier to a file of cases and declare it in a set's set.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from seatrial.core.case import Case
from seatrial.core.record import Record, as_dict
from seatrial.core.suite import DatasetSpec
from seatrial.datasets.reading.reader import read
from seatrial.datasets.sampling import fitted
from seatrial.datasets.sampling.fitted import Accuracy
from seatrial.datasets.sampling.stratify import UNKNOWN, stratifiers
from seatrial.datasets.versions.folder import SetFolder
from seatrial.errors import safe

MOST_READ = 50_000


class Fitting(NamedTuple):
    """What is fitted: `clusters` or `classifier`, for which stratum, and with what."""

    stratum: str
    fit: str
    clusters: int | None = None
    confidence: float = 0.5
    seed: int = 0


class FitReport(Record):
    """What was fitted, and how it names the cases it was given."""

    stratum: str
    use: str
    hash: str
    model: str
    cases: int
    named: Mapping[str, int]
    accuracy: Accuracy | None = None

    def lines(self) -> list[str]:
        """The report as text, a line an item."""
        unknown = self.named.get(UNKNOWN, 0)
        lines = [f"{safe(self.stratum)}: {self.use} fitted to {self.cases:,} cases, in {safe(self.model)}"]
        if self.accuracy is not None:
            a = self.accuracy
            lines.append(
                f"right on {a.accuracy:.1%} of {a.examples:,} examples held out "
                f"(95% interval {a.low:.1%} to {a.high:.1%})"
            )
        lines += [
            f"  {safe(name)}  {count:,}" for name, count in sorted(self.named.items(), key=lambda i: (-i[1], i[0]))
        ]
        return [*lines, f"unknown: {unknown / max(1, self.cases):.1%}"]


def declare(cases: Path, into: Path, what: Fitting) -> FitReport:
    """Fit to the first 50,000 cases of a file, keep the model beside set.yaml, and declare it there.

    A stratifier of the same stratum is replaced. Raises DatasetError for bad cases, or too few to fit to.
    """
    folder = SetFolder(into)
    held: list[Case] = list(islice(read(DatasetSpec(path=cases.name, format="jsonl"), cases.parent), MOST_READ))
    accuracy = None
    if what.fit == "clusters":
        model = fitted.fit_clusters(held, count=what.clusters, seed=what.seed)
        definition = fitted.keep(model, into, what.stratum, "clusters")
    else:
        model, accuracy = fitted.fit_classifier(held, what.stratum, confidence=what.confidence, seed=what.seed)
        definition = fitted.keep(model, into, what.stratum, "classifier", confidence=what.confidence)
    others = [one for one in folder.config.stratifiers if (as_dict(one) or {}).get("stratum") != what.stratum]
    folder.write_config(folder.config.model_copy(update={"stratifiers": (*others, definition)}))
    (stratifier,) = stratifiers(folder.config.stratifiers, [what.stratum], into)
    return FitReport(
        stratum=what.stratum, use=what.fit, hash=stratifier.hash, model=definition["model"], cases=len(held),
        named=Counter(stratifier(case) for case in held), accuracy=accuracy,
    )  # fmt: skip
