"""The most tokens that a request can take, before it is sent: what a budget reserves. Pure functions of its body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.core.message import BlobPart
from seatrial.core.output import Request
from seatrial.core.record import Json, as_dict, as_list
from seatrial.targets.line import encoded

PER_REQUEST = 256
PER_MESSAGE = 16
PER_TOOLS = 1024
"""Tokens that providers put around requests, messages and tools: the most that is documented is about half as many."""

REWRITTEN = 3
"""Tools and schemas may be set out with indents: their bytes count so many times more."""

PER_IMAGE = 50_000
"""No published rule takes more for an image; the dearest is 48,169 (gpt-4o-mini at high detail, 2 by 4 tiles)."""

PROMPT = frozenset({"model", "messages", "contents", "input", "system", "instructions"})
"""What holds the prompt's text, in any dialect."""

ELSEWHERE = frozenset(
    {
        "previous_response_id",
        "conversation",
        "prompt",
        "cachedContent",
        "container",
        "mcp_servers",
        "context_management",
    }
    | {"web_search_options", "search_parameters", "plugins", "prediction", "promptVariables"}
)
"""What makes the provider read, or bill, text that is not in the body."""

LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens")
CONFIGS = ("generationConfig", "inferenceConfig")
"""What holds the output limit where it is not beside the prompt."""

PASSED_ON = "additionalModelRequestFields"
"""What Bedrock hands to the model unread: the model's own fields."""

CHOICES = ("n", "candidateCount", "best_of")
OWN_TOOLS = frozenset({"function", "custom"})
OWN_TOOL_FIELDS = frozenset({"input_schema", "functionDeclarations", "function_declarations", "toolSpec", "cachePoint"})
SHAPING = frozenset({"tools", "response_format", "text", "generationConfig", "toolConfig", "outputConfig"})
"""What makes providers put words of theirs around the prompt."""


def most_output(body: Json) -> int | None:
    """The output limit that a body asks for, for all its choices together; None where there is none."""
    found = as_dict(body)
    if found is None:
        return None
    asked = [found, *(as_dict(found.get(key)) or {} for key in (*CONFIGS, PASSED_ON))]
    limits = [each[key] for each in asked for key in LIMITS if each.get(key) is not None]
    choices = [each[key] for each in asked for key in CHOICES if each.get(key) is not None]
    if not limits or not all(_is_count(number) for number in (*limits, *choices)):
        return None
    return max(limits) * max(choices, default=1)


def most_input(body: Json, size: int, request: Request) -> int | None:
    """An upper bound of the input tokens of a body of `size` bytes; None where it has none.

    A token of a byte-level vocabulary covers at least one byte, so a text has at most as many tokens as UTF-8 bytes,
    and JSON never writes it in fewer. What providers add is counted above what they document. An image counts by the
    dearest rule in use; of other files no rule bounds the tokens.
    """
    found = as_dict(body)
    if found is None or not all(map(_is_closed, (found, as_dict(found.get(PASSED_ON)) or {}))):
        return None
    blobs = [part for m in request.messages if not isinstance(m.content, str) for part in m.content]
    media = [part for part in blobs if isinstance(part, BlobPart)]
    if any(part.type != "image" for part in media):
        return None
    text = size - sum(len(part.data) for part in media)
    around = len(encoded({key: value for key, value in found.items() if key not in PROMPT}))
    extra = PER_TOOLS if found.keys() & SHAPING else 0
    fixed = PER_REQUEST + PER_MESSAGE * len(request.messages) + extra
    return max(text, 0) + REWRITTEN * around + fixed + PER_IMAGE * len(media)


def _is_count(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def _is_closed(body: Mapping[str, Any]) -> bool:
    """Whether all that is read for a body is in it."""
    return not body.keys() & ELSEWHERE and _own_tools(body)


def _own_tools(body: Mapping[str, Any]) -> bool:
    """Whether all tools are the caller's; the provider's own bring in text and prices of theirs."""
    configured = (as_dict(body.get("toolConfig")) or {}).get("tools")
    for tool in (*(as_list(body.get("tools")) or []), *(as_list(configured) or [])):
        held = as_dict(tool) or {}
        kind = held.get("type")
        if kind is not None and kind not in OWN_TOOLS:
            return False
        if kind is None and not held.keys() & OWN_TOOL_FIELDS:
            return False
    return True
