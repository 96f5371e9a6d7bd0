"""A JSON body with holes: parsed first, then filled leaf by leaf, so that no text can break out of its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from seatrial.core.identity import loads
from seatrial.core.output import Request
from seatrial.core.record import Json, as_dict, as_list
from seatrial.errors import Problem, TemplateError, nearest, safe
from seatrial.targets.sandbox import Sandbox, limited
from seatrial.targets.settings import problem
from seatrial.targets.strict import DEEPEST, is_deep

SEEN = ("input", "messages", "context", "tools", "params", "seed")
ALONE = re.compile(r"\s*\{\{[-+]?((?:(?!\}\}|\{\{).)*?)[-+]?\}\}\s*", re.DOTALL)

Names = Mapping[str, Any]
Leaf = Callable[[Names], Json]


def names(request: Request, *, bytes_as_hash: bool = False) -> dict[str, Any]:
    """What a template sees of a request. `bytes_as_hash` puts the sha256 of images and files for their bytes."""
    messages = [message.model_dump() for message in request.messages]
    if bytes_as_hash:
        for part in (part for m in messages for part in as_list(m["content"]) or [] if part.get("data")):
            part["data"] = f"sha256:{part['sha256']}"
    return {
        "input": request.text,
        "messages": messages,
        "context": [document.model_dump(exclude={"score"}) for document in request.context],
        "tools": [tool.model_dump() for tool in request.tools],
        "params": dict(request.params),
        "seed": request.seed,
    }


class Template:
    """A compiled body. A text that is one expression alone, like `"{{ messages }}"`, becomes that value itself."""

    def __init__(self, target: str, written: Json) -> None:
        """Compile the body, given as JSON text or as a value. `problems` says what is wrong with it."""
        self._target = target
        self._sandbox = Sandbox()
        self.problems: list[Problem] = []
        self.value = self._parsed(written)
        self._fill: Leaf = self._compiled(self.value, "options.body")

    def fill(self, given: Names) -> Json:
        """The body for one request. Raises TemplateError."""
        return self._fill(given)

    def _parsed(self, written: Json) -> Json:
        try:
            value = loads(written) if isinstance(written, str) else written
        except ValueError as cause:
            self._fault("options.body", f"is not JSON: {safe(str(cause), 200)}", "write a mapping, or JSON text")
            return None
        if is_deep(value):
            self._fault("options.body", f"is nested deeper than {DEEPEST} levels")
            return None
        return value

    def _fault(self, key: str, rule: str, hint: str = "") -> None:
        self.problems.append(problem(self._target, key, rule, hint=hint))

    def _compiled(self, value: Json, key: str) -> Leaf:
        fields, items = as_dict(value), as_list(value)
        if fields is not None:
            named = {name: self._compiled(item, f"{key}.{name}") for name, item in fields.items()}
            return lambda given: {name: fill(given) for name, fill in named.items()}
        if items is not None:
            listed = [self._compiled(item, f"{key}[{index}]") for index, item in enumerate(items)]
            return lambda given: [fill(given) for fill in listed]
        if isinstance(value, str) and any(sign in value for sign in ("{{", "{%", "{#")):
            return self._leaf(value, key)
        return lambda _: value

    def _leaf(self, text: str, key: str) -> Leaf:
        try:
            used = self._sandbox.names(text)
            alone = ALONE.fullmatch(text)
            expression = self._sandbox.compile_expression(alone[1], undefined_to_none=False) if alone else None
            template = limited(self._sandbox.from_string(text))
        except Exception as cause:  # noqa: BLE001  # the parser gives up in many ways
            self._fault(key, f"not a Jinja template: {safe(str(cause), 200) or type(cause).__name__}")
            return lambda _: None
        for word in sorted(used - set(SEEN)):
            near = nearest(word, SEEN)
            self._fault(key, f"no body sees {safe(word)}", f"did you mean {near}?" if near else ", ".join(SEEN))

        def fill(given: Names) -> Json:
            try:
                return template(dict(given)) if expression is None else _json(expression(**given))
            except Exception as cause:  # a template is a program
                rule = f"{type(cause).__name__}: {safe(str(cause), 200)}"
                raise TemplateError(
                    f"The body of target {self._target!r} cannot be filled.",
                    hint=f"a body sees {', '.join(SEEN)}",
                    problems=[problem(self._target, key, rule)],
                ) from cause

        return fill


def _json(value: Any) -> Json:
    """The value of an expression. Raises ValueError for what JSON has no form for, an undefined name among them."""
    if value is None or isinstance(value, str | int | float):
        return value
    fields, items = as_dict(value), as_list(value)
    if fields is not None:
        return {str(name): _json(item) for name, item in fields.items()}
    if items is not None:
        return [_json(item) for item in items]
    raise ValueError(f"gives {type(value).__name__}, which JSON has no form for: {safe(str(value))}")
