"""Prompt templates: from a case to a request, in a sandbox that never sees what is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from jinja2 import StrictUndefined, Template, meta
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from seatrial.core.case import Case
from seatrial.core.message import Message
from seatrial.core.output import Request
from seatrial.core.record import Json
from seatrial.core.suite import PromptMessage
from seatrial.errors import Problem, TemplateError, nearest, safe

MOST_BYTES = 1 << 20
"""A rendered message may have at most 1 MiB of UTF-8."""

SEEN: dict[str, Callable[[Case], Any]] = {
    "input": lambda case: case.text,
    "messages": lambda case: [message.model_dump() for message in case.input],
    "context": lambda case: [document.model_dump(exclude={"score"}) for document in case.context],
    "tools": lambda case: [tool.model_dump() for tool in case.tools],
}
"""What a template sees of a case: never `expected`, `criteria`, `probe`, `strata` or `metadata`, which may tell."""


class Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox without chance, and without expressions that fill the memory."""

    globals: dict[str, Any]
    filters: dict[str, Any]
    intercepted_binops = frozenset({"*", "**"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False)  # a prompt is no HTML
        self.globals.pop("lipsum")
        self.filters.pop("random")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """The result of `*` or `**`, refused where it would be huge. Raises SecurityError."""
        sizes = [len(cast("str", side)) for side in (left, right) if isinstance(side, str | bytes | list | tuple)]
        counts = [abs(side) for side in (left, right) if isinstance(side, int)]
        if operator == "*" and sizes and counts and sizes[0] * counts[0] > MOST_BYTES:
            raise SecurityError(f"a repetition of more than {MOST_BYTES} items")
        if operator == "**" and any(count > 1_000 for count in counts):
            raise SecurityError("a power of or by more than 1000")
        return super().call_binop(context, operator, left, right)


class Prompt:
    """A suite's prompt. Templates are compiled once; `request` is pure and may be called concurrently."""

    def __init__(
        self, prompt: Sequence[PromptMessage | Literal["input"]], variables: Mapping[str, Json] | None = None
    ) -> None:
        """Compile `suite.prompt` with `suite.variables`.

        Raises TemplateError for syntax errors, names that no template sees, and variables named like a built-in one:
        all of them at once.
        """
        environment = Sandbox()
        self._variables = dict(variables or {})
        builtin = set(environment.globals)
        known = {*SEEN, *self._variables}
        problems = [
            Problem("the name is taken by what every template sees", key=f"variables.{key}", hint="rename it")
            for key in self._variables
            if key in SEEN
        ]
        self._used: set[str] = set()
        self._items: list[tuple[PromptMessage, Template] | None] = []
        for index, item in enumerate(prompt):
            if item == "input":
                self._items.append(None)
                continue
            try:
                self._items.append((item, environment.from_string(item.content)))
                names = meta.find_undeclared_variables(environment.parse(item.content))
            except Exception as cause:  # noqa: BLE001  # the parser gives up in many ways
                problems.append(_syntax(index, cause))
                continue
            self._used |= names & SEEN.keys()
            problems += [_undeclared(index, word, known) for word in sorted(names - known - builtin)]
        if problems:
            raise TemplateError("The prompt cannot be used.", problems=problems)

    def request(self, case: Case, params: Mapping[str, Json], seed: int | None = None) -> Request:
        """What a target is asked for this case.

        An integer `seed` among the parameters is the request's seed, before the argument, and leaves the parameters.
        Raises TemplateError when a template cannot be rendered for this case.
        """
        asked = params.get("seed")
        if isinstance(asked, int) and not isinstance(asked, bool):
            seed = asked
            params = {key: value for key, value in params.items() if key != "seed"}
        names = {**self._variables, **{name: SEEN[name](case) for name in self._used}}
        messages: list[Message] = []
        for index, item in enumerate(self._items):
            if item is None:
                messages += case.input
            else:
                messages.append(Message(role=item[0].role, content=_render(item[1], names, index, case)))
        return Request(messages=tuple(messages), tools=case.tools, params=params, context=case.context, seed=seed)


def limited(generated: Iterable[str]) -> str:
    """What a template generates, in one text. Raises SecurityError beyond 1 MiB."""
    pieces: list[str] = []
    size = 0
    for piece in generated:
        size += len(piece) if piece.isascii() else len(piece.encode("utf-8", "surrogatepass"))
        if size > MOST_BYTES:
            raise SecurityError(f"renders to more than {MOST_BYTES} bytes")
        pieces.append(piece)
    return "".join(pieces)


def _render(template: Template, names: dict[str, Any], index: int, case: Case) -> str:
    try:
        return limited(template.generate(names))
    except Exception as cause:  # a template is a program
        problem = Problem(
            f"{type(cause).__name__}: {safe(str(cause), 200)}",
            line=_line(cause),
            file=f"prompt[{index}].content",
            hint="mind that templates see input, messages, context, tools and the suite's variables",
        )
        raise TemplateError(f"The prompt cannot be rendered for case {safe(case.id)!r}.", problems=[problem]) from cause


def _line(cause: BaseException) -> int | None:
    """The line in the template: Jinja rewrites tracebacks so that they name it."""
    found, trace = None, cause.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _syntax(index: int, cause: Exception) -> Problem:
    line = cause.lineno if isinstance(cause, TemplateSyntaxError) else None
    return Problem(
        f"not a Jinja template: {safe(str(cause), 200) or type(cause).__name__}",
        line=line,
        file=f"prompt[{index}].content",
        hint="braces that are meant as text go between {% raw %} and {% endraw %}",
    )


def _undeclared(index: int, word: str, known: set[str]) -> Problem:
    near = nearest(word, known)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(sorted(known))}; add others under variables"
    return Problem("no template sees this name", file=f"prompt[{index}].content", value=word, hint=hint)
