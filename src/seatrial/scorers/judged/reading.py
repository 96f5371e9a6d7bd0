"""What a judge's answer says, read strictly: everything in it may have been dictated by the text it judged."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, NamedTuple

from seatrial.core.record import Json, as_dict, as_list
from seatrial.scorers.base import encodable, no_constant
from seatrial.scorers.judged.form import FIELDS, Form, Material

MOST_CHARACTERS = 500_000
MOST_OBJECTS = 200
REASON = 500

_TOKEN = re.compile(r"\S+")


class Unusable(ValueError):  # noqa: N818  # it never leaves this folder
    """Why an answer is of no use, in words that hold nothing of the answer: they go back to the judge."""


class Chosen(NamedTuple):
    """A verdict word, and what it rests on: the passage as it stands in material `where`, with its offsets."""

    word: str
    quote: str
    where: str
    start: int | None
    end: int | None
    reason: str


def read(text: str, form: Form) -> dict[str, Chosen]:
    """The verdict of every question, by key.

    The answer must hold exactly one JSON object, prose around it is tolerated; with the form's ticket, which no judged
    text can know, without its mark, which a judge is told never to write; one verdict a question, of the form's words,
    with quotes that stand in the material that they name, white space aside. Raises Unusable for everything else.
    """
    text = _after_thoughts(encodable(text))
    if not text.strip():
        raise Unusable("it was empty")
    if form.mark in text:
        raise Unusable("it held the mark")
    found = one_object(text)
    if set(found) != {"ticket", "verdicts"}:
        raise Unusable("the object must have exactly the keys ticket and verdicts")
    if found["ticket"] != form.ticket:
        raise Unusable("the ticket was not the one at the head of the user message")
    chosen: dict[str, Chosen] = {}
    for entry in as_list(found["verdicts"]) or []:
        key, one = _verdict(entry, form)
        if key in chosen:
            raise Unusable(f"there were two verdicts for the key {_label(form, key)}")
        chosen[key] = one
    missing = [label for label, question in form.questions.items() if question.key not in chosen]
    if missing:
        raise Unusable(f"there was no verdict for the key {missing[0]}")
    return chosen


def _after_thoughts(text: str) -> str:
    """The text behind a leading block of thoughts, in which a judge may have drafted its answer."""
    return text.rpartition("</think>")[2] if text.lstrip().startswith("<think>") else text


def _label(form: Form, key: str) -> str:
    return next(label for label, question in form.questions.items() if question.key == key)


def _verdict(entry: Json, form: Form) -> tuple[str, Chosen]:
    given = as_dict(entry)
    if given is None or set(given) != set(FIELDS) or not all(isinstance(value, str) for value in given.values()):
        raise Unusable(f"each verdict must be an object with exactly the texts {', '.join(FIELDS)}")
    question = form.questions.get(given["key"])
    if question is None:
        raise Unusable("there was a verdict for a key that no question has")
    label, word = given["key"], given["verdict"]
    if word not in form.words:
        raise Unusable(f"the verdict for {label} was none of the words {', '.join(form.words)}")
    reason = given["reason"].strip()[:REASON]
    if not given["quote"].strip():
        if word in question.quoted:
            raise Unusable(f"the verdict for {label} needs a quote")
        return question.key, Chosen(word, "", "", None, None, reason)
    material = form.materials.get(given["where"])
    if material is None or not material.quotable:
        raise Unusable(f"the quote for {label} names no material that quotes are taken from")
    return question.key, _quoted(word, given["quote"], material, label, reason)


def _quoted(word: str, quote: str, material: Material, label: str, reason: str) -> Chosen:
    span = locate(material.text, quote)
    if span is None:
        raise Unusable(f"the quote for {label} does not stand in the material that it names, character by character")
    return Chosen(word, material.text[slice(*span)], material.name, *span, reason)


def locate(text: str, quote: str) -> tuple[int, int] | None:
    """Where a passage stands in a text, runs of white space being equal; the first place, or None."""
    quote = quote.strip()
    if not quote:
        return None
    start = text.find(quote)
    if start >= 0:
        return start, start + len(quote)
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    at = " ".join(text[a:b] for a, b in tokens).find(wanted := " ".join(quote.split()))
    if at < 0:
        return None
    places = [0, *accumulate(b - a + 1 for a, b in tokens)]

    def back(place: int) -> int:
        token = bisect_right(places, place) - 1
        return tokens[token][0] + place - places[token]

    return back(at), back(at + len(wanted) - 1) + 1


def one_object(text: str) -> Mapping[str, Any]:
    """The one JSON object in a text. Raises Unusable for none and for several, and for keys that come twice."""
    if len(text) > MOST_CHARACTERS:
        raise Unusable("it was too long")
    found: list[Mapping[str, Any]] = []
    at, tries = text.find("{"), 0
    while at >= 0:
        tries += 1
        if tries > MOST_OBJECTS:
            raise Unusable("it held too many braces")
        try:
            value, at = _DECODER.raw_decode(text, at)
            found.append(value)
        except RecursionError:
            raise Unusable("it was nested too deep") from None
        except _TwiceError:
            raise Unusable("a key stood twice in one object") from None
        except ValueError:
            at += 1
        at = text.find("{", at)
    if len(found) != 1:
        raise Unusable("it held no complete JSON object" if not found else "it held more than one JSON object")
    return found[0]


class _TwiceError(Exception):
    """A key stands twice in an object."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _TwiceError
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=no_constant)
