"""The plug points. A plug-in is any object of the right shape; nothing registers itself at import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from seatrial.core.case import Case
from seatrial.core.output import Output, Request, Usage
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


@runtime_checkable
class HearsVerdicts(Protocol):
    """Services that want to know of every answered question whether a verdict could be read off the answer."""

    def heard(self, target: str, fault: str) -> None:
        """What was wrong with a judge's answer in the end; empty where it was usable. From any thread."""
        ...


class Embedder(Protocol):
    """Gives texts their vectors. Opened once, asked concurrently, closed once."""

    def identity(self) -> Mapping[str, Json]:
        """All that could change a vector."""
        ...

    async def open(self) -> None:
        """Acquire what it needs. Raises MissingSecretError before anything is spent."""
        ...

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One unit vector a text, in order.

        Raises TargetDownError when no further request can succeed, NotEvaluableError when this one could not.
        """
        ...

    async def close(self) -> None:
        """Release what `open` acquired."""
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


@runtime_checkable
class NamesLabels(Protocol):
    """A scorer of labels, whose scores say in their evidence which one was `expected` and which `found`."""

    def expected_label(self, case: Case, /) -> str:
        """The label that a case expects, as the evidence writes it."""
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
class StatesConditions(Protocol):
    """A target that knows what it sends besides the prompt: two of them can be held against each other."""

    def conditions(self) -> Mapping[str, Json]:
        """`adapter`, `stream`, `unsupported` (the policy), `params` as asked, and `dropped` before anything is sent."""
        ...


class Amount(NamedTuple):
    """What an attempt at a request used, or may use at most. None: that is not known.

    `output`: how many of the tokens are the answer's.
    """

    tokens: int | None
    dollars: float | None
    output: int | None = None


class Meter(Protocol):
    """What every attempt at a request is paid from, when a run has a budget."""

    async def reserve(self, most: Amount, /) -> Amount:
        """Set the most aside before sending; waits while others may give some back. Raises BudgetError."""
        ...

    def settle(self, reserved: Amount, used: Amount, /) -> None:
        """Put what was used in place of what was reserved; what is not known of it stays reserved for good."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A target that can be kept within a budget."""

    def most(self, request: Request, /) -> Amount:
        """An upper bound of what one attempt at the request may use."""
        ...

    def pay_from(self, meter: Meter, /) -> None:
        """Reserve and settle every attempt there from now on."""
        ...


@runtime_checkable
class Priced(Protocol):
    """A target that can say beforehand what an answer would cost."""

    def price(self, usage: Usage, /) -> tuple[float | None, str]:
        """US dollars for so many tokens, and what they are priced by; None and empty where that is not known."""
        ...


@runtime_checkable
class ChecksCases(Protocol):
    """A target that must fit the dataset, like recorded outputs."""

    def check(self, cases: Iterable[tuple[str, str]], /) -> None:
        """Given every case's (id, input_hash), raise RecordingError with the numbers of what does not fit."""
        ...


@runtime_checkable
class HoldsSome(Protocol):
    """A target that may have answers to some of the cases only."""

    @property
    def partial(self) -> bool:
        """Whether what it does not hold is not asked, rather than missing."""
        ...

    def holds(self, case: Case, request: Request, /) -> bool:
        """Whether it has an answer to the case at the request's epoch."""
        ...


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What a provider says of a batch. `done` counts answered and failed requests, of `total`.

    `ended`: nothing more will come. `refused`: why the provider took none of it, empty where it did. `gone`: it knows
    no such batch.
    """

    ended: bool
    done: int = 0
    total: int = 0
    refused: str = ""
    gone: bool = False


class Batches(Protocol):
    """A provider's batch API: many requests handed in at once, answered within a day, read back in any order.

    Every method but `entry` and `output` asks the provider, and raises TargetDownError when that is hopeless.
    """

    @property
    def account(self) -> str:
        """The identity of what a batch is found under again: endpoint, model and parameters as they go out now."""
        ...

    @property
    def left_out(self) -> Mapping[str, str]:
        """Parameters that requests go out without from now on, as the provider refused them, with what it said."""
        ...

    @property
    def most_requests(self) -> int:
        """How many requests a batch may hold."""
        ...

    @property
    def most_bytes(self) -> int:
        """How many bytes a batch may have."""
        ...

    @property
    def poll_seconds(self) -> float:
        """When to look at a new batch for the first time."""
        ...

    @property
    def settle_seconds(self) -> float:
        """How long a batch that was just accepted may be missing from the provider's list."""
        ...

    def entry(self, custom_id: str, request: Request) -> bytes | Output:
        """A request's line of JSON, or the failure of one that cannot be expressed."""
        ...

    async def submit(self, name: str, entries: Path) -> str:
        """Hand in the lines of a file under a name; gives the provider's id.

        Empty when the answer got lost, so that the provider may have it or not: then `find` it. Raises
        TargetDownError when the provider refuses it.
        """
        ...

    async def find(self, name: str, requests: int, since: str, known: Collection[str]) -> str:
        """The id of a batch of so many requests that was submitted under this name since then, empty if there is none.

        `known` are the ids of other batches. May take until the batch has ended, where nothing less tells it apart.
        """
        ...

    async def poll(self, batch_id: str) -> BatchStatus | None:
        """How far it is; None when the provider could not be asked this time."""
        ...

    def results(self, batch_id: str) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Each result's custom id and content, in any order. Ends early where they cannot be read to their end."""
        ...

    def output(
        self, batch_id: str, result: Mapping[str, Any], request: Request, left_out: Mapping[str, str] | None = None
    ) -> Output | None:
        """What a result says, as an output at the batch's price, without a timing; `left_out` when it was asked.

        None where the provider refused a parameter which further requests are to go out without: ask again. Raises
        TargetDownError where it refused one that must be sent.
        """
        ...


@runtime_checkable
class TakesBatches(Protocol):
    """A target that may be asked in batches."""

    @property
    def batches(self) -> Batches | None:
        """The provider's batch API, None where requests are to be sent one by one."""
        ...
