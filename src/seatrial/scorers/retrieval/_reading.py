"""From a text to units (sentences, list items, table cells) whose words, names, facts and negations can be compared."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from seatrial.scorers.base import encodable
from seatrial.scorers.retrieval._facts import Fact, facts
from seatrial.scorers.retrieval._lexicon import ABBREVIATIONS, LANGUAGES, MONTHS, Lexicon, equals, opposites

MAX_UNIT = 1500
MAX_TEXT = 100_000
MAX_UNITS = 2000
MAX_CACHED = 20_000

_EQUAL, _OPPOSITE = equals(), opposites()
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_ITEM = re.compile(r"[ \t]*(?:[-*•+–]|\d{1,3}[.)]|[a-z]\))[ \t]+")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+")
_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-[ \t:|-]*$")
_END = re.compile(r"\x1e|[.!?…]+[\"'”’»)\]*_]*(?=\s|$)|[。！？｡؟।]+[”」』]*|\n[ \t]*\n")
_AGENT = re.compile(r"\b(?:by|von|par|por)\s(?:[^\W\d_a-z][^\W\d_]*\.?\s){0,3}$")
_CLAUSE = re.compile(r"[;:()–—]|,(?!\d)|\s-\s")
_GAPPED = re.compile(
    r"\w+ (?:(?:the|a|an|der|die|das|ein|eine|le|la|les|el|los|las) (?:\w+ ){1,3}(?:in|at|on|im|à|en|to|from) "
    r"|[^\W\d_a-z]\w* (?:the|a|an|der|die|das|le|la|el) )"
)
_LETTERS = re.compile(r"[^\W\d_]+")
_FOLD = re.compile("[\u0300-\u036f]")


class Word(NamedTuple):
    """A word that carries content: its key (equal for inflections and equivalents) and where it stands."""

    key: str
    start: int
    end: int
    name: bool
    sign: int
    clause: int


class Unit(NamedTuple):
    """One sentence, list item or table cell.

    `words` and `facts` in order. `above`: keys of the headings, of the row and of what a pronoun stands for; `subject`
    is the last of these. `negative`: the clauses that are turned round. `limits` and `doubts`: restricting and
    weakening words. `clauses`: where clauses begin. `agents`: names behind a passive's "by".
    """

    start: int
    end: int
    kind: str
    words: tuple[Word, ...]
    facts: tuple[Fact, ...]
    keys: frozenset[str]
    names: frozenset[str]
    above: frozenset[str]
    subject: frozenset[str]
    negative: frozenset[int]
    limits: frozenset[str]
    doubts: frozenset[str]
    anaphoric: bool
    clauses: tuple[int, ...]
    agents: frozenset[str]


class Reading(NamedTuple):
    """A text that was read."""

    text: str
    language: str
    units: tuple[Unit, ...]
    whole: bool
    partners: dict[str, str]


def language_of(text: str, usual: str = "en") -> str:
    """The language whose small words a text has clearly more of than the usual one's, else the usual one."""
    words = [w.casefold() for w in _LETTERS.findall(text[:3000])][:300]
    counts = {name: sum(w in lexicon.stop for w in words) for name, lexicon in LANGUAGES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= counts[usual] + 2 else usual


@lru_cache(maxsize=16384)
def stem(word: str, language: str) -> str:
    """A word without the endings that inflection gives it, without accents, in lower case."""
    folded = word.casefold().replace("’", "'")
    if language == "en" and folded.endswith(("'s", "s'")):
        folded = folded[:-2] if folded.endswith("'s") else folded[:-1]
    if folded in _EQUAL:
        folded = _EQUAL[folded]
    base = folded
    for ending in LANGUAGES[language].endings:
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            base = folded[: -len(ending)]
            break
    if ending_doubled(base, folded):
        base = base[:-1]
    if base in _EQUAL and base != folded:
        return stem(_EQUAL[base], language)
    return _FOLD.sub("", unicodedata.normalize("NFKD", base)) if not base.isascii() else base


@lru_cache(maxsize=8)
def _opposites(language: str) -> dict[str, tuple[str, int]]:
    """The opposites by their stems; a stem that both sides share is none."""
    found: dict[str, tuple[str, int]] = {}
    clash: set[str] = set()
    for word, side in _OPPOSITE.items():
        base = stem(word, language)
        if found.setdefault(base, side) != side:
            clash.add(base)
    return {base: side for base, side in found.items() if base not in clash}


def ending_doubled(base: str, word: str) -> bool:
    """Whether an ending doubled the consonant before it (stopped, cancelling)."""
    return len(base) > 3 and base != word and base[-1] == base[-2] and base[-1] not in "aeiousfz"


def sentences(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    """The spans of the sentences between two positions."""
    at = start
    for match in _END.finditer(text, start, end):
        if match.start() < at or not _ends(text, match, language):
            continue
        yield at, match.end()
        at = match.end()
    if at < end:
        yield at, end


def _ends(text: str, match: re.Match[str], language: str) -> bool:
    if match.group()[0] != ".":
        return True
    rest = text[match.end() : match.end() + 24].lstrip()
    if not rest:
        return True
    head = text[max(0, match.start() - 16) : match.start()].split()
    last = head[-1].lstrip("(\"'“").casefold() if head else ""
    if last in ABBREVIATIONS:
        return last in ("etc", "inc", "ltd", "co", "corp", "u.s", "u.k", "usw", "a.m", "p.m") and rest[0].isupper()
    if len(last) == 1 and last.isalpha() and (last not in "aiyo" or match.start() < 2):
        return False
    if last.isdigit() and len(last) <= 2:
        following = re.match(r"[^\W\d_]+", rest)
        return not (following and (following.group().casefold() in MONTHS or rest[0].islower() or language == "de"))
    return not rest[0].islower()


class _Block(NamedTuple):
    start: int
    end: int
    kind: str
    above: tuple[tuple[int, int], ...] = ()


def _blocks(text: str) -> Iterator[_Block]:
    """Paragraphs, list items, headings and table cells, each with the spans of what stands over it."""
    heading: tuple[tuple[int, int], ...] = ()
    lead: tuple[tuple[int, int], ...] = ()
    columns: list[tuple[int, int]] = []
    paragraph: list[int] = []
    at = 0
    for line in text.splitlines(keepends=True):
        start, end = at, at + len(line.rstrip("\r\n"))
        at += len(line)
        stripped = line.strip()
        item = _ITEM.match(line)
        is_row = stripped.startswith("|") and stripped.count("|") >= 2
        plain = bool(stripped) and item is None and not is_row and _HEADING.match(line) is None
        if paragraph and (not plain or stripped.startswith(("```", ">"))):
            yield _Block(paragraph[0], paragraph[1], "sentence", heading)
            lead = (
                (_last_line(text, paragraph[0], paragraph[1]),)
                if text[: paragraph[1]].rstrip().endswith((":", "："))
                else ()
            )
            paragraph = []
        if plain:
            paragraph = [paragraph[0] if paragraph else start, end]
            columns = []
        elif is_row:
            if _RULE.match(line) is None:
                cells = list(_cells(line, start))
                if columns:
                    yield from _row(cells, columns, (*heading, *lead))
                columns = columns or cells
        elif item is not None:
            yield _Block(start + item.end(), end, "item", (*heading, *lead))
        elif stripped:
            mark = _HEADING.match(line)
            heading, lead, columns = ((start + (mark.end() if mark else 0), end),), (), []
            yield _Block(heading[0][0], heading[0][1], "heading")
        else:
            columns = []
    if paragraph:
        yield _Block(paragraph[0], paragraph[1], "sentence", heading)


def _last_line(text: str, start: int, end: int) -> tuple[int, int]:
    cut = max(text.rfind(". ", start, end), text.rfind("\n", start, end))
    return (cut + 1 if cut >= 0 else start), end


def _cells(line: str, offset: int) -> Iterator[tuple[int, int]]:
    at = line.index("|") + 1
    for piece in line[at:].rstrip("\r\n").split("|"):
        if piece.strip() or at + len(piece) < len(line.rstrip()):
            lead = len(piece) - len(piece.lstrip())
            yield offset + at + lead, offset + at + lead + len(piece.strip())
        at += len(piece) + 1


def _row(
    cells: list[tuple[int, int]], columns: list[tuple[int, int]], above: tuple[tuple[int, int], ...]
) -> Iterator[_Block]:
    for i, cell in enumerate(cells[1:], 1):
        if cell[0] < cell[1]:
            over = (columns[i], columns[0]) if i < len(columns) else (columns[0],)
            yield _Block(*cell, "cell", (cells[0], *over, *above))


def _pieces(text: str, language: str) -> Iterator[_Block]:
    for block in _blocks(text):
        if block.kind == "cell":
            yield block
            continue
        for start, end in sentences(text, block.start, block.end, language):
            for cut in range(start, end, MAX_UNIT):
                stop = min(end, cut + MAX_UNIT)
                if text[cut:stop].strip():
                    yield block._replace(start=cut, end=stop)


def read(text: str, language: str = "", above: str = "") -> Reading:
    """A text's units. `above` is a title that holds for all of it; the language is guessed where none is given."""
    text = encodable(text)
    return _cached(text, language, above) if len(text) <= MAX_CACHED else _read(text, language, above)


def _read(text: str, language: str, above: str) -> Reading:
    whole = len(text) <= MAX_TEXT
    text = text[:MAX_TEXT]
    language = language or language_of(text)
    lexicon = LANGUAGES[language]
    found = facts(text, language)
    title = frozenset(w.key for w in _words(above, (0, len(above)), (), language)) if above else frozenset[str]()
    units: list[Unit] = []
    subject: frozenset[str] = frozenset()
    at = 0
    for block in _pieces(text, language):
        if len(units) >= MAX_UNITS:
            whole = False
            break
        while at < len(found) and found[at].end <= block.start:
            at += 1
        inside: list[Fact] = []
        step = at
        while step < len(found) and found[step].start < block.end:
            inside += [found[step]] if found[step].start >= block.start else []
            step += 1
        unit = _unit(text, block, tuple(inside), lexicon, language, (title, subject))
        subject = unit.subject if unit.anaphoric else _head(text, unit) or subject
        units.append(unit)
    return Reading(text, language, tuple(units), whole, _partners(text, units, language))


_cached = lru_cache(maxsize=256)(_read)


def _head(text: str, unit: Unit) -> frozenset[str]:
    """What a unit is about: its first word of content, with the names that follow it at once."""
    found: set[str] = set()
    end = -1
    for w in unit.words:
        if found and not (w.name and text[end : w.start] in (" ", ". ", "\u00a0")):
            break
        found.add(w.key)
        end = w.end
    return frozenset(found)


def _partners(text: str, units: list[Unit], language: str) -> dict[str, str]:
    """Names whose only neighbour among names is another one (a first name, its surname): that one stands for both."""
    found: dict[str, set[str]] = {}
    if language == "de":  # every noun has a capital there
        return {}
    for unit in units:
        for a, b in zip(unit.words, unit.words[1:], strict=False):
            if a.name and b.name and text[a.end : b.start] in (" ", ". ", "\u00a0"):
                found.setdefault(a.key, set()).add(b.key)
                found.setdefault(b.key, set()).add(a.key)
    only = {key: next(iter(others)) for key, others in found.items() if len(others) == 1}
    return {key: other for key, other in only.items() if only.get(other) == key}


def _unit(
    text: str,
    block: _Block,
    inside: tuple[Fact, ...],
    lexicon: Lexicon,
    language: str,
    over: tuple[frozenset[str], frozenset[str]],
) -> Unit:
    clauses = _clauses(text, block, inside, lexicon)
    words = tuple(_words(text, (block.start, block.end), inside, language, clauses))
    above = {w.key for span in block.above for w in _words(text, span, (), language)} | over[0]
    tokens = _TOKEN.findall(text[block.start : block.end])
    lowered = [t.casefold() for t in tokens]
    names = frozenset(w.key for w in words if w.name)
    stands = bool(lowered) and lowered[0] in lexicon.pronouns
    alone = len(tokens) < 3 or not (tokens[2][0].isupper() or tokens[2].isdigit())  # "the plan Azure" names itself
    generic = lowered[1] if len(lowered) > 1 and lowered[1] in lexicon.generic and alone else ""
    anaphoric = bool((stands or generic) and over[1])
    if anaphoric and generic:
        words = tuple(w for w in words if text[w.start : w.end].casefold() != generic)
    return Unit(
        block.start,
        block.end,
        block.kind,
        words,
        inside,
        frozenset(w.key for w in words),
        names,
        frozenset(above),
        over[1] if anaphoric else frozenset(),
        _negative(text, block, inside, language, clauses),
        lexicon.limits.intersection(lowered),
        lexicon.doubts.intersection(lowered),
        anaphoric,
        clauses,
        frozenset(w.key for w in words if w.name and _AGENT.search(text, max(block.start, w.start - 40), w.start)),
    )


def clause_of(clauses: tuple[int, ...], position: int) -> int:
    """The number of the clause that a position is in."""
    return bisect_right(clauses, position)


def _clauses(text: str, block: _Block, inside: tuple[Fact, ...], lexicon: Lexicon) -> tuple[int, ...]:
    """Where clauses begin: after marks, at "but" and the like, and at an "and" with a verb or a fact on either side.

    With a name on either side, too, where a second statement follows ("… in Aarhus and the depot in Odense").
    """
    within = bytearray(block.end - block.start + 1)  # positions in the middle of a fact, as in "6:30"
    for fact in inside:
        start, end = max(fact.start + 1, block.start), min(fact.end, block.end + 1)
        within[start - block.start : end - block.start] = b"\1" * max(0, end - start)
    ends = (m.end() for m in _CLAUSE.finditer(text, block.start, block.end))
    found = {at for at in ends if not within[at - block.start]}
    tokens = [(m.group().casefold(), m.start()) for m in _TOKEN.finditer(text, block.start, block.end)]
    found |= {at for word, at in tokens if word in lexicon.breaks}
    joins = [at for word, at in tokens if word in lexicon.joins]
    if joins:
        verbs = [at for word, at in tokens if word in lexicon.auxiliaries]
        names = [at for _, at in tokens if text[at].isupper()]
        marks = sorted({block.start, block.end, *found, *joins})
        for join in joins:
            i = marks.index(join)
            left, right = marks[max(0, i - 1)], marks[min(len(marks) - 1, i + 1)]
            for places in (verbs, [f.start for f in inside]):
                if _any(places, left, join) and _any(places, join, right):
                    found.add(join)
            if _any(names, left, join) and _any(names, join, right) and _GAPPED.match(text, join, right):
                found.add(join)
    return tuple(sorted(f for f in found if not any(x.start < f < x.end for x in inside)))


def _any(places: list[int], start: int, end: int) -> bool:
    at = bisect_left(places, start)
    return at < len(places) and places[at] < end


def _words(
    text: str, span: tuple[int, int], inside: tuple[Fact, ...], language: str, clauses: tuple[int, ...] = ()
) -> Iterator[Word]:
    """The words of content in a span, without those inside facts."""
    first = True
    position = 0
    for match in _TOKEN.finditer(text, *span):
        word, start = match.group(), match.start()
        while position < len(inside) and inside[position].end <= start:
            position += 1
        opening, first = first, False
        if word.isdigit() or (position < len(inside) and inside[position].start <= start):
            continue
        clause = clause_of(clauses, start)
        if _SPACELESS.match(word):
            for i in range(max(1, len(word) - 1)):
                yield Word(word[i : i + 2], start + i, start + i + len(word[i : i + 2]), False, 1, clause)
        else:
            made = _word(word, start, opening, clause, language)
            if made is not None:
                yield made


def _word(word: str, start: int, opening: bool, clause: int, language: str) -> Word | None:
    head, mark, tail = word.casefold().replace("’", "'").partition("'")
    if mark and language == "fr" and len(head) <= 2:
        start, word = start + len(head) + 1, word[len(head) + 1 :]
    elif mark and language == "en" and tail in ("t", "re", "ve", "ll", "d", "m"):
        return None
    lowered = word.casefold()
    label = len(word) == 1 and word.isupper() and not opening and word != "I"
    if not label:
        known = _known(lowered, language)
        if known is None:
            return None
        key, sign = known
    else:
        key, sign = f"{lowered}=", 1
    name = word[0].isupper() and (not opening or label or (len(word) > 1 and word.isupper()))
    return Word(key, start, start + len(word), name, sign, clause)


@lru_cache(maxsize=16384)
def _known(lowered: str, language: str) -> tuple[str, int] | None:
    """A word's key and the side that it is on; None for a word of grammar."""
    lexicon = LANGUAGES[language]
    grammar = (lexicon.stop, lexicon.negators, lexicon.auxiliaries, lexicon.breaks, lexicon.doubts, lexicon.joins)
    if any(lowered in words for words in grammar):
        return None
    base = stem(lowered, language)
    known = _OPPOSITE.get(lowered) or _opposites(language).get(base)
    if known is None and lowered.startswith("non-") and len(lowered) > 4:
        return _known(lowered[4:], language)  # it turns its clause round, as "not" does
    return known or (base, 1)


def _negative(
    text: str, block: _Block, inside: tuple[Fact, ...], language: str, clauses: tuple[int, ...]
) -> frozenset[int]:
    """The clauses that an odd number of negations turns round; "no more than" is a bound, "non-" often an opposite."""
    counts: dict[int, int] = {}
    negators = LANGUAGES[language].negators
    for match in _TOKEN.finditer(text, block.start, block.end):
        word = match.group().casefold().replace("’", "'")
        if word in negators and any(f.bound and f.start <= match.start() < f.end for f in inside):
            continue
        prefixed = word.startswith("non-") and len(word) > 4 and (known := _known(word, language)) and known[1] > 0
        if word in negators or word.endswith("n't") or prefixed:
            clause = clause_of(clauses, match.start())
            counts[clause] = counts.get(clause, 0) + 1
    return frozenset(c for c, n in counts.items() if n % 2)
