"""A provider that does not take a parameter: which one a request must not hold, and how each format says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from seatrial.core.record import Json, as_dict
from seatrial.testing.dialects.anthropic import Messages
from seatrial.testing.dialects.base import Asked, Dialect
from seatrial.testing.dialects.gemini import GenerateContent

ANY = "*"
CONFIG = "generationConfig"


class Rejection(NamedTuple):
    """An error about one parameter: its kind, what it says, and the parameter."""

    kind: str
    problem: str
    param: str


def rejection(asked: Asked, dialect: Dialect, rejects: Mapping[str, Sequence[str]]) -> Rejection | None:
    """The refusal of a request's first parameter that its model does not take; None where it takes them all.

    `rejects`: parameters by model, in the words of the format; `*` stands for every model.
    """
    unwanted = (*rejects.get(asked.model, ()), *rejects.get(ANY, ()))
    config = as_dict(asked.body.get(CONFIG)) or {}
    found = next((name for name in unwanted if name in asked.body or name in config), None)
    if found is None:
        return None
    message = _message(dialect, found, config.get(found, asked.body.get(found)))
    kind = "unsupported_value" if message.startswith("Unsupported value") else "unsupported_parameter"
    return Rejection(kind, message, found)


def _message(dialect: Dialect, name: str, value: Json) -> str:
    """What such a provider says."""
    if isinstance(dialect, Messages):
        return f"`{name}` is deprecated for this model."
    if isinstance(dialect, GenerateContent):
        place = " at 'generation_config'"
        return f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
    if name in ("temperature", "top_p"):
        return (
            f"Unsupported value: '{name}' does not support {value} with this model. Only the default (1) value is "
            "supported."
        )
    return f"Unsupported parameter: '{name}' is not supported with this model."
