"""What an agent does when a tool fails it: try otherwise, fall back, say so, or press on as if nothing were."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, Text, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.agents._trail import Call, Said, Trail, is_read, key_of, named, trail
from seatrial.scorers.agents.course import call_key
from seatrial.scorers.base import BuiltinScorer, OneOrMore, Share, encodable, shown
from seatrial.scorers.card import Card, Example

MAX_SHOWN = 50
REACH = 200
"""So many calls after a failed one are looked at."""

TEXT_READ = 8_000
Reaction = Literal["retried", "fell_back", "told", "gave_up_silently", "pressed_on"]

_TELLS = re.compile(
    r"\b(?:error|fail(?:s|ed|ure|ing)?|unable|unavailable|unsuccessful(?:ly)?|couldn.?t|could not|can.?t|cannot|can not"
    r"|was(?: not|n.?t) able|were(?: not|n.?t) able|not (?:possible|found|available|working|go through|processed)"
    r"|did(?: not|n.?t) (?:work|go through|succeed)|does(?: not|n.?t) (?:exist|match|seem)"
    r"|no (?:record|match|results?|such)"
    r"|technical (?:issue|difficult\w+|problem)|ran into|problems?|issues?|declined|rejected|denied|timed out"
    r"|went wrong|invalid|insufficient|not enough|unfortunately"
    r"|no (?:pude|puedo|es posible|fue posible|se pudo)|impossible|n.ai pas pu|ne peux pas|échou\w+|erreur|fehler\w*"
    r"|konnte (?:\w+ ){0,4}nicht|leider|fehlgeschlagen|não (?:foi possível|consegui|posso)|erro"
    r"|non (?:è stato possibile|riesco|posso)|niet (?:gelukt|mogelijk)|helaas|nie udało|niestety|hata|maalesef)\b"
    r"|не удалось|не могу|ошибк|к сожалению|无法|失败|错误|未能"
    r"|できません|失敗|エラー|오류|실패|할 수 없|لم أتمكن|خطأ|تعذر|नहीं कर|त्रुटि",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:no|without(?: any)?|any|free of) (?:further |other |more )?(?:error|problem|issue|failure|difficult\w+)s?\b"
    r"|\bif (?:you|there|anything)\b[^.!?\n]{0,80}|\bnot a problem\b|\bno longer\b|\bcannot wait\b|\bcan.?t wait\b"
    r"|\b(?:problem|issue) (?:is |was |has been )?(?:now )?(?:solved|fixed|resolved)\b",
    re.IGNORECASE,
)


def tells_of_failure(text: str) -> tuple[int, int] | None:
    """Where a text says that something did not work; None where it does not, as with "no problem"."""
    plain = encodable(text[:TEXT_READ])
    kept = _DENIES.sub(lambda match: " " * len(match.group()), plain)
    found = _TELLS.search(kept)
    return None if found is None else found.span()


class Recovery(BuiltinScorer):
    """The share of failed tool calls that the agent dealt with.

    After a call that failed: `retried`: a later call of the same tool went well that shares an argument value with it
    (any does where it had at most one); `fell_back`: a later call of a tool that stands in for it went well; `told`:
    the assistant said that it did not work before the user spoke again; else it `pressed_on`, or, where it did and
    said nothing more, `gave_up_silently`. The first three count. `fallbacks` says which tools stand in for which (`*`
    stands for anything); where it does not name the failed tool, one of the same kind (reading or writing, see
    `redundant_steps`) that was given a same argument value does.
    A result counts as an error by `error` of its step, by text that opens like an error, by an object that says so
    (`error`, `isError`, `success: false`, an error's `status`). The measure is the number of failed calls; where none
    failed there was nothing to recover from, and it passes. Passes at `threshold`.
    Example: `{fallbacks: {search_direct: search_onestop}}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("recovery", "1", unit="trace", needs=frozenset({"steps"}))
    card: ClassVar[Card] = Card(
        formula="failed calls that were retried with success, replaced or told of / failed calls; 1 where none failed.",
        examples=(
            Example(
                "Refund order 7.",
                {
                    "steps": [
                        {"kind": "tool", "name": "refund", "input": {"id": 7}, "error": "wrong format"},
                        {"kind": "tool", "name": "refund", "input": {"id": "7"}, "output": {"ok": True}},
                    ]
                },
                1.0,
                True,
            ),
            Example(
                "Refund order 7.",
                {
                    "steps": [{"kind": "tool", "name": "refund", "input": {"id": 7}, "error": "wrong format"}],
                    "messages": [{"role": "assistant", "content": "Done, your refund is on its way!"}],
                },
                0.0,
                False,
                note="it pressed on",
            ),
        ),
        fails=(
            "Whether the user was told is read from words, in about a dozen languages.",
            "Errors in a tool's own words, like an empty list, are not seen.",
            "A run without errors tells nothing of how the agent would recover.",
        ),
        also_called=("futureagi:step_efficiency",),
    )
    reads: Annotated[tuple[Text, ...], OneOrMore] = ()
    writes: Annotated[tuple[Text, ...], OneOrMore] = ()
    fallbacks: Mapping[Text, Annotated[tuple[Text, ...], OneOrMore]] = Field(default_factory=dict)
    threshold: Share = 1.0

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        seen = trail(output)
        failed = [i for i, call in enumerate(seen.calls) if call.error]
        values = [_values(call.arguments) for call in seen.calls] if failed else []
        found = [(i, *self._reaction(i, seen, values)) for i in failed]
        evidence = tuple(
            Evidence(
                where=seen.calls[i].where,
                quote=said[:200],
                note=f"{shown(seen.calls[i].name, 60)} failed; the agent {reaction.replace('_', ' ')}",
                expected="retried, fell_back or told",
                found=reaction,
            )
            for i, reaction, said in found[:MAX_SHOWN]
        )
        right = sum(reaction in ("retried", "fell_back", "told") for _, reaction, _ in found)
        value = right / len(found) if found else 1.0
        wrong = next((e for e in evidence if e.found in ("pressed_on", "gave_up_silently")), None)
        reason = f"{right} of {len(found)} errors were dealt with" if found else "no tool call failed"
        reason += f"; {wrong.note}" if wrong is not None else ""
        measure = float(len(found))
        return Score.graded(value, self.threshold, reason, evidence=evidence, measure=measure, unit="errors")

    def _reaction(self, index: int, seen: Trail, values: Sequence[set[str]]) -> tuple[Reaction, str]:
        """What was done about a failed call, and the words that say so where it was told."""
        failed = seen.calls[index]
        reach = range(index + 1, min(index + 1 + REACH, len(seen.calls)))
        later = [(seen.calls[i], bool(values[index] & values[i])) for i in reach if not seen.calls[i].error]
        free = len(values[index]) <= 1
        if any(call.name == failed.name and (shares or free or _equal(call, failed)) for call, shares in later):
            return "retried", ""
        if any(self._stands_in(call, failed, shares=shares) for call, shares in later):
            return "fell_back", ""
        said = _until_asked(failed.at, seen.said)
        for one in said:
            span = tells_of_failure(one.text)
            if span is not None:
                return "told", one.text[max(0, span[0] - 60) : span[1] + 60]
        return ("pressed_on" if said or later else "gave_up_silently"), ""

    def _stands_in(self, call: Call, failed: Call, *, shares: bool) -> bool:
        if call.name == failed.name:
            return False
        stated = self.fallbacks.get(failed.name)
        if stated is not None:
            return named(call.name, stated)
        alike = is_read(call.name, self.reads, self.writes) == is_read(failed.name, self.reads, self.writes)
        return alike and shares


def _equal(call: Call, failed: Call) -> bool:
    return call_key(call) == call_key(failed)


def _values(arguments: Json) -> set[str]:
    """The plain values among arguments, as keys; what true, false, null and an empty text say is nothing of its own."""
    waiting: list[Json] = [arguments]
    found: set[str] = set()
    while waiting and len(found) < 1000:
        value = waiting.pop()
        inner = as_dict(value)
        items = list(inner.values()) if inner is not None else as_list(value)
        if items is not None:
            waiting += items
        elif value is not None and not isinstance(value, bool) and value != "":
            found.add(key_of(value))
    return found


def _until_asked(at: int, said: Sequence[Said]) -> list[Said]:
    """What the assistant said after a point, up to the user's next turn."""
    found: list[Said] = []
    for one in said:
        if one.at <= at:
            continue
        if one.role == "user":
            break
        found.append(one)
    return found
