"""The spool: what goes in comes out, after a kill too; what is not its own is begun anew."""

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.datasets.importing import spool as spools
from seatrial.datasets.importing.spool import Progress, Seal, Spool
from seatrial.datasets.importing.turns import usual
from seatrial.traces.observation import Observation

KEY = b"0123456789abcdef"


def kept(spool: Spool, number: int, text: str = "hi", **fields) -> None:
    fields = {"span_id": f"s{number}", "start": number, **fields}
    payload = {"n": number, "messages": [{"role": "user", "content": text}]} if text else None
    spool.add(Observation(fields.pop("kind", "llm"), **fields), payload, 1, (0, number))


def opened(folder: Path, key: bytes | None = KEY, identity: str = "one") -> Spool:
    return Spool(folder / ".pool.import", identity, Seal(key))


@pytest.mark.parametrize("key", [pytest.param(KEY, id="sealed"), pytest.param(None, id="open")])
def test_payloads_and_names_come_back_from_a_spool_that_was_killed(key, tmp_path):
    texts = {n: text * (1 + n % 7) for n, text in enumerate(["short", "line\nbreak", "\ud800", "\0", "x" * 70_000] * 9)}
    at = Progress()
    for part in (range(20), range(20, 45)):
        spool = opened(tmp_path, key)
        for number in part:
            kept(spool, number, texts[number], session_id=f"näme \udfff {number}", trace_id=f"t{number}")
        at = spool.commit(at._replace(number=part[-1]), [])
        kept(spool, 99, "never committed")
        spool.close()
    spool = opened(tmp_path, key)
    assert spool.progress() == at == Progress(number=44, seen=45)
    spool.join()
    groups = list(spool.groups())
    assert [[entry.number for entry in group] for group in groups] == [[number] for number in range(45)]
    for entries in reversed(groups):  # whatever the order in which blocks are opened
        number = entries[0].number
        assert spool.payload(entries[0]) == {"n": number, "messages": [{"role": "user", "content": texts[number]}]}
        assert spool.session(entries) == f"näme \udfff {number}"
    spool.close(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_what_is_opened_at_once_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "OPENED", 50_000)
    spool = opened(tmp_path)
    for number in range(40):
        kept(spool, number, f"{number}" * 9_000)
    spool.commit(Progress(), [])
    spool.join()
    entries = [group[0] for group in spool.groups()]
    for entry in entries + entries[::-1]:
        assert spool.payload(entry)["n"] == entry.number
        assert sum(map(len, spool._open.values())) <= 50_000 + spools.BLOCK + 20_000
    spool.close()


@pytest.mark.parametrize("named", [pytest.param(True, id="one span names it"), pytest.param(False, id="nobody does")])
def test_a_span_without_a_session_gets_that_of_its_trace(named, tmp_path):
    spool = opened(tmp_path)
    kept(spool, 3, trace_id="t")
    kept(spool, 2, "", kind="chain", trace_id="t", session_id="room 7" if named else "")
    kept(spool, 1, "other", trace_id="u")
    spool.commit(Progress(), [])
    spool.join()
    groups = list(spool.groups())
    assert [[entry.number for entry in group] for group in groups] == [[1], [2, 3]]
    assert [spool.session(group) for group in groups] == ["", "room 7" if named else ""]
    assert spool.payload(groups[1][0]) == {}
    spool.close()


MARKS = {
    "a span": (("span", "t", "s"), "d285a575f37d9ff2cb8cb5885e65e784"),
    "a span without a name": (("span", "", "", "None", b"{}"), "9965da12591a10fbc034d3a49e78f228"),
    "a log event": (("event", "t", "s", "5", b""), "ada0d916fb230796017ac4032e9c6c44"),
    "a lone surrogate": (("trace", "\ud800"), "72bf31b3c939993a349f3a513680a0df"),
    "a long name": (("session", "x" * 300), "421bc06e3f9ace2eab5253577786b8db"),
}


@pytest.mark.parametrize(("parts", "expected"), [pytest.param(*held, id=name) for name, held in MARKS.items()])
def test_marks_stay_what_they_were_for_ids_of_cases_are_made_of_them(parts, expected):
    seal = Seal(KEY)
    assert [seal.mark(*parts).hex(), seal.mark(*parts).hex()] == [expected, expected]
    assert Seal(b"another key").mark(*parts).hex() != expected


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40), st.data())
def test_the_first_of_those_with_the_same_ids_is_kept_whichever_commits_lie_between(spans, data):
    with TemporaryDirectory() as folder:
        spool = opened(Path(folder))
        first: dict[int, int] = {}
        for number, span in enumerate(spans):
            first.setdefault(span, number)
            kept(spool, number, span_id=f"s{span}", trace_id="t", start=number)
            if data.draw(st.booleans()):
                spool.commit(Progress(), [])
        spool.commit(Progress(), [])
        for _ in range(2):  # a join that was killed after it is joined again
            spool.join()
            assert [entry.number for group in spool.groups() for entry in group] == sorted(first.values())
            assert [spool.payload(entry)["n"] for (entry, *_) in spool.groups()] == [0]
        assert spool.count() == spool.count("llm") == len(first)
        spool.close()


def test_groups_come_by_their_first_request_and_timeless_ones_last(tmp_path):
    spool = opened(tmp_path)
    kept(spool, 1, session_id="late", start=50)
    kept(spool, 2, session_id="never", start=None)
    kept(spool, 3, session_id="early", start=40)
    kept(spool, 4, session_id="late", start=45)
    kept(spool, 5, "no request", kind="tool", session_id="tools only", start=1)
    kept(spool, 6, "before all", kind="tool", session_id="late", start=2)
    spool.commit(Progress(), [])
    spool.join()
    assert [[entry.number for entry in group] for group in spool.groups()] == [[3], [6, 4, 1], [2]]
    spool.close()


def test_a_spool_of_another_layout_is_begun_anew(tmp_path):
    path = tmp_path / ".pool.import"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        db.execute("INSERT INTO meta VALUES ('identity', 'an older one')")
        db.execute("CREATE TABLE seen (id INTEGER PRIMARY KEY, key BLOB UNIQUE, payload BLOB)")
        db.execute("INSERT INTO seen (key, payload) VALUES (x'01', x'02')")
    db.close()
    spool = opened(tmp_path)
    assert spool.progress() == Progress()
    kept(spool, 1)
    spool.commit(Progress(), [])
    spool.join()
    assert [spool.payload(entry)["n"] for group in spool.groups() for entry in group] == [1]
    spool.close()


TEXT = st.text(max_size=8)
MESSAGE = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "critic"]), "content": TEXT}
    ),
    st.fixed_dictionaries({"role": st.just("user")}, optional={"content": TEXT, "name": TEXT}),
    st.just({"role": "user", "content": [{"type": "text", "text": "a part"}]}),
    st.just({"role": "assistant", "tool_calls": [{"name": "look", "arguments": {}}]}),
)
FIELDS = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=5), "input": st.lists(MESSAGE, min_size=1, max_size=3)},
    optional={
        "context": st.just([{"text": "a document"}]),
        "expected": st.sampled_from(["yes", 3, {"answers": ["yes"]}]),
        "strata": st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.booleans()), min_size=1, max_size=2),
        "trace_id": st.text(min_size=1, max_size=5),
        "session_id": st.text(min_size=1, max_size=5),
        "source": st.text(min_size=1, max_size=5),
        "created_at": st.just("2026-03-01T12:00:00.123Z"),
        "metadata": st.dictionaries(TEXT, st.one_of(TEXT, st.none(), st.floats(), st.just([{"a": 1}])), min_size=1),
    },
)


@given(FIELDS)
def test_what_is_taken_for_a_usual_case_is_what_validation_gives(fields):
    found = usual(fields)
    if found is not None:
        plain = Case.model_validate(fields).recorded
        assert list(found) == list(plain)
        assert repr({**found, "input": list(found["input"])}) == repr({**plain, "input": list(plain["input"])})


def test_a_chat_of_text_needs_no_validation():
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    fields = {"id": "a", "input": chat, "strata": {"route": "x"}, "metadata": {"answer": {"model": "m"}}}
    assert usual(fields) == {"id": "a", "input": chat, "strata": {"route": "x"}, "metadata": {"answer": {"model": "m"}}}
    assert usual({**fields, "tools": [{"name": "look"}]}) is None
