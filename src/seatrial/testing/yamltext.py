"""YAML as JSON has it, and where in a text a value stands."""
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# (ruamel.yaml has no types)

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode

Where = tuple[str | int, ...]


class NotYaml(ValueError):  # noqa: N818  # named for what it says
    """The text is not YAML; `line` says where, when that is known."""

    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.line = line


class _Plain(SafeConstructor):
    """Dates stay text, as in JSON."""


_Plain.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Plain
    return yaml


def parse(text: str) -> Any:
    """The value of a YAML text. Raises NotYaml."""
    try:
        return _yaml().load(text)
    except MarkedYAMLError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else None
        raise NotYaml(str(cause.problem or cause.context or "it cannot be parsed"), line) from None
    except RecursionError:
        raise NotYaml("it is nested too deep", None) from None
    except (YAMLError, ValueError) as cause:
        raise NotYaml((str(cause).splitlines() or ["it cannot be parsed"])[0], None) from None


def line_of(text: str, where: Where) -> int | None:
    """The line of the deepest part of a path that a YAML or JSON text has; None when there is none."""
    try:
        node: Any = _yaml().compose(text)
    except (YAMLError, RecursionError, ValueError):
        return None
    line: int | None = None
    for part in where:
        found = _child(node, part)
        if found is None:
            continue  # a name that only the validator knows, like a union's branch
        line, node = found
    return line


def _child(node: Any, part: str | int) -> tuple[int, Any] | None:
    if isinstance(node, MappingNode):
        return next(((key.start_mark.line + 1, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None
