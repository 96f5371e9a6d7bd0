"""Names, dates of birth, street addresses and passports: what only words around them tell. Conservative on purpose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache, reduce
from typing import Any

from seatrial.scorers.safety._detecting import (
    AFTER,
    BEFORE,
    LEFT,
    RIGHT,
    Detector,
    Found,
    Seeking,
    beginning,
    in_runs,
    near,
    one_of,
)
from seatrial.scorers.text.regex import compiled

_UP = r"[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŌŐŘŚŞŠŢŤŪŮŰŹŻŽА-ЯЁ]"
_LOW = r"[a-zß-öø-ÿāăąćčďđēėęěğģīıķĺļľłńņňōőœřśşšţťūůűźżžа-яё]"
_NAME = rf"{_UP}(?:{_LOW}+(?:['’-]{_UP}{_LOW}+)?|['’]{_UP}{_LOW}+|c{_UP}{_LOW}+)"
_PARTICLE = r"(?:de la|de los|van der|van den|van de|von der|von|van|de|del|della|di|da|dos|du|le|la|bin|al|el|ter|ten)"
_SURNAME = rf"(?:(?:{_PARTICLE} )?{_NAME})"
_FULL = rf"{_NAME}(?: {_UP}\.)?(?: {_SURNAME}){{1,3}}"
_ONE_OR_FULL = rf"{_NAME}(?:(?: {_UP}\.)?(?: {_SURNAME}){{1,3}})?"

_TITLE = (
    r"(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Sir|Dame|Judge|Captain|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|"
    r"Señora?|Sra?|Srta|"
    r"Don|Doña|Sig|Sig\.ra|Signora?|Signor|Dott|Dhr|Mevr|Mevrouw|Meneer|Senhora?|Pan|Pani|Г-н|Г-жа)"
)
_TITLED = re.compile(rf"(?<!\w)(?:{_TITLE}\.? )+(?P<name>{_ONE_OR_FULL})(?!\w)")
_CALLED = re.compile(
    r"(?i:my (?:full )?name is|(?:her|his|their|the (?:patient|customer|client|user|caller)['’]s) (?:full )?name is|"
    r"name['’]s|i am called|ich heiße|mein name ist|je m['’]appelle|mon nom est|me llamo|mi nombre es|mi chiamo|"
    r"il mio nome è|ik heet|mijn naam is|meu nome é|(?:eu )?me chamo|jag heter|mit navn er|nazywam się|меня зовут) "
    rf"(?P<name>{_ONE_OR_FULL})(?!\w)"
)
_LABELLED = re.compile(
    r"(?im:^|[,;|{(\"'>*-]|\b)(?i:full[_ ]?name|(?:first|last|customer|patient|client|contact|account[ "
    r"-]?holder|card[ -]?holder|"
    r"employee|applicant|recipient|sender|passenger|guest|beneficiary|tenant|borrower)(?:['’]s)?[_ ]?(?:name)?|name|"
    r"nombre|nome|nom|naam|titular|titulaire|intestatari[oa]|paciente|(?:konto|karten)inhaber(?:in)?|versicherte[rn]?|"
    r"imię i nazwisko|имя|ф\.?и\.?о\.?)[\"'*]{0,3}\s{0,2}[:=][\s\"'*]{0,4}"
    rf"(?P<name>{_FULL})(?!\w)"
)
_HELD = re.compile(
    r"\b(?i:(?:account|card|policy)[ -]?holder|patient|applicant|recipient|sender|beneficiary|tenant|borrower|caller)"
    rf" (?:is|was) (?P<name>{_FULL})(?!\w)"
)
_GREETED = re.compile(
    r"(?m)^[ \t]*(?i:dear|hi|hello|hey|hallo|liebe[rs]?|guten (?:tag|morgen)|sehr geehrte[rs]?|bonjour|"
    r"cher|chère|salut|hola|"
    r"estimad[oa]|querid[oa]|buenos días|olá|prezad[oa]|car[oa]|ciao|gentile|buongiorno|beste|geachte|dag|"
    r"cześć|здравствуйте),? "
    rf"(?P<name>{_ONE_OR_FULL})(?=[ \t]*[,!.:\n]|[ \t]*$)"
)
_CLOSING = (
    r"(?<!\w)(?i:(?:best|kind|warm|many) regards|regards|sincerely|yours (?:truly|sincerely|faithfully)|cheers|"
    r"best wishes|(?:mit )?(?:freundlichen|besten|lieben|herzlichen|vielen) grüßen|"
    r"(?:viele|freundliche|beste|liebe|herzliche) grüße|cordialement|bien à vous|saludos(?: "
    r"cordiales)?|atentamente|"
    r"atenciosamente|cordiali saluti|distinti saluti|met vriendelijke groet(?:en)?|с уважением|pozdrawiam)"
)
_CONTACT_DATA = r"[,;|(<\[–—-]?[ \t]*(?:[\w.%+'-]+@|\(?\+?\d|(?i:tel|phone|mobile?|e-?mail|mail|fax)\b)"
_CLOSED = rf"{_CLOSING}(?:,?[ \t]*\n\s{{0,4}}|[,.!]?[ \t]+)"
_ENDS = rf"[.!]?[ \t]*(?:\n|$)|{_CONTACT_DATA}"
_SIGNED = re.compile(rf"{_CLOSED}(?P<name>{_FULL})(?=[ \t]*(?:{_ENDS}|,))")
_SIGNED_BRIEFLY = re.compile(rf"{_CLOSED}(?P<name>{_NAME})(?=[ \t]*(?:{_ENDS}))")
_CJK = re.compile(
    r"(?:我叫|我的名字是|姓名[::]\s?|联系人[::]\s?)(?P<name>[\u4e00-\u9fff]{2,4})(?![\u4e00-\u9fff])"
    r"|(?:氏名|お名前)[::]\s?(?P<jp>[\u4e00-\u9fff]{1,4}[  ]?[\u3040-\u30ff\u4e00-\u9fff]{1,4})"
    r"|(?:이름|성명)[::은]\s?(?P<ko>[\uac00-\ud7af]{2,4})"
)
_NOBODY_WORDS = """
    customer customers team sir madam sirs all there support valued friend friends everyone user client
    colleague reader hiring manager committee board sales service account department office center centre bank
    company help desk kunde kundin kunden damen herren team cliente client clients equipo equipe everybody folks
    world admin guest member members passenger traveler traveller patient parent parents student students
    applicant candidate subscriber shopper again and the for this that your you our we please thank thanks sorry
    welcome good morning afternoon evening yours truly sincerely faithfully best kind warm grüße grüßen gruß
"""
NOBODY = frozenset(_NOBODY_WORDS.split())
ORGANISATION = re.compile(
    r"\b(?:Inc|Ltd|LLC|GmbH|AG|Corp|Company|Bank|Team|Support|Services?|Group|Department|University|"
    r"Hospital|School|Hotel|"
    r"Street|Avenue|Road|Desk|Center|Centre|Office|Care|Store|Shop|Systems?|Solutions?|Airlines?|Insurance|API|App)\b"
)


_TITLE_BEGINS = re.compile(r"[CDFHJMPSГ](?<!\w[CDFHJMPSГ])")
Search = Callable[[str], Iterator[re.Match[str]]]


def _titled(text: str) -> Iterator[re.Match[str]]:
    return beginning(_TITLED, _TITLE_BEGINS, text)


@lru_cache(maxsize=1)
def _closings() -> Any:
    return compiled(_CLOSING.removeprefix(r"(?<!\w)"))


def _signed(text: str) -> Iterator[re.Match[str]]:
    return beginning(_SIGNED, _closings(), text)


def _signed_briefly(text: str) -> Iterator[re.Match[str]]:
    return beginning(_SIGNED_BRIEFLY, _closings(), text)


def _greeted(text: str) -> Iterator[re.Match[str]]:
    """A greeting stands at the beginning of a line, and ends in it."""
    start = 0
    while True:
        if (match := _GREETED.match(text, start)) is not None:
            yield match
        start = text.find("\n", start) + 1
        if not start:
            return


_CLUES: tuple[tuple[re.Pattern[str], float, Search], ...] = (
    (_TITLED, 0.75, _titled),
    (_CALLED, 0.8, _CALLED.finditer),
    (_LABELLED, 0.8, _LABELLED.finditer),
    (_SIGNED, 0.65, _signed),
    (_SIGNED_BRIEFLY, 0.4, _signed_briefly),
    (_HELD, 0.7, _HELD.finditer),
    (_GREETED, 0.4, _greeted),
)
"""Patterns of names, how sure they are, and how they are looked for."""
_AROUND = re.compile(r"\(\?<!\\w\)|\(\?!\\w\)|\(\?=.*\)$")


@lru_cache(maxsize=1)
def _possible() -> Any:
    """One pass of RE2 that tells which clues a text may hold: each without what it looks at around a name."""
    return one_of(*(_AROUND.sub("", pattern.pattern) for pattern, _, _ in _CLUES), cased=True, memory=64)


def _names(text: str, seeking: Seeking) -> Iterator[Found]:
    del seeking
    possible: list[int] = _possible().Match(text) or []
    for at in possible:
        pattern, sure, search = _CLUES[at]
        for match in search(text):
            name = match.group("name")
            if name.split()[0].lower() in NOBODY or ORGANISATION.search(name):
                continue
            confidence = 0.65 if pattern is _GREETED and " " in name else sure
            yield Found("person_name", *match.span("name"), name, confidence)
    if text.isascii():
        return
    for match in _CJK.finditer(text):
        group = match.lastgroup or "name"
        yield Found("person_name", *match.span(group), match.group(group), 0.7)


_MONTH_NAMES = """
    january jan januar janvier enero gennaio januari janeiro|february feb februar février febrero febbraio fevereiro|
    march mar märz mars marzo maart março|april apr avril abril aprile|may mai mayo maggio mei maio|
    june jun juni juin junio giugno junho|july jul juli juillet julio luglio julho|
    august aug août agosto augustus|september sep sept septembre septiembre settembre setembro|
    october oct oktober okt octobre octubre ottobre outubro|november nov novembre noviembre novembro|
    december dec dezember dez décembre diciembre dicembre dezembro
"""
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES.split("|"), 1) for name in names.split()}
_BORN = (
    r"date of birth|birth ?date|birth[_ ]?day(?: is)?|d\.?o\.?b\.?|born(?: on)?|geboren(?: am)?|geb\.|"
    r"geburtsdatum|geburtstag|"
    r"née? le|date de naissance|nacid[oa] el|naci el|nací el|fecha de nacimiento|nat[oa] il|data di nascita|"
    r"geboortedatum|geboren op|nascid[oa] (?:em|a)|data de nascimento|data urodzenia|urodzon[ya]|födelsedatum|född|"
    r"дата рождения|родил(?:ся|ась)|出生日期|出生于|出生年月日|生年月日|생년월일|doğum tarihi|जन्म तिथि|تاريخ الميلاد"
)
_BIRTH = re.compile(
    rf"(?<!\w)(?:{_BORN})[\"'*]{{0,3}}(?: is| was|:|=|-|\()?[\s:=\"'*(]{{0,4}}(?:the |on |le |el |am |il )?"
    r"(?P<date>\d{4}[-./年]\s?\d{1,2}[-./月]\s?\d{1,2}日?|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4}"
    r"|\d{1,2}(?:st|nd|rd|th|\.|er|º)?(?: of| de)? [^\W\d_]{3,10}\.?(?: de|,)? \d{4}|[^\W\d_]{3,10}\.? "
    r"\d{1,2}(?:st|nd|rd|th)?,? \d{4})",
    re.IGNORECASE,
)


def _is_birth(written: str) -> bool:
    """Whether a date exists and lies between 1900 and today, in any order of its parts."""
    numbers = [int(n) for n in re.findall(r"\d+", written)]
    words = re.findall(r"[^\W\d_]{3,}", written.lower().replace("年", " ").replace("月", " "))
    month = next((_MONTHS[w] for w in words if w in _MONTHS), 0)
    if month and len(numbers) == 2:
        orders = [(max(numbers), month, min(numbers))]
    elif len(numbers) == 3 and not words:
        a, b, c = numbers
        orders = [(a, b, c)] if a > 31 else [(c if c > 99 else 1900 + c, b, a), (c if c > 99 else 1900 + c, a, b)]
    else:
        return False
    return any(_exists(*order) for order in orders)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return date(1900, 1, 1) <= date(year, month, day) <= date.today()  # noqa: DTZ011  # a day's error is nothing here
    except ValueError:
        return False


def _births(text: str, seeking: Seeking) -> Iterator[Found]:
    del seeking
    for match in _BIRTH.finditer(text):
        if _is_birth(match.group("date")):
            yield Found("date_of_birth", *match.span("date"), match.group("date"), 0.85)


_CAP = rf"{_UP}[\w'’.-]{{0,24}}"
_US_TYPE = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Court|Ct|Way|Place|Pl|Terrace|Ter|"
    r"Circle|Cir|Parkway|"
    r"Pkwy|Highway|Hwy|Square|Sq|Trail|Close|Crescent|Gardens|Grove|Mews|Row|Hill)"
)
_STREETS: tuple[tuple[str, str], ...] = (
    ("US", rf"\d{{1,5}}[A-Za-z]?,? (?:[NSEW]{{1,2}}\.? )?(?:{_CAP} |\d{{1,3}}(?:st|nd|rd|th) ){{1,4}}{_US_TYPE}\b\.?"),
    (
        "DE",
        (
            rf"{_UP}[\w.-]{{1,30}}(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|ring) \d{{1,4}} ?[a-z]?\b"
            rf"|(?:Am|An der|Im|Auf der|Unter den) {_CAP} \d{{1,4}} ?[a-z]?,? \d{{5}} {_CAP}"
        ),
    ),
    (
        "FR",
        (
            rf"\d{{1,4}}(?: ?(?:bis|ter))?,? (?i:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|"
            rf"allée|quai|route|cours) "
            rf"(?:(?:de la|de l['’]|des|de|du|d['’]|la|le|les) ?){{0,1}}{_CAP}(?: {_CAP}){{0,3}}"
        ),
    ),
    (
        "ES",
        (
            r"(?:[Cc]alle|C/|[Aa]venida|Avda\.|Paseo|[Pp]laza|Carrera|Camino|Ronda) ?"
            r"(?:(?:de la|de los|de las|del|de|la|el) )?"
            rf"{_CAP}(?: (?:de |del |la )?{_CAP}){{0,3}},? (?:n\.?º ?|#|núm\. ?)?\d{{1,4}}\b"
        ),
    ),
    (
        "IT",
        (
            rf"(?:Via|Viale|Corso|Piazza|Piazzale|Vicolo|Largo) (?:(?:della|delle|dei|del|di|dell['’]) "
            rf"?)?{_CAP}(?: {_CAP}){{0,2}},? \d{{1,4}}\b"
            rf"|(?:via|viale|corso|piazza) {_CAP}(?: {_CAP}){{0,2}},? \d{{1,4}},? \d{{5}} {_CAP}"
        ),
    ),
    ("NL", rf"{_UP}[\w'’-]{{1,30}}(?:straat|laan|weg|plein|gracht|kade|singel|dijk|hof) \d{{1,4}}[a-z]?\b"),
    (
        "PT",
        (
            rf"(?:Rua|Avenida|Av\.|Travessa|Alameda|Praça|Estrada) (?:(?:da|do|das|dos|de) )?{_CAP}(?: (?:(?:da|do|"
            rf"das|dos|de) )?"
            rf"{_CAP}){{0,3}},? (?:n\.?º ?)?\d{{1,5}}\b"
        ),
    ),
    ("PL", rf"(?:ul\.|al\.|os\.|pl\.) {_CAP}(?: {_CAP}){{0,2}} \d{{1,4}}[a-z]?(?:/\d{{1,4}})?\b"),
    ("RU", rf"(?:ул\.|улица|просп\.|проспект|пер\.) {_CAP}(?: {_CAP}){{0,2}},? (?:д\.|дом)? ?\d{{1,4}}"),
    ("CN", r"[\u4e00-\u9fff]{2,8}(?:路|街|大道|巷)\d{1,5}号"),
    ("US", r"\bP\.? ?O\.? Box \d{2,6}\b"),
)
_WIDER = (
    (r"\w", r"\pL\pN_"), (r"\d", r"\p{Nd}"), (r"\b", ""), (r"\u4e00-\u9fff", r"\x{4e00}-\x{9fff}"),
    ("{0,24}", "*"), ("{1,30}", "+"),
)  # fmt: skip
"""What RE2 spells in another way, reads as ASCII alone, or needs much memory for: there, what matches no less."""


@lru_cache(maxsize=1)
def _possible_streets() -> Any:
    """One pass of RE2 that tells which countries' streets a text may hold."""
    spelled = (reduce(lambda wide, pair: wide.replace(*pair), _WIDER, pattern) for _, pattern in _STREETS)
    return one_of(*spelled, cased=True)


_ADDRESS = tuple((region, re.compile(rf"(?<![\w.])(?:{pattern})")) for region, pattern in _STREETS)
_HOUSE_BEGINS = re.compile(r"[0-9](?<![\w.][0-9])")
_HOUSE = r"\d+[A-Za-z]?,? [A-Z0-9]"
"""For RE2, in ASCII, the number of a house and what follows it, as all addresses of the US with a street begin."""


def _addressed(text: str, at: int) -> Iterator[re.Match[str]]:
    """What one of `_ADDRESS` finds."""
    pattern = _ADDRESS[at][1]
    if at == 0 and text.isascii():
        return in_runs(pattern, _HOUSE_BEGINS, _HOUSE, text)
    return pattern.finditer(text)


_SHARED = {
    "US": {"US", "GB", "CA", "AU", "IE", "IN", "NZ", "ZA"},
    "ES": {"ES", "MX", "AR", "CL", "CO"},
    "PT": {"PT", "BR"},
    "DE": {"DE", "AT", "CH"},
    "FR": {"FR", "BE", "CH", "CA"},
    "NL": {"NL", "BE"},
}
"""Countries that write streets the same way."""


_DOUBTFUL = re.compile(r"[\w.-]+(?:platz|ring) (?P<number>\d+)")
"""Streets that end as many other words do: During 12, Spring 2026, Sitzplatz 12."""
_SPOT = re.compile(
    r"(?:Sitz|Steh|Stell|Park|Arbeits|Schlaf|Liege|Lager|Camping|Zelt|Fenster|Gang|Studien|Ausbildungs|Speicher|Tisch)platz"
)
_POSTCODE_AFTER = re.compile(rf",?\s{{1,4}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}[ \t]{_UP}")
_POSTCODE_BEFORE = re.compile(rf"\b\d{{4,5}} {_CAP}(?: {_CAP})?,?\s{{1,4}}\Z")
_TOWN_AFTER = re.compile(rf", ?{_UP}[\w-]{{2,24}}(?=[ \t]*(?:[.;)\n]|$))")
_LIVES = re.compile(
    r"\b(?:adres|anschrift|address|wohn|umzug|umgezogen|liefer|geliefert|zugestell|zustell|hausnummer|resid|habit|livr|woon|"
    r"bezorg|stra(?:ß|ss)e\b|street\b)",
    re.IGNORECASE,
)
_LEADS = re.compile(
    r"\bam \Z|\b(?:live[sd]?|living|move[ds]?|ship(?:ped)?|deliver(?:ed|y)?|sen[dt]|located|based|home)\b"
    r"[^.!?\n]{0,20}\b(?:at|to|near|on) \Z",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"[.!?](?:\s|$)|\n")
_SOUNDS_GERMAN = re.compile(r"[äöüßÄÖÜ]|\b(?:der|das|und|ist|ich|nicht|von|mit|bitte|wir|mein|auf|eine?)\b")


def _sure_street(text: str, match: re.Match[str]) -> float:
    """How sure it is that a word with a number is a street.

    Where many other words end so, something around has to tell of an address. In German text, and where nothing else is
    said, it may be one still.
    """
    doubtful = _DOUBTFUL.match(match.group())
    if doubtful is None:
        return 0.7
    start, end = match.start(), match.start() + len(match.group().rstrip())
    said = text[max(0, start - BEFORE) : start]
    if _POSTCODE_AFTER.match(text, end) or _POSTCODE_BEFORE.search(said):
        return 0.7
    if not (_SPOT.match(match.group()) or 1900 <= int(doubtful["number"]) < 2100):
        said = _SENTENCE_ENDS.split(said)[-1]
        follows = _SENTENCE_ENDS.split(text[end : end + AFTER], maxsplit=1)[0]
        if _TOWN_AFTER.match(text, end) or _LEADS.search(said) or _LIVES.search(said) or _LIVES.search(follows):
            return 0.7
    german = _SOUNDS_GERMAN.search(text, max(0, start - 200), end + 200) is not None
    return 0.3 if german or len(text.strip()) == end - start else 0.0


def _streets(text: str, seeking: Seeking) -> Iterator[Found]:
    possible: list[int] = _possible_streets().Match(text) or []
    for at in sorted(possible):
        region = _ADDRESS[at][0]
        if seeking.regions and not seeking.regions & _SHARED.get(region, {region}):
            continue
        for match in _addressed(text, at):
            sure = _sure_street(text, match) if region == "DE" else 0.7
            if sure:
                yield Found("street_address", *match.span(), match.group(), sure)


_PASSPORT_WORD = re.compile(
    (
        r"passport|reisepass|passeport|pasaporte|passaporto|passaporte|paspoort|паспорт|护照|パスポート|여권|driv(?:er|"
        r"ing)['’]?s?['’]? ?licen[cs]e"
    ),
    re.IGNORECASE,
)
_PASSPORT = re.compile(
    rf"{LEFT}(?=(?:[A-Z]*\d){{4}})(?:[A-Z]{{1,2}}\d{{6,8}}|\d{{8,9}}|[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{{8}}|"
    rf"\d{{2}}[A-Z]{{2}}\d{{5}}|\d{{2}} ?\d{{2}} ?\d{{6}}){RIGHT}"
)


def _passports(text: str, seeking: Seeking) -> Iterator[Found]:
    del seeking
    if _PASSPORT_WORD.search(text) is None:
        return
    for match in _PASSPORT.finditer(text):
        if near(text, *match.span(), _PASSPORT_WORD):
            yield Found("passport", *match.span(), match.group(), 0.8)


_NAME_HINT = (
    r"\b(?:mr|mrs|ms|mx|miss|dr|prof|professor|sir|dame|judge|captain|herrn?|frau|mme|mlle|monsieur|"
    r"madame|sra?|srta|don|"
    r"sig|signora?|signor|dott|dhr|mevr|mevrouw|meneer|senhora?|pan|pani)\b\.? [a-z\x{c0}-\x{24f}]|señor|doña|г-н|г-жа|"
    r"\bname|nombre|\bnom\b|\bnome\b|naam|called|heiße|appelle|llamo|chiamo|heet|chamo|heter|navn|nazywam|"
    r"imię|зовут|имя|"
    r"(?:customer|patient|client|contact|holder|employee|applicant|recipient|sender|passenger|guest|beneficiary|tenant|"
    r"borrower|titular|titulaire|intestatari[oa]|paciente|inhaber(?:in)?|versicherte[rn]?)(?:\W{0,4}[:=]| is | was )|"
    r"\b(?:dear|hi|hello|hey|hallo|liebe[rs]?|geehrte[rs]?|bonjour|salut|hola|ciao|gentile|beste|geachte|"
    r"dag|guten tag)\b,? |"
    r"cher |chère |estimad|querid|buenos|olá|prezad|caro |cara |buongiorno|cześć|здравст|guten|"
    r"regards|sincerely|yours|cheers|wishes|grüße|cordial|bien à|saludos|atent|atenc|distinti|groet|уважен|pozdrawiam|"
    r"我叫|名字|姓名|联系人|氏名|お名前|이름|성명|ф\.?и\.?о"
)
_STREET_HINT = (
    r" (?:st|street|ave|avenue|road|rd|boulevard|blvd|drive|dr|lane|ln|"
    r"court|ct|way|place|pl|"
    r"terrace|ter|circle|cir|parkway|pkwy|highway|hwy|square|sq|trail|close|crescent|gardens|grove|mews|row|hill)\b|"
    r"(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|ring|straat|laan|plein|gracht|kade|singel|dijk|hof) \d|"
    r"\d,? ?(?:bis |ter )?,?(?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|allée|quai|route|cours) |"
    r"\b(?:am|an der|im|auf der|unter den) \S+ \d|calle|c/|avenida|avda|paseo|plaza|carrera|camino|ronda|"
    r"\b(?:via|viale|corso|piazza|piazzale|vicolo|largo|rua|av\.|travessa|alameda|praça|estrada) |"
    r"\b(?:ul|al|os|pl)\. |ул\.|улица|просп|пер\.|[路街道巷]\d|\bp\.? ?o\.? box"
)

DETECTORS = (
    Detector("person_name", "person", _NAME_HINT, _names),
    Detector("date_of_birth", "person", rf"(?:{_BORN})[^0-9\n]{{0,30}}\d", _births),
    Detector("street_address", "person", _STREET_HINT, _streets),
    Detector("passport", "national_id", _PASSPORT_WORD.pattern, _passports),
)
