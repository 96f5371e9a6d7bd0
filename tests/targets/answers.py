"""Answers as the providers' references show them: whole, and as the events of a stream."""

from __future__ import annotations

from typing import Any

from tests.targets.raw_server import completion

FIELDS: dict[str, dict[str, Any]] = {
    "openai": {"use": "openai:m"},
    "responses": {"use": "responses:m"},
    "anthropic": {"use": "anthropic:m", "params": {"max_tokens": 100}},
    "gemini": {"use": "gemini:m"},
}
"""What makes a target of each dialect."""


def message(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Anthropic's message."""
    return {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-20260101",
        "content": list(blocks) or [{"type": "text", "text": "Paris"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 3},
        **fields,
    }


def content(*parts: dict[str, Any], candidate: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Gemini's response."""
    found = {"content": {"parts": list(parts) or [{"text": "Paris"}], "role": "model"}, "finishReason": "STOP"}
    return {
        "candidates": [{**found, "index": 0, **(candidate or {})}],
        "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 3, "totalTokenCount": 15},
        "modelVersion": "gemini-test-001",
        "responseId": "r",
        **fields,
    }


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    """A message among the items of a response."""
    spoken = list(parts) or [{"type": "output_text", "text": "Paris", "annotations": [], "logprobs": []}]
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": spoken}


def response(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """OpenAI's response."""
    return {
        "id": "resp_67ccd2bed1ec8190",
        "object": "response",
        "created_at": 1741476542,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-test-2026-01-01",
        "output": list(items) or [said()],
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 15,
        },
        **fields,
    }


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of one of Anthropic's content blocks."""
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def streamed_message(*blocks: list[dict[str, Any]], **delta: Any) -> list[dict[str, Any]]:
    """Anthropic's stream."""
    start = {**message(), "content": [], "stop_reason": None, "usage": {"input_tokens": 12, "output_tokens": 1}}
    end = {"stop_reason": "end_turn", "stop_sequence": None, **delta}
    return [
        {"type": "message_start", "message": start},
        {"type": "ping"},
        *(event for events in blocks for event in events),
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]


def text_block(*pieces: str, index: int = 0) -> list[dict[str, Any]]:
    """A text block's events."""
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": piece} for piece in pieces))


def chunk(**delta: Any) -> dict[str, Any]:
    """A completion's chunk."""
    return {"model": "gpt-test-2026-01-01", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def delta(text: str) -> dict[str, Any]:
    """A response's delta."""
    return {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text}


def piece(text: str) -> dict[str, Any]:
    """A part of Gemini's stream."""
    return {
        "candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}],
        "modelVersion": "gemini-test-001",
    }


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}

WHOLE: dict[str, dict[str, Any]] = {
    "openai": completion(
        "Paris",
        message={"tool_calls": [CALL], "refusal": "no", "reasoning_content": "hm"},
        choice={"logprobs": {"content": [{"token": "Paris", "logprob": -0.5}]}},
    ),
    "responses": response(
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        said(
            {"type": "output_text", "text": "Paris", "logprobs": [{"token": "Paris", "logprob": -0.5}]},
            {"type": "refusal", "refusal": "no"},
        ),
        {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'},
        {"type": "custom_tool_call", "id": "ct", "call_id": "c2", "name": "g", "input": "select 1"},
    ),
    "anthropic": message(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Paris"},
        {"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}},
        stop_reason="refusal",
        stop_details={"type": "refusal", "category": "cyber", "explanation": "no"},
        usage={
            "input_tokens": 12,
            "cache_creation_input_tokens": 1,
            "cache_read_input_tokens": 2,
            "output_tokens": 3,
            "output_tokens_details": {"thinking_tokens": 1},
        },
    ),
    "gemini": content(
        {"text": "hm", "thought": True},
        {"text": "Paris"},
        {"functionCall": {"id": "c1", "name": "f", "args": {"x": 1}}},
        {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}},
        candidate={
            "finishMessage": "m",
            "logprobsResult": {"chosenCandidates": [{"token": "Paris", "logProbability": -0.5}]},
        },
        promptFeedback={"blockReason": "OTHER"},
    ),
}
"""An answer of each dialect with all that is read of it."""

STREAMED: dict[str, list[dict[str, Any]]] = {
    "openai": [
        chunk(role="assistant", content=""),
        chunk(content="Pa", reasoning_content="hm"),
        chunk(content="ris", refusal="no"),
        chunk(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"x": 1}'}}]),
        {"choices": [{"delta": {}, "logprobs": {"content": [{"logprob": -0.5}]}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3}, "system_fingerprint": "fp"},
    ],
    "responses": [
        {"type": "response.created", "response": response(status="in_progress")},
        delta("Pa"),
        delta("ris"),
        {"type": "response.completed", "response": WHOLE["responses"]},
    ],
    "anthropic": streamed_message(
        block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "hm"}),
        text_block("Pa", "ris", index=1),
        block(
            2,
            {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"x"'},
            {"type": "input_json_delta", "partial_json": ": 1}"},
        ),
    ),
    "gemini": [
        piece("Pa"),
        piece("ris"),
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]}}]},
        content({"text": ""}, candidate={"logprobsResult": {"chosenCandidates": [{"logProbability": -0.5}]}}),
    ],
}
"""A stream of each dialect with all that is read of it."""
