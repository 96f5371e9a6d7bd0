"""What a scorer is and takes, read from its own class: for the command line, and for the documentation's test."""

from __future__ import annotations

import inspect
from typing import Any

from seatrial.core.identity import canonical
from seatrial.core.plugins import find
from seatrial.core.record import Json
from seatrial.scorers import BUILTIN
from seatrial.scorers.base import BuiltinScorer


def describe(name: str) -> dict[str, Json]:
    """A scorer's `name`, `summary` (one line), `text` (all of it), `version`, `needs`, `cost` and `settings`.

    Each setting has `name`, `type`, `default` (absent where it is required) and `description`. Of a plug-in that is
    no class of ours, only what its documentation says is known. Raises UnknownPluginError and BrokenPluginError.
    """
    made = find("scorer", name, BUILTIN)
    words = inspect.getdoc(made) or "No documentation."
    found: dict[str, Json] = {"name": name, "summary": words.partition("\n")[0], "settings": []}
    if isinstance(made, type) and issubclass(made, BuiltinScorer):
        found |= {"version": made.about.version, "needs": sorted(made.about.needs), "cost": made.about.cost}
        found["settings"] = _settings(made)
    found["text"] = _text(name, words, found["settings"])
    return found


def _settings(made: type[BuiltinScorer]) -> list[dict[str, Json]]:
    settings: list[dict[str, Json]] = []
    for key, schema in made.model_json_schema().get("properties", {}).items():
        field = next(f for n, f in made.model_fields.items() if key in (n, f.alias))
        setting = {"name": key, "type": _type(schema), "description": field.description or ""}
        if not field.is_required():
            setting["default"] = schema.get("default", {})
        settings.append(setting)
    return settings


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(option) for option in schema["anyOf"])
    named = {"array": "list", "object": "mapping", "string": "text", "null": "none"}
    kind = str(schema.get("type", "any"))
    return named.get(kind, kind)


def _text(name: str, words: str, settings: list[dict[str, Json]]) -> str:
    lines = [name, "", words]
    if settings:
        lines += ["", "Settings:"]
    for setting in settings:
        default = f", default {canonical(setting['default'])}" if "default" in setting else ", required"
        told = f": {setting['description']}" if setting["description"] else ""
        lines.append(f"  {setting['name']} ({setting['type']}{default}){told}")
    return "\n".join(lines)
