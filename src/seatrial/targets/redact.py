"""Cutting a secret out of what strangers send back: as it is, encoded, or a good part of it.

An endpoint may echo what it was sent: in an error, in an answer, split over the events of a stream, in base64 or
percent-encoded. So texts are searched last, when an answer is whole. Any run of 12 characters that a form of the secret
holds counts, so that half a key is found too.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import ValidationError

from seatrial.core.case import Document, Step
from seatrial.core.identity import canonical
from seatrial.core.message import Message
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.outcomes import Answer
from seatrial.targets.retry import Fault

re2: Any = import_module("re2")  # it has no type stubs; linear time over many words

MASK = "***"
SHORTEST_SECRET = 8
SHORTEST_PART = 12
BLOCK = 6
"""A run of 11 characters or more holds one of the blocks that begin at every sixth character: only those are sought."""

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)


class Redactor:
    """Finds and masks secrets. One without secrets changes nothing and costs nothing."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        forms = {form for secret in known for form in _forms(secret)}
        self._whole = sorted(known, key=len, reverse=True)
        self._parts = frozenset(_pieces(forms, SHORTEST_PART, 1))
        sought = {secret for secret in known if len(secret) < SHORTEST_PART} | set(_pieces(forms, BLOCK, BLOCK))
        self._sought = re2.compile("|".join(re2.escape(block) for block in sorted(sought)).encode()) if known else None

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Redactor:
        """For the values of all variables whose names say that they are secret."""
        return cls(value.strip() for name, value in environ.items() if SECRET_NAME.search(name))

    def text(self, text: str) -> str:
        """The text with every form and every long part of a secret masked."""
        if not self._suspect(text):
            return text
        for secret in self._whole:
            text = text.replace(secret, MASK)
        return "".join(self._masked(text))

    def value(self, value: Json) -> Json:
        """A JSON value with its texts masked, keys included."""
        if isinstance(value, str):
            return self.text(value)
        inner = as_dict(value)
        if inner is not None:
            return {self.text(key): self.value(item) for key, item in inner.items()}
        items = as_list(value)
        return value if items is None else [self.value(item) for item in items]

    def fault(self, fault: Fault) -> Fault:
        """The same fault, its message masked."""
        fault.message = self.text(fault.message)
        fault.args = (f"{fault.code}: {fault.message}",)
        return fault

    def answer(self, answer: Answer) -> Answer:
        """The answer with its texts masked. Raises Fault where what is left is no answer, as of an image."""
        if self._sought is None or not self._suspect(_texts(answer)):
            return answer
        try:
            return replace(
                answer,
                message=Message.model_validate(self.value(answer.message.plain())),
                thought=self.text(answer.thought),
                finish_reason=self.text(answer.finish_reason),
                served_model=self.text(answer.served_model),
                fingerprint=self.text(answer.fingerprint),
                metadata=self.value(dict(answer.metadata)),
                context=tuple(Document.model_validate(self.value(item.plain())) for item in answer.context),
                steps=tuple(Step.model_validate(self.value(item.plain())) for item in answer.steps),
            )
        except ValidationError:
            raise Fault("malformed", "the answer holds the key inside a file") from None

    def _suspect(self, text: str) -> bool:
        return self._sought is not None and self._sought.search(text.encode("utf-8", "replace")) is not None

    def _masked(self, text: str) -> Iterator[str]:
        """The text in pieces, a mask in place of every stretch that long parts cover."""
        end = 0
        for at in range(len(text) - SHORTEST_PART + 1):
            if text[at : at + SHORTEST_PART] not in self._parts:
                continue
            if at > end or not end:
                yield from (text[end:at], MASK)
            end = at + SHORTEST_PART
        yield text[end:]


def _pieces(forms: Iterable[str], length: int, step: int) -> Iterator[str]:
    return (form[at : at + length] for form in forms for at in range(0, len(form) - length + 1, step))


def _forms(secret: str) -> set[str]:
    """How a secret may be written: plain, percent-encoded, in hex, in JSON, and in base64 wherever it begins there."""
    raw = secret.encode()
    plain = {secret, quote(secret, safe=""), quote_plus(secret), raw.hex(), raw.hex().upper(), canonical(secret)[1:-1]}
    for lead in range(3):  # base64 turns three bytes into four characters; those shared with neighbours are left off
        encoded = b64encode(b"\0" * lead + raw).decode().rstrip("=")
        inner = encoded[-(-lead * 4 // 3) : len(encoded) - (1 if (lead + len(raw)) % 3 else 0)]
        plain |= {inner, inner.translate(str.maketrans("+/", "-_"))}
    return plain


def _texts(answer: Answer) -> str:
    """All that the answer says, in one text."""
    message = answer.message
    heads = (answer.thought, answer.finish_reason, answer.served_model, answer.fingerprint)
    rest: list[Any] = [item.plain() for item in (*answer.context, *answer.steps)]
    if answer.metadata:
        rest.append(dict(answer.metadata))
    if message.tool_calls or not isinstance(message.content, str):
        rest.append(message.plain())
        return "\n".join((*heads, canonical(rest)))
    return "\n".join((message.content, *heads, canonical(rest) if rest else ""))
