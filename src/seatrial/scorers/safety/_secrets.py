"""Keys, tokens, passwords: known prefixes with their structure, private keys, telling words with random values."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

from seatrial.scorers.safety._detecting import (
    Detector,
    Finder,
    Found,
    Seeking,
    Words,
    beginning,
    folds_as_ascii,
)
from seatrial.scorers.text.regex import compiled, searched

_EDGE = r"(?<![A-Za-z0-9_])"
_OVER = r"(?![A-Za-z0-9_])"
_BEGINS = re.compile(_EDGE)

KNOWN: tuple[tuple[str, str], ...] = (
    ("aws_access_key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    ("github_token", r"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("gitlab_token", r"gl(?:pat|dt|ptt|rt|cbt)-[A-Za-z0-9_-]{20,60}"),
    ("slack_token", r"xox[abeoprs]-[A-Za-z0-9-]{16,250}|xapp-\d-[A-Za-z0-9-]{20,250}"),
    (
        "slack_webhook",
        r"https://hooks\.slack\.com/(?:services|workflows)/[A-Z0-9]{8,12}/[A-Z0-9]{8,12}/[A-Za-z0-9]{20,30}",
    ),
    ("discord_webhook", r"https://discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,72}"),
    ("stripe_key", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}|whsec_[A-Za-z0-9]{24,64}"),
    ("google_api_key", r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{20,250}"),
    ("anthropic_key", r"sk-ant-[A-Za-z0-9_-]{20,150}"),
    ("openai_key", r"sk-(?!ant-)(?:proj-|svcacct-|admin-|or-v1-)?(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,200}"),
    ("huggingface_token", r"hf_[A-Za-z0-9]{30,40}"),
    ("npm_token", r"npm_[A-Za-z0-9]{36}"),
    ("pypi_token", r"pypi-AgE[A-Za-z0-9_-]{50,250}"),
    ("sendgrid_key", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("twilio_key", r"SK[0-9a-f]{32}"),
    ("telegram_token", r"\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("digitalocean_token", r"do[opr]_v1_[0-9a-f]{64}"),
    ("databricks_token", r"dapi[0-9a-f]{32}"),
    ("shopify_token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("mailgun_key", r"key-[0-9a-f]{32}"),
    ("azure_storage_key", r"AccountKey=[A-Za-z0-9+/]{86}=="),
)
_HINTS = {
    "slack_webhook": r"hooks\.slack\.com",
    "discord_webhook": r"/api/webhooks/",
    "openai_key": r"sk-[a-z0-9_-]{10}",
    "telegram_token": r"\d:aa[a-z0-9_-]{20}",
    "twilio_key": r"\bsk[0-9a-f]{20}",
    "mailgun_key": r"key-[0-9a-f]{20}",
    "google_api_key": r"aiza[a-z0-9_-]|gocspx-|ya29\.",
    "stripe_key": r"[sr]k_(?:live|test)_|whsec_",
    "aws_access_key": r"\ba[sbkc][icai]a[a-z2-7]{12}",
    "github_token": r"gh[pousr]_[a-z0-9]|github_pat_",
    "gitlab_token": r"\bgl(?:pat|dt|ptt|rt|cbt)-",
    "slack_token": r"xox[abeoprs]-|xapp-",
    "digitalocean_token": r"do[opr]_v1_",
    "shopify_token": r"shp(?:at|ca|pa|ss)_",
    "azure_storage_key": r"accountkey=",
    "pypi_token": r"pypi-age",
    "sendgrid_key": r"\bsg\.[a-z0-9_-]{10}",
    "anthropic_key": r"sk-ant-",
    "huggingface_token": r"\bhf_[a-z0-9]{10}",
    "npm_token": r"\bnpm_[a-z0-9]{10}",
    "databricks_token": r"dapi[0-9a-f]{10}",
}
_PLACEHOLDER = Words(
    r"your|example|placeholder|change[-_ ]?me|redacted|dummy|sample|insert|replace|todo|xxxx|\*\*\*|\.\.\.|…|<[^>]*>|"
    r"\$\{|\{\{|\$\(|%\(|environ|getenv|process\.env|secrets?\.|vault|1234567890abcdef|abcdefghijklmnop|foobar|"
    r"^(?:none|null|true|false|undefined|string|required|optional|hidden|secret|password|token|passw(?:or)?d?\d{0,3})\Z"
)


def entropy(text: str) -> float:
    """Shannon entropy of a text's characters, in bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def _is_filler(value: str, seeking: Seeking) -> bool:
    return not seeking.reserved and (_PLACEHOLDER.within(value) or len(set(value[6:] or value)) < 4)


def _known(kind: str, pattern: str) -> Finder:
    compiled = re.compile(f"(?:{pattern}){_OVER}")  # it begins with a literal, which `re` seeks quickly

    def matches(text: str) -> Iterator[re.Match[str]]:
        at = 0
        while match := compiled.search(text, at):
            edge = _BEGINS.match(text, match.start()) is not None
            at = match.end() if edge else match.start() + 1
            if edge:
                yield match

    def find(text: str, seeking: Seeking) -> Iterator[Found]:
        for match in matches(text):
            if not _is_filler(match.group(), seeking):
                yield Found(kind, *match.span(), match.group(), 0.95)

    return find


_PRIVATE = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?P<body>[A-Za-z0-9+/=\s:,.\\-]{40,20000})"
)


def _private_keys(text: str, seeking: Seeking) -> Iterator[Found]:
    for match in _PRIVATE.finditer(text):
        body = match.group("body").partition("-----")[0]
        if seeking.reserved or ("..." not in body[:60] and len(set(body)) > 15):
            end = match.start("body") + len(body.rstrip())
            yield Found("private_key", match.start(), end, text[match.start() : end], 0.98)


_JWT = re.compile(rf"{_EDGE}(eyJ[A-Za-z0-9_-]{{8,2000}})\.(eyJ[A-Za-z0-9_-]{{4,8000}})\.([A-Za-z0-9_-]{{10,2000}})?")


def _decoded(part: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None


def _jwts(text: str, seeking: Seeking) -> Iterator[Found]:
    del seeking
    for match in _JWT.finditer(text):
        header = _decoded(match.group(1))
        if isinstance(header, dict) and "alg" in header and isinstance(_decoded(match.group(2)), dict):
            yield Found("jwt", *match.span(), match.group(), 0.95)


_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])(?P<scheme>[a-z][a-z0-9+.-]{1,20})://(?P<user>[^\s/:@\"'<>]{0,100}):(?P<secret>[^\s/@\"'<>]{3,200})@[\w.\[-]",
    re.IGNORECASE,
)
_WEB = frozenset(("http", "https", "ftp", "ftps", "sftp", "ssh", "git", "ws", "wss"))
_ADO = re.compile(
    r"(?i:server|data source|host|endpoint|database|initial "
    r"catalog)=[^;\n]{1,100};[^\n]{0,300}?(?i:password|pwd)=(?P<secret>[^;\s\"']{3,100})"
)


def _urls(text: str, seeking: Seeking) -> Iterator[Found]:
    for match in _URL.finditer(text):
        if match.group("scheme").lower() in _WEB and not _is_dummy(match.group("secret"), seeking):
            yield Found("url_credentials", match.start(), match.end() - 1, match.group()[:-1], 0.96)


def _connections(text: str, seeking: Seeking) -> Iterator[Found]:
    for match in _URL.finditer(text):
        if match.group("scheme").lower() not in _WEB and not _is_dummy(match.group("secret"), seeking):
            yield Found("connection_string", match.start(), match.end() - 1, match.group()[:-1], 0.96)
    for match in _ADO.finditer(text):
        if not _is_dummy(match.group("secret"), seeking):
            yield Found("connection_string", *match.span(), match.group(), 0.9)


def _is_dummy(secret: str, seeking: Seeking) -> bool:
    return not seeking.reserved and (_PLACEHOLDER.within(secret) or secret.lower() in ("pass", "pwd", "user", "secret"))


_GUARDING = (
    r"passw(?:or)?d|passwort|passphrase|contraseña|mot de passe|pwd|secret|token|api[_ -]?key|access[_ -]?key|"
    r"private[_ -]?key|client[_ -]?secret|auth[_ -]?key|credential"
)
_BEFORE_GUARD = 30
_GUARDED = re.compile(
    rf"(?<![A-Za-z0-9])(?P<word>[A-Za-z0-9_.-]{{0,{_BEFORE_GUARD}}}(?:{_GUARDING})[A-Za-z0-9_-]{{0,20}})"
    r"[\"'`*]{0,3}(?P<link>\s{0,3}(?:=>|:=|[:=])\s{0,3}| is (?:now )?(?:set to )?:?\s?| ist |\s+es | est "
    r"(?:: )?)(?:bearer )?"
    r"(?P<quote>[\"'`*]{0,2})(?P<value>[^\s\"'`,;<>()\[\]{}*]{8,200})",
    re.IGNORECASE,
)
_GUARD_BEGINS = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9_.-]", re.IGNORECASE)


_SPACE = r"[\s\x0b\x{1c}-\x{1f}\x{85}\pZ]"
_GUARD = rf"(?:{_GUARDING})[A-Za-z0-9_-]*[\"'`*]*(?:{_SPACE}*[:=]| is | ist |{_SPACE}+es | est )"
"""For RE2, no less than what `_GUARDED` finds from its telling word on, up to its link."""


@lru_cache(maxsize=1)
def _guards() -> Any:
    return compiled(_GUARD, ignore_case=True)


def _guarded(text: str) -> Iterator[re.Match[str]]:
    """What `_GUARDED.finditer` finds, tried only around a telling word with a link behind it: ten times as fast."""
    if not folds_as_ascii(text):
        yield from _GUARDED.finditer(text)
        return
    free = 0
    for guard in _guards().finditer(searched(text)):
        for start in _GUARD_BEGINS.finditer(text, max(free, guard.start() - _BEFORE_GUARD), guard.end()):
            if start.start() >= free and (match := _GUARDED.match(text, start.start())) is not None:
                free = match.end()
                yield match


def _generic(text: str, seeking: Seeking) -> Iterator[Found]:
    for match in _guarded(text):
        value = match.group("value").rstrip(".!?:")
        if len(value) >= 8 and not _is_filler(value, seeking) and _is_random(match.group("word"), value):
            start = match.start("value")
            yield Found("generic_secret", start, start + len(value), value, 0.75)


def _is_random(word: str, value: str) -> bool:
    """Whether a value looks random or chosen as a password: mixed characters, no plain word, path or address."""
    if (
        re.fullmatch(r"[a-z]+(?:[-_./:][a-z]+)*", value, re.IGNORECASE)
        or "://" in value
        or value.startswith(("/", "./"))
    ):
        return False
    classes = sum(re.search(c, value) is not None for c in ("[a-z]", "[A-Z]", r"\d", r"[^A-Za-z0-9]"))
    if re.search(r"pass|pwd|contrase", word, re.IGNORECASE):
        return (
            classes >= 2
            and len(set(value)) >= 5
            and not re.fullmatch(r"[\d.,:/-]+", value)
            and not _NOT_STATED.search(value)
        )
    return len(value) >= 16 and classes >= 2 and entropy(value) >= 3.0


_STATING = (
    r"pass(?:word|code|phrase|wort)|kennwort|contraseña|mot de passe|senha|palavra-passe|wachtwoord|"
    r"hasło|пароль|lösenord|adgangskode|şifre"
)
_STATING_CJK = "密码|密碼|パスワード|비밀번호"
_STATED = re.compile(
    rf"(?:(?<![^\W_])(?:{_STATING})|{_STATING_CJK})[*_`]{{0,3}}"
    r"(?: (?:for|to|of|für|de|del|pour|da|para|voor|do|к|для) [^\n.:;=\"'`]{1,40}?)?"
    r"(?:\s{0,2}[:=：][*_]{0,3}| (?:is|was|ist|lautet|es|est|é|jest)(?: now)?(?: set to)?:?|"
    r" has been (?:re)?set to:?| (?:now )?set to:?|(?:は|是|为|為)[:：]?)"
    r"\s{0,3}(?P<quote>[\"'`“„«「*]{0,2})(?P<value>[^\s\"'`“”«»「」,;<>(){}\[\]|*]{4,64})(?P<after>[\"'`”“»」*(\[]?)",
    re.IGNORECASE,
)
_NOT_STATED = re.compile(
    r"://|^\.{0,2}/|^\$(?-i:[A-Z_]{2}\w*)$|^%\w+%$|^--|^(?:sha|md|aes|base|utf|rsa|bcrypt|argon|pbkdf|scrypt|crypt|ntlm|oauth|2fa|mfa|otp)[-_]?\w{0,3}(?:$|[-/_])|"
    r"^[a-z_]+(?:\.\w+)+$|^\d+[-–+]?(?:\d+|[a-z]{1,5}|-\w+)?$|"
    r"-(?:protected|encrypted|hashed|encoded|based|sensitive|bit|characters?|digits?|letters?|long)$|"
    r"^(?:x+|[•●.*_#?-]+)$|^(?:text|value|varchar\d*|char\d*|str\d*|plain|masked|incorrect|correct|wrong|invalid|"
    r"valid|expired|missing|empty|weak|strong|case-sensitive|needed|mandatory|necessary|unknown|unset|blank)$",
    re.IGNORECASE,
)
_STATEMENT = (
    rf"(?:{_STATING})[*_`]*(?:{_SPACE}*[:=]| (?:(?:for|to|of|de|del|pour|da|para|voor|do) |is|was|lautet|es|est|"
    r"jest|has been|now set to|set to))"
)
"""For RE2, no less than what `_STATED` begins with in ASCII: its word, and what may follow."""


@lru_cache(maxsize=1)
def _stating() -> Any:
    """For RE2, the words with which `_STATED` begins: no two of them overlap."""
    return compiled(f"{_STATING}|{_STATING_CJK}", ignore_case=True)


def _statements(text: str) -> Iterator[re.Match[str]]:
    """What `_STATED.finditer` finds."""
    return beginning(_STATED, _stating(), text) if folds_as_ascii(text) else _STATED.finditer(text)


def _stated(text: str, seeking: Seeking) -> Iterator[Found]:
    """Passwords that a sentence states: `your password is Winter2024!`; plain words only in quotes."""
    for match in _statements(text):
        value, after = match.group("value").rstrip(".,;:?"), match.group("after")
        if len(value) < 4 or after in ("(", "["):
            continue
        if not seeking.reserved and (_PLACEHOLDER.within(value) or _NOT_STATED.search(value)):
            continue
        quoted = bool(match.group("quote").strip("*")) and after not in ("", "*")
        mixed = re.search(r"[^\W\d_]", value) and re.search(r"[\d!@#$%^&+=~]", value.rstrip("!"))
        if quoted or (len(value) >= 5 and mixed):
            start = match.start("value")
            yield Found("generic_secret", start, start + len(value), value, 0.6)


def _worded(text: str, seeking: Seeking) -> Iterator[Found]:
    return chain(_generic(text, seeking), _stated(text, seeking))


DETECTORS = (
    *(Detector(kind, "secret", _HINTS[kind], _known(kind, pattern)) for kind, pattern in KNOWN),
    Detector("private_key", "secret", r"private key", _private_keys),
    Detector("jwt", "secret", r"eyj[a-z0-9_-]+\.eyj", _jwts),
    Detector("connection_string", "secret", r"://[^\s/@]*:[^\s/@]+@|(?:password|pwd)=", _connections),
    Detector("url_credentials", "secret", r"://[^\s/@]*:[^\s/@]+@", _urls),
    Detector(
        "generic_secret",
        "secret",
        r"passw|passphrase|contraseña|mot de passe|pwd|secret|token|(?:api|access|private|auth)[_ -]?key|credential|"
        r"passcode|kennwort|senha|palavra-passe|wachtwoord|hasło|пароль|lösenord|adgangskode|şifre|密码|密碼|パスワード|"
        r"비밀번호",
        _worded,
        exact=f"{_GUARD}|{_STATEMENT}",
    ),
)
