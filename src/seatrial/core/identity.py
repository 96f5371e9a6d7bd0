"""Identity: what a thing is, as a hash of its content. Scheme `st1`.

Every reuse in Seatrial is keyed by content, never by position, name or file. A hash is sha256 over canonical
JSON: keys sorted, no white space, ASCII escapes, defaults omitted, no Unicode normalisation (homoglyphs must stay
apart). It is written `kind:st1:hex`. Golden tests fix the scheme; a later scheme is a migration.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

import orjson

SCHEME = "st1"
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_STORED = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_AMBIGUOUS = re.compile(rb"[:\[,]-?(?:0\.0000|\d[\d.]*[eE])")
"""What two writers of JSON write differently: very large and very small numbers (and the delete character).

A number inside an array or object stands behind one of three characters; one by itself is left to the slower writer.
"""
_FOLDED = bytes(48 if 48 <= b <= 57 else 101 if b == 69 else 44 if b in b":[" else b for b in range(256))
"""Every digit becomes 0, E becomes e, and what a number may stand behind a comma."""
_EXPONENT = re.compile(rb",00*e")
"""A number with an exponent, once folded, signs and points left out: begins with two bytes that are searched fast."""
_DELETE = 0x7F
_NUMBERS = tuple(b"%c" % byte for byte in b"-0123456789")
_LONG = b"0" * 20
_DIGITS = bytes(48 if 48 <= byte <= 57 or byte == 45 else 32 for byte in range(256))
"""Digits and signs become 0. Integers of 19 digits without a sign fit 64 bits: moments in nanoseconds are such."""


def canonical(value: Any) -> str:
    """The one JSON text of a value.

    Non-finite numbers, which JSON cannot hold, become `{"$float": "nan" | "inf" | "-inf"}`; lone surrogates stay as
    their escapes. Raises TypeError when the value holds something that JSON has no form for.
    """
    quick = _quick(value, orjson.OPT_SORT_KEYS)
    if quick is not None and _is_certain(quick):
        return quick.decode("ascii")
    try:
        return _CANONICAL.encode(value)
    except ValueError:
        return _CANONICAL.encode(_finite(value))


def _is_certain(quick: bytes) -> bool:
    """Whether every writer of canonical JSON gives these bytes."""
    if not quick.isascii() or _DELETE in quick or quick.startswith(_NUMBERS):
        return False
    if quick.find(b"0.0000") < 0 and _EXPONENT.search(quick.translate(_FOLDED, b"-.")) is None:
        return True
    return _AMBIGUOUS.search(quick) is None


def _quick(value: Any, option: int = 0) -> bytes | None:
    """JSON bytes by orjson, which is many times faster; None where it may not keep the value exactly.

    It writes `null` for a number that is not finite, refuses lone surrogates, keys that are no text, and integers
    beyond 64 bits, and has types of its own, which are passed on here to be refused.
    """
    try:
        raw = orjson.dumps(value, option=_STRICT | option)
    except TypeError:
        return None
    nulls = raw.count(b"null")
    return raw if not nulls or nulls == _nones(value) else None


def _nones(value: Any) -> int:
    """How many values of an object are None itself; what else is written `null` may have been no finite number."""
    return sum(item is None for item in cast("dict[str, Any]", value).values()) if isinstance(value, dict) else 0


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in cast("list[Any]", value)]
    return value


def digest(kind: str, value: Any) -> str:
    """The identity of a value of one kind: `case:st1:9f86d081…` (64 hex digits)."""
    return digest_text(kind, canonical(value))


def digest_text(kind: str, text: str) -> str:
    """The identity of a value whose canonical JSON is at hand."""
    return f"{kind}:{SCHEME}:{sha256(text.encode('ascii')).hexdigest()}"


def to_bytes(identity: str) -> bytes:
    """The 32 bytes behind an identity, as the store keeps them."""
    return bytes.fromhex(identity.rsplit(":", 1)[1])


def from_bytes(kind: str, raw: bytes) -> str:
    """The identity whose 32 bytes these are."""
    return f"{kind}:{SCHEME}:{raw.hex()}"


def short(identity: str, length: int = 12) -> str:
    """The first hex digits of an identity, for people."""
    return identity.rsplit(":", 1)[1][:length]


def loads(text: bytes | str) -> Any:
    """Parse JSON that strangers wrote.

    orjson, where it is exact; what it refuses (lone surrogates, NaN) or would round (integers beyond 64 bits) goes to
    the standard parser. Raises ValueError for text that is not JSON or is nested deeper than the parser can follow.
    """
    exact = not _long_number_in(text)
    try:
        if exact:
            return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except UnicodeDecodeError:
        raise ValueError("not valid UTF-8") from None


def loads_canonical(text: bytes) -> Any:
    """The value of canonical JSON whose numbers and characters are certain; None where the text is not such.

    Integers beyond 64 bits, which would be rounded, are not written back as they were read: the value is exact.
    """
    try:
        value = orjson.loads(text)
        return value if canonical_part(value) == text else None
    except (TypeError, ValueError):
        return None


def canonical_part(value: Any) -> bytes:
    """Canonical JSON of a part of what `loads_canonical` gave. Raises TypeError for what is no such part."""
    return orjson.dumps(value, option=_STRICT | orjson.OPT_SORT_KEYS)


def _long_number_in(text: bytes | str) -> bool:
    """Whether 20 ASCII digits and signs follow one another: a number beyond 64 bits has so many."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return raw.translate(_DIGITS).find(_LONG) >= 0  # `in` would first take the needle for a number, and fail


def encode(value: Any) -> bytes:
    """JSON bytes for the store: whatever `loads` can give, this can keep."""
    quick = _quick(value)
    return quick if quick is not None else _STORED.encode(value).encode("ascii")
