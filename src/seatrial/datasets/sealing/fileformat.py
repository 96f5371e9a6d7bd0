"""sealed.bin: a header that anyone may read, then the cases, encrypted in chunks.

    SEATSEAL | length of the header (4 bytes) | header (JSON) | chunk | chunk | …

A chunk is `CHUNK` bytes of text (the last one fewer) under AES-256-GCM, with its 16 bytes of tag. Every file has a key
of its own, derived from the set's key and 32 random bytes in the header; so a nonce need not be random: it is the
chunk's number, and whether it is the last one. The header is the associated data of every chunk. So a chunk that was
changed, moved, left out or taken from another file does not open, nor does a file that was cut.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Literal, NoReturn

from pydantic import ValidationError

from seatrial.core.files import write_whole
from seatrial.core.identity import canonical, loads
from seatrial.core.record import Filled, Record, Text
from seatrial.core.vault import Keys, cipher, wrong_key
from seatrial.errors import SealBrokenError, safe

MAGIC = b"SEATSEAL"
FORMAT = "seatrial.sealed/1"
CHUNK = 1 << 16
TAG = 16
LONGEST_HEADER = 1 << 16
SALT_BYTES = 32
HINT = "restore the file from git"


class Header(Record):
    """What is said of a sealed split openly.

    `canary` is the id of the set, which no version changes; the keys are derived from it. `key_id` tells which key
    opens the file and reveals none of it.
    """

    format: Literal["seatrial.sealed/1"] = FORMAT
    cipher: Literal["AES-256-GCM"] = "AES-256-GCM"
    set: Text
    canary: Filled
    key_id: Filled
    salt: Filled
    chunk: Literal[65536] = CHUNK
    cases: int
    notice: Text = ""

    @property
    def raw(self) -> bytes:
        """The header as it stands in the file."""
        return canonical(self.model_dump()).encode("ascii")


def write(file: Path, header: Header, keys: Keys, lines: Iterable[bytes]) -> None:
    """Write the cases' lines encrypted, the whole file or nothing."""

    def fill(out: IO[bytes]) -> None:
        raw, sealing = header.raw, cipher(keys.derive("file", bytes.fromhex(header.salt)))
        out.write(MAGIC + len(raw).to_bytes(4, "big") + raw)
        number, chunks = 0, _chunks(lines)
        held = next(chunks, b"")
        for following in chunks:
            out.write(sealing.encrypt(_nonce(number, last=False), held, raw))
            number, held = number + 1, following
        out.write(sealing.encrypt(_nonce(number, last=True), held, raw))

    write_whole(file, fill, "The sealed split")


def new_salt() -> str:
    """What makes a file's key its own."""
    return secrets.token_hex(SALT_BYTES)


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for line in lines:
        held += line
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)


def _nonce(number: int, *, last: bool) -> bytes:
    return bytes(7) + number.to_bytes(4, "big") + bytes([last])


def read_header(file: Path) -> Header:
    """The header, which needs no key. Raises SealBrokenError for what is no sealed split."""
    with _opened(file) as source:
        return _header(source, file)


def read(file: Path, key: str) -> Iterator[bytes]:
    """The cases' lines, each checked before it is given.

    Raises SealKeyError for a wrong key, SealBrokenError where the file was altered or cut.
    """
    with _opened(file) as source:
        header = _header(source, file)
        keys = Keys(key, header.canary)
        if keys.id != header.key_id:
            wrong_key(header.key_id, keys.id)
        rest = b""
        for chunk in _opened_chunks(source, header, keys, file):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest:
            _broken(file, "its last line is not whole")


def _opened_chunks(source: IO[bytes], header: Header, keys: Keys, file: Path) -> Iterator[bytes]:
    from cryptography.exceptions import InvalidTag

    raw, opening = header.raw, cipher(keys.derive("file", bytes.fromhex(header.salt)))
    number, held = 0, source.read(CHUNK + TAG)
    while True:
        following = source.read(CHUNK + TAG)
        try:
            yield opening.decrypt(_nonce(number, last=not following), held, raw)
        except (InvalidTag, ValueError, OverflowError):
            _broken(file, f"chunk {number + 1:,} was altered, or the file was cut")
        if not following:
            return
        number, held = number + 1, following


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as cause:
        _broken(file, cause.strerror or "it cannot be read")


def _header(source: IO[bytes], file: Path) -> Header:
    if source.read(len(MAGIC)) != MAGIC:
        _broken(file, "it does not begin as a sealed split does")
    size = int.from_bytes(source.read(4), "big")
    raw = source.read(size) if size <= LONGEST_HEADER else b""
    try:
        header = Header.model_validate(loads(raw))
        fits = header.raw == raw and len(bytes.fromhex(header.salt)) == SALT_BYTES
    except (ValueError, ValidationError):
        fits, header = False, None
    if not fits or header is None:
        _broken(file, "its header was altered")
    return header


def _broken(file: Path, why: str) -> NoReturn:
    raise SealBrokenError(f"The sealed split {safe(str(file), 200)} cannot be opened: {why}.", hint=HINT) from None
