"""Prompt templates: from a case to a request, in a sandbox that never sees what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from seatrial.core.case import Case
from seatrial.core.message import Message
from seatrial.core.output import Request
from seatrial.core.record import Json, assembled
from seatrial.core.suite import PromptMessage
from seatrial.errors import Problem, TemplateError, nearest, safe

SEEN: dict[str, Callable[[Case], Any]] = {
    "input": lambda case: case.text,
    "messages": lambda case: [message.model_dump() for message in case.input],
    "context": lambda case: [document.model_dump(exclude={"score"}) for document in case.context],
    "tools": lambda case: [tool.model_dump() for tool in case.tools],
}
"""What a template sees of a case: never `expected`, `criteria`, `probe`, `strata` or `metadata`, which may tell."""


Rendering = Callable[[dict[str, Any]], str]


class Prompt:
    """A suite's prompt. Templates are compiled once; `request` is pure and may be called concurrently."""

    def __init__(
        self, prompt: Sequence[PromptMessage | Literal["input"]], variables: Mapping[str, Json] | None = None
    ) -> None:
        """Compile `suite.prompt` with `suite.variables`.

        Raises TemplateError for syntax errors, names that no template sees, and variables named like a built-in one:
        all of them at once.
        """
        self._variables = dict(variables or {})
        self._used: set[str] = set()
        self._items: list[tuple[PromptMessage, Rendering] | None] = []
        problems = [
            Problem("the name is taken by what every template sees", key=f"variables.{key}", hint="rename it")
            for key in self._variables
            if key in SEEN
        ]
        for index, item in enumerate(prompt):
            if item == "input":
                self._items.append(None)
            else:
                problems += self._compile(index, item)
        if problems:
            raise TemplateError("The prompt cannot be used.", problems=problems)

    def _compile(self, index: int, item: PromptMessage) -> list[Problem]:
        from seatrial.targets.sandbox import Sandbox, limited, syntax_line  # no prompt without templates pays for Jinja

        sandbox = Sandbox()
        try:
            self._items.append((item, limited(sandbox.from_string(item.content))))
            names = sandbox.names(item.content)
        except Exception as cause:  # noqa: BLE001  # the parser gives up in many ways
            return [_syntax(index, cause, syntax_line(cause))]
        self._used |= names & SEEN.keys()
        known = {*SEEN, *self._variables}
        return [_undeclared(index, word, known) for word in sorted(names - known)]

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
        fields = {
            "messages": tuple(messages),
            "tools": case.tools,
            "params": params,
            "context": case.context,
            "seed": seed,
            "epoch": 0,
        }
        return assembled(Request, fields, set(fields))


def _render(template: Rendering, names: dict[str, Any], index: int, case: Case) -> str:
    try:
        return template(names)
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


def _syntax(index: int, cause: Exception, line: int | None) -> Problem:
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
