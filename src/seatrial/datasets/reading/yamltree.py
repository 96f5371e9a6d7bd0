"""YAML as plain values that remember their lines, bounded against what strangers write.

YAML 1.2: `no` and `yes` are text, `012` is twelve, dates stay text. Keys are always text. Anchors, aliases and merge
keys work, up to a number of nodes. Tags, directives and further documents are refused. JSON is YAML too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from seatrial.datasets.reading.faults import Fault, Steps

MAX_NODES = 50_000
MAX_DEPTH = 50
TAG = "tag:yaml.org,2002:"

Node = Any
"""A node of ruamel.yaml, which has no types of its own to speak of."""

SAYINGS = (
    ("'\\t' that cannot start", "is indented with a tab", "indent with spaces"),
    ("cannot start any token", "starts a value with a character that YAML keeps for itself", "put the value in quotes"),
    ("mapping values are not allowed", "has a second colon, or is indented wrongly", "put a value with `: ` in quotes"),
    ("undefined alias", "names an anchor that is not defined", "define it above with &name"),
    ("another document", "starts a second document", "it is one document; delete the line with ---"),
    ("unexpected end of stream", "opens a quote that is never closed", "close it"),
    ("expected <block end>", "is indented wrongly", "align it with its neighbours"),
    ("could not find expected ':'", "has a key without a colon", "write key: value"),
    ("expected ',' or", "opens a bracket that is never closed, or lacks a comma", "close it"),
    ("expected the node content", "has no value where one is wanted", "write the value"),
)


@dataclass
class Tree:
    """Plain data, with the line of every key and list item, and every scalar as it was written."""

    data: Any = None
    lines: dict[Steps, int] = field(default_factory=dict[Steps, int])
    written: dict[Steps, str] = field(default_factory=dict[Steps, str])
    faults: list[Fault] = field(default_factory=list[Fault])

    def line(self, path: Steps) -> int:
        """The line of a place, or of the nearest place around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _BombError(Exception):
    """The file is a bomb."""


def parse(text: str) -> Tree:
    """The tree of a YAML or JSON text; what is wrong with it is in `faults`."""
    tree = Tree()
    directive = re.match(r"(?:\s*(?:#.*)?\n)*%", text)
    if directive:
        tree.lines[()] = text.count("\n", 0, directive.end()) + 1
        tree.faults.append(Fault((), "starts with a YAML directive", None, "delete the line; files here are YAML 1.2"))
        return tree
    try:
        yaml: Any = YAML(typ="rt", pure=True)
        yaml.composer.warn_double_anchors = False
        node = yaml.compose(text)
        if node is None:
            tree.faults.append(Fault((), "is empty", None, "`seatrial init` writes an example"))
        else:
            tree.data = _Builder(tree).value(node, ())
    except MarkedYAMLError as cause:
        _syntax(tree, cause)
    except ReaderError as cause:
        _character(tree, text, cause)
    except YAMLError as cause:
        tree.faults.append(Fault((), "is not YAML", str(cause)))
    except (RecursionError, _BombError):
        tree.faults.append(Fault((), f"is nested deeper than {MAX_DEPTH} levels, or has over {MAX_NODES:,} values"))
    return tree


def _character(tree: Tree, text: str, cause: Any) -> None:
    code = ord(cause.character) if isinstance(cause.character, str) else int(cause.character)
    tree.lines[()] = text.count("\n", 0, cause.position) + 1
    tree.faults.append(Fault((), "holds a character that YAML does not allow", f"U+{code:04X}"))


def _syntax(tree: Tree, cause: MarkedYAMLError) -> None:
    error: Any = cause
    mark = error.problem_mark or error.context_mark
    tree.lines[()] = mark.line + 1 if mark else 1
    said = f"{error.context or ''} {error.problem or ''}"
    rule, hint = next(
        ((rule, hint) for key, rule, hint in SAYINGS if key in said), (f"is not YAML: {said.strip()}", "")
    )
    tree.faults.append(Fault((), rule, None, hint))


class _Builder:
    """Turns nodes into values, counting them, so that aliases cannot multiply without end."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._nodes = 0

    def value(self, node: Node, path: Steps) -> Any:
        """The value of a node, its places noted."""
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise _BombError
        self._tree.lines.setdefault(path, node.start_mark.line + 1)
        if node.id == "mapping":
            return self._mapping(node, path)
        if node.id == "sequence":
            items = enumerate(node.value)
            return self._tagged(node, path, "seq") and [self.value(item, (*path, at)) for at, item in items]
        return self._scalar(node, path)

    def _tagged(self, node: Node, path: Steps, *names: str) -> bool:
        """Whether a node has a plain tag; a fault is noted where it has another."""
        tag = str(node.tag)
        if tag.removeprefix(TAG) in names:
            return True
        self._fault(path, f"has the tag {tag.replace(TAG, '!!')}, which is not used here", None, "delete the tag")
        return False

    def _fault(self, path: Steps, rule: str, value: str | None = None, hint: str = "") -> None:
        self._tree.faults.append(Fault(path, rule, value, hint))

    def _mapping(self, node: Node, path: Steps) -> Any:
        if not self._tagged(node, path, "map"):
            return None
        data: dict[str, Any] = {}
        merged: list[Node] = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.id != "scalar":
                hint = "a value that starts with { is put in quotes"
                self._fault(path, "has a list or an object as a key", None, hint)
            elif str(key.tag) == f"{TAG}merge":
                merged += _sources(value)
            elif not key.value:
                self._fault(path, "has an empty key", None, "write key: value")
            elif key.value in data:
                self._fault((*path, key.value), f"is given twice, again on line {line}", None, "keep one of them")
            else:
                self._tree.lines.setdefault((*path, key.value), line)
                data[key.value] = self.value(value, (*path, key.value))
        for source in merged:
            self._merge(source, path, data)
        return data

    def _merge(self, source: Node, path: Steps, data: dict[str, Any]) -> None:
        """Lay the keys of `<<: *other` under those that are there."""
        if source.id != "mapping":
            self._fault(path, "merges something that is not an object", None, "<<: takes an alias of an object")
            return
        inner = self.value(source, path)
        for key, value in cast("dict[str, Any]", inner or {}).items():
            data.setdefault(key, value)

    def _scalar(self, node: Node, path: Steps) -> Any:
        text = str(node.value)
        tag = str(node.tag).removeprefix(TAG)
        if not self._tagged(node, path, "str", "int", "float", "bool", "null", "timestamp"):
            return None
        self._tree.written.setdefault(path, text)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        return self._number(text, tag, path) if tag in ("int", "float") else self._text(text, path)

    def _number(self, text: str, tag: str, path: Steps) -> Any:
        try:
            value = _number(text.replace("_", ""), tag)
        except (ValueError, OverflowError):
            value = math.nan
        if math.isfinite(value):
            return value
        self._fault(path, "must be a finite number", text)
        return None

    def _text(self, text: str, path: Steps) -> str:
        """Text whose escaped surrogate pairs are joined, as JSON writes them; halves are faults."""
        if not re.search("[\ud800-\udfff]", text):
            return text
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if "\ufffd" in joined and "\ufffd" not in text:
            self._fault(path, "holds half of a surrogate pair", text)
        return joined


def _sources(value: Node) -> list[Node]:
    return value.value if value.id == "sequence" else [value]


def _number(text: str, tag: str) -> int | float:
    plain = text.lower().lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if tag == "int":
        return sign * int(plain, 0 if plain[:2] in ("0x", "0o", "0b") else 10)
    return sign * float(plain.replace(".inf", "inf").replace(".nan", "nan"))
