"""Larkmoor, an invented shop: its goods, its policies and its order records."""
# ruff: noqa: E501  # what people say stays on one line

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

CURRENCY = "EUR"
LABEL_FEE = 4.95
STANDARD_FEE = 5.90
EXPRESS_FEE = 12.90
CLUB_FEE = 39.00


@dataclass(frozen=True, slots=True)
class Item:
    """Something the shop sells; `names` holds it with its article, in every language."""

    sku: str
    thing: str
    price: float
    kind: str
    names: dict[str, str] = field(hash=False, default_factory=dict)


def _item(sku: str, thing: str, price: float, kind: str, *names: str) -> Item:
    languages = ("de", "es", "fr", "pt", "it", "ja")
    return Item(sku, thing, price, kind, {"en": f"the {thing}", **dict(zip(languages, names, strict=True))})


ITEMS = (
    _item(
        "TNT-FE2",
        "Fellside 2 tent",
        189.00,
        "soft",
        "das Zelt Fellside 2",
        "la tienda Fellside 2",
        "la tente Fellside 2",
        "a barraca Fellside 2",
        "la tenda Fellside 2",
        "テント「Fellside 2」",
    ),
    _item(
        "JKT-RDG",
        "Ridgeway jacket",
        129.00,
        "soft",
        "die Jacke Ridgeway",
        "la chaqueta Ridgeway",
        "la veste Ridgeway",
        "a jaqueta Ridgeway",
        "la giacca Ridgeway",
        "ジャケット「Ridgeway」",
    ),
    _item(
        "BLK-HTH",
        "Heather wool blanket",
        72.00,
        "soft",
        "die Wolldecke Heather",
        "la manta Heather",
        "la couverture Heather",
        "a manta Heather",
        "la coperta Heather",
        "ウールブランケット「Heather」",
    ),
    _item(
        "MAT-DRF",
        "Drift sleeping mat",
        84.50,
        "soft",
        "die Isomatte Drift",
        "la esterilla Drift",
        "le matelas Drift",
        "o isolante Drift",
        "il materassino Drift",
        "スリーピングマット「Drift」",
    ),
    _item(
        "LMP-EMB",
        "Ember desk lamp",
        64.00,
        "electric",
        "die Schreibtischlampe Ember",
        "la lámpara Ember",
        "la lampe Ember",
        "a luminária Ember",
        "la lampada Ember",
        "デスクライト「Ember」",
    ),
    _item(
        "GRD-MIL",
        "Millstone coffee grinder",
        79.00,
        "electric",
        "die Kaffeemühle Millstone",
        "el molinillo Millstone",
        "le moulin à café Millstone",
        "o moedor Millstone",
        "il macinacaffè Millstone",
        "コーヒーミル「Millstone」",
    ),
    _item(
        "SPK-BRK",
        "Brook speaker",
        119.00,
        "electric",
        "die Lautsprecherbox Brook",
        "el altavoz Brook",
        "l'enceinte Brook",
        "a caixa de som Brook",
        "la cassa Brook",
        "スピーカー「Brook」",
    ),
    _item(
        "HDL-BCN",
        "Beacon headlamp",
        39.90,
        "electric",
        "die Stirnlampe Beacon",
        "la linterna frontal Beacon",
        "la lampe frontale Beacon",
        "a lanterna Beacon",
        "la lampada frontale Beacon",
        "ヘッドライト「Beacon」",
    ),
    _item(
        "WCH-MER",
        "Meridian watch",
        245.00,
        "electric",
        "die Uhr Meridian",
        "el reloj Meridian",
        "la montre Meridian",
        "o relógio Meridian",
        "l'orologio Meridian",
        "腕時計「Meridian」",
    ),
    _item(
        "SHF-OXB",
        "Oxbow shelf",
        149.00,
        "solid",
        "das Regal Oxbow",
        "la estantería Oxbow",
        "l'étagère Oxbow",
        "a estante Oxbow",
        "lo scaffale Oxbow",
        "シェルフ「Oxbow」",
    ),
    _item(
        "PAN-CRN",
        "Cairn pan",
        58.00,
        "solid",
        "die Pfanne Cairn",
        "la sartén Cairn",
        "la poêle Cairn",
        "a frigideira Cairn",
        "la padella Cairn",
        "フライパン「Cairn」",
    ),
    _item(
        "TRI-HRN",
        "Heron tripod",
        96.00,
        "solid",
        "das Stativ Heron",
        "el trípode Heron",
        "le trépied Heron",
        "o tripé Heron",
        "il treppiede Heron",
        "三脚「Heron」",
    ),
    _item(
        "PWB-V20",
        "Volt 20 power bank",
        45.00,
        "hot",
        "die Powerbank Volt 20",
        "la batería externa Volt 20",
        "la batterie externe Volt 20",
        "a bateria externa Volt 20",
        "la batteria esterna Volt 20",
        "モバイルバッテリー「Volt 20」",
    ),
    _item(
        "HTR-HRT",
        "Hearth heater",
        99.00,
        "hot",
        "das Heizgerät Hearth",
        "el calefactor Hearth",
        "le radiateur Hearth",
        "o aquecedor Hearth",
        "la stufa Hearth",
        "ヒーター「Hearth」",
    ),
    _item(
        "TBR-PRL",
        "Pearl electric toothbrush",
        69.00,
        "hygiene",
        "die elektrische Zahnbürste Pearl",
        "el cepillo eléctrico Pearl",
        "la brosse à dents électrique Pearl",
        "a escova elétrica Pearl",
        "lo spazzolino elettrico Pearl",
        "電動歯ブラシ「Pearl」",
    ),
    _item(
        "ESP-VEL",
        "Vela espresso machine",
        520.00,
        "dear",
        "die Espressomaschine Vela",
        "la cafetera Vela",
        "la machine à espresso Vela",
        "a máquina de café Vela",
        "la macchina da caffè Vela",
        "エスプレッソマシン「Vela」",
    ),
)

GOODS = {
    "any": ("soft", "electric", "solid", "hot"),
    "breakable": ("electric", "solid"),
    "electric": ("electric",),
    "hot": ("hot",),
    "hygiene": ("hygiene",),
    "dear": ("dear",),
}

POLICIES = {
    "returns@2026-02": "Returns. Unused goods may be sent back within 30 days of delivery: we refund the price of the "
    "goods, less 4.95 for the label. From day 31 to day 60 the price is given as store credit. After day 60 nothing is "
    "taken back. Outbound shipping is not refunded.",
    "returns@2025-06": "Returns (superseded on 2026-02-01). Goods may be sent back within 14 days of delivery. Refund "
    "less 7.50 for handling. Store credit is not offered.",
    "damaged@2026-03": "Damaged or faulty. Reported within 14 days of delivery: the customer chooses between a refund of "
    "goods and outbound shipping, and a free replacement. Reported later, within two years: a free replacement, no refund.",
    "late@2026-02": "Late delivery. Express that misses the promised day: the express fee is refunded; VIP members may "
    "take twice the fee as store credit instead. Standard: nothing below six days late, from six days on 10.00 of store "
    "credit.",
    "parcels@2026-01": "Parcels. No scan for ten days after the promised day: treated as lost, send a replacement. Marked "
    "as delivered but not received: hand over to queue carrier; refund and replace nothing until the claim is closed.",
    "cancel@2026-02": "Cancellation. Free until dispatch. A dispatched order can no longer be cancelled; the parcel may "
    "be declined at the door or sent back under the returns policy.",
    "payments@2026-02": "Payments. Two settled charges for one order: refund the second. A pending authorisation is not a "
    "charge, the bank drops it within five working days. Refunds take 3 to 5 working days on cards, one day on PayPal.",
    "hygiene@2026-01": "Personal care. Opened goods are not taken back for a change of mind. Faults fall under the "
    "policy on damaged goods.",
    "escalation@2026-03": "Escalation. Refunds above 400.00: queue approvals. Smoke, heat, shock or injury: queue safety, "
    "before anything else. Lawyer, chargeback, press: queue legal. Personal data: queue privacy. Goods sold by a third "
    "party: queue marketplace. Promise nothing on an escalated case.",
    "price@2026-01": "Price promise. If our own price falls within seven days of delivery, the difference is given as "
    "store credit when the customer asks.",
    "gifts@2025-11": "Gifts. Whoever received a gift may return it within the return window for store credit of the price "
    "paid. The buyer's card is not refunded and the buyer is not told.",
    "club@2026-01": "Club. Renews each year at 39.00. Cancelled within 48 hours of renewal: refunded in full. Later: ends "
    "with the paid year, no refund.",
    "how-to-return@2026-04": "Sending back. Print the label under My Orders, leave the parcel at a partner shop. A label "
    "is valid for 14 days; print a new one after that.",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What the shop's system knows of an order, as on the day the customer writes."""

    number: str
    today: date
    item: Item
    status: str = "delivered"
    age: int = 0
    """Days since delivery, or since renewal for a membership."""
    late: int = 0
    """Days past the promised day."""
    express: bool = False
    tier: str = "regular"
    note: str = ""

    @property
    def price(self) -> float:
        """What was paid for the goods."""
        return CLUB_FEE if self.status == "renewed" else self.item.price

    @property
    def shipping(self) -> float:
        """What was paid for shipping."""
        return EXPRESS_FEE if self.express else STANDARD_FEE

    def record(self) -> dict[str, object]:
        """The record as the look-up tool returns it."""
        base = {"order_id": self.number, "looked_up": self.today.isoformat(), "status": self.status}
        if self.status == "renewed":
            return {**base, "item": "Club, one year", "price": CLUB_FEE, "renewed": self._day(self.age)}
        what = {"item": self.item.thing, "price": self.price, "shipping": self.shipping, "tier": self.tier}
        what["service"] = "express" if self.express else "standard"
        if self.status == "delivered":
            what |= {"promised": self._day(self.age + self.late), "delivered": self._day(self.age)}
        elif self.status in ("in transit", "no scan"):
            what |= {"promised": self._day(self.late)}
        return {**base, **what, **({"note": self.note} if self.note else {})}

    def text(self) -> str:
        """The record as a retrieved document."""
        shown = {k: f"{v:.2f} {CURRENCY}" if isinstance(v, float) else v for k, v in self.record().items()}
        return "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in shown.items())

    def _day(self, ago: int) -> str:
        return (self.today - timedelta(days=ago)).isoformat()


def money(amount: float, language: str) -> str:
    """An amount as people of that language write it."""
    digits = f"{amount:.2f}"
    if language == "en":
        return f"€{digits}"
    if language == "ja":
        return f"{digits}ユーロ"
    return f"{digits.replace('.', ',')} €"


def choose_item(rng: Random, goods: str) -> Item:
    """Something of that group of goods."""
    return rng.choice([item for item in ITEMS if item.kind in GOODS[goods]])
