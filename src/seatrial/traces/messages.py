"""Every way in which chats are written, as the plain messages of a case.

OpenAI's chat form and its responses, Anthropic's content blocks, OpenTelemetry's message parts, OpenInference's
contents, and LangChain's serialised messages. A message that none of them explains is a fault, never dropped.
"""

from __future__ import annotations

import base64
from typing import Any, cast

from seatrial.core import wire
from seatrial.core.identity import encode, loads
from seatrial.core.record import as_dict, as_list, too_deep
from seatrial.traces.observation import MalformedError, Raw

ROLES = {
    **{role: role for role in ("system", "developer", "user", "assistant", "tool")},
    "human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant", "function": "tool",
    "humanmessage": "user", "aimessage": "assistant", "aimessagechunk": "assistant", "systemmessage": "system",
    "toolmessage": "tool", "functionmessage": "tool", "chatbot": "assistant",
}  # fmt: skip
REASONING = ("reasoning", "thinking", "redacted_thinking", "reasoning_content")
TEXT = ("text", "input_text", "output_text", "refusal", "summary_text")
CALLS = ("tool_call", "tool_use", "function_call", "server_tool_call", "server_tool_use")
RESULTS = ("tool_call_response", "tool_result", "function_call_output", "server_tool_call_response")
ITEMS = (*CALLS, *RESULTS, *REASONING)
"""What stands beside messages in the responses API. Tuples, for a log may hold a type that no set can look up."""
IMAGES = ("image", "input_image")
BARE = ("user", "assistant", "system")


def parsed(value: Any) -> Any:
    """A value that may be written as JSON text, as it is meant; text that is no JSON stays."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        found = loads(value)
    except ValueError:
        return value
    if too_deep(found):
        raise MalformedError("holds JSON that is nested too deep")
    return found


def chat(value: Any, where: str, role: str = "user") -> list[Raw]:
    """A chat as plain messages; `role` is who says what has no role. Raises MalformedError with the place."""
    value = parsed(value)
    if value is None:
        return []
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    held = as_dict(value)
    if held is not None:
        return one(held, where, role)
    items = as_list(value)
    if items is None:
        raise MalformedError("must be text or a list of messages", where, repr(value)[:80])
    if len(items) == 1 and isinstance(items[0], list):
        items = cast("list[Any]", items[0])  # one batch of messages
    found: list[Raw] = []
    for at, item in enumerate(items):
        if _is_bare(item):
            found.append(item)
        else:
            found += _item(item, f"{where}[{at}]", role)
    return found


def _is_bare(item: Any) -> bool:
    """Whether a message is a plain one as it stands: a role and a text."""
    raw = as_dict(item)
    return raw is not None and len(raw) == 2 and isinstance(raw.get("content"), str) and raw.get("role") in BARE


def _item(item: Any, where: str, role: str) -> list[Raw]:
    if isinstance(item, str):
        return [{"role": role, "content": item}]
    raw = as_dict(item)
    if raw is None:
        raise MalformedError("must be a message with role and content", where, repr(item)[:80])
    return one(raw, where, role)


def one(raw: Raw, where: str, role: str = "user") -> list[Raw]:
    """One written message as plain ones: several where results of tools lie inside it."""
    if _is_bare(raw):
        return [raw]
    raw = _opened(raw)
    if raw.get("type") in ITEMS and "role" not in raw:
        return _from_parts([raw], {}, "assistant", where)  # an item of the responses API
    said: Any = raw.get("role", raw.get("type") if raw.get("type") not in ("message", None) else role)
    known = ROLES.get(said.lower()) if isinstance(said, str) else None
    if known is None:
        raise MalformedError(
            "is not a role", f"{where}.role", repr(said)[:80], f"roles are {', '.join(list(ROLES)[:5])}"
        )
    parts = next((raw[key] for key in ("content", "parts", "contents") if raw.get(key) is not None), "")
    extra = _extra(raw, known, where)
    if isinstance(parts, str):
        message: Raw = {"role": known, **extra}
        return [{**message, "content": parts} if parts else message]
    held = as_list(parts)
    if as_dict(parts) is not None:
        held = [parts]
    if held is None:
        raise MalformedError("must be text or a list of parts", f"{where}.content", repr(parts)[:80])
    return _from_parts(held, extra, known, where)


def _opened(raw: Raw) -> Raw:
    """A message out of the wrappers that libraries put around it."""
    for key in ("message", "kwargs", "data"):
        inner = as_dict(raw.get(key))
        if inner is not None and "role" not in raw and "content" not in raw:
            kind = raw.get("type") if raw.get("type") != "constructor" else None
            named = as_list(raw.get("id"))
            kind = kind or (str(named[-1]) if named else None)
            return {**({"type": kind} if kind else {}), **inner, **({"role": kind} if _is_role(kind, inner) else {})}
    return raw


def _is_role(kind: Any, inner: Raw) -> bool:
    return isinstance(kind, str) and kind.lower() in ROLES and "role" not in inner


def _extra(raw: Raw, role: str, where: str) -> Raw:
    """What a message says beside its content: calls, the call that it answers, a name."""
    extra: Raw = {}
    calls = as_list(raw.get("tool_calls")) or []
    legacy = as_dict(raw.get("function_call"))
    if legacy is not None:
        calls = [*calls, {"function": legacy}]
    if calls:
        extra["tool_calls"] = [call(item, f"{where}.tool_calls[{at}]") for at, item in enumerate(calls)]
    elif raw.get("tool_calls") not in (None, []):
        raise MalformedError("must be a list", f"{where}.tool_calls", repr(raw["tool_calls"])[:80])
    for key in ("tool_call_id", "name"):
        value = raw.get(key)
        if isinstance(value, str) and value and (key == "name" or role == "tool"):
            extra[key] = value
    return extra


def call(value: Any, where: str) -> Raw:
    """A tool call in any form: `name`, `arguments` parsed where they are an object, `id`."""
    raw = as_dict(value)
    if raw is None:
        raise MalformedError("must be a tool call", where, repr(value)[:80])
    raw = as_dict(raw.get("tool_call")) or raw
    inner = as_dict(raw.get("function")) or raw
    name = inner.get("name")
    if not isinstance(name, str):
        raise MalformedError("needs the tool's name", where, None, "a call is {name, arguments, id}")
    given: Any = next((inner[k] for k in ("arguments", "args", "input", "parameters") if inner.get(k) is not None), "")
    arguments: Any = parsed(given)
    found: Raw = {"name": name, "arguments": {} if arguments == "" else arguments}
    named = next((raw[key] for key in ("call_id", "id", "tool_call_id") if isinstance(raw.get(key), str)), "")
    return {**found, "id": named} if named else found


def _from_parts(parts: list[Any], extra: Raw, role: str, where: str) -> list[Raw]:
    """A message of parts: what is said, the calls, and the results, which become messages of their own."""
    content: list[Raw] = []
    calls: list[Raw] = list(extra.get("tool_calls", []))
    results: list[Raw] = []
    answered = str(extra.get("tool_call_id", ""))
    for at, item in enumerate(parts):
        part = {"type": "text", "text": item} if isinstance(item, str) else as_dict(item)
        if part is None:
            raise MalformedError("must be a part of a message", f"{where}.content[{at}]", repr(item)[:80])
        part = as_dict(part.get("message_content")) or part
        kind = part.get("type")
        if kind in CALLS:
            calls.append(call(part, f"{where}.content[{at}]"))
        elif kind in RESULTS:
            results.append(_result(part, answered))
        elif kind not in REASONING:
            content.append(_whole(_part(part, f"{where}.content[{at}]"), f"{where}.content[{at}]"))
    if role == "tool" and results and not content:
        return results
    message: Raw = {"role": role, **{k: v for k, v in extra.items() if k != "tool_calls"}}
    if content:
        plain = len(content) == 1 and content[0]["type"] == "text"
        message["content"] = content[0]["text"] if plain else content
    if calls:
        message["tool_calls"] = calls
    said = content or calls or not results
    return [*results, message] if said else results


def _result(part: Raw, answered: str = "") -> Raw:
    """The message of a tool's result."""
    value: Any = next((part[k] for k in ("response", "result", "content", "output") if part.get(k) is not None), "")
    blocks = as_list(value)
    if blocks and all((as_dict(b) or {}).get("type") in TEXT for b in blocks):
        value = "\n".join(str(b.get("text", "")) for b in blocks)
    text = value if isinstance(value, str) else encode(value).decode()
    named = next(
        (part[k] for k in ("id", "tool_use_id", "call_id", "tool_call_id") if isinstance(part.get(k), str)), ""
    )
    if part.get("type") == "function_call_output" and isinstance(part.get("call_id"), str):
        named = part["call_id"]
    return {"role": "tool", "content": text, **({"tool_call_id": named or answered} if named or answered else {})}


def _part(part: Raw, where: str) -> Raw:
    kind = part.get("type")
    if kind in TEXT or kind is None:
        text = next((part[k] for k in ("text", "content", "refusal") if isinstance(part.get(k), str)), None)
        if text is None:
            raise MalformedError("needs its text", where, repr(part)[:80])
        return {"type": "text", "text": text}
    if kind in IMAGES and (as_dict(part.get("source")) or as_dict(part.get("image")) or part.get("image_url")):
        return _image(part)
    if kind in ("blob", "uri", "file") and ("content" in part or "uri" in part):
        return _media(part)
    known = wire.messages([{"role": "user", "content": [part]}])[0]["content"][0]
    if known.get("type") in ("text", "image", "audio", "file") and known is not part:
        return known
    if kind in ("image", "audio", "file") and (part.get("data") or part.get("url")):
        return part
    return {"type": "text", "text": encode(part).decode()}  # a part of another kind is kept as it was written


def _whole(part: Raw, where: str) -> Raw:
    """A part whose bytes, where it has some, are base64."""
    if part["type"] != "text" and not part.get("url"):
        try:
            base64.b64decode(part.get("data", ""), validate=True)
        except (ValueError, TypeError):
            raise MalformedError("must be base64", f"{where}.data") from None
    return part


def _image(part: Raw) -> Raw:
    source = as_dict(part.get("source")) or {}
    if source.get("data"):
        return {"type": "image", "media_type": str(source.get("media_type", "")), "data": str(source["data"])}
    address: Any = source.get("url") or as_dict(part.get("image")) or part.get("image_url")
    held = as_dict(address)
    address = cast("Any", held.get("url") if held else address)
    outer = {"type": "image_url", "image_url": {"url": str((as_dict(address) and address.get("url")) or address)}}
    return wire.messages([{"role": "user", "content": [outer]}])[0]["content"][0]


def _media(part: Raw) -> Raw:
    modality = str(part.get("modality", ""))
    kind = modality if modality in ("image", "audio") else "file"
    found: Raw = {"type": kind}
    if isinstance(part.get("mime_type"), str):
        found["media_type"] = part["mime_type"]
    if isinstance(part.get("uri"), str):
        return {**found, "url": part["uri"]}
    return {**found, "data": str(part.get("content", ""))}


def offered(value: Any, where: str) -> list[Raw]:
    """Tools offered to a model, in any form, as tools of a case."""
    items = as_list(parsed(value))
    if items is None:
        if value is None:
            return []
        raise MalformedError("must be a list of tools", where, repr(value)[:80])
    found: list[Raw] = []
    for at, item in enumerate(items):
        outer = as_dict(parsed(item))
        schema = as_dict(parsed((as_dict((outer or {}).get("tool")) or {}).get("json_schema")))
        raw = as_dict((schema or outer or {}).get("function")) or schema or outer
        name = (raw or {}).get("name") or (raw or {}).get("type")
        if raw is None or not isinstance(name, str):
            raise MalformedError("needs the tool's name", f"{where}[{at}]", repr(item)[:80])
        tool: Raw = {"name": name}
        if isinstance(raw.get("description"), str):
            tool["description"] = raw["description"]
        held = next(
            (as_dict(parsed(raw[k])) for k in ("parameters", "input_schema", "inputSchema") if raw.get(k)), None
        )
        found.append({**tool, "parameters": held} if held else tool)
    return found
