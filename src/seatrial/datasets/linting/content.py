"""Findings on the cases themselves: labels, leaks, repeats, splits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from seatrial.core.record import as_dict
from seatrial.datasets.linting import leaks
from seatrial.datasets.linting.facts import Bools, Facts, groups
from seatrial.datasets.linting.finding import Finding, found, many, percent

COPYING = 0.5
"""Where more of the labelled cases than this hold their answer in the question, copying it is the task."""
MOST_PAIRS = 20_000
REPEATED = 0.02
"""A smaller share of undeclared near-duplicates moves no interval."""
_DIGITS = re.compile(r"\d+")


def content_findings(facts: Facts) -> Iterator[Finding]:
    """Everything that cases alone show."""
    yield from _conflicts(facts)
    yield from _leaks(facts)
    yield from _unlabelled(facts)
    yield from _ids(facts)
    yield from _undeclared(facts)
    yield from _across(facts)


# references -----------------------------------------------------------------------------------------------------------


def _conflicts(facts: Facts) -> Iterator[Finding]:
    has = facts.expected != 0
    equal = list(_disputed(facts, groups(facts.same, has), nearly=False))
    if equal:
        yield found(
            "L101",
            f"{many(len(equal), 'case')} ask the same with the same documents as another case, and no answer is right "
            f"for both: {_pair(facts, equal)}.",
            cases=facts.listed(sorted({at for pair in equal for at in pair})),
        )
    near = [pair for pair in _disputed(facts, groups(facts.near, has), nearly=True) if pair not in set(equal)]
    if near:
        yield found(
            "L102",
            f"{many(len(near), 'case')} ask nearly the same as another, with the same documents and numbers, and no "
            f"answer is right for both: {_pair(facts, near)}.",
            cases=facts.listed(sorted({at for pair in near for at in pair})),
        )


def _pair(facts: Facts, pairs: Sequence[tuple[int, int]]) -> str:
    first, second = pairs[0]
    return f"{facts.ids[first]} and {facts.ids[second]}"


def _disputed(facts: Facts, sets: Iterable[list[int]], *, nearly: bool) -> Iterator[tuple[int, int]]:
    """Each case with the first of its group that it contradicts, at most `MOST_PAIRS` compared."""
    left = MOST_PAIRS
    for rows in sets:
        if len({int(facts.expected[at]) for at in rows}) < 2:
            continue
        kept: list[int] = []
        for at in rows:
            for other in kept:
                left -= 1
                if _contradicts(facts, other, at, nearly=nearly):
                    yield (other, at)
                    break
            if all(facts.expected[at] != facts.expected[other] for other in kept):
                kept.append(at)
            if left < 0:
                return


def _contradicts(facts: Facts, one: int, other: int, *, nearly: bool) -> bool:
    if facts.given[one] != facts.given[other] or facts.expected[one] == facts.expected[other]:
        return False
    if nearly and (facts.same[one] == facts.same[other] or _numbers(facts.texts[one]) != _numbers(facts.texts[other])):
        return False
    return apart(json.loads(facts.references[one]), json.loads(facts.references[other]))


def _numbers(text: str) -> list[str]:
    return sorted(_DIGITS.findall(text))


def apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether no output can satisfy two references: in one facet that both state they accept nothing in common."""
    for facet in ("answers", "choice", "tool_calls"):
        if one.get(facet) and other.get(facet) and not _accepted(one[facet]) & _accepted(other[facet]):
            return True
    return any(
        one.get(facet) is not None and other.get(facet) is not None and one[facet] != other[facet]
        for facet in ("behaviour", "state")
    )


def _accepted(values: Sequence[Any]) -> set[str]:
    return {
        leaks.plain(value) if isinstance(value, str) else json.dumps(_short(value), sort_keys=True) for value in values
    }


def _short(value: Any) -> Any:
    """An answer that is an object without its long texts, which say one thing in many ways."""
    fields = as_dict(value)
    if fields is None:
        return value
    kept = {
        key: item for key, item in fields.items() if not (isinstance(item, str) and leaks.telling(leaks.plain(item)))
    }
    return kept or value


def _leaks(facts: Facts) -> Iterator[Finding]:
    shown = facts.leak == leaks.SHOWN
    if shown.any():
        yield found(
            "L103",
            f"The prompt of {many(int(shown.sum()), 'case')} holds the expected answer where only its author can have "
            "put it: in a system message, as a whole document, or behind a word like `answer:`.",
            cases=facts.named(shown),
        )
    asked = facts.leak == leaks.IN_QUESTION
    labelled = int((facts.expected != 0).sum())
    if asked.any():
        copying = int(asked.sum()) > COPYING * labelled
        why = (
            "So it is for most cases: right where the task is to copy, and then an answer proves little else."
            if copying
            else "Right where the task is to copy or correct a text; else the model is told what to say."
        )
        yield found(
            "L103",
            f"The conversation of {many(int(asked.sum()), 'case')} holds the expected answer word for word. {why}",
            cases=facts.named(asked),
            severity="note" if copying else "warning",
        )


def leaked_by_prompt(facts: Facts, prompt: str) -> Iterator[Finding]:
    """References that stand in the suite's own prompt: examples (few-shot) that are cases too."""
    shown = leaks.plain(prompt)
    rows: list[int] = []
    known: dict[int, bool] = {}
    for at in np.flatnonzero(facts.expected != 0).tolist() if shown else ():
        key = int(facts.expected[at])
        if key not in known:
            known[key] = _in_prompt(facts.references[at], shown)
        asked = leaks.plain(facts.texts[at])
        if known[key] or (leaks.telling(asked) and asked in shown):
            rows.append(at)
    if rows:
        yield found(
            "L103",
            f"The suite's prompt holds the input or the expected answer of {many(len(rows), 'case')} word for word: an "
            "example in the prompt cannot be a case too.",
            cases=facts.listed(rows),
            fix="take the example out of the prompt, or the case out of the set",
        )


def _in_prompt(reference: str, shown: str) -> bool:
    level: list[Any] = [json.loads(reference).get("answers")]
    while level:
        value = level.pop()
        if isinstance(value, str):
            text = leaks.plain(value)
            if leaks.telling(text) and text in shown:
                return True
        elif isinstance(value, dict):
            level += cast("dict[str, Any]", value).values()
        elif isinstance(value, list):
            level += cast("list[Any]", value)
    return False


def _unlabelled(facts: Facts) -> Iterator[Finding]:
    bare = ~facts.labelled
    if not bare.any():
        return
    share = float(bare.mean())
    text = (
        f"{many(int(bare.sum()), 'case')} ({percent(share)}) have no reference, no criteria and no probe's oracle: "
        "only rubrics that need none can judge them."
    )
    severity = "error" if share > 0.5 else "warning"
    yield found("L104", text, cases=facts.named(bare), severity=severity, numbers={"share": share})


# repeats --------------------------------------------------------------------------------------------------------------


def _ids(facts: Facts) -> Iterator[Finding]:
    if len(set(facts.ids)) == len(facts.ids):
        return
    seen: set[str] = set()
    twice = [name for name in facts.ids if name in seen or seen.add(name)]
    splits = " in several splits" if len(facts.split.values) > 1 else ""
    yield found("L105", f"{many(len(twice), 'id')} belong to more than one case{splits}.", cases=sorted(set(twice)))


def _undeclared(facts: Facts) -> Iterator[Finding]:
    """Near-duplicates inside a split that no seed links: each would count as a case of its own."""
    rows: list[int] = []
    for group in groups(facts.near):
        clusters: set[tuple[int, int]] = set()
        for at in group:
            place = (int(facts.cluster[at]), int(facts.split.codes[at]))
            if clusters and place not in clusters and any(place[1] == split for _, split in clusters):
                rows.append(at)
            clusters.add(place)
    if not rows:
        return
    share = len(rows) / len(facts)
    yield found(
        "L106",
        f"{many(len(rows), 'case')} ({percent(share)}) {'says' if len(rows) == 1 else 'say'} nearly the same as an "
        "earlier one under another seed, so that intervals take them for independent.",
        cases=facts.listed(rows),
        severity="warning" if share > REPEATED else "note",
        numbers={"share": share},
    )


def _across(facts: Facts) -> Iterator[Finding]:
    if len(facts.split.values) < 2:
        return
    near = list(_in_several(facts, groups(facts.near)))
    if near:
        first = ", ".join(f"{facts.ids[at]} ({facts.split.values[facts.split.codes[at]]})" for at in near[0][:3])
        rows = [at for group in near for at in group]
        yield found(
            "L201",
            f"{many(len(near), 'cluster')} of near-duplicates with {many(len(rows), 'case')} lie in several splits: "
            f"{first}. What was learnt on one split is known on the other.",
            cases=facts.listed(rows),
        )
    seeds = list(_in_several(facts, groups(facts.seed, facts.seed != 0)))
    if seeds:
        rows = [at for group in seeds for at in group]
        yield found(
            "L204",
            f"{many(len(seeds), 'seed')} with {many(len(rows), 'case')} lie in several splits.",
            cases=facts.listed(rows),
        )


def _in_several(facts: Facts, sets: Iterable[list[int]]) -> Iterator[list[int]]:
    for rows in sets:
        if len({int(facts.split.codes[at]) for at in rows}) > 1:
            yield rows


def only(facts: Facts, splits: Sequence[str]) -> Bools:
    """Which cases lie in one of these splits; all where there are none."""
    return facts.split.where(*splits) if facts.split.values else np.ones(len(facts), dtype=np.bool_)
