"""The four official clients, each as one function: keyword arguments in, what it read out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from seatrial.testing import FakeProvider

KEY = "sk-official-0123456789"


@dataclass(frozen=True)
class Read:
    """An answer in words that all clients share. `status` is the HTTP status of an error."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    finish: str = ""
    usage: tuple[int, int, int, int] | None = None
    model: str = ""
    refusal: str = ""
    logprobs: tuple[float, ...] | None = None
    status: int = 0


def arguments(value: Any) -> str:
    """Arguments as one JSON text, or the text where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, sort_keys=True)


def chat(fake: FakeProvider, stream: bool, **fields: Any) -> Read:
    with openai.OpenAI(base_url=fake.base_url, api_key=KEY, max_retries=0) as client:
        try:
            if stream:
                with client.chat.completions.stream(
                    model="m", stream_options={"include_usage": True}, **fields
                ) as events:
                    got = events.get_final_completion()
            else:
                got = client.chat.completions.create(model="m", **fields)
        except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError) as cut:
            got = cut.completion
        except openai.APIStatusError as error:
            return Read(status=error.status_code)
    choice = got.choices[0]
    calls = choice.message.tool_calls or []
    detail = choice.logprobs.content if choice.logprobs else None
    usage = got.usage
    return Read(
        text=choice.message.content or choice.message.refusal or "",
        calls=tuple((c.function.name, arguments(c.function.arguments)) for c in calls),
        ids=tuple(c.id for c in calls),
        finish="refusal" if choice.message.refusal else choice.finish_reason,
        usage=usage
        and (
            usage.prompt_tokens,
            usage.prompt_tokens_details.cached_tokens,
            usage.completion_tokens,
            usage.completion_tokens_details.reasoning_tokens,
        ),
        model=got.model,
        refusal=choice.message.refusal or "",
        logprobs=tuple(token.logprob for token in detail) if detail else None,
    )


def responses(fake: FakeProvider, stream: bool, **fields: Any) -> Read:
    with openai.OpenAI(base_url=fake.base_url, api_key=KEY, max_retries=0) as client:
        try:
            if stream:
                events = client.responses.create(model="m", stream=True, **fields)
                ends = ("response.completed", "response.incomplete")
                got = next(event.response for event in events if event.type in ends)
            else:
                got = client.responses.create(model="m", **fields)
        except openai.APIStatusError as error:
            return Read(status=error.status_code)
    calls = [item for item in got.output if item.type == "function_call"]
    parts = [part for item in got.output if item.type == "message" for part in item.content]
    refusal = "".join(part.refusal for part in parts if part.type == "refusal")
    detail = [token for part in parts if part.type == "output_text" for token in part.logprobs or ()]
    cut = got.incomplete_details.reason if got.incomplete_details else ""
    usage = got.usage
    return Read(
        text=got.output_text or refusal,
        calls=tuple((c.name, arguments(c.arguments)) for c in calls),
        ids=tuple(c.call_id for c in calls),
        finish="length"
        if cut == "max_output_tokens"
        else cut or ("tool_calls" if calls else "refusal" if refusal else "stop"),
        usage=usage
        and (
            usage.input_tokens,
            usage.input_tokens_details.cached_tokens,
            usage.output_tokens,
            usage.output_tokens_details.reasoning_tokens,
        ),
        model=got.model,
        refusal=refusal,
        logprobs=tuple(token.logprob for token in detail) or None,
    )


def messages(fake: FakeProvider, stream: bool, **fields: Any) -> Read:
    with anthropic.Anthropic(base_url=fake.url, api_key=KEY, max_retries=0) as client:
        try:
            if stream:
                with client.messages.stream(model="m", **fields) as events:
                    got = events.get_final_message()
            else:
                got = client.messages.create(model="m", **fields)
        except anthropic.APIStatusError as error:
            return Read(status=error.status_code)
    calls = [block for block in got.content if block.type == "tool_use"]
    refusal = got.stop_details.explanation if got.stop_reason == "refusal" and got.stop_details else ""
    usage = got.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    finish = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
    return Read(
        text="".join(block.text for block in got.content if block.type == "text") or refusal,
        calls=tuple((c.name, arguments(c.input)) for c in calls),
        ids=tuple(c.id for c in calls),
        finish=finish.get(got.stop_reason, got.stop_reason),
        usage=(
            usage.input_tokens + cached + written,
            cached,
            usage.output_tokens,
            usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0,
        ),
        model=got.model,
        refusal=refusal,
    )


def gemini(fake: FakeProvider, stream: bool, *, contents: Any, **config: Any) -> Read:
    options = genai_types.HttpOptions(base_url=fake.url, api_version="v1beta")
    with genai.Client(api_key=KEY, http_options=options) as client:
        try:
            if stream:
                parts = list(client.models.generate_content_stream(model="m", contents=contents, config=config))
            else:
                parts = [client.models.generate_content(model="m", contents=contents, config=config)]
        except genai_errors.APIError as error:
            return Read(status=error.code)
    said = [part for got in parts for part in got.candidates[0].content.parts or ()]
    calls = [part.function_call for part in said if part.function_call]
    last, usage = parts[-1], parts[-1].usage_metadata
    chosen = [
        token.log_probability
        for got in parts
        if got.candidates[0].logprobs_result
        for token in got.candidates[0].logprobs_result.chosen_candidates
    ]
    finish = {"STOP": "tool_calls" if calls else "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter"}
    thought = usage.thoughts_token_count or 0
    written = usage.candidates_token_count or 0
    return Read(
        text="".join(part.text for part in said if part.text and not part.thought),
        calls=tuple((c.name, arguments(c.args)) for c in calls),
        ids=tuple(c.id for c in calls),
        finish=finish[last.candidates[0].finish_reason.value],
        usage=(usage.prompt_token_count, usage.cached_content_token_count or 0, written + thought, thought),
        model=last.model_version,
        logprobs=tuple(chosen) or None,
    )
