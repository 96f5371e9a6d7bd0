"""What the screen shows: a state and a size → lines. Model output is hostile: control characters are spelt out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import get_character_cell_size
from rich.text import Text

from seatrial.datasets.labelling.final import meaning
from seatrial.datasets.labelling.session import BEHAVIOURS, BLOCKS, REASONS, Mark, Prompt, State, bindings
from seatrial.datasets.labelling.units import Section

NARROWEST, LOWEST = 20, 8
BLOCK_LINES = 6
ASKS = {
    "note": "note",
    "reason": "why reject it",
    "strata": "strata, like intent=refund risk=high",
    "go": "go to number",
    "behaviour": "behaviour",
    "text": "the reference",
    "json": "the reference as JSON",
    "calls": "the right tool calls as JSON",
}


class View(NamedTuple):
    """What stands around the unit: where it is from, who labels, and about how many seconds are left."""

    title: str
    by: str
    left: float | None = None


class Frame(NamedTuple):
    """The lines of a screen, and how many screenfuls the unit has."""

    lines: list[Text]
    pages: int


def clean(text: str) -> str:
    """Text that a terminal can only print: tabs become blanks, everything else that is not printable is spelt out."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n").expandtabs(4)
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text: str) -> str:
    """Clean text without line breaks."""
    return clean(text).replace("\n", " ")


def cells(text: str) -> int:
    """How many columns a text takes."""
    return len(text) if text.isascii() else sum(map(get_character_cell_size, text))


def wrap(text: str, width: int) -> list[str]:
    """Clean text in lines of at most `width` columns, broken between words where that is possible."""
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph, width)]


def _wrapped(paragraph: str, width: int) -> list[str]:
    if cells(paragraph) <= width:
        return [paragraph]
    lines: list[str] = []
    start, blank, used, at = 0, -1, 0, 0
    while at < len(paragraph):
        size = get_character_cell_size(paragraph[at])
        if used + size > width and at > start:
            end = blank if blank > start and paragraph[at] != " " else at
            lines.append(paragraph[start:end].rstrip(" "))
            start = end
            while start < len(paragraph) and paragraph[start] == " ":
                start += 1
            at, blank, used = start, -1, 0
            continue
        if paragraph[at] == " ":
            blank = at
        used += size
        at += 1
    return [*lines, paragraph[start:]] if start < len(paragraph) else lines


@lru_cache(maxsize=8)
def _body(sections: tuple[Section, ...], width: int) -> list[Text]:
    lines: list[Text] = []
    for title, text in sections:
        lines.append(Text(cut(f"── {one_line(title)}", width), style="bold cyan"))
        lines += [Text(line) for line in wrap(clean(text), width)]
        lines.append(Text())
    return lines[:-1] or [Text("(nothing to read)")]


def body(sections: Sequence[Section], width: int) -> list[Text]:
    """A unit's texts, wrapped."""
    return _body(tuple(sections), width)


def frame(state: State, view: View, width: int, height: int) -> Frame:
    """The whole screen in at most `height` lines of at most `width` columns."""
    width, tall = max(width, NARROWEST), max(height, LOWEST)
    if state.help:
        return Frame(_help(state, width)[:height], 1)
    top = [_header(state, view, width), _where(state, width)]
    foot = _foot(state, width)[-(tall - 4) :]
    room = max(1, tall - len(top) - len(foot))
    text = body(state.unit.read(), width)
    pages = -(-len(text) // room)
    page = min(state.page, pages - 1)
    shown = text[page * room : (page + 1) * room]
    shown += [Text()] * (room - len(shown))
    if pages > 1:
        foot[0] = _rule(f"page {page + 1} of {pages}: space for more, b back", width)
    for line in foot:
        line.truncate(width, overflow="crop")
    return Frame([*top, *shown, *foot][-height:], pages)


def _header(state: State, view: View, width: int) -> Text:
    count = len(state.units)
    skipped = f" · {state.skipped:,} skipped" if state.skipped else ""
    left = f"{state.done:,}/{count:,} · {100 * state.done // count} %{skipped}{_left(view.left)} "
    name = cut(f" {one_line(view.title)} · {one_line(view.by)}", max(0, width - cells(left) - 1))
    line = name + " " * max(1, width - cells(name) - cells(left)) + left
    return Text(cut(line, width), style="reverse")


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        return " · under a minute left" if seconds > 0 else ""
    hours, rest = divmod(minutes, 60)
    return f" · about {f'{hours} h {rest:02} min' if hours else f'{minutes} min'} left"


def _where(state: State, width: int) -> Text:
    unit = state.unit
    parts = [f"{state.at + 1:,}. case {one_line(unit.case)}", one_line(unit.heading), said(state.mark, state)]
    return Text(cut(" · ".join(part for part in parts if part), width), style="bold")


def said(mark: Mark | None, state: State) -> str:
    """What is said of the unit so far, in a few words."""
    if mark is None:
        return ""
    value = mark.value
    if "skip" in value:
        words = ["skipped"]
    elif state.mode == "outcome":
        parts = ("answers", "tool_calls", "behaviour")
        words = [name.replace("_", " ") for name in parts if name in value]
        words = [f"written: {', '.join(words)}"] if words else []
    else:
        words = [meaning(state.mode, value), str(value.get("reason", ""))]
        words += [f"{name}={item}" for name, item in value.get("strata", {}).items()]
    words += [f"note: {mark.note}"] if mark.note else []
    return "said " + clean(" ".join(" ".join(words).split())) if any(words) else ""


def cut(text: str, width: int) -> str:
    """A text's beginning in `width` columns."""
    if cells(text) <= width:
        return text
    found, used = "", 1
    for character in text:
        used += get_character_cell_size(character)
        if used > width:
            break
        found += character
    return f"{found}…" if width > 0 else ""


def _rule(text: str, width: int) -> Text:
    return Text(cut(f"── {text} ".ljust(width, "─"), width), style="dim")


def _foot(state: State, width: int) -> list[Text]:
    question = [Text(line, style="bold") for line in wrap(clean(state.unit.question), width)[:3]]
    lines = [Text("─" * width, style="dim"), *question]
    if state.prompt is not None:
        return [*lines, *_prompted(state.prompt, width)]
    keys = "  ".join(
        f"{'space' if key == ' ' else key} {held.word}"
        for key, held in bindings(state.mode).items()
        if key not in "[]b"
    )
    lines += [Text(line) for line in wrap(keys, width)]
    return [*lines, Text(cut(one_line(state.said), width), style="yellow")]


def _prompted(prompt: Prompt, width: int) -> list[Text]:
    choices = {"reason": REASONS, "behaviour": BEHAVIOURS}.get(prompt.kind)
    about = f"{ASKS[prompt.kind]}:"
    lines: list[Text] = []
    if choices:
        lines = [Text(x) for x in wrap("  ".join(f"{i} {word}" for i, word in enumerate(choices, 1)), width)]
    if prompt.kind in BLOCKS:
        ends = "Ctrl-D, or a line with one full stop, ends it · Esc leaves it"
        typed = wrap(clean(prompt.text[-4000:]) + "▏", width)[-BLOCK_LINES:]
        return [*lines, Text(cut(f"{about} {ends}", width), style="cyan"), *map(Text, typed)]
    shown = one_line(prompt.text)
    room = max(1, width - cells(about) - 2)
    while cells(shown) > room:
        shown = shown[1 + cells(shown) - room :] if shown.isascii() else shown[1:]
    return [*lines, Text.assemble((about, "cyan"), f" {shown}▏"), Text("Enter keeps it · Esc leaves it", style="dim")]


def _help(state: State, width: int) -> list[Text]:
    rows = [("space" if key == " " else key, held.about) for key, held in bindings(state.mode).items()]
    rows += [("Enter", "the next unit where this one is done, else the next screenful")]
    lines = [Text(cut(f"keys of {state.mode} mode; any key goes back", width), style="bold")]
    for key, about in rows:
        first, *rest = wrap(about, max(10, width - 8))
        lines += [Text(f"{key:>6}  {first}"), *(Text(f"        {line}") for line in rest)]
    return lines
