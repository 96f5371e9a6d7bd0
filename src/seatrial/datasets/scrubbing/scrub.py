"""The scrubber: personal data and secrets of a case replaced, or the case refused.

    scrubber = Scrubber(preset("basic"), key)
    clean = scrubber.case(case)        # clean.case, or None with clean.refused saying why

What comes out depends on the key, the policy and the record alone, so records may be scrubbed in any order, by any
number of processes, and again after a kill. A record is replaced until nothing that is looked for is left but
surrogates, which are known without a key: that is why scrubbing twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from seatrial.core.case import Case
from seatrial.core.record import as_dict, as_list
from seatrial.datasets.scrubbing import names, surrogates
from seatrial.datasets.scrubbing.looking import FIXED, Looker
from seatrial.datasets.scrubbing.policy import Policy
from seatrial.datasets.scrubbing.walk import Place, RefusedError, maybe_json, rewritten, texts
from seatrial.scorers.safety._detecting import without_overlap
from seatrial.scorers.safety.personal import Found

ROUNDS = 8
"""A record that is not settled after so many rounds of replacing is refused."""

TIMES = ("created_at", "published_at")
LINKS = ("id", "seed_id", "parent_id", "trace_id", "span_id", "session_id")
"""Fields by which records name each other: their surrogates are the same in the whole set."""

_HEX = re.compile(r"[0-9a-fA-F-]{16,36}")
_BLOBS = frozenset(("image", "audio", "file"))


class Finding(NamedTuple):
    """One thing that was found. It holds nothing real: what stands now, and the shape of what stands around it."""

    kind: str
    path: str
    confidence: float
    surrogate: str
    context: str
    replaced: bool = True


class Scrubbed(NamedTuple):
    """What came of a record. `case` is None where it was refused, and `refused` then says why in one short code."""

    case: Case | None
    findings: tuple[Finding, ...] = ()
    refused: str = ""


class ScrubbedRecord(NamedTuple):
    """The same for a case's plain fields, with `pairs` of (kind, real, surrogate) where they were asked for."""

    record: dict[str, Any] | None
    findings: tuple[Finding, ...] = ()
    refused: str = ""
    pairs: tuple[tuple[str, str, str], ...] = ()


class Scrubber:
    """Replaces what a policy looks for, under a key of at least 16 bytes. Raises ValueError for a shorter one.

    `pairs` keeps what stood where; only whoever writes the encrypted mapping asks for it.
    """

    def __init__(self, policy: Policy, key: bytes, *, pairs: bool = False) -> None:
        if policy.policy != "none" and len(key) < 16:
            raise ValueError("a scrubbing key has at least 16 bytes")
        self.policy = policy
        self._key = key
        self._pairs = pairs
        self._looker = Looker(policy)

    def case(self, case: Case) -> Scrubbed:
        """A case without personal data. Never raises: whatever goes wrong refuses the case."""
        try:
            plain = case.recorded
        except Exception as fault:  # noqa: BLE001  # fail closed
            return Scrubbed(None, (), f"fault:{type(fault).__name__}")
        done = self.record(plain)
        if done.record is None or done.record is plain:
            return Scrubbed(case if done.record is plain else None, done.findings, done.refused)
        try:
            return Scrubbed(Case.model_validate(done.record), done.findings)
        except Exception as fault:  # noqa: BLE001  # fail closed; the message would hold values
            return Scrubbed(None, (), f"fault:{type(fault).__name__}")

    def record(self, record: dict[str, Any]) -> ScrubbedRecord:
        """The plain fields of a case without personal data; the same object where there was none. Never raises."""
        if self.policy.policy == "none":
            return ScrubbedRecord(record)
        try:
            return self._record(record)
        except RefusedError as refusal:
            return ScrubbedRecord(None, (), refusal.reason)
        except Exception as fault:  # noqa: BLE001  # fail closed; the message might hold values
            return ScrubbedRecord(None, (), f"fault:{type(fault).__name__}")

    def text(self, text: str, session: str = "") -> tuple[str, tuple[Finding, ...]]:
        """A text without personal data. Raises RefusedError where that cannot be made sure."""
        if self.policy.policy == "none":
            return text, ()
        try:
            work = _Work(self.policy, self._looker, self._key, session)
            return work.settled(text), tuple(work.findings)
        except RefusedError:
            raise
        except Exception as fault:  # noqa: BLE001  # fail closed; the message might hold values
            raise RefusedError(f"fault:{type(fault).__name__}") from None

    def _record(self, record: dict[str, Any]) -> ScrubbedRecord:
        work = _Work(self.policy, self._looker, self._key, _session(record))
        links = {name: record[name] for name in LINKS if record.get(name)}
        times = {name: self._time(name, record[name]) for name in TIMES if name in record}
        body: dict[str, Any] = {n: value for n, value in record.items() if n not in links and n not in times}
        if "input" in body:
            body["input"] = self._messages(body["input"])
        new = work.settled(body)
        ids = _Work(self.policy, self._looker, self._key, "", known=work.seen)
        named = {n: v if isinstance(v, str) and _HEX.fullmatch(v) else ids.settled(v) for n, v in links.items()}
        if new.keys() != body.keys():
            raise RefusedError("unknown_field")
        new = {**new, **named, **times}
        same = all(new[name] is value for name, value in record.items())
        pairs = tuple(sorted(work.pairs | ids.pairs)) if self._pairs else ()
        return ScrubbedRecord(
            record if same else {n: new[n] for n in record}, (*work.findings, *ids.findings), "", pairs
        )

    def _time(self, name: str, value: Any) -> Any:
        """A case's own date: as it is, or the first day of its year. Raises RefusedError for what is no date."""
        if value is None:
            return value
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise RefusedError("no_date") from None
        short = f"{moment.year:04d}-01-01"
        return short if self.policy.times == "year" and name == "created_at" and value != short else value

    def _messages(self, value: Any) -> Any:
        """Messages whose parts are all known; blobs are kept, dropped or refuse the record."""
        messages = as_list(value)
        if messages is None:
            return value
        new = [self._message(message) for message in messages]
        return value if all(a is b for a, b in zip(new, messages, strict=True)) else new

    def _message(self, message: Any) -> Any:
        given = as_dict(message) or {}
        parts = as_list(given.get("content"))
        if parts is None:
            return message
        new = [self._part(part) for part in parts]
        return message if all(a is b for a, b in zip(new, parts, strict=True)) else {**given, "content": new}

    def _part(self, part: Any) -> Any:
        kind = (as_dict(part) or {}).get("type")
        if kind == "text":
            return part
        if kind not in _BLOBS:
            raise RefusedError("unknown_part")
        if self.policy.blobs == "refuse":
            raise RefusedError("blob")
        return part if self.policy.blobs == "keep" else {"type": "text", "text": f"[{kind} removed]"}


def _session(record: Mapping[str, Any]) -> str:
    """What keeps surrogates together: the session, else the trace, else the case alone."""
    for name in ("session_id", "trace_id", "seed_id", "id"):
        if isinstance(record.get(name), str) and record[name]:
            return f"{name}:{record[name]}"
    return ""


class _Work:
    """The scrubbing of one record: what was found in it, and what stands for it."""

    def __init__(
        self, policy: Policy, looker: Looker, key: bytes, session: str, known: Mapping[str, str] | None = None
    ) -> None:
        self._policy = policy
        self._looker = looker
        self._key = key
        self._session = session if policy.scope == "session" else ""
        self._unsure = False
        self.seen: dict[str, str] = dict(known or {})
        self._everywhere = _spelled(self.seen)
        self.findings: list[Finding] = []
        self.pairs: set[tuple[str, str, str]] = set()

    @cached_property
    def _maker(self) -> surrogates.Maker:
        return surrogates.Maker(self._key, self._session)

    def settled(self, value: Any) -> Any:
        """The value, replaced round by round until only surrogates are found."""
        read = suspects = texts(value)
        for _ in range(ROUNDS):
            fresh = self._collected(suspects)
            if fresh:
                self.seen.update(fresh)
                self._everywhere = _spelled(self.seen)
                suspects = read
            found = {place for place in suspects if self._actionable(*place)}
            if not found:
                break
            new, read, suspects = self._replaced(value, found)
            if new is value:
                break
            value = new
        else:
            raise RefusedError("not_settled")
        if self._unsure:
            rewritten(value, self._review)
        return value

    def _collected(self, suspects: list[Place]) -> dict[str, str]:
        """Real values by text, with their kinds; the words of names too."""
        fresh: dict[str, str] = {}
        for text, key in suspects:
            for item in self._looker.found(text, key):
                if item.confidence < self._policy.replace_from:
                    self._unsure = True
                    continue
                fresh[item.text] = item.kind
                if item.kind == "person_name" and item.confidence >= 0.6:
                    self._maker.meet(item.text)
                    fresh.update(dict.fromkeys(_telling(item.text), "person_name"))
        return fresh

    def _replaced(self, value: Any, found: set[Place]) -> tuple[Any, list[Place], list[Place]]:
        """The value without what was found; then all its texts, and those of them that are new."""
        read: list[Place] = []
        made: list[Place] = []
        plain = True

        def visit(text: str, key: str, path: str) -> str:
            nonlocal plain
            if (text, key) not in found:
                read.append((text, key))
                return text
            new = self._replace(text, key, path)
            plain = plain and not path.endswith("{key}") and not maybe_json(new)
            made.append((new, key))
            read.append((new, key))
            return new

        new = rewritten(value, visit)
        if plain:
            return new, read, made
        read = texts(new)
        return new, read, read

    def _actionable(self, text: str, key: str) -> list[Found]:
        """What is to be replaced in a text: what was found there, and what was found elsewhere in the record."""
        found = [item for item in self._looker.found(text, key) if item.confidence >= self._policy.replace_from]
        known = [value for value in self._everywhere if value in text]
        if not known or key in FIXED:
            return found
        again = [
            Found(self.seen[v], *span, v, 0.6)
            for v in known
            if v not in self._policy.allow
            for span in _occurrences(text, v)
        ]
        return without_overlap(found + again) if again else found

    def _replace(self, text: str, key: str, path: str) -> str:
        found = self._actionable(text, key)
        if not found:
            return text
        out: list[str] = []
        at = 0
        for item in found:
            made = self._maker.make(item.kind, item.text)
            self.pairs.add((item.kind, item.text, made))
            self.findings.append(Finding(item.kind, _place(path), item.confidence, made, _around(text, item)))
            out += (text[at : item.start], made)
            at = item.end
        return "".join((*out, text[at:]))

    def _review(self, text: str, key: str, path: str) -> str:
        """Lists what was found but is not sure enough to be replaced; by now that is all there is."""
        for item in self._looker.found(text, key):
            self.findings.append(
                Finding(item.kind, _place(path), item.confidence, "", _around(text, item), replaced=False)
            )
        return text


_COMMON_TEXT = """
    will mark may grace brown white green black young king rose hope art bill rich long short good best love day summer
    winter april june august august page price west north south east church wood stone field hill lake rivers park banks
    frank chase drew grant pat rob sue dean major earl duke prince bishop baker cook hunter miller smith carter the and
    please thank thanks dear hello order customer klein gross lang kurz schwarz weiß sommer winter rosa dolores cruz
    """
_COMMON = frozenset(_COMMON_TEXT.split())
"""Words that are names, too: they are replaced where they stand as a name, not wherever they stand."""


def _telling(name: str) -> list[str]:
    """The words of a name that are looked for in the whole record."""
    found = names.pieces(name)
    if len(found) < 2:
        return [w for w in found if len(w) > 3 and w.lower() not in _COMMON]
    return [w for w in found if len(w) > 2 and w.lower() not in _COMMON and not names.is_invented(w)]


def _spelled(values: Mapping[str, str]) -> tuple[str, ...]:
    """The real values that are looked for wherever they stand, the longest first."""
    wanted = [v for v, kind in values.items() if len(v) > 2 and kind not in ("zip", "age")]
    return tuple(sorted(wanted, key=lambda v: (-len(v), v)))


def _occurrences(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Where a value stands as words of its own."""
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum():
            yield at, end
        at = text.find(value, end)


_PLACE = re.compile(r"[a-z_]+(?:\[\d+\])?")


def _place(path: str) -> str:
    """The field and position a path starts with; keys further in are users' own words and are not told."""
    match = _PLACE.match(path)
    return match[0] if match else ""


_HIDE = re.compile(r"\w")
_REACH = 16


def _around(text: str, item: Found) -> str:
    """The shape of what stands around a finding: every letter and digit hidden."""
    before = _HIDE.sub("•", text[max(0, item.start - _REACH) : item.start])
    after = _HIDE.sub("•", text[item.end : item.end + _REACH])
    return f"{before}▮{after}"
