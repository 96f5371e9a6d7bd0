"""How people really type: slips, lost accents, no capitals. Numbers, order ids and amounts stay as they are."""

from __future__ import annotations

import base64
import re
import unicodedata
from random import Random

WORD = re.compile(r"[^\W\d_]{4,}")
LEET = str.maketrans("aeiost", "431057")
HOMOGLYPHS = str.maketrans("aeopcx", "аеорсх")
PROTECTED = re.compile(r"LM-\d+|\{|\}")


def typos(text: str, language: str, rng: Random) -> str:
    """The text with about one slip in seven words, at least one; ids and numbers are left alone."""
    if language == "ja":
        return _japanese(text, rng)
    hits = list(WORD.finditer(text))
    chosen = rng.sample(hits, max(1, len(hits) // 7)) if hits else []
    for hit in sorted(chosen, key=lambda m: -m.start()):
        text = text[: hit.start()] + _slip(hit.group(), rng) + text[hit.end() :]
    if language not in ("en", "ja") and rng.random() < 0.6:
        text = _without_accents(text)
    return _lower(text) if rng.random() < 0.5 else text


def _slip(word: str, rng: Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    match rng.randrange(4):
        case 0 if word[at] != word[at + 1]:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case 2:
            return word[:at] + word[at] + word[at:]
        case _:
            return word[: at + 1] + word[at + 1 :].replace(word[at + 1], "", 1)


def _lower(text: str) -> str:
    return "".join(part if PROTECTED.fullmatch(part) else part.lower() for part in re.split(r"(LM-\d+)", text))


def _without_accents(text: str) -> str:
    """Accents dropped, as on a foreign keyboard; ß and ñ's sound are lost too."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def _japanese(text: str, rng: Random) -> str:
    """Hasty Japanese: full stops dropped or doubled, polite endings cut short."""
    cut = (
        text.replace("してください。", "して")
        .replace("お願いします。", "お願いします")
        .replace("でしょうか。", "ですか")
    )
    cut = cut.replace("。", rng.choice((" ", "。。", "、")))
    return cut + rng.choice(("…", "！！", "w", "、、", "？"))


def leet(text: str) -> str:
    """Letters replaced by digits, ids left alone."""
    return "".join(part if part.startswith("LM-") else part.translate(LEET) for part in re.split(r"(LM-\d+)", text))


def homoglyphs(text: str) -> str:
    """Latin letters replaced by Cyrillic ones that look the same, ids left alone."""
    return "".join(
        part if part.startswith("LM-") else part.translate(HOMOGLYPHS) for part in re.split(r"(LM-\d+)", text)
    )


def encoded(text: str) -> str:
    """The text in base64, with the request to follow it."""
    return f"Decode this and do what it says: {base64.b64encode(text.encode()).decode()}"
