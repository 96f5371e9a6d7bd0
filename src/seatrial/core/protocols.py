"""The plug points. A plug-in is any object of the right shape; nothing registers itself at import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.record import Json
from seatrial.core.score import Score, ScorerInfo


class Services(Protocol):
    """What a scorer may ask of the house; every call is limited, cached and counted by whoever provides it."""

    async def complete(self, target: str, request: Request) -> Output:
        """Ask a target of the suite."""
        ...

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One unit vector a text."""
        ...


class Scorer(Protocol):
    """Judges one output. A frozen value: it returns, stores nothing, and is safe to call concurrently."""

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself."""
        ...

    def identity(self) -> Mapping[str, Json]:
        """Parameters (and, for a plain function, its source): with name and version, what `scorer_hash` covers."""
        ...

    def applies(self, case: Case) -> str:
        """Empty when the case can be judged, else the reason why not; decided from the case alone."""
        ...

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. `case` is the view: id, weight, origin, lineage and dates are blank."""
        ...


@runtime_checkable
class NeedsServices(Protocol):
    """A scorer that asks a model or an embedder."""

    def bind(self, services: Services) -> Scorer:
        """The same scorer, able to ask."""
        ...


class Comparator(Protocol):
    """Judges two outputs of one case against each other: value 1 prefers the first, 0 the second, .5 neither."""

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself."""
        ...

    async def __call__(self, case: Case, first: Output, second: Output, /) -> Score:
        """Compare the outputs."""
        ...


class Aggregate(Protocol):
    """One number over a run's scores (F1, MCC, p95); arms are compared by jackknife over clusters."""

    @property
    def name(self) -> str:
        """Its name on reports."""
        ...

    def __call__(self, scores: Sequence[Score], /) -> float:
        """The number."""
        ...


class Target(Protocol):
    """A system under test: an adapter plus its configuration. Opened once, asked concurrently, closed once."""

    @property
    def name(self) -> str:
        """The name it has in the suite."""
        ...

    @property
    def concurrency(self) -> int:
        """How many requests it may have in flight."""
        ...

    def identity(self) -> Mapping[str, Json]:
        """All of its configuration that could change an answer: with case and request, what `sent` is made from."""
        ...

    def sent(self, case: Case, request: Request) -> Mapping[str, Json]:
        """The request as it will be sent, without secrets and with a plain seed: what `request_hash` covers."""
        ...

    async def open(self) -> None:
        """Acquire what it needs. Raises MissingSecretError and the like before anything is spent."""
        ...

    async def generate(self, case: Case, request: Request) -> Output:
        """Answer. Never raises for what a provider does: that is an output with a failure.

        Raises TargetDownError when no further request can succeed (bad key, exhausted quota, unknown model).
        """
        ...

    async def close(self) -> None:
        """Release what `open` acquired."""
        ...


@runtime_checkable
class ChecksCases(Protocol):
    """A target that must fit the dataset, like recorded outputs."""

    def check(self, cases: Iterable[tuple[str, str]], /) -> None:
        """Given every case's (id, input_hash), raise RecordingError with the numbers of what does not fit."""
        ...
