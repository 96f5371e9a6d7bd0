"""The whole error tree.

SeatrialError
├── ConfigError               what the user wrote cannot be used            exit 2
│   ├── UsageError            a command's options do not fit together
│   ├── SuiteError            the suite file
│   ├── TemplateError         a prompt template
│   ├── DatasetError          rows of a dataset
│   ├── RecordingError        recorded outputs of a replay target
│   ├── TargetConfigError     a target's settings
│   ├── ScorerConfigError     a scorer's settings
│   ├── AggregateError        a suite's own aggregate raises, gives no number, or is not there
│   ├── QuarantineError       the list of cases that decide nothing
│   ├── BaselineError         a blessed baseline
│   ├── LabelsError           the file of what people say of single answers
│   ├── ProposalError         a change asks for more than a change may
│   ├── UnknownPluginError    no scorer or target has that name
│   ├── BrokenPluginError     its module cannot be imported
│   ├── DuplicatePluginError  two plug-ins claim one name
│   ├── MissingSecretError    an environment variable is not set
│   └── SealKeyError          the key of a sealed split is the wrong one, or none
├── NotEvaluableError         no verdict can be drawn from what is there    exit 4
│   ├── NoDataError           nothing was scored
│   ├── TargetDownError       a target refuses every request
│   ├── NotFoundError         a trial, run or dataset is not in the store
│   ├── BudgetError           the budget is spent, or a request has no bound to reserve
│   ├── JudgeError            a judge gave no usable verdict, or none is there to ask
│   ├── NoAnswerError         a model gave no usable answer, and the caller wanted one
│   ├── RecordError           a decision record cannot be read
│   ├── BundleError           a trial's bundle is damaged, altered or unsafe
│   ├── SealBrokenError       a sealed split, or what is kept of it, was altered
│   └── LedgerError           the ledger of exposures was altered, or cannot be written
├── StoreError                the store cannot be read or written           exit 4
│   └── StoreVersionError     it was written by a newer version
└── Interrupted               the user pressed Ctrl-C                       exit 130

Every class has a stable `code`, shown in brackets behind the message, and an `exit_code`.
Anything else that escapes is a defect: it exits with 70 and asks for a report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import ClassVar

SHOWN_PROBLEMS = 20
SHOWN_VALUE = 80
TOLD_APART = 3
"""More problems than these that break one rule in one file are told as one, where all of them are too many to show."""


def safe(text: object, limit: int = SHOWN_VALUE) -> str:
    """Text that any terminal can print: bounded, control characters and lone surrogates escaped."""
    raw = text if isinstance(text, str) else repr(text)
    cut = raw if len(raw) <= limit else raw[: limit - 1] + "…"
    if cut.isprintable():
        return cut
    lines = cut.replace("\n", "\\n")  # most often there is nothing else to escape
    return lines if lines.isprintable() else _UNUSUAL.sub(_escaped, cut)


_UNUSUAL = re.compile("[^ -~]")


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when none is close.

    Half-alike words are close only where they begin alike or one is part of the other: `azure-openai` for `openai`.
    """
    words = list(known)
    half = get_close_matches(word, words, n=3, cutoff=0.6)
    close = get_close_matches(word, half, n=1, cutoff=0.75)
    return next(iter([*close, *(one for one in half if one[:1] == word[:1] or word in one or one in word)]), None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file: where, which rule, which value, and what to do."""

    rule: str
    file: str = ""
    line: int | None = None
    key: str = ""
    value: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line) if self.line else "") if part)
        head = " ".join(part for part in (f"{place}:" if place else "", f"{self.key}:" if self.key else "") if part)
        got = f" (got {safe(self.value)})" if self.value is not None else ""
        do = f"; {self.hint}" if self.hint else ""
        return f"{head} {self.rule}{got}{do}".strip()


def folded(problems: Iterable[Problem]) -> list[Problem]:
    """Problems in their order; more than three of one file that break one rule are one, at the first's place."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.file, problem.key, problem.rule), []).append(problem)
    found: list[Problem] = []
    for same in alike.values():
        count = f" (and {len(same) - 1:,} more like it)"
        found += same if len(same) <= TOLD_APART else [replace(same[0], rule=same[0].rule + count)]
    return found


class SeatrialError(Exception):
    """An expected failure: a sentence for the user, what to try next, and an exit code."""

    code: ClassVar[str] = "E000"
    exit_code: ClassVar[int] = 70

    def __init__(self, problem: str, *, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.problem} [{self.code}]"
        return f"{text}\n  try: {self.hint}" if self.hint else text


class ConfigError(SeatrialError):
    """What the user wrote cannot be used. Carries every problem found, not only the first."""

    code = "E100"
    exit_code = 2

    def __init__(self, problem: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(problem, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        told = list(self.problems) if len(self.problems) <= SHOWN_PROBLEMS else folded(self.problems)
        lines = [f"{self.problem} [{self.code}]"]
        lines += [f"  {p}" for p in told[:SHOWN_PROBLEMS]]
        if len(told) > SHOWN_PROBLEMS:
            more = "more" if len(told) == len(self.problems) else "more kinds of fault"
            lines.append(f"  … and {len(told) - SHOWN_PROBLEMS} {more}")
        if self.hint:
            lines.append(f"  try: {self.hint}")
        return "\n".join(lines)


class UsageError(ConfigError):
    """A command's options do not fit together."""

    code = "E101"


class SuiteError(ConfigError):
    """The suite file cannot be used."""

    code = "E110"


class TemplateError(ConfigError):
    """A prompt template cannot be parsed or rendered."""

    code = "E120"


class TargetConfigError(ConfigError):
    """A target's settings cannot be used."""

    code = "E130"


class ScorerConfigError(ConfigError):
    """A scorer's settings cannot be used."""

    code = "E140"


class AggregateError(ConfigError):
    """An aggregate of the suite's own raises, gives no number, or is not the one that was registered."""

    code = "E141"


class QuarantineError(ConfigError):
    """The quarantine file cannot be used, has expired entries, or sets too many cases aside."""

    code = "E150"


class BaselineError(ConfigError):
    """The blessed baseline cannot be used: it was edited, cut, or is none."""

    code = "E151"


class ProposalError(ConfigError):
    """A change names code, files, variables, hosts or parameters that its base branch does not."""

    code = "E152"


class LabelsError(ConfigError):
    """The labels file cannot be used."""

    code = "E153"


class DatasetError(ConfigError):
    """A dataset cannot be read; every bad row is named."""

    code = "E200"


class RecordingError(ConfigError):
    """Recorded outputs do not fit the dataset: unmatched, duplicate or missing rows."""

    code = "E210"


class UnknownPluginError(ConfigError):
    """No scorer or target has that name."""

    code = "E300"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        near = nearest(name, known)
        hint = f"did you mean {near!r}?" if near else f"`seatrial {kind}s` lists them"
        super().__init__(f"No {kind} is named {safe(name)!r}.", hint=hint)


class BrokenPluginError(ConfigError):
    """A plug-in or a `python:` reference cannot be imported."""

    code = "E301"


class DuplicatePluginError(ConfigError):
    """Two plug-ins claim one name."""

    code = "E302"


class MissingSecretError(ConfigError):
    """A target needs a key from an environment variable that is not set."""

    code = "E310"


class SealKeyError(ConfigError):
    """The key of a sealed split is malformed, or not the one that it was sealed with."""

    code = "E311"


class NotEvaluableError(SeatrialError):
    """No verdict can be drawn from what is there."""

    code = "E400"
    exit_code = 4


class NoDataError(NotEvaluableError):
    """Nothing was scored."""

    code = "E401"


class TargetDownError(NotEvaluableError):
    """A target refuses every request: bad key, exhausted quota, unknown model, or no listener."""

    code = "E402"


class NotFoundError(NotEvaluableError):
    """A trial, run or dataset is not in the store."""

    code = "E403"


class NoAnswerError(NotEvaluableError):
    """A model gave no usable answer, and the caller wanted one: `Output.raise_for_failure`."""

    code = "E404"


class BudgetError(NotEvaluableError):
    """The run was stopped before its budget could be exceeded; what was done is kept."""

    code = "E405"


class JudgeError(NotEvaluableError):
    """A judge gave no usable verdict, or there is none to ask; the score is missing, never a pass."""

    code = "E406"


class RecordError(NotEvaluableError):
    """A decision record cannot be read."""

    code = "E410"


class BundleError(NotEvaluableError):
    """A trial's bundle is damaged, altered or unsafe."""

    code = "E411"


class SealBrokenError(NotEvaluableError):
    """A sealed split, or what the store keeps of one, was altered, cut or put together anew."""

    code = "E412"


class LedgerError(NotEvaluableError):
    """The ledger was altered, lacks what set.lock, git or the store has, or cannot be written; nothing was done."""

    code = "E413"


class StoreError(SeatrialError):
    """The store cannot be read or written."""

    code = "E500"
    exit_code = 4


class StoreVersionError(StoreError):
    """The store was written by a newer version of Seatrial."""

    code = "E501"


class Interrupted(SeatrialError):  # noqa: N818  # named for the user's act, not for a fault
    """The user pressed Ctrl-C; what was done is saved."""

    code = "E900"
    exit_code = 130
