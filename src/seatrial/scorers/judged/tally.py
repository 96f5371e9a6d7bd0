"""Criteria as settings, and how their verdicts make a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field

from seatrial.core.record import Filled, Record, Text
from seatrial.core.score import Evidence, Score
from seatrial.scorers.base import Flag, Real, shown
from seatrial.scorers.judged.asking import Criterion, Verdict
from seatrial.scorers.judged.base import listed

ROUNDING = 1e-9


class Item(Record):
    """One criterion: a question or a statement that holds of a good answer."""

    text: Filled = Field(description="The question, whose yes is good, or what holds of a good answer")
    weight: Real = Field(default=1.0, gt=0, description="What it counts beside the others")
    quoted: Flag = Field(default=False, description="A yes counts only with a passage of the answer")
    name: Text = Field(default="", description="A short name for reports")


def _item(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _items(value: Any) -> Any:
    return (value,) if isinstance(value, str | dict) else value


Items = Annotated[tuple[Annotated[Item, BeforeValidator(_item)], ...], BeforeValidator(_items)]
"""Criteria as people write them: texts, or objects of `text`, `weight`, `quoted` and `name`; one needs no list."""


def distinct(items: Sequence[Item]) -> dict[str, Item]:
    """The criteria by key, each text once.

    Keys are numbers in the order of the texts, not of the list: the same criteria in another order are the same
    questions, and their verdicts are the same.
    """
    by_text = {item.text: item for item in reversed(items)}
    keys = {text: f"c{number:02}" for number, text in enumerate(sorted(by_text), 1)}
    return {keys[item.text]: item for item in items if by_text[item.text] is item}


def criteria_of(items: Mapping[str, Item]) -> list[Criterion]:
    """The items as what a judge is asked."""
    return [Criterion(key, item.text, item.quoted) for key, item in items.items()]


class Tally(NamedTuple):
    """Shares of the weight: of yes, and of yes and undecided together."""

    low: float
    high: float


def tally(items: Mapping[str, Item], verdicts: Mapping[str, Verdict]) -> Tally:
    """The shares of the weight that the verdicts give."""
    whole = sum(item.weight for item in items.values())
    yes = sum(item.weight for key, item in items.items() if verdicts[key] == "yes")
    no = sum(item.weight for key, item in items.items() if verdicts[key] == "no")
    return Tally(yes / whole, 1.0 if no == 0 else min(1.0, (whole - no) / whole))


def scored(
    items: Mapping[str, Item],
    verdicts: Mapping[str, Verdict],
    threshold: float,
    evidence: Sequence[Evidence],
    *,
    note: str = "",
    **fields: Any,
) -> Score:
    """The score of the verdicts: the weighted share of yes, passed at or above the threshold.

    What is undecided is no yes. Where it could tip the scale, nothing is known: that is a `judge_error`.
    """
    low, high = tally(items, verdicts)
    open_ones = [_name(items[key]) for key, verdict in verdicts.items() if verdict == "undecided"]
    failed = [_name(items[key]) for key, verdict in verdicts.items() if verdict == "no"]
    passed = low >= threshold - ROUNDING
    parts = [f"{sum(v == 'yes' for v in verdicts.values())} of {len(items)} criteria hold"]
    parts += [f"not {listed(failed)}"] if failed else []
    parts += [f"undecided {listed(open_ones)}"] if open_ones else []
    parts += [note] if note else []
    if not passed and high >= threshold - ROUNDING:
        return Score(status="judge_error", reason="; ".join(parts), evidence=tuple(evidence))
    return Score(value=min(1.0, low), passed=passed, reason="; ".join(parts), evidence=tuple(evidence), **fields)


def _name(item: Item) -> str:
    return shown(item.name or item.text, 60)
