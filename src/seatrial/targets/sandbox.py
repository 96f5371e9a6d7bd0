"""Where templates run: without chance, without side effects, and bounded in size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from jinja2 import StrictUndefined, Template, meta
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_BYTES = 1 << 20
"""A rendered message may have at most 1 MiB of UTF-8."""


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

    def names(self, text: str) -> set[str]:
        """The names that a template takes from outside. Raises whatever the parser gives up with."""
        return meta.find_undeclared_variables(self.parse(text)) - set(self.globals)


def limited(template: Template) -> Callable[[dict[str, Any]], str]:
    """What a template renders to. The function raises SecurityError beyond 1 MiB, and what the template raises."""
    return lambda names: _joined(template.generate(names))


def _joined(generated: Iterable[str]) -> str:
    pieces: list[str] = []
    size = 0
    for piece in generated:
        size += len(piece) if piece.isascii() else len(piece.encode("utf-8", "surrogatepass"))
        if size > MOST_BYTES:
            raise SecurityError(f"renders to more than {MOST_BYTES} bytes")
        pieces.append(piece)
    return "".join(pieces)


def syntax_line(cause: Exception) -> int | None:
    """The line of a template that a syntax error names."""
    return cause.lineno if isinstance(cause, TemplateSyntaxError) else None
