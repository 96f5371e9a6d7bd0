"""Finding plug-ins by name: entry points, built-in tables and `python:` references. Loaded on use only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from seatrial.errors import BrokenPluginError, DuplicatePluginError, UnknownPluginError, safe


@lru_cache(maxsize=16)
def points(kind: str) -> tuple[EntryPoint, ...]:
    """The installed entry points of the group `seatrial.<kind>s`."""
    return tuple(entry_points(group=f"seatrial.{kind}s"))


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


class UserFunction(NamedTuple):
    """A function of the user's, and the sha256 of the source files that define it (empty where there are none)."""

    function: Callable[..., Any]
    source: str


def load_function(reference: str, folder: Path) -> UserFunction:
    """The callable behind `module:function`; a module file in `folder` comes before an installed one.

    Two folders may hold modules of one name: each is loaded for itself. Raises BrokenPluginError when the module
    cannot be imported or has no such callable.
    """
    module_name, _, attribute = reference.partition(":")
    if not module_name or not attribute:
        raise BrokenPluginError(f"{safe(reference)!r} does not name a function.", hint="write python:module:function")
    where = folder.resolve()
    try:
        module = _module(module_name, where)
        found: Any = module
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as cause:  # user code may raise anything while it is imported
        raise BrokenPluginError(
            f"{safe(reference)} cannot be imported: {type(cause).__name__}: {safe(str(cause), 200)}.",
            hint=f"modules are searched in {where} first, then in the installed packages",
        ) from cause
    if not callable(found):
        raise BrokenPluginError(f"{safe(reference)} is not a function.", hint="name a function or a callable object")
    defining = sys.modules.get(getattr(found, "__module__", None) or type(found).__module__)
    return UserFunction(found, _source(module, defining))


def _module(name: str, folder: Path) -> ModuleType:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    file = folder / f"{name.replace('.', '/')}.py"
    if "." in name or not file.is_file():
        return import_module(name)
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(file):
        return loaded
    if loaded is None:
        return import_module(name)
    own_name = f"{name}@{sha256(str(file).encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
    if own_name not in sys.modules:
        spec = spec_from_file_location(own_name, file)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[own_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[own_name]
            raise
    return sys.modules[own_name]


def _source(*modules: ModuleType | None) -> str:
    files = sorted({file for m in modules if (file := getattr(m, "__file__", None))})
    if not files:
        return ""
    return sha256(b"".join(sha256(Path(file).read_bytes()).digest() for file in files)).hexdigest()
