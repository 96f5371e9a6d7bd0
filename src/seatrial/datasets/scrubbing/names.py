"""Invented names: words that are nobody's name, put in the place of the words of a name, an address or an e-mail.

Each word of a name is replaced on its own, so "Maria Keller", "Ms Keller" and "maria.keller@…" stay one person without
any list of people being kept, and relatives keep one family name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from seatrial.datasets.scrubbing.drawing import Draw, check

_STARTS = """
    brel calv dorv elph fenq grev hulm jorv kelq lurn morv nelv orsk pelv quon relv sorv telv ulvr vorn welq xant yelm
    zorv blen crov drel flem glor krel plun skel sorn trel vrel zelm bront
"""
_MIDDLES = "a e i o u y ae ia ei ou"
_ENDS = """
    wick holm dane ster vell nar mond leth quin rask thor ven dril gard lund mere nis rov sen tarn vick wyn zel bane
    cott fell hart joss kell lyn
"""
_CYRILLIC = dict(zip("abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопкрстуввксйз", strict=False))
_RARE = (
    "岚岑岫峣崤嵘嶂巅帆弦彤徽忻怀恺悠愔慕懿扬抒拓挚掣揽撷攸斓旌旖昀昊昱晁晔晖晗暄暝曜朔杳枫柘栩桢梓棠楠榛槿樾橙檀欣歆"
)
_HANGUL = "별솔빛샘늘봄결담찬슬온율휘람솜누리별단비윤솔해달"
CJK_MARK, HANGUL_MARK = "测", "테"
"""First characters of invented names in these scripts: neither is a family name."""


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """Every invented word, in lower case."""
    built = ("".join(parts) for parts in product(*(part.split() for part in (_STARTS, _MIDDLES, _ENDS))))
    return tuple(word for word in built if check("word", word) % 2 == 0)


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Every invented word in Latin and in Cyrillic letters."""
    return frozenset(words()) | {cyrillic(word) for word in words()}


def cyrillic(word: str) -> str:
    """A word in Cyrillic letters."""
    return "".join(_CYRILLIC[letter] for letter in word)


_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_KOREAN = re.compile("[\uac00-\ud7af]")
_RUSSIAN = re.compile("[\u0400-\u04ff]")


def invented(draw: Draw, real: str) -> str:
    """An invented word in the script and case of a real one."""
    if _HAN.search(real):
        return CJK_MARK + draw.of(_RARE) + draw.of(_RARE)
    if _KOREAN.search(real):
        return HANGUL_MARK + draw.of(_HANGUL) + draw.of(_HANGUL)
    word = words()[draw.below(len(words()))]
    return in_case(cyrillic(word) if _RUSSIAN.search(real) else word, real)


def in_case(word: str, real: str) -> str:
    """A word written as a real one is: in capitals, with one capital, or without."""
    if len(real) > 1 and real.isupper():
        return word.upper()
    return word.capitalize() if real[:1].isupper() else word


def is_invented(word: str) -> bool:
    """Whether a word is one of ours."""
    return word.lower() in known() or word.startswith((CJK_MARK, HANGUL_MARK))


_PARTICLE_WORDS = "de la los van der den von del della di da dos du le bin al el ter ten las do das des"
PARTICLES = frozenset(_PARTICLE_WORDS.split())
PIECE = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""A word of a name: letters, with hyphens and apostrophes inside."""


def pieces(name: str) -> list[str]:
    """The words of a name that tell who it is: no particles, no initials."""
    return [w for w in PIECE.findall(name) if w.lower() not in PARTICLES and (len(w) > 1 or not w.isascii())]


def is_name(text: str) -> bool:
    """Whether a name is made of invented words alone."""
    found = pieces(text)
    return bool(found) and all(is_invented(word) for word in found)
