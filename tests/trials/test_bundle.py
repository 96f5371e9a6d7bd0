"""Bundles: the same bytes for the same rows, everything that a verdict needs, and nothing that an attacker wants."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.verdicts.made_trials import Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.identity import digest
from seatrial.core.output import Failure, Output, Timing, Usage
from seatrial.core.score import Score
from seatrial.errors import BundleError, NotFoundError, UsageError
from seatrial.store import bundle
from seatrial.store.bundle import HEAD, MEMBERS, export, restore
from seatrial.store.digests import arm_digest, dataset_digest
from seatrial.store.store import Store
from seatrial.verdicts.compare import report

HOSTILE = ["\ud800", "\x00", "\u202e", "x" * 5000, '{"a": NaN}', "", "ünï"]


def answer(case: Case, epoch: int) -> tuple[Output, Sequence[Score | None]]:
    """Answers of every sort: good, failed, priced, timed, hostile, with numbers that JSON has no form for."""
    at = int(case.id[1:])
    text = HOSTILE[at % len(HOSTILE)]
    output = Output.of(
        text,
        usage=Usage(input=2**63 + at, output=7),
        cost=0.1 * at,
        price_source="suite 2026-01-01",
        timing=Timing(total=1.0 + at, first_token=0.5, load="closed:1") if at % 3 else Timing(),
        served_model=f"m-{text[:5]}",
        metadata={"z": 1, "a": [2**70, float("nan"), text], "epoch": epoch},
        failure=Failure(kind="infra", code="timeout") if at % 11 == 10 else None,
        finished_at=f"2026-01-01T00:00:{at % 60:02}+00:00",
    )
    passed = Score.binary(at % 4 != 0, reason=text)
    return output, [passed, None if at % 5 == 0 else Score(value=0.5, passed=True, measure=float(at), unit="s")]


def other(case: Case, epoch: int) -> tuple[Output, Sequence[Score | None]]:
    output, scores = answer(case, epoch)
    return output.model_copy(update={"served_model": "n"}), [Score.binary(True), scores[1]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a trial."""
    path = tmp_path_factory.mktemp("store") / "seatrial.db"
    cases = [
        Case(id=f"c{i}", input=f"question {i % 50} {HOSTILE[i % 3]}", strata={"k": str(i % 4)}, seed_id=f"s{i // 3}")
        for i in range(60)
    ]
    with Store(path) as store:
        suite = make_suite({"name": "right"}, {"name": "fine", "kind": "advisory"})
        trial = Trial(store, suite, cases, epochs=2)
        trial.write({"old": other, "new": other}, trial_id="earlier")
        with store.writing() as connection:
            connection.exec_driver_sql("UPDATE outputs SET series = 'fresh-1'")
        environment = {"author": "ann", "host": "box", "pid": "1"}
        trial.write({"old": answer, "new": other}, trial_id="trial", environment=environment)
    return path


@pytest.fixture(scope="module")
def packed(made: Path) -> bytes:
    with Store(made) as store:
        export(store, "trial", made.parent / "b.seatrial", ("host", "pid"))
    return (made.parent / "b.seatrial").read_bytes()


def restored(raw: bytes, folder: Path) -> Store:
    folder.mkdir(exist_ok=True)
    (folder / "b.seatrial").write_bytes(raw)
    store = Store(folder / "restored.db")
    try:
        restore(folder / "b.seatrial", store)
    except BaseException:
        store.close()
        raise
    return store


def test_the_same_rows_give_the_same_bytes(made: Path, packed: bytes, tmp_path: Path):
    with Store(made) as store:
        again = export(store, "trial", tmp_path / "again.seatrial", ("host", "pid"))
    assert (tmp_path / "again.seatrial").read_bytes() == packed
    assert {name: again.rows[name] for name in ("cases.jsonl", "outputs.jsonl", "lines.jsonl")} == {
        "cases.jsonl": 60,
        "outputs.jsonl": 240,
        "lines.jsonl": 240,
    }
    assert again.rows["scores.jsonl"] > 200
    assert again.rows["earlier.jsonl"] > 50


def test_what_was_restored_is_exported_with_the_same_rows(packed: bytes, tmp_path: Path):
    with restored(packed, tmp_path) as store:
        export(store, "trial", tmp_path / "again.seatrial", ("host", "pid"))
    assert (tmp_path / "again.seatrial").read_bytes() == packed


def test_digests_and_report_are_those_of_the_store(made: Path, packed: bytes, tmp_path: Path):
    def seen(store: Store) -> Any:
        trial, runs = store.trial("trial"), store.runs("trial")
        found = report(store, "trial").plain()
        found["environment"] = {k: v for k, v in found.get("environment", {}).items() if k not in ("host", "pid")}
        return [found, dataset_digest(store, trial.dataset_id), *(arm_digest(store, run) for run in runs)]

    with Store(made) as store, restored(packed, tmp_path) as again:
        assert seen(again) == seen(store)
        assert again.trial("trial").environment == {"author": "ann"}


def test_an_empty_store_is_needed_and_a_trial_that_is_there(made: Path, packed: bytes, tmp_path: Path):
    (tmp_path / "b.seatrial").write_bytes(packed)
    with Store(made) as store:
        with pytest.raises(BundleError, match="empty store"):
            restore(tmp_path / "b.seatrial", store)
        with pytest.raises(NotFoundError):
            export(store, "nothing", tmp_path / "x.seatrial")
        with pytest.raises(UsageError, match="cannot be written"):
            export(store, "trial", tmp_path)


# hostile bundles ------------------------------------------------------------------------------------------------------


def members(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zipped(held: dict[str, bytes], **kind: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind.get("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return out.getvalue()


def resealed(held: dict[str, bytes], **head: Any) -> dict[str, bytes]:
    """A forger's bundle, whose sums fit again."""
    from hashlib import sha256

    about = {**json.loads(held[HEAD]), **head}
    about["members"] = {
        name: {"rows": held[name].count(b"\n"), "bytes": len(held[name]), "sha256": sha256(held[name]).hexdigest()}
        for name in MEMBERS
    }
    about["digest"] = digest("bundle", {key: value for key, value in about.items() if key != "digest"})
    return {**held, HEAD: json.dumps(about).encode()}


def changed(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def change(held: dict[str, bytes]) -> dict[str, bytes]:
        assert old in held[name]
        return {**held, name: held[name].replace(old, new, 1)}

    return change


def first_row(name: str, edit: Callable[[Any], Any]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def change(held: dict[str, bytes]) -> dict[str, bytes]:
        first, _, rest = held[name].partition(b"\n")
        return {**held, name: json.dumps(edit(json.loads(first))).encode() + b"\n" + rest}

    return change


WORDS = "has another digest|not the|altered|instead of its own|not JSON|put together|is no case|format|dataset"
ATTACKS = [
    pytest.param(changed("cases.jsonl", b"question 1", b"question 9"), "not the case", id="a-case-rewritten"),
    pytest.param(first_row("outputs.jsonl", lambda r: [r[0], {"messages": []}]), "not the output", id="an-output"),
    pytest.param(first_row("lines.jsonl", lambda r: [r[0], r[1], r[2], 10**9, r[4]]), "are not there", id="line"),
    pytest.param(first_row("lines.jsonl", lambda r: [r[0], -1, *r[2:]]), "are not there", id="a-case-below-none"),
    pytest.param(first_row("lines.jsonl", lambda r: [r[0], r[1], 99, *r[3:]]), "are not there", id="an-epoch"),
    pytest.param(first_row("lines.jsonl", lambda r: [7, *r[1:]]), "not there", id="a-run-that-is-not-there"),
    pytest.param(first_row("scores.jsonl", lambda r: [[r[0][0], 99, 0], r[1]]), "put together", id="a-scorer"),
    pytest.param(first_row("scores.jsonl", lambda r: [[[{}], 0, 0], r[1]]), "put together", id="a-score-of-nothing"),
    pytest.param(first_row("cases.jsonl", lambda _: 7), "put together", id="a-row-of-another-shape"),
    pytest.param(first_row("cases.jsonl", lambda r: [r[0], {"id": ""}]), "is no case", id="no-case"),
    pytest.param(lambda held: {**held, "cases.jsonl": b"{\n"}, "not JSON", id="no-json"),
    pytest.param(lambda held: {**held, "cases.jsonl": b"[" * 100_000 + b"\n"}, "not JSON", id="deep"),
]


@pytest.mark.parametrize(("attack", "words"), ATTACKS)
def test_a_forged_row_is_refused_even_where_all_sums_fit(
    packed: bytes, tmp_path: Path, attack: Callable[[dict[str, bytes]], dict[str, bytes]], words: str
):
    with pytest.raises(BundleError, match=words):
        restored(zipped(resealed(attack(members(packed)))), tmp_path)


OUTER = [
    pytest.param(lambda held: zipped({**held, "../../evil": b"x"}), "instead of its own members", id="traversal"),
    pytest.param(lambda held: zipped({**held, "/etc/passwd": b"x"}), "instead of its own members", id="absolute"),
    pytest.param(lambda held: zipped({k: v for k, v in held.items() if k != HEAD}), "instead of", id="no-head"),
    pytest.param(lambda held: zipped({**held, "cases.jsonl": b""}), "altered", id="a-member-emptied"),
    pytest.param(lambda held: zipped(held, compression=zipfile.ZIP_STORED), "in another way", id="stored"),
    pytest.param(lambda held: zipped({**held, HEAD: b"[]"}), "its format is unknown", id="head-is-no-object"),
    pytest.param(lambda held: zipped({**held, HEAD: b"{}"}), "its format is unknown", id="empty-head"),
    pytest.param(lambda held: zipped({**held, "scores.jsonl": b"0" * (200 << 20)}), "would unpack to", id="bomb"),
    pytest.param(lambda _: b"no zip at all", "cannot be read", id="no-zip"),
    pytest.param(lambda _: b"", "cannot be read", id="nothing"),
    pytest.param(lambda held: zipped(held)[:-100], "cannot be read", id="cut"),
    pytest.param(lambda held: zipped(resealed(held, trial={"id": 7})), "put together", id="a-trial-that-says-nothing"),
    pytest.param(lambda held: zipped(resealed(held, runs="x")), "put together|not there", id="runs-of-nothing"),
    pytest.param(
        lambda held: zipped(resealed(held, runs=[{**run, "epochs": 10**9} for run in json.loads(held[HEAD])["runs"]])),
        "would have",
        id="a-memory-bomb",
    ),
    pytest.param(
        lambda held: zipped(resealed(held, dataset={"name": "x", "shares": {}, "hash": "dataset:st1:00"})),
        "its cases are the dataset",
        id="another-dataset",
    ),
]


@pytest.mark.parametrize(("attack", "words"), OUTER)
def test_an_unsafe_or_damaged_bundle_is_refused(
    packed: bytes, tmp_path: Path, attack: Callable[[dict[str, bytes]], bytes], words: str
):
    with pytest.raises(BundleError, match=words) as caught:
        restored(attack(members(packed)), tmp_path)
    assert caught.value.exit_code == 4
    assert sorted(path.name for path in tmp_path.parent.iterdir() if path.name == "evil") == []


def test_a_newer_bundle_is_told(packed: bytes, tmp_path: Path):
    held = members(packed)
    columns = json.loads(held[HEAD])["columns"]
    columns["outputs"].append("mood")
    with pytest.raises(BundleError, match="a newer version wrote it: mood"):
        restored(zipped(resealed(held, columns=columns)), tmp_path)


def test_a_missing_file_is_told(tmp_path: Path):
    with Store(tmp_path / "s.db") as store, pytest.raises(BundleError, match="No such file"):
        restore(tmp_path / "none.seatrial", store)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_byte_changed_anywhere_is_refused_or_changes_no_row(
    packed: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    raw = bytearray(packed)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BundleError):
        restored(bytes(raw), tmp_path_factory.mktemp("flip")).close()
        assert members(bytes(raw)) == members(packed), "only bytes of zip's own book-keeping change nothing"


def test_sizes_are_bounded_by_what_they_were_measured_with():
    assert bundle.MOST_RATIO < 1000 < bundle.MOST_BYTES
