"""The sealed file, its key, the ledger and what verify finds: laws, and every kind of tampering."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.sealing.sealed_set import cases, command, left_behind, sealed_case, words_in, write_set

from seatrial.core.vault import Keys, Vault, environment_key, mark_of, new_key
from seatrial.datasets.sealing import fileformat, ledger, seal
from seatrial.datasets.sealing.fileformat import CHUNK, Header
from seatrial.datasets.sealing.ledger import Entry, Shown
from seatrial.datasets.sealing.verify import verify
from seatrial.datasets.versions.committing import commit
from seatrial.datasets.versions.folder import SetFolder
from seatrial.datasets.versions.history import Commit
from seatrial.datasets.versions.restoring import checkout
from seatrial.datasets.versions.working import is_clean
from seatrial.errors import (
    DatasetError,
    LedgerError,
    MissingSecretError,
    NotFoundError,
    SealBrokenError,
    SealKeyError,
    UsageError,
)
from seatrial.store.codec import pack_sealed, unpack
from seatrial.store.sealed import open_case
from seatrial.store.store import Store

KEY, OTHER = new_key(), new_key()
CANARY = "0f2b2d76-fbc0-4f4f-beba-81d71a85824d"


def header(key: str = KEY) -> Header:
    return Header(set="refunds", canary=CANARY, key_id=Keys(key, CANARY).id, salt=fileformat.new_salt(), cases=1)


def written(path: Path, lines: list[bytes], key: str = KEY) -> Path:
    file = path / "sealed.bin"
    fileformat.write(file, header(key), Keys(key, CANARY), [line + b"\n" for line in lines])
    return file


@pytest.fixture
def vault() -> Vault:
    return Vault(Keys(KEY, CANARY), b"s" * 32)


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", KEY)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.delenv("GIT_AUTHOR_EMAIL", raising=False)
    path = write_set(tmp_path)
    seal.seal(path)
    return path


# the file -------------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=200).map(lambda raw: raw.replace(b"\n", b" ")), min_size=1, max_size=20))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]):
    assert list(fileformat.read(written(tmp_path_factory.mktemp("f"), lines), KEY)) == lines


@pytest.mark.parametrize("size", [0, 1, CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK + 5])
def test_chunks_of_every_length_are_read(tmp_path: Path, size: int):
    file = written(tmp_path, [b"x" * size])
    assert list(fileformat.read(file, KEY)) == [b"x" * size]
    assert b"xxxxxxxx" not in file.read_bytes()


@settings(max_examples=150)
@given(st.data())
def test_any_flipped_bit_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    file = written(tmp_path_factory.mktemp("f"), [b"a case" * 20, b"another"])
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, 8 * len(content) - 1))
    content[at // 8] ^= 1 << at % 8
    file.write_bytes(content)
    with pytest.raises((SealBrokenError, SealKeyError)):
        list(fileformat.read(file, KEY))


def _swapped(raw: bytes, start: int) -> bytes:
    step = CHUNK + 16
    return raw[:start] + raw[start + step : start + 2 * step] + raw[start : start + step] + raw[start + 2 * step :]


CUTS: dict[str, Callable[[bytes, int], bytes]] = {
    "the last chunk left out": lambda raw, start: raw[: start + 2 * (CHUNK + 16)],
    "a chunk left out": lambda raw, start: raw[:start] + raw[start + CHUNK + 16 :],
    "chunks exchanged": _swapped,
    "a chunk twice": lambda raw, start: raw[: start + CHUNK + 16] + raw[start:],
    "cut within a chunk": lambda raw, start: raw[:-1],
    "something behind it": lambda raw, start: raw + b"x",
    "no chunk at all": lambda raw, start: raw[:start],
    "nothing": lambda raw, start: b"",
}


@pytest.mark.parametrize("alter", CUTS.values(), ids=CUTS.keys())
def test_a_file_put_together_otherwise_does_not_open(tmp_path: Path, alter: Callable[[bytes, int], bytes]):
    file = written(tmp_path, [os.urandom(CHUNK * 2).hex().encode()[: CHUNK * 2 + 100]])
    raw = file.read_bytes()
    file.write_bytes(alter(raw, 12 + int.from_bytes(raw[8:12], "big")))
    with pytest.raises(SealBrokenError):
        list(fileformat.read(file, KEY))


def test_a_wrong_key_is_said_plainly(tmp_path: Path):
    with pytest.raises(SealKeyError, match="is the wrong one") as caught:
        list(fileformat.read(written(tmp_path, [b"x"]), OTHER))
    assert caught.value.exit_code == 2
    assert KEY not in str(caught.value)
    assert OTHER not in str(caught.value)


def test_equal_cases_make_unequal_files(tmp_path: Path):
    first = written(tmp_path, [b"x"]).read_bytes()
    assert written(tmp_path, [b"x"]).read_bytes() != first


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        pytest.param("p" * 31, False, id="a passphrase that is too short"),
        pytest.param("p" * 32, True, id="a passphrase"),
        pytest.param("é" * 16, True, id="a passphrase of 32 bytes in 16 letters"),
        pytest.param("stk1-abc", False, id="a key that was cut"),
        pytest.param(KEY + "A", False, id="a key with a letter too many"),
        pytest.param(KEY[:-1] + "!", False, id="a key with a strange letter"),
        pytest.param(KEY, True, id="a key"),
    ],
)
def test_keys(key: str, fits: bool):
    if not fits:
        with pytest.raises(SealKeyError) as caught:
            Keys(key, CANARY)
        assert key not in str(caught.value)
        return
    assert Keys(key, CANARY).id == Keys(key, CANARY).id != Keys(key, "another set").id


def test_no_key_is_a_missing_secret():
    with pytest.raises(MissingSecretError):
        environment_key({})


# the store ------------------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.data())
def test_any_flipped_bit_of_a_payload_is_found(data: st.DataObject):
    vault = Vault(Keys(KEY, CANARY), b"s" * 32)
    stored = bytearray(pack_sealed(b'{"input":"secret"}', {"n": 1}, vault))
    assert unpack(bytes(stored), vault) == {"input": "secret"}
    assert unpack(bytes(stored)) == {"n": 1}
    at = data.draw(st.integers(8 * 5, 8 * len(stored) - 1))
    stored[at // 8] ^= 1 << at % 8
    with pytest.raises((SealBrokenError, SealKeyError)):
        unpack(bytes(stored), vault)


def test_a_stand_in_keeps_numbers_and_identities(vault: Vault):
    case = cases()[1]
    plain = open_case(case, vault)
    assert plain["strata"] == case.strata
    assert plain["origin"] == "adversarial"
    assert plain["created_at"] == "2026-01-02"
    assert plain["seed_id"] == vault.name(case.seed_id) != case.seed_id
    assert plain["$sealed"]["hash"] == case.hash


def test_a_sealed_case_is_not_kept_without_the_key(sealed: Path, tmp_path: Path):
    found = list(seal._sealed(SetFolder(sealed), KEY))
    with Store(tmp_path / "s.db") as store:
        with pytest.raises(SealKeyError):
            store.keep_dataset("x", found, {}, None)
        with store.unsealed(seal.vault_of(SetFolder(sealed))):
            kept = store.keep_dataset("x", found, {}, None)
            assert [c.case for c in store.cases(kept.id, range(8))] == found
            assert next(store.case_keys(kept.id)) == (found[0].id, found[0].input_hash)
        shown = [c.case for c in store.cases(kept.id, range(8))]
        assert all(c.text.startswith("[sealed]") and c.id.startswith("sealed-") for c in shown)
        assert [c.hash for c in shown] == [c.hash for c in found]


# sealing --------------------------------------------------------------------------------------------------------------


def test_sealing_keeps_every_case_and_marks_it(sealed: Path):
    folder = SetFolder(sealed)
    found = list(seal._sealed(folder, KEY))
    assert [c.id for c in found] == [sealed_case(n)["id"] for n in range(8)]
    canary = fileformat.read_header(folder.sealed_file).canary
    assert {mark_of(c)["canary"] for c in found} == {canary} == {folder.lock.canary}
    assert all("must not appear in training data" in mark_of(c)["notice"] for c in found)
    assert not folder.file("sealed").exists()
    assert folder.lock.cases["sealed"] == 8


def test_only_a_run_reads_sealed_cases(sealed: Path):
    with pytest.raises(UsageError, match="by a run only"):
        list(SetFolder(sealed).cases("sealed"))


def test_sealing_again_adds_new_cases_and_none_twice(sealed: Path):
    file = sealed / "sealed.jsonl"
    lines = [json.dumps({k: v for k, v in sealed_case(n).items() if v is not None}) for n in (7, 8, 9)]
    file.write_text("\n".join(lines[1:]))
    assert seal.seal(sealed).new == 2
    assert [c.id for c in seal._sealed(SetFolder(sealed), KEY)] == [sealed_case(n)["id"] for n in range(10)]
    before = (sealed / "versions.jsonl").read_bytes()
    with pytest.raises(DatasetError, match="nothing is new") as caught:
        seal.seal(sealed)
    assert caught.value.exit_code == 2
    assert (sealed / "versions.jsonl").read_bytes() == before
    file.write_text(lines[0])
    assert seal.seal(sealed).new == 0, "a case that is sealed already, as after a kill"
    file.write_text(lines[0].replace("umbravelvet", "other"))
    with pytest.raises(DatasetError) as caught:
        seal.seal(sealed)
    assert "orchidanvil" not in str(caught.value)


def test_a_new_key_takes_the_place_of_the_old_one(sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = SetFolder(sealed).lock
    path = tmp_path / "s.db"
    with Store(path) as store, store.unsealed(seal.vault_of(SetFolder(sealed))):
        kept = store.keep_dataset("x", seal._sealed(SetFolder(sealed), KEY), {}, None)
    monkeypatch.setenv("SEATRIAL_SEAL_KEY_OLD", KEY)
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", OTHER)
    assert seal.rekey(sealed, store=path).payloads == 8
    assert seal.rekey(sealed, store=path).payloads == 0
    with pytest.raises(SealKeyError):
        list(fileformat.read(sealed / "sealed.bin", KEY))
    assert SetFolder(sealed).lock.version == before.version
    with Store(path) as store, store.unsealed(seal.vault_of(SetFolder(sealed))):
        assert store.cases(kept.id, [0])[0].case.id == "orchidanvil 0"


def test_what_still_lies_open_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", KEY)
    path = write_set(tmp_path)
    (path / "notes.jsonl").write_text(json.dumps({"case": "orchidanvil 3"}) + "\n{}\n")
    with Store(tmp_path / "s.db") as store:
        store.keep_dataset("open", cases(), {}, None)
    left = seal.seal(path, store=tmp_path / "s.db").left
    assert left.files == {"notes.jsonl": 1}
    assert left.stored == 8


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "while it is written": lambda path: any(path.glob(".sealed.bin*")),
    "once it is written": lambda path: (path / "sealed.bin").exists(),
    "once the plain file is gone": lambda path: not (path / "sealed.jsonl").exists(),
    "once it is in the history": lambda path: (path / "versions.jsonl").read_bytes().count(b"\n") > 1,
}


@pytest.mark.parametrize("reached", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_kill_leaves_the_plain_file_or_the_whole_sealed_one(tmp_path: Path, reached: Callable[[Path], bool]):
    path = write_set(tmp_path, sealed=400)
    command(tmp_path, "dataset", "commit", "sets/refunds", "-m", "first")
    plain = (path / "sealed.jsonl").read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "seatrial", "dataset", "seal", "sets/refunds"],
        cwd=tmp_path,
        env={**os.environ, "SEATRIAL_SEAL_KEY": KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not reached(path):
        pass
    process.kill()
    process.wait()
    if (path / "sealed.bin").exists():
        assert len(list(seal._sealed(SetFolder(path), KEY))) == 400
    else:
        assert (path / "sealed.jsonl").read_bytes() == plain
    again = command(tmp_path, "dataset", "seal", "sets/refunds", key=KEY)
    finished = again.returncode == 2 and "nothing is new" in again.stderr
    assert again.returncode == 0 or finished, again.stderr
    assert len(list(seal._sealed(SetFolder(path), KEY))) == 400
    assert command(tmp_path, "dataset", "verify", "sets/refunds", key=KEY).returncode == 0


# the ledger -----------------------------------------------------------------------------------------------------------


def expose(path: Path, trial: str, model: str = "m1") -> Entry:
    folder = SetFolder(path)
    shown = (Shown(name="new", model=model, hosts=("api.example.org",)),)
    entry = Entry(
        number=1, at="2026-01-02T03:04:05+00:00", who="Ada", trial=trial, set="refunds", version=folder.lock.version,
        cases=8, shown=shown,
    )  # fmt: skip
    return ledger.append(folder, entry, seal.vault_of(folder))


@pytest.fixture
def exposed(sealed: Path) -> Path:
    for number in range(4):
        expose(sealed, f"t{number}", f"m{number % 2}")
    return sealed


def faults(path: Path) -> list[str]:
    return [
        f"{check.name}: {fault}"
        for check in verify(path).checks
        if check.ok is False
        for fault in (check.faults or ("?",))
    ]


def test_a_sound_set_is_said_to_be(exposed: Path):
    found = verify(exposed)
    assert found.sound, found
    assert found.exposures == {"m0": 2, "m1": 2}
    assert [check.ok for check in found.checks] == [True] * 6 + [None]


def _altered(lines: list[str]) -> list[str]:
    entry = json.loads(lines[1])
    entry["shown"][0]["model"] = "another"
    return [lines[0], json.dumps(entry, sort_keys=True, separators=(",", ":")), *lines[2:]]


def _anew(lines: list[str]) -> list[str]:
    """The whole ledger written anew, every hash right: what only the codes and the lock can tell."""
    made: list[Entry] = []
    for line in lines:
        plain = {key: value for key, value in json.loads(line).items() if key != "hash"} | {"who": "nobody"}
        made.append(Entry.model_validate(plain | {"previous": [made[-1].hash] if made else []}))
    return [one.line.decode().strip() for one in made]


TAMPERED: dict[str, Callable[[list[str]], list[str]]] = {
    "an entry altered": _altered,
    "an entry removed": lambda lines: [lines[0], *lines[2:]],
    "the first removed": lambda lines: lines[1:],
    "the last removed": lambda lines: lines[:-1],
    "the last two removed": lambda lines: lines[:-2],
    "all removed": lambda lines: [],
    "two exchanged": lambda lines: [lines[0], lines[2], lines[1], lines[3]],
    "the last two exchanged": lambda lines: [*lines[:2], lines[3], lines[2]],
    "one twice": lambda lines: [*lines, lines[3]],
    "a line that is none": lambda lines: [*lines, "{}"],
    "a line cut": lambda lines: [*lines[:3], lines[3][:-20]],
    "an empty line": lambda lines: [*lines[:2], "", *lines[2:]],
    "spaces put in": lambda lines: [lines[0], lines[1].replace('":', '": ', 1), *lines[2:]],
    "written anew": _anew,
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_ledger_that_was_tampered_with_is_found_and_stops_runs(
    exposed: Path, tamper: Callable[[list[str]], list[str]]
):
    file = exposed / "ledger.jsonl"
    lines = file.read_text().splitlines()
    content = "".join(line + "\n" for line in tamper(lines))
    file.write_text(content)
    assert faults(exposed)
    with pytest.raises(LedgerError, match="nothing is sent"):
        expose(exposed, "t9")
    assert file.read_text() == content


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_of_the_ledger_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    path = _shared_exposed(tmp_path_factory)
    file = path / "ledger.jsonl"
    raw = file.read_bytes()
    at, new = data.draw(st.integers(0, len(raw) - 2)), data.draw(st.integers(0, 255))
    changed = raw[:at] + bytes([new]) + raw[at + 1 :]
    try:
        file.write_bytes(changed)
        assert bool(ledger.read(SetFolder(path)).problems) == (changed != raw)
    finally:
        file.write_bytes(raw)


_SHARED: list[Path] = []


def _shared_exposed(factory: pytest.TempPathFactory) -> Path:
    if not _SHARED:
        os.environ["SEATRIAL_SEAL_KEY"] = KEY
        path = write_set(factory.mktemp("shared"))
        try:
            seal.seal(path)
            for number in range(3):
                expose(path, f"t{number}")
        finally:
            del os.environ["SEATRIAL_SEAL_KEY"]
        _SHARED.append(path)
    return _SHARED[0]


def test_ledgers_of_two_branches_are_put_together(exposed: Path):
    file, lock = exposed / "ledger.jsonl", exposed / "set.lock"
    before, state = file.read_text(), lock.read_text()
    expose(exposed, "ours")
    ours = file.read_text().removeprefix(before)
    file.write_text(before)
    lock.write_text(state)
    expose(exposed, "theirs")
    file.write_text(before + ours + file.read_text().removeprefix(before))
    assert not faults(exposed)
    after = expose(exposed, "merged")
    assert len(after.previous) == 2
    assert after.number == 6
    assert not faults(exposed)


def test_a_commit_keeps_what_the_lock_knows_of_the_ledger(exposed: Path):
    (exposed / "build.jsonl").write_text('{"id":"n","input":"new"}\n')
    commit(exposed, "changed")
    (exposed / "ledger.jsonl").unlink()
    assert any("cut off" in fault for fault in faults(exposed))
    (exposed / "build.jsonl").write_text('{"id":"n","input":"newer"}\n')
    before = (exposed / "set.lock").read_bytes(), (exposed / "versions.jsonl").read_bytes()
    with pytest.raises(LedgerError, match="cut off"):
        commit(exposed, "changed again")
    assert ((exposed / "set.lock").read_bytes(), (exposed / "versions.jsonl").read_bytes()) == before


def in_git(folder: Path, what: str = "sets") -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for arguments in (["init", "-q"], ["add", what], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


SHORTER: dict[str, Callable[[list[str]], list[str]]] = {
    "the last removed": lambda lines: lines[:-1],
    "the first alone": lambda lines: lines[:1],
    "all removed": lambda lines: [],
    "written anew": _anew,
}


@pytest.mark.parametrize("tamper", SHORTER.values(), ids=SHORTER.keys())
@pytest.mark.parametrize("kept", [True, False], ids=["with the lock", "without the lock"])
def test_a_ledger_that_git_has_more_of_is_refused(exposed: Path, tamper: Callable[..., list[str]], kept: bool):
    in_git(exposed.parent.parent)
    assert not faults(exposed)
    file = exposed / "ledger.jsonl"
    file.write_text("".join(line + "\n" for line in tamper(file.read_text().splitlines())))
    if not kept:
        (exposed / "set.lock").unlink()
    assert any("git's HEAD has" in fault for fault in faults(exposed))
    (exposed / "sealed.jsonl").write_text('{"id":"s","input":"one more"}\n')
    before = {path.name: path.read_bytes() for path in exposed.iterdir()}
    for work in (lambda: commit(exposed, "again"), lambda: seal.seal(exposed), lambda: seal.rekey(exposed)):
        with pytest.raises(LedgerError, match="git's HEAD has"):
            work()
    assert {path.name: path.read_bytes() for path in exposed.iterdir()} == before


def test_a_ledger_that_goes_on_from_the_one_in_git_is_fine(exposed: Path):
    in_git(exposed.parent.parent)
    expose(exposed, "t9")
    (exposed / "build.jsonl").write_text('{"id":"n","input":"new"}\n')
    assert commit(exposed, "again").new
    assert not faults(exposed)


def test_a_lock_that_was_deleted_is_written_anew_with_the_ledgers_end_and_told(exposed: Path):
    before = json.loads((exposed / "set.lock").read_text())
    (exposed / "set.lock").unlink()
    assert any("`seatrial dataset commit` writes it anew" in fault.said for fault in verify(exposed).checks)
    made = commit(exposed, "again")
    assert (made.new, made.rebuilt) == (False, True)
    assert json.loads((exposed / "set.lock").read_text()) == before
    (exposed / "set.lock").unlink()
    told = command(exposed.parent.parent, "dataset", "commit", "sets/refunds", "-m", "again", key=KEY)
    assert "set.lock was missing and is written anew" in told.stdout
    assert not commit(exposed, "again").rebuilt


def test_a_run_that_cannot_write_the_ledger_does_not_start(sealed: Path):
    (sealed / "ledger.jsonl").mkdir()
    with pytest.raises(LedgerError):
        expose(sealed, "t1")


BROKEN: dict[str, Callable[[Path], object]] = {
    "an open case changed": lambda path: (path / "build.jsonl").write_text('{"id":"n","input":"new"}\n'),
    "sealed.bin of another key": lambda path: written(path, [b"{}"]),
    "sealed.bin cut": lambda path: (path / "sealed.bin").write_bytes((path / "sealed.bin").read_bytes()[:-9]),
    "a version removed": lambda path: (path / "versions.jsonl").write_text(""),
    "no lock": lambda path: (path / "set.lock").unlink(),
}


@pytest.mark.parametrize("harm", BROKEN.values(), ids=BROKEN.keys())
def test_verify_finds_other_harm(exposed: Path, harm: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch):
    harm(exposed)
    monkeypatch.delenv("SEATRIAL_SEAL_KEY")
    assert faults(exposed)
    done = command(exposed.parent.parent, "dataset", "verify", "sets/refunds")
    assert done.returncode == 4, done.stderr


# versions from before the seal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("then", ["seal", "seal, exchange the key", "seal, commit to git, seal one more"])
def test_versions_from_before_the_seal_come_back_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str):
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", KEY)
    path, store, key = write_set(tmp_path), tmp_path / "s.db", KEY
    made: list[Commit] = []
    for said in ("old", "new"):
        (path / "build.jsonl").write_text(json.dumps({"id": "o", "input": said}) + "\n")
        made.append(commit(path, said, store=store).commit)
    seal.seal(path)
    last = SetFolder(path).lock
    if "key" in then:
        key = OTHER
        monkeypatch.setenv("SEATRIAL_SEAL_KEY_OLD", KEY)
        monkeypatch.setenv("SEATRIAL_SEAL_KEY", OTHER)
        seal.rekey(path)
    if "git" in then:
        in_git(tmp_path, "sets/refunds/sealed.bin")
        (path / "sealed.jsonl").write_text('{"id":"s","input":"one more"}\n')
        seal.seal(path)
        in_git(tmp_path, "sets/refunds/sealed.bin")
    for version in made:
        monkeypatch.delenv("SEATRIAL_SEAL_KEY", raising=False)
        checkout(path, version.id, store=store)
        folder = SetFolder(path)
        assert folder.lock == version
        assert is_clean(folder, version)
        assert not folder.file("sealed").exists()
        assert [case.text for case in folder.cases("build")] == [version.message]
        assert not faults(path)
        monkeypatch.setenv("SEATRIAL_SEAL_KEY", key)
        assert not faults(path)
        assert {case.id for case in seal._sealed(folder, key)} == {sealed_case(n)["id"] for n in range(8)}
    if then == "seal":
        assert not commit(path, "again").new
        assert SetFolder(path).lock == last
    assert not any(words_in(raw) for name, raw in left_behind(tmp_path) if not name.startswith(".git/"))


def test_a_checkout_does_not_lose_a_sealed_file_that_git_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", KEY)
    path, store = write_set(tmp_path), tmp_path / "s.db"
    plain = (path / "sealed.jsonl").read_bytes()
    (path / "sealed.jsonl").unlink()
    version = commit(path, "first", store=store).commit
    (path / "sealed.jsonl").write_bytes(plain)
    seal.seal(path)
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    with pytest.raises(UsageError, match=r"sealed\.bin would be lost"):
        checkout(path, version.id, store=store)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    in_git(tmp_path)
    checkout(path, version.id, store=store)
    assert not (path / "sealed.bin").exists()
    checkout(path, json.loads(before["set.lock"])["commit"], store=store)
    assert (path / "sealed.bin").read_bytes() == before["sealed.bin"]


def test_a_seal_tells_no_digest_that_the_history_has_not(sealed: Path):
    assert SetFolder(sealed).lock.evolution == {}


def test_a_version_whose_sealed_cases_were_changed_since_is_told_to_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", KEY)
    path = write_set(tmp_path)
    version = commit(path, "first").commit
    write_set(tmp_path, sealed=7)
    seal.seal(path)
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    with pytest.raises(NotFoundError, match="no store keeps sealed cases"):
        checkout(path, version.id)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


# what is left open ----------------------------------------------------------------------------------------------------


def test_what_every_case_says_alike_is_no_leftover_and_a_cases_own_words_are(tmp_path, monkeypatch):
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", KEY)
    rule = {"role": "system", "content": "You help the customers of a shop."}
    rows = {
        split: [
            {"id": f"{split}{n}", "input": [rule, {"role": "user", "content": f"What became of parcel {split} {n}?"}]}
            for n in range(5)
        ]
        for split in ("build", "test", "sealed")
    }
    rows["build"].append({"id": "copied", "input": "What became of parcel sealed 3?"})
    folder = tmp_path / "refunds"
    folder.mkdir()
    for split, held in rows.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(case) + "\n" for case in held))
    assert seal.seal(folder).left.files == {"build.jsonl": 1}


def test_generic_short_answers_are_no_leftover_and_the_lines_of_others_are_named(tmp_path: Path):
    path = tmp_path / "refunds"
    path.mkdir()
    long = "The boat leaves at half past ten from the second pier, behind the red house."
    said = {"build": ["The boat leaves at 22:30."] * 3, "test": ["Pay at the counter.", long, long]}
    for split, answers in said.items():
        rows = [{"id": f"{split}{n}", "input": f"{split} {n}", "expected": text} for n, text in enumerate(answers)]
        (path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = ["The boat leaves at 22:30.", "Pay at the counter.", long, "No."]
    rows = [{"id": f"s{n}", "input": f"sealed {n}", "expected": text} for n, text in enumerate(answers)]
    (path / "sealed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "notes.md").write_text("seen:\n\nThe boat leaves at 22:30.\nPay at the counter.\n")
    done = command(tmp_path, "dataset", "seal", "refunds", key=KEY)
    assert done.returncode == 0, done.stderr
    assert "test.jsonl still holds their text or ids, in lines 1, 2, 3\n" in done.stdout
    assert "notes.md still holds their text or ids, in line 4\n" in done.stdout
    assert "build.jsonl" not in done.stdout
    assert "delete the lines that are copies" in done.stdout


def test_what_people_wrote_about_a_sealed_case_goes_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", KEY)
    path = write_set(tmp_path)
    ids = [case.id for case in SetFolder(path).cases("sealed")]
    notes = path / "labels" / "outcome.Ada.jsonl"
    notes.parent.mkdir()
    line = {"mode": "outcome", "by": "Ada", "at": "2026-11-22T08:00:00Z", "value": {"answers": ["ten days"]}}
    notes.write_text("".join(json.dumps({**line, "case": one, "unit": one}) + "\n" for one in (ids[0], "open")))
    assert seal.seal(path).forgotten == 1
    assert [json.loads(line)["case"] for line in notes.read_text().splitlines()] == ["open"]
