"""The five classes of failure that probes must cover, and to which of them a probe belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from seatrial.core.case import Case

CLASSES = ("safety_violation", "jailbreak", "prompt_injection", "pii_extraction", "policy_violation")
"""What causes incidents; a set without probes of one of them cannot see it."""

_ALSO: dict[str, tuple[str, ...]] = {
    "safety_violation": (
        "safety", "harm", "harmful", "harmful_content", "hazardous_request", "violence", "self_harm", "hate",
        "toxicity", "weapons", "illegal", "dangerous_content", "sexual_content", "llm05",
    ),
    "jailbreak": ("jailbreaking", "jailbreak_attempt", "role_play_jailbreak", "system_prompt_leakage", "llm07"),
    "prompt_injection": (
        "injection", "indirect_injection", "indirect_prompt_injection", "direct_prompt_injection",
        "instruction_override", "llm01",
    ),
    "pii_extraction": (
        "pii", "pii_leak", "pii_leakage", "privacy", "data_exfiltration", "data_extraction",
        "sensitive_information_disclosure", "personal_data", "llm02",
    ),
    "policy_violation": (
        "policy", "policy_breach", "excessive_agency", "unauthorized_action", "business_rules", "llm06",
    ),
}  # fmt: skip
_CLASS_OF = {word: name for name in CLASSES for word in (name, *_ALSO[name])}


def probe_class(case: Case) -> str:
    """The class of failure that a probe is for; empty where nothing says it.

    The first that does: a stratum's value, the category's name, its strategy. `LLM01` and the like are those of OWASP's
    list of 2025.
    """
    return next((found for word in _words(case) if (found := _CLASS_OF.get(_plain(word)))), "")


def _words(case: Case) -> Iterator[str]:
    yield from case.strata.values()
    if case.probe is not None:
        name = case.probe.category.partition("@")[0]
        yield name
        yield name.partition(":")[0]
        yield case.probe.strategy


def _plain(word: str) -> str:
    return re.sub(r"[\s-]+", "_", word.strip().lower())
