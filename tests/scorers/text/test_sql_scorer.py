from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError


@pytest.mark.parametrize(
    ("settings", "text", "passed"),
    [
        pytest.param({}, "SELECT a -- ; DROP TABLE x\nFROM t;", True, id="a comment"),
        pytest.param({}, "SELECT ';' FROM t;;", True, id="semicolons"),
        pytest.param({}, "SELECT 1; DROP TABLE t", False, id="two statements"),
        pytest.param({"many": True}, "SELECT 1; SELECT 2", True, id="two queries allowed"),
        pytest.param({"many": True}, "SELECT 1; DELETE FROM t", False, id="the second writes"),
        pytest.param({}, "hello world", False, id="prose that parses as an alias"),
        pytest.param({}, "Show me the table", False, id="prose that parses as a command"),
        pytest.param({}, "42", False, id="a number"),
        pytest.param({}, "SELECT a FROM", False, id="cut off"),
        pytest.param({}, "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", False, id="a CTE that writes"),
        pytest.param({}, "WITH x AS (SELECT 1) SELECT * FROM x", True, id="a CTE"),
        pytest.param({}, "SELECT * INTO y FROM t", False, id="select into"),
        pytest.param({}, "SELECT a FROM t FOR UPDATE", False, id="locks"),
        pytest.param({"dialect": "postgres"}, "SELECT pg_sleep(9)", False, id="sleeps"),
        pytest.param({"dialect": "postgres"}, "SELECT nextval('s')", False, id="counts up"),
        pytest.param({"dialect": "mysql"}, "SELECT /*! sleep(1), */ 1", False, id="a comment that runs"),
        pytest.param({}, "UPDATE t SET a = 1", False, id="update"),
        pytest.param({"read_only": False}, "UPDATE t SET a = 1", True, id="update allowed"),
        pytest.param({"read_only": False, "statements": "insert"}, "UPDATE t SET a = 1", False, id="another kind"),
        pytest.param({"read_only": False}, "VACUUM FULL t", False, id="a command is not understood"),
        pytest.param({"tables": "orders"}, "SELECT * FROM shop.orders o", True, id="table with a schema"),
        pytest.param({"tables": "shop.orders"}, "SELECT * FROM other.orders o", False, id="another schema"),
        pytest.param({"tables": "orders"}, "SELECT 1 FROM orders WHERE x IN (SELECT y FROM pay)", False, id="subquery"),
        pytest.param({"tables": "orders"}, "WITH q AS (SELECT 1 FROM orders) SELECT * FROM q", True, id="own CTE"),
        pytest.param({"columns": ["id"]}, "SELECT count(*) AS n, id FROM t ORDER BY n", True, id="own alias"),
        pytest.param({"columns": ["id"]}, "SELECT secret AS id FROM t", False, id="an alias hides no column"),
        pytest.param({"columns": ["id"]}, "SELECT * FROM t", False, id="star"),
        pytest.param({}, "```sql\nSELECT 1\n```", False, id="a fence is not asked for"),
        pytest.param({"fenced": True}, "So:\n```sql\nSELECT 1\n```\nDone.", True, id="fenced"),
        pytest.param({"fenced": True}, "```sql\nSELECT 1\n```\n```sql\nSELECT 2\n```", False, id="two fences"),
        pytest.param({}, "SELECT 1 \0", False, id="null byte"),
        pytest.param({}, "SELECT " + "(" * 5000 + "1" + ")" * 5000, False, id="deep"),
        pytest.param({}, "SELECT " + "a," * 500_000 + "1", False, id="long"),
        pytest.param({}, "SELECT '\ud800'", True, id="lone surrogate"),
    ],
)
def test_valid(judged, settings, text, passed):
    score = judged("sql", settings, text)
    assert (score.status, score.passed) == ("scored", passed), score
    assert score.reason


@pytest.mark.parametrize(
    ("expected", "text", "same"),
    [
        ("SELECT a FROM t", "select A\n from T;", True),
        ("SELECT a FROM t x", "SELECT x.a FROM t AS x", True),
        (
            "SELECT u.n FROM users u JOIN orders o ON u.id = o.u",
            "SELECT x.n FROM users x INNER JOIN orders y ON y.u=x.id",
            True,
        ),
        ("SELECT a FROM t WHERE a IN (1, 2)", "SELECT a FROM t WHERE a IN (2, 1)", True),
        ("SELECT a FROM t WHERE a > 1", "SELECT a FROM t WHERE 1 < a", True),
        ("SELECT a FROM t WHERE a > 1", "SELECT a FROM t WHERE a < 1", False),
        ("SELECT a FROM t WHERE (a=1 OR b=2) AND c=3", "SELECT a FROM t WHERE c=3 AND (b=2 OR a=1)", True),
        ("SELECT a FROM t WHERE (a=1 OR b=2) AND c=3", "SELECT a FROM t WHERE a=1 OR (b=2 AND c=3)", False),
        ("SELECT a FROM t WHERE NOT (a=1 AND b=1)", "SELECT a FROM t WHERE NOT a=1 AND b=1", False),
        ("SELECT a - (b - c) FROM t", "SELECT a - b - c FROM t", False),
        ("SELECT (a + 1) * 2 FROM t", "SELECT a + 1 * 2 FROM t", False),
        ("SELECT a, b FROM t", "SELECT b, a FROM t", False),
        ("SELECT a FROM t", "SELECT a FROM t LIMIT 1", False),
        ("SELECT 'A' FROM t", "SELECT 'a' FROM t", False),
        ("SELECT a FROM t JOIN u ON t.i = u.i", "SELECT a FROM t LEFT JOIN u ON t.i = u.i", False),
        ({"answers": ["SELECT 2", "SELECT 1"]}, "SELECT 1", True),
    ],
)
def test_equal(judged, expected, text, same):
    score = judged("sql", {"mode": "equal"}, text, expected)
    assert (score.status, score.passed) == ("scored", same), score


def test_equal_needs_a_query(judged):
    assert judged("sql", {"mode": "equal"}, "SELECT 1").status == "not_applicable"
    assert judged("sql", {"mode": "equal"}, "SELECT 1", "the first one").status == "not_applicable"


def test_more_broken_rules_score_no_higher(judged):
    settings = {"tables": "t", "columns": ["a"]}
    texts = [
        "SELECT a FROM t",
        "SELECT b FROM t",
        "SELECT b FROM u",
        "DELETE FROM u WHERE b = 1",
        "DELETE FROM u WHERE b = 1; SELECT 1",
    ]
    values = [judged("sql", settings, text).value for text in texts]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


BREAKS = st.sets(st.sampled_from(["table", "column", "write", "second"]))


def sql(breaks: set[str]) -> str:
    """A statement that breaks these rules and keeps the others."""
    table, column = ("u" if "table" in breaks else "t"), ("b" if "column" in breaks else "a")
    first = f"DELETE FROM {table} WHERE {column} = 1" if "write" in breaks else f"SELECT {column} FROM {table}"
    return f"{first}; SELECT {column} FROM {table}" if "second" in breaks else first


@given(BREAKS, BREAKS)
def test_breaking_further_rules_always_scores_lower(judged, some, more):
    settings = {"tables": "t", "columns": ["a"]}
    less, all_ = (judged("sql", settings, sql(breaks)) for breaks in (some, some | more))
    assert less.passed is (not some)
    assert (all_.value < less.value) is bool(more - some)
    assert (all_.value == less.value) is (more <= some)


def test_an_unknown_dialect_is_refused(judged):
    with pytest.raises(ScorerConfigError, match="postgres"):
        judged("sql", {"dialect": "postgrez"}, "SELECT 1")


def test_nothing_is_logged(judged, caplog, capfd):
    judged("sql", {}, "EXPLAIN SELECT 1")
    assert not caplog.records
    assert capfd.readouterr().err == ""
