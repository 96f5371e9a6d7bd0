"""The decision record as a value: canonical, digested, located when altered, and expired when it is time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.identity import canonical
from seatrial.errors import RecordError
from seatrial.verdicts.artefacts import record as records
from seatrial.verdicts.artefacts.record import Asked, DecisionRecord, Difference
from seatrial.verdicts.records import ArmSummary, Estimate, Flip, RubricResult, TrialReport, Verdict

IDENTITY = "system:st1:" + "ab" * 32
TODAY = date(2026, 3, 1)


def make_report(overall: str = "ship", **fields: Any) -> TrialReport:
    flip = Flip(
        rubric="right", direction="lost", case_id="c1", position=0, epoch=0, strata={"risk": "high"},
        input="the question", expected="the answer", incumbent="its words", candidate="other words",
        candidate_reason="a reason",
    )  # fmt: skip
    rubric = RubricResult(
        name="right", kind="quality", scorer="exact", decision="PASS", sentence="No worse.", margin=0.03,
        difference=Estimate(value=0.1, low=-0.01, high=0.2, method="Tango"),
        warnings=("The scorer failed on 2 answers, for example: its words.",),
    )  # fmt: skip
    verdict = Verdict(
        candidate="new", incumbent="old", overall=overall, headline="It may.", rubrics=(rubric,), flips=(flip,)
    )
    arm = ArmSummary(target="new", use="openai:m", outputs=3, statuses={"ok": 3}, price_sources=("suite 2026-01-01",))
    plain: dict[str, Any] = {
        "trial_id": "20260101-000000-abcdef", "suite": "support", "suite_hash": "suite:st1:00", "dataset": "cases",
        "dataset_hash": "dataset:st1:00", "cases": 3, "clusters": 3, "composition": {}, "status": "done",
        "started_at": "2026-01-01T00:00:00+00:00", "policy": {"alpha": 0.05}, "arms": (arm,), "verdicts": (verdict,),
        "environment": {"host": "box", "pid": "7", "watch": {"kind": "whole"}, "author": "ann"},
    }  # fmt: skip
    return TrialReport(**{**plain, **fields})


def make_record(report: TrialReport | None = None, **asked: Any) -> DecisionRecord:
    return records.make(
        report or make_report(),
        Asked(**asked),
        trial={"id": "20260101-000000-abcdef", "finished_at": "2026-01-01T01:00:00+00:00", "git_commit": None},
        hashes={"suite": "suite:st1:00", "targets": {"new": {"identity": IDENTITY}, "old": {"identity": "system:x"}}},
        software={"seatrial": "0.1.0"},
    )


RECORD = make_record()


def test_equal_content_is_equal_bytes_in_canonical_form():
    assert make_record().text == RECORD.text == canonical(json.loads(RECORD.text)) + "\n"
    assert records.alterations(records.parse(RECORD.text.encode())) == []


def test_a_record_without_texts_holds_none_and_nothing_private():
    for words in ("the question", "its words", "other words", "a reason", '"box"', '"pid"', '"watch"'):
        assert words not in RECORD.text
    assert "The scorer failed on 2 answers." in RECORD.text
    assert "the question" in make_record(texts=True).text


def test_its_report_is_read_again_with_every_number():
    read = records.parse(RECORD.text.encode()).report()
    assert read.verdicts[0].rubrics[0].difference == make_report().verdicts[0].rubrics[0].difference
    assert (read.verdicts[0].flips[0].case_id, read.verdicts[0].flips[0].input) == ("c1", records.UNTOLD)
    whole = make_record(texts=True).report()
    assert whole.verdicts == make_report().verdicts


def test_it_names_each_decision_with_both_identities():
    (decision,) = RECORD.decisions
    assert (decision["overall"], decision["candidate_identity"], decision["incumbent_identity"]) == (
        "ship",
        IDENTITY,
        "system:x",
    )


@pytest.mark.parametrize(
    ("day", "expired"),
    [
        pytest.param(date(2026, 4, 1), False, id="its-last-day"),
        pytest.param(date(2026, 4, 2), True, id="the-day-after"),
        pytest.param(date(2025, 1, 1), False, id="before"),
    ],
)
def test_it_ends_so_many_days_after_its_answers(day: date, expired: bool):
    assert RECORD.expires_at == "2026-04-01T01:00:00+00:00"
    assert RECORD.expired(day) is expired


# altered --------------------------------------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key in value for found in leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in leaves(item, (*path, at))]
    return [path]


@given(st.sampled_from(leaves(RECORD.content)), st.sampled_from([None, "x", 0.123456, [], {"a": 1}, True, 10**30]))
def test_every_field_that_is_changed_is_located_in_its_part(path: tuple[Any, ...], value: Any):
    content = json.loads(RECORD.text)
    at = content
    for key in path[:-1]:
        at = at[key]
    if canonical(at[path[-1]]) == canonical(value):
        return
    at[path[-1]] = value
    if path == ("format",):
        with pytest.raises(RecordError):
            records.parse(canonical(content).encode())
        return
    found = records.alterations(records.parse((canonical(content) + "\n").encode()))
    assert found
    named = {difference.path for difference in found}
    assert (path[1] if path[0] == "sections" else path[0]) in named


@given(st.integers(0, len(RECORD.text) - 1), st.integers(0, 255))
def test_one_character_changed_is_never_whole(at: int, byte: int):
    raw = bytearray(RECORD.text.encode())
    if raw[at] == byte:
        return
    raw[at] = byte
    with contextlib.suppress(RecordError):
        found = records.alterations(records.parse(bytes(raw)))
        assert found
        assert all(difference.path for difference in found)


@given(st.integers(0, len(RECORD.text) - 1), st.sampled_from([" ", "\n", "0", ",", '"']), st.booleans())
def test_one_character_put_in_or_taken_away_is_never_whole(at: int, character: str, put: bool):
    text = RECORD.text[:at] + (character if put else "") + RECORD.text[at + (not put) :]
    if text == RECORD.text:
        return
    with contextlib.suppress(RecordError):
        assert records.alterations(records.parse(text.encode()))


def test_white_space_alone_is_found_and_placed():
    text = RECORD.text.replace('"overall":"ship"', '"overall": "ship"', 1)
    (found,) = records.alterations(records.parse(text.encode()))
    assert found == Difference("decisions.0.overall", "not written as records are", "canonical JSON")


def test_a_field_that_nobody_knows_is_an_alteration():
    content = {**RECORD.content, "note": "approved by all"}
    assert [found.path for found in records.alterations(DecisionRecord(content, canonical(content) + "\n"))] == [
        "note",
        "digest",
    ]


def test_where_the_text_breaks_off_is_named():
    broken = RECORD.text.replace('"overall":"ship"', '"overall":"ship', 1)
    with pytest.raises(RecordError, match=r"not JSON any more, at decisions\.0"):
        records.parse(broken.encode())


NO_RECORDS = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"[1]", id="no-object"),
    pytest.param(b"{}", id="empty"),
    pytest.param(b'{"format":"seatrial.record/2"}', id="newer"),
    pytest.param(b"\xff\xfe\x00", id="no-text"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b'{"format":"seatrial.record/1","report":' + b"[" * 80 + b"]" * 80 + b"}", id="deep-object"),
    pytest.param(b'{"format":"\\ud800"}', id="surrogate"),
]


@pytest.mark.parametrize("raw", NO_RECORDS)
def test_what_is_no_record_is_refused_in_a_sentence(raw: bytes):
    with pytest.raises(RecordError) as caught:
        records.parse(raw)
    assert caught.value.problem.endswith(".")


def test_hostile_values_are_alterations_and_no_defects():
    content = {"format": records.FORMAT, "digest": 7, "sections": [], "decisions": "x", "trial": [], "asked": None}
    record = records.parse(canonical(content).encode())
    assert records.alterations(record)
    assert (record.decisions, record.trial_id, record.asked, record.expired(TODAY)) == ([], "", Asked(), True)


# compared -------------------------------------------------------------------------------------------------------------

SIDES = [
    pytest.param({"a": 1}, {"a": 1.0}, [], id="int-and-float"),
    pytest.param({"a": 0.1}, {"a": 0.1 + 1e-12}, [], id="last-digits"),
    pytest.param({"a": 0.1}, {"a": 0.1001}, ["a"], id="a-number"),
    pytest.param({"a": True}, {"a": 1}, ["a"], id="true-is-no-number"),
    pytest.param({"a": None}, {"a": 0}, ["a"], id="null"),
    pytest.param({}, {"a": 0}, ["a"], id="absent"),
    pytest.param({"a": [1, 2]}, {"a": [1]}, ["a[1]"], id="a-list-shorter"),
    pytest.param({"a": {"b": 1}}, {"a": [1]}, ["a"], id="another-shape"),
    pytest.param(
        {"r": [{"name": "x", "p": 1}, {"name": "y", "p": 2}]},
        {"r": [{"name": "x", "p": 1}, {"name": "y", "p": 3}]},
        ["r[y].p"],
        id="named-items",
    ),
]


@pytest.mark.parametrize(("old", "new", "paths"), SIDES)
def test_leaves_that_differ_are_named(old: Any, new: Any, paths: list[str]):
    assert [found.path for found in records.compare(old, new)] == paths


# a folder of records --------------------------------------------------------------------------------------------------


def altered(record: DecisionRecord) -> str:
    return record.text.replace('"overall":"block"', '"overall":"ship"')


FOLDERS: list[Any] = [
    pytest.param({"a.json": RECORD.text}, 1, (), id="one-that-stands"),
    pytest.param({"a.txt": RECORD.text}, 0, (), id="another-ending"),
    pytest.param({"a.json": make_record(make_report("block")).text}, 0, ("does not ship it: block.",), id="blocked"),
    pytest.param({"a.json": altered(make_record(make_report("block")))}, 0, ("was altered",), id="altered"),
    pytest.param({"a.json": make_record(expires_days=10).text}, 0, ("ended on 2026-01-11.",), id="ended"),
    pytest.param({"a.json": RECORD.text.replace("ab" * 32, "cd" * 32)}, 0, (), id="of-another-target"),
    pytest.param({"a.json": "{", "b.json": "[]", "c.json": RECORD.text}, 1, (), id="among-others"),
]


@pytest.mark.parametrize(("files", "valid", "words"), FOLDERS)
def test_which_records_of_a_folder_clear_a_target(
    tmp_path: Path, files: Mapping[str, str], valid: int, words: tuple[str, ...]
):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = records.valid_records(tmp_path, IDENTITY, TODAY)
    assert (len(found.valid), len(found.refused)) == (valid, len(words))
    assert all(word in said for word, said in zip(words, found.refused, strict=True))


@pytest.mark.parametrize("look", [lambda folder: folder / "none", lambda folder: folder], ids=["no-folder", "empty"])
def test_an_empty_identity_is_never_cleared(tmp_path: Path, look: Callable[[Path], Path]):
    (tmp_path / "a.json").write_text(make_record().text.replace(IDENTITY, ""))
    assert records.valid_records(look(tmp_path), "", TODAY).valid == ()
