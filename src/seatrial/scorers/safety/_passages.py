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


def passages(output: Output) -> Iterator[Passage]:
    """All that the model wrote: the last answer (`text`), earlier messages (`message:0`), calls (`call:0`)."""
    yield Passage("text", output.text)
    assistants = [m for m in output.messages if m.role == "assistant"]
    for index, message in enumerate(assistants[:-1]):
        if message.text:
            yield Passage(f"message:{index}", message.text)
    for index, call in enumerate(output.tool_calls):
        yield Passage(f"call:{index}", call.name)
        for text in leaf_texts(call.arguments):
            yield Passage(f"call:{index}", text)


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
