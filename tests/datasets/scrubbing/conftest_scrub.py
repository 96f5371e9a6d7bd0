"""Scrubbers under two keys, and a case with personal data in every corner."""

from __future__ import annotations

from seatrial.core.case import Case

KEY, OTHER = b"0123456789abcdef-one", b"0123456789abcdef-two"

REALS = (
    "Maria", "Keller", "maria.keller@posteo.de", "4111 1111 1111 1111", "DE89370400440532013000", "1985-03-12",
    "mia_li_3668", "583690060", "+49 171 3928475", "anna@firma-x.de", "84.17.52.203", "27 Ashdown",
    "ghp_a8Kd03LmQz71XcVb92NnWe45RtYu60PoAs7D",
)  # fmt: skip
"""Real values of `rich`, none of which may be anywhere once it is scrubbed."""


def rich(number: int = 1) -> dict:
    arguments = {
        "first_name": "Mia",
        "last_name": "Li",
        "user_id": "mia_li_3668",
        "ssn": 583690060,
        "raw": '{"email":  "maria.keller@posteo.de", "n": 1.50, "who": "Ms Keller"}',
    }
    return {
        "id": f"c{number}",
        "session_id": "anna@firma-x.de",
        "input": [
            {"role": "user", "content": "My name is Maria Keller, card 4111 1111 1111 1111. I'm mia_li_3668."},
            {"role": "assistant", "tool_calls": [{"name": "find", "arguments": arguments, "id": "call_1"}]},
            {"role": "tool", "content": '{"dob": "1985-03-12", "street": "27 Ashdown Road"}', "tool_call_id": "call_1"},
            {"role": "user", "content": "Write to maria.keller@posteo.de or call +49 171 3928475. Keller lives there."},
        ],
        "context": [{"text": "IBAN DE89370400440532013000, login from 84.17.52.203, born on 1985-03-12"}],
        "expected": {"answers": ["Dear Ms Keller,\n\nwe used ghp_a8Kd03LmQz71XcVb92NnWe45RtYu60PoAs7D"]},
        "metadata": {"maria.keller@posteo.de": {"seen": [1, 2.5, None, True]}},
    }


def rich_case(number: int = 1) -> Case:
    return Case.model_validate(rich(number))
