"""Finding plug-ins by name: entry points, built-in tables and `python:` references. Loaded on use only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from seatrial.errors import BrokenPluginError, DuplicatePluginError, UnknownPluginError, safe


def points(kind: str) -> list[EntryPoint]:
    """The installed entry points of the group `seatrial.<kind>s`."""
    return list(entry_points(group=f"seatrial.{kind}s"))


def find(kind: str, name: str, builtin: Mapping[str, str], plugins: Iterable[EntryPoint] | None = None) -> Any:
    """The object that a name stands for.

    `builtin` maps names to `module:object`. Raises UnknownPluginError, BrokenPluginError, and DuplicatePluginError
    when a plug-in takes a built-in's name or two plug-ins take the same.
    """
    found = [p for p in (points(kind) if plugins is None else plugins) if p.name == name]
    if len(found) + (name in builtin) > 1:
        owners = [p.value for p in found] + ([builtin[name]] if name in builtin else [])
        raise DuplicatePluginError(
            f"Two {kind}s are named {name!r}: {', '.join(sorted(owners))}.",
            hint="uninstall one of their packages",
        )
    if name in builtin:
        module, _, attribute = builtin[name].partition(":")
        return getattr(import_module(module), attribute)
    if not found:
        known = [*builtin, *(p.name for p in (points(kind) if plugins is None else plugins))]
        raise UnknownPluginError(kind, name, known)
    try:
        return found[0].load()
    except (ImportError, AttributeError) as cause:
        raise BrokenPluginError(
            f"The {kind} {name!r} ({found[0].value}) cannot be imported: {cause}.",
            hint="reinstall the package that provides it",
        ) from cause


def load_function(reference: str, folder: Path) -> Callable[..., Any]:
    """The object behind `module:function`, searched in `folder` first.

    Raises BrokenPluginError when the module cannot be imported or has no such callable.
    """
    module_name, _, attribute = reference.partition(":")
    if not module_name or not attribute:
        raise BrokenPluginError(f"{safe(reference)!r} does not name a function.", hint="write python:module:function")
    where = str(folder.resolve())
    if where not in sys.path:
        sys.path.insert(0, where)
    try:
        found: Any = import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as cause:  # user code may raise anything while it is imported
        raise BrokenPluginError(
            f"{safe(reference)} cannot be imported: {type(cause).__name__}: {safe(str(cause), 200)}.",
            hint=f"modules are searched in {where} first, then in the installed packages",
        ) from cause
    if not callable(found):
        raise BrokenPluginError(f"{safe(reference)} is not a function.", hint="name a function or a callable object")
    return found
