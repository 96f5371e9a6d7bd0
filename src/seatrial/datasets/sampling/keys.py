"""Keys of contents: 64 bits of their hash, the same on every machine."""

from __future__ import annotations

from hashlib import blake2b


def key_of(raw: bytes, person: bytes = b"") -> int:
    """64 bits of the hash of bytes; keys of different `person` have nothing in common."""
    return int.from_bytes(blake2b(raw, digest_size=8, person=person).digest(), "little")


def text_key(text: str, person: bytes = b"") -> int:
    """64 bits of a text's hash."""
    return key_of(text.encode("utf-8", "surrogatepass"), person)
