"""Reading a script from YAML or JSON, with every problem named by file, line, key, rule and value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from seatrial.core.identity import loads
from seatrial.core.record import Record, as_dict, as_list
from seatrial.errors import ConfigError, Problem, nearest, safe
from seatrial.testing import script as s
from seatrial.testing.yamltext import NotYaml, Where, line_of, parse

HINT = "docs/fake-provider.md lists every key"
_SHAPES: dict[str, type[Record]] = {
    "answers": s.Rule,
    "sequence": s.Reply,
    "default": s.Reply,
    "when": s.When,
    "input": s.Match,
    "system": s.Match,
    "model": s.Match,
    "latency": s.Latency,
    "first_token": s.Latency,
    "between": s.Latency,
    "lognormal": s.Lognormal,
    "stream": s.Pacing,
    "faults": s.Fault,
    "fault": s.Fault,
    "capacity": s.Capacity,
    "switch": s.Switch,
    "variants": s.Behaviour,
    "usage": s.UsageCounts,
    "tool_calls": s.CalledTool,
}


def load(path: Path) -> s.Script:
    """The script in a file. Raises ConfigError."""
    text = _read(path)
    raw = as_dict(_parse(path, text))
    if raw is None:
        raise _unusable(path, [Problem("must be a mapping of keys", file=path.name)])
    problems = [_located(path, text, where, rule, value) for where, rule, value in _not_json(raw, ())]
    if problems:
        raise _unusable(path, problems)
    places = [((), raw), *((("variants", name), v) for name, v in (as_dict(raw.get("variants")) or {}).items())]
    bad_rows: list[Problem] = []
    for where, part in places:
        behaviour = as_dict(part)
        if behaviour is not None and "answers_file" in behaviour:
            rows, found = _answers_file(path, text, (*where, "answers_file"), behaviour.pop("answers_file"))
            bad_rows += found
            own = as_list(behaviour.get("answers", []))
            if own is not None:
                behaviour["answers"] = [*own, *rows]
    try:
        loaded = s.Script.model_validate(raw)
    except ValidationError as cause:
        raise _unusable(path, [*(_problem(path, text, e) for e in cause.errors()), *bad_rows]) from None
    if bad_rows:
        raise _unusable(path, bad_rows)
    return loaded


def validate(raw: Any) -> s.Script:
    """A script that came as plain values. Raises ConfigError."""
    try:
        return s.Script.model_validate(raw)
    except ValidationError as cause:
        problems = [_problem(Path("script"), "", e) for e in cause.errors()]
        raise ConfigError("The script cannot be used.", hint=HINT, problems=problems) from None


def _unusable(path: Path, problems: list[Problem]) -> ConfigError:
    return ConfigError(f"The script {safe(str(path), 300)} cannot be used.", hint=HINT, problems=problems)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as cause:
        reason = cause.strerror or type(cause).__name__
        hint = "check the path"
    except UnicodeDecodeError as cause:
        reason, hint = f"it is not UTF-8 (byte {cause.start})", "save it as UTF-8"
    except ValueError as cause:
        reason, hint = str(cause), "check the path"
    raise ConfigError(f"The file {safe(str(path), 300)} cannot be read: {reason}.", hint=hint)


def _parse(path: Path, text: str) -> Any:
    try:
        return loads(text) if path.suffix == ".json" else parse(text)
    except NotYaml as cause:
        problem = Problem(f"is not YAML: {safe(str(cause), 200)}", file=path.name, line=cause.line)
    except ValueError as cause:
        line: int | None = getattr(cause, "lineno", None)
        problem = Problem(f"is not JSON: {safe(str(cause), 200)}", file=path.name, line=line)
    raise _unusable(path, [problem])


def _not_json(value: Any, where: Where, depth: int = 0) -> Iterator[tuple[Where, str, Any]]:
    if depth > 100:
        yield where, "is nested too deep", None
    elif isinstance(value, dict):
        for key, item in cast("dict[Any, Any]", value).items():
            if isinstance(key, str):
                yield from _not_json(item, (*where, key), depth + 1)
            else:
                yield where, "keys must be text; put quotes around it", key
    elif isinstance(value, list):
        for at, item in enumerate(cast("list[Any]", value)):
            yield from _not_json(item, (*where, at), depth + 1)
    elif not isinstance(value, str | int | float | None) or (isinstance(value, float) and not math.isfinite(value)):
        yield where, "must be a value that JSON has", value


def _answers_file(path: Path, text: str, where: Where, name: Any) -> tuple[list[s.Rule], list[Problem]]:
    if not isinstance(name, str):
        return [], [_located(path, text, where, "must be the name of a JSONL file beside the script", name)]
    rows: list[s.Rule] = []
    problems: list[Problem] = []
    file = path.parent / name
    for number, line in enumerate(_read(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(s.Rule.model_validate(s.answer_row(loads(line))))
        except ValidationError as cause:
            problems += [_row_problem(name, number, e) for e in cause.errors()]
        except ValueError as cause:
            problems.append(Problem(safe(str(cause), 200), file=name, line=number))
    return rows, problems


def _row_problem(file: str, line: int, error: Any) -> Problem:
    key, rule, value, hint = _explained(error, s.Rule)
    return Problem(rule, file=file, line=line, key=key, value=value, hint=hint)


def _problem(path: Path, text: str, error: Any) -> Problem:
    key, rule, value, hint = _explained(error, s.Script)
    return Problem(rule, file=path.name, line=line_of(text, tuple(error["loc"])), key=key, value=value, hint=hint)


_RULES = {
    "missing": "is missing",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys",
    "mapping_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "string_type": "must be text",
    "literal_error": "is not one of the known words",
}


def _explained(error: Any, root: type[Record]) -> tuple[str, str, str | None, str]:
    where: Where = tuple(error["loc"])
    kind = error["type"]
    rule = _RULES.get(kind) or error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    value = None if kind in {"missing", "value_error", "extra_forbidden"} else safe(error["input"])
    if kind == "extra_forbidden":
        rule, word, known = "is not a key", str(where[-1]), _keys(where, root)
    elif kind == "literal_error":
        word, known = str(error["input"]), re.findall(r"'([^']+)'", error["ctx"]["expected"])
    else:
        return _dotted(where), rule, value, ""
    near = nearest(word, known)
    return _dotted(where), rule, value, f"did you mean {near}?" if near else f"there are {', '.join(known)}"


def _keys(where: Where, root: type[Record]) -> list[str]:
    shape = next((_SHAPES[p] for p in reversed(where[:-1]) if isinstance(p, str) and p in _SHAPES), root)
    return [*shape.model_fields, *(["answers_file"] if issubclass(shape, s.Behaviour) else [])]


def _located(path: Path, text: str, where: Where, rule: str, value: Any) -> Problem:
    shown = None if value is None else safe(value)
    return Problem(rule, file=path.name, line=line_of(text, where), key=_dotted(where), value=shown)


def _dotted(where: Where) -> str:
    return ".".join(safe(str(part)) for part in where)
