"""Recorded trajectories of tau-bench's airline tasks, with their rewards.

A run's reward is 1 when its database ends as after the gold actions, and the user was told what was to be told. Neither
database nor tools are in the file, so that the state is a ledger: what the actions that went well did to reservations,
bookings and certificates. What a run told the user, and what an action did beside its arguments, are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.core.case import Case
from seatrial.core.output import Output

FILE = "tau_airline_gpt-4o.json"
ABOUT = "200 recorded runs of gpt-4o (50 tasks, 4 trials each) against their rewards"
WRITES = frozenset({
    "book_reservation", "cancel_reservation", "send_certificate", "update_reservation_baggages",
    "update_reservation_flights", "update_reservation_passengers",
})  # fmt: skip


class Item(NamedTuple):
    """One run. `passed`: its reward is 1. `kind`: whether the task's gold actions write anything."""

    id: str
    case: Case
    output: Output
    passed: bool
    kind: str


def sets(data: Path) -> Iterator[tuple[str, str, str, Callable[[], Iterable[Item]], bool, Mapping[str, Any]]]:
    """The sets that can be made from the file, as the fields of a set."""
    path = data / FILE
    if not path.exists():
        return
    title = "tau-bench airline"
    ledger = "The state is a ledger of the actions that went well, as the file holds no database."
    yield "state", title, f"{ABOUT}. {ledger}", partial(items, path), False, {}
    yield (
        "tool_order",
        title,
        f"{ABOUT}: all gold calls, and others.",
        partial(items, path),
        False,
        {"order": "superset"},
    )
    milestones = f"{ABOUT}: every gold write is a milestone. Tasks whose gold writes nothing are left out."
    yield "task_completion", title, milestones, partial(items, path, writing=True), False, {"by": "milestones"}


def items(path: Path, *, writing: bool = False) -> list[Item]:
    """All runs; with `writing`, of the tasks whose gold actions write something."""
    found = runs(path)
    return [item for item in found if item.kind == "writes"] if writing else list(found)


@lru_cache(maxsize=2)
def runs(path: Path) -> tuple[Item, ...]:
    """Every run as a case, an output and whether its reward is 1."""
    found: list[Item] = []
    for row in json.loads(path.read_text("utf-8")):
        gold = [(action["name"], action["kwargs"]) for action in row["info"]["task"]["actions"]]
        writes = [(name, arguments) for name, arguments in gold if name in WRITES]
        opening = next(i for i, message in enumerate(row["traj"]) if message["role"] == "user")
        expected: dict[str, Any] = {
            "tool_calls": [[{"name": n, "arguments": {k: [v] for k, v in a.items()}} for n, a in gold]],
            "trajectory": [{"kind": "tool", "name": name, "input": arguments} for name, arguments in writes] or None,
            "state": {"must": {f"/{key}": value for key, value in ledger(writes).items()}},
        }
        case = Case.model_validate(
            {
                "id": f"{row['task_id']}",
                "input": [{"role": m["role"], "content": m["content"] or ""} for m in row["traj"][: opening + 1]],
                "expected": expected,
                "metadata": {"state": {key: {} for key in ledger([])}},
            }
        )
        output = output_of(row["traj"][opening + 1 :])
        kind = "writes" if writes else "writes nothing"
        found.append(Item(f"{row['task_id']}.{row['trial']}", case, output, row["reward"] == 1.0, kind))
    return tuple(found)


def output_of(messages: list[dict[str, Any]]) -> Output:
    """The run as an output: its messages, and the ledger of the writes that went well."""
    made: list[dict[str, Any]] = []
    called: dict[str, tuple[str, Any]] = {}
    done: list[tuple[str, Any]] = []
    for message in messages:
        calls = [
            {"id": c["id"], "name": c["function"]["name"], "arguments": json.loads(c["function"]["arguments"])}
            for c in message.get("tool_calls") or ()
        ]
        called |= {call["id"]: (call["name"], call["arguments"]) for call in calls}
        plain = {"role": message["role"], "content": message.get("content") or "", "tool_calls": calls}
        if message["role"] == "tool":
            plain |= {"tool_call_id": message["tool_call_id"], "name": message["name"]}
            name, arguments = called[message["tool_call_id"]]
            if name in WRITES and not message["content"].startswith("Error"):
                done.append((name, arguments))
        made.append(plain)
    return Output.model_validate({"messages": made, "state": ledger(done)})


def ledger(writes: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """What actions do: changes of reservations by their number, bookings by their flights, certificates by user."""
    state: dict[str, Any] = {"reservations": {}, "bookings": {}, "certificates": {}}
    for name, arguments in writes:
        if name == "book_reservation":
            flights = json.dumps(arguments.get("flights"), sort_keys=True)
            key = f"{arguments.get('user_id')} {arguments.get('cabin')} {flights}".replace("/", " ").replace("~", " ")
            state["bookings"][key] = {k: v for k, v in arguments.items() if k != "flights"}
        elif name == "send_certificate":
            state["certificates"].setdefault(arguments["user_id"], []).append(arguments["amount"])
        else:
            entry = state["reservations"].setdefault(arguments["reservation_id"], {})
            entry |= {k: v for k, v in arguments.items() if k not in ("reservation_id", "payment_id")}
            if name == "cancel_reservation":
                entry["status"] = "cancelled"
            if "payment_id" in arguments:
                entry["payments"] = [*entry.get("payments", []), arguments["payment_id"]]
    return state
