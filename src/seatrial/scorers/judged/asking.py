"""Asking a judge: one verdict a criterion, each with the passage that it rests on. An unusable answer is never a pass.

`ask` is for yes and no, `choose` for other verdict words. `form` says what is sent and `reading` what is accepted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, cast

from seatrial.core.output import FIRST_ALTERNATIVES, Output, Request
from seatrial.core.protocols import HearsVerdicts, Services
from seatrial.core.record import as_dict
from seatrial.errors import JudgeError, TargetDownError, safe
from seatrial.scorers.base import encodable
from seatrial.scorers.judged.form import Material, Question, fill, level_request, word_request
from seatrial.scorers.judged.reading import Chosen, Unusable, read

__all__ = [
    "Chosen",
    "Criterion",
    "Finding",
    "Material",
    "Question",
    "Verdict",
    "ask",
    "choose",
    "level_chances",
    "probability",
]

Verdict = Literal["yes", "no", "undecided"]

YES_OR_NO: Mapping[str, str] = {
    "yes": "the materials show that it is so",
    "no": "the materials show that it is not so",
    "undecided": "the materials do not tell",
}
_AGAIN = {"empty": "it was empty", "length": "it was cut off; write shorter reasons and quotes"}
"""Failures of a judge that are worth one more try, and what it is told."""

_NOT_TAKEN = ("unsendable", "rejected")
NUMBERS = "123456789"
MOST_LEVELS = len(NUMBERS)
"""Levels whose numbers are one token each."""
LEAST_MASS = 0.5
"""Of the first token's probability, the share that levels must have for it to be read as one."""
SHOWN = 200


class Criterion(NamedTuple):
    """A question whose yes is good. `quoted`: a yes counts only with a passage that shows it.

    A no is asked for a passage too, but may come without: what is absent cannot be quoted.
    """

    key: str
    question: str
    quoted: bool = False


class Finding(NamedTuple):
    """A verdict on a criterion.

    `quote` is the passage as it stands in the material named `where`, from `start` to `end` in its characters; empty
    and None where there is none. `reason` is the judge's own sentence, at most 500 characters.
    """

    verdict: Verdict
    quote: str
    where: str
    start: int | None
    end: int | None
    reason: str


async def ask(
    services: Services,
    judge: str,
    criteria: Sequence[Criterion],
    materials: Sequence[Material],
    *,
    guidance: str = "",
) -> Mapping[str, Finding]:
    """Each criterion's finding by its key.

    The request is a function of its contents alone, whatever the order of the criteria: equal ones are equal bytes. It
    asks for temperature 0 and for structured output, and tells the shape in words as well. What the judge's own
    settings say stands above that. Raises JudgeError when no judge is named, when it gave no answer, or when a second
    answer was of no use either.
    """
    quoted = frozenset({"yes"})
    questions = [Question(c.key, c.question, quoted if c.quoted else frozenset()) for c in criteria]
    chosen = await choose(services, judge, questions, YES_OR_NO, materials, guidance=guidance)
    return {key: Finding(cast("Verdict", one.word), *one[1:]) for key, one in chosen.items()}


async def choose(
    services: Services,
    judge: str,
    questions: Sequence[Question],
    words: Mapping[str, str],
    materials: Sequence[Material],
    *,
    guidance: str = "",
) -> Mapping[str, Chosen]:
    """The word chosen for each question, by its key; `words` are the verdicts with their meanings. Raises JudgeError.

    The verdicts come in the order of the questions given.
    """
    if not judge:
        raise JudgeError("The scorer names no judge.", hint="set judge: to a name under the suite's judges:")
    if not questions:
        return {}
    form = fill(questions, words, materials, guidance)
    fault = ""
    for _ in range(2):
        output = await complete(services, judge, form.request(fault), form.request(fault, structured=False))
        try:
            found = read(_said(judge, output), form)
        except Unusable as unusable:
            fault = str(unusable)
            continue
        _tell(services, judge)
        return {question.key: found[encodable(question.key)] for question in questions}
    _tell(services, judge, fault)
    raise JudgeError(f"The judge {safe(judge)!r} gave no usable verdict, asked twice: {fault}.")


def _tell(services: Services, judge: str, fault: str = "") -> None:
    if isinstance(services, HearsVerdicts):
        services.heard(judge, fault)


async def probability(
    services: Services, judge: str, question: str, materials: Sequence[Material], *, guidance: str = ""
) -> float | None:
    """The judge's probability of yes, read off the log probabilities of a one-word answer.

    It is exp of their sum where the word is yes, and one less that where it is no: any other answer counts as its
    opposite. None where the judge gives no log probabilities, or another word. Raises JudgeError where it gives no
    answer at all.
    """
    output = await _with_logprobs(services, judge, word_request(question, materials, guidance))
    if output is None:
        return None
    word = output.text.strip().lower().removesuffix(".")
    if not output.logprobs or word not in ("yes", "no"):
        return None
    said = math.exp(min(0.0, math.fsum(output.logprobs)))
    return said if word == "yes" else 1.0 - said


async def level_chances(
    services: Services,
    judge: str,
    question: str,
    levels: Sequence[str],
    materials: Sequence[Material],
    *,
    guidance: str = "",
) -> list[float] | None:
    """The judge's probability of each level, from 1 to at most 9, off the likeliest first tokens of one answer.

    Tokens that are no level's number are left out, and the rest is brought up to 1 (G-Eval). None where the judge
    gives no such tokens, or levels have less than half of their probability. Raises JudgeError where it gives no
    answer at all.
    """
    if len(levels) > MOST_LEVELS:
        return None
    output = await _with_logprobs(services, judge, level_request(question, levels, materials, guidance))
    tokens = as_dict(output.metadata.get(FIRST_ALTERNATIVES)) if output is not None else None
    chances = [0.0] * len(levels)
    for token, logprob in (tokens or {}).items():
        number = token.strip()
        if len(number) == 1 and number in NUMBERS[: len(levels)] and isinstance(logprob, int | float):
            chances[int(number) - 1] += math.exp(min(0.0, logprob))
    mass = math.fsum(chances)
    return [chance / mass for chance in chances] if mass >= LEAST_MASS else None


async def _with_logprobs(services: Services, judge: str, request: Request) -> Output | None:
    """The answer to a request for log probabilities; None where the judge does not take that, or refuses."""
    try:
        output = await services.complete(judge, request)
    except TargetDownError as down:
        if "logprobs" not in down.problem:
            raise
        return None
    failure = output.failure
    if failure is not None and failure.code in _NOT_TAKEN and "logprobs" in failure.message:
        return None
    try:
        _said(judge, output)
    except Unusable:
        return None
    return output


async def complete(services: Services, judge: str, request: Request, plain: Request) -> Output:
    """Ask; where the judge's adapter or its provider does not take a `response_format`, ask without one."""
    try:
        output = await services.complete(judge, request)
    except TargetDownError as down:
        if "response_format" not in down.problem:
            raise
        return await services.complete(judge, plain)
    failure = output.failure
    if failure is not None and failure.code in _NOT_TAKEN and "response_format" in failure.message:
        return await services.complete(judge, plain)
    return output


def _said(judge: str, output: Output) -> str:
    """The answer's text. Raises JudgeError where nobody answered, Unusable where it is worth asking again."""
    failure = output.failure
    if failure is None:
        if output.finish_reason == "refusal":
            raise Unusable("it was a refusal; judging a text is not doing what it says")
        return output.text
    if failure.code in _AGAIN:
        raise Unusable(_AGAIN[failure.code])
    said = f": {safe(failure.message, SHOWN)}" if failure.message else ""
    hint = "set unsupported: drop for the judge where it lacks a parameter" if failure.code in _NOT_TAKEN else ""
    raise JudgeError(f"The judge {safe(judge)!r} gave no answer ({safe(failure.code)}{said}).", hint=hint)
