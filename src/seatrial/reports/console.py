"""A console that prints into memory: what a terminal of some width would show, as text."""

from __future__ import annotations

from io import StringIO

from rich.console import Console


def in_memory(columns: int, *, colour: bool) -> Console:
    """A console of so many columns that reads nothing of its environment; without `colour` no escape codes."""
    return Console(
        file=StringIO(),
        width=columns,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )


def printed(out: Console) -> str:
    """What was printed on a console `in_memory`, without spaces at the ends of lines."""
    assert isinstance(out.file, StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())
