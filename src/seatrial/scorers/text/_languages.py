"""Which language a text is in, and which language a user wants, offline.

Detection is py3langid's: naive Bayes over byte n-grams (Lui and Baldwin 2011), 4.6 MB, 0.2 ms a kilobyte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from seatrial.core.case import Case
from seatrial.scorers.base import encodable
from seatrial.scorers.text._prose import own_words, sentences

READ = 20_000
MAX_PARTS = 300
SURE = 0.5
HARDLY = 0.12
WHOLE_LETTERS = 12

_CODES = (
    "af sq ar hy az eu be bn bg my ca zh hr bs sr cs da nl en et fi fr gl ka de el gu he hi hu is id ga it ja kn kk km "
    "ko ky lo lv lt mk ms ml mr mn ne nn no fa pl pt pa ro ru si sk sl so es sw sv tl ta te th tr uk ur uz vi cy zxx"
)
CANDIDATES = tuple(_CODES.split())
"""What is told apart: ISO 639 codes; zxx is what is no language."""

_SAME = {"nb": "no", "nn": "no", "hr": "hbs", "bs": "hbs", "sr": "hbs", "sh": "hbs", "cmn": "zh", "iw": "he",
         "in": "id", "fil": "tl", "ms": "id", "prs": "fa", "gsw": "de"}  # fmt: skip
"""Codes that stand for one language here: Norwegian's forms; Serbian, Croatian and Bosnian; Malay and Indonesian."""


@lru_cache(maxsize=1024)
def family(code: str) -> str:
    """A code (`pt-BR`, `nb`) as the language that is told apart (`pt`, `no`)."""
    base = re.split(r"[-_]", code.strip().lower())[0]
    return _SAME.get(base, base)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    module: Any = import_module("py3langid.langid")
    made = module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)
    made.set_languages(CANDIDATES)
    return made


def known(code: str) -> bool:
    """Whether a code's language is among those that are told apart."""
    return family(code) in {family(c) for c in CANDIDATES} - {"zxx"}


def _odds(text: str) -> dict[str, float]:
    """How likely each language is, summing to 1."""
    odds: dict[str, float] = {}
    for code, value in _identifier().rank(encodable(text)):
        one = family(code)
        odds[one] = odds.get(one, 0.0) + value
    return odds


_SCRIPTS: tuple[tuple[str, str, str], ...] = (
    ("Cyrillic", "\u0400-\u052f", "ru uk bg be mk hbs kk ky mn uz"),
    ("Greek", "\u0370-\u03ff\u1f00-\u1fff", "el"),
    ("Hebrew", "\u0590-\u05ff", "he"),
    ("Arabic", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff", "ar fa ur"),
    ("Devanagari", "\u0900-\u097f", "hi mr ne"),
    ("Bengali", "\u0980-\u09ff", "bn"),
    ("Gurmukhi", "\u0a00-\u0a7f", "pa"),
    ("Gujarati", "\u0a80-\u0aff", "gu"),
    ("Tamil", "\u0b80-\u0bff", "ta"),
    ("Telugu", "\u0c00-\u0c7f", "te"),
    ("Kannada", "\u0c80-\u0cff", "kn"),
    ("Malayalam", "\u0d00-\u0d7f", "ml"),
    ("Sinhala", "\u0d80-\u0dff", "si"),
    ("Thai", "\u0e00-\u0e7f", "th"),
    ("Lao", "\u0e80-\u0eff", "lo"),
    ("Burmese", "\u1000-\u109f", "my"),
    ("Georgian", "\u10a0-\u10ff", "ka"),
    ("Armenian", "\u0530-\u058f", "hy"),
    ("Khmer", "\u1780-\u17ff", "km"),
    ("Hangul", "\u1100-\u11ff\uac00-\ud7af", "ko"),
    ("kana", "\u3040-\u30ff", "ja"),
    ("Han", "\u3400-\u9fff\U00020000-\U0002fa1f", "zh ja"),
)
_SCRIPT = {name: re.compile(f"[{chars}]") for name, chars, _ in _SCRIPTS}
_WRITTEN_IN = {name: frozenset(codes.split()) for name, _, codes in _SCRIPTS}
_LETTER = re.compile(r"[^\W\d_]")
_NOT_LATIN = frozenset(code for codes in _WRITTEN_IN.values() for code in codes) - {"hbs", "uz"}


def _script(text: str, letters: int) -> str:
    """The script that most letters are in; Latin where it is none of the listed."""
    if text.isascii():
        return "Latin"
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPT.items()}
    if counts["kana"] * 8 >= letters:
        return "kana"
    name = max(counts, key=lambda n: counts[n])
    return name if counts[name] * 2 > letters else "Latin"


def _written(script: str) -> frozenset[str] | None:
    """The languages a script is used for here; None for Latin, which most are written in."""
    return _WRITTEN_IN.get(script)


class Part(NamedTuple):
    """A stretch of text with its language: a code, or empty where it could be several."""

    start: int
    end: int
    letters: int
    code: str
    sure: float


class Reading(NamedTuple):
    """What languages a text is in, by parts.

    `code`: the language of most letters among the decided parts, empty where nothing is decided. `share`: how much of
    the decided letters is in that language.
    """

    parts: tuple[Part, ...]
    code: str
    share: float

    def share_of(self, codes: frozenset[str]) -> float:
        """How much of the decided letters is in one of the languages; 0 where nothing is decided."""
        decided = sum(p.letters for p in self.parts if p.code)
        return sum(p.letters for p in self.parts if p.code in codes) / decided if decided else 0.0


_NOISE = re.compile(r"\S*[\d_/\\{}=|<>$€@#^]\S*|\S{40,}")


def _decide(text: str, hint: frozenset[str]) -> tuple[str, float, int]:
    """The language of a stretch, how sure that is, and its number of letters."""
    text = _NOISE.sub(" ", text)
    letters = len(_LETTER.findall(text))
    if not letters:
        return "", 0.0, 0
    script = _script(text, letters)
    written = _written(script)
    if written is not None and len(written) == 1:
        return next(iter(written)), 1.0, letters
    if script == "Han" and letters <= 4:
        return ("zh", 0.9, letters) if not hint & {"ja"} else ("ja", 0.9, letters)
    odds = _odds(text)
    if written is not None:
        odds = {code: value for code, value in odds.items() if code in written} or odds
        total = sum(odds.values()) or 1.0
        odds = {code: value / total for code, value in odds.items()}
    elif script == "Latin":
        odds = {code: value for code, value in odds.items() if code not in _NOT_LATIN}
    best = max(odds, key=lambda code: odds[code])
    wanted = {code: odds[code] for code in hint if odds.get(code, 0.0) > HARDLY}
    if wanted:  # as likely as another language: the doubt is the answer's
        best = best if best in wanted else ""
        return best, odds.get(best, 0.0), letters
    words = len(text.split())
    sure = odds[best] >= SURE and best != "zxx" and (words >= 3 or letters >= WHOLE_LETTERS or script != "Latin")
    return (best if sure else ""), odds[best], letters


@lru_cache(maxsize=256)
def read(text: str, hint: frozenset[str] = frozenset()) -> Reading:
    """The languages of a text, sentence by sentence; code, quotations, addresses and numbers are left out.

    A sentence too short or too even between languages stays undecided; where all do, the text is looked at as a whole.
    `hint` are languages that get the benefit of the doubt: a sentence that could well be in one is not said to be in
    another. The first 20,000 characters are read.
    """
    said = own_words(text[:READ])
    spans = sentences(said)[:MAX_PARTS]
    found = [
        Part(s.start, s.end, n, code, sure) for s in spans for code, sure, n in [_decide(said[s.start : s.end], hint)]
    ]
    if found and not any(part.code for part in found):
        code, sure, letters = _decide(" ".join(said.split()), hint)
        found = [Part(found[0].start, found[-1].end, letters, code, sure)]
    counts: dict[str, int] = {}
    for part in found:
        if part.code:
            counts[part.code] = counts.get(part.code, 0) + part.letters
    best = max(counts, key=lambda c: counts[c]) if counts else ""
    return Reading(tuple(found), best, counts[best] / sum(counts.values()) if best else 0.0)


def script_rules_out(text: str, codes: frozenset[str]) -> str:
    """The script of most letters, where none of the languages is written in it; else empty."""
    said = own_words(text[:READ])
    letters = len(_LETTER.findall(said))
    if not letters:
        return ""
    script = _script(said, letters)
    written = _written(script)
    if written is not None:
        return "" if codes & written else script
    return "Latin" if letters >= WHOLE_LETTERS and codes <= _NOT_LATIN and " " in said.strip() else ""


_NAMES: dict[str, str] = {
    "en": "english englisch englischen englische anglais anglaise inglés ingles inglese engels angielsku angielski "
          "английском английский английски inglês ingilizce 英语 英文 英語 영어 الإنجليزية بالإنجليزية अंग्रेजी",
    "de": "german deutsch deutschen deutsche allemand alemán aleman alemão tedesco duits niemiecku niemiecki немецком "
          "немецкий almanca 德语 德文 ドイツ語 독일어 الألمانية بالألمانية",
    "fr": "french französisch französischen französische français francais francés frances francês francese frans "
          "francusku francuski французском французский fransızca 法语 法文 フランス語 프랑스어 الفرنسية بالفرنسية",
    "es": "spanish spanisch spanischen espagnol español espanol castellano espanhol spagnolo spaans hiszpańsku "
          "hiszpański испанском испанский ispanyolca 西班牙语 西班牙文 スペイン語 스페인어 الإسبانية بالإسبانية",
    "it": "italian italienisch italienischen italien italiano italiaans włosku włoski итальянском итальянский "
          "italyanca 意大利语 イタリア語 이탈리아어",
    "pt": "portuguese portugiesisch portugiesischen portugais portugués português portugues portoghese portugees "
          "portugalsku португальском portekizce 葡萄牙语 ポルトガル語 포르투갈어",
    "nl": "dutch niederländisch niederländischen holländisch néerlandais neerlandés holandés olandese nederlands "
          "holendersku голландском нидерландском 荷兰语 オランダ語",
    "pl": "polish polnisch polnischen polonais polaco polacco pools polsku polski польском польский lehçe 波兰语",
    "ru": "russian russisch russischen russe ruso russo rosyjsku rosyjski русском русский русски rusça "
          "俄语 ロシア語 러시아어",
    "uk": "ukrainian ukrainisch ukrainischen ukrainien ucraniano ucraino ukraińsku украинском українською",
    "tr": "turkish türkisch türkischen turc turco turks turecku турецком türkçe 土耳其语",
    "ar": "arabic arabisch arabischen arabe árabe arabo arabsku арабском arapça العربية بالعربية 阿拉伯语",
    "zh": "chinese mandarin chinesisch chinesischen chinois chino cinese chinees chińsku китайском çince 中文 汉语 "
          "中国語 중국어",
    "ja": "japanese japanisch japanischen japonais japonés giapponese japans japońsku японском japonca "
          "日语 日文 日本語 일본어",
    "ko": "korean koreanisch koreanischen coréen coreano koreaans koreańsku корейском korece "
          "韩语 韓国語 한국어",
    "hi": "hindi हिन्दी हिंदी",
    "he": "hebrew hebräisch hébreu hebreo עברית בעברית",
    "el": "greek griechisch grec griego ελληνικά",
    "sv": "swedish schwedisch schwedischen suédois sueco svedese svenska шведском",
    "da": "danish dänisch dänischen danois danés dansk",
    "no": "norwegian norwegisch norvégien noruego norsk bokmål",
    "fi": "finnish finnisch finnois finlandés suomeksi suomi",
    "cs": "czech tschechisch tchèque checo česky čeština češtině",
    "sk": "slovak slowakisch slovensky slovenčine",
    "ro": "romanian rumänisch roumain rumano română",
    "hu": "hungarian ungarisch hongrois húngaro magyarul",
    "bg": "bulgarian bulgarisch bulgare български",
    "hbs": "serbian croatian bosnian serbisch kroatisch hrvatskom srpskom hrvatski srpski srpskohrvatski",
    "ca": "catalan katalanisch catalán català",
    "vi": "vietnamese vietnamesisch",
    "th": "thai thailändisch ภาษาไทย",
    "id": "indonesian malay indonesisch",
    "fa": "persian farsi persisch فارسی",
    "ur": "urdu اردو",
    "bn": "bengali bangla বাংলা",
    "sw": "swahili kiswahili",
    "tl": "tagalog filipino",
}  # fmt: skip
_BY_NAME = {name: code for code, names in _NAMES.items() for name in names.split()}
_NAMED = "|".join(sorted((re.escape(n) for n in _BY_NAME if n[0].isascii() or n[0].isalpha()), key=len, reverse=True))
_LEAD = (
    r"\b(?:in|into|to|using|auf|ins|im|en|al|in\s+lingua|naar|em|para|po|na|по-?|на)"
    r"(?:\s+(?:the|das|den|der|le|la|el|il|simple|plain|einfachem|gutem|correct|formal|informal|perfect))?\s*"
)
_ASKED = re.compile(rf"{_LEAD}(?P<a>{_NAMED})(?!\w)|[用以](?P<b>{_NAMED})|(?P<c>{_NAMED})(?:で|로|に)", re.IGNORECASE)
_ARABIC = re.compile(
    r"\b(?P<name>بالعربية|بالإنجليزية|بالفرنسية|بالألمانية|بالإسبانية|בעברית|suomeksi|magyarul|česky|slovensky)\b"
)
_ORDER = re.compile(
    r"\b(?:answer|reply|respond|write|speak|talk|explain|continue|translat\w*|communicate|output|summari[sz]e"
    r"|antwort\w*|schreib\w*|übersetz\w*|sprich|sprechen|erklär\w*|fass\w*"
    r"|répond\w*|repond\w*|écri\w*|tradui\w*|parle\w*|expliqu\w*|résum\w*"
    r"|respond\w*|contest\w*|escrib\w*|escrev\w*|traduc\w*|traduz\w*|tradú\w*|habl\w*|explic\w*|resum\w*"
    r"|rispond\w*|scriv\w*|traduc\w*|parla\w*|antwoord\w*|vertaal\w*|schrijf\w*|odpow\w*|napisz\w*|przetłumacz\w*"
    r"|ответ\w*|отвеч\w*|напиш\w*|перевед\w*|cevap\w*|yanıt\w*)"
    r"|回答|翻译|翻譯|写|答え|書いて|訳して|답해|번역|أجب|اكتب|ترجم",
    re.IGNORECASE,
)
_KEYS = ("answer_language", "language", "lang", "locale")
NEAR = 60


class Wanted(NamedTuple):
    """The language an answer is to be in, or why that cannot be said."""

    code: str
    why: str


def _mentions(text: str) -> Iterator[tuple[int, str]]:
    for match in _ASKED.finditer(text):
        name = match["a"] or match["b"] or match["c"]
        yield match.start(), _BY_NAME[name.lower()]
    for match in _ARABIC.finditer(text):
        yield match.start(), _BY_NAME.get(match["name"].lower(), "")


def _ordered_language(text: str) -> tuple[str, bool]:
    """The language a text asks the answer to be in; and whether it names one without clearly asking for it."""
    said = own_words(text[:READ])
    named = list(_mentions(said))
    codes = {code for at, code in named if _ORDER.search(said, max(0, at - NEAR), min(len(said), at + NEAR))}
    return (codes.pop(), False) if len(codes) == 1 else ("", bool(named))


def wanted_language(case: Case) -> Wanted:
    """The language an answer to a case is to be in.

    In this order: what the case's strata or metadata say (`answer_language`, `language`, `lang`, `locale`); what the
    last user message asks for ("auf Deutsch antworten"); what the system message asks for; the language of the last
    user message. Unknown where a message names a language without clearly asking for it, or is too short.
    """
    for key in _KEYS:
        for place in (case.strata, case.metadata):
            value = place.get(key)
            if isinstance(value, str) and value.strip():
                code = _BY_NAME.get(value.strip().lower(), family(value))
                return Wanted(code, "") if known(code) else Wanted("", f"the case's {key} is not a language told apart")
    system = "\n".join(m.text for m in case.input if m.role in ("system", "developer"))
    return _wanted(case.text[:READ], system[:READ])


@lru_cache(maxsize=256)
def _wanted(message: str, system: str) -> Wanted:
    code, unclear = _ordered_language(message)
    if code:
        return Wanted(code, "")
    if unclear:
        return Wanted("", "the user's message names a language without clearly asking for it")
    code, _ = _ordered_language(system)
    if code:
        return Wanted(code, "")
    found = read(message)
    if not found.code:
        return Wanted("", "the language of the user's message cannot be told")
    if found.share < 0.7:
        return Wanted("", "the user's message is in several languages")
    return Wanted(found.code, "")
