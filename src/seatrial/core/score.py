"""What a scorer says of one output."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import Field, GetPydanticSchema, WithJsonSchema
from pydantic_core import core_schema

from seatrial.core.record import Json, Record, assembled

Text = Annotated[
    str,
    WithJsonSchema({"type": "string"}),
    GetPydanticSchema(
        lambda _source, _handler: core_schema.custom_error_schema(
            core_schema.is_instance_schema(str), "not_text", custom_error_message="must be text"
        )
    ),
]
"""`record.Text`, checked without a call back into Python: scores are made by the million."""

Status = Literal["scored", "not_applicable", "model_failure", "infra_error", "judge_error"]
"""`not_applicable` is decided from the case alone; `model_failure` fails the rubric; the two errors are missing."""


class Evidence(Record):
    """What a score rests on: a span of text, a field, a tool call or a step.

    `where` names it (`text`, `field:total`, `call:0`, `step:3`); `start` and `end` are character offsets in it.
    """

    where: Text
    quote: Text = ""
    start: int | None = None
    end: int | None = None
    note: Text = ""
    expected: Json = None
    found: Json = None

    @classmethod
    def of(
        cls,
        where: str,
        quote: str = "",
        span: tuple[int | None, int | None] = (None, None),
        note: str = "",
        expected: Json = None,
        found: Json = None,
    ) -> Self:
        """What the constructor makes, of values that are known to be valid: nothing is checked."""
        values: dict[str, Any] = {
            "where": where, "quote": quote, "start": span[0], "end": span[1],
            "note": note, "expected": expected, "found": found,
        }  # fmt: skip
        return assembled(cls, values, _GIVEN)


_GIVEN = {"where", "quote", "start", "end", "note", "expected", "found"}
_JUDGED = {"value", "passed", "reason", "evidence"}
_EVIDENCE = {Evidence}


class Score(Record):
    """A scorer's verdict on one output.

    `value` is in [0, 1], `passed` says whether it is good enough. `measure` is the quantity itself where there is
    one, in `unit` (seconds, USD, characters). Both are None unless the status is `scored` or `model_failure`.
    """

    value: Annotated[float, Field(ge=0, le=1)] | None = None
    passed: bool | None = None
    status: Status = "scored"
    reason: Text = ""
    evidence: tuple[Evidence, ...] = ()
    measure: float | None = None
    unit: Text = ""

    @classmethod
    def binary(cls, passed: bool, reason: str = "", evidence: tuple[Evidence, ...] = (), **fields: Any) -> "Score":
        """1 and passed, or 0 and failed."""
        if not fields and type(passed) is bool and cls is Score:
            return _judged(1.0 if passed else 0.0, passed, reason, evidence)
        return _validated(cls, float(passed), passed, reason, evidence, fields)

    @classmethod
    def graded(
        cls, value: float, threshold: float, reason: str = "", evidence: tuple[Evidence, ...] = (), **fields: Any
    ) -> "Score":
        """A value in [0, 1] that passes at or above a threshold."""
        passed = value >= threshold
        if not fields and type(passed) is bool and type(value) is float and 0.0 <= value <= 1.0 and cls is Score:
            return _judged(value, passed, reason, evidence)
        return _validated(cls, value, passed, reason, evidence, fields)


@lru_cache(maxsize=4096)
def verdict(passed: bool, reason: str, measure: int | None = None, unit: str = "") -> Score:
    """`Score.binary` without evidence: one score, which nothing can alter, for every output of which this is said."""
    return Score.binary(passed, reason) if measure is None else Score.binary(passed, reason, measure=measure, unit=unit)


def _judged(value: float, passed: bool, reason: str, evidence: tuple[Evidence, ...]) -> Score:
    """What the constructor makes of a valid value and verdict. Where the rest is valid, too, it needs no validator."""
    if type(reason) is str and (_are_evidence(evidence) if evidence else type(evidence) is tuple):
        values: dict[str, Any] = {
            "value": value, "passed": passed, "status": "scored", "reason": reason,
            "evidence": evidence, "measure": None, "unit": "",
        }  # fmt: skip
        return assembled(Score, values, _JUDGED)
    return _validated(Score, value, passed, reason, evidence, {})


def _validated(
    kind: type[Score], value: float, passed: bool, reason: str, evidence: tuple[Evidence, ...], more: dict[str, Any]
) -> Score:
    values: dict[str, Any] = {
        "value": value, "passed": passed, "status": "scored", "reason": reason,
        "evidence": evidence, "measure": None, "unit": "",
    }  # fmt: skip
    return kind.__pydantic_validator__.validate_python({**values, **more})


def _are_evidence(items: tuple[object, ...]) -> bool:
    return type(items) is tuple and type(items[0]) is Evidence and (len(items) == 1 or {*map(type, items)} == _EVIDENCE)


@dataclass(frozen=True, slots=True)
class ScorerInfo:
    """What a scorer declares of itself.

    `unit`: what it judges. `needs`: what it reads beyond the output (`expected`, `context`, `tools`, `steps`, `judge`,
    `embedder`). `cost`: `cheap` runs on the event loop, `heavy` off it, `model` calls a model.
    """

    name: str
    version: str
    unit: Literal["message", "output", "trace", "session"] = "output"
    higher_is_better: bool = True
    range: tuple[float, float] = (0.0, 1.0)
    needs: frozenset[str] = frozenset()
    cost: Literal["cheap", "heavy", "model"] = "cheap"
