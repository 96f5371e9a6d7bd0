"""Messages and tools written in OpenAI's wire form, as logs hold them, in the form that cases have."""

from __future__ import annotations

import re
from typing import Any, cast

from seatrial.core.identity import loads
from seatrial.core.record import too_deep

Raw = dict[str, Any]


def messages(value: Any) -> Any:
    """Messages with tool calls unwrapped, their arguments parsed, and pictures as image parts; null keys go.

    What is not in the wire form stays as it is.
    """
    if not isinstance(value, list):
        return value
    return [_message(cast("Raw", m)) if isinstance(m, dict) else m for m in cast("list[Any]", value)]


def tools(value: Any) -> Any:
    """Tools with their `{"type": "function", "function": …}` wrapper taken off."""
    if not isinstance(value, list):
        return value
    return [_unwrapped(cast("Raw", t)) if isinstance(t, dict) else t for t in cast("list[Any]", value)]


def _message(raw: Raw) -> Raw:
    message = {key: value for key, value in raw.items() if value is not None}
    calls, parts = message.get("tool_calls"), message.get("content")
    if isinstance(calls, list):
        message["tool_calls"] = [_call(cast("Raw", c)) if isinstance(c, dict) else c for c in cast("list[Any]", calls)]
    if isinstance(parts, list):
        message["content"] = [_part(cast("Raw", p)) if isinstance(p, dict) else p for p in cast("list[Any]", parts)]
    return message


def _unwrapped(raw: Raw) -> Raw:
    """An object without its wrapper, keeping what else it says (a call's id)."""
    inner = raw.get("function")
    if raw.get("type", "function") != "function" or not isinstance(inner, dict):
        return raw
    outer = {key: value for key, value in raw.items() if key not in ("type", "function", "index")}
    return {
        **outer,
        **{key: value for key, value in cast("Raw", inner).items() if value is not None and key != "strict"},
    }


def _call(raw: Raw) -> Raw:
    call = _unwrapped(raw)
    text = call.get("arguments")
    if call is raw or not isinstance(text, str):
        return call
    try:
        parsed: object = loads(text) if text.strip() else {}
    except ValueError:
        return call
    return {**call, "arguments": cast("Raw", parsed)} if isinstance(parsed, dict) and not too_deep(parsed) else call


def _part(raw: Raw) -> Raw:
    """A picture, a clip or a file as chat completions write it; any other part stays."""
    match raw:
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            return _blob("image", url)
        case {"type": "audio_url", "audio_url": {"url": str(url)}}:
            return _blob("audio", url)
        case {"type": "input_audio", "input_audio": {"data": str(data), **rest}}:
            return {"type": "audio", "media_type": f"audio/{rest.get('format') or 'wav'}", "data": data}
        case {"type": "file", "file": {"file_data": str(url), **rest} | {"file_url": str(url), **rest}}:
            name = rest.get("filename")
            return _blob("file", url) | ({"name": name} if isinstance(name, str) else {})
        case _:
            return raw


def _blob(kind: str, url: str) -> Raw:
    inline = re.match(r"data:([\w.+/-]+);base64,", url)
    if inline is None:
        return {"type": kind, "url": url}
    return {"type": kind, "media_type": inline[1], "data": url[inline.end() :]}
