"""The folder of a set: what is written is what is read, and what is wrong is told."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.versions.sets import FIRST, write_lines

from seatrial.core.case import Case
from seatrial.datasets import SetFolder, commit
from seatrial.datasets.versions.folder import split_hash
from seatrial.errors import DatasetError
from seatrial.store.store import Store

TEXT = st.text(st.characters(codec=None), max_size=30)  # lone surrogates and null bytes included
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def some_cases(draw: st.DrawFn) -> list[Case]:
    names = draw(st.lists(TEXT.filter(bool), unique=True, min_size=1, max_size=5))
    return [
        Case(
            id=name,
            input=[{"role": "system", "content": draw(TEXT)}, {"role": "user", "content": draw(TEXT)}],  # type: ignore[arg-type]
            metadata={"any": draw(JSON)},
            strata={"intent": draw(TEXT)},
        )
        for name in names
    ]


@given(some_cases(), st.randoms(use_true_random=False))
def test_what_is_written_is_read_again_whatever_the_order(cases: list[Case], random: Any) -> None:
    with TemporaryDirectory() as name:
        folder = SetFolder(name)
        folder.write("build", cases)
        first = folder.file("build").read_bytes()
        random.shuffle(cases)
        folder.write("build", cases)
        assert folder.file("build").read_bytes() == first
        found = list(folder.cases("build"))
        assert {case.id: case.hash for case in found} == {case.id: case.hash for case in cases}
        assert [c.id.encode("utf-8", "surrogatepass") for c in found] == sorted(
            c.id.encode("utf-8", "surrogatepass") for c in cases
        )
        assert first.count(b"\n") == len(cases)


def test_a_split_hash_is_what_the_store_calls_the_dataset(tmp_path: Path) -> None:
    cases = [Case(id="a", input="x"), Case(id="b", input="y", expected="z")]  # type: ignore[arg-type]
    shares = {"intent": {"a": 0.25, "b": 0.75}}
    with Store(tmp_path / "s.db") as store:
        kept = store.keep_dataset("d", cases, shares, None)
        assert kept.hash == split_hash((case.hash for case in cases), shares)
        assert store.dataset_by_hash(kept.hash) == kept
        assert store.dataset_by_hash(split_hash([], shares)) is None


def test_two_cases_of_one_id_are_not_written(tmp_path: Path) -> None:
    folder = SetFolder(tmp_path)
    folder.write("test", [Case(id="a", input="kept")])  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="two cases have this id"):
        folder.write("test", [Case(id="b", input="1"), Case(id="b", input="2")])  # type: ignore[arg-type]
    assert [case.text for case in folder.cases("test")] == ["kept"]


def test_an_absent_or_empty_split_has_no_cases(tmp_path: Path) -> None:
    (tmp_path / "build.jsonl").write_text("\n \n")
    folder = SetFolder(tmp_path)
    assert list(folder.cases("build")) == list(folder.cases("test")) == list(folder.cases("sealed")) == []
    assert not folder.is_sealed
    assert folder.lock is None


def test_marks_of_a_merge_are_named_by_their_lines(tmp_path: Path) -> None:
    line = json.dumps({"id": "a", "input": "x"})
    (tmp_path / "test.jsonl").write_text(f"{line}\n<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> other\n")
    with pytest.raises(DatasetError) as caught:
        list(SetFolder(tmp_path).cases("test"))
    assert [problem.line for problem in caught.value.problems] == [2, 4, 6]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "nmae: x\n", "set.yaml:1: nmae: is not a key that belongs here; did you mean 'name'?", id="unknown"
        ),
        pytest.param("name: x\nshares:\n  i: {a: 0.5, b: 0.6}\n", "set.yaml:3: shares.i: must sum to 1", id="sum"),
        pytest.param(
            "name: x\nshares:\n  i: {a: 40}\n", "set.yaml:3: shares.i.a: must be at most 1 (got 40)", id="percent"
        ),
        pytest.param("- a\n", "set.yaml:1: must be keys and values", id="a-list"),
        pytest.param("name: [\n", "set.yaml:2: has no value where one is wanted", id="syntax"),
        pytest.param("match: {auc: 0.4}\n", "set.yaml:1: match.auc: must be greater than 0.5", id="margin"),
        pytest.param("name: a b\n", "set.yaml:1: name: must be a name of letters", id="name"),
        pytest.param("name: x\nname: y\n", "is given twice", id="twice"),
    ],
)
def test_faults_of_set_yaml_have_lines(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "set.yaml").write_text(text)
    with pytest.raises(DatasetError) as caught:
        assert SetFolder(tmp_path).config
    assert told in str(caught.value)


def test_set_yaml_is_written_and_read_again(tmp_path: Path) -> None:
    folder = SetFolder(tmp_path)
    (tmp_path / "set.yaml").write_text("name: r\ndescription: 'ünï'\nshares: {i: {a: 0.5, 'no': 0.5}}\nanchors: [x]\n")
    before = folder.config
    folder.write_config(before)
    assert folder.config == before
    assert folder.config.shares == {"i": {"a": 0.5, "no": 0.5}}


def test_what_people_wrote_in_set_yaml_stays(tmp_path: Path) -> None:
    folder = SetFolder(tmp_path)
    (tmp_path / "set.yaml").write_text("# ours\nname: r  # short\ndescription: old\nanchors: [x, y]  # gold\n")
    folder.write_config(folder.config.model_copy(update={"description": "", "sampling": {"seed": 3}}))
    text = (tmp_path / "set.yaml").read_text()
    assert text == "# ours\nname: r  # short\nanchors: [x, y]  # gold\nsampling:\n  seed: 3\n"


def test_a_folder_that_is_no_set_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "refunds").mkdir()
    with pytest.raises(DatasetError, match="did you mean 'refunds'"):
        SetFolder(tmp_path / "refund").must_exist()
    with pytest.raises(DatasetError, match="not the folder of a set"):
        SetFolder(tmp_path / "refunds").must_exist()


def test_scrubbing_is_no_setting_of_a_set(tmp_path: Path) -> None:
    """A pool is scrubbed before there is a set: a policy written here would be one that nothing follows."""
    write_lines(tmp_path / "test.jsonl", FIRST)
    (tmp_path / "set.yaml").write_text("name: refunds\nscrub: {policy: hipaa}\n")
    with pytest.raises(DatasetError) as caught:
        commit(tmp_path, "first")
    assert "set.yaml:2: scrub: is not a key that belongs here" in str(caught.value)
