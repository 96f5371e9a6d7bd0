"""The decision record: one canonical file that holds what was decided, by what, on what, until when.

Its text is canonical JSON, so equal content is equal bytes. `digest` covers all other fields, `sections` holds the
digest of each part, so that an alteration is located even where nothing can be recomputed. It holds no secret, and no
text of a case or a model unless that was asked for. Pure but for `valid_records`, which reads a folder.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from seatrial.core.identity import canonical, digest, loads
from seatrial.core.record import Json, as_dict, as_list, too_deep
from seatrial.core.suite import Suite
from seatrial.errors import RecordError, safe
from seatrial.verdicts.records import TrialReport

FORMAT = "seatrial.record/1"
MOST_BYTES = 64 * 1024 * 1024
"""A larger file is no record."""
EXPIRES_DAYS = 90
"""How long a record stands where nobody says."""
TOLERANCE = 1e-9
"""Relative: numbers closer than this are equal. Other processors and libraries round the last digits otherwise."""
UNTOLD = "(not kept in the record)"
FLIP_TEXTS = ("input", "expected", "incumbent", "candidate", "incumbent_reason", "candidate_reason")
QUOTING = ", for example: "
"""What stands in a warning before words of a scorer, which may be a model's."""
PRIVATE = ("host", "pid", "watch")
"""What of a trial's environment is nobody's business, or changes later."""
SECTIONS = ("asked", "decisions", "expires_at", "hashes", "report", "software", "trial")
NAMING = ("candidate", "name", "target", "case_id", "stratum")
ABSENT = "(absent)"
MOST_DEEP = 60


class Asked(NamedTuple):
    """How a record was asked for: which arms, whether texts are kept, and how many days it stands."""

    incumbent: str | None = None
    candidates: tuple[str, ...] = ()
    texts: bool = False
    expires_days: int = EXPIRES_DAYS

    def plain(self) -> dict[str, Json]:
        """As plain values."""
        return {**self._asdict(), "candidates": list(self.candidates)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Asked:
        """From plain values, whatever they hold: what is no such value is left at its default."""
        name, texts, days = plain.get("incumbent"), plain.get("texts"), plain.get("expires_days")
        listed = [item for item in as_list(plain.get("candidates")) or [] if isinstance(item, str)]
        sound = isinstance(days, int) and not isinstance(days, bool) and 0 < days < 100_000
        return cls(
            name if isinstance(name, str) else None,
            tuple(listed),
            texts is True,
            cast("int", days) if sound else EXPIRES_DAYS,
        )


class Difference(NamedTuple):
    """A field that is not as it should be: where, what the record says, and what it should say."""

    path: str
    recorded: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A record as it was read or made, and its text."""

    content: Mapping[str, Any]
    text: str

    @property
    def digest(self) -> str:
        """The digest that it states."""
        return str(self.content.get("digest", ""))

    @property
    def trial_id(self) -> str:
        """The trial it is about, empty where it does not say."""
        return str((as_dict(self.content.get("trial")) or {}).get("id", ""))

    @property
    def asked(self) -> Asked:
        """How it was asked for."""
        return Asked.of(as_dict(self.content.get("asked")) or {})

    @property
    def expires_at(self) -> str:
        """When it ends, an ISO 8601 time; empty where it does not say."""
        return str(self.content.get("expires_at", ""))

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """One a candidate: `candidate`, `incumbent`, their identities, `overall` and `headline`."""
        found = (as_dict(item) for item in as_list(self.content.get("decisions")) or [])
        return [item for item in found if item is not None]

    def expired(self, today: date) -> bool:
        """Whether it has ended before that day; one that names no date has."""
        try:
            return datetime.fromisoformat(self.expires_at).date() < today
        except ValueError:
            return True

    def report(self) -> TrialReport:
        """The report in it. Texts that were not kept say so. Raises RecordError where this version cannot read it."""
        plain = as_dict(self.content.get("report")) or {}
        verdicts = [_with_texts(item) for raw in as_list(plain.get("verdicts")) or [] if (item := as_dict(raw))]
        try:
            return TrialReport.model_validate({**plain, **({"verdicts": verdicts} if verdicts else {})})
        except ValidationError as cause:
            first = cause.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RecordError(
                f"The report in the record cannot be read: {safe(where)}: {safe(first['msg'])}.",
                hint=f"it was written by seatrial {safe(_version(self.content))}: read it with that version",
            ) from cause


# making ---------------------------------------------------------------------------------------------------------------


def make(
    report: TrialReport,
    asked: Asked,
    *,
    trial: Mapping[str, Json],
    hashes: Mapping[str, Json],
    software: Mapping[str, Json],
) -> DecisionRecord:
    """The record of a report.

    `trial`: id, times and what is known of where it ran; `hashes`: of all that it rests on, with each target's
    `identity` under `targets`; `software`: versions. Equal arguments give equal bytes.
    """
    targets = cast("Mapping[str, Mapping[str, Json]]", hashes.get("targets", {}))
    content: dict[str, Any] = {
        "format": FORMAT,
        "asked": asked.plain(),
        "software": software,
        "trial": {key: value for key, value in trial.items() if value not in (None, "")},
        "hashes": hashes,
        "expires_at": _expiry(str(trial.get("finished_at") or trial.get("started_at") or ""), asked.expires_days),
        "decisions": [_decision(verdict, targets) for verdict in report.verdicts],
        "report": _plain_report(report, texts=asked.texts),
    }
    return seal(content)


def seal(content: Mapping[str, Any]) -> DecisionRecord:
    """A record of this content with its digests."""
    plain: dict[str, Any] = loads(canonical({k: v for k, v in content.items() if k not in ("digest", "sections")}))
    plain["sections"] = section_digests(plain)
    plain["digest"] = digest("record", plain)
    return DecisionRecord(plain, canonical(plain) + "\n")


def section_digests(content: Mapping[str, Any]) -> dict[str, str]:
    """One digest a part of a record."""
    return {name: digest("section", content.get(name)) for name in SECTIONS}


def own_digest(content: Mapping[str, Any]) -> str:
    """The digest that a record of this content must state."""
    return digest("record", {key: value for key, value in content.items() if key != "digest"})


def _expiry(start: str, days: int) -> str:
    """So many days after the answers were given: recording an old trial again does not make it younger."""
    try:
        return (datetime.fromisoformat(start) + timedelta(days=days)).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def _decision(verdict: Any, targets: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    return {
        "candidate": verdict.candidate,
        "candidate_identity": targets.get(verdict.candidate, {}).get("identity", ""),
        "incumbent": verdict.incumbent,
        "incumbent_identity": targets.get(verdict.incumbent, {}).get("identity", ""),
        "overall": verdict.overall,
        "headline": verdict.headline,
    }


def _plain_report(report: TrialReport, *, texts: bool) -> dict[str, Any]:
    """The report's fields that are set. Without texts, flips keep their place and direction only."""
    plain = report.plain()
    environment = as_dict(plain.pop("environment", None)) or {}
    plain["environment"] = {key: value for key, value in environment.items() if key not in PRIVATE}
    if not texts:
        plain |= {"verdicts": [_without_texts(dict(verdict)) for verdict in plain.get("verdicts", ())]}
        plain |= {"rates": [_unquoted(dict(rubric)) for rubric in plain.get("rates", ())]}
    return plain


def _without_texts(verdict: dict[str, Any]) -> dict[str, Any]:
    if flips := verdict.get("flips"):
        verdict["flips"] = [{key: value for key, value in flip.items() if key not in FLIP_TEXTS} for flip in flips]
    verdict["rubrics"] = [_unquoted(dict(rubric)) for rubric in verdict.get("rubrics", ())]
    return verdict


def _unquoted(rubric: dict[str, Any]) -> dict[str, Any]:
    """A rubric whose warnings quote nobody."""
    if warnings := rubric.get("warnings"):
        rubric["warnings"] = [f"{w.partition(QUOTING)[0]}." if QUOTING in w else w for w in warnings]
    return rubric


def _with_texts(verdict: dict[str, Any]) -> dict[str, Any]:
    flips = [flip for raw in as_list(verdict.get("flips")) or [] if (flip := as_dict(raw)) is not None]
    told = [{**dict.fromkeys(FLIP_TEXTS[:4], UNTOLD), **flip} for flip in flips]
    return {**verdict, **({"flips": told} if told else {})}


# reading --------------------------------------------------------------------------------------------------------------


def read(path: Path) -> DecisionRecord:
    """A record from its file, whatever its digests say. Raises RecordError for what is no record at all."""
    name = safe(str(path), 200)
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as cause:
        why = (cause.strerror if isinstance(cause, OSError) else None) or "its name cannot be used"
        raise RecordError(f"The record {name} cannot be read: {why}.", hint="check the path") from None
    if len(raw) > MOST_BYTES:
        raise RecordError(f"{name} is larger than {MOST_BYTES >> 20} MiB: it is no decision record.")
    return parse(raw, name)


def parse(raw: bytes, name: str = "The text") -> DecisionRecord:
    """A record from its bytes. Raises RecordError that names the field where the text breaks off."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        content = as_dict(loads(raw))
    except ValueError as cause:
        at = getattr(cause, "pos", 0)
        raise RecordError(
            f"{name} is not JSON any more, at {field_at(text, at)} (character {at + 1:,}).",
            hint="take the record from where it was kept, or make it again with compare --record",
        ) from None
    if content is None or content.get("format") != FORMAT:
        found = safe(content.get("format", "nothing")) if content is not None else "no object"
        raise RecordError(
            f"{name} is no decision record of this version: format: {found} instead of {FORMAT}.",
            hint="compare --record FILE makes one",
        )
    if too_deep(content, MOST_DEEP):
        raise RecordError(f"{name} is nested too deep for a decision record.")
    return DecisionRecord(content, text)


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def field_at(text: str, offset: int) -> str:
    """The path of the field that stands at a place of a JSON text, as far as the text before it says."""
    stack: list[str | int] = []
    last, key_next = "", False
    for token in _TOKEN.finditer(text, 0, max(0, offset)):
        said = token[0]
        if said in "{[":
            stack.append("" if said == "{" else 0)
            key_next = said == "{"
        elif said in "}]":
            if stack:
                stack.pop()
        elif said == ",":
            if stack and isinstance(stack[-1], int):
                stack[-1] += 1
            else:
                key_next = True
        elif said == ":":
            if stack and isinstance(stack[-1], str):
                stack[-1] = last
            key_next = False
        elif key_next:
            last = said[1:-1] if said.startswith('"') else said
    named = [str(part) for part in stack if part != ""]
    return safe(".".join(named), 200) or "its start"


# checking -------------------------------------------------------------------------------------------------------------


def alterations(record: DecisionRecord) -> list[Difference]:
    """What says by itself that the text was altered after it was written; nothing for one that is whole."""
    content = record.content
    found: list[Difference] = []
    own = own_digest(content)
    stated = as_dict(content.get("sections")) or {}
    for name, is_now in section_digests(content).items():
        if stated.get(name) != is_now:
            found.append(Difference(name, shown(stated.get(name, ABSENT)), is_now))
    extra = sorted(content.keys() - {*SECTIONS, "digest", "format", "sections"})
    found += [Difference(safe(name), shown(content[name]), ABSENT) for name in extra]
    if record.digest != own:
        found.append(Difference("digest", shown(record.digest), own))
    proper = canonical(content) + "\n"
    if not found and record.text != proper:
        at = next((i for i, (a, b) in enumerate(zip(record.text, proper, strict=False)) if a != b), len(proper))
        found.append(Difference(field_at(record.text, at), "not written as records are", "canonical JSON"))
    return found


def compare(recorded: Any, recomputed: Any, path: str = "") -> Iterator[Difference]:
    """Every leaf that differs, numbers by more than `TOLERANCE`. Items of lists are named where they have names."""
    old, new = as_dict(recorded), as_dict(recomputed)
    if old is not None and new is not None:
        for key in sorted({*old, *new}):
            where = f"{path}.{safe(key)}" if path else safe(key)
            yield from compare(old.get(key, ABSENT), new.get(key, ABSENT), where)
        return
    first, second = as_list(recorded), as_list(recomputed)
    if first is not None and second is not None:
        for at in range(max(len(first), len(second))):
            pair = [side[at] if at < len(side) else ABSENT for side in (first, second)]
            yield from compare(pair[0], pair[1], f"{path}[{_label(pair, at)}]")
        return
    if not _same(recorded, recomputed):
        yield Difference(path, shown(recorded), shown(recomputed))


def _label(pair: Sequence[Any], at: int) -> str:
    """An item's name, where it has one, else its place."""
    items = [found for side in pair if (found := as_dict(side)) is not None][:1]
    return next((safe(name) for item in items for key in NAMING if isinstance(name := item.get(key), str)), str(at))


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool) or isinstance(old, str) or isinstance(new, str):
        return type(old) is type(new) and old == new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old == new or math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=1e-15)
    return type(old) is type(new) and old == new


def shown(value: Any) -> str:
    """A value for people, bounded."""
    return safe(value if isinstance(value, str) else canonical(value), 120)


def _version(content: Mapping[str, Any]) -> str:
    return str((as_dict(content.get("software")) or {}).get("seatrial", "of unknown version"))


# a folder of records --------------------------------------------------------------------------------------------------


class Rules(NamedTuple):
    """What a record must have been judged by, as its `hashes` say it: rubrics and scorers by name, policy, dataset."""

    rubrics: Mapping[str, str]
    scorers: Mapping[str, str]
    policy: str
    dataset: str


class Standing(NamedTuple):
    """The records that clear a target today, why others that name it do not, a sentence each, and those of others."""

    valid: tuple[Path, ...]
    refused: tuple[str, ...]
    others: tuple[Path, ...] = ()


def rubric_digests(suite: Suite) -> dict[str, str]:
    """What each rubric of a suite asks for, by its name: scorer, kind, margin or limit, and which cases."""
    return {rubric.name: digest("rubric", rubric.plain()) for rubric in suite.rubrics}


def valid_records(folder: Path, target_identity: str, today: date, rules: Rules | None = None) -> Standing:
    """Which records in a folder (`*.json`, not below it) ship exactly this target and have not ended.

    `target_identity` is what `runs.runner.target_identity` gives. `rules`: by what it must have been judged; anything
    where None. Only a record's own digests are checked: whether it can be recomputed is for `verify` to say. Raises
    nothing for what is no record: such a file is passed over.
    """
    valid: list[Path] = []
    others: list[Path] = []
    refused: list[str] = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            record = read(path)
        except RecordError:
            continue
        about = [found for found in record.decisions if found.get("candidate_identity") == target_identity]
        if not target_identity or not about:
            others.append(path)
            continue
        why = [*_refusals(record, about, today), *(_other_rules(record, rules) if rules is not None else ())]
        refused += [f"{safe(path.name, 200)} {reason}" for reason in why]
        valid += [] if why else [path]
    return Standing(tuple(valid), tuple(refused), tuple(others))


def _refusals(record: DecisionRecord, about: Iterable[Mapping[str, Any]], today: date) -> Iterator[str]:
    if altered := alterations(record):
        yield f"was altered after it was written ({altered[0].path})."
    if not all(found.get("overall") == "ship" for found in about):
        yield f"does not ship it: {', '.join(safe(found.get('overall', '')) for found in about)}."
    if any(found.get("incumbent_identity") == found.get("candidate_identity") for found in about):
        yield "compares the target with itself."
    if record.expired(today):
        yield f"ended on {safe(record.expires_at[:10] or 'no date')}."


def _other_rules(record: DecisionRecord, rules: Rules) -> Iterator[str]:
    """By what else than the rules it was judged."""
    hashes = as_dict(record.content.get("hashes")) or {}
    rubrics, scorers = (as_dict(hashes.get(key)) or {} for key in ("rubrics", "scorers"))
    names = {*rules.rubrics, *rubrics}
    same = {name for name in names if rubrics.get(name) == rules.rubrics.get(name)}
    if names - same:
        yield f"was judged by other rubrics ({', '.join(safe(name) for name in sorted(names - same)[:5])})."
    if told := sorted(name for name in same if scorers.get(name) != rules.scorers.get(name)):
        yield f"was judged by other scorers ({', '.join(map(safe, told[:5]))})."
    if hashes.get("policy") != rules.policy:
        yield "was judged by another policy."
    if hashes.get("dataset") != rules.dataset:
        yield "is of another dataset, or of another state of it."
