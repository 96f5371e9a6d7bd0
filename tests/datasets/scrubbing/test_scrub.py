# ruff: noqa: E501  # tables of texts
"""The scrubber: nothing real is left, structure stays, twice changes nothing, what is unsure is refused."""

from __future__ import annotations

import base64
import json
import re

import pytest
from conftest_scrub import KEY, OTHER, REALS, rich, rich_case
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.datasets.scrubbing import looking, scrub, surrogates
from seatrial.datasets.scrubbing.policy import of, preset
from seatrial.datasets.scrubbing.scrub import Scrubber
from seatrial.datasets.scrubbing.walk import RefusedError


def test_nothing_real_is_left(basic):
    done = basic.case(rich_case())
    assert done.refused == ""
    written = json.dumps(done.case.plain(), ensure_ascii=False)
    assert [real for real in REALS if real in written] == []
    assert [real for real in REALS if real in repr(done)] == []


def test_structure_stays(basic):
    before, after = rich_case().plain(), basic.case(rich_case()).case.plain()

    def shape(value):
        if isinstance(value, dict):
            return [shape(v) for v in value.values()]
        return [shape(v) for v in value] if isinstance(value, list | tuple) else type(value)

    assert shape(before) == shape(after)
    arguments = after["input"][1]["tool_calls"][0]["arguments"]
    raw = arguments["raw"]
    assert raw.startswith('{"email":  "') and '"n": 1.50' in raw  # noqa: PT018
    email = json.loads(raw)["email"]
    first, last = email.partition("@")[0].split(".")
    assert email in after["input"][3]["content"]
    assert [*after["metadata"]] == [email]
    assert f"My name is {first.capitalize()} {last.capitalize()}," in after["input"][0]["content"]
    assert json.loads(raw)["who"] == f"Ms {last.capitalize()}"
    assert arguments["user_id"] in after["input"][0]["content"]
    assert arguments["user_id"].startswith(f"{arguments['first_name']}_{arguments['last_name']}_".lower())
    dob = json.loads(after["input"][2]["content"])["dob"]
    assert dob in after["context"][0]["text"]


@pytest.mark.parametrize("key", [KEY, OTHER], ids=["same-key", "another-key"])
@pytest.mark.parametrize("name", ["basic", "hipaa"])
def test_twice_changes_nothing(name, key):
    once = Scrubber(preset(name), KEY).case(rich_case()).case
    again = Scrubber(preset(name), key).case(once)
    assert again.case is once
    assert not any(f.replaced for f in again.findings)


PIECES = st.sampled_from([
    "My name is Maria Keller.", "Dear Tom,", "Mr. Tom Brelvick Smith", "mail a.b@c.de", "call +1 415 670 2391 or 07911 204817",
    "card 4111 1111 1111 1111", "BSN 111222333", "born on 12.3.85", "DOB: 1985-03-12", "SSN 583-69-0060", "583 69 0060",
    "27 Ashdown Road", "10.1.2.3.4", "84.17.52.203", "\ud800", "שלום", "\x00", "v1.2.3", "order 4820019375522", "Keller", "Tom",
    '{"name": "Maria Keller", "n": 1}', "passport C01X00T47", "password is aB3$kL9!mN2p", "DE89 3704 0044 0532 0130 00",
    "[EMAIL-0011AAFF]", "MRN: 12345678", "patient 95 years old", "zip 03601", "https://x.org/a?b=c@d.ef", "Tom.Keller@x.org",
    "\n", "\n\nKind regards,\nMaria Keller", "ghp_a8Kd03LmQz71XcVb92NnWe45RtYu60PoAs7D", "1/2/1985", "我叫王小明", "Call 0000000000",
    "Regards, Zoë O'Brien (zoe.obrien@x.org)", "<mueller@x.de>", "Jürgen Müller", "Keller,", "Kaiserring 12, 50668 Köln", "Sitzplatz 7",
])  # fmt: skip
WORDS = st.lists(PIECES | st.text(max_size=12), max_size=12).map(" ".join)


@settings(max_examples=150)
@given(WORDS, st.sampled_from(["basic", "hipaa"]))
def test_scrubbing_settles(text, name):
    first = Scrubber(preset(name), KEY)
    try:
        once, _ = first.text(text, "s")
    except RefusedError as refusal:
        assert refusal.reason == "not_settled"  # noqa: PT017
        return
    assert first.text(once, "s")[0] == once
    assert Scrubber(preset(name), OTHER).text(once, "t")[0] == once


@settings(max_examples=100)
@given(st.lists(WORDS, min_size=1, max_size=6))
def test_no_surrogate_is_a_real_value_of_the_set(texts):
    scrubber = Scrubber(preset("basic"), KEY, pairs=True)
    pairs = [
        pair
        for at, text in enumerate(texts)
        for pair in scrubber.record({"id": f"c{at}", "input": text, "session_id": f"s{at % 2}"}).pairs
    ]
    real = {(kind, value.casefold()) for kind, value, _ in pairs}
    assert not real & {(kind, made.casefold()) for kind, _, made in pairs}
    assert all(surrogates.is_surrogate(kind, made) for kind, _, made in pairs)


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers(-(2**70), 2**70) | WORDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_survives_or_is_refused(value):
    done = Scrubber(preset("basic"), KEY).record({"id": "c", "input": "hi", "metadata": {"x": value}})
    assert (done.record is None) == bool(done.refused)
    assert not done.refused.startswith("fault:")


def test_sessions(basic):
    def name(session):
        return basic.text("My name is Maria Keller.", session)[0]

    assert name("a") == name("a") != name("b")
    whole = Scrubber(of({"scope": "set"}), KEY)
    assert whole.text("My name is Maria Keller.", "a")[0] == whole.text("My name is Maria Keller.", "b")[0]


def test_order_of_records_is_irrelevant():
    texts = ["My name is Maria Keller.", "Ms Keller called from +49 171 3928475.", "maria.keller@posteo.de"]
    records = [{"id": f"c{at}", "input": text, "session_id": "s"} for at, text in enumerate(texts)]
    forward, backward = Scrubber(preset("basic"), KEY), Scrubber(preset("basic"), KEY)
    assert [forward.record(r).record for r in records] == [backward.record(r).record for r in records[::-1]][::-1]


def test_clean_cases_are_the_same_object(basic):
    case = Case.model_validate(
        {"id": "c", "input": "Where is order 4820019375522? \ud800 שלום", "metadata": {"a": [1, {"b": 2.0}]}}
    )
    assert basic.case(case) == (case, (), "")
    assert basic.case(case).case is case


def blob(kind="image"):
    return {"type": kind, "media_type": "image/png", "data": base64.b64encode(b"png").decode()}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param({"input": [{"role": "user", "content": [blob()]}]}, "blob", id="image"),
        pytest.param({"input": [{"role": "user", "content": [{"type": "video", "x": 1}]}]}, "unknown_part", id="part"),
        pytest.param({"input": [{"role": "user", "content": [7]}]}, "unknown_part", id="part-number"),
        pytest.param({"input": "x" * 1_000_001}, "text_too_long", id="long"),
        pytest.param({"input": "see " + base64.b64encode(bytes(range(256)) * 4).decode()}, "blob_in_text", id="base64"),
        pytest.param({"input": "a@b.de " * 1_100}, "too_many_findings", id="many"),
        pytest.param({"input": "x", "metadata": {"a": {1, 2}}}, "unknown_type", id="set"),
        pytest.param({"input": "x", "metadata": {1: 2}}, "unknown_type", id="key"),
        pytest.param({"input": "x", "metadata": {"a": b"bytes"}}, "unknown_type", id="bytes"),
        pytest.param({"input": "[" * 120 + "1" + "]" * 120}, "nested_too_deep", id="json-text"),
    ],
)
def test_what_cannot_be_sure_is_refused(basic, record, reason):
    done = basic.record({"id": "c", **record})
    assert (done.record, done.findings, done.refused) == (None, (), reason)


def test_deep_values_are_refused(basic):
    value = "x"
    for _ in range(5_000):
        value = [value]
    assert basic.record({"id": "c", "input": "x", "metadata": {"a": value}}).refused == "nested_too_deep"


def test_any_exception_refuses_and_tells_nothing(basic, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("Maria Keller")

    monkeypatch.setattr(looking.personal, "find", broken)
    done = basic.case(rich_case())
    assert (done.case, done.refused) == (None, "fault:RuntimeError")
    with pytest.raises(RefusedError, match=r"^fault:RuntimeError$") as caught:
        basic.text("x")
    assert caught.value.__cause__ is None


def test_blobs_are_dropped_or_kept_when_asked():
    record = {"id": "c", "input": [{"role": "user", "content": [{"type": "text", "text": "Look"}, blob()]}]}
    dropped = Scrubber(of({"blobs": "drop"}), KEY).record(record).record
    assert dropped["input"][0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "text", "text": "[image removed]"},
    ]
    assert Scrubber(of({"blobs": "keep"}), KEY).record(record).record is record


def test_none_replaces_nothing():
    case = rich_case()
    assert Scrubber(preset("none"), b"").case(case).case is case


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Scrubber(preset("basic"), b"short")


def test_own_patterns_fields_and_allowed_values():
    policy = of({
        "patterns": [{"kind": "customer_number", "pattern": r"KD-\d{8}"}, {"kind": "desk", "pattern": r"desk (?P<value>\d+)"}],
        "fields": {"Insured No": "account_number"},
        "allow": {"values": ["Anna@X.de"], "patterns": [r".*@acme\.com"]},
    })  # fmt: skip
    record = {
        "id": "c",
        "input": "KD-12345678 at desk 12, anna@x.de, bob@acme.com, eve@y.de",
        "metadata": {"insured_no": "77-001234567", "KD-12345678": 1},
    }
    scrubber = Scrubber(policy, KEY)
    done = scrubber.record(record).record
    assert "anna@x.de" in done["input"]
    assert "bob@acme.com" in done["input"]
    assert "eve@y.de" not in done["input"]
    assert "12345678" not in json.dumps(done)
    assert "[DESK-" in done["input"]
    (number,) = [k for k in done["metadata"] if k.startswith("KD-")]
    assert number in done["input"]
    assert done["metadata"]["insured_no"] != "77-001234567"
    assert scrubber.record(done).record is done


def test_low_confidence_is_listed_not_replaced():
    text, findings = Scrubber(of({"replace_from": 0.6}), KEY).text("Write to support@firma-x.de soon.")
    assert text == "Write to support@firma-x.de soon."
    assert [(f.kind, f.replaced, f.surrogate) for f in findings] == [("email", False, "")]
    assert "firma" not in repr(findings)


HIPAA = [
    pytest.param("Seen on 2024-05-17 by the ward.", "2024-05-17", id="date"),
    pytest.param("Admitted March 3, 2024.", "March 3, 2024", id="written-date"),
    pytest.param("MRN: 00482913", "00482913", id="record"),
    pytest.param("Member ID: XKT90412877", "XKT90412877", id="plan"),
    pytest.param("account number 883120045", "883120045", id="account"),
    pytest.param("VIN 1HGCM82633A004352", "1HGCM82633A004352", id="vehicle"),
    pytest.param("serial no. SN-48210077", "SN-48210077", id="device"),
    pytest.param("Springfield, IL 62704", "62704", id="zip"),
    pytest.param("see https://clinic.org/p/maria", "clinic.org", id="url"),
    pytest.param("a man, 94 years old", "94", id="age"),
    pytest.param("DEA number BK1234563", "BK1234563", id="licence"),
]


@pytest.mark.parametrize(("text", "real"), HIPAA)
def test_hipaa(text, real):
    scrubber = Scrubber(preset("hipaa"), KEY)
    once, findings = scrubber.text(text, "s")
    assert real not in once
    assert findings
    assert scrubber.text(once, "s")[0] == once
    assert Scrubber(preset("basic"), KEY).text(text, "s")[0] == text


def test_hipaa_cuts_times_to_the_year():
    record = {"id": "c", "input": "x", "created_at": "2026-03-01T12:00:00Z"}
    assert Scrubber(preset("hipaa"), KEY).record(record).record["created_at"] == "2026-01-01"


@pytest.mark.parametrize(("real", "made"), [("62704", "62700"), ("03601", "00000"), ("82101-1234", "00000-0000")])
def test_zip_codes(real, made):
    assert surrogates.Maker(KEY, "s").make("zip", real) == made


def test_real_trajectories(shared_data):
    runs = json.loads(shared_data("tau_airline_gpt-4o.json").read_text())
    scrubber = Scrubber(preset("basic"), KEY)
    for at, run in enumerate(runs[:12]):
        record = {"id": f"t{at}", "session_id": f"t{at}", "input": "x", "metadata": {"traj": run["traj"]}}
        done = scrubber.record(record)
        assert done.refused == ""
        assert scrubber.record(done.record).record is done.record


def test_rich_is_rich():
    assert [real for real in REALS if real not in json.dumps(rich())] == []


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from("aZ09_- é٣²\0"), max_size=30))
def test_what_stands_around_a_finding_is_hidden_letter_by_letter(text):
    assert scrub._hidden(text) == re.sub(r"\w", "•", text)


BESIDE = [
    pytest.param("Rebook me? Regards, Maria Keller (maria.keller@posteo.de)", ("Maria", "Keller"), id="brackets"),
    pytest.param("From: Maria Keller <maria.keller@posteo.de>", ("Maria", "Keller"), id="angle brackets"),
    pytest.param("Mit freundlichen Grüßen Emma Thompson, emma.thompson@web.de", ("Emma", "Thompson"), id="closing"),
    pytest.param("Sofía Hernández wrote. Sofía Hernández, sofia.hernandez@web.de", ("Sofía", "Hernández"), id="accents"),
    pytest.param("Pat O'Brien, pat.obrien@web.de", ("Pat", "O'Brien"), id="apostrophe"),
    pytest.param("Pat O’Brien, pat.o'brien@web.de", ("Pat", "O’Brien"), id="two apostrophes"),
    pytest.param("Jürgen Müller (juergen.mueller@web.de)", ("Jürgen", "Müller"), id="umlauts as two letters"),
    pytest.param("Jürgen Müller (jurgen.muller@web.de)", ("Jürgen", "Müller"), id="umlauts without dots"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["basic", "hipaa"])
@pytest.mark.parametrize(("text", "real"), BESIDE)
def test_a_name_and_the_address_that_spells_it_stay_one_person(text, real, name):
    once, findings = Scrubber(preset(name), KEY).text(text, "s")
    local = re.search(r"(\w+)\.(\w+)@example", once)
    assert local is not None
    assert f"{local[1].capitalize()} {local[2].capitalize()}" in once
    assert not any(word in once for word in real)
    assert {f.kind for f in findings} == {"person_name", "email"}
    assert Scrubber(preset(name), OTHER).text(once, "t")[0] == once


def test_a_surname_that_comes_first_is_linked_to_an_initial(basic):
    once, _ = basic.text('From: "Keller, Maria" <mkeller@posteo.de>', "s")
    surname, first = re.search(r'"(\w+), (\w+)"', once).groups()
    assert f"<{first[0].lower()}{surname.lower()}@" in once


def test_accents_link_a_person_across_the_records_of_a_session(basic):
    name = basic.text("My name is Sofía Hernández.", "s")[0].removeprefix("My name is ").removesuffix(".")
    assert basic.text("sofia.hernandez@web.de", "s")[0].startswith(name.lower().replace(" ", ".") + "@")


def test_what_only_may_be_a_street_is_listed_and_stays(basic):
    text = "Ich habe Sitzplatz 12 und möchte tauschen."
    same, findings = basic.text(text)
    assert same == text
    assert [(f.kind, f.replaced) for f in findings] == [("street_address", False)]
    assert basic.text("During 12 months. Spring 2026 sale. String 12 lights.") == (
        "During 12 months. Spring 2026 sale. String 12 lights.",
        (),
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("dob", "42 Baker Street, born on 02/03/1980", id="a date behind a street"),
        pytest.param("birthDate", "Maria Keller 1985-03-12", id="a date behind a name"),
        pytest.param("phone", "ask Anna Keller, 030 1234567", id="a number behind a name"),
        pytest.param("street", "42 Baker Street, anna@posteo.de", id="an address before an e-mail"),
        pytest.param("passport", "Anna Keller 12345678", id="an id behind a name"),
    ],
)
def test_a_value_that_holds_more_than_its_key_says_is_replaced_whole(key, value):
    scrubber = Scrubber(preset("basic"), KEY)
    made = scrubber.record({"id": "a-1", "input": "hi", "metadata": {key: value}}).record
    assert made is not None
    assert re.fullmatch(r"\[MIXED-[0-9A-F]{8}\]", made["metadata"][key])
    assert scrubber.record(made).record is made


@pytest.mark.parametrize(
    ("key", "value", "form"),
    [
        pytest.param("dob", "1985-03-12", r"18\d\d-\d\d-\d\d", id="date"),
        pytest.param("dob", "1985-03-12T00:00:00Z", r"18\d\d-\d\d-\d\dT00:00:00Z", id="date and time"),
        pytest.param("dob", "12 March 1985", r"\d+ [A-Z][a-z]+ 18\d\d", id="date in words"),
        pytest.param("phone", "Tel. +44 7911 204817", r"Tel\. \+44 7700 900\d{3}", id="phone"),
        pytest.param("street", "42 Baker Street, London", r"\d+ [A-Z][a-z]+ Street, [A-Z][a-z]+", id="street"),
        pytest.param("passport", "PA0940443", r"[A-Z]{2}\d{7}", id="passport"),
        pytest.param("password", "Sommer20231234", r"(?!Sommer)[A-Z][a-z]{5}\d{8}", id="password"),
    ],
)
def test_a_value_that_is_what_its_key_says_keeps_its_form(key, value, form):
    made = Scrubber(preset("basic"), KEY).record({"id": "a-1", "input": "hi", "metadata": {key: value}}).record
    assert made is not None
    assert re.fullmatch(form, made["metadata"][key])
    assert made["metadata"][key] != value
