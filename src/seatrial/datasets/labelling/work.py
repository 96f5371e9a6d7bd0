"""One person's sitting, from the journals to the last line: what `seatrial label` and Python callers share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import NamedTuple

from seatrial.datasets.labelling import final, journal, lines, outcome, session, tables
from seatrial.datasets.labelling.journal import Entry, Journal, Role
from seatrial.datasets.labelling.keeping import Keeper, pace_of
from seatrial.datasets.labelling.screen import View
from seatrial.datasets.labelling.session import Mark, State
from seatrial.datasets.labelling.units import Sharing, Task, queue
from seatrial.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sitting:
    """Who labels, and how. `adjudicate`: only what others differ on; `skipped`: what was skipped comes again."""

    by: str
    sharing: Sharing = field(default_factory=Sharing)
    adjudicate: bool = False
    skipped: bool = False
    check: outcome.Check = outcome.NO_SCHEMA

    @property
    def role(self) -> Role:
        """Whose word it is: one of several, or the last."""
        return "adjudication" if self.adjudicate else "label"


class Done(NamedTuple):
    """How a sitting ended: units judged, and skipped, of all that were this person's, and where that is kept."""

    done: int
    units: int
    interrupted: bool
    file: str
    skipped: int = 0


def prepared(task: Task, sitting: Sitting, *, editor: bool) -> tuple[State, list[Entry]]:
    """The session where this person left it, and the person's earlier lines."""
    if not sitting.by.strip():
        raise UsageError("Labels need the name of the person who gives them.", hint="add --by NAME")
    entries = journal.read(task.folder, task.mode)
    if sitting.adjudicate:
        task = final.disputes(task, entries, sitting.sharing.seed)
    mine = [entry for entry in entries if entry.by == sitting.by and entry.role == sitting.role]
    units = task.units
    if not sitting.adjudicate:
        judged: dict[str, list[str]] = {}
        for (key, who, role), entry in final.standing(entries).items():
            if role == "label" and entry.says:
                judged.setdefault(key, []).append(who)
        units = queue(task.units, sitting.sharing, sitting.by, judged)
    if not units:
        return State(task.mode, ()), mine
    state = session.begin(task.mode, units, mine, editor=editor, check=sitting.check)
    if sitting.skipped:
        marks = {key: mark for key, mark in state.marks.items() if "skip" not in mark.value}
        state = session.forwarded(state, marks)
    return state, mine


def label(
    task: Task, sitting: Sitting, *, commands: Iterable[str] | None = None, say: Callable[[str], None] = print
) -> Done:
    """Label until the person leaves or everything is done: on the terminal, or by `commands`, one a line.

    Every word is on the disk before the next question. Raises the errors of `seatrial.errors`.
    """
    drawn = commands is None
    file = journal.file_of(task.folder, task.mode, sitting.by, sitting.role)
    with Journal(file) as opened:
        state, mine = prepared(task, sitting, editor=drawn and bool(_editor()))
        if not state.units:
            return Done(0, 0, interrupted=False, file=str(file))
        keeper = Keeper(opened, sitting.by, sitting.role, time.monotonic, pace_of(mine))
        what = "adjudicate " if sitting.adjudicate else ""
        view = View(f"{what}{task.mode} · {task.name}", sitting.by)
        if commands is None:
            from seatrial.datasets.labelling import terminal

            state, interrupted = terminal.run(state, keeper, view)
        else:
            state, interrupted = lines.run(state, keeper, view, commands, say)
        return Done(state.done, len(state.units), interrupted, str(file), state.skipped)


def _editor() -> list[str]:
    from seatrial.datasets.labelling.keys import editor

    return editor()


def drawable() -> bool:
    """Whether a terminal is there to draw on, and to read keys from; on Windows none is, and lines are read."""
    import os

    try:
        import_module("termios")  # not on Windows
    except ImportError:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


def imported(task: Task, sitting: Sitting, rows: Iterable[tables.Row]) -> int:
    """Write the rows of a table into a person's journal; a row that says what is kept already is no new line."""
    with Journal(journal.file_of(task.folder, task.mode, sitting.by, sitting.role)) as opened:
        held = final.standing(journal.read(task.folder, task.mode))
        fresh: list[Entry] = []
        for unit, mark in rows:
            before = held.get((unit.key, sitting.by, sitting.role))
            if before is None or Mark(before.value or {}, before.note) != mark:
                said = {"value": dict(mark.value), "note": mark.note, "role": sitting.role}
                fresh.append(journal.entry_of(unit, task.mode, sitting.by, **said))
        opened.append(fresh)
    return len(fresh)
