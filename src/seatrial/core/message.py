"""Chat messages: what goes in, and what comes out."""

import base64
import binascii
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from seatrial.core.record import Json, Record, Text, as_dict, as_list

Role = Literal["system", "developer", "user", "assistant", "tool"]


class TextPart(Record):
    """Text inside a message of several parts."""

    type: Literal["text"]
    text: Text


class BlobPart(Record):
    """An image, audio clip or file; its identity is the sha256 of its bytes.

    Give `data` (base64) or `url`. A dataset row may name a `path` beside itself; reading replaces it by `data`.
    """

    type: Literal["image", "audio", "file"]
    media_type: Text = ""
    name: Text = ""
    data: Text = ""
    url: Text = ""
    sha256: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _fingerprint(cls, raw: Any) -> Any:
        part = as_dict(raw)
        if part is None:
            return raw
        if bool(part.get("data")) == bool(part.get("url")):
            raise ValueError("needs either data (base64) or url")
        if not part.get("data"):
            return part
        try:
            found = sha256(base64.b64decode(part["data"], validate=True)).hexdigest()
        except (binascii.Error, TypeError, ValueError):
            raise ValueError("data must be base64") from None
        if part.get("sha256") not in (None, "", found):
            raise ValueError(f"sha256 does not fit the data, whose hash is {found}")
        return {**part, "sha256": found}


Part = Annotated[TextPart | BlobPart, Field(discriminator="type")]


class ToolCall(Record):
    """A call of a tool. `arguments` is the parsed JSON object, or the raw text where it is none."""

    name: Text
    arguments: Json = Field(default_factory=dict)
    id: Text = ""


def _simplest(value: Any) -> Any:
    parts = as_list(value)
    if parts is not None and len(parts) == 1:
        only = as_dict(parts[0])
        if only is not None and only.get("type") == "text" and set(only) == {"type", "text"}:
            return only["text"]
    return "" if value is None else value


class Message(Record):
    """One chat message. A message of a single text part equals the message with that text."""

    role: Role
    content: Annotated[Text | tuple[Part, ...], BeforeValidator(_simplest)] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: Text = ""
    name: Text = ""

    def plain(self) -> dict[str, Any]:
        """The fields that differ from their defaults; a message of text alone, the usual one, needs no serializer."""
        if not isinstance(self.content, str) or self.tool_calls or self.tool_call_id or self.name:
            return super().plain()
        return {"role": self.role, "content": self.content} if self.content else {"role": self.role}

    @property
    def text(self) -> str:
        """The text of all text parts, joined by line breaks."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))


def without_bytes(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Plain messages with each blob's `data` left out: its sha256 stands for it in every hash."""
    return [
        {
            **message,
            "content": [{k: v for k, v in part.items() if k != "data"} for part in message["content"]],
        }
        if not isinstance(message.get("content") or "", str)
        else message
        for message in messages
    ]
