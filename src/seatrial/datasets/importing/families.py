"""The families of logs: whose record one is, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from seatrial.datasets.importing import exports, openai, rows
from seatrial.traces import conventions, otlp
from seatrial.traces.observation import MalformedError, Observation, Raw

Found = Iterator[Observation | MalformedError]


class Family(NamedTuple):
    """A family of logs: how to know a record of it, and what one holds."""

    name: str
    title: str
    fits: Callable[[Raw], bool]
    read: Callable[[Raw], Found]


def _otlp(raw: Raw) -> Found:
    return signals(otlp.from_json(raw))


def signals(found: Iterator[otlp.Signal | MalformedError]) -> Found:
    """What spans and log events say; a span that breaks its convention is given as its fault."""
    for item in found:
        if isinstance(item, MalformedError):
            yield item
            continue
        try:
            if isinstance(item, otlp.Span):
                yield conventions.read(item)
            else:
                yield from conventions.read_log(item)
        except MalformedError as fault:
            place = item.span_id if isinstance(item, otlp.Span) else item.name
            yield MalformedError(fault.rule, f"span {place}: {fault.key}", fault.value, fault.hint)


FAMILIES = (
    Family("otlp", "OTLP in JSON", otlp.is_otlp, _otlp),
    Family("phoenix", "a span of Phoenix", exports.is_phoenix, exports.phoenix),
    Family("langsmith", "a run of LangSmith", exports.is_langsmith, exports.langsmith),
    Family("braintrust", "a row of Braintrust's logs", exports.is_braintrust, exports.braintrust),
    Family("helicone", "a request of Helicone", exports.is_helicone, exports.helicone),
    Family("litellm", "a call of LiteLLM", exports.is_litellm, exports.litellm),
    Family("langfuse", "an observation of Langfuse", exports.is_langfuse, exports.langfuse),
    Family("openai", "a request with its response", openai.fits, openai.read),
)
"""In the order in which a record is tried: the most particular first."""

NAMES = ("auto", "otlp", "otlp-proto", *(family.name for family in FAMILIES[1:]), "rows")


def named(name: str, fields: Mapping[str, str]) -> Family | None:
    """The family that is asked for; None where the records must tell."""
    if name == "rows" or (name == "auto" and rows.is_mapped(fields)):
        return _mapped(fields)
    return next((family for family in FAMILIES if family.name == name), None)


def _mapped(fields: Mapping[str, str]) -> Family:
    def fits(raw: Raw) -> bool:
        return len(raw) >= 0  # whatever it looks like: the mapping says what it is

    def read(raw: Raw) -> Found:
        return rows.read(raw, fields)

    return Family("rows", "a row of the mapping", fits, read)


def of(raw: Raw) -> Family | None:
    """The family whose record this is."""
    return next((family for family in FAMILIES if family.fits(raw)), None)
