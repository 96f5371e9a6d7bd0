"""Ids that surely hold nothing personal: a word and a number, as most of a log's are, told by their word."""

from __future__ import annotations

import re
from functools import lru_cache

from seatrial.datasets.scrubbing.policy import Policy
from seatrial.scorers.safety import personal

_NUMBERED = re.compile("([A-Za-z]{1,40}[-_])([0-9]{1,11})")


def is_quiet(text: str, policy: Policy) -> bool:
    """Whether a text is a word, a hyphen or underscore, and up to 11 digits in which no kind can be found.

    No hint of a detector tells such digits apart, so that what holds for zeros holds for all; a telephone number, the
    one kind whose hint is digits alone, never begins behind a word that is joined to it. False says nothing.
    """
    match = _NUMBERED.fullmatch(text)
    if match is None or policy.patterns or len(text) > policy.max_chars:
        return False
    return _holds_at_most_a_phone(match[1], len(match[2]))


@lru_cache(maxsize=1024)
def _holds_at_most_a_phone(word: str, digits: int) -> bool:
    return personal.hinted(word + "0" * digits) <= {"phone"}
