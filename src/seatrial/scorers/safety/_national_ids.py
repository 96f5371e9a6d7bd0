"""National identification numbers: their written form, their checksum, and the words that must stand near weak ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from seatrial.scorers.safety._detecting import (
    LEFT,
    RIGHT,
    Detector,
    Finder,
    Found,
    Seeking,
    digits_of,
    is_reference,
    near,
    validator,
)

SURE, LIKELY, HINTED = 0.95, 0.8, 0.9


class Form(NamedTuple):
    """How one number is written.

    `telling` is a form that is evidence in itself (letters, dots, a strong checksum), `bare` one that counts only near
    `words`. `check` is a module of python-stdnum, empty where the form is all there is.
    """

    kind: str
    region: str
    telling: str
    bare: str
    words: str
    check: str
    confidence: float = LIKELY


_TAX = r"tax|fiscal|steuer|tin\b|contribu"

FORMS = (
    Form("us_ssn", "US", r"\d{3}-\d{2}-\d{4}", r"\d{3} ?\d{2} ?\d{4}", r"\bssn\b|social security|\bss#", "us.ssn"),
    Form("us_itin", "US", r"9\d{2}-\d{2}-\d{4}", r"9\d{8}", r"\bitin\b|taxpayer", "us.itin"),
    Form(
        "gb_nino",
        "GB",
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]",
        "",
        "",
        "",
    ),
    Form("gb_nhs", "GB", "", r"\d{3}[ -]?\d{3}[ -]?\d{4}", r"\bnhs\b", "gb.nhs"),
    Form("de_steuer_id", "DE", r"\d{2} \d{3} \d{3} \d{3}", r"\d{11}", rf"idnr|id-nr|{_TAX}", "de.idnr"),
    Form(
        "fr_nir",
        "FR",
        r"[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}",
        "",
        "",
        "fr.nir",
        SURE,
    ),
    Form("es_dni", "ES", r"\d{8}[- ]?[A-HJ-NP-TV-Z]|\d{1,2}\.\d{3}\.\d{3}[- ]?[A-HJ-NP-TV-Z]", "", "", "es.dni"),
    Form("es_nie", "ES", r"[XYZ][- ]?\d{7}[- ]?[A-HJ-NP-TV-Z]", "", "", "es.nie"),
    Form(
        "it_codice_fiscale",
        "IT",
        r"[A-Z]{6}[0-9L-NP-V]{2}[ABCDEHLMPRST][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]",
        "",
        "",
        "it.codicefiscale",
        SURE,
    ),
    Form(
        "nl_bsn", "NL", "", r"\d{4}[ .]?\d{2}[ .]?\d{3}|\d{3}[ .]\d{3}[ .]\d{3}", r"\bbsn|burgerservice|sofi", "nl.bsn"
    ),
    Form("br_cpf", "BR", r"\d{3}\.\d{3}\.\d{3}-\d{2}", r"\d{11}", r"\bcpf\b", "br.cpf", SURE),
    Form("in_aadhaar", "IN", r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", r"[2-9]\d{11}", r"aadh?aar|uidai|आधार", "in_.aadhaar"),
    Form("in_pan", "IN", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", "", "", "in_.pan"),
    Form("pl_pesel", "PL", "", r"\d{11}", r"pesel", "pl.pesel"),
    Form(
        "se_personnummer",
        "SE",
        r"(?:\d{2})?\d{6}[-+]\d{4}",
        r"\d{10}|\d{12}",
        r"person(?:al identity )?n",
        "se.personnummer",
    ),
    Form("fi_hetu", "FI", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", "", "", "fi.hetu"),
    Form("dk_cpr", "DK", "", r"\d{6}[- ]?\d{4}", r"\bcpr\b|personnummer", "dk.cpr"),
    Form("no_fodselsnummer", "NO", r"\d{6} \d{5}", r"\d{11}", r"f[øo]dsels|person(?:al )?n", "no.fodselsnummer"),
    Form("pt_nif", "PT", "", r"\d{3} ?\d{3} ?\d{3}", r"\bnif\b|contribuinte", "pt.nif"),
    Form("mx_curp", "MX", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", "", "", "mx.curp", SURE),
    Form("ca_sin", "CA", "", r"\d{3}[ -]?\d{3}[ -]?\d{3}", r"\bsin\b|social insurance|\bnas\b", "ca.sin"),
    Form("au_tfn", "AU", "", r"\d{3} ?\d{3} ?\d{2,3}", r"\btfn\b|tax file", "au.tfn"),
    Form("ch_ahv", "CH", r"756\.?\d{4}\.?\d{4}\.?\d{2}", "", "", "ch.ssn", SURE),
    Form("cn_ric", "CN", r"[1-9]\d{16}[\dX]", "", "", "cn.ric", SURE),
    Form("kr_rrn", "KR", r"\d{6}-[1-8]\d{6}", r"\d{13}", r"주민|\brrn\b|resident", "kr.rrn"),
    Form(
        "be_nn", "BE", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", r"\d{11}", r"rijksregister|registre national", "be.nn", SURE
    ),
    Form("za_id", "ZA", "", r"\d{13}|\d{6} \d{4} \d{3}", r"\bid\b|identity", "za.idnr"),
    Form("tr_kimlik", "TR", "", r"[1-9]\d{10}", r"kimlik|\bt\.?c\.?\b|tckn", "tr.tckimlik"),
    Form("ie_pps", "IE", "", r"\d{7}[A-W][A-IW]?", r"\bppsn?\b", "ie.pps"),
    Form("my_nric", "MY", r"\d{6}-\d{2}-\d{4}", r"\d{12}", r"\bnric\b|mykad|\bic\b", "my.nric"),
    Form("cz_rc", "CZ", r"\d{6}/\d{4}", r"\d{9,10}", r"rodn[ée]", "cz.rc"),
    Form("th_pin", "TH", r"\d-\d{4}-\d{5}-\d{2}-\d", r"\d{13}", r"citizen|ประชาชน", "th.pin"),
    Form("cl_rut", "CL", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", r"\d{7,8}-[\dkK]", r"\br\.?u\.?[tn]\b", "cl.rut"),
    Form("ro_cnp", "RO", "", r"[1-9]\d{12}", r"\bcnp\b|numeric personal", "ro.cnp"),
    Form("hr_oib", "HR", "", r"\d{11}", r"\boib\b", "hr.oib"),
    Form("gr_amka", "GR", "", r"\d{11}", r"amka|αμκα", "gr.amka"),
    Form("il_id", "IL", "", r"\d{9}", r"teudat|זהות|israeli id", "il.idnr"),
    Form("jp_my_number", "JP", "", r"\d{4}[ -]?\d{4}[ -]?\d{4}", r"マイナンバー|個人番号|my number", "jp.in_"),
    Form("at_svnr", "AT", "", r"\d{4} ?\d{6}", r"\bsv[- ]?n|sozialversicherung", "at.vnr"),
)


def _finder(form: Form) -> Finder:
    telling = re.compile(rf"{LEFT}(?<!\d[ -])(?:{form.telling}){RIGHT}(?! \d)") if form.telling else None
    bare = re.compile(f"{LEFT}(?:{form.bare}){RIGHT}") if form.bare else None
    words = re.compile(form.words, re.IGNORECASE) if form.words else None

    def holds(text: str) -> bool:
        plain = text if not form.check.startswith("es.") else text.replace(".", "")
        return not form.check or validator(form.check)(plain)

    def find(text: str, seeking: Seeking) -> Iterator[Found]:
        del seeking
        for match in telling.finditer(text) if telling else ():
            named = words is not None and near(text, *match.span(), words)
            if (form.confidence == SURE or named or not is_reference(text, match.start())) and holds(match.group()):
                yield Found(form.kind, *match.span(), match.group(), HINTED if named else form.confidence)
        if bare is None or words is None or words.search(text) is None:
            return
        for match in bare.finditer(text):
            if len(set(digits_of(match.group()))) > 1 and near(text, *match.span(), words) and holds(match.group()):
                yield Found(form.kind, *match.span(), match.group(), HINTED)

    return find


def _hint(form: Form, end: str = "") -> str:
    """What must occur: the telling form, or the words that bare digits need."""
    telling = form.telling.replace("(?!BG|GB|KN|NK|NT|TN|ZZ)", "")  # RE2 has no look-ahead
    return "|".join(rf"\b(?:{part}){end}" if part is telling else part for part in (telling, form.words) if part)


DETECTORS = tuple(
    Detector(form.kind, "national_id", _hint(form), _finder(form), form.region, exact=_hint(form, r"\b"))
    for form in FORMS
)
