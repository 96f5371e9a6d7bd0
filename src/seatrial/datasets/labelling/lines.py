"""A session without a terminal: one line a command, for scripts, screen readers and terminals that cannot be drawn on.

A line is a key or its word, with what belongs to it: `p`, `pass`, `r duplicate`, `note unclear`, `undo`, `go 12`. `?`
shows them all, and `next` goes on to the next unit. A reference of several lines: `write`, then the lines, then a line
with one full stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from seatrial.datasets.labelling.keeping import Keeper
from seatrial.datasets.labelling.screen import View, clean, said
from seatrial.datasets.labelling.session import BLOCKS, Key, Leave, Save, State, bindings, finished, press
from seatrial.errors import LabelsError, Problem, nearest

Say = Callable[[str], None]
NEXT = "next"
PAGES = " b"
"""Keys that turn the screenfuls of a unit: where lines are read, the whole unit was printed."""


class Ended(NamedTuple):
    """The last state; whether it ended by Ctrl-C."""

    state: State
    interrupted: bool


def run(state: State, keeper: Keeper, view: View, commands: Iterable[str], say: Say) -> Ended:
    """Label by lines until they end. Raises LabelsError at the first line that is no command; those before count."""
    shown = ""
    for number, line in enumerate(_with_first(commands), 0):
        if number:
            state, left = _command(state, keeper, line.rstrip("\r\n"), number)
            if left is not None:
                return Ended(state, left.interrupted)
        if state.help:
            say(help_text(state))
            state = replace(state, help=False)
        if state.said:
            say(state.said)
        if state.unit.key != shown and state.prompt is None:
            keeper.show(state)
            shown = state.unit.key
            say(text_of(state, view))
    return Ended(state, interrupted=False)


def _with_first(commands: Iterable[str]) -> Iterable[str]:
    yield ""
    yield from commands


def text_of(state: State, view: View) -> str:
    """The unit on the screen, whole, as plain text."""
    unit = state.unit
    skipped = f", {state.skipped:,} skipped" if state.skipped else ""
    where = f"[{state.done:,} of {len(state.units):,} done{skipped}] {state.at + 1:,}. case {clean(unit.case)}"
    head = " · ".join(part for part in (where, unit.heading, said(state.mark, state)) if part)
    texts = [f"-- {clean(title)}\n{clean(text)}" for title, text in unit.read()]
    return "\n".join([f"\n{clean(view.title)}", head, *texts, f"> {clean(unit.question)}"])


def help_text(state: State) -> str:
    """Every command: its key, its word, and what it does."""
    rows = [(key, _word(held.word), held.about) for key, held in bindings(state.mode).items() if key not in PAGES]
    rows.append(("", NEXT, "on to the next unit, where this one is done; else to the one after it"))
    wide = max(len(word) for _, word, _ in rows)
    lines = [f"{key:>3}  {word:<{wide}}  {about}" for key, word, about in rows]
    return "\n".join([f"commands of {state.mode} mode, one a line: a key or its word, then what belongs to it", *lines])


def _word(word: str) -> str:
    return word.lower().split()[0]


def _command(state: State, keeper: Keeper, line: str, number: int) -> tuple[State, Leave | None]:
    if state.prompt is not None and state.prompt.kind in BLOCKS:
        return _pressed(state, keeper, (Key("paste", line), Key("enter")))
    if not line.strip():
        return state, None
    word, _, rest = line.strip().partition(" ")
    if word.lower() == NEXT:
        return _pressed(state, keeper, (Key("enter" if finished(state.mark) else "right"),))
    state, left = _pressed(state, keeper, (Key("char", _letter(state, word, number)),))
    if left is not None or state.prompt is None:
        return state, left
    if state.prompt.kind not in BLOCKS:
        return _pressed(state, keeper, (Key("ctrl-u"), Key("paste", rest.strip()), Key("enter")))
    if not rest.strip():
        return _pressed(state, keeper, (Key("ctrl-u"),))
    return _pressed(state, keeper, (Key("ctrl-u"), Key("paste", rest.strip()), Key("ctrl-d")))


def _letter(state: State, word: str, number: int) -> str:
    """The key of a command. Raises LabelsError where there is none."""
    held = bindings(state.mode)
    by_word = {_word(binding.word): letter for letter, binding in held.items()}
    letter = word if word in held else by_word.get(word.lower())
    if letter is not None:
        return letter
    known = [*by_word, NEXT]
    near = nearest(word.lower(), known)
    hint = f"did you mean {near!r}?" if near else f"the commands are {', '.join(known)}"
    problem = Problem("is no command", "input", number, "", word, hint)
    raise LabelsError("A command cannot be understood; those before it are kept.", problems=[problem])


def _pressed(state: State, keeper: Keeper, keys: Iterable[Key]) -> tuple[State, Leave | None]:
    for key in keys:
        state, effects = press(state, key)
        for effect in effects:
            if isinstance(effect, Leave):
                return state, effect
            if isinstance(effect, Save):
                keeper.keep(state, effect)
    return state, None
