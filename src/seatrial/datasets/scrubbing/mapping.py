"""What stood where, encrypted: AES-256-GCM, one line a record, bound to the file and to the line's place in it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from seatrial.errors import ConfigError, safe

FORMAT = "seatrial.mapping/1"
NONCE = 12

Pair = tuple[str, str, str]
"""Kind, real value, surrogate."""


class Writer:
    """Appends pairs to an opened file. Each line has its own nonce and cannot be moved, dropped or copied unseen."""

    def __init__(self, out: IO[bytes], key: bytes) -> None:
        aead: Any = import_module("cryptography.hazmat.primitives.ciphers.aead")
        self._cipher: Any = aead.AESGCM(key)
        self._out = out
        self._file = os.urandom(16).hex()
        self._line = 0
        out.write(json.dumps({"format": FORMAT, "file": self._file}).encode() + b"\n")

    def add(self, session: str, pairs: Sequence[Pair]) -> None:
        """One record's pairs."""
        if pairs:
            self._seal({"session": session, "pairs": pairs})

    def close(self) -> None:
        """The last line says how many came before, so that a cut is seen."""
        self._seal({"lines": self._line})

    def _seal(self, value: Any) -> None:
        nonce = os.urandom(NONCE)
        bound = f"{FORMAT} {self._file} {self._line}".encode()
        sealed: bytes = self._cipher.encrypt(nonce, json.dumps(value).encode("ascii"), bound)
        self._out.write(base64.b64encode(nonce + sealed) + b"\n")
        self._line += 1


def read(path: Path, key: bytes) -> Iterator[tuple[str, list[Pair]]]:
    """Each record's session and pairs. Raises ConfigError for another key, and for a file altered, cut or none."""
    aead: Any = import_module("cryptography.hazmat.primitives.ciphers.aead")
    cipher: Any = aead.AESGCM(key)
    wrong = ConfigError(
        f"The mapping {safe(path.name)} cannot be opened.", hint="the key is another one, or the file was altered"
    )
    try:
        lines = path.read_bytes().splitlines()
        head = json.loads(lines[0])
        if head["format"] != FORMAT:
            raise wrong
        values: list[Any] = []
        for number, line in enumerate(lines[1:]):
            sealed = base64.b64decode(line, validate=True)
            bound = f"{FORMAT} {head['file']} {number}".encode()
            values.append(json.loads(cipher.decrypt(sealed[:NONCE], sealed[NONCE:], bound)))
    except (OSError, ValueError, LookupError, TypeError):
        raise wrong from None
    except Exception as cause:
        if type(cause).__name__ == "InvalidTag":
            raise wrong from None
        raise
    if not values or values[-1] != {"lines": len(values) - 1}:
        raise wrong
    for value in values[:-1]:
        yield value["session"], [cast("Pair", tuple(pair)) for pair in value["pairs"]]
