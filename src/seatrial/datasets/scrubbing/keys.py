"""The keys: one for surrogates, one for the mapping. Neither is ever printed or written beside the data."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from seatrial.errors import ConfigError, MissingSecretError, UsageError

SCRUB_KEY = "SEATRIAL_SCRUB_KEY"
MAPPING_KEY = "SEATRIAL_MAPPING_KEY"
FILE = Path(".seatrial") / "scrub.key"


def scrub_key(folder: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """The key for surrogates: the environment's, else one drawn once and kept in `folder`/.seatrial/scrub.key.

    The file is readable by its owner alone and ignored by git. Raises ConfigError for a key under 16 bytes, UsageError
    where the file cannot be read or made.
    """
    given = environ.get(SCRUB_KEY)
    if given is not None:
        return _long_enough(given.encode("utf-8", "surrogateescape"), SCRUB_KEY)
    path = folder / FILE
    try:
        if not path.exists():
            _make(path)
        return _long_enough(path.read_bytes().strip(), str(FILE))
    except OSError as cause:
        raise UsageError(
            f"The scrubbing key {FILE} cannot be used: {cause.strerror}.", hint=f"set {SCRUB_KEY} instead"
        ) from cause


def _long_enough(key: bytes, name: str) -> bytes:
    if len(key) < 16:
        raise ConfigError(
            f"{name} holds fewer than 16 bytes.", hint="python -c 'import secrets; print(secrets.token_hex())'"
        )
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ignore = path.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")
    fresh = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_hex(32).encode())
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):  # whoever comes first decides
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def mapping_key(environ: Mapping[str, str] = os.environ) -> bytes:
    """The 32 bytes that encrypt the mapping, from the environment as hex or base64.

    Raises MissingSecretError where it is not set, ConfigError where it is no such key.
    """
    given = environ.get(MAPPING_KEY, "").strip()
    if not given:
        raise MissingSecretError(
            f"{MAPPING_KEY} is not set, and a mapping is only kept encrypted.",
            hint="python -c 'import secrets; print(secrets.token_hex(32))'",
        )
    for read in (bytes.fromhex, _from_base64):
        try:
            key = read(given)
        except (ValueError, binascii.Error):
            continue
        if len(key) == 32:
            return key
    raise ConfigError(f"{MAPPING_KEY} is no key of 32 bytes.", hint="write 64 hex digits, or base64 of 32 bytes")


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
