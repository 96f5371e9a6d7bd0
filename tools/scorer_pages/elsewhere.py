"""What other tools, and two articles, call things: each name beside ours, or the reason why there is none.

What a card says (`also_called`) comes first. `WITH` tells how a name is reached by settings, by another part of
Seatrial or by several scorers; `ABSENT` tells what is left out on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scorer_pages.names import ABSENT, NAMES, REASONS, WITH
from scorer_pages.pages import NOTE, cards

TITLES = {
    "article": "The articles",
    "deepeval": "DeepEval",
    "ragas": "ragas",
    "promptfoo": "promptfoo",
    "futureagi": "FutureAGI",
}


def key(name: str) -> str:
    """What two spellings of one name share: `FaithfulnessMetric`, `faithfulness` and `Faithfulness`."""
    return re.sub(r"metric$", "", re.sub(r"[^a-z0-9]", "", name.lower())) or name


def ours() -> dict[str, dict[str, list[str]]]:
    """For each tool, the scorers that say a name of theirs is another for them, by the name's key."""
    found: dict[str, dict[str, list[str]]] = {tool: {} for tool in NAMES}
    for scorer, card in cards().items():
        for other in card.also_called:
            tool, _, name = other.partition(":")
            if tool in found:
                found[tool].setdefault(key(name), []).append(scorer)
    return found


def rows(tool: str, claimed: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """Each name of a tool with what stands for it; empty text where nothing is known."""
    found: list[tuple[str, str]] = []
    for name in NAMES[tool]:
        scorers = claimed.get(key(name), [])
        how = WITH.get(f"{tool}:{name}", "")
        links = ", ".join(link for scorer in sorted(scorers) if (link := f"[`{scorer}`]({scorer}.md)") not in how)
        reason = ABSENT.get(f"{tool}:{name}", "")
        told = f"none: {REASONS.get(reason, reason)}" if reason else ""
        found.append((name, "; ".join(part for part in (links, how) if part) or told))
    return found


def unexplained() -> list[str]:
    """Names that no card claims, and that nothing is said of."""
    claimed = ours()
    return [f"{tool}:{name}" for tool in NAMES for name, told in rows(tool, claimed[tool]) if not told]


def page() -> str:
    """The page."""
    claimed = ours()
    parts = [
        "# What other tools call it",
        (
            "Every metric that the two articles name, and that DeepEval, ragas, promptfoo and FutureAGI have, beside "
            "the scorer here that measures the same, or the reason why there is none. Equal names promise no equal "
            "numbers: the pages of our scorers give their formulas."
        ),
    ]
    for tool, title in TITLES.items():
        lines = ["| name there | here |", "| --- | --- |"]
        lines += [f"| `{name}` | {told or '–'} |" for name, told in rows(tool, claimed[tool])]
        parts += [f"## {title}", "\n".join(lines)]
    return "\n\n".join([*parts, f"[All scorers](../scorers.md) · {NOTE}"]) + "\n"
