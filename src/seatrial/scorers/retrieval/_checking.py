"""Whether a claim is borne out by a source: compared word by word, fact by fact, clause by clause, never understood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from seatrial.scorers.retrieval._facts import Fact, flat, relation
from seatrial.scorers.retrieval._reading import Reading, Unit, clause_of, stem

Verdict = Literal["supported", "contradicted", "unsupported", "not decided"]
CANDIDATES = 8
_NONE: frozenset[str] = frozenset()


class Finding(NamedTuple):
    """A verdict on a claim: the document (its number) and the span in it that it rests on, and why."""

    verdict: Verdict
    why: str
    source: int = -1
    start: int = 0
    end: int = 0
    strength: float = 0.0


class Claim(NamedTuple):
    """A statement of an answer. `asked`: keys of the question, which tell what a fragment like "$20" is about."""

    unit: Unit
    asked: frozenset[str] = frozenset()
    asked_names: frozenset[str] = frozenset()
    fragment: bool = False
    quotes: tuple[str, ...] = ()


class Sources:
    """Documents to check claims against, indexed by the words of their units."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.readings = tuple(readings)
        self.units = [(i, unit) for i, reading in enumerate(self.readings) for unit in reading.units]

    @property
    def language(self) -> str:
        """The language that the documents were read in."""
        return self.readings[0].language if self.readings else "en"

    @cached_property
    def index(self) -> dict[str, list[int]]:
        """By key: the numbers of the units that hold it."""
        found: dict[str, list[int]] = {}
        for number, (_, unit) in enumerate(self.units):
            for key in unit.keys | unit.above | unit.subject:
                found.setdefault(key, []).append(number)
            for kind in {f"kind:{f.kind}:{f.unit}" for f in unit.facts}:
                found.setdefault(kind, []).append(number)
        return found

    @cached_property
    def texts(self) -> list[str]:
        """Each document as quotations are compared."""
        return [flat(reading.text) for reading in self.readings]

    def candidates(self, claim: Claim) -> list[int]:
        """The units that share most with a claim, best first; rare words count for more."""
        scores: dict[int, float] = {}
        unit = claim.unit
        weights = dict.fromkeys(unit.keys, 1.0) | dict.fromkeys(unit.above | unit.subject, 0.5)
        if claim.fragment:
            weights |= {key: 1.0 for key in claim.asked if key not in weights}
        else:
            weights |= {key: 0.25 for key in claim.asked if key not in weights}
        weights |= {f"kind:{f.kind}:{f.unit}": 0.5 for f in unit.facts}
        for key, weight in weights.items():
            hits = self.index.get(key, ())
            for number in hits:
                scores[number] = scores.get(number, 0.0) + weight / (1 + len(hits) ** 0.5)
        return sorted(scores, key=lambda n: (-scores[n], n))[:CANDIDATES]


def check(claim: Claim, sources: Sources) -> Finding:
    """What the sources say to a claim: the best support, else the plainest contradiction, else not decided."""
    misquoted = _quotation(claim, sources)
    if misquoted is not None:
        return misquoted
    numbers = sources.candidates(claim)
    found = [_compare(claim, number, sources) for number in numbers]
    if claim.fragment and not any(f.verdict in ("supported", "contradicted") for f in found):
        return _for_fragment([_compare(claim, number, sources, fragment=True) for number in numbers])
    for verdict in ("supported", "contradicted", "not decided"):
        best = max((f for f in found if f.verdict == verdict), key=lambda f: f.strength, default=None)
        if best is not None:
            rival = max((f for f in found if f.verdict == "contradicted"), key=lambda f: f.strength, default=None)
            if verdict == "supported" and rival is not None and rival.strength > best.strength + 1:
                return rival  # what the question asks about says otherwise
            return best
    return Finding("not decided", "nothing like it stands in the context")


def _for_fragment(found: list[Finding]) -> Finding:
    decided = [f for f in found if f.verdict in ("supported", "contradicted")]
    if not decided:
        return max(
            found, key=lambda f: f.strength, default=Finding("not decided", "nothing like it stands in the context")
        )
    top = max(f.strength for f in decided)
    best = [f for f in decided if f.strength >= top - 1e-9]
    return next((f for f in best if f.verdict == "supported"), best[0])


def _quotation(claim: Claim, sources: Sources) -> Finding | None:
    """A quoted span must stand in a source to the letter; one that does not was altered or made up."""
    for text in claim.quotes:
        wanted = flat(text)
        if not any(wanted in source for source in sources.texts):
            return Finding("contradicted", f"the quotation “{text[:60]}” stands in no document")
    return None


class _Match(NamedTuple):
    missing: frozenset[str]
    missing_names: frozenset[str]
    same: tuple[tuple[Fact, Fact], ...]
    other: tuple[tuple[Fact, Fact], ...]
    near: tuple[tuple[Fact, Fact], ...]
    absent: tuple[Fact, ...]


def _covered(claim: Claim, unit: Unit, reading: Reading) -> tuple[frozenset[str], frozenset[str]]:
    """The claim's keys that a unit lacks, and the names among them."""
    wanted = claim.unit.keys | claim.unit.above | (claim.unit.subject if claim.unit.anaphoric else _NONE)
    there = unit.keys | unit.above | unit.subject
    names = claim.unit.names | (claim.unit.subject if claim.unit.anaphoric else _NONE)
    missing = {key for key in wanted - there if reading.partners.get(key, "") not in there}
    return frozenset(missing), frozenset(missing & names)


def _nearby(unit: Unit, fact: Fact, reading: Reading) -> frozenset[str]:
    """The keys that follow a bare number closely: what it counts; else the one before it."""
    after = [w.key for w in unit.words if fact.end <= w.start <= fact.end + 40][:3]
    before = [w.key for w in unit.words if fact.start - 14 <= w.end <= fact.start][-1:]
    del reading
    return frozenset(after or before)


def _facts(claim: Claim, unit: Unit, reading: Reading) -> _Match:
    missing, names = _covered(claim, unit, reading)
    same: list[tuple[Fact, Fact]] = []
    other: list[tuple[Fact, Fact]] = []
    near: list[tuple[Fact, Fact]] = []
    absent: list[Fact] = []
    for fact in claim.unit.facts:
        found: dict[str, list[Fact]] = {}
        for stated in unit.facts:
            how = relation(fact, stated)
            if how != "apart" and fact.kind == "number" and not fact.unit and not claim.fragment:
                mine, theirs = _nearby(claim.unit, fact, reading), _nearby(unit, stated, reading)
                if mine and theirs and not mine & theirs:
                    how = "apart"
            found.setdefault(how, []).append(stated)
        if found.get("same"):
            same.append((fact, _bound(claim, unit, fact, found["same"])))
        elif found.get("near"):
            near.append((fact, found["near"][0]))
        elif found.get("other"):
            other.append((fact, found["other"][0]))
        else:
            absent.append(fact)
    return _Match(missing, names, tuple(same), tuple(other), tuple(near), tuple(absent))


def _bound(claim: Claim, unit: Unit, fact: Fact, options: list[Fact]) -> Fact:
    """Of several equal facts, the one whose clause shares most with the claim."""
    del fact
    return max(options, key=lambda o: len(_clause_keys(unit, o.start) & claim.unit.keys))


def _clause_keys(unit: Unit, position: int) -> frozenset[str]:
    clause = clause_of(unit.clauses, position)
    return frozenset(w.key for w in unit.words if w.clause == clause)


def _misplaced(claim: Claim, unit: Unit, match: _Match) -> Fact | None:
    """A fact that stands with something else than in the claim: its rival, from the clause that the claim is about.

    It holds where the clause of the equal fact lacks a word of the claim that another clause, with a fact of the same
    kind, has, and has a word that the claim lacks.
    """
    told = [stated for _, stated in match.same]
    for fact, stated in match.same:
        home = clause_of(unit.clauses, stated.start)
        keys = _clause_keys(unit, stated.start)
        strangers = keys - claim.unit.keys - claim.unit.above
        wanted = (claim.unit.keys | claim.asked_names) - keys
        for rival in unit.facts:
            if rival in told or rival.kind != stated.kind or rival.unit != stated.unit:
                continue
            differs = rival.value != stated.value if fact.kind == "code" else relation(fact, rival) == "other"
            if clause_of(unit.clauses, rival.start) == home:
                continue
            there = _clause_keys(unit, rival.start)
            if wanted & there and (strangers or not (keys & claim.unit.keys)) and differs:
                return rival
    return None


def _scattered(claim: Claim, unit: Unit) -> tuple[Verdict, str] | None:
    """Why words that stand in two clauses of their own, each about something else as well, are no statement together.

    A clause that leaves out what another one says ("…, Boateng in Accra") has no word of its own, and is none.
    """
    clauses = sorted({w.clause for w in unit.words})
    wanted = (claim.unit.keys & unit.keys) - unit.above - unit.subject
    keys = {c: frozenset(w.key for w in unit.words if w.clause == c) for c in clauses}
    if len(clauses) < 2 or any(wanted <= keys[c] for c in clauses):
        return None
    home = max(clauses, key=lambda c: (len(keys[c] & wanted), -c))
    elsewhere = wanted - keys[home]
    away = max((c for c in clauses if c != home), key=lambda c: (len(keys[c] & elsewhere), -c))
    strangers = {c: keys[c] - claim.unit.keys - claim.asked for c in (home, away)}
    if not (strangers[home] and strangers[away] and elsewhere & keys[away]):
        return None
    names = frozenset(w.key for i, w in enumerate(unit.words) if w.name or i == 0)
    if elsewhere <= names and strangers[home] & names:
        return "contradicted", "the context says this of something else"
    return "not decided", "the words stand in different statements of the context"


def _roles_differ(match: _Match) -> bool:
    return any(a.role != b.role and (b.role or a.role) for a, b in match.same if a.kind in ("number", "clock"))


def _order_differs(claim: Claim, unit: Unit) -> bool:
    """Whether two names that both have stand the other way round, as in who bought whom; a passive is turned first."""
    mine, theirs = _named(claim.unit), _named(unit)
    shared = [k for k in mine if k in theirs]
    return len(shared) > 1 and shared != [k for k in theirs if k in shared]


def _named(unit: Unit) -> list[str]:
    """The names in order, those that a passive names as its doers first; the opening word may be one."""
    names = dict.fromkeys(w.key for i, w in enumerate(unit.words) if w.name or i == 0)
    return sorted(names, key=lambda key: key not in unit.agents)


def _crossed(match: _Match) -> bool:
    """Whether equal facts of one kind stand in another order (from 5 to 8, from 8 to 5)."""
    for unit in {a.unit for a, _ in match.same}:
        pairs = sorted((a.start, b.start) for a, b in match.same if a.kind == "number" and a.unit == unit)
        if [b for _, b in pairs] != sorted(b for _, b in pairs):
            return True
    return False


def _signs(unit: Unit, shared: frozenset[str]) -> dict[int, int]:
    """Of each clause, whether its negations and the sides of its opposites turn it round (-1) or not (1)."""
    signs: dict[int, int] = {}
    for w in unit.words:
        if w.clause not in signs:
            signs[w.clause] = -1 if w.clause in unit.negative else 1
        if w.sign < 0 and w.key in shared:
            signs[w.clause] = -signs[w.clause]
    return signs


def _polarity(claim: Claim, unit: Unit) -> tuple[int, int]:
    """How many shared keys stand in clauses of the same sign in both, and of opposite signs."""
    shared = claim.unit.keys & unit.keys
    mine, theirs = _signs(claim.unit, shared), _signs(unit, shared)
    stated: dict[str, set[int]] = {}
    for w in unit.words:
        stated.setdefault(w.key, set()).add(theirs[w.clause])
    told = {w.key: mine[w.clause] for w in claim.unit.words if w.key in stated}
    agree = sum(sign in stated[key] for key, sign in told.items())
    return agree, len(told) - agree


def _fact_polarity(claim: Claim, unit: Unit, match: _Match) -> bool:
    """Whether an equal fact stands in a clause that is turned round on one side only."""
    shared = claim.unit.keys & unit.keys
    mine, theirs = _signs(claim.unit, shared), _signs(unit, shared)
    for fact, stated in match.same:
        here, there = clause_of(claim.unit.clauses, fact.start), clause_of(unit.clauses, stated.start)
        if here in mine and there in theirs and mine[here] != theirs[there]:
            return True
    return False


def _compare(claim: Claim, number: int, sources: Sources, *, fragment: bool = False) -> Finding:
    source, unit = sources.units[number]
    reading = sources.readings[source]
    match = _facts(claim, unit, reading)
    there = unit.keys | unit.above | unit.subject
    asked = len(claim.asked & there) / max(1, len(claim.asked))
    shared = len(claim.unit.keys & there)
    strength = shared + len(match.same) - len(match.missing) + asked * (4 if fragment else 1)

    def finding(verdict: Verdict, why: str) -> Finding:
        return Finding(verdict, why, source, unit.start, unit.end, strength)

    if fragment:
        return _fragment(claim, unit, match, finding)
    if not shared:
        return finding("not decided", "nothing like it stands in the context")
    agree, oppose = _polarity(claim, unit)
    if not match.missing and not match.absent and not match.other and not match.near:
        why = _objection(claim, unit, match, agree, oppose)
        if not why:
            return finding("supported", "the words and facts stand together in the context")
        return finding(*why)
    return finding(*_against(claim, unit, match, agree, oppose))


def _objection(claim: Claim, unit: Unit, match: _Match, agree: int, oppose: int) -> tuple[Verdict, str] | None:
    """Why a claim whose words and facts all stand in a unit is not borne out by it."""
    if oppose:
        if oppose >= agree and not _strangers(claim, unit) and not _order_differs(claim, unit):
            return "contradicted", "the context says the opposite"
        return "not decided", "a negation stands in one of the two only"
    if match.same and _fact_polarity(claim, unit, match):
        alone = not agree and not _strangers(claim, unit)
        return (
            ("contradicted", "the context says the opposite") if alone else ("not decided", "a negation stands in one")
        )
    rival = _misplaced(claim, unit, match)
    if rival is not None:
        return "contradicted", "the value stands with something else in the context"
    scattered = _scattered(claim, unit)
    if scattered:
        return scattered
    if _crossed(match):
        return "contradicted", "the values stand in another order in the context"
    if _roles_differ(match):
        return "not decided", "the value stands in another relation in the context"
    if _order_differs(claim, unit):
        return "not decided", "the names stand in another order in the context"
    if unit.doubts - claim.unit.doubts:
        return "not decided", f"the context says so with a reservation ({min(unit.doubts - claim.unit.doubts)})"
    if not claim.unit.facts and any(f.bound in ("<", ">") for f in unit.facts):
        return "not decided", "the context restricts it to certain values"
    if unit.limits - claim.unit.limits:
        return "not decided", f"the context restricts it ({min(unit.limits - claim.unit.limits)})"
    return None


def _strangers(claim: Claim, unit: Unit) -> bool:
    """Whether the unit speaks of more than the claim does: then it may be about another thing."""
    return len(unit.keys - claim.unit.keys - claim.unit.above - claim.asked) > max(1, len(claim.unit.keys) // 2)


def _replaced(claim: Claim, unit: Unit, missing: frozenset[str]) -> bool:
    """Whether a missing word qualifies what another word qualifies in the unit ("basic plan", "premium plan")."""
    theirs = {b.key: a.key for a, b in zip(unit.words, unit.words[1:], strict=False)}
    for a, b in zip(claim.unit.words, claim.unit.words[1:], strict=False):
        rival = theirs.get(b.key)
        if a.key in missing and rival is not None and rival not in claim.unit.keys:
            return True
    return False


def _against(claim: Claim, unit: Unit, match: _Match, agree: int, oppose: int) -> tuple[Verdict, str]:
    """What a unit that does not bear a claim out has against it."""
    missing = match.missing
    few = len(missing) * 4 <= len(claim.unit.keys | claim.unit.above) and not _replaced(claim, unit, missing)
    unnamed = any(fact.kind == "code" for fact in match.absent)
    about_it = not unnamed and not match.missing_names and few and len(claim.unit.keys) > len(missing)
    others = [pair for pair in match.other if not _of_another(claim, unit, match, pair[0])]
    if about_it and others and not match.near and not oppose:
        fact, stated = others[0]
        foreign = _roles_conflict(fact, stated) or _fact_strangers(claim, unit, stated)
        if not foreign and not _combined(claim, unit, stated):
            return "contradicted", "the context states another value"
    opposed = oppose and oppose >= agree and not _strangers(claim, unit) and not _order_differs(claim, unit)
    if about_it and not match.other and not match.absent and opposed:
        return "contradicted", "the context says the opposite"
    swapped = _swapped(claim, unit, match)
    if swapped and not oppose:
        return "contradicted", "the context names something else in its place"
    if match.near:
        return "not decided", "the context states a value that neither equals nor excludes it"
    if match.other:
        return "not decided", "the context states another value, of what may be another thing"
    return "not decided", "part of it does not stand in the context"


def _of_another(claim: Claim, unit: Unit, match: _Match, fact: Fact) -> bool:
    """Whether a value is said of something that the unit is silent about, and all that the unit says is told as well.

    Of "leaves at 22:30 and arrives at 23:15" a unit that has the departure alone says nothing on the arrival: every
    value of the kind in it is told in the claim, and of the words next to this one, one does not stand in it.
    """
    told = [stated for _, stated in match.same]
    rivals = [stated for stated in unit.facts if relation(fact, stated) == "other"]
    if not told or any(stated not in told for stated in rivals):
        return False
    clause = clause_of(claim.unit.clauses, fact.start)
    beside = [f for f, stated in match.same if stated in rivals and clause_of(claim.unit.clauses, f.start) == clause]
    low = max((f.end for f in beside if f.end <= fact.start), default=0)
    high = min((f.start for f in beside if f.start >= fact.end), default=claim.unit.end)
    return any(w.clause == clause and low <= w.start < high and w.key in match.missing for w in claim.unit.words)


def _roles_conflict(fact: Fact, stated: Fact) -> bool:
    return bool(stated.role and fact.role and stated.role != fact.role)


def _fact_strangers(claim: Claim, unit: Unit, stated: Fact) -> bool:
    """Whether the stated value's clause names something that the claim does not, and lacks a name that it has."""
    keys = _clause_keys(unit, stated.start)
    extra = (keys & unit.names) - claim.unit.keys - claim.unit.above - claim.unit.subject - claim.asked
    lacks = claim.unit.names - keys
    return bool(extra and lacks) or len(keys - claim.unit.keys - claim.asked) > max(3, len(claim.unit.keys))


def _combined(claim: Claim, unit: Unit, stated: Fact) -> bool:
    """Whether the claim may have reckoned its value: the unit has several of the kind, its words stand elsewhere."""
    kin = [f for f in unit.facts if f.kind == "number" and (f.unit == stated.unit or f.unit == "percent")]
    elsewhere = (claim.unit.keys & unit.keys) - _clause_keys(unit, stated.start)
    return stated.kind == "number" and bool(stated.unit) and len(kin) > 1 and bool(elsewhere)


def _swapped(claim: Claim, unit: Unit, match: _Match) -> bool:
    """Whether claim and unit are one sentence but for one name, in a place that only one thing can fill."""
    if not match.missing or match.other or match.absent or match.near:
        return False
    mine, theirs = claim.unit.words, unit.words
    shorter = min(len(mine), len(theirs))
    head = next((i for i in range(shorter) if mine[i].key != theirs[i].key), shorter)
    tail = next((i for i in range(shorter - head) if mine[-1 - i].key != theirs[-1 - i].key), shorter - head)
    changed, instead = mine[head : len(mine) - tail], theirs[head : len(theirs) - tail]
    if not changed or not instead or head + tail < 2 or len(changed) > 4 or len(instead) > 4:
        return False
    if len(changed) == 1 and len(instead) == 1 and {changed[0].key, instead[0].key} <= _PERIODS:
        return bool(match.same)
    names = all(w.name or (head == 0 and i == 0) for words in (changed, instead) for i, w in enumerate(words))
    return names and bool({w.key for w in changed} & match.missing) and bool(claim.unit.keys & _FUNCTIONAL)


_PERIODS = frozenset(
    stem(word, language)
    for language, words in {
        "en": "hour day night week month quarter year hourly daily weekly monthly quarterly yearly annually",
        "de": "stunde tag nacht woche monat quartal jahr stündlich täglich wöchentlich monatlich jährlich",
        "fr": "heure jour nuit semaine mois trimestre an année mensuel annuel",
        "es": "hora día noche semana mes trimestre año mensual anual",
    }.items()
    for word in words.split()
)
_FUNCTIONAL = frozenset(
    stem(word, language)
    for language, words in {
        "en": "capital ceo president founder founded born located headquarters author written invented director winner"
        " owner mayor king queen chair chairman currency language largest first died named manufacturer developed",
        "de": "hauptstadt gegründet geboren präsident gründer autor sitz währung erfunden bürgermeister direktor",
        "fr": "capitale fondé né président fondateur auteur siège monnaie inventé maire directeur",
        "es": "capital fundada nacido presidente fundador autor sede moneda inventado alcalde director",
    }.items()
    for word in words.split()
)


def _fragment(claim: Claim, unit: Unit, match: _Match, finding: Callable[[Verdict, str], Finding]) -> Finding:
    """A bare value, judged by the unit that is nearest to the question."""
    there = unit.keys | unit.above | unit.subject
    about = claim.asked and len(claim.asked & there) * 2 >= len(claim.asked) and claim.asked_names <= there
    untied = finding("not decided", "nothing in the context ties it to the question")
    if not about or match.missing:
        return untied
    if match.same and not match.other and not match.absent and not match.near:
        if _misplaced(claim, unit, match) is not None:
            return finding("contradicted", "the value stands with something else in the context")
        limited = (unit.doubts - claim.unit.doubts) or (unit.limits - claim.unit.limits)
        if limited or unit.negative or claim.unit.negative:
            return finding("not decided", "the context says so with a reservation")
        return finding("supported", "the context states this value of what was asked")
    if match.other:
        return finding("contradicted", "the context states another value of what was asked")
    return untied
