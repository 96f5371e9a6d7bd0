"""OTLP, OpenTelemetry's wire format, in JSON and in protobuf: spans and log events as records.

The JSON form follows the OTLP specification where it differs from plain protobuf JSON: ids are hexadecimal, 64-bit
integers come as text or as numbers, unknown keys are ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

from seatrial.core.record import MAX_DEPTH, as_dict, as_list
from seatrial.errors import ConfigError
from seatrial.traces.observation import MalformedError, Raw

TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
LATEST = 4_102_444_800 * 10**9
"""The first moment of 2100, in nanoseconds: a time beyond is no time."""

STATUS_ERROR = 2


@dataclass(slots=True)
class Event:
    """Something that happened inside a span."""

    name: str
    time: int | None
    attributes: Raw


@dataclass(slots=True)
class Span:
    """One span: ids in lower-case hexadecimal, times in nanoseconds since 1970, attributes as plain values."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    name: str = ""
    start: int | None = None
    end: int | None = None
    attributes: Raw = field(default_factory=dict[str, Any])
    events: list[Event] = field(default_factory=list[Event])
    resource: Raw = field(default_factory=dict[str, Any])
    error: str = ""


@dataclass(slots=True)
class LogEvent:
    """A log record with a name, which belongs to the span that its ids name."""

    trace_id: str
    span_id: str
    name: str
    time: int | None = None
    attributes: Raw = field(default_factory=dict[str, Any])
    body: Any = None
    resource: Raw = field(default_factory=dict[str, Any])


Signal = Span | LogEvent


def is_otlp(value: Raw) -> bool:
    """Whether a JSON object is an export of spans or of log records."""
    return any(key in value for key in ("resourceSpans", "resourceLogs", "resource_spans", "resource_logs"))


def from_json(value: Raw) -> Iterator[Signal | MalformedError]:
    """The spans and log events of one export in JSON; a span that is no span is given as its fault."""
    for kind in ("Spans", "Logs"):
        groups = _key(value, f"resource{kind}")
        for at, group in enumerate(_objects(groups, f"resource{kind}")):
            if isinstance(group, MalformedError):
                yield group
                continue
            yield from _json_group(group, kind, f"resource{kind}[{at}]")


def _json_group(group: Raw, kind: str, where: str) -> Iterator[Signal | MalformedError]:
    try:
        resource = _attributes(_key(as_dict(group.get("resource")) or {}, "attributes"), f"{where}.resource")
    except MalformedError as fault:
        yield fault
        return
    scopes = _key(group, f"scope{kind}")
    for at, scope in enumerate(_objects(scopes, f"{where}.scope{kind}")):
        if isinstance(scope, MalformedError):
            yield scope
            continue
        name = "spans" if kind == "Spans" else "logRecords"
        inner = f"{where}.scope{kind}[{at}].{name}"
        for number, item in enumerate(_objects(_key(scope, name), inner)):
            try:
                if isinstance(item, MalformedError):
                    raise item
                place = f"{inner}[{number}]"
                yield _json_span(item, resource, place) if kind == "Spans" else _json_log(item, resource, place)
            except MalformedError as fault:
                yield fault


def _key(value: Raw, name: str) -> Any:
    """A key in the lowerCamelCase that the format asks for, or in the snake_case that some writers use."""
    if name in value:
        return value[name]
    return value.get(re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name))


def _objects(value: Any, where: str) -> Iterator[Raw | MalformedError]:
    if value is None:
        return
    items = as_list(value)
    if items is None:
        yield MalformedError("must be a list", where, _brief(value))
        return
    for at, item in enumerate(items):
        found = as_dict(item)
        yield found if found is not None else MalformedError("must be an object", f"{where}[{at}]", _brief(item))


def _brief(value: Any) -> str:
    return repr(value)[:80]


def _json_span(raw: Raw, resource: Raw, where: str) -> Span:
    status = as_dict(raw.get("status")) or {}
    failed = status.get("code") in (STATUS_ERROR, "STATUS_CODE_ERROR")
    name = raw.get("name", "")
    if not isinstance(name, str):
        raise MalformedError("must be text", f"{where}.name", _brief(name))
    events: list[Event] = []
    for event in _objects(raw.get("events"), f"{where}.events"):
        if isinstance(event, MalformedError):
            raise event
        held = _attributes(event.get("attributes"), f"{where}.events")
        events.append(Event(str(event.get("name", "")), moment(_key(event, "timeUnixNano"), f"{where}.events"), held))
    return Span(
        trace_id=identity(_key(raw, "traceId"), TRACE_ID, f"{where}.traceId"),
        span_id=identity(_key(raw, "spanId"), SPAN_ID, f"{where}.spanId"),
        parent_id=_parent(_key(raw, "parentSpanId"), f"{where}.parentSpanId"),
        name=name,
        start=moment(_key(raw, "startTimeUnixNano"), f"{where}.startTimeUnixNano"),
        end=moment(_key(raw, "endTimeUnixNano"), f"{where}.endTimeUnixNano"),
        attributes=_attributes(raw.get("attributes"), f"{where}.attributes"),
        events=events,
        resource=resource,
        error=str(status.get("message") or "error") if failed else "",
    )


def _json_log(raw: Raw, resource: Raw, where: str) -> LogEvent:
    attributes = _attributes(raw.get("attributes"), f"{where}.attributes")
    name = _key(raw, "eventName") or attributes.get("event.name") or ""
    trace, span = _key(raw, "traceId"), _key(raw, "spanId")
    return LogEvent(
        trace_id=identity(trace, TRACE_ID, f"{where}.traceId") if trace else "",
        span_id=identity(span, SPAN_ID, f"{where}.spanId") if span else "",
        name=name if isinstance(name, str) else "",
        time=moment(_key(raw, "timeUnixNano") or _key(raw, "observedTimeUnixNano"), f"{where}.timeUnixNano"),
        attributes=attributes,
        body=_value(raw["body"], f"{where}.body", 0) if raw.get("body") is not None else None,
        resource=resource,
    )


def identity(value: Any, pattern: re.Pattern[str], where: str) -> str:
    """A trace or span id in lower case. Raises MalformedError for anything else, all zeroes included."""
    digits = 32 if pattern is TRACE_ID else 16
    if not isinstance(value, str) or not value:
        raise MalformedError(f"must be an id of {digits} hexadecimal digits", where, _brief(value))
    found = value.lower().removeprefix("0x")
    if not pattern.fullmatch(found):
        raise MalformedError(f"must be an id of {digits} hexadecimal digits, not all zero", where, value[:80])
    return found


def _parent(value: Any, where: str) -> str:
    if value is None or value in ("", "0" * 16):
        return ""
    return identity(value, SPAN_ID, where)


def moment(value: Any, where: str) -> int | None:
    """Nanoseconds since 1970; None for what was not set. Raises MalformedError for what is no time."""
    if value is None or value in ("", 0, "0"):
        return None
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < LATEST:
        raise MalformedError("must be nanoseconds since 1970", where, _brief(value))
    return number


def _attributes(value: Any, where: str) -> Raw:
    found: Raw = {}
    for item in _objects(value, where):
        if isinstance(item, MalformedError):
            raise item
        key = item.get("key")
        if not isinstance(key, str):
            raise MalformedError("must be text", f"{where}.key", _brief(key))
        found[key] = _value(item.get("value"), f"{where}.{key[:80]}", 0)
    return found


def _value(value: Any, where: str, depth: int) -> Any:
    """The plain value of an AnyValue."""
    if depth > MAX_DEPTH:
        raise MalformedError(f"is nested deeper than {MAX_DEPTH} levels", where)
    raw = as_dict(value)
    if raw is None:
        if value is None:
            return None
        raise MalformedError("must be an object like {stringValue: …}", where, _brief(value))
    for key, inner in raw.items():
        match key.replace("_v", "V"):
            case "stringValue" | "bytesValue" if isinstance(inner, str):
                return inner
            case "boolValue" if isinstance(inner, bool):
                return inner
            case "intValue":
                return _integer(inner, where)
            case "doubleValue":
                return _double(inner, where)
            case "arrayValue":
                values = as_list((as_dict(inner) or {}).get("values", [])) or []
                return [_value(item, where, depth + 1) for item in values]
            case "kvlistValue":
                pairs = _objects((as_dict(inner) or {}).get("values"), where)
                return {str(p.get("key")): _value(p.get("value"), where, depth + 1) for p in _good(pairs)}
            case "stringValue" | "bytesValue" | "boolValue":
                raise MalformedError(f"holds a {key} of another type", where, _brief(inner))
            case _:
                continue
    return None


def _good(items: Iterable[Raw | MalformedError]) -> Iterator[Raw]:
    for item in items:
        if isinstance(item, MalformedError):
            raise item
        yield item


def _integer(value: Any, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value):
        return int(value)
    raise MalformedError("must be a whole number", where, _brief(value))


def _double(value: Any, where: str) -> float | None:
    """A number; one that is not finite is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise MalformedError("must be a number", where, _brief(value)) from None
    return number if math.isfinite(number) else None


# ------------------------------------------------------------------------------------------------ protobuf


def from_protobuf(payload: bytes) -> Iterator[Signal | MalformedError]:
    """The spans or log events of one ResourceSpans or ResourceLogs message.

    The two cannot be told apart by their outer fields, which have the same numbers: what has no span with an id is
    read as logs. Raises ConfigError where `opentelemetry-proto` is not installed, MalformedError where the bytes are
    neither.
    """
    trace, logs = _messages()
    spans = _parsed(trace.ResourceSpans, payload)
    if spans is not None and any(span.trace_id for scope in spans.scope_spans for span in scope.spans):
        yield from _protobuf_spans(spans)
        return
    records = _parsed(logs.ResourceLogs, payload)
    if records is not None and any(_is_log(record) for scope in records.scope_logs for record in scope.log_records):
        resource = _pairs(records.resource.attributes)
        for scope in records.scope_logs:
            for record in scope.log_records:
                yield _guarded(_protobuf_log, record, resource)
        return
    if spans is None:
        raise MalformedError("is not a protobuf message of OTLP", hint="was the file cut off?")
    yield from _protobuf_spans(spans)


def _is_log(record: Any) -> bool:
    return bool(record.time_unix_nano or record.observed_time_unix_nano or record.event_name)


def _messages() -> tuple[Any, Any]:
    try:
        return (
            import_module("opentelemetry.proto.trace.v1.trace_pb2"),
            import_module("opentelemetry.proto.logs.v1.logs_pb2"),
        )
    except ImportError as cause:
        raise ConfigError(
            "OTLP in protobuf needs the package opentelemetry-proto.", hint="pip install 'seatrial[traces]'"
        ) from cause


def _parsed(kind: Any, payload: bytes) -> Any:
    from google.protobuf.message import DecodeError

    message = kind()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        return None
    return message


def _guarded(read: Any, item: Any, resource: Raw) -> Signal | MalformedError:
    try:
        return cast("Signal", read(item, resource))
    except MalformedError as fault:
        return fault


def _protobuf_spans(message: Any) -> Iterator[Signal | MalformedError]:
    resource = _pairs(message.resource.attributes)
    for scope in message.scope_spans:
        for span in scope.spans:
            yield _guarded(_protobuf_span, span, resource)


def _protobuf_span(raw: Any, resource: Raw) -> Span:
    return Span(
        trace_id=identity(raw.trace_id.hex(), TRACE_ID, "trace_id"),
        span_id=identity(raw.span_id.hex(), SPAN_ID, "span_id"),
        parent_id=_parent(raw.parent_span_id.hex(), "parent_span_id"),
        name=raw.name,
        start=moment(raw.start_time_unix_nano, "start_time_unix_nano"),
        end=moment(raw.end_time_unix_nano, "end_time_unix_nano"),
        attributes=_pairs(raw.attributes),
        events=[Event(e.name, moment(e.time_unix_nano, "events"), _pairs(e.attributes)) for e in raw.events],
        resource=resource,
        error=(raw.status.message or "error") if raw.status.code == STATUS_ERROR else "",
    )


def _protobuf_log(raw: Any, resource: Raw) -> LogEvent:
    attributes = _pairs(raw.attributes)
    name = raw.event_name or attributes.get("event.name") or ""
    return LogEvent(
        trace_id=identity(raw.trace_id.hex(), TRACE_ID, "trace_id") if raw.trace_id else "",
        span_id=identity(raw.span_id.hex(), SPAN_ID, "span_id") if raw.span_id else "",
        name=name if isinstance(name, str) else "",
        time=moment(raw.time_unix_nano or raw.observed_time_unix_nano, "time_unix_nano"),
        attributes=attributes,
        body=_plain(raw.body, 0),
        resource=resource,
    )


def _pairs(items: Any) -> Raw:
    return {item.key: _plain(item.value, 0) for item in items}


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise MalformedError(f"is nested deeper than {MAX_DEPTH} levels")
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_plain(item, depth + 1) for item in value.array_value.values]
    if which == "kvlist_value":
        return {item.key: _plain(item.value, depth + 1) for item in value.kvlist_value.values}
    if which == "bytes_value":
        return value.bytes_value.hex()
    if which == "double_value":
        return value.double_value if math.isfinite(value.double_value) else None
    return getattr(value, which) if which else None
