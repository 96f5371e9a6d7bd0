"""Whether an answer repeats itself, as a model does that is caught in a loop."""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import SHOWN, BuiltinScorer, Share, Whole, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.text._prose import without_code

READ = 400_000
LONGEST_PERIOD = 60
LEAST_TOKENS = 6

_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]|[^\W_]{1,40}|([^\w\s|*#=~.-])\1{7,15}"
)
_LETTER = re.compile(r"[^\W\d_]")


class _Tokens:
    """A text as numbers, one a word; equal words have equal numbers, in any case."""

    def __init__(self, text: str) -> None:
        matches = list(_TOKEN.finditer(text))
        numbers: dict[str, int] = {}
        self.ids = np.array([numbers.setdefault(m.group().casefold(), len(numbers)) for m in matches], dtype=np.int64)
        self.spans = [match.span() for match in matches]
        self.wordless = np.array([name.isdigit() for name in numbers], dtype=bool)

    def __len__(self) -> int:
        return len(self.spans)


def repeated_share(tokens: _Tokens, n: int) -> float:
    """The share of n-grams that are not all digits and were there before: 1 − distinct / all; 0 for fewer than two."""
    ids = tokens.ids
    total = len(ids) - n + 1
    if total < 2:
        return 0.0
    worded = ~np.lib.stride_tricks.sliding_window_view(tokens.wordless[ids], n).all(axis=1)
    if np.count_nonzero(worded) < 2:
        return 0.0
    grams = np.lib.stride_tricks.sliding_window_view(ids, n)
    keys = np.zeros(total, dtype=np.uint64)
    for column in range(n):  # a polynomial hash in 64 bits: two n-grams meet by chance once in 10^9 texts
        keys = (keys ^ (grams[:, column].astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(
            0xBF58476D1CE4E5B9
        )
        keys ^= keys >> np.uint64(29)
    keys = keys[worded]
    return 1 - len(np.unique(keys)) / len(keys)


class Run(NamedTuple):
    """A phrase said several times in a row: its length in words, how often, and which words it takes."""

    period: int
    times: int
    first: int
    last: int


def longest_run(tokens: _Tokens) -> Run | None:
    """The phrase of up to 60 words that covers most words by being repeated at once; None where none is.

    Phrases of digits alone (a table's numbers) do not count, nor what is shorter than six words in all.
    """
    best: Run | None = None
    ids = tokens.ids
    for period in range(1, min(LONGEST_PERIOD, len(ids) // 2) + 1):
        same = np.flatnonzero(np.concatenate(([True], ids[period:] != ids[:-period], [True])))
        lengths = np.diff(same) - 1
        at = int(lengths.argmax())
        covered, first = int(lengths[at]) + period, int(same[at])
        times = covered // period
        if times < 2 or covered < LEAST_TOKENS or bool(tokens.wordless[ids[first : first + period]].all()):
            continue
        if best is None or covered > best.last - best.first:
            best = Run(period, times, first, first + covered)
    return best


def repeated_lines(text: str) -> tuple[int, str, int]:
    """How often the most frequent line occurs, the line, and where its last occurrence starts.

    Lines without a letter (rules, brackets) and of fewer than three words count for nothing.
    """
    counts: dict[str, int] = {}
    places: dict[str, int] = {}
    at = 0
    for line in text.splitlines(keepends=True):
        key = line.strip()
        if len(key.split()) >= 3 and _LETTER.search(key):
            counts[key] = counts.get(key, 0) + 1
            places[key] = at
        at += len(line)
    if not counts:
        return 0, "", 0
    line = max(counts, key=lambda k: counts[k])
    return counts[line], line, places[line]


class Repetition(BuiltinScorer):
    """Whether the answer repeats itself: the share of n-grams that were there before, phrases in a row, looped lines.

    Formula of the measure: 1 − distinct n-grams / all n-grams, over words of any case (characters where a script has
    no spaces), code and runs of numbers left out. It passes when that is at most `max_share`, no phrase of up to 60
    words is said more than `max_run` times in a row, and no line of three words or more more than `max_lines` times.
    Example: `{n: 4, max_share: 0.15}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("repetition", "1", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="1 − the largest of: the share of repeated n-grams, the share of words in a phrase repeated too often "
        "in a row, the share of lines that repeat one too often. Passes within `max_share`, `max_run`, `max_lines`.",
        examples=(
            Example("q", "Your parcel left on Monday and should arrive within two days.", 1.0, True),
            Example("q", "I am here. I am here. I am here. I am here. I am here.", 0.0, False, note="a loop"),
        ),
        fails=(
            "Songs, litanies, templates and tables repeat by design: raise the limits there.",
            "The share grows with length: hold it against answers of the same kind.",
            "It sees words, not meaning: an answer that says the same thing three ways passes.",
        ),
        sources=("Welleck et al. 2019, Neural text generation with unlikelihood training (seq-rep-n)",),
    )
    n: Whole = Field(default=4, ge=1, le=20, description="Words in an n-gram")
    max_share: Share = 0.2
    max_run: Whole = Field(default=3, ge=1, description="How often a phrase may be said in a row")
    max_lines: Whole = Field(default=3, ge=1, description="How often a line may occur")

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        text = without_code(output.text[:READ])
        tokens = _Tokens(text)
        share = repeated_share(tokens, self.n)
        run = longest_run(tokens)
        times, line, at = repeated_lines(text)
        worst, faults = share, list[Evidence]()
        if run is not None and run.times > self.max_run:
            start, end = tokens.spans[run.first][0], tokens.spans[run.last - 1][1]
            note = f"a phrase of {run.period} words, {run.times} times in a row"
            faults.append(_evidence(output.text, start, end, note))
            worst = max(worst, (run.last - run.first) / len(tokens))
        if times > self.max_lines:
            faults.append(_evidence(output.text, at, at + len(line), f"the same line {times} times"))
            worst = max(worst, times / max(1, sum(bool(row.strip()) for row in text.splitlines())))
        passed = share <= self.max_share and not faults
        reason = f"{share:.0%} of {self.n}-grams repeated" + (f"; {shown(faults[0].note)[1:-1]}" if faults else "")
        return Score(
            value=max(0.0, 1 - worst), passed=passed, reason=reason, evidence=tuple(faults), measure=share, unit="share"
        )


def _evidence(text: str, start: int, end: int, note: str) -> Evidence:
    return Evidence(where="text", quote=text[start:end][:SHOWN], start=start, end=end, note=note)
