"""The import itself: logs → records → observations → spool → sessions → scrubbed cases → pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import ValidationError

from seatrial.core.case import Case
from seatrial.core.files import write_whole
from seatrial.core.identity import canonical
from seatrial.datasets.importing import families, files, mapping, turns
from seatrial.datasets.importing.refusing import SHOWN_BAD, refused
from seatrial.datasets.importing.settings import Report, Settings
from seatrial.datasets.importing.spool import Entry, Seal, Spool
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.datasets.reading.fields import MISSING, pick
from seatrial.datasets.scrubbing.keys import scrub_key
from seatrial.errors import DatasetError, Problem, SeatrialError, UsageError, safe
from seatrial.traces import otlp
from seatrial.traces.observation import MalformedError, Observation, Raw

if TYPE_CHECKING:
    from seatrial.datasets.scrubbing.report import Review

FIRST = 1000
"""So many records of each log are looked at to name a path that is near a misspelt one."""

BATCH = 2000
"""Records between two commits of the spool: what a kill can cost."""

Scrub = Callable[[Raw, int], "tuple[Raw | None, str]"]
"""A clean case, as plain values, of a case and its record's number; none with the reason why it was refused."""
Step = Callable[[str, int], None]


def import_logs(
    logs: Sequence[Path | str], into: Path | str, settings: Settings | None = None, *, tell: Step | None = None
) -> Report:
    """Read logs into a pool: a JSONL file of scrubbed cases, with `<pool>.report.json` beside it.

    Memory does not grow with the logs. Killed at any moment and called again with the same logs and settings, it goes
    on from its checkpoint and gives the same bytes. `tell(stage, count)` is called now and then.

    Raises UsageError for settings that cannot be used and DatasetError for bad records beyond `settings.skip_bad`;
    in both cases no pool is written, and an older one stays.
    """
    settings = settings or Settings()
    settings.check()
    if not logs:
        raise UsageError("No log is named.", hint="seatrial dataset import LOG --into pool.jsonl")
    paths, pool = [Path(log) for log in logs], Path(into)
    for path in paths:
        with files.open_log(path, settings.format):
            pass  # it can be read
        if path.resolve() == pool.resolve():
            raise UsageError("The pool would replace the log it is made of.", hint="name another file after --into")
    marked = files.fingerprint(paths)
    key = None if settings.scrub == "none" else scrub_key(pool.absolute().parent)
    scrub, review = _scrubber(settings.scrub, key)
    spool = Spool(pool.with_name(f".{pool.name}.import"), settings.identity(marked, key), Seal(key))
    done = False
    try:
        report = _Import(paths, pool, settings, spool, tell or _silent).run(scrub, review)
        done = True
    except SeatrialError:
        done = True
        raise
    finally:
        spool.close(remove=done)
    return report


def _silent(stage: str, count: int) -> None:
    """Tell nobody."""


def _scrubber(policy: str, key: bytes | None) -> tuple[Scrub, Review | None]:
    """What scrubs a case, and what gathers its findings. Raises ConfigError for an unknown policy."""
    if key is None:
        return (lambda plain, _: (plain, "")), None
    from seatrial.datasets.scrubbing.policy import load
    from seatrial.datasets.scrubbing.report import Review
    from seatrial.datasets.scrubbing.scrub import Scrubber

    rules = load(policy)
    scrubber, review = Scrubber(rules, key), Review(rules)

    def scrub(plain: Raw, number: int) -> tuple[Raw | None, str]:
        done = scrubber.valid(plain)
        name = str(done.record["id"]) if done.record else ""
        review.add(number, name, done.findings, done.refused)
        return done.record, done.refused

    return scrub, review


class _Import:
    """One import: where it is, and the faults found."""

    def __init__(self, paths: list[Path], pool: Path, settings: Settings, spool: Spool, tell: Step) -> None:
        self._paths, self._pool, self._settings, self._spool, self._tell = paths, pool, settings, spool, tell
        self._at = spool.progress()
        self._behind = self._at.number, self._at.offset
        self._records = self._at.records
        self._new: list[Problem] = []
        self._hopeless = settings.skip_bad + SHOWN_BAD  # with so many bad records, reading on tells nothing new
        self._since, self._until = settings.between
        self._timed = self._since is not None or self._until is not None
        self._step = turns.every(settings.turns)
        self._family = families.named(settings.format, settings.fields) or families.named(self._at.family, {})
        self._given = settings.format != "auto" or families.named("auto", settings.fields) is not None
        self._names = [path.name for path in paths]
        self._mapped = mapping.Mapped(settings.fields, self._at.mapped)

    def run(self, scrub: Scrub, review: Review | None) -> Report:
        for number, path in enumerate(self._paths):
            if number >= self._at.file:
                self._read(number, path)
        self._commit()
        if self._at.bad > self._settings.skip_bad:
            self._refuse()
        if self._mapped.missing and self._at.seen:
            raise mapping.refusal(self._mapped.missing, self._first())
        self._spool.join()
        return self._write(scrub, review)

    # ---------------------------------------------------------------------------------------------- reading

    def _read(self, number: int, path: Path) -> None:
        at = self._at if number == self._at.file else self._at._replace(file=number, number=0, offset=0)
        self._at, self._behind = at._replace(file=number), (at.number, at.offset)
        with files.open_log(path, self._settings.format) as log:
            for item in files.records(log, at.number, at.offset):
                if isinstance(item, Problem):
                    self._note(item)
                    self._behind = max(item.line or 0, self._behind[0]), 0
                else:
                    self._record(log, item)
                    self._behind = item.number, item.offset
                    self._records += 1
                if self._spool.waiting >= BATCH or len(self._new) >= BATCH or self._at.bad >= self._hopeless:
                    self._commit()
        self._at, self._behind = self._at._replace(file=number + 1), (0, 0)
        if not self._given:
            self._family = None  # every log may be of a family of its own
        self._commit()

    def _commit(self) -> None:
        kept = max(0, self._hopeless - (self._at.bad - len(self._new)))
        number, offset = self._behind
        family = self._family.name if self._family else ""
        at = self._at._replace(
            number=number, offset=offset, records=self._records, family=family, mapped=self._mapped.mark
        )
        self._at = self._spool.commit(at, self._new[:kept])
        self._new = []
        self._tell("reading", self._at.records)
        if self._at.bad >= self._hopeless:
            self._refuse()

    def _note(self, problem: Problem) -> None:
        self._new.append(problem)
        self._at = self._at._replace(bad=self._at.bad + 1)

    def _refuse(self) -> None:
        """Give up on reading. Raises DatasetError with the faults."""
        hint = "" if self._at.seen else self._none_fits()
        raise refused(self._at.bad, self._settings.skip_bad, self._spool.problems(), hint)

    def _none_fits(self) -> str:
        """What to do where not one record could be read, by what was given."""
        if not self._given:
            return "name the format with --format, or the columns with --field input=COLUMN"
        if self._settings.format in ("auto", "rows"):
            return "does the mapping name the columns of these logs?"
        return f"is {self._settings.format} the right --format?"

    def _first(self) -> Iterator[Raw]:
        """What the first records of each log hold, as a mapping sees it."""
        for path in self._paths:
            with files.open_log(path, self._settings.format) as log:
                for item in islice(files.records(log), FIRST):
                    if not isinstance(item, Problem):
                        yield from self._held(item.value)
            if not self._given:
                self._family = None

    def _held(self, value: dict[str, Any] | bytes) -> list[Raw]:
        try:
            found = [item for item in self._observed(value) if isinstance(item, Observation)]
        except (MalformedError, RecursionError):
            return []  # was told, or left out as a bad record
        return [item.attributes for item in found if item.attributes]

    def _record(self, log: files.Log, record: files.Record) -> None:
        """Keep what a record holds: all of it, or nothing where a part is bad."""
        found: list[Observation] = []
        try:
            for item in self._observed(record.value):
                if isinstance(item, MalformedError):
                    raise item
                self._mapped.see(item)
                found.append(item)
            kept = [item for item in found if self._inside(item)] if self._timed else found
            rows = [(item, turns.payload(item, self._labels(item))) for item in kept]
        except MalformedError as fault:
            self._note(
                Problem(fault.rule, log.name, record.number, safe(fault.key, 160), self._value(fault), fault.hint)
            )
            return
        except RecursionError:
            self._note(Problem("is nested too deep", log.name, record.number))
            return
        for item, payload in rows:
            self._spool.add(item, payload, turns.weight(item), (self._at.file, record.number))

    def _value(self, fault: MalformedError) -> str | None:
        """The value of a fault; only numbers and words of a format where personal data must not be shown."""
        return fault.value if self._settings.scrub == "none" else None

    def _observed(self, value: dict[str, Any] | bytes) -> families.Found:
        if isinstance(value, bytes):
            return families.signals(otlp.from_protobuf(value))
        if self._family is None:
            self._family = families.of(value)
            if self._family is None:
                keys = ", ".join(safe(key, 30) for key in list(value)[:8])
                raise MalformedError("is of no known format", "", None, f"keys: {keys}")
        elif not self._family.fits(value):
            other = families.of(value)
            hint = f"it looks like {other.title}; import that log by itself" if other else ""
            raise MalformedError(f"is not {self._family.title}, like the records before it", "", None, hint)
        return self._family.read(value)

    def _inside(self, found: Observation) -> bool:
        if found.kind != "llm":
            return True
        at = found.start
        inside = at is not None and (self._since or 0) <= at and (self._until is None or at < self._until)
        self._at = self._at._replace(late=self._at.late + (not inside))
        return inside

    def _labels(self, found: Observation) -> Raw:
        """Strata and metadata by the mapping, from a record's own keys or a span's attributes."""
        labels: Raw = {}
        for key, path in self._settings.fields.items():
            head, _, rest = key.partition(".")
            value = pick(found.attributes, path) if found.attributes else MISSING
            if value is MISSING or value is None or value == "":
                continue
            if rest and head == "metadata":
                labels.setdefault(head, {})[rest] = value
            elif rest and isinstance(value, str | int | float):
                labels.setdefault(head, {})[rest] = str(value).lower() if isinstance(value, bool) else str(value)
            elif key == "session_id" and not found.session_id:
                found.session_id = str(value)
        return labels

    # ---------------------------------------------------------------------------------------------- writing

    def _write(self, scrub: Scrub, review: Review | None) -> Report:
        at = self._at
        told = {k: v for k, v in vars(self._settings).items() if v is not None}
        report = Report(self._pool.name, "seatrial.pool/1", [p.name for p in self._paths], told)
        report.records, report.outside, report.duplicates = at.records, at.late, at.seen - self._spool.count()
        report.requests = self._spool.count("llm")
        report.bad = at.bad
        problems = self._spool.problems()

        def fill(out: IO[bytes]) -> None:
            for case in self._cases(scrub, report, problems):
                out.write(canonical(case).encode("ascii") + b"\n")
                report.cases += 1
                if report.cases % BATCH == 0:
                    self._tell("writing", report.cases)
            if report.bad > self._settings.skip_bad:
                raise refused(report.bad, self._settings.skip_bad, problems, "")
            if not report.cases:
                raise DatasetError("The logs hold no request with its messages.", hint=self._why_none(report))
            report.problems = [str(problem) for problem in problems]
            if review is not None:
                found = review.plain()
                report.scrubbed = {kind: told["replaced"] for kind, told in found["kinds"].items()}
                report.review = found["review"]

        write_whole(self._pool, fill, "The pool")
        text = canonical(report.plain()).encode("ascii") + b"\n"
        beside = self._pool.with_name(f"{self._pool.name}.report.json")
        write_whole(beside, lambda out: out.write(text), "The report")
        return report

    def _why_none(self, report: Report) -> str:
        if report.without_content:
            return "spans are there without messages: switch on the capture of content in the instrumentation"
        if report.outside:
            return "all of them are outside --since and --until"
        return "is it the right --format? see the table of formats in the documentation of import"

    def _cases(self, scrub: Scrub, report: Report, problems: list[Problem]) -> Iterator[Raw]:
        for entries in self._spool.groups():
            report.sessions += 1
            name = self._spool.session(entries)
            held = turns.Group(entries, self._spool.payload, name, strip=self._settings.system == "strip")
            chosen = turns.turns(held.entries, self._step)
            report.without_content += not chosen
            for turn in chosen:
                fields = held.fields(turn)
                if fields is None:
                    report.without_content += 1
                    continue
                case = self._case(fields, turn, problems, report)
                clean = self._clean(case, turn.entry, scrub, report, problems) if case is not None else None
                if clean is not None:
                    yield clean

    def _clean(self, case: Raw, entry: Entry, scrub: Scrub, report: Report, problems: list[Problem]) -> Raw | None:
        clean, refused = scrub(case, entry.number)
        if clean is None:
            self._bad_case(Problem(f"was refused by scrubbing: {refused}", *self._place(entry)), problems, report)
            return None
        return clean

    def _place(self, entry: Entry) -> tuple[str, int]:
        return str(self._paths[entry.file]), entry.number

    def _bad_case(self, problem: Problem, problems: list[Problem], report: Report) -> None:
        report.bad += 1
        if len(problems) < self._settings.skip_bad + SHOWN_BAD:
            problems.append(problem)

    def _case(self, fields: Raw, turn: turns.Turn, problems: list[Problem], report: Report) -> Raw | None:
        """The plain values of the case at a turn; none where it breaks a rule of cases, which is noted."""
        entry = turn.entry
        name = entry.key.hex()[:24] + (f"-{turn.position}" if entry.turns > 1 or turn.position else "")
        fields["id"], fields["source"] = name, self._names[entry.file]
        try:
            return turns.usual(fields) or Case.model_validate(fields).recorded
        except ValidationError as error:
            fault = translate(error, Case, fields)[0]
            problem = Problem(fault.rule, *self._place(entry), dotted(fault.path), hint=fault.hint)
        except RecursionError:
            problem = Problem("is nested too deep", *self._place(entry))
        self._bad_case(problem, problems, report)
        return None
