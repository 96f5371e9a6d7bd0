"""A judge that says what it is told, behind the fake provider: for a CI that asks no model."""

from __future__ import annotations

import json
from collections.abc import Mapping

from seatrial.core.record import Json, as_dict
from seatrial.scorers.judged.scripted import Said, Sheet, Verdicts, fill_in, read_sheet
from seatrial.testing.answers import Answer
from seatrial.testing.dialects.base import Asked

__all__ = ["Said", "Sheet", "scripted_judge"]

ANSWER = "answer"
QUOTED = 80


def scripted_judge(says: Mapping[str, Json] | Verdicts, model: str = "") -> Answer:
    """What a `FakeProvider` answers as a judge: `FakeProvider(answer=scripted_judge({"*": "yes"}))`.

    `says` gives the verdict of each question by its text or its key, `*` that of all others (`undecided` unless it
    is given): a word, or an object of `verdict`, `quote`, `where` and `reason`. Or it is a function from the question
    and the `Sheet` (with the materials to judge, by name) to a word or a `Said`. A word alone is given with a passage
    of the answer as its quote, so that it counts where a verdict needs one. Requests that are no judge's form, and
    those to another model than `model` where that is named, are left to the script's rules.
    """

    def answer(asked: Asked) -> str | None:
        if model and asked.model != model:
            return None
        try:
            sheet = read_sheet(asked.system, asked.text)
        except ValueError:
            return None
        return fill_in(sheet, lambda question, _: _quoted(_said(says, question, sheet), sheet))

    return answer


def _said(says: Mapping[str, Json] | Verdicts, question: str, sheet: Sheet) -> Said:
    if callable(says):
        said = says(question, sheet)
        return said if isinstance(said, Said) else Said(said)
    key = next((key for key, text in sheet.questions.items() if text == question), "")
    told = next((says[name] for name in (question, key, "*") if name in says), "undecided")
    fields = as_dict(told)
    if fields is not None:
        return Said(**fields)  # a part that there is none of is a TypeError
    return Said(told if isinstance(told, str) else json.dumps(told))


def _quoted(said: Said, sheet: Sheet) -> Said:
    text = sheet.materials.get(ANSWER, "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if said.quote or said.where or not lines:
        return said
    return said._replace(quote=lines[0][:QUOTED].strip(), where=ANSWER)
