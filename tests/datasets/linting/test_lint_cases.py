"""Findings that cases alone show: for every code a set that has it, and one that barely has not."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case, Expected
from seatrial.core.suite import Policy
from seatrial.datasets.linting import leaks
from seatrial.datasets.linting.classes import CLASSES, probe_class
from seatrial.datasets.linting.content import apart, content_findings, leaked_by_prompt
from seatrial.datasets.linting.facts import Facts, gather, groups
from seatrial.datasets.linting.finding import RULES, Finding
from seatrial.datasets.linting.mix import Traffic, age_findings, mix_findings, traffic_of
from seatrial.datasets.linting.stages import lacking, proof, reached

Row = Mapping[str, Any]
LONG = "the parcel was lost on its way and a new one leaves tomorrow"
OTHER = "nothing can be done about that before the carrier has answered"
QUESTION = "My parcel with order 1234 has still not arrived, what will you do about it now?"
NEARLY = "My parcel with order 1234 has still not arrived, what will you do about it then?"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WORDS = [
    "amber",
    "brook",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "larch",
    "marsh",
    "north",
    "orbit",
    "pearl",
]


def talk(number: int) -> str:
    """A text like no other."""
    chance = random.Random(number)
    return f"{number} " + " ".join(chance.choice(WORDS) for _ in range(12))


def rows(*given: Row, split: str = "") -> list[tuple[str, Case]]:
    return [
        (
            str(one.get("split", split)),
            Case.model_validate({"id": f"c{at}", **{k: v for k, v in one.items() if k != "split"}}),
        )
        for at, one in enumerate(given)
    ]


def facts_of(*given: Row) -> Facts:
    return gather(rows(*given))


def codes(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.code: one for one in found}


def many(number: int, **fields: Any) -> list[Row]:
    return [{"id": f"m{at}", "input": talk(at), "expected": "yes", **fields} for at in range(number)]


CONTENT: list[Any] = [
    # code, rows that have it, rows that barely have not
    (
        "L101",
        [{"input": QUESTION, "expected": LONG}, {"input": QUESTION.upper(), "expected": OTHER}],
        [{"input": QUESTION, "expected": LONG, "context": "a"}, {"input": QUESTION, "expected": OTHER, "context": "b"}],
        "same words, other documents",
    ),
    (
        "L101",
        [{"input": QUESTION, "expected": ["a", "b"]}, {"input": QUESTION, "expected": ["c"]}],
        [{"input": QUESTION, "expected": ["a", "b"]}, {"input": QUESTION, "expected": ["b", "c"]}],
        "one accepted value in common",
    ),
    (
        "L101",
        [
            {"input": QUESTION, "expected": {"behaviour": "answer"}},
            {"input": QUESTION, "expected": {"behaviour": "refuse"}},
        ],
        [{"input": QUESTION, "expected": {"behaviour": "answer"}}, {"input": QUESTION, "expected": "yes"}],
        "other facets say nothing against each other",
    ),
    (
        "L101",
        [
            {"input": QUESTION, "expected": {"tool_calls": [{"name": "refund"}]}},
            {"input": QUESTION, "expected": {"tool_calls": [{"name": "credit"}]}},
        ],
        [
            {"input": QUESTION, "expected": {"answer": {"decision": "refund", "reply": LONG}}},
            {"input": QUESTION, "expected": {"answer": {"decision": "refund", "reply": OTHER}}},
        ],
        "long texts may say one thing in two ways",
    ),
    (
        "L102",
        [{"input": QUESTION, "expected": LONG}, {"input": NEARLY, "expected": OTHER}],
        [{"input": QUESTION, "expected": LONG}, {"input": NEARLY.replace("1234", "1235"), "expected": OTHER}],
        "another number is another question",
    ),
    (
        "L103",
        [
            {
                "input": [{"role": "system", "content": f"Say: {LONG}"}, {"role": "user", "content": "?"}],
                "expected": LONG,
            }
        ],
        [
            {
                "input": [{"role": "system", "content": "Say: the parcel was lost"}, {"role": "user", "content": "?"}],
                "expected": LONG,
            }
        ],
        "a part of it",
    ),
    (
        "L103",
        [{"input": "2+2? Answer: 4", "expected": "4"}],
        [{"input": "2+2? Answer: 42 or less", "expected": "4"}],
        "a longer number",
    ),
    (
        "L103",
        [{"input": "Is it red? answer: yes", "expected": "yes"}],
        [{"input": "Is it red? answer: yes or no", "expected": "yes"}],
        "the choices",
    ),
    (
        "L103",
        [{"input": "?", "context": [LONG], "expected": LONG}],
        [{"input": "?", "context": [f"It is known that {LONG}."], "expected": LONG}],
        "a passage that holds it",
    ),
    (
        "L104",
        [{"input": "a"}, {"input": talk(1), "expected": "b"}],
        [{"input": "a", "criteria": "polite"}, {"input": talk(1), "expected": "b"}],
        "criteria",
    ),
    (
        "L104",
        [{"input": "a", "probe": {"category": "x@y"}, "origin": "adversarial"}],
        [{"input": "a", "probe": {"category": "x@y", "canary": "zz"}, "origin": "adversarial"}],
        "a canary",
    ),
    (
        "L105",
        [
            {"id": "x", "split": "build", "input": talk(1), "expected": "a"},
            {"id": "x", "split": "test", "input": talk(2), "expected": "a"},
        ],
        [
            {"id": "x", "split": "build", "input": talk(1), "expected": "a"},
            {"id": "X", "split": "test", "input": talk(2), "expected": "a"},
        ],
        "another letter",
    ),
    (
        "L106",
        [{"input": QUESTION, "expected": "a"}, {"input": NEARLY, "expected": "a"}],
        [{"input": QUESTION, "expected": "a", "seed_id": "s"}, {"input": NEARLY, "expected": "a", "seed_id": "s"}],
        "one seed",
    ),
    (
        "L201",
        [{"split": "build", "input": QUESTION, "expected": "a"}, {"split": "test", "input": NEARLY, "expected": "a"}],
        [
            {"split": "test", "input": QUESTION, "expected": "a"},
            {"split": "test", "input": NEARLY, "expected": "a"},
            {"split": "build", "input": talk(1), "expected": "a"},
        ],
        "in one split",
    ),
    (
        "L204",
        [{"split": "build", "input": talk(1), "seed_id": "s"}, {"split": "test", "input": talk(2), "seed_id": "s"}],
        [{"split": "build", "input": talk(1), "seed_id": "s"}, {"split": "test", "input": talk(2), "seed_id": "t"}],
        "another seed",
    ),
]


@pytest.mark.parametrize(
    ("code", "has", "near"), [pytest.param(*row[:3], id=f"{row[0]}-{row[3].replace(' ', '-')}") for row in CONTENT]
)
def test_a_set_that_has_it_and_one_that_barely_has_not(code: str, has: list[Row], near: list[Row]) -> None:
    with facts_of(*has) as facts:
        found = codes(list(content_findings(facts)))
    assert code in found, found
    assert found[code].fix
    assert found[code].severity in ("error", "warning", "note")
    assert found[code].count >= len(found[code].cases) > 0
    with facts_of(*near) as facts:
        assert code not in codes(list(content_findings(facts)))


def test_copying_is_a_note_and_one_copy_a_warning() -> None:
    def severity(copies: int) -> str:
        mixed = [{"input": f"Copy {LONG} {talk(at)}", "expected": LONG} for at in range(copies)]
        with facts_of(*mixed, *({"input": talk(50 + at), "expected": OTHER} for at in range(4))) as facts:
            return codes(list(content_findings(facts)))["L103"].severity

    assert (severity(1), severity(9)) == ("warning", "note")


@pytest.mark.parametrize(
    ("prompt", "leaks_it"),
    [
        pytest.param(f"Example. Q: x A: {LONG.upper()}", True, id="the-answer"),
        pytest.param(f"Example. Q: {QUESTION} A: see below", True, id="the-question"),
        pytest.param("You answer customers. The parcel was lost.", False, id="a-part"),
        pytest.param("", False, id="none"),
    ],
)
def test_an_example_in_the_prompt_is_no_case(prompt: str, leaks_it: bool) -> None:
    with facts_of({"input": QUESTION, "expected": LONG}, {"input": talk(1), "expected": "no"}) as facts:
        found = list(leaked_by_prompt(facts, prompt))
    assert [one.cases for one in found] == ([("c0",)] if leaks_it else [])


STATED = Traffic({"intent": {"refund": 0.5, "faq": 0.4, "rare": 0.1}}, {}, "the shares that are stated")
SEEN = Traffic({"intent": {"refund": 0.992, "odd": 0.008}}, {"en": 0.9, "de": 0.1}, "pool.jsonl", 1000)


def strata(**counts: int) -> list[Row]:
    made = [name for name, count in counts.items() for _ in range(count)]
    return [{"input": talk(at), "strata": {"intent": name}} for at, name in enumerate(made)]


def seeds(*sizes: int) -> list[Row]:
    return [
        {"input": talk(100 * at + k), "seed_id": f"s{at}", "strata": {"a": "b"}}
        for at, size in enumerate(sizes)
        for k in range(size)
    ]


def synthetic(made: int, real: int) -> list[Row]:
    return [{"input": talk(at), "origin": "synthetic" if at < made else "production"} for at in range(made + real)]


MIX: list[Any] = [
    ("L301", strata(refund=9, faq=9), STATED, True, strata(refund=9, faq=9, rare=1), STATED),
    ("L301", strata(faq=9), SEEN, False, strata(refund=9), SEEN),
    ("L302", strata(refund=9, faq=9, rare=4), STATED, True, strata(refund=9, faq=9, rare=5), STATED),
    (
        "L303",
        [{"input": "Where is my parcel? It was to arrive on Monday."}] * 3,
        SEEN,
        False,
        [
            {"input": "Where is my parcel? It was to arrive on Monday."},
            {"input": "Wo ist mein Paket? Es sollte am Montag kommen."},
        ],
        SEEN,
    ),
    (
        "L303",
        [{"input": "x", "strata": {"language": "en"}}],
        SEEN,
        False,
        [{"input": "x", "strata": {"language": "en"}}, {"input": "y", "strata": {"language": "de"}}],
        SEEN,
    ),
    (
        "L304",
        [{"input": "a"}, {"input": "b", "strata": {"x": "y"}}],
        None,
        False,
        [{"input": "a", "strata": {"z": "y"}}, {"input": "b", "strata": {"x": "y"}}],
        None,
    ),
    ("L305", strata(refund=1), None, False, strata(refund=1), STATED),
    ("L306", seeds(30, *[1] * 70), None, False, seeds(*[2] * 50), None),
    ("L307", synthetic(77, 23), None, False, synthetic(75, 25), None),
]


@pytest.mark.parametrize(
    ("code", "has", "traffic", "stated", "near", "other"),
    [pytest.param(*row, id=f"{row[0]}-{at}") for at, row in enumerate(MIX)],
)
def test_the_mix(
    code: str, has: list[Row], traffic: Traffic | None, stated: bool, near: list[Row], other: Traffic | None
) -> None:
    with facts_of(*has) as facts:
        assert code in codes(list(mix_findings(facts, np.ones(len(facts), dtype=bool), traffic, stated)))
    with facts_of(*near) as facts:
        assert code not in codes(list(mix_findings(facts, np.ones(len(facts), dtype=bool), other, stated)))


def test_traffic_is_read_from_a_pool() -> None:
    pool = [case for _, case in rows(*strata(refund=3, faq=1))]
    told = traffic_of(pool, "pool")
    assert told.shares == {"intent": {"faq": 0.25, "refund": 0.75}}
    assert told.cases == 4
    german = Case.model_validate({"id": "a", "input": "Wo ist mein Paket? Es sollte am Montag kommen."})
    assert traffic_of([german], "pool").languages == {"de": 1.0}


AGES: list[Any] = [
    ("L601", {"created_at": "2026-04-30"}, {"created_at": "2026-05-03"}, {}),
    (
        "L602",
        {"created_at": "2026-05-30", "published_at": "2025-12-31T23:59:59Z"},
        {"created_at": "2026-05-30", "published_at": "2026-01-01"},
        {"m": "2026-01-01"},
    ),
    ("L603", {}, {"created_at": "2026-05-30"}, {}),
    ("L604", {"created_at": "2026-05-30", "published_at": "2020-01-01"}, {"created_at": "2026-05-30"}, {"m": None}),
]


@pytest.mark.parametrize(("code", "has", "near", "cutoffs"), [pytest.param(*row, id=row[0]) for row in AGES])
def test_ages(code: str, has: Row, near: Row, cutoffs: Mapping[str, str | None]) -> None:
    def found(fields: Row) -> dict[str, Finding]:
        with facts_of({"input": "a", **fields}) as facts:
            return codes(list(age_findings(facts, np.ones(1, dtype=bool), NOW, 30 * 86_400, cutoffs)))

    assert code in found(has)
    assert code not in found(near)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"probe": {"category": "LLM01@owasp-2025"}}, "prompt_injection", id="owasp"),
        pytest.param({"probe": {"category": "LLM07@owasp"}, "strata": {"i": "Jailbreak"}}, "jailbreak", id="stratum"),
        pytest.param({"probe": {"category": "PII extraction@own"}}, "pii_extraction", id="words"),
        pytest.param({"probe": {"category": "x@y", "strategy": "excessive-agency"}}, "policy_violation", id="strategy"),
        pytest.param({"probe": {"category": "harmful:weapons@h"}}, "safety_violation", id="sub-category"),
        pytest.param({"probe": {"category": "misc@own"}, "strata": {"intent": "refund"}}, "", id="none"),
    ],
)
def test_classes(fields: Row, name: str) -> None:
    assert probe_class(Case.model_validate({"id": "a", "input": "b", **fields})) == name


ALL = dict.fromkeys(CLASSES, 20)


@pytest.mark.parametrize(
    ("stage", "cases", "probes", "classes", "lacks"),
    [
        pytest.param("starter", 200, 50, {}, 0, id="starter"),
        pytest.param("starter", 199, 50, {}, 1, id="one case short"),
        pytest.param("starter", 200, 49, {}, 1, id="one probe short"),
        pytest.param("private", 500, 50, {}, 0, id="private"),
        pytest.param("private", 499, 50, {}, 1, id="private, one case short"),
        pytest.param("full", 1500, 100, ALL, 0, id="full"),
        pytest.param("full", 2001, 100, ALL, 1, id="full, five percent are more"),
        pytest.param("full", 2000, 100, ALL, 0, id="full, five percent are enough"),
        pytest.param("full", 1500, 100, {**ALL, "jailbreak": 0}, 1, id="full, four classes"),
        pytest.param("full", 1499, 99, {}, 3, id="full, everything"),
    ],
)
def test_stages(stage: Any, cases: int, probes: int, classes: Mapping[str, int], lacks: int) -> None:
    assert len(lacking(stage, cases, probes, classes)) == lacks


def test_what_a_stage_proves_is_what_the_tables_say() -> None:
    policy = Policy()
    told = proof("x", (687, 59), policy, 0.10, 1.0)
    assert told.visible == pytest.approx(0.03, abs=2e-4), "685 pairs find 3 points, one-sided"
    assert told.excluded == pytest.approx(0.0495, abs=1e-3), "59 clean ones show 5%"
    assert proof("x", (687, 59), policy, 0.10, 2.0).visible > told.visible
    assert proof("none", (0, 0), policy, 0.10, 1.0).excluded == 1.0


def test_benchmarks_make_no_stage() -> None:
    with facts_of(*({"input": talk(at), "origin": "benchmark"} for at in range(300))) as facts:
        at = reached(facts, np.ones(300, dtype=bool), Policy(), 0.1, 1.0)
    assert (at.name, at.cases, at.wanted) == ("", 0, "starter")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ud800\udfff", id="lone surrogates"),
        pytest.param("\x00", id="null byte"),
        pytest.param("answer: " * 20_000, id="many marks"),
        pytest.param("x" * 1_000_000, id="a megabyte"),
        pytest.param("", id="empty"),
    ],
)
def test_hostile_texts(text: str) -> None:
    deep: Any = 2**63
    for _ in range(50):
        deep = [deep]
    given = [
        {"input": text, "expected": {"answers": [text, deep]}, "strata": {text or "k": text}},
        {"input": text, "expected": "b"},
    ]
    with facts_of(*given) as facts:
        found = list(content_findings(facts))
        found += list(leaked_by_prompt(facts, text))
        found += list(mix_findings(facts, np.ones(2, dtype=bool), None, stated=False))
    assert "L101" in codes(found)


def test_an_identifier_is_no_stratum() -> None:
    with facts_of(
        *({"input": talk(at), "strata": {"ticket": str(at), "kind": str(at % 3)}} for at in range(300))
    ) as facts:
        assert list(facts.strata) == ["kind"]


@given(st.lists(st.integers(0, 5), max_size=40))
def test_groups_are_the_rows_of_equal_key(keys: list[int]) -> None:
    found = list(groups(np.array(keys, dtype=np.uint64)))
    assert found == sorted(
        [at for at, key in enumerate(keys) if key == one] for one in set(keys) if keys.count(one) > 1
    )


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3), st.lists(st.sampled_from("abc"), min_size=1, max_size=3)
)
def test_references_contradict_each_other_alike_from_both_sides(one: list[str], other: list[str]) -> None:
    a, b = Expected(answers=tuple(one)).plain(), Expected(answers=tuple(other)).plain()
    assert apart(a, b) is apart(b, a)
    assert apart(a, b) is not bool(set(one) & set(other))


def test_leaves_of_a_reference_are_texts() -> None:
    expected = Expected(answers=({"a": ["x", {"b": "y"}], "c": 3}, 4))
    assert sorted(leaks.answers_in(expected)) == ["4", "x", "y"]


def test_every_rule_says_what_to_do() -> None:
    assert all(rule.fix and rule.title for rule in RULES.values())
    assert list(RULES) == sorted(RULES)
