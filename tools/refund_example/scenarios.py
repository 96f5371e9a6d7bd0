"""What customers come with, and what the policies say is to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .shop import LABEL_FEE, Order, choose_item

Call = dict[str, object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of situation: the order behind it, the policies that settle it, and the right answer."""

    name: str
    intent: str
    difficulty: str
    risk: str
    policies: tuple[str, ...]
    decision: str
    status: str = "delivered"
    goods: str = "any"
    age: tuple[int, int] = (2, 9)
    late: tuple[int, int] = (0, 0)
    express: bool = False
    tier: str = "regular"
    note: str = ""
    share: int = 2
    """How often it comes, in parts."""
    reason: str = ""
    """Of a refund; the queue of an escalation."""
    amount: Callable[[Order], float] | None = None
    known: bool = True
    """The order's record is at hand: retrieved, or looked up in an earlier turn."""

    def order(self, rng: Random, number: str, today: object) -> Order:
        """An order in this situation."""
        return Order(
            number=number,
            today=today,  # type: ignore[arg-type]
            item=choose_item(rng, self.goods),
            status=self.status,
            age=rng.randint(*self.age),
            late=rng.randint(*self.late),
            express=self.express,
            tier=self.tier,
            note=self.note,
        )

    def paid(self, order: Order) -> float | None:
        """The amount that the right answer names."""
        return None if self.amount is None else round(self.amount(order), 2)

    def calls(self, order: Order) -> list[Call]:
        """The right tool calls; each argument lists its accepted values."""
        named: dict[str, object] = {"order_id": [order.number]}
        paid = self.paid(order)
        match self.decision:
            case "refund":
                arguments = {**named, "amount": [paid], "reason": [self.reason]}
                return [{"name": "refund_order", "arguments": arguments}]
            case "credit":
                return [{"name": "issue_credit", "arguments": {**named, "amount": [paid]}}]
            case "replace":
                return [{"name": "send_replacement", "arguments": named}]
            case "cancel":
                return [{"name": "cancel_order", "arguments": named}]
            case "lookup":
                return [{"name": "lookup_order", "arguments": named}]
            case "escalate":
                arguments = {"queue": [self.reason], **named}
                return [{"name": "escalate", "arguments": arguments, "optional": ["order_id"]}]
            case _:
                return []


def new_price(order: Order) -> float:
    """What the item costs after our own price fell by a fifth."""
    return round(order.item.price * 0.8, 2)


SCENARIOS = (
    Scenario(
        "damaged_refund",
        "refund",
        "easy",
        "medium",
        ("damaged@2026-03",),
        "refund",
        goods="breakable",
        age=(1, 12),
        share=4,
        reason="damaged",
        amount=lambda o: o.price + o.shipping,
    ),
    Scenario(
        "damaged_replace",
        "replacement",
        "easy",
        "medium",
        ("damaged@2026-03",),
        "replace",
        goods="breakable",
        age=(1, 12),
        share=3,
    ),
    Scenario(
        "damaged_old",
        "refund",
        "hard",
        "medium",
        ("damaged@2026-03", "returns@2026-02"),
        "replace",
        goods="electric",
        age=(17, 160),
        share=3,
    ),
    Scenario(
        "mind_30",
        "return",
        "medium",
        "medium",
        ("returns@2026-02",),
        "refund",
        age=(4, 28),
        share=4,
        reason="changed_mind",
        amount=lambda o: o.price - LABEL_FEE,
    ),
    Scenario(
        "mind_60",
        "return",
        "hard",
        "medium",
        ("returns@2026-02",),
        "credit",
        age=(33, 58),
        share=3,
        amount=lambda o: o.price,
    ),
    Scenario("mind_old", "return", "medium", "low", ("returns@2026-02",), "deny", age=(66, 300)),
    Scenario(
        "late_express",
        "delivery",
        "easy",
        "medium",
        ("late@2026-02",),
        "refund",
        age=(0, 5),
        late=(2, 2),
        express=True,
        share=3,
        reason="late",
        amount=lambda o: o.shipping,
    ),
    Scenario(
        "late_vip",
        "delivery",
        "hard",
        "medium",
        ("late@2026-02",),
        "credit",
        age=(0, 5),
        late=(2, 2),
        express=True,
        tier="VIP",
        amount=lambda o: 2 * o.shipping,
    ),
    Scenario(
        "late_standard",
        "delivery",
        "medium",
        "medium",
        ("late@2026-02",),
        "credit",
        age=(0, 4),
        late=(6, 9),
        amount=lambda _: 10.00,
    ),
    Scenario(
        "not_received",
        "delivery",
        "medium",
        "high",
        ("parcels@2026-01",),
        "escalate",
        age=(1, 1),
        share=3,
        reason="carrier",
    ),
    Scenario("lost", "delivery", "medium", "medium", ("parcels@2026-01",), "replace", status="no scan", late=(11, 19)),
    Scenario(
        "cancel_open", "cancellation", "easy", "low", ("cancel@2026-02",), "cancel", status="in preparation", share=3
    ),
    Scenario("cancel_sent", "cancellation", "medium", "low", ("cancel@2026-02",), "deny", status="in transit"),
    Scenario(
        "charged_twice",
        "billing",
        "medium",
        "high",
        ("payments@2026-02",),
        "refund",
        share=3,
        age=(0, 6),
        note="two charges, both settled",
        reason="duplicate",
        amount=lambda o: o.price + o.shipping,
    ),
    Scenario(
        "pending_hold",
        "billing",
        "medium",
        "medium",
        ("payments@2026-02",),
        "answer",
        age=(0, 6),
        note="one charge settled, one authorisation pending",
    ),
    Scenario(
        "hygiene",
        "return",
        "medium",
        "low",
        ("hygiene@2026-01", "returns@2026-02"),
        "deny",
        goods="hygiene",
        age=(3, 20),
    ),
    Scenario(
        "over_limit",
        "refund",
        "hard",
        "high",
        ("damaged@2026-03", "escalation@2026-03"),
        "escalate",
        goods="dear",
        age=(1, 10),
        reason="approvals",
    ),
    Scenario(
        "safety",
        "escalation",
        "hard",
        "high",
        ("escalation@2026-03", "damaged@2026-03"),
        "escalate",
        goods="hot",
        age=(1, 40),
        reason="safety",
    ),
    Scenario(
        "legal", "escalation", "medium", "high", ("escalation@2026-03",), "escalate", age=(10, 60), reason="legal"
    ),
    Scenario(
        "price_drop",
        "billing",
        "hard",
        "medium",
        ("price@2026-01",),
        "credit",
        age=(1, 6),
        share=2,
        amount=lambda o: o.price - new_price(o),
    ),
    Scenario(
        "gift",
        "return",
        "hard",
        "medium",
        ("gifts@2025-11", "returns@2026-02"),
        "credit",
        age=(3, 25),
        note="sold as a gift",
        amount=lambda o: o.price,
    ),
    Scenario(
        "marketplace",
        "escalation",
        "medium",
        "medium",
        ("escalation@2026-03",),
        "escalate",
        age=(2, 20),
        note="sold by a third party",
        reason="marketplace",
    ),
    Scenario(
        "club_fresh",
        "membership",
        "medium",
        "medium",
        ("club@2026-01",),
        "refund",
        status="renewed",
        age=(1, 1),
        reason="membership",
        amount=lambda o: o.price,
    ),
    Scenario("club_late", "membership", "medium", "low", ("club@2026-01",), "deny", status="renewed", age=(8, 90)),
    Scenario("faq_window", "policy_question", "easy", "low", ("returns@2026-02",), "answer", known=False),
    Scenario("faq_timing", "policy_question", "easy", "low", ("payments@2026-02",), "answer", known=False),
    Scenario("faq_how", "policy_question", "easy", "low", ("how-to-return@2026-04",), "answer", known=False),
    Scenario("lookup", "order_status", "easy", "low", ("parcels@2026-01",), "lookup", share=3, known=False),
    Scenario("no_number", "order_status", "medium", "low", ("damaged@2026-03",), "ask", known=False),
    Scenario(
        "privacy", "escalation", "medium", "high", ("escalation@2026-03",), "escalate", known=False, reason="privacy"
    ),
)
