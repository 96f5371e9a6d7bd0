"""The adapter `replay:FILE`: outputs that were recorded elsewhere, as a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from seatrial.core.case import Case
from seatrial.core.message import without_bytes
from seatrial.core.output import Failure, Output, Request, Usage
from seatrial.core.protocols import Amount, Meter
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.targets.outcomes import outcome
from seatrial.targets.recording import NAMES, Recording
from seatrial.targets.settings import fail, unknown_keys

ADAPTER = "replay/1"
CONCURRENCY = 8


class Replay:
    """Recorded outputs in a JSONL file, joined to cases by the hash of their input, or by id.

    Latency and cost are those of the recording; what it does not hold is unknown. A case's rows are its epochs.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"fields", "join", "deadline", "partial"})

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Check the settings; the file is read on first use. Raises TargetConfigError. `environ` is not used."""
        del environ
        fail(name, unknown_keys(name, "fields", spec.fields, NAMES))
        self.name = name
        self.concurrency = CONCURRENCY
        self._deadline = spec.deadline
        path = folder / spec.use.partition(":")[2]
        self.partial = spec.partial
        paths = {key: spec.fields.get(key, key) for key in NAMES}
        self._recording = Recording(path, paths, spec.join, partial=spec.partial)

    def check(self, cases: Iterable[tuple[str, str]], /) -> None:
        """Raise RecordingError for unmatched, duplicate, missing and unreadable rows, all of them at once."""
        self._recording.check(cases)

    def identity(self) -> Mapping[str, Json]:
        """The whole file and how it is read. Raises RecordingError when it cannot be."""
        return {"adapter": ADAPTER, "recording": self._recording.identity(), "deadline": self._deadline}

    def sent(self, case: Case, request: Request) -> Mapping[str, Json]:
        """The messages, and the hash of the recorded row: another row's change changes nothing here."""
        number = self._recording.find(case.id, case.input_hash, request.epoch)
        row = None if number is None else self._recording.hash(number)
        messages = without_bytes([message.plain() for message in request.messages])
        late = {"deadline": self._deadline} if self._deadline is not None else {}
        return {"adapter": ADAPTER, "row": row, "messages": messages, **late}

    def holds(self, case: Case, request: Request) -> bool:
        """Whether there is a row for the case at the request's epoch."""
        return self._recording.find(case.id, case.input_hash, request.epoch) is not None

    async def open(self) -> None:
        """Nothing to do: the file is opened for each row."""

    async def generate(self, case: Case, request: Request) -> Output:
        """The recorded output. A case without a row gets the infra failure `not_recorded`."""
        number = self._recording.find(case.id, case.input_hash, request.epoch)
        if number is None:
            message = "the recording has no row for this case"
            return Output(failure=Failure(kind="infra", code="not_recorded", message=message))
        return outcome(self._recording.output(number), self._deadline)

    def most(self, request: Request) -> Amount:
        """Nothing: what is recorded was paid for."""
        del request
        return Amount(0, 0.0)

    def price(self, usage: Usage) -> tuple[float | None, str]:
        """Nothing, whatever was used."""
        del usage
        return 0.0, "recorded"

    def pay_from(self, meter: Meter) -> None:
        """Nothing to pay."""
        del meter

    async def close(self) -> None:
        """Nothing to do."""
