"""From a name and settings to a scorer, and its identity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from seatrial.core.identity import canonical, digest
from seatrial.core.plugins import find
from seatrial.core.protocols import Scorer
from seatrial.core.record import Json
from seatrial.errors import BrokenPluginError, Problem, ScorerConfigError, nearest, safe
from seatrial.scorers import BUILTIN
from seatrial.scorers.base import BuiltinScorer, instead_of, shown

PYTHON = "python:"
WRAPPED = ("autoevals:", "deepeval:", "langchain:", "ragas:")
_RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "mapping_type": "must be a mapping",
    "tuple_type": "must be a list",
}


def build(name: str, settings: Mapping[str, Json], folder: Path) -> Scorer:
    """The scorer of a name, with its settings.

    `name` is one of `BUILTIN`, a plug-in's, or `python:module:function`, whose module is searched in `folder` first;
    files that settings name lie there too. `autoevals:Name`, `deepeval:Name`, `langchain:name` and `ragas:Name` are
    metrics of those libraries. Raises ScorerConfigError with all faults of the settings at once,
    UnknownPluginError, BrokenPluginError and DuplicatePluginError.
    """
    plain = dict(settings)
    try:
        canonical(plain)
    except (TypeError, RecursionError) as cause:
        raise ScorerConfigError(
            f"The settings of scorer {safe(name)!r} hold something that JSON has no form for: {safe(str(cause))}.",
            hint="put dates into quotes",
        ) from None
    if name.startswith(PYTHON):
        from seatrial.scorers.own.functions import function_scorer

        return function_scorer(name.removeprefix(PYTHON), plain, folder)
    if name.startswith(WRAPPED):
        from seatrial.scorers.own.wrappers import wrapped_scorer

        return wrapped_scorer(name, plain, folder)
    made = find("scorer", name, BUILTIN)
    if isinstance(made, type) and issubclass(made, BuiltinScorer):
        plain = made.prepare(plain, folder)
    return _checked(name, _construct(name, made, plain))


def scorer_hash(scorer: Scorer, asks: Mapping[str, Json] | None = None) -> str:
    """Identity of a scorer: its name, version and parameters (for a plain function, its source).

    `asks` are the identities of the judges and of the embedder that it asks, where it asks any: another model behind
    a judge's name is another scorer.
    """
    info = scorer.info
    content = {"name": info.name, "version": info.version, "parameters": dict(scorer.identity())}
    return digest("scorer", {**content, **({"asks": dict(asks)} if asks else {})})


def _construct(name: str, made: Any, settings: dict[str, Json]) -> Any:
    if not isinstance(made, type) and not settings and _has_shape(made):
        return made
    try:
        return made(**settings)
    except ValidationError as cause:
        known = _settings_of(made)
        raise ScorerConfigError(
            f"The settings of scorer {safe(name)!r} cannot be used.",
            hint=f"it takes {', '.join(known)}" if known else "it takes no settings",
            problems=[_problem(dict(error), known, made) for error in cause.errors(include_url=False)],
        ) from None
    except TypeError as cause:
        raise ScorerConfigError(f"The scorer {safe(name)!r} refuses its settings: {safe(str(cause), 200)}.") from cause


def _settings_of(made: Any) -> list[str]:
    fields: dict[str, Any] = getattr(made, "model_fields", {})
    names = [(field.alias or key, instead_of(field).get("name")) for key, field in fields.items()]
    return [str(name) for pair in names for name in pair if name]


def _instead(made: Any, key: str) -> str:
    """The setting that would do in place of a required one; empty where there is none."""
    fields: dict[str, Any] = getattr(made, "model_fields", {})
    return next((str(instead_of(f).get("name", "")) for n, f in fields.items() if key in (n, f.alias)), "")


def _problem(error: dict[str, Any], known: list[str], made: Any) -> Problem:
    path = [str(part) for part in error["loc"]]
    kind, value = error["type"], error["input"]
    key = ".".join(path)
    if kind == "extra_forbidden":
        near = nearest(path[-1], known) if len(path) == 1 else None
        return Problem(rule="is no setting", key=key, hint=f"did you mean {near!r}?" if near else "")
    if kind == "missing":
        other = _instead(made, key)
        return Problem(rule=f"is required, or {other} in its place" if other else "is required", key=key)
    rule = _RULES.get(kind) or str(error["msg"]).removeprefix("Value error, ")
    return Problem(rule=rule[:1].lower() + rule[1:], key=key, value=shown(value, 60) if path else None)


def _has_shape(made: Any) -> bool:
    return callable(made) and all(hasattr(made, part) for part in ("info", "identity", "applies"))


def _checked(name: str, made: Any) -> Scorer:
    if not _has_shape(made):
        raise BrokenPluginError(
            f"The scorer {safe(name)!r} is a {type(made).__name__}, which has not the shape of a scorer.",
            hint="it needs info, identity(), applies(case) and an async __call__(case, output)",
        )
    return cast("Scorer", made)
