"""The catalogue of endpoints: who serves models where, in which dialect, with which key; and ids like `groq/llama`.

The data stand in `catalogue.json`, one endpoint a line, so that a gateway can share them. `source` says from what
public material, and when, a row's facts were taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.suite import TargetSpec
from seatrial.errors import Problem, nearest, safe
from seatrial.targets import BUILTIN
from seatrial.targets.settings import fail, failure, problem

DATA = Path(__file__).with_name("catalogue.json")
STAND_IN = "SEATRIAL_BASE_URL"
"""The environment variable with a base URL that stands in for every provider's own: a fake provider, a gateway."""

ID = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)/(.+)", re.DOTALL)
VARIABLE = re.compile(r"\{([a-z_]+)\}")
VALUE = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
"""What may stand for a variable of a base URL: nothing that could leave its host or its place in the path."""

ADAPTER = re.compile(r"([a-z][a-z0-9_-]*):")
DIALECTS = ("openai", "responses", "anthropic", "gemini")
CLOUDS = {"azure": "azure", "bedrock": "bedrock", "vertex": "vertex", "vertex_ai": "vertex"}
"""Clouds whose endpoints are the account's own: there the id `azure/NAME` is the adapter's `azure:NAME`."""


@dataclass(frozen=True)
class Provider:
    """An endpoint that serves models.

    `base_url` may hold variables like `{account_id}`. `key_env` is the environment variable of its key, which is sent
    nowhere else, empty for endpoints on this machine. `dialect` is an adapter's name. `models` is where its list of
    models is: an ending of the base URL or a whole URL of the same host, empty where it has none. `rename` and
    `refuse` are parameters that it calls otherwise or answers with an error. `authors` are makers of models whose ids
    it serves as they are, and that serve none themselves.
    """

    name: str
    label: str
    base_url: str
    docs: str
    source: str
    aliases: tuple[str, ...] = ()
    key_env: str = ""
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    dialect: str = "openai"
    models: str = "/models"
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    refuse: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Provider:
        """A row of the data. Raises ValueError for a key that no row has."""
        quirks = as_dict(row.get("quirks")) or {}
        flat = {**{key: value for key, value in row.items() if key != "quirks"}, **quirks}
        unknown = flat.keys() - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"{row.get('name')}: no row has {', '.join(sorted(unknown))}")
        fixed: dict[str, Any] = {
            key: value if (items := as_list(value)) is None else tuple(items) for key, value in flat.items()
        }
        return cls(**fixed)

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and aliases."""
        return (self.name, *self.aliases)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables in its base URL."""
        return tuple(VARIABLE.findall(self.base_url))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = VARIABLE.split(self.base_url)
        return re.compile("".join(re.escape(part) if i % 2 == 0 else f"({VALUE})" for i, part in enumerate(parts)))

    def values_in(self, base_url: str) -> dict[str, str] | None:
        """What stands for the variables in a base URL of this endpoint, None for another endpoint's."""
        if not base_url.startswith(self.base_url.partition("{")[0]):
            return None
        found = self._pattern.fullmatch(base_url.rstrip("/"))
        return dict(zip(self.variables, found.groups(), strict=True)) if found else None

    def list_url(self, base_url: str) -> str:
        """Where the list of models is for a base URL of this endpoint, empty where there is none."""
        if not self.models or self.models.startswith("/"):
            return f"{base_url.rstrip('/')}{self.models}" if self.models else ""
        return filled(self.models, self.values_in(base_url) or {})

    def plain(self) -> dict[str, Json]:
        """What differs from the defaults, by field."""
        kept: dict[str, Json] = {}
        for f in fields(self):
            value: Any = getattr(self, f.name)
            if value or f.name == "models":
                kept[f.name] = value if (items := as_list(value)) is None else items
        return kept


@lru_cache(maxsize=1)
def providers() -> tuple[Provider, ...]:
    """Every endpoint of the catalogue."""
    return tuple(Provider.of(row) for row in orjson.loads(DATA.read_bytes()))


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Provider]:
    return {name: provider for provider in providers() for name in provider.names}


@lru_cache(maxsize=1)
def _by_author() -> dict[str, Provider]:
    return {author: provider for provider in providers() for author in provider.authors}


def find(name: str) -> Provider | None:
    """The endpoint of that name or alias."""
    return _by_name().get(name)


def near(name: str) -> str | None:
    """The name or alias most like this one, None when none is close."""
    return nearest(name.lower(), (*_by_name(), *(cloud for cloud, adapter in CLOUDS.items() if adapter in BUILTIN)))


def search(word: str) -> Iterator[Provider]:
    """The endpoints whose name, alias, label, URL or variable of the key holds the word, in any case."""
    wanted = word.lower()
    for provider in providers():
        said = (*provider.names, provider.label, provider.base_url, provider.key_env, *provider.authors)
        if any(wanted in text.lower() for text in said):
            yield provider


def at(base_url: str, dialect: str) -> Provider | None:
    """The endpoint that has this base URL, reached in this dialect."""
    return next((p for p in providers() if p.dialect == dialect and p.values_in(base_url) is not None), None)


def filled(template: str, values: Mapping[str, str]) -> str:
    """A URL with its variables replaced."""
    return VARIABLE.sub(lambda found: values[found[1]], template)


def written_out(name: str, spec: TargetSpec, environ: Mapping[str, str]) -> TargetSpec:
    """The entry of a suite with an id like `groq/llama-3.3-70b` in full: its adapter, model and base URL.

    What comes before the first slash is an endpoint of the catalogue; or, with a base URL, anything: then the whole id
    is the model there, in OpenAI's format. An author's id goes to OpenRouter as it is. `adapter:object` stays as it
    is. Where no base URL is given, $SEATRIAL_BASE_URL stands in for the provider's own. Raises TargetConfigError.
    """
    adapter = ADAPTER.match(spec.use)
    found = None if adapter else ID.fullmatch(spec.use)
    stand_in = environ.get(STAND_IN, "").strip()
    if stand_in and not spec.base_url and (found or (adapter and adapter[1] in DIALECTS)):
        spec = spec.model_copy(update={"base_url": stand_in})
    if found is None:
        return spec
    head, model = found[1], found[2]
    provider = find(head)
    if provider is not None:
        return _served(name, spec, provider, model)
    if CLOUDS.get(head) in BUILTIN:
        return spec.model_copy(update={"use": f"{CLOUDS[head]}:{model}"})
    host = _by_author().get(head)
    if host is None and not (spec.base_url and spec.base_url != stand_in):
        raise failure(name, [_stranger(name, head)])
    if spec.base_url or host is None:
        return spec.model_copy(update={"use": f"openai:{spec.use}"})
    return _served(name, spec, host, spec.use)


def adapter_of(spec: TargetSpec) -> str:
    """The adapter of a suite's entry, whichever way it is written; OpenAI's where an id names no endpoint."""
    adapter = ADAPTER.match(spec.use)
    if adapter:
        return adapter[1]
    head = spec.use.partition("/")[0]
    provider = find(head)
    return provider.dialect if provider is not None else CLOUDS.get(head, "openai")


def _served(name: str, spec: TargetSpec, provider: Provider, model: str) -> TargetSpec:
    changed: dict[str, Json] = {"use": f"{provider.dialect}:{model}"}
    if not spec.base_url:
        values, wrong = _values(name, spec, provider)
        fail(name, wrong)
        changed["base_url"] = filled(provider.base_url, values)
        if provider.variables:
            changed["options"] = {}
    return spec.model_copy(update=changed)


def _values(name: str, spec: TargetSpec, provider: Provider) -> tuple[dict[str, str], list[Problem]]:
    values: dict[str, str] = {}
    wrong: list[Problem] = []
    if provider.variables:
        strays = [key for key in spec.options if key not in provider.variables]
        known = f"known are {', '.join(provider.variables)}"
        wrong += [problem(name, f"options.{key}", "there is no such key", hint=known) for key in strays]
    for key in provider.variables:
        value = spec.options.get(key)
        if value is None:
            rule = f"is needed for {provider.label}, whose base URL is {provider.base_url}"
            wrong.append(problem(name, f"options.{key}", rule, hint=f"write options: {{{key}: …}}, or base_url"))
        elif not isinstance(value, str) or not re.fullmatch(VALUE, value):
            wrong.append(problem(name, f"options.{key}", "has a form that no such name has", safe(value)))
        else:
            values[key] = value
    return values, wrong


def _stranger(name: str, head: str) -> Problem:
    close = near(head)
    hint = f"did you mean {close}/…?" if close else "`seatrial targets` lists them"
    rest = "where an author's model is served, write who serves it, or base_url"
    return problem(name, "use", "names no endpoint before the slash", head, f"{hint}; {rest}")
