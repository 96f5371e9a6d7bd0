"""A suite over a sealed split: open while it runs, and written into the split's ledger before anything is sent."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seatrial.core.record import Json, as_dict
from seatrial.core.suite import HASHING, Suite
from seatrial.errors import UsageError
from seatrial.runs.runner import Parts
from seatrial.store.store import Dataset, Store
from seatrial.trials.suite.suitefile import LoadedSuite

if TYPE_CHECKING:
    from seatrial.datasets.sealing.ledger import Shown
    from seatrial.datasets.sealing.opening import Open


@contextmanager
def unsealed(store: Store, loaded: LoadedSuite) -> Generator[Open | None]:
    """The store while a suite's sealed split is open; None where the suite has none.

    Raises UsageError for a target that is asked by batch: its requests would lie in files of its provider.
    """
    suite = loaded.suite
    if "sealed" not in suite.dataset.splits:
        yield None
        return
    from seatrial.datasets.sealing import opening

    if pooling := [rubric.name for rubric in suite.rubrics if rubric.over_scores]:
        raise UsageError(
            f"A sealed split keeps no whole scores, which the aggregate of {', '.join(pooling)} is taken over.",
            hint="take one over labels there, like macro_f1",
        )
    with opening.opened(store, suite.dataset, loaded.folder, tuple(_labels(suite))) as held:
        batched = [name for name, spec in suite.targets.items() if spec.batch]
        if held is not None and batched:
            raise UsageError(
                f"A sealed split is not asked by batch, which {', '.join(batched)} is: its text would lie in files.",
                hint="set batch: false",
            )
        yield held


def _labels(suite: Suite) -> Iterator[str]:
    """The class labels that the suite names in its aggregates, like `f1:spam`."""
    for rubric in suite.rubrics:
        if ":" in rubric.aggregate and not rubric.own_aggregate:
            yield rubric.aggregate.partition(":")[2]


def exposed(
    held: Open, trial: str, suite: Suite, parts: Parts, dataset: Dataset, ran: Mapping[str, Json] | None
) -> Mapping[str, Json]:
    """Write down whom this trial shows the split to; gives what the trial keeps of that. Raises LedgerError."""
    from seatrial.datasets.sealing import opening

    judges = parts.panel.judges
    shown = [_shown(name, suite.targets[name].use, target.identity()) for name, target in parts.targets.items()]
    shown += [_shown(name, name, judge.target.identity(), role="judge") for name, judge in judges.items()]
    if parts.panel.embedder is not None and suite.embedder.use != HASHING:
        shown.append(_shown("embedder", suite.embedder.use, parts.panel.embedder.identity(), role="embedder"))
    version = str((ran or {}).get("version", "")) or dataset.hash
    return opening.expose(held, trial, version, dataset.cases, shown)


def _shown(name: str, use: str, identity: Mapping[str, Any], role: Any = "target") -> Shown:
    """Who is shown it: the model, or what the suite uses, and the hosts that its identity names."""
    from seatrial.datasets.sealing.ledger import Shown

    return Shown(
        name=name, model=str(identity.get("model") or use), role=role, hosts=tuple(dict.fromkeys(_hosts(identity)))
    )


def _hosts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        parts = urlsplit(value) if value.startswith(("http://", "https://")) else None
        if parts is not None and parts.hostname:
            yield parts.hostname
    for item in (as_dict(value) or {}).values():
        yield from _hosts(item)
