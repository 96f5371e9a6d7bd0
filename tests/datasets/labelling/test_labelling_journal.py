"""Journals, what holds of them, who is asked what, and how far people agree."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.datasets.labelling.made_units import unit, units

from seatrial.datasets.labelling import final, journal, verdicts
from seatrial.datasets.labelling.agreement import kappa_interval, report
from seatrial.datasets.labelling.journal import Entry, Journal, entry_of
from seatrial.datasets.labelling.units import Sharing, Task, ordered, queue, sampled
from seatrial.errors import LabelsError, UsageError


def said(key: str, by: str, word: str | None, *, at: str = "2026-03-01T10:00:00", **fields) -> Entry:
    held = {"case": key, "rubric": "safe", "outputs": (f"output:st1:{'ab' * 32}",), "mode": "verdict"}
    value = None if word is None else {"skip": True} if word == "skip" else {"verdict": word}
    return Entry(at=at, by=by, unit=key, value=value, **{**held, **fields})


def test_a_line_is_read_back_as_it_was_said(tmp_path: Path):
    entries = [
        entry_of(
            unit("c\ud800\x00"), "verdict", "Ann \U0001f600", value={"verdict": "pass", "n": 2**63}, note="x" * 10**6
        ),
        entry_of(unit("c2"), "verdict", "Ann \U0001f600", value=None, undo=True, seconds=0.5),
    ]
    with Journal(journal.file_of(tmp_path, "verdict", "Ann \U0001f600")) as opened:
        opened.append(entries)
    assert journal.read(tmp_path, "verdict") == entries


@pytest.mark.parametrize("cut", [1, 20, -2, -1])
def test_a_torn_last_line_is_left_out_and_the_next_one_starts_afresh(tmp_path: Path, cut: int):
    file = journal.file_of(tmp_path, "verdict", "ann")
    first, second = said("c1", "ann", "pass"), said("c2", "ann", "fail")
    torn = journal.line(second)[:cut]
    file.write_bytes(journal.line(first) + torn)
    whole = [first, second] if cut == -1 else [first]
    assert journal.read(tmp_path, "verdict") == whole
    with Journal(file) as opened:
        opened.append([second])
    assert journal.read(tmp_path, "verdict") == [*whole, second]


BAD = [
    pytest.param(b"[]", "is no label", id="no-object"),
    pytest.param(b'{"at": "yesterday"}', "ISO 8601", id="no-date"),
    pytest.param(b'{"by": ""}', "must not be empty", id="nobody"),
    pytest.param(b'{"x": 1}', "is not a key", id="unknown-key"),
    pytest.param(b'{"value": {"a":' + b"[" * 200 + b"]" * 200 + b"}}", "is no label", id="deep"),
]


@pytest.mark.parametrize(("raw", "rule"), BAD)
def test_every_fault_is_told_at_its_line(tmp_path: Path, raw: bytes, rule: str):
    file = tmp_path / "verdict.ann.jsonl"
    file.write_bytes(journal.line(said("c1", "ann", "pass")) + raw + b"\n")
    with pytest.raises(LabelsError) as raised:
        journal.read(tmp_path, "verdict")
    assert any(rule in p.rule and p.line == 2 and p.file == file.name for p in raised.value.problems)


def test_two_sessions_of_one_person_are_refused(tmp_path: Path):
    file = journal.file_of(tmp_path, "verdict", "ann")
    with Journal(file), pytest.raises(UsageError, match="is in use"):
        Journal(file)
    Journal(file).__exit__()


@given(st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=8))
def test_two_people_never_share_a_file(names: list[str]):
    files = [str(journal.file_of(Path("x"), "verdict", name)).lower() for name in names]
    assert len(set(files)) == len(names)


def test_forgetting_cases_leaves_no_word_about_them(tmp_path: Path):
    for mode in ("curate", "outcome", "verdict"):
        with Journal(journal.file_of(tmp_path, mode, "ann")) as opened:
            opened.append([said(key, "ann", "pass", mode=mode, note=f"about {key}") for key in ("c1", "secret", "c3")])
    assert journal.forget(tmp_path, {"secret"}) == 3
    assert [e.unit for e in journal.read(tmp_path, "outcome")] == ["c1", "c3"]
    assert not any(b"secret" in file.read_bytes() for file in tmp_path.iterdir())


FINALS = [
    pytest.param([said("c", "ann", "pass")], "single", "ann", id="one"),
    pytest.param([said("c", "ann", "pass"), said("c", "ben", "pass")], "agreed", "ann, ben", id="agreed"),
    pytest.param([said("c", "ann", "pass"), said("c", "ben", "fail")], "disputed", "ann, ben", id="disputed"),
    pytest.param([said("c", "ann", "pass"), said("c", "ann", "fail")], "single", "ann", id="the-last-word-counts"),
    pytest.param([said("c", "ann", "pass"), said("c", "ben", "skip")], "single", "ann", id="a-skip-says-nothing"),
    pytest.param(
        [said("c", "ann", "pass"), said("c", "ben", "fail"), said("c", "eve", "fail", role="adjudication")],
        "adjudicated",
        "eve",
        id="adjudicated",
    ),
    pytest.param(
        [
            said("c", "ann", "pass"),
            said("c", "ben", "fail"),
            said("c", "eve", "fail", role="adjudication"),
            said("c", "eve", None, role="adjudication", undo=True),
        ],
        "disputed",
        "ann, ben",
        id="an-adjudication-taken-back",
    ),
]


@pytest.mark.parametrize(("entries", "state", "who"), FINALS)
def test_what_holds(entries: list[Entry], state: str, who: str):
    found = final.finals(entries)["c"]
    assert (found.state, found.who) == (state, who)
    assert (found.entry is None) == (state == "disputed")


def test_what_was_taken_back_holds_nothing():
    assert final.finals([said("c", "ann", "pass"), said("c", "ann", None, undo=True)]) == {}


def test_adjudication_shows_both_words_and_nobody_s_name(tmp_path: Path):
    entries = [said("c0", "Ann", "pass", note="polite"), said("c0", "Ben", "fail"), said("c1", "Ann", "pass")]
    task = final.disputes(Task("verdict", tuple(units(3)), tmp_path, "t"), entries)
    assert [u.key for u in task.units] == ["c0"]
    text = "\n".join(f"{title}\n{body}" for title, body in task.units[0].read())
    assert all(word in text for word in ("pass", "fail", "note: polite", "text of c0"))
    assert "Ann" not in text
    assert "Ben" not in text


def test_a_double_share_is_seen_by_two_and_the_rest_by_one():
    held = units(2000)
    sharing = Sharing(7, 0.2, ("ann", "ben", "eve"))
    mine = {name: {u.key for u in queue(held, sharing, name, {})} for name in sharing.team}
    seen = [sum(u.key in keys for keys in mine.values()) for u in held]
    assert set(seen) == {1, 2}
    assert abs(seen.count(2) / 2000 - 0.2) < 4 * math.sqrt(0.2 * 0.8 / 2000)
    assert all(abs(len(keys) - 800) < 120 for keys in mine.values())


def test_without_a_team_the_second_person_gets_what_is_open():
    held = units(100)
    sharing = Sharing(0, 0.3)
    doubled = {u.key for u in held if sharing.needed(u.key) == 2}
    first = {u.key: ["ann"] for u in held}
    assert {u.key for u in queue(held, sharing, "ben", first)} == doubled
    second = {key: ["ann", "ben"] if key in doubled else who for key, who in first.items()}
    assert queue(held, sharing, "eve", second) == ()


def test_the_order_is_each_person_s_own_and_names_no_arm():
    held = [unit(f"{c}{a}", group=f"c{c}", heading=a) for c in range(50) for a in ("large-model", "small-model")]
    ann, again, ben = ordered(held, 1, "ann"), ordered(held[::-1], 1, "ann"), ordered(held, 1, "ben")
    assert [u.key for u in ann] == [u.key for u in again] != [u.key for u in ben]
    assert {u.heading for u in ann} == {"answer A of 2", "answer B of 2"}
    large_first = sum(u.key.endswith("large-model") and u.heading.startswith("answer A") for u in ann)
    assert 10 < large_first < 40
    assert all(ann[i].group == ann[i + 1].group for i in range(0, 100, 2))


@given(st.permutations(list(range(30))), st.integers(0, 40))
def test_a_sample_depends_on_the_seed_and_not_on_the_order(numbers: list[int], count: int):
    assert sorted(sampled(numbers, count, 3, str)) == sorted(sampled(sorted(numbers), count, 3, str))
    assert len(sampled(numbers, count, 3, str)) == min(count, 30)


tables = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=4, max_size=80)


@given(tables)
def test_the_interval_of_kappa_is_that_of_statsmodels(pairs: list[tuple[int, int]]):
    from statsmodels.stats.inter_rater import cohens_kappa

    ratings = np.array(pairs, dtype=float)
    found = kappa_interval(ratings)
    table = np.zeros((3, 3))
    for a, b in pairs:
        table[a, b] += 1
    with np.errstate(all="ignore"):
        oracle = cohens_kappa(table)
    if found is None:
        assert math.isnan(oracle.kappa)
        return
    assume(found[1] == "large sample")
    assert found[0].low == pytest.approx(max(-1, oracle.kappa_low), abs=1e-7)
    assert found[0].high == pytest.approx(min(1, oracle.kappa_upp), abs=1e-7)


def test_complete_agreement_is_not_certainty():
    found = kappa_interval(np.array([[0, 0], [1, 1]] * 5, dtype=float))
    assert found is not None
    assert found[1] == "Wilson on the agreement"
    assert found[0].high == pytest.approx(1)
    assert 0.4 < found[0].low < 0.5


def test_the_report_counts_by_rubric_before_adjudication():
    words = [("pass", "pass")] * 6 + [("fail", "fail")] * 2 + [("pass", "fail")] * 2
    entries = [
        said(f"c{i}", by, word) for i, pair in enumerate(words) for by, word in zip(("ann", "ben"), pair, strict=True)
    ]
    entries += [said("c9", "eve", "fail", role="adjudication"), said("alone", "ann", "pass")]
    entries += [said(f"k{i}", by, "pass", rubric="kind") for i in range(3) for by in ("ann", "ben")]
    kind, safe = report("verdict", entries)
    assert (safe.rubric, safe.units, safe.same, safe.agree, safe.people) == ("safe", 10, 8, 0.8, ("ann", "ben"))
    assert safe.kappa == pytest.approx((0.8 - 0.56) / (1 - 0.56))
    assert safe.kappa_low < safe.kappa < safe.kappa_high
    assert (safe.disputed, safe.adjudicated) == (1, 1)
    assert (kind.agree, kind.kappa, kind.alpha) == (1, None, None)


def test_the_file_of_labels_keeps_what_others_wrote_and_drops_what_was_taken_back(tmp_path: Path):
    file = tmp_path / "labels.jsonl"
    other = {"case": "z", "target": "new", "rubric": "safe", "verdict": "fail", "who": "Eve", "when": "2026-01-01"}
    file.write_text(json.dumps(other) + "\n")
    entries = [said("c1", "Ann", "pass", note="fine"), said("c2", "Ann", "pass", outputs=("output:st1:" + "cd" * 32,))]
    assert verdicts.write(file, entries) == (2, 0, 1)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert rows[0] == other
    assert rows[1] == {
        "case": "c1",
        "output": "output:st1:" + "ab" * 32,
        "rubric": "safe",
        "verdict": "pass",
        "who": "Ann",
        "when": "2026-03-01T10:00:00",
        "note": "fine",
    }
    taken = [*entries, said("c1", "Ann", None, undo=True)]
    assert verdicts.write(file, taken) == (1, 0, 1)
    assert verdicts.write(file, taken) == (1, 0, 1)
    assert [json.loads(line)["case"] for line in file.read_text().splitlines()] == ["z", "c2"]
