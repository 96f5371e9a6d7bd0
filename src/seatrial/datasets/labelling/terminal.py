"""A session on a real terminal: draw, read a key, do what it says, again. Resizing is seen within a quarter second."""

from __future__ import annotations

from dataclasses import replace

from seatrial.datasets.labelling import session
from seatrial.datasets.labelling.keeping import Keeper
from seatrial.datasets.labelling.keys import Terminal
from seatrial.datasets.labelling.screen import View, frame
from seatrial.datasets.labelling.session import Leave, Made, Save, State

TICK = 0.25


def run(state: State, keeper: Keeper, view: View) -> tuple[State, bool]:
    """Label until the person leaves; gives the last state, and whether it was Ctrl-C or a lost terminal."""
    with Terminal() as terminal:
        drawn: object = None
        while True:
            keeper.show(state)
            view = view._replace(left=keeper.left(state))
            size = terminal.size()
            if drawn != (state, size):
                made = frame(state, view, *size)
                state = replace(state, page=min(state.page, made.pages - 1))
                terminal.draw(made.lines)
                drawn = (state, size)
            keys = terminal.read(TICK)
            if keys is None:
                return state, True
            for key in keys:
                state, left = _settle(session.press(state, key), keeper, terminal)
                if left is not None:
                    return state, left.interrupted


def _settle(made: Made, keeper: Keeper, terminal: Terminal) -> tuple[State, Leave | None]:
    """Do what a key asks for; what an editor gives is one more thing said."""
    state, effects = made
    for effect in effects:
        if isinstance(effect, Leave):
            return state, effect
        if isinstance(effect, Save):
            keeper.keep(state, effect)
            keeper.show(state)
        else:
            return _settle(session.edited(state, effect.kind, terminal.edit(effect.text)), keeper, terminal)
    return state, None
