"""What a scorer is and takes, read from its own class: for the command line, and for the documentation."""

from __future__ import annotations

import inspect
from typing import Any

from seatrial.core.identity import canonical
from seatrial.core.plugins import find
from seatrial.core.record import Json
from seatrial.scorers import BUILTIN
from seatrial.scorers.base import BuiltinScorer, instead_of
from seatrial.scorers.card import Card

FAMILIES = ("text", "structured", "answers", "retrieval", "safety", "agents", "conversation", "judged", "measured")
"""The families, in the order in which they are listed."""


def family(name: str) -> str:
    """The family of a built-in scorer; empty for any other."""
    return BUILTIN[name].split(".")[2] if name in BUILTIN else ""


def by_family() -> dict[str, list[str]]:
    """The built-in scorers' names, family by family; families that have none yet are left out."""
    found = {kind: sorted(name for name in BUILTIN if family(name) == kind) for kind in FAMILIES}
    return {kind: names for kind, names in found.items() if names}


def card_of(made: Any) -> Card | None:
    """The card of a scorer's class, None where it has none."""
    return getattr(made, "card", None)


def describe(name: str) -> dict[str, Json]:
    """What a scorer declares of itself, as plain JSON values.

    `name`, `summary` (one line) and `text` (all of it, for people) of any; of our own also `family`, `version`,
    `unit`, `needs`, `cost`, `range`, `higher_is_better`, and from its card `formula`, `fails`, `sources`,
    `also_called`. Each of `settings` has `name`, `type`, `default` (absent where it is required) and `description`;
    where one of two is required, both have `instead`: the other's name.
    Raises UnknownPluginError and BrokenPluginError.
    """
    made = find("scorer", name, BUILTIN)
    words = inspect.getdoc(made) or "No documentation."
    found: dict[str, Json] = {"name": name, "summary": words.partition("\n")[0], "settings": []}
    if isinstance(made, type) and issubclass(made, BuiltinScorer):
        found |= _declared(name, made)
    found["text"] = _text(words, found)
    return found


def _declared(name: str, made: type[BuiltinScorer]) -> dict[str, Json]:
    about, card = made.about, card_of(made)
    found: dict[str, Json] = {
        "family": family(name),
        "version": about.version,
        "unit": about.unit,
        "needs": sorted(about.needs),
        "cost": about.cost,
        "range": list(about.range),
        "higher_is_better": about.higher_is_better,
        "settings": _settings(made),
    }
    if card is not None:
        found |= {
            "formula": card.formula,
            "fails": list(card.fails),
            "sources": list(card.sources),
            "also_called": list(card.also_called),
        }
    return found


def _settings(made: type[BuiltinScorer]) -> list[dict[str, Json]]:
    settings: list[dict[str, Json]] = []
    for key, schema in made.model_json_schema().get("properties", {}).items():
        field = next(f for n, f in made.model_fields.items() if key in (n, f.alias))
        setting = {"name": key, "type": _type(schema), "description": field.description or ""}
        if not field.is_required():
            setting["default"] = schema.get("default", {})
        settings.append(setting)
        if other := instead_of(field):
            setting["instead"] = other["name"]
            settings.append({**other, "instead": key})
    return settings


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(_type(option) for option in schema["anyOf"])
    named = {"array": "list", "object": "mapping", "string": "text", "null": "none"}
    kind = str(schema.get("type", "any"))
    return named.get(kind, kind)


def _text(words: str, found: dict[str, Json]) -> str:
    lines = [found["name"], "", words]
    if "unit" in found:
        direction = "higher is better" if found["higher_is_better"] else "lower is better"
        facts = f"Judges: {found['unit']}. {direction.capitalize()}. Cost: {found['cost']}. Version {found['version']}."
        needs = f" Needs: {', '.join(found['needs'])}." if found["needs"] else ""
        lines += ["", facts + needs]
    if found.get("formula"):
        lines += ["", f"Formula: {found['formula']}"]
    if found["settings"]:
        lines += ["", "Settings:"]
    for setting in found["settings"]:
        needed = f", this or {setting['instead']}" if "instead" in setting else ", required"
        default = f", default {canonical(setting['default'])}" if "default" in setting else needed
        told = f": {setting['description']}" if setting["description"] else ""
        lines.append(f"  {setting['name']} ({setting['type']}{default}){told}")
    if found.get("fails"):
        lines += ["", "Where it fails to help:", *(f"  - {sentence}" for sentence in found["fails"])]
    return "\n".join(lines)
