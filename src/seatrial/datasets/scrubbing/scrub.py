"""The scrubber: personal data and secrets of a case replaced, or the case refused.

    scrubber = Scrubber(preset("basic"), key)
    clean = scrubber.case(case)        # clean.case, or None with clean.refused saying why

What comes out depends on the key, the policy and the record alone, so records may be scrubbed in any order, by any
number of processes, and again after a kill. A record is replaced until nothing that is looked for is left but
surrogates, which are known without a key: that is why scrubbing twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from operator import is_
from typing import Any, NamedTuple

from seatrial.core.case import Case
from seatrial.core.record import as_dict, as_list
from seatrial.datasets.scrubbing import names, surrogates
from seatrial.datasets.scrubbing.ids import is_quiet
from seatrial.datasets.scrubbing.looking import FIXED, Findings, Looker
from seatrial.datasets.scrubbing.policy import Policy
from seatrial.datasets.scrubbing.walk import Place, RefusedError, maybe_json, replaced, rewritten, texts
from seatrial.scorers.safety._detecting import without_overlap
from seatrial.scorers.safety.personal import Found

ROUNDS = 8
"""A record that is not settled after so many rounds of replacing is refused."""

SURE = 0.6
"""A name found so surely is looked for in the whole record, and what is looked for so counts as found so surely."""

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
        return _as_case(done)

    def valid(self, plain: dict[str, Any]) -> ScrubbedRecord:
        """What `case` gives, from and as the plain fields of a valid case. Never raises."""
        done = self.record(plain)
        if done.record is None or _still_valid(plain, done.record):
            return done
        checked = _as_case(done)
        record = checked.case.recorded if checked.case is not None else None
        return ScrubbedRecord(record, checked.findings, checked.refused, done.pairs)

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
        body = {**record}
        for name in (*links, *times):
            del body[name]
        if "input" in body:
            body["input"] = self._messages(body["input"])
        new = work.settled(body)
        named, ids = self._named(links, work)
        if new.keys() != body.keys():
            raise RefusedError("unknown_field")
        changed = {n: v for part in (new, named, times) for n, v in part.items() if v is not record[n]}
        findings = (*work.findings, *ids.findings) if ids else tuple(work.findings)
        pairs = tuple(sorted(work.pairs | ids.pairs if ids else work.pairs)) if self._pairs else ()
        return ScrubbedRecord({**record, **changed} if changed else record, findings, "", pairs)

    def _named(self, links: dict[str, Any], work: _Work) -> tuple[dict[str, Any], _Work | None]:
        """The ids by which records name each other, scrubbed, and the work on those that hold anything."""
        named, ids = links, None
        for name, value in links.items():
            if (ids or work).is_clear(value):
                continue
            ids = ids or _Work(self.policy, self._looker, self._key, "", known=work)
            named = {**named, name: ids.settled(value)}
        return named, ids

    def _time(self, name: str, value: Any) -> Any:
        """A case's own date: as it is, or the first day of its year. Raises RefusedError for what is no date."""
        if value is None:
            return value
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise RefusedError("no_date") from None
        if self.policy.times != "year" or name != "created_at":
            return value
        short = f"{moment.year:04d}-01-01"
        return short if value != short else value

    def _messages(self, value: Any) -> Any:
        """Messages whose parts are all known; blobs are kept, dropped or refuse the record."""
        messages = as_list(value)
        if messages is None:
            return value
        new = [self._message(message) for message in messages]
        return value if all(map(is_, new, messages)) else new

    def _message(self, message: Any) -> Any:
        given = as_dict(message) or {}
        parts = as_list(given.get("content"))
        if parts is None:
            return message
        new = [self._part(part) for part in parts]
        return message if all(map(is_, new, parts)) else {**given, "content": new}

    def _part(self, part: Any) -> Any:
        kind = (as_dict(part) or {}).get("type")
        if kind == "text":
            return part
        if kind not in _BLOBS:
            raise RefusedError("unknown_part")
        if self.policy.blobs == "refuse":
            raise RefusedError("blob")
        return part if self.policy.blobs == "keep" else {"type": "text", "text": f"[{kind} removed]"}


def _as_case(done: ScrubbedRecord) -> Scrubbed:
    try:
        return Scrubbed(Case.model_validate(done.record), done.findings)
    except Exception as fault:  # noqa: BLE001  # fail closed; the message would hold values
        return Scrubbed(None, (), f"fault:{type(fault).__name__}")


_FREE = frozenset((*LINKS, "source", "licence", "metadata"))
"""Fields of a case that may hold any text."""


def _still_valid(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a valid case surely is one still: what was replaced in it may be any text. False says nothing."""
    return all(
        value is before[name] or (name in _FREE and bool(value)) or (name == "input" and _is_chat(value))
        for name, value in after.items()
    )


def _is_chat(messages: Any) -> bool:
    """Whether messages hold a role and a text each, nothing else."""
    return all(m.keys() == _CHAT and isinstance(m["content"], str) and m["content"] for m in messages)


_CHAT = {"role", "content"}


def _session(record: Mapping[str, Any]) -> str:
    """What keeps surrogates together: the session, else the trace, else the case alone."""
    for name in ("session_id", "trace_id", "seed_id", "id"):
        if isinstance(record.get(name), str) and record[name]:
            return f"{name}:{record[name]}"
    return ""


class _Work:
    """The scrubbing of one record: what was found in it, and what stands for it."""

    def __init__(self, policy: Policy, looker: Looker, key: bytes, session: str, known: _Work | None = None) -> None:
        self._policy = policy
        self._looker = looker
        self._key = key
        self._session = session if policy.scope == "session" else ""
        self._unsure = False
        self.seen: dict[str, str] = dict(known.seen) if known else {}
        self.everywhere: tuple[str, ...] = known.everywhere if known else ()
        self.findings: list[Finding] = []
        self.pairs: set[tuple[str, str, str]] = set()

    @cached_property
    def _maker(self) -> surrogates.Maker:
        return surrogates.Maker(self._key, self._session)

    def is_clear(self, value: Any) -> bool:
        """Whether a value is a plain text with nothing to replace or review in it: then it is settled."""
        if not isinstance(value, str):
            return False
        if _HEX.fullmatch(value):
            return True
        if not is_quiet(value, self._policy) and (maybe_json(value) or self._looker.found(value, "")):
            return False
        return not self.everywhere or not any(known in value for known in self.everywhere)

    def settled(self, value: Any) -> Any:
        """The value, replaced round by round until only surrogates are found."""
        suspects, whole = texts(value), True
        for _ in range(ROUNDS):
            hits = self._looker.hits(suspects)
            if not (hits or self.everywhere):
                break
            if self._collected(hits) and not whole:
                suspects, whole = texts(value), True  # what is new may stand elsewhere, too
                hits = self._looker.hits(suspects)
            found = self._actionable(suspects, hits)
            if not found:
                break
            new, made = self._replaced(value, found)
            if new is value:
                break
            value, whole = new, made is None
            suspects = texts(value) if made is None else made
        else:
            raise RefusedError("not_settled")
        if self._unsure:
            rewritten(value, self._review)
        return value

    def _collected(self, hits: list[tuple[Place, Findings]]) -> bool:
        """Note the real values found, with their kinds, and the words of names; whether there were any."""
        fresh: dict[str, str] = {}
        for _, items in hits:
            for item in items:
                if item.confidence < self._policy.replace_from:
                    self._unsure = True
                    continue
                fresh[item.text] = item.kind
                if item.kind == "person_name" and item.confidence >= SURE:
                    self._maker.meet(item.text)
                    fresh.update(dict.fromkeys(_telling(item.text), "person_name"))
        if fresh:
            self.seen.update(fresh)
            self.everywhere = _spelled(self.seen, self._policy)
        return bool(fresh)

    def _replaced(self, value: Any, found: Mapping[Place, list[Found]]) -> tuple[Any, list[Place] | None]:
        """The value without what was found, and its texts that are new; None where they are to be read anew."""
        made: list[Place] = []
        plain = True

        def visit(text: str, key: str, path: str) -> str:
            nonlocal plain
            items = found.get((text, key))
            if items is None:
                return text
            new = self._replace(text, items, path)
            plain = plain and not path.endswith("{key}") and not maybe_json(new)
            made.append((new, key))
            return new

        new = replaced(value, found, visit)
        return new, made if plain else None

    def _actionable(self, suspects: Iterable[Place], hits: list[tuple[Place, Findings]]) -> dict[Place, list[Found]]:
        """What is to be replaced, by place: what was found there, and what was found elsewhere in the record."""
        sure: dict[Place, list[Found]] = {}
        for place, items in hits:
            sure[place] = [item for item in items if item.confidence >= self._policy.replace_from]
        known: dict[Place, list[str]] = {}
        for value in self.everywhere:
            for place in {place for place in suspects if value in place[0] and place[1] not in FIXED}:
                known.setdefault(place, []).append(value)
        for place, values in known.items():
            sure[place] = self._with_known(place[0], values, sure.get(place, []))
        return {place: items for place, items in sure.items() if items}

    def _with_known(self, text: str, known: list[str], found: list[Found]) -> list[Found]:
        """What was found in a text and, where nothing surer stands, what is known from elsewhere."""
        taken = [(item.start, item.end) for item in found if item.confidence > SURE]
        again = [
            Found(self.seen[v], start, end, v, SURE)
            for v in known
            for start, end in _occurrences(text, v)
            if all(end <= left or right <= start for left, right in taken)
        ]
        return without_overlap(found + again) if again else found

    def _replace(self, text: str, found: list[Found], path: str) -> str:
        out: list[str] = []
        at, place = 0, _place(path)
        for item in found:
            made = self._maker.make(item.kind, item.text)
            self.pairs.add((item.kind, item.text, made))
            self.findings.append(Finding(item.kind, place, item.confidence, made, _around(text, item)))
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


def _spelled(values: Mapping[str, str], policy: Policy) -> tuple[str, ...]:
    """The real values that are looked for wherever they stand, the longest first."""
    allow = policy.allowed
    wanted = [v for v, kind in values.items() if len(v) > 2 and kind not in ("zip", "age") and v not in allow]
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
_HIDDEN = {code: "•" for code in range(128) if _HIDE.match(chr(code))}
_REACH = 16


def _around(text: str, item: Found) -> str:
    """The shape of what stands around a finding: every letter and digit hidden."""
    before = _hidden(text[max(0, item.start - _REACH) : item.start])
    after = _hidden(text[item.end : item.end + _REACH])
    return f"{before}▮{after}"


def _hidden(text: str) -> str:
    return text.translate(_HIDDEN) if text.isascii() else _HIDE.sub("•", text)
