"""Whether a text is written in a given language: by its script, or by its function words. Coarse and careful.

It answers one question, whether an ordered switch of language took place, for texts of ten words or more.
"""

from __future__ import annotations

import re

_SCRIPTS = {
    "zh": "\u4e00-\u9fff",
    "ja": "\u3040-\u30ff\u4e00-\u9fff",
    "ko": "\uac00-\ud7af",
    "ru": "\u0400-\u04ff",
    "uk": "\u0400-\u04ff",
    "ar": "\u0600-\u06ff",
    "he": "\u0590-\u05ff",
    "el": "\u0370-\u03ff",
    "hi": "\u0900-\u097f",
    "th": "\u0e00-\u0e7f",
}
_WORDS = {
    "en": "the of and to is in that it for with are this was be not have on as you from which by or an will",
    "de": "der die das und ist nicht ein eine zu mit den von im auf für sich dem des wird werden sind auch es wir",
    "fr": "le la les des et est une un dans que pour qui sur pas avec ce vous nous du au cette sont être ne par",
    "es": "el la los las de que y en es un una por con para no se su al del lo como más está son este",
    "it": "il la di che è e un una per con non sono del della le gli nel si da questo al come più anche lo",
    "pt": "o a de que e do da em um uma para com não os as no na por se é mais como dos ao este são",
    "nl": "de het een en van is dat op te in niet zijn voor met die er aan ook bij om als dit naar worden",
    "pl": "i w nie się na z do to że jest o jak po co ale za od dla są przez tak być może ten",
    "sv": "och att det som en på är av för med den till inte har ett om var de jag kan vi från",
    "da": "og at det som en på er af for med den til ikke har et om var de jeg kan vi fra",
    "tr": "ve bir bu için ile da de çok olarak daha olan gibi en ne var kadar sonra ama değil",
    "la": "et in est non ad ut cum sed qui quod ex sunt ab quae si esse per hoc aut",
}
_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
LEAST = 10
_TOKEN = re.compile(r"[^\W\d_]+")


def written_in(text: str, language: str) -> bool:
    """Whether a text of at least ten words (or twenty characters of another script) is written in a language."""
    code = language.lower()[:2]
    sample = text[:20_000]
    if code in _SCRIPTS:
        letters = sum(c.isalpha() for c in sample)
        own = len(re.findall(f"[{_SCRIPTS[code]}]", sample))
        kana = len(re.findall("[\u3040-\u30ff]", sample))
        fits = {"zh": kana * 20 < own, "ja": kana * 5 >= own}.get(code, True)
        return own >= 20 and own >= (0.2 if code == "ja" else 0.5) * letters and fits
    words = [w.lower() for w in _TOKEN.findall(sample)]
    if len(words) < LEAST or code not in _SETS:
        return False
    counts = {name: sum(w in known for w in words) for name, known in _SETS.items()}
    return counts[code] >= 0.12 * len(words) and counts[code] == max(counts.values())
