"""The key of a sealed split, and all that is done with it: encrypt, blind a hash, give a text a name that hides it.

From the environment's key comes one master key a set (HKDF-SHA256 for a generated key, scrypt for a passphrase), and
from that one key a purpose (HKDF-SHA256). Ciphers are AES-256-GCM. What must stay the same when the key is exchanged
(blind hashes, names) depends on a secret of the set, which lies encrypted beside its cases.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NoReturn

from seatrial.core.record import as_dict
from seatrial.errors import MissingSecretError, SealBrokenError, SealKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from seatrial.core.case import Case

ENVIRONMENT = "SEATRIAL_SEAL_KEY"
GENERATED = "stk1-"
KEY_BYTES = 32
NONCE_BYTES = 12
ID_DIGITS = 16
MARK = "seatrial_sealed"
"""The key of a sealed case's metadata: its canary, what that means, and the secret of its set."""
SHOWN = "[sealed]"
"""What stands where a text would."""
NAMED = "sealed-"
SCRYPT = {"n": 1 << 15, "r": 8, "p": 1}
HOW = (
    f"set {ENVIRONMENT} to the key that sealed the split; `seatrial dataset seal --new-key` prints one for a set that "
    "is not sealed yet"
)

opened = False
"""Whether this process has held sealed text: its defects are then reported without their messages."""


def new_key() -> str:
    """A new random key of 256 bits, as it is put into the environment."""
    return GENERATED + base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii").rstrip("=")


def environment_key(environ: Mapping[str, str], name: str = ENVIRONMENT) -> str:
    """The key in the environment. Raises MissingSecretError where there is none."""
    found = environ.get(name, "").strip()
    if not found:
        raise MissingSecretError(
            f"The environment variable {name} is not set: a sealed split opens with its key.", hint=HOW
        )
    return found


def has_key(environ: Mapping[str, str], name: str = ENVIRONMENT) -> bool:
    """Whether the environment holds a key at all."""
    return bool(environ.get(name, "").strip())


class Keys:
    """The keys of one set, from the environment's key and the set's id. `id` tells keys apart and reveals none."""

    __slots__ = ("_master", "id")

    def __init__(self, key: str, set_id: str) -> None:
        """Raises SealKeyError for a key that is malformed, or a passphrase of fewer than 32 bytes."""
        salt = sha256(b"seatrial/seal/1\x00" + set_id.encode("utf-8", "surrogatepass")).digest()
        self._master = _master(key, salt)
        self.id = sha256(b"seatrial/seal/id\x00" + self.derive("check")).hexdigest()[:ID_DIGITS]

    def derive(self, purpose: str, salt: bytes = b"") -> bytes:
        """A key for one purpose alone, by HKDF-SHA256."""
        return _hkdf(self._master, salt, b"seatrial/seal/1/" + purpose.encode("ascii"))


def _master(key: str, salt: bytes) -> bytes:
    raw = os.fsencode(key)
    if key.startswith(GENERATED):
        body = key.removeprefix(GENERATED)
        with suppress(ValueError, binascii.Error):
            found = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            if len(found) == KEY_BYTES:
                return _hkdf(found, salt, b"seatrial/seal/1/master")
        raise SealKeyError(
            f"The key in {ENVIRONMENT} is damaged: {GENERATED} and 43 letters and digits are a key.",
            hint="copy it again, whole",
        )
    if len(raw) < KEY_BYTES:
        raise SealKeyError(
            f"The passphrase in {ENVIRONMENT} has {len(raw)} bytes, and needs at least {KEY_BYTES}.",
            hint="`seatrial dataset seal --new-key` prints a random key",
        )
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=KEY_BYTES, **SCRYPT).derive(raw)


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt or None, info=info).derive(key)


def cipher(key: bytes) -> AESGCM:
    """AES-256-GCM under a key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


class Vault:
    """What a run keeps sealed cases and all that comes of them in: the set's keys, and its secret.

    Nonces are random: 96 bits, so one key is good for 2^32 values. `plain` are words that the suite itself spells
    out, which hide nothing.
    """

    __slots__ = ("_cipher", "_secret", "id", "plain")

    def __init__(self, keys: Keys, secret: bytes, plain: Iterable[str] = ()) -> None:
        self._cipher = cipher(keys.derive("store"))
        self._secret = secret
        self.id = keys.id
        self.plain = frozenset(plain)

    def encrypt(self, content: bytes, beside: bytes) -> bytes:
        """The content encrypted; `beside` lies open next to it and cannot be exchanged for another."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return bytes.fromhex(self.id) + nonce + self._cipher.encrypt(nonce, content, beside)

    def decrypt(self, stored: bytes, beside: bytes) -> bytes:
        """The content. Raises SealKeyError for another key's, SealBrokenError for what was altered."""
        from cryptography.exceptions import InvalidTag

        size = ID_DIGITS // 2
        if stored[:size].hex() != self.id:
            wrong_key(stored[:size].hex(), self.id)
        nonce, body = stored[size : size + NONCE_BYTES], stored[size + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, beside)
        except (InvalidTag, ValueError):
            raise SealBrokenError(
                "A sealed value in the store was altered.", hint="restore the store from a backup"
            ) from None

    def _keyed(self, purpose: bytes, content: bytes) -> bytes:
        return hmac.digest(self._secret, purpose + b"\x00" + content, "sha256")

    def blind(self, raw: bytes) -> bytes:
        """A hash that stands for another one and lets nobody without the set's secret try texts against it."""
        return self._keyed(b"hash", raw)

    def name(self, text: str) -> str:
        """A name that stands for a text: equal texts have equal names; no text has none."""
        return NAMED + self._token(text, 16) if text else ""

    def label(self, text: str) -> str:
        """A class label, as a name unless the suite spells it out itself."""
        return text if text in self.plain else self.name(text)

    def shown(self, content: str) -> str:
        """What stands where a text would: equal texts look equal."""
        return f"{SHOWN} {self._token(content, 8)}"

    def _token(self, text: str, digits: int) -> str:
        return self._keyed(b"text", text.encode("utf-8", "surrogatepass")).hex()[:digits]

    def mac(self, content: bytes) -> str:
        """A code over content that only a holder of the key can make, in hex."""
        return self._keyed(b"ledger", content).hex()


def wrong_key(theirs: str, mine: str) -> NoReturn:
    """Say that the environment's key is another one."""
    raise SealKeyError(
        f"The key in {ENVIRONMENT} is the wrong one: it has the id {mine}, this was sealed with {theirs}.",
        hint="set the key that it was sealed with; after an exchange, the store too is brought over by `seal --rekey`",
    )


def mark_of(case: Case) -> dict[str, Any] | None:
    """What marks a case as sealed; None for an open one."""
    return as_dict(case.metadata.get(MARK)) if case.metadata else None
