"""Reading through the usual disguises: look-alike letters, hidden characters, spacing, ciphers, encodings.

Every function is pure and total: what does not decode is left alone.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

DEPTH = 3
MOST = 200
SHORTEST = 8
MOST_LINES = 8
LIMIT = 200_000

_LOOKALIKE = str.maketrans(
    "аеорсухіјѕԁһӏкмтнвгѵԛԝԍɑοαρτυνικηχεβμγωɡⅼ∣│ɩ", "aeopcyxijsdhlkmthbrvqwgaoaptuvikhxebmywgllli"
)
"""Cyrillic, Greek and other lower-case letters that look like Latin ones."""
_LEET = str.maketrans("01345789@$!|+€£il", "oieasbbgasiitelii")
_BETWEEN = re.compile(r"[\W_]+")
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0100-\U000e01ef]"
)
_TAGS = re.compile("[\U000e0020-\U000e007e]")


def folded(text: str) -> str:
    """The text in one case, with hidden characters dropped, tag characters read, and look-alike letters as Latin."""
    if text.isascii():
        return text.lower()
    text = _TAGS.sub(lambda m: chr(ord(m.group()) - 0xE0000), text)
    text = unicodedata.normalize("NFKD", _HIDDEN.sub("", text))
    text = "".join(c for c in text if not unicodedata.combining(c)) if not text.isascii() else text
    return text.casefold().translate(_LOOKALIKE)


def squeezed(text: str) -> str:
    """A folded text's letters and digits alone."""
    return _BETWEEN.sub("", text)


def leet(text: str) -> str:
    """A squeezed text with digits read as the letters they stand for; 1, i and l become one."""
    return text.translate(_LEET)


def shifted(text: str, by: int) -> str:
    """Lower-case letters moved along the alphabet (13: rot13)."""
    return "".join(chr((ord(c) - 97 + by) % 26 + 97) if "a" <= c <= "z" else c for c in text)


def mirrored(text: str) -> str:
    """Lower-case letters from the other end of the alphabet (atbash)."""
    return "".join(chr(219 - ord(c)) if "a" <= c <= "z" else c for c in text)


_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}(?:[ \t]?\r?\n[ \t>]*[A-Za-z0-9+/_-]{4,})*={0,2}")
_BASE32 = re.compile(r"(?:[A-Z2-7]{8}[ \t]?(?:\r?\n)?)+[A-Z2-7]{0,7}={0,6}|[A-Z2-7]{8,}={0,6}", re.IGNORECASE)
_HEX = re.compile(r"(?:(?:0x|\\x|%|\b)?[0-9a-f]{2}[\s:,-]{0,2}){5,}|[0-9a-f]{10,}", re.IGNORECASE)
_BITS = re.compile(r"(?:[01]{8}[ \t,\n]{0,2}){4,}")
_CODES = re.compile(
    r"(?:\b(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])\b[\s,;\[\]]{1,3}){4,}(?:1[01]\d|12[0-6]|[4-9]\d|3[2-9])\b"
)
_ESCAPED = re.compile(
    r"\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})|\\U([0-9a-fA-F]{8})|\\([0-7]{3})|U\+([0-9A-F]{4,6})\s?"
)


def _readable(data: bytes) -> str:
    """Bytes as text where most of them are one: a run may have caught a few letters too many."""
    text = data.decode("utf-8", "ignore")
    printable = sum(c.isprintable() or c.isspace() for c in text)
    return text if text and printable >= 0.9 * len(text) and len(text.encode()) >= 0.8 * len(data) else ""


def _windows(run: str) -> Iterator[str]:
    """A run as a whole; where it goes over lines, any lines of it that follow one another, up to eight of them."""
    yield run
    lines = run.splitlines()
    if 1 < len(lines) <= MOST_LINES:
        for size in range(1, len(lines)):
            for start in range(len(lines) - size + 1):
                yield "\n".join(lines[start : start + size])


def _base64(piece: str) -> str:
    plain = "".join(piece.split()).replace("-", "+").replace("_", "/").replace(">", "").rstrip("=")
    plain = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
    try:
        return _readable(base64.b64decode(plain + "=" * (-len(plain) % 4)))
    except (ValueError, binascii.Error):
        return ""


def _base32(piece: str) -> str:
    plain = "".join(piece.split()).rstrip("=").upper()
    for cut in range(min(3, len(plain))):
        kept = plain[: len(plain) - cut]
        try:
            return _readable(base64.b32decode(kept + "=" * (-len(kept) % 8)))
        except (ValueError, binascii.Error):
            continue
    return ""


def _hex(piece: str) -> str:
    digits = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", piece)
    return _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _bits(piece: str) -> str:
    digits = re.sub(r"\D", "", piece)
    return _readable(bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits) - 7, 8)))


def _codes(piece: str) -> str:
    return "".join(chr(int(n)) for n in re.findall(r"\d+", piece))


def _character(match: re.Match[str]) -> str:
    octal = match.group(4)
    code = int(octal, 8) if octal else int(next(g for g in match.groups() if g), 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


_RUNS = ((_BASE64, _base64, "base64"), (_BASE32, _base32, "base32"), (_HEX, _hex, "hex"), (_BITS, _bits, "binary"),
         (_CODES, _codes, "character codes"))  # fmt: skip


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """What encoded runs of a text say, as (name of the encoding, decoded text); each once, at most 200."""
    if "&" in text and ";" in text and (plain := html.unescape(text)) != text:
        yield "HTML entities", plain
    if "%" in text and (plain := unquote_to_bytes(text).decode("utf-8", "replace")) != text:
        yield "URL encoding", plain
    if ("\\" in text or "U+" in text) and (plain := _ESCAPED.sub(_character, text)) != text:
        yield "escapes", plain
    for pattern, decode, name in _RUNS:
        for count, match in enumerate(pattern.finditer(text)):
            if count >= MOST:
                break
            for piece in _windows(match.group()):
                if len(piece) >= SHORTEST and (plain := decode(piece)):
                    yield name, plain


def layers(text: str, depth: int = DEPTH) -> Iterator[tuple[str, str]]:
    """The text itself and what it decodes to, again and again up to a depth, as (path of encodings, text)."""
    level = [("", text[:LIMIT])]
    seen = {text}
    yield "", text
    for _ in range(depth):
        following: list[tuple[str, str]] = []
        for path, inner in level:
            for name, plain in decoded(inner):
                if plain not in seen and len(seen) < MOST:
                    seen.add(plain)
                    following.append((f"{path} > {name}" if path else name, plain))
        yield from following
        level = following


def initials(text: str) -> Iterator[tuple[str, str]]:
    """First letters of the lines and of the words: acrostics."""
    lines = [s for line in text.splitlines() if (s := line.lstrip(" -*#>0123456789.)\t"))]
    if len(lines) > 3:
        yield "first letters of lines", "".join(line[0] for line in lines)
    yield "first letters of words", "".join(word[0] for word in text.split())
