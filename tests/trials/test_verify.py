"""Records of real runs: drawn again from the store and from a bundle alone, and whatever was altered is named."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.trials.project import Project, question

from seatrial.core.identity import canonical
from seatrial.errors import BundleError, NotFoundError, RecordError, UsageError
from seatrial.store.store import Store
from seatrial.testing import FakeProvider, Reply, Rule, Script, When
from seatrial.trials.suite.suitefile import load
from seatrial.trials.verify import Verification, asked_for, check, export, identities, make_record, verify, write_record
from seatrial.verdicts.artefacts import record as records
from seatrial.verdicts.artefacts.record import DecisionRecord

SCRIPT = Script(
    answers=tuple(
        Rule(when=When.model_validate({"input": f"question {i}", "model": "new"}), text="no idea \ud800 \x00")
        for i in (0, 2, 8)
    ),
    fingerprint="fp",
)
SUITE = {
    "targets": {"old": {"use": "openai:old"}, "new": {"use": "openai:new"}},
    "incumbent": "old",
    "rubrics": [
        {"name": "right", "scorer": "exact"},
        {"name": "quick", "scorer": "latency", "kind": "limit", "at_most": 60},
        {"name": "short", "scorer": "contains", "kind": "gate", "limit_points": 90, "cases": "all"},
    ],
}
CASES = [
    question(i, strata={"half": str(i % 2)}, seed_id=f"s{i // 2}", **({"origin": "adversarial"} if i > 70 else {}))
    for i in range(80)
]


class Made:
    """A project that was run, its store and its record."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.store = project.folder / ".seatrial" / "seatrial.db"
        self.file = project.folder / "record.json"
        self.trial_id = project.run().trial_id
        self.record = self.make()
        write_record(self.record, self.file)

    def make(self, **choices: Any) -> DecisionRecord:
        with Store(self.store) as store:
            return make_record(store, self.trial_id, asked_for(store, self.trial_id, None, (), **choices))

    def verify(self, **where: Any) -> Verification:
        return verify(self.file, **{"store": self.store, **where})


@pytest.fixture(scope="module")
def module_made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    project = Project(tmp_path_factory.mktemp("project"))
    with FakeProvider(SCRIPT).in_thread() as fake:
        project.write(CASES, **json.loads(json.dumps(SUITE)))
        project.at(fake.base_url)
        project.write(CASES)
        yield Made(project)


@pytest.fixture
def made(module_made: Made, tmp_path: Path) -> Made:
    """The same in a folder of its own, to be altered."""
    copy = Made.__new__(Made)
    shutil.copytree(module_made.project.folder, tmp_path / "copy")
    copy.project = Project(tmp_path / "copy")
    copy.store, copy.file = tmp_path / "copy" / ".seatrial" / "seatrial.db", tmp_path / "copy" / "record.json"
    copy.trial_id, copy.record = module_made.trial_id, module_made.record
    return copy


def test_a_record_is_drawn_again_from_the_store(module_made: Made):
    found = module_made.verify()
    assert (found.result, found.differences, found.located, found.software) == ("equal", (), (), ())


def test_a_record_holds_what_it_rests_on(module_made: Made):
    content = module_made.record.content
    hashes = content["hashes"]
    assert hashes["suite"] == load(module_made.project.folder / "seatrial.yaml").suite.hash
    assert {name: arm["outputs"]["rows"] for name, arm in hashes["arms"].items()} == {"old": 80, "new": 80}
    assert hashes["cases"]["rows"] == 80
    assert set(hashes["scorers"]) == {"right", "quick", "short"}
    assert content["trial"]["id"] == module_made.trial_id
    assert content["software"]["seatrial"]
    assert [d["overall"] for d in content["decisions"]] == [v["overall"] for v in content["report"]["verdicts"]]


def test_a_target_has_the_identity_that_the_suite_gives_it(module_made: Made):
    named = identities(load(module_made.project.folder / "seatrial.yaml"))
    (decision,) = module_made.record.decisions
    assert (decision["candidate_identity"], decision["incumbent_identity"]) == (named["new"], named["old"])
    assert named["new"] != named["old"]


CHANGES = [
    pytest.param({"concurrency": 3, "price": {"input": 1, "output": 1}}, True, id="how-fast-and-how-dear"),
    pytest.param({"use": "openai:newer"}, False, id="model"),
    pytest.param({"params": {"temperature": 0.1}}, False, id="parameters"),
    pytest.param({"base_url": "http://127.0.0.1:1/v1"}, False, id="endpoint"),
]


@pytest.mark.parametrize(("change", "same"), CHANGES)
def test_what_makes_another_target_of_it(made: Made, change: dict[str, Any], same: bool):
    plain = json.loads((made.project.folder / "seatrial.yaml").read_text())
    plain["targets"]["new"] |= change
    (made.project.folder / "seatrial.yaml").write_text(json.dumps(plain))
    named = identities(load(made.project.folder / "seatrial.yaml"))["new"]
    assert (named == made.record.decisions[0]["candidate_identity"]) is same


def test_another_prompt_is_another_target(made: Made):
    plain = json.loads((made.project.folder / "seatrial.yaml").read_text())
    plain["prompt"] = [{"role": "system", "content": "Be brief."}, "input"]
    (made.project.folder / "seatrial.yaml").write_text(json.dumps(plain))
    named = identities(load(made.project.folder / "seatrial.yaml"))["new"]
    assert named != made.record.decisions[0]["candidate_identity"]


def test_texts_are_in_it_only_where_asked(made: Made):
    told = made.make(texts=True)
    assert "no idea" in told.text
    assert "no idea" not in made.record.text
    write_record(told, made.file)
    assert made.verify().result == "equal"


# the record altered ---------------------------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key in value for found in leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in leaves(item, (*path, at))]
    return [path]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_field_that_is_altered_fails_and_is_named(module_made: Made, data: st.DataObject):
    content = json.loads(module_made.record.text)
    paths = [path for path in leaves(content) if path[0] not in ("format", "sections")]
    path = data.draw(st.sampled_from(paths))
    at = content
    for key in path[:-1]:
        at = at[key]
    old = at[path[-1]]
    at[path[-1]] = old + 1 if isinstance(old, int | float) and not isinstance(old, bool) else f"{old}x"
    with Store(module_made.store) as store:
        found = check(records.parse((canonical(content) + "\n").encode()), store, module_made.file)
    assert found.result == "altered"
    named = [difference.path for difference in found.differences]
    assert any(name == path[0] or name.startswith((f"{path[0]}.", f"{path[0]}[")) for name in named), (path, named)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_character_altered_anywhere_fails(module_made: Made, data: st.DataObject):
    text = module_made.record.text
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != text[at]))
    with contextlib.suppress(RecordError), Store(module_made.store) as store:
        found = check(records.parse((text[:at] + other + text[at + 1 :]).encode()), store, module_made.file)
        assert found.result == "altered"
        assert found.differences


def test_a_verdict_turned_round_is_named_with_what_it_was(made: Made):
    was = made.record.decisions[0]["overall"]
    made.file.write_text(made.record.text.replace(f'"overall":"{was}"', '"overall":"sunk"'))
    found = made.verify()
    named = {d.path: (d.recorded, d.recomputed) for d in found.differences}
    assert named["decisions[new].overall"] == ("sunk", was)
    assert named["report.verdicts[new].overall"] == ("sunk", was)
    assert "digest" in named


def test_a_forger_who_seals_again_is_told_apart_and_still_caught(made: Made):
    content = json.loads(made.record.text)
    content["report"]["verdicts"][0]["rubrics"][0]["candidate"]["passed"] += 1
    write_record(records.seal(content), made.file)
    found = made.verify()
    assert found.result == "differs"
    assert [d.path for d in found.differences] == ["report.verdicts[new].rubrics[right].candidate.passed"]
    assert "another code of this version" in found.said


# the store altered ----------------------------------------------------------------------------------------------------

TAMPERED = [
    pytest.param("UPDATE scores SET passed = 1 - passed WHERE id = 1", ("scores of ",), id="a-score"),
    pytest.param("UPDATE outputs SET latency = 99 WHERE id = 5", ("outputs of ",), id="a-latency"),
    pytest.param(
        "UPDATE output_payloads SET payload = x'007b7d' WHERE output_id = 5", ("outputs of ",), id="an-answer"
    ),
    pytest.param("UPDATE case_payloads SET payload = x'007b7d' WHERE case_id = 5", ("cases, rows 1 to",), id="a-case"),
    pytest.param("DELETE FROM run_items WHERE position = 3", ("outputs of new", "scores of new"), id="a-line"),
]


@pytest.mark.parametrize(("statement", "places"), TAMPERED)
def test_rows_that_were_changed_are_located(made: Made, statement: str, places: tuple[str, ...]):
    with contextlib.closing(sqlite3.connect(made.store)) as connection, connection:
        connection.execute(statement)
    found = made.verify()
    assert found.result == "differs"
    assert all(any(place in where for where in found.located) for place in places), found
    assert any(d.path.startswith("hashes.") for d in found.differences)


def test_a_trial_that_is_not_there_is_said(made: Made, tmp_path: Path):
    Store(tmp_path / "empty.db").close()
    found = made.verify(store=tmp_path / "empty.db")
    assert (found.result, found.differences[0].path) == ("differs", "trial.id")
    with pytest.raises(NotFoundError):
        made.verify(store=tmp_path / "none.db")


def test_another_version_is_told_apart_from_tampering(made: Made):
    content = json.loads(made.record.text)
    content["software"]["seatrial"] = "0.0.1"
    write_record(records.seal(content), made.file)
    assert (made.verify().result, made.verify().software) == ("equal", ("seatrial 0.0.1, now 0.1.0",))
    content["report"]["clusters"] += 1
    write_record(records.seal(content), made.file)
    found = made.verify()
    assert (found.result, "another version draws 1 field otherwise" in found.said) == ("differs", True)


def test_a_setting_of_the_policy_that_came_later_and_is_not_used_is_no_difference(made: Made):
    content = json.loads(made.record.text)
    del content["report"]["policy"]["min_cases"]
    write_record(records.seal(content), made.file)
    assert made.verify().result == "equal"


def test_a_trial_of_one_target_has_nothing_to_record(project: Project, fake: FakeProvider):
    project.at(fake.base_url)
    project.write(CASES[:5])
    trial_id = project.run().trial_id
    with project.store() as store, pytest.raises(UsageError, match="incumbent and a candidate"):
        make_record(store, trial_id, records.Asked())


# elsewhere ------------------------------------------------------------------------------------------------------------


def test_it_is_drawn_again_from_the_bundle_alone(made: Made, tmp_path: Path):
    exported, path = export(made.trial_id, made.store, tmp_path / "b.seatrial")
    assert exported.rows["lines.jsonl"] == 160
    shutil.rmtree(made.store.parent)
    found = made.verify(store=None, packed=path)
    assert (found.result, found.differences) == ("equal", ())


def test_a_bundle_whose_rows_make_no_sense_is_refused_and_no_defect(made: Made, tmp_path: Path):
    with contextlib.closing(sqlite3.connect(made.store)) as connection, connection:
        connection.execute("UPDATE scores SET status = 77, measure = 'x'")
    _, path = export(made.trial_id, made.store, tmp_path / "b.seatrial")
    with pytest.raises(BundleError, match="Nothing can be drawn"):
        made.verify(store=None, packed=path)


def test_a_bundle_of_another_trial_is_told(made: Made, tmp_path: Path):
    shutil.copytree(made.project.folder, tmp_path / "other")
    other = Project(tmp_path / "other")
    with FakeProvider(Script(default=Reply(echo="no"))).in_thread() as fake:
        other.suite = json.loads((other.folder / "seatrial.yaml").read_text())
        other.at(fake.base_url)
        other.write(CASES)
        trial_id = other.run().trial_id
    _, path = export(trial_id, tmp_path / "other" / ".seatrial" / "seatrial.db", tmp_path / "b.seatrial")
    assert made.verify(store=None, packed=path).differences[0].path == "trial.id"
