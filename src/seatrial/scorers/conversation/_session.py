"""A session: what was said and done in the case's input and then in the output, as turns and as a transcript."""

from __future__ import annotations

import json
from typing import NamedTuple

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json

TOOL_SHOWN = 2_000
TURN_SHOWN = 8_000
MAX_TRANSCRIPT = 60_000


class Turn(NamedTuple):
    """What one side said. `where` is `input:i` or `text` and `message:i` of the output.

    `text` names the output's last assistant message, which is what one-message scorers judge.
    """

    role: str
    text: str
    where: str


def turns(case: Case, output: Output, *, tools: bool = False) -> list[Turn]:
    """The session's turns of user and assistant, in order; with `tools`, calls and their results between them."""
    found: list[Turn] = []
    last = max((i for i, m in enumerate(output.messages) if m.role == "assistant"), default=-1)
    both = [(f"input:{i}", m) for i, m in enumerate(case.input)]
    both += [("text" if i == last else f"message:{i}", m) for i, m in enumerate(output.messages)]
    for where, message in both:
        if message.role in ("user", "assistant") and message.text.strip():
            found.append(Turn(message.role, message.text, where))
        if not tools:
            continue
        found += [Turn("call", f"{call.name} {as_text(call.arguments)}", where) for call in message.tool_calls]
        if message.role == "tool":
            found.append(Turn("result", message.text, where))
    if tools:
        found += [Turn("step", _step(step.plain()), f"step:{i}") for i, step in enumerate(output.steps)]
    return found


def _step(step: dict[str, Json]) -> str:
    return as_text({key: value for key, value in step.items() if key != "seconds"})


def as_text(value: Json) -> str:
    """A value as JSON, or as it prints where it is none."""
    try:
        return json.dumps(value, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError):
        return "a value too deep to show"


def system_prompt(case: Case) -> str:
    """The text of all system and developer messages."""
    return "\n\n".join(m.text for m in case.input if m.role in ("system", "developer") and m.text.strip())


def transcript(found: list[Turn]) -> str:
    """Turns as a judge reads them; very long ones, and the middle of a very long session, are cut."""
    lines = [f"[{i + 1}] {turn.role}: {_cut(turn)}" for i, turn in enumerate(found)]
    text = "\n".join(lines)
    if len(text) <= MAX_TRANSCRIPT:
        return text
    half = MAX_TRANSCRIPT // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def _cut(turn: Turn) -> str:
    limit = TURN_SHOWN if turn.role in ("user", "assistant") else TOOL_SHOWN
    return turn.text if len(turn.text) <= limit else f"{turn.text[:limit]} [… cut]"
