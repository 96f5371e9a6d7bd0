"""What all built-in scorers share: the frozen record they are, and how text, JSON and evidence are handled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn, TypeVar, cast

import orjson
from pydantic import BeforeValidator, Field, Strict
from pydantic.fields import FieldInfo

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, Record, as_dict, as_list
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.card import Card

SHOWN = 200
MAX_DEPTH = 1000

Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Real = Annotated[float, Strict()]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]


T = TypeVar("T")


def _texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


OneOrMore = BeforeValidator(_texts)
"""One text stands for a list of one."""


class BuiltinScorer(Record):
    """A scorer whose fields are its settings: frozen, checked when it is built, hashed by what differs from default."""

    about: ClassVar[ScorerInfo]
    card: ClassVar[Card]

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself."""
        return self.about

    def identity(self) -> Mapping[str, Json]:
        """The settings that differ from their defaults, under the names that suites use."""
        return self.model_dump(exclude_defaults=True, by_alias=True)

    def applies(self, case: Case) -> str:
        """Empty when the case can be judged, else the reason why not."""
        del case
        return ""

    @classmethod
    def prepare(cls, settings: dict[str, Json], folder: Path) -> dict[str, Json]:
        """The settings with the files that they name read in. Raises ScorerConfigError."""
        del folder
        return settings

    def once(self, case: Case, read: Callable[[Case], T]) -> T:
        """What is read of a case, kept for the case asked last: `applies` and the call behind it read it once."""
        own = vars(self)
        kept: tuple[Case, T] | None = own.get("_kept")
        if kept is None or kept[0] is not case:
            kept = own["_kept"] = (case, read(case))
        return kept[1]

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output without waiting for anything; a scorer that must wait has a `__call__` of its own."""
        raise NotImplementedError

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        return self.score(case, output)


class ReferenceScorer(BuiltinScorer):
    """A scorer that compares the output with the case's expected answers."""

    def applies(self, case: Case) -> str:
        """Empty when the case has expected answers."""
        return "" if case.expected is not None and case.expected.answers else "the case has no expected answers"


def answers(case: Case) -> tuple[str, ...]:
    """The accepted answers as text; what is not text is written as JSON."""
    return () if case.expected is None else case.expected.texts


def _as_json(value: object) -> str | None:
    try:
        return json.dumps(value, ensure_ascii=False, default=repr)
    except (ValueError, TypeError, RecursionError):
        return None


def instead_of(field: FieldInfo) -> dict[str, Json]:
    """The setting that may be given in place of a required one, and is read in before: its name, type, description."""
    extra = as_dict(field.json_schema_extra)
    return dict((as_dict(extra.get("instead")) if extra else None) or {})


def shown(value: object, limit: int = SHOWN) -> str:
    """A value in a reason: quoted where it is text, bounded, printable, however deep or strange it is."""
    if isinstance(value, str):
        cut = value if len(value) <= limit else value[: limit - 1] + "…"
        return f"'{cut if cut.isprintable() else safe(value, limit)}'"
    text = _as_json(value)
    return f"a {type(value).__name__} too large to show" if text is None else safe(text, limit)


_SMALL = frozenset({type(None), bool, float})


def clip(value: Json, limit: int = SHOWN) -> Json:
    """A value small enough to be kept as evidence: itself, or the start of its text."""
    if type(value) is str:
        return value if len(value) <= limit else value[: limit - 1] + "…"
    if type(value) in _SMALL or isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64):
        return value
    text = value if isinstance(value, str) else _as_json(value)
    if text is None:
        return shown(value)
    return value if len(text) <= limit else text[: limit - 1] + "…"


_SURROGATES = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD, so that offsets stay and C libraries take it."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's parser would take. Raises ValueError."""
    raise ValueError(f"{name} is not JSON")


_STARTS = frozenset('{["-0123456789 \t\r\n')
_WORDS = ("true", "false", "null", "NaN", "Infinity")


def _begins_json(text: str) -> bool:
    """Whether a text can be JSON, or what Python's parser names as none by name."""
    return text[:1] in _STARTS or text.startswith(_WORDS)


def parse_json(text: str) -> Json:
    """Parse JSON as RFC 8259 has it: no NaN, no Infinity; lone surrogate escapes and huge integers are kept.

    Raises ValueError for anything else, for nesting beyond 1,000 levels and for numbers of thousands of digits.
    """
    if not _begins_json(text):
        raise json.JSONDecodeError("Expecting value", text[:1], 0)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            value = json.loads(text, parse_constant=no_constant)
        except RecursionError:
            raise ValueError("nested too deep") from None
        if is_deep(value):
            raise ValueError("nested too deep") from None
        return value


_NO_VALUE = str(json.JSONDecodeError("Expecting value", "", 0))


def tried_json(text: str) -> tuple[Json, str]:
    """The value that `parse_json` gives and an empty text, or None and why there is none."""
    if not _begins_json(text):
        return None, _NO_VALUE  # the usual answer that is no JSON
    try:
        return parse_json(text), ""
    except ValueError as cause:
        return None, str(cause) or "is none"


def is_deep(value: Json, limit: int = MAX_DEPTH) -> bool:
    """Whether a value is nested deeper than what recursive code can follow."""
    level: list[Json] = [value]
    for _ in range(limit):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return cast("dict[str, Json]", value).values()
    return cast("Iterable[Json]", value) if isinstance(value, list | tuple) else ()


_SCALARS = (str, bool, int, float)


def same(found: Json, expected: Json) -> bool:
    """Equality of JSON values: 5 equals 5.0, true is no number, NaN equals nothing, lists and objects go deep."""
    if type(found) is type(expected) and isinstance(expected, _SCALARS):
        return found == expected
    if isinstance(expected, dict):
        want = cast("dict[str, Json]", expected)
        have = cast("dict[str, Json]", found) if isinstance(found, dict) else None
        return have is not None and have.keys() == want.keys() and all(same(have[k], v) for k, v in want.items())
    items = as_list(expected)
    if items is not None:
        have_items = as_list(found)
        return (
            have_items is not None
            and len(have_items) == len(items)
            and all(same(a, b) for a, b in zip(have_items, items, strict=True))
        )
    if isinstance(expected, bool) or isinstance(found, bool):
        return found is expected
    return isinstance(found, type(None) | str | int | float) and found == expected
