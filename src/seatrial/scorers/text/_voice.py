"""Words that tell how a text addresses its reader, by language: for the lints of a brand's voice.

English, German, French and Spanish. Written for this project; a suite can add words of its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Person = Literal["first_singular", "first_plural", "second", "third_singular"]

_I, _WE, _YOU, _SOMEBODY = "first_singular", "first_plural", "second", "third_singular"
PERSONS: dict[str, dict[str, str]] = {
    "en": {
        _I: r"I(?:['’](?:m|ve|ll|d))?|[Mm](?:e|y|ine|yself)",
        _WE: r"[Ww]e(?:['’](?:re|ve|ll|d))?|us|[Oo]ur(?:s|selves)?|[Ll]et['’]s",
        _YOU: r"[Yy](?:ou(?:r|rs|rself|rselves)?(?:['’](?:re|ve|ll|d))?)",
        _SOMEBODY: r"[Hh](?:e|im|is|imself|er|ers|erself)|[Ss]he",
    },
    "de": {
        _I: r"[Ii]ch|[Mm](?:ir|ich|ein(?:e[mnrs]?)?)",
        _WE: r"[Ww]ir|[Uu]ns(?:er(?:e[mnrs]?)?)?",
        _YOU: r"[Dd](?:u|ir|ich|ein(?:e[mnrs]?)?)|[Ee]uch|[Ee]ure[mnrs]?|Sie|Ihnen|Ihr(?:e[mnrs]?)?",
        _SOMEBODY: r"[Ee]r|ihm|ihn",
    },
    "fr": {
        _I: r"[Jj]e|[Mm](?:oi|on|a|es|e)|[JjMm]['’](?=\w)|mien(?:ne)?s?",
        _WE: r"[Nn]ous|[Nn]otre|[Nn]os|nôtres?",
        _YOU: r"[Tt](?:u|oi|on|a|es|e)|[Tt]['’](?=\w)|[Vv]ous|[Vv]otre|[Vv]os|vôtres?",
        _SOMEBODY: r"[Ii]l|[Ee]lle",
    },
    "es": {
        _I: r"[Yy]o|[Mm](?:e|í|is?)|conmigo|mí[oa]s?",
        _WE: r"[Nn]osotr[oa]s|[Nn]os|[Nn]uestr[oa]s?",
        _YOU: r"[Tt](?:ú|us?|e|i)|contigo|tuy[oa]s?|[Vv]os(?:otr[oa]s)?|[Vv]uestr[oa]s?|[Uu]sted(?:es)?|[Uu]ds?\.",
        _SOMEBODY: r"[Éé]l|[Ee]lla",
    },
}
"""Pronouns and possessives of a person; case matters where it tells words apart (I, Sie, US)."""

FAMILIAR: dict[str, str] = {
    "de": r"[Dd](?:u|ir|ich|ein(?:e[mnrs]?)?)|[Ee]uch|[Ee]ure[mnrs]?",
    "fr": r"[Tt](?:u|oi|on|a|es|e)|[Tt]['’](?=\w)",
    "es": r"[Tt](?:ú|us?|e|i)|contigo|tuy[oa]s?|[Vv]os(?:otr[oa]s)?|[Vv]uestr[oa]s?",
}
POLITE: dict[str, str] = {
    "de": r"(?<![.!?:\n\"„»“] )(?<!\A)(?<!\n)(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)|Ihnen",
    "fr": r"[Vv]ous|[Vv]otre|[Vv]os|vôtres?",
    "es": r"[Uu]sted(?:es)?|[Uu]ds?\.",
}
"""How one addresses a stranger. A German "Sie" that opens a sentence may be "she" or "they", and is let pass."""

CONTRACTIONS = (
    r"\w+n['’]t|(?:I|[Yy]ou|[Ww]e|[Tt]hey|[Hh]e|[Ss]he|[Ii]t|[Tt]h(?:at|ere)|[Ww]h(?:at|o|ere|en)|[Hh](?:ow|ere))"
    r"['’](?:m|re|ve|ll|d|s)|[Ll]et['’]s|[Yy]['’]all"
)
SLANG: dict[str, str] = {
    "en": r"gonna|wanna|gotta|kinda|sorta|dunno|lemme|gimme|ain['’]t|yeah|yep|yup|nope|nah|hey|dude|bro|guys|lol|omg"
    r"|btw|thx|pls|plz|asap|tbh|imho|awesome|no\ biggie|my\ bad|freaking|crap|cuz|cool|folks|stuff",
    "de": r"nö|nee|jo|jep|geil|krass|mega|hammer|cool|easy|alter|kumpel|klaro|okidoki|sorry"
    r"|hey|hi|moin|tschüssi|ne\?|grad"
    r"|nix|was\ geht|haste|kannste|willste|biste|lol",
    "fr": r"ouais|nan|cool|super\ cool|truc|machin|mec|meuf|bof|dingue|kiffer|bouffe|boulot|fric|ouf|chelou|coucou|lol"
    r"|mdr|t['’]inquiète|y['’]a|chais\ pas",
    "es": r"guay|mola|tío|tía|vale|curro|pasta|flipar|chulo|chévere|wey|güey|órale|che|chido"
    "|hostia|joder|lol|jaja(?:ja)*|okis",
}


@lru_cache(maxsize=64)
def words(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """A pattern of whole words."""
    return re.compile(rf"(?<![\w'’])(?:{pattern})(?!\w)", re.IGNORECASE if ignore_case else 0)


EMOJI = re.compile(
    r"[\U0001F1E6-\U0001F1FF]{2}"
    r"|[0-9#*]\ufe0f?\u20e3"
    r"|(?:[\U0001F000-\U0001F0FF\U0001F170-\U0001F251\U0001F300-\U0001FAFF]"
    r"|[\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe"
    r""
    r"\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5"
    r""
    r"\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]"
    r"|[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299]\ufe0f)"
    r"(?:\ufe0f|[\U0001F3FB-\U0001F3FF]|[\U000E0020-\U000E007F]|\u200d[\u2190-\u2bff\U0001F300-\U0001FAFF])*"
)
"""An emoji as one is seen: with its skin tone, joined ones and flags as one; text symbols like ✓ and ™ are none."""
