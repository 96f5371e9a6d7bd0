"""What may be read of sealed cases, and of what came of them, without the key: numbers, and names that hide their text.

A sealed payload has two parts. The open one is a stand-in of the same shape: every number that a verdict is drawn
from, `[sealed]` where a text would be, names in place of ids. The encrypted one is the whole. The open part is what
digests cover and bundles carry, so that both are the same with the key and without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from seatrial.core.case import Case
from seatrial.core.identity import canonical, from_bytes, to_bytes
from seatrial.core.output import Output
from seatrial.core.record import as_dict
from seatrial.core.score import Score
from seatrial.core.vault import MARK, SHOWN, Vault
from seatrial.store import schema
from seatrial.store.codec import SEALED, json_bytes

if TYPE_CHECKING:
    from seatrial.store.store import Store

SEAL = "$sealed"
"""The key of a stand-in that says it is one; what was hashed is under it."""
SAME = ("origin", "weight", "strata", "evolution", "created_at", "published_at")
NAMES = ("seed_id", "parent_id", "session_id", "trace_id", "source")
NUMBERS = (
    *("finish_reason", "usage", "cost", "price_source", "timing", "served_model", "fingerprint", "attempts"),
    *("finished_at", "sent"),
)
PAYLOADS = (schema.case_payloads, schema.requests, schema.output_payloads, schema.score_payloads)
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")


def open_case(case: Case, vault: Vault) -> dict[str, Any]:
    """The open part of a sealed case."""
    whole = case.recorded
    hashes = {"hash": case.hash, "view": case.view_hash, "input": blind(case.input_hash, vault)}
    plain: dict[str, Any] = {SEAL: hashes, "id": vault.name(case.id), "input": vault.shown(canonical(whole["input"]))}
    plain |= {key: whole[key] for key in SAME if key in whole}
    plain |= {key: vault.name(whole[key]) for key in NAMES if key in whole}
    if case.probe is not None:
        plain["probe"] = {"category": case.probe.category, "strategy": case.probe.strategy}
    named = _named({key: value for key, value in case.metadata.items() if key != MARK}, vault)
    return plain | ({"metadata": named} if named else {})


def _named(values: Mapping[str, Any], vault: Vault) -> dict[str, Any]:
    """Metadata with a name for every value: cases that share one may be one cluster."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if KEY.fullmatch(key) is None or value is None:
            continue
        inner = as_dict(value)
        found[key] = vault.name(canonical(value)) if inner is None else _named(inner, vault)
    return found


def blind(identity: str, vault: Vault) -> str:
    """An identity that nobody can try texts against."""
    return from_bytes(identity.split(":", 1)[0], vault.blind(to_bytes(identity)))


def open_output(output: Output, vault: Vault) -> dict[str, Any]:
    """The open part of an output to a sealed case."""
    whole = output.recorded
    plain: dict[str, Any] = {SEAL: {"hash": blind(output.hash, vault)}}
    if output.messages:
        said = canonical([output.text, [[call.name, call.arguments] for call in output.tool_calls]])
        plain["messages"] = [{"role": "assistant", "content": vault.shown(said)}]
    plain |= {key: whole[key] for key in NUMBERS if key in whole}
    if output.failure is not None:
        failed = output.failure.plain()
        plain["failure"] = {**failed, **({"message": SHOWN} if failed.get("message") else {})}
    return plain


def open_score(details: Mapping[str, Any], vault: Vault) -> dict[str, Any]:
    """The open part of a score's details: its unit, and the labels that aggregates count, as names."""
    plain: dict[str, Any] = {SEAL: {}}
    if details.get("reason"):
        plain["reason"] = SHOWN
    if "unit" in details:
        plain["unit"] = details["unit"]
    label = next((one for one in details.get("evidence", ()) if isinstance(one.get("expected"), str)), None)
    if label is not None:
        found = label.get("found")
        sides = {"expected": vault.label(label["expected"])} | (
            {"found": vault.label(found)} if isinstance(found, str) else {}
        )
        plain["evidence"] = [{"where": "label", **sides}]
    return plain


def is_stand_in(plain: Any) -> bool:
    """Whether a payload is the open part of a sealed one."""
    return SEAL in (as_dict(plain) or {})


def case_of(plain: Mapping[str, Any]) -> Case:
    """A case from its payload, or its stand-in, which keeps the identities of what it stands for."""
    hashes = as_dict(plain.get(SEAL))
    if hashes is None:
        return Case.model_validate(plain)
    case = Case.model_validate({key: value for key, value in plain.items() if key != SEAL})
    known = {"hash": hashes["hash"], "view_hash": hashes["view"], "input_hash": hashes["input"]}
    vars(case).update(known, recorded=dict(plain))  # fills the cached properties
    return case


def output_of(plain: Mapping[str, Any]) -> Output:
    """An output from its payload, or its stand-in."""
    hashes = as_dict(plain.get(SEAL))
    if hashes is None:
        return Output.model_validate(plain)
    output = Output.model_validate({key: value for key, value in plain.items() if key != SEAL})
    vars(output).update(hash=hashes["hash"], recorded=dict(plain))
    return output


def score_of(head: Mapping[str, Any], plain: Mapping[str, Any]) -> Score:
    """A score from its numbers and its details, or their stand-in."""
    return Score.model_validate({**head, **{key: value for key, value in plain.items() if key != SEAL}})


def reseal(store: Store, old: Vault, new: Vault) -> int:
    """Bring every payload that one key sealed over to another, all or none; gives how many."""
    moved = 0
    with store.writing() as connection:
        for table in PAYLOADS:
            columns = [column.name for column in table.primary_key]
            query = select(*(table.c[name] for name in columns), table.c.payload)
            sealed = connection.execute(query.where(func.substr(table.c.payload, 1, 1) == SEALED)).all()
            for *where, payload in sealed:
                head = json_bytes(payload)
                body = payload[5 + len(head) :]
                if not body.startswith(bytes.fromhex(old.id)):
                    continue
                kept = payload[: 5 + len(head)] + new.encrypt(old.decrypt(body, head), head)
                same = [table.c[name] == value for name, value in zip(columns, where, strict=True)]
                connection.execute(table.update().where(*same).values(payload=kept))
                moved += 1
    return moved
