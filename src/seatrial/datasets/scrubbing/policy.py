r"""Policies: what is looked for, and what happens to what cannot be read.

A policy is a preset (`basic`, `hipaa`, `none`), or a YAML file or mapping that starts from one:

    policy: basic
    regions: [DE, US]
    allow: {values: [support@acme.com], patterns: ['ORD-\d+']}
    patterns: [{kind: customer_number, pattern: 'KD-\d{8}'}]
    fields: {insured_no: account_number}
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, ValidationError, field_validator

from seatrial.core.identity import digest
from seatrial.core.record import Record, Text, as_dict
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.errors import ConfigError, Problem, nearest, safe
from seatrial.scorers.safety import personal

MAX_CHARS = 1_000_000
PRESETS = ("basic", "hipaa", "none")


def compiled(pattern: str) -> Any:
    """A pattern of RE2, which takes linear time whatever the text. Raises ValueError where it is none."""
    re2: Any = import_module("re2")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        found = re2.compile(pattern, options)
    except Exception as cause:  # noqa: BLE001  # re2.error is no subclass of what could be named without importing it
        raise ValueError(f"is no pattern of RE2: {safe(str(cause), 120)}") from None
    if found.search("") is not None:
        raise ValueError("must not match the empty text")
    return found


class Pattern(Record):
    """Something of one's own to look for; of a pattern with named groups, only the one that matched is replaced."""

    kind: Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    pattern: Text
    confidence: float = Field(default=0.9, gt=0, le=1)

    @field_validator("pattern")
    @classmethod
    def _usable(cls, value: str) -> str:
        compiled(value)
        return value

    @cached_property
    def regex(self) -> Any:
        """The compiled pattern."""
        return compiled(self.pattern)

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """The numbers of its named groups, of which the first that matched is what is replaced."""
        return tuple(sorted(self.regex.groupindex.values()))


USER_NAME = Pattern(
    kind="username",
    pattern=r"(?i)\b(?:user|user ?id|user ?name|login|account)(?: is|:|,|=)?[ \t'\"]{1,3}"
    r"(?P<value>[a-z]{2,20}[._][a-z]{2,20}[._]?\d{1,6})\b",
    confidence=0.8,
)
"""A user name made of a person's name and digits, behind a word that says so."""


class Allow(Record):
    """What stays as it is: values in any case, and patterns that cover a value whole."""

    values: tuple[Text, ...] = ()
    patterns: tuple[Text, ...] = ()

    @field_validator("patterns")
    @classmethod
    def _usable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            compiled(pattern)
        return value

    @cached_property
    def _low(self) -> frozenset[str]:
        return frozenset(v.casefold() for v in self.values)

    @cached_property
    def _regexes(self) -> tuple[Any, ...]:
        return tuple(compiled(p) for p in self.patterns)

    def __contains__(self, text: str) -> bool:
        return text.casefold() in self._low or any(regex.fullmatch(text) is not None for regex in self._regexes)


class Policy(Record):
    """What a scrubber does.

    `replace_from`: findings of at least this confidence are replaced; `review_below`: those below are listed for a
    person, replaced or not. `scope`: within what a person keeps one invented name. `blobs`: what happens to images,
    audio, files and long runs of base64, which are not read. `times`: whether a case's date is cut to its year.
    `fields`: keys of objects whose whole value is of a kind. `max_chars`: a longer text refuses its record.
    """

    policy: Literal["basic", "hipaa", "none"] = "basic"
    kinds: tuple[Text, ...] = ()
    regions: tuple[Text, ...] = ()
    scope: Literal["session", "set"] = "session"
    blobs: Literal["refuse", "drop", "keep"] = "refuse"
    times: Literal["keep", "year"] = "keep"
    replace_from: float = Field(default=0.4, ge=0, le=1)
    review_below: float = Field(default=0.7, ge=0, le=1)
    patterns: tuple[Pattern, ...] = ()
    allow: Allow = Allow()
    fields: Mapping[Text, Text] = Field(default_factory=dict)
    max_chars: int = Field(default=MAX_CHARS, ge=1, le=16_000_000)

    @field_validator("kinds")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            personal.resolved(value)
        return value

    @field_validator("regions")
    @classmethod
    def _countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [code for code in value if not re.fullmatch("[A-Z]{2}", code)]
        if bad:
            raise ValueError("must be ISO 3166 codes of two capitals, like DE")
        return value

    @property
    def hash(self) -> str:
        """Identity of the policy, kept with what was scrubbed by it."""
        return digest("scrub", self.plain())

    @cached_property
    def searched(self) -> tuple[Pattern, ...]:
        """The patterns of one's own, and user names where all kinds are looked for."""
        return self.patterns if self.kinds else (*self.patterns, USER_NAME)

    @cached_property
    def allowed(self) -> Container[str]:
        """What stays as it is; empty, and quick to ask, where nothing is allowed."""
        return self.allow if self.allow.values or self.allow.patterns else ()

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """Kinds by the plain form of a key whose whole value is of that kind."""
        return {**FIELDS, **{plain_key(k): v for k, v in self.fields.items()}}


def plain_key(key: str) -> str:
    """A key without case and separators: `First_Name` is `firstname`."""
    return re.sub(r"[^a-z0-9]+", "", key.lower())


_FIELD_WORDS = {
    "person_name": (
        "firstname lastname givenname familyname middlename fullname surname customername patientname clientname "
        "accountholder cardholder cardholdername holdername contactname contactperson recipientname sendername "
        "passengername maidenname mothersmaidenname nachname vorname nombre apellido apellidos prenom cognome"
    ),
    "email": "email emailaddress mail emailid",
    "username": "username userid userlogin login screenname handle",
    "phone": "phone phonenumber telephone mobile mobilenumber mobilephone cell cellphone fax faxnumber telefon",
    "street_address": "streetaddress street addressline addressline1 addressline2 address1 address2 strasse",
    "date_of_birth": "dob dateofbirth birthdate birthday birthdt geburtsdatum",
    "us_ssn": "ssn socialsecuritynumber",
    "passport": "passport passportnumber passportno driverslicense driverlicense driverslicensenumber",
    "generic_secret": "password passwd pwd passphrase apikey clientsecret accesstoken refreshtoken authtoken secretkey",
    "ip_address": "ip ipaddress clientip remoteip",
}
FIELDS: Mapping[str, str] = {key: kind for kind, keys in _FIELD_WORDS.items() for key in keys.split()}
"""Keys that say by themselves what their value is."""


def preset(name: str) -> Policy:
    """A policy by name. Raises ConfigError for an unknown one."""
    if name == "hipaa":
        hipaa: Any = import_module("seatrial.datasets.scrubbing.hipaa")
        return hipaa.POLICY
    if name in PRESETS:
        return Policy(policy=cast("Any", name))
    near = nearest(name, PRESETS)
    hint = f"did you mean {near!r}?" if near else "give basic, hipaa, none, or a policy's YAML file"
    raise ConfigError(f"No scrubbing policy is named {safe(name)!r}.", hint=hint)


def load(name: str) -> Policy:
    """A preset's policy, or that of a YAML file. Raises ConfigError naming every fault, with its line."""
    if name in PRESETS:
        return preset(name)
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        return preset(name)
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as cause:
        why = (cause.strerror if isinstance(cause, OSError) else None) or "it is not UTF-8 text"
        raise ConfigError(f"The policy {safe(name)} cannot be read: {why}.", hint="check its path") from cause
    ruamel: Any = import_module("ruamel.yaml")
    try:
        value = ruamel.YAML(typ="rt").load(text)
    except Exception as cause:
        mark = getattr(cause, "problem_mark", None)
        problem = Problem("is not YAML", safe(name), mark.line + 1 if mark else None)
        raise ConfigError("The policy cannot be used.", problems=[problem]) from cause
    return of(value, name)


def of(value: Any, file: str = "") -> Policy:
    """A policy from a mapping, as a policy's file holds one. Raises ConfigError naming every fault."""
    given = as_dict(_plain(value))
    if given is None:
        raise ConfigError("A scrubbing policy must be an object of keys and values.", hint="start with policy: basic")
    named = given.get("policy", "basic")
    base = preset(named) if isinstance(named, str) else Policy()
    merged = {**base.plain(), **given}
    for key in ("patterns",):
        if base.plain().get(key) and isinstance(given.get(key), list):
            merged[key] = [*base.plain()[key], *given[key]]
    if isinstance(given.get("fields"), dict):
        merged["fields"] = {**base.fields, **given["fields"]}
    try:
        return Policy.model_validate(merged)
    except ValidationError as error:
        problems = [
            Problem(f.rule, safe(file), _line(value, f.path), dotted(f.path), f.value, f.hint)
            for f in translate(error, Policy, merged, {})
        ]
        raise ConfigError("The scrubbing policy cannot be used.", problems=problems) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _line(value: Any, path: tuple[str | int, ...]) -> int | None:
    """The line of the innermost key of a path, where the value came from a YAML file."""
    line: int | None = None
    node = value
    for part in path:
        marks = getattr(node, "lc", None)
        if marks is None:
            break
        try:
            line = (marks.key(part) if isinstance(node, Mapping) else marks.item(part))[0] + 1
            node = cast("Any", node)[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line
