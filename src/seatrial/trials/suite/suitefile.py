"""The suite file: YAML (or JSON) beside its dataset, checked as a whole, every fault at its line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from seatrial.core.record import as_dict, as_list
from seatrial.core.suite import HASHING, USE, DatasetSpec, Suite
from seatrial.datasets.reading.faults import Fault, Steps, dotted, shown, translate
from seatrial.datasets.reading.reader import check
from seatrial.datasets.reading.yamltree import Tree, parse
from seatrial.errors import Problem, SuiteError, nearest, safe

MAX_FILE = 1024 * 1024
POINTS = ("margin_points", "limit_points")
LEAST_MARGIN = 0.1
"""A smaller margin, in points, is a share that somebody took for points."""
SYNONYMS = {
    "settings": "with",
    "options": "with",
    "args": "with",
    "metric": "scorer",
    "type": "scorer",
    "threshold": "limit_points",
    "provider": "use",
    "model": "use",
    "providers": "targets",
    "models": "targets",
    "prompts": "prompt",
    "tests": "dataset",
    "asserts": "rubrics",
    "scorers": "rubrics",
    "metrics": "rubrics",
    "baseline": "incumbent",
    "vars": "variables",
    "temperature": "params",
    "max_tokens": "params",
    "file": "path",
    "mapping": "fields",
}


class LoadedSuite(NamedTuple):
    """A suite, the folder that its paths start from, the file it was read from, and the line of each key in it."""

    suite: Suite
    folder: Path
    path: Path
    line: Callable[[Steps], int]


def load(path: Path) -> LoadedSuite:
    """Read a suite file.

    Raises SuiteError with every fault: file, line, key, rule, value and the nearest valid key. YAML that does not
    parse has one fault, the first.
    """
    tree = parse(_text(path))
    folder = path.absolute().parent
    if tree.faults and tree.data is None:
        raise _error(path, tree, tree.faults)
    found = as_dict(tree.data)
    if found is None:
        fault = Fault((), "must be keys and values, like `name: refunds`", shown(tree.data))
        raise _error(path, tree, [fault])
    data, unread = _prompt(found, folder)
    suite, broken = _validated(data)
    faults: dict[Steps, Fault] = {}
    for fault in (*tree.faults, *unread, *broken, *_dataset(data)):
        faults.setdefault(fault.path, _reworded(fault, tree))
    if faults or suite is None:
        raise _error(path, tree, list(faults.values()))
    return LoadedSuite(suite, folder, path, tree.line)


def _text(path: Path) -> str:
    name = safe(str(path), 200)
    try:
        if path.is_dir():
            raise SuiteError(f"{name} is a folder.", hint="name the suite file in it")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except FileNotFoundError as cause:
        near = nearest(path.name, [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else [])
        hint = f"did you mean {near!r}?" if near else "`seatrial init` writes an example"
        raise SuiteError(f"There is no suite file {name}.", hint=hint) from cause
    except (OSError, ValueError) as cause:
        why = (cause.strerror if isinstance(cause, OSError) else None) or "its name cannot be used"
        raise SuiteError(f"The suite file {name} cannot be read: {why}.", hint="check its permissions") from cause
    return _decoded(raw, f"The suite file {name}")


def _decoded(raw: bytes, what: str) -> str:
    if len(raw) > MAX_FILE:
        raise SuiteError(
            f"{what} is larger than {MAX_FILE // 1024} KiB.", hint="put long texts into files of their own"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = raw.count(b"\n", 0, cause.start) + 1
        raise SuiteError(f"{what} is not UTF-8 text (line {line}).", hint="save it as UTF-8") from cause


def _error(path: Path, tree: Tree, faults: list[Fault]) -> SuiteError:
    problems = [
        Problem(f.rule, str(path), tree.line(f.path), dotted(f.path), f.value, f.hint)
        for f in sorted(faults, key=lambda f: tree.line(f.path))
    ]
    many = f"{len(problems)} faults" if len(problems) > 1 else "1 fault"
    return SuiteError(f"The suite file {safe(str(path), 200)} has {many}.", problems=problems)


def _validated(data: dict[str, Any]) -> tuple[Suite | None, list[Fault]]:
    """The suite, or its faults. Strict: text is no number, a number no text, only true and false are booleans."""
    related = _related(data)
    try:
        return Suite.model_validate_json(json.dumps(data), strict=True), related
    except ValidationError as error:
        faults = translate(error, Suite, data, SYNONYMS)
        return None, [fault for fault in faults if fault.path or not related] + related


def _related(data: dict[str, Any]) -> list[Fault]:
    """Faults between keys: pydantic tells them only once everything else is right."""
    faults: list[Fault] = []
    names, incumbent = list(as_dict(data.get("targets")) or {}), data.get("incumbent")
    if names:
        if isinstance(incumbent, str) and incumbent not in names:
            near = nearest(incumbent, names)
            hint = f"did you mean {near!r}?" if near else f"the targets are {', '.join(names)}"
            faults.append(Fault(("incumbent",), "names no target", incumbent, hint))
        if incumbent is None and len(names) > 1:
            hint = f"add `incumbent: {names[0]}`, if that one runs today"
            faults.append(Fault(("targets",), "several targets need an incumbent", None, hint))
    taken = [judge for judge in as_dict(data.get("judges")) or {} if judge in names]
    faults += [Fault(("judges", judge), "is the name of a target too", None, "rename one") for judge in taken]
    faults += _fractions(data)
    seen: set[str] = set()
    for index, rubric in enumerate(as_list(data.get("rubrics")) or []):
        name = (as_dict(rubric) or {}).get("name")
        if isinstance(name, str) and name in seen:
            faults.append(Fault(("rubrics", index, "name"), "is the name of a rubric above", name, "rename one"))
        seen |= {name} if isinstance(name, str) else set()
    return faults


def _fractions(data: dict[str, Any]) -> list[Fault]:
    """Margins written as a share, like 0.03: three hundredths of a point are asked of nobody."""
    policy = as_dict(data.get("policy")) or {}
    places: list[tuple[Steps, Any]] = [
        (("policy", key), policy.get(key)) for key in ("margin_points", "margin_points_strict")
    ]
    for at, rubric in enumerate(as_list(data.get("rubrics")) or []):
        places.append((("rubrics", at, "margin_points"), (as_dict(rubric) or {}).get("margin_points")))
    return [
        Fault(place, "must be percentage points, not a share", str(value), _say_points(place, value))
        for place, value in places
        if isinstance(value, float) and 0 < value < LEAST_MARGIN
    ]


def _say_points(place: Steps, value: float) -> str:
    return f"write {place[-1]}: {100 * value:g}, and say points"


def _dataset(data: dict[str, Any]) -> list[Fault]:
    """Faults of the mapping, the defaults and the shares, each where its shape is right."""
    given = as_dict(data.get("dataset")) or {}
    faults: list[Fault] = []
    for key in ("fields", "defaults", "shares"):
        try:
            spec = DatasetSpec.model_validate_json(json.dumps({"path": "-", key: given.get(key, {})}), strict=True)
        except ValidationError:
            continue
        faults += [fault._replace(path=("dataset", *fault.path)) for fault in check(spec)]
    return faults


def _prompt(data: dict[str, Any], folder: Path) -> tuple[dict[str, Any], list[Fault]]:
    """The data with the prompt's shorthands written out and its files read.

    Text is one user message, the word `input` the case's own messages, `{file: NAME}` the text of a file beside the
    suite, as the prompt or as a message's content.
    """
    if "prompt" not in data:
        return data, []
    faults: list[Fault] = []
    prompt = data["prompt"]
    if prompt == "input":
        return {**data, "prompt": ["input"]}, []
    if isinstance(prompt, str) or _is_file(prompt):
        text = _included(prompt, ("prompt",), folder, faults)
        return {**data, "prompt": [{"role": "user", "content": text}]}, faults
    if not isinstance(prompt, list):
        return data, []
    messages: list[Any] = []
    for at, item in enumerate(cast("list[Any]", prompt)):
        message = as_dict(item)
        if message is not None and _is_file(message.get("content")):
            text = _included(message["content"], ("prompt", at, "content"), folder, faults)
            messages.append({**message, "content": text})
        else:
            messages.append(item)
    return {**data, "prompt": messages}, faults


def _is_file(value: Any) -> bool:
    return isinstance(value, dict) and "file" in value


def _included(value: str | dict[str, Any], where: Steps, folder: Path, faults: list[Fault]) -> str:
    """The text itself, or the text of the file that is named; empty where that is a fault."""
    if isinstance(value, str):
        return value
    name = value["file"]
    place = (*where, "file")
    if not isinstance(name, str) or len(value) > 1:
        faults.append(Fault(where, "must be {file: NAME} with no other key", shown(value)))
        return ""
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()):
            faults.append(Fault(place, "leaves the suite's folder", name, "put the text beside the suite"))
        elif not file.is_file():
            faults.append(Fault(place, "is not a file beside the suite", name, "paths start at the suite's folder"))
        else:
            with file.open("rb") as stream:
                return _decoded(stream.read(MAX_FILE + 1), f"The file {safe(name)}")
    except SuiteError as error:
        faults.append(Fault(place, error.problem.removesuffix("."), name, error.hint))
    except (OSError, ValueError, RuntimeError):
        faults.append(Fault(place, "cannot be read", name))
    return ""


def _reworded(fault: Fault, tree: Tree) -> Fault:
    """A fault with its value as it was written, and with what to do where YAML's own rules are the likely cause."""
    written = tree.written.get(fault.path)
    last = str(fault.path[-1]) if fault.path else ""
    percent = re.search(r"%|percent|pct", f"{last} {written or ''}")
    if fault.path[:1] in (("rubrics",), ("policy",)) and percent and ("_" in last or "margin" in last):
        return fault._replace(rule="must be percentage points, not percent", value=written, hint=_points(last, written))
    if fault.path == ("prompt",) and fault.rule == "must be a list":
        return fault._replace(rule="must be text, {file: NAME}, or a list of messages")
    if written is None or fault.value is None:
        return fault
    return fault._replace(value=written or "nothing", hint=fault.hint or _quoting(fault.rule, written))


def _points(key: str, written: str | None) -> str:
    name = next((points for points in POINTS if points[:5] == key[:5]), "margin_points")
    number = re.search(r"\d+(\.\d+)?", written or "")
    return f"write {name}: {number[0] if number else '3'}, and say points"


def _quoting(rule: str, written: str) -> str:
    if not written:
        return "give it a value, or delete the key"
    if rule.startswith("must be text"):
        return f'put it in quotes: "{written}"'
    if rule.startswith("must be true or false") and written.lower() in ("yes", "no", "on", "off", "y", "n"):
        return f"write {'true' if written.lower() in ('yes', 'on', 'y') else 'false'}"
    if rule in ("must be a number", "must be a whole number") and re.fullmatch(r"[-+]?\d+(\.\d+)?", written):
        return "take the quotes away" if rule == "must be a number" or "." not in written else ""
    return ""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a suite file, for editors: completion, descriptions, and marks on what is wrong."""
    schema = Suite.model_json_schema(by_alias=True, mode="validation")
    file: dict[str, Any] = {
        "type": "object",
        "description": "Text of a file beside the suite",
        "properties": {"file": {"type": "string", "minLength": 1}},
        "required": ["file"],
        "additionalProperties": False,
    }
    prompt = schema["properties"]["prompt"]
    schema["properties"]["prompt"] = {
        "description": "Text (one user message), a file, or messages; `input` stands for the case's own messages",
        "default": "input",
        "anyOf": [{"type": "string"}, file, {key: prompt[key] for key in ("type", "items", "minItems")}],
    }
    content = schema["$defs"]["PromptMessage"]["properties"]["content"]
    schema["$defs"]["PromptMessage"]["properties"]["content"] = {"anyOf": [content, file]}
    schema["$defs"]["RubricSpec"]["allOf"] = _kind_rules()
    for several in ("targets", "judges"):
        schema["properties"][several]["additionalProperties"] = False
    schema["$defs"]["TargetSpec"]["properties"]["use"]["pattern"] = f"^{USE}$"
    schema["$defs"]["EmbedderSpec"]["properties"]["use"]["pattern"] = f"^({HASHING}|{USE})$"
    for model, key in (("DatasetSpec", "path"), ("RubricSpec", "scorer")):
        schema["$defs"][model]["properties"][key]["minLength"] = 1
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Seatrial suite"}
    return {**title, **{key: value for key, value in schema.items() if key != "title"}}


def _kind_rules() -> list[dict[str, Any]]:
    """Which keys a kind of rubric needs, and which belong to another kind."""
    keys = {"quality": ["margin_points"], "gate": ["limit_points"], "limit": ["at_most", "at_most_ratio"]}
    one_of = [{"required": [key]} for key in keys["limit"]]
    needs: dict[str, dict[str, Any]] = {"gate": {"required": keys["gate"]}, "limit": {"oneOf": one_of}}
    rules: list[dict[str, Any]] = []
    for kind in ("quality", "gate", "limit", "advisory"):
        foreign = [key for other, names in keys.items() if other != kind for key in names]
        condition: dict[str, Any] = {"properties": {"kind": {"const": kind}}}
        if kind != "quality":
            condition["required"] = ["kind"]
        barred = {"not": {"anyOf": [{"required": [key]} for key in foreign]}}
        rules.append({"if": condition, "then": {"allOf": [barred, needs.get(kind, {})]}})
    return rules
