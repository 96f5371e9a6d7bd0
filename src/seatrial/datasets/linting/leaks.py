"""Whether a case's reference stands in what the model is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from seatrial.core.case import Case, Expected

NONE, IN_QUESTION, SHOWN = 0, 1, 2
"""No leak; verbatim in a user's message, as where the task is to copy; verbatim where only its author can have put it:
a system or assistant message, or behind a word like `answer:`."""

LEAST_LETTERS, LEAST_WORDS = 20, 4
"""Shorter answers (labels, numbers, names) stand in prompts rightly: choices, or what is to be classified."""
LONGEST = 20_000
_MARKED = re.compile(
    r"\b(?:(?:expected|correct|right|reference|gold|ground[ _]truth|final)[ _]*(?:answer|output|label)?|answer|label"
    r"|solution)\s*(?:is\s*)?[:=]\s*[\"'`]?",
    re.IGNORECASE,
)


def leak_of(case: Case) -> int:
    """The worst leak of a case: NONE, IN_QUESTION or SHOWN."""
    if case.expected is None:
        return NONE
    references = [plain(text) for text in answers_in(case.expected)]
    if not references:
        return NONE
    long = [text for text in references if telling(text)]
    worst = NONE
    for message in case.input:
        text = plain(message.text)
        if any(marked(text, one) for one in references):
            return SHOWN
        if any(one in text for one in long):
            worst = max(worst, SHOWN if message.role in ("system", "developer") else IN_QUESTION)
    documents = {plain(document.text) for document in case.context}
    return SHOWN if any(one in documents for one in long) else worst


def answers_in(expected: Expected) -> Iterator[str]:
    """The texts that a reference consists of: accepted answers, and the texts inside those that are objects."""
    for answer in expected.answers:
        yield from _leaves(answer)


def _leaves(value: Any) -> Iterator[str]:
    level = [value]
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if item.strip():
                    yield item
            elif isinstance(item, dict):
                inner += cast("dict[str, Any]", item).values()
            elif isinstance(item, list | tuple):
                inner += cast("list[Any]", item)
            elif isinstance(item, int | float) and not isinstance(item, bool) and level[0] is value:
                yield str(item)
        level = inner


def telling(text: str) -> bool:
    """Whether a text is long enough that it stands somewhere by no accident."""
    if len(text) < LEAST_LETTERS:
        return False
    return len(text.split()) >= LEAST_WORDS or not text.isascii()


def marked(text: str, answer: str) -> bool:
    """Whether an answer, however short, follows a word that announces it."""
    for found in _MARKED.finditer(text):
        rest = text[found.end() :]
        if rest.startswith(answer) and not rest[len(answer) : len(answer) + 1].isalnum():
            return not rest[len(answer) :].lstrip("\"'`").startswith((" or ", "/", "|", ","))
    return False


def plain(text: str) -> str:
    """A text as it is compared: case and white space do not count."""
    return " ".join(text[:LONGEST].casefold().split())
