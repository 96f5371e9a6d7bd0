"""The shape of a suite: dataset, targets, prompt, rubrics and policy. `seatrial schema` prints it as JSON Schema."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from seatrial.core.economics import EconomicsSpec
from seatrial.core.identity import digest
from seatrial.core.message import Role
from seatrial.core.record import Filled, Json, Moment, Record, Text

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", max_length=80)]
Kind = Literal["quality", "gate", "limit", "advisory"]
Statistic = Literal["mean", "p50", "p90", "p95", "p99"]
Selection = Literal["traffic", "probes", "all"]
Split = Literal["build", "test", "sealed"]
Sensitivity = Literal["missing", "clusters", "weights", "margin", "judge"]
Age = Annotated[
    str,
    Field(pattern=r"^[1-9][0-9]{0,4}(h|d|w)$", description="Hours, days or weeks, like 36h, 30d, 26w", max_length=6),
]


def seconds_of(age: Age) -> float:
    """An age in seconds."""
    return int(age[:-1]) * {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}[age[-1]]


class DatasetSpec(Record):
    """Where the cases are, and how their rows become cases.

    `fields` maps a case's field to a column or dotted path of the rows (`expected: answer.final`). `defaults` are
    values for fields that the rows do not give. `shares` are the traffic shares a stratum has in production.

    Where `path` is the folder of a set, `split` says which of its splits is run, and `version` (a hash, the start of
    one, or a tag) which commit the folder must hold; fields, defaults and shares are then the set's own.
    """

    path: Filled = Field(description="File beside the suite: .jsonl, .json, .csv or .parquet; or the folder of a set")
    format: Literal["jsonl", "json", "csv", "parquet"] | None = Field(
        default=None, description="Taken from the file's ending where not given"
    )
    fields: Mapping[str, str] = Field(default_factory=dict, description="Case field: column or dotted path")
    defaults: Mapping[str, Json] = Field(default_factory=dict, description="Case field: value for every row")
    shares: Mapping[str, Mapping[str, Annotated[float, Field(ge=0, le=1)]]] = Field(default_factory=dict)
    split: Split | Annotated[tuple[Split, ...], Field(min_length=1)] = Field(
        default="test", description="Of a set: build, test or sealed, or a list of them"
    )
    version: Text = Field(default="", description="Of a set: its hash or the start of one, or a tag")

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that it names, each once."""
        return (self.split,) if isinstance(self.split, str) else tuple(dict.fromkeys(self.split))


Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(Record):
    """What a target's tokens cost in US dollars, in one of three ways. What is left out is unknown, not free.

    By the million tokens: `input` and `output`, and what differs: `cached` (read from a cache), `cache_write`,
    `reasoning`, and `batch`, the share of all these that batch requests cost. As a `model` of the price list, like
    `openai/gpt-4o`, for a gateway that bills as the provider does. By the hour: `gpu_hour` for each of `gpus` that
    give `tokens_per_second` output tokens, all together, when they are busy, which they are `utilisation` of the time.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {"input": ["output"], "output": ["input"], "gpu_hour": ["tokens_per_second"]}
        }
    )

    input: Dollars | None = Field(default=None, description="Per million tokens; those of caches included")
    output: Dollars | None = Field(default=None, description="Per million tokens; reasoning included")
    cached: Dollars | None = Field(default=None, description="Per million read from a cache; else as input")
    cache_write: Dollars | None = Field(default=None, description="Per million written to a cache; else as input")
    reasoning: Dollars | None = Field(default=None, description="Per million of reasoning; else as output")
    batch: float = Field(default=0.5, ge=0, le=1, description="What batch requests cost, as a share")
    model: Text = Field(default="", description="As the price list has it: provider/model")
    gpu_hour: Dollars | None = Field(default=None, description="Of one GPU")
    gpus: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1
    tokens_per_second: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["measured"] | None = Field(
        default=None, description="Output tokens of all GPUs together; `measured`: as the run finds it"
    )
    utilisation: float = Field(default=1, gt=0, le=1, description="Share of the paid time in which they work")
    as_of: Moment | None = Field(default=None, description="When these prices were so")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = {
            "input and output": self.input is not None or self.output is not None,
            "gpu_hour": self.gpu_hour is not None,
            "model": bool(self.model),
        }
        if sum(ways.values()) != 1:
            raise ValueError("needs input and output, or gpu_hour, or model, and only one of these")
        if ways["input and output"] and (self.input is None or self.output is None):
            raise ValueError("needs input and output both: what is left out is unknown")
        if ways["gpu_hour"] and self.tokens_per_second is None:
            raise ValueError("gpu_hour needs tokens_per_second, a number or `measured`")
        belongs = {
            "input and output": {"cached", "cache_write", "reasoning", "batch"},
            "gpu_hour": {"gpus", "tokens_per_second", "utilisation"},
        }
        for way, keys in belongs.items():
            if not ways[way] and (stray := sorted(self.model_fields_set & keys)):
                raise ValueError(f"{', '.join(stray)} belongs beside {way}")
        return self


class Budget(Record):
    """The most that one execution may use, all targets together. What is reused from the store costs nothing."""

    dollars: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    tokens: Annotated[int, Field(gt=0)] | None = Field(default=None, description="Input and output together")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.dollars is None and self.tokens is None:
            raise ValueError("needs dollars or tokens")
        return self


class JudgingBudget(Record):
    """The most that one execution may use for judging, all judges together. What is reused costs nothing."""

    dollars: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    tokens: Annotated[int, Field(gt=0)] | None = Field(default=None, description="Input and output together")
    requests: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="Questions put to judges; further attempts at one are not counted"
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.dollars is None and self.tokens is None and self.requests is None:
            raise ValueError("needs dollars, tokens or requests")
        return self


class Judging(Record):
    """How judges are asked."""

    budget: JudgingBudget | None = Field(
        default=None, description="When it is spent, what is left is not judged: missing, and never a pass"
    )


USE = r"([a-z][a-z0-9_-]*:|[A-Za-z0-9][A-Za-z0-9._-]*/).+"
"""How a target's `use` is written: adapter:object, or provider/model."""


def _adapter_and_object(value: str) -> str:
    if not re.fullmatch(USE, value, re.DOTALL):
        raise ValueError("must be written provider/model or adapter:object, like openai/gpt-4o-mini")
    return value


class Poisson(Record):
    """Requests arrive by themselves, `poisson` a second on average, however many are still being answered."""

    poisson: float = Field(gt=0, le=10_000, description="Requests a second")


class Batching(Record):
    """How a target's requests go to its provider's batch API.

    `requests` and `bytes`: at most so many in one batch, the provider's own limits where not given. `poll`: seconds
    before the first look at a batch; each next one waits half as long again, up to 20 times that. `settle`: seconds
    after which a batch whose submission was cut, and which the provider does not list, counts as never submitted.
    """

    requests: int | None = Field(default=None, ge=1, description="Most requests in one batch")
    bytes: int | None = Field(default=None, ge=1024, description="Most bytes in one batch")
    poll: float = Field(default=15, gt=0, le=3600, description="Seconds before the first look at a batch")
    settle: float = Field(default=10, ge=0, le=3600, description="Seconds to look for a batch that may be there")


Unsupported = Literal["fail", "drop", "send"]
"""What becomes of a parameter that a model is known not to take: an error, left out and named, or sent all the same."""


class TargetSpec(Record):
    """A system under test. `use` names the adapter and its object.

    `groq/MODEL` asks an endpoint of the catalogue, `openai:MODEL` speaks chat completions at any base URL,
    `responses:`, `anthropic:` and `gemini:` speak their own formats, `https://…` asks any JSON endpoint,
    `python:module:function` calls your code, `replay:FILE` reads recorded outputs.
    """

    use: Annotated[Text, AfterValidator(_adapter_and_object)] = Field(
        description="provider/model, like openai/gpt-4o-mini, or adapter:object, like replay:FILE"
    )
    params: Mapping[str, Json] = Field(default_factory=dict, description="Sent with every request: temperature …")
    concurrency: int = Field(default=32, ge=1, le=4096, description="Most requests in flight")
    arrival: Literal["closed"] | Poisson = Field(
        default="closed",
        description="closed: each of `concurrency` workers asks when its last answer came; {poisson: 5}: by schedule",
    )
    rpm: float | None = Field(default=None, gt=0, description="Requests per minute")
    tpm: float | None = Field(default=None, gt=0, description="Tokens per minute")
    timeout: float = Field(default=120, gt=0, description="Seconds an attempt may take")
    deadline: float | None = Field(
        default=None, gt=0, description="Seconds after which a late answer is the model's failure"
    )
    retries: int = Field(default=5, ge=0, le=20, description="Further attempts after a passing fault")
    price: Price | None = None
    released: Moment | None = Field(
        default=None, description="When it came out: no newer case was in its training data"
    )
    cutoff: Moment | None = Field(default=None, description="Where its training data ends, if that is known")
    base_url: Text = Field(default="", description="models: the endpoint, up to and including its version, like /v1")
    api_key_env: Text = Field(
        default="",
        description="The environment variable that holds the key; any host but the provider's own needs one named",
    )
    headers: Mapping[str, str] = Field(default_factory=dict, description="Extra headers, no secrets")
    stream: bool = Field(default=False, description="models: stream, which measures time to first token")
    unsupported: Unsupported = Field(
        default="fail", description="models: what to do about a parameter that the model does not take"
    )
    batch: bool | Batching = Field(
        default=False, description="OpenAI, Anthropic: by the provider's batch API: half the price, within 24 hours"
    )
    fields: Mapping[str, str] = Field(default_factory=dict, description="replay: output field: dotted path")
    join: Literal["input", "id"] = Field(default="input", description="replay: what joins rows to cases")
    partial: bool = Field(default=False, description="replay: it holds only some of the cases")
    options: Mapping[str, Json] = Field(
        default_factory=dict,
        description="Settings of endpoints (body, response, key_header), python (version) and plug-ins",
    )

    @property
    def batching(self) -> Batching | None:
        """How requests go into batches, None where they are sent one by one."""
        return self.batch if isinstance(self.batch, Batching) else Batching() if self.batch else None

    @property
    def load(self) -> str:
        """The arrival pattern in a word, as it stands with every timing: `closed:32`, `poisson:5`."""
        if isinstance(self.arrival, Poisson):
            return f"poisson:{self.arrival.poisson:.12g}"
        return f"closed:{self.concurrency}"


HASHING = "hashing"
"""The embedder that needs no model: hashed character n-grams."""


def _embedder(value: str) -> str:
    return value if value == HASHING else _adapter_and_object(value)


class EmbedderSpec(Record):
    """What gives texts their vectors, for scorers that compare meanings: `hashing`, or an endpoint like OpenAI's."""

    use: Annotated[Text, AfterValidator(_embedder)] = Field(
        default=HASHING, description="hashing, or provider/model or openai:MODEL at any base URL"
    )
    params: Mapping[str, Json] = Field(default_factory=dict, description="Sent with every request: dimensions …")
    concurrency: int = Field(default=8, ge=1, le=4096, description="Most requests in flight")
    rpm: float | None = Field(default=None, gt=0, description="Requests per minute")
    tpm: float | None = Field(default=None, gt=0, description="Tokens per minute")
    timeout: float = Field(default=120, gt=0, description="Seconds an attempt may take")
    retries: int = Field(default=5, ge=0, le=20, description="Further attempts after a passing fault")
    base_url: Text = Field(default="", description="The endpoint, up to and including its version, like /v1")
    api_key_env: Text = Field(
        default="",
        description="The environment variable that holds the key; any host but the provider's own needs one named",
    )
    headers: Mapping[str, str] = Field(default_factory=dict, description="Extra headers, no secrets")

    @model_validator(mode="after")
    def _hashing_has_no_settings(self) -> Self:
        if self.use == HASHING and (stray := sorted(self.model_fields_set - {"use"})):
            raise ValueError(f"{', '.join(stray)} belongs to an embedder that is asked, hashing is none")
        return self


class PromptMessage(Record):
    """A templated message. It sees `input`, `context`, `tools` and the suite's variables; never what is expected."""

    role: Role
    content: Text


WHOLE_AGGREGATES = ("accuracy", "balanced_accuracy", "kappa", "macro_f1", "mcc", "micro_f1", "weighted_f1")
LABEL_AGGREGATES = ("f1", "precision", "recall")
PAIR_AGGREGATES = ("counterfactual_consistency", "demographic_parity")
OWN_AGGREGATE = "python:"


def _aggregate(value: str) -> str:
    name, _, label = value.partition(":")
    if not value or value in WHOLE_AGGREGATES or (name in LABEL_AGGREGATES and label.strip()):
        return value
    if value in PAIR_AGGREGATES or re.fullmatch(r"python:[\w.]+:[\w.]+", value):
        return value
    if value in LABEL_AGGREGATES:
        raise ValueError(f"must name its label, like {value}:fraud")
    labels = (f"{one}:LABEL" for one in LABEL_AGGREGATES)
    known = ", ".join((*WHOLE_AGGREGATES, *labels, *PAIR_AGGREGATES, "python:module:function"))
    raise ValueError(f"must be one of {known}")


class RubricSpec(Record):
    """A named use of a scorer, and what it decides.

    `quality`: the candidate must not be worse than the incumbent by more than `margin_points` percentage points.
    `gate`: the failure rate must be shown to be at most `limit_points`. `limit`: `statistic` of the scorer's measure
    must be at most `at_most`, or at most `at_most_ratio` times the incumbent's. `advisory`: shown, never decides.
    """

    name: Name
    scorer: Filled = Field(description="A scorer's name, or python:module:function")
    kind: Kind = "quality"
    settings: Mapping[str, Json] = Field(default_factory=dict, alias="with", description="The scorer's settings")
    margin_points: float | None = Field(default=None, gt=0, le=100, description="quality: percentage points")
    limit_points: float | None = Field(default=None, gt=0, le=100, description="gate: percentage points of failures")
    at_most: float | None = Field(default=None, description="limit: in the scorer's unit")
    at_most_ratio: float | None = Field(default=None, gt=0, description="limit: times the incumbent's")
    statistic: Statistic = Field(default="p95", description="limit: of the measure")
    cases: Selection | None = Field(
        default=None, description="Which cases: a gate takes all, the other kinds take traffic, unless said"
    )
    where: Mapping[str, str | tuple[str, ...]] = Field(default_factory=dict, description="Only cases of these strata")
    graded: bool = Field(default=False, description="quality, advisory: compares mean values, not passes")
    aggregate: Annotated[Text, AfterValidator(_aggregate)] = Field(
        default="",
        description="quality, advisory: one number over all labels, like macro_f1, mcc or f1:fraud, or over all scores",
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        belongs = {
            "margin_points": "quality",
            "limit_points": "gate",
            "at_most": "limit",
            "at_most_ratio": "limit",
        }
        for key, kind in belongs.items():
            if getattr(self, key) is not None and self.kind != kind:
                raise ValueError(f"{key} belongs to kind {kind}, this rubric is of kind {self.kind}")
        if (self.graded or self.aggregate) and self.kind not in ("quality", "advisory"):
            raise ValueError(f"graded and aggregate belong to quality and advisory, this rubric is of kind {self.kind}")
        if self.graded and self.aggregate:
            raise ValueError("graded and aggregate are two ways of comparing: keep one")
        if self.kind == "gate" and self.limit_points is None:
            raise ValueError("a gate needs limit_points, the failure rate it allows in percentage points")
        if self.kind == "limit" and (self.at_most is None) == (self.at_most_ratio is None):
            raise ValueError("a limit needs either at_most or at_most_ratio")
        return self

    @property
    def over_scores(self) -> bool:
        """Whether it takes one number over whole scores: counterfactual pairs, or a function of the suite's own."""
        return self.own_aggregate or self.aggregate in PAIR_AGGREGATES

    @property
    def own_aggregate(self) -> bool:
        """Whether its aggregate is a function of the suite's own."""
        return self.aggregate.startswith(OWN_AGGREGATE)

    @property
    def selection(self) -> Selection:
        """Which cases it takes."""
        return self.cases or ("all" if self.kind == "gate" else "traffic")


class ParityPolicy(Record):
    """Under which conditions two targets may be compared, beside those that are the same for both.

    `allow` names what may differ: a parameter, or `prompt`, `tools`, `stream`, `epochs`, `series`, `time`.
    """

    allow: tuple[Text, ...] = Field(default=(), description="What may differ: temperature, max_tokens, stream, time …")
    max_hours_apart: float = Field(
        default=24, gt=0, allow_inf_nan=False, description="Most hours between two answers to one case, for 95% of them"
    )


class MaxAge(Record):
    """How old what is judged may be when a trial starts; nothing is asked of what is not given."""

    outputs: Age | None = Field(default=None, description="Of every answer; older ones make the arms not evaluable")
    dataset: Age | None = Field(
        default=None, description="Of the newest case, or of the version where no case has a date; else all is advisory"
    )


class EarlyStopping(Record):
    """Looking at a trial before it is complete, at levels that keep the error rate of all looks together."""

    looks: int = Field(default=4, ge=2, le=10, description="How often the trial is looked at, its end included")


class Policy(Record):
    """How verdicts are drawn; hashed before results exist."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="Error rate of a ship, and of a block")
    gate_alpha: float = Field(
        default=0.10, gt=0, lt=0.5, description="Error rate of 'worse than the incumbent' on a gate"
    )
    margin_points: float = Field(default=3.0, gt=0, le=100, description="For quality rubrics that name none")
    power: float = Field(default=0.8, gt=0, lt=1, description="For the number of cases that would settle it")
    slices: tuple[str, ...] = Field(default=(), description="Strata to break results down by; all where empty")
    min_cases: int = Field(default=30, ge=1, description="Fewer cases on a rubric decide nothing")
    synthetic: Literal["exclude", "include"] | tuple[Filled, ...] = Field(
        default="exclude", description="Which synthetic cases count: none, all, or those of these evolutions"
    )
    missing: Literal["bounds", "fail"] = Field(
        default="bounds", description="A result nobody could give: left out and bounded, or a failure of its arm"
    )
    most_missing_points: float = Field(
        default=20.0, ge=0, le=100, description="Most of an arm's results that may be missing on a rubric that passes"
    )
    parity: ParityPolicy = ParityPolicy()
    early_stopping: EarlyStopping | None = Field(
        default=None, description="End a trial when it is decided: {looks: 4}; always to the end where not given"
    )
    record_days: int = Field(
        default=90, ge=1, le=3650, description="How long a decision record stands, counted from its answers"
    )
    max_age: MaxAge = MaxAge()
    sensitivity: tuple[Sensitivity, ...] | None = Field(
        default=None, description="Under which other choices the verdict is drawn again; all that apply where not given"
    )
    margin_points_strict: float | None = Field(
        default=None, gt=0, le=100, description="A second margin: whether quality rubrics would keep that one too"
    )
    cluster: Filled = Field(
        default="seed_id",
        description="Cases alike in it are one cluster: seed_id, a stratum, session_id or metadata.NAME",
    )
    exposed_after: Age | None = Field(
        default=None, description="Cases older than this count as exposed for a target that names no date"
    )


class GateSpec(Record):
    """What `seatrial gate` reads beside the suite; paths start at the suite's folder."""

    baseline: Filled = Field(default="seatrial.baseline.json", description="The blessed baseline")
    quarantine: Filled = Field(default="quarantine.yaml", description="Cases that run and decide nothing")
    most_quarantined_points: float = Field(
        default=5.0, ge=0, le=50, description="Most of a rubric's cases in quarantine, in percentage points"
    )
    watch: tuple[Filled, ...] = Field(
        default=(), description="Globs from the repository's root: changing such a file needs a decision record"
    )
    records: Filled = Field(default="records", description="The folder of decision records")


class Suite(Record):
    """One YAML file: what to run, on what, how to score it, and what decides."""

    name: Name
    description: Text = ""
    dataset: DatasetSpec
    targets: Mapping[Name, TargetSpec] = Field(min_length=1)
    incumbent: Name | None = Field(default=None, description="The target that runs today; all others are candidates")
    prompt: tuple[PromptMessage | Literal["input"], ...] = Field(
        default=("input",),
        min_length=1,
        description="Messages; the word `input` stands for the case's own messages",
    )
    variables: Mapping[str, Json] = Field(default_factory=dict, description="Further names a template may use")
    rubrics: tuple[RubricSpec, ...] = Field(min_length=1)
    policy: Policy = Policy()
    budget: Budget | None = Field(default=None, description="The most that one execution may use")
    economics: EconomicsSpec | None = Field(default=None, description="The business case: volume, what a failure costs")
    gate: GateSpec = GateSpec()
    judges: Mapping[Name, TargetSpec] = Field(
        default_factory=dict, description="Models that scorers may ask, by the names that rubrics give: {judge: NAME}"
    )
    judging: Judging = Judging()
    embedder: EmbedderSpec = EmbedderSpec()
    labels: Filled | None = Field(default=None, description="File beside the suite: what people say of single answers")
    seed: int = Field(default=0, ge=0, description="Orders the run, draws samples; a sent seed starts here")

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if self.incumbent is not None and self.incumbent not in self.targets:
            raise ValueError(f"incumbent names no target; the targets are {', '.join(self.targets)}")
        if self.incumbent is None and len(self.targets) > 1:
            raise ValueError("several targets need an incumbent: the one that runs today")
        seen: set[str] = set()
        for rubric in self.rubrics:
            if rubric.name in seen:
                raise ValueError(f"two rubrics are named {rubric.name!r}")
            seen.add(rubric.name)
        if taken := [name for name in self.judges if name in self.targets]:
            raise ValueError(f"judges and targets need names of their own: {', '.join(taken)}")
        if self.economics is not None:
            self._economics_fits(self.economics)
        return self

    def _economics_fits(self, economics: EconomicsSpec) -> None:
        if stray := [name for name in economics.fixed if name not in self.targets]:
            raise ValueError(f"economics.fixed names no target: {', '.join(stray)}")
        judged = [r.name for r in self.rubrics if r.kind != "limit" and r.selection != "probes"]
        if stray := [name for name in economics.failed_by if name not in judged]:
            raise ValueError(f"economics.failed_by names {', '.join(stray)}; it may name {', '.join(judged)}")

    @cached_property
    def hash(self) -> str:
        """Identity of all that it says."""
        return digest("suite", self.model_dump(exclude_defaults=True, by_alias=True))

    @property
    def candidates(self) -> tuple[str, ...]:
        """All targets but the incumbent."""
        return tuple(name for name in self.targets if name != self.incumbent)

    def margin(self, rubric: RubricSpec) -> float:
        """A quality rubric's margin as a share, like 0.03."""
        return (self.policy.margin_points if rubric.margin_points is None else rubric.margin_points) / 100
