"""Stratifiers: what names the stratum of a case. Frozen values, identified by a hash of their definition.

A definition is one item of `stratifiers:` in set.yaml. The same object names the cases of a pool, of a set, and live
spans: it reads a case as plain values and gives a name, or `unknown`, which is a stratum like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self, cast

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from seatrial.core.case import Case
from seatrial.core.identity import digest
from seatrial.core.record import Filled, Json, Record, Text, as_dict
from seatrial.datasets.sampling.duplicates import said
from seatrial.errors import DatasetError, Problem, safe

UNKNOWN = "unknown"
Row = Mapping[str, Any]
"""A case as plain values: what a line of a pool holds."""


class Stratifier(Protocol):
    """Names one stratum of cases."""

    @property
    def stratum(self) -> str:
        """The stratum that it fills."""
        ...

    @property
    def hash(self) -> str:
        """Identity of the definition: where it is the same, so are the names."""
        ...

    def name(self, row: Row) -> str:
        """The stratum of a case given as plain values; `unknown` where it cannot be told."""
        ...


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str | int | float | bool) else value


Texts = Annotated[tuple[Filled, ...], BeforeValidator(_one_or_more)]


class Definition(Record):
    """What all stratifiers have in common. Calling one with a case gives the name of its stratum."""

    VERSION: ClassVar[int] = 1
    """Raised when the same definition would name cases otherwise: it is part of the hash."""

    stratum: Filled

    @cached_property
    def hash(self) -> str:
        """Identity of the definition and of the code that reads it."""
        return digest("stratifier", {"version": self.VERSION, **self.plain()})

    def name(self, row: Row) -> str:
        """The stratum of a case given as plain values; `unknown` where it cannot be told."""
        raise NotImplementedError

    def __call__(self, case: Case) -> str:
        """The stratum of a case."""
        return self.name(case.recorded)

    def opened(self, folder: Path) -> Self:
        """The stratifier ready to name cases; `folder` is where its files are. Raises ValueError where they are not."""
        _ = folder
        return self


class Given(Definition):
    """The stratum as the case has it already."""

    use: Literal["given"] = "given"

    def name(self, row: Row) -> str:
        """What the case says."""
        return _named((as_dict(row.get("strata")) or {}).get(self.stratum))


class Attribute(Definition):
    """A field of the case, like `metadata.route` or `source`, by `names` where given; a value without one is unknown.

    A key that holds dots itself, as span attributes do, is found too: `metadata.gen_ai.request.model`.
    """

    use: Literal["attribute"]
    path: Filled
    names: Mapping[str, Filled] = Field(default_factory=dict)

    def name(self, row: Row) -> str:
        """What the field holds, by its name."""
        value = _named(_at(row, self.path))
        return self.names.get(value, UNKNOWN) if self.names else value


class Compared(Record):
    """What an attribute must be: all that is given must hold."""

    equals: Annotated[tuple[Json, ...], BeforeValidator(_one_or_more)] = ()
    at_least: float | None = None
    at_most: float | None = None
    exists: bool | None = None

    def holds(self, value: Any) -> bool:
        """Whether a value is so."""
        if self.exists is not None and self.exists != (value is not None):
            return False
        if self.equals and _named(value) not in {_named(one) for one in self.equals}:
            return False
        if self.at_least is None and self.at_most is None:
            return True
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


def _compared(value: Any) -> Any:
    return cast("object", value) if isinstance(value, dict | Compared) else {"equals": value}


class Rule(Record):
    """A name and its conditions, all of which must hold.

    `matches`: any of these RE2 patterns is found. `contains`: any of these is part of the text, whatever the case.
    `where`: attributes by their path. `language`: the text is in one of these (a code). `at_least`, `at_most`:
    characters of the text. `of`: which text: the `last` message of the user, or `all` but the instructions.
    """

    name: Filled
    matches: Texts = ()
    contains: Texts = ()
    where: Mapping[str, Annotated[Compared, BeforeValidator(_compared)]] = Field(default_factory=dict)
    language: Texts = ()
    at_least: Annotated[int, Field(ge=0)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None
    of: Literal["last", "all"] = "last"

    @field_validator("matches")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            _pattern(pattern)
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not self.plain().keys() - {"name", "of"}:
            raise ValueError("needs a condition: matches, contains, where, language, at_least or at_most")
        return self

    def holds(self, row: Row, text: str, lowered: str) -> bool:
        """Whether all conditions hold of a case and its text."""
        return all(condition(self, row, text, lowered) for condition in self._conditions)

    @cached_property
    def _conditions(self) -> tuple[Callable[[Rule, Row, str, str], bool], ...]:
        """Those that the rule has, the cheapest first."""
        sized = self.at_least is not None or self.at_most is not None
        given = (
            (sized, Rule._is_as_long),
            (self.contains, Rule._contains),
            (self.matches, Rule._matches),
            (self.where, Rule._is_where),
            (self.language, Rule._is_in_language),
        )
        return tuple(condition for asked, condition in given if asked)

    def _is_as_long(self, _: Row, text: str, __: str) -> bool:
        return (self.at_least or 0) <= len(text) and (self.at_most is None or len(text) <= self.at_most)

    def _contains(self, _: Row, __: str, lowered: str) -> bool:
        return any(map(lowered.__contains__, self._folded))

    def _matches(self, _: Row, text: str, __: str) -> bool:
        readable = _bytes(text)
        return any(pattern.search(readable) for pattern in self._compiled)

    def _is_where(self, row: Row, _: str, __: str) -> bool:
        return all(wanted.holds(_at(row, path)) for path, wanted in self.where.items())

    def _is_in_language(self, _: Row, text: str, __: str) -> bool:
        return _language(text) in self.language

    @cached_property
    def _compiled(self) -> tuple[Any, ...]:
        return tuple(_pattern(pattern) for pattern in self.matches)

    @cached_property
    def _folded(self) -> tuple[str, ...]:
        return tuple(part.casefold() for part in self.contains)


class Rules(Definition):
    """The name of the first rule that holds; `otherwise` where none does."""

    use: Literal["rules"]
    rules: tuple[Rule, ...] = Field(min_length=1)
    otherwise: Text = UNKNOWN

    def name(self, row: Row) -> str:
        """The name of the first rule that holds."""
        last = whole = last_text(row)
        last_folded = whole_folded = last.casefold()
        if self._reads_all:
            whole = said(row["input"])
            whole_folded = whole.casefold()
        for rule in self.rules:
            held = rule.holds(row, whole, whole_folded) if rule.of == "all" else rule.holds(row, last, last_folded)
            if held:
                return rule.name
        return self.otherwise

    @cached_property
    def _reads_all(self) -> bool:
        return any(rule.of == "all" for rule in self.rules)


def last_text(row: Row) -> str:
    """The text of the last message of the user, else of the last message."""
    messages = cast("Sequence[Row]", row["input"])
    mine = messages[-1]
    if mine.get("role") != "user":
        mine = next((m for m in reversed(messages) if m.get("role") == "user"), mine)
    content = mine.get("content") or ""
    if isinstance(content, str):
        return content
    parts = cast("Sequence[Row]", content)
    return "\n".join(str(part.get("text") or "") for part in parts if part.get("type") == "text")


def _at(row: Any, path: str) -> Any:
    """The value at a dotted path; the longest key that fits comes first, so keys with dots are found."""
    if not isinstance(row, Mapping):
        return None
    fields = cast("Row", row)
    if path in fields:
        return fields[path]
    cut = path.rfind(".")
    while cut > 0:
        if path[:cut] in fields:
            return _at(fields[path[:cut]], path[cut + 1 :])
        cut = path.rfind(".", 0, cut)
    return None


def _named(value: Any) -> str:
    """A value as a name; nothing, empty text, objects and lists have none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) and value else UNKNOWN


def _pattern(pattern: str) -> Any:
    from seatrial.scorers.text.regex import compiled

    return compiled(pattern)


def _bytes(text: str) -> str:
    """Text that RE2 can read: lone surrogates replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _language(text: str) -> str:
    from seatrial.scorers.text._languages import read

    return read(text).code


# reading what set.yaml declares -----------------------------------------------------------------------------------


def stratifiers(
    declared: Sequence[Json], by: Sequence[str], folder: Path, file: str = "set.yaml"
) -> tuple[Definition, ...]:
    """The stratifiers of the strata `by`, in that order; a stratum that none declares is taken as the cases give it.

    `folder` is where models lie that a definition names. Raises DatasetError with every fault.
    """
    found: dict[str, Definition] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(declared):
        key = f"stratifiers[{number}]"
        try:
            one = _definition(raw, folder)
        except ValidationError as error:
            problems += _plain_words(error, file, key)
            continue
        except ValueError as fault:
            problems.append(Problem(str(fault), file, None, key))
            continue
        if one.stratum in found:
            problems.append(Problem("two stratifiers fill one stratum", file, None, f"{key}.stratum", one.stratum))
        found[one.stratum] = one
    if problems:
        raise DatasetError("The stratifiers cannot be used.", problems=problems)
    return tuple(found.get(name) or Given(stratum=name) for name in by)


def _definition(raw: Json, folder: Path) -> Definition:
    kinds = _kinds()
    use = cast("Row", raw).get("use") if isinstance(raw, Mapping) else None
    if use not in kinds:
        raise ValueError(f"use must be one of {', '.join(kinds)}")
    return kinds[cast("str", use)].model_validate(raw).opened(folder)


def _kinds() -> dict[str, type[Definition]]:
    from seatrial.datasets.sampling.fitted import Classifier, Clusters
    from seatrial.datasets.sampling.judged import Judged

    return {
        "given": Given, "attribute": Attribute, "rules": Rules,
        "clusters": Clusters, "classifier": Classifier, "judge": Judged,
    }  # fmt: skip


def _plain_words(error: ValidationError, file: str, key: str) -> list[Problem]:
    faults: list[Problem] = []
    for one in error.errors(include_url=False):
        path = ".".join((key, *map(str, one["loc"])))
        rule = one["msg"].removeprefix("Value error, ")
        faults.append(Problem(rule[:1].lower() + rule[1:], file, None, path, safe(one["input"])))
    return faults
