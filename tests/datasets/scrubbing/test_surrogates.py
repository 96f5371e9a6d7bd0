# ruff: noqa: E501  # tables of texts
"""Surrogates: valid, typed, known as such, injective within a record."""

from __future__ import annotations

import hashlib
import re
from datetime import date

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban

from seatrial.datasets.scrubbing import dates, names, numbers, phones
from seatrial.datasets.scrubbing.drawing import Draw, derived
from seatrial.datasets.scrubbing.surrogates import Maker, is_surrogate
from seatrial.scorers.safety import personal
from seatrial.scorers.safety._detecting import luhn, luhn_digit
from seatrial.scorers.safety._national_ids import FORMS

KEY = b"a key of sixteen bytes or more"
NEVER_GIVEN_OUT = {"us_ssn", "gb_nino", "de_steuer_id", "ca_sin", "fi_hetu"}


def test_every_national_id_has_a_layout():
    assert set(numbers.LAYOUTS) == {form.kind for form in FORMS}


@pytest.mark.parametrize(("kind", "layout"), [(k, one) for k, many in numbers.LAYOUTS.items() for one in many])
def test_national_ids_are_valid_and_known(kind, layout):
    size = len("".join(numbers._steps(layout)))
    real = "777777A7777" if layout == "ddmmyyA9##c" else "7" * size
    made = {numbers.made(kind, real, Draw(KEY, kind, str(at))) for at in range(30)}
    assert len(made) > 15
    for one in made:
        assert one is not None
        assert is_surrogate(kind, one)
        assert len(one) == size
        if kind not in NEVER_GIVEN_OUT:
            assert numbers._holds(kind, one)
            check = next(form.check for form in FORMS if form.kind == kind)
            assert not check or numbers.validator(check)(one if kind != "se_personnummer" else f"{one[:-4]}-{one[-4:]}")


@pytest.mark.parametrize("kind", sorted(NEVER_GIVEN_OUT & {"us_ssn", "gb_nino", "de_steuer_id", "fi_hetu"}))
def test_test_ranges_are_no_real_ids(kind):
    layout = numbers.LAYOUTS[kind][0]
    made = numbers.made(kind, "7" * len("".join(numbers._steps(layout))), Draw(KEY, kind))
    check = next(form.check for form in FORMS if form.kind == kind)
    assert made is not None
    assert not check or not numbers.validator(check)(made)
    assert kind != "gb_nino" or made.startswith("QQ")


@pytest.mark.parametrize(
    "real",
    [
        pytest.param("4111 1111 1111 1111", id="visa"),
        pytest.param("5500-0055-5555-5559", id="mastercard"),
        pytest.param("3714 496353 98431", id="amex"),
        pytest.param("36227206271667", id="diners"),
        pytest.param("6011000990139424", id="discover"),
        pytest.param("3530111333300000", id="jcb"),
    ],
)
def test_cards_keep_network_form_and_luhn(real):
    made = Maker(KEY, "s").make("card", real)
    assert re.sub(r"\d", "0", made) == re.sub(r"\d", "0", real)
    digits = numbers.compact(made)
    assert luhn(digits)
    assert numbers.issuer(digits) == numbers.issuer(numbers.compact(real))
    assert made != real
    assert is_surrogate("card", made)
    assert not is_surrogate("card", real)


@pytest.mark.parametrize(
    "real",
    ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "ES9121000418450200051332",
     "NL91ABNA0417164300", "CH9300762011623852957", "BE68539007547034", "NO9386011117947", "IT60X0542811101000000123456"],
)  # fmt: skip
def test_ibans_keep_country_and_checks(real):
    made = Maker(KEY, "s").make("iban", real)
    assert iban.is_valid(made)
    assert made[:2] == real[:2]
    assert [at for at, c in enumerate(made) if c == " "] == [at for at, c in enumerate(real) if c == " "]
    assert is_surrogate("iban", made)
    assert not is_surrogate("iban", real)


@pytest.mark.parametrize(
    ("real", "pattern"),
    [
        pytest.param("+1 415 670 2391", r"\+1 [2-9]\d\d 555 01\d\d", id="us"),
        pytest.param("(212) 664-7665", r"\([2-9]\d\d\) 555-01\d\d", id="us-local"),
        pytest.param("07911 204817", r"07700 900\d\d\d", id="gb"),
        pytest.param("+61 412 907 336", r"\+61 491 570 \d{3}", id="au"),
        pytest.param("+33 6 12 48 93 75", r"\+33 6 39 98 \d\d \d\d", id="fr"),
        pytest.param("+48 601 774 209", r"\+48 000 \d{3} \d{3}", id="pl-unassigned"),
        pytest.param("+39 347 812 9940", r"\+39 000 \d{3} \d{4}", id="it-unassigned"),
        pytest.param("111222333 10.1.2.3.4", r"000\d{6} \d\d(?:\.\d){4}", id="behind a carrier's long prefix"),
    ],
)
def test_phones_are_nobodys_in_the_same_country(real, pattern):
    made = Maker(KEY, "s").make("phone", real)
    assert re.fullmatch(pattern, made)
    assert is_surrogate("phone", made)
    assert not is_surrogate("phone", real)
    assert not personal.find(f"Call me on {made} please", ["phone"])


def test_a_phone_with_zeros_inside_is_real():
    assert not phones.is_made("+49 30 00012345") or not phonenumbers.is_valid_number(
        phonenumbers.parse("+49 30 00012345")
    )


WRITTEN = [
    "1985-03-12", "12.03.1985", "03/25/1985", "12 March 1985", "March 12, 1985", "12. März 1985", "12 de marzo de 1985",
    "12 mars 1985", "1985年3月12日", "12th of March 1985", "12/3/85",
]  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_dates_move_and_are_known(written):
    new = dates.moved(written, 54_321)
    assert new is not None
    assert dates.is_moved(new)
    assert not dates.is_moved(written)
    shape = re.sub(r"\d+", "0", re.sub(r"[^\W\d_]{3,}", "month", new))
    assert shape == re.sub(r"\d+", "0", re.sub(r"[^\W\d_]{3,}", "month", written)) or "th" in written


@given(st.dates(date(1900, 1, 1), date(2046, 12, 31)), st.dates(date(1900, 1, 1), date(2046, 12, 31)))
def test_dates_keep_order_and_distance(first, second):
    maker = Maker(KEY, "s")
    a, b = (date.fromisoformat(maker.make("date_of_birth", d.isoformat())) for d in (first, second))
    assert b - a == second - first
    assert max(a, b) < dates.OLDEST


@pytest.mark.parametrize(
    ("kind", "real"),
    [
        ("ip_address", "84.17.52.203"), ("ip_address", "2a02:8109:a40:2f00:a8c1:33f:9e02:77b1"),
        ("mac_address", "3c:22:fb:7a:91:0e"), ("mac_address", "A4-83-E7-2B-5D-19"),
        ("email", "anna.koch@posteo.de"), ("email", "anna.koch [at] posteo [dot] de"), ("email", "mkeller@x.org"),
        ("person_name", "Anna-Lena O'Neill van der Berg"), ("person_name", "Иван Петров"), ("person_name", "王小明"),
        ("person_name", "김민수"), ("street_address", "310 W 81st Street"), ("street_address", "P.O. Box 4471"),
        ("street_address", "4 bis avenue Victor Hugo"), ("street_address", "Lindenstraße 14b"),
        ("street_address", "ул. Ленина, д. 15"), ("street_address", "中山路128号"), ("passport", "C01X00T47"),
        ("url_credentials", "https://deploy:s3cr3tTok9@"), ("connection_string", "postgresql://app:hunter2x9@"),
        ("connection_string", "Server=sql;Database=crm;Password=Zx81pQm4"), ("generic_secret", "aB3$kL9!mN2p"),
        ("aws_access_key", "AKIAQ2W3E4R5T6Y7U2I3"), ("twilio_key", "SK" + "0a1b2c3d" * 4),
        ("account_number", "12-34567890"), ("customer_no", "KD-1"), ("username", "mia_li_3668"),
    ],
)  # fmt: skip
def test_every_kind_is_replaced_and_known(kind, real):
    made = Maker(KEY, "s").make(kind, real)
    assert made != real
    assert is_surrogate(kind, made), made
    assert not is_surrogate(kind, real)
    assert made == Maker(KEY, "s").make(kind, real)


def test_one_person_in_all_forms():
    maker = Maker(KEY, "s")
    maker.meet("Maria Keller")
    first, last = maker.make("person_name", "Maria Keller").split()
    assert maker.make("person_name", "Keller") == last
    assert maker.make("email", "maria.keller@posteo.de").startswith(f"{first}.{last}@".lower())
    assert maker.make("email", "m.keller@web.de").startswith(f"{first[0]}.{last}@".lower())
    assert maker.make("email", "mkeller@gmx.de").startswith(f"{first[0]}{last}@".lower())
    assert maker.make("username", "maria_keller_77").startswith(f"{first}_{last}_".lower())


def test_an_initial_that_two_people_share_is_linked_to_none():
    maker, other = Maker(KEY, "s"), Maker(KEY, "s")
    maker.meet("Maria Keller")
    maker.meet("Martin Keller")
    assert maker.make("email", "m.keller@web.de") == other.make("email", "m.keller@web.de")


def test_another_session_or_key_gives_another_person():
    made = {
        Maker(KEY, "a").name("Maria Keller"),
        Maker(KEY, "b").name("Maria Keller"),
        Maker(KEY + b"x", "a").name("Maria Keller"),
    }
    assert len(made) == 3


def test_many_people_of_a_session_stay_apart():
    maker = Maker(KEY, "s")
    words = {maker.word(f"Name{at}") for at in "abcdefghijklmnopqrstuvwxyz" for _ in (0,)}
    words |= {maker.word(a + b + "x") for a in "ABCDEFGHIJ" for b in "abcdefghijklmnopqrst"}
    assert len({w.lower() for w in words}) == 226


@given(st.lists(st.from_regex(r"[0-9]{4}-[0-9]{6}", fullmatch=True), min_size=2, max_size=20, unique=True))
def test_shaped_values_stay_apart(values):
    maker = Maker(KEY, "s")
    assert len({maker.make("account_number", v) for v in values}) == len(values)


def test_invented_words_are_nobodys_names():
    people = (
        "maria",
        "keller",
        "smith",
        "garcia",
        "müller",
        "li",
        "wang",
        "ivanov",
        "anna",
        "meyer",
        "brown",
        "nguyen",
    )
    assert not any(names.is_invented(name) for name in people)
    assert len(set(names.words())) == len(names.words()) > 5_000


@given(st.binary(min_size=16, max_size=64), st.lists(st.text(max_size=8), max_size=3), st.integers(1, 1 << 53))
def test_a_draw_is_keyed_blake2b_in_counter_mode(key, words, count):
    parts = [word.encode("utf-8", "surrogatepass") for word in words]
    framed = b"\0".join(b"%d:%b" % (len(part), part) for part in parts)
    expected = []
    for block in range(2):
        salt = block.to_bytes(16, "little")
        said = hashlib.blake2b(framed, key=key, salt=salt, person=b"seatrial draw").digest()
        numbers_of_block = [int.from_bytes(said[at : at + 8], "little") >> 11 for at in range(0, 64, 8)]
        expected += [number * count >> 53 for number in reversed(numbers_of_block)]
    draw = Draw(key, *words)
    assert [draw.below(count) for _ in range(16)] == expected


def test_a_draw_stays_what_it_is():
    draw = Draw(b"0123456789abcdef", "word", "maria", "0")
    assert [draw.below(1_000_000) for _ in range(9)] == [
        764_370,
        173_328,
        126_084,
        38_623,
        583_687,
        126_521,
        61_770,
        897_450,
        871_139,
    ]
    assert Maker(KEY, "s").name("Maria Keller") == "Orskevell Flemester"


def test_draws_are_even():
    drawn = [Draw(KEY, "even", str(number)).below(10) for number in range(20_000)]
    expected = len(drawn) / 10
    assert sum((drawn.count(digit) - expected) ** 2 / expected for digit in range(10)) < 27.9  # p = 0.001, 9 degrees


@pytest.mark.parametrize(
    "size", [pytest.param(64, id="as long as may be"), pytest.param(65, id="too long for BLAKE2b")]
)
def test_every_byte_of_a_key_counts(size):
    key = bytes(size)
    assert derived(key, "s") != derived(key[:-1] + b"\1", "s")
    assert derived(key, "s") != derived(key, "t")


@given(st.from_regex("[0-9]{1,30}", fullmatch=True))
def test_the_check_digit_is_the_one_that_holds(digits):
    holding = [digit for digit in "0123456789" if luhn(digits + digit)]
    assert holding == [luhn_digit(digits)]
