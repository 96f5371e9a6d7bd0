"""Everything that a model wrote, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

from seatrial.core.output import Output

MAX_BITS = 10_000


class Passage(NamedTuple):
    """A text that the model wrote, and where it stands."""

    where: str
    text: str


def passages(output: Output) -> list[Passage]:
    """All that the model wrote: the last answer (`text`), earlier messages (`message:0`), calls (`call:0`)."""
    found = [Passage("text", output.text)]
    if len(output.messages) > 1:
        assistants = [m for m in output.messages if m.role == "assistant"]
        found += [Passage(f"message:{i}", m.text) for i, m in enumerate(assistants[:-1]) if m.text]
    for index, call in enumerate(output.tool_calls):
        place = f"call:{index}"
        found.append(Passage(place, call.name))
        found += [Passage(place, text) for text in leaf_texts(call.arguments)]
    return found


def leaf_texts(value: object) -> Iterator[str]:
    """Every text and number in a JSON value, in its order, keys included, without recursion."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            for key, inner in reversed(cast("dict[object, object]", item).items()):
                stack += (inner, key)
        elif isinstance(item, list | tuple):
            stack += reversed(cast("list[object]", item))
        elif isinstance(item, float) or (isinstance(item, int) and item.bit_length() <= MAX_BITS):
            yield repr(item)
