"""Spelled-out numbers and units of measure in English, German, French and Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text; a run in a script without spaces counts each third character as one."""
    return [w for word in _WORDS.findall(text) for w in ([word] if word[0] < "\u2e80" else word[::3])]


def _english() -> dict[str, int]:
    ones = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    ones += " seventeen eighteen nineteen"
    found = {word: i for i, word in enumerate(ones.split())}
    for i, ten in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2):
        found[ten] = 10 * i
        found |= {f"{ten}-{word}": 10 * i + n for word, n in list(found.items())[1:10]}
    return found | {"dozen": 12}


def _german() -> dict[str, int]:
    ones = "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn"
    found = {word: i for i, word in enumerate((ones + " siebzehn achtzehn neunzehn").split())}
    units = {**{word: n for word, n in found.items() if 1 < n < 10}, "ein": 1}
    for i, ten in enumerate(
        ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"], 2
    ):
        found[ten] = 10 * i
        found |= {f"{word}und{ten}": 10 * i + n for word, n in units.items()}
    below = dict(found)
    for word, n in units.items():
        found[f"{word}hundert"] = 100 * n
        found |= {f"{word}hundert{rest}": 100 * n + m for rest, m in below.items() if m}
        found[f"{word}tausend"] = 1000 * n
    return found


def _french() -> dict[str, int]:
    ones = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept"
    below = {word: i for i, word in enumerate((ones + " dix-huit dix-neuf").split())}
    found = dict(below)
    tens = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}
    for value, ten in tens.items():
        most = 19 if value in (60, 80) else 9
        found[ten] = value
        found |= {f"{ten}-{word}": value + n for word, n in below.items() if 0 < n <= most}
        found |= {f"{ten}-et-{word}": value + n for word, n in below.items() if n in (1, 11)}
    return found | {"quatre-vingts": 80, "douzaine": 12, "quinzaine": 15}


def _spanish() -> dict[str, int]:
    ones = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"
    ones += " diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco"
    found = {word: i for i, word in enumerate((ones + " veintiséis veintisiete veintiocho veintinueve").split())}
    found |= {
        ten: 10 * i
        for i, ten in enumerate(["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"], 3)
    }
    hundreds = "doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
    return found | {word: 100 * i for i, word in enumerate(hundreds.split(), 2)} | {"cien": 100, "docena": 12}


_SMALL: Mapping[str, Mapping[str, int]] = {"en": _english(), "de": _german(), "fr": _french(), "es": _spanish()}
_BIG: Mapping[str, Mapping[str, int]] = {
    "en": {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12},
    "de": {"hundert": 100, "tausend": 1000, "million": 10**6, "millionen": 10**6, "milliarde": 10**9,
           "milliarden": 10**9, "billionen": 10**12},
    "fr": {"cent": 100, "cents": 100, "mille": 1000, "million": 10**6, "millions": 10**6, "milliard": 10**9,
           "milliards": 10**9},
    "es": {"ciento": 100, "mil": 1000, "millón": 10**6, "millones": 10**6, "billón": 10**12, "billones": 10**12},
}  # fmt: skip
_AND = {"en": "and", "de": "und", "fr": "et", "es": "y"}
_SHORT = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "mio": 1e6, "mrd": 1e9, "md": 1e9}
SCALES: Mapping[str, Mapping[str, float]] = {
    language: {**_SHORT, **{w: float(n) for w, n in big.items()}, **{f"{w}s": float(n) for w, n in big.items()}}
    for language, big in _BIG.items()
}
"""By language: what multiplies the number that it follows."""


def spelled(text: str, language: str) -> Iterator[tuple[int, int, float]]:
    """Numbers in words: start, end and value. A lone "one" is none, as it is seldom meant as a number."""
    small, big = _SMALL.get(language, {}), _BIG.get(language, {})
    if not small:
        return
    run: list[tuple[str, int, int]] = []
    for match in _WORDS.finditer(text):
        word = match.group().casefold()
        parts = word.split("-")
        known = word in small or word in big or (len(parts) > 1 and all(p in small or p in big for p in parts))
        joined = bool(run) and not text[run[-1][2] : match.start()].strip(" -\u00a0")
        if run and not (joined and (known or word == _AND[language])):
            yield from _number(run, language)
            run = []
        if known or run:
            run.append((word, *match.span()))
    yield from _number(run, language)


def _number(run: list[tuple[str, int, int]], language: str) -> Iterator[tuple[int, int, float]]:
    small, big = _SMALL[language], _BIG[language]
    while run and run[-1][0] == _AND[language]:
        run = run[:-1]
    words = [part for word, *_ in run for part in ([word] if word in small else word.split("-"))]
    if not words or (len(words) == 1 and (words[0] in big or small.get(words[0]) == 1 or words[0] == "neuf")):
        return
    if _AND[language] in words and not any(w in big or small.get(w, 0) >= 20 for w in words):
        yield from (n for word in run if word[0] != _AND[language] for n in _number([word], language))
        return
    total = current = 0
    for word in words:
        if word in small:
            current = current * 12 if word == "dozen" and current else current + small[word]
        elif word in big and big[word] == 100:
            current = max(current, 1) * 100
        elif word in big:
            scale = big[word]
            total, current = (
                ((total + max(current, 1)) * scale, 0) if total < scale else (total + max(current, 1) * scale, 0)
            )
    yield run[0][1], run[-1][2], float(total + current)


_TABLE = """
time 1: second seconds sec secs sekunde sekunden seconde secondes segundo segundos
time 0.001: ms millisecond milliseconds millisekunden millisecondes milisegundos
time 60: minute minutes min mins minuten minuto minutos
time 3600: hour hours hr hrs stunde stunden heure heures hora horas
time 86400: day days tag tage tagen jour jours día días calendar_days calendar_day kalendertage
workday 1: business_day business_days working_day working_days werktag werktage werktagen arbeitstag arbeitstage
workday 1: arbeitstagen jours_ouvrés jours_ouvrables jour_ouvré días_hábiles días_laborables
time 604800: week weeks woche wochen semaine semaines semana semanas
month 1: month months monat monate monaten mois mes meses
month 12: year years yr yrs jahr jahre jahren an ans année années año años
month 120: decade decades
mass 0.000000001: microgram micrograms mcg µg mikrogramm microgrammes microgramos
rate 1: bit/s bps
rate 1000: kbit/s kbps
rate 1000000: mbit/s mbps
rate 1000000000: gbit/s gbps
percent 1: % percent per_cent pct prozent pour_cent por_ciento
points 1: percentage_points percentage_point pp prozentpunkte points_de puntos_porcentuales
USD 1: dollar dollars usd us-dollar dólares dólar $
EUR 1: euro euros eur €
GBP 1: pound pounds gbp £ sterling
JPY 1: yen jpy ¥
CHF 1: franken chf
INR 1: rupees rupee inr ₹
USD 0.01: cents
length 1: metre metres meter meters m mètre mètres metro metros metern
length 1000: km kilometre kilometres kilometer kilometers kilometern kilomètres kilomètre kilómetros
length 0.01: cm centimetre centimetres centimeter centimeters zentimeter centimètres centímetros
length 0.001: mm millimetre millimetres millimeter millimeters millimètres milímetros
length 1609.344: mile miles meile meilen
length 0.3048: ft foot feet
length 0.0254: inch inches zoll
speed 1: km/h kmh kph
speed 1.609344: mph
mass 1: kg kilogram kilograms kilo kilos kilogramm kilogrammes kilogramos
mass 0.001: g gram grams gramm grammes gramos
mass 0.000001: mg milligram milligrams milligramm milligrammes miligramos
mass 1000: tonne tonnes tonnen toneladas
mass 0.45359237: lb lbs
volume 1: l litre litres liter liters litern litros
volume 0.001: ml millilitre millilitres milliliter milliliters
data 1: kb kilobyte kilobytes
data 1000: mb megabyte megabytes
data 1000000: gb gigabyte gigabytes
data 1000000000: tb terabyte terabytes
power 1: w watt watts
power 1000: kw kilowatt kilowatts
power 1000000: mw megawatt megawatts
energy 1: kwh
celsius 1: °c °C celsius degrees_celsius grad_celsius
fahrenheit 1: °f °F fahrenheit degrees_fahrenheit
"""


def _units() -> dict[str, tuple[str, float]]:
    found: dict[str, tuple[str, float]] = {}
    for line in _TABLE.strip().splitlines():
        head, _, names = line.partition(":")
        dimension, size = head.split()
        found |= {name.replace("_", " "): (dimension, float(size)) for name in names.split()}
    return found


UNITS: Mapping[str, tuple[str, float]] = _units()
"""Name: its dimension, and how many of the dimension's base it is. Months and seconds are not converted."""
