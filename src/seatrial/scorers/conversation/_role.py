"""What a system prompt demands in words that a rule can check: a name, phrases, lengths, no emoji, a part to keep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from seatrial.scorers.base import encodable, shown

READ = 50_000
_QUOTE = r"[\"“'‘`](?P<phrase>[^\"“”'‘’`\n]{1,120})[\"”'’`]"
_CAPITAL = r"[A-ZÀ-Þ][a-zà-ÿ]{1,30}"
_PERSONA = re.compile(
    r"\b(?:[Yy]our name is|[Yy]ou are(?: [\w ,-]{0,60}?)? (?:named|called)) (?P<name>[A-ZÀ-Þ]\w{1,30})"
    rf"|\b[Yy]ou are (?P<bare>{_CAPITAL})(?=, )"
)
_BANNED = re.compile(
    r"\b(?:never|do not|don.?t|must not|avoid)\s(?:ever\s)?(?:say(?:ing)?|mention(?:ing)?|us(?:e|ing)|writ(?:e|ing)"
    rf"|includ(?:e|ing))(?: the)?(?: words?| phrases?| names?| terms?)?:? {_QUOTE}",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"\b(?P<end>end|finish|close|sign off|begin|start|open)\s(?:each |every |all |your |the ){0,4}"
    rf"(?:replies |reply |messages? |answers? |responses? )?with(?: the)?(?: words?| phrases?| sentence)?:? {_QUOTE}",
    re.IGNORECASE,
)
_NO_EMOJI = re.compile(r"\b(?:no|never use|do not use|don.?t use|avoid|without)(?: any)? emojis?\b", re.IGNORECASE)
_LENGTH = re.compile(
    r"\b(?:at most|no more than|under|fewer than|less than|within|maximum of|up to|limit(?:ed)? to) (?P<n>\d{1,5})"
    r" (?P<unit>words|sentences|characters)\b",
    re.IGNORECASE,
)
_IN_PART = re.compile(
    r"\b(?:stay|remain|keep) in (?:character|role)\b|\b(?:never|do not|don.?t) (?:say|reveal|admit|mention|disclose)"
    r" that you(?: a|.)re an? (?:AI|language model|bot|assistant)",
    re.IGNORECASE,
)
_OUT_OF_PART = re.compile(
    r"\b(?:as|I.?m|I am|being) (?:just |only )?an? (?:AI|artificial intelligence|(?:large )?language model"
    r"|chat ?bot)\b",
    re.IGNORECASE,
)
_I_AM = re.compile(
    r"\b(?:[Mm]y name is|I am called|I[’']m called) (?P<name>[A-ZÀ-Þ]\w{1,30})"
    rf"|\b(?:I[’']m|I am|[Tt]his is) (?P<bare>{_CAPITAL})(?=, (?:your|the|an?)\b)"
)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u26ff\u2705\u2728\u274c\u2764\U0001f1e6-\U0001f1ff]")
_WORD = re.compile(r"\w+")
_STOP = re.compile(r"[.!?…。！？]+(?=\s|\Z)")

Check = Callable[[str], tuple[int, int] | None]


class Lint(NamedTuple):
    """A rule that a prompt states. `check` gives where a reply breaks it, None where it does not."""

    rule: str
    check: Check


class Broken(NamedTuple):
    """A rule that a reply breaks, and where."""

    rule: str
    start: int
    end: int


@lru_cache(maxsize=256)
def lints(prompt: str) -> tuple[Lint, ...]:
    """What a system prompt demands that a rule can check."""
    return tuple(_lints(encodable(prompt[:READ])))


def _lints(prompt: str) -> Iterator[Lint]:
    persona = _PERSONA.search(prompt)
    if persona is not None:
        name = persona["name"] or persona["bare"]
        yield Lint(f"its name is {shown(name, 60)}", _other_name(name))
    for match in _BANNED.finditer(prompt):
        phrase = match["phrase"].strip()
        if phrase:
            yield Lint(f"never says {shown(phrase, 60)}", _finds(phrase))
    for match in _FRAME.finditer(prompt):
        ends = match["end"].lower() in ("end", "finish", "close", "sign off")
        phrase = match["phrase"].strip()
        yield Lint(f"{'ends' if ends else 'begins'} with {shown(phrase, 60)}", _framed(phrase, ends=ends))
    if _NO_EMOJI.search(prompt):
        yield Lint("uses no emoji", _span_of(_EMOJI))
    length = _LENGTH.search(prompt)
    if length is not None:
        yield Lint(f"at most {length['n']} {length['unit'].lower()}", _longer(int(length["n"]), length["unit"].lower()))
    if _IN_PART.search(prompt):
        yield Lint("stays in its part", _span_of(_OUT_OF_PART))


def _span_of(pattern: re.Pattern[str]) -> Check:
    return lambda text: None if (found := pattern.search(text)) is None else found.span()


def _finds(phrase: str) -> Check:
    return _span_of(re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)", re.IGNORECASE))


def _other_name(name: str) -> Check:
    def check(text: str) -> tuple[int, int] | None:
        for match in _I_AM.finditer(text):
            if (match["name"] or match["bare"]).casefold() != name.casefold():
                return match.span()
        return None

    return check


def _framed(phrase: str, *, ends: bool) -> Check:
    want = phrase.casefold().strip(" .!")

    def check(text: str) -> tuple[int, int] | None:
        plain = text.casefold().strip().strip("\"'*_ ")
        if (plain.rstrip(" .!\"'*_").endswith(want)) if ends else plain.startswith(want):
            return None
        return (max(0, len(text) - 60), len(text)) if ends else (0, min(60, len(text)))

    return check


def _longer(limit: int, unit: str) -> Check:
    def check(text: str) -> tuple[int, int] | None:
        if unit == "characters":
            count = len(text)
        elif unit == "words":
            count = len(_WORD.findall(text))
        else:
            count = len(_STOP.findall(text.strip())) or 1
        return (0, len(text)) if count > limit else None

    return check


def broken(rules: Sequence[Lint], text: str) -> list[Broken]:
    """The rules that a reply breaks."""
    plain = encodable(text[:READ])
    return [Broken(lint.rule, *span) for lint in rules if (span := lint.check(plain)) is not None]
