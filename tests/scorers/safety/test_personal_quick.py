"""The quick ways of the detectors tell what the slow ones, written out here, tell."""

from __future__ import annotations

import re
from itertools import chain

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.scorers.safety import _contact, _detecting, _payment, _people, _secrets, personal
from seatrial.scorers.safety._detecting import Found, Seeking, digits_of, luhn, without_overlap

SERVICES = (
    phonenumbers.PhoneNumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
    phonenumbers.PhoneNumberType.UAN,
)
LEADS = (
    "",
    "0",
    "00",
    "011 ",
    "0011 ",
    "810",
    "1",
    "1-",
    "8",
    "44",
    "49",
    "55",
    "0049 ",
    "54",
    "+",
    "+1 ",
    "+44 ",
    "(0",
)
WORDS = (
    "call",
    "CALL",
    "Recall",
    "phone",
    "tel",
    "ſignal",
    "téléphone",
    "TÉL",
    "celular",
    "mob\u0130le",
    "text",
    "x_call",
    "telefonó",
    "llamé",
    "llam",
    "komórkę",
    "звоните",
    "\u212aomórka",
    "’",
)
SECRETS = (
    "token", "Password", "api_key", "my.client-secret_2", "secrets", "credential", "contraseña", "mot de passe", "PWD",
    "ſecret", "to\u212aen", "pr\u0131vate key", "пароль", "kennwort", "şifre", "密码", "is", "ist", "es", "now",
    "set to", "for the app", "lautet", ":", "=", "=>", "**", '"', "`", "hunter-22", "Winter2024!",
    "f83hHJd82hdKdj29dkD9", "’", "a" * 21, "b" * 31, "-----", "tokenesecret", "\x1c", "\u2003", "\x85",
)  # fmt: skip


def slowly_dialled(text: str, regions: tuple[str, ...]) -> str:
    """Every region asked, and each number first whether it is valid and then what it is."""
    kind = ""
    for region in regions or ("ZZ",):
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            if phonenumbers.number_type(number) not in SERVICES:
                return "personal"
            kind = "service"
            if _contact._SERVICE_PREFIX.match(digits_of(text)) is not None:
                break
    return kind


@settings(max_examples=80)
@given(
    st.sampled_from(LEADS),
    st.text("0123456789", min_size=5, max_size=17),
    st.sampled_from(("", " ", "-", ") ", "\u2011")),
    st.sampled_from((_contact.REGIONS, ("US",), ("KZ", "RU", "XX"), ())),
)
def test_a_number_is_of_the_kind_that_every_region_asked_in_full_tells(lead, digits, gap, regions):
    text = lead + digits[:3] + gap + digits[3:]
    assert _contact._dialled.__wrapped__(text, regions) == slowly_dialled(text, regions)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_country_s_own_numbers_are_never_passed_over(region):
    for kind in phonenumbers.PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None and phonenumbers.is_valid_number(example):
            written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
            assert _contact._dialled.__wrapped__(written, (region,)) == slowly_dialled(written, (region,))


@pytest.mark.parametrize("digits", ["4093289294309215", "4145604061016322", "5500000000000004"])
def test_few_countries_are_asked_for_digits_that_are_too_long(digits):
    asked = [region for region in _contact.REGIONS if _contact._parsed(digits, digits, region) is not None]
    assert len(asked) < len(_contact.REGIONS) / 2


@pytest.mark.parametrize("digits", ["2125551234", "1112223333", "9990001111"])
def test_no_country_parses_a_number_that_nothing_begins(digits, monkeypatch):
    plans = [(region, _contact._plan(region)) for region in _contact.REGIONS]
    bare = [
        region
        for region, plan in plans
        if plan and not plan.abroad.match(digits) and not (plan.trunk and plan.trunk.match(digits))
    ]
    monkeypatch.setattr(phonenumbers, "parse", lambda *_: pytest.fail("was parsed"))
    read = [_contact._parsed(digits, digits, region) for region in bare]
    assert len(bare) > 5
    assert {number.national_number for number in read if number is not None} <= {int(digits)}


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=6), st.sampled_from((" ", "", "_", "\n", "\0")))
def test_words_of_telephoning_are_known_as_the_pattern_knows_them(words, gap):
    text = personal.encodable(gap.join(words))
    assert _contact._speaks_of_dialling(text) == (_contact._DIAL.search(text) is not None)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from(SECRETS), st.sampled_from(("", " ", " ", "  ", "_", "\n", "\u00a0"))), max_size=14
    ).map(lambda both: "".join(chain(*both)))
)
@example("api_key: abcdef123456 token is abcdef123456")
@example("secret" + "a" * 25 + ": abcdef123456")
@example("Die Müllerstraße: token=abcdef123456, Token: „x“ password: abcdef123456")
@example("password is hunter-22, passcode: 7788ab. Das Kennwort lautet x9!yz")
def test_secrets_are_looked_for_only_where_a_word_tells_of_them(text):
    for quick, pattern in ((_secrets._guarded, _secrets._GUARDED), (_secrets._statements, _secrets._STATED)):
        assert [m.span() for m in quick(text)] == [m.span() for m in pattern.finditer(text)]


@given(st.text("0123456789", max_size=24))
def test_luhn_is_the_sum_of_the_digits_each_second_one_doubled(digits):
    doubled = [int(d) * (1 + at % 2) for at, d in enumerate(reversed(digits))]
    assert luhn(digits) == (sum(d // 10 + d % 10 for d in doubled) % 10 == 0)


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from("0189٣²")))
def test_digits_are_those_of_ascii(text):
    assert digits_of(text) == "".join(c for c in text if c in "0123456789")


ADDRESSES = (
    "2001:4860:4860::8888", "3ffe::1", "2a00:1450:4001:81b::200e", "8.8.4.77", "12:30:45", "2:3", "at 23:59:07",
    "12 Mill Road", "No. 7, New York Place", "221B Baker Street", "on the way", "5 a b c d e f Street", "P.O. Box 12",
    "1 Elm St", "99 12th Avenue", "street", "Harbour Street 4",
)  # fmt: skip


@given(st.lists(st.sampled_from(ADDRESSES) | st.text(max_size=4), max_size=5), st.sampled_from((" ", "", "\n", ", ")))
def test_nothing_is_found_without_its_hint(parts, gap):
    text = personal.encodable(gap.join(parts))
    hinted = {personal._ALL[at].kind for at in personal._hinted(text)}
    finders = {"ip_address": _contact._addresses, "street_address": _people._streets}
    for kind, finder in finders.items():
        assert kind in hinted or not list(finder(text, Seeking(reserved=True)))
    assert not personal.is_clean([text]) or not re.search(r"\d (?:Mill Road|Elm St)\b", text)


PLAIN_PIECES = (
    "1234567", "12", "4", "+", "(0", "555", "-0123", "+44 20 8056 4777", "HG-1234567", "$", "=", "a", "_", "x.", "\n",
    "4111111111111111", "4111-1111-1111-1111", "3782 822463 10005", "1 84 12 76 451 089 46", "AB123456C", "12345678Z",
    "123-45-6789", "111.444.777-35", "131052-308T", "9", " ", "-", ".", "/", ",", "token", "api_key", "=", ": ", " is",
    "password", "Passcode", "has been set to ", "for it ", "Winter2024!", "abc123DEF456ghi789", "\x1c", "'", "**",
)  # fmt: skip


@given(st.lists(st.sampled_from(PLAIN_PIECES), max_size=9).map("".join), st.sampled_from(("", "9", "a.", "- ", "\n")))
@example("token", "")
@example("password isWinter2024!", "")
@example("1234567", "a.")
@settings(max_examples=400)
def test_nothing_is_found_in_ascii_without_its_exact_hint_alone_or_beside_others(text, other):
    found = {at for at, detector in enumerate(personal._ALL) if any(detector.finder(text, Seeking(reserved=True)))}
    assert found <= set(personal._hinted(text))
    assert found <= set(personal._hinted(f"{other}\n{text}\n{other}\u00e9"))
    assert found <= set(personal._hinted(f"{other}\n{text}\n{other}"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("HG-1234567", id="order"),
        pytest.param("log-00001234", id="log"),
        pytest.param("trace 311466440f9eacd327aae4a6ac9448a7", id="hexadecimal"),
        pytest.param("cost $1234567", id="price"),
        pytest.param("550e8400-e29b-41d4-a716-446655440000", id="uuid"),
        pytest.param("my token was refused", id="token"),
        pytest.param("I forgot my password again", id="password"),
    ],
)
def test_what_is_written_like_a_code_or_is_a_mere_word_is_told_by_the_hints_alone(text):
    assert personal._hinted(text) == []


WORD_PIECES = (
    "order", "No.", "#", "invoice", ":", "is", "was ", "id", "CARD", "visa", "Karte", "your", "xxxx", "<a>", "${",
    "none", "Secret", "passwd1", " at ", "(at)", "[ at ]", "firma", " dot ", "com", " ", "-", "_", "a", "9", "é", "\n",
    "ſ", "\x1c",
)  # fmt: skip


@given(st.lists(st.sampled_from(WORD_PIECES), max_size=7).map("".join) | st.text(max_size=8))
@settings(max_examples=400)
def test_words_are_those_that_re_finds(text):
    text = personal.encodable(text)
    for words in (_detecting._NOT_PERSONAL, _payment._CARD_WORDS, _secrets._PLACEHOLDER, _contact._SPELLED_AT):
        assert words.within(text) == (words._pattern.search(text) is not None)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.sampled_from((0.4, 0.7, 0.9))), max_size=6))
def test_of_findings_that_overlap_the_surest_stays(given):
    found = [Found("phone", start, start + size, "", sure) for start, size, sure in given]
    kept: list[Found] = []
    for item in sorted(found, key=lambda f: (-f.confidence, f.start - f.end, f.start)):
        if all(item.end <= other.start or other.end <= item.start for other in kept):
            kept.append(item)
    assert without_overlap(iter(found)) == sorted(kept, key=lambda f: f.start)


HOUSE_PIECES = (
    "12", "221B", "123456", "4th ", "N. ", "NW ", "Mill", "New York", "o", " ", ", ", ".", "Road", " St", "Street.",
    "\n", "a", "7", "é", "Émile ", "Broadway Ct",
)  # fmt: skip


@given(st.lists(st.sampled_from(HOUSE_PIECES), max_size=10).map("".join))
@example("4 12 Mill Road, 12345 4th Street x1 Elm St 1.2 Elm St 123456 Elm St")
@settings(max_examples=500)
def test_streets_are_those_that_reading_everything_finds(text):
    spans = [match.span() for match in _people._ADDRESS[0][1].finditer(text)]
    assert [match.span() for match in _people._addressed(text, 0)] == spans


@pytest.mark.parametrize(
    "address",
    [pytest.param("08.8.4.77", id="zero"), pytest.param("8.8.4.\u0667\u0667", id="digits of another script")],
)
def test_what_is_no_address_of_a_network_is_not_found(address):
    assert personal.find(f"connect to host 99.8.4.77 or {address}") == personal.find("connect to host 99.8.4.77 or ")


MAIL_PIECES = (
    "a",
    "ä",
    "b.c",
    "@",
    "@x.co",
    "@mail.example-shop.de",
    ".",
    "-",
    "+",
    "'",
    "%",
    " ",
    "\n",
    "x" * 63,
    "_",
    "9",
    "@@",
)


@given(st.lists(st.sampled_from(MAIL_PIECES), max_size=14).map("".join))
@example(f"{'x' * 64}@a.de {'x' * 65}@a.de")
@example("a@b.co@c.de x@y.z.fr-q")
@settings(max_examples=300)
def test_addresses_are_those_that_reading_everything_finds(text):
    spans = [match.span() for match in _contact._ADDRESSED.finditer(text)]
    assert [match.span() for match in _contact._addressed(text)] == spans


@given(st.lists(st.sampled_from(MAIL_PIECES), max_size=14).map("".join), st.integers(0, 80))
def test_a_local_part_is_all_that_may_belong_to_it(text, at):
    at = start = min(at, len(text))
    while start > max(0, at - 65) and re.fullmatch(r"[\w.%+'-]", text[start - 1]):
        start -= 1
    assert _contact.local_before(text, at) == start


CARD_PIECES = ("4242", "4111111111111", "37", "8282", "246310", "005", " ", "-", ".", "/", "a", "_", "٣", "1", "\n")


@given(st.lists(st.sampled_from(CARD_PIECES), max_size=12).map("".join))
@example("x 4111111111111111 4111-1111-1111-1111, 3782 822463 10005")
@settings(max_examples=300)
def test_card_numbers_are_those_that_reading_everything_finds(text):
    spans = [match.span() for match in _payment._CARD.finditer(text)]
    assert [match.span() for match in _payment._card_numbers(text)] == spans


NUMBER_PIECES = (
    "1234567", "030", "12", "5", "0049", "+", "+ ", "(", ")", "(+", " ", "-", ".", "/", ",", ":", "$", "=", "a", "_",
    "%", "\n", "   ", "    ", "\u00a0", "\u0663", "€", "1",
)  # fmt: skip


@given(st.lists(st.sampled_from(NUMBER_PIECES), max_size=14).map("".join))
@example("030 1234567 (+(49 30 1234567x 12 345678 9x 1234567+-1234567-,1234567")
@settings(max_examples=1000)
def test_numbers_are_those_that_reading_everything_finds(text):
    spans = [match.span() for match in _contact._NUMBER.finditer(text)]
    assert [match.span() for match in _contact._numbers(text)] == spans


@pytest.mark.parametrize("region", ["US", "DE", "IT", "BR"])
@given(
    st.sampled_from(["+1 202 555 ", "+49 30 ", "+390", "+39 06 ", "+55 11 9", "+999 ", "+0", "++44 "]),
    st.integers(0, 10**8),
)
@settings(max_examples=60)
def test_a_number_from_abroad_is_the_same_in_every_country(region, lead, number):
    known = _contact.abroad(f"{lead}{number}")
    assert known is None or known == phonenumbers.parse(f"{lead}{number}", region)
