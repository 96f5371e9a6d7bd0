"""What a suite says about money beyond the price of tokens: how much work there is, and what a failure costs."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from seatrial.core.record import Record, Text, as_list

DAYS = 365.0
"""Days of a year; a month is a twelfth of it."""

PERIODS = {"day": DAYS / 12, "week": DAYS / 84, "month": 1.0, "year": 1 / 12}
"""How many of a period a month holds."""

Period = Literal["day", "week", "month", "year"]
Positive = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]


def _both_ends(value: Any) -> Any:
    ends = as_list(value)
    return (value, value) if ends is None else tuple(ends)


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("must begin with the lower end")
    return value


Span = Annotated[
    tuple[Amount, Amount],
    BeforeValidator(_both_ends),
    AfterValidator(_ordered),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]
"""An amount that is not known exactly: one number, or its lower and upper end, all between being as likely."""


class TokenVolume(Record):
    """How many tokens production takes in a period. `cached` is a part of `input`, `reasoning` of `output`."""

    input: Amount = 0
    output: Amount = 0
    cached: Amount = Field(default=0, description="Of the input, read from a cache")
    reasoning: Amount = Field(default=0, description="Of the output")
    per: Period = "month"

    @model_validator(mode="after")
    def _parts(self) -> Self:
        if not self.input + self.output:
            raise ValueError("needs input or output")
        if self.cached > self.input or self.reasoning > self.output:
            raise ValueError("cached is a part of input and reasoning a part of output: neither can be more")
        return self


class Migration(Record):
    """What changing over to a candidate takes, once: engineering weeks, and dollars if these are not all."""

    weeks: Span | None = Field(default=None, description="Engineering weeks of 40 hours")
    dollars: Span | None = Field(default=None, description="In all; weeks × 40 × `hour` where not given")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.weeks is None and self.dollars is None:
            raise ValueError("needs weeks or dollars")
        return self


class Delay(Record):
    """What finding out too late that a switch was wrong costs, beside what it lost until then."""

    weeks: Positive
    dollars: Amount = Field(description="In all, like the revenue that is put off")


class Evaluation(Record):
    """What evaluating takes: engineering hours once, and every month."""

    setup_hours: Span
    upkeep_hours: Span = (0.0, 0.0)


class EconomicsSpec(Record):
    """What production does, and what it costs when an answer fails: the business case of a switch.

    A unit (a document, a ticket) takes `requests` requests and has failed when any rubric of `failed_by` fails; a
    failed one costs `failure_cost` to put right. Tokens are priced by the targets' prices; without `tokens`, a request
    costs what the trial's own did. US dollars throughout.
    """

    unit: Text = Field(default="case", description="What one unit of work is called, like document")
    units: Positive = Field(description="Units of work in a period")
    per: Period = Field(default="month", description="The period of `units`")
    failure_cost: Positive = Field(description="Dollars to put one failed unit right: review, rework, harm")
    failed_by: tuple[Text, ...] = Field(default=(), description="Rubrics; all quality rubrics where left out")
    requests: Positive = Field(default=1.0, description="Requests that one unit takes")
    tokens: TokenVolume | None = Field(default=None, description="What production sends; else as in the trial")
    fixed: dict[str, Amount] = Field(default_factory=dict, description="Target: further dollars a month, like hosting")
    migration: Migration | None = None
    delay: Delay | None = None
    evaluation: Evaluation | None = None
    hour: Positive | None = Field(default=None, description="Dollars of an engineer's hour, all costs included")
    months: Positive = Field(default=12.0, description="In which the switch must pay for itself")
    more: int = Field(default=500, ge=1, le=1_000_000, description="Further cases whose worth is told")

    @model_validator(mode="after")
    def _hours_have_a_price(self) -> Self:
        by_weeks = self.migration is not None and self.migration.dollars is None
        if self.hour is None and (self.evaluation is not None or by_weeks):
            raise ValueError("needs `hour`, what an engineer's hour costs, to price hours and weeks")
        return self

    @property
    def units_a_month(self) -> float:
        """Units of work in a month."""
        return self.units * PERIODS[self.per]
