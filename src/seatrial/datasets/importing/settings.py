"""What an import is asked to do, and what it did."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from seatrial.core.identity import digest
from seatrial.datasets.importing import families, rows
from seatrial.datasets.importing.turns import every
from seatrial.datasets.importing.values import moment
from seatrial.errors import Problem, UsageError, nearest, safe
from seatrial.traces.observation import MalformedError

VERSION = 4
"""Of the importer: a change in what a record means raises it, and what an older one has kept is read again."""


@dataclass(frozen=True)
class Settings:
    """How logs become cases.

    `format`: the family of the logs, or `auto`. `fields`: case fields from columns or paths of a record (of a span:
    its own and its resource's attributes). `turns`: `last`, `all` or `every:N` answers of a session. `since` and
    `until`: only requests of that time, the end left out. `system`: whether system prompts stay. `scrub`: the policy
    by which personal data is replaced. `skip_bad`: so many bad records are left out; one more and nothing is imported.
    """

    format: str = "auto"
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    turns: str = "last"
    since: str | None = None
    until: str | None = None
    system: str = "keep"
    scrub: str = "basic"
    skip_bad: int = 0

    def check(self) -> None:
        """Raises UsageError where the settings cannot be used."""
        if self.format not in families.NAMES:
            near = nearest(self.format, families.NAMES)
            hint = f"did you mean {near!r}?" if near else f"formats: {', '.join(families.NAMES)}"
            raise UsageError(f"--format {safe(self.format)} is not a format of logs.", hint=hint)
        every(self.turns)
        faults = rows.check(self.fields)
        if self.format == "rows" and not rows.is_mapped(self.fields):
            faults.append(Problem("is required", key="--field input", hint="name the column: --field input=question"))
        if self.system not in ("keep", "strip"):
            raise UsageError("--system is keep or strip.")
        since, until = self.between
        if since is not None and until is not None and since >= until:
            raise UsageError("--since is not before --until.")
        if faults:
            raise UsageError("The mapping cannot be used.", problems=faults)

    @property
    def between(self) -> tuple[int | None, int | None]:
        """The bounds of time in nanoseconds since 1970."""
        try:
            return moment(self.since, "--since"), moment(self.until, "--until")
        except MalformedError as fault:
            raise UsageError(f"{fault.key} {fault.rule} (got {safe(fault.value)}).", hint=fault.hint) from None

    def identity(self, logs: str, key: bytes | None) -> str:
        """What a checkpoint belongs to: logs, settings, the key's hash, and what reads them."""
        marked = hashlib.blake2b(b"seatrial import\0" + (key or b""), digest_size=16).hexdigest()
        return digest(
            "import", {**asdict(self), "fields": dict(self.fields), "logs": logs, "v": VERSION, "key": marked}
        )


@dataclass
class Report:
    """What an import did; kept beside the pool as `<pool>.report.json`.

    `records` read, `requests` to models found in them, `cases` written. `duplicates`: records with the ids (or the
    whole content) of an earlier one. `without_content`: requests whose messages were not recorded or were redacted.
    `outside`: requests outside the time asked for. `bad`: records left out, listed in `problems`. `scrubbed`: what was
    replaced, by kind. `review`: findings that are less sure, for a person to look at: their `count`, the counts
    `by_kind`, and the `first` ones, each by its case's id in the pool and its record's number in the log; as in the
    report of `dataset scrub`, nothing real is in it.
    """

    pool: str
    format: str
    logs: list[str]
    settings: dict[str, Any]
    records: int = 0
    requests: int = 0
    sessions: int = 0
    cases: int = 0
    duplicates: int = 0
    without_content: int = 0
    outside: int = 0
    bad: int = 0
    scrubbed: dict[str, int] = field(default_factory=dict[str, int])
    review: dict[str, Any] = field(default_factory=lambda: {"count": 0, "by_kind": {}, "first": []})
    problems: list[str] = field(default_factory=list[str])

    def plain(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"format_version": "seatrial.import/1", **asdict(self)}
