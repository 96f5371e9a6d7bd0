"""Regular expressions from users, on RE2: linear time whatever the pattern and the text."""

from __future__ import annotations

from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any, ClassVar, Literal, cast

from pydantic import field_validator, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo, verdict
from seatrial.scorers.base import SHOWN, BuiltinScorer, Flag, answers, encodable, shown
from seatrial.scorers.card import Card, Example

re2: Any = import_module("re2")  # it has no type stubs
MAX_MEMORY = 8 << 20


@lru_cache(maxsize=256)
def compiled(
    pattern: str,
    *,
    ignore_case: bool = False,
    multiline: bool = False,
    dot_all: bool = False,
    memory: int = MAX_MEMORY,
) -> Any:
    """An RE2 pattern, silent on its own faults, whose automaton has at most so many bytes of `memory`.

    A large pattern that gets too few is many times slower. Raises ValueError with RE2's message.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    flags = "".join(letter for letter, on in (("i", ignore_case), ("m", multiline), ("s", dot_all)) if on)
    try:
        return re2.compile(f"(?{flags}){pattern}" if flags else pattern, options=options)
    except re2.error as cause:
        detail: object = cause.args[0] if cause.args else ""
        text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise ValueError(f"is no RE2 pattern: {text} (look-around and back-references do not exist in RE2)") from None


def searched(text: str) -> str | bytes:
    """A text as RE2 searches it: ASCII as bytes, whose offsets are the same, and which needs no table of them."""
    return text.encode("ascii") if text.isascii() else text


class Regex(BuiltinScorer):
    """1 when a regular expression matches the answer, else 0; `absent: true` turns it round.

    Patterns are RE2's, which cannot blow up and has no look-around and no back-references. `mode: search` finds it
    anywhere, `fullmatch` takes the whole answer. With `group` (a name or a number) what the group caught must equal
    an expected answer. Options: `ignore_case`, `multiline` (^ and $ at line breaks), `dot_all` (. takes line breaks).
    Fails to help where a pattern also matches the empty text. Example: `{pattern: "RF-[0-9]{6}"}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("regex", "1")
    card: ClassVar[Card] = Card(
        formula="1 when the pattern is found (or, with `absent`, is not), else 0; with `group`, 1 when what it caught "
        "is an expected answer.",
        examples=(
            Example("q", "Your number is RF-123456.", 1.0, True, {"pattern": "RF-[0-9]{6}"}),
            Example("q", "Your number is RF-12.", 0.0, False, {"pattern": "RF-[0-9]{6}"}),
            Example("q", "Card 4111111111111111", 0.0, False, {"pattern": "[0-9]{16}", "absent": True}),
            Example(
                {"input": "q", "expected": "42"}, "total: 42", 1.0, True, {"pattern": "total: ([0-9]+)", "group": 1}
            ),
        ),
        fails=(
            "A pattern that matches the empty text passes everything.",
            "Word boundaries and classes like \\w are ASCII's in RE2: use \\pL for letters of every script.",
        ),
        sources=("RE2's syntax, github.com/google/re2/wiki/Syntax",),
        also_called=("promptfoo:regex", "deepeval:PatternMatchMetric", "inspect:pattern"),
    )
    pattern: Text
    mode: Literal["search", "fullmatch"] = "search"
    ignore_case: Flag = False
    multiline: Flag = False
    dot_all: Flag = False
    absent: Flag = False
    group: Text | int | None = None

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        if not pattern:
            raise ValueError("must not be empty")
        compiled(encodable(pattern))
        return pattern

    @model_validator(mode="after")
    def _has_the_group(self) -> Regex:
        if self.group is None:
            return self
        pattern = self._compiled
        if self.absent:
            raise ValueError("group and absent do not fit together")
        if isinstance(self.group, str) and self.group not in pattern.groupindex:
            raise ValueError(f"group {shown(self.group)} is not in the pattern")
        if not isinstance(self.group, str) and not 0 < self.group <= pattern.groups:
            raise ValueError(f"group {self.group} is not in the pattern, which has {pattern.groups}")
        return self

    @cached_property
    def _compiled(self) -> Any:
        return compiled(
            encodable(self.pattern),
            ignore_case=self.ignore_case,
            multiline=self.multiline,
            dot_all=self.dot_all,
        )

    def applies(self, case: Case) -> str:
        """Empty, unless a group is to be compared and the case has no expected answers."""
        return "the case has no expected answers" if self.group is not None and not answers(case) else ""

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        said = output.text
        matcher = self._compiled.search if self.mode == "search" else self._compiled.fullmatch
        match = matcher(searched(encodable(said)))
        if match is None:
            return verdict(self.absent, "does not match")
        start, end = cast("tuple[int, int]", match.span())
        span = Evidence.of("text", said[start:end][:SHOWN], (start, end))
        if self.group is None:
            return Score.binary(not self.absent, "matches", evidence=(span,))
        caught = match.group(self.group)
        if caught is None:
            return Score.binary(False, f"matches, but group {self.group} caught nothing", evidence=(span,))
        caught = caught.decode("ascii") if isinstance(caught, bytes) else str(caught)
        good = caught.strip() in [encodable(a).strip() for a in answers(case)]
        verb = "is" if good else "is not"
        return Score.binary(good, f"group {self.group} caught {shown(caught)}, which {verb} expected", evidence=(span,))
