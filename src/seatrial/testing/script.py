"""What the fake provider shall do: a frozen record, written in Python or read from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from seatrial.core.record import Json, Record, Text, as_dict

Seconds = Annotated[float, Field(ge=0, le=86_400)]

ErrorKind = Literal[
    "rate_limit", "quota", "unauthorized", "not_found", "bad_request", "context_length", "timeout", "server_error"
]
BodyKind = Literal[
    "malformed_json", "invalid_utf8", "deep", "empty", "html", "content_type", "redirect", "huge",
    "wrong_types", "wrong_values", "surrogates", "nan", "big_int",
]  # fmt: skip
WireKind = Literal["truncated", "close", "reset", "hang", "stall", "drip"]
StreamKind = Literal["endless", "no_done", "cut", "stream_error"]
FaultKind = Literal[ErrorKind, BodyKind, WireKind, StreamKind]

STREAM_ONLY = frozenset({"endless", "no_done", "cut", "stream_error"})
"""Faults that only a streamed answer can have; other requests are answered as if nothing had been drawn."""


def _constant(value: Any) -> Any:
    return {"constant": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class Lognormal(Record):
    """Seconds whose logarithm is normal: `median` seconds, and the standard deviation `sigma` of the logarithm."""

    median: float = Field(gt=0, le=86_400)
    sigma: float = Field(ge=0, le=5)


class Latency(Record):
    """A distribution of seconds, drawn anew for each input and attempt. A plain number means `constant`."""

    constant: Seconds | None = None
    uniform: tuple[Seconds, Seconds] | None = None
    lognormal: Lognormal | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(x is not None for x in (self.constant, self.uniform, self.lognormal)) != 1:
            raise ValueError("needs exactly one of constant, uniform and lognormal")
        if self.uniform and self.uniform[0] > self.uniform[1]:
            raise ValueError("uniform needs its lower end first")
        return self


Delay = Annotated[Latency, BeforeValidator(_constant)]


class Pacing(Record):
    """How a streamed answer arrives. `first_token` is the behaviour's latency where not given; `tokens` per event."""

    first_token: Delay | None = None
    between: Delay = Latency(constant=0)
    tokens: int = Field(default=1, ge=1)


class UsageCounts(Record):
    """Token counts to report instead of the counted ones. `input` includes `cached`, `output` includes `reasoning`."""

    input: int | None = Field(default=None, ge=0)
    cached: int = Field(default=0, ge=0)
    output: int | None = Field(default=None, ge=0)
    reasoning: int = Field(default=0, ge=0)


class CalledTool(Record):
    """A tool call in an answer. `arguments` as text is sent as it is, valid JSON or not."""

    name: Text
    arguments: Json = Field(default_factory=dict)
    id: Text = ""


_STATUSES = {
    "server_error": range(500, 600),
    "redirect": (301, 302, 303, 307, 308),
    "html": range(200, 600),
}
_FIELD_OF_KIND = {
    "retry_after": frozenset({"rate_limit", "timeout", "server_error"}),
    "retry_form": frozenset({"rate_limit", "timeout", "server_error"}),
    "status": frozenset({"server_error", "redirect", "html"}),
    "seconds": frozenset({"drip"}),
    "size": frozenset({"huge"}),
}


class Fault(Record):
    """One way to fail. A plain name, like `reset`, stands for the fault with its usual settings.

    `probability`: share of requests that meet it. `attempts`: only an input's first so many attempts.
    `retry_after` in seconds, sent in the `retry_form`. `status`: 500 to 599 for server_error, 301, 302, 303, 307 or 308
    for redirect, 200 to 599 for html.
    `seconds`: between two pieces of a drip. `size`: bytes of a huge body.
    """

    kind: FaultKind
    probability: float = Field(default=1.0, ge=0, le=1)
    attempts: int | None = Field(default=None, ge=1)
    retry_after: Seconds | None = None
    retry_form: Literal["seconds", "date", "ms"] = "seconds"
    status: int | None = None
    seconds: Seconds = 0.05
    size: int = Field(default=32 * 2**20, ge=1, le=2**30)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for name, kinds in _FIELD_OF_KIND.items():
            if name in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"{name} does not belong to {self.kind}, but to {', '.join(sorted(kinds))}")
        if self.status is not None and self.status not in _STATUSES[self.kind]:
            low, high = min(_STATUSES[self.kind]), max(_STATUSES[self.kind])
            raise ValueError(f"no {self.kind} has the status {self.status}; it is one from {low} to {high}")
        return self


def _named_fault(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


OneFault = Annotated[Fault, BeforeValidator(_named_fault)]


class Reply(Record):
    """One answer, or one fault.

    `echo` is a template that knows {input}, {system}, {model} and {call} (1 for the first time this model is asked
    this input). `finish_reason` is `tool_calls` with tool calls, else `stop`, where not given. `usage: false` reports
    no usage. `logprobs`: one for each token of the answer, the last repeated; -0.1 where not given. `top_logprobs`: of
    the first token, what else it could have been, where the request asks for that.
    """

    text: Text | None = None
    echo: Text | None = None
    tool_calls: tuple[CalledTool, ...] = ()
    finish_reason: Text = ""
    refusal: Text | None = None
    usage: UsageCounts | Literal[False] = UsageCounts()
    logprobs: tuple[Annotated[float, Field(le=0)], ...] = Field(default=(), max_length=100_000)
    top_logprobs: Mapping[Text, Annotated[float, Field(le=0)]] = Field(default_factory=dict, max_length=100)
    latency: Delay | None = None
    fault: OneFault | None = None

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        if self.text is not None and self.echo is not None:
            raise ValueError("give either text or echo")
        return self


class Match(Record):
    """A test of one text. Plain text means `exact`. `regex` is RE2 and may match anywhere.

    `sha256` is the hash of the text in UTF-8, in hex digits; the first 8 or more suffice.
    """

    exact: Text | None = None
    contains: Text | None = None
    regex: Text | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(x is not None for x in (self.exact, self.contains, self.regex, self.sha256)) != 1:
            raise ValueError("needs exactly one of exact, contains, regex and sha256")
        if self.regex is not None:
            pattern(self.regex)
        return self


def pattern(text: str) -> Any:
    """The compiled RE2 pattern. Raises ValueError when it is none."""
    re2: Any = import_module("re2")  # only scripts with patterns need it
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as cause:
        said = cause.args[0] if isinstance(cause, re2.error) and cause.args else "it is not valid text"
        shown = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"is not an RE2 pattern: {shown}") from None


def _exact(value: Any) -> Any:
    return {"exact": value} if isinstance(value, str) else value


Test = Annotated[Match, BeforeValidator(_exact)]


class When(Record):
    """What a rule is for: the last user message's text, the system text, the model; all that are given must match."""

    input: Test | None = None
    system: Test | None = None
    model: Test | None = None


_REPLY_FIELDS = frozenset(Reply.model_fields)


class Rule(Reply):
    """An answer with what it is for. A `sequence` gives the first call its first reply, and so on; its last repeats."""

    when: When = When()
    sequence: tuple[Reply, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        extra = sorted(self.model_fields_set & _REPLY_FIELDS) if self.sequence else []
        if extra:
            raise ValueError(f"has a sequence, so {', '.join(extra)} must go into its replies")
        return self


class Behaviour(Record):
    """How the provider answers.

    `answers`: the first rule that fits, else `default`. `latency`: before the first byte. `faults`: at most one a
    request, drawn by seed, model, input and attempt. `served_model`: the name it reports, else the one it was asked.
    `rejects`: by model (`*` is any), parameters that it answers 400 to in its format's own words.
    """

    answers: tuple[Rule, ...] = ()
    default: Reply = Reply(echo="{input}")
    latency: Delay = Latency(constant=0)
    stream: Pacing = Pacing()
    faults: tuple[OneFault, ...] = ()
    fingerprint: Text = "fp_fake"
    served_model: Text = ""
    rejects: Mapping[Text, tuple[Text, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if sum(fault.probability for fault in self.faults) > 1 + 1e-9:
            raise ValueError("the faults' probabilities must not sum to more than 1")
        return self


class Capacity(Record):
    """The provider's true limits, beyond which it answers 429.

    `rps` and `rpm` are requests per second and minute, `tpm` tokens per minute (counted input plus the output limit
    that was asked), each a token bucket that holds `burst_seconds` of its rate. `concurrency`: requests being
    answered at once. `retry_after`: `exact` says when the next request fits, in milliseconds as well, `none` says
    nothing. `per_key`: each API key has these limits for itself.
    """

    rps: float | None = Field(default=None, gt=0)
    rpm: float | None = Field(default=None, gt=0)
    tpm: float | None = Field(default=None, gt=0)
    burst_seconds: float = Field(default=1.0, gt=0, le=60)
    concurrency: int | None = Field(default=None, ge=1)
    retry_after: Literal["exact", "none"] = "exact"
    per_key: bool = False


class BatchScript(Record):
    """What becomes of batches.

    Seconds in each state: `validating`, `running`, `finalizing`. `answer_after`: seconds between a batch's acceptance
    and the answer that says so; the first `lose` of these answers never arrive. `upload_after` and `results_after`: the
    same for a file that came and for results. `refuse`: why every batch is refused.
    `expire`: share of requests that are not answered in time. `shuffle`: results come in another order. `repeat`: so
    many results come twice, and `stray` ones for requests that nobody made. `poll_faults`: what the first looks at a
    batch get instead. `truncate`: so many readings of results break off mid-line. `lag`: seconds that the list of
    batches is behind.
    """

    validating: Seconds = 0
    running: Seconds = 0
    finalizing: Seconds = 0
    answer_after: Seconds = 0
    upload_after: Seconds = 0
    results_after: Seconds = 0
    lose: int = Field(default=0, ge=0)
    refuse: Text = ""
    expire: float = Field(default=0, ge=0, le=1)
    shuffle: bool = True
    repeat: int = Field(default=0, ge=0)
    stray: bool = False
    poll_faults: tuple[Literal["rate_limit", "server_error"], ...] = ()
    truncate: int = Field(default=0, ge=0)
    lag: Seconds = 0


class Switch(Record):
    """A silent change: from request number `after` + 1 on, the variant `to` answers."""

    to: Text
    after: int = Field(ge=0)


class Script(Behaviour):
    """All that the fake provider shall do.

    `models`: those it lists; when given, others are answered 404. `api_keys`: when given, others are answered 401.
    `variants`: other behaviours by name, each saying only what differs; `switch` changes to one without a sign.
    `batches`: what becomes of those.
    """

    seed: int = 0
    models: tuple[Text, ...] = ()
    api_keys: tuple[Text, ...] = ()
    capacity: Capacity = Capacity()
    variants: Mapping[Text, Behaviour] = Field(default_factory=dict)
    switch: Switch | None = None
    batches: BatchScript = BatchScript()

    @model_validator(mode="after")
    def _switch_leads_somewhere(self) -> Self:
        if self.switch is not None and self.switch.to not in self.variants:
            raise ValueError(f"switch leads to {self.switch.to!r}, but the variants are: {', '.join(self.variants)}")
        return self

    @classmethod
    def load(cls, path: str | Path) -> Script:
        """Read a script from a YAML or JSON file. Raises ConfigError that lists every problem with its line."""
        from seatrial.testing.scriptfile import load  # it imports this module

        return load(Path(path))

    def behaviour(self, variant: str = "") -> Behaviour:
        """The script's own behaviour, or a variant's over it. Raises KeyError for an unknown variant."""
        fields = {name: getattr(self, name) for name in Behaviour.model_fields}
        if variant:
            changed = self.variants[variant]
            fields |= {name: getattr(changed, name) for name in changed.model_fields_set}
        return Behaviour.model_construct(None, **fields)

    def portable(self) -> dict[str, Any]:
        """Plain values from which `Script.model_validate` makes the same script."""
        return self.model_dump(exclude_unset=True)


_PLACE = re.compile(r"\{(input|system|model|call)\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The echo template with its placeholders replaced; other braces stay as they are."""
    return _PLACE.sub(lambda found: values[found[1]], template)


def answer_row(raw: Any) -> Any:
    """A row of an answers file as a rule: `input` and `model` become its `when`."""
    row = as_dict(raw)
    if row is None:
        raise ValueError("must be an object with input and an answer")
    if not isinstance(row.get("input"), str):
        raise ValueError("needs input, the last user message's text")
    when = {key: {"exact": row[key]} for key in ("input", "model") if key in row}
    return {**{key: value for key, value in row.items() if key not in when}, "when": when}
