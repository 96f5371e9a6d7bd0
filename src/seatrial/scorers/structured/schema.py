"""Whether the answer is JSON, and whether it keeps to a JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal, NoReturn, cast

import jsonschema_rs
from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.identity import loads
from seatrial.core.output import Output
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.score import Evidence, Score, ScorerInfo, verdict
from seatrial.errors import ScorerConfigError, safe
from seatrial.scorers.base import BuiltinScorer, Flag, Whole, encodable, tried_json
from seatrial.scorers.card import Card, Example

MAX_SCHEMA_BYTES = 1 << 20
_FENCE = re.compile(r"\A\s*```[A-Za-z0-9]*[ \t]*\r?\n(.*?)\r?\n[ \t]*```\s*\Z", re.DOTALL)


def unfenced(text: str) -> str:
    """What stands inside, when the text is one fenced block and nothing else; otherwise the text."""
    if "```" not in text or text.count("```") != 2:
        return text
    match = _FENCE.match(text)
    return match.group(1) if match else text


@lru_cache(maxsize=256)
def _no_json(fault: str) -> Score:
    """What is said of an answer that is no JSON; most are so for one and the same reason."""
    return Score.binary(False, f"is no JSON: {safe(fault, 120)}")


class JsonValid(BuiltinScorer):
    """1 when the whole answer is JSON, else 0.

    RFC 8259 as it stands: no NaN, no comments, no trailing comma, no prose around. `fenced: true` also takes one
    Markdown code block around it. `kind` asks for an object or an array. JSON nested deeper than 1,000 levels is
    refused. Example: `{kind: object}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("json_valid", "1")
    card: ClassVar[Card] = Card(
        formula="1 when the whole answer is one JSON value (of the kind asked for), else 0",
        examples=(
            Example("q", '{"total": 12.5}', 1.0, True, {"kind": "object"}),
            Example("q", 'Sure: {"total": 12.5}', 0.0, False, note="prose around it"),
            Example("q", '{"total": NaN}', 0.0, False, note="Python would read it, JSON has no NaN"),
        ),
        fails=("It says nothing of keys and values: add `json_schema` or `fields`.",),
        sources=("RFC 8259",),
        also_called=(
            "promptfoo:is-json",
            "autoevals:ValidJSON",
            "deepeval:JsonCorrectnessMetric",
            "langchain:json_validity",
            "openai-evals:JsonValidator",
        ),
    )
    fenced: Flag = False
    kind: Literal["any", "object", "array"] = "any"

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        value, fault = tried_json(unfenced(output.text) if self.fenced else output.text)
        if fault:
            return _no_json(fault)
        found = "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "scalar"
        if self.kind not in ("any", found):
            return Score.binary(False, f"is a JSON {found}, not an {self.kind}")
        return Score.binary(True, f"is a JSON {found}")


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"references to other documents are switched off ({uri})")


def validator(schema: Mapping[str, Json] | bool) -> jsonschema_rs.Validator:
    """A validator that opens no file and no socket. Raises ValueError where the schema is none."""
    try:
        return jsonschema_rs.validator_for(
            cast("dict[str, Any] | bool", schema),
            validate_formats=True,
            retriever=_refuse,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as cause:
        detail = getattr(cause, "message", None) or str(cause)
        raise ValueError(f"is no usable JSON Schema: {safe(str(detail), 200)}") from None


def violations(check: jsonschema_rs.Validator, value: Json, limit: int) -> list[tuple[str, str]]:
    """At most `limit` violations as (path in the value, message). Lone surrogates count as U+FFFD."""
    try:
        return _violations(check, value, limit)
    except UnicodeEncodeError:
        return _violations(check, _encodable(value), limit)


def _violations(check: jsonschema_rs.Validator, value: Json, limit: int) -> list[tuple[str, str]]:
    if check.is_valid(value):
        return []
    found = islice(check.iter_errors(value), limit)
    return [(".".join(str(part) for part in error.instance_path), safe(error.message, 200)) for error in found]


def _encodable(value: Json) -> Json:
    if isinstance(value, str):
        return encodable(value)
    items = as_list(value)
    if items is not None:
        return [_encodable(item) for item in items]
    entries = as_dict(value)
    return value if entries is None else {encodable(k): _encodable(v) for k, v in entries.items()}


class JsonSchema(BuiltinScorer):
    """1 when the answer is JSON that keeps to a JSON Schema, else 0; violations are the evidence, with their paths.

    `schema` holds it, or `file` names a JSON file beside the suite (its content is hashed, not its name). Draft 2020-12
    unless `$schema` says otherwise; formats are checked; references to other documents are switched off, and patterns
    run in linear time. `fenced: true` also takes one Markdown code block around the JSON.
    Fails to help where the values are wrong but well-formed: add `fields`. Example: `{file: answer.schema.json}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("json_schema", "1")
    card: ClassVar[Card] = Card(
        formula="1 when the answer is JSON in which the schema finds no violation, else 0",
        examples=(
            Example("q", '{"total": 12.5}', 1.0, True, {"schema": {"required": ["total"]}}),
            Example(
                "q",
                '{"total": "12.5"}',
                0.0,
                False,
                {"schema": {"properties": {"total": {"type": "number"}}}},
                note="text is no number; the evidence names the field",
            ),
        ),
        fails=(
            "Wrong values of the right type pass: add `fields`.",
            "Without `required` and `additionalProperties: false` an empty object keeps to most schemas.",
        ),
        sources=("JSON Schema 2020-12",),
        also_called=(
            "promptfoo:is-json",
            "promptfoo:contains-json",
            "deepeval:JsonCorrectnessMetric",
            "langchain:json_schema_validation",
        ),
    )
    contract: Mapping[str, Json] | bool = Field(
        alias="schema",
        description="The schema itself",
        json_schema_extra={
            "instead": {"name": "file", "type": "text", "description": "A JSON file beside the suite that holds it"}
        },
    )
    fenced: Flag = False
    max_errors: Whole = Field(default=10, ge=1, le=100)

    @classmethod
    def prepare(cls, settings: dict[str, Json], folder: Path) -> dict[str, Json]:
        """The settings with the schema's file read in. Raises ScorerConfigError."""
        if "file" not in settings:
            return settings
        rest = {key: value for key, value in settings.items() if key != "file"}
        if "schema" in rest:
            raise ScorerConfigError("The scorer 'json_schema' takes either schema or file, not both.")
        return {**rest, "schema": _read(settings["file"], folder)}

    @model_validator(mode="after")
    def _usable(self) -> JsonSchema:
        _ = self._validator
        return self

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        return validator(self.contract)

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        del case
        value, fault = tried_json(unfenced(output.text) if self.fenced else output.text)
        if fault:
            return _no_json(fault)
        faults = violations(self._validator, value, self.max_errors)
        if not faults:
            return verdict(True, "keeps to the schema")
        path, message = faults[0]
        evidence = tuple([Evidence.of(f"field:{where}", note=note) for where, note in faults])
        return Score.binary(False, f"{path or 'the answer'}: {message}", evidence=evidence)


def _read(name: Json, folder: Path) -> Json:
    if not isinstance(name, str) or not name:
        raise ScorerConfigError("The setting file of scorer 'json_schema' must name a file.")
    path = folder / name
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_SCHEMA_BYTES:
            raise ValueError(f"is larger than {MAX_SCHEMA_BYTES} bytes")
        return loads(raw)
    except (OSError, ValueError) as cause:
        detail = getattr(cause, "strerror", None) or str(cause)
        raise ScorerConfigError(
            f"The schema {safe(str(path), 200)} cannot be read: {safe(str(detail), 200)}.",
            hint="the file is searched beside the suite",
        ) from None
