"""A judge that does as it is told, for tests of rubrics: it reads a form as a model would and fills the answer in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from seatrial.core.output import Output, Request
from seatrial.core.record import Json

_HEAD = re.compile(r"\ATicket: (\S+)\nMark: (\S+)\n")
_QUESTION = re.compile(r"^- (\S+?): (.*?)(?: \(a verdict of [a-z ]+ needs a quote\))?$", re.MULTILINE)
_WORD = re.compile(r"^- (\S+?):", re.MULTILINE)
REPAIR = "An earlier answer could not be used: "


class Sheet(NamedTuple):
    """What a form asks. `questions` are by key, `materials` by name; `repair`: why it is asked a second time."""

    ticket: str
    mark: str
    questions: Mapping[str, str]
    words: Sequence[str]
    materials: Mapping[str, str]
    repair: str


class Said(NamedTuple):
    """One verdict of a scripted judge."""

    verdict: str
    quote: str = ""
    where: str = ""
    reason: str = ""


Verdicts = Callable[[str, Sheet], Said | str]
"""From a question and the sheet to what is said of it."""


def read_sheet(system: str, user: str) -> Sheet:
    """The form in a request's two messages. Raises ValueError where they hold none."""
    head = _HEAD.match(user)
    if head is None:
        raise ValueError("this is no judge's form")
    ticket, mark = head.groups()
    words, asked = (system.partition(title)[2].partition("\n\n")[0] for title in ("\nVerdicts:\n", "\nQuestions:\n"))
    block = re.compile(rf"^<<<{mark} begin (\S+)>>>\n(.*?)\n<<<{mark} end \1>>>$", re.MULTILINE | re.DOTALL)
    repair = user.rpartition(f"\n\n{REPAIR}")[2] if f"\n\n{REPAIR}" in user.rpartition(mark)[2] else ""
    return Sheet(ticket, mark, dict(_QUESTION.findall(asked)), _WORD.findall(words), dict(block.findall(user)), repair)


def fill_in(sheet: Sheet, verdicts: Verdicts) -> str:
    """The answer of a judge that says this of each question, as JSON."""
    entries: list[Json] = []
    for key, question in sheet.questions.items():
        said = verdicts(question, sheet)
        said = Said(said) if isinstance(said, str) else said
        entries.append(
            {"key": key, "where": said.where, "quote": said.quote, "reason": said.reason, "verdict": said.verdict}
        )
    return json.dumps({"ticket": sheet.ticket, "verdicts": entries})


def answer_to(request: Request, says: Mapping[str, Json]) -> str:
    """What a judge that `says` this answers to this very request, as JSON.

    `says` gives each question's verdict by its key, `*` those of all others: a word, or an object of `verdict`,
    `quote`, `where` and `reason`, of which only the verdict is needed. Whole answers, with a key `verdicts`, go as they
    are, with the request's ticket. A request that is no form is answered by the object itself.
    """
    try:
        sheet = read_sheet(*(message.text for message in request.messages))
    except (TypeError, ValueError):
        return json.dumps(says)
    if "verdicts" in says:
        return json.dumps({"ticket": sheet.ticket, **says})
    entries: list[Json] = []
    for key in sheet.questions:
        said = says.get(key, says.get("*", "undecided"))
        blank = {"key": key, "where": "", "quote": "", "reason": ""}
        entries.append(blank | ({"verdict": said} if isinstance(said, str) else dict(said)))
    return json.dumps({"ticket": sheet.ticket, "verdicts": entries})


class ScriptedJudges:
    """Services whose judges say what the functions say, without any model. `asked` keeps every request."""

    def __init__(self, judges: Mapping[str, Verdicts]) -> None:
        self._judges = dict(judges)
        self.asked: list[tuple[str, Request]] = []

    async def complete(self, target: str, request: Request) -> Output:
        """Answer as the judge of that name."""
        self.asked.append((target, request))
        system, user = (message.text for message in request.messages)
        return Output.of(fill_in(read_sheet(system, user), self._judges[target]))

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """There is no embedder."""
        raise NotImplementedError
