"""What each key does: (state, key) → (state, what is to be done). Nothing here reads a clock, a file or a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from seatrial.core.record import Json
from seatrial.datasets.labelling import outcome
from seatrial.datasets.labelling.journal import Entry, judges
from seatrial.datasets.labelling.units import Mode, Unit
from seatrial.errors import safe

REASONS = ("duplicate", "unclear", "personal data", "out of scope", "not realistic", "broken")
BEHAVIOURS = ("answer", "refuse", "ask", "abstain", "correct")
LONGEST_TEXT = 1_000_000
WRITTEN = "written and kept: Enter (next) goes on; another part can be added"
LAST_PAGE = 10**9


class Key(NamedTuple):
    """One key, or one pasted text. `name`: `char` or `paste` (with `text`), `enter`, `up`, `ctrl-c` and so on."""

    name: str
    text: str = ""


class Mark(NamedTuple):
    """What is said of a unit: a value, and a note."""

    value: Mapping[str, Json]
    note: str = ""


class Step(NamedTuple):
    """One thing that was said, so that it can be undone."""

    at: int
    before: Mark | None


class Prompt(NamedTuple):
    """A text that is being typed: `note`, `reason`, `strata`, `go`, or a block: `text`, `json`, `calls`."""

    kind: str
    text: str = ""


class Save(NamedTuple):
    """To be done: keep what is said of a unit now; None takes it back."""

    unit: Unit
    mark: Mark | None
    undo: bool = False


class Edit(NamedTuple):
    """To be done: open the editor, and give what was written to `edited`."""

    kind: str
    text: str


class Leave(NamedTuple):
    """To be done: end. `interrupted`: by Ctrl-C."""

    interrupted: bool = False


Effect = Save | Edit | Leave
BLOCKS = ("text", "json", "calls")


@dataclass(frozen=True, slots=True)
class State:
    """A session between two keys. `at` is the unit on the screen, `page` the screenful of it."""

    mode: Mode
    units: tuple[Unit, ...]
    marks: Mapping[str, Mark] = field(default_factory=dict[str, Mark])
    history: tuple[Step, ...] = ()
    at: int = 0
    page: int = 0
    prompt: Prompt | None = None
    help: bool = False
    said: str = ""
    editor: bool = True
    check: outcome.Check = outcome.NO_SCHEMA

    @property
    def unit(self) -> Unit:
        """The unit on the screen."""
        return self.units[self.at]

    @property
    def mark(self) -> Mark | None:
        """What is said of it."""
        return self.marks.get(self.unit.key)

    @property
    def done(self) -> int:
        """How many units are judged; what was skipped is not."""
        return sum(1 for unit in self.units if (mark := self.marks.get(unit.key)) is not None and judges(mark.value))

    @property
    def skipped(self) -> int:
        """How many units are skipped."""
        return sum(1 for unit in self.units if (mark := self.marks.get(unit.key)) is not None and "skip" in mark.value)

    @property
    def left(self) -> int:
        """How many units need a word yet."""
        return len(self.units) - self.done - self.skipped


Made = tuple[State, tuple[Effect, ...]]
Action = Callable[[State], Made]


def finished(mark: Mark | None) -> bool:
    """Whether a unit needs no further word."""
    return mark is not None and (judges(mark.value) or "skip" in mark.value)


def begin(mode: Mode, units: Sequence[Unit], entries: Sequence[Entry] = (), **settings: Any) -> State:
    """A session where the person's earlier lines left it: the same marks, and every step still to be undone."""
    state = State(mode, tuple(units), **settings)
    place = {unit.key: i for i, unit in enumerate(state.units)}
    marks: dict[str, Mark] = {}
    history: list[Step] = []
    for entry in entries:
        if entry.unit not in place:
            continue
        before = marks.pop(entry.unit, None)
        if entry.value is not None:
            marks[entry.unit] = Mark(entry.value, entry.note)
        if entry.undo and history:
            history.pop()
        elif not entry.undo:
            history.append(Step(place[entry.unit], before))
    state = replace(state, marks=marks, history=tuple(history))
    return replace(state, at=_next(state, -1))


def forwarded(state: State, marks: Mapping[str, Mark]) -> State:
    """The session with other marks, at the first unit that needs a word."""
    state = replace(state, marks=marks)
    return replace(state, at=_next(state, -1))


def _next(state: State, at: int) -> int:
    """The next unit that needs a word, round the end; where there is none, the same."""
    count = len(state.units)
    for step in range(1, count + 1):
        place = (at + step) % count
        if not finished(state.marks.get(state.units[place].key)):
            return place
    return max(at, 0)


def press(state: State, key: Key) -> Made:
    """What a key does."""
    state = replace(state, said="")
    if key.name == "ctrl-c":
        return state, (Leave(interrupted=True),)
    if state.help:
        return replace(state, help=False), ()
    if state.prompt is not None:
        return _typed(state, state.prompt, key)
    if key.name in MOVES:
        return MOVES[key.name](state)
    found = bindings(state.mode).get(key.text) if key.name == "char" else None
    if found is not None:
        return found.act(state)
    if key.name == "char" and key.text.isprintable():
        return replace(state, said=f"{key.text} is no key here: ? shows them"), ()
    return state, ()


def _set(state: State, mark: Mark | None, *, advance: bool) -> Made:
    """Say something of the unit on the screen."""
    if mark == state.mark:
        state = replace(state, prompt=None)
        return (replace(state, at=_next(state, state.at), page=0) if advance else state), ()
    marks = {key: held for key, held in state.marks.items() if key != state.unit.key}
    if mark is not None:
        marks[state.unit.key] = mark
    saved = Save(state.unit, mark)
    state = replace(state, marks=marks, history=(*state.history, Step(state.at, state.mark)), prompt=None)
    if not advance:
        return state, (saved,)
    was = state.unit
    state = replace(state, at=_next(state, state.at))
    if (state.unit.group, state.unit.heading) != (was.group, was.heading):
        state = replace(state, page=0)  # the same answer under another rubric stays where it is
    words = "labelled or skipped" if state.skipped else "labelled"
    return replace(state, said="" if state.left else f"everything is {words}: u undoes, q leaves"), (saved,)


def _undo(state: State) -> Made:
    if not state.history:
        return replace(state, said="there is nothing to undo"), ()
    step = state.history[-1]
    unit = state.units[step.at]
    marks = {key: held for key, held in state.marks.items() if key != unit.key}
    if step.before is not None:
        marks[unit.key] = step.before
    state = replace(state, marks=marks, history=state.history[:-1], at=step.at, page=0, said="undone")
    return state, (Save(unit, step.before, undo=True),)


def _say(**value: Json) -> Action:
    def act(state: State) -> Made:
        held = dict(state.mark.value) if state.mark else {}
        kept = {"strata": held["strata"]} if "strata" in held else {}
        return _set(state, Mark({**value, **kept}, state.mark.note if state.mark else ""), advance=True)

    return act


def _skip(state: State) -> Made:
    """Skip a unit; a reference that was written for it stays, and counts."""
    if state.mode != "outcome" or not judges(_value(state)):
        return _say(skip=True)(state)
    kept = "not skipped: what was written is kept (x, clear, takes it back)"
    return replace(state, at=_next(state, state.at), page=0, said=kept), ()


def _ask(kind: str, text: Callable[[State], str] = lambda _: "") -> Action:
    return lambda state: (replace(state, prompt=Prompt(kind, text(state))), ())


def _note(state: State) -> str:
    return state.mark.note if state.mark else ""


def _value(state: State) -> Mapping[str, Json]:
    return state.mark.value if state.mark else {}


def _strata(state: State) -> str:
    held: Mapping[str, Json] = _value(state).get("strata", {})
    return " ".join(f"{name}={value}" for name, value in held.items())


def _move(by: int) -> Action:
    def act(state: State) -> Made:
        at = min(max(state.at + by, 0), len(state.units) - 1)
        return replace(state, at=at, page=0), ()

    return act


def _turn(by: int) -> Action:
    return lambda state: (replace(state, page=max(0, state.page + by)), ())


def _accept(state: State) -> Made:
    if state.unit.start is None:
        return replace(state, said="no model's answer is there to start from: e writes one"), ()
    return _set(state, Mark(dict(state.unit.start), _note(state)), advance=True)


def _write(kind: str, *, block: bool = False) -> Action:
    def act(state: State) -> Made:
        draft = state.mark.value if state.mark else state.unit.start or state.unit.before
        text = outcome.text_of(kind, draft)
        if block or not state.editor:
            return replace(state, prompt=Prompt(kind, "" if block else text)), ()
        return state, (Edit(kind, text),)

    return act


def edited(state: State, kind: str, text: str | None) -> Made:
    """What came from the editor; None where nothing was saved."""
    if text is None:
        return replace(state, said="nothing was written"), ()
    return _part(state, kind, text)


def _part(state: State, kind: str, text: str) -> Made:
    """Set one part of a reference; a fault is told, and nothing is changed."""
    held = _value(state)
    try:
        value = outcome.with_part(held, kind, text, state.unit.tools, state.check)
    except ValueError as fault:
        return replace(state, prompt=None, said=safe(str(fault), 300)), ()
    state, effects = _set(state, Mark(value, _note(state)), advance=False)
    return (replace(state, said=WRITTEN) if judges(value) else state), effects


def _clear(state: State) -> Made:
    return _set(state, None, advance=False)


def _forward(state: State) -> Made:
    if finished(state.mark):
        return replace(state, at=_next(state, state.at), page=0), ()
    return _turn(1)(state)


def _typed(state: State, prompt: Prompt, key: Key) -> Made:
    if key.name == "escape":
        return replace(state, prompt=None), ()
    if key.name == "backspace":
        return replace(state, prompt=prompt._replace(text=prompt.text[:-1])), ()
    if key.name == "ctrl-u":
        return replace(state, prompt=prompt._replace(text="")), ()
    if key.name == "ctrl-d" and prompt.kind in BLOCKS:
        return _part(state, prompt.kind, prompt.text)
    if key.name == "enter":
        return _entered(state, prompt)
    if key.name not in ("char", "paste") or len(prompt.text) + len(key.text) > LONGEST_TEXT:
        return state, ()
    choices = {"reason": REASONS, "behaviour": BEHAVIOURS}.get(prompt.kind)
    if choices and not prompt.text and key.text.isdecimal() and 1 <= int(key.text) <= len(choices):
        return _entered(state, prompt._replace(text=choices[int(key.text) - 1]))
    text = key.text if prompt.kind in BLOCKS else " ".join(key.text.splitlines())
    return replace(state, prompt=prompt._replace(text=prompt.text + text)), ()


def _entered(state: State, prompt: Prompt) -> Made:
    text = prompt.text.strip()
    if prompt.kind in BLOCKS:
        if prompt.text.endswith("\n.") or prompt.text == ".":
            return _part(state, prompt.kind, prompt.text[:-1].removesuffix("\n"))
        return replace(state, prompt=prompt._replace(text=prompt.text + "\n")), ()
    state = replace(state, prompt=None)
    return ENTERED[prompt.kind](state, text)


def _noted(state: State, text: str) -> Made:
    mark = state.mark or Mark({})
    return _set(state, None if not text and not mark.value else mark._replace(note=text), advance=False)


def _rejected(state: State, text: str) -> Made:
    if not text:
        return replace(state, said="a rejection needs a reason"), ()
    return _say(decision="reject", reason=text)(state)


def _stratified(state: State, text: str) -> Made:
    pairs = [word.partition("=") for word in text.split()]
    if any(not (name and equals and value) for name, equals, value in pairs):
        return replace(state, said="write strata as name=value, with spaces between them"), ()
    held = {key: item for key, item in _value(state).items() if key != "strata"}
    strata = {name: value for name, _, value in pairs}
    value = {**held, **({"strata": strata} if strata else {})}
    return _set(state, Mark(value, _note(state)) if value or _note(state) else None, advance=False)


def _gone(state: State, text: str) -> Made:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= len(state.units):
        return replace(state, said=f"a number from 1 to {len(state.units):,} is wanted"), ()
    return replace(state, at=int(text) - 1, page=0), ()


def _behaved(state: State, text: str) -> Made:
    return _part(state, "behaviour", text)


ENTERED: dict[str, Callable[[State, str], Made]] = {
    "note": _noted,
    "reason": _rejected,
    "strata": _stratified,
    "go": _gone,
    "behaviour": _behaved,
}


def _leave(state: State) -> Made:
    return state, (Leave(),)


def _help(state: State) -> Made:
    return replace(state, help=True), ()


class Binding(NamedTuple):
    """What a letter does, in a word and in a sentence."""

    act: Action
    word: str
    about: str


COMMON = {
    "s": Binding(_skip, "skip", "skip it: it comes again with --skipped"),
    "u": Binding(_undo, "undo", "take back the last thing said, any number of times, earlier sessions included"),
    "n": Binding(_ask("note", _note), "note", "a note, kept with what is said"),
    "g": Binding(_ask("go"), "go to", "go to a unit by its number"),
    " ": Binding(_turn(1), "more", "the next screenful; b or Page Up goes back"),
    "b": Binding(_turn(-1), "back", "the screenful before"),
    "[": Binding(_move(-1), "before", "the unit before; also the left arrow"),
    "]": Binding(_move(1), "after", "the unit after; also the right arrow"),
    "?": Binding(_help, "help", "this page"),
    "q": Binding(_leave, "quit", "leave; everything is kept, as it is after Ctrl-C"),
}
MODES: dict[Mode, dict[str, Binding]] = {
    "verdict": {
        "p": Binding(_say(verdict="pass"), "pass", "the answer passes this rubric"),
        "f": Binding(_say(verdict="fail"), "fail", "the answer fails this rubric"),
    },
    "curate": {
        "k": Binding(_say(decision="keep"), "keep", "the case stays in the set"),
        "r": Binding(_ask("reason"), "reject", "the case leaves the set; asks for a reason"),
        "t": Binding(_ask("strata", _strata), "strata", "set strata, like: intent=refund risk=high"),
    },
    "outcome": {
        "a": Binding(_accept, "accept", "the model's answer is the reference, as it is"),
        "e": Binding(_write("text"), "edit", "write the reference as text, in $EDITOR"),
        "w": Binding(_write("text", block=True), "write", "write it here; a line with one full stop ends it"),
        "j": Binding(_write("json"), "JSON", "write it as JSON, checked against the schema"),
        "c": Binding(_write("calls"), "calls", "write the tool calls that are right, as JSON"),
        "h": Binding(_ask("behaviour"), "behaviour", "how to behave: answer, refuse, ask, abstain, correct"),
        "x": Binding(_clear, "clear", "take the reference back"),
    },
}
MOVES: dict[str, Action] = {
    "left": _move(-1),
    "right": _move(1),
    "up": _turn(-1),
    "down": _turn(1),
    "page-up": _turn(-1),
    "page-down": _turn(1),
    "home": lambda state: (replace(state, page=0), ()),
    "end": lambda state: (replace(state, page=LAST_PAGE), ()),
    "enter": _forward,
}


def bindings(mode: Mode) -> dict[str, Binding]:
    """What each letter does in a mode."""
    return {**MODES[mode], **COMMON}
