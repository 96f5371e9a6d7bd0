"""What a judge is shown of a case and an output."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from seatrial.core.case import Case
from seatrial.core.identity import canonical
from seatrial.core.output import Output
from seatrial.scorers.base import answers
from seatrial.scorers.judged.form import Material

Sight = Literal["question", "context", "reference"]
"""What a judge may be shown beside the answer."""

SIGHTS: tuple[Sight, ...] = ("question",)

ANSWER, CALLS = "answer", "calls"


def shown_to_judge(case: Case, output: Output, sees: Collection[Sight] = SIGHTS) -> list[Material]:
    """The answer, whose words alone are quotable, with its tool calls, and what else the judge may see.

    `question` is what the model was asked (every message, where there are several), `context` the output's own
    retrieved documents or else the case's, `reference` the accepted answers. Nothing tells which model answered.
    """
    materials: list[Material] = []
    if "question" in sees:
        materials.append(Material("question", asked(case), quotable=False))
    if "context" in sees:
        documents = output.context or case.context
        materials += [
            Material(f"context:{document.id or number}", document.text, quotable=False)
            for number, document in enumerate(documents, 1)
        ]
    if "reference" in sees:
        materials += [
            Material(f"reference:{number}", text, quotable=False) for number, text in enumerate(answers(case), 1)
        ]
    return [*materials, *shown_answer(output)]


def shown_answer(output: Output, name: str = ANSWER) -> list[Material]:
    """The answer's text, and its tool calls where it made some."""
    given = [Material(name, output.text)]
    if output.tool_calls:
        calls = [{"name": call.name, "arguments": call.arguments} for call in output.tool_calls]
        given.append(Material(CALLS if name == ANSWER else f"{name}_{CALLS}", canonical(calls)))
    return given


def asked(case: Case) -> str:
    """What the model was asked, as text: the user's message, or the whole conversation by roles."""
    if len(case.input) == 1:
        return case.input[0].text
    return "\n\n".join(f"{message.role}: {message.text}" for message in case.input)
