"""A case: one prompt with what is needed to judge an answer."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from seatrial.core.identity import digest
from seatrial.core.message import Message, without_bytes
from seatrial.core.record import Filled, Json, Moment, Record, Text, altered, as_dict, as_list, lazy

Behaviour = Literal["answer", "refuse", "ask", "abstain", "correct"]
Order = Literal["exact", "in_order", "any_order", "subset", "superset"]
Origin = Literal["production", "synthetic", "adversarial", "manual", "benchmark"]


class Document(Record):
    """A piece of context: frozen in a case, or retrieved by a target."""

    text: Text
    id: Text = ""
    source: Text = ""
    score: float | None = None
    metadata: Mapping[str, Json] = Field(default_factory=dict)


class Tool(Record):
    """A tool offered to the model; `parameters` is a JSON Schema."""

    name: Text
    description: Text = ""
    parameters: Mapping[str, Json] = Field(default_factory=dict)


class ExpectedCall(Record):
    """An accepted tool call. Each argument lists its accepted values.

    An argument is optional exactly when `optional` names it. An argument that the call holds but `arguments` does
    not name is wrong.
    """

    name: Text
    arguments: Mapping[str, tuple[Json, ...]] = Field(default_factory=dict)
    optional: tuple[Text, ...] = ()


class Step(Record):
    """One step of a trajectory: a tool call, its result, a search, a thought."""

    kind: Text
    name: Text = ""
    input: Json = None
    output: Json = None
    error: Text = ""
    seconds: float | None = None


_JSON = json.JSONEncoder(ensure_ascii=False)


def _encoder() -> Any:
    """What `_JSON.encode` would make anew for each value; None where Python has it not in C."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    text: Any = getattr(json.encoder, "encode_basestring", None)
    return make and text and make(None, _JSON.default, text, None, ": ", ", ", False, False, True)


_ENCODE = _encoder()


def _as_json(value: object) -> str:
    """JSON as the standard library writes it. Raises TypeError, ValueError and RecursionError as it does."""
    if _ENCODE is not None and isinstance(value, dict | list):
        try:
            return "".join(_ENCODE(value, 0))
        except RecursionError:
            pass  # a value within itself, perhaps: the slow way tells
    return _JSON.encode(value)


def _answers(value: Any) -> Any:
    items = as_list(value)
    return [value] if items is None else items


class Expected(Record):
    """The reference: any of these, each judged by the scorers that read it.

    `answers`: accepted values (text, numbers or JSON). `choices` with `choice`: the options shown, and the right
    ones. `tool_calls` with `order`: alternatives of call sequences (one is enough). `state`: what must hold when the
    work is done. `trajectory`: milestones. `tests`: code to run. `behaviour`: what to do at all.
    """

    answers: Annotated[tuple[Json, ...], BeforeValidator(_answers)] = ()
    choices: tuple[Text, ...] = ()
    choice: Annotated[tuple[Text, ...], BeforeValidator(_answers)] = ()
    tool_calls: tuple[tuple[ExpectedCall, ...], ...] | None = None
    order: Order = "any_order"
    state: Mapping[str, Json] | None = None
    trajectory: tuple[Step, ...] | None = None
    tests: tuple[Text, ...] = ()
    behaviour: Behaviour | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthands(cls, raw: Any) -> Any:
        value = as_dict(raw)
        if value is None:
            return {"answers": raw}
        if "answer" in value:
            if "answers" in value:
                raise ValueError("give either answer or answers")
            value = {("answers" if k == "answer" else k): ((v,) if k == "answer" else v) for k, v in value.items()}
        calls = as_list(value.get("tool_calls"))
        if calls is not None and not (calls and all(as_list(item) is not None for item in calls)):
            value = {**value, "tool_calls": [calls]}
        return value

    @lazy
    def texts(self) -> tuple[str, ...]:
        """The accepted answers as text; what is not text is written as JSON."""
        return tuple([a if isinstance(a, str) else _as_json(a) for a in self.answers])


class Probe(Record):
    """What makes an adversarial case one: `category` is written `name@taxonomy`, like `LLM01@owasp`."""

    category: Text
    strategy: Text = ""
    oracle: Text = ""
    canary: Text = ""


def _messages(value: Any) -> Any:
    return [{"role": "user", "content": value}] if isinstance(value, str) else value


def _documents(value: Any) -> Any:
    items = [value] if isinstance(value, str) else as_list(value)
    return value if items is None else [{"text": item} if isinstance(item, str) else item for item in items]


def _criteria(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _strata(value: Any) -> Any:
    strata = as_dict(value)
    if strata is None:
        return value
    return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in strata.items() if v is not None}


HIDDEN = ("id", "weight", "origin", "seed_id", "parent_id", "trace_id", "span_id", "session_id", "evolution")
HIDDEN_DATES = ("created_at", "published_at")
BLANK = {**dict.fromkeys(HIDDEN, ""), **dict.fromkeys(HIDDEN_DATES), "weight": 1.0, "origin": "production"}


class Case(Record):
    """One prompt with what is needed to judge an answer.

    `input` may be written as plain text (one user message), `expected` as a plain value (one accepted answer).
    Cases that share a `seed_id`, or whose inputs are equal, form one cluster in the statistics.
    """

    id: Filled
    input: Annotated[tuple[Message, ...], BeforeValidator(_messages)] = Field(min_length=1)
    context: Annotated[tuple[Document, ...], BeforeValidator(_documents)] = ()
    tools: tuple[Tool, ...] = ()
    expected: Expected | None = None
    criteria: Annotated[tuple[Text, ...], BeforeValidator(_criteria)] = ()
    probe: Probe | None = None
    strata: Annotated[Mapping[Text, Text], BeforeValidator(_strata)] = Field(default_factory=dict)
    origin: Origin = "production"
    seed_id: Text = ""
    parent_id: Text = ""
    trace_id: Text = ""
    span_id: Text = ""
    session_id: Text = ""
    evolution: Text = ""
    weight: float = Field(default=1.0, gt=0)
    created_at: Moment | None = None
    published_at: Moment | None = None
    source: Text = ""
    licence: Text = ""
    metadata: Mapping[str, Json] = Field(default_factory=dict)

    @classmethod
    def kept(cls, plain: Mapping[str, Any], view_hash: str, input_hash: str) -> Self:
        """A case from its stored form, whose hashes were computed when it was stored."""
        case = cls.model_validate(plain)
        vars(case).update(view_hash=view_hash, input_hash=input_hash)  # fills the cached properties
        return case

    @property
    def text(self) -> str:
        """The last user message's text."""
        last = self.input[-1]
        if last.role == "user":
            return last.text
        return next((m.text for m in reversed(self.input) if m.role == "user"), last.text)

    @lazy
    def recorded(self) -> dict[str, Any]:
        """The whole record as plain values: what is kept."""
        return self.plain()

    @lazy
    def identity(self) -> dict[str, Any]:
        """What is hashed: every field that is set, blobs by their sha256."""
        return {**self.recorded, "input": without_bytes(self.recorded["input"])}

    @lazy
    def hash(self) -> str:
        """Identity of the full record."""
        return digest("case", self.identity)

    @lazy
    def view_hash(self) -> str:
        """Identity of what a scorer may read: all but id, weight, origin, lineage and dates."""
        return digest("view", {key: value for key, value in self.identity.items() if key not in BLANK})

    @lazy
    def input_hash(self) -> str:
        """Identity of the input alone; equal inputs are one cluster."""
        return digest("input", self.identity["input"])

    def view(self) -> Self:
        """The case as scorers see it, which is exactly what `view_hash` covers."""
        return altered(self, BLANK, "hash", "recorded", "identity")  # which cover what is blank now
