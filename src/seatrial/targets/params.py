"""Parameters: the common names (OpenAI's chat completions) in each dialect's own words, or why they have none there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from seatrial.core.record import Json, as_dict

Convert = Callable[[Json], dict[str, Json]]
"""A parameter's value as a fragment of the request's body. Raises Unfit."""

Table = Mapping[str, Convert | None]
"""What becomes of each name. None: the dialect cannot say it. A name that is not in the table goes in as it is."""


_SAME = {
    **dict.fromkeys(("max_completion_tokens", "max_output_tokens", "maxOutputTokens"), "max_tokens"),
    **dict.fromkeys(("stop_sequences", "stopSequences"), "stop"),
    "topP": "top_p",
    "topK": "top_k",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
    "responseLogprobs": "logprobs",
}


COMMON = frozenset({
    "temperature", "top_p", "top_k", "top_a", "min_p", "typical_p", "seed", "n", "best_of", "stop", "stream", "user",
    "max_tokens", "min_tokens", "presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias", "logprobs",
    "top_logprobs", "response_format", "reasoning", "reasoning_effort", "verbosity", "thinking", "effort", "tools",
    "tool_choice", "parallel_tool_calls", "max_tool_calls", "stream_options", "service_tier", "store", "metadata",
    "modalities", "prediction", "prompt_cache_key", "safety_identifier", "safety_settings", "truncation", "include",
    "text", "extra_body", "ignore_eos", "guided_json", "include_reasoning", "web_search_options", "cache_control",
    "output_config", "thinkingConfig", "thinkingBudget", "candidateCount", "safetySettings", "generationConfig",
})  # fmt: skip
"""Names of parameters that some provider takes; a name that is not among them may be right all the same."""
NEAR = 0.8


def misspelt(key: str) -> str:
    """The known name that an unknown one is nearly, like `temperature` for `temprature`; empty where it is none."""
    known = COMMON | _SAME.keys()
    if key in known or len(key) < 4:
        return ""
    close = get_close_matches(key.lower(), [name for name in known if len(name) > 3], n=1, cutoff=NEAR)
    return close[0] if close else ""


def common_name(key: str) -> str:
    """The one name of a parameter that providers call differently: `maxOutputTokens` is `max_tokens`."""
    return _SAME.get(key, key)


class Unfit(ValueError):  # noqa: N818  # it never leaves this room
    """A value that the dialect cannot express: the rule, and what to do.

    `lacking`: there is no such parameter, or none of such a value, so that it may be left out where the suite says so.
    """

    def __init__(self, rule: str, hint: str = "", *, lacking: bool = False) -> None:
        super().__init__(rule)
        self.rule, self.hint, self.lacking = rule, hint, lacking


@dataclass(frozen=True, slots=True)
class Translated:
    """Parameters in the dialect's words, where each renamed one went, and what is wrong with the others."""

    body: dict[str, Json] = field(default_factory=dict[str, Json])
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    faults: dict[str, Unfit] = field(default_factory=dict[str, Unfit])


def translate(params: Mapping[str, Json], table: Table, reserved: frozenset[str]) -> Translated:
    """Each parameter by the table, all put together. Nothing is dropped: what does not fit is a fault."""
    done = Translated()
    for key, value in params.items():
        convert = table.get(key, _verbatim(key))
        try:
            if key in reserved:
                raise Unfit("is set by Seatrial", "leave it out")
            if convert is None:
                hint = "leave it out, for every target that is compared"
                raise Unfit("this dialect cannot express it", hint, lacking=True)
            fragment = convert(value)
            _merge(done.body, fragment, ())
        except Unfit as unfit:
            done.faults[key] = unfit
            continue
        places = _places(fragment)
        if places and not any(place.partition(".")[0] == key for place in places):
            done.renamed[key] = ", ".join(places)
    return done


def at(*path: str) -> Convert:
    """A parameter that is the same value at another place."""

    def convert(value: Json) -> dict[str, Json]:
        for key in reversed(path):
            value = {key: value}
        return value

    return convert


def only_one(value: Json) -> dict[str, Json]:
    """The number of answers, which must be one."""
    if isinstance(value, bool) or value != 1:
        raise Unfit("only one answer is read", "run several epochs instead")
    return {}


def as_list_at(*path: str) -> Convert:
    """A parameter that may be one text and is always a list there."""
    return lambda value: at(*path)([value] if isinstance(value, str) else value)


@dataclass(frozen=True, slots=True)
class Format:
    """A `response_format`: `text`, any JSON, or JSON of a schema."""

    kind: str
    schema: Mapping[str, Json] = field(default_factory=dict[str, Json])
    name: str = "answer"
    description: str = ""
    strict: bool | None = None


def response_format(value: Json) -> Format:
    """A `response_format` as OpenAI's chat completions write it. Raises Unfit for anything else."""
    given = as_dict(value) or {}
    kind = given.get("type")
    if kind in ("text", "json_object") and len(given) == 1:
        return Format(kind)
    inner = as_dict(given.get("json_schema")) or {}
    schema = as_dict(inner.get("schema"))
    unknown = {*given, *(f"json_schema.{key}" for key in inner)} - _FORMAT_KEYS
    if kind != "json_schema" or schema is None or unknown:
        odd = f"has unknown keys: {', '.join(sorted(unknown))}" if unknown else "is no response format"
        raise Unfit(odd, "write {type: json_schema, json_schema: {name: …, schema: {…}}}")
    name, about, strict = inner.get("name", "answer"), inner.get("description", ""), inner.get("strict")
    if not (isinstance(name, str) and isinstance(about, str) and isinstance(strict, bool | None)):
        raise Unfit("has a name, description or strict of another type")
    return Format("json_schema", schema, name, about, strict)


_FORMAT_KEYS = frozenset({"type", "json_schema"}) | {
    f"json_schema.{key}" for key in ("name", "description", "schema", "strict")
}


def tool_choice(value: Json) -> tuple[str, str]:
    """A `tool_choice` in OpenAI's form: `none`, `auto` or `required`, or `function` with its name. Raises Unfit."""
    if value in ("none", "auto", "required"):
        return value, ""
    given = as_dict(value) or {}
    name = (as_dict(given.get("function")) or {}).get("name")
    if given.get("type") != "function" or not isinstance(name, str) or not name:
        raise Unfit("is no tool choice", "write none, auto, required or {type: function, function: {name: …}}")
    return "function", name


def _verbatim(key: str) -> Convert:
    return at(key)


def _merge(into: dict[str, Any], fragment: Mapping[str, Any], path: tuple[str, ...]) -> None:
    """Put the fragment into `into`, whose own dict alone is changed: what it holds may be the user's."""
    for key, value in fragment.items():
        there, new = as_dict(into.get(key)), as_dict(value)
        if there is not None and new is not None:
            into[key] = dict(there)
            _merge(into[key], new, (*path, key))
        elif key in into:
            raise Unfit(f"sets {'.'.join((*path, key))}, which another parameter sets too", "leave one of them out")
        else:
            into[key] = value


def _places(fragment: Mapping[str, Any]) -> list[str]:
    inner = ((key, as_dict(value)) for key, value in fragment.items())
    return [place for key, below in inner for place in ([f"{key}.{k}" for k in below] if below else [key])]
