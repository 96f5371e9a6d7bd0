"""What a verdict says. Shares are in [0, 1]; rounding and percentage points are for reports to make."""

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

    The estimate may be weighted to traffic; of a graded rubric it is the mean value, of an aggregate the number itself.
    `passed` counts as it is: of graded values those that are 1, of labels those that are right.

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


class Tries(Record):
    """One arm at several tries a case: in how many cases all of `k` pass (pass^k), and at least one (pass@k)."""

    arm: Literal["candidate", "incumbent"]
    k: int
    cases: int = Field(description="with at least k results")
    all_pass: Estimate
    any_pass: Estimate


class SyntheticGap(Record):
    """Synthetic cases against the others on one rubric: each arm's rate on synthetic cases minus that on the rest.

    `counted`: whether the policy lets them count (all or some of them).
    """

    cases: int
    others: int
    counted: bool
    candidate: Estimate | None = None
    incumbent: Estimate | None = None


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


class Confusion(Record):
    """How often an arm found which label where which was expected, over the results that all arms have.

    `counts`: a row an expected label, a column a label found, both in the order of `labels`; the last column counts
    answers that name none of them.
    """

    arm: Literal["candidate", "incumbent"]
    labels: tuple[Text, ...]
    counts: tuple[tuple[int, ...], ...]


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
    unweighted: Estimate | None = Field(default=None, description="the difference if all cases counted the same")
    unseen: float = Field(default=0.0, description="share of traffic of which there is no case")
    tries: tuple[Tries, ...] = Field(default=(), description="where cases were asked several times")
    confusion: tuple[Confusion, ...] = Field(default=(), description="one number over all labels: what it is taken of")
    synthetic: SyntheticGap | None = None
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
    incumbent_output: Text = Field(default="", description="the answer's identity")
    candidate_output: Text = ""


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


class Money(Record):
    """US dollars (or weeks, or days) from a lower to an upper end; both the same where it is known exactly."""

    low: float
    high: float


class Payback(Record):
    """What evaluating costs, and after how many days it is earned back by the failures that it keeps out.

    `avoided`: dollars a month between the arm that fails more and the one that fails less. `days` is None where that
    is no more than the upkeep.
    """

    setup: Money
    upkeep: Money = Field(description="a month")
    avoided: float
    days: Money | None = None


class Economics(Record):
    """What the switch would cost and save, in US dollars; a month is a twelfth of 365 days. None is unknown, never 0.

    A month's prices include the fixed costs. `extra_share`: the candidate's failure rate minus the incumbent's;
    `extra_units` and `extra_cost`: what that comes to in a month. `saving` is over `months`, migration paid; `monthly`
    is before migration. Estimates hold what was seen, their intervals come from `draws` draws of both failure rates.
    """

    unit: Text
    units: float = Field(description="of work a month")
    months: float
    failed_by: tuple[Text, ...]
    failure_cost: float
    price_candidate: float | None = None
    price_incumbent: float | None = None
    price_saving: float | None = None
    price_sources: tuple[Text, ...] = ()
    pairs: Pairs | None = None
    extra_share: Estimate | None = None
    extra_units: Estimate | None = None
    extra_cost: Estimate | None = None
    break_even: float | None = Field(
        default=None, description="how many more units, as a share, may fail before the price saving of a month is gone"
    )
    monthly: Estimate | None = None
    saving: Estimate | None = None
    p_pays: float | None = Field(default=None, description="probability that the saving is above 0")
    loss_if_shipped: float | None = Field(default=None, description="expected, where switching does not pay")
    loss_if_kept: float | None = Field(default=None, description="expected saving forgone, where it would pay")
    evpi: float | None = Field(default=None, description="what knowing both failure rates exactly would be worth")
    more: int = Field(default=0, description="further cases")
    more_worth: float | None = Field(default=None, description="what their results would be worth")
    more_cost: float | None = Field(default=None, description="what asking both arms about them costs")
    migration: Money | None = None
    migration_weeks: Money | None = None
    delay: float | None = Field(default=None, description="what finding out too late costs besides")
    delay_weeks: float | None = None
    delay_expected: float | None = Field(default=None, description="the same times the probability of not paying")
    evaluation: Payback | None = None
    draws: int = 0
    seed: int = 0
    sentence: Text = ""
    notes: tuple[Text, ...] = ()


class Stopping(Record):
    """The look at which a trial with early stopping ended: `look` of `looks`, after `cases` of `planned_cases`.

    `why`: `ship`, `block` or `cannot_pass` with the `rubrics` that say so; empty at the end. `level` and `gate_level`
    are the one-sided levels of this look, at which the verdict was drawn. Saved are the requests of both arms that were
    not sent; `saved_dollars` at the mean cost of those that were, None where that is not known.
    """

    look: int
    looks: int
    cases: int
    planned_cases: int
    why: Text = ""
    rubrics: tuple[Text, ...] = ()
    level: float
    gate_level: float
    method: Text
    saved_requests: int = 0
    saved_dollars: float | None = None
    sentence: Text


class RubricControl(Record):
    """One rubric of an A/A trial: how often the target disagrees with itself, and what the engine makes of that.

    `discordance` is the share of pairs of which one answer passes and the other fails. `would_block` and `would_worsen`
    are the shares of `draws` would-be trials (answers exchanged at random, whole clusters at once) in which the engine
    called the target a loss beyond its margin, and worse than itself at all; the second may be up to `allowed`.
    """

    name: Text
    kind: Text
    discordance: Estimate
    p_value: float | None = None
    p_holm: float | None = None
    would_block: float
    would_worsen: float
    allowed: float
    draws: int


class Control(Record):
    """A target against itself: `sound` where nothing says that the set-up tells its two arms apart."""

    target: Text
    again: Text
    sound: bool
    identical: float | None = Field(default=None, description="share of pairs whose answers say the same")
    rubrics: tuple[RubricControl, ...] = ()
    sentences: tuple[Text, ...] = ()


class FragilityCheck(Record):
    """The verdict under one other choice. `what`: the choice, as a clause; `rubrics`: those decided otherwise."""

    name: Text
    what: Text
    overall: Overall
    flips: bool = Field(description="whether the verdict would be another")
    rubrics: tuple[Text, ...] = ()


class Fragility(Record):
    """What the verdict would be under other choices. `fragile`: a ship or a block that would turn under one of them."""

    checks: tuple[FragilityCheck, ...]
    fragile: bool
    sentence: Text


class Jump(Record):
    """How a rubric moved on cases that the candidate may have seen in training, and on those that it cannot have seen.

    `exposed` and `fresh` are paired differences; `between` is the first minus the second. `gained_there_only`: it gains
    on exposed cases, not on fresh ones, and the difference between both is shown.
    """

    rubric: Text
    exposed_cases: int
    fresh_cases: int
    exposed: Estimate
    fresh: Estimate
    between: Estimate
    gained_there_only: bool


class Registered(Record):
    """The policy as it was registered before any answer existed, and what was changed since results were seen.

    `hash` covers all that decides. `changes` are keys with their old and new value, against the first trial
    (`first_trial`) on the same dataset and arms, whose results existed at `results_at`.
    """

    hash: Text
    changes: tuple[tuple[Text, Text, Text], ...] = ()
    first_trial: Text = ""
    results_at: Text = ""


class Verdict(Record):
    """Candidate against incumbent under the suite's policy. `suspect`: why its gains may come from training data."""

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
    economics: Economics | None = None
    fragility: Fragility | None = None
    suspect: Text = ""
    jumps: tuple[Jump, ...] = ()
    stopping: Stopping | None = Field(default=None, description="where the policy stops early")
    control: Control | None = Field(default=None, description="of an A/A trial")
    warnings: tuple[Text, ...] = ()


class Compared(Record):
    """Two targets on the cases that all ranked ones answered; the interval holds for all such pairs at once."""

    first: Text
    second: Text
    difference: Estimate


class Standing(Record):
    """Where one target stands among several. `rank_low` to `rank_high`: the ranks that cannot be ruled out, 1 the best.

    `p_front`: the probability that no other is at least as good in all objectives and better in one. What a gate has
    blocked (`excluded` names it) has no rank and is on no front.
    """

    target: Text
    incumbent: bool = False
    overall: Overall | None = None
    quality: Rate
    rank_low: int | None = None
    rank_high: int | None = None
    cost: Estimate | None = Field(default=None, description="US dollars for 1,000 answers")
    latency: Estimate | None = Field(default=None, description="seconds, 95th percentile of whole answers")
    p_front: float | None = None
    excluded: Text = ""


class Ranking(Record):
    """Several targets side by side, best first: how many cases each passes on all of `rubrics`, price and time.

    Only cases that all targets answered count (`cases`). Decides nothing.
    """

    rubrics: tuple[Text, ...]
    cases: int
    clusters: int
    objectives: tuple[Text, ...] = Field(description="of the Pareto front: quality, cost, latency where known of all")
    standings: tuple[Standing, ...]
    differences: tuple[Compared, ...]
    method: Text
    front_method: Text
    draws: int
    seed: int
    sentence: Text = ""
    notes: tuple[Text, ...] = ()


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
    ranking: Ranking | None = Field(default=None, description="where there are several candidates")
    registered: Registered | None = None
    environment: Mapping[Text, Json] = Field(default_factory=dict)
    warnings: tuple[Text, ...] = ()
