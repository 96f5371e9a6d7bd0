"""How one field is compared: by its type, with a tolerance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from seatrial.core.record import Json, Record, Text, as_dict, as_list
from seatrial.scorers.answers.numeric import final_number, near, to_decimal
from seatrial.scorers.base import Flag, OneOrMore, Real, same, shown

LONGEST_SEARCH = 1000
"""A list with more items is compared with another by equal items only, without tolerance."""
LONGEST_DATE = 100
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
Synonyms = Annotated[tuple[Text, ...], OneOrMore]


def as_rule(value: Any) -> Any:
    """A bare word stands for the rule of that type."""
    return {"type": value} if isinstance(value, str) else value


class FieldRule(Record):
    """How one field is compared. A bare word stands for the type.

    `auto`: by the expected value's JSON type: text in any case and spacing, numbers as numbers, all else exactly.
    `exact`: equal JSON. `text`: as auto, and a number or boolean found counts as its text. `number`: numbers within
    `abs` or `rel`, also where either is written as text ("1,250.00 EUR"). `date`: the same day, give or take `days`,
    in ISO 8601 or one of `formats` (as in strptime: `%d.%m.%Y`). `datetime`: the same moment, give or take `seconds`;
    without a time zone it is in UTC. `boolean`: true, or the words true, yes, 1; and likewise false. `enum`: one of
    `values`, each with the words that stand for it; a found value that is none of them is wrong, even where it is the
    expected one. `set`: a list in any order. `ignore_case: false` makes case count.
    """

    type: Literal["auto", "exact", "text", "number", "date", "datetime", "boolean", "enum", "set"] = "auto"
    abs: Real = Field(default=0.0, ge=0)
    rel: Real = Field(default=0.0, ge=0)
    days: Annotated[int, Field(strict=True, ge=0)] = 0
    seconds: Real = Field(default=0.0, ge=0)
    formats: Annotated[tuple[Text, ...], OneOrMore] = ()
    values: Mapping[Text, Synonyms] = Field(default_factory=dict)
    ignore_case: Flag = True

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        entries = as_dict(raw)
        names = None if entries is None else as_list(entries.get("values"))
        return raw if entries is None or names is None else {**entries, "values": {str(name): () for name in names}}

    @model_validator(mode="after")
    def _fits(self) -> FieldRule:
        if (self.type == "enum") != bool(self.values):
            raise ValueError("values belongs to type enum, which needs them")
        said = Counter(key for name, others in self.values.items() for key in {self._plain(w) for w in (name, *others)})
        twice = [word for word, number in said.items() if number > 1]
        if twice:
            raise ValueError(f"two values are written {shown(twice[0], 60)}")
        if self.formats and self.type not in ("date", "datetime"):
            raise ValueError("formats belongs to types date and datetime")
        for form in self.formats:
            _check_format(form)
        return self

    def equal(self, found: Json, wanted: Json) -> bool:
        """Whether a value that was found is the one that was wanted."""
        match self.type:
            case "auto":
                return self._auto(found, wanted)
            case "exact":
                return same(found, wanted)
            case "text":
                given = isinstance(found, str | int | float)
                return given and self._plain(_as_text(found)) == self._plain(_as_text(wanted))
            case "number":
                if type(found) is float and found == wanted and type(wanted) is float and found - found == 0:
                    return True  # the same finite number, whatever the tolerance
                return self._near(_to_number(found), _to_number(wanted))
            case "date":
                one, other = self._moment(found), self._moment(wanted)
                return one is not None and other is not None and abs((one.date() - other.date()).days) <= self.days
            case "datetime":
                one, other = self._instant(found), self._instant(wanted)
                return one is not None and other is not None and abs((one - other).total_seconds()) <= self.seconds
            case "boolean":
                truth = _truth(wanted)
                return truth is not None and _truth(found) is truth
            case "enum":
                name = self._named(found)
                return name is not None and name == self._named(wanted)
            case "set":
                return self._same_items(found, wanted)

    def _auto(self, found: Json, wanted: Json) -> bool:
        if isinstance(wanted, str):
            return isinstance(found, str) and (found == wanted or self._plain(found) == self._plain(wanted))
        if isinstance(wanted, int | float) and not isinstance(wanted, bool):
            if type(found) is type(wanted) and found == wanted:
                return True
            return self._near(to_decimal(found), to_decimal(wanted))
        items, have = as_list(wanted), as_list(found)
        if items is not None:
            return (
                have is not None
                and len(have) == len(items)
                and all(self._auto(a, b) for a, b in zip(have, items, strict=True))
            )
        entries, given = as_dict(wanted), as_dict(found)
        if entries is not None:
            return (
                given is not None
                and given.keys() == entries.keys()
                and all(self._auto(given[key], value) for key, value in entries.items())
            )
        return same(found, wanted)

    def _near(self, found: Decimal | None, wanted: Decimal | None) -> bool:
        return found is not None and wanted is not None and near(found, wanted, self.abs, self.rel)

    def _plain(self, text: str) -> str:
        text = " ".join(text.split())
        return text.casefold() if self.ignore_case else text

    def _moment(self, value: Json) -> datetime | None:
        if not isinstance(value, str) or len(value) > LONGEST_DATE:
            return None
        for form in self.formats:
            try:
                return datetime.strptime(value.strip(), form)  # noqa: DTZ007  # a zone is added where moments count
            except ValueError:
                continue
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            return None

    def _instant(self, value: Json) -> datetime | None:
        found = self._moment(value)
        return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found

    @cached_property
    def _names(self) -> dict[str, str]:
        return {self._plain(word): name for name, words in self.values.items() for word in (name, *words)}

    def _named(self, value: Json) -> str | None:
        return self._names.get(self._plain(_as_text(value))) if isinstance(value, str | int | float) else None

    def _same_items(self, found: Json, wanted: Json) -> bool:
        items, left = as_list(wanted), as_list(found)
        if items is None or left is None or len(items) != len(left):
            return False
        if Counter(map(self._key, items)) == Counter(map(self._key, left)):
            return True
        if len(items) > LONGEST_SEARCH:
            return False
        for item in items:
            at = next((i for i, other in enumerate(left) if self._auto(other, item)), None)
            if at is None:
                return False
            del left[at]
        return True

    def _key(self, item: Json) -> tuple[bool, str]:
        return (True, self._plain(item)) if isinstance(item, str) else (False, _as_text(item))


def _check_format(form: str) -> None:
    """Raises ValueError for a format that strptime does not know, or that is blank."""
    known = bool(form.strip())
    try:
        datetime.strptime("", form)  # noqa: DTZ007  # nothing is read
    except ValueError as cause:
        known = known and "does not match" in str(cause)
    if not known:
        raise ValueError(f"formats: {shown(form, 60)} is no format of strptime")


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=repr)


def _to_number(value: Json) -> Decimal | None:
    return final_number(value, ()).value if isinstance(value, str) else to_decimal(value)


def _truth(value: Json) -> bool | None:
    if isinstance(value, bool):
        return value
    word = _as_text(value).strip().casefold() if isinstance(value, str | int) else ""
    return True if word in _TRUE else False if word in _FALSE else None
