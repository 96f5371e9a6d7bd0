"""SQL answers: whether they parse, what they touch, and whether they say the same as an expected query."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import sqlglot
from pydantic import Field, field_validator
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.base import SHOWN, BuiltinScorer, Flag, OneOrMore, answers, encodable, shown
from seatrial.scorers.card import Card, Example

MAX_LENGTH = 50_000
MAX_NODES = 20_000
MAX_OPEN = 120

logging.getLogger("sqlglot").addFilter(lambda record: record.levelno > logging.WARNING)  # it tells of every command

Statement = Literal[
    "select", "insert", "update", "delete", "merge", "create", "alter", "drop", "truncate", "describe", "show", "other",
]  # fmt: skip
_KINDS: tuple[tuple[type[Any], Statement], ...] = (
    (exp.Query, "select"),
    (exp.Values, "select"),
    (exp.Insert, "insert"),
    (exp.Update, "update"),
    (exp.Delete, "delete"),
    (exp.Merge, "merge"),
    (exp.Create, "create"),
    (exp.Alter, "alter"),
    (exp.Drop, "drop"),
    (exp.TruncateTable, "truncate"),
    (exp.Describe, "describe"),
    (exp.Show, "show"),
)
_OTHER = ("Command", "Set", "Use", "Pragma", "Copy", "Grant", "Revoke", "Transaction", "Commit", "Rollback", "Attach",
          "Detach", "Cache", "Uncache", "Refresh", "LoadData", "Kill", "Analyze", "Comment", "Execute")  # fmt: skip
_WRITES = (
    exp.Delete,
    exp.Update,
    exp.Merge,
    exp.Copy,
    exp.DDL,
    exp.Alter,
    exp.Drop,
    exp.TruncateTable,
    exp.Command,
    exp.Into,
    exp.Lock,
)
_EFFECTS = re.compile(
    r"pg_sleep\w*|pg_(?:read|write|ls|stat)_\w+|pg_(?:terminate|cancel)_backend|pg_reload_conf|pg_advisory_\w+|lo_\w+"
    r"|nextval|setval|set_config|dblink\w*|query_to_xml\w*|load_file|load_extension|writefile|readfile|edit|sleep|benchmark"
    r"|get_lock|release_lock|xp_\w+|sp_\w+|openrowset|opendatasource|sys_(?:exec|eval)|utl_\w+|dbms_\w+|read_(?:csv|text|"
    r"blob|json|parquet)\w*|system|shell|url|file|s3|remote",
    re.IGNORECASE,
)
_FENCED = re.compile(r"[^\S\n]*```[a-zA-Z]*[^\S\n]*\n(.*?)\n?[^\S\n]*```", re.DOTALL)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class _UnfitError(Exception):
    """Why a text is no SQL to judge; with the place where that shows."""

    def __init__(self, why: str, start: int | None = None) -> None:
        super().__init__(why)
        self.start = start


@lru_cache(maxsize=64)
def _parsed(text: str, dialect: str) -> tuple[Any, ...]:
    """The statements of a text; never changed by who reads them. Raises _UnfitError."""
    if "\0" in text:
        raise _UnfitError("holds a null byte")
    if len(text) > MAX_LENGTH:
        raise _UnfitError(f"is longer than {MAX_LENGTH} characters")
    if text.count("(") > MAX_LENGTH // 10 or _depth(text) > MAX_OPEN:
        raise _UnfitError("is nested too deep to be read")
    try:
        found = tuple(node for node in sqlglot.parse(text, dialect=dialect or None) if node is not None)
    except SqlglotError as cause:
        raise _UnfitError(*_where(text, cause)) from None
    except RecursionError:
        raise _UnfitError("is nested too deep to be read") from None
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError) as cause:
        raise _UnfitError(f"cannot be parsed: {safe(str(cause), 120)}") from None
    if not found:
        raise _UnfitError("holds no statement")
    return found


def _depth(text: str) -> int:
    depth = most = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        most = max(most, depth)
    return most


def _where(text: str, cause: SqlglotError) -> tuple[str, int | None]:
    errors: list[dict[str, Any]] = getattr(cause, "errors", [])
    if not errors or not errors[0].get("line"):
        return f"is no SQL: {safe(_COLOURS.sub('', str(cause)), 160)}", None
    first = errors[0]
    lines = text.split("\n")
    start = sum(len(line) + 1 for line in lines[: first["line"] - 1]) + max(0, first["col"] - len(first["highlight"]))
    why = safe(_COLOURS.sub("", str(first["description"])), 120)
    return f"is no SQL: {why} (line {first['line']}, near {shown(first['highlight'], 40)})", min(start, len(text))


def kind_of(statement: Any) -> Statement | None:
    """The kind of a statement; None for a bare expression, which prose can be parsed as."""
    for kind, name in _KINDS:
        if isinstance(statement, kind):
            return name
    return "other" if type(statement).__name__ in _OTHER else None


class Fault(NamedTuple):
    """What is wrong with a statement."""

    rule: str
    note: str


def writes(statement: Any, dialect: str) -> Iterator[Fault]:
    """Whatever in a statement may change or lock something, or reach outside the database."""
    if kind_of(statement) != "select":
        kind = kind_of(statement)
        yield Fault("read_only", f"is {'a command' if kind == 'other' else _article(kind)}, not a query")
    for node in statement.walk():
        if isinstance(node, _WRITES) and node is not statement:
            yield Fault("read_only", f"holds {_article(type(node).__name__.lower())} part")
        name = _function(node)
        if type(node).__name__ in ("NextValueFor", "ReadCSV", "ReadParquet") or (name and _EFFECTS.fullmatch(name)):
            yield Fault("read_only", f"calls {(name or type(node).__name__).lower()}, which does more than read")
        if dialect in ("", "mysql", "tsql") and any(c.startswith("!") for c in node.comments or ()):
            yield Fault("read_only", "holds a comment that MySQL runs")


def _function(node: Any) -> str:
    return str(node.name) if isinstance(node, exp.Anonymous) else ""


def _article(name: str | None) -> str:
    return f"an {name}" if name and name[0] in "aeiou" else f"a {name or 'nameless'}"


def _own_tables(statement: Any) -> set[str]:
    return {str(cte.alias).lower() for cte in statement.find_all(exp.CTE)}


def tables(statement: Any) -> set[str]:
    """The tables a statement names, lower-cased, with schema and catalog where written; not its own CTEs."""
    own = _own_tables(statement)
    found: set[str] = set()
    for table in statement.find_all(exp.Table):
        name = ".".join(part.name for part in table.parts).lower()
        if name and not (name in own and len(table.parts) == 1):
            found.add(name)
    return found


def columns(statement: Any) -> set[str]:
    """The columns a statement names, lower-cased, `*` among them; not the names that it gives itself."""
    aliases = {str(a.alias).lower() for a in statement.find_all(exp.Alias)}
    named = {c.name.lower() for c in statement.find_all(exp.Column) if c.table or c.name.lower() not in aliases}
    inner = {c.name.lower() for a in statement.find_all(exp.Alias) for c in a.find_all(exp.Column)}
    star = any(not isinstance(s.parent, exp.Func) for s in statement.find_all(exp.Star))
    return named | inner | ({"*"} if star else set())


def normal_form(statement: Any, dialect: str) -> str:
    """A statement written so that spelling does not matter.

    Case of names as the dialect has it, comments and redundant parentheses gone, table aliases replaced by the table's
    name where that is in use once, AND, OR, IN, = and <> in one order.
    """
    tree = normalize_identifiers(statement.copy(), dialect=dialect or None)
    names = [t for t in tree.find_all(exp.Table) if t.alias]
    counts: dict[str, int] = {}
    for table in tree.find_all(exp.Table):
        counts[table.name] = counts.get(table.name, 0) + 1
    known = {t.alias: t.name for t in names if counts[t.name] == 1 and t.name}
    for table in names:
        if table.alias in known and not table.args["alias"].args.get("columns"):
            table.set("alias", None)
    for column in tree.find_all(exp.Column):
        if column.table in known:
            column.set("table", exp.to_identifier(known[column.table]))
    if sum(counts.values()) == 1:  # a column can only be that table's
        for column in tree.find_all(exp.Column):
            column.set("table", None)
    for join in tree.find_all(exp.Join):
        if join.kind == "INNER":
            join.set("kind", None)
    for node in tree.walk():
        node.comments = None
        if isinstance(node, exp.Identifier):
            node.set("quoted", False)
    return str(tree.transform(_ordered).sql(dialect=dialect or None))


def _ordered(node: Any) -> Any:
    """A node with what has no order in one order."""
    if isinstance(node, exp.Paren) and not isinstance(node.parent, exp.Binary | exp.Unary):
        return node.this
    if isinstance(node, exp.And | exp.Or):
        parts = sorted({part.unnest().transform(_ordered).sql(): part.unnest() for part in node.flatten()}.items())
        made = [part.transform(_ordered) for _, part in parts]
        wrapped = [exp.paren(part, copy=False) if isinstance(part, exp.Connector) else part for part in made]
        whole = wrapped[0]
        for part in wrapped[1:]:
            whole = type(node)(this=whole, expression=part)
        return whole
    if isinstance(node, exp.EQ | exp.NEQ) and node.this.sql() > node.expression.sql():
        return type(node)(this=node.expression, expression=node.this)
    if isinstance(node, exp.GT | exp.GTE):
        turned = exp.LT if isinstance(node, exp.GT) else exp.LTE
        return turned(this=node.expression, expression=node.this)
    if isinstance(node, exp.In) and node.expressions:
        node.set("expressions", sorted(node.expressions, key=lambda item: item.sql()))
    return node


Names = Annotated[tuple[Text, ...], OneOrMore]


class Sql(BuiltinScorer):
    """Whether the answer is SQL that parses, keeps to what it may do, or says the same as an expected query.

    Nothing is ever executed. `mode: valid` asks that it parses in `dialect` (sqlglot's names: postgres, mysql, sqlite,
    bigquery, snowflake, tsql …; empty is a broad mixture), as one statement unless `many` is on; with `read_only` (on)
    that it is a query and nothing in it writes, locks, or calls a function known to do more than read, CTEs and
    subqueries included; `statements`, `tables` and `columns` list what is allowed (`orders` also allows `shop.orders`).
    What the parser takes only as an opaque command counts as `other`, which must be listed to pass.
    `mode: equal` asks that its normal form is that of an expected answer. `fenced: true` takes the only code block.
    Example: `{dialect: postgres, tables: [orders, customers]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("sql", "1", needs=frozenset({"expected"}), cost="heavy")
    card: ClassVar[Card] = Card(
        formula="valid: 0 where it does not parse, else kept rules / rules asked for (one_statement, read_only, "
        "statements, tables, columns), passing at 1. equal: 1 where the normal forms are equal, else 0.",
        examples=(
            Example("q", "SELECT id FROM orders WHERE total > 5;", 1.0, True, {"tables": "orders"}),
            Example("q", "SELECT 1; DROP TABLE orders", 0.0, False, note="two statements, and one writes"),
            Example("q", "WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x", 0.5, False),
            Example("q", "You could select the rows", 0.0, False),
            Example(
                {"input": "q", "expected": "SELECT o.id FROM orders o WHERE o.a = 1 AND o.b <> 2"},
                "select orders.id from orders where 2 != orders.b and (orders.a = 1)",
                1.0,
                True,
                {"mode": "equal"},
            ),
        ),
        fails=(
            (
                "Equal normal forms mean equal queries, but equal queries may differ in form (a join or a subquery): "
                "only running both tells, on data that tells them apart."
            ),
            (
                "Without a schema it cannot know whether a table or column exists; a column without its table is "
                "allowed by its name alone."
            ),
            "A function of your own may write: only well-known ones are recognised.",
            "sqlglot is lenient: some text parses here that the database refuses.",
        ),
        sources=("sqlglot's grammar of each dialect",),
        also_called=("promptfoo:is-sql", "promptfoo:contains-sql", "ragas:LLMSQLEquivalence", "autoevals:Sql"),
    )
    mode: Literal["valid", "equal"] = "valid"
    dialect: Text = Field(default="", description="A dialect of sqlglot's; empty: a broad mixture")
    fenced: Flag = Field(default=False, description="Take the SQL out of the answer's only code block")
    many: Flag = Field(default=False, description="Let several statements pass")
    read_only: Flag = True
    statements: Annotated[tuple[Statement, ...], OneOrMore] | None = Field(default=None, description="Allowed kinds")
    tables: Names | None = Field(default=None, description="Allowed tables")
    columns: Names | None = Field(default=None, description="Allowed columns; `*` where it may be used")

    @field_validator("dialect")
    @classmethod
    def _is_known(cls, dialect: str) -> str:
        name = dialect.lower()
        known = {d.value for d in sqlglot.Dialects}
        if name not in known:
            raise ValueError(f"is no dialect; known are {', '.join(sorted(known - {''}))}")
        return name

    def applies(self, case: Case) -> str:
        """Empty, unless queries are to be compared and the case has no expected answer that is one."""
        if self.mode == "valid":
            return ""
        if not answers(case):
            return "the case has no expected answers"
        return "" if self._goals(case) else "no expected answer of the case is SQL"

    def _goals(self, case: Case) -> list[str]:
        goals: list[str] = []
        for answer in answers(case):
            try:
                goals.append(self._normal(_parsed(encodable(answer), self.dialect)))
            except _UnfitError:
                continue
        return goals

    def _normal(self, found: Iterable[Any]) -> str:
        try:
            return ";\n".join(normal_form(statement, self.dialect) for statement in found)
        except (RecursionError, SqlglotError, ValueError, TypeError, AttributeError, KeyError) as cause:
            raise _UnfitError(f"cannot be normalised: {safe(str(cause), 80)}") from None

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        text = encodable(output.text)
        offset = 0
        try:
            if self.fenced and "```" in text:
                blocks = list(_FENCED.finditer(text))
                if len(blocks) != 1:
                    raise _UnfitError(f"has {len(blocks)} closed code blocks, one is read")
                text, offset = blocks[0][1], blocks[0].start(1)
            found = _parsed(text, self.dialect)
            if any(kind_of(statement) is None for statement in found):
                raise _UnfitError("is no SQL statement")
            if self.mode == "equal":
                same = self._normal(found) in self._goals(case)
                return Score.binary(same, f"is {'' if same else 'not '}the same query as an expected one")
            return self._judged(found, output.text[offset : offset + len(text)], offset)
        except _UnfitError as cause:
            quote = text[cause.start : cause.start + 40] if cause.start is not None else ""
            place = {"start": offset + cause.start, "end": offset + cause.start + len(quote)} if cause.start else {}
            return Score.binary(
                False, str(cause), evidence=(Evidence(where="text", quote=quote, note=str(cause)[:SHOWN], **place),)
            )

    def _judged(self, found: tuple[Any, ...], text: str, offset: int) -> Score:
        asked = (
            1 - self.many + self.read_only + sum(x is not None for x in (self.statements, self.tables, self.columns))
        )
        faults = list(dict.fromkeys(self._faults(found)))
        broken = {fault.rule for fault in faults}
        value = 1 - len(broken) / asked if asked else 1.0
        evidence = tuple(
            Evidence(where="text", quote=text[:SHOWN], start=offset, end=offset + len(text), note=safe(f.note, SHOWN))
            for f in faults[:10]
        )
        kinds = ", ".join(str(kind_of(statement)) for statement in found[:5])
        reason = shown(faults[0].note)[1:-1] if faults else f"parses: {kinds}"
        return Score.graded(value, 1.0, reason, evidence=evidence)

    def _faults(self, found: tuple[Any, ...]) -> Iterator[Fault]:
        if not self.many and len(found) > 1:
            yield Fault("one_statement", f"holds {len(found)} statements")
        for statement in found:
            kind = kind_of(statement)
            if self.read_only:
                yield from writes(statement, self.dialect)
            if self.statements is not None and kind not in self.statements:
                yield Fault("statements", f"{_article(kind)} statement is not allowed")
            elif kind == "other" and self.statements is None:
                yield Fault("read_only" if self.read_only else "one_statement", "is a command that is not understood")
            if self.tables is not None:
                allowed = {name.lower() for name in self.tables}
                for name in sorted(tables(statement)):
                    if name not in allowed and name.rpartition(".")[2] not in allowed:
                        yield Fault("tables", f"table {name} is not allowed")
            if self.columns is not None:
                for name in sorted(columns(statement) - {name.lower() for name in self.columns}):
                    yield Fault("columns", f"column {name} is not allowed")
