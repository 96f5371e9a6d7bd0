"""What a verdict says. Shares are in [0, 1]; rounding and percentage points are for reports to make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from seatrial.core.record import Json, Record, Text

Decision = Literal["PASS", "BLOCK", "INCONCLUSIVE", "SHOWN"]
Overall = Literal["ship", "block", "inconclusive", "not_evaluable"]
Flag = Literal[
    "superior",  # better than the incumbent beyond doubt
    "regressed",  # worse beyond doubt, though perhaps within the margin
    "fragile",  # another answer under missing-data bounds or without one cluster
    "few_cases",  # fewer than the policy's min_cases
    "few_clusters",  # fewer than 30 clusters: intervals are rough
    "piled_up",  # losses sit in few clusters, and it is not shown to be better: the error rate is not held
    "missing",  # some results are missing
]


class Estimate(Record):
    """A number with its interval, the level of that interval, and how both were made."""

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: Text


class Rate(Record):
    """How often an arm passed a rubric. `missing` results are in neither `passed` nor `n`.

    `worst` and `best`: the rate if all missing had failed, or passed.
    """

    passed: int
    n: int
    missing: int
    clusters: int
    estimate: Estimate
    worst: float | None = None
    best: float | None = None


class Pairs(Record):
    """The paired counts, a pair being one case at one epoch.

    `gained`: candidate right, incumbent wrong; `lost`: the other way round. `missing`: pairs of which a side is
    missing. The method used the counts divided by `deflation`.
    """

    n: int
    both: int
    gained: int
    lost: int
    neither: int
    missing: int
    clusters: int
    discordant_clusters: int
    deflation: float = 1.0


class Quantity(Record):
    """A limit rubric's numbers, in `unit`: the statistic of each arm, and what it must not exceed."""

    statistic: Text
    unit: Text
    n: int = Field(default=0, description="measures of the candidate that count")
    incumbent: Estimate | None = None
    candidate: Estimate
    ratio: Estimate | None = None
    at_most: float | None = None
    at_most_ratio: float | None = None


class SliceResult(Record):
    """One stratum's value, exploratory: p is adjusted over all slices of the rubric (Benjamini–Hochberg)."""

    stratum: Text
    value: Text
    n: int
    incumbent: float | None
    candidate: float | None
    difference: Estimate
    p_value: float | None = None
    p_adjusted: float | None = None


class RubricResult(Record):
    """One rubric's part of a verdict, and the sentence that says it."""

    name: Text
    kind: Text
    scorer: Text
    decision: Decision
    sentence: Text
    candidate: Rate | None = None
    incumbent: Rate | None = None
    difference: Estimate | None = None
    difference_wide: Estimate | None = Field(default=None, description="the two-sided interval at 1 - alpha")
    margin: float | None = None
    limit: float | None = None
    failures: Estimate | None = Field(
        default=None, description="gate: the candidate's failure rate, each end a one-sided bound at 1 - alpha"
    )
    p_value: float | None = Field(default=None, description="two-sided, that the arms differ")
    p_worse: float | None = Field(default=None, description="one-sided, that the candidate is worse")
    p_holm: float | None = Field(default=None, description="p that it is worse than its margin, Holm-adjusted")
    p_method: Text = Field(default="", description="of p_value and p_worse")
    pairs: Pairs | None = None
    quantity: Quantity | None = None
    flags: tuple[Flag, ...] = ()
    needed: int | None = Field(default=None, description="further cases that would settle it")
    needed_note: Text = Field(default="", description="what sort of cases, or why no number would settle it")
    visible: float | None = Field(default=None, description="smallest difference this many cases can show")
    missing_range: tuple[float, float] | None = Field(default=None, description="difference under missing-data bounds")
    slices: tuple[SliceResult, ...] = ()
    warnings: tuple[Text, ...] = ()


class Flip(Record):
    """A case on which the arms differ, with both outputs. Texts are cut at 4,000 characters."""

    rubric: Text
    direction: Literal["lost", "gained"]
    case_id: Text
    position: int
    epoch: int
    strata: Mapping[Text, Text]
    probe: Text = ""
    input: Text
    expected: Text
    incumbent: Text
    candidate: Text
    incumbent_reason: Text = ""
    candidate_reason: Text = ""


class Percentiles(Record):
    """One of an arm's times, in `unit`: percentiles over `n` answers, each with its two-sided interval."""

    name: Literal["first_token", "inter_token", "total"]
    unit: Text
    n: int
    p50: Estimate | None = None
    p95: Estimate | None = None
    p99: Estimate | None = None


class LatencySummary(Record):
    """What an arm's answers took, of the `outputs` that were timed under the declared arrival pattern, each once.

    `load` is that pattern (`closed:32`, `poisson:5`), empty for recordings; `other_load` answers were timed under
    another and do not count. `late` arrived while all places were taken, `lagged` were timed while our own loop was
    late. `queued` is the 99th percentile of the seconds between a scheduled arrival and the sending of the attempt
    that answered. They were measured from `first_at` to `last_at`.
    """

    load: Text
    streamed: bool
    outputs: int
    other_load: int = 0
    late: int = 0
    lagged: int = 0
    queued: float | None = None
    first_at: Text = ""
    last_at: Text = ""
    times: tuple[Percentiles, ...] = ()


class ArmSummary(Record):
    """What one target did in the trial."""

    target: Text
    use: Text
    outputs: int
    reused: int = 0
    statuses: Mapping[Text, int]
    served_models: tuple[Text, ...] = ()
    cost: float | None = Field(default=None, description="US dollars, of the outputs whose cost is known")
    cost_unknown: int = 0
    price_sources: tuple[Text, ...] = Field(default=(), description="What priced them, like `suite 2026-10-01`")
    latency_p50: float | None = None
    latency_p95: float | None = None
    latency: LatencySummary | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    dropped: Mapping[Text, int] = Field(
        default_factory=dict, description="parameters asked and not sent, each with the outputs made without it"
    )


class Sample(Record):
    """That only a part of the dataset was run."""

    cases: int
    of: int
    seed: int


class Difference(Record):
    """A condition that was not the same for both arms. `allowed`: the suite's policy says that it may differ."""

    what: Text
    incumbent: Text
    candidate: Text
    allowed: bool = False


class Parity(Record):
    """Whether both arms were asked under the same conditions.

    `unknown`: the arms of which nobody recorded what they were sent. `same`: what both have in common, in words.
    """

    result: Literal["equal", "differs", "unknown"]
    same: tuple[Text, ...] = ()
    differences: tuple[Difference, ...] = ()
    unknown: tuple[Text, ...] = ()
    seconds_apart: float | None = Field(default=None, description="95% of the pairs were answered within it")
    apart: Text = Field(default="", description="the same in words")


class Verdict(Record):
    """Candidate against incumbent under the suite's policy."""

    candidate: Text
    incumbent: Text
    overall: Overall
    headline: Text
    parity: Parity | None = None
    rubrics: tuple[RubricResult, ...]
    flips: tuple[Flip, ...] = ()
    flips_left_out: int = 0
    differing_cases: int = Field(default=0, description="cases with any flip, kept or left out, each counted once")
    needed: int | None = None
    warnings: tuple[Text, ...] = ()


class TrialReport(Record):
    """All that a trial found: who ran, on what, and one verdict a candidate.

    Without an incumbent there is no verdict: `rates` then holds the one arm's results.
    """

    trial_id: Text
    suite: Text
    suite_hash: Text
    description: Text = ""
    dataset: Text
    dataset_hash: Text
    cases: int
    clusters: int
    composition: Mapping[Text, Mapping[Text, int]]
    sample: Sample | None = None
    epochs: int = 1
    started_at: Text
    status: Text
    policy: Mapping[Text, Json]
    arms: tuple[ArmSummary, ...]
    verdicts: tuple[Verdict, ...] = ()
    rates: tuple[RubricResult, ...] = ()
    environment: Mapping[Text, Json] = Field(default_factory=dict)
    warnings: tuple[Text, ...] = ()
